"""Rows → GeoJSON (RFC 7946): features with flat properties, and their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import shapely
from shapely.geometry import mapping

from coverage.exports.plain import plain_columns

DECIMALS = 7  # RFC 7946 §11.2: about a centimetre
_PLACE_IDS = ("village_id", "hex", "road_id", "commune_code")


def features(
    frame: gpd.GeoDataFrame, geometries: Sequence[orjson.Fragment | None] | None = None
) -> list[dict[str, Any]]:
    """Each row as a feature for orjson; `geometries`: those of the rows where they are not to be the frame's own."""
    shapes = oriented(frame.geometry.to_numpy())
    texts = encoded(shapes, DECIMALS) if geometries is None else geometries
    columns = plain_columns(frame)
    rows = zip(*columns.values(), strict=True) if columns else ((),) * len(frame)
    return [
        {
            "type": "Feature",
            "id": feature_id,
            "geometry": shape,
            "properties": dict(zip(columns, row, strict=True)),
        }
        for feature_id, shape, row in zip(feature_ids(frame), texts, rows, strict=True)
    ]


def feature_ids(frame: pd.DataFrame) -> list[str]:
    """Each row's id: its gap_id, else what it is a row of, with the operator where there is one."""
    if "gap_id" in frame:
        return frame["gap_id"].astype(str).tolist()
    place = next(name for name in _PLACE_IDS if name in frame)
    places = frame[place].fillna("all").astype(str)
    return (places + "-" + frame["operator"].astype(str) if "operator" in frame else places).tolist()


def oriented(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """The shapes in the plane, outer rings counter-clockwise."""
    turned: npt.NDArray[np.object_] = shapely.orient_polygons(shapely.force_2d(shapes))
    return turned


def encoded(shapes: npt.NDArray[np.object_], decimals: int) -> list[orjson.Fragment | None]:
    """Each shape as it stands as the text of a geometry, rounded, for orjson; None where missing."""
    rounded, missing = _rounded(shapes, decimals)
    texts = zip(shapely.to_geojson(rounded), missing, strict=True)
    return [None if gone else orjson.Fragment(text) for text, gone in texts]


def geometries(shapes: npt.NDArray[np.object_], decimals: int) -> list[dict[str, Any] | None]:
    """Each shape as a geometry in plain objects: rounded, outer rings counter-clockwise; None where missing."""
    rounded, missing = _rounded(oriented(shapes), decimals)
    return [None if gone else mapping(shape) for shape, gone in zip(rounded, missing, strict=True)]


def _rounded(
    shapes: npt.NDArray[np.object_], decimals: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, decimals))
    return rounded, shapely.is_missing(rounded) | shapely.is_empty(rounded)
