"""A question to a collection, as clients write it → the positions of the features that answer it, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from shapely.geometry import box

from coverage.errors import InputError
from coverage.features.collections import Features, Positions
from coverage.features.columns import kind_of
from coverage.features.cql import Language, choose
from coverage.features.shapes import has_shape, related
from coverage.features.systems import CRS84, system, to_wgs84
from coverage.names import meant

Mask = npt.NDArray[np.bool_]
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Query:
    """What of a collection is wanted; a part that says nothing takes all.

    bbox: west, south, east, north in the axis order of `bbox_crs`. time: an instant or an interval as OGC API writes
    them, compared with the time of a feature's tests. equal: property → its value as text.
    """

    bbox: tuple[float, ...] | None = None
    bbox_crs: str = CRS84
    time: str | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    filter: str | None = None
    filter_lang: Language = "cql2-text"
    filter_crs: str = CRS84


def positions(features: Features, query: Query) -> Positions:
    """The positions of the features that the query takes. Raises `InputError` naming what of it cannot be.

    As the standard has it, a feature without a shape lies in every bbox, and one without a time at every time.
    """
    chosen = np.ones(len(features.table), dtype=bool)
    if query.bbox is not None:
        chosen &= _in_box(features, query.bbox, query.bbox_crs) | ~has_shape(features)
    if query.time is not None:
        chosen &= _in_time(features.table, *interval(query.time))
    for name, text in query.equal.items():
        chosen &= _equal(features, name, text)
    if query.filter is not None:
        chosen &= choose(query.filter, query.filter_lang, features, system(query.filter_crs))
    return np.flatnonzero(chosen)


def _in_box(features: Features, given: tuple[float, ...], crs: str) -> Mask:
    # Six numbers hold a height at places 3 and 6, which says nothing here.
    corners = np.array(given if len(given) == 4 else (*given[:2], *given[3:5]))
    if len(given) not in {4, 6} or not np.isfinite(corners).all() or corners[1] > corners[3]:
        raise InputError(
            "bbox cần 4 (hoặc 6) số: tây, nam, đông, bắc.",
            "bbox wants 4 (or 6) numbers: west, south, east, north.",
        )
    given_in = system(crs)
    if crs == CRS84 and corners[0] > corners[2]:  # over the antimeridian
        halves = (corners[0], corners[1], 180.0, corners[3]), (-180.0, corners[1], corners[2], corners[3])
        return np.logical_or(*(related("s_intersects", box(*half), features) for half in halves))
    return related("s_intersects", to_wgs84(box(*corners), given_in), features)


def interval(text: str) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Begin and end (UTC, the end included) of an instant or interval; None where it is open. Raises `InputError`.

    A date stands for the whole day.
    """
    start, slash, end = text.partition("/")
    begin = None if slash and start in {"", ".."} else _instant(start, text)
    last = begin if not slash and "T" in start.upper() else None
    if not slash and last is None:
        last = _end_of(start, text)
    elif slash and end not in {"", ".."}:
        last = _instant(end, text) if "T" in end.upper() else _end_of(end, text)
    if begin is not None and last is not None and last < begin:
        raise _no_time(text)
    return begin, last


def _end_of(day: str, text: str) -> pd.Timestamp:
    return _instant(day, text) + _ONE_DAY - pd.Timedelta(microseconds=1)


def _instant(text: str, whole: str) -> pd.Timestamp:
    try:
        time = datetime.fromisoformat(text.upper().strip())
    except ValueError as fault:
        raise _no_time(whole) from fault
    return pd.Timestamp(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))


def _no_time(text: str) -> InputError:
    return InputError(
        f"datetime={text!r:.80} không phải thời điểm hay khoảng: 2026-10-01, 2026-10-01T00:00:00Z hoặc 2026-10-01/..",
        f"datetime={text!r:.80} is no instant or interval: 2026-10-01, 2026-10-01T00:00:00Z or 2026-10-01/..",
    )


def _in_time(table: pd.DataFrame, begin: pd.Timestamp | None, end: pd.Timestamp | None) -> Mask:
    chosen = np.ones(len(table), dtype=bool)
    if "last_test_utc" not in table:
        return chosen
    first, last = (pd.to_datetime(table[name], utc=True) for name in ("first_test_utc", "last_test_utc"))
    if begin is not None:
        chosen &= np.asarray((last >= begin) | last.isna(), dtype=bool)
    if end is not None:
        chosen &= np.asarray((first <= end) | first.isna(), dtype=bool)
    return chosen


def _equal(features: Features, name: str, text: str) -> Mask:
    if name not in features.table:
        vi, en = meant(name, [str(one) for one in features.table.columns])
        raise InputError(
            f"{features.name} không có thuộc tính {name}{vi or '.'}",
            f"{features.name} has no property {name}{en or '.'}",
        )
    column = features.table[name]
    kind = kind_of(column)
    if kind == "number":
        return np.asarray(column.astype("Float64").eq(_number(name, text)).fillna(value=False), dtype=bool)
    if kind == "boolean":
        return np.asarray(column.eq(_flag(name, text)).fillna(value=False), dtype=bool)
    if kind == "time":
        return _between(pd.to_datetime(column, utc=True), *interval(text))
    return np.asarray(column.astype("string").eq(text).fillna(value=False), dtype=bool)


def _between(times: pd.Series[Any], begin: pd.Timestamp | None, end: pd.Timestamp | None) -> Mask:
    after = times >= begin if begin is not None else times.notna()
    before = times <= end if end is not None else times.notna()
    return np.asarray(after & before, dtype=bool)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as fault:
        raise InputError(
            f"{name}={text!r:.40} phải là số.", f"{name}={text!r:.40} must be a number."
        ) from fault


def _flag(name: str, text: str) -> bool:
    known: dict[str, bool] = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise InputError(
            f"{name}={text!r:.40} phải là true hoặc false.", f"{name}={text!r:.40} must be true or false."
        )
    return known[text.lower()]


def shown(features: Features) -> Any:  # noqa: ANN401 - two lists of numbers
    """West, south, east, north of all features in degrees; None where none has a shape."""
    boxes = features.boxes[has_shape(features)]
    if not len(boxes):
        return None
    return [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
