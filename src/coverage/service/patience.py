"""Asking what may hang (a database, a disk) without hanging oneself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from coverage.errors import ArchiveUnavailable

PATIENCE_S = 5.0
Answer = TypeVar("Answer")


async def within_patience(ask: Callable[[], Answer]) -> Answer:
    """What `ask` answers. Raises `ArchiveUnavailable` where it takes too long; its thread is then left to itself."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(ask), PATIENCE_S)
    except TimeoutError as fault:
        raise ArchiveUnavailable(
            f"Không trả lời trong {PATIENCE_S:g} giây.", f"No answer within {PATIENCE_S:g} seconds."
        ) from fault
