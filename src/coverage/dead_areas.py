"""Where in a dead village the signal fails: its dead hexes, clipped to the village and dissolved."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from coverage import hexes
from coverage.verdicts import dead_places, failing_hexes


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
