"""What a job costs in a process of its own: seconds, CPU seconds, peak memory; and the floor that jobs are held against."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

MB = 1_000_000


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, CPU seconds of all threads, the most memory that was resident, and what the job returned."""

    seconds: float
    cpu_s: float
    peak_mb: float
    answer: Any


def measured(job: Callable[..., Any], *arguments: Any, warm: Callable[[], object] | None = None) -> Cost:
    """The cost of a job in a new process; `warm` runs there before it, so that imports and engines do not count."""
    ours, theirs = get_context("spawn").Pipe(duplex=False)
    process = get_context("spawn").Process(target=_run, args=(job, arguments, warm, theirs))
    process.start()
    theirs.close()
    try:
        found: Cost = ours.recv()
    except EOFError:
        process.join()
        raise SystemExit(f"{job.__name__} ended with code {process.exitcode}") from None
    process.join()
    return found


def fastest(
    runs: int, job: Callable[..., Any], *arguments: Any, warm: Callable[[], object] | None = None
) -> Cost:
    """The fastest of so many runs, each in a new process."""
    return min((measured(job, *arguments, warm=warm) for _ in range(runs)), key=lambda cost: cost.seconds)


def _run(
    job: Callable[..., Any], arguments: tuple[Any, ...], warm: Callable[[], object] | None, answer: Any
) -> None:
    if warm is not None:
        warm()
    began, cpu = time.perf_counter(), time.process_time()
    found = job(*arguments)
    answer.send(Cost(time.perf_counter() - began, time.process_time() - cpu, peak_mb(), found))


def peak_mb() -> float:
    """The most memory that this process had resident so far; `getrusage` also remembers the one it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def floor(path: Path, folder: Path) -> int:
    """The rows of a canonical file, after the least that any tool must do: DuckDB's bare read_csv → parquet, and the
    res-9 hex of each point by h3ronpy."""
    import duckdb
    from h3ronpy.vector import coordinates_to_cells

    bare = folder / "floor.parquet"
    duckdb.execute("SET enable_progress_bar=false")
    duckdb.execute(f"COPY (SELECT * FROM read_csv('{path}')) TO '{bare}' (FORMAT parquet)")
    rows = 0
    for batch in duckdb.sql(f"SELECT lat, lon FROM '{bare}'").to_arrow_reader(1_000_000):
        coordinates_to_cells(batch["lat"].to_numpy(), batch["lon"].to_numpy(), 9)
        rows += batch.num_rows
    bare.unlink()
    return rows
