"""The manifest: which uploads are committed, what happened to them, which snapshot is the latest.

SQLite in WAL mode with synchronous=FULL: an acknowledged transaction survives a power cut. Readers
see only the parts that the manifest names, so torn or orphaned files cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.pool import NullPool

METADATA = MetaData()

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("upload_id", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("file", String, nullable=False),
    Column("format", String, nullable=False),
    Column("context", JSON, nullable=False),
    Column("operator", String),
    Column("simulated", Boolean, nullable=False),
    Column("state", String, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "rows",
            "accepted",
            "duplicates",
            "rejected",
            "quarantined",
            "no_service",
            "unknown_level",
            "fixed",
        )
    ),
    Column("fixes", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("read_with", JSON, nullable=False),
    Column("dropped", JSON, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("measurements_part", String, nullable=False),
    Column("outcomes_part", String, nullable=False),
    Column("received_utc", DateTime, nullable=False),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("event_id", Integer, primary_key=True),
    Column("upload_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("reason", String),
    Column("at_utc", DateTime, nullable=False),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("snapshot_id", String, nullable=False),
    Column("as_of", String, nullable=False),
    Column("criteria", String, nullable=False),
    Column("created_utc", DateTime, nullable=False),
)


def now_utc() -> datetime:
    """The time now, UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def prepare(path: Path) -> None:
    """Lay out the manifest in that SQLite file, where it is new."""
    METADATA.create_all(_engine(path))


# One engine per file and process: SQLAlchemy compiles a statement once per engine. Connections are not
# kept, so that a workspace can be moved or removed at any time.
@lru_cache(maxsize=8)
def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, poolclass=NullPool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _configure(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # we begin transactions ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Take the write lock at the start: two writers then wait for each other instead of failing half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def transaction(path: Path) -> Iterator[Connection]:
    """One transaction on the manifest: all of it or nothing."""
    with _engine(path).begin() as connection:
        yield connection
