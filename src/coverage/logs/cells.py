"""A column of a block: its texts, which of them each row has, and what they plainly mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
SAMPLE_ROWS = 4000
# What the splitter can read itself: see `plain`.
PLAIN_TYPES = {"number": pa.float64(), "time": pa.timestamp("us")}
_DAY_US = 86_400_000_000
_APOSTROPHE = "^['\u2019]([-+=\u2212]?\\d)"


@dataclass(frozen=True)
class Cells:
    """One column: the file's name for it (None = no such column), its texts, and which of them each row has.

    texts are trimmed, and distinct unless nearly all rows differ; an absent column is one empty text that
    every row has. mended: which texts lost an apostrophe that a spreadsheet had put before them; None = none.
    plain: what each text means, where the splitter itself could read them all: numbers (NaN where empty), or times
    (datetime64[us], never at midnight); then the texts are made only when somebody asks for them.
    """

    name: str | None
    said: pa.Array | Callable[[], pa.Array]
    codes: npt.NDArray[np.int32]
    mended: Bools | None = None
    plain: npt.NDArray[Any] | None = None

    @cached_property
    def texts(self) -> pa.Array:
        """The texts that `codes` count."""
        return self.said() if callable(self.said) else self.said

    @cached_property
    def floats(self) -> npt.NDArray[np.float64] | None:
        """The texts as numbers, NaN where empty, where each is empty or a plain number; else None."""
        if self.plain is not None and self.plain.dtype.kind == "f":
            return self.plain
        try:
            known = pc.if_else(pc.equal(self.texts, ""), pa.scalar(None, pa.string()), self.texts)
            return _plain_numbers(known.cast(pa.float64()))
        except pa.ArrowInvalid:
            return None

    @property
    def clock(self) -> npt.NDArray[np.datetime64] | None:
        """The texts as times without zone, where the splitter could read each as such; else None."""
        return self.plain if self.plain is not None and self.plain.dtype.kind == "M" else None

    def of_rows(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """The text of the given rows; missing where empty or no such column."""
        found = self.texts.take(pa.array(self.codes[rows]))
        return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


def cells_of(
    name: str, column: pa.ChunkedArray, keep: pa.Array | None, texts: Callable[[], pa.ChunkedArray]
) -> Cells:
    """The cells of a column, of the rows to be kept; texts: the same column as text."""
    kept = _kept(column, keep)
    if not pa.types.is_string(kept.type):
        every = np.arange(len(kept), dtype=np.int32)
        plain = kept.to_numpy(zero_copy_only=False)
        return Cells(name, lambda: pc.utf8_trim_whitespace(_kept(texts(), keep)), every, plain=plain)
    if _mostly_distinct(kept):
        return _mended(name, pc.utf8_trim_whitespace(kept), np.arange(len(kept), dtype=np.int32))
    encoded = kept.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return _mended(name, pc.utf8_trim_whitespace(encoded.dictionary), codes)


def _kept(column: pa.ChunkedArray, keep: pa.Array | None) -> pa.Array:
    kept = column if keep is None else column.take(keep)
    if kept.num_chunks == 1:
        return kept.chunk(0)
    return pa.concat_arrays(kept.chunks) if kept.num_chunks else pa.array([], kept.type)


def _mended(name: str, texts: pa.Array, codes: npt.NDArray[np.int32]) -> Cells:
    """The cells without the apostrophes by which spreadsheets keep numbers, dates and formulas as text."""
    if not pc.any(pc.or_(pc.starts_with(texts, "'"), pc.starts_with(texts, "\u2019"))).as_py():
        return Cells(name, texts, codes)
    marked = pc.match_substring_regex(texts, _APOSTROPHE)
    mended = pc.replace_substring_regex(texts, _APOSTROPHE, r"\1")
    return Cells(name, mended, codes, marked.to_numpy(zero_copy_only=False))


def _mostly_distinct(column: pa.Array) -> bool:
    """Whether looking for equal texts would cost more than it saves: judged on rows spread evenly."""
    step = max(1, len(column) // SAMPLE_ROWS)
    if -(-len(column) // step) <= SAMPLE_ROWS // 2:
        return False
    sample = column if step == 1 else column.take(pa.array(np.arange(0, len(column), step)))
    distinct: int = pc.count_distinct(sample).as_py()
    return distinct * 2 > len(sample)


def with_derived(cells: dict[str, Cells]) -> dict[str, Cells]:
    """The cells with those that files give in two columns: operator code of mcc and mnc, time of date and clock."""
    made = dict(cells)
    if "operator_code" not in cells and "mcc" in cells and "mnc" in cells:
        made["operator_code"] = _joined(cells["mcc"], cells["mnc"], _plmn)
    if "date" in cells:
        clock = cells.get("clock", cells.get("time"))
        if clock is None:
            if "time_utc" not in cells:  # which says the date, and the time of day too
                made["time"] = cells["date"]
        elif "time" not in cells or _is_clock(cells["time"]):
            made["time"] = _joined(cells["date"], clock, _moment)
    return made


def _is_clock(cells: Cells) -> bool:
    """Whether a column of times holds times of day without a date."""
    filled = cells.texts.filter(pc.not_equal(cells.texts, ""))
    return len(filled) > 0 and bool(pc.all(pc.match_substring_regex(filled, r"^\d{1,2}:\d\d")).as_py())


def _joined(left: Cells, right: Cells, join: Callable[[pa.Array, pa.Array], pa.Array]) -> Cells:
    """One column of two; each pair of texts that occurs is joined once."""
    pairs, codes = np.unique(np.stack([left.codes, right.codes]), axis=1, return_inverse=True)
    texts = join(left.texts.take(pa.array(pairs[0])), right.texts.take(pa.array(pairs[1])))
    return Cells(f"{left.name}+{right.name}", texts, codes.ravel().astype(np.int32))


def _plmn(mcc: pa.Array, mnc: pa.Array) -> pa.Array:
    # A network code below ten lost its zero on the way through a number; codes that are no code name nobody.
    known = pc.and_(
        pc.match_substring_regex(mcc, r"^[1-9]\d\d$"), pc.match_substring_regex(mnc, r"^\d{1,3}$")
    )
    return pc.if_else(known, pc.binary_join_element_wise(mcc, pc.utf8_lpad(mnc, 2, "0"), ""), "")


def _moment(date: pa.Array, clock: pa.Array) -> pa.Array:
    empty = pc.or_(pc.equal(date, ""), pc.equal(clock, ""))
    return pc.if_else(empty, "", pc.binary_join_element_wise(date, clock, " "))


def plain(cells: Mapping[str, Cells]) -> dict[str, str]:
    """The fields whose cells the splitter may read itself, as what: those that differ from row to row, by some rows."""
    found = {}
    for field, kind in (("lat", "number"), ("lon", "number"), ("time", "time")):
        column = cells.get(field)
        # A time of day beside a date is not a time by itself.
        if column is None or (kind == "time" and "date" in cells) or column.mended is not None:
            continue
        if len(column.texts) * 2 > len(column.codes) and _reads_plain(column, kind):
            found[field] = kind
    return found


def _reads_plain(column: Cells, kind: str) -> bool:
    if kind == "number":
        return column.floats is not None
    known = column.texts.filter(pc.not_equal(column.texts, ""))
    try:
        return len(known) > 0 and is_plain(known.cast(PLAIN_TYPES[kind]))
    except pa.ArrowInvalid:
        return False


def is_plain(column: pa.ChunkedArray | pa.Array) -> bool:
    """Whether each cell of a column that the splitter read is what its text says."""
    if pa.types.is_floating(column.type):
        return _plain_numbers(column) is not None
    if pa.types.is_timestamp(column.type):
        # Midnight may be a date without a time of day, which only its text tells.
        return not (column.to_numpy(zero_copy_only=False).astype(np.int64) % _DAY_US == 0).any()
    return True


def _plain_numbers(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.float64] | None:
    """The numbers, NaN where missing; None where a text said something like NaN or infinity."""
    found: npt.NDArray[np.float64] = column.to_numpy(zero_copy_only=False)
    return found if int(np.isfinite(found).sum()) + column.null_count == len(found) else None
