"""The lists: which rows, in which order, and files that a GIS, a spreadsheet and a browser can open."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
import snapshots
from hypothesis import given
from hypothesis import strategies as st

from coverage import hexes, tables
from coverage.archive.snapshots import Snapshot
from coverage.errors import ContractBroken, InputError, NotFound
from coverage.exports import files, geojson, lists, summary

GAP_PROPERTIES = [
    *("gap_id", "village_id", "village_name", "commune_code", "commune_name", "operator", "operator_name"),
    *("status", "status_all_operators", "not_spot", "grid_status", "electrified", "power_source"),
    *("power_as_of", "power_evidence", "power_conflict", "households", "households_affected", "population"),
    *(
        "population_source",
        "population_affected",
        "population_undecided",
        "dead_share",
        "people_method",
        "boundary",
    ),
    *(
        "centre_verdict",
        "basis",
        "tests",
        "fails",
        "effective_tests",
        "devices",
        "occasions",
        "first_test_utc",
    ),
    *("last_test_utc", "median_rsrp_dbm", "no_service_share", "evidence_grade", "outage_tests"),
    *("claimed", "site_id", "site_distance_km", "site_terrain_blocks"),
    *("planned_site_id", "planned_site_distance_km", "planned_on_air"),
    *("status_at_105", "status_at_121", "sub_reason", "who_must_act", "priority", "reason", "reason_en"),
    *("criteria", "snapshot_id", "as_of", "simulated"),
]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshots.snapshot()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_synthetic_snapshot_keeps_the_contracts(snapshot):
    for table, frame in (
        (tables.VILLAGE_VERDICTS, snapshot.village_verdicts),
        (tables.HEX_VERDICTS, snapshot.hex_verdicts),
    ):
        tables.check(table, pa.Table.from_pandas(frame, preserve_index=False))
    assert set(snapshot.village_verdicts["status"]) == set(tables.STATUSES)
    assert set(snapshot.village_verdicts["list"].dropna()) == set(tables.LISTS)


@pytest.mark.parametrize("what", ["gaps", "no_power", "verify_power", "need_measurement"])
def test_a_list_holds_the_verdicts_that_name_it(snapshot, what):
    expected = snapshot.village_verdicts.query("list == @what")[["village_id", "operator"]]
    frame = lists.select(snapshot, what)
    assert set(zip(frame["village_id"], frame["operator"], strict=True)) == set(
        expected.itertuples(index=False, name=None)
    )
    assert len(frame) == len(expected) > 0
    assert frame.crs == "EPSG:4326"


def test_gaps_are_flat_in_the_promised_order_and_by_priority(snapshot):
    frame = lists.select(snapshot, "gaps")
    assert list(frame.columns[: len(GAP_PROPERTIES)]) == GAP_PROPERTIES
    assert frame["priority"].tolist() == list(range(1, len(frame) + 1))
    assert (frame["gap_id"] == frame["village_id"] + "-" + frame["operator"]).all()
    assert set(frame["snapshot_id"]) == {snapshot.info.snapshot_id}


def test_a_gap_is_drawn_as_its_dead_area(snapshot):
    frame = lists.select(snapshot, "gaps")
    areas = snapshot.dead_areas.set_index(["village_id", "operator"]).geometry
    for row in frame.itertuples():
        assert row.geometry.equals(areas[row.village_id, row.operator])


def test_a_gap_without_dead_area_is_a_fault_of_ours(snapshot):
    broken = dataclasses.replace(snapshot, dead_areas=snapshot.dead_areas.iloc[:0])
    with pytest.raises(ContractBroken):
        lists.select(broken, "gaps")


def test_villages_come_once_per_operator_with_their_own_shape(snapshot):
    frame = lists.select(snapshot, "villages")
    assert len(frame) == len(snapshot.villages) * len(snapshots.OPERATORS)
    shapes = snapshot.villages.set_index("village_id").geometry
    assert all(row.geometry.equals(shapes[row.village_id]) for row in frame.itertuples())
    assert "gap_id" not in frame.columns


def test_hexes_carry_their_index_as_text_and_their_outline(snapshot):
    frame = lists.select(snapshot, "hexes")
    assert len(frame) == len(snapshot.hex_verdicts)
    first = frame.iloc[0]
    centre = first.geometry.centroid
    assert first["hex"] == hexes.text(hexes.of_point(centre.y, centre.x, 9))


@pytest.mark.parametrize("operator", ["45204", "Viettel", "viettel"])
def test_an_operator_is_taken_by_code_or_name(snapshot, operator):
    for what in lists.LISTS:
        assert set(lists.select(snapshot, what, operator=operator)["operator"]) == {"45204"}


def test_commune_and_status_narrow_the_list(snapshot):
    frame = lists.select(snapshot, "villages", commune="24880", status="phu_song")
    assert set(frame["commune_code"]) == {"24880"}
    assert set(frame["status"]) == {"phu_song"}
    near = lists.select(snapshot, "hexes", commune="24880", status="dead_zone")
    area = snapshot.communes.set_index("commune_code").geometry["24880"]
    assert 0 < len(near) < len(lists.select(snapshot, "hexes", status="dead_zone"))
    assert near.intersects(area).all()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"what": "measurements"}, InputError),
        ({"what": "gaps", "operator": "45299"}, InputError),
        ({"what": "gaps", "status": "dead_zone"}, InputError),
        ({"what": "hexes", "status": "trang_song"}, InputError),
        ({"what": "gaps", "commune": "00000"}, NotFound),
    ],
)
def test_what_does_not_exist_is_said_in_both_languages(snapshot, arguments, error):
    with pytest.raises(error) as caught:
        lists.select(snapshot, **arguments)
    assert caught.value.vi != caught.value.en


def test_geojson_follows_rfc_7946(snapshot):
    document = json.loads(lists.to_bytes(lists.select(snapshot, "gaps"), "geojson"))
    assert document["type"] == "FeatureCollection"
    assert "crs" not in document
    assert document["criteria"] == snapshot.info.criteria
    for feature in document["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        for part in getattr(shape, "geoms", [shape]):
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)
        points = shapely.get_coordinates(shape)
        assert np.array_equal(points, np.round(points, 7))
        assert all(not isinstance(value, dict | list) for value in feature["properties"].values())


def test_geojson_says_what_is_missing_and_when(snapshot):
    content = lists.to_bytes(lists.select(snapshot, "villages"), "geojson")
    assert b"NaN" not in content
    found = {f["id"]: f["properties"] for f in json.loads(content)["features"]}
    tested = next(p for p in found.values() if p["tests"])
    untested = next(p for p in found.values() if not p["tests"])
    assert tested["last_test_utc"] == "2026-09-20T08:15:30Z"
    assert untested["last_test_utc"] is untested["median_rsrp_dbm"] is untested["priority"] is None
    assert {p["electrified"] for p in found.values()} == {True, False, None}
    assert {p["power_as_of"] for p in found.values()} == {"2026-06-30", None}


def test_geojson_turns_rings_and_keeps_missing_shapes():
    clockwise = shapely.Polygon([(0, 0), (0, 3), (3, 3), (3, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    shapes = np.array([clockwise, None, shapely.Point(108.123456789, 11.5)], dtype=object)
    ring, missing, point = geojson.geometries(shapes, 7)
    turned = shapely.geometry.shape(ring)
    assert turned.exterior.is_ccw
    assert not turned.interiors[0].is_ccw
    assert missing is None
    assert point["coordinates"] == (108.1234568, 11.5)


def test_an_empty_list_is_still_a_file(snapshot, tmp_path):
    frame = lists.select(snapshot, "gaps", status="lom_song", commune="24778").iloc[:0]
    assert json.loads(lists.to_bytes(frame, "geojson"))["features"] == []
    assert rows(lists.to_bytes(frame, "csv")) == []
    path = lists.write(frame, tmp_path / "empty.gpkg", "gpkg")
    assert len(gpd.read_file(path)) == 0


def test_csv_opens_in_a_spreadsheet(snapshot):
    frame = lists.select(snapshot, "villages")
    content = lists.to_bytes(frame, "csv")
    assert content.startswith(b"\xef\xbb\xbf")
    table = rows(content)
    assert [row["village_name"].removeprefix("'") for row in table] == frame["village_name"].tolist()
    assert float(table[0]["lat"]) == pytest.approx(frame.geometry.iloc[0].centroid.y, abs=1e-6)
    assert float(table[0]["lon"]) == pytest.approx(frame.geometry.iloc[0].centroid.x, abs=1e-6)
    levels = [row["median_rsrp_dbm"] for row in table if row["median_rsrp_dbm"]]
    assert all(float(level) < 0 for level in levels)
    assert "'=HYPERLINK(1)" in {row["village_name"] for row in table}
    assert {row["electrified"] for row in table} == {"true", "false", ""}


@given(st.text())
def test_no_text_cell_starts_a_formula(text):
    safe = files.formula_safe(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert safe in (text, f"'{text}")


@pytest.mark.parametrize("what", lists.LISTS)
def test_geopackage_comes_back_equal(snapshot, tmp_path, what):
    frame = lists.select(snapshot, what)
    path = lists.write(frame, tmp_path / "list.gpkg", "gpkg")
    assert pyogrio.list_layers(path)[0][0] == what
    back = gpd.read_file(path)
    assert len(back) == len(frame)
    assert back.crs == "EPSG:4326"
    assert list(back.columns) == list(frame.columns)
    assert back["operator"].tolist() == frame["operator"].tolist()
    assert back["tests"].tolist() == frame["tests"].tolist()
    if "last_test_utc" not in frame:
        return
    known = frame["last_test_utc"].notna()
    assert (back["last_test_utc"].notna() == known).all()
    times = back.loc[known, "last_test_utc"].dt.tz_convert("UTC").dt.strftime("%F %T")
    assert times.tolist() == frame.loc[known, "last_test_utc"].dt.strftime("%F %T").tolist()


def test_an_unknown_format_is_refused_and_nothing_is_written(snapshot, tmp_path):
    with pytest.raises(InputError) as caught:
        lists.write(lists.select(snapshot, "gaps"), tmp_path / "gaps.dxf", "dxf")
    assert "geojson" in caught.value.vi
    assert list(tmp_path.iterdir()) == []


def test_the_province_table_equals_an_independent_count(snapshot):
    verdicts = snapshot.village_verdicts
    expected: dict[tuple[str, str], set[str]] = {}
    difficult: set[str] = set(verdicts.loc[verdicts["especially_difficult"].eq(True), "village_id"])
    for village, group in verdicts.groupby("village_id"):
        status = group["status_all_operators"].iloc[0]
        listed = set(group["list"].dropna())
        if status in ("trang_song", "lom_song"):
            power = next(name for name in ("gaps", "verify_power", "no_power") if name in listed)
            expected.setdefault((status, power), set()).add(village)
        else:
            expected.setdefault((status, "all"), set()).add(village)
    table = summary.province_table(snapshot).set_index("status")
    assert table.index.tolist() == list(tables.STATUSES)
    columns = {"gaps": "electrified", "no_power": "not_electrified", "verify_power": "power_unknown"}
    for (status, key), villages in expected.items():
        assert table.loc[status, columns.get(key, "villages")] == len(villages)
        if key in columns:
            assert table.loc[status, f"{columns[key]}_difficult"] == len(villages & difficult)
    assert table["villages"].sum() == len(snapshot.villages)
    assert table.loc["phu_song", ["electrified", "not_electrified", "power_unknown"]].isna().all()


def test_the_province_table_counts_a_village_once(snapshot):
    verdicts = snapshot.village_verdicts.copy()
    dead = verdicts["status_all_operators"] == "trang_song"
    village = verdicts.loc[dead, "village_id"].iloc[0]
    mine = verdicts.index[verdicts["village_id"] == village]
    verdicts.loc[mine, "list"] = ["no_power", "gaps", "verify_power"]
    before = summary.province_table(snapshot).set_index("status")["villages"]
    after = summary.province_table(dataclasses.replace(snapshot, village_verdicts=verdicts))
    assert after.set_index("status")["villages"].equals(before)


def test_villages_without_verdicts_count_as_not_measured(snapshot):
    bare = dataclasses.replace(snapshot, village_verdicts=snapshot.village_verdicts.iloc[:0])
    table = summary.province_table(bare).set_index("status")["villages"]
    assert table["chua_co_du_lieu"] == len(snapshot.villages)
    assert table.sum() == len(snapshot.villages)


def test_the_terminal_tells_claims_and_roads_where_there_are_any(snapshot):
    text = summary.as_text(snapshot)
    assert "75.0% (48.0%–92.0%)" in text
    assert re.search(r"Viettel +12\.0 +3\.0 +5\.0 +1\.0 +2\.0", text)
    bare = dataclasses.replace(
        snapshot, reliability=snapshot.reliability.iloc[:0], road_verdicts=snapshot.road_verdicts.iloc[:0]
    )
    assert "declared coverage" not in summary.as_text(bare)
    assert "roads" not in summary.as_text(bare)
