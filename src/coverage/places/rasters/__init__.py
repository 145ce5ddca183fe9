"""Rasters of people, night lights, heights and declared service: cleaned once, then asked for places.

`clean` takes a producer's file as it comes; the other functions read what `clean` wrote: one float32
band, north up, in the producer's own CRS, NaN = nobody knows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.feature import JSONFeature, JSONFeatureSource
from pyproj import Transformer
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from coverage import hexes
from coverage.places.notes import Note
from coverage.places.rasters import forms, kinds
from coverage.places.rasters.forms import Area
from coverage.places.rasters.kinds import Floats, Kind, Seen

Shapes = npt.NDArray[np.object_]

_WGS84 = "EPSG:4326"
_EQUAL_AREA = "EPSG:6933"  # cylindrical equal-area on the WGS 84 ellipsoid, the whole globe
_BLOCK_ROWS, _BLOCK_COLUMNS = 512, 4096  # 16 MB of float64
_TILE = 512
_SHAPES_AT_A_TIME = 50_000  # some 100 MB of them; the raster beneath is read anew each time
_CACHE_BYTES = 128 << 20  # GDAL would keep a twentieth of the machine's memory
_LEAST_KNOWN_SHARE = 0.5  # of a shape's cells, before their mean speaks for the shape; our judgement


def clean(source: Path, target: Path, kind: Kind, area: Area | None) -> list[Note]:
    """What a person should look at in a raster that was copied to `target` as one float32 band, NaN = no data.

    The copy keeps its CRS and its cells, north up, in deflated tiles; it is made block by block, so a file
    of any size takes the same memory. No data: what the file declares or masks, NaN, infinity, and the
    usual marks (-99999, -9999, -200, the ends of float and int ranges) whatever it declares. Scale and
    offset of the band are applied; negative night lights, which are noise, become 0. `area` is (west,
    south, east, north) of the villages, EPSG:4326. Raises `PlacesRefused`, a code for each fault, and then
    leaves no `target`.
    """
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES), _open(source) as raster:
        forms.refuse_form(raster, source.name)
        notes = forms.notes_of_area(raster, area, source.name)
        try:
            return notes + kinds.judge(kind, _copy(raster, target, kind, area), source.name)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _open(source: Path) -> rasterio.DatasetReader:
    with warnings.catch_warnings(), forms.readable(source.name):
        # A file without a position is refused with its cure: the warning says less.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(source)


def _copy(raster: rasterio.DatasetReader, target: Path, kind: Kind, area: Area | None) -> Seen:
    seen, box, in_area = Seen(), forms.project(raster, area) if area else None, False
    with rasterio.open(target, "w", **_profile(raster)) as copy:
        for place, source in _windows(raster):
            raw, known = _read(raster, source)
            marked = known & kinds.marks(raw, kind)
            values = np.where(known & ~marked, raw * raster.scales[0] + raster.offsets[0], np.nan)
            seen += kinds.look(values, _row_km2(raster, source), int(marked.sum()))
            if box and not in_area:
                in_area = _any_inside(values, place, copy.transform, box)
            if kind == "nightlights":
                values = np.maximum(values, 0.0)
            copy.write(values.astype(np.float32), 1, window=place)
    if box and seen.known and not in_area:
        raise forms.elsewhere(Path(raster.name).name)
    return seen


def _profile(raster: rasterio.DatasetReader) -> dict[str, Any]:
    left, _, _, top = forms.bounds(raster)
    grid = raster.transform
    return {
        "driver": "GTiff",
        "dtype": "float32",
        "count": 1,
        "nodata": np.nan,
        "crs": raster.crs,
        "width": raster.width,
        "height": raster.height,
        "transform": rasterio.Affine(grid.a, 0.0, left, 0.0, -abs(grid.e), top),
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "bigtiff": "if_safer",
        "compress": "deflate",
        "zlevel": 1,  # 3 % larger than level 6 at a third of its cost
        "predictor": 3,
    }


def _windows(raster: rasterio.DatasetReader) -> Iterator[tuple[Window, Window]]:
    # Where a block goes in a grid that is north up, and where it stands in the raster, which may be south up.
    south_up = raster.transform.e > 0
    for row in range(0, raster.height, _BLOCK_ROWS):
        rows = min(_BLOCK_ROWS, raster.height - row)
        for column in range(0, raster.width, _BLOCK_COLUMNS):
            columns = min(_BLOCK_COLUMNS, raster.width - column)
            first = raster.height - row - rows if south_up else row
            yield Window(column, row, columns, rows), Window(column, first, columns, rows)


def _read(raster: rasterio.DatasetReader, window: Window) -> tuple[Floats, npt.NDArray[np.bool_]]:
    with forms.readable(Path(raster.name).name):
        values = raster.read(1, window=window).astype(np.float64)
        known = raster.read_masks(1, window=window) > 0
    return values[_upright(raster)], known[_upright(raster)]


def _row_km2(raster: rasterio.DatasetReader, window: Window) -> Floats:
    # The area of one cell in each row, measured on the equal-area plane in the middle column.
    grid = raster.transform
    y = grid.f + grid.e * np.arange(window.row_off, window.row_off + window.height + 1)
    x = grid.c + grid.a * (window.col_off + window.width // 2)
    to_equal_area = Transformer.from_crs(raster.crs.to_wkt(), _EQUAL_AREA, always_xy=True)
    left, right = (np.stack(to_equal_area.transform(np.full(len(y), side), y), 1) for side in (x, x + grid.a))
    rings = np.stack([left[:-1], right[:-1], right[1:], left[1:]], 1)
    on_earth = np.isfinite(rings).all(axis=(1, 2))
    km2 = np.ones(len(rings))
    km2[on_earth] = shapely.area(shapely.polygons(rings[on_earth])) / 1e6
    # A world map in one oval, or a grid that runs past the pole, has cells that are nowhere.
    km2[~on_earth] = np.median(km2[on_earth]) if on_earth.any() else 1.0
    return km2[_upright(raster)]


def _upright(raster: rasterio.DatasetReader) -> slice:
    return slice(None, None, -1 if raster.transform.e > 0 else 1)


def _any_inside(values: Floats, window: Window, grid: rasterio.Affine, area: Area) -> bool:
    # Any known cell of a block whose middle lies in the area; the block north up, all in the raster's CRS.
    x = grid.c + grid.a * (window.col_off + np.arange(window.width) + 0.5)
    y = grid.f + grid.e * (window.row_off + np.arange(window.height) + 0.5)
    columns, rows = (x >= area[0]) & (x <= area[2]), (y >= area[1]) & (y <= area[3])
    return bool(np.isfinite(values[np.ix_(rows, columns)]).any())


def overlaps(path: Path, area: Area) -> bool:
    """Whether a raster's grid touches an area (west, south, east, north in degrees)."""
    with rasterio.open(path) as raster:
        west, south, east, north = forms.project(raster, area)
        left, bottom, right, top = forms.bounds(raster)
    return bool(west <= right and east >= left and south <= top and north >= bottom)


def total(path: Path) -> float:
    """The sum of all cells of a cleaned raster; 0 where none holds data."""
    with rasterio.open(path) as raster:
        blocks = (_read(raster, window) for _, window in _windows(raster))
        return sum(float(np.nansum(np.where(known, values, np.nan))) for values, known in blocks)


def sums(path: Path, shapes: gpd.GeoSeries) -> Floats:
    """The people (or whatever the cells count) under each shape, a cell cut by an outline counting by its exact share.

    `shapes` are polygons in EPSG:4326. NaN: no data under the whole shape, or a shape that is missing, empty
    or has no area; where there is data under a part of it, the sum of that part.
    """
    found = _zonal(path, shapes, "sum")
    return np.where(found["count"] > 0, found["sum"], np.nan)


def means(path: Path, shapes: gpd.GeoSeries) -> Floats:
    """The mean of the cells under each shape, weighted by their exact shares, in the raster's unit.

    `shapes` as in `sums`. NaN also where less than half of a shape's ground holds data: such a mean would
    speak for the bright spots that a producer kept and not for the village.
    """
    found = _zonal(path, shapes, "mean")
    least_cells = _LEAST_KNOWN_SHARE * found["cells"] * (1 - 1e-6)
    return np.where(found["count"] >= least_cells, found["mean"], np.nan)


def _zonal(path: Path, shapes: gpd.GeoSeries, operation: str) -> pd.DataFrame:
    # One row per shape, in order: the operation, `count` = cells with data, `cells` = all cells, in fractions.
    with rasterio.open(path) as raster:
        placed = _areal(shapes.to_crs(raster.crs.to_wkt()).to_numpy().copy())
        cells = shapely.area(placed) / abs(raster.transform.a * raster.transform.e)
        usable = np.flatnonzero(np.isfinite(shapely.bounds(placed)).all(axis=1) & (cells > 0))
        empty = pd.DataFrame({"shape": [], operation: [], "count": []})
        parts = np.array_split(usable, len(usable) // _SHAPES_AT_A_TIME + 1)
        found = [_extract(raster, placed, part, ["count", operation]) for part in parts if len(part)]
    return pd.concat(found or [empty]).set_index("shape").reindex(range(len(placed))).assign(cells=cells)


def _areal(shapes: Shapes) -> Shapes:
    # Cutting polygons may leave lines and points beside the area, which exactextract does not take.
    mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    parts = map(shapely.get_parts, shapes[mixed])
    shapes[mixed] = [shapely.union_all(each[shapely.area(each) > 0]) for each in parts]
    return shapes


def _extract(
    raster: rasterio.DatasetReader,
    placed: Shapes,
    usable: npt.NDArray[np.int64],
    operations: list[str],
) -> pd.DataFrame:
    features = [
        {"properties": {"shape": int(row)}, "geometry": wkb}
        for row, wkb in zip(usable, shapely.to_wkb(placed[usable]), strict=True)
    ]
    # Raster-sequential: a third of the cost for many small shapes, and exact all the same.
    found: pd.DataFrame = exact_extract(
        raster,
        _Shapes(features, srs_wkt=raster.crs.to_wkt()),
        operations,
        include_cols=["shape"],
        strategy="raster-sequential",
        output="pandas",
    )
    return found


class _Shape(JSONFeature):  # type: ignore[misc]
    # Handed over as WKB: through GeoJSON, as the library does it, the same took four times as long.
    def geometry(self) -> bytes:
        wkb: bytes = self.feature["geometry"]
        return wkb


class _Shapes(JSONFeatureSource):  # type: ignore[misc]
    def __iter__(self) -> Iterator[_Shape]:
        return map(_Shape, self.src)


def settled_hexes(path: Path, area: shapely.Geometry, resolution: int, people_per_km2: float) -> pd.DataFrame:
    """The hexes of an area where at least so many people live per km²: hex, population; sorted by hex.

    `area` is a polygon or multipolygon, EPSG:4326; the hexes that overlap it are asked as a whole. Without
    data under it a hex is not among them. Areas are measured on the ellipsoid, in an equal-area projection.
    """
    cells = np.asarray(hexes.overlapping(area, resolution), dtype=np.int64)
    outlines = gpd.GeoSeries(hexes.polygons(cells), crs=_WGS84)
    people = sums(path, outlines)
    dense = people >= people_per_km2 * outlines.to_crs(_EQUAL_AREA).area.to_numpy() / 1e6
    return pd.DataFrame({"hex": cells[dense], "population": people[dense]})


def heights(path: Path, lat: Floats, lon: Floats) -> Floats:
    """The value of a raster at each point, bilinear between the middles of cells, in the raster's unit.

    Points are WGS 84 degrees. NaN: outside the raster, or a cell without data takes part. Within half a
    cell of the raster's edge the nearest cells answer. Only the tiles that hold points are read.
    """
    with rasterio.open(path) as raster:
        to_raster = Transformer.from_crs(_WGS84, raster.crs.to_wkt(), always_xy=True)
        x, y = to_raster.transform(lon, lat)
        grid = raster.transform
        column, row = (x - grid.c) / grid.a, (y - grid.f) / grid.e
        inside = (column >= 0) & (column <= raster.width) & (row >= 0) & (row <= raster.height)
        found = np.full(len(column), np.nan)
        # A millionth of a cell is rounding, and must not ask a neighbour without data.
        spots = np.round(np.stack([row, column], 1)[inside] - 0.5, 6)
        found[inside] = _bilinear(raster, spots.clip(0, np.array([raster.height, raster.width]) - 1))
    return found


def _bilinear(raster: rasterio.DatasetReader, spots: Floats) -> Floats:
    # Tile by tile, each read once with one more row and column; spots are (row, column) of cell middles.
    tiles, tile_of = np.unique((spots // _TILE).astype(np.int64), axis=0, return_inverse=True)
    found = np.empty(len(spots))
    for number, corner in enumerate(tiles * _TILE):
        here = tile_of.ravel() == number
        size = np.minimum(_TILE + 1, np.array([raster.height, raster.width]) - corner)
        window = Window(corner[1], corner[0], size[1], size[0])
        values = np.where(
            raster.read_masks(1, window=window) > 0, raster.read(1, window=window).astype(float), np.nan
        )
        found[here] = _between(values, spots[here] - corner)
    return found


def _between(values: Floats, spots: Floats) -> Floats:
    low = np.floor(spots).astype(np.int64)
    high = np.minimum(low + 1, np.array(values.shape) - 1)
    down, right = (spots - low).T
    found = np.zeros(len(spots))
    for row, by_row in ((low[:, 0], 1 - down), (high[:, 0], down)):
        for column, by_column in ((low[:, 1], 1 - right), (high[:, 1], right)):
            weight = by_row * by_column
            # A cell that takes no part may be unknown.
            found += np.where(weight > 0, values[row, column] * weight, 0.0)
    return found
