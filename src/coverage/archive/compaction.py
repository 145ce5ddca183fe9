"""Compaction: the measurements of many uploads in a few larger parts, sorted by hex, so that reading them stays fast.

Which uploads count, what was read of them and every snapshot's id stay the same: only where the rows are changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, RowMapping, select, update

from coverage import engine
from coverage.archive.committed import note_within, part_path, uploads_within
from coverage.archive.disk import require_room
from coverage.archive.durable import parquet_part, scratch_folder, unneeded_from_now
from coverage.archive.manifest import reading, transaction
from coverage.archive.rewriting import require_sound, writing_anew
from coverage.archive.schema import UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged
from coverage.parts import Part
from coverage.progress import Tell, silent
from coverage.tables import MEASUREMENTS, schema

TARGET_BYTES = 128_000_000  # five to fifteen million measurements: one process sorts them in a minute or two
_SORTED_BY = ("hex_res8", "upload_id", "line")
_MEMORY_MB = 512
_SORTED_ROW_BYTES = 300  # what a row takes while it is sorted in files: its columns are no longer compressed
# A part that was compacted before is written again only together with so much that is new: 1 / 4 of its bytes.
_REWRITTEN_BY = 4


@dataclass(frozen=True)
class Compacted:
    """What compaction did: parts and bytes before and after, and the uploads and rows that were moved."""

    parts_before: int = 0
    parts_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    uploads: int = 0
    rows: int = 0


@dataclass(frozen=True)
class _Slice:
    """Uploads whose rows one part holds, and that go on together.

    readings: upload id → the name of its reading. without: the part's other uploads. idle: most rows of the part do
    not count any more. size_bytes: the slice's share of the part.
    """

    part: str
    readings: Mapping[str, str]
    without: tuple[str, ...]
    rows: int
    size_bytes: int
    compacted: bool
    idle: bool


def compact(workspace: Workspace, tell: Tell = silent, target_bytes: int = TARGET_BYTES) -> Compacted:
    """What was done: small parts merged into parts of about `target_bytes`, and parts that mostly no longer count rewritten.

    A part of half that size or more whose rows count is left alone; so are the parts of withdrawn uploads. Whoever
    adds, withdraws or restores meanwhile is not held up, and nothing of it is lost. Former parts stay for a day
    (see `tidying`). Raises `ArchiveDamaged` where a part is not what its name says, and `DiskFull`; what was merged
    before that is kept. Raises `Conflict` while somebody erases.
    """
    done = Compacted()
    with writing_anew(workspace):
        with reading(workspace.manifest) as connection:
            groups = _groups(workspace, connection, target_bytes)
        for at, group in enumerate(groups):
            tell(f"{len(group)} phần / parts", at / len(groups))
            done = _sum(done, _merge(workspace, group))
    return done


def _sum(one: Compacted, other: Compacted) -> Compacted:
    return Compacted(**{name: value + getattr(other, name) for name, value in vars(one).items()})


def _groups(workspace: Workspace, connection: Connection, target_bytes: int) -> list[list[_Slice]]:
    """What is merged with what: rows that count, and apart from them rows of withdrawn uploads that must move along."""
    counting, withdrawn = _slices(workspace, connection)
    small = [one for one in counting if one.idle or one.size_bytes < target_bytes / 2]
    groups = [group for group in map(_worth_it, _filled(small, target_bytes)) if group]
    rewritten = {one.part for group in groups for one in group}
    aside = [one for one in withdrawn if one.part in rewritten]
    return groups + ([aside] if aside else [])


def _slices(workspace: Workspace, connection: Connection) -> tuple[list[_Slice], list[_Slice]]:
    """Of each part that any upload counts on, the slice that counts and, of a compacted one, the withdrawn slice."""
    stored: dict[str, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(select(UPLOADS).where(UPLOADS.c.accepted > UPLOADS.c.erased)).mappings():
        stored[row["stored_in"] or row["measurements_part"]].append(row)
    within = uploads_within(connection)
    counting, withdrawn = [], []
    for part, rows in sorted(stored.items()):
        path = part_path(workspace, part)
        committed = [row for row in rows if row["state"] == "committed"]
        others = [row for row in rows if row["state"] != "committed"]
        if committed:
            counting.append(_slice(path, committed, within[part]))
        if committed and others:
            withdrawn.append(_slice(path, others, within[part]))
    return counting, withdrawn


def _slice(path: Path, rows: Sequence[RowMapping], within: set[str]) -> _Slice:
    counted = sum(row["accepted"] - row["erased"] for row in rows)
    total = pq.read_metadata(path).num_rows if within else counted
    readings = {row["upload_id"]: row["measurements_part"] for row in rows}
    return _Slice(
        part=path.name,
        readings=readings,
        without=tuple(sorted(within - set(readings))),
        rows=counted,
        size_bytes=path.stat().st_size * counted // max(total, 1),
        compacted=bool(within),
        idle=counted < total / 2,
    )


def _filled(slices: Iterable[_Slice], target_bytes: int) -> list[list[_Slice]]:
    groups: list[list[_Slice]] = [[]]
    for one in sorted(slices, key=lambda one: (one.size_bytes, one.part)):
        if _bytes(groups[-1]) >= target_bytes:
            groups.append([])
        groups[-1].append(one)
    return groups


def _worth_it(group: list[_Slice]) -> list[_Slice]:
    """The group without the large compacted parts that too little new would join; none where nothing would be gained."""
    while group and group[-1].compacted and not group[-1].idle:
        if group[-1].size_bytes <= _REWRITTEN_BY * _bytes(group[:-1]):
            break
        group = group[:-1]
    return group if len(group) > 1 or any(one.idle for one in group) else []


def _bytes(group: Iterable[_Slice]) -> int:
    return sum(one.size_bytes for one in group)


def _merge(workspace: Workspace, group: Sequence[_Slice]) -> Compacted:
    sorting = _SORTED_ROW_BYTES * sum(one.rows for one in group)
    require_room(workspace.parts, _bytes(group) + sorting)
    for one in group:
        require_sound(part_path(workspace, one.part))
    name, rows = _write(workspace, group)
    if rows != sum(one.rows for one in group):
        raise ArchiveDamaged(
            f"Các phần {', '.join(one.part for one in group)} có {rows} dòng, khác với sổ ghi: chạy phusong verify.",
            f"The parts {', '.join(one.part for one in group)} hold {rows} rows, other than the manifest says: run phusong verify.",
        )
    moved = _swap(workspace, group, name)
    return Compacted(
        parts_before=len(group),
        parts_after=1,
        bytes_before=_bytes(group),
        bytes_after=(workspace.parts / name).stat().st_size,
        uploads=moved,
        rows=rows,
    )


def _write(workspace: Workspace, group: Sequence[_Slice]) -> tuple[str, int]:
    contract, rows = schema(MEASUREMENTS), 0
    parts = [Part(workspace.parts / one.part, one.without) for one in group]
    with (
        scratch_folder(workspace.parts, "sorting") as scratch,
        parquet_part(workspace.parts, "compacted", contract) as part,
    ):
        for batch in engine.sorted_batches(parts, _SORTED_BY, scratch, _MEMORY_MB):
            part.write(pa.Table.from_batches([batch]).cast(contract))
            rows += batch.num_rows
    return part.name, rows


def _swap(workspace: Workspace, group: Sequence[_Slice], name: str) -> int:
    """How many uploads are stored in the new part now: those that nobody read anew or moved in the meantime."""
    with transaction(workspace.manifest) as connection:
        path = part_path(workspace, name)
        unneeded_from_now(*(workspace.parts / one.part for one in group if one.part != path.name))
        note_within(connection, name, {upload_id for one in group for upload_id in one.readings})
        return sum(_move(connection, one, name) for one in group)


def _move(connection: Connection, one: _Slice, name: str) -> int:
    there = UPLOADS.c.stored_in == one.part if one.compacted else UPLOADS.c.stored_in.is_(None)
    moved = 0
    for upload_id, part in one.readings.items():
        same = UPLOADS.c.upload_id == upload_id, UPLOADS.c.measurements_part == part, there
        moved += connection.execute(update(UPLOADS).where(*same).values(stored_in=name)).rowcount
    return moved
