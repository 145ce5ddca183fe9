"""Terrain in the path: planes, ridges, the bulge of the earth, holes, and a real model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from pyproj import Geod
from test_places_rasters import DEG, raster_file

from coverage.places import rasters
from coverage.places.rasters.terrain import terrain_blocks

K = 4 / 3
RADIUS_M = 6_371_000.0
GEOD = Geod(ellps="WGS84")
LAT = 11.75


def model(folder: Path, values: np.ndarray, **profile) -> Path:
    raster_file(folder / "source.tif", values.astype("float32"), **profile)
    rasters.clean(folder / "source.tif", folder / "dem.tif", "dem", None)
    return folder / "dem.tif"


def ends(
    *lon: tuple[float, float], antenna_m: float = 30.0, lat: float = LAT
) -> tuple[pd.DataFrame, pd.DataFrame]:
    sites = pd.DataFrame({"lat": lat, "lon": [a for a, _ in lon], "height_m": antenna_m})
    return sites, pd.DataFrame({"lat": lat, "lon": [b for _, b in lon]})


def test_nothing_stands_in_the_way_over_a_plane(tmp_path: Path) -> None:
    dem = model(tmp_path, np.full((600, 600), 800.0))
    sites, phones = ends((108.01, 108.06), (108.06, 108.01), (108.2, 108.2))
    assert terrain_blocks(dem, sites, phones, 1.5, K) == [False, False, False]


@pytest.mark.parametrize(("over_m", "blocked"), [(-0.2, False), (0.2, True)])
@pytest.mark.parametrize("column", [75, 130, 190])
def test_a_ridge_blocks_from_where_it_reaches_the_line(
    tmp_path: Path, column: int, over_m: float, blocked: bool
) -> None:
    # Site in the middle of column 60, phone in that of column 200; a ridge one column wide between them.
    lon = [108 + (number + 0.5) * DEG for number in (60, 200, column)]
    length_m, d_m = (GEOD.inv(lon[0], LAT, to, LAT)[2] for to in lon[1:])
    line_m = 500 + 30 + (1.5 - 30) * d_m / length_m
    values = np.full((600, 600), 500.0)
    values[:, column] = line_m - d_m * (length_m - d_m) / (2 * K * RADIUS_M) + over_m
    sites, phones = ends((lon[0], lon[1]))
    assert terrain_blocks(model(tmp_path, values), sites, phones, 1.5, K) == [blocked]


def test_over_forty_kilometres_the_earth_itself_stands_in_the_way(tmp_path: Path) -> None:
    dem = model(tmp_path, np.zeros((600, 600)))
    lon, lat, _ = GEOD.fwd(108.05, LAT, 90.0, 40_000.0)
    sites = pd.DataFrame({"lat": [LAT] * 4, "lon": [108.05] * 4, "height_m": [50.0, 60.0, 77.0, 80.0]})
    phones = pd.DataFrame({"lat": [lat] * 4, "lon": [lon] * 4})
    # Equal heights h on both ends clear the bulge where h > 40,000² / (8 k R): 23.5 m, 31.4 m where k = 1.
    level = phones.assign(lat=lat)
    assert terrain_blocks(dem, sites.assign(height_m=23.4), level, 23.4, K) == [True] * 4
    assert terrain_blocks(dem, sites.assign(height_m=23.7), level, 23.7, K) == [False] * 4
    assert terrain_blocks(dem, sites.assign(height_m=31.2), level, 31.2, 1.0) == [True] * 4
    assert terrain_blocks(dem, sites.assign(height_m=31.6), level, 31.6, 1.0) == [False] * 4
    # A phone at 1.5 m sees √(2kR·1.5) = 5.05 km far; the antenna must see the other 34.95 km: 71.9 m.
    assert terrain_blocks(dem, sites, phones, 1.5, K) == [True, True, False, False]


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    values = np.full((600, 600), 500.0)
    values[:, 200:210] = np.nan
    values[:, 300] = 900.0
    dem = model(tmp_path, values)
    lon = {number: 108 + (number + 0.5) * DEG for number in (50, 150, 205, 250, 350)}
    pairs = [(50, 150), (50, 250), (50, 350), (250, 350), (205, 250), (150, 205), (205, 350)]
    sites, phones = ends(*((lon[a], lon[b]) for a, b in pairs), (108.1, 109.0), (107.9, 108.1))
    # A hole in the model hides no ridge that it shows; without the ground at an end there is no line at all.
    assert terrain_blocks(dem, sites, phones, 1.5, K) == [
        *(False, None, True, True, None, None, None),
        *(None, None),
    ]
    lost = sites.assign(height_m=np.nan)
    assert terrain_blocks(dem, lost, phones, 1.5, K) == [None] * len(sites)
    nowhere = phones.assign(lat=np.nan)
    assert terrain_blocks(dem, sites, nowhere, 1.5, K) == [None] * len(sites)
    assert terrain_blocks(dem, sites[:0], phones[:0], 1.5, K) == []


def test_many_paths_are_judged_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    dem = model(tmp_path, 500 + 4 * np.cumsum(rng.normal(size=(120, 150)), 1).clip(-5, 5))
    lat, lon = rng.uniform(11.91, 11.99, (2, 40)), rng.uniform(108.01, 108.11, (2, 40))
    sites = pd.DataFrame({"lat": lat[0], "lon": lon[0], "height_m": 25.0}, index=range(40, 80))
    phones = pd.DataFrame({"lat": lat[1], "lon": lon[1]}, index=range(7, 47))
    together = terrain_blocks(dem, sites, phones, 1.5, K)
    assert {True, False} <= set(together)
    monkeypatch.setattr("coverage.places.rasters.terrain._SPOTS_AT_A_TIME", 200)
    assert terrain_blocks(dem, sites, phones, 1.5, K) == together
    alone = [terrain_blocks(dem, sites.iloc[[i]], phones.iloc[[i]], 1.5, K)[0] for i in range(40)]
    assert alone == together


@pytest.mark.realdata
def test_a_real_model_against_a_profile_by_hand(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "rasters/pysheds_dem.tif"
    rasters.clean(source, tmp_path / "dem.tif", "dem", None)
    with rasterio.open(source) as file:
        ground, grid = file.read(1).astype(float), file.transform

    def by_hand(row: int, first: int, last: int, antenna_m: float) -> float:
        # How far the ground of one row of cells rises above the line at most, cell middle by cell middle.
        metres = 111_320 * np.cos(np.radians(grid.f + grid.e * (row + 0.5))) * grid.a
        cells = np.arange(first + 1, last)
        d_m, rest_m = (cells - first) * metres, (last - cells) * metres
        top, low = ground[row, first] + antenna_m, ground[row, last] + 1.5
        line = top + (low - top) * d_m / (d_m + rest_m)
        return float((ground[row, cells] + d_m * rest_m / (2 * K * RADIUS_M) - line).max())

    cases = [(100, 20, 60), (100, 20, 300), (200, 150, 160), (250, 40, 340), (60, 200, 230)]
    rises = [by_hand(*case, 30.0) for case in cases]
    lat = [grid.f + grid.e * (row + 0.5) for row, _, _ in cases]
    sites = pd.DataFrame(
        {"lat": lat, "lon": [grid.c + grid.a * (a + 0.5) for _, a, _ in cases], "height_m": 30}
    )
    phones = pd.DataFrame({"lat": lat, "lon": [grid.c + grid.a * (b + 0.5) for _, _, b in cases]})
    assert min(abs(rise) for rise in rises) > 0.5, "no case on the edge"
    assert {rise > 0 for rise in rises} == {True, False}
    assert terrain_blocks(tmp_path / "dem.tif", sites, phones, 1.5, K) == [rise > 0 for rise in rises]
