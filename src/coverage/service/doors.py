"""Who may knock: the service has no keys yet, so it answers this machine's own pages and programs only."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Names of the loopback address. Any other host name leads here by a forged name record only.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def add_doors(app: FastAPI) -> None:
    """Refuse requests for other host names (400) and requests that a page of another site sends (403)."""
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_HOSTS))
    app.add_middleware(_SameSite)


class _SameSite:
    """Hands the request on untouched: a body that is still coming goes straight to who reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers({})
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            words = "Trang của nơi khác không được gửi tới đây. / A page of another site may not send here."
            await PlainTextResponse(words, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)
