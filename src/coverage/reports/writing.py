"""Values → how a Vietnamese official paper writes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd

NOT_KNOWN = "chưa rõ"


def number(value: float, digits: int = 0) -> str:
    """A number with points between thousands and a comma before decimals: 1.234,5. Missing: `NOT_KNOWN`."""
    if pd.isna(value):
        return NOT_KNOWN
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent with one decimal; a dash where there is no whole."""
    return f"{number(100 * part / whole, 1)}%" if whole else "–"


def day(value: date | datetime | str | None) -> str:
    """dd/mm/yyyy; missing: `NOT_KNOWN`."""
    if value is None or pd.isna(value):
        return NOT_KNOWN
    return f"{pd.Timestamp(value):%d/%m/%Y}"


def text(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    """A text without the signs that no file of words may hold (control characters); missing: `NOT_KNOWN`."""
    if value is None or pd.isna(value) or not str(value).strip():
        return NOT_KNOWN
    return "".join(letter if letter.isprintable() else " " for letter in str(value)).strip()


def yes_no(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    """Có or Không; missing: `NOT_KNOWN`."""
    return NOT_KNOWN if value is None or pd.isna(value) else "Có" if value else "Không"
