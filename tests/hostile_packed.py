"""Hostile containers and documents: zips, gzips, workbooks, bombs, and bytes that are no text at all."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Mapping
from xml.sax.saxutils import escape

from hostile import Case, Counts, Refusal
from hostile_apps import CANONICAL, WRITERS

ROWS = [CANONICAL.cells(row) for row in CANONICAL.rows()]
TEXT = CANONICAL.text(ROWS).encode()
SOUND = CANONICAL.sound()
OTHER = CANONICAL.text(ROWS[:3]).encode()
OTHER_SOUND = Counts(3, 3)
MIB = 1024 * 1024


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the members, the same bytes every time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as box:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2026, 10, 30, 8, 0, 0))
            info.compress_type = method
            box.writestr(info, data)
    return packed.getvalue()


def endless(mebibytes: int) -> bytes:
    """A raw deflate stream of so many MiB of one letter, made without packing them: one block, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(b"7" * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"7" * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mebibytes - 1) + packer.flush(zlib.Z_FINISH)


def gzip_bomb(mebibytes: int) -> bytes:
    """A gzip that unpacks to so many MiB; its checksum is wrong, which nobody should come to see."""
    return (
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
        + endless(mebibytes)
        + struct.pack("<II", 0, (mebibytes * MIB) & 0xFFFFFFFF)
    )


def zip_bomb(mebibytes: int, *, told: int | None = None) -> bytes:
    """A zip whose only member unpacks to so many MiB; told: what its headers say instead."""
    packed = endless(mebibytes)
    size = (mebibytes if told is None else told) * MIB
    name = b"log.csv"
    numbers = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, 0, len(packed), size)
    local = b"PK\x03\x04" + numbers + struct.pack("<HH", len(name), 0) + name + packed
    entry = (
        b"PK\x01\x02"
        + struct.pack("<H", 20)
        + numbers
        + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0)
        + name
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


def marked(data: bytes, at: int, value: int) -> bytes:
    """The zip with a byte of each member's headers changed, counted from the version that is needed."""
    out = bytearray(data)
    for mark, start in ((b"PK\x03\x04", 4), (b"PK\x01\x02", 6)):
        place = out.find(mark)
        while place >= 0:
            out[place + start + at] = value
            place = out.find(mark, place + 4)
    return bytes(out)


ENCRYPTED, METHOD = 2, 4


_OOXML = "http://schemas.openxmlformats.org"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_OOXML}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_OOXML}/package/2006/relationships"><Relationship Id="r1" Target="xl/workbook.xml" '
    f'Type="{_OOXML}/officeDocument/2006/relationships/officeDocument"/></Relationships>',
}  # fmt: skip


def sheet_data(rows: list[list[str]]) -> str:
    """The cells of a sheet, all as text."""
    out = []
    for number, row in enumerate(rows, 1):
        cells = (
            f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for at, cell in enumerate(row)
        )
        out.append(f'<row r="{number}">{"".join(cells)}</row>')
    return f"<sheetData>{''.join(out)}</sheetData>"


def workbook(sheets: Mapping[str, str], hidden: str = "", head: str = "") -> bytes:
    """An .xlsx; head: what stands before each sheet's own element, such as entities."""
    numbered = list(enumerate(sheets.items(), 1))
    names = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"{" state=" + chr(34) + "hidden" + chr(34) if name == hidden else ""}/>'
        for i, (name, _) in numbered
    )
    links = "".join(
        f'<Relationship Id="r{i}" Target="worksheets/sheet{i}.xml" Type="{_OOXML}/officeDocument/2006/relationships/worksheet"/>'
        for i, _ in numbered
    )
    main = f'xmlns="{_OOXML}/spreadsheetml/2006/main"'
    parts = _PARTS | {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{_OOXML}/officeDocument/2006/relationships"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_OOXML}/package/2006/relationships">{links}</Relationships>',
        **{
            f"xl/worksheets/sheet{i}.xml": f"{head}<worksheet {main}>{data}</worksheet>"
            for i, (_, data) in numbered
        },
    }
    return zipped({name: f'<?xml version="1.0"?>{text}'.encode() for name, text in parts.items()})


TABLE = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
SHEET = sheet_data(TABLE)
FEW = sheet_data(TABLE[:4])
FAR = SHEET.replace(
    "</sheetData>", '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
)
BEYOND = SHEET.replace(
    "</sheetData>", '<row r="4294967295"><c r="ZZZZZZZ4294967295"><v>1</v></c></row></sheetData>'
)
ENTITIES = (
    "<!DOCTYPE x ["
    + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    + "]>"
)
BOOKS = [
    Case("xlsx/one-sheet", "do.xlsx", workbook({"Đo": SHEET}), SOUND),
    Case("xlsx/named-as-csv", "do.csv", workbook({"Đo lần 2": SHEET}), SOUND),
    Case("xlsx/several", "do.xlsx", workbook({"A": SHEET, "Ghi chú": sheet_data([["máy", "1"], ["đội", "2"]]), "B": FEW, "C": "<sheetData/>"}),
         {"do.xlsx/A": SOUND, "do.xlsx/Ghi chú": Refusal("unknown format"), "do.xlsx/B": OTHER_SOUND}),
    Case("xlsx/hidden", "do.xlsx", workbook({"A": SHEET, "B": sheet_data([["x"], ["y"]])}, hidden="B"), SOUND),
    Case("xlsx/empty", "do.xlsx", workbook({"A": "<sheetData/>"}), Refusal("empty")),
    Case("xlsx/far-cell", "do.xlsx", workbook({"A": FAR}), Refusal("too wide")),
    Case("xlsx/cell-beyond", "do.xlsx", workbook({"A": BEYOND}), Refusal("too wide")),
    Case("xlsx/lying-dimension", "do.xlsx", workbook({"A": '<dimension ref="A1:XFD1048576"/>' + SHEET}), SOUND),
    Case("xlsx/entities", "do.xlsx", workbook({"A": SHEET.replace("5</t>", "&e11;</t>")}, head=ENTITIES), Refusal("workbook")),
    Case("xlsx/torn", "do.xlsx", workbook({"A": SHEET})[:-30], Refusal("damaged")),
    Case("xlsx/no-parts", "do.xlsx", zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), Refusal("workbook")),
    Case("xlsx/torn-part", "do.xlsx", zipped({"[Content_Types].xml": b"<Types", "xl/workbook.xml": b"\0" * 99}), Refusal("workbook")),
    Case("xlsx/open-document", "do.ods", zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"}), Refusal(".ods")),
    Case("xls/rubbish", "do.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 20, Refusal("workbook")),
    Case("xls/torn", "do.xls", b"\xd0\xcf\x11\xe0", Refusal("workbook")),
]  # fmt: skip
NOISE = {"__MACOSX/._log.csv": b"\0\5", ".DS_Store": b"\0", "day/": b"", "day/._x": b"x"}
ZIPS = [
    Case("zip/noise", "box.zip", zipped(NOISE | {"log.csv": TEXT}), {"box.zip/log.csv": SOUND}),
    Case("zip/only-noise", "box.zip", zipped(NOISE), Refusal("no file")),
    Case("zip/empty", "box.zip", zipped({}), Refusal("no file")),
    Case("zip/stored", "box.zip", zipped({"log.csv": TEXT}, zipfile.ZIP_STORED), {"box.zip/log.csv": SOUND}),
    Case("zip/lzma", "box.zip", zipped({"log.csv": TEXT}, zipfile.ZIP_LZMA), {"box.zip/log.csv": SOUND}),
    Case("zip/paths", "box.zip", zipped({"../../../etc/cron.d/x.csv": TEXT, "/abs.csv": OTHER, "C:\\x\\y.csv": OTHER + b"\n\n"}),
         {"box.zip/../../../etc/cron.d/x.csv": SOUND, "box.zip//abs.csv": OTHER_SOUND, "box.zip/C:\\x\\y.csv": OTHER_SOUND}),
    Case("zip/steering-name", "box.zip", zipped({"a\x1b[2J\nb\u202e.csv": TEXT}), {"box.zip/a\ufffd[2J\ufffdb\ufffd.csv": SOUND}),
    Case("zip/long-name", "box.zip", zipped({"x" * 5000 + ".csv": TEXT}), {f"box.zip/{'x' * 5000}.csv": SOUND}),
    Case("zip/vietnamese-name", "box.zip", zipped({"Đo sóng/thôn 1.csv": TEXT}), {"box.zip/Đo sóng/thôn 1.csv": SOUND}),
    Case("zip/good-and-bad", "box.zip", zipped({"a.csv": TEXT, "b.bin": bytes(range(256)) * 9, "c.csv": b"", "d.csv": OTHER, "e.pdf": b"%PDF-1.7\n"}),
         {"box.zip/a.csv": SOUND, "box.zip/b.bin": Refusal("binary"), "box.zip/c.csv": Refusal("empty"), "box.zip/d.csv": OTHER_SOUND,
          "box.zip/e.pdf": Refusal("PDF")}),
    Case("zip/nested", "box.zip", zipped({"in.zip": zipped({"log.csv": TEXT}), "log.csv": OTHER}),
         {"box.zip/in.zip": Refusal("inside another archive"), "box.zip/log.csv": OTHER_SOUND}),
    Case("zip/book-inside", "box.zip", zipped({"do.xlsx": workbook({"A": SHEET})}), {"box.zip/do.xlsx": Refusal("inside another archive")}),
    Case("zip/gzip-inside", "box.zip", zipped({"log.csv.gz": gzip.compress(TEXT, mtime=0)}), {"box.zip/log.csv.gz": SOUND}),
    Case("zip/gzip-in-gzip-inside", "box.zip", zipped({"x.gz": gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0)}),
         {"box.zip/x.gz": Refusal("gzip inside a gzip")}),
    Case("zip/locked", "box.zip", marked(zipped({"log.csv": TEXT}), ENCRYPTED, 1), {"box.zip/log.csv": Refusal("without a password")}),
    Case("zip/unknown-method", "box.zip", marked(zipped({"log.csv": TEXT}), METHOD, 99), {"box.zip/log.csv": Refusal("cannot be read")}),
    Case("zip/torn", "box.zip", zipped({"log.csv": TEXT})[:-25], Refusal("damaged")),
    Case("zip/half", "box.zip", zipped({"log.csv": TEXT})[:120], Refusal("damaged")),
    Case("zip/head-alone", "box.zip", b"PK\x03\x04", Refusal("damaged")),
    Case("zip/tail-added", "box.zip", zipped({"log.csv": TEXT}) + b"\0" * 99, {"box.zip/log.csv": SOUND}),
    Case("zip/bomb", "box.zip", zip_bomb(2048), {"box.zip/log.csv": Refusal("packed like a bomb")}),
    Case("zip/bomb-that-lies", "box.zip", zip_bomb(64, told=1), {"box.zip/log.csv": Refusal("without a password")}),
    Case("zip/gzip-bomb-inside", "box.zip", zipped({"x.gz": gzip_bomb(256)}, zipfile.ZIP_STORED), {"box.zip/x.gz": Refusal("packed like a bomb")}),
    Case("zip/twenty-thousand", "box.zip", zipped({f"{i}.csv": b"" for i in range(20_001)}, zipfile.ZIP_STORED), Refusal("too big")),
]  # fmt: skip
GZIPS = [
    Case("gzip/torn", "log.csv.gz", gzip.compress(TEXT, mtime=0)[:-9], Refusal("cannot be read")),
    Case("gzip/wrong-sum", "log.csv.gz", gzip.compress(TEXT, mtime=0)[:-8] + b"\0" * 8, Refusal("cannot be read")),
    Case("gzip/rubbish", "log.csv.gz", b"\x1f\x8b\x08\0" + b"\xff" * 99, Refusal("cannot be read")),
    Case("gzip/empty", "log.csv.gz", gzip.compress(b"", mtime=0), Refusal("empty")),
    Case("gzip/twice", "log.csv.gz", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0), Refusal("gzip inside a gzip")),
    Case("gzip/of-zip", "box.zip.gz", gzip.compress(zipped({"log.csv": TEXT}), mtime=0), Refusal("inside another archive")),
    Case("gzip/bomb", "log.csv.gz", gzip_bomb(1024), Refusal("packed like a bomb")),
]  # fmt: skip
KML = next(writer for writer in WRITERS if writer.name == "gnettrack_kml")
_LAUGHS = (
    KML.text([KML.cells(row) for row in KML.rows()])
    .replace("<kml>", ENTITIES + "<kml>")
    .replace(">-70<", ">&e11;<")
)
DOCUMENTS = [
    Case("kml/entities", "log.kml", _LAUGHS.encode(), Refusal("damaged")),
    Case("kml/outside-entity", "log.kml", _LAUGHS.replace(ENTITIES, '<!DOCTYPE x [<!ENTITY e11 SYSTEM "file:///etc/passwd">]>').encode(), Refusal("damaged")),
    Case("kml/deep", "log.kml", (b"<kml>" + b"<Folder>" * 5000 + b"</Folder>" * 5000 + b"</kml>"), Refusal("damaged")),
    Case("kml/no-level", "track.kml", b"<kml><Placemark><Point><coordinates>1,2</coordinates></Point></Placemark></kml>", Refusal("level")),
    Case("json/deep", "x.json", b'{"cellTowers": 1, "items":' + b"[" * 200_000, Refusal("damaged")),
    Case("json/deep-object", "x.json", b'{"items":' + b'{"cellTowers":' * 100_000, Refusal("damaged")),
    Case("json/no-items", "x.json", b'{"cellTowers": 3}', Refusal("no list")),
    Case("json/nothing-known", "x.json", b'[{"name": "x", "value": 1}]', Refusal("unknown format")),
    Case("json/odd-items", "x.json", b'{"items": [null, 3, "x", [], {"position": 5, "cellTowers": {"a": 1}}]}',
         Counts(5, 0, rejected=5, codes={"bad_coordinate": 10, "bad_time": 5})),
    Case("json/geojson", "x.geojson", b'{"type": "FeatureCollection", "features": []}', Refusal("unknown format")),
]  # fmt: skip
_RUBBISH = {
    "random.csv": (random.Random(7).randbytes(5000), "binary"),
    "png.csv": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(200), "picture"),
    "jpeg.csv": (b"\xff\xd8\xff\xe0" + bytes(range(256)), "picture"),
    "pdf.csv": (b"%PDF-1.7\n1 0 obj\n<< >>\n", "PDF"),
    "elf.csv": (b"\x7fELF\2\1\1\0" + bytes(8) + bytes(range(256)) * 4, "binary"),
    "sqlite.csv": (b"SQLite format 3\0" + bytes(4080), "SQLite"),
    "parquet.csv": (b"PAR1" + bytes(range(256)) + b"PAR1", "Parquet"),
    "seven.csv": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "7z"),
    "rar.csv": (b"Rar!\x1a\x07\0" + bytes(99), "RAR"),
    "zeros.csv": (bytes(5000), "empty"),
    "nothing.csv": (b"", "empty"),
    "blank.csv": (b" \r\n\t\n" * 999, "empty"),
    "mark.csv": (b"\xef\xbb\xbf", "empty"),
    "mark16.csv": (b"\xff\xfe", "empty"),
    "page.csv": (b"<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n", "unknown format"),
    "page.xls": (b"<table><tr><td>time</td><td>lat</td><td>lon</td></tr></table>\n", "unknown format"),
    "feed.xml": (b'<?xml version="1.0"?>\n<rss><item>time,lat,lon</item></rss>\n', "unknown format"),
    "mail.txt": ("Kính gửi Sở,\nđội 1 đã đo xong thôn 3, xin gửi kèm tệp.\n".encode(), "unknown format"),
    "one-line.csv": (b"7" * 3_000_000, "unknown format"),
    "delimiters.csv": (b"," * 90_000 + b"\n" + b"," * 90_000, "unknown format"),
    "quotes.csv": (b'"' * 90_001, "unknown format"),
}  # fmt: skip
PACKED: list[Case] = [
    *BOOKS, *ZIPS, *GZIPS, *DOCUMENTS,
    *(Case(f"rubbish/{name}", name, data, Refusal(says)) for name, (data, says) in _RUBBISH.items()),
]  # fmt: skip
