"""Operators' declared coverage held against tests: how far a map holds, and whether a dead village is on it.

A map is a claim: it never makes a place covered, and a place that no map names is not dead for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.types import Table as Expression
from scipy.special import betaincinv

from coverage import engine, evidence, hexes
from coverage.criteria import Criteria
from coverage.dead_areas import dead_places, failing_hexes
from coverage.projections import equal_area
from coverage.tables import RELIABILITY, schema
from coverage.verdicts import Flags, Numbers

_KEY = ["village_id", "operator"]
_DEAD = [*_KEY, "place_id"]
_COUNTS = ["tests", "fails", "devices", "dates", "effective_tests", "effective_fails"]
_TOGETHER = ""  # no commune's code: all communes of the operator
_TAIL = 0.025  # of a two-sided interval of 95 %


def declared_hexes(declared: gpd.GeoDataFrame, resolution: int) -> pd.DataFrame:
    """The hexes whose middle lies in an operator's declared area: operator, hex; sorted, each once.

    `declared` is the contract DECLARED with polygons, EPSG:4326; its technologies are taken together.
    """
    found = [
        pd.DataFrame({"operator": operator, "hex": hexes.centred_in(areas.geometry.to_numpy(), resolution)})
        for operator, areas in declared.groupby("operator")
    ]
    empty = pd.DataFrame({"operator": [], "hex": []}).astype({"operator": object, "hex": np.int64})
    return pd.concat(found, ignore_index=True) if found else empty


def reliability(
    tests: Expression,
    backend: Backend,
    claimed_hexes: pd.DataFrame,
    communes: gpd.GeoDataFrame,
    criteria: Criteria,
) -> pd.DataFrame:
    """How far each operator's map holds in each commune and in all of them together, as the contract RELIABILITY.

    `tests` is OBSERVATIONS in that engine, `claimed_hexes` what `declared_hexes` returns, `communes` codes,
    names and polygons, EPSG:4326. As Arcep does, only tests inside the declared area count, passes over tests;
    a test of any technology counts, whichever the map is for: to its user a network is one. Tests of sources that
    never write silence are left out: they would make every map look better.
    Without any commune the whole map is one. A commune where nothing was tested keeps its row, its shares
    missing: unmeasured has not failed. The interval is Jeffreys' on effective tests, where a phone that
    repeats itself counts for little; where that moves it off the plain share, it is widened to hold it.
    """
    if claimed_hexes.empty:
        nothing: pd.DataFrame = schema(RELIABILITY).empty_table().to_pandas()
        return nothing
    tests = tests.filter(~tests.positive_only)
    ground = _with_commune(claimed_hexes, communes, criteria.hex_resolution)
    operators = sorted(set(claimed_hexes["operator"]))
    areas = _areas(ground, tests, operators)
    areas["place_id"] = [str(row) for row in range(len(areas))]
    pooled = ground.merge(areas, on=["operator", "commune_code"])[["operator", "place_id", "hex"]]
    claimed_ground = engine.load_frame(backend, "claimed_ground", pooled)
    found = _evidence(tests, claimed_ground, operators, criteria)
    rows = areas.merge(found, on=["place_id", "operator"], how="left")
    return _with_shares(rows, communes, criteria).sort_values(
        ["operator", "commune_code"], na_position="first", ignore_index=True
    )


def _evidence(
    tests: Expression, claimed_ground: Expression, operators: Sequence[str], criteria: Criteria
) -> pd.DataFrame:
    # One operator at a time: others' tests on the same ground say nothing of this map.
    found = [
        evidence.tests_by_place(
            tests.filter(tests.operator == one),
            claimed_ground.filter(claimed_ground.operator == one),
            criteria,
        )
        for one in operators
    ]
    return pd.concat([one[["place_id", "operator", *_COUNTS]] for one in found], ignore_index=True)


def _with_commune(claimed_hexes: pd.DataFrame, communes: gpd.GeoDataFrame, resolution: int) -> pd.DataFrame:
    # Each claimed hex in its commune, and once more for all communes together (code _TOGETHER).
    found = [
        pd.DataFrame({"commune_code": code, "hex": hexes.centred_in(np.array([shape]), resolution)})
        for code, shape in zip(communes["commune_code"], communes.geometry, strict=True)
    ]
    whole = claimed_hexes.assign(commune_code=_TOGETHER)
    if not found:
        return whole
    # On a border that two communes draw differently the first one has the hex.
    owner = pd.concat(found).drop_duplicates("hex")
    inside = claimed_hexes.merge(owner, on="hex")
    return pd.concat([inside, whole[whole["hex"].isin(owner["hex"])]], ignore_index=True)


def _areas(ground: pd.DataFrame, tests: Expression, operators: Sequence[str]) -> pd.DataFrame:
    # The declared and the tested ground of each operator and commune; none, where a map lies elsewhere.
    decided = tests.filter(tests.fails.notnull()).select("operator", "hex").distinct().execute()
    measured = ground.merge(decided.assign(is_tested=True), on=["operator", "hex"], how="left")
    km2 = measured["hex"].map(_km2_of(ground["hex"].unique()))
    measured = measured.assign(declared_km2=km2, tested_km2=km2.where(measured["is_tested"].eq(True), 0.0))
    keys = ["operator", "commune_code"]
    sums = measured.groupby(keys)[["declared_km2", "tested_km2"]].sum()
    together = pd.MultiIndex.from_product([operators, [_TOGETHER]], names=keys)
    return sums.reindex(sums.index.union(together), fill_value=0.0).reset_index()


def _km2_of(cells: hexes.Hexes) -> pd.Series:
    if not cells.size:
        return pd.Series(dtype=float)
    outlines = gpd.GeoDataFrame(geometry=hexes.polygons(cells), crs="EPSG:4326")
    return pd.Series(outlines.to_crs(equal_area(outlines)).area.to_numpy() / 1e6, index=cells)


def _with_shares(rows: pd.DataFrame, communes: gpd.GeoDataFrame, criteria: Criteria) -> pd.DataFrame:
    table = rows.assign(**rows[_COUNTS].fillna(0)).astype(dict.fromkeys(_COUNTS[:4], np.int64))
    table["passes"] = table["tests"] - table["fails"]
    table["pass_share"] = table["passes"] / table["tests"].where(table["tests"] > 0)
    low, high = interval(
        (table["effective_tests"] - table["effective_fails"]).to_numpy(), table["effective_fails"].to_numpy()
    )
    table["low_share"] = np.minimum(table["pass_share"], low)
    table["high_share"] = np.maximum(table["pass_share"], high)
    table["operator_name"] = table["operator"].map(criteria.operator_name)
    names = dict(zip(communes["commune_code"], communes["commune_name"], strict=True))
    table["commune_name"] = table["commune_code"].map(names).astype(object)
    table["commune_code"] = (
        table["commune_code"].astype(object).where(table["commune_code"] != _TOGETHER, None)
    )
    return table[RELIABILITY.names]


def interval(passes: Numbers, fails: Numbers) -> tuple[Numbers, Numbers]:
    """The two-sided 95 % Jeffreys interval of the share that passes, from effective counts: its ends.

    9 of 10: 0.619 to 0.988. Without any test it is the prior's own, 0.0015 to 0.9985.
    """
    ends = (betaincinv(passes + 0.5, fails + 0.5, tail) for tail in (_TAIL, 1 - _TAIL))
    low, high = (np.asarray(end, dtype=np.float64) for end in ends)
    return low, high


def claimed(
    village_rows: pd.DataFrame,
    places: pd.DataFrame,
    declared: gpd.GeoDataFrame,
    pooled: pd.DataFrame,
    hex_verdicts: pd.DataFrame,
) -> pd.Series:
    """Whether the operator declares service at a dead place, for each row; None: not dead, or no map of that operator.

    `village_rows` has village_id, operator, status and dead_places of VILLAGE_VERDICTS, `places` is PLACES,
    `declared` DECLARED with polygons, `pooled` PLACE_HEXES, `hex_verdicts` HEX_VERDICTS. A centre or cluster
    is claimed where its point lies in the declared area (border included); a settled part or a whole village,
    where the middle of one of its failing hexes does. One dead place that is claimed is enough.
    """
    dead = dead_places(village_rows)
    dead = dead.merge(places[["place_id", "kind", "lat", "lon"]], on="place_id")
    is_point = dead["kind"].isin(["centre", "cluster"])
    spread = failing_hexes(dead.loc[~is_point, _DEAD], pooled, hex_verdicts)
    lat, lon = hexes.middles(spread["hex"].to_numpy(np.int64))
    asked = pd.concat([dead.loc[is_point, [*_DEAD, "lat", "lon"]], spread[_DEAD].assign(lat=lat, lon=lon)])
    answer = asked.assign(claimed=_is_declared(asked, declared)).groupby(_KEY)["claimed"].any()
    keys = pd.MultiIndex.from_frame(village_rows[_KEY])
    found = pd.Series(answer.reindex(keys).to_numpy(dtype=object), index=village_rows.index, dtype=object)
    return found.where(found.notna() & village_rows["operator"].isin(declared["operator"]), None)


def _is_declared(asked: pd.DataFrame, declared: gpd.GeoDataFrame) -> Flags:
    # The declared areas look for the points: shapely prepares who asks, and a map may have millions of vertices.
    points = shapely.points(asked["lon"].to_numpy(float), asked["lat"].to_numpy(float))
    areas = declared.geometry.to_numpy()
    area_row, point_row = shapely.STRtree(points).query(areas, predicate="intersects")
    same = declared["operator"].to_numpy()[area_row] == asked["operator"].to_numpy()[point_row]
    return np.isin(np.arange(len(asked)), point_row[same])
