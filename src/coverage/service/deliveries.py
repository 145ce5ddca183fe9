"""Looking at deliveries, and deciding about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from coverage.archive import deciding, deliveries
from coverage.archive.deliveries import Delivery
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, InputError, NotFound
from coverage.logs.context import Context
from coverage.service.admission import Asking
from coverage.service.answers import answer, delivery, url_of
from coverage.service.bodies import announced
from coverage.service.desk import AtDesk, DeliveryId, plain_id
from coverage.service.events import events
from coverage.service.own import only_by, require_own_delivery, signed
from coverage.service.paging import cursor, onward
from coverage.service.said import CONTEXT, Said, once, said, words_once

router = APIRouter(dependencies=[Depends(words_once), Depends(require_own_delivery)])
_MOST_WORDS_BYTES = 64_000


@router.get("/v1/deliveries")
def list_deliveries(
    desk: AtDesk,
    caller: Asking,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: str | None = None,
) -> Response:
    """The deliveries, newest first, to a team its own; `next` leads to older ones."""
    seen_last = cursor("before", before, plain_id)
    found = deliveries.newest(desk.workspace, limit, seen_last, only_by(caller))
    seen = [(one.created_utc, one.delivery_id) for one in found]
    shown = [delivery(desk.workspace, one) for one in found]
    return answer({"deliveries": shown, "next": onward("/v1/deliveries", "before", limit, seen)})


@router.get("/v1/deliveries/{delivery_id}")
def show(desk: AtDesk, delivery_id: DeliveryId) -> Response:
    """One sending: how far it is and what became of it."""
    return answer(delivery(desk.workspace, deliveries.show(desk.workspace, delivery_id)))


@router.get("/v1/deliveries/{delivery_id}/events")
async def follow(desk: AtDesk, delivery_id: DeliveryId) -> Response:
    """The same as server-sent events, at once and at every change, until a final state."""
    await run_in_threadpool(deliveries.show, desk.workspace, delivery_id)
    return events(desk, delivery_id)


@router.get("/v1/receipts/{code}")
def of_receipt(desk: AtDesk, caller: Asking, code: str) -> Response:
    """The deliveries of a receipt code, oldest first, to a team its own."""
    mine = only_by(caller)
    found = [one for one in deliveries.by_receipt(desk.workspace, code) if mine in {None, one.by}]
    if not found:
        raise NotFound(f"Không có biên nhận {code!r:.40}.", f"There is no receipt {code!r:.40}.")
    return answer({"deliveries": [delivery(desk.workspace, one) for one in found]})


@router.post("/v1/deliveries/{delivery_id}/confirm")
async def confirm(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """Read a held delivery in now, with what its sender says of it after the preview."""
    given = await _given(desk.workspace, request)
    status, body = await run_in_threadpool(_confirm, desk.workspace, delivery_id, given)
    return answer(body, status, {"Location": url_of(delivery_id)})


def _confirm(workspace: Workspace, delivery_id: str, given: Said | None) -> tuple[int, dict[str, Any]]:
    before = deliveries.show(workspace, delivery_id)
    context = before.context if given is None else given.context
    by = None if given is None else given.by
    try:
        done, status = deciding.confirm(workspace, delivery_id, context, by), 202
    except Conflict:
        done, status = deliveries.show(workspace, delivery_id), 200
        if not _was_confirmed(workspace, done, context):
            raise
    return status, delivery(workspace, done)


def _was_confirmed(workspace: Workspace, shown: Delivery, context: Context) -> bool:
    confirmed = not shown.held and shown.state in {"received", "done", "refused"}
    return confirmed and deciding.was_said(workspace, shown, context)


@router.post("/v1/deliveries/{delivery_id}/retry")
async def retry(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """Read a delivery once more that failed or was refused."""
    given = await _given(desk.workspace, request)
    context, by = (None, None) if given is None else (given.context, given.by)
    done = await run_in_threadpool(deciding.retry, desk.workspace, delivery_id, context, by)
    body = await run_in_threadpool(delivery, desk.workspace, done)
    return answer(body, 202, {"Location": url_of(delivery_id)})


@router.delete("/v1/deliveries/{delivery_id}")
async def cancel(desk: AtDesk, delivery_id: DeliveryId) -> Response:
    """Give a sending up that has not been read in."""
    async with desk.turn(delivery_id):
        await run_in_threadpool(deciding.cancel, desk.workspace, delivery_id)
    return Response(status_code=204)


async def _given(workspace: Workspace, request: Request) -> Said | None:
    """What the body says, JSON or a form; None where there is no body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = announced(request)
    if (length or 0) > _MOST_WORDS_BYTES or "transfer-encoding" in request.headers:
        raise InputError(
            f"Nội dung phải có Content-Length và không quá {_MOST_WORDS_BYTES} byte.",
            f"The body must have a Content-Length and at most {_MOST_WORDS_BYTES} bytes.",
        )
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        fields = (await request.form(max_files=0)).multi_items()
        words = once(pair for pair in fields if not isinstance(pair[1], UploadFile))
        return signed(request, _said(workspace, words))
    content = await request.body()
    if not content:
        return None
    try:
        values = json.loads(content, object_pairs_hook=once)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(
            "Nội dung phải là một đối tượng JSON hoặc một biểu mẫu.",
            "The body must be a JSON object or a form.",
        )
    told = {name: value for name, value in values.items() if value is not None}
    return signed(request, _said(workspace, told))


def _said(workspace: Workspace, values: Mapping[str, object]) -> Said:
    for name in set(values) & {"hold", "sha256"}:
        raise InputError(
            f"Trường {name} chỉ dùng khi gửi; ở đây chỉ dùng: {', '.join(CONTEXT)}, by.",
            f"Field {name} belongs to the sending; here only: {', '.join(CONTEXT)}, by.",
        )
    return said(values, workspace)
