"""The door for bad links: tus 1.0, where a cut sending goes on at the byte that came last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from email.utils import format_datetime
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from coverage.archive import deciding, deliveries, receiving
from coverage.archive.deliveries import Delivery
from coverage.archive.incoming import OpenPart, finish_whole, open_part
from coverage.archive.workspace import Workspace
from coverage.errors import InputError, TooLarge
from coverage.service.bodies import Coming, announced, answered, body, idempotency_key, pour
from coverage.service.desk import AtDesk, DeliveryId, Desk, Turn
from coverage.service.own import name_of, require_own_delivery, signed
from coverage.service.problems import TUS_VERSION, Refusal
from coverage.service.said import Said, file_name, said, words
from coverage.service.sending import Sending, is_repeat, key_reused, of_key
from coverage.service.tus_headers import (
    CHUNK_TYPE,
    Checksum,
    checksum_of,
    metadata,
    metadata_header,
    number,
    protocol,
)

router = APIRouter(dependencies=[Depends(require_own_delivery)])
_IGNORED = ("filename", "name", "filetype", "type", "relativePath")  # what the usual clients tell besides


@router.options("/v1/tus")
@router.options("/v1/tus/{_delivery_id}")
def options(desk: AtDesk, _delivery_id: str = "") -> Response:
    """What this server knows of the protocol."""
    return Response(status_code=204, headers=protocol(desk.most_bytes))


@router.post("/v1/tus")
async def create(desk: AtDesk, request: Request) -> Response:
    """Begin a sending, with its first bytes where they come along."""
    return await answered(request, partial(_create, desk, request), {"Tus-Resumable": TUS_VERSION})


async def _create(desk: Desk, request: Request, coming: Coming) -> Response:
    _require_version(desk, request)
    sending = _begun(desk, request)
    with desk.receiving(name_of(request)), desk.key(sending.key):
        workspace = desk.workspace
        earlier = await run_in_threadpool(of_key, workspace, sending.key)
        if earlier is not None:
            if (
                not is_repeat(workspace, earlier, sending.file, sending.said)
                or earlier.length != sending.length
            ):
                raise key_reused(sending.key)
            return await run_in_threadpool(_where, desk, earlier, 200)
        shown = await run_in_threadpool(sending.begin, workspace)
        if request.headers.get("content-type") == CHUNK_TYPE and announced(request) != 0:
            async with desk.turn(shown.delivery_id) as turn:
                await _append(desk, shown, 0, request, coming, turn)
        elif shown.length == 0:
            await run_in_threadpool(receiving.complete, workspace, shown.delivery_id)
        return await run_in_threadpool(_where, desk, shown, 201)


def _begun(desk: Desk, request: Request) -> Sending:
    """What a creation announces. Raises as `said`, `InputError` and `TooLarge`."""
    values = metadata(request.headers.get("upload-metadata", ""))
    file = file_name(values.get("filename") or values.get("name") or "")
    length = number(request, "upload-length")
    if length is None and request.headers.get("upload-defer-length") != "1":
        raise InputError(
            "Thiếu Upload-Length (độ dài tệp) hoặc Upload-Defer-Length: 1.",
            "Upload-Length (the file's length) or Upload-Defer-Length: 1 is missing.",
        )
    desk.require_fits(length)
    words = {name: value for name, value in values.items() if name not in _IGNORED}
    told = signed(request, said(words, desk.workspace))
    return Sending(uuid4().hex, file, told, length, idempotency_key(request))


def _where(desk: Desk, shown: Delivery, status: int) -> Response:
    headers = _state(desk, deliveries.show(desk.workspace, shown.delivery_id))
    return Response(status_code=status, headers=headers | {"Location": f"/v1/tus/{shown.delivery_id}"})


def _state(desk: Desk, shown: Delivery) -> dict[str, str]:
    """The headers that say how far a sending is. Raises `Refusal` (410) for one that was given up."""
    if shown.state == "cancelled":
        raise Refusal(
            410, "gone", "Lần gửi này đã bị huỷ. Hãy gửi lại từ đầu.", "This sending was given up. Send anew."
        )
    about = {"filename": shown.file, **words(Said(shown.context, shown.held, shown.by, shown.told_sha256))}
    length = {"Upload-Defer-Length": "1"} if shown.length is None else {"Upload-Length": str(shown.length)}
    return {
        "Tus-Resumable": TUS_VERSION,
        "Upload-Offset": str(receiving.offset(desk.workspace, shown.delivery_id)),
        **length,
        "Upload-Expires": format_datetime(shown.expires_utc.replace(tzinfo=UTC), usegmt=True),
        "Upload-Metadata": metadata_header(about),
        "Cache-Control": "no-store",
    }


@router.head("/v1/tus/{delivery_id}")
async def head(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """How far a sending is; a request that is still at it is stopped first."""
    _require_version(desk, request)
    async with desk.turn(delivery_id):
        return await run_in_threadpool(_head, desk, delivery_id)


def _head(desk: Desk, delivery_id: str) -> Response:
    return Response(status_code=200, headers=_state(desk, _now(desk, delivery_id)))


def _now(desk: Desk, delivery_id: str) -> Delivery:
    """The delivery; a process may have ended between its last byte and its receipt, then that is made up for here."""
    return finish_whole(desk.workspace, deliveries.show(desk.workspace, delivery_id))


@router.patch("/v1/tus/{delivery_id}")
async def patch(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """Go on with a sending."""
    return await answered(
        request, partial(_patch, desk, delivery_id, request), {"Tus-Resumable": TUS_VERSION}
    )


async def _patch(desk: Desk, delivery_id: str, request: Request, coming: Coming) -> Response:
    _require_version(desk, request)
    if request.headers.get("content-type") != CHUNK_TYPE:
        raise Refusal(
            415, "not_this_type", f"Content-Type phải là {CHUNK_TYPE}.", f"Content-Type must be {CHUNK_TYPE}."
        )
    offset = number(request, "upload-offset")
    if offset is None:
        raise InputError("Thiếu Upload-Offset.", "Upload-Offset is missing.")
    with desk.receiving(name_of(request)):
        async with desk.turn(delivery_id) as turn:
            shown = await run_in_threadpool(_now, desk, delivery_id)
            await _append(desk, shown, offset, request, coming, turn)
        headers = await run_in_threadpool(lambda: _state(desk, deliveries.show(desk.workspace, delivery_id)))
    return Response(status_code=204, headers=headers)


async def _append(
    desk: Desk, shown: Delivery, offset: int, request: Request, coming: Coming, turn: Turn
) -> None:
    """Let the bytes of a request follow those that are there; with the last one the delivery is received."""
    workspace, checksum = desk.workspace, checksum_of(request)
    _require_offset(offset, int(_state(desk, shown)["Upload-Offset"]))
    if shown.state != "receiving":
        return  # the answer to the last piece was lost, and it is asked for again with nothing in it
    with open_part(workspace, shown.delivery_id) as part:
        _require_offset(offset, part.offset)
        shown = await run_in_threadpool(_with_length, desk, shown, offset, request)
        left = (desk.most_bytes if shown.length is None else shown.length) - offset
        _require_within(left, announced(request))
        await _poured(part, left, body(coming, desk, turn), checksum)
        if part.offset == shown.length:
            await run_in_threadpool(_complete, workspace, shown.delivery_id, part)


def _with_length(desk: Desk, shown: Delivery, there: int, request: Request) -> Delivery:
    """The delivery, its length noted where this request is the first to tell it. Raises `InputError`, `TooLarge`."""
    length = number(request, "upload-length")
    if length is None or length == shown.length:
        return shown
    if shown.length is not None:
        raise InputError(
            f"Tệp đã báo dài {shown.length} byte, nay lại báo Upload-Length: {length}. Độ dài đã báo không đổi được.",
            f"The file was announced with {shown.length} bytes, now with Upload-Length: {length}. It cannot change.",
        )
    desk.require_fits(length)
    if length >= there:  # else it is no length of this file at all
        _require_within(length - there, announced(request))
    return receiving.announce(desk.workspace, shown.delivery_id, length)


async def _poured(part: OpenPart, left: int, pieces: AsyncIterator[bytes], checksum: Checksum | None) -> None:
    start = part.offset
    if checksum is None:
        await pour(pieces, part, left)
        return
    try:
        await pour(checksum.passing(pieces), part, left)
    except BaseException:
        part.truncate(start)  # nobody can tell whether the piece of a piece is right
        raise
    if not checksum.holds():
        part.truncate(start)
        raise _mismatch("Đoạn vừa gửi", "The piece that was sent", start)


def _complete(workspace: Workspace, delivery_id: str, part: OpenPart) -> None:
    try:
        receiving.complete(workspace, delivery_id, part.sha256)
    except InputError as fault:
        if fault.code != "checksum_mismatch":
            raise
        part.truncate(0)
        part.flush()
        raise _mismatch("Cả tệp", "The whole file", 0) from fault


def _mismatch(vi: str, en: str, offset: int) -> Refusal:
    return Refusal(
        460,
        "checksum_mismatch",
        f"{vi} đến nơi không giống lúc gửi; đã bỏ. Hãy gửi lại từ byte {offset}.",
        f"{en} arrived different from what was sent and was dropped. Send again from byte {offset}.",
        {"Upload-Offset": str(offset)},
    )


def _require_offset(told: int, there: int) -> None:
    if told != there:
        raise Refusal(
            409,
            "conflict",
            f"Đã có {there} byte, không phải {told}. Hãy gửi tiếp từ byte {there}.",
            f"{there} bytes are here, not {told}. Go on at byte {there}.",
            {"Upload-Offset": str(there)},
        )


def _require_within(left: int, coming: int | None) -> None:
    if coming is not None and coming > left:
        raise TooLarge(
            f"Chỉ còn {left} byte theo độ dài đã báo, mà đoạn này có {coming} byte.",
            f"Only {left} bytes are left of the length that was announced, and this piece has {coming}.",
        )


@router.delete("/v1/tus/{delivery_id}")
async def delete(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """Give a sending up; its bytes are forgotten."""
    _require_version(desk, request)
    async with desk.turn(delivery_id):
        await run_in_threadpool(deciding.cancel, desk.workspace, delivery_id)
    return Response(status_code=204, headers={"Tus-Resumable": TUS_VERSION})


@router.post("/v1/tus/{delivery_id}")
async def override(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """PATCH, DELETE and HEAD for clients that can only POST: X-HTTP-Method-Override."""
    meant = request.headers.get("x-http-method-override", "").upper()
    if meant == "PATCH":
        return await patch(desk, delivery_id, request)
    if meant == "DELETE":
        return await delete(desk, delivery_id, request)
    if meant == "HEAD":
        return await head(desk, delivery_id, request)
    raise Refusal(
        405,
        "http_405",
        "Ở đây POST cần X-HTTP-Method-Override: PATCH, DELETE hoặc HEAD.",
        "POST needs X-HTTP-Method-Override here: PATCH, DELETE or HEAD.",
        {"Allow": "OPTIONS, HEAD, PATCH, DELETE, POST"},
    )


def _require_version(desk: Desk, request: Request) -> None:
    told = request.headers.get("tus-resumable")
    if told != TUS_VERSION:
        raise Refusal(
            412,
            "tus_version",
            f"Cần Tus-Resumable: {TUS_VERSION}, nhận được {told!r:.20}.",
            f"Tus-Resumable: {TUS_VERSION} is needed, {told!r:.20} came.",
            protocol(desk.most_bytes),
        )
