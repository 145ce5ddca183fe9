"""Field logs of any length for the benchmarks: simulated drives of 200 phones over the roads of a simulated province.

    python benchmarks/drives.py FOLDER [--rows 1000000 10000000 100000000] [--kinds canonical gnettrack] [--seed 3]

Written are `FOLDER/canonical-ROWS.csv`, one file as a server would send it on (drive after drive, in order of time),
and `FOLDER/gnettrack-ROWS/`, one file per phone as the app writes it. Never more than a block of rows is in memory.

A drive is one phone of one of four operators on a walk of about an hour over the roads between neighbouring hamlets,
one row a second, with stops; roads are driven again and again. The level falls with the distance to the nearest of its
operator's masts and wanders with the ground; below what a phone can hear there is no service. So many masts are left
out that 8 % of the rows are silent. One row in fifty repeats the row before it, as loggers do.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from ground import DRIVE_S, OPERATORS, WEAKEST_DBM, World, level_dbm, walks, world
from rich.progress import track

from coverage.simulate.logfiles import TEXT_HEADER

Floats = npt.NDArray[np.float64]
PHONES = 200
REPEATED_SHARE = 0.02
BLOCK_DRIVES = 70  # some 250,000 rows
FIRST_DAY, DAYS = np.datetime64("2026-01-02"), 290
MARK = "SIMULATED"


@dataclass(frozen=True)
class Rows:
    """Rows of a block: times as seconds since 1970 on the clocks of the province, levels NaN where silent."""

    second: npt.NDArray[np.int64]
    lon: Floats
    lat: Floats
    phone: npt.NDArray[np.int64]
    operator: npt.NDArray[np.int64]
    level: Floats
    new_radio: npt.NDArray[np.bool_]


def block(
    ground: World, phones: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], rng: np.random.Generator
) -> Rows:
    """The rows of some drives: whose phone each is, and the second in which it begins."""
    lon, lat = walks(ground, len(phones), rng)
    phone = np.repeat(phones, DRIVE_S)
    level = level_dbm(ground, lon, lat, phone % 4, rng)
    level[level < WEAKEST_DBM] = np.nan
    second = (begin[:, None] + np.arange(DRIVE_S)).reshape(-1)
    new_radio = (np.sin(lon * 700) > 0.8) & (phone % 3 == 0)
    twice = np.flatnonzero(rng.random(len(lon)) < REPEATED_SHARE)
    kept = np.sort(np.concatenate([np.arange(len(lon)), twice]))
    columns = (second, lon, lat, phone, phone % 4, np.round(level), new_radio)
    return Rows(*(column[kept] for column in columns))


def canonical(rows: Rows) -> pa.Table:
    silent = np.isnan(rows.level)
    technology = np.where(silent, "", np.where(rows.new_radio, "NR", "LTE"))
    level = pc.if_else(
        pa.array(silent), pa.scalar(None, pa.int64()), pa.array(np.nan_to_num(rows.level).astype(np.int64))
    )
    nr = pa.array(rows.new_radio)
    none = pa.scalar(None, pa.int64())
    return pa.table(
        {
            "time": _times(rows, "%Y-%m-%dT%H:%M:%S"),
            "lat": np.round(rows.lat, 6),
            "lon": np.round(rows.lon, 6),
            "operator": np.array(list(OPERATORS))[rows.operator],
            "technology": technology,
            "rsrp_dbm": pc.if_else(nr, none, level),
            "ss_rsrp_dbm": pc.if_else(nr, level, none),
            "service_state": np.where(silent, "no_service", "in_service"),
            "device": np.char.add(f"{MARK}-", rows.phone.astype(str)),
            "accuracy_m": 4 + rows.second % 9,
            "speed_mps": 9 + rows.second % 4,
        }
    )


def gnettrack(rows: Rows) -> pa.Table:
    """As the app writes it; its own extra TAB at the end of each row is an empty column."""
    silent = np.isnan(rows.level)
    known = {
        "Timestamp": _times(rows, "%Y.%m.%d_%H.%M.%S"),
        "Longitude": np.round(rows.lon, 6),
        "Latitude": np.round(rows.lat, 6),
        "Operatorname": np.where(silent, "NO_COVERAGE", np.array(list(OPERATORS.values()))[rows.operator]),
        "Operator": np.where(silent, "", np.array(list(OPERATORS))[rows.operator]),
        "Cellname": np.full(len(silent), MARK),
        "CellID": np.where(silent, "", (rows.second // 600 % 255 + 1).astype(str)),
        "LAC": np.where(silent, "", "7000"),
        "NetworkTech": np.where(silent, "--", "4G"),
        "Level": np.where(silent, -200, np.nan_to_num(rows.level)).astype(np.int64),
        "Qual": -(rows.second % 20),
        "SNR": rows.second % 30,
    }
    return pa.table(
        {name: known.get(name, np.full(len(silent), "-")) for name in TEXT_HEADER}
        | {"": np.full(len(silent), "")}
    )


def _times(rows: Rows, how: str) -> pa.Array:
    return pc.strftime(pa.array(rows.second).cast(pa.timestamp("s")), how)


def _begins(drives: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    day = FIRST_DAY.astype("M8[s]").astype(np.int64) + 86_400 * rng.integers(0, DAYS, drives)
    return np.sort(day + rng.integers(6 * 3600, 18 * 3600, drives))


def _blocks(ground: World, rows: int, phones: list[int], rng: np.random.Generator) -> Iterator[Rows]:
    """Blocks of drives by those phones until there are so many rows; the last one is cut."""
    drives = int(rows / DRIVE_S / (1 + REPEATED_SHARE)) + 2
    begins = _begins(drives, rng)
    who = rng.choice(np.array(phones), drives)
    left = rows
    while left > 0:
        for start in range(0, drives, BLOCK_DRIVES):
            chosen = slice(start, start + BLOCK_DRIVES)
            made = block(ground, who[chosen], begins[chosen], rng)
            yield Rows(*(column[:left] for column in vars(made).values()))
            left -= len(made.second)
            if left <= 0:
                return


def _write(path: Path, blocks: Iterator[Rows], as_table: Callable[[Rows], pa.Table], delimiter: str) -> None:
    options = pacsv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    with path.open("wb") as stream:
        for number, rows in enumerate(blocks):
            table = as_table(rows)
            if number == 0:
                stream.write((delimiter.join(name for name in table.column_names if name) + "\n").encode())
            pacsv.write_csv(table, stream, options)


FORMATS: dict[str, tuple[Callable[[Rows], pa.Table], str]] = {
    "canonical": (canonical, ","),
    "gnettrack": (gnettrack, "\t"),
}


def write_log(
    path: Path, kind: str, ground: World, rows: int, phones: list[int], rng: np.random.Generator
) -> None:
    """One file of so many rows, of drives by those phones."""
    as_table, delimiter = FORMATS[kind]
    _write(path, _blocks(ground, rows, phones, rng), as_table, delimiter)


def write_canonical(folder: Path, rows: int, seed: int = 3) -> Path:
    """The file of so many rows; one that is there already is taken as it is."""
    path = folder / f"canonical-{rows}.csv"
    if not path.exists():
        draft = path.with_suffix(".draft")
        total = int(rows / DRIVE_S / BLOCK_DRIVES) + 1
        blocks = track(
            _blocks(world(seed), rows, list(range(PHONES)), np.random.default_rng(seed)),
            path.name,
            total,
            transient=True,
        )
        _write(draft, iter(blocks), canonical, ",")
        draft.rename(path)
    return path


def write_gnettrack(folder: Path, rows: int, seed: int = 3) -> Path:
    """The folder of one file per phone, together of so many rows; one that is there already is taken as it is."""
    path = folder / f"gnettrack-{rows}"
    if not path.exists():
        draft, ground = folder / f"gnettrack-{rows}.draft", world(seed)
        draft.mkdir(parents=True, exist_ok=True)
        for phone in track(range(PHONES), path.name, transient=True):
            rng = np.random.default_rng([seed, phone])
            count = rows // PHONES + (phone < rows % PHONES)
            write_log(draft / f"phone-{phone:03}.txt", "gnettrack", ground, count, [phone], rng)
        draft.rename(path)
    return path


WRITERS = {"canonical": write_canonical, "gnettrack": write_gnettrack}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000])
    parser.add_argument("--kinds", nargs="+", choices=list(WRITERS), default=list(WRITERS))
    parser.add_argument("--seed", type=int, default=3)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for kind in asked.kinds:
        for rows in asked.rows:
            path = WRITERS[kind](asked.folder, rows, asked.seed)
            files = [path] if path.is_file() else sorted(path.iterdir())
            print(
                f"{path}: {len(files)} file(s), {rows:,} rows, {sum(file.stat().st_size for file in files) / 1e6:,.0f} MB"
            )


if __name__ == "__main__":
    main()
