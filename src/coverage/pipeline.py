"""The stages in order and nothing else: fetch the tables, run each stage, keep the snapshot."""

from __future__ import annotations

from datetime import date

import pandas as pd
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.types import Table as Expression

from coverage import (
    claims,
    dead_areas,
    engine,
    evidence,
    gaps,
    inputs,
    observations,
    predictions,
    roads,
    surroundings,
    surveys,
    tables,
    verdicts,
    what_if,
)
from coverage.archive import history, snapshots
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.workspace import Workspace
from coverage.criteria import Criteria
from coverage.crosswalk import new_site_windows, outage_windows
from coverage.ground import Lie, lie_of_the_land
from coverage.inputs import Inputs
from coverage.nearest_sites import nearest_sites
from coverage.progress import Tell, silent


def assess(workspace: Workspace, as_of: date, tell: Tell = silent) -> SnapshotInfo:
    """What the archive says on that date, saved as the latest snapshot.

    The same archive, places, criteria and date give the same snapshot id, and its tables are not
    computed again. Raises `NotFound` where there are no villages.
    """
    given = inputs.fetch(workspace, as_of)
    if not (workspace.snapshots / given.snapshot_id).exists():
        snapshots.save(workspace.snapshots, judge(given, tell))
    info = snapshots.load_info(workspace.snapshots, given.snapshot_id)
    history.publish(workspace, info, given.committed.revision)
    return info


def judge(given: Inputs, tell: Tell = silent) -> Snapshot:
    """The snapshot of those inputs: every stage in order, nothing written but the lie of the land."""
    criteria = given.criteria
    backend = engine.connect()
    tell("thôn × ô lục giác / villages × hexes", 0.0)
    lie = lie_of_the_land(given)

    tell("số đo → lần thử / measurements → tests", 0.2)
    measurements = engine.read_measurements(backend, given.committed.parts)
    counted = observations.within_validity(measurements, criteria, given.as_of).count()
    tests = _tests(measurements, given, lie, backend)
    expired = observations.expired(measurements, criteria, given.as_of).cache()

    tell("xét từng ô / judging hexes", 0.5)
    hex_verdicts = _judged_hexes(tests, expired, criteria)

    tell("xét từng thôn / judging villages", 0.7)
    measured = set(tests.select("operator").distinct().execute()["operator"])
    in_scope = criteria.operators_in_scope(measured)
    operators = sorted(measured | set(in_scope))
    place_rows = _judged_places(tests, expired, lie, operators, backend, criteria)
    village_rows = gaps.village_verdicts(lie.villages, place_rows, lie.power, criteria, in_scope)

    tell("dự đoán nơi chưa đo / predicting what is unmeasured", 0.8)
    predicted = _predicted(tests, lie, given)
    ranked = surveys.survey_ranking(village_rows, place_rows, lie.pooled, predicted)
    village_rows = village_rows.merge(ranked, on=["village_id", "operator"], how="left")
    village_rows = village_rows.astype({"survey_rank": "Int64"})

    areas = dead_areas.dead_areas(village_rows, lie.pooled, hex_verdicts, lie.villages)
    claimed = claims.claimed(village_rows, lie.places, given.declared, lie.pooled, hex_verdicts)
    spots = surroundings.dead_spots(village_rows, lie.places, areas)
    sites = nearest_sites(spots, given.sites, given.as_of, given.dem, criteria.ground)
    village_rows = surroundings.described(village_rows, claimed, sites)

    tell("tuyến đường, bản đồ công bố / roads, declared coverage", 0.85)
    road_hexes = roads.road_hexes(given.roads, criteria.hex_resolution)
    names = {code: criteria.operator_name(code) for code in operators}
    declared = claims.declared_hexes(given.declared, criteria.hex_resolution)

    tell("ghi kết quả / saving", 0.95)
    return Snapshot(
        _info(given, operators, in_scope, int(counted.execute())),
        hex_verdicts=tables.check_frame(tables.HEX_VERDICTS, hex_verdicts),
        place_verdicts=tables.check_frame(tables.PLACE_VERDICTS, place_rows),
        village_verdicts=tables.check_frame(tables.VILLAGE_VERDICTS, village_rows),
        reliability=claims.reliability(tests, backend, declared, given.communes, criteria),
        villages=lie.villages,
        communes=given.communes,
        dead_areas=areas,
        road_verdicts=roads.road_verdicts(given.roads, road_hexes, hex_verdicts, operators, names),
        predictions=predicted,
    )


def _predicted(tests: Expression, lie: Lie, given: Inputs) -> pd.DataFrame:
    # A source that never writes silence would make every neighbourhood look better than it is.
    heard = tests.filter(~tests.positive_only)
    levels = heard.group_by("hex", "operator").agg(margin_db=heard.margin_db.median()).execute()
    targets = surveys.hexes_to_predict(lie.pairs, lie.places, lie.pooled)
    return predictions.predict(levels, targets, given.sites, given.dem, given.criteria, given.as_of)


def _tests(measurements: Expression, given: Inputs, lie: Lie, backend: Backend) -> Expression:
    tests = observations.observe(measurements, given.criteria, given.as_of).cache()
    outages = outage_windows(given.outages, lie.villages, lie.places, lie.pooled)
    measured = tests.select("hex").distinct().execute()["hex"].to_numpy()
    began = observations.oldest(given.criteria, given.as_of)
    sites = new_site_windows(given.sites, measured, given.criteria, began, given.as_of)
    for mark, windows in (("in_outage", outages), ("before_site", sites)):
        if len(windows):
            tests = observations.set_aside(tests, engine.load_frame(backend, mark, windows), mark).cache()
    return tests


def _judged_places(
    tests: Expression,
    expired: Expression,
    lie: Lie,
    operators: list[str],
    backend: Backend,
    criteria: Criteria,
) -> pd.DataFrame:
    pooled = engine.load_frame(backend, "place_hexes", lie.pooled)
    rows = gaps.complete(_judged(tests, pooled, criteria), lie.places, operators)
    old = evidence.expired_by_place(expired, pooled)
    badges = evidence.fcc_grades(tests, pooled, criteria.fcc_badge)
    return gaps.with_history(rows, old, badges)


def _judged(tests: Expression, pooled: Expression, criteria: Criteria) -> pd.DataFrame:
    judged = verdicts.judge(evidence.tests_by_place(tests, pooled, criteria), criteria)
    return what_if.with_changes(judged, criteria)


def _info(given: Inputs, operators: list[str], in_scope: list[str], measurements: int) -> SnapshotInfo:
    source = given.villages["source"]
    return SnapshotInfo(
        snapshot_id=given.snapshot_id,
        as_of=given.as_of.isoformat(),
        criteria=given.criteria.label,
        hex_resolution=given.criteria.hex_resolution,
        operators={code: given.criteria.operator_name(code) for code in operators},
        in_scope=tuple(in_scope),
        uploads=given.committed.uploads,
        measurements=measurements,
        simulated=given.committed.simulated or bool(source.str.contains("simulated", case=False).any()),
    )


def _judged_hexes(tests: Expression, expired: Expression, criteria: Criteria) -> pd.DataFrame:
    alone = evidence.hexes_as_places(tests)
    judged = _judged(tests, alone, criteria)
    old = evidence.expired_by_place(expired, alone)
    badges = evidence.fcc_grades(tests, evidence.hexes_of_parents(tests), criteria.fcc_badge)
    told = gaps.with_history(judged, old, badges)
    told["hex"] = told.pop("place_id").astype("int64")
    return told.astype(dict.fromkeys(("fails", "fail_devices", "fail_dates", "fail_hexes"), "int64"))
