"""The test's side of the process in `child`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faults import shim

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"


@contextmanager
def forking(root: Path, library: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that forks children; behind the shim, which watches the files under `root`, where it is given."""
    environment = os.environ | {
        "PHUSONG_FREE_DISK_FLOOR_MB": "0",
        "PYTHONPATH": os.pathsep.join([str(SOURCE), str(TESTS)]),
    }
    if library:
        environment |= {"LD_PRELOAD": str(library), "FAULT_ROOT": str(root.resolve())}
    command = [sys.executable, "-m", "faults.child"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
    try:
        yield process
    finally:
        assert process.stdin and process.stdout
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _ask(process: subprocess.Popen[str], order: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(order, default=str) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def break_act(
    process: subprocess.Popen[str],
    act: str,
    root: Path,
    n: int = 0,
    what: shim.What = shim.What.NOTHING,
    **more: Any,
) -> dict[str, Any]:
    """What became of an act in a child of that process.

    stopped: it ended in the midst. outcome, count: `done` or the error, and the calls that were counted. With
    again=True between, again, after: what the same child saw, what became of a second try, what it saw then.
    """
    told = {"act": act, "root": root, "url": None, "n": n, "what": int(what), "kinds": int(shim.EVERY_KIND)}
    answer = _ask(process, told | more)
    assert "broken" not in answer, answer
    return answer


def set_to_work(process: subprocess.Popen[str], root: Path, url: str | None, seed: int, told: Path) -> int:
    """The pid of somebody who works on that workspace until killed."""
    pid: int = _ask(process, {"root": root, "url": url, "seed": seed, "told": told})["pid"]
    return pid


def kill(process: subprocess.Popen[str], pids: list[int]) -> None:
    """End them without a word, all at once."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        _ask(process, {"seed": None, "ended": pid})
