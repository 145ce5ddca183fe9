"""Whether the numbers of a raster can be what it is given as: people, night lights, heights or declared service.

A raster says its numbers and never what they count. What no people, light or height on earth can be is
refused; what cannot be told from the numbers is said in a note, with the figures a person needs to tell it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from coverage.places.notes import Note
from coverage.places.rasters.forms import refusal

Kind = Literal["population", "nightlights", "dem", "declared"]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Numbers that producers write where they know nothing, whatever the file declares: WorldPop -99999,
# GHS-POP -200, SRTM -32768, and the ends of the float and int32 ranges. Heights can be -200.
_MARKS = (-99999.0, -32768.0, -32767.0, -9999.0, -2147483648.0)
_MARKS_NOT_HEIGHTS = (-999.0, -200.0)
_BEYOND_ANYTHING = 1e30
# Most people per km² over at least so many km², each above the densest that is known (recalled: Mong Kok
# 130,000; Manila city 43,000 on 43 km²; Metro Manila 22,000 on 640 km²; Dhaka Division 2,200 on 20,500 km²).
_DENSEST = ((1.0, 150_000.0), (40.0, 50_000.0), (500.0, 25_000.0), (20_000.0, 3_000.0))
# People per km² around the average person: 42,000 in the GHS-POP sample of Burundi, 250 m; our limit.
_DENSEST_AROUND_A_PERSON = 150_000.0
_TO_VI = str.maketrans(",.", ".,")  # Vietnamese writes 1.234,5
# Mean step between neighbouring cells over the mean of the two: 0.01–0.1 in samples of terrain and land
# cover, 1.25 in a population raster. Nowhere thinly settled and yet smooth: these are no people.
_SMOOTH, _TOWN_PER_KM2 = 0.15, 500.0
_LEAPING, _HILLY_M = 0.8, 100.0
_HEIGHTS_M = (-500.0, 9000.0)
# VIIRS noise reaches about -1.5 nW/cm²·sr; gas flares some thousands; whole city centres some hundreds.
_LIGHTS_NOISE, _LIGHTS_MOST, _LIGHTS_MEAN_MOST = -5.0, 10_000.0, 200.0
_LEVELS_DBM = (-160.0, -20.0)


@dataclass(frozen=True)
class Seen:
    """What was seen in one part of a raster; `+` joins two parts. Areas in km², the rest in the raster's unit."""

    km2: float = 0.0
    known_km2: float = 0.0
    known: int = 0
    marked: int = 0
    negative: int = 0
    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    around: float = 0.0
    steps: float = 0.0
    levels: float = 0.0
    whole: bool = True
    binary: bool = True

    def __add__(self, other: Seen) -> Seen:
        """Both parts together."""
        return Seen(
            km2=self.km2 + other.km2,
            known_km2=self.known_km2 + other.known_km2,
            known=self.known + other.known,
            marked=self.marked + other.marked,
            negative=self.negative + other.negative,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            total=self.total + other.total,
            around=self.around + other.around,
            steps=self.steps + other.steps,
            levels=self.levels + other.levels,
            whole=self.whole and other.whole,
            binary=self.binary and other.binary,
        )

    @property
    def per_km2(self) -> float:
        """The total over the area with data, per km²."""
        return self.total / self.known_km2 if self.known_km2 else 0.0


def marks(values: Floats, kind: Kind) -> Flags:
    """Which values stand for "nothing known", whatever the file declares: NaN, infinite, or a known mark."""
    known = _MARKS if kind == "dem" else (*_MARKS, *_MARKS_NOT_HEIGHTS)
    # NaN is not above -199: few values are looked at twice.
    found: Flags = ~(values > -199.0) | (values >= _BEYOND_ANYTHING)
    odd = values[found]
    found[found] = ~np.isfinite(odd) | (np.abs(odd) >= _BEYOND_ANYTHING) | np.isin(odd, known)
    return found


def look(values: Floats, km2_of_row: Floats, marked: int) -> Seen:
    """What is seen in a block whose unknown cells are NaN; `km2_of_row` is the area of one cell of each row."""
    km2 = np.broadcast_to(km2_of_row[:, None], values.shape)
    known = np.isfinite(values)
    there = values[known]
    if not there.size:
        return Seen(km2=float(km2.sum()), marked=marked)
    steps, levels = _steps(values)
    return Seen(
        km2=float(km2.sum()),
        known_km2=float(km2[known].sum()),
        known=int(there.size),
        marked=marked,
        negative=int((there < 0).sum()),
        low=float(there.min()),
        high=float(there.max()),
        total=float(there.sum()),
        around=float((there**2 / km2[known]).sum()),
        steps=steps,
        levels=levels,
        whole=bool((there == np.rint(there)).all()),
        binary=bool(np.isin(there, (0.0, 1.0)).all()),
    )


def _steps(values: Floats) -> tuple[float, float]:
    steps = levels = 0.0
    for one, next_one in ((values[:, 1:], values[:, :-1]), (values[1:], values[:-1])):
        both = np.isfinite(one) & np.isfinite(next_one)
        steps += float(np.abs(one[both] - next_one[both]).sum())
        levels += float(np.abs(one[both] + next_one[both]).sum()) / 2
    return steps, levels


def judge(kind: Kind, seen: Seen, file: str) -> list[Note]:
    """What a person should look at; raises `PlacesRefused` with its own code where the numbers cannot be that kind."""
    if not seen.known:
        raise refusal(
            "raster_empty",
            file,
            "không có ô nào mang dữ liệu. Hãy kiểm tra giá trị nodata và vùng đã cắt",
            "no cell holds data. Check the nodata value and the area it was cut to",
        )
    if kind != "declared" and seen.binary and seen.high == 1:
        raise refusal(
            "raster_is_mask",
            file,
            "chỉ có giá trị 0 và 1: đây là mặt nạ (có/không), không phải số đo. Hãy gửi tệp gốc",
            "holds only 0 and 1: a mask (yes or no), no quantity. Send the raster it was made of",
        )
    notes = [_note_of_marks(seen, file)] if seen.marked else []
    return notes + _JUDGES[kind](seen, file)


def _note(code: str, file: str, vi: str, en: str) -> Note:
    return Note(code, "", f"{file}: {vi}.", f"{file}: {en}.")


def _note_of_marks(seen: Seen, file: str) -> Note:
    return _note(
        "raster_marks",
        file,
        f"{_vi(seen.marked)} ô có giá trị vô nghĩa (NaN, vô cực, -99999…) ngoài nodata đã khai: coi là không có dữ liệu",
        f"{seen.marked:,} cells hold no value (NaN, infinite, -99999 …) beside the declared nodata: taken as no data",
    )


def _people(seen: Seen, file: str) -> list[Note]:
    if seen.negative:
        raise refusal(
            "population_negative",
            file,
            f"có {_vi(seen.negative)} ô âm (thấp nhất {_vi_short(seen.low)}): số người không thể âm. Hãy khai đúng nodata "
            "(gdal_edit.py -a_nodata), hoặc đây không phải tệp dân số",
            f"{seen.negative:,} cells are negative (lowest {_en(seen.low)}): no number of people is. Declare its nodata "
            "(gdal_edit.py -a_nodata), or this is no population raster",
        )
    if not seen.total:
        raise refusal("raster_empty", file, "không ô nào có người", "nobody lives in any cell")
    if seen.steps < _SMOOTH * seen.levels and seen.per_km2 > _TOWN_PER_KM2:
        raise refusal(
            "population_is_heights",
            file,
            f"từ {_vi_short(seen.low)} đến {_vi_short(seen.high)}, thay đổi đều từ ô này sang ô kia và không nơi nào thưa: giống độ cao "
            "hay phân loại đất, không phải số người. Hãy gửi tệp dân số gốc (số người mỗi ô), chưa lấy mẫu lại",
            f"{_en(seen.low)} to {_en(seen.high)}, changing gently from cell to cell and nowhere thin: like heights or land "
            "classes, not people. Send the original population raster (people per cell), not resampled",
        )
    if seen.around / seen.total > _DENSEST_AROUND_A_PERSON or seen.total > _most_people(seen.km2):
        raise refusal(
            "population_too_dense",
            file,
            f"{_vi(seen.per_km2)} người/km² (quanh một người trung bình {_vi(seen.around / seen.total)}): không nơi nào "
            "đông như vậy. Có thể đây là mật độ (người/km²) hoặc đại lượng khác; cần số người trong mỗi ô",
            f"{seen.per_km2:,.0f} people per km² ({seen.around / seen.total:,.0f} around the average person): no place "
            "is so dense. It may be a density (people per km²) or something else; people per cell are needed",
        )
    return [_note_of_people(seen, file)]


def _most_people(km2: float) -> float:
    limits = [per_km2 for least_km2, per_km2 in _DENSEST if km2 >= least_km2]
    return limits[-1] * km2 if limits else np.inf


def _note_of_people(seen: Seen, file: str) -> Note:
    cell_km2 = seen.known_km2 / seen.known
    vi = en = ""
    if 0.5 < cell_km2 < 2:
        vi = "; ô khoảng 1 km² nên không phân biệt được số người với mật độ"
        en = "; with cells of about 1 km² a count and a density look alike"
    return _note(
        "population_total",
        file,
        f"tổng {_vi(seen.total)} người trên {_vi(seen.known_km2)} km² có dữ liệu ({_vi(seen.per_km2, 1)} người/km²). "
        f"Hãy so với số dân đã biết{vi}",
        f"{seen.total:,.0f} people on {seen.known_km2:,.0f} km² with data ({seen.per_km2:,.1f} per km²). "
        f"Compare with what is known{en}",
    )


def _lights(seen: Seen, file: str) -> list[Note]:
    mean = seen.total / seen.known
    if seen.whole and seen.high > 0:
        raise refusal(
            "nightlights_not_radiance",
            file,
            f"chỉ có số nguyên ({_vi_short(seen.low)} đến {_vi_short(seen.high)}): là ảnh, độ cao, hoặc bức xạ chưa nhân hệ số. "
            "Cần bức xạ ánh sáng đêm, nW/cm²·sr (VIIRS)",
            f"holds only whole numbers ({_en(seen.low)} to {_en(seen.high)}): a picture, heights, or radiance without its "
            "scale. Night-time radiance in nW/cm²·sr (VIIRS) is needed",
        )
    if seen.low < _LIGHTS_NOISE or seen.high > _LIGHTS_MOST or mean > _LIGHTS_MEAN_MOST:
        raise refusal(
            "nightlights_out_of_range",
            file,
            f"từ {_vi_short(seen.low)} đến {_vi_short(seen.high)}, trung bình {_vi_short(mean)}: ánh sáng đêm (nW/cm²·sr) không thể như vậy",
            f"{_en(seen.low)} to {_en(seen.high)}, mean {_en(mean)}: no night lights (nW/cm²·sr) are like that",
        )
    notes = [_note_of_range("nightlights_range", seen, file, "nW/cm²·sr")]
    if seen.negative:
        notes.append(
            _note(
                "nightlights_noise",
                file,
                f"{_vi(seen.negative)} ô âm (thấp nhất {_vi_short(seen.low)}) là nhiễu: coi là 0",
                f"{seen.negative:,} negative cells (lowest {_en(seen.low)}) are noise: taken as 0",
            )
        )
    return notes


def _heights(seen: Seen, file: str) -> list[Note]:
    leaps = seen.steps > _LEAPING * seen.levels and seen.high > _HILLY_M
    if seen.low < _HEIGHTS_M[0] or seen.high > _HEIGHTS_M[1] or leaps:
        raise refusal(
            "dem_not_heights",
            file,
            f"từ {_vi_short(seen.low)} đến {_vi_short(seen.high)}{', nhảy vọt từ ô này sang ô kia' if leaps else ''}: không phải độ cao "
            "tính bằng mét. Hãy khai đúng nodata, hoặc gửi mô hình số độ cao (DEM)",
            f"{_en(seen.low)} to {_en(seen.high)}{', leaping from cell to cell' if leaps else ''}: these are no heights in "
            "metres. Declare its nodata, or send a terrain model (DEM)",
        )
    return [_note_of_range("dem_range", seen, file, "m")]


def _service(seen: Seen, file: str) -> list[Note]:
    if not seen.binary and (seen.low < _LEVELS_DBM[0] or seen.high > _LEVELS_DBM[1]):
        raise refusal(
            "declared_not_levels",
            file,
            f"từ {_vi_short(seen.low)} đến {_vi_short(seen.high)}: cần mức thu (dBm) hoặc mặt nạ 1 = có sóng, 0 = không",
            f"{_en(seen.low)} to {_en(seen.high)}: levels in dBm are needed, or a mask of 1 = served and 0 = not",
        )
    return []


def _note_of_range(code: str, seen: Seen, file: str, unit: str) -> Note:
    mean = seen.total / seen.known
    return _note(
        code,
        file,
        f"từ {_vi_short(seen.low)} đến {_vi_short(seen.high)} {unit}, trung bình {_vi_short(mean)}. Hãy xem có hợp lý không",
        f"{_en(seen.low)} to {_en(seen.high)} {unit}, mean {_en(mean)}. See whether that makes sense",
    )


def _vi(number: float, digits: int = 0) -> str:
    return f"{number:,.{digits}f}".translate(_TO_VI)


def _en(number: float) -> str:
    # No exponents, for people to read out: 1,000 and 0.00123.
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return np.format_float_positional(number, precision=3, fractional=False, trim="-")


def _vi_short(number: float) -> str:
    return _en(number).translate(_TO_VI)


_JUDGES: dict[Kind, Callable[[Seen, str], list[Note]]] = {
    "population": _people,
    "nightlights": _lights,
    "dem": _heights,
    "declared": _service,
}
