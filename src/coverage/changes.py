"""What evidence would change a village's status or a hex's verdict, in one sentence, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

_OTHERS = "khác máy, khác ngày, khác điểm", "each of another phone, on another day, at another spot"
_CLEAN = "sóng cao hơn ngưỡng 10 dB", "10 dB above the threshold"
_MEASURE = {
    "polygon": ("Đo ở nơi có người ở trong thôn.", "Measure where people live in the village."),
    "settled": ("Đo tại các khu có người ở.", "Measure in the settled parts."),
    "clusters": ("Đo tại nhà văn hoá và các cụm dân cư.", "Measure at the centre and at the clusters."),
}
Both = tuple[str, str]
# Imagined tests come at other spots, where they answer nothing (`hex_sums`).
_ANSWERS = (
    " Hãy đo lại ở chỗ từng mất sóng: mỗi lần đạt trả lời một lần mất sóng trước khi có trạm mới.",
    " Measure again where it failed: each pass answers one fail of before the new site.",
)
_READ = [
    "verdict",
    "sub_reason",
    "basis",
    "place_id",
    "tests_to_overturn",
    "fails_to_dead",
    "passes_to_covered",
]


def of_villages(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The Vietnamese and the English sentence of each row: of the place that decides, by `what_if.with_changes`."""
    pairs = [_sentence(row) for row in table[_READ].to_dict("records")]
    return [vi for vi, _ in pairs], [en for _, en in pairs]


def _sentence(row: Mapping[Any, Any]) -> Both:
    if row["verdict"] == "no_data":
        return _MEASURE[row["basis"]]
    return told(row, _where(str(row["place_id"])))


def told(row: Mapping[Any, Any], where: Both) -> Both:
    """What would change the verdict of a row that was measured, by `what_if.with_changes`; where: "At the centre"."""
    parts = _of_a_dead_place(row) if row["verdict"] == "dead_zone" else _of_another(row)
    again = _ANSWERS if row["sub_reason"] == "pre_change" else ("", "")
    if not parts:
        return (
            f"{where[0]}: cần đo thêm nhiều lần, nhiều máy, nhiều ngày.{again[0]}",
            f"{where[1]}: it takes many more tests, phones and days.{again[1]}",
        )
    vi, en = ("; ".join(texts) for texts in zip(*parts, strict=True))
    return f"{where[0]}: {vi} ({_OTHERS[0]}).{again[0]}", f"{where[1]}: {en} ({_OTHERS[1]}).{again[1]}"


def _where(place_id: str) -> Both:
    kind, _, name = place_id.rpartition("/")
    if kind.endswith("/c"):
        return f"Ở cụm {name}", f"At cluster {name}"
    if kind.endswith("/s"):
        return f"Ở khu có người ở số {name}", f"In settled part {name}"
    return ("Ở trung tâm thôn", "At the centre") if name == "centre" else ("Trong thôn", "In the village")


def _of_a_dead_place(row: Mapping[Any, Any]) -> list[Both]:
    ends, covered = row["tests_to_overturn"], row["passes_to_covered"]
    if pd.isna(ends):
        return [
            ("hơn 30 lần thử đạt mới đổi được kết luận", "it takes more than 30 clean passes to overturn it")
        ]
    vi, en = _passes(ends)
    found = [(f"{vi} thì không còn là vùng trắng", f"{en} and it is a dead place no more")]
    if pd.notna(covered):
        found.append((f"{covered} lần thì coi là có sóng", f"{covered} and it is covered"))
    return found


def _of_another(row: Mapping[Any, Any]) -> list[Both]:
    doubt, dead, covered = row["tests_to_overturn"], row["fails_to_dead"], row["passes_to_covered"]
    found = []
    if pd.notna(doubt):
        found.append((f"{_fails(doubt)[0]} thì chưa chắc có sóng", f"{_fails(doubt)[1]} and it is in doubt"))
    if pd.notna(dead):
        found.append((f"{_fails(dead)[0]} thì là vùng trắng", f"{_fails(dead)[1]} and it is a dead place"))
    if pd.notna(covered):
        vi, en = _passes(covered)
        found.append((f"thêm {vi} thì là có sóng", f"{en} and it is covered"))
    return found


def _fails(count: int) -> Both:
    return f"thêm {count} lần mất sóng", f"{count} more fail{'' if count == 1 else 's'}"


def _passes(count: int) -> Both:
    return (
        f"{count} lần thử đạt, {_CLEAN[0]},",
        f"{count} clean pass{'' if count == 1 else 'es'}, {_CLEAN[1]},",
    )
