"""Who is let in: every route for every role, what a team and an operator see, and what another site's page cannot do."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pandas as pd
import pytest
from serving import problem, running
from snapshots import OPERATORS, snapshot, workspace_with

from coverage.archive import accounts, audit, history, keys, snapshots
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import ROLES, Caller
from coverage.errors import InputError
from coverage.exports import lists
from coverage.exports.workbook import SHEETS
from coverage.service.access import ANYBODY, AUDITED, MAY
from coverage.service.app import create_app
from coverage.service.run import serve

SHOWN = snapshot(60)
PASSWORD = "đường về bản xa"  # noqa: S105 - of an account of these tests
LOG = "time,lat,lon,operator,technology,rsrp_dbm\n2026-10-09T08:0{}:00Z,11.9,108.1,45204,LTE,-97\n"


def caller(role: str, name: str | None = None) -> Caller:
    return Caller(name or f"đội {role}", role, "45204" if role == "operator" else None)


class Doors:
    """A service with a key for every role."""

    def __init__(self, workspace: Workspace, address: str, client: httpx.Client) -> None:
        self.workspace = workspace
        self.address = address
        self.client = client  # keeps its connections: a new one each time would cost more than the answers
        self.keys = {role: keys.add(workspace, caller(role))[1] for role in ROLES}

    def ask(self, method: str, path: str, role: str | None = None, **more: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[role]}"} if role else {}
        return self.client.request(method, f"{self.address}{path}", headers=headers, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    workspace = workspace_with(tmp_path_factory.mktemp("doors"), SHOWN)
    accounts.add(workspace, caller("planner", "Lan Anh"), PASSWORD)
    with running(workspace.root) as service, httpx.Client(timeout=60) as client:
        yield Doors(workspace, service.address, client)


def operations(folder: Path) -> list[str]:
    """Every operation that the service has, whether or not it is in a table."""
    found = []
    for route in create_app(open_workspace(folder)).state.routes:
        methods = getattr(route, "methods", None) or {"GET"}
        found += [f"{method} {route.path}" for method in methods if method != "HEAD" or "GET" not in methods]
    return found


def test_every_operation_is_somebody_s_or_anybody_s(tmp_path: Path) -> None:
    assert set(operations(tmp_path)) == {*MAY, *ANYBODY}
    assert not set(MAY) & ANYBODY
    assert set(AUDITED) <= set(MAY)


def example(operation: str) -> tuple[str, str]:
    method, path = operation.split(" ", 1)
    some = {
        "{delivery_id}": uuid.uuid4().hex,
        "{_delivery_id}": uuid.uuid4().hex,
        "{upload_id}": "0" * 16,
        "{collection}": "gaps",
        "{feature_id:path}": "V0001-45204",
        "{fmt}": "csv",
        "{code}": "PS-0000-0000",
        "{digest}": "0",
        "{name}": "upload.css",
        "{layer:path}": "hexes-45204",
        "{z}": "9",
        "{x}": "409",
        "{y}": "239",
    }
    for word, value in some.items():
        path = path.replace(word, value)
    return method, path


@pytest.mark.parametrize("operation", sorted({*MAY, *ANYBODY}))
def test_every_role_has_what_the_table_says_and_nothing_else(doors: Doors, operation: str) -> None:
    method, path = example(operation)
    for role in ROLES:
        status = doors.ask(method, path, role).status_code
        if operation in ANYBODY or role in MAY[operation]:
            assert status not in {401, 403, 500}, (role, status)
        else:
            assert status == 403, (role, status)
    stranger = doors.ask(method, path)
    assert (stranger.status_code == 401) == (operation not in ANYBODY), stranger.text
    if stranger.status_code == 401 and method != "HEAD":
        assert stranger.headers["www-authenticate"].startswith("Basic")
        problem(stranger, 401, "unauthenticated")


def test_who_is_not_let_in_is_told_how_to_come_in(doors: Doors) -> None:
    stranger = doors.ask("GET", "/kpi.json").json()
    for way in ("X-Api-Key", "Bearer", "Basic", "/login"):
        assert way in stranger["detail"] and way in stranger["detail_en"]
    viewer = doors.ask("GET", "/v1/uploads", "viewer").json()
    assert "field_team, planner, province_admin" in viewer["detail"]
    assert viewer["detail_en"].endswith("these may: field_team, planner, province_admin.")
    elsewhere = httpx.get(f"{doors.address}/kpi.json", headers={"Host": "phusong.vn"}).json()
    assert "PHUSONG_HOSTS" in elsewhere["detail"] and "PHUSONG_HOSTS" in elsewhere["detail_en"]


def test_a_key_is_shown_in_the_ways_that_clients_have(doors: Doors) -> None:
    key, url = doors.keys["viewer"], f"{doors.address}/kpi.json"
    basic = base64.b64encode(f"anything:{key}".encode()).decode()
    for headers in (
        {"Authorization": f"bearer {key}"},
        {"Authorization": f"Basic {basic}"},
        {"X-Api-Key": key},
    ):
        assert httpx.get(url, headers=headers).status_code == 200
    for wrong in (key[:-1], f"{key}x", key.replace("ps_", "PS_"), "ps_", "Bearer", key + "\u00e9"):
        sent = {"Authorization": b"Bearer " + wrong.encode()}
        assert httpx.get(url, headers=sent).status_code == 401, wrong
    assert httpx.get(url, headers={"Authorization": "Basic !!!"}).status_code == 401
    assert httpx.get(f"{url}?key={key}").status_code == 401  # addresses end up in logs


def test_a_revoked_key_opens_nothing_any_more(doors: Doors) -> None:
    key, text = keys.add(doors.workspace, caller("viewer", "đội cũ"))
    headers = {"X-Api-Key": text}
    assert httpx.get(f"{doors.address}/kpi.json", headers=headers).status_code == 200
    keys.revoke(doors.workspace, key.key_id)
    for _ in range(100):
        status = httpx.get(f"{doors.address}/kpi.json", headers=headers).status_code
        if status == 401:
            break

        time.sleep(0.1)
    assert status == 401


def test_an_operator_sees_its_own_network_only(doors: Doors) -> None:
    own = lists.select(SHOWN, "gaps", operator="45204")
    listed = doors.ask("GET", "/gaps.geojson", "operator").json()["features"]
    assert {one["properties"]["operator"] for one in listed} == {"45204"}
    assert len(listed) == len(own)
    whole = {role: doors.ask("GET", "/lists.xlsx", role).content for role in ("planner", "operator")}
    seen = {
        role: pd.concat(
            pd.read_excel(io.BytesIO(content), sheet_name=list(SHEETS.values())[:5], engine="openpyxl")
        )
        for role, content in whole.items()
    }
    assert set(seen["operator"]["Nhà mạng"]) == {OPERATORS["45204"]}
    assert set(seen["planner"]["Nhà mạng"]) == set(OPERATORS.values())
    assert len(seen["operator"].loc[SHEETS["gaps"]]) == len(own)
    for name in ("gaps", "hexes", "villages"):
        page = doors.ask("GET", f"/ogc/collections/{name}/items?limit=5000", "operator").json()
        assert {one["properties"]["operator"] for one in page["features"]} == {"45204"}
        other = doors.ask("GET", f"/ogc/collections/{name}/items?operator=45201", "operator").json()
        assert other["numberMatched"] == 0
    figures = doors.ask("GET", "/kpi.json", "operator").json()
    assert [one["operator"] for one in figures["operators"]] == ["45204"]
    map_data = doors.ask("GET", "/map/data.json", "operator").text
    assert OPERATORS["45204"] in map_data
    assert OPERATORS["45201"] not in map_data
    assert doors.ask("GET", "/tiles/hexes-45201/9/409/239.png", "operator").status_code == 404
    assert doors.ask("GET", "/gaps.csv?operator=45201", "operator").status_code == 400
    # What others hold in their caches is not what it holds.
    tags = {doors.ask("GET", "/kpi.json", role).headers["etag"] for role in ("operator", "planner")}
    assert len(tags) == 2


def test_a_team_sees_and_touches_what_it_sent_only(doors: Doors) -> None:
    other = keys.add(doors.workspace, caller("field_team", "đội Bảo Lộc"))[1]
    theirs = {"X-Api-Key": other}
    mine = doors.ask(
        "PUT",
        f"/v1/deliveries/{uuid.uuid4()}?name=a.csv&by=somebody",
        "field_team",
        content=LOG.format(1).encode(),
    ).json()
    assert mine["by"] == "đội field_team"  # whatever it calls itself
    url = f"{doors.address}/v1/deliveries/{mine['delivery_id']}"
    for method, path in (
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/preview"),
        ("POST", "/confirm"),
        ("POST", "/retry"),
        ("DELETE", ""),
        ("PUT", "?name=b.csv"),
    ):
        problem(httpx.request(method, url + path, headers=theirs), 404, "not_found")
    tus = {**theirs, "Tus-Resumable": "1.0.0"}
    assert httpx.head(f"{doors.address}/v1/tus/{mine['delivery_id']}", headers=tus).status_code == 404
    assert httpx.get(f"{doors.address}/v1/receipts/{mine['receipt']}", headers=theirs).status_code == 404
    done = _done(doors, mine["delivery_id"])
    upload = f"{doors.address}/v1/uploads/{done['files'][0]['upload_id']}"
    assert httpx.get(upload, headers=theirs).status_code == 404
    assert httpx.get(f"{upload}/rejects.csv", headers=theirs).status_code == 404
    for listed in ("deliveries", "uploads"):
        assert httpx.get(f"{doors.address}/v1/{listed}", headers=theirs).json()[listed] == []
        assert doors.ask("GET", f"/v1/{listed}", "planner").json()[listed]
        assert doors.ask("GET", f"/v1/{listed}", "field_team").json()[listed]
    assert doors.ask("GET", f"/v1/receipts/{mine['receipt']}", "field_team").status_code == 200


def _done(doors: Doors, delivery_id: str) -> dict[str, object]:

    for _ in range(600):
        told = doors.ask("GET", f"/v1/deliveries/{delivery_id}", "planner").json()
        if told["state"] == "done":
            return told
        time.sleep(0.1)
    pytest.fail(str(told))


def test_two_teams_that_think_of_one_idempotency_key_do_not_meet(doors: Doors) -> None:
    other = keys.add(doors.workspace, caller("field_team", "đội Di Linh"))[1]
    answers = [
        httpx.post(
            f"{doors.address}/v1/uploads",
            headers={"X-Api-Key": key, "Idempotency-Key": "1"},
            files={"file": (f"{number}.csv", LOG.format(number).encode())},
            timeout=60,
        )
        for number, key in ((2, doors.keys["field_team"]), (3, other))
    ]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json()["delivery_id"] != answers[1].json()["delivery_id"]


def test_a_person_logs_in_and_out_again(doors: Doors) -> None:
    with httpx.Client(base_url=doors.address, timeout=60) as browser:
        led = browser.get("/kpi.json", headers={"Accept": "text/html,*/*"})
        assert (led.status_code, led.headers["location"]) == (303, "/login?next=/kpi.json")
        form = browser.get(led.headers["location"])
        assert 'value="/kpi.json"' in form.text
        wrong = browser.post(
            "/login", data={"name": "lan anh", "password": "đường về bản gần", "next": "/kpi.json"}
        )
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text
        assert 'name="name" value="lan anh"' in wrong.text
        assert "đường về bản gần" not in wrong.text
        entered = browser.post("/login", data={"name": "LAN ANH", "password": PASSWORD, "next": "/kpi.json"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/kpi.json")
        cookie = entered.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert browser.get("/kpi.json").status_code == 200
        mine = browser.get("/v1/deliveries")
        assert mine.status_code == 200
        for page in ("/upload", "/guide", "/login"):
            seen = browser.get(page).text
            assert "Đang đăng nhập: <b>Lan Anh</b>" in seen, page
            assert '<form class="who screen" method="post" action="/logout">' in seen, page
            assert "Logged in: <b>Lan Anh</b>" in browser.get(page, params={"lang": "en"}).text, page
            browser.get(page, params={"lang": "vi"})
        assert 'name="password"' not in browser.get("/login").text
        asked = browser.get("/logout")
        assert (asked.status_code, asked.headers["location"]) == (303, "/login")
        assert browser.get("/kpi.json").status_code == 200  # opening an address ends nothing
        assert browser.post("/logout", headers={"Origin": doors.address}).status_code == 303
        assert browser.get("/kpi.json").status_code == 401
        assert 'name="password"' in browser.get("/login").text
    assert (
        "/logout" not in doors.ask("GET", "/upload", "field_team").text
    )  # a program has a key, and no session


@pytest.mark.parametrize(
    "page",
    ["//evil.example/", "/\\evil.example", "https://evil.example", "javascript:alert(1)", '/"><script>'],
)
def test_a_login_leads_to_pages_of_ours_only(doors: Doors, page: str) -> None:
    said = {"name": "Lan Anh", "password": PASSWORD, "next": page}
    answer = httpx.post(f"{doors.address}/login", data=said, timeout=60)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    form = httpx.get(f"{doors.address}/login", params={"next": page}).text
    assert "evil.example" not in form
    assert "<script>" not in form


def test_another_site_s_page_cannot_use_a_person_s_session(doors: Doors) -> None:
    with httpx.Client(base_url=doors.address, timeout=60) as browser:
        browser.post("/login", data={"name": "Lan Anh", "password": PASSWORD})
        url, body = f"/v1/deliveries/{uuid.uuid4()}?name=x.csv", LOG.format(4).encode()
        for origin, status in (
            ({}, 403),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": doors.address}, 202),
        ):
            assert browser.put(url, content=body, headers=origin).status_code == status, origin


def test_many_wrong_passwords_are_braked(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, SHOWN)
    accounts.add(workspace, caller("viewer", "K'Brèo"), PASSWORD)
    with running(tmp_path, workers=0) as service:
        said = {"name": "K'Brèo", "password": "không phải mật khẩu"}
        statuses = [httpx.post(f"{service.address}/login", data=said, timeout=60) for _ in range(6)]
        assert [one.status_code for one in statuses] == [401] * 5 + [429]
        assert 0 < int(statuses[-1].headers["retry-after"]) <= 15 * 60
        right = httpx.post(f"{service.address}/login", data=said | {"password": PASSWORD}, timeout=60)
        assert right.status_code == 429


def test_an_open_service_closes_with_its_first_key(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, SHOWN)
    with running(tmp_path, workers=0) as service:
        assert httpx.get(f"{service.address}/kpi.json").status_code == 200
        key = keys.add(workspace, caller("viewer"))[0]

        for _ in range(100):
            if httpx.get(f"{service.address}/kpi.json").status_code == 401:
                break
            time.sleep(0.1)
        assert httpx.get(f"{service.address}/kpi.json").status_code == 401
        keys.revoke(workspace, key.key_id)
        time.sleep(3)
        assert httpx.get(f"{service.address}/kpi.json").status_code == 401  # no key left opens nothing again
        assert httpx.get(f"{service.address}/healthz").status_code == 200


def test_who_did_what_stands_in_the_log(doors: Doors) -> None:
    before = audit.verify(doors.workspace).number
    doors.ask("GET", "/gaps.csv", "operator")
    doors.ask("GET", "/ogc/collections/hexes/items", "planner")
    doors.ask("GET", "/kpi.json", "planner")
    sent = doors.ask(
        "PUT", f"/v1/deliveries/{uuid.uuid4()}?name=a.csv", "field_team", content=LOG.format(5).encode()
    )
    done = _done(doors, sent.json()["delivery_id"])
    upload_id = done["files"][0]["upload_id"]  # type: ignore[index]
    doors.ask("DELETE", f"/v1/uploads/{upload_id}?reason=thu", "province_admin")
    doors.ask("POST", f"/v1/uploads/{upload_id}/restore", "province_admin")
    doors.ask("DELETE", f"/v1/uploads/{upload_id}?reason=thu", "planner")  # may not
    found = audit.entries(doors.workspace, before + 1, 100)
    told = sorted(
        (one.number, one.action, one.caller, one.about.get("list"), one.about.get("upload_id"))
        for one in found
    )
    assert [one[1:] for one in told] == [
        ("download", "đội operator", "gaps", None),
        ("download", "đội planner", "hexes", None),
        ("send", "đội field_team", None, None),
        ("withdraw", "đội province_admin", None, upload_id),
        ("restore", "đội province_admin", None, upload_id),
    ]
    assert {one.address for one in found} == {"127.0.0.1"}
    assert all(one.key_id for one in found)
    assert audit.verify(doors.workspace).broken is None


def test_answers_run_nothing_and_are_framed_by_nobody(doors: Doors) -> None:
    for path in (
        "/",
        "/upload",
        "/guide",
        "/login",
        "/docs",
        "/kpi.json",
        "/gaps.csv",
        "/none",
        "/ogc",
        "/healthz",
    ):
        answer = doors.ask("GET", path, "planner")
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert ("unsafe-inline" in policy) == (path == "/docs"), path


def test_the_public_sees_nobody_s_trace(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    verdicts, hexes = SHOWN.village_verdicts.copy(), SHOWN.hex_verdicts.copy()
    verdicts["devices"] = [2 if number % 2 else 3 for number in range(len(verdicts))]
    verdicts["evidence_mix"] = ["C 14" if number % 4 else "B 14" for number in range(len(verdicts))]
    # Nobody in this archive was anywhere away from an end of a trace: drive tests alone are left.
    hexes["devices"] = 9
    hexes["evidence_mix"] = ["A 1, B 2" if number % 3 else "A 1, C 2" for number in range(len(hexes))]
    made = replace(SHOWN, village_verdicts=verdicts, hex_verdicts=hexes)
    before = replace(SHOWN, info=replace(SHOWN.info, snapshot_id="s-000000000001", as_of="2026-09-01"))
    for one in (before, made):
        snapshots.save(workspace.snapshots, one)
        history.publish(workspace, one.info, 0)
    key = keys.add(workspace, caller("planner"))[1]
    with running(tmp_path, workers=0, public=True) as service:
        url = f"{service.address}/ogc/collections/{{}}/items?limit=5000"
        seen = [one["properties"] for one in httpx.get(url.format("hexes")).json()["features"]]
        assert {one["evidence_mix"] for one in seen} == {"A 1, B 2"}
        assert len(seen) == (hexes["evidence_mix"] == "A 1, B 2").sum()
        for one in httpx.get(url.format("villages")).json()["features"]:
            about = one["properties"]
            assert about["tests"] == 0 or about["devices"] >= 3 or about["evidence_mix"] == "B 14"
        everything = httpx.get(url.format("hexes"), headers={"X-Api-Key": key}).json()["numberMatched"]
        assert everything == len(hexes) > len(seen)
        assert httpx.get(f"{service.address}/").status_code == 200
        figures = f"{service.address}/kpi.json"
        assert httpx.get(figures).json()["history"] == []
        assert len(httpx.get(figures, headers={"X-Api-Key": key}).json()["history"]) == 1
        for path in ("/v1/uploads", "/v1/deliveries", "/upload", "/metrics", "/guide"):
            assert httpx.get(f"{service.address}{path}").status_code == 401, path
        assert httpx.get(f"{service.address}/kpi.json", headers={"X-Api-Key": "ps_wrong"}).status_code == 401


def test_who_asks_too_fast_is_told_when_to_come_back(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, SHOWN)
    slow, other = (keys.add(workspace, caller("viewer", name))[1] for name in ("a", "b"))
    with running(tmp_path, workers=0, requests_per_minute=20) as service:
        asked = [httpx.get(f"{service.address}/kpi.json", headers={"X-Api-Key": slow}) for _ in range(22)]
        assert [one.status_code for one in asked] == [200] * 20 + [429] * 2
        problem(asked[-1], 429, "too_fast")
        assert 0 < int(asked[-1].headers["retry-after"]) <= 60
        assert httpx.get(f"{service.address}/kpi.json", headers={"X-Api-Key": other}).status_code == 200
        guesses = [
            httpx.get(f"{service.address}/kpi.json", headers={"X-Api-Key": f"ps_{n}"}) for n in range(22)
        ]
        assert {one.status_code for one in guesses[:10]} == {401}
        assert guesses[-1].status_code == 429


def test_other_names_of_the_service_are_said_to_it(tmp_path: Path) -> None:
    workspace_with(tmp_path, SHOWN)
    with running(tmp_path, workers=0, hosts="phusong.lamdong.vn, 10.1.2.3") as service:
        for host, status in (
            ("phusong.lamdong.vn", 200),
            ("10.1.2.3:8000", 200),
            ("10.1.2.4", 400),
            ("", 400),
        ):
            assert httpx.get(f"{service.address}/kpi.json", headers={"Host": host}).status_code == status, (
                host
            )


def test_only_a_service_with_keys_opens_for_other_machines(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, SHOWN)
    refused = subprocess.run(
        [
            sys.executable,
            "-m",
            "coverage",
            "serve",
            "--workspace",
            tmp_path,
            "--host",
            "0.0.0.0",  # noqa: S104
            "--port",
            "0",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 2
    assert "phusong keys add" in refused.stderr
    with pytest.raises(InputError):
        serve(workspace, "192.0.2.1", 0)
    keys.add(workspace, caller("viewer"))
    with pytest.raises(
        InputError, match=r"192\.0\.2\.1"
    ):  # no address of this machine, and no word of keys any more
        serve(workspace, "192.0.2.1", 0)
