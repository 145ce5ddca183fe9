"""Snapshots: the immutable result of one assessment, as Parquet tables in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from coverage.archive import folders
from coverage.errors import NotFound

WGS84 = "EPSG:4326"
_FRAMES = ("hex_verdicts", "hex_levels", "place_verdicts", "village_verdicts", "reliability", "predictions")
_LAYERS = ("villages", "communes", "dead_areas", "road_verdicts")


@dataclass(frozen=True)
class SnapshotInfo:
    """What stands on every export.

    as_of: ISO date on which the evidence is judged. criteria: name@hash. operators: code → name of
    every operator judged. in_scope: those that must all be dead for a total not-spot.
    measurements: rows within the window of validity.
    simulated: true where any village or upload says that it was simulated.
    """

    snapshot_id: str
    as_of: str
    criteria: str
    hex_resolution: int
    operators: Mapping[str, str]
    in_scope: tuple[str, ...]
    uploads: tuple[str, ...]
    measurements: int
    simulated: bool


@dataclass(frozen=True)
class Snapshot:
    """One assessment's tables, as `tables` describes them.

    made_of: what the snapshot's id was derived from (see `inputs`), the names of all readings among it.
    hex_verdicts, hex_levels, place_verdicts, village_verdicts, reliability, predictions: frames of those contracts.
    villages: VILLAGES with geometry; communes: commune_code, commune_name, source with geometry;
    dead_areas: village_id, operator with the dead hexes clipped to the village and dissolved;
    road_verdicts: ROAD_VERDICTS with the dead stretches.
    All geometry is EPSG:4326 lon/lat.
    """

    info: SnapshotInfo
    made_of: Mapping[str, Any]
    hex_verdicts: pd.DataFrame
    hex_levels: pd.DataFrame
    place_verdicts: pd.DataFrame
    village_verdicts: pd.DataFrame
    reliability: pd.DataFrame
    predictions: pd.DataFrame
    villages: gpd.GeoDataFrame
    communes: gpd.GeoDataFrame
    dead_areas: gpd.GeoDataFrame
    road_verdicts: gpd.GeoDataFrame


def save(root: Path, snapshot: Snapshot) -> Path:
    """The folder the snapshot was written to; an existing one of the same id is left as it is."""
    return folders.put(root / snapshot.info.snapshot_id, lambda draft: _write(draft, snapshot))


def _write(draft: Path, snapshot: Snapshot) -> None:
    for name in (*_FRAMES, *_LAYERS):
        getattr(snapshot, name).to_parquet(draft / f"{name}.parquet", index=False)
    (draft / "made_of.json").write_bytes(orjson.dumps(snapshot.made_of, option=orjson.OPT_INDENT_2))
    (draft / "snapshot.json").write_bytes(orjson.dumps(asdict(snapshot.info), option=orjson.OPT_INDENT_2))


def load(root: Path, snapshot_id: str) -> Snapshot:
    """The snapshot of that id; raises `NotFound`."""
    folder = root / snapshot_id
    if not (folder / "snapshot.json").exists():
        raise NotFound(f"Không có bản đánh giá {snapshot_id}.", f"There is no snapshot {snapshot_id}.")
    frames: dict[str, Any] = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    layers: dict[str, Any] = {name: gpd.read_parquet(folder / f"{name}.parquet") for name in _LAYERS}
    return Snapshot(load_info(root, snapshot_id), made_of(root, snapshot_id), **frames, **layers)


def made_of(root: Path, snapshot_id: str) -> Mapping[str, Any]:
    """What the id of that snapshot was derived from; raises `NotFound`."""
    try:
        found: Mapping[str, Any] = orjson.loads((root / snapshot_id / "made_of.json").read_bytes())
    except FileNotFoundError as fault:
        raise NotFound(
            f"Không có bản đánh giá {snapshot_id}.", f"There is no snapshot {snapshot_id}."
        ) from fault
    return found


def load_info(root: Path, snapshot_id: str) -> SnapshotInfo:
    """Only what stands on every export of that snapshot."""
    values = orjson.loads((root / snapshot_id / "snapshot.json").read_bytes())
    values["in_scope"] = tuple(values["in_scope"])
    values["uploads"] = tuple(values["uploads"])
    return SnapshotInfo(**values)
