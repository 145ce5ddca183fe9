"""A click on the map, asked of a real service by everybody who may ask, and by who should not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import numpy as np
import orjson
import pytest
from serving import problem, running
from snapshots import HOSTILE, OPERATORS, snapshot, workspace_with

from coverage import hexes
from coverage.archive import keys, snapshots
from coverage.callers import ROLES, Caller
from coverage.exports.spot import spot
from coverage.exports.village_hexes import village_hexes

OF_BEFORE = snapshot(30)
# The latest one says another id; ids of villages may hold what means something in an address.
_VILLAGES = OF_BEFORE.villages.assign(
    village_id=OF_BEFORE.villages["village_id"].replace({"V0003": "thôn 3/a?b#c%d"})
)
SHOWN = dataclasses.replace(
    OF_BEFORE, info=dataclasses.replace(OF_BEFORE.info, snapshot_id="s-latest"), villages=_VILLAGES
)
VIETTEL = SHOWN.hex_verdicts[SHOWN.hex_verdicts["operator"] == "45204"]
HERE = int(VIETTEL["hex"].iloc[0])
LAT, LON = (float(degrees[0]) for degrees in hexes.middles(np.array([HERE])))


class Clicks:
    """A service with a key for every role, that the public may read."""

    def __init__(self, address: str, texts: dict[str, str], client: httpx.Client) -> None:
        self._address = address
        self._texts = texts
        self._client = client

    def ask(self, path: str, role: str | None = "viewer", **more: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._texts[role]}"} if role else {}
        headers |= more.pop("headers", {})  # type: ignore[arg-type]
        return self._client.get(f"{self._address}{path}", headers=headers, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clicks]:
    workspace = workspace_with(tmp_path_factory.mktemp("spots"), OF_BEFORE, SHOWN)
    texts = {
        role: keys.add(workspace, Caller(role, role, "45204" if role == "operator" else None))[1]
        for role in ROLES
    }
    with running(workspace.root, workers=0, public="true") as service, httpx.Client(timeout=60) as client:
        yield Clicks(service.address, texts, client)


HEX = f"/v1/hexes?lat={LAT}&lon={LON}"


def plain(told: object) -> object:
    return orjson.loads(orjson.dumps(told))


@pytest.mark.parametrize("role", [role for role in ROLES if role != "operator"])
def test_whoever_reads_the_map_may_click_on_it(clicks: Clicks, role: str) -> None:
    answer = clicks.ask(HEX, role)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == plain(spot(SHOWN, HERE))
    village = SHOWN.villages["village_id"][0]
    told = clicks.ask(f"/v1/villages/{village}/hexes", role)
    assert told.status_code == 200
    assert told.json() == plain(village_hexes(SHOWN, village))
    assert told.json()["hexes"]


def test_an_operator_is_told_of_its_own_network_only(clicks: Clicks) -> None:
    own = snapshots.of_operator(SHOWN, "45204")
    told = clicks.ask(HEX, "operator")
    assert told.json() == plain(spot(own, HERE))
    assert [one["operator"] for one in told.json()["operators"]] == ["45204"]
    assert OPERATORS["45201"] not in told.text
    assert told.headers["etag"] != clicks.ask(HEX, "viewer").headers["etag"]
    for village in SHOWN.villages["village_id"].head(5):
        answer = clicks.ask(f"/v1/villages/{quote(village, safe='')}/hexes", "operator").json()
        assert {row["operator"] for one in answer["hexes"] for row in one["operators"]} <= {"45204"}


def test_the_public_is_told_what_is_nobody_s_trace(clicks: Clicks) -> None:
    told = clicks.ask(HEX, None).json()
    assert [one["operator"] for one in told["operators"]] == list(OPERATORS)
    for one in told["operators"]:
        assert one["signals"] == []
        assert one["prediction"] is None
    hidden = clicks.ask("/v1/hexes?lat=20&lon=105", None).json()
    assert all("too few phones" in one["reason_en"] for one in hidden["operators"])
    assert clicks.ask("/v1/villages/V0000/hexes", None).status_code == 200


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        *(("91", "108"), ("-90.0001", "108"), ("11.9", "180.01"), ("11.9", "-181"), ("1e400", "108")),
        *(("nan", "108"), ("11.9", "NaN"), ("inf", "108"), ("-Infinity", "108"), ("0x10", "108")),
        *(("", "108"), ("11.9", ""), (" ", "108"), ("11,9", "108"), ("11.9 ", "108"), ("1_1", "108")),
        *(("11.9°", "108"), ("١١", "108"), ("１１", "108"), ("--11", "108"), ("+", "108"), (".", "108")),
        *(("11.9\x00", "108"), ("11.9\n", "108"), ("11.9;108", "108"), ("[11.9]", "108")),
        *((word, "108") for word in HOSTILE),
        ("9" * 5000, "108"),
    ],
)
def test_what_is_no_point_on_the_globe_is_refused_by_name(clicks: Clicks, lat: str, lon: str) -> None:
    told = problem(clicks.ask("/v1/hexes", params={"lat": lat, "lon": lon}), 400, "bad_parameter")
    assert "lat" in told["detail"] + told["detail_en"]
    assert len(told["detail"]) < 300


@pytest.mark.parametrize(
    "asked",
    ["", "?lat=11.9", "?lon=108", "?lat=11.9&lat=12&lon=108", "?lat=11.9&lon=108&q=1", "?Lat=11.9&Lon=108"],
)
def test_a_question_is_whole_and_says_nothing_twice(clicks: Clicks, asked: str) -> None:
    problem(clicks.ask(f"/v1/hexes{asked}"), 400, "bad_parameter")


@pytest.mark.parametrize(("lat", "lon"), [(90, 0), (-90, 180), (11.9, 180), (11.9, -180), ("+1.19e1", ".5")])
def test_every_point_on_the_globe_has_a_hex(clicks: Clicks, lat: object, lon: object) -> None:
    told = clicks.ask("/v1/hexes", params={"lat": lat, "lon": lon}).json()
    assert told["hex"] == hexes.text(hexes.of_point(float(str(lat)), float(str(lon)), 9))
    assert [one["verdict"] for one in told["operators"]] == ["no_data"] * len(OPERATORS)


def test_names_that_look_like_markup_are_data(clicks: Clicks) -> None:
    seen = set()
    for row in SHOWN.villages.head(len(HOSTILE)).to_dict("records"):
        at = {"lat": row["centre_lat"], "lon": row["centre_lon"]}
        answer = clicks.ask("/v1/hexes", params=at)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        seen |= {one["village_name"] for one in answer.json()["villages"]}
    assert set(HOSTILE) <= seen
    assert list(OPERATORS.values())[2] in {one["name"] for one in answer.json()["operators"]}


def test_an_earlier_snapshot_is_asked_by_its_id(clicks: Clicks) -> None:
    told = clicks.ask(f"{HEX}&snapshot={OF_BEFORE.info.snapshot_id}").json()
    assert told["snapshot_id"] == OF_BEFORE.info.snapshot_id
    assert clicks.ask(HEX).json()["snapshot_id"] == "s-latest"
    problem(clicks.ask(f"{HEX}&snapshot=s-nothing"), 404, "not_found")
    village = f"/v1/villages/V0003/hexes?snapshot={OF_BEFORE.info.snapshot_id}"
    assert clicks.ask(village).json()["village_id"] == "V0003"
    problem(clicks.ask("/v1/villages/V0003/hexes"), 404, "not_found")


def test_what_a_client_holds_is_not_sent_again(clicks: Clicks) -> None:
    first = clicks.ask(HEX)
    again = clicks.ask(HEX, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("village", ["thôn 3/a?b#c%d"])
def test_the_id_of_a_village_may_hold_anything(clicks: Clicks, village: str) -> None:
    told = clicks.ask(f"/v1/villages/{quote(village, safe='')}/hexes")
    assert told.json() == plain(village_hexes(SHOWN, village))


@pytest.mark.parametrize(
    "village", ["V9999", *HOSTILE, "../../etc/passwd", "'; drop table villages", "x" * 3000]
)
def test_a_village_that_there_is_not_is_told_so(clicks: Clicks, village: str) -> None:
    told = problem(clicks.ask(f"/v1/villages/{quote(village, safe='')}/hexes"), 404, "not_found")
    assert len(told["detail"]) < 200
    problem(clicks.ask("/v1/villages/V0000/hexes?lat=1"), 400, "bad_parameter")
