"""The contract of each table: columns, types, units, ranges, meaning.

One place feeds the validation, the docs and the tests. `schema` gives the Arrow schema of a table,
`check` raises `ContractBroken` for a table that left its contract. Missing values are allowed only
where a column says so, and the meaning says what missing means.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from coverage.contracts import Column, Table, check, check_frame, schema

__all__ = ["Column", "Table", "check", "check_frame", "schema"]

SERVICE_STATES = ("in_service", "no_service", "emergency_only", "unknown")
TECHNOLOGIES = ("GSM", "UMTS", "LTE", "NR")
VERDICTS = ("covered", "below_standard", "dead_zone", "not_enough_evidence", "no_data")
STATUSES = ("trang_song", "lom_song", "phu_song", "chua_du_bang_chung", "chua_co_du_lieu")
DEAD_STATUSES = ("trang_song", "lom_song")
SUB_REASONS = (
    *("thin", "mixed", "single_device", "single_occasion", "single_spot"),
    *("suspected_outage", "weak_service"),
)
NOT_SPOTS = ("total", "partial", "undetermined")
GRID_STATUSES = ("national_grid", "off_grid", "none", "unknown")
LISTS = ("gaps", "no_power", "verify_power", "need_measurement")
UNKNOWN_DEVICE = "unknown"

# The RSRP-family column that holds the level of each technology (3GPP TS 36.133, 38.133, 25.133, 45.008).
LEVEL_COLUMNS = {"LTE": "rsrp_dbm", "NR": "ss_rsrp_dbm", "UMTS": "rscp_dbm", "GSM": "rxlev_dbm"}

_TEXT, _INT, _REAL, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_TIME, _DATE, _LEVEL = pa.timestamp("us"), pa.date32(), pa.float32()


# fmt: off
def _levels() -> Sequence[Column]:
    return (
        Column("rsrp_dbm", _LEVEL, "LTE RSRP in dBm; missing = not LTE, or level unknown", nullable=True, low=-140, high=-43),
        Column("ss_rsrp_dbm", _LEVEL, "NR SS-RSRP in dBm; missing = not NR, or level unknown", nullable=True, low=-156, high=-31),
        Column("rscp_dbm", _LEVEL, "UMTS RSCP in dBm; missing = not UMTS, or level unknown", nullable=True, low=-120, high=-25),
        Column("rxlev_dbm", _LEVEL, "GSM RxLev in dBm; missing = not GSM, or level unknown", nullable=True, low=-113, high=-47),
    )


MEASUREMENTS = Table(
    "measurements",
    "one reading of one network at one place and time, as the file gave it",
    (
        Column("upload_id", _TEXT, "the upload the row came in, derived from the sha256 of the file's bytes"),
        Column("line", _INT, "line in the file as an editor shows it, the header's line included", low=1),
        Column("time_utc", _TIME, "time of the reading, UTC without zone; 12:00 local where only the date is known"),
        Column("time_precision", _TEXT, "what the file knew of the time", values=("second", "date")),
        Column("local_date", _DATE, "calendar date in the upload's timezone"),
        Column("lat", _REAL, "WGS 84 latitude in degrees", low=-90, high=90),
        Column("lon", _REAL, "WGS 84 longitude in degrees", low=-180, high=180),
        Column("operator", _TEXT, "measured network as MCC+MNC digits (45204), else the file's own name for it" ),
        Column("operator_inferred", _BOOL, "true where the row named no operator and the file, its name or the upload did"),
        Column("technology", _TEXT, "radio technology; missing only without service or with an unknown state", nullable=True, values=TECHNOLOGIES),
        Column("service_state", _TEXT, "what the phone said of service; a missing level is not no_service", values=SERVICE_STATES),
        *_levels(),
        Column("rsrq_db", _LEVEL, "LTE RSRQ or NR SS-RSRQ in dB; missing = not given", nullable=True),
        Column("sinr_db", _LEVEL, "SINR in dB; missing = not given", nullable=True),
        Column("accuracy_m", _LEVEL, "68 % position accuracy in metres; missing = not given (lowers the grade)", nullable=True, low=0),
        Column("speed_mps", _LEVEL, "speed in metres per second; missing = not given", nullable=True, low=0),
        Column("in_vehicle", _BOOL, "measured inside a vehicle; missing = not said", nullable=True),
        Column("device", _TEXT, "keyed hash of the phone or scanner, or 'unknown' (shared by all unknown devices)"),
        Column("calibrated", _BOOL, "the upload was marked as a calibrated drive-test device"),
        Column("source", _TEXT, "who measured", values=("drive_test", "crowdsourced")),
        Column("serving_cell", _TEXT, "the serving radio cell as the file names it; missing = not given", nullable=True),
        Column("download_mbps", _LEVEL, "download throughput in Mbit/s; missing = not tested", nullable=True, low=0),
        Column("upload_mbps", _LEVEL, "upload throughput in Mbit/s; missing = not tested", nullable=True, low=0 ),
        Column("hex_res10", _INT, "H3 index at resolution 10 of (lat, lon)"),
        Column("hex_res9", _INT, "its H3 parent at resolution 9"),
        Column("hex_res8", _INT, "its H3 parent at resolution 8"),
    ),
)

OUTCOMES = Table(
    "outcomes",
    "one row of a file that did not become a measurement, and why; several rows where several things are wrong",
    (
        Column("line", _INT, "line in the file as an editor shows it", low=1),
        Column("outcome", _TEXT, "what became of the row", values=("duplicate", "rejected", "quarantined")),
        Column("code", _TEXT, "stable code of the reason"),
        Column("column", _TEXT, "the file's own name of the column at fault; missing = the whole row", nullable=True),
        Column("value", _TEXT, "the offending text; missing = empty in the file", nullable=True),
    ),
)

OBSERVATIONS = Table(
    "observations",
    "measurements thinned to one test: (operator, device, res-10 hex, half-hour)",
    (
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("device", _TEXT, "keyed hash, or 'unknown'"),
        Column("hex_res10", _INT, "H3 index at resolution 10"),
        Column("hex", _INT, "its parent at the resolution of the criteria"),
        Column("half_hour", _INT, "half-hours since 1970-01-01 UTC"),
        Column("local_date", _DATE, "first local date of the test"),
        Column("first_utc", _TIME, "first second of the test"),
        Column("last_utc", _TIME, "last second of the test"),
        Column("calibrated", _BOOL, "every second came from a calibrated device"),
        Column("grade", _INT, "evidence grade of its best second: 1 = A … 4 = D", low=1, high=4),
        Column("seconds", _INT, "distinct seconds measured", low=1),
        Column("no_service_seconds", _INT, "seconds without any service", low=0),
        Column("rsrp_dbm", _REAL, "median over seconds of the best LTE RSRP or NR SS-RSRP; missing = none known", nullable=True),
        Column("fails", _BOOL, "fails at the headline thresholds; missing = undecided", nullable=True),
        Column("fails_at_105", _BOOL, "fails at the strict thresholds; missing = undecided", nullable=True),
        Column("fails_at_121", _BOOL, "fails at the lenient thresholds; missing = undecided", nullable=True),
        Column("in_outage", _BOOL, "measured there during a known outage: a fail is set aside (undecided), a pass counts"),
    ),
)


def _evidence_columns() -> Sequence[Column]:
    return (
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("tests", _INT, "observations that pass or fail at the headline thresholds", low=0),
        Column("fails", _INT, "observations that fail there", low=0),
        Column("effective_tests", _REAL, "tests after allowing for one device repeating itself", low=0),
        Column("effective_fails", _REAL, "fails, scaled alike", low=0),
        Column("devices", _INT, "known devices that tested", low=0),
        Column("occasions", _INT, "distinct four-hour blocks with tests", low=0),
        Column("dates", _INT, "distinct local dates with tests", low=0),
        Column("fail_devices", _INT, "known devices with a fail", low=0),
        Column("fail_dates", _INT, "distinct local dates with a fail", low=0),
        Column("fail_hexes", _INT, "distinct res-10 hexes with a fail", low=0),
        Column("outage_tests", _INT, "observations set aside because they fell into a known outage", low=0),
        Column("first_test_utc", _TIME, "first test; missing = none", nullable=True),
        Column("last_test_utc", _TIME, "last test; missing = none", nullable=True),
        Column("median_rsrp_dbm", _REAL, "median of the tests' RSRP; missing = none known", nullable=True),
        Column("no_service_share", _REAL, "share of tests whose seconds were mostly without service; missing = no test", nullable=True, low=0, high=1),
        Column("evidence_grade", _TEXT, "best grade among the tests; missing = no test", nullable=True, values=("A", "B", "C", "D")),
        Column("p_dead", _REAL, "probability that more than half of tests here fail; missing = no test", nullable=True, low=0, high=1),
        Column("verdict", _TEXT, "what the evidence allows us to say", values=VERDICTS),
        Column("verdict_at_105", _TEXT, "the same rule at the strict thresholds", values=VERDICTS),
        Column("verdict_at_121", _TEXT, "the same rule at the lenient thresholds", values=VERDICTS),
        Column("sub_reason", _TEXT, "why there is not enough evidence; missing otherwise", nullable=True, values=SUB_REASONS),
    )


HEX_VERDICTS = Table(
    "hex_verdicts",
    "one measured hex for one operator; a hex without a row was not measured and has the verdict no_data",
    (
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
        *_evidence_columns(),
    ),
)

PLACES = Table(
    "places",
    "one place of a village where people live and service is judged",
    (
        Column("place_id", _TEXT, "village_id/centre, village_id/c/CLUSTER or village_id/polygon"),
        Column("village_id", _TEXT, "the village"),
        Column("kind", _TEXT, "centre = nhà văn hoá; polygon = the whole village, where no cluster is known", values=("centre", "cluster", "polygon")),
        Column("lat", _REAL, "latitude in degrees; missing for a polygon", nullable=True, low=-90, high=90),
        Column("lon", _REAL, "longitude in degrees; missing for a polygon", nullable=True, low=-180, high=180 ),
        Column("households", _REAL, "households living there; missing = not known", nullable=True, low=0),
        Column("grid", _BOOL, "on the national grid; missing = not known at this place", nullable=True),
    ),
)

PLACE_HEXES = Table(
    "place_hexes",
    "one hex whose observations are pooled for one place",
    (
        Column("place_id", _TEXT, "the place"),
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
    ),
)

PLACE_VERDICTS = Table(
    "place_verdicts",
    "one place for one operator, judged on the pooled observations of its hexes",
    (
        Column("place_id", _TEXT, "the place"),
        Column("village_id", _TEXT, "the village"),
        Column("kind", _TEXT, "centre, cluster or polygon", values=("centre", "cluster", "polygon")),
        *_evidence_columns(),
    ),
)

CROSSWALK = Table(
    "crosswalk",
    "one village × one hex that share ground",
    (
        Column("village_id", _TEXT, "the village"),
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
        Column("area_km2", _REAL, "area they share, in an equal-area projection", low=0),
        Column("village_share", _REAL, "area_km2 as a share of the village's area; sums to 1 per village", low=0, high=1),
    ),
)

VILLAGES = Table(
    "villages",
    "one village (thôn, buôn, bản, tổ dân phố); its polygon travels beside it as geometry, EPSG:4326",
    (
        Column("village_id", _TEXT, "our stable id: the file's where unique, else made"),
        Column("village_name", _TEXT, "name, Unicode NFC"),
        Column("commune_code", _TEXT, "five-digit commune code; missing = not given and in no commune", nullable=True),
        Column("commune_name", _TEXT, "commune name; missing = not known", nullable=True),
        Column("centre_lat", _REAL, "latitude of the centre (nhà văn hoá); missing = not known", nullable=True, low=-90, high=90),
        Column("centre_lon", _REAL, "longitude of the centre; missing = not known", nullable=True, low=-180, high=180),
        Column("households", _REAL, "households; missing = not known", nullable=True, low=0),
        Column("population", _REAL, "people; missing = not known", nullable=True, low=0),
        Column("especially_difficult", _BOOL, "thôn đặc biệt khó khăn; missing = not known", nullable=True),
        Column("source", _TEXT, "where the village comes from, e.g. the file's own source column"),
    ),
)

POWER = Table(
    "power",
    "what one source says of one village's electricity",
    (
        Column("village_id", _TEXT, "the village"),
        Column("households", _REAL, "households counted by that source; missing = not given", nullable=True, low=0),
        Column("households_grid", _REAL, "of them on the national grid; missing = not given", nullable=True, low=0),
        Column("source", _TEXT, "who says so"),
        Column("evidence", _TEXT, "class of the evidence; inferred never proves", values=("official_list", "utility", "field", "inferred")),
        Column("as_of", _DATE, "date of the statement; missing = not given", nullable=True),
    ),
)

OUTAGES = Table(
    "outages",
    "one known outage of one village or commune, e.g. from the power utility's notices or an operator's log",
    (
        Column("village_id", _TEXT, "the village; missing = the whole commune", nullable=True),
        Column("commune_code", _TEXT, "the commune; missing = the village only", nullable=True),
        Column("operator", _TEXT, "MCC+MNC, or the name as given; missing = every operator, as in a power cut", nullable=True),
        Column("from_utc", _TIME, "when it began, UTC without zone"),
        Column("until_utc", _TIME, "when it ended, UTC without zone"),
        Column("source", _TEXT, "who says so"),
    ),
)

SITES = Table(
    "sites",
    "one radio cell or mast as a list names it; judges nothing",
    (
        Column("site_id", _TEXT, "the file's own id of the mast, else operator-technology-cell (without a cell: its position); the cells of one mast may share it"),
        Column("operator", _TEXT, "MCC+MNC, or the name as given; missing = not given", nullable=True),
        Column("technology", _TEXT, "GSM, UMTS, LTE, NR, joined by + where a mast has several; else the file's own word (CDMA); missing = not given", nullable=True),
        Column("cell", _TEXT, "the cell's numbers as the file names them: area-node-cell, those it gives; missing = not given", nullable=True),
        Column("lat", _REAL, "WGS 84 latitude in degrees", low=-90, high=90),
        Column("lon", _REAL, "WGS 84 longitude in degrees", low=-180, high=180),
        Column("name", _TEXT, "what the list calls it; missing = not given", nullable=True),
        Column("range_m", _REAL, "how far the list believes that the cell reaches, in metres; missing = not given", nullable=True, low=0),
        Column("azimuth_deg", _REAL, "direction of the antenna, degrees clockwise from north; missing = not given", nullable=True, low=0, high=360),
        Column("source", _TEXT, "the file's own source where it has one, its name and kind; `simulated` where the file says so anywhere"),
    ),
)

VILLAGE_VERDICTS = Table(
    "village_verdicts",
    "one village for one operator, with power and the list it belongs to; the evidence from tests on is that of the place which decided",
    (
        *VILLAGES.columns[:4],
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("operator_name", _TEXT, "the operator's name for people"),
        Column("status", _TEXT, "the village's status for this operator", values=STATUSES),
        Column("status_at_105", _TEXT, "the same rule at the strict thresholds", values=STATUSES),
        Column("status_at_121", _TEXT, "the same rule at the lenient thresholds", values=STATUSES),
        Column("status_all_operators", _TEXT, "status for the best of the operators in scope", values=STATUSES ),
        Column("not_spot", _TEXT, "missing = the village is not dead for this operator", nullable=True, values=NOT_SPOTS),
        Column("sub_reason", _TEXT, "why the status is not decided; missing = decided", nullable=True, values=SUB_REASONS),
        Column("centre_verdict", _TEXT, "verdict at the centre", values=VERDICTS),
        Column("basis", _TEXT, "what stands for where people live", values=("clusters", "polygon")),
        Column("dead_places", _TEXT, "place ids judged dead, joined by ';'; empty = none"),
        Column("dead_share", _REAL, "share of households living at dead places; missing = not known", nullable=True, low=0, high=1),
        Column("grid_status", _TEXT, "national_grid, off_grid, none or unknown", values=GRID_STATUSES),
        Column("electrified", _BOOL, "on the grid by proof, at the dead place where known; missing = not proven either way", nullable=True),
        Column("power_source", _TEXT, "who says so; missing = nobody", nullable=True),
        Column("power_as_of", _DATE, "date of the statement; missing = not given", nullable=True),
        Column("households", _REAL, "households; missing = not known", nullable=True, low=0),
        Column("population", _REAL, "people; missing = not known", nullable=True, low=0),
        Column("population_affected", _REAL, "people at dead places; missing = not known", nullable=True, low=0 ),
        Column("especially_difficult", _BOOL, "thôn đặc biệt khó khăn; missing = not known", nullable=True),
        *[
            c
            for c in _evidence_columns()
            if c.name
            in (
                "tests",
                "fails",
                "effective_tests",
                "devices",
                "occasions",
                "first_test_utc",
                "last_test_utc",
                "median_rsrp_dbm",
                "no_service_share",
                "evidence_grade",
                "outage_tests",
            )
        ],
        Column("who_must_act", _TEXT, "missing = nobody yet", nullable=True, values=("operator", "operator_with_public_fund", "power_utility", "verify_power", "measure")),
        Column("list", _TEXT, "the list it is printed in; missing = none", nullable=True, values=LISTS),
        Column("priority", _INT, "1 = first; missing = not a gap", nullable=True, low=1),
        Column("reason", _TEXT, "the reason in one Vietnamese sentence"),
        Column("reason_en", _TEXT, "the reason in one English sentence"),
    ),
)

ALL = (
    MEASUREMENTS,
    OUTCOMES,
    OBSERVATIONS,
    HEX_VERDICTS,
    PLACES,
    PLACE_HEXES,
    PLACE_VERDICTS,
    CROSSWALK,
    VILLAGES,
    POWER,
    OUTAGES,
    SITES,
    VILLAGE_VERDICTS,
)
