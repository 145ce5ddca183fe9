"""The stages in order and nothing else: fetch the tables, run each stage, keep the snapshot."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.types import Table as Expression

from coverage import (
    claims,
    dead_areas,
    engine,
    gaps,
    hexes,
    inputs,
    judging,
    moments,
    observations,
    predictions,
    renewal,
    roads,
    signals,
    surroundings,
    surveys,
    tables,
)
from coverage.archive import history, snapshots
from coverage.archive.durable import scratch_folder
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.workspace import Workspace
from coverage.ground import Lie, lie_of_the_land
from coverage.inputs import Inputs
from coverage.judging import Tested
from coverage.nearest_sites import nearest_sites
from coverage.progress import Tell, silent
from coverage.renewal import Area, Former, spliced

_HEX, _PLACE, _VILLAGE = ["hex", "operator"], ["place_id", "operator"], ["village_id", "operator"]
_OF_PLACES = ["place_id", "households", "grid", "share", "share_around", "people_method"]
_FEW = 4  # times as many hexes stay as they were
_RANKS = ["priority", "predicted_p_below", "survey_rank"]


def assess(workspace: Workspace, as_of: date, tell: Tell = silent) -> SnapshotInfo:
    """What the archive says on that date, saved as the latest snapshot.

    The same archive, places, criteria and date give the same snapshot id, and its tables are not computed again.
    Where only uploads changed since the latest snapshot, only what they touch is judged again. Raises `NotFound`
    where there are no villages.
    """
    given = inputs.fetch(workspace, as_of)
    if not (workspace.snapshots / given.snapshot_id).exists():
        snapshots.save(workspace.snapshots, judge(given, tell, renewal.former(workspace, given)))
    info = snapshots.load_info(workspace.snapshots, given.snapshot_id)
    history.publish(workspace, info, given.committed.revision)
    return info


def judge(given: Inputs, tell: Tell = silent, former: Former | None = None) -> Snapshot:
    """The snapshot of those inputs: every stage in order, nothing written but the lie of the land.

    With a former snapshot only what changed since is judged; the result is the same.
    """
    tell("thôn × ô lục giác / villages × hexes", 0.0)
    lie, judged = lie_of_the_land(given), None
    with ThreadPoolExecutor(1) as aside:
        if former is not None:
            with scratch_folder(given.scratch, "judging") as scratch:
                judged = _judged_again(given, lie, former, scratch, aside, tell)
        if judged is None:
            with scratch_folder(given.scratch, "judging") as scratch:
                judged = _judged(given, lie, scratch, aside, tell)
        tell("xét từng thôn / judging villages", 0.7)
        village_rows, areas = _of_villages(given, lie, judged)
        return _told(given, lie, judged, village_rows, areas, tell)


@dataclass(frozen=True)
class _Judged:
    """What the measurements say, before anything is said of villages.

    predictions: worked out while villages are judged, since they hang on the levels alone. again: what of it was judged
    anew, with the former snapshot; None = everything was.
    """

    levels: pd.DataFrame
    signals: pd.DataFrame
    predictions: Future[pd.DataFrame]
    hex_rows: pd.DataFrame
    place_rows: pd.DataFrame
    reliability: pd.DataFrame
    measurements: int
    operators: list[str]
    in_scope: list[str]
    again: tuple[Area, Snapshot] | None = None


def _judged(given: Inputs, lie: Lie, scratch: Path, aside: Executor, tell: Tell) -> _Judged:
    criteria, backend = given.criteria, engine.connect(scratch=scratch)
    tell("số đo → lần thử / measurements → tests", 0.1)
    measurements = engine.read_measurements(backend, given.committed.parts)
    found = judging.tested(
        backend, measurements, given, lie, scratch, lambda stage, share: tell(stage, 0.1 + 0.4 * share)
    )
    levels = judging.levels(found.tests)
    predicted = aside.submit(_predicted, given, lie, levels)
    operators, in_scope = _operators(levels, given)
    tell("xét từng ô / judging hexes", 0.5)
    hex_rows, place_rows = judging.ground_verdicts(
        found, lie.places, lie.pooled, operators, backend, criteria
    )
    declared = claims.declared_hexes(given.declared, criteria.hex_resolution)
    return _Judged(
        levels=levels,
        signals=signals.hex_signals(measurements, criteria, given.as_of, found.counted),
        predictions=predicted,
        hex_rows=hex_rows,
        place_rows=place_rows,
        reliability=claims.reliability(found.tests, backend, declared, given.communes, criteria),
        measurements=found.measurements,
        operators=operators,
        in_scope=in_scope,
    )


def _judged_again(
    given: Inputs, lie: Lie, former: Former, scratch: Path, aside: Executor, tell: Tell
) -> _Judged | None:
    """The same, what no reading touched taken from the former snapshot; None where everything must be judged."""
    criteria, was, area = given.criteria, former.snapshot, renewal.area(former.touched, lie)
    backend = engine.connect(scratch=scratch)
    tell("nơi có số đo thay đổi / where readings changed", 0.1)
    readings = _readings_in(area, given, was, backend, scratch)
    found = judging.tested(backend, readings, given, lie, scratch)
    levels = spliced(area.outside(was.hex_levels), area.inside(judging.levels(found.tests)), _HEX)
    operators, in_scope = _operators(levels, given)
    if operators != sorted(was.info.operators) or in_scope != list(was.info.in_scope):
        return None  # another operator is asked about everywhere
    predicted = aside.submit(_predicted_again, given, lie, levels, was)
    tell("xét từng ô / judging hexes", 0.5)
    places = lie.places[lie.places["place_id"].isin(area.places)]
    pooled = lie.pooled[lie.pooled["place_id"].isin(area.places)]
    new_hexes, new_places = judging.ground_verdicts(
        found, places, pooled, operators, backend, criteria, area.parents
    )
    kept_places = was.place_verdicts[~was.place_verdicts["place_id"].isin(area.places)]
    return _Judged(
        levels=levels,
        signals=_signals_again(area, given, was, backend, readings, found),
        predictions=predicted,
        hex_rows=spliced(area.outside(was.hex_verdicts), new_hexes, _HEX),
        place_rows=spliced(kept_places, new_places, _PLACE),
        reliability=was.reliability,
        measurements=was.info.measurements + _more_rows(former, given, backend),
        operators=operators,
        in_scope=in_scope,
        again=(area, was),
    )


def _signals_again(
    area: Area, given: Inputs, was: Snapshot, backend: Backend, readings: Expression, found: Tested
) -> pd.DataFrame:
    ground = engine.load_frame(backend, "judged_hexes", pd.DataFrame({"hex_res8": area.parents}))
    there = readings.semi_join(ground, "hex_res8")
    new = signals.hex_signals(there, given.criteria, given.as_of, found.counted)
    return spliced(area.outside(was.hex_signals), new, signals.KEY)


def _readings_in(area: Area, given: Inputs, was: Snapshot, backend: Backend, scratch: Path) -> Expression:
    ground = engine.load_frame(backend, "read_hexes", pd.DataFrame({"hex_res8": area.read}))
    rows = engine.read_measurements(backend, given.committed.parts).semi_join(ground, "hex_res8")
    known = np.unique(hexes.parents(was.hex_levels["hex"].to_numpy(np.int64), 8))
    if len(area.read) * _FEW >= len(known):
        return rows
    # They are asked for again and again, and to find few among all the others takes longer each time than to read them.
    few = rows.select(*moments.COLUMNS)
    if not few.filter(few.time_precision == "date").count().execute():
        # Only moments of which no more than the date is known are told apart by place, and places are most of a part.
        few = few.mutate(lat=0.0, lon=0.0)
    return engine.put_aside(backend, few, scratch / "read.parquet")


def _more_rows(former: Former, given: Inputs, backend: Backend) -> int:
    came, went = (
        observations.within_validity(engine.read_measurements(backend, parts), given.criteria, given.as_of)
        .count()
        .execute()
        for parts in (former.changed.came, former.changed.went)
    )
    return int(came) - int(went)


def _operators(levels: pd.DataFrame, given: Inputs) -> tuple[list[str], list[str]]:
    measured = set(levels["operator"])
    in_scope = given.criteria.operators_in_scope(measured)
    return sorted(measured | set(in_scope)), in_scope


def _of_villages(given: Inputs, lie: Lie, judged: _Judged) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """VILLAGE_VERDICTS without ranks, and the dead areas."""
    if judged.again is None:
        return _of_some(given, lie, judged, lie.villages)
    area, was = judged.again
    new_rows, new_areas = _of_some(
        given, lie, judged, lie.villages[lie.villages["village_id"].isin(area.villages)]
    )
    rows, areas = (
        kept[~kept["village_id"].isin(area.villages)] for kept in (was.village_verdicts, was.dead_areas)
    )
    return spliced(rows.drop(columns=_RANKS), new_rows, _VILLAGE), spliced(areas, new_areas, _VILLAGE)


def _of_some(
    given: Inputs, lie: Lie, judged: _Judged, villages: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    rows = judged.place_rows[judged.place_rows["village_id"].isin(villages["village_id"])]
    rows = rows.merge(lie.places[_OF_PLACES], on="place_id")
    table = gaps.village_verdicts(villages, rows, lie.power, given.criteria, judged.in_scope)
    areas = dead_areas.dead_areas(table, lie.pooled, judged.hex_rows, villages)
    claimed = claims.claimed(table, lie.places, given.declared, lie.pooled, judged.hex_rows)
    spots = surroundings.dead_spots(table, lie.places, areas)
    sites = nearest_sites(spots, given.sites, given.as_of, given.dem, given.criteria.ground)
    return surroundings.described(table, claimed, sites), areas


def _told(
    given: Inputs, lie: Lie, judged: _Judged, village_rows: pd.DataFrame, areas: gpd.GeoDataFrame, tell: Tell
) -> Snapshot:
    """What is said of all together: predictions, ranks, roads."""
    criteria = given.criteria
    tell("dự đoán nơi chưa đo / predicting what is unmeasured", 0.8)
    predicted = judged.predictions.result()
    ranked = gaps.ranked(village_rows, criteria)
    order = surveys.survey_ranking(ranked, judged.place_rows, lie.pooled, predicted)
    ranked = ranked.merge(order, on=_VILLAGE, how="left").astype({"survey_rank": "Int64"})
    tell("tuyến đường / roads", 0.9)
    names = {code: criteria.operator_name(code) for code in judged.operators}
    road_hexes = roads.road_hexes(given.roads, criteria.hex_resolution)
    return Snapshot(
        _info(given, judged),
        made_of=given.made_of,
        hex_verdicts=judged.hex_rows,
        hex_levels=judged.levels,
        hex_signals=judged.signals,
        place_verdicts=judged.place_rows,
        village_verdicts=tables.check_frame(tables.VILLAGE_VERDICTS, ranked),
        reliability=judged.reliability,
        villages=lie.villages,
        communes=given.communes,
        dead_areas=areas,
        road_verdicts=roads.road_verdicts(given.roads, road_hexes, judged.hex_rows, judged.operators, names),
        predictions=predicted,
    )


def _predicted(given: Inputs, lie: Lie, levels: pd.DataFrame) -> pd.DataFrame:
    targets = surveys.hexes_to_predict(lie.pairs, lie.places, lie.pooled)
    heard = levels[levels["heard"]]
    return predictions.predict(heard, targets, given.sites, given.dem, given.criteria, given.as_of)


def _predicted_again(given: Inputs, lie: Lie, levels: pd.DataFrame, was: Snapshot) -> pd.DataFrame:
    # An operator's predictions hang on all of its levels, and on no other's.
    other = renewal.operators_that_differ(levels, was.hex_levels)
    kept = was.predictions[~was.predictions["operator"].isin(other)]
    return spliced(kept, _predicted(given, lie, levels[levels["operator"].isin(other)]), _HEX)


def _info(given: Inputs, judged: _Judged) -> SnapshotInfo:
    source = given.villages["source"]
    return SnapshotInfo(
        snapshot_id=given.snapshot_id,
        as_of=given.as_of.isoformat(),
        criteria=given.criteria.label,
        hex_resolution=given.criteria.hex_resolution,
        operators={code: given.criteria.operator_name(code) for code in judged.operators},
        in_scope=tuple(judged.in_scope),
        uploads=given.committed.uploads,
        measurements=judged.measurements,
        simulated=given.committed.simulated or bool(source.str.contains("simulated", case=False).any()),
        headline_dbm=given.criteria.thresholds_dbm.at("headline"),
    )
