"""The coordinate systems in which features are given, with the axis order that each one's name stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from coverage.errors import InputError

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# VN-2000: the TM-3 zones of the three former provinces (107°45' and 108°30'), and the two UTM zones of the country.
EPSG_CODES = (4326, 5899, 9218, 3405, 3406)
URIS = (CRS84, *(f"{_EPSG}{code}" for code in EPSG_CODES))


@dataclass(frozen=True)
class System:
    """One coordinate system; north_first: its first number is the latitude or the northing."""

    uri: str
    north_first: bool
    decimals: int  # digits after the point that are about a centimetre
    from_wgs84: Transformer
    to_wgs84: Transformer


def system(uri: str) -> System:
    """The system of that URI; raises `InputError` for any but `URIS`."""
    if uri not in URIS:
        known = ", ".join(URIS)
        raise InputError(
            f"Không có hệ toạ độ {uri!r:.120}; chọn một trong: {known}.",
            f"There is no coordinate system {uri!r:.120}; choose one of: {known}.",
        )
    return _system(uri)


@cache
def _system(uri: str) -> System:
    crs = CRS.from_user_input("OGC:CRS84" if uri == CRS84 else int(uri.removeprefix(_EPSG)))
    return System(
        uri,
        crs.axis_info[0].direction == "north",
        7 if crs.is_geographic else 2,
        Transformer.from_crs("OGC:CRS84", crs, always_xy=True),
        Transformer.from_crs(crs, "OGC:CRS84", always_xy=True),
    )


def from_wgs84(shapes: npt.NDArray[np.object_], to: System) -> npt.NDArray[np.object_]:
    """The shapes (EPSG:4326, lon/lat) in that system and in its own axis order; missing ones stay missing."""
    if to.uri == CRS84:
        return shapes
    turned = shapely.transform(shapes, to.from_wgs84.transform, interleaved=False)
    return np.asarray(_swapped(turned), dtype=object) if to.north_first else np.asarray(turned, dtype=object)


def to_wgs84(shape: shapely.Geometry, given_in: System) -> shapely.Geometry:
    """A shape in that system and its axis order as EPSG:4326, lon/lat. Raises `InputError` where it cannot be there."""
    turned: Any = _swapped(shape) if given_in.north_first else shape
    turned = shapely.transform(turned, given_in.to_wgs84.transform, interleaved=False)
    if not np.isfinite(shapely.get_coordinates(turned)).all():
        raise InputError(
            f"Toạ độ nằm ngoài vùng của hệ {given_in.uri}.", f"The coordinates are outside {given_in.uri}."
        )
    return turned


def _swapped(shapes: Any) -> Any:  # noqa: ANN401 - one shape or many
    return shapely.transform(shapes, lambda xy: xy[:, ::-1])
