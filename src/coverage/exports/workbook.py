"""Lists → a workbook (XLSX) for officials: a sheet per list under Vietnamese headings, and sheets that explain them.

`pandas.read_excel` reads a list with its headings. The names by which programs know the columns stand on `Chú giải`:

    legend = pandas.read_excel(file, sheet_name="Chú giải", header=LEGEND_HEADER, index_col=0)
    rows = pandas.read_excel(file).rename(columns=legend["Tên máy / Name"])
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
import xlsxwriter

from coverage.errors import InputError
from coverage.exports.geojson import DECIMALS
from coverage.exports.headings import Heading, Kind, headings, name_of, word
from coverage.exports.plain import BATCH_ROWS, batches, plain_columns

MOST_SHEET_ROWS = 100_000  # Excel takes a million, and minutes to open them; writing them takes minutes too
LEGEND, CODES = "Chú giải", "Mã số"
LEGEND_HEADER = 8  # the line, from 0, of the table on the legend's sheet
# The lists of a workbook of all, and what every list's sheet is called (at most 31 letters).
ALL_LISTS = ("gaps", "no_power", "verify_power", "need_measurement", "claimed_dead")
SHEETS: Mapping[str, str] = {
    "gaps": "Vùng lõm",
    "no_power": "Chưa có điện lưới",
    "verify_power": "Cần xác minh điện",
    "need_measurement": "Cần đo thêm",
    "claimed_dead": "Khai có sóng mà không có",
    "villages": "Thôn",
    "hexes": "Ô lục giác",
    "roads": "Đường",
    "reliability": "Độ tin cậy",
}
_LEGEND_HEADS = ("Tiêu đề", "Tên máy / Name", "Ý nghĩa", "Meaning", "Đơn vị / Unit")
_LEGEND_WIDTHS = (34, 24, 60, 60, 18)
_MOST_CELL = 32_767  # letters that Excel takes
_WIDEST, _SAMPLE = 60, 200
_BY_KIND: Mapping[Kind, str] = {
    "int": "#,##0",
    "real": "#,##0.0",
    "date": "dd/mm/yyyy",
    "time": "dd/mm/yyyy hh:mm:ss",
}
# How a number of a unit is shown; the cell holds it whole.
_BY_UNIT = {
    "0–1": "0.0%",
    "km": "#,##0.00",
    "km²": "#,##0.00",
    "°": "0.0000000",
    "hộ / households": "#,##0",
    "người / people": "#,##0",
}
_SAFE = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,  # each row goes to the disk as the next one begins: cells are written row by row
}


def workbook(frames: Sequence[gpd.GeoDataFrame]) -> bytes:
    """The bytes of a workbook of several lists; see `write_workbook`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lists.xlsx"
        write_workbook(frames, path)
        return path.read_bytes()


def write_workbook(frames: Sequence[gpd.GeoDataFrame], path: Path) -> None:
    """Write a workbook of several lists, a sheet each, then `Chú giải` (columns) and `Mã số` (codes).

    frames: as in `files.to_bytes`, all of one snapshot. Each row ends with lat and lon of the middle of its shape. Times
    and dates are Excel's own, times in UTC; an empty cell is a missing value. Text stays text: nothing is run or linked.
    Drafts lie in the folder of the path. Raises `InputError` where the rows are more than `MOST_SHEET_ROWS` altogether.
    """
    _require_few(sum(map(len, frames)))
    with xlsxwriter.Workbook(str(path), _SAFE | {"tmpdir": str(path.parent)}) as book:
        book.set_properties({"title": "Phủ Sóng", "comments": str(frames[0].attrs.get("criteria", ""))})
        told: dict[str, Heading] = {}
        for frame in frames:
            told |= {one.name: one for one in _list_sheet(book, frame) if one.name not in told}
        _legend_sheet(book, frames, list(told.values()))
        _codes_sheet(book, list(told.values()))


def centroids(frame: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Latitudes and longitudes of the middle of each shape, degrees WGS 84; NaN where there is none."""
    # Villages and hexes are small: the planar centroid of degrees is off by far less than a metre.
    points = shapely.centroid(frame.geometry.to_numpy())
    points[shapely.is_empty(points)] = None
    return np.round(shapely.get_y(points), DECIMALS), np.round(shapely.get_x(points), DECIMALS)


def _require_few(rows: int) -> None:
    if rows > MOST_SHEET_ROWS:
        raise InputError(
            f"Danh sách có {rows} dòng, quá dài cho Excel (tối đa {MOST_SHEET_ROWS}): hãy lọc, hoặc lấy csv, gpkg.",
            f"The list has {rows} rows, too many for Excel (at most {MOST_SHEET_ROWS}): choose some, or take csv, gpkg.",
        )


def _list_sheet(book: Any, frame: gpd.GeoDataFrame) -> list[Heading]:  # noqa: ANN401 - xlsxwriter has no types
    what = name_of(frame)
    sample = _columns(frame.iloc[:_SAMPLE])
    columns = headings(sample, what)
    sheet = book.add_worksheet(SHEETS.get(what, what))
    sheet.set_row(0, 45)
    _heads(book, sheet, columns, list(sample.values()))
    writers = [_writer(sheet, one.kind) for one in columns]
    for number, batch in enumerate(batches(frame)):
        _write_rows(1 + number * BATCH_ROWS, writers, _columns(batch))
    sheet.freeze_panes(1, _names_until(columns))
    sheet.autofilter(0, 0, len(frame), len(columns) - 1)
    _for_paper(sheet)
    sheet.repeat_rows(0)
    return columns


def _columns(frame: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    lat, lon = (
        [None if place != place else place for place in degrees.tolist()]  # noqa: PLR0124 - NaN
        for degrees in centroids(frame)
    )
    return plain_columns(frame) | {"lat": lat, "lon": lon}


def _heads(book: Any, sheet: Any, columns: Sequence[Heading], samples: Sequence[Sequence[Any]]) -> None:  # noqa: ANN401
    head = _head(book)
    for at, (told, values) in enumerate(zip(columns, samples, strict=True)):
        number = _BY_UNIT.get(told.unit, _BY_KIND.get(told.kind, "General"))
        sheet.set_column(at, at, _width(told, values), book.add_format({"num_format": number}))
        sheet.write_string(0, at, told.vi, head)


def _head(book: Any) -> Any:  # noqa: ANN401 - xlsxwriter has no types
    look = {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#12435c", "font_color": "#ffffff"}
    return book.add_format(look | {"num_format": "General"})


def _for_paper(sheet: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet.set_landscape()
    sheet.set_paper(9)


def _names_until(columns: Sequence[Heading]) -> int:
    """How many columns stay in sight: those up to the name of the place, none where it stands far to the right."""
    names = ("village_name", "road_name", "hex")
    return next((at + 1 for at, one in enumerate(columns[:3]) if one.name in names), 0)


def _writer(sheet: Any, kind: Kind) -> Callable[[int, int, Any], object]:  # noqa: ANN401 - xlsxwriter has no types
    """What writes a value of that kind into a row and column."""
    if kind == "text":
        return lambda row, at, value: sheet.write_string(row, at, str(value)[:_MOST_CELL])
    if kind in {"date", "time"}:
        return lambda row, at, value: sheet.write_datetime(row, at, _moment(value, kind))
    written: Callable[[int, int, Any], object] = sheet.write_boolean if kind == "bool" else sheet.write_number
    return written


def _write_rows(
    first: int, writers: Sequence[Callable[[int, int, Any], object]], plain: Mapping[str, Sequence[Any]]
) -> None:
    for row, values in enumerate(zip(*plain.values(), strict=True), start=first):
        for at, (write, value) in enumerate(zip(writers, values, strict=True)):
            if value is not None and value != "":
                write(row, at, value)


def _moment(text: str, kind: Kind) -> date:
    return date.fromisoformat(text[:10]) if kind == "date" else datetime.fromisoformat(text.removesuffix("Z"))


def _width(told: Heading, values: Sequence[Any]) -> int:
    longest = max((len(str(one)) for one in values if one is not None), default=0)
    return min(_WIDEST, 2 + max(longest, len(told.vi) // 2, 8))


def _legend_sheet(book: Any, frames: Sequence[gpd.GeoDataFrame], columns: Sequence[Heading]) -> None:  # noqa: ANN401
    sheet = book.add_worksheet(LEGEND)
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for line, (what, said) in enumerate(_facts(frames)):
        sheet.write_string(line, 0, what, bold)
        sheet.write_string(line, 1, said)
    for at, (head, width) in enumerate(zip(_LEGEND_HEADS, _LEGEND_WIDTHS, strict=True)):
        sheet.set_column(at, at, width, wrapped)
        sheet.write_string(LEGEND_HEADER, at, head, _head(book))
    for line, one in enumerate(columns, start=LEGEND_HEADER + 1):
        for at, cell in enumerate((one.vi, one.name, one.meaning_vi, one.meaning_en, one.unit)):
            sheet.write_string(line, at, cell, wrapped)
    _for_paper(sheet)
    sheet.fit_to_pages(1, 0)


def _facts(frames: Sequence[gpd.GeoDataFrame]) -> list[tuple[str, str]]:
    stamp = frames[0].attrs
    counts = (f"{SHEETS.get(name_of(one), name_of(one))} = {name_of(one)}: {len(one)}" for one in frames)
    simulated = "CÓ, không phải số đo thật / YES, not real measurements"
    return [
        ("PHỦ SÓNG", "Chú giải / legend"),
        ("Tiêu chí / Criteria", str(stamp.get("criteria", ""))),
        ("Bản đánh giá / Snapshot", str(stamp.get("snapshot_id", ""))),
        ("Ngày đánh giá / As of", str(stamp.get("as_of", ""))),
        ("Số liệu mô phỏng / Simulated", simulated if stamp.get("simulated") else "Không / no"),
        ("Số dòng / Rows", "; ".join(counts)),
        (
            "Cách đọc / How to read",
            "Thời gian theo UTC; ô trống là không biết / times in UTC; empty is not known",
        ),
    ]


def _codes_sheet(book: Any, columns: Sequence[Heading]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet = book.add_worksheet(CODES)
    for at, (head, width) in enumerate((("Tiêu đề", 34), ("Mã", 28), ("Nghĩa", 50), ("Meaning", 50))):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, head, _head(book))
    rows = [(one.vi, code, *word(one.name, code)) for one in columns for code in one.codes]
    for line, cells in enumerate(rows, start=1):
        for at, cell in enumerate(cells):
            sheet.write_string(line, at, cell)
    sheet.freeze_panes(1, 0)
