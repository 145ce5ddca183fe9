"""Measurements → moments: one row per phone and second, its best reading, scored at each threshold.

Written as Ibis expressions without user functions, so that any engine runs them.

Seconds vote, not rows: rows of one phone in one second are one moment, whatever fractions of it the
file gives, and its best reading counts.
So duplicate rows change nothing, and a no-service row that shares its second with a usable reading
(registration flapping) is outvoted instead of convicting.
"""

from __future__ import annotations

from datetime import date

import ibis
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage.criteria import THRESHOLD_NAMES, Criteria, ThresholdName
from coverage.tables import LEVEL_COLUMNS, UNKNOWN_DEVICE

# A reading of one moment at one threshold. Ordered, so that the best of a second is its maximum.
FAIL, UNKNOWN, PASS = 0, 1, 2
HALF_HOUR_S = 1800
_POSITIVE_ONLY_GRADE = 4
MARGIN = {name: "margin_db" if name == "headline" else f"margin_db_{name}" for name in THRESHOLD_NAMES}
SCORE = {name: f"score_{name}" for name in THRESHOLD_NAMES}
# What one kind of source says of a spot and half-hour is a test of its own: readings of another kind neither lend it
# weight nor take any.
TEST_KEY = ["operator", "device", "hex_res10", "half_hour", "calibrated", "positive_only"]
_MOMENT = ["second", "spot_lat", "spot_lon"]
_BITS = 30  # seconds told apart by one bit each; half a minute of them can be added up in 64 bits for every row there may be


def moments(rows: Expression, crowded: Expression, criteria: Criteria) -> Expression:
    """One row per phone and second that has a test: the test's key, what the second says at each threshold.

    `rows` is what `readings` returns, `crowded` what that function makes of them. Columns: `TEST_KEY`, hex (at the
    resolution of the criteria), hex_res9, hex_res8, local_date, second, grade, no_service and weak_in_vehicle (1 or 0),
    rsrp_dbm (missing = none known), and per threshold `SCORE` and `MARGIN` in dB (missing = no level known).
    """
    # Most phones write one row a second, and to group rows that are alone would cost more than all else here.
    if crowded.count().execute():
        alone = _scored(rows.anti_join(crowded, TEST_KEY), criteria)
        twice = _best(_scored(rows.semi_join(crowded, TEST_KEY), criteria))
        found = alone.union(twice.select(*alone.columns))
    else:
        found = _scored(rows, criteria)
    # The level of a silent second is only known to be low.
    low = criteria.levels.silent_margin_db
    return found.mutate(**{column: found.mute.ifelse(low, found[column]) for column in MARGIN.values()})


def half_hour(rows: Expression) -> Value:
    """The number of half-hours from 1970 to each measurement."""
    return (rows.time_utc.epoch_seconds() // HALF_HOUR_S).cast("int64")


def readings(rows: Expression, criteria: Criteria, as_of: date) -> Expression:
    """What each measurement says, whatever the threshold.

    `rows` is MEASUREMENTS with `local_date` on the calendar of the criteria.
    """
    gsm_is_off = as_of > criteria.gsm_is_coverage_until
    level = ibis.coalesce(*(rows[column] for column in LEVEL_COLUMNS.values())).cast("float64")
    camped = (rows.service_state == "in_service") | level.notnull()
    no_service = rows.service_state.isin(["no_service", "emergency_only"])
    # After the switch-off a phone that finds only GSM has found no usable service.
    only_gsm = (rows.technology == "GSM") & camped & ibis.literal(gsm_is_off)
    at_date = rows.time_precision == "date"
    return rows.select(
        *("operator", "device", "hex_res10", "calibrated", "positive_only"),
        half_hour=half_hour(rows),
        second=rows.time_utc.truncate("s"),
        # Where only the date is known, every reading carries the same time: tell moments apart by place.
        spot_lat=at_date.ifelse(rows.lat, 0.0),
        spot_lon=at_date.ifelse(rows.lon, 0.0),
        hex=rows[f"hex_res{criteria.hex_resolution}"],
        hex_res9=rows.hex_res9,
        hex_res8=rows.hex_res8,
        local_date=rows.local_date,
        technology=rows.technology,
        level=level,
        rsrp_dbm=ibis.coalesce(rows.rsrp_dbm, rows.ss_rsrp_dbm).cast("float64"),
        moving=ibis.coalesce(rows.in_vehicle, rows.speed_mps >= criteria.evidence.vehicle_speed_mps, False),
        no_service=no_service.cast("int64"),
        silent=ibis.coalesce(no_service | only_gsm, False),
        grade=_grade(rows),
    )


def _grade(rows: Expression) -> Value:
    # 1 = A calibrated drive test, 2 = B drive-test crew, 3 = C crowdsourced, 4 = D shows service only; an unknown
    # accuracy costs one.
    base = ibis.cases((rows.calibrated, 1), (rows.source == "drive_test", 2), else_=3)
    graded = base + (rows.accuracy_m.isnull()).ifelse(1, 0)
    return rows.positive_only.ifelse(_POSITIVE_ONLY_GRADE, graded).cast("int64")


def without_echoes(rows: Expression) -> Expression:
    """The readings without the tests that are echoes of others."""
    # A test without the phone's name, each moment of which a named phone has too, is the same witness once more. Only
    # a whole test is dropped: of a part, what is left would vote as if the rest had never been.
    nameless = rows.filter(_.device == UNKNOWN_DEVICE)
    if not nameless.count().execute():
        return rows
    named = rows.filter(_.device != UNKNOWN_DEVICE, ~_.positive_only)
    alone = nameless.anti_join(named, ["operator", "hex_res10", *_MOMENT])
    echoes = nameless.anti_join(alone, TEST_KEY).select(*TEST_KEY).distinct()
    return rows.anti_join(echoes, TEST_KEY)


def crowded(rows: Expression) -> Expression:
    """The keys of the tests in which some second comes more than once; `rows` is what `readings` returns."""
    # Each second of half a minute is a bit: added up, the bits are more than put together where one came twice.
    second = rows.second.epoch_seconds().cast("int64")
    bit = ibis.literal(1, "int64") << (second % _BITS)
    marked = rows.select(*TEST_KEY, part=(second // _BITS).cast("int64"), bit=bit)
    told = marked.group_by(*TEST_KEY, "part").agg(added=_.bit.sum(), joined=_.bit.bit_or())
    return told.filter(_.added != _.joined).select(*TEST_KEY).distinct()


def _scored(rows: Expression, criteria: Criteria) -> Expression:
    # One row per reading, with its score and its margin at each threshold.
    limits = {f"limit_{name}": _limit(rows, criteria, name) for name in THRESHOLD_NAMES}
    held = rows.mutate(**limits)
    above = {f"above_{name}": held.level - held[f"limit_{name}"] for name in THRESHOLD_NAMES}
    held = held.mutate(**above)
    scores = {SCORE[name]: _score(held, f"above_{name}", criteria) for name in THRESHOLD_NAMES}
    margins = {MARGIN[name]: _margin(held, f"above_{name}", criteria) for name in THRESHOLD_NAMES}
    weak = ibis.coalesce(_weak_in_vehicle(held, held.above_headline, criteria) & ~held.silent, False)
    told = held.mutate(
        weak_in_vehicle=weak.cast("int64"), mute=held.silent & ~held.positive_only, **scores, **margins
    )
    return told.drop("technology", "level", "moving", "silent", *limits, *above)


def _limit(rows: Expression, criteria: Criteria, name: ThresholdName) -> Value:
    limits = criteria.thresholds_dbm.at(name)
    return ibis.cases(
        *((rows.technology == tech, ibis.literal(value, "float64")) for tech, value in limits.items())
    )


def _weak_in_vehicle(rows: Expression, above: Value, criteria: Criteria) -> Value:
    # Without the car's loss the level might reach the threshold.
    return rows.moving & (above < 0) & (above >= -criteria.evidence.vehicle_loss_db)


def _score(rows: Expression, above: str, criteria: Criteria) -> Value:
    return ibis.cases(
        # What a source that never writes silence does not hear, or hears weakly, accuses nobody.
        (rows.positive_only & (rows.silent | (rows[above] < 0)), UNKNOWN),
        (rows.silent, FAIL),
        (rows[above].isnull(), UNKNOWN),
        (rows[above] >= 0, PASS),
        (_weak_in_vehicle(rows, rows[above], criteria), UNKNOWN),
        else_=FAIL,
    )


def _margin(rows: Expression, above: str, criteria: Criteria) -> Value:
    low, high = criteria.levels.silent_margin_db, criteria.levels.cap_margin_db
    return rows.silent.ifelse(ibis.null("float64"), rows[above].clip(low, high))


def _best(scored: Expression) -> Expression:
    # One row per phone and second: its best reading.
    lowest = ("hex", "hex_res9", "hex_res8", "local_date", "grade", "no_service", "mute")
    highest = ("weak_in_vehicle", "rsrp_dbm", *SCORE.values(), *MARGIN.values())
    best = {column: scored[column].min() for column in lowest} | {
        column: scored[column].max() for column in highest
    }
    return scored.group_by(*TEST_KEY, *_MOMENT).agg(**best)
