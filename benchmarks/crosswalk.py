"""What it costs to lay villages over hexes and to count the people of a raster on each shared piece, beside the usual
way: `geopandas.overlay` and `rasterstats.zonal_stats`.

    python -m venv --system-site-packages peers            # of a Python that has this package (`make install`)
    peers/bin/python -m pip install --no-deps rasterstats affine simplejson fiona click cligj click-plugins
    peers/bin/python benchmarks/crosswalk.py [--villages 20000] [--pieces 10000]

rasterstats is no dependency of Phủ Sóng (the group `benchmarks` of pyproject.toml): without it its lines are left out.
The province is simulated (`ground.py`): villages with ragged edges, and a population raster of 3 arc-seconds (some
90 m), tiled and deflated, with people around the hamlets and everywhere a few. Hexes of resolution 9; both ways measure
in the same equal-area projection. Each job runs in a process of its own, which reads the same files; imports do not
count. The peer gets the hexes from us and their making counts for it as for us. Its zonal_stats over all pieces takes
very long: it is given `--pieces` of them, chosen at random, and its time is scaled up to all (marked ~).

Printed: CPU and wall seconds, ratio of CPU to ours, peak resident memory, and whether both say the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import geopandas as gpd
import ground
import numpy as np
import pandas as pd
import rasterio
from measuring import Cost, measured
from rasterio.transform import from_origin
from rich.progress import track

from coverage import criteria, crosswalk, hexes, people
from coverage.projections import equal_area

RESOLUTION = 9
PIXEL_DEG = 1 / 1200
PEOPLE_PER_HAMLET = 500
SPREAD_DEG = 0.003
CROWD = 1e-9  # people per pixel of the empty forest: what a raster that was spread by weights has there


def make(folder: Path, count: int) -> None:
    """Write villages.parquet and people.tif."""
    world = ground.world(3, hamlets=count)
    names = [f"v{at:05}" for at in range(count)]
    shapes = ground.village_shapes(world)
    gpd.GeoDataFrame({"village_id": names}, geometry=shapes, crs=4326).to_parquet(folder / "villages.parquet")
    rng = np.random.default_rng(1)
    homes = np.repeat(world.hamlets, PEOPLE_PER_HAMLET, axis=0)
    homes = homes + rng.normal(0, SPREAD_DEG, homes.shape)
    wide, high = (int(deg / PIXEL_DEG) + 12 for deg in (ground.WIDE_DEG, ground.HIGH_DEG))
    west, north = ground.WEST - 5 * PIXEL_DEG, ground.SOUTH + ground.HIGH_DEG + 5 * PIXEL_DEG
    counts, _, _ = np.histogram2d(
        (north - homes[:, 1]) / PIXEL_DEG,
        (homes[:, 0] - west) / PIXEL_DEG,
        (high, wide),
        ((0, high), (0, wide)),
    )
    profile = {"driver": "GTiff", "width": wide, "height": high, "count": 1, "dtype": "float32", "crs": 4326}
    tiles = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "nodata": np.nan}
    grid = from_origin(west, north, PIXEL_DEG, PIXEL_DEG)
    with rasterio.open(folder / "people.tif", "w", **profile, **tiles, transform=grid) as raster:
        raster.write((counts + CROWD).astype(np.float32), 1)


def villages(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_parquet(folder / "villages.parquet")


def our_pairs(folder: Path) -> gpd.GeoDataFrame:
    return crosswalk.crosswalk(villages(folder), RESOLUTION)


def our_crosswalk(folder: Path) -> pd.DataFrame:
    return pd.DataFrame(our_pairs(folder).drop(columns="geometry"))


def ours(folder: Path) -> pd.DataFrame:
    rules = criteria.parse(criteria.default_text(), "rules").ground
    return people.on_ground(our_pairs(folder), folder / "people.tif", rules)


def overlaid(folder: Path) -> gpd.GeoDataFrame:
    """The pieces of `geopandas.overlay`, in our projection."""
    shapes = villages(folder)
    cells = hexes.near(shapes.geometry.to_numpy(), RESOLUTION)
    plane = equal_area(shapes)
    grid = gpd.GeoDataFrame({"hex": cells}, geometry=hexes.polygons(cells), crs=4326).to_crs(plane)
    pieces = gpd.overlay(shapes.to_crs(plane), grid, how="intersection", keep_geom_type=True)
    return pieces.assign(area_km2=pieces.area / 1e6)


def overlay(folder: Path) -> pd.DataFrame:
    return pd.DataFrame(overlaid(folder).drop(columns="geometry"))


def prepare(folder: Path, count: int) -> dict[str, int]:
    """Write what the peer is to count on: a sample of the pieces, whole villages, whole hexes; how many there are."""
    pieces = overlaid(folder)
    pieces = pieces[["village_id", "hex", "geometry"]].to_crs(4326)
    cells = pieces["hex"].drop_duplicates().to_numpy()
    outlines = gpd.GeoDataFrame({"hex": cells}, geometry=hexes.polygons(cells), crs=4326)
    asked = {"pieces": pieces, "villages": villages(folder), "hexes": outlines}
    for name, frame in asked.items():
        sample = frame.sample(min(count, len(frame)), random_state=1)
        sample.to_parquet(folder / f"asked-{name}.parquet")
    return {name: len(frame) for name, frame in asked.items()}


def _zonal(folder: Path, name: str) -> pd.DataFrame:
    from rasterstats import zonal_stats

    shapes = gpd.read_parquet(folder / f"asked-{name}.parquet")
    # Handed over as an array it takes a quarter of the time that the same takes with the file's name.
    with rasterio.open(folder / "people.tif") as raster:
        pixels, grid = raster.read(1), raster.transform
    found = zonal_stats(shapes, pixels, affine=grid, nodata=np.nan, stats=["sum"])
    total = [one["sum"] for one in found]
    return pd.DataFrame(shapes.drop(columns="geometry").assign(people=total)).astype({"people": float})


def zonal_pieces(folder: Path) -> pd.DataFrame:
    return _zonal(folder, "pieces")


def zonal_villages(folder: Path) -> pd.DataFrame:
    return _zonal(folder, "villages")


def zonal_hexes(folder: Path) -> pd.DataFrame:
    return _zonal(folder, "hexes")


def _warm(job: Callable[[Path], object]) -> Callable[[], object]:
    return partial(import_module, "rasterstats" if job.__name__.startswith("zonal") else "coverage.people")


def line(name: str, one: Cost, own: Cost) -> None:
    print(
        f"{name:<48}{one.cpu_s:>8.1f} {one.seconds:>8.1f} {one.cpu_s / own.cpu_s:>7.2f} {one.peak_mb:>8.0f}"
    )


def both_steps(first: Cost, second: Cost, scale: float) -> Cost:
    """One after the other, the second for so many times as many shapes (in the same memory)."""
    cpu, wall = (
        one + two * scale for one, two in ((first.cpu_s, second.cpu_s), (first.seconds, second.seconds))
    )
    return Cost(wall, cpu, max(first.peak_mb, second.peak_mb), second.answer)


def agreement(own: pd.DataFrame, peer: pd.DataFrame) -> None:
    """Print how far the pairs and their areas are the same."""
    both = own.merge(peer, on=["village_id", "hex"], how="outer", suffixes=("", "_peer"), indicator=True)
    alone = both["_merge"].value_counts()
    slivers = both.loc[both["_merge"] != "both", ["area_km2", "area_km2_peer"]].max(axis=1)
    apart = (both["area_km2"] - both["area_km2_peer"]).abs() * 1e6
    print(
        f"pairs: {alone['both']:,} in both, {alone['left_only']} only ours, {alone['right_only']} only of overlay "
        f"(the largest {np.nan_to_num(slivers.max()) * 1e6:.1e} m²); areas differ by at most {apart.max():.1e} m², "
        f"{(apart / 1e6 / both['area_km2'])[both['area_km2'] > 1e-6].max():.1e} of the pieces over 1 m²"
    )


def centre_rule(own: pd.DataFrame, counted: dict[str, pd.DataFrame], total: float) -> None:
    """Print how far the peer's people, who are all where the middle of their pixel is, differ from the exact ones."""
    print(
        f"people: {own['population'].sum():,.1f} on our pieces of {total:,.1f} in the raster (some beyond the villages)"
    )
    for name, peer in counted.items():
        keys = [key for key in ("village_id", "hex") if key in peer]
        exact = own.groupby(keys)["population"].sum().rename("exact").reset_index()
        both = peer.merge(exact, on=keys)
        told = both["people"].fillna(0.0)
        off = (told - both["exact"]).abs()[both["exact"] >= 1] / both["exact"][both["exact"] >= 1]
        print(
            f"  {name}: rasterstats {told.sum():,.0f}, exact {both['exact'].sum():,.0f}; {both['people'].isna().mean():.1%} hold "
            f"no pixel's middle and get nobody; where one lives or more it is off by {off.median():.1%} (median), "
            f"{off.quantile(0.99):.0%} (1 of 100)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--villages", type=int, default=20_000)
    parser.add_argument("--pieces", type=int, default=10_000, help="that the peer's zonal_stats is timed on")
    given = parser.parse_args()
    peers = [zonal_pieces, zonal_villages, zonal_hexes] if importlib.util.find_spec("rasterstats") else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.villages)
        sizes = prepare(folder, given.pieces)
        jobs = [ours, our_crosswalk, overlay, *peers]
        done = {
            job.__name__: measured(job, folder, warm=_warm(job))
            for job in track(jobs, "measuring", transient=True)
        }
        with rasterio.open(folder / "people.tif") as raster:
            total = float(raster.read(1, out_dtype="float64").sum())
    own, both, peer = done["ours"], done["our_crosswalk"], done["overlay"]
    print(f"{given.villages:,} villages, {len(own.answer):,} pieces, {sizes['hexes']:,} hexes")
    print(f"{'':<48}{'CPU s':>8} {'wall s':>8} {'ratio':>7} {'peak MB':>8}")
    line("ours: pieces and the people on each", own, own)
    counted = {}
    for job in peers:
        what = job.__name__.removeprefix("zonal_")
        asked = done[job.__name__]
        scale = sizes[what] / len(asked.answer)
        mark = " ~" if scale > 1 else ""
        line(f"overlay + rasterstats on {what}{mark}", both_steps(peer, asked, scale), own)
        counted[what] = asked.answer
    line("ours: pieces alone", both, both)
    line("overlay alone", peer, both)
    agreement(own.answer, peer.answer)
    centre_rule(own.answer, counted, total)


if __name__ == "__main__":
    sys.exit(main())
