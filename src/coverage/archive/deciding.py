"""What becomes of a delivery that is here: read once its sender agrees, told apart from copies, given up, tried again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, and_, select

from coverage.archive import deliveries, jobs
from coverage.archive.deliveries import Delivery
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import DELIVERIES, UPLOADS
from coverage.archive.workspace import Workspace
from coverage.logs.context import Context, device_hash, to_json

KEPT = timedelta(days=7)  # an unfinished or refused sending: time to come back from the mountains and go on


def confirm(workspace: Workspace, delivery_id: str, context: Context, by: str | None = None) -> Delivery:
    """The delivery after its sender has looked at the preview and says what the file is; it is read now.

    One that nobody looked at in time was read by itself: then it is read anew with these words. `by`: who says so,
    None = as said before. Raises `NotFound`, and `Conflict` where it is not whole, was confirmed, or its bytes are gone.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.within(connection, delivery_id)
        here = deliveries.received_file(workspace, delivery).exists()
        if delivery.state not in {"received", "done", "refused", "failed"} or not (delivery.held and here):
            raise deliveries.ended(delivery)
        said = {"context": to_json(context), "held": False, "by": by or delivery.by}
        deliveries.change(connection, delivery_id, state="received", **said)
        jobs.cancel(connection, delivery_id)
        queue(workspace, connection, delivery_id)
        confirmed = deliveries.within(connection, delivery_id)
    return forget_if_same(workspace, confirmed)


def queue(workspace: Workspace, connection: Connection, delivery_id: str) -> None:
    """Queue the reading, unless it would only repeat what another delivery brought: then that one stands."""
    delivery = deliveries.within(connection, delivery_id)
    alike = _alike(workspace, delivery)
    earlier = _standing(workspace, connection, delivery, alike)
    deliveries.change(connection, delivery_id, alike=alike, same_as=earlier)
    if earlier is None:
        jobs.enqueue(connection, "ingest", delivery_id)


def _standing(workspace: Workspace, connection: Connection, delivery: Delivery, alike: str) -> str | None:
    """The delivery of the same bytes and words that reading this one would repeat; None where it might change something.

    Where others wait to be read, the last word counts, so none stands unless it is the only one.
    """
    others = and_(DELIVERIES.c.sha256 == delivery.sha256, DELIVERIES.c.delivery_id != delivery.delivery_id)
    same = select(DELIVERIES).where(others, DELIVERIES.c.same_as.is_(None), DELIVERIES.c.held.is_(False))
    rows = connection.execute(same.order_by(DELIVERIES.c.received_utc.desc())).mappings().all()
    waiting = [row for row in rows if row["state"] == "received"]
    if waiting:
        return str(waiting[0]["delivery_id"]) if [row["alike"] for row in waiting] == [alike] else None
    read = (row for row in rows if row["state"] == "done" and row["alike"] == alike)
    standing = (row["delivery_id"] for row in read if _still_holds(workspace, connection, row))
    return next(standing, None)


def _still_holds(workspace: Workspace, connection: Connection, row: RowMapping) -> bool:
    """Whether the archive holds just what that delivery brought, and reading the bytes again could bring no more.

    Rows that were set aside and files that were refused may be read otherwise by now, and any with a newer mapping.
    """
    ids = {one["upload_id"] for one in row["result"]["files"]}
    since = row["received_utc"].replace(tzinfo=UTC).timestamp()
    if (
        not ids
        or row["result"]["refused"]
        or any(one.stat().st_mtime > since for one in workspace.mappings.glob("*.toml"))
    ):
        return False
    own = and_(UPLOADS.c.upload_id.in_(ids), UPLOADS.c.delivery_id == row["delivery_id"])
    whole = and_(UPLOADS.c.state == "committed", UPLOADS.c.quarantined == 0)
    held = connection.execute(select(UPLOADS.c.upload_id).where(own, whole)).scalars().all()
    return set(held) == ids


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
    context = deliveries.within(connection, delivery_id).context
    if state == "done" and context.device:
        context = replace(context, device=device_hash(workspace.device_key, context.device))
    deliveries.change(connection, delivery_id, state=state, result=dict(result), context=to_json(context))


def cancel(workspace: Workspace, delivery_id: str) -> None:
    """End a sending that has not been read in, and forget its bytes.

    Raises `NotFound`, and `Conflict` where it has been read or another delivery counts on its bytes.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.within(connection, delivery_id)
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
    """The delivery, queued once more after it, or a file inside, was refused, or after it failed; its bytes are kept.

    `context` replaces what was said of the file, `by` who says so. Raises `NotFound`, `Conflict`.
    """
    with transaction(workspace.manifest) as connection:
        delivery = deliveries.within(connection, delivery_id)
        here = deliveries.received_file(workspace, delivery).exists()
        if not (_may_be_tried_again(delivery) and here):
            raise deliveries.ended(delivery)
        said = {"by": by or delivery.by} | ({} if context is None else {"context": to_json(context)})
        deliveries.change(connection, delivery_id, state="received", expires_utc=now_utc() + KEPT, **said)
        jobs.enqueue(connection, "ingest", delivery_id)
        return deliveries.within(connection, delivery_id)


def _may_be_tried_again(delivery: Delivery) -> bool:
    some_refused = delivery.state == "done" and bool((delivery.result or {}).get("refused"))
    return delivery.state in {"failed", "refused"} or some_refused
