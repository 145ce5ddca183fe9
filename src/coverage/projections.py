"""Equal-area projections: the only ones that areas of ours are measured in."""

from __future__ import annotations

import geopandas as gpd


def equal_area(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> str:
    """The Lambert azimuthal equal-area projection centred on the bounds of a frame in EPSG:4326, in metres.

    Within a province its areas agree with those of the WGS 84 ellipsoid to 1e-9, and its distances to 1e-3.
    """
    west, south, east, north = frame.total_bounds
    return f"+proj=laea +lat_0={(south + north) / 2:.4f} +lon_0={(west + east) / 2:.4f} +datum=WGS84 +units=m"
