"""What only a file as a whole can settle: whose silence its nameless rows are, and the order of its dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from coverage.logs import service, times
from coverage.logs.detect import Layout
from coverage.logs.lines import Lines
from coverage.logs.sheet import sheet

_NETWORK = frozenset({"operator", "operator_code", "mcc", "mnc"})
_TIMES = frozenset({"time", "date", "time_utc"})


@dataclass(frozen=True)
class Facts:
    """operators: every one that a row of the file names; day_first: whether 8/7 is the eighth of July, None = unsettled."""

    operators: frozenset[str]
    day_first: bool | None


def survey(blocks: Iterable[Lines], layout: Layout, file: str, names: Mapping[str, str]) -> Facts:
    """The facts of the file, from one quick look at the few columns that matter; none where there are none."""
    wanted = (_NETWORK | _TIMES) & set(layout.positions)
    operators: set[str] = set()
    day = month = False
    for lines in blocks if wanted else ():
        cells = sheet(lines, layout, file, wanted)
        operators.update(
            pc.unique(service.named_operator(cells, layout.format, names).drop_null()).to_pylist()
        )
        orders = [times.orders_seen(cells.cells[field].texts) for field in _TIMES & set(cells.cells)]
        day, month = (
            day or any(one.day_first for one in orders),
            month or any(one.month_first for one in orders),
        )
        if not any(one.either for one in orders):  # a file writes its dates in one way
            wanted -= _TIMES
        if not wanted:
            break
    return Facts(frozenset(operators), _order(layout, day=day, month=month))


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
