"""Which snapshots were published, in order; the last one is what maps and lists show."""

from __future__ import annotations

from sqlalchemy import insert, select

from coverage.archive import snapshots
from coverage.archive.durable import fsync
from coverage.archive.manifest import SNAPSHOTS, now_utc, transaction
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound


def publish(workspace: Workspace, info: SnapshotInfo) -> None:
    """Make a saved snapshot the latest."""
    values = {"snapshot_id": info.snapshot_id, "as_of": info.as_of, "criteria": info.criteria}
    fsync(workspace.snapshots)  # whoever saved it may have been stopped before its name was on the disk
    with transaction(workspace.manifest) as connection:
        connection.execute(insert(SNAPSHOTS).values(**values, created_utc=now_utc()))


def latest_id(workspace: Workspace) -> str:
    """The id of the latest snapshot; raises `NotFound` with the command that makes one."""
    with transaction(workspace.manifest) as connection:
        newest = select(SNAPSHOTS.c.snapshot_id).order_by(SNAPSHOTS.c.sequence.desc()).limit(1)
        found = connection.execute(newest).scalar()
    if found is None:
        raise NotFound(
            "Chưa có bản đánh giá nào: phusong assess", "There is no assessment yet: phusong assess"
        )
    return str(found)


def latest(workspace: Workspace) -> Snapshot:
    """The latest snapshot; raises `NotFound`."""
    return snapshots.load(workspace.snapshots, latest_id(workspace))
