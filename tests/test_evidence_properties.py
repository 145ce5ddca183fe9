"""What must hold for any measurements: order, repetition, stronger signal, added passes and fails."""

from __future__ import annotations

import random
from datetime import timedelta

import geopandas as gpd
import pandas as pd
import shapely
from conftest import examples
from hypothesis import strategies as st
from measurements import (
    AS_OF,
    LAT,
    LON,
    MORNING,
    NO_PARTS,
    campaign,
    judge_together,
    places_without_raster,
    row,
    rules,
    silent,
    table,
)

from coverage import engine, evidence, gaps, observations, verdicts, what_if
from coverage.crosswalk import crosswalk, place_hexes

RANK = {"dead_zone": 0, "below_standard": 1, "not_enough_evidence": 2, "covered": 3}
# Every example judges some twenty cases in one go, each as an operator of its own.
FEW, MANY = 3, 50
# Where an example has to be judged twice.
FEWER = 2

readings = st.builds(
    lambda device, day, minute, spot, level: (silent if level is None else row)(
        device=device,
        time_utc=MORNING + timedelta(days=day, minutes=minute),
        lat=LAT + 0.0015 * spot,
        **({} if level is None else {"rsrp_dbm": float(level)}),
    ),
    device=st.sampled_from(["a", "b", "c", "d", "unknown"]),
    day=st.integers(0, 4),
    minute=st.integers(0, 600),
    spot=st.integers(0, 3),
    level=st.one_of(st.none(), st.integers(-135, -80)),
)
many_cases = st.lists(st.lists(readings, min_size=1, max_size=40), min_size=15, max_size=25)


def together(cases: list[list[dict]]) -> list[dict]:
    """The rows of all cases, each case under an operator of its own."""
    return [one | {"operator": f"{case:05d}"} for case, readings in enumerate(cases) for one in readings]


def verdicts_of(cases: list[list[dict]]) -> pd.DataFrame:
    """One row per case, in the order of the cases."""
    return judge_together(together(cases)).sort_values("operator", ignore_index=True)


def before_and_after(cases: list[list[dict]], changed: list[list[dict]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The verdicts of both, judged in one go: operators never touch each other."""
    found = verdicts_of([*cases, *changed])
    after = found.iloc[len(cases) :].reset_index(drop=True)
    return found.iloc[: len(cases)], after.assign(operator=found["operator"].iloc[: len(cases)])


@examples(FEW, MANY, many_cases, st.randoms(use_true_random=False))
def test_order_and_exact_repetition_change_nothing(cases: list, shuffler: random.Random) -> None:
    again = [case + [dict(one) for one in case[: len(case) // 2]] for case in cases]
    for case in again:
        shuffler.shuffle(case)
    pd.testing.assert_frame_equal(*before_and_after(cases, again))


@examples(FEW, MANY, many_cases, st.integers(1, 30), st.integers(0, 39))
def test_a_stronger_signal_never_worsens_a_verdict(cases: list, gain: int, which: int) -> None:
    better = [[dict(one) for one in case] for case in cases]
    for case in better:
        chosen = case[which % len(case)]
        if chosen["rsrp_dbm"] is not None:
            chosen["rsrp_dbm"] += gain
    before, after = before_and_after(cases, better)
    for column in ("verdict", "verdict_at_105", "verdict_at_121"):
        assert (after[column].map(RANK) >= before[column].map(RANK)).all()


@examples(FEW, MANY, many_cases, readings)
def test_adding_a_pass_never_creates_a_dead_zone(cases: list, extra: dict) -> None:
    passing = extra | {"rsrp_dbm": -80.0, "service_state": "in_service", "technology": "LTE"}
    before, after = before_and_after(cases, [[*case, passing] for case in cases])
    assert not ((after["verdict"] == "dead_zone") & (before["verdict"] != "dead_zone")).any()


@examples(FEW, MANY, many_cases, readings)
def test_adding_a_fail_never_clears_a_dead_zone(cases: list, extra: dict) -> None:
    failing = silent(**{key: extra[key] for key in ("device", "time_utc", "lat")})
    # Random cases are seldom dead, so each starts from a dead place and adds its own readings.
    dead = [campaign(silent, devices=4, days=3) + case[: index % 8] for index, case in enumerate(cases)]
    before, after = before_and_after(dead, [[*case, failing] for case in dead])
    assert (before["verdict"] == "dead_zone").any()
    assert not ((before["verdict"] == "dead_zone") & (after["verdict"] != "dead_zone")).any()


@examples(FEW, MANY, many_cases, readings, st.integers(-114, -44))
def test_no_pass_however_weak_or_strong_ever_accuses(cases: list, extra: dict, level: int) -> None:
    passing = extra | {"rsrp_dbm": float(level), "service_state": "in_service", "technology": "LTE"}
    accused = ["dead_zone", "below_standard"]
    # A pass into a dead place may leave it below standard; it never accuses a place that was not accused.
    before, after = before_and_after(cases, [[*case, passing] for case in cases])
    assert not (after["verdict"].isin(accused) & ~before["verdict"].isin(accused)).any()


@examples(FEWER, MANY, many_cases, readings)
def test_a_positive_only_feed_never_accuses_and_never_clears_alone(cases: list, extra: dict) -> None:
    feed = [[one | {"positive_only": True} for one in case] for case in cases]
    alone = verdicts_of(feed)
    for column in ("verdict", "verdict_at_105", "verdict_at_121", "verdict_voice", "verdict_data_good"):
        assert (alone[column] == "not_enough_evidence").all()
    failing = silent(**{key: extra[key] for key in ("device", "time_utc", "lat")}) | {"positive_only": True}
    dead = [campaign(silent, devices=1, days=3) + case[: index % 8] for index, case in enumerate(cases)]
    before, after = before_and_after(dead, [[*case, failing] for case in dead])
    accused = ["dead_zone", "below_standard"]
    assert not (after["verdict"].isin(accused) & ~before["verdict"].isin(accused)).any()


@examples(FEWER, MANY, many_cases, st.integers(1, 90))
def test_the_same_tests_on_later_days_judged_as_much_later_say_the_same(cases: list, days: int) -> None:
    later = [[one | {"time_utc": one["time_utc"] + timedelta(days=days)} for one in case] for case in cases]
    then = judge_together(together(later), AS_OF + timedelta(days=days)).sort_values(
        "operator", ignore_index=True
    )
    now = verdicts_of(cases)
    for table_ in (then, now):
        for column in ("first_test_utc", "last_test_utc"):
            del table_[column]
    pd.testing.assert_frame_equal(then, now)


@examples(FEW, MANY, many_cases, st.integers(2, 5))
def test_how_rows_are_split_into_uploads_changes_nothing(cases: list, uploads: int) -> None:
    split = [
        [one | {"upload_id": f"u{at % uploads}", "line": at + 2} for at, one in enumerate(case)]
        for case in cases
    ]
    pd.testing.assert_frame_equal(*before_and_after(cases, split))


def test_one_device_repeating_itself_a_thousand_times_convicts_nobody() -> None:
    rows = [
        silent(time_utc=MORNING + timedelta(minutes=37 * step), lat=LAT + 0.0015 * (step % 7))
        for step in range(1000)
    ]
    found = verdicts_of([rows]).iloc[0]
    assert found["fails"] == 1000
    assert (found["verdict"], found["sub_reason"]) == ("not_enough_evidence", "single_device")


VILLAGES = 10
ALL = [f"v{index}" for index in range(VILLAGES)]


def village_layer() -> gpd.GeoDataFrame:
    """Ten villages 5.5 km apart, with power, the first one of `campaign` among them."""
    lat = [LAT + 0.05 * index for index in range(VILLAGES)]
    about = {"village_name": ALL, "commune_code": None, "commune_name": None, "source": "t"}
    numbers = {"households": 50.0, "population": 200.0, "especially_difficult": None}
    shapes = [shapely.box(LON - 0.01, at - 0.01, LON + 0.01, at + 0.01) for at in lat]
    columns = {"village_id": ALL, "centre_lat": lat, "centre_lon": LON} | about | numbers
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)


def village_verdicts_of(rows: list[dict]) -> pd.DataFrame:
    villages, backend = village_layer(), engine.connect()
    columns = ("village_id", "cluster_id", "lat", "lon", "households", "grid")
    homes = pd.DataFrame(columns=columns, dtype=object).astype(
        {"lat": float, "lon": float, "households": float}
    )
    places = places_without_raster(villages, homes)
    pooled = place_hexes(places, crosswalk(villages, 9), NO_PARTS, 9, 1)
    tests = observations.observe(engine.load(backend, "measurements", table(rows)), rules(), AS_OF).cache()
    found = evidence.tests_by_place(tests, engine.load_frame(backend, "place_hexes", pooled), rules())
    scope = ["45201", "45204"]
    power = pd.DataFrame(
        {
            "grid_status": "national_grid",
            "electrified": True,
            "power_source": "t",
            "power_as_of": None,
            "power_evidence": "field",
            "power_conflict": None,
        },
        index=pd.Index(ALL, name="village_id"),
    )
    judged = what_if.with_changes(verdicts.judge(found, rules()), rules())
    rows_of_places = gaps.complete(judged, places, scope).assign(expired_tests=0, fcc_grade=False)
    return gaps.village_verdicts(villages, rows_of_places, power, rules(), scope)


@examples(
    FEW,
    MANY,
    st.sets(st.tuples(st.integers(0, VILLAGES - 1), st.sampled_from(["45201", "45204"])), max_size=14),
    st.sampled_from([silent, row]),
)
def test_what_nobody_measured_is_never_a_gap_and_what_is_silent_is_never_hidden(
    measured: set, kind: object
) -> None:
    rows = [
        one | {"lat": one["lat"] + 0.05 * village, "operator": operator}
        for village, operator in sorted(measured)
        for one in campaign(kind, devices=5, days=3)
    ]
    found = village_verdicts_of(rows)
    for one in found.itertuples():
        if (int(one.village_id[1:]), one.operator) in measured:
            assert one.list == ("gaps" if kind is silent else None), one
        else:
            assert (one.status, one.list) == ("chua_co_du_lieu", "need_measurement"), one
