"""The FCC's mobile speed test JSON → one row per cell heard during each test.

Published (86 FR 40830): submissions[] with timestamp, provider_name and tests; each test (download, upload,
latency) with timestamp, bytes_sec, locations[] and cells[]. The inside of a cell object is not in what could
be read, so it is assumed, and read in any spelling of these names: technology from network_subtype, then
network_generation or technology; the level from the quantity of that technology (rsrp, ss_rsrp, rscp, rxlev),
else from signal_strength, taken for the same quantity as Android's getDbm is. rssi is a level on GSM alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from coverage.errors import FileRefused
from coverage.logs.documents.json_items import items
from coverage.logs.documents.rows import Row, cell, number
from coverage.logs.quantities import technology
from coverage.names import fold

COLUMNS = (
    "fcc_test", "test_timestamp", "provider_name", "latitude", "longitude", "horizontal_accuracy",
    "network_technology", "cell_connection", "signal_dbm", "rsrq", "sinr", "cell_id", "download_kbit_s", "upload_kbit_s",
)  # fmt: skip
_LEVELS = {
    "LTE": ("rsrp",),
    "NR": ("ssrsrp", "rsrp"),
    "UMTS": ("rscp",),
    "GSM": ("rxlev", "rssi"),
}
_UNTOLD = ("rsrp", "ssrsrp", "rscp", "rxlev")
_GENERIC = ("signalstrength", "signaldbm", "dbm", "level")
_TECHNOLOGY = (
    "networksubtype",
    "networkgeneration",
    "technology",
    "networktechnology",
    "networktype",
    "radiotype",
)
_CONNECTION = ("cellconnection", "cellconnectionstatus", "serving", "isserving", "registered", "isregistered")
KBIT_PER_BYTE = 0.008

Fields = Mapping[str, object]


def table(data: bytes, file: str) -> Iterator[Row]:
    """The document as a table; the place of a row is the number of its submission, shared by its rows.

    A row stands at the location that was measured nearest in time to its cell. A test without cells, and a
    submission without tests, are one row with what is known. Raises `FileRefused`.
    """
    found = items(data, "submissions", file)
    if not any("tests" in _fields(one) for one in found):
        raise FileRefused(
            f"{file}: tệp JSON không có phép thử nào (submissions, tests). Hãy xuất lại tệp từ ứng dụng.",
            f"{file}: the JSON holds no test (submissions, tests). Export it from the app again.",
        )
    yield 0, COLUMNS
    for place, one in enumerate(found, 1):
        submission = _fields(one)
        for kind, test in _tests(submission.get("tests")):
            for heard in _objects(test.get("cells")) or [{}]:
                yield place, _row(submission, kind, test, _flat(heard))


def _fields(value: object) -> Fields:
    """An object with its names folded: ssRsrp and ss_rsrp are one; empty where the value is no object."""
    return {fold(name): one for name, one in value.items()} if isinstance(value, dict) else {}


def _objects(value: object) -> list[Fields]:
    return [_fields(one) for one in value] if isinstance(value, list) else []


def _flat(heard: Fields) -> Fields:
    """A cell's own fields and those of the objects inside it (some apps put the signal apart)."""
    inner = {name: one for value in heard.values() for name, one in _fields(value).items()}
    return inner | dict(heard)


def _tests(tests: object) -> list[tuple[str, Fields]]:
    """Kind and fields of each test of a submission; one without kind and fields where there is none."""
    if isinstance(tests, list):
        pairs = [pair for one in tests for pair in _fields(one).items()]
    else:
        pairs = list(_fields(tests).items())
    found = [(kind, one) for kind, value in pairs for one in _several(value)]
    return found or [("", {})]


def _several(value: object) -> list[Fields]:
    return _objects(value) if isinstance(value, list) else [_fields(value)]


def _row(submission: Fields, kind: str, test: Fields, heard: Fields) -> tuple[str, ...]:
    moment = (
        _first(heard, ("timestamp",)) or _first(test, ("timestamp",)) or _first(submission, ("timestamp",))
    )
    where = _nearest(_objects(test.get("locations")), moment)
    system = _technology(heard)
    speed = _kbps(_first(test, ("bytessec", "bytespersec", "bytespersecond")))
    return (
        kind,
        moment,
        _first(submission, ("providername",)),
        _first(where, ("latitude", "lat")),
        _first(where, ("longitude", "lon", "lng")),
        _first(where, ("horizontalaccuracy", "accuracy")),
        system,
        _first(heard, _CONNECTION),
        _level(heard, system),
        _first(heard, ("ssrsrq", "rsrq")),
        _first(heard, ("sssinr", "sinr", "rssnr", "snr")),
        _first(heard, ("cellid", "cellidentity")),
        speed if kind.startswith("download") else "",
        speed if kind.startswith("upload") else "",
    )


def _first(fields: Fields, names: tuple[str, ...]) -> str:
    """The first of the named fields that says something."""
    return next((text for name in names if (text := cell(fields.get(name)))), "")


def _technology(heard: Fields) -> str:
    """The first word that names a technology of ours, else the first word there is."""
    words = [text for name in _TECHNOLOGY if (text := cell(heard.get(name)))]
    return next((word for word in words if technology(word)), words[0] if words else "")


def _level(heard: Fields, system: str) -> str:
    return _first(heard, (*_LEVELS.get(technology(system) or "", _UNTOLD), *_GENERIC))


def _kbps(bytes_per_second: str) -> str:
    value = number(bytes_per_second)
    return "" if value is None else f"{value * KBIT_PER_BYTE:.3f}"


def _nearest(locations: list[Fields], moment: str) -> Fields:
    """The location measured nearest in time; the first where times are not known; empty where there is none."""
    at = _seconds(moment)
    timed = [(_seconds(_first(one, ("timestamp",))), one) for one in locations]
    near = [(abs(when - at), one) for when, one in timed if at is not None and when is not None]
    if near:
        return min(near, key=lambda pair: pair[0])[1]
    return locations[0] if locations else {}


def _seconds(moment: str) -> float | None:
    """An ISO 8601 moment as a number to compare with others; None where it is none."""
    try:
        when = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=datetime.UTC)).timestamp()
