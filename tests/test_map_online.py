"""The planner's map as a service sends it, in a browser that reaches nothing else: ten questions answered by clicking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import field_phones
import pytest
import snapshots
from serving import Service, running

from coverage import tables
from coverage.archive import history
from coverage.archive import snapshots as kept
from coverage.exports.colours import CHANGE_INKS

pytestmark = pytest.mark.browser
VILLAGES = 60
DESK, PHONE = {"width": 1500, "height": 900}, {"width": 390, "height": 844}


def now_and_before() -> tuple[kept.Snapshot, kept.Snapshot]:
    """A snapshot, and one of two months before in which some villages had another status."""
    now = snapshots.snapshot(VILLAGES)
    verdicts = now.village_verdicts.copy()
    turned = {
        "trang_song": "phu_song",
        "phu_song": "trang_song",
        "chua_du_bang_chung": "chua_du_bang_chung",
    }
    some = verdicts["village_id"].str[1:].astype(int) % 3 == 0
    for name in ("status", "status_all_operators"):
        verdicts.loc[some, name] = verdicts[name].map(turned).fillna("chua_co_du_lieu")[some]
    info = replace(now.info, snapshot_id="s-000000000001", as_of="2026-09-01")
    now = replace(now, place_verdicts=at_places(now))
    return now, replace(now, info=info, village_verdicts=verdicts)


def at_places(now: kept.Snapshot) -> Any:
    """Of one village a centre and two clusters: what is said of them is what is said of some hexes."""
    some = now.hex_verdicts[now.hex_verdicts["operator"] == "45204"].head(3).drop(columns="hex")
    named = some.assign(
        place_id=["V0020/centre", "V0020/c/2", "V0020/c/Cụm Suối"],
        village_id="V0020",
        kind=["centre", "cluster", "cluster"],
    )
    return named[tables.PLACE_VERDICTS.names].reset_index(drop=True)


NOW, BEFORE = now_and_before()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    workspace = snapshots.workspace_with(tmp_path_factory.mktemp("online") / "workspace", BEFORE, NOW)
    with running(workspace.root, workers=0) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with field_phones.browser() as opened:
        yield opened


class Planner:
    """A page of the map, and everything that it should never have done."""

    def __init__(self, context: Any, service: Service) -> None:
        self.service = service
        self.faults: list[str] = []
        self.others: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(15000)
        self.page.route("**/*", self._refuse_others)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _refuse_others(self, route: Any) -> None:
        if route.request.url.startswith((self.service.address, "data:")):
            route.continue_()
            return
        self.others.append(route.request.url)
        route.abort()

    def open(self, address: str = "/") -> Planner:
        self.page.goto(f"{self.service.address}{address}")
        self.page.locator("html[data-ready=true]").wait_for(state="attached")
        return self

    def open_panel(self) -> None:
        switch = self.page.locator("#panel-switch")
        if switch.is_visible() and switch.get_attribute("aria-expanded") == "false":
            switch.click()

    def choose(self, operator: str) -> None:
        self.page.locator("#views label", has_text=operator).click()

    def table(self, **filters: str) -> list[list[str]]:
        """The rows of the table for those filters, as texts."""
        if self.page.locator("#twin").is_hidden():
            self.page.click("#show-table")
        for name, value in filters.items():
            self.page.select_option(f"#twin [name={name}]", value)
        rows = self.page.locator("#twin .rolls > table > tbody > tr").all()
        return [[cell.strip() for cell in row.locator(":scope > *").all_inner_texts()] for row in rows]

    def names(self, **filters: str) -> set[str]:
        return {" ".join(row[0].split()) for row in self.table(**filters)}

    def find(self, words: str) -> str:
        self.open_panel()
        self.page.fill("#query", words)
        self.page.locator("#found button").first.click()
        return self.popup()

    def popup(self) -> str:
        # One that was open before may still fade out: the newest is the last.
        shown = self.page.locator(".leaflet-popup-content").last
        shown.locator(".hex-evidence h4").wait_for()
        # What still fades in has another contrast, and no reader yet.
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.leaflet-popup')].every((one) => getComputedStyle(one).opacity === '1')"
        )
        return str(shown.inner_text())


@contextmanager
def planning(browser: Any, service: Service, size: dict[str, int] = DESK, **more: Any) -> Iterator[Planner]:
    context = browser.new_context(viewport=size, **more)
    planner = Planner(context, service)
    yield planner
    context.close()
    assert planner.faults == []
    assert planner.others == []


@pytest.fixture
def planner(browser: Any, service: Service) -> Iterator[Planner]:
    with planning(browser, service) as opened:
        yield opened.open()


def verdicts(operator: str = "45204") -> Any:
    rows = NOW.village_verdicts
    return rows[rows["operator"] == operator]


def shown_names(rows: Any) -> set[str]:
    """How a browser shows the names: runs of white space as one."""
    return {" ".join(name.split()) for name in rows["village_name"]}


def test_which_villages_of_a_commune_are_dead_for_an_operator(planner: Planner) -> None:
    planner.choose("Viettel")
    mine = verdicts()
    for status in ("trang_song", "lom_song"):
        wanted = mine[(mine["commune_name"] == "Xã Đạ Tông") & (mine["status"] == status)]
        assert planner.names(commune="Xã Đạ Tông", status=status) == shown_names(wanted)


def test_how_sure_since_when_what_settles_it_what_is_claimed_and_who_must_act(planner: Planner) -> None:
    row = next(verdicts()[verdicts()["list"] == "gaps"].iloc[2:].itertuples())
    planner.choose("Viettel")
    told = planner.find(row.village_id)
    first, last = (
        "/".join(reversed(str(day)[:10].split("-"))) for day in (row.first_test_utc, row.last_test_utc)
    )
    for part in (
        f"{row.tests} lần thử · {row.fails} không đạt · {row.devices} máy · {row.occasions} dịp",
        f"hạng {row.evidence_mix}",
        f"đo từ {first} đến {last}",
        row.what_would_change,
        row.reason,
        "Ai phải làm\n\nNhà mạng",
        "Bản đồ công bố\nnhà mạng " + ("công bố có" if row.claimed else "không công bố") + " phủ sóng ở đây",
    ):
        assert part in told, part


def test_which_are_dead_for_everyone(planner: Planner) -> None:
    alike = NOW.village_verdicts.drop_duplicates("village_id")
    dead = alike[alike["status_all_operators"] == "trang_song"]
    assert planner.names(status="trang_song") == shown_names(dead)
    assert len(dead) > 1


def test_what_nobody_has_measured(planner: Planner) -> None:
    alike = NOW.village_verdicts.drop_duplicates("village_id")
    assert planner.names(status="chua_co_du_lieu") == shown_names(
        alike[alike["status_all_operators"] == "chua_co_du_lieu"]
    )
    planner.page.click("#show-table")
    assert "Chưa đo" in planner.page.locator("#kind-classes").inner_text()


def test_which_have_no_power(planner: Planner) -> None:
    planner.choose("Viettel")
    mine = verdicts()
    assert planner.names(list="no_power") == shown_names(mine[mine["list"] == "no_power"])
    planner.page.click("#show-table")
    planner.page.select_option("#paint", "power")
    fills = planner.page.eval_on_selector_all(
        ".leaflet-villages-pane path", "paths => paths.map(p => p.getAttribute('fill'))"
    )
    grids = verdicts().set_index("village_id")["grid_status"]
    expected = {"national_grid": "#f2c230", "none": "#3f3a4d", "unknown": "url(#hatch)"}
    assert fills == [expected[grids[one]] for one in NOW.villages["village_id"]]


def test_what_changed_since_the_last_assessment(planner: Planner) -> None:
    planner.page.select_option("#before", BEFORE.info.snapshot_id)
    planner.page.wait_for_url("**/?snapshot=*before=*")
    planner.page.locator("html[data-ready=true]").wait_for(state="attached")
    then = BEFORE.village_verdicts.drop_duplicates("village_id").set_index("village_id")[
        "status_all_operators"
    ]
    now = NOW.village_verdicts.drop_duplicates("village_id").set_index("village_id")
    lost = now[(now["status_all_operators"] == "trang_song") & (then.loc[now.index] == "phu_song")]
    assert planner.page.locator("#swipe").is_visible()
    assert planner.names(change="newly_lost") == shown_names(lost)
    assert len(lost) > 0
    planner.page.click("#show-table")
    heading = planner.page.locator("#changes-found h3").first.inner_text()
    assert heading.split() == ["Mới", "mất", "sóng", str(len(lost))]
    planner.page.select_option("#paint", "change")
    fills = planner.page.eval_on_selector_all(
        ".leaflet-villages-pane path", "paths => paths.map(p => p.getAttribute('fill'))"
    )
    lost_colour = CHANGE_INKS["newly_lost"].colour
    assert [
        one for one, fill in zip(NOW.villages["village_id"], fills, strict=True) if fill == lost_colour
    ] == sorted(lost.index)
    planner.page.select_option("#kind", "change")
    assert planner.page.locator("#swipe").is_hidden()
    classes = planner.page.locator("#kind-classes")
    classes.get_by_text("Vẫn không có sóng").wait_for()


def test_a_click_on_a_hex_tells_its_evidence(planner: Planner) -> None:
    row = next(NOW.hex_verdicts[NOW.hex_verdicts["operator"] == "45204"].itertuples())
    from coverage import hexes  # noqa: PLC0415

    lat, lon = (float(part[0]) for part in hexes.middles(NOW.hex_verdicts["hex"].to_numpy()[:1]))
    x, y = planner.page.evaluate(
        """([lat, lon]) => { const map = phusong.layers.map; map.setView([lat, lon], 14, { animate: false });
            const at = map.latLngToContainerPoint([lat, lon]), box = map.getContainer().getBoundingClientRect();
            return [box.x + at.x, box.y + at.y]; }""",
        [lat, lon],
    )
    planner.page.mouse.click(x, y)
    told = planner.popup()
    assert hexes.text(int(NOW.hex_verdicts["hex"].iloc[0])) in told
    for part in (f"{row.tests} lần thử", f"{row.devices} máy", "4G", "P10", "số đo", "−105 dBm", "Viettel"):
        assert part in told, part


def test_each_settled_part_of_a_village_is_told_of(planner: Planner) -> None:
    planner.choose("Viettel")
    planner.find("V0020")
    planner.page.get_by_text("Từng cụm dân cư").click()
    table = planner.page.locator(".leaflet-popup-content table.homes")
    rows = [row.locator(":scope > *").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert {row[0].strip() for row in rows} == {"Trung tâm (nhà văn hoá)", "Cụm 2", "Cụm Cụm Suối"}
    judged = NOW.place_verdicts.set_index("place_id").loc["V0020/centre"]
    mine = next(row for row in rows if "Trung tâm" in row[0])
    assert f"{judged['fails']}/{judged['tests']} không đạt" in mine[1]
    assert mine[2].strip() == "Chưa đo"


def test_the_address_shows_another_the_same(planner: Planner, browser: Any, service: Service) -> None:
    planner.choose("MobiFone")
    planner.page.select_option("#kind", "age")
    planner.find("V0020")
    planner.page.click("#language")
    address = planner.page.url.removeprefix(service.address)
    with planning(browser, service) as other:
        other.open(address)
        assert other.page.evaluate("document.documentElement.lang") == "en"
        assert other.page.locator("#views input:checked").get_attribute("value") == "2"
        assert other.page.locator("#kind").input_value() == "age"
        assert "Buôn Đăng Gia 20" in other.popup()
        place = "[phusong.layers.map.getZoom(), phusong.layers.map.getCenter().lat.toFixed(3)]"
        assert other.page.evaluate(place) == planner.page.evaluate(place)


def test_tiles_are_drawn_and_follow_the_choice(planner: Planner) -> None:
    drawn = ".leaflet-hexes-pane img.leaflet-tile-loaded"
    planner.page.locator(drawn).first.wait_for()
    first = set(planner.page.eval_on_selector_all(drawn, "tiles => tiles.map(one => one.src)"))
    planner.choose("Viettel")
    planner.page.wait_for_function(
        "drawn => { const tiles = [...document.querySelectorAll(drawn)]; return tiles.length > 3 && tiles.every(one => one.src.includes('hexes-45204')); }",
        arg=drawn,
    )
    second = set(planner.page.eval_on_selector_all(drawn, "tiles => tiles.map(one => one.src)"))
    assert not first & second
    planner.page.select_option("#kind", "none")
    planner.page.wait_for_function("drawn => !document.querySelector(drawn)", arg=drawn)
    assert planner.page.locator("#legend-kind").is_hidden()


def test_the_lists_can_be_had_of_what_is_shown(planner: Planner) -> None:
    planner.choose("Viettel")
    link = planner.page.locator("[data-list='gaps.csv']")
    address = str(link.get_attribute("href"))
    assert address == f"/gaps.csv?snapshot={NOW.info.snapshot_id}&operator=45204"
    wanted = verdicts()[verdicts()["list"] == "gaps"]
    with planner.page.expect_download() as loaded:
        link.click()
    text = loaded.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) >= 1 + len(wanted)
    for one in wanted["village_id"]:
        assert f"{one}-45204" in text


def test_old_names_of_communes_lead_to_the_present_one(planner: Planner) -> None:
    planner.page.fill("#query", "lieng sronh")
    found = planner.page.locator("#found button").first
    assert "Xã Đạ Tông" in found.inner_text()
    assert "Xã Liêng Srônh" in found.inner_text()
    found.click()
    centre = planner.page.evaluate("[phusong.layers.map.getCenter().lng, phusong.layers.map.getCenter().lat]")
    west, south, east, north = NOW.communes.set_index("commune_name").geometry["Xã Đạ Tông"].bounds
    assert west < centre[0] < east
    assert south < centre[1] < north


def test_the_keyboard_does_what_the_mouse_does(planner: Planner) -> None:
    planner.page.locator("#show-table").focus()
    planner.page.keyboard.press("Enter")
    assert planner.page.evaluate("document.activeElement.id") == "twin"
    name = planner.page.locator("#twin tbody .go").first
    name.focus()
    planner.page.keyboard.press("Enter")
    assert name.get_attribute("aria-expanded") == "true"
    story = planner.page.locator("#twin .story")
    assert "Ai phải làm" in story.inner_text()
    story.get_by_text("Từng ô đã đo").wait_for()
    planner.page.keyboard.press("Escape")
    assert planner.page.locator("#twin").is_hidden()
    assert planner.page.evaluate("document.activeElement.id") == "show-table"


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_the_sheet_has_title_legend_scale_dates_and_rules(
    planner: Planner, paper: str, tmp_path: Path
) -> None:
    planner.page.evaluate("window.print = () => { window.printed = document.documentElement.className; }")
    planner.choose("Viettel")
    planner.page.click("#show-print")
    planner.page.fill("#sheet-number", "12/BC-STTTT")
    planner.page.locator(f"#paper [value={paper}]").check()
    planner.page.evaluate("phusong.layBack = () => {}")  # so that the sheet can be looked at
    planner.page.click("#paper button.main")
    planner.page.wait_for_function("() => window.printed === 'sheet'")
    sheet = planner.page.locator("#sheet").inner_text()
    for part in (
        "Bản đồ phủ sóng di động – Viettel – Kết luận",
        "12/BC-STTTT",
        "01/11/2026",
        NOW.info.criteria,
        NOW.info.snapshot_id,
        "Không có sóng dùng được",
        "DỮ LIỆU MÔ PHỎNG",
    ):
        assert part in sheet, part
    assert planner.page.locator(".leaflet-control-scale").is_visible()
    pdf = planner.page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.count(b"/Type /Page\n") == 1
    width, height = {"A4": (842, 595), "A3": (1191, 842)}[paper]
    box = next(line for line in pdf.split(b"/MediaBox ")[1:])[:40]
    sides = [round(float(side)) for side in box.strip(b"[]").split(b"]")[0].split()]
    assert abs(sides[2] - width) <= 1
    assert abs(sides[3] - height) <= 1


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(browser: Any, service: Service, size: dict[str, int], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    with planning(browser, service, size, color_scheme=scheme, bypass_csp=True) as planner:
        planner.open()
        assert planner.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        found = [serious(Axe().run(planner.page))]
        planner.page.click("#show-table")
        planner.page.locator("#twin tbody .go").first.click()
        found.append(serious(Axe().run(planner.page)))
        planner.page.click("#show-table")
        planner.open_panel()
        planner.find("V0020")
        found.append(serious(Axe().run(planner.page)))
        assert found == [[], [], []]


def serious(results: Any) -> list[str]:
    return [
        f"{one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}"
        for one in results.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


def test_a_newer_assessment_is_told_and_shown_without_a_restart(browser: Any, tmp_path: Path) -> None:
    workspace = snapshots.workspace_with(tmp_path / "workspace", BEFORE)
    with running(workspace.root, workers=0) as service, planning(browser, service) as planner:
        planner.page.add_init_script("window.setInterval = (act) => { window.look = act; };")
        planner.open()
        assert BEFORE.info.snapshot_id in planner.page.locator("#stamp").inner_text()
        kept.save(workspace.snapshots, NOW)
        history.publish(workspace, NOW.info, 0)
        planner.page.evaluate("window.look()")
        planner.page.locator("#newer a").click()
        planner.page.locator("html[data-ready=true]").wait_for(state="attached")
        assert NOW.info.snapshot_id in planner.page.locator("#stamp").inner_text()


def test_without_the_server_the_page_says_so(browser: Any, service: Service) -> None:
    with planning(browser, service) as planner:
        planner.page.route("**/map/data.json*", lambda route: route.fulfill(status=503))
        planner.page.goto(service.address)
        planner.page.locator("#waiting", has_text="Máy chủ trả lời 503.").wait_for()
        planner.faults = [fault for fault in planner.faults if "503" not in fault]
        planner.page.unroute("**/map/data.json*")
        planner.page.locator("#waiting button").click()
        planner.page.locator("html[data-ready=true]").wait_for(state="attached")
