"""Rows of a list that are settled clusters of one village, told by a column that names the cluster."""

from __future__ import annotations

import re

import pandas as pd

from coverage.names import place_key
from coverage.places.notes import Doubts, Note
from coverage.places.villages.ids import commune_keys

_SIGNS = re.compile(r"[;/]")


def own_rows(rows: pd.DataFrame) -> tuple[pd.Series[bool], pd.Series]:
    """Which rows stand for a village, and the key of each row's village.

    Rows belong to one village where they have the same id, or without one the same name and commune, and all of
    them but one name a cluster. The row without a cluster stands for the village; where all name one, the first.
    """
    keys = _village_keys(rows)
    clustered = rows["cluster_id"].notna()
    headed = keys.isin(keys[~clustered])
    return ~clustered | (~headed & ~keys.duplicated()), keys


def _village_keys(rows: pd.DataFrame) -> pd.Series:
    named = zip(rows.index, rows["village_id"], rows["village_name"], commune_keys(rows), strict=True)
    keys = [
        ("id", village_id) if village_id else ("name", place_key(name), commune) if name else ("row", label)
        for label, village_id, name, commune in named
    ]
    return pd.Series(keys, index=rows.index, dtype=object)


def whole_households(
    rows: pd.DataFrame, own: pd.Series, keys: pd.Series, households: pd.Series
) -> pd.Series[float]:
    """The households of each village: its own row's, or those of its clusters together where all are known."""
    clusters = households[rows["cluster_id"].notna()]
    sums = clusters.groupby(keys[clusters.index]).agg(lambda known: known.sum(skipna=False))
    only_clusters = own & rows["cluster_id"].notna()
    return households.where(~only_clusters, keys.map(sums))[own]


def cluster_rows(
    rows: pd.DataFrame, measures: pd.DataFrame, ids: pd.Series, keys: pd.Series, doubts: Doubts
) -> tuple[pd.DataFrame, list[Note]]:
    """The clusters as `read_clusters` gives them: village_id, cluster_id, lat, lon, households, grid.

    `measures` has lat, lon, households and grid of each row, `ids` the id of each village's own row. A cluster
    without a place is noted and left out; one whose id is repeated in its village gets a number.
    """
    clustered = rows["cluster_id"].notna()
    village = dict(zip(keys[ids.index][::-1], ids[::-1], strict=True))
    found = measures[clustered].assign(
        village_id=keys[clustered].map(village),
        cluster_id=rows.loc[clustered, "cluster_id"].map(lambda text: _SIGNS.sub("-", text)),
    )
    said = rows.loc[clustered, "grid"]
    notes = doubts.unread(said, said.notna() & found["grid"].isna())
    placed = found["lat"].notna()
    vi, en = "cụm dân cư không có toạ độ nên không dùng được", "a cluster without coordinates cannot be used"
    notes += doubts.notes("cluster_without_place", ~placed, vi, en)
    found = found[placed]
    again = found.duplicated(["village_id", "cluster_id"])
    number = (found.groupby(["village_id", "cluster_id"]).cumcount() + 1).astype(str)
    found["cluster_id"] = found["cluster_id"].where(~again, found["cluster_id"] + " (" + number + ")")
    notes += doubts.notes(
        "cluster_repeated", again, "mã cụm bị lặp trong thôn", "the cluster's id is repeated"
    )
    columns = ["village_id", "cluster_id", "lat", "lon", "households", "grid"]
    return found[columns].sort_values(columns[:2], ignore_index=True), notes
