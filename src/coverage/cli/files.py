"""Commands that take measurement files in, and the mappings by which a team's own tables are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from coverage.cli.options import (
    BAD_INPUT,
    SOME_ROWS_REFUSED,
    JsonOption,
    WorkspaceOption,
    day_of,
    show,
    tell,
    workspace_at,
)
from coverage.errors import FileRefused, InputError, PhusongError
from coverage.settings import DUCKDB, get_settings

app = typer.Typer()
mappings_app = typer.Typer(no_args_is_help=True, help="Bảng khai cột của đội / Teams' own tables")


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(help="Tệp đo, zip / measurement files")],
    source: Annotated[Literal["drive_test", "crowdsourced"] | None, typer.Option()] = None,
    operator: Annotated[str | None, typer.Option(help="Nhà mạng / PLMN (45204) or name")] = None,
    technology: Annotated[str | None, typer.Option(help="GSM, UMTS, LTE, NR")] = None,
    device: Annotated[str | None, typer.Option(help="Máy đo / phone or scanner")] = None,
    date: Annotated[str | None, typer.Option(help="YYYY-MM-DD")] = None,
    timezone: Annotated[str | None, typer.Option(help="[Asia/Ho_Chi_Minh]")] = None,
    format: Annotated[str | None, typer.Option(help="Tên định dạng / name, see docs/formats.md")] = None,  # noqa: A002
    team: Annotated[str | None, typer.Option()] = None,
    campaign: Annotated[str | None, typer.Option(help="Đợt đo, tên của đội / the crew's own word")] = None,
    in_vehicle: Annotated[bool | None, typer.Option("--in-vehicle/--not-in-vehicle")] = None,
    antenna: Annotated[Literal["inside", "roof", "hand"] | None, typer.Option()] = None,
    calibrated: Annotated[bool | None, typer.Option("--calibrated/--not-calibrated")] = None,
    positive_only: Annotated[
        bool | None,
        typer.Option(
            "--positive-only/--records-no-service",
            help="Ứng dụng không bao giờ ghi lúc mất sóng / never writes no service [as its format]",
        ),
    ] = None,
    date_order: Annotated[
        Literal["dmy", "mdy"] | None,
        typer.Option(help="8/7/2026: ngày (dmy) hay tháng (mdy) trước / day or month first"),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Nạp tệp đo / Read measurement files into the archive."""
    from coverage.intake import ingest as read_into_archive
    from coverage.logs.context import Context

    context = Context(
        source=source,
        operator=operator,
        technology=technology,
        device=device,
        date=day_of(date, "--date"),
        timezone=timezone,
        format=format,
        team=team,
        campaign=campaign,
        in_vehicle=in_vehicle,
        antenna=antenna,
        calibrated=calibrated,
        positive_only=positive_only,
        date_order=date_order,
    )
    opened = workspace_at(workspace)
    engine = get_settings().engine
    if engine == DUCKDB or len(files) == 1:  # a file alone is sooner read than a cluster is reached
        results, refused = _each(
            files, "Nạp / reading", lambda file: read_into_archive(opened, file, context)
        )
    else:
        results, refused = _scattered(engine, opened, files, context)
    rows = [asdict(receipt) | {"added_rows": receipt.added_rows} for receipt in results]
    show(rows, as_json, "\n".join(_receipt_lines(receipt) for receipt in results))
    _end_where_refused(refused)
    if any(receipt.rejected or receipt.quarantined for receipt in results):
        raise typer.Exit(SOME_ROWS_REFUSED)


def _each(
    files: Sequence[Path], label: str, read: Callable[[Path], Iterator[Any]]
) -> tuple[list[Any], list[PhusongError]]:
    # One bad file must not stop the good ones: all are tried, then all faults are told.
    from coverage.progress import track

    good: list[Any] = []
    refused: list[PhusongError] = []
    for file in track(files, label):
        try:
            for found in read(file):
                (refused if isinstance(found, FileRefused) else good).append(found)
        except InputError as fault:
            refused.append(fault)
    return good, refused


def _scattered(
    engine: str,
    opened: Any,  # noqa: ANN401 - imported lazily
    files: Sequence[Path],
    context: Any,  # noqa: ANN401 - imported lazily
) -> tuple[list[Any], list[PhusongError]]:
    from coverage.engine import on_cluster
    from coverage.progress import stages

    with stages("Nạp / reading") as tell:
        found = list(on_cluster("scattered").ingest(engine, opened, files, context, tell))
    faults = [one for one in found if isinstance(one, PhusongError)]
    return [one for one in found if not isinstance(one, PhusongError)], faults


def _end_where_refused(refused: list[PhusongError]) -> None:
    for fault in refused:
        tell(fault)
    if refused:
        raise typer.Exit(BAD_INPUT)


_OUTCOMES = {
    "duplicate": "trùng/duplicate",
    "rejected": "loại/rejected",
    "quarantined": "cách ly/quarantined",
}


def _receipt_lines(receipt: Any) -> str:  # noqa: ANN401
    """One line of counts; below it what was left out, why rows were refused, what was read though written otherwise."""
    from coverage.logs.reasons import fix, reason

    again = " (đã nhận trước đây / already received)" if receipt.effect == "already_received" else ""
    if receipt.state == "withdrawn":
        again += f"; ĐANG BỊ RÚT, KHÔNG TÍNH / WITHDRAWN, DOES NOT COUNT: phusong uploads restore {receipt.upload_id}"
    lines = [
        f"{receipt.upload_id}  {receipt.file}  {receipt.format} ({receipt.confidence:.0%}): {receipt.rows} dòng/rows = "
        f"{receipt.accepted} nhận/accepted + {receipt.duplicates} trùng/duplicates + "
        f"{receipt.rejected} loại/rejected + {receipt.quarantined} cách ly/quarantined; "
        f"{receipt.no_service} mất sóng/no service, {receipt.unknown_level} không rõ mức/unknown level{again}"
    ]
    if receipt.dropped:
        lines.append(f"  không đọc, không lưu / never read nor kept: {', '.join(receipt.dropped)}")
    for one in receipt.reasons:
        vi, en = reason(one["code"], one["column"], one["value"])
        lines.append(f"  {one['rows']} {_OUTCOMES[one['outcome']]}, dòng/line {one['line']}: {vi} / {en}")
    for one in receipt.fixes:
        vi, en = fix(one["code"])
        shown = "" if one["value"] is None else f" ({one['column']} = {one['value']})"
        lines.append(f"  {one['rows']} dòng/rows: {vi} / {en}; dòng/line {one['line']}{shown}")
    return "\n".join(lines)


@app.command()
def inspect(
    files: Annotated[list[Path], typer.Argument(help="Tệp đo, zip / measurement files")],
    format: Annotated[str | None, typer.Option(help="Tên định dạng / name, see docs/formats.md")] = None,  # noqa: A002
    team: Annotated[str | None, typer.Option()] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Xem tệp được hiểu thế nào, không nạp / Tell how files would be read, and keep nothing."""
    from coverage.logs.context import Context

    opened, context = workspace_at(workspace), Context(format=format, team=team)
    looked, refused = _each(files, "Xem / looking", lambda file: _looked_at(opened, file, context))
    about = ("file", "format", "confidence", "columns", "dropped", "simulated")
    rows = [{name: getattr(log, name) for name in about} | {"missing": missing} for log, missing in looked]
    show(rows, as_json, "\n".join(_recognised(*one) for one in looked))
    _end_where_refused(refused)


def _looked_at(opened: Any, file: Path, context: Any) -> Iterator[Any]:  # noqa: ANN401
    """Each file inside with what is missing of it; refusals as they are."""
    from coverage.intake import recognise
    from coverage.previews import missing

    for log in recognise(opened, file, context):
        yield log if isinstance(log, FileRefused) else (log, missing(log))


def _recognised(log: Any, missing: Sequence[dict[str, Any]]) -> str:  # noqa: ANN401
    columns = "".join(f"\n  {field} ← {name}" for field, name in log.columns.items())
    dropped = "".join(f"\n  không đọc / never read: {name}" for name in log.dropped)
    # The options are those of `ingest`: what is missing is said when the file is read in.
    told = "".join(
        f"\n  còn thiếu / missing (--{one['field'].replace('_', '-')}): {one['vi']} / {one['en']}"
        for one in missing
    )
    return f"{log.file}: {log.format} ({log.confidence:.0%}){columns}{dropped}{told}"


@mappings_app.command("add")
def mappings_add(
    file: Annotated[Path, typer.Argument(help="Tệp TOML, xem docs/files.md / see docs/files.md")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lưu cách đọc bảng riêng của đội / Save how to read a team's own table."""
    from coverage.archive.mappings import save_mapping

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"Không đọc được {file}: {fault}.", f"Cannot read {file}: {fault}.") from fault
    mapping = save_mapping(workspace_at(workspace), text, file.name)
    columns = {field: list(names) for field, names in mapping.format.columns.items()}
    result = {"name": mapping.format.name, "team": mapping.team, "columns": columns}
    show(result, as_json, f"{mapping.format.name}: {mapping.format.title_vi}")


@mappings_app.command("list")
def mappings_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Liệt kê / List the saved mappings."""
    from coverage.archive.mappings import load_mappings

    found = load_mappings(workspace_at(workspace))
    rows = [{"name": one.format.name, "title": one.format.title_vi, "team": one.team} for one in found]
    show(rows, as_json, "\n".join(f"{row['name']}  {row['team'] or '-'}  {row['title']}" for row in rows))


@mappings_app.command("remove")
def mappings_remove(name: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Xoá / Forget a saved mapping; what was read with it stays."""
    from coverage.archive.mappings import remove_mapping

    remove_mapping(workspace_at(workspace), name)
    show({"name": name, "removed": True}, as_json, f"{name}: removed")
