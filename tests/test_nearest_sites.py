"""The nearest sites of the operator to where a village is dead."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measurements import rules
from pyproj import Geod

from coverage.nearest_sites import nearest_sites

EARTH = Geod(ellps="WGS84")
AS_OF = date(2026, 11, 1)
HERE = (11.94, 108.44)


def site(site_id: str, north: float = 0.0, **given: Any) -> dict[str, Any]:
    values = {"site_id": site_id, "operator": "45204", "lat": HERE[0] + north, "lon": HERE[1]}
    return values | {"height_m": None, "planned": False, "on_air": None} | given


def near(
    *sites: dict[str, Any], dead: tuple[float | None, float | None] = HERE, operator: str = "45204"
) -> Any:
    listed = pd.DataFrame(list(sites), columns=list(site("x")))
    rows = pd.DataFrame(
        {"village_id": ["V"], "operator": [operator], "lat": [dead[0]], "lon": [dead[1]]}, index=[7]
    )
    found = nearest_sites(rows.astype({"lat": float, "lon": float}), listed, AS_OF, None, rules().ground)
    assert found.index.tolist() == [7]
    assert found[["village_id", "operator"]].to_numpy().tolist() == [["V", operator]]
    row = found.astype(object).where(found.notna(), None).iloc[0]
    assert row["site_terrain_blocks"] is None
    return row


def test_the_nearest_of_the_operators_own_sites_with_its_distance() -> None:
    row = near(
        site("far", 0.05),
        site("near", 0.02),
        site("theirs", 0.01, operator="45201"),
        site("nobodys", 0.0, operator=None),
    )
    assert row["site_id"] == "near"
    assert row["site_distance_km"] == pytest.approx(
        EARTH.inv(HERE[1], HERE[0], HERE[1], HERE[0] + 0.02)[2] / 1000
    )
    assert row[["planned_site_id", "planned_site_distance_km", "planned_on_air"]].tolist() == [None] * 3


@pytest.mark.parametrize(
    ("given", "is_on_air"),
    [
        ({}, True),
        ({"on_air": date(2026, 10, 31)}, True),
        ({"on_air": AS_OF}, True),
        ({"on_air": date(2026, 11, 2)}, False),
        ({"planned": True}, False),
        ({"planned": True, "on_air": date(2026, 1, 1)}, False),
        ({"planned": True, "on_air": date(2027, 1, 1)}, False),
    ],
)
def test_a_site_is_on_air_once_its_day_has_come_and_no_plan_is(given: dict, is_on_air: bool) -> None:
    row = near(site("S", 0.02, **given), site("later", 0.9, planned=True), site("now", 0.9))
    assert (row["site_id"], row["planned_site_id"]) == (("S", "later") if is_on_air else ("now", "S"))
    assert row["planned_on_air"] == (None if is_on_air else given.get("on_air"))


def test_the_cells_of_one_mast_are_one_site() -> None:
    plan = {"planned": True, "operator": "45204"}
    row = near(
        *(site(name, 0.02) for name in ("45204-LTE-2", "45204-LTE-1")),
        *(site(name, 0.03, on_air=day, **plan) for name, day in (("b", None), ("a", date(2027, 3, 31)))),
    )
    assert (row["site_id"], row["planned_site_id"], row["planned_on_air"]) == (
        "45204-LTE-1",
        "a",
        date(2027, 3, 31),
    )


def test_where_nothing_is_known_nothing_is_said() -> None:
    for row in (near(), near(site("S"), operator="45201"), near(site("S"), dead=(None, None))):
        assert row.drop(["village_id", "operator"]).tolist() == [None] * 6


spots = st.tuples(st.floats(10.5, 13.0), st.floats(107.0, 109.0))


@settings(max_examples=60, deadline=None)
@given(st.lists(spots, min_size=1, max_size=25), st.lists(spots, min_size=1, max_size=10), st.randoms())
def test_no_listed_site_is_nearer(masts: list, dead: list, shuffler: Any) -> None:
    sites = pd.DataFrame([site(f"S{number}", lat=lat, lon=lon) for number, (lat, lon) in enumerate(masts)])
    rows = pd.DataFrame(
        [{"village_id": f"V{n}", "operator": "45204", "lat": a, "lon": o} for n, (a, o) in enumerate(dead)]
    )
    found = nearest_sites(rows, sites, AS_OF, None, rules().ground)
    for (lat, lon), distance_km in zip(dead, found["site_distance_km"], strict=True):
        every = EARTH.inv([lon] * len(masts), [lat] * len(masts), sites["lon"], sites["lat"])[2]
        assert distance_km == pytest.approx(np.min(every) / 1000, abs=1e-5)
    mixed = sites.iloc[shuffler.sample(range(len(sites)), len(sites))]
    again = nearest_sites(rows.iloc[::-1], mixed, AS_OF, None, rules().ground).sort_index()
    np.testing.assert_allclose(again["site_distance_km"], found["site_distance_km"], rtol=0, atol=1e-5)


def test_dates_as_parquet_gives_them_back_are_dates() -> None:
    sites = pd.DataFrame([site("S", 0.02), site("P", 0.03)]).assign(
        on_air=pd.to_datetime([None, "2026-12-31"])
    )
    rows = pd.DataFrame({"village_id": ["V"], "operator": ["45204"], "lat": [HERE[0]], "lon": [HERE[1]]})
    (row,) = nearest_sites(rows, sites, AS_OF, None, rules().ground).itertuples()
    assert (row.site_id, row.planned_site_id, row.planned_on_air) == ("S", "P", date(2026, 12, 31))
