"""What all commands share: options, and how they speak: results to stdout, messages to stderr."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from coverage.errors import InputError, PhusongError
from coverage.settings import get_settings

OK, FAILED, BAD_INPUT, SOME_ROWS_REFUSED = 0, 1, 2, 3
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


def tell(fault: PhusongError) -> None:
    """Print what is wrong, in Vietnamese and English, to stderr."""
    print(f"Lỗi: {fault.vi}\nError: {fault.en}", file=sys.stderr)


def show(result: Any, as_json: bool, human: str) -> None:  # noqa: ANN401 - any JSON value
    """Print the result: as JSON if wanted, else as text for people."""
    if as_json:
        sys.stdout.write(orjson.dumps(result, default=str, option=orjson.OPT_INDENT_2).decode() + "\n")
    elif human:
        print(human)


def workspace_at(given: Path | None, criteria_text: str | None = None) -> Any:  # noqa: ANN401 - imported lazily
    """The workspace that was given, else that of the settings."""
    from coverage.archive.workspace import open_workspace

    settings = get_settings()
    return open_workspace(given or settings.workspace, criteria_text, settings.manifest)


def existing_workspace_at(given: Path | None) -> Any:  # noqa: ANN401 - imported lazily
    """The same, as it is: nothing is laid out or mended. Raises `NotFound` where there is none."""
    from coverage.archive.workspace import existing_workspace

    settings = get_settings()
    return existing_workspace(given or settings.workspace, settings.manifest)


def day_of(text: str | None, option: str) -> date | None:
    """The date that an option gives, None where it is not given; raises `InputError`."""
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
