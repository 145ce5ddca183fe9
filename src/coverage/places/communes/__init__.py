"""Communes: the layer above the villages."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from coverage.places.communes.links import codes
from coverage.places.vector_files import need, polygons, read_layer, rename, rename_layer, texts

_CODE = {"commune_code": ("code", "Mã xã", "ma_xa", "ward_code", "MAXA")}
_SYNONYMS = {
    **_CODE,
    "commune_name": ("fullName", "Tên xã", "name", "ten_xa", "Xã", "ward"),
    "source": ("nguồn",),
}


def read_communes(path: Path, crs: str | None = None) -> gpd.GeoDataFrame:
    """The communes in an OGR file: commune_code, commune_name, source and a polygon each, EPSG:4326.

    Missing source = the file's name. Raises `PlacesRefused`.
    """
    frame = polygons(rename_layer(read_layer(path, crs), _SYNONYMS), path)
    need(frame, "commune_code", path, _SYNONYMS["commune_code"])
    communes = gpd.GeoDataFrame(
        {
            "commune_code": codes(texts(frame, "commune_code")),
            "commune_name": texts(frame, "commune_name"),
            "source": texts(frame, "source").fillna(path.name),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    return communes.sort_values("commune_code", ignore_index=True)


def commune_codes(layer: gpd.GeoDataFrame) -> pd.Series:
    """The commune code of each feature of a layer as it was read, under any of its names; missing where not given."""
    return codes(texts(rename(layer, _CODE), "commune_code"))
