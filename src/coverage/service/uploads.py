"""The archive's uploads: what became of each, its refused rows, withdrawing and restoring."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import Response as Plain
from pydantic import AfterValidator

from coverage.archive import uploads
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import NotFound
from coverage.exports.files import table_to_csv
from coverage.exports.rejects import rejects_table
from coverage.service.admission import Asking
from coverage.service.answers import answer, as_utc, receipt
from coverage.service.cures import over_http
from coverage.service.desk import AtDesk
from coverage.service.own import only_by, require_own_upload
from coverage.service.paging import cursor, onward
from coverage.service.problems import BadField, Refusal
from coverage.service.said import LONGEST, words_once

router = APIRouter(dependencies=[Depends(words_once), Depends(require_own_upload)])


def _known_shape(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{16}", text):
        raise NotFound(f"Không có lần tải lên {text!r:.60}.", f"There is no upload {text!r:.60}.")
    return text


UploadId = Annotated[str, AfterValidator(_known_shape)]


@router.get("/v1/uploads")
def list_uploads(
    desk: AtDesk,
    caller: Asking,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: str | None = None,
) -> Response:
    """The uploads, withdrawn ones included, newest first, to a team its own; `next` leads to older ones."""
    seen_last = cursor("after", after, _known_shape)
    found = uploads.newest(desk.workspace, limit, seen_last, only_by(caller))
    seen = [(one["received_utc"], one["upload_id"]) for one in found]
    shown = [_public(one) for one in found]
    return answer({"uploads": shown, "next": onward("/v1/uploads", "after", limit, seen)})


@router.get("/v1/uploads/{upload_id}")
def show(desk: AtDesk, upload_id: UploadId) -> Response:
    """What became of one upload, and its history."""
    return answer(_shown(desk.workspace, upload_id))


def _shown(workspace: Workspace, upload_id: str) -> dict[str, Any]:
    row = uploads.show(workspace, upload_id)
    events = [one | {"at_utc": as_utc(one["at_utc"])} for one in row.pop("events")]
    return _public(row) | {"events": events}


def _public(row: dict[str, Any]) -> dict[str, Any]:
    return receipt(row) | {"received_utc": as_utc(row["received_utc"])}


@router.get("/v1/uploads/{upload_id}/rejects.csv")
def rejects(desk: AtDesk, upload_id: UploadId) -> Response:
    """The rows that were not accepted, with reason and cure, as Excel opens it."""
    content = table_to_csv(rejects_table(desk.workspace, upload_id, over_http))
    headers = {"Content-Disposition": f'attachment; filename="rejects-{upload_id}.csv"'}
    return Plain(content, 200, headers, "text/csv; charset=utf-8")


@router.delete("/v1/uploads/{upload_id}")
def withdraw(desk: AtDesk, caller: Asking, upload_id: UploadId, reason: str = "", by: str = "") -> Response:
    """Take an upload out of every later assessment; it can be restored."""
    if not reason.strip():
        raise Refusal(
            422,
            "reason_missing",
            "Hãy nói vì sao rút: ?reason=…",
            "Say why it is withdrawn: ?reason=…",
        )
    uploads.withdraw(desk.workspace, upload_id, _text("reason", reason) or "", _name(caller, by))
    return answer(_shown(desk.workspace, upload_id))


@router.post("/v1/uploads/{upload_id}/restore")
def restore(desk: AtDesk, caller: Asking, upload_id: UploadId, reason: str = "", by: str = "") -> Response:
    """Let a withdrawn upload count again."""
    uploads.restore(desk.workspace, upload_id, _text("reason", reason), _name(caller, by))
    return answer(_shown(desk.workspace, upload_id))


def _name(caller: Caller | None, by: str) -> str | None:
    return _text("by", by) if caller is None else caller.name


def _text(name: str, text: str) -> str | None:
    text = text.strip()
    if len(text) > LONGEST * 5 or not text.isprintable():
        raise BadField(
            f"Trường {name} quá dài hoặc có ký tự lạ.", f"Field {name} is too long or not printable."
        )
    return text or None
