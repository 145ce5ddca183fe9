"""Snapshot and places → the layers of the map as GeoJSON made for drawing: shapes to about a metre, few properties.

Shapes are WGS 84, lon/lat, simplified by about three metres; the lists hold them exactly. Texts are data: whoever draws
them writes them as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import shapely

from coverage.archive.snapshots import Snapshot
from coverage.exports.geojson import encoded, oriented
from coverage.exports.maps_data import dead_areas, status_digits
from coverage.exports.plain import plain_values

Shapes = npt.NDArray[np.object_]

_DECIMALS = 5  # about a metre
SIMPLER = 3e-5  # degrees, about three metres: less than a pixel at the closest zoom
_SITE = ("operator", "operator_name", "technology", "name", "planned", "on_air", "height_m")
_LINE = ("kind", "voltage_kv")
_LENGTHS = ("dead_km", "unmeasured_km", "length_km")
_KM_DECIMALS = 3


def collection(shapes: Shapes, properties: Mapping[str, list[Any]]) -> bytes:
    """A GeoJSON FeatureCollection; properties: by name the value of each shape. A shape that is missing is null."""
    geometries = encoded(oriented(shapes), _DECIMALS)
    rows = zip(*properties.values(), strict=True) if properties else ((),) * len(shapes)
    features = [
        {"type": "Feature", "properties": dict(zip(properties, row, strict=True)), "geometry": geometry}
        for row, geometry in zip(rows, geometries, strict=True)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def communes(snapshot: Snapshot) -> bytes:
    """The communes: i (row in snapshot.communes), code, name; null = not known."""
    frame = snapshot.communes
    about = {
        "i": list(range(len(frame))),
        "code": plain_values(frame["commune_code"]),
        "name": plain_values(frame["commune_name"]),
    }
    return collection(_simpler(frame.geometry.to_numpy()), about)


def villages(snapshot: Snapshot) -> bytes:
    """The villages: i (row in snapshot.villages), s (its status digits, see `maps_data.status_digits`).

    A village without a shape is the point of its centre; null where that is not known either.
    """
    frame = snapshot.villages
    shapes = _simpler(frame.geometry.to_numpy())
    lon, lat = (frame[name].to_numpy(np.float64, na_value=np.nan) for name in ("centre_lon", "centre_lat"))
    points = (shapely.is_missing(shapes) | shapely.is_empty(shapes)) & np.isfinite(lon) & np.isfinite(lat)
    shapes[points] = shapely.points(lon[points], lat[points])
    return collection(shapes, {"i": list(range(len(frame))), "s": status_digits(snapshot)})


def dead(snapshot: Snapshot) -> bytes:
    """The dead areas: i (row in snapshot.villages), v (view: 1 + place of the operator in info.operators), l (place of its
    list in `tables.LISTS`), n (whether nobody serves the village), c (whether the operator claims service there).
    """
    areas = dead_areas(snapshot)
    claims = snapshot.village_verdicts[["village_id", "operator", "claimed"]]
    claimed = pd.DataFrame(areas[["village_id", "operator"]]).merge(claims, how="left")["claimed"]
    about = {
        **{short: areas[name].tolist() for short, name in _DEAD.items()},
        "c": claimed.eq(True).fillna(False).astype(bool).tolist(),
    }
    return collection(_simpler(areas.geometry.to_numpy()), about)


_DEAD = {"i": "village", "v": "view", "l": "list", "n": "nobody"}


def roads(layer: gpd.GeoDataFrame, verdicts: pd.DataFrame) -> bytes:
    """The roads of the contract ROADS: road_id, name, kind, operators (by code dead_km, unmeasured_km, length_km).

    verdicts: rows of the contract ROAD_VERDICTS. A road that was not judged, or that this reader is told nothing of, has no
    operators.
    """
    judged: dict[str, dict[str, dict[str, float]]] = {}
    for row in verdicts[["road_id", "operator", *_LENGTHS]].itertuples(index=False):
        of_road = judged.setdefault(str(row.road_id), {})
        of_road[str(row.operator)] = {
            name: round(float(getattr(row, name)), _KM_DECIMALS) for name in _LENGTHS
        }
    about = {
        "road_id": plain_values(layer["road_id"]),
        "name": plain_values(layer["road_name"]),
        "kind": plain_values(layer["kind"]),
        "operators": [judged.get(road_id, {}) for road_id in layer["road_id"].astype(str)],
    }
    return collection(_simpler(layer.geometry.to_numpy()), about)


def sites(layer: pd.DataFrame, names: Mapping[str, str]) -> bytes:
    """The sites of the contract SITES as points: operator, operator_name, technology, name, planned, on_air, height_m.

    names: operator's code → its name for people; one without is called as the list calls it. null = not given.
    """
    said = layer["operator"]
    frame = layer.assign(operator_name=said.map(lambda code: names.get(code, code), na_action="ignore"))
    points = shapely.points(layer["lon"].to_numpy(np.float64), layer["lat"].to_numpy(np.float64))
    return collection(np.atleast_1d(points), {name: plain_values(frame[name]) for name in _SITE})


def lines(layer: gpd.GeoDataFrame) -> bytes:
    """The power lines (lines) and transformers (points) of the contract LINES: kind, voltage_kv; null = not given."""
    shapes = _simpler(layer.geometry.to_numpy())
    return collection(shapes, {name: plain_values(layer[name]) for name in _LINE})


def nothing() -> bytes:
    """A collection without features: of a layer that is not there, or that is not for this reader."""
    return collection(np.array([], dtype=object), {})


def _simpler(shapes: Shapes) -> Shapes:
    found: Shapes = shapely.simplify(shapes, SIMPLER)
    return found
