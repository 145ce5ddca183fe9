"""Bytes of a field file → its text in blocks of whole lines: UTF-8, NFC, one newline after every line."""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from coverage.errors import FileRefused

_PICTURE = (
    "tệp ảnh, không đọc được số liệu trong ảnh: hãy gửi tệp gốc mà ứng dụng xuất ra (CSV, TXT, Excel, zip)",
    "a picture, and nothing is read from pictures: send the file that the app exports (CSV, TXT, Excel, zip)",
)
# First bytes of files that people send by mistake, and what to do instead.
_MAGIC = (
    (b"7z\xbc\xaf", "tệp nén 7z: hãy giải nén trước", "a 7z archive: unpack it first"),
    (b"Rar!", "tệp nén RAR: hãy giải nén trước", "a RAR archive: unpack it first"),
    (
        b"PK\x03\x04",
        "tệp zip hoặc Excel nằm trong tệp nén khác: hãy giải nén rồi gửi riêng",
        "a zip or Excel file inside another archive: unpack it and send it by itself",
    ),
    (b"\x1f\x8b", "tệp gzip nằm trong tệp gzip: hãy giải nén trước", "a gzip inside a gzip: unpack it first"),
    (
        b"\xd0\xcf\x11\xe0",
        "sổ Excel cũ nằm trong tệp nén: hãy gửi riêng",
        "an old Excel workbook inside an archive: send it by itself",
    ),
    (b"SQLite format 3", "cơ sở dữ liệu SQLite: hãy xuất ra CSV", "an SQLite database: export it as CSV"),
    (b"PAR1", "tệp Parquet: hãy xuất ra CSV", "a Parquet file: export it as CSV"),
    (b"%PDF", "tệp PDF: hãy gửi tệp CSV gốc", "a PDF: send the original CSV"),
    (b"\x89PNG", *_PICTURE),
    (b"\xff\xd8\xff", *_PICTURE),
)
BLOCK_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 1_000_000  # a longer line is no row of a log: its end is not even kept
HEAD_BYTES = 200_000
BINARY_SHARE = 0.05  # more control characters than this and the file is no text
# What a power cut leaves where a file's last blocks never reached the disk: the rest of the file is sound.
_ZEROS = re.compile(rb"\x00{16,}")
_NOTHING = b"\x00\r\n\t \x1a" + codecs.BOM_UTF8 + codecs.BOM_UTF16
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27}) + b"\x7f"
# What simulated rows say of themselves, in some cell of theirs; looked for at the start of the file.
_SIMULATED = re.compile(rb"\bsimulated\b", re.IGNORECASE)
# In Windows-1258 these bytes are tone marks, which follow a vowel; in Windows-1252 they are letters of their own.
_MARK_AFTER = re.compile(rb"([A-Za-z\xc2\xca\xd4\xd5\xdd\xe2\xe3\xea\xf4\xf5\xfd])[\xcc\xd2\xde\xec\xf2]")
_VOWELS = b"AEIOUYaeiouy\xc2\xca\xd4\xd5\xdd\xe2\xe3\xea\xf4\xf5\xfd"
_PORTUGUESE = re.compile(rb"\xe3o|\xf5e")  # são, ões: spelt so in Windows-1252 only


@dataclass(frozen=True)
class Text:
    """What a file's bytes are: their sha256, their encoding, and whether they say that they are simulated.

    torn: some bytes do not fit the encoding; the sign for an unknown letter stands for each.
    """

    sha256: str
    encoding: str
    torn: bool
    simulated: bool


def recognise(chunks: Iterable[bytes], file: str) -> Text:
    """What the bytes are, every piece looked at once.

    UTF-16 by its mark or its zero bytes; UTF-8 unless most of its letters beyond ASCII are broken (one torn
    byte must not garble all names); else Windows-1258 or -1252. Raises `FileRefused` for an empty file and
    for one that is no text, saying what it is where its first bytes tell.
    """
    digest, head, other = hashlib.sha256(), b"", _NotAscii()
    blank = True
    for chunk in _digested(chunks, digest):
        head += chunk[: max(0, HEAD_BYTES * 5 - len(head))]
        blank = blank and not chunk.strip(_NOTHING)
        if other.open or not chunk.isascii():
            other.look(chunk)
    other.look(b"", final=True)
    if blank:
        raise empty(file)
    encoding = _utf16(head)
    if encoding is None:
        _refuse_no_text(head, file)
        encoding = other.encoding()
    plain = head if encoding != "utf-16" else head.replace(b"\x00", b"")
    return Text(digest.hexdigest(), encoding, other.broken > 0, _SIMULATED.search(plain) is not None)


def empty(file: str) -> FileRefused:
    """The refusal of a file in which nothing stands."""
    return FileRefused(
        f"{file}: tệp trống, không có dòng nào. Hãy xuất lại hoặc chép lại tệp gốc rồi gửi tệp đó.",
        f"{file}: the file is empty. Export or copy it once more, and send that.",
    )


def _digested(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    """The pieces themselves; the digest, worked out beside whatever else is done with them, is complete at their end."""
    with ThreadPoolExecutor(1) as pool:
        before: Future[None] | None = None
        for piece in chunks:
            if before is not None:
                before.result()
            before = pool.submit(digest.update, piece)
            yield piece


class _NotAscii:
    """Counts of what stands in the pieces that are not plain ASCII."""

    def __init__(self) -> None:
        self.sound = self.broken = self.marks = self.letters = self.portuguese = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def look(self, chunk: bytes, *, final: bool = False) -> None:
        text = self._decoder.decode(chunk, final)
        broken = text.count("\ufffd")
        self.broken += broken
        self.sound += len(text) - len(text.encode("ascii", "ignore")) - broken
        if broken:
            before = [match[1] for match in _MARK_AFTER.finditer(chunk)]
            vowels = sum(letter in _VOWELS for letter in before)
            self.marks += vowels
            self.letters += len(before) - vowels
            self.portuguese += len(_PORTUGUESE.findall(chunk))

    @property
    def open(self) -> bool:
        """Whether a letter began at the end of the last piece."""
        return bool(self._decoder.getstate()[0])

    def encoding(self) -> str:
        if self.sound >= self.broken:
            return "utf-8"
        western = self.letters + self.portuguese
        return "cp1252" if western and western >= self.marks else "cp1258"


def _refuse_no_text(head: bytes, file: str) -> None:
    for magic, vi, en in _MAGIC:
        if head.startswith(magic):
            raise FileRefused(f"{file}: {vi}.", f"{file}: {en}.")
    start = _ZEROS.sub(b"", head[:HEAD_BYTES])
    if len(start) - len(start.translate(None, _CONTROL)) > BINARY_SHARE * len(start):
        raise FileRefused(
            f"{file}: tệp nhị phân, không phải văn bản. Hãy xuất ra CSV hoặc TXT.",
            f"{file}: a binary file, not text. Export it as CSV or TXT.",
        )


def _utf16(data: bytes) -> str | None:
    """UTF-16 by its BOM, or by the zero bytes that Latin letters and digits leave in it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:4000].rstrip(b"\x00")
    odd, even = head[1::2].count(0), head[::2].count(0)
    # Zeros on both sides are no letters: a hole in a text of bytes.
    if max(odd, even) * 4 < len(head) or min(odd, even) * 2 > max(odd, even):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def whole(chunks: Iterable[bytes], text: Text, limit: int) -> bytes:
    """The text in one piece, however long its lines; of one longer than `limit` bytes little more than that."""
    held: list[bytes] = []
    size = 0
    for piece in _newlines(_utf8(chunks, text)):
        held.append(piece)
        size += len(piece)
        if size > limit:
            break
    found = b"".join(held)
    return found if found.isascii() else _nfc(found)


def blocks(chunks: Iterable[bytes], text: Text) -> Iterator[bytes]:
    """The text in blocks of whole lines, each about `BLOCK_BYTES` long.

    A line longer than `MAX_LINE_BYTES` keeps one byte more than that, so that it can be told and costs no memory.
    """
    held: list[bytes] = []
    size = 0
    for piece in _cut(_newlines(_utf8(chunks, text))):
        held.append(piece if piece.isascii() else _nfc(piece))
        size += len(piece)
        if size >= BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, each ending with a line's end; what is too long of a line is left out."""
    rest = b""
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield _clipped(rest, piece[:end])
            rest = b""
        rest = (rest + piece[end:])[: MAX_LINE_BYTES + 1]
    if rest:
        yield rest + b"\n"


def _clipped(rest: bytes, piece: bytes) -> bytes:
    return rest + piece if len(rest) <= MAX_LINE_BYTES else rest + piece[piece.index(b"\n") :]


def _utf8(chunks: Iterable[bytes], text: Text) -> Iterator[bytes]:
    """The bytes as UTF-8, without a mark at their start, nor a second one that a program put before it."""
    sound = text.encoding == "utf-8" and not text.torn
    decoder = codecs.getincrementaldecoder(text.encoding)("replace")
    start = True
    for chunk in chunks:
        piece = chunk if sound else decoder.decode(chunk).encode("utf-8", "replace")
        yield piece.removeprefix(codecs.BOM_UTF8).removeprefix(codecs.BOM_UTF8) if start else piece
        start = start and not piece
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _newlines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces with one newline for each line's end; an end torn in two by the cut between pieces is one."""
    torn = b""
    for piece in pieces:
        whole = torn + piece
        torn = next(end for end in (b"\r\r", b"\r", b"") if whole.endswith(end))
        yield _plain_ends(whole.removesuffix(torn))
    yield _plain_ends(torn)


def _plain_ends(text: bytes) -> bytes:
    if b"\r" not in text:
        return text
    # Two returns and a newline are one end of a line, which a program wrote over another's.
    return text.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _nfc(piece: bytes) -> bytes:
    text = piece.decode("utf-8", "replace")
    return piece if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text).encode()
