"""Sessions: what a browser shows after a login, until it is idle for too long or somebody ends it."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from coverage.archive.manifest import noting, now_utc, reading, transaction
from coverage.archive.schema import ACCOUNTS, SESSIONS
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused, ArchiveUnavailable

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
_TOKEN_BYTES = 32
_USE_IS_NOTED = timedelta(minutes=1)  # each note is a write


def begin(connection: Connection, account: str) -> str:
    """The token of a new session of that account, within the caller's transaction; those that are over are forgotten."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), now_utc()
    over = or_(SESSIONS.c.seen_utc <= now - IDLE, SESSIONS.c.begun_utc <= now - LONGEST)
    connection.execute(delete(SESSIONS).where(over))
    begun = {"token_sha256": _sha256(token), "account": account, "begun_utc": now, "seen_utc": now}
    connection.execute(insert(SESSIONS).values(**begun))
    return token


def session(workspace: Workspace, token: str) -> Caller:
    """Whose session that is. Raises `AccessRefused` where it is none, or none any more."""
    whose, now = _sha256(token), now_utc()
    both = select(ACCOUNTS, SESSIONS).join(SESSIONS, SESSIONS.c.account == ACCOUNTS.c.account)
    with reading(workspace.manifest) as connection:
        row = connection.execute(both.where(SESSIONS.c.token_sha256 == whose)).first()
    if row is None or row.disabled_utc or now >= min(row.seen_utc + IDLE, row.begun_utc + LONGEST):
        raise AccessRefused(
            "Phiên đăng nhập không còn hiệu lực: hãy đăng nhập lại.",
            "The session is not valid any more: log in again.",
        )
    if now - row.seen_utc >= _USE_IS_NOTED:
        _note_use(workspace, whose, now)
    return Caller(row.name, row.role, row.operator)


def _note_use(workspace: Workspace, whose: str, now: datetime) -> None:
    mine = SESSIONS.c.token_sha256 == whose, SESSIONS.c.seen_utc < now
    # Who may ask may ask also while nothing can be written.
    with suppress(ArchiveUnavailable), noting(workspace.manifest) as connection:
        connection.execute(update(SESSIONS).where(*mine).values(seen_utc=now))


def logout(workspace: Workspace, token: str) -> None:
    """End a session, where it is one."""
    with transaction(workspace.manifest) as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.token_sha256 == _sha256(token)))


def end_all(connection: Connection, account: str) -> None:
    """End every session of an account."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.account == account))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
