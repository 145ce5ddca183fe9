"""Measurements → signals: what was read in each hex, held against counting by hand and against plain pandas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import AS_OF, LAT, LON, MORNING, row, rules, silent, table
from snapshots import snapshot

from coverage import engine, hexes, observations, signals, tables
from coverage.archive import snapshots
from coverage.tables import HEX_SIGNALS, LEVEL_COLUMNS, UNKNOWN_DEVICE

FAR = LAT + 0.05  # in another res-8 hex
EVERYWHERE = [observations.EVERYWHERE]


def hexagon_of(lat: float) -> int:
    """As a measurement has it: the parent of its res-10 hex, which near an edge is not the res-9 hex of the point."""
    return int(hexes.parents(np.array([hexes.of_point(lat, LON, 10)]), 9)[0])


HERE = hexagon_of(LAT)


def heard(rows: Iterable[Mapping[str, Any]], ground: Iterable[tuple[int, int]] = EVERYWHERE) -> pd.DataFrame:
    loaded = engine.load(engine.connect(), "measurements", table(rows))
    return signals.hex_signals(loaded, rules(), AS_OF, ground)


def only(rows: Iterable[Mapping[str, Any]]) -> pd.Series:
    found = heard(rows)
    assert len(found) == 1
    return found.iloc[0]


def test_the_readings_of_a_hex_are_counted_by_technology() -> None:
    levels = (-90.0, -91.0, -92.0, -110.0)
    lte = [row(rsrp_dbm=level, time_utc=MORNING + timedelta(days=at)) for at, level in enumerate(levels)]
    nr = row(technology="NR", rsrp_dbm=None, ss_rsrp_dbm=-99.5, source="crowdsourced", device="phone-b")
    gsm = row(technology="GSM", rsrp_dbm=None, rxlev_dbm=-71.0)
    umts = row(technology="UMTS", rsrp_dbm=None, rscp_dbm=-88.0)
    found = heard([*lte, nr, gsm, umts, silent(device="phone-c"), silent(device="phone-d")])
    assert found["technology"].fillna("-").tolist() == ["GSM", "LTE", "NR", "UMTS", "-"]
    assert (found["hex"] == HERE).all()
    assert found["measurements"].tolist() == [1, 4, 1, 1, 2]
    assert found["devices"].tolist() == [1, 1, 1, 1, 2]
    assert found["dates"].tolist() == [1, 4, 1, 1, 1]
    assert found["drive_test_measurements"].tolist() == [1, 4, 0, 1, 2]
    assert found["median_dbm"].tolist()[:4] == [-71.0, -91.5, -99.5, -88.0]
    assert found["p10_dbm"].tolist()[:4] == [-71.0, -104.6, -99.5, -88.0]
    assert found[["median_dbm", "p10_dbm"]].iloc[4].isna().all()
    assert found["first_utc"].tolist()[1] == MORNING
    assert found["last_utc"].tolist()[1] == MORNING + timedelta(days=3)


def test_operators_and_hexes_stand_apart() -> None:
    found = heard([row(), row(operator="45201"), row(lat=FAR), silent(lat=FAR)])
    assert len(found) == 4
    pd.testing.assert_frame_equal(found, found.sort_values(signals.KEY, ignore_index=True))
    assert found["measurements"].tolist() == [1, 1, 1, 1]


def test_an_unknown_device_is_no_device() -> None:
    assert only([row(device=UNKNOWN_DEVICE), row(device=UNKNOWN_DEVICE)])["devices"] == 0
    assert only([row(device=UNKNOWN_DEVICE), row(device="a"), row(device="a")])["devices"] == 1


def test_a_level_that_is_missing_counts_as_a_reading_and_as_no_level() -> None:
    found = only([row(rsrp_dbm=None), row(rsrp_dbm=-100.0)])
    assert (found["measurements"], found["median_dbm"], found["p10_dbm"]) == (2, -100.0, -100.0)
    assert pd.isna(only([row(rsrp_dbm=None)])["median_dbm"])


def test_without_service_a_technology_that_is_named_stays() -> None:
    found = only([silent(technology="LTE"), row()])
    assert (found["technology"], found["measurements"]) == ("LTE", 2)


def test_a_row_that_two_uploads_hold_counts_twice() -> None:
    assert only([row(upload_id="u1"), row(upload_id="u2")])["measurements"] == 2


@pytest.mark.parametrize(
    ("day", "counts"),
    [("2025-11-01", False), ("2025-11-02", True), ("2026-11-01", True), ("2026-11-02", False)],
)
def test_only_what_is_within_validity_counts(day: str, counts: bool) -> None:
    # Noon in Viet Nam: the calendar is that of the criteria.
    assert len(heard([row(time_utc=datetime.fromisoformat(f"{day}T05:00:00"))])) == counts


def test_a_day_begins_where_the_criteria_say() -> None:
    around = [datetime(2026, 10, 1, 16, 59), datetime(2026, 10, 1, 17, 1)]
    assert only([row(time_utc=time) for time in around])["dates"] == 2


def test_levels_of_two_decimals_keep_them() -> None:
    found = only([row(rsrp_dbm=level) for level in (-98.13, -98.14, -120.0)])
    assert (found["median_dbm"], found["p10_dbm"]) == (-98.14, -115.63)


def test_nothing_measured_is_an_empty_table_of_the_contract() -> None:
    found = heard([])
    assert found.columns.tolist() == HEX_SIGNALS.names
    assert found.empty
    assert str(found["last_utc"].dtype) == "datetime64[us]"


READINGS = st.lists(
    st.fixed_dictionaries(
        {
            "lat": st.sampled_from([LAT, LAT + 0.004, FAR]),
            "operator": st.sampled_from(["45204", "45201"]),
            "technology": st.sampled_from([*LEVEL_COLUMNS, None]),
            "level": st.one_of(st.none(), st.integers(-11000, -4700).map(lambda cents: cents / 100)),
            "device": st.sampled_from(["a", "b", "c", UNKNOWN_DEVICE]),
            "source": st.sampled_from(["drive_test", "crowdsourced"]),
            "time_utc": st.integers(0, 450 * 24).map(
                lambda hours: datetime(2025, 9, 1) + timedelta(hours=hours)
            ),
        }
    ),
    max_size=60,
)


def measured(said: Mapping[str, Any]) -> dict[str, Any]:
    """A row of MEASUREMENTS with the level where its technology has it."""
    about = {name: value for name, value in said.items() if name != "level"}
    if said["technology"] is None:
        return silent(**about)
    return row(**(about | {"rsrp_dbm": None, LEVEL_COLUMNS[said["technology"]]: said["level"]}))


def counted_plainly(readings: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The same as HEX_SIGNALS, the long way, quantiles not rounded."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in readings:
        one["day"] = (one["time_utc"] + timedelta(hours=7)).date()
        if date(2025, 11, 1) < one["day"] <= AS_OF:
            groups.setdefault((hexagon_of(one["lat"]), one["operator"], one["technology"]), []).append(one)
    return {key: summed(rows) for key, rows in groups.items()}


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    levels = [one["level"] for one in rows if one["technology"] and one["level"] is not None]
    return {
        "measurements": len(rows),
        "devices": len({one["device"] for one in rows} - {UNKNOWN_DEVICE}),
        "dates": len({one["day"] for one in rows}),
        "drive_test_measurements": sum(one["source"] == "drive_test" for one in rows),
        "median_dbm": np.quantile(levels, 0.5) if levels else None,
        "p10_dbm": np.quantile(levels, 0.1) if levels else None,
        "first_utc": min(one["time_utc"] for one in rows),
        "last_utc": max(one["time_utc"] for one in rows),
    }


@settings(max_examples=25)
@given(READINGS, st.booleans())
def test_it_is_what_counting_plainly_gives(readings: list[dict[str, Any]], apart: bool) -> None:
    middle = int(hexes.parents(np.array([HERE]), 8)[0])
    ground = [(0, middle), (middle + 1, 2**63 - 1)] if apart else EVERYWHERE
    found = heard([measured(one) for one in readings], ground)
    expected = counted_plainly(readings)
    keys = [
        (one["hex"], one["operator"], None if pd.isna(one["technology"]) else one["technology"])
        for one in found.to_dict("records")
    ]
    assert keys == sorted(expected, key=lambda key: (key[0], key[1], key[2] is None, key[2] or ""))
    for key, one in zip(keys, found.to_dict("records"), strict=True):
        for name, value in expected[key].items():
            if value is None:
                assert pd.isna(one[name])
            elif name.endswith("_dbm"):
                assert (
                    abs(one[name] - value) <= 0.005 + 1e-4
                )  # as far as rounding goes; levels are kept in 32 bits
            else:
                assert one[name] == value, name


def test_large_archives_are_counted_in_stretches_and_small_ones_at_once() -> None:
    counts = pd.DataFrame({"hex_res8": np.arange(10), "rows": 10})
    assert signals.counted_at_once(counts, None) == EVERYWHERE
    assert signals.counted_at_once(counts, 25) == EVERYWHERE
    assert len(signals.counted_at_once(counts, 10)) == 3


def test_an_operator_sees_its_own_and_the_public_none() -> None:
    shown = snapshot(30)
    own = snapshots.of_operator(shown, "45204").hex_signals
    assert set(own["operator"]) == {"45204"}
    assert len(own) == (shown.hex_signals["operator"] == "45204").sum()
    away = pd.DataFrame({"hex": [HERE], "operator": ["45204"], "devices": [9]})
    public = snapshots.of_public(shown, away).hex_signals
    assert public.empty
    assert public.columns.tolist() == HEX_SIGNALS.names


def test_a_snapshot_of_before_has_none(tmp_path: Path) -> None:
    shown = snapshot(30)
    folder = snapshots.save(tmp_path, shown)
    (folder / "hex_signals.parquet").unlink()
    about = json.loads((folder / "snapshot.json").read_text())
    del about["headline_dbm"]
    (folder / "snapshot.json").write_text(json.dumps(about))
    found = snapshots.load(tmp_path, shown.info.snapshot_id)
    assert found.hex_signals.empty
    pd.testing.assert_frame_equal(found.hex_signals, shown.hex_signals.iloc[:0])
    tables.check_frame(HEX_SIGNALS, found.hex_signals)
    assert found.info.headline_dbm == {}
    assert snapshots.of_operator(found, "45204").hex_signals.empty
    assert len(found.hex_verdicts) == len(shown.hex_verdicts)
