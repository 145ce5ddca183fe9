"""A multipart form, taken apart while it comes: nothing of it is kept twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from coverage.errors import InputError
from coverage.service.problems import Refusal


@dataclass(frozen=True)
class Head:
    """A part of the form begins; file: its name where it is a file."""

    name: str
    file: str | None


@dataclass(frozen=True)
class End:
    """The part is whole."""


Event = Head | bytes | End


def boundary_of(content_type: str) -> bytes:
    """What separates the parts. Raises `Refusal` (415) where the body is no form."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refusal(
            415,
            "not_this_type",
            "Hãy gửi biểu mẫu multipart/form-data có trường file (curl -F file=@tệp), hoặc dùng PUT /v1/deliveries/ID.",
            "Send a multipart/form-data form with a field file (curl -F file=@file), or use PUT /v1/deliveries/ID.",
        )
    return boundary


async def parts(pieces: AsyncIterator[bytes], boundary: bytes) -> AsyncIterator[Event]:
    """The parts of a form in their order, files in pieces. An empty piece says that a moment passed.

    Raises `InputError` where the form is damaged or ends too early.
    """
    found = _Found()
    parser = MultipartParser(boundary, found.callbacks())  # type: ignore[arg-type]  # a dict of the callbacks that we need
    async for piece in pieces:
        try:
            parser.write(piece)
        except MultipartParseError as fault:
            raise _damaged(str(fault)) from fault
        events, found.events = found.events, []
        for event in events or [b""]:
            yield event
    if not found.whole:
        raise _damaged("…")


def _damaged(what: str) -> InputError:
    return InputError(
        f"Biểu mẫu bị hỏng hoặc bị cắt ({what}). Hãy gửi lại.",
        f"The form is damaged or cut off ({what}). Send it again.",
    )


class _Found:
    """What the parser has come across since it was asked last."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.whole = False
        self._name, self._value = b"", b""
        self._about: dict[bytes, bytes] = {}

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self.events.append(data[start:end]),
            "on_part_end": lambda: self.events.append(End()),
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._head,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._about = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, self._about = parse_options_header(self._value)
        self._name, self._value = b"", b""

    def _head(self) -> None:
        file = self._about.get(b"filename")
        name = self._about.get(b"name", b"").decode("utf-8", "replace")
        self.events.append(Head(name, None if file is None else file.decode("utf-8", "replace")))

    def _end(self) -> None:
        self.whole = True
