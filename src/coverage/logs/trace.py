"""What the trace of one phone tells that a single row does not: jumps of the position, a frozen one, a stale cell.

Each block of a file is looked at by itself; rows at its two ends have one neighbour less to be compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
METRES_PER_DEGREE = 111_195.0  # on the sphere of 6371 km
# 180 km/h: no crew drives so in these provinces; judgement, as field teams' plausibility rules elsewhere use it.
MAX_SPEED_MPS = 50.0
JUMP_SLACK_M = 100.0  # two fixes, each 50 m off, are not a jump
FROZEN_S, FROZEN_ROWS, FROZEN_SPEED_MPS = 60.0, 10, 3.0  # judgement: a minute at speed without moving a digit
# Apps that take a fix every 100 m repeat the last speed at a red light: only a speed that changes is a moving phone's.
FROZEN_SPEED_CHANGES = 3
STALE_M, STALE_ROWS = 2000.0, 20  # judgement: no level stays the same to the dB over two kilometres


@dataclass(frozen=True)
class Trace:
    """Rows of one phone after another, in the file's order: seconds since 1970, degrees, dBm, NaN = not known.

    cell: a number per serving cell, -1 = not known; phone: a number per phone, -1 = nobody knows whose.
    """

    phone: Ints
    time_s: Floats
    lat: Floats
    lon: Floats
    speed_mps: Floats
    level_dbm: Floats
    cell: Ints


def jumps(trace: Trace) -> Bools:
    """Rows whose position no phone could reach from the row before, nor leave for the row after, while those meet."""
    found = np.zeros(len(trace.lat), bool)
    step = np.zeros(max(0, len(trace.lat) - 1), bool)
    # Few steps are long enough to be looked at: along the axes no way is shorter than the straight one.
    along_m = (np.abs(np.diff(trace.lat)) + np.abs(np.diff(trace.lon))) * METRES_PER_DEGREE
    rows = np.flatnonzero(along_m > JUMP_SLACK_M)
    step[rows] = _too_far(trace, rows, rows + 1)
    alone = np.flatnonzero(step[:-1] & step[1:]) + 1
    before, after = alone - 1, alone + 1
    found[alone[_same(trace, before, after) & ~_too_far(trace, before, after)]] = True
    return found


def frozen(trace: Trace) -> Bools:
    """Rows that repeat a position for a minute or more while the phone's speed goes on, or that a leap ends."""
    first, last = _runs(trace, (trace.lat, trace.lon), FROZEN_ROWS)
    long_ = trace.time_s[last] - trace.time_s[first] >= FROZEN_S
    first, last = first[long_], last[long_]
    rows = last - first + 1
    fast = _rows_with(first, last, trace.speed_mps >= FROZEN_SPEED_MPS) * 2 > rows
    changes = _rows_with(first + 1, last, np.diff(trace.speed_mps, prepend=np.nan) != 0)
    leap = _too_far(trace, last, np.minimum(last + 1, len(trace.lat) - 1))
    chosen = (fast & (changes >= FROZEN_SPEED_CHANGES)) | leap
    return _repeating(len(trace.lat), first[chosen], last[chosen])


def _rows_with(first: Ints, last: Ints, marked: Bools) -> Ints:
    """How many rows of each run are marked."""
    if not len(first):
        return np.zeros(0, np.int64)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(marked)])
    counts: Ints = before[last + 1] - before[first]
    return counts


def stale(trace: Trace) -> Bools:
    """Rows that repeat serving cell and level to the dB over kilometres: the phone had stopped listening."""
    known = (trace.cell >= 0) & ~np.isnan(trace.level_dbm)
    if not known.any():
        return known
    level = np.nan_to_num(trace.level_dbm, nan=0.0)
    first, last = _runs(trace, (trace.cell, level, known), STALE_ROWS)
    far = known[first] & (_metres(trace, first, last) >= STALE_M)
    return _repeating(len(known), first[far], last[far])


def _runs(trace: Trace, values: tuple[npt.NDArray[Any], ...], least: int) -> tuple[Ints, Ints]:
    """The first and the last row of each run: at least so many rows of one known phone, one after another, equal in value."""
    rows = len(trace.phone)
    new = np.ones(rows + 1, bool)
    new[1:-1] = (trace.phone[1:] != trace.phone[:-1]) | (trace.phone[1:] < 0)
    for one in values:
        new[1:-1] |= one[1:] != one[:-1]
    edges = np.flatnonzero(new)
    first, last = edges[:-1], edges[1:] - 1
    long_ = last - first + 1 >= least
    return first[long_], last[long_]


def _repeating(rows: int, first: Ints, last: Ints) -> Bools:
    """The rows of some runs but the first of each."""
    edges = np.zeros(rows + 1, np.int64)
    edges[first + 1], edges[last + 1] = 1, -1
    found: Bools = np.cumsum(edges)[:rows] > 0
    return found


def _same(trace: Trace, one: Ints, other: Ints) -> Bools:
    same: Bools = (trace.phone[one] == trace.phone[other]) & (trace.phone[one] >= 0)
    return same


def _too_far(trace: Trace, one: Ints, other: Ints) -> Bools:
    seconds = np.maximum(np.abs(trace.time_s[other] - trace.time_s[one]), 1.0)
    found: Bools = _same(trace, one, other) & (
        _metres(trace, one, other) > MAX_SPEED_MPS * seconds + JUMP_SLACK_M
    )
    return found


def _metres(trace: Trace, one: Ints, other: Ints) -> Floats:
    # On a plane: exact enough for steps of some kilometres, and far steps need no exactness.
    north = trace.lat[other] - trace.lat[one]
    east = (trace.lon[other] - trace.lon[one]) * np.cos(np.radians(trace.lat[one]))
    metres: Floats = np.hypot(north, east) * METRES_PER_DEGREE
    return metres
