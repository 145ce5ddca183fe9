"""Where operators declare service: polygons or a raster of theirs. A claim to hold against tests, never evidence."""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.features import shapes as outlines_of
from rasterio.io import DatasetReader

from coverage.errors import PlacesRefused
from coverage.places.coordinates.systems import WGS84
from coverage.places.dates import read_days
from coverage.places.vector_files import (
    flags,
    polygons,
    read_layer,
    refuse_rows,
    rename_layer,
    texts,
)

_SYNONYMS = {
    "operator": ("Nhà mạng", "Doanh nghiệp", "plmn", "mccmnc", "provider", "mno"),
    "technology": ("Công nghệ", "tech", "rat", "radio"),
    "as_of": ("Ngày", "Ngày số liệu", "Ngày bản đồ", "date"),
    "covered": ("Có sóng", "Phủ sóng", "coverage", "service"),
    "source": ("nguồn",),
}
_RASTERS = {".tif", ".tiff"}
_MOST_PIXELS = 1 << 28  # a province at 50 m has 10 million; four bytes of each are held at once
_STEP_M = 1000.0  # straight edges in a projection bend in degrees: over this length by some 2 cm


def read_declared(
    path: Path,
    operator: str | None = None,
    technology: str | None = None,
    as_of: date | None = None,
    weakest_dbm: float | None = None,
    crs: str | None = None,
) -> gpd.GeoDataFrame:
    """The areas where operators declare service, as the contract DECLARED with valid polygons, EPSG:4326.

    `path` is any OGR polygon file, or a GeoTIFF of one band: a mask (1 = service, 0 = none), or levels in dBm
    of which those from `weakest_dbm` on count. The options stand in where the file says nothing; a raster
    says nothing. Operators and technologies stay as written. Areas that overlap stay as they are: what is
    made of them counts no ground twice. Polygons that a column `covered` denies are left out.
    Raises `PlacesRefused`: no operator, no area at all, a raster that is neither mask nor levels.
    """
    if path.suffix.lower() in _RASTERS:
        found = _of_raster(path, weakest_dbm)
    else:
        found = polygons(rename_layer(read_layer(path, crs), _SYNONYMS), path)
    declared = gpd.GeoDataFrame(
        {
            "operator": _or(texts(found, "operator"), operator),
            "technology": _or(texts(found, "technology"), technology),
            "as_of": _or(read_days(texts(found, "as_of").rename("as_of"), path), as_of),
            "source": texts(found, "source").fillna(path.name),
        },
        geometry=found.geometry,
        crs=WGS84,
    )
    _refuse_nobody(declared, path)
    kept = declared[~flags(found, "covered").eq(False)]
    if kept.empty:
        raise _no_area(path)
    return kept.sort_values(["operator", "technology"], kind="stable", ignore_index=True)


def _or(values: pd.Series, option: object) -> pd.Series:
    # What a column says, else the option; missing stays None.
    return values.where(values.notna(), option).astype(object)


def _refuse_nobody(declared: gpd.GeoDataFrame, path: Path) -> None:
    nobody = declared["operator"].isna()
    vi = "không biết của nhà mạng nào; hãy thêm cột operator (Nhà mạng) hoặc tuỳ chọn --operator"
    en = "nobody knows whose it is; add a column operator (Nhà mạng) or the option --operator"
    refuse_rows(path, [(nobody, vi, en)])


def _no_area(path: Path) -> PlacesRefused:
    return PlacesRefused(
        f"{path.name}: không khai vùng nào có sóng. Hãy kiểm tra tệp hoặc ngưỡng dBm.",
        f"{path.name}: declares service nowhere. Check the file, or the threshold in dBm.",
    )


def _of_raster(path: Path, weakest_dbm: float | None) -> gpd.GeoDataFrame:
    try:
        with (
            warnings.catch_warnings(category=NotGeoreferencedWarning, action="ignore"),
            rasterio.open(path) as raster,
        ):
            _refuse_odd_raster(raster, path)
            declared = _declared_pixels(raster.read(1, masked=True), weakest_dbm, path)
            pieces = outlines_of(declared.astype(np.uint8), mask=declared, transform=raster.transform)
            parts = [shapely.geometry.shape(outline) for outline, _ in pieces]
            crs = raster.crs
    except RasterioIOError as fault:
        raise PlacesRefused(
            f"{path.name}: không đọc được như ảnh GeoTIFF ({fault}).",
            f"{path.name}: cannot be read as a GeoTIFF ({fault}).",
        ) from fault
    if not parts:
        raise _no_area(path)
    # Pixels join over their sides only, so that the parts meet in corners at most: valid as they are.
    whole = gpd.GeoSeries([shapely.multipolygons(parts)], crs=crs)
    whole = whole.segmentize(_STEP_M) if crs.is_projected else whole
    return gpd.GeoDataFrame(geometry=whole.to_crs(WGS84))


def _refuse_odd_raster(raster: DatasetReader, path: Path) -> None:
    faults = (
        (raster.count != 1, f"có {raster.count} băng, cần một", f"has {raster.count} bands, needs one"),
        (raster.crs is None, "không ghi hệ toạ độ", "names no coordinate system"),
        (raster.transform.is_identity, "không ghi vị trí trên mặt đất", "says not where on earth it lies"),
        (
            raster.width * raster.height > _MOST_PIXELS,
            "quá lớn; hãy cắt theo ranh giới tỉnh",
            "is too large; cut it to the province",
        ),
    )
    for bad, vi, en in faults:
        if bad:
            raise PlacesRefused(f"{path.name}: ảnh {vi}.", f"{path.name}: the raster {en}.")


def _declared_pixels(band: np.ma.MaskedArray, weakest_dbm: float | None, path: Path) -> npt.NDArray[np.bool_]:
    values = np.ma.masked_invalid(band).compressed() if band.dtype.kind == "f" else band.compressed()
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    shown = f"{low:g}…{high:g}"
    is_mask = not values.size or bool(np.isin(values, (0, 1)).all())
    if weakest_dbm is None and not is_mask:
        raise PlacesRefused(
            f"{path.name}: giá trị {shown} không phải mặt nạ 0 và 1. Nếu là mức thu (dBm), hãy cho ngưỡng (--weakest-dbm).",
            f"{path.name}: values {shown} are no mask of 0 and 1. If they are levels in dBm, give the weakest (--weakest-dbm).",
        )
    if weakest_dbm is not None and values.size and high >= 0:
        raise PlacesRefused(
            f"{path.name}: giá trị {shown} không phải mức thu (dBm luôn âm). Hãy bỏ ngưỡng nếu là mặt nạ, hoặc ghi giá trị nodata vào tệp.",
            f"{path.name}: values {shown} are no levels (dBm are negative). Drop the threshold if it is a mask, or write the nodata value into the file.",
        )
    found: npt.NDArray[np.bool_] = np.ma.filled(band >= (1 if weakest_dbm is None else weakest_dbm), False)
    return found
