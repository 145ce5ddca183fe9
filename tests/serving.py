"""A real service on a real socket for tests, and how a client waits for what becomes of a delivery."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

FINAL = {"done", "refused", "failed", "cancelled"}
# A busy machine takes its time. Without a context at hand every call would read all certificates of the world anew.
_TLS = ssl.create_default_context()
get, post, put, head, patch, delete, options, request, stream = (
    partial(ask, timeout=60, verify=_TLS)
    for ask in (
        httpx.get,
        httpx.post,
        httpx.put,
        httpx.head,
        httpx.patch,
        httpx.delete,
        httpx.options,
        httpx.request,
        httpx.stream,
    )
)


@dataclass
class Service:
    """A service over a workspace, on a port that it keeps when it is started again."""

    workspace: Path
    port: int
    workers: int = 1
    settings: tuple[tuple[str, str], ...] = ()
    processes: int = 1
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = serving(self.workspace, self.port, self.workers, self.processes)
        self.process = subprocess.Popen(command, env=os.environ | dict(self.settings))
        wait_for(self.address, self.process)

    def kill(self) -> None:
        """Without any warning."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def serving(workspace: Path, port: object, workers: int = 1, processes: int = 1) -> list[str]:
    """The command that serves a workspace on a port."""
    where = ["--workspace", str(workspace), "--port", str(port)]
    return [
        sys.executable,
        "-m",
        "coverage",
        "serve",
        *where,
        "--workers",
        str(workers),
        "--processes",
        str(processes),
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(workspace: Path, workers: int = 1, processes: int = 1, **settings: object) -> Iterator[Service]:
    """A service while the block runs; settings by their names in the environment, without the prefix."""
    said = tuple((f"PHUSONG_{name.upper()}", str(value)) for name, value in settings.items())
    service = Service(workspace, free_port(), workers, said, processes)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the service ended before it answered"
        try:
            if get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the service did not answer")


def settled(address: str, delivery_id: str, *, judged: bool = False) -> dict[str, Any]:
    """The delivery once it has ended and, where wanted, the maps know of it."""
    for _ in range(600):
        told = get(f"{address}/v1/deliveries/{delivery_id}").json()
        if told["state"] in FINAL and (told["judged"] or not judged):
            return told
        time.sleep(0.1)
    pytest.fail(f"the delivery did not end: {told}")


def sent(address: str, path: Path, *, judged: bool = False, **words: str) -> dict[str, Any]:
    """The delivery of a file that was sent by the form and read in."""
    with path.open("rb") as file:
        answer = post(f"{address}/v1/uploads", files={"file": (path.name, file)}, data=words)
    assert answer.status_code in {200, 202}, answer.text
    return settled(address, answer.json()["delivery_id"], judged=judged)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, whole and with that status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "code", "detail", "detail_en"} <= set(told)
    assert (told["status"], told["code"]) == (status, code), told
    return told
