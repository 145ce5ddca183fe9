"""Where in a dead village the signal fails."""

from __future__ import annotations

import pandas as pd

from coverage import dead_areas


def test_the_hexes_that_fail_are_those_of_dead_places_where_most_tests_fail() -> None:
    villages = pd.DataFrame(
        [
            ("V", "A", "lom_song", "V/c/k1;V/c/k2"),
            ("V", "B", "trang_song", "V/centre"),
            ("W", "A", "phu_song", ""),
        ],
        columns=["village_id", "operator", "status", "dead_places"],
    )
    dead = dead_areas.dead_places(villages)
    assert dead.to_numpy().tolist() == [["V", "A", "V/c/k1"], ["V", "A", "V/c/k2"], ["V", "B", "V/centre"]]
    pooled = pd.DataFrame(
        [("V/c/k1", 1), ("V/c/k1", 2), ("V/c/k2", 2), ("V/c/k2", 3), ("V/centre", 1), ("V/centre", 4)],
        columns=["place_id", "hex"],
    )
    measured = pd.DataFrame(
        [(1, "A", 4, 2), (2, "A", 4, 3), (3, "A", 4, 0), (1, "B", 4, 2), (4, "B", 9, 1), (4, "A", 1, 1)],
        columns=["hex", "operator", "tests", "fails"],
    )
    failing = dead_areas.failing_hexes(dead, pooled, measured)[["operator", "place_id", "hex"]]
    # For A hex 2 has most; for B none has, so that those with any fail stand.
    assert sorted(failing.to_numpy().tolist()) == [
        ["A", "V/c/k1", 2],
        ["A", "V/c/k2", 2],
        ["B", "V/centre", 1],
        ["B", "V/centre", 4],
    ]
    assert dead_areas.failing_hexes(dead, pooled, measured.assign(fails=0)).empty
