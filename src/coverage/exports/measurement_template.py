"""The table that crews without an app fill in: as CSV, and as a workbook with lists to choose from.

Its headers are names that the reader of measurement files knows. Examples never stand where a row would be read:
in the CSV they are comment lines above the header, in the workbook they stand on the sheet that explains it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import xlsxwriter

from coverage.criteria import Criteria
from coverage.workbooks import GUIDE_MARK

DATA_SHEET = "Số đo"
GUIDE_SHEET = "Hướng dẫn"
FILLABLE_ROWS = 2000  # with lists to choose from; rows below are read all the same
# Spreadsheets set to Vietnamese separate columns by ; because the comma is their decimal sign.
_SEPARATOR = ";"
_EXAMPLE = "VÍ DỤ"


@dataclass(frozen=True)
class Column:
    """A column of the template: header, width in characters, what it holds in both languages, its three examples.

    choices: what may be chosen; none where anything may be written.
    """

    header: str
    width: int
    vi: str
    en: str
    examples: tuple[str, str, str]
    choices: tuple[str, ...] = ()


_OPERATOR = "Nhà mạng"
_COLUMNS = (
    Column(
        "Thời gian",
        19,
        "Ngày/tháng/năm giờ:phút, theo đồng hồ của máy đo.",
        "Day/month/year hour:minute, by the phone's clock.",
        ("30/10/2026 08:05", "30/10/2026 08:40", "31/10/2026 14:10"),
    ),
    Column(
        "Vĩ độ",
        12,
        "Độ thập phân (WGS 84), số nhỏ hơn trong hai số, 5 chữ số lẻ.",
        "Latitude: decimal degrees (WGS 84), the smaller of the two numbers, 5 decimals.",
        ("11,94125", "11,94302", "11,94125"),
    ),
    Column(
        "Kinh độ",
        12,
        "Độ thập phân (WGS 84), số lớn hơn trong hai số, 5 chữ số lẻ.",
        "Longitude: decimal degrees (WGS 84), the larger of the two numbers, 5 decimals.",
        ("108,43917", "108,43921", "108,43917"),
    ),
    Column(
        _OPERATOR,
        14,
        "Nhà mạng của SIM đang đo; điền cả khi mất sóng.",
        "The operator of the SIM that is measured; also where there is no service.",
        ("", "", ""),
    ),
    Column(
        "Trạng thái dịch vụ",
        19,
        "Máy báo “Không có dịch vụ” thì chọn không có sóng; “Chỉ cuộc gọi khẩn cấp” thì chọn chỉ khẩn cấp.",
        "có sóng = in service; không có sóng = no service; chỉ khẩn cấp = emergency calls only.",
        ("có sóng", "không có sóng", "chỉ khẩn cấp"),
        ("có sóng", "không có sóng", "chỉ khẩn cấp"),
    ),
    Column(
        "Công nghệ",
        12,
        "Biểu tượng trên màn hình: 5G, 4G (LTE), 3G (H, H+) hay 2G (E, G). Mất sóng thì để trống.",
        "What the screen shows: 5G, 4G (LTE), 3G (H, H+) or 2G (E, G). Empty without service.",
        ("4G", "", ""),
        ("5G", "4G", "3G", "2G"),
    ),
    Column(
        "Mức thu (dBm)",
        15,
        "Số âm, như -97. Android: Cài đặt → Giới thiệu điện thoại → Trạng thái SIM → Cường độ tín hiệu. "
        "Mất sóng thì để trống.",
        "A negative number such as -97. Android: Settings → About phone → SIM status → Signal strength. "
        "Empty without service.",
        ("-97", "", ""),
    ),
    Column(
        "Máy đo",
        12,
        "Tên của máy (may1, may2…), giữ nguyên suốt đợt đo. Không ghi số điện thoại, số IMEI.",
        "The phone's name (may1, may2…), the same all through. Never a phone number or an IMEI.",
        ("may1", "may1", "may2"),
    ),
    Column(
        "Sai số (m)",
        11,
        "Sai số vị trí mà máy báo, tính bằng mét. Không biết thì để trống.",
        "How far off the position may be, in metres, as the phone says. Empty where not known.",
        ("6", "8", "5"),
    ),
    Column(
        "Trên xe",
        10,
        "Đo trong xe: có. Đã xuống xe, cầm máy trên tay: không.",
        "Inside a vehicle: có (yes). On foot, phone in hand: không (no).",
        ("không", "không", "không"),
        ("có", "không"),
    ),
)


def operator_names(criteria: Criteria) -> tuple[str, ...]:
    """What people call the operators that crews measure: those in scope, else all that the criteria name; may be empty."""
    codes = criteria.operators_in_scope(set()) or sorted(criteria.operators.names)
    return tuple(criteria.operator_name(one) for one in codes)


def columns(criteria: Criteria) -> tuple[Column, ...]:
    """The columns of the template in their order; operators are those of `operator_names`."""
    operators = operator_names(criteria)
    mine = next(iter(operators), _OPERATOR)
    return tuple(
        replace(one, choices=operators, examples=(mine, mine, mine)) if one.header == _OPERATOR else one
        for one in _COLUMNS
    )


def template_csv(criteria: Criteria) -> bytes:
    """The template as CSV: UTF-8 with byte-order mark, columns separated by semicolons, header in the last line.

    The lines above the header begin with # and are passed over by the reader, the examples among them.
    """
    table = columns(criteria)
    above = [
        "# PHỦ SÓNG: bảng ghi số đo. Mỗi lần nhìn máy ghi một dòng DƯỚI dòng tên cột; mất sóng cũng ghi một dòng.",
        "# Các dòng bắt đầu bằng dấu # không được tính. Cột nào ghi gì: xem trang hướng dẫn đo sóng.",
        *(
            f"# {_EXAMPLE}: {_SEPARATOR.join(row)}"
            for row in zip(*(one.examples for one in table), strict=True)
        ),
    ]
    lines = [*above, _SEPARATOR.join(one.header for one in table)]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def template_xlsx(criteria: Criteria) -> bytes:
    """The template as a workbook: a sheet to fill in, and one that says what each column holds, with examples.

    Cells of the first sheet are text, so that no spreadsheet turns 8/7 into a day of its own or 11.94 into a date.
    The second sheet is locked (without a password) and begins with `workbooks.GUIDE_MARK`, by which it is passed over
    when the file comes back.
    """
    table = columns(criteria)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": "Phủ Sóng: bảng ghi số đo", "comments": criteria.label})
        _data_sheet(book, table)
        _guide_sheet(book, table)
    return buffer.getvalue()


def _data_sheet(book: Any, table: Sequence[Column]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet = book.add_worksheet(DATA_SHEET)
    head = book.add_format({"bold": True, "bg_color": "#12435c", "font_color": "#ffffff", "border": 1})
    text = book.add_format({"num_format": "@"})
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(table):
        sheet.set_column(at, at, column.width, text)
        sheet.write_string(0, at, column.header, head)
        sheet.data_validation(1, at, FILLABLE_ROWS, at, _validation(column))
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{FILLABLE_ROWS + 1}"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _validation(column: Column) -> dict[str, Any]:
    told = {"input_title": column.header, "input_message": column.vi[:255]}
    if not column.choices:
        return {"validate": "any", **told}
    refused = "Hãy chọn một mục trong danh sách. / Choose one of the list."
    return {"validate": "list", "source": list(column.choices), "error_message": refused, **told}


def _guide_sheet(book: Any, table: Sequence[Column]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet = book.add_worksheet(GUIDE_SHEET)
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.protect()
    sheet.write_string(0, 0, GUIDE_MARK, bold)
    sheet.write_string(1, 0, f"Ghi số đo vào trang “{DATA_SHEET}”; trang này không được đọc.")
    sheet.write_string(2, 0, "Fill in the first sheet; this one is not read.")
    heads = ("Cột", "Ghi gì", "What it holds", *(f"{_EXAMPLE} {number}" for number in (1, 2, 3)))
    for at, (head, width) in enumerate(zip(heads, (20, 56, 56, 18, 18, 18), strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(4, at, head, bold)
    for line, column in enumerate(table, start=5):
        for at, cell in enumerate((column.header, column.vi, column.en, *column.examples)):
            sheet.write_string(line, at, cell, wrapped)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
