"""Form and PUT: every door, limit, refusal and repetition, then looking, deciding and receipts."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import subprocess
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from serving import Service, delete, get, head, patch, post, problem, put, running, settled, stream
from test_flow import add_two_villages, crew_lines

from coverage.archive.mappings import save_mapping
from coverage.archive.workspace import open_workspace

HEADER = "time,lat,lon,operator,technology,rsrp_dbm"
MB = 1_000_000


def log(first: int, rows: int = 20) -> bytes:
    """A log of so many rows of which no other one holds any; `first` is what tells them apart."""
    lines = (
        f"2026-10-09T08:{row:02}:00Z,{11 + first / 10_000:.4f},108.44,45204,LTE,-97" for row in range(rows)
    )
    return "\n".join([HEADER, *lines]).encode() + b"\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service without villages: nothing is judged, so that reading in is quick. At most 2 MB, 1 s of silence."""
    folder = tmp_path_factory.mktemp("uploads")
    with running(folder / "workspace", max_upload_mb=2, idle_timeout_s=1) as started:
        yield started


@pytest.fixture
def server(service: Service) -> str:
    return service.address


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that takes in one file at a time and reads nothing in."""
    with running(tmp_path_factory.mktemp("narrow") / "workspace", 0, max_open_deliveries=1) as started:
        yield started


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two villages: what one test sends in is of an operator that no other test speaks of."""
    folder = tmp_path_factory.mktemp("judging")
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with running(folder / "workspace") as started:
        yield started


def incoming(service: Service) -> set[str]:
    return {one.name for one in (service.workspace / "archive" / "incoming").iterdir()}


def send(server: str, *files: tuple[str, bytes], **options: object) -> httpx.Response:
    return post(f"{server}/v1/uploads", files=[("file", one) for one in files], **options)


# --- the form


def test_a_form_of_several_files_gives_a_delivery_each(server: str) -> None:
    answer = send(server, ("a.csv", log(1)), ("b.csv", log(2, 30)), data={"team": "Đội 1"})
    assert answer.status_code == 202
    told = answer.json()["deliveries"]
    assert [one["file"] for one in told] == ["a.csv", "b.csv"]
    assert answer.headers["location"] == told[0]["url"]
    assert {one["context"]["team"] for one in told} == {"Đội 1"}
    ended = [settled(server, one["delivery_id"]) for one in told]
    assert [one["files"][0]["accepted"] for one in ended] == [20, 30]


def test_fields_may_stand_below_the_file(server: str) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="below.csv"\r\n\r\n'
        + log(3)
        + b'\r\n--x\r\nContent-Disposition: form-data; name="team"\r\n\r\n'
        + "Đội 3".encode()
        + b'\r\n--x\r\nContent-Disposition: form-data; name="hold"\r\n\r\ntrue\r\n--x--\r\n'
    )
    answer = post(
        f"{server}/v1/uploads", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    told = answer.json()
    assert (told["context"]["team"], told["held"], told["state"]) == ("Đội 3", True, "received")


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        ({"taem": "x"}, 400, "bad_input"),
        ({"technology": "6G"}, 422, "file_refused"),
        ({"timezone": "Asia/Nowhere"}, 422, "file_refused"),
        ({"date": "hôm qua"}, 422, "bad_field"),
        ({"date": "86400"}, 422, "bad_field"),
        ({"date": "1999-12-31"}, 422, "bad_field"),
        ({"date": "2026-10-31T00:00:00"}, 422, "bad_field"),
        ({"date": "2026-02-30"}, 422, "bad_field"),
        ({"format": "nope"}, 422, "bad_field"),
        ({"hold": "1"}, 422, "bad_field"),
        ({"source": "rumour"}, 422, "bad_field"),
        ({"in_vehicle": "perhaps"}, 422, "bad_field"),
        ({"antenna": "pocket"}, 422, "bad_field"),
        ({"sha256": "abc"}, 422, "bad_field"),
        ({"team": "a\x00b"}, 422, "bad_field"),
        ({"team": "a" * 201}, 422, "bad_field"),
    ],
)
def test_words_that_cannot_be_are_refused_before_and_below_the_file(
    service: Service, words: dict[str, str], status: int, code: str
) -> None:
    before = incoming(service)
    problem(send(service.address, ("a.csv", log(4)), data=words), status, code)
    (name, value), *_ = words.items()
    below = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + log(4)
        + f'\r\n--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--x--\r\n'.encode()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    problem(post(f"{service.address}/v1/uploads", content=below, headers=headers), status, code)
    problem(
        put(
            f"{service.address}/v1/deliveries/{uuid.uuid4()}", params={"name": "a.csv", **words}, content=b"x"
        ),
        status,
        code,
    )
    assert incoming(service) <= before


def test_a_mistyped_field_is_told_those_that_there_are(server: str) -> None:
    told = post(f"{server}/v1/uploads", files={"tep": ("a.csv", log(4))})
    assert "the fields are: file, source" in problem(told, 400, "bad_input")["detail_en"]
    told = post(f"{server}/v1/uploads", data={"oprator": "Viettel"}, files={"file": ("a.csv", log(4))})
    assert "did you mean operator?" in problem(told, 400, "bad_input")["detail_en"]


def test_words_at_the_edge_of_what_can_be(service: Service) -> None:
    words = {"date": "2000-01-01", "format": "canonical", "in_vehicle": "True", "hold": "true", "team": ""}
    told = send(service.address, ("edge.csv", log(80)), data=words).json()
    context = told["context"]
    assert (context["date"], context["format"], context["team"]) == ("2000-01-01", "canonical", None)
    assert (context["in_vehicle"], told["held"]) == (True, True)


def test_a_saved_mapping_is_a_format(service: Service) -> None:
    mapping = (
        'name = "doi_5"\ntitle = "Đội 5"\n\n[columns]\ntime = "T"\nlat = "Y"\nlon = "X"\nrsrp_dbm = "Muc"\n'
    )
    words = {"format": "doi_5", "hold": "true"}
    problem(send(service.address, ("m.csv", log(81)), data=words), 422, "bad_field")
    save_mapping(open_workspace(service.workspace), mapping, "test")
    answer = send(service.address, ("m.csv", log(81)), data=words)
    assert (answer.status_code, answer.json()["context"]["format"]) == (202, "doi_5")


def test_a_word_that_is_said_twice_is_refused_at_every_door(service: Service) -> None:
    server, before = service.address, incoming(service)
    twice = [("team", "Đội 1"), ("team", "Đội 2")]
    form = [(name, (None, text)) for name, text in twice]
    file = ("file", ("a.csv", log(82)))
    put_url = f"{server}/v1/deliveries/{uuid.uuid4()}"
    answers = [
        post(f"{server}/v1/uploads", files=[*form, file]),
        post(f"{server}/v1/uploads", files=[form[0], file, form[1]]),
        put(put_url, params=[("name", "a.csv"), *twice], content=log(82)),
        delete(f"{server}/v1/uploads/{'0' * 16}?reason=a&reason=b"),
    ]
    for answer in answers:
        assert "hai lần" in problem(answer, 400, "bad_input")["detail"]
    problem(put(put_url, params=[("name", "a.csv"), ("name", "b.csv")], content=log(82)), 400, "bad_input")
    assert incoming(service) <= before

    url = server + send(server, ("a.csv", log(82)), data={"hold": "true"}).json()["url"]
    pairs = b"team=1&team=2"
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    for answer in (
        get(f"{url}/preview?{pairs.decode()}"),
        post(f"{url}/confirm", content=pairs, headers=as_form),
        post(f"{url}/confirm", content=b'{"team": "1", "team": "1"}'),
    ):
        problem(answer, 400, "bad_input")
    assert get(url).json()["held"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("team", '{"a": 1}'),
        ("team", '["Đội 1"]'),
        ("team", "5"),
        ("team", "true"),
        ("team", '"\\ud800"'),
        ("device", "1e999"),
        ("date", "0"),
        ("date", '"86400"'),
        ("in_vehicle", "1"),
        ("in_vehicle", '"yes"'),
        ("calibrated", "[]"),
        ("format", '"nope"'),
    ],
)
def test_json_of_the_wrong_kind_names_its_field_and_changes_nothing(
    held_url: str, field: str, value: str
) -> None:
    answer = post(f"{held_url}/confirm", content=f'{{"operator": "Viettel", "{field}": {value}}}'.encode())
    assert f"Trường {field}" in problem(answer, 422, "bad_field")["detail"]
    told = get(held_url).json()
    assert (told["held"], told["context"]["operator"]) == (True, None)


@pytest.mark.parametrize("content", [b"{", b"[1]", b'"x"', b"\xff", b"[" * 60_000, b"1" * 5000])
def test_what_is_no_object_of_json_is_refused(held_url: str, content: bytes) -> None:
    problem(post(f"{held_url}/confirm", content=content), 400, "bad_input")


@pytest.fixture(scope="module")
def held_url(service: Service) -> str:
    """A delivery that waits for its sender and that no test confirms."""
    told = send(service.address, ("held.csv", log(83)), data={"hold": "true"}).json()
    return service.address + str(told["url"])


def test_switches_of_json_are_true_false_or_their_words(server: str) -> None:
    for number, value in enumerate(("true", '"true"', "false", "null")):
        told = send(server, ("s.csv", log(84 + number)), data={"hold": "true"}).json()
        answer = post(f"{server}{told['url']}/confirm", content=f'{{"in_vehicle": {value}}}'.encode())
        said = {"true": True, '"true"': True, "false": False, "null": None}[value]
        assert (answer.status_code, answer.json()["context"]["in_vehicle"]) == (202, said)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "text/csv", 415, "not_this_type"),
        (b"", "multipart/form-data", 415, "not_this_type"),
        (b"rubbish", "multipart/form-data; boundary=x", 400, "bad_input"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400, "bad_input"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422, "file_missing"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
            "bad_input",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\ncut',
            "multipart/form-data; boundary=x",
            400,
            "bad_input",
        ),
    ],
)
def test_what_is_no_form_is_refused_and_leaves_nothing(
    service: Service, body: bytes, kind: str, status: int, code: str
) -> None:
    before = incoming(service)
    answer = post(f"{service.address}/v1/uploads", content=body, headers={"Content-Type": kind})
    problem(answer, status, code)
    assert incoming(service) <= before


# --- PUT


def test_put_again_gives_the_same_answer_and_other_bytes_a_conflict(server: str) -> None:
    url = f"{server}/v1/deliveries/{uuid.uuid4()}"
    first = put(url, params={"name": "đo.csv", "team": "Đội 1"}, content=log(5))
    assert first.status_code == 202
    told = first.json()
    assert (told["file"], told["length"], told["context"]["team"]) == ("đo.csv", len(log(5)), "Đội 1")
    assert first.headers["location"] == told["url"]
    again = put(url, params={"name": "đo.csv", "team": "Đội 1"}, content=log(5))
    assert (again.status_code, again.json()["delivery_id"]) == (200, told["delivery_id"])
    other = log(6)
    assert len(other) == len(log(5))
    problem(put(url, params={"name": "đo.csv", "team": "Đội 1"}, content=other), 409, "conflict")
    problem(put(url, params={"name": "khác.csv", "team": "Đội 1"}, content=log(5)), 409, "conflict")
    problem(put(url, params={"name": "đo.csv"}, content=log(5)), 409, "conflict")
    settled(server, told["delivery_id"])
    late = put(url, params={"name": "đo.csv", "team": "Đội 1"}, content=log(5))
    assert (late.status_code, late.json()["state"]) == (200, "done")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'attachment; filename="a b.csv"', "a b.csv"),
        (b"attachment; filename=plain.csv", "plain.csv"),
        (b"attachment; filename=\"x.csv\"; filename*=UTF-8''%C4%91%E1%BB%99i.csv", "đội.csv"),
        ('attachment; filename="đội.csv"'.encode(), "đội.csv"),
        (b'attachment; filename="..\\\\..\\\\c.csv"', "c.csv"),
        (b'attachment; filename="../../etc/passwd"', "passwd"),
    ],
)
def test_the_name_may_come_in_content_disposition(server: str, header: bytes, name: str) -> None:
    url = f"{server}/v1/deliveries/{uuid.uuid4()}"
    answer = put(url, content=log(7), params={"hold": "true"}, headers=[(b"Content-Disposition", header)])
    assert answer.json()["file"] == name


@pytest.mark.parametrize("name", ["", "...", "/", "\u200b"])
def test_a_file_without_a_name_or_id_is_refused(server: str, name: str) -> None:
    problem(put(f"{server}/v1/deliveries/{uuid.uuid4()}", params={"name": name}), 400, "bad_input")
    problem(put(f"{server}/v1/deliveries/no-uuid", params={"name": "a.csv"}), 400, "bad_input")


def test_a_sha256_that_does_not_hold_lets_the_sender_begin_anew(server: str) -> None:
    url = f"{server}/v1/deliveries/{uuid.uuid4()}"
    told = {"name": "a.csv", "sha256": "0" * 64}
    problem(put(url, params=told, content=log(8)), 422, "checksum_mismatch")
    assert get(url).json()["state"] == "receiving"
    problem(send(server, ("a.csv", log(8)), data={"sha256": "0" * 64}), 422, "checksum_mismatch")


def test_a_cut_put_keeps_what_came_and_may_begin_again(server: str) -> None:
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    content = log(9, 60)
    begun = cut_after(server, f"PUT {url}?name=cut.csv HTTP/1.1", len(content), content[:1000])
    begun.close()
    assert eventually(lambda: get(server + url).json().get("offset") == 1000)
    assert get(server + url).json()["state"] == "receiving"
    answer = put(server + url, params={"name": "cut.csv"}, content=content)
    assert (answer.status_code, answer.json()["length"]) == (202, len(content))
    assert settled(server, url.rsplit("/", 1)[1])["files"][0]["accepted"] == 60


@pytest.mark.parametrize("rows", [60, 25])
def test_a_put_after_a_cut_may_bring_another_file(server: str, rows: int) -> None:
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    content, cut = log(90 + rows, rows), log(90, 40)
    request = f"PUT {url}?name=anew.csv&sha256={'0' * 64} HTTP/1.1"
    cut_after(server, request, len(cut), cut[:1000]).close()
    assert eventually(lambda: get(server + url).json().get("offset") == 1000)
    answer = put(server + url, params={"name": "anew.csv"}, content=content)
    assert (answer.status_code, answer.json()["length"]) == (202, len(content))
    assert settled(server, url.rsplit("/", 1)[1])["files"][0]["accepted"] == rows
    problem(put(server + url, params={"name": "anew.csv"}, content=cut), 409, "conflict")


def test_a_put_cut_twice_counts_from_its_own_beginning(server: str) -> None:
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    for length, sent in ((3000, 1000), (5000, 400), (400, 399)):
        cut_after(server, f"PUT {url}?name=cut.csv HTTP/1.1", length, b"x" * sent).close()
        assert eventually(lambda: get(server + url).json().get("offset") == sent)  # noqa: B023 - asked at once
        assert get(server + url).json()["length"] == length
    line = put(server + url, params={"name": "cut.csv"}, content=iter([log(92)]))
    assert (line.status_code, line.json()["length"]) == (202, len(log(92)))


def test_a_put_of_the_same_id_takes_over_from_a_dead_line(server: str) -> None:
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    content = log(10, 60)
    dead = cut_after(server, f"PUT {url}?name=over.csv HTTP/1.1", len(content), content[:500])
    assert eventually(lambda: get(server + url).json().get("offset") == 500)
    answer = put(server + url, params={"name": "over.csv"}, content=content)
    assert answer.status_code == 202
    assert b"taken_over" in all_of(dead)


def cut_after(server: str, request: str, length: int, content: bytes, *headers: str) -> socket.socket:
    """A line on which a request was begun and only so much of its body was sent."""
    line = socket.create_connection(("127.0.0.1", int(server.rsplit(":", 1)[1])), timeout=30)
    head = [request, "Host: 127.0.0.1", f"Content-Length: {length}", *headers]
    line.sendall("\r\n".join([*head, "", ""]).encode() + content)
    return line


def all_of(line: socket.socket) -> bytes:
    """Everything that the service still says on a line, until it hangs up."""
    with line:
        heard = b""
        while piece := line.recv(10_000):
            heard += piece
        return heard


def eventually(holds: object, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


# --- sending twice


def test_the_same_bytes_and_words_come_once(server: str) -> None:
    first = send(server, ("once.csv", log(11))).json()
    ended = settled(server, first["delivery_id"])
    answer = send(server, ("again.csv", log(11)))
    told = answer.json()
    assert answer.status_code == 200
    assert told["delivery_id"] != first["delivery_id"]
    assert told["same_as"]["delivery_id"] == first["delivery_id"]
    assert told["already_received_utc"] == ended["received_utc"]
    assert (told["state"], told["files"], told["receipt"]) == ("done", ended["files"], ended["receipt"])
    other = send(server, ("again.csv", log(11)), data={"team": "Đội 2"})
    assert (other.status_code, other.json()["same_as"]) == (202, None)


def test_an_idempotency_key_stands_for_one_file_with_its_words(server: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = send(server, ("key.csv", log(12)), data={"device": "máy 1"}, headers=key)
    assert first.status_code == 202
    again = send(server, ("key.csv", log(12)), data={"device": "máy 1"}, headers=key)
    assert (again.status_code, again.json()["delivery_id"]) == (200, first.json()["delivery_id"])
    for files, words in (
        ([("key.csv", log(13))], {"device": "máy 1"}),
        ([("other.csv", log(12))], {"device": "máy 1"}),
        ([("key.csv", log(12))], {"device": "máy 2"}),
        ([("key.csv", log(12)), ("more.csv", log(13))], {"device": "máy 1"}),
    ):
        problem(send(server, *files, data=words, headers=key), 422, "idempotency_key_reused")
    settled(server, first.json()["delivery_id"])  # by now the phone's name is kept as a hash
    late = send(server, ("key.csv", log(12)), data={"device": "máy 1"}, headers=key)
    assert (late.status_code, late.json()["state"]) == (200, "done")
    problem(
        put(f"{server}/v1/deliveries/{uuid.uuid4()}", params={"name": "p.csv"}, content=log(12), headers=key),
        422,
        "idempotency_key_reused",
    )
    problem(send(server, ("a.csv", log(12)), headers={"Idempotency-Key": "x" * 201}), 400, "bad_input")


def test_a_key_of_a_cut_put_leads_to_its_delivery(server: str) -> None:
    key, url, content = uuid.uuid4().hex, f"/v1/deliveries/{uuid.uuid4().hex}", log(93, 60)
    told = f"Idempotency-Key: {key}"
    cut_after(server, f"PUT {url}?name=k.csv HTTP/1.1", len(content), content[:1000], told).close()
    assert eventually(lambda: get(server + url).json().get("offset") == 1000)

    def again(where: str, name: str = "k.csv") -> httpx.Response:
        return put(server + where, params={"name": name}, content=content, headers={"Idempotency-Key": key})

    assert eventually(lambda: again(other_url()).json()["code"] != "in_flight")
    refused = again(other_url())
    assert url in problem(refused, 409, "unfinished")["detail"]
    assert refused.headers["location"] == url
    assert get(server + url).json()["offset"] == 1000
    problem(again(other_url(), "other.csv"), 422, "idempotency_key_reused")
    assert again(refused.headers["location"]).status_code == 202
    late = again(other_url())
    assert (late.status_code, late.headers["location"]) == (200, url)


def other_url() -> str:
    return f"/v1/deliveries/{uuid.uuid4().hex}"


def test_a_key_of_several_files_needs_all_of_them(server: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    files = [("a.csv", log(14)), ("b.csv", log(15))]
    first = send(server, *files, headers=key).json()["deliveries"]
    again = send(server, *files, headers=key)
    assert again.status_code == 200
    assert [one["delivery_id"] for one in again.json()["deliveries"]] == [one["delivery_id"] for one in first]
    problem(send(server, files[0], headers=key), 422, "idempotency_key_reused")


def test_a_key_in_flight_is_a_conflict_and_a_cut_one_is_free_again(server: str) -> None:
    key = uuid.uuid4().hex
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n{HEADER}\n'.encode()
    told = ("Content-Type: multipart/form-data; boundary=x", f"Idempotency-Key: {key}")
    line = cut_after(server, "POST /v1/uploads HTTP/1.1", 10_000, head, *told)
    time.sleep(0.5)
    busy = send(server, ("f.csv", log(16)), headers={"Idempotency-Key": key})
    assert int(busy.headers["retry-after"]) > 0
    problem(busy, 409, "in_flight")
    line.close()
    assert eventually(
        lambda: send(server, ("f.csv", log(16)), headers={"Idempotency-Key": key}).status_code == 202
    )


# --- limits


def test_a_file_that_is_too_long_is_refused_by_its_announcement(service: Service) -> None:
    before = incoming(service)
    url = f"{service.address}/v1/deliveries/{uuid.uuid4()}"
    began = time.monotonic()
    answer = put(url, params={"name": "a.csv"}, content=bytes(60 * MB))
    assert "2000000" in problem(answer, 413, "too_large")["detail"]
    problem(send(service.address, ("a.csv", bytes(60 * MB))), 413, "too_large")
    assert time.monotonic() - began < 30
    assert incoming(service) <= before


def test_a_file_that_turns_out_too_long_is_refused_and_forgotten(service: Service) -> None:
    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(MB)

    before = incoming(service)
    url = f"{service.address}/v1/deliveries/{uuid.uuid4()}"
    problem(put(url, params={"name": "a.csv"}, content=pieces(5)), 413, "too_large")
    assert get(url).json()["state"] == "cancelled"
    problem(put(url, params={"name": "a.csv"}, content=b"x"), 409, "conflict")
    just = put(
        f"{service.address}/v1/deliveries/{uuid.uuid4()}",
        params={"name": "a.csv", "hold": "true"},
        content=pieces(2),
    )
    assert (just.status_code, just.json()["length"]) == (202, 2 * MB)
    delete(f"{service.address}{just.json()['url']}")
    two = send(service.address, ("a.csv", bytes(MB)), ("b.csv", bytes(2 * MB + 1)))
    problem(two, 413, "too_large")
    assert incoming(service) <= before


@pytest.mark.parametrize("chunked", [False, True])
def test_curl_hears_that_its_file_is_too_long(server: str, tmp_path: Path, chunked: bool) -> None:
    (tmp_path / "big.csv").write_bytes(bytes(40 * MB))
    told = ["-H", "Transfer-Encoding: chunked"] if chunked else []
    command = ["curl", "-sS", "-T", str(tmp_path / "big.csv"), *told]
    done = subprocess.run(
        [*command, f"{server}/v1/deliveries/{uuid.uuid4()}?name=a.csv"], capture_output=True, check=True
    )
    assert orjson.loads(done.stdout)["code"] == "too_large"


def test_silence_ends_a_request_and_keeps_what_came(server: str) -> None:
    url = f"/v1/deliveries/{uuid.uuid4().hex}"
    line = cut_after(server, f"PUT {url}?name=idle.csv HTTP/1.1", 5000, b"x" * 100)
    answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"idle_timeout" in answer
    assert get(server + url).json().get("offset") == 100


def test_full_disks_are_told(tmp_path: Path) -> None:
    with running(tmp_path / "full", workers=0, free_disk_floor_mb=10**9) as service:
        url = f"{service.address}/v1/deliveries/{uuid.uuid4()}"
        problem(put(url, params={"name": "a.csv"}, content=log(1)), 507, "disk_full")
        problem(send(service.address, ("a.csv", log(1))), 507, "disk_full")
        assert not incoming(service)


def test_too_many_senders_are_told(narrow: Service) -> None:
    line = cut_after(narrow.address, f"PUT /v1/deliveries/{uuid.uuid4().hex}?name=a.csv HTTP/1.1", 500, b"x")
    time.sleep(0.5)
    busy = send(narrow.address, ("a.csv", log(1)))
    problem(busy, 429, "too_many")
    assert int(busy.headers["retry-after"]) > 0
    line.close()
    assert eventually(lambda: send(narrow.address, ("a.csv", log(1))).status_code == 202)


def test_a_disk_that_fills_while_bytes_come_is_told_and_keeps_what_fitted(tmp_path: Path) -> None:
    incoming_folder = open_workspace(tmp_path / "workspace").incoming
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(incoming_folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        with running(tmp_path / "workspace", workers=0, free_disk_floor_mb=0) as service:
            url = f"{service.address}/v1/deliveries/{uuid.uuid4()}"
            problem(put(url, params={"name": "a.csv"}, content=iter([bytes(MB)] * 8)), 507, "disk_full")
            told = get(url).json()
            assert (told["state"], MB < told["offset"] <= 3 << 20) == ("receiving", True)
            assert delete(url).status_code == 204
            problem(send(service.address, ("a.csv", bytes(8 * MB))), 507, "disk_full")
            checked_piece_leaves_nothing(service.address, bytes(8 * MB))
            assert not incoming(service)
            assert send(service.address, ("a.csv", log(1))).status_code == 202
    finally:
        subprocess.run(["umount", str(incoming_folder)], check=True)


def checked_piece_leaves_nothing(server: str, piece: bytes) -> None:
    """A piece of tus that does not fit is dropped whole where a checksum was to say whether it is right."""
    about = {"Tus-Resumable": "1.0.0", "Upload-Metadata": "filename YS5jc3Y=", "Upload-Defer-Length": "1"}
    where = server + post(f"{server}/v1/tus", headers=about).headers["location"]
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    told = {"Upload-Offset": "0", "Upload-Checksum": f"sha256 {digest}"}
    kind = {"Content-Type": "application/offset+octet-stream"}
    problem(patch(where, headers=about | told | kind, content=iter([piece])), 507, "disk_full")
    assert head(where, headers=about).headers["upload-offset"] == "0"
    assert delete(where, headers=about).status_code == 204


def test_a_manifest_that_is_away_is_told_and_comes_back(narrow: Service) -> None:
    manifest = narrow.workspace / "archive" / "manifest.sqlite"
    manifest.rename(manifest.with_name("away"))
    manifest.mkdir()
    away = send(narrow.address, ("a.csv", log(2)))
    problem(away, 503, "archive_unavailable")
    assert int(away.headers["retry-after"]) > 0
    manifest.rmdir()
    manifest.with_name("away").rename(manifest)
    assert send(narrow.address, ("a.csv", log(2))).status_code == 202


def test_a_service_that_is_stopped_tells_its_senders_and_keeps_what_came(tmp_path: Path) -> None:
    with running(tmp_path / "workspace") as service:
        url = f"/v1/deliveries/{uuid.uuid4().hex}"
        content = log(1, 60)
        request = f"PUT {url}?name=stop.csv HTTP/1.1"
        line = cut_after(service.address, request, len(content), content[:700])
        assert eventually(lambda: get(service.address + url).json().get("offset") == 700)
        with stream("GET", f"{service.address}{url}/events") as events:
            heard = events.iter_lines()
            assert next(heard) == "event: delivery"
            stopping = threading.Thread(target=service.stop)
            stopping.start()
            assert '"receiving"' in "".join(heard)  # and the line is closed in good order
            stopping.join(60)
        answer = all_of(line)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"closing"' in answer
        assert not workers_of(service)
        service.start()
        assert get(service.address + url).json().get("offset") == 700


# --- looking and deciding


def test_events_tell_every_change_until_the_end(server: str) -> None:
    held = send(server, ("events.csv", log(20)), data={"hold": "true"}).json()
    states: list[tuple[str, bool]] = []
    with stream("GET", f"{server}{held['url']}/events", headers={"Last-Event-ID": "7"}) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines()
        for line in lines:
            if line.startswith("data: "):
                told = orjson.loads(line[6:])
                states.append((told["state"], told["held"]))
                if len(states) == 1:
                    assert post(f"{server}{held['url']}/confirm").status_code == 202
    assert states[0] == ("received", True)
    assert states[-1] == ("done", False)
    problem(get(f"{server}/v1/deliveries/0000/events"), 404, "not_found")


@pytest.mark.soak
def test_a_quiet_line_is_kept_alive(server: str) -> None:
    held = send(server, ("quiet.csv", log(21)), data={"hold": "true"}).json()
    with stream("GET", f"{server}{held['url']}/events") as events:
        assert next(line for line in events.iter_lines() if line.startswith(":")) == ": alive"


def test_a_preview_shows_how_the_file_would_be_read(judging: Service) -> None:
    server = judging.address
    rows = ["Thời điểm;Vĩ độ;Kinh độ;Mức thu RSRP;IMEI"]
    rows += [f"09/10/2026 08:{row:02};11,94;108,44;-{90 + row};3512340000" for row in range(30)]
    rows += ["09/10/2026 09:00;x;108,44;-97;1", "09/10/2026 09:01;;108,44;-97;1"]
    content = "\n".join(rows).encode() + b"\n"
    held = send(server, ("đo.csv", content), data={"hold": "true", "device": "máy 1"}).json()
    url = f"{server}{held['url']}"
    (asked,) = get(f"{url}/preview").json()["files"]
    assert (asked["looked_at_rows"], asked["whole"], asked["counts"]["accepted"]) == (32, True, 0)
    missing = {one["field"]: one["rows"] for one in asked["missing"]}
    assert missing == {"operator": 30, "technology": 30}
    assert all(one["vi"] and one["en"] for one in asked["missing"])

    words = {"operator": "Viettel", "technology": "4G"}
    (asked,) = get(f"{url}/preview", params=words).json()["files"]
    assert [one["field"] for one in asked["missing"]] == ["device"]
    words["device"] = "máy 1"
    told = get(f"{url}/preview", params=words).json()
    (shown,) = told["files"]
    assert shown["format"]["title_vi"]
    assert {"field": "rsrp_dbm", "theirs": "Mức thu RSRP"} in shown["columns"]
    assert shown["dropped"] == ["IMEI"]
    assert shown["counts"] | {"fixed": 0} == {
        "rows": 32, "accepted": 30, "duplicates": 0, "rejected": 2, "quarantined": 0,
        "no_service": 0, "unknown_level": 0, "fixed": 0,
    }  # fmt: skip
    assert [row["line"] for row in shown["rows"]] == list(range(2, 22))
    first = shown["rows"][0]
    assert (first["time_utc"], first["lat"], first["lon"]) == ("2026-10-09T01:00:00Z", 11.94, 108.44)
    assert (first["operator_name"], first["technology"], first["level_dbm"]) == ("Viettel", "LTE", -90)
    assert len(first["device"]) == 16
    assert "máy 1" not in str(told)
    assert shown["points"][0] == [11.94, 108.44, -90, "in_service"]
    assert len(shown["points"]) == 30
    assert told["bounds"] == [11.94, 108.44, 11.94, 108.44]
    assert shown["missing"] == []
    assert shown["known"] is None
    assert {one["code"]: one["rows"] for one in shown["reasons"]} == {"bad_coordinate": 2}
    assert told["outlines"]["type"] == "FeatureCollection"

    confirmed = post(f"{url}/confirm", json=words | {"in_vehicle": True})
    assert (confirmed.status_code, confirmed.json()["context"]["in_vehicle"]) == (202, True)
    assert settled(server, held["delivery_id"])["files"][0]["accepted"] == 30
    assert post(f"{url}/confirm", json=words | {"in_vehicle": True}).status_code == 200
    problem(post(f"{url}/confirm", json=words), 409, "conflict")
    problem(get(f"{url}/preview"), 409, "conflict")

    again = send(server, ("đo.csv", content), data={"hold": "true"}).json()
    (known,) = get(f"{server}{again['url']}/preview").json()["files"]
    assert (known["known"]["rows"], known["known"]["state"]) == (32, "committed")
    assert known["known"]["received_utc"].endswith("Z")


def test_a_preview_tells_refusals_of_a_zip_and_of_a_file(server: str) -> None:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as packed:
        packed.writestr("none.csv", b"a,b\n1,2\n")
        packed.writestr(
            "asks.csv", log(70, 3).replace(b"2026-10-09T08", b"09/10/2026 08").replace(b"Z,", b",")
        )
        for number in range(12):
            packed.writestr(f"{number:02}.csv", log(30 + number))
    held = send(server, ("box.zip", box.getvalue()), data={"hold": "true"}).json()
    told = get(f"{server}{held['url']}/preview").json()
    assert len(told["files"]) + len(told["refused"]) == 10
    assert told["more"] is True
    assert "none.csv" in told["refused"][0]["detail"]
    missing = {one["field"]: one["rows"] for one in told["files"][0]["missing"]}
    assert missing["date_order"] == 3
    rubbish = send(server, ("rubbish.csv", bytes(range(256))), data={"hold": "true"}).json()
    told = get(f"{server}{rubbish['url']}/preview").json()
    assert (told["files"], len(told["refused"]), told["bounds"]) == ([], 1, None)


def test_confirm_and_retry_take_forms_and_refuse_what_cannot_be(server: str) -> None:
    held = send(server, ("c.csv", log(50)), data={"hold": "true", "by": "Lan"}).json()
    url = f"{server}{held['url']}/confirm"
    problem(post(url, json={"taem": "x"}), 400, "bad_input")
    problem(post(url, json={"hold": True}), 400, "bad_input")
    problem(post(url, content=b"[1]"), 400, "bad_input")
    problem(post(url, json={"technology": "6G"}), 422, "file_refused")
    done = post(url, data={"team": "Đội 1", "by": "Minh"}).json()
    assert (done["context"]["team"], done["by"], done["held"]) == ("Đội 1", "Minh", False)
    problem(post(f"{server}{held['url']}/retry"), 409, "conflict")

    wrong = send(server, ("w.csv", log(51)), data={"format": "gnettrack_text"}).json()
    assert settled(server, wrong["delivery_id"])["state"] == "refused"
    retried = post(f"{server}{wrong['url']}/retry", json={"format": "canonical"})
    assert retried.status_code == 202
    assert settled(server, wrong["delivery_id"])["files"][0]["accepted"] == 20


def test_a_cancelled_delivery_is_gone_and_a_done_one_stays(service: Service) -> None:
    server = service.address
    held = send(server, ("c.csv", log(52)), data={"hold": "true"}).json()
    assert held["delivery_id"] in incoming(service)
    for _ in range(2):
        assert delete(f"{server}{held['url']}").status_code == 204
    assert get(f"{server}{held['url']}").json()["state"] == "cancelled"
    assert held["delivery_id"] not in incoming(service)
    problem(post(f"{server}{held['url']}/confirm"), 409, "conflict")
    done = send(server, ("d.csv", log(53))).json()
    settled(server, done["delivery_id"])
    problem(delete(f"{server}{done['url']}"), 409, "conflict")
    problem(delete(f"{server}/v1/deliveries/0000"), 404, "not_found")


def test_a_receipt_is_found_however_it_was_copied(server: str) -> None:
    first = send(server, ("r.csv", log(54))).json()
    send(server, ("r2.csv", log(54)))
    code = first["receipt"]
    for written in (
        code,
        code.lower(),
        code.replace("-", ""),
        code[3:],
        code.replace("0", "o").replace("1", "l"),
        code.replace("-", "\u2013"),
        f"{code.replace('-', chr(0x2212))}.",
    ):
        found = get(f"{server}/v1/receipts/{written}").json()["deliveries"]
        assert [one["file"] for one in found] == ["r.csv", "r2.csv"]
    for wrong in ("PS-00000-00000", "PS-1", "đ", code[:-1]):
        problem(get(f"{server}/v1/receipts/{wrong}"), 404, "not_found")


def test_refused_rows_come_as_a_sheet(server: str) -> None:
    content = log(55, 3) + b"=1+1,11.9,108.4,45204,LTE,-97\n"
    told = send(server, ("bad.csv", content)).json()
    (receipt,) = settled(server, told["delivery_id"])["files"]
    assert (receipt["rejected"], receipt["reasons"][0]["line"]) == (1, 5)
    assert receipt["reasons"][0]["ly_do"]
    sheet = get(f"{server}/v1/uploads/{receipt['upload_id']}/rejects.csv")
    assert sheet.content.startswith("\ufeffline,outcome,code,column,value,ly_do,reason\r\n".encode())
    assert ",'=1+1," in sheet.text
    assert "attachment" in sheet.headers["content-disposition"]
    problem(get(f"{server}/v1/uploads/0000/rejects.csv"), 404, "not_found")


def test_lists_are_paged_newest_first_and_hold_each_entry_once(server: str) -> None:
    for number in range(5):
        settled(server, send(server, ("p.csv", log(60 + number))).json()["delivery_id"])
    for name, key in (("uploads", "upload_id"), ("deliveries", "delivery_id")):
        whole = get(f"{server}/v1/{name}?limit=500").json()[name]
        seen, onward = [], f"/v1/{name}?limit=2"
        while onward:
            page = get(server + onward).json()
            seen += page[name]
            onward = page["next"]
        assert [one[key] for one in seen] == [one[key] for one in whole]
        assert len({one[key] for one in seen}) == len(seen) > 5
    problem(get(f"{server}/v1/deliveries?before=x"), 422, "bad_field")
    problem(get(f"{server}/v1/uploads?after=x"), 422, "bad_field")


# --- workers


def workers_of(service: Service) -> list[int]:
    """The worker processes of this workspace."""
    found = []
    for about in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = about.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"work" in words and str(service.workspace).encode() in words:
            found.append(int(about.parent.name))
    return found


def test_a_worker_that_dies_is_replaced(service: Service) -> None:
    assert eventually(lambda: len(workers_of(service)) == 1)
    (first,) = workers_of(service)
    subprocess.run(["kill", "-9", str(first)], check=True)
    told = send(service.address, ("a.csv", log(94))).json()
    assert settled(service.address, told["delivery_id"])["state"] == "done"
    assert first not in workers_of(service)


def test_workers_end_when_their_service_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "workspace") as service:
        assert eventually(lambda: len(workers_of(service)) == 1)
        service.kill()
        assert eventually(lambda: not workers_of(service))


def test_a_crew_s_file_counts_in_villages(judging: Service) -> None:
    """Words of the form reach the judgement: the same rows, marked as of one operator."""
    lines = [line.replace(",45204,", ",,") for line in crew_lines()]
    content = "time,lat,lon,operator,technology,service_state,rsrp_dbm,device,accuracy_m\n" + "\n".join(lines)
    told = send(judging.address, ("crew.csv", content.encode()), data={"operator": "MobiFone"}).json()
    ended = settled(judging.address, told["delivery_id"], judged=True)
    assert ended["snapshot_id"]
    gaps = get(f"{judging.address}/gaps.geojson").json()["features"]
    assert [one["properties"]["operator"] for one in gaps] == ["45201"]


def test_a_service_over_postgresql_takes_in_reads_and_judges(tmp_path: Path, postgres_url: str) -> None:
    add_two_villages(open_workspace(tmp_path / "workspace", manifest_url=postgres_url), tmp_path)
    header = "time,lat,lon,operator,technology,service_state,rsrp_dbm,device,accuracy_m"
    viettel, vinaphone = (
        "\n".join([header, *(line.replace("45204", operator) for line in crew_lines())]).encode()
        for operator in ("45204", "45202")
    )
    with running(tmp_path / "workspace", manifest=postgres_url) as service:
        by_form = send(service.address, ("form.csv", viettel)).json()
        url = f"{service.address}/v1/deliveries/{uuid.uuid4().hex}"
        by_put = put(url, params={"name": "put.csv"}, content=vinaphone).json()
        for told in (by_form, by_put):
            ended = settled(service.address, told["delivery_id"], judged=True)
            assert (ended["state"], ended["files"][0]["accepted"]) == ("done", 108)
        gaps = get(f"{service.address}/gaps.geojson").json()["features"]
        assert {one["properties"]["operator"] for one in gaps} == {"45204", "45202"}
    assert not (tmp_path / "workspace" / "archive" / "manifest.sqlite").exists()
