"""TEMS Investigation's text export → one row per line that holds the serving cell's level, or loss of service.

The table is TAB separated and sparse: a position, a level and an event come on lines of their own, so a level
takes the position of the two seconds before. Lines with neither a level nor a loss of service hold signalling
or positions and are no reading: they are left out. "No Service Mode" and "Limited Service Mode" are what TEMS
calls the two losses (from memory). What a scanner hears is not what serves the phone, and is never taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coverage.errors import FileRefused
from coverage.logs.documents.rows import Row, cell, numbered_lines
from coverage.names import fold

COLUMNS = (
    "Time", "All-Latitude", "All-Longitude", "All-Serving Cell RSRP (dBm)", "All-Serving Cell RSRQ (dB)",
    "All-Serving Cell Identity", "TEMS service",
)  # fmt: skip
MAX_POSITION_AGE_S = 2.0
MAX_LINES_ABOVE = 50
_DAY_S = 86_400.0
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)$", re.ASCII)
_INDEX = re.compile(r"\s*\[(\d{1,2})\]\s*$")
# What each of our columns may be called, folded, best first; an index in brackets tells carriers apart.
_NAMES = {
    "time": ("time", "alltime"),
    "lat": ("alllatitudedecimaldegreetext", "alllatitudedecimaldegree", "alllatitude"),
    "lon": ("alllongitudedecimaldegreetext", "alllongitudedecimaldegree", "alllongitude"),
    "rsrp": ("allservingcellrsrpdbm", "allservingcellrsrp"),
    "rsrq": ("allservingcellrsrqdb", "allservingcellrsrq"),
    "cell": ("allservingcellidentity",),
    "event": ("event",),
}
_LOST = {"noservicemode": "no_service", "noservice": "no_service", "limitedservicemode": "emergency_only"}


@dataclass(frozen=True)
class _Header:
    """Where the header is, and the position of each column that is read."""

    place: int
    columns: dict[str, int]
    scanned: bool


def table(data: bytes, file: str) -> Iterator[Row]:
    """The export as a table; the place of a row is the number of its line.

    Position cells are empty where there was no fix within two seconds. Raises `FileRefused` where there is no
    header or no level of the serving cell.
    """
    header = _header(data)
    if header is None or "rsrp" not in header.columns:
        raise _no_level(file, scanned=header is not None and header.scanned)
    yield 0, COLUMNS
    empty = True
    for row in _rows(data, header):
        empty = False
        yield row
    if empty:
        raise _no_level(file, scanned=header.scanned)


def is_header(line: str) -> bool:
    """Whether the line is the header of a TEMS text export."""
    names = {fold(_INDEX.sub("", name)) for name in line.split("\t")}
    return not names.isdisjoint(_NAMES["lat"]) and not names.isdisjoint(_NAMES["time"])


def _no_level(file: str, *, scanned: bool) -> FileRefused:
    if scanned:
        return FileRefused(
            f"{file}: tệp TEMS chỉ có mức thu của máy quét (Scanned), không có mức thu của trạm phục vụ. "
            "Hãy xuất thêm cột All-Serving Cell RSRP (dBm).",
            f"{file}: the TEMS export has only a scanner's levels, not the serving cell's. "
            "Export the column All-Serving Cell RSRP (dBm) as well.",
        )
    return FileRefused(
        f"{file}: tệp TEMS không có mức thu của trạm phục vụ. Hãy xuất thêm cột All-Serving Cell RSRP (dBm).",
        f"{file}: the TEMS export has no level of the serving cell. "
        "Export the column All-Serving Cell RSRP (dBm) as well.",
    )


def _header(data: bytes) -> _Header | None:
    for place, line in numbered_lines(data):
        if place > MAX_LINES_ABOVE:
            break
        if is_header(line):
            names = line.split("\t")
            scanned = any(fold(name).startswith("allscanned") for name in names)
            return _Header(place, _columns(names), scanned)
    return None


def _columns(names: Sequence[str]) -> dict[str, int]:
    """Column of ours → its position: the best name, then the lowest index in brackets (the first carrier)."""
    found: dict[str, int] = {}
    for ours, spellings in _NAMES.items():
        ranked = sorted(
            (spellings.index(bare), _carrier(name), position)
            for position, name in enumerate(names)
            if (bare := fold(_INDEX.sub("", name))) in spellings
        )
        if ranked:
            found[ours] = ranked[0][2]
    return found


def _carrier(name: str) -> int:
    match = _INDEX.search(name)
    return int(match[1]) if match else -1


def _rows(data: bytes, header: _Header) -> Iterator[Row]:
    fix, fixed_at = ("", ""), None
    for place, line in numbered_lines(data):
        if place <= header.place or not line.strip():
            continue
        fields = line.split("\t")
        said = {ours: cell(fields[at]) for ours, at in header.columns.items() if at < len(fields)}
        now = _seconds(said.get("time", ""))
        here = (said.get("lat", ""), said.get("lon", ""))
        if all(here):
            fix, fixed_at = here, now
        lost = _LOST.get(fold(said.get("event", "")), "")
        if said.get("rsrp") or lost:
            where = here if any(here) else fix if _near(now, fixed_at) else ("", "")
            yield place, _cells(said, where, lost)


def _cells(said: dict[str, str], where: tuple[str, str], lost: str) -> tuple[str, ...]:
    time, level, quality, identity = (said.get(ours, "") for ours in ("time", "rsrp", "rsrq", "cell"))
    return time, *where, level, quality, identity, lost


def _near(now: float | None, fixed_at: float | None) -> bool:
    """Whether a fix is at most two seconds old, midnight in between or not."""
    return now is not None and fixed_at is not None and (now - fixed_at) % _DAY_S <= MAX_POSITION_AGE_S


def _seconds(time: str) -> float | None:
    """The seconds of the day at the end of a time; None where there is no clock in it."""
    match = _CLOCK.search(time)
    return None if match is None else int(match[1]) * 3600.0 + int(match[2]) * 60.0 + float(match[3])
