"""The simulated ground: communes of Lâm Đồng with derived outlines, and terrain.

Everything is laid out on a plane in metres around (LAT0, LON0); over the province the plane is within
0.7 % of true distances, which a simulation can bear. Only the files hold WGS 84 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from vietnamadminunits.database import get_data

from coverage.simulate.noise import Floats

PROVINCE_CODE = "68"  # Lâm Đồng since 2025-07-01, in vietnamadminunits
LAT0, LON0 = 11.7, 108.0
METRES_PER_LAT = 110_625.0  # WGS 84, at LAT0
METRES_PER_LON = 109_019.0
TERRAIN_STEP_M = 100.0
_MARGIN_M = 25_000.0
_HULL_BUFFER_M = 9_000.0
_VILLAGES_PER_COMMUNE = 12
_WHOLE_PROVINCE_FROM = 1_400
_RELIEF_SD_M = 260.0  # hundreds of metres between valley and ridge
# Two points of the south-east coast: relief grows from there to full height 40 km inland.
_COAST = ((107.55, 10.62), (108.85, 11.38))


@dataclass(frozen=True)
class Commune:
    """One commune: code and name of vietnamadminunits, outline on the plane in metres."""

    code: str
    name: str
    outline: shapely.Geometry


@dataclass(frozen=True)
class Terrain:
    """Heights in metres on a grid of `TERRAIN_STEP_M`, whose first node is at (left, bottom)."""

    heights_m: Floats
    left: float
    bottom: float

    def height(self, x: Floats, y: Floats) -> Floats:
        """The height in metres of the nearest node; beyond the grid, of its edge."""
        rows, columns = self.heights_m.shape
        row = np.clip(np.rint((y - self.bottom) / TERRAIN_STEP_M).astype(np.int64), 0, rows - 1)
        column = np.clip(np.rint((x - self.left) / TERRAIN_STEP_M).astype(np.int64), 0, columns - 1)
        return self.heights_m[row, column]


def to_plane(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """X and y in metres of WGS 84 degrees."""
    return (lon - LON0) * METRES_PER_LON, (lat - LAT0) * METRES_PER_LAT


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """WGS 84 latitude and longitude in degrees of points on the plane."""
    return LAT0 + y / METRES_PER_LAT, LON0 + x / METRES_PER_LON


def geometry_to_degrees(geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry of the plane in EPSG:4326, lon/lat, rounded to six decimals."""
    return shapely.transform(geometry, _round_lon_lat)


def _round_lon_lat(points: Floats) -> Floats:
    lat, lon = to_degrees(points[:, 0], points[:, 1])
    return np.column_stack([lon.round(6), lat.round(6)])


def communes() -> list[Commune]:
    """All communes of the province by code; outlines are Voronoi cells of their centres."""
    units = sorted(_units(), key=lambda unit: str(unit["wardCode"]))
    islands = [unit for unit in units if "Đặc khu" in str(unit["ward"])]
    mainland = [unit for unit in units if unit not in islands]
    points = [_centre(unit) for unit in mainland]
    hull = shapely.concave_hull(shapely.MultiPoint(points), ratio=0.3).buffer(_HULL_BUFFER_M, quad_segs=4)
    cells = voronoi(points, hull)
    found = [_commune(unit, cell) for unit, cell in zip(mainland, cells, strict=True)]
    # The island's cell would be open sea: a disc of its stated area instead.
    found += [
        _commune(unit, _centre(unit).buffer(np.sqrt(float(str(unit["wardAreaKm2"])) * 1e6 / np.pi)))
        for unit in islands
    ]
    return sorted(found, key=lambda commune: commune.code)


def _units() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = get_data(fields="*", table="admin_units")
    return [row for row in rows if row["provinceCode"] == PROVINCE_CODE]


def _centre(unit: dict[str, object]) -> shapely.Point:
    lat, lon = np.array([unit["wardLat"]], float), np.array([unit["wardLon"]], float)
    x, y = to_plane(lat, lon)
    return shapely.Point(x[0], y[0])


def _commune(unit: dict[str, object], outline: shapely.Geometry) -> Commune:
    return Commune(str(unit["wardCode"]), str(unit["ward"]), outline)


def voronoi(points: list[shapely.Point], frame: shapely.Geometry) -> list[shapely.Geometry]:
    """The part of `frame` nearer to each point than to any other, in the order of the points."""
    if len(points) == 1:
        return [frame]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=frame))
    tree = shapely.STRtree(cells)
    inside = [cells[tree.query(point, predicate="intersects")[0]] for point in points]
    return [shapely.intersection(cell, frame) for cell in inside]


def chosen_communes(rng: np.random.Generator, every: list[Commune], villages: int) -> list[Commune]:
    """The communes that get villages: a compact group in the mountains, or all for a large province."""
    if villages >= _WHOLE_PROVINCE_FROM:
        return every
    mainland = [commune for commune in every if "Đặc khu" not in commune.name]
    wanted = min(len(mainland), -(-villages // _VILLAGES_PER_COMMUNE))
    mountains = [commune for commune in mainland if _is_mountain(commune)]
    seat = mountains[int(rng.integers(len(mountains)))].outline.centroid
    nearest = sorted(mainland, key=lambda commune: commune.outline.centroid.distance(seat))
    return sorted(nearest[:wanted], key=lambda commune: commune.code)


def _is_mountain(commune: Commune) -> bool:
    # The old Lâm Đồng highlands; towns (phường) are not where gaps are looked for.
    centre = commune.outline.centroid
    return commune.name.startswith("Xã") and centre.y > -15_000 and -10_000 < centre.x < 70_000


def terrain(rng: np.random.Generator, area: list[Commune]) -> Terrain:
    """Random mountains over the communes and 25 km around them."""
    left, bottom, right, top = shapely.total_bounds([commune.outline for commune in area])
    columns = int((right - left + 2 * _MARGIN_M) / TERRAIN_STEP_M) + 1
    rows = int((top - bottom + 2 * _MARGIN_M) / TERRAIN_STEP_M) + 1
    left, bottom = left - _MARGIN_M, bottom - _MARGIN_M
    rough = _fractal(rng, rows, columns)
    x = left + np.arange(columns) * TERRAIN_STEP_M
    y = bottom + np.arange(rows) * TERRAIN_STEP_M
    inland = _inland_share(x[None, :], y[:, None])
    return Terrain(np.maximum(0.0, 20 + inland * (600 + _RELIEF_SD_M * rough)), float(left), float(bottom))


def _fractal(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    # Power law between ridges a kilometre apart and massifs of 12 km, as in dissected highlands.
    frequency = np.hypot(
        np.fft.fftfreq(rows, TERRAIN_STEP_M)[:, None], np.fft.rfftfreq(columns, TERRAIN_STEP_M)[None, :]
    )
    amplitude = (frequency**2 + (1 / 12_000) ** 2) ** -0.9
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((rows, columns))) * amplitude, s=(rows, columns))
    shape: Floats = (field - field.mean()) / field.std()
    return shape


def _inland_share(x: Floats, y: Floats) -> Floats:
    ends = np.array(_COAST)
    along_x, along_y = to_plane(ends[:, 1], ends[:, 0])
    east, north = along_x[1] - along_x[0], along_y[1] - along_y[0]
    distance = ((y - along_y[0]) * east - (x - along_x[0]) * north) / np.hypot(east, north)
    share: Floats = np.clip(distance / 40_000.0, 0.05, 1.0)
    return share
