"""Tiles of hexes: every pixel as a slow reading with the h3 library has it, tiles that join, holes that never vanish."""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import h3
import numpy as np
import pandas as pd
import pytest
from conftest import examples
from hypothesis import strategies as st
from PIL import Image
from slow_tiles import (
    BEFORE,
    CODES,
    GROUND,
    JOINED,
    LAYERS,
    MIDDLE,
    SHOWN,
    around_middle,
    became,
    drawn,
    hex_views,
    layer_of,
    picture,
    said,
    slow_parents,
    slow_picture,
)

from coverage import hexes
from coverage.archive.snapshots import Snapshot, of_operator, of_public
from coverage.errors import InputError, NotFound
from coverage.exports import colours, hex_classes, hex_layers, mercator, tiles
from coverage.exports.colours import Ink, rgb
from coverage.exports.hex_classes import Layer
from coverage.exports.tiles import Tile

# Zoom and side: every resolution with a gap between hexes and without one.
SIGHTS = (
    (5, 256),
    (7, 256),
    (7, 512),
    (8, 256),
    (9, 256),
    (10, 256),
    (10, 512),
    (11, 256),
    (12, 512),
    (14, 256),
)


@pytest.mark.parametrize(("zoom", "side"), SIGHTS)
@pytest.mark.parametrize("name", LAYERS)
def test_every_pixel_is_as_a_slow_reading_has_it(name: str, zoom: int, side: int) -> None:
    sight, layer = around_middle(zoom, side), layer_of(name, zoom=zoom)
    classes = slow_parents(name, sight.resolution)
    assert said(layer) == classes
    expected = slow_picture(sight, classes, layer.kind.inks)
    assert np.array_equal(picture(drawn(layer, zoom, sight.column, sight.row, side)), expected)
    assert expected.any()


@pytest.mark.parametrize(
    ("zoom", "side", "name"),
    [(10, 256, "hexes"), (13, 256, "hexes-45204"), (11, 256, "age"), (12, 256, "predicted-45204")],
)
def test_tiles_join_as_one_picture(zoom: int, side: int, name: str) -> None:
    sight, layer = around_middle(zoom, side, 2), layer_of(name, zoom=zoom)
    rows = [
        np.hstack([picture(drawn(layer, zoom, sight.column + x, sight.row + y, side)) for x in (0, 1)])
        for y in (0, 1)
    ]
    assert np.array_equal(
        np.vstack(rows), slow_picture(sight, slow_parents(name, sight.resolution), layer.kind.inks)
    )


@st.composite
def any_tile(draw: st.DrawFn) -> Tile:
    zoom = draw(st.integers(0, mercator.DEEPEST))
    last = 2**zoom - 1
    at = st.integers(0, last) | st.sampled_from([0, last])
    return Tile(zoom, draw(at), draw(at), draw(st.sampled_from([256, 512])))


@examples(8, 200, any_tile(), st.integers(6, 9), st.randoms(use_true_random=False))
def test_any_tile_of_the_world_has_its_hexes(tile: Tile, resolution: int, random: Any) -> None:
    grid = tiles.grid(tile, resolution)
    world = tile.side * 2**tile.zoom
    for _ in range(200):
        row, column = random.randrange(tile.side), random.randrange(tile.side)
        lon = (tile.column * tile.side + column + 0.5) / world * 360 - 180
        down = (tile.row * tile.side + row + 0.5) / world
        lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * down))))
        place = int(grid.pixels[row, column])
        if place:
            assert grid.hexes[place - 1] == int(h3.latlng_to_cell(lat, lon, resolution), 16)
    assert (np.diff(grid.hexes) > 0).all()
    assert grid.nbytes < 5 * tile.side**2 + 8 * len(grid.hexes)


def test_pictures_are_small_and_an_empty_one_is_always_the_same() -> None:
    for name in LAYERS:
        for side, most in ((256, 12_000), (512, 40_000)):
            sight, layer = around_middle(12, side), layer_of(name, zoom=12)
            content = drawn(layer, 12, sight.column, sight.row, side)
            image = Image.open(io.BytesIO(content))
            assert (image.mode, image.size) == ("P", (side, side))
            assert content[24] <= 4  # bits for a pixel
            assert len(content) < most
            # On the other side of the globe.
            elsewhere = drawn(layer, 12, 100, 3000, side)
            assert elsewhere is tiles.empty(side, side)
            assert len(elsewhere) < 200
            assert not picture(elsewhere).any()


# --- coarser hexes ----------------------------------------------------------------------------------------------

KINDS = {
    "hexes": hex_classes.VERDICTS,
    "notspots": hex_classes.NOT_SPOTS,
    "predicted": hex_classes.PREDICTED,
    "age": hex_classes.AGES,
    "change": hex_classes.CHANGES,
    "signal": hex_classes.SIGNALS["LTE"],
}
PARENT = hexes.of_point(*MIDDLE, 7)
CHILDREN = np.sort([h3.str_to_int(one) for one in h3.cell_to_children(h3.int_to_str(PARENT), 9)])


def parent_of(family: str, classes: list[str]) -> str:
    """The class of one hex of resolution 7 with children of these classes."""
    kind = KINDS[family]
    numbers = np.array([1 + list(kind.inks).index(one) for one in classes], dtype=np.uint8)
    coarse = hex_classes.coarser(Layer(CHILDREN[: len(classes)], numbers, 9, kind), 7)
    assert coarse.hexes.tolist() == [PARENT]
    return said(coarse)[PARENT]


@st.composite
def families(draw: st.DrawFn) -> tuple[str, list[str]]:
    family = draw(st.sampled_from(sorted(KINDS)))
    names = [name for name in KINDS[family].inks if not name.startswith("some_dead")]
    return family, draw(st.lists(st.sampled_from(names), min_size=1, max_size=len(CHILDREN)))


@examples(200, 5000, families())
def test_a_parent_is_what_the_rule_makes_of_its_children(made: tuple[str, list[str]]) -> None:
    family, classes = made
    assert parent_of(family, classes) == JOINED[family](Counter(classes))


@examples(
    200, 5000, st.lists(st.sampled_from(list(colours.VERDICT_INKS)[:5]), max_size=48), st.integers(0, 48)
)
def test_a_dead_hex_never_vanishes_among_others(others: list[str], place: int) -> None:
    classes = [*others[:place], "dead_zone", *others[place:]]
    shown = parent_of("hexes", classes)
    assert shown == "dead_zone" or shown.startswith("some_dead_")
    inks = colours.VERDICT_INKS
    assert shown == "dead_zone" or inks[shown].dots == "dead_zone"


def test_a_dead_hex_is_seen_at_every_zoom_of_a_province() -> None:
    """One dead hex among covered ones has pixels of the colour of the dead from the whole province down to the hex."""
    lat, lon = hexes.middles(CHILDREN[20:21])
    for rank, zoom in itertools.product((6, 7), range(7, 15)):
        parent = hexes.of_point(float(lat[0]), float(lon[0]), rank)
        all_ = np.sort([h3.str_to_int(one) for one in h3.cell_to_children(h3.int_to_str(parent), 9)])
        fine = Layer(all_, np.where(all_ == CHILDREN[20], 1, 3).astype(np.uint8), 9, hex_classes.VERDICTS)
        resolution = hex_classes.shown_resolution(zoom, 9)
        layer = fine if resolution == 9 else hex_classes.coarser(fine, resolution)
        down = (1 - math.asinh(math.tan(math.radians(lat[0]))) / math.pi) / 2
        x, y = int((lon[0] + 180) / 360 * 2**zoom), int(down * 2**zoom)
        near = [(x, y), *((x + a, y + b) for a in (-1, 0, 1) for b in (-1, 0, 1))]
        dead = rgb(colours.VERDICT_COLOURS["dead_zone"])
        seen = (picture(drawn(layer, zoom, a, b, 256))[..., :3] == dead for a, b in near)
        assert any(one.all(axis=-1).any() for one in seen), zoom


def test_hexes_grow_with_the_distance_and_are_never_finer_than_judged() -> None:
    shown = [hex_classes.shown_resolution(zoom, 9) for zoom in range(19)]
    assert shown == [6] * 8 + [7] * 2 + [8] * 2 + [9] * 7
    assert max(hex_classes.shown_resolution(zoom, 8) for zoom in range(19)) == 8


# --- what layers say --------------------------------------------------------------------------------------------


def test_hexes_are_what_the_map_page_counts() -> None:
    views = hex_views(SHOWN)
    names = ["hexes", *(f"hexes-{code}" for code in SHOWN.info.operators)]
    for name, view in zip(names, views, strict=True):
        found = said(layer_of(name))
        assert {at: one for at, one in found.items() if one != "unmeasured"} == view
        assert set(found) == set(view) | set(GROUND.tolist())


def test_what_nobody_measured_is_hatched_and_never_looks_dead() -> None:
    bare = replace(SHOWN, hex_verdicts=SHOWN.hex_verdicts.iloc[:0])
    dead = rgb(colours.VERDICT_COLOURS["dead_zone"])
    for zoom in (7, 10, 13):
        layer = layer_of("hexes", bare, zoom)
        sight = around_middle(zoom, 256)
        seen = picture(drawn(layer, zoom, sight.column, sight.row, 256)).reshape(-1, 4)
        found = {tuple(map(int, one)) for one in np.unique(seen, axis=0)}
        ink = colours.VERDICT_INKS["unmeasured"]
        assert found == {(0, 0, 0, 0), (*rgb(ink.colour), ink.opacity)}
        assert min(a - b for a, b in zip(rgb(ink.colour), dead, strict=True)) > 50
    for name in ("notspots", "age", "age-45204", "change", "change-45204"):
        assert not len(layer_of(name, bare).hexes)


def test_a_snapshot_without_communes_has_no_unmeasured_hexes() -> None:
    bare = replace(SHOWN, communes=SHOWN.communes.iloc[:0])
    assert hex_layers.ground(bare).tolist() == []
    tables_ = {one: getattr(SHOWN, one).iloc[:0] for one in ("hex_verdicts", "hex_signals", "predictions")}
    empty = replace(bare, **tables_)
    for name in LAYERS:
        layer = hex_layers.layer(empty, name, lambda: hex_layers.ground(empty), empty)
        assert not len(layer.hexes)
        assert not len(hex_classes.coarser(layer, 6).hexes)
        assert drawn(layer, 12, 3277, 1911, 256) is tiles.empty(256, 256)


def test_an_operator_s_view_shows_its_own_hexes_only() -> None:
    own, before = of_operator(SHOWN, "45204"), of_operator(BEFORE, "45204")
    its = set(SHOWN.hex_verdicts.loc[SHOWN.hex_verdicts["operator"] == "45204", "hex"])
    for name in ("hexes", "hexes-45204", "notspots", "age", "age-45204", "change", "change-45204"):
        found = {at for at, one in said(layer_of(name, own, before=before)).items() if one != "unmeasured"}
        assert found <= its, name
    for name in ("hexes-45204", "age-45204", "change-45204", "predicted-45204", "signal-45204-LTE"):
        assert said(layer_of(name, own, before=before)) == said(layer_of(name))
        with pytest.raises(NotFound):
            layer_of(name.replace("45204", "45201"), own, before=before)
    # Whether the others are dead where it is cannot be told from its own tests.
    assert not said(layer_of("notspots", own))
    assert "dead_zone" not in said(layer_of("hexes", own)).values()


def test_the_public_s_layers_leave_out_what_its_snapshot_leaves_out() -> None:
    away = pd.DataFrame({"hex": [], "operator": [], "devices": []}).astype({"hex": "int64"})
    mixed = SHOWN.hex_verdicts.assign(evidence_mix=np.resize(["C 3", "B 4"], len(SHOWN.hex_verdicts)))
    public = of_public(replace(SHOWN, hex_verdicts=mixed), away)
    found = {at for at, one in said(layer_of("hexes-45204", public)).items() if one != "unmeasured"}
    assert found == set(mixed.loc[(mixed["operator"] == "45204") & (mixed["evidence_mix"] == "B 4"), "hex"])
    assert found < {at for at, one in said(layer_of("hexes-45204")).items() if one != "unmeasured"}
    for name in ("predicted-45204", "signal-45204-LTE"):
        assert not said(layer_of(name, public))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "hexes-",
            "hexes-99999",
            "notspots-45204",
            "predicted",
            "gaps",
            "Hexes",
            "age-45204-LTE",
            "../hexes",
        ),
        *("change-x", "signal", "signal-45204", "signal-45204-CDMA", "signal-99999-LTE"),
    ],
)
def test_a_layer_that_there_is_not_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        layer_of(name)


def test_every_layer_that_is_named_is_there() -> None:
    named = hex_layers.names(SHOWN.info)
    assert set(LAYERS) < set(named)
    assert len(named) == 4 + len(SHOWN.info.operators) * 8
    for name in named:
        assert set(said(layer_of(name)).values()) <= set(layer_of(name).kind.inks)


def test_an_operator_whose_name_is_odd_has_its_layers() -> None:
    (odd,) = set(SHOWN.info.operators) - set(CODES)
    assert any(one != "unmeasured" for one in said(layer_of(f"hexes-{odd}")).values())


WERE = ("dead_zone", "below_standard", "covered", "not_enough_evidence", "no_data", None)


def test_every_change_of_a_verdict_has_its_class() -> None:
    pairs = list(itertools.product(WERE, WERE))
    at = hexes.around(np.array([hexes.of_point(*MIDDLE, 9)]), 4)[: len(pairs)]
    assert len(at) == len(pairs)
    empty = SHOWN.hex_verdicts.iloc[:0]

    def of(place: int) -> Snapshot:
        rows = [
            {"hex": one, "operator": "45204", "verdict": pair[place]}
            for one, pair in zip(at, pairs, strict=True)
            if pair[place]
        ]
        return replace(SHOWN, hex_verdicts=pd.DataFrame(rows).reindex(columns=empty.columns))

    found = said(layer_of("change-45204", of(1), before=of(0)))
    for one, (was, now) in zip(at.tolist(), pairs, strict=True):
        known = None if was == "no_data" else was
        expected = None if now in {None, "no_data"} else became(known, str(now))
        assert found.get(one) == expected, (was, now)


def test_snapshots_of_other_hexes_are_not_compared() -> None:
    coarse = replace(BEFORE, info=replace(BEFORE.info, hex_resolution=8))
    with pytest.raises(InputError, match="different sizes"):
        layer_of("change", before=coarse)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-11-01 00:30", "up_to_6_months"),
        ("2026-05-01 00:00", "up_to_6_months"),
        ("2026-04-30 23:59", "up_to_12_months"),
        ("2025-11-01 00:00", "up_to_12_months"),
        ("2025-05-01 00:00", "up_to_18_months"),
        ("2025-04-30 23:59", "older"),
        (None, None),
    ],
)
def test_ages_are_counted_in_months_before_the_snapshot_s_date(
    last: str | None, expected: str | None
) -> None:
    row = SHOWN.hex_verdicts[SHOWN.hex_verdicts["operator"] == "45204"].iloc[:1]
    one = replace(
        SHOWN, hex_verdicts=row.assign(last_test_utc=pd.Series([last], dtype="datetime64[us]").to_numpy())
    )
    assert said(layer_of("age-45204", one)) == ({} if expected is None else {row["hex"].item(): expected})


# --- colours ----------------------------------------------------------------------------------------------------

# What is left of linear red, green and blue: to most eyes; without L, M or S cones (Machado, Oliveira, Fernandes 2009).
EYES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
)
TO_XYZ = np.array([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])


def lab(colour: str, eye: Any) -> np.ndarray[Any, Any]:
    """CIELAB of a colour as that eye has it."""
    parts = np.array(rgb(colour)) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    x, y, z = TO_XYZ @ np.clip(np.array(eye) @ linear, 0, 1) / (0.9505, 1, 1.089)
    fx, fy, fz = (one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116 for one in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def apart(one: str, other: str) -> float:
    """How far apart two colours are to the eye that tells them apart worst."""
    return min(float(np.linalg.norm(lab(one, eye) - lab(other, eye))) for eye in EYES)


LEVELS = hex_classes.SIGNALS["LTE"].inks


@pytest.mark.parametrize(
    ("inks", "least"),
    [
        (colours.VERDICT_INKS, 30),
        (colours.NOT_SPOT_INKS, 30),
        (colours.CHANGE_INKS, 30),
        (colours.AGE_INKS, 20),
        (LEVELS, 13),
    ],
)
def test_colours_of_a_layer_stay_apart_for_every_eye(inks: Mapping[str, Ink], least: float) -> None:
    plain = [ink.colour for ink in inks.values() if ink.pattern == "plain"]
    assert min(apart(a, b) for a, b in itertools.combinations(plain, 2)) >= least


def test_ages_are_taken_for_no_verdict_by_any_eye() -> None:
    for ink, verdict in itertools.product(colours.AGE_INKS.values(), colours.VERDICT_COLOURS.values()):
        assert apart(ink.colour, verdict) >= 20
