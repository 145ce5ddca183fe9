"""What every structured file becomes: rows of text, each with its place in the file as a person counts it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

# Place 0 and the names of the columns first; then place and cells ("" = missing) of each row.
Row = tuple[int, tuple[str, ...]]

MAX_LINE_BYTES = 1_000_000  # a longer line is no reading: its rest is left off
_MAX_MAGNITUDE = 1e15  # no millisecond, byte or degree of a log comes near it


def cell(value: object) -> str:
    """A value of a document as one line of text; empty for what is no single value (none, list, object)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if math.isfinite(value) else ""
    if isinstance(value, str):
        # Half a surrogate pair has no UTF-8: it would break whoever writes the row down.
        return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())
    return ""


def number(text: str) -> float | None:
    """The number that a cell says; None where it is none, or too big to be measured."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= _MAX_MAGNITUDE else None


def numbered_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines of a text without their newlines, numbered from 1 as an editor shows them."""
    for place, line in enumerate(io.BytesIO(data), 1):
        yield place, line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r\n")
