"""A list → a file, some rows at a time: GeoJSON (RFC 7946), CSV, XLSX, GeoPackage, FlatGeobuf, GeoParquet, KML, a shapefile."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from coverage.archive.durable import replace_durably
from coverage.errors import InputError
from coverage.exports.geojson import features
from coverage.exports.headings import name_of
from coverage.exports.kml import write_kml
from coverage.exports.plain import batches, plain_columns, plain_values
from coverage.exports.shapefile import write_shapefile
from coverage.exports.workbook import centroids, write_workbook

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# The same as a pattern, for columns of text.
FORMULA_PATTERN = f"^([{''.join(_FORMULA_STARTS)}])".replace("-", r"\-")
_ROW_GROUP_ROWS = 10_000  # readers of Parquet take a group at a time: small ones cost them


def to_bytes(frame: gpd.GeoDataFrame, fmt: str) -> bytes:
    """The file's bytes in one of `FORMATS`; raises `InputError` for any other.

    frame: a list of `lists.select`, EPSG:4326; its attrs hold list, criteria, snapshot_id and as_of.
    Missing values become null, or an empty cell (CSV, XLSX). Times are UTC.
    """
    with _made(frame, fmt) as draft:
        return draft.read_bytes()


def write(frame: gpd.GeoDataFrame, path: Path, fmt: str) -> Path:
    """The path of the file written: complete, or not there at all; raises `InputError` as `to_bytes`.

    Rows are written some at a time, first in the system's folder for temporary files, which needs room for the file:
    what is held beside the list hardly grows with it, but for FlatGeobuf, which GDAL sorts in up to 100 MiB.
    """
    with _made(frame, fmt) as draft:
        replace_durably(path, lambda target: _copy(draft, target))
    return path


@contextmanager
def _made(frame: gpd.GeoDataFrame, fmt: str) -> Iterator[Path]:
    if fmt not in FORMATS:
        known = ", ".join(FORMATS)
        raise InputError(
            f"Không ghi được định dạng {fmt!r:.40}; chọn một trong: {known}.",
            f"Cannot write the format {fmt!r:.40}; choose one of: {known}.",
        )
    # GDAL looks at the ending of a name, and seeks: neither a hidden draft nor a pipe would do.
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"list.{suffix(fmt)}"
        FORMATS[fmt](frame, draft)
        yield draft


def _copy(draft: Path, target: Path) -> None:
    with draft.open("rb") as content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    stamp = {key: frame.attrs[key] for key in ("criteria", "snapshot_id", "as_of") if key in frame.attrs}
    head = orjson.dumps({"type": "FeatureCollection", **stamp, "features": []})
    with path.open("wb") as file:
        file.write(head.removesuffix(b"]}"))
        for number, batch in enumerate(batches(frame)):
            file.write(b"," if number else b"")
            file.write(orjson.dumps(features(batch))[1:-1])
        file.write(b"]}")


def _csv(frame: gpd.GeoDataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for number, batch in enumerate(batches(frame)):
            lat, lon = centroids(batch)
            plain = pd.DataFrame(plain_columns(batch), index=batch.index, dtype="object")
            file.write(_csv_text(plain.assign(lat=lat, lon=lon), heads=number == 0))


def table_to_csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV that opens in Excel: UTF-8 with BOM, text that would run as a formula made harmless."""
    return _csv_text(table, heads=True).encode("utf-8-sig")


def _csv_text(table: pd.DataFrame, *, heads: bool) -> str:
    # Column by column: a whole number beside empty cells must not become 8.0.
    columns = {name: [_csv_cell(value) for value in table[name].astype("object")] for name in table}
    safe = pd.DataFrame({name: pd.Series(cells, dtype="object") for name, cells in columns.items()})
    return safe.to_csv(index=False, header=heads, lineterminator="\r\n")


def _csv_cell(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return formula_safe(value) if isinstance(value, str) else value


def formula_safe(text: str) -> str:
    """The text with a leading apostrophe where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _xlsx(frame: gpd.GeoDataFrame, path: Path) -> None:
    write_workbook([frame], path)


def _gpkg(frame: gpd.GeoDataFrame, path: Path) -> None:
    # Of the versions that are in use the oldest: GDAL before 3.7, and QGIS with it, warn of a later one.
    _by_gdal(frame, path, "GPKG", {}, VERSION="1.3")


def _flatgeobuf(frame: gpd.GeoDataFrame, path: Path) -> None:
    shapes = frame.geometry.to_numpy()
    # A row without a shape has no place in its spatial index.
    whole = not (shapely.is_missing(shapes) | shapely.is_empty(shapes)).any()
    _by_gdal(frame, path, "FlatGeobuf", {"SPATIAL_INDEX": "YES" if whole else "NO"})


def _by_gdal(
    frame: gpd.GeoDataFrame, path: Path, driver: str, layer_options: dict[str, str], **options: str
) -> None:
    polygonal = bool(np.isin(shapely.get_type_id(frame.geometry.to_numpy()), (-1, 3, 6)).all())
    truths = _truths(frame)
    schema = _schema(frame, truths)
    some = (_promoted(batch) if polygonal else batch for batch in batches(frame))
    tables = (_table(batch, schema, truths) for batch in some)
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, (one for table in tables for one in table.to_batches())),
        path,
        driver=driver,
        layer=name_of(frame),
        geometry_name=frame.geometry.name,
        geometry_type="MultiPolygon" if polygonal else "Unknown",
        crs=frame.crs.to_string(),
        dataset_options=options,
        layer_options=layer_options,
    )


def _promoted(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Polygons as multipolygons of one."""
    shapes = frame.geometry.to_numpy().copy()
    single = shapely.get_type_id(shapes) == 3
    shapes[single] = shapely.multipolygons(shapes[single], indices=np.arange(single.sum()))
    return frame.set_geometry(shapes, crs=frame.crs)


def _geoparquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    truths = _truths(frame)
    schema = _schema(frame, truths)
    with pq.ParquetWriter(path, schema) as writer:
        for group in batches(frame, _ROW_GROUP_ROWS):
            writer.write_table(_table(group, schema, truths))


def _schema(frame: gpd.GeoDataFrame, truths: frozenset[str]) -> pa.Schema:
    """The columns of the file, with what GeoParquet says of all shapes, as geopandas writes it."""
    shapes, buffer = frame.geometry.to_numpy(), io.BytesIO()
    kinds = pd.Series(2 * shapely.get_type_id(shapes) + shapely.has_z(shapes))
    of_each = frame[~kinds.duplicated().to_numpy()]
    _typed(of_each, truths).to_parquet(buffer, index=False)
    schema = pq.read_schema(buffer)
    geo, bounds = json.loads(schema.metadata[b"geo"]), frame.total_bounds
    if np.isfinite(bounds).all():
        geo["columns"][frame.geometry.name]["bbox"] = bounds.tolist()
    return schema.with_metadata({**schema.metadata, b"geo": json.dumps(geo).encode()})


def _table(frame: gpd.GeoDataFrame, schema: pa.Schema, truths: frozenset[str]) -> pa.Table:
    return pa.table(_typed(frame, truths).to_arrow(index=False)).cast(schema)


def _truths(frame: gpd.GeoDataFrame) -> frozenset[str]:
    """The columns of objects that hold true and false, and nothing else that is known."""
    known = {name: frame[name].dropna() for name in frame.columns if frame[name].dtype == "object"}
    return frozenset(
        name
        for name, values in known.items()
        if len(values) and values.map(lambda value: isinstance(value, bool | np.bool_)).all()
    )


def _typed(frame: gpd.GeoDataFrame, truths: frozenset[str]) -> gpd.GeoDataFrame:
    """Objects as text, true/false as nullable booleans, times in UTC: what GeoPackage has types for."""
    typed = frame.copy()
    for name in typed.columns.drop(typed.geometry.name):
        typed[name] = _typed_column(typed[name], true_or_false=name in truths)
    return typed


def _typed_column(values: Any, *, true_or_false: bool) -> Any:  # noqa: ANN401 - a column of any type
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.dt.tz_localize("UTC")
    if values.dtype != "object":
        return values
    if true_or_false:
        return values.astype("boolean")
    return pd.Series(plain_values(values), values.index).astype("string")


FORMATS: dict[str, Callable[[gpd.GeoDataFrame, Path], None]] = {
    "geojson": _geojson,
    "csv": _csv,
    "gpkg": _gpkg,
    "xlsx": _xlsx,
    "fgb": _flatgeobuf,
    "parquet": _geoparquet,
    "kml": write_kml,
    "shp": write_shapefile,
}
MEDIA_TYPES = {
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "gpkg": "application/geopackage+sqlite3",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
    "shp": "application/zip",
}


def suffix(fmt: str) -> str:
    """What the name of a file of a format ends with, without the leading dot."""
    return "shp.zip" if fmt == "shp" else fmt


def format_of(path: Path) -> str:
    """The format that the name of a file asks for; raises `InputError` for .shp, which is but one file of several."""
    name = path.name.lower()
    if name.endswith(".shp"):
        raise InputError(
            f"{path.name}: shapefile gồm nhiều tệp, được ghi thành một tệp zip: hãy đặt tên {path.stem}.shp.zip.",
            f"{path.name}: a shapefile is several files, written as one zip: name it {path.stem}.shp.zip.",
        )
    return "shp" if name.endswith(".zip") else path.suffix.lstrip(".").lower()
