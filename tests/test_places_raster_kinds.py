"""What the numbers of a raster can be: each limit under, at and over, and parts that add up to the whole."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coverage.errors import PlacesRefused
from coverage.places.rasters.kinds import Seen, judge, look

# A thousand cells of 1 ha, each person among 5,000 others per km², leaping from cell to cell.
PEOPLE = Seen(
    km2=10.0,
    known_km2=10.0,
    known=1000,
    low=0.0,
    high=90.0,
    total=4000.0,
    around=4000.0 * 5000,
    steps=4000.0,
    levels=4000.0,
    whole=False,
    binary=False,
)
LIGHTS = replace(PEOPLE, total=1000.0, high=50.0)
HILLS = replace(PEOPLE, low=10.0, high=2000.0, total=500_000.0, steps=10_000.0, levels=500_000.0)
LEVELS = replace(PEOPLE, low=-120.0, high=-60.0, total=-90_000.0)


def code(kind: str, seen: Seen) -> str | None:
    try:
        judge(kind, seen, "file.tif")
    except PlacesRefused as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("kind", "base", "fine", "wrong", "refused"),
    [
        ("population", PEOPLE, {"negative": 0}, {"negative": 1, "low": -0.1}, "population_negative"),
        ("population", PEOPLE, {"known": 1000}, {"known": 0}, "raster_empty"),
        ("population", PEOPLE, {"binary": True}, {"binary": True, "high": 1.0}, "raster_is_mask"),
        (
            "population",
            PEOPLE,
            {"around": 4000.0 * 150_000},
            {"around": 4000.0 * 150_001},
            "population_too_dense",
        ),
        ("population", PEOPLE, {"total": 1_500_000.0}, {"total": 1_500_001.0}, "population_too_dense"),
        (
            "population",
            replace(PEOPLE, km2=25_000.0),
            {"total": 75_000_000.0},
            {"total": 75_000_001.0},
            "population_too_dense",
        ),
        (
            "population",
            replace(PEOPLE, km2=0.9, total=100_000.0),
            {"total": 1e6},
            {"around": 1e6 * 200_000},
            "population_too_dense",
        ),
        # Smooth and as dense as a town: no people; smooth and thin, or dense and leaping: may be.
        (
            "population",
            replace(PEOPLE, total=5001.0),
            {"steps": 600.0},
            {"steps": 599.0},
            "population_is_heights",
        ),
        (
            "population",
            replace(PEOPLE, steps=599.0),
            {"total": 5000.0},
            {"total": 5001.0},
            "population_is_heights",
        ),
        ("nightlights", LIGHTS, {"low": -5.0}, {"low": -5.01}, "nightlights_out_of_range"),
        ("nightlights", LIGHTS, {"high": 10_000.0}, {"high": 10_001.0}, "nightlights_out_of_range"),
        ("nightlights", LIGHTS, {"total": 200_000.0}, {"total": 200_001.0}, "nightlights_out_of_range"),
        ("nightlights", LIGHTS, {"whole": True, "high": 0.0}, {"whole": True}, "nightlights_not_radiance"),
        ("dem", HILLS, {"low": -500.0}, {"low": -501.0}, "dem_not_heights"),
        ("dem", HILLS, {"high": 9000.0}, {"high": 9001.0}, "dem_not_heights"),
        ("dem", HILLS, {"steps": 400_000.0}, {"steps": 400_001.0}, "dem_not_heights"),
        ("dem", replace(HILLS, steps=400_001.0), {"high": 100.0}, {"high": 100.1}, "dem_not_heights"),
        ("declared", LEVELS, {"low": -160.0}, {"low": -161.0}, "declared_not_levels"),
        ("declared", LEVELS, {"high": -20.0}, {"high": -19.0}, "declared_not_levels"),
        ("declared", LEVELS, {"high": 1.0, "binary": True}, {"high": 1.0}, "declared_not_levels"),
    ],
)
def test_each_limit(kind: str, base: Seen, fine: dict, wrong: dict, refused: str) -> None:
    assert code(kind, replace(base, **fine)) is None
    assert code(kind, replace(base, **wrong)) == refused


@given(
    arrays(
        np.float64, (8, 5), elements=st.one_of(st.just(np.nan), st.integers(-3, 300).map(lambda n: n / 2))
    ),
    st.integers(1, 7),
)
def test_two_parts_are_what_the_whole_is(values: np.ndarray, cut: int) -> None:
    km2 = np.linspace(0.5, 1.5, 8)
    whole = asdict(look(values, km2, 3))
    parts = asdict(look(values[:cut], km2[:cut], 1) + look(values[cut:], km2[cut:], 2))
    # Steps across the cut are not seen: no judgement hangs on one row of a block.
    for name in set(whole) - {"steps", "levels"}:
        assert parts[name] == pytest.approx(whole[name]), name
    assert parts["steps"] <= whole["steps"] + 1e-9


def test_notes_write_numbers_as_people_of_each_language_do() -> None:
    (note,) = judge("nightlights", replace(LIGHTS, low=0.00123, high=1234.5, total=1500.0), "file.tif")
    assert "từ 0,00123 đến 1.234 nW/cm²·sr, trung bình 1,5." in note.vi
    assert "0.00123 to 1,234 nW/cm²·sr, mean 1.5." in note.en
    (note,) = judge("dem", replace(HILLS, total=1_000_000.0, levels=1e6), "file.tif")
    assert "từ 10 đến 2.000 m, trung bình 1.000." in note.vi
    assert "mean 1,000." in note.en
