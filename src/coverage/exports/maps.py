"""Snapshot → the planner's map: one HTML file that opens from a disk with the network cut.

Folium lays out the layers and sees only shapes, numbers and our own words: no text of a user ever
enters a folium string. Those strings are Jinja templates twice over, so `{{`, `${` and `<` in a
village's name would run. Texts travel as JSON (`maps_data`), the page around it is `maps_page`.
"""

from __future__ import annotations

from typing import Any

import folium
import numpy as np
import pandas as pd
import shapely
from folium.map import CustomPane
from folium.template import Template
from folium.utilities import JsCode

from coverage.archive.snapshots import Snapshot
from coverage.exports import hex_images
from coverage.exports.files import geojson_geometries
from coverage.exports.maps_data import dead_areas, hex_views, page_data, predicted_views, status_digits
from coverage.exports.maps_page import Page

_DECIMALS = 5  # about a metre
_SIMPLER = 3e-5  # degrees, about three metres: less than a pixel at the closest zoom
_SIMPLER_COMMUNES = 4e-4
_MARGIN = 0.1  # degrees around the villages in which a measured hex is still drawn
_EMPTY_PNG = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
_EVERYWHERE = (102.0, 8.0, 110.0, 24.0)  # mainland Viet Nam, for a snapshot without any place
_PANES = {
    "communes": 350,
    "villages": 400,
    "predicted": 415,
    "hexes": 420,
    "dead": 440,
    "borders": 450,
    "labels": 460,
}


class _Map(folium.Map):
    """A folium map that links to nothing: the page brings Leaflet and jQuery with it."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium reads it from the class
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


class _Start(folium.MacroElement):
    """The last statement of folium's script: hands its layers to our own."""

    _template = Template("""{% macro script(this, kwargs) %}
        phusong.start({
            map: {{ this.plan.get_name() }},
            control: {{ this.control.get_name() }},
            communes: {{ this.communes.get_name() }},
            villages: {{ this.villages.get_name() }},
            dead: {{ this.dead.get_name() }},
            views: [{% for view in this.views %}{{ view.get_name() }}, {% endfor %}],
            predicted: [{% for image in this.predicted %}{{ image.get_name() }}, {% endfor %}],
            bounds: {{ this.corners|tojson }},
        });
    {% endmacro %}""")

    def __init__(self, bounds: hex_images.Bounds, **layers: Any) -> None:  # noqa: ANN401 - folium's
        super().__init__()  # type: ignore[no-untyped-call]
        west, south, east, north = bounds
        self.corners = [[south, west], [north, east]]
        vars(self).update(layers)


def map_html(snapshot: Snapshot, upload_url: str | None = None) -> str:
    """The map as one self-contained HTML page; equal snapshots give equal pages.

    Layers: communes, villages coloured by status, measured hexes per operator, dead areas, and, off until the
    reader switches them on, hexes that are predicted and not measured, striped, per operator. Geometry
    is simplified by about three metres; the lists hold it exactly. Asks no other host for anything.
    `upload_url`: where measurements are sent, linked to where the page comes from a service; None = no link.
    """
    bounds = _bounds(snapshot)
    page = Page(page_data(snapshot), upload_url)
    plan = _plan(bounds)
    page.add_child(plan)
    layers: dict[str, Any] = {
        "communes": _named(_communes(snapshot), "communes"),
        "villages": _named(_villages(snapshot), "villages"),
        "dead": _named(_dead(snapshot), "dead"),
    }
    views = [_named(view, f"view_{place}") for place, view in enumerate(_views(snapshot, bounds))]
    predicted = [
        _named(image, f"predicted_{place}") for place, image in enumerate(_predicted(snapshot, bounds))
    ]
    control = _named(folium.LayerControl(position="topright", collapsed=False), "layers")
    for element in (*views, *predicted, *layers.values(), control):
        plan.add_child(element)
    plan.add_child(_Start(bounds, plan=plan, control=control, views=views, predicted=predicted, **layers))
    return page.render_page()


def _plan(bounds: hex_images.Bounds) -> _Map:
    west, south, east, north = bounds
    plan = _Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=10,
        zoom_control="bottomright",
        zoom_snap=0.5,
        attribution_control=False,
    )
    for name, z_index in _PANES.items():
        plan.add_child(
            _named(CustomPane(name, z_index, pointer_events=name in ("communes", "villages")), name)
        )
    _named(plan, "plan")
    return plan


def _named(element: Any, name: str) -> Any:  # noqa: ANN401 - folium's
    # folium draws a random id for each element; a fixed one makes equal snapshots give equal pages.
    element._id = name
    return element


def _bounds(snapshot: Snapshot) -> hex_images.Bounds:
    """West, south, east, north in degrees of the villages, else of the communes."""
    for layer in (snapshot.villages, snapshot.communes):
        shapes = layer.geometry.to_numpy()
        drawn = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        if len(drawn):
            west, south, east, north = shapely.total_bounds(drawn).tolist()
            return west, south, east, north
    return _EVERYWHERE


def _views(snapshot: Snapshot, bounds: hex_images.Bounds) -> list[folium.raster_layers.ImageOverlay]:
    shown = _picture(snapshot, snapshot.hex_verdicts, bounds)
    urls = [
        _EMPTY_PNG if shown is None else hex_images.data_url(hex_images.png(shown, view))
        for view in hex_views(snapshot)
    ]
    box = bounds if shown is None else shown.bounds
    return [
        _image(url, box, name=f"view_{place}", overlay=False, show=place == 0, pane="hexes")
        for place, url in enumerate(urls)
    ]


def _predicted(snapshot: Snapshot, bounds: hex_images.Bounds) -> list[folium.raster_layers.ImageOverlay]:
    # One per operator, none where nothing is predicted; our script puts the chosen one into a layer that is off.
    shown = _picture(snapshot, snapshot.predictions, bounds)
    if shown is None:
        return []
    urls = [hex_images.data_url(hex_images.striped_png(shown, view)) for view in predicted_views(snapshot)]
    return [_image(url, shown.bounds, show=False, control=False, pane="predicted") for url in urls]


def _picture(snapshot: Snapshot, rows: pd.DataFrame, bounds: hex_images.Bounds) -> hex_images.Picture | None:
    west, south, east, north = bounds
    within = (west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    cells = np.sort(rows["hex"].unique().astype(np.int64))
    return hex_images.picture(cells, snapshot.info.hex_resolution, within)


def _image(
    url: str,
    box: hex_images.Bounds,
    **options: Any,  # noqa: ANN401 - folium's
) -> folium.raster_layers.ImageOverlay:
    west, south, east, north = box
    return folium.raster_layers.ImageOverlay(url, bounds=[[south, west], [north, east]], **options)


def _communes(snapshot: Snapshot) -> folium.GeoJson:
    shapes = shapely.simplify(snapshot.communes.geometry.to_numpy(), _SIMPLER_COMMUNES)
    return _geojson(shapes, pd.DataFrame({"i": range(len(shapes))}), "communes")


def _villages(snapshot: Snapshot) -> folium.GeoJson:
    shapes = shapely.simplify(snapshot.villages.geometry.to_numpy(), _SIMPLER)
    properties = pd.DataFrame({"i": range(len(shapes)), "s": status_digits(snapshot)})
    return _geojson(shapes, properties, "villages")


def _dead(snapshot: Snapshot) -> folium.GeoJson:
    areas = dead_areas(snapshot)
    shapes = shapely.simplify(areas.geometry.to_numpy(), _SIMPLER)
    properties = pd.DataFrame(areas[["village", "view", "list", "nobody"]]).set_axis(
        list("ivln"), axis="columns"
    )
    return _geojson(shapes, properties, "dead")


def _geojson(shapes: Any, properties: pd.DataFrame, pane: str) -> folium.GeoJson:  # noqa: ANN401
    """A layer whose features hold only shapes, places in `maps_data` and digits."""
    features = [
        {"type": "Feature", "properties": row, "geometry": geometry}
        for row, geometry in zip(
            properties.to_dict(orient="records"), geojson_geometries(shapes, _DECIMALS), strict=True
        )
    ]
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        name=pane,
        pane=pane,
        interactive=pane != "dead",
        point_to_layer=JsCode("phusong.point"),
    )
