"""Tables that are known, and are not a signal log that can be read: each says what it is and the cure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coverage import cell_lists
from coverage.logs.formats.profile import Foreign


@dataclass(frozen=True)
class ForeignShape:
    """A text without a header that is known and is no log: the shape of its first line, what it is and the cure."""

    first_line: re.Pattern[str]
    vi: str
    en: str


def _masts_vi(name: str) -> str:
    return (
        f"danh sách trạm phát sóng ({name}), không phải kết quả đo. Hãy thêm bằng lệnh: "
        "phusong places add sites TỆP; để đánh giá sóng, hãy gửi nhật ký đo tại hiện trường"
    )


def _masts_en(name: str) -> str:
    return (
        f"a list of radio masts ({name}), not measurements. Add it with: phusong places add sites FILE; "
        "to judge the signal, send the field log"
    )


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
    *(Foreign(has, (), _masts_vi(name), _masts_en(name)) for name, has in cell_lists.HEADERS.items()),
    Foreign(
        ("quadkey", "avg_d_kbps"),
        (),
        "số trung bình theo ô của Ookla, không phải từng lần đo. Hãy gửi nhật ký đo tại hiện trường",
        "averages per tile from Ookla, not single readings. Send the field log",
    ),
)
FOREIGN_SHAPES: tuple[ForeignShape, ...] = tuple(
    ForeignShape(one.first_line, _masts_vi(one.name), _masts_en(one.name)) for one in cell_lists.LISTS
)


def shape_of(line: str) -> ForeignShape | None:
    """What a text with this first line is, if it is no log; None where the line has no such shape."""
    bare = line.lstrip("\ufeff").strip()
    return next((shape for shape in FOREIGN_SHAPES if shape.first_line.match(bare)), None)
