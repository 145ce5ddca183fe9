"""Tables of our own that go wrong in ways of their own: dates, operators, service words, quotes, columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hostile import ZONE, Case, Counts, Refusal
from hostile_text import windows_1258

HEADER = "time,lat,lon,operator,technology,rsrp_dbm,service_state"
MORNING = "2026-10-30T08:00:00"
SECRETS = ("356938035643809", "0912345678", "Nguyễn Văn A", "192.0.2.77")


def row(time: str = MORNING, *, lat: str = "11.94", lon: str = "108.44", operator: str = "45204",
        technology: str = "LTE", level: str = "-97", state: str = "") -> str:  # fmt: skip
    """A canonical row."""
    return ",".join([time, lat, lon, operator, technology, level, state])


def silent(time: str = MORNING, **given: str) -> str:
    """A canonical row without service."""
    return row(time, **({"technology": "", "level": "", "state": "no_service"} | given))


def minutes(count: int, **given: str) -> list[str]:
    """So many rows, a minute apart."""
    return [row(f"2026-10-30T08:{i:02d}:00", **given) for i in range(count)]


def table(name: str, rows: list[str], expect: Counts | Refusal, header: str = HEADER, *,
          file: str = "log.csv", said: Mapping[str, str] | None = None) -> Case:  # fmt: skip
    """The rows under the header."""
    return Case(f"single/{name}", file, ("\n".join([header, *rows]) + "\n").encode(), expect, said or {})


def at(year: int, month: int, day: int, hour: int = 8, minute: int = 0, second: int = 0) -> dict[str, Any]:
    """What a row holds that was measured then, in Viet Nam's time."""
    return {"time_utc": datetime(year, month, day, hour, minute, second) - ZONE}


OCTOBER_4, OCTOBER_30 = at(2026, 10, 4), at(2026, 10, 30)
VIETTEL = {"operator": "45204"}
UNKNOWN = {"service_state": "unknown", "rsrp_dbm": None}
NO_SERVICE = {"service_state": "no_service", "operator": "45204", "technology": None, "rsrp_dbm": None}
DATES = [
    table("month-first", [row("10/30/2026 8:00"), row("10/4/2026 8:00")], Counts(2, 2, held={2: OCTOBER_30, 3: OCTOBER_4})),
    table("day-first", [row("30/10/2026 8:00"), row("4/10/2026 8:00")], Counts(2, 2, held={2: OCTOBER_30, 3: OCTOBER_4})),
    table("either-way", [row("4/10/2026 8:00"), silent("5/10/2026 8:00"), row("5/5/2026 8:00")],
          Counts(3, 1, quarantined=2, no_service=1, codes={"date_ambiguous": 2}, held={4: at(2026, 5, 5)})),
    table("both-ways", [row("30/10/2026 8:00"), row("10/30/2026 8:00"), row("4/10/2026 8:00")],
          Counts(3, 1, rejected=1, quarantined=1, codes={"date_ambiguous": 1, "bad_time": 1}, held={2: OCTOBER_30})),
    table("either-way-in-vietnamese", [row("4/10/2026 8:00")], Counts(1, 1, held={2: OCTOBER_4}),
          "Thời gian,Vĩ độ,Kinh độ,Nhà mạng,Công nghệ,RSRP,Trạng thái"),
    table("either-way-and-said", [row("4/10/2026 8:01")], Counts(1, 1, held={2: at(2026, 4, 10, 8, 1)}), said={"date_order": "mdy"}),
    table("date-and-clock", ["30/10/2026,08:00:00,11.94,108.44,45204,LTE,-97", "30/10/2026,,11.94,108.44,45204,LTE,-97"],
          Counts(2, 1, rejected=1, codes={"bad_time": 1}, held={2: OCTOBER_30}), "date,time,lat,lon,operator,technology,rsrp"),
    table("date-alone", [row("2026-10-30")], Counts(1, 1, held={2: at(2026, 10, 30, 12) | {"time_precision": "date"}})),
    table("noon-and-midnight", [row("30/10/2026 12:05 AM"), row("30/10/2026 12:05 PM"), row("30/10/2026 12:05 CH"), row("30/10/2026 1:05 CH")],
          Counts(4, 4, held={2: at(2026, 10, 30, 0, 5), 3: at(2026, 10, 30, 12, 5), 4: at(2026, 10, 30, 12, 5), 5: at(2026, 10, 30, 13, 5)})),
    table("afternoon-after-noon", [row("30/10/2026 13:05 PM"), row("30/10/2026 0:05 AM")],
          Counts(2, 1, rejected=1, codes={"bad_time": 1}, held={3: at(2026, 10, 30, 0, 5)})),
    table("time-of-the-world", ["2026-10-30T01:00:00,11.94,108.44,45204,LTE,-97"], Counts(1, 1, held={2: OCTOBER_30}),
          "time_utc,lat,lon,operator,technology,rsrp"),
    table("another-zone", [row("2026-10-30T01:00:00", level="-96")], Counts(1, 1, held={2: OCTOBER_30}), said={"timezone": "UTC"}),
    table("no-time", ["11.94,108.44,45204,LTE,-97,", "11.94,108.44,45204,,,no_service"],
          Counts(2, 0, quarantined=2, no_service=1, codes={"date_unknown": 2}), "lat,lon,operator,technology,rsrp,service_state"),
    table("no-time-but-said", ["11.94,108.44,45204,LTE,-98"], Counts(1, 1, held={2: at(2026, 10, 30, 12)}),
          "lat,lon,operator,technology,rsrp", said={"date": "2026-10-30"}),
    table("no-time-but-named", ["11.94,108.44,no_service"], Counts(1, 1, no_service=1, held={2: NO_SERVICE | at(2026, 10, 30, 12)}),
          "lat,lon,service_state", file="drive_test__may1__Viettel__2026-10-30.csv"),
]  # fmt: skip
NETWORKS = [
    table("service-words", [silent(f"2026-10-30T08:00:{i:02d}", state=word) for i, word in enumerate(
        ("no_service", "No Service", "không có sóng", "KHÔNG CÓ SÓNG", "khong co song", "Mất sóng", "mất tín hiệu", "out of service"))],
        Counts(8, 8, no_service=8, held=dict.fromkeys(range(2, 10), NO_SERVICE))),
    table("service-word-unknown", [row(state="perhaps"), silent(state="hỏng máy")],
          Counts(2, 0, quarantined=2, codes={"bad_service_state": 2})),
    table("emergency-only", [silent(state="chỉ khẩn cấp", level="-120")],
          Counts(1, 1, held={2: {"service_state": "emergency_only", "rsrp_dbm": None}})),
    table("unknown-is-not-no-service", [silent(state="không rõ"), row(level=""), row(level="-200", technology="", state="unknown")],
          Counts(3, 3, held=dict.fromkeys(range(2, 5), UNKNOWN))),
    table("silent-and-nobody-named", [silent(operator="")], Counts(1, 0, quarantined=1, no_service=1, codes={"operator_unknown": 1})),
    table("silent-and-said", [silent(operator="-")], Counts(1, 1, no_service=1, held={2: NO_SERVICE | {"operator_inferred": True}}),
          said={"operator": "Viettel"}),
    table("silent-among-one-operator", [silent(operator=""), *minutes(3)],
          Counts(4, 4, no_service=1, fixes={"operator_inherited": 1}, held={2: NO_SERVICE | {"operator_inferred": True}})),
    table("silent-among-two-operators", [silent(operator=""), *minutes(3), *minutes(2, operator="45201")],
          Counts(6, 5, quarantined=1, no_service=1, codes={"operator_unknown": 1})),
    table("silent-and-said-another", [silent(operator=""), *minutes(2)],
          Counts(3, 2, quarantined=1, no_service=1, codes={"operator_unknown": 1}), said={"operator": "MobiFone"}),
    table("silent-twice", [silent(), silent(), silent()], Counts(3, 1, duplicates=2, no_service=3, codes={"duplicate_row": 2}, held={2: NO_SERVICE})),
    table("operators-written-otherwise", [row(operator=word, level=f"-{80 + i}") for i, word in enumerate(("452-04", "452 04", "45204.0", "viettel", "VIETTEL "))],
          Counts(5, 5, held=dict.fromkeys(range(2, 7), VIETTEL))),
    table("operator-formula", [row(operator="=cmd|' /C calc'!A0")], Counts(1, 1, held={2: {"operator": "=cmd|' /C calc'!A0"}})),
    Case("single/operator-western", "log.csv", f"{HEADER}\n{row(operator='Móvil')}\n".encode("cp1252"), Counts(1, 1, held={2: {"operator": "Móvil"}})),
    table("technology-unknown", [row(technology=""), row(technology="WiFi"), row(technology="6G")],
          Counts(3, 0, quarantined=3, codes={"technology_unknown": 3})),
    table("technology-said", [row(technology="", level="-94")], Counts(1, 1, held={2: {"rsrp_dbm": -94, "technology": "LTE"}}), said={"technology": "4G"}),
    table("units-of-android", [f"{MORNING},11.94,108.44,45204,{tech},{asu}" for tech, asu in (("LTE", 43), ("GSM", 8), ("UMTS", 23), ("LTE", 99))],
          Counts(4, 4, fixes={"asu_to_dbm": 3}, held={2: {"rsrp_dbm": -97}, 3: {"rxlev_dbm": -97}, 4: {"rscp_dbm": -97}, 5: {"rsrp_dbm": None}}),
          "time,lat,lon,operator,technology,asu"),
    table("lost-minus", minutes(8, level="97"), Refusal("positive numbers")),
]  # fmt: skip
SHAPES = [
    table("two-latitudes", [f"{MORNING},11.94,108.44,11.95,45204,LTE,-97"], Refusal("2 columns could be lat"), "time,lat,lon,lat,operator,technology,rsrp"),
    table("two-levels", [f"{MORNING},11.94,108.44,45204,LTE,-97,-60"], Refusal("2 columns could be rsrp"), "time,lat,lon,operator,technology,rsrp,rsrp"),
    table("no-position", [f"{MORNING},45204,LTE,-97"], Refusal("unknown format"), "time,operator,technology,rsrp"),
    table("title-above", minutes(6), Counts(6, 6), f"BÁO CÁO ĐO SÓNG\n{HEADER}"),
    table("titles-without-end", minutes(6), Refusal("unknown format"), "BÁO CÁO ĐO SÓNG\n" * 16 + HEADER),
    table("comment-above", minutes(6), Counts(6, 6), f"# đo bằng máy của đội 1\n{HEADER}"),
    table("no-header", minutes(6), Refusal("unknown format"), row()),
    table("comma-in-a-comma-table", [one.replace("11.94,108.44", "11,94,108,44") for one in minutes(6)], Counts(6, 0, rejected=6, codes={"wrong_field_count": 6})),
    table("sum-below", [*minutes(6), "Tổng cộng: 6 dòng"], Counts(7, 6, rejected=1, codes={"wrong_field_count": 1})),
    table("empty-cells", [*minutes(6), ",,,,,,"], Counts(7, 6, rejected=1, codes={"bad_coordinate": 2, "bad_time": 1})),
    table("other-delimiter-below", [one.replace(",", ";") for one in minutes(6)], Counts(6, 0, rejected=6, codes={"wrong_field_count": 6})),
    table("words-for-latitude", minutes(6, lat="nhà văn hoá"), Refusal("does not look like lat")),
    table("words-for-time", [row("hôm qua", level=f"-{80 + i}") for i in range(6)], Refusal("does not look like time")),
    table("all-swapped", minutes(6, lat="108.44", lon="11.94"), Counts(6, 0, quarantined=6, codes={"swapped_coordinates": 6})),
    table("all-null-island", [silent(f"2026-10-30T08:{i:02d}:00", lat="0", lon="0") for i in range(6)],
          Counts(6, 0, quarantined=6, no_service=6, codes={"null_island": 6})),
    table("quoted-newline", [row() + ',"dốc\ncao"', row(level="-98") + ",x"], Counts(2, 2, fixes={"joined_lines": 1}, held={2: OCTOBER_30, 4: {"rsrp_dbm": -98}}),
          HEADER + ",note"),
    table("quoted-newlines-crlf", [row() + ',"a\r\nb\r\n\r\nc"\r', silent() + ",x\r"], Counts(2, 2, no_service=1, fixes={"joined_lines": 1}, held={6: NO_SERVICE}),
          HEADER + ",note\r"),
    table("open-quote-at-the-end", [*(one + ",x" for one in minutes(3)), row() + ',"x'], Counts(4, 3, rejected=1, codes={"bad_quotes": 1}, held={2: {}, 3: {}, 4: {}}), HEADER + ",note"),
    table("open-quote-before-many", ['"' + row(), *minutes(40), silent()], Counts(42, 41, rejected=1, no_service=1, codes={"bad_quotes": 1}, held={43: NO_SERVICE})),
    table("open-quote-in-the-header", minutes(2), Refusal("unknown format"), HEADER.replace("lon", '"lon')),
    table("stray-quote-in-the-header", [*(one + ",x" for one in minutes(3)), row() + ',x"y'], Counts(4, 4), HEADER + ',màn 5" x'),
    table("stray-quotes-in-header-and-row", [row() + ',x"y', silent() + ",z"], Counts(2, 2, no_service=1, held={3: NO_SERVICE}), HEADER + ',5" x'),
    table("five-thousand-columns", [row() + "," * 5000], Counts(1, 1), HEADER + "".join(f",x{i}" for i in range(5000))),
    table("long-header", minutes(2), Refusal("unknown format"), "x" * 2_000_000),
    table("zero-byte-in-a-number", [row(lat="11.94\0"), silent()], Counts(2, 1, rejected=1, no_service=1, codes={"bad_coordinate": 1}, held={3: NO_SERVICE})),
    table("zero-byte-in-a-word", [silent(operator="Viet\0tel")], Counts(1, 1, no_service=1)),
    Case("single/double-carriage-returns", "log.csv", "\r\r\n".join([HEADER, *minutes(5), silent(), ""]).encode(),
         Counts(6, 6, no_service=1, held={7: NO_SERVICE})),
    table("personal-columns", [f"{row()},{','.join(SECRETS)}", f"{row(lat='x')},{','.join(SECRETS)}"],
          Counts(2, 1, rejected=1, codes={"bad_coordinate": 1}, dropped=("IMEI", "Số điện thoại", "Họ tên", "IP")), f"{HEADER},IMEI,Số điện thoại,Họ tên,IP"),
    table("leap-and-back", ["2026.10.30_08.00.00\t108.44\t11.94\t45204\t4G\t-97", "2026.10.30_08.00.01\t109.44\t11.94\t45204\t4G\t-97",
                            "2026.10.30_08.00.02\t108.44\t11.94\t45204\t4G\t-96"],
          Counts(3, 2, quarantined=1, codes={"position_jump": 1}), "Timestamp\tLongitude\tLatitude\tOperator\tNetworkTech\tLevel"),
]  # fmt: skip
VIETNAMESE = "Thời gian;Vĩ độ;Kinh độ;Nhà mạng;Công nghệ;Mức thu;Trạng thái sóng;Ghi chú"
MIXED = [
    # One crew's part of a joint file is in Windows-1258: its remarks are lost, its readings are not.
    ("remarks-otherwise", ["30/10/2026 8:00;11,94;108,44;Viettel;4G;-97;;đường về thôn", "30/10/2026 8:01;11,94;108,44;Viettel;;;no_service;~"],
     Counts(2, 2, no_service=1, held={3: NO_SERVICE})),
    # A word of service that was torn is not guessed: the row is set aside and told, not dropped, not taken for service.
    ("service-word-otherwise", ["30/10/2026 8:00;11,94;108,44;Viettel;4G;-97;có sóng;x", "30/10/2026 8:01;11,94;108,44;Viettel;;;~;x"],
     Counts(2, 1, quarantined=1, codes={"bad_service_state": 1})),
]  # fmt: skip
OTHERS = [
    ("events", "log_events.txt", "Timestamp\tLongitude\tLatitude\tLevel\tNetworkTech\tEventType\tEventDetails\nx\n", "event table"),
    ("stats", "log_stats.txt", "Event\tStats\nCALL\t3\n", "summary table"),
    ("masts-opencellid", "cells.csv", "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\n", "radio masts"),
    ("masts-netmonster", "x.ntm", "4G;452;4;11;7000;21;5;11.94;108.44;Bưu điện;1750\n", "radio masts"),
    ("masts-clf", "x.clf", "//cell list exchange format v3.0//\n45204;11;7000;0;11.94;108.44;0;x;0\n", "radio masts"),
    ("tiles", "tiles.csv", "quadkey,tile,avg_d_kbps,avg_u_kbps,avg_lat_ms,tests,devices\n1,x,1,1,1,1,1\n", "averages per tile"),
]  # fmt: skip
SINGLES: list[Case] = [
    *DATES, *NETWORKS, *SHAPES,
    *(Case(f"mixed/{name}", "log.csv", "\n".join([VIETNAMESE, *rows, ""]).encode().replace(b"~", windows_1258("không có sóng")), expect)
      for name, rows, expect in MIXED),
    *(Case(f"other/{name}", file, text.encode(), Refusal(says)) for name, file, text, says in OTHERS),
]  # fmt: skip
