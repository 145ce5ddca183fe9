"""Every call to the file system may fail or be the last: then all of an act is there or nothing of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from faults import acts, driver, power, shim
from faults.power import Lost
from faults.shim import What
from sqlalchemy.exc import OperationalError

from coverage.archive.workspace import open_workspace

ACTS = list(acts.ACTS)
# What may be raised where a disk fails: the system's own errors, and the database's wrapped.
ERRORS = ("OSError", "OperationalError", "FileNotFoundError")


@dataclass(frozen=True)
class Bench:
    """A process to break, a workspace to begin with, and for each act what there was before and is after."""

    process: subprocess.Popen[str]
    folder: Path
    before: dict[str, dict[str, Any] | None]
    after: dict[str, dict[str, Any]]
    calls: dict[str, list[shim.Call]]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("faults").resolve()
    library = shim.compile_shim(folder)
    acts.prepare(folder / "template")
    with driver.preloaded(library, folder) as process:
        made = Bench(process, folder, {}, {}, {})
        for act in ACTS:
            root, log = fresh(made, act), folder / "calls"
            made.before[act] = None if acts.ACTS[act].fresh else acts.look(root)
            assert driver.order(process, act, root, log=log)["outcome"] == "done"
            made.after[act] = acts.look(root)
            made.calls[act] = shim.calls(log)
            log.unlink()
        yield made


def fresh(bench: Bench, act: str) -> Path:
    root = bench.folder / "workspace"
    shutil.rmtree(root, ignore_errors=True)
    if not acts.ACTS[act].fresh:
        shutil.copytree(bench.folder / "template", root)
    return root


def points(calls: list[shim.Call], most: int = 25) -> list[int]:
    """The calls to break where not all are: of a run of like calls on one file the first and the last, spread out."""
    runs = ([call.turn for call in run] for _, run in groupby(calls, key=lambda call: (call.kind, call.path)))
    chosen = [turn for run in runs for turn in sorted({run[0], run[-1]})]
    return chosen[:: -(-len(chosen) // most)]


def drafts(root: Path) -> list[Path]:
    return list(root.rglob(".*"))


def check(bench: Bench, act: str, seen: dict[str, Any], where: object) -> None:
    """What is seen after a failure is what was before or what is after, and nothing between."""
    allowed = [one for one in (bench.before[act], bench.after[act]) if one is not None]
    assert seen in allowed, where


def check_again(bench: Bench, act: str, root: Path, where: object) -> None:
    acts.ACTS[act].do(root)
    assert acts.without_history(acts.look(root)) == acts.without_history(bench.after[act]), where


def test_the_shim_sees_calls_of_python_arrow_and_sqlite(bench: Bench) -> None:
    calls = bench.calls["receive_new"]
    seen = {(call.kind, call.path.suffix) for call in calls}
    assert {
        ("WRITE", ".part"),
        ("RENAME", ".part"),
        ("WRITE", ".sqlite-wal"),
        ("SYNC", ".sqlite-wal"),
    } <= seen
    turns = [call.turn for call in calls]
    assert turns == sorted(set(turns))


def stopped(bench: Bench, act: str, n: int, what: What) -> None:
    root, where = fresh(bench, act), (act, n, what)
    assert driver.order(bench.process, act, root, n, what) == {"stopped": True}, where
    if bench.before[act] is not None:
        check(bench, act, acts.look(root), where)
    check_again(bench, act, root, where)


def failed(bench: Bench, act: str, n: int, what: What) -> None:
    root = fresh(bench, act)
    answer = driver.order(bench.process, act, root, n, what, again=True)
    where = (act, n, what, answer["outcome"])
    assert answer["outcome"] == "done" or answer["outcome"].startswith(ERRORS), where
    check(bench, act, answer["between"], where)
    if answer["outcome"] == "done":
        assert answer["between"] == bench.after[act], where
    broken = next((call.kind for call in bench.calls[act] if call.turn == n), None)
    assert broken == "UNLINK" or not drafts(root), where
    assert answer["again"] == "done", where
    assert acts.without_history(answer["after"]) == acts.without_history(bench.after[act]), where
    assert acts.look(root) == answer["after"], where


@pytest.mark.parametrize("act", ACTS)
def test_a_process_that_ends_at_any_call_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for n in points(bench.calls[act]):
        stopped(bench, act, n, What.TEAR)


@pytest.mark.parametrize("act", ACTS)
def test_a_call_that_fails_leaves_all_or_nothing_and_the_process_goes_on(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench.calls[act], most=12)):
        failed(bench, act, n, (What.IO_ERROR, What.NO_SPACE, What.STAY_FULL)[number % 3])


@pytest.mark.soak
@pytest.mark.parametrize("what", [one for one in What if one is not What.NOTHING])
@pytest.mark.parametrize("act", ACTS)
def test_every_call_breaks_in_every_way(bench: Bench, act: str, what: What) -> None:
    for call in bench.calls[act]:
        (stopped if what in shim.STOPS else failed)(bench, act, call.turn, what)


def cut_off(bench: Bench, act: str, n: int, lost: Lost) -> None:
    """The process ends at that call (0: after all of them), and the power goes at the same moment."""
    root, log = fresh(bench, act), bench.folder / "cut"
    log.unlink(missing_ok=True)
    answer = driver.order(bench.process, act, root, n, What.STOP_BEFORE if n else What.NOTHING, log=log)
    before = bench.folder / ("template" if bench.before[act] is not None else "nothing")
    power.cut(shim.calls(log), before, root, lost)
    where = (act, n, lost)
    if answer.get("outcome") == "done":
        assert acts.look(root) == bench.after[act], where
    elif bench.before[act] is not None:
        check(bench, act, acts.look(root), where)
    check_again(bench, act, root, where)


@pytest.mark.parametrize("lost", list(Lost))
@pytest.mark.parametrize("act", ACTS)
def test_what_was_acknowledged_outlives_a_power_cut(bench: Bench, act: str, lost: Lost) -> None:
    cut_off(bench, act, 0, lost)


@pytest.mark.parametrize("act", ACTS)
def test_a_power_cut_at_any_moment_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench.calls[act], most=12)):
        cut_off(bench, act, n, list(Lost)[number % 3])


@pytest.mark.parametrize("act", ACTS)
def test_what_a_stopped_process_left_half_done_is_safe_once_it_was_done_again(bench: Bench, act: str) -> None:
    for call in bench.calls[act]:
        if call.kind in {"RENAME", "LINK"}:
            finish_and_cut_off(bench, act, call.turn)


def finish_and_cut_off(bench: Bench, act: str, n: int) -> None:
    root, log = fresh(bench, act), bench.folder / "finished"
    log.unlink(missing_ok=True)
    driver.order(bench.process, act, root, n, What.STOP_AFTER, log=log)
    assert driver.order(bench.process, act, root, log=log)["outcome"] == "done"
    before = bench.folder / ("template" if bench.before[act] is not None else "nothing")
    power.cut(shim.calls(log), before, root, Lost.BOTH)
    assert acts.without_history(acts.look(root)) == acts.without_history(bench.after[act]), (act, n)


@pytest.mark.soak
@pytest.mark.parametrize("lost", list(Lost))
@pytest.mark.parametrize("act", ACTS)
def test_a_power_cut_at_every_call_leaves_all_or_nothing(bench: Bench, act: str, lost: Lost) -> None:
    for call in bench.calls[act]:
        cut_off(bench, act, call.turn, lost)


def test_receipts_come_after_the_data_is_on_the_disk(bench: Bench) -> None:
    calls = bench.calls["receive_new"]
    renamed = [at for at, call in enumerate(calls) if call.kind == "RENAME"]
    assert len(renamed) == 2
    for at in renamed:
        (draft, part) = calls[at].path, Path(calls[at].other)
        mine = [call for call in calls[:at] if call.path == draft]
        assert mine[-1].kind == "SYNC", "the data is forced onto the disk before it has its name"
        assert int(mine[-1].other) == max(int(call.other or 0) for call in mine) > 0
        rest = [(call.kind, call.path.name) for call in calls[at:]]
        named, said = rest.index(("SYNC", part.parent.name)), rest.index(("WRITE", "manifest.sqlite-wal"))
        assert named < said < rest.index(("SYNC", "manifest.sqlite-wal")), (
            "its name is on the disk before the manifest speaks of it"
        )


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


def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path) -> None:
    acts.prepare(small_disk / "workspace")
    workspace = open_workspace(small_disk / "workspace")
    big = acts.write_log(small_disk / "big.csv", 3000)
    before, ballast, refused = acts.look(workspace.root), small_disk / "ballast", 0
    for free_kb in (0, 4, 8, 16, 24, 32, 40, 48, 64):
        fill(small_disk, ballast, free_kb)
        try:
            acts.receive(workspace, big)
        except (OSError, OperationalError):
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


@pytest.mark.parametrize("longest_file", [1, 512, 4096, 20_000, 40_000, 60_000])
def test_a_limit_on_the_size_of_files_loses_nothing(bench: Bench, longest_file: int) -> None:
    """Where no small disk can be mounted this is what a full one looks like: writes end short, then fail."""
    root = fresh(bench, "receive_new")
    answer = driver.order(bench.process, "receive_new", root, longest_file=longest_file)
    check(bench, "receive_new", acts.look(root), (longest_file, answer))
    assert answer["outcome"] == "done" or answer["outcome"].startswith(ERRORS), answer
    assert not drafts(root), answer
    check_again(bench, "receive_new", root, longest_file)
