"""What is wrong with each row, and what therefore becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage.hexes import valid_points
from coverage.logs import trace
from coverage.logs.cells import Cells
from coverage.logs.service import Network
from coverage.logs.sheet import Ints, Sheet
from coverage.logs.times import Moments
from coverage.logs.trace import Trace
from coverage.logs.values import Numbers, marked
from coverage.names import fold
from coverage.tables import OUTCOMES, SERVICE_STATES, schema

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
FUTURE_ALLOWED = np.timedelta64(1, "D")  # clocks and zones may be a day off, not more


@dataclass(frozen=True)
class Rows:
    """The whole rows of a block, read: everything that is judged. trace: None where nobody knows whose the rows are."""

    sheet: Sheet
    lat: Numbers
    lon: Numbers
    accuracy: Numbers
    moments: Moments
    time_field: str | None
    network: Network
    trace: Trace | None


@dataclass(frozen=True)
class Limits:
    """What a row is held against: the time now (UTC), the worst accuracy, and where measurements may lie.

    area: west, south, east, north in degrees; None = anywhere.
    """

    now: np.datetime64
    max_accuracy_m: float
    area: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: with which rows, what becomes of them, and the cells that show it."""

    code: str
    outcome: Literal["rejected", "quarantined"]
    rows: Bools
    cells: Cells | None


@dataclass(frozen=True)
class Verdicts:
    """What becomes of each whole row: the positions of the sound ones, counts, and the outcomes of the others."""

    sound: Ints
    rejected: int
    quarantined: int
    outcomes: pa.Table


def judge(rows: Rows, limits: Limits) -> Verdicts:
    """What becomes of every row of the block, its broken rows included.

    A row with several faults has a line for each and counts once: rejected before quarantined.
    """
    faults = [fault for fault in _faults(rows, limits) if fault.rows.any()]
    rejected, quarantined = _any(rows, faults, "rejected"), _any(rows, faults, "quarantined")
    broken = rows.sheet.broken
    parts = [_fault_lines(rows, fault, rejected) for fault in faults]
    parts.append(
        outcome_lines(broken.line, "rejected", broken.code, None, pa.array(broken.value, pa.string()))
    )
    return Verdicts(
        sound=np.flatnonzero(~(rejected | quarantined)),
        rejected=int(rejected.sum()) + len(broken.line),
        quarantined=int((quarantined & ~rejected).sum()),
        outcomes=pa.concat_tables(parts),
    )


def _faults(rows: Rows, limits: Limits) -> Iterator[Fault]:
    # A row of a neighbour or of Wi-Fi is set aside for what it is: nothing else about it matters.
    others = list(_other_rows(rows))
    yield from others
    ours = np.ones(len(rows.sheet.line), bool)
    for other in others:
        ours &= ~other.rows
    for fault in (
        *_position_faults(rows, limits),
        *_trace_faults(rows),
        *_time_faults(rows, limits.now),
        *_network_faults(rows),
    ):
        yield replace(fault, rows=fault.rows & ours)


def _other_rows(rows: Rows) -> Iterator[Fault]:
    for other in rows.sheet.format.other_rows:
        cells = rows.sheet.get(other.field)
        yield Fault(other.code, "rejected", marked(cells, partial(_says, other.words)), cells)
    for only in rows.sheet.format.only_rows:
        cells = rows.sheet.get(only.field)
        yield Fault(only.code, "rejected", ~marked(cells, partial(_says, only.words)), cells)


def _says(words: frozenset[str], text: str) -> bool:
    return fold(text) in words


def _position_faults(rows: Rows, limits: Limits) -> Iterator[Fault]:
    lat, lon = rows.lat.values, rows.lon.values
    swapped = _swapped(lat, lon, limits)
    for name, values in (("lat", lat), ("lon", lon)):
        cells = rows.sheet.get(name)
        yield Fault("bad_coordinate", "rejected", np.isnan(values), cells)
        zero = np.zeros(len(values))
        on_globe = valid_points(values, zero) if name == "lat" else valid_points(zero, values)
        yield Fault("coordinate_out_of_range", "rejected", ~np.isnan(values) & ~on_globe & ~swapped, cells)
    nowhere = (lat == 0) & (lon == 0)
    yield Fault("null_island", "quarantined", nowhere, rows.sheet.get("lat"))
    yield Fault("swapped_coordinates", "quarantined", swapped, rows.sheet.get("lat"))
    outside = valid_points(lat, lon) & ~_inside(lat, lon, limits) & ~swapped & ~nowhere
    yield Fault("outside_area", "quarantined", outside, rows.sheet.get("lat"))
    # An accuracy that cannot be read may be any: better set aside than taken for none given.
    poor = (rows.accuracy.values > limits.max_accuracy_m) | rows.accuracy.wrong
    yield Fault("poor_accuracy", "quarantined", poor, rows.sheet.get("accuracy_m"))


def _swapped(lat: Floats, lon: Floats, limits: Limits) -> Bools:
    """Rows that make sense the other way round only: off the globe, or outside the area and inside it swapped."""
    off: Bools = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    return off if limits.area is None else off | (~_inside(lat, lon, limits) & _inside(lon, lat, limits))


def _inside(lat: Floats, lon: Floats, limits: Limits) -> Bools:
    if limits.area is None:
        return np.ones(len(lat), bool)
    west, south, east, north = limits.area
    inside: Bools = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def _trace_faults(rows: Rows) -> Iterator[Fault]:
    if rows.trace is not None:
        yield Fault("position_jump", "quarantined", trace.jumps(rows.trace), rows.sheet.get("lat"))
        yield Fault("frozen_position", "quarantined", trace.frozen(rows.trace), rows.sheet.get("lat"))
        yield Fault("stale_cell", "quarantined", trace.stale(rows.trace), rows.sheet.get("cell_number"))
        fast = rows.trace.speed_mps > trace.MAX_SPEED_MPS
        yield Fault("too_fast", "quarantined", fast, rows.sheet.get("speed_mps"))


def _time_faults(rows: Rows, now: np.datetime64) -> Iterator[Fault]:
    cells = None if rows.time_field is None else rows.sheet.get(rows.time_field)
    if rows.time_field is None:
        yield Fault("date_unknown", "quarantined", rows.moments.wrong, None)
    else:
        yield Fault("bad_time", "rejected", rows.moments.wrong, cells)
    yield Fault("date_ambiguous", "quarantined", rows.moments.ambiguous, cells)
    yield Fault("time_in_future", "quarantined", rows.moments.utc > now + FUTURE_ALLOWED, cells)


def _network_faults(rows: Rows) -> Iterator[Fault]:
    network = rows.network
    # Without service there is no level to read: whatever stands in its cell, the row is evidence.
    for field, wrong in network.bad_level.items():
        yield Fault("bad_level", "rejected", wrong & ~network.silent, rows.sheet.get(field))
    yield Fault("bad_service_state", "quarantined", network.bad_state, rows.sheet.get("service_state"))
    nobody = pc.is_null(network.operator).to_numpy(zero_copy_only=False)
    yield Fault("operator_unknown", "quarantined", nobody, rows.sheet.get("operator"))
    untold = (network.state == SERVICE_STATES.index("in_service")) & (network.technology < 0)
    yield Fault("technology_unknown", "quarantined", untold, rows.sheet.get("technology"))


def _any(rows: Rows, faults: list[Fault], outcome: str) -> Bools:
    found = np.zeros(len(rows.sheet.line), bool)
    for fault in faults:
        if fault.outcome == outcome:
            found |= fault.rows
    return found


def _fault_lines(rows: Rows, fault: Fault, rejected: Bools) -> pa.Table:
    where = np.flatnonzero(fault.rows)
    outcomes = np.where(rejected[where], "rejected", fault.outcome)
    column = None if fault.cells is None else fault.cells.name
    value = pa.nulls(len(where), pa.string()) if fault.cells is None else fault.cells.of_rows(where)
    return outcome_lines(rows.sheet.line[where], outcomes, (fault.code,) * len(where), column, value)


def outcome_lines(
    line: Ints, outcome: object, code: tuple[str, ...], column: str | None, value: pa.Array
) -> pa.Table:
    """Rows of the contract OUTCOMES, one per line given; `outcome` is one for all or one for each."""
    count = len(line)
    outcomes = pa.array(np.broadcast_to(np.asarray(outcome, object), count), pa.string())
    columns = pa.array([column] * count, pa.string())
    arrays = [pa.array(line, pa.int64()), outcomes, pa.array(code, pa.string()), columns, value]
    return pa.Table.from_arrays(arrays, schema=schema(OUTCOMES))
