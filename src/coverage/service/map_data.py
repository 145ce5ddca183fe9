"""What the map's page asks for beside shapes and tiles: texts and verdicts, snapshots, changes, classes of hexes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from coverage.archive import history
from coverage.exports import legend
from coverage.exports.map_changes import village_changes
from coverage.exports.maps_data import page_data
from coverage.exports.mercator import DEEPEST
from coverage.service.desk import AtDesk
from coverage.service.ogc_questions import words_of
from coverage.service.published import Published, Shown, View
from coverage.service.representations import of_snapshot
from coverage.service.tiles import earlier
from coverage.service.views import Seen

router = APIRouter(prefix="/map", tags=["Bản đồ / map"])
_JSON = "application/json"
_LISTED = 500
Since = Annotated[str, Query(description="the earlier snapshot by its id")]


@router.get("/data.json")
def data(request: Request, seen: Seen, published: Shown) -> Response:
    """Everything that the page shows except shapes, as columns: villages, verdicts, communes, counts, words, colours."""
    words_of(request, ("snapshot",))

    def make() -> bytes:
        return orjson.dumps(page_data(published.snapshot(seen)), option=orjson.OPT_SERIALIZE_NUMPY)

    return of_snapshot(request, published, seen, ("map", "data"), make, _JSON)


@router.get("/snapshots.json")
def snapshots(request: Request, desk: AtDesk) -> Response:
    """The snapshots that can be shown, the latest first: snapshot_id, as_of, criteria, made_utc; at most 500."""
    words_of(request, ("snapshot",))
    found = history.newest_first(desk.workspace, _LISTED)
    return Response(
        orjson.dumps({"snapshots": found}), media_type=_JSON, headers={"Cache-Control": "private, no-cache"}
    )


@router.get("/changes.json")
def changes(request: Request, desk: AtDesk, seen: Seen, published: Shown, since: Since) -> Response:
    """Villages whose status is not what it was in the snapshot `since`: newly lost, covered, measured, no longer known."""
    words_of(request, ("snapshot", "since"))
    before = replace(seen, snapshot_id=history.require(desk.workspace, since))
    return of_snapshot(
        request, published, seen, ("map", "changes", since), lambda: _changes(published, seen, before), _JSON
    )


@router.get("/classes.json")
def classes(
    request: Request,
    desk: AtDesk,
    seen: Seen,
    published: Shown,
    layer: Annotated[str, Query(description="a layer of tiles by its name")],
    since: Annotated[str | None, Query(description="the earlier snapshot, of a layer of changes")] = None,
) -> Response:
    """The legend of a layer of hexes: its classes with words, colours and how many hexes are of each."""
    words_of(request, ("snapshot", "layer", "since"))
    before = earlier(layer, desk, seen, since)

    def make() -> bytes:
        found = published.layer(seen, layer, DEEPEST, before)
        return orjson.dumps({"layer": layer, "classes": legend.classes(found)})

    return of_snapshot(request, published, seen, ("map", "classes", layer, since), make, _JSON)


def _changes(published: Published, seen: View, before: View) -> bytes:
    found = village_changes(published.snapshot(seen), published.snapshot(before))
    return orjson.dumps({"since": before.snapshot_id, "villages": found}, option=orjson.OPT_SERIALIZE_NUMPY)
