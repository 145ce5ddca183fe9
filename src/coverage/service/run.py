"""Starting the service on an address."""

from __future__ import annotations

import ipaddress
import socket
import sys

import uvicorn

from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.service.app import create_app


def serve(workspace: Workspace, host: str, port: int) -> None:
    """Answer HTTP until interrupted. Raises `InputError` for an address that is not this machine's loopback."""
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
    print(f"http://{host}:{door.getsockname()[1]}  (Ctrl-C: dừng / stop)", file=sys.stderr, flush=True)
    config = uvicorn.Config(create_app(workspace), log_level="warning")
    uvicorn.Server(config).run(sockets=[door])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
