"""Receiving: the bytes of a delivery, from its beginning until all are safe and their reading is queued.

Bytes go to `incoming/DELIVERY/part`, whose length is the offset at which a cut sending goes on. Once all are
there and flushed, the file gets its name and one transaction says "received" and queues the job that reads it.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from coverage.archive import deciding, deliveries, jobs
from coverage.archive.deliveries import Delivery
from coverage.archive.disk import require_room
from coverage.archive.durable import fsync
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import DELIVERIES
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, InputError
from coverage.logs.context import Context, to_json

LOOK = timedelta(hours=1)  # a sender who never looks at the preview still gets the file in


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
    deliveries.safe_name(file)
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
        "expires_utc": now_utc() + deciding.KEPT,
    }
    with transaction(workspace.manifest) as connection:
        _require_new(connection, row)
        connection.execute(insert(DELIVERIES).values(**row))
        _lay_out(workspace, row["delivery_id"])  # before the commit: a delivery that is there can be sent to
        return deliveries.within(connection, row["delivery_id"])


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


def announce(workspace: Workspace, delivery_id: str, length: int) -> Delivery:
    """The sending, begun without a length, once it has one.

    Raises `NotFound`, `Conflict` where it has ended, `InputError` where more bytes are there already.
    """
    there = offset(workspace, delivery_id)
    if length < there:
        raise InputError(
            f"Đã nhận {there} byte, không thể báo tệp dài {length} byte. Hãy báo độ dài của cả tệp, không phải phần còn lại.",
            f"{there} bytes are here, so the file cannot be {length} bytes long. Tell the whole file's length, not the rest's.",
        )
    return _set_while_receiving(workspace, delivery_id, {"length": length})


def begin_anew(
    workspace: Workspace, delivery_id: str, *, length: int | None, told_sha256: str | None, by: str | None
) -> Delivery:
    """The sending, of which no byte counts any more, with what its client announces this time.

    The part is to be emptied before: a length must never meet the bytes of another file. Raises `NotFound`, `Conflict`
    where it has ended.
    """
    said = {"length": length, "told_sha256": told_sha256, "by": by}
    return _set_while_receiving(workspace, delivery_id, said)


def _set_while_receiving(workspace: Workspace, delivery_id: str, values: Mapping[str, Any]) -> Delivery:
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.within(connection, delivery_id)
        if delivery.state != "receiving":
            raise deliveries.ended(delivery)
        deliveries.change(connection, delivery_id, **values)
        return deliveries.within(connection, delivery_id)


def offset(workspace: Workspace, delivery_id: str) -> int:
    """How many bytes are there, flushed to disk: where the sending goes on. Raises `NotFound`, `Conflict` (ended)."""
    delivery = deliveries.show(workspace, delivery_id)
    if delivery.state != "receiving":
        if delivery.length is not None and delivery.state in {"received", "done", "refused", "failed"}:
            return delivery.length
        raise deliveries.ended(delivery)
    file = deliveries.part(workspace, delivery_id)
    if not file.exists():  # a crash came between the renaming and the transaction
        file = deliveries.received_file(workspace, delivery)
    fsync(file)
    return file.stat().st_size


def complete(workspace: Workspace, delivery_id: str, sha256: str | None = None) -> Delivery:
    """The delivery once all its bytes are safe and, in one transaction, it is received and its job queued.

    `sha256`: of the bytes, where the caller hashed them on the way. Completing twice is completing once. Raises
    `NotFound`, `Conflict` (ended), `InputError` where bytes are missing or are not those that were announced;
    then the sending may be begun anew.
    """
    delivery = deliveries.show(workspace, delivery_id)
    if delivery.state != "receiving":
        return _the_same_or_ended(delivery)
    try:
        with _arrived(workspace, delivery) as stream:
            os.fsync(stream.fileno())
            length = os.fstat(stream.fileno()).st_size
            digest = sha256 or hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:  # somebody else completed it, and it is read already
        return _the_same_or_ended(deliveries.show(workspace, delivery_id))
    _require_whole(delivery, length, digest)
    with transaction(workspace.manifest) as connection:
        row = deliveries.within(connection, delivery_id)
        if row.state != "receiving":
            return _the_same_or_ended(row)
        _give_name(workspace, delivery)
        now = now_utc()
        deliveries.change(
            connection, delivery_id, state="received", sha256=digest, length=length, received_utc=now
        )
        if delivery.held:
            jobs.enqueue(connection, "ingest", delivery_id, not_before=now + LOOK)
        else:
            deciding.queue(workspace, connection, delivery_id)
        done = deliveries.within(connection, delivery_id)
    return deciding.forget_if_same(workspace, done)


def _arrived(workspace: Workspace, delivery: Delivery) -> io.BufferedReader:
    """The bytes of a sending that is not complete: under their final name where a crash came after the renaming."""
    try:
        return deliveries.part(workspace, delivery.delivery_id).open("rb")
    except FileNotFoundError:
        return deliveries.received_file(workspace, delivery).open("rb")


def _give_name(workspace: Workspace, delivery: Delivery) -> None:
    """Within the transaction: of several who complete one sending, one is here at a time."""
    arrived, file = (
        deliveries.part(workspace, delivery.delivery_id),
        deliveries.received_file(workspace, delivery),
    )
    if arrived.exists():
        arrived.rename(file)
    fsync(file.parent)


def _the_same_or_ended(delivery: Delivery) -> Delivery:
    if delivery.state == "cancelled":
        raise deliveries.ended(delivery)
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
