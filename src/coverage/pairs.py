"""Pairs of measured values: half their mean squared difference, and how sure that is.

Half the mean squared difference of two values is the variance that they do not share. No pair is ever written
down: over the pairs of a group the sum of (a - b)² is n · sum of a² - (sum of a)².

A value may stand for several tests (one phone's on one occasion); then `level` is their mean, `square` their mean
square, and every test of one is compared with every test of the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
RESAMPLES = 200
_SEED = 20_261_101
_REGIONS, _LOTS = 0, 1
_UNIT = ["operator", "place"]
# Beyond so many independent comparisons a hex says more of itself than of all hexes; our judgement.
_MOST_PER_UNIT = 20.0


@dataclass(frozen=True)
class Finer:
    """Groups within the groups, whose pairs are added with a sign (+1, -1).

    rows: the values that share one with another value. Of those: code. Of finer groups: group.
    """

    sign: int
    rows: Ints
    code: Ints
    group: Ints


@dataclass(frozen=True)
class Pairs:
    """The pairs of values within groups, except those that share something that sets them apart.

    Of values: level, square, group, lot (whose luck a value shares when resampled; empty: nobody's). Of groups: pairs (how many), worth (independent comparisons), unit (an operator at a place). Of units: region,
    weight. count, hexes, devices: how many pairs, and how many hexes and phones gave them.
    """

    level: Floats
    square: Floats
    group: Ints
    finer: tuple[Finer, ...]
    lot: Ints
    pairs: Floats
    worth: Floats
    unit: Ints
    region: Ints
    weight: Floats
    count: int
    hexes: int
    devices: int


def pairs_within(
    values: pd.DataFrame,
    group: Sequence[str],
    member: str,
    apart: Sequence[str] = (),
    lot: str | None = None,
) -> Pairs:
    """The pairs of values that share all the columns `group` and none of the columns `apart`.

    `values` has integer columns operator, place, hex, device, region (from 0) and whatever else is named, and level
    and square. `member`: the column whose values, less one, are the independent comparisons of a group. A place
    weighs by them, up to a limit. `lot`: the column (integers from 0) whose values are resampled beside the regions.
    """
    values = values[_paired(values, group, apart)]
    groups, units = _codes(values, group), _codes(values, _UNIT)
    finer = _finer(values, groups, group, apart)
    worth = values.groupby(groups)[member].nunique().to_numpy().astype(np.float64) - 1.0
    unit, region = _of_each(units, groups), _of_each(values["region"].to_numpy(), units)
    weight = np.minimum(np.bincount(unit, worth), _MOST_PER_UNIT)
    level, square = values["level"].to_numpy(), values["square"].to_numpy()
    lots = np.array([], np.int64) if lot is None else values[lot].to_numpy()
    pairs = np.rint(_half_and_count(np.ones(len(level)), level, square, groups, finer)[1])
    basis = int(pairs.sum()), values["hex"].nunique(), values["device"].nunique()
    return Pairs(level, square, groups, finer, lots, pairs, worth, unit, region, weight, *basis)


def _paired(values: pd.DataFrame, group: Sequence[str], apart: Sequence[str]) -> npt.NDArray[np.bool_]:
    # The values of groups that hold at least one pair.
    groups, ones = _codes(values, group), np.ones(len(values))
    count = _half_and_count(ones, ones, ones, groups, _finer(values, groups, group, apart))[1]
    found: npt.NDArray[np.bool_] = (count > 0.5)[groups]
    return found


def _finer(
    values: pd.DataFrame, groups: Ints, group: Sequence[str], apart: Sequence[str]
) -> tuple[Finer, ...]:
    # Pairs that share none = all - those that share one + those that share two - ...
    found = []
    for many in range(1, len(apart) + 1):
        for shared in itertools.combinations(apart, many):
            codes = _codes(values, [*group, *shared])
            rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
            code = _codes(values.iloc[rows], [*group, *shared])
            found.append(Finer((-1) ** many, rows, code, _of_each(groups[rows], code)))
    return tuple(found)


def _codes(values: pd.DataFrame, columns: Sequence[str]) -> Ints:
    codes: Ints = values.groupby(list(columns)).ngroup().to_numpy().astype(np.int64)
    return codes


def _of_each(values: Ints, owners: Ints) -> Ints:
    # The value of each owner, where all that an owner owns have the same.
    found = np.zeros(owners.max(initial=-1) + 1, np.int64)
    found[owners] = values
    return found


def half_squares(pairs: Pairs, regions: int) -> Floats:
    """Half the mean squared difference over all places, then the same of each of `RESAMPLES` resamples.

    `regions`: how many there are. A resample gives every region, and every lot, a weight drawn from the exponential
    distribution (Rubin's Bayesian bootstrap): the same region has the same weight in all kinds of pairs, so that
    their differences may be taken draw by draw. NaN where there is no pair.
    """
    found = np.full(RESAMPLES + 1, np.nan)
    half, heard = np.array([]), np.array([])
    for draw in range(RESAMPLES + 1 if pairs.count else 0):
        if draw == 0 or pairs.lot.size:
            half, heard = _at_each_unit(pairs, draw)
        weight = pairs.weight * _luck(draw, _REGIONS, regions)[pairs.region]
        found[draw] = (weight * half).sum() / (weight * heard).sum()
    return found


def _at_each_unit(pairs: Pairs, draw: int) -> tuple[Floats, Floats]:
    # Half the mean squared difference at each place, and how much of the place is heard: a lot that is drawn to count
    # twice makes its places count twice.
    luck = np.ones(pairs.level.size)
    if pairs.lot.size:
        luck = _luck(draw, _LOTS, int(pairs.lot.max()) + 1)[pairs.lot]
    half, count = _half_and_count(luck, pairs.level, pairs.square, pairs.group, pairs.finer)
    worth = np.bincount(pairs.unit, pairs.worth)
    at_unit = (np.bincount(pairs.unit, pairs.worth * part / pairs.pairs) / worth for part in (half, count))
    return next(at_unit), next(at_unit)


def _luck(draw: int, purpose: int, size: int) -> Floats:
    return (
        np.ones(size) if draw == 0 else np.random.default_rng((_SEED, draw, purpose)).exponential(size=size)
    )


def _half_and_count(
    luck: Floats, level: Floats, square: Floats, group: Ints, finer: Sequence[Finer]
) -> tuple[Floats, Floats]:
    # Per group, over its pairs, each weighing luck × luck: the sum of half the squared differences, and of weights.
    parts = np.vstack([luck, luck**2, luck * level, luck * square, luck**2 * (square - level**2)])
    half, count = _over_all_pairs(parts, group)
    for one in finer:
        inner_half, inner_count = _over_all_pairs(parts[:, one.rows], one.code)
        half = half + one.sign * np.bincount(one.group, inner_half, half.size)
        count = count + one.sign * np.bincount(one.group, inner_count, count.size)
    return np.maximum(half, 0.0), count


def _over_all_pairs(parts: Floats, group: Ints) -> tuple[Floats, Floats]:
    weight, own, level, square, scatter = (np.bincount(group, part) for part in parts)
    return (weight * square - level**2 - scatter) / 2.0, (weight**2 - own) / 2.0
