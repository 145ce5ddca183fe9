"""The truth that the simulation knows: where each operator fails, and whether the crews could show it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coverage import hexes
from coverage.criteria import Criteria
from coverage.simulate.ground import to_degrees
from coverage.simulate.network import GSM, LTE, NR, OPERATORS, UMTS, Sites
from coverage.simulate.noise import Bools, Floats, Ints
from coverage.simulate.radio import Radio, air, servers
from coverage.simulate.villages import Places, Village

DEAD_ABOVE, COVERED_BELOW = 0.5, 0.2
_FIRST_DAY, _LAST_DAY = 305, 668  # 2025-11-02 and 2026-10-31, in days since 2025-01-01
_DAYS = 40
_QUICK_DAYS, _QUICK_HOUSES = 8, 10
_PASSING_EFFECTIVE_TESTS = 9.0  # Jeffreys: the least all-pass tests that say covered at 20 %


@dataclass(frozen=True)
class Judged:
    """One village for one operator, as it truly is."""

    village_id: str
    operator: str
    status: str
    electrified: bool
    gap: bool
    floors_met: bool
    p_fail_centre: float
    p_fail_worst: float
    population_affected: int


def limits(criteria: Criteria) -> Floats:
    """The headline thresholds in dBm by technology; GSM can never pass, it is switched off."""
    found = np.empty(4)
    headline = criteria.thresholds_dbm.headline
    found[[UMTS, LTE, NR]] = headline.UMTS, headline.LTE, headline.NR
    found[GSM] = np.inf
    return found


def fail_shares(radio: Radio, sites: Sites, places: Places, limits_dbm: Floats, *, quick: bool) -> Floats:
    """The share of (house, day) pairs without usable signal, for each place; `quick` takes fewer pairs."""
    houses = places.houses[:, : _QUICK_HOUSES if quick else None]
    days = np.linspace(_FIRST_DAY, _LAST_DAY, _QUICK_DAYS if quick else _DAYS).astype(np.int64)
    x, y = houses[..., 0].ravel(), houses[..., 1].ravel()
    near = servers(radio, sites, x, y)
    fails = np.zeros(x.size)
    for day in days:
        heard = air(radio, sites, near, (x, y), np.full(x.size, day * 24), outages=False)
        fails += ~(heard.level_dbm >= limits_dbm).any(axis=1)
    shares: Floats = (fails / days.size).reshape(houses.shape[:2]).mean(axis=1)
    return shares


def dead_village_share(radio: Radio, places: Places, limits_dbm: Floats) -> Callable[[Sites], float]:
    """A function from the sites of an operator to the share of villages with a dead place."""

    def share(sites: Sites) -> float:
        dead = fail_shares(radio, sites, places, limits_dbm, quick=True) > DEAD_ABOVE
        return len(set(places.village[dead].tolist())) / (int(places.village.max()) + 1)

    return share


def status(p_fail: Floats, households: Ints, served_share: float) -> str:
    """The status of one village from its places, the centre first: a status of the product, or `weak`."""
    if p_fail[0] > DEAD_ABOVE:
        return "trang_song"
    if (p_fail > DEAD_ABOVE).any():
        return "lom_song"
    covered = p_fail < COVERED_BELOW
    served = households[covered].sum() >= served_share * households.sum()
    return "phu_song" if covered[0] and served else "weak"


def electrified(village: Village, dead: Bools, share: float) -> bool:
    """Whether the village has grid power: at a dead place where that is listed, else by its households."""
    if village.grid_listed and village.clusters_listed and dead.any():
        return any(place.on_grid for place, is_dead in zip(village.places, dead, strict=True) if is_dead)
    return village.grid_share >= share


def judge(
    villages: list[Village], places: Places, p_fail: list[Floats], floors: Bools, criteria: Criteria
) -> list[Judged]:
    """Every village for every operator; `p_fail` per operator and place, `floors` (operator, village)."""
    found = []
    for index, village in enumerate(villages):
        here = places.village == index
        households = np.array([place.households for place in village.places])
        for operator, shares in enumerate(p_fail):
            there = shares[here]
            state = status(there, households, criteria.village.served_households_share)
            power = electrified(village, there > DEAD_ABOVE, criteria.village.electrified_share)
            found.append(
                Judged(
                    village_id=village.village_id,
                    operator=OPERATORS[operator],
                    status=state,
                    electrified=power,
                    gap=power and state in ("trang_song", "lom_song"),
                    floors_met=bool(floors[operator, index]),
                    p_fail_centre=round(float(there[0]), 4),
                    p_fail_worst=round(float(there.max()), 4),
                    population_affected=round(village.population * _dead_share(there, households)),
                )
            )
    return found


def _dead_share(p_fail: Floats, households: Ints) -> float:
    return float(households[p_fail > DEAD_ABOVE].sum() / households.sum())


def floors_met(tests: pd.DataFrame, places: Places, criteria: Criteria) -> Bools:
    """Which (operator, village) the crews tested enough at every place, as (operators, villages).

    `tests` has one row per operator, device, res-10 hex and half-hour: columns operator, device, hex10,
    half_hour, first_s and last_s (local seconds since 2025-01-01).
    """
    met = np.zeros((len(OPERATORS), places.x.size), dtype=bool)
    pooled = tests.assign(hex9=hexes.parents(tests.hex10.to_numpy(), 9)).merge(_rings(places), on="hex9")
    enough = _enough(pooled, criteria)
    met[enough.operator.to_numpy(), enough.place.to_numpy()] = True
    villages = int(places.village.max()) + 1
    complete = np.ones((len(OPERATORS), villages), dtype=bool)
    for operator in range(len(OPERATORS)):
        np.logical_and.at(complete[operator], places.village, met[operator])
    return complete


def _rings(places: Places) -> pd.DataFrame:
    centres = hexes.of_points(*to_degrees(places.x, places.y), 9)
    pairs = [(index, ring) for index, centre in enumerate(centres) for ring in hexes.disk(int(centre), 1)]
    return pd.DataFrame(pairs, columns=["place", "hex9"])


def _enough(pooled: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    keys = ["operator", "place"]
    pooled = pooled.assign(day=pooled.first_s // 86_400)
    counted = pooled.groupby([*keys, "device"]).size()
    effective = counted / (1 + (counted - 1) * criteria.evidence.rho)
    found = pooled.groupby(keys).agg(
        devices=("device", "nunique"),
        dates=("day", "nunique"),
        spots=("hex10", "nunique"),
        first=("first_s", "min"),
        last=("last_s", "max"),
    )
    found["effective"] = effective.groupby(level=keys).sum()
    floors = criteria.floors
    enough = (
        (found.devices >= floors.devices)
        & (found.dates >= floors.dates)
        & (found.spots >= floors.hexes_res10)
        & (found["last"] - found["first"] >= floors.hours_apart * 3_600)
        & (found.effective >= _PASSING_EFFECTIVE_TESTS)
    )
    return found[enough].reset_index()


def write(judged: list[Judged], path: Path) -> None:
    """Write truth.csv: one row per village and operator, in village order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Judged.__dataclass_fields__)
        for one in judged:
            values = vars(one).values()
            rows.writerow([str(value).lower() if isinstance(value, bool) else value for value in values])
