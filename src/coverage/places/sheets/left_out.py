"""Rows of a table that are no data: sums, signatures, the header once more, the numbers of the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from coverage.names import nfc
from coverage.places.notes import Note

# With their tones: a village may be called Tòng, or Cộng Hoà.
_SUM = re.compile(
    r"(?:tổng|cộng|tổng cộng|cộng tổng|tổng số|tong cong|total|grand total|sum)\s*:?"
    r"|(?:tổng cộng|tổng số|tổng toàn|cộng toàn|(?:tổng|cộng) (?:xã|phường|huyện|tỉnh))\b.*",
    re.IGNORECASE,
)
_SIGNATURES = re.compile(
    r"người lập|lập biểu|kế toán|lập bảng|thủ trưởng|ký tên|\(ký|ghi rõ họ tên|chủ tịch|^\s*(?:TM|KT|TL|TUQ)\.|nơi nhận"
    r"|người kiểm tra|^\s*(?:ghi chú|chú thích|nguồn)\s*:|ngày\s*[\d.…]*\s*tháng\s*[\d.…]*\s*năm",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,/%\s]+")
_NUMBERING = re.compile(r"\(?(\d{1,2})\)?")
_REASONS = {
    "row_sum": ("dòng cộng", "a sum"),
    "row_signature": ("phần ký tên, ghi chú cuối bảng", "signatures or remarks below the table"),
    "row_header_again": ("dòng tiêu đề lặp lại", "the header once more"),
    "row_numbering": ("dòng đánh số cột", "the numbers of the columns"),
}


def left_out(
    file: str, sheet: str, records: Iterable[tuple[int, list[str]]], names: Sequence[str]
) -> tuple[list[tuple[int, list[str]]], list[Note]]:
    """The rows that are data, and a note for each other one: which row, what it is, its first words.

    `records` are the rows below the header whose columns are `names`. A remark in an ordinary row, one with a
    number or with more words than a signature has, starts no signature. After a signature only rows that fill
    more than half of the columns are data again.
    """
    kept, notes, signed = [], [], False
    header, columns = list(names), sum(1 for name in names if name)
    for position, (number, row) in enumerate(records):
        code = _code(row, header, columns, first=position == 0, signed=signed)
        signed = code == "row_signature"
        if code is None:
            kept.append((number, row))
        else:
            notes.append(_note(file, sheet, number, row, code))
    return kept, notes


def _code(row: list[str], header: list[str], columns: int, *, first: bool, signed: bool) -> str | None:
    filled = [cell for cell in row if cell]
    few = 2 * len(filled) <= columns
    if few and (signed or _starts_signature(filled)):
        return "row_signature"
    if row == header:
        return "row_header_again"
    if first and _counts_columns(filled):
        return "row_numbering"
    return "row_sum" if _is_sum(filled) else None


def _starts_signature(filled: Sequence[str]) -> bool:
    # Beside other words a signature is known by how a cell begins: “gần nhà ông Chủ tịch” is a remark.
    if all(_SIGNATURES.search(cell) for cell in filled):
        return True
    if any(_NUMBER.fullmatch(cell) for cell in filled):
        return False
    begun = sum(1 for cell in filled if _SIGNATURES.match(cell))
    return begun >= (1 if len(filled) <= 2 else 2) or (
        len(filled) <= 2 and bool(_SIGNATURES.search(filled[0]))
    )


def _is_sum(filled: Sequence[str]) -> bool:
    # Among the first words of the row, for the number of a chapter may stand before.
    return any(_SUM.fullmatch(cell) for cell in _worded(filled)[:2])


def _worded(cells: Iterable[str]) -> list[str]:
    return [nfc(cell) for cell in cells if any(letter.isalpha() for letter in cell)]


def _counts_columns(filled: Sequence[str]) -> bool:
    numbers = [_NUMBERING.fullmatch(cell) for cell in filled]
    read = [int(found[1]) for found in numbers if found]
    letters = [cell for cell, found in zip(filled, numbers, strict=True) if not found]
    counted = read == list(range(read[0], read[0] + len(read))) if read else False
    return len(read) >= 3 and counted and all(cell in {"A", "B", "C", "D"} for cell in letters)


def _telling(row: Sequence[str]) -> str:
    # The words that made the row no data, else its first.
    words = _worded(row)
    told = next((cell for cell in words if _SUM.fullmatch(cell) or _SIGNATURES.search(cell)), None)
    return told or next(iter(words), None) or next(cell for cell in row if cell)


def _note(file: str, sheet: str, number: int, row: Sequence[str], code: str) -> Note:
    vi, en = _REASONS[code]
    words = _telling(row)[:60]
    place_vi, place_en = (f", trang {sheet}", f", sheet {sheet}") if sheet else ("", "")
    return Note(
        code,
        "",
        f"{file}{place_vi}, dòng {number}: bỏ qua “{words}” ({vi}).",
        f"{file}{place_en}, row {number}: left out “{words}” ({en}).",
        number,
    )
