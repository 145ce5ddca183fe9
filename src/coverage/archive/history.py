"""Which snapshots were published, in order; the last one is what maps and lists show."""

from __future__ import annotations

from sqlalchemy import insert, select

from coverage.archive import jobs, snapshots
from coverage.archive.durable import fsync
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.manifest import revision as current_revision
from coverage.archive.schema import SNAPSHOTS
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
