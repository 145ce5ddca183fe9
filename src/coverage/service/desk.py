"""What is being received at the moment: who has the turn at a delivery, how many there are, when to stop.

It holds for all processes that serve the workspace, see `claims`.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import AfterValidator

from coverage.archive.disk import MB
from coverage.archive.incoming import locked
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound, TooLarge
from coverage.service.claims import Claims, lock_file
from coverage.service.problems import Refusal
from coverage.settings import get_settings

_ASK_S = 0.02  # between two looks whether somebody else is through
_PATIENCE_S = 10.0  # with a request that was told to stop: it may be hashing and flushing a long file
_LOOKS = 2  # previews at once: each reads whole files


@dataclass(frozen=True)
class Turn:
    """The turn of one request at a delivery; `is_wanted` says whether another one waits for it."""

    is_wanted: Callable[[], bool]


class Desk:
    """The counter at which a process takes files in; all of it belongs to the process's event loop.

    closing: whether the process is about to end.
    """

    def __init__(self, workspace: Workspace, closing: Callable[[], bool] = lambda: False) -> None:
        settings = get_settings()
        self.workspace = workspace
        self.closing = closing
        self.most_bytes = settings.max_upload_mb * MB
        self.idle_s = settings.idle_timeout_s
        self._most_at_once = settings.max_open_deliveries
        self._most_of_one = settings.open_deliveries_per_caller
        self._claims = Claims(lock_file(workspace))

    @asynccontextmanager
    async def turn(self, delivery_id: str) -> AsyncIterator[Turn]:
        """Be the one request at a delivery: an older one is stopped, and its bytes are kept, before this one goes on.

        A sender whose line broke comes back long before the server notices that the line is dead. Raises `Locked` where
        the older one does not stop.
        """
        mine, next_one = f"turn {delivery_id}", f"next {delivery_id}"
        until = time.monotonic() + _PATIENCE_S
        await self._taken(next_one, delivery_id, until)
        try:
            await self._taken(mine, delivery_id, until)
        finally:
            self._claims.give_back(next_one)
        try:
            yield Turn(lambda: self._claims.is_taken(next_one))
        finally:
            self._claims.give_back(mine)

    async def _taken(self, name: str, delivery_id: str, until: float) -> None:
        while not self._claims.take(name):
            if time.monotonic() > until:
                raise locked(delivery_id)
            await asyncio.sleep(_ASK_S)

    @contextmanager
    def receiving(self, who: str | None = None) -> Iterator[None]:
        """Count as one more file that is being received, from that caller where it is known.

        Raises `Refusal` (429) where there are too many, of this caller or of all together.
        """
        places = [self._claims.take_one("file", self._most_at_once)]
        if who is not None and places[0] is not None:
            places.append(self._claims.take_one(f"file of {who}", self._most_of_one))
        if None in places:
            self._give_back(places)
            raise Refusal(
                429,
                "too_many",
                f"Đang nhận {self._most_at_once} tệp cùng lúc. Hãy gửi lại sau vài giây.",
                f"{self._most_at_once} files are being received at this moment. Send again in some seconds.",
            )
        try:
            yield
        finally:
            self._give_back(places)

    def _give_back(self, places: list[str | None]) -> None:
        for place in places:
            if place is not None:
                self._claims.give_back(place)

    def being_received(self) -> int:
        """How many files all processes are receiving at this moment."""
        return self._claims.count("file", self._most_at_once)

    @contextmanager
    def key(self, idempotency_key: str | None) -> Iterator[None]:
        """Have the Idempotency-Key to oneself. Raises `Refusal` (409) while another request has it."""
        if idempotency_key is None:
            yield
            return
        claim = f"key {idempotency_key}"
        if not self._claims.take(claim):
            raise Refusal(
                409,
                "in_flight",
                f"Yêu cầu có Idempotency-Key {idempotency_key!r:.60} đang được nhận. Hãy chờ rồi hỏi lại.",
                f"The request of Idempotency-Key {idempotency_key!r:.60} is being received. Wait and ask again.",
                {"Retry-After": "5"},
            )
        try:
            yield
        finally:
            self._claims.give_back(claim)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Be one of the few for whom a preview is made."""
        while (place := self._claims.take_one("look", _LOOKS)) is None:
            await asyncio.sleep(_ASK_S)
        try:
            yield
        finally:
            self._claims.give_back(place)

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
