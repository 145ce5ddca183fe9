"""Where people live in a village: its centre and its settled clusters, as the places we judge."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes
from coverage.errors import PlacesRefused
from coverage.places.coordinates.positions import coordinate, place
from coverage.places.coordinates.systems import WGS84
from coverage.places.matching import NAME_SYNONYMS, rows_of_villages
from coverage.places.notes import Note
from coverage.places.sheets import is_table, read_table
from coverage.places.vector_files import (
    counts,
    flags,
    numbers,
    read_layer,
    refuse_rows,
    rename,
    texts,
)

_SYNONYMS = {
    "x": ("Toạ độ X",),
    "y": ("Toạ độ Y",),
    "village_id": ("Mã thôn", "ma_thon"),
    **NAME_SYNONYMS,
    "cluster_id": ("Mã cụm", "Cụm dân cư", "id"),
    "lat": ("Vĩ độ", "latitude"),
    "lon": ("Kinh độ", "longitude"),
    "households": ("Số hộ",),
    "grid": ("Có điện lưới", "Điện lưới"),
}


FARTHEST_KM = 20.0  # no village of a commune stretches farther; a wrong digit or a swapped id does


def read_clusters(
    path: Path, villages: pd.DataFrame | None = None, crs: str | None = None
) -> tuple[pd.DataFrame, list[Note]]:
    """Settled clusters in a table or point layer: village_id, cluster_id, lat, lon, households, grid; and notes.

    Coordinates are WGS 84 degrees, or X and Y of a table in `crs` (see `positions.place`). Missing households = NaN, missing grid = None. With `villages` (contract
    VILLAGES) a row without an id may name its village and commune instead; one that fits none or several is
    noted and left out. Raises `PlacesRefused`.
    """
    frame, notes = _with_coordinates(path, crs)
    frame, unsettled = rows_of_villages(frame, villages, path, _SYNONYMS["village_id"])
    clusters = pd.DataFrame(
        {
            "village_id": texts(frame, "village_id"),
            "cluster_id": texts(frame, "cluster_id"),
            "lat": numbers(frame, "lat", path),
            "lon": numbers(frame, "lon", path),
            "households": counts(frame, "households", path),
            "grid": flags(frame, "grid"),
        }
    )
    clusters["cluster_id"] = clusters["cluster_id"].fillna(_row_names(clusters))
    _refuse_bad_rows(clusters, path)
    return clusters.sort_values(["village_id", "cluster_id"], ignore_index=True), notes + unsettled


def _with_coordinates(path: Path, crs: str | None) -> tuple[pd.DataFrame, list[Note]]:
    if is_table(path):
        table, notes = read_table(path, _SYNONYMS)
        return _from_x_y(rename(table, _SYNONYMS), path, crs), notes
    layer = read_layer(path, crs)
    frame = rename(layer, _SYNONYMS)
    points = layer.geometry.representative_point()
    frame["lat"], frame["lon"] = points.y, points.x
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="feature")
    return frame, []


def _from_x_y(frame: pd.DataFrame, path: Path, crs: str | None) -> pd.DataFrame:
    if {"lat", "lon"} & set(frame.columns) or not {"x", "y"} <= set(frame.columns):
        return frame
    read = [frame[column].map(coordinate, na_action="ignore").astype(float) for column in ("x", "y")]
    places = place(*read, named=False, crs=crs, path=path)
    return frame.assign(lat=places["lat"], lon=places["lon"])


def _row_names(clusters: pd.DataFrame) -> pd.Series:
    return "k" + (clusters.groupby("village_id").cumcount() + 1).astype(str)


def _refuse_bad_rows(clusters: pd.DataFrame, path: Path) -> None:
    misplaced = ~(clusters["lat"].abs().le(90) & clusters["lon"].abs().le(180))
    repeated = clusters.duplicated(["village_id", "cluster_id"])
    refuse_rows(
        path,
        (
            (misplaced, "toạ độ thiếu hoặc ngoài quả đất", "coordinates missing or off the globe"),
            (clusters["village_id"].isna(), "thiếu mã thôn", "village id missing"),
            (
                clusters["cluster_id"].str.contains("[;/]", na=False),
                "mã cụm có dấu ; hoặc /",
                "a cluster id with ; or /",
            ),
            (repeated, "mã cụm bị lặp trong thôn", "cluster id repeated within the village"),
        ),
    )


def away_km(points: pd.DataFrame, villages: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """How far each point (village_id, lat, lon) lies from the shape of its village, in km; NaN where that has none."""
    if points.empty:
        return np.empty(0)
    degrees = gpd.GeoSeries(gpd.points_from_xy(points["lon"], points["lat"]), crs=WGS84)
    metres = degrees.estimate_utm_crs()
    shapes = villages.set_index("village_id").geometry.loc[points["village_id"]].reset_index(drop=True)
    away: npt.NDArray[np.float64] = degrees.to_crs(metres).distance(shapes.to_crs(metres)).to_numpy() / 1000
    return away


def check_distances(clusters: pd.DataFrame, villages: gpd.GeoDataFrame, file: str) -> list[Note]:
    """What to look at: clusters outside their village's boundary.

    Raises `PlacesRefused` for a cluster farther than `FARTHEST_KM` from its village: that is another place,
    and its tests would speak for the wrong people. `villages` in EPSG:4326; clusters of unknown villages pass.
    """
    known = clusters[clusters["village_id"].isin(villages["village_id"])]
    shapes = villages.set_index("village_id").geometry
    named = list(
        zip(known["village_id"], known["cluster_id"], away_km(known, villages).round(1), strict=True)
    )
    bounded = set(shapes.index[shapely.get_dimensions(shapes.to_numpy()) == 2])
    for village_id, cluster_id, km in named:
        if km > FARTHEST_KM:
            raise PlacesRefused(
                f"{file}: cụm {cluster_id} cách thôn {village_id} {km} km: hãy kiểm tra toạ độ hoặc mã thôn.",
                f"{file}: cluster {cluster_id} lies {km} km from village {village_id}: check its coordinates or id.",
            )
    return [
        Note(
            "cluster_outside",
            village_id,
            f"Cụm {cluster_id} nằm ngoài ranh giới thôn {village_id} {km} km.",
            f"Cluster {cluster_id} lies {km} km outside the boundary of village {village_id}.",
        )
        for village_id, cluster_id, km in named
        if km > 0 and village_id in bounded
    ]


def places_of(villages: gpd.GeoDataFrame, clusters: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The places judged in each village, as the contract PLACES without share and people_method.

    The centre where it is known; the village's clusters; where none is listed, its settled parts (`parts`:
    village_id, place_id, hex, population, as `people.settled_parts` finds them in a raster); where there are
    none either, one place of kind `polygon` that stands for the whole village, because nobody said where its
    people live.
    """
    unlisted = villages[~villages["village_id"].isin(clusters["village_id"].unique())]
    found = parts[parts["village_id"].isin(unlisted["village_id"])]
    bare = unlisted[~unlisted["village_id"].isin(found["village_id"].unique())]
    frames = [_centres(villages), _clusters(villages, clusters), _settled(found), _whole_villages(bare)]
    places = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    return places.sort_values("place_id", ignore_index=True)


def _centres(villages: gpd.GeoDataFrame) -> pd.DataFrame:
    known = villages[villages["centre_lat"].notna() & villages["centre_lon"].notna()]
    return pd.DataFrame(
        {
            "place_id": known["village_id"] + "/centre",
            "village_id": known["village_id"],
            "kind": "centre",
            "lat": known["centre_lat"],
            "lon": known["centre_lon"],
            "households": float("nan"),
            "grid": None,
        }
    )


def _clusters(villages: gpd.GeoDataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    ours = clusters[clusters["village_id"].isin(villages["village_id"])]
    return pd.DataFrame(
        {
            "place_id": ours["village_id"] + "/c/" + ours["cluster_id"],
            "village_id": ours["village_id"],
            "kind": "cluster",
            "lat": ours["lat"],
            "lon": ours["lon"],
            "households": ours["households"],
            "grid": ours["grid"],
        }
    )


def _settled(parts: pd.DataFrame) -> pd.DataFrame:
    # A part lies where its people do on average.
    lat, lon = hexes.middles(parts["hex"].to_numpy("int64"))
    weighted = parts.assign(lat=lat * parts["population"], lon=lon * parts["population"])
    summed = weighted.groupby(["place_id", "village_id"])[["lat", "lon", "population"]].sum().reset_index()
    return pd.DataFrame(
        {
            "place_id": summed["place_id"],
            "village_id": summed["village_id"],
            "kind": "settled",
            "lat": summed["lat"] / summed["population"],
            "lon": summed["lon"] / summed["population"],
            "households": float("nan"),
            "grid": None,
        }
    )


def _whole_villages(bare: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place_id": bare["village_id"] + "/polygon",
            "village_id": bare["village_id"],
            "kind": "polygon",
            "lat": float("nan"),
            "lon": float("nan"),
            "households": bare["households"],
            "grid": None,
        }
    )
