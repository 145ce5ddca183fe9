"""ichnaea's geosubmit JSON (BeaconDB, Tower Collector, NeoStumbler) → one row per cell tower heard.

A document is {"items": [...]} or the bare list; the position of an item stands in "position", in the first
version of the format in the item itself. Ages are milliseconds before the item's timestamp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from coverage.errors import FileRefused
from coverage.logs.documents.json_items import items
from coverage.logs.documents.rows import Row, cell, number
from coverage.logs.quantities import level_of_asu, technology

COLUMNS = (
    "timestamp_ms", "latitude", "longitude", "accuracy", "speed", "source", "age_ms", "stale",
    "radioType", "mcc", "mnc", "lac", "cellId", "serving", "signalStrength", "asu",
)  # fmt: skip
MAX_POSITION_AGE_MS = 10_000.0  # at 50 km/h the vehicle is 140 m further on
MAX_CELL_AGE_MS = 60_000.0  # Android may hand out a cell that it heard long ago
_POSITION = ("latitude", "longitude", "accuracy", "speed", "source")
_CELL = ("mobileCountryCode", "mobileNetworkCode", "locationAreaCode", "cellId", "serving")
_PARTS = frozenset({"position", "latitude", "cellTowers", "wifiAccessPoints", "bluetoothBeacons"})
_NOTHING: Mapping[str, object] = {}


def table(data: bytes, file: str) -> Iterator[Row]:
    """The document as a table; the place of a row is the number of its item, shared by the item's towers.

    timestamp_ms is when the cell was heard. stale is "true" where position and cell do not belong together
    (their age_ms is too great). signalStrength is in dBm, from asu where the app gave only that. radioType is
    "wifi" or "bluetooth" for an item without any cell. Raises `FileRefused`.
    """
    found = items(data, "items", file)
    if not any(isinstance(item, dict) and not _PARTS.isdisjoint(item) for item in found):
        raise FileRefused(
            f"{file}: tệp JSON không có phép đo nào (position, cellTowers). Hãy xuất lại tệp từ ứng dụng.",
            f"{file}: the JSON holds no report (position, cellTowers). Export it from the app again.",
        )
    yield 0, COLUMNS
    for place, item in enumerate(found, 1):
        for tower in _towers(item):
            yield place, _row(_object(item), _object(tower))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else _NOTHING


def _towers(item: object) -> list[object]:
    """The towers of an item; where it has none, one stand-in that says what else was heard."""
    report = _object(item)
    towers = report.get("cellTowers")
    if isinstance(towers, list) and towers:
        return towers
    others = (("wifiAccessPoints", "wifi"), ("bluetoothBeacons", "bluetooth"))
    return [next(({"radioType": kind} for key, kind in others if report.get(key)), _NOTHING)]


def _row(item: Mapping[str, object], tower: Mapping[str, object]) -> tuple[str, ...]:
    position = _object(item.get("position")) or item
    position_age = number(cell(position.get("age")))
    cell_age = number(cell(tower.get("age")))
    asu = cell(tower.get("asu"))
    radio = cell(tower.get("radioType")) or cell(item.get("radioType"))
    level = cell(tower.get("signalStrength")) or _level(radio, asu)
    return (
        _moment(cell(item.get("timestamp")), cell_age),
        *(cell(position.get(name)) for name in _POSITION),
        *_age(position_age, cell_age),
        radio,
        *(cell(tower.get(name)) for name in _CELL),
        level,
        asu,
    )


def _moment(timestamp: str, age: float | None) -> str:
    """When the cell was heard; the timestamp as it stands where it is no number."""
    milliseconds = number(timestamp)
    return timestamp if milliseconds is None else str(int(milliseconds - (age or 0.0)))


def _age(position: float | None, heard: float | None) -> tuple[str, str]:
    """The greater of the two ages in ms, and whether either is too great."""
    ages = [abs(age) for age in (position, heard) if age is not None]
    if not ages:
        return "", ""
    stale = abs(position or 0.0) > MAX_POSITION_AGE_MS or abs(heard or 0.0) > MAX_CELL_AGE_MS
    return str(int(max(ages))), cell(stale)


def _level(radio: str, asu: str) -> str:
    name, value = technology(radio), number(asu)
    if name is None or value is None:
        return ""
    level = float(level_of_asu(name, np.array([value]))[0])
    return "" if np.isnan(level) else f"{level:g}"
