"""Four processes at once, killed at random moments: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import postgres
import pytest
from faults import acts, crew, driver
from faults.bench import roomy
from test_flow import add_two_villages

from coverage import work
from coverage.archive import deciding, deliveries
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, open_workspace

WORKERS = 4
FEW, MANY = 3, 5  # rounds
MANIFESTS = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    with roomy(), driver.forking(tmp_path_factory.mktemp("kills")) as process:
        yield process


@dataclass
class Database:
    """A PostgreSQL server that this test may crash."""

    server: postgres.Server
    process: subprocess.Popen[bytes]

    def crash(self) -> None:
        postgres.crash(self.process)
        self.process = postgres.start(self.server)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = postgres.lay_out(Path(folder))
        mine = Database(server, postgres.start(server))
        try:
            yield mine
        finally:
            postgres.stop(mine.process)


def laid_out(folder: Path, url: str | None) -> Workspace:
    workspace = open_workspace(folder / "workspace", manifest_url=url)
    add_two_villages(workspace, folder)
    for name in crew.SHARED:
        acts.write_log(folder / name, crew.ROWS)
    return workspace


def killed_rounds(
    forks: subprocess.Popen[str], workspace: Workspace, rounds: int, seed: int, database: Database | None
) -> None:
    random, folder = Random(seed), workspace.root.parent
    told: list[Path] = []
    for turn in range(rounds):
        now = [folder / f"told-{turn}-{worker}" for worker in range(WORKERS)]
        pids = [
            driver.set_to_work(forks, workspace.root, workspace.manifest_url, random.getrandbits(32), path)
            for path in now
        ]
        told += now
        wait_for_one(now)
        time.sleep(random.uniform(0, 0.8))
        if database and random.random() < 0.5:
            database.crash()
            time.sleep(random.uniform(0, 0.5))
        driver.kill(forks, pids)
        crew.check(workspace, promised(told))
        acts.let_time_pass(workspace)
    finish(workspace)
    safe = promised(told)
    crew.check(workspace, safe)
    crew.check_all_was_read(workspace, safe)
    assert [found for found in verify(workspace) if found.severity == "damage"] == []
    assert len(safe.received) >= rounds, "the crew hardly did anything"


def wait_for_one(told: list[Path]) -> None:
    """Until somebody was told something: a busy machine may be slow to begin."""
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(path.exists() and path.stat().st_size for path in told):
        time.sleep(0.02)


def promised(told: list[Path]) -> crew.Acknowledged:
    """What all of them were told, together; the files of one are no other's, but for the shared ones."""
    together = crew.Acknowledged()
    for path in told:
        one = crew.acknowledged(whole_lines(path))
        together.received |= one.received
        together.lasting |= one.lasting
        together.sent |= one.sent
        together.delivered |= one.delivered
        together.published |= one.published
    return together


def whole_lines(path: Path) -> Iterator[dict[str, object]]:
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else ():
        if line.endswith("\n"):  # a line that was cut says nothing
            yield json.loads(line)


def finish(workspace: Workspace) -> None:
    """Let the work be done that waits; what ended three workers is told to be tried again."""
    work.run_due(workspace, lambda: acts.TODAY)
    for one in deliveries.list_deliveries(workspace):
        if one.state == "failed":
            deciding.retry(workspace, one.delivery_id)
    work.run_due(workspace, lambda: acts.TODAY)


def kill_and_check(
    request: pytest.FixtureRequest, folder: Path, manifest: str, rounds: int, seed: int
) -> None:
    print(f"seed {seed}")
    database = request.getfixturevalue("database") if manifest == "postgresql" else None
    name = f"kills{seed}"
    if database:
        database.server.order(f"CREATE DATABASE {name}")
    workspace = laid_out(folder, database and database.server.url(name))
    killed_rounds(request.getfixturevalue("forks"), workspace, rounds, seed, database)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_what_was_acknowledged_outlives_kills(
    request: pytest.FixtureRequest, tmp_path: Path, manifest: str
) -> None:
    kill_and_check(request, tmp_path, manifest, FEW, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, *range(100, 120)])
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_what_was_acknowledged_outlives_many_kills(
    request: pytest.FixtureRequest, tmp_path: Path, manifest: str, seed: int
) -> None:
    kill_and_check(request, tmp_path, manifest, MANY, seed)
