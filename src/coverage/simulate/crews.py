"""Where measuring people go and when: visits of teams on foot, drives between villages, the crowd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.simulate.noise import Floats, Ints
from coverage.simulate.phones import TEAMS
from coverage.simulate.villages import HOUSES_PER_PLACE, Places, Village

LAST_DAY = 668  # 2026-10-31, in days since 2025-01-01
_FIRST_VALID_DAY = 306  # 2025-11-03: as of 2026-11-01 older evidence has expired
_FIRST_DAY = 160  # 2025-06-10
_STALE_SHARE = 0.05
# Share of villages with 0, 1 … 7 visits (our choice): some never reached, most seen by several teams.
_VISIT_SHARES = (0.06, 0.10, 0.05, 0.07, 0.15, 0.25, 0.20, 0.12)
_CLUSTER_SKIPPED = 0.04
_SAME_TEAM_AGAIN = 0.1
# The rule asks for two devices, so most visits are made by two teams, each with a phone per operator.
_IN_PAIRS = 0.75
_STOPS = 9
_STOP_S = 200.0
_TEAMS_WITH_SPEED = range(4, TEAMS)  # teams 0-3 use an app whose log carries no speed
_DRIVE_STEP_S = 3.0
_CROWD_SESSION = 8
_DAY_S = 86_400
_HALF_DAY_STARTS_S = (7 * 3_600, 45_000)  # 07:00 and 12:30


@dataclass(frozen=True)
class Trips:
    """Moments of measuring as arrays: plane position in metres, local seconds since 2025-01-01, speed.

    who: the team, or for the crowd the phone. trip: one number per walk, drive or session.
    """

    who: Ints
    trip: Ints
    x: Floats
    y: Floats
    second: Ints
    speed_mps: Floats
    driving: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def of(self, who: int) -> Trips:
        """The moments of one team or phone."""
        return take(self, np.flatnonzero(self.who == who))


@dataclass(frozen=True)
class Walks:
    """One row per walk around a place: village place, team, day, starting second of the day, readings."""

    place: Ints
    team: Ints
    start_s: Ints
    readings: Ints


def take(trips: Trips, rows: Ints) -> Trips:
    """The chosen moments."""
    return Trips(*(getattr(trips, name)[rows] for name in Trips.__dataclass_fields__))


def joined(parts: list[Trips]) -> Trips:
    """All moments of several sets."""
    return Trips(*(np.concatenate([getattr(p, n) for p in parts]) for n in Trips.__dataclass_fields__))


def plan_walks(rng: np.random.Generator, villages: list[Village], places: Places, readings: int) -> Walks:
    """The walks of all teams with `readings` moments in total, in order of time; the last on 2026-10-31."""
    rows: list[tuple[int, int, int]] = []
    first_place = np.searchsorted(places.village, np.arange(len(villages)))
    booked: set[tuple[int, int]] = set()
    for index, village in enumerate(villages):
        for team, start in _visits(rng, booked, force=index == 0):
            here = first_place[index] + np.arange(len(village.places))
            kept = here[(rng.random(here.size) >= _CLUSTER_SKIPPED) | (here == here[0])]
            rows += [(int(place), team, start + 3_600 * step) for step, place in enumerate(kept)]
    table = np.array(rows, dtype=np.int64)
    table = table[np.argsort(table[:, 2], kind="stable")]
    return Walks(table[:, 0], table[:, 1], table[:, 2], _shared_out(rng, readings, len(table)))


def _visits(rng: np.random.Generator, booked: set[tuple[int, int]], *, force: bool) -> list[tuple[int, int]]:
    # The team and starting second of every visit to one village; `booked` holds the half-days already taken.
    count = max(int(rng.choice(len(_VISIT_SHARES), p=_VISIT_SHARES)), int(force))
    teams = rng.permutation(TEAMS)[:count]
    if count > 1 and rng.random() < _SAME_TEAM_AGAIN * count / 4:
        teams[1] = teams[0]
    days = rng.choice(np.arange(_FIRST_VALID_DAY, LAST_DAY + 1), count, replace=False)
    stale = rng.random(count) < _STALE_SHARE
    days[stale] = rng.integers(_FIRST_DAY, _FIRST_VALID_DAY - 5, count)[stale]
    if force:
        days[0] = LAST_DAY
    visits: list[tuple[int, int]] = []
    for team, day in zip(teams.tolist(), days.tolist(), strict=True):
        half = _free_half_day(booked, team, day * 2 + int(rng.integers(2)))
        start = (half // 2) * _DAY_S + _HALF_DAY_STARTS_S[half % 2] + int(rng.integers(3_600))
        partner = (team + int(rng.integers(1, TEAMS))) % TEAMS
        visits.append((team, start))
        if rng.random() < _IN_PAIRS and (partner, half) not in booked:
            booked.add((partner, half))
            visits.append((partner, start + 600))
    return visits


def _free_half_day(booked: set[tuple[int, int]], team: int, wanted: int) -> int:
    # Nobody is in two places at once: the next free half-day from the wanted one on, round the valid year.
    # In provinces with more visits than half-days a team does several villages in one.
    first, last = (_FIRST_DAY if wanted < _FIRST_VALID_DAY * 2 else _FIRST_VALID_DAY) * 2, LAST_DAY * 2 + 1
    half = wanted
    for _ in range(last - first):
        if (team, half) not in booked:
            break
        half = first if half >= last else half + 1
    booked.add((team, half))
    return half


def _shared_out(rng: np.random.Generator, total: int, parts: int) -> Ints:
    # Uneven by ±25 %, summing to the total.
    weights = np.cumsum(rng.uniform(0.75, 1.25, parts))
    bounds = np.rint(weights / weights[-1] * total).astype(np.int64) if parts else np.zeros(0, np.int64)
    return np.diff(bounds, prepend=0)


def walk(rng: np.random.Generator, walks: Walks, places: Places) -> Trips:
    """The moments of all walks: from house to house around each place, lingering at every stop."""
    trip = np.repeat(np.arange(walks.place.size), walks.readings)
    step = np.arange(trip.size) - np.repeat(np.cumsum(walks.readings) - walks.readings, walks.readings)
    stops = np.clip(walks.readings // 2, 1, _STOPS)
    pace = _pace(walks.readings, stops)
    east, north = _tours(rng, walks, places)
    along = step * (stops / np.maximum(walks.readings, 1))[trip]
    stop = np.minimum(along.astype(np.int64), stops[trip] - 1)
    move = np.clip((along - stop - 0.4) / 0.6, 0.0, 1.0) * (stop < stops[trip] - 1)
    after = np.minimum(stop + 1, _STOPS - 1)
    x = east[trip, stop] * (1 - move) + east[trip, after] * move + 12 * np.sin(along * 9 + trip)
    y = north[trip, stop] * (1 - move) + north[trip, after] * move + 12 * np.cos(along * 7 + trip)
    second = walks.start_s[trip] + np.floor(step * pace[trip]).astype(np.int64)
    speed = _speeds(trip, x, y, second)
    return Trips(walks.team[trip], trip, x, y, second, speed, np.zeros(trip.size, dtype=bool))


def _pace(readings: Ints, stops: Ints) -> Floats:
    # Seconds between readings: 2-5 s, longer where so few readings were asked for that a crew would run.
    count = np.maximum(readings, 1)
    pace: Floats = np.minimum(stops * _STOP_S / count, np.maximum(5.0, stops * 75.0 / count))
    return pace


def _tours(rng: np.random.Generator, walks: Walks, places: Places) -> tuple[Floats, Floats]:
    # Nine houses of the place, in the order of a round walk.
    picks = np.argsort(rng.random((walks.place.size, HOUSES_PER_PLACE)), axis=1)[:, :_STOPS]
    east = np.take_along_axis(places.houses[walks.place, :, 0], picks, 1)
    north = np.take_along_axis(places.houses[walks.place, :, 1], picks, 1)
    angle = np.arctan2(north - places.y[walks.place][:, None], east - places.x[walks.place][:, None])
    order = np.argsort(angle, axis=1)
    return np.take_along_axis(east, order, 1), np.take_along_axis(north, order, 1)


def _speeds(trip: Ints, x: Floats, y: Floats, second: Ints) -> Floats:
    passed = np.maximum(np.diff(second, prepend=second[:1]), 1)
    speed = np.hypot(np.diff(x, prepend=x[:1]), np.diff(y, prepend=y[:1])) / passed
    speed[np.diff(trip, prepend=-1) != 0] = 0.0
    return speed


def drive(rng: np.random.Generator, walks: Walks, places: Places, readings: int) -> Trips:
    """Drives by car to villages before a visit, `readings` moments in total, by teams that log speed."""
    able = np.flatnonzero(np.isin(walks.team, list(_TEAMS_WITH_SPEED)))
    parts: list[Trips] = []
    left = readings
    while left > 0 and able.size:
        part = _one_drive(rng, walks, places, int(rng.choice(able)), walks.place.size + len(parts))
        parts.append(take(part, np.arange(min(left, part.x.size))))
        left -= parts[-1].x.size
    return joined(parts) if parts else take(walk(rng, walks, places), np.zeros(0, dtype=np.int64))


def _one_drive(rng: np.random.Generator, walks: Walks, places: Places, row: int, trip: int) -> Trips:
    end = walks.place[row]
    near = np.argsort(np.hypot(places.x - places.x[end], places.y - places.y[end]))
    start = near[min(int(rng.integers(25, 90)), near.size - 1)]
    length = 1.3 * float(np.hypot(places.x[end] - places.x[start], places.y[end] - places.y[start])) + 500.0
    mean_speed = rng.uniform(6.5, 11.0)
    count = int(length / mean_speed / _DRIVE_STEP_S) + 2
    pace = np.clip(1 + 0.35 * np.sin(np.linspace(0, rng.uniform(6, 20), count)), 0.1, 2.0)
    share = np.cumsum(pace) / pace.sum()
    x, y = _bent(rng, places, (start, end), share, length)
    second = walks.start_s[row] - 300 - (np.arange(count)[::-1] * _DRIVE_STEP_S).astype(np.int64)
    numbers = np.full(count, trip)
    speed = _speeds(numbers, x, y, second)
    return Trips(np.full(count, walks.team[row]), numbers, x, y, second, speed, np.ones(count, dtype=bool))


def _bent(
    rng: np.random.Generator, places: Places, ends: tuple[int, int], share: Floats, length: float
) -> tuple[Floats, Floats]:
    # A mountain road: the straight line, bent by three waves that vanish at both ends.
    start, end = ends
    waves = np.sin(np.pi * share[:, None] * np.array([1, 3, 7])) * rng.normal(0, 1, 3) / np.array([1, 3, 7])
    aside = waves.sum(axis=1) * length * 0.1
    east, north = places.x[end] - places.x[start], places.y[end] - places.y[start]
    norm = max(float(np.hypot(east, north)), 1.0)
    x = places.x[start] + share * east - aside * north / norm
    y = places.y[start] + share * north + aside * east / norm
    return x, y


def wander(rng: np.random.Generator, places: Places, homes: Ints, readings: int) -> Trips:
    """Sessions of crowd phones around their homes, `readings` moments in total."""
    sizes = np.full(-(-readings // _CROWD_SESSION), _CROWD_SESSION)
    trip = np.repeat(np.arange(sizes.size), sizes)[:readings]
    who = rng.integers(0, homes.size, sizes.size)
    away = rng.random(sizes.size) < 0.15
    place = np.where(away, rng.integers(0, places.x.size, sizes.size), homes[who])
    house = rng.integers(0, HOUSES_PER_PLACE, sizes.size)
    day = rng.integers(_FIRST_DAY, LAST_DAY + 1, sizes.size)
    start = day * _DAY_S + rng.integers(6 * 3_600, 22 * 3_600, sizes.size)
    step = np.arange(trip.size) % _CROWD_SESSION
    x = places.houses[place, house, 0][trip] + rng.normal(0, 15, trip.size) + step * 4.0
    y = places.houses[place, house, 1][trip] + rng.normal(0, 15, trip.size)
    second = start[trip] + step * 20
    still = np.zeros(trip.size)
    return Trips(who[trip], trip, x, y, second, still, np.zeros(trip.size, dtype=bool))
