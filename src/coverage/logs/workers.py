"""Blocks of a file worked on side by side, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
WORKERS = 2  # more would hold more of the file in memory at once


def side_by_side(work: Callable[[In], Out], blocks: Iterable[In]) -> Iterator[Out]:
    """What `work` makes of each block, in order, while the next ones are being worked on."""
    rest = iter(blocks)
    first = list(islice(rest, 2))
    if len(first) < 2:  # most files: a pool would cost more than it gives
        yield from map(work, first)
        return
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for block in chain(first, rest):
            waiting.append(pool.submit(work, block))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
