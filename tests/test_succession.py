"""Which village of one list went on as which of another: each threshold, what is no kinship, and any partition of the ground."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pytest
import shapely
from conftest import examples
from hypothesis import strategies as st
from pyproj import Geod

from coverage.exports.succession import COLUMNS, LEAST_SHARE, SAME_NAME_M, SAME_PLACE_M, succession
from coverage.places.communes.links import packaged_links

LON, LAT, STEP = 108.2, 12.0, 0.01
# id, shape or (lat, lon) or None, name, commune
Village = tuple[str, Any, str, str | None]


def villages(*rows: Village) -> gpd.GeoDataFrame:
    """VILLAGES of ids with a given boundary, with a point only, or without any place."""
    table, shapes = [], []
    for village_id, where, name, commune in rows:
        drawn = isinstance(where, shapely.Geometry)
        lat, lon = (None, None) if drawn or where is None else where
        shapes.append(where if drawn else None)
        table.append(
            {"village_id": village_id, "village_name": name, "commune_code": commune}
            | {"centre_lat": lat, "centre_lon": lon, "boundary": "given" if drawn else "none"}
        )
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326).astype(
        {"centre_lat": float, "centre_lon": float, "commune_code": object}
    )


def drawn(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return villages(*[(village_id, shape, village_id, "24877") for village_id, shape in shapes.items()])


def cells(*places: tuple[float, float]) -> shapely.Geometry:
    """The squares with these corners, in steps from the south-west, as one shape."""
    squares = [
        shapely.box(LON + STEP * x, LAT + STEP * y, LON + STEP * (x + 1), LAT + STEP * (y + 1))
        for x, y in places
    ]
    return shapely.union_all(squares)


def kin(before: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> set[tuple[str, str, str]]:
    found = succession(before, now)
    assert found.columns.tolist() == list(COLUMNS)
    back = succession(now, before)
    pairs = set(zip(found["village_id_before"], found["village_id"], strict=True))
    assert {
        (one, other) for other, one in zip(back["village_id_before"], back["village_id"], strict=True)
    } == pairs
    return set(zip(found["village_id_before"], found["village_id"], found["kind"], strict=True))


def away(metres: float) -> tuple[float, float]:
    lon, lat, _ = Geod(ellps="WGS84").fwd(LON, LAT, 0, metres)
    return lat, lon


HERE = (LAT, LON)


def strip(first: float, last: float) -> shapely.Geometry:
    """Ground from one place eastwards to another in steps, with a corner at each whole step: shares are exact."""
    inner = {place / 100 for place in range(401)}
    stops = sorted({first, last, *[one for one in inner if first < one < last]})
    lons = [LON + STEP * stop for stop in stops]
    south, north = [(lon, LAT) for lon in lons], [(lon, LAT + STEP) for lon in reversed(lons)]
    return shapely.Polygon([*south, *north])


@pytest.mark.parametrize(
    ("first", "is_kin"), [(LEAST_SHARE + 0.01, False), (LEAST_SHARE, True), (LEAST_SHARE - 0.01, True)]
)
def test_half_of_the_smaller_village_makes_kin(first: float, is_kin: bool) -> None:
    larger = strip(first, 3)
    assert kin(drawn(a=strip(0, 1)), drawn(c=larger)) == ({("a", "c", "recoded")} if is_kin else set())
    assert kin(drawn(c=larger), drawn(a=strip(0, 1))) == ({("c", "a", "recoded")} if is_kin else set())


@pytest.mark.parametrize(("won", "is_kin"), [(0.49, False), (0.5, True), (0.51, True)])
def test_a_village_that_stays_is_kin_by_the_ground_it_won(won: float, is_kin: bool) -> None:
    before = drawn(a=strip(1, 2), b=strip(0, 1))
    found = kin(before, drawn(a=strip(1 - won, 2)))
    assert found == ({("a", "a", "merged"), ("b", "a", "merged")} if is_kin else set())


@pytest.mark.parametrize(
    ("metres", "is_kin"), [(SAME_NAME_M - 1, True), (SAME_NAME_M, True), (SAME_NAME_M + 1, False)]
)
def test_the_same_name_in_the_same_commune_makes_kin_nearby(metres: float, is_kin: bool) -> None:
    before, now = (
        villages((i, at, name, "24877"))
        for i, at, name in (("a", HERE, "Thôn 1"), ("c", away(metres), "thon 01"))
    )
    assert kin(before, now) == ({("a", "c", "recoded")} if is_kin else set())


@pytest.mark.parametrize(
    ("metres", "is_kin"), [(SAME_PLACE_M - 1, True), (SAME_PLACE_M, True), (SAME_PLACE_M + 1, False)]
)
def test_one_centre_makes_kin_whatever_the_name(metres: float, is_kin: bool) -> None:
    before, now = villages(("a", HERE, "Buôn Cũ", "1")), villages(("c", away(metres), "Thôn Mới", "1"))
    assert kin(before, now) == ({("a", "c", "recoded")} if is_kin else set())
    twin = ("b", away(10), "Buôn Đôi", "1")
    assert (
        kin(villages(("a", HERE, "Buôn Cũ", "1"), twin), villages(("c", away(metres), "Thôn Mới", "1"), twin))
        == set()
    )


def test_of_three_centres_nobody_knows_which_two_are_one() -> None:
    far, middle, near = (("a", away(80), "A", "1"), ("c", away(40), "C", "1"), ("b", HERE, "B", "1"))
    assert kin(villages(far, near), villages(middle)) == set()
    assert kin(villages(middle), villages(far, near)) == set()


def test_a_large_village_that_lost_some_ground_did_not_go_into_a_small_one() -> None:
    before = drawn(b=strip(0, 3), a=strip(3, 3.5))
    assert kin(before, drawn(a=strip(2, 3.5))) == set()
    assert kin(before, drawn(a=strip(1.5, 3.5))) == {("a", "a", "merged"), ("b", "a", "merged")}


def test_merged_split_redrawn() -> None:
    one, other, both = cells((0, 0)), cells((1, 0)), cells((0, 0), (1, 0))
    assert kin(drawn(a=one, b=other), drawn(c=both)) == {("a", "c", "merged"), ("b", "c", "merged")}
    assert kin(drawn(c=both), drawn(a=one, b=other)) == {("c", "a", "split"), ("c", "b", "split")}
    assert kin(drawn(a=one, b=other), drawn(a=both)) == {("a", "a", "merged"), ("b", "a", "merged")}
    assert kin(drawn(a=both), drawn(a=one, b=other)) == {("a", "a", "split"), ("a", "b", "split")}
    rows = {"w": cells((0, 0), (0, 1)), "e": cells((1, 0), (1, 1))}
    columns = {"s": cells((0, 0), (1, 0)), "n": cells((0, 1), (1, 1))}
    assert {kind for *_, kind in kin(drawn(**rows), drawn(**columns))} == {"redrawn"}
    assert len(kin(drawn(**rows), drawn(**columns))) == 4


def test_families_are_told_apart() -> None:
    before = drawn(a=cells((0, 0)), b=cells((1, 0)), x=cells((5, 5)), stays=cells((3, 3)))
    now = drawn(c=cells((0, 0), (1, 0)), y=cells((5, 5)), stays=cells((3, 3)))
    found = succession(before, now)
    assert found["family"].tolist() == [0, 0, 1]
    assert found["kind"].tolist() == ["merged", "merged", "recoded"]
    assert found["share"].round(6).tolist() == [1.0, 1.0, 1.0]
    assert set(found["proof"]) == {"shape"}


def test_neighbours_and_moved_borders_are_no_kin() -> None:
    assert kin(drawn(a=cells((0, 0))), drawn(c=cells((1, 0)))) == set()
    assert kin(drawn(a=strip(0, 1), b=strip(1, 2)), drawn(c=strip(0, 1.05), d=strip(1.05, 2))) == {
        ("a", "c", "recoded"),
        ("b", "d", "recoded"),
    }
    # The border of a village that stays moves by some metres; another is left out of the list.
    assert kin(drawn(a=strip(0, 1), b=strip(1, 2)), drawn(a=strip(0, 1.05))) == set()


def test_ground_that_two_claimed_before_is_not_won() -> None:
    a, b = cells((0, 0), (1, 0)), cells((1, 0))
    assert kin(drawn(a=a, b=b), drawn(a=a)) == set()
    inside = villages(("a", a, "a", "1"), ("b", (LAT + 0.005, LON + 0.015), "b", "1"))
    assert kin(inside, drawn(a=a)) == set()


def test_a_point_goes_into_the_one_boundary_around_it() -> None:
    shape, at = cells((0, 0)), (LAT + 0.005, LON + 0.005)
    before = villages(("a", at, "Buôn A", "1"), ("b", (LAT + 0.002, LON + 0.002), "Buôn B", "1"))
    assert kin(before, drawn(c=shape)) == {("a", "c", "merged"), ("b", "c", "merged")}
    assert kin(before, drawn(c=shape, d=shape.buffer(0.001))) == set()  # two claim it
    assert kin(before, drawn(c=cells((1, 1)))) == set()
    listed = villages(("a", at, "Buôn A", "1"), ("c", (LAT + 0.002, LON + 0.002), "Buôn C", "1"))
    assert kin(listed, villages(("a", shape, "Buôn A", "1"))) == {("a", "a", "merged"), ("c", "a", "merged")}


def test_a_name_says_more_than_a_point_beyond_a_border() -> None:
    before = villages(("a", (LAT + 0.005, LON + 0.0101), "Thôn 3", "1"))
    now = villages(("x", cells((0, 0)), "Thôn 3", "1"), ("y", cells((1, 0)), "Thôn 4", "1"))
    assert kin(before, now) == {("a", "x", "recoded")}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ((("a", HERE, "Thôn 1", "1"),), (("c", away(900), "Thôn 2", "1"),)),
        ((("a", HERE, "Thôn 1", "1"),), (("c", away(900), "Thôn 1", "2"),)),
        ((("a", None, "Thôn 1", None),), (("c", None, "Thôn 1", "1"),)),
        # Communes were merged: nobody knows which of them it was.
        ((("a", None, "Thôn 1", "1"), ("b", None, "Thôn 1", "1")), (("c", None, "Thôn 1", "1"),)),
        ((("a", None, "Thôn 1", "1"),), (("c", None, "Thôn 1", "1"), ("d", HERE, "Thôn 1", "1"))),
        # The other Thôn 1 keeps its id.
        (
            (("a", HERE, "Thôn 1", "1"), ("s", away(900), "Thôn 1", "1")),
            (("s", away(900), "Thôn 1", "1"), ("c", away(1200), "Thôn 1", "1")),
        ),
    ],
)
def test_what_is_not_sure_is_no_kinship(then: tuple[Village, ...], now: tuple[Village, ...]) -> None:
    assert kin(villages(*then), villages(*now)) == set()


def test_names_find_each_other_without_any_place_and_through_the_merger_of_communes() -> None:
    recoded = {("a", "c", "recoded")}
    assert kin(villages(("a", None, "Thôn 1", "9")), villages(("c", None, "Thôn 1", "9"))) == recoded
    assert kin(villages(("a", HERE, "Thôn 1", None)), villages(("c", away(900), "Thôn 1", "9"))) == recoded
    links = packaged_links()
    whole = links[~links["partial"] & (links["old_code"] != links["new_code"])]
    old, new = whole[["old_code", "new_code"]].iloc[0]
    assert kin(villages(("a", None, "Thôn 1", old)), villages(("c", None, "Thôn 1", new))) == recoded
    assert kin(villages(("a", cells((0, 0)), "Thôn 1", old)), villages(("c", None, "Thôn 1", new))) == recoded
    # Of a commune that was split nobody knows where the village is.
    split = links[links["partial"] & ~links["old_code"].isin(links["new_code"])]
    for part in split[split["old_code"] == split["old_code"].iloc[0]].itertuples():
        before = villages(("a", None, "Thôn 1", part.old_code))
        assert kin(before, villages(("c", None, "Thôn 1", part.new_code))) == set()


def test_the_same_ids_cost_no_look_at_the_ground() -> None:
    before = drawn(a=cells((0, 0)), b=cells((1, 0)))
    assert succession(before, drawn(b=cells((0, 0)), a=cells((1, 0)))).empty
    assert succession(before.drop(columns=["geometry", "boundary"]), before).empty
    assert succession(before.iloc[:0], before).empty
    assert succession(before, before.iloc[:0]).empty


# At one latitude, so that all are alike in area.
GRID = [(x, 0) for x in range(12)]
LABELS = st.lists(st.integers(0, 5), min_size=len(GRID), max_size=len(GRID))


def parts(labels: list[int], names: str) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for label, cell in zip(labels, GRID, strict=True):
        found.setdefault(names[label], []).append(cell)
    return found


def as_drawn(ground: dict[str, list[tuple[int, int]]]) -> gpd.GeoDataFrame:
    return drawn(**{name: cells(*places) for name, places in ground.items()})


@examples(40, 300, LABELS, LABELS, st.sampled_from(["abcdef", "abcxyz", "uvwxyz"]))
def test_of_any_two_partitions_kin_is_who_shares_half(then: list[int], now: list[int], names: str) -> None:
    ground, later = parts(then, "abcdef"), parts(now, names)
    expected = set()
    for old, had in ground.items():
        for new, has in later.items():
            alone = (old not in later, new not in ground)
            won = (set(had) & set(has)) - (set() if alone[1] else set(ground[new]))
            won -= set() if alone[0] else set(later[old])
            sizes = [len(one) for one, lone in zip((had, has), alone, strict=True) if lone]
            if sizes and len(won) / min(sizes) >= LEAST_SHARE:
                expected |= {
                    (old, new),
                    *[(one, one) for one, lone in zip((old, new), alone, strict=True) if not lone],
                }
    found = kin(as_drawn(ground), as_drawn(later))
    assert {pair[:2] for pair in found} == expected


@examples(40, 300, LABELS, st.lists(st.integers(0, 2), min_size=6, max_size=6), st.booleans())
def test_each_village_of_a_merger_is_accounted_for(labels: list[int], groups: list[int], stays: bool) -> None:
    """Merging and splitting again tell the same pairs, read from either side."""
    ground = parts(labels, "abcdef")
    into: dict[str, str] = {}
    for group in range(3):
        members = sorted(name for name in ground if groups["abcdef".index(name)] == group)
        into |= dict.fromkeys(members, members[0] if stays and members else "xyz"[group])
    later: dict[str, list[tuple[int, int]]] = {}
    for name, places in ground.items():
        later.setdefault(into[name], []).extend(places)
    sizes = {heir: list(into.values()).count(heir) for heir in later}
    unchanged = {name for name, heir in into.items() if name == heir and sizes[heir] == 1}
    found = kin(as_drawn(ground), as_drawn(later))
    expected = {(name, heir, "merged" if sizes[heir] > 1 else "recoded") for name, heir in into.items()}
    assert found == {one for one in expected if one[0] not in unchanged}
    back = {(heir, name, "split" if kind == "merged" else kind) for name, heir, kind in found}
    assert kin(as_drawn(later), as_drawn(ground)) == back
