"""The names and meanings of exported columns: every one has them, and no two are called alike."""

from __future__ import annotations

import re

import pytest

from coverage.exports import headings, lists

NAMES = {what: [*lists.OTHER_PROPERTIES.get(what, lists.PROPERTIES), "lat", "lon"] for what in lists.LISTS}


@pytest.mark.parametrize("what", lists.LISTS)
def test_every_column_of_every_list_is_told(what: str) -> None:
    told = headings.headings(NAMES[what], what)
    assert [one.name for one in told] == NAMES[what]
    assert all(one.vi and one.meaning_vi and one.meaning_en for one in told)
    assert all(one.kind != "text" for one in told if one.unit)


def test_short_names_are_ascii_of_ten_letters_and_unique_in_any_case() -> None:
    short = list(headings.SHORT_NAMES.values())
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,9}", one) for one in short)
    assert len({one.lower() for one in short}) == len(short)


def test_vietnamese_headings_are_unique_and_no_row_is_of_a_column_that_there_is_not() -> None:
    every = {name for names in NAMES.values() for name in names}
    assert set(headings.SHORT_NAMES) == every
    vi = [headings.heading(name, what).vi for what, names in NAMES.items() for name in names]
    assert len(set(vi)) == len(every)


def test_the_english_meaning_is_that_of_the_list_s_own_contract() -> None:
    assert headings.heading("tests", "roads").meaning_en == "tests in the road's hexes"
    assert headings.heading("tests", "gaps").meaning_en.startswith("observations that pass or fail")
    with pytest.raises(KeyError):
        headings.heading("nothing", "gaps")


def test_a_code_has_the_words_of_its_column() -> None:
    assert headings.word("status", "trang_song")[0] == "Trắng sóng"
    assert headings.word("who_must_act", "verify_power")[0] == "Xã xác minh tình trạng điện"
    assert headings.word("list", "verify_power")[0] == "Danh sách cần xác minh điện"
    assert headings.word("village_name", "none") == ("none", "none")
