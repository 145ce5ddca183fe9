"""Deliveries and uploads as the JSON that clients see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from fastapi import Response

from coverage.archive import deliveries, history, jobs
from coverage.archive.deliveries import Delivery
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.logs.context import to_json
from coverage.logs.reasons import fix, reason
from coverage.service.cures import over_http
from coverage.service.problems import document, status_of

FINAL = frozenset({"done", "refused", "failed", "cancelled"})
_PARTS = frozenset(
    {"measurements_part", "outcomes_part", "stored_in"}
)  # where rows are kept is nobody's business


def answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The content as JSON that nobody keeps a copy of: it changes while it is looked at."""
    told = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(content, default=_plain), status, told, "application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return as_utc(value)
    raise TypeError(type(value).__name__)


def as_utc(time: datetime | None) -> str | None:
    """A time of the manifest (UTC without zone) as ISO 8601 with Z, to the second."""
    return None if time is None else time.isoformat(timespec="seconds") + "Z"


def url_of(delivery_id: str) -> str:
    """Where a delivery is looked at."""
    return f"/v1/deliveries/{delivery_id}"


def delivery(workspace: Workspace, shown: Delivery) -> dict[str, Any]:
    """A delivery as its client sees it; one of the same bytes and context as an earlier one shows what became of that."""
    earlier = None if shown.same_as is None else deliveries.show(workspace, shown.same_as)
    about = {
        "delivery_id": shown.delivery_id,
        "url": url_of(shown.delivery_id),
        "file": shown.file,
        "held": _held(workspace, shown),
        "offset": _offset(workspace, shown),
        "length": shown.length,
        "receipt": shown.receipt,
        "sha256": shown.sha256,
        "context": to_json(shown.context),
        "by": shown.by,
        "same_as": None if earlier is None else _earlier(earlier),
        "already_received_utc": None if earlier is None else as_utc(earlier.received_utc),
        "created_utc": as_utc(shown.created_utc),
        "received_utc": as_utc(shown.received_utc),
        "expires_utc": as_utc(shown.expires_utc),
    }
    return about | _became(workspace, shown if earlier is None or shown.state in FINAL else earlier)


def _held(workspace: Workspace, shown: Delivery) -> bool:
    """Whether its sender may still say what it is: nobody has, even where it was read by itself, and its bytes are here."""
    whole = shown.state in {"received", "done", "refused", "failed"}
    return shown.held and whole and deliveries.received_file(workspace, shown).exists()


def _offset(workspace: Workspace, shown: Delivery) -> int | None:
    part = deliveries.part(workspace, shown.delivery_id)
    return part.stat().st_size if shown.state == "receiving" and part.exists() else shown.length


def _earlier(earlier: Delivery) -> dict[str, Any]:
    about = {"delivery_id": earlier.delivery_id, "file": earlier.file, "state": earlier.state}
    return about | {"received_utc": as_utc(earlier.received_utc)}


def _became(workspace: Workspace, shown: Delivery) -> dict[str, Any]:
    """State, progress and result: what the worker makes of a delivery."""
    job = jobs.of_delivery(workspace, shown.delivery_id)
    result = shown.result or {"files": [], "refused": []}
    uploads = [one["upload_id"] for one in result["files"]]
    judged, snapshot_id = history.counts_now(workspace, uploads)
    ended = shown.state in FINAL
    return {
        "state": shown.state,
        "stage": None if job is None or ended else job["stage"],
        "share": 1.0 if ended else 0.0 if job is None else job["share"],
        "attempts": 0 if job is None else job["attempts"],
        "files": [receipt(one) for one in result["files"]],
        "refused": [_stored(one, 422) for one in result["refused"]],
        "fault": None if job is None or not job["fault"] else _stored(job["fault"], 500),
        "judged": judged,
        "snapshot_id": snapshot_id,
    }


def receipt(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt of an upload with each reason and fix in words."""
    told = {"reasons": reasons(stored["reasons"]), "fixes": fixes(stored["fixes"])}
    return {name: value for name, value in stored.items() if name not in _PARTS} | told


def reasons(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reasons of refused rows with their sentences: `ly_do` in Vietnamese, `reason` in English."""
    return [one | _sentence(one["code"], one["column"], one["value"]) for one in found]


def _sentence(code: str, column: str | None, value: str | None) -> dict[str, str]:
    return dict(zip(("ly_do", "reason"), over_http(*reason(code, column, value)), strict=True))


def fixes(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ways of writing that were read all the same, with their names: `vi`, `en`."""
    return [one | dict(zip(("vi", "en"), fix(one["code"]), strict=True)) for one in found]


def _stored(fault: Mapping[str, str], status: int) -> dict[str, object]:
    return document(status, fault["code"], fault["vi"], fault["en"])


def said_again(fault: PhusongError) -> dict[str, object]:
    """The problem document of an error that stands inside an answer."""
    return document(status_of(fault), fault.code, fault.vi, fault.en)
