"""The manifest's database: transactions that are wholly there or not at all, also after a power cut.

A SQLite file in WAL mode with synchronous=FULL, or PostgreSQL where a URL names one. Readers see only the
parts that the manifest names, so torn or orphaned files cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Table,
    create_engine,
    event,
    exc,
    insert,
    inspect,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn

from coverage.archive.schema import ABOUT, ADDED_IN_2, METADATA, READABLE_VERSIONS, SCHEMA_VERSION
from coverage.errors import ArchiveDamaged, ArchiveUnavailable, InputError

# One writer at a time, as in SQLite; the number is arbitrary and ours alone.
_WRITERS_LOCK = 0x5048_5553_4F4E_47
_BUSY_S = 30
_HURRIED_MS = 100


def now_utc() -> datetime:
    """The time now, UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def prepare(url: str, workspace_id: str) -> None:
    """Lay out the manifest in that database where it is new; one of an earlier version gets what it lacks.

    Raises `InputError` where it is of another version of Phủ Sóng or belongs to another workspace: nothing changes then.
    """
    with reading(url) as connection:
        if _is_complete(connection):
            require_ours(connection, workspace_id)
            return  # whoever opens what is there waits for no writer, and no writer waits for it
    with transaction(url) as connection:
        known = set(inspect(connection).get_table_names())
        if "uploads" in known and "about" not in known:
            raise _another_version("0")
        said = _said(connection) if "about" in known else {}
        if said:
            _require_ours(said, workspace_id)
        METADATA.create_all(connection)
        for column in _lacking(connection):
            added = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {added}"))
        _say(connection, said or {"workspace": workspace_id, "revision": "0"})


def _is_complete(connection: Connection) -> bool:
    there = set(METADATA.tables) <= set(inspect(connection).get_table_names())
    return there and _said(connection).get("schema") == str(SCHEMA_VERSION) and not _lacking(connection)


def _lacking(connection: Connection) -> list[Column[Any]]:
    """The columns of today that the manifest has not got, for it is of an earlier version."""
    look = inspect(connection)
    there = {
        (table, one["name"])
        for table in {column.table.name for column in ADDED_IN_2}
        for one in look.get_columns(table)
    }
    return [column for column in ADDED_IN_2 if (column.table.name, column.name) not in there]


def every_row(connection: Connection, table: Table) -> Select[Any]:
    """What asks for all rows and columns of a table, also of a manifest of an earlier version, as it is."""
    lacking = {column for column in _lacking(connection) if column.table is table}
    return select(
        *(literal(0).label(column.name) if column in lacking else column for column in table.columns)
    )


def _said(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(ABOUT))}


def _say(connection: Connection, said: dict[str, str]) -> None:
    if "schema" not in said:
        rows = said | {"schema": str(SCHEMA_VERSION)}
        connection.execute(insert(ABOUT), [{"key": key, "value": value} for key, value in rows.items()])
    elif said["schema"] != str(SCHEMA_VERSION):
        say_version(connection)


def say_version(connection: Connection) -> None:
    """Note that the manifest has every table and column of today."""
    of_today = update(ABOUT).where(ABOUT.c.key == "schema").values(value=str(SCHEMA_VERSION))
    connection.execute(of_today)


def require_ours(connection: Connection, workspace_id: str) -> str:
    """The manifest's version. Raises `InputError` where we cannot read it, or where it belongs to another workspace."""
    said = _said(connection)
    _require_ours(said, workspace_id)
    return said["schema"]


def _require_ours(said: Mapping[str, str], workspace_id: str) -> None:
    if said["schema"] not in READABLE_VERSIONS:
        raise _another_version(said["schema"])
    if said["workspace"] != workspace_id:
        raise InputError(
            f"Sổ ghi này thuộc thư mục làm việc khác ({said['workspace']}), không phải {workspace_id}.",
            f"This manifest belongs to another workspace ({said['workspace']}), not to {workspace_id}.",
        )


def _another_version(found: str) -> InputError:
    return InputError(
        f"Sổ ghi do phiên bản khác của Phủ Sóng tạo (lược đồ {found}, cần {SCHEMA_VERSION}). "
        "Hãy tạo thư mục làm việc mới rồi nạp lại các tệp.",
        f"The manifest was made by another version of Phủ Sóng (schema {found}, needed {SCHEMA_VERSION}). "
        "Lay out a new workspace and ingest the files again.",
    )


# One engine per database and process: SQLAlchemy compiles a statement once per engine. Connections are not
# kept, so that a workspace can be moved or removed at any time, and a process may fork.
@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S}, poolclass=NullPool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # we begin transactions ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # Writers take the lock at the start: two then wait for each other instead of failing half-way.
    said = connection.get_execution_options()
    if said.get("hurries"):
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_HURRIED_MS}")
    connection.exec_driver_sql("BEGIN" if said.get("reads") else "BEGIN IMMEDIATE")


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """One transaction that may write: all of it or nothing. Writers come one after the other.

    Raises `ArchiveUnavailable` where the database cannot be reached or written, `ArchiveDamaged` where it is
    no database.
    """
    with _faults_told(), _engine(url).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITERS_LOCK})
        yield connection


@contextmanager
def noting(url: str) -> Iterator[Connection]:
    """One small write, to one row of its own, that may as well be left out: it does not wait for the other writers.

    Raises as `transaction`, `ArchiveUnavailable` also where somebody else is writing to SQLite.
    """
    engine = _engine(url).execution_options(hurries=True)
    with _faults_told(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """The manifest as it stands at one moment; waits for no writer. Raises as `transaction`."""
    engine = _engine(url)
    postgres = engine.dialect.name == "postgresql"
    options = (
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if postgres else {"reads": True}
    )
    with _faults_told(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError) as fault:
        raise ArchiveUnavailable(
            f"Không mở hoặc không ghi được sổ ghi ({fault.orig}). Chưa có gì thay đổi; hãy thử lại.",
            f"The manifest cannot be opened or written ({fault.orig}). Nothing was changed; try again.",
        ) from fault
    except (exc.DataError, UnicodeEncodeError) as fault:
        raise InputError(
            f"Có chữ không ghi được vào sổ ghi ({getattr(fault, 'orig', fault)}): hãy đổi tên tệp hoặc sửa lời ghi chú.",
            f"Some text cannot be kept in the manifest ({getattr(fault, 'orig', fault)}): rename the file or mend the remark.",
        ) from fault
    except exc.DatabaseError as fault:
        raise ArchiveDamaged(
            f"Sổ ghi bị hỏng ({fault.orig}): hãy khôi phục từ bản sao lưu.",
            f"The manifest is damaged ({fault.orig}): restore it from a backup.",
        ) from fault


def newest_first(
    connection: Connection,
    order: tuple[Column[Any], Column[Any]],
    limit: int,
    before: tuple[datetime, str] | None,
    only: ColumnElement[bool] | None = None,
) -> Sequence[RowMapping]:
    """At most so many rows of the table that the columns of `order` (a time and an id) are of, the newest first.

    `before`: time and id of the last row that was seen; only older ones then. `only`: which rows at all, None = all.
    """
    asked = select(order[0].table).order_by(*(column.desc() for column in order)).limit(limit)
    if only is not None:
        asked = asked.where(only)
    if before is not None:
        asked = asked.where(tuple_(*order) < before)
    return connection.execute(asked).mappings().all()


def raise_revision(connection: Connection) -> None:
    """Note that other uploads count now than before."""
    raised = {"value": str(revision(connection) + 1)}
    connection.execute(update(ABOUT).where(ABOUT.c.key == "revision").values(raised))


def revision(connection: Connection) -> int:
    """How often the set of uploads that count has changed."""
    return int(connection.execute(select(ABOUT.c.value).where(ABOUT.c.key == "revision")).scalar_one())
