"""What only a file as a whole can settle: whose silence its nameless rows are, and the order of its dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

import pyarrow.compute as pc

from coverage.logs import service, times
from coverage.logs.detect import Layout
from coverage.logs.lines import Lines
from coverage.logs.sheet import sheet
from coverage.logs.workers import side_by_side

FIRST_LINES = 4000  # what they settle need not be looked for in the others
_NETWORK = frozenset({"operator", "operator_code", "mcc", "mnc"})
_TIMES = frozenset({"time", "date", "time_utc"})


@dataclass(frozen=True)
class Facts:
    """What a file as a whole tells.

    operators: those that its rows name, all of them or at least two; day_first: whether 8/7 is the eighth of
    July, None = unsettled.
    """

    operators: frozenset[str]
    day_first: bool | None


@dataclass(frozen=True)
class _Look:
    """What one block shows: the operators it names, and the orders of day and month in its dates."""

    operators: frozenset[str]
    day: bool
    month: bool
    either: bool


def survey(blocks: Iterable[Lines], layout: Layout, file: str, names: Mapping[str, str]) -> Facts:
    """The facts of the file, from one quick look at the few columns that matter; none where there are none."""
    wanted = (_NETWORK | _TIMES) & set(layout.positions)
    rest = iter(blocks if wanted else ())
    looks = []
    for block in islice(rest, 1):
        head = _look(block.first(FIRST_LINES), layout, file, names, wanted)
        if not head.either:  # a file writes its dates in one way
            wanted -= _TIMES
        if len(head.operators) > 1:  # a third operator settles nothing more
            wanted -= _NETWORK
        looks = [head]
        if wanted:
            look = partial(_look, layout=layout, file=file, names=names, wanted=wanted)
            below = [block.after(FIRST_LINES)] if len(block) > FIRST_LINES else []
            looks += side_by_side(look, chain(below, rest))
    return Facts(
        frozenset().union(*(look.operators for look in looks)),
        _order(layout, day=any(look.day for look in looks), month=any(look.month for look in looks)),
    )


def _look(lines: Lines, layout: Layout, file: str, names: Mapping[str, str], wanted: frozenset[str]) -> _Look:
    cells = sheet(lines, layout, file, wanted)
    named = pc.unique(service.named_operator(cells, layout.format, names).drop_null())
    orders = [times.orders_seen(cells.cells[field].texts) for field in _TIMES & set(cells.cells)]
    return _Look(
        frozenset(named.to_pylist()),
        any(one.day_first for one in orders),
        any(one.month_first for one in orders),
        any(one.either for one in orders),
    )


def _order(layout: Layout, *, day: bool, month: bool) -> bool | None:
    """Day first where a date of the file says so, or its language does; month first where only that fits.

    None where some dates say the one and some the other, as when a spreadsheet turned round those it could.
    """
    if day and month:
        return None
    if day or (not month and _vietnamese(layout)):
        return True
    return False if month else None


def _vietnamese(layout: Layout) -> bool:
    """Whether the header is in Vietnamese, whose dates begin with the day."""
    return any(
        letter in "ăâđêôơưĂÂĐÊÔƠƯ" or 0x1EA0 <= ord(letter) <= 0x1EF9 for letter in "".join(layout.names)
    )
