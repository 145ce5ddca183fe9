"""A crew that does what the field guide says gets a finding; one that leaves something out does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import LAT, LON, rules
from pyproj import Geod
from test_logs_read import read

from coverage import engine, evidence, hexes, observations, verdicts
from coverage.criteria import Criteria
from coverage.exports.field_plan import FieldPlan, field_plan
from coverage.exports.measurement_template import template_csv

GEOD = Geod(ellps="WGS84")
EVENING = datetime(2026, 10, 12, 20, 10)
AS_OF = date(2026, 11, 1)


def changed(**floors: float) -> Criteria:
    told = rules().model_dump(mode="json")
    told["floors"] |= floors
    return Criteria.model_validate(told)


def filled_in(plan: FieldPlan) -> str:
    """The template with what the plan's crew writes down: silence at every spot, three rows a stand."""
    # Two dates need no whole day between them: from one evening to the next morning.
    gap = timedelta(hours=max(plan.hours_apart, 12 if plan.dates == 2 else 24))
    rows = []
    for phone in range(plan.phones):
        for visit in range(plan.dates):
            for spot in range(plan.spots):
                lon, lat, _ = GEOD.fwd(LON, LAT, 0, (spot - (plan.spots - 1) / 2) * plan.spot_apart_m)
                for minute in range(3):
                    at = EVENING + visit * gap + timedelta(minutes=5 * spot + minute)
                    rows.append(
                        f"{at:%d/%m/%Y %H:%M};{lat:.5f};{lon:.5f};Viettel;không có sóng;;;may{phone};5;không"
                    )
    return template_csv(rules()).decode("utf-8-sig") + "\r\n".join(rows) + "\r\n"


def verdict_after(plan: FieldPlan, criteria: Criteria, folder) -> str:
    """The verdict of the place at (LAT, LON) once the filled-in template was read."""
    found = read(folder, filled_in(plan), source="drive_test")
    assert found.accepted == found.no_service == plan.phones * plan.dates * plan.spots * 3
    backend = engine.connect()
    tests = observations.observe(
        engine.load(backend, "measurements", found.measurements), criteria, AS_OF
    ).cache()
    pooled = hexes.disk(hexes.of_point(LAT, LON, criteria.hex_resolution), criteria.village.neighbour_rings)
    place = pa.table({"place_id": pa.array(["here"] * len(pooled)), "hex": pa.array(pooled, pa.int64())})
    judged = verdicts.judge(
        evidence.tests_by_place(tests, engine.load(backend, "place_hexes", place), criteria), criteria
    )
    (verdict,) = judged["verdict"]
    return verdict


@pytest.mark.parametrize(
    "floors",
    [{}, {"devices": 3}, {"dates": 3}, {"hexes_res10": 3}, {"effective_fails": 5.0}, {"hours_apart": 30.0}],
    ids=str,
)
def test_who_follows_the_plan_gets_a_finding(tmp_path, floors):
    criteria = changed(**floors)
    assert verdict_after(field_plan(criteria), criteria, tmp_path) == "dead_zone"


@pytest.mark.parametrize("less", ["phones", "dates", "spots"])
def test_one_fewer_of_anything_is_not_enough(tmp_path, less):
    plan = field_plan(rules())
    short = replace(plan, **{less: getattr(plan, less) - 1})
    assert verdict_after(short, rules(), tmp_path) == "not_enough_evidence"


def test_visits_that_follow_too_soon_are_not_enough(tmp_path):
    plan = field_plan(rules())
    stricter = changed(hours_apart=plan.hours_apart + 1)
    assert verdict_after(plan, stricter, tmp_path) == "not_enough_evidence"


def test_alike_phones_take_more_of_them():
    # Where all tests of a phone count as one, three fails take three phones.
    told = rules().model_dump(mode="json")
    told["evidence"]["rho"] = 1.0
    assert field_plan(rules()).phones == 2
    assert field_plan(Criteria.model_validate(told)).phones == 3


@settings(deadline=None)
@given(st.floats(8.6, 23.3), st.floats(102.2, 109.4), st.floats(0, 360), st.floats(0, 1))
def test_two_spots_are_never_one_and_every_spot_speaks_for_its_place(lat, lon, bearing, share):
    plan = field_plan(rules())
    east, north, _ = GEOD.fwd(lon, lat, bearing, plan.spot_apart_m)
    assert hexes.of_point(north, east, 10) != hexes.of_point(lat, lon, 10)
    east, north, _ = GEOD.fwd(lon, lat, bearing, plan.reach_m * share)
    pooled = hexes.disk(hexes.of_point(lat, lon, 9), rules().village.neighbour_rings)
    assert hexes.of_point(north, east, 9) in pooled


def test_without_neighbours_no_distance_is_promised():
    told = rules().model_dump(mode="json")
    told["village"]["neighbour_rings"] = 0
    assert field_plan(Criteria.model_validate(told)).reach_m == 0
