"""Measurements → observations: readings thinned to tests that vote, each with its level above the threshold.

Written as Ibis expressions without user functions, so that any engine runs them.

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
HALF_HOUR_S = 1800
_POSITIVE_ONLY_GRADE = 4
OUTCOME = {name: "fails" if name == "headline" else f"fails_{name}" for name in THRESHOLD_NAMES}
MARGIN = {name: "margin_db" if name == "headline" else f"margin_db_{name}" for name in THRESHOLD_NAMES}
# What one kind of source says of a spot and half-hour is a test of its own: readings of another kind neither lend it
# weight nor take any.
TEST_KEY = ["operator", "device", "hex_res10", "half_hour", "calibrated", "positive_only"]


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
    dated = measurements.mutate(
        local_date=_local_date(measurements, criteria),
        hex=measurements[f"hex_res{criteria.hex_resolution}"],
        half_hour=_half_hour(measurements),
    )
    old = dated.filter(_.local_date <= ibis.literal(oldest(criteria, as_of)))
    tests = old.select("hex", *TEST_KEY).distinct()
    return tests.group_by("hex", "operator").agg(expired_tests=_.count())


def _half_hour(rows: Expression) -> Value:
    return (rows.time_utc.epoch_seconds() // HALF_HOUR_S).cast("int64")


def _local_date(rows: Expression, criteria: Criteria) -> Value:
    # One calendar for all uploads: a date floor must not hang on the zone in which a file was sent.
    # Where a file knew the date only, that date stands.
    shifted = (rows.time_utc + ibis.interval(minutes=round(criteria.utc_offset_hours * 60))).date()
    return (rows.time_precision == "date").ifelse(rows.local_date, shifted)


def observe(measurements: Expression, criteria: Criteria, as_of: date) -> Expression:
    """Tests of the contract OBSERVATIONS, one per operator, device, res-10 hex, half-hour and kind of source.

    An observation fails at a threshold where more than half of its seconds fail there, seconds with
    an unknown level counting against; it passes where at least half of the seconds with a known
    outcome pass; in between, and where no second has an outcome, it stays undecided (missing).
    """
    valid = within_validity(measurements, criteria, as_of)
    seconds = _without_echoes(_seconds(_scored(valid, criteria, as_of), criteria.levels.silent_margin_db))
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
        rsrp_dbm=_.best_rsrp_dbm.median(),
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


def _scored(rows: Expression, criteria: Criteria, as_of: date) -> Expression:
    # One row per reading, with its score and its margin at each threshold.
    gsm_is_off = as_of > criteria.gsm_is_coverage_until
    rows = rows.mutate(
        level=ibis.coalesce(*(rows[column] for column in LEVEL_COLUMNS.values())).cast("float64"),
        moving=ibis.coalesce(_.in_vehicle, _.speed_mps >= criteria.evidence.vehicle_speed_mps, False),
        grade=_grade(rows),
        half_hour=_half_hour(rows),
        second=_.time_utc.truncate("s"),
        # Where only the date is known, every reading carries the same time: tell moments apart by place.
        spot_lat=(_.time_precision == "date").ifelse(_.lat, 0.0),
        spot_lon=(_.time_precision == "date").ifelse(_.lon, 0.0),
        hex=rows[f"hex_res{criteria.hex_resolution}"],
        no_service=_.service_state.isin(["no_service", "emergency_only"]),
    )
    camped = (rows.service_state == "in_service") | rows.level.notnull()
    # After the switch-off a phone that finds only GSM has found no usable service.
    only_gsm = (rows.technology == "GSM") & camped & ibis.literal(gsm_is_off)
    rows = rows.mutate(silent=ibis.coalesce(rows.no_service | only_gsm, False))
    limits = {name: _limit(rows, criteria, name) for name in THRESHOLD_NAMES}
    return rows.mutate(
        weak_in_vehicle=_weak_in_vehicle(rows, limits["headline"], criteria).cast("int64"),
        **{f"score_{name}": _score(rows, limits[name], criteria) for name in THRESHOLD_NAMES},
        **{MARGIN[name]: _margin(rows, limits[name], criteria) for name in THRESHOLD_NAMES},
    )


def _grade(rows: Expression) -> Value:
    # 1 = A calibrated drive test, 2 = B drive-test crew, 3 = C crowdsourced, 4 = D shows service only; an unknown
    # accuracy costs one.
    base = ibis.cases((rows.calibrated, 1), (rows.source == "drive_test", 2), else_=3)
    graded = base + (rows.accuracy_m.isnull()).ifelse(1, 0)
    return rows.positive_only.ifelse(_POSITIVE_ONLY_GRADE, graded).cast("int64")


def _limit(rows: Expression, criteria: Criteria, name: ThresholdName) -> Value:
    limits = criteria.thresholds_dbm.at(name)
    return ibis.cases(*((rows.technology == tech, value) for tech, value in limits.items()))


def _weak_in_vehicle(rows: Expression, limit: Value, criteria: Criteria) -> Value:
    # Without the car's loss the level might reach the threshold.
    weak = rows.moving & (rows.level < limit) & (rows.level + criteria.evidence.vehicle_loss_db >= limit)
    return ibis.coalesce(weak & ~rows.silent, False)


def _score(rows: Expression, limit: Value, criteria: Criteria) -> Value:
    return ibis.cases(
        # What a source that never writes silence does not hear, or hears weakly, accuses nobody.
        (rows.positive_only & (rows.silent | (rows.level < limit)), _UNKNOWN),
        (rows.silent, _FAIL),
        (rows.level.isnull() | limit.isnull(), _UNKNOWN),
        (rows.level >= limit, _PASS),
        (_weak_in_vehicle(rows, limit, criteria), _UNKNOWN),
        else_=_FAIL,
    )


def _margin(rows: Expression, limit: Value, criteria: Criteria) -> Value:
    low, high = criteria.levels.silent_margin_db, criteria.levels.cap_margin_db
    bounded = (rows.level - limit).clip(low, high)
    return rows.silent.ifelse(ibis.null("float64"), bounded)


def _seconds(scored: Expression, silent_margin_db: float) -> Expression:
    # One row per phone and second: its best reading; the level of a silent one is only known to be low.
    keys = [*TEST_KEY, "second", "spot_lat", "spot_lon"]
    best = scored.group_by(keys).agg(
        hex=_.hex.min(),
        hex_res9=_.hex_res9.min(),
        hex_res8=_.hex_res8.min(),
        local_date=_.local_date.min(),
        grade=_.grade.min(),
        no_service=_.no_service.all().ifelse(1, 0),
        weak_in_vehicle=_.weak_in_vehicle.max(),
        best_rsrp_dbm=ibis.coalesce(_.rsrp_dbm, _.ss_rsrp_dbm).max().cast("float64"),
        **{f"best_{name}": scored[f"score_{name}"].max() for name in THRESHOLD_NAMES},
        **{MARGIN[name]: scored[MARGIN[name]].max() for name in THRESHOLD_NAMES},
        silent=(_.silent & ~_.positive_only).all(),
    )
    margins = {
        MARGIN[name]: best.silent.ifelse(silent_margin_db, best[MARGIN[name]]) for name in THRESHOLD_NAMES
    }
    return best.mutate(**margins).drop("silent")


def _without_echoes(seconds: Expression) -> Expression:
    # A test without the phone's name, each moment of which a named phone has too, is the same witness once more. Only
    # a whole test is dropped: of a part, what is left would vote as if the rest had never been.
    moment = ibis.window(group_by=["operator", "hex_res10", "second", "spot_lat", "spot_lon"])
    named = seconds.device != UNKNOWN_DEVICE
    told = seconds.mutate(twin=(named & ~seconds.positive_only).any().over(moment))
    of_test = ibis.window(group_by=TEST_KEY)
    told = told.mutate(own=((told.device != UNKNOWN_DEVICE) | ~told.twin).any().over(of_test))
    return told.filter(told.own).drop("twin", "own")


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
