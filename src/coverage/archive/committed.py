"""The uploads that count, seen at one moment: what every assessment and export starts from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
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


@dataclass(frozen=True)
class Changed:
    """Where the rows are that came and that went between two sets of readings."""

    came: tuple[Part, ...]
    went: tuple[Part, ...]


def changed(workspace: Workspace, before: Collection[str], now: Collection[str]) -> Changed | None:
    """What came and went between two sets of `Committed.readings`; None where rows that went are not kept any more."""
    with reading(workspace.manifest) as connection:
        within = uploads_within(connection)
        stored = dict(connection.execute(select(UPLOADS.c.measurements_part, UPLOADS.c.stored_in)).all())
    found = [
        [_rows_of(workspace, name, stored.get(name), within) for name in sorted(names)]
        for names in (set(now) - set(before), set(before) - set(now))
    ]
    if None in found[0] or None in found[1]:
        return None
    return Changed(*(tuple(part for part in parts if part is not None) for parts in found))


def _rows_of(
    workspace: Workspace, name: str, stored_in: str | None, within: Mapping[str, set[str]]
) -> Part | None:
    # A reading's own part; else the compacted one that it moved to, also where it was read anew since.
    if (workspace.parts / name).exists():
        return Part(workspace.parts / name)
    upload_id = name.partition("-")[0]
    holders = [stored_in] if stored_in else [part for part, held in within.items() if upload_id in held]
    there = [part for part in holders if (workspace.parts / part).exists()]
    if not there:
        return None
    return Part(workspace.parts / there[0], tuple(sorted(within[there[0]] - {upload_id})))


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
