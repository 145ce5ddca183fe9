"""What the trace of one phone tells that a single row does not: jumps of the position, a frozen one, a stale cell.

Each block of a file is looked at by itself; rows at its two ends have one neighbour less to be compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    rows = np.arange(len(trace.lat))
    step = _too_far(trace, rows[:-1], rows[1:])
    alone = np.flatnonzero(step[:-1] & step[1:]) + 1
    before, after = alone - 1, alone + 1
    found[alone[_same(trace, before, after) & ~_too_far(trace, before, after)]] = True
    return found


def frozen(trace: Trace) -> Bools:
    """Rows that repeat a position for a minute or more while the phone's speed goes on, or that a leap ends."""
    run = _runs(trace, np.column_stack([trace.lat, trace.lon]))
    first, last, rows = _ends(run)
    long_ = (trace.time_s[last] - trace.time_s[first] >= FROZEN_S) & (rows >= FROZEN_ROWS)
    fast = _rows_with(run, trace.speed_mps >= FROZEN_SPEED_MPS) * 2 > rows
    changing = np.concatenate([[False], (np.diff(trace.speed_mps) != 0) & (np.diff(run) == 0)])
    moving = fast & (_rows_with(run, changing[: len(run)]) >= FROZEN_SPEED_CHANGES)
    leap = np.zeros(len(first), bool)
    leap[long_] = _too_far(trace, last[long_], np.minimum(last[long_] + 1, len(run) - 1))
    return _repeating(run, first, long_ & (moving | leap))


def _rows_with(run: Ints, marked: Bools) -> Floats:
    """How many rows of each run are marked."""
    counts: Floats = np.bincount(run, marked.astype(float)).astype(float)
    return counts


def stale(trace: Trace) -> Bools:
    """Rows that repeat serving cell and level to the dB over kilometres: the phone had stopped listening."""
    known = (trace.cell >= 0) & ~np.isnan(trace.level_dbm)
    run = _runs(trace, np.column_stack([trace.cell, np.nan_to_num(trace.level_dbm, nan=0.0), known]))
    first, last, rows = _ends(run)
    long_ = known[first] & (rows >= STALE_ROWS)
    long_[long_] = _metres(trace, first[long_], last[long_]) >= STALE_M
    return _repeating(run, first, long_)


def _runs(trace: Trace, values: Floats) -> Ints:
    """The number of the run that each row belongs to: rows of one known phone, one after another, equal in value."""
    new = np.ones(len(values), bool)
    if len(values):
        same = (values[1:] == values[:-1]).all(axis=1) & (trace.phone[1:] == trace.phone[:-1])
        new[1:] = ~(same & (trace.phone[1:] >= 0))
    run: Ints = np.cumsum(new) - 1
    return run


def _ends(run: Ints) -> tuple[Ints, Ints, Ints]:
    rows = np.bincount(run) if len(run) else np.zeros(0, np.int64)
    last = np.cumsum(rows) - 1
    return last - rows + 1, last, rows


def _repeating(run: Ints, first: Ints, chosen: Bools) -> Bools:
    found: Bools = chosen[run] if len(run) else np.zeros(0, bool)
    found[first[chosen]] = False
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
