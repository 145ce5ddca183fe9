"""Commands that run the whole: a synthetic province, the demonstration, the web service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coverage.cli.options import JsonOption, WorkspaceOption, show, workspace_at

app = typer.Typer()


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
    show({"folder": str(folder), "simulated": True}, as_json, f"{folder} (mô phỏng / simulated)")


@app.command()
def demo(folder: Annotated[Path, typer.Argument()] = Path("demo"), as_json: JsonOption = False) -> None:
    """Chạy thử trọn công việc / Run the whole job on a simulated sample."""
    from coverage.demo import run_demo

    result = run_demo(folder)
    show(result.files, as_json, result.text)


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Tiến trình đọc tệp / worker processes")] = 1,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Tiến trình trả lời HTTP / that answer")] = 1,
    workspace: WorkspaceOption = None,
    door: Annotated[
        int | None, typer.Option(hidden=True, help="A listening socket that is handed down")
    ] = None,
    parent: Annotated[int, typer.Option(hidden=True, help="Ends when that process is gone")] = 0,
) -> None:
    """Mở dịch vụ web / Serve map, lists and uploads over HTTP."""
    from coverage.service import logs
    from coverage.service.run import answer
    from coverage.service.run import serve as run_service

    with logs.logging_as(logs.kind()):
        if door is None:
            run_service(workspace_at(workspace), host, port, workers, processes)
        else:
            answer(workspace_at(workspace), door, parent, workers)
