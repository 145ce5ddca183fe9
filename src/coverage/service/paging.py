"""Lists a page at a time, newest first: where the next page begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from coverage.errors import NotFound
from coverage.service.problems import BadField


def onward(path: str, word: str, limit: int, seen: list[tuple[datetime, str]]) -> str | None:
    """The address of the next page after rows of those times and ids; None where this one is not full."""
    if len(seen) < limit:
        return None
    time, row_id = seen[-1]
    return f"{path}?{urlencode({'limit': limit, word: f'{time.isoformat()}_{row_id}'})}"


def cursor(word: str, text: str | None, known: Callable[[str], str]) -> tuple[datetime, str] | None:
    """Time and id of the last row that was seen, None at the beginning. Raises `BadField` for what `onward` never wrote.

    `known` gives an id as it is kept, and raises `NotFound` for what cannot be one.
    """
    if text is None:
        return None
    time, _, row_id = text.partition("_")
    try:
        return datetime.fromisoformat(time).replace(tzinfo=None), known(row_id)
    except (ValueError, NotFound) as fault:
        raise BadField(
            f"{word}={text!r:.60} không dùng được: hãy theo địa chỉ trong `next`.",
            f"{word}={text!r:.60} cannot be used: follow the address in `next`.",
        ) from fault
