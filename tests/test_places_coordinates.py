"""Coordinate systems: numbers that are not what they were taken for are found, named and cured; right ones pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import shapely.affinity
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coverage.errors import PlacesRefused
from coverage.places.communes import read_communes
from coverage.places.coordinates import check, check_communes, misfits, to_wgs84, votes
from coverage.places.coordinates.mistakes import mistake
from coverage.places.coordinates.systems import (
    Reading,
    candidates,
    in_vietnam,
    meridian_and_scale,
    reading_of,
    swapped,
)
from coverage.places.vector_files import polygons, read_layer

DERIVED = Path(__file__).parents[1] / "data" / "boundaries" / "lamdong_communes_derived.geojson"
TUTORIAL = (
    "+proj=tmerc +lat_0=0 +lon_0=107.75 +k=0.9996 +x_0=500000 +y_0=0"
    " +ellps=WGS84 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs +type=crs"
)
UNSHIFTED = TUTORIAL.replace("0.9996", "0.9999")
DALAT = np.array([11.94]), np.array([108.44])
# What the numbers are, what they were taken for, and the name of the mistake.
MISTAKES = [
    ("EPSG:4756", "EPSG:4326", "datum_shift_not_applied"),
    ("EPSG:5899", UNSHIFTED, "datum_shift_not_applied"),
    ("EPSG:3406", "EPSG:32649", "datum_shift_not_applied"),
    ("EPSG:4326", "EPSG:4756", "datum_shift_not_needed"),
    ("EPSG:5899", "EPSG:9218", "wrong_zone"),
    ("EPSG:9218", "EPSG:5899", "wrong_zone"),
    ("EPSG:9217", "EPSG:9218", "wrong_zone"),
    ("EPSG:3405", "EPSG:5899", "wrong_zone"),
    ("EPSG:5899", TUTORIAL, "wrong_ellipsoid"),
    (TUTORIAL, "EPSG:5899", "wrong_ellipsoid"),
    ("EPSG:5899 yx", "EPSG:5899", "axes_swapped"),
    ("EPSG:4326 yx", "EPSG:4326", "axes_swapped"),
    ("EPSG:9218", "EPSG:4326", "metres_as_degrees"),
    ("EPSG:9218 yx", "EPSG:4756", "metres_as_degrees"),
]
ZONES = ["EPSG:4326", "EPSG:4756", "EPSG:5899", "EPSG:9218", "EPSG:9217", "EPSG:3405", "EPSG:32649"]


@cache
def derived() -> gpd.GeoDataFrame:
    return read_communes(DERIVED)


@pytest.fixture(scope="session")
def real(real_data: Path) -> gpd.GeoDataFrame:
    return read_communes(real_data / "boundaries" / "lamdong_2025_communes_124_simplified.geojson")


def by_code(communes: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return communes.set_index("commune_code").geometry


Spread = Callable[[gpd.GeoDataFrame, int, int], gpd.GeoDataFrame]


def made_once(make: Spread) -> Callable[..., gpd.GeoDataFrame]:
    """What `make` gives, made once for the same communes, count and seed: a copy for everybody who asks."""
    kept: dict[tuple[int, int, int], tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]] = {}

    def copy_of(communes: gpd.GeoDataFrame, count: int, seed: int = 1) -> gpd.GeoDataFrame:
        key = (id(communes), count, seed)
        if key not in kept:
            kept[key] = (
                communes,
                make(communes, count, seed),
            )  # as long as they are kept nobody else has their id
        return kept[key][1].copy()

    return copy_of


@made_once
def points_in(communes: gpd.GeoDataFrame, count: int, seed: int) -> gpd.GeoDataFrame:
    """So many villages as points, each commune as likely as another, spread evenly within it."""
    rng = np.random.default_rng(seed)
    often = np.bincount(rng.integers(0, len(communes), count), minlength=len(communes))
    parts = [
        gpd.GeoDataFrame({"commune_code": code}, geometry=list(spread.geoms), index=range(len(spread.geoms)))
        for code, spread in zip(
            communes["commune_code"],
            communes.geometry.sample_points(often, rng=rng).map(multi),
            strict=True,
        )
        if not spread.is_empty
    ]
    return pd.concat(parts, ignore_index=True).set_crs(4326)


def multi(points: shapely.Geometry | None) -> shapely.MultiPoint:
    return shapely.MultiPoint([] if points is None else shapely.get_coordinates(points))


@made_once
def villages_in(communes: gpd.GeoDataFrame, count: int, seed: int) -> gpd.GeoDataFrame:
    """Some `count` villages as polygons that tile the communes."""
    shapes, parts = by_code(communes), []
    for code, seeds in points_in(communes, count, seed).groupby("commune_code"):
        cells = shapely.get_parts(shapely.voronoi_polygons(multi_of(seeds), extend_to=shapes[code]))
        pieces = shapely.intersection(cells, shapes[code]) if len(seeds) > 1 else [shapes[code]]
        parts += [(code, piece) for piece in pieces if piece.area > 0]
    codes, pieces = zip(*parts, strict=True)
    return gpd.GeoDataFrame({"commune_code": codes}, geometry=list(pieces), crs=4326)


def multi_of(points: gpd.GeoDataFrame) -> shapely.MultiPoint:
    return shapely.MultiPoint(shapely.get_coordinates(points.geometry.to_numpy()))


def file_of(folder: Path, frame: gpd.GeoDataFrame, numbers: str, said: str | None) -> Path:
    """The features in a file whose numbers are in the one system and that names the other."""
    reading = reading_of(numbers)

    def turned(lonlat: np.ndarray) -> np.ndarray:
        return np.column_stack(reading.numbers(lonlat[:, 1], lonlat[:, 0]))

    shapes = shapely.transform(frame.geometry.to_numpy(), turned)
    path = folder / "layer.gpkg"
    gpd.GeoDataFrame(frame[["commune_code"]], geometry=shapes, crs=said).to_file(path)
    return path


def found(
    path: Path, communes: gpd.GeoDataFrame, crs: str | None = None, codes: bool = True
) -> PlacesRefused | None:
    layer = read_layer(path, crs)
    named = layer["commune_code"] if codes else None
    try:
        assert check(layer, layer.attrs["crs_given"], by_code(communes), named, path.name) == []
    except PlacesRefused as refusal:
        return refusal
    return None


def cure_of(refusal: PlacesRefused) -> str:
    assert '--crs "' in refusal.vi
    return refusal.en.split('--crs "')[1].split('"')[0]


def assert_named_and_cured(
    path: Path, frame: gpd.GeoDataFrame, communes: gpd.GeoDataFrame, code: str, numbers: str
) -> None:
    refusal = found(path, communes)
    assert refusal is not None
    assert refusal.code == code
    cure = cure_of(refusal)
    assert cure == numbers
    assert found(path, communes, cure) is None
    here = read_layer(path, cure).geometry.get_coordinates().to_numpy()
    assert np.abs(here - frame.geometry.get_coordinates().to_numpy()).max() < 1e-6


@pytest.mark.parametrize(("numbers", "said", "code"), MISTAKES)
def test_village_polygons_name_the_mistake_and_its_cure_works(
    tmp_path: Path, numbers: str, said: str, code: str
) -> None:
    frame = villages_in(derived(), 300)
    assert_named_and_cured(file_of(tmp_path, frame, numbers, said), frame, derived(), code, numbers)


@pytest.mark.realdata
@pytest.mark.parametrize(("numbers", "said", "code"), MISTAKES)
def test_real_communes_villages_and_points_name_the_mistake(
    tmp_path: Path, real: gpd.GeoDataFrame, numbers: str, said: str, code: str
) -> None:
    for frame in (villages_in(real, 300), points_in(real, 1500)):
        assert_named_and_cured(file_of(tmp_path, frame, numbers, said), frame, real, code, numbers)
    path = file_of(tmp_path, real, numbers, said)
    with pytest.raises(PlacesRefused) as refusal:
        check_communes(read_layer(path), said, path.name)
    assert refusal.value.code == code
    assert cure_of(refusal.value) == numbers
    assert not check_communes(read_layer(path, numbers), numbers, path.name)


@pytest.mark.parametrize("system", ZONES)
def test_right_layers_pass_in_every_system(tmp_path: Path, system: str) -> None:
    for frame in (villages_in(derived(), 400), points_in(derived(), 300), points_in(derived(), 3)):
        path = file_of(tmp_path, frame, system, system)
        assert found(path, derived()) is None
        assert found(path, derived(), codes=False) is None


@pytest.mark.realdata
@pytest.mark.parametrize("simplified_m", [0, 50, 200, 1000])
@pytest.mark.parametrize("blurred_m", [0, 30, 200])
def test_right_points_pass_beside_simplified_borders_with_blur_and_wrong_codes(
    tmp_path: Path, real: gpd.GeoDataFrame, simplified_m: float, blurred_m: float
) -> None:
    rng = np.random.default_rng(7)
    coarse = real.set_geometry(real.simplify(simplified_m / 111_195)) if simplified_m else real
    for seed in range(2):
        frame = points_in(real, 800, seed)
        xy = frame.get_coordinates().to_numpy() + rng.normal(0, blurred_m / 111_195, (len(frame), 2))
        wrong = rng.random(len(frame)) < 0.05
        frame.loc[wrong, "commune_code"] = rng.choice(real["commune_code"], wrong.sum())
        moved = frame.set_geometry(gpd.points_from_xy(*xy.T, crs=4326))
        system = ZONES[seed]
        assert found(file_of(tmp_path, moved, system, system), coarse) is None


@pytest.mark.realdata
@pytest.mark.parametrize("simplified_m", [0, 50, 100])
def test_a_missing_shift_is_told_beside_simplified_borders(
    tmp_path: Path, real: gpd.GeoDataFrame, simplified_m: float
) -> None:
    coarse = real.set_geometry(real.simplify(simplified_m / 111_195)) if simplified_m else real
    frame = villages_in(real, 400)
    refusal = found(file_of(tmp_path, frame, "EPSG:4756", "EPSG:4326"), coarse)
    assert refusal is not None
    assert refusal.code == "datum_shift_not_applied"
    assert found(file_of(tmp_path, frame, "EPSG:4326", "EPSG:4326"), coarse) is None


@pytest.mark.realdata
def test_villages_beside_the_borders_and_on_the_island_pass(tmp_path: Path, real: gpd.GeoDataFrame) -> None:
    near = points_in(real, 4000)
    borders = shapely.union_all(real.boundary.to_numpy())
    shapely.prepare(borders)
    near = near[shapely.dwithin(near.geometry.to_numpy(), borders, 150 / 111_195)].reset_index(drop=True)
    assert len(near) > 50
    assert found(file_of(tmp_path, near, "EPSG:5899", "EPSG:5899"), real) is None
    island = real[real["commune_code"] == "23272"]
    villages = points_in(island, 30)
    for known in (island, real):
        assert found(file_of(tmp_path, villages, "EPSG:9218", "EPSG:9218"), known) is None


@pytest.mark.realdata
def test_a_whole_column_of_wrong_codes_is_no_mistake_of_coordinates(
    tmp_path: Path, real: gpd.GeoDataFrame
) -> None:
    frame = points_in(real, 400)
    frame["commune_code"] = np.roll(frame["commune_code"], 7)
    assert found(file_of(tmp_path, frame, "EPSG:5899", "EPSG:5899"), real) is None


@pytest.mark.realdata
def test_how_many_points_a_missing_shift_needs(real: gpd.GeoDataFrame) -> None:
    caught = {}
    for count in (50, 1000):
        shares = []
        for seed in range(5):
            frame = points_in(real, count, seed)
            moved = frame.set_geometry(gpd.points_from_xy(*shifted(frame), crs=4326))
            notes = check(moved, "EPSG:4326", by_code(real), frame["commune_code"], "f", trusted=True)
            shares.append([note.code for note in notes] == ["datum_shift_not_applied"])
        caught[count] = np.mean(shares)
    assert caught == {50: 0.0, 1000: 1.0}


def shifted(frame: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    return reading_of("EPSG:4756").numbers(frame.geometry.y.to_numpy(), frame.geometry.x.to_numpy())


@pytest.mark.realdata
@pytest.mark.parametrize(("count", "least"), [(3, 0.0), (8, 0.8), (124, 1.0)])
def test_a_few_communes_are_enough_and_right_ones_pass(
    real: gpd.GeoDataFrame, count: int, least: float
) -> None:
    caught = []
    for seed in range(15):
        some = real.sample(count, random_state=seed)
        assert check_communes(some, "EPSG:4326", "f") == []
        off = some.set_geometry(
            shapely.transform(
                some.geometry.to_numpy(),
                lambda xy: np.column_stack(reading_of("EPSG:4756").numbers(xy[:, 1], xy[:, 0])),
            )
        )
        notes = check_communes(off, "EPSG:4326", "f", trusted=True)
        caught.append([note.code for note in notes] == ["datum_shift_not_applied"])
    assert np.mean(caught) >= least


def test_a_users_word_overrules_and_leaves_a_note(tmp_path: Path) -> None:
    frame = villages_in(derived(), 300)
    layer = read_layer(file_of(tmp_path, frame, "EPSG:9218", "EPSG:5899"))
    areas, codes = by_code(derived()), frame["commune_code"]
    (note,) = check(layer, "EPSG:5899", areas, codes, "thon.gpkg", trusted=True)
    assert note.code == "wrong_zone"
    assert "thon.gpkg: đọc theo EPSG:5899 (VN-2000 / TM-3 107-45)" in note.vi
    assert '--crs "EPSG:9218"' in note.vi
    assert '--crs "EPSG:9218"' in note.en


def test_the_system_may_be_given_as_an_object_and_without_a_code(tmp_path: Path) -> None:
    frame = villages_in(derived(), 300)
    layer = read_layer(file_of(tmp_path, frame, "EPSG:5899", TUTORIAL))
    with pytest.raises(PlacesRefused) as refusal:
        check(layer, pyproj.CRS(TUTORIAL), by_code(derived()), frame["commune_code"], "f")
    assert refusal.value.code == "wrong_ellipsoid"


def test_features_without_a_code_are_held_against_all_areas(tmp_path: Path) -> None:
    frame = villages_in(derived(), 800)
    path = file_of(tmp_path, frame, "EPSG:9218", "EPSG:5899")
    refusal = found(path, derived(), codes=False)
    assert refusal is not None
    assert refusal.code == "wrong_zone"
    assert "lie outside the areas that are known" in refusal.en
    unknown = pd.Series(["99999"] * len(frame))
    with pytest.raises(PlacesRefused, match="areas that are known"):
        check(read_layer(path), "EPSG:5899", by_code(derived()), unknown, "f")


def test_what_lies_far_from_everything_is_elsewhere(tmp_path: Path) -> None:
    frame = points_in(derived(), 40)
    far = frame.set_geometry(frame.translate(0, 6))
    refusal = found(file_of(tmp_path, far, "EPSG:4326", "EPSG:4326"), derived())
    assert refusal is not None
    assert refusal.code == "elsewhere"
    assert "--trust-coordinates" in refusal.vi
    assert '--crs "' not in refusal.vi
    abroad_shapes = derived().assign(commune_code="x").set_geometry(derived().translate(60, 0))
    assert [note.code for note in check_communes(abroad_shapes, "EPSG:4326", "f")] == ["elsewhere"]
    with pytest.raises(PlacesRefused) as abroad:  # codes of this country in another one
        check_communes(derived().set_geometry(derived().translate(60, 0)), "EPSG:4326", "f")
    assert abroad.value.code == "elsewhere"


def test_one_of_two_far_away_is_not_explained_by_the_files_own_system(tmp_path: Path) -> None:
    frame = points_in(derived(), 2)
    shapes = [frame.geometry.iloc[0], shapely.affinity.translate(frame.geometry.iloc[1], 0, 0.5)]
    refusal = found(
        file_of(tmp_path, frame.set_geometry(shapes, crs=4326), "EPSG:4326", "EPSG:4326"), derived()
    )
    assert refusal is None or '"EPSG:4326"' not in refusal.vi


def test_one_far_feature_is_named_where_another_reading_brings_it_home(tmp_path: Path) -> None:
    frame = points_in(derived(), 1)
    refusal = found(file_of(tmp_path, frame, "EPSG:5899 yx", "EPSG:5899"), derived())
    assert refusal is not None
    assert refusal.code == "axes_swapped"


@pytest.mark.parametrize(
    ("share", "code"), [(0.02, None), (0.3, "mixed_systems"), (0.5, "mixed_systems"), (0.95, "wrong_zone")]
)
def test_a_file_of_two_zones_is_told_from_a_wrong_zone(
    share: float, code: str | None, tmp_path: Path
) -> None:
    frame = points_in(derived(), 200)
    other = frame.iloc[: round(200 * share)]
    turned = read_layer(file_of(tmp_path, other, "EPSG:9218", "EPSG:5899"))
    both = pd.concat([turned, frame.iloc[len(other) :]], ignore_index=True)
    notes = check(both, "EPSG:5899", by_code(derived()), both["commune_code"], "f", trusted=True)
    assert [note.code for note in notes] == ([code] if code else [])
    if code == "mixed_systems":
        assert "1, 2, 3, 4, 5" in notes[0].vi
        assert "EPSG:9218" in notes[0].en


def test_features_without_shape_and_areas_of_several_rows_are_no_obstacle(tmp_path: Path) -> None:
    frame = villages_in(derived(), 300)
    layer = read_layer(file_of(tmp_path, frame, "EPSG:4756", "EPSG:4326"))
    layer.loc[:5, "geometry"] = None
    areas = by_code(derived())
    halves = pd.concat(
        [areas.intersection(shapely.box(100, 0, 108, 20)), areas.intersection(shapely.box(108, 0, 120, 20))]
    )
    empty = pd.concat([halves, gpd.GeoSeries([None, shapely.Polygon()], index=["z", None], crs=4326)])
    (note,) = check(layer, "EPSG:4326", empty, frame["commune_code"], "f", trusted=True)
    assert note.code == "datum_shift_not_applied"
    nothing = gpd.GeoDataFrame(geometry=[None, None], crs=4326)
    assert check(nothing, "EPSG:4326", areas, None, "f") == []
    assert check(layer, "EPSG:4326", areas[[]], None, "f") == []


def test_communes_around_their_centres_pass_and_shifted_ones_do_not(tmp_path: Path) -> None:
    some = derived().head(40)
    centres = points_of_package(some["commune_code"])
    discs = some.set_geometry(gpd.GeoSeries(shapely.buffer(centres, 0.05), index=some.index, crs=4326))
    assert check_communes(discs, "EPSG:4326", "f") == []
    layer = read_layer(file_of(tmp_path, discs, "EPSG:4326", "EPSG:4756"))
    with pytest.raises(PlacesRefused) as refusal:
        check_communes(layer, "EPSG:4756", "f")
    assert refusal.value.code == "datum_shift_not_needed"
    assert "around the centre known for their code" in refusal.value.en
    # Derived communes are no disc around the centre: they say nothing and are no reason for an alarm.
    assert check_communes(derived(), "EPSG:4326", "f") == []


def points_of_package(codes: pd.Series) -> list[shapely.Point]:
    from vietnamadminunits.database import get_data  # noqa: PLC0415

    units = {unit["wardCode"]: unit for unit in get_data(fields="*", table="admin_units")}
    return [shapely.Point(units[code]["wardLon"], units[code]["wardLat"]) for code in codes]


def test_a_layer_that_names_no_system_is_refused_with_those_that_fit(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no projection information|'crs' was not provided"):
        path = file_of(tmp_path, villages_in(derived(), 500), "EPSG:9218", None)
    with pytest.raises(PlacesRefused, match="--crs EPSG:5899") as plain:
        read_layer(path)
    with pytest.raises(PlacesRefused, match='fit the areas that are known: --crs "EPSG:9218"') as refusal:
        read_layer(path, areas=by_code(derived()))
    assert plain.value.code == refusal.value.code == "crs_missing"
    layer = read_layer(path, "EPSG:9218")
    assert layer.attrs["crs_given"] == "EPSG:9218"
    assert layer.crs == "EPSG:4326"


def test_the_option_overrules_the_file_and_unknown_systems_are_refused(tmp_path: Path) -> None:
    frame = points_in(derived(), 5)
    path = file_of(tmp_path, frame, "EPSG:5899", "EPSG:9218")
    assert read_layer(path).attrs["crs_given"] == "EPSG:9218"
    right = read_layer(path, " epsg:5899 ")
    assert right.attrs["crs_given"] == "EPSG:5899"
    assert np.allclose(right.get_coordinates(), frame.get_coordinates(), rtol=0, atol=1e-7)
    with pytest.raises(PlacesRefused, match="no coordinate system") as refusal:
        read_layer(path, "EPSG:1")
    assert refusal.value.code == "crs_unknown"


@pytest.mark.parametrize(
    ("numbers", "code"), [("EPSG:4326 yx", "axes_swapped"), ("EPSG:5899", "metres_as_degrees")]
)
def test_without_areas_numbers_off_the_globe_are_still_named(tmp_path: Path, numbers: str, code: str) -> None:
    path = file_of(tmp_path, villages_in(derived(), 200), numbers, "EPSG:4326")
    with pytest.raises(PlacesRefused, match="off the globe") as refusal:
        polygons(read_layer(path), path)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("numbers", "taken", "metres"),
    [("EPSG:4756", "EPSG:4326", 226), ("EPSG:5899", TUTORIAL, 538), ("EPSG:5899", "EPSG:9218", 81_700)],
)
def test_how_far_the_mistakes_put_da_lat(numbers: str, taken: str, metres: float) -> None:
    lat, lon = reading_of(taken).lat_lon(*reading_of(numbers).numbers(*DALAT))
    away = pyproj.Geod(ellps="WGS84").inv(DALAT[1], DALAT[0], lon, lat)[2]
    assert away == pytest.approx(metres, rel=0.01)


def test_the_zones_come_from_the_epsg_database() -> None:
    options = [one.option for one in candidates()]
    assert {"EPSG:5896", "EPSG:5899", "EPSG:9205", "EPSG:9218", "EPSG:3405", "EPSG:3406", "EPSG:4756"} < set(
        options
    )
    assert {TUTORIAL, UNSHIFTED, "EPSG:4326", "EPSG:32648 yx", f"{TUTORIAL} yx"} < set(options)
    assert len(options) == len(set(options)) == 2 * (2 + 20 + 2 + 2 * 18)


@given(
    st.floats(8.4, 23.3),
    st.floats(102.2, 109.5),
    st.sampled_from(range(len(candidates()))),
)
@settings(max_examples=200, deadline=None)
def test_numbers_and_degrees_turn_into_each_other(lat: float, lon: float, which: int) -> None:
    reading = candidates()[which]
    there = reading.lat_lon(*reading.numbers(np.array([lat]), np.array([lon])))
    assert np.allclose(np.concatenate(there), [lat, lon], rtol=0, atol=1e-7)
    assert swapped(swapped(reading)) == reading


@given(
    st.lists(st.tuples(st.floats(8.4, 23.3), st.floats(102.2, 109.5)), min_size=1, max_size=20),
    st.sampled_from([one for one in candidates() if one.option.startswith("EPSG:") and not one.north_first]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_tables_are_read_whichever_column_is_the_one_to_the_north(
    places: list[tuple[float, float]], reading: Reading, north_first: bool
) -> None:
    lat, lon = np.array(places).T
    meridian, _ = meridian_and_scale(reading.crs)
    if not reading.geographic:
        lon = np.clip(lon, meridian - 3.5, meridian + 3.5)
        assume(in_vietnam(lat, lon).all())
    x, y = reading.numbers(lat, lon)
    x, y = (y, x) if north_first else (x, y)
    assert np.allclose(to_wgs84(x, y, reading.option), (lat, lon), rtol=0, atol=1e-7)


def test_rows_that_miss_or_do_not_fit_leave_the_others_alone() -> None:
    lat, lon = np.array([11.9, 11.8, np.nan, 11.7]), np.array([108.4, 108.3, 108.2, 108.1])
    x, y = reading_of("EPSG:5899").numbers(lat, lon)
    x[3], y[3] = y[3], x[3]
    lat_found, lon_found = to_wgs84(y, x, "EPSG:5899")
    assert np.allclose(lat_found[:2], lat[:2])
    assert np.isnan([lat_found[2], lon_found[2]]).all()
    assert not 102 <= lon_found[3] <= 110
    nothing = np.array([np.nan, np.nan])
    assert np.isnan(to_wgs84(nothing, nothing, "EPSG:5899")).all()


@pytest.mark.parametrize(
    ("x", "y", "crs", "code"),
    [
        (1_320_000.0, 540_000.0, "EPSG:4326", "metres_as_degrees"),
        (108.4, 11.9, "EPSG:5899", "elsewhere"),
        (0.0, 0.0, "EPSG:4326", "elsewhere"),
        (5_400_000.0, 9_000_000.0, "EPSG:5899", "elsewhere"),
    ],
)
def test_a_table_that_fits_in_no_order_is_refused(x: float, y: float, crs: str, code: str) -> None:
    with pytest.raises(PlacesRefused, match=r"ds\.csv, data row 2, X = .*--crs EPSG:5899") as refusal:
        to_wgs84(np.array([np.nan, x]), np.array([1.0, y]), crs, "ds.csv")
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("rule", "off", "least"),
    [
        (votes.NAMED, 200.0, 7),
        (votes.CENTRES, 200.0, 4),
        (votes.UNNAMED, 200.0, 25),
        (votes.NAMED, misfits.REACH_M, 2),
    ],
)
def test_how_many_votes_without_one_against_are_clear(rule: votes.Rule, off: float, least: int) -> None:
    for count, clear in ((least - 1, False), (least, True)):
        assert votes.clearly_better(np.full(count, off), np.zeros(count), rule) is clear


def test_a_vote_needs_a_misfit_beyond_the_margin_that_is_halved() -> None:
    def clear(before: float, after: float) -> bool:
        return votes.clearly_better(np.full(50, before), np.full(50, after), votes.NAMED)

    assert not clear(votes.NAMED.margin_m, 0)
    assert clear(votes.NAMED.margin_m + 0.1, 0)
    assert clear(200, 99)
    assert not clear(200, 100)
    assert not clear(misfits.REACH_M, misfits.REACH_M)


def test_votes_against_count() -> None:
    def clear(votes_for: int, against: int) -> bool:
        before = np.r_[np.full(votes_for, 200.0), np.zeros(against)]
        return votes.clearly_better(before, 200.0 - before, votes.NAMED)

    assert clear(10, 0)
    assert clear(30, 10)
    assert not clear(10, 10)
    assert not clear(10, 30)


def test_misfits_are_metres_outside_the_named_area() -> None:
    square = gpd.GeoSeries([shapely.box(108, 11, 108.1, 11.1), shapely.box(109, 11, 109.1, 11.1)], crs=4326)
    inside, off, far = (
        shapely.Point(108.05, 11.05),
        shapely.Point(108.1 + 0.002, 11.05),
        shapely.Point(109.05, 11.05),
    )
    line = shapely.LineString([(108.05, 11.05), (108.1 + 0.004, 11.05)])
    features, taken = gpd.GeoSeries([inside, off, far, line], crs=4326), reading_of("EPSG:4326")
    ground = misfits.ground_of(square)
    sample = misfits.sample_of(features, taken, np.zeros(4, dtype=int))
    assert sample is not None
    east = pyproj.Geod(ellps="WGS84").inv(108.1, 11.05, 108.102, 11.05)[2]
    expected = [0, east, misfits.REACH_M, 2 * east]
    assert misfits.misfits_m(taken, sample, ground) == pytest.approx(expected, rel=0.01)
    anywhere = misfits.sample_of(features, taken, np.full(4, -1))
    assert anywhere is not None
    assert misfits.misfits_m(taken, anywhere, ground) == pytest.approx([0, east, 0, 2 * east], rel=0.01)


@pytest.mark.parametrize(
    ("taken", "right", "code"),
    [
        ("EPSG:4326", "EPSG:4756", "datum_shift_not_applied"),
        ("EPSG:32648", "EPSG:5897", "wrong_ellipsoid"),
        ("EPSG:3405", "EPSG:5897", "wrong_zone"),
        ("EPSG:3857", "EPSG:5899", "wrong_zone"),
        ("EPSG:5899", "EPSG:9218 yx", "axes_swapped"),
        ("EPSG:5899", "EPSG:4326", "degrees_as_metres"),
    ],
)
def test_each_mistake_has_its_name(taken: str, right: str, code: str) -> None:
    assert mistake(reading_of(taken), reading_of(right)) == code
