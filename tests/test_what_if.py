"""What would change a verdict, held against the rule itself: that many imagined tests do it, one fewer does not."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from measurements import LAT, LON, MORNING, campaign, judge_apart, row, silent


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


def clean_pass(**given: object) -> dict:
    return row(rsrp_dbm=-105.0, **given)


CASES = {
    "one phone": campaign(silent, devices=1, days=1),
    "one day": campaign(silent, devices=3, days=1),
    "few passes": campaign(devices=2, days=2, rsrp_dbm=-112.0),
    "mixed": campaign(devices=2, days=2, rsrp_dbm=-108.0) + campaign(silent, devices=2, lon=LON + 0.002),
    "covered": campaign(devices=3, days=3),
    "dead": campaign(silent),
}


@pytest.fixture(scope="module")
def now() -> dict[str, pd.Series]:
    """The verdict of each case as it is."""
    return dict(zip(CASES, judge_apart(*CASES.values()), strict=True))


@pytest.mark.parametrize("case", ["one phone", "one day", "few passes", "mixed"])
def test_so_many_more_fails_accuse_the_place_and_one_fewer_does_not(
    now: dict[str, pd.Series], case: str
) -> None:
    needed = now[case]["fails_to_dead"]
    so_many, fewer = judge_apart(
        *(CASES[case] + other_phones(silent, count) for count in (needed, needed - 1))
    )
    assert so_many["verdict"] == "dead_zone"
    assert fewer["verdict"] != "dead_zone"


@pytest.mark.parametrize("case", ["few passes", "mixed"])
def test_so_many_more_passes_clear_the_place_and_one_fewer_does_not(
    now: dict[str, pd.Series], case: str
) -> None:
    needed = now[case]["passes_to_covered"]
    so_many, fewer = judge_apart(
        *(CASES[case] + other_phones(clean_pass, count) for count in (needed, needed - 1))
    )
    assert so_many["verdict"] == "covered"
    assert fewer["verdict"] != "covered"


@pytest.mark.parametrize(
    ("case", "others", "before"), [("dead", clean_pass, "dead_zone"), ("covered", silent, "covered")]
)
def test_so_many_passes_end_a_dead_zone_and_so_many_fails_a_covered_place(
    now: dict[str, pd.Series], case: str, others: object, before: str
) -> None:
    needed = now[case]["tests_to_overturn"]
    so_many, fewer = judge_apart(
        *(CASES[case] + other_phones(others, count) for count in (needed, needed - 1))
    )
    assert so_many["verdict"] != before
    assert fewer["verdict"] == before


def test_nothing_is_asked_of_what_it_already_is(now: dict[str, pd.Series]) -> None:
    assert pd.isna(now["dead"]["fails_to_dead"])
    assert pd.isna(now["covered"]["passes_to_covered"])
    assert pd.isna(now["mixed"]["tests_to_overturn"])
