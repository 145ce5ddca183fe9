"""A layer of hexes → image tiles of the map (XYZ, Web Mercator): pixel → hex → colour, no polygons.

Which hex a pixel shows depends on neither snapshot nor layer: it is found once per tile, and every layer is a new
colouring of the same pixels. Neighbouring tiles join: all is decided by a pixel's place in the whole world's picture.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from coverage import hexes
from coverage.exports.colours import Ink, rgb
from coverage.exports.hex_classes import Kind, Layer
from coverage.exports.mercator import EQUATOR_M, latitudes

SIDE = 256  # pixels on a common screen; one of high density has a multiple of it on the same ground
_OUTLINED = 9  # pixels: narrower hexes have no room for a gap between them
_RES9_WIDTH_M = (
    401.6  # from corner to corner, mean over the globe; each coarser resolution is √7 times as wide
)
# In pixels of a common screen. All divide its side, so that every tile begins with the same phase.
_HATCH, _STRIPES, _DOTS = 8, 8, 4

Painted = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tile:
    """One square of the world's map of 2**zoom × 2**zoom; row 0 is the northernmost. side: pixels of its picture."""

    zoom: int
    column: int
    row: int
    side: int = SIDE

    def centres(self) -> tuple[Reals, Reals]:
        """Latitudes of its rows of pixels and longitudes of its columns, WGS 84 degrees, each with one beyond the edge."""
        pixels = np.arange(self.side + 1) + 0.5
        across = (self.column * self.side + pixels) / (self.side * 2**self.zoom)
        down = (self.row * self.side + pixels) / (self.side * 2**self.zoom)
        return latitudes(down), across % 1 * 360 - 180

    def hex_pixels(self, resolution: int) -> float:
        """How many pixels a hex of that resolution is wide at the equator."""
        return hex_pixels(self.side * 2**self.zoom, resolution)

    @property
    def density(self) -> int:
        """How many of its pixels lie side by side on one of a common screen."""
        return self.side // SIDE


class Placed(Protocol):
    """A picture by its place in the map of the world: a `Tile`, or any other rectangle."""

    def centres(self) -> tuple[Reals, Reals]:
        """Latitudes of its rows of pixels and longitudes of its columns, degrees, each with one beyond the edge."""
        ...

    def hex_pixels(self, resolution: int) -> float:
        """How many pixels a hex of that resolution is wide at the equator."""
        ...

    @property
    def density(self) -> int:
        """How many of its pixels lie side by side on one of a common screen."""
        ...


def hex_pixels(world: int, resolution: int) -> float:
    """How many pixels a hex is wide at the equator of a map of the world that is `world` pixels wide."""
    width_m = _RES9_WIDTH_M * float(7 ** ((9 - resolution) / 2))
    return width_m / EQUATOR_M * world


@dataclass(frozen=True)
class Grid:
    """Which hex each pixel of a picture shows.

    hexes: sorted, once each. pixels: 1 + place in `hexes`, 0 = the gap between two; row 0 is north. density: as `Placed`.
    """

    hexes: hexes.Hexes
    pixels: npt.NDArray[np.unsignedinteger[Any]]
    density: int = 1

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self.hexes.nbytes + self.pixels.nbytes


def grid(tile: Placed, resolution: int) -> Grid:
    """The hexes of that resolution at the centres of the picture's pixels; a gap between them where there is room."""
    lat, lon = tile.centres()
    found = hexes.of_points(np.repeat(lat, len(lon)), np.tile(lon, len(lat)), resolution)
    places, distinct = pd.factorize(found, sort=True)
    square = (places + 1).astype(np.min_scalar_type(len(distinct))).reshape(len(lat), len(lon))
    pixels = square[:-1, :-1].copy()
    if tile.hex_pixels(resolution) >= _OUTLINED:
        pixels[(square[:-1, :-1] != square[:-1, 1:]) | (square[:-1, :-1] != square[1:, :-1])] = 0
    return Grid(distinct, pixels, tile.density)


def png(layer: Layer, shown: Grid) -> bytes:
    """The picture as a palette PNG, see-through where the layer has nothing; shown: at the layer's resolution."""
    classes = layer.classes_at(shown.hexes)
    rows, columns = shown.pixels.shape
    if not classes.any():
        return empty(columns, rows)
    painted = np.concatenate([np.zeros(1, dtype=np.uint8), classes])[shown.pixels]
    for number, ink in enumerate(layer.kind.inks.values(), start=1):
        if ink.pattern != "plain" and number in classes:
            _pattern(painted, number, ink, layer.kind, shown.density)
    return _png(painted, list(layer.kind.inks.values())) if painted.any() else empty(columns, rows)


@functools.cache
def empty(columns: int, rows: int) -> bytes:
    """The picture where nothing is drawn."""
    return _png(np.zeros((rows, columns), dtype=np.uint8), [])


def _pattern(painted: Painted, number: int, ink: Ink, kind: Kind, density: int) -> None:
    """Draw the class of that number, which is plain so far, with its pattern."""
    marked = _marks(ink.pattern, painted.shape, density)
    if ink.pattern == "dotted":
        painted[(painted == number) & marked] = 1 + list(kind.inks).index(str(ink.dots))
    else:
        painted[(painted == number) & ~marked] = 0


@functools.cache
def _marks(pattern: str, shape: tuple[int, ...], density: int) -> npt.NDArray[np.bool_]:
    """Where the pattern puts colour, on any tile of that shape; on a dense screen it is as wide as on a common one."""
    rows, columns = shape
    across, down = (np.arange(columns) // density)[None, :], (np.arange(rows) // density)[:, None]
    patterns: dict[str, npt.NDArray[np.bool_]] = {
        "hatched": (across + down) % _HATCH == 0,
        "striped": (across - down) % _STRIPES < _STRIPES // 2,
        "dotted": (across % _DOTS < _DOTS // 2) & (down % _DOTS < _DOTS // 2),
    }
    return patterns[pattern]


def _png(painted: Painted, inks: list[Ink]) -> bytes:
    image = Image.fromarray(painted)
    image.putpalette([0, 0, 0, *[part for ink in inks for part in rgb(ink.colour)]])
    out = io.BytesIO()
    bits = next(bits for bits in (1, 2, 4, 8) if len(inks) < 2**bits)
    image.save(
        out, "PNG", compress_level=6, bits=bits, transparency=bytes([0, *[ink.opacity for ink in inks]])
    )
    return out.getvalue()
