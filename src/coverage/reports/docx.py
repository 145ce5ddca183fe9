"""Paper → DOCX, for those who go on writing in it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from docx import Document
from docx.document import Document as Written
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table as WrittenTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from coverage.reports.paper import BLANK, Annex, Dossier, Letterhead, Paper, Table

# Nghị định 30/2020/NĐ-CP, Phụ lục I: the typeface by name (it is on every office machine), sizes 13–14, margins in cm.
_TYPEFACE = "Times New Roman"
_TOP, _BOTTOM, _LEFT, _RIGHT = 2.0, 2.0, 3.0, 1.5
_A4 = (21.0, 29.7)
_PICTURE_CM = 14.0  # so that a gap stays on one page, also in a wider typeface


def to_docx(paper: Paper) -> bytes:
    """The paper as an Office Open XML document. Texts are put in as texts: nothing in them is taken for a field or markup."""
    document = Document()
    _lay_out(document)
    _head(document, paper)
    _body(document, paper)
    _sign(document, paper)
    for annex in paper.annexes:
        _annex(document, paper, annex)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _lay_out(document: Written) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = _TYPEFACE, Pt(13)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _TYPEFACE)
    style.paragraph_format.space_after, style.paragraph_format.line_spacing = Pt(0), 1.0
    section = document.sections[0]
    _set_page(section, wide=False)
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = ALIGN.CENTER
    _field(number, "PAGE")


def _set_page(section: Any, *, wide: bool) -> None:  # noqa: ANN401 - a section of the document
    width, height = reversed(_A4) if wide else _A4
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(width), Cm(height)
    section.top_margin, section.bottom_margin = Cm(_TOP), Cm(_BOTTOM)
    section.left_margin, section.right_margin = Cm(_TOP if wide else _LEFT), Cm(_RIGHT)


def _width_cm(*, wide: bool) -> float:
    return _A4[1] - _TOP - _RIGHT if wide else _A4[0] - _LEFT - _RIGHT


def _field(paragraph: Paragraph, name: str) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, name), ("end", None)):
        element = OxmlElement("w:instrText" if text else "w:fldChar")
        if text:
            element.text = text
        else:
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _head(document: Written, paper: Paper) -> None:
    head: Letterhead = paper.letterhead
    grid = _grid(document, (6.4, 10.1), 2)
    left, right = grid.rows[0].cells
    if head.parent:
        _say(left, head.parent, 12)
    _say(left, head.issuer or BLANK, 12, bold=True)
    _rule(left, 2.0)
    _say(right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 12, bold=True)
    _say(right, "Độc lập - Tự do - Hạnh phúc", 13, bold=True)
    _rule(right, 2.0)
    left, right = grid.rows[1].cells
    _say(left, f"Số: ……/{paper.code}", 13)
    if not paper.kind:
        _say(left, f"V/v {paper.subject}", 12)
    _say(right, f"{head.place or BLANK}, ngày … tháng … năm ……", 13, italic=True)


def _body(document: Written, paper: Paper) -> None:
    if paper.kind:
        _centred(document, paper.kind, 14, before=12)
        _centred(document, paper.subject, 14)
        _rule(document, 5.5)
    else:
        _centred(document, f"Kính gửi: {paper.addressee}", 13, bold=False, before=12)
    if paper.notice:
        _centred(document, paper.notice.strip(), 13, before=6)
    for text in paper.body:
        _paragraph(document, text)
    _table(document, paper.table, 11, wide=False)
    for text in paper.closing:
        _paragraph(document, text)
    _paragraph(document, f"({paper.basis}.)", size=11)


def _sign(document: Written, paper: Paper) -> None:
    left, right = _grid(document, (7.4, 9.1), 1).rows[0].cells
    _say(left, "Nơi nhận:", 12, bold=True, italic=True, align=ALIGN.LEFT)
    for one in paper.recipients:
        _say(left, f"- {one}", 11, align=ALIGN.LEFT)
    _say(right, paper.letterhead.signer or "THỦ TRƯỞNG CƠ QUAN", 13, bold=True)
    for _ in range(4):
        right.add_paragraph()


def _annex(document: Written, paper: Paper, annex: Annex) -> None:
    _set_page(document.add_section(WD_SECTION.NEW_PAGE), wide=annex.wide)
    document.sections[-1].different_first_page_header_footer = False
    _centred(document, annex.name, 14)
    _centred(document, annex.title, 14)
    what = "Báo cáo" if paper.kind else "Công văn"
    issuer = paper.letterhead.issuer or BLANK
    told = f"(Kèm theo {what} số ……/{paper.code} ngày … tháng … năm …… của {issuer})"
    _centred(document, told, 13, bold=False, italic=True)
    for table in annex.tables:
        _table(document, table, 9, wide=annex.wide)
    for place, dossier in enumerate(annex.dossiers):
        _dossier(document, dossier, new_page=place > 0)


def _dossier(document: Written, dossier: Dossier, *, new_page: bool) -> None:
    title = document.add_paragraph()
    title.paragraph_format.page_break_before = new_page
    title.paragraph_format.space_before = Pt(6)
    title.add_run(dossier.title).bold = True
    if dossier.picture is None:
        document.add_paragraph("Chưa biết vị trí của thôn nên không có bản đồ.")
    else:
        document.add_picture(BytesIO(dossier.picture), width=Cm(_PICTURE_CM))
        document.paragraphs[-1].alignment = ALIGN.CENTER
    facts = Table("", (), dossier.facts, (32, 68), texts=2)
    _table(document, facts, 10, wide=False, bold_first=True)
    _table(document, dossier.tests, 10, wide=False)
    for reason in dossier.reasons:
        _paragraph(document, reason, size=10, indent=False)


def _table(document: Written, table: Table, size: float, *, wide: bool, bold_first: bool = False) -> None:
    _table_title(document, table.title)
    whole = _width_cm(wide=wide) / sum(table.widths)
    above = [_spread(table.groups)] if table.groups else []
    heads = [*above, table.heads] if table.heads else []
    grid = document.add_table(rows=len(heads) + len(table.rows), cols=len(table.widths))
    grid.style, grid.autofit = "Table Grid", False
    lines = [list(row.cells) for row in grid.rows]
    for place, (cells, texts) in enumerate(zip(lines, [*heads, *table.rows], strict=True)):
        is_head, is_sum = place < len(heads), table.total and place == len(lines) - 1
        for column, (cell, text) in enumerate(zip(cells, texts, strict=True)):
            cell.width = Cm(whole * table.widths[column])
            align = ALIGN.CENTER if is_head else ALIGN.LEFT if column < table.texts else ALIGN.RIGHT
            _say(cell, text, size, bold=is_head or is_sum or (bold_first and column == 0), align=align)
    for column, share in zip(grid.columns, table.widths, strict=True):
        column.width = Cm(whole * share)
    _repeat(grid, len(heads))
    _merge(grid, table.groups)


def _table_title(document: Written, title: str) -> None:
    """A line before a table, only some points high where there is nothing to say: two tables would grow together."""
    line = document.add_paragraph()
    run = line.add_run(title)
    run.bold, run.font.size = True, Pt(11)
    if title:
        line.paragraph_format.space_before = Pt(6)
    else:
        line.paragraph_format.line_spacing = Pt(6)


def _spread(groups: Sequence[tuple[str, int]]) -> list[str]:
    return [text for name, span in groups for text in (name, *[""] * (span - 1))]


def _merge(grid: WrittenTable, groups: Sequence[tuple[str, int]]) -> None:
    start = 0
    for _, span in groups:
        if span > 1:
            cells = grid.rows[0].cells
            cells[start].merge(cells[start + span - 1])
            for empty in cells[start].paragraphs[1:]:
                empty._p.getparent().remove(empty._p)
        start += span


def _repeat(grid: WrittenTable, heads: int) -> None:
    """Rows are not torn over pages, and heads stand on each page."""
    for place, row in enumerate(grid.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if place < heads:
            properties.append(OxmlElement("w:tblHeader"))


def _grid(document: Written, widths_cm: tuple[float, ...], rows: int) -> WrittenTable:
    grid: WrittenTable = document.add_table(rows=rows, cols=len(widths_cm))
    grid.autofit = False
    for column, width in zip(grid.columns, widths_cm, strict=True):
        column.width = Cm(width)
    for row in grid.rows:
        for cell, width in zip(row.cells, widths_cm, strict=True):
            cell.width = Cm(width)
    return grid


def _say(
    cell: _Cell,
    text: str,
    size: float,
    *,
    bold: bool = False,
    italic: bool = False,
    align: ALIGN = ALIGN.CENTER,
) -> None:
    """One more line in the cell; the first goes where the cell's own empty line stands."""
    first = cell.paragraphs[0]
    line = first if len(cell.paragraphs) == 1 and not first.runs else cell.add_paragraph()
    line.alignment = align
    run = line.add_run(text)
    run.font.size, run.bold, run.italic = Pt(size), bold, italic


def _centred(
    document: Written, text: str, size: float, *, bold: bool = True, italic: bool = False, before: float = 0
) -> None:
    line = document.add_paragraph()
    line.alignment = ALIGN.CENTER
    line.paragraph_format.space_before = Pt(before)
    run = line.add_run(text)
    run.font.size, run.bold, run.italic = Pt(size), bold, italic


def _paragraph(document: Written, text: str, *, size: float = 13, indent: bool = True) -> None:
    line = document.add_paragraph()
    line.alignment = ALIGN.JUSTIFY
    line.paragraph_format.first_line_indent = Cm(1) if indent else None
    line.paragraph_format.space_before = Pt(6)
    line.add_run(text).font.size = Pt(size)


def _rule(where: Written | _Cell, indent_cm: float) -> None:
    """A thin line, so far from both sides."""
    line = where.add_paragraph()
    line.paragraph_format.left_indent = line.paragraph_format.right_indent = Cm(indent_cm)
    line.paragraph_format.line_spacing = Pt(6)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "auto")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    line._p.get_or_add_pPr().append(borders)
