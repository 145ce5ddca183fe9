"""Whether the columns hold what their names say, judged on the first rows: how sure the layout is."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coverage.errors import FileRefused
from coverage.hexes import valid_points
from coverage.logs import quantities, service_words, times, values
from coverage.logs.cells import Cells, plain
from coverage.logs.detect import Layout
from coverage.logs.formats.profile import DBM_LEVELS, LEVELS
from coverage.logs.lines import Lines
from coverage.logs.overlooked import refuse_overlooked, refuse_rivals
from coverage.logs.sheet import Sheet, sheet

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
SAMPLE_LINES = 2000
ENOUGH = 5  # fewer rows prove nothing about a column
# Of the words for technology and service: rows whose words are not known would be missing.
LEAST_UNDERSTOOD = 0.9
LEAST = 0.5  # a guess by common names stands only if at least half of what it would read makes sense
GUESSED = 0.95  # names that any table may have are a little less sure than an app's own
_TENTHS_OF_DB = (-200.0, 300.0)  # what Android accepted for RSSNR while it counted in tenths
_UTC = ZoneInfo("UTC")
_DEGREES = (
    "Toạ độ phải là độ thập phân trong hệ WGS 84, ví dụ 11.94 và 108.44. ",
    "Coordinates must be decimal degrees in WGS 84, such as 11.94 and 108.44. ",
)


def verified(layout: Layout, rows: Lines, file: str, names: Mapping[str, str]) -> Layout:
    """The layout with its confidence: the least share of cells, among those that matter, that make sense.

    0…1, over the first rows. Columns whose texts are another thing than their name says are given to that
    other thing. Raises `FileRefused` where a guess by common names would read less than half, and where the
    levels are no dBm, or columns that are not read look like what is missing, unless the user stated the format.
    names: digits → name of operators.
    """
    guessed = layout.format.generic and not layout.stated
    sample = rows.first(SAMPLE_LINES)
    cells = sheet(sample, layout, file)
    uncrossed = _uncrossed(layout, cells)
    if uncrossed is not layout:
        layout, cells = uncrossed, sheet(sample, uncrossed, file)
    if guessed:
        refuse_rivals(layout, sample, cells, names, file)
        refuse_overlooked(layout, sample, cells, names, file)
    if len(cells.line) < ENOUGH:
        return layout
    if guessed:
        _refuse_positive_levels(cells, file)
        _refuse_strange_words(cells, file)
    shares = _shares(cells)
    weakest = min(shares, key=lambda name: shares[name])
    if guessed and shares[weakest] < LEAST:
        raise _not_as_named(weakest, shares[weakest], cells, file)
    sure = shares[weakest] * (GUESSED if layout.format.generic else 1.0)
    return replace(layout, confidence=round(sure, 2), tenths=_tenths(cells), plain=plain(cells.cells))


def _uncrossed(layout: Layout, cells: Sheet) -> Layout:
    """A column named like the operator's that holds technologies is the technology's; one of other numbers is nobody's."""
    if not layout.format.generic or "operator" not in layout.positions:
        return layout
    texts = [text for text in cells.get("operator").texts.to_pylist() if values.given(text) is not None]
    technologies = sum(quantities.technology(text) is not None for text in texts)
    numbers = sum(
        text.replace(".", "").isdigit() and len(text) not in {5, 6, 7, 8} and text != "0" for text in texts
    )
    if not texts or max(technologies, numbers) * 2 <= len(texts):
        return layout
    where = dict(layout.positions)
    column = where.pop("operator")
    if technologies * 2 > len(texts):
        where.setdefault("technology", column)
    return replace(layout, positions=where)


def _shares(cells: Sheet) -> dict[str, float]:
    """For what matters: the share of rows, or of filled cells, that can be read."""
    lat, lon = (values.numbers(cells.get(name)).values for name in ("lat", "lon"))
    shares = {"rows": len(cells.line) / max(1, cells.rows)}
    # A phone without a fix leaves them empty; the other way round they are set aside row by row, with the cure.
    filled = ~(values.missing(cells.get("lat")) | values.missing(cells.get("lon")))
    shares["lat, lon"] = _share(valid_points(lat, lon) | valid_points(lon, lat), filled)
    for name in ("time", "time_utc"):
        if name in cells.cells:
            moments = times.read(cells.cells[name], _UTC, _UTC)
            shares["time"] = _share(~moments.wrong, ~values.missing(cells.cells[name]))
    for field in LEVELS:
        if field in cells.cells:
            column = cells.cells[field]
            told = ~values.numbers(column).wrong | values.marked(column, _says_none)
            shares[field] = _share(told, _heard(cells, column))
    return shares


def _says_none(text: str) -> bool:
    return service_words.silence(text) is not None


def _refuse_strange_words(cells: Sheet, file: str) -> None:
    for field, known in (
        ("technology", service_words.is_technology_word),
        ("service_state", service_words.is_state_word),
    ):
        if field in cells.cells:
            column = cells.cells[field]
            good = values.marked(column, known)
            among = _heard(cells, column) if field == "technology" else ~values.missing(column)
            # The header may stand in the file again.
            among &= ~values.marked(column, partial(operator.eq, column.name))
            share = _share(good, among)
            if share < LEAST_UNDERSTOOD:
                strange = next(
                    text
                    for text in column.texts.to_pylist()
                    if values.given(text) and not known(text) and text != column.name
                )
                raise _weak(field, share, column, strange, file)


def _share(good: Bools, among: Bools) -> float:
    return float(good[among].mean()) if among.any() else 1.0


def _heard(cells: Sheet, column: Cells) -> Bools:
    """Rows that give a level and do not say that there is no service."""
    silent = service_words.without_service(cells.get("service_state"))
    heard: Bools = ~values.missing(column) & ~silent
    return heard


def _refuse_positive_levels(cells: Sheet, file: str) -> None:
    for field in (name for name in DBM_LEVELS if name in cells.cells):
        column = cells.cells[field]
        found = values.numbers(column).values[_heard(cells, column)]
        found = found[~np.isnan(found) & ~np.isin(found, (0, 99, 255)) & (found <= 140)]
        if len(found) >= ENOUGH and (found > 0).mean() > LEAST:
            raise FileRefused(
                f"{file}: cột {column.name} toàn số dương (ví dụ {found[0]:g}), không phải dBm. Nếu là ASU hãy đặt tên cột là asu; "
                "nếu là chỉ số 3GPP hãy đặt tên là rsrp_index; nếu mất dấu trừ hãy xuất lại; "
                "hoặc lưu một bảng khai cột (phusong mappings add).",
                f"{file}: column {column.name} holds positive numbers (such as {found[0]:g}), which are no dBm. If they are ASU, "
                "name the column asu; if 3GPP indices, rsrp_index; if the minus sign was lost, export again; "
                "or save a mapping (phusong mappings add).",
            )


def _not_as_named(name: str, share: float, cells: Sheet, file: str) -> FileRefused:
    field = {"lat, lon": "lat", "rows": ""}.get(name, name)
    column = cells.get(field)
    texts = column.texts if column.name is not None else pa.array([""])
    return _weak(name, share, column, next((text for text in texts.to_pylist() if text), ""), file)


def _weak(name: str, share: float, column: Cells, shown: str, file: str) -> FileRefused:
    header = column.name or name
    vi, en = _DEGREES if name == "lat, lon" else ("", "")
    return FileRefused(
        f"{file}: cột {header} không giống {name} (ví dụ “{shown[:40]}”; đọc được {share:.0%} số dòng). {vi}Hãy sửa tên cột, "
        "hoặc chỉ định --format canonical để vẫn đọc, hoặc lưu một bảng khai cột (phusong mappings add).",
        f"{file}: column {header} does not look like {name} (e.g. “{shown[:40]}”; {share:.0%} of the rows can be read). {en}Rename "
        "it, or say --format canonical to read it all the same, or save a mapping (phusong mappings add).",
    )


def _tenths(cells: Sheet) -> frozenset[str]:
    """Whether the signal-to-noise ratio is in tenths of a dB, as phones gave it up to Android 9."""
    if "sinr_db" not in cells.cells:
        return frozenset()
    found = values.numbers(cells.cells["sinr_db"]).values
    low, high = _TENTHS_OF_DB
    inside = found[(found >= low) & (found <= high)]
    far = inside[(inside > quantities.SINR_RANGE_DB[1]) | (inside < quantities.SINR_RANGE_DB[0])]
    return frozenset({"sinr_db"}) if len(far) >= ENOUGH and len(far) * 10 > len(inside) else frozenset()
