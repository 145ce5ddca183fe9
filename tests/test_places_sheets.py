"""Tables of any make: where their header is, what is left out and told, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import openpyxl
import pytest
from hostile_text import windows_1258
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverage.errors import PlacesRefused
from coverage.places.sheets import read_table
from coverage.places.vector_files import headers, rename

SYNONYMS = {
    "name": ("Tên thôn",),
    "households": ("Số hộ",),
    "grid": ("Hộ có điện lưới Số hộ",),
    "lat": ("Vĩ độ",),
    "lon": ("Kinh độ",),
}
LINES = ["Tên thôn;Số hộ;Vĩ độ", "Buôn Đạ Nhar;85;11,94", "Thôn Hoà Bình;40;"]


def written(folder: Path, data: str | bytes, name: str = "t.csv") -> Path:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder / name


def book(folder: Path, *sheets: list[list[object]], merged: tuple[str, ...] = ()) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = made.create_sheet(f"Trang {number}")
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    made.save(folder / "t.xlsx")
    return folder / "t.xlsx"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1258"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_usual_encoding_gives_the_same_cells(tmp_path: Path, encoding: str, end: str) -> None:
    text = end.join(LINES) + end
    data = windows_1258(text) if encoding == "cp1258" else text.encode(encoding)
    table, notes = read_table(written(tmp_path, data), SYNONYMS)
    assert list(table.columns) == ["Tên thôn", "Số hộ", "Vĩ độ"]
    assert table.index.tolist() == [2, 3]
    assert table["Tên thôn"].tolist() == ["Buôn Đạ Nhar", "Thôn Hoà Bình"]
    assert table["Vĩ độ"].tolist() == ["11,94", None]
    assert not notes


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_delimiter_is_the_one_under_which_headers_are_known(tmp_path: Path, delimiter: str, pack) -> None:
    lines = [delimiter.join(row) for row in (["Tên thôn", "Số hộ"], ['"a,b;c"', "85"])]
    table, _ = read_table(written(tmp_path, pack("\n".join(lines).encode())), SYNONYMS)
    assert table.to_numpy().tolist() == [["a,b;c", "85"]]


def test_a_declared_delimiter_is_believed_and_counts_as_a_line(tmp_path: Path) -> None:
    table, _ = read_table(written(tmp_path, "sep=|\nTên thôn|Số hộ\na|1\n"), SYNONYMS)
    assert table.index.tolist() == [3]


def test_rows_are_numbered_as_an_editor_shows_them(tmp_path: Path) -> None:
    text = 'Danh sách;;\n\nTên thôn;Số hộ\n"Thôn\nmột";1\n;\n\nThôn 2;2\n'
    table, _ = read_table(written(tmp_path, text), SYNONYMS)
    assert table.index.tolist() == [4, 8]
    assert table["Tên thôn"].tolist() == ["Thôn một", "Thôn 2"]


@pytest.mark.parametrize("extra", ["Thôn 1;2;3;4", "Thôn 1;2;3;;x"])
def test_a_row_with_more_cells_than_the_header_is_refused_with_its_row(tmp_path: Path, extra: str) -> None:
    path = written(tmp_path, f"{LINES[0]}\n{LINES[1]};\n{extra}\n")
    with pytest.raises(PlacesRefused, match=r"row 3: has \d cells, more than the header's 3"):
        read_table(path, SYNONYMS)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b'T\xc3\xaan th\xc3\xb4n;S\xe1\xbb\x91 h\xe1\xbb\x99\n"a;1\n', "after row 1.*quotation mark"),
        ("Tên thôn;Số hộ\nThôn ".encode() + b"\xe1\n", "broken letters"),
        (b"PK\x03\x04rubbish", "workbook cannot be opened"),
        (b"\xd0\xcf\x11\xe0rubbish", "workbook cannot be opened"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08torn", "cannot be read as text"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(PlacesRefused, match=f"(?s){says}"):
        read_table(written(tmp_path, data), SYNONYMS)


@pytest.mark.parametrize(
    "data", [b"not a workbook", b"", b"\x00" * 600, bytes(range(256)) * 20, b"a;b\nc;d\n"]
)
def test_a_damaged_workbook_is_refused_as_one(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PlacesRefused, match="the workbook is damaged") as refusal:
        read_table(written(tmp_path, data, "t.xlsx"), SYNONYMS)
    assert "bị hỏng" in refusal.value.vi


def test_a_csv_under_the_name_of_a_workbook_is_read(tmp_path: Path) -> None:
    table, _ = read_table(written(tmp_path, "\n".join(LINES), "t.xlsx"), SYNONYMS)
    assert len(table) == 2


def test_a_group_names_its_columns_unless_it_says_nothing_new(tmp_path: Path) -> None:
    upper = ["TT", "Tên thôn", "Số hộ", "Hộ có điện lưới", None, "Toạ độ", None]
    lower = [None, None, None, "Số hộ", "Ghi chú", "Vĩ độ", "Kinh độ"]
    rows = [["UBND xã"], [], upper, lower, [1, "Thôn 1", 85, 80, "x", 11.94, 108.44]]
    for path in (
        book(tmp_path, rows),
        book(tmp_path, rows, merged=("A3:A4", "B3:B4", "D3:E3", "F3:G3", "A1:G1")),
    ):
        table, _ = read_table(path, SYNONYMS)
        assert table.loc[5, ["Số hộ", "Hộ có điện lưới Số hộ", "Vĩ độ", "Kinh độ"]].tolist() == [
            *("85", "80", "11.94", "108.44"),
        ]


def test_a_first_row_of_words_is_no_second_row_of_the_header(tmp_path: Path) -> None:
    table, _ = read_table(written(tmp_path, "Tên thôn;Số hộ\nThôn;x\n"), SYNONYMS)
    assert table.to_numpy().tolist() == [["Thôn", "x"]]


def test_sums_signatures_and_numbers_of_columns_are_left_out_and_told(tmp_path: Path) -> None:
    head = ["TT", "Tên thôn", "Số hộ", "Vĩ độ", "Kinh độ", "Ghi chú"]
    rows = [
        head, ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"], [1, "Thôn Cộng Hoà", 85], [2, "Tòng", 15], head,
        ["I", "Cộng xã Đạ Long", 100], [None, "Tổng cộng:", 100], [], [None, "Người lập biểu", None, "KT. CHỦ TỊCH"],
        [None, "Nguyễn Văn A", None, "Trần Văn B"],
    ]  # fmt: skip
    table, notes = read_table(book(tmp_path, rows), SYNONYMS)
    assert table["Tên thôn"].tolist() == ["Thôn Cộng Hoà", "Tòng"]
    assert [(note.row, note.code) for note in notes] == [
        *((2, "row_numbering"), (5, "row_header_again"), (6, "row_sum"), (7, "row_sum")),
        *((9, "row_signature"), (10, "row_signature")),
    ]
    assert "dòng 7" in notes[3].vi
    assert "“Tổng cộng:”" in notes[3].vi


@pytest.mark.parametrize(
    "row",
    [
        *(
            [1, "Thôn 1", None, None, None, "gần nhà ông Chủ tịch"],
            [None, "Thôn 1", 85, None, None, "Chủ tịch ở đây"],
        ),
        [1, "Thôn 1", None, None, None, "Ngày 5 tháng 3 năm 2026 có điện"],
        [None, "Thôn 1", None, None, None, "gần nhà ông Chủ tịch"],
        [None, "Thôn 1", None, None, None, "có điện từ ngày 5 tháng 3 năm 2026"],
    ],
)
def test_a_remark_in_an_ordinary_row_starts_no_signature(tmp_path: Path, row: list[object]) -> None:
    head = ["TT", "Tên thôn", "Số hộ", "Vĩ độ", "Kinh độ", "Ghi chú"]
    table, notes = read_table(book(tmp_path, [head, row, [2, "Thôn 2"], [3, "Thôn 3"]]), SYNONYMS)
    assert table["Tên thôn"].tolist() == ["Thôn 1", "Thôn 2", "Thôn 3"]
    assert not notes


@pytest.mark.parametrize(
    "row",
    [
        *(["Người lập biểu", None, "Kế toán", None, None, None, "Chủ tịch"], ["Xác nhận", "TM. UBND XÃ"]),
        *([None, "Đạ Long, ngày 5 tháng 3 năm 2026"], [None, "Đạ Long, ngày … tháng … năm …", "Duyệt"]),
    ],
)
def test_a_signature_takes_the_sparse_rows_below_along(tmp_path: Path, row: list[object]) -> None:
    head = ["TT", "Tên thôn", "Số hộ", "Vĩ độ", "Kinh độ", "Ghi chú", "Khác"]
    table, notes = read_table(book(tmp_path, [head, [1, "Thôn 1"], row, [None, "Trần Văn B"]]), SYNONYMS)
    assert table["Tên thôn"].tolist() == ["Thôn 1"]
    assert [note.code for note in notes] == ["row_signature"] * 2


def test_the_note_names_the_words_that_made_a_row_no_data(tmp_path: Path) -> None:
    rows = [["TT", "Tên thôn", "Số hộ"], [1, "Thôn 1", 5], ["13", "Tổng số", 5], ["Lê Văn A", "Chủ tịch"]]
    notes = read_table(book(tmp_path, rows), SYNONYMS | {"x": ("TT",)})[1]
    assert "“Tổng số”" in notes[0].en


def test_the_sheets_with_the_needed_columns_are_read_and_the_others_told(tmp_path: Path) -> None:
    first = [["Xã A"], ["Tên thôn", "Số hộ"], ["Thôn 1", 5]]
    second = [["Tên thôn", "Số hộ"], ["Thôn 2", 6]]
    summary = [["Xã", "Số hộ"], ["Xã A", 11]]
    table, notes = read_table(book(tmp_path, first, second, summary), SYNONYMS, ("name",))
    assert table.index.tolist() == ["Trang 1!3", "Trang 2!2"]
    assert table["Tên thôn"].tolist() == ["Thôn 1", "Thôn 2"]
    assert [note.code for note in notes] == ["sheet_left_out"]
    assert "Trang 3" in notes[0].vi


def test_sheets_may_spell_their_headers_each_in_its_own_way(tmp_path: Path) -> None:
    synonyms = {
        "name": ("Tên thôn", "Thôn"),
        "commune": ("Xã", "Tên xã"),
        "households": ("Số hộ", "Số hộ dân"),
    }
    first = [["Tên thôn", "Xã", "Số hộ"], ["Thôn 1", "A", 5]]
    second = [["Thôn", "Tên xã", "Số hộ dân"], ["Thôn 2", "B", 6]]
    third = [["Số hộ dân", "Xã", "Thôn", "Tên xã", "Số hộ"], [9, "C", "Thôn 3", "x", 7]]
    for order in ([first, second, third], [third, second, first], [second, third, first]):
        table, _ = read_table(book(tmp_path, *order), synonyms, ("name",))
        rows = rename(table, synonyms).sort_values("name").to_numpy().tolist()
        assert rows == [["Thôn 1", "A", "5"], ["Thôn 2", "B", "6"], ["Thôn 3", "C", "7"]]
        assert headers(table, synonyms)["name"] == ("Tên thôn" if order[0] is first else "Thôn")


def test_words_merged_over_rows_stand_in_each_and_numbers_do_not(tmp_path: Path) -> None:
    rows = [["Tên thôn", "Số hộ", "Kinh độ"], ["Thôn 1", 5, 1], [None, None, 2]]
    table, _ = read_table(book(tmp_path, rows, merged=("A2:A3", "B2:B3")), SYNONYMS)
    assert table.to_numpy().tolist() == [["Thôn 1", "5", "1"], ["Thôn 1", None, "2"]]


def test_a_workbook_with_a_cell_far_away_is_refused_before_it_takes_the_memory(tmp_path: Path) -> None:
    far = openpyxl.Workbook()
    far.active["XFD1048576"] = "x"
    far.save(tmp_path / "t.xlsx")
    with pytest.raises(PlacesRefused, match="too wide"):
        read_table(tmp_path / "t.xlsx", SYNONYMS)


@pytest.mark.parametrize("text", ["NA", "n/a", "-", "--", "#N/A", "…", ""])
def test_words_for_no_value_are_missing(tmp_path: Path, text: str) -> None:
    assert (
        read_table(written(tmp_path, f"Tên thôn;Số hộ\nThôn 1;{text}\n"), SYNONYMS)[0].loc[2, "Số hộ"] is None
    )


def test_the_apostrophe_that_a_spreadsheet_puts_before_a_number_is_left_out(tmp_path: Path) -> None:
    table, _ = read_table(written(tmp_path, "Tên thôn;Số hộ\n'Đạ Nhar;'085\n"), SYNONYMS)
    assert table.to_numpy().tolist() == [["'Đạ Nhar", "085"]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200) | st.text(alphabet='Tên thôn;Số hộ,\n\t"1|\r', max_size=80).map(str.encode)
)
def test_any_bytes_give_a_table_or_a_refusal(tmp_path: Path, data: bytes) -> None:
    try:
        table, _ = read_table(written(tmp_path, data), SYNONYMS)
    except PlacesRefused as refusal:
        assert refusal.vi.startswith("t.csv")
        assert refusal.en
        return
    assert table.columns.is_unique
    assert table.index.is_unique
