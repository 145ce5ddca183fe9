"""How many rows for which reason or fix, and where the first of them stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import pyarrow as pa

from coverage.logs.readings import Fix


@dataclass(frozen=True)
class Reason:
    """One reason why rows did not become measurements: how many rows, and the first of them."""

    outcome: str
    code: str
    rows: int
    line: int
    column: str | None
    value: str | None

    @property
    def key(self) -> tuple[str, str]:
        """Reasons of one key are one, their rows added up."""
        return self.outcome, self.code


Counted = TypeVar("Counted", Reason, Fix)


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


def together(counted: Iterable[Counted]) -> list[Counted]:
    """One for all of one key, their rows added up, the rest as the first has it; in the order of the firsts."""
    found: dict[tuple[str, str | None], Counted] = {}
    for one in counted:
        before = found.get(one.key)
        found[one.key] = one if before is None else replace(before, rows=before.rows + one.rows)
    return list(found.values())
