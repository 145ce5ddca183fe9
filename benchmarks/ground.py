"""The simulated province of the benchmarks: hamlets, the roads between them, masts and levels, and its places files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
OPERATORS = {"45201": "MobiFone", "45202": "VinaPhone", "45204": "Viettel", "45205": "Vietnamobile"}
WEST, SOUTH, WIDE_DEG, HIGH_DEG = 107.4, 11.2, 1.3, 1.1  # about as large as Lâm Đồng's highlands
HAMLETS = 900
MASTS = 260  # per operator
KM_PER_DEG = 110.0
WEAKEST_DBM = -124  # what a phone still hears
SILENT_SHARE = 0.08
DRIVE_S = 3600
STOP_S = 120.0
LEGS = 24
COMMUNES_A_SIDE = 9


@dataclass(frozen=True)
class World:
    """Hamlets (lon, lat), the three neighbours of each, the masts of each operator, and what is added to its levels."""

    hamlets: Floats
    neighbours: Ints
    masts: tuple[cKDTree, ...]
    lift_db: Floats


def world(seed: int, hamlets: int = HAMLETS) -> World:
    """A province; the levels of each operator are lifted so that `SILENT_SHARE` of its rows are silent."""
    rng = np.random.default_rng(seed)
    spots = np.array([WEST, SOUTH]) + rng.random((hamlets, 2)) * np.array([WIDE_DEG, HIGH_DEG])
    neighbours = cKDTree(spots).query(spots, 4)[1][:, 1:]
    # Masts stand by hamlets: those without one are the dead ones.
    masts = tuple(_masts(spots, rng) for _ in OPERATORS)
    flat = World(spots, neighbours, masts, np.zeros(len(OPERATORS)))
    lon, lat = walks(flat, 400, rng)
    lift = [_lift(flat, lon, lat, at, rng) for at in range(len(OPERATORS))]
    return World(spots, neighbours, masts, np.array(lift))


def _masts(spots: Floats, rng: np.random.Generator) -> cKDTree:
    chosen = spots[rng.permutation(len(spots))[:MASTS]]
    return cKDTree(chosen + rng.normal(0, 0.004, chosen.shape))


def _lift(flat: World, lon: Floats, lat: Floats, operator: int, rng: np.random.Generator) -> float:
    levels = level_dbm(flat, lon, lat, np.full(len(lon), operator), rng)
    return float(WEAKEST_DBM - np.quantile(levels, SILENT_SHARE))


def walks(ground: World, drives: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Longitude and latitude of each second of so many drives, one after another."""
    at = rng.integers(0, len(ground.hamlets), drives)
    stops = [at]
    for _ in range(LEGS):
        at = ground.neighbours[at, rng.integers(0, 3, drives)]
        stops.append(at)
    path = ground.hamlets[np.stack(stops, axis=1)]
    leg_km = np.hypot(*np.moveaxis(np.diff(path, axis=1), 2, 0)) * KM_PER_DEG
    leg_s = leg_km / rng.uniform(30, 45, (drives, 1)) * 3600
    leave = np.cumsum(leg_s + STOP_S, axis=1) - leg_s
    arrive = leave + leg_s
    begin = np.zeros((drives, 1))
    times = np.stack([np.hstack([begin, arrive]), np.hstack([leave, arrive[:, -1:] + STOP_S])], axis=2)
    times, spots = times.reshape(drives, -1), np.repeat(path, 2, axis=1)
    seconds = np.arange(DRIVE_S)
    lon, lat = (
        np.concatenate([np.interp(seconds, times[row], spots[row, :, axis]) for row in range(drives)])
        for axis in (0, 1)
    )
    return lon + rng.normal(0, 3e-5, len(lon)), lat + rng.normal(0, 3e-5, len(lat))


def level_dbm(ground: World, lon: Floats, lat: Floats, operator: Ints, rng: np.random.Generator) -> Floats:
    """The level at each spot for each operator (its number): less with the way to its nearest mast, and hills."""
    level, spots = np.empty(len(lon)), np.column_stack([lon, lat])
    for at, masts in enumerate(ground.masts):
        own = operator == at
        km = masts.query(spots[own])[0] * KM_PER_DEG
        level[own] = -70.0 - 33.0 * np.log10(np.maximum(km, 0.05)) + ground.lift_db[at]
    # Hills and valleys, some kilometres wide, the same for everybody.
    level += 5.0 * (np.sin(lon * 310.0) * np.cos(lat * 270.0) + np.sin(lon * 97.0 + lat * 143.0))
    return level + rng.normal(0, 4.0, len(lon))


def village_shapes(ground: World) -> npt.NDArray[np.object_]:
    """The ground nearest to each hamlet, within the province; with edges as ragged as real boundaries."""
    box = shapely.box(WEST, SOUTH, WEST + WIDE_DEG, SOUTH + HIGH_DEG)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(ground.hamlets), extend_to=box))
    cell, hamlet = shapely.STRtree(shapely.points(ground.hamlets)).query(cells, predicate="contains")
    shapes = np.empty(len(ground.hamlets), dtype=object)
    shapes[hamlet] = shapely.intersection(cells[cell], box)
    return shapely.transform(shapely.segmentize(shapes, 0.0005), _ragged)


def _ragged(points: Floats) -> Floats:
    # The same point moves alike in both villages that share it, so neighbours still touch without gaps. Waves of some
    # 500 m, flat enough that no outline crosses itself.
    lon, lat = points.T
    return points + 4e-4 * np.column_stack([np.sin(lat * 1300 + lon * 700), np.sin(lon * 1200 - lat * 800)])


def write_places(folder: Path, ground: World) -> dict[str, Path]:
    """The places files of the province, by kind as `phusong places add` names them."""
    folder.mkdir(parents=True, exist_ok=True)
    number = np.arange(len(ground.hamlets))
    column, row = (
        np.floor((ground.hamlets - [WEST, SOUTH]) / [WIDE_DEG, HIGH_DEG] * COMMUNES_A_SIDE).astype(int).T
    )
    communes = 90_000 + column * COMMUNES_A_SIDE + row
    ids = np.array([f"{commune}-{at:05}" for commune, at in zip(communes, number, strict=True)])
    villages = gpd.GeoDataFrame(
        {
            "village_id": ids,
            "name": [f"Thôn {at} (simulated)" for at in number],
            "commune_code": communes.astype(str),
            "centre_lat": ground.hamlets[:, 1],
            "centre_lon": ground.hamlets[:, 0],
            "households": 80 + number % 200,
            "population": 300 + number % 700,
            "source": "simulated",
        },
        geometry=village_shapes(ground),
        crs="EPSG:4326",
    )
    paths = {
        kind: folder / f"{kind}.{end}"
        for kind, end in (
            ("communes", "geojson"),
            ("villages", "geojson"),
            ("clusters", "csv"),
            ("power", "csv"),
        )
    }
    outlines = villages.dissolve("commune_code").reset_index()
    outlines = outlines.assign(commune_name="Xã " + outlines["commune_code"])[
        ["commune_code", "commune_name", "geometry"]
    ]
    outlines.to_file(paths["communes"], driver="GeoJSON")
    villages.to_file(paths["villages"], driver="GeoJSON")
    _clusters(ground, ids).to_csv(paths["clusters"], index=False)
    _power(ids, villages["households"].to_numpy()).to_csv(paths["power"], index=False)
    return paths


def _clusters(ground: World, ids: npt.NDArray[np.str_]) -> pd.DataFrame:
    """Two clusters a village, on the road to its nearest neighbour and to the second one."""
    found = []
    for at in (0, 1):
        way = ground.hamlets[ground.neighbours[:, at]] - ground.hamlets
        spot = ground.hamlets + way * np.minimum(1.0, 0.008 / np.hypot(*way.T))[:, None]
        found.append(
            pd.DataFrame(
                {
                    "village_id": ids,
                    "cluster_id": f"c{at + 1}",
                    "lat": spot[:, 1],
                    "lon": spot[:, 0],
                    "households": 40,
                }
            )
        )
    return pd.concat(found)


def _power(ids: npt.NDArray[np.str_], households: Ints) -> pd.DataFrame:
    # Every seventh village waits for the grid.
    on_grid = np.where(np.arange(len(ids)) % 7 == 0, 0, households)
    return pd.DataFrame(
        {
            "village_id": ids,
            "households": households,
            "households_grid": on_grid,
            "source": "simulated",
            "as_of": "2026-06-30",
        }
    )
