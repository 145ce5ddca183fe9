"""The processes beside the service, workers and those that answer: started with it, replaced when they die, ended with it."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coverage.archive import jobs
from coverage.archive.incoming import complete_whole
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.settings import METRICS_FOLDER, environment_with

log = logging.getLogger(__name__)
LAST_ANSWERS_S = 10  # how long requests may take to end once the service is being stopped
_LOOK_S = 0.5
_MOST_WAIT_S = 30.0  # between two starts of a process that dies at once
_LAST_JOB_S = 20.0  # then a worker is killed: what it was at is done again by the next one


@dataclass(frozen=True)
class _Kind:
    """A kind of child: its command, the open file and the variables it is handed, and how long its end may take.

    mend: what to do for one that died. give_back: what to do for one, by its number, whose end took too long.
    """

    name: str
    command: tuple[str, ...]
    mend: Callable[[Workspace], object]
    last_s: float
    give_back: Callable[[Workspace, int], object] = lambda _workspace, _process: None
    handed: tuple[int, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


@contextmanager
def workers(workspace: Workspace, count: int) -> Iterator[None]:
    """So many worker processes while the block runs."""
    # Jobs of a worker that was killed need not wait until their lease ends.
    kind = _Kind("worker", ("work",), jobs.release_dead, _LAST_JOB_S, jobs.give_back)
    with _kept(workspace, kind, count):
        yield


@contextmanager
def answering(workspace: Workspace, door: socket.socket, count: int, worker_count: int) -> Iterator[None]:
    """So many processes that answer at the door, beside so many workers, while the block runs; the door is closed then."""
    command = ("serve", "--workers", str(worker_count), "--door", str(door.fileno()))
    with _counting_together() as folder:
        # A killed one may have taken a sending's last byte without having said so.
        kind = _Kind(
            "server",
            command,
            complete_whole,
            LAST_ANSWERS_S + 5.0,
            handed=(door.fileno(),),
            variables={METRICS_FOLDER: str(folder)},
        )
        with _kept(workspace, kind, count) as stop:
            try:
                yield
            finally:
                stop.set()
                # Else clients would wait at a door behind which nobody is any more.
                door.close()


@contextmanager
def _counting_together() -> Iterator[Path]:
    """A folder in which the processes that answer count together, gone at the end of the block.

    In memory where there is such a place: a full disk would kill whoever counts in a file that is mapped into memory.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a random name and is ours alone
    inside = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(
        prefix="phusong-metrics-", dir=inside, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def _kept(workspace: Workspace, kind: _Kind, count: int) -> Iterator[threading.Event]:
    stop = threading.Event()
    keepers = [threading.Thread(target=_keep, args=(workspace, kind, stop)) for _ in range(count)]
    for keeper in keepers:
        keeper.start()
    try:
        yield stop
    finally:
        log.info("stopping", extra={"kind": kind.name})
        stop.set()
        for keeper in keepers:
            keeper.join()


def _keep(workspace: Workspace, kind: _Kind, stop: threading.Event) -> None:
    """Keep one process running until `stop` is set."""
    wait_s = _LOOK_S
    while not stop.is_set():
        _mend(workspace, kind)
        if stop.is_set():
            return
        child = _start(workspace, kind)
        log.info("process_started", extra={"kind": kind.name, "child": child.pid})
        lived_s = 0.0
        while child.poll() is None and not stop.wait(_LOOK_S):
            lived_s += _LOOK_S
        if child.poll() is None:
            _end(workspace, kind, child)
            return
        wait_s = _LOOK_S if lived_s > _MOST_WAIT_S else min(2 * wait_s, _MOST_WAIT_S)
        log.error("process_died", extra={"kind": kind.name, "child": child.pid, "exit": child.returncode})
        stop.wait(wait_s)


def _mend(workspace: Workspace, kind: _Kind) -> None:
    try:
        kind.mend(workspace)
    except PhusongError:
        log.exception("not_mended", extra={"kind": kind.name})


def _start(workspace: Workspace, kind: _Kind) -> subprocess.Popen[bytes]:
    manifest = {} if workspace.manifest_url is None else {"PHUSONG_MANIFEST": workspace.manifest_url}
    command = [sys.executable, "-m", "coverage", *kind.command, "--workspace", str(workspace.root)]
    command += ["--parent", str(os.getpid())]
    # A session of its own: Ctrl-C reaches the service only, which then lets it finish what it is at.
    return subprocess.Popen(  # noqa: S603 - our own command line
        command,
        env=environment_with(**manifest, **kind.variables),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=kind.handed,
    )


def _end(workspace: Workspace, kind: _Kind, child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(kind.last_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        _give_back(workspace, kind, child.pid)
    log.info("process_ended", extra={"kind": kind.name, "child": child.pid, "exit": child.returncode})


def _give_back(workspace: Workspace, kind: _Kind, process: int) -> None:
    try:
        kind.give_back(workspace, process)
    except PhusongError:  # then it comes back when the lease ends
        log.exception("not_given_back", extra={"kind": kind.name})
