"""Whatever a document holds: its table has rows of equal width, or it is refused."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from test_logs_documents import KML, NEMO, TEMS

from coverage.errors import FileRefused
from coverage.logs.documents import TABLES, recognise

NAMES = st.sampled_from(
    ["items", "submissions", "tests", "position", "cellTowers", "wifiAccessPoints", "timestamp", "age", "asu", "radioType",
     "latitude", "download", "latency", "cells", "locations", "rsrp", "bytes_sec", "technology"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["lte", "gsm", "11.9", "1e400"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
    ),
)
LINES = st.lists(
    st.sampled_from(
        [*NEMO.splitlines(), *TEMS.splitlines(), *KML.splitlines(), *KML.replace(">", ">\n").splitlines()]
    )
    | st.text(max_size=20)
)


def account(data: bytes) -> None:
    for kind, table in TABLES.items():
        try:
            (place, names), *rows = table(data, "x")
        except FileRefused as refused:
            assert refused.vi
            assert refused.en
            continue
        assert (place, len(set(names))) == (0, len(names)), kind
        places = [place for place, _ in rows]
        assert places == sorted(places)
        assert not places or places[0] >= 1
        for _, cells in rows:
            assert len(cells) == len(names)
            assert not any("\n" in cell or "\t" in cell for cell in cells)
            "".join(cells).encode("utf-8")
    recognise(data)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_rows_of_equal_width_or_a_refusal(data: bytes) -> None:
    account(data)


@settings(max_examples=300, deadline=None)
@given(value=VALUES)
def test_any_json_gives_rows_of_equal_width_or_a_refusal(value: Any) -> None:
    for document in (
        value,
        [value],
        {"items": [value]},
        {"submissions": [value, {"tests": value}]},
        [{"cellTowers": value}],
    ):
        account(json.dumps(document).encode())


@settings(max_examples=200, deadline=None)
@given(lines=LINES)
def test_any_lines_give_rows_of_equal_width_or_a_refusal(lines: list[str]) -> None:
    account("\n".join(lines).encode("utf-8", "replace"))
