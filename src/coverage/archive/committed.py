"""The uploads that count, seen at one moment: what every assessment and export starts from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from coverage.archive.manifest import reading, revision
from coverage.archive.rewriting import LESSENED
from coverage.archive.schema import COMPACTED, EVENTS, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged
from coverage.parts import Part


@dataclass(frozen=True)
class Committed:
    """The uploads that count, by id.

    revision: rises with every change of that set. readings: the names of the uploads' own parts, which say what was
    read of which bytes, wherever the rows are kept now; uploads without a row are left out, here and in `uploads`. parts: where the rows are. simulated: one of the uploads says that it was simulated.
    """

    revision: int
    uploads: tuple[str, ...]
    readings: tuple[str, ...]
    parts: tuple[Part, ...]
    simulated: bool


def committed(workspace: Workspace) -> Committed:
    """What counts now. Raises `ArchiveDamaged` where a part is missing."""
    with reading(workspace.manifest) as connection:
        left = UPLOADS.c.accepted > UPLOADS.c.erased
        counts = select(UPLOADS).where(UPLOADS.c.state == "committed", left)
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
        holders = _holders(connection, within)
    found = [
        [_rows_of(workspace, name, holders(name), within) for name in sorted(names)]
        for names in (set(now) - set(before), set(before) - set(now))
    ]
    if None in found[0] or None in found[1]:
        return None
    return Changed(*(tuple(part for part in parts if part is not None) for parts in found))


def _rows_of(
    workspace: Workspace, name: str, holders: Iterable[str], within: Mapping[str, set[str]]
) -> Part | None:
    # A reading's own part; else the compacted one that it moved to, also where it was read anew since.
    if (workspace.parts / name).exists():
        return Part(workspace.parts / name)
    there = [part for part in holders if (workspace.parts / part).exists()]
    if not there:
        return None
    return Part(workspace.parts / there[0], tuple(sorted(within[there[0]] - {name.partition("-")[0]})))


def _holders(connection: Connection, within: Mapping[str, set[str]]) -> Callable[[str], list[str]]:
    """What tells of a reading which compacted parts hold all its rows, and of its upload no others; none where that is not clear."""
    columns = UPLOADS.c.upload_id, UPLOADS.c.measurements_part, UPLOADS.c.stored_in
    rows = connection.execute(select(*columns)).all()
    now = {row.measurements_part: row.stored_in for row in rows}
    stored = {row.upload_id: row.stored_in for row in rows}
    unclear = _with_several_former_readings(connection)

    def holders(name: str) -> list[str]:
        upload_id = name.partition("-")[0]
        if name in now:
            return [now[name]] if now[name] else []
        if upload_id in unclear:
            return []
        others = within.keys() - {stored.get(upload_id)}
        return [part for part in others if upload_id in within[part] and not part.startswith(LESSENED)]

    return holders


def _with_several_former_readings(connection: Connection) -> set[str]:
    """Uploads of which nobody knows which of their former readings a compacted part holds: more than one is possible."""
    again = EVENTS.c.action.in_(("replaced", "erased"))
    changes = select(EVENTS.c.upload_id).where(again).group_by(EVENTS.c.upload_id).having(func.count() > 1)
    return set(connection.execute(changes).scalars())


def uploads_within(connection: Connection) -> defaultdict[str, set[str]]:
    """Per compacted part the uploads that it holds rows of, those included whose rows do not count any more."""
    within: defaultdict[str, set[str]] = defaultdict(set)
    for part, upload_id in connection.execute(select(COMPACTED.c.part, COMPACTED.c.upload_id)):
        within[part].add(upload_id)
    return within


def note_within(connection: Connection, part: str, upload_ids: Collection[str]) -> None:
    """Note that a compacted part holds rows of these uploads too."""
    known = set(connection.execute(select(COMPACTED.c.upload_id).where(COMPACTED.c.part == part)).scalars())
    if new := sorted(set(upload_ids) - known):
        connection.execute(insert(COMPACTED), [{"part": part, "upload_id": one} for one in new])


def part_path(workspace: Workspace, name: str) -> Path:
    """Where a part of the manifest is. Raises `ArchiveDamaged` where it is missing."""
    path = workspace.parts / name
    if not path.exists():
        raise ArchiveDamaged(
            f"Thiếu tệp {path} mà sổ ghi có: hãy khôi phục từ bản sao lưu.",
            f"File {path} is in the manifest and not on disk: restore it from a backup.",
        )
    return path
