"""Tiles over HTTP: what they show whom, what is refused and how, and how long a browser keeps them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from PIL import Image
from serving import problem, running
from snapshots import snapshot, workspace_with

from coverage.archive import keys
from coverage.archive.snapshots import Snapshot, of_operator
from coverage.callers import Caller
from coverage.exports import hex_classes, hex_layers, tiles
from coverage.exports.tiles import Tile

_MADE = snapshot(60)
_ROWS = _MADE.hex_verdicts
# Every other row is of one phone in somebody's pocket.
SHOWN = replace(
    _MADE, hex_verdicts=_ROWS.assign(devices=1, evidence_mix=np.resize(["B 4", "C 3"], len(_ROWS)))
)
EARLIER = replace(
    SHOWN,
    info=replace(SHOWN.info, snapshot_id="s-000000000001", as_of="2026-09-01"),
    hex_verdicts=SHOWN.hex_verdicts.assign(
        verdict=np.random.default_rng(5).permutation(_ROWS["verdict"].to_numpy())
    ),
)
COARSE = replace(SHOWN, info=replace(SHOWN.info, snapshot_id="s-000000000008", hex_resolution=8))
PUBLIC = replace(SHOWN, hex_verdicts=SHOWN.hex_verdicts[SHOWN.hex_verdicts["evidence_mix"] == "B 4"])
AT = "11/1639/955"
NOWHERE = "11/10/10"


class Map:
    """A service with keys, open to the public too."""

    def __init__(self, address: str, keys_: dict[str, str], client: httpx.Client) -> None:
        self.address = address
        self._keys = keys_
        self._client = client

    def ask(self, path: str, who: str = "planner", **headers: str) -> httpx.Response:
        named = {"X-Api-Key": self._keys[who]} if who in self._keys else {}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.get(f"{self.address}/tiles/{path}", headers=named | told)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Map]:
    workspace = workspace_with(tmp_path_factory.mktemp("tiles"), COARSE, EARLIER, SHOWN)
    texts = {
        role: keys.add(workspace, Caller(role, role, "45204" if role == "operator" else None))[1]
        for role in ("planner", "operator")
    }
    with running(workspace.root, workers=0, public=True) as service, httpx.Client(timeout=60) as client:
        yield Map(service.address, texts, client)


def expected(
    name: str, at: str, of: Snapshot = SHOWN, before: Snapshot | None = None, side: int = 256
) -> bytes:
    """The tile as it is made without a service."""
    zoom, column, row = map(int, at.split("/"))
    fine = hex_layers.layer(of, name, lambda: hex_layers.ground(of), before)
    resolution = hex_classes.shown_resolution(zoom, 9)
    layer = fine if resolution == 9 else hex_classes.coarser(fine, resolution)
    return tiles.png(layer, tiles.grid(Tile(zoom, column, row, side), resolution))


@pytest.mark.parametrize(
    "name",
    ["hexes", "hexes-45204", "notspots", "predicted-45201", "age", "age-45204", "signal-45204-LTE"],
)
def test_a_tile_is_a_picture_of_its_layer(served: Map, name: str) -> None:
    for at, side in ((AT, 256), ("8/204/119", 256), ("13/6557/3823", 256), (AT, 512)):
        answer = served.ask(f"{name}/{at}{'@2x' if side == 512 else ''}.png")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.content == expected(name, at, side=side)
        assert Image.open(io.BytesIO(answer.content)).size == (side, side)
    assert served.ask(f"{name}/{NOWHERE}.png").content == tiles.empty(256, 256)
    assert served.ask(f"{name}/{AT}.png").content != tiles.empty(256, 256)


def test_changes_are_told_since_an_earlier_snapshot(served: Map) -> None:
    for name in ("change", "change-45204"):
        answer = served.ask(f"{name}/{AT}.png?since={EARLIER.info.snapshot_id}")
        assert answer.content == expected(name, AT, before=EARLIER) != tiles.empty(256, 256)
        same = served.ask(f"hexes/{AT}.png?snapshot={EARLIER.info.snapshot_id}")
        assert same.content == expected("hexes", AT, EARLIER) != expected("hexes", AT)
    still = served.ask(f"change/{AT}.png?since={SHOWN.info.snapshot_id}").content
    assert still == expected("change", AT, before=SHOWN)


def test_an_operator_whose_name_is_odd_has_its_tiles(served: Map) -> None:
    (odd,) = set(SHOWN.info.operators) - {"45204", "45201"}
    assert "/" in odd
    assert served.ask(f"hexes-{quote(odd, safe='')}/{AT}.png").content == expected(f"hexes-{odd}", AT)


def test_an_operator_sees_its_own_network_only(served: Map) -> None:
    own, before = of_operator(SHOWN, "45204"), of_operator(EARLIER, "45204")
    since = f"?since={EARLIER.info.snapshot_id}"
    for name in ("hexes", "hexes-45204", "age", "notspots", "predicted-45204", "signal-45204-LTE"):
        assert served.ask(f"{name}/{AT}.png", "operator").content == expected(name, AT, own)
    for name in ("change", "change-45204"):
        told = served.ask(f"{name}/{AT}.png{since}", "operator").content
        assert told == expected(name, AT, own, before)
    assert served.ask(f"age/{AT}.png", "operator").content != served.ask(f"age/{AT}.png").content
    for name in (
        "hexes-45201",
        "age-45201",
        "predicted-45201",
        "signal-45201-LTE",
        f"change-45201/{AT}.png{since}",
    ):
        path = name if "/" in name else f"{name}/{AT}.png"
        problem(served.ask(path, "operator"), 404, "not_found")
        assert served.ask(path).status_code == 200
    tags = {
        served.ask(f"hexes-45204/{AT}.png", who).headers["etag"] for who in ("operator", "planner", "nobody")
    }
    assert len(tags) == 3


def test_the_public_sees_nobody_s_trace(served: Map) -> None:
    for name in ("hexes", "hexes-45204", "age-45204"):
        seen = served.ask(f"{name}/{AT}.png", "nobody")
        assert seen.content == expected(name, AT, PUBLIC) != expected(name, AT)
    for name in ("predicted-45204", "signal-45204-LTE"):
        assert served.ask(f"{name}/{AT}.png", "nobody").content == tiles.empty(256, 256)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"gaps/{AT}.png", 404, "not_found"),
        (f"hexes-99999/{AT}.png", 404, "not_found"),
        (f"notspots-45204/{AT}.png", 404, "not_found"),
        (f"/{AT}.png", 404, "not_found"),
        ("hexes/23/0/0.png", 404, "not_found"),
        ("hexes/-1/0/0.png", 404, "not_found"),
        ("hexes/3/8/0.png", 404, "not_found"),
        ("hexes/3/-1/0.png", 404, "not_found"),
        ("hexes/3/0/8.png", 404, "not_found"),
        ("hexes/3/0/-1.png", 404, "not_found"),
        ("hexes/3/0/1@3x.png", 404, "not_found"),
        ("hexes/3/0/01.png", 404, "not_found"),
        ("hexes/3/0/%D9%A1.png", 404, "not_found"),
        (f"hexes/{AT}.jpg", 404, "http_404"),
        ("hexes/a/0/0.png", 422, "bad_request"),
        ("hexes/3/x/0.png", 422, "bad_request"),
        (f"hexes/{AT}.png?snapshot=s-none", 404, "not_found"),
        (f"change/{AT}.png?since=s-none", 404, "not_found"),
        (f"change/{AT}.png", 400, "bad_parameter"),
        (f"hexes/{AT}.png?since={EARLIER.info.snapshot_id}", 400, "bad_parameter"),
        (f"change/{AT}.png?since={COARSE.info.snapshot_id}", 400, "bad_input"),
        (f"hexes/{AT}.png?time=now", 400, "bad_parameter"),
        (f"hexes/{AT}.png?snapshot={SHOWN.info.snapshot_id}&snapshot=x", 404, "not_found"),
    ],
)
def test_what_cannot_be_is_refused(served: Map, path: str, status: int, code: str) -> None:
    problem(served.ask(path), status, code)


def test_a_tile_of_a_named_snapshot_is_kept_for_a_day(served: Map) -> None:
    for who in ("planner", "operator", "nobody"):
        latest = served.ask(f"hexes/{AT}.png", who)
        named = served.ask(f"hexes/{AT}.png?snapshot={SHOWN.info.snapshot_id}", who)
        assert latest.headers["cache-control"] == "private, no-cache"
        assert named.headers["cache-control"] == "private, max-age=86400"
        assert named.headers["etag"] == latest.headers["etag"]
        assert named.content == latest.content
        held = served.ask(f"hexes/{AT}.png", who, If_None_Match=latest.headers["etag"])
        assert (held.status_code, held.content) == (304, b"")
        assert held.headers["etag"] == latest.headers["etag"]
        assert "content-encoding" not in served.ask(f"hexes/{AT}.png", who, Accept_Encoding="gzip").headers
    # What somebody else holds is not what this one may see.
    assert (
        served.ask(
            f"hexes/{AT}.png", "operator", If_None_Match=served.ask(f"hexes/{AT}.png").headers["etag"]
        ).status_code
        == 200
    )
    # What cannot be is refused, whatever the client says to hold.
    assert served.ask("hexes/3/8/0.png", If_None_Match="*").status_code == 404


def test_a_screen_full_of_tiles_asked_for_at_once_is_answered(served: Map) -> None:
    names = ("hexes-45204", "hexes-45201", "predicted-45204")
    paths = [f"{name}/13/{6556 + x}/{3822 + y}.png" for name in names for x in range(4) for y in range(3)]
    with ThreadPoolExecutor(24) as crowd:
        at_once = list(crowd.map(served.ask, paths))
    assert {one.status_code for one in at_once} == {200}
    for path, one in zip(paths, at_once, strict=True):
        name, _, rest = path.partition("/")
        assert one.content == expected(name, rest.removesuffix(".png"))
