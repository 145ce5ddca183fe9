"""Nemo Outdoor's .nmf → one row per CELLMEAS line: the serving cell, where and when it was measured.

Lines are a tag, the time of day and fields; the date stands in #START alone. CELLMEAS holds: system, number
of header fields and those, then for UMTS number and width of channels and those, then number and width of
cells and those. Positions were read off public logs: an LTE cell is type, band, EARFCN, PCI, RSSI, RSRP, RSRQ;
a UMTS cell is type, band, UARFCN, scrambling code, Ec/No, ?, RSCP (RSSI + Ec/No gives it). Type 0 is a serving
cell, the first one the strongest. System 7 and 8 are LTE FDD and TDD, 5 is UMTS; 1 for GSM is from memory,
and its levels are not read. Nothing of the other lines (IMEI, IMSI, messages) ever comes out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coverage.errors import FileRefused
from coverage.logs.documents.rows import Row, cell, numbered_lines

COLUMNS = (
    "nmf_time", "nmf_latitude", "nmf_longitude", "nmf_system", "nmf_band", "nmf_channel", "nmf_code",
    "nmf_rsrp", "nmf_rsrq", "nmf_rscp", "nmf_ecno",
)  # fmt: skip
MAX_POSITION_AGE_S = 2.0
_DAY_S = 86_400.0
_SYSTEMS = {"1": "GSM", "5": "UMTS", "7": "LTE", "8": "LTE"}
_MEASURED = re.compile(rb"^CELLMEAS,", re.MULTILINE)
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)$", re.ASCII)
_DATE = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$", re.ASCII)
_COUNT = re.compile(r"^\d{1,3}$", re.ASCII)
_SERVING = "0"
_CELL_FIELDS = 7


@dataclass
class _Drive:
    """What the lines so far tell: the date of the start, midnights since, the clock, the last fix and its moment."""

    start: datetime.date | None = None
    midnights: int = 0
    clock: float = 0.0
    fix: tuple[str, str] = ("", "")
    fixed_at: float | None = None


def table(data: bytes, file: str) -> Iterator[Row]:
    """The log as a table; the place of a row is the number of its line.

    Position cells are empty where the last fix is more than two seconds away, the date is missing where the
    log never gave it. Raises `FileRefused` for a log without CELLMEAS.
    """
    if not _MEASURED.search(data):
        raise FileRefused(
            f"{file}: tệp Nemo không có dòng CELLMEAS (mức thu của trạm phục vụ). Hãy xuất lại kèm phép đo này.",
            f"{file}: the Nemo log has no CELLMEAS line (level of the serving cell). Export it with that measurement.",
        )
    yield 0, COLUMNS
    drive = _Drive()
    for place, line in numbered_lines(data):
        tag, *fields = line.split(",")
        at = _tick(drive, fields[0] if fields else "")
        if tag == "#START":
            _start(drive, fields)
        elif tag == "GPS":
            drive.fix, drive.fixed_at = _fix(fields), at
        elif tag == "CELLMEAS":
            yield place, _row(drive, at, fields)


def _tick(drive: _Drive, clock: str) -> float | None:
    """Seconds since the midnight before the start; None where the text is no time of day.

    A clock that falls back by more than half a day has passed midnight. A line of before midnight that comes
    just after one of after it is told by the distance.
    """
    match = _CLOCK.match(clock)
    if match is None:
        return None
    seconds = int(match[1]) * 3600.0 + int(match[2]) * 60.0 + float(match[3])
    if drive.midnights and drive.clock < 60.0 and seconds > _DAY_S - 60.0:
        return (drive.midnights - 1) * _DAY_S + seconds
    if seconds < drive.clock - _DAY_S / 2:
        drive.midnights += 1
    drive.clock = seconds
    return drive.midnights * _DAY_S + seconds


def _start(drive: _Drive, fields: Sequence[str]) -> None:
    """Takes the date of a #START line; a log of several has begun anew."""
    match = _DATE.match(_at(fields, 2).strip('" '))
    drive.start, drive.midnights, drive.fixed_at = None, 0, None
    if match is not None:
        try:
            drive.start = datetime.date(int(match[3]), int(match[2]), int(match[1]))
        except ValueError:
            return


def _at(fields: Sequence[str], index: int) -> str:
    return cell(fields[index]) if index < len(fields) else ""


def _fix(fields: Sequence[str]) -> tuple[str, str]:
    """Latitude and longitude of a GPS line, which gives longitude first."""
    return _at(fields, 3), _at(fields, 2)


def _row(drive: _Drive, at: float | None, fields: Sequence[str]) -> tuple[str, ...]:
    near = at is not None and drive.fixed_at is not None and abs(at - drive.fixed_at) <= MAX_POSITION_AGE_S
    lat, lon = drive.fix if near else ("", "")
    code = _at(fields, 2)
    system = _SYSTEMS.get(code, cell(f"Nemo {code}"))
    _, band, channel, pci, fifth, sixth, seventh = _serving(fields, system)
    lte, umts = system == "LTE", system == "UMTS"
    return (
        _moment(drive, at, _at(fields, 0)),
        lat,
        lon,
        system,
        band,
        channel,
        pci,
        sixth if lte else "",
        seventh if lte else "",
        seventh if umts else "",
        fifth if umts else "",
    )


def _moment(drive: _Drive, at: float | None, clock: str) -> str:
    """The moment in ISO 8601 as the phone's clock had it; the bare clock where the date is not known."""
    if at is None or drive.start is None:
        return clock
    try:
        return f"{drive.start + datetime.timedelta(days=at // _DAY_S)}T{clock}"
    except OverflowError:
        return clock


def _serving(fields: Sequence[str], system: str) -> Sequence[str]:
    """The first seven fields of the serving cell; empty texts where the line has none, or is of another kind."""
    for one in _cells(fields, system):
        if one[0] == _SERVING:
            return one
    return [""] * _CELL_FIELDS


def _cells(fields: Sequence[str], system: str) -> Iterator[list[str]]:
    if system not in {"LTE", "UMTS"}:
        return
    place = 4 + _count(fields, 3)
    if system == "UMTS":
        place += 2 + _count(fields, place) * _count(fields, place + 1)
    width = _count(fields, place + 1)
    if width < _CELL_FIELDS:
        return
    for index in range(_count(fields, place)):
        first = place + 2 + index * width
        yield [_at(fields, first + step) for step in range(_CELL_FIELDS)]


def _count(fields: Sequence[str], index: int) -> int:
    text = _at(fields, index)
    return int(text) if _COUNT.match(text) else 0
