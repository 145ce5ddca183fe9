"""The stages in order and nothing else: fetch the tables, run each stage, keep the snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd
from ibis.expr.types import Table as Expression

from coverage import dead_areas, engine, evidence, gaps, tables, verdicts
from coverage.archive import history, layers, snapshots, uploads
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.workspace import Workspace
from coverage.criteria import Criteria
from coverage.crosswalk import crosswalk, outage_windows, place_hexes
from coverage.places.power import grid_status
from coverage.places.settlements import places_of
from coverage.progress import Tell, silent

Record = Mapping[str, dict[str, Any]]
# Raised whenever a stage changes what the same inputs give, so that old snapshots are never mistaken for new.
_RULE_VERSION = 3
# The layers that a verdict depends on; the others change no snapshot.
_JUDGED_BY = ("villages", "communes", "clusters", "power", "outages")
_NO_CLUSTERS = pd.DataFrame(
    {"village_id": [], "cluster_id": [], "lat": [], "lon": [], "households": [], "grid": []}, dtype=object
).astype({"lat": float, "lon": float, "households": float})
_NO_COMMUNES = gpd.GeoDataFrame(
    {"commune_code": [], "commune_name": [], "source": []}, geometry=[], crs=snapshots.WGS84
).astype({"commune_code": object, "commune_name": object, "source": object})
_NO_POWER = pd.DataFrame(
    {"village_id": [], "households": [], "households_grid": [], "source": [], "evidence": [], "as_of": []},
    dtype=object,
).astype({"households": float, "households_grid": float})
_NO_OUTAGES = tables.schema(tables.OUTAGES).empty_table().to_pandas()


@dataclass(frozen=True)
class Inputs:
    """Everything that one assessment depends on."""

    snapshot_id: str
    as_of: date
    criteria: Criteria
    parts: list[Path]
    villages: gpd.GeoDataFrame
    clusters: pd.DataFrame
    communes: gpd.GeoDataFrame
    power: pd.DataFrame
    outages: pd.DataFrame
    simulated_uploads: bool


def assess(workspace: Workspace, as_of: date, tell: Tell = silent) -> SnapshotInfo:
    """What the archive says on that date, saved as the latest snapshot.

    The same archive, places, criteria and date give the same snapshot id, and its tables are not
    computed again. Raises `NotFound` where there are no villages.
    """
    inputs = fetch(workspace, as_of)
    if not (workspace.snapshots / inputs.snapshot_id).exists():
        snapshots.save(workspace.snapshots, judge(inputs, tell))
    info = snapshots.load_info(workspace.snapshots, inputs.snapshot_id)
    history.publish(workspace, info)
    return info


def fetch(workspace: Workspace, as_of: date) -> Inputs:
    """The inputs of an assessment as the workspace holds them now. Raises `NotFound` without villages."""
    criteria, parts = workspace.criteria, uploads.committed_parts(workspace)
    # One look at what is there: a layer that is replaced while we read is another assessment's.
    record = layers.origins(workspace)
    has_communes = "communes" in record
    return Inputs(
        snapshot_id=_snapshot_id(record, criteria, as_of, parts),
        as_of=as_of,
        criteria=criteria,
        parts=parts,
        villages=layers.load_layer(workspace, "villages", record),
        clusters=_table_or(workspace, "clusters", record, _NO_CLUSTERS),
        communes=layers.load_layer(workspace, "communes", record) if has_communes else _NO_COMMUNES,
        power=_table_or(workspace, "power", record, _NO_POWER),
        outages=_table_or(workspace, "outages", record, _NO_OUTAGES),
        simulated_uploads=uploads.any_simulated(workspace),
    )


def _table_or(workspace: Workspace, name: str, record: Record, absent: pd.DataFrame) -> pd.DataFrame:
    return layers.load_table(workspace, name, record) if name in record else absent


def _snapshot_id(record: Record, criteria: Criteria, as_of: date, parts: list[Path]) -> str:
    inputs = {
        "rule": _RULE_VERSION,
        "criteria": criteria.hash,
        "as_of": as_of.isoformat(),
        "parts": [part.name for part in parts],
        "places": {name: about["part"] for name, about in record.items() if name in _JUDGED_BY},
    }
    return hashlib.sha256(orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def judge(inputs: Inputs, tell: Tell = silent) -> Snapshot:
    """The snapshot of those inputs: every stage in order, nothing written."""
    criteria, villages = inputs.criteria, inputs.villages
    backend = engine.connect()
    tell("thôn × ô lục giác / villages × hexes", 0.0)
    pairs = crosswalk(villages, criteria.hex_resolution)
    places = places_of(villages, inputs.clusters)
    pooled = place_hexes(places, pairs, criteria.hex_resolution, criteria.village.neighbour_rings)
    windows = outage_windows(inputs.outages, villages, places, pooled)

    tell("số đo → lần thử / measurements → tests", 0.15)
    measurements = engine.read_measurements(backend, inputs.parts)
    counted = evidence.within_validity(measurements, criteria, inputs.as_of).count()
    tests = evidence.observations(measurements, criteria, inputs.as_of)
    tests = evidence.set_aside_outages(tests, engine.load_frame(backend, "windows", windows)).cache()

    tell("xét từng ô / judging hexes", 0.5)
    hex_verdicts = _judged_hexes(tests, criteria)

    tell("xét từng thôn / judging villages", 0.7)
    pooled_tests = evidence.tests_by_place(tests, engine.load_frame(backend, "place_hexes", pooled), criteria)
    measured = set(tests.select("operator").distinct().execute()["operator"])
    in_scope = criteria.operators_in_scope(measured)
    operators = sorted(measured | set(in_scope))
    place_rows = gaps.complete(verdicts.judge(pooled_tests, criteria), places, operators)
    households = villages.set_index("village_id")["households"]
    power = grid_status(inputs.power, households, criteria.village.electrified_share)
    village_rows = gaps.village_verdicts(villages, place_rows, power, criteria, in_scope)

    tell("ghi kết quả / saving", 0.9)
    return Snapshot(
        _info(inputs, operators, in_scope, int(counted.execute())),
        hex_verdicts=tables.check_frame(tables.HEX_VERDICTS, hex_verdicts),
        place_verdicts=tables.check_frame(tables.PLACE_VERDICTS, place_rows),
        village_verdicts=tables.check_frame(tables.VILLAGE_VERDICTS, village_rows),
        villages=villages,
        communes=inputs.communes,
        dead_areas=dead_areas.dead_areas(village_rows, pooled, hex_verdicts, villages),
    )


def _info(inputs: Inputs, operators: list[str], in_scope: list[str], measurements: int) -> SnapshotInfo:
    source = inputs.villages["source"]
    return SnapshotInfo(
        snapshot_id=inputs.snapshot_id,
        as_of=inputs.as_of.isoformat(),
        criteria=inputs.criteria.label,
        hex_resolution=inputs.criteria.hex_resolution,
        operators={code: inputs.criteria.operator_name(code) for code in operators},
        in_scope=tuple(in_scope),
        uploads=tuple(part.name.split("-", 1)[0] for part in inputs.parts),
        measurements=measurements,
        simulated=inputs.simulated_uploads or bool(source.str.contains("simulated", case=False).any()),
    )


def _judged_hexes(tests: Expression, criteria: Criteria) -> pd.DataFrame:
    judged = verdicts.judge(
        evidence.tests_by_place(tests, evidence.hexes_as_places(tests), criteria), criteria
    )
    judged["hex"] = judged.pop("place_id").astype("int64")
    return judged.astype(
        dict.fromkeys(("fails", "fail_devices", "fail_dates", "fail_hexes", "outage_tests"), "int64")
    )
