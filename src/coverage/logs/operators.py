"""Operators: PLMN digits inside (45204), the file's own word where it has no digits."""

from __future__ import annotations

import re
from collections.abc import Mapping

from coverage.logs.quantities import MISSING
from coverage.names import fold

# Words that stand where an operator should and name none. G-NetTrack writes 0 during registration.
NOBODY = MISSING | {"0", "00000", "000000"}
# 45204, 452-04, 452 04, and 45204.0 as spreadsheets and data frames write it.
_PLMN = re.compile(r"^(\d{3})[- /]?(\d{2,3})(?:\.0)?$")


def resolve(text: str | None, names: Mapping[str, str]) -> str | None:
    """The operator that a text names: MCC+MNC digits, a known name's digits, else the text itself.

    `names` maps digits to names (`criteria.operators.names`); letter case, spaces and tones of a name do
    not count. None where the text names nobody: empty, a missing mark or 0.
    """
    stripped = (text or "").strip()
    if stripped.casefold() in NOBODY:
        return None
    digits = _PLMN.match(stripped)
    if digits is not None:
        return digits[1] + digits[2]
    by_name = {fold(name): code for code, name in names.items()}
    return by_name.get(fold(stripped), stripped)
