"""The door for browsers and curl -F: a form with one or several files, each of them a delivery of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from coverage.archive import deciding, deliveries, receiving
from coverage.archive.deliveries import Delivery
from coverage.archive.incoming import OpenPart, open_part
from coverage.errors import InputError
from coverage.service.answers import answer, delivery, url_of
from coverage.service.bodies import Coming, Pour, announced, answered, body, idempotency_key
from coverage.service.desk import AtDesk, Desk
from coverage.service.multipart import End, Head, boundary_of, parts
from coverage.service.own import name_of, signed
from coverage.service.problems import Refusal
from coverage.service.said import LONGEST, WORDS, Said, file_name, said, said_twice, unknown_field
from coverage.service.sending import Hashed, Sending, is_repeat, key_reused, of_key

router = APIRouter()
_FORM_BYTES = 1 << 20  # what a form may add to its files
_MOST_FILES = 100


@dataclass(frozen=True)
class _Came:
    """A file of the form: the delivery that holds its bytes, or the earlier one that they were compared with."""

    file: str
    delivery_id: str
    sha256: str | None
    compared: Delivery | None


@router.post("/v1/uploads")
async def post(desk: AtDesk, request: Request) -> Response:
    """Receive the files of a form; each is read in after this answer, see its Location."""
    return await answered(request, partial(_post, desk, request))


async def _post(desk: Desk, request: Request, coming: Coming) -> Response:
    boundary = boundary_of(request.headers.get("content-type", ""))
    length = announced(request)
    desk.require_fits(None if length is None else max(0, length - _FORM_BYTES))
    key = idempotency_key(request)
    with desk.receiving(name_of(request)), desk.key(key), ExitStack() as held:
        form = _Form(desk, key, held, partial(signed, request))
        try:
            async for event in parts(body(coming, desk), boundary):
                await form.take(event)
            done = await form.completed()
        except BaseException:
            await form.give_up()
            raise
        contents = [await run_in_threadpool(delivery, desk.workspace, one) for one, _ in done]
    status = 202 if any(new for _, new in done) else 200
    content = contents[0] if len(contents) == 1 else {"deliveries": contents}
    return answer(content, status, {"Location": url_of(done[0][0].delivery_id)})


class _Form:
    """A form while it comes: the words so far, and its files, the one that is coming last."""

    def __init__(self, desk: Desk, key: str | None, held: ExitStack, sign: Callable[[Said], Said]) -> None:
        self._desk, self._key, self._held, self._sign = desk, key, held, sign
        self._words: dict[str, str] = {}
        self._came: list[_Came] = []
        self._word: str | None = None  # the field that is coming
        self._value = bytearray()
        self._begun: _Came | None = None  # the file that is coming
        self._sink: OpenPart | Hashed = Hashed()
        self._pour: Pour | None = None

    async def take(self, event: Head | bytes | End) -> None:
        """Go on with what has come."""
        if isinstance(event, Head):
            await self._head(event)
        elif isinstance(event, End):
            await self._end()
        elif self._pour is not None:
            await self._pour.take(event)
        else:
            self._value += event
            if len(self._value) > LONGEST * 4:
                raise InputError(
                    f"Trường {self._word!r:.60} quá dài.", f"Field {self._word!r:.60} is too long."
                )

    async def _head(self, head: Head) -> None:
        if head.name != "file" or head.file is None:
            # A mistyped name is told before more comes.
            if head.name not in {"file", *WORDS}:
                raise unknown_field(head.name, ("file", *WORDS))
            if head.name in self._words:
                raise said_twice(head.name)
            self._word, self._value = head.name, bytearray()
            return
        if len(self._came) >= _MOST_FILES:
            raise InputError(
                f"Mỗi lần gửi tối đa {_MOST_FILES} tệp.", f"At most {_MOST_FILES} files at once."
            )
        await self._begin(file_name(head.file), self._sign(said(self._words, self._desk.workspace)))

    async def _begin(self, file: str, said_: Said) -> None:
        workspace, key = self._desk.workspace, self._key_of(len(self._came))
        earlier = await run_in_threadpool(of_key, workspace, key)
        if earlier is not None and earlier.state == "receiving":
            # Its sender is gone: nobody else has the key at this moment. A lock of another process says otherwise.
            with open_part(workspace, earlier.delivery_id):
                await run_in_threadpool(deciding.cancel, workspace, earlier.delivery_id)
            earlier = None
        if earlier is not None:
            self._begun, self._sink = _Came(file, earlier.delivery_id, None, earlier), Hashed()
        elif any(one.compared for one in self._came):
            raise key_reused(self._key)  # there were fewer files when it came first
        else:
            sending = Sending(uuid4().hex, file, said_, None, key)
            await run_in_threadpool(sending.begin, workspace)
            self._begun = _Came(file, sending.delivery_id, None, None)
            self._sink = self._held.enter_context(open_part(workspace, sending.delivery_id))
        self._pour = Pour(self._sink, self._desk.most_bytes)

    def _key_of(self, index: int) -> str | None:
        return self._key if self._key is None or index == 0 else f"{self._key}\n{index}"

    async def _end(self) -> None:
        if self._pour is None or self._begun is None:
            name = str(self._word)
            if name == "file":
                raise InputError(
                    "Trường file phải là một tệp (curl -F file=@tệp).",
                    "Field file must be a file (curl -F file=@file).",
                )
            self._words[name] = self._value.decode("utf-8", "replace")
            return
        pour, self._pour = self._pour, None
        await pour.settle()
        begun, self._begun = self._begun, None
        self._came.append(_Came(begun.file, begun.delivery_id, self._sink.sha256, begun.compared))

    async def completed(self) -> list[tuple[Delivery, bool]]:
        """Each file's delivery, received, and whether it is new here."""
        if not self._came:
            raise Refusal(
                422,
                "file_missing",
                "Biểu mẫu không có tệp nào ở trường file.",
                "The form holds no file in its field file.",
            )
        said_ = self._sign(said(self._words, self._desk.workspace))
        if said_.sha256 is not None and len(self._came) > 1:
            raise InputError("sha256 chỉ dùng khi gửi một tệp.", "sha256 is for a single file only.")
        for one in self._came:
            if one.compared is not None and not self._is_repeat(one.compared, one, said_):
                raise key_reused(self._key)
        await self._require_all_of_key()
        return [await run_in_threadpool(self._complete, one, said_) for one in self._came]

    def _is_repeat(self, earlier: Delivery, came: _Came, said_: Said) -> bool:
        return is_repeat(self._desk.workspace, earlier, came.file, said_, came.sha256)

    async def _require_all_of_key(self) -> None:
        key = self._key_of(len(self._came))
        if self._came[0].compared and await run_in_threadpool(of_key, self._desk.workspace, key):
            raise key_reused(self._key)

    def _complete(self, came: _Came, said_: Said) -> tuple[Delivery, bool]:
        if came.compared is not None:
            return came.compared, False
        workspace = self._desk.workspace
        receiving.describe(
            workspace,
            came.delivery_id,
            said_.context,
            told_sha256=said_.sha256,
            by=said_.by,
            held=said_.hold,
        )
        done = receiving.complete(workspace, came.delivery_id, came.sha256)
        return done, done.same_as is None

    async def give_up(self) -> None:
        """Forget the files of a form that failed: their client knows none of them."""
        if self._pour is not None:
            await self._pour.drop()
        for one in (*self._came, *([self._begun] if self._begun else [])):
            if one.compared is None:
                await run_in_threadpool(self._forget, one.delivery_id)

    def _forget(self, delivery_id: str) -> None:
        if deliveries.show(self._desk.workspace, delivery_id).state == "receiving":
            deciding.cancel(self._desk.workspace, delivery_id)
