"""What lies under and beside the hexes: tiles of the base map, and the layers of the map as GeoJSON.

The base map is drawn here of the workspace's own layers, or comes from a file that the province has configured. A map
somewhere else is never asked by this service: the readers' browsers do, where one is configured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import geopandas as gpd
import orjson
import pandas as pd
from fastapi import APIRouter, Query, Request, Response

from coverage.archive import layers
from coverage.archive.snapshots import Snapshot
from coverage.archive.workspace import Workspace
from coverage.exports import map_layers
from coverage.exports.basemap_choice import Basemap
from coverage.service.admission import Asking
from coverage.service.desk import AtDesk
from coverage.service.ogc_documents import GEOJSON
from coverage.service.ogc_questions import words_of
from coverage.service.published import Shown
from coverage.service.representations import State, headers_of, is_held, of_snapshot
from coverage.service.squares import Asked
from coverage.service.underlay import Place, Underlay
from coverage.service.views import Seen

router = APIRouter(tags=["Bản đồ / map"])
# Layers change now and then: until then a browser need not ask for every tile again while somebody moves the map.
_TILES_KEPT = "private, max-age=300"


def ground_of(request: Request) -> Basemap:
    """The base map for the map's page."""
    return _underlay(request).source


def _underlay(request: Request) -> Underlay:
    underlay: Underlay = request.app.state.underlay
    return underlay


@router.get("/tiles/base/{z}/{x}/{y}.png")
def base_tile(request: Request, square: Asked) -> Response:
    """One tile of the base map (XYZ, Web Mercator): a PNG, or what the configured file holds, see-through where it has none."""
    words_of(request, ())
    underlay = _underlay(request)
    state = underlay.state()
    headers = headers_of(state) | {"Cache-Control": _TILES_KEPT}
    if is_held(request, state):
        return Response(status_code=304, headers=headers)
    content, kind = underlay.tile(state, Place(*square))
    return Response(content, 200, headers, kind)


@dataclass(frozen=True)
class _Layer:
    """A places layer in the state in which it is asked for; part: the file that holds it."""

    workspace: Workspace
    name: str
    part: str

    @classmethod
    def of(cls, workspace: Workspace, name: str) -> _Layer | None:
        """The layer as it is now; None where the workspace has none."""
        about = layers.origins(workspace).get(name)
        return None if about is None else cls(workspace, name, str(about["part"]))

    @property
    def _record(self) -> dict[str, dict[str, Any]]:
        return {self.name: {"part": self.part}}

    def shapes(self) -> gpd.GeoDataFrame:
        """A layer with geometry."""
        return layers.load_layer(self.workspace, self.name, self._record)

    def table(self) -> pd.DataFrame:
        """A layer without geometry."""
        return layers.load_table(self.workspace, self.name, self._record)


def _state(layer: _Layer | None, *more: str | None) -> State:
    said = ["" if layer is None else layer.part, *more]
    return State(hashlib.sha256(orjson.dumps(said)).hexdigest()[:16])


def _is_public(request: Request) -> bool:
    return bool(getattr(request.state, "public", False))


def _of_snapshot(name: str, make: Callable[[Snapshot], bytes], about: str) -> None:
    """Add the route of a layer that belongs to a snapshot."""

    @router.get(f"/map/{name}.json", name=f"map_{name}", description=about)
    def layer(request: Request, seen: Seen, published: Shown) -> Response:
        words_of(request, ("snapshot",))
        return of_snapshot(
            request, published, seen, ("map", name), lambda: make(published.snapshot(seen)), GEOJSON
        )


_of_snapshot(
    "communes",
    map_layers.communes,
    "The communes, for drawing: i (their place in /map/data.json), code, name.",
)
_of_snapshot(
    "villages",
    map_layers.villages,
    "The villages, for drawing: i (their place in /map/data.json), s (a digit per view: the place of the status there).",
)
_of_snapshot(
    "dead",
    map_layers.dead,
    "The dead areas, for drawing: i (village), v (view), l (list), n (nobody serves it), c (the operator claims service there).",
)


@router.get("/map/roads.json")
def roads(request: Request, desk: AtDesk, seen: Seen, published: Shown) -> Response:
    """The roads and passes as the workspace has them now, each with its kilometres by operator in that snapshot."""
    words_of(request, ("snapshot",))
    found = _Layer.of(desk.workspace, "roads")

    def make() -> bytes:
        if found is None:
            return map_layers.nothing()
        return map_layers.roads(found.shapes(), published.snapshot(seen).road_verdicts)

    return of_snapshot(request, published, _state(found, seen.tag), ("map", "roads"), make, GEOJSON)


Beside = Annotated[
    str | None,
    Query(alias="snapshot", description="taken as by other layers of the map; this one is as it is now"),
]


@router.get("/map/sites.json")
def sites(
    request: Request, desk: AtDesk, caller: Asking, published: Shown, snapshot: Beside = None
) -> Response:
    """The radio sites as the workspace has them now; to an operator its own, to the public none."""
    words_of(request, ("snapshot",))
    found = None if _is_public(request) else _Layer.of(desk.workspace, "sites")
    operator, criteria = None if caller is None else caller.operator, desk.workspace.criteria

    def make() -> bytes:
        if found is None:
            return map_layers.nothing()
        table = found.table()
        own = table if operator is None else table[table["operator"] == operator]
        return map_layers.sites(own, criteria.operators.names)

    state = _state(found, operator, criteria.hash)
    return of_snapshot(request, published, state, ("map", "sites"), make, GEOJSON)


@router.get("/map/lines.json")
def lines(request: Request, desk: AtDesk, published: Shown, snapshot: Beside = None) -> Response:
    """The power lines and transformers as the workspace has them now; to the public none: they are the utility's."""
    words_of(request, ("snapshot",))
    found = None if _is_public(request) else _Layer.of(desk.workspace, "lines")

    def make() -> bytes:
        return map_layers.nothing() if found is None else map_layers.lines(found.shapes())

    return of_snapshot(request, published, _state(found), ("map", "lines"), make, GEOJSON)
