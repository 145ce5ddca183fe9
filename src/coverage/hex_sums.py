"""Observations → what the tests of each hex add up to, all that any place needs which holds the hex.

Written as Ibis expressions without user functions, so that any engine runs them.
"""

from __future__ import annotations

from collections.abc import Callable

from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage.criteria import THRESHOLD_NAMES, ThresholdName
from coverage.moments import MARGIN
from coverage.observations import OUTCOME
from coverage.tables import GRADES

_FOUR_HOURS_S = 4 * 3600
# Tests of one phone, on one occasion, in one hex, weigh alike but for their age.
_ANY_BLOCK = -1
_BUNDLE = ["hex", "operator", "device", "calibrated", "block"]


def suffix(name: ThresholdName) -> str:
    """What the columns of a threshold end in: nothing for the headline."""
    return "" if name == "headline" else f"_{name}"


def each_threshold(named: Callable[[ThresholdName], dict[str, Value]]) -> dict[str, Value]:
    """The columns of every threshold, each with its suffix."""
    return {
        f"{column}{suffix(name)}": value for name in THRESHOLD_NAMES for column, value in named(name).items()
    }


def marked(tests: Expression) -> Expression:
    """OBSERVATIONS with what the sums ask of each: its occasion, whether it is set aside, decided, counted, failed."""
    return tests.mutate(
        block=(tests.first_utc.epoch_seconds() // _FOUR_HOURS_S).cast("int64"),
        aside=tests.in_outage | tests.before_site,
        decided=tests.fails.notnull(),
        # A source that never writes silence passes wherever it speaks: counted, its passes would hide dead places.
        **each_threshold(lambda name: {"counted": tests[OUTCOME[name]].notnull() & ~tests.positive_only}),
        **each_threshold(
            lambda name: {"failed": tests[OUTCOME[name]].fill_null(False) & ~tests.positive_only}
        ),
    )


def counts(marked: Expression) -> Expression:
    """Of each hex and operator how many tests of each kind, their first and last, their best grade.

    Every count is of the tests that are decided at the headline; a hex without any keeps its row where the other
    thresholds decide, or where its tests were set aside.
    """
    other = marked.aside | marked.weak_in_vehicle
    for name in THRESHOLD_NAMES[1:]:
        other |= marked[OUTCOME[name]].notnull()
    heard = marked.filter(marked.decided | other)
    aside = ~heard.decided & ~heard.weak_in_vehicle
    return heard.group_by("hex", "operator").agg(
        tests=_.decided.sum(),
        first_test_utc=_.first_utc.min(where=heard.decided),
        last_test_utc=_.last_utc.max(where=heard.decided),
        silent_tests=((_.no_service_seconds * 2 > _.seconds) & _.decided).sum(),
        best_grade=_.grade.min(where=heard.decided),
        positive_only_tests=(_.positive_only & _.decided).sum(),
        outage_tests=(heard.in_outage & aside).sum(),
        pre_change_tests=(heard.before_site & aside).sum(),
        vehicle_tests=_.weak_in_vehicle.sum(),
        **{f"grade_{grade}": ((_.grade == at) & _.decided).sum() for at, grade in enumerate(GRADES, 1)},
        # The floors count fails only, so that adding a pass never creates a gap. Their span too: it is counted in
        # half-hours of the clock, which no passing second inside one can stretch.
        **each_threshold(
            lambda name: {"first_fail": heard.half_hour.min(where=heard[f"failed{suffix(name)}"])}
        ),
        **each_threshold(
            lambda name: {"last_fail": heard.half_hour.max(where=heard[f"failed{suffix(name)}"])}
        ),
        **each_threshold(lambda name: {"unanswered_tests": _unanswered(heard, name)}),
    )


def _unanswered(heard: Expression, name: ThresholdName) -> Value:
    # What an outage or an older network explains accuses nobody; it also may not be forgotten when clearing. A pass in
    # the hex since the site went on air answers one test of before. No pass answers an outage's: who names the times of
    # outages could choose just those at which a place failed.
    aside = heard.aside & heard[OUTCOME[name]].isnull()
    passed = heard[f"counted{suffix(name)}"] & ~heard[f"failed{suffix(name)}"]
    before, since = (aside & ~heard.in_outage).sum(), (passed & ~heard.before_site).sum()
    return (aside & heard.in_outage).sum() + (before - since).clip(lower=0)


def bundles(marked: Expression) -> Expression:
    """Of each hex, operator, device and occasion what weighs alike, added up: weights of tests, of fails and of levels."""

    def sums(name: ThresholdName) -> dict[str, Value]:
        counted, failed = marked[f"counted{suffix(name)}"], marked[f"failed{suffix(name)}"]
        margin = marked[MARGIN[name]]
        leveled = margin.notnull().ifelse(marked.weight, 0.0)
        return {
            "recorded": counted.sum(),
            "fails": failed.sum(),
            "of_tests": counted.ifelse(marked.weight, 0.0).sum(),
            "of_fails": failed.ifelse(marked.weight, 0.0).sum(),
            "of_levels": leveled.sum(),
            "of_squares": (leveled * leveled).sum(),
            "of_margins": (marked.weight * margin).sum().coalesce(0.0),
            "levels": margin.count(),
        }

    # What a calibrated device measures on one occasion hangs together, of any other phone all that it measures.
    occasion = marked.mutate(cluster_block=marked.calibrated.ifelse(marked.block, _ANY_BLOCK))
    return occasion.group_by(*_BUNDLE, "cluster_block").agg(
        tests=marked.decided.sum(), **each_threshold(sums)
    )


def days(marked: Expression) -> Expression:
    """Of each hex, operator and date whether any test is decided, and whether any failed."""
    fails = each_threshold(lambda name: {"fail_dates": marked[f"failed{suffix(name)}"].any()})
    return marked.group_by("hex", "operator", "local_date").agg(dates=_.decided.any(), **fails)


def spots(marked: Expression) -> Expression:
    """Of each res-10 hex and operator whether any test failed."""
    fails = each_threshold(lambda name: {"fail_hexes": marked[f"failed{suffix(name)}"].any()})
    return marked.group_by("hex", "operator", "hex_res10").agg(**fails)
