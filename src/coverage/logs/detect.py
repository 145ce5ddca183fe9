"""Which format a file is of, by the names in its header; or what it is instead."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coverage.errors import FileRefused
from coverage.logs.formats import FORMATS, Format
from coverage.logs.formats.foreign import FOREIGN
from coverage.logs.lines import Lines, header_index
from coverage.names import fold

DELIMITERS = ("\t", ";", ",", "|")
MAX_HEADER_CHARS = 20_000
SHOWN_NAMES = 12
# A unit in brackets after a name says nothing new, unless it changes the number (km/h, kbit/s).
_UNIT = re.compile(r"[(\[]\s*(?:dbm|db|m|m/s|mbps|mbit/s|°|độ)\s*[)\]]\s*$", re.IGNORECASE)

# Columns that name a person's phone, card, number or address: never read, and reported as left out.
_PERSONAL = frozenset(
    fold(name)
    for name in (
        "imei", "imei sv", "imsi", "msisdn", "iccid", "sim serial", "serial", "serial number", "device serial number",
        "phone number", "phone", "tel", "số điện thoại", "sđt", "số thuê bao", "thuê bao", "email", "họ tên", "họ và tên",
        "người đo", "cccd", "cmnd", "ip", "ip address", "ip_anonym", "internal ip", "external ip", "địa chỉ ip", "mac address",
        "android id", "advertising id", "subscriber id", "bssid",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: its format, delimiter, header names, and the position of each of our fields.

    fields: how many the header line has, empty names at its end included.
    """

    format: Format
    delimiter: str
    names: tuple[str, ...]
    positions: Mapping[str, int]
    fields: int
    width: int = 0
    confidence: float = 1.0


def find(lines: Lines, file: str, wanted: str | None) -> tuple[Layout, int]:
    """The layout of a file, and the index of its first row.

    Lines that apps and spreadsheets write above the header are passed over; a file whose first line already
    is a row is known by that line's shape. Raises `FileRefused` as `layout` does.
    """
    first = header_index(lines, file)
    for fmt in _choices(wanted):
        bare = fmt.headerless
        if bare is not None and bare.first_line.match(lines.line(first)):
            return Layout(fmt, bare.delimiter, bare.names, positions(fmt, bare.names), len(bare.names)), first
    header = _below_preamble(lines, first)
    return layout(lines.line(header), file, wanted), header + 1


def _below_preamble(lines: Lines, first: int) -> int:
    above = [fmt.preamble for fmt in FORMATS if fmt.preamble is not None]
    last = len(lines) - 1
    index = first
    while index < last and any(pattern.match(lines.line(index)) for pattern in above):
        index += 1
    return index


def layout(header: str, file: str, wanted: str | None) -> Layout:
    """The layout that the header line tells.

    `wanted` names a format (`--format`) and then only that one is tried. Raises `FileRefused` for another
    table of a known app, and for an unknown format: it lists what was found and what is needed.
    """
    choices = _choices(wanted)
    splits = [(delimiter, *_names(header, delimiter)) for delimiter in DELIMITERS]
    for _, names, _ in splits:
        _refuse_foreign(names, file)
    for fmt in choices:
        found = [
            Layout(fmt, delimiter, names, positions(fmt, names), fields)
            for delimiter, names, fields in splits
        ]
        best = max(found, key=lambda one: len(one.positions))
        if all(any(field in best.positions for field in group) for group in fmt.needs):
            return best
    raise _unknown(max((names for _, names, _ in splits), key=len), file, choices)


def positions(fmt: Format, names: Sequence[str]) -> dict[str, int]:
    """Our field → position of the best of its columns in the header."""
    where: dict[str, int] = {}
    for index, name in enumerate(names):
        where.setdefault(fold(name), index)
        where.setdefault(fold(_UNIT.sub("", name)), index)
    found: dict[str, int] = {}
    for field, spellings in fmt.columns.items():
        known = [where[fold(one)] for one in spellings if fold(one) in where]
        if known:
            found[field] = known[0]
    return found


def _choices(wanted: str | None) -> tuple[Format, ...]:
    if wanted is None:
        return FORMATS
    chosen = tuple(fmt for fmt in FORMATS if fmt.name == wanted)
    if not chosen:
        known = ", ".join(fmt.name for fmt in FORMATS)
        raise FileRefused(
            f"Không có định dạng {wanted!r}. Các định dạng: {known}.",
            f"No format is called {wanted!r}. Formats: {known}.",
        )
    return chosen


def _names(header: str, delimiter: str) -> tuple[tuple[str, ...], int]:
    """The names in the header, without empty ones at its end; and how many fields it has with them."""
    try:
        fields = next(csv.reader([header[:MAX_HEADER_CHARS]], delimiter=delimiter), [])
    except csv.Error:
        fields = header.split(delimiter)
    names = [field.strip() for field in fields]
    while names and not names[-1]:
        names.pop()
    return tuple(names), len(fields)


def _refuse_foreign(names: Sequence[str], file: str) -> None:
    there = {fold(name) for name in names}
    for table in FOREIGN:
        has = all(fold(name) in there for name in table.has)
        if has and not any(fold(name) in there for name in table.lacks):
            raise FileRefused(f"{file}: đây là {table.vi}.", f"{file}: this is {table.en}.")


def _unknown(names: Sequence[str], file: str, choices: Sequence[Format]) -> FileRefused:
    shown = ", ".join("".join(c for c in name if c.isprintable())[:40] for name in names[:SHOWN_NAMES])
    missing = [
        " / ".join(group)
        for group in choices[-1].needs
        if not set(group) & set(positions(choices[-1], names))
    ]
    formats = ", ".join(fmt.name for fmt in choices)
    return FileRefused(
        f"{file}: không rõ định dạng. Dòng đầu có: {shown}. Còn thiếu cột: {'; '.join(missing)}. "
        f"Đọc được: {formats}. Hãy thêm dòng tiêu đề, ví dụ: time,lat,lon,operator,technology,rsrp_dbm.",
        f"{file}: unknown format. The first line has: {shown}. Missing columns: {'; '.join(missing)}. "
        f"Can be read: {formats}. Give it a header line, e.g. time,lat,lon,operator,technology,rsrp_dbm.",
    )


def personal(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns that hold personal data, as the file writes them."""
    return tuple(name for name in names if fold(_UNIT.sub("", name)) in _PERSONAL)
