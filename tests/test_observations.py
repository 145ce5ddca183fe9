"""Measurements → observations: thinning, votes of seconds, thresholds, validity."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from measurements import (
    AS_OF,
    LAT,
    LON,
    MORNING,
    campaign,
    judge_together,
    observe,
    row,
    rules,
    silent,
    table,
)

from coverage import engine, hexes, observations, tables
from coverage.crosswalk import new_site_windows


def at(seconds: int) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def only(frame: pd.DataFrame) -> pd.Series:
    assert len(frame) == 1
    return frame.iloc[0]


def each(*rows: dict, as_of: date = AS_OF) -> list[pd.Series]:
    """The observation of each row, seen in one go, each by a phone of its own."""
    found = observe([one | {"device": f"phone-{number:03}"} for number, one in enumerate(rows)], as_of)
    assert found.sort_values("device")["device"].tolist() == [
        f"phone-{number:03}" for number in range(len(rows))
    ]
    return [one for _, one in found.sort_values("device").iterrows()]


@pytest.mark.parametrize(
    ("technology", "column", "limit"),
    [("LTE", "rsrp_dbm", -115.0), ("NR", "ss_rsrp_dbm", -110.0), ("UMTS", "rscp_dbm", -105.0)],
)
def test_a_level_fails_only_below_its_own_technologys_threshold(
    technology: str, column: str, limit: float
) -> None:
    levels = (limit - 1, limit, limit + 1)
    found = each(*(row(technology=technology, rsrp_dbm=None) | {column: level} for level in levels))
    assert [one["fails"] for one in found] == [True, False, False]


def test_each_threshold_has_its_own_outcome() -> None:
    one = only(observe([row(rsrp_dbm=-110.0)]))
    assert (one["fails_at_105"], one["fails"], one["fails_at_121"]) == (True, False, False)


def test_no_service_and_emergency_only_are_fails_at_every_threshold() -> None:
    for one in each(silent(service_state="no_service"), silent(service_state="emergency_only")):
        assert one[["fails", "fails_at_105", "fails_at_121"]].tolist() == [True, True, True]
        assert one["no_service_seconds"] == 1


def test_an_unknown_level_is_neither_pass_nor_fail() -> None:
    one = only(observe([row(technology="UMTS", rsrp_dbm=None)]))
    assert one[["fails", "fails_at_105", "fails_at_121"]].isna().all()


def test_a_reading_without_state_and_level_says_nothing() -> None:
    assert pd.isna(only(observe([row(technology=None, rsrp_dbm=None, service_state="unknown")]))["fails"])


def test_flapping_is_outvoted_by_the_reading_of_the_same_second() -> None:
    rows = [one for s in range(10) for one in (row(time_utc=at(s)), silent(time_utc=at(s)))]
    one = only(observe(rows))
    assert (one["fails"], one["no_service_seconds"], one["seconds"]) == (False, 0, 10)


def test_seconds_vote_and_a_tie_is_not_a_fail() -> None:
    def share_silent(count: int) -> bool:
        rows = [silent(time_utc=at(s)) if s < count else row(time_utc=at(s)) for s in range(10)]
        return bool(only(observe(rows))["fails"])

    assert [share_silent(4), share_silent(5), share_silent(6)] == [False, False, True]


def test_silence_among_unknown_levels_does_not_convict() -> None:
    rows = [silent(time_utc=at(s)) for s in range(3)]
    rows += [row(technology="UMTS", rsrp_dbm=None, time_utc=at(s)) for s in range(3, 8)]
    assert pd.isna(only(observe(rows))["fails"])


def test_gsm_counts_until_its_last_day_and_not_after() -> None:
    gsm = row(technology="GSM", rsrp_dbm=None, rxlev_dbm=-80.0, time_utc=datetime(2026, 9, 1, 3, 0))
    assert not only(observe([gsm], date(2026, 9, 15)))["fails"]
    assert only(observe([gsm], date(2026, 9, 16)))["fails"]


def test_in_a_vehicle_a_weak_level_fails_only_beyond_the_vehicle_loss() -> None:
    found = each(*(row(in_vehicle=True, rsrp_dbm=level) for level in (-115.0, -116.0, -126.0)))
    outcomes = [one["fails"] for one in found]
    assert outcomes[0] is False or not outcomes[0]
    assert pd.isna(outcomes[1])
    assert outcomes[2]


def test_speed_tells_a_vehicle_where_the_file_does_not() -> None:
    weak = {"rsrp_dbm": -118.0}
    fast, slow, outside = each(
        row(speed_mps=7.0, **weak),
        row(speed_mps=6.9, **weak),
        row(speed_mps=20.0, in_vehicle=False, **weak),
    )
    assert pd.isna(fast["fails"])
    assert slow["fails"]
    assert outside["fails"]


def test_one_test_per_device_small_hex_and_half_hour() -> None:
    rows = [
        row(time_utc=at(0)),
        row(time_utc=at(60)),
        row(time_utc=at(1800)),
        row(time_utc=at(0), device="phone-b"),
        row(time_utc=at(0), lat=LAT + 0.01),
        row(time_utc=at(0), operator="45201"),
    ]
    assert len(observe(rows)) == 5


def test_readings_that_know_only_their_date_are_told_apart_by_place() -> None:
    rows = [row(time_precision="date", lat=LAT + step * 1e-5, rsrp_dbm=-120.0) for step in range(3)]
    one = only(observe([*rows, row(time_precision="date", rsrp_dbm=-80.0, lat=LAT + 9e-5)]))
    assert (one["seconds"], one["fails"]) == (4, True)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (date(2025, 11, 1), False),
        (date(2025, 11, 2), True),
        (date(2026, 11, 1), True),
        (date(2026, 11, 2), False),
    ],
)
def test_evidence_is_valid_for_twelve_months_and_never_from_the_future(day: date, counts: bool) -> None:
    noon_there = datetime(day.year, day.month, day.day, 5, 0)
    assert len(observe([row(time_utc=noon_there)])) == int(counts)


def test_grade_says_who_measured_and_a_missing_accuracy_costs_one() -> None:
    found = each(
        row(calibrated=True),
        row(),
        row(source="crowdsourced"),
        row(source="crowdsourced", accuracy_m=None),
    )
    assert [one["grade"] for one in found] == [1, 2, 3, 4]


def test_one_device_counts_for_at_most_one_over_rho() -> None:
    many = judge_together(campaign(silent, devices=1, days=20, spots=5)).iloc[0]
    assert many["tests"] == 100
    assert many["effective_tests"] == pytest.approx(100 / (1 + 99 * 0.3))
    assert many["effective_tests"] < 1 / 0.3


def test_a_calibrated_device_counts_by_occasion() -> None:
    rows = campaign(silent, devices=1, days=3, spots=2, calibrated=True)
    assert judge_together(rows).iloc[0]["effective_tests"] == pytest.approx(3 * 2 / 1.3)


def test_unknown_devices_are_one_and_never_counted_as_a_device() -> None:
    found = judge_together(campaign(silent, devices=3, device="unknown")).iloc[0]
    assert (found["devices"], found["fail_devices"]) == (0, 0)
    assert found["verdict"] == "not_enough_evidence"


def test_nothing_measured_gives_no_row() -> None:
    assert observe([]).empty
    assert judge_together([]).empty
    assert judge_together([row()], date(AS_OF.year + 2, 1, 1)).empty


def set_aside(rows: list[dict], *windows: tuple[str | None, int, int]) -> pd.DataFrame:
    """The observations after outages at (LAT, LON): (operator or None, from and until in seconds after MORNING)."""
    backend = engine.connect()
    tests = observations.observe(engine.load(backend, "measurements", table(rows)), rules(), AS_OF)
    cell = hexes.of_point(LAT, LON, 9)
    frame = pd.DataFrame(
        [(cell, operator, at(start), at(end)) for operator, start, end in windows],
        columns=["hex", "operator", "from_utc", "until_utc"],
    )
    found = observations.set_aside(
        tests, engine.load_frame(backend, "windows", frame), "in_outage"
    ).to_pyarrow()
    return tables.check(tables.OBSERVATIONS, found).to_pandas()


@pytest.mark.parametrize(
    ("operator", "start", "end", "aside"),
    [
        (None, -60, 60, True),
        ("45204", -60, 60, True),
        ("45201", -60, 60, False),
        (None, 0, 1, True),
        (None, -60, 0, False),  # ends as the test begins
        (None, 1, 60, False),  # begins after the only second
    ],
)
def test_a_fail_in_a_known_outage_is_set_aside(
    operator: str | None, start: int, end: int, aside: bool
) -> None:
    one = only(set_aside([silent()], (operator, start, end)))
    assert one["in_outage"] == aside
    assert pd.isna(one["fails"]) == aside
    assert pd.isna(one["fails_at_105"]) == aside


def test_a_pass_in_a_known_outage_still_counts() -> None:
    one = only(set_aside([row()], (None, -60, 60)))
    assert one["in_outage"]
    assert not one["fails"]


def test_outages_that_overlap_or_lie_elsewhere_change_nothing_else() -> None:
    twice = only(set_aside([silent()], (None, -60, 60), ("45204", -10, 10)))
    assert twice["in_outage"]
    elsewhere = only(set_aside([silent(lat=LAT + 0.5)], (None, -60, 60)))
    assert elsewhere["fails"]


def test_fractions_of_a_second_are_one_moment() -> None:
    half = timedelta(milliseconds=300)
    rows = [silent(), silent(time_utc=MORNING + half), row(time_utc=MORNING + 2 * half)]
    one = only(observe(rows))
    assert (one["seconds"], one["fails"]) == (1, False)


def test_gsm_after_the_switch_off_fails_only_where_the_phone_was_on_it() -> None:
    gsm = {"technology": "GSM", "rsrp_dbm": None}
    strong, in_service, unknown = each(
        row(**gsm, rxlev_dbm=-70.0), row(**gsm), row(**gsm, service_state="unknown")
    )
    assert strong["fails"]
    assert in_service["fails"]  # its level is unknown
    assert pd.isna(unknown["fails"])


def test_the_margin_is_the_level_over_the_threshold_of_its_technology() -> None:
    strong, weak, nr, umts = each(
        row(rsrp_dbm=-100.0),
        row(rsrp_dbm=-118.0),
        row(technology="NR", rsrp_dbm=None, ss_rsrp_dbm=-105.0),
        row(technology="UMTS", rsrp_dbm=None, rscp_dbm=-100.0),
    )
    margins = ["margin_db", "margin_db_at_121", "margin_db_voice", "margin_db_data_good"]
    assert strong[margins].tolist() == [15.0, 20.0, 15.0, -5.0]  # a strong level says no more than 20 dB
    assert weak[margins].tolist() == [-3.0, 3.0, -3.0, -15.0]  # a weak one no less than silence
    assert umts[margins].tolist() == [5.0, 5.0, 5.0, -15.0]
    assert pd.isna(nr["margin_db_voice"])  # no calls over NR
    assert nr[["margin_db", "margin_db_at_121", "margin_db_data_good"]].tolist() == [5.0, 16.0, -10.0]


def test_silence_is_a_level_that_is_only_known_to_be_low() -> None:
    alone, unknown = each(silent(), row(rsrp_dbm=None))
    assert alone["margin_db"] == -15.0
    assert pd.isna(unknown["margin_db"])
    seconds = [row(rsrp_dbm=-105.0), silent(time_utc=MORNING + timedelta(seconds=1))]
    assert only(observe(seconds))["margin_db"] == -2.5


def test_services_have_outcomes_of_their_own() -> None:
    umts, nr = each(
        row(technology="UMTS", rsrp_dbm=None, rscp_dbm=-80.0),
        row(technology="NR", rsrp_dbm=None, ss_rsrp_dbm=-80.0),
    )
    assert (umts["fails"], umts["fails_voice"], umts["fails_data_good"]) == (False, False, True)
    assert pd.isna(nr["fails_voice"])
    assert not nr["fails_data_good"]


@pytest.mark.parametrize("kind", [silent, lambda **g: row(rsrp_dbm=-130.0, **g)])
def test_a_positive_only_source_fails_nowhere_and_its_passes_count(kind: Any) -> None:
    failing, one = each(kind(positive_only=True), row(positive_only=True))
    assert pd.isna(failing[["fails", "fails_at_105", "fails_at_121", "fails_voice", "fails_data_good"]]).all()
    assert (one["fails"], one["positive_only"], one["grade"]) == (False, True, 4)


def test_a_weak_level_inside_a_vehicle_is_named_as_such() -> None:
    weak = row(rsrp_dbm=-120.0, in_vehicle=True)
    inside, hopeless, outside = each(weak, weak | {"rsrp_dbm": -126.0}, weak | {"in_vehicle": False})
    assert inside["weak_in_vehicle"]
    assert not hopeless["weak_in_vehicle"]
    assert not outside["weak_in_vehicle"]


def test_what_failed_before_a_site_went_on_air_is_set_aside_and_a_pass_is_not() -> None:
    sites = pd.DataFrame(
        {
            "operator": ["45204"],
            "lat": [LAT],
            "lon": [LON + 0.02],
            "planned": [False],
            "on_air": [date(2026, 10, 2)],
        }
    )
    cell = np.array([hexes.of_point(LAT, LON, 9)])

    def windows(as_of: date = AS_OF, **given: object) -> pd.DataFrame:
        return new_site_windows(sites.assign(**given), cell, rules(), date(2025, 11, 1), as_of)

    one = windows().iloc[0]
    assert (one["hex"], one["operator"]) == (cell[0], "45204")
    assert one["until_utc"] == pd.Timestamp("2026-10-01 17:00")  # midnight in Việt Nam
    assert windows(planned=True).empty  # not on air
    assert windows(date(2026, 10, 1)).empty  # not yet
    assert windows(on_air=date(2025, 11, 1)).empty  # all evidence is younger
    assert windows(lon=LON + 0.03).empty  # 3.3 km away
    assert windows(operator=None).empty

    rows = [silent(), row(device="b"), silent(device="c", time_utc=MORNING + timedelta(days=1))]
    backend = engine.connect()
    tests = observations.observe(engine.load(backend, "measurements", table(rows)), rules(), AS_OF)
    loaded = engine.load_frame(backend, "windows", windows())
    found = observations.set_aside(tests, loaded, "before_site").to_pandas().set_index("device")
    assert found["before_site"].to_dict() == {"phone-a": True, "b": True, "c": False}
    assert pd.isna(found.loc["phone-a", "fails"])
    assert pd.isna(found.loc["phone-a", "margin_db"])
    assert not found.loc["b", "fails"]
    assert found.loc["c", "fails"]


def test_old_tests_lose_weight_only_where_the_criteria_say_so() -> None:
    assert only(observe([row()]))["weight"] == 1.0
    halved = rules().model_copy(
        update={"evidence": rules().evidence.model_copy(update={"half_life_days": 31})}
    )
    loaded = engine.load(engine.connect(), "measurements", table([row()]))
    assert observations.observe(loaded, halved, AS_OF).execute()["weight"].item() == pytest.approx(0.5)


def test_expired_tests_are_counted_and_count_for_nothing() -> None:
    old = MORNING - timedelta(days=400)
    rows = [
        row(time_utc=old),
        row(time_utc=old + timedelta(seconds=5)),
        row(time_utc=old + timedelta(hours=1)),
        row(),
    ]
    loaded = engine.load(engine.connect(), "measurements", table(rows))
    assert observations.expired(loaded, rules(), AS_OF).execute()["expired_tests"].tolist() == [2]
    assert len(observe(rows)) == 1


def scattered(count: int) -> pa.Table:
    """So many readings, each of a phone, place and half-hour of its own, as people's phones give them."""
    rng = np.random.default_rng(5)
    ordinary = table([row()])
    lat, lon = rng.uniform(11.5, 12.5, count), rng.uniform(107.5, 108.5, count)
    cells = hexes.of_points(lat, lon, 10)
    columns = {name: pa.repeat(ordinary[name][0], count) for name in ordinary.column_names} | {
        "lat": pa.array(lat),
        "lon": pa.array(lon),
        "device": pa.array([f"phone-{number}" for number in range(count)]),
        "rsrp_dbm": pa.array(rng.uniform(-125, -80, count).astype("f4")),
        **{f"hex_res{res}": pa.array(hexes.parents(cells, res)) for res in (8, 9)},
        "hex_res10": pa.array(cells),
    }
    return tables.check(tables.MEASUREMENTS, pa.table(columns))


def test_ground_that_does_not_fit_in_memory_is_taken_in_smaller_stretches(tmp_path: Path) -> None:
    readings, sums = scattered(250_000), []
    for memory_mb in (4000, 110):
        backend = engine.connect(scratch=tmp_path, memory_mb=memory_mb)
        loaded = engine.load(backend, "measurements", readings)
        parts = list(observations.observed(loaded, rules(), AS_OF, [observations.EVERYWHERE]))
        found = pd.concat([part.execute() for part in parts], ignore_index=True)
        sums.append((len(found), int(found["fails"].sum()), int(found["hex_res10"].astype(object).sum())))
        assert (len(parts) > 1) == (memory_mb < 4000)
    assert sums[0] == sums[1]
    assert sums[0][0] == 250_000
