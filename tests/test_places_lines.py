"""Power lines and transformers: kinds from the geometry, voltages as utilities and maps write them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.power.lines import read_lines

LINE = shapely.LineString([(108.0, 11.9), (108.1, 11.95)])
POINT = shapely.Point(108.05, 11.92)


def layer(folder: Path, rows: list[dict], crs: str = "EPSG:4326", suffix: str = "gpkg") -> Path:
    path = folder / f"lines.{suffix}"
    gpd.GeoDataFrame([{"geometry": LINE} | row for row in rows], geometry="geometry", crs=crs).to_file(path)
    return path


def voltages(folder: Path, header: str, *values: object) -> list[float | None]:
    found = read_lines(layer(folder, [{header: value} for value in values]))["voltage_kv"]
    return [None if np.isnan(value) else round(value, 6) for value in found]


def test_lines_and_points_in_another_projection(tmp_path: Path) -> None:
    rows = [
        {"Điện áp": "22kV", "Nguồn": "Điện lực"},
        {"Điện áp": None, "Nguồn": None, "geometry": shapely.MultiLineString([LINE])},
        {"Điện áp": "22/0,4 kV", "Nguồn": "Điện lực", "geometry": POINT},
    ]
    frame = gpd.GeoDataFrame([{"geometry": LINE} | row for row in rows], crs="EPSG:4326").to_crs("EPSG:9218")
    frame.to_file(tmp_path / "lines.gpkg")
    found = read_lines(tmp_path / "lines.gpkg")
    tables.check_frame(tables.LINES, found.drop(columns="geometry"))
    assert found.crs.to_epsg() == 4326
    assert found["kind"].tolist() == ["line", "line", "transformer"]
    assert found["voltage_kv"].tolist() == [22.0, pytest.approx(np.nan, nan_ok=True), 0.4]
    assert found["source"].tolist() == ["Điện lực", "lines.gpkg", "Điện lực"]
    assert found.geometry[2].distance(POINT) < 1e-6


@pytest.mark.parametrize(
    ("header", "values", "kv"),
    [
        ("voltage_kV", [22.0, None, 0.4, 110.0], [22.0, None, 0.4, 110.0]),
        ("voltage", ["22000;35000", "400", None, "110000"], [22.0, 0.4, None, 110.0]),
        ("voltage", [22, 35, 110, 35], [22.0, 35.0, 110.0, 35.0]),
        ("voltage", [22000, 400, 220, 1501], [22.0, 0.4, 0.22, 1.501]),
        ("voltage", [1500, 400], [1500.0, 400.0]),
        ("Điện áp", ["22kV", "0,4 kV", "22 KV", "35(22)/0.4kV"], [22.0, 0.4, 22.0, 0.4]),
        ("Cấp điện áp", ["22.000 V", "400V", "6.6 kV", "22kV/0,4kV"], [22.0, 0.4, 6.6, 0.4]),
        ("Điện áp (kV)", ["22", "22,0", "0.4", "22.000"], [22.0, 22.0, 0.4, 22.0]),
        ("Điện áp", ["mạch 1 - 110kV", "3 pha 22kV", "trung thế", "không rõ"], [110.0, 22.0, None, None]),
        ("Điện áp", ["cao thế", "Siêu cao áp", "hạ thế", "high"], [110.0, 110.0, None, 110.0]),
    ],
)
def test_voltages(tmp_path: Path, header: str, values: list, kv: list) -> None:
    assert voltages(tmp_path, header, *values) == kv


@pytest.mark.parametrize("value", ["22 MW", "3 pha", "1501 kV", "0 kV", "1.501.000 V"])
def test_what_is_no_voltage_is_refused_with_its_row(tmp_path: Path, value: str) -> None:
    with pytest.raises(PlacesRefused) as refusal:
        voltages(tmp_path, "Điện áp", "22kV", value)
    for text in ("row 2", value):
        assert text in refusal.value.en
    assert "dòng dữ liệu 2" in refusal.value.vi


@pytest.mark.parametrize("shape", [shapely.box(108, 11, 108.1, 11.1), None, shapely.LineString()])
def test_what_is_neither_line_nor_point_is_refused(tmp_path: Path, shape: shapely.Geometry | None) -> None:
    path = layer(tmp_path, [{"a": 1}, {"a": 2, "geometry": shape}])
    with pytest.raises(PlacesRefused) as refusal:
        read_lines(path)
    assert refusal.value.code == "lines_not_lines"
    assert "feature 2" in refusal.value.en
    assert "đối tượng 2" in refusal.value.vi


def test_coordinates_off_the_globe_are_refused(tmp_path: Path) -> None:
    path = layer(tmp_path, [{"a": 1}, {"a": 2, "geometry": shapely.Point(11.9, 108.0)}])
    with pytest.raises(PlacesRefused, match="feature 2"):
        read_lines(path)


def test_what_does_not_stand_is_left_out(tmp_path: Path) -> None:
    words = [
        "Existing",
        None,
        "Quy hoạch",
        "Dự kiến 2027",
        "Đang vận hành",
        "under construction",
        "abandoned",
    ]
    found = read_lines(layer(tmp_path, [{"status": word, "source": str(word)} for word in words]))
    assert found["source"].tolist() == ["Existing", "None", "Đang vận hành"]
    with pytest.raises(PlacesRefused, match="in service"):
        read_lines(layer(tmp_path, [{"Trạng thái": "Quy hoạch"}]))


def test_poles_and_towers_of_a_map_are_no_transformers(tmp_path: Path) -> None:
    rows = [{"power": word, "geometry": POINT} for word in ("tower", "pole", "transformer", "generator")]
    rows += [{"power": word} for word in ("line", "minor_line", "cable", "busbar", None)]
    found = read_lines(layer(tmp_path, rows))
    assert found["kind"].tolist() == ["transformer", *["line"] * 4]


@pytest.mark.realdata
def test_the_real_lines_of_burundi(real_data: Path) -> None:
    found = read_lines(real_data / "power/grid.geojson")
    tables.check_frame(tables.LINES, found.drop(columns="geometry"))
    assert len(found) == 86
    assert found["voltage_kv"].value_counts().to_dict() == {30.0: 71, 110.0: 8, 70.0: 4, 10.0: 3}
    assert set(found["kind"]) == {"line"}
    assert found["source"][0] == "Burundi Reseau Electrique National, REGIDISO"
    assert found.total_bounds == pytest.approx([29.02523, -4.34417, 30.55278, -2.58])
    with pytest.raises(PlacesRefused) as refusal:
        read_lines(real_data / "power/aoi.geojson")
    assert refusal.value.code == "lines_not_lines"
