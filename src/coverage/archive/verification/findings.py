"""What a verification finds, in words, and what cures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_BACKUP = ("khôi phục từ bản sao lưu", "restore it from a backup")
_BY_HAND = (
    "sổ ghi đã bị sửa bằng tay hoặc hỏng; khôi phục từ bản sao lưu",
    "the manifest was edited by hand or is damaged; restore it from a backup",
)
_AGAIN = ("đánh giá lại: phusong assess", "judge again: phusong assess")
_HARMLESS = (
    "vô hại; phusong work sẽ xoá sau một ngày",
    "harmless; phusong work removes it after a day",
)
# code: what is wrong and its cure, each in Vietnamese and English.
_MEANINGS = {
    "manifest_missing": (("Không có sổ ghi", "The manifest is not there"), _BACKUP),
    "manifest_damaged": (("Sổ ghi bị hỏng", "The manifest is damaged"), _BACKUP),
    "manifest_of_another": (
        ("Sổ ghi và thư mục không thuộc về nhau", "Manifest and folder do not belong together"),
        _BACKUP,
    ),
    "part_missing": (("Thiếu tệp dữ liệu", "A part is missing"), _BACKUP),
    "part_changed": (("Tệp dữ liệu không còn nguyên vẹn", "A part is not what it was"), _BACKUP),
    "part_unreadable": (
        ("Tệp dữ liệu không đúng khuôn mẫu", "A part is not as the contract of its table says"),
        _BACKUP,
    ),
    "part_disagrees": (
        ("Tệp dữ liệu khác với sổ ghi", "A part holds other than the manifest says"),
        _BY_HAND,
    ),
    "upload_disagrees": (
        ("Dòng của lần tải lên tự mâu thuẫn", "An upload's row contradicts itself"),
        _BY_HAND,
    ),
    "events_disagree": (("Lịch sử không khớp", "The history does not agree"), _BY_HAND),
    "delivery_missing": (
        ("Thiếu tệp đã nhận mà chưa nạp", "The bytes of a delivery are missing"),
        (
            "khôi phục từ bản sao lưu hoặc nhờ người gửi gửi lại",
            "restore it from a backup, or have it sent again",
        ),
    ),
    "delivery_changed": (
        ("Tệp đã nhận không còn nguyên vẹn", "The bytes of a delivery are not those that came"),
        (
            "khôi phục từ bản sao lưu hoặc nhờ người gửi gửi lại",
            "restore it from a backup, or have it sent again",
        ),
    ),
    "delivery_failed": (
        ("Tệp đã nhận mà chưa đọc được", "A file that was received and could not be read in"),
        ("sửa nguyên nhân rồi: phusong deliveries retry", "cure the cause, then: phusong deliveries retry"),
    ),
    "delivery_disagrees": (
        ("Dòng của lần gửi tự mâu thuẫn", "A delivery's row contradicts itself"),
        _BY_HAND,
    ),
    "jobs_disagree": (("Việc đang chờ không khớp với lần gửi", "Jobs and deliveries do not agree"), _BY_HAND),
    "audit_disagrees": (
        ("Nhật ký kiểm toán đã bị sửa", "The audit log was changed"),
        (
            "so với bản đã xuất trước đây: phusong audit export",
            "compare it with what was exported before: phusong audit export",
        ),
    ),
    "snapshot_missing": (("Thiếu bản đánh giá đã công bố", "A published snapshot is missing"), _AGAIN),
    "snapshot_changed": (
        ("Bản đánh giá không còn nguyên vẹn", "A snapshot is not what it was"),
        ("xoá thư mục ấy rồi phusong assess", "remove its folder, then phusong assess"),
    ),
    "layer_missing": (
        ("Thiếu tệp của lớp", "The file of a layer is missing"),
        ("nạp lại: phusong places add", "add it again: phusong places add"),
    ),
    "layer_changed": (
        ("Lớp không còn nguyên vẹn", "A layer is not what it was"),
        ("nạp lại: phusong places add", "add it again: phusong places add"),
    ),
    "criteria": (
        ("Không dùng được tiêu chí", "The criteria cannot be used"),
        ("đặt lại: phusong init --criteria TỆP", "put them in force again: phusong init --criteria FILE"),
    ),
    "mapping": (
        ("Không đọc được bảng khai cột", "A saved mapping cannot be read"),
        ("lưu lại: phusong mappings add", "save it again: phusong mappings add"),
    ),
    "device_key": (
        ("Không có khoá băm tên máy", "The key under which devices are hashed is not there"),
        (
            "khôi phục từ bản sao lưu; khoá mới sẽ không nhận ra máy cũ",
            "restore it from a backup; a new key would not know the old phones",
        ),
    ),
    "draft": (("Tệp nháp bỏ lại", "A draft was left"), _HARMLESS),
    "part": (("Tệp dữ liệu không còn dùng", "A part that is not used any more"), _HARMLESS),
    "layer": (("Trạng thái cũ của một lớp", "A former state of a layer"), _HARMLESS),
    "ground": (("Bản đồ nền của thôn không còn dùng", "A former lie of the land"), _HARMLESS),
    "ground_changed": (
        ("Bản đồ nền của thôn đã lưu không còn nguyên vẹn", "A kept lie of the land is not what it was"),
        ("vô hại; phusong assess sẽ tính lại", "harmless; phusong assess makes it again"),
    ),
    "delivery": (("Thư mục của lần gửi đã xong", "The folder of a delivery that has ended"), _HARMLESS),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    severity: damage, attention (nothing is lost, and somebody must act), or leftover (harmless). what: a stable code. where: file, upload, delivery or table.
    vi, en: what is wrong and what cures it.
    """

    severity: Literal["damage", "attention", "leftover"]
    what: str
    where: str
    vi: str
    en: str


def damage(what: str, where: object, found: str = "") -> Finding:
    """Something is lost or wrong; `found`: what stands there instead, as it is."""
    return _finding("damage", what, where, found)


def leftover(what: str, where: object, found: str = "") -> Finding:
    """Something that nothing needs lies there."""
    return _finding("leftover", what, where, found)


def attention(what: str, where: object, found: str = "") -> Finding:
    """Nothing is lost, and nothing goes on without somebody."""
    return _finding("attention", what, where, found)


def _finding(
    severity: Literal["damage", "attention", "leftover"], what: str, where: object, found: str
) -> Finding:
    (vi, en), (cure_vi, cure_en) = _MEANINGS[what]
    seen = f" ({found})" if found else ""
    return Finding(
        severity, what, str(where), f"{vi}: {where}{seen}; {cure_vi}.", f"{en}: {where}{seen}; {cure_en}."
    )
