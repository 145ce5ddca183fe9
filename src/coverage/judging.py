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

from coverage import engine, evidence, gaps, observations, signals, tables, verdicts, what_if
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

    stretches: the ground, cut so that the tests of each can be judged at once; counted: cut so that the measurements of
    each can be counted at once.
    """

    tests: Expression
    expired: Expression
    measurements: int
    stretches: Sequence[Stretch]
    counted: Sequence[Stretch]


def tested(
    backend: Backend, measurements: Expression, given: Inputs, lie: Lie, scratch: Path, tell: Tell = silent
) -> Tested:
    """The tests in the measurements, which are thinned a stretch of ground at a time. `measurements` is MEASUREMENTS."""
    criteria, as_of = given.criteria, given.as_of
    valid = observations.within_validity(measurements, criteria, as_of)
    counts = valid.group_by("hex_res8").agg(rows=_.count()).execute()
    at_once = engine.rows_at_once(backend)
    stretches = observations.stretches(counts, at_once)

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
        counted=signals.counted_at_once(counts, at_once),
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


def ground_verdicts(  # noqa: PLR0913, PLR0917 - what is asked, of what, by which rules
    found: Tested,
    places: pd.DataFrame,
    pooled: pd.DataFrame,
    operators: Sequence[str],
    backend: Backend,
    criteria: Criteria,
    only: Hexes | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every measured hex for every operator tested there, as HEX_VERDICTS, and every place for every operator, as
    PLACE_VERDICTS, both sorted.

    `places` is PLACES, `pooled` PLACE_HEXES of those. only: the res-8 parents of the hexes that are asked for; None =
    all.
    """
    # Neighbours together: their tests lie in few of the files.
    order = pooled.groupby("place_id")["hex"].min().sort_values().index.to_numpy()
    some = np.array_split(order, len(found.stretches))
    parts = [
        _verdicts(found, stretch, pooled[pooled["place_id"].isin(own)], backend, criteria, only)
        for stretch, own in zip(found.stretches, some, strict=True)
    ]
    judged, old, badges = (pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True))
    of_place = judged["place_id"].isin(pooled["place_id"])
    hex_rows = gaps.with_history(judged[~of_place], old, badges)
    hex_rows["hex"] = hex_rows.pop("place_id").astype("int64")
    place_rows = gaps.with_history(gaps.complete(judged[of_place], places, operators), old, badges)
    return (
        _checked(tables.HEX_VERDICTS, hex_rows.astype(dict.fromkeys(_COUNTS, "int64")), "hex"),
        _checked(tables.PLACE_VERDICTS, place_rows, "place_id"),
    )


def _checked(contract: tables.Table, rows: pd.DataFrame, of: str) -> pd.DataFrame:
    return tables.check_frame(contract, rows.sort_values([of, "operator"], ignore_index=True))


def _verdicts(
    found: Tested,
    stretch: Stretch,
    pooled: pd.DataFrame,
    backend: Backend,
    criteria: Criteria,
    only: Hexes | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    tests = found.tests
    if stretch != EVERYWHERE:
        tests = tests.filter(_.hex_res8.between(*stretch))
    if only is not None:
        asked = engine.load_frame(backend, util.gen_name("asked"), pd.DataFrame({"hex_res8": only}))
        tests = tests.semi_join(asked, "hex_res8")
    held = engine.load_frame(backend, util.gen_name("place_hexes"), pooled).select("place_id", "hex")
    # Hexes are places too, of one hex each: what is asked of both is asked once.
    ground = evidence.hexes_as_places(tests).union(held).cache()
    return (
        _judged(found.tests, ground, criteria),
        evidence.expired_by_place(found.expired, ground),
        evidence.fcc_grades(found.tests, evidence.hexes_of_parents(tests).union(held), criteria.fcc_badge),
    )


def _judged(tests: Expression, pooled: Expression, criteria: Criteria) -> pd.DataFrame:
    judged = verdicts.judge(evidence.tests_by_place(tests, pooled, criteria), criteria)
    return what_if.with_changes(judged, criteria)
