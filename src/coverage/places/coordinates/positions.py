"""Coordinates as people write them in lists → WGS 84 degrees, or what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage.errors import PlacesRefused
from coverage.places.coordinates import to_wgs84
from coverage.places.coordinates.systems import reading_of

_METRES_FROM = 1000.0  # no degree is so large, no coordinate in metres of the country so small
_DEGREES = re.compile(
    r"\s*[NEBĐ]?\s*(?P<sign>[+-]?)(?P<d>\d{1,3}(?:[.,]\d+)?)\s*(?:°|º|độ|d)?\s*"
    r"(?:(?P<m>\d{1,2}(?:[.,]\d+)?)\s*(?:['′’ʹ]|phút|m)\s*)?"
    r"(?:(?P<s>\d{1,2}(?:[.,]\d+)?)\s*(?:[\"″”']|''|’’|giây|s)?\s*)?[NEBĐ]?\s*",
    re.IGNORECASE,
)
_METRES = re.compile(
    r"\s*\d{6,7}(?:[.,]\d+)?\s*m?\s*|\s*\d{1,3}(?P<sign>[ .,])\d{3}(?:(?P=sign)\d{3})*(?:[.,]\d+)?\s*m?\s*"
)
# Between the two numbers of one cell, surest first: a comma is also a decimal sign.
_BETWEEN = (r"\s*[;/|]\s*", r"\s*,\s+", r"\s+[-–]\s+", r"(?<=[\d\"'NEBĐ])\s+(?=[\dNEBĐ])", r",")


def coordinate(text: str) -> float:
    """One coordinate in degrees or metres: “11,94123”, “11°56'24''B”, “1.318.000,5”; NaN where it is none."""
    found = _DEGREES.fullmatch(text)
    if found and (found["m"] or not found["s"]):
        whole, minutes, seconds = (float((found[part] or "0").replace(",", ".")) for part in ("d", "m", "s"))
        odd = minutes >= 60 or seconds >= 60 or (found["m"] is not None and whole % 1 != 0)
        degrees = float("nan") if odd else whole + minutes / 60 + seconds / 3600
        return -degrees if found["sign"] == "-" else degrees
    found = _METRES.fullmatch(text)
    return _metres(text.strip(" m"), found["sign"]) if found else float("nan")


def _metres(text: str, thousands: str | None) -> float:
    if thousands is not None and text.count(thousands) > 0:
        whole, sign, rest = text.rpartition("," if thousands == "." else ".")
        text = (whole or rest).replace(thousands, "") + (f".{rest}" if sign else "")
    return float(text.replace(",", "."))


def pair(text: str) -> tuple[float, float]:
    """The two numbers of one cell, “11,94123; 108,44321”, as they stand; NaN twice where they are not two."""
    for between in _BETWEEN:
        parts = re.split(between, text.strip(" ()[]"))
        numbers = [coordinate(part) for part in parts]
        if len(numbers) == 2 and np.isfinite(numbers).all():
            return numbers[0], numbers[1]
    return float("nan"), float("nan")


def place(first: pd.Series, second: pd.Series, *, named: bool, crs: str | None, path: Path) -> pd.DataFrame:
    """Latitude and longitude (WGS 84, NaN = not known) per row, and `fault`: what is wrong with it, else None.

    `named`: the columns say which is the latitude (first) and which the longitude; then the other way round
    is the fault `swapped`, read all the same, for no latitude is beyond 90°. Without names a number beyond 90 is
    the longitude. Metres and degrees are read in `crs`, of another country as east before north. Other faults: `half` (one number of two), `off` (0, 0 or not on the
    globe), and both numbers are missing then. Raises `PlacesRefused` for metres without a `crs` in most rows.
    """
    lat, lon = first.to_numpy(float, copy=True), second.to_numpy(float, copy=True)
    fault = np.full(len(lat), None, dtype=object)
    fault[np.isfinite(lat) != np.isfinite(lon)] = "half"
    metres = (np.abs(lat) > _METRES_FROM) & (np.abs(lon) > _METRES_FROM)
    if metres.any():
        lat[metres], lon[metres] = _from_metres(lat, lon, metres, crs, path, named=named)
    turned = (np.abs(lat) > 90) & (np.abs(lon) <= 90)
    lat[turned], lon[turned] = lon[turned], lat[turned]
    if named:
        fault[turned] = "swapped"
    unsure = ~turned & ~metres & (np.abs(lon) <= 90) if not named else np.zeros(len(lat), bool)
    off = (
        unsure
        | (np.abs(lat) > 90)
        | (np.abs(lon) > 180)
        | ((lat == 0) & (lon == 0))
        | np.isinf(lat)
        | np.isinf(lon)
    )
    fault[off] = "off"
    if crs is not None and reading_of(crs).geographic:
        lat, lon = reading_of(crs).lat_lon(lon, lat)
    nowhere = np.isin(fault.astype(str), ["off", "half"])
    lat[nowhere], lon[nowhere] = np.nan, np.nan
    return pd.DataFrame({"lat": lat, "lon": lon, "fault": fault}, index=first.index)


def _from_metres(
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    metres: npt.NDArray[np.bool_],
    crs: str | None,
    path: Path,
    *,
    named: bool,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if crs is not None and not reading_of(crs).of_vietnam:
        x, y = (second, first) if named else (first, second)
        return reading_of(crs).lat_lon(x[metres], y[metres])
    if crs is not None:
        # The larger number is the northing, everywhere in the country and in every row for itself.
        low, high = np.minimum(first[metres], second[metres]), np.maximum(first[metres], second[metres])
        return to_wgs84(low, high, crs, path.name)
    if 2 * metres.sum() > np.isfinite(first).sum():
        raise PlacesRefused(
            f"{path.name}: toạ độ tính bằng mét (ví dụ {first[metres][0]:.1f}; {second[metres][0]:.1f}) mà không rõ hệ "
            "toạ độ. Hãy thêm --crs EPSG:5899 (Lâm Đồng cũ) hoặc --crs EPSG:9218 (Đắk Nông, Bình Thuận cũ).",
            f"{path.name}: coordinates in metres (e.g. {first[metres][0]:.1f}; {second[metres][0]:.1f}) of an unknown "
            "system. Add --crs EPSG:5899 (former Lâm Đồng) or --crs EPSG:9218 (former Đắk Nông, Bình Thuận).",
        )
    return first[metres], second[metres]
