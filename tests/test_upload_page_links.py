"""The upload page at the end of a bad link: cut, killed, reloaded, closed, and nothing is lost nor called failed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import field_phones
import httpx
import pytest
from field_phones import Link, Phone, Server
from test_flow import HEADER, add_two_villages, crew_lines

from coverage.archive.deliveries import receipt_code
from coverage.archive.workspace import open_workspace
from coverage.service import upload_page

pytestmark = pytest.mark.browser
SLOW_BYTES_PER_S = 400_000
FAILED = [upload_page.words("vi")[f"phase_{phase}"] for phase in ("failed", "refused", "stopped", "cancelled")]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with field_phones.browser() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    add_two_villages(open_workspace(tmp_path / "workspace"), tmp_path)
    started = Server(tmp_path / "workspace")
    yield started
    started.stop()


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    made = Link(server.port)
    yield made
    made.close()


@pytest.fixture
def phone(browser, link: Link) -> Iterator[Phone]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    opened = Phone(context, link.address)
    opened.link_may_fail = True
    yield opened
    opened.close()
    context.close()


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    """Two megabytes that no compression shrinks: some ten seconds of the slow link."""
    path = tmp_path / "big.csv"
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(30_000))
    rows = [f"{line},{noise[64 * n * 250 : 64 * n * 250 + 16000]}" for n, line in enumerate(crew_lines("in_service", "-88"))]
    path.write_text("\n".join([f"{HEADER},note", *rows]) + "\n")
    return path


def offset(phone: Phone, server: Server) -> int:
    (delivery,) = httpx.get(f"{server.address}/v1/deliveries").json()["deliveries"]
    return int(delivery["offset"])


def waits(phone: Phone, name: str) -> None:
    phone.reaches(name, "waiting")
    shown = phone.page.locator("main").inner_text()
    assert upload_page.words("vi")["wait_network"] in shown
    assert not [word for word in FAILED if word in shown]


def arrived(phone: Phone, server: Server, path: Path) -> None:
    phone.reaches(path.name, "look", seconds=60)
    (delivery,) = httpx.get(f"{server.address}/v1/deliveries").json()["deliveries"]
    assert delivery["receipt"] == receipt_code(hashlib.sha256(path.read_bytes()).hexdigest())
    phone.accept(path.name)
    phone.reaches(path.name, "done", seconds=60)


def test_cut_offline_and_killed_the_file_arrives_whole(phone: Phone, link: Link, server: Server, big_file: Path) -> None:
    phone.throttle(SLOW_BYTES_PER_S)
    phone.choose(big_file)
    field_phones.until(lambda: offset_or_none(server) > 0)

    link.cut()
    waits(phone, big_file.name)
    link.mend()
    phone.reaches(big_file.name, "sending")

    phone.context.set_offline(True)
    waits(phone, big_file.name)
    phone.context.set_offline(False)
    phone.throttle(SLOW_BYTES_PER_S)
    phone.reaches(big_file.name, "sending")

    server.kill()
    waits(phone, big_file.name)
    before = (server.workspace / "archive" / "incoming").glob("*/part")
    kept = max(part.stat().st_size for part in before)
    server.start()
    assert kept > 0
    phone.throttle(-1)
    arrived(phone, server, big_file)


def offset_or_none(server: Server) -> int:
    found = httpx.get(f"{server.address}/v1/deliveries").json()["deliveries"]
    return int(found[0]["offset"]) if found else 0


def test_a_reload_and_a_closed_tab_go_on_where_they_stopped(phone: Phone, server: Server, big_file: Path) -> None:
    phone.throttle(SLOW_BYTES_PER_S)
    phone.choose(big_file)
    field_phones.until(lambda: offset_or_none(server) > 0)
    phone.reload()
    phone.throttle(SLOW_BYTES_PER_S)
    phone.reaches(big_file.name, "sending", "waiting")
    phone.page.close()
    there = offset_or_none(server)
    assert there > 0
    phone.open()
    arrived(phone, server, big_file)


def test_agreeing_holds_through_a_dead_link_and_a_reload(phone: Phone, link: Link, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "agreed.csv"
    path.write_text("\n".join([HEADER, *crew_lines("in_service", "-88")]) + "\n")
    phone.choose(path)
    phone.reaches(path.name, "look")
    phone.page.fill("[name=team]", "Đội 9")
    phone.card(path.name).get_by_role("button", name="Đồng ý, nhận tệp này").wait_for()
    link.cut()
    phone.accept(path.name)
    phone.reaches(path.name, "confirming")
    phone.page.close()
    link.mend()
    phone.open()
    phone.reaches(path.name, "done")
    (delivery,) = httpx.get(f"{server.address}/v1/deliveries").json()["deliveries"]
    assert delivery["context"]["team"] == "Đội 9"


def test_an_early_agreement_needs_no_second_look(phone: Phone, big_file: Path, server: Server) -> None:
    phone.throttle(SLOW_BYTES_PER_S)
    phone.choose(big_file)
    phone.reaches(big_file.name, "sending")
    phone.card(big_file.name).get_by_role("button", name=upload_page.words("vi")["early"]).click()
    phone.throttle(-1)
    phone.reaches(big_file.name, "done", seconds=60)


def test_a_second_tab_leaves_the_sending_to_the_first(phone: Phone, link: Link) -> None:
    second = phone.context.new_page()
    second.goto(f"{link.address}/upload")
    second.get_by_text(upload_page.words("vi")["elsewhere"]).wait_for()
    phone.page.close()
    second.locator("html[data-ready=true]").wait_for(state="attached")
    assert not second.get_by_text(upload_page.words("vi")["elsewhere"]).is_visible()
    second.close()
    phone.open()
