"""Places files in: boundaries, lists, power, rasters, sites, claims; read by their room and kept by the archive."""

from __future__ import annotations

from typing import Literal, get_args

PlacesKind = Literal[
    *("communes", "commune_links", "villages", "clusters", "population", "power", "lines", "nightlights"),
    *("outages", "sites", "declared", "roads", "dem"),
]
PLACES_KINDS: tuple[PlacesKind, ...] = get_args(PlacesKind)
