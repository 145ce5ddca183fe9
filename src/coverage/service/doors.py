"""Who may knock: the service has no keys yet, so it answers this machine's own pages and programs only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

# Names of the loopback address. Any other host name leads here by a forged name record only.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def add_doors(app: FastAPI) -> None:
    """Refuse requests for other host names (400) and requests that a page of another site sends (403)."""
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_HOSTS))

    @app.middleware("http")
    async def _same_site(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            words = "Trang của nơi khác không được gửi tới đây. / A page of another site may not send here."
            return Response(words, 403, media_type="text/plain; charset=utf-8")
        return await answer(request)
