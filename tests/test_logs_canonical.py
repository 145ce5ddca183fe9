"""Our own CSV: headers in two languages, delimiters, encodings, times in UTC."""

from __future__ import annotations

import datetime
import unicodedata

import pytest
from test_logs_read import ROW, only, read


@pytest.mark.parametrize(
    "header",
    [
        "time,lat,lon,operator,technology,rsrp_dbm",
        "Time;LATITUDE;Longitude;Operator;Technology;RSRP (dBm)",
        "Thời gian\tVĩ độ\tKinh độ\tNhà mạng\tCông nghệ\tCường độ",
        "thoi_gian|vi_do|kinh_do|nha_mang|cong_nghe|muc_thu",
        " THỜI GIAN ; Vĩ Độ (°) ; KINH ĐỘ ; nhà  mạng ; Công nghệ ; Mức thu (dBm) ",
        "\ufefftime,lat,lng,carrier,network_type,level",
    ],
)
def test_canonical_headers(tmp_path, header):
    sign = next(one for one in "\t;|," if one in header)
    found = read(tmp_path, header + "\n" + ROW.replace(",", sign) + "\n")
    assert found.format == "canonical"
    assert (only(found)["rsrp_dbm"], only(found)["operator"]) == (-97, "45204")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258"])
def test_canonical_encodings(tmp_path, encoding):
    header = "Thời gian;Vĩ độ;Kinh độ;Nhà mạng;Công nghệ;Mức thu;Trạng thái dịch vụ;Thiết bị"
    row = "30/10/2026 8:05;11,94;108,43;Viettel;4G;\u221297;Có sóng;Máy của Đạt"
    text = f"{header}\r\n{row}\r\n"
    if encoding == "cp1258":  # keeps tones as marks of their own
        text = "".join(_for_1258(letter) for letter in unicodedata.normalize("NFC", text)).replace(
            "\u2212", "-"
        )
    found = only(read(tmp_path, text.encode(encoding)))
    plain = only(read(tmp_path, f"{header}\n{row}\n"))
    del found["upload_id"], plain["upload_id"]
    assert found == plain
    assert (found["lat"], found["time_utc"]) == (11.94, datetime.datetime(2026, 10, 30, 1, 5))


def _for_1258(letter: str) -> str:
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", letter)
        if len(apart) == 3:  # circumflex, breve or horn stays on the letter, the tone goes after it
            marks = sorted(apart[1:], key=lambda mark: mark in "\u0300\u0301\u0303\u0309\u0323")
            return unicodedata.normalize("NFC", apart[0] + marks[0]) + marks[1]
        return apart
    return letter


def test_our_own_times_in_utc(tmp_path):
    text = "time_utc,lat,lon,operator,technology,rsrp_dbm\n" + ROW
    row = only(read(tmp_path, text))
    assert (row["time_utc"], row["local_date"]) == (
        datetime.datetime(2026, 10, 30, 8),
        datetime.date(2026, 10, 30),
    )


def test_a_spreadsheet_s_sep_line_is_no_header(tmp_path):
    found = read(tmp_path, "sep=,\ntime,lat,lon,operator,technology,rsrp_dbm\n" + ROW)
    assert only(found)["line"] == 3


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ("Ngày,Giờ", "31/10/2026,8:00"),
        ("date,time", "2026-10-31,08:00:00"),
        ("Ngày,Thời gian", "31/10/2026,08:00"),
        ("Ngày", "31/10/2026 08:00"),
        ("time", "31/10/2026 08:00"),
        ("date,time", "2026-10-31,2026-10-31 08:00:00"),
    ],
)
def test_date_and_time_of_day_in_one_column_or_in_two(tmp_path, names, cells):
    found = read(tmp_path, f"{names},lat,lon,operator,technology,rsrp\n{cells},11.94,108.43,45204,LTE,-97\n")
    row = only(found)
    assert (row["time_utc"], row["time_precision"]) == (datetime.datetime(2026, 10, 31, 1), "second")


def test_a_date_alone_is_known_to_be_no_more(tmp_path):
    found = read(tmp_path, "Ngày,lat,lon,operator,technology,rsrp\n31/10/2026,11.94,108.43,45204,LTE,-97\n")
    assert only(found)["time_precision"] == "date"
