"""Commands on uploads that were received."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import orjson
import typer

from coverage.cli.options import JsonOption, OutputOption, WorkspaceOption, show, workspace_at

ByOption = Annotated[
    str | None, typer.Option("--by", help="Ai làm / who does it [tên đăng nhập / login name]")
]

uploads_app = typer.Typer(no_args_is_help=True, help="Các lần tải lên / Uploads")


@uploads_app.command("list")
def uploads_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Liệt kê / List the uploads."""
    from coverage.archive import uploads

    rows = uploads.list_uploads(workspace_at(workspace))
    lines = (f"{row['upload_id']}  {row['state']:<10} {_held(row):>9} {row['file']}" for row in rows)
    show(rows, as_json, "\n".join(lines))


def _held(row: dict[str, Any]) -> int:
    return int(row["accepted"] - row["erased"])


@uploads_app.command("show")
def uploads_show(upload_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Xem một lần tải lên / Show one upload, the reasons of its refused rows counted."""
    from coverage.archive import uploads

    row = uploads.show(workspace_at(workspace), upload_id)
    show(row, as_json, orjson.dumps(row, default=str, option=orjson.OPT_INDENT_2).decode())


@uploads_app.command("rejects")
def uploads_rejects(
    upload_id: str, output: OutputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Xuất các dòng không nhận / Write the rows that were not accepted, with reason and cure."""
    from coverage.exports.rejects import write_rejects

    count = write_rejects(workspace_at(workspace), upload_id, output)
    show({"file": str(output), "rows": count}, as_json, f"{output}: {count}")


@uploads_app.command("withdraw")
def uploads_withdraw(
    upload_id: str,
    reason: Annotated[str, typer.Option(help="Lý do / reason")],
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rút một lần tải lên / Take an upload out of every later assessment."""
    from coverage.archive import uploads

    uploads.withdraw(workspace_at(workspace), upload_id, reason, by or login_name())
    show({"upload_id": upload_id, "state": "withdrawn"}, as_json, f"{upload_id}: withdrawn")
    tell_when_maps_change()


@uploads_app.command("restore")
def uploads_restore(
    upload_id: str, by: ByOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Khôi phục / Let a withdrawn upload count again."""
    from coverage.archive import uploads

    uploads.restore(workspace_at(workspace), upload_id, by=by or login_name())
    show({"upload_id": upload_id, "state": "committed"}, as_json, f"{upload_id}: committed")
    tell_when_maps_change()


def login_name() -> str | None:
    """Who is logged in on this machine; None where nobody can tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without a name, as in some containers
        return None


def tell_when_maps_change() -> None:
    """Say on stderr from when on maps and lists show what was changed."""
    print(
        "Bản đồ và danh sách đổi ở lần phusong assess tới; nơi dịch vụ đang chạy thì tự đổi ngay.\n"
        "Maps and lists change with the next phusong assess; at once where the service runs.",
        file=sys.stderr,
    )
