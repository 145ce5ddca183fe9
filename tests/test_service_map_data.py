"""What the map's page asks of the service: texts, snapshots, changes, legends; who may, and what wrong questions get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import snapshots
from serving import Service, running

from coverage.archive import accounts, keys
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.exports.maps_page import static_digest

NOW = snapshots.snapshot(40)
BEFORE = replace(NOW, info=replace(NOW.info, snapshot_id="s-000000000001", as_of="2026-09-01"))
PASSWORD = "đường về bản xa"  # noqa: S105 - of an account of these tests


def published(folder: Path) -> Workspace:
    return snapshots.workspace_with(folder, BEFORE, NOW)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(published(tmp_path_factory.mktemp("data") / "w").root, workers=0) as started:
        yield started


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=60) as opened:
        yield opened


def test_the_page_is_small_and_names_the_snapshot(client: httpx.Client) -> None:
    page = client.get("/")
    assert len(page.content) < 40_000
    assert NOW.info.snapshot_id in page.text
    assert "Buôn" not in page.text  # every text of a user comes as data
    earlier = client.get("/", params={"snapshot": BEFORE.info.snapshot_id})
    assert BEFORE.info.snapshot_id in earlier.text
    assert client.get("/", params={"snapshot": "s-none"}).status_code == 404
    assert client.get("/", params={"before": "s-none"}).status_code == 404
    assert client.get("/", params={"sanpshot": "x"}).status_code == 400


def test_style_and_scripts_are_kept_for_good_and_packed(client: httpx.Client) -> None:
    for name in ("map.css", "map.js", "leaflet.js"):
        address = f"/static-map/{static_digest()}/{name}"
        packed = client.get(address)
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "immutable" in packed.headers["cache-control"]
        assert packed.content == plain.content
        assert "content-encoding" not in plain.headers
    assert client.get("/static-map/0/map.js").status_code == 404
    assert client.get(f"/static-map/{static_digest()}/../map.js").status_code == 404


def test_data_are_of_the_snapshot_and_are_kept(client: httpx.Client) -> None:
    first = client.get("/map/data.json")
    assert first.json()["info"]["snapshot_id"] == NOW.info.snapshot_id
    assert first.json()["communes"]["former"][0] == ["Xã Liêng Srônh", "Xã Rô Men"]
    again = client.get("/map/data.json", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    earlier = client.get("/map/data.json", params={"snapshot": BEFORE.info.snapshot_id}).json()
    assert earlier["info"]["as_of"] == "2026-09-01"


def test_snapshots_are_told_the_latest_first(client: httpx.Client) -> None:
    found = client.get("/map/snapshots.json").json()["snapshots"]
    assert [one["snapshot_id"] for one in found] == [NOW.info.snapshot_id, BEFORE.info.snapshot_id]
    assert found[1]["as_of"] == "2026-09-01"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/map/changes.json?since=s-000000000001", 200),
        ("/map/changes.json", 422),
        ("/map/changes.json?since=s-none", 404),
        ("/map/classes.json?layer=hexes", 200),
        ("/map/classes.json?layer=change&since=s-000000000001", 200),
        ("/map/classes.json?layer=change", 400),
        ("/map/classes.json?layer=hexes&since=s-000000000001", 400),
        ("/map/classes.json?layer=hexes-99999", 404),
        ("/map/classes.json?layer=%3Cimg%20src=x%3E", 404),
        ("/map/data.json?snapshot=s-none", 404),
        ("/map/data.json?x=1", 400),
        ("/v1/villages/V0003/places", 200),
        ("/v1/villages/none/places", 404),
        ("/v1/villages/V0003/places?x=1", 400),
    ],
)
def test_questions_are_answered_or_refused(client: httpx.Client, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    if status >= 400:
        assert {"code", "title", "detail"} <= set(answer.json())


def test_an_operator_sees_its_own_network_only(tmp_path: Path) -> None:
    workspace = published(tmp_path)
    mine = keys.add(workspace, Caller("Viettel", "operator", "45204"))[1]
    with running(tmp_path, workers=0) as service:

        def ask(path: str) -> Any:
            return httpx.get(f"{service.address}{path}", headers={"X-Api-Key": mine}, timeout=60)

        data = ask("/map/data.json").json()
        assert [view["name"] for view in data["views"]] == [None, "Viettel"]
        assert set(data["verdicts"]["view"]) == {1}
        assert "MobiFone" not in str(data["views"])
        for layer in ("hexes-45201", "age-45201", "signal-45201-LTE", "predicted-45201"):
            assert ask(f"/map/classes.json?layer={layer}").status_code == 404
        page = ask("/").text
        assert '"alone":true' in page
        assert 'href="/upload"' not in page  # an operator sends nothing
        places = ask("/v1/villages/V0003/places").json()
        assert places["operators"] == ["Viettel"]


def test_who_is_logged_in_can_log_out_on_the_map(tmp_path: Path) -> None:
    workspace = published(tmp_path)
    accounts.add(workspace, Caller("Lan Anh", "planner"), PASSWORD)
    with running(tmp_path, workers=0) as service, httpx.Client(base_url=service.address) as browser:
        browser.post("/login", data={"name": "Lan Anh", "password": PASSWORD})
        assert 'action="/logout"' in browser.get("/").text
        browser.post("/logout", headers={"Origin": service.address})
        assert browser.get("/").status_code in {303, 401}


def test_places_of_a_village_that_has_no_verdict_are_none(client: httpx.Client) -> None:
    assert client.get("/v1/villages/V0003/places").json() == {
        "village_id": "V0003",
        "operators": list(NOW.info.operators.values()),
        "places": [],
    }
