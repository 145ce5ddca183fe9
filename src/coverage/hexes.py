"""All H3. Hexes are int64 inside (the top bit of an H3 index is never set), text only for people.

Every H3 library returns a wrong hex in silence for latitude 91 and wraps longitude 190, so points
are range-checked here before any of them is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import h3
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from h3ronpy import change_resolution, grid_disk
from h3ronpy.vector import cells_to_coordinates, cells_to_wkb_polygons, coordinates_to_cells, wkb_to_cells

Hexes = npt.NDArray[np.int64]
_KM_PER_DEGREE = 110.5  # of latitude, where it is shortest: at the equator


def valid_points(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which points lie on the globe: -90 ≤ lat ≤ 90, -180 ≤ lon ≤ 180; NaN is not a point."""
    on_globe: npt.NDArray[np.bool_] = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    return on_globe


def of_points(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], resolution: int) -> Hexes:
    """The hex of each WGS 84 point; raises `ValueError` where a point is not on the globe."""
    if not valid_points(lat, lon).all():
        raise ValueError("a point with |lat| > 90, |lon| > 180 or NaN must not reach H3")
    cells = coordinates_to_cells(lat.astype(np.float64), lon.astype(np.float64), resolution)
    found: Hexes = pa.array(cells).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def of_point(lat: float, lon: float, resolution: int) -> int:
    """The hex of one WGS 84 point; raises `ValueError` where it is not on the globe."""
    return int(of_points(np.array([lat]), np.array([lon]), resolution)[0])


def parents(hexes: Hexes, resolution: int) -> Hexes:
    """The parent of each hex at a coarser resolution."""
    coarser = change_resolution(pa.array(hexes.astype(np.uint64)), resolution)
    found: Hexes = pa.array(coarser).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def disk(hexagon: int, rings: int) -> list[int]:
    """The hex and every hex within `rings` steps, sorted: 7 for one ring."""
    return sorted(h3.str_to_int(cell) for cell in h3.grid_disk(h3.int_to_str(hexagon), rings))


def around(hexes: Hexes, rings: int) -> Hexes:
    """The hexes and all within `rings` steps of one of them, sorted, once each."""
    near = grid_disk(pa.array(hexes.astype(np.uint64)), rings, flatten=True)
    found: Hexes = np.unique(pa.array(near).to_numpy(zero_copy_only=False)).astype(np.int64)
    return found


def disks(hexes: Hexes, rings: int) -> tuple[npt.NDArray[np.int64], Hexes]:
    """Each of N hexes beside all within `rings` steps of it, itself among them: its row (0 … N-1), and the other hex.

    Some 7 N pairs for one ring (a pentagon has five neighbours).
    """
    near = pa.array(grid_disk(pa.array(hexes.astype(np.uint64)), rings, flatten=False))
    rows = np.repeat(np.arange(len(hexes)), near.value_lengths().to_numpy())
    others: Hexes = near.flatten().to_numpy().astype(np.int64)
    return rows, others


def overlapping(polygon: shapely.Geometry, resolution: int) -> list[int]:
    """Every hex that shares ground with a WGS 84 lon/lat polygon, or touches it, sorted; never empty.

    H3's own fill by overlap leaves out a hex that a hole of the polygon lies in, however small the hole.
    """
    cells = near(np.array([polygon]), resolution)
    shapely.prepare(polygon)
    found: list[int] = cells[shapely.intersects(polygon, polygons(cells))].tolist()
    return found


def near(shapes: npt.NDArray[np.object_], resolution: int) -> Hexes:
    """Every hex that shares ground with one of the WGS 84 lon/lat polygons, and more around them, sorted, once each.

    All whose middle lies in the box of a part, widened by half as much again as a hex's radius (the spread of
    their sizes over the globe and of their shapes is less). For those who measure the shared ground themselves.
    """
    parts = shapely.get_parts(shapes)
    west, south, east, north = shapely.bounds(parts).T
    high_deg = 1.5 * h3.average_hexagon_edge_length(resolution, unit="km") / _KM_PER_DEGREE
    farthest = np.minimum(np.maximum(np.abs(south), np.abs(north)) + high_deg, 89.0)
    wide_deg = high_deg / np.cos(np.radians(farthest))
    return _in_boxes(
        shapely.box(west - wide_deg, south - high_deg, east + wide_deg, north + high_deg), resolution
    )


def _in_boxes(boxes: npt.NDArray[np.object_], resolution: int) -> Hexes:
    cells = wkb_to_cells(pa.array(shapely.to_wkb(boxes), pa.binary()), resolution, flatten=True)
    found: Hexes = np.unique(pa.array(cells).to_numpy()).astype(np.int64)
    return found


def centred_in(shapes: npt.NDArray[np.object_], resolution: int) -> Hexes:
    """Every hex whose middle lies in one of the WGS 84 lon/lat polygons (its border counts), sorted, once each.

    H3 fills the boxes around the parts and shapely looks which middles lie inside: a map of two million
    vertices takes seconds where H3's own fill takes most of a minute.
    """
    parts = shapely.get_parts(shapes)
    cells = _in_boxes(shapely.envelope(parts), resolution)
    lat, lon = middles(cells)
    inside = shapely.STRtree(shapely.points(lon, lat)).query(parts, predicate="intersects")[1]
    found: Hexes = cells[np.unique(inside)]
    return found


def polygons(hexes: Sequence[int] | Hexes) -> npt.NDArray[np.object_]:
    """The outline of each hex as a shapely polygon, EPSG:4326 lon/lat."""
    wkb = cells_to_wkb_polygons(pa.array(np.asarray(hexes, dtype=np.uint64)))
    outlines: npt.NDArray[np.object_] = shapely.from_wkb(pa.array(wkb).to_numpy(zero_copy_only=False))
    return outlines


def middles(hexes: Hexes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Latitude and longitude of the middle of each hex, WGS 84 degrees."""
    points = cells_to_coordinates(pa.array(hexes.astype(np.uint64)))
    table = pa.table(points)
    return table["lat"].to_numpy(), table["lng"].to_numpy()


def text(hexagon: int) -> str:
    """The hex as people and other tools write it, e.g. 896520ca5a3ffff."""
    name: str = h3.int_to_str(int(hexagon))
    return name
