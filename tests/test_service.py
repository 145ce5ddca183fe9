"""The service, running for real on loopback: uploads change the list and the map without a restart."""

from __future__ import annotations

import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from serving import Service, delete, get, post, problem, request, running, sent, serving, settled
from test_flow import LAT, LON, add_two_villages, crew_file, crew_lines

from coverage.archive.workspace import open_workspace


@contextmanager
def served(folder: Path) -> Iterator[Service]:
    """The service over a new workspace with two villages."""
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with running(folder / "workspace") as service:
        yield service


ZOOM = 13
PLACE = "/".join(
    str(int(part))
    for part in (
        ZOOM,
        (LON + 180) / 360 * 2**ZOOM,
        (1 - math.asinh(math.tan(math.radians(LAT))) / math.pi) / 2 * 2**ZOOM,
    )
)  # the tile in which the near village lies


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of all tests: what one sends in is of an operator that no other test speaks of."""
    with served(tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture
def server(service: Service) -> str:
    return service.address


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[str]:
    """The address of a service of the test's own."""
    with served(tmp_path) as started:
        yield started.address


def lines_of(operator: str) -> list[str]:
    return [line.replace(",45204,", f",{operator},") for line in crew_lines()]


def told_of(server: str) -> dict[str, str]:
    """What a click on the centre of the near village tells: the verdict for each operator that was tested there."""
    spot = get(f"{server}/v1/hexes?lat={LAT}&lon={LON}").json()
    return {one["operator"]: one["verdict"] for one in spot["operators"] if one["tests"]}


def tile(server: str, layer: str, snapshot_id: str) -> bytes:
    answer = get(f"{server}/tiles/{layer}/{PLACE}.png?snapshot={snapshot_id}")
    assert answer.status_code == 200
    return answer.content


def bulk(count: int) -> list[str]:
    """So many rows of a phone that hears everything, an hour after the crew."""
    starts = pd.date_range("2026-09-01T03:00:00", periods=count, freq="s")
    return [f"{at.isoformat()}Z,{LAT + 0.2},{LON},45204,LTE,in_service,-85,bulk-1,5" for at in starts]


def test_an_upload_changes_list_and_map_without_a_restart(fresh: str, tmp_path: Path) -> None:
    server, empty = fresh, get(fresh)
    assert empty.status_code == 200
    assert "Chưa có bản đánh giá" in empty.text
    assert get(f"{server}/gaps.geojson").status_code == 404

    good = crew_file(tmp_path, crew_lines("in_service", "-85"), "good.csv")
    first = sent(server, good, judged=True, source="drive_test")
    assert get(f"{server}/gaps.geojson").json()["features"] == []
    page = get(server).text

    assert told_of(server) == {"45204": "covered"}
    # The same crew's phones, a day of silence each among 10,000 rows: now the village is a gap.
    silent = [line.replace("phone-", "other-").replace("45204", "45201") for line in crew_lines()]
    silent += bulk(10_000 - len(silent))
    second = sent(server, crew_file(tmp_path, silent, "silent.csv"), judged=True, source="drive_test")
    assert second["snapshot_id"] != first["snapshot_id"]
    gaps = get(f"{server}/gaps.geojson")
    assert gaps.headers["content-type"] == "application/geo+json"
    assert [one["properties"]["village_id"] for one in gaps.json()["features"]] == ["near"]
    assert get(server).text != page
    assert second["snapshot_id"] in get(server).text
    assert told_of(server) == {"45201": "dead_zone", "45204": "covered"}
    data = get(f"{server}/map/data.json").json()
    assert data["info"]["snapshot_id"] == second["snapshot_id"]
    assert data["hexes"][[view["code"] for view in data["views"]].index("45201")]["dead_zone"] > 0
    now = tile(server, "hexes-45201", second["snapshot_id"])
    assert now != tile(server, "hexes-45204", second["snapshot_id"])
    assert now != tile(server, "hexes-45201", first["snapshot_id"])

    (receipt,) = second["files"]
    rows = receipt["accepted"] + receipt["duplicates"] + receipt["rejected"] + receipt["quarantined"]
    assert receipt["rows"] == rows == 10_000
    shown = get(f"{server}/v1/uploads/{receipt['upload_id']}").json()
    assert (shown["upload_id"], shown["delivery_id"]) == (receipt["upload_id"], second["delivery_id"])
    assert "_part" not in str(list(shown))


def test_a_withdrawal_reaches_the_list_and_so_does_a_restoration(server: str, tmp_path: Path) -> None:
    told = sent(server, crew_file(tmp_path, lines_of("45204")), judged=True, source="drive_test")
    upload = f"{server}/v1/uploads/{told['files'][0]['upload_id']}"
    assert gaps_become(server, "45204", 1)
    problem(delete(upload), 422, "reason_missing")
    gone = delete(upload, params={"reason": "nhầm SIM", "by": "Lan"}).json()
    assert (gone["state"], gone["events"][-1]["reason"], gone["events"][-1]["by"]) == (
        "withdrawn",
        "nhầm SIM",
        "Lan",
    )
    assert gaps_become(server, "45204", 0)
    assert post(f"{upload}/restore").json()["state"] == "committed"
    assert gaps_become(server, "45204", 1)


def gaps_of(server: str, operator: str) -> int:
    """How many villages the list has for that operator."""
    listed = get(f"{server}/gaps.geojson").json()["features"]
    return [one["properties"]["operator"] for one in listed].count(operator)


def gaps_become(server: str, operator: str, count: int) -> bool:
    for _ in range(300):
        if gaps_of(server, operator) == count:
            return True
        time.sleep(0.1)
    return False


def test_curl_can_upload(server: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    path = crew_file(tmp_path, lines_of("45201"))
    command = [curl, "-sS", "--fail", "-o", "-", "-w", "%header{location}", "-F", f"file=@{path}"]
    done = subprocess.run(
        [*command, "-F", "source=drive_test", f"{server}/v1/uploads"], capture_output=True, check=True
    )
    delivery_id = done.stdout.decode().rsplit("/", 1)[1]
    assert settled(server, delivery_id, judged=True)["files"][0]["accepted"] == 108
    assert gaps_of(server, "45201") == 1


@pytest.mark.parametrize(("name", "content"), [("rubbish.csv", bytes(range(256)) * 4), ("empty.csv", b"")])
def test_what_cannot_be_read_is_told_by_its_delivery(server: str, name: str, content: bytes) -> None:
    answer = post(f"{server}/v1/uploads", files={"file": (name, content)})
    assert answer.status_code == 202
    told = settled(server, answer.json()["delivery_id"])
    assert (told["state"], told["files"]) == ("refused", [])
    (refused,) = told["refused"]
    assert refused["status"] == 422
    assert refused["code"]
    assert refused["detail"]
    assert refused["detail_en"]


def test_unknown_uploads_and_hostile_names(service: Service, tmp_path: Path) -> None:
    server, incoming = service.address, service.workspace / "archive" / "incoming"
    before = set(incoming.iterdir())
    assert get(f"{server}/v1/uploads/0000").status_code == 404
    assert get(f"{server}/v1/deliveries/0000").status_code == 404
    content = crew_file(tmp_path, lines_of("45202")).read_bytes()
    problem(post(f"{server}/v1/uploads", files={"file": ("...", content)}), 400, "bad_input")
    answer = post(f"{server}/v1/uploads", files={"file": ("../../etc/evil name.csv", content)})
    told = settled(server, answer.json()["delivery_id"])
    assert told["file"] == "evil name.csv"
    assert told["files"][0]["file"] == "evil name.csv"
    assert set(incoming.iterdir()) <= before


def test_docs_need_no_other_host(server: str) -> None:
    page = get(f"{server}/docs").text
    assert "swagger" in page.lower()
    assert "http://" not in page.replace(server, "")
    assert "https://" not in page
    script = page.split('src="', 1)[1].split('"', 1)[0]
    assert get(server + script).status_code == 200


def test_a_mistyped_field_is_refused_and_takes_nothing_back(server: str, tmp_path: Path) -> None:
    file = crew_file(tmp_path, lines_of(""))
    told = sent(server, file, operator="Vietnamobile")
    assert told["files"][0]["quarantined"] == 0
    typo = post(
        f"{server}/v1/uploads",
        files={"file": (file.name, file.read_bytes())},
        data={"operatr": "Vietnamobile"},
    )
    assert "operatr" in problem(typo, 400, "bad_input")["detail"]
    again = sent(server, file, judged=True)
    assert again["files"][0]["effect"] == "already_received"
    assert gaps_of(server, "45205") == 1


def test_what_a_file_leaves_open_can_be_said_with_it(server: str, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(
        b"time,lat,lon,operator,technology,rsrp_dbm\n09/10/2026 08:00,11.94,108.44,45204,LTE,-97\n"
    )
    (asked,) = sent(server, log)["files"]
    assert (asked["quarantined"], asked["reasons"][0]["code"]) == (1, "date_ambiguous")
    for word in ("ly_do", "reason"):
        assert "date_order=dmy" in asked["reasons"][0][word]
        assert "--" not in asked["reasons"][0][word]
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
def test_every_refusal_is_a_problem_document(server: str, method: str, path: str, status: int) -> None:
    answer = request(method, server + path)
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
def test_what_a_query_cannot_say_is_told_in_both_languages(server: str, asked: str, vi: str, en: str) -> None:
    told = problem(get(server + asked), 422, "bad_request")
    assert told["detail"] == vi
    assert en in told["detail_en"]


def test_other_sites_and_forged_names_are_kept_out(server: str, tmp_path: Path) -> None:
    file = crew_file(tmp_path, lines_of("45299"))
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
    settled(server, same.json()["delivery_id"])


def test_a_port_in_use_is_told_in_words(server: str, tmp_path: Path) -> None:
    port = server.rsplit(":", 1)[1]
    done = subprocess.run(
        serving(tmp_path / "other", port), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
