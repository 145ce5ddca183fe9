"""Deliveries: one sending of one file, from its first byte to what became of it.

Bytes go to `incoming/DELIVERY/part`, whose length is the offset at which a cut sending goes on. Once all are
there and flushed, the file gets its name and one transaction says "received" and queues the job that reads it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, select, tuple_, update

from coverage.archive import jobs, receipts
from coverage.archive.disk import require_room
from coverage.archive.durable import fsync
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import DELIVERIES, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, InputError, NotFound
from coverage.logs.context import Context, device_hash, from_json, to_json

KEPT = timedelta(days=7)  # an unfinished or refused sending: time to come back from the mountains and go on
LOOK = timedelta(hours=1)  # a sender who never looks at the preview still gets the file in
_LONGEST_NAME = 120  # bytes; file systems take 255


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


def begin(  # noqa: PLR0913 - one option per thing that a client may say
    workspace: Workspace,
    file: str,
    context: Context,
    *,
    delivery_id: str | None = None,
    length: int | None = None,
    told_sha256: str | None = None,
    by: str | None = None,
    held: bool = False,
    idempotency_key: str | None = None,
) -> Delivery:
    """A new sending, ready for its bytes; `held` lets its sender look at a preview before the file is read in.

    Raises `Conflict` where the id or the key is in use, `DiskFull`, and `InputError` for a file without a name.
    """
    safe_name(file)
    require_room(workspace.incoming, length or 0)
    row: dict[str, Any] = {
        "delivery_id": delivery_id or uuid.uuid4().hex,
        "file": file,
        "state": "receiving",
        "length": length,
        "told_sha256": told_sha256,
        "context": to_json(context),
        "by": by,
        "held": held,
        "idempotency_key": idempotency_key,
        "created_utc": now_utc(),
        "expires_utc": now_utc() + KEPT,
    }
    with transaction(workspace.manifest) as connection:
        _require_new(connection, row)
        connection.execute(insert(DELIVERIES).values(**row))
        _lay_out(workspace, row["delivery_id"])  # before the commit: a delivery that is there can be sent to
        return _of(_row(connection, row["delivery_id"]))


def _require_new(connection: Connection, row: Mapping[str, Any]) -> None:
    for column in ("delivery_id", "idempotency_key"):
        value = row[column]
        if (
            value is not None
            and connection.execute(select(DELIVERIES).where(DELIVERIES.c[column] == value)).first()
        ):
            raise Conflict(
                f"{column} {value} đã dùng cho một lần gửi khác.",
                f"{column} {value} is used by another delivery.",
            )


def _lay_out(workspace: Workspace, delivery_id: str) -> None:
    folder = workspace.incoming / delivery_id
    folder.mkdir(parents=True, exist_ok=True)  # a crash may have left it there, without a row in the manifest
    (folder / "part").write_bytes(b"")
    fsync(folder / "part")
    fsync(folder)
    fsync(workspace.incoming)


def safe_name(file: str) -> str:
    """A file name of our making that keeps the harmless letters of the client's: it may carry operator and date.

    Raises `InputError` where nothing is left of it.
    """
    name = re.sub(r"[^\w.\-]", "_", Path(file.replace("\\", "/")).name).lstrip(".")
    name = name.encode()[-_LONGEST_NAME:].decode(errors="ignore").lstrip(".")
    if not name:
        raise InputError("Tệp tải lên không có tên.", "The uploaded file has no name.")
    return name


def part(workspace: Workspace, delivery_id: str) -> Path:
    """The file that the bytes of a sending are appended to."""
    return workspace.incoming / delivery_id / "part"


def offset(workspace: Workspace, delivery_id: str) -> int:
    """How many bytes are there, flushed to disk: where the sending goes on. Raises `NotFound`, `Conflict` (ended)."""
    delivery = show(workspace, delivery_id)
    if delivery.state != "receiving":
        if delivery.length is not None and delivery.state in {"received", "done", "refused", "failed"}:
            return delivery.length
        raise _ended(delivery)
    file = part(workspace, delivery_id)
    if not file.exists():  # a crash came between the renaming and the transaction
        file = received_file(workspace, delivery)
    fsync(file)
    return file.stat().st_size


def received_file(workspace: Workspace, delivery: Delivery) -> Path:
    """Where the bytes of a whole delivery are, until it is read in."""
    return workspace.incoming / delivery.delivery_id / safe_name(delivery.file)


def complete(workspace: Workspace, delivery_id: str, sha256: str | None = None) -> Delivery:
    """The delivery once all its bytes are safe and, in one transaction, it is received and its job queued.

    `sha256`: of the bytes, where the caller hashed them on the way. Completing twice is completing once. Raises
    `NotFound`, `Conflict` (ended), `InputError` where bytes are missing or are not those that were announced;
    then the sending may be begun anew.
    """
    delivery = show(workspace, delivery_id)
    if delivery.state != "receiving":
        return _the_same_or_ended(delivery)
    try:
        with _arrived(workspace, delivery) as stream:
            os.fsync(stream.fileno())
            length = os.fstat(stream.fileno()).st_size
            digest = sha256 or hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:  # somebody else completed it, and it is read already
        return _the_same_or_ended(show(workspace, delivery_id))
    _require_whole(delivery, length, digest)
    with transaction(workspace.manifest) as connection:
        row = _of(_row(connection, delivery_id))
        if row.state != "receiving":
            return _the_same_or_ended(row)
        _give_name(workspace, delivery)
        now = now_utc()
        _set(connection, delivery_id, state="received", sha256=digest, length=length, received_utc=now)
        if delivery.held:
            jobs.enqueue(connection, "ingest", delivery_id, not_before=now + LOOK)
        else:
            _queue(workspace, connection, delivery_id)
        done = _of(_row(connection, delivery_id))
    return _forget_if_same(workspace, done)


def _arrived(workspace: Workspace, delivery: Delivery) -> io.BufferedReader:
    """The bytes of a sending that is not complete: under their final name where a crash came after the renaming."""
    try:
        return part(workspace, delivery.delivery_id).open("rb")
    except FileNotFoundError:
        return received_file(workspace, delivery).open("rb")


def _give_name(workspace: Workspace, delivery: Delivery) -> None:
    """Within the transaction: of several who complete one sending, one is here at a time."""
    arrived, file = part(workspace, delivery.delivery_id), received_file(workspace, delivery)
    if arrived.exists():
        arrived.rename(file)
    fsync(file.parent)


def _forget_if_same(workspace: Workspace, delivery: Delivery) -> Delivery:
    if delivery.same_as is not None:
        forget_bytes(workspace, delivery.delivery_id)
    return delivery


def _the_same_or_ended(delivery: Delivery) -> Delivery:
    if delivery.state == "cancelled":
        raise _ended(delivery)
    return delivery


def _require_whole(delivery: Delivery, length: int, digest: str) -> None:
    if delivery.length not in {None, length}:
        raise InputError(
            f"Mới nhận {length} trong {delivery.length} byte của {delivery.file}: hãy gửi tiếp.",
            f"{length} of {delivery.length} bytes of {delivery.file} are here: go on sending.",
            code="incomplete",
        )
    if delivery.told_sha256 not in {None, digest}:
        raise InputError(
            f"{delivery.file} đến nơi không giống tệp đã gửi (sha256 {digest}, lẽ ra {delivery.told_sha256}). Hãy gửi lại từ đầu.",
            f"{delivery.file} arrived different from what was sent (sha256 {digest}, not {delivery.told_sha256}). Send it anew.",
            code="checksum_mismatch",
        )


def describe(
    workspace: Workspace,
    delivery_id: str,
    context: Context,
    *,
    told_sha256: str | None = None,
    by: str | None = None,
    held: bool = False,
) -> None:
    """Say of a sending what came after its bytes: fields of a form may stand below the file.

    Raises `NotFound`, `Conflict` where it has ended.
    """
    said = {"context": to_json(context), "told_sha256": told_sha256, "by": by, "held": held}
    _set_while_receiving(workspace, delivery_id, said)


def announce(workspace: Workspace, delivery_id: str, length: int) -> None:
    """Say how long a sending will be that was begun without it. Raises `NotFound`, `Conflict` where it has ended."""
    _set_while_receiving(workspace, delivery_id, {"length": length})


def _set_while_receiving(workspace: Workspace, delivery_id: str, values: Mapping[str, Any]) -> None:
    with transaction(workspace.manifest) as connection:
        delivery = _of(_row(connection, delivery_id))
        if delivery.state != "receiving":
            raise _ended(delivery)
        _set(connection, delivery_id, **values)


def confirm(workspace: Workspace, delivery_id: str, context: Context, by: str | None = None) -> Delivery:
    """The delivery after its sender has looked at the preview and says what the file is; it is read now.

    `by`: who says so, None = as said before. Raises `NotFound`, `Conflict` where it is not whole yet or has been read.
    """
    with transaction(workspace.manifest) as connection:
        delivery = _of(_row(connection, delivery_id))
        if delivery.state != "received" or not delivery.held:
            raise _ended(delivery)
        _set(connection, delivery_id, context=to_json(context), held=False, by=by or delivery.by)
        jobs.cancel(connection, delivery_id)
        _queue(workspace, connection, delivery_id)
        confirmed = _of(_row(connection, delivery_id))
    return _forget_if_same(workspace, confirmed)


def _queue(workspace: Workspace, connection: Connection, delivery_id: str) -> None:
    """Queue the reading, unless these bytes last came with the same context: then that delivery stands.

    Where something else was said of them since, saying the first again takes that back.
    """
    delivery = _of(_row(connection, delivery_id))
    alike = _alike(workspace, delivery)
    stands = and_(DELIVERIES.c.state.in_(("received", "done")), DELIVERIES.c.same_as.is_(None))
    others = and_(DELIVERIES.c.sha256 == delivery.sha256, DELIVERIES.c.delivery_id != delivery_id)
    newest = select(DELIVERIES.c.delivery_id, DELIVERIES.c.alike).where(others, stands)
    said_last = connection.execute(newest.order_by(DELIVERIES.c.received_utc.desc()).limit(1)).first()
    earlier = said_last.delivery_id if said_last is not None and said_last.alike == alike else None
    _set(connection, delivery_id, alike=alike, same_as=earlier)
    if earlier is None:
        jobs.enqueue(connection, "ingest", delivery_id)


def _alike(workspace: Workspace, delivery: Delivery) -> str:
    """Equal for equal bytes and context; keyed, for the context may name a phone."""
    said = orjson.dumps([delivery.sha256, to_json(delivery.context)], option=orjson.OPT_SORT_KEYS)
    return hmac.new(workspace.device_key, said, hashlib.sha256).hexdigest()


def was_said(workspace: Workspace, delivery: Delivery, context: Context) -> bool:
    """Whether the delivery was sent with that context; its phone's name may be kept as a hash by now."""
    hashed = context.device and replace(context, device=device_hash(workspace.device_key, context.device))
    return delivery.context in (context, hashed)


def close(
    workspace: Workspace, connection: Connection, delivery_id: str, state: str, result: Mapping[str, Any]
) -> None:
    """Note what became of the files inside, within the transaction that ends the job: `done` or `refused`.

    Once read, the phone's name is kept as its keyed hash only.
    """
    context = _of(_row(connection, delivery_id)).context
    if state == "done" and context.device:
        context = replace(context, device=device_hash(workspace.device_key, context.device))
    _set(connection, delivery_id, state=state, result=dict(result), context=to_json(context))


def cancel(workspace: Workspace, delivery_id: str) -> None:
    """End a sending that has not been read in, and forget its bytes.

    Raises `NotFound`, and `Conflict` where it has been read or another delivery counts on its bytes.
    """
    with transaction(workspace.manifest) as connection:
        delivery = _of(_row(connection, delivery_id))
        counted_on = select(DELIVERIES).where(DELIVERIES.c.same_as == delivery_id)
        read = select(UPLOADS.c.upload_id).where(UPLOADS.c.delivery_id == delivery_id)
        if delivery.state == "done" or any(connection.execute(one).first() for one in (counted_on, read)):
            raise _ended(delivery)
        # Its key is free again: whoever gave up a sending may begin the same one anew.
        _set(connection, delivery_id, state="cancelled", idempotency_key=None)
        jobs.cancel(connection, delivery_id)
    forget_bytes(workspace, delivery_id)


def retry(
    workspace: Workspace, delivery_id: str, context: Context | None = None, by: str | None = None
) -> Delivery:
    """The delivery, queued once more after it failed or was refused; its bytes are kept for a week.

    `context` replaces what was said of the file, `by` who says so. Raises `NotFound`, `Conflict`.
    """
    with transaction(workspace.manifest) as connection:
        delivery = _of(_row(connection, delivery_id))
        if delivery.state not in {"failed", "refused"} or not received_file(workspace, delivery).exists():
            raise _ended(delivery)
        said = {"by": by or delivery.by} | ({} if context is None else {"context": to_json(context)})
        _set(connection, delivery_id, state="received", expires_utc=now_utc() + KEPT, **said)
        jobs.enqueue(connection, "ingest", delivery_id)
        return _of(_row(connection, delivery_id))


def forget_bytes(workspace: Workspace, delivery_id: str) -> None:
    """Remove what is kept of a sending's bytes; what was read of them is in the archive."""
    shutil.rmtree(workspace.incoming / delivery_id, ignore_errors=True)


def expired(workspace: Workspace, now: datetime) -> list[Delivery]:
    """Sendings whose bytes nobody has claimed in time: unfinished, refused, failed."""
    return _select(workspace, is_expired(now))


def is_expired(now: datetime) -> ColumnElement[bool]:
    """What holds of the rows of such sendings."""
    ended = DELIVERIES.c.state.in_(("receiving", "refused", "failed"))
    return and_(DELIVERIES.c.expires_utc < now, ended)


def show(workspace: Workspace, delivery_id: str) -> Delivery:
    """One delivery. Raises `NotFound`."""
    with reading(workspace.manifest) as connection:
        return _of(_row(connection, delivery_id))


def find(workspace: Workspace, delivery_id: str) -> Delivery | None:
    """One delivery, None where there is none."""
    return next(iter(_select(workspace, DELIVERIES.c.delivery_id == delivery_id)), None)


def by_key(workspace: Workspace, idempotency_key: str) -> Delivery | None:
    """The delivery that was begun with that Idempotency-Key, None where there is none."""
    return next(iter(_select(workspace, DELIVERIES.c.idempotency_key == idempotency_key)), None)


def list_deliveries(workspace: Workspace) -> list[Delivery]:
    """Every delivery, oldest first."""
    return _select(workspace)


def newest(workspace: Workspace, limit: int, before: tuple[datetime, str] | None = None) -> list[Delivery]:
    """At most so many deliveries, newest first, older than `before` (created_utc and id of the last one seen)."""
    order = DELIVERIES.c.created_utc.desc(), DELIVERIES.c.delivery_id.desc()
    asked = select(DELIVERIES).order_by(*order).limit(limit)
    if before is not None:
        asked = asked.where(tuple_(DELIVERIES.c.created_utc, DELIVERIES.c.delivery_id) < before)
    with reading(workspace.manifest) as connection:
        return [_of(row) for row in connection.execute(asked).mappings()]


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


def _select(workspace: Workspace, *which: ColumnElement[bool]) -> list[Delivery]:
    with reading(workspace.manifest) as connection:
        rows = connection.execute(
            select(DELIVERIES).where(*which).order_by(DELIVERIES.c.created_utc)
        ).mappings()
        return [_of(row) for row in rows]


def with_own_bytes(connection: Connection, *states: str) -> list[Delivery]:
    """The deliveries in those states whose bytes no earlier delivery stands for, oldest first."""
    own = select(DELIVERIES).where(DELIVERIES.c.state.in_(states), DELIVERIES.c.same_as.is_(None))
    return [_of(row) for row in connection.execute(own.order_by(DELIVERIES.c.created_utc)).mappings()]


def _row(connection: Connection, delivery_id: str) -> RowMapping:
    row = (
        connection.execute(select(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound(f"Không có lần gửi {delivery_id}.", f"There is no delivery {delivery_id}.")
    return row


def _of(row: RowMapping) -> Delivery:
    values = {one.name: row[one.name] for one in fields(Delivery)}
    return Delivery(**values | {"context": from_json(row["context"])})


def _set(connection: Connection, delivery_id: str, **values: Any) -> None:  # noqa: ANN401 - columns of the table
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id).values(**values))


def _ended(delivery: Delivery) -> Conflict:
    return Conflict(
        f"Lần gửi {delivery.delivery_id} đang ở trạng thái {delivery.state}, không làm được việc này.",
        f"Delivery {delivery.delivery_id} is {delivery.state}; that cannot be done now.",
    )
