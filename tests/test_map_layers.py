"""The layers of the map as they are drawn: every shape and property, texts as data, and nothing more than was named."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import snapshots
from shapely.geometry import LineString, Point, shape

from coverage.archive.snapshots import Snapshot
from coverage.exports import map_layers, maps_data

HOSTILE = snapshots.HOSTILE


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshots.snapshot()


def features(made: bytes) -> list[dict]:
    collection = json.loads(made)
    assert collection["type"] == "FeatureCollection"
    assert all(one["type"] == "Feature" for one in collection["features"])
    return collection["features"]


def properties(made: bytes) -> list[dict]:
    return [one["properties"] for one in features(made)]


def close(made: bytes, exact: gpd.GeoSeries) -> None:
    """Every shape is that of its row, within some metres, and written to about a metre."""
    for feature, original in zip(features(made), exact, strict=True):
        drawn = shape(feature["geometry"])
        assert drawn.hausdorff_distance(original) < 1e-4
        points = shapely.get_coordinates(drawn)
        assert np.array_equal(np.round(points, 5), points)


def test_communes_have_code_and_name_and_their_place_in_the_page_s_data(snapshot):
    made = map_layers.communes(snapshot)
    close(made, snapshot.communes.geometry)
    frame = snapshot.communes
    assert properties(made) == [
        {"i": place, "code": code, "name": name}
        for place, (code, name) in enumerate(zip(frame["commune_code"], frame["commune_name"], strict=True))
    ]
    assert [one["name"] for one in properties(made)] == maps_data.page_data(snapshot)["communes"]["name"]


def test_villages_have_their_digits_and_outer_rings_turn_left(snapshot):
    made = map_layers.villages(snapshot)
    close(made, snapshot.villages.geometry)
    digits = maps_data.status_digits(snapshot)
    assert properties(made) == [{"i": place, "s": digits[place]} for place in range(len(digits))]
    for feature in features(made):
        assert shapely.is_ccw(shape(feature["geometry"]).exterior)


def test_a_village_without_a_shape_is_the_point_of_its_centre(snapshot):
    villages = snapshot.villages.copy()
    villages.loc[2, "geometry"] = None
    villages.loc[3, "geometry"] = shapely.Polygon()
    villages.loc[4, ["geometry", "centre_lat"]] = [None, np.nan]
    villages.loc[5, "geometry"] = Point(108.1, 11.9)
    shown = features(map_layers.villages(dataclasses.replace(snapshot, villages=villages)))
    for place in (2, 3):
        lon, lat = villages.loc[place, ["centre_lon", "centre_lat"]]
        assert shown[place]["geometry"] == {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]}
    assert shown[4]["geometry"] is None
    assert shown[5]["geometry"] == {"type": "Point", "coordinates": [108.1, 11.9]}
    assert shown[6]["geometry"]["type"] == "Polygon"


def test_dead_areas_say_whose_they_are_and_where_service_is_claimed(snapshot):
    made = map_layers.dead(snapshot)
    areas = maps_data.dead_areas(snapshot)
    close(made, areas.geometry)
    verdicts = snapshot.village_verdicts.set_index(["village_id", "operator"])
    codes = list(snapshot.info.operators)
    for row in properties(made):
        assert set(row) == set("ivlnc")
        village = snapshot.villages["village_id"][row["i"]]
        claimed = verdicts.loc[(village, codes[row["v"] - 1]), "claimed"]
        assert row["c"] is (claimed is True or claimed is np.True_)
    assert {row["c"] for row in properties(made)} == {True, False}
    assert [(row["i"], row["v"], row["l"], row["n"]) for row in properties(made)] == list(
        zip(areas["village"], areas["view"], areas["list"], areas["nobody"], strict=True)
    )


def test_nothing_gives_empty_collections(snapshot):
    names = ("village_verdicts", "villages", "communes", "dead_areas", "road_verdicts")
    empty = dataclasses.replace(snapshot, **{name: getattr(snapshot, name).iloc[:0] for name in names})
    for made in (
        map_layers.communes(empty),
        map_layers.villages(empty),
        map_layers.dead(empty),
        map_layers.nothing(),
        map_layers.roads(roads().iloc[:0], empty.road_verdicts),
        map_layers.sites(sites().iloc[:0], {}),
        map_layers.lines(lines().iloc[:0]),
    ):
        assert json.loads(made) == {"type": "FeatureCollection", "features": []}


def roads() -> gpd.GeoDataFrame:
    """Two roads of the contract ROADS; the first is the one that the synthetic snapshot judges."""
    shapes = [
        LineString([(108.01, 11.81), (108.02, 11.82000001), (108.03, 11.83)]),
        LineString([(108, 12), (109, 12)]),
    ]
    table = {
        "road_id": ["deo-1", "q"],
        "road_name": ["Đèo <b>Gia Bắc</b>", HOSTILE[1]],
        "kind": ["pass", "road"],
    }
    return gpd.GeoDataFrame(table | {"source": "s", "file": "f"}, geometry=shapes, crs="EPSG:4326")


def sites() -> pd.DataFrame:
    """Sites of the contract SITES: of a known operator, of one by name, of nobody."""
    count = 3
    return pd.DataFrame(
        {
            "site_id": ["a", "b", "c"],
            "operator": ["45204", "Mạng <i>khác</i>", None],
            "technology": ["LTE+NR", None, "GSM"],
            "cell": [None] * count,
            "lat": [11.9000004, 11.8, 11.7],
            "lon": [108.4, 108.5, 108.6],
            "name": [HOSTILE[0], None, "Trạm 3"],
            "range_m": [np.nan] * count,
            "azimuth_deg": [np.nan] * count,
            "height_m": [42.5, np.nan, 30.0],
            "planned": [False, True, False],
            "on_air": [date(2024, 3, 15), None, None],
            "source": "s",
            "file": "f",
        }
    )


def lines() -> gpd.GeoDataFrame:
    """A line and a transformer of the contract LINES."""
    table = {"kind": ["line", "transformer"], "voltage_kv": [22.0, np.nan], "source": "s", "file": "f"}
    shapes = [LineString([(108.1, 11.9), (108.2, 11.95)]), Point(108.15, 11.92)]
    return gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:4326")


def test_roads_carry_the_kilometres_of_each_operator(snapshot):
    made = map_layers.roads(roads(), snapshot.road_verdicts)
    close(made, roads().geometry)
    of_viettel = {"dead_km": 3.0, "unmeasured_km": 2.0, "length_km": 12.0}
    assert properties(made) == [
        {
            "road_id": "deo-1",
            "name": "Đèo <b>Gia Bắc</b>",
            "kind": "pass",
            "operators": {"45204": of_viettel},
        },
        {"road_id": "q", "name": HOSTILE[1], "kind": "road", "operators": {}},
    ]
    # What a reader may not see is not there, and the road is.
    assert [
        row["operators"] for row in properties(map_layers.roads(roads(), snapshot.road_verdicts.iloc[:0]))
    ] == [{}, {}]


def test_sites_are_points_with_what_is_known_of_them():
    made = map_layers.sites(sites(), {"45204": "Viettel"})
    assert [one["geometry"]["coordinates"] for one in features(made)] == [
        [108.4, 11.9],
        [108.5, 11.8],
        [108.6, 11.7],
    ]
    first, second, third = properties(made)
    assert first == {
        "operator": "45204",
        "operator_name": "Viettel",
        "technology": "LTE+NR",
        "name": HOSTILE[0],
        "planned": False,
        "on_air": "2024-03-15",
        "height_m": 42.5,
    }
    assert (second["operator_name"], second["planned"], second["height_m"]) == (
        "Mạng <i>khác</i>",
        True,
        None,
    )
    assert (third["operator"], third["operator_name"], third["on_air"]) == (None, None, None)


def test_lines_and_transformers_have_their_voltage():
    made = map_layers.lines(lines())
    close(made, lines().geometry)
    assert properties(made) == [
        {"kind": "line", "voltage_kv": 22.0},
        {"kind": "transformer", "voltage_kv": None},
    ]
