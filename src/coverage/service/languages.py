"""A page in its reader's language: Vietnamese first, English by a switch that is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from fastapi import Request, Response

Lang = Literal["vi", "en"]
_COOKIE = "lang"
_COOKIE_S = 365 * 24 * 3600


def in_language(
    request: Request, lang: Lang | None, page: Callable[[Lang], str], headers: Mapping[str, str] | None = None
) -> Response:
    """The page in the language that is asked for (`lang`), else in the one that was asked for last.

    A script that fetches it in a language does not choose that language for its reader.
    """
    chosen: Lang = lang or ("en" if request.cookies.get(_COOKIE) == "en" else "vi")
    kept = {"Cache-Control": "no-cache", "Referrer-Policy": "same-origin", **(headers or {})}
    answer = Response(page(chosen), media_type="text/html; charset=utf-8", headers=kept)
    if lang is not None and request.headers.get("sec-fetch-dest") != "empty":
        answer.set_cookie(_COOKIE, lang, max_age=_COOKIE_S, samesite="lax", path="/")
    return answer
