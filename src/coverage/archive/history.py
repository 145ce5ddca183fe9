"""Which snapshots were published, in order; the last one is what maps and lists show."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, insert, select

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
