"""The uploads that count, seen at one moment: what every assessment and export starts from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from coverage.archive.manifest import reading, revision
from coverage.archive.schema import COMPACTED, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged
from coverage.parts import Part


@dataclass(frozen=True)
class Committed:
    """The uploads that count, by id.

    revision: rises with every change of that set. readings: the names of the uploads' own parts, which say what was
    read of which bytes, wherever the rows are kept now; uploads without an accepted row are left out, here and in
    `uploads`. parts: where the rows are. simulated: one of the uploads says that it was simulated.
    """

    revision: int
    uploads: tuple[str, ...]
    readings: tuple[str, ...]
    parts: tuple[Part, ...]
    simulated: bool


def committed(workspace: Workspace) -> Committed:
    """What counts now. Raises `ArchiveDamaged` where a part is missing."""
    with reading(workspace.manifest) as connection:
        counts = select(UPLOADS).where(UPLOADS.c.state == "committed", UPLOADS.c.accepted > 0)
        rows = connection.execute(counts.order_by(UPLOADS.c.measurements_part)).all()
        within = uploads_within(connection)
        said_simulated = select(UPLOADS.c.upload_id).where(
            UPLOADS.c.state == "committed", UPLOADS.c.simulated
        )
        simulated = connection.execute(said_simulated).first() is not None
        at = revision(connection)
    stored: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        stored[row.stored_in or row.measurements_part].add(row.upload_id)
    return Committed(
        revision=at,
        uploads=tuple(row.upload_id for row in rows),
        readings=tuple(row.measurements_part for row in rows),
        parts=tuple(
            Part(part_path(workspace, name), tuple(sorted(within[name] - those)))
            for name, those in sorted(stored.items())
        ),
        simulated=simulated,
    )


def uploads_within(connection: Connection) -> defaultdict[str, set[str]]:
    """Per compacted part the uploads that it holds rows of, those included whose rows do not count any more."""
    within: defaultdict[str, set[str]] = defaultdict(set)
    for part, upload_id in connection.execute(select(COMPACTED.c.part, COMPACTED.c.upload_id)):
        within[part].add(upload_id)
    return within


def part_path(workspace: Workspace, name: str) -> Path:
    """Where a part of the manifest is. Raises `ArchiveDamaged` where it is missing."""
    path = workspace.parts / name
    if not path.exists():
        raise ArchiveDamaged(
            f"Thiếu tệp {path} mà sổ ghi có: hãy khôi phục từ bản sao lưu.",
            f"File {path} is in the manifest and not on disk: restore it from a backup.",
        )
    return path
