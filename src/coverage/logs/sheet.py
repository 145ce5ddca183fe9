"""Text → rows: which line is which row, which rows are whole, and the text of each column that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from coverage.errors import FileRefused
from coverage.logs.detect import Layout

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
MAX_LINE_BYTES = 1_000_000  # a longer line is no row of a log
SAMPLE_ROWS = 4000
BAD_QUOTES = "bad_quotes"
BLOCK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Lines:
    """The lines of a text: UTF-8 bytes, and where each line starts (one more than there are lines)."""

    text: bytes
    starts: Ints

    def array(self, first: int, last: int) -> pa.Array:
        """Lines first…last-1 as Arrow strings, each with its newline; shares the text's memory."""
        offsets = np.ascontiguousarray(self.starts[first : last + 1])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.text)]
        return pa.Array.from_buffers(pa.large_string(), last - first, buffers)

    def line(self, index: int) -> str:
        """One line without its newline."""
        return self.text[self.starts[index] : self.starts[index + 1] - 1].decode("utf-8")


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
    every row has.
    """

    name: str | None
    texts: pa.Array
    codes: npt.NDArray[np.int32]

    def of_rows(self, rows: Ints) -> pa.Array:
        """The text of the given rows; missing where empty or no such column."""
        found = self.texts.take(pa.array(self.codes[rows]))
        return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


@dataclass(frozen=True)
class Sheet:
    """The whole rows of a file: line number, raw text and cells by field; and the broken rows."""

    rows: int
    line: Ints
    raw: pa.Array
    cells: dict[str, Cells]
    broken: Broken

    def get(self, field: str) -> Cells:
        """The cells of one of our fields; an absent column is one empty text."""
        absent = Cells(None, pa.array([""]), np.zeros(len(self.line), np.int32))
        return self.cells.get(field, absent)


def lines_of(text: bytes) -> Lines:
    """The lines of a text that ends with a newline; empty lines at its end are left off."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.int64) + 1
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    filled = np.flatnonzero(np.diff(starts) > 1)
    return Lines(text, starts[: filled[-1] + 2] if len(filled) else starts[:1])


def header_index(lines: Lines, file: str) -> int:
    """Which line holds the header: the first that is not blank and not a spreadsheet's `sep=;`."""
    for index in range(len(lines.starts) - 1):
        line = lines.line(index).strip()
        if line and not line.casefold().startswith("sep="):
            return index
    raise FileRefused(f"{file}: tệp trống, không có dòng nào.", f"{file}: the file is empty.")


def sheet(lines: Lines, header: int, layout: Layout, file: str) -> Sheet:
    """The rows below the header, taken apart; every line below it is a row, whole or broken."""
    first, last = header + 1, len(lines.starts) - 1
    raw = lines.array(first, last)
    spoilt = _spoilt(raw, layout.delimiter)
    ragged, table = _parsed(_body(lines, first, last, spoilt), _width(raw, layout), layout, file)
    found = dict(ragged)
    found |= {int(row): "0" for row in np.flatnonzero(pc.equal(raw, "\n"))}
    found |= {int(row): BAD_QUOTES for row in np.flatnonzero(spoilt)}
    in_table = _without(len(raw), ragged)
    whole = _without(len(raw), found)
    kept = None if len(whole) == len(in_table) else pa.array(np.flatnonzero(np.isin(in_table, whole)))
    cells = {
        field: _cells(layout.names[place], table.column(f"f{place}"), kept)
        for field, place in layout.positions.items()
    }
    raw_whole = raw if len(whole) == len(raw) else raw.take(pa.array(whole))
    return Sheet(len(raw), whole + first + 1, raw_whole, cells, _broken(found, first + 1))


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
        tuple(BAD_QUOTES if value == BAD_QUOTES else "wrong_field_count" for value in values),
        tuple(None if value == BAD_QUOTES else value for value in values),
    )


def _cells(name: str, column: pa.ChunkedArray, keep: pa.Array | None) -> Cells:
    kept = (column if keep is None else column.take(keep)).combine_chunks()
    if isinstance(kept, pa.ChunkedArray):
        kept = pa.concat_arrays(kept.chunks) if kept.num_chunks else pa.array([], pa.string())
    if _mostly_distinct(kept):
        return Cells(name, pc.utf8_trim_whitespace(kept), np.arange(len(kept), dtype=np.int32))
    encoded = kept.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return Cells(name, pc.utf8_trim_whitespace(encoded.dictionary), codes)


def _mostly_distinct(column: pa.Array) -> bool:
    """Whether looking for equal texts would cost more than it saves: judged on rows spread evenly."""
    sample = column.take(pa.array(np.arange(0, len(column), max(1, len(column) // SAMPLE_ROWS))))
    return len(sample) > SAMPLE_ROWS // 2 and pc.count_distinct(sample).as_py() * 2 > len(sample)


def _spoilt(raw: pa.Array, delimiter: str) -> Bools:
    """Lines whose quotes do not close, or stand where they mean nothing; and lines too long to be a row.

    One open quote would swallow the rest of the file, so such a line is set aside before the rows are
    taken apart. A quote inside an unquoted field is a letter like any other.
    """
    far = pc.greater(pc.binary_length(raw), MAX_LINE_BYTES).to_numpy(zero_copy_only=False)
    quoted = pc.match_substring(raw, '"').to_numpy(zero_copy_only=False)
    if not quoted.any():
        return np.asarray(far, bool)
    sep = "\\t" if delimiter == "\t" else f"\\x{ord(delimiter):02x}"
    field = f'(?:"(?:[^"]|"")*"|[^"{sep}][^{sep}]*|)'
    sound = pc.match_substring_regex(raw, f"^{field}(?:{sep}{field})*\\n$").to_numpy(zero_copy_only=False)
    return np.asarray(far | (quoted & ~sound), bool)


def _body(lines: Lines, first: int, last: int, spoilt: Bools) -> bytes:
    """The text below the header; spoilt lines are left empty so that line numbers stay true."""
    start, end = int(lines.starts[first]), int(lines.starts[last])
    if not spoilt.any():
        return lines.text[start:end]
    return b"".join(_pieces(lines, first, last, spoilt))


def _pieces(lines: Lines, first: int, last: int, spoilt: Bools) -> Iterable[bytes]:
    done = int(lines.starts[first])
    for index in np.flatnonzero(spoilt):
        yield lines.text[done : int(lines.starts[first + index])] + b"\n"
        done = int(lines.starts[first + index + 1])
    yield lines.text[done : int(lines.starts[last])]


def _width(raw: pa.Array, layout: Layout) -> int:
    """How many fields a row has, by what most rows have.

    As many as the header has names; as many as the header has fields, where spreadsheets left empty columns;
    or one more than names, where rows end with a delimiter.
    """
    names = len(layout.names)
    fields = pc.add(pc.count_substring(raw, layout.delimiter), 1)
    one_more = pc.and_(pc.equal(fields, names + 1), pc.ends_with(raw, layout.delimiter + "\n"))
    rows = {width: _count(pc.equal(fields, width)) for width in (names, layout.fields)}
    rows[names + 1] = max(rows.get(names + 1, 0), _count(one_more))
    return max(rows, key=lambda width: rows[width])


def _count(mask: pa.Array) -> int:
    return pc.sum(mask).as_py() or 0


def _parsed(body: bytes, width: int, layout: Layout, file: str) -> tuple[dict[int, str], pa.Table]:
    """Ragged rows (index → "fields found/needed"), and the other rows as text in columns f0, f1, …."""
    names = [f"f{place}" for place in range(width)]
    read = sorted({f"f{place}" for place in layout.positions.values()})
    ragged: dict[int, str] = {}
    if not body:
        return ragged, pa.table({name: pa.array([], pa.string()) for name in read})

    def skip(row: pacsv.InvalidRow) -> str:
        ragged[row.number - 1] = f"{row.actual_columns}/{row.expected_columns}"
        return "skip"

    return ragged, _table(body, _parse_options(layout, skip), names, read, file)


def _parse_options(layout: Layout, skip: Callable[[pacsv.InvalidRow], str]) -> pacsv.ParseOptions:
    return pacsv.ParseOptions(
        delimiter=layout.delimiter,
        invalid_row_handler=skip,
        ignore_empty_lines=False,
        newlines_in_values=False,
    )


def _table(
    body: bytes, parsing: pacsv.ParseOptions, names: list[str], read: list[str], file: str
) -> pa.Table:
    text = {name: pa.string() for name in read}
    try:
        # One thread: only then does Arrow tell the number of a ragged row.
        return pacsv.read_csv(
            pa.BufferReader(body),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=names, block_size=BLOCK_BYTES),
            parse_options=parsing,
            convert_options=pacsv.ConvertOptions(
                column_types=text, include_columns=read, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as fault:
        raise FileRefused(
            f"{file}: không tách được các cột ({fault}). Hãy lưu lại thành CSV.",
            f"{file}: its columns cannot be taken apart ({fault}). Save it as CSV again.",
        ) from fault
