"""What stands around a dead place: what its operator claims there, and the masts nearby."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from coverage.dead_areas import dead_places
from coverage.places.vector_files import or_none
from coverage.tables import VILLAGE_VERDICTS

_KEY = ["village_id", "operator"]
_SITES = (
    *("site_id", "site_distance_km", "site_terrain_blocks"),
    *("planned_site_id", "planned_site_distance_km", "planned_on_air"),
)


def dead_spots(verdicts: pd.DataFrame, places: pd.DataFrame, dead_areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Where each dead village × operator is dead: village_id, operator, lat, lon in WGS 84 degrees.

    The point of its first dead place, the centre before the clusters; where the whole village was judged as
    one, a point inside its dead area. `verdicts` holds village_id, operator, status and dead_places of
    VILLAGE_VERDICTS, `places` is PLACES.
    """
    first = dead_places(verdicts).drop_duplicates(_KEY)
    spots = first.merge(places[["place_id", "lat", "lon"]], on="place_id")
    inside = dead_areas.geometry.representative_point()
    areas = dead_areas[_KEY].assign(area_lat=shapely.get_y(inside), area_lon=shapely.get_x(inside))
    spots = spots.merge(areas, on=_KEY, how="left")
    spots["lat"], spots["lon"] = (
        spots["lat"].fillna(spots["area_lat"]),
        spots["lon"].fillna(spots["area_lon"]),
    )
    return spots[[*_KEY, "lat", "lon"]]


def described(verdicts: pd.DataFrame, claimed: pd.Series[bool], sites: pd.DataFrame) -> pd.DataFrame:
    """The verdicts with what the operator claims and its nearest sites, in the order of VILLAGE_VERDICTS.

    Without the ranking of surveys where `verdicts` lacks it.

    `claimed` has the index of `verdicts`; `sites` is what `nearest_sites.nearest_sites` returns.
    """
    told = verdicts.assign(claimed=claimed).merge(sites[[*_KEY, *_SITES]], on=_KEY, how="left")
    for column in ("site_id", "site_terrain_blocks", "planned_site_id", "planned_on_air"):
        told[column] = or_none(told[column])
    known = [name for name in VILLAGE_VERDICTS.names if name in told]
    return told[known]
