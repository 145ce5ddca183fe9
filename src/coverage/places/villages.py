"""Villages as polygons, with centre and people where the file gives them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from coverage.places.notes import Note
from coverage.places.vector_files import (
    LARGEST_KM2,
    counts,
    flags,
    numbers,
    polygons,
    read_layer,
    refuse_rows,
    rename_layer,
    texts,
)

_SYNONYMS = {
    "village_id": ("Mã thôn", "ma_thon", "id"),
    "village_name": ("name", "Tên thôn", "ten_thon", "Thôn", "Tên"),
    "commune_code": ("Mã xã", "ma_xa", "MAXA"),
    "centre_lat": ("Vĩ độ", "vi_do", "lat"),
    "centre_lon": ("Kinh độ", "kinh_do", "lon"),
    "households": ("Số hộ", "so_ho"),
    "population": ("Số dân", "Dân số", "so_dan"),
    "especially_difficult": ("Đặc biệt khó khăn", "ĐBKK"),
    "source": ("nguồn",),
}


def read_villages(path: Path) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages in an OGR file of polygons (contract VILLAGES without commune_name, with geometry), and notes.

    EPSG:4326. An id is kept where it is unique, else made and noted. Raises `PlacesRefused`.
    """
    frame = polygons(rename_layer(read_layer(path), _SYNONYMS), path)
    ids, notes = _unique_ids(texts(frame, "village_id"), texts(frame, "commune_code"))
    villages = gpd.GeoDataFrame(
        {
            "village_id": ids,
            "village_name": texts(frame, "village_name").fillna(ids),
            "commune_code": texts(frame, "commune_code"),
            "centre_lat": numbers(frame, "centre_lat", path),
            "centre_lon": numbers(frame, "centre_lon", path),
            "households": counts(frame, "households", path),
            "population": counts(frame, "population", path),
            "especially_difficult": flags(frame, "especially_difficult"),
            "source": texts(frame, "source").fillna(path.name),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    _refuse_bad_rows(villages, path)
    return villages.sort_values("village_id", ignore_index=True), notes + _check_centres(villages)


def _refuse_bad_rows(villages: gpd.GeoDataFrame, path: Path) -> None:
    known = villages["centre_lat"].notna() | villages["centre_lon"].notna()
    on_globe = villages["centre_lat"].abs().le(90) & villages["centre_lon"].abs().le(180)
    west, south, east, north = villages.total_bounds
    equal_area = f"+proj=laea +lat_0={(south + north) / 2} +lon_0={(west + east) / 2}"
    refuse_rows(
        path,
        [
            (
                known & ~on_globe,
                "điểm trung tâm thiếu một toạ độ hoặc ngoài Trái Đất (độ WGS 84; có thể bị đảo)",
                "the centre lacks a coordinate or is off the globe (WGS 84 degrees; may be swapped)",
            ),
            (
                villages.geometry.to_crs(equal_area).area > LARGEST_KM2 * 1e6,
                f"ranh giới lớn hơn {LARGEST_KM2:.0f} km²: không phải một thôn",
                f"the boundary is larger than {LARGEST_KM2:.0f} km²: not one village",
            ),
        ],
    )


def _unique_ids(given: pd.Series, communes: pd.Series) -> tuple[pd.Series, list[Note]]:
    repeats = given[given.notna()].value_counts()
    taken = set(repeats[repeats == 1].index)
    ids, notes = [], []
    for position, (village_id, commune) in enumerate(zip(given, communes, strict=True), start=1):
        if village_id in taken:
            ids.append(village_id)
            continue
        made = _free(f"{commune or 'x'}-r{position}", taken)
        taken.add(made)
        ids.append(made)
        notes.append(_note_made_id(made, village_id))
    return pd.Series(ids, index=given.index, dtype=object), notes


def _free(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "x"
    return wanted


def _note_made_id(made: str, given: str | None) -> Note:
    if given is None:
        return Note("id_missing", made, f"Thiếu mã thôn: đặt mã {made}.", f"No village id: made {made}.")
    return Note(
        "id_repeated",
        made,
        f"Mã thôn {given} bị lặp: đặt mã riêng {made}.",
        f"Village id {given} is repeated: made {made}.",
    )


def _check_centres(villages: gpd.GeoDataFrame) -> list[Note]:
    known = villages[villages["centre_lat"].notna() & villages["centre_lon"].notna()]
    points = gpd.points_from_xy(known["centre_lon"], known["centre_lat"])
    outside = known[~known.geometry.contains(gpd.GeoSeries(points, index=known.index, crs=known.crs))]
    return [
        Note(
            "centre_outside",
            village_id,
            f"Điểm trung tâm của thôn {village_id} nằm ngoài ranh giới thôn.",
            f"The centre of village {village_id} lies outside its boundary.",
        )
        for village_id in outside["village_id"]
    ]


def locate_in_communes(
    villages: gpd.GeoDataFrame, communes: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages with `commune_name` and, where it was missing, `commune_code` filled; and what does not fit.

    A village is where its centre is, else where a point inside its polygon is. Noted: a village in no
    commune, and one whose code names another commune than the one it lies in (its own code is kept).
    """
    points = _anchor_points(villages)
    joined = gpd.sjoin(points, communes[["commune_code", "geometry"]], predicate="within", how="left")
    found = joined[~joined.index.duplicated()]["commune_code_right"].reindex(villages.index)
    located = villages.copy()
    located["commune_code"] = villages["commune_code"].where(villages["commune_code"].notna(), found)
    names = communes.drop_duplicates("commune_code").set_index("commune_code")["commune_name"]
    located["commune_name"] = located["commune_code"].map(names).astype(object)
    return located, _commune_notes(villages, found)


def _anchor_points(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    inside = villages.geometry.representative_point()
    lon = villages["centre_lon"].fillna(inside.x)
    lat = villages["centre_lat"].fillna(inside.y)
    return gpd.GeoDataFrame(
        villages[["commune_code"]],
        geometry=gpd.points_from_xy(lon, lat),
        crs=villages.crs,
        index=villages.index,
    )


def _commune_notes(villages: gpd.GeoDataFrame, found: pd.Series) -> list[Note]:
    notes = []
    for village_id, given, lies_in in zip(
        villages["village_id"], villages["commune_code"], found, strict=True
    ):
        if pd.isna(lies_in):
            notes.append(
                Note(
                    "in_no_commune",
                    village_id,
                    f"Thôn {village_id} không nằm trong xã nào của lớp xã.",
                    f"Village {village_id} lies in no commune of the commune layer.",
                )
            )
        elif given is not None and given != lies_in:
            notes.append(
                Note(
                    "in_another_commune",
                    village_id,
                    f"Thôn {village_id} ghi xã {given} nhưng nằm trong xã {lies_in}.",
                    f"Village {village_id} names commune {given} but lies in {lies_in}.",
                )
            )
    return notes
