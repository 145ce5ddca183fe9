"""What the manifest says once rows were erased: where the others are, how many went and why, and no device's hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from coverage.archive import audit, deliveries, rewriting
from coverage.archive.committed import note_within, uploads_within
from coverage.archive.durable import NAME_DIGITS
from coverage.archive.manifest import reading
from coverage.archive.schema import DELIVERIES, UPLOADS
from coverage.archive.uploads import note_change
from coverage.archive.workspace import Workspace
from coverage.logs.context import device_hash
from coverage.tables import UNKNOWN_DEVICE


@dataclass(frozen=True)
class Told:
    """Why rows are erased, and who does it."""

    reason: str
    by: audit.By


def swap(
    workspace: Workspace,
    connection: Connection,
    anew: Mapping[str, str],
    found: Mapping[str, Counter[str]],
    told: Told,
) -> tuple[int, int]:
    """Let every upload be stored in the part that takes the place of its own; how many uploads lost rows, and how many.

    anew: part → the new one; found: part → upload id → the rows that are not in the new one.
    """
    lost: dict[str, int] = {}
    empty = cache(lambda: rewriting.without_any_row(workspace.parts))
    for row in connection.execute(select(UPLOADS)).mappings().all():
        part, upload_id = row["stored_in"] or row["measurements_part"], row["upload_id"]
        if part not in anew:
            continue
        rows = found[part][upload_id]
        values = _moved(row, empty() if _was_all(row, rows) else anew[part], rows)
        connection.execute(update(UPLOADS).where(UPLOADS.c.upload_id == upload_id).values(**values))
        if rows:
            lost[upload_id] = rows
            reason = f"{rows} dòng / rows: {told.reason}"
            note_change(connection, upload_id, "erased", reason, told.by.name)
    _note_within(connection, anew)
    _forget_samples(connection, lost)
    return len(lost), sum(lost.values())


def _was_all(row: RowMapping, rows: int) -> bool:
    """Whether an upload among others keeps no row: compaction, which moves rows, would leave it and its part for ever."""
    return bool(row["stored_in"] and rows and row["erased"] + rows == row["accepted"])


def _moved(row: RowMapping, part: str, rows: int) -> dict[str, Any]:
    """The columns of an upload that change when its rows, `rows` fewer, are in that part."""
    if row["stored_in"] is None:
        moved = {"measurements_part": part}
    else:
        moved = {"stored_in": part} | ({"measurements_part": _reading(row, part)} if rows else {})
    if not rows:
        return moved
    return moved | {"erased": row["erased"] + rows, "fixes": _without_samples(row["fixes"])}


def _note_within(connection: Connection, anew: Mapping[str, str]) -> None:
    held = uploads_within(connection)
    within = {part: held[former] for former, part in anew.items()}
    stored = UPLOADS.c.stored_in.startswith(f"{rewriting.LESSENED}-")
    for row in connection.execute(select(UPLOADS.c.upload_id, UPLOADS.c.stored_in).where(stored)).all():
        within[row.stored_in] = within.get(row.stored_in, set()) | {row.upload_id}
    for part, upload_ids in within.items():
        note_within(connection, part, upload_ids)


def _reading(row: RowMapping, part: str) -> str:
    """A new name for a reading whose rows lie in a compacted part: assessments know it is not the former one."""
    digest = hashlib.sha256(f"{row['measurements_part']} {part}".encode()).hexdigest()
    return f"{row['upload_id']}-measurements-{digest[:NAME_DIGITS]}.parquet"


def _without_samples(fixes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How a file was written, without the text of a row that shows it: the row may be one that went."""
    return [one | {"value": None} for one in fixes]


def _forget_samples(connection: Connection, upload_ids: Collection[str]) -> None:
    """The same in the receipts that deliveries hold."""
    for row in connection.execute(select(DELIVERIES).where(DELIVERIES.c.state == "done")).mappings().all():
        files = (row["result"] or {}).get("files", [])
        if any(one["upload_id"] in upload_ids for one in files):
            kept = [
                one | {"fixes": _without_samples(one["fixes"])} if one["upload_id"] in upload_ids else one
                for one in files
            ]
            deliveries.change(connection, row["delivery_id"], result=row["result"] | {"files": kept})


def forget_devices(workspace: Workspace, connection: Connection, hashes: Collection[str]) -> None:
    """Take the devices' hashes, and their names, out of what was said of files that were read or given up."""
    for row in connection.execute(select(UPLOADS.c.upload_id, UPLOADS.c.context)).all():
        if row.context["device"] in hashes:
            context = row.context | {"device": UNKNOWN_DEVICE}
            connection.execute(
                update(UPLOADS).where(UPLOADS.c.upload_id == row.upload_id).values(context=context)
            )
    columns, ended = (DELIVERIES.c.delivery_id, DELIVERIES.c.context), ("done", "cancelled")
    for row in connection.execute(select(*columns).where(DELIVERIES.c.state.in_(ended))).all():
        said = row.context["device"]
        if said and not {said, device_hash(workspace.device_key, said)}.isdisjoint(hashes):
            deliveries.change(connection, row.delivery_id, context=row.context | {"device": None})


def forget_read_files(workspace: Workspace) -> None:
    """Remove the files of deliveries that were kept after they were read, where rows of them were erased at any time."""
    with reading(workspace.manifest) as connection:
        erased = set(connection.execute(select(UPLOADS.c.upload_id).where(UPLOADS.c.erased > 0)).scalars())
        done = deliveries.with_own_bytes(connection, "done")
    for one in done:
        if any(file["upload_id"] in erased for file in (one.result or {}).get("files", [])):
            deliveries.forget_bytes(workspace, one.delivery_id)
