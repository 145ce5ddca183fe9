"""The service: the map, the gap list, and the doors through which measurements come."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from coverage.archive.workspace import Workspace
from coverage.service import deliveries, forms, guide_page, pages, preview, sending, tus, upload_page, uploads
from coverage.service.desk import Desk
from coverage.service.doors import add_doors
from coverage.service.problems import add_handlers


def create_app(workspace: Workspace, closing: Callable[[], bool] = lambda: False) -> FastAPI:
    """The application on one workspace; `closing` says that the process is about to end, so that senders are told."""
    app: FastAPI = FastAPIOffline(
        title="Phủ Sóng", version="0.1.0", static_url="/static-docs", redoc_url=None
    )
    add_doors(app)
    add_handlers(app)
    app.state.desk = Desk(workspace, closing)
    app.state.pages = {}
    for routes in (pages, upload_page, guide_page, forms, sending, tus, deliveries, preview, uploads):
        app.include_router(routes.router)
    return app
