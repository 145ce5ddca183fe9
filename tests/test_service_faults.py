"""Nothing that was acknowledged is lost, and nothing counts twice: broken links, killed servers, ten at once."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import requests
from bad_links import BadLink
from serving import Service, get, post, put, running, settled
from test_service_uploads import HEADER, workers_of
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

CLIENTS = 50
_PATIENCE_S = 75.0


@dataclass(frozen=True)
class File:
    """A log of one client; its rows are in no other one."""

    number: int
    content: bytes
    rows: int

    @property
    def upload_id(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:16]


def file_of(number: int, rows: int) -> File:
    lines = (
        f"2026-10-09T{8 + row // 3600:02}:{row // 60 % 60:02}:{row % 60:02}Z,{11 + number / 10_000:.4f},108.44,45204,LTE,-97"
        for row in range(rows)
    )
    return File(number, "\n".join([HEADER, *lines]).encode() + b"\n", rows)


def until_acknowledged(ask: Callable[[], str | None]) -> str:
    """The delivery's id, however often the line breaks and the server is away."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            if (acknowledged := ask()) is not None:
                return acknowledged
        except (httpx.TransportError, requests.RequestException, TusCommunicationError, TusUploadFailed):
            pass
        time.sleep(0.1)
    raise TimeoutError


def acknowledged(answer: httpx.Response) -> str | None:
    """The id where the answer says that the file is safe; None where it asks to come again."""
    if answer.status_code in {409, 423, 429, 503}:
        return None
    assert answer.status_code in {200, 202}, answer.text
    return str(answer.json()["delivery_id"])


def by_put(address: str, file: File) -> str:
    url = f"{address}/v1/deliveries/{uuid.uuid4()}"
    name = {"name": f"{file.number}.csv"}
    return until_acknowledged(lambda: acknowledged(put(url, params=name, content=file.content, timeout=20)))


def by_form(address: str, file: File) -> str:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    parts = {"file": (f"{file.number}.csv", file.content)}
    return until_acknowledged(
        lambda: acknowledged(post(f"{address}/v1/uploads", files=parts, headers=key, timeout=20))
    )


def by_tus(address: str, file: File) -> str:
    client = TusClient(f"{address}/v1/tus", headers={"Idempotency-Key": uuid.uuid4().hex})
    words = {"filename": f"{file.number}.csv"}
    where: list[str] = []

    def send() -> str:
        uploader = client.uploader(
            file_stream=io.BytesIO(file.content),
            chunk_size=20_000,
            metadata=words,
            url=where[0] if where else None,
        )
        if not where:
            where.append(uploader.create_url())
            uploader.set_url(where[0])
        uploader.upload()
        return where[0].rsplit("/", 1)[1]

    return until_acknowledged(send)


DOORS = (by_put, by_form, by_tus)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "workspace", idle_timeout_s=5) as started:
        yield started


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_over_and_over(service: Service, seed: int) -> None:
    rounds_of_chaos(service, seed)


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(service: Service) -> None:
    rounds_of_chaos(service, seed=7)


def rounds_of_chaos(service: Service, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    files = [file_of(number, chance.randint(300, 2000)) for number in range(CLIENTS)]
    link, over = BadLink(service.port, seed), threading.Event()
    killer = threading.Thread(target=kill_now_and_then, args=(service, chance, over))
    killer.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            sent = [clients.submit(DOORS[file.number % 3], link.address, file) for file in files]
            ids = [one.result() for one in sent]
    finally:
        over.set()
        killer.join()
        link.close()
    print(f"{link.cuts} lines cut")
    assert link.cuts > CLIENTS / 2
    assert len(set(ids)) == CLIENTS
    for file, delivery_id in zip(files, ids, strict=True):
        require_read_in(service, file, delivery_id)
    require_each_once(service, files)


def kill_now_and_then(service: Service, chance: random.Random, over: threading.Event) -> None:
    """Kill the server, or its worker, while files come and are read in; the server is started again."""
    for victim in ("server", "worker", "server"):
        if over.wait(chance.uniform(0.5, 2.5)):
            return
        if victim == "server":
            service.kill()
            service.start()
        else:
            for worker in workers_of(service):
                subprocess.run(["kill", "-9", str(worker)], check=False)


def require_read_in(service: Service, file: File, delivery_id: str) -> None:
    told = settled(service.address, delivery_id)
    if told["state"] == "failed":  # its worker was killed at it three times: people ask once more
        assert told["fault"]["code"] == "worker_died"
        assert post(f"{service.address}/v1/deliveries/{delivery_id}/retry").status_code == 202
        told = settled(service.address, delivery_id)
    (receipt,) = told["files"]
    assert (told["state"], receipt["upload_id"]) == ("done", file.upload_id), told
    assert (receipt["rows"], receipt["accepted"]) == (file.rows, file.rows)


def require_each_once(service: Service, files: list[File]) -> None:
    uploads = get(f"{service.address}/v1/uploads?limit=500").json()["uploads"]
    assert sorted(one["upload_id"] for one in uploads) == sorted({one.upload_id for one in files})
    assert sum(one["rows"] for one in uploads) == sum({one.upload_id: one.rows for one in files}.values())


def test_the_same_file_from_ten_clients_at_once_counts_once(service: Service) -> None:
    file = file_of(1, 2000)
    link = BadLink(service.port, seed=3, cut_share=0.3)
    try:
        with ThreadPoolExecutor(10) as clients:
            sent = [clients.submit(DOORS[number % 3], link.address, file) for number in range(10)]
            ids = [one.result() for one in sent]
    finally:
        link.close()
    assert len(set(ids)) == 10
    told = [settled(service.address, one) for one in ids]
    assert {one["state"] for one in told} == {"done"}
    assert {one["files"][0]["upload_id"] for one in told} == {file.upload_id}
    assert len({one["receipt"] for one in told}) == 1
    assert [one["same_as"] for one in told].count(None) == 1
    require_each_once(service, [file])
