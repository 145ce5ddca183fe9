"""Villages in any file a province sends: polygons, points or a list."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.errors import PlacesRefused
from coverage.places.communes.links import codes
from coverage.places.notes import Doubts, Note
from coverage.places.settlements import FARTHEST_KM, away_km
from coverage.places.sheets import is_table
from coverage.places.sheets.headers import headers
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
from coverage.places.villages.ids import village_ids
from coverage.places.villages.lists import NO_CLUSTERS, VillageFile, read_list, villages_of_points
from coverage.places.villages.rows import SYNONYMS
from coverage.places.villages.supply import power_rows
from coverage.places.villages.where import anchor_points, commune_at
from coverage.projections import equal_area

_OVERLAP_NOTED = 0.05  # borders drawn by different hands differ by less
_NAMES = ("village_id", "village_name", "commune_code", "commune_name")
_SYNONYMS = SYNONYMS | {"centre_lat": ("lat", *SYNONYMS["lat"]), "centre_lon": ("lon", *SYNONYMS["lon"])}


def read_villages(path: Path, crs: str | None = None) -> VillageFile:
    """The villages in a file, what it says of their power and clusters, and what a person should look at.

    Read are tables (see `sheets`) with or without coordinates, layers of points, and layers of polygons.
    Geometry in EPSG:4326; `boundary` is given for a polygon, else none. Commune codes stay as the file has them
    (see `communes.meaning.resolve`). An id is kept where it is unique, else made of commune and name.
    Of a table and of points each doubtful row is noted, a cell that cannot be read counts as missing, and a row
    that names a village stays one unless it repeats another word by word. `crs` is that of metres in a table.
    Raises `PlacesRefused`, for polygons at the first fault.
    """
    if is_table(path):
        return read_list(path, crs)
    layer = read_layer(path, crs)
    if (layer.geom_type.isin(["Point", "MultiPoint"]) | layer.geometry.isna()).all():
        return villages_of_points(layer, path)
    return _villages_of_polygons(layer, path)


def _villages_of_polygons(layer: gpd.GeoDataFrame, path: Path) -> VillageFile:
    frame = polygons(rename_layer(layer, _SYNONYMS), path)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="feature")
    doubts = Doubts(path.name, frame.index, headers(layer, _SYNONYMS))
    named = pd.DataFrame({column: texts(frame, column) for column in _NAMES}, index=frame.index)
    named["commune_code"] = codes(named["commune_code"])
    ids, notes = village_ids(
        named, pd.Series(shapely.to_wkb(frame.geometry, hex=True), index=frame.index), doubts
    )
    villages = gpd.GeoDataFrame(
        {
            "village_id": ids,
            "village_name": named["village_name"].fillna(ids),
            "commune_code": named["commune_code"],
            "commune_name": named["commune_name"],
            "centre_lat": numbers(frame, "centre_lat", path),
            "centre_lon": numbers(frame, "centre_lon", path),
            "households": counts(frame, "households", path),
            "population": counts(frame, "population", path),
            "especially_difficult": flags(frame, "especially_difficult"),
            "source": texts(frame, "source").fillna(path.name),
            "boundary": "given",
            "commune_code_given": pd.Series(None, index=frame.index, dtype=object),
        },
        geometry=frame.geometry,
        crs=frame.crs,
    )
    _refuse_bad_rows(villages, path)
    power, of_power = power_rows(_power_columns(frame, ids, path), villages["households"], doubts)
    row_of = dict(zip(ids, range(1, len(ids) + 1), strict=True))
    notes = [*notes, *_check_centres(villages, path.name), *_overlaps(villages), *of_power]
    sorted_villages = villages.sort_values("village_id", ignore_index=True)
    return VillageFile(sorted_villages, power, NO_CLUSTERS.copy(), notes, row_of)


def _power_columns(frame: pd.DataFrame, ids: pd.Series, path: Path) -> pd.DataFrame:
    columns = ("grid", "households_grid", "grid_share", "power_share", "source")
    found = pd.DataFrame({column: texts(frame, column) for column in columns}, index=frame.index)
    return found.assign(village_id=ids, source=found["source"].fillna(path.name))


def _refuse_bad_rows(villages: gpd.GeoDataFrame, path: Path) -> None:
    known = villages["centre_lat"].notna() | villages["centre_lon"].notna()
    on_globe = villages["centre_lat"].abs().le(90) & villages["centre_lon"].abs().le(180)
    refuse_rows(
        path,
        [
            (
                known & ~on_globe,
                "điểm trung tâm thiếu một toạ độ hoặc ngoài Trái Đất (độ WGS 84; có thể bị đảo)",
                "the centre lacks a coordinate or is off the globe (WGS 84 degrees; may be swapped)",
            ),
            (
                villages.geometry.to_crs(equal_area(villages)).area > LARGEST_KM2 * 1e6,
                f"ranh giới lớn hơn {LARGEST_KM2:.0f} km²: không phải một thôn",
                f"the boundary is larger than {LARGEST_KM2:.0f} km²: not one village",
            ),
        ],
    )


def _check_centres(villages: gpd.GeoDataFrame, file: str) -> list[Note]:
    """A note for each centre outside its boundary; raises `PlacesRefused` for one that is in another place."""
    known = villages[villages["centre_lat"].notna() & villages["centre_lon"].notna()]
    centres = pd.DataFrame(
        {"village_id": known["village_id"], "lat": known["centre_lat"], "lon": known["centre_lon"]}
    )
    notes = []
    for village_id, km in zip(known["village_id"], away_km(centres, villages).round(1), strict=True):
        if km > FARTHEST_KM:
            raise PlacesRefused(
                f"{file}: điểm trung tâm của thôn {village_id} cách ranh giới thôn {km} km: hãy kiểm tra toạ độ.",
                f"{file}: the centre of village {village_id} lies {km} km from its boundary: check its coordinates.",
            )
        if km > 0:
            notes.append(
                Note(
                    "centre_outside",
                    village_id,
                    f"Điểm trung tâm của thôn {village_id} nằm ngoài ranh giới thôn {km} km.",
                    f"The centre of village {village_id} lies {km} km outside its boundary.",
                )
            )
    return notes


def _overlaps(villages: gpd.GeoDataFrame) -> list[Note]:
    """A note for each two villages that claim the same ground: its people would count for both."""
    shapes = villages.geometry.to_crs(equal_area(villages)).to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    share = shared / np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    ids = villages["village_id"].to_numpy()
    return [
        Note(
            "overlap",
            first,
            f"Thôn {first} và thôn {second} chồng lên nhau {part:.0%} diện tích thôn nhỏ hơn: dân ở đó bị tính hai lần.",
            f"Villages {first} and {second} overlap by {part:.0%} of the smaller: people there count twice.",
        )
        for first, second, part in zip(ids[one], ids[other], share, strict=True)
        if part > _OVERLAP_NOTED
    ]


def locate_in_communes(
    villages: gpd.GeoDataFrame, communes: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[Note]]:
    """The villages with `commune_name` and, where it was missing, `commune_code` filled; and what does not fit.

    A village is where its centre is, else where a point inside its polygon is. Noted: a village in no
    commune, and one whose code names another commune than the one it lies in (its own code is kept). Villages
    that nobody knows the place of keep what they say; a name in the file stands where the code is in no commune.
    """
    found = commune_at(villages, communes)
    located = villages.copy()
    located["commune_code"] = villages["commune_code"].where(villages["commune_code"].notna(), found)
    names = communes.drop_duplicates("commune_code").set_index("commune_code")["commune_name"]
    known = located["commune_code"].map(names).astype(object)
    located["commune_name"] = known.where(known.notna(), villages["commune_name"])
    return located, _commune_notes(villages, found)


def _commune_notes(villages: gpd.GeoDataFrame, found: pd.Series) -> list[Note]:
    notes = []
    placed = anchor_points(villages).notna()
    for village_id, given, lies_in, known in zip(
        villages["village_id"], villages["commune_code"], found, placed, strict=True
    ):
        if not known:
            continue
        if pd.isna(lies_in):
            notes.append(
                Note(
                    "in_no_commune",
                    village_id,
                    f"Thôn {village_id} không nằm trong xã nào của lớp xã.",
                    f"Village {village_id} lies in no commune of the commune layer.",
                )
            )
        elif not pd.isna(given) and given != lies_in:
            notes.append(
                Note(
                    "in_another_commune",
                    village_id,
                    f"Thôn {village_id} ghi xã {given} nhưng nằm trong xã {lies_in}.",
                    f"Village {village_id} names commune {given} but lies in {lies_in}.",
                )
            )
    return notes
