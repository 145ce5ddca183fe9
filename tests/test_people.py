"""Where a village's people live: settled parts, shares of places, and nobody lost or counted twice."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import NO_PARTS, places_without_raster, rules

from coverage import hexes, people, tables
from coverage.crosswalk import crosswalk, place_hexes
from coverage.places.settlements import places_of

LAT, LON = 11.05, 108.05
HOME = hexes.of_point(LAT, LON, 9)


def pairs(*rows: tuple[str, int, float]) -> pd.DataFrame:
    """CROSSWALK rows of a tenth of a square kilometre: village, hex, people."""
    frame = pd.DataFrame(rows, columns=["village_id", "hex", "population"]).astype(
        {"village_id": object, "hex": np.int64, "population": float}
    )
    return frame.assign(area_km2=0.1, village_share=0.5, settled=(frame["population"] >= 5).astype(object))


def far(steps: int) -> int:
    """The hex of a point so many times 900 m north of home: three hexes further each."""
    return hexes.of_point(LAT + 0.008 * steps, LON, 9)


def village_layer(**given: object) -> gpd.GeoDataFrame:
    values = {
        "village_id": "v",
        "centre_lat": LAT,
        "centre_lon": LON,
        "households": 50.0,
        "population": 200.0,
    } | given
    return gpd.GeoDataFrame([values], geometry=[shapely.box(108.0, 11.0, 108.1, 11.1)], crs=4326)


def cluster_layer(*homes: tuple[int, float]) -> pd.DataFrame:
    lat, lon = hexes.middles(np.array([cell for cell, _ in homes], dtype=np.int64))
    names = [f"k{i + 1}" for i in range(len(homes))]
    columns = {"village_id": "v", "cluster_id": names, "lat": lat, "lon": lon}
    table = pd.DataFrame(columns | {"households": [count for _, count in homes], "grid": None}, index=names)
    return table.astype({"village_id": object, "cluster_id": object})


def shared_out(places: pd.DataFrame, parts: pd.DataFrame, ground: pd.DataFrame) -> pd.DataFrame:
    found = people.shared_out(places, parts, ground, place_hexes(places, ground, parts, 9, 1))
    return tables.check_frame(tables.PLACES, found)


def shares(places: pd.DataFrame, parts: pd.DataFrame, ground: pd.DataFrame) -> dict[str, float]:
    found = shared_out(places, parts, ground)
    assert found.groupby("village_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    return found.set_index("place_id")["share"].round(6).to_dict()


def test_neighbouring_settled_hexes_are_one_part_and_the_largest_is_the_first() -> None:
    near = hexes.disk(HOME, 1)[1]
    ground = pairs(
        ("v", HOME, 12.0), ("v", near, 13.0), ("v", far(2), 40.0), ("w", far(2), 30.0), ("v", far(4), 4.9)
    )
    parts = people.settled_parts(ground, 20.0)
    assert parts.groupby("place_id")["population"].sum().to_dict() == {
        "v/s/1": 40.0,
        "v/s/2": 25.0,
        "w/s/1": 30.0,
    }
    assert set(parts.loc[parts["place_id"] == "v/s/2", "hex"]) == {HOME, near}


@pytest.mark.parametrize(("head_count", "found"), [(19.9, 0), (20.0, 1), (20.1, 1)])
def test_a_part_of_too_few_people_is_no_place(head_count: float, found: int) -> None:
    assert people.settled_parts(pairs(("v", HOME, head_count)), 20.0)["place_id"].nunique() == found


def test_households_of_the_clusters_decide_where_all_are_known() -> None:
    places = places_of(village_layer(), cluster_layer((HOME, 30.0), (far(2), 10.0)), NO_PARTS)
    ground = pairs(("v", HOME, 10.0), ("v", far(2), 90.0))
    assert shares(places, NO_PARTS, ground) == {"v/centre": 0.0, "v/c/k1": 0.75, "v/c/k2": 0.25}
    assert set(shared_out(places, NO_PARTS, ground)["people_method"]) == {"clusters"}


def test_without_all_households_the_raster_gives_everybody_to_the_nearest_cluster() -> None:
    places = places_of(village_layer(), cluster_layer((HOME, 30.0), (far(4), np.nan)), NO_PARTS)
    ground = pairs(
        ("v", HOME, 10.0), ("v", far(1), 20.0), ("v", far(3), 30.0), ("v", far(5), 40.0), ("w", HOME, 99.0)
    )
    assert shares(places, NO_PARTS, ground) == {"v/centre": 0.0, "v/c/k1": 0.3, "v/c/k2": 0.7}


def test_without_households_and_raster_clusters_weigh_alike_and_one_place_has_everybody() -> None:
    two = places_without_raster(village_layer(), cluster_layer((HOME, np.nan), (far(4), 10.0)))
    assert two.set_index("place_id")["share"].to_dict() == {"v/centre": 0.0, "v/c/k1": 0.5, "v/c/k2": 0.5}
    assert set(two["people_method"]) == {"equal"}
    alone = places_without_raster(village_layer(), cluster_layer()).set_index("place_id")
    assert alone["share"].to_dict() == {"v/centre": 0.0, "v/polygon": 1.0}
    assert set(alone["people_method"]) == {"whole"}


def test_settled_parts_stand_for_clusters_that_nobody_listed() -> None:
    ground = pairs(("v", HOME, 30.0), ("v", far(4), 70.0), ("v", far(2), 2.0))
    parts = people.settled_parts(ground, 20.0)
    places = places_of(village_layer(), cluster_layer(), parts)
    assert places["kind"].tolist() == ["centre", "settled", "settled"]
    assert shares(places, parts, ground)["v/s/1"] == pytest.approx(0.7, abs=0.02)
    lat, lon = hexes.middles(np.array([far(4)]))
    first = places.set_index("place_id").loc["v/s/1"]
    assert (first["lat"], first["lon"]) == (pytest.approx(lat[0]), pytest.approx(lon[0]))


def test_around_the_centre_live_the_people_of_its_hexes() -> None:
    beside = hexes.disk(HOME, 1)[1]
    places = places_of(village_layer(), cluster_layer((HOME, 30.0), (far(4), 10.0)), NO_PARTS)
    ground = pairs(("v", HOME, 10.0), ("v", beside, 30.0), ("v", far(4), 60.0), ("w", HOME, 99.0))
    by_raster = shared_out(places, NO_PARTS, ground).set_index("place_id")["share_around"]
    assert by_raster["v/centre"] == pytest.approx(0.4)
    assert by_raster.drop("v/centre").isna().all()
    nobody_knows = shared_out(places, NO_PARTS, ground.assign(population=np.nan))
    assert nobody_knows["share_around"].isna().all()
    elsewhere = shared_out(places, NO_PARTS, pairs(("v", far(4), 60.0))).set_index("place_id")
    assert elsewhere.loc["v/centre", "share_around"] == 0.0


def test_listed_clusters_are_believed_before_the_raster() -> None:
    parts = people.settled_parts(pairs(("v", far(4), 70.0)), 20.0)
    places = places_of(village_layer(), cluster_layer((HOME, 30.0)), parts)
    assert places["kind"].tolist() == ["cluster", "centre"]


def test_the_list_counts_people_before_the_raster() -> None:
    ground = pairs(("v", HOME, 30.0), ("v", far(1), 10.0))
    listed = people.counted(village_layer(), ground).iloc[0]
    assert (listed["population"], listed["population_source"]) == (200.0, "list")
    filled = people.counted(village_layer(population=np.nan), ground).iloc[0]
    assert (filled["population"], filled["population_source"]) == (40.0, "raster")
    nobody = people.counted(village_layer(population=np.nan), ground.assign(population=np.nan)).iloc[0]
    assert np.isnan(nobody["population"])
    assert nobody["population_source"] is None


def raster(
    folder: Path, counts: np.ndarray, west: float = 108.0, north: float = 11.1, step: float = 0.002
) -> Path:
    path = folder / "people.tif"
    profile = {
        "driver": "GTiff",
        "height": counts.shape[0],
        "width": counts.shape[1],
        "count": 1,
        "dtype": "float32",
    }
    transform = rasterio.Affine(step, 0, west, 0, -step, north)
    with rasterio.open(path, "w", **profile, crs="EPSG:4326", transform=transform, nodata=-1.0) as file:
        file.write(counts.astype(np.float32), 1)
    return path


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_person_of_the_raster_is_on_the_ground_of_exactly_one_village(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    whole = shapely.box(108.0, 11.0, 108.1, 11.1)
    cells = shapely.voronoi_polygons(
        shapely.multipoints(rng.uniform((108, 11), (108.1, 11.1), (12, 2))), extend_to=whole
    )
    shapes = shapely.intersection(shapely.get_parts(cells), whole)
    villages = gpd.GeoDataFrame(
        {"village_id": [f"v{i}" for i in range(len(shapes))]}, geometry=shapes, crs=4326
    )
    counts = rng.gamma(0.3, 20.0, (50, 50))
    path = raster(tmp_path_factory.mktemp("people"), counts)
    found = people.on_ground(crosswalk(villages, 9), path, rules().ground)
    tables.check_frame(tables.CROSSWALK, found)
    assert found["population"].sum() == pytest.approx(counts.sum(), rel=1e-3)
    assert found.groupby("village_id")["village_share"].sum().to_numpy() == pytest.approx(1.0, abs=1e-9)


def test_ground_beside_the_raster_is_not_empty_of_people_but_unknown(tmp_path: Path) -> None:
    shapes = [shapely.box(108.0, 11.0, 108.05, 11.1), shapely.box(108.2, 11.0, 108.25, 11.1)]
    villages = gpd.GeoDataFrame({"village_id": ["in", "out"]}, geometry=shapes, crs=4326)
    found = people.on_ground(crosswalk(villages, 9), raster(tmp_path, np.ones((50, 50))), rules().ground)
    outside = found[found["village_id"] == "out"]
    assert outside["population"].isna().all()
    assert outside["settled"].isna().all()
    assert found[found["village_id"] == "in"]["settled"].eq(True).mean() == pytest.approx(0.0)


@pytest.mark.parametrize(("density", "lived_in"), [(49.0, False), (51.0, True)])
def test_settled_ground_begins_at_the_density_of_the_criteria(
    tmp_path: Path, density: float, lived_in: bool
) -> None:
    villages = gpd.GeoDataFrame(
        {"village_id": ["v"]}, geometry=[shapely.box(108.02, 11.02, 108.08, 11.08)], crs=4326
    )
    pixel_km2 = 0.002 * 110.6 * 0.002 * 109.3
    found = people.on_ground(
        crosswalk(villages, 9), raster(tmp_path, np.full((50, 50), density * pixel_km2)), rules().ground
    )
    assert set(found["settled"]) == {lived_in}


def test_people_go_to_the_nearest_place_of_their_own_village_however_near_another_is() -> None:
    rng = np.random.default_rng(6)
    cells = np.array(hexes.disk(HOME, 9))
    lat, lon = hexes.middles(cells)
    names = rng.choice(["u", "v", "w"], len(cells))
    ground = pairs(
        *((name, cell, float(rng.integers(0, 20))) for name, cell in zip(names, cells, strict=True))
    )
    spots = rng.choice(len(cells), 12, replace=False)
    homes = pd.DataFrame(
        {
            "place_id": [f"{(at % 2 and 'u') or 'v'}/c/{at}" for at in range(12)],
            "village_id": [(at % 2 and "u") or "v" for at in range(12)],
            "kind": "cluster",
            "lat": lat[spots] + rng.normal(0, 1e-4, 12),
            "lon": lon[spots],
        }
    )
    found = people._people_nearest(homes, NO_PARTS, ground)
    expected = dict.fromkeys(homes["place_id"], 0.0)
    for village, cell, count in ground[["village_id", "hex", "population"]].itertuples(index=False):
        own = homes[homes["village_id"] == village]
        if len(own):
            y, x = hexes.middles(np.array([cell]))
            away = np.hypot(own["lat"] - y, (own["lon"] - x) * np.cos(np.radians(y)))
            expected[own.loc[away.idxmin(), "place_id"]] += count
    assert found.to_dict() == {name: count for name, count in expected.items() if count}
