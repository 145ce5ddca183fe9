"""Snapshot → the planner's map: one HTML file that opens from a disk with the network cut.

Folium lays out the layers and sees only shapes, numbers and our own words: no text of a user ever
enters a folium string. Those strings are Jinja templates twice over, so `{{`, `${` and `<` in a
village's name would run. Texts travel as JSON (`maps_data`), the page around it is `maps_page`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import folium
import numpy as np
import orjson
import shapely
from folium.map import CustomPane
from folium.template import Template
from folium.utilities import JsCode

from coverage.archive.snapshots import Snapshot
from coverage.exports import hex_images, map_layers
from coverage.exports.hex_classes import Layer, coarser
from coverage.exports.maps_data import COLOURS, hex_layers, page_data, predicted_layers
from coverage.exports.maps_page import Page
from coverage.exports.tiles import png

_SIMPLER_COMMUNES = 4e-4
_COARSE, _FEW_HEXES = 8, 20_000  # a province is drawn at resolution 8, a commune or two as fine as judged
_MARGIN = 0.1  # degrees around the villages in which a measured hex is still drawn
_EMPTY_PNG = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
_EVERYWHERE = (102.0, 8.0, 110.0, 24.0)  # mainland Viet Nam, for a snapshot without any place
_PANES = {
    "ground": 210,
    "communes": 350,
    "villages_before": 395,
    "villages": 400,
    "predicted": 415,
    "hexes_before": 418,
    "hexes": 420,
    "dead": 440,
    "lines": 444,
    "roads": 446,
    "borders": 450,
    "labels": 460,
    "sites": 470,
}
_CLICKED = ("communes", "villages", "sites", "roads")
Bounds = hex_images.Bounds


class _Map(folium.Map):
    """A folium map that links to nothing: the page brings Leaflet and jQuery with it."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium reads it from the class
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


class Start(folium.MacroElement):
    """The last statement of folium's script: hands its layers to our own."""

    _template = Template("""{% macro script(this, kwargs) %}
        phusong.start({
            map: {{ this.plan.get_name() }},
            {% for name, layer in this.layers.items() %}{{ name }}: {{ layer.get_name() }},
            {% endfor %}{% for name, many in this.rows.items() %}{{ name }}: [{% for layer in many %}{{ layer.get_name() }}, {% endfor %}],
            {% endfor %}bounds: {{ this.corners|tojson }},
        });
    {% endmacro %}""")

    def __init__(
        self,
        bounds: Bounds,
        plan: folium.Map,
        layers: Mapping[str, Any],
        rows: Mapping[str, Sequence[Any]] = {},
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        west, south, east, north = bounds
        self.corners = [[south, west], [north, east]]
        self.plan, self.layers, self.rows = plan, layers, rows


def map_html(snapshot: Snapshot) -> str:
    """The map as one self-contained HTML page; equal snapshots give equal pages.

    Layers: communes, villages coloured by status, measured hexes per operator, dead areas, and, off until the
    reader switches them on, hexes that are predicted and not measured, striped, per operator. Geometry
    is simplified by about three metres; the lists hold it exactly. Asks no other host for anything.
    """
    bounds = bounds_of(snapshot)
    page = Page(page_data(snapshot), COLOURS)
    around = plan(bounds)
    page.add_child(around)
    layers: dict[str, Any] = {
        "communes": named(_communes(snapshot), "communes"),
        "villages": named(_geojson(map_layers.villages(snapshot), "villages"), "villages"),
        "dead": named(_geojson(map_layers.dead(snapshot), "dead"), "dead"),
    }
    forecast = predicted_layers(snapshot)
    pictures = {
        "views": _images(hex_layers(snapshot), bounds, "hexes"),
        "predicted": _images(forecast, bounds, "predicted") if forecast else [],
    }
    rows = {
        name: [named(image, f"{name}_{place}") for place, image in enumerate(images)]
        for name, images in pictures.items()
    }
    for element in (*rows["views"], *rows["predicted"], *layers.values()):
        around.add_child(element)
    around.add_child(Start(bounds, around, layers, rows))
    return page.render_page()


def plan(bounds: Bounds, zoom_snap: float = 0.5) -> folium.Map:
    """An empty map around those bounds (west, south, east, north in degrees), with a pane for each kind of layer."""
    west, south, east, north = bounds
    made = _Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=10,
        zoom_control="bottomright",
        zoom_snap=zoom_snap,
        attribution_control=False,
    )
    for name, z_index in _PANES.items():
        made.add_child(named(CustomPane(name, z_index, pointer_events=name in _CLICKED), name))
    named(made, "plan")
    return made


def named(element: Any, name: str) -> Any:  # noqa: ANN401 - folium's
    """The same element of folium with an id of ours: folium draws a random one, and equal snapshots give equal pages."""
    element._id = name
    return element


def bounds_of(snapshot: Snapshot) -> Bounds:
    """West, south, east, north in degrees of the villages, else of the communes."""
    for layer in (snapshot.villages, snapshot.communes):
        shapes = layer.geometry.to_numpy()
        drawn = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        if len(drawn):
            west, south, east, north = shapely.total_bounds(drawn).tolist()
            return west, south, east, north
    return _EVERYWHERE


def _images(layers: Sequence[Layer], bounds: Bounds, pane: str) -> list[folium.raster_layers.ImageOverlay]:
    """A picture of each layer, all of the same pixels; an empty one each where there is no hex within the map."""
    west, south, east, north = bounds
    within = (west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    shown = [_for_a_file(hex_images.findings(layer)) for layer in layers]
    cells = np.unique(np.concatenate([layer.hexes for layer in shown]))
    found = hex_images.picture(cells, shown[0].resolution, within) if len(cells) else None
    urls = [_EMPTY_PNG if found is None else hex_images.data_url(png(layer, found.shown)) for layer in shown]
    box = bounds if found is None else found.bounds
    return [_image(url, box, show=False, control=False, pane=pane) for url in urls]


def _for_a_file(layer: Layer) -> Layer:
    fine = layer.resolution <= _COARSE or len(layer.hexes) <= _FEW_HEXES
    return layer if fine else coarser(layer, _COARSE)


def _image(
    url: str,
    box: hex_images.Bounds,
    **options: Any,  # noqa: ANN401 - folium's
) -> folium.raster_layers.ImageOverlay:
    west, south, east, north = box
    return folium.raster_layers.ImageOverlay(url, bounds=[[south, west], [north, east]], **options)


def _communes(snapshot: Snapshot) -> folium.GeoJson:
    # By itself the page has to hold them: coarser than a service sends them, and their texts are among its data.
    shapes = shapely.simplify(snapshot.communes.geometry.to_numpy(), _SIMPLER_COMMUNES)
    return _geojson(map_layers.collection(shapes, {"i": list(range(len(shapes)))}), "communes")


def _geojson(collection: bytes, pane: str) -> folium.GeoJson:
    """A layer whose features hold only shapes, places in `maps_data` and digits."""
    return folium.GeoJson(
        orjson.loads(collection),
        name=pane,
        pane=pane,
        interactive=pane != "dead",
        point_to_layer=JsCode("phusong.point"),
    )
