"""A process that has everything loaded and forks a child per order, so that breaking one costs milliseconds.

Orders come on stdin and answers leave on stdout, a JSON object a line each.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401 - else each child imports it

from faults import acts, crew, shim

STOPPED = 137


def _main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # what is made at the first use need not be made by each child
        acts.prepare(Path(folder) / "workspace")
    for number in range(crew.SNAPSHOTS):
        acts.small_snapshot(f"s-{number}")
    acts.small_snapshot()
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_set_to_work(order) if "seed" in order else _obey(order)), flush=True)


def _set_to_work(order: dict[str, Any]) -> dict[str, Any]:
    """The process of somebody who works until killed, or the end of one who was killed."""
    if "ended" in order:
        return {"status": os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1])}
    child = os.fork()
    if child == 0:
        try:
            crew.labour(Path(order["root"]), order["url"], order["seed"], Path(order["told"]))
        finally:
            os._exit(0)
    return {"pid": child}


def _obey(order: dict[str, Any]) -> dict[str, Any]:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _answer(order, writes)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as stream:
        said = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == STOPPED:
        return {"stopped": True}
    return json.loads(said) if said else {"broken": status}


def _answer(order: dict[str, Any], writes: int) -> None:
    status = 1
    try:
        os.write(writes, json.dumps(_broken_act(order)).encode())
        status = 0
    finally:
        os._exit(status)  # no buffers and no exit handlers of the parent's


def _broken_act(order: dict[str, Any]) -> dict[str, Any]:
    act, where = order["act"], (Path(order["root"]), order["url"])
    if order.get("log"):
        shim.write_down(Path(order["log"]))
    if order.get("longest_file"):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["longest_file"], hard))
    shim.arm(shim.Kind(order["kinds"]), order["n"], shim.What(order["what"]))
    told: dict[str, Any] = {"outcome": _outcome(act, *where, order.get("file")), "count": shim.count()}
    shim.disarm()
    if order.get("again"):  # the same process goes on after its error
        told["between"] = acts.look(*where)
        told["again"] = _outcome(act, *where)
        told["after"] = acts.look(*where)
    return told


def _outcome(act: str, root: Path, url: str | None, file: str | None = None) -> str:
    try:
        acts.run(act, root, url, file)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


if __name__ == "__main__":
    _main()
