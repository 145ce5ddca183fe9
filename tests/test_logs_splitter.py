"""What the splitter reads itself: the same as from the texts, whatever else stands in a column."""

from __future__ import annotations

import dataclasses
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage.logs import detect, times, values
from coverage.logs.lines import Lines, lines_of
from coverage.logs.sheet import Sheet, sheet

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
HEADER = "time,lat,lon,operator,technology,rsrp_dbm\n"
NUMBERS = st.floats(-180, 180).map(repr) | st.sampled_from(
    [
        "",
        " 11.5 ",
        "+11.5",
        "-0",
        "1e1",
        "11,5",
        "\u221211.5",
        "'11.5",
        "11.5°",
        "nan",
        "inf",
        "1e400",
        "NA",
        "-",
        "abc",
        '"11.5"',
    ]
)
TIMES = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["", "2026-07-18", "2026-07-18T00:00:00", "2026-07-18 22:11:08", "2026-07-18T22:11", "2026-07-18T22:11:08Z",
     "2026-07-18T22:11:08.1234567", "2026-02-30T10:00:00", "2026.07.18_22.11.08", "18/07/2026 22:11", "46221.5", "never"]
)  # fmt: skip
ROWS = st.lists(st.tuples(TIMES, NUMBERS, NUMBERS, st.sampled_from(["", ",more"])), min_size=1, max_size=12)
PLAIN = {"time": "time", "lat": "number", "lon": "number"}


def both(rows: list[tuple[str, str, str, str]]) -> tuple[Sheet, Sheet]:
    """The rows as text, and as the splitter reads them where it can."""
    body = "".join(f"{time},{lat},{lon},45204,4G,-97{more}\n" for time, lat, lon, more in rows)
    layout, _ = detect.find(lines_of(HEADER.encode()), "log.csv", "canonical")
    layout = dataclasses.replace(layout, width=len(layout.names))
    lines: Lines = lines_of(body.encode())
    return sheet(lines, layout, "log.csv"), sheet(lines, dataclasses.replace(layout, plain=PLAIN), "log.csv")


@settings(deadline=None, max_examples=300)
@given(ROWS)
def test_plain_columns_mean_and_say_what_their_texts_do(rows: list[tuple[str, str, str, str]]) -> None:
    text, plain = both(rows)
    assert plain.broken.value == text.broken.value
    assert (plain.line == text.line).all()
    every = np.arange(len(text.line))
    for field in ("lat", "lon"):
        one, other = values.numbers(text.get(field)), values.numbers(plain.get(field))
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert (one.wrong == other.wrong).all()
        assert (values.containing(text.get(field), ",") == values.containing(plain.get(field), ",")).all()
    one, other = (times.read(cells.get("time"), HANOI, HANOI) for cells in (text, plain))
    for name in ("utc", "local_date"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
    for name in ("date_only", "ambiguous", "serial", "wrong"):
        assert (getattr(one, name) == getattr(other, name)).all()
    for field in PLAIN:
        assert text.get(field).of_rows(every).equals(plain.get(field).of_rows(every))
        assert (values.missing(text.get(field)) == values.missing(plain.get(field))).all()


@pytest.mark.parametrize(
    ("time", "lat", "read"),
    [
        ("2026-07-18T22:11:08", "11.5", True),
        ("2026-07-18T22:11:08", "", True),
        ("2026-07-18T22:11:08", "11,5", False),
        ("2026-07-18", "11.5", False),
        ("2026-07-18T22:11:08Z", "11.5", False),
    ],
)
def test_one_odd_cell_is_enough_to_read_a_block_by_its_texts(time: str, lat: str, read: bool) -> None:
    _, plain = both([("2026-07-18T22:11:07", "11.4", "108.4", ""), (time, f'"{lat}"', "108.4", "")])
    assert (plain.get("lon").plain is not None) == read
