"""One list of the latest snapshot, or the measurements behind it, written to a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from pyarrow import compute

from coverage.archive import history
from coverage.archive.committed import committed
from coverage.archive.durable import require_folder, write_durably
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.exports import files, lists
from coverage.exports.workbook import ALL_LISTS
from coverage.exports.workbook import workbook as to_workbook
from coverage.logs.operators import resolve
from coverage.parts import batches
from coverage.tables import MEASUREMENTS, schema


def export_to_file(
    workspace: Workspace, what: str, path: Path, fmt: str | None, filters: Mapping[str, str | None]
) -> int:
    """The number of features written; the format is `fmt`, else the file's suffix. Raises `InputError`, `NotFound`.

    what: a list, `all` (the lists of `workbook.ALL_LISTS` in one workbook) or `measurements`. Filters (operator,
    commune, status) that do not apply to a list are refused, not ignored.
    """
    require_folder(path)
    by_name = files.format_of(path)
    chosen = fmt or by_name
    if what == "measurements":
        return _write_measurements(workspace, path, chosen, filters)
    if what == "all":
        return _write_all(workspace, path, chosen, filters)
    frame = lists.select(history.latest(workspace), what, **filters)
    files.write(frame, path, chosen)
    return len(frame)


def _write_all(workspace: Workspace, path: Path, fmt: str, filters: Mapping[str, str | None]) -> int:
    if fmt != "xlsx":
        raise InputError(
            "Mọi danh sách trong một tệp chỉ có dạng xlsx.", "All lists in one file are written as xlsx only."
        )
    snapshot = history.latest(workspace)
    frames = [lists.select(snapshot, what, **filters) for what in ALL_LISTS]
    write_durably(path, to_workbook(frames))
    return sum(map(len, frames))


def _write_measurements(workspace: Workspace, path: Path, fmt: str, filters: Mapping[str, str | None]) -> int:
    refused = [name for name in ("commune", "status") if filters[name] is not None]
    if refused or fmt not in {"csv", "parquet"}:
        raise InputError(
            "Số liệu đo chỉ lọc theo --operator và chỉ xuất csv hoặc parquet.",
            "Measurements are filtered by --operator only, and written as csv or parquet.",
        )
    operator = resolve(filters["operator"], workspace.criteria.operators.names)
    rows = batches(committed(workspace).parts, operator)
    return _write_batches(path, fmt, schema(MEASUREMENTS), rows)


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with an apostrophe before every text that a spreadsheet would run as a formula."""
    columns = [
        compute.replace_substring_regex(column, files.FORMULA_PATTERN, r"'\1")
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _write_batches(path: Path, fmt: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    rows = 0
    open_writer = pq.ParquetWriter if fmt == "parquet" else pc.CSVWriter
    with open_writer(path, schema) as writer:
        for batch in batches:
            writer.write_batch(_harmless(batch) if fmt == "csv" else batch)
            rows += batch.num_rows
    return rows
