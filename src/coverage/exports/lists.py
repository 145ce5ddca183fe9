"""Snapshot → the lists that leave the house: which rows, which properties.

snapshot ──► select ──► one GeoDataFrame ──► `files.to_bytes` ──► GeoJSON, CSV, GeoPackage
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from coverage import hexes
from coverage.archive.snapshots import WGS84, Snapshot
from coverage.errors import ContractBroken, InputError, NotFound
from coverage.exports.files import FORMATS, to_bytes, write
from coverage.tables import HEX_VERDICTS, STATUSES, VERDICTS

__all__ = ["FORMATS", "LISTS", "PROPERTIES", "select", "to_bytes", "write"]

DEAD_LISTS = ("gaps", "no_power", "verify_power")
LISTS = (*DEAD_LISTS, "need_measurement", "villages", "hexes")

# The properties of a gap, in the order in which every file prints them.
PROPERTIES = (
    *("gap_id", "village_id", "village_name", "commune_code", "commune_name", "operator", "operator_name"),
    *("status", "status_all_operators", "not_spot", "grid_status", "electrified", "power_source"),
    *("power_as_of", "households", "population", "population_affected", "dead_share", "centre_verdict"),
    *("basis", "tests", "fails", "effective_tests", "devices", "occasions", "first_test_utc"),
    *("last_test_utc", "median_rsrp_dbm", "no_service_share", "evidence_grade", "outage_tests"),
    *("status_at_105", "status_at_121", "sub_reason", "who_must_act", "priority", "reason", "reason_en"),
    *("criteria", "snapshot_id", "as_of", "simulated", "list", "especially_difficult"),
)
_HEX_PROPERTIES = (
    *("hex", "operator", "operator_name"),
    *[name for name in HEX_VERDICTS.names if name not in ("hex", "operator")],
    *("criteria", "snapshot_id", "as_of", "simulated"),
)


def select(
    snapshot: Snapshot,
    what: str,
    *,
    operator: str | None = None,
    commune: str | None = None,
    status: str | None = None,
) -> gpd.GeoDataFrame:
    """The rows of one list as a GeoDataFrame, EPSG:4326, flat columns in the order of `PROPERTIES`.

    what: gaps, no_power, verify_power (geometry: the dead area), need_measurement, villages (one row
    per village × operator; geometry: the village), hexes (one row per hex × operator; the outline).
    operator: code or name. commune: code; hexes are kept where they touch the commune. status: a
    village status; for hexes a verdict. None takes all. Gaps stand in order of priority, the rest by
    id. Missing values stay missing. Raises `InputError` for an unknown list, operator or status,
    `NotFound` for an unknown commune, `ContractBroken` where a dead village has no dead area.
    """
    _require(what, LISTS, "danh sách", "list")
    code = _operator_code(snapshot, operator)
    _check_commune(snapshot, commune)
    if status is not None:
        _require(status, VERDICTS if what == "hexes" else STATUSES, "trạng thái", "status")
    rows = _hexes(snapshot, code, status) if what == "hexes" else _villages(snapshot, what, code, status)
    kept = _in_commune(snapshot, rows, what, commune)
    return _stamped(snapshot, kept, what)


def _require(value: str, allowed: tuple[str, ...], vi: str, en: str) -> None:
    if value not in allowed:
        known = ", ".join(allowed)
        raise InputError(
            f"Không có {vi} {value!r:.60}; chọn một trong: {known}.",
            f"There is no {en} {value!r:.60}; choose one of: {known}.",
        )


def _operator_code(snapshot: Snapshot, operator: str | None) -> str | None:
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
    rows = verdicts if what == "villages" else verdicts[verdicts["list"] == what]
    rows = _matching(rows, operator=operator, status=status)
    order = ["priority", "village_id", "operator"] if what == "gaps" else ["village_id", "operator"]
    rows = rows.sort_values(order, kind="stable").reset_index(drop=True)
    if what not in DEAD_LISTS:
        shapes = snapshot.villages.set_index("village_id").geometry
        return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows["village_id"]).to_numpy(), crs=WGS84)
    rows.insert(0, "gap_id", rows["village_id"].astype(str) + "-" + rows["operator"].astype(str))
    return gpd.GeoDataFrame(rows, geometry=_dead_shapes(snapshot, rows), crs=WGS84)


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
    rows = _matching(snapshot.hex_verdicts, operator=operator, verdict=verdict)
    rows = rows.sort_values(["hex", "operator"], kind="stable").reset_index(drop=True)
    frame = gpd.GeoDataFrame(rows, geometry=hexes.polygons(rows["hex"].to_numpy()), crs=WGS84)
    frame["hex"] = pd.Series([hexes.text(value) for value in rows["hex"]], dtype="object")
    frame["operator_name"] = frame["operator"].map(lambda code: snapshot.info.operators.get(code, code))
    return frame


def _in_commune(
    snapshot: Snapshot, rows: gpd.GeoDataFrame, what: str, commune: str | None
) -> gpd.GeoDataFrame:
    if commune is None:
        return rows
    if what != "hexes":
        return rows[rows["commune_code"] == commune].reset_index(drop=True)
    area = shapely.union_all(snapshot.communes[snapshot.communes["commune_code"] == commune].geometry)
    return rows[rows.intersects(area)].reset_index(drop=True)


def _stamped(snapshot: Snapshot, rows: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    info = snapshot.info
    stamp = {
        "criteria": info.criteria,
        "snapshot_id": info.snapshot_id,
        "as_of": info.as_of,
        "simulated": info.simulated,
    }
    rows = rows.assign(**stamp)
    if "priority" in rows.columns:
        rows["priority"] = rows["priority"].astype("Int64")
    wanted = _HEX_PROPERTIES if what == "hexes" else PROPERTIES
    frame = rows[[name for name in wanted if name in rows.columns] + ["geometry"]]
    frame.attrs = {"list": what, **stamp}
    return frame
