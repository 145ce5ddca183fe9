"""What was measured: the readings of files, the rows that were none, the tests they come down to."""

from __future__ import annotations

from collections.abc import Sequence

from coverage.contracts import Column, Table
from coverage.tables.values import (
    BOOL,
    DATE,
    INT,
    LEVEL,
    REAL,
    SERVICE_STATES,
    TECHNOLOGIES,
    TEXT,
    TIME,
)


# fmt: off
def _levels() -> Sequence[Column]:
    return (
        Column("rsrp_dbm", LEVEL, "LTE RSRP in dBm; missing = not LTE, or level unknown", nullable=True, low=-140, high=-43),
        Column("ss_rsrp_dbm", LEVEL, "NR SS-RSRP in dBm; missing = not NR, or level unknown", nullable=True, low=-156, high=-31),
        Column("rscp_dbm", LEVEL, "UMTS RSCP in dBm; missing = not UMTS, or level unknown", nullable=True, low=-120, high=-25),
        Column("rxlev_dbm", LEVEL, "GSM RxLev in dBm; missing = not GSM, or level unknown", nullable=True, low=-113, high=-47),
    )


MEASUREMENTS = Table(
    "measurements",
    "one reading of one network at one place and time, as the file gave it",
    (
        Column("upload_id", TEXT, "the upload the row came in, derived from the sha256 of the file's bytes"),
        Column("line", INT, "line in the file as an editor shows it, the header's line included", low=1),
        Column("time_utc", TIME, "time of the reading, UTC without zone; 12:00 local where only the date is known"),
        Column("time_precision", TEXT, "what the file knew of the time", values=("second", "date")),
        Column("local_date", DATE, "calendar date in the upload's timezone"),
        Column("lat", REAL, "WGS 84 latitude in degrees", low=-90, high=90),
        Column("lon", REAL, "WGS 84 longitude in degrees", low=-180, high=180),
        Column("operator", TEXT, "measured network as MCC+MNC digits (45204), else the file's own name for it" ),
        Column("operator_inferred", BOOL, "true where the row named no operator and the file, its name or the upload did"),
        Column("technology", TEXT, "radio technology; missing only without service or with an unknown state", nullable=True, values=TECHNOLOGIES),
        Column("service_state", TEXT, "what the phone said of service; a missing level is not no_service", values=SERVICE_STATES),
        *_levels(),
        Column("rsrq_db", LEVEL, "LTE RSRQ or NR SS-RSRQ in dB; missing = not given", nullable=True),
        Column("sinr_db", LEVEL, "SINR in dB; missing = not given", nullable=True),
        Column("accuracy_m", LEVEL, "68 % position accuracy in metres; missing = not given (lowers the grade)", nullable=True, low=0),
        Column("speed_mps", LEVEL, "speed in metres per second; missing = not given", nullable=True, low=0),
        Column("in_vehicle", BOOL, "measured inside a vehicle; missing = not said", nullable=True),
        Column("device", TEXT, "keyed hash of the phone or scanner, or 'unknown' (shared by all unknown devices)"),
        Column("calibrated", BOOL, "the upload was marked as a calibrated drive-test device"),
        Column("positive_only", BOOL, "the source never writes that there is no service: it can show service, never its absence"),
        Column("source", TEXT, "who measured", values=("drive_test", "crowdsourced")),
        Column("serving_cell", TEXT, "the serving radio cell as the file names it; missing = not given", nullable=True),
        Column("download_mbps", LEVEL, "download throughput in Mbit/s; missing = not tested", nullable=True, low=0),
        Column("upload_mbps", LEVEL, "upload throughput in Mbit/s; missing = not tested", nullable=True, low=0 ),
        Column("hex_res10", INT, "H3 index at resolution 10 of (lat, lon)"),
        Column("hex_res9", INT, "its H3 parent at resolution 9"),
        Column("hex_res8", INT, "its H3 parent at resolution 8"),
    ),
)

OUTCOMES = Table(
    "outcomes",
    "one row of a file that did not become a measurement, and why; several rows where several things are wrong",
    (
        Column("line", INT, "line in the file as an editor shows it", low=1),
        Column("outcome", TEXT, "what became of the row", values=("duplicate", "rejected", "quarantined")),
        Column("code", TEXT, "stable code of the reason"),
        Column("column", TEXT, "the file's own name of the column at fault; missing = the whole row", nullable=True),
        Column("value", TEXT, "the offending text; missing = empty in the file", nullable=True),
    ),
)

def _margins() -> Sequence[Column]:
    meaning = "median over seconds of the level above the {} threshold of its technology, within the bounds of the criteria, silence at the lower one; missing = no level known, or set aside"
    names = {"margin_db": "headline", "margin_db_at_105": "strict", "margin_db_at_121": "lenient", "margin_db_voice": "voice", "margin_db_data_good": "good-data"}
    return tuple(Column(name, REAL, meaning.format(which), nullable=True) for name, which in names.items())


OBSERVATIONS = Table(
    "observations",
    "measurements thinned to one test: (operator, device, res-10 hex, half-hour, kind of source)",
    (
        Column("operator", TEXT, "MCC+MNC or the file's own name"),
        Column("device", TEXT, "keyed hash, or 'unknown'"),
        Column("hex_res10", INT, "H3 index at resolution 10"),
        Column("hex", INT, "its parent at the resolution of the criteria"),
        Column("hex_res9", INT, "its parent at resolution 9"),
        Column("hex_res8", INT, "its parent at resolution 8"),
        Column("weight", REAL, "how much it counts by its age: 1 = in full", low=0, high=1),
        Column("half_hour", INT, "half-hours since 1970-01-01 UTC"),
        Column("local_date", DATE, "first local date of the test"),
        Column("first_utc", TIME, "first second of the test"),
        Column("last_utc", TIME, "last second of the test"),
        Column("calibrated", BOOL, "it came from a calibrated device"),
        Column("grade", INT, "evidence grade of its best second: 1 = A … 4 = D", low=1, high=4),
        Column("seconds", INT, "distinct seconds measured", low=1),
        Column("no_service_seconds", INT, "seconds without any service", low=0),
        Column("rsrp_dbm", REAL, "median over seconds of the best LTE RSRP or NR SS-RSRP; missing = none known", nullable=True),
        Column("fails", BOOL, "fails at the headline thresholds; missing = undecided", nullable=True),
        Column("fails_at_105", BOOL, "fails at the strict thresholds; missing = undecided", nullable=True),
        Column("fails_at_121", BOOL, "fails at the lenient thresholds; missing = undecided", nullable=True),
        Column("fails_voice", BOOL, "fails at the thresholds of voice; missing = undecided", nullable=True),
        Column("fails_data_good", BOOL, "fails at the thresholds of good data; missing = undecided", nullable=True),
        *_margins(),
        Column("positive_only", BOOL, "it came from a source that never writes no service: its fails are undecided"),
        Column("weak_in_vehicle", BOOL, "undecided at the headline because it was weak inside a vehicle"),
        Column("before_site", BOOL, "measured near a site of the operator before that went on air: a fail is set aside (undecided), a pass counts"),
        Column("in_outage", BOOL, "measured there during a known outage: a fail is set aside (undecided), and hinders clearing; a pass counts"),
    ),
)
