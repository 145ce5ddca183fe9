"""What a Spark cluster of this machine takes to judge an archive, with one worker and with two, beside DuckDB.

    python benchmarks/cluster.py WORKSPACE [--as-of 2026-11-01] [--rounds 3] [--memory 2g] [--share 0.4]

WORKSPACE holds places and measurements and is only read. Needs PySpark and Java (docs/cluster.md). Each round judges on
DuckDB, on a standalone cluster of one worker with one core, and on one of two; each time in a new process, which
judges twice: the first time the Java machines still compile, the second says what a long-lived driver takes.
Printed are medians of seconds, and of CPU-seconds of all processes together (driver, master, workers) with both
judgings and the start in them.

On two cores the second worker shares its core with the driver, which plans and computes the tables of places
meanwhile: the ratio is what this machine gives, and a lower bound for machines of their own. `--share` (Linux, root)
lets each worker have only so much of a core, so that two of them and the driver fit side by side: slow workers, but as
strong when there are two of them as when there is one. What the workers do in parallel is bounded by Amdahl's law, too:
the driver's share does not shrink.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

sys.path.append(str(Path(__file__).parents[1] / "tests"))
import spark as clusters

from coverage import inputs, pipeline
from coverage.archive.workspace import existing_workspace


@dataclass(frozen=True)
class Taken:
    cold_s: float
    warm_s: float
    cpu_s: float


def judged_twice(root: Path, as_of: date, variables: dict[str, str]) -> tuple[float, float, str]:
    """Seconds of the first and the second judging, and a fingerprint of the verdicts of hexes."""
    os.environ.update(variables)
    given = inputs.fetch(existing_workspace(root), as_of)
    took = []
    for _ in range(2):
        begun = time.perf_counter()
        snapshot = pipeline.judge(given)
        took.append(time.perf_counter() - begun)
    verdicts = snapshot.hex_verdicts.sort_values(["hex", "operator"])[["hex", "operator", "verdict", "fails"]]
    assert len(verdicts), f"{root} holds no measurements to judge"
    return took[0], took[1], str(pd.util.hash_pandas_object(verdicts, index=False).sum())


def measured(root: Path, as_of: date, workers: int, memory: str, share: float | None) -> tuple[Taken, str]:
    """What it took with so many workers; 0 = DuckDB in one process."""
    before = _cpu_s()
    if not workers:
        cold, warm, verdicts = _apart(root, as_of, {"PHUSONG_ENGINE": "duckdb"})
    else:
        room = (
            f"spark.executor.memory {memory}\nspark.driver.memory {memory}\nspark.sql.shuffle.partitions 8\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            # Judging twice is long enough for the better compiler of the Java machine, which the tests do without.
            plain = "spark.driver.extraJavaOptions -Dplain\nspark.executor.extraJavaOptions -Dplain\n"
            with (
                clusters.cluster(Path(folder), workers, room + plain, memory) as running,
                limited([worker.pid for worker in running.workers], share),
            ):
                cold, warm, verdicts = _apart(root, as_of, running.environment)
    return Taken(cold, warm, _cpu_s() - before), verdicts


def _apart(root: Path, as_of: date, variables: dict[str, str]) -> tuple[float, float, str]:
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(judged_twice, (root, as_of, variables))


@contextmanager
def limited(pids: list[int], share: float | None) -> Iterator[None]:
    """Each process, with all that it starts, has at most that share of a core while the block runs; None = no limit."""
    groups = [Path(f"/sys/fs/cgroup/cpu/phusong-{pid}") for pid in pids] if share else []
    for pid, group in zip(pids, groups, strict=False):
        group.mkdir()
        (group / "cpu.cfs_quota_us").write_text(str(int(share * 100_000)))
        (group / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        for group in groups:
            for pid in (group / "cgroup.procs").read_text().split():
                Path("/sys/fs/cgroup/cpu/cgroup.procs").write_text(pid)
            group.rmdir()


def _cpu_s() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("workspace", type=Path)
    asked.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 11, 1))
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--memory", default="2g")
    asked.add_argument("--share", type=float, help="of a core, for each worker [a core]")
    given = asked.parse_args()
    rows = []
    for _ in range(given.rounds):
        for workers in (0, 1, 2):
            taken, verdicts = measured(given.workspace, given.as_of, workers, given.memory, given.share)
            rows.append({"workers": workers, **vars(taken), "verdicts": verdicts})
            print(rows[-1], file=sys.stderr)
    found = pd.DataFrame(rows)
    assert found["verdicts"].nunique() == 1, "the engines do not agree"
    table = found.drop(columns="verdicts").groupby("workers").median()
    print(table.rename({0: "DuckDB", 1: "Spark, 1 worker", 2: "Spark, 2 workers"}).round(1).to_string())
    for kind in ("cold_s", "warm_s"):
        print(f"{kind}: one worker takes {table.loc[1, kind] / table.loc[2, kind]:.2f} times as long as two")


if __name__ == "__main__":
    main()
