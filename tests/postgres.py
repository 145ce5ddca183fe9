"""A PostgreSQL server of the tests' own: laid out in a temporary folder, reached by a socket in it, ended by its pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

_USER = "phusong"
_READY_S = 60


@dataclass(frozen=True)
class Server:
    """Where the server is: its programs, and the folder with its data, its socket and its log."""

    programs: Path
    folder: Path

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{_USER}@/{database}?host={self.folder}"

    def order(self, statement: str) -> None:
        """Run a statement that stands outside of any transaction."""
        with psycopg.connect(
            host=str(self.folder), user=_USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def programs() -> Path:
    """The folder with initdb and postgres; skips where there is none, fails where CI has none."""
    for found in (
        shutil.which("initdb"),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True),
    ):
        if found and Path(found).with_name("postgres").exists():
            return Path(found).resolve().parent
    missing = "PostgreSQL (initdb, postgres) is neither in PATH nor in /usr/lib/postgresql/*/bin"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def _whose() -> dict[str, str]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


def lay_out(folder: Path) -> Server:
    """A server that was never started; `folder` is new and its path short, for a socket must fit in 107 bytes."""
    server = Server(programs(), folder)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    options = ("--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
    command = [server.programs / "initdb", "-D", folder / "data", *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, **_whose())
    return server


def start(server: Server) -> subprocess.Popen[bytes]:
    """The server's process, once it answers."""
    settings = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={server.folder}")
    command = [server.programs / "postgres", "-D", server.folder / "data", *settings]
    with (server.folder / "log").open("ab") as told:
        process = subprocess.Popen(command, cwd=server.folder, stdout=told, stderr=told, **_whose())
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            server.order("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return process
    process.kill()
    raise RuntimeError((server.folder / "log").read_text(encoding="utf-8")[-2000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, its connections at once."""
    process.send_signal(signal.SIGINT)
    process.wait(_READY_S)


def crash(process: subprocess.Popen[bytes]) -> None:
    """End the server without writing anything more: it recovers from its log when it starts again."""
    process.send_signal(signal.SIGQUIT)
    process.wait(_READY_S)


@contextmanager
def database(server: Server) -> Iterator[str]:
    """The URL of a new database, gone at the end of the block."""
    name = f"t{uuid.uuid4().hex}"
    server.order(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.order(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_server() -> Iterator[Server]:
    """A running server while the block runs."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = lay_out(Path(folder))
        process = start(server)
        try:
            yield server
        finally:
            stop(process)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running server for all tests of this process."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of a database of this test's own."""
    with database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def manifest_url(request: pytest.FixtureRequest) -> str | None:
    """Each kind of manifest in turn: None for a SQLite file in the workspace, else a PostgreSQL database of its own."""
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
