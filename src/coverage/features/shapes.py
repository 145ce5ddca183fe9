"""Which features lie how to a given shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import box, shape

from coverage.errors import InputError
from coverage.features.collections import Features
from coverage.features.systems import System, to_wgs84

SPATIAL: Mapping[str, Callable[[Any, Any], Any]] = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_within": shapely.within,
    "s_contains": shapely.contains,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_crosses": shapely.crosses,
    "s_overlaps": shapely.overlaps,
}


def spatial(op: str, args: list[Any], features: Features, given_in: System) -> npt.NDArray[np.bool_]:
    """Per feature whether it lies so to the shape; a feature without a shape lies nowhere, and disjoint from nothing."""
    named, given = args
    if named != {"property": "geometry"} or not isinstance(given, dict):
        raise InputError(
            f"filter: {op} cần (geometry, một hình).", f"filter: {op} wants (geometry, a shape)."
        )
    wanted = to_wgs84(_shape(given), given_in)
    if op == "s_disjoint":
        near = related("s_intersects", wanted, features)
        return np.asarray(has_shape(features) & ~near)
    return related(op, wanted, features)


def related(op: str, wanted: shapely.Geometry, features: Features) -> npt.NDArray[np.bool_]:
    """Per feature whether it lies so to a shape in EPSG:4326 lon/lat; only features near it are looked at."""
    west, south, east, north = wanted.bounds
    left, bottom, right, top = features.boxes.T
    near = (left <= east) & (right >= west) & (bottom <= north) & (top >= south)
    positions = np.flatnonzero(near)
    chosen = np.zeros(len(near), dtype=bool)
    shapely.prepare(wanted)
    chosen[positions] = SPATIAL[op](features.shapes(positions), wanted)
    return chosen


def has_shape(features: Features) -> npt.NDArray[np.bool_]:
    """Per feature whether it has a shape at all."""
    return np.asarray(np.isfinite(features.boxes).all(axis=1))


def _shape(given: Mapping[str, Any]) -> shapely.Geometry:
    try:
        made = box(*given["bbox"]) if len(given.get("bbox", [])) == 4 else shape(given)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        shapely.errors.ShapelyError,
    ) as fault:
        raise InputError(
            "filter: không hiểu hình đã cho.", "filter: the given shape cannot be read."
        ) from fault
    if made.is_empty or not made.is_valid:
        raise InputError(
            "filter: hình đã cho rỗng hoặc tự cắt nhau.",
            "filter: the given shape is empty or crosses itself.",
        )
    return made
