"""Observations → what the tests of a place add up to: counts, floors, levels.

Written as Ibis expressions without user functions, so that any engine runs them; what leaves is one small
row per place and operator.
"""

from __future__ import annotations

import pandas as pd
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage import hex_sums, questions
from coverage.criteria import THRESHOLD_NAMES, Criteria, FccBadge, ThresholdName
from coverage.hex_sums import each_threshold, suffix
from coverage.moments import HALF_HOUR_S
from coverage.questions import Steps
from coverage.tables import UNKNOWN_DEVICE

_PLACE = ["place_id", "operator"]
_CLUSTER = [*_PLACE, "device", "cluster_block"]
# Sums of thirds come out in another order on another machine: so many decimals are the same everywhere.
_DECIMALS = 9


def tests_by_place(tests: Expression, place_hexes: Expression, criteria: Criteria) -> pd.DataFrame:
    """What the tests of each place's hexes add up to: one row per place_id and operator that was tested.

    `tests` is OBSERVATIONS, `place_hexes` PLACE_HEXES. Columns: those of the evidence in the headline, and,
    with the suffixes `_at_105`, `_at_121`, `_voice` and `_data_good` for the other thresholds,
    `effective_tests`, `effective_fails`, `fails` and the `fail_*` that the floors ask for, `recorded_tests`,
    `heard_devices` and `heard_calibrated` (all of sources that also write silence), `unanswered_tests` (set aside, less
    those before a new site that as many passes in their hex have answered since), and of the levels `level_margin_db`, `level_tests`, `level_variance_db2`, `level_hexes` (how many are pooled).
    Times are UTC. A place without a row was not tested.
    """
    return questions.answer(_added_up, [tests, place_hexes], criteria)


def _added_up(tests: Expression, place_hexes: Expression, criteria: Criteria) -> Steps:
    # Hex by hex first, since a hex may lie in several places; and step by step, since all in one is planned badly.
    sizes = place_hexes.group_by("place_id").agg(hexes=_.hex.nunique())
    ground = yield place_hexes.select("place_id", "hex").distinct().inner_join(sizes, "place_id")
    marked = hex_sums.marked(tests.semi_join(ground, "hex"))
    bundles = yield _in_places((yield hex_sums.bundles(marked)), ground)
    counts, days, spots = (
        _in_places((yield hex_sums.counts(marked)), ground),
        _in_places((yield hex_sums.days(marked)), ground),
        _in_places((yield hex_sums.spots(marked)), ground),
    )
    found = yield _summary(counts, _middles(marked.inner_join(ground, "hex")))
    devices, clusters = (yield _of_devices(bundles)), (yield _clusters(bundles, criteria))
    weighed = yield _weighed(bundles, clusters)
    for part in (
        devices,
        (yield _of_occasions(bundles)),
        (yield _of_dates(days)),
        (yield _how_many(spots, "hex_res10")),
        (yield _counted(bundles)),
        (yield _effective(clusters)),
        (yield _levels(weighed, criteria)),
    ):
        found = _beside(found, part)
    # A place that only phones without a name tested has no row of devices.
    none = {column: 0 for column in devices.columns if column not in _PLACE}
    return found.fill_null(none).order_by(_PLACE)


def _in_places(of_hexes: Expression, ground: Expression) -> Expression:
    return of_hexes.inner_join(ground, "hex")


def _summary(counts: Expression, middles: Expression) -> Expression:
    lowest = {"first_test_utc", "best_grade", *each_threshold(lambda name: {"first_fail": _})}
    highest = {"last_test_utc", *each_threshold(lambda name: {"last_fail": _})}
    added = [
        column for column in counts.columns if column not in {*_PLACE, "hex", "hexes", *lowest, *highest}
    ]
    found = counts.group_by(_PLACE).agg(
        **{column: counts[column].sum() for column in added},
        **{column: counts[column].min() for column in lowest},
        **{column: counts[column].max() for column in highest},
    )
    spans = each_threshold(lambda name: {"fail_span_s": _span_s(found, suffix(name))})
    told = found.mutate(no_service_share=found.silent_tests / found.tests.nullif(0), **spans)
    return _beside(told, middles).drop(
        "silent_tests", *each_threshold(lambda name: {"first_fail": _, "last_fail": _})
    )


def _span_s(found: Expression, ending: str) -> Value:
    span = found[f"last_fail{ending}"] - found[f"first_fail{ending}"]
    return (span * HALF_HOUR_S).coalesce(0)


def _middles(pooled: Expression) -> Expression:
    return pooled.filter(_.decided).group_by(_PLACE).agg(median_rsrp_dbm=_.rsrp_dbm.median())


def _clusters(bundles: Expression, criteria: Criteria) -> Expression:
    # A cluster is what may fail together: the tests of one phone, of a calibrated device those of one occasion.
    # m tests of one cluster count as m / (1 + (m - 1) rho): 10 -> 2.7, 30 -> 3.1. Old tests make m smaller as they
    # themselves fade, so that they never take weight from new ones.
    added = [
        f"{kind}{suffix(name)}" for name in THRESHOLD_NAMES for kind in ("of_tests", "of_fails", "of_levels")
    ]
    found = bundles.group_by(_CLUSTER).agg(**{column: bundles[column].sum() for column in added})

    def thinned(name: ThresholdName) -> dict[str, Value]:
        m, fails, levels = (found[f"{kind}{suffix(name)}"] for kind in ("of_tests", "of_fails", "of_levels"))
        by_test, by_level = (1.0 + (n - 1.0).clip(lower=0.0) * criteria.evidence.rho for n in (m, levels))
        return {"effective_tests": m / by_test, "effective_fails": fails / by_test, "by_level": by_level}

    return found.mutate(**each_threshold(thinned)).drop(added)


def _weighed(bundles: Expression, clusters: Expression) -> Expression:
    # The bundles with the weights of their levels, thinned by cluster as tests are.
    thin = bundles.inner_join(clusters, _CLUSTER)

    def weights(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        by_level = thin[f"by_level{end}"]
        return {
            "of_levels": thin[f"of_levels{end}"] / by_level,
            "of_margins": thin[f"of_margins{end}"] / by_level,
            "of_squares": thin[f"of_squares{end}"] / (by_level * by_level),
            "heard": thin[f"levels{end}"] > 0,
        }

    return thin.select(*_PLACE, "hex", "hexes", "device", "calibrated", "block", **each_threshold(weights))


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

    each = known.group_by(*_PLACE, "device").agg(devices=_.tests.sum() > 0, **each_threshold(of_one))
    return _how_many(each, "device")


def _of_occasions(bundles: Expression) -> Expression:
    return _how_many(bundles.group_by(*_PLACE, "block").agg(occasions=_.tests.sum() > 0), "block")


def _of_dates(days: Expression) -> Expression:
    flags = ["dates", *each_threshold(lambda name: {"fail_dates": _})]
    each = days.group_by(*_PLACE, "local_date").agg(**{flag: days[flag].any() for flag in flags})
    return _how_many(each, "local_date")


def _how_many(each: Expression, what: str) -> Expression:
    # Of each flag, at how many phones (days, spots) of a place it is set.
    flags = [column for column in each.columns if column not in {*_PLACE, "hex", "hexes", what}]
    return each.group_by(_PLACE).agg(**{flag: each[flag].sum() for flag in flags})


def _counted(bundles: Expression) -> Expression:
    columns = each_threshold(
        lambda name: {"recorded_tests": f"recorded{suffix(name)}", "fails": f"fails{suffix(name)}"}
    )
    return bundles.group_by(_PLACE).agg(**{name: bundles[column].sum() for name, column in columns.items()})


def _effective(clusters: Expression) -> Expression:
    columns = each_threshold(lambda name: {"effective_tests": name, "effective_fails": name})
    return clusters.group_by(_PLACE).agg(
        **{column: clusters[column].sum().round(_DECIMALS) for column in columns}
    )


def _levels(weighed: Expression, criteria: Criteria) -> Expression:
    def totals(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        of_levels = weighed[f"of_levels{end}"].sum()
        return {
            "level_tests": of_levels.round(_DECIMALS),
            "level_margin_db": (weighed[f"of_margins{end}"].sum() / of_levels.nullif(0.0)).round(_DECIMALS),
            "level_hexes": weighed.hexes.max(where=weighed[f"heard{end}"]),
            "tests_db2": weighed[f"of_squares{end}"].sum() * criteria.levels.test_db**2,
        }

    found = weighed.group_by(_PLACE).agg(**each_threshold(totals))
    for spread in (_phones(weighed, criteria), _occasions(weighed, criteria), _hexes(weighed, criteria)):
        found = _beside(found, spread)

    # How far the mean margin may be off: phones, occasions and hexes that are few count as few, however many tests
    # they gave. (sum w)² / sum of squares is their effective number.
    def variance(name: ThresholdName) -> dict[str, Value]:
        end = suffix(name)
        total = found[f"level_tests{end}"].nullif(0.0)
        kinds = ("phones_db2", "occasions_db2", "hexes_db2", "tests_db2")
        summed = sum((found[f"{kind}{end}"] for kind in kinds[1:]), found[f"{kinds[0]}{end}"])
        return {"level_variance_db2": (summed / (total * total)).round(_DECIMALS)}

    told = found.mutate(**each_threshold(variance))
    return told.drop(*(column for column in told.columns if "s_db2" in column))


def _beside(found: Expression, more: Expression) -> Expression:
    return found.left_join(more, _PLACE).drop("place_id_right", "operator_right")


def _phones(weighed: Expression, criteria: Criteria) -> Expression:
    # A calibrated device has no offset of its own.
    def of_one(name: ThresholdName) -> dict[str, Value]:
        w = weighed[f"of_levels{suffix(name)}"]
        return {"phones_db2": w.sum() * weighed.calibrated.ifelse(0.0, w).sum()}

    return _added(
        weighed.group_by(*_PLACE, "device").agg(**each_threshold(of_one)), criteria.levels.device_db
    )


def _occasions(weighed: Expression, criteria: Criteria) -> Expression:
    def of_one(name: ThresholdName) -> dict[str, Value]:
        together = weighed[f"of_levels{suffix(name)}"].sum()
        return {"occasions_db2": together * together}

    return _added(
        weighed.group_by(*_PLACE, "device", "block").agg(**each_threshold(of_one)),
        criteria.levels.occasion_db,
    )


def _hexes(weighed: Expression, criteria: Criteria) -> Expression:
    # A hex judged alone has no others to differ from.
    def of_one(name: ThresholdName) -> dict[str, Value]:
        together = (weighed.hexes > 1).ifelse(weighed[f"of_levels{suffix(name)}"], 0.0).sum()
        return {"hexes_db2": together * together}

    return _added(weighed.group_by(*_PLACE, "hex").agg(**each_threshold(of_one)), criteria.levels.hex_db)


def _added(each: Expression, spread_db: float) -> Expression:
    squares = [column for column in each.columns if "s_db2" in column]
    return each.group_by(_PLACE).agg(**{column: each[column].sum() * spread_db**2 for column in squares})


def hexes_as_places(tests: Expression) -> Expression:
    """Each measured hex as a place of its own (PLACE_HEXES, place_id = the hex's decimal digits)."""
    cells = tests.select("hex").distinct()
    return cells.select(place_id=cells.hex.cast("string"), hex=cells.hex.cast("int64"))


def hexes_of_parents(tests: Expression) -> Expression:
    """Each measured hex with every measured hex of its resolution-8 parent (PLACE_HEXES): the FCC's cell."""
    cells = tests.select("hex", "hex_res8").distinct()
    both = cells.inner_join(cells.view(), "hex_res8")
    return both.select(place_id=both.hex.cast("string"), hex=both.hex_right.cast("int64")).distinct()


def fcc_grades(tests: Expression, place_hexes: Expression, badge: FccBadge) -> pd.DataFrame:
    """Which places hold fails enough for the FCC's badge: columns place_id, operator, fcc_grade, true only.

    Point-hexes are those of resolution 9.
    """
    heard = tests.filter(tests.fails.notnull(), ~tests.positive_only)
    by_hex = heard.group_by("hex", "operator", "hex_res9").agg(tests=_.count(), fails=_.fails.sum())
    decided = by_hex.inner_join(place_hexes.select("place_id", "hex"), "hex")
    points = decided.group_by(*_PLACE, "hex_res9").agg(tests=_.tests.sum(), fails=_.fails.sum())
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
