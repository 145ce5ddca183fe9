"""The reason of each village's status in one sentence, in Vietnamese and in English; its parts also speak of hexes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

Both = tuple[str, str]
_HOME = re.compile(r"/(c|s)/([^/;]+)(?:;|$)")  # the clusters and settled parts among place ids
_WEAKNESS = {
    "thin": ("còn quá ít lần đo", "too few tests so far"),
    "mixed": ("kết quả đo trái ngược nhau", "the tests contradict each other"),
    "single_device": ("chỉ có một máy đo (hoặc máy không rõ)", "only one phone (or an unknown one) measured"),
    "single_occasion": ("chỉ đo trong một dịp", "measured on one occasion only"),
    "single_spot": ("chỉ mất sóng ở một điểm đo", "it failed at one spot only"),
    "suspected_outage": (
        "có thể chỉ là sự cố: mất sóng trong một ngày, hoặc đúng lúc đã báo mất điện, mất mạng",
        "possibly an outage: it failed on one day only, or while power or network was known to be down",
    ),
    "unmeasured_part": (
        "trung tâm thôn hoặc một cụm dân cư chưa đo",
        "the centre or a cluster was not measured",
    ),
    "positive_only_source": (
        "hầu như chỉ có dữ liệu của ứng dụng không ghi lúc mất sóng",
        "mostly sources that never record a lost signal measured here",
    ),
    "vehicle": (
        "phần lớn chỉ đo trong xe, sóng yếu có thể do thân xe",
        "mostly measured inside a vehicle, which may be why the signal was weak",
    ),
    "pre_change": (
        "mất sóng trước khi trạm mới gần đó phát sóng, chưa đo lại đủ",
        "it failed before a new site nearby went on air, and was not measured enough since",
    ),
    "stale": (
        "phần lớn lần đo đã quá hạn, cần đo lại",
        "most tests are too old to count; measure again",
    ),
    "near_threshold": (
        "mức sóng sát ngưỡng",
        "the level is too near the threshold",
    ),
    "weak_service": ("đã đo đủ: có sóng nhưng yếu", "enough tests: there is a signal, but a weak one"),
}
_ASIDE = {
    "outage_tests": (
        "không tính {} lần đo đúng lúc đã báo sự cố",
        "{} set aside, made during a known outage",
    ),
    "pre_change_tests": (
        "không tính {} lần mất sóng trước khi trạm mới phát sóng",
        "{} set aside, made before a new site went on air",
    ),
    "vehicle_tests": (
        "không tính {} lần sóng yếu trong xe",
        "weak inside a vehicle and left undecided: {}",
    ),
    "positive_only_tests": (
        "{} lần từ ứng dụng không ghi lúc mất sóng",
        "{} of them from sources that never record a lost signal",
    ),
}
_CENTRE = {
    "covered": ("trung tâm thôn có sóng", "the centre is covered"),
    "below_standard": ("trung tâm thôn sóng yếu", "the centre has a weak signal"),
    "not_enough_evidence": ("trung tâm thôn chưa đủ bằng chứng", "the centre lacks evidence"),
    "no_data": ("trung tâm thôn chưa đo", "the centre is unmeasured"),
}
_POWER = {
    True: ("đã có điện lưới", "on the national grid"),
    False: ("chưa có điện lưới", "not on the national grid"),
}
_POWER_UNPROVEN = ("chưa xác minh điện lưới", "grid power not proven")
_POWER_DISPUTED = (
    "các nguồn tin về điện lưới trái ngược nhau",
    "the sources on grid power contradict each other",
)
_BASIS = {
    "polygon": (
        "; chưa rõ cụm dân cư nên xét cả ranh giới thôn",
        "; clusters unknown, so the whole village polygon was judged",
    ),
    "settled": (
        "; chưa rõ cụm dân cư nên xét các khu có người ở theo bản đồ dân số",
        "; clusters unknown, so the settled parts of the population raster were judged",
    ),
    "clusters": ("", ""),
}

# What the sentences are made of: to take a village's other columns out one by one would cost more than to write them.
_READ = [
    *(
        "status",
        "operator_name",
        "electrified",
        "power_conflict",
        "basis",
        "centre_verdict",
        "dead_places",
        "sub_reason",
    ),
    *("tests", "fails", "devices", "dates", "expired_tests", *_ASIDE),
    *("last_test_utc", "no_service_share", "median_rsrp_dbm"),
]


def of_villages(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The Vietnamese and the English sentence of each row of VILLAGE_VERDICTS."""
    pairs = [_sentence(row) for row in table[_READ].to_dict("records")]
    return [vi for vi, _ in pairs], [en for _, en in pairs]


def _sentence(row: Mapping[Any, Any]) -> Both:
    vi, en = _HEADS[row["status"]](row)
    if row["status"] in {"trang_song", "lom_song"}:
        unproven = _POWER_DISPUTED if row["power_conflict"] else _POWER_UNPROVEN
        power = _POWER.get(row["electrified"], unproven)
        vi, en = f"{vi}; {power[0]}", f"{en}; {power[1]}"
    if row["status"] != "chua_co_du_lieu":
        basis = _BASIS[row["basis"]]
        vi, en = vi + basis[0], en + basis[1]
    name = row["operator_name"]
    return f"{name}: {vi}.", f"{name}: {en}."


def _trang_song(row: Mapping[Any, Any]) -> Both:
    vi, en = tests_told(row)
    return f"trung tâm thôn không có sóng dùng được ({vi})", f"no usable signal at the village centre ({en})"


def _lom_song(row: Mapping[Any, Any]) -> Both:
    vi, en = tests_told(row)
    centre = _CENTRE[row["centre_verdict"]]
    where = _dead_homes(row["dead_places"])
    return (
        f"{where[0]} không có sóng dùng được ({vi}), {centre[0]}",
        f"no usable signal at {where[1]} ({en}), {centre[1]}",
    )


def _phu_song(row: Mapping[Any, Any]) -> Both:
    vi, en = tests_told(row)
    return f"trung tâm và các cụm dân cư có sóng ({vi})", f"the centre and the clusters are covered ({en})"


def _undecided(row: Mapping[Any, Any]) -> Both:
    (vi, en), (weak_vi, weak_en) = tests_told(row), weakness(row["sub_reason"])
    return f"{weak_vi} ({vi})", f"{weak_en} ({en})"


def weakness(sub_reason: str | None) -> Both:
    """What the evidence lacks where it decides nothing; None = not named."""
    if sub_reason is None:
        return "chưa đủ bằng chứng", "not enough evidence"
    vi, en = _WEAKNESS[sub_reason]
    if sub_reason == "weak_service":
        return vi, en
    return f"chưa đủ bằng chứng: {vi}", f"not enough evidence: {en}"


def unmeasured(row: Mapping[Any, Any]) -> Both:
    """That nothing was measured, or nothing that still counts, and that this is not "no signal"."""
    old = row["expired_tests"]
    if old:
        return (
            f"chưa đo lại: {old} lần thử cũ đã quá hạn (không có nghĩa là không có sóng)",
            f"not measured again: {old} old tests have expired (which does not mean no signal)",
        )
    return "chưa đo (không có nghĩa là không có sóng)", "not measured (which does not mean no signal)"


_HEADS = {
    "trang_song": _trang_song,
    "lom_song": _lom_song,
    "phu_song": _phu_song,
    "chua_du_bang_chung": _undecided,
    "chua_co_du_lieu": unmeasured,
}


def _dead_homes(dead_places: str) -> Both:
    named = _HOME.findall(dead_places)
    if not named:
        return "phần đã đo của thôn", "the measured part of the village"
    kinds, names = zip(*named, strict=True)
    joined = ", ".join(names)
    if kinds[0] == "s":
        return f"khu có người ở số {joined}", f"settled part {joined}"
    return f"cụm dân cư {joined}", f"cluster {joined}"


def _month(time: datetime) -> Both:
    return f"{time:%m/%Y}", f"in {time:%m/%Y}"


def tests_told(row: Mapping[Any, Any], when: Callable[[datetime], Both] = _month) -> Both:
    """How many tests of how many phones failed, and what was set aside. when: how the time of the newest is said."""
    vi, en = _counts(row, when)
    for column, (vi_aside, en_aside) in _ASIDE.items():
        if row[column]:
            vi, en = f"{vi}; {vi_aside.format(row[column])}", f"{en}; {en_aside.format(row[column])}"
    return vi, en


def _counts(row: Mapping[Any, Any], when: Callable[[datetime], Both]) -> Both:
    if not row["tests"]:
        return "không có lần thử nào ở điểm cần xét", "no test at the place in question"
    vi, en = (
        f"{row['fails']}/{row['tests']} lần thử không đạt",
        f"{row['fails']} of {row['tests']} tests fail",
    )
    phones = (f"{row['devices']} máy", _many(row["devices"], "phone"))
    if not row["devices"]:
        phones = ("máy không rõ tên", "a phone nobody named")
    vi, en = f"{vi}, {phones[0]}, {row['dates']} ngày", f"{en}, {phones[1]}, {_many(row['dates'], 'day')}"
    newest = when(row["last_test_utc"])
    vi, en = f"{vi}, gần nhất {newest[0]}", f"{en}, the newest {newest[1]}"
    silent = round(100 * row["no_service_share"])
    vi, en = f"{vi}, {silent} % mất dịch vụ", f"{en}, {silent} % without service"
    level = row["median_rsrp_dbm"]
    if pd.notna(level):
        vi, en = f"{vi}, RSRP trung vị {level:.0f} dBm", f"{en}, median RSRP {level:.0f} dBm"
    return vi, en


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
