"""Who is logged in, as our pages say it: name, role, and the button that ends the session."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from fastapi import Request

from coverage.archive import sessions
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused
from coverage.service.admission import SESSION_COOKIE, shows_session
from coverage.service.languages import Lang

_WORDS: Mapping[Lang, tuple[str, str]] = {
    "vi": ("Đang đăng nhập", "Đăng xuất"),
    "en": ("Logged in", "Log out"),
}
_ROLES: Mapping[str, tuple[str, str]] = {
    "viewer": ("người xem", "viewer"),
    "field_team": ("đội đo", "field team"),
    "operator": ("nhà mạng", "operator"),
    "planner": ("người lập kế hoạch", "planner"),
    "province_admin": ("quản trị tỉnh", "administrator"),
}


def greeting(request: Request, caller: Caller | None, lang: Lang) -> str:
    """The line about who is logged in as HTML; empty for a program with a key, and where nobody is."""
    return "" if caller is None or not shows_session(request.headers) else line_of(caller, lang)


def line_of(caller: Caller, lang: Lang) -> str:
    """The line about somebody who is logged in as HTML: a form, for leaving changes what the service holds."""
    logged_in, log_out = _WORDS[lang]
    role = _ROLES[caller.role][0 if lang == "vi" else 1]
    who = f"{logged_in}: <b>{escape(caller.name)}</b> ({role})"
    return (
        f'<form class="who screen" method="post" action="/logout"><span>{who}</span>'
        f'<button class="small">{log_out}</button></form>'
    )


def of_session(request: Request, workspace: Workspace) -> Caller | None:
    """Whose session the browser shows, on pages that are anybody's; None where it shows none that is valid."""
    token = request.cookies.get(SESSION_COOKIE)
    try:
        return sessions.session(workspace, token) if token else None
    except AccessRefused:
        return None
