"""Accounts: people who come with a browser, by a password of ours or by what an OpenID provider says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from coverage.archive import audit, guessing, passwords, sessions
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import ACCOUNTS
from coverage.archive.sessions import logout, session
from coverage.archive.workspace import Workspace
from coverage.callers import Caller, folded
from coverage.errors import AccessRefused, Conflict, InputError, NotFound

__all__ = [
    "Account",
    "add",
    "add_subject",
    "disable",
    "list_accounts",
    "login",
    "logout",
    "of_subject",
    "session",
    "set_password",
]
_ISSUER = re.compile(r"https?://[!-~]{1,500}")
_SUBJECT = re.compile(r"[!-~]{1,255}")  # OpenID Connect Core: ASCII, at most 255 signs


@dataclass(frozen=True)
class Account:
    """An account as the manifest has it, without its password; issuer and subject: of an OpenID provider, else None."""

    name: str
    role: str
    operator: str | None
    issuer: str | None
    subject: str | None
    created_utc: datetime
    disabled_utc: datetime | None


def add(workspace: Workspace, caller: Caller, password: str, by: audit.By = audit.COMMAND_LINE) -> Account:
    """A new account with a password. Raises `InputError` for a password that is easily guessed, `Conflict` for a taken name."""
    return _add(workspace, caller, {"password": passwords.hashed(caller.name, password)}, by)


def add_subject(
    workspace: Workspace, caller: Caller, issuer: str, subject: str, by: audit.By = audit.COMMAND_LINE
) -> Account:
    """A new account for whom that OpenID provider calls so. Raises `InputError`, and `Conflict` where either has one."""
    if not (_ISSUER.fullmatch(issuer) and _SUBJECT.fullmatch(subject)):
        raise InputError(
            f"OIDC: “{issuer}” phải là http(s)://…, và “{subject}” là mã của một người ở đó.",
            f"OIDC: “{issuer}” must be http(s)://…, and “{subject}” the id of somebody there.",
        )
    return _add(workspace, caller, {"issuer": issuer, "subject": subject}, by)


def _add(workspace: Workspace, caller: Caller, known_by: dict[str, str], by: audit.By) -> Account:
    account = folded(caller.name)
    about = {"name": caller.name, "role": caller.role, "operator": caller.operator}
    with transaction(workspace.manifest) as connection:
        _require_free(connection, ACCOUNTS.c.account == account, caller.name)
        if "subject" in known_by:
            _require_free(connection, _is_subject(**known_by), known_by["subject"])
        row = {"account": account, **about, **known_by, "created_utc": now_utc()}
        connection.execute(insert(ACCOUNTS).values(**row))
        added = _account(_found(connection, caller.name))
        audit.record(connection, by, "accounts.add", _said(added))
    return added


def _require_free(connection: Connection, taken: ColumnElement[bool], what: str) -> None:
    if _find(connection, taken) is not None:
        raise Conflict(f"“{what}” đã có tài khoản.", f"“{what}” has an account already.")


def list_accounts(workspace: Workspace) -> list[Account]:
    """Every account by its name, disabled ones included."""
    with reading(workspace.manifest) as connection:
        return [_account(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.account))]


def set_password(workspace: Workspace, name: str, password: str, by: audit.By = audit.COMMAND_LINE) -> None:
    """Give an account another password; its sessions end, and failed logins are forgotten.

    Raises `InputError` for a password that is easily guessed, `NotFound`, and `Conflict` where the account has none.
    """
    kept = passwords.hashed(name, password)
    with transaction(workspace.manifest) as connection:
        row = _found(connection, name)
        if row.password is None:
            raise Conflict(
                f"“{row.name}” đăng nhập qua {row.issuer}, không có mật khẩu ở đây.",
                f"“{row.name}” logs in by {row.issuer} and has no password here.",
            )
        _change(connection, row.account, password=kept)
        sessions.end_all(connection, row.account)
        guessing.clear(connection, row.account)
        audit.record(connection, by, "accounts.password", _said(_account(row)))


def disable(workspace: Workspace, name: str, by: audit.By = audit.COMMAND_LINE) -> Account:
    """The account, which from now on or long since logs in no more; its sessions end. Raises `NotFound`."""
    with transaction(workspace.manifest) as connection:
        row = _found(connection, name)
        if row.disabled_utc is None:
            _change(connection, row.account, disabled_utc=now_utc())
            sessions.end_all(connection, row.account)
            audit.record(connection, by, "accounts.disable", _said(_account(row)))
        return _account(_found(connection, name))


def login(workspace: Workspace, name: str, password: str) -> str:
    """The token of a new session.

    Raises `AccessRefused` for a wrong name, a wrong password or a disabled account, alike and after the same work, and
    `TooMany` after `guessing.TRIES` of them.
    """
    account = folded(name)
    guessing.count_try(workspace, account)
    with reading(workspace.manifest) as connection:
        row = _find(connection, ACCOUNTS.c.account == account) if account.isprintable() else None
    kept = None if row is None else row.password
    if not passwords.fits(kept, password) or kept is None:
        raise _refused()
    renewed = passwords.renewed(kept, password)
    with transaction(workspace.manifest) as connection:
        # A password that was changed while we computed is not the one that fitted.
        same = and_(ACCOUNTS.c.account == account, ACCOUNTS.c.password == kept)
        token = _begin(connection, _find(connection, same))
        if renewed is not None:
            _change(connection, account, password=renewed)
        guessing.clear(connection, account)
    return token


def of_subject(workspace: Workspace, issuer: str, subject: str) -> str:
    """The token of a new session of whom that OpenID provider calls so. Raises `AccessRefused` where nobody is."""
    if not (_ISSUER.fullmatch(issuer) and _SUBJECT.fullmatch(subject)):
        raise _refused()
    with transaction(workspace.manifest) as connection:
        return _begin(connection, _find(connection, _is_subject(issuer, subject)))


def _begin(connection: Connection, row: Row[tuple[object, ...]] | None) -> str:
    if row is None or row.disabled_utc is not None:
        raise _refused()
    return sessions.begin(connection, row.account)


def _refused() -> AccessRefused:
    return AccessRefused(
        "Đăng nhập không được: tên hoặc mật khẩu không đúng, hoặc tài khoản đã bị khoá.",
        "Logging in failed: a wrong name or password, or a disabled account.",
    )


def _is_subject(issuer: str, subject: str) -> ColumnElement[bool]:
    return and_(ACCOUNTS.c.issuer == issuer, ACCOUNTS.c.subject == subject)


def _find(connection: Connection, which: ColumnElement[bool]) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(ACCOUNTS).where(which)).first()


def _found(connection: Connection, name: str) -> Row[tuple[object, ...]]:
    row = _find(connection, ACCOUNTS.c.account == folded(name))
    if row is None:
        raise NotFound(f"Không có tài khoản “{name}”.", f"There is no account “{name}”.")
    return row


def _change(connection: Connection, account: str, **values: object) -> None:
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.account == account).values(**values))


def _said(account: Account) -> dict[str, audit.Said]:
    about = {"account": account.name, "role": account.role, "operator": account.operator}
    return {**about, "issuer": account.issuer}


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(**{one.name: getattr(row, one.name) for one in fields(Account)})
