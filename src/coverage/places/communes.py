"""Communes: the layer above the villages."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from coverage.places.vector_files import need, polygons, read_layer, rename_layer, texts

_SYNONYMS = {
    "commune_code": ("code", "Mã xã", "ma_xa", "ward_code", "MAXA"),
    "commune_name": ("fullName", "Tên xã", "name", "ten_xa", "Xã", "ward"),
    "source": ("nguồn",),
}


def read_communes(path: Path) -> gpd.GeoDataFrame:
    """The communes in an OGR file: commune_code, commune_name, source and a polygon each, EPSG:4326.

    Missing source = the file's name. Raises `PlacesRefused`.
    """
    frame = polygons(rename_layer(read_layer(path), _SYNONYMS), path)
    need(frame, "commune_code", path, _SYNONYMS["commune_code"])
    communes = gpd.GeoDataFrame(
        {
            "commune_code": texts(frame, "commune_code"),
            "commune_name": texts(frame, "commune_name"),
            "source": texts(frame, "source").fillna(path.name),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    return communes.sort_values("commune_code", ignore_index=True)
