"""Official papers: their numbers by an independent sum, their pages as they are read, and hostile texts in both files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from conftest import examples
from docx import Document
from hypothesis import strategies as st
from PIL import Image
from snapshots import HOSTILE, folder_with, snapshot
from test_cli import run

from coverage import tables
from coverage.archive.snapshots import Snapshot, of_operator
from coverage.exports import lists
from coverage.exports.colours import VERDICT_COLOURS, rgb
from coverage.exports.words import WORDS
from coverage.reports.docx import to_docx
from coverage.reports.figures import POWERS, crossed, village_table
from coverage.reports.paper import BLANK, Letterhead, Paper
from coverage.reports.papers import gap_rows, paper
from coverage.reports.pdf import to_pdf
from coverage.reports.pictures import Kind, pictures
from coverage.reports.writing import NOT_KNOWN, day, number, share, text, yes_no

HEAD = Letterhead(
    "ỦY BAN NHÂN DÂN TỈNH LÂM ĐỒNG", "SỞ KHOA HỌC VÀ CÔNG NGHỆ", "SKHCN", "Lâm Đồng", "GIÁM ĐỐC"
)
POWER_WORDS = {
    "Có điện lưới": "electrified",
    "Chưa có điện lưới": "not_electrified",
    "Chưa rõ điện": "power_unknown",
}


def with_places(shown: Snapshot) -> Snapshot:
    """The snapshot with a centre and a cluster under every village and operator."""
    rows = []
    for row in shown.village_verdicts.to_dict(orient="records"):
        for kind, place in (("cluster", "/c/c1"), ("centre", "/centre")):
            common = {name: row[name] for name in tables.PLACE_VERDICTS.names if name in row}
            rows.append(
                common
                | {"place_id": row["village_id"] + place, "kind": kind, "verdict": row["centre_verdict"]}
                | {"dates": 3, "fail_devices": 1, "fail_dates": 1, "fail_hexes": 1, "effective_fails": 1.0}
            )
    frame = pd.DataFrame(rows).reindex(columns=list(tables.PLACE_VERDICTS.names))
    return replace(shown, place_verdicts=frame)


SHOWN = with_places(snapshot(40))


def written(shown: Snapshot, head: Letterhead = HEAD, kind: Kind = "pdf", *, letter: bool = False) -> Paper:
    return paper(shown, head, pictures(shown, gap_rows(shown), kind), letter=letter)


@pytest.fixture(scope="module")
def province() -> Paper:
    return written(SHOWN)


@pytest.fixture(scope="module")
def document() -> Any:
    return Document(BytesIO(to_docx(written(SHOWN, kind="png"))))


@pytest.fixture(scope="module")
def pages(province: Paper) -> list[str]:
    """The text of each page of the PDF, its white space made equal."""
    found = pdfium.PdfDocument(to_pdf(province))
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in found]


def geojson(shown: Snapshot, what: str) -> list[dict[str, Any]]:
    """The properties of a list as the province downloads it."""
    return [
        one["properties"]
        for one in json.loads(lists.to_bytes(lists.select(shown, what), "geojson"))["features"]
    ]


def grid(document: Any, head: str) -> list[list[str]]:
    """The table of the document of which a cell in the first two rows says `head`."""
    for table in document.tables:
        cells = [[cell.text for cell in row.cells] for row in table.rows]
        if any(head in line for line in cells[:2]):
            return cells
    raise AssertionError(head)


def whole(written: str) -> int:
    return int(written.replace(".", ""))


def test_gaps_stand_in_the_list_as_they_are_downloaded(document: Any) -> None:
    gaps = geojson(SHOWN, "gaps")
    lines = grid(document, "TT")[1:]
    assert [line[0] for line in lines] == [str(place) for place in range(1, len(gaps) + 1)]
    for line, gap in zip(lines, gaps, strict=True):
        assert line[3] == gap["operator_name"]
        assert line[4] == WORDS[gap["status"]][0]
        affected = gap["population_affected"]
        assert line[9] == (NOT_KNOWN if affected is None else number(affected))
        assert line[10] == f"{gap['tests']} ({gap['fails']})"


def test_sums_by_operator_are_those_of_the_list(document: Any) -> None:
    gaps = geojson(SHOWN, "gaps")
    lines = {line[0]: line[1:] for line in grid(document, "Vùng lõm")[1:]}
    assert set(lines) == set(SHOWN.info.operators.values())
    for name, cells in lines.items():
        mine = [gap for gap in gaps if gap["operator_name"] == name]
        assert whole(cells[0]) == len(mine)
        assert whole(cells[1]) == len({gap["village_id"] for gap in mine if gap["not_spot"] == "total"})
        assert whole(cells[2]) == len({gap["village_id"] for gap in mine if gap["especially_difficult"]})
        assert whole(cells[4]) == round(sum(gap["population_affected"] or 0 for gap in mine))
        assert whole(cells[5]) == sum(gap["claimed"] is True for gap in mine)


def independent(shown: Snapshot) -> Counter[tuple[str, str, str, bool]]:
    """Villages by commune, power, status and difficulty, counted in plain Python from the lists that are downloaded."""
    villages: dict[str, dict[str, Any]] = {}
    for row in geojson(shown, "villages"):
        villages.setdefault(row["village_id"], row)
    power = dict.fromkeys(villages, "")
    for what, kind in (
        ("no_power", "not_electrified"),
        ("verify_power", "power_unknown"),
        ("gaps", "electrified"),
    ):
        power |= {row["village_id"]: kind for row in geojson(shown, what)}
    by_grid = {"national_grid": "electrified", "none": "not_electrified", "off_grid": "not_electrified"}
    return Counter(
        (
            row["commune_name"],
            power[village] or by_grid.get(row["grid_status"], "power_unknown"),
            row["status_all_operators"],
            row["especially_difficult"] is True,
        )
        for village, row in villages.items()
    )


def test_villages_are_counted_by_commune_power_status_and_difficulty(document: Any) -> None:
    lines = grid(document, "Xã, phường")
    counted = independent(SHOWN)
    told = lines[2:-1]
    assert {(line[0], POWER_WORDS[line[1]]) for line in told} == {key[:2] for key in counted}
    for line in told:
        here = {key: count for key, count in counted.items() if key[:2] == (line[0], POWER_WORDS[line[1]])}
        for place, status in enumerate(tables.STATUSES):
            both = [count for key, count in here.items() if key[2] == status]
            hard = [count for key, count in here.items() if key[2] == status and key[3]]
            assert [whole(cell) for cell in line[2 + 2 * place : 4 + 2 * place]] == [sum(both), sum(hard)]
        assert whole(line[-2]) == sum(here.values())
    assert whole(lines[-1][-2]) == len(SHOWN.villages)


def test_the_table_of_the_area_is_the_sum_of_the_communes(document: Any) -> None:
    area = next(
        cells
        for cells in ([[cell.text for cell in row.cells] for row in table.rows] for table in document.tables)
        if len(cells) > 1 and cells[1][0] == "Tình trạng điện"
    )
    by_commune = grid(document, "Xã, phường")
    assert [POWER_WORDS[line[0]] for line in area[2:-1]] == list(POWERS)
    for line in area[2:-1]:
        parts = [[whole(cell) for cell in row[2:]] for row in by_commune[2:-1] if row[1] == line[0]]
        assert [whole(cell) for cell in line[1:]] == [sum(column) for column in zip(*parts, strict=True)]
    assert area[-1][1:] == by_commune[-1][2:]


@examples(25, 400, st.lists(st.sampled_from([*tables.LISTS, None]), min_size=5, max_size=5))
def test_every_village_is_counted_once_whatever_lists_it_is_in(chosen: list[str | None]) -> None:
    rows = SHOWN.village_verdicts.copy()
    rows["list"] = [chosen[place % len(chosen)] for place in range(len(rows))]
    told = village_table(replace(SHOWN, village_verdicts=rows))
    assert sorted(told["village_id"]) == sorted(SHOWN.villages["village_id"])
    table = crossed(told, ["commune_name", "power"])
    assert table["any", "all"].sum() == len(SHOWN.villages)
    assert (table["any", "difficult"] <= table["any", "all"]).all()
    in_gaps = set(rows.loc[rows["list"] == "gaps", "village_id"])
    assert set(told.loc[told["village_id"].isin(in_gaps), "power"]) <= {"electrified"}


def test_a_village_without_any_verdict_is_not_measured_and_its_power_not_known() -> None:
    rows = SHOWN.village_verdicts
    told = village_table(replace(SHOWN, village_verdicts=rows[rows["village_id"] != "V0003"])).set_index(
        "village_id"
    )
    assert tuple(told.loc["V0003", ["status", "power", "difficult"]]) == (
        "chua_co_du_lieu",
        "power_unknown",
        False,
    )


def test_the_head_has_the_form_of_an_official_paper(pages: list[str]) -> None:
    first = pages[0]
    for said in (
        HEAD.parent,
        HEAD.issuer,
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
    ):
        assert said in first
    assert "Số: ……/BC-SKHCN" in first
    assert "Lâm Đồng, ngày … tháng … năm ……" in first
    assert "Nơi nhận:" in first
    assert "GIÁM ĐỐC" in first
    assert not first.startswith("1 ")  # the first page has no number
    assert pages[1].startswith("2 ")


def test_each_gap_has_a_page_and_simulated_data_is_named_on_all(pages: list[str], province: Paper) -> None:
    titles = [" ".join(one.title.split()) for one in province.annexes[-1].dossiers]
    assert len(titles) == len(geojson(SHOWN, "gaps")) > 10
    last = pages[-len(titles) :]
    for title, page in zip(titles, last, strict=True):
        assert title in page
    assert all("SỐ LIỆU MÔ PHỎNG" in page for page in pages)
    real = to_pdf(written(with_places(snapshot(30, simulated=False))))
    assert "MÔ PHỎNG" not in "".join(
        page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(real)
    )


def test_a_dossier_says_what_the_gap_list_says(province: Paper) -> None:
    for dossier, gap in zip(province.annexes[-1].dossiers, geojson(SHOWN, "gaps"), strict=True):
        facts = dict(dossier.facts)
        assert facts["Mã vùng lõm"] == gap["gap_id"]
        assert facts["Bằng chứng"].startswith(
            f"{gap['tests']} lần đo, {gap['fails']} không đạt; {gap['devices']} máy"
        )
        assert ("bị địa hình che" in facts["Trạm gần nhất"]) == (gap["site_terrain_blocks"] is True)
        assert (facts["Trạm gần nhất"] == NOT_KNOWN) == (gap["site_id"] is None)
        assert [line[0] for line in dossier.tests.rows] == ["Trung tâm (nhà văn hoá)", "Cụm c1"]
        assert " ".join(gap["reason"].split()) == " ".join(dossier.reasons[0].split())


def test_every_letter_of_the_pdf_is_drawn_by_a_typeface_inside(province: Paper) -> None:
    found = pdfium.PdfDocument(to_pdf(province))
    fonts = [
        pdfium_c.FPDFTextObj_GetFont(one.raw)
        for page in (found[0], found[1], found[len(found) - 1])
        for one in page.get_objects(max_depth=4)
        if one.type == pdfium_c.FPDF_PAGEOBJ_TEXT
    ]
    assert len(fonts) > 30
    assert all(pdfium_c.FPDFFont_GetIsEmbedded(font) == 1 for font in fonts)


def test_pages_have_the_sizes_and_margins_of_the_decree(province: Paper, document: Any) -> None:
    found = pdfium.PdfDocument(to_pdf(province))
    millimetres = [tuple(round(side * 25.4 / 72) for side in page.get_size()) for page in found]
    assert millimetres[0] == millimetres[-1] == (210, 297)
    assert millimetres[1] == (297, 210)
    section = document.sections[0]
    sides = [
        section.page_width,
        section.page_height,
        section.top_margin,
        section.left_margin,
        section.right_margin,
    ]
    assert [round(side.mm) for side in sides] == [210, 297, 20, 30, 15]
    assert document.styles["Normal"].font.name == "Times New Roman"


def test_hostile_texts_are_texts_in_both_files(document: Any, province: Paper) -> None:
    titles = " ".join(one.title for one in province.annexes[-1].dossiers)
    hostile = [name for name in HOSTILE if text(name) in titles]
    assert len(hostile) >= 2
    told = " ".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(to_pdf(province)))
    body = " ".join(one.text for one in document.paragraphs)
    for name in hostile:
        assert text(name).split()[0] in told
        assert text(name) in body
    fields = document.element.body.xpath(".//w:instrText")
    assert fields == []
    assert document.sections[0].header._element.xpath(".//w:instrText")[0].text == "PAGE"


@pytest.mark.parametrize(
    "name", ["a\x00b", "\x0b\x1f", '#image("/etc/passwd")', "$x^2$", "]#[", "\ud7ff\ufffe", "  "]
)
def test_any_name_can_be_written(name: str) -> None:
    shown = with_places(snapshot(30))
    first = gap_rows(shown).iloc[0]["village_id"]
    for table in (shown.village_verdicts, shown.villages):
        table.loc[table["village_id"] == first, "village_name"] = name
    made = paper(shown, HEAD, [None] * len(gap_rows(shown)))
    assert made.annexes[1].tables[0].rows[0][1] == text(name)
    assert Document(BytesIO(to_docx(made))).tables
    assert len(pdfium.PdfDocument(to_pdf(made))) > 3


def test_a_letter_tells_an_operator_of_its_own_network_only() -> None:
    own = of_operator(SHOWN, "45204")
    made = written(own, letter=True)
    assert (made.kind, made.addressee) == ("", "Viettel")
    letter = Document(BytesIO(to_docx(written(own, kind="png", letter=True))))
    said = [one.text for one in letter.paragraphs] + [
        cell.text for table in letter.tables for row in table.rows for cell in row.cells
    ]
    assert "Kính gửi: Viettel" in said
    assert not any(name in one for one in said for name in ("MobiFone", "45201"))
    gaps = [gap for gap in geojson(SHOWN, "gaps") if gap["operator"] == "45204"]
    assert [dict(one.facts)["Mã vùng lõm"] for one in made.annexes[-1].dossiers] == [
        gap["gap_id"] for gap in gaps
    ]
    counted = Counter(row["status"] for row in geojson(own, "villages"))
    sum_line = grid(letter, "Xã, phường")[-1]
    assert [whole(cell) for cell in sum_line[2:12:2]] == [counted[status] for status in tables.STATUSES]


@pytest.mark.parametrize("code", list(SHOWN.info.operators))  # the last one is out of scope
def test_a_letter_says_how_many_villages_are_decided_for_its_operator(code: str) -> None:
    own = of_operator(SHOWN, code)
    decided = sum(row["status"] in {*tables.DEAD_STATUSES, "phu_song"} for row in geojson(own, "villages"))
    made = paper(own, HEAD, [None] * len(gap_rows(own)), letter=True)
    assert f"Đã kết luận được {decided} thôn, đạt {share(decided, len(own.villages))}" in made.body[1]


def test_nothing_is_invented_where_nobody_told_who_writes() -> None:
    made = written(of_operator(with_places(snapshot(30)), "45204"), Letterhead(), letter=True)
    first = pdfium.PdfDocument(to_pdf(made))[0].get_textpage().get_text_bounded()
    assert first.count(BLANK) >= 2
    assert "SỞ" not in first


def test_an_area_of_one_operator_has_a_report_too() -> None:
    own = of_operator(SHOWN, "45204")
    made = paper(own, HEAD, [None] * len(gap_rows(own)))
    assert (made.kind, made.addressee) == ("BÁO CÁO", "")


def test_a_paper_without_gaps_says_so() -> None:
    rows = SHOWN.village_verdicts.assign(list=None)
    made = written(replace(SHOWN, village_verdicts=rows))
    assert made.closing[1] == "4. Không có vùng lõm nào phải xử lý."
    assert made.annexes[-1].dossiers == ()
    assert len(pdfium.PdfDocument(to_pdf(made))) == 4
    assert Document(BytesIO(to_docx(made))).tables
    own = of_operator(replace(SHOWN, village_verdicts=rows), "45204")
    assert paper(own, HEAD, [], letter=True).closing[1] == made.closing[1]  # nobody is asked to mend anything


def test_a_picture_shows_the_dead_hexes_of_its_operator() -> None:
    gaps = gap_rows(SHOWN)
    dead = SHOWN.hex_verdicts.query("verdict == 'dead_zone'")
    drawn = Image.open(BytesIO(next(pictures(SHOWN, gaps, "png")) or b"")).convert("RGB")
    other = replace(SHOWN, hex_verdicts=SHOWN.hex_verdicts.drop(dead.index))
    without = Image.open(BytesIO(next(pictures(other, gaps, "png")) or b"")).convert("RGB")
    ink = tuple(round(0.55 * part + 0.45 * 255) for part in rgb(VERDICT_COLOURS["dead_zone"]))

    def inked(image: Image.Image) -> int:
        return sum(
            count
            for count, colour in image.getcolors(2**24) or []
            if max(abs(a - b) for a, b in zip(colour, ink, strict=True)) <= 4
        )

    assert drawn.size == (945, 585)
    assert inked(drawn) > 1000
    assert inked(without) < 50  # blended edges of other lines


def test_a_village_nobody_can_place_has_no_picture_but_a_page() -> None:
    shown = with_places(snapshot(30))
    first = gap_rows(shown).iloc[0]["village_id"]
    villages = shown.villages.copy()
    mine = villages["village_id"] == first
    villages.loc[mine, ["centre_lat", "centre_lon"]] = None
    villages.loc[mine, "geometry"] = None
    areas = shown.dead_areas[shown.dead_areas["village_id"] != first]
    made = written(replace(shown, villages=villages, dead_areas=areas))
    assert made.annexes[-1].dossiers[0].picture is None
    assert dict(made.annexes[-1].dossiers[0].facts)["Trung tâm thôn"] == NOT_KNOWN
    assert len(pdfium.PdfDocument(to_pdf(made))) > 3


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        *[
            (0, 0, "0"),
            (999, 0, "999"),
            (1000, 0, "1.000"),
            (1234567.8, 1, "1.234.567,8"),
            (-119.04, 1, "-119,0"),
        ],
        *[(float("nan"), 0, NOT_KNOWN), (None, 2, NOT_KNOWN), (pd.NA, 0, NOT_KNOWN)],
    ],
)
def test_numbers_are_written_as_in_vietnam(value: Any, digits: int, told: str) -> None:
    assert number(value, digits) == told


def test_other_values_are_written_or_said_to_be_not_known() -> None:
    assert (share(1, 3), share(0, 0), share(3, 3)) == ("33,3%", "–", "100,0%")
    assert (day("2026-11-01"), day(None), day(pd.NaT)) == ("01/11/2026", NOT_KNOWN, NOT_KNOWN)
    assert (yes_no(True), yes_no(False), yes_no(None), yes_no(pd.NA)) == ("Có", "Không", NOT_KNOWN, NOT_KNOWN)
    assert (text(None), text(""), text("Đạ K'Nàng")) == (NOT_KNOWN, NOT_KNOWN, "Đạ K'Nàng")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with(SHOWN, tmp_path_factory.mktemp("report"))


@pytest.mark.parametrize(("name", "operator"), [("a.pdf", None), ("b.DOCX", "viettel"), ("c.pdf", "45201")])
def test_the_command_writes_both_kinds(folder: Path, name: str, operator: str | None) -> None:
    asked = ("--operator", operator) if operator else ()
    done = run("report", "-o", name, *asked, "--issuer", "SỞ X", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    code = {"viettel": "45204"}.get(operator or "", operator)
    gaps = [gap for gap in geojson(SHOWN, "gaps") if code in (None, gap["operator"])]
    assert json.loads(done.stdout) == {"file": name, "gaps": len(gaps)}
    assert (folder / name).read_bytes()[:2] in {b"%P", b"PK"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "a.odt"), ".docx"),
        (("-o", "a.xlsx"), "export all"),
        (("-o", "nowhere/a.pdf"), "nowhere"),
        (("-o", "a2.pdf", "--operator", "Beeline"), "Viettel"),
    ],
)
def test_what_cannot_be_written_is_said(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    done = run("report", *arguments, cwd=folder)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (folder / "a2.pdf").exists()
