"""Commands that keep a workspace: verify, back up, restore, compact, and the worker."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from coverage.cli.options import (
    FAILED,
    JsonOption,
    WorkspaceOption,
    existing_workspace_at,
    show,
    workspace_at,
)
from coverage.settings import get_settings

app = typer.Typer()


@app.command()
def verify(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Kiểm tra / Hash every part anew, check the manifest against the files, find what is left over."""
    from coverage.archive.verification import verify as look_at
    from coverage.progress import stages

    with stages("Kiểm tra / verify") as tell:
        findings = look_at(existing_workspace_at(workspace), tell)
    show([asdict(one) for one in findings], as_json, _findings(findings))
    _end_where_any_is_damage(findings)


def _findings(findings: list[Any]) -> str:
    lines = [f"[{one.severity}, {one.what}] {one.vi}\n    {one.en}" for one in findings]
    count = Counter(one.severity for one in findings)
    total = (
        f"{count['damage']} hỏng / damaged, {count['attention']} cần xử lý / to be seen to, "
        f"{count['leftover']} thừa / left over"
    )
    return "\n".join([*lines, total])


def _end_where_any_is_damage(findings: list[Any]) -> None:
    if any(one.severity == "damage" for one in findings):
        raise typer.Exit(FAILED)


@app.command()
def compact(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Gộp tệp dữ liệu / Merge the parts of many uploads into a few; nothing that counts changes."""
    from coverage.archive.compaction import compact as merge
    from coverage.progress import stages

    existing_workspace_at(workspace)
    with stages("Gộp / compact") as tell:
        done = merge(workspace_at(workspace), tell)
    moved = f"{done.uploads} lần tải lên / uploads, {done.rows} dòng / rows"
    parts = f"{done.parts_before} → {done.parts_after} phần / parts"
    show(asdict(done), as_json, f"{parts}, {_mb(done.bytes_before)} → {_mb(done.bytes_after)}: {moved}")


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Thư mục sao lưu / folder of the backup")],
    without_snapshots: Annotated[
        bool, typer.Option("--without-snapshots", help="Bỏ các bản đánh giá / leave assessments out")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sao lưu / Copy the workspace into a folder; again and again only what is new."""
    from coverage.archive import backups
    from coverage.progress import stages

    with stages("Sao lưu / backup") as tell:
        done = backups.backup(
            existing_workspace_at(workspace), folder, tell, with_snapshots=not without_snapshots
        )
    show(asdict(done), as_json, _copied(done))
    _end_where_damaged(done)


def _copied(done: Any) -> str:  # noqa: ANN401
    return (
        f"{done.folder}: {done.uploads} lần tải lên / uploads, {done.deliveries} tệp đang chờ / deliveries, "
        f"{done.snapshots} bản đánh giá / snapshots; {done.copied} chép / copied ({_mb(done.copied_bytes)}), "
        f"{done.kept} đã có / there already"
    )


def _end_where_damaged(done: Any) -> None:  # noqa: ANN401
    for path in done.damaged:
        print(
            f"Lỗi: không chép được {path}: thiếu hoặc không còn nguyên vẹn; phusong verify\n"
            f"Error: {path} was not copied: missing or not what it was; phusong verify",
            file=sys.stderr,
        )
    if done.damaged:
        raise typer.Exit(FAILED)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Bản sao lưu / the backup")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Khôi phục / Copy a backup into a new workspace, and verify it."""
    from coverage.archive import backups
    from coverage.progress import stages

    settings = get_settings()
    with stages("Khôi phục / restore") as tell:
        done = backups.restore(folder, workspace or settings.workspace, settings.manifest, tell)
    findings = [asdict(one) for one in done.findings]
    human = f"{_copied(done.copied)}\n{_findings(done.findings)}"
    show(asdict(done.copied) | {"findings": findings}, as_json, human)
    _end_where_damaged(done.copied)
    _end_where_any_is_damage(done.findings)


@app.command()
def work(
    once: Annotated[
        bool, typer.Option("--once", help="Làm hết việc đang chờ rồi dừng / do what is due, then end")
    ] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="Ends when that process is gone")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Làm việc đang chờ / Read deliveries in and judge, as they come, until stopped."""
    from coverage import work as worker
    from coverage.service import logs

    opened = workspace_at(workspace)
    if once:
        with logs.logging_as(logs.kind()):
            done = worker.run_due(opened)
        show({"jobs": done}, as_json, f"{done} việc / jobs")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with logs.logging_as(logs.kind()):
        worker.work(opened, stop, parent=parent)
    show({"stopped": True}, as_json, "")
