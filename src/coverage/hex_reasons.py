"""What was found in a hex for one operator, and what would change it: each in one sentence, Vietnamese and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coverage import changes
from coverage.reasons import Both, tests_told, unmeasured, weakness

_FOUND = {
    "dead_zone": ("vùng chết sóng", "a dead zone"),
    "below_standard": ("có sóng nhưng yếu, dưới chuẩn", "a signal, but a weak one, below standard"),
    "covered": ("có sóng dùng được", "covered"),
}
# Who may not see what few phones measured cannot be told that nobody measured.
_NOT_SHOWN = (
    "không có số liệu công bố: chưa đo, hoặc quá ít máy đo để công bố (không có nghĩa là không có sóng)",
    "nothing published: not measured, or by too few phones to be shown (which does not mean no signal)",
)
_MEASURE = "Đo trong ô này.", "Measure in this hex."
_HERE = "Trong ô này", "In this hex"


def reason(row: Mapping[Any, Any], headline_dbm: Mapping[str, float]) -> Both:
    """What was found, of a row of HEX_VERDICTS; missing values are None. headline_dbm: threshold by technology."""
    if row["verdict"] == "no_data":
        return _sentence(unmeasured(row))
    vi, en = tests_told(row, _day)
    if row["verdict"] in _FOUND:
        found, at = _FOUND[row["verdict"]], _threshold(headline_dbm)
        return _sentence((f"{vi}: {found[0]} {at[0]}", f"{en}: {found[1]} {at[1]}"))
    weak = weakness(row["sub_reason"])
    return _sentence((f"{vi}: {weak[0]}", f"{en}: {weak[1]}"))


def reason_of_nothing(*, hidden: bool = False) -> Both:
    """That the hex was not measured for the operator; hidden: or that it is not for this reader to see."""
    return _sentence(_NOT_SHOWN if hidden else unmeasured({"expired_tests": 0}))


def change(row: Mapping[Any, Any] | None) -> Both:
    """What would change the verdict, of a row of HEX_VERDICTS; None = the hex was not measured for the operator."""
    if row is None or row["verdict"] == "no_data":
        return _MEASURE
    return changes.told(row, _HERE)


def _threshold(headline_dbm: Mapping[str, float]) -> Both:
    level = headline_dbm.get("LTE")
    if level is None:
        return "ở ngưỡng của bộ tiêu chí", "at the threshold of the criteria"
    return f"ở ngưỡng {level:g} dBm (LTE)", f"at the threshold of {level:g} dBm (LTE)"


def _day(time: datetime) -> Both:
    return f"{time:%d/%m/%Y}", f"on {time:%Y-%m-%d}"


def _sentence(both: Both) -> Both:
    vi, en = (f"{text[0].upper()}{text[1:]}." for text in both)
    return _with_minus(vi), _with_minus(en)


def _with_minus(text: str) -> str:
    # A hyphen may end a line between the sign and its number. Days keep theirs.
    return re.sub(r"(?<!\d)-(?=\d)", "−", text)
