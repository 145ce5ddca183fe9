"""Any table file (.csv, .txt, .tsv, .xlsx, .xls) → text cells under their headers, with the row each stands in."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from coverage import text, workbooks
from coverage.errors import FileRefused, PlacesRefused
from coverage.places.notes import Note
from coverage.places.sheets.headers import Header, alike, find_header, header_keys
from coverage.places.sheets.left_out import left_out

LARGEST_TEXT = 1 << 30  # bytes of one unpacked file: more is no list of places
TABLE_SUFFIXES = {"", ".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods", ".gz"}
_BOOK_SUFFIXES = {".xlsx", ".xlsm"}
_GZIP = b"\x1f\x8b"
_BOOKS = (b"PK\x03\x04", b"PK\x05\x06", workbooks.OLD)
_DELIMITERS = (",", ";", "\t", "|")
_HEAD_LINES = 60
# As written by people, spreadsheets and programs.
_NO_VALUE = {"", "-", "--", "---", "…", "...", "NA", "N/A", "n/a", "#N/A", "<NA>"}
_NO_VALUE |= {"NaN", "nan", "NULL", "null", "None"}
Synonyms = Mapping[str, Sequence[str]]
Record = tuple[int, list[str]]


def is_table(path: Path) -> bool:
    """Whether the file's name is that of a table; anything else is taken for a map layer."""
    return path.suffix.lower() in TABLE_SUFFIXES


def read_table(path: Path, synonyms: Synonyms, needed: Sequence[str] = ()) -> tuple[pd.DataFrame, list[Note]]:
    """The cells of a table as NFC text (missing = None) under the file's own headers, and what was left out.

    The index is named `row` and holds the row that an editor or a spreadsheet shows; where several sheets of a
    workbook hold the table, “sheet!row”. The header is the row (or two rows, a group above its columns) with
    most names of `synonyms`; titles above it are passed over, and so are blank rows. Sums, signatures and rows
    that number the columns are left out and noted. Of a workbook those sheets are read that have the columns
    `needed` (names of `synonyms`); without such a sheet the one with most known columns. Sheets may spell a
    header each in its own way: the first sheet's then stands for all.
    Raises `PlacesRefused` for what is no table and for rows with more cells than the header.
    """
    known = {
        name: {key for word in (name, *words) for key in header_keys(word)}
        for name, words in synonyms.items()
    }
    wanted = frozenset().union(*known.values())
    sheets = [(name, records, find_header(records, wanted)) for name, records in _tables(path, wanted)]
    used = [sheet for sheet in sheets if all(known[column] & sheet[2].keys for column in needed)]
    if not used:
        used = [max(sheets, key=lambda sheet: sheet[2].hits)]
    frames, notes = (
        [],
        [_note_sheet(path, name) for name, _, _ in sheets if name not in {one[0] for one in used}],
    )
    for name, records, header in used:
        frame, more = _frame(path, name if len(used) > 1 else "", records, header)
        frames.append(frame)
        notes += more
    table = pd.concat(alike(frames, synonyms)) if len(frames) > 1 else frames[0]
    return table.rename_axis("row"), notes


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16, Windows-1258 or -1252, packed with gzip or not, in NFC.

    Every line ends with one newline; a byte-order mark is left off. Raises `PlacesRefused`.
    """
    try:
        data = _unpacked(path.read_bytes())
        known = text.recognise([data], path.name)
    except FileRefused as refusal:
        raise PlacesRefused(refusal.vi, refusal.en) from refusal
    except (ValueError, OSError, EOFError, zlib.error) as fault:
        raise PlacesRefused(
            f"{path.name}: không đọc được như văn bản ({fault}). Hãy lưu lại bằng UTF-8.",
            f"{path.name}: cannot be read as text ({fault}). Save it again in UTF-8.",
        ) from fault
    if known.torn and known.encoding == "utf-8":
        raise PlacesRefused(
            f"{path.name}: có chữ hỏng, không phải UTF-8 trọn vẹn. Hãy lưu lại bằng UTF-8.",
            f"{path.name}: holds broken letters, it is not whole UTF-8. Save it again in UTF-8.",
        )
    return text.whole([data], known, LARGEST_TEXT).decode("utf-8", "replace")


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    with gzip.open(io.BytesIO(data)) as packed:
        found = packed.read(LARGEST_TEXT + 1)
    if len(found) > LARGEST_TEXT:
        raise ValueError(f"> {LARGEST_TEXT} bytes")
    return found


def _tables(path: Path, wanted: frozenset[str]) -> list[tuple[str, list[Record]]]:
    """The name of each sheet and its rows that are not blank, numbered from 1; a text has one without a name."""
    if is_book(path):
        sheets = [(name, _numbered(rows)) for name, rows in _grids(path)]
    else:
        sheets = [("", _records_of_a_text(path, wanted))]
    filled = [(name, records) for name, records in sheets if records]
    if not filled:
        raise PlacesRefused(
            f"{path.name}: bảng trống, không có dòng nào.", f"{path.name}: the table is empty."
        )
    return filled


def _records_of_a_text(path: Path, wanted: frozenset[str]) -> list[Record]:
    # A CSV may bear the name of a workbook; anything else of that name is a broken one.
    if path.suffix.lower() not in _BOOK_SUFFIXES:
        return _text_records(path, wanted)
    try:
        records = _text_records(path, wanted)
    except PlacesRefused as refusal:
        raise _damaged(path) from refusal
    if not records or not find_header(records, wanted).hits:
        raise _damaged(path)
    return records


def _damaged(path: Path) -> PlacesRefused:
    return PlacesRefused(
        f"{path.name}: sổ Excel bị hỏng. Hãy mở bằng Excel và lưu lại, hoặc gửi lại tệp gốc.",
        f"{path.name}: the workbook is damaged. Open it in Excel and save it again, or send the original once more.",
    )


def is_book(path: Path) -> bool:
    """Whether the file is a workbook (or another zip), by its first bytes."""
    with path.open("rb") as stream:
        return stream.read(8).startswith(_BOOKS)


def _grids(path: Path) -> list[tuple[str, list[list[str]]]]:
    if zipfile.is_zipfile(path):
        _refuse_other_zips(path)
    try:
        return list(workbooks.grids(path))
    except FileRefused as refusal:
        raise PlacesRefused(refusal.vi, refusal.en) from refusal


def _refuse_other_zips(path: Path) -> None:
    with zipfile.ZipFile(path) as box:
        members = box.infolist()
    if not any(member.filename == "[Content_Types].xml" for member in members):
        raise PlacesRefused(
            f"{path.name}: tệp zip hoặc OpenDocument. Hãy gửi tệp .xlsx hoặc CSV bên trong.",
            f"{path.name}: a zip or an OpenDocument file. Send the .xlsx or CSV itself.",
        )
    if sum(member.file_size for member in members) > LARGEST_TEXT:
        raise PlacesRefused(f"{path.name}: sổ Excel quá lớn.", f"{path.name}: the workbook is too big.")


def _numbered(rows: Iterable[list[str]]) -> list[Record]:
    return [(number, row) for number, row in enumerate(rows, start=1) if any(row)]


def _text_records(path: Path, wanted: frozenset[str]) -> list[Record]:
    """The rows of a text: the delimiter is the one under which most headers are known."""
    whole = read_text(path)
    first = whole[: whole.find("\n")].strip().casefold()
    if first.startswith("sep=") and len(first) == len("sep=;"):
        return [record for record in _split(path, whole, first[-1]) if record[0] > 1]
    head = "".join(f"{line}\n" for line in whole.split("\n", _HEAD_LINES)[:_HEAD_LINES])
    return list(_split(path, whole, max(_DELIMITERS, key=lambda sign: _fitness(head, sign, wanted))))


def _fitness(head: str, delimiter: str, wanted: frozenset[str]) -> tuple[int, int]:
    # A quotation may not close within the head: what was split so far tells enough.
    records: list[Record] = []
    with suppress(csv.Error):
        records.extend(_lines(head, delimiter))
    found = find_header(records, wanted) if records else None
    return (found.hits if found else 0, head.count(delimiter))


def _split(path: Path, whole: str, delimiter: str) -> Iterator[Record]:
    number = 1
    try:
        for number, row in _lines(whole, delimiter):
            yield number, row
    except csv.Error as fault:
        raise PlacesRefused(
            f"{path.name}, sau dòng {number}: không đọc được như bảng CSV ({fault}); xem lại dấu ngoặc kép.",
            f"{path.name}, after row {number}: cannot be read as a CSV table ({fault}); look for a quotation mark.",
        ) from fault


def _lines(whole: str, delimiter: str) -> Iterator[Record]:
    """Each row that is not blank, with the line it begins at."""
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for cells in reader:
        row = [" ".join(cell.split()) for cell in cells]
        if any(row):
            yield begins, row
        begins = reader.line_num + 1


def _frame(path: Path, sheet: str, records: list[Record], header: Header) -> tuple[pd.DataFrame, list[Note]]:
    below = records[header.last + 1 :]
    _refuse_ragged(path, below, len(header.names))
    kept, notes = left_out(path.name, sheet, below, header.names)
    labels: list[int | str] = [f"{sheet}!{number}" if sheet else number for number, _ in kept]
    width = len(header.names)
    rows = [[*map(_value, row[:width]), *[None] * (width - len(row))] for _, row in kept]
    frame = pd.DataFrame(
        rows, columns=_unlike(header.names), index=pd.Index(labels, dtype=object), dtype=object
    )
    return frame, notes


def _value(cell: str) -> str | None:
    # Spreadsheets put an apostrophe before a number that is to stay as it is written.
    bare = cell[1:] if cell.startswith("'") and cell[1:2].isdigit() else cell
    return None if bare in _NO_VALUE else bare


def _unlike(names: Sequence[str]) -> list[str]:
    # Of columns with the same header the first is read; the others must not answer to its name.
    seen: set[str] = set()
    unlike = []
    for position, name in enumerate(names):
        unlike.append(f"{name} ({position + 1})" if name in seen or not name else name)
        seen.add(name)
    return unlike


def _refuse_ragged(path: Path, records: Iterable[Record], width: int) -> None:
    for number, row in records:
        if any(row[width:]):
            raise PlacesRefused(
                f"{path.name}, dòng {number}: có {len(row)} ô, nhiều hơn {width} cột của dòng tiêu đề "
                f"(ô thừa: “{next(cell for cell in row[width:] if cell)}”). Hãy đặt ô có dấu phân cách trong ngoặc kép.",
                f"{path.name}, row {number}: has {len(row)} cells, more than the header's {width} columns "
                f"(surplus cell: “{next(cell for cell in row[width:] if cell)}”). Quote cells that hold the delimiter.",
            )


def _note_sheet(path: Path, name: str) -> Note:
    return Note(
        "sheet_left_out",
        "",
        f"{path.name}: bỏ qua trang tính “{name}” vì không có các cột cần thiết.",
        f"{path.name}: passed over the sheet “{name}”, which lacks the columns needed.",
    )
