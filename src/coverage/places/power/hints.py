"""What lines, night lights and outage notices say of villages' power, as rows of the contract POWER.

Lines and lights are hints and never prove; that nothing is drawn or lit says nothing at all. A notice of the
power utility that a village will be cut off proves that it is connected.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from coverage.criteria import Ground
from coverage.names import fold
from coverage.places import rasters
from coverage.tables import POWER

# Who cuts the power off in Viet Nam: the power companies (điện lực, EVN, SPC, CPC, NPC, PC + province).
_UTILITY_WORDS = re.compile(r"(evn\w*|pc|spc|cpc|npc)")


def from_lines(lines: gpd.GeoDataFrame, points: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    """One row per village that a distribution line or transformer comes near to, `inferred`: the nearest one.

    `lines` is the contract LINES with geometry, `points` village_id, lat, lon of centres and clusters (a village
    may have several, the nearest counts; missing places are passed over). Near: within `ground.power_line_reach_m`;
    for distribution: at most `ground.power_line_kv`, or of unknown voltage. Distances in metres on the UTM zone.
    """
    feeding = lines[~(lines["voltage_kv"] > ground.power_line_kv)]
    known = points.dropna(subset=["lat", "lon"])
    if feeding.empty or known.empty:
        return _rows(pd.DataFrame({"village_id": [], "source": []}), "inferred")
    spots = gpd.GeoDataFrame(
        known[["village_id"]], geometry=gpd.points_from_xy(known["lon"], known["lat"]), crs="EPSG:4326"
    )
    metres = spots.estimate_utm_crs()
    near = spots.to_crs(metres).sjoin_nearest(
        feeding[["kind", "voltage_kv", "source", "geometry"]].to_crs(metres),
        max_distance=ground.power_line_reach_m,
        distance_col="distance_m",
    )
    ordered = near.sort_values(["village_id", "distance_m", "kind", "voltage_kv", "source"])
    nearest = ordered.drop_duplicates("village_id")
    return _rows(nearest[["village_id"]].assign(source=_line_sources(nearest)), "inferred")


def _line_sources(nearest: pd.DataFrame) -> list[str]:
    columns = (nearest[name] for name in ("kind", "voltage_kv", "distance_m", "source"))
    return [
        f"{'đường dây' if kind == 'line' else 'trạm biến áp'}{'' if np.isnan(kv) else f' {_vi(kv)} kV'}"
        f" cách {metres:.0f} m ({source})"
        for kind, kv, metres, source in zip(*columns, strict=True)
    ]


def _vi(number: float) -> str:
    return f"{number:.4g}".replace(".", ",")


def from_lights(
    raster: Path, shapes: gpd.GeoDataFrame, ground: Ground, source: str, as_of: date | None
) -> pd.DataFrame:
    """One row per village whose ground shines at night, `inferred`: mean radiance ≥ `ground.lit_nw_cm2_sr`.

    `raster` holds night-time radiance in nW/cm²·sr as `rasters.clean` wrote it; `shapes` village_id and the
    village's settled ground or territory, EPSG:4326. A dark village has no row: many with power are dark from
    above. Nor has one of whose ground the raster knows less than half.
    """
    means = rasters.means(raster, shapes.geometry)
    lit = means >= ground.lit_nw_cm2_sr
    found = pd.DataFrame(
        {
            "village_id": shapes["village_id"].to_numpy()[lit],
            "source": [f"ánh sáng đêm {_vi(round(mean, 2))} nW/cm²·sr ({source})" for mean in means[lit]],
        }
    )
    return _rows(found, "inferred", as_of)


def from_outages(outages: pd.DataFrame, utc_offset_hours: float) -> pd.DataFrame:
    """At most two rows per village: it is on the grid because its power was cut off, by notice.

    `outages` is the contract OUTAGES. Evidence `utility` where the source names a power company, else
    `inferred`. The source holds the local date on which the newest cut began; as_of stays missing: a notice says
    that some households are connected, so it never overtakes an older count that finds too few of them. An outage of
    one operator's network or of a whole commune proves nothing of one village.
    """
    cuts = outages[outages["village_id"].notna() & outages["operator"].isna()]
    begun = (cuts["from_utc"] + pd.Timedelta(hours=utc_offset_hours)).dt.date
    found = pd.DataFrame(
        {
            "village_id": cuts["village_id"],
            "source": [
                f"thông báo cắt điện {day:%Y-%m-%d} ({source})"
                for day, source in zip(begun, cuts["source"], strict=True)
            ],
            "evidence": ["utility" if _names_utility(source) else "inferred" for source in cuts["source"]],
        }
    )
    # The day stands before the name, so that the last of a village is the newest.
    newest = found.sort_values(["village_id", "evidence", "source"])
    newest = newest.drop_duplicates(["village_id", "evidence"], keep="last")
    return _rows(newest, newest["evidence"].to_numpy())


def _names_utility(source: str) -> bool:
    words = {fold(word) for word in re.split(r"\W+", source)}
    return "dienluc" in fold(source) or any(_UTILITY_WORDS.fullmatch(word) for word in words)


def _rows(found: pd.DataFrame, evidence: Any, as_of: Any = None) -> pd.DataFrame:  # noqa: ANN401  one or a column
    rows = pd.DataFrame(
        {
            "village_id": found["village_id"].astype(object),
            "households": np.nan,
            "households_grid": np.nan,
            "grid_status": "national_grid",
            "source": found["source"].astype(object),
            "evidence": evidence,
            "as_of": pd.Series(as_of, index=found.index, dtype=object),
        }
    )
    return rows[POWER.names].reset_index(drop=True)
