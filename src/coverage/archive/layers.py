"""The places layers of a workspace: each one Parquet file, with the file it came from beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from coverage.archive.durable import replace_durably, write_durably, write_parquet_durably
from coverage.archive.manifest import now_utc
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound

_CURES = {
    "villages": (
        "Chưa có lớp thôn: phusong places add villages TỆP",
        "No villages yet: phusong places add villages FILE",
    ),
}


def save_layer(workspace: Workspace, name: str, frame: pd.DataFrame, origin: Path) -> None:
    """Keep a layer (a frame, or a GeoDataFrame in EPSG:4326) in place of the former one, with its origin."""
    about = {
        "file": origin.name,
        "sha256": hashlib.sha256(origin.read_bytes()).hexdigest(),
        "rows": len(frame),
        "added_utc": now_utc().isoformat(timespec="seconds"),
    }
    replace_layer(workspace, name, frame)
    write_durably(workspace.places / f"{name}.json", orjson.dumps(about, option=orjson.OPT_INDENT_2))


def replace_layer(workspace: Workspace, name: str, frame: pd.DataFrame) -> None:
    """Keep another state of a layer whose origin stays the same."""
    path = workspace.places / f"{name}.parquet"
    if isinstance(frame, gpd.GeoDataFrame):
        replace_durably(path, lambda draft: frame.to_parquet(draft, index=False))
    else:
        write_parquet_durably(path, pa.Table.from_pandas(frame, preserve_index=False))


def has_layer(workspace: Workspace, name: str) -> bool:
    """Whether the workspace holds that layer."""
    return (workspace.places / f"{name}.parquet").exists()


def load_layer(workspace: Workspace, name: str) -> gpd.GeoDataFrame:
    """A layer with geometry, EPSG:4326. Raises `NotFound` with the command that adds it."""
    _must_exist(workspace, name)
    return gpd.read_parquet(workspace.places / f"{name}.parquet")


def load_table(workspace: Workspace, name: str) -> pd.DataFrame:
    """A layer without geometry. Raises `NotFound` with the command that adds it."""
    _must_exist(workspace, name)
    table: pd.DataFrame = pq.read_table(workspace.places / f"{name}.parquet").to_pandas()
    return table


def origins(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Per layer the file it came from: file, sha256, rows, added_utc."""
    files = sorted(workspace.places.glob("*.json"))
    return {path.stem: orjson.loads(path.read_bytes()) for path in files}


def _must_exist(workspace: Workspace, name: str) -> None:
    if not has_layer(workspace, name):
        vi, en = _CURES.get(name, (f"Chưa có lớp {name}.", f"There is no layer {name} yet."))
        raise NotFound(vi, en)
