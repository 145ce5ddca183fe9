"""Beside every request: its id, a line of the log, and the counts of `metrics`.

The route is told as its template and the path never is: ids, receipts and boxes on the map stand in paths and queries.
"""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coverage.service import metrics
from coverage.service.logs import REQUEST_ID

log = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds by machines: only what goes wrong there is worth a line.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class Watched:
    """The application with somebody who looks on: bodies pass through as they come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, then tell of it. An error was answered by the application: here it is only told."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = _Seen(scope)
        REQUEST_ID.set(seen.request_id)
        try:
            await self._app(scope, seen.receiving(receive), seen.sending(send))
        except Exception:
            log.exception("request_failed")
        finally:
            seen.tell()


class _Seen:
    """What is seen of one request."""

    def __init__(self, scope: Scope) -> None:
        said = Headers(scope=scope).get("x-request-id", "")
        self.request_id = said if _ID.fullmatch(said) else uuid.uuid4().hex
        # Whoever keeps a record of what was done finds it here.
        scope.setdefault("state", {})["request_id"] = self.request_id
        self._scope = scope
        self._begun = time.perf_counter()
        self._status: int | None = None
        self._bytes_in = self._bytes_out = 0

    def receiving(self, receive: Receive) -> Receive:
        """The same messages, their bytes counted."""

        async def counted() -> Message:
            message = await receive()
            self._bytes_in += len(message.get("body", b""))
            return message

        return counted

    def sending(self, send: Send) -> Send:
        """The same messages, their bytes counted, the first one with the request's id."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = self.request_id
            self._bytes_out += len(message.get("body", b""))
            await send(message)

        return counted

    def tell(self) -> None:
        """Count the request and log it."""
        took_s = time.perf_counter() - self._begun
        route, method = _route(self._scope), self._scope["method"]
        method = method if method in _METHODS else "other"
        metrics.count(route, method, self._status, took_s, self._bytes_in, self._bytes_out)
        status = self._status or 0
        if route in _PROBES and 200 <= status < 300:
            return
        about = {
            "method": method,
            "route": route,
            "status": self._status,
            "duration_ms": round(took_s * 1000, 1),
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
            "who": getattr(self._scope["state"].get("caller"), "name", None),
            "client": (self._scope.get("client") or [None])[0],
        }
        log.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra=about)


def _route(scope: Scope) -> str | None:
    """The template of the route that took the request; None where none did."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is not None or scope.get("endpoint") is None:
        return template
    if scope.get("root_path"):  # a folder of static files
        return f"{scope['root_path']}/{{file}}"
    return (
        None if scope.get("path_params") else str(scope["path"])
    )  # the framework's own, with nothing to fill in
