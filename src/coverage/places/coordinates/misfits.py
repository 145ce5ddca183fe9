"""How far features lie outside the areas they are said to be in, under one reading of their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from coverage.places.coordinates.systems import Numbers, Reading

Rows = npt.NDArray[np.intp]
# Farther than this outside its area a feature says no more about a shift of some hundred metres: it lies
# somewhere else, by a wrong code or another zone. The largest such shift known is 538 m (wrong ellipsoid).
REACH_M = 1000.0
# Enough to tell the mistakes apart (see docs) in well under a second.
_FEATURES = 2000
_VERTICES = 6
_M_PER_DEGREE = 111_195.0  # of latitude, on the sphere of 6,371 km; within 1 % of the ellipsoid's


@dataclass(frozen=True)
class Ground:
    """The areas on a plane in metres, prepared for many questions; the last shape is all of them together."""

    shapes: npt.NDArray[np.object_]
    tree: shapely.STRtree
    boxes: Numbers
    scale: Numbers

    def metres(self, lat: Numbers, lon: Numbers) -> tuple[Numbers, Numbers]:
        """The plane's x, y of these degrees: true to 2 % over the size of a province."""
        return lon * self.scale[0], lat * self.scale[1]


@dataclass(frozen=True)
class Sample:
    """Vertices of the features as the numbers of the file; `first` is where each feature begins.

    `area` is the row of the area of each vertex; -1 = all areas together. `features` are the features' rows.
    """

    features: Rows
    x: Numbers
    y: Numbers
    first: Rows
    area: Rows

    @property
    def named(self) -> bool:
        """Whether the features are held against an area each."""
        return bool((self.area >= 0).all())


def ground_of(areas: gpd.GeoSeries) -> Ground:
    """The areas (EPSG:4326, valid polygons or points) as `Ground`, in their order."""
    _west, south, _east, north = areas.total_bounds
    scale = _M_PER_DEGREE * np.array([np.cos(np.radians((south + north) / 2)), 1.0])
    shapes = shapely.transform(areas.to_numpy(), lambda lonlat: lonlat * scale)
    everything = np.append(shapes, shapely.union_all(shapes))
    shapely.prepare(everything)
    return Ground(everything, shapely.STRtree(shapes), shapely.bounds(everything), scale)


def sample_of(features: gpd.GeoSeries, taken: Reading, area: Rows) -> Sample | None:
    """At most 2,000 features, and some 6 vertices of each, as numbers of the file; None where there are none.

    `features` in EPSG:4326 as `taken` read them; `area` the row of each one's area, -1 = none. Where most
    have one, only those count; else all are held against all areas together.
    """
    has_shape = ~(features.is_empty | features.isna()).to_numpy()
    named = has_shape & (area >= 0)
    by_name = 2 * named.sum() >= has_shape.sum()
    rows = np.flatnonzero(named if by_name else has_shape)
    if not len(rows):
        return None
    rows = rows[:: -(-len(rows) // _FEATURES)]
    lonlat, whose = shapely.get_coordinates(features.to_numpy()[rows], return_index=True)
    thin = _every_so_often(whose)
    lonlat, whose = lonlat[thin], whose[thin]
    x, y = taken.numbers(lonlat[:, 1], lonlat[:, 0])
    areas = area[rows][whose] if by_name else np.full(len(whose), -1)
    return Sample(rows, x, y, np.flatnonzero(np.diff(whose, prepend=-1)), areas)


def _every_so_often(whose: Rows) -> npt.NDArray[np.bool_]:
    size = np.bincount(whose)
    place = np.arange(len(whose)) - (np.cumsum(size) - size)[whose]
    step = np.maximum(size // _VERTICES, 1)[whose]
    return np.asarray(place % step == 0)


def misfits_m(reading: Reading, sample: Sample, ground: Ground) -> Numbers:
    """Metres that each feature's worst vertex lies outside its area under this reading, `REACH_M` at most."""
    x, y = ground.metres(*reading.lat_lon(sample.x, sample.y))
    away = np.full(len(x), REACH_M)
    near = np.flatnonzero(_outside_m(x, y, ground.boxes[sample.area]) < REACH_M)
    shapes = ground.shapes[sample.area[near]]
    inside = shapely.intersects_xy(shapes, x[near], y[near])
    away[near[inside]] = 0.0
    out = near[~inside]
    points = shapely.points(x[out], y[out])
    exact = shapely.distance(shapes[~inside], points) if sample.named else _to_nearest(points, ground)
    away[out] = np.minimum(exact, REACH_M)
    return np.asarray(np.maximum.reduceat(away, sample.first))


def _to_nearest(points: npt.NDArray[np.object_], ground: Ground) -> Numbers:
    # Many times faster than the distance to all areas as one shape.
    found = np.full(len(points), REACH_M)
    (which, _), away = ground.tree.query_nearest(
        points, max_distance=REACH_M, return_distance=True, all_matches=False
    )
    found[which] = away
    return found


def away_m(reading: Reading, sample: Sample, ground: Ground) -> Numbers:
    """Metres that each feature's first vertex lies outside the box around all areas; infinite off the globe."""
    first = sample.first
    x, y = ground.metres(*reading.lat_lon(sample.x[first], sample.y[first]))
    return _outside_m(x, y, ground.boxes[-1:])


def _outside_m(x: Numbers, y: Numbers, boxes: Numbers) -> Numbers:
    west, south, east, north = boxes.T
    beside = np.maximum(np.maximum(west - x, x - east), 0)
    beyond = np.maximum(np.maximum(south - y, y - north), 0)
    return np.asarray(np.hypot(beside, beyond))
