"""Two doors for files: PUT of one file as it is, under an id of the client's making; POST of a form is in `forms`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from coverage.archive import deciding, deliveries, receiving
from coverage.archive.deliveries import Delivery
from coverage.archive.incoming import open_part
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict, InputError, TooLarge
from coverage.service.answers import answer, delivery, url_of
from coverage.service.bodies import Coming, announced, answered, body, idempotency_key, pour
from coverage.service.desk import UUID, AtDesk, Desk, Turn, plain_id
from coverage.service.own import name_of, require_own_delivery, signed
from coverage.service.problems import Refusal
from coverage.service.said import Said, file_name, once, said

router = APIRouter(dependencies=[Depends(require_own_delivery)])


class Hashed:
    """Bytes that are here already: their hash and number, and nothing is kept."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take bytes."""
        self._hash.update(chunk)

    def flush(self) -> None:
        """Nothing is kept, so nothing is to be made safe."""

    @property
    def sha256(self) -> str:
        """Of all bytes so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True)
class Sending:
    """One file that a client begins to send: its id, name, what is said of it, its length where it is announced."""

    delivery_id: str
    file: str
    said: Said
    length: int | None
    key: str | None

    def begin(self, workspace: Workspace) -> Delivery:
        """The delivery of it, ready for bytes."""
        return receiving.begin(
            workspace,
            self.file,
            self.said.context,
            delivery_id=self.delivery_id,
            length=self.length,
            told_sha256=self.said.sha256,
            by=self.said.by,
            held=self.said.hold,
            idempotency_key=self.key,
        )

    def begin_anew(self, workspace: Workspace) -> Delivery:
        """The same delivery, its part emptied: what was announced before a line broke holds no longer."""
        return receiving.begin_anew(
            workspace,
            self.delivery_id,
            length=self.length,
            told_sha256=self.said.sha256,
            by=self.said.by,
        )


def is_repeat(
    workspace: Workspace, earlier: Delivery, file: str, said: Said, sha256: str | None = None
) -> bool:
    """Whether a client sends what it sent before; one that was confirmed meanwhile holds another context by now."""
    confirmed = said.hold and not earlier.held
    as_before = earlier.held == said.hold and deciding.was_said(workspace, earlier, said.context)
    return earlier.file == file and (confirmed or as_before) and sha256 in {None, earlier.sha256}


@router.put("/v1/deliveries/{delivery_id}")
async def put(desk: AtDesk, delivery_id: str, request: Request) -> Response:
    """Receive one file as it is; sent again with the same bytes it gives the same answer."""
    return await answered(request, partial(_put, desk, delivery_id, request))


async def _put(desk: Desk, delivery_id: str, request: Request, coming: Coming) -> Response:
    values = once(request.query_params.multi_items())
    name = values.pop("name", None) or _disposition(request.headers.get("content-disposition", ""))
    length = announced(request)
    desk.require_fits(length)
    key = idempotency_key(request)
    told = signed(request, said(values, desk.workspace))
    sending = Sending(_client_id(delivery_id), file_name(name or ""), told, length, key)
    with desk.receiving(name_of(request)), desk.key(key):
        async with desk.turn(sending.delivery_id) as turn:
            status, done = await _receive(desk, sending, coming, turn)
            content = await run_in_threadpool(delivery, desk.workspace, done)
            return answer(content, status, {"Location": url_of(done.delivery_id)})


async def _receive(desk: Desk, sending: Sending, coming: Coming, turn: Turn) -> tuple[int, Delivery]:
    earlier = await run_in_threadpool(_earlier, desk.workspace, sending)
    if earlier is not None and earlier.state == "cancelled":
        raise Conflict(
            f"Lần gửi {sending.delivery_id} đã bị huỷ. Hãy gửi với mã mới.",
            f"Delivery {sending.delivery_id} was cancelled. Send under a new id.",
        )
    if earlier is not None and earlier.state != "receiving":
        return 200, await _compared(desk, earlier, sending, coming, turn)
    if earlier is None:
        await run_in_threadpool(sending.begin, desk.workspace)
    elif not is_repeat(desk.workspace, earlier, sending.file, sending.said):
        raise _other(earlier, sending)
    elif earlier.delivery_id != sending.delivery_id:
        raise _unfinished(earlier, sending)
    try:
        with open_part(desk.workspace, sending.delivery_id) as part:
            part.truncate(0)
            await run_in_threadpool(sending.begin_anew, desk.workspace)
            await pour(body(coming, desk, turn), part, desk.most_bytes)
            done = await run_in_threadpool(
                receiving.complete, desk.workspace, sending.delivery_id, part.sha256
            )
    except TooLarge:
        await run_in_threadpool(deciding.cancel, desk.workspace, sending.delivery_id)
        raise
    return 200 if done.same_as else 202, done


def _earlier(workspace: Workspace, sending: Sending) -> Delivery | None:
    return deliveries.find(workspace, sending.delivery_id) or of_key(workspace, sending.key)


async def _compared(desk: Desk, earlier: Delivery, sending: Sending, coming: Coming, turn: Turn) -> Delivery:
    """The earlier delivery, after the bytes that come now have been found to be its own."""
    if not is_repeat(desk.workspace, earlier, sending.file, sending.said) or sending.length not in {
        None,
        earlier.length,
    }:
        raise _other(earlier, sending)
    hashed = Hashed()
    await pour(body(coming, desk, turn), hashed, desk.most_bytes)
    if hashed.sha256 != earlier.sha256:
        raise _other(earlier, sending)
    return earlier


def _other(earlier: Delivery, sending: Sending) -> Conflict | Refusal:
    if earlier.delivery_id != sending.delivery_id:
        return key_reused(sending.key)
    return Conflict(
        f"Mã {sending.delivery_id} đã dùng để gửi tệp khác hoặc thông tin khác ({earlier.file}). Hãy dùng mã mới.",
        f"Id {sending.delivery_id} was used for another file or with other words ({earlier.file}). Use a new id.",
    )


def _unfinished(earlier: Delivery, sending: Sending) -> Refusal:
    url = url_of(earlier.delivery_id)
    return Refusal(
        409,
        "unfinished",
        f"Idempotency-Key {sending.key!r:.60} thuộc lần gửi {earlier.delivery_id} đang dở của tệp này. Hãy PUT lại vào {url}, "
        f"gửi tiếp ở /v1/tus/{earlier.delivery_id}, hoặc bỏ nó: DELETE {url}.",
        f"Idempotency-Key {sending.key!r:.60} belongs to the unfinished delivery {earlier.delivery_id} of this file. "
        f"PUT it again to {url}, go on at /v1/tus/{earlier.delivery_id}, or give it up: DELETE {url}.",
        {"Location": url},
    )


def of_key(workspace: Workspace, key: str | None) -> Delivery | None:
    """The delivery that was begun with that Idempotency-Key, None where there is none."""
    return None if key is None else deliveries.by_key(workspace, key)


def key_reused(key: str | None) -> Refusal:
    """The refusal of an Idempotency-Key that came with another file or other words before."""
    return Refusal(
        422,
        "idempotency_key_reused",
        f"Idempotency-Key {key!r:.60} đã dùng cho tệp khác hoặc thông tin khác. Hãy dùng khoá mới.",
        f"Idempotency-Key {key!r:.60} was used for another file or with other words. Use a new key.",
    )


def _client_id(text: str) -> str:
    """The id that a client made. Raises `InputError` where it is none."""
    if not re.fullmatch(UUID, text):
        raise InputError(
            f"Mã lần gửi {text!r:.60} không phải UUID (32 chữ số hệ 16).",
            f"The id {text!r:.60} is no UUID (32 hexadecimal digits).",
        )
    return plain_id(text)


def _disposition(header: str) -> str | None:
    """The file name of a Content-Disposition; None where it holds none. filename* wins, as RFC 6266 says."""
    extended = re.search(r"filename\*\s*=\s*([\w-]+)'[^']*'([^;\s]+)", header, re.IGNORECASE)
    if extended and extended[1].lower() in {"utf-8", "iso-8859-1"}:
        return unquote(extended[2], extended[1], "replace")
    plain = re.search(r'filename\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]+)', header, re.IGNORECASE)
    if plain is None:
        return None
    name = re.sub(r"\\(.)", r"\1", plain[1][1:-1]) if plain[1].startswith('"') else plain[1]
    return name.encode("latin-1", "replace").decode("utf-8", "replace")
