"""What a person should look at in a places file that was read all the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """Something a person should look at: which village, and the sentence in two languages."""

    code: str
    village_id: str
    vi: str
    en: str
