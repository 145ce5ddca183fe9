"""The page on which a person logs in with an account of this service, and how a session begins and ends."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from coverage.archive import accounts, audit, sessions
from coverage.callers import Caller, plain_name
from coverage.errors import AccessRefused, InputError, NotFound, PhusongError, TooMany
from coverage.service.addresses import base_url
from coverage.service.admission import SESSION_COOKIE
from coverage.service.desk import AtDesk
from coverage.service.greeting import line_of, of_session
from coverage.service.languages import Lang, in_language
from coverage.service.problems import answer_of
from coverage.service.provider import VALID_S, Attempt, Provider
from coverage.service.upload_page import static_address, static_text

router = APIRouter(include_in_schema=False)
_ATTEMPT_COOKIE = "phusong_login"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A page of ours and nothing else: an address that begins with two slashes or a backslash is another host's.
_OWN_PAGE = re.compile(r"/(?![/\\])[\w\-./]{0,200}", re.ASCII)
_WORDS: dict[Lang, dict[str, str]] = {
    "vi": {
        "title": "Đăng nhập",
        "map": "Bản đồ",
        "name": "Tên đăng nhập",
        "password": "Mật khẩu",
        "enter": "Đăng nhập",
        "hint": "Chưa có tài khoản, hoặc quên mật khẩu? Hãy hỏi người quản trị Phủ Sóng của tỉnh.",
        "other_language": "English",
        "by_provider": "Đăng nhập bằng tài khoản của tỉnh",
    },
    "en": {
        "title": "Log in",
        "map": "Map",
        "name": "Name",
        "password": "Password",
        "enter": "Log in",
        "hint": "No account yet, or the password forgotten? Ask the province's administrator of Phủ Sóng.",
        "other_language": "Tiếng Việt",
        "by_provider": "Log in with the province's account",
    },
}


@router.get("/login")
def page(
    request: Request,
    desk: AtDesk,
    lang: Lang | None = None,
    next: str = "/",  # noqa: A002 - the address's word
) -> Response:
    """The form; to who is logged in their name, and the button that ends the session."""
    return _page(request, lang, Shown(_own_page(next), caller=of_session(request, desk.workspace)))


@router.post("/login")
async def enter(
    request: Request,
    desk: AtDesk,
    name: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Begin a session and go on to the page that was asked for; the form again where it is not to be."""
    try:
        token = await run_in_threadpool(accounts.login, desk.workspace, name, password)
    except (AccessRefused, TooMany, InputError) as fault:
        await run_in_threadpool(_note, desk, request, name, "login.refused")
        return _page(request, None, Shown(_own_page(next), fault, name))
    await run_in_threadpool(_note, desk, request, name, "login")
    return with_session(request, token, _own_page(next))


@router.get("/login/oidc")
async def leave_for_provider(
    request: Request,
    lang: Lang | None = None,
    next: str = "/",  # noqa: A002
) -> Response:
    """The way to the OpenID provider; the form again where that does not answer."""
    provider = _provider(request)
    try:
        address, cookie = await provider.begin(_way_back(request), _own_page(next))
    except PhusongError as fault:
        return _page(request, lang, Shown(_own_page(next), fault))
    answer = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    answer.set_cookie(_ATTEMPT_COOKIE, cookie, max_age=VALID_S, **_about_attempts(request))
    return answer


@router.get("/login/oidc/callback")
async def come_back(
    request: Request,
    desk: AtDesk,
    lang: Lang | None = None,
    state: str | None = None,
    next: str = "/",  # noqa: A002
) -> Response:
    """Begin the session of whom the provider names, and go on to the page that was asked for; else the form again."""
    provider = _provider(request)
    if state is None:  # no provider sends that: it is the switch of languages on the form below
        return _page(request, lang, Shown(_own_page(next)))
    try:
        attempt = provider.resumed(request.cookies.get(_ATTEMPT_COOKIE), state)
    except AccessRefused as fault:
        # The cookie stays: it may be of another attempt, which a forged way back must not end.
        return _page(request, None, Shown("/", fault))
    answer = await _session_by(provider, request, desk, attempt)
    answer.delete_cookie(_ATTEMPT_COOKIE, **_about_attempts(request))  # an attempt is for one use
    return answer


async def _session_by(provider: Provider, request: Request, desk: AtDesk, attempt: Attempt) -> Response:
    subject, about = "?", {"issuer": provider.issuer}
    try:
        subject = await provider.subject(attempt, _way_back(request), request.query_params)
        name, token = await run_in_threadpool(_begun, desk, provider.issuer, subject)
    except AccessRefused as fault:
        await run_in_threadpool(_note, desk, request, subject, "login.refused", about)
        return _page(request, None, Shown(_own_page(attempt.page), fault))
    except PhusongError as fault:
        return _page(request, None, Shown(_own_page(attempt.page), fault))
    await run_in_threadpool(_note, desk, request, name, "login", about)
    return with_session(request, token, _own_page(attempt.page))


def _begun(desk: AtDesk, issuer: str, subject: str) -> tuple[str, str]:
    """Name and new session of whom the provider calls so. Raises `AccessRefused` where nobody is, or not any more."""
    try:
        token = accounts.of_subject(desk.workspace, issuer, subject)
    except AccessRefused as fault:
        # Only who has logged in there sees it: it says of nobody else whether there is an account.
        how = f"phusong accounts add … --oidc-issuer {shlex.quote(issuer)} --oidc-subject {shlex.quote(subject)}"
        raise AccessRefused(
            f"Mã “{subject}” chưa có tài khoản đang mở ở đây. Hãy gửi mã này cho người quản trị: {how}",
            f"“{subject}” has no open account here. Send this id to the administrator: {how}",
        ) from fault
    return sessions.session(desk.workspace, token).name, token


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFound("Dịch vụ không có nhà cung cấp đăng nhập.", "The service has no login provider.")
    return provider


def _way_back(request: Request) -> str:
    return f"{base_url(request)}/login/oidc/callback"


def _about_attempts(request: Request) -> dict[str, Any]:
    return {"path": "/login", "secure": _is_https(request), "httponly": True, "samesite": "lax"}


@router.get("/logout", include_in_schema=False)
def leave_page() -> Response:
    """The way to where one logs out: opening an address ends nobody's session."""
    return RedirectResponse("/login", 303)


@router.post("/logout")
async def leave(request: Request, desk: AtDesk) -> Response:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await run_in_threadpool(sessions.logout, desk.workspace, token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


def with_session(request: Request, token: str, page: str) -> Response:
    """The way to a page of ours, with the session's cookie: no script reads it, no other site's form carries it along."""
    answer = RedirectResponse(page, 303, {"Cache-Control": "no-store"})
    longest_s = int(sessions.LONGEST.total_seconds())
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=longest_s,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )
    return answer


def _is_https(request: Request) -> bool:
    return base_url(request).startswith("https:")


def _note(
    desk: AtDesk, request: Request, name: str, action: str, about: Mapping[str, audit.Said] | None = None
) -> None:
    try:
        who = plain_name(name)
    except InputError:
        who = "?"
    address = request.client.host if request.client else None
    by = audit.By(who, None, None, address, getattr(request.state, "request_id", None))
    audit.record(desk.workspace, by, action, about or {})


def _own_page(asked: str) -> str:
    return asked if _OWN_PAGE.fullmatch(asked) else "/"


@dataclass(frozen=True)
class Shown:
    """What the page is made of: where it leads on, what went wrong, the name that was given, who is logged in already."""

    next_page: str
    fault: PhusongError | None = None
    name: str = ""
    caller: Caller | None = None


def _page(request: Request, lang: Lang | None, shown: Shown) -> Response:
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    answer = in_language(request, lang, lambda chosen: _html(request, chosen, shown), headers)
    if shown.fault is not None:
        told = answer_of(shown.fault)
        answer.status_code = 401 if isinstance(shown.fault, InputError) else told.status_code
        if "retry-after" in told.headers:
            answer.headers["Retry-After"] = told.headers["retry-after"]
    return answer


def _html(request: Request, lang: Lang, shown: Shown) -> str:
    fault = shown.fault
    told = "" if fault is None else fault.en if lang == "en" else fault.vi
    parts = {
        "lang": lang,
        "other_lang": "vi" if lang == "en" else "en",
        "static": static_address(),
        "logo": static_text("logo.svg"),
        "next_quoted": quote(shown.next_page, safe=""),
        "fault": f'<p class="bad" role="alert">{html.escape(told)}</p>' if told else "",
        "inside": _form(request, lang, shown) if shown.caller is None else line_of(shown.caller, lang),
    }
    return static_text("login.html").format_map({**_words(lang), **parts})


def _form(request: Request, lang: Lang, shown: Shown) -> str:
    words = _words(lang)
    provider = f'<p><a href="/login/oidc?next={quote(shown.next_page)}">{words["by_provider"]}</a></p>'
    parts = {
        "next": html.escape(shown.next_page),
        "given": html.escape(shown.name),
        "provider": provider if request.app.state.has_provider else "",
    }
    return static_text("login-form.html").format_map({**words, **parts})


def _words(lang: Lang) -> dict[str, str]:
    return {name: html.escape(text) for name, text in _WORDS[lang].items()}
