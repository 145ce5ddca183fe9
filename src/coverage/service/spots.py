"""What a click on the map asks: a hex by a point in it; and what stands beside the map: the hexes of a village."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from coverage import hexes
from coverage.errors import InputError
from coverage.exports.spot import Spot, spot
from coverage.exports.village_hexes import VillageHexes, village_hexes
from coverage.exports.village_places import VillagePlaces, village_places
from coverage.service.ogc_questions import words_of
from coverage.service.published import Shown
from coverage.service.representations import of_snapshot
from coverage.service.views import Seen

router = APIRouter(prefix="/v1", tags=["Bản đồ / map"])
_JSON = "application/json"
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MOST = {"lat": 90.0, "lon": 180.0}


def _parameter(name: str, most: float) -> dict[str, Any]:
    degrees = {"type": "number", "minimum": -most, "maximum": most}
    return {"name": name, "in": "query", "required": True, "schema": degrees, "description": "WGS 84 degrees"}


# Read by hand: what is not a number is told as every other word of a question is, with 400.
_POINT = {"parameters": [_parameter(name, most) for name, most in _MOST.items()]}


@router.get("/hexes", response_model=Spot, openapi_extra=_POINT)
def hex_at(request: Request, seen: Seen, published: Shown) -> Response:
    """The hex in which the point lies: its villages, and for every operator what was found, why, and what was read."""
    words = words_of(request, (*_MOST, "snapshot"))
    lat, lon = (_degrees(words, name) for name in _MOST)
    snapshot = published.snapshot(seen)
    hexagon = hexes.of_point(lat, lon, snapshot.info.hex_resolution)

    def make() -> bytes:
        return orjson.dumps(spot(snapshot, hexagon, public=seen.public))

    return of_snapshot(request, published, seen, ("hexes", hexagon), make, _JSON)


@router.get("/villages/{village_id:path}/hexes", response_model=VillageHexes)
def hexes_of_village(request: Request, village_id: str, seen: Seen, published: Shown) -> Response:
    """The measured hexes of a village, with what the tests of each operator say: the map's, without a map."""
    words_of(request, ("snapshot",))

    def make() -> bytes:
        return orjson.dumps(village_hexes(published.snapshot(seen), village_id))

    return of_snapshot(request, published, seen, ("hexes of", village_id), make, _JSON)


@router.get("/villages/{village_id:path}/places", response_model=VillagePlaces)
def places_of_village(request: Request, village_id: str, seen: Seen, published: Shown) -> Response:
    """The places where people of a village live, with what the tests of each operator say of them."""
    words_of(request, ("snapshot",))

    def make() -> bytes:
        return orjson.dumps(village_places(published.snapshot(seen), village_id))

    return of_snapshot(request, published, seen, ("places of", village_id), make, _JSON)


def _degrees(words: Mapping[str, str], name: str) -> float:
    text, most = words.get(name, ""), _MOST[name]
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not abs(value) <= most:
        raise InputError(
            f"{name}={text!r:.80}: cần một số độ từ -{most:g} đến {most:g}, ví dụ ?lat=11.94&lon=108.44.",
            f"{name}={text!r:.80}: a number of degrees from -{most:g} to {most:g} is wanted, like ?lat=11.94&lon=108.44.",
            code="bad_parameter",
        )
    return value
