"""Maps of declared coverage: polygons and rasters that operators hand in. All samples but the marked ones are synthetic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio import Affine

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.declared import read_declared

SQUARE = shapely.box(108.4, 11.9, 108.5, 12.0)
EAST = shapely.box(108.45, 11.9, 108.55, 12.0)
TM3 = "EPSG:5899"


def layer(folder: Path, shapes: list, crs: str = "EPSG:4326", **columns) -> Path:
    path = folder / "synthetic.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def raster(folder: Path, band: np.ndarray, crs: str | None = "EPSG:4326", nodata=None, **given) -> Path:
    """Pixels of 0.01 degrees from 108.4 E, 12.0 N downwards (in a projection: of 1000 m from 500 km, 1300 km)."""
    path = folder / "synthetic.tif"
    metres = crs is not None and not rasterio.crs.CRS.from_string(crs).is_geographic
    at = (1000, 0, 500_000, 0, -1000, 1_300_000) if metres else (0.01, 0, 108.4, 0, -0.01, 12.0)
    height, width = band.shape[-2:]
    about = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1 if band.ndim == 2 else len(band),
        "dtype": band.dtype.name,
        "crs": crs,
        "nodata": nodata,
        "transform": Affine(*at),
    }
    with rasterio.open(path, "w", **(about | given)) as target:
        target.write(band, 1) if band.ndim == 2 else target.write(band)
    return path


def area_km2(declared: gpd.GeoDataFrame) -> float:
    return declared.to_crs("+proj=laea +lat_0=12 +lon_0=108 +units=m").area.sum() / 1e6


def area_deg2(declared: gpd.GeoDataFrame) -> float:
    return float(shapely.area(declared.geometry.to_numpy()).sum())


def test_a_layer_in_vietnamese_keeps_its_words(tmp_path: Path) -> None:
    columns = {
        "Nhà mạng": ["Viettel", "MobiFone"],
        "Công nghệ": ["4G/5G", None],
        "Ngày bản đồ": ["31/03/2026", "quý II/2026"],
    }
    declared = read_declared(layer(tmp_path, [SQUARE, EAST], **columns))
    rows = tables.check_frame(tables.DECLARED, declared).astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        ["MobiFone", None, date(2026, 6, 30), "synthetic.gpkg"],
        ["Viettel", "4G/5G", date(2026, 3, 31), "synthetic.gpkg"],
    ]
    assert declared.crs == "EPSG:4326"
    assert declared.geometry.iloc[1].equals(SQUARE)


def test_the_options_stand_in_where_the_file_says_nothing_and_nowhere_else(tmp_path: Path) -> None:
    path = layer(tmp_path, [SQUARE, EAST], operator=["VinaPhone", None], date=["2026-01-31", None])
    declared = read_declared(path, "Viettel", "4G", date(2026, 6, 30))
    assert declared["operator"].tolist() == ["Viettel", "VinaPhone"]
    assert declared["technology"].tolist() == ["4G", "4G"]
    assert declared["as_of"].tolist() == [date(2026, 6, 30), date(2026, 1, 31)]


def test_a_date_column_of_the_layer_is_a_day(tmp_path: Path) -> None:
    path = layer(tmp_path, [SQUARE], operator=["Viettel"], date=np.array(["2026-03-31"], "datetime64[ms]"))
    assert read_declared(path)["as_of"].tolist() == [date(2026, 3, 31)]


def test_an_area_that_belongs_to_nobody_is_refused_with_its_row(tmp_path: Path) -> None:
    path = layer(tmp_path, [SQUARE, EAST], operator=["Viettel", " "])
    with pytest.raises(PlacesRefused, match=r"data row 2: nobody knows whose it is.*--operator"):
        read_declared(path)


def test_another_projection_and_a_ring_that_crosses_itself(tmp_path: Path) -> None:
    bow = shapely.Polygon([(108.4, 11.9), (108.5, 12.0), (108.5, 11.9), (108.4, 12.0)])
    projected = gpd.GeoSeries([bow], crs="EPSG:4326").to_crs(TM3).to_list()
    declared = read_declared(layer(tmp_path, projected, crs=TM3, operator=["Viettel"]))
    assert declared.geometry.is_valid.all()
    assert area_km2(declared) == pytest.approx(
        area_km2(gpd.GeoDataFrame(geometry=[SQUARE], crs=4326)) / 2, rel=1e-4
    )


def test_areas_that_are_said_to_have_no_service_are_no_claim(tmp_path: Path) -> None:
    path = layer(tmp_path, [SQUARE, EAST], operator=["Viettel"] * 2, Phủ_sóng=["không", "có"])
    assert read_declared(path).geometry.tolist() == [EAST]
    with pytest.raises(PlacesRefused, match="declares service nowhere"):
        read_declared(layer(tmp_path, [SQUARE], operator=["Viettel"], covered=["no"]))


@pytest.mark.parametrize("shape", [shapely.Point(108.4, 11.9), shapely.LineString([(108, 11), (109, 12)])])
def test_what_has_no_area_is_refused(tmp_path: Path, shape: shapely.Geometry) -> None:
    with pytest.raises(PlacesRefused, match="feature 1: needs a polygon"):
        read_declared(layer(tmp_path, [shape], operator=["Viettel"]))


MASK = np.array([[1, 1, 0], [0, 1, 0]], np.uint8)
PIXELS = [(0, 0), (0, 1), (1, 1)]


def pixel(row: int, column: int) -> shapely.Geometry:
    west, north = 108.4 + 0.01 * column, 12.0 - 0.01 * row
    return shapely.box(west, north - 0.01, west + 0.01, north)


@pytest.mark.parametrize("name", ["uint8", "int16", "float32"])
def test_a_mask_declares_its_ones(tmp_path: Path, name: str) -> None:
    declared = read_declared(raster(tmp_path, MASK.astype(name)), "Viettel", "LTE", date(2026, 6, 30))
    tables.check_frame(tables.DECLARED, declared)
    assert declared[["operator", "technology", "source"]].to_numpy().tolist() == [
        ["Viettel", "LTE", "synthetic.tif"]
    ]
    expected = shapely.union_all([pixel(*at) for at in PIXELS])
    assert declared.geometry.is_valid.all()
    assert declared.geometry[0].symmetric_difference(expected).area < 1e-12


def test_pixels_that_meet_in_a_corner_only_make_a_valid_area(tmp_path: Path) -> None:
    declared = read_declared(raster(tmp_path, np.eye(3, dtype=np.uint8)), "Viettel")
    assert declared.geometry.is_valid.all()
    assert area_deg2(declared) == pytest.approx(3e-4)


@pytest.mark.parametrize(("weakest_dbm", "count"), [(-104.9, 1), (-105.0, 2), (-105.1, 2), (-115.0, 3)])
def test_levels_count_from_the_threshold_on(tmp_path: Path, weakest_dbm: float, count: int) -> None:
    levels = np.array([[-90, -105, -115, -115.1, np.nan, -9999]], np.float32)
    declared = read_declared(raster(tmp_path, levels, nodata=-9999), "Viettel", weakest_dbm=weakest_dbm)
    assert area_deg2(declared) == pytest.approx(count * 1e-4)


def test_nodata_that_looks_like_service_is_none(tmp_path: Path) -> None:
    declared = read_declared(raster(tmp_path, np.array([[1, 255]], np.uint8), nodata=255), "Viettel")
    assert area_deg2(declared) == pytest.approx(1e-4)


def test_a_raster_in_metres_keeps_its_area_also_along_long_edges(tmp_path: Path) -> None:
    declared = read_declared(raster(tmp_path, np.ones((100, 100), np.uint8), crs="EPSG:32648"), "Viettel")
    # UTM shrinks lengths by 0.9996 on its central meridian, which is the raster's western edge.
    assert area_km2(declared) == pytest.approx(10_000 / 0.9996**2, rel=3e-4)
    back = declared.to_crs("EPSG:32648").geometry[0]
    assert (
        back.symmetric_difference(shapely.box(500_000, 1_200_000, 600_000, 1_300_000)).area
        < 100_000 * 4 * 0.05
    )


@pytest.mark.parametrize(
    ("band", "given", "options", "says"),
    [
        (MASK, {}, {}, "nobody knows whose it is"),
        (np.array([[0, 2]], np.uint8), {}, {"operator": "V"}, r"values 0…2 are no mask.*--weakest-dbm"),
        (np.array([[-90.0, -120.0]]), {}, {"operator": "V"}, r"values -120…-90 are no mask"),
        (MASK, {}, {"operator": "V", "weakest_dbm": -105}, r"values 0…1 are no levels"),
        (np.array([[-90.0, 0.0]]), {}, {"operator": "V", "weakest_dbm": -105}, "write the nodata value"),
        (np.array([[-120.0]]), {}, {"operator": "V", "weakest_dbm": -105}, "declares service nowhere"),
        (np.zeros((2, 2), np.uint8), {}, {"operator": "V"}, "declares service nowhere"),
        (np.full((2, 2), np.nan), {}, {"operator": "V"}, "declares service nowhere"),
        (np.ones((2, 2, 2), np.uint8), {}, {"operator": "V"}, "has 2 bands"),
        (MASK, {"crs": None}, {"operator": "V"}, "names no coordinate system"),
    ],
)  # fmt: skip
def test_a_raster_that_is_neither_mask_nor_levels_is_refused(
    tmp_path: Path, band: np.ndarray, given: dict, options: dict, says: str
) -> None:
    with pytest.raises(PlacesRefused, match=says) as refusal:
        read_declared(raster(tmp_path, band, **given), **options)
    assert refusal.value.vi.startswith("synthetic.tif")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_that_lies_nowhere_is_refused(tmp_path: Path) -> None:
    path = raster(tmp_path, MASK, transform=None)
    with pytest.raises(PlacesRefused, match="says not where on earth"):
        read_declared(path, "Viettel")


def test_a_torn_raster_is_refused(tmp_path: Path) -> None:
    path = raster(tmp_path, np.ones((400, 400), np.uint8))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(PlacesRefused, match="cannot be read as a GeoTIFF"):
        read_declared(path, "Viettel")


@pytest.mark.realdata
def test_real_rasters_go_through_or_are_refused(real_data: Path) -> None:
    targets = real_data / "power" / "targets.tif"
    with rasterio.open(targets) as file:
        band = file.read(1, masked=True)
        pixel_km2 = abs(file.transform.a * file.transform.e) / 1e6
        projected = file.crs.is_projected
    declared = read_declared(targets, "Viettel")
    assert declared.geometry.is_valid.all()
    if projected:
        assert area_km2(declared) == pytest.approx(float((band == 1).sum()) * pixel_km2, rel=0.01)
    for name in ("pop.tif", "ntl.tif"):
        with pytest.raises(PlacesRefused, match="no mask of 0 and 1"):
            read_declared(real_data / "power" / name, "Viettel")
