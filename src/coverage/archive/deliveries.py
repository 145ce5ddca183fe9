"""Deliveries: one sending of one file, as the manifest knows it, and where its bytes are until they are read.

`receiving` takes the bytes in, `deciding` what becomes of them; receipts and previews look.
"""

from __future__ import annotations

import shutil
import unicodedata
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, update

from coverage.archive import receipts
from coverage.archive.manifest import newest_first, reading
from coverage.archive.schema import DELIVERIES
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, InputError, NotFound
from coverage.logs.context import Context, from_json

_LONGEST_NAME = 200  # bytes; file systems take 255
_LONGEST_SUFFIX = 12  # signs, the point included
_UNSAFE = frozenset('/\\:*?"<>|')


@dataclass(frozen=True)
class Delivery:
    """One sending as the manifest has it; the meaning of each column stands in `schema`.

    context: what its sender says of the file. Times are UTC without zone.
    """

    delivery_id: str
    file: str
    state: str
    length: int | None
    sha256: str | None
    told_sha256: str | None
    context: Context
    by: str | None
    held: bool
    idempotency_key: str | None
    same_as: str | None
    result: dict[str, Any] | None
    created_utc: datetime
    received_utc: datetime | None
    expires_utc: datetime

    @property
    def receipt(self) -> str | None:
        """The code that a crew may photograph or text: of the file's bytes, so that sending again gives it again."""
        return None if self.sha256 is None else receipts.code_of(self.sha256)


def show(workspace: Workspace, delivery_id: str) -> Delivery:
    """One delivery. Raises `NotFound`."""
    with reading(workspace.manifest) as connection:
        return within(connection, delivery_id)


def find(workspace: Workspace, delivery_id: str) -> Delivery | None:
    """One delivery, None where there is none."""
    return next(iter(_select(workspace, DELIVERIES.c.delivery_id == delivery_id)), None)


def by_key(workspace: Workspace, idempotency_key: str) -> Delivery | None:
    """The delivery that was begun with that Idempotency-Key, None where there is none."""
    return next(iter(_select(workspace, DELIVERIES.c.idempotency_key == idempotency_key)), None)


def list_deliveries(workspace: Workspace) -> list[Delivery]:
    """Every delivery, oldest first."""
    return _select(workspace)


def newest(
    workspace: Workspace, limit: int, before: tuple[datetime, str] | None = None, by: str | None = None
) -> list[Delivery]:
    """At most so many deliveries, newest first, older than `before` (created_utc and id of the last one seen).

    by: only what that team sent; None = all.
    """
    order = DELIVERIES.c.created_utc, DELIVERIES.c.delivery_id
    only = None if by is None else DELIVERIES.c.by == by
    with reading(workspace.manifest) as connection:
        return [from_row(row) for row in newest_first(connection, order, limit, before, only)]


def by_receipt(workspace: Workspace, code: str) -> list[Delivery]:
    """The deliveries of a receipt code as somebody copied it, oldest first: letter case, dashes and PS- do not matter.

    O is read as 0, I and L as 1. Empty where the code is none of ours.
    """
    written = receipts.normal(code)
    if written is None:
        return []
    found = _select(workspace, DELIVERIES.c.sha256.startswith(receipts.begins(written)))
    return [one for one in found if one.receipt == written]


def receiving(workspace: Workspace) -> list[Delivery]:
    """The sendings that are not whole yet, oldest first."""
    return _select(workspace, DELIVERIES.c.state == "receiving")


def expired(workspace: Workspace, now: datetime) -> list[Delivery]:
    """Sendings whose bytes nobody has claimed in time: unfinished, refused.

    Not the failed ones: their sender was told that we have the file, and that it was not read is our fault.
    """
    return _select(workspace, is_expired(now))


def is_expired(now: datetime) -> ColumnElement[bool]:
    """What holds of the rows of such sendings."""
    ended = DELIVERIES.c.state.in_(("receiving", "refused"))
    return and_(DELIVERIES.c.expires_utc < now, ended)


def with_own_bytes(connection: Connection, *states: str) -> list[Delivery]:
    """The deliveries in those states whose bytes no earlier delivery stands for, oldest first."""
    own = select(DELIVERIES).where(DELIVERIES.c.state.in_(states), DELIVERIES.c.same_as.is_(None))
    return [from_row(row) for row in connection.execute(own.order_by(DELIVERIES.c.created_utc)).mappings()]


def safe_name(file: str) -> str:
    """A file name that is safe in a folder of ours and says what the client's says: operator, phone and date may stand in it.

    Composed letters; what paths and Windows cannot have becomes "_"; of a long name the end goes, not the suffix.
    Raises `InputError` where nothing is left of it.
    """
    name = unicodedata.normalize("NFC", Path(file.replace("\\", "/")).name)
    name = "".join(sign if sign.isprintable() and sign not in _UNSAFE else "_" for sign in name).strip(" .")
    if not name or not name.strip("_"):
        raise InputError("Tệp tải lên không có tên.", "The uploaded file has no name.")
    stem, dot, suffix = (
        name.rpartition(".") if len(name) - name.rfind(".") <= _LONGEST_SUFFIX else (name, "", "")
    )
    room = _LONGEST_NAME - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix


def part(workspace: Workspace, delivery_id: str) -> Path:
    """The file that the bytes of a sending are appended to."""
    return workspace.incoming / delivery_id / "part"


def received_file(workspace: Workspace, delivery: Delivery) -> Path:
    """Where the bytes of a whole delivery are, until it is read in."""
    return workspace.incoming / delivery.delivery_id / safe_name(delivery.file)


def forget_bytes(workspace: Workspace, delivery_id: str) -> None:
    """Remove what is kept of a sending's bytes; what was read of them is in the archive."""
    shutil.rmtree(workspace.incoming / delivery_id, ignore_errors=True)


def _select(workspace: Workspace, *which: ColumnElement[bool]) -> list[Delivery]:
    with reading(workspace.manifest) as connection:
        rows = connection.execute(
            select(DELIVERIES).where(*which).order_by(DELIVERIES.c.created_utc)
        ).mappings()
        return [from_row(row) for row in rows]


def within(connection: Connection, delivery_id: str) -> Delivery:
    """One delivery as the caller's transaction sees it. Raises `NotFound`."""
    one = select(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id)
    row = connection.execute(one).mappings().first()
    if row is None:
        raise NotFound(f"Không có lần gửi {delivery_id}.", f"There is no delivery {delivery_id}.")
    return from_row(row)


def from_row(row: RowMapping) -> Delivery:
    """The delivery of a row of the manifest."""
    values = {one.name: row[one.name] for one in fields(Delivery)}
    return Delivery(**values | {"context": from_json(row["context"])})


def change(connection: Connection, delivery_id: str, **values: Any) -> None:  # noqa: ANN401 - columns of the table
    """Set columns of a delivery's row."""
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id).values(**values))


def ended(delivery: Delivery) -> Conflict:
    """The error that what is asked cannot be done in the state that the delivery is in."""
    return Conflict(
        f"Lần gửi {delivery.delivery_id} đang ở trạng thái {delivery.state}, không làm được việc này.",
        f"Delivery {delivery.delivery_id} is {delivery.state}; that cannot be done now.",
    )
