"""Bytes of a field file → its text: UTF-8, NFC, one newline after every line."""

from __future__ import annotations

import codecs
import unicodedata

from coverage.errors import FileRefused

# First bytes of files that people send by mistake, and what to do instead.
_MAGIC = (
    (b"\x1f\x8b", "tệp nén gzip: hãy giải nén trước", "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf", "tệp nén 7z: hãy giải nén trước", "a 7z archive: unpack it first"),
    (b"Rar!", "tệp nén RAR: hãy giải nén trước", "a RAR archive: unpack it first"),
    (
        b"PK\x03\x04",
        "tệp zip hoặc Excel trong tệp zip: hãy giải nén, lưu thành CSV",
        "a zip or Excel file inside a zip: unpack it, save as CSV",
    ),
    (b"\xd0\xcf\x11\xe0", "sổ Excel cũ: hãy lưu thành CSV", "an old Excel workbook: save it as CSV"),
    (b"SQLite format 3", "cơ sở dữ liệu SQLite: hãy xuất ra CSV", "an SQLite database: export it as CSV"),
    (b"PAR1", "tệp Parquet: hãy xuất ra CSV", "a Parquet file: export it as CSV"),
    (b"%PDF", "tệp PDF: hãy gửi tệp CSV gốc", "a PDF: send the original CSV"),
    (b"\x89PNG", "tệp ảnh", "a picture"),
    (b"\xff\xd8\xff", "tệp ảnh", "a picture"),
)
BINARY_SHARE = 0.05  # more control characters than this and the file is no text
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27}) + b"\x7f"


def readable(data: bytes, file: str) -> bytes:
    """The file's text as UTF-8 bytes: no BOM, NFC, a newline after every line.

    Reads UTF-8, UTF-16 (with or without BOM) and, where neither fits, Windows-1258. Raises `FileRefused`
    for an empty file and for one that is no text, saying what it is where its first bytes tell.
    """
    if not data.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise FileRefused(f"{file}: tệp trống, không có dòng nào.", f"{file}: the file is empty.")
    for magic, vi, en in _MAGIC:
        if data.startswith(magic):
            raise FileRefused(f"{file}: {vi}.", f"{file}: {en}.")
    text = _utf8(data)
    return _lines(text if text is not None else _normal(_decoded(data, file)))


def _utf8(data: bytes) -> bytes | None:
    """The bytes as they are where they are plain ASCII (most logs); None where they must be decoded."""
    return data if data.isascii() and not _binary(data) else None


def _decoded(data: bytes, file: str) -> str:
    encoding = _utf16(data)
    if encoding is not None:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    if _binary(data):
        raise FileRefused(
            f"{file}: tệp nhị phân, không phải văn bản. Hãy xuất ra CSV hoặc TXT.",
            f"{file}: a binary file, not text. Export it as CSV or TXT.",
        )
    return _utf8_or_1258(data)


def _utf16(data: bytes) -> str | None:
    """UTF-16 by its BOM, or by the zero bytes that Latin letters and digits leave in it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:4000]
    odd, even = head[1::2].count(0), head[::2].count(0)
    if max(odd, even) * 4 < len(head):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _binary(data: bytes) -> bool:
    head = data[:200_000]
    return len(head) - len(head.translate(None, _CONTROL)) > BINARY_SHARE * len(head)


def _utf8_or_1258(data: bytes) -> str:
    """UTF-8 unless most of its letters beyond ASCII are broken: one torn byte must not garble all names."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    sound = sum(not letter.isascii() for letter in text) - broken
    return text if sound > broken else data.decode("cp1258", "replace")


def _normal(text: str) -> bytes:
    nfc = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    return nfc.encode("utf-8", "replace")


def _lines(text: bytes) -> bytes:
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text if text.endswith(b"\n") else text + b"\n"
