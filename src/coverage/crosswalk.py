"""Villages × hexes: who shares which ground, exactly, and which hexes speak for which place.

Areas come from an equal-area projection centred on the villages; H3's own cell areas (on a sphere)
are never mixed in: they are 0.4 % off.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes

# Hexes are looked for this far around a village, in degrees (about 11 m): H3 fills on the plane of
# longitude and latitude, we measure in metres, and no sliver between the two may be lost.
_MARGIN_DEG = 1e-4


def crosswalk(villages: gpd.GeoDataFrame, resolution: int) -> pd.DataFrame:
    """Every village × hex pair that shares ground, as the contract CROSSWALK; no village is lost, however small.

    `villages` holds village_id and valid polygons, EPSG:4326.
    """
    projection = equal_area_projection(villages)
    shapes = villages.geometry.to_crs(projection).to_numpy()
    found = [hexes.overlapping(shapely.buffer(shape, _MARGIN_DEG), resolution) for shape in villages.geometry]
    cells = np.unique(np.concatenate([np.asarray(f, dtype=np.int64) for f in found]))
    outlines = gpd.GeoSeries(hexes.polygons(cells), crs="EPSG:4326").to_crs(projection).to_numpy()
    village_row, cell_row = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    area_m2 = _shared_area(shapes[village_row], outlines[cell_row])
    pairs = pd.DataFrame(
        {
            "village_id": villages["village_id"].to_numpy()[village_row],
            "hex": cells[cell_row],
            "area_km2": area_m2 / 1e6,
        }
    )
    pairs = pairs[pairs["area_km2"] > 0]
    whole = pairs.groupby("village_id")["area_km2"].transform("sum")
    pairs["village_share"] = pairs["area_km2"] / whole
    return pairs.sort_values(["village_id", "hex"], ignore_index=True)


def equal_area_projection(frame: gpd.GeoDataFrame) -> str:
    """The Lambert azimuthal equal-area projection centred on the frame's bounds, in metres."""
    west, south, east, north = frame.total_bounds
    return f"+proj=laea +lat_0={(south + north) / 2:.4f} +lon_0={(west + east) / 2:.4f} +datum=WGS84 +units=m"


def _shared_area(
    villages: npt.NDArray[np.object_], outlines: npt.NDArray[np.object_]
) -> npt.NDArray[np.float64]:
    # A hex wholly inside needs no intersection: a quarter of the cost saved.
    shapely.prepare(villages)
    inside = shapely.contains_properly(villages, outlines)
    area = shapely.area(outlines)
    area[~inside] = shapely.area(shapely.intersection(villages[~inside], outlines[~inside]))
    shared: npt.NDArray[np.float64] = area
    return shared


def place_hexes(places: pd.DataFrame, pairs: pd.DataFrame, resolution: int, rings: int) -> pd.DataFrame:
    """The hexes whose observations are pooled for each place, as the contract PLACE_HEXES.

    A centre or cluster: its hex and `rings` rings around it. A whole village: the hexes it shares
    ground with (`pairs` is its CROSSWALK).
    """
    points = places[places["kind"] != "polygon"]
    cells = hexes.of_points(points["lat"].to_numpy(), points["lon"].to_numpy(), resolution)
    disks = pd.DataFrame(
        {"place_id": points["place_id"].to_numpy(), "hex": [hexes.disk(int(cell), rings) for cell in cells]}
    ).explode("hex")
    whole = places.loc[places["kind"] == "polygon", ["place_id", "village_id"]]
    spread = whole.merge(pairs[["village_id", "hex"]], on="village_id")[["place_id", "hex"]]
    both = pd.concat([disks.astype({"hex": np.int64}), spread], ignore_index=True)
    return both.sort_values(["place_id", "hex"], ignore_index=True)


def outage_windows(
    outages: pd.DataFrame, villages: gpd.GeoDataFrame, places: pd.DataFrame, pooled: pd.DataFrame
) -> pd.DataFrame:
    """The known outages per hex: hex, operator (missing = all), from_utc, until_utc; distinct.

    `outages` is the contract OUTAGES, `places` PLACES, `pooled` PLACE_HEXES. An outage covers the hexes
    that speak for the places of its village, or of every village of its commune.
    """
    spread = pooled.merge(places[["place_id", "village_id"]], on="place_id")[["village_id", "hex"]]
    spread = spread.merge(villages[["village_id", "commune_code"]], on="village_id")
    columns = ["hex", "operator", "from_utc", "until_utc"]
    by_village = outages.dropna(subset="village_id").drop(columns="commune_code")
    by_commune = outages[outages["village_id"].isna()].drop(columns="village_id")
    parts = [by_village.merge(spread, on="village_id"), by_commune.merge(spread, on="commune_code")]
    return pd.concat([part[columns] for part in parts], ignore_index=True).drop_duplicates(ignore_index=True)
