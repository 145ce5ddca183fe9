"""Hints of power: lines within reach, lights above the floor, notices of the utility; and what says nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from test_places_rasters import DEG, cleaned

from coverage import criteria, tables
from coverage.places.power.hints import from_lights, from_lines, from_outages
from coverage.places.power.lines import read_lines

GROUND = criteria.parse(criteria.default_text(), "vietnam.toml").ground
UTM = "EPSG:32649"
EAST, NORTH = 300_000.0, 1_320_000.0


def lines(*rows: tuple[object, float]) -> gpd.GeoDataFrame:
    # Lines 10 km long that pass so many metres north of the village; points where the geometry is given.
    shapes = [
        shapely.Point(EAST, NORTH + offset)
        if kind == "transformer"
        else shapely.LineString([(EAST - 5000, NORTH + offset), (EAST + 5000, NORTH + offset)])
        for kind, _, offset in rows
    ]
    frame = gpd.GeoDataFrame(
        {
            "kind": [kind for kind, _, _ in rows],
            "voltage_kv": np.array([kv for _, kv, _ in rows], dtype=float),
            "source": "bản đồ",
        },
        geometry=shapes,
        crs=UTM,
    )
    return frame.to_crs("EPSG:4326")


def points(*offsets: float) -> pd.DataFrame:
    there = gpd.GeoSeries([shapely.Point(EAST, NORTH + each) for each in offsets], crs=UTM).to_crs(
        "EPSG:4326"
    )
    return pd.DataFrame({"village_id": "v1", "lat": there.y, "lon": there.x})


def hints(frame: pd.DataFrame) -> list[str]:
    checked = tables.check_frame(tables.POWER, frame)
    assert (checked["evidence"] == "inferred").all()
    assert (checked["grid_status"] == "national_grid").all()
    return checked["source"].tolist()


@pytest.mark.parametrize(
    ("kind", "kv", "away_m", "says"),
    [
        ("line", 22.0, 350.0, "đường dây 22 kV cách 350 m (bản đồ)"),
        ("transformer", 0.4, 20.0, "trạm biến áp 0,4 kV cách 20 m (bản đồ)"),
        ("line", np.nan, 999.0, "đường dây cách 999 m (bản đồ)"),
        ("line", 35.0, 10.0, "đường dây 35 kV cách 10 m (bản đồ)"),
        ("line", 35.1, 10.0, None),
        ("line", 110.0, 0.0, None),
        ("line", 22.0, 999.9, "đường dây 22 kV cách 1000 m (bản đồ)"),
        ("line", 22.0, 1000.1, None),
    ],
)
def test_only_a_distribution_line_within_reach_hints(
    kind: str, kv: float, away_m: float, says: str | None
) -> None:
    found = hints(from_lines(lines((kind, kv, away_m)), points(0.0), GROUND))
    assert found == ([] if says is None else [says])


def test_the_nearest_of_all_lines_to_any_point_of_the_village_speaks() -> None:
    many = lines(("line", 110.0, 0.0), ("line", 22.0, 600.0), ("transformer", 22.0, 900.0))
    two_villages = pd.concat([points(0.0, 800.0), points(0.0).assign(village_id="v2")], ignore_index=True)
    found = from_lines(many, two_villages, GROUND).set_index("village_id")["source"]
    assert found["v1"] == "trạm biến áp 22 kV cách 100 m (bản đồ)"
    assert found["v2"] == "đường dây 22 kV cách 600 m (bản đồ)"


def test_without_lines_or_places_nothing_is_said() -> None:
    assert hints(from_lines(lines(("line", 22.0, 0.0))[:0], points(0.0), GROUND)) == []
    assert hints(from_lines(lines(("line", 22.0, 0.0)), points(0.0).assign(lat=np.nan), GROUND)) == []


@pytest.mark.realdata
def test_real_lines_hint_at_the_places_they_join(real_data: Path) -> None:
    grid = read_lines(real_data / "power/grid.geojson")
    ends = pd.DataFrame(  # Gatara lies on a 30 kV line, Rwegura also on one of 110 kV, the last nowhere near
        {
            "village_id": ["gatara", "rwegura", "far"],
            "lat": [-2.98889, -2.93194, -3.3],
            "lon": [29.65, 29.51944, 30.7],
        }
    )
    found = from_lines(grid, ends, GROUND).set_index("village_id")["source"]
    assert set(found.index) == {"gatara", "rwegura"}
    assert found.str.startswith("đường dây 30 kV cách 0 m").all()


def test_lights_hint_from_the_floor_on(tmp_path: Path) -> None:
    floor = np.float32(GROUND.lit_nw_cm2_sr)
    values = np.full((10, 40), 0.0, "float32")
    values[:, 0:10], values[:, 10:20], values[:, 20:30] = floor, floor - 0.001, 1.234
    values[:, 30:] = np.nan
    raster = cleaned(tmp_path, values, "nightlights")
    west = [108 + number * 10 * DEG for number in range(4)]
    shapes = gpd.GeoDataFrame(
        {"village_id": ["at", "under", "over", "unknown"]},
        geometry=[shapely.box(x + DEG, 12 - 9 * DEG, x + 9 * DEG, 12 - DEG) for x in west],
        crs="EPSG:4326",
    )
    found = from_lights(raster, shapes, GROUND, "VIIRS 2025", date(2025, 12, 31))
    assert hints(found) == [
        "ánh sáng đêm 0,5 nW/cm²·sr (VIIRS 2025)",
        "ánh sáng đêm 1,23 nW/cm²·sr (VIIRS 2025)",
    ]
    assert found["village_id"].tolist() == ["at", "over"]
    assert set(found["as_of"]) == {date(2025, 12, 31)}
    assert hints(from_lights(raster, shapes[1:2], GROUND, "VIIRS", None)) == []


def outages(*rows: dict) -> pd.DataFrame:
    one = {"village_id": "v1", "commune_code": None, "operator": None, "source": "Điện lực Đam Rông"}
    when = {"from_utc": pd.Timestamp("2026-03-01 01:00"), "until_utc": pd.Timestamp("2026-03-01 09:00")}
    return tables.check_frame(tables.OUTAGES, pd.DataFrame([one | when | row for row in rows]))


@pytest.mark.parametrize(
    ("source", "evidence"),
    [
        *(("Điện lực Đam Rông", "utility"), ("EVN SPC", "utility"), ("EVNSPC", "utility")),
        *(("PC Lâm Đồng", "utility"), ("thông báo của điện lực huyện", "utility")),
        *(
            ("UBND xã", "inferred"),
            ("app người dùng", "inferred"),
            ("Sở KHCN", "inferred"),
            ("evening", "inferred"),
        ),
    ],
)
def test_a_notice_of_the_utility_proves_and_others_hint(source: str, evidence: str) -> None:
    found = tables.check_frame(tables.POWER, from_outages(outages({"source": source}), 7.0))
    assert found[["village_id", "grid_status", "evidence"]].to_numpy().tolist() == [
        ["v1", "national_grid", evidence]
    ]
    assert source in found["source"][0]


def test_network_failures_and_cuts_of_a_whole_commune_say_nothing_of_a_village() -> None:
    rows = outages({"operator": "45204"}, {"village_id": None, "commune_code": "24823"})
    assert tables.check_frame(tables.POWER, from_outages(rows, 7.0)).empty
    nothing = tables.schema(tables.OUTAGES).empty_table().to_pandas()
    assert tables.check_frame(tables.POWER, from_outages(nothing, 7.0)).empty


def test_the_newest_cut_counts_by_its_local_date() -> None:
    rows = outages(
        {},
        {"from_utc": pd.Timestamp("2026-03-31 17:30"), "until_utc": pd.Timestamp("2026-03-31 20:00")},
        {
            "source": "UBND xã",
            "from_utc": pd.Timestamp("2026-03-02"),
            "until_utc": pd.Timestamp("2026-03-03"),
        },
    )
    found = from_outages(rows, 7.0).set_index("evidence")
    assert found["source"].str.extract(r"(\d{4}-\d\d-\d\d)")[0].to_dict() == {
        "utility": "2026-04-01", "inferred": "2026-03-02",
    }  # fmt: skip
    assert found["as_of"].isna().all()  # a notice does not overtake a count
