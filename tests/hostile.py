"""Hostile field files: what is true, how each app writes it, and what must become of it.

A case is bytes and the outcome that the documentation promises for them. Nothing here asks the program: the
expected rows are made from the truth, the way a crew knows what it measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Cells = dict[str, str]
LEVEL_COLUMN = {"LTE": "rsrp_dbm", "NR": "ss_rsrp_dbm", "UMTS": "rscp_dbm", "GSM": "rxlev_dbm"}
ZONE = timedelta(hours=7)
START = datetime(2026, 10, 30, 8, 0, 0)


@dataclass(frozen=True)
class Refusal:
    """The file cannot be measurements; says: a part of the English message."""

    says: str = ""


@dataclass(frozen=True)
class Counts:
    """What becomes of the rows; held: line → what the accepted row there holds; codes, fixes: how many rows of each."""

    rows: int
    accepted: int
    duplicates: int = 0
    rejected: int = 0
    quarantined: int = 0
    no_service: int = 0
    codes: Mapping[str, int] = field(default_factory=dict)
    fixes: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A hostile file: its name, its bytes, what the upload says of it, and the outcome of each file inside."""

    name: str
    file: str
    data: bytes
    expect: Refusal | Counts | Mapping[str, Refusal | Counts]
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcomes(self) -> list[Refusal | Counts]:
        """One for each file that is inside."""
        return list(self.expect.values()) if isinstance(self.expect, Mapping) else [self.expect]

    @property
    def exit_code(self) -> int:
        """As docs/running.md promises: 2 something refused, 3 some rows refused, 0 all is well."""
        if any(isinstance(one, Refusal) for one in self.outcomes):
            return 2
        return 3 if any(one.rejected or one.quarantined for one in self.outcomes) else 0


@dataclass(frozen=True)
class Truth:
    """What a phone met: technology None = no service there."""

    at: datetime
    lat: float
    technology: str | None
    level: int | None
    lon: float = 108.44
    operator: str = "45204"


TECHNOLOGIES = ("LTE", "LTE", "UMTS", None, "GSM", "LTE", None, "NR", "LTE", "UMTS", "GSM", "NR")
ROWS = tuple(
    Truth(
        START + timedelta(seconds=10 * i),
        round(11.94 + i * 0.0005, 4),
        tech,
        None if tech is None else -70 - i,
    )
    for i, tech in enumerate(TECHNOLOGIES)
)


@dataclass(frozen=True)
class Writer:
    """How an app writes the truth: `cells` of one row by column, `text` of them all; which rows it can tell at all.

    columns: what a hostile row may change → the app's name of it; first_line: of the first row; camped: a
    technology alone means service; states: a row says itself that there is service; table: rows are lines of
    cells; beside: code → cells of a row that is no reading of the serving cell; header_again: the code of a
    header among the rows, and how often.
    """

    name: str
    file: str
    cells: Callable[[Truth], Cells]
    columns: Mapping[str, str]
    technologies: frozenset[str | None] = frozenset({"LTE", "UMTS", "GSM", "NR", None})
    delimiter: str = ","
    first_line: int = 2
    above: str = ""
    camped: bool = False
    states: bool = False
    table: bool = True
    levels: bool = True
    render: Callable[[Sequence[Cells]], str] | None = None
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    header_again: tuple[str, int] = ("bad_coordinate", 2)

    def rows(self) -> list[Truth]:
        """The rows of the truth that the app can tell."""
        return [row for row in ROWS if row.technology in self.technologies]

    def text(self, rows: Sequence[Cells]) -> str:
        """The file as the app would write it, a newline after each line."""
        if self.render is not None:
            return self.render(rows)
        lines = [self.delimiter.join(rows[0])]
        lines += [self.delimiter.join(quoted(one, self.delimiter) for one in row.values()) for row in rows]
        return self.above + "\n".join(lines) + "\n"

    def held(self, row: Truth) -> dict[str, Any]:
        """What the measurement of the row must hold."""
        levels: dict[str, float | None] = dict.fromkeys(LEVEL_COLUMN.values())
        if row.technology is not None and self.levels:
            levels[LEVEL_COLUMN[row.technology]] = row.level
        state = "no_service" if row.technology is None else "in_service"
        return levels | {
            "time_utc": row.at - ZONE, "lat": row.lat, "lon": row.lon, "operator": row.operator,
            "technology": row.technology, "service_state": state,
        }  # fmt: skip

    def truth(self) -> dict[int, dict[str, Any]]:
        """Line → what it must hold, where nothing is wrong."""
        return {self.first_line + i: self.held(row) for i, row in enumerate(self.rows())}

    def sound(self) -> Counts:
        """All rows accepted."""
        truth = self.truth()
        return Counts(len(truth), len(truth), no_service=silent(truth), held=truth)


def silent(truth: Mapping[int, Mapping[str, Any]]) -> int:
    """How many rows say that there is no service."""
    return sum(row["service_state"] == "no_service" for row in truth.values())


def quoted(cell: str, delimiter: str) -> str:
    """A cell as CSV has it."""
    return '"' + cell.replace('"', '""') + '"' if delimiter in cell or '"' in cell else cell
