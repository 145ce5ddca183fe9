"""Lists of radio sites of every kind: what is read of each row, and what is refused. All samples are synthetic."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverage import intake, intake_places, tables
from coverage.archive import layers
from coverage.archive.workspace import open_workspace
from coverage.cell_lists import LISTS, list_of
from coverage.errors import FileRefused, PlacesRefused
from coverage.logs.context import Context
from coverage.logs.formats.foreign import FOREIGN_SHAPES, shape_of
from coverage.logs.quantities import technologies
from coverage.places.sites import read_sites

MLS_HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
MLS = "LTE,452,4,7000,5376001,12,108.44,11.94,1500,3,1,1500000000,1600000000,0"
MLS_ROW = ("45204-LTE-7000-5376001", "45204", "LTE", "7000-5376001", 11.94, 108.44, None, 1500.0, None)
NTM = "4G;452;04;183;265;33271;62;11.94;108.44;Trạm thử, xã Ví Dụ;300"
NTM_ROW = (
    *("45204-LTE-265-33271-183", "45204", "LTE", "265-33271-183", 11.94, 108.44),
    *("Trạm thử, xã Ví Dụ", None, None),
)
NETMONITOR = "L;452;01;7000;5376001;12;1800;11.94;108.44;100;Trạm thử"
CLF_HEADER = "//cell list exchange format v3.0//"
CLF = "45202;07812;03101;00000;11.94;108.44;-1;Trạm thử;0"
NSG = "Cellname,Longitude,Latitude,PCI,EARFCN,ECellID,Azimuth\nTram thu_1,108.44,11.94,12,1800,5376001,120\n"
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, text: str, name: str = "synthetic.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def rows_of(path: Path) -> list[tuple]:
    """The rows without their source, height and plans, missing as None; the contract is checked on the way."""
    checked = tables.check_frame(tables.SITES, read_sites(path)[0])
    sites = checked.drop(columns=["source", "height_m", "planned", "on_air"]).astype(object)
    return [tuple(row) for row in sites.where(sites.notna(), None).to_numpy().tolist()]


def source_of(path: Path) -> str:
    (source,) = read_sites(path)[0]["source"].unique()
    return source


@pytest.mark.parametrize(
    "text", [f"{MLS_HEADER}\n{MLS}\n", MLS, MLS + "\r\n", f"\ufeff{MLS_HEADER}\r\n{MLS}\r\n"]
)
def test_opencellid_with_and_without_header(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert rows_of(path) == [MLS_ROW]
    assert source_of(path) == "synthetic.csv (OpenCelliD/MLS)"
    packed = tmp_path / "synthetic.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    assert rows_of(packed) == [MLS_ROW]


def test_the_older_opencellid_without_its_last_columns_and_with_three_digit_networks(tmp_path: Path) -> None:
    short = "CDMA,310,260,1,2,,108.44,11.94,0\nGSM,452,01,2,3,,108.44,11.94,0\n"
    found = [row[:4] for row in rows_of(written(tmp_path, short))]
    assert found == [("310260-CDMA-1-2", "310260", "CDMA", "1-2"), ("45201-GSM-2-3", "45201", "GSM", "2-3")]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (NTM, NTM_ROW),
        (
            "2G;452;04;23973;26202;;2147483647;11.94;108.44;Trạm thử;2147483647",
            ("45204-GSM-26202-23973", "45204", "GSM", "26202-23973", 11.94, 108.44, "Trạm thử", None, None),
        ),
        (
            "3G;452;4;5;2147483647;2147483647;1;11.94;108.44;;",
            ("45204-UMTS-5", "45204", "UMTS", "5", 11.94, 108.44, None, None, None),
        ),
        (
            "5G;452;04;10000000001;9;;3;11.94;108.44",
            ("45204-NR-9-10000000001", "45204", "NR", "9-10000000001", 11.94, 108.44, None, None, None),
        ),
    ],
)
def test_netmonster(tmp_path: Path, line: str, row: tuple) -> None:
    path = written(tmp_path, f"{line}\n", "synthetic.ntm")
    assert rows_of(path) == [row]
    assert source_of(path) == "synthetic.ntm (NetMonster)"


@pytest.mark.parametrize(
    ("letter", "technology"),
    [("G", "GSM"), ("W", "UMTS"), ("T", "UMTS"), ("L", "LTE"), ("N", "NR"), ("C", "CDMA")],
)
def test_netmonitor(tmp_path: Path, letter: str, technology: str) -> None:
    path = written(tmp_path, letter + NETMONITOR[1:], "synthetic.clf")
    cell = "7000-5376001"
    row = (f"45201-{technology}-{cell}", "45201", technology, cell, 11.94, 108.44, "Trạm thử", None, None)
    assert rows_of(path) == [row]


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        ([CLF_HEADER, CLF], ("45202-3101-7812", "45202", None, "3101-7812")),
        ([CLF_HEADER + ";;;;;;;;", "// note", "", CLF], ("45202-3101-7812", "45202", None, "3101-7812")),
        (
            [CLF_HEADER, "45202;0x1E84;0x0C1D;0x0002;11.94;108.44;-1;Trạm thử;0"],
            ("45202-3101-2-7812", "45202", None, "3101-2-7812"),
        ),
        ([CLF_HEADER, CLF.replace("07812", "1E84")], ("45202-3101-7812", "45202", None, "3101-7812")),
        (
            ["//cell list exchange format v2.1//", CLF.replace(";", "\t")],
            ("45202-3101-7812", "45202", None, "3101-7812"),
        ),
    ],
)
def test_clf(tmp_path: Path, lines: list[str], row: tuple) -> None:
    path = written(tmp_path, "\n".join(lines) + "\n", "synthetic.clf")
    assert rows_of(path) == [(*row, 11.94, 108.44, "Trạm thử", None, None)]
    assert source_of(path) == "synthetic.clf (CLF)"


@pytest.mark.parametrize(("azimuth", "told"), [("120", 120.0), ("0", None)])
def test_clf_of_version_4_tells_technology_and_azimuth(
    tmp_path: Path, azimuth: str, told: float | None
) -> None:
    line = f"45202;5376001;07000;0;11.94;108.44;-1;Trạm thử;4;T1_5376001;{azimuth};30;65;7;2;T1"
    path = written(tmp_path, f"//Cell List Exchange Format v4.0//\n{line}\n", "synthetic.clf")
    cell = "7000-5376001"
    assert rows_of(path) == [
        (f"45202-LTE-{cell}", "45202", "LTE", cell, 11.94, 108.44, "Trạm thử", None, told)
    ]


def test_the_cell_file_of_network_signal_guru(tmp_path: Path) -> None:
    path = written(tmp_path, NSG)
    assert rows_of(path) == [
        ("LTE-5376001", None, "LTE", "5376001", 11.94, 108.44, "Tram thu_1", None, 120.0)
    ]
    assert source_of(path) == "synthetic.csv (Network Signal Guru)"
    assert rows_of(written(tmp_path, NSG.replace(",120", ",-1")))[0][-1] is None


def test_a_table_in_vietnamese_keeps_its_words_and_one_of_cells_its_mast(tmp_path: Path) -> None:
    header = "Mã trạm;Tên trạm;Nhà mạng;Công nghệ;Mã cell;Vĩ độ;Kinh độ;Góc phương vị;Nguồn"
    lines = [
        "T1;Trạm thử;Viettel;3G/4G;2;11,94;108,44;240;sở",
        "T1;Trạm thử;Viettel;3G/4G;1;11,94;108,44;0;sở",
    ]
    path = written(tmp_path, "\n".join([header, *lines]))
    assert rows_of(path) == [
        ("T1", "Viettel", "3G/4G", cell, 11.94, 108.44, "Trạm thử", None, azimuth)
        for cell, azimuth in (("1", 0.0), ("2", 240.0))
    ]
    assert source_of(path) == "sở, synthetic.csv (table)"


def test_the_smallest_table_is_known_by_its_position(tmp_path: Path) -> None:
    path = written(tmp_path, "lat,lon,area\n11.94,108.44,Đức Trọng\n-90,180,\n90,-180,\n")
    assert [row[0] for row in rows_of(path)] == [
        "-90.00000,180.00000",
        "11.94000,108.44000",
        "90.00000,-180.00000",
    ]
    assert rows_of(path)[1][1:] == (None, None, None, 11.94, 108.44, None, None, None)


def test_a_point_layer_in_another_projection(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.gpkg"
    where = [shapely.Point(108.44, 11.94), shapely.MultiPoint([(108.5, 11.9)])]
    columns = {"Mã trạm": ["T1", "T2"], "Nhà mạng": ["Viettel", None], "note": ["", "Simulated"]}
    gpd.GeoDataFrame(columns, geometry=where, crs=4326).to_crs(5899).to_file(path)
    first, second = rows_of(path)
    assert (first[:3], second[:3]) == (("T1", "Viettel", None), ("T2", None, None))
    assert first[4:6] == pytest.approx((11.94, 108.44), abs=1e-6)
    assert second[4:6] == pytest.approx((11.9, 108.5), abs=1e-6)
    assert source_of(path) == "synthetic.gpkg (map layer), simulated"


def test_a_layer_of_anything_but_points_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(1, 1), shapely.box(1, 1, 2, 2)], crs=4326).to_file(path)
    with pytest.raises(PlacesRefused, match=r"data row 2, column geometry: “Polygon” is no point"):
        read_sites(path)


def test_what_is_simulated_stays_so_whichever_column_says_it(tmp_path: Path) -> None:
    own = written(tmp_path, "site_id,lat,lon,technology,source\nSIM-1,11.94,108.44,UMTS+LTE,simulated\n")
    assert source_of(own) == "simulated, synthetic.csv (table)"
    elsewhere = written(tmp_path, "lat,lon,ghi chú\n11.94,108.44,Simulated\n")
    assert source_of(elsewhere) == "synthetic.csv (table), simulated"


@pytest.mark.parametrize("position", ["0;0", "0.0;0.000", ";", "11.94;", "2147483647;2147483647"])
def test_rows_without_a_position_are_left_out_and_counted(tmp_path: Path, position: str) -> None:
    lost = NTM.replace("11.94;108.44", position)
    path = written(tmp_path, f"{lost}\n{NTM}\n{lost}\n", "synthetic.ntm")
    assert rows_of(path) == [NTM_ROW]
    (note,) = read_sites(path)[1]
    assert (note.code, note.en) == ("site_without_position", "Left out 2 rows of unknown position.")
    assert "Bỏ 2 dòng" in note.vi
    with pytest.raises(PlacesRefused, match="no row has a position"):
        read_sites(written(tmp_path, lost, "synthetic.ntm"))


@pytest.mark.parametrize("position", ["999.99999;999.99999", "NaN;NaN", "-1;-1"])
def test_what_a_clf_writes_for_an_unknown_position(tmp_path: Path, position: str) -> None:
    path = written(
        tmp_path, f"{CLF_HEADER}\n{CLF}\n{CLF.replace('11.94;108.44', position)}\n", "synthetic.clf"
    )
    assert len(rows_of(path)) == 1
    assert [note.code for note in read_sites(path)[1]] == ["site_without_position"]


def test_a_point_on_the_equator_or_the_meridian_is_a_position(tmp_path: Path) -> None:
    assert len(rows_of(written(tmp_path, "lat,lon\n0,108.44\n51.5,0\n"))) == 2


def test_repeated_rows_count_once(tmp_path: Path) -> None:
    path = written(tmp_path, f"{NTM}\n{NTM.replace(';300', ';6400')}\n", "synthetic.ntm")
    assert rows_of(path) == [NTM_ROW]
    assert [note.en for note in read_sites(path)[1]] == ["Left out 1 rows that repeat another."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lat,lon\n11.94,108.44\n108.44,11.94\n", r"row 3, column lat: “108.44” is off the globe"),
        ("lat,lon\n11.94,180.01\n", r"row 2, column lon: “180.01” is off the globe"),
        ("lat,lon\n11.94,108.44\nx,108\n", r"row 3, column lat: “x” is not a number"),
        ("lat,lon,azimuth\n11.94,108.44,360\n11.94,108.44,361\n", r"row 3, column azimuth_deg: “361.0”"),
        ("lat,lon,azimuth\n11.94,108.44,0/120/240\n", r"column azimuth_deg: “0/120/240” is not a number"),
        ("lat,lon,range\n11.94,108.44,-5\n", r"column range_m: “-5.0” is no range"),
        ("tên,số\nx,1\n", r"column lat is missing .*Vĩ độ"),
        ("", "the file is empty"),
        ("lat,lon,height\n11.94,108.44,1000.5\n", r"column height_m: “1000.5” is no antenna height"),
        ("lat,lon,height\n11.94,108.44,-1\n", r"column height_m: “-1.0” is no antenna height"),
        (
            "lat,lon,on_air\n11.94,108.44,\n11.94,108.44,31/02/2026\n",
            r"row 3, column on_air: .* is no day",
        ),
        ("lat,lon,planned\n11.94,108.44,sau Tết\n", r"column planned: “sau Tết” is no day"),
        (f"{CLF_HEADER}\n", "without any row"),
        (
            "//cell list exchange format v2.0//\n239731EF26202\tTrạm thử\n",
            r"data row 1.*2 fields.*3\.0 or 4\.0",
        ),
        (f"{NTM}\n{NTM};thừa\n", r"data row 2.*12 fields.*9 to 11"),
        (f"{MLS}\nLTE,452,4\n", r"data row 2.*3 fields"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PlacesRefused) as refusal:
        read_sites(written(tmp_path, text))
    assert re.search(says, refusal.value.en)
    assert refusal.value.vi.startswith("synthetic.csv")


@pytest.mark.parametrize(
    "data",
    ["Mã trạm; Trạm thử ".encode() + b"\xe1", b"\x1f\x8b\x08torn", gzip.compress(b"lat,lon", mtime=0)[:-9]],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "synthetic.csv").write_bytes(data)
    with pytest.raises(PlacesRefused, match=r"cannot be read as text|not whole UTF-8"):
        read_sites(tmp_path / "synthetic.csv")


CELLS = st.sampled_from(
    ["LTE", "4G", "L", "452", "4", "0", "-1", "11.94", "108.44", "91", "NaN", "inf", "1e999", "0x1E", "FFFF", "²",
     "2147483647", "Trạm", '"', '"a', "\x00", "", "lat", "lon", "Vĩ độ", "azimuth", "9" * 5000]
)  # fmt: skip
LINES = st.sampled_from([MLS_HEADER, MLS, NTM, NETMONITOR, CLF_HEADER, CLF, "lat,lon,cell"])
BUILT = st.lists(
    LINES | st.lists(CELLS, max_size=14).map(";".join) | st.lists(CELLS).map(",".join), max_size=5
)


@QUICK
@given(text=st.text() | BUILT.map("\n".join), name=st.sampled_from(["a.csv", "a.ntm", "a.clf", "a.gz", "a"]))
def test_any_text_gives_rows_within_the_contract_or_a_refusal(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        sites, _ = read_sites(tmp_path / name)
    except PlacesRefused as refusal:
        assert refusal.vi
        assert refusal.en
        return
    assert len(tables.check_frame(tables.SITES, sites)) > 0


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("2G/3G/4G", "GSM+UMTS+LTE"),
        ("4G, 3G", "UMTS+LTE"),
        ("2G-4G", "GSM+LTE"),
        ("UMTS+LTE", "UMTS+LTE"),
        ("HSPA+", "UMTS"),
        ("E-UTRAN", "LTE"),
        ("LTE-A", "LTE"),
        ("LTE 1800", "LTE"),
        ("CDMA", "CDMA"),
        ("viba", "viba"),
    ],
)
def test_words_for_the_technologies_of_a_mast(words: str, ours: str) -> None:
    assert technologies(words) == ours


def test_a_layer_of_sites_holds_operators_and_technologies_as_the_program_names_them(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    text = "Mã trạm,Nhà mạng,Công nghệ,Vĩ độ,Kinh độ\nT1,viettel,4G/3G,11.94,108.44\nT2,,,11.95,108.44\n"
    report = intake_places.add_places(workspace, "sites", written(tmp_path, text))
    assert (report.kind, report.rows, report.notes) == ("sites", 2, [])
    kept = tables.check_frame(tables.SITES, layers.load_table(workspace, "sites")).astype(object)
    named = kept[["operator", "technology"]]
    assert named.where(named.notna(), None).to_numpy().tolist() == [["45204", "UMTS+LTE"], [None, None]]


def test_the_command_adds_sites_and_tells_what_it_left_out(tmp_path: Path) -> None:
    written(tmp_path, f"{MLS}\n{MLS.replace('108.44,11.94', '0,0')}\n")
    command = [sys.executable, "-m", "coverage", "places", "add", "sites", "synthetic.csv", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert (report["kind"], report["rows"]) == ("sites", 1)
    assert [note["code"] for note in report["notes"]] == ["site_without_position"]
    refused = subprocess.run(
        [*command[:-2], written(tmp_path, "a,b\n1,2\n"), "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "Vĩ độ" in refused.stderr


@pytest.mark.parametrize("text", [f"{MLS_HEADER}\n{MLS}\n", NSG])
def test_masts_are_no_measurements_and_the_refusal_names_the_command(tmp_path: Path, text: str) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    with pytest.raises(FileRefused) as refusal:
        list(intake.ingest(workspace, written(tmp_path, text), Context()))
    assert "a list of radio masts" in refusal.value.en
    assert "phusong places add sites FILE" in refusal.value.en
    assert "phusong places add sites TỆP" in refusal.value.vi


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (MLS, "OpenCelliD/MLS"),
        (NTM, "NetMonster"),
        ("4G;452;04;1;2;3;2147483647;0;0;;2147483647", "NetMonster"),
        (NETMONITOR, "Netmonitor"),
        ("G;452;4;1;2;;;;;100;", "Netmonitor"),
        ("\ufeff" + CLF_HEADER, "CLF"),
        ("//Cell list exchange format v4.0//", "CLF"),
    ],
)
def test_lists_without_a_header_are_known_by_their_first_line(line: str, name: str) -> None:
    known, shape = list_of(line), shape_of(line)
    assert known is not None
    assert shape is not None
    assert known.name == name
    assert f"({name}), not measurements" in shape.en
    assert "places add sites" in shape.vi


@pytest.mark.parametrize(
    "line",
    [
        "",
        MLS_HEADER,
        "time,lat,lon,operator,technology,rsrp_dbm",
        "51.3112,9.4734,207,262,3,47314,18242853,-93,LTE,LTE,300,412",
        "LTE,452,4",
        "4G;452;04;1;2;3;4;-97",
        "L;Viettel;-97",
        "// a comment",
    ],
)
def test_other_lines_are_no_list_of_masts(line: str) -> None:
    assert shape_of(line) is None
    assert list_of(line) is None


def test_each_list_has_its_refusal() -> None:
    assert [shape.first_line for shape in FOREIGN_SHAPES] == [one.first_line for one in LISTS]


def test_the_same_rows_in_another_order_give_the_same_layer(tmp_path: Path) -> None:
    lines = [NTM, NTM.replace("183", "184"), NTM.replace("4G", "5G")]
    one = read_sites(written(tmp_path, "\n".join(lines), "synthetic.ntm"))[0]
    other = read_sites(written(tmp_path, "\n".join(reversed(lines)), "synthetic.ntm"))[0]
    pd.testing.assert_frame_equal(one, other)
