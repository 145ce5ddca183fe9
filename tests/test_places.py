"""Places files: villages, communes, clusters and power, as provinces send them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from measurements import NO_PARTS

from coverage import tables
from coverage.crosswalk import outage_windows
from coverage.errors import PlacesRefused
from coverage.places.communes import read_communes
from coverage.places.outages import read_outages
from coverage.places.power import grid_status, read_power
from coverage.places.settlements import places_of, read_clusters
from coverage.places.sheets.headers import headers
from coverage.places.villages import locate_in_communes, read_villages

SQUARE = shapely.box(108.0, 11.0, 108.02, 11.02)


def village_file(folder: Path, rows: list[dict], crs: str | None = "EPSG:4326", suffix: str = "gpkg") -> Path:
    path = folder / f"villages.{suffix}"
    gpd.GeoDataFrame(rows, geometry="geometry", crs=crs).to_file(path)
    return path


def village(**given: object) -> dict:
    return {"village_id": "v1", "name": "Thôn 1", "commune_code": "24823", "geometry": SQUARE} | given


def test_villages_in_vietnamese_headers_and_another_projection(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        [
            {
                "Mã thôn": "LĐ-1",
                "Tên thôn": "Buôn  B'Lao",
                "Số hộ": "85",
                "Đặc biệt khó khăn": "Có",
                "geometry": SQUARE,
            }
        ],
        crs=4326,
    ).to_crs(5899)
    frame.to_file(tmp_path / "v.gpkg")
    read = read_villages(tmp_path / "v.gpkg")
    villages, notes = read.villages, read.notes
    found = villages.iloc[0]
    assert (found.village_id, found.village_name, found.households) == ("LĐ-1", "Buôn B'Lao", 85.0)
    assert found.especially_difficult is True
    assert villages.geometry.iloc[0].centroid.distance(SQUARE.centroid) < 1e-5
    assert not notes


def test_names_that_a_shapefile_cuts_to_ten_letters_are_known(tmp_path: Path) -> None:
    cut = {"village_na": "Buôn Đạ Nhar", "commune_co": "24823", "commune_na": "Đạ Long", "especially": "có"}
    rows = [{"village_id": "v1", "households": 85, **cut, "geometry": SQUARE}]
    read = read_villages(village_file(tmp_path, rows, suffix="shp"))
    found = read.villages.iloc[0]
    assert (found.village_name, found.commune_code, found.commune_name) == (
        "Buôn Đạ Nhar",
        "24823",
        "Đạ Long",
    )
    assert (found.households, found.especially_difficult) == (85.0, True)


def test_a_cut_name_that_fits_two_columns_or_is_one_of_its_own_is_not_guessed() -> None:
    synonyms = {"households_grid": (), "households_total": (), "commune_code": ("commune_collected",)}
    frame = pd.DataFrame(columns=["households", "commune_co", "commune_c"])
    assert headers(frame, synonyms) == {"commune_code": "commune_co"}
    assert headers(frame, {"households": (), "households_grid": ()}) == {"households": "households"}


def test_ids_are_kept_where_unique_and_made_where_not(tmp_path: Path) -> None:
    rows = [village(), village(village_id="v2"), village(village_id="v2"), village(village_id=None)]
    read = read_villages(village_file(tmp_path, rows))
    villages, notes = read.villages, read.notes
    assert villages["village_id"].is_unique
    assert {"v1"} < set(villages["village_id"])
    ids = sorted(note.code for note in notes if note.code != "overlap")
    assert ids == ["id_missing", "id_repeated", "id_repeated"]
    assert sum(note.code == "overlap" for note in notes) == 6  # four times the same square


def test_a_bow_tie_is_mended_and_a_centre_outside_is_told(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(108, 11), (108.02, 11.02), (108.02, 11), (108, 11.02)])
    rows = [village(geometry=bow_tie, centre_lat=11.03, centre_lon=108.0)]
    read = read_villages(village_file(tmp_path, rows))
    villages, notes = read.villages, read.notes
    assert villages.geometry.is_valid.all()
    assert villages.geometry.iloc[0].area > 0
    assert [note.code for note in notes] == ["centre_outside"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([village(), village(geometry=shapely.Point(108, 11))], "needs a polygon"),
        ([village(households="nhiều")], "not a number"),
    ],
)
def test_what_cannot_be_a_village_is_refused_in_words(tmp_path: Path, rows: list[dict], says: str) -> None:
    with pytest.raises(PlacesRefused) as refusal:
        read_villages(village_file(tmp_path, rows))
    assert says in refusal.value.en


def test_swapped_axes_are_refused_by_name(tmp_path: Path) -> None:
    swapped = shapely.box(11.0, 108.0, 11.02, 108.02)
    with pytest.raises(PlacesRefused, match=r"feature 2: .* may be swapped"):
        read_villages(village_file(tmp_path, [village(), village(village_id="v2", geometry=swapped)]))


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_a_layer_without_coordinate_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlacesRefused) as refusal:
        read_villages(village_file(tmp_path, [village()], crs=None))
    assert "coordinate system" in refusal.value.en


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01rubbish", b'{"type": "FeatureCollection", "features": []}']
)
def test_rubbish_is_refused_not_raised(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.geojson").write_bytes(content)
    with pytest.raises(PlacesRefused):
        read_villages(tmp_path / "v.geojson")


def test_a_village_outside_its_commune_or_in_none_is_reported(tmp_path: Path) -> None:
    communes = gpd.GeoDataFrame(
        {"commune_code": ["24823", "24829"], "commune_name": ["Xã A", "Xã B"], "source": "t"},
        geometry=[shapely.box(107.9, 10.9, 108.1, 11.1), shapely.box(108.1, 10.9, 108.3, 11.1)],
        crs=4326,
    )
    away = shapely.box(100, 5, 100.01, 5.01)
    rows = [
        village(),
        village(village_id="v2", commune_code="24829"),
        village(village_id="v3", geometry=away),
    ]
    rows.append(village(village_id="v4", commune_code=None))
    villages = read_villages(village_file(tmp_path, rows)).villages
    located, notes = locate_in_communes(villages, communes)
    assert {note.village_id: note.code for note in notes} == {
        "v2": "in_another_commune",
        "v3": "in_no_commune",
    }
    assert located.set_index("village_id")["commune_code"].to_dict() == {
        "v1": "24823",
        "v2": "24829",
        "v3": "24823",
        "v4": "24823",
    }
    assert located["commune_name"].tolist() == ["Xã A", "Xã B", "Xã A", "Xã A"]


def test_clusters_from_csv_and_from_points(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "Mã thôn;Mã cụm;Vĩ độ;Kinh độ;Số hộ;Có điện lưới\nv1;k1;11,01;108,01;40;có\nv1;k2;11,015;108,015;;\n",
        encoding="utf-8-sig",
    )
    from_csv, _ = read_clusters(tmp_path / "c.csv")
    assert from_csv["lat"].tolist() == [11.01, 11.015]
    assert from_csv["grid"].tolist() == [True, None]
    points = gpd.GeoDataFrame(
        {"village_id": "v1", "cluster_id": ["k1", "k2", "k3"], "households": 40, "grid": [True, False, None]},
        geometry=[shapely.Point(108.01, 11.01)] * 3,
        crs=4326,
    )
    points.to_file(tmp_path / "c.geojson")
    from_points, _ = read_clusters(tmp_path / "c.geojson")
    assert from_points[["lat", "lon"]].iloc[0].tolist() == [11.01, 108.01]
    assert from_points["grid"].tolist() == [True, False, None]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("v1,k1,91,108", "off the globe"),
        ("v1,k1,,108", "off the globe"),
        (",k1,11,108", "village id missing"),
    ],
)
def test_a_cluster_that_is_nowhere_is_refused(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "c.csv").write_text(f"village_id,cluster_id,lat,lon\n{line}\n", encoding="utf-8")
    with pytest.raises(PlacesRefused) as refusal:
        read_clusters(tmp_path / "c.csv")
    assert says in refusal.value.en


def test_a_village_without_clusters_is_judged_whole_and_one_without_centre_has_none() -> None:
    villages = gpd.GeoDataFrame(
        {
            "village_id": ["v1", "v2"],
            "centre_lat": [11.0, None],
            "centre_lon": [108.0, None],
            "households": [10.0, 5.0],
        },
        geometry=[SQUARE, SQUARE],
        crs=4326,
    )
    clusters = pd.DataFrame(
        {
            "village_id": ["v1"],
            "cluster_id": ["k1"],
            "lat": [11.0],
            "lon": [108.0],
            "households": [10.0],
            "grid": [True],
        }
    )
    places = places_of(villages, clusters, NO_PARTS)
    assert places["place_id"].tolist() == ["v1/c/k1", "v1/centre", "v2/polygon"]


def power_file(folder: Path, *lines: str) -> Path:
    path = folder / "power.csv"
    path.write_text(
        "\n".join(["village_id,households,households_grid,source,as_of", *lines]), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize(
    ("line", "status", "electrified"),
    [
        ("v1,100,70,official_list,2026-01-01", "national_grid", True),
        ("v1,100,69,official_list,2026-01-01", "none", False),
        ("v1,100,0,utility,2026-01-01", "none", False),
        ("v1,100,100,inferred from night lights,2026-01-01", "national_grid", None),
        ("v1,100,100,VIIRS night lights 2024,2026-01-01", "national_grid", None),
        ("v1,100,100,Ánh sáng đêm,2026-01-01", "national_grid", None),
        ("v1,100,100,Sở Công Thương,2026-01-01", "national_grid", True),
        ("v1,100,,official_list,2026-01-01", "unknown", None),
        ("v1,,100,official_list,2026-01-01", "national_grid", True),
        ("other,100,100,official_list,2026-01-01", "unknown", None),
    ],
)
def test_power_decides_at_seventy_percent_and_inferred_never_proves(
    tmp_path: Path, line: str, status: str, electrified: bool | None
) -> None:
    households = pd.Series([100.0], index=pd.Index(["v1"], name="village_id"))
    found = grid_status(read_power(power_file(tmp_path, line))[0], households, 0.7).loc["v1"]
    assert (found.grid_status, found.electrified) == (status, electrified)


def test_the_utility_speaks_before_a_list_and_the_newest_before_the_older(tmp_path: Path) -> None:
    path = power_file(
        tmp_path,
        "v1,100,0,official_list,2024-05-01",
        "v1,100,100,utility,2025-01-01",
        "v2,100,0,official_list,2025-01-01",
        "v2,100,100,official_list,2026-01-01",
    )
    households = pd.Series([100.0, 100.0], index=pd.Index(["v1", "v2"], name="village_id"))
    found = grid_status(read_power(path)[0], households, 0.7)
    assert found["electrified"].tolist() == [True, True]
    assert found["power_as_of"].tolist() == [date(2025, 1, 1), date(2026, 1, 1)]


def test_households_with_electricity_are_not_households_on_the_grid(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text("Mã thôn,Số hộ,Số hộ có điện\nv1,100,100\n", encoding="utf-8")
    with pytest.raises(PlacesRefused, match="Số hộ có điện lưới"):
        read_power(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("v1,100,101,official_list,2026-01-01", "more households on the grid"),
        ("v1,100,70,official_list,01/02/2026", "not like 2026-10-31"),
        ("v1,100,-1,official_list,2026-01-01", "is no count"),
        (",100,70,official_list,2026-01-01", "village id missing"),
    ],
)
def test_a_power_row_that_cannot_be_is_refused_with_its_row(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(PlacesRefused) as refusal:
        read_power(power_file(tmp_path, line))
    assert says in refusal.value.en
    assert "row 2" in refusal.value.en


def outage_file(
    folder: Path, *lines: str, header: str = "village_id,commune_code,operator,from,until"
) -> Path:
    path = folder / "outages.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def test_outages_are_read_in_local_time_and_both_languages(tmp_path: Path) -> None:
    english = read_outages(outage_file(tmp_path, "v1,,,2026-10-01 06:00,2026-10-01T22:00:30"), VIETNAM)[0]
    one = tables.check_frame(tables.OUTAGES, english).iloc[0]
    assert one["from_utc"] == pd.Timestamp("2026-09-30 23:00")
    assert one["until_utc"] == pd.Timestamp("2026-10-01 15:00:30")
    assert one["source"] == "outages.csv"
    header = "Mã xã;Nhà mạng;Từ;Đến;Nguồn"
    rows = outage_file(tmp_path, "24823;Viettel;01/10/2026 06:00;1/10/2026 22:00;điện lực", header=header)
    vietnamese = read_outages(rows, VIETNAM)[0].iloc[0]
    assert vietnamese["from_utc"] == one["from_utc"]
    assert (vietnamese["commune_code"], vietnamese["operator"]) == ("24823", "Viettel")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("v1,,,2026-10-01,2026-10-02 10:00", "column from"),
        ("v1,,,2026-10-01 10:00,", "column until: “empty”"),
        ("v1,,,2026-10-01 10:00,2026-10-01 10:00", "does not end after"),
        (",,45204,2026-10-01 10:00,2026-10-02 10:00", "neither a village id nor"),
    ],
)
def test_an_outage_that_cannot_be_is_refused_with_its_row(tmp_path: Path, line: str, says: str) -> None:
    good = "v1,,,2026-10-01 06:00,2026-10-01 22:00"
    with pytest.raises(PlacesRefused, match=f"row 3.*{says}"):
        read_outages(outage_file(tmp_path, good, line), VIETNAM)


def test_an_outage_of_a_commune_covers_its_villages_and_no_others(tmp_path: Path) -> None:
    villages = gpd.GeoDataFrame(
        {"village_id": ["a", "b", "c"], "commune_code": ["1", "1", None]}, geometry=[SQUARE] * 3, crs=4326
    )
    places = pd.DataFrame({"place_id": ["a/centre", "b/centre", "c/centre"], "village_id": ["a", "b", "c"]})
    pooled = pd.DataFrame({"place_id": places["place_id"], "hex": [1, 2, 3]})
    lines = (",1,,2026-10-01 06:00,2026-10-01 22:00", "c,,45204,2026-10-01 06:00,2026-10-01 22:00")
    windows = outage_windows(
        read_outages(outage_file(tmp_path, *lines), VIETNAM)[0], villages, places, pooled
    )
    found = windows.sort_values("hex")[["hex", "operator"]].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == [[1, None], [2, None], [3, "45204"]]


@pytest.mark.realdata
def test_the_real_communes_go_in_and_every_sample_village_is_placed_or_reported(real_data: Path) -> None:
    communes = read_communes(real_data / "boundaries" / "lamdong_2025_communes_124_simplified.geojson")
    assert len(communes) == 124
    assert communes["commune_code"].is_unique
    assert communes.geometry.is_valid.all()
    sample = Path(__file__).parents[1] / "data" / "boundaries" / "sample_villages.geojson"
    villages = read_villages(sample).villages
    _, notes = locate_in_communes(villages, communes)
    points = gpd.GeoSeries(gpd.points_from_xy(villages["centre_lon"], villages["centre_lat"]), crs=4326)
    counts = points.map(lambda point: int(communes.geometry.contains(point).sum()))
    nowhere = {note.village_id for note in notes if note.code == "in_no_commune"}
    assert counts.max() == 1
    assert set(villages.loc[counts == 0, "village_id"]) == nowhere


def test_whole_ids_with_a_gap_among_them_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "villages.geojson"
    rows = [village(village_id=101), village(village_id=None)]
    gpd.GeoDataFrame(rows, geometry="geometry", crs=4326).to_file(path)
    assert "101" in read_villages(path).villages["village_id"].tolist()


def test_a_made_id_never_meets_a_real_one(tmp_path: Path) -> None:
    rows = [village(village_id="a"), village(village_id="a"), village(village_id="24823-r1")]
    ids = read_villages(village_file(tmp_path, rows)).villages["village_id"]
    assert ids.is_unique


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"centre_lat": 108.01, "centre_lon": 11.01}, "off the globe"),
        ({"centre_lat": 1_320_000.0, "centre_lon": 540_000.0}, "off the globe"),
        ({"centre_lat": 11.01}, "lacks a coordinate"),
        ({"households": -5}, "is no count"),
        ({"population": 1.5}, "is no count"),
        ({"geometry": shapely.box(107, 11, 109, 13)}, "larger than"),
    ],
)
def test_a_village_that_cannot_be_is_refused_in_words(tmp_path: Path, given: dict, says: str) -> None:
    with pytest.raises(PlacesRefused, match=says):
        read_villages(village_file(tmp_path, [village(**given)]))


def test_vietnamese_thousands_are_not_fractions(tmp_path: Path) -> None:
    power, _ = read_power(power_file(tmp_path, "v1,1.300,1.200,official_list,2026-01-01"))
    assert power[["households", "households_grid"]].to_numpy().tolist() == [[1300.0, 1200.0]]


@pytest.mark.parametrize(
    "line", ["v1,inf,70,official_list,2026-01-01", "v1,100,nan,official_list,2026-01-01,extra"]
)
def test_endless_numbers_and_surplus_fields_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(PlacesRefused):
        read_power(power_file(tmp_path, line))


def test_clusters_of_a_table_may_have_x_and_y_in_metres(tmp_path: Path) -> None:
    point = gpd.GeoSeries([shapely.Point(108.01, 11.01)], crs=4326).to_crs(5899).iloc[0]
    path = tmp_path / "clusters.csv"
    path.write_text(
        f"Mã thôn;Mã cụm;Toạ độ X;Toạ độ Y\nv1;k1;{point.y:.1f};{point.x:.1f}\n", encoding="utf-8"
    )
    clusters, _ = read_clusters(path, crs="EPSG:5899")
    assert clusters[["lat", "lon"]].iloc[0].tolist() == pytest.approx([11.01, 108.01], abs=1e-5)
    with pytest.raises(PlacesRefused, match="coordinates in metres"):
        read_clusters(path)
