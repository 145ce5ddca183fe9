"""Roads and mountain passes × hexes: how much of each road has which verdict, and its dead stretches.

A test beside the road counts for the length of road in its hex, and every bit of road is in one hex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Geod

from coverage import hexes
from coverage.tables import ROAD_VERDICTS, schema

_EARTH = Geod(ellps="WGS84")
_STEP_DEG = 0.0005  # some 55 m, far less than a hex: what the road enters between two samples is a neighbour
_SAME = 1e-9  # of a segment: neighbouring hexes draw their border with vertices that differ in the last bits
_LENGTHS = {
    "dead_zone": "dead_km",
    "below_standard": "below_standard_km",
    "covered": "covered_km",
    "not_enough_evidence": "undecided_km",
    "no_data": "unmeasured_km",
}
_KEY = ["road_id", "operator"]
Floats = npt.NDArray[np.float64]


def road_hexes(roads: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """How much of each road lies in each hex: road_id, hex, length_km, with its lines there, EPSG:4326.

    `roads` is the contract ROADS with lines, EPSG:4326. Roads are cut where they cross the border of a hex;
    a line along a border is in the hex that H3 counts it to. Lengths are geodesic, WGS 84, and add up to
    the road's own.
    """
    if roads.empty:
        nothing = pd.DataFrame({"road_id": [], "hex": [], "length_km": []})
        return gpd.GeoDataFrame(nothing, geometry=[], crs="EPSG:4326").astype({"hex": np.int64})
    lines, owner = shapely.get_parts(roads.geometry.to_numpy(), return_index=True)
    start, end, line = _segments(lines)
    outlines = hexes.polygons(_near(lines, resolution))
    segment, begins, ends = _cut(start, end, shapely.get_exterior_ring(outlines))
    middle = (begins + ends) / 2
    pieces = pd.DataFrame(
        {
            "road_id": roads["road_id"].to_numpy()[owner[line[segment]]],
            "hex": hexes.of_points(middle[:, 1], middle[:, 0], resolution),
            "length_km": _EARTH.inv(*begins.T, *ends.T)[2] / 1000,
        }
    )
    straight = gpd.GeoDataFrame(pieces, geometry=_lines(begins, ends), crs="EPSG:4326")
    by_hex = straight.groupby(["road_id", "hex"])
    shapes = {key: _joined(group) for key, group in by_hex["geometry"]}
    found = by_hex["length_km"].sum().reset_index()
    return gpd.GeoDataFrame(found, geometry=list(shapes.values()), crs="EPSG:4326")


def _segments(lines: npt.NDArray[np.object_]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    # The straight pieces of all lines: their begin and end (lon, lat), and whose they are.
    points, line = shapely.get_coordinates(lines, return_index=True)
    inside = (line[1:] == line[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    return points[:-1][inside], points[1:][inside], line[:-1][inside]


def _near(lines: npt.NDArray[np.object_], resolution: int) -> list[int]:
    # Every hex that a line can enter.
    samples = shapely.get_coordinates(shapely.segmentize(lines, _STEP_DEG))
    entered = np.unique(hexes.of_points(samples[:, 1], samples[:, 0], resolution))
    return sorted({near for cell in entered for near in hexes.disk(int(cell), 1)})


def _cut(
    start: Floats, end: Floats, borders: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    # The segments cut at the borders: which segment each piece belongs to, its begin and its end.
    straight = _lines(start, end)
    crossed, border = shapely.STRtree(borders).query(straight, predicate="intersects")
    points, which = shapely.get_coordinates(
        shapely.intersection(straight[crossed], borders[border]), return_index=True
    )
    at = crossed[which]
    along = end[at] - start[at]
    share = ((points - start[at]) * along).sum(axis=1) / (along**2).sum(axis=1)
    inner = (share > _SAME) & (share < 1 - _SAME)
    every = np.arange(len(start))
    segment = np.concatenate([every, at[inner], every])
    share = np.concatenate([np.zeros(len(start)), share[inner], np.ones(len(start))])
    order = np.lexsort((share, segment))
    segment, share = segment[order], share[order]
    apart = np.append(True, (np.diff(share) > _SAME) | (np.diff(segment) > 0))
    segment, share = segment[apart], share[apart]
    places = start[segment] + share[:, None] * (end - start)[segment]
    places[share == 1] = end[segment[share == 1]]
    one = segment[1:] == segment[:-1]
    return segment[:-1][one], places[:-1][one], places[1:][one]


def _lines(begins: Floats, ends: Floats) -> npt.NDArray[np.object_]:
    lines: npt.NDArray[np.object_] = shapely.linestrings(np.stack([begins, ends], axis=1))
    return lines


def _joined(lines: gpd.GeoSeries) -> shapely.Geometry:
    return shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines.to_numpy())))


def road_verdicts(
    roads: gpd.GeoDataFrame,
    pieces: gpd.GeoDataFrame,
    hex_verdicts: pd.DataFrame,
    operators: Sequence[str],
    names: Mapping[str, str],
) -> gpd.GeoDataFrame:
    """Every road × operator as the contract ROAD_VERDICTS, with its dead stretches (None = none), EPSG:4326.

    `roads` is ROADS, `pieces` what `road_hexes` returns, `hex_verdicts` HEX_VERDICTS; `names` maps operators
    to names for people, others keep their code. A hex without a verdict was not measured: never dead. A dead
    stretch runs through neighbouring dead hexes without a gap; where a road forks, a stretch ends.
    """
    if pieces.empty:
        nothing = schema(ROAD_VERDICTS).empty_table().to_pandas()
        return gpd.GeoDataFrame(nothing, geometry=[], crs="EPSG:4326")
    rows = _judged(pieces, hex_verdicts, operators)
    by_road = rows.groupby(_KEY)
    lengths = rows.pivot_table(
        index=_KEY, columns="verdict", values="length_km", aggfunc="sum", fill_value=0.0
    )
    table = lengths.reindex(columns=list(_LENGTHS), fill_value=0.0).rename(columns=_LENGTHS)
    table["length_km"] = by_road["length_km"].sum()
    table[["tests", "fails"]] = by_road[["tests", "fails"]].sum()
    dead = rows[rows["verdict"] == "dead_zone"].groupby(_KEY)["geometry"]
    stretches = {key: _joined(lines) for key, lines in dead}
    shapes = [stretches.get(key) for key in table.index]
    table["longest_dead_km"] = [_longest_km(shape) for shape in shapes]
    table = table.reset_index().merge(roads[["road_id", "road_name", "kind"]], on="road_id")
    table["operator_name"] = [names.get(operator, operator) for operator in table["operator"]]
    return gpd.GeoDataFrame(table[ROAD_VERDICTS.names], geometry=shapes, crs="EPSG:4326")


def _judged(pieces: gpd.GeoDataFrame, hex_verdicts: pd.DataFrame, operators: Sequence[str]) -> pd.DataFrame:
    every = pd.DataFrame(pieces).merge(pd.DataFrame({"operator": list(operators)}), how="cross")
    known = hex_verdicts[["hex", "operator", "verdict", "tests", "fails"]]
    rows = every.merge(known, on=["hex", "operator"], how="left")
    rows["verdict"] = rows["verdict"].astype(object).where(rows["verdict"].notna(), "no_data")
    return rows.fillna({"tests": 0, "fails": 0}).astype({"tests": np.int64, "fails": np.int64})


def _longest_km(stretches: shapely.Geometry | None) -> float:
    lengths = [_EARTH.geometry_length(one) for one in shapely.get_parts(stretches)] if stretches else []
    return max(lengths, default=0.0) / 1000
