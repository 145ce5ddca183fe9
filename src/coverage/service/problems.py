"""Our errors as RFC 9457 problem+json, in Vietnamese and English, with a stable code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from coverage.archive.incoming import Locked
from coverage.errors import (
    AccessRefused,
    ArchiveDamaged,
    ArchiveUnavailable,
    Conflict,
    DiskFull,
    FileRefused,
    InputError,
    NotFound,
    PhusongError,
    TooLarge,
    TooMany,
)
from coverage.service.cures import over_http

RETRY_AFTER_S = 5
_RETRY = {"Retry-After": str(RETRY_AFTER_S)}
TUS_VERSION = "1.0.0"


class Refusal(PhusongError):
    """A request that is refused for a reason of HTTP, with its status and the headers that its client needs."""

    def __init__(
        self, status: int, code: str, vi: str, en: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(vi, en, code=code)
        self.status = status
        self.headers = dict(headers or {})


class BadField(InputError):
    """A field whose value cannot be: the message names it, the value and what it may be."""

    code = "bad_field"


# The nearest class of an error decides; anything else of ours is a fault of ours.
STATUS_CODES: dict[type[PhusongError], int] = {
    FileRefused: 422,
    BadField: 422,
    InputError: 400,
    NotFound: 404,
    Locked: 423,
    Conflict: 409,
    TooLarge: 413,
    AccessRefused: 401,
    TooMany: 429,
    DiskFull: 507,
    ArchiveUnavailable: 503,
    ArchiveDamaged: 500,
    PhusongError: 500,
}
_OF_CODES = {"checksum_mismatch": 422}

# By the kinds of Pydantic's errors that a query can meet, with what Pydantic says of the limit.
_VALIDATION_WORDS = {
    "missing": "còn thiếu",
    "int_parsing": "phải là số nguyên",
    "greater_than_equal": "phải từ {ge} trở lên",
    "less_than_equal": "không được quá {le}",
    "literal_error": "chỉ nhận {expected}",
}
# Parts of addresses by the names that people know them by.
_PARTS = {"fmt": "format"}
_HTTP_WORDS = {
    404: ("Không có địa chỉ này.", "There is nothing at this address."),
    405: ("Địa chỉ này không nhận phương thức đó.", "This address does not take that method."),
}


def status_of(fault: PhusongError) -> int:
    """The HTTP status of an error of ours."""
    if isinstance(fault, Refusal):
        return fault.status
    by_class = next(STATUS_CODES[kind] for kind in type(fault).__mro__ if kind in STATUS_CODES)
    return _OF_CODES.get(fault.code, by_class)


def problem(fault: PhusongError) -> dict[str, object]:
    """The members of the problem document of an error of ours."""
    return document(status_of(fault), fault.code, fault.vi, fault.en)


def document(status: int, code: str, vi: str, en: str) -> dict[str, object]:
    """The members of a problem document; what its words say of options is said of fields."""
    vi, en = over_http(vi, en)
    about = {"type": f"urn:phusong:{code}", "title": vi, "status": status, "code": code}
    return about | {"detail": vi, "detail_en": en}


def answer_of(fault: PhusongError) -> Response:
    """The answer to a request that ends in an error of ours, with the headers that its client needs."""
    status = status_of(fault)
    headers = dict(_RETRY) if status in {423, 429, 503} else {}
    if isinstance(fault, Refusal):
        headers |= fault.headers
    if isinstance(fault, TooMany):
        headers |= {"Retry-After": str(fault.wait_s)}
    return _answer(problem(fault), headers)


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error of ours as problem+json."""

    @app.exception_handler(PhusongError)
    def _ours(request: Request, fault: PhusongError) -> Response:
        return _spoken(request, answer_of(fault))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, fault: RequestValidationError) -> Response:
        return _spoken(request, _answer(_of_validation(fault.errors()[0])))

    @app.exception_handler(HTTPException)
    def _http(request: Request, fault: HTTPException) -> Response:
        vi, en = _HTTP_WORDS.get(fault.status_code, (str(fault.detail), str(fault.detail)))
        told = document(fault.status_code, f"http_{fault.status_code}", vi, en)
        allowed = {"Allow": ", ".join(_methods_of(request))} if fault.status_code == 405 else {}
        return _spoken(request, _answer(told, {**(fault.headers or {}), **allowed}))

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, fault: Exception) -> Response:
        what = type(fault).__name__
        told = document(500, "error", f"Lỗi của chương trình ({what}).", f"A fault of ours ({what}).")
        return _spoken(request, _answer(told))


def _methods_of(request: Request) -> list[str]:
    """The methods that the address takes; several routes may share it, and each knows of its own only."""
    routes = [
        route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE
    ]
    return sorted({method for route in routes for method in getattr(route, "methods", None) or ()})


def _of_validation(first: Mapping[str, Any]) -> dict[str, object]:
    """The problem document of what Pydantic says first of a request: its English, and our Vietnamese."""
    where = ".".join(_PARTS.get(str(part), str(part)) for part in first["loc"][1:]) or "body"
    limits = {name: str(limit).replace(" or ", " hoặc ") for name, limit in first.get("ctx", {}).items()}
    words = _VALIDATION_WORDS.get(first["type"], "giá trị không dùng được").format_map(limits)
    missing = first["type"] == "missing"
    vi, en = (
        ("", "") if missing else (f"; nhận được {first['input']!r:.80}", f" (value: {first['input']!r:.80})")
    )
    return document(
        422, "bad_request", f"Trường {where}: {words}{vi}.", f"Field {where}: {first['msg']}{en}."
    )


def _spoken(request: Request, answer: Response) -> Response:
    # A client of the protocol takes an answer without this header for a stranger's.
    if request.url.path.startswith("/v1/tus"):
        answer.headers.setdefault("Tus-Resumable", TUS_VERSION)
    return answer


def _answer(document: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    status = int(str(document["status"]))
    return Response(orjson.dumps(document), status, headers, "application/problem+json")
