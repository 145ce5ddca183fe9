"""The worker processes beside the service: started with it, replaced when they die, stopped with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from coverage.archive import jobs
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.settings import environment_with

_LOOK_S = 0.5
_MOST_WAIT_S = 30.0  # between two starts of a worker that dies at once
_LAST_JOB_S = 20.0  # then it is killed: what it was at is done again by the next one


@contextmanager
def workers(workspace: Workspace, count: int) -> Iterator[None]:
    """So many worker processes while the block runs."""
    stop = threading.Event()
    keepers = [threading.Thread(target=_keep, args=(workspace, stop)) for _ in range(count)]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        stop.set()
        for keeper in keepers:
            keeper.join()


def _keep(workspace: Workspace, stop: threading.Event) -> None:
    """Keep one worker running until `stop` is set."""
    wait_s = _LOOK_S
    while not stop.is_set():
        _release(workspace)
        worker = _start(workspace)
        lived_s = 0.0
        while worker.poll() is None and not stop.wait(_LOOK_S):
            lived_s += _LOOK_S
        if worker.poll() is None:
            _end(worker)
            return
        wait_s = _LOOK_S if lived_s > _MOST_WAIT_S else min(2 * wait_s, _MOST_WAIT_S)
        print(f"worker {worker.pid}: {worker.returncode}", file=sys.stderr, flush=True)
        stop.wait(wait_s)


def _release(workspace: Workspace) -> None:
    # Jobs of a worker that was killed need not wait until their lease ends.
    try:
        jobs.release_dead(workspace)
    except PhusongError as fault:
        print(f"release: {fault.en}", file=sys.stderr, flush=True)


def _start(workspace: Workspace) -> subprocess.Popen[bytes]:
    manifest = {} if workspace.manifest_url is None else {"PHUSONG_MANIFEST": workspace.manifest_url}
    command = [sys.executable, "-m", "coverage", "work", "--workspace", str(workspace.root)]
    command += ["--parent", str(os.getpid())]
    # A session of its own: Ctrl-C reaches the service only, which then lets it finish its job.
    return subprocess.Popen(  # noqa: S603 - our own command line
        command, env=environment_with(**manifest), stdin=subprocess.DEVNULL, start_new_session=True
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(_LAST_JOB_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
