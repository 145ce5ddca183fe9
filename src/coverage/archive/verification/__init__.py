"""Verification: is everything there that was acknowledged, and is it what it was?"""

from __future__ import annotations

from collections.abc import Iterator

from coverage.archive import tidying
from coverage.archive.manifest import reading
from coverage.archive.verification import files, parts, rows
from coverage.archive.verification.findings import Finding, leftover
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged
from coverage.progress import Tell, silent

__all__ = ["Finding", "verify"]


def verify(workspace: Workspace, tell: Tell = silent) -> list[Finding]:
    """Everything that is not as it should be, damage first; nothing is changed or mended.

    Every part, layer and snapshot is read and hashed anew. Others may go on writing meanwhile: what is looked at is
    the manifest of one moment. Raises `ArchiveUnavailable` where the manifest cannot be reached.
    """
    found = list(_everything(workspace, tell))
    return sorted(found, key=lambda one: ("damage", "attention", "leftover").index(one.severity))


def _everything(workspace: Workspace, tell: Tell) -> Iterator[Finding]:
    tell("sổ ghi / manifest", 0.0)
    yield from files.settings(workspace)
    broken = list(rows.database(workspace))
    yield from broken
    if broken:
        return
    try:
        seen = rows.look(workspace)
    except ArchiveDamaged as fault:
        yield rows.unreadable(workspace, fault)
        return
    yield from rows.agree(seen)
    yield from rows.audit_log(workspace, seen)
    yield from parts.check(workspace, seen, lambda name, share: tell(name, 0.1 + 0.7 * share))
    tell("tệp đang chờ / deliveries", 0.8)
    yield from files.deliveries(workspace, seen)
    tell("lớp, bản đánh giá / layers, snapshots", 0.85)
    yield from files.layers(workspace)
    yield from files.snapshots(workspace, seen)
    yield from files.ground(workspace)
    with reading(workspace.manifest) as connection:
        for one in tidying.leftovers(workspace, connection):
            yield leftover(one.kind, one.path, f"{one.size_bytes} B")
