"""Hex verdicts, and predictions → one small transparent PNG per operator: pixel → hex → colour, no polygons.

Rows are equally spaced in Web Mercator, as the browser stretches an image between two corners.
The pixels are asked for their hex once; every operator is a new colouring of the same pixels.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from PIL import Image

from coverage import hexes
from coverage.exports.colours import PREDICTED_COLOURS, VERDICT_COLOURS, rgb

Reals = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]

MAX_PIXELS = 6_000_000
_FINEST_PIXEL_M = 12.0
_HEX_WITH_OUTLINE = 9  # pixels: narrower hexes have no room for a gap between them
_OPACITY, _STRIPES_OPACITY = 235, 190
_STRIPES = 4  # across a hex, where it has the pixels
_RADIUS_M = 6378137.0


@dataclass(frozen=True)
class Picture:
    """Which hex each pixel shows.

    hexes: the hexes to show, sorted. pixels: 0 = none, else 1 + place in `hexes`; row 0 is north.
    bounds: west, south, east, north in WGS 84 degrees.
    """

    hexes: hexes.Hexes
    pixels: npt.NDArray[np.int32]
    bounds: Bounds


def picture(measured: hexes.Hexes, resolution: int, within: Bounds | None) -> Picture | None:
    """The pixels of the measured hexes, at most `MAX_PIXELS`; None where no hex lies within.

    measured: distinct H3 indexes, all of that resolution.
    within: west, south, east, north in degrees that bound the map, so that one stray measurement
    abroad does not blur the province; None = no bound.
    """
    outlines = hexes.polygons(measured)
    if within is not None:
        near = shapely.intersects(outlines, shapely.box(*within))
        measured, outlines = measured[near], outlines[near]
    if len(measured) == 0:
        return None
    boxes = _mercator_boxes(outlines)
    frame = _Frame.around(boxes)
    ordered = np.sort(measured)
    pixels = _pixels(frame, frame.candidates(boxes), ordered, resolution)
    return Picture(ordered, _outlined(pixels, frame.widest(boxes)), frame.degrees())


@dataclass(frozen=True)
class _Frame:
    """Where the pixels lie: the north-west corner and the pixel in Web Mercator metres, the shape."""

    west: float
    north: float
    pixel: float
    rows: int
    columns: int

    @classmethod
    def around(cls, boxes: Reals) -> _Frame:
        west, south = boxes[:, 0].min(), boxes[:, 1].min()
        east, north = boxes[:, 2].max(), boxes[:, 3].max()
        pixel = max(_FINEST_PIXEL_M, math.sqrt((east - west) * (north - south) / MAX_PIXELS) * 1.001)
        shape = math.ceil((north - south) / pixel), math.ceil((east - west) / pixel)
        return cls(float(west), float(north), pixel, *shape)

    def widest(self, boxes: Reals) -> int:
        """The widest hex in pixels."""
        return math.ceil(float((boxes[:, 2] - boxes[:, 0]).max()) / self.pixel)

    def candidates(self, boxes: Reals) -> npt.NDArray[np.bool_]:
        """The pixels that may lie in a measured hex: blocks as wide as a hex that a corner falls in."""
        block = max(int(np.ptp(boxes[:, [0, 2]], axis=1).max() / self.pixel) + 2, 2)
        touched = np.zeros((self.rows // block + 1, self.columns // block + 1), dtype=bool)
        for x, y in ((0, 1), (0, 3), (2, 1), (2, 3)):
            row = ((self.north - boxes[:, y]) / self.pixel).astype(int).clip(0, self.rows - 1)
            column = ((boxes[:, x] - self.west) / self.pixel).astype(int).clip(0, self.columns - 1)
            touched[row // block, column // block] = True
        whole = touched.repeat(block, axis=0).repeat(block, axis=1)
        return whole[: self.rows, : self.columns]

    def points(self, row: npt.NDArray[np.intp], column: npt.NDArray[np.intp]) -> tuple[Reals, Reals]:
        """Latitude and longitude in degrees of pixel centres."""
        x = self.west + (column.astype(np.float64) + 0.5) * self.pixel
        y = self.north - (row.astype(np.float64) + 0.5) * self.pixel
        return _latitude(y), np.degrees(x / _RADIUS_M)

    def degrees(self) -> Bounds:
        """West, south, east, north of the picture in WGS 84 degrees."""
        y = np.array([self.north - self.rows * self.pixel, self.north])
        x = np.degrees(np.array([self.west, self.west + self.columns * self.pixel]) / _RADIUS_M)
        south, north = _latitude(y)
        return float(x[0]), float(south), float(x[1]), float(north)


def _latitude(y: Reals) -> Reals:
    found: Reals = np.degrees(2 * np.arctan(np.exp(y / _RADIUS_M)) - np.pi / 2)
    return found


def _mercator_boxes(outlines: npt.NDArray[np.object_]) -> Reals:
    boxes: Reals = np.radians(shapely.bounds(outlines))
    boxes[:, [1, 3]] = np.log(np.tan(np.pi / 4 + boxes[:, [1, 3]] / 2))
    return boxes * _RADIUS_M


def _pixels(
    frame: _Frame, candidates: npt.NDArray[np.bool_], measured: hexes.Hexes, resolution: int
) -> npt.NDArray[np.int32]:
    row, column = np.nonzero(candidates)
    found = hexes.of_points(*frame.points(row, column), resolution)
    place = np.searchsorted(measured, found).clip(0, len(measured) - 1)
    pixels = np.zeros(candidates.shape, dtype=np.int32)
    pixels[row, column] = np.where(measured[place] == found, place + 1, 0)
    return pixels


def _outlined(pixels: npt.NDArray[np.int32], hex_pixels: int) -> npt.NDArray[np.int32]:
    """The same with a transparent pixel between neighbouring hexes, where there is room for it."""
    if hex_pixels >= _HEX_WITH_OUTLINE:
        border = np.zeros(pixels.shape, dtype=bool)
        border[:, :-1] |= pixels[:, :-1] != pixels[:, 1:]
        border[:-1] |= pixels[:-1] != pixels[1:]
        pixels = np.where(border, 0, pixels)
    return pixels


def png(shown: Picture, verdicts: Mapping[int, str]) -> bytes:
    """The picture as a palette PNG coloured by hex → verdict; a hex without one stays transparent."""
    return _png(_painted(shown, verdicts, VERDICT_COLOURS), VERDICT_COLOURS, _OPACITY)


def striped_png(shown: Picture, predicted: Mapping[int, str]) -> bytes:
    """The same for hex → predicted class: falling stripes, see-through between them, so that none looks measured."""
    painted = _painted(shown, predicted, PREDICTED_COLOURS)
    rows, columns = painted.shape
    across = np.arange(columns) - np.arange(rows)[:, None]
    hex_pixels = math.sqrt(np.count_nonzero(shown.pixels) / len(shown.hexes))
    period = max(round(hex_pixels / _STRIPES), 3)
    painted[across % period >= (period + 1) // 2] = 0
    return _png(painted, PREDICTED_COLOURS, _STRIPES_OPACITY)


def _painted(shown: Picture, classes: Mapping[int, str], colours: Mapping[str, str]) -> npt.NDArray[np.uint8]:
    """For each pixel 0 = nothing, else 1 + place of its class in `colours`."""
    places = {name: place for place, name in enumerate(colours, start=1)}
    found = pd.Series(classes, dtype="object").reindex(shown.hexes).map(places).fillna(0)
    lookup: npt.NDArray[np.uint8] = np.concatenate([[0], found.to_numpy()]).astype(np.uint8)
    return lookup[shown.pixels]


def _png(painted: npt.NDArray[np.uint8], colours: Mapping[str, str], opacity: int) -> bytes:
    image = Image.fromarray(painted)
    image.putpalette([0, 0, 0, *[part for colour in colours.values() for part in rgb(colour)]])
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6, bits=4, transparency=bytes([0, *[opacity] * len(colours)]))
    return out.getvalue()


def data_url(content: bytes) -> str:
    """A PNG as a URL that needs no file and no host."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
