"""A list → an ESRI Shapefile in a zip, with a dictionary of its fields and a text that says what it is."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from coverage.errors import InputError
from coverage.exports.headings import Heading, headings, name_of
from coverage.exports.plain import batches, plain_columns, plain_values

MOST_TEXT_BYTES = 254  # of a cell of dBase
MOST_FILE_BYTES = 2**31 - 1  # of the .shp and of the .dbf
_NUMBER_BYTES = 24
_TYPES = {"int": pa.int64(), "real": pa.float64(), "date": pa.date32()}
_KINDS = {
    "int": "số nguyên / integer",
    "real": "số thực / real",
    "date": "ngày / date",
    "bool": "chữ true, false / text true, false",
    "time": "chữ, ISO 8601, UTC / text, ISO 8601, UTC",
    "text": "chữ / text",
}
_DICTIONARY = ("short_name", "full_name", "heading_vi", "meaning", "meaning_vi", "unit", "type", "note")
# Shapes by `shapely.get_type_id` (-1 = missing): a shapefile holds one kind of them.
_SHAPES = {(-1, 3, 6): ("Polygon", "POLYGON"), (-1, 1, 5): ("LineString", "ARC"), (-1, 0): ("Point", "POINT")}
_WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # the same list is the same bytes


@dataclass(frozen=True)
class _Field:
    """A column: its heading, the bytes of its longest value, and how many of its values are cut."""

    heading: Heading
    bytes: int
    cut: int


def write_shapefile(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a zip of .shp, .shx, .dbf, .prj (WGS 84, lon lat), .cpg (UTF-8), dictionary.csv and README.txt.

    frame: as in `files.to_bytes`. Fields are called by `headings.SHORT_NAMES`; true/false and times are texts, texts of
    more than 254 bytes are cut between two letters, missing is null, a row without a shape keeps its row. Raises
    `InputError` where a file would pass 2 GB, or where shapes are of several kinds.
    """
    what = name_of(frame)
    told = headings(frame.columns.drop(frame.geometry.name), what)
    fields = [_field(one, frame) for one in told]
    _require_room(fields, frame.geometry.to_numpy())
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        _write(folder / f"{what}.shp", told, frame)
        made = sorted(folder.iterdir())
        (folder / "dictionary.csv").write_bytes(_dictionary(fields))
        (folder / "README.txt").write_bytes(_readme(frame, what))
        _zip([*made, folder / "dictionary.csv", folder / "README.txt"], path)


def _field(heading: Heading, frame: gpd.GeoDataFrame) -> _Field:
    if heading.kind in {"int", "real"}:
        return _Field(heading, _NUMBER_BYTES, 0)
    longest, cuts = 1, 0
    for batch in batches(frame[[heading.name, frame.geometry.name]]):
        whole = [one for one in plain_values(batch[heading.name]) if one is not None]
        cells = _cells(heading, whole)
        longest = max([longest, *(len(str(one).encode()) for one in cells)])
        cuts += sum(one != str(other) for one, other in zip(cells, whole, strict=True))
    return _Field(heading, longest, cuts if heading.kind == "text" else 0)


def _cells(heading: Heading, values: Sequence[Any]) -> list[Any]:
    return [None if one is None else _cell(one, heading) for one in values]


def _cell(value: Any, heading: Heading) -> Any:  # noqa: ANN401 - a value of any column
    if heading.kind == "text":
        return cut(str(value))
    if heading.kind == "bool":
        return "true" if value else "false"
    if heading.kind == "date":
        return date.fromisoformat(value[:10])
    return {"int": int, "real": float}.get(heading.kind, str)(value)


def cut(text: str) -> str:
    """The text, or as many whole letters of it as 254 bytes of UTF-8 hold; a null character ends a cell of dBase."""
    return text.replace("\0", "\ufffd").encode(errors="replace")[:MOST_TEXT_BYTES].decode(errors="ignore")


def _require_room(fields: Sequence[_Field], shapes: Any) -> None:  # noqa: ANN401 - an array of shapes
    table = len(shapes) * (1 + sum(one.bytes for one in fields))
    drawn = 16 * int(shapely.get_num_coordinates(shapes).sum()) + 64 * len(shapes)
    if max(table, drawn) > MOST_FILE_BYTES:
        raise InputError(
            "Danh sách quá lớn cho shapefile (tối đa 2 GB): hãy lọc, hoặc lấy gpkg.",
            "The list is too large for a shapefile (at most 2 GB): choose some of it, or take gpkg.",
        )


def _write(path: Path, told: Sequence[Heading], frame: gpd.GeoDataFrame) -> None:
    geometry, kind = _kind(frame.geometry.to_numpy())
    fields = [pa.field(one.short, _TYPES.get(one.kind, pa.string())) for one in told]
    schema = pa.schema([*fields, pa.field("geometry", pa.binary())])
    rows = (_record_batch(told, schema, batch) for batch in batches(frame))
    pyogrio.raw.write_arrow(
        pa.RecordBatchReader.from_batches(schema, rows),
        path,
        driver="ESRI Shapefile",
        geometry_name="geometry",
        geometry_type=geometry,
        crs="EPSG:4326",
        layer_options={
            "SHPT": kind,
            "ENCODING": "UTF-8",
            "RESIZE": "YES",
            "2GB_LIMIT": "YES",
            "DBF_DATE_LAST_UPDATE": str(frame.attrs.get("as_of", "1980-01-01")),
        },
    )


def _record_batch(told: Sequence[Heading], schema: pa.Schema, batch: gpd.GeoDataFrame) -> pa.RecordBatch:
    shapes = shapely.force_2d(batch.geometry.to_numpy())
    wkb = shapely.to_wkb(np.where(shapely.is_empty(shapes), None, shapes)).tolist()
    columns = plain_columns(batch).values()
    cells = [_cells(one, values) for one, values in zip(told, columns, strict=True)]
    return pa.record_batch(
        [pa.array(one, field.type) for one, field in zip((*cells, wkb), schema, strict=True)], schema=schema
    )


def _kind(shapes: Any) -> tuple[str, str]:  # noqa: ANN401 - an array of shapes
    found = set(np.unique(shapely.get_type_id(shapes)).tolist())
    for ids, kind in _SHAPES.items():
        if found <= set(ids):
            return kind
    raise InputError(
        "Danh sách có hình nhiều loại, một shapefile chỉ chứa một loại: hãy lấy gpkg.",
        "The list has shapes of several kinds, and a shapefile holds one: take gpkg.",
    )


def _dictionary(fields: Sequence[_Field]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_DICTIONARY)
    for one in fields:
        told = one.heading
        note = f"{one.cut} ô bị cắt ở {MOST_TEXT_BYTES} byte / cells cut" if one.cut else ""
        writer.writerow(
            (
                told.short,
                told.name,
                told.vi,
                told.meaning_en,
                told.meaning_vi,
                told.unit,
                _KINDS[told.kind],
                note,
            )
        )
    return text.getvalue().encode("utf-8-sig")


def _readme(frame: gpd.GeoDataFrame, what: str) -> bytes:
    told = {name: frame.attrs.get(name, "") for name in ("criteria", "snapshot_id", "as_of", "simulated")}
    simulated = "có / yes" if told["simulated"] else "không / no"
    lines = (
        f"PHỦ SÓNG: {what}",
        f"Tiêu chí / criteria: {told['criteria']}",
        f"Bản đánh giá / snapshot: {told['snapshot_id']}",
        f"Ngày đánh giá / as of: {told['as_of']}",
        f"Số liệu mô phỏng / simulated data: {simulated}",
        f"Số dòng / rows: {len(frame)}",
        "",
        "Tên cột và ý nghĩa: dictionary.csv. WGS 84, kinh độ trước. Chữ UTF-8, dài nhất 254 byte mỗi ô.",
        "Đúng/sai là chữ true, false; thời gian là chữ ISO 8601 theo UTC; không biết là null (chữ: để trống).",
        "Phần mềm nào hiện số 0 thay cho null thì hãy xem bản .csv hoặc .gpkg. Dòng không có hình vẫn được giữ.",
        "LibreOffice không đọc .cpg: khi mở .dbf hãy chọn bảng mã Unicode (UTF-8), hoặc dùng bản .xlsx.",
        "",
        "Field names and meanings: dictionary.csv. WGS 84, longitude first. UTF-8 text, at most 254 bytes a cell.",
        "True/false are the texts true, false; times are ISO 8601 text in UTC; what is not known is null (text: empty).",
        "Where a program shows 0 for null, look at the .csv or .gpkg. Rows without a shape are kept.",
        "LibreOffice does not read .cpg: choose Unicode (UTF-8) when it opens the .dbf, or take the .xlsx.",
        "",
    )
    return "\r\n".join(lines).encode("utf-8-sig")


def _zip(files: Sequence[Path], path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for one in files:
            entry = zipfile.ZipInfo(one.name, _WRITTEN_AT)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, one.stat().st_size
            with one.open("rb") as content, archive.open(entry, "w") as packed:
                shutil.copyfileobj(content, packed)
