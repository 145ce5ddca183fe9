"""Outcomes → how many rows for which reason, and where the first of them stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa


@dataclass(frozen=True)
class Reason:
    """One reason why rows did not become measurements: how many rows, and the first of them."""

    outcome: str
    code: str
    rows: int
    line: int
    column: str | None
    value: str | None


def by_reason(outcomes: pa.Table) -> list[Reason]:
    """The reasons among OUTCOMES rows that are sorted by line; a row with two faults of one code counts once."""
    firsts = [(name, "first") for name in ("line", "column", "value")]
    keep_null = pa.compute.ScalarAggregateOptions(skip_nulls=False)
    asked = [("line", "count_distinct"), *((name, how, keep_null) for name, how in firsts)]
    grouped = outcomes.group_by(["outcome", "code"], use_threads=False).aggregate(asked)
    return [
        Reason(
            one["outcome"],
            one["code"],
            one["line_count_distinct"],
            one["line_first"],
            one["column_first"],
            one["value_first"],
        )
        for one in grouped.to_pylist()
    ]


def together(reasons: Iterable[Reason]) -> list[Reason]:
    """One per outcome and code, rows added up, the first line kept; the most frequent first."""
    found: dict[tuple[str, str], Reason] = {}
    for one in reasons:
        key = (one.outcome, one.code)
        found[key] = replace(found[key], rows=found[key].rows + one.rows) if key in found else one
    return sorted(found.values(), key=lambda one: (-one.rows, one.code))
