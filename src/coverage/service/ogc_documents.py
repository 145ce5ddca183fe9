"""The documents by which a GIS client finds its way: landing page, conformance, API document, collections, queryables.

Every link is absolute, and everything lies on one host: QGIS and GDAL read nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from coverage.features.collections import COLLECTIONS, About, Features
from coverage.features.columns import Kind, kind_of
from coverage.features.cql import LANGUAGES
from coverage.features.queries import shown
from coverage.features.systems import CRS84, URIS
from coverage.service.ogc_questions import LIMIT, MOST

GEOJSON = "application/geo+json"
JSON = "application/json"
API_TYPE = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
_PART = "http://www.opengis.net/spec/ogcapi-features-{}/conf/{}"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/{}"
CONFORMANCE = (
    *(_PART.format("1/1.0", name) for name in ("core", "geojson", "oas30")),
    _PART.format("2/1.0", "crs"),
    *(
        _PART.format("3/1.0", name)
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        _CQL2.format(name)
        for name in (
            *("cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "arithmetic"),
            *("case-insensitive-comparison", "accent-insensitive-comparison"),
            *("basic-spatial-functions", "basic-spatial-functions-plus"),
        )
    ),
)
_TYPES: Mapping[Kind, dict[str, str]] = {
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "text": {"type": "string"},
    "empty": {"type": "string"},
}
_TIME_COLUMNS = ("first_test_utc", "last_test_utc")


def link(href: str, rel: str, kind: str, title: str | None = None) -> dict[str, str]:
    """One link; `href` is absolute."""
    return {"href": href, "rel": rel, "type": kind} | ({} if title is None else {"title": title})


def landing(base: str) -> dict[str, Any]:
    """The landing page; `base` is the absolute address of /ogc."""
    return {
        "title": "Phủ Sóng",
        "description": "Thôn có điện lưới mà mất sóng / villages with grid power and without mobile signal",
        "links": [
            link(base, "self", JSON),
            link(f"{base}/api", "service-desc", API_TYPE),
            link(f"{base.removesuffix('/ogc')}/docs", "service-doc", "text/html"),
            link(f"{base}/conformance", "conformance", JSON),
            link(f"{base}/collections", "data", JSON),
        ],
    }


def conformance() -> dict[str, Any]:
    """Which parts of the standards are kept."""
    return {"conformsTo": list(CONFORMANCE)}


def collections(base: str, found: Iterable[Features]) -> dict[str, Any]:
    """All collections."""
    links = [link(f"{base}/collections", "self", JSON)]
    return {"links": links, "collections": [collection(base, one) for one in found], "crs": list(URIS)}


def collection(base: str, features: Features) -> dict[str, Any]:
    """One collection: what it holds, where and when, and in which coordinate systems it comes."""
    about = COLLECTIONS[features.name]
    here = f"{base}/collections/{features.name}"
    return {
        "id": features.name,
        "title": f"{about.title} / {about.title_en}",
        "description": f"{about.text} {about.text_en}",
        "itemType": "feature",
        "crs": list(URIS),
        "storageCrs": CRS84,
        "extent": _extent(features),
        "links": [
            link(here, "self", JSON),
            link(f"{here}/items", "items", GEOJSON, about.title),
            link(f"{here}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA),
        ],
    }


def _extent(features: Features) -> dict[str, Any]:
    box, times = shown(features), features.table
    extent: dict[str, Any] = {} if box is None else {"spatial": {"bbox": [box], "crs": CRS84}}
    if all(name in times for name in _TIME_COLUMNS):
        first, last = times[_TIME_COLUMNS[0]].min(), times[_TIME_COLUMNS[1]].max()
        ends = [f"{end:%Y-%m-%dT%H:%M:%SZ}" if end == end else None for end in (first, last)]  # noqa: PLR0124 - NaT
        extent["temporal"] = {"interval": [ends]}
    return extent


def queryables(base: str, features: Features) -> dict[str, Any]:
    """The properties by which a collection can be asked, as a JSON schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{features.name}/queryables",
        "type": "object",
        "title": COLLECTIONS[features.name].title,
        "properties": {
            "geometry": {"format": "geometry-any", "x-ogc-role": "primary-geometry"},
            **{name: {"title": name, **kind} for name, kind in properties(features).items()},
        },
        "additionalProperties": False,
    }


def properties(features: Features) -> dict[str, dict[str, str]]:
    """Each property of a collection and its JSON type."""
    return {name: dict(_TYPES[kind_of(features.table[name])]) for name in features.table.columns}


def page(
    base: str, features: Features, words: Mapping[str, str], place: tuple[int, int, int]
) -> dict[str, Any]:
    """What stands around the features of a page; `place`: the first one's number, how many are here, how many there are."""
    offset, here, matched = place
    items = f"{base}/collections/{features.name}/items"
    links = [
        link(_address(items, words), "self", GEOJSON),
        link(items.removesuffix("/items"), "collection", JSON),
    ]
    # The next page is of this snapshot, whatever has been published by then: none is left out and none comes twice.
    onward = dict(words) | {"snapshot": features.snapshot_id}
    if offset + here < matched:
        links.append(link(_address(items, onward | {"offset": str(offset + here)}), "next", GEOJSON))
    if offset:
        before = max(0, offset - int(words.get("limit", LIMIT)))
        links.append(link(_address(items, onward | {"offset": str(before)}), "prev", GEOJSON))
    return {"type": "FeatureCollection", "numberMatched": matched, "numberReturned": here, "links": links}


def _address(items: str, words: Mapping[str, str]) -> str:
    return f"{items}?{urlencode(words)}" if words else items


def api(base: str, found: Iterable[Features]) -> dict[str, Any]:
    """The OpenAPI 3.0 document of these paths, each collection with its own parameters: clients learn from it what to ask."""
    paths: dict[str, Any] = {
        "/": _get("Trang đầu / landing page", JSON, []),
        "/conformance": _get("Chuẩn được giữ / conformance", JSON, []),
        "/collections": _get("Các tập dữ liệu / collections", JSON, []),
    }
    for features in found:
        paths |= _paths(features.name, COLLECTIONS[features.name], properties(features))
    return {
        "openapi": "3.0.3",
        "info": {"title": "Phủ Sóng: OGC API – Features", "version": "1.0.0"},
        "servers": [{"url": base}],
        "paths": paths,
        # QGIS takes the size of its pages from this component and from nowhere else.
        "components": {"parameters": PARAMETERS},
    }


def _paths(name: str, about: About, known: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    here = f"/collections/{name}"
    shared = [{"$ref": f"#/components/parameters/{word}"} for word in ("limit", *_PARAMETERS)]
    own = [
        {"name": word, "in": "query", "schema": kind, "explode": False, "style": "form"}
        for word, kind in known.items()
    ]
    feature = [{"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}]
    return {
        here: _get(about.title_en, JSON, []),
        f"{here}/queryables": _get(about.title_en, SCHEMA, []),
        f"{here}/items": _get(about.title_en, GEOJSON, [*shared, *own]),
        f"{here}/items/{{featureId}}": _get(about.title_en, GEOJSON, feature),
    }


def _get(summary: str, kind: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    answers = {"200": {"description": summary, "content": {kind: {"schema": {"type": "object"}}}}}
    for status, told in (("304", "unchanged"), ("400", "bad parameter"), ("404", "not found")):
        answers[status] = {"description": told}
    return {"get": {"summary": summary, "parameters": parameters, "responses": answers}}


def _query(name: str, schema: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "style": "form",
        "explode": False,
        **more,
    }


_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT})
_URI = {"type": "string", "enum": list(URIS), "default": CRS84}
_NUMBERS = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
_PARAMETERS = {
    "offset": _query("offset", {"type": "integer", "minimum": 0, "default": 0}),
    "bbox": _query("bbox", _NUMBERS),
    "bbox-crs": _query("bbox-crs", _URI),
    "crs": _query("crs", _URI),
    "datetime": _query("datetime", {"type": "string"}),
    "filter": _query("filter", {"type": "string"}),
    "filter-lang": _query(
        "filter-lang", {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]}
    ),
    "filter-crs": _query("filter-crs", _URI),
    "snapshot": _query("snapshot", {"type": "string"}),
}
PARAMETERS = {"limit": _LIMIT, **_PARAMETERS}
