"""Sound rows in hostile writing: encodings, line ends, torn ends, and what spreadsheets do to a file."""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from hostile import Case, Counts, Refusal, Writer

TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True)
class TextQuirk:
    """How the text becomes bytes; shift: lines above the header that were added; docs: for documents too."""

    name: str
    write: Callable[[str, Writer], bytes]
    shift: int = 0
    documents: bool = True
    beyond_ascii: bool = False


def windows_1258(text: str) -> bytes:
    """Vietnamese as Windows-1258 has it: letters, each tone a mark behind its vowel."""
    out = []
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        tones = "".join(part for part in parts if part in TONES)
        base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in TONES))
        out.append(base + tones)
    return "".join(out).encode("cp1258")


def _mixed_ends(text: str, _writer: Writer) -> bytes:
    ends = ("\n", "\r\n", "\r")
    lines = text.split("\n")[:-1]
    return "".join(line + ends[i % 3] for i, line in enumerate(lines)).encode()


def _quoted(text: str, writer: Writer) -> bytes:
    rows = [writer.cells(row) for row in writer.rows()]
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    cells = [['"' + cell.replace('"', '""') + '"' for cell in line] for line in lines]
    return (writer.above + "\n".join(writer.delimiter.join(line) for line in cells) + "\n").encode()


def _ended(text: str, writer: Writer, *, header: bool, count: int) -> bytes:
    first = writer.first_line - 1 - header
    lines = text.split("\n")[:-1]
    return (
        "\n".join(line + writer.delimiter * count * (i >= first) for i, line in enumerate(lines)) + "\n"
    ).encode()


def _padded(text: str, writer: Writer) -> bytes:
    lines = text.split("\n")
    head = writer.delimiter.join(f" {name} " for name in lines[writer.first_line - 2].split(writer.delimiter))
    return "\n".join([*lines[: writer.first_line - 2], head, *lines[writer.first_line - 1 :]]).encode()


def _shouted(text: str, writer: Writer) -> bytes:
    lines = text.split("\n")
    lines[writer.first_line - 2] = lines[writer.first_line - 2].upper()
    return "\n".join(lines).encode()


TEXTS: tuple[TextQuirk, ...] = (
    TextQuirk("utf8", lambda text, _: text.encode()),
    TextQuirk("utf8-mark", lambda text, _: text.encode("utf-8-sig")),
    TextQuirk("utf8-mark-twice", lambda text, _: ("\ufeff\ufeff" + text).encode(), documents=False),
    TextQuirk("utf16-le-mark", lambda text, _: b"\xff\xfe" + text.encode("utf-16-le")),
    TextQuirk("utf16-be-mark", lambda text, _: b"\xfe\xff" + text.encode("utf-16-be")),
    TextQuirk("utf16-le", lambda text, _: text.encode("utf-16-le")),
    TextQuirk("utf16-be", lambda text, _: text.encode("utf-16-be")),
    TextQuirk("utf16-crlf", lambda text, _: text.replace("\n", "\r\n").encode("utf-16")),
    TextQuirk("windows-1258", lambda text, _: windows_1258(text), beyond_ascii=True),
    TextQuirk("decomposed", lambda text, _: unicodedata.normalize("NFD", text).encode(), beyond_ascii=True),
    TextQuirk("crlf", lambda text, _: text.replace("\n", "\r\n").encode()),
    TextQuirk("cr", lambda text, _: text.replace("\n", "\r").encode()),
    TextQuirk("mixed-ends", _mixed_ends),
    TextQuirk("no-last-newline", lambda text, _: text.removesuffix("\n").encode()),
    TextQuirk("blank-tail", lambda text, _: (text + "\n" * 700).encode()),
    TextQuirk("blank-tail-crlf", lambda text, _: (text + "\n\n").replace("\n", "\r\n").encode()),
    TextQuirk("dos-end", lambda text, _: text.encode() + b"\x1a", documents=False),
    TextQuirk("blank-head", lambda text, _: ("\n\r\n" + text).encode(), shift=2),
    TextQuirk("sep-line", lambda text, writer: f"sep={writer.delimiter}\n{text}".encode(), shift=1, documents=False),
    TextQuirk("all-quoted", _quoted, documents=False),
    TextQuirk("trailing-delimiter", lambda text, w: _ended(text, w, header=False, count=1), documents=False),
    TextQuirk("trailing-columns", lambda text, w: _ended(text, w, header=True, count=4), documents=False),
    TextQuirk("padded-header", _padded, documents=False),
    TextQuirk("shouted-header", _shouted, documents=False),
    TextQuirk("gzip", lambda text, _: gzip.compress(text.encode(), mtime=0)),
    TextQuirk("gzip-in-parts", lambda text, _: b"".join(gzip.compress(part.encode(), mtime=0) for part in (text[:99], text[99:]))),
    TextQuirk("gzip-utf16", lambda text, _: gzip.compress(text.encode("utf-16"), mtime=0)),
)  # fmt: skip


def text_case(writer: Writer, quirk: TextQuirk) -> Case | None:
    """The sound rows in that writing: all of them must come back."""
    if not (writer.table or quirk.documents):
        return None
    text = writer.text([writer.cells(row) for row in writer.rows()])
    if quirk.beyond_ascii and text.isascii():
        return None
    counts = writer.sound()
    if writer.table and quirk.shift:
        counts = replace(counts, held={line + quirk.shift: row for line, row in counts.held.items()})
    return Case(f"{writer.name}/{quirk.name}", writer.file, quirk.write(text, writer), counts)


def ends(writer: Writer) -> list[Case]:
    """Files whose end is torn, and files that were put behind one another."""
    text = writer.text([writer.cells(row) for row in writer.rows()])
    sound = writer.sound()
    cut = text[: text.rstrip("\n").rfind("\n") + 12] if writer.table else text[: len(text) * 2 // 3]
    torn = {
        "cut-tail": cut.encode(),
        "zero-tail": text.encode() + bytes(4096),
        "cut-utf16": cut.encode("utf-16")[:-1],
    }
    if not writer.table:
        return [
            Case(f"{writer.name}/{name}", writer.file, data, Refusal("damaged"))
            for name, data in torn.items()
        ]
    return [
        *(Case(f"{writer.name}/{name}", writer.file, data, _torn(sound, name)) for name, data in torn.items()),
        Case(f"{writer.name}/twice", writer.file, (text + text).encode(), _twice(sound, writer)),
        Case(f"{writer.name}/header-only", writer.file, text.split("\n" + text.split("\n")[writer.first_line - 1])[0].encode(), Counts(0, 0)),
    ]  # fmt: skip


def _torn(sound: Counts, name: str) -> Counts:
    """The last row is cut, or a line of zero bytes stands behind it."""
    if name == "zero-tail":
        return replace(sound, rows=sound.rows + 1, rejected=1, codes={"wrong_field_count": 1})
    last = max(sound.held)
    held = {line: row for line, row in sound.held.items() if line != last}
    silent = sound.held[last]["service_state"] == "no_service"
    return replace(
        sound, accepted=sound.accepted - 1, rejected=1, held=held, codes={"wrong_field_count": 1},
        no_service=sound.no_service - silent,
    )  # fmt: skip


def _twice(sound: Counts, writer: Writer) -> Counts:
    """Two downloads of one file in one: the second header and what stands above it are no rows, its rows duplicates."""
    extra = writer.first_line - 1
    return replace(
        sound, rows=2 * sound.rows + extra, duplicates=sound.rows, rejected=extra, no_service=2 * sound.no_service,
        codes={"duplicate_row": sound.rows, writer.header_again[0]: writer.header_again[1]},
    )  # fmt: skip
