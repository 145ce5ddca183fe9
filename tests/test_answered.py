"""Fails that a new site explains away hinder clearing until as many passes in their hex have answered them since."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest
from conftest import examples
from hypothesis import strategies as st
from measurements import AS_OF, LAT, MORNING, row, rules, silent, table

from coverage import engine, evidence, observations, verdicts

ON_AIR = MORNING + timedelta(days=5)
HERE, THERE = LAT, LAT + 0.02
OLD = 12


def judged(cases: list[list[dict]], mark: str = "before_site") -> pd.DataFrame:
    """The verdict of one place that holds all hexes, a row per case; what came before `ON_AIR` bears the mark."""
    backend = engine.connect()
    rows = [{**one, "operator": f"{case:05d}"} for case, rows in enumerate(cases) for one in rows]
    tests = observations.observe(engine.load(backend, "measurements", table(rows)), rules(), AS_OF)
    cells = tests.select("hex").distinct().execute()["hex"].tolist()
    windows = pd.DataFrame(
        {"hex": cells, "operator": None, "from_utc": MORNING - timedelta(days=90), "until_utc": ON_AIR}
    ).astype({"operator": "string"})
    marked = observations.set_aside(tests, engine.load_frame(backend, "windows", windows), mark).cache()
    place = pa.table({"place_id": pa.array(["here"] * len(cells)), "hex": pa.array(cells, pa.int64())})
    loaded = engine.load(backend, "place_hexes", place)
    found = verdicts.judge(evidence.tests_by_place(marked, loaded, rules()), rules())
    return found.sort_values("operator", ignore_index=True)


def some(kind: object, number: int, day: int, lat: float = HERE, **given: object) -> list[dict]:
    """So many tests, each of a phone of its own."""
    return [
        kind(device=f"{day}-{at}", time_utc=MORNING + timedelta(days=day), lat=lat, **given)  # type: ignore[operator]
        for at in range(number)
    ]


def before(number: int = OLD) -> list[dict]:
    return some(silent, number, day=1)


@pytest.mark.parametrize(("passes", "left"), [(0, OLD), (OLD - 1, 1), (OLD, 0), (OLD + 1, 0)])
def test_each_pass_in_the_hex_since_then_answers_one_fail(passes: int, left: int) -> None:
    one = judged([before() + some(row, passes, day=6)]).iloc[0]
    assert (one["unanswered_tests"], one["pre_change_tests"]) == (left, OLD)
    assert one["verdict"] == ("not_enough_evidence" if passes == 0 else "covered" if left <= 1 else "")


def test_a_village_that_a_new_site_serves_is_covered_once_it_was_measured_again() -> None:
    again = some(row, 2 * OLD, day=6)
    served, elsewhere = judged([some(silent, OLD, day=1) + again, some(silent, OLD, 1, THERE) + again])[
        "verdict"
    ]
    assert served == "covered"
    assert elsewhere == "not_enough_evidence"  # where it failed nobody has been since


@pytest.mark.parametrize(
    "no_answer",
    [
        some(row, OLD, day=6, lat=THERE),  # in another hex
        some(row, OLD, day=2),  # passed before the site went on air: the better half of that time
        some(row, OLD, day=6, positive_only=True),  # nothing else could come from there
        some(silent, OLD, day=6),
    ],
    ids=["elsewhere", "before", "positive only", "fails"],
)
def test_what_answers_no_fail(no_answer: list[dict]) -> None:
    assert judged([before() + no_answer])["unanswered_tests"].tolist() == [OLD]


def test_no_pass_answers_what_an_outage_explains_away() -> None:
    """Whoever names the times of outages could choose just those at which a place failed."""
    one = judged([before() + some(row, 2 * OLD, day=6)], "in_outage").iloc[0]
    assert (one["unanswered_tests"], one["verdict"]) == (OLD, "not_enough_evidence")


def test_thresholds_answer_for_themselves() -> None:
    weak = some(row, OLD, day=6, rsrp_dbm=-112.0)  # passes at -115 and -121, fails at -105
    one = judged([before() + weak]).iloc[0]
    assert one[["unanswered_tests", "unanswered_tests_at_105", "unanswered_tests_at_121"]].tolist() == [
        0,
        OLD,
        0,
    ]


tests_of_a_place = st.lists(
    st.tuples(st.sampled_from(["row", "silent"]), st.sampled_from([1, 6]), st.sampled_from([HERE, THERE])),
    min_size=1,
    max_size=40,
)
cases = st.lists(tests_of_a_place, min_size=8, max_size=15)


@examples(3, 40, cases, st.sampled_from([1, 6]), st.sampled_from([HERE, THERE]))
def test_a_pass_only_answers_and_a_fail_never_clears(
    drawn: list[list[tuple[str, int, float]]], day: int, lat: float
) -> None:
    kinds = {"row": row, "silent": silent}
    plain = [
        [
            kinds[kind](device=f"phone {at}", time_utc=MORNING + timedelta(days=on), lat=where)
            for at, (kind, on, where) in enumerate(case)
        ]
        for case in drawn
    ]
    extra = {"time_utc": MORNING + timedelta(days=day), "lat": lat, "device": "one more"}
    found = judged(
        [*plain, *([*case, row(**extra)] for case in plain), *([*case, silent(**extra)] for case in plain)]
    )
    alone, passed, failed = (
        found.iloc[at * len(plain) : (at + 1) * len(plain)].reset_index() for at in range(3)
    )
    assert (passed["unanswered_tests"] <= alone["unanswered_tests"]).all()
    assert (failed["unanswered_tests"] >= alone["unanswered_tests"]).all()
    assert not ((failed["verdict"] == "covered") & (alone["verdict"] != "covered")).any()
