"""The map's hexes as image tiles: which tile of which layer an address means, and the answer."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from coverage.archive import history
from coverage.errors import InputError
from coverage.exports import hex_layers, tiles
from coverage.exports.tiles import SIDE, Tile
from coverage.service.desk import AtDesk
from coverage.service.ogc_questions import words_of
from coverage.service.published import Shown, View
from coverage.service.representations import headers_of, is_held
from coverage.service.squares import Asked
from coverage.service.views import Seen

router = APIRouter(tags=["Bản đồ / map"])
# A tile is all work and no waiting: more of them at once than there are cores would only take longer, each of them.
_LINE = threading.BoundedSemaphore(os.cpu_count() or 1)
_KEPT = "private, max-age=86400"

LayerName = Annotated[
    str,
    Path(description="hexes, notspots, age, change; with an operator's code hexes-45204, predicted-45204 …"),
]


def earlier(
    layer: LayerName,
    desk: AtDesk,
    seen: Seen,
    since: Annotated[
        str | None, Query(description="of layers of changes: the earlier snapshot by its id")
    ] = None,
) -> View | None:
    """What a layer of changes is compared with, as the caller may see it; None for other layers."""
    if hex_layers.compares(layer) != (since is not None):
        raise InputError(
            f"since={since!r:.80}: lớp change cần bản đánh giá trước, lớp khác không nhận.",
            f"since={since!r:.80}: layers of changes need an earlier snapshot, others take none.",
            code="bad_parameter",
        )
    return None if since is None else replace(seen, snapshot_id=history.require(desk.workspace, since))


@router.get("/tiles/{layer:path}/{z}/{x}/{y}.png")
def tile(
    layer: LayerName,
    square: Asked,
    before: Annotated[View | None, Depends(earlier)],
    request: Request,
    seen: Seen,
    published: Shown,
) -> Response:
    """One image tile of a layer of hexes (XYZ, Web Mercator, PNG), see-through where the layer has nothing."""
    # `drawn` is any text: a page that says another one has its tiles drawn anew, as after a change of colours.
    said = words_of(request, ("snapshot", "since", "drawn"))
    headers = headers_of(seen)
    if "snapshot" in said:
        headers["Cache-Control"] = _KEPT
    if is_held(request, seen):
        return Response(status_code=304, headers=headers)
    with _LINE:
        shown = published.layer(seen, layer, square.zoom, before)
        place = Tile(square.zoom, square.column, square.row, square.density * SIDE)
        content = tiles.png(shown, published.grid(place, shown.resolution))
    return Response(content, 200, headers, "image/png")
