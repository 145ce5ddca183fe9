"""A former snapshot → which ground must be judged again, and how what was judged anew takes its place in the tables.

An upload costs what the upload is: where no reading came or went, what the former snapshot says is still so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage import engine, hexes
from coverage.archive import history, snapshots
from coverage.archive.committed import Changed, changed
from coverage.archive.snapshots import Snapshot
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound
from coverage.ground import Lie
from coverage.hexes import Hexes
from coverage.inputs import Inputs


@dataclass(frozen=True)
class Former:
    """A snapshot of the same day, rules and places, what came and went since, and the hexes where it did, sorted."""

    snapshot: Snapshot
    changed: Changed
    touched: Hexes


@dataclass(frozen=True)
class Area:
    """What is judged again: hexes by their res-8 parents, places, villages; `read`: res-8 hexes whose tests that takes."""

    parents: Hexes
    places: Collection[str]
    villages: Collection[str]
    read: Hexes

    def inside(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of the rows, by their hex, that are judged again."""
        return rows[self._holds(rows)]

    def outside(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of the rows, by their hex, that stay as they were."""
        return rows[~self._holds(rows)]

    def _holds(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        return np.isin(hexes.parents(rows["hex"].to_numpy(np.int64), 8), self.parents)


def former(workspace: Workspace, given: Inputs) -> Former | None:
    """The latest snapshot, where only uploads changed since; None where everything must be judged."""
    try:
        latest = history.latest_id(workspace)
        made_of = snapshots.made_of(workspace.snapshots, latest)
    except NotFound:
        return None
    # Of a map of declared coverage the tests of the whole map are asked for.
    if _but_readings(made_of) != _but_readings(given.made_of) or len(given.declared):
        return None
    since = changed(workspace, made_of["readings"], given.committed.readings)
    if since is None:
        return None
    touched = engine.hexes_in([*since.came, *since.went], given.criteria.hex_resolution)
    was = snapshots.load(workspace.snapshots, latest)
    # Where readings changed everywhere, or there were none before, nothing of it would stay.
    return None if was.hex_levels["hex"].isin(touched).all() else Former(was, since, touched)


def _but_readings(made_of: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made_of.items() if name != "readings"}


def area(touched: Hexes, lie: Lie) -> Area:
    """What the readings in those hexes may change."""
    parents = np.unique(hexes.parents(touched, 8))
    places = lie.pooled.loc[lie.pooled["hex"].isin(touched), "place_id"].unique()
    pooled = lie.pooled.loc[lie.pooled["place_id"].isin(places), "hex"].unique()
    villages = lie.places.loc[lie.places["place_id"].isin(places), "village_id"].unique()
    read = np.union1d(parents, hexes.parents(pooled, 8))
    return Area(parents, set(places), set(villages), read)


def operators_that_differ(levels: pd.DataFrame, before: pd.DataFrame) -> set[str]:
    """The operators whose levels are not what they were; both tables are HEX_LEVELS, sorted."""
    theirs, ours = ({str(name): own for name, own in rows.groupby("operator")} for rows in (before, levels))
    return {
        operator
        for operator in {*theirs, *ours}
        if operator not in theirs
        or operator not in ours
        or not theirs[operator].reset_index(drop=True).equals(ours[operator].reset_index(drop=True))
    }


def spliced(kept: pd.DataFrame, new: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The rows of both tables, sorted by the key. The columns, and their types where they differ, are those of `kept`."""
    if new.empty or kept.empty:
        both = kept if new.empty else new
    else:
        both = pd.concat([kept, new[kept.columns].astype(kept.dtypes)], ignore_index=True)
    return both.sort_values(list(by), ignore_index=True)
