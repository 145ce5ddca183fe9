"""What the processes that serve one workspace hold at this moment, told to each other by locks on bytes of one file.

A lock goes back when its process ends, however it ends, so nothing is left over and nothing is to be tidied.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path

from coverage.archive.workspace import Workspace

_TAKEN = (errno.EAGAIN, errno.EACCES)


def lock_file(workspace: Workspace) -> Path:
    """The file whose bytes are locked; it stays empty."""
    return workspace.root / "archive" / "desk.lock"


class Claims:
    """What this process holds, one name each; of one event loop, and one of its kind per process and file.

    The second would give all locks of the first back: they belong to the process, not to the open file.
    """

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        """Whether the name is the caller's from now on; False while somebody else has it, here or in another process."""
        if name in self._held:
            return False
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
        except OSError as fault:
            if fault.errno not in _TAKEN:
                raise
            return False
        self._held.add(name)
        return True

    def take_one(self, kind: str, count: int) -> str | None:
        """The name of one of so many places of a kind, now the caller's; None where all are taken."""
        places = (f"{kind} {number}" for number in range(count))
        return next((name for name in places if self.take(name)), None)

    def count(self, kind: str, count: int) -> int:
        """How many of so many places of a kind somebody has."""
        return sum(self.is_taken(f"{kind} {number}") for number in range(count))

    def is_taken(self, name: str) -> bool:
        """Whether somebody has it."""
        if not self.take(name):
            return True
        self.give_back(name)
        return False

    def give_back(self, name: str) -> None:
        """Have a name no longer."""
        self._held.discard(name)
        fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, _place(name))


def _place(name: str) -> int:
    # 62 bits: offsets have 63. Two names at one place would only make one wait for the other.
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 2
