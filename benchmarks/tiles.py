"""What an image tile of the map costs: CPU per tile by zoom, bytes per PNG, and how soon a layer's first tile is there.

    python benchmarks/tiles.py [--hexes 200000] [--tiles 12]

The snapshot is simulated: as many measured hexes as said around the middle of Lâm Đồng, each tested for four
operators, verdicts in patches as real ones lie, and the province's communes as the repository has them. Cold: the
tile's pixels must be asked for their hexes. Warm: they were, for another layer, as where a planner switches operators.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from coverage import hexes
from coverage.archive.snapshots import WGS84, Snapshot, SnapshotInfo
from coverage.exports import hex_classes, hex_layers, tiles
from coverage.exports.hex_classes import Layer
from coverage.exports.tiles import Tile

MIDDLE = 11.55, 108.0
OPERATORS = {"45201": "MobiFone", "45202": "Vinaphone", "45204": "Viettel", "45205": "Vietnamobile"}
VERDICTS = ("dead_zone", "below_standard", "covered", "not_enough_evidence")
PREDICTED = ("predicted_dead", "predicted_open", "predicted_served")
COMMUNES = Path(__file__).parents[1] / "data" / "boundaries" / "lamdong_communes_derived.geojson"
LAYERS = (
    *("hexes", "hexes-45204", "notspots", "age", "predicted-45204", "change", "change-45204"),
    "signal-45204-LTE",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hexes", type=int, default=200_000)
    parser.add_argument("--tiles", type=int, default=12, help="of each zoom, around the middle")
    given = parser.parse_args()
    snapshot, before = simulated(given.hexes, 1), simulated(given.hexes, 2)
    print(f"{given.hexes} hexes of resolution 9 × {len(OPERATORS)} operators, simulated\n")
    province, seconds = timed(lambda: hex_layers.ground(snapshot))
    print(f"the province's {len(province)} hexes, once per snapshot: {seconds:.2f} s of CPU")
    print(f"\n{'layer':<16}{'made s':>8}{'coarser s':>11}{'MB':>7}{'hexes':>9}")
    finest = {name: told_layer(snapshot, before, name, province) for name in LAYERS}
    print(f"\n{'':>5}{'':>5}{'cold ms':>16}{'warm ms':>16}{'bytes':>18}")
    print(f"{'zoom':>5}{'side':>5}{'median':>9}{'95 %':>7}{'median':>9}{'95 %':>7}{'median':>10}{'95 %':>8}")
    for zoom in range(6, 17):
        for side in (tiles.SIDE, 2 * tiles.SIDE):
            told_zoom(finest["hexes"], zoom, side, given.tiles)


def told_layer(snapshot: Snapshot, before: Snapshot, name: str, province: hexes.Hexes) -> Layer:
    earlier = before if hex_layers.compares(name) else None
    made, seconds = timed(lambda: hex_layers.layer(snapshot, name, lambda: province, earlier))
    coarser = [timed(lambda: hex_classes.coarser(made, resolution))[1] for resolution in (6, 7, 8)]  # noqa: B023
    print(f"{name:<16}{seconds:>8.2f}{max(coarser):>11.2f}{made.nbytes / 1e6:>7.1f}{len(made.hexes):>9}")
    return made


def told_zoom(finest: Layer, zoom: int, side: int, count: int) -> None:
    resolution = hex_classes.shown_resolution(zoom, finest.resolution)
    shown = finest if resolution == finest.resolution else hex_classes.coarser(finest, resolution)
    cold, warm, sizes = [], [], []
    for tile in around(zoom, side, count):
        grid, asked = timed(lambda: tiles.grid(tile, resolution))  # noqa: B023
        content, coloured = timed(lambda: tiles.png(shown, grid))  # noqa: B023
        cold.append(1000 * (asked + coloured))
        warm.append(1000 * coloured)
        sizes.append(len(content))
    cells = [
        f"{np.median(column):>{wide}.{digits}f}{np.percentile(column, 95):>{narrow}.{digits}f}"
        for column, wide, narrow, digits in ((cold, 9, 7, 1), (warm, 9, 7, 1), (sizes, 10, 8, 0))
    ]
    print(f"{zoom:>5}{side:>5}{''.join(cells)}")


def timed(make: Callable[[], Any]) -> tuple[Any, float]:
    """What it makes, and the seconds of CPU that it took."""
    began = time.process_time()
    return make(), time.process_time() - began


def around(zoom: int, side: int, count: int) -> list[Tile]:
    """Tiles around the middle of the province, the nearest first."""
    lat, lon = MIDDLE
    across = (lon + 180) / 360 * 2**zoom
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
    near = range(-3, 4)
    found = [(int(across) + x, int(down) + y) for x in near for y in near]
    found.sort(key=lambda at: math.hypot(at[0] + 0.5 - across, at[1] + 0.5 - down))
    return [Tile(zoom, x, y, side) for x, y in found[:count] if 0 <= x < 2**zoom and 0 <= y < 2**zoom]


def simulated(count: int, seed: int) -> Snapshot:
    measured = nearest(count)
    rng = np.random.default_rng(seed)
    of_all = {
        what: pd.concat([make(rng, measured, one) for one in OPERATORS], ignore_index=True)
        for what, make in (("hex_verdicts", tested), ("predictions", predicted), ("hex_signals", heard))
    }
    bare = dict.fromkeys(("hex_levels", "place_verdicts", "village_verdicts", "reliability"), pd.DataFrame())
    shapes = dict.fromkeys(("villages", "dead_areas", "road_verdicts"), gpd.GeoDataFrame())
    info = SnapshotInfo(
        snapshot_id=f"simulated-{seed}",
        as_of="2026-11-01",
        criteria="simulated",
        hex_resolution=9,
        operators=OPERATORS,
        in_scope=tuple(OPERATORS)[:3],
        uploads=(),
        measurements=0,
        simulated=True,
    )
    communes = gpd.read_file(COMMUNES).to_crs(WGS84)
    return Snapshot(info, {}, communes=communes, **bare, **shapes, **of_all)


def nearest(count: int) -> hexes.Hexes:
    """That many hexes around the middle of the province."""
    rings = math.ceil(math.sqrt(count / 3)) + 1
    disk = np.array(hexes.disk(hexes.of_point(*MIDDLE, 9), rings), dtype=np.int64)
    lat, lon = hexes.middles(disk)
    return np.sort(disk[np.argsort(np.hypot(lat - MIDDLE[0], lon - MIDDLE[1]))[:count]])


def tested(rng: np.random.Generator, measured: hexes.Hexes, operator: str) -> pd.DataFrame:
    days = rng.integers(0, 800, len(measured))
    last = pd.Timestamp("2026-10-31") - pd.to_timedelta(days, unit="D")
    verdict = patches(rng, measured, VERDICTS)
    frame = pd.DataFrame({"hex": measured, "operator": operator, "verdict": verdict, "last_test_utc": last})
    return frame.assign(no_service_share=rng.choice([0.0, 0.3], len(frame)))


def predicted(rng: np.random.Generator, measured: hexes.Hexes, operator: str) -> pd.DataFrame:
    classes = patches(rng, measured, PREDICTED)
    return pd.DataFrame({"hex": measured, "operator": operator, "predicted_class": classes})


def heard(rng: np.random.Generator, measured: hexes.Hexes, operator: str) -> pd.DataFrame:
    """LTE and UMTS in most hexes, and readings that name no technology in a fifth."""
    parts = []
    for technology, share in (("LTE", 0.8), ("UMTS", 0.6), (None, 0.2)):
        some = measured[rng.random(len(measured)) < share]
        level = rng.normal(-108, 12, len(some)) if technology else np.nan
        parts.append(pd.DataFrame({"hex": some, "operator": operator, "median_dbm": level}))
        parts[-1]["technology"] = pd.Series([technology] * len(some), dtype="str")
    return pd.concat(parts, ignore_index=True)


def patches(rng: np.random.Generator, measured: hexes.Hexes, words: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """For each hex a word: alike within a parent for most of its children, any for a fifth of them."""
    parents = pd.factorize(hexes.parents(measured, 7))[0]
    chosen = rng.integers(0, len(words), parents.max() + 1)[parents]
    stray = rng.random(len(measured)) < 0.2
    chosen[stray] = rng.integers(0, len(words), stray.sum())
    return np.array(words, dtype=object)[chosen]


if __name__ == "__main__":
    main()
