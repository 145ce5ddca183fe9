"""What a tile of our own base map costs: CPU milliseconds and bytes at some zooms, over a simulated province.

    python benchmarks/basemap.py [--cells 4000] [--roads 400] [--tiles 24]

The terrain model is simulated, of so many cells each way over 107.2–109.0 E, 10.7–12.4 N, kept as `rasters.clean` keeps
one; so are the roads, of 150 points each. The communes are the bundled ones. Every tile is drawn anew: what the service holds of tiles
is left out. The first tile of all is told apart: it reads the terrain model once and makes the shapes ready.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from scipy.ndimage import zoom as enlarged

from coverage.exports.basemap import Ground

BOUNDS = (107.2, 10.7, 109.0, 12.4)
LOOKED_AT = (107.6, 11.2, 108.5, 11.9)
COMMUNES = Path(__file__).parents[1] / "data" / "boundaries" / "lamdong_communes_derived.geojson"
ZOOMS = (7, 9, 12, 15, 17)
SEED = 3


def terrain(folder: Path, cells: int, rng: np.random.Generator) -> Path:
    """The path of a simulated terrain model in metres."""
    heights = np.full((cells, cells), 700.0, dtype=np.float32)
    for bumps, metres in ((8, 700.0), (24, 300.0), (80, 120.0), (300, 40.0)):
        coarse = rng.normal(0, metres, (bumps + 4, bumps + 4)).astype(np.float32)
        heights += enlarged(coarse, cells / bumps, order=3)[:cells, :cells]
    west, south, east, north = BOUNDS
    grid = rasterio.Affine((east - west) / cells, 0, west, 0, (south - north) / cells, north)
    form = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, "crs": "EPSG:4326"}
    form |= {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 3}
    path = folder / "dem.tif"
    with rasterio.open(path, "w", width=cells, height=cells, transform=grid, zlevel=1, **form) as raster:
        raster.write(heights, 1)
    return path


def winding(count: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Simulated roads, one in eight a pass."""
    turns = np.cumsum(rng.normal(0, 0.25, (count, 150)), axis=1) + rng.uniform(0, 7, (count, 1))
    steps = np.cumsum(0.002 * np.stack([np.cos(turns), np.sin(turns)], axis=2), axis=1)
    west, south, east, north = LOOKED_AT
    starts = rng.uniform((west, south), (east, north), (count, 2))
    kinds = ["pass" if number % 8 == 0 else "road" for number in range(count)]
    return gpd.GeoDataFrame(
        {"kind": kinds}, geometry=shapely.linestrings(starts[:, None] + steps), crs="EPSG:4326"
    )


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    down = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return int((lon + 180) / 360 * 2**z), int(down * 2**z)


def cost(ground: Ground, z: int, scale: int, at: tuple[float, float]) -> tuple[float, int]:
    """CPU milliseconds and bytes of one tile."""
    x, y = tile_at(*at, z)
    before = time.process_time()
    content = ground.tile(z, x, y, scale)
    return (time.process_time() - before) * 1000, len(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--roads", type=int, default=400)
    parser.add_argument("--tiles", type=int, default=24)
    args = parser.parse_args()
    rng = np.random.default_rng(SEED)
    west, south, east, north = LOOKED_AT
    with tempfile.TemporaryDirectory() as folder:
        dem = terrain(Path(folder), args.cells, rng)
        ground = Ground(gpd.read_file(COMMUNES).geometry, winding(args.roads, rng), dem)
        first, _ = cost(ground, 7, 1, ((west + east) / 2, (south + north) / 2))
        print(f"the first tile of all, zoom 7: {first:.0f} ms CPU")
        for z in ZOOMS:
            for scale in (1, 2):
                spots = rng.uniform((west, south), (east, north), (args.tiles, 2)).tolist()
                found = [cost(ground, z, scale, (lon, lat)) for lon, lat in spots]
                ms, size = ([one[place] for one in found] for place in (0, 1))
                print(
                    f"zoom {z:2}, {256 * scale} px: {statistics.median(ms):5.1f} ms CPU (most {max(ms):5.1f}), "
                    f"{statistics.median(size) / 1000:.0f} kB"
                )


if __name__ == "__main__":
    main()
