"""A file's coordinates held against what is known already, before or after its rows are read."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from coverage.errors import PlacesRefused
from coverage.places.communes import commune_codes
from coverage.places.coordinates import check
from coverage.places.coordinates.systems import WGS84
from coverage.places.notes import Note
from coverage.places.sheets import is_table
from coverage.places.vector_files import read_layer


def check_villages(
    path: Path, crs: str | None, areas: gpd.GeoSeries | None, *, trusted: bool
) -> tuple[str, list[Note]]:
    """The system of a map layer of villages, and what is wrong with it: each is held against its commune.

    `areas` are the communes in EPSG:4326, by code.
    It comes before the reader, which refuses what lies off the globe without knowing why. `crs` and `trusted` as
    in `coordinates.check`. Without areas nothing is found. Raises `PlacesRefused`.
    """
    layer = read_layer(path, crs, areas)
    used = str(layer.attrs["crs_given"])
    if areas is None:
        return used, []
    return used, check(layer, used, areas, commune_codes(layer), path.name, trusted=trusted)


def check_clusters(
    path: Path, crs: str | None, clusters: pd.DataFrame, villages: gpd.GeoDataFrame, *, trusted: bool
) -> list[Note]:
    """What is wrong with clusters (as `read_clusters` gives them), held against the boundaries that were given.

    A cluster stands in its village, or the numbers mean something else. Raises `PlacesRefused`, but for what no
    system explains: that is a matter of single clusters, and `settlements.check_distances` names them.
    """
    areas = villages[villages["boundary"] == "given"].set_index("village_id").geometry
    if areas.empty or clusters.empty:
        return []
    used = crs or WGS84 if is_table(path) else read_layer(path, crs).attrs["crs_given"]
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(clusters["lon"], clusters["lat"]), crs=WGS84)
    try:
        return check(points, used, areas, clusters["village_id"], path.name, trusted=trusted)
    except PlacesRefused as fault:
        if fault.code != "elsewhere":
            raise
    return []


def check_near(
    features: gpd.GeoDataFrame, crs: str | None, communes: gpd.GeoDataFrame, file: str, *, trusted: bool
) -> list[Note]:
    """What is wrong with a layer that should touch the communes somewhere; both in EPSG:4326.

    A power line or road may leave the province, but a layer that never comes near it is in another system.
    Raises `PlacesRefused`.
    """
    touches = shapely.intersects(shapely.box(*features.total_bounds), shapely.box(*communes.total_bounds))
    if features.empty or touches:
        return []
    areas = communes.set_index("commune_code").geometry
    return check(features, crs or WGS84, areas, None, file, trusted=trusted)
