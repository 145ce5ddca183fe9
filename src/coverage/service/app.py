"""The service: the map, the gap list, and the doors through which measurements come."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from coverage.archive.workspace import Workspace
from coverage.service import (
    deliveries,
    downloads,
    figures,
    forms,
    ground,
    guide_page,
    health,
    login,
    map_data,
    metrics,
    ogc,
    pages,
    preview,
    sending,
    spots,
    tiles,
    tus,
    upload_page,
    uploads,
)
from coverage.service.api_document import completed
from coverage.service.desk import Desk
from coverage.service.doors import add_doors
from coverage.service.problems import add_handlers
from coverage.service.provider import provider_of
from coverage.service.published import Published
from coverage.service.underlay import Underlay
from coverage.service.versions import VERSION
from coverage.settings import get_settings

_ROUTES = (
    health,
    metrics,
    login,
    pages,
    ogc,
    downloads,
    figures,
    map_data,
    spots,
    ground,  # before tiles: /tiles/base would be a layer's name there
    tiles,
    upload_page,
    guide_page,
    forms,
    sending,
    tus,
    deliveries,
    preview,
    uploads,
)


def create_app(
    workspace: Workspace, closing: Callable[[], bool] = lambda: False, *, expects_worker: bool = False
) -> FastAPI:
    """The application on one workspace.

    closing: whether the process is about to end, so that senders are told. expects_worker: whether it is ready only
    while a worker is alive.
    """
    app: FastAPI = FastAPIOffline(
        title="Phủ Sóng", version=VERSION, static_url="/static-docs", redoc_url=None
    )
    app.state.expects_worker = expects_worker
    settings = get_settings()
    app.state.public_url = settings.public_url
    app.state.provider = provider_of(workspace, settings)
    app.state.has_provider = app.state.provider is not None
    add_doors(app, workspace, settings)
    add_handlers(app)
    app.state.desk = Desk(workspace, closing)
    app.state.published = Published(workspace)
    app.state.underlay = Underlay(workspace, settings)
    # The routes one by one, in the order in which they are asked: the doors look at them before anybody answers.
    app.state.routes = list(app.routes)
    for routes in _ROUTES:
        app.include_router(routes.router)
        app.state.routes += routes.router.routes
    app.openapi = partial(completed, app)  # type: ignore[method-assign]
    return app
