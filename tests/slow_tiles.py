"""Two snapshots full of everything, and the map's tiles as a slow reading with the h3 library has them, pixel by pixel."""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import h3
import numpy as np
import pandas as pd
import shapely
from PIL import Image
from snapshots import snapshot

from coverage import tables
from coverage.archive.snapshots import Snapshot
from coverage.exports import hex_classes, hex_layers, tiles
from coverage.exports.colours import VERDICT_COLOURS, Ink, rgb
from coverage.exports.hex_classes import Layer
from coverage.exports.tiles import Tile

MIDDLE = 11.859, 108.216  # every layer has something to show here, at every zoom
CODES = ("45204", "45201")
LAYERS = (
    *("hexes", "hexes-45204", "notspots", "predicted-45204"),
    *("age", "age-45204", "change", "change-45204"),
    *("signal-45204-LTE", "signal-45204-UMTS"),
)


def older_and_newer() -> tuple[Snapshot, Snapshot]:
    """Two snapshots: tests of every age, levels of every class, verdicts that changed, hexes that only one knows."""
    shown = snapshot(60)
    rng = np.random.default_rng(3)
    rows = shown.hex_verdicts
    days = pd.to_timedelta(rng.integers(0, 800, len(rows)), unit="D")
    newer = rows.assign(
        last_test_utc=(pd.Timestamp("2026-10-31 05:00") - days).astype("datetime64[us]"),
        no_service_share=rng.choice([0.0, 0.4], len(rows)),
    )
    verdicts = rng.choice([*VERDICT_COLOURS, "no_data"], len(rows))
    older = rows.assign(verdict=verdicts)[rng.random(len(rows)) < 0.8].reset_index(drop=True)
    before = replace(shown, info=replace(shown.info, snapshot_id="s-000000000001"), hex_verdicts=older)
    return before, replace(shown, hex_verdicts=newer, hex_signals=signals(rng, rows))


def signals(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Of each hex what some technologies, and readings that name none, have; some without a level."""
    parts = []
    for technology in (*tables.TECHNOLOGIES, None):
        some = rows.loc[rng.random(len(rows)) < 0.5, ["hex", "operator"]]
        level = rng.uniform(-130, -60, len(some)) if technology else np.full(len(some), np.nan)
        level[rng.random(len(some)) < 0.1] = np.nan
        parts.append(
            some.assign(
                technology=pd.Series([technology] * len(some), dtype="str").to_numpy(), median_dbm=level
            )
        )
    found = pd.concat(parts, ignore_index=True).sort_values(["hex", "operator"], ignore_index=True)
    return found.astype({"technology": "str"}).reindex(columns=tables.HEX_SIGNALS.names)


BEFORE, SHOWN = older_and_newer()
GROUND = hex_layers.ground(SHOWN)


def layer_of(name: str, of: Snapshot = SHOWN, zoom: int = 14, before: Snapshot = BEFORE) -> Layer:
    """The layer as a zoom shows it."""
    fine = hex_layers.layer(of, name, lambda: GROUND, before if hex_layers.compares(name) else None)
    resolution = hex_classes.shown_resolution(zoom, 9)
    return fine if resolution == 9 else hex_classes.coarser(fine, resolution)


def said(layer: Layer) -> dict[int, str]:
    """Hex → name of its class."""
    names = list(layer.kind.inks)
    return {
        hexagon: names[number - 1]
        for hexagon, number in zip(layer.hexes.tolist(), layer.classes, strict=True)
    }


def best(found: Iterable[str | None]) -> str:
    verdicts = list(found)
    served = [one for one in ("covered", "below_standard") if one in verdicts]
    if served:
        return served[0]
    return "dead_zone" if all(one == "dead_zone" for one in verdicts) else "not_enough_evidence"


@cache
def told(of: str, name: str) -> dict[int, dict[str, Any]]:
    """Hex → operator → a column of hex_verdicts, of the newer or the older snapshot."""
    found: dict[int, dict[str, Any]] = {}
    table = {"before": BEFORE, "shown": SHOWN}[of].hex_verdicts
    for row in table[table["verdict"] != "no_data"].itertuples():
        found.setdefault(row.hex, {})[row.operator] = getattr(row, name)
    return found


def verdicts(of: str, operators: tuple[str, ...]) -> dict[int, str]:
    return {
        hexagon: best(by.get(code) for code in operators)
        for hexagon, by in told(of, "verdict").items()
        if set(by) & set(operators)
    }


def age(last: pd.Timestamp) -> str:
    as_of = pd.Timestamp(SHOWN.info.as_of)
    for months in (6, 12, 18):
        if last >= as_of - pd.DateOffset(months=months):
            return f"up_to_{months}_months"
    return "older"


def became(was: str | None, now: str) -> str | None:
    served, failing = {"covered"}, {"dead_zone", "below_standard"}
    if was is None:
        return None if now == "not_enough_evidence" else "newly_measured"
    if was in failing and now in served:
        return "newly_covered"
    if was in served and now in failing:
        return "newly_lost"
    return "still_dead" if (was, now) == ("dead_zone", "dead_zone") else None


def not_spot(found: list[str | None]) -> str | None:
    if all(one == "dead_zone" for one in found):
        return "total"
    return "partial" if "dead_zone" in found and {"covered", "below_standard"} & set(found) else None


LIMITS = {"LTE": (85, 95, 105, 115, 121), "UMTS": (75, 85, 95, 100, 105)}


def level(found: list[tuple[Any, float]], technology: str, lost: float) -> str | None:
    """Of the technologies and levels in a hex, and the share of its tests without service."""
    own = [one for radio, one in found if radio == technology]
    if not own:
        return "no_service" if lost > 0 and any(pd.isna(radio) for radio, _ in found) else None
    if math.isnan(own[0]):
        return None
    limits = LIMITS[technology]
    return next((f"ge_{limit}" for limit in limits if own[0] >= -limit), f"below_{limits[-1]}")


def levels(code: str, technology: str) -> dict[int, str | None]:
    found: dict[int, list[tuple[Any, float]]] = {}
    for row in SHOWN.hex_signals[SHOWN.hex_signals["operator"] == code].itertuples():
        found.setdefault(row.hex, []).append((row.technology, row.median_dbm))
    lost = {at: by.get(code, 0.0) for at, by in told("shown", "no_service_share").items()}
    return {at: level(one, technology, lost.get(at, 0.0)) for at, one in found.items()}


@cache
def slow_classes(name: str) -> dict[int, str]:
    """Hex of resolution 9 → class, read row by row."""
    family, code, technology = (*name.split("-"), "", "")[:3]
    operators = (code,) if code else SHOWN.info.in_scope
    if family == "hexes":
        area = shapely.union_all(SHOWN.communes.geometry.to_numpy())
        shapely.prepare(area)
        near = {h3.str_to_int(one) for one in h3.geo_to_cells(shapely.box(*area.buffer(0.02).bounds), 9)}
        inside = {
            one for one in near if area.intersects(shapely.Point(h3.cell_to_latlng(h3.int_to_str(one))[::-1]))
        }
        return dict.fromkeys(inside, "unmeasured") | verdicts("shown", operators)
    if family == "predicted":
        rows = SHOWN.predictions[SHOWN.predictions["operator"] == code]
        return dict(zip(rows["hex"], rows["predicted_class"], strict=True))
    if family == "age":
        lasts = {
            at: [by[one] for one in operators if one in by]
            for at, by in told("shown", "last_test_utc").items()
        }
        return {at: age(max(found)) for at, found in lasts.items() if found}
    found: dict[int, str | None]
    if family == "signal":
        found = levels(code, technology)
    elif family == "notspots":
        found = {
            at: not_spot([by.get(one) for one in operators]) for at, by in told("shown", "verdict").items()
        }
    else:
        before = verdicts("before", operators)
        found = {at: became(before.get(at), now) for at, now in verdicts("shown", operators).items()}
    return {at: one for at, one in found.items() if one is not None}


def joined_verdicts(children: Counter[str]) -> str:
    dead, below, covered = (children[one] for one in ("dead_zone", "below_standard", "covered"))
    prevails = "covered" if covered > below else "below_standard"
    if dead and dead >= below + covered:
        return "dead_zone"
    if dead:
        return f"some_dead_{prevails}"
    if below + covered:
        return prevails
    return "not_enough_evidence" if children["not_enough_evidence"] else "unmeasured"


def joined_predictions(children: Counter[str]) -> str:
    if children["predicted_dead"]:
        return "predicted_dead"
    return (
        "predicted_served" if children["predicted_served"] > children["predicted_open"] else "predicted_open"
    )


def first_of(*order: str) -> Callable[[Counter[str]], str]:
    return lambda children: next(one for one in order if children[one])


def joined_levels(technology: str) -> Callable[[Counter[str]], str]:
    limits = LIMITS[technology]
    order = ["no_service", f"below_{limits[-1]}", *(f"ge_{limit}" for limit in reversed(limits))]

    def joined(children: Counter[str]) -> str:
        as_bad = itertools.accumulate(children[one] for one in order)
        return next(one for one, count in zip(order, as_bad, strict=True) if 4 * count >= children.total())

    return joined


JOINED = {
    "hexes": joined_verdicts,
    "predicted": joined_predictions,
    "notspots": first_of("total", "partial"),
    "age": first_of("up_to_6_months", "up_to_12_months", "up_to_18_months", "older"),
    "change": first_of("newly_lost", "newly_covered", "still_dead", "newly_measured"),
    "signal": joined_levels("LTE"),
    "signal-45204-UMTS": joined_levels("UMTS"),
}


@cache
def slow_parents(name: str, resolution: int) -> dict[int, str]:
    children: dict[int, Counter[str]] = {}
    for at, one in slow_classes(name).items():
        parent = h3.str_to_int(h3.cell_to_parent(h3.int_to_str(at), resolution))
        children.setdefault(parent, Counter())[one] += 1
    joined = JOINED.get(name) or JOINED[name.partition("-")[0]]
    return {parent: joined(counted) for parent, counted in children.items()}


@dataclass(frozen=True)
class Sight:
    """A square of pixels: tiles × tiles from a tile on."""

    zoom: int
    column: int
    row: int
    side: int
    tiles: int = 1

    @property
    def resolution(self) -> int:
        coarse = dict.fromkeys(range(8), 6) | {8: 7, 9: 7, 10: 8, 11: 8}
        return coarse.get(self.zoom, 9)


@cache
def cells(sight: Sight) -> np.ndarray[Any, Any]:
    """The hex at each pixel's centre, with a row and a column beyond the edge."""
    world = sight.side * 2**sight.zoom
    pixels = range(sight.side * sight.tiles + 1)
    lons = [((sight.column * sight.side + one + 0.5) / world % 1) * 360 - 180 for one in pixels]
    downs = [(sight.row * sight.side + one + 0.5) / world for one in pixels]
    lats = [math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down)))) for down in downs]
    return np.array(
        [[int(h3.latlng_to_cell(lat, lon, sight.resolution), 16) for lon in lons] for lat in lats]
    )


def slow_picture(sight: Sight, classes: Mapping[int, str], inks: Mapping[str, Ink]) -> np.ndarray[Any, Any]:
    """Red, green, blue, opacity of every pixel."""
    at = cells(sight)
    side = len(at) - 1
    ground = at[:-1, :-1]
    wide = 2 * h3.average_hexagon_edge_length(sight.resolution, unit="m")
    if wide / (40_075_017 / (sight.side * 2**sight.zoom)) >= 9:
        ground = np.where((ground != at[:-1, 1:]) | (ground != at[1:, :-1]), 0, ground)
    dense = sight.side // 256
    across, down = (
        ((first * sight.side + np.arange(side)) // dense).reshape(shape)
        for first, shape in ((sight.column, (1, -1)), (sight.row, (-1, 1)))
    )
    seen = {
        "hatched": (across + down) % 8 == 0,
        "striped": (across - down) % 8 < 4,
        "dotted": (across % 4 < 2) & (down % 4 < 2),
    }
    picture = np.zeros((side, side, 4), dtype=np.uint8)
    name_at = np.array([[classes.get(one, "") for one in row] for row in ground.tolist()])
    for name, ink in inks.items():
        here = name_at == name
        if ink.pattern in {"hatched", "striped"}:
            here &= seen[ink.pattern]
        picture[here] = (*rgb(ink.colour), ink.opacity)
        if ink.pattern == "dotted":
            picture[here & seen["dotted"]] = (*rgb(inks[str(ink.dots)].colour), inks[str(ink.dots)].opacity)
    return picture


def around_middle(zoom: int, side: int, tiles_: int = 1) -> Sight:
    lat, lon = MIDDLE
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return Sight(zoom, int((lon + 180) / 360 * 2**zoom), int(down * 2**zoom), side, tiles_)


def picture(content: bytes) -> np.ndarray[Any, Any]:
    seen = np.array(Image.open(io.BytesIO(content)).convert("RGBA"))
    seen[seen[..., 3] == 0] = 0
    return seen


def drawn(layer: Layer, zoom: int, column: int, row: int, side: int) -> bytes:
    tile = Tile(zoom, column, row, side)
    return tiles.png(layer, tiles.grid(tile, layer.resolution))


def hex_views(shown: Snapshot) -> list[dict[int, str]]:
    """For all operators together and for each, hex → verdict, one hex after the other."""
    verdicts = shown.hex_verdicts
    codes = list(shown.info.operators)
    each = [_hexes_of(verdicts[verdicts["operator"] == code]) for code in codes]
    scope = [each[codes.index(code)] if code in codes else {} for code in shown.info.in_scope]
    measured = set().union(*scope)
    return [{one: _best_verdict([view.get(one) for view in scope]) for one in measured}, *each]


def _hexes_of(rows: pd.DataFrame) -> dict[int, str]:
    measured = rows[rows["verdict"] != "no_data"]
    return dict(zip(measured["hex"].tolist(), measured["verdict"].tolist(), strict=True))


def _best_verdict(verdicts: list[str | None]) -> str:
    for served in ("covered", "below_standard"):
        if served in verdicts:
            return served
    return "dead_zone" if all(found == "dead_zone" for found in verdicts) else "not_enough_evidence"
