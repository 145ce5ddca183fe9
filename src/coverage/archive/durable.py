"""Files that are wholly there or not at all, also after a power cut."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_durably(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Put the bytes under that name in one step: temporary file, fsync, rename, fsync of the folder.

    A secret is readable by its owner only, from its first byte on.
    """

    def write(draft: Path) -> None:
        draft.touch(0o600 if secret else 0o666)
        draft.write_bytes(content)

    replace_durably(path, write)


def write_parquet_durably(path: Path, table: pa.Table) -> None:
    """Put the table under that name in one step, as zstd Parquet."""
    replace_durably(path, lambda draft: pq.write_table(table, draft, compression="zstd"))


def replace_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Put whatever `write` makes of a draft file under that name in one step."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        write(draft)
        fsync(draft)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Force a file's content, or a folder's names, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
