"""What lies under and beside the hexes, as the service sends it: base map tiles and layers, to whom, and when anew."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import mapfiles
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from serving import free_port, get, problem, running, serving
from snapshots import HOSTILE, snapshot, workspace_with
from test_basemap import dem, hills, tile_at
from test_map_layers import lines, roads, sites

from coverage.archive import history, keys, layers, snapshots
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import Caller
from coverage.exports import map_layers
from coverage.service.underlay import Place, Underlay
from coverage.settings import get_settings

SHOWN = snapshot(60)
BEFORE = replace(SHOWN, info=replace(SHOWN.info, snapshot_id="s-000000000001", as_of="2026-09-01"))
MIDDLE = (108.12, 11.92)
OF_SNAPSHOT, OF_WORKSPACE = ("communes", "villages", "dead"), ("roads", "sites", "lines")
SITES = pd.concat([sites(), sites().assign(operator="45201", name="của mạng khác")], ignore_index=True)


def furnished(folder: Path) -> Workspace:
    """A workspace of two snapshots, with every layer that lies under or beside the hexes."""
    workspace = workspace_with(folder / "workspace", BEFORE, SHOWN)
    origin = folder / "layer"
    origin.write_bytes(b"x")
    raster = dem(folder, hills(600))
    for name, frame in {
        "communes": SHOWN.communes,
        "roads": roads(),
        "sites": SITES,
        "lines": lines(),
    }.items():
        layers.save_layer(workspace, name, frame, origin)
    layers.save_raster(workspace, "dem", lambda draft: draft.write_bytes(raster.read_bytes()), origin, {})
    return workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return furnished(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def address(workspace: Workspace) -> Iterator[str]:
    with running(workspace.root, workers=0, public=True) as service:
        yield service.address


@pytest.fixture(scope="module")
def known(workspace: Workspace, address: str) -> dict[str, dict[str, str]]:
    """Headers of callers by their role; from then on who shows none is the public."""
    made = {
        role: keys.add(workspace, Caller(role, role, "45204" if role == "operator" else None))[1]
        for role in ("viewer", "operator", "province_admin")
    }
    return {role: {"X-Api-Key": text} for role, text in made.items()}


def tile_of(address: str, z: int, more: str = "") -> str:
    x, y = tile_at(*MIDDLE, z)
    return f"{address}/tiles/base/{z}/{x}/{y}{more}.png"


def image(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


# --- base map


def test_a_tile_is_a_picture_of_the_workspace_s_own_ground(workspace, address, known):
    for z in (8, 11, 14):
        assert image(get(tile_of(address, z), headers=known["viewer"])).size == (256, 256)
        assert image(get(tile_of(address, z, "@2x"), headers=known["viewer"])).size == (512, 512)
    tones = np.asarray(image(get(tile_of(address, 11))).convert("L"))  # the public sees it too
    assert len(np.unique(tones)) > 10


def test_who_holds_a_tile_is_not_sent_it_again_until_a_layer_changes(tmp_path):
    workspace = furnished(tmp_path)
    with running(workspace.root, workers=0) as service:
        url = tile_of(service.address, 10)
        first = get(url)
        assert first.headers["cache-control"].startswith("private")
        held = {"If-None-Match": first.headers["etag"]}
        again = get(url, headers=held)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        drawn = roads()
        drawn["geometry"] = drawn.geometry.translate(0.05, 0.02)
        layers.save_layer(workspace, "roads", drawn, tmp_path / "layer")
        changed = get(url, headers=held)
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]
        assert changed.content != first.content
        for name, frame in {"sites": SITES, "lines": lines(), "roads": drawn}.items():
            beside = f"{service.address}/map/{name}.json"
            before = get(beside)
            layers.save_layer(workspace, name, frame.iloc[:1], tmp_path / "layer")
            after = get(beside, headers={"If-None-Match": before.headers["etag"]})
            assert len(after.json()["features"]) == 1 < len(before.json()["features"])
            # Of these only roads are in a tile.
            answer = get(url, headers={"If-None-Match": changed.headers["etag"]})
            assert answer.status_code == (200 if name == "roads" else 304)


@pytest.mark.parametrize(
    "path",
    ["23/0/0", "-1/0/0", "2/4/0", "2/0/4", "2/-1/0", "2/0/01", "2/0/1@3x", "2/0/1@2x@2x", "2/0/x", "2/0/-0"],
)
def test_places_that_the_world_does_not_have_are_not_found(address, path):
    problem(get(f"{address}/tiles/base/{path}.png"), 404, "not_found")


def test_words_that_nobody_knows_are_refused(address, known):
    problem(get(f"{tile_of(address, 9)}?v=2"), 400, "bad_parameter")
    for name in (*OF_SNAPSHOT, *OF_WORKSPACE):
        url = f"{address}/map/{name}.json"
        problem(get(f"{url}?operator=45204", headers=known["viewer"]), 400, "bad_parameter")


def test_a_workspace_without_layers_has_a_map_without_anything(tmp_path):
    workspace = open_workspace(tmp_path)
    snapshots.save(workspace.snapshots, SHOWN)
    with running(tmp_path, workers=0) as service:
        tones = np.asarray(image(get(tile_of(service.address, 10))).convert("L"))
        assert len(np.unique(tones)) == 1
        for name in ("sites", "lines"):
            assert get(f"{service.address}/map/{name}.json").json()["features"] == []
        problem(get(f"{service.address}/map/villages.json"), 404, "not_found")
        history.publish(workspace, SHOWN.info, 0)
        assert get(f"{service.address}/map/roads.json").json()["features"] == []
        assert len(get(f"{service.address}/map/villages.json").json()["features"]) == 60


def test_tiles_are_drawn_once_and_held_within_bounds(workspace, monkeypatch):
    monkeypatch.delenv("PHUSONG_BASEMAP", raising=False)
    underlay = Underlay(workspace, get_settings())
    place = Place(10, *tile_at(*MIDDLE, 10))
    first, _ = underlay.tile(underlay.state(), place)
    assert underlay.tile(underlay.state(), place)[0] is first
    for x in range(40):
        underlay.tile(underlay.state(), Place(14, 13100 + x, 7600))
    held = underlay._tiles
    assert 0 < held.currsize == sum(map(len, held.values())) <= held.maxsize


# --- a base map of one's own


@pytest.mark.parametrize(("ending", "make"), [("mbtiles", mapfiles.mbtiles), ("pmtiles", mapfiles.pmtiles)])
def test_tiles_of_a_file_are_sent_as_they_are(workspace, tmp_path, ending, make):
    file = make(tmp_path / f"nền.{ending}")
    with running(workspace.root, workers=0, basemap=file) as service:
        headers = {"X-Api-Key": keys.add(workspace, Caller(ending, "viewer"))[1]}
        for z, x, y in mapfiles.PLACES:
            for more in ("", "@2x"):
                answer = get(f"{service.address}/tiles/base/{z}/{x}/{y}{more}.png", headers=headers)
                assert answer.content == mapfiles.picture(z, x, y)
                assert answer.headers["content-type"] == "image/png"
        held = headers | {"If-None-Match": answer.headers["etag"]}
        assert get(f"{service.address}/tiles/base/0/0/0.png", headers=held).status_code == 304
        nothing = get(f"{service.address}/tiles/base/7/0/0.png", headers=headers)
        assert image(nothing).convert("RGBA").getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_base_map_that_cannot_be_used_stops_the_service_before_it_starts(workspace, tmp_path, processes):
    file = mapfiles.mbtiles(tmp_path / "vector.mbtiles", {"format": "pbf"}, content=b"\x1f\x8b\x08\x00")
    command = serving(workspace.root, free_port(), workers=0, processes=processes)
    environment = os.environ | {"PHUSONG_BASEMAP": str(file)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    for line in ended.stderr.strip().splitlines():
        assert "PHUSONG_BASEMAP" in line
        assert str(file) in line
    assert len(ended.stderr.strip().splitlines()) == 2


def test_a_map_elsewhere_is_asked_for_by_nobody_here(workspace, monkeypatch):
    # Nothing answers at that port: whoever asked would fail.
    monkeypatch.setenv("PHUSONG_BASEMAP", f"http://127.0.0.1:{free_port()}/{{z}}/{{x}}/{{y}}.png")
    underlay = Underlay(workspace, get_settings())
    assert underlay.source.host == underlay.source.url_template.partition("/{")[0]
    content, kind = underlay.tile(underlay.state(), Place(9, *tile_at(*MIDDLE, 9)))
    assert (Image.open(io.BytesIO(content)).size, kind) == ((256, 256), "image/png")


# --- layers


@pytest.mark.parametrize("name", [*OF_SNAPSHOT, *OF_WORKSPACE])
def test_a_layer_is_sent_packed_and_only_where_it_is_not_held(address, known, name):
    url, headers = f"{address}/map/{name}.json", known["viewer"]
    plain = get(url, headers=headers | {"Accept-Encoding": "identity"})
    packed = get(url, headers=headers | {"Accept-Encoding": "gzip"})
    assert plain.headers["content-type"] == "application/geo+json"
    assert plain.headers["cache-control"] == "private, no-cache"
    assert "content-encoding" not in plain.headers
    assert (packed.headers.get("content-encoding") == "gzip") == (len(plain.content) >= 1000)
    assert packed.content == plain.content
    for answer in (plain, packed):
        again = get(url, headers=headers | {"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert get(url, headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_layers_hold_what_the_snapshot_and_the_workspace_hold(address, known):
    def asked(name, **words):
        return get(f"{address}/map/{name}.json", headers=known["viewer"], params=words)

    assert asked("communes").content == map_layers.communes(SHOWN)
    assert asked("villages").content == map_layers.villages(SHOWN)
    assert asked("dead").content == map_layers.dead(SHOWN)
    assert asked("roads").content == map_layers.roads(roads(), SHOWN.road_verdicts)
    assert asked("sites").content == map_layers.sites(SITES, {"45204": "Viettel", "45201": "MobiFone"})
    assert asked("lines").content == map_layers.lines(lines())
    for name in OF_SNAPSHOT:
        earlier = asked(name, snapshot="s-000000000001")
        assert earlier.status_code == 200
        assert earlier.headers["etag"] != asked(name).headers["etag"]
        problem(asked(name, snapshot="s-ffffffffffff"), 404, "not_found")
    # The page asks every layer alike; these are as they are now.
    for name in OF_WORKSPACE:
        assert asked(name, snapshot="s-000000000001").content == asked(name).content


def test_names_with_markup_are_data(address, known):
    for name in (*OF_SNAPSHOT, *OF_WORKSPACE):
        answer = get(f"{address}/map/{name}.json", headers=known["viewer"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    told = get(f"{address}/map/sites.json", headers=known["viewer"]).json()["features"][0]["properties"]
    assert told["name"] == HOSTILE[0]


def test_an_operator_sees_its_own_sites_and_kilometres_only(address, known):
    def asked(name, role):
        return get(f"{address}/map/{name}.json", headers=known[role])

    own = [one["properties"] for one in asked("sites", "operator").json()["features"]]
    assert [one["operator"] for one in own] == ["45204"]
    everybody_s = [one["properties"]["operator"] for one in asked("sites", "viewer").json()["features"]]
    assert everybody_s == SITES["operator"].astype(object).where(SITES["operator"].notna(), None).tolist()
    assert asked("sites", "operator").headers["etag"] != asked("sites", "viewer").headers["etag"]
    assert {
        view for one in asked("dead", "operator").json()["features"] for view in [one["properties"]["v"]]
    } == {1}
    assert len(asked("lines", "operator").json()["features"]) == 2


def test_the_public_sees_no_sites_no_lines_and_no_kilometres(address, known):
    assert get(f"{address}/map/sites.json").json()["features"] == []
    assert get(f"{address}/map/lines.json").json()["features"] == []
    drawn = get(f"{address}/map/roads.json").json()["features"]
    assert [one["properties"]["operators"] for one in drawn] == [{}, {}]
    for name in (*OF_SNAPSHOT, *OF_WORKSPACE):
        answer = get(f"{address}/map/{name}.json")
        assert answer.status_code == 200
        held = known["viewer"] | {"If-None-Match": answer.headers["etag"]}
        assert get(f"{address}/map/{name}.json", headers=held).status_code == 200, name
