"""Heights → a soft hillshade: how much lighter or darker the ground is for the light from the north-west.

Fine heights are read where the eye is near. Coarser ones are made once, in memory, so that a picture of the whole
province does not read the whole file.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from coverage.exports.mercator import Frame

Heights = npt.NDArray[np.float32]

log = logging.getLogger(__name__)
_PLANE = "EPSG:3857"
_MOST_CELLS = 2048  # along each side of the finest heights that are held: 16 MB
_LEAST_CELLS = 64
_CELL_PIXELS = 1.4  # a cell may be so many pixels wide before finer ones are looked at
_MARGIN = 4  # cells beside a picture that its smoothing asks
_AZIMUTH, _ALTITUDE = math.radians(315), math.radians(45)
# From afar slopes flatten: they are drawn steeper, 1.35 times for each zoom before this one.
_TRUE_FROM_ZOOM, _STEEPER, _MOST_STEEP = 13, 1.35, 4.0


@dataclass(frozen=True)
class _Level:
    """Heights in cells `factor` times as wide as the file's; left, top: where they begin, counted in such cells."""

    cells: Heights
    factor: int
    left: int = 0
    top: int = 0


class Relief:
    """The heights of one raster that `rasters.clean` wrote (one band, metres, NaN = not known); safe for threads."""

    def __init__(self, path: Path) -> None:
        self._raster = rasterio.open(path)
        self._lock, self._holding = threading.Lock(), threading.Lock()
        self._held: dict[int, _Level] = {}
        longest = max(self._raster.width, self._raster.height)
        self._held_from = int(2 ** max(math.ceil(math.log2(longest / _MOST_CELLS)), 0))
        self._cell_m = self._middle_cell_m()

    def _middle_cell_m(self) -> float:
        """The width of the raster's middle cell in metres of the plane."""
        rows, columns = (side // 2 for side in self._raster.shape)
        grid = self._raster.transform
        left, top = grid.c + grid.a * columns, grid.f + grid.e * rows
        cell = left, top + grid.e, left + grid.a, top
        west, south, east, north = transform_bounds(self._raster.crs, _PLANE, *cell)
        return math.sqrt((east - west) * (north - south))

    def shade(self, frame: Frame) -> npt.NDArray[np.float32] | None:
        """How much lighter (up to 0.29) or darker (down to −0.71) than flat ground each pixel is.

        0 where heights are not known; None where they are known nowhere in the frame, or cannot be read any more.
        """
        around = frame.widened(1)
        try:
            heights = self._heights(around)
        except RasterioError:
            log.warning("relief_unreadable", exc_info=True)
            return None
        return None if heights is None else _lit(heights, around)

    def _heights(self, frame: Frame) -> Heights | None:
        level = self._under(frame)
        if level is None:
            return None
        found = np.full((frame.rows, frame.columns), np.nan, dtype=np.float32)
        west, _, _, north = frame.bounds()
        pixel = rasterio.Affine(frame.pixel_m, 0, west, 0, -frame.pixel_m, north)
        # Each pixel by itself (no tolerance, no scale of the picture's own): neighbours then agree at their border.
        reproject(
            level.cells,
            found,
            src_transform=self._grid(level),
            src_crs=self._raster.crs,
            src_nodata=np.nan,
            dst_transform=pixel,
            dst_crs=_PLANE,
            dst_nodata=np.nan,
            resampling=Resampling.cubic_spline,
            tolerance=0,
            XSCALE=1,
            YSCALE=1,
        )
        return found if np.isfinite(found).any() else None

    def _grid(self, level: _Level) -> rasterio.Affine:
        """The place of a level's cells in the raster's CRS; it is north up, as `rasters.clean` leaves it."""
        grid, factor = self._raster.transform, level.factor
        left, top = grid.c + grid.a * factor * level.left, grid.f + grid.e * factor * level.top
        return rasterio.Affine(grid.a * factor, 0, left, 0, grid.e * factor, top)

    def _under(self, frame: Frame) -> _Level | None:
        """The heights under a frame, as fine as its pixels ask; None where the raster does not reach it."""
        finest = _CELL_PIXELS * frame.pixel_m / self._cell_m
        factor = int(2 ** max(math.floor(math.log2(finest)), 0))
        level = None if factor < self._held_from else self._level(factor)
        factor = factor if level is None else level.factor
        window = self._window(frame, factor)
        if window is None:
            return None
        left, top, right, bottom = window
        if level is None:
            cells = self._cells(Window(left, top, right - left, bottom - top), factor)
        else:
            cells = level.cells[top:bottom, left:right]
        return _Level(cells, factor, left, top)

    def _window(self, frame: Frame, factor: int) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom of the cells under a frame and beside it; None where there is none."""
        west, south, east, north = transform_bounds(_PLANE, self._raster.crs, *frame.bounds())
        grid = self._raster.transform
        across, down = np.array([west, east]) - grid.c, np.array([north, south]) - grid.f
        columns, rows = across / (grid.a * factor), down / (grid.e * factor)
        if not np.isfinite([columns, rows]).all():
            return None
        left, top = max(math.floor(columns[0]) - _MARGIN, 0), max(math.floor(rows[0]) - _MARGIN, 0)
        right = min(math.ceil(columns[1]) + _MARGIN, self._raster.width // factor)
        bottom = min(math.ceil(rows[1]) + _MARGIN, self._raster.height // factor)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _cells(self, window: Window, factor: int) -> Heights:
        """The means of so many cells each way; the window counts in such means."""
        fine = Window(*(factor * side for side in window.flatten()))
        shape = (int(window.height), int(window.width))
        with self._lock:  # a raster is read by one at a time
            found: Heights = self._raster.read(1, window=fine, out_shape=shape, resampling=Resampling.average)
        return found

    def _level(self, factor: int) -> _Level:
        """The whole raster in cells so many times as wide, held; the last where coarser ones would say nothing."""
        with self._holding:
            if not self._held:
                rows, columns = (side // self._held_from for side in self._raster.shape)
                cells = self._cells(Window(0, 0, columns, rows), self._held_from)
                self._held = _halved(cells, self._held_from)
        return self._held[min(factor, max(self._held))]


def _halved(cells: Heights, factor: int) -> dict[int, _Level]:
    """By its factor each level from that one on, every one half as fine as the one before."""
    levels = {factor: _Level(cells, factor)}
    while min(cells.shape) >= 2 * _LEAST_CELLS:
        rows, columns = (side // 2 for side in cells.shape)
        four = cells[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
        known = np.isfinite(four)
        count, total = known.sum(axis=(1, 3)), np.where(known, four, 0).sum(axis=(1, 3))
        cells = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
        factor *= 2
        levels[factor] = _Level(cells, factor)
    return levels


def _lit(heights: Heights, frame: Frame) -> npt.NDArray[np.float32]:
    """The light on all pixels but the outermost, less that on flat ground."""
    steep = min(_STEEPER ** max(_TRUE_FROM_ZOOM - frame.zoom, 0), _MOST_STEEP)
    step_m = (2 * frame.pixel_m * np.cos(frame.latitudes()[1:-1]) / steep)[:, None].astype(np.float32)
    east = (heights[1:-1, 2:] - heights[1:-1, :-2]) / step_m
    north = (heights[:-2, 1:-1] - heights[2:, 1:-1]) / step_m
    towards = math.cos(_ALTITUDE) * (math.sin(_AZIMUTH) * east + math.cos(_AZIMUTH) * north)
    light = np.maximum(math.sin(_ALTITUDE) - towards, 0) / np.sqrt(1 + east**2 + north**2)
    found: npt.NDArray[np.float32] = np.nan_to_num(light - math.sin(_ALTITUDE)).astype(np.float32)
    return found
