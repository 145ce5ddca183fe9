"""The service in its plain first form: the map, the gap list, and uploads that change both."""

from __future__ import annotations

import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import orjson
from fastapi import Depends, FastAPI, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse
from fastapi_offline import FastAPIOffline

from coverage import intake, pipeline
from coverage.archive import history, uploads
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace
from coverage.errors import InputError, NotFound
from coverage.exports import files, lists
from coverage.exports.maps import map_html
from coverage.logs.context import Context, DateOrder
from coverage.service import upload_page
from coverage.service.doors import add_doors
from coverage.service.problems import add_handlers, problem

_COPY_BYTES = 1 << 20
_LONGEST_NAME = 120  # bytes; file systems take 255
_FIELDS = (
    *("file", "source", "operator", "technology", "device", "date", "timezone"),
    *("in_vehicle", "calibrated", "positive_only", "format", "team", "date_order"),
)
_EMPTY_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Phủ Sóng</title>
<body style="font-family:system-ui;margin:3rem"><h1>Phủ Sóng</h1>
<p>Chưa có bản đánh giá nào. Hãy thêm ranh giới thôn rồi <a href="/upload">gửi số liệu đo</a>
(cho chương trình: <a href="/docs">/docs</a>).</p>
<p lang="en">No assessment yet. Add village boundaries, then <a href="/upload?lang=en">send measurements</a>.</p>"""


def create_app(workspace: Workspace, today: Callable[[], date] = date.today) -> FastAPI:
    """The application on one workspace; `today` is the date on which an upload is judged."""
    app: FastAPI = FastAPIOffline(
        title="Phủ Sóng", version="0.1.0", static_url="/static-docs", redoc_url=None
    )
    add_doors(app)
    pages: dict[str, str] = {}
    judging = threading.Lock()
    add_handlers(app)
    app.include_router(upload_page.router(workspace))

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        """The planner's map of the latest snapshot."""
        try:
            newest = history.latest_id(workspace)
        except NotFound:
            return _EMPTY_PAGE
        page = pages.get(newest)
        if page is None:
            page = map_html(history.latest(workspace))
            pages.clear()
            pages[newest] = page
        return page

    @app.get("/gaps.geojson")
    def gaps_geojson() -> Response:
        """The gap list of the latest snapshot, RFC 7946."""
        frame = lists.select(history.latest(workspace), "gaps")
        return Response(files.to_bytes(frame, "geojson"), media_type="application/geo+json")

    @app.post("/v1/uploads", status_code=201, dependencies=[Depends(_known_fields)])
    def upload(
        file: UploadFile,
        source: Annotated[Literal["drive_test", "crowdsourced"] | None, Form()] = None,
        operator: Annotated[str | None, Form()] = None,
        technology: Annotated[str | None, Form()] = None,
        device: Annotated[str | None, Form()] = None,
        day: Annotated[date | None, Form(alias="date")] = None,
        timezone: Annotated[str | None, Form()] = None,
        in_vehicle: Annotated[bool | None, Form()] = None,
        calibrated: Annotated[bool | None, Form()] = None,
        positive_only: Annotated[bool | None, Form()] = None,
        format: Annotated[str | None, Form()] = None,  # noqa: A002
        team: Annotated[str | None, Form()] = None,
        date_order: Annotated[DateOrder | None, Form()] = None,
    ) -> Response:
        """Receive a measurement file, account for every row, and judge again."""
        context = Context(
            source=source,
            operator=operator,
            technology=technology,
            device=device,
            date=day,
            timezone=timezone,
            in_vehicle=in_vehicle,
            calibrated=calibrated,
            positive_only=positive_only,
            format=format,
            team=team,
            date_order=date_order,
        )
        with _on_disk(workspace, file) as path:
            found = list(intake.ingest(workspace, path, context))
        receipts = [one for one in found if isinstance(one, Receipt)]
        refused = [problem(one) for one in found if not isinstance(one, Receipt)]
        with judging:
            snapshot_id = _judge(workspace, today())
        rows = [asdict(receipt) | {"added_rows": receipt.added_rows} for receipt in receipts]
        body = {"files": rows, "refused": refused, "snapshot_id": snapshot_id}
        headers = {"Location": f"/v1/uploads/{receipts[0].upload_id}"} if receipts else {}
        return Response(orjson.dumps(body), 201, headers, "application/json")

    @app.get("/v1/uploads/{upload_id}")
    def show_upload(upload_id: str) -> Response:
        """What became of one upload."""
        row = uploads.show(workspace, upload_id)
        public = {name: value for name, value in row.items() if not name.endswith("_part")}
        return Response(orjson.dumps(public, default=str), media_type="application/json")

    @app.get("/healthz")
    def health() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    return app


async def _known_fields(request: Request) -> None:
    # A field that nobody reads is a mistyped one: without it the rows would be read wrongly, in silence.
    unknown = sorted(set(await request.form()) - set(_FIELDS))
    if unknown:
        raise InputError(
            f"Không có trường {unknown[0]!r:.60}; các trường: {', '.join(_FIELDS)}.",
            f"There is no field {unknown[0]!r:.60}; the fields are: {', '.join(_FIELDS)}.",
        )


def _judge(workspace: Workspace, as_of: date) -> str | None:
    # Measurements may come before the villages: they are kept, and judged once there are villages.
    try:
        return pipeline.assess(workspace, as_of).snapshot_id
    except NotFound:
        return None


@contextmanager
def _on_disk(workspace: Workspace, file: UploadFile) -> Iterator[Path]:
    # The client's name may carry operator and date, so its harmless letters are kept, in a folder of our making.
    name = re.sub(r"[^\w.\-]", "_", Path(file.filename or "").name).lstrip(".")
    name = name.encode()[-_LONGEST_NAME:].decode(errors="ignore").lstrip(".")
    if not name:
        raise InputError("Tệp tải lên không có tên.", "The uploaded file has no name.")
    folder = workspace.incoming / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        with (folder / name).open("wb") as target:
            shutil.copyfileobj(file.file, target, _COPY_BYTES)
        yield folder / name
    finally:
        shutil.rmtree(folder)
