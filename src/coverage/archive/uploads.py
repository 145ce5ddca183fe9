"""Uploads: one immutable Parquet part each, and one manifest transaction that makes it count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, RowMapping, insert, select, update

from coverage.archive import jobs, named
from coverage.archive.committed import part_path
from coverage.archive.disk import require_room
from coverage.archive.durable import parquet_part, unneeded_from_now
from coverage.archive.manifest import newest_first, now_utc, raise_revision, reading, transaction
from coverage.archive.schema import DELIVERIES, EVENTS, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound
from coverage.logs import tally
from coverage.logs.context import Context, from_json, to_json
from coverage.logs.readings import COUNTS, Batch, Fix, Log
from coverage.tables import MEASUREMENTS, OUTCOMES, schema

Effect = Literal["added", "replaced", "already_received"]
_PARTS = ("measurements_part", "outcomes_part")


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


def _unheard(_rows: int) -> None:
    pass


def receive(
    workspace: Workspace,
    log: Log,
    delivery_id: str | None = None,
    by: str | None = None,
    told_rows: Callable[[int], object] = _unheard,
    job: jobs.Job | None = None,
) -> Receipt:
    """The receipt of a log, after its rows are safe on disk and in the manifest.

    The same bytes with the same context add nothing; with another context (see `context.with_earlier`: what is
    left out is not taken back) they replace the former reading in one transaction; not where rows of it were erased,
    which would come back so. A withdrawn upload stays withdrawn until it is restored. `delivery_id`: the sending that brings it; read once more by a worker that
    takes over, it still says "added". `told_rows` hears how many rows are read so far. `job`: what it is read for;
    nothing counts once that is somebody else's. Raises `DiskFull`, `LeaseLost`.
    """
    require_room(workspace.parts)
    context = to_json(log.context)
    with reading(workspace.manifest) as connection:
        known = _find(connection, log.upload_id)
    if known is not None and _reads_alike(known, context, log.read_with):
        return _receipt(known, _effect(known, delivery_id))
    row = _write_parts(workspace, log, told_rows) | {"context": context, "delivery_id": delivery_id}
    with transaction(workspace.manifest) as connection:
        if job is not None:
            jobs.require_mine(connection, job)
        if all((workspace.parts / row[part]).exists() for part in _PARTS):
            return _commit(workspace, connection, row, by)
    # The parts had names of former ones, which were tidied away at that moment: written once more they are new.
    return receive(workspace, log, delivery_id, by, told_rows, job)


def _effect(known: RowMapping, delivery_id: str | None) -> Effect:
    own = delivery_id is not None and known["delivery_id"] == delivery_id
    return "added" if own else "already_received"


def context_of(workspace: Workspace, upload_id: str) -> Context | None:
    """The context an upload was read with, as resolved then; None where there is no such upload."""
    with reading(workspace.manifest) as connection:
        known = _find(connection, upload_id)
    return None if known is None else from_json(known["context"])


def _reads_alike(known: RowMapping, context: dict[str, Any], read_with: dict[str, Any]) -> bool:
    """Whether reading the bytes again would give what it gave, or what was erased since.

    Another area matters only to rows set aside.
    """
    if known["erased"]:
        return True
    before = known["read_with"]
    same_area = before["area"] == read_with["area"] or not known["quarantined"]
    return bool(known["context"] == context and before["mapping"] == read_with["mapping"] and same_area)


def _write_parts(workspace: Workspace, log: Log, told_rows: Callable[[int], object]) -> dict[str, Any]:
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
            told_rows(told.rows)
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

    @property
    def rows(self) -> int:
        return self._counts["rows"]

    def row(self) -> dict[str, Any]:
        operator = next(iter(self._operators)) if len(self._operators) == 1 else None
        most_first = sorted(self._reasons, key=lambda one: (-one.rows, one.code))
        fixes, reasons = ([asdict(one) for one in found] for found in (self._fixes, most_first))
        return {**self._counts, "operator": operator, "fixes": fixes, "reasons": reasons}


def _commit(workspace: Workspace, connection: Connection, row: dict[str, Any], by: str | None) -> Receipt:
    known = _find(connection, row["upload_id"])
    if known is not None and _reads_alike(known, row["context"], row["read_with"]):
        # Somebody committed it while we wrote our part, or erased rows that ours still holds.
        _remove_unless_named(workspace, connection, row)
        return _receipt(known, _effect(known, row["delivery_id"]))
    if known is None:
        connection.execute(insert(UPLOADS).values(**row, state="committed", received_utc=now_utc()))
    else:
        unneeded_from_now(*(workspace.parts / known[part] for part in _PARTS))
        where = UPLOADS.c.upload_id == row["upload_id"]
        connection.execute(update(UPLOADS).where(where).values(**row, stored_in=None, received_utc=now_utc()))
    note_change(connection, row["upload_id"], "received" if known is None else "replaced", None, by)
    return _receipt(_found(connection, row["upload_id"]), "added" if known is None else "replaced")


def _remove_unless_named(workspace: Workspace, connection: Connection, row: dict[str, Any]) -> None:
    for part in {row[name] for name in _PARTS} - named.parts(connection):
        (workspace.parts / part).unlink(missing_ok=True)


def withdraw(workspace: Workspace, upload_id: str, reason: str, by: str | None = None) -> None:
    """Take an upload out of every later assessment; its part stays. Raises `NotFound`."""
    _set_state(workspace, upload_id, "withdrawn", reason, by)


def restore(workspace: Workspace, upload_id: str, reason: str | None = None, by: str | None = None) -> None:
    """Let a withdrawn upload count again. Raises `NotFound`."""
    _set_state(workspace, upload_id, "committed", reason, by)


def _set_state(workspace: Workspace, upload_id: str, state: str, reason: str | None, by: str | None) -> None:
    with transaction(workspace.manifest) as connection:
        _found(connection, upload_id)
        connection.execute(update(UPLOADS).where(UPLOADS.c.upload_id == upload_id).values(state=state))
        note_change(connection, upload_id, "withdrawn" if state == "withdrawn" else "restored", reason, by)


def note_change(
    connection: Connection, upload_id: str, action: str, reason: str | None, by: str | None
) -> None:
    """Write an upload's history, and let what hangs on the uploads be judged again: all in the caller's transaction."""
    values = {"upload_id": upload_id, "action": action, "reason": reason, "by": by}
    connection.execute(insert(EVENTS).values(**values, at_utc=now_utc()))
    raise_revision(connection)
    jobs.enqueue_assess(connection)


def list_uploads(workspace: Workspace) -> list[dict[str, Any]]:
    """Every upload's manifest row, oldest first."""
    with reading(workspace.manifest) as connection:
        rows = connection.execute(select(UPLOADS).order_by(UPLOADS.c.received_utc, UPLOADS.c.upload_id))
        return [_plain(row) for row in rows.mappings()]


def newest(
    workspace: Workspace, limit: int, before: tuple[datetime, str] | None = None, by: str | None = None
) -> list[dict[str, Any]]:
    """At most so many uploads' rows, newest first, older than `before` (received_utc and id of the last one seen).

    by: only what that team sent; None = all.
    """
    order = UPLOADS.c.received_utc, UPLOADS.c.upload_id
    theirs = select(DELIVERIES.c.delivery_id).where(DELIVERIES.c.by == by)
    only = None if by is None else UPLOADS.c.delivery_id.in_(theirs)
    with reading(workspace.manifest) as connection:
        return [_plain(row) for row in newest_first(connection, order, limit, before, only)]


def sender(workspace: Workspace, upload_id: str) -> str | None:
    """Who sent an upload's file; None where nobody said, it came by the command line, or there is no such upload."""
    both = select(DELIVERIES.c.by).join(UPLOADS, UPLOADS.c.delivery_id == DELIVERIES.c.delivery_id)
    with reading(workspace.manifest) as connection:
        by: str | None = connection.execute(both.where(UPLOADS.c.upload_id == upload_id)).scalar()
        return by


def show(workspace: Workspace, upload_id: str) -> dict[str, Any]:
    """One upload's manifest row with its history under `events`. Raises `NotFound`."""
    with reading(workspace.manifest) as connection:
        row = _plain(_found(connection, upload_id))
        events = connection.execute(
            select(EVENTS).where(EVENTS.c.upload_id == upload_id).order_by(EVENTS.c.event_id)
        )
        row["events"] = [_plain(one) for one in events.mappings()]
        return row


def outcomes(workspace: Workspace, upload_id: str) -> pa.Table:
    """The rows of an upload that did not become measurements, as the contract OUTCOMES. Raises `NotFound`."""
    return pq.read_table(part_path(workspace, show(workspace, upload_id)["outcomes_part"]))


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


def _receipt(row: RowMapping, effect: Effect) -> Receipt:
    about = {one.name: row[one.name] for one in fields(Receipt) if one.name != "effect"}
    return Receipt(**about, effect=effect)
