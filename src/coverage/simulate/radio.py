"""What reaches a point on the ground: path loss, ridges, shadowing, days, outages.

Levels are those of a nominal phone held in the hand outdoors. The spreads are fitted so that what the
simulated crews measure is no kinder than real drives; tests/test_simulate.py holds the targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from coverage.simulate.ground import Terrain
from coverage.simulate.network import GSM, LTE, NR, UMTS, Sites
from coverage.simulate.noise import Bools, Floats, Ints, Texture, hashed_uniform, texture

# Reference level in dBm at 1 km per LTE resource element: 32 dBm EIRP per element less the loss of an
# rural macro cell among trees and hills (Hata, 40 m mast, 3 dB of them), by band.
_LEVEL_1KM_DBM = {True: -66.0, False: -75.0}
_SLOPE_DB = 34.4  # Hata per decade of distance, 40 m mast
_WAVELENGTH_M = {True: 0.32, False: 0.165}
_STRONGEST_DBM = -54.0  # close to a mast its beam passes overhead
_TREES_M = 10.0
_PHONE_M = 1.5
_PROFILE_POINTS = 24
_NEAREST_SITES = 6
_CELL_M = 100.0
_SHADOW_DB = 9.5  # rural macro shadowing is 8 dB in 3GPP TR 36.814; a little more in forest
_SHADOW_RANGE_M = 850.0
_DAY_DB = 4.6
_DAY_RANGE_M = 1_200.0
# Above the LTE level of the same site: pilot or carrier power against one resource element.
_ABOVE_LTE_DB = {GSM: 20.0, UMTS: 11.0, LTE: 0.0, NR: -9.0}
_CHUNK = 200_000
OUTAGE_BLOCK_H = 6
_OUTAGES_PER_YEAR = 2.5
NO_SITE = -1
SILENCE_DBM = -300.0


@dataclass(frozen=True)
class Radio:
    """What every operator shares: ground, the two textures, and the seed of days and outages."""

    terrain: Terrain
    shadows: Texture
    weather: Texture
    seed: int


@dataclass(frozen=True)
class Servers:
    """The nearest sites of one operator at each point, (N, K): their row in `Sites`, mean level in dBm."""

    row: Ints
    mean_dbm: Floats


@dataclass(frozen=True)
class Air:
    """The best level in dBm of each technology (N, 4) and the number of its site; −300 and −1 if none."""

    level_dbm: Floats
    site: Ints


def build(rng: np.random.Generator, terrain: Terrain, seed: int) -> Radio:
    """The shared part of the radio world."""
    shadows = texture(rng, 2048, 50.0, _SHADOW_RANGE_M)
    return Radio(terrain, shadows, texture(rng, 1024, 100.0, _DAY_RANGE_M), seed)


def servers(radio: Radio, sites: Sites, x: Floats, y: Floats) -> Servers:
    """The nearest sites at each point; levels are computed once per 100 m square."""
    east, north = np.floor(x / _CELL_M).astype(np.int64), np.floor(y / _CELL_M).astype(np.int64)
    cells, inverse = np.unique(east * 10_000_000 + north + 5_000_000, return_inverse=True)
    cell_x = (cells // 10_000_000 + 0.5) * _CELL_M
    cell_y = (cells % 10_000_000 - 5_000_000 + 0.5) * _CELL_M
    rows = _nearest(sites, cell_x, cell_y)
    parts = [
        _mean_levels(
            radio.terrain, sites, rows[i : i + _CHUNK], cell_x[i : i + _CHUNK], cell_y[i : i + _CHUNK]
        )
        for i in range(0, cells.size, _CHUNK)
    ]
    return Servers(rows[inverse], np.concatenate(parts)[inverse])


def _nearest(sites: Sites, x: Floats, y: Floats) -> Ints:
    count = min(_NEAREST_SITES, sites.x.size)
    tree = cKDTree(np.column_stack([sites.x, sites.y]))
    _, rows = tree.query(np.column_stack([x, y]), k=np.arange(1, count + 1))
    return np.asarray(rows, dtype=np.int64)


def _mean_levels(terrain: Terrain, sites: Sites, rows: Ints, x: Floats, y: Floats) -> Floats:
    flat = rows.ravel()
    to_x, to_y = np.repeat(x, rows.shape[1]), np.repeat(y, rows.shape[1])
    distance = np.maximum(np.hypot(sites.x[flat] - to_x, sites.y[flat] - to_y), 60.0)
    low = sites.low_band[flat]
    level = np.where(low, _LEVEL_1KM_DBM[True], _LEVEL_1KM_DBM[False])
    level = level - _SLOPE_DB * np.log10(distance / 1_000.0)
    bend = _ridge_loss(terrain, sites, flat, (to_x, to_y), distance)
    means: Floats = np.minimum(level - bend, _STRONGEST_DBM).reshape(rows.shape)
    return means


def _ridge_loss(
    terrain: Terrain, sites: Sites, rows: Ints, to: tuple[Floats, Floats], distance: Floats
) -> Floats:
    # The one worst knife edge between mast and phone (ITU-R P.526, single edge), in dB.
    from_x, from_y = sites.x[rows], sites.y[rows]
    top = terrain.height(from_x, from_y) + sites.mast_m[rows]
    end = terrain.height(*to) + _PHONE_M
    wave = np.where(sites.low_band[rows], _WAVELENGTH_M[True], _WAVELENGTH_M[False])
    worst = np.full(rows.size, -np.inf)
    for share in (np.arange(_PROFILE_POINTS) + 0.5) / _PROFILE_POINTS:
        ground = terrain.height(from_x + share * (to[0] - from_x), from_y + share * (to[1] - from_y))
        above = ground + _TREES_M * (0.08 < share < 0.92) - (top + share * (end - top))
        worst = np.maximum(worst, above * np.sqrt(2 / (wave * distance * share * (1 - share))))
    edge = np.maximum(worst, -0.78) - 0.1
    loss: Floats = 6.9 + 20 * np.log10(np.sqrt(edge**2 + 1) + edge)
    return np.clip(loss, 0.0, 45.0)


def air(
    radio: Radio, sites: Sites, near: Servers, at: tuple[Floats, Floats], hour: Ints, *, outages: bool
) -> Air:
    """What is in the air at points on the plane at hours since 2025-01-01 local, by technology."""
    number = sites.number[near.row]
    level = near.mean_dbm + _shadow(radio, number, at) + _day(radio, number, at, hour[:, None] // 24)
    if outages:
        level = np.where(_is_out(radio, number, hour[:, None]), SILENCE_DBM, level)
    best = np.empty((level.shape[0], 4))
    site = np.empty((level.shape[0], 4), dtype=np.int64)
    for technology, above in _ABOVE_LTE_DB.items():
        offered = np.where(sites.technologies[near.row, technology], level + above, SILENCE_DBM)
        winner = np.argmax(offered, axis=1)[:, None]
        best[:, technology] = np.take_along_axis(offered, winner, 1)[:, 0]
        site[:, technology] = np.take_along_axis(number, winner, 1)[:, 0]
    silent = best < SILENCE_DBM / 2
    return Air(np.where(silent, SILENCE_DBM, best), np.where(silent, NO_SITE, site))


def _shadow(radio: Radio, number: Ints, at: tuple[Floats, Floats]) -> Floats:
    # Half of the shadowing is the place's own (a hollow, a plantation), half belongs to the path to a site.
    x, y = at
    shift_x, shift_y = _shift(radio, 11, number), _shift(radio, 12, number)
    own = radio.shadows.smooth(x, y)[:, None]
    path = radio.shadows.smooth(x[:, None] + shift_x, y[:, None] + shift_y)
    shadow: Floats = _SHADOW_DB * np.sqrt(0.5) * (own + path)
    return shadow


def _day(radio: Radio, number: Ints, at: tuple[Floats, Floats], day: Ints) -> Floats:
    # Rain, wet leaves, load: a smooth field of its own for every site and day.
    shift_x = _shift(radio, 13, number, day)
    shift_y = _shift(radio, 14, number, day)
    field: Floats = _DAY_DB * radio.weather.nearest(at[0][:, None] + shift_x, at[1][:, None] + shift_y)
    return field


def _shift(radio: Radio, purpose: int, *keys: Ints) -> Floats:
    return hashed_uniform(radio.seed * 32 + purpose, *keys) * 102_400.0


def _is_out(radio: Radio, number: Ints, hour: Ints) -> Bools:
    # An outage starts in a six-hour block with a small chance and lasts one to eight blocks.
    block = hour // OUTAGE_BLOCK_H
    chance = _OUTAGES_PER_YEAR / (365 * 24 / OUTAGE_BLOCK_H)
    out = np.zeros(np.broadcast_shapes(number.shape, block.shape), dtype=bool)
    for age in range(8):
        starts = hashed_uniform(radio.seed * 32 + 15, number, block - age) < chance
        lasts = hashed_uniform(radio.seed * 32 + 16, number, block - age) * 8 >= age
        out |= starts & lasts
    return out
