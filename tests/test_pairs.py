"""Pairs by sums over groups are the pairs that one would write down."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage.pairs import RESAMPLES, Pairs, half_squares, pairs_within

VALUE = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(-60, 60))
ONE_PLACE = ["operator", "place"]


def frame(rows: list[tuple[int, int, int, int]], place: int = 0) -> pd.DataFrame:
    """Single tests of one place: device, block, spot, level."""
    found = pd.DataFrame(rows, columns=["device", "block", "spot", "level"]).astype({"level": float})
    return found.assign(square=found["level"] ** 2, operator=0, place=place, hex=place, region=place)


def written_down(values: pd.DataFrame, apart: list[str]) -> list[float]:
    rows = values.to_dict("records")
    return [
        (a["level"] - b["level"]) ** 2 / 2
        for a, b in itertools.combinations(rows, 2)
        if not any(a[column] == b[column] for column in apart)
    ]


def mean_half(pairs: Pairs) -> float:
    return float(half_squares(pairs, int(pairs.region.max()) + 1)[0])


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(VALUE, min_size=1, max_size=12),
    apart=st.lists(st.sampled_from(["device", "block", "spot"]), unique=True),
)
def test_the_pairs_are_those_that_one_would_write_down(
    rows: list[tuple[int, int, int, int]], apart: list[str]
) -> None:
    values = frame(rows)
    expected = written_down(values, apart)
    found = pairs_within(values, ONE_PLACE, "level", apart=apart)
    assert found.count == len(expected)
    if len(set(values["level"])) > 1 and expected:
        assert mean_half(found) == pytest.approx(np.mean(expected), abs=1e-9)


def test_means_stand_for_every_test_of_theirs() -> None:
    tests = frame([(0, 0, 0, level) for level in (1, 5, 9)] + [(1, 0, 0, level) for level in (2, 30)])
    means = tests.groupby(["operator", "place", "hex", "region", "device"], as_index=False).agg(
        level=("level", "mean"), square=("square", "mean")
    )
    expected = np.mean([(a - b) ** 2 / 2 for a in (1, 5, 9) for b in (2, 30)])
    assert mean_half(pairs_within(means, ONE_PLACE, "device")) == pytest.approx(expected)


def test_no_place_outweighs_all_others() -> None:
    quiet = [frame([(0, 0, spot, 5 * spot) for spot in range(2)], place) for place in range(1, 41)]
    loud = frame([(0, 0, spot, 30 * (spot % 2)) for spot in range(2_000)])
    found = pairs_within(pd.concat([loud, *quiet]), ONE_PLACE, "spot")
    of_loud = np.mean(written_down(frame([(0, 0, 0, 30 * (spot % 2)) for spot in range(200)]), []))
    # 40 places with one comparison each, and one with 1,999 that counts as 20.
    assert mean_half(found) == pytest.approx((40 * 12.5 + 20 * of_loud) / 60, rel=0.01)


def test_without_a_pair_nothing_is_said() -> None:
    found = pairs_within(frame([(0, 0, 0, -90)]), ONE_PLACE, "spot")
    assert (found.count, found.hexes, found.devices) == (0, 0, 0)
    assert np.isnan(half_squares(found, 1)).all()


def test_few_lots_make_the_result_less_sure() -> None:
    def spread(devices: int) -> float:
        # How far a resample strays: 150 places, each with two phones of so many.
        rng = np.random.default_rng(1)
        bias, met = rng.normal(0, 5, devices), [rng.choice(devices, 2, replace=False) for _ in range(150)]
        rows = [(one, one, one, bias[one]) for pair in met for one in pair]
        values = frame(rows).assign(place=np.repeat(np.arange(150), 2))
        values["hex"] = values["region"] = values["place"]
        drawn = half_squares(pairs_within(values, ONE_PLACE, "device", lot="device"), 150)
        assert len(drawn) == RESAMPLES + 1
        return float(drawn[1:].std() / drawn[0])

    # Two phones tell little of a spread (to within sqrt(2 / 8) of nine), however many places they meet in;
    # of 150 independent pairs one knows it to sqrt(2 / 150).
    assert spread(9) > 0.3
    assert spread(9) > 1.2 * spread(400) > 1.2 * np.sqrt(2 / 150)
