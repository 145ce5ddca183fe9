"""Declared coverage held against tests: how far a map holds, and whether a dead village is on it."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from conftest import examples
from hypothesis import strategies as st
from measurements import LAT, LON, MORNING, campaign, observe, row, rules, silent
from scipy.stats import beta

from coverage import claims, engine, hexes, tables
from coverage.projections import equal_area

VIETTEL, MOBIFONE = "45204", "45201"
# Two communes side by side: the line between them runs through LON + 0.02.
COMMUNES = gpd.GeoDataFrame(
    {"commune_code": ["00001", "00002"], "commune_name": ["Xã Một", "Xã Hai"], "source": "synthetic"},
    geometry=[
        shapely.box(LON - 0.02, LAT - 0.02, LON + 0.02, LAT + 0.02),
        shapely.box(LON + 0.02, LAT - 0.02, LON + 0.06, LAT + 0.02),
    ],
    crs="EPSG:4326",
)
WEST, EAST = LON, LON + 0.04  # the middle of each commune
FEW, MANY = 3, 60


def declared(*areas: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"operator": [operator for operator, _ in areas], "technology": None, "as_of": None, "source": "x"},
        geometry=[area for _, area in areas],
        crs="EPSG:4326",
    )


def around(lon: float, degrees: float = 0.01) -> shapely.Geometry:
    return shapely.box(lon - degrees, LAT - degrees, lon + degrees, LAT + degrees)


def held(
    observations: pd.DataFrame, claim: gpd.GeoDataFrame, communes: gpd.GeoDataFrame = COMMUNES
) -> pd.DataFrame:
    """The reliability of that claim by operator and commune ("" = all), checked against its contract."""
    backend = engine.connect()
    tests = engine.load(
        backend, "tests", pa.Table.from_pandas(observations, schema=tables.schema(tables.OBSERVATIONS))
    )
    ground = claims.declared_hexes(claim, 9)
    found = tables.check_frame(
        tables.RELIABILITY, claims.reliability(tests, backend, ground, communes, rules())
    )
    together = found["commune_code"].isna()
    assert found.loc[together, "commune_name"].isna().all()
    found["commune_code"] = found["commune_code"].fillna("")
    return found.astype(object).where(found.notna(), None).set_index(["operator", "commune_code"])


def passing(**given) -> list[dict]:
    return campaign(row, **({"spots": 1, "seconds": 1} | given))


def failing(**given) -> list[dict]:
    return campaign(silent, **({"spots": 1, "seconds": 1} | given))


def test_declared_hexes_are_those_whose_middle_lies_in_the_area_each_once() -> None:
    found = claims.declared_hexes(
        declared((VIETTEL, around(WEST)), (VIETTEL, around(WEST + 0.005)), (MOBIFONE, around(EAST))), 9
    )
    assert not found.duplicated().any()
    assert found.groupby("operator").size().index.tolist() == [MOBIFONE, VIETTEL]
    lat, lon = hexes.middles(found["hex"].to_numpy())
    own = {VIETTEL: shapely.union(around(WEST), around(WEST + 0.005)), MOBIFONE: around(EAST)}
    inside = [
        own[o].intersects(shapely.Point(x, y)) for o, x, y in zip(found["operator"], lon, lat, strict=True)
    ]
    assert all(inside)
    # 4.8 km² of hexes of 0.12 km².
    assert 38 <= (found["operator"] == MOBIFONE).sum() <= 43


def test_passes_and_fails_inside_the_map_are_counted_per_commune_and_together() -> None:
    rows = passing(devices=3, days=2, lon=WEST) + failing(devices=2, days=1, lon=EAST)
    found = held(observe(rows), declared((VIETTEL, around(WEST)), (VIETTEL, around(EAST))))
    assert found.index.tolist() == [(VIETTEL, ""), (VIETTEL, "00001"), (VIETTEL, "00002")]
    counts = found[["tests", "passes", "devices", "dates", "pass_share"]].to_numpy().tolist()
    assert counts == [[8, 6, 3, 2, 0.75], [6, 6, 3, 2, 1.0], [2, 0, 2, 1, 0.0]]
    assert found["commune_name"].tolist() == [None, "Xã Một", "Xã Hai"]
    assert set(found["operator_name"]) == {"Viettel"}
    # m tests of one phone count as m / (1 + 0.3 (m - 1)).
    expected = [2 * 3 / 1.6 + 2 / 1.3, 3 * 2 / 1.3, 2.0]
    assert found["effective_tests"].tolist() == pytest.approx(expected)


def test_what_lies_outside_the_map_or_is_anothers_never_counts() -> None:
    inside = passing(lon=WEST)
    outside = failing(lon=EAST, devices=4)
    others = failing(lon=WEST, operator=MOBIFONE, devices=4)
    claim = declared((VIETTEL, around(WEST)))
    pd.testing.assert_frame_equal(
        held(observe(inside), claim), held(observe(inside + outside + others), claim)
    )


def test_where_nothing_was_tested_nothing_has_failed() -> None:
    found = held(observe(passing(lon=WEST)), declared((VIETTEL, around(WEST)), (VIETTEL, around(EAST))))
    untested = found.loc[(VIETTEL, "00002")]
    assert (
        untested[["tests", "passes", "effective_tests", "devices", "dates", "tested_km2"]].tolist() == [0] * 6
    )
    assert untested[["pass_share", "low_share", "high_share"]].tolist() == [None] * 3
    assert untested["declared_km2"] > 4


def test_a_test_that_is_undecided_or_fell_into_an_outage_is_none() -> None:
    observations = observe(failing(lon=WEST)).assign(
        fails=pd.Series([None] * 4, dtype=object), in_outage=True
    )
    found = held(observations, declared((VIETTEL, around(WEST))))
    assert found[["tests", "pass_share", "tested_km2"]].to_numpy().tolist() == [[0, None, 0.0]] * 2


def test_areas_are_those_of_the_hexes_and_communes_add_up_to_all() -> None:
    claim = declared((VIETTEL, shapely.union(around(WEST, 0.015), around(EAST, 0.03))))
    found = held(observe(passing(lon=WEST)), claim)
    assert found["declared_km2"].iloc[0] == pytest.approx(found["declared_km2"].iloc[1:].sum(), rel=1e-12)
    assert found["tested_km2"].tolist() == pytest.approx([found["tested_km2"].iloc[1]] * 2 + [0.0])
    own = gpd.GeoDataFrame(geometry=claim.geometry.intersection(COMMUNES.union_all()), crs="EPSG:4326")
    assert found["declared_km2"].iloc[0] == pytest.approx(
        own.to_crs(equal_area(own)).area.sum() / 1e6, rel=0.03
    )
    one = hexes.polygons([hexes.of_point(LAT, WEST, 9)])
    one_km2 = gpd.GeoSeries(one, crs="EPSG:4326").to_crs(equal_area(own)).area.iloc[0] / 1e6
    assert found["tested_km2"].iloc[0] == pytest.approx(one_km2, rel=1e-6)


def test_without_communes_the_whole_map_is_one() -> None:
    found = held(observe(passing(lon=WEST)), declared((VIETTEL, around(WEST))), COMMUNES.iloc[:0])
    assert found.index.tolist() == [(VIETTEL, "")]
    assert found["tests"].tolist() == [4]


def test_a_map_of_another_province_keeps_a_row_of_no_ground() -> None:
    found = held(observe(passing(lon=WEST)), declared((VIETTEL, around(105.0)), (MOBIFONE, around(WEST))))
    assert found.loc[(VIETTEL, "")][["declared_km2", "tests", "pass_share"]].tolist() == [0.0, 0, None]
    assert (MOBIFONE, "00001") in found.index
    alone = held(observe(passing(lon=WEST)), declared((VIETTEL, around(105.0))))
    assert alone["declared_km2"].tolist() == [0.0]


def test_no_map_at_all_gives_no_row() -> None:
    assert held(observe(passing(lon=WEST)), declared()).empty


@pytest.mark.parametrize(("passes", "fails"), [(9, 1), (0, 5), (40, 2), (2.7, 0.4), (0, 0)])
def test_the_interval_is_jeffreys(passes: float, fails: float) -> None:
    low, high = claims.interval(np.array([passes]), np.array([fails]))
    expected = beta(passes + 0.5, fails + 0.5).ppf([0.025, 0.975])
    assert [low[0], high[0]] == pytest.approx(expected.tolist(), rel=1e-9)


def test_the_interval_of_phones_that_test_once_is_that_of_their_number() -> None:
    rows = [
        (row if number < 17 else silent)(
            device=f"phone-{number}", lon=WEST, time_utc=MORNING + timedelta(days=number)
        )
        for number in range(20)
    ]
    found = held(observe(rows), declared((VIETTEL, around(WEST)))).iloc[0]
    assert found["effective_tests"] == pytest.approx(20)
    assert [found["low_share"], found["high_share"]] == pytest.approx(
        beta(17.5, 3.5).ppf([0.025, 0.975]).tolist()
    )


def test_one_phone_that_repeats_itself_does_not_narrow_the_interval() -> None:
    once = passing(devices=5, days=1, lon=WEST)
    often = once + passing(devices=1, days=30, lon=WEST)
    claim = declared((VIETTEL, around(WEST)))
    few, many = held(observe(once), claim).iloc[0], held(observe(often), claim).iloc[0]
    assert many["tests"] == 34
    assert many["effective_tests"] < 8
    assert few["low_share"] < many["low_share"] < beta(34.5, 0.5).ppf(0.025) - 0.1


def test_the_plain_share_always_lies_in_its_interval() -> None:
    # Thirty passes of one phone weigh little more than three and those of two others two: a share of 0.6.
    rows = passing(devices=1, days=30, lon=WEST) + [
        silent(device=name, lon=WEST) for name in ("phone-x", "phone-y")
    ]
    found = held(observe(rows), declared((VIETTEL, around(WEST)))).iloc[0]
    assert found["high_share"] == found["pass_share"] == pytest.approx(30 / 32)
    assert found["low_share"] < 0.4


tries = st.lists(
    st.builds(
        lambda device, day, spot, passes, lon: (row if passes else silent)(
            device=device, time_utc=MORNING + timedelta(days=day), lat=LAT + 0.002 * spot, lon=lon
        ),
        device=st.sampled_from(["a", "b", "c", "unknown"]),
        day=st.integers(0, 20),
        spot=st.integers(-2, 2),
        passes=st.booleans(),
        lon=st.sampled_from([WEST, EAST]),
    ),
    min_size=1,
    max_size=40,
)


@examples(FEW, MANY, tries, tries, st.randoms(use_true_random=False))
def test_neither_order_nor_what_lies_outside_changes_anything(
    rows: list, beyond: list, shuffler: random.Random
) -> None:
    claim = declared((VIETTEL, around(WEST)), (VIETTEL, around(EAST)), (MOBIFONE, around(EAST)))
    # Out there, LAT + 0.015 and more, is a commune without any claim; nor has anybody a claim for VinaPhone.
    away = [one | {"lat": one["lat"] + 0.019} for one in beyond] + [
        one | {"operator": "45202"} for one in beyond
    ]
    before = observe(rows)
    after = observe(rows + away)
    mixed = after.iloc[shuffler.sample(range(len(after)), len(after))]
    pd.testing.assert_frame_equal(held(before, claim), held(mixed, claim.iloc[::-1]))


@examples(FEW, MANY, tries)
def test_shares_and_areas_stay_within_one_another(rows: list) -> None:
    found = held(observe(rows), declared((VIETTEL, around(WEST)), (VIETTEL, around(EAST))))
    tested = found[found["tests"] > 0].astype({"low_share": float, "pass_share": float, "high_share": float})
    assert (tested["low_share"] <= tested["pass_share"]).all()
    assert (tested["pass_share"] <= tested["high_share"]).all()
    assert (found["tested_km2"] <= found["declared_km2"]).all()
    assert ((found["tests"] > 0) == (found["tested_km2"] > 0)).all()
    assert found["tests"].iloc[0] == found["tests"].iloc[1:].sum()


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    # Phones of very unequal zeal, whose tests agree with a correlation of 0.3 (the criteria's own).
    rng = np.random.default_rng(20261101)
    truth, rho, held_it, as_if_apart = 0.9, rules().evidence.rho, [], []
    for _ in range(2000):
        sizes = rng.geometric(0.15, size=12)
        level = rng.beta(truth * (1 - rho) / rho, (1 - truth) * (1 - rho) / rho, size=12)
        passes = rng.binomial(sizes, level)
        weight = 1 / (1 + (sizes - 1) * rho)
        low, high = claims.interval((passes * weight).sum(), ((sizes - passes) * weight).sum())
        share = passes.sum() / sizes.sum()
        held_it.append(min(low, share) <= truth <= max(high, share))
        low, high = claims.interval(passes.sum(), (sizes - passes).sum())
        as_if_apart.append(low <= truth <= high)
    assert 0.93 <= np.mean(held_it) <= 0.98
    # Were each test a witness of its own, every third interval would miss.
    assert np.mean(as_if_apart) < 0.75


def place(place_id: str, kind: str, lon: float | None) -> dict:
    return {
        "place_id": place_id,
        "village_id": place_id.partition("/")[0],
        "kind": kind,
        "lat": LAT,
        "lon": lon,
    }


def village(village_id: str, status: str, dead: str, operator: str = VIETTEL) -> dict:
    return {"village_id": village_id, "operator": operator, "status": status, "dead_places": dead}


def answers(
    villages: list[dict], places: list[dict], claim: gpd.GeoDataFrame, pooled=(), measured=()
) -> list:
    found = claims.claimed(
        pd.DataFrame(villages, index=range(100, 100 + len(villages))),
        pd.DataFrame(places).astype({"lon": float}),
        claim,
        pd.DataFrame(list(pooled), columns=["place_id", "hex"]).astype({"hex": np.int64}),
        pd.DataFrame(list(measured), columns=["hex", "operator", "tests", "fails"]).astype({"hex": np.int64}),
    )
    assert found.index.tolist() == list(range(100, 100 + len(villages)))
    return found.tolist()


def test_a_dead_village_is_claimed_where_a_dead_point_lies_in_the_operators_own_map() -> None:
    places = [place("V/centre", "centre", WEST), place("V/c/k1", "cluster", EAST)]
    claim = declared((VIETTEL, around(EAST)), (MOBIFONE, around(WEST)))
    villages = [
        village("V", "trang_song", "V/centre"),
        village("W", "lom_song", "V/c/k1"),
        village("X", "trang_song", "V/centre;V/c/k1"),
        village("V", "trang_song", "V/centre", MOBIFONE),
        village("V", "trang_song", "V/centre", "45202"),
        village("W", "phu_song", "", MOBIFONE),
        village("X", "chua_co_du_lieu", "", MOBIFONE),
    ]
    alone = [answers([one], places, claim)[0] for one in villages]
    assert alone == [False, True, True, True, None, None, None]
    assert answers(villages, places, claim) == alone


def test_a_point_on_the_border_of_the_map_is_claimed() -> None:
    claim = declared((VIETTEL, shapely.box(WEST, LAT, WEST + 0.01, LAT + 0.01)))
    assert answers([village("V", "trang_song", "V/centre")], [place("V/centre", "centre", WEST)], claim) == [
        True
    ]


@pytest.mark.parametrize(("kind", "place_id"), [("settled", "V/s/1"), ("polygon", "V/polygon")])
def test_a_place_of_many_hexes_is_claimed_where_one_of_its_failing_hexes_is(kind: str, place_id: str) -> None:
    here, there = (hexes.of_point(LAT, lon, 9) for lon in (WEST, EAST))
    pooled = [(place_id, here), (place_id, there)]
    places = [place(place_id, kind, WEST if kind == "settled" else None)]
    dead = [village("V", "lom_song", place_id)]
    claim = declared((VIETTEL, around(EAST)))
    both = [(here, VIETTEL, 4, 4), (there, VIETTEL, 4, 3)]
    assert answers(dead, places, claim, pooled, both) == [True]
    passing_there = [(here, VIETTEL, 4, 4), (there, VIETTEL, 4, 1), (there, MOBIFONE, 4, 4)]
    assert answers(dead, places, claim, pooled, passing_there) == [False]
    assert answers(dead, places, declared((MOBIFONE, around(EAST))), pooled, both) == [None]


@pytest.mark.realdata
def test_a_map_of_the_whole_province_has_its_area(real_data: Path) -> None:
    file = real_data / "boundaries" / "lamdong_2025_communes_124_simplified.geojson"
    real = gpd.read_file(file).rename(columns={"code": "commune_code", "name": "commune_name"})
    found = held(observe(passing(lon=WEST)), declared((VIETTEL, real.union_all())), real)
    assert len(found) == 125
    # The hexes whose middle lies in a commune have its area but for the border's half hexes.
    whole_km2, geodesic_km2 = found["declared_km2"].iloc[0], real["area_km2_geod"].sum()
    assert whole_km2 == pytest.approx(geodesic_km2, rel=1e-3)
