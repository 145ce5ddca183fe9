"""What the ground and the sites say of a hex before anybody measures there: the trend of predictions, no evidence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from pyproj import Geod

from coverage import hexes
from coverage.criteria import Ground
from coverage.nearest_sites import nearest_sites
from coverage.places.rasters import heights

_EARTH = Geod(ellps="WGS84")
# How far around a hex its relief is looked at: its own slope and the valley it lies in; our judgement.
_AROUND_M = (500.0, 1500.0)
_DIRECTIONS_DEG = np.arange(0.0, 360.0, 45.0)
_NEAREST_M = 100.0  # nearer than this a phone stands under the antenna
_PATH_KM = 10.0  # farther sites: the path is not looked at, it would cost most of the time


def terrain(cells: hexes.Hexes, dem: Path) -> pd.DataFrame:
    """Height and relief at the middle of each hex in metres, indexed by hex.

    Columns: height_m, and for two distances around, above_D_m (height above the mean of eight points there) and
    rough_D_m (their standard deviation). `dem` is a terrain model that `rasters.clean` wrote. Missing: not covered.
    """
    lat, lon = hexes.middles(cells)
    height_m = heights(dem, lat, lon)
    columns = {"height_m": height_m}
    for distance_m in _AROUND_M:
        bearings = np.repeat(_DIRECTIONS_DEG, len(cells))
        times = len(_DIRECTIONS_DEG)
        far = np.full(len(bearings), distance_m)
        east, north, _ = _EARTH.fwd(np.tile(lon, times), np.tile(lat, times), bearings, far)
        ring_m = heights(dem, np.asarray(north), np.asarray(east)).reshape(times, len(cells))
        columns[f"above_{distance_m:.0f}_m"] = height_m - ring_m.mean(axis=0)
        columns[f"rough_{distance_m:.0f}_m"] = ring_m.std(axis=0)
    return pd.DataFrame(columns, index=cells)


def way_to_site(
    cells: hexes.Hexes, operator: str, sites: pd.DataFrame, as_of: date, dem: Path | None, ground: Ground
) -> pd.DataFrame:
    """How far and how free the way to the operator's nearest known site on air is, indexed by hex.

    Columns: site_loss_db (10 · log₁₀ of the distance in km: the level falls by a multiple of it); with a `dem` also
    site_blocked (1 = the ground stands in the path, 0 = not) and blocked_loss_db (their product). Missing: the list
    has no site of the operator; of the last two also: not covered, or more than 10 km away. `sites` is SITES.
    """
    lat, lon = hexes.middles(cells)
    phones = pd.DataFrame({"village_id": cells, "operator": operator, "lat": lat, "lon": lon})
    distance_km = nearest_sites(phones, sites, as_of, None, ground)["site_distance_km"].astype(float)
    loss_db = 10 * np.log10(distance_km.clip(lower=_NEAREST_M / 1000))
    found = pd.DataFrame({"site_loss_db": loss_db})
    if dem is not None:
        asked = phones[distance_km <= _PATH_KM]
        blocks = nearest_sites(asked, sites, as_of, dem, ground)["site_terrain_blocks"].astype(float)
        found["site_blocked"] = blocks.reindex(found.index)
        found["blocked_loss_db"] = found["site_blocked"] * loss_db
    return found.set_axis(cells)
