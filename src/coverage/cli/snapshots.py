"""Commands about assessments that were made: which there are, and what changed between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coverage.cli.options import JsonOption, WorkspaceOption, show, workspace_at

app = typer.Typer()
_LISTED = 1000


@app.command("snapshots")
def list_snapshots(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Các bản đánh giá / List the assessments, the latest first."""
    from coverage.archive import history

    found = history.newest_first(workspace_at(workspace), _LISTED)
    text = "\n".join(
        f"{one['snapshot_id']}  {one['as_of']}  {one['made_utc'][:16]}  {one['criteria']}" for one in found
    )
    show(found, as_json, text)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="Bản trước / the earlier assessment")],
    after: Annotated[str, typer.Argument(help="Bản sau / the later one")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV: mọi vùng lõm / every gap")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """So hai bản / What became of every gap between two assessments."""
    from coverage.exports import diff_command

    told = diff_command.diff_of(workspace_at(workspace), before, after, output)
    show(told, as_json, diff_command.as_text(told))
