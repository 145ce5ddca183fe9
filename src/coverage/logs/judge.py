"""What is wrong with each row, and what therefore becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from coverage.hexes import valid_points
from coverage.logs.service import WITHOUT_SERVICE, Network
from coverage.logs.sheet import Cells, Ints, Sheet
from coverage.logs.times import Moments
from coverage.logs.values import Numbers, marked
from coverage.names import fold
from coverage.tables import OUTCOMES, schema

Bools = npt.NDArray[np.bool_]
FUTURE_ALLOWED = np.timedelta64(1, "D")  # clocks and zones may be a day off, not more


@dataclass(frozen=True)
class Rows:
    """The whole rows of a file, read: everything that is judged."""

    sheet: Sheet
    lat: Numbers
    lon: Numbers
    accuracy: Numbers
    moments: Moments
    time_field: str | None
    network: Network


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: with which rows, what becomes of them, and the cells that show it."""

    code: str
    outcome: Literal["rejected", "quarantined"]
    rows: Bools
    cells: Cells | None


@dataclass(frozen=True)
class Verdicts:
    """What becomes of each whole row: the positions of the accepted ones, counts, and the outcomes table."""

    accepted: Ints
    duplicates: int
    rejected: int
    quarantined: int
    outcomes: pa.Table


def judge(rows: Rows, now: np.datetime64, max_accuracy_m: float) -> Verdicts:
    """What becomes of every row of the file, its broken rows included.

    A row with several faults has a line for each and counts once: rejected before quarantined. Duplicates
    are judged among the rows that have no fault.
    """
    faults = [fault for fault in _faults(rows, now, max_accuracy_m) if fault.rows.any()]
    rejected, quarantined = _any(rows, faults, "rejected"), _any(rows, faults, "quarantined")
    sound = np.flatnonzero(~(rejected | quarantined))
    repeats, first = _repeats(rows, sound)
    broken = rows.sheet.broken
    parts = [_fault_lines(rows, fault, rejected) for fault in faults]
    parts.append(_lines(broken.line, "rejected", broken.code, None, pa.array(broken.value, pa.string())))
    parts.append(_repeat_lines(rows.sheet.line, repeats, first))
    return Verdicts(
        accepted=np.setdiff1d(sound, repeats, assume_unique=True),
        duplicates=len(repeats),
        rejected=int(rejected.sum()) + len(broken.line),
        quarantined=int((quarantined & ~rejected).sum()),
        outcomes=pa.concat_tables(parts).sort_by([("line", "ascending"), ("code", "ascending")]),
    )


def _faults(rows: Rows, now: np.datetime64, max_accuracy_m: float) -> Iterator[Fault]:
    # A row of a neighbour or of Wi-Fi is set aside for what it is: nothing else about it matters.
    others = list(_other_rows(rows))
    yield from others
    ours = np.ones(len(rows.sheet.line), bool)
    for other in others:
        ours &= ~other.rows
    for fault in (
        *_position_faults(rows, max_accuracy_m),
        *_time_faults(rows, now),
        *_network_faults(rows),
    ):
        yield replace(fault, rows=fault.rows & ours)


def _other_rows(rows: Rows) -> Iterator[Fault]:
    for other in rows.sheet.format.other_rows:
        cells = rows.sheet.get(other.field)
        yield Fault(other.code, "rejected", marked(cells, partial(_says, other.words)), cells)


def _says(words: frozenset[str], text: str) -> bool:
    return fold(text) in words


def _position_faults(rows: Rows, max_accuracy_m: float) -> Iterator[Fault]:
    lat, lon = rows.lat.values, rows.lon.values
    for name, values in (("lat", lat), ("lon", lon)):
        cells = rows.sheet.get(name)
        yield Fault("bad_coordinate", "rejected", np.isnan(values), cells)
        zero = np.zeros(len(values))
        on_globe = valid_points(values, zero) if name == "lat" else valid_points(zero, values)
        yield Fault("coordinate_out_of_range", "rejected", ~np.isnan(values) & ~on_globe, cells)
    yield Fault("null_island", "quarantined", (lat == 0) & (lon == 0), rows.sheet.get("lat"))
    # An accuracy that cannot be read may be any: better set aside than taken for none given.
    poor = (rows.accuracy.values > max_accuracy_m) | rows.accuracy.wrong
    yield Fault("poor_accuracy", "quarantined", poor, rows.sheet.get("accuracy_m"))


def _time_faults(rows: Rows, now: np.datetime64) -> Iterator[Fault]:
    if rows.time_field is None:
        yield Fault("date_unknown", "quarantined", rows.moments.wrong, None)
    else:
        yield Fault("bad_time", "rejected", rows.moments.wrong, rows.sheet.get(rows.time_field))
    cells = None if rows.time_field is None else rows.sheet.get(rows.time_field)
    yield Fault("time_in_future", "quarantined", rows.moments.utc > now + FUTURE_ALLOWED, cells)


def _network_faults(rows: Rows) -> Iterator[Fault]:
    network = rows.network
    # Without service there is no level to read: whatever stands in its cell, the row is evidence.
    silent = pc.is_in(network.state, value_set=pa.array(WITHOUT_SERVICE)).to_numpy(zero_copy_only=False)
    for field, wrong in network.bad_level.items():
        yield Fault("bad_level", "rejected", wrong & ~silent, rows.sheet.get(field))
    yield Fault("bad_service_state", "quarantined", network.bad_state, rows.sheet.get("service_state"))
    nobody = pc.is_null(network.operator).to_numpy(zero_copy_only=False)
    yield Fault("operator_unknown", "quarantined", nobody, rows.sheet.get("operator"))
    served = pc.equal(network.state, "in_service").to_numpy(zero_copy_only=False)
    untold = served & pc.is_null(network.technology).to_numpy(zero_copy_only=False)
    yield Fault("technology_unknown", "quarantined", untold, rows.sheet.get("technology"))


def _any(rows: Rows, faults: list[Fault], outcome: str) -> Bools:
    found = np.zeros(len(rows.sheet.line), bool)
    for fault in faults:
        if fault.outcome == outcome:
            found |= fault.rows
    return found


def _repeats(rows: Rows, sound: Ints) -> tuple[Ints, Ints]:
    """Which of the sound rows repeat an earlier one letter by letter, and which row each repeats.

    Texts are compared only where time and place already meet: most rows of a moving crew meet nobody.
    """
    suspects = sound[pd.Series(_time_and_place(rows, sound)).duplicated(keep=False).to_numpy()]
    encoded = rows.sheet.raw.take(pa.array(suspects)).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[codes[::-1]] = suspects[::-1]  # written last = seen first
    repeats = first[codes] != suspects
    return suspects[repeats], first[codes][repeats]


def _time_and_place(rows: Rows, sound: Ints) -> Ints:
    """A number per row that is equal for equal time and place (and by chance for a few others)."""
    lat, lon = rows.lat.values[sound].view(np.int64), rows.lon.values[sound].view(np.int64)
    utc = rows.moments.utc[sound].view(np.int64)
    mixed: Ints = (lat * 31 + lon) * 1_000_003 + utc  # overflow wraps around, as wanted
    return mixed


def _fault_lines(rows: Rows, fault: Fault, rejected: Bools) -> pa.Table:
    where = np.flatnonzero(fault.rows)
    outcomes = np.where(rejected[where], "rejected", fault.outcome)
    column = None if fault.cells is None else fault.cells.name
    value = pa.nulls(len(where), pa.string()) if fault.cells is None else fault.cells.of_rows(where)
    return _lines(rows.sheet.line[where], outcomes, (fault.code,) * len(where), column, value)


def _repeat_lines(line: Ints, repeats: Ints, first: Ints) -> pa.Table:
    kept = pa.array(line[first]).cast(pa.string())
    return _lines(line[repeats], "duplicate", ("duplicate_row",) * len(repeats), None, kept)


def _lines(
    line: Ints, outcome: object, code: tuple[str, ...], column: str | None, value: pa.Array
) -> pa.Table:
    count = len(line)
    outcomes = pa.array(np.broadcast_to(np.asarray(outcome, object), count), pa.string())
    columns = pa.array([column] * count, pa.string())
    arrays = [pa.array(line, pa.int64()), outcomes, pa.array(code, pa.string()), columns, value]
    return pa.Table.from_arrays(arrays, schema=schema(OUTCOMES))
