"""A field file → its readings: measurements, outcomes and counts in which every row is accounted for."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as NamesOf
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coverage import text
from coverage.errors import FileRefused
from coverage.logs import containers, detect, documents, filename, operators, service, tally
from coverage.logs import context as contexts
from coverage.logs.blocks import Fixed, Part, Reader, read_block
from coverage.logs.context import Context
from coverage.logs.judge import Limits, outcome_lines
from coverage.logs.lines import Lines, below, lines_of, numbered, rows_joined
from coverage.logs.mappings import Mapping, of_team
from coverage.logs.measurements import Origin
from coverage.logs.readings import COUNTS, Batch, Fix, Log, Reading, Refused
from coverage.logs.repeats import Seen
from coverage.logs.sheet import width, widths
from coverage.logs.survey import survey
from coverage.logs.verify import SAMPLE_LINES, verified
from coverage.logs.workers import side_by_side
from coverage.tables import MEASUREMENTS, OUTCOMES, check, schema

UPLOAD_ID_DIGITS = 16
MAX_ACCURACY_M = 50.0  # Bundesnetzagentur drops positions that are worse


def _new(_upload_id: str) -> None:
    return None


@dataclass(frozen=True)
class Rules:
    """What reading needs besides the file.

    device_key: under which devices are stored; operator_names: digits → name, for operators given by name;
    now: aware, None = the clock: readings more than a day later are quarantined; earlier: upload id → the
    context those bytes were read with before, which holds where the upload says nothing, None where they are
    new; area: west, south, east, north in degrees: readings outside are quarantined, None = anywhere; mappings:
    the workspace's own formats.
    """

    device_key: bytes
    operator_names: NamesOf[str, str]
    now: datetime.datetime | None = None
    earlier: Callable[[str], Context | None] = _new
    area: tuple[float, float, float, float] | None = None
    mappings: tuple[Mapping, ...] = ()
    scratch: Path | None = None


def open_logs(path: Path, context: Context, rules: Rules) -> Iterator[Log | Refused]:
    """The file, recognised; for a zip or workbook one `Log` or `Refused` per member, in its order.

    Read the batches of one before asking for the next. Raises `FileRefused` for a file, or a container as a
    whole, that cannot be measurements; of a member that cannot, a `Refused` is yielded instead.
    """
    for packed in containers.files(path):
        try:
            yield _recognised(packed, context, rules)
        except FileRefused as refusal:
            if packed.file == containers.shown(path.name):
                raise
            yield Refused(packed.file, refusal)


def read_file(path: Path, context: Context, **rules: Any) -> Iterator[Reading | Refused]:  # noqa: ANN401
    """The file's reading, whole in memory: `open_logs` with the fields of `Rules` as arguments."""
    for log in open_logs(path, context, Rules(**rules)):
        yield log if isinstance(log, Refused) else whole(log)


def whole(log: Log) -> Reading:
    """All batches of a log together."""
    batches = list(log.batches())
    about = {name: value for name, value in vars(log).items() if name not in {"_batches", "read_with"}}
    counts = {name: sum(getattr(one, name) for one in batches) for name in COUNTS}
    tables = {
        contract.name: pa.concat_tables(
            [schema(contract).empty_table(), *(getattr(one, contract.name) for one in batches)]
        )
        for contract in (MEASUREMENTS, OUTCOMES)
    }
    fixes = tally.together(fix for one in batches for fix in one.fixes)
    return Reading(**about, **counts, **tables, fixes=fixes)


def _recognised(packed: containers.Packed, context: Context, rules: Rules) -> Log:
    told = text.recognise(packed.chunks(), packed.file)
    upload_id = told.sha256[:UPLOAD_ID_DIGITS]
    before = rules.earlier(upload_id)
    said = operators.resolve(context.operator, rules.operator_names)
    context = contexts.with_earlier(context, before)
    zone = contexts.zone(context)
    blocks = _source(packed, told)
    head = next(numbered(blocks()), lines_of(b"\n"))
    own = of_team(rules.mappings, context.team, context.format)
    layout, first = detect.find(head, packed.file, context.format, own)
    if layout.names[0] == documents.PLACE:
        layout = replace(layout, positions={**layout.positions, "place": 0})
    rows = head.after(first)
    layout = replace(layout, width=width(rows.first(SAMPLE_LINES).array(), layout))
    layout = verified(layout, rows, packed.file, rules.operator_names)
    lines = partial(_rows, blocks, layout, first)
    name = filename.read(packed.file.rsplit("/", 1)[-1], layout.format.file_name)
    known = replace(
        contexts.resolve(context, name, rules.device_key, rules.operator_names), format=layout.format.name
    )
    if context.device is None and before is not None and before.device is not None:
        known = replace(known, device=before.device)
    facts = survey(lines(), layout, packed.file, rules.operator_names)
    reader = Reader(
        packed.file,
        layout,
        known,
        zone,
        rules.operator_names,
        service.heir(facts.operators, said, known),
        facts.day_first if known.date_order is None else known.date_order == "dmy",
        _limits(rules),
        Origin(upload_id, known, rules.device_key, layout.tenths),
    )
    return Log(
        file=packed.file,
        sha256=told.sha256,
        upload_id=upload_id,
        format=layout.format.name,
        confidence=layout.confidence,
        context=known,
        columns=layout.columns(),
        dropped=detect.personal(layout.names),
        simulated=told.simulated,
        read_with={
            "area": None if rules.area is None else [round(edge, 3) for edge in rules.area],
            "mapping": next((one.digest for one in rules.mappings if one.format is layout.format), None),
        },
        _batches=lambda: _read(lines(), reader, rules.scratch),
    )


def _source(packed: containers.Packed, told: text.Text) -> Callable[[], Iterator[bytes]]:
    """How the text of a file is opened, in blocks; a structured file is opened as the table made of it."""

    def plain() -> Iterator[bytes]:
        return text.blocks(packed.chunks(), told)

    def table() -> Iterator[bytes]:
        return documents.blocks(
            kind or "", text.whole(packed.chunks(), told, documents.MAX_BYTES), packed.file
        )

    kind = documents.recognise(next(plain(), b""))
    return plain if kind is None else table


def _rows(blocks: Callable[[], Iterator[bytes]], layout: detect.Layout, first: int) -> Iterator[Lines]:
    """The lines from the first row on, a block at a time; rows whose cells hold line breaks are joined."""
    # The lines above are cut off before: a stray quote in the header must not draw a row to it.
    rows = rows_joined(below(blocks(), first), layout.delimiter, widths(layout))
    return numbered(rows, first + 1)


def _limits(rules: Rules) -> Limits:
    clock = (rules.now or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC)
    now = np.datetime64(clock.replace(tzinfo=None), "us")
    return Limits(now, MAX_ACCURACY_M, rules.area)


def _read(lines: Iterable[Lines], reader: Reader, scratch: Path | None) -> Iterator[Batch]:
    seen = Seen(scratch)
    for part in side_by_side(partial(read_block, reader=reader), lines):
        yield _batch(part, seen)


def _batch(part: Part, seen: Seen) -> Batch:
    """The part without the rows that repeat an earlier one."""
    origin = np.zeros(len(part.line), np.int64)  # the line that each sound row repeats
    origin[part.keys.row] = seen.repeats(part.keys, part.line)
    first = part.keys.first
    origin[part.keys.again] = np.where(origin[first] == 0, part.line[first], origin[first])
    kept = origin == 0
    again = np.flatnonzero(~kept)
    repeated = outcome_lines(
        part.line[again],
        "duplicate",
        ("duplicate_row",) * len(again),
        None,
        pa.array(origin[again]).cast(pa.string()),
    )
    outcomes = pa.concat_tables([part.outcomes, repeated])
    fixed = [one for one in part.fixed if (one.rows & kept).any()]
    return Batch(
        rows=part.rows,
        duplicates=len(again),
        rejected=part.rejected,
        quarantined=part.quarantined,
        no_service=part.no_service,
        unknown_level=part.unknown_level,
        fixed=int((np.any([one.rows for one in fixed], axis=0) & kept).sum()) if fixed else 0,
        fixes=[_fix(one, kept, part.line) for one in fixed],
        measurements=_only(part.measurements, kept[part.single]),
        outcomes=check(OUTCOMES, outcomes.sort_by([("line", "ascending"), ("code", "ascending")])),
    )


def _only(table: pa.Table, kept: npt.NDArray[np.bool_]) -> pa.Table:
    return table if kept.all() else table.filter(pa.array(kept))


def _fix(fixed: Fixed, kept: npt.NDArray[np.bool_], line: npt.NDArray[np.int64]) -> Fix:
    at, column, value = fixed.first(kept)
    return Fix(fixed.code, int((fixed.rows & kept).sum()), int(line[at]), column, value)
