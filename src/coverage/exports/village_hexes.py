"""Snapshot → the measured hexes of one village, as a table beside the map tells them to who does not click on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from coverage import hexes
from coverage.archive.snapshots import Snapshot
from coverage.errors import NotFound
from coverage.exports.spot import day, degrees

_TOLD = ["hex", "operator", "verdict", "tests", "fails", "devices", "last_test_utc"]


@dataclass(frozen=True)
class Tested:
    """What the tests of one operator say of a hex."""

    operator: str
    verdict: str
    tests: int
    fails: int
    devices: int
    last_test_utc: date | None


@dataclass(frozen=True)
class MeasuredHex:
    """A hex by its middle, and the operators that were measured there: what is not named was not measured."""

    hex: str
    lat: float
    lon: float
    operators: list[Tested]


@dataclass(frozen=True)
class VillageHexes:
    """The measured hexes that share ground with a village."""

    village_id: str
    hexes: list[MeasuredHex]


def village_hexes(snapshot: Snapshot, village_id: str) -> VillageHexes:
    """The measured hexes that share ground with the village, sorted; none where nobody knows its ground.

    Raises `NotFound` where the snapshot has no such village.
    """
    (places,) = np.nonzero((snapshot.villages["village_id"] == village_id).to_numpy(bool))
    if not len(places):
        raise NotFound(f"Không có thôn {village_id!r:.80}.", f"There is no village {village_id!r:.80}.")
    rows = _on_ground(snapshot, snapshot.villages.geometry.iloc[places[0]])
    cells = np.unique(rows["hex"].to_numpy(np.int64))
    of_hex: dict[int, list[dict[Any, Any]]] = {hexagon: [] for hexagon in cells.tolist()}
    for row in rows[_TOLD].to_dict("records"):
        of_hex[row["hex"]].append(row)
    places_of = {code: place for place, code in enumerate(snapshot.info.operators)}
    told = zip(of_hex.items(), *hexes.middles(cells), strict=True)
    return VillageHexes(
        village_id, [_measured(cell, (lat, lon), own, places_of) for (cell, own), lat, lon in told]
    )


def _on_ground(snapshot: Snapshot, ground: shapely.Geometry | None) -> pd.DataFrame:
    """The rows of HEX_VERDICTS there."""
    rows = snapshot.hex_verdicts
    if ground is None or ground.is_empty:
        return rows.iloc[:0]
    cells = hexes.near(np.array([ground]), snapshot.info.hex_resolution)
    # Asked of a tree of hexes: to prepare the village itself would change what other threads are reading.
    shared = shapely.STRtree(hexes.polygons(cells)).query(ground, predicate="intersects")
    cells = cells[np.sort(shared)]
    # Neighbours have numbers near each other: few of a province's hexes are looked up.
    indexes = rows["hex"].to_numpy(np.int64)
    (near,) = np.nonzero((indexes >= cells[0]) & (indexes <= cells[-1]))
    return rows.iloc[near[np.isin(indexes[near], cells)]]


def _measured(
    hexagon: int, middle: tuple[float, float], rows: list[dict[Any, Any]], places_of: Mapping[str, int]
) -> MeasuredHex:
    rows.sort(key=lambda row: places_of[row["operator"]])
    tested = [
        Tested(last_test_utc=day(row["last_test_utc"]), **{name: row[name] for name in _TOLD[1:-1]})
        for row in rows
    ]
    lat, lon = middle
    return MeasuredHex(hexes.text(hexagon), degrees(lat), degrees(lon), tested)
