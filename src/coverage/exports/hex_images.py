"""Layers of hexes → one small transparent PNG each, for a page that has no service: pixel → hex → colour, no polygons.

Rows are equally spaced in Web Mercator, as the browser stretches an image between two corners.
The pixels are asked for their hex once; every operator is a new colouring of the same pixels.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coverage import hexes
from coverage.exports.hex_classes import UNMEASURED, VERDICTS, Layer
from coverage.exports.mercator import EQUATOR_M, latitudes
from coverage.exports.tiles import Grid, Reals, grid, hex_pixels

Bounds = tuple[float, float, float, float]

MAX_PIXELS = 1_600_000  # of a province at resolution 8: some 8 pixels to a hex, 150 kB for each operator
_FINEST_PIXEL_M = 12.0  # no hex needs smaller ones


@dataclass(frozen=True)
class Frame:
    """Where a picture lies: its whole pixels in a map of the world that is `world` pixels wide and high, from the
    north-west.
    """

    world: int
    left: int
    top: int
    columns: int
    rows: int
    density: int = 1

    @classmethod
    def around(cls, bounds: Bounds) -> Frame:
        """The finest frame around west, south, east, north in degrees that has no more than `MAX_PIXELS`."""
        x = np.array([bounds[0], bounds[2]]) / 360 + 0.5
        y = 0.5 - np.arctanh(np.sin(np.radians([bounds[3], bounds[1]]))) / (2 * np.pi)
        wide, high = float(np.ptp(x)), float(np.ptp(y))
        # (wide · world + 2) · (high · world + 2) = MAX_PIXELS: both sides are rounded outwards to whole pixels.
        half = wide + high
        world = int(
            min(
                EQUATOR_M / _FINEST_PIXEL_M,
                (MAX_PIXELS - 4) / (half + math.sqrt(half**2 + wide * high * (MAX_PIXELS - 4))),
            )
        )
        left, top = int(x[0] * world), int(y[0] * world)
        return cls(world, left, top, math.ceil(x[1] * world) - left, math.ceil(y[1] * world) - top)

    def centres(self) -> tuple[Reals, Reals]:
        """Latitudes of its rows of pixels and longitudes of its columns, WGS 84 degrees, each with one beyond the edge."""
        across = (self.left + np.arange(self.columns + 1) + 0.5) / self.world
        down = (self.top + np.arange(self.rows + 1) + 0.5) / self.world
        return latitudes(down), across * 360 - 180

    def hex_pixels(self, resolution: int) -> float:
        """How many pixels a hex of that resolution is wide at the equator."""
        return hex_pixels(self.world, resolution)

    def degrees(self) -> Bounds:
        """West, south, east, north of the picture in WGS 84 degrees."""
        x = np.array([self.left, self.left + self.columns]) / self.world * 360 - 180
        north, south = latitudes(np.array([self.top, self.top + self.rows]) / self.world)
        return float(x[0]), float(south), float(x[1]), float(north)


@dataclass(frozen=True)
class Picture:
    """Which hex each pixel shows; bounds: west, south, east, north in degrees."""

    shown: Grid
    bounds: Bounds


def picture(measured: hexes.Hexes, resolution: int, within: Bounds | None) -> Picture | None:
    """The pixels around the measured hexes, at most `MAX_PIXELS`; None where no hex lies within.

    measured: distinct H3 indexes, all of that resolution. within: west, south, east, north in degrees that bound the
    map, so that one stray measurement abroad does not blur the province; None = no bound.
    """
    lat, lon = hexes.middles(measured)
    if within is not None:
        west, south, east, north = within
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        lat, lon = lat[inside], lon[inside]
    if len(lat) == 0:
        return None
    aside = 360 * hex_pixels(1, resolution)  # degrees of a hex's width at the equator
    frame = Frame.around((lon.min() - aside, lat.min() - aside, lon.max() + aside, lat.max() + aside))
    return Picture(grid(frame, resolution), frame.degrees())


def findings(layer: Layer) -> Layer:
    """The same without what nobody measured: on a page by itself villages say that, and lines would grow with the zoom."""
    if layer.kind is not VERDICTS:
        return layer
    known: npt.NDArray[np.bool_] = layer.classes != UNMEASURED
    return replace(layer, hexes=layer.hexes[known], classes=layer.classes[known])


def data_url(content: bytes) -> str:
    """A PNG as a URL that needs no file and no host."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
