"""Where a village is, as one point, and in which commune that point lies."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely


def anchor_points(villages: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """One point per village (lon/lat, EPSG:4326): its centre, else a point inside its shape, else None."""
    inside = villages.geometry.representative_point()
    lon = villages["centre_lon"].astype(float).fillna(inside.x)
    lat = villages["centre_lat"].astype(float).fillna(inside.y)
    points = shapely.points(lon.to_numpy(), lat.to_numpy())
    points[lon.isna().to_numpy() | lat.isna().to_numpy()] = None
    return gpd.GeoSeries(points, index=villages.index, crs="EPSG:4326")


def commune_at(villages: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> pd.Series[Any]:
    """The code of the commune that each village lies in; None where it is in none or nobody knows where it is."""
    points = gpd.GeoDataFrame(geometry=anchor_points(villages))
    joined = gpd.sjoin(points, communes[["commune_code", "geometry"]], predicate="within", how="left")
    found = joined.loc[~joined.index.duplicated(), "commune_code"].reindex(villages.index)
    known: pd.Series[Any] = found.astype(object).where(found.notna(), None)
    return known
