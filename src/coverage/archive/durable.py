"""Files that are wholly there or not at all, also after a power cut."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from coverage.errors import InputError


def require_folder(path: Path) -> None:
    """Raises `InputError` where the folder of a file that is to be written is not there."""
    if not path.parent.is_dir():
        raise InputError(f"Không có thư mục {path.parent}.", f"There is no folder {path.parent}.")


def write_durably(path: Path, content: bytes) -> None:
    """Put the bytes under that name in one step: temporary file, fsync, rename, fsync of the folder."""
    replace_durably(path, lambda draft: draft.write_bytes(content))


def create_durably(path: Path, content: bytes) -> None:
    """Put a secret under that name unless it exists; of several at once one wins, and its content stays."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        draft.touch(0o600)
        draft.write_bytes(content)
        fsync(draft)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    fsync(path.parent)


# How columns are written whose values differ: mostly a little more than the row before; near it, so that most of their
# eight bytes are the same (a tenth less to write in a seventh less time than byte after byte).
_ENCODING = {
    **dict.fromkeys(("line", "time_utc"), "DELTA_BINARY_PACKED"),
    **dict.fromkeys(("lat", "lon"), "BYTE_STREAM_SPLIT"),
}
# Lowest and highest per row group: of texts they cost and serve nobody.
_BOUNDS_KEPT = frozenset({"local_date", "hex_res8"})


NAME_DIGITS = 16  # of the sha256 in the name of an immutable file: 64 bits


class Part:
    """A Parquet part while it is written; `name` is set once it is wholly on disk."""

    def __init__(self, draft: Path, schema: pa.Schema) -> None:
        # Where nearly every value differs a dictionary only costs time.
        repeated = [name for name in schema.names if name not in _ENCODING]
        self._writer = pq.ParquetWriter(
            draft,
            schema,
            compression="zstd",
            use_dictionary=repeated,
            column_encoding={name: how for name, how in _ENCODING.items() if name in schema.names},
            write_statistics=[name for name in schema.names if name in _BOUNDS_KEPT],
        )
        self.name = ""

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        if table.num_rows:
            self._writer.write_table(table)

    def close(self) -> None:
        """No more rows come."""
        self._writer.close()


@contextmanager
def parquet_part(folder: Path, stem: str, schema: pa.Schema) -> Iterator[Part]:
    """A part that gets its name, `stem-<sha256 of its bytes>.parquet`, in one step when the block ends well.

    Another content is another file, and neither changes. Where the block fails nothing is left behind.
    """
    draft = folder / f".{stem}.{uuid.uuid4().hex}.part"
    try:
        with closing(Part(draft, schema)) as part:
            yield part
            part.close()
            fsync(draft)
            name = f"{stem}-{sha256(draft)[:NAME_DIGITS]}.parquet"
            draft.rename(folder / name)
            part.name = name
    finally:
        draft.unlink(missing_ok=True)
    fsync(folder)


def replace_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Put whatever `write` makes of a draft file under that name in one step.

    A link is followed; what is no plain file (a device, a pipe) is written to, never replaced.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        write(path)
        return
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


@contextmanager
def scratch_folder(folder: Path, stem: str) -> Iterator[Path]:
    """A folder for what need not last, gone at the end of the block; after a crash `tidying` finds it by its name."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{stem}.") as name:
        yield Path(name)


def sha256(path: Path) -> str:
    """The hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_sound(path: Path) -> bool:
    """Whether the bytes of an immutable file are those that its name, `stem-HASH.suffix`, says."""
    return path.stem.rpartition("-")[2] == sha256(path)[:NAME_DIGITS]


def unneeded_from_now(*paths: Path) -> None:
    """Note on files that nothing will name any more since when: whoever is reading them gets time to end (`tidying`)."""
    for path in paths:
        with suppress(FileNotFoundError):
            os.utime(path)
