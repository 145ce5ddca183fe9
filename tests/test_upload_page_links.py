"""The upload page at the end of a bad link: cut, killed, reloaded, closed, and nothing is lost nor called failed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import field_phones
import pytest
from field_phones import Link, Phone
from serving import Service, get, post, running
from sqlalchemy import update
from test_flow import HEADER, crew_lines

from coverage.archive import accounts
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.receipts import code_of
from coverage.archive.schema import JOBS
from coverage.archive.workspace import open_workspace
from coverage.callers import Caller
from coverage.service import upload_page

pytestmark = pytest.mark.browser
SLOW_BYTES_PER_S, CRAWLING_BYTES_PER_S = 250_000, 80_000
FAILED = [
    upload_page.words("vi")[f"phase_{phase}"] for phase in ("failed", "refused", "stopped", "cancelled")
]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with field_phones.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service without villages: measurements may come first."""
    workspace = tmp_path_factory.mktemp("links") / "workspace"
    open_workspace(workspace)
    with running(workspace) as started:
        yield started


@pytest.fixture
def link(server: Service) -> Iterator[Link]:
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
    """Two megabytes of a name of their own: some seven seconds of the slow link."""
    path = tmp_path / f"{tmp_path.name}.csv"
    noise = "".join(hashlib.sha256(f"{tmp_path} {n}".encode()).hexdigest() for n in range(30_000))
    rows = [
        f"{line},{noise[64 * n * 250 : 64 * n * 250 + 16000]}"
        for n, line in enumerate(crew_lines("in_service", "-88"))
    ]
    path.write_text("\n".join([f"{HEADER},note", *rows]) + "\n")
    return path


def delivery_of(server: Service, name: str) -> dict:
    """The newest delivery of a file, empty where there is none."""
    found = get(f"{server.address}/v1/deliveries").json()["deliveries"]
    return next((one for one in found if one["file"] == name), {})


def under_way(server: Service, name: str) -> bool:
    return delivery_of(server, name).get("offset", 0) > 0


def waits(phone: Phone, name: str) -> None:
    phone.reaches(name, "waiting")
    shown = phone.page.locator("main").inner_text()
    assert upload_page.words("vi")["wait_network"] in shown
    assert not [word for word in FAILED if word in shown]


def arrived(phone: Phone, server: Service, path: Path) -> None:
    phone.shows_preview(path.name, seconds=60)
    delivery = delivery_of(server, path.name)
    assert delivery["receipt"] == code_of(hashlib.sha256(path.read_bytes()).hexdigest())
    phone.accept(path.name)
    phone.reaches(path.name, "done", seconds=60)


def test_cut_offline_and_killed_the_file_arrives_whole(
    phone: Phone, link: Link, server: Service, big_file: Path
) -> None:
    phone.link(SLOW_BYTES_PER_S)
    phone.choose(big_file)
    field_phones.until(lambda: under_way(server, big_file.name))

    link.cut()
    waits(phone, big_file.name)
    link.mend()
    phone.reaches(big_file.name, "sending")

    phone.link(offline=True)
    waits(phone, big_file.name)
    phone.link(SLOW_BYTES_PER_S)
    phone.reaches(big_file.name, "sending")

    server.kill()
    waits(phone, big_file.name)
    server.start()
    assert under_way(server, big_file.name)
    phone.link()
    arrived(phone, server, big_file)


def test_a_reload_and_a_closed_tab_go_on_where_they_stopped(
    phone: Phone, server: Service, big_file: Path
) -> None:
    phone.link(CRAWLING_BYTES_PER_S)
    phone.choose(big_file)
    field_phones.until(lambda: under_way(server, big_file.name))
    phone.reload()
    phone.reaches(big_file.name, "sending", "waiting")
    phone.page.close()
    assert under_way(server, big_file.name)
    assert delivery_of(server, big_file.name)["state"] == "receiving"
    phone.open()
    arrived(phone, server, big_file)


def test_agreeing_holds_through_a_dead_link_and_a_reload(
    phone: Phone, link: Link, server: Service, tmp_path: Path
) -> None:
    path = tmp_path / "agreed.csv"
    path.write_text("\n".join([HEADER, *crew_lines("in_service", "-88")]) + "\n")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.page.fill("[name=team]", "Đội 9")
    phone.card(path.name).get_by_role("button", name="Đồng ý, nhận tệp này").wait_for()
    link.cut()
    phone.accept(path.name)
    phone.reaches(path.name, "confirming")
    phone.page.close()
    link.mend()
    phone.open()
    phone.reaches(path.name, "done")
    delivery = delivery_of(server, path.name)
    assert delivery["context"]["team"] == "Đội 9"


def bare_file(folder: Path, mark: str) -> Path:
    """A phone's file that names neither itself nor the operator."""
    path = folder / f"{mark}.csv"
    lines = [line.replace(",45204,", ",,") for line in crew_lines("in_service", "-88")[:36]]
    rows = [line.replace("phone-0", mark) for line in lines]
    path.write_text("\n".join([HEADER.replace("device", "note"), *rows]) + "\n")
    return path


def an_hour_passes(server: Service, name: str) -> None:
    """The held file is read by itself."""
    mine = JOBS.c.delivery_id == delivery_of(server, name)["delivery_id"]
    with transaction(open_workspace(server.workspace).manifest) as connection:
        connection.execute(update(JOBS).where(mine).values(not_before_utc=now_utc()))
    field_phones.until(lambda: delivery_of(server, name)["state"] == "done")


def fill_in(phone: Phone) -> None:
    phone.page.fill("[name=device]", "Máy Z")
    phone.page.select_option("[name=operator]", "45204")
    phone.page.select_option("[name=in_vehicle]", "true")
    phone.page.select_option("[name=antenna]", "inside")


def words_were_used(phone: Phone, server: Service, path: Path) -> None:
    phone.reaches(path.name, "done")
    delivery = delivery_of(server, path.name)
    said = {name: delivery["context"][name] for name in ("operator", "in_vehicle", "antenna")}
    assert said == {"operator": "45204", "in_vehicle": True, "antenna": "inside"}
    assert delivery["context"]["device"]
    assert not delivery["held"]
    (read,) = delivery["files"]
    assert (read["accepted"], read["quarantined"]) == (36, 0)
    words = upload_page.words("vi")
    seen = phone.card(path.name).inner_text()
    assert words["result_all"].replace("{rows}", "36") in seen
    # On a slow machine the page agrees twice, and the second reading replaces nothing any more: it is never a twin's.
    assert words["result_effect_already_received"] not in seen
    assert words["read_unasked"] not in seen
    assert words["unheeded"] not in seen


def watches_for(phone: Phone, words: str) -> None:
    """Have the page note whether it ever shows the words, however briefly."""
    phone.page.evaluate(
        """words => new MutationObserver(() => { window.shown ||= document.body.textContent.includes(words); })
            .observe(document.body, { subtree: true, childList: true, characterData: true })""",
        words,
    )


def test_an_agreement_that_comes_after_the_hour_is_still_used(
    phone: Phone, link: Link, server: Service, tmp_path: Path
) -> None:
    path = bare_file(tmp_path, "late")
    phone.choose(path)
    phone.shows_preview(path.name)
    fill_in(phone)
    phone.card(path.name).get_by_role("button", name="Đồng ý, nhận tệp này").wait_for()
    link.cut()
    phone.accept(path.name)
    phone.reaches(path.name, "confirming")
    an_hour_passes(server, path.name)
    assert delivery_of(server, path.name)["held"]
    watches_for(phone, upload_page.words("vi")["reading_again"])
    link.mend()
    words_were_used(phone, server, path)
    assert phone.page.evaluate("window.shown")


def test_an_agreement_kept_over_a_restart_is_told_to_a_server_that_has_read_the_file(
    phone: Phone, link: Link, server: Service, tmp_path: Path
) -> None:
    path = bare_file(tmp_path, "restarted")
    phone.choose(path)
    phone.shows_preview(path.name)
    fill_in(phone)
    link.cut()
    phone.accept(path.name)
    phone.reaches(path.name, "confirming")
    phone.page.close()
    an_hour_passes(server, path.name)
    link.mend()
    phone.open()
    words_were_used(phone, server, path)


def test_who_comes_back_after_the_hour_sees_the_result_and_may_still_agree(
    phone: Phone, server: Service, tmp_path: Path
) -> None:
    words = upload_page.words("vi")
    path = bare_file(tmp_path, "back later")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.page.close()
    an_hour_passes(server, path.name)
    phone.open()
    phone.reaches(path.name, "unused")  # no row has an operator
    card = phone.card(path.name)
    card.get_by_text(words["read_unasked"]).wait_for()
    assert words["cure_operator_unknown"] in card.inner_text()
    fill_in(phone)
    card.get_by_role("button", name=words["confirm_again"]).click()
    words_were_used(phone, server, path)


def test_words_that_came_too_late_are_never_told_as_used(
    phone: Phone, link: Link, server: Service, tmp_path: Path
) -> None:
    words = upload_page.words("vi")
    path = tmp_path / "contested.csv"
    path.write_text("\n".join([HEADER, *[line.replace("phone-", "two-") for line in crew_lines()]]) + "\n")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.page.fill("[name=team]", "Đội 9")
    link.cut()
    phone.accept(path.name)
    phone.reaches(path.name, "confirming")
    other = delivery_of(server, path.name)["url"]
    post(f"{server.address}{other}/confirm", json={"team": "Đội 1"}).raise_for_status()
    field_phones.until(lambda: delivery_of(server, path.name)["state"] == "done")
    link.mend()
    phone.reaches(path.name, "unheeded")
    card = phone.card(path.name)
    assert card.locator(".chip").inner_text() == words["phase_unheeded"]
    assert words["unheeded"] in card.inner_text()
    phone.reload()
    card.get_by_role("button", name=words["resend"]).click()
    phone.reaches(path.name, "done")
    assert delivery_of(server, path.name)["context"]["team"] == "Đội 9"


def test_the_page_opens_without_any_link(phone: Phone, link: Link, server: Service, tmp_path: Path) -> None:
    phone.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    path = tmp_path / "in the field.csv"
    path.write_text("\n".join([HEADER, *[line.replace("phone-", "field-") for line in crew_lines()]]) + "\n")
    link.cut()
    phone.reload()
    phone.choose(path)
    waits(phone, path.name)
    phone.reload()
    waits(phone, path.name)
    link.mend()
    arrived(phone, server, path)


def test_without_villages_the_measurements_are_kept_and_said_to_wait(phone: Phone, tmp_path: Path) -> None:
    path = tmp_path / "first.csv"
    path.write_text("\n".join([HEADER, *[line.replace("phone-", "first-") for line in crew_lines()]]) + "\n")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.accept(path.name)
    phone.reaches(path.name, "done")
    phone.card(path.name).get_by_text(upload_page.words("vi")["not_judged_no_places"]).wait_for()


def test_an_early_agreement_needs_no_second_look(phone: Phone, big_file: Path, server: Service) -> None:
    phone.link(SLOW_BYTES_PER_S)
    phone.choose(big_file)
    phone.reaches(big_file.name, "sending")
    phone.card(big_file.name).get_by_role("button", name=upload_page.words("vi")["early"]).click()
    phone.link()
    phone.reaches(big_file.name, "done", seconds=60)


def test_a_server_without_room_is_waited_for(browser, tmp_path: Path) -> None:
    words = upload_page.words("vi")
    open_workspace(tmp_path / "workspace")
    path = tmp_path / "patient.csv"
    path.write_text("\n".join([HEADER, *crew_lines()]) + "\n")
    with running(tmp_path / "workspace", workers=0, free_disk_floor_mb=10**8) as full:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        phone = Phone(context, full.address)
        phone.link_may_fail = True  # the browser notes each 507
        phone.choose(path)
        phone.card(path.name).get_by_text(words["wait_full"]).wait_for()
        assert phone.card(path.name).locator(".chip").inner_text() == words["phase_waiting_server"]
        full.stop()
        full.settings = ()
        full.start()
        phone.shows_preview(path.name)
        phone.close()
        context.close()


def test_a_second_tab_leaves_the_sending_to_the_first(phone: Phone, link: Link) -> None:
    second = phone.context.new_page()
    second.goto(f"{link.address}/upload")
    second.get_by_text(upload_page.words("vi")["elsewhere"]).wait_for()
    phone.page.close()
    second.locator("html[data-ready=true]").wait_for(state="attached")
    assert not second.get_by_text(upload_page.words("vi")["elsewhere"]).is_visible()
    second.close()
    phone.open()


def test_behind_a_login_it_opens_without_a_link_and_asks_again_who_it_is(browser, tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    password = "suối về bản xa"  # noqa: S105 - of an account of this test
    accounts.add(workspace, Caller("Đội 7", "field_team"), password)
    with running(workspace.root, workers=0) as service:
        link = Link(service.port)
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(f"{link.address}/upload?lang=en")
        assert page.url.endswith("/login?next=/upload")
        page.fill("[name=name]", "Đội 7")
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        assert page.locator("html").get_attribute("lang") == "vi"
        link.cut()
        page.reload()
        page.locator("html[data-ready=true]").wait_for(state="attached")
        link.mend()
        context.clear_cookies()
        page.reload()
        assert page.url.endswith("/login?next=/upload")
        context.close()
        link.close()
