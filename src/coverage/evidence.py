"""Observations → what the tests of a place add up to: counts, floors, levels.

Written as Ibis expressions without user functions, so that any engine runs them; what leaves is one small
row per place and operator.
"""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage.criteria import THRESHOLD_NAMES, Criteria, FccBadge, ThresholdName
from coverage.observations import HALF_HOUR_S, MARGIN, OUTCOME
from coverage.tables import GRADES, UNKNOWN_DEVICE

_FOUR_HOURS_S = 4 * 3600
_PLACE = ["place_id", "operator"]
_JUDGED = [*_PLACE, "threshold"]
_ASKED = (
    *(*_JUDGED, "failed", "margin", "device", "known", "calibrated", "positive_only", "block", "day"),
    *("half_hour", "hex", "hex_res10", "hexes", "weight", "aside"),
)
# What a place without a row of that kind has: none.
_COUNTED = ("effective", "fail", "recorded", "heard", "aside", "level_tests")


def tests_by_place(tests: Expression, place_hexes: Expression, criteria: Criteria) -> pd.DataFrame:
    """What the tests of each place's hexes add up to: one row per place_id and operator that was tested.

    `tests` is OBSERVATIONS, `place_hexes` PLACE_HEXES. Columns: those of the evidence in the headline, and,
    with the suffixes `_at_105`, `_at_121`, `_voice` and `_data_good` for the other thresholds,
    `effective_tests`, `effective_fails`, `fails` and the `fail_*` that the floors ask for, `recorded_tests`,
    `heard_devices` and `heard_calibrated` (all of sources that also write silence), `aside_tests` (set aside), and
    of the levels `level_margin_db`, `level_tests`, `level_variance_db2`, `level_hexes` (how many are pooled).
    Times are UTC. A place without a row was not tested.
    """
    pooled = _pooled(tests, place_hexes).cache()
    found: pd.DataFrame = _summary(pooled).execute()
    at_thresholds = _at_thresholds(pooled)
    parts = _evidence(at_thresholds, criteria), _levels(at_thresholds, criteria), _aside(at_thresholds)
    for part in parts:
        rows = part.execute()
        for name in THRESHOLD_NAMES:
            own = rows[rows["threshold"] == name].drop(columns="threshold").set_index(_PLACE)
            found = found.merge(own.add_suffix(suffix(name)).reset_index(), on=_PLACE, how="left")
    counts = [column for column in found.columns if column.startswith(_COUNTED)]
    found[counts] = found[counts].fillna(0)
    return found.sort_values(_PLACE, ignore_index=True).copy()  # in one piece again after so many merges


def suffix(name: ThresholdName) -> str:
    """What the columns of a threshold end in: nothing for the headline."""
    return "" if name == "headline" else f"_{name}"


def _pooled(tests: Expression, place_hexes: Expression) -> Expression:
    sizes = place_hexes.group_by("place_id").agg(hexes=_.hex.nunique())
    pooled = tests.inner_join(place_hexes.select("place_id", "hex"), "hex").inner_join(sizes, "place_id")
    return pooled.mutate(
        block=(pooled.first_utc.epoch_seconds() // _FOUR_HOURS_S).cast("int64"),
        known=(pooled.device != UNKNOWN_DEVICE).ifelse(pooled.device, ibis.null("string")),
        day=pooled.local_date,
        aside=pooled.in_outage | pooled.before_site,
    )


def _summary(pooled: Expression) -> Expression:
    # Every count is of the tests that are decided at the headline; a place without any keeps its row
    # where the other thresholds decide, or where its tests were set aside.
    other = pooled.in_outage | pooled.before_site | pooled.weak_in_vehicle
    for name in THRESHOLD_NAMES[1:]:
        other |= pooled[OUTCOME[name]].notnull()
    heard = pooled.mutate(decided=_.fails.notnull()).filter(_.decided | other)
    mostly_silent = (heard.no_service_seconds * 2 > heard.seconds).ifelse(1.0, 0.0)
    return heard.group_by(_PLACE).agg(
        tests=_.decided.sum(),
        devices=_.known.nunique(where=heard.decided),
        occasions=_.block.nunique(where=heard.decided),
        dates=_.day.nunique(where=heard.decided),
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
    )


def _at_thresholds(pooled: Expression) -> Expression:
    # Each test once for every threshold, with its outcome and its margin there: one question to the engine, not five.
    parts = [
        pooled.mutate(threshold=ibis.literal(name), failed=pooled[OUTCOME[name]], margin=pooled[MARGIN[name]])
        for name in THRESHOLD_NAMES
    ]
    return ibis.union(*(part.select(*_ASKED) for part in parts))


def _weighed(rows: Expression, criteria: Criteria) -> Expression:
    # A cluster is what may fail together: the tests of one phone, of a calibrated device those of one occasion.
    # m tests of one cluster count as m / (1 + (m - 1) rho): 10 -> 2.7, 30 -> 3.1. Old tests make m smaller as they
    # themselves fade, so that they never take weight from new ones.
    rows = rows.mutate(cluster_block=rows.calibrated.ifelse(rows.block, ibis.literal(-1)))
    cluster = ibis.window(group_by=[*_JUDGED, "device", "cluster_block"])
    rows = rows.mutate(others=(rows.weight.sum().over(cluster) - 1.0).clip(lower=0.0))
    return rows.mutate(w=rows.weight / (1.0 + rows.others * criteria.evidence.rho))


def _evidence(at_thresholds: Expression, criteria: Criteria) -> Expression:
    # A source that never writes silence passes wherever it speaks: counted, its passes would hide dead places.
    weighed = _weighed(at_thresholds.filter(_.failed.notnull(), ~_.positive_only), criteria)
    failed = weighed.failed
    return weighed.group_by(_JUDGED).agg(
        effective_tests=_.w.sum(),
        effective_fails=(_.w * _.failed.cast("float64")).sum(),
        recorded_tests=_.count(),
        heard_devices=_.known.nunique(),
        heard_calibrated=_.calibrated.ifelse(_.known, ibis.null("string")).nunique(),
        # The floors count fails only, so that adding a pass never creates a gap.
        fails=failed.sum(),
        fail_devices=_.known.nunique(where=failed),
        fail_calibrated=_.calibrated.ifelse(_.known, ibis.null("string")).nunique(where=failed),
        fail_dates=_.day.nunique(where=failed),
        fail_hexes=_.hex_res10.nunique(where=failed),
        # Their span too: it is counted in half-hours of the clock, which no passing second inside one can stretch.
        fail_span_s=(_.half_hour.max(where=failed) - _.half_hour.min(where=failed)) * HALF_HOUR_S,
    )


def _aside(at_thresholds: Expression) -> Expression:
    # What an outage or an older network explains accuses nobody; it also may not be forgotten when clearing.
    return at_thresholds.filter(_.aside, _.failed.isnull()).group_by(_JUDGED).agg(aside_tests=_.count())


def _levels(at_thresholds: Expression, criteria: Criteria) -> Expression:
    # The weighted mean margin of a place, and how far it may be off: phones, occasions and hexes that are few
    # count as few, however many tests they gave. (sum w)² / sum of squares is their effective number.
    rows = _weighed(at_thresholds.filter(_.margin.notnull()), criteria)
    shared = {"device": ["device"], "occasion": ["device", "block"], "hex": ["hex"]}
    rows = rows.mutate(
        **{
            f"of_{kind}": rows.w.sum().over(ibis.window(group_by=[*_JUDGED, *by]))
            for kind, by in shared.items()
        }
    )
    total = rows.w.sum()
    return rows.group_by(_JUDGED).agg(
        level_margin_db=(rows.w * rows.margin).sum() / total,
        level_tests=total,
        level_variance_db2=_variance(rows, criteria) / (total * total),
        level_hexes=rows.hexes.max(),
    )


def _variance(rows: Expression, criteria: Criteria) -> Value:
    spread = criteria.levels
    # A calibrated device has no offset of its own, and a hex judged alone no others to differ from.
    phones = rows.calibrated.ifelse(0.0, rows.w * rows.of_device).sum() * spread.device_db**2
    occasions = (rows.w * rows.of_occasion).sum() * spread.occasion_db**2
    hexes = (rows.hexes > 1).ifelse(rows.w * rows.of_hex, 0.0).sum() * spread.hex_db**2
    return phones + occasions + hexes + (rows.w * rows.w).sum() * spread.test_db**2


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
