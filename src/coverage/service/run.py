"""Starting the service on an address, with the workers that read in what comes."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys

import uvicorn

from coverage.archive.incoming import complete_whole
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.service.app import create_app
from coverage.service.workers import workers

_LAST_ANSWERS_S = 10  # how long requests may take to end once the service is being stopped


def serve(workspace: Workspace, host: str, port: int, worker_count: int = 1) -> None:
    """Answer HTTP until interrupted, beside so many worker processes.

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
        _server(workspace).run(sockets=[door])


def _leave(_signal: int, _frame: object) -> None:
    sys.exit(0)


def _server(workspace: Workspace) -> uvicorn.Server:
    server: uvicorn.Server
    app = create_app(workspace, lambda: server.should_exit)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_LAST_ANSWERS_S)
    server = uvicorn.Server(config)
    return server


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
