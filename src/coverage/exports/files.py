"""A list → the bytes of a file: GeoJSON (RFC 7946), CSV for spreadsheets, GeoPackage."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import pyogrio
import shapely
from shapely.geometry import mapping

from coverage.archive.durable import write_durably
from coverage.errors import InputError

_DECIMALS = 7  # RFC 7946 §11.2: about a centimetre
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# The same as a pattern, for columns of text.
FORMULA_PATTERN = f"^([{''.join(_FORMULA_STARTS)}])".replace("-", r"\-")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def to_bytes(frame: gpd.GeoDataFrame, fmt: str) -> bytes:
    """The file's bytes in one of `FORMATS`: geojson, csv or gpkg; raises `InputError` for any other.

    frame: a list of `lists.select`, EPSG:4326; its attrs hold list, criteria, snapshot_id and as_of.
    Missing values become null (GeoJSON, GeoPackage) or an empty cell (CSV). Times are UTC.
    """
    if fmt not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(
            f"Không ghi được định dạng {fmt!r:.40}; chọn một trong: {known}.",
            f"Cannot write the format {fmt!r:.40}; choose one of: {known}.",
        )
    return FORMATS[fmt](frame)


def write(frame: gpd.GeoDataFrame, path: Path, fmt: str) -> Path:
    """The path of the file written: complete, or not there at all; raises `InputError` as `to_bytes`."""
    write_durably(path, to_bytes(frame, fmt))
    return path


def _geojson(frame: gpd.GeoDataFrame) -> bytes:
    rows = _plain(frame).to_dict(orient="records")
    features = [
        {"type": "Feature", "id": _feature_id(row), "geometry": shape, "properties": row}
        for row, shape in zip(rows, geojson_geometries(frame.geometry.to_numpy(), _DECIMALS), strict=True)
    ]
    stamp = {key: frame.attrs[key] for key in ("criteria", "snapshot_id", "as_of") if key in frame.attrs}
    return orjson.dumps({"type": "FeatureCollection", **stamp, "features": features})


def _feature_id(row: Mapping[Any, Any]) -> str:
    return str(row.get("gap_id") or f"{row.get('village_id') or row.get('hex')}-{row.get('operator')}")


def geojson_geometries(shapes: npt.NDArray[np.object_], decimals: int) -> list[dict[str, Any] | None]:
    """Each shape as a GeoJSON geometry: rounded, outer rings counter-clockwise; None where missing."""
    turned = shapely.orient_polygons(shapely.force_2d(shapes))
    rounded = shapely.transform(turned, lambda xy: np.round(xy, decimals))
    missing = shapely.is_missing(rounded) | shapely.is_empty(rounded)
    return [None if gone else mapping(shape) for shape, gone in zip(rounded, missing, strict=True)]


def _plain(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The properties as what JSON knows: text, numbers, true/false, None."""
    columns = {name: _plain_column(frame[name]) for name in frame.columns if name != frame.geometry.name}
    return pd.DataFrame(columns, index=frame.index, dtype="object")


def _plain_column(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        values = values.dt.strftime(_TIME)
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.round(6)
    plain = values.astype("object").where(values.notna(), None)
    return plain.map(_iso_date) if values.dtype == "object" else plain


def _iso_date(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    return value.isoformat() if hasattr(value, "isoformat") else value


def _csv(frame: gpd.GeoDataFrame) -> bytes:
    lat, lon = _centroids(frame)
    return table_to_csv(_plain(frame).assign(lat=lat, lon=lon))


def table_to_csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV that opens in Excel: UTF-8 with BOM, text that would run as a formula made harmless."""
    # Column by column: a whole number beside empty cells must not become 8.0.
    columns = {name: [_csv_cell(value) for value in table[name].astype("object")] for name in table}
    safe = pd.DataFrame({name: pd.Series(cells, dtype="object") for name, cells in columns.items()})
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _csv_cell(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return formula_safe(value) if isinstance(value, str) else value


def formula_safe(text: str) -> str:
    """The text with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _centroids(frame: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    # Villages and hexes are small: the planar centroid of degrees is off by far less than a metre.
    points = shapely.centroid(frame.geometry.to_numpy())
    return np.round(shapely.get_y(points), _DECIMALS), np.round(shapely.get_x(points), _DECIMALS)


def _gpkg(frame: gpd.GeoDataFrame) -> bytes:
    buffer = io.BytesIO()
    shapes = frame.geometry.to_numpy()
    polygonal = bool(np.isin(shapely.get_type_id(shapes), (-1, 3, 6)).all())
    pyogrio.write_dataframe(
        _typed(frame),
        buffer,
        driver="GPKG",
        layer=str(frame.attrs.get("list", "phusong")),
        promote_to_multi=polygonal,
        geometry_type="MultiPolygon" if polygonal else "Unknown",
        use_arrow=False,
    )
    return buffer.getvalue()


def _typed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Objects as text, true/false as nullable booleans, times in UTC: what GeoPackage has types for."""
    typed = frame.copy()
    for name in typed.columns.drop(typed.geometry.name):
        typed[name] = _typed_column(typed[name])
    return typed


def _typed_column(values: Any) -> Any:  # noqa: ANN401 - a column of any type
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.dt.tz_localize("UTC")
    if values.dtype != "object":
        return values
    known = values.dropna()
    if len(known) and known.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return values.astype("boolean")
    return _plain_column(values).astype("string")


FORMATS: dict[str, Callable[[gpd.GeoDataFrame], bytes]] = {"geojson": _geojson, "csv": _csv, "gpkg": _gpkg}
