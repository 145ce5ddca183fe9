"""Criteria: who is in scope, and what a rules file may not be."""

from __future__ import annotations

import pytest
from measurements import rules

from coverage import criteria
from coverage.errors import CriteriaRefused

HOME = ["45201", "45202", "45204", "45205"]


@pytest.mark.parametrize(
    ("measured", "scope"),
    [
        (set(), HOME),
        ({"45204"}, HOME),
        ({"45204", "45601", "Vietel"}, HOME),  # a stray reading and a misspelt name widen nothing
        ({"27201", "27202"}, ["27201", "27202"]),
        ({"Nhà mạng"}, ["Nhà mạng"]),
    ],
)
def test_operators_in_scope(measured: set[str], scope: list[str]) -> None:
    assert rules().operators_in_scope(measured) == scope


def test_the_hash_is_that_of_the_values_not_of_the_text() -> None:
    text = criteria.default_text()
    assert criteria.parse("# a comment\n" + text, "t").hash == rules().hash
    assert criteria.parse(text.replace("rho = 0.3", "rho = 0.4"), "t").hash != rules().hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rho = 0.3", "rho = 1.3", "evidence.rho"),
        ("rho = 0.3", "rho = 0.3\nrhoo = 1", "evidence.rhoo"),
        ("hex_resolution = 9", "hex_resolution = 7", "hex_resolution"),
        ("[floors]", "[floors", "TOML"),
    ],
)
def test_rules_that_cannot_hold_are_refused_by_key(old: str, new: str, says: str) -> None:
    with pytest.raises(CriteriaRefused, match=says):
        criteria.parse(criteria.default_text().replace(old, new), "rules.toml")


def test_a_missing_key_is_told_with_its_usual_value() -> None:
    text = criteria.default_text().replace("territory_reach_m", "# territory_reach_m")
    with pytest.raises(CriteriaRefused) as refusal:
        criteria.parse(text, "mine.toml")
    assert "ground.territory_reach_m is missing" in refusal.value.en
    assert "5000.0" in refusal.value.vi
