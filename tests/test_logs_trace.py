"""What the trace of one phone tells: jumps, a frozen position, a stale cell, each under, at and over its bound."""

from __future__ import annotations

import numpy as np
import pytest

from coverage.logs import trace
from coverage.logs.trace import Trace

METRE = 1 / trace.METRES_PER_DEGREE


def drive(north_m: list[float], **changed: object) -> Trace:
    """A phone going north, a row a second at 10 m/s, its level changing from row to row."""
    rows = len(north_m)
    held = {
        "phone": np.zeros(rows, np.int64),
        "time_s": np.arange(rows, dtype=float),
        "lat": np.array(north_m) * METRE,
        "lon": np.zeros(rows),
        "speed_mps": 10.0 + np.arange(rows) % 2,
        "level_dbm": -90.0 - np.arange(rows) % 2,
        "cell": np.ones(rows, np.int64),
    }
    return Trace(**held | {name: np.asarray(value) for name, value in changed.items()})


STEADY = [10.0 * second for second in range(120)]


@pytest.mark.parametrize(("off_m", "jumps"), [(160, []), (170, [5])])
def test_a_jump_is_farther_than_anything_drives_and_comes_back(off_m: float, jumps: list[int]) -> None:
    # A step of 10 m and 150 m (50 m/s for a second, and 100 m of slack), or a little more.
    north = STEADY.copy()
    north[5] += off_m
    assert np.flatnonzero(trace.jumps(drive(north))).tolist() == jumps


def test_a_leap_that_does_not_come_back_is_another_place_and_no_jump() -> None:
    assert not trace.jumps(drive([0.0, 10.0, 20.0, 5000.0, 5010.0])).any()


@pytest.mark.parametrize("phone", [[0, 0, 0, 1, 0, 0], [-1] * 6])
def test_two_phones_and_nobody_s_phone_make_no_jump(phone: list[int]) -> None:
    assert not trace.jumps(drive([0.0, 10.0, 20.0, 5000.0, 30.0, 40.0], phone=phone)).any()


def standing(rows: int, seconds: float) -> list[float]:
    return np.linspace(0, seconds, rows).tolist()


@pytest.mark.parametrize(
    ("rows", "seconds", "frozen"), [(10, 60.0, True), (10, 59.0, False), (9, 60.0, False), (61, 60.0, True)]
)
def test_a_position_that_stands_still_at_speed_is_frozen(rows: int, seconds: float, frozen: bool) -> None:
    found = trace.frozen(drive([0.0] * rows, time_s=standing(rows, seconds)))
    assert found.tolist() == [False] + [frozen] * (rows - 1)


@pytest.mark.parametrize(
    "speed", [[0.0] * 61, [2.9, 2.8] * 31, [12.5] * 61], ids=["parked", "walking pace", "one speed repeated"]
)
def test_a_parked_phone_and_a_repeated_speed_are_not_frozen(speed: list[float]) -> None:
    assert not trace.frozen(drive([0.0] * 61, speed_mps=speed[:61])).any()


def test_a_parked_phone_that_then_is_elsewhere_was_frozen() -> None:
    found = trace.frozen(drive([0.0] * 61 + [5000.0], speed_mps=[0.0] * 62))
    assert found.tolist() == [False] + [True] * 60 + [False]


@pytest.mark.parametrize(
    ("step_m", "rows", "stale"),
    [(20.0, 101, True), (19.9, 101, False), (200.0, 20, True), (200.0, 19, False)],
)
def test_cell_and_level_that_stay_the_same_over_kilometres_are_stale(
    step_m: float, rows: int, stale: bool
) -> None:
    found = trace.stale(drive([step_m * at for at in range(rows)], level_dbm=[-97.0] * rows))
    assert found.tolist() == [False] + [stale] * (rows - 1)


@pytest.mark.parametrize(("level", "cell"), [(np.nan, 1), (-97.0, -1)])
def test_an_unknown_level_or_cell_is_never_stale(level: float, cell: int) -> None:
    rows = 300
    assert not trace.stale(
        drive([20.0 * at for at in range(rows)], level_dbm=[level] * rows, cell=[cell] * rows)
    ).any()


def test_no_rows_are_no_fault() -> None:
    empty = drive([])
    assert [len(look(empty)) for look in (trace.jumps, trace.frozen, trace.stale)] == [0, 0, 0]
