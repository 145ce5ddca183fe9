"""Villages × hexes: who shares which ground, exactly, and which hexes speak for which place.

Areas come from an equal-area projection centred on the villages; H3's own cell areas (on a sphere)
are never mixed in: they are 0.4 % off.
"""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from coverage import hexes
from coverage.criteria import Criteria
from coverage.projections import ecef, equal_area

WGS84 = "EPSG:4326"
_LONG_AGO = pd.Timestamp("1990-01-01")


def crosswalk(villages: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """Every village × hex pair that shares ground: village_id, hex, area_km2, village_share of the contract CROSSWALK.

    The geometry is the shared ground in an equal-area projection (see `crs`). No village that has a polygon is
    lost, however small. `villages` holds village_id and valid polygons, EPSG:4326; without a polygon no pair.
    """
    placed = villages[~(villages.geometry.isna() | villages.geometry.is_empty)]
    projection = equal_area(placed) if len(placed) else WGS84
    shapes = placed.geometry.to_crs(projection).to_numpy()
    cells = hexes.near(placed.geometry.to_numpy(), resolution)
    outlines = gpd.GeoSeries(hexes.polygons(cells), crs=WGS84).to_crs(projection).to_numpy()
    village_row, cell_row = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    pieces = _shared_ground(shapes[village_row], outlines[cell_row])
    pairs = gpd.GeoDataFrame(
        {
            "village_id": placed["village_id"].to_numpy()[village_row],
            "hex": cells[cell_row],
            "area_km2": shapely.area(pieces) / 1e6,
        },
        geometry=pieces,
        crs=projection,
    )
    pairs = pairs[pairs["area_km2"] > 0]
    whole = pairs.groupby("village_id")["area_km2"].transform("sum")
    pairs["village_share"] = pairs["area_km2"] / whole
    return pairs.sort_values(["village_id", "hex"], ignore_index=True)


def _shared_ground(
    villages: npt.NDArray[np.object_], outlines: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    # A hex wholly inside needs no intersection: a quarter of the cost saved.
    shapely.prepare(villages)
    inside = shapely.contains_properly(villages, outlines)
    shared = outlines.copy()
    shared[~inside] = shapely.intersection(villages[~inside], outlines[~inside])
    return shared


def place_hexes(
    places: pd.DataFrame, pairs: pd.DataFrame, parts: pd.DataFrame, resolution: int, rings: int
) -> pd.DataFrame:
    """The hexes whose observations are pooled for each place, as the contract PLACE_HEXES.

    A centre or cluster: its hex and `rings` rings around it. A settled part: its hexes (`parts`: place_id, hex)
    and as many rings around each. A whole village: the hexes it shares ground with (`pairs` is its CROSSWALK).
    """
    points = places[places["kind"].isin(["centre", "cluster"])]
    cells = hexes.of_points(points["lat"].to_numpy(), points["lon"].to_numpy(), resolution)
    cores = pd.DataFrame({"place_id": points["place_id"].to_numpy(), "hex": cells})
    around = pd.concat([cores, parts[["place_id", "hex"]]], ignore_index=True)
    row, near = hexes.disks(around["hex"].to_numpy(np.int64), rings)
    around = around.take(row).assign(hex=near)
    whole = places.loc[places["kind"] == "polygon", ["place_id", "village_id"]]
    spread = whole.merge(pairs[["village_id", "hex"]], on="village_id")[["place_id", "hex"]]
    both = pd.concat([around, spread], ignore_index=True).astype({"hex": np.int64})
    return both.drop_duplicates().sort_values(["place_id", "hex"], ignore_index=True)


def outage_windows(
    outages: pd.DataFrame, villages: gpd.GeoDataFrame, places: pd.DataFrame, pooled: pd.DataFrame
) -> pd.DataFrame:
    """The known outages per hex: hex, operator (missing = all), from_utc, until_utc; distinct.

    `outages` is the contract OUTAGES, `places` PLACES, `pooled` PLACE_HEXES. An outage covers the hexes
    that speak for the places of its village, or of every village of its commune.
    """
    spread = pooled.merge(places[["place_id", "village_id"]], on="place_id")[["village_id", "hex"]]
    spread = spread.merge(villages[["village_id", "commune_code"]], on="village_id")
    columns = ["hex", "operator", "from_utc", "until_utc"]
    by_village = outages.dropna(subset="village_id").drop(columns="commune_code")
    by_commune = outages[outages["village_id"].isna()].drop(columns="village_id")
    parts = [by_village.merge(spread, on="village_id"), by_commune.merge(spread, on="commune_code")]
    return pd.concat([part[columns] for part in parts], ignore_index=True).drop_duplicates(ignore_index=True)


def new_site_windows(
    sites: pd.DataFrame, measured: npt.NDArray[np.int64], criteria: Criteria, began: date, as_of: date
) -> pd.DataFrame:
    """When the network near a hex was another one: hex, operator, from_utc, until_utc, as `outage_windows`.

    `sites` is SITES with operators resolved, `measured` the hexes in question. A site that went on air after
    `began` and not after `as_of` makes what failed before within `criteria.ground.site_reach_m` say nothing.
    """
    days: pd.Series[pd.Timestamp] = pd.to_datetime(sites["on_air"])
    new = ~sites["planned"].astype(bool) & (days > pd.Timestamp(began)) & (days <= pd.Timestamp(as_of))
    new &= sites["operator"].notna()
    masts = sites[new].assign(until_utc=days[new] - pd.Timedelta(hours=criteria.utc_offset_hours))
    lat, lon = hexes.middles(measured)
    near = cKDTree(ecef(lat, lon)).query_ball_point(
        ecef(masts["lat"].to_numpy(float), masts["lon"].to_numpy(float)), criteria.ground.site_reach_m
    )
    found = masts[["operator", "until_utc"]].assign(hex=[measured[rows] for rows in near]).explode("hex")
    found = found.dropna(subset="hex").assign(from_utc=_LONG_AGO)
    found["hex"] = found["hex"].astype(np.int64)
    last = found.groupby(["hex", "operator", "from_utc"])["until_utc"].max().reset_index()
    return last[["hex", "operator", "from_utc", "until_utc"]]
