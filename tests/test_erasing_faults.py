"""An erasure that breaks at any call leaves the old state or the new one, and done again it is whole; others lose nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import postgres
import pytest
from erasures import PHONES, REASON, add, assert_agrees, assert_gone, erased, lines, rows_that_count, write
from faults import driver, power, shim
from faults.bench import ERRORS, roomy
from faults.power import Lost
from faults.shim import What
from keeping import ingest
from sqlalchemy import select

from coverage.archive import audit, compaction, erasing, tidying, uploads
from coverage.archive.manifest import reading
from coverage.archive.schema import COMPACTED, EVENTS, UPLOADS
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, open_workspace
from coverage.logs.context import Context

PHONE = PHONES[0]
CHILD = f"""
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:]
from coverage.archive import erasing
from faults import acts, child
def erase(workspace, _):
    erasing.erase_device(workspace, erasing.hash_of(workspace, {PHONE!r}), {REASON!r})
acts.MOVES["erase"] = erase
child._main()
"""


@dataclass(frozen=True)
class Bench:
    """A process to break, a folder with a workspace `template`, and the server where the manifest is in PostgreSQL.

    before, after: the state of the workspace when nothing breaks; calls: those of the erasure.
    """

    process: subprocess.Popen[str]
    folder: Path
    server: postgres.Server | None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    calls: list[shim.Call] = field(default_factory=list)

    def workspace(self) -> Workspace:
        url = None if self.server is None else self.server.url("erasing")
        return open_workspace(self.folder / "workspace", manifest_url=url)

    def fresh(self) -> Workspace:
        """The workspace as it was, before every fault."""
        shutil.rmtree(self.folder / "workspace", ignore_errors=True)
        shutil.copytree(self.folder / "template", self.folder / "workspace")
        if self.server is not None:
            self.server.order("DROP DATABASE IF EXISTS erasing WITH (FORCE)")
            self.server.order("CREATE DATABASE erasing TEMPLATE erasing_template")
        return self.workspace()

    def erase(self, n: int = 0, what: What = What.NOTHING, log: Path | None = None) -> dict[str, Any]:
        url = None if self.server is None else self.server.url("erasing")
        told = {"url": url, "file": "", "log": log}
        return driver.break_act(self.process, "erase", self.folder / "workspace", n, what, **told)

    def points(self) -> list[int]:
        """Some of the calls, spread out."""
        turns, most = [call.turn for call in self.calls if call.turn], 6 if self.server is None else 3
        return turns[:: max(1, -(-len(turns) // most))]


def rehearsed(bench: Bench) -> Bench:
    """The bench, once an erasure was done on it that nothing broke."""
    log = bench.folder / "calls"
    before = state(bench.fresh())
    assert bench.erase(log=log)["outcome"] == "done"
    after = state(bench.workspace())
    assert sum(erased(bench.workspace()).values()) == 5 * 6
    assert before != after
    return replace(bench, before=before, after=after, calls=shim.calls(log))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("erasing").resolve()
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    if server is not None:
        server.order("CREATE DATABASE erasing_template")
    prepare(folder, None if server is None else server.url("erasing_template"))
    environment = os.environ | {
        "PHUSONG_FREE_DISK_FLOOR_MB": "0",
        "LD_PRELOAD": str(shim.compile_shim(folder)),
        "FAULT_ROOT": str(folder),
    }
    command = [sys.executable, "-c", CHILD, str(driver.SOURCE), str(driver.TESTS)]
    pipe = subprocess.PIPE
    with (
        roomy(),
        subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process,
    ):
        yield rehearsed(Bench(process, folder, server))
        assert process.stdin is not None
        process.stdin.close()
    if server is not None:
        for name in ("erasing", "erasing_template"):
            server.order(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def prepare(folder: Path, url: str | None) -> None:
    """Compacted rows, rows in a part of their own, a withdrawn upload, a former reading, one upload of that phone only."""
    workspace = open_workspace(folder / "template", manifest_url=url)
    add(workspace, folder, 1, 2)
    ingest(workspace, write(folder, 3, lines(3, [PHONE])))
    compaction.compact(workspace)
    tidying.tidy(workspace, tidying.timedelta(0))
    back, _ = add(workspace, folder, 4, 5)
    uploads.withdraw(workspace, back, "thử")
    bare = folder / "bare.csv"
    bare.write_text("time,lat,lon,technology,rsrp_dbm\n2026-05-01 08:00:00,11.9,108.4,LTE,-90\n")
    ingest(workspace, bare, Context(operator="45204", device=PHONE))
    ingest(workspace, bare, Context(operator="45204", device=PHONES[1]))


def state(workspace: Workspace) -> dict[str, Any]:
    """What the manifest says, times left out, and the rows that count."""
    with reading(workspace.manifest) as connection:
        rows = [
            sorted(tuple(row) for row in connection.execute(asked).all())
            for asked in (
                select(UPLOADS.c.upload_id, UPLOADS.c.state, UPLOADS.c.erased, UPLOADS.c.measurements_part),
                select(EVENTS.c.upload_id, EVENTS.c.action),
                select(COMPACTED),
            )
        ]
    counted = rows_that_count(workspace)
    assert audit.verify(workspace).broken is None
    assert [one for one in verify(workspace) if one.severity == "damage"] == []
    return {"uploads": rows[0], "events": rows[1], "counted": counted}


def assert_one_of_two(bench: Bench, where: object) -> None:
    assert state(bench.workspace()) in (bench.before, bench.after), where
    assert bench.erase()["outcome"] == "done", where
    assert state(bench.workspace()) == bench.after, where
    assert_gone(bench.workspace(), PHONE)


def test_a_process_that_ends_at_any_call_leaves_the_old_state_or_the_new_one(bench: Bench) -> None:
    for n in bench.points():
        bench.fresh()
        assert bench.erase(n, What.TEAR) == {"stopped": True}, n
        assert_one_of_two(bench, n)


def test_a_call_that_fails_leaves_the_old_state_or_the_new_one(bench: Bench) -> None:
    for number, n in enumerate(bench.points()):
        bench.fresh()
        outcome = bench.erase(n + 1, (What.IO_ERROR, What.NO_SPACE)[number % 2])["outcome"]
        assert outcome == "done" or outcome.startswith((*ERRORS, "ArchiveDamaged")), (n, outcome)
        assert_one_of_two(bench, (n, outcome))


def test_a_power_cut_leaves_the_old_state_or_the_new_one(bench: Bench) -> None:
    log = bench.folder / "cut"
    for number, n in enumerate([0, *bench.points()]):
        root = bench.fresh().root
        log.unlink(missing_ok=True)
        bench.erase(n and n + 2, What.STOP_BEFORE if n else What.NOTHING, log)
        power.cut(shim.calls(log), bench.folder / "template", root, list(Lost)[number % 3])
        if not n:
            assert state(bench.workspace()) == bench.after
        assert_one_of_two(bench, n)


def test_former_parts_go_after_the_manifest_says_so_and_not_before(bench: Bench) -> None:
    kinds = [(call.kind, call.path.name) for call in bench.calls]
    removed = [at for at, (kind, name) in enumerate(kinds) if kind == "UNLINK" and name.endswith(".parquet")]
    named = [at for at, (kind, _) in enumerate(kinds) if kind == "RENAME"]
    assert (
        len(removed) == 4
    )  # that of a withdrawn upload, an own one, the compacted one, and a former reading's
    assert max(named) < min(removed)
    if bench.server is None:
        assert ("SYNC", "manifest.sqlite-wal") in kinds[max(named) : min(removed)]
    assert ("SYNC", "parts") in kinds[max(removed) :]


INGEST = """
import sys
from pathlib import Path
from coverage import intake
from coverage.archive.workspace import open_workspace
from coverage.logs.context import Context
workspace = open_workspace(Path(sys.argv[1]), None, sys.argv[2] or None)
for file in sys.argv[3:]:
    list(intake.ingest(workspace, Path(file), Context()))
"""


def test_four_processes_send_while_one_erases_and_lose_nothing_else(
    tmp_path: Path, manifest_url: str | None
) -> None:
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    command = [sys.executable, "-c", INGEST, str(workspace.root), manifest_url or ""]
    files = [str(write(tmp_path, which)) for which in range(16)]
    senders = [subprocess.Popen([*command, *files[at::4]]) for at in range(4)]
    digest, rounds = erasing.hash_of(workspace, PHONE), 0
    while any(one.poll() is None for one in senders):
        rounds += bool(erasing.erase_device(workspace, digest, REASON).rows)
        time.sleep(0.02)
    assert [one.wait() for one in senders] == [0] * 4
    erasing.erase_device(workspace, digest, REASON)
    assert rounds
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)
    assert erased(workspace) == {row["upload_id"]: 6 for row in uploads.list_uploads(workspace)}
    assert len(rows_that_count(workspace)) == 16 * (len(lines(0)) - 6)
