"""Reading any OGR file or table of places: columns by Vietnamese or English name, geometry in EPSG:4326."""

from __future__ import annotations

import re
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
from coverage.places.coordinates.systems import WGS84, Reading, are_metres, in_vietnam, reading_of
from coverage.places.notes import row_words
from coverage.places.sheets.headers import headers

_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+")
_COUNTED = re.compile(r"\s*(?:hộ|nhân khẩu|khẩu|người|dân)\s*$", re.IGNORECASE)
LARGEST_KM2 = 10_000.0  # several times the largest commune of the country: no village, a mistake
_YES = {"1", "true", "yes", "y", "co", "x", "t", "v", "daco", "codien"}
_NO = {"0", "false", "no", "n", "khong", "f", "chua", "chuaco", "khongco", "chuacodien", "khongcodien"}
_TICKS = {"✓", "✔", "√", "☑", "+"}


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


def rename(frame: pd.DataFrame, synonyms: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The frame with our column names (see `headers`); columns we do not know are left out."""
    found = {ours: frame[theirs] for ours, theirs in headers(frame, synonyms).items()}
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


def or_none(values: pd.Series[Any]) -> pd.Series[Any]:
    """The column as objects, every missing value None."""
    return values.astype(object).where(values.notna(), None)


def first_text(*columns: pd.Series[Any]) -> pd.Series[Any]:
    """Of several columns the first text of each row; None where none holds one."""
    rows = zip(*columns, strict=True)
    found = [next((text for text in row if isinstance(text, str)), None) for row in rows]
    return pd.Series(found, index=columns[0].index, dtype=object)


def counts(frame: pd.DataFrame, column: str, path: Path) -> pd.Series[float]:
    """A column of people or households; “1.200” is twelve hundred, as Vietnamese sheets write it.

    Missing = NaN. Raises `PlacesRefused` at the first text that is no whole number from 0 on.
    """
    raw = texts(frame, column)
    found = as_counts(raw)
    plain = raw.map(_without_thousands, na_action="ignore")
    refuse_values(
        path,
        raw.rename(column),
        raw.notna() & as_numbers(plain).isna(),
        "không phải là số",
        "is not a number",
    )
    bad = raw.notna() & found.isna()
    refuse_rows(path, [(bad, f"cột {column} không phải số đếm", f"column {column} is no count")])
    return found


def numbers(frame: pd.DataFrame, column: str, path: Path) -> pd.Series[float]:
    """A column as numbers, decimal comma accepted; missing = NaN; raises `PlacesRefused` at the first other text."""
    raw = texts(frame, column)
    parsed = as_numbers(raw)
    refuse_values(
        path, raw.rename(column), raw.notna() & parsed.isna(), "không phải là số", "is not a number"
    )
    return parsed


def as_numbers(raw: pd.Series[Any]) -> pd.Series[float]:
    """Texts as finite numbers, decimal comma accepted; NaN where there is none or it is no number."""
    parsed = pd.to_numeric(
        raw.map(lambda text: text.replace(",", "."), na_action="ignore"), errors="coerce"
    ).astype(float)
    return parsed.where(np.isfinite(parsed))


def as_counts(raw: pd.Series[Any]) -> pd.Series[float]:
    """Texts as whole numbers from 0 on (“1.234”, “85 hộ”); NaN where there is none or it is no such number."""
    parsed = as_numbers(raw.map(_without_thousands, na_action="ignore"))
    return parsed.where((parsed >= 0) & (parsed % 1 == 0))


def _without_thousands(text: str) -> str:
    bare = _COUNTED.sub("", text)
    return re.sub(r"[., ]", "", bare) if _THOUSANDS.fullmatch(bare) else bare


def flags(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """A column as true, false or None, from yes/no words in Vietnamese or English; other words are None."""
    return texts(frame, column).map(_flag).astype(object)


def _flag(text: str | None) -> bool | None:
    # GeoJSON readers give true/false beside missing as 1.0/0.0.
    key = "" if text is None else fold(text.removesuffix(".0"))
    return True if key in _YES or text in _TICKS else False if key in _NO else None


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


def lines(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """The features as lines, left out those without a length; raises `PlacesRefused` at anything else, or if none is left."""
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5))  # LineString, MultiLineString
    long = shapely.length(shapes) > 0
    if not (is_line & long).any() or not is_line.all():
        row = int((~is_line).argmax())
        kind = getattr(shapes[row], "geom_type", "None")
        raise PlacesRefused(
            f"{path.name}, đối tượng {row + 1}: cần đường có chiều dài, nhưng là {kind}.",
            f"{path.name}, feature {row + 1}: needs a line with a length, but is {kind}.",
        )
    _refuse_off_the_globe(shapes[long], path)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))[long]


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
            where_vi, where_en = _first_row(bad)
            raise PlacesRefused(f"{path.name}, {where_vi}: {vi}.", f"{path.name}, {where_en}: {en}.")


def refuse_values(path: Path, values: pd.Series[Any], bad: pd.Series[bool], vi: str, en: str) -> None:
    """Raises `PlacesRefused` at the first bad value: its row, the column (the series' name), and what it is."""
    if bad.any():
        where_vi, where_en = _first_row(bad)
        value = values.iloc[int(bad.to_numpy().argmax())]
        shown_vi, shown_en = ("trống", "empty") if pd.isna(value) else (value, value)
        raise PlacesRefused(
            f"{path.name}, {where_vi}, cột {values.name}: “{shown_vi}” {vi}.",
            f"{path.name}, {where_en}, column {values.name}: “{shown_en}” {en}.",
        )


def _first_row(bad: pd.Series[bool]) -> tuple[str, str]:
    # A table knows its rows as an editor shows them (see `sheets`); of a map layer the features are counted.
    position = int(bad.to_numpy().argmax())
    if bad.index.name is not None:
        return row_words(bad.index, bad.index[position])
    return f"dòng dữ liệu {position + 1}", f"data row {position + 1}"
