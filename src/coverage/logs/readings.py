"""What reading a file gives: a log that is recognised, its rows in batches, or all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from coverage.errors import FileRefused
from coverage.logs.context import Context


@dataclass(frozen=True)
class Fix:
    """One way of writing that was read all the same: in how many accepted rows, and the first of them."""

    code: str
    rows: int
    line: int
    column: str | None
    value: str | None

    @property
    def key(self) -> tuple[str, str | None]:
        """Fixes of one key are one, their rows added up."""
        return self.code, self.column


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, in its order: the accepted ones as MEASUREMENTS, the others as OUTCOMES, and counts.

    rows = accepted + duplicates + rejected + quarantined; fixed = accepted rows with at least one of `fixes`;
    no_service and unknown_level count rows as read, duplicates and unusable ones included.
    """

    rows: int
    duplicates: int
    rejected: int
    quarantined: int
    no_service: int
    unknown_level: int
    fixed: int
    fixes: list[Fix]
    measurements: pa.Table
    outcomes: pa.Table

    @property
    def accepted(self) -> int:
        """Rows that became measurements."""
        return int(self.measurements.num_rows)


COUNTS = ("rows", "accepted", "duplicates", "rejected", "quarantined", "no_service", "unknown_level", "fixed")


@dataclass(frozen=True)
class Log:
    """A field file, recognised, before its rows are read.

    file: its name, "box.zip/inner/a.csv" for a member; sha256: of its bytes, unpacked; upload_id: the first 16
    digits; confidence: how sure the format is, 0…1; context: as resolved, its device a keyed hash or "unknown";
    columns: our field → the file's own name of its column; dropped: columns with personal data, which are never
    read; simulated: the file says so in its rows; read_with: what else the reading hangs on: the area outside
    which rows are set aside, and the text of a saved mapping.
    """

    file: str
    sha256: str
    upload_id: str
    format: str
    confidence: float
    context: Context
    columns: dict[str, str]
    dropped: tuple[str, ...]
    simulated: bool
    read_with: dict[str, Any]
    _batches: Callable[[], Iterator[Batch]] = field(repr=False)

    def batches(self) -> Iterator[Batch]:
        """The rows of the file in its order, a block at a time, so that memory does not grow with the file."""
        return self._batches()


@dataclass(frozen=True)
class Reading:
    """One file, read whole: what `Log` and `Batch` say of it, all batches together."""

    file: str
    sha256: str
    upload_id: str
    format: str
    confidence: float
    context: Context
    columns: dict[str, str]
    dropped: tuple[str, ...]
    simulated: bool
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    quarantined: int
    no_service: int
    unknown_level: int
    fixed: int
    fixes: list[Fix]
    measurements: pa.Table
    outcomes: pa.Table


@dataclass(frozen=True)
class Refused:
    """A member of a container that cannot be measurements, and why; the other members are read all the same."""

    file: str
    error: FileRefused
