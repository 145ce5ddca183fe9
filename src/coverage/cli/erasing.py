"""The command that erases measurements for good: of one device, or of all days before one."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from coverage.cli.options import (
    FAILED,
    JsonOption,
    WorkspaceOption,
    day_of,
    existing_workspace_at,
    show,
    workspace_at,
)
from coverage.cli.uploads import ByOption, login_name, tell_when_maps_change
from coverage.errors import InputError

app = typer.Typer()


@app.command()
def erase(
    reason: Annotated[str, typer.Option(help="Lý do; đừng ghi tên máy / why; do not name the phone")],
    device: Annotated[
        str | None,
        typer.Option(help="Tên máy như trong nhật ký, hoặc mã băm / a phone as logs name it, or its hash"),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="Mọi số đo trước ngày này / all that was measured before, YYYY-MM-DD")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Không hỏi lại / do not ask")] = False,
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Xoá hẳn số đo / Erase measurements for good: of one device, or of all days before one."""
    from coverage.archive import audit, erasing
    from coverage.progress import stages

    if not yes and not sys.stdin.isatty():
        raise InputError(
            "Không có ai để hỏi lại: thêm --yes nếu chắc chắn.", "There is nobody to ask: add --yes if sure."
        )
    existing_workspace_at(workspace)
    opened = workspace_at(workspace)
    which = _which(opened, device, before)
    if not yes:
        _ask(*erasing.count(opened, which))
    who = audit.By(by or login_name() or audit.COMMAND_LINE.name)
    with stages("Xoá / erase") as tell:
        done = erasing.erase(opened, which, reason, who, tell)
    show(asdict(done), as_json, _told(done))
    _tell_what_is_left(done)


def _which(workspace: Any, device: str | None, before: str | None) -> Any:  # noqa: ANN401 - imported lazily
    from coverage.archive import erasing

    day = day_of(before, "--before")
    if (device is None) == (day is None):
        raise InputError("Hãy chọn --device hoặc --before.", "Choose --device or --before.")
    if day is not None:
        return erasing.before(day)
    # Some phones call themselves by what looks like a hash.
    own = (device,) if device is not None and erasing.is_hash(device) else ()
    return erasing.of_device(*own, erasing.hash_of(workspace, device or ""))


def _ask(uploads: int, rows: int) -> None:
    question = (
        f"Sẽ xoá hẳn {rows} dòng của {uploads} lần tải lên, không lấy lại được.\n"
        f"{rows} rows of {uploads} uploads will be erased, and cannot be had again.\n"
        "Tiếp tục / go on?"
    )
    if rows and not typer.confirm(question, err=True):
        print("Không xoá gì. / Nothing was erased.", file=sys.stderr)
        raise typer.Exit(FAILED)


def _told(done: Any) -> str:  # noqa: ANN401
    if not done.rows:
        return f"Không có dòng nào như vậy / there are no such rows; {done.parts} tệp cũ / former files"
    return (
        f"Đã xoá {done.rows} dòng của {done.uploads} lần tải lên / erased {done.rows} rows of {done.uploads} uploads; "
        f"{done.parts} tệp / files"
    )


def _tell_what_is_left(done: Any) -> None:  # noqa: ANN401
    if done.rows or done.parts:
        print(
            "Bản sao lưu còn giữ những dòng ấy cho đến lần phusong backup tới.\n"
            "Backups hold these rows until the next phusong backup into each of them.",
            file=sys.stderr,
        )
    if done.unread:
        print(
            f"{done.unread} tệp đã gửi mà chưa đọc không được xem: hãy chạy lại lệnh này khi đã đọc xong.\n"
            f"{done.unread} files that were sent and are not read yet were not looked into: run this again once they are.",
            file=sys.stderr,
        )
    if done.rows:
        tell_when_maps_change()
