"""Who a request comes from: by the key or the session that it shows, or anybody where no keys were ever given out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from typing import Annotated

from cachetools import TTLCache
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from coverage.archive import accounts, keys, sessions
from coverage.archive.workspace import Workspace
from coverage.callers import Caller

SESSION_COOKIE = "phusong_session"
# So long a key counts after it was revoked. Asking the manifest for every request would cost more than most answers.
_BELIEVED_S = 2.0
_MOST_BELIEVED = 1000


class Admission:
    """Callers by what they show; safe for threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._believed: TTLCache[str, Caller | bool] = TTLCache(_MOST_BELIEVED, _BELIEVED_S)
        self._lock = threading.Lock()

    def known(self, headers: Headers) -> Caller | None:
        """The caller that was asked for a moment ago; None where the manifest must be asked."""
        shown = _shown(headers)
        found = None if shown is None else self._kept(_digest(shown))
        return found if isinstance(found, Caller) else None

    def caller(self, headers: Headers) -> Caller | None:
        """Whose key or session the headers show; None where they show none. Raises `AccessRefused` for one that is not valid."""
        shown = _shown(headers)
        if shown is None:
            return None
        kind, text = shown
        found = (
            keys.check(self._workspace, text) if kind == "key" else sessions.session(self._workspace, text)
        )
        self._keep(_digest(shown), found)
        return found

    def is_closed(self) -> bool:
        """Whether anybody has a key or an account: from then on everybody needs one."""
        told = self._kept("closed")
        if told is None:
            told = is_closed(self._workspace)
            self._keep("closed", told)
        return told is True

    def _kept(self, name: str) -> Caller | bool | None:
        with self._lock:
            return self._believed.get(name)

    def _keep(self, name: str, value: Caller | bool) -> None:
        with self._lock:
            self._believed[name] = value


def is_closed(workspace: Workspace) -> bool:
    """Whether anybody was ever given a key or an account; one that was revoked since counts too."""
    return bool(keys.list_keys(workspace) or accounts.list_accounts(workspace))


def _shown(headers: Headers) -> tuple[str, str] | None:
    """What kind of token is shown, and the token: a key as `Bearer`, as `X-Api-Key`, as password of `Basic` (QGIS has
    no other field for it), or a session's cookie. The first that is there counts.
    """
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return "key", token.strip()
    if kind.lower() == "basic":
        return "key", _password(token)
    if "x-api-key" in headers:
        return "key", headers["x-api-key"].strip()
    cookie = cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE)
    return None if not cookie else ("session", cookie)


def _password(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def shows_session(headers: Headers) -> bool:
    """Whether it is a browser's cookie that is shown: it comes along whichever page asks."""
    shown = _shown(headers)
    return shown is not None and shown[0] == "session"


def _digest(shown: tuple[str, str]) -> str:
    return hashlib.sha256("\0".join(shown).encode()).hexdigest()


async def _caller(request: Request) -> Caller | None:
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller


# None where the service has no keys and answers this machine only.
Asking = Annotated[Caller | None, Depends(_caller)]
