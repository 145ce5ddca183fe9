"""The crosswalk: exact, complete, and no village lost, however small or broken up."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage import hexes
from coverage.crosswalk import crosswalk, place_hexes
from coverage.projections import equal_area


def villages(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"village_id": [f"v{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs=4326
    )


blobs = st.builds(
    lambda lon, lat, size, points: shapely.convex_hull(
        shapely.MultiPoint([(lon + x * size, lat + y * size) for x, y in points]).buffer(size / 50)
    ),
    lon=st.floats(107.0, 109.0),
    lat=st.floats(10.5, 12.8),
    size=st.floats(1e-5, 0.05),
    points=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(blobs, min_size=1, max_size=4), st.sampled_from([8, 9]))
def test_shares_sum_to_one_and_areas_to_the_villages(shapes: list, resolution: int) -> None:
    frame = villages(*shapes)
    pairs = crosswalk(frame, resolution)
    shares = pairs.groupby("village_id")["village_share"].sum()
    areas = frame.set_index("village_id").to_crs(equal_area(frame)).area / 1e6
    assert set(shares.index) == set(frame["village_id"])
    assert shares.to_numpy() == pytest.approx(1.0, abs=1e-9)
    pd.testing.assert_series_equal(
        pairs.groupby("village_id")["area_km2"].sum(), areas, check_names=False, rtol=1e-9, atol=1e-15
    )


def test_a_village_in_two_parts_and_one_with_a_hole_keep_their_area() -> None:
    hole = shapely.box(108.0, 11.0, 108.05, 11.05) - shapely.box(108.01, 11.01, 108.03, 11.03)
    parts = shapely.union(shapely.box(108.1, 11, 108.11, 11.01), shapely.box(108.2, 11, 108.21, 11.01))
    pairs = crosswalk(villages(hole, parts), 9)
    assert pairs.groupby("village_id")["village_share"].sum().to_numpy() == pytest.approx(1.0)


def test_neighbouring_villages_share_a_hex_without_counting_ground_twice() -> None:
    pairs = crosswalk(
        villages(shapely.box(108, 11, 108.02, 11.02), shapely.box(108.02, 11, 108.04, 11.02)), 9
    )
    per_hex = pairs.groupby("hex")["area_km2"].sum()
    assert per_hex.max() < 0.125  # a res-9 hex here is 0.119 km²


def test_places_pool_their_hex_and_its_neighbours_or_the_whole_village() -> None:
    pairs = crosswalk(villages(shapely.box(108, 11, 108.02, 11.02)), 9)
    places = pd.DataFrame(
        {
            "place_id": ["v0/centre", "v0/polygon"],
            "village_id": ["v0", "v0"],
            "kind": ["centre", "polygon"],
            "lat": [11.01, float("nan")],
            "lon": [108.01, float("nan")],
        }
    )
    parts = pd.DataFrame(
        {"place_id": ["v0/s/1"] * 2, "hex": hexes.disk(hexes.of_point(11.015, 108.015, 9), 1)[:2]}
    )
    pooled = place_hexes(places, pairs, parts, 9, 1).groupby("place_id")["hex"].agg(set)
    assert pooled["v0/centre"] == set(hexes.disk(hexes.of_point(11.01, 108.01, 9), 1))
    assert pooled["v0/polygon"] == set(pairs["hex"])
    assert pooled["v0/s/1"] == {near for cell in parts["hex"] for near in hexes.disk(cell, 1)}


def test_a_village_without_a_shape_has_no_pair_and_stops_nobody() -> None:
    pairs = crosswalk(villages(shapely.box(108, 11, 108.02, 11.02), None), 9)
    assert set(pairs["village_id"]) == {"v0"}
    assert crosswalk(villages(None), 9).empty


@pytest.mark.parametrize("radius_deg", [0.0003, 0.001, 0.0015])
def test_a_hex_around_an_enclave_of_the_village_is_shared_ground(radius_deg: float) -> None:
    cell = hexes.of_point(11.95, 108.45, 9)
    enclave = hexes.polygons([cell])[0].centroid.buffer(radius_deg)
    pairs = crosswalk(villages(shapely.box(108.42, 11.92, 108.48, 11.98) - enclave, enclave), 9)
    assert pairs.loc[pairs["hex"] == cell, "village_id"].tolist() == ["v0", "v1"]
    assert pairs.loc[pairs["hex"] == cell, "area_km2"].sum() == pytest.approx(0.1185, abs=1e-3)
