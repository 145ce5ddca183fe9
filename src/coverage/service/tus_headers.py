"""The headers of tus 1.0, read and written."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Mapping

from fastapi import Request

from coverage.errors import InputError
from coverage.service.problems import TUS_VERSION

CHUNK_TYPE = "application/offset+octet-stream"
_EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "termination",
    "expiration",
    "checksum",
)
_ALGORITHMS = ("sha1", "sha256", "md5")
_LARGEST = 1 << 62  # beyond every disk, and within what databases count to


def protocol(most_bytes: int) -> dict[str, str]:
    """What this server knows of the protocol."""
    return {
        "Tus-Resumable": TUS_VERSION,
        "Tus-Version": TUS_VERSION,
        "Tus-Extension": ",".join(_EXTENSIONS),
        "Tus-Max-Size": str(most_bytes),
        "Tus-Checksum-Algorithm": ",".join(_ALGORITHMS),
    }


def number(request: Request, header: str) -> int | None:
    """The whole number of a header, None where it is missing. Raises `InputError` for anything else."""
    text = request.headers.get(header)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < _LARGEST):
        raise InputError(
            f"{header} phải là số nguyên không âm, nhận được {text!r:.40}.",
            f"{header} must be a whole number, {text!r:.40} came.",
        )
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """The keys and values of Upload-Metadata. Raises `InputError` where it is not base64 of UTF-8, or says a key twice."""
    found: dict[str, str] = {}
    for pair in filter(None, (one.strip() for one in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip().encode(), validate=True).decode()
        except (binascii.Error, ValueError) as fault:
            raise _bad_metadata(key) from fault
        if key in found:
            raise _bad_metadata(key)
        found[key] = text
    return found


def _bad_metadata(key: str) -> InputError:
    return InputError(
        f"Upload-Metadata: khoá {key!r:.40} phải có một lần, giá trị là base64 của UTF-8.",
        f"Upload-Metadata: key {key!r:.40} must be there once, its value base64 of UTF-8.",
    )


def metadata_header(values: Mapping[str, str]) -> str:
    """The values as Upload-Metadata."""
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in values.items())


class Checksum:
    """What a client says the bytes of a request must hash to."""

    def __init__(self, algorithm: str, digest: bytes) -> None:
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._digest = digest

    async def passing(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, seen while they pass."""
        async for piece in pieces:
            self._hash.update(piece)
            yield piece

    def holds(self) -> bool:
        """Whether the bytes that passed are those that were meant."""
        return self._hash.digest() == self._digest


def checksum_of(request: Request) -> Checksum | None:
    """The Upload-Checksum, None where there is none. Raises `InputError` for one that cannot be."""
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, digest = header.partition(" ")
    try:
        expected = base64.b64decode(digest.encode(), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise _bad_checksum() from fault
    if algorithm not in _ALGORITHMS or not expected:
        raise _bad_checksum()
    return Checksum(algorithm, expected)


def _bad_checksum() -> InputError:
    return InputError(
        f"Upload-Checksum không dùng được; thuật toán: {', '.join(_ALGORITHMS)}, giá trị base64.",
        f"Upload-Checksum cannot be used; algorithms: {', '.join(_ALGORITHMS)}, the value base64.",
    )
