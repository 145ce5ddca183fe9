"""Where to measure next: powered and untested first, then people times the chance that something is found dead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverage import surveys

DEFAULTS = {
    "operator": "45204",
    "list": "need_measurement",
    "status": "chua_du_bang_chung",
    "electrified": None,
    "centre_verdict": "not_enough_evidence",
    "households": 100.0,
    "population": np.nan,
    "tests": 0,
    "fails": 0,
    "effective_tests": 0.0,
}


def villages(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([DEFAULTS | {"village_id": f"V{i}"} | row for i, row in enumerate(rows)])


def place(village: int, name: str = "centre", verdict: str = "no_data", **given) -> dict[str, object]:
    kind = "centre" if name == "centre" else "cluster"
    about = {"place_id": f"V{village}/{name}", "village_id": f"V{village}", "operator": "45204", "kind": kind}
    return about | {"verdict": verdict} | given


def ranking(rows, places=(), chances=None) -> pd.DataFrame:
    """`chances`: place_id → p_below of each of its predicted hexes."""
    chances = chances or {}
    pooled = [
        (place_id, hash(place_id) % 10**9 * 10 + i)
        for place_id, each in chances.items()
        for i in range(len(each))
    ]
    cells = pd.DataFrame(pooled, columns=["place_id", "hex"]).astype({"hex": "int64"})
    p_below = [p for each in chances.values() for p in each]
    predicted = cells[["hex"]].assign(operator="45204", p_below=np.array(p_below, dtype=float))
    place_rows = pd.DataFrame(list(places), columns=["place_id", "village_id", "operator", "kind", "verdict"])
    return surveys.survey_ranking(rows, place_rows, cells, predicted)


def order(ranked: pd.DataFrame) -> list[str]:
    return ranked.sort_values("survey_rank")["village_id"].tolist()


def test_only_villages_that_need_measuring_are_ranked():
    found = ranking(villages({}, {"list": "gaps"}, {"list": None}))
    assert order(found) == ["V0"]
    assert found["survey_rank"].tolist() == [1]


def test_likely_dead_before_open_before_served_for_as_many_people():
    places = [place(i) for i in range(4)]
    chances = {"V0/centre": [0.02], "V1/centre": [0.5], "V2/centre": [0.97]}
    assert order(ranking(villages({}, {}, {}, {}), places, chances)) == ["V2", "V1", "V3", "V0"]


def test_many_people_of_open_outcome_before_few_that_are_likely_dead():
    rows = villages({"households": 30.0}, {"households": 100.0})
    found = ranking(rows, [place(0), place(1)], {"V0/centre": [0.95], "V1/centre": [0.5]})
    assert order(found) == ["V1", "V0"]


def test_a_powered_village_that_nobody_tested_at_its_centre_comes_first():
    rows = villages(
        {"households": 900.0},
        {"electrified": True, "centre_verdict": "no_data", "households": 10.0},
        {"electrified": True, "households": 900.0},
        {"electrified": None, "centre_verdict": "no_data", "households": 900.0},
    )
    assert order(ranking(rows, [place(i) for i in range(4)]))[0] == "V1"


def test_where_the_centre_is_not_known_a_test_anywhere_counts():
    untested = {"electrified": True, "centre_verdict": "no_data", "households": 1.0}
    rows = villages({}, untested | {"status": "chua_co_du_lieu"}, untested)
    assert order(ranking(rows, [place(1, "c/1"), place(2, "c/1")])) == ["V1", "V0", "V2"]


def test_the_worst_undecided_place_speaks_for_the_village():
    places = [place(0), place(0, "c/1"), place(0, "c/2", "covered")]
    chances = {"V0/centre": [0.2, 0.4], "V0/c/1": [0.6, 0.8], "V0/c/2": [0.99]}
    assert ranking(villages({}), places, chances)["predicted_p_below"].tolist() == pytest.approx([0.7])


def test_nothing_predicted_leaves_the_chance_missing():
    assert ranking(villages({}), [place(0)])["predicted_p_below"].isna().all()


def test_tests_weigh_more_than_a_prediction():
    tested = {"tests": 6, "effective_tests": 4.0}
    rows = villages(tested | {"fails": 0}, tested | {"fails": 6})
    found = ranking(rows, [place(0), place(1)], {"V0/centre": [0.95], "V1/centre": [0.05]})
    assert order(found) == ["V1", "V0"]


def test_people_stand_in_for_households_and_the_median_for_neither():
    rows = villages(
        {"households": 100.0, "population": 400.0},
        {"households": np.nan, "population": 800.0},
        {"households": np.nan},
        {"households": 50.0},
    )
    # 4 people per household: 100, 200, the median 100, 50; equal ones by id.
    assert order(ranking(rows)) == ["V1", "V0", "V2", "V3"]


@given(st.permutations(range(6)), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_ranks_have_no_ties_and_no_order_of_rows(shuffled, chances):
    rows = villages(*[{"households": float(50 + 10 * (i % 3))} for i in range(6)])
    places = [place(i) for i in range(6)]
    chances = {f"V{i}/centre": [p] for i, p in enumerate(chances)}
    found = ranking(rows, places, chances)
    assert sorted(found["survey_rank"]) == list(range(1, 7))
    assert order(ranking(rows.iloc[list(shuffled)], places, chances)) == order(found)


def test_settled_hexes_are_predicted_and_those_of_places_where_none_is_known():
    pairs = pd.DataFrame(
        {"village_id": ["A", "A", "B", "C"], "hex": [1, 2, 3, 4], "settled": [True, False, False, None]}
    )
    pooled = pd.DataFrame(
        {"place_id": ["A/centre", "A/centre", "B/centre", "C/c/1", "D/centre"], "hex": [1, 9, 3, 5, 7]}
    )
    places = pooled[["place_id"]].assign(village_id=pooled["place_id"].str[0])
    assert surveys.hexes_to_predict(pairs, places, pooled).tolist() == [1, 3, 5, 7]
