"""Two peers of benchmarks/peers.py: what people do in a notebook, with pandas, h3, GeoPandas and folium.

They do less than ours: no archive, no account of rows, one threshold, no verdict. The map shows each hex once, all
operators together, coloured by its share of fails. As notebooks usually go each point of the log is joined to the village
in which it lies; a careful one joins the hexes, by their centres, once the tests are counted.
"""

from __future__ import annotations

from pathlib import Path

import folium
import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely

LIMIT_DBM = {"LTE": -115.0, "NR": -110.0}  # the headline
SILENT = ("no_service", "emergency_only")
IN_VEHICLE_MPS, CAR_DB = 7.0, 10.0


def usual(file: Path, villages: Path, page: Path) -> pd.DataFrame:
    """Tests and fails of each hex and operator (columns hex, operator, tests, fails); the map is written to `page`."""
    rows = _read(file)
    points = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326")
    shapes = gpd.read_file(villages)[["village_id", "name", "geometry"]]
    joined = points.sjoin(shapes, how="left", predicate="within")
    # A point in two villages comes twice; it is one reading all the same.
    rows = pd.DataFrame(joined[~joined.index.duplicated()].drop(columns=["geometry", "index_right"]))
    found = _by_hex(rows)
    mostly = rows.groupby(rows["spot"].map(_parents(rows)))[["village_id", "name"]].first()
    cells = found.groupby("hex", as_index=False)[["tests", "fails"]].sum().join(mostly, on="hex")
    _draw(_outlined(cells), page)
    return found


def careful(file: Path, villages: Path, page: Path) -> pd.DataFrame:
    """The same, the villages joined to hexes and not to points."""
    found = _by_hex(_read(file))
    _draw(_in_villages(found, villages), page)
    return found


def _read(file: Path) -> pd.DataFrame:
    rows = pd.read_csv(file, parse_dates=["time"], dtype={"operator": str})
    rows["spot"] = [
        h3.latlng_to_cell(lat, lon, 10) for lat, lon in zip(rows["lat"], rows["lon"], strict=True)
    ]
    rows["half_hour"] = rows["time"].dt.floor("30min")
    rows["said"] = _said(rows)
    return rows


def _by_hex(rows: pd.DataFrame) -> pd.DataFrame:
    # The best row of a phone's second counts, and its seconds vote.
    seconds = rows.groupby(["operator", "device", "spot", "half_hour", "time"], as_index=False)["said"].max()
    seconds = seconds.assign(bad=seconds["said"] == 0, good=seconds["said"] == 2)
    by_test = seconds.groupby(["operator", "device", "spot", "half_hour"])
    tests = by_test.agg(bad=("bad", "sum"), good=("good", "sum"), seconds=("said", "size")).reset_index()
    tests["failed"] = 2 * tests["bad"] > tests["seconds"]
    tests = tests[tests["failed"] | ((tests["good"] > 0) & (tests["good"] >= tests["bad"]))]
    tests["hex"] = tests["spot"].map(_parents(tests))
    return tests.groupby(["hex", "operator"], as_index=False).agg(
        tests=("failed", "size"), fails=("failed", "sum")
    )


def _parents(rows: pd.DataFrame) -> dict[str, str]:
    return {spot: h3.cell_to_parent(spot, 9) for spot in rows["spot"].unique()}


def _said(rows: pd.DataFrame) -> np.ndarray:
    # 0 = fail, 1 = unknown, 2 = pass.
    above = rows["rsrp_dbm"].fillna(rows["ss_rsrp_dbm"]) - rows["technology"].map(LIMIT_DBM)
    in_car = (rows["speed_mps"] >= IN_VEHICLE_MPS) & (above >= -CAR_DB)
    return np.select([rows["service_state"].isin(SILENT), above.isna(), above >= 0, in_car], [0, 1, 2, 1], 0)


def _in_villages(found: pd.DataFrame, villages: Path) -> gpd.GeoDataFrame:
    """Each hex, its outline, tests and fails of all operators, and the village in which its centre lies."""
    hexes = found.groupby("hex", as_index=False)[["tests", "fails"]].sum()
    centres = [h3.cell_to_latlng(cell) for cell in hexes["hex"]]
    points = gpd.GeoDataFrame(
        hexes, geometry=[shapely.Point(lon, lat) for lat, lon in centres], crs="EPSG:4326"
    )
    shapes = gpd.read_file(villages)[["village_id", "name", "geometry"]]
    return _outlined(
        points.sjoin(shapes, how="left", predicate="within").drop(columns=["geometry", "index_right"])
    )


def _outlined(cells: pd.DataFrame) -> gpd.GeoDataFrame:
    outlines = [
        shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in cells["hex"]
    ]
    return gpd.GeoDataFrame(cells, geometry=outlines, crs="EPSG:4326")


def _draw(hexes: gpd.GeoDataFrame, page: Path) -> None:
    middle = hexes.total_bounds.reshape(2, 2).mean(axis=0)
    drawn = folium.Map(location=[middle[1], middle[0]], zoom_start=9)
    folium.GeoJson(
        hexes,
        style_function=lambda one: {
            "weight": 0.5,
            "fillOpacity": 0.6,
            "color": "#a00" if 2 * one["properties"]["fails"] > one["properties"]["tests"] else "#0a0",
        },
        tooltip=folium.GeoJsonTooltip(["hex", "tests", "fails", "village_id", "name"]),
    ).add_to(drawn)
    drawn.save(page)
