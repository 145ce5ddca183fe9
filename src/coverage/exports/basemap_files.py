"""Base maps in a file: MBTiles and PMTiles with image tiles, asked for one tile after the other.

A file is looked at when it is opened: what is cut off, is no such file or holds vector tiles is refused before anybody
looks at a map.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn, Protocol

from pmtiles.reader import Reader
from pmtiles.tile import Compression, Entry, TileType, deserialize_directory, find_tile, zxy_to_tileid

from coverage.errors import InputError
from coverage.exports.mercator import DEEPEST
from coverage.settings import MBTILES, PMTILES

log = logging.getLogger(__name__)
_LONGEST = 400  # letters of what a file says of its makers
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_VECTOR = {"pbf", "mvt", "mlt"}
_DIRECTORIES_HELD = 16  # each of some thousand entries
_HEADER_BYTES = 127
_BROKEN = (sqlite3.Error, zlib.error, OSError, EOFError, ValueError, IndexError, KeyError, TypeError)


class TileFile(Protocol):
    """A file of image tiles. tag: what tells it from every other. attribution: plain text, whatever the file holds."""

    path: Path
    tag: str
    attribution: str
    min_zoom: int
    max_zoom: int

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The bytes at that place, y from the north; None where the file has none. Safe for threads."""

    def close(self) -> None:
        """No tile is asked for any more."""


def open_file(path: Path) -> TileFile:
    """The base map in a file. Raises `InputError`: it is not there, is damaged, or holds no PNG, JPEG or WebP tiles."""
    if not path.is_file():
        _refuse(path, "không có tệp này", "there is no such file")
    return _OPENERS[path.suffix.lower()](path.absolute())


def image(file: TileFile, z: int, x: int, y: int) -> tuple[bytes, str] | None:
    """A tile and its media type; None where the file has none there, or none that can be read and is an image."""
    try:
        content = file.tile(z, x, y)
    except _BROKEN:
        log.warning("basemap_damaged", exc_info=True)
        return None
    kind = None if content is None else kind_of(content)
    return None if content is None or kind is None else (content, kind)


def kind_of(content: bytes) -> str | None:
    """The media type of a tile by its first bytes: PNG, JPEG or WebP; None = anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)


class MBTiles:
    """An MBTiles file (SQLite; its rows are counted from the south)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tag = _tag(path)
        _require_whole(path)
        # Nobody writes to it while it is served, so that SQLite need not look for locks and journals beside it.
        address = f"{path.as_uri()}?mode=ro&immutable=1"
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            self._ask("PRAGMA trusted_schema = OFF")  # its tables may be questions that somebody else wrote
            about = {str(name): str(value) for name, value in self._ask("SELECT name, value FROM metadata")}
            sample = self._ask("SELECT tile_data FROM tiles LIMIT 1")
            lowest, highest = (self._zoom(about, end) for end in ("min", "max"))
        except (sqlite3.Error, ValueError) as fault:
            self._connection.close()
            _refuse_damaged(path, fault)
        if not sample or about.get("format", "") in _VECTOR or kind_of(bytes(sample[0][0])) is None:
            self._connection.close()
            _refuse_kind(path, about.get("format", "?"), empty=not sample)
        self.attribution = plain_text(about.get("attribution", ""))
        self.min_zoom, self.max_zoom = lowest, highest

    def _zoom(self, about: Mapping[str, str], end: str) -> int:
        said = about.get(f"{end}zoom", "")
        if not said.isdigit():
            said = str(self._ask(f"SELECT {end}(zoom_level) FROM tiles")[0][0] or 0)  # noqa: S608 - min or max
        return min(int(said), DEEPEST)

    def _ask(self, question: str, *values: int) -> list[Any]:
        with self._lock:
            return self._connection.execute(question, values).fetchall()

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See `TileFile`."""
        found = self._ask(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            *(z, x, 2**z - 1 - y),
        )
        return bytes(found[0][0]) if found and found[0][0] is not None else None

    def close(self) -> None:
        """See `TileFile`."""
        self._connection.close()


class PMTiles:
    """A PMTiles file, version 3."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tag = _tag(path)
        # Read piece by piece and not mapped into memory: a file that somebody cuts short meanwhile would end the process.
        self._file = path.open("rb")
        self._directory = lru_cache(_DIRECTORIES_HELD)(self._read_directory)
        try:
            reader = Reader(self._bytes)  # type: ignore[no-untyped-call]
            self._header = reader.header()  # type: ignore[no-untyped-call]
            about = reader.metadata()  # type: ignore[no-untyped-call]
            sample = self._first()
        except Exception as fault:  # whatever the library raises, it cannot be read
            self._file.close()
            _refuse_damaged(path, fault)
        kind, packed = self._header["tile_type"], self._header["tile_compression"]
        plain = packed in {Compression.NONE, Compression.UNKNOWN}
        if kind in {TileType.MVT, TileType.MLT} or sample is None or not plain or kind_of(sample) is None:
            self._file.close()
            _refuse_kind(path, kind.name.lower(), empty=sample is None)
        said = about.get("attribution", "") if isinstance(about, dict) else ""
        self.attribution = plain_text(str(said))
        self.min_zoom, self.max_zoom = (
            min(int(self._header[end]), DEEPEST) for end in ("min_zoom", "max_zoom")
        )

    def _bytes(self, offset: int, length: int) -> bytes:
        found = os.pread(self._file.fileno(), length, offset)
        if len(found) < length:
            raise EOFError(f"{offset} + {length}")
        return found

    def _read_directory(self, offset: int, length: int) -> list[Entry]:
        return deserialize_directory(self._bytes(offset, length))

    def _first(self) -> bytes | None:
        """The first tile of all; None where there is none."""
        here = self._directory(self._header["root_offset"], self._header["root_length"])
        while here and here[0].run_length == 0:
            here = self._directory(self._header["leaf_directory_offset"] + here[0].offset, here[0].length)
        # The last byte of the file is asked for too: who copied only the half of it is told.
        self._bytes(self._header["tile_data_offset"] + self._header["tile_data_length"] - 1, 1)
        return self._content(here[0]) if here else None

    def _content(self, entry: Entry) -> bytes:
        return self._bytes(self._header["tile_data_offset"] + entry.offset, entry.length)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See `TileFile`."""
        place = zxy_to_tileid(z, x, y)
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(4):  # directories below each other, as the format allows
            entry = find_tile(self._directory(offset, length), place)
            if entry is None:
                return None
            if entry.run_length:
                return self._content(entry)
            offset, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def close(self) -> None:
        """See `TileFile`."""
        self._file.close()


_OPENERS: Mapping[str, Callable[[Path], TileFile]] = {MBTILES: MBTiles, PMTILES: PMTiles}


def _tag(path: Path) -> str:
    about = path.stat()
    said = f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _require_whole(path: Path) -> None:
    """Refuse a file of SQLite that is shorter than it says: SQLite itself notices only where something is missing."""
    with path.open("rb") as file:
        head = file.read(100)
    page = int.from_bytes(head[16:18]) or 1
    whole = (65536 if page == 1 else page) * int.from_bytes(head[28:32])
    if not head.startswith(b"SQLite format 3\0") or path.stat().st_size < whole:
        _refuse_damaged(path, None)


class _Text(HTMLParser):
    """The text of a piece of HTML, without what its scripts and styles say."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Scripts and styles say nothing to people."""
        self._silent += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        """The end of a script or style."""
        self._silent -= tag in {"script", "style"} and self._silent > 0

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._silent:
            self.parts.append(data)


def plain_text(said: str) -> str:
    """What a file says of its makers, usually a link in HTML, as one line of text, its end left out where it is long."""
    reader = _Text()
    reader.feed(said)
    reader.close()
    return " ".join("".join(reader.parts).split())[:_LONGEST]


def _refuse_damaged(path: Path, fault: Exception | None) -> NoReturn:
    _refuse(
        path,
        "tệp hỏng, bị cắt ngắn hoặc không phải loại tệp mà đuôi tên nói. Hãy chép lại tệp",
        "the file is damaged, cut short, or not what the end of its name says. Copy it again",
        fault,
    )


def _refuse_kind(path: Path, kind: str, *, empty: bool) -> NoReturn:
    if empty:
        _refuse(path, "tệp không có mảnh bản đồ nào", "the file holds no tile")
    _refuse(
        path,
        f"cần mảnh ảnh PNG, JPEG hoặc WebP không nén thêm, nhưng tệp chứa {kind!r:.20} (bản đồ véc-tơ chưa dùng được). "
        "Hãy xuất bản đồ ảnh (raster)",
        f"tiles must be images (PNG, JPEG or WebP, not packed once more), but it holds {kind!r:.20} (vector maps cannot "
        "be used). Export it as raster tiles",
    )


def _refuse(path: Path, vi: str, en: str, fault: Exception | None = None) -> NoReturn:
    raise InputError(
        f"PHUSONG_BASEMAP = “{path}”: {vi}, hoặc bỏ biến này để dùng nền bản đồ của chính dịch vụ.",
        f"PHUSONG_BASEMAP = “{path}”: {en}, or unset it to have the service's own base map.",
        code="basemap_refused",
    ) from fault
