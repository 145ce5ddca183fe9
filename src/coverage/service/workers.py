"""The processes beside the service, workers and those that answer: started with it, replaced when they die, ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from coverage.archive import jobs
from coverage.archive.incoming import complete_whole
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.settings import environment_with

LAST_ANSWERS_S = 10  # how long requests may take to end once the service is being stopped
_LOOK_S = 0.5
_MOST_WAIT_S = 30.0  # between two starts of a process that dies at once
_LAST_JOB_S = 20.0  # then a worker is killed: what it was at is done again by the next one


@dataclass(frozen=True)
class _Kind:
    """A kind of child: its command and the open file it is handed, what to do for one that died, how long its end may take."""

    name: str
    command: tuple[str, ...]
    mend: Callable[[Workspace], object]
    last_s: float
    handed: tuple[int, ...] = ()


@contextmanager
def workers(workspace: Workspace, count: int) -> Iterator[None]:
    """So many worker processes while the block runs."""
    # Jobs of a worker that was killed need not wait until their lease ends.
    kind = _Kind("worker", ("work",), jobs.release_dead, _LAST_JOB_S)
    with _kept(workspace, kind, count):
        yield


@contextmanager
def answering(workspace: Workspace, door: int, count: int) -> Iterator[None]:
    """So many processes that answer at the door, a listening socket's file number, while the block runs."""
    command = ("serve", "--workers", "0", "--door", str(door))
    # A killed one may have taken a sending's last byte without having said so.
    kind = _Kind("server", command, complete_whole, LAST_ANSWERS_S + 5.0, (door,))
    with _kept(workspace, kind, count):
        yield


@contextmanager
def _kept(workspace: Workspace, kind: _Kind, count: int) -> Iterator[None]:
    stop = threading.Event()
    keepers = [threading.Thread(target=_keep, args=(workspace, kind, stop)) for _ in range(count)]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        stop.set()
        for keeper in keepers:
            keeper.join()


def _keep(workspace: Workspace, kind: _Kind, stop: threading.Event) -> None:
    """Keep one process running until `stop` is set."""
    wait_s = _LOOK_S
    while not stop.is_set():
        _mend(workspace, kind)
        child = _start(workspace, kind)
        lived_s = 0.0
        while child.poll() is None and not stop.wait(_LOOK_S):
            lived_s += _LOOK_S
        if child.poll() is None:
            _end(child, kind.last_s)
            return
        wait_s = _LOOK_S if lived_s > _MOST_WAIT_S else min(2 * wait_s, _MOST_WAIT_S)
        print(f"{kind.name} {child.pid}: {child.returncode}", file=sys.stderr, flush=True)
        stop.wait(wait_s)


def _mend(workspace: Workspace, kind: _Kind) -> None:
    try:
        kind.mend(workspace)
    except PhusongError as fault:
        print(f"{kind.name}: {fault.en}", file=sys.stderr, flush=True)


def _start(workspace: Workspace, kind: _Kind) -> subprocess.Popen[bytes]:
    manifest = {} if workspace.manifest_url is None else {"PHUSONG_MANIFEST": workspace.manifest_url}
    command = [sys.executable, "-m", "coverage", *kind.command, "--workspace", str(workspace.root)]
    command += ["--parent", str(os.getpid())]
    # A session of its own: Ctrl-C reaches the service only, which then lets it finish what it is at.
    return subprocess.Popen(  # noqa: S603 - our own command line
        command,
        env=environment_with(**manifest),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=kind.handed,
    )


def _end(child: subprocess.Popen[bytes], last_s: float) -> None:
    child.terminate()
    try:
        child.wait(last_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
