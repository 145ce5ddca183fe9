"""Days as lists write them: 31/10/2026, 2026-10-31, and a month, quarter or year for its last day."""

from __future__ import annotations

import calendar
import re
from datetime import date
from pathlib import Path

import pandas as pd

from coverage.names import fold
from coverage.places.vector_files import refuse_values

# A time of day may follow: map layers and spreadsheets give one to every date.
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_TIME}")
_DAY_FIRST = re.compile(rf"(?P<d>\d{{1,2}})[-/.](?P<m>\d{{1,2}})[-/.](?P<y>\d{{4}}){_TIME}")
_MONTH = re.compile(r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})")
# The rest without tones, spaces and signs: “tháng 9 năm 2026”, “quý III/2026”, “Q3-2026”, “2026-Q3”, “năm 2026”.
_MONTH_WORD = re.compile(r"thang(?P<m>\d{1,2})(?:nam)?(?P<y>\d{4})")
_QUARTER = re.compile(r"q(?:uy)?(?P<q>iv|i{1,3}|[1-4])(?:nam)?(?P<y>\d{4})")
_YEAR_QUARTER = re.compile(r"(?P<y>\d{4})q(?:uy)?(?P<q>iv|i{1,3}|[1-4])")
_YEAR = re.compile(r"(?:nam)?(?P<y>\d{4})")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def read_days(values: pd.Series, path: Path) -> pd.Series:
    """The day that each text names (missing = None): day first, as Viet Nam writes, unless the year comes first.

    A month, quarter or year stands for its last day. Raises `PlacesRefused` at the first other text, naming
    its row and the series' name.
    """
    found = [day_of(text) if isinstance(text, str) else None for text in values]
    days = pd.Series(found, index=values.index, name=values.name, dtype=object)
    refuse_values(
        path,
        values,
        values.notna() & days.isna(),
        "không phải ngày (cần 31/10/2026, 2026-10-31 hoặc quý III/2026)",
        "is no day (needs 31/10/2026, 2026-10-31 or Q3/2026)",
    )
    return days


def day_of(text: str) -> date | None:
    """The day that a text names, or the last day of its month, quarter or year; None where it names none."""
    plain, folded = text.strip(), fold(text)
    exact = _YEAR_FIRST.fullmatch(plain) or _DAY_FIRST.fullmatch(plain)
    month = _MONTH.fullmatch(plain) or _MONTH_WORD.fullmatch(folded)
    quarter = _QUARTER.fullmatch(folded) or _YEAR_QUARTER.fullmatch(folded)
    year = _YEAR.fullmatch(folded)
    if exact:
        return _day(int(exact["y"]), int(exact["m"]), int(exact["d"]))
    if month:
        return _day(int(month["y"]), int(month["m"]))
    if quarter:
        number = quarter["q"]
        return _day(int(quarter["y"]), 3 * (_ROMAN.get(number) or int(number)))
    return _day(int(year["y"]), 12) if year else None


def _day(year: int, month: int, day: int | None = None) -> date | None:
    # Nothing before 1990 or after 2100 is meant: such a number is a slip or no year at all.
    if not (1990 <= year <= 2100 and 1 <= month <= 12):
        return None
    last = calendar.monthrange(year, month)[1]
    day = last if day is None else day
    return date(year, month, day) if 1 <= day <= last else None
