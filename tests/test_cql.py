"""CQL2 filters choose the rows that a reader of the standard would choose, and refuse everything else in words."""

from __future__ import annotations

import operator
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from coverage.errors import InputError
from coverage.features.collections import Features
from coverage.features.cql import MOST_CHARACTERS, choose
from coverage.features.systems import CRS84, system

ROWS: list[dict[str, Any]] = [
    {"name": "Thôn 1", "tests": 3, "share": 0.5, "dead": True, "seen": "2026-09-20T08:15:30"},
    {"name": "Buôn Đắk Mỹ", "tests": 14, "share": None, "dead": False, "seen": "2026-10-01T00:00:00"},
    {"name": "thôn 1%", "tests": 0, "share": 0.0, "dead": None, "seen": None},
    {"name": None, "tests": 9, "share": 1.0, "dead": True, "seen": "2025-01-01T23:59:59"},
    {"name": "a_b", "tests": 9, "share": -0.25, "dead": False, "seen": "2026-10-01T12:00:00"},
]
SHAPES = np.array(
    [shapely.box(x, 11, x + 0.5, 11.5) for x in (107.0, 107.5, 108.0)] + [None, shapely.Point(109, 12)]
)


def table() -> Features:
    frame = pd.DataFrame(ROWS)
    frame["seen"] = pd.to_datetime(frame["seen"])
    frame["dead"] = frame["dead"].astype("object")
    return Features(
        "made",
        "s-1",
        frame.assign(nothing=None),
        np.arange(5).astype(object),
        shapely.bounds(SHAPES),
        SHAPES.__getitem__,
    )


def chosen(text: str, language: Any = "cql2-text", crs: str = CRS84) -> list[int]:
    return np.flatnonzero(choose(text, language, table(), system(crs))).tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("tests = 9", [3, 4]),
        ("tests <> 9", [0, 1, 2]),
        ("tests > 3 AND tests <= 9", [3, 4]),
        ("share >= 0.5 OR dead = FALSE", [0, 1, 3, 4]),
        ("NOT share >= 0.5", [2, 4]),
        ("NOT (share >= 0.5 OR tests > 100)", [2, 4]),
        ("share IS NULL", [1]),
        ("share IS NOT NULL AND name IS NULL", [3]),
        ("dead", [0, 3]),
        ("NOT dead", [1, 4]),
        ("dead IS NULL", [2]),
        ("name = 'Thôn 1'", [0]),
        ("name < 'b'", [0, 1, 4]),
        ("name LIKE 'Thôn%'", [0]),
        ("name LIKE '%1'", [0]),
        (r"name LIKE '%\%'", [2]),
        (r"name LIKE 'a\_b'", [4]),
        ("name LIKE 'a_b'", [4]),
        ("name LIKE '.*'", []),
        ("CASEI(name) LIKE 'thôn 1%'", [0, 2]),
        ("CASEI(name) = CASEI('THÔN 1')", [0]),
        ("ACCENTI(name) LIKE 'Buon Dak%'", [1]),
        ("name NOT LIKE 'Thôn%'", [1, 2, 4]),
        ("tests BETWEEN 3 AND 9", [0, 3, 4]),
        ("tests NOT BETWEEN 3 AND 9", [1, 2]),
        ("name IN ('a_b', 'Thôn 1')", [0, 4]),
        ("tests NOT IN (9, 14)", [0, 2]),
        ("tests * 2 - 1 = 17", [3, 4]),
        ("tests / 0 > 1", []),
        ("seen > TIMESTAMP('2026-10-01T00:00:00Z')", [4]),
        ("seen >= TIMESTAMP('2026-10-01T07:00:00+07:00')", [1, 4]),
        ("seen < DATE('2026-10-01')", [0, 3]),
        ("T_AFTER(seen, DATE('2026-09-30'))", [1, 4]),
        ("T_BEFORE(seen, TIMESTAMP('2026-01-01T00:00:00Z'))", [3]),
        ("T_INTERSECTS(seen, INTERVAL('2026-09-01', '..'))", [0, 1, 4]),
        ("T_DISJOINT(seen, INTERVAL('2026-09-01', '..'))", [3]),
        ("S_INTERSECTS(geometry, BBOX(107.6, 11.1, 107.7, 11.2))", [1]),
        ("S_INTERSECTS(geometry, POINT(107.5 11.25))", [0, 1]),
        ("S_DISJOINT(geometry, BBOX(106, 10, 107.9, 12))", [2, 4]),
        ("S_WITHIN(geometry, BBOX(106, 10, 108.1, 12))", [0, 1]),
        ("S_CONTAINS(geometry, POINT(107.1 11.1))", [0]),
        ("NOT S_INTERSECTS(geometry, POINT(109 12)) AND tests = 9", [3]),
        ("nothing = 'x'", []),
        ("NOT nothing = 'x'", []),
        ("nothing IS NULL", [0, 1, 2, 3, 4]),
        ("TRUE", [0, 1, 2, 3, 4]),
        ("1 = 2", []),
    ],
)
def test_a_filter_chooses_what_it_says(text: str, rows: list[int]) -> None:
    assert chosen(text) == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("operator = '1'", "no property 'operator'"),
        ("testes = 9", "no property 'testes'; did you mean tests? Text"),
        ('name = "a"', "Text stands between single quotes; there are the properties: "),
        ("tests = '9'", "tests is a number, '9' is text"),
        ("name > 3", "name is text, 3.0 is a number"),
        ("dead = 1", "dead is true or false"),
        ("seen > '2026-10-01'", "seen is a time"),
        ("tests", "tests is no condition"),
        ("tests LIKE '9'", "LIKE wants text and a pattern: tests"),
        ("CASEI(tests) = 'a'", "casei cannot take tests"),
        ("name + 1 = 2", "+ cannot take name"),
        ("seen > DATE('2026-13-01')", "no time"),
        ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "crosses itself"),
        ("S_INTERSECTS(name, POINT(1 1))", "wants (geometry, a shape)"),
        ("pg_sleep(10) = 1", "'pg_sleep' is not known"),
        ("tests + 1", "+ is no condition"),
        ("'a'; drop table x", "not cql2-text"),
        ("", "not cql2-text"),
        (
            "tests = = 1",
            "not cql2-text: wrong at character 9, before “= 1”; write for example tests > 10 AND",
        ),
        ("tests = 1 AND\n name LIKE", "wrong at character 25, at the end"),
        ("tests > 0,5", "wrong at character 10, before “,5”"),
        ("(" * 51 + "tests=1" + ")" * 51, "nested deeper"),
        ("NOT " * 10 + "dead", "nested deeper"),
        ("tests = 1 OR " * 200 + "tests = 1", "longer than"),
    ],
)
def test_what_is_no_filter_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        chosen(text)
    assert told in refused.value.en
    assert refused.value.vi.startswith("filter: ")


def test_json_says_the_same_and_other_json_is_refused() -> None:
    assert chosen('{"op": "=", "args": [{"property": "tests"}, 9]}', "cql2-json") == [3, 4]
    for text in (
        "[]",
        "{}",
        "3",
        '{"op": "=", "args": []}',
        '{"op":',
        '{"op": "in", "args": [{"property": "tests"}, 3]}',
    ):
        with pytest.raises(InputError) as refused:
            chosen(text, "cql2-json")
        assert "enum" not in refused.value.en


def test_shapes_come_in_the_coordinate_system_that_is_named() -> None:
    box = "S_INTERSECTS(geometry, BBOX({}))"
    assert chosen(
        box.format("11.1, 107.6, 11.2, 107.7"), crs="http://www.opengis.net/def/crs/EPSG/0/4326"
    ) == [1]
    # VN-2000 / UTM 49N of 107.6–107.7° E, 11.1–11.2° N
    utm = box.format("129000, 1228000, 140000, 1240000")
    assert chosen(utm, crs="http://www.opengis.net/def/crs/EPSG/0/3406") == [1]


def test_no_depth_takes_the_process_with_it() -> None:
    """The parser overflows its stack: what is too deep must never reach it."""
    program = f"""
from test_cql import chosen
from coverage.errors import InputError
for n in (60, {MOST_CHARACTERS // 8}, 20_000):
    for text in ("(" * n + "tests=1" + ")" * n, "NOT " * n + "dead", "-" * n + "1=1", "not(" * n + "dead" + ")" * n):
        try:
            chosen(text)
        except InputError:
            continue
        raise AssertionError(text[:80])
print("alive")
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd="tests", capture_output=True, text=True, check=False
    )
    assert run.stdout == "alive\n", (run.returncode, run.stderr[-500:])


# --- any filter agrees with its plain reading, row by row ------------------------------------------

OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = st.sampled_from([0, 3, 9, 14, 0.5, -0.25, 100])
TEXTS = st.sampled_from(["Thôn 1", "a_b", "a", "thôn 1%", "zz"])
SIMPLE = st.one_of(
    st.tuples(st.sampled_from(list(OPERATIONS)), st.sampled_from(["tests", "share"]), NUMBERS),
    st.tuples(st.sampled_from(list(OPERATIONS)), st.just("name"), TEXTS),
    st.tuples(st.just("isNull"), st.sampled_from(["tests", "share", "name", "dead"]), st.none()),
    st.tuples(st.just("in"), st.just("tests"), st.lists(NUMBERS, min_size=1, max_size=3)),
    st.tuples(st.just("between"), st.just("share"), st.tuples(NUMBERS, NUMBERS)),
)
FILTERS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


def as_json(node: Any) -> dict[str, Any]:
    op = node[0]
    if op == "not":
        return {"op": op, "args": [as_json(node[1])]}
    if op in {"and", "or"}:
        return {"op": op, "args": [as_json(one) for one in node[1]]}
    named = {"property": node[1]}
    args = {"isNull": [named], "between": [named, *(node[2] or ())] if op == "between" else []}
    return {"op": op, "args": args.get(op, [named, node[2]])}


def read(node: Any, row: dict[str, Any]) -> bool | None:
    op = node[0]
    if op == "not":
        inner = read(node[1], row)
        return None if inner is None else not inner
    if op in {"and", "or"}:
        found = [read(one, row) for one in node[1]]
        decisive = op == "or"
        return decisive if decisive in found else (None if None in found else not decisive)
    value = row[node[1]]
    if op == "isNull":
        return value is None
    if value is None:
        return None
    if op == "in":
        return value in node[2]
    return node[2][0] <= value <= node[2][1] if op == "between" else OPERATIONS[op](value, node[2])


@given(FILTERS)
def test_any_filter_agrees_with_its_plain_reading(node: Any) -> None:
    expected = [place for place, row in enumerate(ROWS) if read(node, row)]
    assert chosen(orjson.dumps(as_json(node)).decode(), "cql2-json") == expected
