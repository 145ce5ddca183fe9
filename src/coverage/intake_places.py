"""Places files in: boundaries, lists, power, rasters, sites, claims; read by their rooms and kept by the archive."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import pandas as pd

from coverage.archive import layers
from coverage.archive.workspace import Workspace
from coverage.errors import PlacesRefused
from coverage.intake_villages import (
    Given,
    PlacesReport,
    add_clusters,
    add_communes,
    add_links,
    add_villages,
    layer_or_none,
    refuse_empty,
)
from coverage.logs import operators
from coverage.logs.context import Context, zone
from coverage.logs.quantities import technologies
from coverage.places import rasters
from coverage.places.coordinates.files import check_near
from coverage.places.coordinates.systems import WGS84
from coverage.places.declared import read_declared
from coverage.places.matching import unknown_communes, unknown_villages
from coverage.places.notes import Note
from coverage.places.outages import read_outages
from coverage.places.power import read_power
from coverage.places.power.lines import read_lines
from coverage.places.roads import read_roads
from coverage.places.sites import read_sites

Raster = Literal["population", "nightlights", "dem"]
__all__ = ["PLACES_KINDS", "Given", "PlacesKind", "PlacesReport", "add_places"]

PlacesKind = Literal[
    "communes", "commune_links", "villages", "clusters", "population", "power", "lines",
    "nightlights", "outages", "sites", "declared", "roads", "dem",
]  # fmt: skip
PLACES_KINDS: tuple[PlacesKind, ...] = get_args(PlacesKind)
# Some layers several files make up together: a file takes the place of what a file of that name gave before, of a map of
# declared coverage of what that operator gave before. The others are replaced as a whole.
_GROWS_BY: dict[PlacesKind, str] = {"declared": "operator"}
_NOTHING = Given()


def add_places(workspace: Workspace, kind: PlacesKind, path: Path, given: Given = _NOTHING) -> PlacesReport:
    """The report of a places file, after it became part of its layer. Raises `PlacesRefused`, and changes nothing."""
    if not path.is_file():
        raise PlacesRefused(f"Không có tệp {path}.", f"There is no file {path}.")
    return _ADDERS[kind](workspace, path, given)


def _add_power(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    villages = layer_or_none(workspace, "villages")
    power, notes = read_power(path, villages)
    if villages is not None:
        notes += unknown_villages(power, villages)
    return _grown(workspace, "power", power, path, given, notes)


def _add_outages(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    found, notes = read_outages(path, zone(Context(timezone=given.timezone)))
    outages, villages = _with_operators(workspace, found), layer_or_none(workspace, "villages")
    notes += _unknown_operators(workspace, outages, path)
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
    notes = _unknown_operators(workspace, named, path)
    named["technology"] = named["technology"].map(technologies, na_action="ignore")
    notes += _check_near(workspace, named, given, path)
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
    "communes": add_communes,
    "commune_links": add_links,
    "villages": add_villages,
    "clusters": add_clusters,
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


def _check_near(workspace: Workspace, features: gpd.GeoDataFrame, given: Given, path: Path) -> list[Note]:
    communes = layer_or_none(workspace, "communes")
    return (
        []
        if communes is None
        else check_near(features, given.crs, communes, path.name, trusted=given.trusted)
    )


def _with_operators(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    names = workspace.criteria.operators.names
    return frame.assign(operator=frame["operator"].map(lambda text: operators.resolve(text, names)))


def _unknown_operators(workspace: Workspace, frame: pd.DataFrame, path: Path) -> list[Note]:
    # An operator is known by digits or a name of the criteria; another word only fits logs that use the same.
    names = workspace.criteria.operators.names
    words = frame["operator"].dropna().unique()
    unknown = sorted(word for word in words if not word.isdigit())
    known = ", ".join(names.values())
    return [
        Note(
            "unknown_operator",
            "",
            f"{path.name}: nhà mạng “{word}” không có trong tiêu chí ({known}): chỉ khớp với số đo ghi đúng như vậy.",
            f"{path.name}: operator “{word}” is not in the criteria ({known}): it only fits measurements that say the same.",
        )
        for word in unknown
    ]


def _grown(
    workspace: Workspace, kind: PlacesKind, frame: pd.DataFrame, path: Path, given: Given, notes: list[Note]
) -> PlacesReport:
    """The report, after the file's rows took the place of those that it gave before and joined the others."""
    refuse_empty(frame, path)
    mine = frame.assign(file=path.name)
    if layers.has_layer(workspace, kind) and not given.replace:
        is_map = isinstance(frame, gpd.GeoDataFrame)
        there = layers.load_layer(workspace, kind) if is_map else layers.load_table(workspace, kind)
        key = _GROWS_BY.get(kind, "file")
        kept = there[~there[key].isin(mine[key])]
        mine = pd.concat([kept, mine], ignore_index=True) if len(kept) else mine
    layers.save_layer(workspace, kind, mine, path)
    return PlacesReport(kind, path.name, len(frame), len(mine), notes)
