"""What each exported column is called where its own name does not fit or is not understood, and what it means.

One row per column: the name of ten letters that shapefiles take, the Vietnamese heading of workbooks, the meaning in
Vietnamese. The meaning in English is that of the table's contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import pyarrow as pa

from coverage.exports.words import WORDS
from coverage.tables import HEX_VERDICTS, PEOPLE_METHODS, RELIABILITY, ROAD_VERDICTS, VILLAGE_VERDICTS

Kind = Literal["text", "int", "real", "bool", "time", "date"]


@dataclass(frozen=True)
class Heading:
    """A column: name, short name (at most 10 ASCII letters, unique), Vietnamese heading (unique), both meanings, unit, kind.

    unit: empty where it has none. kind: what `plain_columns` gives for it; times and dates are ISO texts there, UTC.
    codes: those it may hold and people have words for, see `word`.
    """

    name: str
    short: str
    vi: str
    meaning_vi: str
    meaning_en: str
    unit: str
    kind: Kind
    codes: tuple[str, ...] = ()


# fmt: off
# name → short name, Vietnamese heading, Vietnamese meaning
_COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "gap_id": ("gap_id", "Mã vùng lõm", "mã thôn và mã nhà mạng"),
    "village_id": ("village_id", "Mã thôn", "mã cố định của thôn: mã trong tệp nếu không trùng, nếu không thì được đặt"),
    "village_name": ("vill_name", "Tên thôn", "tên thôn, buôn, bản, tổ dân phố"),
    "commune_code": ("comm_code", "Mã xã", "mã xã năm chữ số; trống = không biết; ở danh sách độ tin cậy: mọi xã cộng lại"),
    "commune_name": ("comm_name", "Tên xã", "tên xã; trống = không biết; ở danh sách độ tin cậy: mọi xã cộng lại"),
    "operator": ("operator", "Mã nhà mạng", "MCC+MNC, hoặc tên như tệp ghi"),
    "operator_name": ("oper_name", "Nhà mạng", "tên nhà mạng"),
    "status": ("status", "Trạng thái", "trạng thái của thôn đối với nhà mạng này"),
    "status_all_operators": ("stat_all", "Trạng thái chung", "trạng thái theo nhà mạng tốt nhất trong phạm vi"),
    "not_spot": ("not_spot", "Vùng trống sóng", "mọi nhà mạng hay một phần; trống = thôn không mất sóng của nhà mạng này"),
    "grid_status": ("grid_stat", "Tình trạng điện", "điện lưới quốc gia, điện tại chỗ, không có, hoặc chưa rõ"),
    "electrified": ("electrif", "Có điện lưới", "có bằng chứng có điện lưới tại nơi mất sóng; trống = chưa có bằng chứng"),
    "power_source": ("pow_source", "Nguồn tin về điện", "ai nói về điện; trống = không ai"),
    "power_as_of": ("pow_as_of", "Ngày tin về điện", "ngày của tin về điện; trống = không ghi"),
    "power_evidence": ("pow_evid", "Loại bằng chứng điện", "loại bằng chứng về điện; trống = không có"),
    "power_conflict": ("pow_confl", "Tin trái ngược về điện", "ai nói khác; trống = không ai"),
    "households": ("households", "Số hộ", "số hộ; trống = không biết"),
    "households_affected": ("hh_affect", "Số hộ không có sóng", "số hộ ở nơi mất sóng; trống = không biết"),
    "population": ("population", "Số dân", "số dân; trống = không biết"),
    "population_source": ("pop_source", "Nguồn số dân", "danh sách thôn, hoặc bản đồ dân số; trống = không biết"),
    "population_affected": ("pop_affect", "Số dân không có sóng", "số dân ở nơi mất sóng; trống = không biết"),
    "population_undecided": ("pop_undec", "Số dân chưa kết luận", "số dân ở nơi chưa đo hoặc chưa đủ bằng chứng; trống = không biết"),
    "dead_share": ("dead_share", "Tỷ lệ dân mất sóng", "phần dân của thôn ở nơi mất sóng; trống = không biết"),
    "people_method": ("pop_method", "Cách tính dân", "cách tính phần dân mất sóng"),
    "boundary": ("boundary", "Ranh giới thôn", "given = theo tệp; derived = suy ra; none = không có hình"),
    "centre_verdict": ("centre_ver", "Kết luận ở trung tâm", "kết luận ở trung tâm thôn (nhà văn hoá)"),
    "basis": ("basis", "Căn cứ nơi ở", "cụm dân cư, khu có người ở, hoặc cả thôn"),
    "tests": ("tests", "Số lần đo", "số lần đo đạt hoặc không đạt ở ngưỡng chính"),
    "fails": ("fails", "Số lần không đạt", "trong đó không đạt"),
    "effective_tests": ("eff_tests", "Số lần đo hiệu dụng", "số lần đo sau khi trừ phần một máy đo lặp lại"),
    "devices": ("devices", "Số máy đo", "số máy đo đã biết"),
    "occasions": ("occasions", "Số dịp đo", "số khoảng bốn giờ có đo"),
    "first_test_utc": ("first_utc", "Lần đo đầu (UTC)", "thời gian lần đo đầu, UTC; trống = chưa đo"),
    "last_test_utc": ("last_utc", "Lần đo cuối (UTC)", "thời gian lần đo cuối, UTC; trống = chưa đo"),
    "median_rsrp_dbm": ("med_rsrp", "Mức thu trung vị (dBm)", "trung vị RSRP của các lần đo; trống = không biết"),
    "no_service_share": ("noserv_shr", "Tỷ lệ mất dịch vụ", "phần lần đo chủ yếu không có dịch vụ; trống = chưa đo"),
    "evidence_grade": ("evid_grade", "Hạng bằng chứng", "hạng tốt nhất của các lần đo, A đến D; trống = chưa đo"),
    "outage_tests": ("outage_tst", "Lần đo lúc sự cố", "lần đo bị gác lại vì có sự cố đã biết"),
    "claimed": ("claimed", "Nhà mạng khai có sóng", "nhà mạng khai có sóng ở nơi mất sóng; trống = không mất sóng, hoặc không có bản khai"),
    "site_id": ("site_id", "Trạm gần nhất", "trạm gần nhất đang phát của nhà mạng; trống = không biết"),
    "site_distance_km": ("site_km", "Cách trạm (km)", "khoảng cách từ nơi quyết định kết luận tới trạm đó"),
    "site_terrain_blocks": ("site_block", "Địa hình che trạm", "địa hình che đường tới trạm đó; trống = không có mô hình độ cao"),
    "planned_site_id": ("plan_site", "Trạm dự kiến gần nhất", "trạm dự kiến gần nhất chưa phát; trống = không biết"),
    "planned_site_distance_km": ("plan_km", "Cách trạm dự kiến (km)", "khoảng cách tới trạm dự kiến"),
    "planned_on_air": ("plan_onair", "Ngày dự kiến phát sóng", "ngày trạm dự kiến phát; trống = không ghi"),
    "status_at_105": ("stat_105", "Trạng thái ở ngưỡng chặt", "cùng quy tắc ở ngưỡng chặt"),
    "status_at_121": ("stat_121", "Trạng thái ở ngưỡng rộng", "cùng quy tắc ở ngưỡng rộng"),
    "sub_reason": ("sub_reason", "Vì sao chưa kết luận", "vì sao chưa kết luận; trống = đã kết luận"),
    "who_must_act": ("who_acts", "Ai xử lý", "ai phải xử lý; trống = chưa ai"),
    "priority": ("priority", "Thứ tự ưu tiên", "1 = trước hết; trống = không phải vùng lõm"),
    "reason": ("reason", "Lý do", "lý do bằng một câu tiếng Việt"),
    "reason_en": ("reason_en", "Lý do (tiếng Anh)", "lý do bằng một câu tiếng Anh"),
    "criteria": ("criteria", "Tiêu chí", "tên và mã băm của bộ tiêu chí"),
    "snapshot_id": ("snapshot", "Bản đánh giá", "mã của bản đánh giá"),
    "as_of": ("as_of", "Ngày đánh giá", "ngày mà bản đánh giá nói về"),
    "simulated": ("simulated", "Số liệu mô phỏng", "bản đánh giá dùng số liệu mô phỏng, không phải số đo thật"),
    "list": ("list", "Danh sách", "danh sách mà dòng này thuộc về; trống = không danh sách nào"),
    "especially_difficult": ("espec_diff", "Thôn đặc biệt khó khăn", "thôn đặc biệt khó khăn; trống = không biết"),
    "what_would_change": ("would_chg", "Điều gì làm đổi kết luận", "bằng chứng nào sẽ đổi trạng thái, một câu tiếng Việt"),
    "what_would_change_en": ("wouldchg_e", "Điều gì làm đổi kết luận (tiếng Anh)", "như trên, bằng tiếng Anh"),
    "status_voice": ("stat_voice", "Trạng thái cho thoại", "cùng quy tắc ở ngưỡng thoại"),
    "status_data_good": ("stat_data", "Trạng thái cho dữ liệu tốt", "cùng quy tắc ở ngưỡng dữ liệu tốt"),
    "level_margin_db": ("margin_db", "Mức trên ngưỡng (dB)", "trung bình mức thu trên ngưỡng chính; trống = không biết mức"),
    "p_dead": ("p_dead", "Xác suất mất sóng", "xác suất quá nửa số lần đo không đạt; trống = chưa đo được"),
    "p_covered": ("p_covered", "Xác suất có sóng", "xác suất dưới một phần năm không đạt; trống = chưa đo được"),
    "evidence_mix": ("evid_mix", "Số lần đo theo hạng", "số lần đo của từng hạng, như 'B 4, C 2'; trống = chưa đo"),
    "fcc_grade": ("fcc_grade", "Đạt mức FCC", "các lần không đạt cũng đủ mức khiếu nại của FCC"),
    "vehicle_tests": ("vehic_tst", "Lần đo yếu trong xe", "lần đo chưa kết luận vì yếu trong xe"),
    "pre_change_tests": ("prechg_tst", "Lần đo trước trạm mới", "lần đo chưa kết luận vì trước khi trạm gần đó phát sóng"),
    "positive_only_tests": ("posonly_ts", "Lần đo không ghi mất sóng", "lần đo của nguồn không bao giờ ghi lúc mất sóng"),
    "expired_tests": ("expird_tst", "Lần đo quá hạn", "lần đo quá hạn, không được tính"),
    "predicted_p_below": ("pred_below", "Xác suất dự đoán dưới ngưỡng", "dự đoán lớn nhất ở nơi chưa kết luận; trống = không dự đoán"),
    "survey_rank": ("surv_rank", "Thứ tự đo", "1 = đo trước hết; trống = không cần đo"),
    "hex": ("hex", "Ô lục giác", "chỉ số H3 của ô"),
    "effective_fails": ("eff_fails", "Số lần không đạt hiệu dụng", "số lần không đạt, tính như số lần đo hiệu dụng"),
    "dates": ("dates", "Số ngày đo", "số ngày có đo"),
    "fail_devices": ("fail_dev", "Số máy không đạt", "số máy đo có lần không đạt"),
    "fail_dates": ("fail_dates", "Số ngày không đạt", "số ngày có lần không đạt"),
    "fail_hexes": ("fail_hexes", "Số ô nhỏ không đạt", "số ô mức 10 có lần không đạt"),
    "verdict": ("verdict", "Kết luận", "kết luận mà bằng chứng cho phép"),
    "verdict_at_105": ("verd_105", "Kết luận ở ngưỡng chặt", "cùng quy tắc ở ngưỡng chặt"),
    "verdict_at_121": ("verd_121", "Kết luận ở ngưỡng rộng", "cùng quy tắc ở ngưỡng rộng"),
    "verdict_voice": ("verd_voice", "Kết luận cho thoại", "cùng quy tắc ở ngưỡng thoại"),
    "verdict_data_good": ("verd_data", "Kết luận cho dữ liệu tốt", "cùng quy tắc ở ngưỡng dữ liệu tốt"),
    "fails_to_dead": ("fails2dead", "Còn thiếu để mất sóng", "số lần không đạt ít nhất nữa để kết luận mất sóng; trống = đã vậy, hoặc hơn 30"),
    "passes_to_covered": ("pass2cover", "Còn thiếu để có sóng", "số lần đạt ít nhất nữa để kết luận có sóng; trống = đã vậy, hoặc hơn 30"),
    "tests_to_overturn": ("overturn", "Số lần đo để đảo kết luận", "số lần đo ít nhất làm mất kết luận; trống = chưa kết luận, hoặc hơn 30"),
    "road_id": ("road_id", "Mã đường", "mã của đường hoặc đèo"),
    "road_name": ("road_name", "Tên đường", "tên của đường hoặc đèo"),
    "kind": ("kind", "Loại đường", "pass = đèo, road = đường"),
    "length_km": ("length_km", "Dài (km)", "chiều dài cả đường"),
    "dead_km": ("dead_km", "Không có sóng (km)", "chiều dài trong ô không có sóng dùng được"),
    "below_standard_km": ("below_km", "Dưới chuẩn (km)", "chiều dài trong ô dưới chuẩn"),
    "covered_km": ("covered_km", "Có sóng (km)", "chiều dài trong ô có sóng"),
    "undecided_km": ("undec_km", "Chưa đủ bằng chứng (km)", "chiều dài trong ô chưa đủ bằng chứng"),
    "unmeasured_km": ("unmeas_km", "Chưa đo (km)", "chiều dài trong ô chưa ai đo; năm chiều dài cộng lại bằng cả đường"),
    "longest_dead_km": ("longest_km", "Đoạn mất sóng dài nhất (km)", "chiều dài đoạn mất sóng dài nhất"),
    "declared_km2": ("declar_km2", "Diện tích khai (km²)", "diện tích nhà mạng khai có sóng"),
    "tested_km2": ("tested_km2", "Diện tích đã đo (km²)", "trong đó đã đo"),
    "passes": ("passes", "Số lần đạt", "số lần đo đạt"),
    "pass_share": ("pass_share", "Tỷ lệ đạt", "số lần đạt chia số lần đo; trống = chưa đo"),
    "low_share": ("low_share", "Tỷ lệ đạt, cận dưới", "đầu dưới của khoảng 95 %; trống = chưa đo"),
    "high_share": ("high_share", "Tỷ lệ đạt, cận trên", "đầu trên của khoảng 95 %; trống = chưa đo"),
    "lat": ("lat", "Vĩ độ", "vĩ độ của giữa hình, độ thập phân WGS 84; trống = không có hình"),
    "lon": ("lon", "Kinh độ", "kinh độ của giữa hình, độ thập phân WGS 84; trống = không có hình"),
}
# Columns that no contract holds: their meaning in English, and their kind.
_BESIDE: Mapping[str, tuple[str, Kind]] = {
    "gap_id": ("id of the village and code of the operator", "text"),
    "criteria": ("name and hash of the criteria", "text"),
    "snapshot_id": ("the assessment", "text"),
    "as_of": ("the day that the assessment speaks of", "date"),
    "simulated": ("the assessment uses simulated data, not real measurements", "bool"),
    "hex": ("H3 index at the resolution of the criteria", "text"),
    "lat": ("latitude of the middle of the shape, WGS 84; missing = no shape", "real"),
    "lon": ("longitude of the middle of the shape, WGS 84; missing = no shape", "real"),
}
# fmt: on
SHORT_NAMES: Mapping[str, str] = {name: row[0] for name, row in _COLUMNS.items()}
_CONTRACTS = {"hexes": HEX_VERDICTS, "roads": ROAD_VERDICTS, "reliability": RELIABILITY}
_KINDS: Mapping[pa.DataType, Kind] = {
    pa.string(): "text",
    pa.int64(): "int",
    pa.float64(): "real",
    pa.bool_(): "bool",
    pa.timestamp("us"): "time",
    pa.date32(): "date",
}
_CODED = frozenset(
    {
        *(
            "status",
            "status_all_operators",
            "status_at_105",
            "status_at_121",
            "status_voice",
            "status_data_good",
        ),
        *(
            "verdict",
            "verdict_at_105",
            "verdict_at_121",
            "verdict_voice",
            "verdict_data_good",
            "centre_verdict",
        ),
        *("not_spot", "sub_reason", "grid_status", "who_must_act", "list", "basis", "people_method"),
    }
)
# The same code means different things in different columns.
_OWN_WORDS = {
    ("who_must_act", "verify_power"): "verify_power_action",
    ("basis", "settled"): "place_settled",
    ("basis", "polygon"): "place_polygon",
    **{("people_method", code): f"people_{code}" for code in PEOPLE_METHODS},
}
_UNITS = {
    "_dbm": "dBm",
    "_db": "dB",
    "_km": "km",
    "_km2": "km²",
    "_utc": "UTC",
    "_share": "0–1",
    "p_dead": "0–1",
    "p_covered": "0–1",
    "p_below": "0–1",
    "lat": "°",
    "lon": "°",
}


def heading(name: str, what: str) -> Heading:
    """What a column of a list (`gaps`, `hexes`, …) is called and means; raises `KeyError` where it has no row here."""
    short, vi, meaning_vi = _COLUMNS[name]
    # A list may hold a column that its own contract lacks, such as the operator's name beside a hex.
    tables = (VILLAGE_VERDICTS, _CONTRACTS.get(what, VILLAGE_VERDICTS))
    contract = {column.name: column for table in tables for column in table.columns}
    beside = _BESIDE.get(name)
    meaning, kind = beside or (contract[name].meaning, _KINDS[contract[name].type])
    codes = contract[name].values if name in _CODED else ()
    return Heading(name, short, vi, meaning_vi, meaning, _unit(name), kind, codes)


def headings(names: Iterable[str], what: str) -> list[Heading]:
    """The headings of some columns of a list, in their order."""
    return [heading(name, what) for name in names]


def word(name: str, code: str) -> tuple[str, str]:
    """What a code in a column means, Vietnamese and English; the code itself where there are no words for it."""
    return WORDS.get(_OWN_WORDS.get((name, code), code), (code, code)) if name in _CODED else (code, code)


def name_of(frame: gpd.GeoDataFrame) -> str:
    """The list that a frame holds, `phusong` where it does not say."""
    return str(frame.attrs.get("list", "phusong"))


def _unit(name: str) -> str:
    if name.startswith(("households", "population")) and not name.endswith("_source"):
        return "hộ / households" if name.startswith("households") else "người / people"
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
