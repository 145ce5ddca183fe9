"""Who may knock: the service has no keys yet, so it answers this machine's own pages and programs only."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from coverage.service.bodies import Refused
from coverage.service.problems import Refusal

# Names of the loopback address. Any other host name leads here by a forged name record only.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def add_doors(app: FastAPI) -> None:
    """Refuse requests for other host names (400) and requests that a page of another site sends (403)."""
    app.add_middleware(_Doors)


class _Doors:
    """Hands the request on untouched: a body that is still coming goes straight to who reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _stranger(Headers(scope=scope)) if scope["type"] == "http" else None
        answer = self._app if refusal is None else Refused(refusal)
        await answer(scope, receive, send)


def _stranger(headers: Headers) -> Refusal | None:
    """Why the request is refused, None where it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _without_port(host) not in LOOPBACK_HOSTS:
        return Refusal(
            400,
            "foreign_host",
            f"Dịch vụ chỉ trả lời ở {', '.join(LOOPBACK_HOSTS)}, không ở {host!r:.80}.",
            f"The service answers at {', '.join(LOOPBACK_HOSTS)} only, not at {host!r:.80}.",
        )
    if origin is not None and origin.partition("://")[2] != host:
        return Refusal(
            403,
            "foreign_origin",
            f"Trang của nơi khác ({origin!r:.80}) không được gửi tới đây.",
            f"A page of another site ({origin!r:.80}) may not send here.",
        )
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and (port.isdigit() or not port) else host.lower()
