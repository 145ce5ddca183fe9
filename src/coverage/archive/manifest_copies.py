"""A manifest copied from one database into another, SQLite or PostgreSQL, as it stood at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Integer, Table, func, insert, inspect, select, text, update

from coverage.archive import deliveries, named
from coverage.archive.deliveries import Delivery
from coverage.archive.manifest import every_row, reading, require_ours, revision, say_version, transaction
from coverage.archive.schema import JOBS, METADATA, SNAPSHOTS, UPLOADS, tables_at
from coverage.errors import InputError

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Named:
    """What the copied manifest names: its files, and how many uploads at which revision.

    whole: deliveries whose bytes belong to it; coming: those that are still being sent.
    """

    revision: int
    uploads: int
    parts: list[str]
    whole: list[Delivery]
    coming: list[Delivery]
    snapshots: list[str]


def copy_manifest(source: str, target: str, workspace_id: str, *, with_snapshots: bool) -> Named:
    """What the copy names, after every table was copied into an empty database in one transaction (SQLAlchemy URLs).

    Jobs that were running are queued again, for nobody is at them there. Without snapshots none is said to be
    published. The copy of a manifest of an earlier version is one of today. Raises `InputError` where the source is of
    a version that we cannot read or of another workspace, or the target is not empty.
    """
    without = set() if with_snapshots else {SNAPSHOTS.name}
    with reading(source) as there, transaction(target) as here:
        names = tables_at(require_ours(there, workspace_id)) - without
        _require_empty(here)
        METADATA.create_all(here)
        for table in METADATA.sorted_tables:
            if table.name in names:
                _copy(there, here, table)
                _go_on_counting(here, table)
        say_version(here)
        _put_back(here)
        return _named(here)


def named_in(url: str, workspace_id: str) -> Named:
    """What the manifest in that database names. Raises `InputError` where it is of another version or workspace."""
    with reading(url) as connection:
        require_ours(connection, workspace_id)
        return _named(connection)


def require_empty(url: str) -> None:
    """Raise `InputError` where the database holds tables of ours."""
    with reading(url) as connection:
        _require_empty(connection)


def _require_empty(connection: Connection) -> None:
    if found := set(inspect(connection).get_table_names()) & set(METADATA.tables):
        raise InputError(
            f"Cơ sở dữ liệu đích đã có bảng {', '.join(sorted(found))}: hãy dùng cơ sở dữ liệu trống.",
            f"The target database holds the tables {', '.join(sorted(found))}: give an empty one.",
        )


def _copy(source: Connection, target: Connection, table: Table) -> None:
    for rows in source.execute(every_row(source, table)).mappings().partitions(_ROWS_AT_ONCE):
        target.execute(insert(table), [dict(row) for row in rows])


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let the next integer key be one more than the highest: PostgreSQL counts apart from the table, SQLite does not."""
    (key, *others) = table.primary_key.columns
    if connection.dialect.name != "postgresql" or others or not isinstance(key.type, Integer):
        return
    highest = connection.execute(select(func.max(key))).scalar()
    if highest is not None:
        sequence = {"table": table.name, "key": key.name, "highest": highest}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :key), :highest)"), sequence)


def _put_back(connection: Connection) -> None:
    free = {"state": "queued", "worker": None, "lease_until_utc": None, "attempts": JOBS.c.attempts - 1}
    connection.execute(update(JOBS).where(JOBS.c.state == "running").values(free))


def _named(connection: Connection) -> Named:
    return Named(
        revision=revision(connection),
        uploads=connection.execute(select(func.count()).select_from(UPLOADS)).scalar_one(),
        parts=sorted(named.parts(connection)),
        whole=deliveries.with_own_bytes(connection, *named.KEPT),
        coming=deliveries.with_own_bytes(connection, "receiving"),
        snapshots=named.snapshots(connection),
    )
