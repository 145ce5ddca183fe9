"""What would change a verdict: how many more fails would accuse a place, how many more passes would clear it.

Asked of the rule itself, one imagined test after another, never of a formula beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage.criteria import Criteria
from coverage.verdicts import Flags, one_test_db2, verdict

_MOST = 30
# What a verdict hangs on at the headline; imagined tests are asked of these columns alone.
_ASKED = [
    *(
        "effective_tests",
        "effective_fails",
        "fails",
        "fail_devices",
        "fail_calibrated",
        "fail_dates",
        "fail_hexes",
    ),
    *("fail_span_s", "unanswered_tests", "heard_devices", "heard_calibrated"),
    *("level_tests", "level_margin_db", "level_variance_db2", "level_hexes"),
]
# A pass that leaves little doubt, in dB above the threshold: two spreads of a single test.
CLEAN_PASS_DB = 10.0
_DAY_S = 24 * 3600
Ints = npt.NDArray[np.int64]


def with_changes(judged: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """The rows with `fails_to_dead`, `passes_to_covered` and `tests_to_overturn` of the contract; missing = none within 30.

    `judged` is what `verdicts.judge` returns. The imagined tests are of the best kind: each of another phone, on
    another day, at another spot, by a source that also writes silence.
    """
    is_dead = (judged["verdict"] == "dead_zone").to_numpy()
    is_covered = (judged["verdict"] == "covered").to_numpy()
    found = judged.copy()

    def says(rows: pd.DataFrame, what: str) -> Flags:
        said: Flags = np.equal(verdict(rows, criteria, ""), what)
        return said

    found["fails_to_dead"] = _least(
        judged, ~is_dead, lambda rows, j: says(_with_fails(rows, j, criteria), "dead_zone")
    )
    found["passes_to_covered"] = _least(
        judged, ~is_covered, lambda rows, j: says(_with_passes(rows, j, criteria), "covered")
    )
    ends = _least(judged, is_dead, lambda rows, j: ~says(_with_passes(rows, j, criteria), "dead_zone"))
    doubts = _least(judged, is_covered, lambda rows, j: ~says(_with_fails(rows, j, criteria), "covered"))
    found["tests_to_overturn"] = ends.fillna(doubts)
    return found


def _least(
    judged: pd.DataFrame, asked: Flags, holds: Callable[[pd.DataFrame, Ints], Flags]
) -> pd.Series[int]:
    # The least number of imagined tests with which it holds: halving, since more of them never undo it.
    rows = judged.loc[asked, _ASKED]
    low, high = np.zeros(len(rows), np.int64), np.full(len(rows), _MOST + 1, np.int64)
    while len(rows) and (high - low > 1).any():
        middle = (low + high) // 2
        yes = holds(rows, middle)
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    numbers = pd.Series(high, index=rows.index, dtype="Int64")
    return numbers.where(numbers <= _MOST).reindex(judged.index)


def _with_fails(rows: pd.DataFrame, more: Ints, criteria: Criteria) -> pd.DataFrame:
    some = more > 0
    # One more day makes two occasions, unless nothing had failed yet.
    longer = some & ((rows["fails"] > 0) | (more > 1))
    span = np.where(longer, np.fmax(rows["fail_span_s"], _DAY_S), rows["fail_span_s"])
    failed = ("effective_fails", "fail_devices", "fail_dates", "fail_hexes")
    tested = _tested(rows, more, criteria.levels.silent_margin_db, criteria)
    return tested.assign(fail_span_s=span, **{column: rows[column] + more for column in failed})


def _with_passes(rows: pd.DataFrame, more: Ints, criteria: Criteria) -> pd.DataFrame:
    return _tested(rows, more, CLEAN_PASS_DB, criteria)


def _tested(rows: pd.DataFrame, more: Ints, margin_db: float, criteria: Criteria) -> pd.DataFrame:
    # So many more tests at that margin, each of another phone on an occasion of its own.
    spread = criteria.levels
    before = rows["level_tests"]
    after = before + more
    one_db2 = spread.device_db**2 + one_test_db2((rows["level_hexes"] > 1).to_numpy(), spread)
    known = rows["level_variance_db2"].fillna(0.0) * before**2
    margin = (rows["level_margin_db"].fillna(0.0) * before + margin_db * more) / after.where(after > 0)
    return rows.assign(
        effective_tests=rows["effective_tests"] + more,
        heard_devices=rows["heard_devices"] + more,
        level_tests=after,
        level_margin_db=margin,
        level_variance_db2=(known + one_db2 * more) / after.where(after > 0) ** 2,
    )
