"""Our errors as RFC 9457 problem+json, in Vietnamese and English, with a stable code."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from coverage.errors import ArchiveDamaged, FileRefused, InputError, NotFound, PhusongError

# The nearest class of an error decides; anything else of ours is a fault of ours.
STATUS_CODES: dict[type[PhusongError], int] = {
    FileRefused: 422,
    InputError: 400,
    NotFound: 404,
    ArchiveDamaged: 500,
    PhusongError: 500,
}


_HTTP_WORDS = {
    404: ("Không có địa chỉ này.", "There is nothing at this address."),
    405: ("Địa chỉ này không nhận phương thức đó.", "This address does not take that method."),
}


def status_of(fault: PhusongError) -> int:
    """The HTTP status of an error of ours."""
    return next(STATUS_CODES[kind] for kind in type(fault).__mro__ if kind in STATUS_CODES)


def problem(fault: PhusongError) -> dict[str, object]:
    """The members of the problem document of an error of ours."""
    return _document(status_of(fault), fault.code, fault.vi, fault.en)


def _document(status: int, code: str, vi: str, en: str) -> dict[str, object]:
    about = {"type": f"urn:phusong:{code}", "title": vi, "status": status, "code": code}
    return about | {"detail": vi, "detail_en": en}


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error of ours as problem+json."""

    @app.exception_handler(PhusongError)
    def _ours(_: Request, fault: PhusongError) -> Response:
        return _answer(problem(fault))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, fault: RequestValidationError) -> Response:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "body"
        vi = f"Trường {where}: {first['msg']} (giá trị: {first.get('input')!r:.80})."
        en = f"Field {where}: {first['msg']} (value: {first.get('input')!r:.80})."
        return _answer(_document(422, "bad_request", vi, en))

    @app.exception_handler(HTTPException)
    def _http(_: Request, fault: HTTPException) -> Response:
        vi, en = _HTTP_WORDS.get(fault.status_code, (str(fault.detail), str(fault.detail)))
        return _answer(_document(fault.status_code, f"http_{fault.status_code}", vi, en), fault.headers)


def _answer(document: dict[str, object], headers: Mapping[str, str] | None = None) -> Response:
    status = int(str(document["status"]))
    return Response(orjson.dumps(document), status, headers, "application/problem+json")
