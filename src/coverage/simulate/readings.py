"""What ends up in a phone's log: reported positions, levels and states, with the faults of real logs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from coverage import hexes
from coverage.simulate.crews import Trips
from coverage.simulate.ground import to_degrees
from coverage.simulate.network import Sites
from coverage.simulate.noise import Bools, Floats, Ints, hashed_uniform
from coverage.simulate.phones import (
    EMERGENCY_ONLY,
    IN_SERVICE,
    NO_SERVICE,
    NO_TECHNOLOGY,
    UNKNOWN,
    Heard,
    Phone,
    listen,
    with_faults,
)
from coverage.simulate.radio import Air, Radio, air, servers

_VEHICLE_LOSS_DB, _VEHICLE_LOSS_SD_DB = 8.0, 6.0  # Tanghe 2008: 3-24 dB; our default for unknown cars
_GPS_M = 3.5
_LOST_FIX, _ZERO_FIX, _FROZEN = 0.006, 0.002, 0.04
_EVIDENCE_FROM_S = 305 * 86_400  # 2025-11-02 local: as of 2026-11-01 older rows have expired
_WORST_ACCURACY_M = 50.0
# A collector of radio cells misses this share of the readings so near the least that its phone hears (our guess).
_MISSED_SHARE, _HARDLY_HEARD_DB = 0.5, 10.0


@dataclass(frozen=True)
class Readings:
    """The rows of one phone in order of time; seconds are local, since 2025-01-01."""

    phone: Phone
    second: Ints
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    speed_mps: Floats
    driving: Bools
    heard: Heard

    def at(self, rows: Ints | Bools) -> Readings:
        """The chosen rows."""
        return Readings(
            self.phone,
            self.second[rows],
            self.lat[rows],
            self.lon[rows],
            self.accuracy_m[rows],
            self.speed_mps[rows],
            self.driving[rows],
            self.heard.at(rows),
        )


def in_the_air(radio: Radio, sites: Sites, trips: Trips) -> Air:
    """What the operator offers at each moment of the trips."""
    near = servers(radio, sites, trips.x, trips.y)
    return air(radio, sites, near, (trips.x, trips.y), trips.second // 3_600, outages=True)


def log(rng: np.random.Generator, phone: Phone, trips: Trips, offered: Air) -> Readings:
    """The log of one phone on the trips, before duplicates: its faults are in it."""
    heard = with_faults(rng, phone, listen(rng, phone, offered, trips.second // 3_600, _loss(rng, trips)))
    lat, lon, accuracy = _fixes(rng, trips)
    speed = np.maximum(0.0, trips.speed_mps + rng.normal(0, 0.15, trips.x.size)).round(1)
    readings = Readings(phone, trips.second, lat, lon, accuracy, speed, trips.driving, heard)
    return readings.at(heard.state == IN_SERVICE) if phone.positive_only else readings


def _loss(rng: np.random.Generator, trips: Trips) -> Floats:
    # One loss for each drive: the car and where in it the phone lies.
    _, trip = np.unique(trips.trip, return_inverse=True)
    drawn = np.clip(rng.normal(_VEHICLE_LOSS_DB, _VEHICLE_LOSS_SD_DB, trip.max(initial=0) + 1), 0.0, 24.0)
    loss: Floats = np.where(trips.driving, drawn[trip], 0.0)
    return loss


def _fixes(rng: np.random.Generator, trips: Trips) -> tuple[Floats, Floats, Floats]:
    count = trips.x.size
    source = _frozen(rng, trips)
    drift = lfilter([1.0], [1.0, -0.95], rng.normal(0, _GPS_M * 0.31, (2, count)), axis=1)
    luck = rng.random(count)
    lost = luck < _LOST_FIX
    accuracy = np.where(lost, rng.uniform(55, 400, count), rng.gamma(6, 1.3, count) + 2.5).round(1)
    far = np.where(lost, accuracy, 0.0) * rng.normal(0, 0.7, (2, count))
    lat, lon = to_degrees((trips.x + drift[0] + far[0])[source], (trips.y + drift[1] + far[1])[source])
    zero = luck > 1 - _ZERO_FIX
    return np.where(zero, 0.0, lat).round(6), np.where(zero, 0.0, lon).round(6), accuracy


def _frozen(rng: np.random.Generator, trips: Trips) -> Ints:
    # On some trips the receiver repeats one fix for the middle third.
    _, first, trip, count = np.unique(trips.trip, return_index=True, return_inverse=True, return_counts=True)
    rows = np.arange(trips.x.size)
    share = (rows - first[trip]) / count[trip]
    hit = (rng.random(first.size) < _FROZEN)[trip] & (share > 0.33) & (share < 0.66)
    start = (first + np.ceil(count * 0.33).astype(np.int64))[trip]
    return np.where(hit & (start < rows), start, rows)


def with_emergency(readings: Readings, others: list[Readings]) -> Readings:
    """The same log, where a third of the silent seconds near another operator's service say so."""
    other = np.logical_or.reduce([one.heard.state == IN_SERVICE for one in others])
    minute = readings.second // 60
    told = hashed_uniform(5, minute, np.full(minute.size, readings.phone.operator)) < 0.35
    state = np.where(
        (readings.heard.state == NO_SERVICE) & other & told, EMERGENCY_ONLY, readings.heard.state
    )
    return replace(readings, heard=replace(readings.heard, state=state))


def with_repeats(rng: np.random.Generator, readings: Readings, share: float) -> Readings:
    """The log with `share` of its rows written twice, and the flapping of phones that do."""
    count = readings.second.size
    twice = rng.random(count) < share
    flaps = (rng.random(count) < 0.09) & (readings.heard.state == IN_SERVICE)
    flaps &= readings.phone.model == "flapping"
    rows = np.repeat(np.arange(count), 1 + twice.astype(int) + flaps)
    repeated = readings.at(rows)
    # The last copy of a flapping row says: no service, in the same second.
    last = np.append(np.diff(rows) != 0, True) & flaps[rows]
    heard = repeated.heard
    silent = Heard(
        np.where(last, NO_TECHNOLOGY, heard.technology),
        np.where(last, np.nan, heard.level_dbm),
        np.where(last, NO_SERVICE, heard.state),
        np.where(last, -1, heard.site),
    )
    return replace(repeated, heard=silent)


def of_tower_app(rng: np.random.Generator, readings: Readings) -> Readings:
    """What a collector of radio cells writes of a log without silence: a share of what it hardly hears is missing."""
    hardly = readings.heard.level_dbm < readings.phone.sensitivity_dbm + _HARDLY_HEARD_DB
    return readings.at(~(hardly & (rng.random(hardly.size) < _MISSED_SHARE)))


def tests(readings: Readings, *, accuracy_told: bool) -> pd.DataFrame:
    """The tests of a log on foot that still count: one row per res-10 hex and half-hour, as `floors_met` wants."""
    plausible = (np.abs(readings.lat) > 1) & (readings.second >= _EVIDENCE_FROM_S) & ~readings.driving
    if accuracy_told:
        plausible &= readings.accuracy_m <= _WORST_ACCURACY_M
    valid = readings.at(plausible)
    known = ~np.isnan(valid.heard.level_dbm) | (valid.heard.state != IN_SERVICE) & (
        valid.heard.state != UNKNOWN
    )
    table = pd.DataFrame(
        {
            "hex10": hexes.of_points(valid.lat, valid.lon, 10),
            "half_hour": valid.second // 1_800,
            "second": valid.second,
            "known": known,
        }
    )
    found = table.groupby(["hex10", "half_hour"]).agg(
        first_s=("second", "min"), last_s=("second", "max"), known=("known", "mean")
    )
    found = found[found.known > 0.5].drop(columns="known").reset_index()
    return found.assign(operator=readings.phone.operator, device=readings.phone.name)
