"""Moments → observations: readings thinned to tests that vote, each with its level above the threshold.

Written as Ibis expressions without user functions, so that any engine runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _
from ibis.expr.types import CachedTable, Value
from ibis.expr.types import Table as Expression

from coverage import engine
from coverage.criteria import THRESHOLD_NAMES, Criteria, ThresholdName
from coverage.moments import (
    BAD,
    CROWD_KEY,
    GOOD,
    MARGIN,
    TEST_KEY,
    best_of_seconds,
    crowded,
    half_hour,
    moments,
    readings,
    without_echoes,
)
from coverage.tables import UNKNOWN_DEVICE

Stretch = tuple[int, int]  # the first and the last res-8 hex of some ground, in the order of their numbers
EVERYWHERE: Stretch = (0, 2**63 - 1)
_FEW = 1000  # hexes that are looked for one by one; more, and it is as fast to look through all
OUTCOME = {name: "fails" if name == "headline" else f"fails_{name}" for name in THRESHOLD_NAMES}


# No zone is farther from UTC: rows of later days need not be looked at to know that they are none of an earlier day.
_FARTHEST = timedelta(days=2)


def within_validity(measurements: Expression, criteria: Criteria, as_of: date) -> Expression:
    """The measurements that still count: not after `as_of`, not older than the validity window."""
    dated = measurements.mutate(local_date=_local_date(measurements, criteria))
    return dated.filter(
        _.local_date > ibis.literal(oldest(criteria, as_of)), _.local_date <= ibis.literal(as_of)
    )


def oldest(criteria: Criteria, as_of: date) -> date:
    """The last day whose measurements have expired on `as_of`."""
    return (pd.Timestamp(as_of) - pd.DateOffset(months=criteria.evidence.validity_months)).date()


def expired(measurements: Expression, criteria: Criteria, as_of: date) -> Expression:
    """How many tests of each hex and operator are too old to count: columns hex, operator, expired_tests."""
    last = oldest(criteria, as_of)
    early = measurements.filter(_.time_utc < ibis.literal(datetime.combine(last, time()) + _FARTHEST))
    dated = early.mutate(
        local_date=_local_date(early, criteria),
        hex=early[f"hex_res{criteria.hex_resolution}"],
        half_hour=half_hour(early),
    )
    old = dated.filter(_.local_date <= ibis.literal(last))
    tests = old.select("hex", *TEST_KEY).distinct()
    return tests.group_by("hex", "operator").agg(expired_tests=_.count())


def _local_date(rows: Expression, criteria: Criteria) -> Value:
    # One calendar for all uploads: a date floor must not hang on the zone in which a file was sent.
    # Where a file knew the date only, that date stands.
    shifted = (rows.time_utc + ibis.interval(minutes=round(criteria.utc_offset_hours * 60))).date()
    return (rows.time_precision == "date").ifelse(rows.local_date, shifted)


def stretches(counts: pd.DataFrame, most_rows: int | None) -> list[Stretch]:
    """Stretches of ground that together hold every measurement, with about as many in each.

    counts: columns hex_res8, rows. A stretch has at most `most_rows` (None = there is one) and what is left of its
    last hex. A test lies within one res-8 hex, so that each stretch can be observed by itself.
    """
    ordered = counts.sort_values("hex_res8")
    cells, filled = ordered["hex_res8"].to_numpy(np.int64), ordered["rows"].to_numpy(np.int64).cumsum()
    number = 1 if most_rows is None or not len(cells) else -(-int(filled[-1]) // most_rows)
    if number <= 1:
        return [EVERYWHERE]
    ends = np.unique(np.searchsorted(filled, np.arange(1, number + 1) * filled[-1] / number))
    starts = [0, *(ends[:-1] + 1)]
    return [(int(cells[start]), int(cells[end])) for start, end in zip(starts, ends, strict=True)]


def observed(
    measurements: Expression, criteria: Criteria, as_of: date, ground: Iterable[Stretch]
) -> Iterator[CachedTable]:
    """What `observe` returns, a stretch of ground at a time, or less where one does not fit in the engine's memory."""
    valid = within_validity(measurements, criteria, as_of)
    with crowded(readings(valid, criteria, as_of)).cache() as twice:
        # Both are rare, and to look for them costs more than to know that there are none.
        crowds, nameless = _parents(twice), _parents(valid.filter(_.device == UNKNOWN_DEVICE))

        def tests_in(here: Expression, stretch: Stretch) -> Expression:
            rows = readings(here, criteria, as_of)
            if len(_within(stretch, nameless)):
                rows = without_echoes(rows)
            tests = _tests(moments(rows, criteria), criteria, as_of)
            # Most phones write one row a second, and to group all by seconds would cost more than all else here.
            if len(crowd := _within(stretch, crowds)):
                near = rows.filter(_.hex_res8.isin(crowd.tolist())) if len(crowd) < _FEW else rows
                shared = best_of_seconds(near.semi_join(twice, CROWD_KEY), criteria)
                again = _tests(shared, criteria, as_of).select(*tests.columns)
                tests = tests.anti_join(twice, CROWD_KEY).union(again)
            return tests

        for stretch in ground:
            yield from _kept(valid, stretch, tests_in)


def _kept(
    valid: Expression, stretch: Stretch, tests_in: Callable[[Expression, Stretch], Expression]
) -> Iterator[CachedTable]:
    here = valid if stretch == EVERYWHERE else valid.filter(_.hex_res8.between(*stretch))
    tests = engine.cached(tests_in(here, stretch))
    if tests is not None:
        yield tests
        return
    # Where nearly each reading is a test of its own, a stretch holds many more of them than usual.
    counts = here.group_by("hex_res8").agg(rows=_.count()).execute()
    halves = stretches(counts, -(-int(counts["rows"].sum()) // 2))
    if halves in ([EVERYWHERE], [stretch]):
        yield tests_in(here, stretch).cache()  # one hex: the engine says itself how much it has
        return
    for half in halves:
        yield from _kept(valid, half, tests_in)


def _parents(rows: Expression) -> npt.NDArray[np.int64]:
    found: pd.DataFrame = rows.select("hex_res8").distinct().execute()
    return found["hex_res8"].to_numpy(np.int64)


def _within(stretch: Stretch, parents: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return parents[(parents >= stretch[0]) & (parents <= stretch[1])]


def observe(measurements: Expression, criteria: Criteria, as_of: date) -> CachedTable:
    """Tests of the contract OBSERVATIONS, one per operator, device, res-10 hex, half-hour and kind of source.

    An observation fails at a threshold where more than half of its seconds fail there, seconds with
    an unknown level counting against; it passes where at least half of the seconds with a known
    outcome pass; in between, and where no second has an outcome, it stays undecided (missing).
    """
    first, *more = observed(measurements, criteria, as_of, [EVERYWHERE])
    return ibis.union(first, *more).cache() if more else first


def _tests(seconds: Expression, criteria: Criteria, as_of: date) -> Expression:
    votes = {OUTCOME[name]: _vote(seconds, name) for name in THRESHOLD_NAMES}
    margins = {MARGIN[name]: seconds[MARGIN[name]].median() for name in THRESHOLD_NAMES}
    tests = seconds.group_by(TEST_KEY).agg(
        hex=_.hex.min(),
        hex_res9=_.hex_res9.min(),
        hex_res8=_.hex_res8.min(),
        local_date=_.local_date.min(),
        first_utc=_.second.min(),
        last_utc=_.second.max(),
        grade=_.grade.min(),
        seconds=_.count(),
        no_service_seconds=_.no_service.sum(),
        rsrp_dbm=_.rsrp_dbm.median(),
        vehicle_seconds=_.weak_in_vehicle.sum(),
        in_outage=ibis.literal(False),
        before_site=ibis.literal(False),
        **votes,
        **margins,
    )
    return tests.mutate(
        weak_in_vehicle=_.fails.isnull() & (_.vehicle_seconds > 0), weight=_weight(tests, criteria, as_of)
    ).drop("vehicle_seconds")


def _weight(tests: Expression, criteria: Criteria, as_of: date) -> Value:
    half_life = criteria.evidence.half_life_days
    if not half_life:
        return ibis.literal(1.0)
    age = ibis.literal(as_of).delta(tests.local_date, unit="day").cast("float64")
    return ibis.literal(2.0) ** (-age / half_life)


def set_aside(tests: Expression, windows: Expression, mark: str) -> Expression:
    """The observations with `mark` set inside the windows: what failed there and then is undecided.

    `tests` is OBSERVATIONS, `mark` its column in_outage or before_site, `windows` one row per hex, operator
    (missing = all), from_utc and until_utc. A pass counts all the same: the signal was there.
    """
    hit = tests.semi_join(
        windows,
        [
            tests.hex == windows.hex,
            windows.operator.isnull() | (windows.operator == tests.operator),
            tests.first_utc < windows.until_utc,
            tests.last_utc >= windows.from_utc,
        ],
    )
    marked = tests.drop(mark).left_join(hit.select(*TEST_KEY, hit=True), TEST_KEY)
    marked = marked.mutate(**{mark: marked.hit.notnull()}).select(*tests.columns)
    undecided = {}
    for name in THRESHOLD_NAMES:
        fails = marked[OUTCOME[name]] & marked[mark]
        undecided[OUTCOME[name]] = fails.ifelse(ibis.null("boolean"), marked[OUTCOME[name]])
        undecided[MARGIN[name]] = fails.ifelse(ibis.null("float64"), marked[MARGIN[name]])
    return marked.mutate(**undecided)


def _vote(seconds: Expression, name: ThresholdName) -> Value:
    fail, good = seconds[BAD[name]].sum(), seconds[GOOD[name]].sum()
    return ibis.cases(
        (fail + good == 0, ibis.null("boolean")),
        (fail * 2 > seconds.count(), True),
        (good >= fail, False),
        else_=ibis.null("boolean"),
    )
