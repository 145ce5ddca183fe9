"""What becomes of a delivery that is here: read once its sender agrees, told apart from copies, given up, tried again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, and_, select

from coverage.archive import deliveries, jobs
from coverage.archive.deliveries import Delivery
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import DELIVERIES, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.logs.context import Context, device_hash, to_json

KEPT = timedelta(days=7)  # an unfinished or refused sending: time to come back from the mountains and go on


def confirm(workspace: Workspace, delivery_id: str, context: Context, by: str | None = None) -> Delivery:
    """The delivery after its sender has looked at the preview and says what the file is; it is read now.

    `by`: who says so, None = as said before. Raises `NotFound`, `Conflict` where it is not whole yet or has been read.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.from_row(deliveries.row_of(connection, delivery_id))
        if delivery.state != "received" or not delivery.held:
            raise deliveries.ended(delivery)
        deliveries.change(connection, delivery_id, context=to_json(context), held=False, by=by or delivery.by)
        jobs.cancel(connection, delivery_id)
        queue(workspace, connection, delivery_id)
        confirmed = deliveries.from_row(deliveries.row_of(connection, delivery_id))
    return forget_if_same(workspace, confirmed)


def queue(workspace: Workspace, connection: Connection, delivery_id: str) -> None:
    """Queue the reading, unless these bytes last came with the same context: then that delivery stands.

    Where something else was said of them since, saying the first again takes that back.
    """
    delivery = deliveries.from_row(deliveries.row_of(connection, delivery_id))
    alike = _alike(workspace, delivery)
    stands = and_(DELIVERIES.c.state.in_(("received", "done")), DELIVERIES.c.same_as.is_(None))
    others = and_(DELIVERIES.c.sha256 == delivery.sha256, DELIVERIES.c.delivery_id != delivery_id)
    newest = select(DELIVERIES.c.delivery_id, DELIVERIES.c.alike).where(others, stands)
    said_last = connection.execute(newest.order_by(DELIVERIES.c.received_utc.desc()).limit(1)).first()
    earlier = said_last.delivery_id if said_last is not None and said_last.alike == alike else None
    deliveries.change(connection, delivery_id, alike=alike, same_as=earlier)
    if earlier is None:
        jobs.enqueue(connection, "ingest", delivery_id)


def forget_if_same(workspace: Workspace, delivery: Delivery) -> Delivery:
    """The delivery, its bytes forgotten where another one's stand for them."""
    if delivery.same_as is not None:
        deliveries.forget_bytes(workspace, delivery.delivery_id)
    return delivery


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
    context = deliveries.from_row(deliveries.row_of(connection, delivery_id)).context
    if state == "done" and context.device:
        context = replace(context, device=device_hash(workspace.device_key, context.device))
    deliveries.change(connection, delivery_id, state=state, result=dict(result), context=to_json(context))


def cancel(workspace: Workspace, delivery_id: str) -> None:
    """End a sending that has not been read in, and forget its bytes.

    Raises `NotFound`, and `Conflict` where it has been read or another delivery counts on its bytes.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.from_row(deliveries.row_of(connection, delivery_id))
        counted_on = select(DELIVERIES).where(DELIVERIES.c.same_as == delivery_id)
        read = select(UPLOADS.c.upload_id).where(UPLOADS.c.delivery_id == delivery_id)
        if delivery.state == "done" or any(connection.execute(one).first() for one in (counted_on, read)):
            raise deliveries.ended(delivery)
        # Its key is free again: whoever gave up a sending may begin the same one anew.
        deliveries.change(connection, delivery_id, state="cancelled", idempotency_key=None)
        jobs.cancel(connection, delivery_id)
    deliveries.forget_bytes(workspace, delivery_id)


def retry(
    workspace: Workspace, delivery_id: str, context: Context | None = None, by: str | None = None
) -> Delivery:
    """The delivery, queued once more after it failed or was refused; its bytes are kept for a week.

    `context` replaces what was said of the file, `by` who says so. Raises `NotFound`, `Conflict`.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.from_row(deliveries.row_of(connection, delivery_id))
        if (
            delivery.state not in {"failed", "refused"}
            or not deliveries.received_file(workspace, delivery).exists()
        ):
            raise deliveries.ended(delivery)
        said = {"by": by or delivery.by} | ({} if context is None else {"context": to_json(context)})
        deliveries.change(connection, delivery_id, state="received", expires_utc=now_utc() + KEPT, **said)
        jobs.enqueue(connection, "ingest", delivery_id)
        return deliveries.from_row(deliveries.row_of(connection, delivery_id))
