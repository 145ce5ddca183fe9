"""What a person should look at in a places file that was read all the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Note:
    """Something a person should look at: which village, the sentence in two languages, and the file's row.

    row: as an editor or a spreadsheet counts it, the header's row included; 0 = no row of its own.
    """

    code: str
    village_id: str
    vi: str
    en: str
    row: int = 0


def at_rows(notes: Iterable[Note], rows: Mapping[str, int]) -> list[Note]:
    """The notes, each with the row of its village (`rows`: village_id → row) where it has none of its own."""
    return [replace(note, row=note.row or rows.get(note.village_id, 0)) for note in notes]


def of_counts(counts: Iterable[tuple[int, str, str, str]]) -> list[Note]:
    """A note for each count above nothing: (count, code, vi, en); `{}` in a sentence stands for the count."""
    return [Note(code, "", vi.format(count), en.format(count)) for count, code, vi, en in counts if count]


# What a row is called where the index of a table has that name.
_ROW_WORDS = {"row": ("dòng", "row"), "feature": ("đối tượng", "feature")}


def row_number(label: Hashable) -> int:
    """The row that a label of a table's index stands for: 5 of 5, and of “Xã A!5” (see `sheets`)."""
    return int(str(label).rpartition("!")[2])


def row_words(index: pd.Index, label: Hashable) -> tuple[str, str]:
    """A row in words, Vietnamese and English; `index` is named `row` or `feature`, its labels counted from 1."""
    vi, en = _ROW_WORDS[str(index.name)]
    return f"{vi} {label}", f"{en} {label}"


@dataclass(frozen=True)
class Doubts:
    """Makes the notes of one table: `file` is its name, `index` the table's, named `row` or `feature`.

    headers: our name of a column → the file's own (see `sheets.headers`), for people to find it by.
    """

    file: str
    index: pd.Index
    headers: Mapping[str, str] = field(default_factory=dict)

    def note(self, code: str, label: Hashable, vi: str, en: str, village_id: str = "") -> Note:
        """A note about one row of the table."""
        where_vi, where_en = row_words(self.index, label)
        return Note(
            code,
            village_id,
            f"{self.file}, {where_vi}: {vi}.",
            f"{self.file}, {where_en}: {en}.",
            row_number(label),
        )

    def notes(self, code: str, bad: pd.Series[bool], vi: str, en: str) -> list[Note]:
        """A note about each row where `bad` holds; its index is that of the table or a part of it."""
        return [self.note(code, label, vi, en) for label in bad.index[bad.to_numpy(bool)]]

    def unread(self, raw: pd.Series[Any], bad: pd.Series[bool]) -> list[Note]:
        """A note about each cell that could not be read and counts as missing; `raw` is named by the column."""
        column = self.headers.get(str(raw.name), raw.name)
        return [
            self.note(
                "unreadable",
                label,
                f"cột {column}: không hiểu “{value}”, coi như không rõ",
                f"column {column}: “{value}” is not understood and counts as missing",
            )
            for label, value in zip(raw.index[bad.to_numpy(bool)], raw[bad.to_numpy(bool)], strict=True)
        ]
