"""The whole job, from a file to the gap list, beside the least that any tool must do with that file.

    python benchmarks/whole_job.py [--rows 10000000 100000000] [--folder DIR]

The rows are canonical CSV files of simulated drives (`drives.py`), ten million in each; the places are the 900 villages of `ground.py`, added
beforehand as a province adds them once. The job: file → accepted rows in the archive → verdicts → gaps.geojson; with
the lie of the land kept from an earlier assessment, and once without (`cold`). The floor: DuckDB's bare read_csv →
parquet of the same files and h3ronpy's binning of its points, in the same run. Each job has a process of its own that did
the same with ten rows before, as a worker did that lives; of one file the faster of two runs counts. Printed: seconds, ratio to the floor,
microseconds per row and their growth from file to file, peak memory, and the stages of the last run.
Beware: 100 million rows need some 30 GB in DIR and a quarter of an hour.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path

from drives import write_canonicals
from ground import world, write_places
from measuring import Cost, fastest, floor, measured

AS_OF = date(2026, 11, 1)
LAYERS = ("communes", "villages", "clusters", "power")


def prepare(root: Path, places: dict[str, Path], *, warm: bool) -> None:
    """A workspace with its places and without any upload, assessed once where `warm`."""
    from coverage import pipeline
    from coverage.archive.workspace import open_workspace
    from coverage.intake_places import add_places

    shutil.rmtree(root, ignore_errors=True)
    workspace = open_workspace(root)
    for kind in LAYERS:
        add_places(workspace, kind, places[kind])
    if warm:
        pipeline.assess(workspace, AS_OF)


def whole_job(files: list[Path], root: Path) -> dict[str, float]:
    """Seconds by stage of file → archive → verdicts → gap list, and how much came out."""
    from coverage import intake, pipeline
    from coverage.archive import history
    from coverage.archive.workspace import existing_workspace
    from coverage.exports import lists
    from coverage.exports.files import write
    from coverage.logs.context import Context

    workspace, laps, began = existing_workspace(root), {}, time.perf_counter()
    receipts = [receipt for file in files for receipt in intake.ingest(workspace, file, Context())]
    laps["take in"] = time.perf_counter() - began
    pipeline.assess(workspace, AS_OF)
    laps["judge"] = time.perf_counter() - began - laps["take in"]
    gaps = lists.select(history.latest(workspace), "gaps")
    write(gaps, root / "gaps.geojson", "geojson")
    laps["list"] = time.perf_counter() - began - laps["take in"] - laps["judge"]
    for receipt in receipts:
        outcomes = receipt.accepted + receipt.duplicates + receipt.rejected + receipt.quarantined
        assert receipt.rows == outcomes, "a row was lost"
    return laps | {"accepted": sum(receipt.accepted for receipt in receipts), "gaps": len(gaps)}


def warm_up(folder: Path, places: dict[str, Path]) -> None:
    """The whole job with ten rows: what a process does for the first time, such as putting questions into words, is done."""
    prepare(folder / "warm", places, warm=False)
    whole_job([folder / "canonical-10.csv"], folder / "warm")


def costs(files: list[Path], folder: Path, places: dict[str, Path], *, warm: bool) -> Cost:
    runs, found = (2 if len(files) == 1 and warm else 1), []
    write_canonicals(folder, 10)
    for _ in range(runs):
        prepare(folder / "workspace", places, warm=warm)
        found.append(measured(whole_job, files, folder / "workspace", warm=partial(warm_up, folder, places)))
    return min(found, key=lambda cost: cost.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000_000, 100_000_000])
    parser.add_argument("--folder", type=Path, help="for the files, which are kept and used again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        places = write_places(folder / "places", world(3))
        report(asked.rows, folder, places)


def report(sizes: list[int], folder: Path, places: dict[str, Path]) -> None:
    print(f"{'rows':>12} {'':8} {'seconds':>8} {'CPU s':>8} {'ratio':>6} {'µs/row':>7} {'peak MB':>8}")
    per_row: list[float] = []
    for rows in sizes:
        files = write_canonicals(folder, rows)
        warm = partial(floor, write_canonicals(folder, 10), folder)
        least = fastest(2 if len(files) == 1 else 1, floor, files, folder, warm=warm)
        line(rows, "floor", least, least)
        for kind in ("warm", "cold") if rows == min(sizes) else ("warm",):
            cost = costs(files, folder, places, warm=kind == "warm")
            line(rows, kind, cost, least)
            if kind == "warm":
                per_row.append(cost.seconds / rows)
                laps = ", ".join(f"{name} {value:.1f} s" for name, value in list(cost.answer.items())[:3])
                print(
                    f"{'':12} {laps}; {cost.answer['accepted']:,} rows accepted, {cost.answer['gaps']} gaps"
                )
        assert least.answer == rows
    if len(sizes) > 1:
        print(
            f"cost per row at {sizes[-1]:,} rows: {per_row[-1] / per_row[0]:.2f} times that at {sizes[0]:,}"
        )


def line(rows: int, kind: str, cost: Cost, least: Cost) -> None:
    ratio, per_row = cost.seconds / least.seconds, cost.seconds / rows * 1e6
    print(
        f"{rows:>12,} {kind:8} {cost.seconds:>8.1f} {cost.cpu_s:>8.1f} {ratio:>6.2f} {per_row:>7.2f} {cost.peak_mb:>8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
