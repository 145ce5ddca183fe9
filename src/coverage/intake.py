"""Files in: field logs and places files, read by their rooms and kept by the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd

from coverage.archive import layers, uploads
from coverage.archive.mappings import load_mappings
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace
from coverage.errors import FileRefused, PlacesRefused
from coverage.logs import operators
from coverage.logs.context import DEFAULT_TIMEZONE, Context, zone
from coverage.logs.quantities import technologies
from coverage.logs.read import Rules, open_logs
from coverage.logs.readings import Log, Refused
from coverage.places.communes import read_communes
from coverage.places.notes import Note
from coverage.places.outages import read_outages
from coverage.places.power import read_power
from coverage.places.settlements import check_distances, read_clusters
from coverage.places.sites import read_sites
from coverage.places.villages import locate_in_communes, read_villages

PlacesKind = Literal["communes", "villages", "clusters", "power", "outages", "sites"]
# Half a degree, some 50 km: crews drive from and to neighbouring provinces, and what they measure there is welcome.
AREA_MARGIN = 0.5
PLACES_KINDS: tuple[PlacesKind, ...] = get_args(PlacesKind)


@dataclass(frozen=True)
class PlacesReport:
    """What was kept of a places file, and what a person should look at."""

    kind: str
    file: str
    rows: int
    notes: list[Note] = field(default_factory=list)


def ingest(workspace: Workspace, path: Path, context: Context) -> Iterator[Receipt | FileRefused]:
    """The receipt of each file in `path` (a zip holds several), each safe on disk before the next is read.

    A member of a zip that cannot be measurements comes as its `FileRefused`; a file on its own raises it.
    """
    for log in recognise(workspace, path, context):
        yield log if isinstance(log, FileRefused) else uploads.receive(workspace, log)


def recognise(workspace: Workspace, path: Path, context: Context) -> Iterator[Log | FileRefused]:
    """Each file in `path`, recognised, its rows not read yet; refusals as `ingest`."""
    rules = Rules(
        workspace.device_key,
        workspace.criteria.operators.names,
        earlier=partial(uploads.context_of, workspace),
        area=_area(workspace),
        mappings=load_mappings(workspace),
    )
    for log in open_logs(path, context, rules):
        yield log.error if isinstance(log, Refused) else log


def _area(workspace: Workspace) -> tuple[float, float, float, float] | None:
    """The box around the communes, else around the villages, and some way beyond; None where there are neither."""
    for kind in ("communes", "villages"):
        if layers.has_layer(workspace, kind):
            west, south, east, north = layers.bounds(workspace, kind)
            return west - AREA_MARGIN, south - AREA_MARGIN, east + AREA_MARGIN, north + AREA_MARGIN
    return None


def add_places(
    workspace: Workspace, kind: PlacesKind, path: Path, timezone: str = DEFAULT_TIMEZONE
) -> PlacesReport:
    """The report of a places file, after it took the place of the former layer. Raises `PlacesRefused`.

    `timezone` is that of the times in a file of outages.
    """
    if not path.is_file():
        raise PlacesRefused(f"Không có tệp {path}.", f"There is no file {path}.")
    if kind == "villages":
        return _add_villages(workspace, path)
    if kind == "communes":
        return _add_communes(workspace, path)
    if kind == "sites":
        return _add_sites(workspace, path)
    villages = layers.load_layer(workspace, "villages") if layers.has_layer(workspace, "villages") else None
    frame, notes = _read_table(workspace, kind, path, timezone, villages)
    if villages is not None:
        notes = notes + _check(kind, frame, villages, path)
    layers.save_layer(workspace, kind, frame, path)
    return PlacesReport(kind, path.name, len(frame), notes)


def _check(kind: PlacesKind, frame: pd.DataFrame, villages: gpd.GeoDataFrame, path: Path) -> list[Note]:
    # What the file says of villages, held against the villages there are. Raises `PlacesRefused`.
    notes = _unknown_villages(frame, villages)
    if kind == "clusters":
        notes += check_distances(frame, villages, path.name)
    if kind == "outages":
        notes += _unknown_communes(frame, villages)
    return notes


def _read_table(
    workspace: Workspace,
    kind: Literal["clusters", "power", "outages"],
    path: Path,
    timezone: str,
    villages: gpd.GeoDataFrame | None,
) -> tuple[pd.DataFrame, list[Note]]:
    if kind == "clusters":
        return read_clusters(path, villages)
    if kind == "power":
        return read_power(path), []
    names = workspace.criteria.operators.names
    outages = read_outages(path, zone(Context(timezone=timezone)))
    return outages.assign(operator=outages["operator"].map(lambda text: operators.resolve(text, names))), []


def _add_villages(workspace: Workspace, path: Path) -> PlacesReport:
    read = read_villages(path)
    villages, more = _locate(workspace, read.villages)
    layers.save_layer(workspace, "villages", villages, path)
    return PlacesReport("villages", path.name, len(villages), read.notes + more)


def _add_communes(workspace: Workspace, path: Path) -> PlacesReport:
    communes = read_communes(path)
    layers.save_layer(workspace, "communes", communes, path)
    if not layers.has_layer(workspace, "villages"):
        return PlacesReport("communes", path.name, len(communes))
    villages, notes = _locate(workspace, layers.load_layer(workspace, "villages"))
    layers.replace_layer(workspace, "villages", villages)
    return PlacesReport("communes", path.name, len(communes), notes)


def _add_sites(workspace: Workspace, path: Path) -> PlacesReport:
    sites, notes = read_sites(path)
    names = workspace.criteria.operators.names
    named = sites.assign(
        operator=sites["operator"].map(lambda text: operators.resolve(text, names)),
        technology=sites["technology"].map(lambda text: None if text is None else technologies(text)),
    )
    layers.save_layer(workspace, "sites", named, path)
    return PlacesReport("sites", path.name, len(named), notes)


def _locate(workspace: Workspace, villages: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Note]]:
    if not layers.has_layer(workspace, "communes"):
        return villages, []
    return locate_in_communes(villages, layers.load_layer(workspace, "communes"))


def _unknown_villages(frame: pd.DataFrame, villages: gpd.GeoDataFrame) -> list[Note]:
    unknown = set(frame["village_id"].dropna()) - set(villages["village_id"])
    return [
        Note(
            "unknown_village",
            village_id,
            f"Không có thôn nào mang mã {village_id}.",
            f"No village has the id {village_id}.",
        )
        for village_id in sorted(unknown)
    ]


def _unknown_communes(frame: pd.DataFrame, villages: gpd.GeoDataFrame) -> list[Note]:
    unknown = set(frame["commune_code"].dropna()) - set(villages["commune_code"].dropna())
    return [
        Note(
            "unknown_commune",
            code,
            f"Không có thôn nào thuộc xã mang mã {code}.",
            f"No village belongs to a commune with code {code}.",
        )
        for code in sorted(unknown)
    ]
