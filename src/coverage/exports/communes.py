"""Snapshot → what is known of each commune: its villages counted by what became of them."""

from __future__ import annotations

import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.lists import stamp
from coverage.tables import DEAD_STATUSES


def commune_table(snapshot: Snapshot) -> pd.DataFrame:
    """One row per commune of the boundaries, by code: how many of its villages (distinct, for any operator) are what.

    villages; villages_measured: every operator that must be dead for a total not-spot is decided there;
    villages_with_gap, villages_total_gap: dead with grid power for some operator, and for all;
    villages_need_measurement: undecided for some operator; measured_share: villages_measured of villages, missing
    where the commune has no village. Then criteria, snapshot_id, as_of, simulated.
    """
    names = snapshot.communes.drop_duplicates("commune_code").set_index("commune_code")["commune_name"]
    counts = pd.DataFrame({name: _counted(rows) for name, rows in _kinds(snapshot).items()})
    table = counts.reindex(names.sort_index().index).fillna(0).astype("int64")
    table.insert(0, "commune_name", names)
    shares = table["villages_measured"] / table["villages"].where(table["villages"] > 0)
    return table.assign(measured_share=shares, **stamp(snapshot)).rename_axis("commune_code").reset_index()


def _kinds(snapshot: Snapshot) -> dict[str, pd.DataFrame]:
    verdicts = snapshot.village_verdicts
    gaps = verdicts[verdicts["list"] == "gaps"]
    decided = verdicts["status"].isin((*DEAD_STATUSES, "phu_song"))
    in_scope = verdicts["operator"].isin(snapshot.info.in_scope)
    open_villages = verdicts.loc[in_scope & ~decided, "village_id"]
    return {
        "villages": pd.DataFrame(snapshot.villages),
        "villages_measured": verdicts[in_scope & ~verdicts["village_id"].isin(open_villages)],
        "villages_with_gap": gaps,
        "villages_total_gap": gaps[gaps["not_spot"] == "total"],
        "villages_need_measurement": verdicts[verdicts["list"] == "need_measurement"],
    }


def _counted(rows: pd.DataFrame) -> pd.Series[int]:
    return rows.groupby("commune_code")["village_id"].nunique()
