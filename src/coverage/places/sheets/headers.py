"""Which row of a table is its header: below the titles, and perhaps two rows high."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from coverage.names import fold

_TITLE_ROWS = 40  # a header stands among the first rows that are not blank, or nowhere
# What may stand in brackets after a header and changes nothing: units and the letters of axes.
_UNITS = {
    *("", "ho", "nguoi", "khau", "nhankhau", "do", "m", "met", "n", "e", "b", "d", "lat", "lon", "long"),
    *("latitude", "longitude", "wgs84", "vn2000", "x", "y", "cokhong", "yesno", "dmy", "xa", "thon"),
}
_CUT = 10  # letters of a column's name in a shapefile
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
# Groups that say nothing new of the columns below them: “Toạ độ” over “Vĩ độ”. Any other group is a part of
# the name: “Số hộ” under “Hộ có điện lưới” is another number than the village's households.
_NEUTRAL = (
    "toado",
    "vitri",
    "thongtin",
    "danso",
    "dancu",
    "hanhchinh",
    "nhavanhoa",
    "quymo",
    "diachi",
    "donvi",
)


@dataclass(frozen=True)
class Header:
    """Where a header is (positions among the rows that are not blank) and the name of each column.

    keys: what its names are known by; hits: how many of the wanted names they meet.
    """

    first: int
    last: int
    names: tuple[str, ...]
    keys: frozenset[str]
    hits: int


def header_keys(header: str) -> tuple[str, ...]:
    """What a header is matched by, best first: its folded text, and the same without a unit in brackets."""
    bare = _BRACKETS.sub(lambda found: "" if fold(found[1] or found[2] or "") in _UNITS else found[0], header)
    return tuple(dict.fromkeys((fold(header), fold(bare))))


def headers(frame: pd.DataFrame, synonyms: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Our name → the file's own header, for each of our columns that matches one (see `header_keys`).

    The first synonym found wins. Without one a header counts that is the first ten letters of synonyms of one
    column alone, as shapefiles cut names (`commune_co`).
    """
    keys = [(header_keys(str(column)), column) for column in reversed(list(frame.columns))]
    known = {bare[-1]: column for bare, column in keys} | {full[0]: column for full, column in keys}
    found: dict[str, str] = {}
    for ours, theirs in synonyms.items():
        match = next((known[fold(name)] for name in (ours, *theirs) if fold(name) in known), None)
        if match is not None:
            found[ours] = match
    return found | _cut_headers(frame, synonyms, found)


def _cut_headers(
    frame: pd.DataFrame, synonyms: Mapping[str, Sequence[str]], found: Mapping[str, str]
) -> dict[str, str]:
    whole = {fold(name) for ours, theirs in synonyms.items() for name in (ours, *theirs)}
    free = [str(name) for name in frame.columns if len(str(name)) == _CUT and fold(str(name)) not in whole]
    cut: dict[str, str] = {}
    for name in free:
        ours = [column for column, theirs in synonyms.items() if _begin(name, (column, *theirs))]
        if len(ours) == 1 and ours[0] not in found:
            cut.setdefault(ours[0], name)
    return cut


def _begin(name: str, known: Sequence[str]) -> bool:
    return any(len(one) > _CUT and one[:_CUT].casefold() == name.casefold() for one in known)


def alike(frames: Sequence[pd.DataFrame], synonyms: Mapping[str, Sequence[str]]) -> list[pd.DataFrame]:
    """The frames with one header for each of our columns: the one that the first frame with the column gives it.

    A column that would answer to one of ours beside the one that is read gets its position added to its header.
    """
    first: dict[str, str] = {}
    made = []
    for frame in frames:
        own = headers(frame, synonyms)
        first = own | first
        ours = {theirs: first[name] for name, theirs in own.items()}
        made.append(
            frame.set_axis([_told_apart(frame, at, ours, synonyms) for at in range(frame.shape[1])], axis=1)
        )
    return made


def _told_apart(
    frame: pd.DataFrame, at: int, ours: Mapping[str, str], synonyms: Mapping[str, Sequence[str]]
) -> str:
    name = str(frame.columns[at])
    if name in ours:
        return ours[name]
    answers = name in ours.values() or headers(frame.iloc[:, [at]], synonyms)
    return f"{name} ({at + 1})" if answers else name


def find_header(records: Sequence[tuple[int, Sequence[str]]], wanted: frozenset[str]) -> Header:
    """The header among rows that are not blank: where most of the `wanted` keys are met; the first row if nowhere."""
    best = _header(0, 0, records[0][1], wanted)
    for position in range(min(len(records), _TITLE_ROWS)):
        upper = records[position][1]
        found = [_header(position, position, upper, wanted)]
        if position + 1 < len(records):
            joined = _joined(upper, records[position + 1][1], wanted)
            found.append(_header(position, position + 1, joined, wanted))
        best = max(best, *found, key=lambda header: header.hits)
    return best


def _header(first: int, last: int, names: Sequence[str], wanted: frozenset[str]) -> Header:
    keys = [header_keys(name) for name in names if name]
    hits = len({next((key for key in one if key in wanted), None) for one in keys} - {None})
    return Header(first, last, tuple(names), frozenset(key for one in keys for key in one), hits)


def _joined(upper: Sequence[str], lower: Sequence[str], wanted: frozenset[str]) -> list[str]:
    """The names of a header of two rows: a group stands over the columns that follow it, itself without more below."""
    names, group = [], ""
    for top, bottom in zip_longest(upper, lower, fillvalue=""):
        if top or not bottom:
            group = top
        names.append(_column_name(group, bottom, wanted))
    return names


def _column_name(group: str, bottom: str, wanted: frozenset[str]) -> str:
    if not group or not bottom or group == bottom:
        return bottom or group
    both = (f"{group} {bottom}", f"{bottom} {group}")
    known = next((name for name in both if not wanted.isdisjoint(header_keys(name))), None)
    if known is not None:
        return known
    neutral = any(word in fold(group) for word in _NEUTRAL)
    return bottom if neutral and not wanted.isdisjoint(header_keys(bottom)) else both[0]
