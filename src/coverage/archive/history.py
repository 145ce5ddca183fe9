"""Which snapshots were published, in order; the last one is what maps and lists show."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from coverage.archive import jobs, snapshots
from coverage.archive.durable import fsync
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.manifest import revision as current_revision
from coverage.archive.schema import EVENTS, SNAPSHOTS
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound


def publish(workspace: Workspace, info: SnapshotInfo, revision: int) -> None:
    """Make a saved snapshot the latest, unless one of a later revision of the uploads was published before."""
    values = {"snapshot_id": info.snapshot_id, "as_of": info.as_of, "criteria": info.criteria} | {
        "revision": revision
    }
    fsync(workspace.snapshots)  # whoever saved it may have been stopped before its name was on the disk
    with transaction(workspace.manifest) as connection:
        connection.execute(insert(SNAPSHOTS).values(**values, created_utc=now_utc()))
        if revision == current_revision(connection):
            jobs.drop_assess(connection)  # what they wait for is done


def latest_id(workspace: Workspace) -> str:
    """The id of the latest snapshot; raises `NotFound` with the command that makes one."""
    latest_first = SNAPSHOTS.c.revision.desc(), SNAPSHOTS.c.sequence.desc()
    with reading(workspace.manifest) as connection:
        newest = select(SNAPSHOTS.c.snapshot_id).order_by(*latest_first).limit(1)
        found = connection.execute(newest).scalar()
    if found is None:
        raise NotFound(
            "Chưa có bản đánh giá nào: phusong assess", "There is no assessment yet: phusong assess"
        )
    return str(found)


def latest_time(connection: Connection) -> datetime | None:
    """When the latest snapshot was published (UTC), None where there is none."""
    latest_first = SNAPSHOTS.c.revision.desc(), SNAPSHOTS.c.sequence.desc()
    return connection.execute(select(SNAPSHOTS.c.created_utc).order_by(*latest_first).limit(1)).scalar()


def newest_first(workspace: Workspace, most: int) -> list[dict[str, Any]]:
    """The published snapshots, each once, that published last first: snapshot_id, as_of, criteria, made_utc (ISO)."""
    order = SNAPSHOTS.c.revision.desc(), SNAPSHOTS.c.sequence.desc()
    with reading(workspace.manifest) as connection:
        rows = connection.execute(select(SNAPSHOTS).order_by(*order)).all()
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        told = {"as_of": row.as_of, "criteria": row.criteria, "made_utc": row.created_utc.isoformat()}
        found.setdefault(row.snapshot_id, {"snapshot_id": row.snapshot_id, **told})
    return list(found.values())[:most]


def require(workspace: Workspace, snapshot_id: str) -> str:
    """The id, where a snapshot of that id was published; raises `NotFound`."""
    with reading(workspace.manifest) as connection:
        found = connection.execute(
            select(SNAPSHOTS.c.snapshot_id).where(SNAPSHOTS.c.snapshot_id == snapshot_id).limit(1)
        ).scalar()
    if found is None:
        raise NotFound(
            f"Không có bản đánh giá {snapshot_id!r:.60}.", f"There is no snapshot {snapshot_id!r:.60}."
        )
    return str(found)


def days_before(workspace: Workspace, snapshot_id: str) -> list[str]:
    """Of each day that was judged before that snapshot's the id of its last snapshot, oldest first."""
    order = SNAPSHOTS.c.revision, SNAPSHOTS.c.sequence
    with reading(workspace.manifest) as connection:
        rows = connection.execute(select(SNAPSHOTS.c.as_of, SNAPSHOTS.c.snapshot_id).order_by(*order)).all()
    days = [row.as_of for row in rows if row.snapshot_id == snapshot_id]
    last_of = {row.as_of: row.snapshot_id for row in rows if days and row.as_of < days[-1]}
    return [last_of[day] for day in sorted(last_of)]


def latest(workspace: Workspace) -> Snapshot:
    """The latest snapshot; raises `NotFound`."""
    return snapshots.load(workspace.snapshots, latest_id(workspace))


def counts_now(workspace: Workspace, upload_ids: Collection[str]) -> tuple[bool, str | None]:
    """Whether the latest snapshot knows all that was done to these uploads; and its id, None where there is none.

    The revision is raised once per event: a snapshot of a later revision was made of the uploads as they are.
    """
    newest = select(SNAPSHOTS).order_by(SNAPSHOTS.c.revision.desc(), SNAPSHOTS.c.sequence.desc()).limit(1)
    last_event = select(func.max(EVENTS.c.event_id)).where(EVENTS.c.upload_id.in_(upload_ids))
    with reading(workspace.manifest) as connection:
        snapshot = connection.execute(newest).first()
        last = connection.execute(last_event).scalar()
        if snapshot is None:
            return False, None
        changes = select(func.count()).select_from(EVENTS).where(EVENTS.c.event_id <= (last or 0))
        known = last is not None and connection.execute(changes).scalar_one() <= snapshot.revision
    return known, str(snapshot.snapshot_id)
