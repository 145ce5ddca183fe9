"""Territories derived from points: nearest village within its commune, settled land only, no ground twice."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import rules

from coverage import hexes
from coverage.places.territories import with_territories
from coverage.projections import equal_area

WEST, EAST = shapely.box(108.0, 11.0, 108.1, 11.1), shapely.box(108.1, 11.0, 108.2, 11.1)
COMMUNES = gpd.GeoDataFrame(
    {"commune_code": ["w", "e"], "commune_name": ["Tây", "Đông"], "source": "t"},
    geometry=[WEST, EAST],
    crs=4326,
)
NO_CLUSTERS = pd.DataFrame({"village_id": [], "cluster_id": [], "lat": [], "lon": []}).astype(
    {"village_id": object, "cluster_id": object}
)


SETTLED = hexes.around(np.array([hexes.of_point(11.05, 108.05, 9)]), 30)


def villages(*rows: tuple[str, str | None, shapely.Geometry | None]) -> gpd.GeoDataFrame:
    names, communes, shapes = zip(*rows, strict=True)
    table = {"village_id": names, "commune_code": communes, "centre_lat": np.nan, "centre_lon": np.nan}
    return gpd.GeoDataFrame(
        pd.DataFrame(table).astype({"commune_code": object}), geometry=list(shapes), crs=4326
    )


def laid_out(
    frame: gpd.GeoDataFrame, clusters: pd.DataFrame = NO_CLUSTERS, **given: object
) -> gpd.GeoDataFrame:
    options = {"communes": COMMUNES, "settled": None, "resolution": 9, "ground": rules().ground} | given
    return with_territories(frame, clusters, **options).set_index("village_id")


def area_m2(shapes: gpd.GeoSeries) -> pd.Series:
    return shapes.to_crs(equal_area(shapes)).area


def test_a_lonely_village_has_the_disc_around_its_point() -> None:
    found = laid_out(villages(("a", "w", shapely.Point(108.05, 11.05))))
    assert found.loc["a", "boundary"] == "derived"
    assert area_m2(found.geometry)["a"] == pytest.approx(np.pi * 1000**2, rel=0.02)


def test_a_given_polygon_stays_and_its_ground_is_nobody_elses() -> None:
    home = shapely.box(108.05, 11.05, 108.06, 11.06)
    found = laid_out(villages(("given", "w", home), ("point", "w", shapely.Point(108.062, 11.055))))
    assert found.loc["given", "boundary"] == "given"
    assert found.geometry["given"].equals(home)
    assert found.geometry["point"].intersection(home).area == pytest.approx(
        0, abs=1e-9
    )  # 12 m²: straight lines of two maps differ


def test_ground_goes_to_the_nearest_village_and_stops_at_the_commune() -> None:
    a, b, c = shapely.Point(108.094, 11.05), shapely.Point(108.099, 11.05), shapely.Point(108.104, 11.05)
    found = laid_out(villages(("a", "w", a), ("b", "w", b), ("c", "e", c)))
    assert found.geometry["a"].bounds[2] == pytest.approx(108.0965, abs=2e-5)  # half way to b
    assert found.geometry["b"].bounds[2] <= 108.1 + 1e-9  # the border, though c is nearer beyond it
    assert found.geometry["c"].bounds[0] >= 108.1 - 1e-9
    whole = found.geometry.to_numpy()
    assert shapely.union_all(whole).area == pytest.approx(shapely.area(whole).sum(), rel=1e-6)


def test_clusters_carry_their_village_with_them() -> None:
    clusters = pd.DataFrame({"village_id": ["a"], "cluster_id": ["k"], "lat": [11.08], "lon": [108.05]})
    found = laid_out(
        villages(("a", "w", shapely.Point(108.02, 11.02)), ("b", "w", shapely.Point(108.05, 11.05))), clusters
    )
    assert found.geometry["a"].contains(shapely.Point(108.05, 11.08))
    assert len(shapely.get_parts(found.geometry["a"])) == 2


def test_with_a_raster_only_settled_hexes_and_the_points_own_are_territory() -> None:
    point, hamlet = shapely.Point(108.05, 11.05), hexes.of_point(11.08, 108.02, 9)
    found = laid_out(villages(("a", "w", point)), settled=np.array([hamlet]))
    own = hexes.polygons([hexes.of_point(11.05, 108.05, 9), hamlet])
    assert found.geometry["a"].symmetric_difference(shapely.union_all(own)).area < 1e-9


def test_who_cannot_be_placed_has_no_shape_and_is_not_lost() -> None:
    found = laid_out(villages(("a", "w", None), ("b", None, shapely.Point(108.05, 11.05))))
    assert found["boundary"].to_dict() == {"a": "none", "b": "derived"}
    assert found.geometry["a"] is None


def test_two_villages_at_one_point_part_its_ground() -> None:
    spot = shapely.Point(108.05, 11.05)
    found = laid_out(villages(("a", "w", spot), ("b", "w", spot)))
    areas = area_m2(found.geometry)
    assert areas["a"] == pytest.approx(areas["b"], rel=0.01)
    assert areas.sum() == pytest.approx(np.pi * 1000**2, rel=0.02)


def test_a_mistyped_code_moves_nobodys_ground() -> None:
    a, b = shapely.Point(108.03, 11.05), shapely.Point(108.06, 11.05)
    right = laid_out(villages(("a", "w", a), ("b", "w", b)), settled=SETTLED)
    for wrong in ("e", "unheard of", None):
        found = laid_out(villages(("a", wrong, a), ("b", "w", b)), settled=SETTLED)
        assert shapely.equals(found.geometry.to_numpy(), right.geometry.to_numpy()).all()


def test_outside_all_communes_ground_ends_at_the_radius_and_at_the_communes() -> None:
    found = laid_out(villages(("a", "w", shapely.Point(107.9999, 11.05))), settled=SETTLED)
    assert area_m2(found.geometry)["a"] < np.pi * 1000**2
    assert found.geometry["a"].intersection(WEST).area < 1e-9


def test_without_communes_nobody_takes_anothers_ground() -> None:
    spots = [(f"v{i}", f"code {i}", shapely.Point(108.03 + 0.004 * i, 11.05)) for i in range(5)]
    found = laid_out(villages(*spots), communes=COMMUNES.iloc[:0])
    shapes = found.geometry.to_numpy()
    assert shapely.union_all(shapes).area == pytest.approx(shapely.area(shapes).sum(), rel=1e-6)


def test_beside_villages_that_nobody_can_place_ground_ends_at_the_radius() -> None:
    placed = ("a", "w", shapely.Point(108.05, 11.05))
    alone = area_m2(laid_out(villages(placed), settled=SETTLED).geometry)["a"]
    beside = area_m2(laid_out(villages(placed, ("b", "w", None)), settled=SETTLED).geometry.dropna())["a"]
    elsewhere = area_m2(laid_out(villages(placed, ("b", "e", None)), settled=SETTLED).geometry.dropna())["a"]
    assert beside == pytest.approx(np.pi * 1000**2, rel=0.02)
    assert alone == pytest.approx(elsewhere)
    assert alone > 5 * beside


def test_a_point_inside_anothers_boundary_has_no_ground_and_is_not_lost() -> None:
    home = shapely.box(108.0, 11.0, 108.1, 11.1)
    found = laid_out(villages(("given", "w", home), ("a", "w", shapely.Point(108.05, 11.05))))
    assert found["boundary"].to_dict() == {"given": "given", "a": "none"}


points = st.builds(shapely.Point, st.floats(108.001, 108.199), st.floats(11.001, 11.099))


@settings(max_examples=30, deadline=None)
@given(st.lists(points, min_size=1, max_size=12))
def test_territories_never_overlap_and_hold_their_points(spots: list[shapely.Point]) -> None:
    rows = [(f"v{i}", "w" if spot.x < 108.1 else "e", spot) for i, spot in enumerate(spots)]
    found = laid_out(villages(*rows))
    shapes = found.geometry.to_numpy()
    assert not (shapely.is_empty(shapes) | shapely.is_missing(shapes)).any()
    assert shapely.is_valid(shapes).all()
    assert shapely.union_all(shapes, grid_size=1e-10).area == pytest.approx(
        shapely.area(shapes).sum(), rel=1e-5
    )
    near = shapely.distance(shapes, np.array(spots))
    assert near.max() < 1e-5
