"""What would change a verdict, held against the rule itself: that many imagined tests do it, one fewer does not."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from measurements import LAT, LON, MORNING, campaign, judge_together, row, silent


def other_phones(kind: object, count: int) -> list[dict]:
    """Tests of the best kind: each of another phone, on another day, at another spot of the place."""
    return [
        kind(
            device=f"other-{n}",
            time_utc=MORNING + timedelta(days=10 + n % 20, hours=n // 20),
            lat=LAT + 0.0015 * (n % 3),
            lon=LON + 0.0015 * (n // 3 % 3),
        )
        for n in range(count)
    ]


def verdict(rows: list[dict]) -> pd.Series:
    return judge_together(rows).iloc[0]


def clean_pass(**given: object) -> dict:
    return row(rsrp_dbm=-105.0, **given)


CASES = {
    "one phone": campaign(silent, devices=1, days=1),
    "one day": campaign(silent, devices=3, days=1),
    "few passes": campaign(devices=2, days=2, rsrp_dbm=-112.0),
    "mixed": campaign(devices=2, days=2, rsrp_dbm=-108.0) + campaign(silent, devices=2, lon=LON + 0.002),
    "covered": campaign(devices=3, days=3),
}


@pytest.mark.parametrize("case", [case for case in CASES if case != "covered"])
def test_so_many_more_fails_accuse_the_place_and_one_fewer_does_not(case: str) -> None:
    needed = verdict(CASES[case])["fails_to_dead"]
    assert verdict(CASES[case] + other_phones(silent, needed))["verdict"] == "dead_zone"
    assert verdict(CASES[case] + other_phones(silent, needed - 1))["verdict"] != "dead_zone"


@pytest.mark.parametrize("case", ["few passes", "mixed"])
def test_so_many_more_passes_clear_the_place_and_one_fewer_does_not(case: str) -> None:
    needed = verdict(CASES[case])["passes_to_covered"]
    assert verdict(CASES[case] + other_phones(clean_pass, needed))["verdict"] == "covered"
    assert verdict(CASES[case] + other_phones(clean_pass, needed - 1))["verdict"] != "covered"


def test_so_many_passes_end_a_dead_zone_and_so_many_fails_a_covered_place() -> None:
    dead = campaign(silent)
    needed = verdict(dead)["tests_to_overturn"]
    assert verdict(dead + other_phones(clean_pass, needed))["verdict"] != "dead_zone"
    assert needed == 1 or verdict(dead + other_phones(clean_pass, needed - 1))["verdict"] == "dead_zone"
    covered = CASES["covered"]
    needed = verdict(covered)["tests_to_overturn"]
    assert verdict(covered + other_phones(silent, needed))["verdict"] != "covered"
    assert needed == 1 or verdict(covered + other_phones(silent, needed - 1))["verdict"] == "covered"


def test_nothing_is_asked_of_what_it_already_is() -> None:
    assert pd.isna(verdict(campaign(silent))["fails_to_dead"])
    assert pd.isna(verdict(CASES["covered"])["passes_to_covered"])
    assert pd.isna(verdict(CASES["mixed"])["tests_to_overturn"])
