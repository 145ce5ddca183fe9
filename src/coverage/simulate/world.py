"""One simulated province: ground, villages, networks and phones, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.criteria import Criteria, default_text, parse
from coverage.simulate import ground, network, phones, radio, truth, villages
from coverage.simulate.ground import Commune
from coverage.simulate.network import DEAD_SHARES, OPERATORS, Sites
from coverage.simulate.phones import Phone
from coverage.simulate.radio import Radio
from coverage.simulate.villages import Places, Village

# Every part draws from its own stream, so that changing one leaves the others as they were.
_AREA, _TERRAIN, _VILLAGES, _RADIO, _PHONES, _CROWD, _NETWORKS, _CLOSED = range(1, 9)
_LEAST_CROWD = 24


@dataclass(frozen=True)
class World:
    """Everything that exists before anybody measures; `networks` in the order of `OPERATORS`."""

    seed: int
    criteria: Criteria
    area: list[Commune]
    villages: list[Village]
    places: Places
    radio: Radio
    networks: list[Sites]
    teams: list[list[Phone]]
    crowd: list[Phone]


def stream(seed: int, part: int, index: int = 0) -> np.random.Generator:
    """The random numbers of one part of the simulation."""
    return np.random.default_rng([seed, part, index])


def crew_phones(seed: int) -> list[list[Phone]]:
    """The phones of the teams, one per operator."""
    return phones.of_crews(stream(seed, _PHONES))


def settle(seed: int, wanted: int) -> tuple[list[Commune], ground.Terrain, list[Village]]:
    """The communes, terrain and villages of a seed."""
    area = ground.chosen_communes(stream(seed, _AREA), ground.communes(), wanted)
    terrain = ground.terrain(stream(seed, _TERRAIN), area)
    return area, terrain, villages.build(stream(seed, _VILLAGES), area, terrain, wanted)


def build(seed: int, wanted: int) -> World:
    """The world of a seed with the wanted number of villages."""
    area, terrain, settled = settle(seed, wanted)
    places = villages.as_arrays(settled)
    shared = radio.build(stream(seed, _RADIO), terrain, seed)
    criteria = parse(default_text(), "vietnam.toml")
    dead_share = truth.dead_village_share(shared, places, truth.limits(criteria))
    closed_to_all = network.closed_to_all(stream(seed, _CLOSED), settled)
    networks = []
    for operator in range(len(OPERATORS)):
        own = network.closed_to(stream(seed, _CLOSED, operator + 1), settled, operator)
        closed = np.concatenate([closed_to_all, own])
        offer = network.candidates(stream(seed, _NETWORKS, operator), settled, terrain, operator, closed)
        first = network.built(offer, dead_share, DEAD_SHARES[operator])
        p_fail = truth.fail_shares(shared, first, places, truth.limits(criteria), quick=True)
        rng = stream(seed, _NETWORKS, len(OPERATORS) + operator)
        networks.append(network.with_infill(rng, first, (places.x, places.y), p_fail, closed))
    return World(
        seed,
        criteria,
        area,
        settled,
        places,
        shared,
        networks,
        crew_phones(seed),
        phones.of_crowd(stream(seed, _CROWD), max(_LEAST_CROWD, wanted)),
    )
