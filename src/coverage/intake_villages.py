"""Communes and villages in: each held against what is known of the other, whichever comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from coverage.archive import layers
from coverage.archive.workspace import Workspace
from coverage.errors import PlacesRefused
from coverage.logs.context import DEFAULT_TIMEZONE
from coverage.places import coordinates, rasters
from coverage.places.communes import commune_codes, read_communes
from coverage.places.communes.links import packaged_links, read_links
from coverage.places.communes.meaning import resolve
from coverage.places.coordinates.files import check_clusters, check_villages
from coverage.places.coordinates.systems import WGS84
from coverage.places.matching import unknown_villages
from coverage.places.notes import Note, at_rows
from coverage.places.settlements import check_distances, read_clusters
from coverage.places.sheets import is_table
from coverage.places.vector_files import read_layer
from coverage.places.villages import locate_in_communes, read_villages

# As the file gave them: what is known of communes later is held against this, never against an earlier guess of ours.
_AS_GIVEN = "villages_given"
_OF_VILLAGES = ("clusters", "power", "outages")
_RASTERS = ("population", "nightlights", "dem")


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


def add_communes(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    """The report of a layer of communes; the villages there are located anew. Raises `PlacesRefused`."""
    layer = read_layer(path, given.crs)
    named = layer[["geometry"]].assign(commune_code=commune_codes(layer))
    notes = coordinates.check_communes(named, layer.attrs["crs_given"], path.name, trusted=given.trusted)
    communes = read_communes(path, given.crs)
    layers.save_layer(workspace, "communes", communes, path)
    notes += _without_code(communes, path) + _located_again(workspace)
    return PlacesReport("communes", path.name, len(communes), len(communes), notes)


def _without_code(communes: gpd.GeoDataFrame, path: Path) -> list[Note]:
    bare = int(communes["commune_code"].isna().sum())
    vi, en = f"{path.name}: {bare} xã không có mã.", f"{path.name}: {bare} communes have no code."
    return [Note("commune_without_code", "", vi, en)] if bare else []


def add_links(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    """The report of a table of old and present communes; the villages there are located anew."""
    links, notes = read_links(path)
    refuse_empty(links, path)
    layers.save_layer(workspace, "commune_links", links, path)
    return PlacesReport("commune_links", path.name, len(links), len(links), notes + _located_again(workspace))


def add_villages(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    """The report of a file of villages: what it says of power and clusters goes with them. Raises `PlacesRefused`."""
    areas = _commune_areas(workspace)
    used, notes = given.crs or WGS84, list[Note]()
    if not is_table(path):
        used, notes = check_villages(path, given.crs, areas, trusted=given.trusted)
    file = read_villages(path, given.crs)
    refuse_empty(file.villages, path)
    if is_table(path):
        notes = _check_placed(file.villages, used, areas, path.name, trusted=given.trusted)
    notes += check_distances(file.clusters, file.villages, path.name)
    villages, more = _located(workspace, file.villages)
    # Another list takes the place of all of them.
    layers.save_layer(workspace, "village_power", file.power, path)
    layers.save_layer(workspace, "village_clusters", file.clusters, path)
    layers.save_layer(workspace, _AS_GIVEN, file.villages, path, {"crs": used})
    layers.save_layer(workspace, "villages", villages, path)
    every = notes + at_rows(file.notes + more, file.rows) + _check_others(workspace, villages)
    return PlacesReport("villages", path.name, len(villages), len(villages), every)


def _commune_areas(workspace: Workspace) -> gpd.GeoSeries | None:
    communes = layer_or_none(workspace, "communes")
    return None if communes is None else communes.set_index("commune_code").geometry


def _check_placed(
    villages: gpd.GeoDataFrame, used: str, areas: gpd.GeoSeries | None, file: str, *, trusted: bool
) -> list[Note]:
    placed = villages[villages.geometry.notna()]
    if areas is None or placed.empty:
        return []
    return coordinates.check(placed, used, areas, placed["commune_code"], file, trusted=trusted)


def _located_again(workspace: Workspace) -> list[Note]:
    """What does not fit of the villages there are, after they were located anew from what their file says."""
    if not layers.has_layer(workspace, _AS_GIVEN):
        return []
    about, given = layers.origins(workspace)[_AS_GIVEN], layers.load_layer(workspace, _AS_GIVEN)
    # They are in already: what is wrong with them cannot refuse another file.
    notes = _check_placed(given, about["crs"], _commune_areas(workspace), about["file"], trusted=True)
    villages, more = _located(workspace, given)
    layers.replace_layer(workspace, "villages", villages)
    return notes + more


def _check_others(workspace: Workspace, villages: gpd.GeoDataFrame) -> list[Note]:
    """What does not fit of the layers that came before these villages."""
    notes = []
    for name in _OF_VILLAGES:
        if layers.has_layer(workspace, name):
            notes += unknown_villages(layers.load_table(workspace, name), villages)
    if layers.has_layer(workspace, "clusters"):
        clusters = layers.load_table(workspace, "clusters")
        notes += _as_note(lambda: check_distances(clusters, villages, "clusters"))
    if villages.geometry.notna().any():
        area = tuple(villages.total_bounds)
        there = [name for name in _RASTERS if layers.has_layer(workspace, name)]
        notes += [
            _elsewhere(name) for name in there if not rasters.overlaps(layers.raster(workspace, name), area)
        ]
    return notes


def _as_note(check: Callable[[], list[Note]]) -> list[Note]:
    try:
        return check()
    except PlacesRefused as fault:
        return [Note(fault.code, "", fault.vi, fault.en)]


def _elsewhere(name: str) -> Note:
    return Note(
        "raster_elsewhere",
        "",
        f"Lớp {name} đã có không phủ vùng có thôn: hãy nạp lại đúng tệp.",
        f"The layer {name} that is there does not cover the villages: add the right file.",
    )


def _located(workspace: Workspace, villages: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages under present commune codes, with the communes' names; what does not fit is noted."""
    communes = layer_or_none(workspace, "communes")
    has_links = layers.has_layer(workspace, "commune_links")
    if communes is None and not has_links:
        return villages, []
    links = packaged_links()
    if has_links:
        own = layers.load_table(workspace, "commune_links")
        links = pd.concat([own, links[~links["old_code"].isin(own["old_code"])]], ignore_index=True)
    resolved, notes = resolve(villages, links, communes)
    if communes is None:
        return resolved, notes
    located, more = locate_in_communes(resolved, communes)
    return located, notes + more


def add_clusters(workspace: Workspace, path: Path, given: Given) -> PlacesReport:
    """The report of a file of settled clusters. Raises `PlacesRefused`."""
    villages = layer_or_none(workspace, "villages")
    clusters, notes = read_clusters(path, villages, given.crs)
    if villages is not None:
        notes += check_clusters(path, given.crs, clusters, villages, trusted=given.trusted)
        notes += unknown_villages(clusters, villages)
        notes += check_distances(clusters, villages, path.name)
    refuse_empty(clusters, path)
    layers.save_layer(workspace, "clusters", clusters, path)
    return PlacesReport("clusters", path.name, len(clusters), len(clusters), notes)


def layer_or_none(workspace: Workspace, name: str) -> gpd.GeoDataFrame | None:
    """A layer with geometry, EPSG:4326; None where there is none yet."""
    return layers.load_layer(workspace, name) if layers.has_layer(workspace, name) else None


def refuse_empty(frame: pd.DataFrame, path: Path) -> None:
    """Raises `PlacesRefused` for a file of which no row is left: it would empty the layer."""
    if frame.empty:
        raise PlacesRefused(
            f"{path.name}: không có dòng nào dùng được; lớp cũ được giữ nguyên.",
            f"{path.name}: holds no row that can be used; the layer stays as it was.",
        )
