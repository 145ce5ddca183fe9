"""Progress bars on stderr for whatever takes longer than two seconds; silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

Item = TypeVar("Item")


def track(items: Sequence[Item], label: str) -> Iterator[Item]:
    """The items one by one, with a bar while a person watches stderr and there are several."""
    if len(items) < 2 or not sys.stderr.isatty():
        yield from items
        return
    yield from rich_track(items, description=label, console=Console(stderr=True))
