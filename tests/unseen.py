"""Holds the reader against files that it has never seen: `python tests/unseen.py --files 1000 --seed 1`.

Each file is made from a seed (`unseen_files`), read as an upload without any option, and compared with what was
truly measured, row by row. Outcomes: right; partial = something that is in the file was left out; refused; wrong =
anything taken for what it is not, or left out so that a verdict would change; mute = refused without saying why
or how to help.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseen_drives import OPERATORS, Moment
from unseen_files import MODES, Made, make

from coverage.errors import FileRefused
from coverage.logs import Context, Reading, read_file
from coverage.logs.formats.profile import FIELDS
from coverage.tables import LEVEL_COLUMNS

NOW = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
OUTCOMES = ("right", "partial", "refused", "wrong", "mute")


@dataclass(frozen=True)
class Judged:
    """What became of a file, and the first thing that is not right about it."""

    outcome: str
    what: str
    file: str


def judge(made: Made, folder: Path) -> Judged:
    """The file, read as a stranger would send it, held against its truth."""
    path = folder / made.name
    path.write_bytes(made.data)
    try:
        (found,) = read_file(path, Context(), device_key=b"k", operator_names=OPERATORS, now=NOW)
    except FileRefused as refusal:
        return Judged("refused" if _helps(refusal, made) else "mute", refusal.en, made.name)
    finally:
        path.unlink()
    assert isinstance(found, Reading)
    return Judged(*_compared(found, made), made.name)


def _helps(refusal: FileRefused, made: Made) -> bool:
    """Whether a refusal names a column of the file or a field of ours, and a cure, in both languages."""
    things = {*FIELDS, *made.names.values()}
    return all(
        any(one in text for one in things) and ("--format" in text or "phusong mappings" in text)
        for text in (refusal.vi, refusal.en)
    )


def _compared(found: Reading, made: Made) -> tuple[str, str]:
    rows = {row["line"]: row for row in found.measurements.to_pylist()}
    partial = ""
    for index, truth in enumerate(made.drive.moments):
        row = rows.get(index + 2)
        if row is None:
            continue
        wrong, less = _differences(row, truth, made)
        if wrong:
            return "wrong", f"row {index + 2}: {wrong} ({found.format}: {found.columns})"
        partial = partial or less
    lost = [one for index, one in enumerate(made.drive.moments) if index + 2 not in rows]
    if not lost:
        return ("partial", f"{partial} ({found.format}: {found.columns})") if partial else ("right", "")
    why = f"{len(lost)} rows set aside: {Counter(found.outcomes['code'].to_pylist())} ({found.format}: {found.columns})"
    silence_lost = any(one.level is None for one in lost)
    silence_kept = any(row["service_state"] != "in_service" for row in rows.values())
    # A share of the rows without the others would tilt the verdict; no row at all says nothing.
    return ("wrong" if rows and (silence_lost or silence_kept) else "partial"), why


def _differences(row: dict[str, Any], truth: Moment, made: Made) -> tuple[str, str]:
    """What is wrong with a row that was read, and what was left out of it; empty where nothing is."""
    column = LEVEL_COLUMNS.get(truth.technology or "")
    levels = {name: row[name] for name in LEVEL_COLUMNS.values() if row[name] is not None}
    wrong = {
        "time": row["time_utc"] != truth.time_utc,
        "lat": abs(row["lat"] - truth.lat) > 1e-6,
        "lon": abs(row["lon"] - truth.lon) > 1e-6,
        "operator": row["operator"] != truth.operator,
        "technology": row["technology"] not in (None, truth.technology),
        "level": any(
            name != column or abs(value - (truth.level or 0)) > 0.01 for name, value in levels.items()
        ),
        "service": (row["service_state"] in ("no_service", "emergency_only") or truth.state != "in_service")
        and row["service_state"] != truth.state,
        "speed": row["speed_mps"] is not None and abs(row["speed_mps"] - truth.speed_mps) > 0.02,
    }
    less = {
        "technology": row["technology"] is None and truth.technology is not None,
        "level": not levels and truth.level is not None,
        "service": row["service_state"] != truth.state,
        "speed": row["speed_mps"] is None and made.with_speed,
    }
    return tuple(", ".join(name for name, is_so in one.items() if is_so) for one in (wrong, less))  # type: ignore[return-value]


def run(mode: str, files: int, seed: int) -> list[Judged]:
    """As many files of a mode, made from the seeds that follow this one."""
    with tempfile.TemporaryDirectory() as folder:
        return [judge(make(seed * 1_000_000 + one, mode), Path(folder)) for one in range(files)]


def shares(found: list[Judged]) -> dict[str, float]:
    """The share of each outcome."""
    counted = Counter(one.outcome for one in found)
    return {outcome: counted[outcome] / len(found) for outcome in OUTCOMES}


def main() -> None:
    """Print the shares by mode, and the first files that were not right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modes", default="ABCD")
    parser.add_argument(
        "--show", type=int, default=3, help="how many files to show of each outcome that is not right"
    )
    said = parser.parse_args()
    for mode in said.modes:
        found = run(mode, said.files, said.seed)
        told = "  ".join(f"{outcome} {share:.1%}" for outcome, share in shares(found).items())
        print(f"{mode} ({MODES[mode]}), {len(found)} files: {told}")
        for outcome in ("wrong", "mute", "partial", "refused"):
            for one in [one for one in found if one.outcome == outcome][: said.show]:
                print(f"  {outcome} {one.file}: {one.what[:600]}")


if __name__ == "__main__":
    main()
