"""A body that is still coming → the part of its delivery: what came is kept, whatever happens to the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from coverage.errors import InputError, PhusongError, TooLarge
from coverage.service.desk import Desk, Turn
from coverage.service.problems import Refusal, answer_of

TICK_S = 0.2  # how soon a request notices that another has taken its turn; also how long bytes wait for more
_PIECE_BYTES = 1 << 20
_AHEAD_MESSAGES = 16  # of some 64 kB
# After a refusal so much is still read: a client that reads answers only after sending must find the line open.
_DRAIN_BYTES = 16 << 20
_DRAIN_QUIET_S = 2.0


class Cut(PhusongError):
    """The sender's line broke before the body was whole; nobody is there to be answered."""

    code = "cut"


class Sink(Protocol):
    """Where bytes go."""

    def write(self, chunk: bytes) -> None:
        """Take bytes."""

    def flush(self) -> None:
        """Make them safe."""


class Coming:
    """The body of a request, taken from the line as soon as it comes, also while its reader is busy.

    When a line breaks the server forgets what nobody has taken yet. A client that asks before it sends (Expect)
    is told to go on only when its body is wanted.
    """

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._messages: asyncio.Queue[Message] = asyncio.Queue(_AHEAD_MESSAGES)
        self._reading: asyncio.Task[None] | None = None
        if "expect" not in request.headers:
            self._start()

    def _start(self) -> None:
        self._reading = self._reading or asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        more = True
        while more:
            message = await self._receive()
            await self._messages.put(message)
            more = message.get("more_body", False)

    async def next(self) -> Message | None:
        """What came next, None where nothing did for a moment."""
        self._start()
        with suppress(asyncio.QueueEmpty):
            return self._messages.get_nowait()
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._messages.get(), TICK_S)
        return None

    def close(self) -> None:
        """Take nothing more from the line."""
        if self._reading is not None:
            self._reading.cancel()


class Ahead:
    """What comes of a body while somebody still asks whether it may: it is there afterwards, also when its line broke."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        more = True
        while more and len(self._messages) < _AHEAD_MESSAGES:
            self._messages.append(await self._receive())
            more = self._messages[-1].get("more_body", False)

    async def stop(self) -> None:
        """Take nothing more by itself."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def receive(self) -> Message:
        """The next message: one that came meanwhile, then whatever comes."""
        return self._messages.pop(0) if self._messages else await self._receive()


async def body(coming: Coming, desk: Desk, turn: Turn | None = None) -> AsyncIterator[bytes]:
    """The body as it comes; an empty piece says that a moment passed without any.

    Raises `Cut`, and `Refusal` where nothing comes for too long (408), another request has taken over (409) or the
    service is being stopped (503).
    """
    quiet_s, more = 0.0, True
    while more:
        message = await coming.next()
        if message is None:
            quiet_s += TICK_S
            yield b""
        elif message["type"] == "http.disconnect":
            raise Cut("Đường truyền bị đứt.", "The line broke.")
        else:
            quiet_s, more = 0.0, message.get("more_body", False)
            yield message.get("body", b"")
        if more:
            _require_going_on(desk, turn, quiet_s)


def _require_going_on(desk: Desk, turn: Turn | None, quiet_s: float) -> None:
    if turn is not None and turn.is_wanted():
        raise Refusal(
            409, "taken_over", "Một yêu cầu mới hơn đã tiếp quản.", "A newer request has taken over."
        )
    if desk.closing():
        raise Refusal(
            503,
            "closing",
            "Dịch vụ đang dừng. Những gì đã nhận được giữ lại; hãy gửi tiếp sau.",
            "The service is being stopped. What came is kept; go on later.",
        )
    if quiet_s >= desk.idle_s:
        raise Refusal(
            408,
            "idle_timeout",
            f"Không nhận được byte nào trong {desk.idle_s:g} giây. Những gì đã nhận được giữ lại.",
            f"No byte came for {desk.idle_s:g} seconds. What came is kept.",
        )


class Pour:
    """Bytes on their way into a sink, in large pieces, written while the next ones come.

    most_bytes: more of them raise `TooLarge`.
    """

    def __init__(self, sink: Sink, most_bytes: int) -> None:
        self._sink, self._most_bytes = sink, most_bytes
        self._waiting = bytearray()
        self._writing: asyncio.Task[None] | None = None
        self.taken = 0

    async def take(self, chunk: bytes) -> None:
        """Take bytes; an empty piece lets those that wait be written."""
        self.taken += len(chunk)
        if self.taken > self._most_bytes:
            raise TooLarge(
                f"Đã nhận hơn {self._most_bytes} byte cho phép. Hãy nén lại (.zip, .gz) hoặc chia nhỏ tệp.",
                f"More than the {self._most_bytes} bytes that are taken have come. Pack the file (.zip, .gz) or split it.",
            )
        self._waiting += chunk
        if len(self._waiting) >= _PIECE_BYTES or (self._waiting and not chunk):
            await self._write()

    async def settle(self) -> None:
        """Return once all that came is safe on disk."""
        await self._write()
        await self._written()
        await run_in_threadpool(self._sink.flush)

    async def drop(self) -> None:
        """Return once nothing is being written; what waits is not wanted any more."""
        self._waiting.clear()
        with suppress(PhusongError, OSError):
            await self._written()

    async def _write(self) -> None:
        await self._written()
        if self._waiting:
            piece, self._waiting = bytes(self._waiting), bytearray()
            self._writing = asyncio.ensure_future(run_in_threadpool(self._sink.write, piece))

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing


async def pour(pieces: AsyncIterator[bytes], sink: Sink, most_bytes: int) -> int:
    """How many bytes came, now safe in the sink. Raises as `body`, and `TooLarge`; what came before that is kept."""
    stream = Pour(sink, most_bytes)
    try:
        async for piece in pieces:
            await stream.take(piece)
    finally:
        await stream.settle()
    return stream.taken


def announced(request: Request) -> int | None:
    """The length of the body as its headers tell it; None where they do not."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, None where there is none. Raises `InputError` for one that cannot be."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InputError(
            "Idempotency-Key phải có từ 1 đến 200 ký tự ASCII in được.",
            "Idempotency-Key must have 1 to 200 printable ASCII characters.",
        )
    caller = getattr(request.state, "caller", None)
    # Two teams that think of the same key do not meet.
    return key if key is None or caller is None else f"{caller.name}: {key}"


class Refused(Response):
    """A refusal while the body is still coming: told at once, then some more is read so that the answer arrives."""

    def __init__(self, fault: PhusongError, headers: dict[str, str] | None = None) -> None:
        told = answer_of(fault)
        kept = {name: value for name, value in told.headers.items() if name != "content-length"}
        super().__init__(told.body, told.status_code, {**kept, "connection": "close", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, read on for a while, close."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await _drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    left: int = _DRAIN_BYTES
    while left > 0:
        try:
            message = await asyncio.wait_for(receive(), _DRAIN_QUIET_S)
        except TimeoutError:
            return
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


async def answered(
    request: Request, work: Callable[[Coming], Awaitable[Response]], headers: dict[str, str] | None = None
) -> Response:
    """What the work on a request answers; a refusal in a way that its client hears while it is still sending."""
    coming = Coming(request)
    try:
        return await work(coming)
    except Cut:
        return Response(status_code=408)  # nobody hears it
    except PhusongError as fault:
        return Refused(fault, headers)
    finally:
        coming.close()
