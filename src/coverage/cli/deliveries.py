"""Commands about what the service received: where each file stands, and trying again what failed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from coverage.cli.options import JsonOption, WorkspaceOption, existing_workspace_at, show, workspace_at

deliveries_app = typer.Typer(no_args_is_help=True, help="Các lần gửi qua dịch vụ / What the service received")


@deliveries_app.command("list")
def deliveries_list(
    state: Annotated[
        str | None, typer.Option(help="receiving, received, done, refused, failed, cancelled")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Liệt kê / List the deliveries, oldest first."""
    from coverage.archive import deliveries

    found = [
        one
        for one in deliveries.list_deliveries(existing_workspace_at(workspace))
        if state in {None, one.state}
    ]
    rows = [_row(one) for one in found]
    lines = (
        f"{row['delivery_id']}  {row['state']:<10} {row['receipt'] or '-':<14}  {row['file']}" for row in rows
    )
    show(rows, as_json, "\n".join(lines))


def _row(delivery: Any) -> dict[str, Any]:  # noqa: ANN401 - imported lazily
    about = ("delivery_id", "file", "state", "length", "sha256", "receipt", "by", "held", "same_as")
    times = ("created_utc", "received_utc", "expires_utc")
    return {name: getattr(delivery, name) for name in (*about, *times)}


@deliveries_app.command("retry")
def deliveries_retry(
    delivery_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Thử đọc lại / Queue a failed or refused delivery once more; a worker reads it in."""
    from coverage.archive import deciding

    again = deciding.retry(workspace_at(workspace), delivery_id)
    show(_row(again), as_json, f"{delivery_id}: {again.state}")
