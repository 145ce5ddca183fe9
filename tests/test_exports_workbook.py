"""The workbook: Vietnamese headings, a legend by which programs read it, nothing that runs."""

from __future__ import annotations

import io
from datetime import datetime
from functools import partial

import openpyxl
import pandas as pd
import pytest
import shapely
from snapshots import snapshot

from coverage.errors import InputError
from coverage.exports import files, lists, workbook
from coverage.exports.workbook import CODES, LEGEND, LEGEND_HEADER, SHEETS

to_xlsx = partial(files.to_bytes, fmt="xlsx")
SHOWN = snapshot(40)
VILLAGES = lists.select(SHOWN, "villages")
CONTENT = to_xlsx(VILLAGES)
ALL = [lists.select(SHOWN, what) for what in workbook.ALL_LISTS]


def legend(content: bytes) -> pd.DataFrame:
    return pd.read_excel(
        io.BytesIO(content), sheet_name=LEGEND, header=LEGEND_HEADER, index_col=0, engine="openpyxl"
    )


def test_pandas_reads_it_back_under_the_names_of_the_legend() -> None:
    raw = pd.read_excel(io.BytesIO(CONTENT), engine="openpyxl")
    back = raw.rename(columns=legend(CONTENT)["Tên máy / Name"])
    assert list(back.columns) == [*VILLAGES.columns.drop("geometry"), "lat", "lon"]
    assert len(back) == len(VILLAGES)
    for name in ("village_name", "reason", "tests", "status"):
        assert back[name].tolist() == VILLAGES[name].tolist()
    for name in ("households", "median_rsrp_dbm", "dead_share"):
        assert back[name].tolist() == pytest.approx(VILLAGES[name].tolist(), abs=1e-6, nan_ok=True)
    assert (back["electrified"].isna() == VILLAGES["electrified"].isna()).all()
    middles = shapely.centroid(VILLAGES.geometry.to_numpy())
    assert back["lat"].tolist() == pytest.approx(shapely.get_y(middles).tolist(), abs=1e-6)
    assert back["lon"].tolist() == pytest.approx(shapely.get_x(middles).tolist(), abs=1e-6)


@pytest.mark.parametrize("what", lists.LISTS)
def test_the_legend_tells_every_column_of_every_list_in_both_languages(what: str) -> None:
    frame = lists.select(SHOWN, what)
    few = frame.iloc[:5]
    few.attrs = frame.attrs
    content = to_xlsx(few)
    told = legend(content)
    heads = pd.read_excel(io.BytesIO(content), nrows=0, engine="openpyxl").columns
    assert list(told.index) == list(heads)
    assert told[["Tên máy / Name", "Ý nghĩa", "Meaning"]].notna().all(axis=None)


def test_the_legend_says_where_the_lists_come_from() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(CONTENT))[LEGEND]
    said = {row[0].value: row[1].value for row in sheet.iter_rows(max_row=LEGEND_HEADER)}
    assert said["Tiêu chí / Criteria"] == SHOWN.info.criteria
    assert said["Bản đánh giá / Snapshot"] == SHOWN.info.snapshot_id
    assert said["Ngày đánh giá / As of"] == SHOWN.info.as_of
    assert said["Số liệu mô phỏng / Simulated"].startswith("CÓ")
    assert said["Số dòng / Rows"] == f"Thôn = villages: {len(VILLAGES)}"


def test_dates_and_numbers_are_dates_and_numbers() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(CONTENT)).worksheets[0]
    heads = {cell.value: cell.column for cell in sheet[1]}
    assert sheet.auto_filter.ref.startswith("A1:")
    filled = ("Lần đo cuối (UTC)", "Số hộ", "Mức thu trung vị (dBm)")
    rows = sheet.iter_rows(min_row=2)
    row = next(row for row in rows if all(row[heads[head] - 1].value is not None for head in filled))
    assert row[heads["Lần đo cuối (UTC)"] - 1].value == datetime(2026, 9, 20, 8, 15, 30)
    assert row[heads["Lần đo cuối (UTC)"] - 1].number_format == "dd/mm/yyyy hh:mm:ss"
    assert row[heads["Ngày đánh giá"] - 1].value == datetime(2026, 11, 1)
    assert row[heads["Ngày đánh giá"] - 1].number_format == "dd/mm/yyyy"
    shown = {
        "Số lần đo": "#,##0",
        "Số hộ": "#,##0",
        "Mức thu trung vị (dBm)": "#,##0.0",
        "Vĩ độ": "0.0000000",
    }
    assert {head: row[heads[head] - 1].number_format for head in shown} == shown
    assert isinstance(row[heads["Số liệu mô phỏng"] - 1].value, bool)
    assert sheet.column_dimensions["C"].width > 10


def test_spreadsheets_run_nothing_and_keep_codes_as_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(CONTENT)).active
    assert (sheet.title, sheet.freeze_panes) == ("Thôn", "C2")
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    heads = [cell.value for cell in sheet[1]]
    names = {row[heads.index("Tên thôn")].value for row in sheet.iter_rows(min_row=2)}
    assert "=HYPERLINK(1)" in names  # as text
    assert {type(row[heads.index("Mã nhà mạng")].value) for row in sheet.iter_rows(min_row=2)} == {str}
    assert {type(row[heads.index("Số lần đo")].value) for row in sheet.iter_rows(min_row=2)} == {int}


def test_lists_that_are_too_long_for_a_workbook_are_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gaps = ALL[0]
    monkeypatch.setattr(workbook, "MOST_SHEET_ROWS", len(gaps))
    assert to_xlsx(gaps)
    with pytest.raises(InputError, match="csv, gpkg"):
        workbook.workbook([gaps, gaps.iloc[:1]])
    monkeypatch.setattr(workbook, "MOST_SHEET_ROWS", len(gaps) - 1)
    with pytest.raises(InputError, match="csv, gpkg"):
        to_xlsx(gaps)


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("x")', "=1+1", "+1", "@x", "{=1}", "http://x", "12", "\x00\x0b"]
)
def test_a_name_stays_text(name: str) -> None:
    frame = VILLAGES.iloc[:1].assign(village_name=name)
    frame.attrs = VILLAGES.attrs
    content = to_xlsx(frame)
    cell = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["B2"]
    assert cell.data_type == "s" and cell.hyperlink is None
    if name.isprintable():
        assert cell.value == name


def test_a_workbook_of_all_lists_has_a_sheet_for_each_and_one_legend() -> None:
    content = workbook.workbook(ALL)
    sheets = pd.read_excel(io.BytesIO(content), sheet_name=None, engine="openpyxl")
    assert list(sheets) == [*(SHEETS[what] for what in workbook.ALL_LISTS), LEGEND, CODES]
    for what, frame in zip(workbook.ALL_LISTS, ALL, strict=True):
        assert sheets[SHEETS[what]]["Mã thôn"].tolist() == frame["village_id"].tolist()
    claimed = sheets["Khai có sóng mà không có"]
    assert claimed["Nhà mạng khai có sóng"].eq(True).all()
    assert set(claimed["Trạng thái"]) <= {"trang_song", "lom_song"}
    assert not legend(content).index.duplicated().any()
    assert all(len(name) <= 31 for name in SHEETS.values())


def test_codes_are_told() -> None:
    codes = pd.read_excel(io.BytesIO(CONTENT), sheet_name=CODES, keep_default_na=False, engine="openpyxl")
    told = codes[codes["Tiêu đề"] == "Trạng thái"].set_index("Mã")["Nghĩa"]
    assert told["trang_song"] == "Trắng sóng"
    assert set(VILLAGES["status"]) <= set(told.index)
    assert not codes["Nghĩa"].eq(codes["Mã"]).any()
