"""The command line: `phusong`. Results go to stdout, progress and messages to stderr.

Exit codes: 0 ok, 1 failed, 2 usage or bad input, 3 done but some rows were rejected or quarantined.
Heavy libraries are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer

from coverage.errors import FileRefused, InputError, NotFound, PhusongError
from coverage.settings import get_settings

OK, FAILED, BAD_INPUT, SOME_ROWS_REFUSED = 0, 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Phủ Sóng: thôn, bản đã có điện lưới mà chưa có sóng. Villages with grid power and no usable signal.",
)
places_app = typer.Typer(no_args_is_help=True, help="Ranh giới, điện lưới… / Boundaries, power…")
uploads_app = typer.Typer(no_args_is_help=True, help="Các lần tải lên / Uploads")
app.add_typer(places_app, name="places")
app.add_typer(uploads_app, name="uploads")

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="Thư mục làm việc / workspace folder [PHUSONG_WORKSPACE, ./workspace]"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Kết quả dạng JSON / machine-readable stdout")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Tệp kết quả / file to write")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="Ngày đánh giá / date of judgement, YYYY-MM-DD")
]


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        app()
    except (InputError, NotFound) as fault:
        _say(f"Lỗi: {fault.vi}\nError: {fault.en}")
        sys.exit(BAD_INPUT)
    except PhusongError as fault:
        _say(f"Lỗi: {fault.vi}\nError: {fault.en}")
        sys.exit(FAILED)
    except OSError as fault:
        what = f"{fault.strerror or fault}: {fault.filename or ''}"
        _say(f"Lỗi: không đọc hoặc ghi được ({what}).\nError: cannot read or write ({what}).")
        sys.exit(FAILED)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _print(result: Any, as_json: bool, human: str) -> None:  # noqa: ANN401 - any JSON value
    if as_json:
        sys.stdout.write(orjson.dumps(result, default=str, option=orjson.OPT_INDENT_2).decode() + "\n")
    elif human:
        print(human)


def _workspace(given: Path | None, criteria_text: str | None = None) -> Any:  # noqa: ANN401 - imported lazily
    from coverage.archive.workspace import open_workspace

    return open_workspace(given or get_settings().workspace, criteria_text)


def _date(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if day.year >= 2000:
            return day
    raise InputError(
        f"{option}: “{text}” không phải ngày dạng 2026-10-31.",
        f"{option}: “{text}” is not a date like 2026-10-31.",
    )


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
    opened = _workspace(workspace, text)
    result = {"workspace": str(opened.root), "criteria": opened.criteria.label}
    _print(result, as_json, f"{opened.root}: {opened.criteria.label}")


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

    report = add_places(_workspace(workspace), kind, file, timezone)
    notes = "".join(f"\n  - {note.vi} / {note.en}" for note in report.notes[:20])
    more = f"\n  … +{len(report.notes) - 20}" if len(report.notes) > 20 else ""
    _print(asdict(report), as_json, f"{report.kind}: {report.rows} ({report.file}){notes}{more}")


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
    in_vehicle: Annotated[bool | None, typer.Option("--in-vehicle/--not-in-vehicle")] = None,
    antenna: Annotated[Literal["inside", "roof", "hand"] | None, typer.Option()] = None,
    calibrated: Annotated[bool | None, typer.Option("--calibrated/--not-calibrated")] = None,
    date_order: Annotated[
        Literal["dmy", "mdy"] | None,
        typer.Option(help="8/7/2026: ngày (dmy) hay tháng (mdy) trước / day or month first"),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Nạp tệp đo / Read measurement files into the archive."""
    from coverage.logs.context import Context

    context = Context(
        source=source,
        operator=operator,
        technology=technology,
        device=device,
        date=_date(date, "--date"),
        timezone=timezone,
        format=format,
        team=team,
        in_vehicle=in_vehicle,
        antenna=antenna,
        calibrated=calibrated,
        date_order=date_order,
    )
    results, refused = _ingest_all(_workspace(workspace), files, context)
    rows = [asdict(receipt) | {"added_rows": receipt.added_rows} for receipt in results]
    _print(rows, as_json, "\n".join(_receipt_line(receipt) for receipt in results))
    for fault in refused:
        _say(f"Lỗi: {fault.vi}\nError: {fault.en}")
    if refused:
        raise typer.Exit(BAD_INPUT)
    if any(receipt.rejected or receipt.quarantined for receipt in results):
        raise typer.Exit(SOME_ROWS_REFUSED)


def _ingest_all(workspace: Any, files: Iterable[Path], context: Any) -> tuple[list[Any], list[PhusongError]]:  # noqa: ANN401
    # One bad file must not stop the good ones: all are tried, then all faults are told.
    from coverage.intake import ingest as read_into_archive
    from coverage.progress import track

    receipts: list[Any] = []
    refused: list[PhusongError] = []
    for file in track(list(files), "Nạp / reading"):
        try:
            for found in read_into_archive(workspace, file, context):
                if isinstance(found, FileRefused):
                    refused.append(found)
                else:
                    receipts.append(found)
        except InputError as fault:
            refused.append(fault)
    return receipts, refused


def _receipt_line(receipt: Any) -> str:  # noqa: ANN401
    again = " (đã nhận trước đây / already received)" if receipt.effect == "already_received" else ""
    return (
        f"{receipt.upload_id}  {receipt.file}  {receipt.format}: {receipt.rows} dòng/rows = "
        f"{receipt.accepted} nhận/accepted + {receipt.duplicates} trùng/duplicates + "
        f"{receipt.rejected} loại/rejected + {receipt.quarantined} cách ly/quarantined; "
        f"{receipt.no_service} mất sóng/no service, {receipt.unknown_level} không rõ mức/unknown level{again}"
    )


@uploads_app.command("list")
def uploads_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Liệt kê / List the uploads."""
    from coverage.archive import uploads

    rows = uploads.list_uploads(_workspace(workspace))
    lines = (f"{row['upload_id']}  {row['state']:<10} {row['accepted']:>9} {row['file']}" for row in rows)
    _print(rows, as_json, "\n".join(lines))


@uploads_app.command("show")
def uploads_show(upload_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Xem một lần tải lên / Show one upload, the reasons of its refused rows counted."""
    from coverage.archive import uploads

    opened = _workspace(workspace)
    row = uploads.show(opened, upload_id)
    counts = uploads.outcomes(opened, upload_id).group_by(["outcome", "code"]).aggregate([([], "count_all")])
    row["reasons"] = counts.to_pylist()
    _print(row, as_json, orjson.dumps(row, default=str, option=orjson.OPT_INDENT_2).decode())


@uploads_app.command("rejects")
def uploads_rejects(
    upload_id: str, output: OutputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Xuất các dòng không nhận / Write the rows that were not accepted, with reason and cure."""
    from coverage.exports.rejects import write_rejects

    count = write_rejects(_workspace(workspace), upload_id, output)
    _print({"file": str(output), "rows": count}, as_json, f"{output}: {count}")


@uploads_app.command("withdraw")
def uploads_withdraw(
    upload_id: str,
    reason: Annotated[str, typer.Option(help="Lý do / reason")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rút một lần tải lên / Take an upload out of every later assessment."""
    from coverage.archive import uploads

    uploads.withdraw(_workspace(workspace), upload_id, reason)
    _print({"upload_id": upload_id, "state": "withdrawn"}, as_json, f"{upload_id}: withdrawn")


@uploads_app.command("restore")
def uploads_restore(upload_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Khôi phục / Let a withdrawn upload count again."""
    from coverage.archive import uploads

    uploads.restore(_workspace(workspace), upload_id)
    _print({"upload_id": upload_id, "state": "committed"}, as_json, f"{upload_id}: committed")


@app.command()
def assess(as_of: AsOfOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Đánh giá / Judge what the archive says, as a new snapshot."""
    from coverage import pipeline
    from coverage.archive import history
    from coverage.exports import summary
    from coverage.progress import stages

    opened = _workspace(workspace)
    day = _date(as_of, "--as-of") or date.today()
    with stages("Đánh giá / assess") as tell:
        info = pipeline.assess(opened, day, tell)
    snapshot = history.latest(opened)
    result = asdict(info) | {"table": summary.province_table(snapshot).to_dict("records")}
    stamp = f"{info.snapshot_id}  {info.as_of}  {info.criteria}"
    _print(result, as_json, f"{stamp}\n\n{summary.as_text(snapshot)}")


@app.command()
def export(
    what: Annotated[
        Literal["gaps", "no_power", "verify_power", "need_measurement", "villages", "hexes", "measurements"],
        typer.Argument(),
    ],
    output: OutputOption,
    format: Annotated[str | None, typer.Option(help="geojson, csv, gpkg [theo đuôi tệp / by suffix]")] = None,  # noqa: A002
    operator: Annotated[str | None, typer.Option()] = None,
    commune: Annotated[str | None, typer.Option()] = None,
    status: Annotated[str | None, typer.Option()] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Xuất danh sách / Write a list of the latest snapshot."""
    from coverage.exports.command import export_to_file

    filters = {"operator": operator, "commune": commune, "status": status}
    count = export_to_file(_workspace(workspace), what, output, format, filters)
    _print({"file": str(output), "features": count}, as_json, f"{output}: {count}")


@app.command("map")
def map_(output: OutputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Vẽ bản đồ / Write the map as one file that opens without internet."""
    from coverage.archive import history
    from coverage.exports.maps import map_html

    output.write_text(map_html(history.latest(_workspace(workspace))), encoding="utf-8")
    _print({"file": str(output), "bytes": output.stat().st_size}, as_json, str(output))


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument()],
    villages: Annotated[int, typer.Option(min=1)] = 300,
    measurements: Annotated[int, typer.Option(min=1000)] = 2_000_000,
    seed: Annotated[int, typer.Option()] = 7,
    as_json: JsonOption = False,
) -> None:
    """Tạo tỉnh mô phỏng / Write a synthetic province whose truth is known."""
    from coverage.progress import stages
    from coverage.simulate import simulate as make_province

    with stages("Mô phỏng / simulate") as tell:
        make_province(folder, villages=villages, measurements=measurements, seed=seed, progress=tell)
    _print({"folder": str(folder), "simulated": True}, as_json, f"{folder} (mô phỏng / simulated)")


@app.command()
def demo(folder: Annotated[Path, typer.Argument()] = Path("demo"), as_json: JsonOption = False) -> None:
    """Chạy thử trọn công việc / Run the whole job on a simulated sample."""
    from coverage.demo import run_demo

    result = run_demo(folder)
    _print(result.files, as_json, result.text)


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    workspace: WorkspaceOption = None,
) -> None:
    """Mở dịch vụ web / Serve map, lists and uploads over HTTP."""
    from coverage.service.run import serve as run_service

    run_service(_workspace(workspace), host, port)


if __name__ == "__main__":
    main()
