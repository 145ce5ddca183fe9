"""The log of a service: JSON lines that tell what happened and nothing of what files, queries and fields hold."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from listening import Heard, heard
from serving import free_port, get, post, problem, put, sent, serving, settled, wait_for
from test_flow import add_two_villages, crew_file, crew_lines
from test_service_tus import create, go_on
from test_service_uploads import eventually
from test_service_uploads import log as made_log

from coverage.archive import keys
from coverage.archive.workspace import open_workspace
from coverage.callers import Caller
from coverage.errors import DiskFull
from coverage.service import logs

OF_EVERY_LINE = {"time", "level", "process", "request_id", "event"}
OF_REQUESTS = {"method", "route", "status", "duration_ms", "bytes_in", "bytes_out", "who", "client"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    """A service over two villages."""
    folder = tmp_path_factory.mktemp("logs")
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with heard(folder) as started:
        yield started


def line_of(service: Heard, request_id: str) -> dict:
    """The access line of a request."""
    assert eventually(lambda: request_id in service.text())
    (found,) = [one for one in service.lines("request") if one["request_id"] == request_id]
    return found


def test_the_log_holds_nothing_of_files_queries_and_fields(service: Heard, tmp_path: Path) -> None:
    lines = [line.replace("phone-", "matphat-") for line in crew_lines()]
    file = crew_file(tmp_path, lines, "Xa_Da_Nhim.csv")
    told = sent(service.address, file, judged=True, source="drive_test", team="Mật Danh")
    name = {"name": "Xa_Da_Nhim.csv", "team": "Mật Danh"}
    put(f"{service.address}/v1/deliveries/{uuid.uuid4()}", params=name, content=file.read_bytes())
    piece = made_log(5)
    go_on(service.address, create(service.address, len(piece)).headers["location"], 0, piece)
    rubbish = post(
        f"{service.address}/v1/uploads", files={"file": ("Xa_Da_Nhim.bin", b"\x00\xff" * 500)}
    ).json()
    assert settled(service.address, rubbish["delivery_id"])["state"] == "refused"
    box = "108.4321,11.9,108.5678,12.0"
    assert get(f"{service.address}/ogc/collections/gaps/items?bbox={box}").status_code == 200
    problem(get(f"{service.address}/ogc/collections/gaps/items?bbox=108.4321,oi"), 400, "bad_parameter")
    get(f"{service.address}/v1/receipts/{told['receipt']}")
    get(f"{service.address}/108.4321/duong-la")
    last = {"X-Request-Id": "the-last-request"}
    get(f"{service.address}/v1/uploads/{told['files'][0]['upload_id']}", headers=last)
    line_of(service, "the-last-request")

    text = json.dumps([one | {"time": None} for one in service.lines()], ensure_ascii=False)
    for kept_out in (
        *("Da_Nhim", "matphat", "phone", "Danh", "bbox", "duong-la", "rsrp", "?"),
        *(told["receipt"], told["files"][0]["upload_id"]),
    ):
        assert kept_out not in text, kept_out
    assert not re.search(r"\d\.\d{3,}", text), "a coordinate"  # durations have one decimal
    assert {"serving", "process_started", "job_taken", "job_ended", "request"} <= {
        one["event"] for one in service.lines()
    }


def test_an_access_line_tells_route_status_and_sizes(service: Heard, tmp_path: Path) -> None:
    file = crew_file(tmp_path, crew_lines())
    about = {"X-Request-Id": "an-upload-0001"}
    with file.open("rb") as content:
        answer = post(f"{service.address}/v1/uploads", files={"file": content}, headers=about)
    assert answer.headers["x-request-id"] == "an-upload-0001"
    told = line_of(service, "an-upload-0001")
    assert set(told) == OF_EVERY_LINE | OF_REQUESTS
    assert (told["level"], told["method"], told["route"], told["status"]) == (
        "info",
        "POST",
        "/v1/uploads",
        202,
    )
    assert told["bytes_in"] == int(answer.request.headers["content-length"])
    assert told["bytes_out"] == len(answer.content)
    assert told["duration_ms"] > 0
    assert (told["who"], told["client"]) == (None, "127.0.0.1")
    assert told["time"].endswith("Z")


def test_a_forwarded_address_is_nobody_s_word(service: Heard) -> None:
    about = {
        "X-Request-Id": "forwarded-0001",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    get(f"{service.address}/v1/uploads", headers=about)
    assert line_of(service, "forwarded-0001")["client"] == "127.0.0.1"
    assert "203.0.113.9" not in service.text()


@pytest.mark.parametrize(
    "given", ["short", "a" * 65, "two words", 'quote"d-and-long', "dấu-tiếng-việt", "under_score"]
)
def test_an_odd_request_id_is_replaced(service: Heard, given: str) -> None:
    answer = get(f"{service.address}/version", headers={"X-Request-Id": given.encode()})
    made = answer.headers["x-request-id"]
    assert uuid.UUID(made).hex == made
    assert line_of(service, made)["status"] == 200
    assert given not in service.text()


@pytest.mark.parametrize("given", ["12345678", "a" * 64, "550e8400-e29b-41d4-a716-446655440000"])
def test_a_plain_request_id_is_kept(service: Heard, given: str) -> None:
    answer = get(f"{service.address}/version", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    assert line_of(service, given)["route"] == "/version"


def test_refusals_too_have_a_request_id_and_a_line(service: Heard) -> None:
    for path, headers, status, route in (
        ("/nowhere/108.1", {}, 404, None),
        ("/v1/uploads", {"Host": "evil.example"}, 400, None),
        ("/v1/uploads/0000", {}, 404, "/v1/uploads/{upload_id}"),
    ):
        answer = get(service.address + path, headers=headers)
        assert answer.status_code == status
        told = line_of(service, answer.headers["x-request-id"])
        assert (told["status"], told["route"]) == (status, route)
    assert "evil" not in service.text()


def test_a_method_of_somebody_s_own_making_is_other(service: Heard) -> None:
    answer = httpx.request("GEHEIM", f"{service.address}/healthz")
    assert line_of(service, answer.headers["x-request-id"])["method"] == "other"


def test_probes_that_are_answered_well_write_no_line(service: Heard) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        get(service.address + path, headers={"X-Request-Id": "a-probe-of-mine"})
    get(f"{service.address}/version", headers={"X-Request-Id": "after-the-probes"})
    line_of(service, "after-the-probes")
    assert "a-probe-of-mine" not in service.text()


def test_a_job_is_told_from_its_taking_to_its_end(service: Heard) -> None:
    told = post(f"{service.address}/v1/uploads", files={"file": ("a.csv", made_log(77))}).json()
    settled(service.address, told["delivery_id"], judged=True)

    def of_job() -> list[dict]:
        return [one for one in service.lines() if one.get("delivery") == told["delivery_id"]]

    assert eventually(lambda: len(of_job()) == 2)
    taken, ended = of_job()
    assert (taken["event"], ended["event"], ended["outcome"]) == ("job_taken", "job_ended", "done")
    assert taken["kind"] == ended["kind"] == "ingest"
    assert ended["duration_ms"] >= 0
    assert taken["process"] != service.process.pid


def test_a_fault_of_ours_is_told_without_what_it_says(service: Heard, tmp_path: Path) -> None:
    """A snapshot whose tables are no tables: the program fails in a way that nobody foresaw."""
    silent = [line.replace("45204", "45201") for line in crew_lines()]
    told = sent(service.address, crew_file(tmp_path, silent), judged=True, source="drive_test")
    for table in (service.workspace / "snapshots" / told["snapshot_id"]).glob("*.parquet"):
        table.write_bytes(b"108.4321,11.9401")
    answer = get(f"{service.address}/gaps.geojson", headers={"X-Request-Id": "it-breaks-here"})
    problem(answer, 500, "error")
    assert answer.headers["x-request-id"] == "it-breaks-here"
    access = line_of(service, "it-breaks-here")
    assert (access["level"], access["status"], access["route"][:6]) == ("warning", 500, "/gaps.")
    (fault,) = service.lines("request_failed")
    assert (fault["request_id"], fault["level"]) == ("it-breaks-here", "error")
    assert fault["error"]
    assert any(re.search(r"coverage/\S+\.py:\d+ \w+$", frame) for frame in fault["frames"])
    assert told["snapshot_id"] not in service.text()
    assert "108.4321" not in service.text()
    assert "Traceback" not in service.text()


def test_who_asked_is_told_by_name_and_never_by_key(service: Heard) -> None:
    """The last of its service: from the first key on everybody needs one, but for what anybody may ask."""
    _, key = keys.add(open_workspace(service.workspace), Caller("Đội 7 Đơn Dương", "planner"), 30)
    assert eventually(lambda: get(f"{service.address}/v1/uploads").status_code == 401)
    about = {"Authorization": f"Bearer {key}", "X-Request-Id": "somebody-asks-1"}
    assert get(f"{service.address}/v1/uploads", headers=about).status_code == 200
    assert line_of(service, "somebody-asks-1")["who"] == "Đội 7 Đơn Dương"
    stranger = get(f"{service.address}/v1/uploads", headers={"X-Api-Key": "made-up-key-0123456789"})
    assert line_of(service, stranger.headers["x-request-id"])["who"] is None
    for secret in (key, key[-20:], "made-up-key"):
        assert secret not in service.text()
    for path in ("/healthz", "/readyz", "/version"):
        assert get(service.address + path).status_code == 200
    assert get(f"{service.address}/metrics").status_code == 401
    assert get(f"{service.address}/metrics", headers=about).status_code == 200


# --- the formatter alone: what no request brings about at will


def formatted(kind: str, say: object) -> str:
    """What is written where `say` is told to a logger of ours and one of a library."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs._Json() if kind == "json" else logs._Text())
    for name in ("coverage.made_up", "a_library"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
        say(logger)  # type: ignore[operator]
    return stream.getvalue()


def raise_and_tell(logger: logging.Logger) -> None:
    try:
        read_a_place("11.9401 N")
    except DiskFull:
        logger.exception("broke", extra={"job": 3})


def read_a_place(place: str) -> float:
    try:
        return float(place)
    except ValueError as fault:
        raise DiskFull(f"đầy ở {place}", f"full at {place}") from fault


@pytest.mark.parametrize("kind", ["json", "text"])
def test_an_error_is_its_class_code_and_frames(kind: str) -> None:
    text = formatted(kind, raise_and_tell)
    assert "11.94" not in text
    assert "DiskFull" in text
    assert "disk_full" in text
    assert "ValueError" in text
    assert f"{Path(__file__).name}:" in text
    assert "read_a_place" in text


def test_a_library_s_words_stay_out() -> None:
    text = formatted(
        "json", lambda logger: logger.warning("phone 0912 at %s", 11.9401, extra={"row": "11.9401"})
    )
    ours, theirs = map(json.loads, text.splitlines())
    assert "11.94" not in str(theirs)
    assert "0912" not in str(theirs)
    assert theirs["event"] == "a_library"
    assert theirs["where"].endswith(str(theirs["where"].rpartition(":")[2]))
    assert "11.94" not in ours["event"]


def test_text_is_one_short_line() -> None:
    text = formatted("text", lambda logger: logger.info("job ended", extra={"kind": "a b", "who": None}))
    first = text.splitlines()[0]
    assert first.split(" ", 1)[1] == 'job ended kind="a b"'


def test_the_log_can_be_off(tmp_path: Path) -> None:
    with heard(tmp_path, 0, log="off") as service:
        get(f"{service.address}/version")
    assert service.text() == f"{service.address}  (Ctrl-C: dừng / stop)\n"


def test_a_person_who_watches_gets_text(tmp_path: Path) -> None:
    watcher, shown = pty.openpty()
    port = free_port()
    process = subprocess.Popen(serving(tmp_path / "workspace", port, workers=0), stderr=shown)
    os.close(shown)
    try:
        assert b"Ctrl-C" in os.read(watcher, 1000)
        wait_for(f"http://127.0.0.1:{port}", process)
        get(f"http://127.0.0.1:{port}/version", headers={"X-Request-Id": "somebody-watches"})
        line = os.read(watcher, 1000).decode()
        assert " request request_id=somebody-watches method=GET route=/version status=200 " in line
    finally:
        process.terminate()
        process.wait(30)
        os.close(watcher)


def test_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    command = serving(tmp_path / "workspace", free_port())
    done = subprocess.run(
        command,
        env=os.environ | {"PHUSONG_LOG": "xml"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "json, text" in done.stderr
