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
    *(
        "suspected_outage",
        "weak_service",
        "positive_only_source",
        "vehicle",
        "pre_change",
        "stale",
        "near_threshold",
        "unmeasured_part",
    ),
)
NOT_SPOTS = ("total", "partial", "undetermined")
GRID_STATUSES = ("national_grid", "off_grid", "none", "unknown")
LISTS = ("gaps", "no_power", "verify_power", "need_measurement")
PLACE_KINDS = ("centre", "cluster", "settled", "polygon")
BOUNDARIES = ("given", "derived", "none")
PEOPLE_METHODS = ("clusters", "raster", "equal", "whole")
POPULATION_SOURCES = ("list", "raster")
GRADES = ("A", "B", "C", "D")
PREDICTED_CLASSES = ("predicted_dead", "predicted_open", "predicted_served")
PREDICTION_METHODS = ("kriging", "kriging_terrain", "kriging_sites", "kriging_terrain_sites")
POWER_EVIDENCE = ("official_list", "utility", "field", "inferred")
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
        Column("positive_only", _BOOL, "the source never writes that there is no service: it can show service, never its absence"),
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

def _margins() -> Sequence[Column]:
    meaning = "median over seconds of the level above the {} threshold of its technology, within the bounds of the criteria, silence at the lower one; missing = no level known, or set aside"
    names = {"margin_db": "headline", "margin_db_at_105": "strict", "margin_db_at_121": "lenient", "margin_db_voice": "voice", "margin_db_data_good": "good-data"}
    return tuple(Column(name, _REAL, meaning.format(which), nullable=True) for name, which in names.items())


OBSERVATIONS = Table(
    "observations",
    "measurements thinned to one test: (operator, device, res-10 hex, half-hour, kind of source)",
    (
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("device", _TEXT, "keyed hash, or 'unknown'"),
        Column("hex_res10", _INT, "H3 index at resolution 10"),
        Column("hex", _INT, "its parent at the resolution of the criteria"),
        Column("hex_res9", _INT, "its parent at resolution 9"),
        Column("hex_res8", _INT, "its parent at resolution 8"),
        Column("weight", _REAL, "how much it counts by its age: 1 = in full", low=0, high=1),
        Column("half_hour", _INT, "half-hours since 1970-01-01 UTC"),
        Column("local_date", _DATE, "first local date of the test"),
        Column("first_utc", _TIME, "first second of the test"),
        Column("last_utc", _TIME, "last second of the test"),
        Column("calibrated", _BOOL, "it came from a calibrated device"),
        Column("grade", _INT, "evidence grade of its best second: 1 = A … 4 = D", low=1, high=4),
        Column("seconds", _INT, "distinct seconds measured", low=1),
        Column("no_service_seconds", _INT, "seconds without any service", low=0),
        Column("rsrp_dbm", _REAL, "median over seconds of the best LTE RSRP or NR SS-RSRP; missing = none known", nullable=True),
        Column("fails", _BOOL, "fails at the headline thresholds; missing = undecided", nullable=True),
        Column("fails_at_105", _BOOL, "fails at the strict thresholds; missing = undecided", nullable=True),
        Column("fails_at_121", _BOOL, "fails at the lenient thresholds; missing = undecided", nullable=True),
        Column("fails_voice", _BOOL, "fails at the thresholds of voice; missing = undecided", nullable=True),
        Column("fails_data_good", _BOOL, "fails at the thresholds of good data; missing = undecided", nullable=True),
        *_margins(),
        Column("positive_only", _BOOL, "it came from a source that never writes no service: its fails are undecided"),
        Column("weak_in_vehicle", _BOOL, "undecided at the headline because it was weak inside a vehicle"),
        Column("before_site", _BOOL, "measured near a site of the operator before that went on air: a fail is set aside (undecided), a pass counts"),
        Column("in_outage", _BOOL, "measured there during a known outage: a fail is set aside (undecided), and hinders clearing; a pass counts"),
    ),
)


def _evidence_columns() -> Sequence[Column]:
    return (
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("tests", _INT, "observations that pass or fail at the headline thresholds", low=0),
        Column("fails", _INT, "observations that fail there", low=0),
        Column("effective_tests", _REAL, "tests of sources that also write silence, after allowing for one device repeating itself", low=0),
        Column("effective_fails", _REAL, "fails, scaled alike", low=0),
        Column("devices", _INT, "known devices that tested", low=0),
        Column("occasions", _INT, "distinct four-hour blocks of the clock with tests, whoever made them", low=0),
        Column("dates", _INT, "distinct local dates with tests", low=0),
        Column("fail_devices", _INT, "known devices with a fail", low=0),
        Column("fail_dates", _INT, "distinct local dates with a fail", low=0),
        Column("fail_hexes", _INT, "distinct res-10 hexes with a fail", low=0),
        Column("outage_tests", _INT, "observations left undecided during a known outage: fails that were set aside, or nothing known", low=0),
        Column("vehicle_tests", _INT, "observations left undecided because they were weak inside a vehicle", low=0),
        Column("pre_change_tests", _INT, "observations left undecided before a site of the operator went on air nearby: fails that were set aside, or nothing known", low=0),
        Column("positive_only_tests", _INT, "tests, among those counted, of sources that never write no service", low=0),
        Column("expired_tests", _INT, "observations older than the validity: they count for nothing", low=0),
        Column("first_test_utc", _TIME, "first test; missing = none", nullable=True),
        Column("last_test_utc", _TIME, "last test; missing = none", nullable=True),
        Column("median_rsrp_dbm", _REAL, "median of the tests' RSRP; missing = none known", nullable=True),
        Column("no_service_share", _REAL, "share of tests whose seconds were mostly without service; missing = no test", nullable=True, low=0, high=1),
        Column("evidence_grade", _TEXT, "best grade among the tests; missing = no test", nullable=True, values=GRADES),
        Column("evidence_mix", _TEXT, "how many tests of each grade, like 'B 4, C 2'; missing = no test", nullable=True),
        Column("fcc_grade", _BOOL, "its fails would also meet the thresholds of place and number of the FCC's challenge process"),
        Column("level_margin_db", _REAL, "weighted mean of the tests' margins over the headline threshold; missing = no level known", nullable=True),
        Column("p_dead", _REAL, "probability that more than half of tests here fail; missing = no test of a source that also writes silence", nullable=True, low=0, high=1),
        Column("p_covered", _REAL, "probability that fewer than a fifth fail, by count or by level, whichever says more; missing as p_dead", nullable=True, low=0, high=1),
        Column("verdict", _TEXT, "what the evidence allows us to say", values=VERDICTS),
        Column("verdict_at_105", _TEXT, "the same rule at the strict thresholds", values=VERDICTS),
        Column("verdict_at_121", _TEXT, "the same rule at the lenient thresholds", values=VERDICTS),
        Column("verdict_voice", _TEXT, "the same rule at the thresholds of voice", values=VERDICTS),
        Column("verdict_data_good", _TEXT, "the same rule at the thresholds of good data", values=VERDICTS),
        Column("fails_to_dead", _INT, "least number of further fails, each of another phone at another spot on another day, that make it a dead zone; missing = it is one, or more than 30", nullable=True, low=1),
        Column("passes_to_covered", _INT, "least number of further tests, each of another phone and 10 dB above the threshold, that make it covered; missing = it is, or more than 30", nullable=True, low=1),
        Column("tests_to_overturn", _INT, "of a dead zone the least number of such passes, of a covered place of such fails, after which it is that no more; missing = neither, or more than 30", nullable=True, low=1),
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

HEX_LEVELS = Table(
    "hex_levels",
    "one hex for one operator that was tested there, also where the tests decide nothing",
    (
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("heard", _BOOL, "a source tested there that also writes silence"),
        Column("margin_db", _REAL, "median of the margins over the headline threshold of the tests of such sources; missing = no level known", nullable=True),
    ),
)

HEX_SIGNALS = Table(
    "hex_signals",
    "one hex for one operator and one technology: what was read there within validity. Rows count, not tests: a row that two uploads hold counts twice. It decides nothing",
    (
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("technology", _TEXT, "radio technology; missing = readings without service or of an unknown state, which name none", nullable=True, values=TECHNOLOGIES),
        Column("measurements", _INT, "rows", low=1),
        Column("devices", _INT, "known devices among them", low=0),
        Column("dates", _INT, "distinct local dates", low=1),
        Column("drive_test_measurements", _INT, "rows of drive tests", low=0),
        Column("median_dbm", _REAL, "median of the technology's own level in dBm (rsrp_dbm, ss_rsrp_dbm, rscp_dbm or rxlev_dbm); missing = no level known", nullable=True, low=-156, high=-25),
        Column("p10_dbm", _REAL, "the level in dBm that a tenth of them lie below; missing = no level known", nullable=True, low=-156, high=-25),
        Column("first_utc", _TIME, "first reading"),
        Column("last_utc", _TIME, "last reading"),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "one hex that nobody measured for that operator, near measured ones: what to expect there. It ranks where to measure next, is never a gap and changes no verdict; a hex without a row is not predicted",
    (
        Column("hex", _INT, "H3 index at the resolution of the criteria"),
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("predicted_margin_db", _REAL, "expected level above the headline threshold, within the bounds of the criteria"),
        Column("sd_db", _REAL, "standard deviation of what a measured hex would show, calibrated on blocks of hexes left out", low=0),
        Column("p_below", _REAL, "probability that the level is below the headline threshold", low=0, high=1),
        Column("predicted_class", _TEXT, "what p_below amounts to by the criteria", values=PREDICTED_CLASSES),
        Column("nearest_measured_km", _REAL, "distance to the nearest hex that was measured for the operator", low=0),
        Column("evidence_grade", _TEXT, "always E: predicted, not measured", values=("E",)),
        Column("method", _TEXT, "kriging of the neighbours' levels, of what a trend on terrain, sites or both leaves over where that is named", values=PREDICTION_METHODS),
    ),
)

PLACES = Table(
    "places",
    "one place of a village where people live and service is judged",
    (
        Column("place_id", _TEXT, "village_id/centre, village_id/c/CLUSTER, village_id/s/NUMBER or village_id/polygon"),
        Column("village_id", _TEXT, "the village"),
        Column("kind", _TEXT, "centre = nhà văn hoá; cluster = listed; settled = a settled part found in the population raster, where no cluster is listed; polygon = the whole village, where neither is known", values=PLACE_KINDS),
        Column("lat", _REAL, "latitude in degrees; missing for a polygon", nullable=True, low=-90, high=90),
        Column("lon", _REAL, "longitude in degrees; missing for a polygon", nullable=True, low=-180, high=180 ),
        Column("households", _REAL, "households living there; missing = not known", nullable=True, low=0),
        Column("grid", _BOOL, "on the national grid; missing = not known at this place", nullable=True),
        Column("share", _REAL, "share of the village's people who live there; sums to 1 over its places other than the centre, which has 0", low=0, high=1),
        Column("share_around", _REAL, "of a centre: share of the village's people on the hexes that speak for it; missing = not a centre, or no raster", nullable=True, low=0, high=1),
        Column("people_method", _TEXT, "how the share was found: household counts of the clusters, people of the raster nearest to the place, all clusters alike, or one place that holds everybody", values=PEOPLE_METHODS),
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
        Column("kind", _TEXT, "centre, cluster, settled or polygon", values=PLACE_KINDS),
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
        Column("population", _REAL, "people of the population raster on that ground; missing = no raster, or it does not cover the ground", nullable=True, low=0),
        Column("settled", _BOOL, "whether at least the criteria's density of people lives there; missing = no raster", nullable=True),
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
        Column("boundary", _TEXT, "given = the file's polygon; derived = the ground nearer to this village than to any other, limited to its commune and to settled land; none = no shape: nobody knows where it is, or no ground is left for it", values=BOUNDARIES),
        Column("commune_code_given", _TEXT, "the code in the file, where it was an old one and the present code took its place; missing = as commune_code", nullable=True),
    ),
)

COMMUNE_LINKS = Table(
    "commune_links",
    "one old commune and one present commune that took over all or part of it",
    (
        Column("old_code", _TEXT, "code before the merger"),
        Column("old_name", _TEXT, "name before the merger"),
        Column("new_code", _TEXT, "present code; a number may be in use before and after for different communes"),
        Column("new_name", _TEXT, "present name"),
        Column("partial", _BOOL, "only a part of the old commune went there: its code alone does not tell where a village is"),
        Column("valid_to", _DATE, "last day of the old code"),
        Column("valid_from", _DATE, "first day of the present code"),
        Column("source", _TEXT, "who says so"),
    ),
)

POWER = Table(
    "power",
    "what one source says of one village's electricity",
    (
        Column("village_id", _TEXT, "the village"),
        Column("households", _REAL, "households counted by that source; missing = not given", nullable=True, low=0),
        Column("households_grid", _REAL, "of them on the national grid; missing = not given", nullable=True, low=0),
        Column("grid_status", _TEXT, "what the source says outright; missing = its households decide", nullable=True, values=GRID_STATUSES),
        Column("source", _TEXT, "who says so"),
        Column("evidence", _TEXT, "class of the evidence; inferred never proves", values=POWER_EVIDENCE),
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
        Column("height_m", _REAL, "height of the antenna above the ground in metres; missing = not given", nullable=True, low=0, high=1000),
        Column("planned", _BOOL, "the list calls it planned: not on air yet, whatever day it was to be"),
        Column("on_air", _DATE, "day from which it is or is to be on air; missing = not given (on air unless planned)", nullable=True),
        Column("source", _TEXT, "the file's own source where it has one, its name and kind; `simulated` where the file says so anywhere"),
    ),
)

LINES = Table(
    "lines",
    "one power line or transformer of a utility or a map; its line or point travels beside it, EPSG:4326",
    (
        Column("kind", _TEXT, "what it is", values=("line", "transformer")),
        Column("voltage_kv", _REAL, "nominal voltage in kilovolts; missing = not given", nullable=True, low=0, high=1500),
        Column("source", _TEXT, "who says so"),
    ),
)

DECLARED = Table(
    "declared",
    "one area where an operator declares service; its polygon travels beside it, EPSG:4326. A claim, never evidence",
    (
        Column("operator", _TEXT, "MCC+MNC, or the name as given"),
        Column("technology", _TEXT, "technologies declared there, joined by +; missing = not said", nullable=True),
        Column("as_of", _DATE, "date of the map; missing = not given", nullable=True),
        Column("source", _TEXT, "the file's own source where it has one, else its name"),
    ),
)

ROADS = Table(
    "roads",
    "one road or mountain pass to report on; its line travels beside it, EPSG:4326",
    (
        Column("road_id", _TEXT, "the file's id where unique, else made of the name"),
        Column("road_name", _TEXT, "name, Unicode NFC"),
        Column("kind", _TEXT, "pass (đèo) or road", values=("pass", "road")),
        Column("source", _TEXT, "who says so"),
    ),
)

ROAD_VERDICTS = Table(
    "road_verdicts",
    "one road or pass for one operator: how much of it each verdict covers; the shape beside it is its dead stretches",
    (
        Column("road_id", _TEXT, "the road"),
        Column("road_name", _TEXT, "its name"),
        Column("kind", _TEXT, "pass (đèo) or road", values=("pass", "road")),
        Column("operator", _TEXT, "MCC+MNC or the file's own name"),
        Column("operator_name", _TEXT, "the operator's name for people"),
        Column("length_km", _REAL, "length of the whole road", low=0),
        Column("dead_km", _REAL, "length in hexes of verdict dead_zone", low=0),
        Column("below_standard_km", _REAL, "length in hexes of verdict below_standard", low=0),
        Column("covered_km", _REAL, "length in hexes of verdict covered", low=0),
        Column("undecided_km", _REAL, "length in hexes of verdict not_enough_evidence", low=0),
        Column("unmeasured_km", _REAL, "length in hexes that nobody measured; the five lengths sum to length_km", low=0),
        Column("longest_dead_km", _REAL, "length of the longest dead stretch", low=0),
        Column("tests", _INT, "tests in the road's hexes", low=0),
        Column("fails", _INT, "of them failed", low=0),
    ),
)

RELIABILITY = Table(
    "reliability",
    "how far one operator's declared coverage holds in one commune: the share of tests passed inside the declared area",
    (
        Column("operator", _TEXT, "MCC+MNC or the name as given"),
        Column("operator_name", _TEXT, "the operator's name for people"),
        Column("commune_code", _TEXT, "the commune; missing = all communes of the operator together", nullable=True),
        Column("commune_name", _TEXT, "its name; missing = all communes together", nullable=True),
        Column("declared_km2", _REAL, "declared area in hexes whose middle lies in it", low=0),
        Column("tested_km2", _REAL, "of it, in hexes with a test", low=0),
        Column("tests", _INT, "tests there that pass or fail at the headline thresholds", low=0),
        Column("passes", _INT, "of them passed", low=0),
        Column("effective_tests", _REAL, "tests after allowing for one device repeating itself", low=0),
        Column("devices", _INT, "known devices that tested", low=0),
        Column("dates", _INT, "distinct local dates with tests", low=0),
        Column("pass_share", _REAL, "passes / tests; missing = no test", nullable=True, low=0, high=1),
        Column("low_share", _REAL, "lower end of the 95 % interval on effective tests; missing = no test", nullable=True, low=0, high=1),
        Column("high_share", _REAL, "its upper end", nullable=True, low=0, high=1),
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
        Column("status_voice", _TEXT, "the same rule at the thresholds of voice", values=STATUSES),
        Column("status_data_good", _TEXT, "the same rule at the thresholds of good data", values=STATUSES),
        Column("status_all_operators", _TEXT, "status for the best of the operators in scope", values=STATUSES ),
        Column("not_spot", _TEXT, "missing = the village is not dead for this operator", nullable=True, values=NOT_SPOTS),
        Column("sub_reason", _TEXT, "why the status is not decided; missing = decided", nullable=True, values=SUB_REASONS),
        Column("centre_verdict", _TEXT, "verdict at the centre", values=VERDICTS),
        Column("basis", _TEXT, "what stands for where people live", values=("clusters", "settled", "polygon")),
        Column("dead_places", _TEXT, "place ids judged dead, joined by ';'; empty = none"),
        Column("dead_share", _REAL, "share of the village's people living at dead places, around the centre where only that is dead; missing = not known", nullable=True, low=0, high=1),
        Column("people_method", _TEXT, "how that share was found, see places", values=PEOPLE_METHODS),
        Column("grid_status", _TEXT, "national_grid, off_grid, none or unknown", values=GRID_STATUSES),
        Column("electrified", _BOOL, "on the grid by proof, at the dead place where known; missing = not proven either way", nullable=True),
        Column("power_source", _TEXT, "who says so; missing = nobody", nullable=True),
        Column("power_as_of", _DATE, "date of the statement; missing = not given", nullable=True),
        Column("power_evidence", _TEXT, "class of its evidence; missing = nobody says anything", nullable=True, values=POWER_EVIDENCE),
        Column("power_conflict", _TEXT, "who says otherwise, in one line; missing = nobody", nullable=True),
        Column("households", _REAL, "households; missing = not known", nullable=True, low=0),
        Column("population", _REAL, "people; missing = not known", nullable=True, low=0),
        Column("population_source", _TEXT, "where the number of people comes from: the villages file, or the population raster; missing = not known", nullable=True, values=POPULATION_SOURCES),
        Column("population_affected", _REAL, "people at dead places; missing = not known", nullable=True, low=0),
        Column("population_undecided", _REAL, "people at places that are unmeasured or lack evidence: how many more it may be; missing = not known", nullable=True, low=0),
        Column("households_affected", _REAL, "households at dead places; missing = not known", nullable=True, low=0),
        Column("boundary", _TEXT, "what the village's polygon is, see villages", values=BOUNDARIES),
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
                "evidence_mix",
                "fcc_grade",
                "level_margin_db",
                "p_dead",
                "p_covered",
                "outage_tests",
                "vehicle_tests",
                "pre_change_tests",
                "positive_only_tests",
                "expired_tests",
            )
        ],
        Column("claimed", _BOOL, "the operator declares service where the village is dead; missing = not dead, or no map of that operator", nullable=True),
        Column("site_id", _TEXT, "the operator's nearest known site on air; missing = none known, or the village is not dead", nullable=True),
        Column("site_distance_km", _REAL, "how far it is from the place that decides", nullable=True, low=0),
        Column("site_terrain_blocks", _BOOL, "whether the ground stands in the path from that site; missing = no terrain model there", nullable=True),
        Column("planned_site_id", _TEXT, "the operator's nearest site that is planned and not yet on air; missing = none known", nullable=True),
        Column("planned_site_distance_km", _REAL, "how far it will be", nullable=True, low=0),
        Column("planned_on_air", _DATE, "when it is to go on air; missing = not said", nullable=True),
        Column("predicted_p_below", _REAL, "largest mean p_below of the predictions at one of its undecided places; missing = not in need_measurement, or nothing predicted there", nullable=True, low=0, high=1),
        Column("survey_rank", _INT, "1 = measure first; missing = not in need_measurement", nullable=True, low=1),
        Column("who_must_act", _TEXT, "missing = nobody yet", nullable=True, values=("operator", "operator_with_public_fund", "power_utility", "verify_power", "measure")),
        Column("list", _TEXT, "the list it is printed in; missing = none", nullable=True, values=LISTS),
        Column("priority", _INT, "1 = first; missing = not a gap", nullable=True, low=1),
        Column("reason", _TEXT, "the reason in one Vietnamese sentence"),
        Column("reason_en", _TEXT, "the reason in one English sentence"),
        Column("what_would_change", _TEXT, "what evidence would change the status, in one Vietnamese sentence"),
        Column("what_would_change_en", _TEXT, "the same in English"),
    ),
)

ALL = (
    MEASUREMENTS,
    OUTCOMES,
    OBSERVATIONS,
    HEX_VERDICTS,
    HEX_LEVELS,
    HEX_SIGNALS,
    PREDICTIONS,
    PLACES,
    PLACE_HEXES,
    PLACE_VERDICTS,
    CROSSWALK,
    VILLAGES,
    COMMUNE_LINKS,
    POWER,
    LINES,
    OUTAGES,
    SITES,
    DECLARED,
    ROADS,
    VILLAGE_VERDICTS,
    ROAD_VERDICTS,
    RELIABILITY,
)
