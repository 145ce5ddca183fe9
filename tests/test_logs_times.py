"""Times: the styles that are read, zones, and clocks that go back."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from coverage.logs import times
from coverage.logs.cells import Cells

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def moment(text: str, zone: str = "Asia/Ho_Chi_Minh") -> tuple[str, str, bool]:
    cells = Cells("time", pa.array([text]), np.zeros(1, np.int32))
    found = times.read(cells, ZoneInfo(zone), ZoneInfo(zone))
    return str(found.utc[0])[:19], str(found.local_date[0]), bool(found.date_only[0])


@pytest.mark.parametrize(
    ("text", "utc", "local_date"),
    [
        ("2026.07.18_22.11.08", "2026-07-18T15:11:08", "2026-07-18"),
        ("2026-07-18T22:11:08", "2026-07-18T15:11:08", "2026-07-18"),
        ("2026-07-18 22:11:08", "2026-07-18T15:11:08", "2026-07-18"),
        ("2026-07-18T22:11", "2026-07-18T15:11:00", "2026-07-18"),
        ("2026-07-18T22:11:08.123456", "2026-07-18T15:11:08", "2026-07-18"),
        ("2026-07-18T22:11:08Z", "2026-07-18T22:11:08", "2026-07-19"),
        ("2026-07-18 22:11:08 +07:00", "2026-07-18T15:11:08", "2026-07-18"),
        ("2026-07-18T22:11:08-0500", "2026-07-19T03:11:08", "2026-07-19"),
        ("18/07/2026 22:11:08", "2026-07-18T15:11:08", "2026-07-18"),
        ("18/07/2026 22:11", "2026-07-18T15:11:00", "2026-07-18"),
        ("8/7/2026 2:01", "2026-07-07T19:01:00", "2026-07-08"),
        ("2026-07-18T00:00:00", "2026-07-17T17:00:00", "2026-07-18"),
        ("2024-02-29T12:00:00", "2024-02-29T05:00:00", "2024-02-29"),
        ("2999-01-01T00:00:00", "2998-12-31T17:00:00", "2999-01-01"),
        ("18.7.2026 22:11:08.5", "2026-07-18T15:11:08", "2026-07-18"),
        ("18-07-2026 10:11:08 PM", "2026-07-18T15:11:08", "2026-07-18"),
        ("18/07/2026 10:11 CH", "2026-07-18T15:11:00", "2026-07-18"),
        ("18/07/2026 12:11 SA", "2026-07-17T17:11:00", "2026-07-18"),
        ("18/07/2026 12:11 p.m.", "2026-07-18T05:11:00", "2026-07-18"),
        ("18/7/26 22:11", "2026-07-18T15:11:00", "2026-07-18"),
        ("18/07/2026, 22:11:08", "2026-07-18T15:11:08", "2026-07-18"),
        ("46221.5", "2026-07-18T05:00:00", "2026-07-18"),
        ("46221,924398148", "2026-07-18T15:11:08", "2026-07-18"),
        ("1784387468", "2026-07-18T15:11:08", "2026-07-18"),
        ("1784387468123", "2026-07-18T15:11:08", "2026-07-18"),
    ],
)
def test_styles(text, utc, local_date):
    assert moment(text) == (utc, local_date, False)


@pytest.mark.parametrize("text", ["2026-07-18", "18/07/2026", "18/7/2026", "18.07.2026", "46221"])
def test_a_date_alone_is_noon_and_says_so(text):
    assert moment(text) == ("2026-07-18T05:00:00", "2026-07-18", True)


@pytest.mark.parametrize(
    "text",
    ["", "-", "now", "2026-13-01T00:00:00", "2025-02-29T00:00:00", "31/04/2026 10:00", "2026-07-18T25:00:00",
     "1970-01-01T00:00:00", "1999-12-31T23:59:59", "2026.07.18 22.11.08", "07-18-2026", "99999-01-01",
     "2026-07-18T22:11:60:00", "17672256001", "26-10-31", "31.10.26", "\x00"],
)  # fmt: skip
def test_what_is_no_time(text):
    assert moment(text)[0] == "NaT"


def test_clocks_that_go_back_and_forward():
    assert moment("2019-10-27T01:30:00", "Europe/Dublin")[0] == "2019-10-27T00:30:00"
    assert moment("2019-03-31T01:30:00", "Europe/Dublin")[0] == "2019-03-31T01:00:00"


def test_different_styles_in_one_column():
    texts = pa.array(["2026.07.18_22.11.08", "x", "18/07/2026 22:11:08", "2026-07-18T22:11:08+07:00"])
    found = times.read(Cells("t", texts, np.array([0, 1, 2, 3, 0], np.int32)), HANOI, HANOI)
    assert found.wrong.tolist() == [False, True, False, False, False]
    assert len(np.unique(found.utc[~found.wrong])) == 1


def test_a_date_from_outside():
    found = times.of_date(datetime.date(2026, 7, 18), 2, HANOI)
    assert [str(one) for one in found.utc.astype("M8[s]")] == ["2026-07-18T05:00:00"] * 2
    assert found.date_only.all()
    assert times.of_date(None, 2, HANOI).wrong.all()


def in_order(text: str, day_first: bool | None):
    cells = Cells("time", pa.array([text]), np.zeros(1, np.int32))
    return times.read(cells, HANOI, HANOI, day_first)


def test_a_date_that_can_be_read_both_ways_is_not_guessed():
    assert str(in_order("8/7/2026 2:01", True).local_date[0]) == "2026-07-08"
    assert str(in_order("8/7/2026 2:01", False).local_date[0]) == "2026-08-07"
    unsettled = in_order("8/7/2026 2:01", None)
    assert unsettled.ambiguous[0]
    assert not unsettled.wrong[0]
    assert np.isnat(unsettled.utc[0])


@pytest.mark.parametrize("text", ["8/8/2026 2:01", "18/7/2026", "2026-07-08", "1784387468"])
def test_what_can_be_read_one_way_only_is_never_ambiguous(text):
    assert not in_order(text, None).ambiguous[0]
    assert not in_order(text, None).wrong[0]


@pytest.mark.parametrize(
    ("texts", "seen"),
    [
        (["8/7/2026", "2026-07-18"], (True, False, False)),
        (["8/7/2026", "18/7/2026 10:00"], (True, True, False)),
        (["8/7/2026", "7-18-2026"], (True, False, True)),
        (["12/12/2026"], (True, False, False)),
        (["2026-07-18", ""], (False, False, False)),
    ],
)
def test_which_orders_the_dates_of_a_column_can_have(texts, seen):
    found = times.orders_seen(pa.array(texts))
    assert (found.either, found.day_first, found.month_first) == seen


@pytest.mark.parametrize(
    "odd",
    ["", "2026-07-18T22:11:08", "2026.07.18_22.11.0x", "2026.13.18_22.11.08", "2026.07.18-22.11.08", "46221"],
)
def test_times_of_gnettrack_are_the_same_alone_and_beside_others(odd):
    """All at once where each is such a time, else one by one."""
    texts = ["2026.07.18_22.11.08", "2024.02.29_00.00.00", "2026.01.01_23.59.59"]
    together = pa.array(texts).slice(1)  # a slice of a longer column too
    beside = pa.array([*texts[1:], odd])
    rows = np.arange(3, dtype=np.int32)
    one, other = (
        times.read(Cells("t", given, rows[: len(given)]), HANOI, HANOI) for given in (together, beside)
    )
    assert (one.utc == other.utc[:2]).all()
    assert (one.local_date == other.local_date[:2]).all()
    assert np.isnat(other.utc[2]) == (
        odd in {"", "2026.07.18_22.11.0x", "2026.13.18_22.11.08", "2026.07.18-22.11.08"}
    )
    assert not one.date_only.any()
