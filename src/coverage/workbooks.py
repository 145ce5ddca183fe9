"""Workbooks (.xlsx, .xls) → the text of each sheet that holds a table: as TAB lines, or as a grid of cells."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from coverage.errors import FileRefused

OLD = b"\xd0\xcf\x11\xe0"  # the binary workbook of before 2007
# A sheet is laid out up to its furthest cell, whether filled or not: thirty columns of a million rows.
MAX_CELLS = 32_000_000
CHUNK_BYTES = 1024 * 1024
# The first cell of the sheet that explains a template of ours: it holds no data of anybody's and is passed over.
GUIDE_MARK = "PHỦ SÓNG: HƯỚNG DẪN"
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,12})(\d{1,12})["']""")
_REFERENCE_BYTES = 64
_DAMAGED = (CalamineError, ValueError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError)
_Value = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
_BREAKS = str.maketrans("\t\r\n", "   ")


def sheets(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The name of each visible sheet with more than one row, and how its text is opened.

    A row of the sheet is a line of the text, so that line numbers are those a person sees. The name is empty
    where the workbook has one such sheet. Raises `FileRefused` for a workbook that is damaged, locked or empty.
    """
    for name, sheet in _named(path):
        yield name, partial(_text, sheet)


def grids(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """The same sheets as rows of cells: row 1 of the sheet first, the columns from the first that holds anything.

    Words merged over several rows stand in each of them, in the first column; a number is not repeated, for it
    may be a sum. Refusals as `sheets`.
    """
    for name, sheet in _named(path):
        rows = [list(row) for row in sheet.iter_rows()]
        _fill_down(rows, sheet)
        yield name, [[_cell(cell).strip() for cell in row] for row in rows]


def _fill_down(rows: list[list[_Value]], sheet: CalamineSheet) -> None:
    first_column = (sheet.start or (0, 0))[1]
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or []:
        column = left - first_column
        if top < len(rows) and 0 <= column < len(rows[top]) and isinstance(rows[top][column], str):
            for row in rows[top + 1 : bottom + 1]:
                row[column] = rows[top][column]


def _named(path: Path) -> Iterator[tuple[str, CalamineSheet]]:
    try:
        _refuse_far_cells(path)
        filled = _filled(path)
    except BaseException as fault:
        # Where the reader gives up altogether (a panic of Rust's) it raises what is no Exception.
        if not isinstance(fault, _DAMAGED) and type(fault).__name__ != "PanicException":
            raise
        raise FileRefused(
            f"{path.name}: không mở được sổ Excel ({fault}). Hãy bỏ mật khẩu hoặc lưu lại thành .xlsx hay CSV.",
            f"{path.name}: the workbook cannot be opened ({fault}). Remove its password, or save it as .xlsx or CSV.",
        ) from fault
    if not filled:
        raise FileRefused(
            f"{path.name}: sổ Excel không có trang nào có dữ liệu.", f"{path.name}: the workbook is empty."
        )
    for sheet in filled:
        yield sheet.name if len(filled) > 1 else "", sheet


def _filled(path: Path) -> list[CalamineSheet]:
    """The visible sheets that hold anything, without the one that explains a template of ours."""
    book = CalamineWorkbook.from_path(path)
    shown = {
        one.name
        for one in book.sheets_metadata
        if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
    }
    sheets = (book.get_sheet_by_name(name) for name in book.sheet_names if name in shown)
    return [sheet for sheet in sheets if sheet.height and not _explains(sheet)]


def _explains(sheet: CalamineSheet) -> bool:
    return sheet.to_python(nrows=1)[0][0] == GUIDE_MARK


def _refuse_far_cells(path: Path) -> None:
    """Refuses a workbook with a cell so far away that its sheet would not fit in memory."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if name.endswith(".xml") and _area(book, name) > MAX_CELLS:
                raise FileRefused(
                    f"{path.name}: trang tính quá rộng, có ô ở rất xa dữ liệu. Hãy xoá các ô thừa hoặc lưu thành CSV.",
                    f"{path.name}: the sheet is too wide, a cell stands far away from the data. "
                    "Delete the stray cells, or save it as CSV.",
                )


def _area(book: zipfile.ZipFile, name: str) -> int:
    """Rows times columns up to the furthest cell that the part of the workbook names."""
    columns, rows = {b"A"}, {b"1"}
    with book.open(name) as part:
        rest = b""
        while chunk := part.read(CHUNK_BYTES):
            found = _REFERENCE.findall(rest + chunk)
            columns.update(column for column, _ in found)
            rows.update(row for _, row in found)
            rest = chunk[-_REFERENCE_BYTES:]
    return max(map(_column_number, columns)) * max(map(int, rows))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _text(sheet: CalamineSheet) -> IO[bytes]:
    text = io.BytesIO()
    for row in sheet.iter_rows():
        line = "\t".join(_cell(cell) for cell in row)
        text.write(line.encode() + b"\n" if line.strip("\t") else b"\n")
    text.seek(0)
    return text


def _cell(value: object) -> str:
    """A cell as text: numbers without a needless `.0`, moments in ISO 8601, line breaks as spaces."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value).translate(_BREAKS).replace('"', "'")
