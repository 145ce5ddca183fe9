"""Road layers as agencies and open maps draw them. All samples are synthetic."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from shapely import LineString, MultiLineString

from coverage import tables
from coverage.errors import PlacesRefused
from coverage.places.roads import read_roads

A = LineString([(108.40, 11.90), (108.41, 11.90)])
B = LineString([(108.41, 11.90), (108.42, 11.91)])
C = LineString([(108.60, 11.90), (108.61, 11.90)])


def layer(folder: Path, shapes: list, crs: str = "EPSG:4326", **columns) -> Path:
    path = folder / "synthetic.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def roads_of(path: Path) -> list[tuple]:
    roads, _ = read_roads(path)
    tables.check_frame(tables.ROADS, roads)
    assert roads.crs == "EPSG:4326"
    assert not roads["road_id"].duplicated().any()
    return list(zip(roads["road_id"], roads["road_name"], roads["kind"], strict=True))


def test_an_open_map_has_name_number_and_id_of_each_piece(tmp_path: Path) -> None:
    path = layer(
        tmp_path,
        [A, B, C, C],
        osm_id=["1", "2", "3", "4"],
        name=["Quốc lộ 20", "quốc lộ 20", None, "Đèo Gia Bắc"],
        ref=["QL.20", "QL.20", "QL.28", "QL.28"],
    )
    assert roads_of(path) == [
        ("3", "QL.28", "road"),
        ("4", "Đèo Gia Bắc", "pass"),
        ("quoclo20", "Quốc lộ 20", "road"),
    ]
    joined = read_roads(path)[0].geometry.iloc[2]
    assert joined.equals(LineString([*A.coords, *B.coords[1:]]))
    assert joined.geom_type == "LineString"


def test_an_id_stays_where_no_other_road_has_it(tmp_path: Path) -> None:
    columns = {"Mã đường": ["T1", "T1", "T2"], "Tên đường": ["Đường A", "Đường A", "Đường B"]}
    assert roads_of(layer(tmp_path, [A, B, C], **columns)) == [
        ("T1", "Đường A", "road"),
        ("T2", "Đường B", "road"),
    ]
    shared = {"id": ["T1", "T1"], "name": ["Đường A", "Đường B"]}
    assert [road[0] for road in roads_of(layer(tmp_path, [A, C], **shared))] == ["duonga", "duongb"]
    assert roads_of(layer(tmp_path, [A], id=["T9"], name=[None])) == [("T9", "T9", "road")]


def test_a_line_without_a_length_is_left_out_and_told(tmp_path: Path) -> None:
    path = layer(tmp_path, [A, LineString([(108.4, 11.9)] * 2), C], name=["Đường A", "Đường A", "Đường C"])
    assert [road[1] for road in roads_of(path)] == ["Đường A", "Đường C"]
    (note,) = read_roads(path)[1]
    assert (note.code, note.en) == ("road_without_length", "Left out 1 pieces without a length.")


def test_names_that_differ_in_a_tone_are_two_roads(tmp_path: Path) -> None:
    found = roads_of(layer(tmp_path, [A, C], name=["Đường Hòa Bình", "Đường Hoa Binh"]))
    assert [road[0] for road in found] == ["duonghoabinh", "duonghoabinh-2"]
    assert len({road[1] for road in found}) == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Đèo Bảo Lộc", "pass"),
        ("QL20 (đèo Bảo Lộc)", "pass"),
        ("QL20 qua đèo Bảo Lộc", "pass"),
        ("Deo Dai Ninh", "pass"),
        ("Prenn Pass", "pass"),
        ("Đường tránh Bypass", "road"),
        ("QL1-Đèo-Ngang", "pass"),
        ("Phố Vọng Deore", "road"),
    ],
)
def test_a_pass_has_the_word_in_its_name(tmp_path: Path, name: str, kind: str) -> None:
    assert [road[2] for road in roads_of(layer(tmp_path, [A], name=[name]))] == [kind]


def test_a_column_tells_which_pieces_are_a_pass(tmp_path: Path) -> None:
    columns = {"name": ["QL28", "QL28", "QL28"], "Đèo": ["có", "không", None]}
    found = roads_of(layer(tmp_path, [A, B, C], **columns))
    assert found == [("ql28", "QL28", "pass"), ("ql28-2", "QL28", "road")]
    named = roads_of(
        layer(tmp_path, [A, B, C], name=["QL28"] * 3, **{"Tên đèo": ["Gia Bắc", "đèo Đại Ninh", None]})
    )
    assert sorted(road[1:] for road in named) == [
        *[("QL28", "road"), ("Đèo Gia Bắc", "pass"), ("đèo Đại Ninh", "pass")]
    ]  # fmt: skip
    by_kind = roads_of(layer(tmp_path, [A, B], name=["X", "Y"], type=["mountain_pass", "primary"]))
    assert [road[2] for road in by_kind] == ["pass", "road"]


def test_ground_that_two_pieces_draw_counts_once(tmp_path: Path) -> None:
    longer = LineString([(108.40, 11.90), (108.43, 11.90)])
    roads, _ = read_roads(layer(tmp_path, [A, A, longer], name=["X"] * 3))
    assert roads.geometry[0].length == pytest.approx(longer.length)


def test_several_lines_heights_and_another_projection(tmp_path: Path) -> None:
    high = shapely.force_3d(MultiLineString([A, C]), 900.0)
    projected = gpd.GeoSeries([high], crs="EPSG:4326").to_crs("EPSG:5899").to_list()
    roads, _ = read_roads(layer(tmp_path, projected, crs="EPSG:5899", name=["X"]))
    assert not roads.geometry.has_z.any()
    assert roads.geometry[0].hausdorff_distance(MultiLineString([A, C])) < 1e-6


def test_pieces_without_a_name_are_left_out_and_counted(tmp_path: Path) -> None:
    path = layer(tmp_path, [A, B, C], name=["X", None, " "])
    assert roads_of(path) == [("x", "X", "road")]
    (note,) = read_roads(path)[1]
    assert (note.code, note.en) == ("road_without_name", "Left out 2 pieces without a name.")


@pytest.mark.parametrize(
    ("shape", "columns", "says"),
    [
        (shapely.Point(108.4, 11.9), {"name": ["X"]}, "feature 1: needs a line with a length, but is Point"),
        (A.buffer(0.01), {"name": ["X"]}, "feature 1: needs a line with a length, but is Polygon"),
        (LineString([(108.4, 11.9)] * 2), {"name": ["X"]}, "needs a line with a length"),
        (LineString([(11.9, 108.4), (11.9, 108.5)]), {"name": ["X"]}, "off the globe"),
        (A, {"note": ["X"]}, "column road_name is missing .*Tên đường"),
        (A, {"name": [""]}, "no road has a name"),
    ],
)
def test_what_is_no_road_is_refused(
    tmp_path: Path, shape: shapely.Geometry, columns: dict, says: str
) -> None:
    with pytest.raises(PlacesRefused, match=says) as refusal:
        read_roads(layer(tmp_path, [shape], **columns))
    assert refusal.value.vi.startswith("synthetic.gpkg")
