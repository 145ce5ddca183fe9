"""What a team sent is its own: it signs what it sends, and of what others sent it is told nothing."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from coverage.archive import deliveries, uploads
from coverage.archive.deliveries import Delivery
from coverage.archive.workspace import Workspace
from coverage.callers import Caller
from coverage.errors import NotFound
from coverage.service.admission import Asking
from coverage.service.desk import AtDesk, plain_id
from coverage.service.said import Said


def name_of(request: Request) -> str | None:
    """The name of the caller's key or account; None where the service is open."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return None if caller is None else caller.name


def signed(request: Request, said: Said) -> Said:
    """What a client says of a file, with the name of its key or account where it has one, whatever it calls itself."""
    name = name_of(request)
    return said if name is None else replace(said, by=name)


def only_by(caller: Caller | None) -> str | None:
    """Whose deliveries and uploads a caller may see: its own name, or None for everybody's."""
    return caller.name if caller is not None and caller.role == "field_team" else None


async def require_own_delivery(request: Request, desk: AtDesk, caller: Asking) -> None:
    """Raise `NotFound` where the path names a delivery that another team sent; a new one is nobody's yet."""
    mine, delivery_id = only_by(caller), request.path_params.get("delivery_id")
    if mine is None or delivery_id is None:
        return
    found = await run_in_threadpool(_existing, desk.workspace, delivery_id)
    if found is not None and found.by != mine:
        raise NotFound(f"Không có lần gửi {delivery_id!r:.60}.", f"There is no delivery {delivery_id!r:.60}.")


def _existing(workspace: Workspace, delivery_id: str) -> Delivery | None:
    try:
        return deliveries.show(workspace, plain_id(delivery_id))
    except NotFound:
        return None


def require_own_upload(request: Request, desk: AtDesk, caller: Asking) -> None:
    """Raise `NotFound` where the path names an upload that another team sent."""
    mine, upload_id = only_by(caller), request.path_params.get("upload_id")
    if mine is not None and upload_id is not None and uploads.sender(desk.workspace, upload_id) != mine:
        raise NotFound(f"Không có lần tải lên {upload_id!r:.60}.", f"There is no upload {upload_id!r:.60}.")
