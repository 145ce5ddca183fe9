"""Measurements of some ground → tests, levels, and the verdicts of its hexes and places.

What is found of a hex or place depends on the measurements there and on nothing else, so that ground may be judged
a stretch at a time, or only where something changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ibis
import pandas as pd
from ibis import _
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.types import CachedTable
from ibis.expr.types import Table as Expression

from coverage import engine, evidence, gaps, observations, tables, verdicts, what_if
from coverage.criteria import Criteria
from coverage.crosswalk import new_site_windows, outage_windows
from coverage.ground import Lie
from coverage.hexes import Hexes
from coverage.inputs import Inputs
from coverage.progress import Tell, silent

_COUNTS = ("fails", "fail_devices", "fail_dates", "fail_hexes")


@dataclass(frozen=True)
class Tested:
    """What was tested: OBSERVATIONS with fails set aside, expired tests by hex and operator, and rows within validity."""

    tests: Expression
    expired: Expression
    measurements: int


def tested(
    backend: Backend, measurements: Expression, given: Inputs, lie: Lie, tell: Tell = silent
) -> Tested:
    """The tests in the measurements, which are thinned a stretch of ground at a time. `measurements` is MEASUREMENTS."""
    criteria, as_of = given.criteria, given.as_of
    valid = observations.within_validity(measurements, criteria, as_of)
    counts = valid.group_by("hex_res8").agg(rows=_.count()).execute()
    stretches = observations.stretches(counts, engine.rows_at_once(backend))

    def each() -> Iterator[CachedTable]:
        for at, (first, last) in enumerate(stretches):
            tell("số đo → lần thử / measurements → tests", at / len(stretches))
            here = measurements
            if len(stretches) > 1:
                here = measurements.filter(_.hex_res8.between(first, last))
            yield observations.observe(here, criteria, as_of)

    tests = _set_aside(engine.together(backend, each()), given, lie, backend)
    expired = observations.expired(measurements, criteria, as_of).cache()
    return Tested(tests, expired, int(counts["rows"].sum()))


def _set_aside(tests: Expression, given: Inputs, lie: Lie, backend: Backend) -> Expression:
    outages = outage_windows(given.outages, lie.villages, lie.places, lie.pooled)
    measured = tests.select("hex").distinct().execute()["hex"].to_numpy()
    began = observations.oldest(given.criteria, given.as_of)
    sites = new_site_windows(given.sites, measured, given.criteria, began, given.as_of)
    for mark, windows in (("in_outage", outages), ("before_site", sites)):
        if len(windows):
            tests = observations.set_aside(tests, engine.load_frame(backend, mark, windows), mark).cache()
    return tests


def levels(tests: Expression) -> pd.DataFrame:
    """The level of each hex for each operator that was tested there, as HEX_LEVELS; `tests` is OBSERVATIONS."""
    # A source that never writes silence would make every neighbourhood look better than it is.
    heard = tests.positive_only.ifelse(ibis.null("float64"), tests.margin_db)
    found = tests.group_by("hex", "operator").agg(heard=(~_.positive_only).any(), margin_db=heard.median())
    rows: pd.DataFrame = found.execute()
    return tables.check_frame(tables.HEX_LEVELS, rows.sort_values(["hex", "operator"], ignore_index=True))


def hex_verdicts(
    found: Tested, criteria: Criteria, backend: Backend, only: Hexes | None = None
) -> pd.DataFrame:
    """Every measured hex for every operator tested there, as HEX_VERDICTS, sorted by hex and operator.

    only: the res-8 parents of the hexes that are asked for; None = all.
    """
    alone, siblings = evidence.hexes_as_places(found.tests), evidence.hexes_of_parents(found.tests)
    if only is not None:
        asked = engine.load_frame(backend, "asked_hexes", pd.DataFrame({"hex_res8": only}))
        inside = found.tests.semi_join(asked, "hex_res8")
        alone, siblings = evidence.hexes_as_places(inside), evidence.hexes_of_parents(inside)
    judged = _judged(found.tests, alone, criteria)
    old = evidence.expired_by_place(found.expired, alone)
    badges = evidence.fcc_grades(found.tests, siblings, criteria.fcc_badge)
    told = gaps.with_history(judged, old, badges)
    told["hex"] = told.pop("place_id").astype("int64")
    told = told.astype(dict.fromkeys(_COUNTS, "int64")).sort_values(["hex", "operator"], ignore_index=True)
    return tables.check_frame(tables.HEX_VERDICTS, told)


def place_verdicts(
    found: Tested,
    places: pd.DataFrame,
    pooled: pd.DataFrame,
    operators: Sequence[str],
    backend: Backend,
    criteria: Criteria,
) -> pd.DataFrame:
    """Every place for every operator, as PLACE_VERDICTS. `places` is PLACES, `pooled` PLACE_HEXES of those."""
    ground = engine.load_frame(backend, "place_hexes", pooled)
    rows = gaps.complete(_judged(found.tests, ground, criteria), places, operators)
    old = evidence.expired_by_place(found.expired, ground)
    badges = evidence.fcc_grades(found.tests, ground, criteria.fcc_badge)
    return tables.check_frame(tables.PLACE_VERDICTS, gaps.with_history(rows, old, badges))


def _judged(tests: Expression, pooled: Expression, criteria: Criteria) -> pd.DataFrame:
    judged = verdicts.judge(evidence.tests_by_place(tests, pooled, criteria), criteria)
    return what_if.with_changes(judged, criteria)
