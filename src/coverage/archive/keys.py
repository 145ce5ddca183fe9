"""API keys: what a team shows with its requests. A key is seen once, when it is made; the archive knows only a digest of it."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import Connection, Row, insert, or_, select, update

from coverage.archive import audit
from coverage.archive.manifest import noting, now_utc, reading, transaction
from coverage.archive.schema import KEYS
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused, ArchiveUnavailable, InputError, NotFound

DAYS = 365
LONGEST_DAYS = 3650
_SECRET_BYTES = 32
_TEXT = re.compile(r"ps_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_USE_IS_NOTED = timedelta(hours=1)  # each note is a write
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class Key:
    """A key as the manifest has it, without its secret; the meaning of each column stands in `schema`."""

    key_id: str
    name: str
    role: str
    operator: str | None
    created_utc: datetime
    expires_utc: datetime
    revoked_utc: datetime | None
    last_used_utc: datetime | None

    def state(self, now: datetime) -> str:
        """Whether it is active at that moment, or expired, or revoked."""
        if self.revoked_utc is not None:
            return "revoked"
        return "active" if now < self.expires_utc else "expired"


def add(
    workspace: Workspace, caller: Caller, days: int = DAYS, by: audit.By = audit.COMMAND_LINE
) -> tuple[Key, str]:
    """A new key for a team, and its text, `ps_KEYID_SECRET`, which cannot be had again.

    Raises `InputError` where it would expire today already, or only after `LONGEST_DAYS`.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError(
            f"Thời hạn {days} ngày không được: từ 1 đến {LONGEST_DAYS} ngày kể từ hôm nay.",
            f"A key cannot last {days} days: 1 to {LONGEST_DAYS} days from now.",
        )
    secret, now = secrets.token_urlsafe(_SECRET_BYTES), now_utc()
    about = {"name": caller.name, "role": caller.role, "operator": caller.operator}
    times = {"created_utc": now, "expires_utc": now + timedelta(days=days)}
    with transaction(workspace.manifest) as connection:
        key_id = _unused(connection)
        row = {"key_id": key_id, "secret_sha256": _sha256(secret), **about, **times}
        connection.execute(insert(KEYS).values(**row))
        key = _found(connection, key_id)
        audit.record(connection, by, "keys.add", _said(key))
    return key, f"ps_{key_id}_{secret}"


def _unused(connection: Connection) -> str:
    while True:
        key_id = secrets.token_hex(4)
        if _find(connection, key_id) is None:
            return key_id


def list_keys(workspace: Workspace) -> list[Key]:
    """Every key, oldest first, those that are revoked or expired included."""
    with reading(workspace.manifest) as connection:
        rows = connection.execute(select(KEYS).order_by(KEYS.c.created_utc, KEYS.c.key_id))
        return [_key(row) for row in rows]


def revoke(workspace: Workspace, key_id: str, by: audit.By = audit.COMMAND_LINE) -> Key:
    """The key, from now on or long since of no use. Raises `NotFound`."""
    with transaction(workspace.manifest) as connection:
        key = _found(connection, key_id)
        if key.revoked_utc is not None:
            return key
        connection.execute(update(KEYS).where(KEYS.c.key_id == key_id).values(revoked_utc=now_utc()))
        audit.record(connection, by, "keys.revoke", _said(key))
        return _found(connection, key_id)


def check(workspace: Workspace, text: str) -> Caller:
    """Whose key that is. Raises `AccessRefused` where it is none, or none any more: which of them is not told."""
    match, now = _TEXT.fullmatch(text), now_utc()
    key_id, secret = (match[1], match[2]) if match else ("", "")
    with reading(workspace.manifest) as connection:
        row = _find(connection, key_id)
    same = compare_digest(_sha256(secret), _NO_DIGEST if row is None else row.secret_sha256)
    if row is None or not same or _key(row).state(now) != "active":
        raise AccessRefused(
            "Khoá truy cập không đúng hoặc không còn hiệu lực: hãy kiểm tra khoá, hoặc xin người quản trị khoá mới.",
            "The key is not valid, or not any more: check it, or ask the administrator for a new one.",
        )
    _note_use(workspace, _key(row), now)
    return Caller(row.name, row.role, row.operator, key_id)


def _note_use(workspace: Workspace, key: Key, now: datetime) -> None:
    if key.last_used_utc is not None and now - key.last_used_utc < _USE_IS_NOTED:
        return
    last = KEYS.c.last_used_utc
    due = KEYS.c.key_id == key.key_id, or_(last.is_(None), last <= now - _USE_IS_NOTED)
    # Who may ask may ask also while nothing can be written.
    with suppress(ArchiveUnavailable), noting(workspace.manifest) as connection:
        connection.execute(update(KEYS).where(*due).values(last_used_utc=now))


def _sha256(secret: str) -> str:
    # A secret of 256 random bits needs no slow hash: nobody can try them all.
    return hashlib.sha256(secret.encode()).hexdigest()


def _said(key: Key) -> dict[str, audit.Said]:
    expires = f"{key.expires_utc.isoformat(timespec='seconds')}Z"
    about = {"team": key.name, "role": key.role, "operator": key.operator}
    return {"key_id": key.key_id, "expires_utc": expires, **about}


def _find(connection: Connection, key_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(KEYS).where(KEYS.c.key_id == key_id)).first()


def _found(connection: Connection, key_id: str) -> Key:
    row = _find(connection, key_id)
    if row is None:
        raise NotFound(f"Không có khoá {key_id}.", f"There is no key {key_id}.")
    return _key(row)


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(**{one.name: getattr(row, one.name) for one in fields(Key)})
