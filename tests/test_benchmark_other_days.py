"""The benchmark of verdicts on other days: splitting, scoring and intervals on tables whose answer is known."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from datetime import date, timedelta
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import REPOSITORY
from measurements import AS_OF, LAT, MORNING, campaign, row, rules, silent, table
from scipy.stats import beta, binomtest, norm, t

from coverage import engine, evidence, observations, verdicts


def loaded(name: str) -> ModuleType:
    """A file of benchmarks/ as a module, under its own name, as its neighbours import it."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


held_out = loaded("held_out")
other_days = loaded("other_days")
DAYS = [date(2026, 10, 1) + timedelta(days=day) for day in range(4)]


@pytest.mark.parametrize("days", [2, 3, 15, 24, 25, 26, 200])
def test_halves_share_no_day_and_each_day_is_left_out_once(days: int) -> None:
    both = held_out.halves(days, 20, 1, 25)
    groups = min(days, 25)
    assert both.judging.shape == both.scoring.shape == (1 + groups, 20, days)
    assert not (both.judging & both.scoring).any()
    assert (both.judging | both.scoring)[0].all()
    assert (both.judging[0].sum(axis=1) == days // 2).all()
    absent = ~(both.judging | both.scoring)[1:]
    assert (absent == absent[:, :1]).all()  # the same days in every split
    assert (absent[:, 0].sum(axis=0) == 1).all()
    assert np.ptp(absent[:, 0].sum(axis=1)) <= 1


def test_splits_differ_and_the_seed_repeats_them() -> None:
    first, again, other = (held_out.halves(15, 50, seed, 15).judging for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert len(np.unique(first[0], axis=0)) > 40
    assert 0.3 < first[0].mean(axis=0).min() < first[0].mean(axis=0).max() < 0.65


def test_without_repetitions_the_splits_are_the_same() -> None:
    alone, repeated = held_out.halves(15, 8, 1, 0), held_out.halves(15, 8, 1, 15)
    assert alone.judging.shape == (1, 8, 15)
    assert (alone.judging == repeated.judging[:1]).all()
    assert (alone.scoring == repeated.scoring[:1]).all()


def frame_of(outcomes: list[tuple[str, int, int, bool | None, float | None]]) -> pd.DataFrame:
    """The columns that scoring needs, from (operator, hex, day, fails, rsrp_dbm)."""
    frame = pd.DataFrame(outcomes, columns=["operator", "hex", "day", "fails", "rsrp_dbm"])
    frame["local_date"] = [DAYS[day] for day in frame.pop("day")]
    return frame.astype({"fails": object})


def chosen(*days: int) -> np.ndarray:
    """One repetition of one split with those days."""
    return np.isin(np.arange(len(DAYS)), days)[None, None, :]


def test_the_share_of_fails_counts_decided_tests_of_the_chosen_days_only() -> None:
    frame = frame_of(
        [
            ("a", 1, 0, True, None),
            ("a", 1, 1, False, None),
            ("a", 1, 1, True, None),
            ("a", 1, 1, None, None),
            ("a", 2, 3, True, None),
            ("b", 1, 1, False, None),
            ("b", 2, 1, None, None),
        ]
    )
    tests = held_out.tests_of(frame, DAYS)
    assert tests.units == 4
    found = held_out.fail_shares(tests, chosen(1, 2))[:, 0, 0]
    np.testing.assert_array_equal(found, [0.5, np.nan, 0.0, np.nan])
    found = held_out.fail_shares(tests, chosen(0, 1))[:, 0, 0]
    np.testing.assert_allclose(found, [2 / 3, np.nan, 0.0, np.nan])
    for least, scored in ((3, True), (4, False)):
        found = held_out.fail_shares(tests, chosen(0, 1), least)[:, 0, 0]
        assert np.isfinite(found).tolist() == [scored, False, False, False]


@pytest.mark.parametrize(
    ("verdict", "fails", "of", "holds"),
    [
        ("dead_zone", 49, 100, False),
        ("dead_zone", 1, 2, False),
        ("dead_zone", 51, 100, True),
        ("covered", 19, 100, True),
        ("covered", 1, 5, False),
        ("covered", 21, 100, False),
        ("covered", 0, 1, True),
        ("below_standard", 9, 100, False),
        ("below_standard", 1, 10, False),
        ("below_standard", 11, 100, True),
    ],
)
def test_a_verdict_holds_beyond_its_share_and_not_at_it(
    verdict: str, fails: int, of: int, holds: bool
) -> None:
    one = held_out.scores(
        np.full((1, 1, 1), verdict), np.full((1, 1, 1), True), np.full((1, 1, 1), fails / of)
    )
    assert one.said[verdict].tolist() == [1]
    assert one.held[verdict].tolist() == [float(holds)]
    assert [one.said[kind].tolist() for kind in held_out.HOLDS if kind != verdict] == [[0.0], [0.0]]


def test_only_hexes_with_tests_in_both_halves_are_scored() -> None:
    verdict = np.full((3, 1, 2), "dead_zone", dtype="U20")
    verdict[2, 0, 1] = "not_enough_evidence"
    there = np.array([[[True, True]], [[False, True]], [[True, True]]])
    share = np.array([[[1.0, np.nan]], [[1.0, 0.2]], [[0.9, 0.0]]])
    one = held_out.scores(verdict, there, share)
    assert (one.said["dead_zone"].tolist(), one.held["dead_zone"].tolist()) == ([3], [2])
    assert one.hexes == {"dead_zone": 3, "covered": 0, "below_standard": 0}
    assert (one.undecided, one.scored) == (1, 4)


def test_a_hex_is_counted_once_over_splits_and_repetitions_do_not_add_to_it() -> None:
    verdict = np.full((2, 3, 4), "covered", dtype="U20")
    verdict[1, 0] = "not_enough_evidence"  # covered only where days are left out
    one = held_out.scores(verdict, np.full((2, 3, 4), True), np.zeros((2, 3, 4)))
    assert one.said["covered"].tolist() == one.held["covered"].tolist() == [4, 8, 8]
    assert one.hexes["covered"] == 1
    assert (one.undecided, one.scored) == (4, 8)
    both = held_out.pooled([one, one])
    assert both.said["covered"].tolist() == [8, 16, 16]
    assert (both.hexes["covered"], both.undecided, both.scored) == (2, 8, 16)


def repeated(held: list[float], said: list[float]) -> tuple[float, float, int]:
    hexes = int(said[0])
    return (*held_out.interval(np.array(held, dtype=float), np.array(said, dtype=float), hexes), hexes)


def test_without_any_miss_the_interval_is_that_of_the_distinct_hexes() -> None:
    low, high, _ = repeated([100, 99, 98, 99], [100, 99, 98, 99])
    assert (low, high) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    low, high, _ = repeated([0, 0, 0], [100, 99, 99])
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))


def test_hexes_that_each_have_a_day_of_their_own_are_so_many_independent_ones() -> None:
    # 36 of 40 hold; leaving one day out leaves one hex out: the jackknife's variance is p (1 - p) / 39.
    held = [36.0] + [35.0] * 36 + [36.0] * 4
    low, high, _ = repeated(held, [40.0] + [39.0] * 40)
    count = 39 * (norm.ppf(0.975) / t.ppf(0.975, 39)) ** 2
    right = 0.9 * count
    assert low == pytest.approx(beta.ppf(0.025, right, count - right + 1))
    assert high == pytest.approx(beta.ppf(0.975, right + 1, count - right))
    exact = binomtest(36, 40).proportion_ci(method="exact")
    assert (low, high) == (pytest.approx(exact.low, abs=0.02), pytest.approx(exact.high, abs=0.02))


def test_hexes_that_share_their_days_are_fewer_than_they_look() -> None:
    # 40 hexes on 4 days; all misses on one of them.
    together = repeated([36, 27, 27, 27, 26 + 1], [40, 30, 30, 30, 30])
    one_bad_day = repeated([36, 26, 26, 26, 30], [40, 30, 30, 30, 30])
    assert one_bad_day[0] < together[0] < 0.9 < together[1] <= one_bad_day[1]


def test_one_repetition_alone_knows_nothing_of_the_spread() -> None:
    assert repeated([9], [10])[:2] == (0.0, 1.0)
    assert repeated([9, 9, 0], [10, 10, 0])[:2] == (0.0, 1.0)  # without that day there was no verdict


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ([-100.1], "dead_zone"),
        ([-100.0], "covered"),
        ([-99.9], "covered"),
        ([-120.0, -90.0], "dead_zone"),
        ([-120.0, -80.0, None], "covered"),
        ([None], "not_enough_evidence"),
    ],
)
def test_the_mean_rsrp_is_held_against_the_threshold(levels: list[float | None], verdict: str) -> None:
    tests = held_out.tests_of(frame_of([("a", 1, 0, None, level) for level in levels]), DAYS)
    assert held_out.by_mean_rsrp(tests, chosen(0, 1), -100).tolist() == [[[verdict]]]


def test_any_fail_of_the_chosen_days_makes_it_dead() -> None:
    frame = frame_of(
        [("a", 1, 0, False, None), ("a", 1, 1, True, None), ("a", 2, 0, None, None), ("a", 2, 1, False, None)]
    )
    tests = held_out.tests_of(frame, DAYS)
    assert held_out.by_any_fail(tests, chosen(0))[:, 0, 0].tolist() == ["covered", "covered"]
    assert held_out.by_any_fail(tests, chosen(0, 1))[:, 0, 0].tolist() == ["dead_zone", "covered"]


def made_tests() -> pd.DataFrame:
    """Observations of four hexes on six days: dead, covered, mixed, and one with few tests."""
    far = 0.05
    rows = [
        *campaign(silent, devices=3, days=6),
        *campaign(row, devices=3, days=6, lat=LAT + far),
        *campaign(row, devices=3, days=3, lat=LAT + 2 * far, rsrp_dbm=-130.0),
        *campaign(row, devices=3, days=6, lat=LAT + 2 * far),
        *[one | {"time_utc": MORNING + timedelta(days=4)} for one in [row(lat=LAT + 3 * far)]],
    ]
    loaded = engine.load(engine.connect(), "measurements", table(rows))
    return observations.observe(loaded, rules(), AS_OF).execute()


def test_judging_all_splits_together_is_judging_each_alone() -> None:
    frame = made_tests()
    days = sorted(frame["local_date"].unique())
    tests = held_out.tests_of(frame, days)
    # No day at all; three days; all days, where the hex measured on one day only stays as it was.
    masks = np.array(
        [[0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]], dtype=bool
    )
    (found,) = held_out.judged(tests, masks.reshape(2, 2, 6), [rules()])
    assert not (found["case"] == 0).any()
    for case in (1, 2, 3):
        part = frame[masks[case][tests.day]]
        alone = alone_judged(part).assign(unit=lambda judged: judged["place_id"].map(units_of(frame, tests)))
        mine = found[found["case"] == case].set_index("unit").sort_index()
        columns = ["verdict", "p_dead", "p_covered"]
        pd.testing.assert_frame_equal(
            mine[columns], alone.set_index("unit").sort_index()[columns], check_dtype=False
        )


def alone_judged(frame: pd.DataFrame) -> pd.DataFrame:
    part = engine.load_frame(engine.connect(), "tests", frame)
    return verdicts.judge(evidence.tests_by_place(part, evidence.hexes_as_places(part), rules()), rules())


def units_of(frame: pd.DataFrame, tests: object) -> dict[str, int]:
    return dict(zip(frame["hex"].astype(str), tests.unit.tolist(), strict=True))


def test_made_tests_hold_more_than_one_verdict() -> None:
    frame = made_tests()
    tests = held_out.tests_of(frame, sorted(frame["local_date"].unique()))
    (found,) = held_out.judged(tests, np.full((1, 1, 6), True), [rules()])
    assert {"dead_zone", "covered"} < set(found["verdict"])
    whole = held_out.spread(found, (tests.units + 1, 1, 1))
    assert whole[-1, 0, 0] == "not_enough_evidence"
    assert whole[:-1, 0, 0].tolist() == found.sort_values("unit")["verdict"].tolist()


def test_one_threshold_holds_for_all_technologies_and_the_headline_alone() -> None:
    changed = other_days.at_threshold(rules(), -100, 8)
    assert set(changed.thresholds_dbm.at("headline").values()) == {-100}
    assert changed.thresholds_dbm.at("at_105") == rules().thresholds_dbm.at("at_105")
    assert (changed.hex_resolution, changed.evidence) == (8, rules().evidence)


def test_only_uploads_that_move_count() -> None:
    speeds = {
        "parked": [0.0, 0.0, 20.0],
        "slow": [1.0, 1.0, 1.0],
        "moving": [0.0, 1.1, 9.0],
        "unknown": [None],
    }
    rows = [
        row(upload_id=name, speed_mps=speed, line=line, time_utc=MORNING + timedelta(seconds=line))
        for name, seen in speeds.items()
        for line, speed in enumerate(seen, start=2)
    ]
    kept = other_days.driving(table(rows))
    assert kept["upload_id"].to_pylist() == ["moving"] * 3


@pytest.mark.parametrize(("hexes", "mark"), [(99, "*"), (100, " "), (101, " ")])
def test_few_hexes_are_marked(hexes: int, mark: str) -> None:
    counts = {kind: np.zeros(3) for kind in held_out.HOLDS} | {"covered": np.full(3, 4.0 * hexes)}
    one = held_out.Scores(counts, counts, dict.fromkeys(held_out.HOLDS, hexes), 0.0, 1.0)
    low = 0.025 ** (1 / hexes)
    assert other_days.cell(one, "covered") == f"1.000 [{low:.2f}-1.00] {4 * hexes} of {hexes}{mark}"
    assert other_days.cell(one, "dead_zone") == "-"


def test_stated_probabilities_stand_beside_what_holds(tmp_path: object) -> None:
    stated = pd.DataFrame(
        {"p_dead": [0.96, 0.97, 0.01, 0.5], "p_covered": [0.0, 0.0, 0.99, 1.0], "share": [1.0, 0.5, 0.0, 0.2]}
    )
    dead = other_days.reliability(stated, "p_dead")
    assert dead["count"].tolist() == [1, 1, 2]
    assert dead["stated"].tolist() == pytest.approx([0.01, 0.5, 0.965])
    assert dead["holds"].tolist() == [0.0, 0.0, 0.5]
    covered = other_days.reliability(stated, "p_covered")
    assert (covered["count"].tolist(), covered["holds"].tolist()) == ([2, 2], [0.0, 0.5])
    path = tmp_path / "picture.png"
    other_days.draw({"made": stated}, path)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def drives(measurements: pa.Table) -> object:
    return other_days.Drives("made", measurements, rules(), AS_OF, (-110,), splits=4)


def test_a_whole_run_on_made_drives(capsys: pytest.CaptureFixture[str]) -> None:
    rows = campaign(silent, devices=3, days=8) + campaign(row, devices=3, days=8, lat=LAT + 0.05)
    stated = other_days.report(drives(table(rows)), 1)
    printed = capsys.readouterr().out
    assert "hexes of resolution 8, 4 splits" in printed
    assert "hexes of resolution 9, 4 splits" in printed
    ours = [line for line in printed.splitlines() if " ours " in line]
    assert len(ours) == 4  # one threshold and all of them, twice
    assert all(line.count("1.000") >= 2 for line in ours)
    assert (stated.loc[stated["share"] == 1.0, "p_dead"] > 0.9).all()
    assert (stated.loc[stated["share"] == 0.0, "p_covered"] > 0.5).all()


def test_drives_of_one_day_have_no_other_days() -> None:
    with pytest.raises(SystemExit, match="at least two"):
        other_days.report(drives(table(campaign(row, days=1))), 1)


@pytest.mark.realdata
@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize(
    "only",
    [
        pytest.param(None, id="all technologies", marks=pytest.mark.soak),
        pytest.param(["LTE", "NR"], id="LTE and NR"),
    ],
)
def test_verdicts_of_real_drives_hold_on_other_days(only: list[str] | None) -> None:
    # As many splits as the command takes, so that its figures are the ones asserted; no repetition: no interval.
    real = other_days.real_drives(other_days.CORK, "Europe/Dublin", splits=100, only=only)
    real = dataclasses.replace(real, groups=0)
    found = [other_days.outcome(real, limit, 9, 1).by_rule for limit in real.thresholds_dbm]
    ours, counting = (held_out.pooled(one[rule] for one in found) for rule in ("ours", "counting only"))
    assert ours.held["covered"][0] / ours.said["covered"][0] >= 0.95
    assert ours.undecided < counting.undecided
    if only:
        # With all technologies 0.88 to 0.92, as the splits fall, of some 33 hexes: no target can bind there.
        assert ours.held["dead_zone"][0] / ours.said["dead_zone"][0] >= 0.9
