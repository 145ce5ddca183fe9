"""The simulated radio sites, and how many of them each operator has built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coverage.simulate.ground import Terrain
from coverage.simulate.noise import Bools, Floats, Ints, hashed_uniform
from coverage.simulate.villages import Village

OPERATORS = ("45204", "45202", "45201", "45205")
# Share of villages that each operator leaves dead (our choice: market leader best, smallest worst).
DEAD_SHARES = (0.06, 0.12, 0.15, 0.30)
GSM, UMTS, LTE, NR = range(4)
_UMTS_SHARE = (0.25, 0.45, 0.45, 0.35)
_GSM_SHARE = 0.12
_LTE_SHARE = 0.95
_LOW_BAND_SHARE = 0.6  # 900 MHz, else 1800 MHz
_SEARCH_STEPS = 7


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


def candidates(rng: np.random.Generator, villages: list[Village], terrain: Terrain, operator: int) -> Sites:
    """Where the operator would build, in the order of its interest: large places first, with chance."""
    places = [(place, village.name) for village in villages for place in village.places]
    weight = np.array([place.households for place, _ in places]) * rng.lognormal(0, 0.8, len(places))
    order = np.argsort(-weight)
    x, y = _hilltops(rng, terrain, np.array([(places[i][0].x, places[i][0].y) for i in order]))
    town = np.array([places[i][1].startswith("Tổ dân phố") for i in order])
    number = np.arange(order.size) + operator * 100_000
    return Sites(
        number,
        x,
        y,
        rng.uniform(30.0, 48.0, order.size),
        rng.random(order.size) < _LOW_BAND_SHARE,
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
