"""What went wrong with a layer's coordinates: a stable code, what to say, and the option that cures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coverage.places.coordinates.systems import Reading, meridian_and_scale

Code = Literal[
    "datum_shift_not_applied",
    "datum_shift_not_needed",
    "wrong_zone",
    "wrong_ellipsoid",
    "axes_swapped",
    "metres_as_degrees",
    "degrees_as_metres",
    "mixed_systems",
    "elsewhere",
]
_WHAT: dict[Code, tuple[str, str]] = {
    "datum_shift_not_applied": (
        "số liệu theo VN-2000 nhưng được đọc như WGS 84, chưa chuyển hệ (lệch khoảng 226 m)",
        "the numbers are VN-2000 but were read as WGS 84, without the shift between the two (some 226 m)",
    ),
    "datum_shift_not_needed": (
        "số liệu đã theo WGS 84 nhưng lại được chuyển như VN-2000 (lệch khoảng 226 m)",
        "the numbers are WGS 84 already but were shifted as if they were VN-2000 (some 226 m)",
    ),
    "wrong_zone": (
        "sai múi chiếu hoặc phép chiếu (kinh tuyến trục hay hệ số tỷ lệ khác)",
        "the wrong zone or projection (another central meridian or scale)",
    ),
    "wrong_ellipsoid": (
        "sai tham số ellipsoid và tỷ lệ: múi VN-2000 bị viết thành tmerc trên WGS 84, không có tham số chuyển hệ (lệch khoảng 538 m)",
        "the wrong ellipsoid and scale: a VN-2000 zone written as tmerc on WGS 84 without the shift of its datum (some 538 m)",
    ),
    "axes_swapped": (
        "hai trục toạ độ bị đảo (số thứ nhất là hướng bắc)",
        "the two axes are swapped (the first number is the one to the north)",
    ),
    "metres_as_degrees": (
        "số liệu là mét nhưng được ghi là độ",
        "the numbers are metres but are said to be degrees",
    ),
    "degrees_as_metres": (
        "số liệu là độ nhưng được ghi là mét",
        "the numbers are degrees but are said to be metres",
    ),
    "mixed_systems": (
        "tệp ghép từ hai hệ toạ độ",
        "the file was put together from two coordinate systems",
    ),
    "elsewhere": (
        "toạ độ nằm xa các khu vực đã biết, đọc theo hệ nào cũng không khớp",
        "the coordinates lie far from the areas that are known, in whatever system they are read",
    ),
}


@dataclass(frozen=True)
class Suspicion:
    """A mistake, what was seen of it, and the readings that would fit, best first (none: `elsewhere`).

    `outside` says in words what is off; `counts` are the features looked at, those off as they were taken, and
    those off in the best reading. `rows` are some of those that need the other reading, where not all do.
    """

    code: Code
    taken: Reading
    others: tuple[Reading, ...]
    outside: tuple[str, str]
    counts: tuple[int, int, int]
    rows: tuple[int, ...] = ()

    def message(self, file: str) -> tuple[str, str]:
        """The message in Vietnamese and English: what, where, how much, and the cure."""
        (vi, en), (cure_vi, cure_en) = _WHAT[self.code], self._cure()
        (outside_vi, outside_en), (features, off, _) = self.outside, self.counts
        return (
            f"{file}: đọc theo {self.taken.label} thì {off} trên {features} đối tượng {outside_vi}."
            f" Có lẽ {vi}. {cure_vi}",
            f"{file}: read as {self.taken.label}, {off} of {features} features {outside_en}."
            f" Probably {en}. {cure_en}",
        )

    def _cure(self) -> tuple[str, str]:
        trust_vi = "nếu toạ độ đúng là như vậy thì thêm --trust-coordinates."
        trust_en = "if the coordinates are right as they are, add --trust-coordinates."
        if not self.others:
            return (
                f"Hãy kiểm tra tệp và lớp xã; {trust_vi}",
                f"Check the file and the layer of communes; {trust_en}",
            )
        best, *rest = self.others
        if self.rows:
            return self._split(best)
        also_vi, also_en = _also(rest)
        return (
            f'Đọc theo {best.label} thì chỉ còn {self.counts[2]}. Hãy nạp lại với --crs "{best.option}"{also_vi}; {trust_vi}',
            f'Read as {best.label}: only {self.counts[2]}. Send it again with --crs "{best.option}"{also_en}; {trust_en}',
        )

    def _split(self, best: Reading) -> tuple[str, str]:
        rows = ", ".join(str(row + 1) for row in self.rows)
        return (
            f'Các đối tượng {rows}… chỉ khớp khi đọc theo {best.label}. Hãy chuyển chúng từ "{best.option}" về cùng'
            " hệ với phần còn lại rồi nạp lại; nếu toạ độ đúng là như vậy thì thêm --trust-coordinates.",
            f'Features {rows}… only fit when read as {best.label}. Bring them from "{best.option}" into the system of'
            " the rest and send the file again; if the coordinates are right as they are, add --trust-coordinates.",
        )


def _also(rest: list[Reading]) -> tuple[str, str]:
    if not rest:
        return "", ""
    names = ", ".join(f'"{reading.option}"' for reading in rest)
    return f" (chưa phân biệt được với {names})", f" (not told apart from {names})"


def mistake(taken: Reading, right: Reading) -> Code:
    """The name of what happened where numbers of the one reading were taken for the other."""
    if taken.geographic != right.geographic:
        return "metres_as_degrees" if taken.geographic else "degrees_as_metres"
    if taken.north_first != right.north_first:
        return "axes_swapped"
    (meridian, scale), (meridian_right, scale_right) = map(meridian_and_scale, (taken.crs, right.crs))
    if not _same(meridian, meridian_right):
        return "wrong_zone"
    if not _same(scale, scale_right):
        return "wrong_zone" if taken.shifts_datum == right.shifts_datum else "wrong_ellipsoid"
    return "datum_shift_not_applied" if right.shifts_datum else "datum_shift_not_needed"


def _same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=0, atol=1e-6, equal_nan=True))
