"""What a job costs in a process of its own: seconds, CPU seconds, peak memory; and the floor that jobs are held against."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

MB = 1_000_000


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, CPU seconds of all threads, the most memory that was resident, and what the job returned.

    Of a server that the job asks, CPU seconds and memory are added.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    answer: Any


class Server(Protocol):
    def cpu_seconds(self) -> float: ...
    def resident_mb(self) -> float: ...


def measured(job: Callable[..., Any], *arguments: Any, warm: Callable[[], object] | None = None) -> Cost:
    """The cost of a job in a new process; `warm` runs there before it, so that imports and engines do not count."""
    return prepared(_warmed, job, arguments, warm)


def _warmed(
    job: Callable[..., Any], arguments: tuple[Any, ...], warm: Callable[[], object] | None
) -> Callable[[], Any]:
    if warm is not None:
        warm()
    return partial(job, *arguments)


def prepared(
    prepare: Callable[..., Callable[[], Any]], *arguments: Any, server: Server | None = None
) -> Cost:
    """The cost of what `prepare(*arguments)` returns; both are called in a new process, the former unmeasured."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_run, args=(prepare, arguments, theirs))
    process.start()
    theirs.close()
    try:
        ours.recv()
        before = server.cpu_seconds() if server else 0.0
        with _watched(server) as peaks:
            ours.send("go")
            seconds, cpu_s, peak, answer = ours.recv()
        after = server.cpu_seconds() if server else 0.0
    except EOFError:
        process.join()
        raise SystemExit(f"{prepare.__name__} of {arguments} ended with code {process.exitcode}") from None
    process.join()
    return Cost(seconds, cpu_s + after - before, peak + max(peaks), answer)


def fastest(
    runs: int, job: Callable[..., Any], *arguments: Any, warm: Callable[[], object] | None = None
) -> Cost:
    """The fastest of so many runs, each in a new process."""
    return min((measured(job, *arguments, warm=warm) for _ in range(runs)), key=lambda cost: cost.seconds)


def _run(prepare: Callable[..., Callable[[], Any]], arguments: tuple[Any, ...], answer: Any) -> None:
    job = prepare(*arguments)
    answer.send("ready")
    answer.recv()
    began, cpu = time.perf_counter(), _cpu_s()
    found = job()
    answer.send((time.perf_counter() - began, _cpu_s() - cpu, peak_mb(), found))


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def _watched(server: Server | None) -> Iterator[list[float]]:
    # What a server holds is looked at five times a second: it keeps no record of its peak.
    peaks, ended = [0.0], threading.Event()

    def watch(server: Server) -> None:
        while not ended.wait(0.2):
            peaks.append(server.resident_mb())

    watcher = threading.Thread(target=watch, args=(server,)) if server else None
    if watcher:
        watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        if watcher:
            watcher.join()


def peak_mb() -> float:
    """The most memory that this process had resident so far; `getrusage` also remembers the one it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def floor(paths: list[Path], folder: Path) -> int:
    """The rows of canonical files, after the least that any tool must do: DuckDB's bare read_csv → parquet of each, and
    the res-9 hex of each point by h3ronpy."""
    import duckdb
    from h3ronpy.vector import coordinates_to_cells

    bare, rows = folder / "floor.parquet", 0
    duckdb.execute("SET enable_progress_bar=false")
    for path in paths:
        duckdb.execute(f"COPY (SELECT * FROM read_csv('{path}')) TO '{bare}' (FORMAT parquet)")
        for batch in duckdb.sql(f"SELECT lat, lon FROM '{bare}'").to_arrow_reader(1_000_000):
            coordinates_to_cells(batch["lat"].to_numpy(), batch["lon"].to_numpy(), 9)
            rows += batch.num_rows
    bare.unlink()
    return rows
