"""The places layers of a workspace: each a JSON with the file it came from, and the Parquet part that it names."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from coverage.archive.disk import require_room
from coverage.archive.durable import NAME_DIGITS, fsync, scratch_folder, sha256, write_durably
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound

_CURES = {
    "villages": (
        "Chưa có lớp thôn: phusong places add villages TỆP",
        "No villages yet: phusong places add villages FILE",
    ),
}


def save_layer(
    workspace: Workspace, name: str, frame: pd.DataFrame, origin: Path, about: Mapping[str, Any] | None = None
) -> None:
    """Keep a layer (a frame, or a GeoDataFrame in EPSG:4326) in place of the former one, with its origin.

    about: what else a reader of the layer must know, such as the coordinate system of its file.
    """
    _save(workspace, name, frame, _origin(origin) | {"rows": len(frame)} | dict(about or {}))


def replace_layer(workspace: Workspace, name: str, frame: pd.DataFrame) -> None:
    """Keep another state of a layer whose origin stays the same."""
    _save(workspace, name, frame, _about(workspace, name))


def save_raster(
    workspace: Workspace, name: str, write: Callable[[Path], object], origin: Path, about: Mapping[str, Any]
) -> None:
    """Keep the GeoTIFF that `write` makes of a path, in place of the former one, with its origin.

    about: what else a reader of the layer must know, such as its date.
    """
    require_room(workspace.places)
    with scratch_folder(workspace.places, name) as folder:
        draft = folder / f"{name}.tif"
        write(draft)
        fsync(draft)
        part = workspace.places / f"{name}-{sha256(draft)[:NAME_DIGITS]}.tif"
        _put(workspace, name, part, _origin(origin) | dict(about), draft)


def _save(workspace: Workspace, name: str, frame: pd.DataFrame, about: dict[str, Any]) -> None:
    content = _parquet(frame)
    require_room(workspace.places, len(content))
    part = workspace.places / f"{name}-{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}.parquet"
    with scratch_folder(workspace.places, name) as folder:
        draft = folder / part.name
        draft.write_bytes(content)
        fsync(draft)
        _put(workspace, name, part, about, draft)


def _put(workspace: Workspace, name: str, part: Path, about: dict[str, Any], draft: Path) -> None:
    # Each state is a file named by its content and never changed; the JSON that names it is replaced last and
    # in one step. Former states stay for a while: somebody may be reading them. The manifest's lock keeps
    # `tidying` out, which might remove an old file of that name between the two steps.
    named = orjson.dumps(about | {"part": part.name}, option=orjson.OPT_INDENT_2)
    with transaction(workspace.manifest):
        draft.rename(part)
        fsync(workspace.places)
        write_durably(workspace.places / f"{name}.json", named)


def _origin(path: Path) -> dict[str, Any]:
    return {
        "file": path.name,
        "sha256": sha256(path),
        "added_utc": now_utc().isoformat(timespec="seconds"),
    }


def _parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(sink, index=False)
    else:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
    return sink.getvalue()


def has_layer(workspace: Workspace, name: str) -> bool:
    """Whether the workspace holds that layer."""
    return (workspace.places / f"{name}.json").exists()


def load_layer(
    workspace: Workspace, name: str, record: Mapping[str, dict[str, Any]] | None = None
) -> gpd.GeoDataFrame:
    """A layer with geometry, EPSG:4326. Raises `NotFound` with the command that adds it.

    `record` is what `origins` gave: then the state of that moment, whatever has replaced it since.
    """
    return gpd.read_parquet(_part(workspace, name, record))


def raster(workspace: Workspace, name: str, record: Mapping[str, dict[str, Any]] | None = None) -> Path:
    """The GeoTIFF of a raster layer, never changed once there. Raises `NotFound`; `record` as in `load_layer`."""
    return _part(workspace, name, record)


def bounds(workspace: Workspace, name: str) -> tuple[float, float, float, float]:
    """West, south, east and north of a layer with geometry, in degrees, without reading it. Raises `NotFound`."""
    about = orjson.loads(pq.read_schema(_part(workspace, name, None)).metadata[b"geo"])
    west, south, east, north = about["columns"][about["primary_column"]]["bbox"]
    return west, south, east, north


def load_table(
    workspace: Workspace, name: str, record: Mapping[str, dict[str, Any]] | None = None
) -> pd.DataFrame:
    """A layer without geometry; the same otherwise."""
    table: pd.DataFrame = pq.read_table(_part(workspace, name, record)).to_pandas()
    return table


def origins(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Per layer the file it came from: file, sha256, rows, added_utc, and the part that holds it."""
    return {path.stem: _about(workspace, path.stem) for path in sorted(workspace.places.glob("*.json"))}


def _about(workspace: Workspace, name: str) -> dict[str, Any]:
    about: dict[str, Any] = orjson.loads((workspace.places / f"{name}.json").read_bytes())
    return about


def _part(workspace: Workspace, name: str, record: Mapping[str, dict[str, Any]] | None) -> Path:
    known = origins(workspace) if record is None else record
    if name not in known:
        vi, en = _CURES.get(name, (f"Chưa có lớp {name}.", f"There is no layer {name} yet."))
        raise NotFound(vi, en)
    return workspace.places / str(known[name]["part"])
