"""Places files in: boundaries, lists, power, rasters, sites, claims; read by their rooms and kept by the archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd

from coverage.archive import layers
from coverage.archive.workspace import Workspace
from coverage.errors import PlacesRefused
from coverage.logs import operators
from coverage.logs.context import DEFAULT_TIMEZONE, Context, zone
from coverage.logs.quantities import technologies
from coverage.places import coordinates, rasters
from coverage.places.communes import commune_codes, read_communes
from coverage.places.communes.links import packaged_links, read_links
from coverage.places.communes.meaning import resolve
from coverage.places.coordinates.files import check_clusters, check_near, check_villages
from coverage.places.coordinates.systems import WGS84
from coverage.places.declared import read_declared
from coverage.places.matching import unknown_communes, unknown_villages
from coverage.places.notes import Note, at_rows
from coverage.places.outages import read_outages
from coverage.places.power import read_power
from coverage.places.power.lines import read_lines
from coverage.places.roads import read_roads
from coverage.places.settlements import check_distances, read_clusters
from coverage.places.sheets import is_table
from coverage.places.sites import read_sites
from coverage.places.vector_files import read_layer
from coverage.places.villages import locate_in_communes, read_villages

Raster = Literal["population", "nightlights", "dem"]
PlacesKind = Literal[
    "communes", "commune_links", "villages", "clusters", "population", "power", "lines",
    "nightlights", "outages", "sites", "declared", "roads", "dem",
]  # fmt: skip
PLACES_KINDS: tuple[PlacesKind, ...] = get_args(PlacesKind)
# What several files make up together: a file takes the place of what a file of that name gave before, of a map of
# declared coverage what that operator gave before. The others are replaced as a whole.
_GROWS_BY = {
    "power": ["file"],
    "lines": ["file"],
    "outages": ["file"],
    "roads": ["file"],
    "sites": ["file", "operator"],
    "declared": ["operator"],
}


@dataclass(frozen=True)
class Given:
    """What the user says beside the file.

    timezone: of the times in outages. crs: the coordinate system of the file's numbers. trusted: take the coordinates as
    they are, whatever looks wrong with them. operator, technology: of a declared map that does not say. as_of: its
    date, or that of night lights. weakest_dbm: the level from which a raster of levels is declared service. replace:
    forget what other files gave to this layer.
    """

    timezone: str = DEFAULT_TIMEZONE
    crs: str | None = None
    trusted: bool = False
    operator: str | None = None
    technology: str | None = None
    as_of: date | None = None
    weakest_dbm: float | None = None
    replace: bool = False


@dataclass(frozen=True)
class PlacesReport:
    """What was kept of a places file, and what a person should look at; `total`: rows of the layer now."""

    kind: str
    file: str
    rows: int
    total: int
    notes: list[Note] = field(default_factory=list)


_NOTHING = Given()


def add_places(workspace: Workspace, kind: PlacesKind, path: Path, given: Given = _NOTHING) -> PlacesReport:
    """The report of a places file, after it became part of its layer. Raises `PlacesRefused`, and changes nothing."""
    if not path.is_file():
        raise PlacesRefused(f"Không có tệp {path}.", f"There is no file {path}.")
    return _ADDERS[kind](workspace, path, given)


def _add_communes(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    layer = read_layer(path, given.crs)
    named = layer[["geometry"]].assign(commune_code=commune_codes(layer))
    notes = coordinates.check_communes(named, layer.attrs["crs_given"], path.name, trusted=given.trusted)
    communes = read_communes(path, given.crs)
    layers.save_layer(workspace, "communes", communes, path)
    villages = _layer_or_none(workspace, "villages")
    if villages is not None:
        villages, more = _located(workspace, villages)
        layers.replace_layer(workspace, "villages", villages)
        notes += more
    return PlacesReport("communes", path.name, len(communes), len(communes), notes)


def _add_links(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    links, notes = read_links(path)
    layers.save_layer(workspace, "commune_links", links, path)
    return PlacesReport("commune_links", path.name, len(links), len(links), notes)


def _add_villages(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    communes = _layer_or_none(workspace, "communes")
    areas = None if communes is None else communes.set_index("commune_code").geometry
    notes = [] if is_table(path) else check_villages(path, given.crs, areas, trusted=given.trusted)
    file = read_villages(path, given.crs)
    if is_table(path) and areas is not None:
        placed = file.villages[file.villages.geometry.notna()]
        used = given.crs or WGS84
        notes = coordinates.check(
            placed, used, areas, placed["commune_code"], path.name, trusted=given.trusted
        )
    villages, more = _located(workspace, file.villages)
    # The list's own word on power and clusters goes with it: another list takes the place of all three.
    layers.save_layer(workspace, "village_power", file.power, path)
    layers.save_layer(workspace, "village_clusters", file.clusters, path)
    layers.save_layer(workspace, "villages", villages, path)
    every = notes + at_rows(file.notes + more, file.rows)
    return PlacesReport("villages", path.name, len(villages), len(villages), every)


def _located(workspace: Workspace, villages: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages under present commune codes, with the communes' names; what does not fit is noted."""
    communes, links = _layer_or_none(workspace, "communes"), packaged_links()
    has_links = layers.has_layer(workspace, "commune_links")
    if communes is None and not has_links:
        return villages, []
    if has_links:
        own = layers.load_table(workspace, "commune_links")
        links = pd.concat([own, links[~links["old_code"].isin(own["old_code"])]], ignore_index=True)
    resolved, notes = resolve(villages, links, communes)
    if communes is None:
        return resolved, notes
    located, more = locate_in_communes(resolved, communes)
    return located, notes + more


def _add_clusters(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    villages = _layer_or_none(workspace, "villages")
    clusters, notes = read_clusters(path, villages, given.crs)
    if villages is not None:
        notes += check_clusters(path, given.crs, clusters, villages, trusted=given.trusted)
        notes += unknown_villages(clusters, villages)
        notes += check_distances(clusters, villages, path.name)
    layers.save_layer(workspace, "clusters", clusters, path)
    return PlacesReport("clusters", path.name, len(clusters), len(clusters), notes)


def _add_power(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    villages = _layer_or_none(workspace, "villages")
    power, notes = read_power(path, villages)
    if villages is not None:
        notes += unknown_villages(power, villages)
    return _grown(workspace, "power", power, path, given, notes)


def _add_outages(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    found, notes = read_outages(path, zone(Context(timezone=given.timezone)))
    outages, villages = _with_operators(workspace, found), _layer_or_none(workspace, "villages")
    if villages is not None:
        notes += unknown_villages(outages, villages) + unknown_communes(outages, villages)
    return _grown(workspace, "outages", outages, path, given, notes)


def _add_sites(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    sites, notes = read_sites(path, given.crs)
    named = _with_operators(workspace, sites)
    named["technology"] = named["technology"].map(technologies, na_action="ignore")
    points = gpd.GeoSeries(gpd.points_from_xy(named["lon"], named["lat"]), crs=WGS84)
    notes += _check_near(workspace, gpd.GeoDataFrame(geometry=points), given, path)
    return _grown(workspace, "sites", named, path, given, notes)


def _add_lines(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    lines = read_lines(path, given.crs)
    notes = _check_near(workspace, lines, given, path)
    return _grown(workspace, "lines", lines, path, given, notes)


def _add_roads(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    roads, notes = read_roads(path, given.crs)
    notes += _check_near(workspace, roads, given, path)
    return _grown(workspace, "roads", roads, path, given, notes)


def _add_declared(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    declared = read_declared(
        path, given.operator, given.technology, given.as_of, given.weakest_dbm, given.crs
    )
    named = _with_operators(workspace, declared)
    named["technology"] = named["technology"].map(technologies, na_action="ignore")
    notes = _check_near(workspace, named, given, path)
    return _grown(workspace, "declared", named, path, given, notes)


def _add_raster(kind: Raster, workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    area = next(
        (layers.bounds(workspace, name) for name in _AREAS if layers.has_layer(workspace, name)), None
    )
    notes: list[Note] = []
    about = {"as_of": None if given.as_of is None else given.as_of.isoformat()}
    layers.save_raster(
        workspace, kind, lambda draft: notes.extend(rasters.clean(path, draft, kind, area)), path, about
    )
    return PlacesReport(kind, path.name, 1, 1, notes)


_AREAS = ("villages", "communes")
_ADDERS: dict[PlacesKind, Callable[[Workspace, Path, Given], PlacesReport]] = {
    "communes": _add_communes,
    "commune_links": _add_links,
    "villages": _add_villages,
    "clusters": _add_clusters,
    "population": partial(_add_raster, "population"),
    "power": _add_power,
    "lines": _add_lines,
    "nightlights": partial(_add_raster, "nightlights"),
    "outages": _add_outages,
    "sites": _add_sites,
    "declared": _add_declared,
    "roads": _add_roads,
    "dem": partial(_add_raster, "dem"),
}


def _layer_or_none(workspace: Workspace, name: str) -> gpd.GeoDataFrame | None:
    return layers.load_layer(workspace, name) if layers.has_layer(workspace, name) else None


def _check_near(workspace: Workspace, features: gpd.GeoDataFrame, given: Given, path: Path) -> list[Note]:
    communes = _layer_or_none(workspace, "communes")
    return (
        []
        if communes is None
        else check_near(features, given.crs, communes, path.name, trusted=given.trusted)
    )


def _with_operators(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    names = workspace.criteria.operators.names
    return frame.assign(operator=frame["operator"].map(lambda text: operators.resolve(text, names)))


def _grown(
    workspace: Workspace, kind: PlacesKind, frame: pd.DataFrame, path: Path, given: Given, notes: list[Note]
) -> PlacesReport:
    """The report, after the file's rows took the place of those that it gave before and joined the others."""
    mine = frame.assign(file=path.name)
    if layers.has_layer(workspace, kind) and not given.replace:
        is_map = isinstance(frame, gpd.GeoDataFrame)
        there = layers.load_layer(workspace, kind) if is_map else layers.load_table(workspace, kind)
        keys = _GROWS_BY[kind]
        again = pd.MultiIndex.from_frame(there[keys]).isin(pd.MultiIndex.from_frame(mine[keys]))
        kept = there[~again]
        mine = pd.concat([kept, mine], ignore_index=True) if len(kept) else mine
    layers.save_layer(workspace, kind, mine, path)
    return PlacesReport(kind, path.name, len(frame), len(mine), notes)
