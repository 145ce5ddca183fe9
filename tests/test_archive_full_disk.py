"""A disk that gets full: what was there stays, what came is refused whole, and all goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import acts
from faults import bench as benches
from faults.bench import ERRORS, check, check_again, do, drafts, fresh, look

from coverage.archive.workspace import open_workspace
from coverage.errors import ArchiveUnavailable


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB of its own; skips where this process may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "0")
    acts.prepare(small_disk / "workspace")
    workspace = open_workspace(small_disk / "workspace")
    big = acts.write_log(small_disk / "big.csv", 3000)
    before, ballast, refused = acts.look(workspace.root), small_disk / "ballast", 0
    for free_kb in (0, 4, 8, 16, 24, 32, 40, 48, 64):
        fill(small_disk, ballast, free_kb)
        try:
            acts.receive(workspace, big)
        except (OSError, ArchiveUnavailable):
            refused += 1
            ballast.unlink()
            assert acts.look(workspace.root) == before, free_kb
            assert not drafts(workspace.root), free_kb
        else:
            ballast.unlink()
            break
    assert refused >= 3
    assert acts.receive(workspace, big).state == "committed"
    assert acts.look(workspace.root)["counted"] == before["counted"] + 3000


def fill(disk: Path, ballast: Path, free_kb: int) -> None:
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - free_kb * 1024
    ballast.write_bytes(b"\0" * max(free, 0))


def test_a_limit_on_the_size_of_files_loses_nothing(tmp_path: Path) -> None:
    """Where no small disk can be mounted this is what a full one looks like: writes end short, then fail."""
    outcomes = set()
    with benches.made(tmp_path.resolve(), None, ["receive_new"]) as bench:
        for longest_file in (1, 512, 4096, 20_000, 40_000, 60_000, 10_000_000):
            root = fresh(bench, "receive_new")
            answer = do(bench, "receive_new", longest_file=longest_file)
            outcomes.add(answer["outcome"] == "done")
            check(bench, "receive_new", look(bench), (longest_file, answer))
            assert answer["outcome"] == "done" or answer["outcome"].startswith(ERRORS), answer
            assert not drafts(root), answer
            check_again(bench, "receive_new", longest_file)
    assert outcomes == {True, False}
