"""A column of properties as values of one kind, so that it can be compared: numbers, texts, true/false or times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "text", "boolean", "time", "empty"]
KIND_WORDS: dict[Kind, tuple[str, str]] = {
    "number": ("số", "a number"),
    "text": ("chữ", "text"),
    "boolean": ("true hoặc false", "true or false"),
    "time": ("thời gian", "a time"),
    "empty": ("trống", "empty"),
}
_TYPES: dict[Kind, Any] = {
    "number": "Float64",
    "text": "string",
    "boolean": "boolean",
    "time": pd.DatetimeTZDtype("us", "UTC"),
    "empty": "string",
}


@dataclass(frozen=True)
class Values:
    """The values of a property, one per row: numbers, strings, booleans or UTC times by kind, missing where the row has none."""

    kind: Kind
    data: pd.Series[Any]


def kind_of(column: pd.Series[Any]) -> Kind:
    """Of what kind the known values of a column are; `empty` where none is known."""
    kinds = {
        "boolean": pd.api.types.is_bool_dtype,
        "number": pd.api.types.is_numeric_dtype,
        "time": pd.api.types.is_datetime64_any_dtype,
    }
    by_type = next((kind for kind, holds in kinds.items() if holds(column.dtype)), None)
    if by_type is not None:
        return by_type  # type: ignore[return-value]
    first = column.first_valid_index()
    return "empty" if first is None else kind_of_value(column.loc[first])


def kind_of_value(value: object) -> Kind:
    """Of what kind one value is."""
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, int | float | np.number):
        return "number"
    return "time" if isinstance(value, date) else "text"


def values_of(column: pd.Series[Any]) -> Values:
    """The column as values of its kind."""
    kind = kind_of(column)
    return Values(kind, pd.to_datetime(column, utc=True) if kind == "time" else column.astype(_TYPES[kind]))


def constant(value: object, index: pd.Index[Any]) -> Values:
    """One value in every row, times in UTC."""
    kind = kind_of_value(value)
    held = _utc(value) if kind == "time" else value
    return Values(kind, pd.Series(held, index, dtype=_TYPES[kind]))


def _utc(value: Any) -> pd.Timestamp:  # noqa: ANN401 - a date or a time
    time = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return pd.Timestamp(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))
