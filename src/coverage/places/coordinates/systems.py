"""The coordinate systems in which a Vietnamese province may have written its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from coverage.errors import PlacesRefused

Numbers = npt.NDArray[np.float64]
WGS84 = "EPSG:4326"
VN2000 = "EPSG:4756"
_WGS84_ZONES = ("EPSG:32648", "EPSG:32649")
# Degrees of Viet Nam with its islands and some room: south, west, north, east. The EPSG database gives
# 8.33 to 23.4 and 102.14 to 109.53 for the mainland; the farthest islands lie at 7 to 17 N, up to 117.8 E.
VIETNAM = (7.0, 102.0, 24.0, 118.0)
_NORTH_FIRST = " yx"
_FULL_TURN = 360.0
_TRIAL = {True: (108.0, 12.0), False: (500_000.0, 1_300_000.0)}  # a place in Viet Nam in degrees and metres
# Scale factors met in files that call themselves a zone of a province: that of UTM, which a widely read
# tutorial gives for these zones too, and the right one of TM-3. Both without any shift of the datum.
_SCALES = (0.9996, 0.9999)


@dataclass(frozen=True)
class Reading:
    """One way to understand pairs of numbers: a coordinate system, and whether north stands first.

    `option` is the text that `--crs` takes for it.
    """

    option: str
    crs: pyproj.CRS
    north_first: bool = False

    @property
    def geographic(self) -> bool:
        """Whether the numbers are degrees."""
        return bool(self.crs.is_geographic)

    @property
    def of_vietnam(self) -> bool:
        """Whether the system is made for Viet Nam or for more than one country's ground, its own included."""
        used = self.crs.area_of_use
        if used is None:
            return True
        south, west, north, east = VIETNAM
        return used.south <= north and used.north >= south and used.west <= east and used.east >= west

    @property
    def shifts_datum(self) -> bool:
        """Whether the datum is shifted on the way to WGS 84 (by some 226 m for VN-2000), found by trying."""
        x, y = (np.array([_TRIAL[self.geographic][axis]]) for axis in (0, 1))
        plain = WGS84 if self.geographic else _unshifted(*meridian_and_scale(self.crs))
        if "nan" in plain:
            return False
        here, there = Reading("", self.crs).lat_lon(x, y), reading_of(plain).lat_lon(x, y)
        return not np.allclose(here, there, rtol=0, atol=1e-4)

    @property
    def label(self) -> str:
        """What people may know it by: the option, and the system's name where it has one."""
        name = self.crs.name
        if name == "unknown":
            return self.option
        return f"{self.option} ({name})" if self.option.startswith("EPSG:") else name

    def lat_lon(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """WGS 84 latitude and longitude in degrees of the numbers; infinite where there are none.

        Numbers beyond a full turn in a system of degrees come back as they are: the check names the mistake.
        """
        east, north = (y, x) if self.north_first else (x, y)
        lon, lat = _to_wgs84(self.crs).transform(east, north)
        as_given = are_metres(east, north) & self.geographic
        return np.where(as_given, north, lat), np.where(as_given, east, lon)

    def numbers(self, lat: Numbers, lon: Numbers) -> tuple[Numbers, Numbers]:
        """The numbers x, y that this reading turns into these degrees: the other way round of `lat_lon`."""
        east, north = _to_wgs84(self.crs).transform(lon, lat, direction="INVERSE")
        as_given = are_metres(lon, lat) & self.geographic
        east, north = np.where(as_given, lon, east), np.where(as_given, lat, north)
        return (north, east) if self.north_first else (east, north)


@lru_cache(maxsize=256)
def _to_wgs84(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)


def are_metres(x: Numbers, y: Numbers) -> npt.NDArray[np.bool_]:
    """Which pairs hold a number beyond a full turn: those are no degrees, whatever the file says."""
    return (np.abs(x) > _FULL_TURN) | (np.abs(y) > _FULL_TURN)


def in_vietnam(lat: Numbers, lon: Numbers) -> npt.NDArray[np.bool_]:
    """Which places lie in Viet Nam, its islands and its border country included."""
    south, west, north, east = VIETNAM
    return np.asarray((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))


def reading_of(system: pyproj.CRS | str) -> Reading:
    """The reading that a text of `--crs` names; raises `PlacesRefused` where it names none.

    The text is anything PROJ knows (`EPSG:5899`, WKT, a PROJ string). With ` yx` after it, the first number
    of each pair is the one to the north (cadastral lists: X = north, Y = east).
    """
    if isinstance(system, pyproj.CRS):
        return Reading(system.to_string(), system)
    text = system.strip()
    north_first = text.casefold().endswith(_NORTH_FIRST)
    name = text[: -len(_NORTH_FIRST)].strip() if north_first else text
    name = name.upper() if name.casefold().startswith("epsg:") else name
    try:
        return Reading(name + _NORTH_FIRST * north_first, pyproj.CRS.from_user_input(name), north_first)
    except pyproj.exceptions.CRSError as fault:
        raise PlacesRefused(
            f"Không biết hệ toạ độ “{system}”. Hãy ghi mã EPSG, ví dụ --crs EPSG:5899.",
            f"“{system}” is no coordinate system known. Give an EPSG code, for example --crs EPSG:5899.",
            code="crs_unknown",
        ) from fault


def swapped(reading: Reading) -> Reading:
    """The same system with the two numbers the other way round."""
    name = reading.option.removesuffix(_NORTH_FIRST)
    return Reading(name + _NORTH_FIRST * (not reading.north_first), reading.crs, not reading.north_first)


@lru_cache(maxsize=1)
def candidates() -> tuple[Reading, ...]:
    """Every reading to try, likelier ones first: official ones, then wrong forms, then each with swapped axes.

    VN-2000 in degrees, its TM-3 zones and UTM zones, all that the EPSG database holds; WGS 84 in degrees and
    UTM 48N and 49N; and the zones' meridians on WGS 84 without shift of the datum (see `_SCALES`).
    """
    zones = [reading_of(code) for code in _vn2000_zones()]
    official = [*map(reading_of, (WGS84, VN2000)), *zones, *map(reading_of, _WGS84_ZONES)]
    meridians = sorted({meridian_and_scale(zone.crs)[0] for zone in zones if _is_tm3(zone)})
    wrong = [reading_of(_unshifted(meridian, scale)) for meridian in meridians for scale in _SCALES]
    return (*official, *wrong, *map(swapped, (*official, *wrong)))


def _vn2000_zones() -> list[str]:
    found = query_crs_info(auth_name="EPSG", pj_types=PJType.PROJECTED_CRS)
    codes = {int(info.code) for info in found if info.name.startswith("VN-2000 / ")}
    return [f"EPSG:{code}" for code in sorted(codes)]


def _is_tm3(zone: Reading) -> bool:
    return "TM-3" in zone.crs.name


def _unshifted(meridian: float, scale: float) -> str:
    return (
        f"+proj=tmerc +lat_0=0 +lon_0={meridian:g} +k={scale:g} +x_0=500000 +y_0=0"
        " +ellps=WGS84 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs +type=crs"
    )


def meridian_and_scale(crs: pyproj.CRS) -> tuple[float, float]:
    """The central meridian in degrees and the scale on it; NaN where the projection has none (degrees: both)."""
    plain = crs.source_crs if crs.is_bound and crs.source_crs else crs
    operation = plain.coordinate_operation
    given = {} if operation is None else {one.name: float(one.value) for one in operation.params}
    missing = float("nan")
    return (
        given.get("Longitude of natural origin", missing),
        given.get("Scale factor at natural origin", missing),
    )
