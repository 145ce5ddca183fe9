"""Folders of files that are wholly there or not at all, never change, and say themselves what their bytes are."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Collection
from pathlib import Path

from coverage.archive.disk import require_room
from coverage.archive.durable import fsync, sha256

SUMS = "SHA256SUMS"  # as `sha256sum --check` reads it


def put(folder: Path, write: Callable[[Path], object]) -> Path:
    """The folder, with the files that `write` puts into a new one; an existing one is left as it is.

    Raises `DiskFull`, and whatever `write` raises; then nothing is left of it.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    require_room(folder.parent)
    draft = _aside(folder)
    try:
        draft.mkdir()
        write(draft)
        _seal(draft)
        _rename_or_yield(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # nothing is left of one that failed
    fsync(folder.parent)
    return folder


def _aside(folder: Path) -> Path:
    # A name that tidying knows for a draft.
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")


def _seal(draft: Path) -> None:
    """Everything onto the disk before the name appears: a folder that exists is a whole one."""
    (draft / SUMS).write_text("".join(f"{sha256(file)}  {file.name}\n" for file in sorted(draft.iterdir())))
    for file in draft.iterdir():
        fsync(file)
    fsync(draft)


def _rename_or_yield(draft: Path, folder: Path) -> None:
    # Two programs with the same inputs may finish together: the first to rename wins, both are equal.
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def changed(folder: Path, expected: Collection[str] = ()) -> list[str]:
    """The names of the files that are missing or not what they were; `expected` are those that must be among them."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines() if sums.is_file() else []
    pairs = [line.split("  ", 1) for line in lines]
    if not pairs or any(len(pair) != 2 for pair in pairs) or not set(expected) <= {pair[1] for pair in pairs}:
        return [SUMS]
    return [name for digest, name in pairs if not _is(folder / name, digest)]


def _is(file: Path, digest: str) -> bool:
    return file.is_file() and sha256(file) == digest


def remove(folder: Path) -> None:
    """Take the folder away in one step, so that nobody finds the half of it; it may be gone already."""
    away = _aside(folder)
    try:
        folder.rename(away)
    except FileNotFoundError:
        return
    shutil.rmtree(away, ignore_errors=True)
    fsync(folder.parent)
