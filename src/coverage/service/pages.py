"""The planner's map: its page, and the style and scripts beside it."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from coverage.archive import history, snapshots
from coverage.archive.workspace import Workspace
from coverage.errors import NotFound
from coverage.exports.maps import bounds_of
from coverage.exports.maps_data import COLOURS
from coverage.exports.maps_online import Online, map_page
from coverage.exports.maps_page import page_files, static_digest
from coverage.service.access import may
from coverage.service.admission import Asking, shows_session
from coverage.service.desk import AtDesk
from coverage.service.ground import ground_of
from coverage.service.ogc_questions import words_of
from coverage.service.published import Shown
from coverage.service.views import view_of

router = APIRouter()
_FOR_GOOD = "public, max-age=31536000, immutable"
_EMPTY_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Phủ Sóng</title>
<body style="font-family:system-ui;margin:3rem"><h1>Phủ Sóng</h1>
<p>Chưa có bản đánh giá nào. Hãy thêm ranh giới thôn rồi <a href="/upload">gửi số liệu đo</a>
(cho chương trình: <a href="/docs">/docs</a>).</p>
<p lang="en">No assessment yet. Add village boundaries, then <a href="/upload?lang=en">send measurements</a>.</p>"""


@router.get("/", response_class=HTMLResponse)
def page(
    request: Request,
    desk: AtDesk,
    published: Shown,
    caller: Asking,
    snapshot: Annotated[str | None, Query(description="an earlier snapshot by its id")] = None,
    before: Annotated[str | None, Query(description="the snapshot to compare it with")] = None,
) -> HTMLResponse:
    """The planner's map of the latest snapshot, or of another; to an operator that of its own network."""
    words_of(request, ("snapshot", "before"))
    try:
        newest = published.latest_id()
    except NotFound:
        return HTMLResponse(_EMPTY_PAGE)
    shown = view_of(request, history.require(desk.workspace, snapshot or newest), caller)
    found = published.snapshot(shown)
    online = Online(
        snapshot=found.info,
        newest=newest,
        before=None if before is None else _info(desk.workspace, before),
        ground=ground_of(request),
        static=f"/static-map/{static_digest()}",
        may_send=caller is None or may(caller.role, "POST /v1/uploads"),
        is_logged_in=caller is not None and shows_session(request.headers),
    )
    key = (shown, "page", newest, before, online.ground, online.may_send, online.is_logged_in)
    made = published.page(key, lambda: map_page(online, bounds_of(found), COLOURS).encode())
    return HTMLResponse(made)


def _info(workspace: Workspace, snapshot_id: str) -> snapshots.SnapshotInfo:
    return snapshots.load_info(workspace.snapshots, history.require(workspace, snapshot_id))


@router.get("/static-map/{digest}/{name}", include_in_schema=False)
def map_file(request: Request, digest: str, name: str) -> Response:
    """A style or script of the map, to be kept for good under this address."""
    if digest != static_digest() or name not in page_files():
        raise NotFound(f"Không có {name}: hãy tải lại trang.", f"There is no {name}: reload the page.")
    content, kind = page_files()[name]
    headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content, media_type=kind, headers=headers)
    return Response(_packed(name), media_type=kind, headers=headers | {"Content-Encoding": "gzip"})


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(page_files()[name][0].encode(), mtime=0)
