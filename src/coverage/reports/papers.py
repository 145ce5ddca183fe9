"""Snapshot → the official paper for the province, or the letter to one operator, with its annexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.kpi import kpi
from coverage.exports.lists import gap_ids
from coverage.exports.words import WORDS
from coverage.reports.dossiers import dossiers
from coverage.reports.figures import POWERS, Sums, crossed, sums, village_table
from coverage.reports.paper import Annex, Letterhead, Paper, Table
from coverage.reports.writing import NOT_KNOWN, day, number, share, text, yes_no
from coverage.tables import STATUSES

_POWER_WORDS = {
    "electrified": "Có điện lưới",
    "not_electrified": "Chưa có điện lưới",
    "power_unknown": "Chưa rõ điện",
}
_COUNTED = ("Tổng số", "Trong đó ĐBKK")
_SUBJECT = "các thôn đã có điện lưới quốc gia mà chưa có sóng di động dùng được"
_SIMULATED = "SỐ LIỆU MÔ PHỎNG, KHÔNG PHẢI SỐ ĐO THẬT. "


def paper(
    snapshot: Snapshot, letterhead: Letterhead, pictures: Iterable[bytes | None], *, letter: bool = False
) -> Paper:
    """The report on a snapshot, or the letter to the one operator of which it tells (`of_operator`).

    pictures: one for each gap in order of priority, of the kind that the file takes. Counts are of distinct villages unless they say gaps;
    people and households are never added up over operators, since the same people may miss several.
    """
    gaps, known = gap_rows(snapshot), kpi(snapshot)
    return Paper(
        letterhead=letterhead,
        kind="" if letter else "BÁO CÁO",
        code=f"{'' if letter else 'BC-'}{letterhead.abbreviation}",
        subject=("khắc phục " if letter else "Về ") + _SUBJECT,
        addressee=text(next(iter(snapshot.info.operators.values()))) if letter else "",
        # An operator is told what was measured of its own network, in scope or not.
        body=_body(snapshot, known["operators"][0] if letter else known["province"], gaps, letterhead),
        table=_by_operator(snapshot, gaps),
        closing=_closing(known["province"]["by_list"], gaps, letter=letter),
        recipients=("Như trên;", "Lưu: VT.") if letter else ("…………………;", "Lưu: VT."),
        notice=_SIMULATED if snapshot.info.simulated else "",
        basis=_basis(snapshot),
        annexes=(
            Annex(
                "Phụ lục I", "TỔNG HỢP TRẠNG THÁI PHỦ SÓNG CÁC THÔN", tables=_summaries(snapshot), wide=True
            ),
            Annex("Phụ lục II", "DANH SÁCH VÙNG LÕM PHẢI XỬ LÝ", tables=(_list(gaps),), wide=True),
            Annex("Phụ lục III", "HỒ SƠ TỪNG VÙNG LÕM", dossiers=tuple(dossiers(snapshot, gaps, pictures))),
        ),
    )


def gap_rows(snapshot: Snapshot) -> pd.DataFrame:
    """The gaps of VILLAGE_VERDICTS in order of priority, with `gap_id`."""
    rows = snapshot.village_verdicts
    gaps = rows[rows["list"] == "gaps"].sort_values(["priority", "village_id", "operator"], kind="stable")
    return gaps.assign(gap_id=gap_ids(gaps)).reset_index(drop=True)


def _basis(snapshot: Snapshot) -> str:
    info = snapshot.info
    return f"Bản đánh giá {info.snapshot_id}, ngày {day(info.as_of)}, tiêu chí {info.criteria}"


def _body(
    snapshot: Snapshot, measured: Mapping[str, Any], gaps: pd.DataFrame, letterhead: Letterhead
) -> list[str]:
    info, told = snapshot.info, sums(gaps)
    who = text(letterhead.issuer) if letterhead.issuer else "Cơ quan báo cáo"
    villages, decided = measured["villages"], measured["villages_measured"]
    communes = snapshot.villages["commune_code"].nunique()
    names = ", ".join(text(name) for name in info.operators.values())
    return [
        f"Căn cứ kết quả đo kiểm, đánh giá chất lượng phủ sóng di động tính đến ngày {day(info.as_of)}, với "
        f"{number(info.measurements)} số liệu đo còn hiệu lực, {who} xin thông tin như sau:",
        f"1. Phạm vi: {number(villages)} thôn thuộc {number(communes)} xã, phường; nhà mạng được xét: {names}. "
        f"Đã kết luận được {number(decided)} thôn, đạt {share(decided, villages)}. Nơi chưa đo, hoặc đo chưa đủ, "
        "không bị coi là mất sóng và không nằm trong danh sách vùng lõm.",
        f"2. Kết quả: có {number(told.gaps)} vùng lõm (tính theo từng thôn và từng nhà mạng) tại {number(told.villages)} "
        f"thôn đã có điện lưới quốc gia, trong đó {number(told.villages_total)} thôn không có sóng của nhà mạng nào và "
        f"{number(told.villages_difficult)} thôn đặc biệt khó khăn. Cụ thể:",
    ]


def _closing(listed: Mapping[str, int], gaps: pd.DataFrame, *, letter: bool) -> list[str]:
    beside = (
        f"3. Ngoài danh sách trên: {number(listed['verify_power'])} thôn mất sóng cần xác minh điện; "
        f"{number(listed['no_power'])} thôn mất sóng chưa có điện lưới; "
        f"{number(listed['need_measurement'])} thôn cần đo thêm mới kết luận được."
    )
    if gaps.empty:
        asked = "4. Không có vùng lõm nào phải xử lý."
    elif letter:
        asked = (
            "4. Đề nghị Quý đơn vị rà soát, có phương án và thời hạn khắc phục cho từng vùng lõm tại Phụ lục II và III, "
            "và thông tin lại kết quả để đo kiểm lại."
        )
    else:
        acting = gaps["who_must_act"].value_counts()
        shares = "; ".join(
            f"{WORDS[who][0]}: {number(count)} vùng lõm" for who, count in acting.items() if who in WORDS
        )
        asked = (
            f"4. Đề nghị xử lý ({shares}): nhà mạng có phương án và thời hạn khắc phục cho từng vùng lõm; xã xác minh "
            "tình trạng điện; đội đo kiểm đo các thôn chưa kết luận."
        )
    return [beside, asked, "Chi tiết tại các phụ lục kèm theo./."]


def _by_operator(snapshot: Snapshot, gaps: pd.DataFrame) -> Table:
    heads = ("Nhà mạng", "Vùng lõm", "Không mạng nào có sóng", "Thôn ĐBKK", "Số hộ", "Số dân", "Khai có sóng")
    rows = [
        (text(name), *_sum_cells(sums(gaps[gaps["operator"] == code])))
        for code, name in snapshot.info.operators.items()
    ]
    return Table("", heads, rows, (22, 12, 16, 12, 12, 14, 12))


def _sum_cells(told: Sums) -> tuple[str, ...]:
    known = told.gaps == 0 or told.without_people < told.gaps
    counts = (told.gaps, told.villages_total, told.villages_difficult)
    people = (number(told.households), number(told.people)) if known else (NOT_KNOWN, NOT_KNOWN)
    return *map(number, counts), *people, number(told.claimed)


def _summaries(snapshot: Snapshot) -> tuple[Table, Table]:
    one = len(snapshot.info.operators) == 1
    villages = village_table(snapshot, "status" if one else "status_all_operators")
    of = text(next(iter(snapshot.info.operators.values()))) if one else "mọi nhà mạng trong phạm vi"
    groups = (*((WORDS[status][0], 2) for status in STATUSES), ("Cộng", 2))
    numbers = _COUNTED * (len(STATUSES) + 1)
    whole = Table(
        f"Biểu 1. Số thôn theo trạng thái ({of}), điện và thôn đặc biệt khó khăn (ĐBKK)",
        ("Tình trạng điện", *numbers),
        _with_sum(crossed(villages, ["power"]).reindex(list(POWERS), fill_value=0), _power_labels),
        (20, *(6.67,) * 12),
        groups=(("", 1), *groups),
        total=True,
    )
    named = villages.fillna({"commune_code": "", "commune_name": ""})
    by_commune = Table(
        f"Biểu 2. Số thôn theo xã, trạng thái ({of}), điện và thôn đặc biệt khó khăn (ĐBKK)",
        ("Xã, phường", "Tình trạng điện", *numbers),
        _with_sum(crossed(named, ["commune_name", "commune_code", "power"]), _commune_labels),
        (18, 14, *(5.67,) * 12),
        texts=2,
        groups=(("", 2), *groups),
        total=True,
    )
    return whole, by_commune


def _power_labels(key: str) -> tuple[str, ...]:
    return (_POWER_WORDS[key],)


def _commune_labels(key: tuple[str, str, str]) -> tuple[str, ...]:
    name, _, power = key
    return text(name), _POWER_WORDS[power]


def _with_sum(table: pd.DataFrame, labels: Callable[[Any], tuple[str, ...]]) -> list[tuple[str, ...]]:
    rows = [(*labels(key), *map(number, row)) for key, row in zip(table.index, table.to_numpy(), strict=True)]
    empty = ("",) * (len(rows[0]) - len(table.columns) - 1) if rows else ("",) * (table.index.nlevels - 2)
    return [*rows, ("Cộng", *empty, *map(number, table.sum()))]


def _list(gaps: pd.DataFrame) -> Table:
    heads = (
        "TT",
        "Thôn",
        "Xã, phường",
        "Nhà mạng",
        "Trạng thái",
        "Nhà mạng khác",
        "Điện (nguồn, ngày)",
        "ĐBKK",
        "Số hộ",
        "Số dân",
        "Lần đo (không đạt)",
    )
    rows = [
        (
            number(place),
            text(row["village_name"]),
            text(row["commune_name"]),
            text(row["operator_name"]),
            WORDS[row["status"]][0],
            WORDS[row["not_spot"]][0],
            f"{text(row['power_source'])}, {day(row['power_as_of'])}",
            yes_no(row["especially_difficult"]),
            number(row["households_affected"]),
            number(row["population_affected"]),
            f"{number(row['tests'])} ({number(row['fails'])})",
        )
        for place, row in enumerate(gaps.to_dict(orient="records"), start=1)
    ]
    return Table("", heads, rows, (4, 16, 12, 9, 9, 13, 14, 6, 6, 6, 9), texts=8)
