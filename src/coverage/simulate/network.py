"""The simulated radio sites, and how many of them each operator has built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coverage.simulate.ground import Terrain
from coverage.simulate.noise import Bools, Floats, Ints, hashed_uniform
from coverage.simulate.villages import Village

OPERATORS = ("45204", "45202", "45201", "45205")
# Share of villages that each operator leaves dead before it answers complaints (our choice: market leader
# best, smallest worst).
DEAD_SHARES = (0.10, 0.18, 0.22, 0.38)
# People with a weak signal complain, and most get a small site; where there is none nobody expects one.
_COMPLAINTS_ANSWERED = 0.65
_WEAK_FROM, _WEAK_TO = 0.1, 0.85
GSM, UMTS, LTE, NR = range(4)
_UMTS_SHARE = (0.25, 0.45, 0.45, 0.35)
_GSM_SHARE = 0.12
_LTE_SHARE = 0.95
_LOW_BAND_SHARE = 0.6  # 900 MHz, else 1800 MHz
_SEARCH_STEPS = 7
# Land where nobody may or can build (special-use forest, no road or line): shares of the villages' ground,
# first for all operators alike, then for each operator on top. Provinces name these causes themselves.
_CLOSED_TO_ALL_SHARE = 0.06
_CLOSED_SHARES = (0.0, 0.05, 0.08, 0.18)
# The nearest station of villages that nobody serves is 3-6 km away, as operators answer voters.
_CLOSED_RADIUS_M = 6_500.0
_CLOSED_FROM_VILLAGES = 20  # in a smaller area a closed disc could leave nowhere to build


@dataclass(frozen=True)
class Sites:
    """The sites of one operator as arrays; `number` is unique over all operators."""

    number: Ints
    x: Floats
    y: Floats
    mast_m: Floats
    low_band: Bools
    technologies: Bools

    def first(self, count: int) -> Sites:
        """The `count` sites that were built first."""
        return Sites(
            self.number[:count],
            self.x[:count],
            self.y[:count],
            self.mast_m[:count],
            self.low_band[:count],
            self.technologies[:count],
        )


def closed_to_all(rng: np.random.Generator, villages: list[Village]) -> Floats:
    """The land closed to every operator, as discs (N, 3): x, y and radius in metres."""
    return _closed(rng, villages, _CLOSED_TO_ALL_SHARE)


def closed_to(rng: np.random.Generator, villages: list[Village], operator: int) -> Floats:
    """The land closed to one operator on top of that, as discs (N, 3): x, y and radius in metres."""
    return _closed(rng, villages, _CLOSED_SHARES[operator])


def _closed(rng: np.random.Generator, villages: list[Village], share: float) -> Floats:
    # Discs around remote villages, as few as make up the share of the ground.
    wanted_m2 = share * sum(village.outline.area for village in villages)
    if not share or len(villages) < _CLOSED_FROM_VILLAGES:
        return np.zeros((0, 3))
    count = max(1, round(wanted_m2 / (np.pi * _CLOSED_RADIUS_M**2)))
    chosen = rng.choice(len(villages), count, replace=False)
    centres = [(villages[i].places[0].x, villages[i].places[0].y, _CLOSED_RADIUS_M) for i in chosen]
    return np.array(centres)


def _is_open(x: Floats, y: Floats, closed: Floats) -> Bools:
    inside = np.hypot(x[:, None] - closed[:, 0], y[:, None] - closed[:, 1]) < closed[:, 2]
    outside: Bools = np.logical_not(inside.any(axis=1))
    return outside


def candidates(
    rng: np.random.Generator, villages: list[Village], terrain: Terrain, operator: int, closed: Floats
) -> Sites:
    """Where the operator would build, in the order of its interest: large places first, with chance."""
    places = [(place, village.name) for village in villages for place in village.places]
    weight = np.array([place.households for place, _ in places]) * rng.lognormal(0, 0.8, len(places))
    order = np.argsort(-weight)
    x, y = _hilltops(rng, terrain, np.array([(places[i][0].x, places[i][0].y) for i in order]))
    town = np.array([places[i][1].startswith("Tổ dân phố") for i in order])
    kept = _is_open(x, y, closed)
    x, y, town = x[kept], y[kept], town[kept]
    number = np.arange(x.size) + operator * 100_000
    return Sites(
        number,
        x,
        y,
        rng.uniform(30.0, 48.0, x.size),
        rng.random(x.size) < _LOW_BAND_SHARE,
        _technologies(number, operator, town),
    )


def _hilltops(rng: np.random.Generator, terrain: Terrain, around: Floats) -> tuple[Floats, Floats]:
    # The best of a few spots the surveyors looked at: the highest within 2 km of the place.
    angle = rng.uniform(0, 2 * np.pi, (around.shape[0], 3))
    reach = rng.uniform(150.0, 2_000.0, (around.shape[0], 3))
    x, y = around[:, :1] + reach * np.cos(angle), around[:, 1:] + reach * np.sin(angle)
    best = np.argmax(terrain.height(x, y), axis=1)[:, None]
    return np.take_along_axis(x, best, 1)[:, 0], np.take_along_axis(y, best, 1)[:, 0]


def _technologies(number: Ints, operator: int, town: Bools) -> Bools:
    found = np.zeros((number.size, 4), dtype=bool)
    found[:, GSM] = hashed_uniform(1, number) < _GSM_SHARE
    found[:, LTE] = hashed_uniform(2, number) < _LTE_SHARE
    found[:, UMTS] = (hashed_uniform(3, number) < _UMTS_SHARE[operator]) | ~found[:, LTE]
    found[:, NR] = (hashed_uniform(4, number) < 0.5) & town & found[:, LTE]
    return found


def built(offer: Sites, dead_share: Callable[[Sites], float], target: float) -> Sites:
    """The fewest first sites of the offer whose share of dead villages is not above the target."""
    low, high = 1, offer.x.size
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) // 2
        if dead_share(offer.first(middle)) > target:
            low = middle
        else:
            high = middle
    return offer.first(high)


def with_infill(
    rng: np.random.Generator, sites: Sites, at: tuple[Floats, Floats], p_fail: Floats, closed: Floats
) -> Sites:
    """The sites with small ones added on open land near most of the places (x, y) where service is weak."""
    x, y = at
    weak = (p_fail > _WEAK_FROM) & (p_fail < _WEAK_TO) & _is_open(x, y, closed)
    weak &= rng.random(p_fail.size) < _COMPLAINTS_ANSWERED
    count = int(weak.sum())
    angle, away = rng.uniform(0, 2 * np.pi, count), rng.uniform(150.0, 700.0, count)
    technologies = np.zeros((count, 4), dtype=bool)
    technologies[:, LTE] = True
    return Sites(
        np.concatenate([sites.number, sites.number.max() + 1 + np.arange(count)]),
        np.concatenate([sites.x, x[weak] + away * np.cos(angle)]),
        np.concatenate([sites.y, y[weak] + away * np.sin(angle)]),
        np.concatenate([sites.mast_m, np.full(count, 24.0)]),
        np.concatenate([sites.low_band, np.zeros(count, dtype=bool)]),
        np.concatenate([sites.technologies, technologies]),
    )
