"""The test's side of the process in `child`."""

from __future__ import annotations

import json
import os
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
def preloaded(library: Path, root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process behind the shim, which watches the files under `root`."""
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "FAULT_ROOT": str(root.resolve()),
        "PHUSONG_FREE_DISK_FLOOR_MB": "0",
        "PYTHONPATH": os.pathsep.join([str(SOURCE), str(TESTS)]),
    }
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


def order(
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
    assert process.stdin and process.stdout
    told = {
        "act": act,
        "root": str(root),
        "n": n,
        "what": int(what),
        "url": None,
        "kinds": int(shim.EVERY_KIND),
        **more,
    }
    process.stdin.write(json.dumps(told, default=str) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    assert "broken" not in answer, answer
    return answer
