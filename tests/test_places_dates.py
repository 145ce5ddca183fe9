"""Days as lists write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage.errors import PlacesRefused
from coverage.places.dates import day_of, read_days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-31", date(2026, 10, 31)),
        ("2026/1/5", date(2026, 1, 5)),
        ("31/10/2026", date(2026, 10, 31)),
        ("5/1/2026", date(2026, 1, 5)),
        ("5.1.2026", date(2026, 1, 5)),
        ("05-01-2026", date(2026, 1, 5)),
        ("2026-10-31T00:00:00", date(2026, 10, 31)),
        ("2026-10-31 00:00:00+00:00", date(2026, 10, 31)),
        ("31/10/2026 8:05", date(2026, 10, 31)),
        ("Q3/2026", date(2026, 9, 30)),
        ("quý III/2026", date(2026, 9, 30)),
        ("Quý 4 năm 2026", date(2026, 12, 31)),
        ("QUÝ I-2027", date(2027, 3, 31)),
        ("2026-Q2", date(2026, 6, 30)),
        ("tháng 2/2028", date(2028, 2, 29)),
        ("Tháng 12 năm 2026", date(2026, 12, 31)),
        ("02/2027", date(2027, 2, 28)),
        ("năm 2027", date(2027, 12, 31)),
        ("2027", date(2027, 12, 31)),
        ("29/02/2027", None),
        ("31/04/2026", None),
        ("2026-13-01", None),
        ("10/31/2026", None),
        ("quý V/2026", None),
        ("Q5/2026", None),
        ("tháng 13/2026", None),
        ("1026", None),
        ("31/10/26", None),
        ("kế hoạch", None),
        ("", None),
    ],
)
def test_a_day_is_what_the_text_says_or_nothing(text: str, day: date | None) -> None:
    assert day_of(text) == day


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_every_day_comes_back_from_both_ways_of_writing_it(day: date) -> None:
    assert day_of(day.isoformat()) == day_of(f"{day:%d/%m/%Y}") == day_of(f"{day.day}.{day.month}.{day.year}")
    assert day_of(f"Q{(day.month + 2) // 3}/{day.year}") >= day_of(f"tháng {day.month}/{day.year}") >= day


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert day_of(text) is None or 1990 <= day_of(text).year <= 2100


def test_another_text_is_refused_with_its_row_and_column() -> None:
    values = pd.Series(["2026-10-31", None, "sắp tới"], name="on_air", dtype=object)
    with pytest.raises(PlacesRefused, match="data row 3, column on_air: “sắp tới” is no day"):
        read_days(values, Path("synthetic.csv"))
    assert read_days(values[:2], Path("synthetic.csv")).tolist() == [date(2026, 10, 31), None]
