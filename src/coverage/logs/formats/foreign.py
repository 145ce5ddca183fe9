"""Tables that are known, and are not a signal log that can be read: each says what it is and the cure."""

from coverage.logs.formats.profile import Foreign

FOREIGN: tuple[Foreign, ...] = (
    Foreign(
        ("EventType", "EventDetails"),
        (),
        "bảng sự kiện (cuộc gọi, chuyển giao) của G-NetTrack Pro, không phải nhật ký tín hiệu. "
        "Hãy gửi tệp *_log.txt của cùng lần đo",
        "the event table (calls, handovers) of G-NetTrack Pro, not its signal log. "
        "Send the *_log.txt of the same session",
    ),
    Foreign(
        ("TESTDOWNLINK", "TESTUPLINK"),
        ("Operator", "ARFCN", "Altitude"),
        "bảng thử tốc độ (datatest) của G-NetTrack Pro, không phải nhật ký tín hiệu. "
        "Hãy gửi tệp *_log.txt của cùng lần đo",
        "the data-test table of G-NetTrack Pro, not its signal log. Send the *_log.txt of the same session",
    ),
    Foreign(
        ("Event", "Stats"),
        ("Latitude",),
        "bảng tổng kết (stats) của G-NetTrack Pro, không có toạ độ. Hãy gửi tệp *_log.txt của cùng lần đo",
        "the summary table of G-NetTrack Pro, without positions. Send the *_log.txt of the same session",
    ),
    Foreign(
        ("radio", "mcc", "net", "area", "cell"),
        (),
        "danh sách trạm (OpenCelliD/MLS), không phải kết quả đo. Hãy gửi nhật ký đo tại hiện trường",
        "a list of radio masts (OpenCelliD/MLS), not measurements. Send the field log",
    ),
    Foreign(
        ("quadkey", "avg_d_kbps"),
        (),
        "số trung bình theo ô của Ookla, không phải từng lần đo. Hãy gửi nhật ký đo tại hiện trường",
        "averages per tile from Ookla, not single readings. Send the field log",
    ),
    Foreign(
        ("mcc", "mnc", "neighboring", "measured_at"),
        (),
        "bảng xuất của Tower Collector, chưa đọc được (lẫn trạm lân cận). Hãy chuyển sang CSV chuẩn, chỉ giữ trạm phục vụ",
        "a Tower Collector export, which is not read yet (it mixes in neighbours). "
        "Convert it to the canonical CSV, serving cells only",
    ),
    Foreign(
        ("PLMN", "SYSTEM", "xNBID", "NR_SS_RSRP"),
        (),
        "bảng xuất của G-MoN Pro, chưa đọc được. Hãy chuyển sang CSV chuẩn",
        "a G-MoN Pro export, which is not read yet. Convert it to the canonical CSV",
    ),
    Foreign(
        ("missionId", "recordNumber", "servingCell"),
        (),
        "bảng xuất của Network Survey, chưa đọc được (lẫn trạm lân cận). Hãy chuyển sang CSV chuẩn, chỉ giữ trạm phục vụ",
        "a Network Survey export, which is not read yet (it mixes in neighbours). "
        "Convert it to the canonical CSV, serving cells only",
    ),
)
