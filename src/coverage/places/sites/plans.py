"""Whether a listed site is on air, planned or switched off, and since or from when."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from coverage.names import fold, nfc
from coverage.places.dates import day_of, read_days
from coverage.places.vector_files import flags, texts

SYNONYMS = {
    "on_air": ("on_air_date", "Ngày phát sóng", "Ngày hoạt động", "Ngày lên sóng"),
    "planned": (
        *("planned_on_air", "planned_date", "Dự kiến", "Ngày dự kiến", "Dự kiến phát sóng"),
        *("Ngày dự kiến phát sóng", "Thời gian dự kiến", "Kế hoạch"),
    ),
    "state": ("status", "Trạng thái", "Tình trạng"),
}
# Words without tones, spaces and signs. What comes first wins: “chưa phát sóng” is no “phát sóng”.
_WORDS = {
    "off": (
        *("ngung", "dunghoatdong", "dungphatsong", "khonghoatdong", "tatsong", "thanhly", "thaodo"),
        *("tamdung", "dathao", "huhong", "honghoc", "matsong", "ngatsong"),
        *("decommission", "inactive", "switchedoff", "offair", "removed", "dismantled", "broken", "faulty"),
        *("notactive", "notonair", "notoperational", "outofservice"),
    ),
    "planned": (
        *("chua", "kehoach", "dukien", "dexuat", "quyhoach", "dangxaydung", "dangtrienkhai", "dangthicong"),
        *(
            "denghi",
            "chuanbi",
            "dangxay",
            "danglap",
            "khaosat",
            "thamdinh",
            "thietke",
            "nghiemthu",
            "pheduyet",
        ),
        *("chophat", "cholap", "chocap", "choxay", "chohoatdong", "xinphep"),
        *("plan", "pending", "waiting", "upcoming", "propos", "construction", "notyet", "future"),
    ),
    "on": (
        *("phatsong", "lensong", "hoatdong", "vanhanh", "khaithac", "dangdung", "dangsudung", "binhthuong"),
        *("onair", "active", "operational", "live", "inservice", "working", "normal", "existing"),
    ),
}
# The same, where the letters stand in other words too: “hỏng” in “không”, “sẽ” in “series”.
_WHOLE_WORDS = {"off": {"hong", "dừng", "off"}, "planned": {"chờ", "se", "sap"}, "on": {"on", "ok", "tot"}}
_NOT_WORD = re.compile(r"[\W_]+")
_AROUND_A_DAY = re.compile(r"dự kiến|kế hoạch|planned|[():]", re.IGNORECASE)


def read_plans(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Whether each row is on air: on_air (its day; missing = not said), planned, switched_off (true or false), strange.

    `rows` has those columns of `SYNONYMS` that the file has. Planned is what a word calls so in any of them
    (kế hoạch, dự kiến, chưa phát sóng, planned …), and what has a day in the column of plans and none of its
    own. It stays planned when that day has passed: only a list that says so puts a site on air. What waits is
    planned, what is broken or removed is switched off. `strange` is a state that is not understood, where
    nothing else of the row tells (else None): nobody knows whether such a site is on air.
    Raises `PlacesRefused` at a text that is neither a day nor such a word.
    """
    said = pd.DataFrame({column: texts(rows, column).map(_says) for column in SYNONYMS})
    own, plan = (_days(rows, column, path) for column in ("on_air", "planned"))
    named = (said == "planned").any(axis=1)
    named |= flags(rows, "planned").eq(True) | flags(rows, "on_air").eq(False)
    planned = named | (plan.notna() & own.isna() & ~(said == "on").any(axis=1))
    return pd.DataFrame(
        {
            "on_air": own.where(own.notna(), plan.where(planned, None)),
            "planned": planned,
            "switched_off": (said == "off").any(axis=1),
            "strange": _strange(rows, said.notna().any(axis=1) | own.notna() | planned),
        }
    )


def _strange(rows: pd.DataFrame, told: pd.Series[bool]) -> pd.Series:
    strange = texts(rows, "state").where(~told & flags(rows, "state").isna(), None).astype(object)
    return strange.where(strange.notna(), None)


def _says(text: str | None) -> str | None:
    # A column without any text comes as NaN.
    if not isinstance(text, str):
        return None
    key, whole = (
        fold(text),
        {word for one in _NOT_WORD.split(nfc(text).casefold()) for word in (one, fold(one))},
    )
    return next(
        (
            state
            for state, words in _WORDS.items()
            if any(word in key for word in words) or whole & _WHOLE_WORDS[state]
        ),
        None,
    )


def _days(rows: pd.DataFrame, column: str, path: Path) -> pd.Series:
    # “Dự kiến quý III/2026” names a day, “đang xây dựng” and “có” name none; anything else is refused.
    given = texts(rows, column)
    is_word = given.map(_says).notna() | flags(rows, column).notna()
    read = [_bare(text, is_word=word) for text, word in zip(given, is_word, strict=True)]
    return read_days(pd.Series(read, index=rows.index, name=column, dtype=object), path)


def _bare(text: str | None, *, is_word: bool) -> str | None:
    if text is None:
        return None
    day = _AROUND_A_DAY.sub("", text).strip()
    return day if day_of(day) else None if is_word else text
