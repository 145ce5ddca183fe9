"""Which files an upload holds: itself, or the members of a zip. Member names are never used as paths."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coverage.errors import FileRefused

MIB = 1024 * 1024
MAX_FILE_BYTES = 2048 * MIB  # one file is read whole: about ten million rows
MAX_UNPACKED_BYTES = 8192 * MIB  # all members together
MAX_MEMBERS = 20_000
MAX_RATIO = 250  # text logs pack 5 to 40 times; a bomb a thousand times
RATIO_FREE_BYTES = MIB  # below this a member harms nobody, however well it packs
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
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
    """One file of an upload: its name for people, and its bytes or why they cannot be had."""

    file: str
    data: bytes | FileRefused


def files(path: Path) -> Iterator[Packed]:
    """The file itself, or one entry per member of a zip, in the zip's order.

    Folders, `__MACOSX/`, `.DS_Store` and `._*` are no members. Raises `FileRefused` for a path that cannot
    be read, is too big, or a zip that is damaged, empty or packed like a bomb.
    """
    head = _head(path)
    if not head.startswith(_ZIP):
        yield Packed(path.name, path.read_bytes())
        return
    try:
        with zipfile.ZipFile(path) as box:
            yield from _members(box, path.name)
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
            return stream.read(4)
    except OSError as fault:
        raise FileRefused(
            f"{path.name}: không mở được tệp ({fault.strerror}).",
            f"{path.name}: the file cannot be opened ({fault.strerror}).",
        ) from fault


def _members(box: zipfile.ZipFile, name: str) -> Iterator[Packed]:
    members = [info for info in box.infolist() if not _noise(info)]
    if any(info.filename == "[Content_Types].xml" for info in members):
        raise FileRefused(
            f"{name}: tệp Office (Excel, Word): hãy lưu bảng thành CSV.",
            f"{name}: an Office file (Excel, Word): save the sheet as CSV.",
        )
    if not members:
        raise FileRefused(f"{name}: tệp zip không có tệp nào bên trong.", f"{name}: the zip holds no file.")
    if len(members) > MAX_MEMBERS or sum(info.file_size for info in members) > MAX_UNPACKED_BYTES:
        raise _too_big(name)
    for info in members:
        yield Packed(f"{name}/{info.filename}", _unpacked(box, info, f"{name}/{info.filename}"))


def _noise(info: zipfile.ZipInfo) -> bool:
    """Folders and what macOS leaves in zips."""
    last = info.filename.rsplit("/", 1)[-1]
    return (
        info.is_dir() or info.filename.startswith("__MACOSX/") or last == ".DS_Store" or last.startswith("._")
    )


def _unpacked(box: zipfile.ZipFile, info: zipfile.ZipInfo, file: str) -> bytes | FileRefused:
    limit = min(MAX_FILE_BYTES, max(RATIO_FREE_BYTES, MAX_RATIO * info.compress_size))
    if info.file_size > limit:
        return _too_big(file)
    try:
        with box.open(info) as stream:
            data = stream.read(limit + 1)
    except _UNREADABLE as fault:
        return FileRefused(
            f"{file}: không giải nén được ({fault}). Hãy nén lại, không đặt mật khẩu.",
            f"{file}: cannot be unpacked ({fault}). Pack it again, without a password.",
        )
    return data if len(data) <= limit else _too_big(file)


def _too_big(file: str) -> FileRefused:
    return FileRefused(
        f"{file}: quá lớn khi giải nén hoặc nén bất thường. Hãy chia nhỏ tệp rồi gửi lại.",
        f"{file}: too big once unpacked, or packed like a bomb. Split it and send the parts.",
    )
