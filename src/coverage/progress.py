"""Progress on stderr for whatever takes longer than two seconds: bars for people, plain lines for logs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress
from rich.progress import track as rich_track

Item = TypeVar("Item")
# Told the stage that begins and the share of the whole that is done, 0 to 1.
Tell = Callable[[str, float], None]


def silent(_stage: str, _share: float) -> None:
    """Tells nobody."""


def track(items: Sequence[Item], label: str) -> Iterator[Item]:
    """The items one by one, with a bar while a person watches stderr and there are several."""
    if len(items) < 2 or not sys.stderr.isatty():
        yield from items
        return
    yield from rich_track(items, description=label, console=Console(stderr=True))


@contextmanager
def stages(label: str) -> Iterator[Tell]:
    """Something to tell the stages of one job to: a bar while a person watches, else one line per stage."""
    if not sys.stderr.isatty():
        yield _lines(label)
        return
    with Progress(console=Console(stderr=True)) as shown:
        task = shown.add_task(label, total=1.0)
        yield lambda stage, share: shown.update(task, completed=share, description=f"{label}: {stage}")
        shown.update(task, completed=1.0, description=label)


def _lines(label: str) -> Tell:
    last: list[str] = []

    def tell(stage: str, _share: float) -> None:
        if last != [stage]:
            last[:] = [stage]
            print(f"… {label}: {stage}", file=sys.stderr)

    return tell
