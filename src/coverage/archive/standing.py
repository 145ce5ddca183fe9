"""How much there is and waits, as the manifest has it at one moment: numbers for whoever watches a service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from coverage.archive import history
from coverage.archive.manifest import now_utc, reading, require_ours
from coverage.archive.schema import DELIVERIES, JOBS
from coverage.archive.workspace import Workspace, identity
from coverage.errors import ArchiveUnavailable

DELIVERY_STATES = ("receiving", "received", "done", "refused", "failed", "cancelled")
JOB_KINDS = ("ingest", "assess")
JOB_STATES = ("queued", "running", "failed")


@dataclass(frozen=True)
class Standing:
    """Deliveries by state, jobs by kind and state, seconds that the oldest due job waits, age of the latest snapshot.

    The age is None where there is no snapshot.
    """

    deliveries: dict[str, int]
    jobs: dict[tuple[str, ...], int]
    oldest_due_s: float
    snapshot_age_s: float | None


def require_readable(workspace: Workspace) -> None:
    """Raise an error of ours, or an `OSError`, where the manifest cannot be read or is not this workspace's."""
    _require_there(workspace)
    with reading(workspace.manifest) as connection:
        require_ours(connection, identity(workspace))


def _require_there(workspace: Workspace) -> None:
    # SQLite would lay out an empty file in the place of one that is away, in the way of it when it comes back.
    if workspace.manifest_kind == "sqlite" and not workspace.manifest_file.is_file():
        raise ArchiveUnavailable("Sổ ghi không có ở chỗ của nó.", "The manifest is not in its place.")


def standing(workspace: Workspace) -> Standing:
    """The numbers of now. Raises `ArchiveUnavailable`, `ArchiveDamaged`."""
    _require_there(workspace)
    with reading(workspace.manifest) as connection:
        return Standing(
            _deliveries(connection), _jobs(connection), _oldest_due_s(connection), _snapshot_age_s(connection)
        )


def _deliveries(connection: Connection) -> dict[str, int]:
    counts = select(DELIVERIES.c.state, func.count()).group_by(DELIVERIES.c.state)
    found = {row.state: int(row[1]) for row in connection.execute(counts)}
    return dict.fromkeys(DELIVERY_STATES, 0) | found


def _jobs(connection: Connection) -> dict[tuple[str, ...], int]:
    of_state = JOBS.c.state.in_(JOB_STATES)
    counts = (
        select(JOBS.c.kind, JOBS.c.state, func.count()).where(of_state).group_by(JOBS.c.kind, JOBS.c.state)
    )
    none: dict[tuple[str, ...], int] = {(kind, state): 0 for kind in JOB_KINDS for state in JOB_STATES}
    return none | {(kind, state): count for kind, state, count in connection.execute(counts)}


def _oldest_due_s(connection: Connection) -> float:
    queued = select(func.min(JOBS.c.not_before_utc)).where(JOBS.c.state == "queued")
    return max(0.0, _since(connection.execute(queued).scalar()) or 0.0)


def _snapshot_age_s(connection: Connection) -> float | None:
    return _since(history.latest_time(connection))


def _since(time: datetime | None) -> float | None:
    return None if time is None else (now_utc() - time).total_seconds()
