"""Blocks of text → numbered lines: which is the header, and which lines are one row because a quoted cell breaks."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coverage.text import empty

Ints = npt.NDArray[np.int64]
MAX_JOINED = 20  # lines that one quoted cell may spread over; more is a stray quote
# Stands in place of a line that was joined to the row before; also what DOS wrote at a text's end.
JOINED = b"\x1a\n"


@dataclass(frozen=True)
class Lines:
    """The lines of a block.

    text: UTF-8 bytes; starts: where each line starts, one more than there are lines; number: that of the first
    line in the file, counted from 1.
    """

    text: bytes
    starts: Ints
    number: int = 1

    def __len__(self) -> int:
        return len(self.starts) - 1

    def array(self) -> pa.Array:
        """All lines as Arrow strings, each with its newline; shares the text's memory."""
        offsets = np.ascontiguousarray(self.starts)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.text)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)

    def line(self, index: int) -> str:
        """One line without its newline."""
        return self.text[self.starts[index] : self.starts[index + 1] - 1].decode("utf-8", "replace")

    def after(self, index: int) -> Lines:
        """The lines from `index` on."""
        start = int(self.starts[index])
        return Lines(self.text[start:], self.starts[index:] - start, self.number + index)

    def first(self, count: int) -> Lines:
        """At most so many lines from the first on."""
        end = min(count, len(self))
        return Lines(self.text[: int(self.starts[end])], self.starts[: end + 1], self.number)


def lines_of(text: bytes, number: int = 1) -> Lines:
    """The lines of a text that ends with a newline."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.int64) + 1
    return Lines(text, np.concatenate([np.zeros(1, np.int64), ends]), number)


def below(blocks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The blocks without their first `count` lines."""
    for block in blocks:
        *above, rest = block.split(b"\n", count)
        count -= len(above)
        if rest:
            yield rest


def numbered(blocks: Iterable[bytes], number: int = 1) -> Iterator[Lines]:
    """The lines of each block with their numbers in the file; blank lines at the file's end are left off."""
    blank = b""
    for block in blocks:
        whole = blank + block
        text = whole.rstrip(b"\n")
        if not text:
            blank = whole
            continue
        blank = whole[len(text) + 1 :]
        lines = lines_of(text + b"\n", number)
        yield lines
        number += len(lines)


def header_index(lines: Lines, file: str) -> int:
    """Which line holds the header: the first that is not blank and not a spreadsheet's `sep=;`."""
    for index in range(len(lines)):
        line = lines.line(index).strip()
        if line and not line.casefold().startswith("sep="):
            return index
    raise empty(file)


def rows_joined(blocks: Iterable[bytes], delimiter: str, widths: frozenset[int]) -> Iterator[bytes]:
    """The blocks with each row on one line, where a quoted cell holds line breaks.

    The breaks become spaces, and `JOINED` stands for each line that was joined, so that line numbers stay
    true. Joined is only what makes a whole row of one of `widths` cells: a stray quote costs its own line.
    """
    held = b""
    for block in blocks:
        whole, held = held + block, b""
        if b'"' in whole:
            whole, held = _joined(whole, delimiter, widths)
        if whole:
            yield whole
    if held:
        yield _joined(held + JOINED * MAX_JOINED, delimiter, widths)[0].removesuffix(JOINED * MAX_JOINED)


def _joined(text: bytes, delimiter: str, widths: frozenset[int]) -> tuple[bytes, bytes]:
    """The text with its broken rows joined, and the lines at its end that may go on in the next block."""
    lines = text.splitlines(keepends=True) if text.isascii() else _split(text)
    odd = [index for index, line in enumerate(lines) if line.count(b'"') % 2]
    done = -1
    for index in odd:
        if index <= done:
            continue
        last = _end_of_row(lines, index)
        if last is None:
            if len(lines) - index <= MAX_JOINED:
                return b"".join(lines[:index]), b"".join(lines[index:])
            continue
        row = b" ".join(line.removesuffix(b"\n") for line in lines[index : last + 1])
        # A row has at least so many delimiters: a file of nothing but quotes is not taken apart line by line.
        if row.count(delimiter.encode()) + 1 >= min(widths) and _cells(row, delimiter) in widths:
            lines[index : last + 1] = [row + b"\n", *[JOINED] * (last - index)]
            done = last
    return b"".join(lines), b""


def _split(text: bytes) -> list[bytes]:
    return [line + b"\n" for line in text.split(b"\n")[:-1]]


def _end_of_row(lines: list[bytes], index: int) -> int | None:
    """The next line with an odd number of quotes, where the cell that opened here may close."""
    for other in range(index + 1, min(index + MAX_JOINED, len(lines))):
        if lines[other].count(b'"') % 2:
            return other
    return None


def _cells(row: bytes, delimiter: str) -> int:
    """How many cells a row has; 0 where its quotes mean nothing."""
    try:
        return len(next(csv.reader([row.decode("utf-8", "replace")], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0
