"""Columns of a list → the values that JSON and spreadsheets know: text, numbers, true/false, ISO times, nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

_DECIMALS = 6
BATCH_ROWS = 1000  # of plain values some ten megabytes


def batches(frame: gpd.GeoDataFrame, rows: int = BATCH_ROWS) -> Iterator[gpd.GeoDataFrame]:
    """The frame, so many rows at a time in their order; of an empty frame one batch without rows."""
    for start in range(0, max(len(frame), 1), rows):
        yield frame.iloc[start : start + rows]


def plain_columns(frame: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    """Each property's values in row order; None where missing. Times become ISO 8601 in UTC, dates ISO dates."""
    return {str(name): plain_values(frame[name]) for name in frame.columns if name != frame.geometry.name}


def plain_values(values: pd.Series[Any]) -> list[Any]:
    """The values of one column; None where missing, numbers with six decimals."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        texts = np.datetime_as_string(values.to_numpy("datetime64[s]")).tolist()
        return [None if text == "NaT" else f"{text}Z" for text in texts]
    if pd.api.types.is_float_dtype(values.dtype) and isinstance(values.dtype, np.dtype):
        return _known(np.round(values.to_numpy(np.float64), _DECIMALS).tolist())
    if values.dtype == "object":
        return [_iso_date(value) for value in values.astype("object").where(values.notna(), None).tolist()]
    if values.hasnans:
        return values.astype("object").where(values.notna(), None).tolist()
    return values.tolist()


def _known(values: Iterable[float]) -> list[float | None]:
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN differs from itself


def _iso_date(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    return value.isoformat() if hasattr(value, "isoformat") else value
