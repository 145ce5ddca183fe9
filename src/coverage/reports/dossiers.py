"""Gaps → one page each: what is known of the village, what was tested there, and why it is said to be dead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.village_places import VillagePlace, village_places
from coverage.exports.words import WORDS
from coverage.reports.paper import Dossier, Table
from coverage.reports.writing import NOT_KNOWN, day, number, text, yes_no


def dossiers(snapshot: Snapshot, gaps: pd.DataFrame, pictures: Iterable[bytes | None]) -> Iterator[Dossier]:
    """The dossier of each row of `papers.gap_rows`, in their order, with its picture."""
    centres = snapshot.villages.drop_duplicates("village_id").set_index("village_id")
    records = gaps.to_dict(orient="records")
    for number_, (row, picture) in enumerate(zip(records, pictures, strict=True), start=1):
        places = village_places(snapshot, row["village_id"]).places
        yield Dossier(
            title=f"{number_}. {text(row['village_name'])}, {text(row['commune_name'])} – {text(row['operator_name'])}",
            facts=_facts(row, centres.loc[row["village_id"]]),
            tests=_tests(places, row["operator"]),
            reasons=[text(row["reason"]), f"Điều gì sẽ làm đổi kết luận: {text(row['what_would_change'])}"],
            picture=picture,
        )


def _facts(row: Mapping[Any, Any], village: pd.Series[Any]) -> list[tuple[str, str]]:
    return [
        ("Mã vùng lõm", text(row["gap_id"])),
        ("Trạng thái", f"{WORDS[row['status']][0]}; {WORDS[row['not_spot']][0].lower()}"),
        ("Trung tâm thôn", _spot(village["centre_lat"], village["centre_lon"])),
        ("Số hộ, số dân", f"{number(row['households'])} hộ, {number(row['population'])} người"),
        (
            "Ở nơi mất sóng",
            f"{number(row['households_affected'])} hộ, {number(row['population_affected'])} người "
            f"({WORDS.get('people_' + str(row['people_method']), (NOT_KNOWN,))[0]})",
        ),
        ("Thôn đặc biệt khó khăn", yes_no(row["especially_difficult"])),
        (
            "Điện",
            f"{WORDS[row['grid_status']][0]} (nguồn: {text(row['power_source'])}, {day(row['power_as_of'])})",
        ),
        ("Trạm gần nhất", _site(row)),
        ("Trạm dự kiến", _planned(row)),
        ("Nhà mạng khai có sóng", yes_no(row["claimed"])),
        ("Bằng chứng", _evidence(row)),
        ("Ai xử lý", WORDS.get(str(row["who_must_act"]), (NOT_KNOWN, ""))[0]),
    ]


def _spot(lat: float, lon: float) -> str:
    if pd.isna(lat) or pd.isna(lon):
        return NOT_KNOWN
    return f"{number(lat, 5)}° Bắc, {number(lon, 5)}° Đông (WGS 84)"


def _site(row: Mapping[Any, Any]) -> str:
    if not isinstance(row["site_id"], str):
        return NOT_KNOWN
    blocked = row["site_terrain_blocks"]
    terrain = (
        "chưa rõ địa hình"
        if blocked is None or pd.isna(blocked)
        else "bị địa hình che"
        if blocked
        else "không bị địa hình che"
    )
    return f"{text(row['site_id'])}, cách {number(row['site_distance_km'], 1)} km, {terrain}"


def _planned(row: Mapping[Any, Any]) -> str:
    if not isinstance(row["planned_site_id"], str):
        return "không có trong danh sách trạm"
    away = number(row["planned_site_distance_km"], 1)
    return f"{text(row['planned_site_id'])}, cách {away} km, dự kiến phát sóng: {day(row['planned_on_air'])}"


def _evidence(row: Mapping[Any, Any]) -> str:
    level = row["median_rsrp_dbm"]
    heard = "" if pd.isna(level) else f", mức thu trung vị {number(level, 1).replace('-', '−')} dBm"
    return (
        f"{number(row['tests'])} lần đo, {number(row['fails'])} không đạt; {number(row['devices'])} máy, "
        f"{number(row['occasions'])} dịp, từ {day(row['first_test_utc'])} đến {day(row['last_test_utc'])}; "
        f"hạng {text(row['evidence_grade'])}{heard}"
    )


def _tests(places: Iterable[VillagePlace], operator: str) -> Table:
    heads = ("Nơi có người ở", "Kết luận", "Lần đo", "Không đạt", "Số máy", "Lần đo cuối")
    cells = [
        (
            " ".join(filter(None, (WORDS[f"place_{place.kind}"][0], place.cluster and text(place.cluster)))),
            WORDS[at.verdict][0],
            number(at.tests),
            number(at.fails),
            number(at.devices),
            day(at.last_test_utc),
        )
        for place in places
        for at in place.operators
        if at.operator == operator
    ]
    return Table("", heads, cells, (28, 26, 10, 12, 10, 14), texts=2)
