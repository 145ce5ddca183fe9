"""Which square of the world's map an address like /tiles/…/10/816/480@2x.png means."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from fastapi import Depends
from fastapi import Path as PathWord

from coverage.errors import NotFound
from coverage.exports.mercator import DEEPEST

_ROW = r"(0|[1-9][0-9]{0,6})(@2x)?"


class Square(NamedTuple):
    """One of 2**zoom × 2**zoom squares; row 0 is the northernmost. density: 2 = twice as many pixels each way, else 1."""

    zoom: int
    column: int
    row: int
    density: int


def _square(
    z: Annotated[int, PathWord(description="zoom", json_schema_extra={"minimum": 0, "maximum": DEEPEST})],
    x: Annotated[
        int, PathWord(description="column from the west, below 2**z", json_schema_extra={"minimum": 0})
    ],
    y: Annotated[
        str,
        PathWord(
            description="row from the north, below 2**z; with @2x at the end twice as many pixels on the same ground",
            json_schema_extra={"pattern": f"^{_ROW}$"},
        ),
    ],
) -> Square:
    """The square of that address; raises `NotFound` where the world has none."""
    row = re.fullmatch(_ROW, y)
    if row is None or not 0 <= z <= DEEPEST or not 0 <= x < 2**z or int(row[1]) >= 2**z:
        raise NotFound(
            f"Không có ảnh {z!s:.9}/{x!s:.9}/{y!r:.20}: z từ 0 đến {DEEPEST}, x và y từ 0 đến dưới 2**z.",
            f"There is no tile {z!s:.9}/{x!s:.9}/{y!r:.20}: z is 0 to {DEEPEST}, x and y are 0 to below 2**z.",
        )
    return Square(z, x, int(row[1]), 2 if row[2] else 1)


Asked = Annotated[Square, Depends(_square)]
