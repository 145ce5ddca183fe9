"""Territories of villages that came as points: the ground nearer to them than to any other village."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes
from coverage.projections import equal_area

Shapes = npt.NDArray[np.object_]
WGS84 = "EPSG:4326"
_APART_M = 0.2  # villages that share one point (a nhà văn hoá for both) part its ground between them
_FAR_M = 100_000.0  # beyond any commune
_POINT_M = 1.0  # what stands for a village of whose territory nothing is left


def with_territories(
    villages: gpd.GeoDataFrame,
    clusters: pd.DataFrame,
    communes: gpd.GeoDataFrame,
    settled: npt.NDArray[np.int64] | None,
    resolution: int,
    radius_m: float,
) -> gpd.GeoDataFrame:
    """The villages (VILLAGES with geometry, EPSG:4326), each with the polygon of its territory.

    Given polygons stay as they are. A village known by points (its own, its centre, its clusters) gets the
    ground of its commune that is nearer to them than to any other village's, outside every given polygon, and
    limited to settled land: the hexes `settled` (of that resolution) where a population raster says who lives
    where, and the hexes of the points; else what lies within `radius_m` of them. It is marked `derived`. One
    that nobody can place has no geometry and is marked `none`.
    """
    shapes = villages.geometry.to_numpy().copy()
    given = shapely.get_dimensions(shapes) == 2
    shapes[~given] = None
    boundary = np.where(given, "given", "none").astype(object)
    seeds = _seeds(villages[~given], clusters)
    if len(seeds):
        plane = equal_area(gpd.GeoSeries(gpd.points_from_xy(seeds["lon"], seeds["lat"])))
        cells = _cells(seeds, plane, villages.set_index("village_id")["commune_code"], communes)
        cells = _outside(cells, villages[given].geometry.to_crs(plane).to_numpy())
        derived = _settled_part(cells, _land(seeds, plane, settled, resolution, radius_m), seeds, plane)
        rows = villages["village_id"].isin(derived.index).to_numpy()
        shapes[rows] = derived.loc[villages.loc[rows, "village_id"]].to_numpy()
        boundary[rows] = "derived"
    found = villages.assign(boundary=boundary)
    return found.set_geometry(gpd.GeoSeries(shapes, index=villages.index, crs=villages.crs))


def _seeds(villages: gpd.GeoDataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Every known point of the villages without a polygon: village_id, lat, lon; distinct."""
    placed = villages[~(villages.geometry.isna() | villages.geometry.is_empty)]
    points = placed.geometry.representative_point()
    own = pd.DataFrame({"village_id": placed["village_id"], "lat": points.y, "lon": points.x})
    centres = villages[["village_id", "centre_lat", "centre_lon"]]
    centres = centres.set_axis(["village_id", "lat", "lon"], axis=1).dropna()
    listed = clusters.loc[clusters["village_id"].isin(villages["village_id"]), ["village_id", "lat", "lon"]]
    every: pd.DataFrame = pd.concat([part for part in (own, centres, listed) if len(part)] or [own])
    return every.drop_duplicates().sort_values(["village_id", "lat", "lon"], ignore_index=True)


def _on_plane(seeds: pd.DataFrame, plane: str) -> Shapes:
    points = gpd.GeoSeries(gpd.points_from_xy(seeds["lon"], seeds["lat"]), crs=WGS84)
    metric: Shapes = points.to_crs(plane).to_numpy()
    return metric


def _cells(seeds: pd.DataFrame, plane: str, commune_of: pd.Series, communes: gpd.GeoDataFrame) -> pd.Series:
    """The ground of its commune that is nearest to each village, by village_id, on the plane.

    A village of no known commune may reach anywhere, among its like.
    """
    where = commune_of.reindex(seeds["village_id"]).fillna("").to_numpy()
    points = _on_plane(seeds, plane)
    cells = np.empty(len(seeds), dtype=object)
    for commune in pd.unique(where):
        cells[where == commune] = _voronoi(points[where == commune])
    outlines = communes.to_crs(plane).dissolve("commune_code").geometry
    known = np.isin(where, outlines.index)
    cells[known] = shapely.intersection(cells[known], outlines.loc[where[known]].to_numpy())
    return (
        pd.Series(cells).groupby(seeds["village_id"]).agg(lambda parts: shapely.union_all(parts.to_numpy()))
    )


def _voronoi(points: Shapes) -> Shapes:
    apart = shapely.transform(points, _told_apart)
    frame = shapely.buffer(shapely.multipoints(apart), _FAR_M)
    if len(points) == 1:
        return np.array([frame], dtype=object)
    cells: Shapes = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(apart), extend_to=frame, ordered=True)
    )
    return cells


def _told_apart(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    again = pd.DataFrame(xy.round(1)).groupby([0, 1]).cumcount().to_numpy()
    return xy + np.column_stack([again * _APART_M, np.zeros(len(xy))])


def _outside(cells: pd.Series, taken: Shapes) -> pd.Series:
    """The cells without the ground of the polygons that were given."""
    tree = shapely.STRtree(taken)
    near = (taken[tree.query(cell, predicate="intersects")] for cell in cells)
    return pd.Series(
        [
            shapely.difference(cell, shapely.union_all(others))
            for cell, others in zip(cells, near, strict=True)
        ],
        index=cells.index,
    )


def _land(
    seeds: pd.DataFrame, plane: str, settled: npt.NDArray[np.int64] | None, resolution: int, radius_m: float
) -> Shapes:
    """Where people may live, as many shapes of the plane, not yet cut to anybody's cell."""
    if settled is None:
        discs: Shapes = shapely.buffer(_on_plane(seeds, plane), radius_m)
        return discs
    # People live in the hexes of the raster, and where the list puts the village.
    own = hexes.of_points(seeds["lat"].to_numpy(), seeds["lon"].to_numpy(), resolution)
    outlines = hexes.polygons(np.unique(np.concatenate([settled, own])))
    found: Shapes = gpd.GeoSeries(outlines, crs=WGS84).to_crs(plane).to_numpy()
    return found


def _settled_part(cells: pd.Series, land: Shapes, seeds: pd.DataFrame, plane: str) -> pd.Series:
    """The settled part of each cell, EPSG:4326, by village_id."""
    tree = shapely.STRtree(land)
    parts = [
        shapely.intersection(cell, shapely.union_all(land[tree.query(cell, "intersects")], grid_size=0.001))
        for cell in cells
    ]
    areal = np.array([_areal(part) for part in parts], dtype=object)
    # A point outside its own commune may leave nothing: the village is not lost for that.
    around = pd.Series(shapely.buffer(_on_plane(seeds, plane), _POINT_M)).groupby(seeds["village_id"]).first()
    whole = np.where(shapely.is_empty(areal), around.loc[cells.index].to_numpy(), areal)
    degrees = gpd.GeoSeries(whole, crs=plane).to_crs(WGS84).to_numpy()
    return pd.Series(shapely.make_valid(degrees), index=cells.index)


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
