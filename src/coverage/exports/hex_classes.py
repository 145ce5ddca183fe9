"""Layers of hexes on the map's tiles: which classes each kind has, and what a coarser hex is made of.

A layer is two short arrays and no table. A coarser hex is made of its children as judged, whatever lies between them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage.exports.colours import (
    AGE_INKS,
    CHANGE_INKS,
    NOT_SPOT_INKS,
    PREDICTED_INKS,
    VERDICT_INKS,
    Ink,
    level_inks,
)
from coverage.hexes import Hexes
from coverage.hexes import parents as parents_of

Classes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]  # a row for each hex, a column for each class, number 0 for none

# Up to that zoom hexes of that resolution, beyond the last as fine as judged.
COARSE = ((7, 6), (9, 7), (11, 8))
# Where the classes of level begin, the strongest first, in dBm of the technology's own level. They are for looking at
# only: no rule and no verdict knows them, and levels of two technologies cannot be compared.
LEVELS_DBM: Mapping[str, tuple[int, ...]] = {
    "LTE": (-85, -95, -105, -115, -121),
    "NR": (-85, -95, -105, -115, -121),
    "UMTS": (-75, -85, -95, -100, -105),
    "GSM": (-70, -80, -90, -100, -105),
}
# A class is known by its place among the inks, from 1 on.
DEAD, BELOW, COVERED, UNDECIDED, UNMEASURED, SOME_BELOW, SOME_COVERED = range(1, len(VERDICT_INKS) + 1)
TOTAL, PARTIAL = range(1, len(NOT_SPOT_INKS) + 1)
PREDICTED_DEAD, PREDICTED_OPEN, PREDICTED_SERVED = range(1, len(PREDICTED_INKS) + 1)
NEWLY_LOST, NEWLY_COVERED, STILL_DEAD, NEWLY_MEASURED = range(1, len(CHANGE_INKS) + 1)


@dataclass(frozen=True)
class Kind:
    """What layers of one kind share.

    inks: how each class looks. joined: how often each class stands among the children → the class of the parent.
    """

    inks: Mapping[str, Ink]
    joined: Callable[[Counts], Classes]


@dataclass(frozen=True)
class Layer:
    """What is drawn of some hexes.

    hexes: sorted, once each, all of that resolution. classes: of each 1 + place in `kind.inks`.
    """

    hexes: Hexes
    classes: Classes
    resolution: int
    kind: Kind

    def classes_at(self, asked: Hexes) -> Classes:
        """The class of each hex asked for; 0 = nothing is drawn there."""
        if not len(self.hexes):
            return np.zeros(len(asked), dtype=np.uint8)
        place = np.searchsorted(self.hexes, asked).clip(0, len(self.hexes) - 1)
        return np.where(self.hexes[place] == asked, self.classes[place], np.uint8(0))

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self.hexes.nbytes + self.classes.nbytes


def shown_resolution(zoom: int, finest: int) -> int:
    """The resolution of the hexes shown at a zoom; finest: that of the snapshot, which is never exceeded."""
    return min(next((resolution for last, resolution in COARSE if zoom <= last), finest), finest)


def coarser(fine: Layer, resolution: int) -> Layer:
    """The same for the parents of its hexes at that resolution; fine: as judged."""
    parents, counts = tally(parents_of(fine.hexes, resolution), fine.classes, len(fine.kind.inks))
    return Layer(parents, fine.kind.joined(counts), resolution, fine.kind)


def tally(at: Hexes, classes: npt.NDArray[Any], number: int) -> tuple[Hexes, Counts]:
    """Each hex once, sorted, and how often each class, 1 … number, stands at it."""
    places, distinct = pd.factorize(at, sort=True)
    counts = np.bincount(places * (number + 1) + classes, minlength=len(distinct) * (number + 1))
    return distinct, counts.reshape(-1, number + 1)


def chosen(conditions: list[npt.NDArray[np.bool_]], classes: list[int], otherwise: int) -> Classes:
    """Of each hex the class of the first condition that holds there."""
    found: Classes = np.select(conditions, classes, otherwise).astype(np.uint8)
    return found


def first(counts: Counts) -> Classes:
    """Of each hex the first class, in the order of the inks, that stands there at all."""
    found: Classes = (1 + (counts[:, 1:] > 0).argmax(axis=1)).astype(np.uint8)
    return found


def _joined_verdicts(counts: Counts) -> Classes:
    """Dead where at least half of what is decided is dead, else what prevails; a dead child is never lost from sight.

    Not enough evidence where nothing is decided; unmeasured where nothing is measured.
    """
    dead, below, covered = counts[:, DEAD], counts[:, BELOW], counts[:, COVERED]
    decided, prevails = dead + below + covered, covered > below
    conditions = [
        (dead > 0) & (2 * dead >= decided),
        (dead > 0) & prevails,
        dead > 0,
        prevails,
        decided > 0,
        counts[:, UNDECIDED] > 0,
    ]
    return chosen(conditions, [DEAD, SOME_COVERED, SOME_BELOW, COVERED, BELOW, UNDECIDED], UNMEASURED)


def _joined_predictions(counts: Counts) -> Classes:
    """Dead where any child is, else the more frequent; open where both are alike."""
    served = counts[:, PREDICTED_SERVED] > counts[:, PREDICTED_OPEN]
    conditions = [counts[:, PREDICTED_DEAD] > 0, served]
    return chosen(conditions, [PREDICTED_DEAD, PREDICTED_SERVED], PREDICTED_OPEN)


def _joined_levels(counts: Counts, share: float) -> Classes:
    """The worst class that at least that share of the children have or are worse than: a hole does not vanish."""
    as_bad = counts[:, ::-1].cumsum(axis=1)
    enough = as_bad >= share * as_bad[:, -1:]
    found: Classes = (counts.shape[1] - 1 - enough.argmax(axis=1)).astype(np.uint8)
    return found


def _level_kind(limits_dbm: tuple[int, ...]) -> Kind:
    names = (*(f"ge_{-limit}" for limit in limits_dbm), f"below_{-limits_dbm[-1]}")
    return Kind(level_inks(names), partial(_joined_levels, share=0.25))


VERDICTS = Kind(VERDICT_INKS, _joined_verdicts)
# The inks of these stand in the order in which one child decides for its parent: the gravest, or the newest.
NOT_SPOTS, AGES, CHANGES = Kind(NOT_SPOT_INKS, first), Kind(AGE_INKS, first), Kind(CHANGE_INKS, first)
PREDICTED = Kind(PREDICTED_INKS, _joined_predictions)
SIGNALS = {technology: _level_kind(limits) for technology, limits in LEVELS_DBM.items()}
_KINDS = (VERDICTS, NOT_SPOTS, AGES, CHANGES, PREDICTED, *SIGNALS.values())
# Changes with every colour and pattern: tiles that a browser keeps are of one look.
LOOK = hashlib.sha256(repr([dict(kind.inks) for kind in _KINDS]).encode()).hexdigest()[:8]
