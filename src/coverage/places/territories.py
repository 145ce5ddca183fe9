"""Territories of villages that came as points: the ground nearer to them than to any other village."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes
from coverage.criteria import Ground
from coverage.projections import equal_area

Shapes = npt.NDArray[np.object_]
WGS84 = "EPSG:4326"
_APART_M = 0.2  # villages that share one point (a nhà văn hoá for both) part its ground between them
_FAR_M = 100_000.0  # beyond any commune
_LEAST_M2 = 100.0  # less is a sliver between two drawings, and nobody's territory


def with_territories(
    villages: gpd.GeoDataFrame,
    clusters: pd.DataFrame,
    communes: gpd.GeoDataFrame,
    settled: npt.NDArray[np.int64] | None,
    resolution: int,
    ground: Ground,
) -> gpd.GeoDataFrame:
    """The villages (VILLAGES with geometry, EPSG:4326), each with the polygon of its territory.

    Given polygons stay as they are. A village known by points (its own, its centre, its clusters) gets the
    ground nearer to them than to any other village's, in the communes where they lie (whatever its code says),
    outside every given polygon, and limited to settled land: the hexes `settled` (of that resolution) where a
    population raster says who lives where, and the hexes of the points, within `ground.territory_reach_m`. Only
    `ground.territory_radius_m` around the points without a raster, outside all communes, and in a commune some of
    whose villages nobody can place: whose people live farther off is not known there. No ground is given twice.
    Marked `derived`; one that nobody can place, or for which no ground is left, has no geometry and is marked `none`.
    """
    shapes = villages.geometry.to_numpy().copy()
    given = shapely.get_dimensions(shapes) == 2
    shapes[~given] = None
    boundary = np.where(given, "given", "none").astype(object)
    seeds = _seeds(villages[~given], clusters)
    if len(seeds):
        plane = equal_area(gpd.GeoSeries(gpd.points_from_xy(seeds["lon"], seeds["lat"])))
        seeds["commune"] = _communes_of(seeds, communes)
        near = settled is None or seeds["commune"].isin(_with_unplaced(villages[~given], seeds))
        reach_m = np.where(
            near | seeds["commune"].eq(""), ground.territory_radius_m, ground.territory_reach_m
        )
        cells = _cells(seeds, plane, communes, reach_m)
        cells = _outside(cells, villages[given].geometry.to_crs(plane).to_numpy())
        if settled is not None:
            cells = _settled_part(cells, _land(seeds, plane, settled, resolution))
        derived = _in_degrees(cells, plane)
        rows = villages["village_id"].isin(derived.index).to_numpy()
        shapes[rows] = derived.loc[villages.loc[rows, "village_id"]].to_numpy()
        boundary[rows] = "derived"
    found = villages.assign(boundary=boundary)
    return found.set_geometry(gpd.GeoSeries(shapes, index=villages.index, crs=villages.crs))


def communes_around(
    villages: gpd.GeoDataFrame, clusters: pd.DataFrame, communes: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """The communes in which a village without a polygon has a point: a raster need be asked nowhere else."""
    unbounded = villages[shapely.get_dimensions(villages.geometry.to_numpy()) != 2]
    return communes[communes["commune_code"].isin(_communes_of(_seeds(unbounded, clusters), communes))]


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


def _communes_of(seeds: pd.DataFrame, communes: gpd.GeoDataFrame) -> pd.Series:
    """The code of the commune in which each seed lies, "" where in none. A mistyped code moves nobody's ground."""
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(seeds["lon"], seeds["lat"]), crs=WGS84)
    known = communes[["commune_code", "geometry"]].dropna()
    found = gpd.sjoin(points, known, predicate="within", how="left")["commune_code"]
    first: pd.Series[str] = found[~found.index.duplicated()].reindex(points.index).fillna("")
    return first.set_axis(seeds.index)


def _with_unplaced(villages: gpd.GeoDataFrame, seeds: pd.DataFrame) -> set[str]:
    """The communes of the villages without any point."""
    unplaced = villages[~villages["village_id"].isin(seeds["village_id"])]
    return set(unplaced["commune_code"].dropna())


def _cells(
    seeds: pd.DataFrame, plane: str, communes: gpd.GeoDataFrame, reach_m: npt.NDArray[np.float64]
) -> pd.Series:
    """The ground nearest to each village within reach, in the communes of its seeds; by village_id, on the plane."""
    where, points = seeds["commune"].to_numpy(), _on_plane(seeds, plane)
    outlines = communes.to_crs(plane).dissolve("commune_code").geometry
    everywhere = shapely.union_all(outlines.to_numpy())
    cells = np.empty(len(seeds), dtype=object)
    for commune in pd.unique(where):
        here = where == commune
        own = shapely.intersection(_voronoi(points[here]), shapely.buffer(points[here], reach_m[here]))
        inside = (
            shapely.intersection(own, outlines[commune]) if commune else shapely.difference(own, everywhere)
        )
        cells[here] = inside
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


def _land(seeds: pd.DataFrame, plane: str, settled: npt.NDArray[np.int64], resolution: int) -> Shapes:
    """The hexes where people may live, as shapes of the plane, not yet cut to anybody's cell."""
    # People live in the hexes of the raster, and where the list puts the village.
    own = hexes.of_points(seeds["lat"].to_numpy(), seeds["lon"].to_numpy(), resolution)
    outlines = hexes.polygons(np.unique(np.concatenate([settled, own])))
    found: Shapes = gpd.GeoSeries(outlines, crs=WGS84).to_crs(plane).to_numpy()
    return found


def _settled_part(cells: pd.Series, land: Shapes) -> pd.Series:
    tree = shapely.STRtree(land)
    parts = [
        shapely.intersection(cell, shapely.union_all(land[tree.query(cell, "intersects")], grid_size=0.001))
        for cell in cells
    ]
    return pd.Series(parts, index=cells.index)


def _in_degrees(cells: pd.Series, plane: str) -> pd.Series:
    """The cells that have any area, EPSG:4326; a point inside another village's boundary may leave none."""
    areal = np.array([_areal(shape) for shape in cells], dtype=object)
    left = shapely.area(areal) > _LEAST_M2
    degrees = gpd.GeoSeries(areal[left], crs=plane).to_crs(WGS84).to_numpy()
    return pd.Series(shapely.make_valid(degrees), index=cells.index[left])


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
