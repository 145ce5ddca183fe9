"""What a hostile file costs: a line of a gibibyte, bombs and far cells take no more memory than a small file and a bit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_packed import FAR, TEXT, gzip_bomb, workbook, zip_bomb
from hostile_singles import HEADER, minutes, silent

MIB = 1024 * 1024
GIB = 1024 * MIB
GROWTH_MIB = 250  # blocks of 4 MiB, two of them at work, each taken apart
PEAK_MIB = 600
# Runs the command line and tells the most memory that it ever held: not what `getrusage` says, which remembers the
# process that this one was forked from.
_RUN = """
import re, sys
from pathlib import Path
from coverage.cli import main
try:
    main()
except SystemExit as end:
    print("PEAK", re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
    raise
"""


@dataclass(frozen=True)
class Done:
    """How a run ended; peak in MiB."""

    code: int
    out: str
    err: str
    peak: float


def ingest(path: Path, folder: Path) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, "ingest", str(path), "-w", str(folder), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    err, _, peak = done.stderr.rpartition("PEAK ")
    assert peak, done.stderr
    return Done(done.returncode, done.stdout, err, float(peak) / 1024)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The peak of a file of ten rows."""
    folder = tmp_path_factory.mktemp("small")
    path = folder / "log.csv"
    path.write_text("\n".join([HEADER, *minutes(10)]) + "\n", encoding="utf-8")
    done = ingest(path, folder / "workspace")
    assert done.code == 0
    return done.peak


def small_enough(done: Done, small: float) -> None:
    assert done.peak < PEAK_MIB
    assert done.peak - small < GROWTH_MIB
    assert "Traceback" not in done.err


def with_hole(path: Path, before: bytes, after: bytes, hole: int = GIB) -> Path:
    """A file with so many zero bytes in its middle, of which the disk holds nothing."""
    with path.open("wb") as stream:
        stream.write(before)
        stream.seek(hole, 1)
        stream.write(after)
    return path


@pytest.mark.parametrize("length", [512 * MIB, pytest.param(GIB, marks=pytest.mark.soak)])
def test_a_line_of_half_a_gibibyte_costs_itself_only(tmp_path: Path, small: float, length: int) -> None:
    before, after = "\n".join([HEADER, *minutes(50), ""]), f"\n{silent()}\n"
    path = with_hole(tmp_path / "log.csv", before.encode(), after.encode(), length)
    done = ingest(path, tmp_path / "workspace")
    assert done.code == 3
    (receipt,) = json.loads(done.out)
    counts = {name: receipt[name] for name in ("rows", "accepted", "rejected", "no_service")}
    assert counts == {"rows": 52, "accepted": 51, "rejected": 1, "no_service": 1}
    small_enough(done, small)


BOMBS = {
    "bomb.zip": (zip_bomb(2047), "packed like a bomb"),
    "lying-bomb.zip": (zip_bomb(2047, told=1), "cannot be read"),
    "bomb.csv.gz": (gzip_bomb(512), "packed like a bomb"),
    "far.xlsx": (workbook({"A": FAR}), "too wide"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(name: str, tmp_path: Path, small: float) -> None:
    path, (data, says) = tmp_path / name, BOMBS[name]
    path.write_bytes(data)
    done = ingest(path, tmp_path / "workspace")
    assert done.code == 2
    assert name in done.err
    assert says in done.err
    small_enough(done, small)


@pytest.mark.soak
@pytest.mark.parametrize(
    "head", [b'{"cellTowers": 1, "items": [', b"<kml><Document>", b"#START,08:00:00,,30.10.2026\n"]
)
def test_a_document_of_a_gibibyte_is_not_held(head: bytes, tmp_path: Path, small: float) -> None:
    path = with_hole(tmp_path / "log.json", head + b" " * MIB, TEXT)
    done = ingest(path, tmp_path / "workspace")
    assert done.code == 2
    assert "larger than 256 MB" in done.err
    assert (
        done.peak - small < 3 * 256 + GROWTH_MIB
    )  # as much of it as may be read is held, joined and looked at
    assert "Traceback" not in done.err
