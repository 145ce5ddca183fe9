"""Everything that one assessment depends on, fetched from a workspace at one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from coverage import tables
from coverage.archive import layers
from coverage.archive.committed import Committed, committed
from coverage.archive.snapshots import WGS84
from coverage.archive.workspace import Workspace
from coverage.contracts import Table
from coverage.criteria import Criteria
from coverage.errors import NotFound

Record = Mapping[str, dict[str, Any]]
# Raised whenever a stage changes what the same inputs give, so that old snapshots are never mistaken for new.
_RULE_VERSION = 8
# The same for what is kept of the lie of the land.
_GROUND_VERSION = 1
# The layers that a snapshot shows; another one (links of communes) only helps to read files.
_JUDGED_BY = (
    *("villages", "village_power", "village_clusters", "communes", "clusters", "power", "outages", "lines"),
    "sites",
    *("declared", "roads", "population", "nightlights", "dem"),
)
# Those that the lie of the land depends on, power aside.
_LAID_OUT_BY = ("villages", "village_clusters", "communes", "clusters", "population")
_NO_CLUSTERS = pd.DataFrame(
    {"village_id": [], "cluster_id": [], "lat": [], "lon": [], "households": [], "grid": []}, dtype=object
).astype({"lat": float, "lon": float, "households": float})
_NO_COMMUNES = gpd.GeoDataFrame(
    {"commune_code": [], "commune_name": [], "source": []}, geometry=[], crs=WGS84
).astype({"commune_code": object, "commune_name": object, "source": object})


@dataclass(frozen=True)
class Inputs:
    """Everything that one assessment depends on; a raster that is not there is None, another layer is empty.

    made_of: what `snapshot_id` is derived from. scratch: a folder for files that do not outlast the assessment.
    ground: the folder in which the lie of the land of these villages, clusters, communes, people and criteria is kept,
    or is to be; ground_parts: the files of those layers. Whoever puts other tables or criteria in place must name
    another folder. power: every statement that a file makes, those of the villages file included. nightlights_as_of: ISO date of
    that raster, where it was given.
    """

    snapshot_id: str
    made_of: Mapping[str, Any]
    scratch: Path
    ground: Path
    ground_parts: tuple[Path, ...]
    as_of: date
    criteria: Criteria
    committed: Committed
    villages: gpd.GeoDataFrame
    clusters: pd.DataFrame
    communes: gpd.GeoDataFrame
    power: pd.DataFrame
    outages: pd.DataFrame
    lines: gpd.GeoDataFrame
    sites: pd.DataFrame
    declared: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    population: Path | None
    nightlights: Path | None
    nightlights_file: str
    nightlights_as_of: str | None
    dem: Path | None


def fetch(workspace: Workspace, as_of: date) -> Inputs:
    """The inputs of an assessment as the workspace holds them now. Raises `NotFound` without villages."""
    criteria, counted = workspace.criteria, committed(workspace)
    # One look at what is there: a layer that is replaced while we read is another assessment's.
    record = layers.origins(workspace)
    power = [_table(workspace, name, record, _empty(tables.POWER)) for name in ("power", "village_power")]
    made_of = _made_of(record, criteria, as_of, counted)
    return Inputs(
        snapshot_id=_id(made_of),
        made_of=made_of,
        scratch=workspace.parts,
        ground=workspace.ground / _ground_id(record, criteria),
        ground_parts=tuple(
            workspace.places / about["part"] for name, about in record.items() if name in _LAID_OUT_BY
        ),
        as_of=as_of,
        criteria=criteria,
        committed=counted,
        villages=_villages(workspace, record),
        clusters=_clusters(workspace, record),
        communes=_layer(workspace, "communes", record, _NO_COMMUNES),
        power=pd.concat([frame for frame in power if len(frame)] or power[:1], ignore_index=True),
        outages=_table(workspace, "outages", record, _empty(tables.OUTAGES)),
        lines=_layer(workspace, "lines", record, _empty_layer(tables.LINES)),
        sites=_table(workspace, "sites", record, _empty(tables.SITES)),
        declared=_layer(workspace, "declared", record, _empty_layer(tables.DECLARED)),
        roads=_layer(workspace, "roads", record, _empty_layer(tables.ROADS)),
        population=_raster(workspace, "population", record),
        nightlights=_raster(workspace, "nightlights", record),
        nightlights_file=record.get("nightlights", {}).get("file", ""),
        nightlights_as_of=record.get("nightlights", {}).get("as_of"),
        dem=_raster(workspace, "dem", record),
    )


def _villages(workspace: Workspace, record: Record) -> gpd.GeoDataFrame:
    villages = layers.load_layer(workspace, "villages", record)
    if "boundary" not in villages:
        raise NotFound(
            "Lớp thôn do phiên bản cũ ghi. Hãy nạp lại: phusong places add villages TỆP",
            "The layer of villages is of an older version. Add it again: phusong places add villages FILE",
        )
    return villages


def _clusters(workspace: Workspace, record: Record) -> pd.DataFrame:
    """The listed clusters; those of the file of clusters before those that the villages file holds."""
    parts = [_table(workspace, name, record, _NO_CLUSTERS) for name in ("clusters", "village_clusters")]
    both = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return both.drop_duplicates(["village_id", "cluster_id"], ignore_index=True)


def _empty(table: Table) -> pd.DataFrame:
    frame: pd.DataFrame = tables.schema(table).empty_table().to_pandas()
    return frame


def _empty_layer(table: Table) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(_empty(table), geometry=[], crs=WGS84)


def _table(workspace: Workspace, name: str, record: Record, absent: pd.DataFrame) -> pd.DataFrame:
    return layers.load_table(workspace, name, record) if name in record else absent


def _layer(workspace: Workspace, name: str, record: Record, absent: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return layers.load_layer(workspace, name, record) if name in record else absent


def _raster(workspace: Workspace, name: str, record: Record) -> Path | None:
    return layers.raster(workspace, name, record) if name in record else None


def _made_of(record: Record, criteria: Criteria, as_of: date, counted: Committed) -> dict[str, Any]:
    return {
        "rule": _RULE_VERSION,
        "criteria": criteria.hash,
        "as_of": as_of.isoformat(),
        "readings": counted.readings,
        "places": {name: about["part"] for name, about in record.items() if name in _JUDGED_BY},
    }


def _ground_id(record: Record, criteria: Criteria) -> str:
    return _id(
        {
            "version": _GROUND_VERSION,
            "resolution": criteria.hex_resolution,
            "rings": criteria.village.neighbour_rings,
            "ground": criteria.ground.model_dump(mode="json"),
            "places": {name: about["part"] for name, about in record.items() if name in _LAID_OUT_BY},
        }
    )


def _id(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
