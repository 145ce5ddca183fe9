"""Reading any OGR file or table of places: columns by Vietnamese or English name, geometry in EPSG:4326."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely

from coverage.errors import PlacesRefused
from coverage.names import fold, nfc
from coverage.places.coordinates import no_system
from coverage.places.systems import WGS84, Reading, are_metres, in_vietnam, reading_of

_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_GZIP = b"\x1f\x8b"
LARGEST_TEXT = 1 << 30  # bytes of one unpacked file: more is no list of places
LARGEST_KM2 = 10_000.0  # several times the largest commune of the country: no village, a mistake
_YES = {"1", "true", "yes", "y", "co", "x", "t"}
_NO = {"0", "false", "no", "n", "khong", "f"}


def read_layer(path: Path, crs: str | None = None, areas: gpd.GeoSeries | None = None) -> gpd.GeoDataFrame:
    """The features of any OGR vector file, in EPSG:4326 lon/lat; raises `PlacesRefused`.

    `crs` (see `systems.reading_of`) overrules what the file says. `attrs["crs_given"]` is the system that was
    used, as that option or as WKT. A file that names none is refused (`crs_missing`): a guess would be off by
    226 m or more; `areas` (EPSG:4326, indexed by code) let the refusal say which would fit. Numbers that cannot
    be degrees although the system has degrees stay as they are, for `coordinates.check` to name the mistake.
    """
    try:
        frame = pyogrio.read_dataframe(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as fault:
        raise PlacesRefused(
            f"{path.name}: không đọc được như một lớp bản đồ ({fault}).",
            f"{path.name}: cannot be read as a map layer ({fault}).",
        ) from fault
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        raise PlacesRefused(
            f"{path.name}: không có đối tượng hình học nào.", f"{path.name}: holds no geometry."
        )
    if crs is None and frame.crs is None:
        raise no_system(frame, areas, path.name)
    return _in_degrees(frame, reading_of(frame.crs if crs is None else crs))


def _in_degrees(frame: gpd.GeoDataFrame, reading: Reading) -> gpd.GeoDataFrame:
    def lonlat(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        lat, lon = reading.lat_lon(xy[:, 0], xy[:, 1])
        return np.column_stack([lon, lat])

    shapes = shapely.transform(shapely.force_2d(frame.geometry.to_numpy()), lonlat)
    turned = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index), crs=None).set_crs(
        WGS84, allow_override=True
    )
    turned.attrs["crs_given"] = reading.option
    return turned


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, packed with gzip or not, without byte-order mark; raises `PlacesRefused`."""
    try:
        return _unpacked(path.read_bytes()).decode("utf-8-sig")
    except (UnicodeDecodeError, ValueError, OSError, EOFError, zlib.error) as fault:
        raise PlacesRefused(
            f"{path.name}: không đọc được như văn bản UTF-8 ({fault}). Hãy lưu lại bằng UTF-8.",
            f"{path.name}: cannot be read as UTF-8 text ({fault}). Save it again in UTF-8.",
        ) from fault


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    with gzip.open(io.BytesIO(data)) as packed:
        text = packed.read(LARGEST_TEXT + 1)
    if len(text) > LARGEST_TEXT:
        raise ValueError(f"> {LARGEST_TEXT} bytes")
    return text


def read_table(path: Path) -> pd.DataFrame:
    """A CSV as text columns (missing = None); delimiter and byte-order mark are found by themselves.

    It may be packed with gzip.
    """
    text = read_text(path)
    try:
        with warnings.catch_warnings():
            # More fields in a row than in the header: pandas would shift or drop them, we refuse.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                io.StringIO(text, newline=""), sep=None, engine="python", dtype=str, index_col=False
            )
    except (ValueError, csv.Error, pd.errors.ParserWarning) as fault:
        raise PlacesRefused(
            f"{path.name}: không đọc được như bảng CSV UTF-8 ({fault}).",
            f"{path.name}: cannot be read as a UTF-8 CSV table ({fault}).",
        ) from fault
    return frame


def rename(frame: pd.DataFrame, synonyms: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The frame with our column names, where a header matches one of a column's synonyms (see `names.fold`).

    The first synonym found wins; columns we do not know are left out.
    """
    headers = {fold(str(column)): column for column in reversed(list(frame.columns))}
    found: dict[str, Any] = {}
    for ours, theirs in synonyms.items():
        match = next((headers[fold(name)] for name in (ours, *theirs) if fold(name) in headers), None)
        if match is not None:
            found[ours] = frame[match]
    return pd.DataFrame(found, index=frame.index)


def rename_layer(frame: gpd.GeoDataFrame, synonyms: Mapping[str, Sequence[str]]) -> gpd.GeoDataFrame:
    """The same for a map layer: our columns, with its geometry."""
    renamed = gpd.GeoDataFrame(rename(frame, synonyms), geometry=frame.geometry, crs=frame.crs)
    renamed.attrs = dict(frame.attrs)
    return renamed


def need(frame: pd.DataFrame, column: str, path: Path, synonyms: Sequence[str]) -> pd.Series[Any]:
    """A column that must be there; raises `PlacesRefused` naming the headers that would do."""
    if column not in frame:
        names = ", ".join((column, *synonyms))
        raise PlacesRefused(
            f"{path.name}: thiếu cột {column} (tên cột chấp nhận: {names}).",
            f"{path.name}: column {column} is missing (accepted headers: {names}).",
        )
    return frame[column]


def texts(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column as NFC text; missing column, missing and blank cells are None."""
    if column not in frame:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    values = frame[column].map(lambda value: None if pd.isna(value) else nfc(_text(value)) or None)
    return values.astype(object).where(values.notna(), None)


def _text(value: object) -> str:
    # A column of whole numbers with a gap arrives as 101.0: the file wrote 101.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def counts(frame: pd.DataFrame, column: str, path: Path) -> pd.Series[float]:
    """A column of people or households; “1.200” is twelve hundred, as Vietnamese sheets write it.

    Missing = NaN. Raises `PlacesRefused` at the first text that is no whole number from 0 on.
    """
    raw = texts(frame, column)
    plain = raw.map(lambda text: text.replace(".", "") if text and _THOUSANDS.fullmatch(text) else text)
    found = numbers(pd.DataFrame({column: plain}), column, path)
    bad = found.notna() & ((found < 0) | (found % 1 != 0))
    refuse_rows(path, [(bad, f"cột {column} không phải số đếm", f"column {column} is no count")])
    return found


def numbers(frame: pd.DataFrame, column: str, path: Path) -> pd.Series[float]:
    """A column as numbers, decimal comma accepted; missing = NaN; raises `PlacesRefused` at the first other text."""
    raw = texts(frame, column)
    parsed = pd.to_numeric(raw.map(lambda text: text and text.replace(",", ".")), errors="coerce")
    bad = raw.notna() & ~np.isfinite(parsed.astype(float))
    refuse_values(path, raw.rename(column), bad, "không phải là số", "is not a number")
    return parsed.astype(float)


def flags(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column as true, false or None, from yes/no words in Vietnamese or English; other words are None."""
    # GeoJSON readers give true/false beside missing as 1.0/0.0.
    keys = texts(frame, column).map(lambda text: None if text is None else fold(text.removesuffix(".0")))
    return keys.map(lambda key: True if key in _YES else False if key in _NO else None).astype(object)


def polygons(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """The features as valid polygons or multipolygons; raises `PlacesRefused` where one has no area."""
    _refuse_off_the_globe(frame.geometry.to_numpy(), path)
    geometry = shapely.force_2d(shapely.make_valid(frame.geometry.to_numpy()))
    areal = [_areal(shape) for shape in geometry]
    empty = [row for row, shape in enumerate(areal) if shape is None or shape.is_empty]
    if empty:
        kind = frame.geometry.iloc[empty[0]]
        raise PlacesRefused(
            f"{path.name}, đối tượng {empty[0] + 1}: cần đa giác, nhưng là {getattr(kind, 'geom_type', 'rỗng')}.",
            f"{path.name}, feature {empty[0] + 1}: needs a polygon, but is {getattr(kind, 'geom_type', 'empty')}.",
        )
    return frame.set_geometry(gpd.GeoSeries(areal, index=frame.index, crs=frame.crs))


def _refuse_off_the_globe(geometry: npt.NDArray[np.object_], path: Path) -> None:
    west, south, east, north = shapely.bounds(geometry).T
    off = (south < -90) | (north > 90) | (west < -180) | (east > 180)
    points, whose = shapely.get_coordinates(geometry, return_index=True)
    off[whose[~np.isfinite(points).all(axis=1)]] = True
    if off.any():
        row = int(off.argmax())
        shown = f"{west[row]:.4f}, {south[row]:.4f}"
        raise PlacesRefused(
            f"{path.name}, đối tượng {row + 1}: toạ độ ngoài Trái Đất ({shown}); có thể kinh độ và vĩ độ bị đảo"
            ' (--crs "EPSG:4326 yx") hoặc số liệu là mét (ví dụ --crs EPSG:5899).',
            f"{path.name}, feature {row + 1}: coordinates off the globe ({shown}); longitude and latitude may be swapped"
            ' (--crs "EPSG:4326 yx") or the numbers may be metres (for example --crs EPSG:5899).',
            code=_off_the_globe_code(west[row : row + 1], south[row : row + 1]),
        )


def _off_the_globe_code(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> str | None:
    if are_metres(x, y).any():
        return "metres_as_degrees"
    return "axes_swapped" if in_vietnam(x, y).any() else None


def _areal(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    # make_valid may leave lines and points beside the area: only the area is a territory.
    if shape is None or shape.geom_type in {"Polygon", "MultiPolygon"}:
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(parts) if parts else None


def refuse_rows(path: Path, faults: Iterable[tuple[pd.Series[bool], str, str]]) -> None:
    """Raises `PlacesRefused` at the first row with a fault; each fault: its rows, and what it is in two languages."""
    for bad, vi, en in faults:
        if bad.any():
            row = int(bad.to_numpy().argmax()) + 1
            raise PlacesRefused(
                f"{path.name}, dòng dữ liệu {row}: {vi}.", f"{path.name}, data row {row}: {en}."
            )


def refuse_values(path: Path, values: pd.Series[Any], bad: pd.Series[bool], vi: str, en: str) -> None:
    """Raises `PlacesRefused` at the first bad value: its row, the column (the series' name), and what it is."""
    if bad.any():
        row = int(bad.to_numpy().argmax())
        value = values.iloc[row]
        raise PlacesRefused(
            f"{path.name}, dòng dữ liệu {row + 1}, cột {values.name}: “{value}” {vi}.",
            f"{path.name}, data row {row + 1}, column {values.name}: “{value}” {en}.",
        )
