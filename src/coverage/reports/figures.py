"""Snapshot → the numbers of an official paper, each village counted once, or each gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.summary import LIST_RANK, POWER_OF_LIST
from coverage.tables import STATUSES

POWERS = tuple(POWER_OF_LIST.values())
_BY_GRID = {"national_grid": "electrified", "off_grid": "not_electrified", "none": "not_electrified"}


def village_table(snapshot: Snapshot, status: str = "status_all_operators") -> pd.DataFrame:
    """One row per village: village_id, commune_code, commune_name, status, power (one of `POWERS`), difficult.

    status: the column that is told, that of all operators together, or `status` in a snapshot of one operator. A village
    without any verdict is chua_co_du_lieu. Power is that of the list in which the village stands, gaps before those to be
    verified; in none, that of the village. Power and difficulty that nobody told: power_unknown, False.
    """
    places = pd.DataFrame(snapshot.villages[["village_id", "commune_code", "commune_name"]])
    verdicts = snapshot.village_verdicts
    power = verdicts["list"].map(POWER_OF_LIST).fillna(verdicts["grid_status"].map(_BY_GRID))
    ranked = verdicts.assign(rank=verdicts["list"].map(LIST_RANK), power=power)
    first = ranked.sort_values("rank", kind="stable").drop_duplicates("village_id")
    told = first[["village_id", status, "power", "especially_difficult"]].rename(columns={status: "status"})
    table = places.merge(told, on="village_id", how="left")
    table["difficult"] = table.pop("especially_difficult").eq(True)
    return table.fillna({"status": "chua_co_du_lieu", "power": "power_unknown"})


def crossed(villages: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts of villages by the columns `by` (rows that have any), with two columns per status: all, and difficult ones.

    Columns: (status, "all"), (status, "difficult") in the order of `tables.STATUSES`, then those of ("any", …).
    """
    found = {}
    for status in STATUSES:
        mine = villages[villages["status"] == status]
        found[status, "all"] = mine.groupby(by).size()
        found[status, "difficult"] = mine[mine["difficult"]].groupby(by).size()
    table = pd.DataFrame(found).fillna(0).astype(np.int64)
    for kind in ("all", "difficult"):
        table["any", kind] = table[[(status, kind) for status in STATUSES]].sum(axis="columns")
    return table.sort_index()


@dataclass(frozen=True)
class Sums:
    """Of some gaps: how many, of how many villages, those without any operator's signal, their households and people.

    villages_total counts villages that no operator in scope serves. people, households: those in the dead parts of the
    gaps where they are known; without_people: gaps where people are not known. claimed: gaps where coverage is claimed.
    """

    gaps: int
    villages: int
    villages_total: int
    villages_difficult: int
    households: float
    people: float
    without_people: int
    claimed: int


def sums(gaps: pd.DataFrame) -> Sums:
    """The sums of the rows, which are gaps of VILLAGE_VERDICTS."""
    return Sums(
        gaps=len(gaps),
        villages=gaps["village_id"].nunique(),
        villages_total=gaps.loc[gaps["not_spot"] == "total", "village_id"].nunique(),
        villages_difficult=gaps.loc[gaps["especially_difficult"].eq(True), "village_id"].nunique(),
        households=float(gaps["households_affected"].sum()),
        people=float(gaps["population_affected"].sum()),
        without_people=int(gaps["population_affected"].isna().sum()),
        claimed=int(gaps["claimed"].eq(True).sum()),
    )
