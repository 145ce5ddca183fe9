"""Parts written anew: who may do so at one time, and a part without some of its rows."""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from coverage.archive.durable import is_sound, parquet_part
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged, Conflict
from coverage.tables import MEASUREMENTS, schema

# How a part begins that is what is left of one with rows of many uploads: of a reading that no longer counts it may hold
# some rows and not all.
LESSENED = "lessened"


@dataclass(frozen=True)
class Unwanted:
    """The rows of MEASUREMENTS that are to go: those of which `compare(column, value)` holds."""

    column: str
    compare: Callable[[Any, Any], Any]
    value: date | pa.Array

    @property
    def rows(self) -> pc.Expression:
        """What asks a part for these rows."""
        return self.compare(pc.field(self.column), self.value)

    def others(self, rows: pa.Table) -> pa.Table:
        """All rows but these, in their order."""
        return rows.filter(pc.invert(self.compare(rows.column(self.column), self.value)))


@contextmanager
def writing_anew(workspace: Workspace, *, alone: bool = False) -> Iterator[None]:
    """Let nobody erase while the block runs, nor, where it is `alone`, write parts anew: no row may be copied while it goes.

    Raises `Conflict` where somebody does. The kernel keeps the lock, so that it goes with its process.
    """
    with (workspace.root / "archive" / "rewriting.lock").open("ab") as stream:
        try:
            fcntl.flock(stream, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise Conflict(
                "Một lệnh phusong compact hoặc phusong erase khác đang chạy: hãy đợi nó xong rồi chạy lại.",
                "Another phusong compact or phusong erase is running: wait until it has ended, then run this again.",
            ) from fault
        yield


def require_sound(path: Path) -> None:
    """Raise `ArchiveDamaged` where a part is not what its name says: a damaged byte would get a new, good name."""
    if not is_sound(path):
        raise ArchiveDamaged(
            f"Tệp {path} không còn nguyên vẹn: hãy khôi phục từ bản sao lưu.",
            f"File {path} is not what it was: restore it from a backup.",
        )


def held(path: Path, unwanted: Unwanted) -> Counter[str]:
    """How many of these rows a part holds, by upload id. Raises `ArchiveDamaged` where it cannot be read."""
    found: Counter[str] = Counter()
    try:
        part = ds.dataset(path, schema=schema(MEASUREMENTS))
        for batch in part.to_batches(columns=["upload_id"], filter=unwanted.rows):
            for one in pc.value_counts(batch.column("upload_id")).to_pylist():
                found[one["values"]] += one["counts"]
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as fault:
        raise ArchiveDamaged(
            f"Không đọc được tệp {path} ({fault}): hãy khôi phục từ bản sao lưu.",
            f"File {path} cannot be read ({fault}): restore it from a backup.",
        ) from fault
    return found


def without(path: Path, unwanted: Unwanted) -> str:
    """The name of a new part beside this one, wholly on disk: the same rows in the same order, but for these.

    Raises `ArchiveDamaged` where the part is not what its name says.
    """
    require_sound(path)
    stem = path.stem.rpartition("-")[0] if "-measurements-" in path.name else LESSENED
    with pq.ParquetFile(path) as former, parquet_part(path.parent, stem, schema(MEASUREMENTS)) as part:
        for group in range(former.num_row_groups):
            part.write(unwanted.others(former.read_row_group(group)))
    return part.name


def without_any_row(folder: Path) -> str:
    """The name of a part that holds nothing: where uploads are that lay in a compacted one and lost all rows."""
    with parquet_part(folder, LESSENED, schema(MEASUREMENTS)) as part:
        pass
    return part.name
