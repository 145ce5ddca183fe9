"""Uploads: one immutable Parquet part each, and one manifest transaction that makes it count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, RowMapping, insert, select, update

from coverage.archive.durable import parquet_part
from coverage.archive.manifest import EVENTS, UPLOADS, now_utc, transaction
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged, NotFound
from coverage.logs import tally
from coverage.logs.context import Context
from coverage.logs.readings import COUNTS, Batch, Fix, Log
from coverage.tables import MEASUREMENTS, OUTCOMES, schema

Effect = Literal["added", "replaced", "already_received"]


@dataclass(frozen=True)
class Receipt:
    """What became of one file: the counts of its reading, and what that changed in the archive."""

    file: str
    upload_id: str
    format: str
    operator: str | None
    state: str
    effect: Effect
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    quarantined: int
    no_service: int
    unknown_level: int
    fixed: int
    fixes: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    confidence: float
    dropped: list[str]

    @property
    def added_rows(self) -> int:
        """Rows that the archive holds now and did not hold before this file came."""
        return 0 if self.effect == "already_received" else self.accepted


def receive(workspace: Workspace, log: Log) -> Receipt:
    """The receipt of a log, after its rows are safe on disk and in the manifest.

    The same bytes with the same context add nothing; with another context (see `context.with_earlier`: what is
    left out is not taken back) they replace the former reading in one transaction. A withdrawn upload stays
    withdrawn until it is restored.
    """
    context = _context(log)
    with transaction(workspace.manifest) as connection:
        known = _find(connection, log.upload_id)
    if known is not None and _reads_alike(known, context, log.read_with):
        return _receipt(known, "already_received")
    row = _write_parts(workspace, log) | {"context": context}
    with transaction(workspace.manifest) as connection:
        return _commit(connection, row)


def context_of(workspace: Workspace, upload_id: str) -> Context | None:
    """The context an upload was read with, as resolved then; None where there is no such upload."""
    with transaction(workspace.manifest) as connection:
        known = _find(connection, upload_id)
    if known is None:
        return None
    values = dict(known["context"])
    values["date"] = values["date"] and date.fromisoformat(values["date"])
    return Context(**values)


def _context(log: Log) -> dict[str, Any]:
    # Through JSON, so that it compares equal with what the manifest gives back.
    context: dict[str, Any] = orjson.loads(orjson.dumps(asdict(log.context)))
    return context


def _reads_alike(known: RowMapping, context: dict[str, Any], read_with: dict[str, Any]) -> bool:
    """Whether reading the bytes again would give what it gave: another area matters only to rows set aside."""
    before = known["read_with"]
    same_area = before["area"] == read_with["area"] or not known["quarantined"]
    return bool(known["context"] == context and before["mapping"] == read_with["mapping"] and same_area)


def _write_parts(workspace: Workspace, log: Log) -> dict[str, Any]:
    """The manifest row of a log, after its batches went into two Parquet parts one by one."""
    told = _Told()
    about = ("upload_id", "sha256", "file", "format", "confidence", "simulated", "read_with")
    row = {name: getattr(log, name) for name in about} | {"dropped": list(log.dropped)}
    with (
        parquet_part(workspace.parts, f"{log.upload_id}-measurements", schema(MEASUREMENTS)) as measurements,
        parquet_part(workspace.parts, f"{log.upload_id}-outcomes", schema(OUTCOMES)) as outcomes,
    ):
        for batch in log.batches():
            measurements.write(batch.measurements)
            outcomes.write(batch.outcomes)
            told.add(batch)
    parts = {"measurements_part": measurements.name, "outcomes_part": outcomes.name}
    return row | told.row() | parts


class _Told:
    """What the batches of a log add up to: counts, fixes, reasons, and the operators measured."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(COUNTS, 0)
        self._operators: set[str] = set()
        self._fixes: list[Fix] = []
        self._reasons: list[tally.Reason] = []

    def add(self, batch: Batch) -> None:
        for name in COUNTS:
            self._counts[name] += getattr(batch, name)
        self._operators.update(batch.measurements.column("operator").unique().to_pylist())
        self._fixes = tally.together([*self._fixes, *batch.fixes])
        self._reasons = tally.together([*self._reasons, *tally.by_reason(batch.outcomes)])

    def row(self) -> dict[str, Any]:
        operator = next(iter(self._operators)) if len(self._operators) == 1 else None
        most_first = sorted(self._reasons, key=lambda one: (-one.rows, one.code))
        fixes, reasons = ([asdict(one) for one in found] for found in (self._fixes, most_first))
        return {**self._counts, "operator": operator, "fixes": fixes, "reasons": reasons}


def _commit(connection: Connection, row: dict[str, Any]) -> Receipt:
    known = _find(connection, row["upload_id"])
    if known is not None and _reads_alike(known, row["context"], row["read_with"]):
        return _receipt(known, "already_received")  # somebody else committed it while we wrote our part
    if known is None:
        connection.execute(insert(UPLOADS).values(**row, state="committed", received_utc=now_utc()))
        _log(connection, row["upload_id"], "received", None)
        return _receipt(_found(connection, row["upload_id"]), "added")
    where = UPLOADS.c.upload_id == row["upload_id"]
    connection.execute(update(UPLOADS).where(where).values(**row, received_utc=now_utc()))
    _log(connection, row["upload_id"], "replaced", None)
    return _receipt(_found(connection, row["upload_id"]), "replaced")


def withdraw(workspace: Workspace, upload_id: str, reason: str) -> None:
    """Take an upload out of every later assessment; its part stays. Raises `NotFound`."""
    _set_state(workspace, upload_id, "withdrawn", reason)


def restore(workspace: Workspace, upload_id: str) -> None:
    """Let a withdrawn upload count again. Raises `NotFound`."""
    _set_state(workspace, upload_id, "committed", None)


def _set_state(workspace: Workspace, upload_id: str, state: str, reason: str | None) -> None:
    with transaction(workspace.manifest) as connection:
        _found(connection, upload_id)
        connection.execute(update(UPLOADS).where(UPLOADS.c.upload_id == upload_id).values(state=state))
        _log(connection, upload_id, "withdrawn" if state == "withdrawn" else "restored", reason)


def list_uploads(workspace: Workspace) -> list[dict[str, Any]]:
    """Every upload's manifest row, oldest first."""
    with transaction(workspace.manifest) as connection:
        rows = connection.execute(select(UPLOADS).order_by(UPLOADS.c.received_utc, UPLOADS.c.upload_id))
        return [_plain(row) for row in rows.mappings()]


def show(workspace: Workspace, upload_id: str) -> dict[str, Any]:
    """One upload's manifest row with its history under `events`. Raises `NotFound`."""
    with transaction(workspace.manifest) as connection:
        row = _plain(_found(connection, upload_id))
        events = connection.execute(
            select(EVENTS).where(EVENTS.c.upload_id == upload_id).order_by(EVENTS.c.event_id)
        )
        row["events"] = [_plain(one) for one in events.mappings()]
        return row


def outcomes(workspace: Workspace, upload_id: str) -> pa.Table:
    """The rows of an upload that did not become measurements, as the contract OUTCOMES. Raises `NotFound`."""
    return pq.read_table(_part(workspace, show(workspace, upload_id)["outcomes_part"]))


def committed_parts(workspace: Workspace) -> list[Path]:
    """The measurement parts that count now, by upload id. Raises `ArchiveDamaged` where one is missing."""
    names = sorted(row["measurements_part"] for row in _committed(workspace) if row["accepted"])
    return [_part(workspace, name) for name in names]


def any_simulated(workspace: Workspace) -> bool:
    """Whether an upload that counts now says that it was simulated."""
    return any(row["simulated"] for row in _committed(workspace))


def _committed(workspace: Workspace) -> list[dict[str, Any]]:
    return [row for row in list_uploads(workspace) if row["state"] == "committed"]


def _part(workspace: Workspace, name: str) -> Path:
    path = workspace.parts / name
    if not path.exists():
        raise ArchiveDamaged(
            f"Thiếu tệp {path} mà sổ ghi có: hãy khôi phục từ bản sao lưu.",
            f"File {path} is in the manifest and not on disk: restore it from a backup.",
        )
    return path


def _plain(row: RowMapping) -> dict[str, Any]:
    # SQLAlchemy's names are a kind of str that JSON writers refuse as keys.
    return {str(name): value for name, value in row.items()}


def _find(connection: Connection, upload_id: str) -> RowMapping | None:
    return connection.execute(select(UPLOADS).where(UPLOADS.c.upload_id == upload_id)).mappings().first()


def _found(connection: Connection, upload_id: str) -> RowMapping:
    row = _find(connection, upload_id)
    if row is None:
        raise NotFound(f"Không có lần tải lên {upload_id}.", f"There is no upload {upload_id}.")
    return row


def _log(connection: Connection, upload_id: str, action: str, reason: str | None) -> None:
    connection.execute(
        insert(EVENTS).values(upload_id=upload_id, action=action, reason=reason, at_utc=now_utc())
    )


def _receipt(row: RowMapping, effect: Effect) -> Receipt:
    about = {one.name: row[one.name] for one in fields(Receipt) if one.name != "effect"}
    return Receipt(**about, effect=effect)
