"""Communes, roads and heights → the base map as pale image tiles; no text in them, verdicts are drawn above.

All is drawn in tones of one ramp from ink to paper: land inside the communes, the ground outside, roads and borders a
little darker, and the relief on top of it. What is drawn is put on the grid of the whole world, so that tiles join.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image, ImageDraw

from coverage.exports.mercator import EQUATOR_M, TILE, Frame, Reals, plane
from coverage.exports.relief import Relief

Shapes = npt.NDArray[np.object_]
Tones = npt.NDArray[np.float32]

# Tones 0 (ink) to 255 (paper): nothing here is darker than a third of the way, so that every verdict stands out.
_OUTSIDE, _LAND, _BORDER, _ROAD, _PASS = 228, 245, 210, 200, 168
_INK, _PAPER = (94, 92, 90), (254, 251, 243)
_DARKER, _LIGHTER = 52.0, 26.0  # tones for a slope that turns fully away from the light, or towards it
_STEP = 2  # tones between two shades of relief: nobody sees it, and a tile is a quarter shorter
_FINER = 1024  # pixels along the side of a tile while it is drawn; then it is scaled down
_EDGE = (
    8  # pixels drawn beside a frame and cut off: beyond the edge of a picture points are rounded otherwise
)
_AROUND = 24  # pixels beside a frame that lines and their ends may reach in from
_CHUNK = 64  # points of a line that are found and drawn together
# Up to a zoom shapes are simplified by half a pixel of it; beyond the last they are drawn as they are.
_DETAILS = (8, 11, 14)


@dataclass(frozen=True)
class _Detail:
    """Shapes as fine as some zooms need, in metres of EPSG:3857: areas by falling size, lines in pieces."""

    areas: Shapes
    area_tree: shapely.STRtree
    borders: _Lines
    roads: _Lines
    passes: _Lines


class _Lines:
    """Lines cut into pieces of some points each, found by where they are and drawn whole.

    A piece that were cut at a picture's edge would be rounded otherwise than in the picture beside it.
    """

    def __init__(self, lines: Shapes) -> None:
        self._pieces = [
            points[max(start - 1, 0) : start + _CHUNK]
            for points in map(shapely.get_coordinates, shapely.get_parts(lines))
            for start in range(0, len(points), _CHUNK)
        ]
        self._tree = shapely.STRtree([shapely.linestrings(piece) for piece in self._pieces])

    def within(self, bounds: tuple[float, float, float, float]) -> list[Reals]:
        """The points of each piece that may be seen there."""
        return [self._pieces[place] for place in np.sort(self._tree.query(shapely.box(*bounds)))]


class Ground:
    """What base map tiles are drawn of; shapes are made ready for a zoom when it is first asked for. Safe for threads."""

    def __init__(
        self,
        communes: gpd.GeoSeries | None = None,
        roads: gpd.GeoDataFrame | None = None,
        dem: Path | None = None,
    ) -> None:
        """Communes (areas) and roads (contract ROADS, lines) in EPSG:4326; dem: a raster of `rasters.clean`.

        None = not known; without communes all is land.
        """
        self._areas = None if communes is None or communes.empty else _areas(communes.to_numpy())
        known = gpd.GeoDataFrame({"kind": []}, geometry=[], crs="EPSG:4326") if roads is None else roads
        is_pass = (known["kind"] == "pass").to_numpy(bool)
        lines = _on_plane(known.geometry.to_numpy())
        self._roads, self._passes = lines[~is_pass], lines[is_pass]
        self._relief = None if dem is None else Relief(dem)
        self._details: dict[int, _Detail] = {}
        self._lock = threading.Lock()

    def tile(self, z: int, x: int, y: int, scale: int = 1) -> bytes:
        """A tile as PNG of 256 pixels, or 512 of the same ground where scale is 2; y counts from the north."""
        image = Image.fromarray(self.tones(Frame.of_tile(z, x, y, scale)))
        image.putpalette(_ramp())
        out = io.BytesIO()
        image.save(out, "PNG", compress_level=6)
        return out.getvalue()

    def tones(self, frame: Frame) -> npt.NDArray[np.uint8]:
        """The tone of each pixel of a frame, 0 (ink) to 255 (paper); row 0 is north."""
        drawn = self._drawn(frame)
        shade = None if self._relief is None else self._relief.shade(frame)
        if shade is None:
            return drawn
        relief = shade * np.where(shade < 0, np.float32(_DARKER), np.float32(_LIGHTER))
        toned = drawn + _STEP * np.rint(relief / _STEP)
        tones: npt.NDArray[np.uint8] = toned.clip(0, 255).astype(np.uint8)
        return tones

    def _drawn(self, frame: Frame) -> npt.NDArray[np.uint8]:
        finer = max(_FINER // (TILE * frame.scale), 2)
        wide = frame.widened(_EDGE)
        shape = (wide.columns * finer, wide.rows * finer)
        image = Image.new("L", shape, _LAND if self._areas is None else _OUTSIDE)
        pen = _Pen(wide, finer, ImageDraw.Draw(image))
        detail = self._detail(frame)
        pen.fill(detail)
        near = frame.widened(_AROUND).bounds()
        for lines, tone, pixels in (
            (detail.borders, _BORDER, 0.9),
            (detail.roads, _ROAD, _road_pixels(frame.zoom)),
            (detail.passes, _PASS, 1.3 * _road_pixels(frame.zoom)),
        ):
            pen.draw(lines.within(near), tone, pixels)
        return np.asarray(image.reduce(finer))[_EDGE:-_EDGE, _EDGE:-_EDGE]

    def _detail(self, frame: Frame) -> _Detail:
        zoom = frame.zoom + frame.scale - 1
        last = next((one for one in _DETAILS if zoom <= one), -1)
        with self._lock:
            if last not in self._details:
                self._details[last] = self._made(0.0 if last < 0 else EQUATOR_M / TILE / 2**last / 2)
            return self._details[last]

    def _made(self, tolerance_m: float) -> _Detail:
        def simpler(shapes: Shapes) -> Shapes:
            found: Shapes = shapely.simplify(shapes, tolerance_m) if tolerance_m else shapes
            return found

        areas = simpler(np.array([], dtype=object) if self._areas is None else self._areas)
        return _Detail(
            areas,
            shapely.STRtree(areas),
            _Lines(shapely.boundary(areas)),
            _Lines(simpler(self._roads)),
            _Lines(simpler(self._passes)),
        )


class _Pen:
    """Draws shapes of the plane into a picture that is `finer` times as wide as the frame it will become."""

    def __init__(self, frame: Frame, finer: int, draw: ImageDraw.ImageDraw) -> None:
        self._frame = frame
        self._finer = finer
        self._draw = draw

    def fill(self, detail: _Detail) -> None:
        """The land. Areas come by falling size, so that one inside another's hole is not lost with the hole."""
        bounds = self._frame.widened(_AROUND).bounds()
        here = np.sort(detail.area_tree.query(shapely.box(*bounds)))
        for part in shapely.get_parts(shapely.clip_by_rect(detail.areas[here], *bounds)):
            if part.geom_type == "Polygon" and not part.is_empty:
                self._ring(part.exterior, _LAND)
                for hole in part.interiors:
                    self._ring(hole, _OUTSIDE)

    def _ring(self, ring: shapely.LinearRing, tone: int) -> None:
        spots = self._frame.spots(shapely.get_coordinates(ring), self._finer)
        if len(spots) > 2:
            self._draw.polygon(spots.ravel().tolist(), fill=tone)

    def draw(self, pieces: list[Reals], tone: int, pixels: float) -> None:
        """Lines of that tone, so many pixels of an ordinary screen wide."""
        width = max(round(pixels * self._frame.scale * self._finer), 1)
        joint = "curve" if width > 2 * self._finer else None
        for piece in pieces:
            spots = self._frame.spots(piece, self._finer)
            self._draw.line(spots.ravel().tolist(), fill=tone, width=width, joint=joint)


def _road_pixels(zoom: int) -> float:
    """How wide a road is drawn, in pixels of an ordinary screen."""
    return min(max(0.7 + 0.28 * (zoom - 8), 0.5), 4.0)


def _areas(shapes: Shapes) -> Shapes:
    """The polygons among shapes in EPSG:4326, on the plane, the one with the widest outline first."""
    mended = shapely.make_valid(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
    parts = shapely.get_parts(shapely.get_parts(mended))
    polygons = _on_plane(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
    outlines = shapely.area(shapely.polygons(shapely.get_exterior_ring(polygons)))
    found: Shapes = polygons[np.argsort(-outlines, kind="stable")]
    return found


def _on_plane(shapes: Shapes) -> Shapes:
    known = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    found: Shapes = shapely.transform(shapely.force_2d(known), plane)
    return found


@cache
def _ramp() -> list[int]:
    steps = np.linspace(_INK, _PAPER, 256)
    return [int(part) for part in np.rint(steps).ravel()]
