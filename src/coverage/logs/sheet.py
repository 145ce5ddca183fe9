"""Text → rows: which line is which row, which rows are whole, and the text of each column that is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage.logs.cells import Cells, cells_of, with_derived
from coverage.logs.detect import Layout
from coverage.logs.formats.profile import Format
from coverage.logs.lines import JOINED, Lines
from coverage.logs.splitter import Splitter
from coverage.text import MAX_LINE_BYTES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
BAD_QUOTES, TOO_LONG = "bad_quotes", "line_too_long"
_EMPTY = pa.array([""])
_NO_ROWS = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Broken:
    """Rows that cannot be taken apart: line numbers, a code for each, and the fields found/needed."""

    line: Ints
    code: tuple[str, ...]
    value: tuple[str | None, ...]


@dataclass(frozen=True)
class Sheet:
    """The whole rows of a block: line number, raw text and cells by field; and the broken rows.

    joined: the lines at which a row begins that spread over several lines.
    """

    rows: int
    line: Ints
    joined: Ints
    raw: pa.Array
    cells: dict[str, Cells]
    broken: Broken
    format: Format

    def get(self, field: str) -> Cells:
        """The cells of one of our fields; an absent column is one empty text."""
        return self.cells.get(field) or Cells(None, _EMPTY, np.zeros(len(self.line), np.int32))


def sheet(lines: Lines, layout: Layout, file: str, only: frozenset[str] | None = None) -> Sheet:
    """The rows of a block of lines, taken apart; every line is a row, whole or broken, unless it was joined.

    only: the fields to be taken apart, where not all are wanted.
    """
    raw = lines.array()
    far: Bools = np.diff(lines.starts) > MAX_LINE_BYTES
    spoilt = far | _spoilt(lines, raw, layout.delimiter)
    places = {field: at for field, at in layout.positions.items() if only is None or field in only}
    splitter = Splitter(_body(lines, spoilt), layout, file)
    ragged, table = splitter.columns(places)
    found = dict(ragged)
    found |= {int(row): "0" for row in np.flatnonzero(np.diff(lines.starts) == 1)}
    found |= {int(row): TOO_LONG if far[row] else BAD_QUOTES for row in np.flatnonzero(spoilt)}
    in_table = _without(len(raw), ragged)
    joined = np.flatnonzero(pc.equal(raw, JOINED.decode())) if JOINED[:1] in lines.text else _NO_ROWS
    whole = _without(len(raw), [*found, *joined])
    kept = None if len(whole) == len(in_table) else pa.array(np.flatnonzero(np.isin(in_table, whole)))
    cells = {
        field: cells_of(layout.names[at], table.column(f"f{at}"), kept, partial(splitter.texts, at))
        for field, at in places.items()
    }
    raw_whole = raw if len(whole) == len(raw) else raw.take(pa.array(whole))
    broken = _broken({row: value for row, value in found.items() if row not in set(joined)}, lines.number)
    return Sheet(
        rows=len(raw) - len(joined),
        line=_numbers_of_lines(cells, whole + lines.number),
        joined=np.setdiff1d(joined - 1, joined) + lines.number,
        raw=raw_whole,
        cells=with_derived(cells),
        broken=broken,
        format=layout.format,
    )


def _numbers_of_lines(cells: dict[str, Cells], lines: Ints) -> Ints:
    """The place of each row as a person counts it: its line, or what a table made of a document says of it."""
    place = cells.pop("place", None)
    return lines if place is None else place.texts.cast(pa.int64()).to_numpy()[place.codes]


def _without(rows: int, out: Iterable[int]) -> Ints:
    """The row numbers 0…rows-1 that are not in `out`."""
    stays = np.ones(rows, bool)
    stays[list(out)] = False
    return np.flatnonzero(stays)


def _broken(found: dict[int, str], line_of_first: int) -> Broken:
    rows = sorted(found)
    values = tuple(found[row] for row in rows)
    return Broken(
        np.array(rows, np.int64) + line_of_first,
        tuple(value if value in {BAD_QUOTES, TOO_LONG} else "wrong_field_count" for value in values),
        tuple(None if value in {BAD_QUOTES, TOO_LONG} else value for value in values),
    )


def _spoilt(lines: Lines, raw: pa.Array, delimiter: str) -> Bools:
    """Lines whose quotes do not close, or stand where they mean nothing.

    One open quote would swallow the rest of the block, so such a line is set aside before the rows are
    taken apart. A quote inside an unquoted field is a letter like any other.
    """
    if b'"' not in lines.text:
        return np.zeros(len(lines), bool)
    quoted = pc.match_substring(raw, '"').to_numpy(zero_copy_only=False)
    sep = "\\t" if delimiter == "\t" else f"\\x{ord(delimiter):02x}"
    field = f'(?:"(?:[^"]|"")*"|[^"{sep}][^{sep}]*|)'
    sound = pc.match_substring_regex(raw, f"^{field}(?:{sep}{field})*\\n$").to_numpy(zero_copy_only=False)
    spoilt: Bools = quoted & ~sound
    return spoilt


def _body(lines: Lines, spoilt: Bools) -> bytes:
    """The text; spoilt lines are left empty so that line numbers stay true."""
    return b"".join(_pieces(lines, spoilt)) if spoilt.any() else lines.text


def _pieces(lines: Lines, spoilt: Bools) -> Iterable[bytes]:
    done = 0
    for index in np.flatnonzero(spoilt):
        yield lines.text[done : int(lines.starts[index])] + b"\n"
        done = int(lines.starts[index + 1])
    yield lines.text[done:]


def widths(layout: Layout) -> frozenset[int]:
    """How many cells a row may have: see `width`."""
    names = len(layout.names)
    return frozenset((names, layout.fields, names + 1))


def width(raw: pa.Array, layout: Layout) -> int:
    """How many cells a row has, by what most of the given rows have.

    As many as the header has names; as many as the header has fields, where spreadsheets left empty columns;
    or one more than names, where rows end with a delimiter.
    """
    names = len(layout.names)
    raw = pc.replace_substring_regex(raw, '"[^"]*"', "")  # a delimiter inside quotes parts nothing
    fields = pc.add(pc.count_substring(raw, layout.delimiter), 1)
    one_more = pc.and_(pc.equal(fields, names + 1), pc.ends_with(raw, layout.delimiter + "\n"))
    rows = {width: _count(pc.equal(fields, width)) for width in (names, layout.fields)}
    rows[names + 1] = max(rows.get(names + 1, 0), _count(one_more))
    return max(rows, key=lambda width: rows[width])


def _count(mask: pa.Array) -> int:
    return pc.sum(mask).as_py() or 0
