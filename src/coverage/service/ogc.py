"""OGC API – Features: Part 1 (core), Part 2 (coordinate systems), Part 3 (filters in CQL2), under /ogc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response

from coverage.errors import NotFound
from coverage.features.collections import COLLECTIONS, Features
from coverage.features.pages import collection as page_of
from coverage.features.pages import encoded, with_members
from coverage.features.queries import positions
from coverage.features.systems import CRS84, system
from coverage.service import ogc_documents as documents
from coverage.service.addresses import base_url
from coverage.service.ogc_questions import WORDS, question, words_of
from coverage.service.published import Published, Shown, View
from coverage.service.representations import of_snapshot
from coverage.service.views import Seen

router = APIRouter(prefix="/ogc", tags=["OGC API – Features"])
_ONLY_FORMAT = ("f",)


@router.get("")
def landing(request: Request) -> Response:
    """Where everything begins for a GIS client: this is the address to give it."""
    words_of(request, _ONLY_FORMAT)
    return _json(documents.landing(_base(request)))


@router.get("/", include_in_schema=False)
def landing_with_slash(request: Request) -> Response:
    """The same: clients add a slash."""
    return landing(request)


@router.get("/conformance")
def conformance(request: Request) -> Response:
    """Which parts of the standards are kept."""
    words_of(request, _ONLY_FORMAT)
    return _json(documents.conformance())


@router.get("/api")
def api(request: Request, seen: Seen, published: Shown) -> Response:
    """The OpenAPI document of these paths, with every collection's own parameters."""
    words_of(request, _ONLY_FORMAT)
    return _described(request, seen, published, "api", documents.api, documents.API_TYPE)


@router.get("/collections")
def collections(request: Request, seen: Seen, published: Shown) -> Response:
    """The collections of the latest snapshot."""
    words_of(request, _ONLY_FORMAT)
    return _described(request, seen, published, "collections", documents.collections, documents.JSON)


@router.get("/collections/{collection}")
def collection(request: Request, collection: str, seen: Seen, published: Shown) -> Response:
    """One collection: what it holds, where, when, and in which coordinate systems."""
    words_of(request, _ONLY_FORMAT)
    found = published.features(seen, collection)
    return _json(documents.collection(_base(request), found))


@router.get("/collections/{collection}/queryables")
def queryables(request: Request, collection: str, seen: Seen, published: Shown) -> Response:
    """The properties by which the collection can be asked."""
    words_of(request, _ONLY_FORMAT)
    found = published.features(seen, collection)
    return _json(documents.queryables(_base(request), found), documents.SCHEMA)


@router.get("/collections/{collection}/items")
def items(request: Request, collection: str, seen: Seen, published: Shown) -> Response:
    """A page of features; `next` among its links leads to the rest of the same snapshot."""
    found = published.features(seen, collection)
    names = [name for name in found.table.columns if name not in WORDS]
    words = words_of(request, [*WORDS, *names])
    asked = question(words, names)
    base = _base(request)

    def make() -> bytes:
        chosen = positions(found, asked.query)
        here = chosen[asked.offset : asked.offset + asked.limit]
        around = documents.page(base, found, words, (asked.offset, len(here), len(chosen)))
        return page_of(around, published.texts(seen, found, here, asked.crs))

    answer = of_snapshot(
        request, published, seen, (base, collection, *sorted(words.items())), make, documents.GEOJSON
    )
    answer.headers["Content-Crs"] = f"<{asked.crs.uri}>"
    return answer


@router.get("/collections/{collection}/items/{feature_id:path}")
def item(request: Request, collection: str, feature_id: str, seen: Seen, published: Shown) -> Response:
    """One feature by its id."""
    words = words_of(request, ("f", "crs", "snapshot"))
    to = system(words.get("crs", CRS84))
    found = published.features(seen, collection)
    place = np.flatnonzero(found.ids == feature_id)
    if not len(place):
        raise NotFound(
            f"{collection} không có đối tượng {feature_id!r:.80}.",
            f"{collection} has no feature {feature_id!r:.80}.",
        )
    here = f"{_base(request)}/collections/{collection}"
    links = [
        documents.link(f"{here}/items/{quote(feature_id, safe='')}", "self", documents.GEOJSON),
        documents.link(here, "collection", documents.JSON),
    ]
    (text,) = encoded(found, place[:1], to)
    answer = Response(with_members(text, {"links": links}), media_type=documents.GEOJSON)
    answer.headers["Content-Crs"] = f"<{to.uri}>"
    return answer


def _described(
    request: Request,
    seen: View,
    published: Published,
    what: str,
    describe: Callable[[str, list[Features]], dict[str, Any]],
    kind: str,
) -> Response:
    base = _base(request)

    def make() -> bytes:
        return orjson.dumps(describe(base, [published.features(seen, name) for name in COLLECTIONS]))

    return of_snapshot(request, published, seen, (base, what), make, kind)


def _base(request: Request) -> str:
    return f"{base_url(request)}/ogc"


def _json(content: dict[str, Any], kind: str = documents.JSON) -> Response:
    return Response(orjson.dumps(content), media_type=kind)
