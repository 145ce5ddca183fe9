"""The simulated places as files: GeoJSON, CSV and GeoTIFF, all EPSG:4326 and all marked as simulated."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import orjson
import rasterio
import shapely
from rasterio.features import rasterize

from coverage.simulate.ground import (
    METRES_PER_LAT,
    METRES_PER_LON,
    TERRAIN_STEP_M,
    Commune,
    Terrain,
    geometry_to_degrees,
    to_degrees,
)
from coverage.simulate.network import GSM, LTE, NR, OPERATORS, UMTS, Sites
from coverage.simulate.noise import Floats, hashed_uniform
from coverage.simulate.villages import Places, Village

PIXEL_DEG = 1 / 1200  # three seconds of arc, about 92 m here
NODATA_PEOPLE = -99999.0
_AS_OF = "2026-06-30"
DECLARED_RADIUS_M = 5_000.0

README = """# Simulated data

Everything in this folder is SIMULATED by `phusong simulate`: villages, households, power, population,
radio sites, measurements. No value describes a real place, person, network or operator's performance,
although commune names and codes are real (from the package vietnamadminunits) and operator codes are
those of Viet Nam. Commune outlines are derived from commune centres and are not official boundaries.

All coordinates are WGS 84 (EPSG:4326); times in logs/ are local (Asia/Ho_Chi_Minh), or UTC where they end
in Z. Crowdsourced files that begin with mcc,mnc come from an app that never writes that there is no service.
The last measurement is of 2026-10-31; judge it with `phusong assess --as-of 2026-11-01`.
truth.csv is what the simulation knows; nothing that judges measurements may read it.
Arguments: --villages {villages} --measurements {measurements} --seed {seed}
"""


def write_communes(area: Iterable[Commune], path: Path) -> None:
    """Write the communes' derived outlines as GeoJSON polygons."""
    features = [
        _feature(
            geometry_to_degrees(commune.outline),
            {
                "commune_code": commune.code,
                "commune_name": commune.name,
                "source": "derived from centres (simulated outline)",
            },
        )
        for commune in area
    ]
    _write_collection(features, path)


def write_villages(villages: Iterable[Village], path: Path) -> None:
    """Write the villages' polygons, centres and counts as GeoJSON."""
    _write_collection([_village_feature(village) for village in villages], path)


def _village_feature(village: Village) -> dict[str, object]:
    lat, lon = _degrees(village.places[0].x, village.places[0].y)
    properties: dict[str, object] = {
        "village_id": village.village_id,
        "name": village.name,
        "commune_code": village.commune_code,
        "centre_lat": lat,
        "centre_lon": lon,
        "households": village.households,
        "population": village.population,
        "especially_difficult": village.especially_difficult,
        "source": "simulated",
    }
    return _feature(geometry_to_degrees(village.outline), properties)


def write_clusters(villages: Iterable[Village], path: Path) -> None:
    """Write the settled clusters of the villages that list them as GeoJSON points; the first is the centre."""
    features = [
        _cluster_feature(village, index)
        for village in villages
        if village.clusters_listed
        for index in range(len(village.places))
    ]
    _write_collection(features, path)


def _cluster_feature(village: Village, index: int) -> dict[str, object]:
    place = village.places[index]
    lat, lon = _degrees(place.x, place.y)
    properties: dict[str, object] = {
        "village_id": village.village_id,
        "cluster_id": f"c{index + 1}",
        "lat": lat,
        "lon": lon,
        "households": place.households,
        "grid": place.on_grid if village.grid_listed else None,
        "source": "simulated",
    }
    return _feature(shapely.Point(lon, lat), properties)


def _degrees(x: float, y: float) -> tuple[float, float]:
    lat, lon = to_degrees(np.array([x]), np.array([y]))
    return round(float(lat[0]), 6), round(float(lon[0]), 6)


def _feature(geometry: shapely.Geometry, properties: dict[str, object]) -> dict[str, object]:
    shape = shapely.orient_polygons(geometry)  # RFC 7946: outer rings anticlockwise
    return {"type": "Feature", "properties": properties, "geometry": orjson.loads(shapely.to_geojson(shape))}


def _write_collection(features: Sequence[dict[str, object]], path: Path) -> None:
    lines = b",\n".join(orjson.dumps(feature) for feature in features)
    path.write_bytes(b'{"type":"FeatureCollection","features":[\n' + lines + b"\n]}\n")


def write_power(villages: Iterable[Village], path: Path) -> None:
    """Write who has grid power, as a province's list would say it; some villages are missing from it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["village_id", "households", "households_grid", "source", "as_of"])
        for village in villages:
            if village.power != "missing":
                lights = village.power == "inferred"
                source = "inferred from night lights (simulated)" if lights else "official_list (simulated)"
                rows.writerow(
                    [village.village_id, village.households, village.grid_households, source, _AS_OF]
                )


def write_population(villages: list[Village], places: Places, area: list[Commune], path: Path) -> None:
    """Write people per pixel of about 92 m as a GeoTIFF (float32, EPSG:4326); outside the communes nodata."""
    outline = geometry_to_degrees(shapely.union_all([commune.outline for commune in area]))
    left, bottom, right, top = outline.bounds
    west, north = left - PIXEL_DEG, top + PIXEL_DEG
    shape = (int((north - bottom) / PIXEL_DEG) + 2, int((right - west) / PIXEL_DEG) + 2)
    transform = rasterio.Affine(PIXEL_DEG, 0.0, west, 0.0, -PIXEL_DEG, north)
    inside = rasterize([outline], shape, transform=transform, all_touched=True).astype(bool)
    people = np.where(inside, 0.0, NODATA_PEOPLE)
    lat, lon, heads = _people(villages, places)
    row, column = ((north - lat) / PIXEL_DEG).astype(np.int64), ((lon - west) / PIXEL_DEG).astype(np.int64)
    people[row, column] = np.maximum(people[row, column], 0.0)
    np.add.at(people, (row, column), heads)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "compress": "deflate"}
    size = {"height": shape[0], "width": shape[1], "transform": transform, "nodata": NODATA_PEOPLE}
    with rasterio.open(path, "w", **profile, **size) as file:
        file.write(people.astype(np.float32), 1)
        file.update_tags(source="simulated by phusong simulate", unit="people per pixel")


def write_dem(terrain: Terrain, path: Path) -> None:
    """Write the terrain as a GeoTIFF of heights in metres (float32, EPSG:4326), about 100 m per pixel."""
    rows = terrain.heights_m.shape[0]
    top = terrain.bottom + (rows - 0.5) * TERRAIN_STEP_M
    lat, lon = to_degrees(np.array([terrain.left - 0.5 * TERRAIN_STEP_M]), np.array([top]))
    step_lat, step_lon = TERRAIN_STEP_M / METRES_PER_LAT, TERRAIN_STEP_M / METRES_PER_LON
    transform = rasterio.Affine(step_lon, 0.0, float(lon[0]), 0.0, -step_lat, float(lat[0]))
    heights = terrain.heights_m[::-1].astype(np.float32)  # the first row of a GeoTIFF is the northernmost
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "compress": "deflate"}
    size = {"height": heights.shape[0], "width": heights.shape[1], "transform": transform, "nodata": -9999.0}
    with rasterio.open(path, "w", **profile, **size) as file:
        file.write(heights, 1)
        file.update_tags(source="simulated by phusong simulate", unit="metres above the sea")


def write_declared(networks: list[Sites], path: Path) -> None:
    """Write what the operators declare as GeoJSON: everything within `DECLARED_RADIUS_M` of an LTE site.

    Terrain is not in it, so that the claim is too bold in the valleys behind a ridge, as real maps are.
    """
    _write_collection(
        [_declared(operator, sites) for operator, sites in zip(OPERATORS, networks, strict=True)], path
    )


def _declared(operator: str, sites: Sites) -> dict[str, object]:
    lte = sites.technologies[:, LTE]
    discs = shapely.buffer(shapely.points(sites.x[lte], sites.y[lte]), DECLARED_RADIUS_M, quad_segs=4)
    area = geometry_to_degrees(shapely.union_all(discs))
    properties: dict[str, object] = {
        "operator": operator,
        "technology": "LTE",
        "as_of": _AS_OF,
        "source": "simulated claim",
    }
    return _feature(shapely.make_valid(area), properties)


def _people(villages: list[Village], places: Places) -> tuple[Floats, Floats, Floats]:
    # Houses share the people of their place equally.
    lat, lon = to_degrees(places.houses[..., 0].ravel(), places.houses[..., 1].ravel())
    each = [
        village.population * place.households / village.households / places.houses.shape[1]
        for village in villages
        for place in village.places
    ]
    return lat, lon, np.repeat(np.array(each), places.houses.shape[1])


def write_sites(networks: list[Sites], path: Path) -> None:
    """Write the radio sites of all operators as CSV, WGS 84."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["site_id", "operator", "lat", "lon", "on_air_date", "technology", "source"])
        for operator, sites in zip(OPERATORS, networks, strict=True):
            rows.writerows(_site_rows(operator, sites))


def _site_rows(operator: str, sites: Sites) -> Iterable[list[object]]:
    names = {GSM: "GSM", UMTS: "UMTS", LTE: "LTE", NR: "NR"}
    lat, lon = to_degrees(sites.x, sites.y)
    years = 2009 + (hashed_uniform(7, sites.number) * 16).astype(np.int64)
    for row, number in enumerate(sites.number.tolist()):
        held = "+".join(names[code] for code in np.flatnonzero(sites.technologies[row]).tolist())
        day = f"{years[row]}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        yield [f"SIM-{number}", operator, round(lat[row], 6), round(lon[row], 6), day, held, "simulated"]
