"""The rows of an upload that were not accepted, as a CSV that a field team can act on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from coverage.archive import uploads
from coverage.archive.workspace import Workspace
from coverage.exports.files import table_to_csv
from coverage.logs.reasons import reason

Both = tuple[str, str]


def _as_they_are(vi: str, en: str) -> Both:
    return vi, en


def rejects_table(
    workspace: Workspace, upload_id: str, told: Callable[[str, str], Both] = _as_they_are
) -> pd.DataFrame:
    """One row per line and reason, in the file's order: line, outcome, code, column, value, ly_do, reason.

    `line` is the line as an editor shows it. told: says the two sentences in the words of whoever reads them. Raises
    `NotFound`.
    """
    outcomes = uploads.outcomes(workspace, upload_id)
    sentences = [told(*reason(row["code"], row["column"], row["value"])) for row in outcomes.to_pylist()]
    frame: pd.DataFrame = outcomes.to_pandas()
    frame["ly_do"] = [vi for vi, _ in sentences]
    frame["reason"] = [en for _, en in sentences]
    return frame.sort_values(["line", "code"], ignore_index=True)


def write_rejects(workspace: Workspace, upload_id: str, path: Path) -> int:
    """The number of rows written to a CSV that opens in Excel (UTF-8 with BOM, formulas made harmless)."""
    table = rejects_table(workspace, upload_id)
    path.write_bytes(table_to_csv(table))
    return len(table)
