"""Logs of several phones, and what must hold of an archive once rows of one of them, or of some days, were erased."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from keeping import HEADER, ingest
from sqlalchemy import select

from coverage import parts
from coverage.archive import erasing, uploads
from coverage.archive.committed import committed
from coverage.archive.manifest import reading
from coverage.archive.schema import METADATA
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace
from coverage.logs.context import Context
from coverage.tables import MEASUREMENTS, schema

REASON = "theo yêu cầu của chủ máy"
PHONES = ("Máy Ba", "may-hai", "may-mot")
DAYS = (1, 2, 3)


def lines(which: int, phones: Iterable[str] = PHONES, days: Iterable[int] = DAYS) -> list[str]:
    """Two rows of each phone and day, no row of which is in a log of another number."""
    return [
        f"2026-05-{day:02} {which:02}:{at:02}:{second:02},11.9{at}{which % 10},108.4{day},45204,LTE,-9{second},{phone}"
        for day in days
        for at, phone in enumerate(phones)
        for second in range(2)
    ]


def write(folder: Path, which: int, some: Iterable[str] | None = None) -> Path:
    """A log of those rows, of a row that comes twice and of one that is rejected."""
    path = folder / f"log-{which}.csv"
    rows = lines(which) if some is None else list(some)
    bad = "2026-05-01 08:00:00,91,108.44,45204,LTE,-90,"
    path.write_text("\n".join([HEADER, *rows, *rows[:1], bad]) + "\n", encoding="utf-8")
    return path


def add(workspace: Workspace, folder: Path, *which: int, context: Context | None = None) -> list[str]:
    """The ids of so many uploads."""
    return [ingest(workspace, write(folder, one), context).upload_id for one in which]


def rows_that_count(workspace: Workspace) -> list[dict[str, Any]]:
    """The rows that an assessment reads."""
    found = pa.Table.from_batches(parts.batches(committed(workspace).parts), schema(MEASUREMENTS))
    return found.sort_by([("upload_id", "ascending"), ("line", "ascending")]).to_pylist()


def every_row(workspace: Workspace) -> list[dict[str, Any]]:
    """The rows of every Parquet file under archive/, whoever names it."""
    found = [
        pq.ParquetFile(path).read().to_pylist() for path in (workspace.root / "archive").rglob("*.parquet")
    ]
    return [row for rows in found for row in rows]


def assert_gone(workspace: Workspace, phone: str) -> None:
    """No file of the archive holds the phone's hash, packed or not, and no row of the manifest names it."""
    digest = erasing.hash_of(workspace, phone)
    assert not [row for row in every_row(workspace) if digest in map(str, row.values())]
    for path in (workspace.root / "archive" / "parts").rglob("*"):
        assert digest.encode() not in path.read_bytes(), path
    with reading(workspace.manifest) as connection:
        for table in METADATA.sorted_tables:
            told = str(connection.execute(select(table)).all())
            assert digest not in told, table.name
            assert phone not in told, table.name


def assert_agrees(workspace: Workspace) -> None:
    """Counts, parts and history agree, and nothing is left over that a day would have to pass for."""
    assert [one for one in verify(workspace) if one.what != "delivery_failed"] == []
    for row in uploads.list_uploads(workspace):
        assert row["rows"] == row["accepted"] + row["duplicates"] + row["rejected"] + row["quarantined"]
        stored = workspace.parts / (row["stored_in"] or row["measurements_part"])
        held = pq.read_table(stored, filters=[("upload_id", "==", row["upload_id"])])
        assert held.num_rows == row["accepted"] - row["erased"]


def erased(workspace: Workspace) -> dict[str, int]:
    """Upload id → rows erased of it, where there are any."""
    return {row["upload_id"]: row["erased"] for row in uploads.list_uploads(workspace) if row["erased"]}
