"""Several processes answer on one address: whichever a request meets, it finds the same; on both kinds of manifest."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import test_service_tus
import test_service_uploads
from postgres import database
from serving import Service, delete, get, head, post, problem, put, running, settled
from test_service_faults import DOORS, file_of, require_read_in
from test_service_tus import CHUNK, VERSION, create, delivery, go_on
from test_service_uploads import all_of, cut_after, eventually, log, send

# What one process must do, two must do as well.
test_a_creation_is_repeated_by_its_key = test_service_tus.test_a_creation_is_repeated_by_its_key
test_a_dead_line = test_service_tus.test_a_reconnecting_client_takes_over_from_its_dead_line
test_what_came_before_a_cut = test_service_tus.test_what_came_before_a_cut_is_kept_to_the_last_byte
test_a_dead_put = test_service_uploads.test_a_put_of_the_same_id_takes_over_from_a_dead_line
test_the_same_bytes = test_service_uploads.test_the_same_bytes_and_words_come_once
test_a_key = test_service_uploads.test_an_idempotency_key_stands_for_one_file_with_its_words
test_a_key_of_several_files = test_service_uploads.test_a_key_of_several_files_needs_all_of_them
test_a_key_in_flight = test_service_uploads.test_a_key_in_flight_is_a_conflict_and_a_cut_one_is_free_again
test_events = test_service_uploads.test_events_tell_every_change_until_the_end
test_confirm_and_retry = test_service_uploads.test_confirm_and_retry_take_forms_and_refuse_what_cannot_be
test_cancelled = test_service_uploads.test_a_cancelled_delivery_is_gone_and_a_done_one_stays


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of two processes without villages. At most 2 MB, 2 s of silence."""
    workspace = tmp_path_factory.mktemp("processes") / "workspace"
    limits = {"max_upload_mb": 2, "idle_timeout_s": 2}
    if request.param == "sqlite":
        with running(workspace, processes=2, **limits) as started:
            yield started
        return
    with (
        database(request.getfixturevalue("postgres_server")) as url,
        running(workspace, processes=2, manifest=url, **limits) as started,
    ):
        yield started


@pytest.fixture
def server(service: Service) -> str:
    return service.address


def answering(service: Service) -> list[int]:
    """The processes that answer for this workspace, oldest first."""
    return sorted(pid for pid, words in children(service) if b"--door" in words)


def children(service: Service) -> Iterator[tuple[int, list[bytes]]]:
    for about in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = about.read_bytes().split(b"\0")
            if str(service.workspace).encode() in words:
                yield int(about.parent.name), words


@contextmanager
def only(pid: int, of: list[int]) -> Iterator[None]:
    """That process answers in the block: the others are halted."""
    others = [one for one in of if one != pid]
    for one in others:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in others:
            os.kill(one, signal.SIGCONT)


def test_each_piece_may_come_to_another_process(service: Service) -> None:
    assert eventually(lambda: len(answering(service)) == 2)
    pids = answering(service)
    content = log(601, 60)
    with only(pids[0], pids):
        where = create(service.address, len(content)).headers["location"]
    for turn, start in enumerate(range(0, len(content), 500)):
        with only(pids[turn % 2], pids):
            assert go_on(service.address, where, start, content[start : start + 500]).status_code == 204
    with only(pids[0], pids):
        told = delivery(service.address, where)
        assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert settled(service.address, told["delivery_id"])["files"][0]["accepted"] == 60


def test_what_one_process_showed_another_one_confirms(service: Service) -> None:
    assert eventually(lambda: len(answering(service)) == 2)
    first, second = answering(service)
    with only(first, [first, second]):
        held = send(service.address, ("look.csv", log(602)), data={"hold": "true"}).json()
    with only(second, [first, second]):
        shown = get(f"{service.address}{held['url']}/preview").json()
        assert shown["files"][0]["counts"]["accepted"] == 20
    with only(first, [first, second]):
        assert post(f"{service.address}{held['url']}/confirm", data={"team": "Đội 6"}).status_code == 202
    with only(second, [first, second]):
        assert post(f"{service.address}{held['url']}/confirm", data={"team": "Đội 6"}).status_code == 200
        problem(post(f"{service.address}{held['url']}/confirm", data={"team": "Đội 7"}), 409, "conflict")
    assert settled(service.address, held["delivery_id"])["context"]["team"] == "Đội 6"


def test_two_senders_of_one_file_at_once_bring_it_once(service: Service) -> None:
    content, url = log(603, 60), f"{service.address}/v1/deliveries/{uuid.uuid4().hex}"
    together = threading.Barrier(6)

    def bring(_: int) -> int:
        together.wait()
        return put(url, params={"name": "one.csv"}, content=content).status_code

    with ThreadPoolExecutor(6) as senders:
        told = list(senders.map(bring, range(6)))
    assert set(told) <= {200, 202, 409}  # 409: a newer one has taken over
    assert put(url, params={"name": "one.csv"}, content=content).status_code in {200, 202}
    ended = settled(service.address, url.rsplit("/", 1)[1])
    assert (ended["state"], ended["files"][0]["accepted"]) == ("done", 60)
    found = get(f"{service.address}/v1/uploads?limit=500").json()["uploads"]
    assert [one["upload_id"] for one in found].count(ended["files"][0]["upload_id"]) == 1


def test_the_end_of_one_process_loses_nothing(service: Service) -> None:
    """Four clients send while one of two processes is killed: the other one goes on, and a new one comes."""
    assert eventually(lambda: len(answering(service)) == 2)
    killed, other = answering(service)
    files = [file_of(700 + number, 300) for number in range(16)]
    with ThreadPoolExecutor(4) as clients:
        sent = [clients.submit(DOORS[one.number % 3], service.address, one) for one in files]
        time.sleep(0.3)
        os.kill(killed, signal.SIGKILL)
        ids = [one.result() for one in sent]
    for file, delivery_id in zip(files, ids, strict=True):
        require_read_in(service, file, delivery_id)
    found = get(f"{service.address}/v1/uploads?limit=500").json()["uploads"]
    assert {one.upload_id: one.rows for one in files}.items() <= {
        one["upload_id"]: one["rows"] for one in found
    }.items()
    assert len({one["upload_id"] for one in found}) == len(found)
    assert eventually(lambda: len(answering(service)) == 2)
    (new,) = set(answering(service)) - {other}
    assert new != killed
    with only(new, [new, other]):
        assert get(f"{service.address}/healthz").status_code == 200


def test_all_processes_end_with_their_service(tmp_path: Path) -> None:
    """Killed without warning it takes them along and its port is free; asked to end, it lets requests end in good order."""
    with running(tmp_path / "workspace", 0, processes=2) as service:
        assert eventually(lambda: len(answering(service)) == 2)
        service.kill()
        assert eventually(lambda: not list(children(service)))
        service.start()
        url = f"/v1/deliveries/{uuid.uuid4().hex}"
        content = log(604, 60)
        line = cut_after(service.address, f"PUT {url}?name=stop.csv HTTP/1.1", len(content), content[:700])
        assert eventually(lambda: get(service.address + url).json().get("offset") == 700)
        service.stop()
        assert b'"closing"' in all_of(line)
        assert not list(children(service))


# --- two services over one workspace: here a test chooses which of two processes a request meets


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two services over one workspace; two files at once."""
    workspace = tmp_path_factory.mktemp("pair") / "workspace"
    with (
        running(workspace, 0, max_open_deliveries=2) as one,
        running(workspace, 0, max_open_deliveries=2) as two,
    ):
        yield one.address, two.address


def test_a_client_that_comes_back_to_another_process_takes_over(pair: tuple[str, str]) -> None:
    one, other = pair
    content = log(1, 60)
    where = create(one, len(content)).headers["location"]
    headers = [f"{name}: {text}" for name, text in (CHUNK | {"Upload-Offset": "0"}).items()]
    dead = cut_after(one, f"PATCH {where} HTTP/1.1", len(content), content[:600], *headers)
    assert eventually(lambda: delivery(other, where).get("offset") == 600)
    assert head(other + where, headers=VERSION).headers["upload-offset"] == "600"
    assert b"taken_over" in all_of(dead)
    assert go_on(other, where, 600, content[600:]).status_code == 204
    assert delivery(one, where)["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_put_to_another_process_takes_over(pair: tuple[str, str]) -> None:
    one, other = pair
    content, url = log(2, 60), f"/v1/deliveries/{uuid.uuid4().hex}"
    dead = cut_after(one, f"PUT {url}?name=a.csv HTTP/1.1", len(content), content[:600])
    assert eventually(lambda: get(other + url).json().get("offset") == 600)
    assert put(other + url, params={"name": "a.csv"}, content=content).status_code == 202
    assert b"taken_over" in all_of(dead)


def test_a_delivery_is_cancelled_while_another_process_receives_it(pair: tuple[str, str]) -> None:
    one, other = pair
    content, url = log(3, 60), f"/v1/deliveries/{uuid.uuid4().hex}"
    dead = cut_after(one, f"PUT {url}?name=a.csv HTTP/1.1", len(content), content[:600])
    assert eventually(lambda: get(other + url).json().get("offset") == 600)
    assert delete(other + url).status_code == 204
    assert b"taken_over" in all_of(dead)
    assert get(one + url).json()["state"] == "cancelled"


def test_a_key_is_in_flight_in_every_process(pair: tuple[str, str]) -> None:
    one, other = pair
    key = uuid.uuid4().hex
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    line = cut_after(one, f"PUT {url}?name=a.csv HTTP/1.1", 500, b"x" * 100, f"Idempotency-Key: {key}")
    assert eventually(lambda: get(other + url).json().get("offset") == 100)
    problem(send(other, ("a.csv", log(4)), headers={"Idempotency-Key": key}), 409, "in_flight")
    line.close()
    assert eventually(
        lambda: send(other, ("a.csv", log(4)), headers={"Idempotency-Key": key}).status_code == 202
    )


def test_the_limit_counts_what_all_processes_receive(pair: tuple[str, str]) -> None:
    lines, urls = [], [f"/v1/deliveries/{uuid.uuid4().hex}" for _ in pair]
    for server, url in zip(pair, urls, strict=True):
        lines.append(cut_after(server, f"PUT {url}?name=a.csv HTTP/1.1", 500, b"x" * 100))
        assert eventually(lambda: get(server + url).json().get("offset") == 100)  # noqa: B023 - asked at once
    for server in pair:
        problem(send(server, ("a.csv", log(5))), 429, "too_many")
    lines[0].close()
    assert eventually(lambda: send(pair[1], ("a.csv", log(5))).status_code == 202)
    lines[1].close()
