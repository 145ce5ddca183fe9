"""What machines ask a running service: whether it is ready, what it counts, which version it is."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest
from listening import Heard, heard, samples
from serving import get, post, problem, settled
from test_flow import add_two_villages
from test_service_processes import answering, only
from test_service_uploads import cut_after, eventually, send, workers_of
from test_service_uploads import log as made_log

from coverage import pipeline
from coverage.archive.alive import sign_file
from coverage.archive.standing import standing
from coverage.archive.workspace import open_workspace
from coverage.service.metrics import _Now

GB = 1_000_000_000
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    """Two processes and a worker."""
    with heard(tmp_path_factory.mktemp("health"), processes=2, commit=COMMIT) as started:
        assert eventually(lambda: len(answering(started)) == 2 and is_ready(started))
        yield started


def is_ready(service: Heard) -> bool:
    return get(f"{service.address}/readyz").status_code == 200


def require_not_ready(service: Heard, *what: str) -> None:
    """Not ready for these reasons, each named in both languages."""
    assert eventually(lambda: not is_ready(service))
    answer = get(f"{service.address}/readyz")
    told = problem(answer, 503, "not_ready")
    assert told["not_ready"] == list(what)
    assert told["detail"] != told["detail_en"]
    assert int(answer.headers["retry-after"]) > 0
    assert str(service.workspace) not in answer.text
    assert get(f"{service.address}/healthz").json() == {"status": "ok"}


@contextmanager
def halted(process: int) -> Iterator[None]:
    """The process does nothing in the block."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


# --- ready or not


def test_a_service_is_ready(service: Heard) -> None:
    answer = get(f"{service.address}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_a_disk_below_the_floor_is_not_ready(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    room = min(10 * GB, free // 4)  # others write to this disk meanwhile
    with heard(tmp_path, workers=0, free_disk_floor_mb=(free - room) // 1_000_000) as service:
        assert is_ready(service)
        filler = tmp_path / "filler"
        try:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 2 * room)
            require_not_ready(service, "disk")
            told = samples(service.address)
            assert told["phusong_disk_free_bytes",] < told["phusong_disk_floor_bytes",]
        finally:
            filler.unlink(missing_ok=True)
        assert eventually(lambda: is_ready(service))


def test_a_manifest_that_is_away_is_not_ready(service: Heard) -> None:
    manifest = service.workspace / "archive" / "manifest.sqlite"
    manifest.rename(manifest.with_name("away"))
    manifest.mkdir()
    require_not_ready(service, "manifest")
    answer = get(f"{service.address}/metrics")
    # A door that knows the keys no more lets nobody in: then the watcher sees the service itself as away.
    assert answer.status_code == 503 or "phusong_manifest_up 0.0" in answer.text
    manifest.rmdir()
    manifest.with_name("away").rename(manifest)
    assert eventually(lambda: is_ready(service))
    assert samples(service.address)["phusong_manifest_up",] == 1


def test_asking_lays_out_no_manifest(tmp_path: Path) -> None:
    with heard(tmp_path, workers=0) as service:
        assert is_ready(service)  # nobody promised a worker
        manifest = service.workspace / "archive" / "manifest.sqlite"
        manifest.rename(manifest.with_name("away"))
        for _ in range(3):
            require_not_ready(service, "manifest")
        assert not manifest.exists()


def test_a_worker_that_shows_no_sign_of_life_is_not_ready(service: Heard) -> None:
    (worker,) = workers_of(service)
    with halted(worker):
        long_ago = time.time() - 61  # instead of a minute's wait
        os.utime(sign_file(open_workspace(service.workspace)), (long_ago, long_ago))
        require_not_ready(service, "worker")
        assert samples(service.address)["phusong_worker_sign_age_seconds",] > 60
    assert eventually(lambda: is_ready(service), 10)
    assert samples(service.address)["phusong_worker_sign_age_seconds",] < 10


def test_a_worker_that_is_killed_is_replaced_and_told(service: Heard) -> None:
    (worker,) = workers_of(service)
    sign = sign_file(open_workspace(service.workspace))
    os.kill(worker, signal.SIGKILL)
    os.utime(sign, (0, 0))
    require_not_ready(service, "worker")
    assert eventually(lambda: is_ready(service))
    (died,) = [one for one in service.lines("process_died") if one["kind"] == "worker"]
    assert (died["child"], died["exit"], died["level"]) == (worker, -9, "error")


# --- counted


def requests(told: dict[tuple[str, ...], float], route: str) -> float:
    """How many requests of a route were counted, whatever became of them."""
    counted = {name: value for name, value in told.items() if name[0] == "phusong_http_requests_total"}
    return sum(value for (_, _, of, _), value in counted.items() if of == route)


def test_two_processes_count_together(service: Heard) -> None:
    first, second = answering(service)
    before = samples(service.address)
    for process, times in ((first, 3), (second, 4)):
        with only(process, [first, second]):
            for _ in range(times):
                get(f"{service.address}/v1/receipts/{uuid.uuid4().hex[:10]}")
    for process in (first, second):
        with only(process, [first, second]):
            now = samples(service.address)
            route = "/v1/receipts/{code}"
            assert requests(now, route) - requests(before, route) == 7
            assert now["phusong_http_requests_total", "GET", route, "4xx"] == requests(now, route)
            assert now["phusong_http_request_seconds_count", "GET", route] == requests(now, route)


def test_the_end_of_a_process_takes_no_count_back(service: Heard) -> None:
    get(f"{service.address}/version")
    before = samples(service.address)
    killed, left = answering(service)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: len({*answering(service)} - {killed}) == 2)
    (new,) = {*answering(service)} - {killed, left}
    with only(new, [new, left]):  # once it answers: no later test is to halt one that has just begun
        now = samples(service.address)
    counters = [name for name in before if name[0].endswith(("_total", "_count", "_bucket"))]
    assert len(counters) > 20
    assert all(now[name] >= before[name] for name in counters)


def test_paths_and_methods_of_anybody_s_making_are_one_label(service: Heard) -> None:
    before = samples(service.address)
    for _ in range(5):
        assert get(f"{service.address}/{uuid.uuid4()}/108.4321").status_code == 404
        httpx.request(f"X{uuid.uuid4().hex[:6].upper()}", f"{service.address}/healthz")
        get(f"{service.address}/v1/deliveries/{uuid.uuid4()}")
        get(f"{service.address}/healthz", headers={"Host": "evil.example"})
    now = samples(service.address)
    assert requests(now, "unknown") - requests(before, "unknown") == 10
    assert now["phusong_http_requests_total", "other", "/healthz", "4xx"] == 5
    new = {name for name in now if name[0] == "phusong_http_requests_total"} - set(before)
    assert len(new) <= 4, new


def test_bodies_are_counted_both_ways(service: Heard) -> None:
    before = samples(service.address)
    answer = send(service.address, ("a.csv", made_log(900, 50)), data={"hold": "true"})
    come, gone = ("phusong_http_received_bytes_total",), ("phusong_http_sent_bytes_total",)
    length = int(answer.request.headers["content-length"])
    # A request is counted once it is over, which its client knows a little earlier.
    assert eventually(lambda: samples(service.address)[come] - before[come] == length)
    assert samples(service.address)[gone] - before[gone] > len(answer.content)


def test_what_waits_and_what_became_of_it_is_told(service: Heard) -> None:
    (worker,) = workers_of(service)
    before = samples(service.address)
    with halted(worker):
        waiting = send(service.address, ("b.csv", made_log(901))).json()
        now = samples(service.address)
        assert now["phusong_jobs", "ingest", "queued"] == before["phusong_jobs", "ingest", "queued"] + 1
        assert now["phusong_deliveries", "received"] == before["phusong_deliveries", "received"] + 1
        assert eventually(lambda: samples(service.address)["phusong_job_oldest_due_seconds",] > 0.5)
    settled(service.address, waiting["delivery_id"], judged=False)
    after = samples(service.address)
    assert after["phusong_jobs", "ingest", "queued"] == before["phusong_jobs", "ingest", "queued"]
    assert eventually(lambda: samples(service.address)["phusong_job_oldest_due_seconds",] == 0)  # judging
    assert after["phusong_deliveries", "done"] == before["phusong_deliveries", "done"] + 1


def test_files_on_their_way_are_counted_whoever_receives_them(service: Heard) -> None:
    first, second = answering(service)
    lines = []
    for process in (first, second):
        with only(process, [first, second]):
            url = f"/v1/deliveries/{uuid.uuid4().hex}"
            lines.append(cut_after(service.address, f"PUT {url}?name=a.csv HTTP/1.1", 500, b"x" * 100))
            assert eventually(lambda: get(service.address + url).json().get("offset") == 100)  # noqa: B023
    assert samples(service.address)["phusong_uploads_receiving",] == 2
    for line in lines:
        line.close()
    assert eventually(lambda: samples(service.address)["phusong_uploads_receiving",] == 0)


def test_no_label_holds_an_id_or_a_place(service: Heard) -> None:
    known = {"route", "method", "status", "state", "kind", "le", "version", "commit"}
    text = get(f"{service.address}/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    names = {pair.split("=")[0] for line in lines if "{" in line for pair in inside(line).split(",")}
    assert names == known
    assert len(lines) < 2000
    assert "108.4321" not in text


def inside(line: str) -> str:
    """The labels of a sample; braces of a route's template are gone."""
    return line.partition("{")[2].rpartition("}")[0]


def test_what_the_manifest_knows_is_left_out_while_it_is_away(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    away, there = (
        {one.name for one in _Now(stands, workspace, 0).collect()} for stands in (None, standing(workspace))
    )
    assert there - away == {
        *(
            "phusong_deliveries",
            "phusong_jobs",
            "phusong_job_oldest_due_seconds",
            "phusong_snapshot_age_seconds",
        )
    }


def test_the_age_of_the_latest_snapshot(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    add_two_villages(workspace, tmp_path)
    assert standing(workspace).snapshot_age_s is None
    pipeline.assess(workspace, date(2026, 11, 1))
    time.sleep(0.1)
    age = standing(workspace).snapshot_age_s
    assert age is not None
    assert 0.1 <= age < 60


def test_version_and_commit_are_told(service: Heard) -> None:
    told = get(f"{service.address}/version").json()
    assert told == {"version": "0.1.0", "commit": COMMIT}
    assert samples(service.address)["phusong_build_info", COMMIT, "0.1.0"] == 1
    docs = get(f"{service.address}/openapi.json").json()
    assert docs["info"]["version"] == "0.1.0"
    assert post(f"{service.address}/version").status_code == 405
