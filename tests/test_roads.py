"""Roads × hexes: exact lengths, and how much of a road is dead."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import LAT, LON, campaign, observe, row, rules, silent
from pyproj import Geod
from shapely import LineString, MultiLineString

from coverage import engine, evidence, hexes, roads, tables, verdicts

EARTH = Geod(ellps="WGS84")
VIETTEL, MOBIFONE = "45204", "45201"
NAMES = {VIETTEL: "Viettel"}


def layer(*lines: shapely.Geometry) -> gpd.GeoDataFrame:
    names = [f"R{number}" for number in range(len(lines))]
    columns = {"road_id": names, "road_name": names, "kind": "road", "source": "x"}
    return gpd.GeoDataFrame(columns, geometry=list(lines), crs="EPSG:4326")


def length_km(line: shapely.Geometry) -> float:
    return EARTH.geometry_length(line) / 1000


lons, lats = st.floats(107.0, 109.0), st.floats(10.5, 13.0)
bends = st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), min_size=1, max_size=12)


def walk(start: tuple[float, float], steps: list[tuple[float, float]]) -> LineString:
    return LineString(np.cumsum([start, *steps], axis=0))


@settings(max_examples=40, deadline=None)
@given(st.tuples(lons, lats), bends, st.sampled_from([8, 9]))
def test_lengths_add_up_and_every_piece_lies_in_its_hex(start: tuple, steps: list, resolution: int) -> None:
    line = walk(start, steps)
    if line.length == 0:
        return
    pieces = roads.road_hexes(layer(line), resolution)
    assert pieces["length_km"].sum() == pytest.approx(length_km(line), rel=1e-6)
    assert not pieces.duplicated(["road_id", "hex"]).any()
    outlines = hexes.polygons(pieces["hex"].to_numpy())
    for shape, outline in zip(pieces.geometry, outlines, strict=True):
        assert outline.buffer(1e-8).covers(shape)


@settings(max_examples=30, deadline=None)
@given(st.tuples(lons, lats), st.floats(0.001, 0.05), st.floats(0, 6.28))
def test_a_straight_road_has_in_each_hex_what_the_outline_says(
    start: tuple, reach: float, turn: float
) -> None:
    line = LineString([start, (start[0] + reach * np.cos(turn), start[1] + reach * np.sin(turn))])
    pieces = roads.road_hexes(layer(line), 9)
    expected = [
        length_km(part) for part in shapely.intersection(line, hexes.polygons(pieces["hex"].to_numpy()))
    ]
    np.testing.assert_allclose(pieces["length_km"], expected, atol=2e-6)


def test_a_road_along_a_border_is_counted_once() -> None:
    outline = hexes.polygons([hexes.of_point(LAT, LON, 9)])[0]
    border = LineString(outline.exterior.coords[:4])
    pieces = roads.road_hexes(layer(border), 9)
    assert pieces["length_km"].sum() == pytest.approx(length_km(border), rel=1e-6)


def test_points_drawn_twice_loops_and_several_parts_change_nothing() -> None:
    loop = LineString([(LON, LAT), (LON, LAT), (LON + 0.01, LAT), (LON + 0.01, LAT + 0.01), (LON, LAT)])
    far = LineString([(LON + 0.1, LAT), (LON + 0.11, LAT)])
    pieces = roads.road_hexes(layer(MultiLineString([loop, far]), far), 9)
    totals = pieces.groupby("road_id")["length_km"].sum()
    assert totals.tolist() == pytest.approx([length_km(loop) + length_km(far), length_km(far)], rel=1e-9)


# A straight road of about eight hexes along a parallel.
ROAD = LineString([(LON, LAT), (LON + 0.025, LAT)])


def judged(
    said: dict[int, tuple[str, int, int]], road: LineString = ROAD, operators=(VIETTEL,)
) -> gpd.GeoDataFrame:
    """The road's verdicts where its hexes, in order along it, were judged so: verdict, tests, fails for Viettel."""
    made = layer(road)
    pieces = roads.road_hexes(made, 9)
    order = along(pieces, road)
    rows = [(order[n], VIETTEL, *what) for n, what in said.items()]
    measured = pd.DataFrame(rows, columns=["hex", "operator", "verdict", "tests", "fails"]).astype(
        {"hex": np.int64}
    )
    found = roads.road_verdicts(made, pieces, measured, list(operators), NAMES)
    tables.check_frame(tables.ROAD_VERDICTS, found)
    five = found[["dead_km", "below_standard_km", "covered_km", "undecided_km", "unmeasured_km"]]
    np.testing.assert_allclose(five.sum(axis=1), found["length_km"], rtol=1e-9)
    np.testing.assert_allclose(found["length_km"], length_km(road), rtol=1e-6)
    return found


def along(pieces: gpd.GeoDataFrame, road: LineString = ROAD) -> list[int]:
    where = shapely.line_locate_point(road, shapely.centroid(pieces.geometry.to_numpy()))
    return pieces["hex"].to_numpy()[np.argsort(where)].tolist()


def lengths(*numbers: int) -> float:
    pieces = roads.road_hexes(layer(ROAD), 9).set_index("hex")["length_km"]
    order = along(roads.road_hexes(layer(ROAD), 9))
    return float(sum(pieces[order[number]] for number in numbers))


DEAD, FINE, POOR, THIN = (
    ("dead_zone", 6, 6),
    ("covered", 9, 0),
    ("below_standard", 9, 3),
    ("not_enough_evidence", 2, 1),
)


def test_what_nobody_measured_is_never_dead() -> None:
    found = judged({}, operators=(VIETTEL, MOBIFONE))
    assert found["operator_name"].tolist() == [MOBIFONE, "Viettel"]
    assert (found["unmeasured_km"] == found["length_km"]).all()
    assert (found[["dead_km", "longest_dead_km", "tests", "fails"]] == 0).all(axis=None)
    assert found.geometry.isna().all()


def test_each_hex_counts_with_its_length_of_road() -> None:
    (found,) = judged({0: DEAD, 1: DEAD, 2: FINE, 3: DEAD, 4: POOR, 5: THIN}).itertuples()
    assert found.dead_km == pytest.approx(lengths(0, 1, 3))
    assert found.covered_km == pytest.approx(lengths(2))
    assert found.below_standard_km == pytest.approx(lengths(4))
    assert found.undecided_km == pytest.approx(lengths(5))
    assert (found.tests, found.fails) == (6 * 3 + 9 + 9 + 2, 6 * 3 + 3 + 1)


def test_the_longest_dead_stretch_runs_without_a_gap_and_is_drawn() -> None:
    (found,) = judged({0: DEAD, 2: DEAD, 3: DEAD, 4: DEAD, 5: FINE, 6: DEAD}).itertuples()
    assert found.longest_dead_km == pytest.approx(lengths(2, 3, 4))
    assert len(shapely.get_parts(found.geometry)) == 3
    assert length_km(found.geometry) == pytest.approx(found.dead_km)
    assert ROAD.buffer(1e-9).covers(found.geometry)


def test_another_operators_verdicts_say_nothing() -> None:
    found = judged({0: DEAD}, operators=(MOBIFONE, VIETTEL)).set_index("operator")
    assert found.loc[MOBIFONE, ["dead_km", "tests"]].tolist() == [0, 0]
    assert found.loc[VIETTEL, "dead_km"] == pytest.approx(lengths(0))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 6), st.sampled_from([DEAD, FINE, POOR, THIN])), st.integers(0, 6))
def test_one_more_dead_hex_never_makes_a_road_less_dead(said: dict, more: int) -> None:
    before, after = judged(said).iloc[0], judged(said | {more: DEAD}).iloc[0]
    assert after["dead_km"] >= before["dead_km"] - 1e-12
    assert after["longest_dead_km"] >= before["longest_dead_km"] - 1e-12
    assert after["longest_dead_km"] <= after["dead_km"] + 1e-9


def test_tests_beside_the_road_in_its_hex_make_it_dead() -> None:
    # From measurements on: phones fail some 60 m beside the road in its second hex, and pass in its sixth.
    made = layer(ROAD)
    pieces = roads.road_hexes(made, 9)
    order = along(pieces)
    lat, lon = hexes.middles(np.array([order[1], order[5]]))
    rows = [
        *(
            one | {"lon": lon[0] + 0.0004 * (n // 5 % 3)}
            for n, one in enumerate(campaign(silent, days=3, lat=lat[0]))
        ),
        *campaign(row, devices=6, days=6, spots=1, lat=lat[1], lon=lon[1]),
    ]
    backend = engine.connect()
    tests = engine.load_frame(backend, "tests", observe(rows))
    measured = verdicts.judge(
        evidence.tests_by_place(tests, evidence.hexes_as_places(tests), rules()), rules()
    )
    measured["hex"] = measured["place_id"].astype("int64")
    (found,) = roads.road_verdicts(made, pieces, measured, [VIETTEL], NAMES).itertuples()
    assert found.dead_km == pytest.approx(lengths(1))
    assert found.covered_km == pytest.approx(lengths(5))
    assert found.unmeasured_km == pytest.approx(found.length_km - lengths(1, 5))
