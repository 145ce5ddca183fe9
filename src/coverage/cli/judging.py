"""Commands that judge, and that write what was judged."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal

import typer

from coverage.cli.options import (
    AsOfOption,
    JsonOption,
    OutputOption,
    WorkspaceOption,
    day_of,
    show,
    workspace_at,
)

app = typer.Typer()


@app.command()
def assess(as_of: AsOfOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Đánh giá / Judge what the archive says, as a new snapshot."""
    from coverage import pipeline
    from coverage.archive import history
    from coverage.exports import summary
    from coverage.progress import stages

    opened = workspace_at(workspace)
    day = day_of(as_of, "--as-of") or date.today()
    with stages("Đánh giá / assess") as tell:
        info = pipeline.assess(opened, day, tell)
    snapshot = history.latest(opened)
    result = asdict(info) | {"table": summary.province_table(snapshot).to_dict("records")}
    stamp = f"{info.snapshot_id}  {info.as_of}  {info.criteria}"
    show(result, as_json, f"{stamp}\n\n{summary.as_text(snapshot)}")


@app.command()
def calibrate(
    as_of: AsOfOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ tính, không ghi / fit, write nothing")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hiệu chỉnh / Fit the spreads of levels and rho from the archive into the criteria."""
    from coverage import recalibrate

    opened = workspace_at(workspace)
    done = recalibrate.calibrate(opened, day_of(as_of, "--as-of") or date.today(), dry_run=dry_run)
    show(asdict(done), as_json, recalibrate.as_text(done))


@app.command()
def export(
    what: Annotated[
        Literal[
            "gaps",
            "no_power",
            "verify_power",
            "need_measurement",
            "claimed_dead",
            "villages",
            "hexes",
            "roads",
            "reliability",
            "measurements",
            "all",
        ],
        typer.Argument(),
    ],
    output: OutputOption,
    format: Annotated[  # noqa: A002
        str | None,
        typer.Option(help="geojson, csv, xlsx, gpkg, fgb, parquet, kml, shp [theo đuôi tệp / by suffix]"),
    ] = None,
    operator: Annotated[str | None, typer.Option()] = None,
    commune: Annotated[str | None, typer.Option()] = None,
    status: Annotated[str | None, typer.Option()] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Xuất danh sách / Write a list of the latest snapshot; all: one workbook (xlsx) of what is to be done."""
    from coverage.exports.command import export_to_file

    filters = {"operator": operator, "commune": commune, "status": status}
    count = export_to_file(workspace_at(workspace), what, output, format, filters)
    show({"file": str(output), "features": count}, as_json, f"{output}: {count}")


@app.command("map")
def map_(output: OutputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Vẽ bản đồ / Write the map as one file that opens without internet."""
    from coverage.archive import history
    from coverage.exports.maps import map_html

    output.write_text(map_html(history.latest(workspace_at(workspace))), encoding="utf-8")
    show({"file": str(output), "bytes": output.stat().st_size}, as_json, str(output))


@app.command()
def report(
    output: OutputOption,
    operator: Annotated[
        str | None, typer.Option(help="Công văn gửi nhà mạng này / a letter to this operator")
    ] = None,
    parent: Annotated[str, typer.Option(help="Cơ quan chủ quản / the body above the issuer")] = "",
    issuer: Annotated[str, typer.Option(help="Cơ quan ban hành / who issues it")] = "",
    abbreviation: Annotated[
        str, typer.Option(help="Chữ viết tắt sau số, như SKHCN / behind the number")
    ] = "",
    place: Annotated[str, typer.Option(help="Địa danh / place")] = "",
    signer: Annotated[str, typer.Option(help="Chức vụ người ký / the signer's office")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Văn bản kèm phụ lục / Write an official paper with annexes (.docx, .pdf) on the latest snapshot."""
    from coverage.progress import stages
    from coverage.reports.command import write_report
    from coverage.reports.paper import Letterhead

    letterhead = Letterhead(parent, issuer, abbreviation, place, signer)
    with stages("Văn bản / report") as told:
        gaps = write_report(workspace_at(workspace), output, operator, letterhead, told)
    show({"file": str(output), "gaps": gaps}, as_json, f"{output}: {gaps}")
