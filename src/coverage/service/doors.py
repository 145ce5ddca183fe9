"""The door: every request is let in here or nowhere. Which host it asks, whose page sends it, who asks, what it may.

Where nobody was ever given a key or an account, the service answers this machine's own pages and programs; `run` sees
to it that it can be reached from no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coverage.archive import audit
from coverage.archive.workspace import Workspace
from coverage.callers import ROLES, Caller
from coverage.errors import AccessRefused, ArchiveUnavailable, PhusongError
from coverage.service.access import ANYBODY, AUDITED, PUBLIC, may
from coverage.service.admission import Admission, shows_session
from coverage.service.bodies import Ahead, Refused
from coverage.service.pace import Pace
from coverage.service.problems import Refusal, answer_of
from coverage.settings import Settings

log = logging.getLogger(__name__)
# Names of the loopback address. Any other host name leads here by a forged name record only.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_DONE = frozenset({200, 201, 202, 204, 206})
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What is no page runs nothing, wherever a browser is led to take it for one. The map and the guide say in themselves
# which scripts of theirs may run; the page of the API's documents has scripts of its makers inside.
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_POLICIES = {
    **dict.fromkeys(("GET /", "GET /guide"), "frame-ancestors 'none'; base-uri 'none'"),
    "GET /docs": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
}


def add_doors(app: FastAPI, workspace: Workspace, settings: Settings) -> None:
    """Let nobody in who does not belong: 400 for other host names, 403 for other sites' pages and for what the role has
    not, 401 for no key where one is needed, 429 for who asks too fast.
    """
    outside = () if settings.public_url is None else (urlsplit(settings.public_url).netloc.lower(),)
    named = (name.strip().lower() for name in settings.hosts.split(",") if name.strip())
    known = (*LOOPBACK_HOSTS, *named, *(_without_port(one) for one in outside))
    pace = Pace(settings.requests_per_minute)
    app.add_middleware(
        _Doors, workspace=workspace, pace=pace, hosts=known, origins=outside, public=settings.public
    )


class _Doors:
    """Hands the request on untouched: a body that is still coming goes straight to who reads it."""

    def __init__(
        self,
        app: ASGIApp,
        workspace: Workspace,
        pace: Pace,
        hosts: tuple[str, ...],
        origins: tuple[str, ...],
        *,
        public: bool,
    ) -> None:
        self._app = app
        self._workspace = workspace
        self._hosts = hosts
        self._origins = origins
        self._pace = pace
        self._public = public
        self._admission = Admission(workspace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, operation = Headers(scope=scope), _operation(scope)
        # Who asks before it sends (Expect) is told to go on only when its body is wanted.
        waits = scope["method"] in _READING or "expect" in headers
        ahead = None if waits else Ahead(receive)
        try:
            _require_known(headers, self._hosts, self._origins)
            caller = await self._admitted(scope, headers, operation)
        except PhusongError as fault:
            receive = await _stopped(ahead, receive)
            await _refusal(scope, headers, fault)(scope, receive, _safely(send, operation))
            return
        receive = await _stopped(ahead, receive)
        scope.setdefault("state", {})["caller"] = caller
        told = _Told(scope, send, operation, partial(self._record, scope, operation or ""))
        await self._app(scope, receive, told.send)

    async def _admitted(self, scope: Scope, headers: Headers, operation: str | None) -> Caller | None:
        """Who asks; None where the service is open, or the operation is anybody's. Raises `AccessRefused`, `Refusal`."""
        if operation is None or operation in ANYBODY:
            if scope["method"] not in _READING:
                self._pace.require(_address(scope))  # logins
            return None
        try:
            caller = self._admission.known(headers) or await run_in_threadpool(
                self._admission.caller, headers
            )
        except AccessRefused:
            self._pace.require(_address(scope))  # who tries keys one after the other is slowed down
            raise
        if caller is None:
            if not await run_in_threadpool(self._admission.is_closed):
                return None
            self._pace.require(_address(scope))
            if self._public and operation in PUBLIC:
                scope.setdefault("state", {})["public"] = True
                return None
            raise _nobody()
        self._pace.require(caller.name)
        if not may(caller.role, operation):
            raise _not_allowed(caller.role, operation)
        # A browser sends its cookie along with the forms of other sites; those that are ours name us as their origin.
        if scope["method"] not in _READING and shows_session(headers) and "origin" not in headers:
            raise Refusal(
                403, "foreign_origin", "Thiếu Origin của trang gửi.", "The page that sends names no Origin."
            )
        return caller

    def _record(self, scope: Scope, operation: str, status: int) -> None:
        state: dict[str, Any] = scope.get("state", {})
        caller: Caller | None = state.get("caller")
        address, request_id = _address(scope), state.get("request_id")
        nobody = "public" if state.get("public") else "local"
        by = (
            audit.By.caller(caller, address, request_id)
            if caller
            else audit.By(nobody, None, None, address, request_id)
        )
        about: dict[str, audit.Said] = {"route": operation, "status": status}
        given = scope.get("path_params", {})
        about |= {name: given[name] for name in ("delivery_id", "upload_id") if name in given}
        if "collection" in given or "fmt" in given:
            about |= {"list": given.get("collection") or operation.split("/")[1].partition(".")[0]}
        audit.record(self._workspace, by, AUDITED[operation], about)


async def _stopped(ahead: Ahead | None, receive: Receive) -> Receive:
    """From where the rest of the body comes."""
    if ahead is None:
        return receive
    await ahead.stop()
    return ahead.receive


class _Told:
    """The answer as it goes out, with safe headers; what is to be noted is noted before the client hears of it."""

    def __init__(self, scope: Scope, send: Send, operation: str | None, note: Callable[[int], None]) -> None:
        self._scope = scope
        self._send = _safely(send, operation)
        self._action = AUDITED.get(operation or "")
        self._note = note
        self._is_replaced = False

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start" and self._action and message["status"] in _DONE:
            await self._noted(message["status"])
        if not self._is_replaced:
            await self._send(message)

    async def _noted(self, status: int) -> None:
        try:
            await run_in_threadpool(self._note, status)
        except ArchiveUnavailable as fault:
            log.exception("not_noted")
            # Who reads may read also while nothing can be written; a change that nobody would know of did not happen for
            # its sender, who asks again: all of them may be asked twice.
            if self._action != "download":
                self._is_replaced = True
                await answer_of(fault)(self._scope, _nothing, self._send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _address(scope: Scope) -> str:
    """The client's address as the line has it, or as a proxy tells it that the settings name."""
    return str((scope.get("client") or ("?",))[0])


def _safely(send: Send, operation: str | None) -> Send:
    safe = {**_SAFE, "Content-Security-Policy": _POLICIES.get(operation or "", _POLICY)}

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in safe.items():
                headers.setdefault(name, value)
        await send(message)

    return sent


def _operation(scope: Scope) -> str | None:
    """Method and template of the route that will answer; None where none will."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    for route in scope["app"].state.routes:
        if route.matches(scope)[0] is Match.FULL:
            # HEAD has a route of its own in the protocol of resumable sendings, and is a GET without a body elsewhere.
            own = getattr(route, "methods", None)
            named = scope["method"] if own and scope["method"] in own else method
            return f"{named} {route.path}"
    return None


def _refusal(scope: Scope, headers: Headers, fault: PhusongError) -> ASGIApp:
    """The refusal as its reader takes it: a person who opens a page is led to the login."""
    wants_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    if isinstance(fault, AccessRefused) and wants_page:
        return RedirectResponse(f"/login?next={quote(scope['path'])}", 303, {"Cache-Control": "no-store"})
    challenge = (
        {"WWW-Authenticate": 'Basic realm="Phu Song", charset="UTF-8"'}
        if isinstance(fault, AccessRefused)
        else {}
    )
    return Refused(fault, challenge)


def _nobody() -> AccessRefused:
    return AccessRefused(
        "Cần khoá truy cập hoặc đăng nhập: gửi khoá bằng X-Api-Key: ps_…, Authorization: Bearer ps_…, hoặc làm mật khẩu của "
        "Basic; người dùng trình duyệt đăng nhập ở /login.",
        "A key or a login is needed: send the key as X-Api-Key: ps_…, as Authorization: Bearer ps_…, or as the password of "
        "Basic; people with a browser log in at /login.",
    )


def _not_allowed(role: str, operation: str) -> Refusal:
    others = ", ".join(one for one in ROLES if may(one, operation))
    return Refusal(
        403,
        "not_allowed",
        f"Vai trò {role} không có quyền này; có quyền: {others or 'không vai trò nào'}.",
        f"The role {role} may not do this; these may: {others or 'none'}.",
    )


def _require_known(headers: Headers, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
    """Raise `Refusal` for a host name that is not ours, and for what a page of another site sends."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _without_port(host) not in hosts:
        raise Refusal(
            400,
            "foreign_host",
            f"Dịch vụ chỉ trả lời ở {', '.join(hosts)}, không ở {host!r:.80}. Người quản trị thêm tên khác bằng PHUSONG_HOSTS.",
            f"The service answers at {', '.join(hosts)} only, not at {host!r:.80}. The administrator adds names by PHUSONG_HOSTS.",
        )
    if origin is not None and origin.partition("://")[2].lower() not in {host.lower(), *origins}:
        raise Refusal(
            403,
            "foreign_origin",
            f"Trang của nơi khác ({origin!r:.80}) không được gửi tới đây.",
            f"A page of another site ({origin!r:.80}) may not send here.",
        )


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and (port.isdigit() or not port) else host.lower()
