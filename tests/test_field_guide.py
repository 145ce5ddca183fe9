"""The field guide: its numbers are the criteria's, both languages say the same, one sheet of A4, nothing is fetched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from measurements import rules
from test_cli import run

from coverage import cell_lists
from coverage.criteria import Criteria
from coverage.exports import field_guide
from coverage.exports.field_guide import APPS, Served, field_guide_html
from coverage.exports.measurement_template import template_csv, template_xlsx
from coverage.logs.filename import read as read_name
from coverage.logs.formats import FORMATS

LANGUAGES = ("vi", "en")
CHROMIUM = Path("/usr/bin/chromium")


class Outline(HTMLParser):
    """Sections and how many items each has; every address the page names; tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: dict[str, int] = {}
        self.addresses: list[str] = []
        self.language = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if tag == "html":
            self.language = told["lang"] or ""
        if tag == "section":
            self.sections[told["id"] or ""] = 0
        if tag in {"li", "tr", "p"} and self.sections:
            self.sections[list(self.sections)[-1]] += 1
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def changed(**parts: dict[str, object]) -> Criteria:
    told = rules().model_dump(mode="json")
    for name, values in parts.items():
        told[name] |= values
    return Criteria.model_validate(told)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("parts", "before", "after"),
    [
        ({"floors": {"devices": 7}}, "<b>2</b>", "<b>7</b>"),
        ({"floors": {"dates": 8}}, "<b>2</b>", "<b>8</b>"),
        ({"floors": {"hexes_res10": 9}}, "<b>2</b>", "<b>9</b>"),
        ({"floors": {"hours_apart": 36.0}}, "<b>12 ", "<b>36 "),
        ({"evidence": {"validity_months": 19}}, r"\b12 (?:tháng|months)", r"\b19 (?:tháng|months)"),
        ({"evidence": {"vehicle_loss_db": 13.0}}, r"\b10 dB", r"\b13 dB"),
        ({"evidence": {"vehicle_speed_mps": 10.0}}, r"\b25 km/h", r"\b36 km/h"),
        ({"clearing": {"devices": 6}}, r"2 (?:máy\.|phones\.)", r"6 (?:máy\.|phones\.)"),
        ({"village": {"neighbour_rings": 2}}, "(?:vòng|within) 200 m", "(?:vòng|within) 400 m"),
        ({"village": {"neighbour_rings": 0}}, "(?:vòng|within) 200 m", "ngay tại|right at"),
        (
            {"operators": {"in_scope": {"452": ["45204"]}, "names": {"45204": "Mạng <A>"}}},
            "MobiFone",
            "Mạng &lt;A&gt;",
        ),
    ],
    ids=lambda one: str(one)[:40],
)
def test_numbers_and_names_come_from_the_criteria(language, parts, before, after):
    usual, other = field_guide_html(rules(), language), field_guide_html(changed(**parts), language)
    assert re.search(before, usual)
    assert not re.search(after, usual)
    assert re.search(after, other)
    assert usual.count(rules().label) == 1


@pytest.mark.parametrize(
    ("names", "shown"), [({"45207": "Gmobile"}, "Gmobile"), ({}, "mọi nhà mạng có ở đó")]
)
def test_criteria_without_a_scope_still_give_a_guide_and_a_template(names, shown):
    criteria = changed(operators={"in_scope": {}, "names": names})
    assert f"Cần đo: {shown}." in field_guide_html(criteria, "vi")
    assert template_xlsx(criteria).startswith(b"PK")
    assert ";4G;-97;" in template_csv(criteria).decode()


def test_the_picture_is_only_there_for_as_many_spots_as_it_shows():
    assert field_guide_html(rules(), "vi").count("<circle") == 4
    assert "<svg" not in field_guide_html(changed(floors={"hexes_res10": 3}), "vi")


@pytest.mark.parametrize("language", LANGUAGES)
def test_thresholds_and_the_end_of_2g_come_from_the_criteria(language):
    told = rules().model_dump(mode="json") | {"gsm_is_coverage_until": "2027-01-31"}
    told["thresholds_dbm"]["headline"] = {"LTE": -111.5, "NR": None, "UMTS": -99.0, "GSM": -95.0}
    html = field_guide_html(Criteria.model_validate(told), language)
    assert "31/01/2027" in html
    comma = "," if language == "vi" else "."
    assert f"−111{comma}5 dBm (4G), −99 dBm (3G)" in html
    assert "(5G)," not in html


def test_both_languages_have_the_same_sections_with_as_many_items():
    vi, en = (Outline(field_guide_html(rules(), one)) for one in LANGUAGES)
    assert vi.sections == en.sections
    assert list(vi.sections) == [
        *("goal", "before", "enough", "operators", "apps", "site", "ride", "table", "name", "send", "never")
    ]
    assert min(vi.sections.values()) > 0
    assert (vi.language, en.language) == LANGUAGES
    assert not vi.open
    assert not en.open


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_fetched_and_no_number_is_left_open(language):
    html = field_guide_html(rules(), language, Served())
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<img|<link", html)
    assert not re.search(r"\{[a-z_]+\}", html.partition("<body>")[2])
    other = "en" if language == "vi" else "vi"
    assert Outline(html).addresses == [
        *(f"upload?lang={language}", "./", f"?lang={other}"),
        *("guide/template.xlsx", "guide/template.csv"),
    ]
    assert Outline(field_guide_html(rules(), language)).addresses == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_may_not_send_is_not_led_to_the_page_of_sendings(language):
    who = '<form class="who screen" method="post" action="/logout"><button>x</button></form>'
    html = field_guide_html(rules(), language, Served(who, may_send=False))
    assert Outline(html).addresses[0] == "./"
    assert who in html
    assert "form-action 'self'" in html
    assert "form-action 'none'" in field_guide_html(rules(), language)


def test_every_logger_named_is_one_that_is_read_or_refused():
    known = {one.name: one for one in FORMATS}
    for app in APPS:
        assert set(app.formats) <= set(known), app.name
        assert any(app.name.split(" Pro")[0] in known[one].title_en for one in app.formats), app.name
    lists = {one.name for one in cell_lists.LISTS} | set(cell_lists.HEADERS)
    assert set(field_guide._MASTS) <= lists


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_app_is_said_to_write_silence_as_its_formats_do(language):
    html = field_guide_html(rules(), language)
    yes, no = (("Có", "Không"), ("Yes", "No"))[language == "en"]
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td[^>]*>([^<]+)</td>', html))
    writes = {one.name: one.records_no_service for one in FORMATS}
    for app in APPS:
        assert rows[app.name] == (yes if any(writes[one] for one in app.formats) else no)
    assert {yes, no} <= set(rows.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_name_shown_is_one_that_is_understood(language):
    (name,) = re.findall(r'<code class="name">([^<]+)</code>', field_guide_html(rules(), language))
    said = read_name(name)
    assert (said.source, said.device, said.operator) == ("drive_test", "may1", "MobiFone")
    assert said.date is not None


def test_the_command_writes_by_suffix(tmp_path):
    for name, start in (("to.html", b"<!DOCTYPE"), ("mau.csv", b"\xef\xbb\xbf#"), ("mau.xlsx", b"PK")):
        done = run("guide", "-o", name, "--lang", "en", "-w", "w", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f'"file": "{name}"' in done.stdout
        assert (tmp_path / name).read_bytes().startswith(start)
    assert '<html lang="en">' in (tmp_path / "to.html").read_text(encoding="utf-8")
    assert "?lang" not in (tmp_path / "to.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["guide.pdf", "guide", "none/guide.html"])
def test_the_command_refuses_what_it_cannot_write(tmp_path, name):
    done = run("guide", "-o", name, "-w", "w", cwd=tmp_path)
    assert done.returncode == 2
    assert "Lỗi" in done.stderr
    assert not (tmp_path / name).exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is not installed: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with playwright() as started:
        opened = started.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("font", ["system-ui", "Noto Sans", "DejaVu Sans"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_on_both_sides_of_one_sheet(browser, language, font):
    page = browser.new_page()
    page.set_content(field_guide_html(rules(), language, Served()).replace("system-ui", f'"{font}"'))
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)}
    assert [tuple(round(side) for side in box) for box in boxes] == [(0, 0, 595, 842)]
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_it_fits_every_screen_and_asks_nothing_of_anybody(browser, tmp_path, width, scheme):
    path = tmp_path / "guide.html"
    path.write_text(field_guide_html(rules(), "vi", Served()), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda told: faults.append(told.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 26, 32)"
    assert dark == (scheme == "dark")
    assert page.locator(".switch").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".switch").is_visible()
    assert asked == [path.as_uri()]
    assert faults == []
    page.close()
