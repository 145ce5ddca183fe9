"""Two columns of numbers of a table, X and Y in any order, as degrees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyproj

from coverage.errors import PlacesRefused
from coverage.places.systems import VIETNAM, Numbers, reading_of, swapped


def to_wgs84(x: Numbers, y: Numbers, crs: pyproj.CRS | str, file: str = "") -> tuple[Numbers, Numbers]:
    """WGS 84 latitude and longitude in degrees of a table's columns X and Y; missing where either is.

    Which of the two is the one to the north is decided by the numbers, for the whole table: in one order they lie in
    Viet Nam, in the other they do not. Raises `PlacesRefused` (`coordinates_unreadable`) where neither order does for
    most rows, and at the first row that only fits the order that the others do not have.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    reading = reading_of(crs)
    ways = [one.lat_lon(x, y) for one in (reading, swapped(reading))]
    inside = [_in_vietnam(lat, lon) for lat, lon in ways]
    way = int(inside[1].sum() > inside[0].sum())
    given = np.isfinite(x) & np.isfinite(y)
    if 2 * inside[way].sum() <= given.sum():
        _refuse_row(given, x, y, _neither(reading.label), file)
    _refuse_row(inside[1 - way] & ~inside[way], x, y, _OTHER_ORDER, file)
    lat, lon = ways[way]
    return np.where(given, lat, np.nan), np.where(given, lon, np.nan)


_OTHER_ORDER = (
    "X và Y đứng ngược thứ tự so với các dòng khác. Hãy đổi chỗ hai số",
    "X and Y stand the other way round than in the other rows. Swap the two numbers",
)


def _neither(system: str) -> tuple[str, str]:
    return (
        f"đọc theo {system} thì không nằm trong Việt Nam, dù đổi chỗ X và Y. Hãy kiểm tra --crs và hai cột",
        f"read as {system} this is not in Viet Nam, in either order of X and Y. Check --crs and the two columns",
    )


def _in_vietnam(lat: Numbers, lon: Numbers) -> npt.NDArray[np.bool_]:
    south, west, north, east = VIETNAM
    return np.asarray((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))


def _refuse_row(bad: npt.NDArray[np.bool_], x: Numbers, y: Numbers, what: tuple[str, str], file: str) -> None:
    if not bad.any():
        return
    row = int(bad.argmax())
    where = f"{file}, " if file else ""
    raise PlacesRefused(
        f"{where}dòng dữ liệu {row + 1}, X = {x[row]:.12g}, Y = {y[row]:.12g}: {what[0]}.",
        f"{where}data row {row + 1}, X = {x[row]:.12g}, Y = {y[row]:.12g}: {what[1]}.",
        code="coordinates_unreadable",
    )
