"""What compaction costs and gains: time, peak memory and bytes, and reading all rows before and after.

    python benchmarks/compaction.py [--uploads 40] [--rows 100000]

The uploads are synthetic logs (those of `drives.py`), each of its own phones and days. Each step runs in a process of its
own, so that peak memory is its alone.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
from drives import PHONES, write_log
from ground import world
from rich.progress import track

from coverage import engine, intake
from coverage.archive import compaction, tidying
from coverage.archive.committed import committed
from coverage.archive.verification import verify
from coverage.archive.workspace import open_workspace
from coverage.logs.context import Context


def compact(root: Path) -> None:
    compaction.compact(open_workspace(root))


def count_all(root: Path) -> None:
    """Levels by hex and operator over all rows, as an assessment begins."""
    rows = engine.read_measurements(engine.connect(), committed(open_workspace(root)).parts)
    rows.group_by("hex_res10", "operator").agg(level=rows.rsrp_dbm.median()).execute()


def check(root: Path) -> None:
    assert verify(open_workspace(root)) == []


def measured(job: Callable[[Path], None], root: Path) -> tuple[float, float]:
    """Seconds and peak MB of the job in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (job, root))


def _run(job: Callable[[Path], None], root: Path) -> tuple[float, float]:
    start = time.perf_counter()
    job(root)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row_groups(root: Path, hex_res8: int) -> tuple[int, int]:
    """How many row groups may hold a hex by their bounds, and how many there are."""
    parts = [str(part.path) for part in committed(open_workspace(root)).parts]
    fragments = list(ds.dataset(parts).get_fragments())
    wanted = ds.field("hex_res8") == hex_res8
    return (
        sum(len(one.split_by_row_group(wanted)) for one in fragments),
        sum(len(one.split_by_row_group()) for one in fragments),
    )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--uploads", type=int, default=40)
    options.add_argument("--rows", type=int, default=100_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "w"
        workspace, ground = open_workspace(root), world(3)
        for number in track(range(given.uploads), "logs"):
            path = Path(name) / "log.csv"
            write_log(
                path, "canonical", ground, given.rows, list(range(PHONES)), np.random.default_rng(number)
            )
            list(intake.ingest(workspace, path, Context()))
        some = ds.dataset([str(committed(workspace).parts[0].path)]).head(1).column("hex_res8")[0].as_py()
        print("| step | seconds | peak MB | parts | MB | row groups that may hold one hex |")
        print("|---|---|---|---|---|---|")
        for step, job in (
            ("count", count_all),
            ("compact", compact),
            ("count", count_all),
            ("verify", check),
        ):
            seconds, peak = measured(job, root)
            tidying.tidy(workspace, tidying.timedelta(0))
            parts = committed(workspace).parts
            size = sum(part.path.stat().st_size for part in parts) / 1e6
            near, every = row_groups(root, some)
            print(f"| {step} | {seconds:.1f} | {peak:.0f} | {len(parts)} | {size:.0f} | {near} of {every} |")


if __name__ == "__main__":
    main()
