"""Whether a kernel of ours became slower than it was, whatever the machine: CPU time held against a fixed peer's.

    python benchmarks/guard.py [--only judging …]

Each kernel and its reference, which our code has no part in, take turns on the same data in the same process and on one
core, and of each the least CPU time of several runs counts: their ratio hardly hangs on the machine or on what else it
does. `LIMITS` holds the ratio that a kernel may reach, some 1.6 times what was measured when it was set. Over its
limit: a line that says which kernel and by how much, and exit 1; under half of it: a hint that it may be lowered. The
data are made by `drives.py` and `ground.py` in a temporary folder. Less than a minute; CI runs it after the tests.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

AS_OF = date(2026, 11, 1)
SEED = 3
CANONICAL_ROWS, GNETTRACK_ROWS, DRIVEN_ROWS = 200_000, 100_000, 500_000
SMALL_ROWS, NEW_ROWS, SMALL_HAMLETS, VILLAGES, OVERLAID = 60_000, 500, 150, 500, 60

# CPU time of ours / of the reference that stands beside it.
LIMITS = {
    "canonical": 5.1,  # a file → archive; DuckDB's bare read_csv → parquet of it
    "gnettrack": 2.8,  # the same of a G-NetTrack log
    "thinning": 5.4,  # measurements → tests; the least group-by of the same part in DuckDB
    "judging": 6.0,  # tests → evidence and verdicts of their hexes; that same group-by
    "renewal": 1.3,  # a snapshot after one more small upload; judging everything
    "crosswalk": 0.8,  # villages × hexes; geopandas.overlay of the same sixty
    "kriging": 1.15,  # fitting and kriging; as many bare solutions by numpy
}

Job = Callable[[], object]


@dataclass(frozen=True)
class Kernel:
    """A piece of our work on made data, its reference, and how often each runs."""

    name: str
    ours: Job
    reference: Job
    runs: int = 3


def ratio(kernel: Kernel) -> float:
    """CPU time of ours / of the reference: each the least of its runs, in turn; the first one also warms up."""
    each = [(cpu_s(kernel.ours), cpu_s(kernel.reference)) for _ in range(kernel.runs)]
    return min(ours for ours, _ in each) / min(reference for _, reference in each)


def cpu_s(job: Job) -> float:
    """CPU seconds of all threads."""
    began = time.process_time()
    job()
    return time.process_time() - began


def complaints(found: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """A line for each kernel over its limit."""
    return [
        f"{name}: {value:.2f} times its reference, the limit is {limits[name]:.2f} ({value / limits[name]:.2f} times that)"
        for name, value in found.items()
        if value > limits[name]
    ]


def hints(found: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """A line for each kernel whose limit no longer guards anything."""
    return [
        f"{name}: {value:.2f} is under half of its limit {limits[name]:.2f}, which may be lowered to {1.6 * value:.2f}"
        for name, value in found.items()
        if value < limits[name] / 2
    ]


# --- the kernels, each with its data


def canonical(folder: Path) -> Kernel:
    return _reading(folder, "canonical", CANONICAL_ROWS)


def gnettrack(folder: Path) -> Kernel:
    return _reading(folder, "gnettrack", GNETTRACK_ROWS)


def _reading(folder: Path, kind: str, rows: int) -> Kernel:
    from reading import duckdb_bare, file_of, ingest

    file = file_of(folder, kind, rows)
    return Kernel(kind, partial(ingest, file), partial(duckdb_bare, file))


def thinning(folder: Path) -> Kernel:
    from coverage import engine, observations

    workspace, parts, bare = _driven(folder)
    backend = engine.connect()
    measurements = engine.read_measurements(backend, parts)

    def ours() -> None:
        observations.observe(measurements, workspace.criteria, AS_OF).release()

    return Kernel("thinning", ours, bare)


def judging(folder: Path) -> Kernel:
    from coverage import engine, judging, observations, tables
    from coverage.judging import Tested

    workspace, parts, bare = _driven(folder)
    backend, criteria = engine.connect(), workspace.criteria
    measurements = engine.read_measurements(backend, parts)
    tests = observations.observe(measurements, criteria, AS_OF)
    expired = observations.expired(measurements, criteria, AS_OF).cache()
    found = Tested(tests, expired, DRIVEN_ROWS, [observations.EVERYWHERE], [])
    places, pooled = (
        tables.schema(one).empty_table().to_pandas() for one in (tables.PLACES, tables.PLACE_HEXES)
    )

    def ours() -> None:
        judging.ground_verdicts(found, places, pooled, ["45204"], backend, criteria)

    return Kernel("judging", ours, bare)


def _driven(folder: Path):  # noqa: ANN202 - a workspace with its parts, and the bare group-by of them
    import duckdb
    from reading import file_of

    from coverage import intake
    from coverage.archive.committed import committed
    from coverage.archive.workspace import open_workspace
    from coverage.logs.context import Context

    workspace = open_workspace(folder / "driven")
    list(intake.ingest(workspace, file_of(folder, "canonical", DRIVEN_ROWS), Context()))
    parts = committed(workspace).parts
    files = [str(part.path) for part in parts]
    # What every thinning must do: a group for each phone and half-hour of each hex, with a median.
    query = (
        "SELECT operator, device, hex_res10, epoch(time_utc) // 1800, count(*), median(rsrp_dbm) "
        f"FROM read_parquet({files}) GROUP BY ALL"
    )
    engine = duckdb.connect()
    engine.execute("SET enable_progress_bar=false")
    return workspace, parts, lambda: engine.sql(query).to_arrow_table()


def renewal(folder: Path) -> Kernel:
    import numpy as np
    from drives import write_log
    from ground import world, write_places
    from whole_job import prepare

    from coverage import inputs, intake, pipeline, renewal
    from coverage.archive.workspace import existing_workspace
    from coverage.logs.context import Context

    ground, root = world(SEED, SMALL_HAMLETS), folder / "renewal"
    prepare(root, write_places(folder / "places", ground), warm=False)
    workspace = existing_workspace(root)
    for name, rows, phones in (("all", SMALL_ROWS, list(range(40))), ("one", NEW_ROWS, [41])):
        file = folder / f"{name}.csv"
        write_log(file, "canonical", ground, rows, phones, np.random.default_rng(SEED))
        list(intake.ingest(workspace, file, Context()))
        if name == "all":
            pipeline.assess(workspace, AS_OF)
    given = inputs.fetch(workspace, AS_OF)
    former = renewal.former(workspace, given)
    assert former is not None
    return Kernel(
        "renewal",
        lambda: pipeline.judge(given, former=former),
        lambda: pipeline.judge(given),
        runs=2,  # long, and warmed up by the assessment above
    )


def crosswalk(folder: Path) -> Kernel:
    from crosswalk import make, our_crosswalk, overlay, villages

    make(folder, VILLAGES)
    villages(folder).head(OVERLAID).to_parquet(folder / "villages.parquet")
    return Kernel("crosswalk", partial(our_crosswalk, folder), partial(overlay, folder))


def kriging(_folder: Path) -> Kernel:
    import numpy as np
    from threadpoolctl import threadpool_limits

    from coverage import kriging

    rng = np.random.default_rng(SEED)
    known_m, wanted_m = (rng.random((count, 3)) * [30_000, 30_000, 0] for count in (3000, 8000))
    levels_db = np.sin(known_m[:, 0] / 3000) * 8 + rng.normal(0, 2, len(known_m))
    # Positive definite, of the size of one fit.
    among = rng.random((500, 500))
    among = among @ among.T + 500 * np.eye(500)

    def ours() -> None:
        with threadpool_limits(1):
            variogram = kriging.fit(known_m, levels_db)
            kriging.krige(known_m, levels_db, wanted_m, variogram, mean_is_zero=True)

    def reference() -> None:
        with threadpool_limits(1):
            for _ in range(60):
                np.linalg.solve(among, among)

    return Kernel("kriging", ours, reference)


KERNELS = {
    one.__name__: one for one in (canonical, gnettrack, thinning, judging, renewal, crosswalk, kriging)
}


def measured(names: list[str]) -> Iterator[tuple[str, float]]:
    """The ratio of each kernel; one over its limit is measured once more before that is believed."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            kernel = KERNELS[name](Path(folder))
            found = ratio(kernel)
            yield name, min(found, ratio(kernel)) if found > LIMITS[name] else found


def judged(found: Mapping[str, float], limits: Mapping[str, float]) -> int:
    """The exit code, after what is to be said was said."""
    over = complaints(found, limits)
    for line in hints(found, limits):
        print(line)
    for line in over:
        print(line, file=sys.stderr)
    return 1 if over else 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(KERNELS), default=list(KERNELS))
    asked = parser.parse_args()
    # One core, before any library counts them: with several, threads that wait for each other cost CPU time too.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cpu, found = time.process_time(), {}
    for name, value in measured(asked.only):
        found[name] = value
        print(
            f"{name:10} {value:6.2f} (limit {LIMITS[name]:.2f}), {time.process_time() - cpu:.0f} s",
            flush=True,
        )
    sys.exit(judged(found, LIMITS))


if __name__ == "__main__":
    main()
