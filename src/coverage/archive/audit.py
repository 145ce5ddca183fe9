"""The audit log: who did what and when, each row chained to the one before by its hash.

Nothing here changes or removes a row. Who edits the database breaks the chain at that row, unless everything after it
is written anew; and the last rows can be cut off unseen. Against both, note the head (`verify`) elsewhere now and then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, CursorResult, Row, Select, insert, select

from coverage.archive.durable import replace_durably
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import AUDIT
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import ArchiveDamaged, ContractBroken, InputError

Said = str | int | None
Fault = Literal["changed", "missing", "inserted", "other_head"]
BEFORE_THE_FIRST = "0" * 64
# All that may be said of an act. No coordinates, content of files, names of files (phones write their number into them)
# or devices: this log is shown to other people than the measurements are, and nothing can be taken out of it again.
SAYABLE = frozenset(
    {
        "account",
        "before",
        "code",
        "delivery_id",
        "expires_utc",
        "format",
        "issuer",
        "key_id",
        "layer",
        "list",
        "method",
        "operator",
        "role",
        "route",
        "rows",
        "snapshot_id",
        "status",
        "team",
        "upload_id",
        "uploads",
    }
)
_LONGEST = 200
_ROWS_AT_ONCE = 1000
_HEAD = re.compile(r"([0-9]{1,9}):([0-9a-f]{64})")


@dataclass(frozen=True)
class By:
    """Who does something, and from where: name, role and key as `Caller` has them; the address and id of the request."""

    name: str
    role: str | None = None
    key_id: str | None = None
    address: str | None = None
    request_id: str | None = None

    @classmethod
    def caller(cls, caller: Caller, address: str | None = None, request_id: str | None = None) -> By:
        """A caller of the service."""
        return cls(caller.name, caller.role, caller.key_id, address, request_id)


COMMAND_LINE = By("command line")


@dataclass(frozen=True)
class Entry:
    """A row of the log; the meaning of each column stands in `schema`. at_utc: as it was hashed, 2026-10-31T08:00:00.000000Z."""

    number: int
    at_utc: str
    caller: str
    role: str | None
    key_id: str | None
    action: str
    about: dict[str, Said]
    address: str | None
    request_id: str | None
    previous: str
    sha256: str


@dataclass(frozen=True)
class Chain:
    """What a verification found. number, sha256: the last row that was sound; where all are that is the head.

    broken: the number of the first row at fault. fault: it was changed, it is missing, it was put in; or all is sound,
    and it is not the head that was noted: then everything from some row up to it was written anew.
    """

    number: int
    sha256: str
    broken: int | None = None
    fault: Fault | None = None

    @property
    def head(self) -> str:
        """Number and hash of the last sound row, as `verify` takes them."""
        return f"{self.number}:{self.sha256}"


def record(where: Workspace | Connection, by: By, action: str, about: Mapping[str, Said]) -> int:
    """The number of the new row; within the caller's transaction, so that it stands with what it tells of or not at all.

    Raises `ContractBroken` where `about` says what may not be said here (`SAYABLE`).
    """
    if isinstance(where, Workspace):
        with transaction(where.manifest) as connection:
            return record(connection, by, action, about)
    last = where.execute(_newest(1)).first()
    row: dict[str, Any] = {
        "number": 1 if last is None else last.number + 1,
        "at_utc": _written(now_utc()),
        "caller": _plain(by.name),
        "action": action,
        "about": _about(about),
        **{name: _plain(getattr(by, name)) for name in ("role", "key_id", "address", "request_id")},
    }
    previous = BEFORE_THE_FIRST if last is None else last.sha256
    where.execute(insert(AUDIT).values(**row, previous=previous, sha256=_sha256(previous, row)))
    return int(row["number"])


def _written(at: datetime) -> str:
    return f"{at.isoformat(timespec='microseconds')}Z"


def _plain(text: str | None) -> str | None:
    # A client chooses some of it, and must not be able to keep its act out of the log by letters that no database takes.
    return text and "".join(sign if sign.isprintable() else "?" for sign in text[:_LONGEST])


def _about(about: Mapping[str, Said]) -> str:
    wrong = sorted(name for name, value in about.items() if name not in SAYABLE or not _sayable(value))
    if wrong:
        raise ContractBroken(
            f"Nhật ký kiểm toán không được ghi {', '.join(wrong)}.",
            f"The audit log must not say {', '.join(wrong)}.",
        )
    plain = {name: _plain(value) if isinstance(value, str) else value for name, value in about.items()}
    return canonical(plain).decode()


def _sayable(value: object) -> bool:
    # No fractions, which coordinates are; no number that another reader of JSON would round.
    return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one JSON of a value: keys sorted, no spaces, UTF-8."""
    return orjson.dumps(value, default=repr, option=orjson.OPT_SORT_KEYS)


def _sha256(previous: str, row: Mapping[str, Any]) -> str:
    """The digest of the hash before and the row's JSON; `about` stands in it letter for letter as it is kept."""
    hashed = {name: value for name, value in row.items() if name not in {"previous", "sha256"}}
    whole = canonical({**hashed, "about": orjson.Fragment(row["about"])})
    return hashlib.sha256(str(previous).encode() + whole).hexdigest()


def _newest(limit: int) -> Select[Any]:
    return select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit)


def entries(
    workspace: Workspace, since: int | datetime | None = None, limit: int | None = 100
) -> list[Entry]:
    """At most so many rows in their order: from that number or moment (UTC) on; without `since` the newest ones."""
    if since is None and limit is not None:
        asked = _newest(limit)
    else:
        asked = select(AUDIT).where(_from(since)).order_by(AUDIT.c.number).limit(limit)
    with reading(workspace.manifest) as connection:
        found = [_entry(row) for row in connection.execute(asked)]
    return sorted(found, key=lambda one: one.number)


def _from(since: int | datetime | None) -> Any:  # noqa: ANN401 - a column's condition
    if isinstance(since, datetime):
        return AUDIT.c.at_utc >= _written(since)
    return AUDIT.c.number >= (since or 0)


def _entry(row: Row[Any]) -> Entry:
    try:
        return Entry(**_plain_row(row) | {"about": orjson.loads(row.about)})
    except ValueError as fault:
        raise ArchiveDamaged(
            f"Dòng {row.number} của nhật ký kiểm toán đã bị sửa: phusong audit verify",
            f"Row {row.number} of the audit log was changed: phusong audit verify",
        ) from fault


def verify(workspace: Workspace, head: str | None = None) -> Chain:
    """What the log is: whole, or broken at which row.

    head: NUMBER:HASH as an earlier verification printed it; that row must still be in the chain. Raises `InputError`
    where it is no such text.
    """
    noted = None if head is None else _noted(head)
    with reading(workspace.manifest) as connection:
        return check(connection, noted)


def _noted(head: str) -> tuple[int, str]:
    match = _HEAD.fullmatch(head.strip())
    if match is None:
        raise InputError(
            f"“{head}” không phải đầu chuỗi dạng SỐ:MÃ (64 chữ số thập lục phân).",
            f"“{head}” is no head like NUMBER:HASH (64 hexadecimal digits).",
        )
    return int(match[1]), match[2]


def check(connection: Connection, noted: tuple[int, str] | None = None) -> Chain:
    """The same within the caller's reading; `noted`: number and hash of an earlier head."""
    number, before, kept = 0, BEFORE_THE_FIRST, noted in {None, (0, BEFORE_THE_FIRST)}
    with _in_order(connection) as rows:
        for row in rows:
            fault = _fault(connection, row, number + 1, before)
            if fault is not None:
                return Chain(number, before, *fault)
            number, before = row.number, row.sha256
            kept = kept or (number, before) == noted
    if kept or noted is None:
        return Chain(number, before)
    gone = noted[0] > number
    return Chain(number, before, number + 1 if gone else noted[0], "missing" if gone else "other_head")


def _in_order(connection: Connection) -> CursorResult[Any]:
    return connection.execute(
        select(AUDIT).order_by(AUDIT.c.number), execution_options={"yield_per": _ROWS_AT_ONCE}
    )


def _fault(connection: Connection, row: Row[Any], expected: int, before: str) -> tuple[int, Fault] | None:
    if row.number != expected:
        return (expected, "missing") if row.number > expected else (row.number, "inserted")
    as_written, follows = row.sha256 == _sha256(row.previous, _plain_row(row)), row.previous == before
    if as_written:
        # Where it does not follow from what stands before it, that is not what stood there.
        return None if follows else (max(1, expected - 1), "changed")
    first = None if follows else _first_put_in(connection, row)
    return (expected, "changed") if first is None else (first, "inserted")


def _first_put_in(connection: Connection, row: Row[Any]) -> int | None:
    """The number that a row had before it was moved on to make room; None where it was not."""
    seen = AUDIT.c.number < row.number
    same = select(AUDIT.c.number).where(AUDIT.c.sha256 == row.sha256, seen)
    came_after = select(AUDIT.c.number).where(AUDIT.c.sha256 == row.previous, seen)
    after = connection.execute(came_after).scalar()
    if after is None or connection.execute(same).first() is not None:  # a copy of a row that is in its place
        return None
    moved = _plain_row(row) | {"number": after + 1}
    return after + 1 if row.sha256 == _sha256(row.previous, moved) else None


def _plain_row(row: Row[Any]) -> dict[str, Any]:
    # SQLAlchemy's names are a kind of str that JSON writers refuse as keys.
    return {str(name): value for name, value in row._mapping.items()}


def export(workspace: Workspace, output: Path) -> int:
    """How many rows were written, one JSON a line, with all that is needed to check the chain without us."""
    written: list[int] = []
    replace_durably(output, lambda draft: written.append(_write(workspace, draft)))
    return written[-1]


def _write(workspace: Workspace, draft: Path) -> int:
    count = 0
    with draft.open("wb") as stream, reading(workspace.manifest) as connection, _in_order(connection) as rows:
        for row in rows:
            stream.write(canonical({**_plain_row(row), "about": orjson.Fragment(row.about)}) + b"\n")
            count += 1
    return count
