"""What a village's status became between two snapshots, and the legend that counts it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import snapshots
from slow_tiles import hex_views

from coverage.exports import hex_layers, legend
from coverage.exports.former_names import former_names
from coverage.exports.map_changes import village_changes
from coverage.exports.words import WORDS
from coverage.tables import STATUSES

SHOWN = snapshots.snapshot(30)
# As a person would say it: served, dead, or not known.
MEANS = {"trang_song": "dead", "lom_song": "dead", "phu_song": "served"}
TOLD = {
    ("served", "dead"): "newly_lost",
    ("dead", "served"): "newly_covered",
    ("served", None): "no_longer_known",
    ("dead", None): "no_longer_known",
    (None, "served"): "newly_measured",
    (None, "dead"): "newly_measured",
}


def with_status(status: str, village: str = "V0003", operator: str = "45204") -> snapshots.Snapshot:
    verdicts = SHOWN.village_verdicts.copy()
    mine = (verdicts["village_id"] == village) & (verdicts["operator"] == operator)
    verdicts.loc[mine, "status"] = status
    return replace(SHOWN, village_verdicts=verdicts)


@pytest.mark.parametrize(("was", "now"), list(itertools.product(STATUSES, STATUSES)))
def test_each_change_has_its_word(was: str, now: str) -> None:
    found = village_changes(with_status(now), with_status(was))
    wanted = TOLD.get((MEANS.get(was), MEANS.get(now)))
    told = {"i": 3, "view": 1, "change": wanted, "was": was, "is": now}
    assert found == ([told] if wanted else [])


def test_all_operators_together_are_a_view_of_their_own() -> None:
    verdicts = SHOWN.village_verdicts.copy()
    verdicts.loc[verdicts["village_id"] == "V0005", "status_all_operators"] = "phu_song"
    after = replace(SHOWN, village_verdicts=verdicts)
    verdicts = verdicts.copy()
    verdicts.loc[verdicts["village_id"] == "V0005", "status_all_operators"] = "trang_song"
    (found,) = village_changes(after, replace(SHOWN, village_verdicts=verdicts))
    assert (found["i"], found["view"], found["change"]) == (5, 0, "newly_covered")


def test_villages_are_known_by_their_ids_and_new_ones_were_not_measured_before() -> None:
    turned = replace(SHOWN, villages=SHOWN.villages.iloc[::-1].reset_index(drop=True))
    assert village_changes(turned, SHOWN) == []
    fewer = replace(
        SHOWN,
        villages=SHOWN.villages.iloc[1:].reset_index(drop=True),
        village_verdicts=SHOWN.village_verdicts[SHOWN.village_verdicts["village_id"] != "V0000"],
    )
    found = village_changes(SHOWN, fewer)
    assert {(one["i"], one["change"]) for one in found} == {(0, "newly_measured")}
    assert village_changes(fewer, SHOWN) == []


def test_an_operator_that_was_not_asked_about_was_not_measured() -> None:
    info = replace(SHOWN.info, operators={"45204": "Viettel"}, in_scope=("45204",))
    rows = SHOWN.village_verdicts
    before = replace(SHOWN, info=info, village_verdicts=rows[rows["operator"] == "45204"])
    found = village_changes(SHOWN, before)
    assert {one["view"] for one in found} == {2, 3}
    assert {one["change"] for one in found} == {"newly_measured"}


def test_the_legend_counts_hexes_as_judged_and_tells_what_is_not_there() -> None:
    province = hex_layers.ground(SHOWN)
    layer = hex_layers.layer(SHOWN, "hexes-45204", lambda: province, None)
    told = {one["name"]: one for one in legend.classes(layer)}
    view = hex_views(SHOWN)[1]
    assert list(told) == [
        "dead_zone",
        "below_standard",
        "covered",
        "not_enough_evidence",
        "unmeasured",
    ]
    for name in ("dead_zone", "below_standard", "covered", "not_enough_evidence"):
        assert told[name]["hexes"] == list(view.values()).count(name)
    assert told["unmeasured"]["hexes"] == len(set(province.tolist()) - set(view))
    assert told["unmeasured"]["pattern"] == "hatched"
    assert (told["dead_zone"]["vi"], told["dead_zone"]["en"]) == WORDS["dead_zone"]
    empty = replace(SHOWN, hex_verdicts=SHOWN.hex_verdicts.iloc[:0])
    bare = legend.classes(hex_layers.layer(empty, "notspots", lambda: province, None))
    assert [(one["name"], one["hexes"]) for one in bare] == [("total", 0), ("partial", 0)]


def test_every_class_of_every_layer_has_words_in_both_languages() -> None:
    province = hex_layers.ground(SHOWN)
    for name in hex_layers.names(SHOWN.info):
        before = SHOWN if hex_layers.compares(name) else None
        for one in legend.classes(hex_layers.layer(SHOWN, name, lambda: province, before)):
            assert one["vi"], one
            assert one["vi"] != one["name"], one
            assert one["en"] != one["name"], one
    levels = legend.classes(hex_layers.layer(SHOWN, "signal-45204-LTE", lambda: province, None))
    assert [one["vi"] for one in levels] == [
        *("≥ −85 dBm", "≥ −95 dBm", "≥ −105 dBm", "≥ −115 dBm", "≥ −121 dBm", "< −121 dBm", "Mất sóng")
    ]


def test_communes_are_found_by_the_names_they_had() -> None:
    tong, none, abroad = former_names(["24877", None, "99999"])
    assert tong == ["Xã Liêng Srônh", "Xã Rô Men"]
    assert none == abroad == []
