"""Starting the service on an address: the processes that answer, and the workers that read in what comes."""

from __future__ import annotations

import ipaddress
import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time

import uvicorn

from coverage.archive.incoming import complete_whole
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.exports.basemap_choice import require_usable
from coverage.service import logs
from coverage.service.admission import is_closed
from coverage.service.versions import VERSION
from coverage.service.workers import LAST_ANSWERS_S, answering, workers
from coverage.settings import get_settings

log = logging.getLogger(__name__)
_LOOK_S = 0.1


def serve(workspace: Workspace, host: str, port: int, worker_count: int = 1, process_count: int = 1) -> None:
    """Answer HTTP until interrupted, from so many processes, beside so many worker processes.

    Raises `InputError` for an address that is not this machine's loopback while nobody needs a key, and for a base map
    that cannot be used.
    """
    require_usable(get_settings())
    if not _is_loopback(host) and not is_closed(workspace):
        raise InputError(
            f"Dịch vụ chưa có khoá truy cập nên chỉ mở trên 127.0.0.1, không mở trên {host}. "
            "Hãy tạo khoá trước: phusong keys add TÊN --role province_admin",
            f"The service has no keys, so it opens on 127.0.0.1 only, not on {host}. "
            "Make one first: phusong keys add NAME --role province_admin",
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
    _tell_address(f"http://{host}:{door.getsockname()[1]}")
    with workers(workspace, worker_count):
        if process_count == 1:
            _server(workspace, worker_count).run(sockets=[door])
            return
        with answering(workspace, door, process_count, worker_count):
            signal.pause()


def answer(workspace: Workspace, door: int, parent: int, worker_count: int) -> None:
    """Answer HTTP at a listening socket that was handed down, until told to end or the process `parent` is gone.

    worker_count: how many workers that process keeps.
    """
    signal.signal(signal.SIGTERM, _leave)
    server = _server(workspace, worker_count)
    threading.Thread(target=_end_without, args=(server, parent), daemon=True).start()
    server.run(sockets=[socket.socket(fileno=door)])
    if os.getppid() != parent:  # nobody else is left to remove it
        shutil.rmtree(get_settings().metrics_folder or "", ignore_errors=True)


def _tell_address(address: str) -> None:
    if logs.kind() == "json":
        log.info("serving", extra={"address": address, "version": VERSION})
    else:
        print(f"{address}  (Ctrl-C: dừng / stop)", file=sys.stderr, flush=True)


def _end_without(server: uvicorn.Server, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    server.should_exit = True


def _leave(_signal: int, _frame: object) -> None:
    # Asked once more meanwhile, it goes on ending in good order.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
    sys.exit(0)


def _server(workspace: Workspace, worker_count: int) -> uvicorn.Server:
    # What only keeps others running needs none of it.
    from coverage.service.app import create_app  # noqa: PLC0415
    from coverage.service.watch import Watched  # noqa: PLC0415

    server: uvicorn.Server
    app = create_app(workspace, lambda: server.should_exit, expects_worker=worker_count > 0)
    proxies = get_settings().proxies
    config = uvicorn.Config(
        Watched(app),
        log_config=None,
        log_level="warning",
        access_log=False,
        # Whoever asks could say anything in X-Forwarded-*: only proxies that are named are believed.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
    )
    server = uvicorn.Server(config)
    return server


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
