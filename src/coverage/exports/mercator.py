"""Web Mercator: where the pixels of a picture lie on the ground, in whole pixels of the world at one zoom.

Whatever is drawn is first put on the grid of the whole world, so that two neighbouring pictures show the same line at
the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
DEEPEST = 22  # zoom: a pixel of a tile is three centimetres
TILE = 256  # pixels of a tile on an ordinary screen
_RADIUS_M = 6378137.0
_HALF_M = float(np.pi * _RADIUS_M)
EQUATOR_M = 2 * _HALF_M
_MOST_LAT = 85.0511287798  # beyond it the square world ends


def latitudes(down: Reals) -> Reals:
    """The latitudes in degrees so far down the square world: 0 = its northern edge, 1 = its southern."""
    found: Reals = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * down))))
    return found


@dataclass(frozen=True)
class Frame:
    """A picture's place in the world at a zoom.

    scale: pixels for one of an ordinary screen, 1 or 2. left, top, columns, rows: whole pixels of the world at that zoom
    and scale, counted from its north-west corner.
    """

    zoom: int
    scale: int
    left: int
    top: int
    columns: int
    rows: int

    @classmethod
    def of_tile(cls, zoom: int, x: int, y: int, scale: int = 1) -> Frame:
        """The place of a tile; y counts from the north (XYZ)."""
        side = TILE * scale
        return cls(zoom, scale, x * side, y * side, side, side)

    @property
    def pixel_m(self) -> float:
        """The width of a pixel in metres of the plane EPSG:3857; on the ground it is cos(latitude) of that."""
        return 2 * _HALF_M / (TILE * self.scale * float(2**self.zoom))

    def widened(self, pixels: int) -> Frame:
        """The same with so many pixels more on every side."""
        return Frame(
            self.zoom,
            self.scale,
            self.left - pixels,
            self.top - pixels,
            self.columns + 2 * pixels,
            self.rows + 2 * pixels,
        )

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres of EPSG:3857."""
        west, north = self.left * self.pixel_m - _HALF_M, _HALF_M - self.top * self.pixel_m
        return west, north - self.rows * self.pixel_m, west + self.columns * self.pixel_m, north

    def spots(self, points: Reals, finer: int) -> npt.NDArray[np.int64]:
        """Points (x, y in metres of EPSG:3857) in whole parts of a pixel, `finer` to each; right and down from the corner."""
        size = self.pixel_m / finer
        world = np.stack([points[:, 0] + _HALF_M, _HALF_M - points[:, 1]], axis=1) / size
        corner = np.array([self.left, self.top], dtype=np.int64) * finer
        spots: npt.NDArray[np.int64] = np.rint(world).astype(np.int64) - corner
        return spots

    def latitudes(self) -> Reals:
        """The latitude of each row's middle, in radians."""
        y = _HALF_M - (self.top + np.arange(self.rows) + 0.5) * self.pixel_m
        found: Reals = 2 * np.arctan(np.exp(y / _RADIUS_M)) - np.pi / 2
        return found


def plane(points: Reals) -> Reals:
    """Points (lon, lat in degrees) as x, y in metres of EPSG:3857."""
    lat = np.radians(points[:, 1].clip(-_MOST_LAT, _MOST_LAT))
    return np.stack([np.radians(points[:, 0]), np.arctanh(np.sin(lat))], axis=1) * _RADIUS_M
