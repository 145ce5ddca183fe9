"""A Parquet part of measurements, and whose rows of it count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from coverage.tables import MEASUREMENTS, schema


@dataclass(frozen=True)
class Part:
    """One file of measurements; the rows of the uploads in `without` do not count (withdrawn, or read anew)."""

    path: Path
    without: tuple[str, ...] = ()


def batches(parts: Iterable[Part], operator: str | None = None) -> Iterator[pa.RecordBatch]:
    """The rows that count, as MEASUREMENTS, some at a time; of one operator (PLMN digits) where it is given."""
    for part in parts:
        wanted = ~pc.field("upload_id").isin(pa.array(part.without, pa.string()))
        if operator is not None:
            wanted &= pc.field("operator") == operator
        yield from ds.dataset(part.path, schema=schema(MEASUREMENTS)).to_batches(filter=wanted)
