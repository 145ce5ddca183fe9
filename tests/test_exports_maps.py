"""The map as a file: what it holds, what it never asks for, and that no name can run."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import shapely
import snapshots
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from coverage import hexes
from coverage.archive.snapshots import Snapshot
from coverage.exports import hex_images, maps, maps_data
from coverage.exports.colours import PREDICTED_COLOURS, VERDICT_COLOURS, rgb
from coverage.exports.maps import map_html
from coverage.exports.tiles import png


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshots.snapshot()


@pytest.fixture(scope="module")
def html(snapshot) -> str:
    return map_html(snapshot)


class Page(HTMLParser):
    """What a browser would find: tags with attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def data_of(html: str) -> dict:
    return json.loads(re.search(r'id="phusong-data">(.*?)</script>', html, re.DOTALL)[1])


def layer_of(html: str, name: str) -> dict:
    return json.loads(re.search(rf"geo_json_{name}_add\((.*)\);\n", html)[1])


def words(column: dict) -> list[str | None]:
    return [None if place < 0 else column["words"][place] for place in column["at"]]


def test_the_page_points_at_no_other_host(html):
    known = {
        "http://www.w3.org/2000/svg",
        "https://leafletjs.com",
        "https://bugzilla.mozilla.org/show_bug.cgi",
    }
    assert set(re.findall(r"https?://[\w./-]+", html)) <= known
    assert (
        re.findall(
            r"""(?:src|href)\s*=\s*["']?(?!data:|#)[^"'\s>]+""",
            re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL),
        )
        == []
    )
    assert set(re.findall(r"url\((?!data:|#)[^)]*\)", html)) == set()
    assert "sourceMappingURL" not in html
    assert "@import" not in html


def test_only_our_own_scripts_may_run(html):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "'unsafe-inline'" not in policy.split("script-src")[1]
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == [tag for tag, _ in Page(html).tags].count("script") - 1  # the other one is data
    for text in scripts:
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


def test_the_page_is_vietnamese_first_and_says_so_without_scripts(html):
    tags = Page(html).tags
    assert ("html", {"lang": "vi"}) in tags
    assert "noscript" in {tag for tag, _ in tags}
    assert "DỮ LIỆU MÔ PHỎNG" in html


def test_measured_data_carries_no_banner(snapshot):
    info = dataclasses.replace(snapshot.info, simulated=False)
    assert "DỮ LIỆU MÔ PHỎNG" not in map_html(dataclasses.replace(snapshot, info=info))


def test_equal_snapshots_give_equal_pages(snapshot, html):
    assert map_html(snapshots.snapshot()) == html


def test_hostile_names_travel_as_data_only(html):
    data = data_of(html)
    names = words(data["villages"]["village_name"])
    assert names[: len(snapshots.HOSTILE)] == list(snapshots.HOSTILE)
    without = re.sub(r'<script type="application/json".*?</script>', "", html, flags=re.DOTALL)
    for name in (
        *snapshots.HOSTILE,
        "<b>Mạng 'lạ'</b>",
        "<i>x</i>",
        "<b>x</b>",
        "Xã Đạ Tông",
        "Viettel",
        "V0000",
    ):
        assert name not in without
        assert json.dumps(name)[1:-1] not in without
    assert "onerror" not in re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def test_hostile_names_cannot_end_the_script_element():
    text = maps_data.script_json({"name": " ".join(snapshots.HOSTILE)})
    assert not re.search("[<>&'\u2028\u2029]", text)
    assert json.loads(text) == {"name": " ".join(snapshots.HOSTILE)}


def test_the_layers_hold_every_village_commune_and_dead_area(snapshot, html):
    villages = layer_of(html, "villages")["features"]
    assert [feature["properties"]["i"] for feature in villages] == list(range(len(snapshot.villages)))
    assert len(layer_of(html, "communes")["features"]) == len(snapshot.communes)
    assert len(layer_of(html, "dead")["features"]) == len(snapshot.dead_areas)
    for feature, exact in zip(villages, snapshot.villages.geometry, strict=True):
        drawn = shapely.geometry.shape(feature["geometry"])
        assert drawn.hausdorff_distance(exact) < 1e-4
        assert np.array_equal(np.round(shapely.get_coordinates(drawn), 5), shapely.get_coordinates(drawn))


def test_each_village_knows_its_status_for_every_operator(snapshot, html):
    data = data_of(html)
    digits = [feature["properties"]["s"] for feature in layer_of(html, "villages")["features"]]
    names = {code: place for place, code in enumerate(snapshots.OPERATORS, start=1)}
    ids = words(data["villages"]["village_id"])
    for row in snapshot.village_verdicts.itertuples():
        shown = digits[ids.index(row.village_id)]
        assert data["statuses"][int(shown[names[row.operator]])] == row.status
        assert data["statuses"][int(shown[0])] == row.status_all_operators


def test_a_village_without_verdict_is_shown_as_not_measured(snapshot):
    bare = dataclasses.replace(snapshot, village_verdicts=snapshot.village_verdicts.iloc[:0])
    digits = maps_data.status_digits(bare)
    assert set(digits) == {"4444"}
    assert layer_of(map_html(bare), "dead")["features"] == []


def said(layer) -> dict[int, str]:
    """Hex → class of a layer."""
    names = list(layer.kind.inks)
    return {int(one): names[number - 1] for one, number in zip(layer.hexes, layer.classes, strict=True)}


def test_all_operators_are_dead_only_where_each_was_tested_dead(snapshot):
    everyone, *each = map(said, maps_data.hex_layers(snapshot))
    scope = [each[list(snapshots.OPERATORS).index(code)] for code in snapshots.IN_SCOPE]
    assert set(everyone) == set(scope[0]) | set(scope[1])
    for hexagon, verdict in everyone.items():
        found = {view.get(hexagon) for view in scope}
        assert (verdict == "dead_zone") == (found == {"dead_zone"})
        assert ("covered" in found) == (verdict == "covered")


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_every_pixel_shows_the_hex_it_lies_in(snapshot):
    layer = maps_data.hex_layers(snapshot)[1]
    verdicts = said(layer)
    shown = hex_images.picture(layer.hexes, 9, None)
    content = png(layer, shown.shown)
    image = decoded(content)
    assert image.shape[0] * image.shape[1] <= hex_images.MAX_PIXELS
    assert len(content) < 120_000
    west, south, east, north = (np.radians(side) for side in shown.bounds)
    top, bottom = (np.log(np.tan(np.pi / 4 + y / 2)) for y in (north, south))
    row, column = np.nonzero(image[..., 3])
    y = top + (bottom - top) * (row + 0.5) / image.shape[0]
    x = west + (east - west) * (column + 0.5) / image.shape[1]
    found = hexes.of_points(np.degrees(2 * np.arctan(np.exp(y)) - np.pi / 2), np.degrees(x), 9)
    colours = {verdict: rgb(colour) for verdict, colour in VERDICT_COLOURS.items()}
    for hexagon, colour in list(zip(found, image[row, column, :3], strict=True))[::97]:
        assert tuple(colour) == colours[verdicts[hexagon]]
    assert set(found) == set(verdicts)


def test_predicted_hexes_are_striped_and_never_painted_whole(snapshot):
    layer = maps_data.predicted_layers(snapshot)[0]
    predicted = said(layer)
    cells = np.unique(snapshot.predictions["hex"].to_numpy())
    shown = hex_images.picture(cells, 9, None).shown
    image = decoded(png(layer, shown))
    colours = {rgb(colour) for colour in PREDICTED_COLOURS.values()}
    assert {tuple(colour) for colour in np.unique(image[image[..., 3] > 0][:, :3], axis=0)} == colours
    assert not colours & {rgb(colour) for colour in VERDICT_COLOURS.values()}
    for place, hexagon in list(enumerate(shown.hexes, start=1))[::53]:
        drawn = image[shown.pixels == place, 3] > 0
        if drawn.size < 100:
            continue  # at the edge of the picture
        assert (0.3 < drawn.mean() < 0.7) == (hexagon in predicted)
    assert np.unique(image[..., 3]).max() < 255


def test_predictions_are_no_findings_of_the_page(snapshot, html):
    data = data_of(html)
    assert data["predicted"][0] == {}
    for place, code in enumerate(snapshots.OPERATORS, start=1):
        mine = snapshot.predictions.loc[snapshot.predictions["operator"] == code, "predicted_class"]
        assert {name: count for name, count in data["predicted"][place].items() if count} == (
            mine.value_counts().to_dict()
        )
    bare = map_html(dataclasses.replace(snapshot, predictions=snapshot.predictions.iloc[:0]))
    assert "legend-predicted" not in bare.split("<body>")[1]
    for name in ("hexes", "verdicts", "villages"):
        assert data_of(bare)[name] == data[name]


def test_a_province_wide_picture_stays_small():
    lat, lon = np.random.default_rng(1).uniform((10.5, 107.2), (12.8, 109.0), (3000, 2)).T
    measured = np.unique(hexes.of_points(lat, lon, 8))
    shown = hex_images.picture(measured, 8, None).shown
    assert hex_images.MAX_PIXELS * 0.9 < shown.pixels.size <= hex_images.MAX_PIXELS
    assert set(measured) <= set(shown.hexes)


@given(
    *(st.floats(low, high) for low, high in ((-179, 178), (-80, 79))),
    *(st.floats(1e-4, 1) for _ in range(2)),
)
def test_a_frame_holds_what_it_is_around_and_is_as_large_as_said(west, south, wide, high):
    frame = hex_images.Frame.around((west, south, west + wide, south + high))
    assert frame.columns * frame.rows <= hex_images.MAX_PIXELS
    left, bottom, right, top = frame.degrees()
    assert left <= west + 1e-9
    assert right >= west + wide - 1e-9
    assert bottom <= south + 1e-9
    assert top >= south + high - 1e-9
    lat, lon = frame.centres()
    assert (len(lat), len(lon)) == (frame.rows + 1, frame.columns + 1)
    assert top > lat[0] > lat[-1]


def test_a_measurement_abroad_does_not_blur_the_province(snapshot):
    measured = np.unique(np.append(snapshot.hex_verdicts["hex"].to_numpy(), hexes.of_point(35.7, 51.4, 9)))
    shown = hex_images.picture(measured, 9, (107.9, 11.7, 108.4, 12.1))
    assert len(set(measured) - set(shown.shown.hexes)) == 1
    assert shown.bounds[0] > 107
    assert hex_images.picture(measured, 9, (0, 0, 1, 1)) is None


def test_a_province_is_drawn_at_resolution_8_and_no_dead_hex_is_lost(snapshot):
    fine = maps_data.hex_layers(snapshot)[1]
    many = dataclasses.replace(
        fine,
        hexes=(cells := np.sort(hexes.around(fine.hexes, 45))),
        classes=np.where(np.isin(cells, fine.hexes[fine.classes == 1]), 1, 3).astype(np.uint8),
    )
    assert len(many.hexes) > maps._FEW_HEXES
    coarse = maps._for_a_file(many)
    assert coarse.resolution == 8
    dead = hexes.parents(many.hexes[many.classes == 1], 8)
    assert {said(coarse)[int(one)] for one in dead} <= {"dead_zone", "some_dead_covered"}
    assert maps._for_a_file(fine) is fine


def test_an_empty_snapshot_still_gives_a_page(snapshot):
    empty = dataclasses.replace(
        snapshot,
        **{
            name: getattr(snapshot, name).iloc[:0]
            for name in (
                "hex_verdicts",
                "predictions",
                "place_verdicts",
                "village_verdicts",
                "villages",
                "communes",
                "dead_areas",
            )
        },
    )
    assert layer_of(map_html(empty), "villages")["features"] == []
