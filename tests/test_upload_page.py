"""The upload page as a field team meets it: on a phone and on a desk, in both languages, reading only the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import field_phones
import httpx
import pytest
from field_phones import Phone
from serving import Service, get, post, running
from test_flow import HEADER, add_two_villages, crew_file, crew_lines

from coverage.archive.receipts import code_of
from coverage.archive.workspace import open_workspace
from coverage.service import upload_page

STATIC = files("coverage.service").joinpath("static")
SCRIPTS = {one.name: one.read_text(encoding="utf-8") for one in STATIC.iterdir() if one.name.endswith(".js")}
HOSTILE = ("<img src=x onerror=alert(1)>.csv", "${alert(1)}{{7*7}}.csv", "'\"><script>alert(1)</script>.csv")


# --- words and files --------------------------------------------------------------------------------


def test_both_languages_say_the_same_things() -> None:
    vi, en = upload_page.words("vi"), upload_page.words("en")
    assert list(vi) == list(en)
    for key, text in vi.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", en[key])), key
        assert text.strip()
        assert en[key].strip()


def test_every_word_that_a_script_says_is_there_and_none_is_left_over() -> None:
    code = "\n".join(text for name, text in SCRIPTS.items() if name not in {"vi.js", "en.js"})
    page = STATIC.joinpath("upload.html").read_text(encoding="utf-8")
    said = set(re.findall(r"\b(?:say|button)\('(\w+)'", code))
    assert said <= set(upload_page.words("vi"))
    made = ("phase_", "count_", "outcome_", "service_", "field_", "row_", "wait_", "cure_", "result_effect_")
    for key in upload_page.words("vi"):
        assert key.startswith(made) or f"'{key}'" in code or f"{{{key}}}" in page, key


def test_no_text_is_ever_html() -> None:
    for name, text in SCRIPTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), name


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_operators_of_the_rule_are_to_choose_and_harmless(lang: upload_page.Lang) -> None:
    page = upload_page.page_html(lang, {"45204": "Viettel", "1": "<b>&"})
    assert '<option value="45204">Viettel</option>' in page
    assert "<b>&" not in page
    assert "{" not in page
    assert f'<html lang="{lang}">' in page


def luminance(colour: str) -> float:
    channels = [value / 255 for value in bytes.fromhex(colour.removeprefix("#"))]
    red, green, blue = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_has_the_contrast_of_wcag_aa(scheme: int) -> None:
    style = STATIC.joinpath("upload.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{([^}]+)\}", style)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    texts = [
        ("ink", "paper"),
        ("ink", "ground"),
        ("quiet", "paper"),
        ("quiet", "ground"),
        ("accent", "paper"),
    ]
    pairs = [(kind, f"{kind}-ground") for kind in ("good", "warn", "bad")]
    for text, ground in [*texts, *pairs, ("on-accent", "accent")]:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for edge in ("edge", "focus"):  # of fields and of what has the focus: 3 to 1
        assert contrast(colours[edge], colours["paper"]) >= 3, edge


# --- the page in a browser --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service without villages: nothing is judged, so that reading in is quick."""
    workspace = tmp_path_factory.mktemp("upload_page") / "workspace"
    open_workspace(workspace)
    with running(workspace, max_upload_mb=1) as started:
        yield started


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("judging")
    add_two_villages(open_workspace(folder / "workspace"), folder)
    with running(folder / "workspace", max_upload_mb=1) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with field_phones.browser() as opened:
        yield opened


VIEWS = {"phone-vi": ("vi", 390, 844, "light"), "desk-en": ("en", 1280, 900, "dark")}
ON_A_PHONE = pytest.mark.parametrize("phone", [VIEWS["phone-vi"]], indirect=True, ids=["phone-vi"])
ON_A_DESK = pytest.mark.parametrize("phone", [VIEWS["desk-en"]], indirect=True, ids=["desk-en"])


@contextmanager
def phone_in(view: tuple[str, int, int, str], browser, address: str) -> Iterator[Phone]:
    lang, width, height, scheme = view
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=width < 500
    )
    opened = Phone(context, address, lang)
    yield opened
    opened.close()
    context.close()


@pytest.fixture(params=VIEWS.values(), ids=VIEWS)
def phone(request, browser, server: Service) -> Iterator[Phone]:
    with phone_in(request.param, browser, server.address) as opened:
        yield opened


@pytest.fixture(params=VIEWS.values(), ids=VIEWS)
def phone_of_a_crew(request, browser, judging: Service) -> Iterator[Phone]:
    """The same where what it sends is judged."""
    with phone_in(request.param, browser, judging.address) as opened:
        yield opened


def say(phone: Phone, key: str, **values: object) -> str:
    text = upload_page.words(phone.lang)[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def lines_of(phone: Phone, mark: str) -> list[str]:
    """A crew's rows of its own: each run sends bytes that no other run has sent."""
    return [line.replace("phone-", f"{mark}-{phone.lang}-") for line in crew_lines("in_service", "-88")]


def test_the_files_of_the_page_are_kept_for_good_and_the_page_is_not(server: Service) -> None:
    page = get(f"{server.address}/upload")
    assert page.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    addresses = re.findall(r'(?:src|href)="(/static-upload/[^"]+)"', page.text)
    assert len(addresses) > 10
    for address in set(addresses):
        answer = get(server.address + address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert get(f"{server.address}/static-upload/0000/upload.js").status_code == 404
    assert get(re.sub(r"[^/]+$", "upload.html", server.address + addresses[0])).status_code == 404


def test_the_language_is_remembered(server: Service) -> None:
    with httpx.Client(base_url=server.address) as client:
        assert '<html lang="vi">' in client.get("/upload").text
        assert '<html lang="en">' in client.get("/upload?lang=en").text
        assert '<html lang="en">' in client.get("/upload").text
        assert '<html lang="vi">' in client.get("/upload?lang=vi").text
        assert '<html lang="vi">' in client.get("/upload").text


@pytest.mark.browser
def test_a_crew_sends_a_file_with_three_bad_rows(phone_of_a_crew: Phone, tmp_path: Path) -> None:
    phone = phone_of_a_crew
    lines = lines_of(phone, "bad")
    lines[4] = lines[4].replace("11.9", "banana", 1)
    lines[9] = lines[9].replace("-88", "loud")
    lines[20] = "not a time" + lines[20][lines[20].index(",") :]
    path = crew_file(tmp_path, lines, f"Đội đo {phone.lang}.csv")
    phone.page.fill("[name=team]", "Đội 3")
    phone.page.fill("[name=by]", "Lan")
    phone.choose(path)
    phone.shows_preview(path.name)

    card = phone.card(path.name)
    seen = card.inner_text()
    assert say(phone, "looked_whole", rows=108) in seen
    assert "105" in seen
    assert card.locator("svg.points circle").count() > 10
    card.locator("details.rows summary").click()
    assert card.locator("tbody tr").count() == 20
    assert "banana" in card.locator("tbody tr.rejected").first.inner_text()

    phone.accept(path.name)
    phone.reaches(path.name, "done")
    shown = [item.inner_text() for item in card.locator(".bad-rows li").all()]
    for line, value in ((6, "banana"), (11, "loud"), (22, "not a time")):
        (text,) = [text for text in shown if text.startswith(say(phone, "bad_line", line=line))]
        assert value in text
    assert len(shown) == 3
    words = say(phone, "result_words", rows=108, accepted=105, duplicates=0, rejected=3, quarantined=0)
    assert words in card.inner_text()

    told = get(f"{phone.address}/v1/deliveries").json()["deliveries"]
    mine = next(one for one in told if one["file"] == path.name)
    assert card.locator(".code").inner_text() == mine["receipt"]
    assert (mine["context"]["team"], mine["by"]) == ("Đội 3", "Lan")
    with phone.page.expect_download() as download:
        card.get_by_role("link", name=say(phone, "rejects")).click()
    assert "banana" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    card.get_by_role("link", name=say(phone, "judged_link")).wait_for(timeout=60000)


@ON_A_DESK
@pytest.mark.browser
def test_a_missing_operator_is_told_before_it_costs_rows(phone: Phone, tmp_path: Path) -> None:
    lines = [line.replace(",45204,", ",,") for line in lines_of(phone, "missing")]
    path = crew_file(tmp_path, lines, "no operator.csv")
    phone.choose(path)
    phone.shows_preview(path.name)
    card = phone.card(path.name)
    assert card.locator(".warn").get_by_text("108").count() == 1
    assert "--operator" not in card.text_content()
    card.get_by_role("button", name=say(phone, "missing_fill", field=say(phone, "field_operator"))).click()
    assert phone.page.evaluate("document.activeElement.name") == "operator"
    phone.page.select_option("[name=operator]", "45204")
    card.locator(".warn").get_by_text("108").wait_for(state="detached")
    phone.accept(path.name)
    phone.reaches(path.name, "done")
    assert say(phone, "result_all", rows=108) in card.inner_text()


@ON_A_PHONE
@pytest.mark.browser
def test_a_survey_team_is_asked_for_and_never_assumed(phone: Phone, tmp_path: Path) -> None:
    path = crew_file(tmp_path, lines_of(phone, "who"), "who.csv")
    assert phone.page.locator("[name=source]:checked").count() == 0
    phone.choose(path)
    phone.shows_preview(path.name)
    card = phone.card(path.name)
    asked = card.get_by_text(say(phone, "missing_source"))
    asked.wait_for()
    card.get_by_role("button", name=say(phone, "missing_fill", field=say(phone, "field_source"))).click()
    assert phone.page.evaluate("document.activeElement.name") == "source"
    phone.page.get_by_label(say(phone, "source_drive_test"), exact=True).check()
    asked.wait_for(state="detached")
    phone.accept(path.name)
    phone.reaches(path.name, "done")
    told = get(f"{phone.address}/v1/deliveries").json()["deliveries"]
    assert next(one for one in told if one["file"] == path.name)["context"]["source"] == "drive_test"
    phone.reload()
    assert phone.page.locator("[name=source]:checked").get_attribute("value") == "drive_test"


@ON_A_PHONE
@pytest.mark.browser
def test_what_was_left_out_can_be_completed_afterwards(phone: Phone, tmp_path: Path) -> None:
    lines = [line.replace(",45204,", ",,") for line in lines_of(phone, "later")]
    path = crew_file(tmp_path, lines, "later.csv")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.accept(path.name)
    phone.reaches(path.name, "unused")
    card = phone.card(path.name)
    assert say(phone, "cure_operator_unknown") in card.inner_text()
    none = f"{say(phone, 'uncounted')} {say(phone, 'cure_operator_unknown')}"
    assert card.locator(".judged").inner_text() == none
    assert card.locator(".judged.good").count() == 0
    phone.page.select_option("[name=operator]", "45204")
    card.get_by_role("button", name=say(phone, "resend")).click()
    card.get_by_text(say(phone, "result_all", rows=108)).wait_for()
    assert say(phone, "result_effect_replaced") in card.inner_text()


@ON_A_PHONE
@pytest.mark.browser
def test_a_table_that_nobody_has_filled_in_is_no_success(phone: Phone, tmp_path: Path) -> None:
    path = tmp_path / "mau-do.csv"
    path.write_bytes(get(f"{phone.address}/guide/template.csv").content)
    phone.choose(path)
    phone.shows_preview(path.name)
    card = phone.card(path.name)
    assert say(phone, "no_rows") in card.inner_text()
    assert card.locator(".chip").inner_text() == say(phone, "phase_unused")
    assert card.get_by_role("button", name=say(phone, "confirm")).count() == 0
    (mine,) = [
        one for one in get(f"{phone.address}/v1/deliveries").json()["deliveries"] if one["file"] == path.name
    ]
    post(f"{phone.address}{mine['url']}/confirm", json={})  # as it is taken in where nobody says anything
    phone.reload()
    card = phone.card(path.name)
    note = card.locator(".judged")
    note.wait_for(state="attached")
    assert say(phone, "uncounted") in note.text_content() and say(phone, "no_rows") in note.text_content()


@pytest.mark.browser
def test_a_file_that_cannot_be_measurements_is_refused_with_the_cure(phone: Phone, tmp_path: Path) -> None:
    path = tmp_path / "towers.csv"
    path.write_text(f"a,b\n1,{phone.lang}\n")
    phone.choose(path)
    phone.shows_preview(path.name)
    card = phone.card(path.name)
    card.locator(".bad").wait_for()
    assert card.locator(".chip").inner_text() == say(phone, "phase_refused")
    assert say(phone, "preview_refused") in card.inner_text()
    assert say(phone, "preview_what_to_do") in card.inner_text()
    assert card.get_by_role("button", name=say(phone, "confirm")).count() == 0
    phone.page.on("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button", name=say(phone, "cancel")).click()
    card.wait_for(state="detached")
    told = get(f"{phone.address}/v1/deliveries").json()["deliveries"]
    field_phones.until(lambda: state_of(phone, told[0]["delivery_id"]) == "cancelled")
    phone.reload()
    assert phone.card(path.name).count() == 0


def state_of(phone: Phone, delivery_id: str) -> str:
    return str(get(f"{phone.address}/v1/deliveries/{delivery_id}").json()["state"])


@ON_A_DESK
@pytest.mark.browser
def test_several_files_and_one_of_them_twice(phone: Phone, tmp_path: Path) -> None:
    paths = [crew_file(tmp_path, lines_of(phone, f"many{n}"), f"many {n}.csv") for n in range(3)]
    phone.choose(*paths)
    for path in paths:
        phone.shows_preview(path.name)
    phone.page.get_by_role("button", name=say(phone, "confirm_all", n=3)).click()
    for path in paths:
        phone.reaches(path.name, "done")
    codes = {phone.card(path.name).locator(".code").inner_text() for path in paths}
    assert len(codes) == 3

    again = tmp_path / "another name.csv"
    again.write_bytes(paths[0].read_bytes())
    phone.choose(again)
    phone.shows_preview(again.name)
    known = say(phone, "known").split("{time}", maxsplit=1)[0]
    phone.card(again.name).get_by_text(known).wait_for()
    phone.accept(again.name)
    phone.reaches(again.name, "same")
    assert phone.card(again.name).locator(".code").inner_text() in codes


@ON_A_PHONE
@pytest.mark.browser
def test_an_upload_is_withdrawn_with_a_reason_found_by_its_code_and_restored(
    phone: Phone, tmp_path: Path
) -> None:
    path = crew_file(tmp_path, lines_of(phone, "withdrawn"), "withdrawn.csv")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.accept(path.name)
    phone.reaches(path.name, "done")
    card = phone.card(path.name)
    code = card.locator(".code").inner_text()
    card.get_by_role("button", name=say(phone, "withdraw"), exact=True).click()
    dialog = phone.page.locator("dialog[open]")
    dialog.get_by_role("button", name=say(phone, "withdraw_go"), exact=True).click()
    assert dialog.count() == 1  # not without a reason
    dialog.locator("textarea").fill("Đo nhầm xã <b>")
    dialog.get_by_role("button", name=say(phone, "withdraw_go"), exact=True).click()
    card.get_by_text("Đo nhầm xã <b>").wait_for()

    phone.page.fill("#code", code.lower().replace("-", " "))
    phone.page.press("#code", "Enter")
    found = phone.page.locator("#lookup-found .card")
    found.get_by_text("Đo nhầm xã <b>").wait_for()
    found.get_by_role("button", name=say(phone, "restore"), exact=True).click()
    found.get_by_role("button", name=say(phone, "withdraw"), exact=True).wait_for()
    phone.link_may_fail = True  # the browser notes the 404 of a code that nobody has
    phone.page.fill("#code", "PS-00000-00000")
    phone.page.press("#code", "Enter")
    phone.page.get_by_text(say(phone, "lookup_none", code="PS-00000-00000")).wait_for()


@ON_A_DESK
@pytest.mark.browser
def test_hostile_names_are_only_text(phone: Phone) -> None:
    contents = ["\n".join([HEADER, *lines_of(phone, f"x{n}")]).encode() for n in range(len(HOSTILE))]
    payloads = [
        {"name": name, "mimeType": "text/csv", "buffer": content}
        for name, content in zip(HOSTILE, contents, strict=True)
    ]
    phone.page.on("dialog", lambda dialog: phone.faults.append(dialog.message))
    phone.page.fill("[name=team]", HOSTILE[0])
    phone.page.set_input_files("#chooser", payloads)
    for name in HOSTILE:
        phone.shows_preview(name)
        phone.accept(name)
    for name in HOSTILE:
        phone.reaches(name, "done")
        assert phone.card(name).locator("h3").text_content() == name
        assert phone.card(name).locator("img, script, b b").count() == 0
        assert HOSTILE[0] in phone.card(name).locator(".receipt").inner_text()


@pytest.mark.browser
def test_the_keyboard_is_enough_and_targets_are_large(phone: Phone, tmp_path: Path) -> None:
    path = crew_file(tmp_path, lines_of(phone, "keys"), "keys.csv")
    phone.choose(path)
    phone.shows_preview(path.name)
    button = phone.card(path.name).get_by_role("button", name=say(phone, "confirm"))
    button.wait_for()
    small = phone.page.evaluate(
        """() => [...document.querySelectorAll('button, summary, select, input:not([type=file]), textarea, #home, #language, #drop')]
            .filter((one) => one.checkVisibility()).map((one) => [one.id || one.textContent, one.getBoundingClientRect().height])
            .filter(([, height]) => height < 44)"""
    )
    assert small == []
    unnamed = phone.page.evaluate(
        """() => [...document.querySelectorAll('input, select, textarea')]
            .filter((one) => !one.labels.length || !one.labels[0].textContent.trim()).map((one) => one.name || one.id)"""
    )
    assert unnamed == []
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for _ in range(80):
        phone.page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            break
    phone.page.keyboard.press("Enter")
    phone.reaches(path.name, "done")
    assert path.name in phone.page.locator("#spoken").inner_text()


@ON_A_PHONE
@pytest.mark.browser
def test_what_was_said_is_remembered_and_finished_files_move_to_the_list(
    phone: Phone, tmp_path: Path
) -> None:
    path = crew_file(tmp_path, lines_of(phone, "remembered"), "remembered.csv")
    phone.page.fill("[name=team]", "Đội 7")
    phone.page.locator("#rarely summary").click()
    phone.page.fill("[name=date]", "2026-10-09")
    phone.choose(path)
    phone.shows_preview(path.name)
    phone.accept(path.name)
    phone.reaches(path.name, "done")
    phone.reload()
    assert phone.page.input_value("[name=team]") == "Đội 7"
    assert phone.page.input_value("[name=date]") == ""  # another file, another day
    sent = phone.page.locator("#sent-list > li")
    assert sent.count() == 1
    sent.locator("summary").first.click()
    assert code_of(sha256_of(path)) in sent.inner_text()


def sha256_of(path: Path) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(path.read_bytes()).hexdigest()


@ON_A_PHONE
@pytest.mark.browser
def test_a_file_that_is_too_large_is_refused_at_the_door_with_the_cure(phone: Phone, tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_bytes(b"a,b\n" * 400_000)
    phone.link_may_fail = True  # the browser notes the 413
    phone.choose(path)
    phone.reaches(path.name, "stopped")
    assert ".zip" in phone.card(path.name).inner_text()
    phone.card(path.name).get_by_role("button", name=say(phone, "forget")).click()
    phone.card(path.name).wait_for(state="detached")
