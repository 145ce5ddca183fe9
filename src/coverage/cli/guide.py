"""The command that writes what measuring crews take along: the field guide, and the table to fill in."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from coverage.cli.options import JsonOption, OutputOption, WorkspaceOption, show, workspace_at
from coverage.errors import InputError

app = typer.Typer()


@app.command()
def guide(
    output: OutputOption,
    lang: Annotated[Literal["vi", "en"], typer.Option(help="Ngôn ngữ / language of the page")] = "vi",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tờ hướng dẫn đo (.html), bảng mẫu (.xlsx, .csv) / Write the field guide, or the table to fill in, by suffix."""
    from coverage.archive.durable import require_folder, write_durably
    from coverage.exports.field_guide import field_guide_html
    from coverage.exports.measurement_template import template_csv, template_xlsx

    criteria = workspace_at(workspace).criteria
    makers = {
        ".html": lambda: field_guide_html(criteria, lang).encode(),
        ".csv": lambda: template_csv(criteria),
        ".xlsx": lambda: template_xlsx(criteria),
    }
    suffix = output.suffix.lower()
    if suffix not in makers:
        raise InputError(
            f"{output.name}: đuôi tệp phải là .html (tờ hướng dẫn), .xlsx hoặc .csv (bảng mẫu).",
            f"{output.name}: the suffix must be .html (the guide), .xlsx or .csv (the template).",
        )
    require_folder(output)
    write_durably(output, makers[suffix]())
    show({"file": str(output), "criteria": criteria.label}, as_json, str(output))
