"""Rasters: what goes through, what is refused and why, and that no person is lost or made on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage import hexes
from coverage.errors import PlacesRefused
from coverage.places import rasters

DEG = 1 / 1200  # 3 arc-seconds
CORNER = (108.0, 12.0)
RNG = np.random.default_rng(7)
PEOPLE = np.round(RNG.pareto(1.0, (60, 80)).clip(0, 200), 1) * (RNG.random((60, 80)) < 0.2)
HILLS = 900 + 300 * np.sin(np.arange(80) / 15)[None, :] + 200 * np.cos(np.arange(60) / 12)[:, None]


def raster_file(path: Path, values: Any, **profile: Any) -> Path:
    bands = np.atleast_3d(np.asarray(values).T).T
    grid = rasterio.Affine(DEG, 0, CORNER[0], 0, -DEG, CORNER[1])
    given = {"crs": "EPSG:4326", "transform": grid, "dtype": bands.dtype.name} | profile
    colours, bands = given.pop("colours", None), bands.astype(given["dtype"])
    size = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    with rasterio.open(path, "w", driver="GTiff", **size, **given) as file:
        file.write(bands)
        if colours:
            file.write_colormap(1, colours)
    return path


def cleaned(folder: Path, values: Any, kind: str = "population", area: Any = None, **profile: Any) -> Path:
    source = raster_file(folder / "source.tif", values, **profile)
    rasters.clean(source, folder / "clean.tif", kind, area)
    return folder / "clean.tif"


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


def refused(folder: Path, values: Any, kind: str = "population", area: Any = None, **profile: Any) -> str:
    with pytest.raises(PlacesRefused) as refusal:
        cleaned(folder, values, kind, area, **profile)
    assert "source.tif" in refusal.value.vi
    assert "source.tif" in refusal.value.en
    assert not (folder / "clean.tif").exists()
    return refusal.value.code


def boxes(*bounds: tuple[float, float, float, float]) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.box(*each) for each in bounds], crs="EPSG:4326")


# What a file is cleaned to


def test_the_copy_is_one_float_band_in_tiles_on_the_same_grid(tmp_path: Path) -> None:
    with rasterio.open(cleaned(tmp_path, PEOPLE.astype("float64"), crs="EPSG:4326")) as file:
        assert (file.count, file.dtypes[0], file.profile["compress"], file.profile["tiled"]) == (
            1,
            "float32",
            "deflate",
            True,
        )
        assert np.isnan(file.nodata)
        assert file.bounds == pytest.approx((108.0, 12.0 - 60 * DEG, 108.0 + 80 * DEG, 12.0))
        assert file.read(1) == pytest.approx(PEOPLE, rel=1e-6)


@pytest.mark.parametrize(
    ("declared", "mark"),
    [
        (-3.4028234663852886e38, -3.4028234663852886e38),
        (None, -99999.0),
        (0.0, np.nan),
        (-99999.0, -200.0),
        (-1.0, -3.4e38),
        (-9999.0, np.inf),
        (None, -np.inf),
        (np.nan, -9999.0),
        (-7.0, -7.0),
    ],
)
def test_what_means_nothing_is_no_data_whatever_the_file_declares(
    tmp_path: Path, declared: float | None, mark: float
) -> None:
    values = PEOPLE.astype("float32") + np.float32(0.5)
    values[10:20, 30:40] = mark
    found = read(cleaned(tmp_path, values, nodata=declared))
    assert np.isnan(found[10:20, 30:40]).all()
    assert np.isfinite(found).sum() == found.size - 100


def test_marks_beside_the_declared_nodata_are_told(tmp_path: Path) -> None:
    values = PEOPLE.astype("float32")
    values[0, :3] = [np.nan, -200.0, -99999.0]
    source = raster_file(tmp_path / "pop.tif", values, nodata=-99999.0)
    notes = {note.code: note for note in rasters.clean(source, tmp_path / "c.tif", "population", None)}
    assert "2 cells" in notes["raster_marks"].en
    assert "2 ô" in notes["raster_marks"].vi


def test_a_height_of_two_hundred_metres_below_the_sea_is_a_height(tmp_path: Path) -> None:
    values = (HILLS - 900).astype("int16")
    values[5, 5] = -200
    assert read(cleaned(tmp_path, values, "dem"))[5, 5] == -200


def test_scale_and_offset_of_the_band_are_applied(tmp_path: Path) -> None:
    source = raster_file(tmp_path / "ntl.tif", np.arange(1, 101, dtype="uint16").reshape(10, 10))
    with rasterio.open(source, "r+") as file:
        file.scales, file.offsets = (0.1,), (0.05,)
    rasters.clean(source, tmp_path / "clean.tif", "nightlights", None)
    assert read(tmp_path / "clean.tif")[0, :2] == pytest.approx([0.15, 0.25])


def test_noise_below_zero_is_dark_and_told(tmp_path: Path) -> None:
    values = np.full((10, 10), 0.4, "float32")
    values[0, 0] = -0.06
    source = raster_file(tmp_path / "ntl.tif", values)
    codes = [note.code for note in rasters.clean(source, tmp_path / "c.tif", "nightlights", None)]
    assert codes == ["nightlights_range", "nightlights_noise"]
    assert read(tmp_path / "c.tif")[0, :2].tolist() == [0.0, pytest.approx(0.4)]


def test_a_raster_that_is_south_up_is_turned(tmp_path: Path) -> None:
    values = np.zeros((1100, 40), "float32")  # more than two blocks
    values[:3] = 7.0  # the southern rows
    grid = rasterio.Affine(DEG, 0, 108.0, 0, DEG, 11.0)
    path = cleaned(tmp_path, values, transform=grid)
    north = 11.0 + 1100 * DEG
    people = rasters.sums(path, boxes((108, 11, 109, 11 + 3 * DEG), (108, north - 3 * DEG, 109, north)))
    assert people.tolist() == [pytest.approx(7 * 3 * 40), 0.0]
    assert rasters.heights(path, np.array([11 + DEG]), np.array([108.01])) == pytest.approx(7.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64", "float64"])
def test_whole_numbers_of_any_type_are_summed(tmp_path: Path, dtype: str) -> None:
    values = (PEOPLE.clip(0, 200)).astype(dtype)
    path = cleaned(tmp_path, values)
    assert rasters.sums(path, boxes((107, 11, 109, 13)))[0] == pytest.approx(values.sum(dtype=float))
    assert rasters.total(path) == pytest.approx(values.sum(dtype=float))


def test_a_world_grid_that_runs_over_the_edges_of_the_map_is_read(tmp_path: Path) -> None:
    values = np.full((182, 362), 3.0, "float32")
    values[::7] = 0.0
    grid = rasterio.Affine(1.0, 0, -180.5, 0, -1.0, 90.5)
    path = cleaned(tmp_path, values, transform=grid, area=(107.0, 10.5, 109.0, 12.9))
    assert rasters.total(path) == pytest.approx(values.sum(dtype=float))
    inside = rasters.sums(path, boxes((107.5, 10.5, 109.5, 11.5), (179.5, 0.5, 180.5, 1.5)))
    assert inside == pytest.approx([6.0, 3.0])


# What is refused


FORMS: list[tuple[str, Callable[[], tuple[Any, dict[str, Any]]]]] = [
    ("raster_without_crs", lambda: (PEOPLE, {"crs": None})),
    ("raster_crs_unknown", lambda: (PEOPLE, {"crs": 'LOCAL_CS["here",UNIT["metre",1]]'})),
    ("raster_bands", lambda: (np.stack([PEOPLE, PEOPLE]), {})),
    (
        "raster_rotated",
        lambda: (PEOPLE, {"transform": rasterio.Affine(DEG, DEG / 9, 108, DEG / 9, -DEG, 12)}),
    ),
    ("raster_rotated", lambda: (PEOPLE, {"transform": rasterio.Affine(-DEG, 0, 109, 0, -DEG, 12)})),
    ("raster_complex", lambda: (PEOPLE.astype("complex64"), {})),
    ("raster_paletted", lambda: (PEOPLE.astype("uint8"), {"colours": {1: (255, 0, 0, 255)}})),
    ("raster_empty", lambda: (np.full((9, 9), -9999.0), {"nodata": -9999.0})),
    ("raster_empty", lambda: (np.full((9, 9), np.nan), {})),
    ("raster_empty", lambda: (np.zeros((9, 9)), {})),
]


@pytest.mark.parametrize(("code", "given"), FORMS)
def test_a_file_that_is_no_placed_grid_of_numbers_is_refused(
    tmp_path: Path, code: str, given: Callable[[], tuple[Any, dict[str, Any]]]
) -> None:
    values, profile = given()
    assert refused(tmp_path, values, **profile) == code


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_file_without_a_position_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, PEOPLE, transform=rasterio.Affine.identity()) == "raster_without_position"


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("population", PEOPLE > 0, "raster_is_mask"),
        ("nightlights", (PEOPLE > 0).astype("float32"), "raster_is_mask"),
        ("dem", PEOPLE > 0, "raster_is_mask"),
        ("population", PEOPLE - 3.0, "population_negative"),
        ("population", HILLS, "population_is_heights"),
        ("population", PEOPLE * 116, "population_too_dense"),
        ("nightlights", (PEOPLE).astype("uint8"), "nightlights_not_radiance"),
        ("nightlights", HILLS, "nightlights_out_of_range"),
        ("nightlights", PEOPLE - 5.2, "nightlights_out_of_range"),
        ("dem", HILLS + 8000, "dem_not_heights"),
        ("dem", HILLS - 2000, "dem_not_heights"),
        ("dem", PEOPLE, "dem_not_heights"),
        ("declared", PEOPLE, "declared_not_levels"),
        ("declared", -PEOPLE - 19, "declared_not_levels"),
    ],
)
def test_numbers_that_cannot_be_what_they_are_given_as_are_refused(
    tmp_path: Path, kind: str, values: np.ndarray, code: str
) -> None:
    values = values.astype("uint8") if values.dtype == bool else values
    assert refused(tmp_path, values, kind) == code


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("population", PEOPLE),
        ("nightlights", PEOPLE / 10 - 0.05),
        ("nightlights", np.zeros((9, 9))),
        ("dem", HILLS),
        ("dem", np.zeros((9, 9))),
        ("declared", PEOPLE > 0),
        ("declared", -60 - PEOPLE.clip(0, 80)),
    ],
)
def test_what_can_be_goes_through(tmp_path: Path, kind: str, values: np.ndarray) -> None:
    values = values.astype("uint8") if values.dtype == bool else values
    assert cleaned(tmp_path, values, kind).exists()


def test_what_cannot_be_told_is_said_with_its_total(tmp_path: Path) -> None:
    # At 30 arc-seconds people per cell and people per km² look alike.
    values = PEOPLE * 4
    grid = rasterio.Affine(DEG * 10, 0, 108, 0, -DEG * 10, 12)
    source = raster_file(tmp_path / "pop.tif", values, transform=grid)
    (note,) = rasters.clean(source, tmp_path / "c.tif", "population", None)
    assert note.code == "population_total"
    assert f"{values.sum():,.0f} people" in note.en
    assert "look alike" in note.en
    assert "không phân biệt được" in note.vi


BOUNDS = (108.0, 12.0 - 60 * DEG, 108.0 + 80 * DEG, 12.0)


def test_a_raster_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, PEOPLE, area=(105.0, 20.0, 106.0, 21.0)) == "raster_elsewhere"
    assert (
        refused(tmp_path, PEOPLE, area=(BOUNDS[2] + 0.001, 11.0, BOUNDS[2] + 1, 13.0)) == "raster_elsewhere"
    )
    # Its frame reaches there, its data does not.
    half = PEOPLE.copy()
    half[:, 40:] = np.nan
    assert refused(tmp_path, half, area=(108.0 + 41 * DEG, 11.9, 109.0, 12.1)) == "raster_elsewhere"


def test_a_raster_that_covers_a_part_is_told(tmp_path: Path) -> None:
    source = raster_file(tmp_path / "pop.tif", PEOPLE)
    whole = rasters.clean(source, tmp_path / "c.tif", "population", (108.01, 11.97, 108.02, 11.98))
    part = rasters.clean(source, tmp_path / "c.tif", "population", (108.01, 11.97, 109.0, 11.98))
    assert [note.code for note in whole] == ["population_total"]
    assert [note.code for note in part] == ["raster_covers_part", "population_total"]


def test_what_is_no_raster_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a raster", b"II*\x00\x08\x00\x00\x00"):
        source = tmp_path / "source.tif"
        source.write_bytes(content)
        with pytest.raises(PlacesRefused) as refusal:
            rasters.clean(source, tmp_path / "clean.tif", "population", None)
        assert refusal.value.code == "raster_unreadable"


def test_a_refused_file_leaves_the_former_copy_alone_unless_it_was_begun(tmp_path: Path) -> None:
    former = cleaned(tmp_path, PEOPLE)
    source = tmp_path / "source.tif"
    source.write_bytes(b"not a raster")
    with pytest.raises(PlacesRefused):
        rasters.clean(source, former, "population", None)
    assert rasters.total(former) == pytest.approx(PEOPLE.sum())


def test_a_disk_that_does_not_take_the_copy_is_no_fault_of_the_file(tmp_path: Path) -> None:
    source = raster_file(tmp_path / "source.tif", PEOPLE)
    with pytest.raises(rasterio.errors.RasterioIOError):
        rasters.clean(source, tmp_path / "no such folder" / "clean.tif", "population", None)


def test_a_file_that_was_cut_off_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    noise = RNG.random((1200, 1200)).astype("float32")
    source = raster_file(tmp_path / "source.tif", noise, tiled=True, blockxsize=256, blockysize=256)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(PlacesRefused) as refusal:
        rasters.clean(source, tmp_path / "clean.tif", "nightlights", None)
    assert refusal.value.code == "raster_unreadable"
    assert not (tmp_path / "clean.tif").exists()


# Asking a cleaned raster


def test_a_cell_counts_by_its_exact_share(tmp_path: Path) -> None:
    values = np.zeros((10, 10))
    values[4, 4], values[4, 5] = 100.0, 40.0
    path = cleaned(tmp_path, values)
    west, north = 108 + 4 * DEG, 12 - 4 * DEG
    shapes = boxes(
        (west, north - DEG, west + DEG / 4, north),
        (west, north - DEG / 2, west + 1.5 * DEG, north),
        (west - DEG, north - DEG, west + 2 * DEG, north),
    )
    assert rasters.sums(path, shapes) == pytest.approx([25.0, 60.0, 140.0], rel=1e-6)
    assert rasters.means(path, shapes) == pytest.approx([100.0, 80.0, 140 / 3], rel=1e-6)


def test_shapes_of_several_parts_count_by_their_area(tmp_path: Path) -> None:
    path = cleaned(tmp_path, np.where(np.arange(100).reshape(10, 10) % 2, 3.5, 2.0))
    one = shapely.box(108 + DEG, 12 - 2 * DEG, 108 + 3 * DEG, 12 - DEG)
    two = shapely.box(108 + 5 * DEG, 12 - 6 * DEG, 108 + 6 * DEG, 12 - 4 * DEG)
    line = shapely.LineString([(108, 12), (108.005, 11.995)])
    shapes = gpd.GeoSeries(
        [
            one,
            shapely.MultiPolygon([one, two]),
            shapely.GeometryCollection([one, line, shapely.Point(108, 12), two]),
            shapely.GeometryCollection([line]),
            line,
        ],
        crs="EPSG:4326",
    )
    assert rasters.sums(path, shapes) == pytest.approx([5.5, 12.5, 12.5, np.nan, np.nan], nan_ok=True)
    assert shapes.geom_type[2] == "GeometryCollection"


def test_where_there_is_no_data_nothing_is_said(tmp_path: Path) -> None:
    values = np.full((10, 10), 2.5)
    values[:, 5:] = np.nan
    path = cleaned(tmp_path, values, "nightlights")
    middle, east = 108 + 5 * DEG, 108 + 10 * DEG
    shapes = gpd.GeoSeries(
        [
            shapely.box(middle, 11.99, east, 12.0),  # all unknown
            shapely.box(108, 11.995, east, 12.0),  # half known
            shapely.box(108 + DEG, 11.995, east, 12.0),  # less than half
            shapely.box(50, 11.0, 51, 12.0),  # elsewhere
            None,
            shapely.Point(108.001, 11.999),
            shapely.Polygon(),
            shapely.box(200, 89, 210, 95),  # off the globe
        ],
        crs="EPSG:4326",
    )
    sums, means = rasters.sums(path, shapes), rasters.means(path, shapes)
    assert np.isnan(sums).tolist() == [True, False, False, True, True, True, True, True]
    assert np.isnan(means).tolist() == [True, False, True, True, True, True, True, True]
    assert means[1] == pytest.approx(2.5)


def test_order_and_index_of_the_shapes_are_kept(tmp_path: Path) -> None:
    path = cleaned(tmp_path, PEOPLE)
    cells = hexes.polygons(hexes.overlapping(shapely.box(*BOUNDS), 9))
    shapes = gpd.GeoSeries(cells, crs="EPSG:4326", index=np.arange(len(cells))[::-1] * 7)
    there = rasters.sums(path, shapes)
    back = rasters.sums(path, shapes.iloc[::-1])
    assert len(set(there)) > 10
    assert there == pytest.approx(back[::-1])
    one_by_one = [rasters.sums(path, shapes.iloc[[row]])[0] for row in range(0, len(cells), 25)]
    assert there[::25] == pytest.approx(one_by_one)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["EPSG:4326", "EPSG:32648", "EPSG:9218", "ESRI:54009"]))
def test_the_people_of_a_tiling_are_the_people_of_the_raster(
    tmp_path_factory: pytest.TempPathFactory, seed: int, crs: str
) -> None:
    rng = np.random.default_rng(seed)
    middle = gpd.GeoSeries([shapely.Point(108.2, 11.9)], crs="EPSG:4326").to_crs(crs)[0]
    cell = 0.002 if crs == "EPSG:4326" else 217.0
    grid = rasterio.Affine(cell, 0, middle.x, 0, -cell, middle.y)
    values = rng.pareto(1.2, (25, 31)).clip(0, 300)
    values[rng.random(values.shape) < 0.3] = np.nan
    path = cleaned(tmp_path_factory.mktemp("tiling"), values, crs=crs, transform=grid)
    with rasterio.open(path) as file:
        extent = gpd.GeoSeries([shapely.box(*file.bounds)], crs=file.crs.to_wkt()).to_crs("EPSG:4326")[0]
    cells = hexes.overlapping(shapely.buffer(extent, 0.005), 8)
    people = rasters.sums(path, gpd.GeoSeries(hexes.polygons(cells), crs="EPSG:4326"))
    assert np.nansum(people) == pytest.approx(np.nansum(values), rel=1e-6)


def test_settled_hexes_reach_the_density_and_no_others(tmp_path: Path) -> None:
    area = shapely.box(108.0, 11.955, 108.06, 11.995)
    path = cleaned(tmp_path, PEOPLE)
    cells = hexes.overlapping(area, 9)
    outlines = gpd.GeoSeries(hexes.polygons(cells), crs="EPSG:4326")
    people = rasters.sums(path, outlines)
    km2 = outlines.to_crs("+proj=laea +lat_0=12 +lon_0=108 +datum=WGS84").area.to_numpy() / 1e6
    found = rasters.settled_hexes(path, area, 9, 50.0)
    expected = {cell for cell, per_km2 in zip(cells, people / km2, strict=True) if per_km2 >= 50}
    assert set(found["hex"]) == expected
    assert 0 < len(found) < len(cells)
    assert found["population"].sum() == pytest.approx(np.nansum(people[np.isin(cells, found["hex"])]))
    one = int(found["hex"].iloc[0])
    density = (people / km2)[cells.index(one)]
    assert one in set(rasters.settled_hexes(path, area, 9, density * (1 - 1e-7))["hex"])
    assert one not in set(rasters.settled_hexes(path, area, 9, density * (1 + 1e-7))["hex"])


def test_heights_are_bilinear_and_nothing_outside(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:1100, 0:700]  # several tiles
    path = cleaned(tmp_path, (0.5 * rows + 0.25 * columns + 10).astype("float32"), "dem")
    row, column = RNG.uniform(0, 1099, 500), RNG.uniform(0, 699, 500)
    lat, lon = 12 - (row + 0.5) * DEG, 108 + (column + 0.5) * DEG
    assert rasters.heights(path, lat, lon) == pytest.approx(0.5 * row + 0.25 * column + 10, abs=1e-3)
    edge = rasters.heights(path, np.array([12.0, 12.0001, 11.5]), np.array([108.0, 108.0, 107.9999]))
    assert edge[0] == pytest.approx(10.0)
    assert np.isnan(edge[1:]).all()


def test_a_height_needs_all_the_cells_that_take_part(tmp_path: Path) -> None:
    values = np.full((4, 4), 100.0)
    values[1, 2] = np.nan
    path = cleaned(tmp_path, values, "dem")
    lat, lon = np.full(3, 12 - 1.5 * DEG), 108 + np.array([1.5, 1.6, 3.5]) * DEG
    assert rasters.heights(path, lat, lon).tolist() == [100.0, pytest.approx(np.nan, nan_ok=True), 100.0]


# Real files


REAL = {
    "power/ntl.tif": ("population_negative", None, None, "declared_not_levels"),
    "power/pop.tif": (None, "nightlights_out_of_range", "dem_not_heights", "declared_not_levels"),
    "power/targets.tif": ("raster_is_mask", "raster_is_mask", "raster_is_mask", None),
    "rasters/osmnx_elevation1.tif": (
        "population_is_heights",
        "nightlights_not_radiance",
        None,
        "declared_not_levels",
    ),
    "rasters/pysheds_dem.tif": (
        "population_is_heights",
        "nightlights_not_radiance",
        None,
        "declared_not_levels",
    ),
    "rasters/rio-tiler_cog_int16.tif": (
        "population_is_heights",
        "nightlights_not_radiance",
        None,
        "declared_not_levels",
    ),
    "rasters/rio-tiler_cog_nodata_nan.tif": (None, None, None, "declared_not_levels"),
}
KINDS = ("population", "nightlights", "dem", "declared")


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_each_real_file_given_as_each_kind(name: str, real_data: Path, tmp_path: Path) -> None:
    found = []
    for kind in KINDS:
        try:
            rasters.clean(real_data / name, tmp_path / "clean.tif", kind, None)
            found.append(None)
        except PlacesRefused as refusal:
            found.append(refusal.code)
    assert tuple(found) == REAL[name]


def real_total(path: Path) -> float:
    # By hand: what neither the file's declared nodata nor NaN nor the end of the float range is.
    with rasterio.open(path) as file:
        values = file.read(1).astype(float)
        return float(values[np.isfinite(values) & (values > -1e30) & (values != file.nodata)].sum())


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "kind", "resolution"),
    [
        ("power/pop.tif", "population", 7),
        ("power/pop.tif", "population", 6),
        ("power/targets.tif", "declared", 6),
        ("power/ntl.tif", "dem", 7),  # as it stands, its negative values too
        ("rasters/rio-tiler_cog_nodata_nan.tif", "population", 7),
        ("rasters/rio-tiler_cog_int16.tif", "dem", 5),
        ("rasters/osmnx_elevation1.tif", "dem", 9),
        ("rasters/pysheds_dem.tif", "dem", 8),
    ],
)
def test_hexes_over_a_real_raster_hold_its_total(
    name: str, kind: str, resolution: int, real_data: Path, tmp_path: Path
) -> None:
    rasters.clean(real_data / name, tmp_path / "clean.tif", kind, None)
    with rasterio.open(tmp_path / "clean.tif") as file:
        frame = shapely.segmentize(shapely.box(*file.bounds), max(file.res) * 50)
        extent = gpd.GeoSeries([frame], crs=file.crs.to_wkt()).to_crs("EPSG:4326")[0]
    margin_deg = {5: 0.1, 6: 0.05, 7: 0.02, 8: 0.01, 9: 0.005}[resolution]
    cells = hexes.overlapping(shapely.buffer(extent, margin_deg), resolution)
    people = rasters.sums(tmp_path / "clean.tif", gpd.GeoSeries(hexes.polygons(cells), crs="EPSG:4326"))
    by_hand = real_total(real_data / name)
    assert rasters.total(tmp_path / "clean.tif") == pytest.approx(by_hand, rel=1e-6)
    assert np.nansum(people) == pytest.approx(by_hand, rel=1e-3)


@pytest.mark.realdata
def test_a_real_population_raster_as_a_density_is_refused(real_data: Path, tmp_path: Path) -> None:
    with rasterio.open(real_data / "power/pop.tif") as file:
        people, profile = file.read(1), file.profile
    density = np.where(people < 0, people, people.clip(0) * 16)  # cells of 0.0625 km²
    with rasterio.open(tmp_path / "density.tif", "w", **profile) as file:
        file.write(density, 1)
    with pytest.raises(PlacesRefused) as refusal:
        rasters.clean(tmp_path / "density.tif", tmp_path / "clean.tif", "population", None)
    assert refusal.value.code == "population_too_dense"
