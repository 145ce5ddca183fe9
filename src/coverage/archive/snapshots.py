"""Snapshots: the immutable result of one assessment, as Parquet tables in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from coverage import tables
from coverage.archive import folders
from coverage.errors import NotFound

WGS84 = "EPSG:4326"
PUBLIC_DEVICES = 3  # fewer could be one household
_FRAMES = (
    *("hex_verdicts", "hex_levels", "hex_signals", "place_verdicts", "village_verdicts", "reliability"),
    "predictions",
)
_LAYERS = ("villages", "communes", "dead_areas", "road_verdicts")


@dataclass(frozen=True)
class SnapshotInfo:
    """What stands on every export.

    as_of: ISO date on which the evidence is judged. criteria: name@hash. operators: code → name of
    every operator judged. in_scope: those that must all be dead for a total not-spot.
    measurements: rows within the window of validity.
    simulated: true where any village or upload says that it was simulated. headline_dbm: technology → headline threshold;
    empty in a snapshot of an older version.
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
    headline_dbm: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """One assessment's tables, as `tables` describes them.

    made_of: what the snapshot's id was derived from (see `inputs`), the names of all readings among it.
    hex_verdicts, hex_levels, hex_signals, place_verdicts, village_verdicts, reliability, predictions: frames of those
    contracts; hex_signals is empty in a snapshot of an older version.
    villages: VILLAGES with geometry; communes: commune_code, commune_name, source with geometry;
    dead_areas: village_id, operator with the dead hexes clipped to the village and dissolved;
    road_verdicts: ROAD_VERDICTS with the dead stretches.
    All geometry is EPSG:4326 lon/lat.
    """

    info: SnapshotInfo
    made_of: Mapping[str, Any]
    hex_verdicts: pd.DataFrame
    hex_levels: pd.DataFrame
    hex_signals: pd.DataFrame
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
    frames: dict[str, Any] = {name: _frame(folder, name) for name in _FRAMES}
    layers: dict[str, Any] = {name: gpd.read_parquet(folder / f"{name}.parquet") for name in _LAYERS}
    return Snapshot(load_info(root, snapshot_id), made_of(root, snapshot_id), **frames, **layers)


def _frame(folder: Path, name: str) -> pd.DataFrame:
    file = folder / f"{name}.parquet"
    if name == tables.HEX_SIGNALS.name and not file.exists():
        nothing: pd.DataFrame = tables.schema(tables.HEX_SIGNALS).empty_table().to_pandas()
        return nothing
    return pd.read_parquet(file)


def read_table(root: Path, snapshot_id: str, name: str, columns: list[str]) -> pd.DataFrame:
    """Some columns of one table of that snapshot; raises `NotFound`."""
    try:
        return pd.read_parquet(root / snapshot_id / f"{name}.parquet", columns=columns)
    except FileNotFoundError as fault:
        raise NotFound(
            f"Không có bản đánh giá {snapshot_id}.", f"There is no snapshot {snapshot_id}."
        ) from fault


def of_operator(snapshot: Snapshot, operator: str) -> Snapshot:
    """The same snapshot with what was found of one network only; places stay as they are.

    What a row says of all operators together stays too: it decides whether public funds may pay.
    """
    named = {name: getattr(snapshot, name) for name in (*_FRAMES, "dead_areas", "road_verdicts")}
    own = {name: table[table["operator"] == operator].reset_index(drop=True) for name, table in named.items()}
    names = {code: name for code, name in snapshot.info.operators.items() if code == operator}
    return replace(snapshot, info=replace(snapshot.info, operators=names), **own)


def of_public(snapshot: Snapshot, away: pd.DataFrame) -> Snapshot:
    """The same snapshot without what could be led back to single phones.

    Kept are rows without any test, rows of at least three devices, and rows of nothing but drive tests (grades A and B;
    one whose position's accuracy is not known is of grade C and is left out with the crowdsourced ones). Of the devices
    of a hex count those that were there elsewhere than at an end of their traces, as `away` says (hex, operator,
    devices). Roads, predictions and levels are left out, since they do not say how many devices they rest on, and signals,
    whose devices may have been at the ends of their traces.
    """
    kept: dict[str, Any] = {
        name: _nobody_s(table, table["devices"])
        for name, table in (
            ("place_verdicts", snapshot.place_verdicts),
            ("village_verdicts", snapshot.village_verdicts),
        )
    }
    hexes = snapshot.hex_verdicts
    passing = hexes[["hex", "operator"]].merge(away, on=["hex", "operator"], how="left")["devices"].fillna(0)
    kept["hex_verdicts"] = _nobody_s(hexes, passing.set_axis(hexes.index))
    listed = kept["village_verdicts"].set_index(["village_id", "operator"]).index
    areas = snapshot.dead_areas
    kept["dead_areas"] = areas[areas.set_index(["village_id", "operator"]).index.isin(listed)]
    reliable = snapshot.reliability
    kept["reliability"] = reliable[(reliable["tests"] == 0) | (reliable["devices"] >= PUBLIC_DEVICES)]
    left_out = ("hex_levels", "hex_signals", "predictions", "road_verdicts")
    kept |= {name: getattr(snapshot, name).iloc[:0] for name in left_out}
    return replace(snapshot, **{name: table.reset_index(drop=True) for name, table in kept.items()})


def _nobody_s(rows: pd.DataFrame, devices: pd.Series[Any]) -> pd.DataFrame:
    grades = rows["evidence_mix"].fillna("").astype(str)
    official = ~grades.str.contains("[CD]")
    return rows[(rows["tests"] == 0) | (devices >= PUBLIC_DEVICES) | official]


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
