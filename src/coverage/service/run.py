"""Starting the service on an address: the processes that answer, and the workers that read in what comes."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import threading
import time

import uvicorn

from coverage.archive.incoming import complete_whole
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.service.workers import LAST_ANSWERS_S, answering, workers

_LOOK_S = 0.1


def serve(workspace: Workspace, host: str, port: int, worker_count: int = 1, process_count: int = 1) -> None:
    """Answer HTTP until interrupted, from so many processes, beside so many worker processes.

    Raises `InputError` for an address that is not this machine's loopback.
    """
    if not _is_loopback(host):
        raise InputError(
            f"Dịch vụ chưa có khoá truy cập nên chỉ mở trên 127.0.0.1, không mở trên {host}.",
            f"The service has no keys, so it opens on 127.0.0.1 only, not on {host}.",
        )
    try:
        door = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise InputError(
            f"Không mở được {host}:{port} ({fault.strerror}). Hãy chọn cổng khác: --port.",
            f"Cannot open {host}:{port} ({fault.strerror}). Choose another port: --port.",
        ) from fault
    # uvicorn sends itself once more the signal that stopped it: the workers are to be ended first.
    signal.signal(signal.SIGTERM, _leave)
    complete_whole(workspace)
    print(f"http://{host}:{door.getsockname()[1]}  (Ctrl-C: dừng / stop)", file=sys.stderr, flush=True)
    with workers(workspace, worker_count):
        if process_count == 1:
            _server(workspace).run(sockets=[door])
            return
        with answering(workspace, door.fileno(), process_count):
            signal.pause()


def answer(workspace: Workspace, door: int, parent: int) -> None:
    """Answer HTTP at a listening socket that was handed down, until told to end or the process `parent` is gone."""
    server = _server(workspace)
    threading.Thread(target=_end_without, args=(server, parent), daemon=True).start()
    server.run(sockets=[socket.socket(fileno=door)])


def _end_without(server: uvicorn.Server, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    server.should_exit = True


def _leave(_signal: int, _frame: object) -> None:
    sys.exit(0)


def _server(workspace: Workspace) -> uvicorn.Server:
    # What only keeps others running needs none of it.
    from coverage.service.app import create_app  # noqa: PLC0415

    server: uvicorn.Server
    app = create_app(workspace, lambda: server.should_exit)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=LAST_ANSWERS_S)
    server = uvicorn.Server(config)
    return server


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
