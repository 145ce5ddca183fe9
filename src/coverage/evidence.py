"""Observations → what the tests of a place add up to: counts, floors, levels.

Written as Ibis expressions without user functions, so that any engine runs them; what leaves is one small
row per place and operator.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage import questions
from coverage.criteria import THRESHOLD_NAMES, Criteria, FccBadge, ThresholdName
from coverage.moments import HALF_HOUR_S, MARGIN
from coverage.observations import OUTCOME
from coverage.questions import Steps
from coverage.tables import GRADES, UNKNOWN_DEVICE

_FOUR_HOURS_S = 4 * 3600
_PLACE = ["place_id", "operator"]
# Tests of one phone, on one occasion, in one hex, weigh alike but for their age.
_BUNDLE = [*_PLACE, "device", "calibrated", "block", "hex"]
# Sums of thirds come out in another order on another machine: so many decimals are the same everywhere.
_DECIMALS = 9


def tests_by_place(tests: Expression, place_hexes: Expression, criteria: Criteria) -> pd.DataFrame:
    """What the tests of each place's hexes add up to: one row per place_id and operator that was tested.

    `tests` is OBSERVATIONS, `place_hexes` PLACE_HEXES. Columns: those of the evidence in the headline, and,
    with the suffixes `_at_105`, `_at_121`, `_voice` and `_data_good` for the other thresholds,
    `effective_tests`, `effective_fails`, `fails` and the `fail_*` that the floors ask for, `recorded_tests`,
    `heard_devices` and `heard_calibrated` (all of sources that also write silence), `aside_tests` (set aside), and
    of the levels `level_margin_db`, `level_tests`, `level_variance_db2`, `level_hexes` (how many are pooled).
    Times are UTC. A place without a row was not tested.
    """
    return questions.answer(_added_up, [tests, place_hexes], criteria)


def _added_up(tests: Expression, place_hexes: Expression, criteria: Criteria) -> Steps:
    # All in one is planned badly.
    pooled = yield _pooled(tests, place_hexes)
    bundles = yield _bundles(pooled)
    found, devices = (yield _summary(pooled)), (yield _of_devices(bundles))
    occasions, dates, spots = (
        (yield _of_occasions(bundles)),
        (yield _of_dates(pooled)),
        (yield _of_spots(pooled)),
    )
    evidence = yield _evidence((yield _weighed(bundles, criteria)), criteria)
    for part in (devices, occasions, dates, spots, evidence):
        found = found.left_join(part, _PLACE).drop("place_id_right", "operator_right")
    # A place that only phones without a name tested has no row of devices.
    none = {column: 0 for column in devices.columns if column not in _PLACE}
    return found.fill_null(none).order_by(_PLACE)


def suffix(name: ThresholdName) -> str:
    """What the columns of a threshold end in: nothing for the headline."""
    return "" if name == "headline" else f"_{name}"


def _each(named: Callable[[ThresholdName], dict[str, Value]]) -> dict[str, Value]:
    # The columns of every threshold, each with its suffix.
    return {
        f"{column}{suffix(name)}": value for name in THRESHOLD_NAMES for column, value in named(name).items()
    }


def _pooled(tests: Expression, place_hexes: Expression) -> Expression:
    sizes = place_hexes.group_by("place_id").agg(hexes=_.hex.nunique())
    pooled = tests.inner_join(place_hexes.select("place_id", "hex"), "hex").inner_join(sizes, "place_id")
    return pooled.mutate(
        block=(pooled.first_utc.epoch_seconds() // _FOUR_HOURS_S).cast("int64"),
        aside=pooled.in_outage | pooled.before_site,
        # A source that never writes silence passes wherever it speaks: counted, its passes would hide dead places.
        **_each(lambda name: {"counted": pooled[OUTCOME[name]].notnull() & ~pooled.positive_only}),
        **_each(lambda name: {"failed": pooled[OUTCOME[name]].fill_null(False) & ~pooled.positive_only}),
    )


def _summary(pooled: Expression) -> Expression:
    # Every count is of the tests that are decided at the headline; a place without any keeps its row
    # where the other thresholds decide, or where its tests were set aside.
    other = pooled.aside | pooled.weak_in_vehicle
    for name in THRESHOLD_NAMES[1:]:
        other |= pooled[OUTCOME[name]].notnull()
    heard = pooled.mutate(decided=_.fails.notnull()).filter(_.decided | other)
    mostly_silent = (heard.no_service_seconds * 2 > heard.seconds).ifelse(1.0, 0.0)
    return heard.group_by(_PLACE).agg(
        tests=_.decided.sum(),
        first_test_utc=_.first_utc.min(where=heard.decided),
        last_test_utc=_.last_utc.max(where=heard.decided),
        median_rsrp_dbm=heard.decided.ifelse(heard.rsrp_dbm, ibis.null("float64")).median(),
        no_service_share=mostly_silent.mean(where=heard.decided),
        best_grade=_.grade.min(where=heard.decided),
        positive_only_tests=(_.positive_only & _.decided).sum(),
        outage_tests=(_.in_outage & ~_.decided & ~_.weak_in_vehicle).sum(),
        pre_change_tests=(_.before_site & ~_.decided & ~_.weak_in_vehicle).sum(),
        vehicle_tests=_.weak_in_vehicle.sum(),
        **{f"grade_{grade}": ((_.grade == at) & _.decided).sum() for at, grade in enumerate(GRADES, 1)},
        # The floors count fails only, so that adding a pass never creates a gap. Their span too: it is counted in
        # half-hours of the clock, which no passing second inside one can stretch.
        **_each(lambda name: {"fail_span_s": _span_s(heard, heard[f"failed{suffix(name)}"])}),
        # What an outage or an older network explains accuses nobody; it also may not be forgotten when clearing.
        **_each(lambda name: {"aside_tests": (heard.aside & heard[OUTCOME[name]].isnull()).sum()}),
    )


def _span_s(rows: Expression, where: Value) -> Value:
    span = rows.half_hour.max(where=where) - rows.half_hour.min(where=where)
    return (span * HALF_HOUR_S).coalesce(0)


def _bundles(pooled: Expression) -> Expression:
    # What weighs alike, added up: weights of tests, of fails and of levels. All that follows is small.
    def sums(name: ThresholdName) -> dict[str, Value]:
        counted, failed = pooled[f"counted{suffix(name)}"], pooled[f"failed{suffix(name)}"]
        margin = pooled[MARGIN[name]]
        leveled = margin.notnull().ifelse(pooled.weight, 0.0)
        return {
            "recorded": counted.sum(),
            "fails": failed.sum(),
            "of_tests": counted.ifelse(pooled.weight, 0.0).sum(),
            "of_fails": failed.ifelse(pooled.weight, 0.0).sum(),
            "of_levels": leveled.sum(),
            "of_squares": (leveled * leveled).sum(),
            "of_margins": (pooled.weight * margin).sum().coalesce(0.0),
            "levels": margin.count(),
        }

    return pooled.group_by(_BUNDLE).agg(decided=pooled.fails.count(), hexes=_.hexes.max(), **_each(sums))


def _weighed(bundles: Expression, criteria: Criteria) -> Expression:
    # A cluster is what may fail together: the tests of one phone, of a calibrated device those of one occasion.
    # m tests of one cluster count as m / (1 + (m - 1) rho): 10 -> 2.7, 30 -> 3.1. Old tests make m smaller as they
    # themselves fade, so that they never take weight from new ones.
    bundles = bundles.mutate(cluster_block=bundles.calibrated.ifelse(bundles.block, ibis.literal(-1)))
    cluster = ibis.window(group_by=[*_PLACE, "device", "cluster_block"])

    def thinning(name: ThresholdName) -> dict[str, Value]:
        kinds = {"test": "of_tests", "level": "of_levels"}
        together = {
            kind: bundles[f"{column}{suffix(name)}"].sum().over(cluster) for kind, column in kinds.items()
        }
        return {
            f"by_{kind}": 1.0 + (m - 1.0).clip(lower=0.0) * criteria.evidence.rho
            for kind, m in together.items()
        }

    thin = bundles.mutate(**_each(thinning))

    def weights(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        by_test, by_level = thin[f"by_test{end}"], thin[f"by_level{end}"]
        return {
            "of_tests": thin[f"of_tests{end}"] / by_test,
            "of_fails": thin[f"of_fails{end}"] / by_test,
            "of_levels": thin[f"of_levels{end}"] / by_level,
            "of_margins": thin[f"of_margins{end}"] / by_level,
            "of_squares": thin[f"of_squares{end}"] / (by_level * by_level),
        }

    return thin.mutate(**_each(weights))


def _of_devices(bundles: Expression) -> Expression:
    known = bundles.filter(_.device != UNKNOWN_DEVICE)

    def of_one(name: ThresholdName) -> dict[str, Value]:
        recorded, fails = known[f"recorded{suffix(name)}"], known[f"fails{suffix(name)}"]
        return {
            "heard_devices": recorded.sum() > 0,
            "heard_calibrated": known.calibrated.ifelse(recorded, 0).sum() > 0,
            "fail_devices": fails.sum() > 0,
            "fail_calibrated": known.calibrated.ifelse(fails, 0).sum() > 0,
        }

    each = known.group_by(*_PLACE, "device").agg(devices=_.decided.sum() > 0, **_each(of_one))
    return _how_many(each, "device")


def _of_occasions(bundles: Expression) -> Expression:
    return _how_many(bundles.group_by(*_PLACE, "block").agg(occasions=_.decided.sum() > 0), "block")


def _of_dates(pooled: Expression) -> Expression:
    fails = _each(lambda name: {"fail_dates": pooled[f"failed{suffix(name)}"].any()})
    return _how_many(
        pooled.group_by(*_PLACE, "local_date").agg(dates=_.fails.count() > 0, **fails), "local_date"
    )


def _of_spots(pooled: Expression) -> Expression:
    fails = _each(lambda name: {"fail_hexes": pooled[f"failed{suffix(name)}"].any()})
    return _how_many(pooled.group_by(*_PLACE, "hex_res10").agg(**fails), "hex_res10")


def _how_many(each: Expression, what: str) -> Expression:
    # Of each flag, at how many phones (days, spots) of a place it is set.
    flags = [column for column in each.columns if column not in {*_PLACE, what}]
    return each.group_by(_PLACE).agg(**{flag: each[flag].sum() for flag in flags})


def _evidence(weighed: Expression, criteria: Criteria) -> Expression:
    def totals(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        of_levels = weighed[f"of_levels{end}"].sum()
        return {
            "effective_tests": weighed[f"of_tests{end}"].sum().round(_DECIMALS),
            "effective_fails": weighed[f"of_fails{end}"].sum().round(_DECIMALS),
            "recorded_tests": weighed[f"recorded{end}"].sum(),
            "fails": weighed[f"fails{end}"].sum(),
            "level_tests": of_levels.round(_DECIMALS),
            "level_margin_db": (weighed[f"of_margins{end}"].sum() / of_levels.nullif(0.0)).round(_DECIMALS),
            "level_hexes": weighed.hexes.max(where=weighed[f"levels{end}"] > 0),
            "tests_db2": weighed[f"of_squares{end}"].sum() * criteria.levels.test_db**2,
        }

    found = weighed.group_by(_PLACE).agg(**_each(totals))
    for spread in (_phones(weighed, criteria), _occasions(weighed, criteria), _hexes(weighed, criteria)):
        found = found.left_join(spread, _PLACE).drop("place_id_right", "operator_right")

    # How far the mean margin may be off: phones, occasions and hexes that are few count as few, however many tests
    # they gave. (sum w)² / sum of squares is their effective number.
    def variance(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        total = found[f"level_tests{end}"].nullif(0.0)
        kinds = ("phones_db2", "occasions_db2", "hexes_db2", "tests_db2")
        summed = sum((found[f"{kind}{end}"] for kind in kinds[1:]), found[f"{kinds[0]}{end}"])
        return {"level_variance_db2": (summed / (total * total)).round(_DECIMALS)}

    told = found.mutate(**_each(variance))
    return told.drop(*(column for column in told.columns if "s_db2" in column))


def _phones(weighed: Expression, criteria: Criteria) -> Expression:
    # A calibrated device has no offset of its own.
    def of_one(name: ThresholdName) -> dict[str, Value]:
        w = weighed[f"of_levels{suffix(name)}"]
        return {"phones_db2": w.sum() * weighed.calibrated.ifelse(0.0, w).sum()}

    return _added(weighed.group_by(*_PLACE, "device").agg(**_each(of_one)), criteria.levels.device_db)


def _occasions(weighed: Expression, criteria: Criteria) -> Expression:
    def of_one(name: ThresholdName) -> dict[str, Value]:
        together = weighed[f"of_levels{suffix(name)}"].sum()
        return {"occasions_db2": together * together}

    return _added(
        weighed.group_by(*_PLACE, "device", "block").agg(**_each(of_one)), criteria.levels.occasion_db
    )


def _hexes(weighed: Expression, criteria: Criteria) -> Expression:
    # A hex judged alone has no others to differ from.
    def of_one(name: ThresholdName) -> dict[str, Value]:
        together = (weighed.hexes > 1).ifelse(weighed[f"of_levels{suffix(name)}"], 0.0).sum()
        return {"hexes_db2": together * together}

    return _added(weighed.group_by(*_PLACE, "hex").agg(**_each(of_one)), criteria.levels.hex_db)


def _added(each: Expression, spread_db: float) -> Expression:
    squares = [column for column in each.columns if "s_db2" in column]
    return each.group_by(_PLACE).agg(**{column: each[column].sum() * spread_db**2 for column in squares})


def hexes_as_places(tests: Expression) -> Expression:
    """Each measured hex as a place of its own (PLACE_HEXES, place_id = the hex's decimal digits)."""
    return tests.select(place_id=tests.hex.cast("string"), hex=tests.hex).distinct()


def hexes_of_parents(tests: Expression) -> Expression:
    """Each measured hex with every measured hex of its resolution-8 parent (PLACE_HEXES): the FCC's cell."""
    cells = tests.select("hex", "hex_res8").distinct()
    both = cells.inner_join(cells.view(), "hex_res8")
    return both.select(place_id=both.hex.cast("string"), hex=both.hex_right).distinct()


def fcc_grades(tests: Expression, place_hexes: Expression, badge: FccBadge) -> pd.DataFrame:
    """Which places hold fails enough for the FCC's badge: columns place_id, operator, fcc_grade, true only.

    Point-hexes are those of resolution 9.
    """
    heard = tests.filter(tests.fails.notnull(), ~tests.positive_only)
    decided = heard.inner_join(place_hexes.select("place_id", "hex"), "hex")
    points = decided.group_by(*_PLACE, "hex_res9").agg(tests=_.count(), fails=_.fails.sum())
    points = points.mutate(dense=(_.tests >= badge.tests_per_hex) & (_.fails >= 1))
    cells = points.group_by(_PLACE).agg(points=_.dense.sum(), fails=_.fails.sum())
    held = cells.filter(_.points >= badge.point_hexes, _.fails >= badge.fails)
    found: pd.DataFrame = held.select(*_PLACE).mutate(fcc_grade=True).execute()
    return found


def expired_by_place(expired: Expression, place_hexes: Expression) -> pd.DataFrame:
    """How many tests of each place are too old to count: place_id, operator, expired_tests; none: no row.

    `expired` is what `observations.expired` returns, `place_hexes` PLACE_HEXES.
    """
    joined = expired.inner_join(place_hexes.select("place_id", "hex"), "hex")
    found: pd.DataFrame = joined.group_by(_PLACE).agg(expired_tests=_.expired_tests.sum()).execute()
    return found
