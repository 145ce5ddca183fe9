"""The service, running for real on loopback: uploads change the list and the map without a restart."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from test_flow import add_two_villages, crew_file, crew_lines

from coverage.archive.workspace import open_workspace

# An upload answers once it is judged: seconds, on a busy machine.
get, post = (partial(ask, timeout=60) for ask in (httpx.get, httpx.post))


def serving(workspace: Path, port: object) -> list[str]:
    """The command that serves a workspace on a port."""
    return [sys.executable, "-m", "coverage", "serve", "--workspace", str(workspace), "--port", str(port)]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the service over a new workspace with two villages."""
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(serving(folder / "workspace", port))
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A service of the test's own."""
    with served(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose workspace no test changes."""
    with served(tmp_path_factory.mktemp("served")) as address:
        yield address


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the service ended before it answered"
        try:
            if get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the service did not answer")


def test_an_upload_changes_list_and_map_without_a_restart(server: str, tmp_path: Path) -> None:
    empty = get(server)
    assert empty.status_code == 200
    assert "Chưa có bản đánh giá" in empty.text
    assert get(f"{server}/gaps.geojson").status_code == 404

    first = send(server, crew_file(tmp_path, crew_lines("in_service", "-85"), "good.csv"))
    assert get(f"{server}/gaps.geojson").json()["features"] == []
    page = get(server).text

    # The same crew's phones, a day of silence each: now the village is a gap.
    silent = [line.replace("phone-", "other-").replace("45204", "45201") for line in crew_lines()]
    second = send(server, crew_file(tmp_path, silent, "silent.csv"))
    assert second["snapshot_id"] != first["snapshot_id"]
    gaps = get(f"{server}/gaps.geojson")
    assert gaps.headers["content-type"] == "application/geo+json"
    assert [one["properties"]["village_id"] for one in gaps.json()["features"]] == ["near"]
    assert get(server).text != page
    assert second["snapshot_id"] in get(server).text


def send(server: str, path: Path) -> dict:
    with path.open("rb") as file:
        answer = post(
            f"{server}/v1/uploads",
            files={"file": (path.name, file)},
            data={"source": "drive_test"},
            timeout=60,
        )
    assert answer.status_code == 201, answer.text
    (entry,) = answer.json()["files"]
    assert entry["rows"] == entry["accepted"] + entry["duplicates"] + entry["rejected"] + entry["quarantined"]
    shown = get(server + answer.headers["location"]).json()
    assert shown["upload_id"] == entry["upload_id"]
    assert "_part" not in str(list(shown))
    return answer.json()


def test_curl_can_upload(server: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    path = crew_file(tmp_path, crew_lines())
    done = subprocess.run(
        [curl, "-sS", "--fail", "-F", f"file=@{path}", "-F", "source=drive_test", f"{server}/v1/uploads"],
        capture_output=True,
        check=True,
    )
    assert b'"accepted":108' in done.stdout
    assert len(get(f"{server}/gaps.geojson").json()["features"]) == 1


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("rubbish.csv", bytes(range(256)) * 4, 422), ("empty.csv", b"", 422), ("...", b"a,b\n1,2\n", 400)],
)
def test_what_cannot_be_read_is_answered_as_a_problem(
    empty: str, name: str, content: bytes, status: int
) -> None:
    answer = post(f"{empty}/v1/uploads", files={"file": (name, content)})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["code"]
    assert told["detail"]
    assert told["detail_en"]


def test_unknown_uploads_and_hostile_names(server: str, tmp_path: Path) -> None:
    assert get(f"{server}/v1/uploads/0000").status_code == 404
    content = crew_file(tmp_path, crew_lines()).read_bytes()
    answer = post(f"{server}/v1/uploads", files={"file": ("../../etc/evil name.csv", content)}, timeout=60)
    assert answer.status_code == 201
    assert answer.json()["files"][0]["file"] == "evil_name.csv"
    assert not list((tmp_path / "workspace" / "archive" / "incoming").iterdir())


def test_docs_need_no_other_host(empty: str) -> None:
    page = get(f"{empty}/docs").text
    assert "swagger" in page.lower()
    assert "http://" not in page.replace(empty, "")
    assert "https://" not in page
    script = page.split('src="', 1)[1].split('"', 1)[0]
    assert get(empty + script).status_code == 200


def test_a_mistyped_field_is_refused_and_takes_nothing_back(server: str, tmp_path: Path) -> None:
    lines = [line.replace(",45204,", ",,") for line in crew_lines()]
    file = crew_file(tmp_path, lines)
    told = post(
        f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, data={"operator": "Viettel"}
    )
    assert told.json()["files"][0]["quarantined"] == 0
    typo = post(
        f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, data={"operatr": "Viettel"}
    )
    assert (typo.status_code, typo.json()["code"]) == (400, "bad_input")
    again = post(f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())})
    assert again.json()["files"][0]["effect"] == "already_received"
    assert len(get(f"{server}/gaps.geojson").json()["features"]) == 1


def test_what_a_file_leaves_open_can_be_said_with_it(server: str) -> None:
    log = b"time,lat,lon,operator,technology,rsrp_dbm\n09/10/2026 08:00,11.94,108.44,45204,LTE,-97\n"

    def sent(**said: str) -> httpx.Response:
        return post(f"{server}/v1/uploads", files={"file": ("log.csv", log)}, data=said, timeout=60)

    (asked,) = sent().json()["files"]
    assert (asked["quarantined"], asked["reasons"][0]["code"]) == (1, "date_ambiguous")
    (settled,) = sent(date_order="dmy", team="Đội 1").json()["files"]
    assert (settled["accepted"], settled["effect"]) == (1, "replaced")
    (marked,) = sent(positive_only="true").json()["files"]
    assert (marked["accepted"], marked["effect"]) == (1, "replaced")
    refused = sent(format="gnettrack_text")
    assert (refused.status_code, "gnettrack_text" in refused.json()["detail_en"]) == (422, True)
    assert sent(date_order="ymd").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/uploads", 422), ("GET", "/nowhere", 404), ("DELETE", "/healthz", 405)],
)
def test_every_refusal_is_a_problem_document(empty: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, empty + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"code", "detail", "detail_en", "status", "title", "type"} <= set(answer.json())


def test_other_sites_and_forged_names_are_kept_out(server: str, tmp_path: Path) -> None:
    file = crew_file(tmp_path, crew_lines())
    for headers, status in (({"Origin": "https://evil.example"}, 403), ({"Host": "evil.example"}, 400)):
        answer = post(f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, headers=headers)
        assert answer.status_code == status
    same = post(
        f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, headers={"Origin": server}
    )
    assert same.status_code == 201


def test_a_port_in_use_is_told_in_words(empty: str, tmp_path: Path) -> None:
    port = empty.rsplit(":", 1)[1]
    done = subprocess.run(
        serving(tmp_path / "other", port), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
