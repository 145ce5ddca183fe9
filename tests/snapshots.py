"""A small synthetic snapshot for the tests of exports: every status, several operators, hostile names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from scipy.special import ndtr
from shapely.geometry import LineString, MultiPoint, box

from coverage import hexes, tables
from coverage.archive import history
from coverage.archive.snapshots import WGS84, Snapshot, SnapshotInfo, save
from coverage.archive.workspace import Workspace, open_workspace

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "`+alert(1)+`",
    "\\x3cimg src=x onerror=alert(1)\\x3e",
    "<!--<script>",
    "{{ 7 * 7 }}{% raw %}{# x",
    "=HYPERLINK(1)",
    "line\u2028break\u2029",
)
OPERATORS = {"45204": "Viettel", "45201": "MobiFone", "<b>Mạng 'lạ'</b>": "<b>Mạng 'lạ'</b>"}
IN_SCOPE = ("45201", "45204")
_NAMES = ("Đắk Rơ Măng", "Bon Bu Prâng", "Buôn Đăng Gia", "Thôn 4 Đạ K'Nàng", "Bản Cơ Reo", "Tổ dân phố 7")
# status, at -105, at -121, sub-reason: a village takes one of these in turn, per operator.
_OUTCOMES = (
    ("trang_song", "trang_song", "lom_song", None),
    ("lom_song", "trang_song", "phu_song", None),
    ("phu_song", "lom_song", "phu_song", None),
    ("chua_du_bang_chung", "trang_song", "phu_song", "thin"),
    ("chua_co_du_lieu", "chua_co_du_lieu", "chua_co_du_lieu", None),
)
_GRIDS = (("national_grid", True), ("none", False), ("unknown", None))
_CENTRES = {
    "trang_song": "dead_zone",
    "lom_song": "covered",
    "phu_song": "covered",
    "chua_du_bang_chung": "not_enough_evidence",
    "chua_co_du_lieu": "no_data",
}


def snapshot(
    villages: int = 40, *, simulated: bool = True, communes: gpd.GeoDataFrame | None = None
) -> Snapshot:
    """A snapshot of that many villages (at least 30 for every status and list), the same on every call."""
    rng = np.random.default_rng(7)
    areas = _communes() if communes is None else communes
    places = _villages(rng, areas, villages)
    verdicts = _verdicts(places)
    dead = verdicts[verdicts["status"].isin(tables.DEAD_STATUSES)]
    hex_verdicts = _hex_verdicts(rng, places, verdicts)
    return Snapshot(
        info=_info(simulated),
        made_of={"readings": ["u1-measurements-00.parquet", "u2-measurements-00.parquet"]},
        hex_verdicts=hex_verdicts,
        hex_levels=_hex_levels(hex_verdicts),
        hex_signals=_hex_signals(hex_verdicts),
        predictions=_predictions(hex_verdicts),
        place_verdicts=pd.DataFrame({name: [] for name in tables.PLACE_VERDICTS.names}),
        village_verdicts=verdicts,
        villages=places,
        communes=areas,
        dead_areas=_dead_areas(places, dead),
        reliability=_reliability(areas),
        road_verdicts=_road_verdicts(),
    )


def folder_with(shown: Snapshot, root: Path) -> Path:
    """The folder, with a workspace in it whose latest assessment is that one: where commands find it by themselves."""
    workspace_with(root / "workspace", shown)
    return root


def workspace_with(root: Path, *shown: Snapshot) -> Workspace:
    """A workspace with those assessments, published one after another."""
    workspace = open_workspace(root)
    for one in shown:
        save(workspace.snapshots, one)
        history.publish(workspace, one.info, 0)
    return workspace


def _hex_levels(hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    levels = hex_verdicts[["hex", "operator"]].assign(heard=True, margin_db=hex_verdicts["level_margin_db"])
    return levels.sort_values(["hex", "operator"], ignore_index=True)


def _hex_signals(hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    """LTE everywhere, in every third hex also readings without service, which name no technology."""
    rows = hex_verdicts[["hex", "operator"]].assign(
        technology="LTE",
        measurements=120,
        devices=3,
        dates=3,
        drive_test_measurements=60,
        median_dbm=-101.5,
        p10_dbm=-117.25,
        first_utc=datetime(2026, 3, 2, 1, 30),
        last_utc=datetime(2026, 9, 20, 8, 15, 30),
    )
    silent = rows[rows.index % 3 == 0].assign(
        technology=None, measurements=7, devices=0, median_dbm=None, p10_dbm=None
    )
    both = pd.concat([rows, silent.astype(rows.dtypes)], ignore_index=True)
    return tables.check_frame(
        tables.HEX_SIGNALS, both.sort_values(["hex", "operator", "technology"], ignore_index=True)
    )


def _info(simulated: bool) -> SnapshotInfo:
    return SnapshotInfo(
        snapshot_id="s-0123456789ab",
        as_of="2026-11-01",
        criteria="vietnam-2026@0123456789ab",
        hex_resolution=9,
        operators=OPERATORS,
        in_scope=IN_SCOPE,
        uploads=("u1", "u2"),
        measurements=12_345,
        simulated=simulated,
        headline_dbm={"LTE": -115.0, "NR": -110.0},
    )


def _communes() -> gpd.GeoDataFrame:
    squares = [
        box(108.0 + 0.12 * x, 11.8 + 0.12 * y, 108.12 + 0.12 * x, 11.92 + 0.12 * y)
        for y in (0, 1)
        for x in (0, 1)
    ]
    names = ["Xã Đạ Tông", "Xã Đam Rông 3", "Xã Lạc Dương <i>x</i>", "Phường Xuân Hương"]
    codes = ["24877", "24880", "24846", "24778"]
    return gpd.GeoDataFrame(
        {"commune_code": codes, "commune_name": names, "source": "synthetic"}, geometry=squares, crs=WGS84
    )


def _villages(rng: np.random.Generator, communes: gpd.GeoDataFrame, count: int) -> gpd.GeoDataFrame:
    share = count // len(communes) + 1
    pieces = [(row, shape) for row in communes.itertuples() for shape in _split(rng, row.geometry, share)][
        :count
    ]
    names = [HOSTILE[i] if i < len(HOSTILE) else f"{_NAMES[i % len(_NAMES)]} {i}" for i in range(len(pieces))]
    centres = shapely.point_on_surface(np.array([shape for _, shape in pieces]))
    table = {
        "village_id": [f"V{i:04d}" for i in range(len(pieces))],
        "village_name": names,
        "commune_code": [row.commune_code for row, _ in pieces],
        "commune_name": [row.commune_name for row, _ in pieces],
        "centre_lat": shapely.get_y(centres),
        "centre_lon": shapely.get_x(centres),
        "households": [float(40 + 7 * (i % 23)) if i % 9 else np.nan for i in range(len(pieces))],
        "population": [float(170 + 31 * (i % 23)) if i % 9 else np.nan for i in range(len(pieces))],
        "especially_difficult": pd.array(
            [None if i % 7 == 0 else i % 2 == 0 for i in range(len(pieces))], dtype="boolean"
        ),
        "source": "synthetic",
        "boundary": "given",
        "commune_code_given": None,
        "population_source": "list",
    }
    return gpd.GeoDataFrame(table, geometry=[shape for _, shape in pieces], crs=WGS84)


def _split(rng: np.random.Generator, area: shapely.Geometry, count: int) -> list[shapely.Geometry]:
    west, south, east, north = area.bounds
    seeds = MultiPoint(rng.uniform((west, south), (east, north), (count, 2)).tolist())
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=area))
    return [cell.intersection(area) for cell in cells if cell.intersection(area).area > 0]


def _verdicts(places: gpd.GeoDataFrame) -> pd.DataFrame:
    rows = [row for i, place in enumerate(places.itertuples()) for row in _of_village(i, place)]
    frame = pd.DataFrame(rows, columns=tables.VILLAGE_VERDICTS.names)
    gaps = frame.index[frame["list"] == "gaps"]
    frame.loc[gaps[::-1], "priority"] = range(1, len(gaps) + 1)
    return tables.check(
        tables.VILLAGE_VERDICTS, pa.Table.from_pandas(frame, preserve_index=False)
    ).to_pandas()


def _of_village(number: int, place: Any) -> list[dict[str, object]]:
    # Two villages in five are alike for every operator, the others differ from operator to operator.
    step = 0 if number % 5 in (0, 3) else 2
    outcomes = [_OUTCOMES[(number // 2 + step * k) % len(_OUTCOMES)] for k in range(len(OPERATORS))]
    best = _best([o[0] for o, code in zip(outcomes, OPERATORS, strict=True) if code in IN_SCOPE])
    grid = _GRIDS[(number // 3) % 3]
    return [_row(place, code, outcome, best, grid) for code, outcome in zip(OPERATORS, outcomes, strict=True)]


def _best(statuses: Sequence[str]) -> str:
    order = ("phu_song", "chua_du_bang_chung", "chua_co_du_lieu", "lom_song", "trang_song")
    return next(status for status in order if status in statuses)


def _row(
    place: Any, operator: str, outcome: tuple[Any, ...], best: str, grid: tuple[str, bool | None]
) -> dict[str, object]:
    status, at_105, at_121, sub_reason = outcome
    dead = status in tables.DEAD_STATUSES
    which = {True: "gaps", False: "no_power", None: "verify_power"}[grid[1]] if dead else None
    which = "need_measurement" if status.startswith("chua") else which
    name = OPERATORS[operator]
    return {
        **{
            key: getattr(place, key) for key in ("village_id", "village_name", "commune_code", "commune_name")
        },
        "operator": operator,
        "operator_name": name,
        "status": status,
        "status_at_105": at_105,
        "status_at_121": at_121,
        "status_voice": status,
        "status_data_good": at_105,
        "status_all_operators": best,
        "not_spot": ("total" if best in tables.DEAD_STATUSES else "partial") if dead else None,
        "sub_reason": sub_reason,
        "centre_verdict": _CENTRES[status],
        "basis": "clusters",
        "dead_places": f"{place.village_id}/centre" if dead else "",
        "dead_share": {"trang_song": 1.0, "lom_song": 0.36}.get(status),
        "grid_status": grid[0],
        "electrified": grid[1],
        "power_source": None if grid[1] is None else "EVN 2026 <b>x</b>",
        "power_as_of": None if grid[1] is None else date(2026, 6, 30),
        "power_evidence": None if grid[1] is None else "utility",
        "power_conflict": None,
        "households": place.households,
        "population": place.population,
        "population_source": None if pd.isna(place.population) else "list",
        "population_affected": place.population * 0.36 if dead else None,
        "population_undecided": place.population * 0.1 if dead else None,
        "households_affected": place.households * 0.36 if dead else None,
        "people_method": "clusters",
        "boundary": "given",
        **_surroundings(place, operator, dead),
        "especially_difficult": None
        if pd.isna(place.especially_difficult)
        else bool(place.especially_difficult),
        **_evidence(status),
        "who_must_act": _WHO.get(which or ""),
        "list": which,
        "priority": None,
        "reason": f"{place.village_name}: {name} không có sóng dùng được ở nơi có người ở."
        if dead
        else f"{name}: {status}.",
        "reason_en": f"{place.village_name}: no usable signal of {name} where people live."
        if dead
        else f"{name}: {status}.",
        "what_would_change": "Thêm lần đo của máy khác.",
        "what_would_change_en": "More tests of another phone.",
    }


def _surroundings(place: Any, operator: str, dead: bool) -> dict[str, object]:
    known = dead and operator == "45204"
    return {
        "claimed": True if known else None,
        "site_id": f"S-{place.village_id}<b>" if known else None,
        "site_distance_km": 4.2 if known else None,
        "site_terrain_blocks": True if known else None,
        "planned_site_id": None,
        "planned_site_distance_km": None,
        "planned_on_air": None,
    }


_WHO = {
    "gaps": "operator",
    "no_power": "power_utility",
    "verify_power": "verify_power",
    "need_measurement": "measure",
}


def _evidence(status: str) -> dict[str, object]:
    tested = status != "chua_co_du_lieu"
    fails = {"trang_song": 14, "lom_song": 8, "chua_du_bang_chung": 1}.get(status, 0)
    return {
        "tests": 14 if tested else 0,
        "fails": fails,
        "effective_tests": 9.25 if tested else 0.0,
        "devices": 3 if tested else 0,
        "occasions": 4 if tested else 0,
        "first_test_utc": datetime(2026, 3, 2, 1, 30) if tested else None,
        "last_test_utc": datetime(2026, 9, 20, 8, 15, 30, 250_000) if tested else None,
        "median_rsrp_dbm": -120.5 + 15 * (fails < 2) if tested else None,
        "no_service_share": fails / 14 if tested else None,
        "evidence_grade": "B" if tested else None,
        "evidence_mix": "B 14" if tested else None,
        "fcc_grade": False,
        "outage_tests": 2 if status == "chua_du_bang_chung" else 0,
        **dict.fromkeys(("vehicle_tests", "pre_change_tests", "positive_only_tests", "expired_tests"), 0),
    }


_HEX_VERDICTS = {
    "trang_song": ("dead_zone", "dead_zone", "dead_zone", "not_enough_evidence"),
    "lom_song": ("dead_zone", "covered", "covered", "below_standard"),
    "phu_song": ("covered", "covered", "covered", "below_standard"),
    "chua_du_bang_chung": ("not_enough_evidence", "not_enough_evidence", "below_standard", "covered"),
}


def _hex_verdicts(rng: np.random.Generator, places: gpd.GeoDataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    centre = places.set_index("village_id")[["centre_lat", "centre_lon"]]
    rows: dict[tuple[int, str], dict[str, object]] = {}
    for row in verdicts[verdicts["status"] != "chua_co_du_lieu"].itertuples():
        lat, lon = centre.loc[row.village_id]
        for hexagon in hexes.disk(hexes.of_point(lat, lon, 9), 2):
            verdict = str(rng.choice(_HEX_VERDICTS[row.status]))
            rows[hexagon, row.operator] = _hex_row(hexagon, row, verdict)
    frame = pd.DataFrame(list(rows.values()), columns=tables.HEX_VERDICTS.names)
    return tables.check(tables.HEX_VERDICTS, pa.Table.from_pandas(frame, preserve_index=False)).to_pandas()


def _hex_row(hexagon: int, row: Any, verdict: str) -> dict[str, object]:
    undecided = verdict == "not_enough_evidence"
    return {
        **{key: getattr(row, key) for key in _evidence("phu_song")},
        "hex": hexagon,
        "operator": row.operator,
        "effective_fails": 3.0,
        "dates": 3,
        "p_dead": 0.97,
        "fail_devices": 2,
        "fail_dates": 2,
        "fail_hexes": 2,
        "verdict": verdict,
        "verdict_at_105": verdict,
        "verdict_at_121": verdict,
        "verdict_voice": verdict,
        "verdict_data_good": verdict,
        "sub_reason": "thin" if undecided else None,
    }


def _predictions(hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    """The ring of unmeasured hexes around the measured ones of the first two operators, in every class."""
    parts = []
    for operator in list(OPERATORS)[:2]:
        measured = hex_verdicts.loc[hex_verdicts["operator"] == operator, "hex"].to_numpy(np.int64)
        cells = np.setdiff1d(hexes.around(measured, 2), measured)
        margin_db = 14.0 * np.sin(np.arange(len(cells)) / 40)
        parts.append(pd.DataFrame({"hex": cells, "operator": operator, "predicted_margin_db": margin_db}))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.assign(sd_db=7.5, p_below=ndtr(-frame["predicted_margin_db"] / 7.5))
    frame["predicted_class"] = np.select(
        [frame["p_below"] >= 0.9, frame["p_below"] <= 0.1],
        ["predicted_dead", "predicted_served"],
        "predicted_open",
    )
    frame = frame.assign(nearest_measured_km=0.4, evidence_grade="E", method="kriging")
    return tables.check_frame(tables.PREDICTIONS, frame)


def _dead_areas(places: gpd.GeoDataFrame, dead: pd.DataFrame) -> gpd.GeoDataFrame:
    by_id = places.set_index("village_id")
    shapes = []
    for row in dead.itertuples():
        village = by_id.loc[row.village_id]
        disk = hexes.disk(hexes.of_point(village.centre_lat, village.centre_lon, 9), 1)
        shapes.append(shapely.union_all(hexes.polygons(disk)).intersection(village.geometry))
    table = {"village_id": dead["village_id"].to_numpy(), "operator": dead["operator"].to_numpy()}
    return gpd.GeoDataFrame(table, geometry=shapes, crs=WGS84)


def _reliability(communes: gpd.GeoDataFrame) -> pd.DataFrame:
    tested = {"declared_km2": 80.0, "tested_km2": 4.0, "tests": 40, "passes": 30, "effective_tests": 12.5}
    share = {"devices": 3, "dates": 5, "pass_share": 0.75, "low_share": 0.48, "high_share": 0.92}
    bare = dict.fromkeys((*tested, "devices", "dates"), 0) | {"declared_km2": 80.0}
    unknown = dict.fromkeys(("pass_share", "low_share", "high_share"))
    named = zip(communes["commune_code"], communes["commune_name"], strict=True)
    rows = [
        {"operator": "45204", "operator_name": "Viettel", "commune_code": code, "commune_name": name}
        | (tested | share if number % 2 else bare | unknown)
        for number, (code, name) in enumerate([(None, None), *named], start=1)
    ]
    return tables.check_frame(tables.RELIABILITY, pd.DataFrame(rows, columns=tables.RELIABILITY.names))


def _road_verdicts() -> gpd.GeoDataFrame:
    lengths = {"length_km": 12.0, "dead_km": 3.0, "below_standard_km": 1.0, "covered_km": 5.0}
    rest = {"undecided_km": 1.0, "unmeasured_km": 2.0, "longest_dead_km": 2.5, "tests": 80, "fails": 22}
    row = {"road_id": "deo-1", "road_name": "Đèo <b>Gia Bắc</b>", "kind": "pass", "operator": "45204"}
    frame = pd.DataFrame([row | {"operator_name": "Viettel"} | lengths | rest])[tables.ROAD_VERDICTS.names]
    return gpd.GeoDataFrame(
        tables.check_frame(tables.ROAD_VERDICTS, frame),
        geometry=[LineString([(108.01, 11.81), (108.03, 11.83)])],
        crs=WGS84,
    )
