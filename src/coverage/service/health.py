"""Whether the process answers, whether it can do its work, and which version it is: for machines that watch, without a key.

Nothing is told here of paths, addresses or numbers of the workspace: anybody may ask.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
from fastapi import APIRouter, Request, Response

from coverage.archive.alive import is_alive
from coverage.archive.disk import require_room
from coverage.archive.standing import require_readable
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.service import versions
from coverage.service.answers import answer
from coverage.service.desk import AtDesk
from coverage.service.patience import within_patience
from coverage.service.problems import RETRY_AFTER_S, document

router = APIRouter()
_WORDS = {
    "manifest": ("không đọc được sổ ghi", "the manifest cannot be read"),
    "disk": ("ổ đĩa còn trống ít hơn mức sàn", "less disk is free than the floor"),
    "worker": ("không có tiến trình đọc tệp nào đang chạy", "no worker shows a sign of life"),
}


@router.get("/healthz")
def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(desk: AtDesk, request: Request) -> Response:
    """Whether the service can do its work: 200, or 503 and what is not ready."""
    checks = {"manifest": _manifest, "disk": _disk}
    if request.app.state.expects_worker:
        checks["worker"] = _worker
    failed = [name for name, check in checks.items() if not await _holds(check, desk.workspace)]
    return _not_ready(failed) if failed else answer({"status": "ready"})


@router.get("/version")
def version() -> Response:
    """Version of the program, and the Git commit that was built where that is known."""
    return answer(versions.about())


async def _holds(check: Callable[[Workspace], bool], workspace: Workspace) -> bool:
    try:
        return await within_patience(lambda: check(workspace))
    except (PhusongError, OSError):
        return False


def _manifest(workspace: Workspace) -> bool:
    require_readable(workspace)
    return True


def _disk(workspace: Workspace) -> bool:
    require_room(workspace.root)
    return True


def _worker(workspace: Workspace) -> bool:
    return is_alive(workspace)


def _not_ready(failed: list[str]) -> Response:
    vi, en = ("; ".join(_WORDS[name][language] for name in failed) for language in (0, 1))
    told = document(503, "not_ready", f"Chưa sẵn sàng: {vi}.", f"Not ready: {en}.") | {"not_ready": failed}
    headers = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    return Response(orjson.dumps(told), 503, headers, "application/problem+json")
