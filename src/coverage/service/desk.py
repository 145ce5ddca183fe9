"""What this process is receiving at the moment: who has the turn at a delivery, how many there are, when to stop."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from pydantic import AfterValidator

from coverage.archive.disk import MB
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound, TooLarge
from coverage.service.problems import Refusal
from coverage.settings import get_settings


@dataclass
class Turn:
    """The turn of one request at a delivery: whether it is to stop, and when it is over."""

    stop: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Desk:
    """The counter at which one process takes files in; all of it belongs to the process's event loop.

    closing: whether the process is about to end.
    """

    def __init__(self, workspace: Workspace, closing: Callable[[], bool] = lambda: False) -> None:
        settings = get_settings()
        self.workspace = workspace
        self.closing = closing
        self.most_bytes = settings.max_upload_mb * MB
        self.idle_s = settings.idle_timeout_s
        self._most_at_once = settings.max_open_deliveries
        self._turns: dict[str, Turn] = {}
        self._keys: set[str] = set()
        self._looks = asyncio.Semaphore(2)  # previews at once: each reads whole files
        self._receiving = 0

    @asynccontextmanager
    async def turn(self, delivery_id: str) -> AsyncIterator[Turn]:
        """Be the one request at a delivery: an older one is stopped, and its bytes are kept, before this one goes on.

        A sender whose line broke comes back long before the server notices that the line is dead.
        """
        mine, before = Turn(), self._turns.get(delivery_id)
        self._turns[delivery_id] = mine
        try:
            if before is not None:
                before.stop = True
                await before.over.wait()
            yield mine
        finally:
            mine.over.set()
            if self._turns.get(delivery_id) is mine:
                del self._turns[delivery_id]

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Count as one more file that is being received. Raises `Refusal` (429) where there are too many."""
        if self._receiving >= self._most_at_once:
            raise Refusal(
                429,
                "too_many",
                f"Đang nhận {self._receiving} tệp cùng lúc. Hãy gửi lại sau vài giây.",
                f"{self._receiving} files are being received at this moment. Send again in some seconds.",
            )
        self._receiving += 1
        try:
            yield
        finally:
            self._receiving -= 1

    @contextmanager
    def key(self, idempotency_key: str | None) -> Iterator[None]:
        """Have the Idempotency-Key to oneself. Raises `Refusal` (409) while another request has it."""
        if idempotency_key is None:
            yield
            return
        if idempotency_key in self._keys:
            raise Refusal(
                409,
                "in_flight",
                f"Yêu cầu có Idempotency-Key {idempotency_key!r:.60} đang được nhận. Hãy chờ rồi hỏi lại.",
                f"The request of Idempotency-Key {idempotency_key!r:.60} is being received. Wait and ask again.",
                {"Retry-After": "5"},
            )
        self._keys.add(idempotency_key)
        try:
            yield
        finally:
            self._keys.discard(idempotency_key)

    def looking(self) -> asyncio.Semaphore:
        """What to hold while a preview is made."""
        return self._looks

    def require_fits(self, length: int | None) -> None:
        """Raise `TooLarge` for more bytes than are taken."""
        if length is not None and length > self.most_bytes:
            raise TooLarge(
                f"Tệp dài {length} byte; mỗi tệp tối đa {self.most_bytes} byte. Hãy nén lại (.zip, .gz) hoặc chia nhỏ.",
                f"The file is {length} bytes long; at most {self.most_bytes} are taken. Pack it (.zip, .gz) or split it.",
            )


async def _desk(request: Request) -> Desk:  # async: it must not wait for a thread while bytes come
    desk: Desk = request.app.state.desk
    return desk


def plain_id(text: str) -> str:
    """A delivery's id as it is kept; that of a client may be written with dashes and capitals. Raises `NotFound`."""
    if not re.fullmatch(UUID, text):
        raise NotFound(f"Không có lần gửi {text!r:.60}.", f"There is no delivery {text!r:.60}.")
    return uuid.UUID(text).hex


UUID = r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
AtDesk = Annotated[Desk, Depends(_desk)]
DeliveryId = Annotated[str, AfterValidator(plain_id)]
