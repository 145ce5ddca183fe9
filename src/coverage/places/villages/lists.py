"""Villages without boundaries: lists as offices send them, and layers of points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from coverage.places.coordinates.systems import WGS84
from coverage.places.notes import Doubts, Note, row_number
from coverage.places.sheets import read_table
from coverage.places.sheets.headers import headers
from coverage.places.vector_files import as_counts, flags, need, rename
from coverage.places.villages.clusters import cluster_rows, own_rows, whole_households
from coverage.places.villages.ids import village_ids
from coverage.places.villages.rows import (
    PLACE_COLUMNS,
    SYNONYMS,
    all_texts,
    below_communes,
    located,
    once,
    same_names,
)
from coverage.places.villages.supply import power_rows

NO_CLUSTERS = pd.DataFrame(
    {column: [] for column in ("village_id", "cluster_id", "lat", "lon", "households", "grid")}
)


@dataclass(frozen=True)
class VillageFile:
    """What a file says of villages.

    villages: contract VILLAGES, geometry in EPSG:4326 (polygon, point, or None where nobody knows the place).
    power: contract POWER, what the file itself says of electricity. clusters: as `read_clusters` gives them,
    where rows of the file are clusters of a village. notes: what a person should look at.
    rows: the file's row of each village_id.
    """

    villages: gpd.GeoDataFrame
    power: pd.DataFrame
    clusters: pd.DataFrame
    notes: list[Note]
    rows: dict[str, int]


def read_list(path: Path, crs: str | None = None) -> VillageFile:
    """The villages in a table: see `read_villages`."""
    table, notes = read_table(path, SYNONYMS, ("village_name",))
    renamed = rename(table, SYNONYMS)
    if "village_id" not in renamed:
        need(renamed, "village_name", path, SYNONYMS["village_name"])
    return villages_of_rows(table, path, crs, notes)


def villages_of_points(layer: gpd.GeoDataFrame, path: Path) -> VillageFile:
    """The villages in a layer of points in EPSG:4326 (one per nhà văn hoá), its attributes read like a list's."""
    points = layer.geometry.representative_point()
    table = rename(layer, {name: words for name, words in SYNONYMS.items() if name not in PLACE_COLUMNS})
    table = table.assign(lat=points.y, lon=points.x)
    table.index = pd.RangeIndex(1, len(table) + 1, name="feature")
    return villages_of_rows(table, path, None, [])


def villages_of_rows(table: pd.DataFrame, path: Path, crs: str | None, notes: list[Note]) -> VillageFile:
    """The villages in a table whose index is named `row` or `feature`; `notes` is what is known of it already."""
    doubts = Doubts(path.name, table.index, headers(table, SYNONYMS))
    rows, of_headings = below_communes(all_texts(rename(table, SYNONYMS), path), table, doubts)
    rows, of_rows = once(rows, doubts)
    measures, of_measures = _measures(rows, crs, path, doubts)
    own, keys = own_rows(rows)
    content = pd.Series([repr(tuple(row)) for row in rows.to_numpy(object)], index=rows.index)
    ids, of_ids = village_ids(rows[own], content, doubts)
    clusters, of_clusters = cluster_rows(rows, measures, ids, keys, doubts)
    named = rows[own].assign(village_id=ids)
    whole = _of_villages(rows, measures, own, keys)
    # What the row of a cluster says of the grid is said of the cluster.
    speaks = named["cluster_id"].isna()
    power, of_power = power_rows(named[speaks], whole.loc[speaks, "households"], doubts)
    found = [
        *of_headings,
        *of_rows,
        *of_measures,
        *of_ids,
        *same_names(named, doubts),
        *of_clusters,
        *of_power,
    ]
    row_of = {village_id: row_number(label) for label, village_id in zip(ids.index, ids, strict=True)}
    by_row = sorted(notes + found, key=lambda note: note.row)
    return VillageFile(_villages(named, whole), power, clusters, by_row, row_of)


def _measures(
    rows: pd.DataFrame, crs: str | None, path: Path, doubts: Doubts
) -> tuple[pd.DataFrame, list[Note]]:
    """lat, lon, households, population, especially_difficult and grid of each row; what could not be read is missing."""
    places, notes = located(rows, crs, path, doubts)
    measures = places[["lat", "lon"]].assign(
        households=as_counts(rows["households"]),
        population=as_counts(rows["population"]),
        especially_difficult=flags(rows, "especially_difficult"),
        grid=flags(rows, "grid"),
    )
    for column in ("households", "population", "especially_difficult"):
        notes += doubts.unread(rows[column], rows[column].notna() & measures[column].isna())
    return measures, notes


def _of_villages(rows: pd.DataFrame, measures: pd.DataFrame, own: pd.Series, keys: pd.Series) -> pd.DataFrame:
    """The measures of the villages' own rows. Where a cluster stands for its village, the centre is not known."""
    whole = measures[own].assign(households=whole_households(rows, own, keys, measures["households"]))
    clustered = rows.loc[own, "cluster_id"].notna()
    whole.loc[clustered, ["lat", "lon", "population"]] = float("nan")
    return whole


def _villages(rows: pd.DataFrame, measures: pd.DataFrame) -> gpd.GeoDataFrame:
    points = shapely.points(measures["lon"].to_numpy(), measures["lat"].to_numpy())
    points[measures["lat"].isna().to_numpy()] = None
    villages = gpd.GeoDataFrame(
        {
            "village_id": rows["village_id"],
            "village_name": rows["village_name"].fillna(rows["village_id"]),
            "commune_code": rows["commune_code"],
            "commune_name": rows["commune_name"],
            "centre_lat": measures["lat"],
            "centre_lon": measures["lon"],
            "households": measures["households"],
            "population": measures["population"],
            "especially_difficult": measures["especially_difficult"],
            "source": rows["source"],
            "boundary": "none",
            "commune_code_given": pd.Series(None, index=rows.index, dtype=object),
        },
        geometry=gpd.GeoSeries(points, index=rows.index),
        crs=WGS84,
    )
    return villages.sort_values("village_id", ignore_index=True)
