"""Measurements → observations → what the evidence allows us to say of a place.

Written as Ibis expressions without user functions, so that any engine runs them; only the last step,
on one small row per place and operator, is numpy and scipy.

Seconds vote, not rows: rows of one phone in one second are one moment, whatever fractions of it the
file gives, and its best reading counts.
So duplicate rows change nothing, and a no-service row that shares its second with a usable reading
(registration flapping) is outvoted instead of convicting.
"""

from __future__ import annotations

from datetime import date

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage.criteria import THRESHOLD_NAMES, Criteria, ThresholdName
from coverage.tables import LEVEL_COLUMNS, UNKNOWN_DEVICE

# A reading of one moment at one threshold. Ordered, so that the best of a second is its maximum.
_FAIL, _UNKNOWN, _PASS = 0, 1, 2
_HALF_HOUR_S = 1800
_FOUR_HOURS_S = 4 * 3600
_OUTCOME = {name: "fails" if name == "headline" else f"fails_{name}" for name in THRESHOLD_NAMES}


def within_validity(measurements: Expression, criteria: Criteria, as_of: date) -> Expression:
    """The measurements that still count: not after `as_of`, not older than the validity window."""
    oldest = (pd.Timestamp(as_of) - pd.DateOffset(months=criteria.evidence.validity_months)).date()
    dated = measurements.mutate(local_date=_local_date(measurements, criteria))
    return dated.filter(_.local_date > ibis.literal(oldest), _.local_date <= ibis.literal(as_of))


def _local_date(rows: Expression, criteria: Criteria) -> Value:
    # One calendar for all uploads: a date floor must not hang on the zone in which a file was sent.
    # Where a file knew the date only, that date stands.
    shifted = (rows.time_utc + ibis.interval(minutes=round(criteria.utc_offset_hours * 60))).date()
    return (rows.time_precision == "date").ifelse(rows.local_date, shifted)


def observations(measurements: Expression, criteria: Criteria, as_of: date) -> Expression:
    """Tests of the contract OBSERVATIONS, one per operator, device, res-10 hex and half-hour.

    An observation fails at a threshold where more than half of its seconds fail there, seconds with
    an unknown level counting against; it passes where at least half of the seconds with a known
    outcome pass; in between, and where no second has an outcome, it stays undecided (missing).
    """
    valid = within_validity(measurements, criteria, as_of)
    keys = ["operator", "device", "hex_res10", "half_hour"]
    seconds = _without_echoes(_seconds(_scored(valid, criteria, as_of)))
    votes = {_OUTCOME[name]: _vote(seconds, name) for name in THRESHOLD_NAMES}
    return seconds.group_by(keys).agg(
        hex=_.hex.min(),
        local_date=_.local_date.min(),
        first_utc=_.second.min(),
        last_utc=_.second.max(),
        calibrated=_.calibrated.all(),
        grade=_.grade.min(),
        seconds=_.count(),
        no_service_seconds=_.no_service.sum(),
        rsrp_dbm=_.best_rsrp_dbm.median(),
        in_outage=ibis.literal(False),
        **votes,
    )


def set_aside_outages(tests: Expression, windows: Expression) -> Expression:
    """The observations with `in_outage` (contract OBSERVATIONS): what failed during a known outage is undecided.

    `tests` is what `observations` returns, `windows` one row per hex, operator (missing = all), from_utc
    and until_utc. A pass during an outage counts: the signal was there all the same.
    """
    keys = ["operator", "device", "hex_res10", "half_hour"]
    hit = tests.semi_join(
        windows,
        [
            tests.hex == windows.hex,
            windows.operator.isnull() | (windows.operator == tests.operator),
            tests.first_utc < windows.until_utc,
            tests.last_utc >= windows.from_utc,
        ],
    )
    marked = tests.drop("in_outage").left_join(hit.select(*keys, hit=True), keys)
    marked = marked.mutate(in_outage=_.hit.notnull()).select(*tests.columns)
    return marked.mutate(
        **{
            name: (marked[name] & marked.in_outage).ifelse(ibis.null("boolean"), marked[name])
            for name in _OUTCOME.values()
        }
    )


def _scored(rows: Expression, criteria: Criteria, as_of: date) -> Expression:
    # One row per reading, with its score at each threshold.
    rows = rows.mutate(
        silent=_.service_state.isin(["no_service", "emergency_only"]),
        level=ibis.coalesce(*(rows[column] for column in LEVEL_COLUMNS.values())).cast("float64"),
        moving=ibis.coalesce(_.in_vehicle, _.speed_mps >= criteria.evidence.vehicle_speed_mps, False),
        grade=_grade(rows),
        half_hour=(_.time_utc.epoch_seconds() // _HALF_HOUR_S).cast("int64"),
        second=_.time_utc.truncate("s"),
        # Where only the date is known, every reading carries the same time: tell moments apart by place.
        spot_lat=(_.time_precision == "date").ifelse(_.lat, 0.0),
        spot_lon=(_.time_precision == "date").ifelse(_.lon, 0.0),
        hex=rows[f"hex_res{criteria.hex_resolution}"],
    )
    return rows.mutate(**{f"score_{name}": _score(rows, criteria, as_of, name) for name in THRESHOLD_NAMES})


def _grade(rows: Expression) -> Value:
    # 1 = A calibrated drive test, 2 = B drive-test crew, 3 = C crowdsourced; an unknown accuracy costs one.
    base = ibis.cases((rows.calibrated, 1), (rows.source == "drive_test", 2), else_=3)
    return (base + rows.accuracy_m.isnull().ifelse(1, 0)).cast("int64")


def _score(rows: Expression, criteria: Criteria, as_of: date, name: ThresholdName) -> Value:
    limits = criteria.thresholds_dbm.at(name)
    limit = ibis.cases(*((rows.technology == tech, value) for tech, value in limits.items()))
    gsm_is_off = as_of > criteria.gsm_is_coverage_until
    camped = (rows.service_state == "in_service") | rows.level.notnull()
    return ibis.cases(
        (rows.silent, _FAIL),
        # After the switch-off a phone that finds only GSM has found no usable service.
        ((rows.technology == "GSM") & camped & ibis.literal(gsm_is_off), _FAIL),
        (rows.level.isnull() | limit.isnull(), _UNKNOWN),
        (rows.level >= limit, _PASS),
        (rows.moving & (rows.level + criteria.evidence.vehicle_loss_db >= limit), _UNKNOWN),
        else_=_FAIL,
    )


def _seconds(scored: Expression) -> Expression:
    # One row per phone and second: its best reading.
    keys = ["operator", "device", "hex_res10", "half_hour", "second", "spot_lat", "spot_lon"]
    return scored.group_by(keys).agg(
        hex=_.hex.min(),
        local_date=_.local_date.min(),
        calibrated=_.calibrated.all(),
        grade=_.grade.min(),
        no_service=_.silent.all().ifelse(1, 0),
        best_rsrp_dbm=ibis.coalesce(_.rsrp_dbm, _.ss_rsrp_dbm).max().cast("float64"),
        **{f"best_{name}": scored[f"score_{name}"].max() for name in THRESHOLD_NAMES},
    )


def _without_echoes(seconds: Expression) -> Expression:
    # The same moment once more without the phone's name is the same witness, not a second one.
    keys = ["operator", "hex_res10", "second", "spot_lat", "spot_lon"]
    named = seconds.filter(_.device != UNKNOWN_DEVICE)
    echoes = seconds.filter(_.device == UNKNOWN_DEVICE).semi_join(named, keys)
    return seconds.anti_join(echoes.select(*keys, "device"), [*keys, "device"])


def _vote(seconds: Expression, name: ThresholdName) -> Value:
    best = seconds[f"best_{name}"]
    fail = (best == _FAIL).sum()
    unknown = (best == _UNKNOWN).sum()
    good = (best == _PASS).sum()
    return ibis.cases(
        (fail + good == 0, ibis.null("boolean")),
        (fail > good + unknown, True),
        (good >= fail, False),
        else_=ibis.null("boolean"),
    )


def tests_by_place(tests: Expression, place_hexes: Expression, criteria: Criteria) -> pd.DataFrame:
    """What the tests of each place's hexes add up to: one row per place_id and operator that was tested.

    `tests` is OBSERVATIONS, `place_hexes` PLACE_HEXES. Columns: those of the evidence in the headline,
    and `effective_tests`, `effective_fails`, `fail_*` at each threshold with the suffixes `_at_105`
    and `_at_121`. Times are UTC. A place without a row was not tested.
    """
    pooled = tests.inner_join(place_hexes.select("place_id", "hex"), "hex")
    pooled = pooled.mutate(
        block=(pooled.first_utc.epoch_seconds() // _FOUR_HOURS_S).cast("int64"),
        known=(pooled.device != UNKNOWN_DEVICE).ifelse(pooled.device, ibis.null("string")),
        day=pooled.local_date,
    )
    summary: pd.DataFrame = _summary(pooled).execute()
    for name in THRESHOLD_NAMES:
        evidence = _evidence(pooled, name, criteria).execute()
        summary = summary.merge(evidence, on=["place_id", "operator"], how="left")
    counts = [column for column in summary.columns if "effective" in column or column.startswith("fail")]
    summary[counts] = summary[counts].fillna(0)
    return summary.sort_values(["place_id", "operator"], ignore_index=True)


def _summary(pooled: Expression) -> Expression:
    # Every count is of the tests that are decided at the headline; a place without any keeps its row
    # where the other thresholds decide or an outage took the tests away.
    other = pooled.fails_at_105.notnull() | pooled.fails_at_121.notnull() | pooled.in_outage
    heard = pooled.mutate(decided=_.fails.notnull()).filter(_.decided | other)
    mostly_silent = (heard.no_service_seconds * 2 > heard.seconds).ifelse(1.0, 0.0)
    return heard.group_by("place_id", "operator").agg(
        tests=_.decided.sum(),
        devices=_.known.nunique(where=heard.decided),
        occasions=_.block.nunique(where=heard.decided),
        dates=_.day.nunique(where=heard.decided),
        first_test_utc=_.first_utc.min(where=heard.decided),
        last_test_utc=_.last_utc.max(where=heard.decided),
        median_rsrp_dbm=_.rsrp_dbm.median(where=heard.decided),
        no_service_share=mostly_silent.mean(where=heard.decided),
        best_grade=_.grade.min(where=heard.decided),
        outage_tests=(_.in_outage & ~_.decided).sum(),
    )


def _evidence(pooled: Expression, name: ThresholdName, criteria: Criteria) -> Expression:
    # Two steps: weigh the tests of each cluster (one phone; one phone and occasion where calibrated),
    # then add the clusters up. m tests of one cluster count as m / (1 + (m - 1) rho): 10 -> 2.7, 30 -> 3.1.
    tested = pooled.filter(pooled[_OUTCOME[name]].notnull())
    # A device is calibrated here where all its tests are: one reading of another kind never adds weight.
    same_device = ibis.window(group_by=["place_id", "operator", "device"])
    tested = tested.mutate(
        failed=tested[_OUTCOME[name]], calibrated=tested.calibrated.all().over(same_device)
    )
    tested = tested.mutate(cluster_block=tested.calibrated.ifelse(tested.block, ibis.literal(-1)))
    clusters = tested.group_by("place_id", "operator", "device", "cluster_block").agg(
        m=_.count(), k=_.failed.sum()
    )
    weight = 1.0 / (1.0 + (clusters.m - 1) * criteria.evidence.rho)
    sums = clusters.group_by("place_id", "operator").agg(
        effective_tests=(clusters.m * weight).sum(), effective_fails=(clusters.k * weight).sum()
    )
    joined = sums.left_join(_fail_floors(tested), ["place_id", "operator"])
    suffix = "" if name == "headline" else f"_{name}"
    columns = [c for c in joined.columns if not c.endswith("_right")]
    return joined.select(
        *(joined[c].name(c if c in {"place_id", "operator"} else c + suffix) for c in columns)
    )


def _fail_floors(tested: Expression) -> Expression:
    # The floors count fails only, so that adding a pass never creates a gap.
    failed = tested.filter(_.failed)
    # Their span too: it is counted in half-hours of the clock, which no passing second inside one can stretch.
    span = (failed.half_hour.max() - failed.half_hour.min()) * _HALF_HOUR_S
    return failed.group_by("place_id", "operator").agg(
        fails=_.count(),
        fail_devices=_.known.nunique(),
        fail_calibrated=_.calibrated.ifelse(_.known, ibis.null("string")).nunique(),
        fail_dates=_.day.nunique(),
        fail_hexes=_.hex_res10.nunique(),
        fail_span_s=span,
    )


def hexes_as_places(tests: Expression) -> Expression:
    """Each measured hex as a place of its own (PLACE_HEXES, place_id = the hex's decimal digits)."""
    return tests.select(place_id=tests.hex.cast("string"), hex=tests.hex).distinct()
