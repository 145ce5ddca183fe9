"""What a crew must do at one place before a finding is possible: the evidence floors as phones, days and spots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pyproj import Geod

from coverage import hexes
from coverage.criteria import Criteria
from coverage.verdicts import share_above

# Hexes differ by 3 % over Viet Nam; those at its south end are the largest, those at its north end the smallest.
_SOUTH, _NORTH = (8.6, 104.8), (23.3, 105.3)
_SPOT_RESOLUTION = 10  # `hex_res10` of the contracts: tests in one of them are of one spot
_STEP_M = 50.0  # crews pace distances off: no finer
_MPS_TO_KMH = 3.6


@dataclass(frozen=True)
class FieldPlan:
    """One operator at one place (centre or cluster): the visits that let its silence count as a dead zone.

    phones: different phones, all of them at every spot on every date; dates: different days; hours_apart: from the
    first fail to the last; spots: at each of which every phone makes one test per date; spot_apart_m: so far apart
    two spots are never one; reach_m: so near to the centre every spot
    speaks for it, 0 where only the centre's own hex does; vehicle_kmh: faster than this
    counts as in a vehicle.
    """

    phones: int
    dates: int
    hours_apart: float
    spots: int
    spot_apart_m: int
    reach_m: int
    vehicle_kmh: int


def field_plan(criteria: Criteria) -> FieldPlan:
    """The least regular plan that meets every floor of the criteria, each test of it without service.

    As many dates and spots as the floors ask for; more phones than they ask for where one phone's tests are so
    alike (`rho`) that the floor of effective fails or the probability is not met otherwise.
    """
    floors = criteria.floors
    return FieldPlan(
        phones=_phones(criteria),
        dates=floors.dates,
        hours_apart=floors.hours_apart,
        spots=floors.hexes_res10,
        spot_apart_m=_up(_across_m(_SOUTH, _SPOT_RESOLUTION)),
        reach_m=_down(_edge_m(_NORTH, criteria.hex_resolution) * criteria.village.neighbour_rings),
        vehicle_kmh=math.floor(criteria.evidence.vehicle_speed_mps * _MPS_TO_KMH),
    )


def _phones(criteria: Criteria) -> int:
    # Every test fails, so that effective tests and effective fails are one number.
    rules, floors = criteria.evidence, criteria.floors
    tests = floors.dates * floors.hexes_res10
    each = tests / (1 + (tests - 1) * rules.rho)
    phones = floors.devices
    while not _enough(phones * each, criteria):
        phones += 1
    return phones


def _enough(effective: float, criteria: Criteria) -> bool:
    counted = np.array([effective])
    sure = share_above(counted, counted, criteria.evidence.dead_share)[0]
    return effective >= criteria.floors.effective_fails and bool(sure >= criteria.evidence.dead_probability)


def _corners(place: tuple[float, float], resolution: int) -> list[tuple[float, float]]:
    return list(hexes.polygons([hexes.of_point(*place, resolution)])[0].exterior.coords)


def _across_m(place: tuple[float, float], resolution: int) -> float:
    corners = _corners(place, resolution)
    return max(_metres(one, other) for one in corners for other in corners)


def _edge_m(place: tuple[float, float], resolution: int) -> float:
    corners = _corners(place, resolution)
    return min(_metres(one, other) for one, other in pairwise(corners))


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(Geod(ellps="WGS84").inv(*one, *other)[2])


def _up(distance_m: float) -> int:
    return int(math.ceil(distance_m / _STEP_M) * _STEP_M)


def _down(distance_m: float) -> int:
    return int(math.floor(distance_m / _STEP_M) * _STEP_M)
