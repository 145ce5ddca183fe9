"""Our errors as RFC 9457 problem+json, in Vietnamese and English, with a stable code."""

from __future__ import annotations

import orjson
from fastapi import FastAPI, Request, Response

from coverage.errors import ArchiveDamaged, FileRefused, InputError, NotFound, PhusongError

# The nearest class of an error decides; anything else of ours is a fault of ours.
STATUS_CODES: dict[type[PhusongError], int] = {
    FileRefused: 422,
    InputError: 400,
    NotFound: 404,
    ArchiveDamaged: 500,
    PhusongError: 500,
}


def status_of(fault: PhusongError) -> int:
    """The HTTP status of an error of ours."""
    return next(STATUS_CODES[kind] for kind in type(fault).__mro__ if kind in STATUS_CODES)


def problem(fault: PhusongError) -> dict[str, object]:
    """The members of the problem document of an error of ours."""
    return {
        "type": f"urn:phusong:{fault.code}",
        "title": fault.vi,
        "status": status_of(fault),
        "code": fault.code,
        "detail": fault.vi,
        "detail_en": fault.en,
    }


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error of ours as problem+json."""

    @app.exception_handler(PhusongError)
    def _answer(_: Request, fault: PhusongError) -> Response:
        body = orjson.dumps(problem(fault))
        return Response(body, status_code=status_of(fault), media_type="application/problem+json")
