"""What a person should look at in a places file → a CSV that opens in a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from coverage.archive.durable import write_durably
from coverage.exports.files import table_to_csv
from coverage.places.notes import Note

_HEADS = {
    "row": "Dòng",
    "village_id": "Mã thôn",
    "vi": "Điều cần xem",
    "en": "What to look at",
    "code": "Mã lỗi",
}


def write_notes(notes: Sequence[Note], path: Path) -> Path:
    """The file written: one line per note, by row of the places file (empty = the file as a whole)."""
    table = pd.DataFrame([vars(note) for note in notes], columns=list(_HEADS))
    rows = table["row"].astype("Int64").mask(table["row"].eq(0)).astype(object)
    listed = table.assign(row=rows.where(rows.notna(), None)).sort_values("row", kind="stable")
    write_durably(path, table_to_csv(listed.rename(columns=_HEADS)))
    return path
