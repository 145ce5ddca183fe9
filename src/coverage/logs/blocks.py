"""One block of lines → its part of the reading: the rows that are sound, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coverage.logs import repeats, service, times, values
from coverage.logs.cells import Cells
from coverage.logs.context import Context
from coverage.logs.detect import Layout
from coverage.logs.judge import Limits, Rows, judge
from coverage.logs.lines import Lines
from coverage.logs.measurements import Origin, measurements, speed_mps
from coverage.logs.sheet import Sheet, sheet
from coverage.logs.trace import Trace
from coverage.tables import SERVICE_STATES, UNKNOWN_DEVICE

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_NUMBERS = (
    "lat",
    "lon",
    "level_dbm",
    "rsrp_dbm",
    "ss_rsrp_dbm",
    "rscp_dbm",
    "rxlev_dbm",
    "accuracy_m",
    "speed_kmh",
)

_SIGNS = (("decimal_comma", ","), ("typographic_minus", values.MINUS), ("unit_in_cell", values.UNIT))


@dataclass(frozen=True)
class Reader:
    """All that is known of a file before its rows are read.

    heir: the operator of rows that name none; day_first: see `times.read`; upload_id, device_key: see `Origin`.
    """

    file: str
    layout: Layout
    context: Context
    zone: ZoneInfo
    operator_names: Mapping[str, str]
    heir: str | None
    day_first: bool | None
    limits: Limits
    origin: Origin


@dataclass(frozen=True)
class Fixed:
    """Rows that are read although their cell is written in another way: which of the sound ones, and that cell."""

    code: str
    rows: Bools
    cells: Cells | None
    sound: Ints

    def first(self, kept: Bools) -> tuple[int, str | None, str | None]:
        """Position among the sound rows, column and text of the first such row that is kept."""
        at = int(np.flatnonzero(self.rows & kept)[0])
        if self.cells is None:
            return at, None, None
        return at, self.cells.name, self.cells.of_rows(self.sound[at : at + 1])[0].as_py()


@dataclass(frozen=True)
class Part:
    """A block, read: the sound rows as measurements but those that repeat one of the block; outcomes of the unsound.

    no_service and unknown_level count rows as read, unusable ones included; line: of every sound row; keys: see
    `repeats`; single: which of the sound rows the measurements are.
    """

    rows: int
    rejected: int
    quarantined: int
    no_service: int
    unknown_level: int
    line: Ints
    keys: repeats.Block
    single: Ints
    measurements: pa.Table
    outcomes: pa.Table
    fixed: list[Fixed]


def read_block(lines: Lines, reader: Reader) -> Part:
    """The part of the reading that a block of lines is."""
    cells = sheet(lines, reader.layout, reader.file)
    network = service.read(cells, reader.layout.format, reader.context, reader.operator_names, reader.heir)
    rows = _rows(cells, network, reader)
    rows = replace(rows, trace=_trace(rows, reader))
    verdicts = judge(rows, reader.limits)
    sound = verdicts.sound
    keys = repeats.keys(cells.raw if len(sound) == len(cells.line) else cells.raw.take(pa.array(sound)))
    block = repeats.block(keys)
    single = np.sort(block.row)
    return Part(
        rows=cells.rows,
        rejected=verdicts.rejected,
        quarantined=verdicts.quarantined,
        no_service=int((network.state == SERVICE_STATES.index("no_service")).sum()),
        unknown_level=int((~network.silent & ~network.has_level & ~_bad_level(network)).sum()),
        line=cells.line[sound],
        keys=block,
        single=single,
        measurements=measurements(rows, sound[single], reader.origin),
        outcomes=verdicts.outcomes,
        fixed=[
            Fixed(code, mask[sound], shown, sound)
            for code, mask, shown in _fixes(rows, reader.layout.tenths)
            if mask[sound].any()
        ],
    )


def _rows(cells: Sheet, network: service.Network, reader: Reader) -> Rows:
    lat, lon = values.numbers(cells.get("lat")), values.numbers(cells.get("lon"))
    accuracy = values.numbers(cells.get("accuracy_m"))
    field = next((name for name in ("time", "time_utc") if name in cells.cells), None)
    if field is None:
        moments = times.of_date(reader.context.date, len(cells.line), reader.zone)
    else:
        written_in = reader.zone if field == "time" else ZoneInfo("UTC")
        moments = times.read(cells.get(field), reader.zone, written_in, reader.day_first)
    return Rows(cells, lat, lon, accuracy, moments, field, network, None)


def _trace(rows: Rows, reader: Reader) -> Trace | None:
    """The trace that the rows are, one phone's after another; None where no row's phone is known."""
    device = rows.sheet.get("device")
    nobody = values.missing(device)
    one = reader.layout.format.one_phone or reader.context.device != UNKNOWN_DEVICE
    phone: Ints = np.where(nobody, 0 if one else -1, device.codes.astype(np.int64) + 1)
    lat, lon, utc = rows.lat.values, rows.lon.values, rows.moments.utc
    # Without a fix or a time of day a row says nothing of where the phone was when.
    phone[np.isnan(lat) | np.isnan(lon) | ((lat == 0) & (lon == 0))] = -1
    phone[np.isnat(utc) | rows.moments.date_only] = -1
    if not (phone >= 0).any():
        return None
    seconds = utc.astype("M8[s]").astype(float)
    return Trace(phone, seconds, lat, lon, speed_mps(rows.sheet), rows.network.level, _serving(rows.sheet))


def _serving(cells: Sheet) -> Ints:
    serving = cells.get("serving_cell" if "serving_cell" in cells.cells else "cell_number")
    cell: Ints = np.where(values.missing(serving), -1, serving.codes.astype(np.int64))
    return cell


def _bad_level(network: service.Network) -> Bools:
    """Rows whose level cell is no number: they are rejected, their level is not merely unknown."""
    wrong = np.zeros(len(network.level), bool)
    for one in network.bad_level.values():
        wrong |= one
    return wrong


def _fixes(rows: Rows, tenths: frozenset[str]) -> Iterator[tuple[str, Bools, Cells | None]]:
    """What was read although it is written in another way than ours: code, rows, and the cells that show it."""
    cells = rows.sheet
    for field in _NUMBERS:
        if field in cells.cells:
            for code, pattern in _SIGNS:
                yield code, values.containing(cells.cells[field], pattern), cells.cells[field]
    for column in cells.cells.values():
        if column.mended is not None:
            yield "apostrophe", column.mended[column.codes], column
    shown = None if rows.time_field is None else cells.get(rows.time_field)
    yield "serial_date", rows.moments.serial, shown
    yield "joined_lines", np.isin(cells.line, cells.joined), None
    known = ~pc.is_null(rows.network.operator).to_numpy(zero_copy_only=False)
    yield "operator_inherited", rows.network.inferred & known, cells.get("operator")
    if tenths:
        yield "tenths_of_db", ~values.missing(cells.get("sinr_db")), cells.get("sinr_db")
    for code, mask, field in rows.network.converted:
        yield code, mask, cells.get(field)
