"""A page of features → the members of a GeoJSON FeatureCollection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from coverage.exports import geojson
from coverage.features.collections import Features, Positions
from coverage.features.systems import System, from_wgs84


def encoded(features: Features, positions: Positions, to: System) -> list[bytes]:
    """The features at those positions, each as the text of a GeoJSON feature in that system and its axis order.

    Outer rings run counter-clockwise on the ground, whichever axis comes first.
    """
    rows = features.rows(positions)
    turned = from_wgs84(geojson.oriented(rows.geometry.to_numpy()), to)
    return [orjson.dumps(one) for one in geojson.features(rows, geojson.encoded(turned, to.decimals))]


def collection(around: Mapping[str, Any], texts: Iterable[bytes]) -> bytes:
    """A FeatureCollection of features that are written already; `around`: its other members."""
    return with_members(b'{"features":[' + b",".join(texts) + b"]}", around)


def with_members(text: bytes, members: Mapping[str, Any]) -> bytes:
    """An object of JSON with more members before its own."""
    return orjson.dumps(members).removesuffix(b"}") + b"," + text.removeprefix(b"{")
