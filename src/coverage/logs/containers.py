"""Which files an upload holds: itself, or the members of a zip, a gzip or a workbook. Member names are never paths."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, cast

from coverage import workbooks
from coverage.errors import FileRefused

MIB = 1024 * 1024
MAX_FILE_BYTES = 2048 * MIB  # about twenty million rows: more comes as several files
MAX_UNPACKED_BYTES = 8192 * MIB  # all members together
MAX_MEMBERS = 20_000
MAX_RATIO = 250  # text logs pack 5 to 40 times; a bomb a thousand times
RATIO_FREE_BYTES = MIB  # below this a member harms nobody, however well it packs
CHUNK_BYTES = MIB
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
GZIP = b"\x1f\x8b"
_UNREADABLE = (
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    OSError,
    EOFError,
    ValueError,
)


@dataclass(frozen=True)
class Packed:
    """One file of an upload: its name for people, how its bytes are opened, and how many it may have.

    refused: why its bytes cannot be had at all, where that is known beforehand.
    """

    file: str
    opener: Callable[[], IO[bytes]]
    limit: int = MAX_FILE_BYTES
    refused: FileRefused | None = None

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces, from the start; raises `FileRefused` where they are damaged, locked or too many."""
        if self.refused is not None:
            raise self.refused
        done = 0
        with _readable(self.file), self.opener() as stream:
            while chunk := stream.read(CHUNK_BYTES):
                done += len(chunk)
                if done > self.limit:
                    raise _too_big(self.file)
                yield chunk


def shown(name: str) -> str:
    """A file's name as it can be printed and kept: signs that steer a terminal or are no letters are replaced."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name)


def files(path: Path) -> Iterator[Packed]:
    """The file itself, or one entry per member of a zip or sheet of a workbook, in their order.

    Take the bytes of one before asking for the next. Folders, `__MACOSX/`, `.DS_Store` and `._*` are no
    members. Raises `FileRefused` for a path that cannot be read, is too big, or a zip or workbook that is
    damaged, empty or packed like a bomb.
    """
    head = _head(path)
    if not head.startswith((*ZIP, workbooks.OLD)):
        yield _gunzipped(Packed(shown(path.name), lambda: path.open("rb")), head, path.stat().st_size)
        return
    try:
        yield from _boxed(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as fault:
        raise FileRefused(
            f"{path.name}: tệp zip hỏng ({fault}). Hãy nén lại.",
            f"{path.name}: the zip is damaged ({fault}). Pack it again.",
        ) from fault


def _head(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _too_big(path.name)
        with path.open("rb") as stream:
            return stream.read(8)
    except OSError as fault:
        raise FileRefused(
            f"{path.name}: không mở được tệp ({fault.strerror}).",
            f"{path.name}: the file cannot be opened ({fault.strerror}).",
        ) from fault


class _Gunzipped(gzip.GzipFile):
    """What is inside an open gzip, which is closed with it."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed)
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def _gunzipped(packed: Packed, head: bytes, size: int) -> Packed:
    """The file as it is, or what is inside where it is a gzip."""
    if not head.startswith(GZIP):
        return packed
    opener = packed.opener
    return Packed(packed.file, lambda: cast("IO[bytes]", _Gunzipped(opener())), _limit(size))


def _boxed(path: Path) -> Iterator[Packed]:
    """What a zip holds; a zip with the parts of an Office file is a workbook, as is the binary kind of before."""
    if not zipfile.is_zipfile(path) and _head(path).startswith(workbooks.OLD):
        yield from _sheets(path)
        return
    with zipfile.ZipFile(path) as box:
        members = [info for info in box.infolist() if not _noise(info)]
        _check(members, path.name)
        if any(info.filename == "[Content_Types].xml" for info in members):
            yield from _sheets(path)
            return
        for info in members:
            yield _member(box, info, shown(f"{path.name}/{info.filename}"))


def _check(members: list[zipfile.ZipInfo], name: str) -> None:
    if not members:
        raise FileRefused(f"{name}: tệp zip không có tệp nào bên trong.", f"{name}: the zip holds no file.")
    if {"mimetype", "content.xml"} <= {info.filename for info in members}:
        raise FileRefused(
            f"{name}: sổ tính OpenDocument (.ods). Hãy lưu thành .xlsx hoặc CSV rồi gửi lại.",
            f"{name}: an OpenDocument workbook (.ods). Save it as .xlsx or CSV and send that.",
        )
    if len(members) > MAX_MEMBERS or sum(info.file_size for info in members) > MAX_UNPACKED_BYTES:
        raise _too_big(name)
    office = any(info.filename == "[Content_Types].xml" for info in members)
    if office and any(info.file_size > _limit(info.compress_size) for info in members):
        raise _too_big(name)


def _noise(info: zipfile.ZipInfo) -> bool:
    """Folders and what macOS leaves in zips."""
    last = info.filename.rsplit("/", 1)[-1]
    return (
        info.is_dir() or info.filename.startswith("__MACOSX/") or last == ".DS_Store" or last.startswith("._")
    )


def _member(box: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> Packed:
    packed = Packed(file, partial(box.open, info), _limit(info.compress_size))
    if info.file_size > packed.limit:
        return replace(packed, refused=_too_big(file))
    try:
        head = next(packed.chunks(), b"")
    except FileRefused as refusal:
        return replace(packed, refused=refusal)
    return _gunzipped(packed, head, info.file_size)


def _sheets(path: Path) -> Iterator[Packed]:
    for name, opener in workbooks.sheets(path):
        yield Packed(shown(f"{path.name}/{name}" if name else path.name), opener)


def _limit(packed_bytes: int) -> int:
    return min(MAX_FILE_BYTES, max(RATIO_FREE_BYTES, MAX_RATIO * packed_bytes))


@contextmanager
def _readable(file: str) -> Iterator[None]:
    """Damage found while unpacking, as `FileRefused`."""
    try:
        yield
    except _UNREADABLE as fault:
        raise FileRefused(
            f"{file}: không đọc hoặc giải nén được ({fault}). Hãy nén lại, không đặt mật khẩu.",
            f"{file}: cannot be read or unpacked ({fault}). Pack it again, without a password.",
        ) from fault


def _too_big(file: str) -> FileRefused:
    return FileRefused(
        f"{file}: quá lớn khi giải nén hoặc nén bất thường. Hãy chia nhỏ tệp rồi gửi lại.",
        f"{file}: too big once unpacked, or packed like a bomb. Split it and send the parts.",
    )
