"""Which collections of features a snapshot has, and the rows of one without its shapes until they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes
from coverage.archive.snapshots import WGS84, Snapshot
from coverage.errors import NotFound
from coverage.exports import lists
from coverage.exports.communes import commune_table
from coverage.exports.geojson import feature_ids

Positions = npt.NDArray[np.int64]
_PIECE = 50_000


@dataclass(frozen=True)
class About:
    """What a collection holds, in both languages."""

    title: str
    title_en: str
    text: str
    text_en: str


COLLECTIONS = {
    "gaps": About(
        "Thôn có điện lưới mà mất sóng",
        "Villages with grid power and without signal",
        "Mỗi thôn × nhà mạng một đối tượng; hình là phần thôn mất sóng.",
        "One feature per village and operator; the shape is the dead part of the village.",
    ),
    "no_power": About(
        "Thôn mất sóng chưa có điện lưới",
        "Villages without signal and without grid power",
        "Ngành điện làm trước. Mỗi thôn × nhà mạng một đối tượng.",
        "For the power utility first. One feature per village and operator.",
    ),
    "verify_power": About(
        "Thôn mất sóng chưa rõ điện lưới",
        "Villages without signal whose grid power is unproven",
        "Cần xác minh điện lưới. Mỗi thôn × nhà mạng một đối tượng.",
        "Their power is to be verified. One feature per village and operator.",
    ),
    "need_measurement": About(
        "Thôn cần đo thêm",
        "Villages that need measuring",
        "Chưa đủ bằng chứng: không phải là mất sóng. Mỗi thôn × nhà mạng một đối tượng.",
        "Too little evidence, which is not a gap. One feature per village and operator.",
    ),
    "villages": About(
        "Thôn và kết luận",
        "Villages and their verdicts",
        "Mỗi thôn × nhà mạng một đối tượng; hình là thôn.",
        "One feature per village and operator; the shape is the village.",
    ),
    "hexes": About(
        "Ô lục giác đã đo",
        "Measured hexes",
        "Mỗi ô H3 × nhà mạng một đối tượng; ô không có ở đây là chưa đo.",
        "One feature per H3 hex and operator; a hex that is not here was not measured.",
    ),
    "communes": About("Xã, phường", "Communes", "Ranh giới xã.", "Boundaries of communes."),
}


@dataclass(frozen=True)
class Features:
    """The rows of one collection, in an order of their own that never changes.

    table: the properties, without shapes, one row per feature. ids: each feature's id, unique.
    boxes: west, south, east, north per feature in degrees, NaN where it has no shape.
    shapes: the geometries at some positions, EPSG:4326 lon/lat.
    """

    name: str
    snapshot_id: str
    table: pd.DataFrame
    ids: npt.NDArray[np.object_]
    boxes: npt.NDArray[np.float64]
    shapes: Callable[[Positions], npt.NDArray[np.object_]]

    def rows(self, positions: Positions) -> gpd.GeoDataFrame:
        """The features at those positions, in that order."""
        rows = self.table.iloc[positions]
        return gpd.GeoDataFrame(rows, geometry=self.shapes(positions), crs=WGS84)


def features(snapshot: Snapshot, name: str) -> Features:
    """The features of one of `COLLECTIONS`; raises `NotFound` for any other."""
    if name not in COLLECTIONS:
        known = ", ".join(COLLECTIONS)
        raise NotFound(
            f"Không có tập dữ liệu {name!r:.60}; có: {known}.",
            f"There is no collection {name!r:.60}; there are: {known}.",
        )
    if name == "hexes":
        return _hexes(snapshot)
    frame = _communes(snapshot) if name == "communes" else lists.select(snapshot, name)
    return of_frame(snapshot, name, frame)


def of_frame(snapshot: Snapshot, name: str, frame: gpd.GeoDataFrame) -> Features:
    """The rows of a list as features, in its own order."""
    shapes = frame.geometry.to_numpy()
    table = pd.DataFrame(frame.drop(columns="geometry"))
    return Features(
        name, snapshot.info.snapshot_id, table, _ids(table), shapely.bounds(shapes), shapes.__getitem__
    )


def _hexes(snapshot: Snapshot) -> Features:
    table, cells = lists.hex_table(snapshot)
    # A province has hundreds of thousands: their outlines are never all there at once.
    pieces = [cells[start : start + _PIECE] for start in range(0, len(cells), _PIECE)]
    boxes = np.concatenate([np.empty((0, 4)), *(shapely.bounds(hexes.polygons(piece)) for piece in pieces)])

    def shapes(positions: Positions) -> npt.NDArray[np.object_]:
        return hexes.polygons(cells[positions])

    return Features("hexes", snapshot.info.snapshot_id, table, _ids(table), boxes, shapes)


def _communes(snapshot: Snapshot) -> gpd.GeoDataFrame:
    """One row per commune: what is known of its villages, and its boundary."""
    counts = commune_table(snapshot)
    shapes = snapshot.communes.dissolve("commune_code").geometry
    return gpd.GeoDataFrame(counts, geometry=shapes.reindex(counts["commune_code"]).to_numpy(), crs=WGS84)


def _ids(table: pd.DataFrame) -> npt.NDArray[np.object_]:
    return np.array(feature_ids(table), dtype=object)
