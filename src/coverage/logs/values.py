"""Texts of a column → numbers, words and truth values. Each distinct text is read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage.logs.cells import Cells
from coverage.logs.quantities import MISSING
from coverage.names import fold

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
# Longer digit strings are no measurement; the bounds also keep the cast from overflowing.
_NUMBER = r"^[+-]?(?:\d{1,20}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,2})?$"
MINUS = "\u2212"  # the typographic minus, which word processors put for a hyphen
# A unit after a number that is the column's own anyway; km/h or kbit/s would change the number.
UNIT = r"(?i)(\d)\s*(?:dbm|db|°|độ)$"
_TRUTH = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "x", "co", "dung", "invehicle", "trenxe"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "khong", "sai"), False),
}


@dataclass(frozen=True)
class Numbers:
    """A column as numbers, one per row: NaN where missing or no number; `wrong` marks the latter."""

    values: Floats
    wrong: Bools


def missing(cells: Cells) -> Bools:
    """Which rows say nothing in this column: empty, "-", "N/A", …, or no such column."""
    marks = _missing_texts(cells.texts).to_numpy(zero_copy_only=False)
    found: Bools = marks[cells.codes]
    return found


def numbers(cells: Cells) -> Numbers:
    """The column as numbers; a decimal comma counts as a point, a typographic minus as a minus, dBm and ° as nothing."""
    plain = cells.floats
    if plain is not None:
        every = plain if cells.plain is not None else plain[cells.codes]
        return Numbers(every, np.zeros(len(cells.codes), bool))
    texts = pc.replace_substring(pc.replace_substring(cells.texts, ",", "."), MINUS, "-")
    texts = pc.replace_substring_regex(texts, UNIT, r"\1")
    is_number = pc.match_substring_regex(texts, _NUMBER)
    digits = pc.if_else(is_number, pc.utf8_ltrim(texts, "+"), pa.scalar(None, pa.string()))
    values = digits.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    wrong = pc.invert(pc.or_(is_number, _missing_texts(cells.texts))).to_numpy(zero_copy_only=False)
    return Numbers(values[cells.codes], wrong[cells.codes])


def containing(cells: Cells, pattern: str) -> Bools:
    """Which rows' texts contain what matches the pattern, in a column of numbers."""
    if cells.floats is not None:
        return np.zeros(len(cells.codes), bool)
    found = pc.match_substring_regex(cells.texts, pattern).to_numpy(zero_copy_only=False)
    marks: Bools = found[cells.codes]
    return marks


def words(cells: Cells, meaning: Callable[[str], str | None]) -> pa.Array:
    """What each row's text means, as Arrow strings; missing where `meaning` gives None."""
    meanings = pa.array([meaning(text) for text in cells.texts.to_pylist()], pa.string())
    if len(meanings) == 1:  # above all an absent column
        return pa.repeat(meanings[0], len(cells.codes))
    return meanings.take(pa.array(cells.codes))


def coded(cells: Cells, meaning: Callable[[str], str | None], among: tuple[str, ...]) -> Codes:
    """What each row's text means, as its place among the names; -1 where `meaning` gives None."""
    meanings = map(meaning, cells.texts.to_pylist())
    places = np.array([-1 if one is None else among.index(one) for one in meanings], np.int8)
    found: Codes = places[cells.codes]
    return found


def named(codes: Codes, among: tuple[str, ...]) -> pa.Array:
    """The names at these places, as Arrow strings; missing where -1."""
    return pa.array(among).take(pa.array(codes, mask=codes < 0))


def marked(cells: Cells, test: Callable[[str], bool]) -> Bools:
    """Which rows' texts pass the test."""
    passed = np.array([test(text) for text in cells.texts.to_pylist()], bool)
    found: Bools = passed[cells.codes] if passed.any() else np.zeros(len(cells.codes), bool)
    return found


def truths(cells: Cells) -> pa.Array:
    """Yes and no in English or Vietnamese, 1 and 0; missing where the text is neither."""
    meanings = [_TRUTH.get(fold(text)) for text in cells.texts.to_pylist()]
    return pa.array(meanings, pa.bool_()).take(pa.array(cells.codes))


def given(text: str) -> str | None:
    """The text itself; None where it is a missing mark."""
    return None if text.casefold() in MISSING else text


def looked_up(table: Mapping[str, str]) -> Callable[[str], str | None]:
    """A meaning for `words`: the entry of the folded text; None where there is none."""
    return lambda text: table.get(fold(text))


def _missing_texts(texts: pa.Array) -> pa.Array:
    return pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted(MISSING)))
