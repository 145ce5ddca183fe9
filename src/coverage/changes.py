"""What evidence would change each village's status, in one sentence, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

_FAIL_VI, _FAIL_EN = (
    "khác máy, khác ngày, khác điểm",
    "each of another phone, on another day, at another spot",
)
_PASS_VI, _PASS_EN = "khác máy, sóng tốt hơn ngưỡng 10 dB", "each of another phone, 10 dB above the threshold"


def of_villages(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The Vietnamese and the English sentence of each row: of the place that decides, by `what_if.with_changes`."""
    pairs = [_sentence(row) for row in table.to_dict("records")]
    return [vi for vi, _ in pairs], [en for _, en in pairs]


def _sentence(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["status"] == "chua_co_du_lieu":
        return "Đo tại nhà văn hoá và các cụm dân cư.", "Measure at the centre and at the clusters."
    if row["status"] in {"trang_song", "lom_song"}:
        return _of_a_dead_one(row)
    parts = [part for part in (_to_doubt(row), _to_dead(row), _to_covered(row)) if part]
    if not parts:
        return "Cần đo thêm nhiều lần, nhiều máy, nhiều ngày.", "It takes many more tests, phones and days."
    return _said("; ".join(vi for vi, _ in parts)), _said("; ".join(en for _, en in parts))


def _said(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _of_a_dead_one(row: Mapping[Any, Any]) -> tuple[str, str]:
    ends = row["tests_to_overturn"]
    if pd.isna(ends):
        vi, en = "hơn 30 lần thử đạt mới xoá được kết luận", "more than 30 passing tests to overturn it"
    else:
        vi = f"{ends} lần thử đạt ({_PASS_VI}) thì chưa đủ để kết luận mất sóng"
        en = f"{_passes(ends)} ({_PASS_EN}) and it is a dead place no more"
    covered = row["passes_to_covered"]
    if pd.notna(covered):
        vi, en = f"{vi}; {covered} lần thì coi là có sóng", f"{en}; {covered} and it is covered"
    return _said(vi), _said(en)


def _to_doubt(row: Mapping[Any, Any]) -> tuple[str, str] | None:
    more = row["tests_to_overturn"]
    if pd.isna(more):
        return None
    return (
        f"thêm {more} lần mất sóng ({_FAIL_VI}) là chưa chắc có sóng",
        f"{_fails(more)} ({_FAIL_EN}) and it is in doubt",
    )


def _to_dead(row: Mapping[Any, Any]) -> tuple[str, str] | None:
    more = row["fails_to_dead"]
    if pd.isna(more):
        return None
    fails = "1 more fail" if more == 1 else f"{more} more fails"
    return (
        f"thêm {more} lần mất sóng ({_FAIL_VI}) là vùng trắng",
        f"{fails} ({_FAIL_EN}) and it is a dead place",
    )


def _to_covered(row: Mapping[Any, Any]) -> tuple[str, str] | None:
    more = row["passes_to_covered"]
    if pd.isna(more):
        return None
    return (
        f"thêm {more} lần thử đạt ({_PASS_VI}) là có sóng",
        f"{_passes(more)} ({_PASS_EN}) and it is covered",
    )


def _passes(more: int) -> str:
    return "1 clean pass" if more == 1 else f"{more} clean passes"


def _fails(more: int) -> str:
    return "1 more fail" if more == 1 else f"{more} more fails"
