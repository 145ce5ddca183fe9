"""What a job costs in a process of its own: wall and CPU seconds and peak memory, those of a server it asks included."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds, megabytes (10⁶ bytes) and what the job answered."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    answer: Any  # whatever the job gives


class Server(Protocol):
    def cpu_seconds(self) -> float: ...
    def resident_mb(self) -> float: ...


Job = Callable[[Any], Callable[[], Any]]  # what it is given → what is measured


def measured(job: Job, given: Any, warm: Any, server: Server | None = None) -> Cost:
    """The cost of `job(given)()`, in a process that has run `job(warm)()` before: imports and engines are warm."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_run, args=(job, given, warm, theirs))
    process.start()
    theirs.close()
    ours.recv()
    before = server.cpu_seconds() if server else 0.0
    with _watched(server) as peaks:
        ours.send("go")
        wall_s, cpu_s, peak_mb, answer = ours.recv()
    after = server.cpu_seconds() if server else 0.0
    process.join()
    return Cost(wall_s, cpu_s + after - before, peak_mb + max(peaks), answer)


def _run(job: Job, given: Any, warm: Any, answer) -> None:  # noqa: ANN001
    job(warm)()
    measure = job(given)
    answer.send("ready")
    answer.recv()
    began, used = time.perf_counter(), _cpu_s()
    found = measure()
    wall_s, cpu_s = time.perf_counter() - began, _cpu_s() - used
    # Of this program alone: `getrusage` also remembers the process that this one was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    answer.send((wall_s, cpu_s, int(status.partition("VmHWM:")[2].split()[0]) / 1000, found))


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
