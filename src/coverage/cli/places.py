"""Commands that lay out a workspace and add places layers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from coverage.cli.options import JsonOption, WorkspaceOption, show, workspace_at

app = typer.Typer()
places_app = typer.Typer(no_args_is_help=True, help="Ranh giới, điện lưới… / Boundaries, power…")


@app.command()
def init(
    criteria: Annotated[Path | None, typer.Option(help="Tệp tiêu chí / criteria TOML")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lập thư mục làm việc / Lay out a workspace, or change its criteria."""
    text = None
    if criteria is not None:
        from coverage import criteria as rules

        rules.load(criteria)
        text = criteria.read_text(encoding="utf-8")
    opened = workspace_at(workspace, text)
    result = {"workspace": str(opened.root), "criteria": opened.criteria.label}
    show(result, as_json, f"{opened.root}: {opened.criteria.label}")


@places_app.command("add")
def places_add(
    kind: Annotated[
        Literal["communes", "villages", "clusters", "power", "outages", "sites"], typer.Argument()
    ],
    file: Annotated[Path, typer.Argument()],
    timezone: Annotated[
        str, typer.Option(help="Múi giờ của lớp outages / zone of the times in outages")
    ] = "Asia/Ho_Chi_Minh",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Thêm một lớp / Add a layer: communes, villages, clusters, power, outages (known power cuts) or sites (radio masts)."""
    from coverage.intake import add_places

    report = add_places(workspace_at(workspace), kind, file, timezone)
    notes = "".join(f"\n  - {note.vi} / {note.en}" for note in report.notes[:20])
    more = f"\n  … +{len(report.notes) - 20}" if len(report.notes) > 20 else ""
    show(asdict(report), as_json, f"{report.kind}: {report.rows} ({report.file}){notes}{more}")
