"""Whether the ground stands between a radio site and a phone: a straight path over a terrain model, no more.

It says nothing of trees, houses, or what bends around a ridge: a blocked path hints why a place is dead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from pyproj import Geod, Transformer

from coverage.places.rasters import heights

_ELLIPSOID = Geod(ellps="WGS84")
_EARTH_RADIUS_M = 6_371_000.0
_SPOTS_AT_A_TIME = 2_000_000


def terrain_blocks(
    dem: Path, sites: pd.DataFrame, phones: pd.DataFrame, phone_height_m: float, earth_radius_factor: float
) -> list[bool | None]:
    """Whether the ground rises above the straight line from each site's antenna to the phone of the same row.

    `sites` holds lat, lon, height_m (antenna above the ground), `phones` lat, lon; WGS 84 degrees, row beside
    row. `dem` is a terrain model that `rasters.clean` wrote, heights in metres. The ground is sampled along
    the geodesic at the model's cell size, and rises by the bulge d₁·d₂ / (2·k·R) of an earth whose radius is
    `earth_radius_factor` times the real one, because radio waves bend (4/3 in the standard atmosphere).
    None: the model does not cover the whole path and what it covers does not block it, or a height is missing.
    """
    site, phone = sites[["lat", "lon"]].to_numpy(float), phones[["lat", "lon"]].to_numpy(float)
    azimuth_deg, _, length_m = _ELLIPSOID.inv(site[:, 1], site[:, 0], phone[:, 1], phone[:, 0])
    steps = np.nan_to_num(length_m) / _cell_m(dem)
    # A path of whole cells is sampled in their middles: a millionth of a cell is rounding.
    spots = np.ceil(steps - 1e-6).astype(np.int64) + 1
    paths = pd.DataFrame(
        {"lat": site[:, 0], "lon": site[:, 1], "azimuth_deg": azimuth_deg, "length_m": length_m}
    ).assign(antenna_m=sites["height_m"].to_numpy(float), spots=spots)
    found: list[bool | None] = []
    for batch in _batches(paths):
        ground = _profile(dem, batch, earth_radius_factor * _EARTH_RADIUS_M)
        found += _judge(ground, batch, phone_height_m)
    return found


def _cell_m(dem: Path) -> float:
    # The shorter side of the cell in the middle of the model.
    with rasterio.open(dem) as raster:
        grid, (x, y) = raster.transform, raster.xy(raster.height // 2, raster.width // 2)
        to_wgs84 = Transformer.from_crs(raster.crs.to_wkt(), "EPSG:4326", always_xy=True)
    lon, lat = to_wgs84.transform([x, x + grid.a, x], [y, y, y + grid.e])
    _, _, sides_m = _ELLIPSOID.inv([lon[0]] * 2, [lat[0]] * 2, lon[1:], lat[1:])
    return float(min(sides_m))


def _batches(paths: pd.DataFrame) -> Iterator[pd.DataFrame]:
    number = np.cumsum(paths["spots"].to_numpy()) // _SPOTS_AT_A_TIME
    return (batch for _, batch in paths.groupby(number))


def _profile(dem: Path, paths: pd.DataFrame, radius_m: float) -> pd.DataFrame:
    # One row per spot, from the site to the phone: how far along its path, and the ground with the earth's bulge.
    spots = paths["spots"].to_numpy()
    each = paths.loc[paths.index.repeat(spots)]
    step = np.arange(len(each)) - np.repeat(np.cumsum(spots) - spots, spots)
    share = step / np.maximum(each["spots"].to_numpy() - 1, 1)
    d_m = share * each["length_m"].to_numpy()
    lon, lat, _ = _ELLIPSOID.fwd(each["lon"], each["lat"], each["azimuth_deg"], d_m)
    bulge_m = d_m * (each["length_m"].to_numpy() - d_m) / (2 * radius_m)
    return pd.DataFrame({"share": share, "ground_m": heights(dem, lat, lon) + bulge_m})


def _judge(ground: pd.DataFrame, paths: pd.DataFrame, phone_height_m: float) -> list[bool | None]:
    spots, ground_m = paths["spots"].to_numpy(), ground["ground_m"].to_numpy()
    last = np.cumsum(spots) - 1
    first = last - spots + 1
    antenna_m, phone_m = ground_m[first] + paths["antenna_m"].to_numpy(), ground_m[last] + phone_height_m
    line_m = np.repeat(antenna_m, spots) + np.repeat(phone_m - antenna_m, spots) * ground["share"].to_numpy()
    above_m = ground_m - line_m
    unknown = np.logical_or.reduceat(np.isnan(above_m), first)
    # The ends stand on the ground; of what is unknown in between nothing is said.
    above_m[[*first, *last]] = -np.inf
    blocks = np.fmax.reduceat(above_m, first) > 0
    return [
        True if blocked else None if open_ else False for blocked, open_ in zip(blocks, unknown, strict=True)
    ]
