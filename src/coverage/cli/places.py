"""Commands that lay out a workspace and add places layers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from coverage.cli.options import JsonOption, WorkspaceOption, day_of, show, workspace_at

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
        Literal[
            "communes",
            "commune_links",
            "villages",
            "clusters",
            "population",
            "power",
            "lines",
            "nightlights",
            "outages",
            "sites",
            "declared",
            "roads",
            "dem",
        ],
        typer.Argument(),
    ],
    file: Annotated[Path, typer.Argument()],
    crs: Annotated[
        str | None, typer.Option(help="Hệ toạ độ của tệp / what the file's numbers are in, e.g. EPSG:5899")
    ] = None,
    trust_coordinates: Annotated[
        bool,
        typer.Option(
            "--trust-coordinates", help="Giữ toạ độ dù trông như sai / keep them, whatever looks wrong"
        ),
    ] = False,
    operator: Annotated[str | None, typer.Option(help="declared: nhà mạng của bản đồ / whose map")] = None,
    technology: Annotated[str | None, typer.Option(help="declared: công nghệ / technology")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="declared, nightlights: ngày số liệu / date of the map")
    ] = None,
    weakest_dbm: Annotated[
        float | None,
        typer.Option("--weakest-dbm", help="declared raster: mức yếu nhất / weakest level that counts"),
    ] = None,
    timezone: Annotated[str, typer.Option(help="outages: múi giờ / zone of the times")] = "Asia/Ho_Chi_Minh",
    replace: Annotated[
        bool, typer.Option("--replace", help="Bỏ những gì tệp khác đã thêm / forget what other files added")
    ] = False,
    notes_to: Annotated[
        Path | None,
        typer.Option("--notes-to", help="Ghi các dòng đáng ngờ vào CSV / write the doubtful rows to a CSV"),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Thêm một lớp / Add a layer: where villages are, who lives there, who has power, which masts and maps there are."""
    from coverage.exports.notes import write_notes
    from coverage.intake_places import Given, add_places
    from coverage.progress import stages

    given = Given(
        timezone=timezone,
        crs=crs,
        trusted=trust_coordinates,
        operator=operator,
        technology=technology,
        as_of=day_of(as_of, "--as-of"),
        weakest_dbm=weakest_dbm,
        replace=replace,
    )
    with stages("Nạp / adding") as tell:
        tell(f"{kind}: {file.name}", 0.0)
        report = add_places(workspace_at(workspace), kind, file, given)
    if notes_to is not None:
        write_notes(report.notes, notes_to)
    notes = "".join(f"\n  - {note.vi} / {note.en}" for note in report.notes[:20])
    more = f"\n  … +{len(report.notes) - 20} (--notes-to TỆP.csv)" if len(report.notes) > 20 else ""
    total = f" / {report.total}" if report.total != report.rows else ""
    show(asdict(report), as_json, f"{report.kind}: {report.rows}{total} ({report.file}){notes}{more}")
