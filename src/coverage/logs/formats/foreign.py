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
        ("simState", "networkRegistrationInfo"),
        (),
        "bảng trạng thái máy (phone state) của Network Survey, không có mức thu, chưa đọc được. "
        "Hãy gửi các tệp LTE, NR, UMTS, GSM của cùng lần đo",
        "the phone-state table of Network Survey, without levels, which is not read yet. "
        "Send the LTE, NR, UMTS and GSM files of the same session",
    ),
)
