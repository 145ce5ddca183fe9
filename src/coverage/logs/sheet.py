"""Text → rows: which line is which row, which rows are whole, and the text of each column that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from coverage.errors import FileRefused
from coverage.logs.detect import Layout
from coverage.logs.formats.profile import Format
from coverage.logs.lines import JOINED, Lines
from coverage.text import MAX_LINE_BYTES

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SAMPLE_ROWS = 4000
BAD_QUOTES, TOO_LONG = "bad_quotes", "line_too_long"
_EMPTY = pa.array([""])
_NO_ROWS = np.zeros(0, np.int64)
_PLAIN_TYPES = {"number": pa.float64(), "time": pa.timestamp("us")}
_DAY_US = 86_400_000_000
_APOSTROPHE = "^['\u2019]([-+=\u2212]?\\d)"


@dataclass(frozen=True)
class Broken:
    """Rows that cannot be taken apart: line numbers, a code for each, and the fields found/needed."""

    line: Ints
    code: tuple[str, ...]
    value: tuple[str | None, ...]


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

    def of_rows(self, rows: Ints) -> pa.Array:
        """The text of the given rows; missing where empty or no such column."""
        found = self.texts.take(pa.array(self.codes[rows]))
        return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


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
    splitter = _Splitter(_body(lines, spoilt), layout, file)
    ragged, table = splitter.columns(places)
    found = dict(ragged)
    found |= {int(row): "0" for row in np.flatnonzero(np.diff(lines.starts) == 1)}
    found |= {int(row): TOO_LONG if far[row] else BAD_QUOTES for row in np.flatnonzero(spoilt)}
    in_table = _without(len(raw), ragged)
    joined = np.flatnonzero(pc.equal(raw, JOINED.decode())) if JOINED[:1] in lines.text else _NO_ROWS
    whole = _without(len(raw), [*found, *joined])
    kept = None if len(whole) == len(in_table) else pa.array(np.flatnonzero(np.isin(in_table, whole)))
    cells = {
        field: _cells(layout.names[at], table.column(f"f{at}"), kept, partial(splitter.texts, at))
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


def _cells(
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
    return pc.count_distinct(sample).as_py() * 2 > len(sample)


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


@dataclass(frozen=True)
class _Splitter:
    """Takes the text of a block apart, at once or a column by itself."""

    body: bytes
    layout: Layout
    file: str

    def columns(self, places: dict[str, int]) -> tuple[dict[int, str], pa.Table]:
        """Ragged rows (index → "fields found/needed"), and the other rows in columns f0, f1, …, by field → position.

        As text, but for those of `Layout.plain` where the splitter can read all of their cells.
        """
        types = {f"f{at}": _PLAIN_TYPES.get(self.layout.plain.get(field, "")) for field, at in places.items()}
        if any(types.values()):
            ragged: dict[int, str] = {}
            with suppress(pa.ArrowInvalid):  # in this block they are not all plain
                table = self._table({name: type_ or pa.string() for name, type_ in types.items()}, ragged)
                if all(map(_is_plain, table.columns)):
                    return ragged, table
        ragged = {}
        try:
            return ragged, self._table(dict.fromkeys(types, pa.string()), ragged)
        except pa.ArrowInvalid as fault:
            raise FileRefused(
                f"{self.file}: không tách được các cột ({fault}). Hãy lưu lại thành CSV.",
                f"{self.file}: its columns cannot be taken apart ({fault}). Save it as CSV again.",
            ) from fault

    def texts(self, at: int) -> pa.ChunkedArray:
        """The column at a position as text, ragged rows left out."""
        return self._table({f"f{at}": pa.string()}, {}).column(0)

    def _table(self, types: dict[str, pa.DataType], ragged: dict[int, str]) -> pa.Table:
        if not self.body:
            return pa.table({name: pa.array([], type_) for name, type_ in types.items()})

        def skip(row: pacsv.InvalidRow) -> str:
            ragged[row.number - 1] = f"{row.actual_columns}/{row.expected_columns}"
            return "skip"

        # One thread: only then does Arrow tell the number of a ragged row.
        return pacsv.read_csv(
            pa.BufferReader(self.body),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                column_names=[f"f{at}" for at in range(self.layout.width)],
                block_size=len(self.body),
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.layout.delimiter,
                invalid_row_handler=skip,
                ignore_empty_lines=False,
                newlines_in_values=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=sorted(types),
                strings_can_be_null=False,
                null_values=[""],
                check_utf8=False,
            ),
        )


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
        return len(known) > 0 and _is_plain(known.cast(_PLAIN_TYPES[kind]))
    except pa.ArrowInvalid:
        return False


def _is_plain(column: pa.ChunkedArray | pa.Array) -> bool:
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
