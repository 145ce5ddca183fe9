"""The parts that the manifest names: there, unchanged, of their contract, and holding the rows that it says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from coverage.archive.durable import is_sound
from coverage.archive.verification.findings import Finding, damage
from coverage.archive.verification.rows import Row, Seen
from coverage.archive.workspace import Workspace
from coverage.contracts import Table
from coverage.progress import Tell
from coverage.tables import MEASUREMENTS, OUTCOMES, schema

_OUTCOMES = {"duplicates": "duplicate", "rejected": "rejected", "quarantined": "quarantined"}


def check(workspace: Workspace, seen: Seen, tell: Tell) -> Iterator[Finding]:
    """What is wrong with the parts that hold the rows of an upload, withdrawn ones included."""
    stored: dict[str, list[Row]] = defaultdict(list)
    for row in seen.uploads:
        stored[row["stored_in"] or row["measurements_part"]].append(row)
    total = len(stored) + len(seen.uploads)
    for at, (name, rows) in enumerate(stored.items()):
        tell(name, at / total)
        path = workspace.parts / name
        yield from _one(path, MEASUREMENTS) or _measurements(path, rows, seen.compacted.get(name))
    for at, row in enumerate(seen.uploads, len(stored)):
        tell(row["outcomes_part"], at / total)
        path = workspace.parts / row["outcomes_part"]
        yield from _one(path, OUTCOMES) or _outcomes(path, row)


def _one(path: Path, contract: Table) -> list[Finding]:
    """What makes a part useless, one finding at most."""
    if not path.exists():
        return [damage("part_missing", path)]
    if not is_sound(path):
        return [damage("part_changed", path)]
    try:
        there = pq.read_schema(path)
    except (pa.ArrowException, OSError) as fault:
        return [damage("part_unreadable", path, str(fault))]
    return [] if there.equals(schema(contract)) else [damage("part_unreadable", path, contract.name)]


def _measurements(path: Path, rows: list[Row], within: set[str] | None) -> list[Finding]:
    """Rows of other uploads must be ones that are known to lie there: those alone are left out when it is read."""
    found: Counter[str] = Counter()
    for batch in ds.dataset(path).to_batches(columns=["upload_id"]):
        for one in pc.value_counts(batch.column("upload_id")).to_pylist():
            found[one["values"]] += one["counts"]
    told = [
        f"{row['upload_id']}: {found[row['upload_id']]} ≠ {row['accepted'] - row['erased']}"
        for row in rows
        if found[row["upload_id"]] != row["accepted"] - row["erased"]
    ]
    known = within if within is not None else {row["upload_id"] for row in rows}
    told += [f"{upload_id}: {found[upload_id]} ≠ 0" for upload_id in sorted(found.keys() - known)]
    return [damage("part_disagrees", path, "; ".join(told))] if told else []


def _outcomes(path: Path, row: Row) -> list[Finding]:
    """A line may have several reasons, and one end."""
    lines: dict[str, set[int]] = defaultdict(set)
    for batch in ds.dataset(path).to_batches(columns=["line", "outcome"]):
        for one in batch.to_pylist():
            lines[one["outcome"]].add(one["line"])
    told = [
        f"{outcome}: {len(lines[outcome])} ≠ {row[count]}"
        for count, outcome in _OUTCOMES.items()
        if len(lines[outcome]) != row[count]
    ]
    return [damage("part_disagrees", path, "; ".join(told))] if told else []
