"""Two snapshots → which villages changed their status between them, for each network and for all together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.maps_data import status_digits
from coverage.tables import DEAD_STATUSES, STATUSES

CHANGES = ("newly_lost", "newly_covered", "newly_measured", "no_longer_known")
_DEAD = tuple(STATUSES.index(status) for status in DEAD_STATUSES)
_SERVED = STATUSES.index("phu_song")


def village_changes(snapshot: Snapshot, before: Snapshot) -> list[dict[str, Any]]:
    """One row per village and view whose status changed: i (place among the villages), view, change, was, is.

    Views are those of `snapshot`: 0 = all operators together, the others as `info.operators`. change: newly_lost =
    served before and dead now; newly_covered = dead before and served now; newly_measured = undecided before and decided
    now; no_longer_known = the other way round. A village or operator that was not there before was not measured then.
    A change between trắng sóng and lõm sóng is none of these and is not told.
    """
    now, then = _statuses(snapshot), _statuses(before)
    both = now.merge(then, on=["village_id", "operator"], how="left", suffixes=("", "_before"))
    unmeasured = STATUSES.index("chua_co_du_lieu")
    was = both["status_before"].fillna(unmeasured).astype(int).to_numpy()
    change = _changes(was, both["status"].to_numpy())
    found = both[["i", "view"]].assign(
        change=change, was=np.array(STATUSES)[was], now=np.array(STATUSES)[both["status"].to_numpy()]
    )
    rows: list[dict[str, Any]] = (
        found[found["change"] != ""].rename(columns={"now": "is"}).to_dict(orient="records")  # type: ignore[assignment]
    )
    return rows


def _statuses(snapshot: Snapshot) -> pd.DataFrame:
    """village_id, operator (empty = all together), i, view, status as a place in STATUSES."""
    digits = np.array([list(map(int, row)) for row in status_digits(snapshot)], dtype=int)
    operators = ["", *snapshot.info.operators]
    digits = digits.reshape(len(snapshot.villages), len(operators))
    villages, views = np.indices(digits.shape)
    return pd.DataFrame(
        {
            "village_id": snapshot.villages["village_id"].to_numpy()[villages.ravel()],
            "operator": np.array(operators, dtype=object)[views.ravel()],
            "i": villages.ravel(),
            "view": views.ravel(),
            "status": digits.ravel(),
        }
    )


def _changes(was: np.ndarray[Any, Any], now: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    dead_then, dead_now = np.isin(was, _DEAD), np.isin(now, _DEAD)
    served_then, served_now = was == _SERVED, now == _SERVED
    known_then, known_now = dead_then | served_then, dead_now | served_now
    return np.select(
        [
            served_then & dead_now,
            dead_then & served_now,
            ~known_then & known_now,
            known_then & ~known_now,
        ],
        CHANGES,
        default="",
    )
