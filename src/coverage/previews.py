"""How a file would be read, before it is: for its sender to look at and confirm. Nothing is kept."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from coverage import intake
from coverage.archive import uploads
from coverage.archive.mappings import load_mappings
from coverage.archive.workspace import Workspace
from coverage.errors import InputError, NotFound
from coverage.logs import tally
from coverage.logs.context import Context
from coverage.logs.formats import FORMATS
from coverage.logs.readings import COUNTS, Batch, Fix, Log
from coverage.logs.reasons import reason
from coverage.tables import UNKNOWN_DEVICE

MOST_FILES = 10  # of a zip: a person looks at a few, and each is read through once
SHOWN_ROWS = 20
SHOWN_POINTS = 500
_LEVELS = ("rsrp_dbm", "ss_rsrp_dbm", "rscp_dbm", "rxlev_dbm")
# The word of the form that cures a reason for which rows are set aside.
_CURES = {
    "operator_unknown": "operator",
    "technology_unknown": "technology",
    "date_unknown": "date",
    "date_ambiguous": "date_order",
}
_WHAT_IF_LEFT_OUT = {
    "operator": (
        "Không rõ nhà mạng: {rows} dòng sẽ bị để riêng cho đến khi chọn nhà mạng.",
        "The operator is not known: {rows} rows are set aside until it is chosen.",
    ),
    "technology": (
        "Không rõ công nghệ: {rows} dòng sẽ bị để riêng cho đến khi chọn 2G, 3G, 4G hoặc 5G.",
        "The technology is not known: {rows} rows are set aside until 2G, 3G, 4G or 5G is chosen.",
    ),
    "date": (
        "Tệp không có ngày đo: {rows} dòng sẽ bị để riêng cho đến khi điền ngày.",
        "The file holds no date: {rows} rows are set aside until one is given.",
    ),
    "date_order": (
        "Không rõ ngày hay tháng đứng trước: {rows} dòng sẽ bị để riêng cho đến khi chọn.",
        "Day or month first is not clear: {rows} rows are set aside until it is chosen.",
    ),
    "device": (
        "Không rõ máy đo: các dòng vẫn được nhận, nhưng bằng chứng yếu hơn.",
        "The phone is not known: the rows are taken all the same, as weaker evidence.",
    ),
}


@dataclass(frozen=True)
class FilePreview:
    """One file as it would be read.

    title_vi, title_en: of its format; columns: our field → its own column; looked_at_rows: on how many rows, from
    the first on, all that follows rests; whole: those are all. rows: the first ones, accepted or not; points: lat,
    lon, level in dBm or None, service state; missing: what the sender could add; known: what the archive holds of the
    same bytes, None where they are new.
    """

    log: Log
    title_vi: str
    title_en: str
    looked_at_rows: int
    whole: bool
    counts: dict[str, int]
    reasons: list[tally.Reason]
    fixes: list[Fix]
    rows: list[dict[str, Any]]
    points: list[tuple[float, float, float | None, str]]
    missing: list[dict[str, Any]]
    known: dict[str, Any] | None


@dataclass(frozen=True)
class Preview:
    """The files of a delivery as they would be read, those that cannot be, and whether there are more of them."""

    files: list[FilePreview]
    refused: list[InputError]
    more: bool


def preview(workspace: Workspace, path: Path, context: Context) -> Preview:
    """How the file, or each of the first ones of a zip, would be read with that context."""
    files: list[FilePreview] = []
    refused: list[InputError] = []
    with closing(_recognised(workspace, path, context)) as found:
        for one in islice(found, MOST_FILES):
            if isinstance(one, InputError):
                refused.append(one)
            else:
                try:
                    files.append(_look(workspace, one))
                except InputError as fault:
                    refused.append(fault)
        more = next(found, None) is not None
    return Preview(files, refused, more)


def missing(log: Log) -> list[dict[str, Any]]:
    """What its sender could say of a file, as `FilePreview.missing`: field, rows set aside without it, vi, en."""
    first = next(iter(log.batches()), None)
    return _missing([] if first is None else tally.by_reason(first.outcomes), log)


def _recognised(
    workspace: Workspace, path: Path, context: Context
) -> Generator[Log | InputError, None, None]:
    try:
        yield from intake.recognise(workspace, path, context)
    except InputError as fault:
        yield fault


def _look(workspace: Workspace, log: Log) -> FilePreview:
    # The second block is read only to know whether there is one.
    first = list(islice(log.batches(), 2))
    batch, whole = first[0] if first else None, len(first) < 2
    titles = _titles(workspace, log.format)
    reasons = [] if batch is None else tally.by_reason(batch.outcomes)
    return FilePreview(
        log=log,
        title_vi=titles[0],
        title_en=titles[1],
        looked_at_rows=0 if batch is None else batch.rows,
        whole=whole,
        counts={name: 0 if batch is None else getattr(batch, name) for name in COUNTS},
        reasons=sorted(reasons, key=lambda one: (-one.rows, one.code)),
        fixes=[] if batch is None else batch.fixes,
        rows=[] if batch is None else _rows(batch, workspace.criteria.operators.names),
        points=[] if batch is None else _points(batch.measurements),
        missing=_missing(reasons, log),
        known=_known(workspace, log.upload_id),
    )


def _titles(workspace: Workspace, name: str) -> tuple[str, str]:
    own = tuple(one.format for one in load_mappings(workspace))
    return next((one.title_vi, one.title_en) for one in (*own, *FORMATS) if one.name == name)


def _rows(batch: Batch, names: dict[str, str]) -> list[dict[str, Any]]:
    """The first rows in the file's order, each with its measurement or with why it is none."""
    wanted = ("line", "time_utc", "lat", "lon", "operator", "technology", "service_state", "device")
    head = batch.measurements.slice(0, SHOWN_ROWS)
    levels = pa.compute.coalesce(*(head.column(name) for name in _LEVELS))
    good = head.select(wanted).append_column("level_dbm", levels).to_pylist()
    empty = dict.fromkeys(
        (*wanted, "level_dbm", "operator_name", "code", "column", "value", "ly_do", "reason")
    )
    found = {
        row["line"]: empty
        | row
        | {"outcome": "accepted", "operator_name": names.get(row["operator"], row["operator"])}
        for row in good
    }
    for row in batch.outcomes.slice(0, SHOWN_ROWS * 5).to_pylist():
        if row["line"] not in found:
            ly_do, why = reason(row["code"], row["column"], row["value"])
            found[row["line"]] = empty | row | {"ly_do": ly_do, "reason": why}
    return [found[line] for line in sorted(found)][:SHOWN_ROWS]


def _points(measurements: pa.Table) -> list[tuple[float, float, float | None, str]]:
    count = min(SHOWN_POINTS, measurements.num_rows)
    chosen = measurements.take(np.linspace(0, max(measurements.num_rows - 1, 0), count).astype(np.int64))
    columns = [
        *(chosen.column(name).to_pylist() for name in ("lat", "lon")),
        pa.compute.coalesce(*(chosen.column(name) for name in _LEVELS)).to_pylist(),
        chosen.column("service_state").to_pylist(),
    ]
    return [
        (round(lat, 6), round(lon, 6), None if level is None else round(level, 1), state)
        for lat, lon, level, state in zip(*columns, strict=True)
    ]


def _missing(reasons: list[tally.Reason], log: Log) -> list[dict[str, Any]]:
    """The words of the form that would help, with how many of the rows looked at are set aside without them."""
    aside = [one for one in reasons if one.outcome == "quarantined" and one.code in _CURES]
    rows = {_CURES[one.code]: one.rows for one in aside}
    if log.context.device == UNKNOWN_DEVICE and "device" not in log.columns:
        rows["device"] = 0
    told = {
        field: [text.format(rows=count) for text in _WHAT_IF_LEFT_OUT[field]] for field, count in rows.items()
    }
    return [{"field": field, "rows": rows[field], "vi": vi, "en": en} for field, (vi, en) in told.items()]


def _known(workspace: Workspace, upload_id: str) -> dict[str, Any] | None:
    try:
        row = uploads.show(workspace, upload_id)
    except NotFound:
        return None
    return {name: row[name] for name in ("upload_id", "received_utc", "state", "rows", "accepted")}
