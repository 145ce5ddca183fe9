"""tus 1.0 as its clients need it: creation, going on after a cut, every refusal, a real client, and odd headers."""

from __future__ import annotations

import base64
import hashlib
import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import Service, delete, get, head, options, patch, post, problem, put, request, running, settled
from test_service_uploads import all_of, cut_after, eventually, incoming, log
from tusclient.client import TusClient

from coverage.archive.incoming import open_part
from coverage.archive.workspace import existing_workspace

VERSION = {"Tus-Resumable": "1.0.0"}
CHUNK = VERSION | {"Content-Type": "application/offset+octet-stream"}
MB = 1_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service without villages. At most 2 MB, 2 s of silence."""
    folder = tmp_path_factory.mktemp("tus")
    with running(folder / "workspace", max_upload_mb=2, idle_timeout_s=2) as started:
        yield started


@pytest.fixture
def server(service: Service) -> str:
    return service.address


def said(**words: str) -> str:
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in words.items())


def create(server: str, length: int, headers: dict[str, str] | None = None, **words: str) -> httpx.Response:
    told = {"Upload-Length": str(length), "Upload-Metadata": said(filename="đội 1.csv", **words)}
    return post(f"{server}/v1/tus", headers=VERSION | told | (headers or {}))


def go_on(server: str, where: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
    told = (
        CHUNK
        | {"Upload-Offset": str(offset)}
        | {name.replace("_", "-"): text for name, text in headers.items()}
    )
    return patch(server + where, content=content, headers=told)


def delivery(server: str, where: str) -> dict:
    return get(f"{server}/v1/deliveries/{where.rsplit('/', 1)[1]}").json()


def test_the_protocol_is_told(server: str) -> None:
    told = options(f"{server}/v1/tus")
    assert told.status_code == 204
    assert told.headers["tus-version"] == "1.0.0"
    assert told.headers["tus-max-size"] == "2000000"
    assert "creation-with-upload" in told.headers["tus-extension"]
    assert "sha1" in told.headers["tus-checksum-algorithm"]


def test_a_file_in_pieces_arrives_with_its_words(server: str) -> None:
    content = log(1, 50)
    answer = create(server, len(content), team="Đội 1", hold="true", by="Lan", filetype="text/csv")
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "0")
    where = answer.headers["location"]
    assert "GMT" in answer.headers["upload-expires"]
    for start in range(0, len(content), 700):
        answer = go_on(server, where, start, content[start : start + 700])
        assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
        assert int(answer.headers["upload-offset"]) == min(start + 700, len(content))
    told = delivery(server, where)
    assert (told["state"], told["held"], told["by"], told["file"]) == ("received", True, "Lan", "đội 1.csv")
    assert (told["context"]["team"], told["sha256"]) == ("Đội 1", hashlib.sha256(content).hexdigest())
    shown = head(server + where, headers=VERSION)
    assert shown.status_code == 200
    assert shown.headers["upload-length"] == shown.headers["upload-offset"] == str(len(content))
    assert shown.headers["cache-control"] == "no-store"
    assert base64.b64encode("đội 1.csv".encode()).decode() in shown.headers["upload-metadata"]


def test_first_bytes_empty_files_and_lengths_told_late(server: str) -> None:
    content = log(2)
    told = {"Upload-Length": str(len(content)), "Upload-Metadata": said(filename="a.csv")}
    at_once = post(f"{server}/v1/tus", headers=CHUNK | told, content=content)
    assert (at_once.status_code, at_once.headers["upload-offset"]) == (201, str(len(content)))
    assert settled(server, at_once.headers["location"].rsplit("/", 1)[1])["files"][0]["accepted"] == 20
    half = post(
        f"{server}/v1/tus",
        headers=CHUNK | told | {"Upload-Metadata": said(filename="half.csv", team="x")},
        content=content[:99],
    )
    assert (half.status_code, half.headers["upload-offset"]) == (201, "99")
    assert go_on(server, half.headers["location"], 99, content[99:]).status_code == 204

    empty = create(server, 0)
    assert empty.status_code == 201
    assert settled(server, empty.headers["location"].rsplit("/", 1)[1])["state"] == "refused"

    late = {"Upload-Defer-Length": "1", "Upload-Metadata": said(filename="late.csv")}
    where = post(f"{server}/v1/tus", headers=VERSION | late).headers["location"]
    content = log(3)
    assert head(server + where, headers=VERSION).headers["upload-defer-length"] == "1"
    go_on(server, where, 0, content[:50])
    assert delivery(server, where)["state"] == "receiving"
    done = go_on(server, where, 50, content[50:], Upload_Length=str(len(content)))
    assert done.headers["upload-offset"] == str(len(content))
    assert settled(server, where.rsplit("/", 1)[1])["files"][0]["accepted"] == 20


def test_refusals_say_what_a_client_needs(service: Service) -> None:
    server, content = service.address, log(4)
    where = create(server, len(content)).headers["location"]
    go_on(server, where, 0, content[:100])
    wrong = go_on(server, where, 50, content[50:])
    problem(wrong, 409, "conflict")
    assert (wrong.headers["upload-offset"], wrong.headers["tus-resumable"]) == ("100", "1.0.0")
    old = patch(server + where, headers=CHUNK | {"Tus-Resumable": "0.2.2", "Upload-Offset": "100"})
    problem(old, 412, "tus_version")
    assert old.headers["tus-version"] == "1.0.0"
    plain = patch(server + where, headers=VERSION | {"Upload-Offset": "100", "Content-Type": "text/csv"})
    problem(plain, 415, "not_this_type")
    problem(patch(server + where, headers=CHUNK), 400, "bad_input")
    problem(go_on(server, where, 100, content), 413, "too_large")
    problem(go_on(server, "/v1/tus/0000", 0, content), 404, "not_found")
    assert head(f"{server}/v1/tus/0000", headers=VERSION).status_code == 404
    problem(create(server, 2 * MB + 1), 413, "too_large")
    problem(
        post(f"{server}/v1/tus", headers=VERSION | {"Upload-Metadata": said(filename="a")}), 400, "bad_input"
    )
    problem(post(f"{server}/v1/tus", headers=VERSION | {"Upload-Length": "5"}), 400, "bad_input")
    problem(create(server, 5, team="a" * 300), 422, "bad_field")
    problem(create(server, 5, taem="x"), 400, "bad_input")
    problem(create(server, 5, technology="6G"), 422, "file_refused")
    assert head(server + where, headers=VERSION).headers["upload-offset"] == "100"

    assert delete(server + where, headers=VERSION).status_code == 204
    gone = head(server + where, headers=VERSION)
    assert (gone.status_code, gone.headers["tus-resumable"]) == (410, "1.0.0")
    assert where.rsplit("/", 1)[1] not in incoming(service)


def test_more_bytes_than_announced_are_not_taken(server: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 400

    where = create(server, 300).headers["location"]
    answer = patch(server + where, headers=CHUNK | {"Upload-Offset": "0"}, content=pieces())
    problem(answer, 413, "too_large")
    assert delivery(server, where)["state"] == "receiving"


def test_a_length_told_late_must_hold_what_is_there(server: str) -> None:
    late = {"Upload-Defer-Length": "1", "Upload-Metadata": said(filename="late.csv")}
    where = post(f"{server}/v1/tus", headers=VERSION | late).headers["location"]
    content = log(13)
    go_on(server, where, 0, content[:100])
    told = problem(go_on(server, where, 100, b"", Upload_Length="99"), 400, "bad_input")
    assert "100 byte" in told["detail"]
    problem(go_on(server, where, 100, content[100:150], Upload_Length="149"), 413, "too_large")
    problem(go_on(server, where, 99, content[99:], Upload_Length=str(len(content))), 409, "conflict")
    shown = head(server + where, headers=VERSION).headers
    assert (shown["upload-offset"], shown["upload-defer-length"]) == ("100", "1")
    assert go_on(server, where, 100, content[100:150], Upload_Length=str(len(content))).status_code == 204
    problem(go_on(server, where, 150, b"", Upload_Length="150"), 400, "bad_input")
    last = go_on(server, where, 150, content[150:], Upload_Length=str(len(content)))
    assert last.headers["upload-offset"] == str(len(content))
    assert delivery(server, where)["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_length_told_late_may_be_what_is_there(server: str) -> None:
    late = {"Upload-Defer-Length": "1", "Upload-Metadata": said(filename="late.csv")}
    where = post(f"{server}/v1/tus", headers=VERSION | late).headers["location"]
    content = log(14)
    go_on(server, where, 0, content)
    assert go_on(server, where, len(content), b"", Upload_Length=str(len(content))).status_code == 204
    assert delivery(server, where)["state"] in {"received", "done"}


@pytest.mark.parametrize("digest", [b"right", b"wrong"])
def test_a_checked_piece_that_is_too_long_leaves_nothing(server: str, digest: bytes) -> None:
    where = create(server, 300).headers["location"]
    go_on(server, where, 0, b"y" * 20)
    piece = b"x" * 400
    meant = hashlib.sha256(piece if digest == b"right" else digest).digest()
    told = {"Upload-Offset": "20", "Upload-Checksum": f"sha256 {base64.b64encode(meant).decode()}"}
    answer = patch(server + where, headers=CHUNK | told, content=iter([piece[:200], piece[200:]]))
    problem(answer, 413, "too_large")
    assert head(server + where, headers=VERSION).headers["upload-offset"] == "20"


def test_checksums_of_pieces_and_of_the_file(server: str) -> None:
    content = log(5)
    where = create(server, len(content), sha256=hashlib.sha256(content).hexdigest()).headers["location"]

    def checked(name: str, piece: bytes) -> str:
        return f"{name} {base64.b64encode(hashlib.new(name, piece).digest()).decode()}"

    bad = go_on(server, where, 0, content[:50], Upload_Checksum=checked("sha1", b"other"))
    assert bad.headers["upload-offset"] == "0"
    problem(bad, 460, "checksum_mismatch")
    assert head(server + where, headers=VERSION).headers["upload-offset"] == "0"
    good = go_on(server, where, 0, content[:50], Upload_Checksum=checked("sha256", content[:50]))
    assert good.headers["upload-offset"] == "50"
    for odd in ("crc32 AAAA", "sha1", "sha1 %%%"):
        problem(go_on(server, where, 50, b"x", Upload_Checksum=odd), 400, "bad_input")
    damaged = content[50:-1] + b"?"
    whole = go_on(server, where, 50, damaged)
    assert whole.headers["upload-offset"] == "0"
    problem(whole, 460, "checksum_mismatch")
    assert head(server + where, headers=VERSION).headers["upload-offset"] == "0"
    assert go_on(server, where, 0, content).status_code == 204
    assert delivery(server, where)["state"] in {"received", "done"}


def test_clients_that_can_only_post(server: str) -> None:
    content = log(6)
    where = create(server, len(content)).headers["location"]
    told = CHUNK | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert post(server + where, headers=told, content=content[:40]).headers["upload-offset"] == "40"
    assert post(server + where, headers=VERSION | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    problem(post(server + where, headers=VERSION), 405, "http_405")


def test_a_reconnecting_client_takes_over_from_its_dead_line(server: str) -> None:
    content = log(7, 60)
    where = create(server, len(content)).headers["location"]
    headers = [f"{name}: {text}" for name, text in (CHUNK | {"Upload-Offset": "0"}).items()]
    dead = cut_after(server, f"PATCH {where} HTTP/1.1", len(content), content[:600], *headers)
    assert eventually(lambda: delivery(server, where).get("offset") == 600)
    began = time.monotonic()
    shown = head(server + where, headers=VERSION)
    assert (shown.headers["upload-offset"], time.monotonic() - began < 1.5) == ("600", True)
    assert b"taken_over" in all_of(dead)
    assert go_on(server, where, 600, content[600:]).status_code == 204
    assert settled(server, where.rsplit("/", 1)[1])["files"][0]["accepted"] == 60


def test_what_came_before_a_cut_is_kept_to_the_last_byte(server: str) -> None:
    content = log(8, 60)
    where = create(server, len(content)).headers["location"]
    offset = 0
    for length in (1, 10, 100, 1000):
        headers = [f"{name}: {text}" for name, text in (CHUNK | {"Upload-Offset": str(offset)}).items()]
        line = cut_after(
            server,
            f"PATCH {where} HTTP/1.1",
            len(content) - offset,
            content[offset : offset + length],
            *headers,
        )
        line.close()
        offset += length
        assert eventually(lambda: delivery(server, where).get("offset") == offset, 5)  # noqa: B023 - asked at once
    assert go_on(server, where, offset, content[offset:]).status_code == 204
    assert delivery(server, where)["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_part_that_another_program_has_is_locked(service: Service) -> None:
    content = log(9, 60)
    where = create(service.address, len(content)).headers["location"]
    go_on(service.address, where, 0, content[:600])
    with open_part(existing_workspace(service.workspace), where.rsplit("/", 1)[1]):
        busy = go_on(service.address, where, 600, content[600:])
    problem(busy, 423, "locked")
    assert int(busy.headers["retry-after"]) > 0
    assert go_on(service.address, where, 600, content[600:]).status_code == 204


def test_bytes_survive_a_kill_and_the_last_one_too(tmp_path: Path) -> None:
    with running(tmp_path / "workspace", workers=0) as service:
        content = log(10, 60)
        where = create(service.address, len(content)).headers["location"]
        go_on(service.address, where, 0, content[:1000])
        service.kill()
        # The last bytes were written, and the process ended before it could say so.
        part = service.workspace / "archive" / "incoming" / where.rsplit("/", 1)[1] / "part"
        with part.open("ab") as rest:
            rest.write(content[1000:])
        service.start()
        assert delivery(service.address, where)["state"] == "received"
        shown = head(service.address + where, headers=VERSION)
        assert shown.headers["upload-offset"] == str(len(content))
        again = go_on(service.address, where, len(content), b"")
        assert (again.status_code, again.headers["upload-offset"]) == (204, str(len(content)))


def test_a_file_begun_by_put_is_gone_on_with(server: str) -> None:
    content, delivery_id = log(11, 60), uuid.uuid4().hex
    line = cut_after(
        server, f"PUT /v1/deliveries/{delivery_id}?name=p.csv HTTP/1.1", len(content), content[:500]
    )
    line.close()
    assert eventually(lambda: delivery(server, f"/{delivery_id}").get("offset") == 500)
    assert go_on(server, f"/v1/tus/{delivery_id}", 500, content[500:]).status_code == 204
    assert delivery(server, f"/{delivery_id}")["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_creation_is_repeated_by_its_key(server: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = create(server, 500, key, team="Đội 1")
    go_on(server, first.headers["location"], 0, b"x" * 99)
    again = create(server, 500, key, team="Đội 1")
    assert (again.status_code, again.headers["location"]) == (200, first.headers["location"])
    assert again.headers["upload-offset"] == "99"
    problem(create(server, 501, key, team="Đội 1"), 422, "idempotency_key_reused")
    problem(create(server, 500, key, team="Đội 2"), 422, "idempotency_key_reused")


def test_a_real_client_sends_in_pieces_and_goes_on(server: str) -> None:
    content = log(12, 60)
    client = TusClient(f"{server}/v1/tus")
    words = {"filename": "real.csv", "team": "Đội 1"}
    begun = client.uploader(
        file_stream=io.BytesIO(content), chunk_size=500, metadata=words, upload_checksum=True
    )
    begun.upload_chunk()
    begun.upload_chunk()
    later = client.uploader(file_stream=io.BytesIO(content), chunk_size=500, url=begun.url)
    assert later.offset == 1000
    later.upload()
    told = settled(server, begun.url.rsplit("/", 1)[1])
    assert (told["sha256"], told["files"][0]["accepted"]) == (hashlib.sha256(content).hexdigest(), 60)


# --- odd headers

odd_text = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60
)
odd_bytes = st.binary(max_size=60).map(lambda text: bytes(one for one in text if one >= 0x20 and one != 0x7F))
odd_number = st.one_of(st.integers(-(10**25), 10**25).map(str), odd_text)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that reads nothing in: for requests of which most are refused."""
    with running(tmp_path_factory.mktemp("odd") / "workspace", workers=0, max_upload_mb=1) as started:
        yield started


def answered(
    service: Service, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    answer = request(method, service.address + path, headers=headers, content=body)
    assert answer.status_code < 500 or answer.status_code == 507, (answer.status_code, answer.text)


_MANY = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@_MANY
@given(
    metadata=odd_bytes, pairs=st.dictionaries(odd_text, st.text(max_size=30), max_size=4), length=odd_number
)
def test_odd_metadata_is_never_a_fault_of_ours(
    receiver: Service, metadata: bytes, pairs: dict[str, str], length: str
) -> None:
    made = ",".join(
        f"{name} {base64.b64encode(text.encode(errors='replace')).decode()}" for name, text in pairs.items()
    )
    for value in (metadata, made.encode("latin-1"), said(filename="a.csv").encode() + b"," + metadata):
        headers = [(b"Tus-Resumable", b"1.0.0"), (b"Upload-Metadata", value.strip())]
        told = length.strip().encode("latin-1")
        answered(receiver, "POST", "/v1/tus", [*headers, (b"Upload-Length", told)], b"")
        answered(receiver, "POST", "/v1/tus", [*headers, (b"Upload-Length", b"5")], b"")


@_MANY
@given(disposition=odd_bytes, name=st.text(max_size=30), body=st.binary(max_size=50))
def test_odd_names_are_never_a_fault_of_ours(
    receiver: Service, disposition: bytes, name: str, body: bytes
) -> None:
    for value in (
        disposition,
        b'attachment; filename="' + disposition + b'"',
        b"x; filename*=" + disposition,
    ):
        path = f"/v1/deliveries/{uuid.uuid4()}"
        answered(receiver, "PUT", path, [(b"Content-Disposition", value.strip())], body)
    path = str(
        httpx.URL(
            f"/v1/deliveries/{uuid.uuid4()}",
            params={"name": name.encode(errors="replace").decode(), "team": "x"},
        )
    )
    answered(receiver, "PUT", path, [], body)
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + disposition + b'"\r\n\r\n' + body
    )
    told = [(b"Content-Type", b"multipart/form-data; boundary=x")]
    answered(receiver, "POST", "/v1/uploads", told, form + b"\r\n--x--\r\n")


@_MANY
@given(offset=odd_number, length=odd_number, checksum=odd_bytes, key=odd_bytes, body=st.binary(max_size=50))
def test_odd_offsets_are_never_a_fault_of_ours(
    receiver: Service, offset: str, length: str, checksum: bytes, key: bytes, body: bytes
) -> None:
    where = create(receiver.address, 40).headers["location"]
    told = [(name.encode(), text.encode()) for name, text in CHUNK.items()]
    told.append((b"Upload-Offset", offset.strip().encode("latin-1")))
    answered(receiver, "PATCH", where, told, body)
    answered(receiver, "PATCH", where, [*told, (b"Upload-Length", length.strip().encode("latin-1"))], body)
    zero = [*told[:-1], (b"Upload-Offset", b"0")]
    answered(receiver, "PATCH", where, [*zero, (b"Upload-Checksum", checksum.strip())], body)
    answered(receiver, "POST", "/v1/tus", [*told[:1], (b"Idempotency-Key", key.strip())], b"")


# --- memory


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that takes in any file and reads none in."""
    with running(tmp_path_factory.mktemp("roomy") / "workspace", workers=0) as started:
        yield started


def forget_peak(service: Service) -> None:
    """Let the peak of memory be what is in use now."""
    assert service.process is not None
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5", encoding="ascii")


def peak_mb(service: Service) -> float:
    assert service.process is not None
    about = Path(f"/proc/{service.process.pid}/status").read_text()
    return float(next(line.split()[1] for line in about.splitlines() if line.startswith("VmHWM"))) / 1000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc for the peak of memory")
@pytest.mark.parametrize("door", ["put", "tus", "form"])
def test_memory_does_not_grow_with_the_file(
    roomy: Service, door: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = 300 * MB
    forget_peak(roomy)
    send_zeros(roomy.address, door, 3 * MB)
    before, began = peak_mb(roomy), time.monotonic()
    send_zeros(roomy.address, door, size)
    grown, seconds = peak_mb(roomy) - before, time.monotonic() - began
    with capsys.disabled():
        print(f"\n{door}: 300 MB in {seconds:.1f} s, peak {before:.0f} MB + {grown:.0f} MB")
    assert grown < 100


def send_zeros(server: str, door: str, size: int) -> None:
    """Send so many zeros, and forget them."""
    if door == "put":
        path = f"/v1/deliveries/{uuid.uuid4().hex}"
        answer = put(server + path, params={"name": "z.csv", "hold": "true"}, content=zeros(size))
    elif door == "tus":
        where = create_zeros(server, size)
        for start in range(0, size, 5 * MB):
            answer = go_on(server, where, start, bytes(min(5 * MB, size - start)))
        path = f"/v1/deliveries/{where.rsplit('/', 1)[1]}"
    else:
        answer = post(
            f"{server}/v1/uploads",
            content=form_of_zeros(size),
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        path = answer.json()["url"]
    assert answer.status_code in {202, 204}, answer.text
    assert get(server + path).json()["length"] == size
    assert delete(server + path).status_code == 204


def create_zeros(server: str, size: int) -> str:
    told = {"Upload-Length": str(size), "Upload-Metadata": said(filename="z.csv", hold="true")}
    return post(f"{server}/v1/tus", headers=VERSION | told).headers["location"]


def zeros(size: int) -> Iterator[bytes]:
    for start in range(0, size, MB):
        yield bytes(min(MB, size - start))


def form_of_zeros(size: int) -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="hold"\r\n\r\ntrue\r\n'
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="z.csv"\r\n\r\n'
    yield from zeros(size)
    yield b"\r\n--x--\r\n"
