"""The part of a sending, open for its next bytes: one writer at a time, in whatever process."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coverage.archive import deliveries, receiving
from coverage.archive.deliveries import Delivery
from coverage.archive.disk import require_room
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, DiskFull, InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Locked(Conflict):
    """Another process is receiving these bytes."""

    code = "locked"


class OpenPart:
    """A part that bytes are appended to; its length is how far the sending is."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = path, handle
        self._hash = hashlib.sha256()
        self._hashed = 0  # bytes of the file that the hash has seen, from the first on

    @property
    def offset(self) -> int:
        """How many bytes are there."""
        return os.fstat(self._handle).st_size

    @property
    def sha256(self) -> str | None:
        """Of all bytes, where this process has seen them all go by; else None."""
        return self._hash.hexdigest() if self._hashed == self.offset else None

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises `DiskFull`; what fitted is kept."""
        require_room(self._path.parent, len(chunk))
        seen = self._hashed == self.offset
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as fault:
            if fault.errno not in _FULL:
                raise
            raise DiskFull(
                f"Ổ đĩa đầy khi đang nhận ({self._path.parent}). Những gì đã nhận được giữ lại; hãy gửi tiếp sau.",
                f"The disk is full while receiving ({self._path.parent}). What came is kept; go on later.",
            ) from fault
        if seen:
            self._hash.update(chunk)
            self._hashed += len(chunk)

    def truncate(self, length: int) -> None:
        """Forget what came after so many bytes."""
        os.ftruncate(self._handle, length)
        if length == 0:
            self._hash, self._hashed = hashlib.sha256(), 0
        elif length < self._hashed:
            self._hashed = -1  # the hash has seen bytes that are gone

    def flush(self) -> None:
        """Force what came onto the disk."""
        os.fsync(self._handle)


@contextmanager
def open_part(workspace: Workspace, delivery_id: str) -> Iterator[OpenPart]:
    """The part of a sending while no other process has it.

    Raises `Locked`, `NotFound`, and `Conflict` where the sending has ended.
    """
    path = deliveries.part(workspace, delivery_id)
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        raise _gone(workspace, delivery_id) from None
    try:
        _lock(handle, delivery_id)
        # Whoever had it may have given it its name while we waited: what is whole is never written to.
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(handle)):
            raise _gone(workspace, delivery_id)
        yield OpenPart(path, handle)
    finally:
        os.close(handle)


def complete_whole(workspace: Workspace) -> list[str]:
    """The sendings whose last byte came before a process ended, now received; call it when a service starts."""
    done = []
    for delivery in deliveries.receiving(workspace):
        with suppress(InputError, Conflict):  # not whole, or not what was announced: its sender decides
            if finish_whole(workspace, delivery).state != "receiving":
                done.append(delivery.delivery_id)
    return done


def finish_whole(workspace: Workspace, delivery: Delivery) -> Delivery:
    """The delivery, received where all its bytes are there and nobody is at them; else as it was.

    Raises as `receiving.complete`.
    """
    if delivery.state != "receiving":
        return delivery
    if not deliveries.part(workspace, delivery.delivery_id).exists():
        named = deliveries.received_file(workspace, delivery).exists()
        return receiving.complete(workspace, delivery.delivery_id) if named else delivery
    try:
        with open_part(workspace, delivery.delivery_id) as part:
            if part.offset == delivery.length:
                return receiving.complete(workspace, delivery.delivery_id)
    except Locked:
        return delivery
    return delivery


def _lock(handle: int, delivery_id: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        raise locked(delivery_id) from fault


def locked(delivery_id: str) -> Locked:
    """The error that another process has the bytes of a delivery and does not let go."""
    return Locked(
        f"Một chương trình khác đang nhận lần gửi {delivery_id}. Hãy thử lại sau vài giây.",
        f"Another process is receiving delivery {delivery_id}. Try again in some seconds.",
    )


def _gone(workspace: Workspace, delivery_id: str) -> Conflict:
    state = deliveries.show(workspace, delivery_id).state
    return Conflict(
        f"Lần gửi {delivery_id} đang ở trạng thái {state}, không nhận thêm byte.",
        f"Delivery {delivery_id} is {state} and takes no more bytes.",
    )
