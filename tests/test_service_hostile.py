"""What is thrown at the service by somebody who means ill: it answers in words, loses nothing, and goes on answering."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from serving import Service, running
from snapshots import HOSTILE, snapshot, workspace_with

from coverage.archive import audit, history, keys, snapshots
from coverage.archive.workspace import open_workspace
from coverage.callers import Caller

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service over names that would run if they could: of villages, communes and operators."""
    workspace = open_workspace(tmp_path_factory.mktemp("hostile"))
    shown = snapshot(40)
    codes = list(shown.communes["commune_code"])
    evil = dict(zip(codes, HOSTILE, strict=False))
    communes = shown.communes.assign(commune_name=[evil[code] for code in codes])
    villages = shown.villages.assign(commune_name=shown.villages["commune_code"].map(evil))
    verdicts = shown.village_verdicts.assign(commune_name=shown.village_verdicts["commune_code"].map(evil))
    shown = replace(shown, communes=communes, villages=villages, village_verdicts=verdicts)
    snapshots.save(workspace.snapshots, shown)
    history.publish(workspace, shown.info, 0)
    with running(workspace.root, idle_timeout_s=3) as found:
        yield found


def raw(service: Service, content: bytes, seconds: float = 10) -> bytes:
    """What the service answers to bytes as they are, until it closes the line or says no more."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as line:
        answer = b""
        try:
            line.sendall(content)
            while piece := line.recv(65536):
                answer += piece
                if b"\r\n\r\n" in answer and b"content-length" in answer.lower():
                    head, _, body = answer.partition(b"\r\n\r\n")
                    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                    if len(body) >= length:
                        break
        except (TimeoutError, ConnectionError):
            pass
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def alive(service: Service) -> bool:
    return httpx.get(f"{service.address}/kpi.json", timeout=30).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/static-upload/../../../../etc/passwd",
        "/static-upload/x/..%2f..%2f..%2fetc%2fpasswd",
        "/static-docs/..%2f..%2f..%2fpyproject.toml",
        "/static-docs/....//....//etc/passwd",
        "/gaps.csv/../../../manifest.sqlite",
        "/ogc/collections/..%2f..%2fgaps/items",
        "/ogc/collections/gaps/items/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/uploads/..%2f..%2fdevice.key",
        "/v1/uploads/0000000000000000%00/rejects.csv",
        "/v1/deliveries/..%2f..%2fx/preview",
        "/kpi.json?snapshot=..%2f..%2farchive",
        "/gaps.geojson?snapshot=%2fetc",
        "/%2e%2e/%2e%2e/device.key",
        "/\x00",
    ],
)
def test_no_path_leads_out_of_the_service(service: Service, path: str) -> None:
    answer = raw(
        service, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    assert status(answer) in {400, 404, 405, 422}, answer[:300]
    assert b"root:" not in answer
    key = (service.workspace / "device.key").read_bytes().strip()
    assert key not in answer


@pytest.mark.parametrize(
    "query",
    [
        "bbox=" + "1," * 50_000 + "1",
        "&".join(f"a{n}=1" for n in range(5_000)),
        "filter=" + "%28" * 3_000,
        "filter=" + "tests%3D1%20OR%20" * 160 + "tests%3D1",
        "operator=%ff%fe",
        "operator=%00",
        "operator=" + "%F0%9F%98%80" * 500,
        "limit=１０",
        "limit=1e3",
        "offset=99999999999999999999",
        "datetime=0000-00-00",
        "datetime=9999-12-31/..",
        "datetime=99999-01-01",
        "datetime=2026-10-01T00:00:00%2B99:00",
        "filter=tests%20LIKE%20'%25'",
        "filter=village_name%20LIKE%20'" + "%25a" * 400 + "'",
        "bbox=-1e308,-1e308,1e308,1e308",
        "bbox=0,0,0,0",
        "crs=javascript:alert(1)",
        "filter-lang=cql2-json&filter=" + "%5B" * 1_900,
    ],
    ids=lambda text: text[:40],
)
def test_no_question_stops_the_service(service: Service, query: str) -> None:
    begun = time.monotonic()
    path = f"/ogc/collections/gaps/items?{query}"
    answer = raw(service, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode(), 60)
    assert status(answer) in {0, 200, 400, 414, 431}, answer[:300]
    assert b"fault of ours" not in answer
    assert time.monotonic() - begun < 60
    assert alive(service)


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Big: " + "a" * 200_000 + "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "".join(f"X-{n}: 1\r\n" for n in range(20_000)) + "\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x",
        "POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999\r\n\r\n",
        "PUT /v1/deliveries/x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
        "\x00" * 5000,
    ],
    ids=lambda text: repr(text[:30]) + str(len(text)),
)
def test_no_malformed_request_is_answered_as_if_it_were_one(service: Service, request_text: str) -> None:
    answer = raw(service, request_text.encode("latin-1"), 5)
    assert status(answer) in {0, 400, 404, 405, 411, 413, 415, 422, 431, 501, 505}, answer[:300]
    assert b"evil.example/" not in answer
    assert alive(service)


def test_headers_of_a_proxy_are_believed_by_nobody(tmp_path: Path) -> None:
    shown = snapshot(30)
    workspace = workspace_with(tmp_path, shown)
    key = keys.add(workspace, Caller("đội", "viewer"))[1]
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Real-IP": "203.0.113.9",
        "X-Original-URL": "/v1/uploads",
        "X-Rewrite-URL": "/v1/uploads",
        "X-HTTP-Method-Override": "DELETE",
    }
    with running(tmp_path, workers=0) as service:
        answer = httpx.get(f"{service.address}/gaps.csv", headers=forged | {"X-Api-Key": key})
        assert answer.status_code == 200
        links = httpx.get(f"{service.address}/ogc", headers=forged | {"X-Api-Key": key}).text
        assert "evil.example" not in links
        assert "https:" not in links
        assert httpx.get(f"{service.address}/kpi.json", headers=forged).status_code == 401
    (row,) = [one for one in audit.entries(workspace, 1, 100) if one.action == "download"]
    assert row.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (
            "10.0.0.0/24, 127.0.0.0/8",
            "198.51.100.1, 203.0.113.9",
            "203.0.113.9",
        ),  # the first is the client's own word
        ("127.0.0.1, 10.0.0.7", "203.0.113.9, 10.0.0.7", "203.0.113.9"),  # a proxy before the proxy
        ("10.0.0.7", "203.0.113.9", "127.0.0.1"),  # no proxy of ours
    ],
)
def test_only_a_proxy_that_is_named_tells_who_asks(
    tmp_path: Path, proxies: str, told: str, address: str
) -> None:
    shown = snapshot(30)
    workspace = workspace_with(tmp_path, shown)
    headers = {
        "X-Api-Key": keys.add(workspace, Caller("đội", "viewer"))[1],
        "X-Forwarded-For": told,
        "X-Forwarded-Host": "evil.example",
    }
    with running(tmp_path, workers=0, proxies=proxies) as service:
        assert httpx.get(f"{service.address}/gaps.csv", headers=headers).status_code == 200
        assert "evil.example" not in httpx.get(f"{service.address}/ogc", headers=headers).text
    (row,) = [one for one in audit.entries(workspace, 1, 100) if one.action == "download"]
    assert row.address == address


def test_json_that_is_deep_wide_or_odd_is_refused(service: Service) -> None:
    url = f"{service.address}/v1/deliveries/{'0' * 32}/confirm"
    deep = "[" * 30_000
    for body in (
        deep,
        '{"a":' * 10_000,
        json.dumps({f"k{n}": n for n in range(4_000)}),
        '{"operator": 1e999}',
        '{"operator": NaN}',
        '{"operator": "\\ud800"}',
        '"' + "a" * 60_000,
        "9" * 60_000,
        b"\xff\xfe{}",
        b"\x00",
    ):
        answer = httpx.post(url, content=body, headers={"Content-Type": "application/json"}, timeout=60)
        assert answer.status_code in {400, 404, 413, 422}, (body[:40], answer.text)
    assert alive(service)


def test_many_silent_lines_keep_nobody_out(service: Service) -> None:
    with ExitStack() as held:
        for number in range(300):
            line = held.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            line.sendall(b"GET / HTTP/1.1\r\nHost: 127" if number % 2 else b"PUT /v1/deliveries/")
        assert alive(service)
        body = "time,lat,lon,operator,technology,rsrp_dbm\n2026-10-09T08:00:00Z,11.9,108.1,45204,LTE,-97\n"
        sent = httpx.post(
            f"{service.address}/v1/uploads", files={"file": ("a.csv", body.encode())}, timeout=60
        )
        assert sent.status_code in {200, 202}


def test_a_sender_that_drips_is_let_go_and_others_are_served(service: Service) -> None:
    head = (
        b"PUT /v1/deliveries/"
        + b"1" * 32
        + b"?name=a.csv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
    )
    answer = raw(service, head + b"time,lat", 30)  # and nothing more
    assert status(answer) == 408, answer[:200]
    assert alive(service)


def test_no_name_runs_on_any_page_in_a_browser(service: Service, tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        told = f"{CHROMIUM} is not installed: apt-get install chromium"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    for number, name in enumerate(HOSTILE):
        files = {"file": (f"{name}.csv", f"time,lat,lon\n{number}\n".encode())}
        httpx.post(f"{service.address}/v1/uploads", files=files, timeout=60)
    strange, faults = [], []
    host = urlsplit(service.address).netloc
    with playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=str(CHROMIUM), args=list(FLAGS)
        )
        page = context.new_page()
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: strange.append(asked.url) if _is_strange(asked.url, host) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        quoted = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
        for path in (
            *(
                "/",
                "/upload",
                "/guide",
                "/docs",
                "/login",
                f"/login?next={quoted}",
                f"/login?lang=en&next=/{quoted}",
            ),
            *(f"/{quoted}", f"/ogc/collections/{quoted}", f"/gaps.csv?status={quoted}"),
        ):
            page.goto(f"{service.address}{path}", wait_until="load")
            page.wait_for_timeout(200)
            assert page.locator("img[src='x']").count() == 0, path
        page.goto(f"{service.address}/", wait_until="load")
        page.locator("html[data-ready=true]").wait_for(state="attached")
        for village in page.locator(".leaflet-villages-pane path").all()[:12]:
            village.dispatch_event("click")
            page.locator(".leaflet-popup-content .hex-evidence h4").last.wait_for()  # others still fade out
        for name in HOSTILE:
            page.fill("#query", name)
        page.click("#show-table")
        for row in page.locator("#twin tbody .go").all()[:40]:
            row.click()
        page.locator("#twin .story .homes").first.wait_for(state="attached")
        assert "<img src=x onerror=alert(1)>" in page.locator("#twin").inner_text()
        assert page.locator("img[src='x']").count() == 0
        context.close()
    assert faults == []
    assert strange == []


def _is_strange(url: str, host: str) -> bool:
    return not url.startswith(("data:", "blob:", "chrome")) and urlsplit(url).netloc != host
