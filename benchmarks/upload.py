"""What one more upload costs on archives of different sizes: 10,000 new rows taken in and judged.

    python benchmarks/upload.py [--rows 1000000 10000000 50000000] [--folder DIR]

The archives hold canonical files of simulated drives (`drives.py`) of up to ten million rows each over the same 900
villages, and were assessed once. Then a phone's new file of 10,000 rows comes: its reading and the renewed snapshot are
timed in a process of their own (which has taken in and judged ten rows before), and the tables are compared with those of judging everything from
the measurements on. Of three such files, one after another, the fastest counts. Printed: seconds to take in and to
judge, hexes and villages judged again, the cost of judging everything, peak memory, and the growth from the smallest
archive to the largest.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from drives import write_canonicals, write_phone
from ground import world, write_places
from measuring import Cost, measured
from whole_job import AS_OF, prepare, warm_up

NEW_ROWS, NEW_FILES = 10_000, 3
LAST_DECIMAL = (
    2e-9  # sums are rounded to nine: one that lies in the middle is rounded up or down by the order of adding
)


def fill(root: Path, files: list[Path]) -> None:
    """The archive before: all files taken in and judged."""
    from coverage import intake, pipeline
    from coverage.archive.workspace import existing_workspace
    from coverage.logs.context import Context

    workspace = existing_workspace(root)
    for file in files:
        list(intake.ingest(workspace, file, Context()))
    pipeline.assess(workspace, AS_OF)


def add(root: Path, file: Path) -> tuple[float, float]:
    """Seconds to take the file in, and to judge what it touches."""
    from coverage import intake, pipeline
    from coverage.archive.workspace import existing_workspace
    from coverage.logs.context import Context

    workspace, began = existing_workspace(root), time.perf_counter()
    (receipt,) = intake.ingest(workspace, file, Context())
    assert receipt.effect == "added"
    taken = time.perf_counter()
    pipeline.assess(workspace, AS_OF)
    return taken - began, time.perf_counter() - taken


def everything(root: Path) -> dict[str, float]:
    """Seconds to judge everything, after its tables were found equal to the renewed ones."""
    from coverage import inputs, pipeline
    from coverage.archive import history, snapshots
    from coverage.archive.workspace import existing_workspace

    workspace, began = existing_workspace(root), time.perf_counter()
    judged = pipeline.judge(inputs.fetch(workspace, AS_OF))
    seconds = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        snapshots.save(Path(folder), judged)
        whole = snapshots.load(Path(folder), judged.info.snapshot_id)
    renewed = history.latest(workspace)
    assert renewed.info == whole.info
    for name, table in vars(renewed).items():
        if isinstance(table, pd.DataFrame):
            other = getattr(whole, name)
            pd.testing.assert_frame_equal(
                pd.DataFrame(table), pd.DataFrame(other), rtol=1e-9, atol=LAST_DECIMAL, obj=name
            )
    return {"seconds": seconds, "hexes": whole.hex_verdicts["hex"].nunique(), "villages": len(whole.villages)}


def touched(root: Path, file: Path) -> tuple[int, int]:
    """How many hexes and villages the rows of that file may change."""
    from coverage import hexes, inputs, renewal
    from coverage.archive.workspace import existing_workspace
    from coverage.ground import lie_of_the_land

    rows = pd.read_csv(file, usecols=["lat", "lon"])
    given = inputs.fetch(existing_workspace(root), AS_OF)
    cells = np.unique(
        hexes.of_points(rows["lat"].to_numpy(), rows["lon"].to_numpy(), given.criteria.hex_resolution)
    )
    return len(cells), len(renewal.area(cells, lie_of_the_land(given)).villages)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000, 50_000_000])
    parser.add_argument("--folder", type=Path, help="for the files, which are kept and used again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report(asked.rows, folder, write_places(folder / "places", world(3)))


def report(sizes: list[int], folder: Path, places: dict[str, Path]) -> None:
    print(
        f"{'archive rows':>12} {'take in':>8} {'judge':>7} {'CPU s':>7} {'peak MB':>8} {'hexes':>6} {'of':>7} {'villages':>8} "
        f"{'of':>5} {'everything':>10} {'peak MB':>8}"
    )
    new = [write_phone(folder, NEW_ROWS, number) for number in range(NEW_FILES)]
    write_canonicals(folder, 10)
    sums: list[float] = []
    for rows in sizes:
        root = folder / "workspace"
        prepare(root, places, warm=True)
        measured(fill, root, write_canonicals(folder, rows))
        warm = partial(warm_up, folder, places)
        costs = [measured(add, root, file, warm=warm) for file in new]
        best = min(costs, key=lambda cost: cost.seconds)
        whole = measured(everything, root, warm=warm)
        sums.append(sum(best.answer))
        line(rows, best, whole, touched(root, new[costs.index(best)]))
    print(f"the cost at {sizes[-1]:,} rows is {sums[-1] / sums[0]:.2f} times that at {sizes[0]:,}")


def line(rows: int, best: Cost, whole: Cost, area: tuple[int, int]) -> None:
    took, judged = best.answer
    print(
        f"{rows:>12,} {took:>8.2f} {judged:>7.2f} {best.cpu_s:>7.2f} {best.peak_mb:>8.0f} {area[0]:>6} {whole.answer['hexes']:>7,} "
        f"{area[1]:>8} {whole.answer['villages']:>5} {whole.answer['seconds']:>10.1f} {whole.peak_mb:>8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
