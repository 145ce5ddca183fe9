"""The map in a browser with the network cut: it opens, draws, switches and runs no name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import snapshots

from coverage.exports.maps import map_html

pytestmark = pytest.mark.browser
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
VILLAGES = ".leaflet-villages-pane path"


class Opened:
    """A page opened from the disk, with everything it should never have done."""

    def __init__(self, context, path: Path) -> None:
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page = context.new_page()
        self.page.route("**/*", self._refuse_others)
        self.page.on(
            "console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.goto(path.as_uri())
        self.page.locator("html[data-ready=true]").wait_for(state="attached")

    def _refuse_others(self, route):
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def _dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def fills(self) -> list[str]:
        return self.page.eval_on_selector_all(VILLAGES, "paths => paths.map(p => p.getAttribute('fill'))")

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(map_html(snapshots.snapshot()), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=[(1600, 900), (390, 844)], ids=["desktop", "phone"])
def offline(request, tmp_path_factory) -> Iterator[object]:
    """A browser with a fresh profile and the network cut."""
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is not installed: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    width, height = request.param
    with playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=str(CHROMIUM),
            args=list(FLAGS),
            viewport={"width": width, "height": height},
        )
        context.set_offline(True)
        yield context
        context.close()


@pytest.fixture
def opened(offline, page_file) -> Iterator[Opened]:
    found = Opened(offline, page_file)
    yield found
    found.page.close()
    assert found.faults == []
    assert found.asked == []


def open_panel(opened: Opened) -> None:
    switch = opened.page.locator("#panel-switch")
    if switch.is_visible() and switch.get_attribute("aria-expanded") == "false":
        switch.click()


def choose(opened: Opened, number: int) -> None:
    opened.page.evaluate("n => document.querySelectorAll('#views input')[n].click()", number)


def find(opened: Opened, query: str) -> None:
    open_panel(opened)
    opened.page.fill("#query", query)
    opened.page.locator("#found button").first.click()


def test_everything_is_drawn(opened):
    assert opened.page.locator(VILLAGES).count() == 40
    assert opened.page.locator("img.leaflet-image-layer").count() == 1
    width = opened.page.eval_on_selector("img.leaflet-image-layer", "img => img.naturalWidth")
    assert width > 100
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_unmeasured_are_hatched_and_like_nothing_else(opened):
    statuses = opened.page.evaluate("phusong.villageLayers.map((_, i) => phusong.statusOf(i, 0))")
    fills = dict(zip(statuses, opened.fills(), strict=True))
    assert fills["chua_co_du_lieu"] == "url(#hatch)"
    assert fills["chua_du_bang_chung"] == "url(#dots)"
    assert len(set(fills.values())) == 5
    assert opened.page.locator("pattern#hatch").count() == 1


def test_an_operator_changes_fills_and_counts(opened):
    everyone, counted = opened.fills(), opened.page.locator("[data-status] b").all_text_contents()
    choose(opened, 2)
    assert opened.fills() != everyone
    assert opened.page.locator("[data-status] b").all_text_contents() != counted
    choose(opened, 0)
    assert opened.fills() == everyone


def test_the_legend_counts_what_the_tables_hold(opened):
    snapshot = snapshots.snapshot()
    verdicts = snapshot.village_verdicts
    for number, code in enumerate(snapshots.OPERATORS, start=1):
        choose(opened, number)
        mine = verdicts[verdicts["operator"] == code]
        measured = snapshot.hex_verdicts[snapshot.hex_verdicts["operator"] == code]
        assert shown(opened, "status") == mine["status"].value_counts().to_dict()
        assert shown(opened, "verdict") == measured["verdict"].value_counts().to_dict()
        assert opened.text("#headline-count .vi") == str((mine["list"] == "gaps").sum())
    choose(opened, 0)
    alike = verdicts.drop_duplicates("village_id")["status_all_operators"].value_counts().to_dict()
    assert shown(opened, "status") == alike


def shown(opened: Opened, kind: str) -> dict[str, int]:
    open_panel(opened)
    rows = opened.page.locator(f"[data-{kind}]").all()
    return {row.get_attribute(f"data-{kind}"): int(row.locator("b .vi").inner_text()) for row in rows}


def test_predictions_are_off_until_they_are_switched_on_and_follow_the_operator(opened):
    images = ".leaflet-predicted-pane img"
    choose(opened, 1)
    assert opened.page.locator(images).count() == 0
    opened.page.evaluate(
        """() => [...document.querySelectorAll('#overlays label')]
            .find((label) => label.textContent.includes('Dự đoán, chưa đo')).querySelector('input').click()"""
    )
    drawn = []
    for number, code in enumerate(snapshots.OPERATORS, start=1):
        choose(opened, number)
        assert opened.page.locator(images).count() == 1
        drawn.append(opened.page.locator(images).get_attribute("src"))
        predicted = snapshots.snapshot().predictions
        counted = predicted.loc[predicted["operator"] == code, "predicted_class"].value_counts().to_dict()
        assert {name: count for name, count in shown(opened, "predicted").items() if count} == counted
    assert len(set(drawn)) == 3
    choose(opened, 0)
    assert opened.page.locator(images).count() == 0


def test_dead_areas_follow_the_operator(opened):
    visible = "paths => paths.filter(p => p.getAttribute('stroke') !== 'none').length"
    counts = []
    for number in range(4):
        choose(opened, number)
        counts.append(opened.page.eval_on_selector_all(".leaflet-dead-pane path", visible))
    assert all(counts)
    assert counts[0] == sum(counts[1:])  # all operators: every area that some operator leaves dead


def test_a_click_on_a_village_tells_its_story(opened):
    centre = opened.page.evaluate(
        """() => { const map = phusong.layers.map, at = phusong.villageLayers[20].getBounds().getCenter();
                   map.setView(at, 14, {animate: false}); const p = map.latLngToContainerPoint(at);
                   const box = map.getContainer().getBoundingClientRect(); return [box.x + p.x, box.y + p.y] }"""
    )
    opened.page.mouse.click(*centre)
    popup = opened.text(".leaflet-popup-content")
    for part in (
        "Buôn Đăng Gia 20",
        "Xã Đam Rông 3",
        "Viettel",
        "Trắng sóng",
        "14 lần thử",
        "30/06/2026",
        "Nhà mạng",
    ):
        assert part in popup


def test_a_hostile_name_is_only_text(opened):
    for number, name in enumerate(snapshots.HOSTILE):
        opened.page.evaluate("n => phusong.show(n)", number)
        assert opened.page.locator(".leaflet-popup-content h3").last.evaluate("h => h.textContent") == name
        opened.page.locator(".leaflet-popup-content summary").last.click()
        assert opened.page.locator(".leaflet-popup :is(img, b, script)").count() == 0


def test_search_ignores_accents(opened):
    find(opened, "dak ro mang")
    assert opened.text(".leaflet-popup-content h3").startswith("Đắk Rơ Măng")


def test_the_language_switch_turns_everything(opened):
    find(opened, "V0020")
    assert "Ai phải làm" in opened.text(".leaflet-popup-content")
    open_panel(opened)
    opened.page.click("#language")
    assert opened.page.evaluate("document.documentElement.lang") == "en"
    assert "Who must act" in opened.text(".leaflet-popup-content")
    assert "Not measured" in opened.text("#panel-body")
    labels = opened.page.locator("#views label").all_text_contents()
    assert "All operators" in labels[0]
    assert "Chưa đo" not in opened.text("#panel-body")


def test_the_keyboard_reaches_the_first_gap(opened):
    open_panel(opened)
    opened.page.locator("#first button").first.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator(".leaflet-popup-content h3").count() == 1


def test_the_title_says_what_is_shown(opened):
    title = opened.text("#title")
    for part in ("Phủ Sóng", "01/11/2026", "vietnam-2026@0123456789ab", "s-0123456789ab"):
        assert part in title
    assert "SIMULATED DATA" in opened.text("#simulated")


def test_nobody_is_kept_out(opened):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    for act in (lambda: None, lambda: opened.page.click("#show-table"), lambda: find(opened, "V0020")):
        act()
        opened.page.wait_for_timeout(400)  # a popup that still fades in has no contrast yet
        # The page lets no script in but its own: the checker is put in past that.
        opened.page.evaluate(Axe().axe_script)
        found = opened.page.evaluate("() => axe.run()")
        serious = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_the_table_tells_what_the_map_does(opened):
    opened.page.click("#show-table")
    rows = opened.page.locator("#twin .rolls tbody tr")
    assert rows.count() == 40
    opened.page.select_option("#twin [name=status]", "trang_song")
    verdicts = snapshots.snapshot().village_verdicts.drop_duplicates("village_id")
    assert rows.count() == (verdicts["status_all_operators"] == "trang_song").sum()
    opened.page.locator("#twin tbody .go").first.click()
    assert "Ai phải làm" in opened.text("#twin .story")
    opened.page.keyboard.press("Escape")
    assert opened.page.locator("#twin").is_hidden()
