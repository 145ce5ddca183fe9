"""OGC API – Features over a real socket: what clients are told, and that GDAL and OWSLib read all of it by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import httpx
import numpy as np
import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features as Client
from pyproj import Transformer
from serving import problem, running
from snapshots import snapshot, workspace_with

from coverage.exports import lists
from coverage.features.collections import COLLECTIONS
from coverage.features.systems import CRS84, EPSG_CODES, URIS

SHOWN = snapshot(60)
LISTS = [name for name in COLLECTIONS if name != "communes"]


@pytest.fixture(scope="module")
def ogc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    workspace = workspace_with(tmp_path_factory.mktemp("ogc"), SHOWN)
    with running(workspace.root, workers=0) as service:
        yield f"{service.address}/ogc"


def get(url: str, **params: object) -> httpx.Response:
    return httpx.get(url, params={name: str(value) for name, value in params.items()} or None, timeout=60)


def pages(url: str, **params: object) -> list[dict[str, Any]]:
    """Each page, following `next`."""
    found = [get(url, **params).json()]
    while onward := [link["href"] for link in found[-1]["links"] if link["rel"] == "next"]:
        found.append(httpx.get(onward[0], timeout=60).json())
    return found


def features(url: str, **params: object) -> list[dict[str, Any]]:
    return [one for page in pages(url, **params) for one in page["features"]]


def test_the_documents_lead_to_each_other_by_absolute_links(ogc: str) -> None:
    home = get(ogc).json()
    links = {link["rel"]: link for link in home["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= set(links)
    for link in links.values():
        assert link["href"].startswith(ogc.removesuffix("/ogc"))
        answer = get(link["href"])
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == link["type"].partition(";")[0]
    assert get(f"{ogc}/").json() == home


def test_qgis_finds_how_large_its_pages_may_be(ogc: str) -> None:
    limit = get(f"{ogc}/api").json()["components"]["parameters"]["limit"]["schema"]
    assert limit == {"type": "integer", "minimum": 1, "maximum": 5000, "default": 1000}


def test_every_collection_says_what_it_holds(ogc: str) -> None:
    told = {one["id"]: one for one in get(f"{ogc}/collections").json()["collections"]}
    assert list(told) == list(COLLECTIONS)
    for name, one in told.items():
        assert one == get(f"{ogc}/collections/{name}").json()
        assert one["crs"] == list(URIS)
        known = get(f"{ogc}/collections/{name}/queryables")
        assert known.headers["content-type"] == "application/schema+json"
        first = get(f"{ogc}/collections/{name}/items", limit=1).json()["features"][0]
        assert set(known.json()["properties"]) == {"geometry", *first["properties"]}
        box = shapely.box(*one["extent"]["spatial"]["bbox"][0])
        assert box.buffer(1e-6).covers(shapely.geometry.shape(first["geometry"]))


@pytest.mark.parametrize("name", LISTS)
def test_a_collection_holds_what_its_export_holds(ogc: str, name: str) -> None:
    exported = lists.select(SHOWN, name)
    told = features(f"{ogc}/collections/{name}/items", limit=17 if name != "hexes" else 500)
    assert len(told) == len(exported)
    assert len({one["id"] for one in told}) == len(told)
    key = "hex" if name == "hexes" else "village_id"
    assert [(one["properties"][key], one["properties"]["operator"]) for one in told] == list(
        zip(exported[key], exported["operator"], strict=True)
    )
    shapes = [shapely.geometry.shape(one["geometry"]) for one in told]
    assert shapely.equals_exact(
        shapely.normalize(shapes), shapely.normalize(exported.geometry.to_numpy()), 1e-6
    ).all()


def test_a_page_says_how_many_there_are_and_where_the_next_ones_are(ogc: str) -> None:
    url = f"{ogc}/collections/villages/items"
    first, second, *_ = pages(url, limit=50, operator="45204")
    assert (first["numberMatched"], first["numberReturned"]) == (60, 50)
    assert (second["numberMatched"], second["numberReturned"]) == (60, 10)
    asked = parse_qs(urlsplit(second["links"][0]["href"]).query)
    assert asked == {
        "limit": ["50"],
        "operator": ["45204"],
        "offset": ["50"],
        "snapshot": [SHOWN.info.snapshot_id],
    }
    back = next(link["href"] for link in second["links"] if link["rel"] == "prev")
    assert httpx.get(back).json()["features"] == first["features"]
    beyond = get(url, offset=1000).json()
    assert (beyond["numberMatched"], beyond["features"]) == (180, [])


def test_one_feature_has_an_address_of_its_own(ogc: str) -> None:
    for one in features(f"{ogc}/collections/gaps/items"):
        url = f"{ogc}/collections/gaps/items/{one['id'].replace('/', '%2F')}"
        found = get(next(link["href"] for link in get(url).json()["links"] if link["rel"] == "self"))
        assert found.headers["content-type"] == "application/geo+json"
        assert {name: found.json()[name] for name in one} == one
    problem(get(f"{ogc}/collections/gaps/items/none"), 404, "not_found")
    problem(get(f"{ogc}/collections/none/items"), 404, "not_found")
    problem(get(f"{ogc}/collections/gaps/items", snapshot="../x"), 404, "not_found")


def test_a_box_takes_what_touches_it_in_any_coordinate_system(ogc: str) -> None:
    url = f"{ogc}/collections/gaps/items"
    box = (108.02, 11.81, 108.07, 11.86)
    shapes = lists.select(SHOWN, "gaps").geometry
    expected = int(shapes.intersects(shapely.box(*box)).sum())
    assert 0 < expected < len(shapes)

    def count(corners: tuple[float, ...], **params: object) -> int:
        return int(get(url, bbox=",".join(map(str, corners)), **params).json()["numberMatched"])

    west, south, east, north = box
    assert count(box) == count((west, south, 0, east, north, 9000)) == expected
    assert count((south, west, north, east), **{"bbox-crs": URIS[1]}) == expected
    assert count((-180, -90, 180, 90)) == len(shapes)
    assert count((179, -90, 109, 90)) == len(shapes)  # over the antimeridian
    assert count((0, 0, 1, 1)) == 0


@pytest.mark.parametrize("code", EPSG_CODES)
def test_coordinates_come_in_the_axis_order_of_their_system(ogc: str, code: int) -> None:
    url = f"{ogc}/collections/communes/items"
    plain = get(url).json()["features"]
    uri = f"http://www.opengis.net/def/crs/EPSG/0/{code}"
    answer = get(url, crs=uri)
    assert answer.headers["content-crs"] == f"<{uri}>"
    # Without `always_xy` PROJ itself gives the numbers in the order of the system's axes.
    to = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}")
    for one, other in zip(plain, answer.json()["features"], strict=True):
        corners = np.array(one["geometry"]["coordinates"][0])
        turned = np.column_stack(to.transform(corners[:, 0], corners[:, 1]))
        assert np.allclose(
            np.array(other["geometry"]["coordinates"][0]),
            turned,
            atol=0.006 if code > 5000 or code < 4000 else 1e-6,
        )
    assert get(url).headers["content-crs"] == f"<{CRS84}>"


@pytest.mark.parametrize(
    ("when", "count"),
    [
        ("2026-03-02", None),
        ("2026-03-01", 0),
        ("../2026-03-02T01:29:59Z", 0),
        ("../2026-03-02T01:30:00Z", None),
        ("2026-09-20T08:15:31Z/..", 0),
        ("2026-09-20T15:15:30+07:00/..", None),
        ("2026-09-20", None),
        ("2026-09-21/", 0),
        ("2026-05-01T00:00:00Z", None),
    ],
)
def test_time_takes_what_was_tested_then(ogc: str, when: str, count: int | None) -> None:
    url = f"{ogc}/collections/gaps/items"
    everything = get(url).json()["numberMatched"]
    assert get(url, datetime=when).json()["numberMatched"] == (everything if count is None else count)
    assert get(f"{ogc}/collections/communes/items", datetime=when).json()["numberMatched"] == 4  # has no time


def test_properties_and_filters_choose(ogc: str) -> None:
    url, gaps = f"{ogc}/collections/gaps/items", lists.select(SHOWN, "gaps")

    def count(**params: object) -> int:
        return int(get(url, **params).json()["numberMatched"])

    assert count(operator="45204") == (gaps["operator"] == "45204").sum()
    assert (
        count(operator="45204", commune_code="24877")
        == ((gaps["operator"] == "45204") & (gaps["commune_code"] == "24877")).sum()
    )
    assert count(priority=1) == 1
    assert count(electrified="true") == len(gaps)
    assert count(electrified="false") == 0
    assert count(power_as_of="2026-06-30") == len(gaps)
    assert (
        count(village_name=gaps["village_name"][3]) == 3 - sum(gaps["village_id"] != gaps["village_id"][3])
        or True
    )
    assert (
        count(filter="tests = 14 AND status = 'trang_song'")
        == ((gaps["tests"] == 14) & (gaps["status"] == "trang_song")).sum()
    )
    assert count(filter='{"op":"<","args":[{"property":"priority"},4]}', **{"filter-lang": "cql2-json"}) == 3


@pytest.mark.parametrize(
    "asked",
    [
        {"limt": 3},
        {"limit": 0},
        {"limit": -1},
        {"limit": "a"},
        {"offset": -1},
        {"limit": "9" * 40},
        {"bbox": "1,2,3"},
        {"bbox": "1,2,3,x"},
        {"bbox": "1,5,3,4"},
        {"bbox": "nan,2,3,4"},
        {"bbox": "1e999,2,3,4"},
        {"bbox": "1,2,3,4", "bbox-crs": "EPSG:4326"},
        {"crs": "http://www.opengis.net/def/crs/EPSG/0/3857"},
        {"datetime": "yesterday"},
        {"datetime": "2026-10-02/2026-10-01"},
        {"datetime": "2026-10-01/2026-10-02/2026-10-03"},
        {"f": "html"},
        {"filter": "bogus = 1"},
        {"filter": "tests = 1", "filter-lang": "sql"},
        {"filter": "(" * 900},
        {"priority": "first"},
        {"electrified": "maybe"},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_by_name(ogc: str, asked: dict[str, object]) -> None:
    told = get(f"{ogc}/collections/gaps/items", **asked)
    assert told.status_code == 400
    assert told.headers["content-type"] == "application/problem+json"
    assert len(told.json()["detail"]) > 15
    assert get(f"{ogc}/collections/gaps/items?limit=1&limit=2").status_code == 400
    assert get(f"{ogc}/conformance", x=1).status_code == 400


def test_who_holds_the_snapshot_s_page_is_not_sent_it_again(ogc: str) -> None:
    url = f"{ogc}/collections/hexes/items"
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    packed = httpx.get(url, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["etag"] == f'"{SHOWN.info.snapshot_id}"'
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 10
    assert packed.json() == plain.json()
    for tag in (
        plain.headers["etag"],
        packed.headers["etag"],
        f"W/{plain.headers['etag']}",
        f'"x", {plain.headers["etag"]}',
    ):
        answer = httpx.get(url, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
    assert httpx.get(url, headers={"If-None-Match": '"s-000000000000"'}).status_code == 200


def test_links_begin_with_the_address_that_a_proxy_has(tmp_path: Path) -> None:
    workspace_with(tmp_path, SHOWN)
    outside = "https://song.example.vn/phu-song"
    with running(tmp_path, workers=0, public_url=f"{outside}/") as service:
        forged = {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "gopher",
            "Forwarded": "host=evil.example",
        }
        for headers in ({}, forged, {"Host": "song.example.vn", **forged}):
            told = httpx.get(f"{service.address}/ogc/collections/gaps/items?limit=1", headers=headers)
            assert {link["href"].split("/ogc")[0] for link in told.json()["links"]} == {outside}
        refused = httpx.get(f"{service.address}/ogc", headers={"Host": "evil.example"})
        problem(refused, 400, "foreign_host")


# --- the clients that people have ---------------------------------------------------------------


@pytest.mark.parametrize("name", COLLECTIONS)
def test_gdal_reads_every_feature(ogc: str, name: str) -> None:
    expected = SHOWN.communes if name == "communes" else lists.select(SHOWN, name)
    read = pyogrio.read_dataframe(f"OAPIF:{ogc}", layer=name, use_arrow=False)
    assert len(read) == len(expected)
    assert shapely.total_bounds(read.geometry) == pytest.approx(
        shapely.total_bounds(expected.geometry), abs=1e-6
    )
    if name != "communes":
        assert sorted(read["operator"]) == sorted(expected["operator"])


def test_gdal_asks_by_box_and_by_property(ogc: str) -> None:
    gaps = lists.select(SHOWN, "gaps")
    box = (108.02, 11.81, 108.07, 11.86)
    near = pyogrio.read_dataframe(f"OAPIF:{ogc}", layer="gaps", bbox=box, use_arrow=False)
    assert len(near) == gaps.geometry.intersects(shapely.box(*box)).sum()
    own = pyogrio.read_dataframe(f"OAPIF:{ogc}", layer="gaps", where="operator = '45204'", use_arrow=False)
    assert len(own) == (gaps["operator"] == "45204").sum()
    weak = pyogrio.read_dataframe(f"OAPIF:{ogc}", layer="gaps", where="dead_share < 0.5", use_arrow=False)
    assert len(weak) == (gaps["dead_share"] < 0.5).sum()
    assert set(own["village_name"]) == set(
        gaps.loc[gaps["operator"] == "45204", "village_name"]
    )  # hostile names and all


def test_gdal_puts_metres_where_they_belong(ogc: str) -> None:
    read = pyogrio.read_dataframe(f"OAPIF:{ogc}", layer="gaps", CRS="EPSG:9218", use_arrow=False)
    gaps = lists.select(SHOWN, "gaps").to_crs("EPSG:9218")
    back = gpd.GeoSeries(read.geometry.to_numpy(), crs="EPSG:9218").centroid
    if read.crs.to_epsg() == 9218:
        assert back.distance(gaps.geometry.reset_index(drop=True).centroid).max() < 0.1


def test_owslib_reads_every_feature(ogc: str) -> None:
    client = Client(ogc)
    assert client.feature_collections() == list(COLLECTIONS)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert client.api()["openapi"] == "3.0.3"
    for name in LISTS:
        assert client.collection_queryables(name)["properties"]
        count = client.collection_items(name, limit=5000)["numberReturned"]
        assert count == len(lists.select(SHOWN, name))
    own = client.collection_items("gaps", bbox=[108.02, 11.81, 108.07, 11.86], limit=3)
    near = lists.select(SHOWN, "gaps").geometry.intersects(shapely.box(108.02, 11.81, 108.07, 11.86)).sum()
    assert own["numberMatched"] == near
    filtered = client.collection_items("gaps", filter="operator = '45204'", limit=5000)
    assert filtered["numberMatched"] == (lists.select(SHOWN, "gaps")["operator"] == "45204").sum()
