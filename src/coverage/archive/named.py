"""Which files the manifest names: what must be there, what a backup holds, and what may never be tidied away."""

from __future__ import annotations

from sqlalchemy import Connection, select

from coverage.archive.schema import SNAPSHOTS, UPLOADS

# A delivery in one of these states keeps its bytes, unless an earlier one stands for it.
KEPT = ("received", "refused", "failed")


def parts(connection: Connection) -> set[str]:
    """The names of the parts that hold the rows of an upload, withdrawn ones included."""
    names = UPLOADS.c.stored_in, UPLOADS.c.measurements_part, UPLOADS.c.outcomes_part
    rows = connection.execute(select(*names)).all()
    return {row.stored_in or row.measurements_part for row in rows} | {row.outcomes_part for row in rows}


def snapshots(connection: Connection) -> list[str]:
    """The ids of the snapshots that were published, each once."""
    return sorted(connection.execute(select(SNAPSHOTS.c.snapshot_id).distinct()).scalars())
