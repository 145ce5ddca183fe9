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

# All that tests are made of; the other columns of MEASUREMENTS need not be read.
COLUMNS = [
    *(
        "operator",
        "device",
        "calibrated",
        "positive_only",
        "source",
        "time_utc",
        "time_precision",
        "local_date",
    ),
    *("lat", "lon", "accuracy_m", "hex_res10", "hex_res9", "hex_res8"),
    *("technology", "service_state", *LEVEL_COLUMNS.values(), "in_vehicle", "speed_mps"),
]
HALF_HOUR_S = 1800
_POSITIVE_ONLY_GRADE = 4
# Below every level above a threshold that there is: no service, and what not even that is below.
_SILENT_DB, _NEVER_DB = -1000.0, -2000.0
MARGIN = {name: "margin_db" if name == "headline" else f"margin_db_{name}" for name in THRESHOLD_NAMES}
BAD = {name: f"bad_{name}" for name in THRESHOLD_NAMES}
GOOD = {name: f"good_{name}" for name in THRESHOLD_NAMES}
# What one kind of source says of a spot and half-hour is a test of its own: readings of another kind neither lend it
# weight nor take any.
TEST_KEY = ["operator", "device", "hex_res10", "half_hour", "calibrated", "positive_only"]
CROWD_KEY = ["operator", "device", "hex_res10", "half_hour"]
_MOMENT = ["second", "spot_lat", "spot_lon"]
_BITS = 30  # seconds told apart by one bit each; half a minute of them can be added up in 64 bits for every row there may be


def moments(rows: Expression, criteria: Criteria) -> Expression:
    """One row per reading: the test's key and what it says at each threshold; for readings alone in their second.

    `rows` is what `readings` returns. Columns: `TEST_KEY`, hex (at the resolution of the criteria), hex_res9, hex_res8,
    local_date, second, grade, no_service, weak_in_vehicle and, per threshold, `BAD` and `GOOD` (1 or 0; neither =
    undecided), rsrp_dbm (missing = none known), and per threshold `MARGIN` in dB (missing = no level known).
    """
    told = _told(rows, criteria)
    return told.mutate(**{column: _within(told[column], criteria) for column in MARGIN.values()})


def best_of_seconds(rows: Expression, criteria: Criteria) -> Expression:
    """One row per phone and second, its best reading, for readings that share their seconds; otherwise as `moments`."""
    read = moments(rows, criteria)
    # A second is bad where nothing in it is better, and what is only known to be low is outdone by any level.
    lowest = ("hex", "hex_res9", "hex_res8", "local_date", "grade", "no_service", "mute", *BAD.values())
    highest = ("weak_in_vehicle", "rsrp_dbm", *GOOD.values())
    best = {column: read[column].min() for column in lowest} | {
        column: read[column].max() for column in highest
    }
    levels = {column: read[column].max(where=read.mute == 0) for column in MARGIN.values()}
    found = read.group_by(*TEST_KEY, *_MOMENT).agg(**best, **levels)
    silent_db = criteria.levels.silent_margin_db
    return found.mutate(
        **{column: (found.mute == 1).ifelse(silent_db, found[column]) for column in MARGIN.values()}
    )


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
    """The readings without the tests that are echoes of others; `rows` is what `readings` returns."""
    # A test without the phone's name, each moment of which a named phone has too, is the same witness once more. Only
    # a whole test is dropped: of a part, what is left would vote as if the rest had never been.
    nameless = rows.filter(_.device == UNKNOWN_DEVICE)
    named = rows.filter(_.device != UNKNOWN_DEVICE, ~_.positive_only)
    alone = nameless.anti_join(named, ["operator", "hex_res10", *_MOMENT])
    echoes = nameless.anti_join(alone, TEST_KEY).select(*TEST_KEY).distinct()
    return rows.anti_join(echoes, TEST_KEY)


def crowded(rows: Expression) -> Expression:
    """Where a phone has some second more than once: `CROWD_KEY` and hex_res8; `rows` is what `readings` returns.

    Readings of several kinds of source count together here: their tests are looked at, and may turn out not to be crowded.
    """
    # Each second of half a minute is a bit: added up, the bits are more than put together where one came twice.
    second = rows.second.epoch_seconds().cast("int64")
    bit = ibis.literal(1, "int64") << (second % _BITS)
    key = ["operator", "device", "hex_res10", "hex_res8", "part"]
    marked = rows.mutate(part=(second // _BITS).cast("int64"), bit=bit).select(*key, "bit")
    told = marked.group_by(key).agg(added=_.bit.sum(), joined=_.bit.bit_or())
    found = told.filter(_.added != _.joined).mutate(
        half_hour=(_.part // (HALF_HOUR_S // _BITS)).cast("int64")
    )
    return found.select(*CROWD_KEY, "hex_res8").distinct()


def _told(rows: Expression, criteria: Criteria) -> Expression:
    # Each reading with how far it is above each threshold (`MARGIN`, not limited yet), and what that says.
    loss_db = criteria.evidence.vehicle_loss_db
    mute = rows.silent & ~rows.positive_only
    heard = rows.mutate(
        mute=mute.cast("int64"),
        level=rows.silent.ifelse(ibis.null("float64"), rows.level),
        **{f"limit_{name}": _limit(rows, criteria, name) for name in THRESHOLD_NAMES},
        # So far above a threshold a reading must be not to be bad. What a source that never writes silence does not
        # hear, or hears weakly, accuses nobody; without the car's loss a level might reach the threshold.
        spared=ibis.cases((rows.positive_only, _NEVER_DB), (rows.moving, -loss_db), else_=0.0),
    )
    # The level of a silent reading is only known to be low.
    above = {
        MARGIN[name]: mute.ifelse(_SILENT_DB, heard.level - heard[f"limit_{name}"])
        for name in THRESHOLD_NAMES
    }
    held = heard.mutate(**above)
    weak = held.moving & (held.margin_db < 0) & (held.margin_db >= -loss_db)
    told = held.mutate(
        weak_in_vehicle=ibis.coalesce(weak, False).cast("int64"),
        **{BAD[name]: _flag(held[MARGIN[name]] < held.spared) for name in THRESHOLD_NAMES},
        **{GOOD[name]: _flag(held[MARGIN[name]] >= 0) for name in THRESHOLD_NAMES},
    )
    return told.drop(
        "technology", "level", "moving", "silent", "spared", *(f"limit_{name}" for name in THRESHOLD_NAMES)
    )


def _flag(known: Value) -> Value:
    return ibis.coalesce(known.cast("int32"), 0)


def _within(margin_db: Value, criteria: Criteria) -> Value:
    low, high = criteria.levels.silent_margin_db, criteria.levels.cap_margin_db
    return ibis.cases((margin_db < low, low), (margin_db > high, high), else_=margin_db)


def _limit(rows: Expression, criteria: Criteria, name: ThresholdName) -> Value:
    limits = criteria.thresholds_dbm.at(name)
    return ibis.cases(
        *((rows.technology == tech, ibis.literal(value, "float64")) for tech, value in limits.items())
    )
