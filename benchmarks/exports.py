"""What it costs to write a long list in each format: seconds, and memory beside the list's own.

    .venv/bin/python benchmarks/exports.py [--rows 50000] [--formats geojson gpkg …]

Two simulated lists, which say so in every row: gaps, drawn as their dead areas, and villages (for one operator each),
drawn with ragged edges. The words are those of the tests' small snapshot, names and ids are each row's own. Every file
is written by `files.write`, in a process of its own that has written ten rows in that format before, so that imports do
not count. Afterwards the features of the file are read again and counted, and must be as many as the rows.

Memory is what Linux says of that process (`/proc/self/status`; freed memory is given back before each look):

- *list*: what the process grew by as it loaded the list (VmRSS), or the sum of its columns
  (`memory_usage(deep=True)`) and 16 bytes per corner of its shapes, whichever is less
- *beside*: by how much the highest (VmHWM, set back through `/proc/self/clear_refs`) while writing passes what the
  process with the list holds; what the kernel keeps of files is not part of it

No format may hold the list twice: the program ends with 1 where *beside* is not less than *list*. FlatGeobuf is judged
without the one buffer by which GDAL brings the rows into the order of their index: it is as long as the file, and never
longer than 100 MiB. `files.to_bytes`, by which the service answers, holds the bytes of the finished file besides, and is
not measured here.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import ground
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from measuring import MB, measured, peak_mb
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import snapshots as small

from coverage import hexes
from coverage.archive.snapshots import WGS84
from coverage.exports import files, lists

LISTS = ("gaps", "villages")
FEW = 10
GDAL_SORTS_MB = 100 * 2**20 / MB


@dataclass(frozen=True)
class Written:
    """Of one file: the list's memory and the most beside it, MB; seconds; length in MB; features counted by another."""

    list_mb: float
    beside_mb: float
    seconds: float
    file_mb: float
    features: int


def make(folder: Path, rows: int) -> None:
    """Write both lists, and a few rows of each."""
    world = ground.world(3, hamlets=rows)
    shapes = {"gaps": _dead_areas(world.hamlets), "villages": ground.village_shapes(world)}
    for what in LISTS:
        frame = _list(what, shapes[what])
        frame.to_parquet(folder / f"{what}.parquet")
        frame.iloc[:FEW].to_parquet(folder / f"few-{what}.parquet")


def _list(what: str, shapes: np.ndarray) -> gpd.GeoDataFrame:
    few = lists.select(small.snapshot(300), what)
    rows = few.iloc[np.arange(len(shapes)) % len(few)].reset_index(drop=True)
    numbers = np.arange(len(rows))
    named = rows.assign(
        village_id=[f"V{at:06}" for at in numbers], village_name=[f"Thôn Đắk Rơ Măng {at}" for at in numbers]
    )
    if what == "gaps":
        named = named.assign(gap_id=lists.gap_ids(named), priority=(numbers + 1).astype(np.int64))
    named = named.set_geometry(shapes, crs=WGS84)
    named.attrs = few.attrs
    return named


def _dead_areas(places: np.ndarray) -> np.ndarray:
    """Around each place seven hexes, joined."""
    disks = [hexes.disk(hexes.of_point(lat, lon, 9), 1) for lon, lat in places.tolist()]
    return np.array([shapely.union_all(hexes.polygons(cells)) for cells in disks])


def written(folder: Path, what: str, fmt: str) -> Written:
    """What writing the list costs in this process."""
    files.write(gpd.read_parquet(folder / f"few-{what}.parquet"), folder / f"few.{files.suffix(fmt)}", fmt)
    bare = resident_mb()
    frame = gpd.read_parquet(folder / f"{what}.parquet")
    loaded = resident_mb()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    path, began = folder / f"{what}.{files.suffix(fmt)}", time.perf_counter()
    files.write(frame, path, fmt)
    seconds, beside = time.perf_counter() - began, peak_mb() - loaded
    size = min(loaded - bare, frame_mb(frame))
    return Written(size, beside, seconds, path.stat().st_size / MB, features(path, fmt))


def resident_mb() -> float:
    """What this process holds, after freed memory was given back."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def frame_mb(frame: gpd.GeoDataFrame) -> float:
    """The columns of a list, and two numbers for each corner of its shapes."""
    corners = int(shapely.get_num_coordinates(frame.geometry.to_numpy()).sum())
    return (float(frame.memory_usage(deep=True).sum()) + 16 * corners) / MB


def features(path: Path, fmt: str) -> int:
    """How many features are found in the file."""
    if fmt == "parquet":  # GDAL as it comes with pyogrio cannot read it
        return int(pq.read_metadata(path).num_rows)
    layer = 0 if fmt == "xlsx" else None  # the sheets after it explain
    return int(pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"])


def table(what: str, done: dict[str, Written]) -> None:
    """Print a line per format, with ratios to the least of this run."""
    fastest, smallest = min(one.seconds for one in done.values()), min(one.file_mb for one in done.values())
    leanest = max(1.0, min(one.beside_mb for one in done.values()))
    print(f"\n{what}: {next(iter(done.values())).features:,} features")
    print(
        f"{'':<10}{'s':>8}{'ratio':>8}{'beside MB':>11}{'ratio':>8}{'list MB':>9}{'beside/list':>13}", end=""
    )
    print(f"{'file MB':>9}{'ratio':>8}")
    for fmt, one in done.items():
        print(f"{fmt:<10}{one.seconds:>8.1f}{one.seconds / fastest:>8.1f}", end="")
        print(f"{one.beside_mb:>11.0f}{one.beside_mb / leanest:>8.1f}", end="")
        print(f"{one.list_mb:>9.0f}{one.beside_mb / one.list_mb:>13.2f}", end="")
        print(f"{one.file_mb:>9.1f}{one.file_mb / smallest:>8.1f}")


def twice(fmt: str, one: Written) -> bool:
    """Whether as much is held beside the list as the list itself."""
    sorts = min(GDAL_SORTS_MB, one.file_mb) if fmt == "fgb" else 0.0
    return one.beside_mb - sorts >= one.list_mb


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--formats", nargs="+", choices=list(files.FORMATS), default=list(files.FORMATS))
    given = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), given.rows)
        for what in LISTS:
            done = {
                fmt: measured(written, Path(name), what, fmt).answer
                for fmt in track(given.formats, what, transient=True)
            }
            assert {one.features for one in done.values()} == {given.rows}
            table(what, done)
            faults += [f"{what}.{fmt}" for fmt, one in done.items() if twice(fmt, one)]
    if faults:
        sys.exit(f"hold the list twice: {', '.join(faults)}")


if __name__ == "__main__":
    main()
