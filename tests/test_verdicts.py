"""Verdicts: the table of the decision rule, floors before any accusation, sub-reasons."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from measurements import LAT, LON, MORNING, campaign, judge_apart, judge_together, row, silent

from coverage.verdicts import share_above


@pytest.mark.parametrize(
    ("tests", "fails", "dead", "poor", "fine"),
    [
        # The least number of fails at which each verdict holds, one-sided 95 %, Jeffreys.
        (3, 3, True, True, False),
        (3, 2, False, True, False),
        (5, 5, True, True, False),
        (5, 4, False, True, False),
        (10, 8, True, True, False),
        (10, 7, False, True, False),
        (9, 0, False, False, True),
        (8, 0, False, False, False),
        (20, 1, False, False, True),
        (20, 2, False, False, False),
        (20, 14, True, True, False),
        (50, 5, False, False, True),
        (100, 13, False, False, True),
        (100, 14, False, False, False),
        (100, 59, True, True, False),
        (100, 58, False, True, False),
    ],
)
def test_jeffreys_at_the_edges_of_the_rule(
    tests: int, fails: int, dead: bool, poor: bool, fine: bool
) -> None:
    n, k = np.array([float(tests)]), np.array([float(fails)])
    assert (share_above(k, n, 0.5)[0] >= 0.95) == dead
    assert (share_above(k, n, 0.1)[0] >= 0.95) == poor
    assert (1 - share_above(k, n, 0.2)[0] >= 0.95) == fine


def verdicts(*cases: list) -> list[tuple[str, str | None]]:
    return [(found["verdict"], found["sub_reason"]) for found in judge_apart(*cases)]


def verdict(rows: list) -> tuple[str, str | None]:
    return verdicts(rows)[0]


def test_two_phones_two_days_two_spots_convict() -> None:
    assert verdict(campaign(silent)) == ("dead_zone", None)


def test_without_one_floor_nobody_is_accused_and_the_reason_names_it() -> None:
    one_device, one_day, one_spot = verdicts(
        campaign(silent, devices=1, days=9), campaign(silent, days=1), campaign(silent, spots=1, days=4)
    )
    assert one_device == ("not_enough_evidence", "single_device")
    assert one_day == ("not_enough_evidence", "single_occasion")
    assert one_spot == ("not_enough_evidence", "single_spot")


def test_two_dates_around_midnight_are_not_two_occasions() -> None:
    late = MORNING.replace(hour=16, minute=0)  # 23:00 in Việt Nam
    rows = [
        silent(device=f"phone-{d}", lat=LAT + 0.0015 * spot, time_utc=late + timedelta(minutes=35 * step))
        for d in range(2)
        for spot in range(3)
        for step in range(4)
    ]
    found = judge_together(rows).iloc[0]
    assert (found["fail_dates"], found["verdict"]) == (2, "not_enough_evidence")


def test_fails_on_one_day_among_other_days_may_be_an_outage() -> None:
    rows = campaign(silent, devices=3, days=1, spots=6)
    rows += [row(device="phone-0", time_utc=MORNING + timedelta(days=9))]
    assert verdict(rows) == ("not_enough_evidence", "suspected_outage")


def test_a_calibrated_device_may_stand_alone_on_two_days() -> None:
    scanner, phone = verdicts(*(campaign(silent, devices=1, calibrated=known) for known in (True, False)))
    assert scanner[0] == "dead_zone"
    assert phone[0] == "not_enough_evidence"


def test_many_phones_that_just_pass_clear_a_place_and_few_do_not() -> None:
    many, few = verdicts(*(campaign(devices=devices, days=3, rsrp_dbm=-114.0) for devices in (5, 2)))
    assert many[0] == "covered"
    assert few == ("not_enough_evidence", "near_threshold")


def test_two_phones_clear_a_place_where_the_level_is_far_above() -> None:
    far, near = verdicts(*(campaign(devices=2, days=3, rsrp_dbm=level) for level in (-95.0, -105.0)))
    assert far[0] == "covered"
    assert near[0] == "not_enough_evidence"


def test_a_mixed_place_is_below_standard() -> None:
    rows = campaign(devices=6, days=4) + campaign(silent, devices=6, lon=LON + 0.002)
    assert verdict(rows)[0] == "below_standard"


def test_the_verdict_is_given_at_each_threshold() -> None:
    found = judge_together(campaign(devices=4, days=3, rsrp_dbm=-118.0)).iloc[0]
    assert found["verdict"] == found["verdict_at_105"] == "dead_zone"
    assert found["verdict_at_121"] == "covered"


def test_operators_are_judged_apart() -> None:
    found = judge_together(campaign(silent) + campaign(devices=5, days=3, operator="45201"))
    assert dict(zip(found["operator"], found["verdict"], strict=True)) == {
        "45201": "covered",
        "45204": "dead_zone",
    }


def test_a_pass_inside_a_failing_half_hour_does_not_stretch_the_span_of_the_fails() -> None:
    # Fails from 22:31 to 10:01 local: two dates, but 23 half-hours apart, one short of twelve hours.
    late = MORNING.replace(hour=15, minute=31)
    rows = [
        silent(device=f"phone-{d}", lat=LAT + 0.0015 * spot, time_utc=late + timedelta(minutes=30 * step))
        for d in range(3)
        for spot in range(3)
        for step in range(24)
    ]
    last = max(one["time_utc"] for one in rows)
    passing = [row(device="phone-0", time_utc=last + timedelta(minutes=28), lat=LAT)]
    # More silent seconds beside it, so that the half-hour still fails.
    outvoted = [silent(device="phone-0", time_utc=last + timedelta(seconds=s), lat=LAT) for s in range(1, 9)]
    longer = [silent(device="phone-1", time_utc=last + timedelta(minutes=30), lat=LAT)]
    alone, passed, convicted = verdicts(rows + outvoted, rows + outvoted + passing, rows + outvoted + longer)
    assert alone == passed == ("not_enough_evidence", "single_occasion")
    assert convicted[0] == "dead_zone"


def test_a_power_cut_of_one_evening_and_night_convicts_nobody() -> None:
    evening = MORNING.replace(hour=13, minute=5)  # 20:05 in Việt Nam, until 01:05 on the next date
    rows = [
        silent(
            device=f"phone-{d}",
            lat=LAT + 0.0015 * (step % 3),
            time_utc=evening + timedelta(minutes=35 * step),
        )
        for d in range(3)
        for step in range(9)
    ]
    found = judge_together(rows).iloc[0]
    assert (found["fail_dates"], found["verdict"]) == (2, "not_enough_evidence")


def test_the_same_moments_without_the_phones_name_are_no_second_witness() -> None:
    named = campaign(silent, devices=2, days=2, spots=1, seconds=1)
    echoes = [one | {"device": "unknown"} for one in named]
    later = [one | {"time_utc": one["time_utc"] + timedelta(hours=2)} for one in echoes]
    alone, together, apart = judge_apart(named, named + echoes, named + later)
    assert (together["effective_fails"], together["fails"]) == (alone["effective_fails"], alone["fails"])
    assert apart["fails"] > alone["fails"]


def test_a_pass_of_another_kind_adds_no_weight_to_a_calibrated_phone() -> None:
    rows = campaign(silent, devices=1, days=1, spots=3, calibrated=True)
    passing = [row(device="phone-0", lat=LAT, time_utc=MORNING + timedelta(seconds=9), calibrated=False)]
    before, after = judge_apart(rows, rows + passing)
    assert after["effective_fails"] <= before["effective_fails"]


def test_one_phone_clears_nothing_however_strong_and_one_scanner_may() -> None:
    one, two, scanner = verdicts(
        campaign(devices=1, days=3), campaign(devices=2, days=3), campaign(devices=1, days=3, calibrated=True)
    )
    assert one[0] == "not_enough_evidence"
    assert two[0] == scanner[0] == "covered"


def test_the_unnamed_copy_of_a_test_is_dropped_whole_or_not_at_all() -> None:
    unnamed = [row(device="unknown"), silent(device="unknown", time_utc=MORNING + timedelta(seconds=1))]
    named = [row(device="phone-a")]
    both = [*named, silent(device="phone-a", time_utc=MORNING + timedelta(seconds=1))]
    half, whole = judge_apart(unnamed + named, unnamed + both)
    # The named phone has only the passing second: what is left of the unnamed test must not turn into a fail.
    assert (half["tests"], half["fails"]) == (2, 0)
    assert whole["tests"] == 1


def test_a_fail_elsewhere_lends_positive_only_passes_no_weight() -> None:
    feed = [one | {"positive_only": True} for one in campaign(devices=9, days=1, spots=1, seconds=3)]
    fails = campaign(silent, devices=9, days=1, spots=1, seconds=1)
    alone, both = judge_apart(feed, feed + fails)
    assert (alone["verdict"], alone["sub_reason"]) == ("not_enough_evidence", "positive_only_source")
    assert both["verdict"] == "not_enough_evidence"
    assert both["effective_fails"] == pytest.approx(9.0)


def test_a_fail_of_another_kind_never_clears_what_a_scanner_found() -> None:
    dead = campaign(silent, devices=1, calibrated=True)
    later = silent(device="phone-0", time_utc=MORNING + timedelta(hours=5))
    assert [what for what, _ in verdicts(dead, [*dead, later])] == ["dead_zone", "dead_zone"]
