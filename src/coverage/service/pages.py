"""The planner's map and the gap list of the latest snapshot."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from coverage.archive import history
from coverage.errors import NotFound
from coverage.exports import files, lists
from coverage.exports.maps import map_html
from coverage.service.desk import AtDesk

router = APIRouter()
_EMPTY_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Phủ Sóng</title>
<body style="font-family:system-ui;margin:3rem"><h1>Phủ Sóng</h1>
<p>Chưa có bản đánh giá nào. Hãy thêm ranh giới thôn rồi <a href="/upload">gửi số liệu đo</a>
(cho chương trình: <a href="/docs">/docs</a>).</p>
<p lang="en">No assessment yet. Add village boundaries, then <a href="/upload?lang=en">send measurements</a>.</p>"""


@router.get("/", response_class=HTMLResponse)
def page(desk: AtDesk, request: Request) -> str:
    """The planner's map of the latest snapshot."""
    try:
        newest = history.latest_id(desk.workspace)
    except NotFound:
        return _EMPTY_PAGE
    pages: dict[str, str] = request.app.state.pages
    page = pages.get(newest)
    if page is None:
        page = map_html(history.latest(desk.workspace), upload_url="/upload")
        pages.clear()
        pages[newest] = page
    return page


@router.get("/gaps.geojson")
def gaps_geojson(desk: AtDesk) -> Response:
    """The gap list of the latest snapshot, RFC 7946."""
    frame = lists.select(history.latest(desk.workspace), "gaps")
    return Response(files.to_bytes(frame, "geojson"), media_type="application/geo+json")


@router.get("/healthz")
def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}
