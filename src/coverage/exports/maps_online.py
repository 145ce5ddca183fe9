"""The planner's map as a service sends it: a small page whose layers, pictures and texts come by address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import folium
from folium.utilities import JsCode

from coverage.archive.snapshots import SnapshotInfo
from coverage.exports.basemap_choice import Basemap
from coverage.exports.hex_classes import LOOK
from coverage.exports.maps import Bounds, Start, named, plan
from coverage.exports.maps_page import Page

_NOTHING = {"type": "FeatureCollection", "features": []}
# Before the script chooses a layer there is none to ask for.
_NO_TILES = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_MAX_ZOOM = 18
_AROUND_DEG = 0.2  # around the villages in which hexes and the ground are still drawn


@dataclass(frozen=True)
class Online:
    """What a page of the service knows besides the snapshot it shows.

    newest: id of the latest snapshot when the page was made. before: the snapshot it is compared with, None = none.
    static: address under which its style and scripts lie. may_send: whether the reader may send measurements.
    look_s: seconds between two looks whether there is a newer snapshot.
    """

    snapshot: SnapshotInfo
    newest: str
    before: SnapshotInfo | None
    ground: Basemap
    static: str
    may_send: bool = False
    is_logged_in: bool = False
    look_s: int = 60

    @property
    def said(self) -> dict[str, Any]:
        """What the page's script is told."""
        return {
            "snapshot": self.snapshot.snapshot_id,
            "newest": self.newest,
            "before": self.before.snapshot_id if self.before else None,
            "before_as_of": self.before.as_of if self.before else None,
            "attribution": self.ground.attribution,
            "look_s": self.look_s,
            "drawn": LOOK,
            "alone": len(self.snapshot.operators) == 1 and len(self.snapshot.in_scope) > 1,
        }


def map_page(online: Online, bounds: Bounds, colours: dict[str, str]) -> str:
    """The page as HTML, some 20 kB whatever the province; equal snapshots give equal pages.

    bounds: west, south, east, north in degrees that it opens on. colours: class → #rrggbb of everything it may draw.
    """
    page = Page({"online": online.said}, colours, online)
    around = plan(bounds, 1)  # tiles are sharp at whole zooms only
    page.add_child(around)
    ground = online.ground
    here = _widened(bounds)
    layers: dict[str, Any] = {
        "ground": _tiles(
            "ground",
            ground.url_template,
            here if ground.is_ours else None,
            (ground.min_zoom, ground.max_zoom),
        ),
        "hexes": _tiles("hexes", _NO_TILES, here),
        "forecast": _tiles("predicted", _NO_TILES, here),
        **{name: _shapes(name) for name in ("communes", "villages", "dead", "roads", "lines")},
        "sites": _shapes("sites", "phusong.sitePoint"),
    }
    for name, layer in layers.items():
        around.add_child(named(layer, name))
    around.add_child(Start(bounds, plan=around, layers=layers))
    return page.render_page()


def _widened(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return west - _AROUND_DEG, south - _AROUND_DEG, east + _AROUND_DEG, north + _AROUND_DEG


def _tiles(
    pane: str, url: str, bounds: Bounds | None, zooms: tuple[int, int] = (0, _MAX_ZOOM)
) -> folium.TileLayer:
    """Tiles that are asked for within the bounds only: each question costs the service, also about empty ground."""
    west, south, east, north = bounds or (-180, -85, 180, 85)
    return folium.TileLayer(
        url,
        attr=" ",
        overlay=True,
        show=False,
        control=False,
        pane=pane,
        min_native_zoom=zooms[0],
        max_native_zoom=zooms[1],
        max_zoom=_MAX_ZOOM,
        bounds=[[south, west], [north, east]],
    )


def _shapes(pane: str, point: str = "phusong.point") -> folium.GeoJson:
    return folium.GeoJson(
        _NOTHING,
        name=pane,
        pane=pane,
        show=False,
        control=False,
        interactive=pane not in {"dead", "lines"},
        point_to_layer=JsCode(point),
    )
