"""What a power cut leaves of a folder: what was not forced onto the disk may be gone, contents and names apart."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from faults.shim import Call


class Lost(StrEnum):
    """What the disk had not written yet of what was not forced onto it."""

    CONTENTS = "contents"
    NAMES = "names"
    BOTH = "both"


def cut(done: Sequence[Call], before: Path, now: Path, lost: Lost) -> None:
    """Take out of the folder `now` what those calls did without fsync; `before` is a copy from before them.

    A file falls back to its length at its last fsync, a name to what it was at the last fsync of its folder.
    As on the file systems in use, fsync of a new file keeps its name too.
    """
    if lost is not Lost.CONTENTS:
        for call in reversed(_names_not_forced(done)):
            _undo(call, before, now)
    if lost is not Lost.NAMES:
        for path, length in _lengths_forced(done).items():
            _fall_back(path, length, before / path.relative_to(now))


def _names_not_forced(done: Sequence[Call]) -> list[Call]:
    pending: list[Call] = []
    for call in done:
        if call.kind in {"CREATE", "RENAME", "LINK"}:
            pending.append(call)
        elif call.kind == "SYNC":
            pending = [
                one
                for one in pending
                if _name(one).parent != call.path and not (one.kind == "CREATE" and one.path == call.path)
            ]
        elif call.kind == "UNLINK":
            pending = [one for one in pending if _name(one) != call.path]
    return pending


def _name(call: Call) -> Path:
    return Path(call.other) if call.kind in {"RENAME", "LINK"} else call.path


def _undo(call: Call, before: Path, now: Path) -> None:
    name = _name(call)
    if call.kind == "RENAME" and name.exists():
        name.rename(call.path)
    elif call.kind != "RENAME":
        name.unlink(missing_ok=True)
    former = before / name.relative_to(now)
    if former.is_file():
        shutil.copy2(former, name)


def _lengths_forced(done: Sequence[Call]) -> dict[Path, int | None]:
    """Per file that was written and not forced since: how long it was at its last fsync; None where it had none."""
    forced: dict[Path, int | None] = {}
    dirty: set[Path] = set()
    for call in done:
        if call.kind == "SYNC":
            forced[call.path] = int(call.other)
            dirty.discard(call.path)
        elif call.kind in {"WRITE", "CREATE", "EMPTY"}:
            dirty.add(call.path)
            if call.kind != "WRITE":
                forced[call.path] = 0
        elif call.kind == "RENAME":
            target = Path(call.other)
            forced[target] = forced.pop(call.path, None)
            if call.path in dirty:
                dirty.remove(call.path)
                dirty.add(target)
    return {path: forced.get(path) for path in dirty}


def _fall_back(path: Path, length: int | None, former: Path) -> None:
    if not path.is_file():
        return
    if length is not None:
        os.truncate(path, min(length, path.stat().st_size))
    elif former.is_file():
        shutil.copy2(former, path)
    else:
        os.truncate(path, 0)
