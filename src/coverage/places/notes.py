"""What a person should look at in a places file that was read all the same."""

from __future__ import annotations

from dataclasses import dataclass


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
