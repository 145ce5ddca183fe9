"""Commands about who may ask: keys of teams, accounts of people, and the log of who did what."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from coverage.callers import ROLES
from coverage.cli.options import (
    FAILED,
    JsonOption,
    OutputOption,
    WorkspaceOption,
    existing_workspace_at,
    show,
    workspace_at,
)
from coverage.errors import InputError

RoleOption = Annotated[str, typer.Option(help=f"Vai trò / role: {', '.join(ROLES)}")]
OperatorOption = Annotated[
    str | None,
    typer.Option(help="Nhà mạng của vai trò operator / its operator: Viettel, 45204"),
]
StdinOption = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Đọc mật khẩu từ dòng đầu của stdin / read it from stdin's first line"
    ),
]
NameArgument = Annotated[str, typer.Argument(help="Tên / name")]

keys_app = typer.Typer(no_args_is_help=True, help="Khoá truy cập của các đội / Keys of teams")
accounts_app = typer.Typer(no_args_is_help=True, help="Tài khoản của từng người / Accounts of people")
audit_app = typer.Typer(no_args_is_help=True, help="Nhật ký kiểm toán: ai làm gì / Who did what")


def _opened(given: Path | None) -> Any:  # noqa: ANN401 - imported lazily
    """The workspace, which must be there: a key of a mistyped folder would open nothing."""
    existing_workspace_at(given)
    return workspace_at(given)


def _caller(workspace: Any, name: str, role: str, operator: str | None) -> Any:  # noqa: ANN401
    from coverage.callers import Caller, plain_name
    from coverage.logs.operators import resolve

    names = workspace.criteria.operators.names
    code = resolve(operator, names)
    if code is not None and not code.isdigit():
        known = ", ".join(f"{name} ({digits})" for digits, name in names.items())
        raise InputError(f"Không có nhà mạng “{code}”: {known}.", f"There is no operator “{code}”: {known}.")
    return Caller(plain_name(name), role, code)


@keys_app.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="Tên đội / the team")],
    role: RoleOption,
    operator: OperatorOption = None,
    days: Annotated[int, typer.Option(help="Số ngày có hiệu lực / days until it expires")] = 365,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tạo khoá / Make a key and print it: this once, it is kept nowhere."""
    from coverage.archive import keys

    opened = _opened(workspace)
    key, text = keys.add(opened, _caller(opened, name, role, operator), days)
    show({**asdict(key), "key": text}, as_json, text)
    print(
        f"Hãy chép khoá {key.key_id} ngay, sẽ không xem lại được; hết hạn {key.expires_utc:%Y-%m-%d}.\n"
        f"Copy the key {key.key_id} now, it cannot be shown again; it expires on {key.expires_utc:%Y-%m-%d}.",
        file=sys.stderr,
    )


@keys_app.command("list")
def keys_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Liệt kê / List the keys, without their secrets."""
    from coverage.archive import keys
    from coverage.archive.manifest import now_utc

    now = now_utc()
    rows = [asdict(one) | {"state": one.state(now)} for one in keys.list_keys(_opened(workspace))]
    show(rows, as_json, "\n".join(map(_key_line, rows)))


def _key_line(row: dict[str, Any]) -> str:
    used = f"{row['last_used_utc']:%Y-%m-%d %H:%M}" if row["last_used_utc"] else "-"
    about = f"{row['role']:<14} {row['operator'] or '-':<6} {row['expires_utc']:%Y-%m-%d}  {used:<16}"
    return f"{row['key_id']}  {row['state']:<8} {about}  {row['name']}"


@keys_app.command("revoke")
def keys_revoke(key_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Thu hồi / Revoke a key: from now on it opens nothing."""
    from coverage.archive import keys

    key = keys.revoke(_opened(workspace), key_id)
    show(asdict(key), as_json, f"{key_id}: revoked {key.revoked_utc:%Y-%m-%d %H:%M:%S}")


@accounts_app.command("add")
def accounts_add(
    name: NameArgument,
    role: RoleOption,
    operator: OperatorOption = None,
    password_stdin: StdinOption = False,
    oidc_issuer: Annotated[
        str | None, typer.Option(help="Đăng nhập qua nơi này / logs in by this provider, https://…")
    ] = None,
    oidc_subject: Annotated[
        str | None, typer.Option(help="Mã của người ấy ở đó / the person's id there")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tạo tài khoản / Add an account: asks for its password, unless an OpenID provider knows the person."""
    from coverage.archive import accounts

    opened = _opened(workspace)
    caller = _caller(opened, name, role, operator)
    if oidc_issuer or oidc_subject:
        if password_stdin:
            raise InputError(
                "Tài khoản có mật khẩu hoặc OIDC, không cả hai.",
                "An account has a password or OIDC, not both.",
            )
        added = accounts.add_subject(opened, caller, oidc_issuer or "", oidc_subject or "")
    else:
        added = accounts.add(opened, caller, _password(from_stdin=password_stdin))
    show(asdict(added), as_json, _account_line(asdict(added)))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Mật khẩu / password", hide_input=True, confirmation_prompt=True, err=True))


@accounts_app.command("list")
def accounts_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Liệt kê / List the accounts."""
    from coverage.archive import accounts

    rows = [asdict(one) for one in accounts.list_accounts(_opened(workspace))]
    show(rows, as_json, "\n".join(map(_account_line, rows)))


def _account_line(row: dict[str, Any]) -> str:
    state = "disabled" if row["disabled_utc"] else "active"
    known_by = f"{row['issuer']} {row['subject']}" if row["issuer"] else "password"
    return f"{state:<8} {row['role']:<14} {row['operator'] or '-':<6} {row['name']}  ({known_by})"


@accounts_app.command("password")
def accounts_password(
    name: NameArgument,
    password_stdin: StdinOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Đổi mật khẩu / Set another password; whoever is logged in must log in again."""
    from coverage.archive import accounts

    accounts.set_password(_opened(workspace), name, _password(from_stdin=password_stdin))
    show({"name": name, "changed": True}, as_json, f"{name}: đã đổi mật khẩu / password changed")


@accounts_app.command("disable")
def accounts_disable(
    name: NameArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Khoá tài khoản / Disable an account and end its sessions."""
    from coverage.archive import accounts

    row = asdict(accounts.disable(_opened(workspace), name))
    show(row, as_json, _account_line(row))


@audit_app.command("list")
def audit_list(
    since: Annotated[
        str | None, typer.Option(help="Từ số hoặc ngày giờ UTC / from this number or UTC time on")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Nhiều nhất mấy dòng / at most so many")] = 100,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Liệt kê / List the log: the newest rows, or those from a number or moment on."""
    from coverage.archive import audit

    found = audit.entries(_opened(workspace), _since(since), limit)
    show([asdict(one) for one in found], as_json, "\n".join(_entry_lines(found)))


def _since(text: str | None) -> int | datetime | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text[:9])  # beyond any row all the same
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    raise InputError(
        f"--since: “{text}” không phải số hay ngày giờ dạng 2026-10-31T08:00.",
        f"--since: “{text}” is neither a number nor a time like 2026-10-31T08:00.",
    )


def _entry_lines(found: Iterable[Any]) -> Iterable[str]:
    for one in found:
        about = orjson.dumps(one.about).decode()
        whose = f"{one.caller} ({one.role or '-'}, {one.key_id or '-'}, {one.address or '-'})"
        yield f"{one.number:>6}  {one.at_utc}  {one.action:<18} {whose}  {about}"


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="Đầu chuỗi đã ghi lại trước đây / a head noted before, NUMBER:HASH")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Kiểm tra / Check the chain of the log, and print its head to be noted elsewhere."""
    from coverage.archive import audit

    chain = audit.verify(_opened(workspace), head)
    show(asdict(chain) | {"head": chain.head}, as_json, chain.head if chain.broken is None else "")
    if chain.broken is not None:
        vi, en = _FAULTS[str(chain.fault)]
        print(f"Lỗi: dòng {chain.broken} {vi}.\nError: row {chain.broken} {en}.", file=sys.stderr)
        raise typer.Exit(FAILED)


_FAULTS = {
    "changed": ("đã bị sửa", "was changed"),
    "missing": ("không còn", "is missing"),
    "inserted": ("bị chèn thêm", "was put in"),
    "other_head": (
        "không phải dòng đã ghi lại: nhật ký đã bị viết lại đến đó",
        "is not the one that was noted: the log was written anew up to it",
    ),
}


@audit_app.command("export")
def audit_export(
    output: OutputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Xuất / Write the whole log as JSON lines, with what is needed to check its chain."""
    from coverage.archive import audit

    count = audit.export(_opened(workspace), output)
    show({"file": str(output), "rows": count}, as_json, f"{output}: {count}")
