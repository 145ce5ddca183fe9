"""A field file → its readings: measurements, outcomes and counts in which every row is accounted for."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coverage.errors import FileRefused
from coverage.logs import containers, detect, filename, operators, service, times, values
from coverage.logs import context as contexts
from coverage.logs.context import Context
from coverage.logs.judge import Rows, judge
from coverage.logs.lines import lines_of
from coverage.logs.measurements import Origin, measurements
from coverage.logs.sheet import Sheet, sheet
from coverage.logs.text import readable
from coverage.tables import OUTCOMES, check

UPLOAD_ID_DIGITS = 16
MAX_ACCURACY_M = 50.0  # Bundesnetzagentur drops positions that are worse
# What simulated rows say of themselves, in some cell of theirs; looked for in the first mebibyte.
SIMULATED = re.compile(rb"\bsimulated\b", re.IGNORECASE)
SIMULATED_WITHIN = 1 << 20


@dataclass(frozen=True)
class Reading:
    """One file, read.

    file: its name, "box.zip/inner/a.csv" for a member; sha256: of its bytes; upload_id: the first 16 digits;
    context: as resolved, its device a keyed hash or "unknown"; rows = accepted + duplicates + rejected +
    quarantined, always; no_service and unknown_level count rows as read, duplicates and unusable ones
    included; simulated: the file says so in its rows; measurements, outcomes: the tables of that name in
    `tables`.
    """

    file: str
    sha256: str
    upload_id: str
    format: str
    context: Context
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    quarantined: int
    no_service: int
    unknown_level: int
    simulated: bool
    measurements: pa.Table
    outcomes: pa.Table


@dataclass(frozen=True)
class Refused:
    """A member of a container that cannot be measurements, and why; the other members are read all the same."""

    file: str
    sha256: str | None
    error: FileRefused


@dataclass(frozen=True)
class Rules:
    """What reading needs besides the file: the key, the operators' names, the time now.

    earlier: upload id → the context those bytes were read with before; None where they are new.
    """

    device_key: bytes
    operator_names: Mapping[str, str]
    now: datetime.datetime
    earlier: Callable[[str], Context | None]


def _new(_upload_id: str) -> None:
    return None


def read_file(
    path: Path,
    context: Context,
    *,
    device_key: bytes,
    operator_names: Mapping[str, str],
    now: datetime.datetime | None = None,
    earlier: Callable[[str], Context | None] = _new,
) -> Iterator[Reading | Refused]:
    """The file's reading; for a zip one `Reading` or `Refused` per member, in the zip's order.

    earlier: the context that an upload id was read with before, which holds where `context` says nothing;
    operator_names: digits → name, for operators given by name; now: aware, default the clock: readings more
    than a day later are quarantined. Raises `FileRefused` for a file, or a zip as a whole, that cannot be
    measurements; of a member that cannot, a `Refused` is yielded instead.
    """
    rules = Rules(device_key, operator_names, now or datetime.datetime.now(datetime.UTC), earlier)
    for packed in containers.files(path):
        yield _read_packed(packed, context, rules, alone=packed.file == path.name)


def _read_packed(
    packed: containers.Packed, context: Context, rules: Rules, *, alone: bool
) -> Reading | Refused:
    data = packed.data
    if isinstance(data, FileRefused):
        return Refused(packed.file, None, data)
    try:
        return read_bytes(packed.file, data, context, rules)
    except FileRefused as refusal:
        if alone:
            raise
        return Refused(packed.file, hashlib.sha256(data).hexdigest(), refusal)


def read_bytes(file: str, data: bytes, context: Context, rules: Rules) -> Reading:
    """The reading of one file's bytes; raises `FileRefused`."""
    sha256 = hashlib.sha256(data).hexdigest()
    said = operators.resolve(context.operator, rules.operator_names)
    before = rules.earlier(sha256[:UPLOAD_ID_DIGITS])
    context = contexts.with_earlier(context, before)
    zone = contexts.zone(context)
    lines = lines_of(readable(data, file))
    layout, first = detect.find(lines, file, context.format)
    name = filename.read(file.rsplit("/", 1)[-1], layout.format.file_name)
    known = replace(
        contexts.resolve(context, name, rules.device_key, rules.operator_names), format=layout.format.name
    )
    if context.device is None and before is not None and before.device is not None:
        known = replace(known, device=before.device)
    cells = sheet(lines, first, layout, file)
    network = service.read(cells, layout.format, known, rules.operator_names, said)
    rows = _rows(cells, network, known, zone)
    simulated = SIMULATED.search(data[:SIMULATED_WITHIN]) is not None
    return _reading(file, sha256, known, rows, rules, simulated=simulated)


def _rows(cells: Sheet, network: service.Network, context: Context, zone: ZoneInfo) -> Rows:
    lat, lon = values.numbers(cells.get("lat")), values.numbers(cells.get("lon"))
    accuracy = values.numbers(cells.get("accuracy_m"))
    field = next((name for name in ("time", "time_utc") if name in cells.cells), None)
    if field is None:
        moments = times.of_date(context.date, len(cells.line), zone)
    else:
        written_in = zone if field == "time" else ZoneInfo("UTC")
        moments = times.read(cells.get(field), zone, written_in)
    return Rows(cells, lat, lon, accuracy, moments, field, network)


def _reading(
    file: str, sha256: str, context: Context, rows: Rows, rules: Rules, *, simulated: bool
) -> Reading:
    now = np.datetime64(rules.now.astimezone(datetime.UTC).replace(tzinfo=None), "us")
    verdicts = judge(rows, now, MAX_ACCURACY_M)
    upload_id = sha256[:UPLOAD_ID_DIGITS]
    without = pc.is_in(rows.network.state, value_set=pa.array(service.WITHOUT_SERVICE))
    served = ~without.to_numpy(zero_copy_only=False)
    return Reading(
        file=file,
        sha256=sha256,
        upload_id=upload_id,
        format=context.format or "",
        context=context,
        rows=rows.sheet.rows,
        accepted=len(verdicts.accepted),
        duplicates=verdicts.duplicates,
        rejected=verdicts.rejected,
        quarantined=verdicts.quarantined,
        no_service=int(pc.sum(pc.equal(rows.network.state, "no_service")).as_py() or 0),
        unknown_level=int((served & ~rows.network.has_level & ~_bad_level(rows)).sum()),
        simulated=simulated,
        measurements=measurements(rows, verdicts.accepted, Origin(upload_id, context, rules.device_key)),
        outcomes=check(OUTCOMES, verdicts.outcomes),
    )


def _bad_level(rows: Rows) -> service.Bools:
    """Rows whose level cell is no number: they are rejected, their level is not merely unknown."""
    wrong = np.zeros(len(rows.sheet.line), bool)
    for one in rows.network.bad_level.values():
        wrong |= one
    return wrong
