"""The text of a file as lines: where each starts, and which one is the header."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coverage.errors import FileRefused

Ints = npt.NDArray[np.int64]


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
