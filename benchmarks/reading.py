"""What it costs to take a field log into the archive: time beside DuckDB's bare `read_csv → parquet` of the same
file and beside H3's binning of its points alone, peak memory as files grow, and what a file costs however short it is.

    python benchmarks/reading.py [--rows 1000000 10000000] [--kinds canonical gnettrack] [--runs 2] [--keep FOLDER]

Files are simulated drives (`drives.py`): canonical is 200 phones of four operators, gnettrack one phone's file, 8 % of
the rows without service, 2 % repeat the row before. Each job runs in a process of its own, jobs take turns, and of its
runs the one with the least CPU counts. Printed: seconds, CPU seconds (all threads), the ratio of CPU to DuckDB's, peak
resident memory. `--keep`: where the files are left for the next time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from measuring import Cost, prepared
from rich.progress import track

SHORT_FILES, SHORT_ROWS = 100, 10
SEED = 3
DELIMITERS = {"canonical": ",", "gnettrack": "\t"}


def path_of(folder: Path, kind: str, rows: int) -> Path:
    return folder / f"{kind}-one-{rows}.csv"


def file_of(folder: Path, kind: str, rows: int) -> Path:
    """The file of so many rows; one that is there already is taken as it is."""
    # Only here: what makes files would count as memory of the jobs.
    from drives import PHONES, write_log
    from ground import world

    if not (path := path_of(folder, kind, rows)).exists():
        draft = path.with_suffix(".draft")
        phones = list(range(PHONES)) if kind == "canonical" else [0]
        write_log(draft, kind, world(SEED), rows, phones, np.random.default_rng(SEED))
        draft.rename(path)
    return path


def ingest(path: Path) -> int:
    from coverage import intake
    from coverage.archive.workspace import open_workspace
    from coverage.logs import Context

    with tempfile.TemporaryDirectory() as folder:
        (receipt,) = intake.ingest(open_workspace(Path(folder) / "workspace"), path, Context())
    return int(receipt.rows)


def duckdb_bare(path: Path) -> int:
    import duckdb

    # The TAB that ends G-NetTrack's rows is one field more than its header has: DuckDB must be told, or gives up. Told
    # the names, it still reads with all cores (with `null_padding` it would not).
    with path.open(encoding="utf-8") as stream:
        header = stream.readline().rstrip("\n").split("\t")
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in (*header, "empty"))
    how = f", delim = '\t', skip = 1, header = false, columns = {{{names}}}"
    how = how if path.name.startswith("gnettrack") else ""
    with tempfile.TemporaryDirectory() as folder:
        query = f"COPY (SELECT * FROM read_csv('{path}'{how})) TO '{folder}/bare.parquet' (FORMAT parquet)"
        return int(duckdb.execute(query).fetchone()[0])


def points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import pyarrow.csv as pacsv

    kind = path.name.split("-")[0]
    names = ("lat", "lon") if kind == "canonical" else ("Latitude", "Longitude")
    with path.open(encoding="utf-8") as stream:
        header = stream.readline().rstrip("\n").split(DELIMITERS[kind])
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(column_names=[*header, *[""] * (kind == "gnettrack")], skip_rows=1),
        parse_options=pacsv.ParseOptions(delimiter=DELIMITERS[kind]),
        convert_options=pacsv.ConvertOptions(include_columns=list(names)),
    )
    return table[names[0]].to_numpy(), table[names[1]].to_numpy()


def h3_bare(lat: np.ndarray, lon: np.ndarray) -> int:
    from h3ronpy.vector import coordinates_to_cells

    return len(coordinates_to_cells(lat, lon, 10))


JOBS: dict[str, tuple[Callable[[Path], tuple[object, ...]], Callable[..., int]]] = {
    "ingest": (lambda path: (path,), ingest),
    "DuckDB": (lambda path: (path,), duckdb_bare),
    "H3 alone": (points, h3_bare),
}


def _ready(job: str, path: Path) -> Callable[[], int]:
    given, work = JOBS[job]
    work(*given(path_of(path.parent, path.name.split("-")[0], SHORT_ROWS)))  # imports and engines are warm
    return partial(work, *given(path))


def short_files_ms(kind: str, folder: Path) -> float:
    """CPU milliseconds that one of many short files costs, each a file of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_short_files, (kind, folder))


def _short_files(kind: str, folder: Path) -> float:
    from coverage import intake
    from coverage.archive.workspace import open_workspace
    from coverage.logs import Context

    header, *rows = file_of(folder, kind, SHORT_ROWS * SHORT_FILES).read_bytes().splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as name:
        workspace = open_workspace(Path(name) / "workspace")
        spent = []
        for start in range(0, len(rows), SHORT_ROWS):
            path = Path(name) / f"log-{start}.csv"
            path.write_bytes(b"".join([header, *rows[start : start + SHORT_ROWS]]))
            cpu = time.process_time()
            list(intake.ingest(workspace, path, Context()))
            spent.append(time.process_time() - cpu)
    return 1000 * float(np.median(spent))


def runs(
    kinds: list[str], sizes: list[int], times: int, folder: Path
) -> Iterator[tuple[str, int, str, Cost]]:
    for kind in kinds:
        file_of(folder, kind, SHORT_ROWS)
        for rows in sizes:
            path = file_of(folder, kind, rows)
            turns = [
                {job: prepared(_ready, job, path) for job in JOBS}
                for _ in track(range(times), f"{kind} {rows:,}", transient=True)
            ]
            for job in JOBS:
                best = min((turn[job] for turn in turns), key=lambda cost: cost.cpu_s)
                assert best.answer == rows, f"{job}: {best.answer} of {rows} rows"
                yield kind, rows, job, best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--kinds", nargs="+", choices=list(DELIMITERS), default=list(DELIMITERS))
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = list(runs(asked.kinds, asked.rows, asked.runs, folder))
        short = {kind: short_files_ms(kind, folder) for kind in asked.kinds}
    print("| format | rows | job | seconds | CPU s | CPU to DuckDB's | peak MB |")
    print("|---|---|---|---|---|---|---|")
    bare = {(kind, rows): cost.cpu_s for kind, rows, job, cost in found if job == "DuckDB"}
    for kind, rows, job, cost in found:
        ratio = cost.cpu_s / bare[kind, rows]
        print(
            f"| {kind} | {rows:,} | {job} | {cost.seconds:.2f} | {cost.cpu_s:.2f} | {ratio:.2f} | {cost.peak_mb:.0f} |"
        )
    for kind in asked.kinds:
        peaks = [cost.peak_mb for name, _, job, cost in found if (name, job) == (kind, "ingest")]
        print(
            f"{kind}: peak memory grows {peaks[-1] / peaks[0]:.2f} times from {asked.rows[0]:,} to {asked.rows[-1]:,} rows; "
            f"a file of {SHORT_ROWS} rows costs {short[kind]:.0f} ms of CPU"
        )


if __name__ == "__main__":
    sys.exit(main())
