"""A workspace that is made anew before every fault, over SQLite or PostgreSQL, and what it must look like after."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import postgres
import pytest

from faults import acts, driver, shim
from faults.shim import What

ACTS = list(acts.ACTS)
# What may be raised where a disk fails: the system's own errors, and the manifest's as ours.
ERRORS = ("OSError", "ArchiveUnavailable", "FileNotFoundError")


@dataclass(frozen=True)
class Bench:
    """A process to break, a workspace to begin with, and for each act what there was before and is after.

    server: where the manifest is in PostgreSQL; None = a SQLite file in the workspace.
    """

    process: subprocess.Popen[str]
    folder: Path
    server: postgres.Server | None
    before: dict[str, dict[str, Any] | None]
    after: dict[str, dict[str, Any]]
    calls: dict[str, list[shim.Call]]

    def origin(self, act: str) -> Path:
        """A copy of the workspace from before the act."""
        return self.folder / ("nothing" if acts.ACTS[act].fresh else "template")

    def url(self, database: str) -> str | None:
        return self.server and self.server.url(database)


@contextmanager
def made(folder: Path, server: postgres.Server | None, which: Sequence[str] = ACTS) -> Iterator[Bench]:
    """A bench in that folder, on which every act was done once without a fault."""
    library = shim.compile_shim(folder)
    with roomy(), driver.forking(folder, library) as process:
        bench = Bench(process, folder, server, {}, {}, {})
        if server:
            server.order("CREATE DATABASE faults_template")
        acts.prepare(folder / "template", bench.url("faults_template"))
        for act in which:
            fresh(bench, act)
            log = folder / "calls"
            bench.before[act] = None if acts.ACTS[act].fresh else look(bench)
            assert do(bench, act, log=log)["outcome"] == "done"
            bench.after[act] = look(bench)
            bench.calls[act] = shim.calls(log)
            log.unlink()
        yield bench
        if server:
            for name in ("faults", "faults_template"):
                server.order(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def roomy() -> Iterator[None]:
    """Take files in however little of the disk is free."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "0")
        yield


def fresh(bench: Bench, act: str) -> Path:
    root, laid_out = bench.folder / "workspace", not acts.ACTS[act].fresh
    shutil.rmtree(root, ignore_errors=True)
    if laid_out:
        shutil.copytree(bench.folder / "template", root)
    if bench.server:
        bench.server.order("DROP DATABASE IF EXISTS faults WITH (FORCE)")
        bench.server.order(
            f"CREATE DATABASE faults TEMPLATE {'faults_template' if laid_out else 'template0'}"
        )
    return root


def do(bench: Bench, act: str, n: int = 0, what: What = What.NOTHING, **more: Any) -> dict[str, Any]:
    return driver.break_act(
        bench.process, act, bench.folder / "workspace", n, what, url=bench.url("faults"), **more
    )


def look(bench: Bench) -> dict[str, Any]:
    return acts.look(bench.folder / "workspace", bench.url("faults"))


def points(bench: Bench, act: str, most: int) -> list[int]:
    """The calls to break where not all are: of a run of like calls on one file the first and the last, spread out."""
    alike = groupby(bench.calls[act], key=lambda call: (call.kind, call.path))
    runs = [[call.turn for call in run] for _, run in alike]
    chosen = [turn for run in runs for turn in sorted({run[0], run[-1]})]
    return chosen[:: max(1, -(-len(chosen) // most))]


def drafts(root: Path) -> list[Path]:
    return list(root.rglob(".*"))


def check(bench: Bench, act: str, seen: dict[str, Any], where: object) -> None:
    """What is seen after a failure is what was before or what is after, and nothing between.

    A worker takes two steps: first the upload counts, then its delivery is done.
    """
    before, after = bench.before[act], bench.after[act]
    if before is None:
        assert seen == after, where
    elif acts.ACTS[act].steps:
        assert all(seen[one] in (before[one], after[one]) for one in after), where
    else:
        assert seen in (before, after), where


def check_again(bench: Bench, act: str, where: object) -> None:
    acts.run(act, bench.folder / "workspace", bench.url("faults"))
    assert acts.without_history(look(bench)) == acts.without_history(bench.after[act]), where
