"""Lists of villages as offices send them, and layers of points: read without editing, each doubtful row told."""

from __future__ import annotations

import random
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverage import intake_places, tables
from coverage.archive import layers
from coverage.archive.workspace import open_workspace
from coverage.errors import PlacesRefused
from coverage.places.communes.links import packaged_links
from coverage.places.communes.meaning import resolve
from coverage.places.coordinates.positions import coordinate, pair
from coverage.places.notes import at_rows
from coverage.places.power import grid_status, read_power
from coverage.places.villages import locate_in_communes, read_villages
from coverage.places.villages.lists import VillageFile

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def listed(folder: Path, *lines: str, name: str = "thon.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def read(path: Path, crs: str | None = None) -> VillageFile:
    """The villages, their tables held against the contracts."""
    found = read_villages(path, crs)
    tables.check_frame(tables.VILLAGES, found.villages)
    tables.check_frame(tables.POWER, found.power)
    assert found.villages["village_id"].is_unique
    assert found.villages.crs == "EPSG:4326"
    assert set(found.power["village_id"]) <= set(found.villages["village_id"])
    return found


def one(found: VillageFile, name: str) -> pd.Series:
    (row,) = (row for _, row in found.villages.iterrows() if row["village_name"] == name)
    return row


def told(found: VillageFile) -> list[tuple[int, str]]:
    return [(note.row, note.code) for note in found.notes]


def office_list(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"], sheet["A4"] = (
        "UBND TỈNH LÂM ĐỒNG",
        "SỞ KHOA HỌC VÀ CÔNG NGHỆ",
        "DANH SÁCH THÔN NĂM 2026",
    )
    sheet["J5"] = "Đơn vị tính: hộ, người"
    upper = [
        "TT",
        "Xã, phường",
        "Mã xã",
        "Tên thôn, buôn",
        "Số hộ",
        "Nhân khẩu",
        "Toạ độ nhà văn hoá",
        None,
        "ĐBKK",
    ]
    sheet.append([*upper, "Có điện lưới", "Hộ có điện lưới", None])
    sheet.append([None] * 6 + ["Vĩ độ", "Kinh độ", None, None, "Số hộ", "Tỷ lệ (%)"])
    rows = [
        [
            1,
            "Xã Đinh Văn Lâm Hà",
            "24871",
            "Thôn 1",
            "1.234",
            5120,
            "11,78123",
            "108,24321",
            None,
            "Có",
            1200,
            "97,2",
        ],
        [2, None, "24871", "Buôn Đạ Nhar", 85, 350, 11.79, 108.25, "x", "Có", "80", None],
        [],
        [3, "Xã Phong Phú", "22978", "Thôn 2", "nhiều", None, None, None, None, "Không", None, None],
        [4, "Phường 7", 24769, "Tổ dân phố 1", 100, 400, "108,43", "11,95", None, "có lẽ", None, "100"],
        [5, "Phường 7", 24769, "Tổ dân phố 1", 100, 400, "108,43", "11,95", None, "có lẽ", None, "100"],
        ["I", None, None, "Xã D’Ran"],
        [6, None, None, "Thôn Hoà Bình", 50, 200, "11°50'24\"", "108°34'12\"", None, "x", 50, None],
        [7, None, None, "thôn Hòa Bình", 51, 201, None, "108,5", None, None, 60, None],
        [8, "Xã Đạ Long", "99999", None, 5, 5],
        [None, None, None, "Tổng cộng", 1525, 6072],
        [],
        [None, "Người lập biểu", None, None, None, None, None, None, "TM. UBND"],
        [None, "Nguyễn Văn A", None, None, None, None, None, None, "Trần Văn B"],
    ]
    for row in rows:
        sheet.append(row)
    for cells in (
        "A1:D1",
        "A2:D2",
        "A4:L4",
        "G6:H6",
        "K6:L6",
        *(f"{column}6:{column}7" for column in "ABCDEFIJ"),
    ):
        sheet.merge_cells(cells)
    book.save(folder / "thon.xlsx")
    return folder / "thon.xlsx"


def test_the_list_of_an_office_is_read_without_editing_and_each_doubtful_row_is_told(tmp_path: Path) -> None:
    found = read(office_list(tmp_path))
    assert sorted(found.villages["village_name"]) == [
        *("Buôn Đạ Nhar", "Thôn 1", "Thôn 2", "Thôn Hoà Bình", "Tổ dân phố 1", "thôn Hòa Bình")
    ]
    first = one(found, "Thôn 1")
    assert first[["households", "population", "centre_lat", "centre_lon"]].tolist() == [
        *(1234.0, 5120.0, 11.78123, 108.24321)
    ]
    assert first.geometry == shapely.Point(108.24321, 11.78123)
    assert one(found, "Buôn Đạ Nhar")["especially_difficult"] is True
    hoa_binh = one(found, "Thôn Hoà Bình")
    assert hoa_binh["commune_name"] == "Xã D’Ran"
    assert (hoa_binh["centre_lat"], hoa_binh["centre_lon"]) == pytest.approx((11.84, 108.57))
    assert one(found, "Thôn 2").isna()["geometry"]
    assert told(found) == [
        *((0, "ids_made"), (11, "coordinates_missing"), (11, "unreadable"), (12, "coordinates_swapped")),
        *((12, "unreadable"), (13, "row_repeated"), (14, "commune_heading"), (16, "coordinates_half")),
        *((16, "village_repeated"), (16, "power_too_many"), (17, "row_without_village"), (18, "row_sum")),
        *((20, "row_signature"), (21, "row_signature")),
    ]
    reasons = {note.code: note for note in found.notes}
    assert reasons["row_repeated"].vi == "thon.xlsx, dòng 13: lặp lại nguyên văn dòng 12, bỏ qua."
    assert "cột Có điện lưới: không hiểu “có lẽ”" in reasons["unreadable"].vi


def test_the_old_codes_of_the_list_become_present_ones_or_are_told_with_their_rows(tmp_path: Path) -> None:
    found = read(office_list(tmp_path))
    villages, notes = resolve(found.villages, packaged_links())
    resolved = villages.set_index("village_name")
    assert resolved.loc["Tổ dân phố 1", ["commune_code", "commune_code_given"]].tolist() == ["24846", "24769"]
    assert resolved.loc["Thôn 1", "commune_code"] == "24871"
    assert pd.isna(resolved.loc["Thôn 1", "commune_code_given"])
    assert pd.isna(resolved.loc["Thôn 2", "commune_code"])
    assert resolved.loc["Thôn 2", "commune_code_given"] == "22978"
    by_row = {(note.row, note.code) for note in at_rows(notes, found.rows)}
    assert {(11, "commune_open"), (12, "old_commune")} <= by_row


def test_power_of_the_list_is_its_own_words(tmp_path: Path) -> None:
    found = read(office_list(tmp_path))
    power = found.power.merge(found.villages[["village_id", "village_name"]]).set_index("village_name")
    status = power["grid_status"].to_dict()
    assert status == {
        "Thôn 1": None,  # households are counted, so the count decides
        "Buôn Đạ Nhar": None,
        "Thôn 2": "none",
        "Tổ dân phố 1": "national_grid",  # 100 % of its households
        "Thôn Hoà Bình": "national_grid",
    }
    assert power["households_grid"].dropna().to_dict() == {
        "Thôn 1": 1200.0, "Buôn Đạ Nhar": 80.0, "Tổ dân phố 1": 100.0, "Thôn Hoà Bình": 50.0,
    }  # fmt: skip
    assert set(power["evidence"]) == {"official_list"}


@pytest.mark.parametrize(
    ("cells", "grid"),
    [
        (("50", "100"), (40.0, 80.0)),
        (("0,5", "1"), (40.0, 80.0)),
        (("50%", "1%"), (40.0, 0.8)),
        (("1", "70"), (0.8, 56.0)),
        (("0,5%", "70"), (0.4, 56.0)),
    ],
)
def test_percent_or_share_is_decided_by_the_whole_column(tmp_path: Path, cells: tuple, grid: tuple) -> None:
    lines = (f"T{n};Thôn {n};80;{cell}" for n, cell in enumerate(cells))
    found = read(listed(tmp_path, "Mã thôn;Tên thôn;Số hộ;Tỷ lệ hộ có điện lưới (%)", *lines))
    assert found.power["households_grid"].tolist() == pytest.approx(list(grid))


def test_a_lone_share_among_percents_counts_as_missing_and_is_told(tmp_path: Path) -> None:
    header = "Mã thôn;Tên thôn;Số hộ;Tỷ lệ hộ có điện lưới"
    found = read(listed(tmp_path, header, "T1;Thôn 1;80;0,95", "T2;Thôn 2;80;95", "T3;Thôn 3;80;0"))
    assert found.power[["village_id", "households_grid"]].to_numpy().tolist() == [["T2", 76.0], ["T3", 0.0]]
    assert (2, "unreadable") in told(found)


@pytest.mark.parametrize(
    ("said", "on_grid", "electrified", "opposed"),
    [
        *(
            ("có", 30, False, True),
            ("có", 49, False, True),
            ("có", 50, False, False),
            ("có", 70, True, False),
        ),
        *(
            ("có", 100, True, False),
            ("có", 0, False, True),
            ("không", 0, False, False),
            ("không", 1, False, True),
        ),
        *(("không", 90, True, True), ("", 90, True, False)),
    ],
)
def test_the_count_of_households_decides_in_a_list_as_in_a_table_of_power(
    tmp_path: Path, said: str, on_grid: int, electrified: bool, opposed: bool
) -> None:
    header = "Mã thôn;Tên thôn;Số hộ;Có điện lưới;Số hộ có điện lưới"
    path = listed(tmp_path, header, f"T1;Thôn 1;100;{said};{on_grid}")
    found, (power, notes) = read(path), read_power(path)
    for table, told_of in ((found.power, found.notes), (power, notes)):
        judged = grid_status(table, pd.Series([100.0], index=["T1"]), 0.7)
        assert judged.loc["T1", "electrified"] is electrified
        assert ("power_contradiction" in {note.code for note in told_of}) == opposed


def test_a_share_that_cannot_be_counted_only_stands_against_a_yes_or_no_that_it_opposes(
    tmp_path: Path,
) -> None:
    header = "Mã thôn;Tên thôn;Số hộ;Có điện lưới;Tỷ lệ hộ có điện lưới"
    found = read(listed(tmp_path, header, "T1;Thôn 1;;có;95", "T2;Thôn 2;;có;30", "T3;Thôn 3;;không;30"))
    assert found.power[["village_id", "grid_status"]].to_numpy().tolist() == [["T1", "national_grid"]]
    assert {(row, "power_contradiction") for row in (3, 4)} <= set(told(found))


def test_households_with_electricity_of_any_kind_prove_nothing(tmp_path: Path) -> None:
    found = read(
        listed(tmp_path, "Mã thôn;Tên thôn;Số hộ;Tỷ lệ hộ có điện", "T1;Thôn 1;80;100", "T2;Thôn 2;;100")
    )
    assert found.power[["village_id", "households_grid", "evidence"]].to_numpy().tolist() == [
        ["T1", 80.0, "inferred"]
    ]
    assert pd.isna(found.power["grid_status"].iloc[0])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("T1;Thôn 1;80;Không;90", "power_contradiction"),
        ("T1;Thôn 1;80;Có;0", "power_contradiction"),
        ("T1;Thôn 1;80;Có;101", "unreadable"),
        ("T1;Thôn 1;;;90", "power_without_households"),
    ],
)
def test_power_that_contradicts_itself_or_cannot_be_read_is_told(tmp_path: Path, row: str, code: str) -> None:
    header = "Mã thôn;Tên thôn;Số hộ;Có điện lưới;Tỷ lệ hộ có điện lưới"
    assert (2, code) in told(read(listed(tmp_path, header, row)))


@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("11,94123", 11.94123), ("11.94123°", 11.94123), ("11°56'24\" B", 11.94), ("11° 56′ 24,0″N", 11.94),
        ("11°56.4'", 11.94), ("1.318.000,5", 1318000.5), ("540 123", 540123.0), ("1318000.5", 1318000.5),
    ],
)  # fmt: skip
def test_coordinates_are_read_as_people_write_them(cell: str, degrees: float) -> None:
    assert coordinate(cell) == pytest.approx(degrees)


@pytest.mark.parametrize(
    "cell", ["", "nhà văn hoá", "11°75'", "11°56'61\"", "11,9,4", "1e5", "11.94.12", "11°56'24\"S"]
)
def test_what_is_no_coordinate_is_none(cell: str) -> None:
    assert pd.isna(coordinate(cell))


@pytest.mark.parametrize(
    "cell",
    [
        "11,94123; 108,44321",
        "11.94123,108.44321",
        "11,94123 108,44321",
        "(11,94123, 108,44321)",
        "11.94123/108.44321",
    ],
)
def test_two_coordinates_in_one_cell(cell: str) -> None:
    assert pair(cell) == (11.94123, 108.44321)


def test_a_pair_and_columns_without_names_are_told_apart_by_their_size(tmp_path: Path) -> None:
    pairs = read(listed(tmp_path, "Tên thôn|Toạ độ", "A|105,34808/22,62924", "B|22,62924; 105,34808"))
    axes = read(listed(tmp_path, "Tên thôn;X;Y", "A;108,44;11,94", "B;11,95;108,44"))
    assert pairs.villages[["centre_lat", "centre_lon"]].to_numpy().tolist() == [[22.62924, 105.34808]] * 2
    assert axes.villages[["centre_lat", "centre_lon"]].to_numpy().tolist() == [
        [11.94, 108.44],
        [11.95, 108.44],
    ]
    assert "coordinates_swapped" not in {code for _, code in told(pairs) + told(axes)}


def test_metres_need_their_system_and_north_is_the_larger_number(tmp_path: Path) -> None:
    truth = shapely.Point(108.24321, 11.78123)
    metres = gpd.GeoSeries([truth], crs=4326).to_crs(5899).iloc[0]
    path = listed(
        tmp_path,
        "Tên thôn;X;Y",
        f"A;{metres.y:.1f};{metres.x:.1f}".replace(".", ","),
        f"B;{metres.x:.0f};{metres.y:.0f}",
    )
    with pytest.raises(PlacesRefused, match="--crs EPSG:5899"):
        read_villages(path)
    found = read(path, "EPSG:5899")
    assert max(point.distance(truth) for point in found.villages.geometry) < 1e-5
    with pytest.raises(PlacesRefused, match="EPSG:1"):
        read_villages(path, "EPSG:1")


@pytest.mark.parametrize("row", ["A;0;0", "A;91;108", "A;-91;200", "A;11.941.230;108.443.210"])
def test_a_village_off_the_globe_stays_a_village_without_place(tmp_path: Path, row: str) -> None:
    found = read(listed(tmp_path, "Tên thôn;Vĩ độ;Kinh độ", row, "B;11,9;108,4", "C;11,8;108,4"))
    assert one(found, "A").isna()["geometry"]
    assert (2, "coordinates_off") in told(found) or (2, "coordinates_swapped") in told(found)


def test_ids_are_kept_where_unique_and_a_repeated_village_stays(tmp_path: Path) -> None:
    header = "Mã thôn;Tên thôn;Mã xã;Số hộ;Vĩ độ;Kinh độ"
    rows = [
        "1;Thôn 1;24871;5;11,9;108,4",
        "2;Thôn 2;24871;6;11,9;108,4",
        "2;Thôn 3;24871;7;;",
        ";Thôn 4;871;8;;",
    ]
    found = read(listed(tmp_path, header, *rows))
    assert set(found.villages["village_id"]) == {"1", "24871-thon2", "24871-thon3", "00871-thon4"}
    assert {(3, "same_coordinates"), (3, "id_repeated"), (4, "id_repeated"), (5, "id_missing")} <= set(
        told(found)
    )
    assert found.rows["24871-thon3"] == 4


NAMES = st.sampled_from(
    ["Thôn 1", "Thôn 2", "Buôn Đạ Nhar", "thôn Đạ Nhar", "Hoà Bình", "Hòa Bình", "", "TDP 1"]
)
VILLAGE = st.tuples(
    st.sampled_from(["", "a", "b"]), NAMES, st.sampled_from(["", "24871"]), st.integers(1, 3).map(str)
)


@QUICK
@given(rows=st.lists(VILLAGE, min_size=1, max_size=8), seed=st.integers(0, 9))
def test_a_list_in_another_order_gives_the_same_ids(tmp_path: Path, rows: list[tuple], seed: int) -> None:
    def ids(ordered: list[tuple]) -> set[tuple]:
        lines = [";".join(row) for row in ordered]
        found = read(listed(tmp_path, "Mã thôn;Tên thôn;Mã xã;Số hộ", *lines)).villages
        return set(
            found[["village_id", "commune_code", "households"]].astype(str).itertuples(index=False, name=None)
        )

    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    assert ids(rows) == ids(shuffled)


@QUICK
@given(rows=st.lists(VILLAGE, min_size=1, max_size=8))
def test_no_row_that_names_a_village_is_lost(tmp_path: Path, rows: list[tuple]) -> None:
    found = read(listed(tmp_path, "Mã thôn;Tên thôn;Mã xã;Số hộ", *(";".join(row) for row in rows)))
    named = {row for row in rows if row[0] or row[1]}
    assert len(found.villages) == len(named)
    left = {number for number, code in told(found) if code in {"row_repeated", "row_without_village"}}
    assert len(left) == len(rows) - len(named)


CELLS = st.sampled_from(
    ["", "Thôn 1", "Xã A", "24871", "x", "không", "1.234", "-5", "1e999", "nan", "inf", "11,94", "108,44", "91", "0",
     "540123,5", "1318000", "100%", "101", "0,5", "11°56'24''", "11,94; 108,44", "Tổng", "Người lập", "²", "\u0301", "A/1"]
)  # fmt: skip
HEADERS = ["Mã thôn", "Tên thôn", "Xã", "Mã xã", "Mã cụm", "Số hộ", "Số dân", "Vĩ độ", "Kinh độ", "X", "Y", "Toạ độ",
           "ĐBKK", "Có điện lưới", "Số hộ có điện lưới", "Tỷ lệ hộ có điện lưới", "Tỷ lệ hộ có điện", "Nguồn"]  # fmt: skip


@QUICK
@given(rows=st.lists(st.lists(CELLS, min_size=18, max_size=18), min_size=1, max_size=6))
def test_any_cells_give_villages_within_the_contract_or_a_refusal_in_words(
    tmp_path: Path, rows: list
) -> None:
    try:
        found = read(listed(tmp_path, "|".join(HEADERS), *("|".join(row) for row in rows)))
    except PlacesRefused as refusal:
        assert "--crs" in refusal.en
        return
    assert len(found.villages) <= len(rows)
    assert not found.clusters.duplicated(["village_id", "cluster_id"]).any()
    assert set(found.clusters["village_id"]) <= set(found.villages["village_id"])
    assert all(note.vi and note.en and note.row <= len(rows) + 1 for note in found.notes)


def test_the_spelling_of_a_name_changes_no_id(tmp_path: Path) -> None:
    ids = [
        read(listed(tmp_path, "Tên thôn;Xã", f"{name};{commune}")).villages["village_id"].iloc[0]
        for name, commune in (("Buôn Hoà Mỹ", "Xã Đưng K'Nớ"), ("hòa mĩ", "Đưng KNớ"))
    ]
    assert ids == ["dungkno-hoami"] * 2


def test_rows_with_a_cluster_are_places_of_one_village_and_without_they_are_repetitions(
    tmp_path: Path,
) -> None:
    header = "Mã thôn;Tên thôn;Mã cụm;Số hộ;Vĩ độ;Kinh độ;Có điện lưới"
    rows = [
        "T1;Thôn 1;;90;11,9;108,4;",
        "T1;Thôn 1;A;50;11,91;108,4;có",
        "T1;Thôn 1;B/1;40;11,92;108,4;không",
    ]
    more = [
        "T2;Thôn 2;A;10;11,8;108,4;có",
        "T2;Thôn 2;B;20;11,81;108,4;",
        "T2;Thôn 2;B;5;11,82;108,4;",
        "T2;Thôn 2;C;1;;;",
    ]
    found = read(listed(tmp_path, header, *rows, *more))
    assert found.villages[["village_id", "households", "centre_lat"]].astype(object).to_numpy().tolist()[
        0
    ] == ["T1", 90.0, 11.9]
    second = one(found, "Thôn 2")
    assert second["households"] == 36.0
    assert pd.isna(second["centre_lat"])
    assert found.clusters["cluster_id"].tolist() == ["A", "B-1", "A", "B", "B (2)"]
    assert found.clusters["grid"].tolist()[:3] == [True, False, True]
    assert found.power.empty  # what is said of clusters is not said of their village
    assert {(7, "cluster_repeated"), (8, "cluster_without_place")} <= set(told(found))
    plain = read(
        listed(tmp_path, "Mã thôn;Tên thôn;Vĩ độ;Kinh độ", "T1;Thôn 1;11,9;108,4", "T1;Thôn 1;11,8;108,4")
    )
    assert len(plain.villages) == 2
    assert plain.clusters.empty


def test_points_are_villages_and_their_attributes_a_list(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame(
        {
            "Tên thôn": ["Thôn 1", "Thôn 2", None],
            "Mã xã": [24871, 24871, 24871],
            "Số hộ": ["85", "nhiều", "5"],
        },
        geometry=[shapely.Point(108.24, 11.78), shapely.Point(108.25, 11.79), None],
        crs=4326,
    ).to_crs(9218)
    layer.to_file(tmp_path / "nvh.gpkg")
    found = read(tmp_path / "nvh.gpkg")
    assert found.villages["village_id"].tolist() == ["24871-thon1", "24871-thon2"]
    assert (found.villages["centre_lat"] - [11.78, 11.79]).abs().max() < 1e-5
    assert {(2, "unreadable"), (3, "row_without_village")} <= set(told(found))
    assert "đối tượng 2" in next(note.vi for note in found.notes if note.code == "unreadable")


def test_a_layer_of_polygons_gives_its_power_and_its_boundary(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame(
        {"Mã thôn": ["T1"], "Tên thôn": ["Thôn 1"], "Có điện lưới": ["có"]},
        geometry=[shapely.box(108, 11, 108.02, 11.02)], crs=4326,
    )  # fmt: skip
    layer.to_file(tmp_path / "thon.geojson")
    found = read(tmp_path / "thon.geojson")
    assert found.villages["boundary"].tolist() == ["given"]
    assert found.power["grid_status"].tolist() == ["national_grid"]


def test_villages_without_a_place_keep_their_commune_and_the_others_are_located(tmp_path: Path) -> None:
    communes = gpd.GeoDataFrame(
        {"commune_code": ["24871"], "commune_name": ["Xã A"], "source": "t"},
        geometry=[shapely.box(108, 11, 109, 12)], crs=4326,
    )  # fmt: skip
    rows = ["T1;;11,5;108,5;", "T2;24871;;;", "T3;;;;Xã B", "T4;;13;108,5;"]
    found = read(listed(tmp_path, "Tên thôn;Mã xã;Vĩ độ;Kinh độ;Xã", *rows))
    located, notes = locate_in_communes(found.villages, communes)
    by_name = located.set_index("village_name")
    assert by_name.loc[["T1", "T2"], "commune_code"].tolist() == ["24871", "24871"]
    assert by_name["commune_name"].fillna("").to_dict() == {
        "T1": "Xã A",
        "T2": "Xã A",
        "T3": "Xã B",
        "T4": "",
    }
    assert [(note.code, note.village_id) for note in notes] == [("in_no_commune", "x-t4")]


def test_a_list_without_names_or_ids_is_refused_with_the_headers_that_would_do(tmp_path: Path) -> None:
    with pytest.raises(PlacesRefused, match="Tên thôn"):
        read_villages(listed(tmp_path, "Xã;Số hộ", "A;5"))


def test_a_list_goes_into_a_workspace(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    report = intake_places.add_places(workspace, "villages", office_list(tmp_path))
    assert report.rows == 6
    assert layers.load_layer(workspace, "villages")["village_id"].is_unique


def test_degrees_are_read_in_the_system_that_is_named(tmp_path: Path) -> None:
    truth = shapely.Point(108.24321, 11.78123)
    old = gpd.GeoSeries([truth], crs=4326).to_crs(4756).iloc[0]
    row = f"A;{old.y:.7f};{old.x:.7f}"
    path = listed(tmp_path, "Tên thôn;Vĩ độ;Kinh độ", row)
    assert one(read(path), "A").geometry.distance(truth) > 1e-3  # 226 m
    assert one(read(path, "EPSG:4756"), "A").geometry.distance(truth) < 1e-6


@pytest.mark.parametrize("header", ["Tên thôn;X;Y", "Tên thôn;Kinh độ;Vĩ độ"])
def test_metres_of_another_country_stand_east_before_north(tmp_path: Path, header: str) -> None:
    truth = shapely.Point(29.36, -3.38)
    metres = gpd.GeoSeries([truth], crs=4326).to_crs(32735).iloc[0]
    path = listed(tmp_path, header, f"A;{metres.x:.2f};{metres.y:.2f}".replace(".", ","))
    assert one(read(path, "EPSG:32735"), "A").geometry.distance(truth) < 1e-6
