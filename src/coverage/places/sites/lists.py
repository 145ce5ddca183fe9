"""Rows of the lists of cells that apps write without a header: fields by position, numbers in decimal."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from coverage.cell_lists import CellList
from coverage.errors import PlacesRefused

_NEWLINE = re.compile(r"\r\n|\r|\n")
_DECIMAL = re.compile(r"[0-9]{1,20}")
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]{1,16}")
_COMMENT = "//"


def lines_of(text: str) -> list[str]:
    """The lines of a text that are not blank, outer white space left off."""
    return [line.strip() for line in _NEWLINE.split(text) if line.strip()]


def list_rows(known: CellList, text: str, path: Path) -> pd.DataFrame:
    """The rows of a list as text columns named by our fields (missing = None); raises `PlacesRefused`.

    Comment lines are no rows. Cell numbers come in decimal, whichever way the file writes them.
    """
    lines = [line for line in lines_of(text) if not line.startswith(_COMMENT)]
    if not lines:
        raise PlacesRefused(
            f"{path.name}: danh sách {known.name} không có dòng nào.",
            f"{path.name}: a {known.name} list without any row.",
        )
    sign = next((one for one in known.delimiters if one in lines[0]), known.delimiters[0])
    rows = [line.split(sign) for line in lines]
    _refuse_odd_lengths(known, rows, path)
    read = [(field, index) for index, field in enumerate(known.columns) if field]
    return pd.DataFrame(
        {field: [_cell(known, field, row, index) for row in rows] for field, index in read}, dtype=object
    )


def _refuse_odd_lengths(known: CellList, rows: list[list[str]], path: Path) -> None:
    least = max(known.columns.index("lat"), known.columns.index("lon")) + 1
    most = len(known.columns)
    for number, row in enumerate(rows, start=1):
        # A sign at the end of a line makes one empty field more.
        if not least <= len(row) <= most + (row[-1] == ""):
            raise PlacesRefused(
                f"{path.name}, dòng dữ liệu {number}: “{row[0]}…” có {len(row)} trường, danh sách {known.name} "
                f"có từ {least} đến {most}. Hãy xuất lại danh sách kèm toạ độ (CLF: bản 3.0 hoặc 4.0).",
                f"{path.name}, data row {number}: “{row[0]}…” has {len(row)} fields, a {known.name} list "
                f"has {least} to {most}. Export the list again with coordinates (CLF: version 3.0 or 4.0).",
            )


def _cell(known: CellList, field: str, row: list[str], index: int) -> str | None:
    text = row[index].strip() if index < len(row) else ""
    if not text or text in known.unknown or (field in known.zero_unknown and not text.strip("0.")):
        return None
    if field == "technology":
        return known.codes.get(text)
    return _decimal(text) if field in {"area", "node", "cell"} else text


def _decimal(text: str) -> str:
    if _DECIMAL.fullmatch(text):
        return str(int(text))
    return str(int(text, 16)) if _HEX.fullmatch(text) else text
