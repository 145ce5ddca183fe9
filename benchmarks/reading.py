"""What it costs to take a field log into the archive: time beside DuckDB's bare `read_csv → parquet` of the same
file, and peak memory as files grow.

    python benchmarks/reading.py [--rows 1000000 5000000]

Files are synthetic: crews of four operators and 200 phones, 8 % of the rows without service. Each job runs in a
process of its own, and the faster of two runs counts. Printed: seconds, ratio to DuckDB, peak resident memory, and its
growth from the smallest file to the largest.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from rich.progress import track

CHUNK = 250_000
RUNS = 2


def columns(rows: int, start: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Some rows as both formats need them: a drive, one row a second, every 32nd operator and phone in turn."""
    silent = rng.random(rows) < 0.08
    return {
        "time": np.datetime64("2026-01-01T00:00:00") + np.arange(start, start + rows) // 4,
        "lat": np.round(11.5 + np.cumsum(rng.normal(0, 1e-5, rows)), 6),
        "lon": np.round(108.0 + np.cumsum(rng.normal(0, 1e-5, rows)), 6),
        "operator": rng.choice(np.array(["45201", "45202", "45204", "45205"]), rows),
        "level": rng.integers(-125, -70, rows),
        "phone": rng.integers(0, 200, rows),
        "silent": silent,
    }


def canonical(rows: int, start: int, rng: np.random.Generator) -> pa.Table:
    made = columns(rows, start, rng)
    silent = made["silent"]
    return pa.table(
        {
            "time": np.datetime_as_string(made["time"]),
            "lat": made["lat"],
            "lon": made["lon"],
            "operator": made["operator"],
            "technology": np.where(silent, "", "LTE"),
            "rsrp_dbm": np.where(silent, "", made["level"].astype(str)),
            "service_state": np.where(silent, "no_service", "in_service"),
            "device": np.char.add("phone", made["phone"].astype(str)),
            "accuracy_m": 5 + made["phone"] % 20,
            "speed_mps": made["phone"] % 15,
        }
    )


def gnettrack(rows: int, start: int, rng: np.random.Generator) -> pa.Table:
    """One operator and phone, as the app writes it; its own extra TAB at the end of each row is an empty column."""
    from coverage.simulate.logfiles import TEXT_HEADER

    made = columns(rows, start, rng)
    silent, time_ = made["silent"], np.datetime_as_string(made["time"])
    known = {
        "Timestamp": pa.compute.replace_substring_regex(
            pa.array(time_), r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)", r"\1.\2.\3_\4.\5.\6"
        ),
        "Longitude": made["lon"],
        "Latitude": made["lat"],
        "Operatorname": np.where(silent, "NO_COVERAGE", "Viettel"),
        "Operator": np.where(silent, "", "45204"),
        "CellID": np.where(silent, "", made["phone"].astype(str)),
        "LAC": np.where(silent, "", "7000"),
        "NetworkTech": np.where(silent, "--", "4G"),
        "Level": np.where(silent, -200, made["level"]),
        "Qual": -(made["phone"] % 20),
        "SNR": made["phone"] % 30,
    }
    return pa.table(
        {name: known.get(name, np.full(rows, "-")) for name in TEXT_HEADER} | {"": np.full(rows, "")}
    )


FORMATS: dict[str, tuple[Callable[..., pa.Table], str]] = {
    "canonical": (canonical, ","),
    "gnettrack": (gnettrack, "\t"),
}


def write(path: Path, kind: str, rows: int) -> None:
    make, delimiter = FORMATS[kind]
    rng = np.random.default_rng(3)
    with path.open("wb") as stream:
        for start in range(0, rows, CHUNK):
            table = make(min(CHUNK, rows - start), start, rng)
            if start == 0:
                stream.write((delimiter.join(name for name in table.column_names if name) + "\n").encode())
            options = pacsv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
            pacsv.write_csv(table, stream, options)


def ingest(path: Path) -> int:
    from coverage import intake
    from coverage.archive.workspace import open_workspace
    from coverage.logs import Context

    with tempfile.TemporaryDirectory() as folder:
        (receipt,) = intake.ingest(open_workspace(Path(folder) / "workspace"), path, Context())
    return int(receipt.accepted)


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


def measured(job: Callable[[Path], int], path: Path) -> tuple[float, float, int]:
    """Seconds, peak resident MB and rows of a job in a process of its own."""
    ours, theirs = get_context("spawn").Pipe(duplex=False)
    process = get_context("spawn").Process(target=_run, args=(job, path, theirs))
    process.start()
    found: tuple[float, float, int] = ours.recv()
    process.join()
    assert process.exitcode == 0, f"{job.__name__} failed"
    return found


def _run(job: Callable[[Path], int], path: Path, answer) -> None:  # noqa: ANN001
    job_of_ten = path.with_name(f"{path.stem.split('-')[0]}-10.csv")
    job(job_of_ten)  # imports and engines are warm: what counts is the file
    began = time.perf_counter()
    rows = job(path)
    seconds = time.perf_counter() - began
    # Of this program alone: `getrusage` also remembers the process that this one was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    answer.send((seconds, int(status.partition("VmHWM:")[2].split()[0]) / 1000, rows))


def runs(sizes: list[int], folder: Path) -> Iterator[tuple[str, int, float, float, float]]:
    for kind in FORMATS:
        write(folder / f"{kind}-10.csv", kind, 10)
        for rows in track(sizes, kind, transient=True):
            path = folder / f"{kind}-{rows}.csv"
            write(path, kind, rows)
            own = min(measured(ingest, path) for _ in range(RUNS))
            bare = min(measured(duckdb_bare, path) for _ in range(RUNS))
            assert own[2] == bare[2] == rows, f"{own[2]} and {bare[2]} of {rows} rows"
            path.unlink()
            yield kind, rows, own[0], own[0] / bare[0], own[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    sizes = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        found = list(runs(sizes, Path(folder)))
    print(f"{'format':<10} {'rows':>10} {'seconds':>8} {'ratio to DuckDB':>16} {'peak MB':>8}")
    for kind, rows, seconds, ratio, peak in found:
        print(f"{kind:<10} {rows:>10,} {seconds:>8.2f} {ratio:>16.2f} {peak:>8.0f}")
    for kind in FORMATS:
        peaks = [peak for name, *_, peak in found if name == kind]
        print(
            f"{kind}: peak memory grows {peaks[-1] / peaks[0]:.2f} times from {sizes[0]:,} to {sizes[-1]:,} rows"
        )


if __name__ == "__main__":
    sys.exit(main())
