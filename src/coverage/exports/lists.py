"""Snapshot → the lists that leave the house: which rows, which properties.

snapshot ──► select ──► one GeoDataFrame ──► `files.to_bytes` ──► GeoJSON, CSV, GeoPackage, …
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from coverage import hexes
from coverage.archive.snapshots import WGS84, Snapshot
from coverage.errors import ContractBroken, InputError, NotFound
from coverage.exports.files import FORMATS, to_bytes, write
from coverage.tables import DEAD_STATUSES, HEX_VERDICTS, RELIABILITY, ROAD_VERDICTS, STATUSES, VERDICTS

__all__ = ["FORMATS", "LISTS", "PROPERTIES", "select", "to_bytes", "write"]

DEAD_LISTS = ("gaps", "no_power", "verify_power")
# Dead villages: their shape is the dead area.
_WITH_DEAD_AREA = (*DEAD_LISTS, "claimed_dead")
VILLAGE_LISTS = (*_WITH_DEAD_AREA, "need_measurement", "villages")
LISTS = (*VILLAGE_LISTS, "hexes", "roads", "reliability")

# The properties of a gap, in the order in which every file prints them.
PROPERTIES = (
    *("gap_id", "village_id", "village_name", "commune_code", "commune_name", "operator", "operator_name"),
    *("status", "status_all_operators", "not_spot", "grid_status", "electrified", "power_source"),
    *("power_as_of", "power_evidence", "power_conflict", "households", "households_affected", "population"),
    *(
        "population_source",
        "population_affected",
        "population_undecided",
        "dead_share",
        "people_method",
        "boundary",
    ),
    *(
        "centre_verdict",
        "basis",
        "tests",
        "fails",
        "effective_tests",
        "devices",
        "occasions",
        "first_test_utc",
    ),
    *("last_test_utc", "median_rsrp_dbm", "no_service_share", "evidence_grade", "outage_tests"),
    *("claimed", "site_id", "site_distance_km", "site_terrain_blocks"),
    *("planned_site_id", "planned_site_distance_km", "planned_on_air"),
    *("status_at_105", "status_at_121", "sub_reason", "who_must_act", "priority", "reason", "reason_en"),
    *("criteria", "snapshot_id", "as_of", "simulated", "list", "especially_difficult"),
    *("what_would_change", "what_would_change_en", "status_voice", "status_data_good", "level_margin_db"),
    *(
        "p_dead",
        "p_covered",
        "evidence_mix",
        "fcc_grade",
        "vehicle_tests",
        "pre_change_tests",
        "positive_only_tests",
    ),
    *("expired_tests", "predicted_p_below", "survey_rank"),
)
_ORDERED_BY = {"gaps": ["priority"], "need_measurement": ["survey_rank"]}
_STAMPS = ("criteria", "snapshot_id", "as_of", "simulated")
OTHER_PROPERTIES = {
    "hexes": (
        *("hex", "operator", "operator_name"),
        *[name for name in HEX_VERDICTS.names if name not in ("hex", "operator")],
        *_STAMPS,
    ),
    "roads": (*ROAD_VERDICTS.names, *_STAMPS),
    "reliability": (*RELIABILITY.names, *_STAMPS),
}


def select(
    snapshot: Snapshot,
    what: str,
    *,
    operator: str | None = None,
    commune: str | None = None,
    status: str | None = None,
) -> gpd.GeoDataFrame:
    """The rows of one list as a GeoDataFrame, EPSG:4326, flat columns in the order of `PROPERTIES`.

    what: gaps, no_power, verify_power, claimed_dead (geometry: the dead area), need_measurement, villages
    (one row per village × operator; geometry: the village), hexes (one row per hex × operator; the outline),
    roads (per road × operator; its dead stretches), reliability (per operator × commune; the commune).
    operator: code or name. commune: code; hexes and roads are kept where they touch the commune. status: a
    village status; for hexes a verdict; the last two lists have none. None takes all. Gaps stand in order of
    priority, what is to be measured in order of survey_rank, the rest by id. Missing values stay missing. Raises `InputError` for an unknown list, operator or status,
    `NotFound` for an unknown commune, `ContractBroken` where a dead village has no dead area.
    """
    _require(what, LISTS, "danh sách", "list")
    code = operator_code(snapshot, operator)
    _check_commune(snapshot, commune)
    _check_status(what, status)
    rows = _rows(snapshot, what, code, status)
    return _stamped(snapshot, _in_commune(snapshot, rows, what, commune), what)


def gap_ids(rows: pd.DataFrame) -> pd.Series[str]:
    """The id of the gap that each row of village_id and operator is or would be."""
    return rows["village_id"].astype(str) + "-" + rows["operator"].astype(str)


def _rows(snapshot: Snapshot, what: str, operator: str | None, status: str | None) -> gpd.GeoDataFrame:
    if what == "hexes":
        return _hexes(snapshot, operator, status)
    if what == "roads":
        # Measured roads only as far as the list goes: a road of no dead stretch has no shape.
        return _matching(snapshot.road_verdicts, operator=operator).reset_index(drop=True)
    if what == "reliability":
        return _reliability(snapshot, operator)
    return _villages(snapshot, what, operator, status)


def _check_status(what: str, status: str | None) -> None:
    if status is None:
        return
    if what in {"roads", "reliability"}:
        raise InputError(
            f"Danh sách {what} không lọc theo trạng thái.", f"The list {what} is not filtered by status."
        )
    _require(status, VERDICTS if what == "hexes" else STATUSES, "trạng thái", "status")


def _require(value: str, allowed: tuple[str, ...], vi: str, en: str) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise InputError(
            f"Không có {vi} {value!r:.60}; chọn một trong: {known}.",
            f"There is no {en} {value!r:.60}; choose one of: {known}.",
        )


def operator_code(snapshot: Snapshot, operator: str | None) -> str | None:
    """The code of an operator that is given by code or by name; None stays None. Raises `InputError` for an unknown one."""
    if operator is None or operator in snapshot.info.operators:
        return operator
    names = {name.casefold(): code for code, name in snapshot.info.operators.items()}
    if operator.casefold() in names:
        return names[operator.casefold()]
    _require(
        operator, tuple(f"{c} ({n})" for c, n in snapshot.info.operators.items()), "nhà mạng", "operator"
    )
    return None


def _check_commune(snapshot: Snapshot, commune: str | None) -> None:
    known = (snapshot.communes["commune_code"], snapshot.villages["commune_code"])
    if commune is not None and not any((codes == commune).any() for codes in known):
        raise NotFound(
            f"Không có xã mang mã {commune!r:.20}.", f"There is no commune with code {commune!r:.20}."
        )


def _villages(snapshot: Snapshot, what: str, operator: str | None, status: str | None) -> gpd.GeoDataFrame:
    verdicts = snapshot.village_verdicts
    rows = verdicts[_chosen(verdicts, what)]
    rows = _matching(rows, operator=operator, status=status)
    first = _ORDERED_BY.get(what, [])
    rows = rows.sort_values([*first, "village_id", "operator"], kind="stable").reset_index(drop=True)
    if what not in _WITH_DEAD_AREA:
        shapes = snapshot.villages.set_index("village_id").geometry
        return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows["village_id"]).to_numpy(), crs=WGS84)
    rows.insert(0, "gap_id", gap_ids(rows))
    return gpd.GeoDataFrame(rows, geometry=_dead_shapes(snapshot, rows), crs=WGS84)


def _chosen(verdicts: pd.DataFrame, what: str) -> pd.Series[bool]:
    if what == "villages":
        return pd.Series(data=True, index=verdicts.index)
    if what == "claimed_dead":
        return verdicts["status"].isin(DEAD_STATUSES) & verdicts["claimed"].eq(True)
    return verdicts["list"] == what


def _matching(rows: pd.DataFrame, **wanted: str | None) -> pd.DataFrame:
    for column, value in wanted.items():
        if value is not None:
            rows = rows[rows[column] == value]
    return rows


def _dead_shapes(snapshot: Snapshot, rows: pd.DataFrame) -> Any:  # noqa: ANN401 - an array of shapes
    shapes = snapshot.dead_areas.set_index(["village_id", "operator"]).geometry
    wanted = pd.MultiIndex.from_frame(rows[["village_id", "operator"]])
    found = shapes.reindex(wanted).to_numpy()
    lost = shapely.is_missing(found) | shapely.is_empty(found)
    if lost.any():
        village, operator = wanted[lost.argmax()]
        raise ContractBroken(
            f"Thôn {village}, nhà mạng {operator}: có trong danh sách mà không có vùng mất sóng.",
            f"Village {village}, operator {operator}: listed, but has no dead area.",
        )
    return found


def _hexes(snapshot: Snapshot, operator: str | None, verdict: str | None) -> gpd.GeoDataFrame:
    rows = _hex_rows(snapshot, operator, verdict)
    shapes = hexes.polygons(rows["hex"].to_numpy())
    return gpd.GeoDataFrame(_named_hexes(snapshot, rows), geometry=shapes, crs=WGS84)


def _hex_rows(snapshot: Snapshot, operator: str | None, verdict: str | None) -> pd.DataFrame:
    rows = _matching(snapshot.hex_verdicts, operator=operator, verdict=verdict)
    return rows.sort_values(["hex", "operator"], kind="stable").reset_index(drop=True)


def _named_hexes(snapshot: Snapshot, rows: pd.DataFrame) -> pd.DataFrame:
    names = rows["operator"].map(lambda code: snapshot.info.operators.get(code, code))
    texts = pd.Series([hexes.text(value) for value in rows["hex"]], dtype="object", index=rows.index)
    return rows.assign(hex=texts, operator_name=names)


def hex_table(snapshot: Snapshot) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """The properties of every measured hex as `select` gives them, and the H3 index of each row: no shape is made."""
    rows = _hex_rows(snapshot, None, None)
    return _with_stamp(snapshot, _named_hexes(snapshot, rows), "hexes"), rows["hex"].to_numpy(np.int64)


def _reliability(snapshot: Snapshot, operator: str | None) -> gpd.GeoDataFrame:
    rows = _matching(snapshot.reliability, operator=operator).reset_index(drop=True)
    shapes = snapshot.communes.dissolve("commune_code").geometry
    return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows["commune_code"]).to_numpy(), crs=WGS84)


def _in_commune(
    snapshot: Snapshot, rows: gpd.GeoDataFrame, what: str, commune: str | None
) -> gpd.GeoDataFrame:
    if commune is None:
        return rows
    if what not in {"hexes", "roads"}:
        return rows[rows["commune_code"] == commune].reset_index(drop=True)
    area = shapely.union_all(snapshot.communes[snapshot.communes["commune_code"] == commune].geometry)
    return rows[rows.intersects(area)].reset_index(drop=True)


def _stamped(snapshot: Snapshot, rows: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    table = _with_stamp(snapshot, pd.DataFrame(rows.drop(columns="geometry")), what)
    frame = gpd.GeoDataFrame(table, geometry=rows.geometry.to_numpy(), crs=WGS84)
    frame.attrs = {"list": what, **stamp(snapshot)}
    return frame


def _with_stamp(snapshot: Snapshot, rows: pd.DataFrame, what: str) -> pd.DataFrame:
    rows = rows.assign(**stamp(snapshot))
    if "priority" in rows.columns:
        rows["priority"] = rows["priority"].astype("Int64")
    wanted = OTHER_PROPERTIES.get(what, PROPERTIES)
    return rows[[name for name in wanted if name in rows.columns]]


def stamp(snapshot: Snapshot) -> dict[str, Any]:
    """What stands on every row that leaves the house: criteria, snapshot_id, as_of, simulated."""
    return {name: getattr(snapshot.info, name) for name in _STAMPS}
