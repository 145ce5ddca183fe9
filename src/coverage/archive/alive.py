"""A sign of life of the workers of a workspace: one empty file that each of them touches every few seconds.

No lock and no row of the manifest: a process that is halted holds its locks, and a full disk or a manifest that is away
must not make a worker look dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coverage.archive.workspace import Workspace

FRESH_S = 60.0  # as long as a lease: a busy machine may hold a sign back for many seconds
_EVERY_S = 3.0


def sign_file(workspace: Workspace) -> Path:
    """The file; it stays empty, and its time says when a worker was last alive."""
    return workspace.root / "archive" / "worker.alive"


def last_sign_s(workspace: Workspace) -> float | None:
    """How many seconds ago a worker gave a sign of life; None where none ever did."""
    try:
        written: float = sign_file(workspace).stat().st_mtime
    except OSError:
        return None
    return max(0.0, time.time() - written)


def is_alive(workspace: Workspace) -> bool:
    """Whether a worker gave a sign of life of late."""
    ago = last_sign_s(workspace)
    return ago is not None and ago <= FRESH_S


@contextmanager
def giving_signs(workspace: Workspace) -> Iterator[None]:
    """Give signs of life while the block runs, however long what happens in it takes."""
    over = threading.Event()
    thread = threading.Thread(target=_give, args=(sign_file(workspace), over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _give(file: Path, over: threading.Event) -> None:
    while True:
        with suppress(OSError):  # a full disk: it is told elsewhere, and work goes on where it can
            file.touch()
        if over.wait(_EVERY_S):
            return
