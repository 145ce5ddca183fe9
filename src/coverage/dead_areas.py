"""Where in a dead village the signal fails: its dead hexes, clipped to the village and dissolved."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from coverage import hexes
from coverage.tables import DEAD_STATUSES


def dead_areas(
    verdicts: pd.DataFrame, pooled: pd.DataFrame, hex_verdicts: pd.DataFrame, villages: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """One area per dead village × operator: village_id, operator and geometry, EPSG:4326.

    `verdicts` is VILLAGE_VERDICTS, `pooled` PLACE_HEXES. Of the hexes pooled for the dead places, those
    where most tests fail: an unmeasured hex is never painted dead. Clipped to the village; where the
    hexes lie wholly outside its boundary (a centre drawn outside), they stay unclipped.
    """
    failing = failing_hexes(dead_places(verdicts), pooled, hex_verdicts)
    failing = failing.drop_duplicates(["village_id", "operator", "hex"])
    shapes = villages.set_index("village_id").geometry
    areas = [
        {
            "village_id": village_id,
            "operator": operator,
            "geometry": _area(group["hex"].tolist(), shapes[village_id]),
        }
        for (village_id, operator), group in failing.groupby(["village_id", "operator"])
    ]
    return gpd.GeoDataFrame(
        areas, columns=["village_id", "operator", "geometry"], geometry="geometry", crs="EPSG:4326"
    )


def _area(cells: list[int], village: shapely.Geometry) -> shapely.Geometry:
    # Neighbouring hexes come with vertices that differ in the last bits: a grid of 1e-9 degrees (0.1 mm) joins them.
    whole = shapely.union_all(hexes.polygons(cells), grid_size=1e-9)
    clipped = shapely.intersection(whole, village)
    parts = [part for part in shapely.get_parts(clipped) if part.geom_type == "Polygon" and not part.is_empty]
    return shapely.union_all(parts) if parts else whole


def dead_places(village_rows: pd.DataFrame) -> pd.DataFrame:
    """The places that make a village dead for an operator: village_id, operator, place_id.

    `village_rows` has village_id, operator, status and dead_places of VILLAGE_VERDICTS.
    """
    is_dead = village_rows["status"].isin(DEAD_STATUSES)
    dead = village_rows.loc[is_dead, ["village_id", "operator", "dead_places"]]
    split = dead.assign(place_id=dead["dead_places"].str.split(";")).explode("place_id")
    return split[["village_id", "operator", "place_id"]].reset_index(drop=True)


def failing_hexes(dead: pd.DataFrame, pooled: pd.DataFrame, hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    """The hexes where dead places fail: village_id, operator, place_id, hex.

    `dead` is what `dead_places` returns, `pooled` PLACE_HEXES, `hex_verdicts` HEX_VERDICTS. Of the hexes
    pooled for a village's dead places, those where most tests fail; where none has most, those with any fail.
    """
    measured = hex_verdicts.loc[hex_verdicts["fails"] > 0, ["hex", "operator", "tests", "fails"]]
    failing = dead.merge(pooled, on="place_id").merge(measured, on=["hex", "operator"])
    most = failing["fails"] * 2 > failing["tests"]
    has_most = most.groupby([failing["village_id"], failing["operator"]]).transform("any").astype(bool)
    return failing.loc[most | ~has_most, [*dead.columns, "hex"]].reset_index(drop=True)
