"""The template to fill in: it reads back, its examples never count, and what crews do to it loses nothing."""

from __future__ import annotations

import datetime
import io

import openpyxl
import pytest
from measurements import rules
from test_logs_read import KEY, NAMES, read

from coverage import workbooks
from coverage.errors import FileRefused
from coverage.exports import measurement_template as template
from coverage.logs import Context, Reading, read_file
from coverage.logs.formats import canonical
from coverage.logs.readings import Refused

HEADERS = [one.header for one in template.columns(rules())]
FIELDS = [
    *("time", "lat", "lon", "operator", "service_state", "technology", "level_dbm", "device", "accuracy_m"),
    "in_vehicle",
]
SERVED = [
    "30/10/2026 08:05",
    "11,94125",
    "108,43917",
    "Viettel",
    "có sóng",
    "4G",
    "-97",
    "may1",
    "6",
    "không",
]
SILENT = ["30/10/2026 08:40", "11,94302", "108,43921", "Viettel", "không có sóng", "", "", "may1", "", "có"]
EMERGENCY = ["8/7/2026 9:15", "11.94302", "108.43921", "MobiFone", "chỉ khẩn cấp", "", "", "may2", "4", ""]


def csv_with(*rows: list[str], extra: bytes = b"") -> bytes:
    lines = "".join(";".join(row) + "\r\n" for row in rows)
    return template.template_csv(rules()) + lines.encode() + extra


def book() -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(template.template_xlsx(rules())))


def saved(filled: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    filled.save(buffer)
    return buffer.getvalue()


def xlsx_with(*rows: list[object]) -> bytes:
    filled = book()
    for line, row in enumerate(rows, start=2):
        for at, cell in enumerate(row, start=1):
            filled[template.DATA_SHEET].cell(line, at).value = cell or None
    return saved(filled)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.csv", csv_with(SERVED, SILENT, EMERGENCY)),
        ("a.xlsx", xlsx_with(SERVED, SILENT, EMERGENCY)),
    ],
)
def test_filled_in_rows_come_back_with_silence_among_them(tmp_path, name, made):
    found = read(tmp_path, made, name)
    assert (found.format, found.confidence) == ("canonical", 1.0)
    assert found.columns == dict(zip(FIELDS, HEADERS, strict=True))
    assert (found.rows, found.accepted, found.no_service) == (3, 3, 1)
    served, silent, emergency = found.measurements.to_pylist()
    assert served["time_utc"] == datetime.datetime(2026, 10, 30, 1, 5)
    assert (served["lat"], served["lon"], served["operator"]) == (11.94125, 108.43917, "45204")
    assert (served["technology"], served["rsrp_dbm"], served["in_vehicle"]) == ("LTE", -97.0, False)
    assert (silent["service_state"], silent["rsrp_dbm"], silent["in_vehicle"]) == ("no_service", None, True)
    assert (emergency["service_state"], emergency["operator"]) == ("emergency_only", "45201")
    assert emergency["time_utc"] == datetime.datetime(2026, 7, 8, 2, 15)  # the day comes first
    assert served["device"] == silent["device"] != emergency["device"]
    assert not any(row["positive_only"] for row in (served, silent, emergency))


def test_cells_that_a_spreadsheet_made_its_own_are_read_alike(tmp_path):
    typed = [
        datetime.datetime(2026, 10, 30, 8, 5),
        11.94125,
        108.43917,
        *SERVED[3:6],
        -97,
        "may1",
        6,
        "không",
    ]
    (one,) = read(tmp_path, xlsx_with(typed), "a.xlsx").measurements.to_pylist()
    (other,) = read(tmp_path, xlsx_with(SERVED), "b.xlsx").measurements.to_pylist()
    assert {**one, "upload_id": ""} == {**other, "upload_id": ""}


@pytest.mark.parametrize(
    ("name", "made"), [("a.csv", template.template_csv(rules())), ("a.xlsx", template.template_xlsx(rules()))]
)
def test_an_empty_template_holds_no_row(tmp_path, name, made):
    assert read(tmp_path, made, name).rows == 0


def examples() -> list[str]:
    lines = template.template_csv(rules()).decode("utf-8-sig").splitlines()
    return [line for line in lines if "VÍ DỤ" in line]


def test_examples_below_the_header_are_rejected_with_a_reason(tmp_path):
    found = read(tmp_path, csv_with(SERVED, extra="\r\n".join(examples()).encode()))
    assert (found.rows, found.accepted, found.rejected) == (4, 1, 3)
    told = found.outcomes.to_pylist()
    assert {row["code"] for row in told} == {"bad_time"}
    assert all("VÍ DỤ" in row["value"] for row in told)


def test_examples_above_the_header_never_count_whatever_a_spreadsheet_makes_of_them(tmp_path):
    text = csv_with(SERVED).decode("utf-8-sig")
    resaved = "".join(
        line if line.count(";") else line.rstrip("\r\n") + ";" * 9 + "\r\n" for line in text.splitlines(True)
    )
    for name, again in (("bare", text.replace("# ", "")), ("resaved", resaved), ("ansi", resaved)):
        encoding = "utf-8" if name != "ansi" else "utf-16"
        assert read(tmp_path, again.encode(encoding), f"{name}.csv").rows == 1


def test_the_sheet_that_explains_is_passed_over_by_its_mark_alone(tmp_path):
    filled = book()
    explaining = filled[template.GUIDE_SHEET]
    assert explaining.protection.sheet
    filled[template.DATA_SHEET].append(SERVED)
    explaining["A1"] = "Ghi chú"
    path = tmp_path / "a.xlsx"
    path.write_bytes(saved(filled))
    assert [name for name, _ in workbooks.sheets(path)] == [template.DATA_SHEET, template.GUIDE_SHEET]
    first, second = read_file(path, Context(), device_key=KEY, operator_names=NAMES)
    assert isinstance(first, Reading)
    assert isinstance(second, Refused)
    explaining["A1"] = workbooks.GUIDE_MARK
    path.write_bytes(saved(filled))
    assert [name for name, _ in workbooks.sheets(path)] == [""]
    del filled[template.DATA_SHEET]
    path.write_bytes(saved(filled))
    with pytest.raises(FileRefused, match="empty"):
        list(workbooks.sheets(path))


def test_the_workbook_helps_to_fill_it_in():
    sheet = book()[template.DATA_SHEET]
    assert sheet.freeze_panes == "A2"
    lists = {
        str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation if one.type == "list"
    }
    assert lists == {
        "D2:D2001": '"MobiFone,VinaPhone,Viettel,Vietnamobile"',
        "E2:E2001": '"có sóng,không có sóng,chỉ khẩn cấp"',
        "F2:F2001": '"5G,4G,3G,2G"',
        "J2:J2001": '"có,không"',
    }
    assert {sheet.column_dimensions[letter].number_format for letter in "ABDG"} == {"@"}
    prompts = [one.prompt for one in sheet.data_validations.dataValidation]
    assert len(prompts) == len(HEADERS)
    assert all(prompts)


def test_operators_are_those_of_the_criteria():
    told = rules().model_dump(mode="json")
    told["operators"] = {"in_scope": {"452": ["45299"]}, "names": {"45299": "Mạng Mới"}}
    criteria = type(rules()).model_validate(told)
    assert b"Viettel" not in template.template_csv(criteria)
    assert "Mạng Mới" in template.template_csv(criteria).decode()


def test_every_choice_is_a_word_that_the_reader_knows(tmp_path):
    table = {one.header: one.choices for one in template.columns(rules())}
    for state in table["Trạng thái dịch vụ"]:
        for technology in table["Công nghệ"]:
            for operator in ("Viettel", "MobiFone"):
                row = [*SERVED[:3], operator, state, technology, "-80", "may1", "5", "có"]
                found = read(tmp_path, csv_with(row))
                assert found.accepted == 1, row


def test_every_column_but_the_level_is_named_as_the_canonical_table_names_it():
    known = {name for names in canonical.FORMAT.columns.values() for name in names}
    plain = [header.casefold().split(" (")[0] for header in HEADERS]
    assert set(plain) <= known
