"""The operator's nearest radio sites to where a village is dead: what its answer will be held against.

They judge nothing: a near site proves no signal, and a list without one proves no absence.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import Geod
from scipy.spatial import cKDTree

from coverage.criteria import Ground
from coverage.places.rasters.terrain import terrain_blocks
from coverage.projections import ecef

_EARTH = Geod(ellps="WGS84")
_KEY = ["village_id", "operator"]
_MAST = ["site_id", "lat", "lon", "height_m", "on_air"]


def nearest_sites(
    dead_rows: pd.DataFrame, sites: pd.DataFrame, as_of: date, dem: Path | None, ground: Ground
) -> pd.DataFrame:
    """The nearest site on air and the nearest planned one of the same operator, one row per row of `dead_rows`.

    `dead_rows` holds village_id, operator, lat, lon of the place that decides (missing lat, lon: no answer),
    `sites` is SITES with operators resolved, `dem` a terrain model in metres or None. Columns: village_id,
    operator, site_id, site_distance_km, site_terrain_blocks, planned_site_id, planned_site_distance_km,
    planned_on_air, as VILLAGE_VERDICTS says. A site is on air on `as_of` where the list does not call it
    planned and its day, if it has one, has come; else it is planned. Distances are geodesic, WGS 84.
    Cells at one spot are one mast, its antenna the highest listed, else `ground.antenna_height_m`.
    """
    waits = sites["planned"].astype(bool) | (pd.to_datetime(sites["on_air"]) > pd.Timestamp(as_of))
    now = _nearest(dead_rows, _masts(sites[~waits]))
    later = _nearest(dead_rows, _masts(sites[waits]))
    return pd.DataFrame(
        {
            **{column: dead_rows[column] for column in _KEY},
            "site_id": now["site_id"],
            "site_distance_km": now["distance_km"],
            "site_terrain_blocks": _blocked(dead_rows, now, dem, ground),
            "planned_site_id": later["site_id"],
            "planned_site_distance_km": later["distance_km"],
            "planned_on_air": later["on_air"],
        }
    )


def _masts(sites: pd.DataFrame) -> pd.DataFrame:
    # The cells of one mast share its spot: first id, highest antenna, earliest day.
    known = sites.dropna(subset="operator").sort_values("site_id")
    known = known.assign(on_air=pd.to_datetime(known["on_air"]), height_m=known["height_m"].astype(float))
    by_spot = known.groupby(["operator", "lat", "lon"], as_index=False)
    return by_spot.agg(site_id=("site_id", "first"), height_m=("height_m", "max"), on_air=("on_air", "min"))


def _nearest(dead_rows: pd.DataFrame, masts: pd.DataFrame) -> pd.DataFrame:
    # The nearest mast beside each dead row and how far it is; missing where the operator has none.
    found = pd.DataFrame(index=dead_rows.index, columns=[*_MAST, "distance_km"], dtype=object)
    placed = dead_rows.dropna(subset=["lat", "lon"])
    for operator, rows in placed.groupby("operator"):
        own = masts[masts["operator"] == operator]
        if own.empty:
            continue
        _, nearest = cKDTree(_space(own)).query(_space(rows))
        mast = own.iloc[nearest].set_index(rows.index)
        _, _, metres = _EARTH.inv(rows["lon"], rows["lat"], mast["lon"], mast["lat"])
        found.loc[rows.index, _MAST] = mast[_MAST]
        found.loc[rows.index, "distance_km"] = np.asarray(metres) / 1000
    days = pd.to_datetime(found["on_air"]).dt.date.astype(object)
    measures = found[["lat", "lon", "height_m", "distance_km"]].astype(float)
    named = found["site_id"].where(found["site_id"].notna(), None)
    return measures.assign(site_id=named, on_air=days.where(days.notna(), None))


def _space(points: pd.DataFrame) -> npt.NDArray[np.float64]:
    return ecef(points["lat"].to_numpy(float), points["lon"].to_numpy(float))


def _blocked(dead_rows: pd.DataFrame, masts: pd.DataFrame, dem: Path | None, ground: Ground) -> pd.Series:
    blocked = pd.Series(None, index=dead_rows.index, dtype=object)
    there = masts["site_id"].notna()
    if dem is not None and there.any():
        antennas = masts.loc[there, ["lat", "lon", "height_m"]].fillna({"height_m": ground.antenna_height_m})
        phones = dead_rows.loc[there, ["lat", "lon"]]
        blocked[there] = terrain_blocks(
            dem, antennas, phones, ground.phone_height_m, ground.earth_radius_factor
        )
    return blocked
