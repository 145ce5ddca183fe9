"""What a click on the map tells: one hex, its villages and operators, in figures and in sentences; and a village's hexes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import h3
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from snapshots import HOSTILE, OPERATORS, snapshot

from coverage import hex_reasons, hexes, tables
from coverage.archive.snapshots import WGS84, Snapshot
from coverage.errors import NotFound
from coverage.exports.spot import OfOperator, spot
from coverage.exports.village_hexes import village_hexes
from coverage.projections import equal_area

SHOWN = snapshot(30)
MEASURED = SHOWN.hex_verdicts["hex"].to_numpy(np.int64)
HERE = int(MEASURED[0])
NOWHERE = hexes.of_point(20.0, 105.0, SHOWN.info.hex_resolution)
LTE_115 = {"LTE": -115.0}


def verdict(**said: Any) -> dict[str, Any]:
    """A row of HEX_VERDICTS of a dead zone: five tests of two phones on three days, changed by what is given."""
    row: dict[str, Any] = dict.fromkeys(tables.HEX_VERDICTS.names)
    row |= {column.name: 0 for column in tables.HEX_VERDICTS.columns if not column.nullable}
    row |= {
        "hex": HERE,
        "operator": "45204",
        "tests": 5,
        "fails": 5,
        "devices": 2,
        "dates": 3,
        "occasions": 3,
    }
    row |= {name: "dead_zone" for name in row if name.startswith("verdict")}
    row |= {"first_test_utc": datetime(2026, 10, 1, 1), "last_test_utc": datetime(2026, 10, 12, 1)}
    return row | {"no_service_share": 1.0, "tests_to_overturn": 2, "passes_to_covered": 7} | said


def with_rows(name: str, rows: pd.DataFrame | gpd.GeoDataFrame) -> Snapshot:
    return replace(SHOWN, **{name: rows})


def of(operator: str, hexagon: int = HERE, shown: Snapshot = SHOWN) -> OfOperator:
    return next(one for one in spot(shown, hexagon).operators if one.operator == operator)


# Sentences.


def test_a_dead_zone_is_told_with_its_evidence_and_its_threshold() -> None:
    assert hex_reasons.reason(verdict(), LTE_115) == (
        "5/5 lần thử không đạt, 2 máy, 3 ngày, gần nhất 12/10/2026, 100 % mất dịch vụ: "
        "vùng chết sóng ở ngưỡng −115 dBm (LTE).",
        "5 of 5 tests fail, 2 phones, 3 days, the newest on 2026-10-12, 100 % without service: "
        "a dead zone at the threshold of −115 dBm (LTE).",
    )


def test_levels_are_told_with_a_sign_that_no_line_end_parts_from_its_number() -> None:
    vi, en = hex_reasons.reason(verdict(median_rsrp_dbm=-121.4), LTE_115)
    assert "RSRP trung vị −121 dBm" in vi
    assert "median RSRP −121 dBm" in en
    assert "-1" not in vi
    assert "2026-10-12" in en


def test_a_snapshot_that_does_not_say_its_threshold_names_the_criteria() -> None:
    vi, en = hex_reasons.reason(verdict(), {})
    assert vi.endswith("ở ngưỡng của bộ tiêu chí.")
    assert en.endswith("at the threshold of the criteria.")


def test_a_hex_without_measurements_is_not_called_dead() -> None:
    vi, en = hex_reasons.reason_of_nothing()
    assert vi == "Chưa đo (không có nghĩa là không có sóng)."
    assert en == "Not measured (which does not mean no signal)."
    vi, en = hex_reasons.reason(verdict(verdict="no_data", tests=0, fails=0, expired_tests=4), LTE_115)
    assert "4 lần thử cũ đã quá hạn (không có nghĩa là không có sóng)" in vi
    assert "4 old tests have expired" in en


@pytest.mark.parametrize("what", tables.VERDICTS)
@pytest.mark.parametrize("why", [None, *tables.SUB_REASONS])
@pytest.mark.parametrize("tests", [0, 5])
def test_every_verdict_is_a_whole_sentence_in_both_languages(what: str, why: str | None, tests: int) -> None:
    about: dict[str, Any] = {"verdict": what, "sub_reason": why, "tests": tests}
    if not tests:
        about |= {"fails": 0, "last_test_utc": None, "no_service_share": None, "outage_tests": 3}
    row = verdict(**about)
    told = (*hex_reasons.reason(row, LTE_115), *hex_reasons.change(row))
    for sentence in told:
        assert not sentence[0].islower()
        assert sentence.endswith(".")
        assert "None" not in sentence
        assert "nan" not in sentence.lower().replace("nào", "")
    assert ("dead" in told[1]) == (what == "dead_zone")


def test_what_would_change_it_is_told_of_this_hex() -> None:
    vi, en = hex_reasons.change(verdict())
    assert vi.startswith("Trong ô này: 2 lần thử đạt")
    assert en.startswith("In this hex: 2 clean passes")
    assert hex_reasons.change(None) == ("Đo trong ô này.", "Measure in this hex.")


# One hex.


def test_every_figure_is_the_snapshot_s() -> None:
    rows = SHOWN.hex_verdicts.sample(20, random_state=1)
    for row in rows.to_dict("records"):
        told = of(row["operator"], row["hex"])
        for name in ("verdict", "verdict_at_105", "verdict_at_121", "tests", "fails", "devices", "dates"):
            assert getattr(told, name) == row[name], name
        for name in ("occasions", "fail_devices", "fail_dates", "evidence_mix", "expired_tests"):
            assert getattr(told, name) == row[name], name
        for name in ("sub_reason", "fails_to_dead", "median_rsrp_dbm"):
            assert getattr(told, name) == (None if pd.isna(row[name]) else row[name]), name
        assert told.first_test_utc == row["first_test_utc"].date()
        assert told.last_test_utc == date(2026, 9, 20)
        assert told.prediction is None


def test_the_place_of_a_hex_is_h3_s() -> None:
    told = spot(SHOWN, HERE)
    assert told.hex == h3.int_to_str(HERE)
    assert (told.resolution, told.snapshot_id) == (9, SHOWN.info.snapshot_id)
    assert (told.as_of, told.criteria) == (SHOWN.info.as_of, SHOWN.info.criteria)
    assert (told.lat, told.lon) == pytest.approx(h3.cell_to_latlng(told.hex), abs=1e-6)
    assert told.outline[0] == told.outline[-1]
    corners = {tuple(corner) for corner in told.outline}
    assert corners == {
        tuple(round(degrees, 6) for degrees in corner) for corner in h3.cell_to_boundary(told.hex)
    }


def test_operators_stand_in_the_order_of_the_snapshot_measured_or_not() -> None:
    told = spot(SHOWN, NOWHERE)
    assert [(one.operator, one.name) for one in told.operators] == list(OPERATORS.items())
    assert told.villages == []
    for one in told.operators:
        assert (one.verdict, one.verdict_at_105, one.verdict_at_121) == ("no_data",) * 3
        assert (one.tests, one.fails, one.devices, one.expired_tests) == (0, 0, 0, 0)
        assert one.first_test_utc is one.evidence_grade is one.fails_to_dead is one.prediction is None
        assert one.signals == []
        assert "không có nghĩa là không có sóng" in one.reason


def test_of_a_snapshot_with_rows_left_out_nobody_is_told_that_nothing_was_measured() -> None:
    (told, *_) = spot(SHOWN, NOWHERE, public=True).operators
    assert told.reason.startswith("Không có số liệu công bố")
    assert "too few phones" in told.reason_en


def test_readings_without_a_technology_come_last() -> None:
    rows = SHOWN.hex_signals
    silent = rows[rows["technology"].isna()].iloc[0]
    told = of(silent["operator"], silent["hex"]).signals
    assert [one.technology for one in told] == ["LTE", None]
    assert (told[0].median_dbm, told[0].p10_dbm, told[0].last_utc) == (-101.5, -117.25, date(2026, 9, 20))
    assert (told[1].measurements, told[1].median_dbm) == (7, None)


def test_what_is_predicted_stands_apart_from_what_was_found() -> None:
    row = SHOWN.predictions.iloc[5]
    told = of(row["operator"], row["hex"])
    assert told.verdict == "no_data"
    assert told.prediction is not None
    assert told.prediction.predicted_class == row["predicted_class"]
    assert told.prediction.p_below == pytest.approx(row["p_below"], abs=1e-4)


def test_a_snapshot_of_before_has_no_signals_and_says_the_rest() -> None:
    bare = replace(
        with_rows("hex_signals", SHOWN.hex_signals.iloc[:0]), info=replace(SHOWN.info, headline_dbm={})
    )
    told = of("45204", int(MEASURED[SHOWN.hex_verdicts["operator"] == "45204"][0]), bare)
    assert told.signals == []
    assert told.tests > 0


def test_counts_that_may_be_missing_are_whole_numbers() -> None:
    rows = pd.DataFrame([verdict(), verdict(operator="45201", verdict="covered", tests_to_overturn=None)])
    shown = with_rows("hex_verdicts", tables.check_frame(tables.HEX_VERDICTS, rows))
    assert (of("45204", shown=shown).tests_to_overturn, of("45201", shown=shown).tests_to_overturn) == (
        2,
        None,
    )
    assert isinstance(of("45204", shown=shown).passes_to_covered, int)


@given(st.sampled_from([*MEASURED[:200].tolist(), NOWHERE]), st.booleans())
def test_all_of_it_is_plain_json(hexagon: int, public: bool) -> None:
    told = orjson.loads(orjson.dumps(spot(SHOWN, hexagon, public=public)))
    assert {one["village_name"] for one in told["villages"]} <= set(SHOWN.villages["village_name"])
    assert [one["operator"] for one in told["operators"]] == list(OPERATORS)


# Its villages.


def villages(*shapes: shapely.Geometry | None) -> gpd.GeoDataFrame:
    frame = SHOWN.villages.head(len(shapes)).drop(columns="geometry")
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs=WGS84)


def test_villages_share_a_hex_by_area_the_largest_first() -> None:
    (outline,) = hexes.polygons([HERE])
    west, south, east, north = shapely.buffer(outline, 0.01).bounds
    middle = west + (east - west) * 0.45
    shapes = shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)
    apart = shapely.box(east + 1, south, east + 2, north)
    shown = with_rows("villages", villages(shapes[0], shapes[1], apart, None))
    told = spot(shown, HERE).villages
    assert [one.village_id for one in told] == ["V0001", "V0000"]
    assert told[0].village_name == HOSTILE[1]  # as it is: whoever shows it writes it as text
    assert sum(one.share_of_hex for one in told) == pytest.approx(1, abs=1e-4)
    laid_out = (
        gpd.GeoSeries([outline, *shapes], crs=WGS84).to_crs(equal_area(shown.villages.head(2))).to_numpy()
    )
    exact = shapely.intersection(laid_out[2], laid_out[0]).area / laid_out[0].area
    assert told[0].share_of_hex == pytest.approx(exact, abs=2e-4)


def test_a_village_that_only_touches_a_hex_has_no_share_in_it() -> None:
    (outline,) = hexes.polygons([HERE])
    west, south, _, north = outline.bounds
    shown = with_rows("villages", villages(shapely.box(west - 1, south, west, north)))
    assert spot(shown, HERE).villages == []


@pytest.mark.parametrize(
    ("lat", "lon"), [(11.9, 180.0), (11.9, -179.9999), (90.0, 0.0), (-90.0, 0.0), (0, 180)]
)
def test_hexes_at_the_ends_of_the_map_have_no_villages_of_its_middle(lat: float, lon: float) -> None:
    told = spot(SHOWN, hexes.of_point(lat, lon, 9))
    assert told.villages == []
    assert orjson.dumps(told)


# The hexes of a village.


def plainly(village_id: str) -> set[tuple[str, str]]:
    ground = SHOWN.villages.set_index("village_id").geometry[village_id]
    rows = SHOWN.hex_verdicts
    there = shapely.intersects(hexes.polygons(rows["hex"].to_numpy()), ground)
    return {(hexes.text(row["hex"]), row["operator"]) for row in rows[there].to_dict("records")}


@pytest.mark.parametrize("village_id", SHOWN.villages["village_id"].tolist())
def test_the_hexes_of_a_village_are_those_that_share_its_ground(village_id: str) -> None:
    told = village_hexes(SHOWN, village_id)
    assert {(one.hex, own.operator) for one in told.hexes for own in one.operators} == plainly(village_id)
    names = [one.hex for one in told.hexes]
    assert names == sorted(set(names))
    order = list(OPERATORS)
    for one in told.hexes:
        assert (one.lat, one.lon) == pytest.approx(h3.cell_to_latlng(one.hex), abs=1e-6)
        places = [order.index(own.operator) for own in one.operators]
        assert places == sorted(set(places))


def test_a_hex_of_a_village_says_what_the_hex_says() -> None:
    told = next(
        one for one in (village_hexes(SHOWN, name) for name in SHOWN.villages["village_id"]) if one.hexes
    )
    for one in told.hexes:
        same = {each.operator: each for each in spot(SHOWN, h3.str_to_int(one.hex)).operators}
        for own in one.operators:
            for name in ("verdict", "tests", "fails", "devices", "last_test_utc"):
                assert getattr(own, name) == getattr(same[own.operator], name)


def test_a_village_that_there_is_not_is_not_found() -> None:
    for village_id in ("", "V9999", "V0000/", HOSTILE[0]):
        with pytest.raises(NotFound):
            village_hexes(SHOWN, village_id)


def test_a_village_whose_ground_nobody_knows_has_no_hexes() -> None:
    shown = with_rows("villages", villages(None, shapely.Polygon()))
    assert village_hexes(shown, "V0000").hexes == []
    assert village_hexes(shown, "V0001").hexes == []
