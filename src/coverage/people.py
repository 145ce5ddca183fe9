"""Where in a village its people live: on which ground, and at which of the places that are judged."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from coverage import hexes
from coverage.criteria import Ground
from coverage.places import rasters

Floats = npt.NDArray[np.float64]
_SPHERES_APART = 4.0  # in radii: points of one sphere are at most 2 apart


def on_ground(pairs: gpd.GeoDataFrame, raster: Path | None, ground: Ground) -> pd.DataFrame:
    """The contract CROSSWALK: the pairs of `crosswalk.crosswalk` with `population` and `settled`, without geometry.

    `raster` holds people per pixel, in any CRS: each pixel counts with the share of it that lies on the
    ground. A pair is settled where at least `ground.settled_people_per_km2` live; without a raster nobody
    knows, and both are missing.
    """
    plain = pd.DataFrame(pairs.drop(columns="geometry"))
    if raster is None:
        return plain.assign(population=np.nan, settled=pd.Series([None] * len(plain), dtype=object))
    people = rasters.sums(raster, pairs.geometry)
    density = people / plain["area_km2"]
    settled = (density >= ground.settled_people_per_km2).astype(object).where(~np.isnan(people), None)
    return plain.assign(population=people, settled=settled)


def counted(villages: gpd.GeoDataFrame, pairs: pd.DataFrame) -> gpd.GeoDataFrame:
    """The villages with `population` filled from the raster where the list has none, and `population_source`.

    `pairs` is CROSSWALK. A village partly outside the raster has the people of the part inside.
    """
    listed = villages["population"]
    raster = pairs.groupby("village_id")["population"].sum(min_count=1).reindex(villages["village_id"])
    filled = listed.where(listed.notna(), raster.to_numpy())
    source = np.select([listed.notna(), filled.notna()], ["list", "raster"], "")
    named = pd.Series(source, index=villages.index, dtype=object).replace("", None)
    return villages.assign(population=filled, population_source=named)


def settled_parts(pairs: pd.DataFrame, least_people: float) -> pd.DataFrame:
    """The settled parts of each village: village_id, place_id, hex, population; one row per hex of a part.

    A part is what neighbouring settled hexes of one village make up, numbered from the most people on; parts of
    fewer than `least_people` are left out. `pairs` is CROSSWALK; without a raster there is no part.
    """
    lived_in = pairs[pairs["settled"].eq(True)].reset_index(drop=True)
    part = _components(lived_in)
    people = lived_in.groupby(part)["population"].sum()
    kept = people[people >= least_people].sort_values(ascending=False, kind="stable")
    village = lived_in.groupby(part)["village_id"].first().loc[kept.index]
    number = village.groupby(village).cumcount() + 1
    names = village + "/s/" + number.astype(str)
    rows = lived_in.assign(place_id=part.map(names)).dropna(subset="place_id")
    return rows[["village_id", "place_id", "hex", "population"]].sort_values(
        ["place_id", "hex"], ignore_index=True
    )


def _components(lived_in: pd.DataFrame) -> pd.Series:
    # Which of the rows hang together: same village, hexes that touch.
    rows = lived_in[["village_id", "hex"]].assign(row=np.arange(len(lived_in)))
    row, near = hexes.disks(rows["hex"].to_numpy(np.int64), 1)
    edges = rows.take(row).assign(hex=near).merge(rows, on=["village_id", "hex"])
    ones = np.ones(len(edges), dtype=np.int8)
    graph = coo_array((ones, (edges["row_x"], edges["row_y"])), shape=(len(rows), len(rows)))
    return pd.Series(connected_components(graph, directed=False)[1], index=lived_in.index)


def shared_out(
    places: pd.DataFrame, parts: pd.DataFrame, pairs: pd.DataFrame, pooled: pd.DataFrame
) -> pd.DataFrame:
    """The contract PLACES: the places with `share`, `share_around` and `people_method`. `pooled` is PLACE_HEXES.

    The share of the village's people who live at each place. A village of one place has everybody there
    (`whole`); where every listed cluster says its households, they decide (`clusters`); else the people of the
    raster belong to the place nearest to them (`raster`); else all places weigh alike (`equal`). The centre is
    where a village is judged first and holds nobody by itself: those who live around it are in a cluster.
    """
    homes = places[places["kind"] != "centre"]
    by_village = homes.groupby("village_id")
    number = by_village["place_id"].transform("size")
    listed = homes["households"].groupby(homes["village_id"])
    told = (listed.transform("count") == number) & (listed.transform("sum") > 0)
    households = homes["households"] / listed.transform("sum")
    nearest = homes["place_id"].map(_people_nearest(homes, parts, pairs)).fillna(0.0)
    around = nearest.groupby(homes["village_id"]).transform("sum")
    choices = [number == 1, told, around > 0]
    shares = [pd.Series(1.0, index=homes.index), households, nearest / around.where(around > 0)]
    share = pd.Series(np.select(choices, shares, 1.0 / number), index=homes.index)
    method = pd.Series(np.select(choices, ["whole", "clusters", "raster"], "equal"), index=homes.index)
    of_centre = homes.assign(method=method).drop_duplicates("village_id").set_index("village_id")["method"]
    shared = places.assign(
        share=share.reindex(places.index).fillna(0.0),
        people_method=method.reindex(places.index).fillna(places["village_id"].map(of_centre)),
    )
    return shared.assign(share_around=_around_centres(shared, pairs, pooled))


def _around_centres(places: pd.DataFrame, pairs: pd.DataFrame, pooled: pd.DataFrame) -> pd.Series:
    """The share of its village's people who live on the hexes that speak for each centre."""
    centres = places.loc[places["kind"] == "centre", ["place_id", "village_id"]]
    ground = centres.merge(pooled, on="place_id")
    there = ground.merge(pairs[["village_id", "hex", "population"]], on=["village_id", "hex"])
    everybody = pairs.groupby("village_id")["population"].sum().astype(float)
    whole = centres["village_id"].map(everybody.where(everybody > 0)).astype(float)
    near = centres["place_id"].map(there.groupby("place_id")["population"].sum()).astype(float).fillna(0.0)
    return (near / whole).clip(upper=1.0).reindex(places.index)


def _people_nearest(homes: pd.DataFrame, parts: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """The people of the raster to whom each place is the nearest of their village, by place_id."""
    anchors = _anchors(homes, parts)
    lived_in = pairs[pairs["population"].fillna(0) > 0]
    villages = pd.Index(anchors["village_id"].unique())
    lived_in = lived_in[lived_in["village_id"].isin(villages)]
    lat, lon = hexes.middles(lived_in["hex"].to_numpy(np.int64))
    tree = cKDTree(
        _apart(
            anchors["lat"].to_numpy(float),
            anchors["lon"].to_numpy(float),
            villages.get_indexer(anchors["village_id"]),
        )
    )
    row = tree.query(_apart(lat, lon, villages.get_indexer(lived_in["village_id"])))[1]
    nearest = anchors["place_id"].to_numpy()[row]
    return lived_in["population"].groupby(nearest).sum()


def _anchors(homes: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    # A cluster is its point; a settled part is every hex of it.
    points = homes.loc[homes["kind"] == "cluster", ["village_id", "place_id", "lat", "lon"]]
    lat, lon = hexes.middles(parts["hex"].to_numpy(np.int64))
    spread = parts[["village_id", "place_id"]].assign(lat=lat, lon=lon)
    return pd.concat([points, spread], ignore_index=True)


def _apart(lat: Floats, lon: Floats, village: npt.NDArray[np.intp]) -> Floats:
    # Of points on a sphere the nearest by chord is the nearest on the ground; and every village is a sphere of its
    # own, farther from the next than any point of it from another.
    phi, theta = np.radians(lat), np.radians(lon)
    return np.column_stack(
        [np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi), _SPHERES_APART * village]
    )
