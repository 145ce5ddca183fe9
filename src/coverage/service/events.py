"""A delivery as server-sent events: clients behind a bad link hear of changes without asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from coverage.archive import deliveries
from coverage.errors import ArchiveUnavailable
from coverage.service.answers import FINAL, delivery
from coverage.service.desk import Desk

LOOK_S = 0.5
HEARTBEAT_S = 15.0  # proxies and phones give up lines that are silent for some 30 s


def events(desk: Desk, delivery_id: str) -> StreamingResponse:
    """The delivery at once and at every change, until it ends or the service does."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_told(desk, delivery_id), media_type="text/event-stream", headers=headers)


async def _told(desk: Desk, delivery_id: str) -> AsyncIterator[bytes]:
    before, number, quiet_s = None, 0, 0.0
    while not desk.closing():
        now = await _look(desk, delivery_id)
        if now is not None and now != before:
            before, number, quiet_s = now, number + 1, 0.0
            yield b"event: delivery\nid: %d\ndata: %b\n\n" % (number, orjson.dumps(now))
            if now["state"] in FINAL:
                return
        await asyncio.sleep(LOOK_S)
        quiet_s += LOOK_S
        if quiet_s >= HEARTBEAT_S:
            quiet_s = 0.0
            yield b": alive\n\n"


async def _look(desk: Desk, delivery_id: str) -> dict[str, Any] | None:
    """The delivery as it is now; None where the archive does not answer at this moment."""
    try:
        shown = await run_in_threadpool(deliveries.show, desk.workspace, delivery_id)
        return await run_in_threadpool(delivery, desk.workspace, shown)
    except ArchiveUnavailable:
        return None
