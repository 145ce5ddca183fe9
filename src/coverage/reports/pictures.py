"""A gap → a small map: the village, the measured hexes of its operator, and where nobody can call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from PIL import Image

from coverage import hexes
from coverage.archive.snapshots import Snapshot
from coverage.exports.colours import VERDICT_COLOURS
from coverage.exports.words import WORDS

Kind = Literal["png", "pdf"]
_INCHES, _DPI = (6.3, 3.9), 150  # as wide as the text of an A4 page
_SIDES = _INCHES[0] / _INCHES[1]
_KM_PER_DEG = 111.32  # of latitude
_COLOURS = 64  # of a PNG: a handful of inks, and the blended edges between them
_LEAST_KM = 2.0  # how high a picture is at least: some hexes around a village that is a point
_DEAD_LINE = "#560720"
# Nothing that tells one run or machine from another.
_METADATA: Mapping[Kind, Mapping[str, None]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
_SCALES_KM = (0.2, 0.5, 1, 2, 5, 10, 20, 50)


class _Ground:
    """What a snapshot holds, ready to be asked for the part around a village."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.villages = snapshot.villages
        self.communes = snapshot.communes
        self.areas = snapshot.dead_areas.set_index(["village_id", "operator"]).geometry
        self.measured = snapshot.hex_verdicts[["hex", "operator", "verdict"]]
        self.lat, self.lon = hexes.middles(self.measured["hex"].to_numpy(np.int64))

    def around(self, bounds: tuple[float, float, float, float], operator: str) -> gpd.GeoDataFrame:
        """The measured hexes of the operator whose middle lies within the bounds (west, south, east, north)."""
        west, south, east, north = bounds
        inside = (self.lon >= west) & (self.lon <= east) & (self.lat >= south) & (self.lat <= north)
        rows = self.measured[inside & (self.measured["operator"] == operator).to_numpy()]
        return gpd.GeoDataFrame(rows, geometry=hexes.polygons(rows["hex"].to_numpy()), crs="EPSG:4326")


def pictures(snapshot: Snapshot, gaps: pd.DataFrame, kind: Kind) -> Iterator[bytes | None]:
    """A PNG or a PDF of one page (lines, half as large) for each row of `papers.gap_rows`; None where nobody knows the place.

    No text of the data is in it.
    """
    ground = _Ground(snapshot)
    villages = snapshot.villages.drop_duplicates("village_id").set_index("village_id")
    for row in gaps.itertuples():
        yield _picture(ground, villages.loc[row.village_id], str(row.village_id), str(row.operator), kind)


def _picture(
    ground: _Ground, village: pd.Series[Any], village_id: str, operator: str, kind: Kind
) -> bytes | None:
    dead = ground.areas.get((village_id, operator))
    known = [
        shape
        for shape in (village.geometry, dead, _centre(village))
        if shape is not None and not shape.is_empty
    ]
    if not known:
        return None
    bounds = _frame(shapely.union_all([shapely.box(*shape.bounds) for shape in known]).bounds)
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    seen = _draw_hexes(axes, ground.around(_wider(bounds), operator))
    _draw_borders(axes, ground, bounds, village_id)
    if dead is not None:
        gpd.GeoSeries([dead]).plot(
            ax=axes, facecolor="none", edgecolor=_DEAD_LINE, linewidth=1.6, hatch="///", zorder=3
        )
    if (point := _centre(village)) is not None:
        axes.plot(
            point.x, point.y, marker="^", markersize=9, color="black", markeredgecolor="white", zorder=5
        )
    _finish(axes, bounds, seen)
    return _written(figure, kind)


def _written(figure: Figure, kind: Kind) -> bytes:
    file, small = BytesIO(), BytesIO()
    figure.savefig(file, format=kind, dpi=_DPI, metadata=_METADATA[kind])
    if kind == "pdf":
        return file.getvalue()
    # A fifth of the size: a document of a whole province has to go through the mail.
    Image.open(file).convert("RGB").quantize(_COLOURS).save(small, "png", optimize=True)
    return small.getvalue()


def _centre(village: pd.Series[Any]) -> shapely.Point | None:
    known = pd.notna(village["centre_lat"]) and pd.notna(village["centre_lon"])
    return shapely.Point(village["centre_lon"], village["centre_lat"]) if known else None


def _frame(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The bounds with some ground around, as wide as the picture is on the ground."""
    west, south, east, north = bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    shrink = math.cos(math.radians(lat))
    high = max(north - south, (east - west) * shrink / _SIDES, _LEAST_KM / _KM_PER_DEG) * 1.2
    wide = high * _SIDES / shrink
    return lon - wide / 2, lat - high / 2, lon + wide / 2, lat + high / 2


def _wider(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    margin = 1 / _KM_PER_DEG
    return west - margin, south - margin, east + margin, north + margin


def _draw_hexes(axes: Axes, found: gpd.GeoDataFrame) -> list[str]:
    """Draw the hexes and return the verdicts that were drawn, in the order of the legend."""
    seen = [verdict for verdict in VERDICT_COLOURS if (found["verdict"] == verdict).any()]
    for verdict in seen:
        mine = found[found["verdict"] == verdict]
        mine.plot(
            ax=axes, color=VERDICT_COLOURS[verdict], alpha=0.55, edgecolor="white", linewidth=0.4, zorder=1
        )
    return seen


def _draw_borders(
    axes: Axes, ground: _Ground, bounds: tuple[float, float, float, float], village_id: str
) -> None:
    west, south, east, north = bounds
    for layer, colour, width in ((ground.villages, "#8a8f98", 0.6), (ground.communes, "#555b66", 1.1)):
        near = layer.cx[west:east, south:north]
        near = near[near.geom_type.isin(["Polygon", "MultiPolygon"])]
        if len(near):
            near.boundary.plot(ax=axes, color=colour, linewidth=width, zorder=2)
    own = ground.villages[(ground.villages["village_id"] == village_id) & ground.villages.geometry.notna()]
    own = own[own.geom_type.isin(["Polygon", "MultiPolygon"])]
    if len(own):
        own.boundary.plot(ax=axes, color="black", linewidth=2, zorder=4)


def _finish(axes: Axes, bounds: tuple[float, float, float, float], seen: list[str]) -> None:
    west, south, east, north = bounds
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1 / math.cos(math.radians((south + north) / 2)))
    axes.tick_params(labelsize=6.5)
    axes.set_xlabel("")
    axes.set_ylabel("")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(lambda value, _: f"{value:.3f}°".replace(".", ","))
    _scale(axes, bounds)
    axes.annotate(
        "B",
        (0.965, 0.95),
        (0.965, 0.80),
        xycoords="axes fraction",
        ha="center",
        fontsize=9,
        arrowprops={"arrowstyle": "-|>", "color": "black"},
        bbox=_BOX,
    )
    axes.legend(handles=_legend(seen), loc="upper left", fontsize=6.5, framealpha=0.9)


_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}


def _scale(axes: Axes, bounds: tuple[float, float, float, float]) -> None:
    """A bar of a round length, at most a third of the picture."""
    west, south, east, north = bounds
    lat = (south + north) / 2
    width_km = (east - west) * _KM_PER_DEG * math.cos(math.radians(lat))
    length = max((one for one in _SCALES_KM if one <= width_km / 3), default=_SCALES_KM[0])
    left, low = west + (east - west) * 0.04, south + (north - south) * 0.05
    right = left + (east - west) * length / width_km
    axes.plot([left, right], [low, low], color="black", linewidth=3, solid_capstyle="butt", zorder=6)
    told = f"{length:g} km".replace(".", ",")
    axes.text(
        (left + right) / 2, low + (north - south) * 0.02, told, ha="center", fontsize=7.5, zorder=6, bbox=_BOX
    )


def _legend(seen: list[str]) -> list[Any]:
    return [
        Line2D([], [], color="black", linewidth=2, label="Ranh giới thôn"),
        Line2D([], [], color="black", marker="^", linestyle="", label="Trung tâm thôn"),
        Patch(facecolor="none", edgecolor=_DEAD_LINE, hatch="///", label="Vùng mất sóng"),
        *(Patch(color=VERDICT_COLOURS[verdict], alpha=0.55, label=WORDS[verdict][0]) for verdict in seen),
    ]
