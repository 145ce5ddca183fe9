"""What the manifest bears on SQLite and on PostgreSQL: uploads, files that come over HTTP, and lists, each per second.

    python benchmarks/manifest.py [--files 60] [--sendings 80] [--reads 150]

PostgreSQL is a server of the benchmark's own in a temporary folder, as the tests make it, with fsync on; SQLite is the file
that a workspace has by itself. In turn on both: (a) 1, 2 and 4 processes take in files of 50 rows, until each is
committed; (b) 8 clients send such files to 1 and 2 processes of the service (no worker beside them), a connection
each, by form and by tus (creation, then one piece), until the service says that the file is safe; (c) the same
clients ask for GET /v1/uploads. Printed: per second on either, the ratio PostgreSQL : SQLite, and how many uploads or deliveries the
manifest has afterwards beside how many were told to be safe; a difference ends the benchmark. Some two minutes on two cores.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import multiprocessing
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from postgres import database, running_server
from serving import Service, running

KINDS = ("sqlite", "postgresql")
ROWS, CLIENTS = 50, 8
HEADER = "time,lat,lon,operator,technology,rsrp_dbm"


def content(number: int) -> bytes:
    """A log whose rows are in no other one."""
    lines = (
        f"2026-10-09T08:{row:02}:00Z,{11 + number / 100_000:.5f},108.44,45204,LTE,-97" for row in range(ROWS)
    )
    return "\n".join([HEADER, *lines]).encode() + b"\n"


# --- (a) uploads


def take_in(root: Path, url: str | None, files: list[Path], together: Any) -> None:
    from coverage import intake
    from coverage.archive.workspace import existing_workspace
    from coverage.logs.context import Context

    workspace = existing_workspace(root, url)
    together.wait()
    for file in files:
        (receipt,) = intake.ingest(workspace, file, Context())
        assert (receipt.effect, receipt.accepted) == ("added", ROWS)


def uploads_per_s(folder: Path, url: str | None, processes: int, count: int) -> tuple[float, str]:
    """Uploads committed per second by so many processes."""
    from coverage.archive import uploads
    from coverage.archive.workspace import open_workspace

    workspace, context = (
        open_workspace(folder / "workspace", manifest_url=url),
        multiprocessing.get_context("spawn"),
    )
    files = [folder / f"{number}.csv" for number in range(count)]
    for number, file in enumerate(files):
        file.write_bytes(content(number))
    together = context.Barrier(processes + 1)
    shares = [files[first::processes] for first in range(processes)]
    jobs = [context.Process(target=take_in, args=(workspace.root, url, share, together)) for share in shares]
    for job in jobs:
        job.start()
    together.wait()
    began = time.perf_counter()
    for job in jobs:
        job.join()
    seconds = time.perf_counter() - began
    kept = [one for one in uploads.list_uploads(workspace) if one["accepted"] == ROWS]
    return count / seconds, same(len(kept), count)


# --- (b) files over HTTP


def by_form(port: int, number: int) -> None:
    mark = uuid.uuid4().hex
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{number}.csv"\r\n\r\n'.encode()
    )
    body = head + content(number) + f"\r\n--{mark}--\r\n".encode()
    told = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    asked(port, "POST", "/v1/uploads", 202, body, told)


def by_tus(port: int, number: int) -> None:
    body, name = content(number), base64.b64encode(f"{number}.csv".encode()).decode()
    version = {"Tus-Resumable": "1.0.0"}
    told = version | {"Upload-Length": str(len(body)), "Upload-Metadata": f"filename {name}"}
    where = asked(port, "POST", "/v1/tus", 201, b"", told)
    told = version | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    asked(port, "PATCH", where, 204, body, told)


def look(port: int, _number: int) -> None:
    asked(port, "GET", "/v1/uploads", 200, None, {})


def asked(port: int, method: str, url: str, status: int, body: bytes | None, headers: dict[str, str]) -> str:
    """The Location that is answered, on a connection of the request's own."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request(method, url, body, headers)
    answer = line.getresponse()
    said = answer.read()
    line.close()
    assert answer.status == status, said
    return answer.getheader("Location", "")


def sent_per_s(service: Service, send: Callable[[int, int], None], numbers: range) -> float:
    """How many of the requests are answered per second, by all clients together."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        list(clients.map(partial(send, service.port), numbers))
        return len(numbers) / (time.perf_counter() - began)


def http_per_s(
    folder: Path, url: str | None, processes: int, sendings: int, reads: int
) -> dict[str, tuple[float, str]]:
    """Files by form and by tus, and lists, per second."""
    from coverage.archive import deliveries
    from coverage.archive.workspace import existing_workspace, open_workspace

    open_workspace(folder / "workspace", manifest_url=url)
    said = {} if url is None else {"manifest": url}
    with running(folder / "workspace", 0, processes, **said) as service:
        sent_per_s(
            service, by_form, range(CLIENTS)
        )  # the processes have imported and compiled what they need
        form = sent_per_s(service, by_form, range(CLIENTS, CLIENTS + sendings))
        tus = sent_per_s(service, by_tus, range(CLIENTS + sendings, CLIENTS + 2 * sendings))
        lists = sent_per_s(service, look, range(reads))
    kept = deliveries.list_deliveries(existing_workspace(folder / "workspace", url))
    safe = same(sum(one.state == "received" for one in kept), CLIENTS + 2 * sendings)
    return {"form": (form, safe), "tus": (tus, safe), "GET /v1/uploads": (lists, "")}


def same(kept: int, told: int) -> str:
    if kept != told:
        raise SystemExit(f"{told} were told to be safe, the manifest has {kept}")
    return f"{kept} of {told}"


# --- both kinds in turn


@contextmanager
def place(kind: str, server: Any) -> Iterator[tuple[Path, str | None]]:
    """A new folder, and the URL of a new database for a manifest in PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield Path(folder), None
            return
        with database(server) as url:
            yield Path(folder), url


def line(what: str, processes: int, found: dict[str, tuple[float, str]]) -> None:
    sqlite, postgres = (found[kind][0] for kind in KINDS)
    kept = " / ".join(found[kind][1] for kind in KINDS) if found["sqlite"][1] else ""
    print(
        f"{what:24} {processes:>9} {sqlite:>8.1f} {postgres:>11.1f} {postgres / sqlite:>6.2f}  {kept}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--sendings", type=int, default=80)
    parser.add_argument("--reads", type=int, default=150)
    asked_for = parser.parse_args()
    began = time.perf_counter()
    print(
        f"{'per second':24} {'processes':>9} {'sqlite':>8} {'postgresql':>11} {'ratio':>6}  kept (sqlite / postgresql)"
    )
    with running_server() as server:
        report(server, asked_for)
    print(f"{time.perf_counter() - began:.0f} s")


def report(server: Any, asked_for: argparse.Namespace) -> None:
    for processes in (1, 2, 4):
        found = {}
        for kind in KINDS:
            with place(kind, server) as (folder, url):
                found[kind] = uploads_per_s(folder, url, processes, asked_for.files)
        line("uploads of 50 rows", processes, found)
    for processes in (1, 2):
        answers = {}
        for kind in KINDS:
            with place(kind, server) as (folder, url):
                answers[kind] = http_per_s(folder, url, processes, asked_for.sendings, asked_for.reads)
        for what in answers["sqlite"]:
            line(what, processes, {kind: answers[kind][what] for kind in KINDS})


if __name__ == "__main__":
    main()
