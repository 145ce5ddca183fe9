"""Which snapshot a request is about, and what of it the caller may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from coverage.archive import history
from coverage.service.admission import Asking
from coverage.service.desk import AtDesk
from coverage.service.published import Shown, View


def latest_view(request: Request, published: Shown, caller: Asking) -> View:
    """The latest snapshot as the caller may see it; raises `NotFound` where there is none."""
    return view_of(request, published.latest_id(), caller)


def _view(
    request: Request,
    desk: AtDesk,
    published: Shown,
    caller: Asking,
    snapshot: Annotated[
        str | None, Query(description="an earlier snapshot by its id; else the latest")
    ] = None,
) -> View:
    if snapshot is None:
        return latest_view(request, published, caller)
    return view_of(request, history.require(desk.workspace, snapshot), caller)


def view_of(request: Request, snapshot_id: str, caller: Asking) -> View:
    """An operator sees its own network and nothing of its competitors'; who is nobody sees what is nobody's trace."""
    own = None if caller is None else caller.operator
    return View(snapshot_id, own, bool(getattr(request.state, "public", False)))


Seen = Annotated[View, Depends(_view)]
