"""Snapshot → what is known of one hex: what a click on the map tells.

All of it stands in the snapshot. Texts are the data's own; whoever shows them must not take them for markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from coverage import hex_reasons, hexes
from coverage.archive.snapshots import Snapshot, SnapshotInfo

Row = Mapping[Any, Any]  # missing values are None
Rows = Mapping[str, list[Row]]  # by operator
_DEGREE_DIGITS = 6  # a tenth of a metre
_FAR_DEG = 180.0  # no hex is as wide: its outline was written across the 180th meridian

_WHOLE = ("tests", "fails", "devices", "dates", "occasions", "fail_devices", "fail_dates", "expired_tests")
_SIGNAL = ("technology", "measurements", "devices", "dates", "drive_test_measurements")
_WHOLE_OR_MISSING = ("fails_to_dead", "passes_to_covered", "tests_to_overturn")
_REAL = ("median_rsrp_dbm", "no_service_share")
_TEXT = ("verdict", "verdict_at_105", "verdict_at_121", "evidence_grade", "evidence_mix", "sub_reason")
_DAY = ("first_test_utc", "last_test_utc")
_VILLAGE = ["village_id", "village_name", "commune_code", "commune_name"]
_OF_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(_WHOLE, 0),
    **dict.fromkeys((*_WHOLE_OR_MISSING, *_REAL, *_TEXT, *_DAY)),
    **dict.fromkeys(("verdict", "verdict_at_105", "verdict_at_121"), "no_data"),
}


@dataclass(frozen=True)
class Signal:
    """What was read there by one technology, as HEX_SIGNALS; technology null = readings without service."""

    technology: str | None
    measurements: int
    devices: int
    dates: int
    drive_test_measurements: int
    median_dbm: float | None
    p10_dbm: float | None
    last_utc: date


@dataclass(frozen=True)
class Prediction:
    """What to expect where nobody measured, as PREDICTIONS: it decides nothing."""

    predicted_class: str
    p_below: float
    predicted_margin_db: float
    sd_db: float


@dataclass(frozen=True)
class OfOperator:
    """What is known of a hex for one operator, as HEX_VERDICTS, in words too; without a row the verdict is no_data."""

    operator: str
    name: str
    verdict: str
    verdict_at_105: str
    verdict_at_121: str
    tests: int
    fails: int
    devices: int
    dates: int
    occasions: int
    fail_devices: int
    fail_dates: int
    first_test_utc: date | None
    last_test_utc: date | None
    median_rsrp_dbm: float | None
    no_service_share: float | None
    evidence_grade: str | None
    evidence_mix: str | None
    sub_reason: str | None
    expired_tests: int
    fails_to_dead: int | None
    passes_to_covered: int | None
    tests_to_overturn: int | None
    reason: str
    reason_en: str
    what_would_change: str
    what_would_change_en: str
    signals: list[Signal]
    prediction: Prediction | None


@dataclass(frozen=True)
class SpotVillage:
    """A village that shares ground with a hex. share_of_hex: how much of the hex is its."""

    village_id: str
    village_name: str
    commune_code: str | None
    commune_name: str | None
    share_of_hex: float


@dataclass(frozen=True)
class Spot:
    """A hex: its middle (lat, lon), its outline as a closed ring of lat, lon, its villages, the largest share first."""

    snapshot_id: str
    as_of: str
    criteria: str
    hex: str
    resolution: int
    lat: float
    lon: float
    outline: list[list[float]]
    villages: list[SpotVillage]
    operators: list[OfOperator]


def spot(snapshot: Snapshot, hexagon: int, *, public: bool = False) -> Spot:
    """What the snapshot knows of a hex (H3 index at its resolution), for every operator in the snapshot's order.

    public: the snapshot is one from which rows were left out, so that no row is not the same as no measurement.
    """
    info, (outline,) = snapshot.info, hexes.polygons([hexagon])
    middle = hexes.middles(np.array([hexagon]))
    found = {
        name: _in_hex(getattr(snapshot, name), hexagon)
        for name in ("hex_verdicts", "hex_signals", "predictions")
    }
    return Spot(
        snapshot_id=info.snapshot_id,
        as_of=info.as_of,
        criteria=info.criteria,
        hex=hexes.text(hexagon),
        resolution=info.hex_resolution,
        lat=degrees(middle[0][0]),
        lon=degrees(middle[1][0]),
        outline=[[degrees(lat), degrees(lon)] for lon, lat in outline.exterior.coords],
        villages=_villages(snapshot, outline),
        operators=[_of_operator(info, code, found, public=public) for code in info.operators],
    )


def _of_operator(info: SnapshotInfo, code: str, found: Mapping[str, Rows], *, public: bool) -> OfOperator:
    row = next(iter(found["hex_verdicts"].get(code, [])), None)
    predicted = next(iter(found["predictions"].get(code, [])), None)
    reason = (
        hex_reasons.reason_of_nothing(hidden=public)
        if row is None
        else hex_reasons.reason(row, info.headline_dbm)
    )
    change = hex_reasons.change(row)
    return OfOperator(
        operator=code,
        name=info.operators[code],
        **(_OF_NOTHING if row is None else _evidence(row)),
        reason=reason[0],
        reason_en=reason[1],
        what_would_change=change[0],
        what_would_change_en=change[1],
        signals=[_signal(one) for one in found["hex_signals"].get(code, [])],
        prediction=None if predicted is None else _prediction(predicted),
    )


def _evidence(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in (*_WHOLE, *_TEXT)},
        **{name: None if row[name] is None else int(row[name]) for name in _WHOLE_OR_MISSING},
        **{name: _rounded(row[name]) for name in _REAL},
        **{name: day(row[name]) for name in _DAY},
    }


def _signal(row: Row) -> Signal:
    said = {name: row[name] for name in _SIGNAL}
    return Signal(
        **said, median_dbm=row["median_dbm"], p10_dbm=row["p10_dbm"], last_utc=row["last_utc"].date()
    )


def _prediction(row: Row) -> Prediction:
    sure, margin_db, sd_db = (round(row[name], 4) for name in ("p_below", "predicted_margin_db", "sd_db"))
    return Prediction(row["predicted_class"], sure, margin_db, sd_db)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def day(time: pd.Timestamp | None) -> date | None:
    """The day of a time in UTC; None where it is missing."""
    return None if pd.isna(time) else time.date()


def degrees(value: float) -> float:
    """Degrees as answers tell them."""
    return round(float(value), _DEGREE_DIGITS)


def _in_hex(rows: pd.DataFrame, hexagon: int) -> Rows:
    (here,) = np.nonzero(rows["hex"].to_numpy(np.int64) == hexagon)
    found: dict[str, list[Row]] = {}
    for row in rows.iloc[here].to_dict("records"):
        found.setdefault(row["operator"], []).append(_known(row))
    return found


def _known(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _villages(snapshot: Snapshot, outline: shapely.Polygon) -> list[SpotVillage]:
    west, _, east, _ = outline.bounds
    if east - west > _FAR_DEG:
        return []
    villages = snapshot.villages
    near = villages.iloc[villages.sindex.query(outline, predicate="intersects")]
    # Within one hex a degree is as long everywhere, but for a few parts in a million.
    shares = shapely.area(shapely.intersection(near.geometry.to_numpy(), outline)) / outline.area
    told = [
        SpotVillage(**_known(row), share_of_hex=round(float(share), 4))
        for row, share in zip(near[_VILLAGE].to_dict("records"), shares, strict=True)
        if share > 0
    ]
    return sorted(told, key=lambda one: (-one.share_of_hex, one.village_id))
