"""H3 at the door: range checks, parents, disks, fills that lose nothing."""

from __future__ import annotations

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from coverage import hexes

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


@given(latitudes, longitudes, st.sampled_from([8, 9, 10]))
def test_agrees_with_the_reference_library(lat: float, lon: float, resolution: int) -> None:
    assert hexes.text(hexes.of_point(lat, lon, resolution)) == h3.latlng_to_cell(lat, lon, resolution)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(90.0001, 0), (91, 0), (-91, 0), (0, 180.0001), (0, 190), (float("nan"), 0), (0, float("inf"))],
)
def test_a_point_off_the_globe_never_reaches_h3(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="must not reach H3"):
        hexes.of_point(lat, lon, 9)


def test_points_on_the_edge_of_the_globe_are_points() -> None:
    edges = np.array([90.0, -90.0, 0.0, 0.0]), np.array([0.0, 0.0, 180.0, -180.0])
    assert hexes.valid_points(*edges).all()
    assert len(hexes.of_points(*edges, 9)) == 4


def test_parents_are_h3s_own() -> None:
    cell = hexes.of_points(np.array([11.94]), np.array([108.44]), 10)
    assert hexes.text(hexes.parents(cell, 8)[0]) == h3.cell_to_parent(hexes.text(cell[0]), 8)


def test_a_disk_is_the_hex_and_its_six_neighbours() -> None:
    cell = hexes.of_point(11.94, 108.44, 9)
    assert cell in hexes.disk(cell, 1)
    assert (len(hexes.disk(cell, 0)), len(hexes.disk(cell, 1))) == (1, 7)


def test_a_polygon_smaller_than_a_hex_still_has_its_hex() -> None:
    tiny = shapely.box(108.44, 11.94, 108.4401, 11.9401)
    assert hexes.of_point(11.94, 108.44, 9) in hexes.overlapping(tiny, 9)


def test_a_hex_with_a_hole_of_the_polygon_in_it_overlaps_all_the_same() -> None:
    cell = hexes.of_point(11.94, 108.44, 9)
    hole = hexes.polygons([cell])[0].centroid.buffer(0.0003)
    assert cell in hexes.overlapping(shapely.box(108.42, 11.92, 108.46, 11.96) - hole, 9)


def test_outlines_are_lon_lat() -> None:
    outline = hexes.polygons([hexes.of_point(11.94, 108.44, 9)])[0]
    assert outline.contains(shapely.Point(108.44, 11.94))


def test_hexes_are_in_an_area_by_their_middle() -> None:
    ring = shapely.Point(108.44, 11.94).buffer(0.03) - shapely.Point(108.44, 11.94).buffer(0.01)
    far = shapely.box(108.6, 11.9, 108.62, 11.92)
    found = hexes.centred_in(np.array([shapely.union_all([ring, far]), ring]), 9)
    assert (np.diff(found) > 0).all()
    every = np.array(hexes.overlapping(shapely.box(108.3, 11.8, 108.7, 12.1), 9))
    lat, lon = hexes.middles(every)
    points = shapely.points(lon, lat)
    expected = every[shapely.intersects(ring, points) | shapely.intersects(far, points)]
    assert found.tolist() == expected.tolist()


def test_an_area_without_any_middle_has_no_hex() -> None:
    assert hexes.centred_in(np.array([shapely.box(108.44, 11.94, 108.4401, 11.9401)]), 9).size == 0
    assert hexes.centred_in(np.array([], dtype=object), 9).size == 0


def test_around_is_every_disk_together() -> None:
    cells = np.array([hexes.of_point(11.9, 108.4, 9), hexes.of_point(11.901, 108.4, 9)])
    for rings in (0, 1, 2):
        every = {near for cell in cells for near in hexes.disk(int(cell), rings)}
        assert hexes.around(cells, rings).tolist() == sorted(every)
    assert hexes.around(np.empty(0, np.int64), 1).tolist() == []


@given(
    lat=st.floats(-80, 80),
    lon=st.floats(-170, 170),
    wide=st.floats(1e-5, 0.06),
    high=st.floats(1e-5, 0.03),
    resolution=st.sampled_from([8, 9]),
)
def test_near_a_polygon_are_all_hexes_that_share_its_ground(
    lat: float, lon: float, wide: float, high: float, resolution: int
) -> None:
    shape = shapely.Polygon([(lon, lat), (lon + wide, lat + high / 3), (lon + wide / 2, lat + high)])
    fill = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(shape), resolution, contain="overlap")
    found = set(hexes.overlapping(shape, resolution))
    assert found >= {h3.str_to_int(cell) for cell in fill}
    assert set(hexes.near(np.array([shape]), resolution)) >= found


def test_near_nothing_is_no_hex_and_far_parts_are_looked_at_each() -> None:
    assert len(hexes.near(np.array([], dtype=object), 9)) == 0
    islands = shapely.MultiPolygon([shapely.box(108, 11, 108.01, 11.01), shapely.box(112, 16, 112.01, 16.01)])
    assert len(hexes.near(np.array([islands]), 9)) < 200
