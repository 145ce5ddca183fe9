"""JSON → tables: synthetic geosubmit and FCC documents, written from the published descriptions, and damaged ones."""

from __future__ import annotations

from typing import Any

import pytest
from test_logs_documents import refusal, told

from coverage.logs.documents import json_items

TOWER = {
    "radioType": "lte", "mobileCountryCode": 452, "mobileNetworkCode": 4, "locationAreaCode": 7000, "cellId": 123,
    "age": 1000, "asu": 43, "primaryScramblingCode": 5, "serving": 1, "signalStrength": -97, "timingAdvance": 2,
}  # fmt: skip
POSITION = {
    "latitude": 11.94000001,
    "longitude": 108.43,
    "accuracy": 8.5,
    "age": 500,
    "speed": 1.5,
    "source": "gps",
}
ITEM = {"timestamp": 1790816523000, "position": POSITION, "cellTowers": [TOWER]}
HEARD = {
    "place": 1, "timestamp_ms": "1790816522000", "latitude": "11.94000001", "longitude": "108.43", "accuracy": "8.5",
    "speed": "1.5", "source": "gps", "age_ms": "1000", "stale": "false", "radioType": "lte", "mcc": "452", "mnc": "4",
    "lac": "7000", "cellId": "123", "serving": "1", "signalStrength": "-97", "asu": "43",
}  # fmt: skip


@pytest.mark.parametrize("document", [{"items": [ITEM]}, [ITEM]])
def test_synthetic_geosubmit_gives_a_row_per_tower(document: Any) -> None:
    assert told("geosubmit", document) == [HEARD]


def test_synthetic_geosubmit_of_one_level_has_the_position_in_the_item() -> None:
    old = POSITION | {"timestamp": 1790816523000, "radioType": "lte", "cellTowers": [TOWER]}
    assert told("geosubmit", {"items": [old]}) == [HEARD]


def test_synthetic_geosubmit_numbers_items_and_keeps_all_their_towers() -> None:
    other = TOWER | {"serving": 0, "cellId": 124}
    rows = told("geosubmit", [{"cellTowers": [TOWER]}, ITEM | {"cellTowers": [TOWER, other]}])
    assert [(row["place"], row["cellId"], row["serving"]) for row in rows] == [
        (1, "123", "1"), (2, "123", "1"), (2, "124", "0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("position_age", "cell_age", "age", "stale"),
    [(10_000, 60_000, "60000", "false"), (-10_001, 0, "10001", "true"), (0, 60_001, "60001", "true")],
)
def test_synthetic_geosubmit_marks_cells_that_do_not_belong_to_the_position(
    position_age: int, cell_age: int, age: str, stale: str
) -> None:
    item = {"position": POSITION | {"age": position_age}, "cellTowers": [TOWER | {"age": cell_age}]}
    (row,) = told("geosubmit", [item])
    assert (row["age_ms"], row["stale"]) == (age, stale)


def test_synthetic_geosubmit_says_what_else_was_heard_without_a_cell() -> None:
    items = [
        ITEM | {"cellTowers": [], "wifiAccessPoints": [{"macAddress": "aa:bb:cc:dd:ee:ff"}]},
        {"bluetoothBeacons": [{}]},
        ITEM | {"cellTowers": None},
    ]
    rows = told("geosubmit", items)
    assert [row.get("radioType") for row in rows] == ["wifi", "bluetooth", None]
    assert "aa:bb" not in str(rows)


@pytest.mark.parametrize(
    ("radio", "asu", "level"),
    [
        ("lte", 43, "-97"),
        ("nr", 97, "-43"),
        ("umts", 23, "-97"),
        ("gsm", 8, "-97"),
        ("gsm", 99, None),
        ("cdma", 8, None),
    ],
)
def test_synthetic_geosubmit_takes_the_level_from_asu_where_it_must(
    radio: str, asu: int, level: str | None
) -> None:
    tower = {"radioType": radio, "asu": asu}
    (row,) = told("geosubmit", [{"cellTowers": [tower]}])
    assert row.get("signalStrength") == level


def test_synthetic_geosubmit_with_damaged_items_keeps_a_row_for_each() -> None:
    items = [
        7, None, "x", [], {}, ITEM, {"position": 5, "cellTowers": 5}, {"timestamp": {}, "cellTowers": [3]},
        {"timestamp": "yesterday", "position": {"latitude": None, "longitude": [1]}, "cellTowers": [{"age": "old"}]},
        {"timestamp": 1e300, "cellTowers": [{"age": 1e300, "asu": "high", "radioType": "lte", "cellId": "9" * 5000}]},
    ]  # fmt: skip
    rows = told("geosubmit", items)
    assert [row["place"] for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert rows[5] == HEARD | {"place": 6}
    assert rows[8] == {"place": 9, "timestamp_ms": "yesterday"}


def test_synthetic_geosubmit_written_by_a_script_may_hold_nan_and_half_letters() -> None:
    text = (
        '[{"timestamp":NaN,"position":{"latitude":Infinity,"source":"\\ud800"},"cellTowers":[{"cellId":5}]}]'
    )
    assert told("geosubmit", text) == [{"place": 1, "source": "?", "cellId": "5"}]


@pytest.mark.parametrize("kind", ["geosubmit", "fcc_speed_test"])
@pytest.mark.parametrize(
    "document",
    ["", "{", '{"items":[{"position":', "[" * 100_000, '{"a":' * 100_000, "5", "null", "[]", "[1]", "{}"],
)
def test_damaged_json_is_refused(kind: str, document: str) -> None:
    refusal(kind, document)


def test_json_that_is_too_big_is_to_be_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "MAX_JSON_BYTES", 10)
    assert "Split it" in refusal("geosubmit", {"items": [ITEM]}).en


LTE_CELL = {
    "timestamp": "2026-10-01T08:02:05+07:00", "network_generation": "4G", "network_subtype": "LTE", "cell_connection": 1,
    "rssi": -65, "rsrp": -97, "rsrq": -9, "sinr": 8, "cell_id": 123,
}  # fmt: skip
HERE = {"timestamp": "2026-10-01T01:02:04Z", "latitude": 11.94, "longitude": 108.43, "horizontal_accuracy": 6}
THERE = {"timestamp": "2026-10-01T01:02:14Z", "latitude": 11.95, "longitude": 108.44}
SUBMISSION = {
    "test_id": "1", "timestamp": "2026-10-01T08:02:03+07:00", "provider_name": "Viettel", "device_type": "Android",
    "tests": {"download": {"timestamp": "2026-10-01T08:02:04+07:00", "bytes_sec": 3025761, "locations": [THERE, HERE],
                           "cells": [LTE_CELL]}},
}  # fmt: skip


def test_synthetic_fcc_speed_test_gives_a_row_per_cell_at_the_nearest_location() -> None:
    assert told("fcc_speed_test", {"submission_type": "Alaska Plan", "submissions": [SUBMISSION]}) == [
        {
            "place": 1, "fcc_test": "download", "test_timestamp": "2026-10-01T08:02:05+07:00", "provider_name": "Viettel",
            "latitude": "11.94", "longitude": "108.43", "horizontal_accuracy": "6", "network_technology": "LTE",
            "cell_connection": "1", "signal_dbm": "-97", "rsrq": "-9", "sinr": "8", "cell_id": "123",
            "download_kbit_s": "24206.088",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "system", "level"),
    [
        ({"technology": "NR", "signal": {"ssRsrp": -101, "rsrp": -90}}, "NR", "-101"),
        ({"network_subtype": "Other", "network_generation": "3G", "rscp": -92, "rssi": -70}, "3G", "-92"),
        ({"network_generation": "2G", "rssi": -80}, "2G", "-80"),
        ({"network_generation": "4G", "rssi": -60}, "4G", None),
        ({"network_generation": "4G", "signal_strength": -99}, "4G", "-99"),
        ({"rsrp": -99}, None, "-99"),
    ],
)
def test_synthetic_fcc_speed_test_reads_the_quantity_of_the_technology(
    heard: dict[str, Any], system: str | None, level: str | None
) -> None:
    (row,) = told("fcc_speed_test", [{"tests": {"upload": {"bytes_sec": 1000, "cells": [heard]}}}])
    assert (row.get("network_technology"), row.get("signal_dbm"), row["upload_kbit_s"]) == (
        system,
        level,
        "8.000",
    )


def test_synthetic_fcc_speed_test_with_damaged_parts_keeps_a_row_for_each() -> None:
    submissions = [
        SUBMISSION, 5, {"tests": None}, {"tests": [{"latency": [{"locations": 5, "cells": [5]}]}]},
        {"tests": {"download": 5}, "timestamp": "now", "provider_name": ["x"]},
        {"tests": {"latency": {"locations": [THERE, 5], "cells": [LTE_CELL | {"timestamp": []}]}}},
    ]  # fmt: skip
    rows = told("fcc_speed_test", {"submissions": submissions})
    assert [row["place"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[1:5] == [
        {"place": 2}, {"place": 3}, {"place": 4, "fcc_test": "latency"},
        {"place": 5, "fcc_test": "download", "test_timestamp": "now"},
    ]  # fmt: skip
    assert rows[5]["latitude"] == "11.95"
