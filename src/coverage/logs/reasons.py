"""Why a row did not become a measurement, in one sentence each: what is wrong, the value, the cure."""

from __future__ import annotations

# code → Vietnamese and English; {at} = the column and value, {value} = the value.
_SENTENCES: dict[str, tuple[str, str]] = {
    "bad_coordinate": (
        "Toạ độ thiếu hoặc không phải số ({at}): hãy ghi độ thập phân WGS 84, ví dụ 11.94.",
        "The coordinate is missing or no number ({at}): write decimal degrees in WGS 84, e.g. 11.94.",
    ),
    "coordinate_out_of_range": (
        "Toạ độ nằm ngoài Trái Đất ({at}): vĩ độ từ -90 đến 90, kinh độ từ -180 đến 180; có thể hai cột bị đảo.",
        "The coordinate is off the globe ({at}): latitude -90 to 90, longitude -180 to 180; "
        "the two columns may be swapped.",
    ),
    "null_island": (
        "Toạ độ 0, 0 nghĩa là máy chưa định vị được ({at}): hãy đợi có GPS rồi mới ghi.",
        "Coordinates 0, 0 mean that the phone had no fix ({at}): wait for GPS before recording.",
    ),
    "swapped_coordinates": (
        "Vĩ độ và kinh độ bị đảo ({at}): hãy đổi chỗ hai cột rồi gửi lại.",
        "Latitude and longitude are the other way round ({at}): swap the two columns and send again.",
    ),
    "outside_area": (
        "Vị trí ở xa khu vực đang quản lý ({at}): kiểm tra toạ độ; nếu đúng, hãy thêm các xã ở đó rồi gửi lại.",
        "The position is far from the area that is looked after ({at}): check it; if it is right, add the communes there.",
    ),
    "position_jump": (
        "Vị trí nhảy đi rồi nhảy về, không xe nào kịp ({at}): lỗi GPS; đo lại nếu cần chỗ này.",
        "The position leaps away and back faster than anything drives ({at}): a GPS fault; measure again if needed.",
    ),
    "frozen_position": (
        "Vị trí đứng yên trong khi máy đang di chuyển ({at}): GPS bị treo; hãy bật lại GPS và đo lại.",
        "The position stands still while the phone moves ({at}): GPS was stuck; restart it and measure again.",
    ),
    "stale_cell": (
        "Trạm và mức thu không đổi suốt hơn 2 km ({at}): máy đã ngừng cập nhật; khởi động lại ứng dụng và đo lại.",
        "Cell and level stay the same over 2 km ({at}): the phone stopped updating; restart the app and measure again.",
    ),
    "too_fast": (
        "Tốc độ trên 180 km/h ({at}): đo trên máy bay hoặc GPS sai; không dùng được.",
        "Faster than 180 km/h ({at}): measured in an aircraft, or GPS was wrong; it cannot be used.",
    ),
    "wrong_coordinate_system": (
        "Toạ độ không ở hệ WGS 84 ({at}): hãy xuất lại với EPSG:4326.",
        "The coordinates are not in WGS 84 ({at}): export again as EPSG:4326.",
    ),
    "poor_accuracy": (
        "Sai số vị trí quá lớn ({at}): mặc định tối đa 50 m; hãy đo lại ngoài trời.",
        "The position is too inaccurate ({at}): at most 50 m by default; measure again under open sky.",
    ),
    "bad_time": (
        "Thời gian thiếu hoặc không đọc được ({at}): hãy ghi 2026-10-31T14:05:00 hoặc 31/10/2026 14:05.",
        "The time is missing or cannot be read ({at}): write 2026-10-31T14:05:00 or 31/10/2026 14:05.",
    ),
    "time_in_future": (
        "Thời gian ở tương lai ({at}): hãy kiểm tra đồng hồ của máy và --timezone, rồi gửi lại.",
        "The time is in the future ({at}): check the phone's clock and --timezone, then send again.",
    ),
    "date_ambiguous": (
        "Không rõ ngày hay tháng đứng trước ({at}): hãy gửi lại với --date-order dmy (ngày trước) hoặc mdy (tháng trước).",
        "Day or month first is not clear ({at}): send again with --date-order dmy (day first) or mdy (month first).",
    ),
    "date_unknown": (
        "Tệp không có thời gian ({at}): hãy gửi lại với --date NĂM-THÁNG-NGÀY.",
        "The file has no time ({at}): send it again with --date YYYY-MM-DD.",
    ),
    "bad_level": (
        "Mức thu không phải số ({at}): hãy ghi số dBm, ví dụ -97, hoặc để trống nếu không biết.",
        "The level is no number ({at}): write dBm, e.g. -97, or leave it empty where unknown.",
    ),
    "bad_service_state": (
        "Không hiểu trạng thái dịch vụ ({at}): dùng in_service, no_service (không có sóng), "
        "emergency_only (chỉ khẩn cấp) hoặc để trống.",
        "The service state is not understood ({at}): use in_service, no_service, emergency_only or leave it empty.",
    ),
    "operator_unknown": (
        "Không rõ nhà mạng ({at}): hãy gửi lại với --operator, ví dụ --operator Viettel.",
        "The operator is not known ({at}): send the file again with --operator, e.g. --operator Viettel.",
    ),
    "technology_unknown": (
        "Không rõ công nghệ của mức thu ({at}): hãy gửi lại với --technology 2G, 3G, 4G hoặc 5G.",
        "The technology of the level is not known ({at}): send the file again with --technology 2G, 3G, 4G or 5G.",
    ),
    "wrong_field_count": (
        "Dòng có số ô khác dòng tiêu đề (có/cần: {value}): có thể bị cắt giữa chừng; hãy xuất lại tệp.",
        "The row has another number of fields than the header (found/needed: {value}): "
        "it may have been cut off; export the file again.",
    ),
    "bad_quotes": (
        "Dấu ngoặc kép trong dòng không khép đúng: hãy bỏ dấu ngoặc kép thừa hoặc xuất lại tệp.",
        "A quotation mark in the row does not close: take out the stray mark or export the file again.",
    ),
    "line_too_long": (
        "Dòng dài hơn một triệu byte, không phải một dòng đo: tệp có thể bị hỏng ở chỗ này; hãy xuất lại tệp.",
        "The line is longer than a million bytes and no row of a log: the file may be damaged there; export it again.",
    ),
    "neighbour_cell": (
        "Dòng của trạm lân cận, không phải trạm phục vụ ({at}): không dùng để xét sóng, không cần làm gì.",
        "A row of a neighbouring cell, not of the serving one ({at}): not evidence of service, nothing to do.",
    ),
    "sim_not_ready": (
        "SIM chưa sẵn sàng ({at}): dòng này không nói gì về mạng; hãy kiểm tra SIM rồi đo lại.",
        "The SIM was not ready ({at}): such a row says nothing of the network; check the card and measure again.",
    ),
    "not_mobile": (
        "Dòng Wi-Fi hoặc Bluetooth, không phải mạng di động ({at}): không dùng, không cần làm gì.",
        "A Wi-Fi or Bluetooth row, not a mobile network ({at}): not used, nothing to do.",
    ),
    "stale_position": (
        "Vị trí và trạm được ghi cách nhau quá lâu ({at}): không biết đo ở đâu; hãy bật GPS liên tục khi đo.",
        "Position and cell were recorded too far apart ({at}): where it was measured is not known; "
        "keep GPS on while measuring.",
    ),
    "duplicate_row": (
        "Trùng hoàn toàn với dòng {value} của tệp: đã giữ dòng đó, không cần làm gì.",
        "The same in every field as line {value} of the file: that one was kept, nothing to do.",
    ),
}
# Ways of writing that are read all the same; the rows are accepted.
_FIXES: dict[str, tuple[str, str]] = {
    "decimal_comma": ("dấu phẩy thập phân được đọc thành dấu chấm", "a decimal comma was read as a point"),
    "typographic_minus": (
        "dấu trừ kiểu chữ in được đọc thành dấu trừ",
        "a typographic minus was read as a minus",
    ),
    "apostrophe": (
        "đã bỏ dấu nháy đơn mà bảng tính đặt trước số",
        "an apostrophe before a number was left out",
    ),
    "unit_in_cell": (
        "đã bỏ đơn vị dBm, dB hoặc ° ghi sau số",
        "a unit (dBm, dB, °) after a number was left out",
    ),
    "serial_date": (
        "số ngày của bảng tính được đọc thành ngày giờ",
        "a spreadsheet's count of days was read as a date",
    ),
    "joined_lines": (
        "ô có xuống dòng: các dòng đã được nối lại",
        "a cell with line breaks: its lines were joined",
    ),
    "operator_inherited": (
        "dòng không ghi nhà mạng: lấy theo các dòng khác, tên tệp hoặc lựa chọn khi gửi",
        "the row names no operator: taken from the other rows, the file's name or the upload",
    ),
    "no_service_word": (
        "chữ mất sóng ghi ở cột nhà mạng, công nghệ hoặc mức thu được đọc là không có dịch vụ",
        "words for no service in place of operator, technology or level were read as no service",
    ),
    "asu_to_dbm": ("đơn vị ASU được đổi sang dBm", "ASU was turned into dBm"),
    "index_to_dbm": ("chỉ số 3GPP được đổi sang dBm", "a 3GPP index was turned into dBm"),
    "tenths_of_db": ("phần mười dB được đổi sang dB", "tenths of a dB were turned into dB"),
}
CODES = tuple(_SENTENCES)
FIXES = tuple(_FIXES)


def reason(code: str, column: str | None, value: str | None) -> tuple[str, str]:
    """The Vietnamese and the English sentence for an outcome: what is wrong, the value, the cure.

    column and value as in the outcomes table; missing column = no such column or the whole row, missing
    value = empty in the file. Raises `KeyError` for a code that is not ours.
    """
    vi, en = _SENTENCES[code]
    shown_vi = _at(column, value, "không có cột", "trống")
    shown_en = _at(column, value, "no such column", "empty")
    return vi.format(at=shown_vi, value=value or "?"), en.format(at=shown_en, value=value or "?")


def _at(column: str | None, value: str | None, no_column: str, empty: str) -> str:
    if column is None:
        return value or no_column
    return f"{column} = {value or empty}"


def fix(code: str) -> tuple[str, str]:
    """The Vietnamese and the English name of a way of writing that was read all the same. Raises `KeyError`."""
    return _FIXES[code]
