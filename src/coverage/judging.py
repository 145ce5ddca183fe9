"""Measurements of some ground → tests, levels, and the verdicts of its hexes and places.

What is found of a hex or place depends on the measurements there and on nothing else, so that ground may be judged
a stretch at a time, or only where something changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from ibis import _, util
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.types import CachedTable
from ibis.expr.types import Table as Expression

from coverage import engine, evidence, gaps, observations, tables, verdicts, what_if
from coverage.criteria import Criteria
from coverage.crosswalk import new_site_windows, outage_windows
from coverage.ground import Lie
from coverage.hexes import Hexes
from coverage.inputs import Inputs
from coverage.observations import EVERYWHERE, Stretch
from coverage.progress import Tell, silent

_COUNTS = ("fails", "fail_devices", "fail_dates", "fail_hexes")


@dataclass(frozen=True)
class Tested:
    """What was tested: OBSERVATIONS with fails set aside, expired tests by hex and operator, and rows within validity.

    stretches: the ground, cut so that the tests of each can be judged at once.
    """

    tests: Expression
    expired: Expression
    measurements: int
    stretches: Sequence[Stretch]


def tested(
    backend: Backend, measurements: Expression, given: Inputs, lie: Lie, scratch: Path, tell: Tell = silent
) -> Tested:
    """The tests in the measurements, which are thinned a stretch of ground at a time. `measurements` is MEASUREMENTS."""
    criteria, as_of = given.criteria, given.as_of
    valid = observations.within_validity(measurements, criteria, as_of)
    counts = valid.group_by("hex_res8").agg(rows=_.count()).execute()
    stretches = observations.stretches(counts, engine.rows_at_once(backend))

    def each() -> Iterator[Stretch]:
        for at, stretch in enumerate(stretches):
            tell("số đo → lần thử / measurements → tests", at / len(stretches))
            yield stretch

    thinned = observations.observed(measurements, criteria, as_of, each())
    outages = outage_windows(given.outages, lie.villages, lie.places, lie.pooled)
    aside = (_set_aside(one, given, outages, backend) for one in thinned)
    tests = engine.together(backend, aside, scratch)
    each_hex = tests.group_by("hex_res8").agg(rows=_.count()).execute()
    return Tested(
        tests=tests,
        expired=observations.expired(measurements, criteria, as_of).cache(),
        measurements=int(counts["rows"].sum()),
        stretches=observations.stretches(each_hex, engine.tests_at_once(backend)),
    )


def _set_aside(tests: CachedTable, given: Inputs, outages: pd.DataFrame, backend: Backend) -> CachedTable:
    measured = tests.select("hex").distinct().execute()["hex"].to_numpy()
    began = observations.oldest(given.criteria, given.as_of)
    sites = new_site_windows(given.sites, measured, given.criteria, began, given.as_of)
    for mark, windows in (("in_outage", outages), ("before_site", sites)):
        if len(windows):
            name = util.gen_name(mark)
            tests = observations.set_aside(tests, engine.load_frame(backend, name, windows), mark).cache()
    return tests


def levels(tests: Expression) -> pd.DataFrame:
    """The level of each hex for each operator that was tested there, as HEX_LEVELS; `tests` is OBSERVATIONS."""
    # A source that never writes silence would make every neighbourhood look better than it is.
    heard = tests.positive_only.ifelse(ibis.null("float64"), tests.margin_db)
    found = tests.group_by("hex", "operator").agg(heard=(~_.positive_only).any(), margin_db=heard.median())
    rows: pd.DataFrame = found.execute()
    return tables.check_frame(tables.HEX_LEVELS, rows.sort_values(["hex", "operator"], ignore_index=True))


def hex_verdicts(found: Tested, criteria: Criteria, only: Hexes | None = None) -> pd.DataFrame:
    """Every measured hex for every operator tested there, as HEX_VERDICTS, sorted by hex and operator.

    only: the res-8 parents of the hexes that are asked for; None = all.
    """
    parts = [_hex_verdicts(found, stretch, criteria, only) for stretch in found.stretches]
    rows = pd.concat(parts, ignore_index=True).sort_values(["hex", "operator"], ignore_index=True)
    return tables.check_frame(tables.HEX_VERDICTS, rows)


def _hex_verdicts(found: Tested, stretch: Stretch, criteria: Criteria, only: Hexes | None) -> pd.DataFrame:
    tests = found.tests
    if stretch != EVERYWHERE:
        tests = tests.filter(_.hex_res8.between(*stretch))
    if only is not None:
        tests = tests.filter(_.hex_res8.isin(only.tolist()))
    alone, siblings = evidence.hexes_as_places(tests), evidence.hexes_of_parents(tests)
    judged = _judged(tests, alone, criteria)
    old = evidence.expired_by_place(found.expired, alone)
    badges = evidence.fcc_grades(tests, siblings, criteria.fcc_badge)
    told = gaps.with_history(judged, old, badges)
    told["hex"] = told.pop("place_id").astype("int64")
    return told.astype(dict.fromkeys(_COUNTS, "int64"))


def place_verdicts(
    found: Tested,
    places: pd.DataFrame,
    pooled: pd.DataFrame,
    operators: Sequence[str],
    backend: Backend,
    criteria: Criteria,
) -> pd.DataFrame:
    """Every place for every operator, as PLACE_VERDICTS, sorted. `places` is PLACES, `pooled` PLACE_HEXES of those."""
    # Neighbours together: their tests lie in few of the files.
    order = pooled.groupby("place_id")["hex"].min().sort_values().index.to_numpy()
    parts = [
        _place_verdicts(found, pooled[pooled["place_id"].isin(some)], backend, criteria)
        for some in np.array_split(order, len(found.stretches))
    ]
    judged, old, badges = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    rows = gaps.with_history(gaps.complete(judged, places, operators), old, badges)
    ordered = rows.sort_values(["place_id", "operator"], ignore_index=True)
    return tables.check_frame(tables.PLACE_VERDICTS, ordered)


def _place_verdicts(
    found: Tested, pooled: pd.DataFrame, backend: Backend, criteria: Criteria
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    ground = engine.load_frame(backend, util.gen_name("place_hexes"), pooled)
    return (
        _judged(found.tests, ground, criteria),
        evidence.expired_by_place(found.expired, ground),
        evidence.fcc_grades(found.tests, ground, criteria.fcc_badge),
    )


def _judged(tests: Expression, pooled: Expression, criteria: Criteria) -> pd.DataFrame:
    judged = verdicts.judge(evidence.tests_by_place(tests, pooled, criteria), criteria)
    return what_if.with_changes(judged, criteria)
