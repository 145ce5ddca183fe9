"""The guard against slowness: what is over its limit is told, by made numbers and by a kernel that does its work twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_benchmark_other_days import loaded

guard = loaded("guard")
LIMITS = {"a": 2.0, "b": 10.0}


@pytest.mark.parametrize(
    ("found", "told", "hinted", "code"),
    [
        ({"a": 1.5, "b": 8.0}, [], [], 0),
        ({"a": 2.0, "b": 10.0}, [], [], 0),
        ({"a": 2.01, "b": 8.0}, ["a"], [], 1),
        ({"a": 1.0, "b": 5.0}, [], [], 0),
        ({"a": 0.99, "b": 20.0}, ["b"], ["a"], 1),
    ],
)
def test_limits_at_and_around_them(
    found: dict[str, float],
    told: list[str],
    hinted: list[str],
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guard.judged(found, LIMITS) == code
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.err.splitlines()] == told
    assert [line.split(":")[0] for line in said.out.splitlines()] == hinted


def test_a_complaint_says_by_how_much() -> None:
    (line,) = guard.complaints({"b": 15.0}, LIMITS)
    assert "b: 15.00 times" in line
    assert "limit is 10.00" in line
    assert "1.50 times" in line


def test_a_kernel_that_does_its_work_again_and_again_is_caught() -> None:
    numbers = np.random.default_rng(1).random(400_000)

    def once() -> None:
        np.sort(numbers)

    def twice() -> None:
        once()
        once()

    assert not guard.complaints({"sort": guard.ratio(guard.Kernel("sort", once, once, 7))}, {"sort": 1.6})
    (line,) = guard.complaints({"sort": guard.ratio(guard.Kernel("sort", twice, once, 7))}, {"sort": 1.6})
    assert line.startswith("sort: ")


def test_every_kernel_has_a_limit() -> None:
    assert set(guard.LIMITS) == set(guard.KERNELS)


def test_a_kernel_of_ours_that_does_its_work_twice_is_caught(tmp_path: Path) -> None:
    honest = guard.KERNELS["kriging"](tmp_path)

    def four_times() -> None:
        # Twice the work is only just over the limit: beside other work that would be no proof.
        for _ in range(4):
            honest.ours()

    slow = guard.Kernel("kriging", four_times, honest.reference, runs=2)
    assert guard.complaints({"kriging": guard.ratio(slow)}, guard.LIMITS)
