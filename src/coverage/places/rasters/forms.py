"""Whether a raster file can be read at all: one band of numbers, on a straight grid, at a known place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rasterio
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import ColorInterp
from rasterio.errors import CRSError, RasterioError

from coverage.errors import PlacesRefused
from coverage.places.notes import Note

Area = tuple[float, float, float, float]
_WGS84 = "EPSG:4326"


def refusal(code: str, file: str, vi: str, en: str) -> PlacesRefused:
    """The error for a raster: its own code, what is wrong and the cure, in two languages."""
    return PlacesRefused(f"{file}: {vi}.", f"{file}: {en}.", code=code)


@contextmanager
def readable(file: str) -> Iterator[None]:
    """A context that turns a raster's failure to open or to be read, as when it was cut off, into `PlacesRefused`."""
    try:
        yield
    except (RasterioError, CRSError) as fault:
        raise refusal(
            "raster_unreadable",
            file,
            f"không đọc được như tệp raster ({fault}). Hãy gửi lại GeoTIFF nguyên vẹn",
            f"cannot be read as a raster ({fault}). Send a whole GeoTIFF again",
        ) from fault


def refuse_form(raster: rasterio.DatasetReader, file: str) -> None:
    """Raises `PlacesRefused`, a code for each fault, where an open raster is not one band of numbers on a straight, placed grid."""
    transform = raster.transform
    faults = (
        (
            raster.count != 1,
            "raster_bands",
            f"có {raster.count} lớp (band), cần một. Hãy tách lớp cần dùng (gdal_translate -b 1)",
            f"has {raster.count} bands, one is needed. Take out the right one (gdal_translate -b 1)",
        ),
        (
            "complex" in raster.dtypes[0] or "cint" in raster.dtypes[0],
            "raster_complex",
            "chứa số phức: đây là ảnh radar thô, không phải số đo",
            "holds complex numbers: a raw radar image, no quantity",
        ),
        (
            raster.colorinterp[0] == ColorInterp.palette,
            "raster_paletted",
            "là ảnh có bảng màu: giá trị là số thứ tự màu. Hãy gửi tệp số liệu gốc",
            "is a picture with a palette: its values number colours. Send the data it was drawn from",
        ),
        (
            transform.is_identity,
            "raster_without_position",
            "không ghi vị trí (geotransform). Hãy xuất lại GeoTIFF kèm toạ độ",
            "does not say where it lies (no geotransform). Export it again as a GeoTIFF with its position",
        ),
        (
            bool(transform.b or transform.d or transform.a < 0),
            "raster_rotated",
            "bị xoay so với hệ toạ độ. Hãy nắn thẳng (gdalwarp)",
            "is rotated against its coordinate system. Straighten it (gdalwarp)",
        ),
        (
            raster.crs is None,
            "raster_without_crs",
            "không ghi hệ toạ độ. Hãy khai đúng hệ (gdal_edit.py -a_srs EPSG:4326 nếu là WGS 84)",
            "names no coordinate system. Declare the right one (gdal_edit.py -a_srs EPSG:4326 for WGS 84)",
        ),
    )
    for wrong, code, vi, en in faults:
        if wrong:
            raise refusal(code, file, vi, en)
    try:
        _from_wgs84(raster)
    except ProjError as fault:
        raise refusal(
            "raster_crs_unknown",
            file,
            "có hệ toạ độ không quy về WGS 84 được. Hãy chuyển sang EPSG:4326 (gdalwarp -t_srs)",
            "is in a coordinate system that leads nowhere from WGS 84. Bring it to EPSG:4326 (gdalwarp -t_srs)",
        ) from fault


def notes_of_area(raster: rasterio.DatasetReader, area: Area | None, file: str) -> list[Note]:
    """A note where the raster covers only a part of the area; raises `PlacesRefused` where it touches none of it."""
    if area is None:
        return []
    west, south, east, north = project(raster, area)
    left, bottom, right, top = bounds(raster)
    if not (left < east and west < right and bottom < north and south < top):
        raise elsewhere(file)
    if left <= west and east <= right and bottom <= south and north <= top:
        return []
    return [
        Note(
            "raster_covers_part",
            "",
            f"{file}: không phủ hết vùng có thôn; ngoài tệp coi là không có dữ liệu.",
            f"{file}: does not cover the whole area of the villages; beyond it there is no data.",
        )
    ]


def elsewhere(file: str) -> PlacesRefused:
    """The error for a raster that holds nothing where the villages are."""
    return refusal(
        "raster_elsewhere",
        file,
        "không có dữ liệu nào trong vùng có thôn. Hãy kiểm tra vùng và hệ toạ độ của tệp",
        "holds no data where the villages are. Check its area and its coordinate system",
    )


def project(raster: rasterio.DatasetReader, area: Area) -> Area:
    """The bounds of an area (west, south, east, north, EPSG:4326) in the raster's CRS; infinite where that has none."""
    box: Area = _from_wgs84(raster).transform_bounds(*area)
    return box


def bounds(raster: rasterio.DatasetReader) -> Area:
    """Left, bottom, right, top of a raster in its own CRS, north up or south up."""
    left, bottom, right, top = raster.bounds
    return left, min(bottom, top), right, max(bottom, top)


def _from_wgs84(raster: rasterio.DatasetReader) -> Transformer:
    return Transformer.from_crs(_WGS84, raster.crs.to_wkt(), always_xy=True)
