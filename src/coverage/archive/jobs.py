"""Jobs: work for a worker process, queued in the same transaction as what it is for.

A running job belongs to its worker while the lease lasts, and the worker's heartbeat renews it. A worker that
dies, or that is cut off for longer, loses the job to whoever asks next; what it still does then is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import DELIVERIES, JOBS
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveUnavailable, Conflict, DiskFull, NotFound, PhusongError

Kind = Literal["ingest", "assess"]
LEASE = timedelta(seconds=60)  # a busy machine may hold a heartbeat back for many seconds
ATTEMPTS = 3  # a file that ended three workers would end the fourth
_FIRST_WAIT = timedelta(seconds=10)  # then four times as long each time
_UNTIL_ROOM = timedelta(seconds=60)
_ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """A job as its worker holds it: this attempt of it, under this worker's name."""

    job_id: int
    kind: Kind
    delivery_id: str | None
    attempts: int
    worker: str


class LeaseLost(Conflict):
    """The job was cancelled, or another worker has it: what this one did for it does not count."""

    code = "lease_lost"


def enqueue(
    connection: Connection, kind: Kind, delivery_id: str | None = None, not_before: datetime | None = None
) -> int:
    """The id of a new job, queued within the caller's transaction; not taken before `not_before` (UTC)."""
    now = now_utc()
    added = connection.execute(
        insert(JOBS).values(
            kind=kind,
            delivery_id=delivery_id,
            state="queued",
            not_before_utc=not_before or now,
            attempts=0,
            share=0.0,
            created_utc=now,
        )
    )
    return int(added.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it


def enqueue_assess(connection: Connection) -> None:
    """Let the archive be judged again; one waiting assessment is enough, however much has changed."""
    waiting = select(JOBS.c.job_id).where(JOBS.c.kind == "assess", JOBS.c.state == "queued")
    if connection.execute(waiting).first() is None:
        enqueue(connection, "assess")


def drop_assess(connection: Connection) -> None:
    """End the waiting assessments: what they were to judge has been judged."""
    waiting = and_(JOBS.c.kind == "assess", JOBS.c.state == "queued")
    connection.execute(update(JOBS).where(waiting).values(state="done", share=1.0, ended_utc=now_utc()))


def claim(workspace: Workspace, worker: str) -> Job | None:
    """The next job, now this worker's; None where none is due. A job that ended too many workers fails here."""
    with transaction(workspace.manifest) as connection:
        while True:
            due = select(JOBS).where(_due(connection, now_utc())).order_by(JOBS.c.job_id).limit(1)
            row = connection.execute(due).first()
            if row is None:
                return None
            if row.attempts < ATTEMPTS:
                break
            _fail(connection, row.job_id, row.delivery_id, _worker_died(row.attempts))
        mine = {
            "state": "running",
            "worker": worker,
            "attempts": row.attempts + 1,
            "stage": None,
            "share": 0.0,
        }
        _set(connection, row.job_id, **mine, lease_until_utc=now_utc() + LEASE)
    return Job(row.job_id, row.kind, row.delivery_id, row.attempts + 1, worker)


def _due(connection: Connection, now: datetime) -> ColumnElement[bool]:
    waiting = and_(JOBS.c.state == "queued", JOBS.c.not_before_utc <= now)
    held = JOBS.c.lease_until_utc >= now
    judging = select(JOBS.c.job_id).where(JOBS.c.kind == "assess", JOBS.c.state == "running", held)
    if connection.execute(judging).first() is not None:  # two at once would take the memory of two
        waiting = and_(waiting, JOBS.c.kind != "assess")
    return or_(waiting, and_(JOBS.c.state == "running", JOBS.c.lease_until_utc < now))


def _worker_died(attempts: int) -> PhusongError:
    return PhusongError(
        f"Chương trình đọc đã dừng giữa chừng {attempts} lần vì việc này. Tệp vẫn còn; hãy báo người vận hành.",
        f"The worker ended {attempts} times over this job. The file is kept; tell whoever runs the service.",
        code="worker_died",
    )


def heartbeat(workspace: Workspace, job: Job, stage: str | None = None, share: float = 0.0) -> None:
    """Renew the lease and tell how far the job is (share 0…1). Raises `LeaseLost`."""
    with transaction(workspace.manifest) as connection:
        require_mine(connection, job)
        _set(connection, job.job_id, lease_until_utc=now_utc() + LEASE, stage=stage, share=share)


def finish(connection: Connection, job: Job) -> None:
    """End a job well, within the transaction that makes its result count. Raises `LeaseLost`: then nothing counts."""
    require_mine(connection, job)
    _set(
        connection, job.job_id, state="done", share=1.0, fault=None, ended_utc=now_utc(), lease_until_utc=None
    )


def fail(connection: Connection, job: Job, fault: PhusongError) -> None:
    """End a job for good, with the reason. Raises `LeaseLost`."""
    require_mine(connection, job)
    _fail(connection, job.job_id, job.delivery_id, fault)


def try_later(connection: Connection, job: Job, fault: PhusongError) -> bool:
    """Put a job back after a fault that may pass; False where it has had its attempts, and failed. Raises `LeaseLost`.

    What is no fault of the job (a full disk, a database that is away) takes none of its attempts.
    """
    if isinstance(fault, DiskFull | ArchiveUnavailable):
        require_mine(connection, job)
        later = {"not_before_utc": now_utc() + _UNTIL_ROOM, "attempts": job.attempts - 1}
        _set(connection, job.job_id, state="queued", fault=as_fault(fault), lease_until_utc=None, **later)
        return True
    if job.attempts >= ATTEMPTS:
        fail(connection, job, fault)
        return False
    require_mine(connection, job)
    wait = _FIRST_WAIT * 4 ** (job.attempts - 1)
    _set(connection, job.job_id, state="queued", fault=as_fault(fault), not_before_utc=now_utc() + wait)
    return True


def cancel(connection: Connection, delivery_id: str) -> None:
    """End the jobs of a delivery that have not ended; a worker at it notices at its next heartbeat."""
    alive = and_(JOBS.c.delivery_id == delivery_id, JOBS.c.state.not_in(_ENDED))
    connection.execute(update(JOBS).where(alive).values(state="cancelled", ended_utc=now_utc()))


def release_dead(workspace: Workspace) -> int:
    """How many running jobs of this machine lost their worker's process; they may be taken now, without waiting.

    A worker whose number another process has by now is not found: its jobs wait for the end of their lease.
    """
    released = 0
    with transaction(workspace.manifest) as connection:
        for row in connection.execute(select(JOBS).where(JOBS.c.state == "running")).all():
            node, process = _whose(row.worker)
            if node == os.uname().nodename and process is not None and not _alive(process):
                _set(connection, row.job_id, lease_until_utc=now_utc() - timedelta(seconds=1))
                released += 1
    return released


def give_back(workspace: Workspace, process: int) -> int:
    """How many jobs of a process of this machine, which we ended in the midst of them, are queued again.

    It was no fault of the job, so this attempt does not count.
    """
    given = 0
    with transaction(workspace.manifest) as connection:
        for row in connection.execute(select(JOBS).where(JOBS.c.state == "running")).all():
            if _whose(row.worker) == (os.uname().nodename, process):
                again = {"state": "queued", "attempts": row.attempts - 1, "not_before_utc": now_utc()}
                _set(connection, row.job_id, **again, lease_until_utc=None)
                given += 1
    return given


def _whose(worker: object) -> tuple[str, int | None]:
    """Machine and process of a worker by its name; None for a process that its name does not tell."""
    node, _, process = str(worker).rpartition(":")[0].rpartition(":")
    return node, int(process) if process.isdigit() else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def of_delivery(workspace: Workspace, delivery_id: str) -> dict[str, Any] | None:
    """The newest job of a delivery as the manifest has it; None where there is none."""
    newest = select(JOBS).where(JOBS.c.delivery_id == delivery_id).order_by(JOBS.c.job_id.desc()).limit(1)
    with reading(workspace.manifest) as connection:
        row = connection.execute(newest).mappings().first()
    return None if row is None else {str(name): value for name, value in row.items()}


def require_mine(connection: Connection, job: Job) -> None:
    """Raise `LeaseLost` unless this attempt still holds the job."""
    row = connection.execute(select(JOBS).where(JOBS.c.job_id == job.job_id)).first()
    if row is None:
        raise NotFound(f"Không có việc {job.job_id}.", f"There is no job {job.job_id}.")
    if (row.state, row.worker, row.attempts) != ("running", job.worker, job.attempts):
        raise LeaseLost(
            f"Việc {job.job_id} đã bị huỷ hoặc do chương trình khác làm.",
            f"Job {job.job_id} was cancelled, or another worker has it.",
        )


def as_fault(fault: PhusongError) -> dict[str, str]:
    """What the manifest keeps of an error of ours."""
    return {"code": fault.code, "vi": fault.vi, "en": fault.en}


def _fail(connection: Connection, job_id: int, delivery_id: str | None, fault: PhusongError) -> None:
    ended = {"state": "failed", "ended_utc": now_utc(), "lease_until_utc": None}
    _set(connection, job_id, fault=as_fault(fault), **ended)
    whose = DELIVERIES.c.delivery_id == delivery_id
    connection.execute(update(DELIVERIES).where(whose).values(state="failed"))


def _set(connection: Connection, job_id: int, **values: Any) -> None:  # noqa: ANN401 - columns of the table
    connection.execute(update(JOBS).where(JOBS.c.job_id == job_id).values(**values))
