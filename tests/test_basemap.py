"""Our own base map: tiles that join, light from the north-west, roads where they are, and nothing as dark as a verdict."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from pyproj import Transformer

from coverage.exports.basemap import Ground
from coverage.exports.mercator import TILE, Frame, plane
from coverage.exports.relief import Relief

WEST, SOUTH, EAST, NORTH = 107.9, 11.4, 108.5, 12.0
MIDDLE = (108.2, 11.7)


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    n = 2**z
    down = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return int((lon + 180) / 360 * n), int(down * n)


def pixel_at(frame: Frame, lon: float, lat: float) -> tuple[int, int]:
    """Row and column of a point."""
    ((column, row),) = frame.spots(plane(np.array([[lon, lat]])) - frame.pixel_m / 2 * np.array([1, -1]), 1)
    return int(row), int(column)


def around(lon: float, lat: float, z: int, side: int = TILE) -> Frame:
    """A square frame with that point in its middle."""
    row, column = pixel_at(Frame(z, 1, 0, 0, 0, 0), lon, lat)
    return Frame(z, 1, column - side // 2, row - side // 2, side, side)


def dem(folder: Path, heights: np.ndarray, crs: str = "EPSG:4326", bounds=None) -> Path:
    """A terrain model as `rasters.clean` writes one."""
    path = folder / "dem.tif"
    rows, columns = heights.shape
    west, south, east, north = bounds or (WEST, SOUTH, EAST, NORTH)
    grid = rasterio.Affine((east - west) / columns, 0, west, 0, (south - north) / rows, north)
    form = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "tiled": True}
    form |= {"blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 3}
    with rasterio.open(path, "w", crs=crs, width=columns, height=rows, transform=grid, **form) as raster:
        raster.write(heights.astype(np.float32), 1)
    return path


def hills(side: int = 1200) -> np.ndarray:
    """Heights in metres, the same on every call (simulated)."""
    y, x = np.mgrid[0:side, 0:side] / side * 2 * np.pi
    return 900 + 350 * np.sin(5 * x + 1) * np.cos(4 * y) + 60 * np.sin(37 * x) * np.sin(31 * y + 2)


@pytest.fixture(scope="module")
def communes() -> gpd.GeoSeries:
    # The second is an enclave of the first; between the others is a border.
    ring = shapely.box(108.0, 11.5, 108.2, 11.9).difference(shapely.box(108.05, 11.6, 108.12, 11.7))
    rest = [shapely.box(108.05, 11.6, 108.09, 11.7), shapely.box(108.2, 11.5, 108.4, 11.9)]
    return gpd.GeoSeries([rest[0], ring, rest[1]], crs="EPSG:4326")


@pytest.fixture(scope="module")
def roads() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    lines, kinds = [], []
    for number in range(40):
        turns = np.cumsum(rng.normal(0, 0.3, 200)) + rng.uniform(0, 6)
        steps = 0.002 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        lines.append(shapely.LineString(rng.uniform((108.0, 11.5), (108.4, 11.9)) + np.cumsum(steps, axis=0)))
        kinds.append("pass" if number % 5 == 0 else "road")
    return gpd.GeoDataFrame({"kind": kinds}, geometry=lines, crs="EPSG:4326")


@pytest.fixture(scope="module")
def ground(communes, roads, tmp_path_factory) -> Ground:
    return Ground(communes, roads, dem(tmp_path_factory.mktemp("dem"), hills()))


def decoded(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("z", [6, 8, 9, 11, 12, 13, 15, 17])
@pytest.mark.parametrize("scale", [1, 2])
def test_neighbouring_tiles_join_as_if_they_were_one_picture(ground, z, scale):
    x, y = tile_at(*MIDDLE, z)
    side = TILE * scale
    both = ground.tones(Frame(z, scale, (x - 1) * side, (y - 1) * side, 2 * side, 2 * side)).astype(int)
    for row in (0, 1):
        for column in (0, 1):
            one = ground.tones(Frame.of_tile(z, x - 1 + column, y - 1 + row, scale)).astype(int)
            part = both[row * side : (row + 1) * side, column * side : (column + 1) * side]
            assert np.abs(one - part).max() <= 2  # one shade: the last bit of a height


def test_a_tile_of_more_pixels_shows_the_same_ground(ground):
    for z in (9, 12, 15):
        x, y = tile_at(*MIDDLE, z)
        small, large = decoded(ground.tile(z, x, y)), decoded(ground.tile(z, x, y, 2))
        assert small.shape == (256, 256, 3)
        assert large.shape == (512, 512, 3)
        halved = large.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))
        assert np.abs(halved - small).mean() < 3


def test_everything_stays_pale(ground):
    for z in (7, 9, 11, 13):
        pixels = decoded(ground.tile(z, *tile_at(*MIDDLE, z)))
        assert pixels.min() >= 150
        assert np.median(pixels) >= 225
        assert np.ptp(pixels, axis=2).max() <= 14  # grey and paper: colours are for verdicts


def test_land_is_paper_and_the_ground_outside_a_little_darker(communes):
    drawn = Ground(communes)
    frame = Frame(10, 1, *(TILE * part for part in tile_at(107.95, 11.95, 10)), 2 * TILE, 2 * TILE)
    tones = drawn.tones(frame)

    def tone(lon, lat):
        return tones[pixel_at(frame, lon, lat)]

    land, outside = tone(108.1, 11.8), tone(107.95, 11.7)
    assert outside < land
    row, column = pixel_at(frame, 108.2, 11.75)
    assert tones[row, column - 1 : column + 2].min() < land - 8  # the border between two communes
    assert tone(108.3, 11.8) == land
    assert tone(108.07, 11.65) == land  # the enclave, though the ring around it has a hole there
    assert tone(108.105, 11.65) == outside  # the rest of the hole


def test_without_communes_all_is_land():
    tones = Ground().tones(Frame.of_tile(9, *tile_at(*MIDDLE, 9)))
    assert len(np.unique(tones)) == 1
    assert len(Ground().tile(9, *tile_at(*MIDDLE, 9))) < 1500


def test_roads_are_where_they_are_and_passes_a_little_stronger():
    lines = [
        shapely.LineString([(108.0, 11.65), (108.4, 11.65)]),
        shapely.LineString([(108.0, 11.75), (108.4, 11.75)]),
    ]
    roads = gpd.GeoDataFrame({"kind": ["road", "pass"]}, geometry=lines, crs="EPSG:4326")
    for z in (8, 10, 12, 14):
        frame = Frame(z, 1, *(TILE * part for part in tile_at(108.2, 11.7, z)), TILE, TILE)
        for line, lat in zip(lines, (11.65, 11.75), strict=True):
            x, y = tile_at(108.2, lat, z)
            frame = Frame.of_tile(z, x, y)
            row, column = pixel_at(frame, 108.2, lat)
            tones = Ground(roads=roads[roads.geometry == line]).tones(frame).astype(int)
            away = np.abs(np.arange(TILE) - row) > 6
            assert (tones[away][:, column] == tones.max()).all(), "nothing is drawn beside a road"
            assert tones[max(row - 1, 0) : row + 2, column].min() < tones.max() - 8
        darkest = [Ground(roads=roads[roads["kind"] == kind]).tones(frame).min() for kind in ("road", "pass")]
        assert darkest[0] > darkest[1] or (z < 14 and darkest[0] >= darkest[1])


def test_a_road_of_many_points_is_whole_and_no_road_is_drawn_elsewhere(roads):
    frame = Frame.of_tile(11, *tile_at(*MIDDLE, 11))
    drawn = Ground(roads=roads).tones(frame) < Ground().tones(frame)
    row, column = np.nonzero(drawn)
    spots = np.stack([column + 0.5, row + 0.5], axis=1)
    metres = shapely.transform(roads.geometry.to_numpy(), plane)
    west, _, _, north = frame.bounds()
    lines = shapely.transform(metres, lambda xy: (xy - [west, north]) / frame.pixel_m * [1, -1])
    whole = shapely.union_all(lines)
    assert shapely.distance(whole, shapely.points(spots)).max() < 4
    along = shapely.get_coordinates(shapely.segmentize(shapely.clip_by_rect(whole, 1, 1, 255, 255), 1.0))
    at = along.astype(int)
    assert drawn[at[:, 1], at[:, 0]].mean() > 0.98


# --- relief


@pytest.mark.parametrize(
    ("rises_to", "is_lit"),
    [("se", True), ("nw", False), ("e", True), ("s", True), ("w", False), ("n", False)],
)
def test_a_slope_is_light_where_it_looks_to_the_north_west(tmp_path, rises_to, is_lit):
    south, east = np.mgrid[0:400, 0:400].astype(float)
    heights = sum({"s": south, "n": -south, "e": east, "w": -east}[side] for side in rises_to) * 12.0
    relief = Relief(dem(tmp_path, heights))
    for z in (10, 12, 14):
        shade = relief.shade(Frame.of_tile(z, *tile_at(*MIDDLE, z)))
        assert shade is not None
        assert (shade > 0).all() == is_lit
        assert (shade < 0).all() != is_lit


def test_slopes_across_the_light_are_alike(tmp_path):
    south, east = np.mgrid[0:400, 0:400].astype(float)
    frame = Frame.of_tile(12, *tile_at(*MIDDLE, 12))
    means = []
    for number, heights in enumerate(((east - south) * 12, (south - east) * 12)):
        folder = tmp_path / str(number)
        folder.mkdir()
        means.append(float(Relief(dem(folder, heights)).shade(frame).mean()))
    assert means[0] == pytest.approx(means[1], abs=0.02)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648", "EPSG:3405"])
def test_a_hill_shows_where_it_is_whatever_the_system(tmp_path, crs):
    to = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    left, bottom, right, top = to.transform_bounds(WEST, SOUTH, EAST, NORTH)
    x, y = to.transform(*MIDDLE)
    columns, rows = np.meshgrid(np.linspace(left, right, 900), np.linspace(top, bottom, 900))
    width = (right - left) / 40
    hill = 500 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / width**2)
    frame = around(*MIDDLE, 12)
    tones = Ground(dem=dem(tmp_path, hill, crs, (left, bottom, right, top))).tones(frame).astype(int)
    row, column = pixel_at(frame, *MIDDLE)
    away = 20
    north_west, south_east = tones[row - away, column - away], tones[row + away, column + away]
    assert north_west > tones[row, column] > south_east
    assert south_east < tones[row, column] - 5


def test_where_heights_are_unknown_nothing_is_shaded(tmp_path):
    heights = hills(400)
    heights[:, :200] = np.nan
    relief = Relief(dem(tmp_path, heights))
    for z in (9, 12):
        frame = Frame(z, 1, *(TILE * part for part in tile_at(*MIDDLE, z)), TILE, TILE)
        shade = relief.shade(frame)
        assert np.isfinite(shade).all()
        _, column = pixel_at(frame, (WEST + EAST) / 2, MIDDLE[1])
        if column > 8:
            assert (shade[:, : column - 8] == 0).all()
        assert shade[:, column + 12 :].any()
    assert relief.shade(Frame.of_tile(9, *tile_at(100.0, 30.0, 9))) is None
    assert relief.shade(Frame.of_tile(12, 0, 0)) is None


def test_no_tile_reads_more_of_a_large_raster_than_it_shows(tmp_path):
    relief = Relief(dem(tmp_path, hills(4200)))
    read = []
    cells = relief._cells
    relief._cells = lambda window, factor: (
        read.append(window.width * window.height * factor**2) or cells(window, factor)
    )  # type: ignore[method-assign]
    for z in (6, 8, 9):
        relief.shade(Frame.of_tile(z, *tile_at(*MIDDLE, z)))
    assert len(read) == 1  # once, for every tile from afar
    del read[:]
    for z in (10, 11, 12, 14, 16):
        relief.shade(Frame.of_tile(z, *tile_at(*MIDDLE, z)))
    assert all(count < 4200**2 / 8 for count in read)


def test_a_raster_that_cannot_be_read_any_more_leaves_a_map_without_relief(tmp_path):
    path = dem(tmp_path, hills(1500))
    drawn = Ground(dem=path)
    path.write_bytes(path.read_bytes()[:20_000] + bytes(path.stat().st_size - 20_000))
    frame = Frame.of_tile(13, *tile_at(108.45, 11.45, 13))
    assert (drawn.tones(frame) == Ground().tones(frame)).all()
