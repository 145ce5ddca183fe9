"""The service, running for real on loopback: uploads change the list and the map without a restart."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import get, post, problem, running, sent, serving, settled
from test_flow import add_two_villages, crew_file, crew_lines

from coverage.archive.workspace import open_workspace


def served(folder: Path, **settings: object) -> Iterator[str]:
    """The address of the service over a new workspace with two villages."""
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with running(folder / "workspace", **settings) as service:
        yield service.address


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A service of the test's own."""
    yield from served(tmp_path)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose workspace no test changes."""
    yield from served(tmp_path_factory.mktemp("served"))


def test_an_upload_changes_list_and_map_without_a_restart(server: str, tmp_path: Path) -> None:
    empty = get(server)
    assert empty.status_code == 200
    assert "Chưa có bản đánh giá" in empty.text
    assert get(f"{server}/gaps.geojson").status_code == 404

    good = crew_file(tmp_path, crew_lines("in_service", "-85"), "good.csv")
    first = sent(server, good, judged=True, source="drive_test")
    assert get(f"{server}/gaps.geojson").json()["features"] == []
    page = get(server).text

    # The same crew's phones, a day of silence each: now the village is a gap.
    silent = [line.replace("phone-", "other-").replace("45204", "45201") for line in crew_lines()]
    second = sent(server, crew_file(tmp_path, silent, "silent.csv"), judged=True, source="drive_test")
    assert second["snapshot_id"] != first["snapshot_id"]
    gaps = get(f"{server}/gaps.geojson")
    assert gaps.headers["content-type"] == "application/geo+json"
    assert [one["properties"]["village_id"] for one in gaps.json()["features"]] == ["near"]
    assert get(server).text != page
    assert second["snapshot_id"] in get(server).text

    (receipt,) = second["files"]
    rows = receipt["accepted"] + receipt["duplicates"] + receipt["rejected"] + receipt["quarantined"]
    assert receipt["rows"] == rows == 108
    shown = get(f"{server}/v1/uploads/{receipt['upload_id']}").json()
    assert (shown["upload_id"], shown["delivery_id"]) == (receipt["upload_id"], second["delivery_id"])
    assert "_part" not in str(list(shown))


def test_a_withdrawal_reaches_the_list_and_so_does_a_restoration(server: str, tmp_path: Path) -> None:
    told = sent(server, crew_file(tmp_path, crew_lines()), judged=True, source="drive_test")
    upload = f"{server}/v1/uploads/{told['files'][0]['upload_id']}"
    assert gaps_of(server, 1)
    problem(httpx.delete(upload), 422, "reason_missing")
    gone = httpx.delete(upload, params={"reason": "nhầm SIM", "by": "Lan"}).json()
    assert (gone["state"], gone["events"][-1]["reason"], gone["events"][-1]["by"]) == (
        "withdrawn",
        "nhầm SIM",
        "Lan",
    )
    assert gaps_of(server, 0)
    assert post(f"{upload}/restore").json()["state"] == "committed"
    assert gaps_of(server, 1)


def gaps_of(server: str, count: int) -> bool:
    for _ in range(300):
        if len(get(f"{server}/gaps.geojson").json()["features"]) == count:
            return True
        time.sleep(0.1)
    return False


def test_curl_can_upload(server: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    path = crew_file(tmp_path, crew_lines())
    command = [curl, "-sS", "--fail", "-o", "-", "-w", "%header{location}", "-F", f"file=@{path}"]
    done = subprocess.run(
        [*command, "-F", "source=drive_test", f"{server}/v1/uploads"], capture_output=True, check=True
    )
    delivery_id = done.stdout.decode().rsplit("/", 1)[1]
    assert settled(server, delivery_id, judged=True)["files"][0]["accepted"] == 108
    assert len(get(f"{server}/gaps.geojson").json()["features"]) == 1


@pytest.mark.parametrize(("name", "content"), [("rubbish.csv", bytes(range(256)) * 4), ("empty.csv", b"")])
def test_what_cannot_be_read_is_told_by_its_delivery(empty: str, name: str, content: bytes) -> None:
    answer = post(f"{empty}/v1/uploads", files={"file": (name, content)})
    assert answer.status_code == 202
    told = settled(empty, answer.json()["delivery_id"])
    assert (told["state"], told["files"]) == ("refused", [])
    (refused,) = told["refused"]
    assert refused["status"] == 422
    assert refused["code"]
    assert refused["detail"]
    assert refused["detail_en"]


def test_unknown_uploads_and_hostile_names(server: str, tmp_path: Path) -> None:
    assert get(f"{server}/v1/uploads/0000").status_code == 404
    assert get(f"{server}/v1/deliveries/0000").status_code == 404
    content = crew_file(tmp_path, crew_lines()).read_bytes()
    problem(post(f"{server}/v1/uploads", files={"file": ("...", content)}), 400, "bad_input")
    answer = post(f"{server}/v1/uploads", files={"file": ("../../etc/evil name.csv", content)})
    told = settled(server, answer.json()["delivery_id"])
    assert told["file"] == "evil name.csv"
    assert told["files"][0]["file"] == "evil name.csv"
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
    told = sent(server, file, operator="Viettel")
    assert told["files"][0]["quarantined"] == 0
    typo = post(
        f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, data={"operatr": "Viettel"}
    )
    assert "operatr" in problem(typo, 400, "bad_input")["detail"]
    again = sent(server, file, judged=True)
    assert again["files"][0]["effect"] == "already_received"
    assert len(get(f"{server}/gaps.geojson").json()["features"]) == 1


def test_what_a_file_leaves_open_can_be_said_with_it(server: str, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(
        b"time,lat,lon,operator,technology,rsrp_dbm\n09/10/2026 08:00,11.94,108.44,45204,LTE,-97\n"
    )
    (asked,) = sent(server, log)["files"]
    assert (asked["quarantined"], asked["reasons"][0]["code"]) == (1, "date_ambiguous")
    assert "--date-order" in asked["reasons"][0]["ly_do"]
    (settled_,) = sent(server, log, date_order="dmy", team="Đội 1")["files"]
    assert (settled_["accepted"], settled_["effect"]) == (1, "replaced")
    (marked,) = sent(server, log, positive_only="true")["files"]
    assert (marked["accepted"], marked["effect"]) == (1, "replaced")
    refused = sent(server, log, format="gnettrack_text")
    assert (refused["state"], "gnettrack_text" in refused["refused"][0]["detail_en"]) == ("refused", True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/uploads", 415), ("GET", "/nowhere", 404), ("DELETE", "/healthz", 405)],
)
def test_every_refusal_is_a_problem_document(empty: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, empty + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"code", "detail", "detail_en", "status", "title", "type"} <= set(answer.json())


@pytest.mark.parametrize(
    ("asked", "vi", "en"),
    [
        (
            "/v1/deliveries?limit=0",
            "Trường limit: phải từ 1 trở lên; nhận được '0'.",
            "greater than or equal",
        ),
        ("/v1/uploads?limit=501", "Trường limit: không được quá 500; nhận được '501'.", "less than or equal"),
        ("/v1/uploads?limit=ba", "Trường limit: phải là số nguyên; nhận được 'ba'.", "valid integer"),
        ("/upload?lang=fr", "Trường lang: chỉ nhận 'vi' hoặc 'en'; nhận được 'fr'.", "'vi' or 'en'"),
    ],
)
def test_what_a_query_cannot_say_is_told_in_both_languages(empty: str, asked: str, vi: str, en: str) -> None:
    told = problem(get(empty + asked), 422, "bad_request")
    assert told["detail"] == vi
    assert en in told["detail_en"]


def test_other_sites_and_forged_names_are_kept_out(server: str, tmp_path: Path) -> None:
    file = crew_file(tmp_path, crew_lines())
    for headers, status, code in (
        ({"Origin": "https://evil.example"}, 403, "foreign_origin"),
        ({"Origin": "null"}, 403, "foreign_origin"),
        ({"Host": "evil.example"}, 400, "foreign_host"),
        ({"Host": "127.0.0.1.evil.example:80"}, 400, "foreign_host"),
        ({"Host": ""}, 400, "foreign_host"),
    ):
        answer = post(f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, headers=headers)
        told = problem(answer, status, code)
        assert told["detail"] != told["detail_en"]
        assert next(iter(headers.values())) in told["detail"]
    for host in ("localhost", "LOCALHOST:80", "[::1]", "[::1]:80", "127.0.0.1"):
        assert get(f"{server}/healthz", headers={"Host": host}).status_code == 200
    same = post(
        f"{server}/v1/uploads", files={"file": (file.name, file.read_bytes())}, headers={"Origin": server}
    )
    assert same.status_code == 202


def test_a_port_in_use_is_told_in_words(empty: str, tmp_path: Path) -> None:
    port = empty.rsplit(":", 1)[1]
    done = subprocess.run(
        serving(tmp_path / "other", port), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
