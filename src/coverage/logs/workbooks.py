"""Workbooks (.xlsx, .xls, .ods) → one TAB table of text per sheet that holds a table."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from coverage.errors import FileRefused

OLD = b"\xd0\xcf\x11\xe0"  # the binary workbook of before 2007
_BREAKS = str.maketrans("\t\r\n", "   ")


def sheets(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The name of each visible sheet with more than one row, and how its text is opened.

    A row of the sheet is a line of the text, so that line numbers are those a person sees. The name is empty
    where the workbook has one such sheet. Raises `FileRefused` for a workbook that is damaged, locked or empty.
    """
    try:
        book = CalamineWorkbook.from_path(path)
        shown = {
            one.name
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet and one.visible == SheetVisibleEnum.Visible
        }
        filled = [
            sheet
            for sheet in (book.get_sheet_by_name(n) for n in book.sheet_names if n in shown)
            if sheet.height
        ]
    except (CalamineError, ValueError, OSError) as fault:
        raise FileRefused(
            f"{path.name}: không mở được sổ Excel ({fault}). Hãy bỏ mật khẩu hoặc lưu lại thành .xlsx hay CSV.",
            f"{path.name}: the workbook cannot be opened ({fault}). Remove its password, or save it as .xlsx or CSV.",
        ) from fault
    if not filled:
        raise FileRefused(
            f"{path.name}: sổ Excel không có trang nào có dữ liệu.", f"{path.name}: the workbook is empty."
        )
    for sheet in filled:
        yield (sheet.name if len(filled) > 1 else "", partial(_text, sheet))


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
