"""What the name of a column says: the words that make it one of our fields, and the words around them.

A name counts for a field if it is one of its spellings, or if every word of it is part of a spelling or changes
nothing (`GPS Latitude`, `RSRP trạm phục vụ`). One word more that is not known (`Neighbor RSRP`, `vĩ độ trạm`) makes
it a name of something else: a reading must never come from a column that was half understood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from coverage.names import fold

# A unit in brackets after a name says nothing new, unless it changes the number (km/h, m/s, kbit/s).
_UNIT = re.compile(r"[(\[]\s*(?:dbm|db|m|mbps|mbit/s|°|độ|deg|wgs ?84)\s*[)\]]\s*$", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # ssRsrp, CellId
LONGEST = 4  # words that are looked up together


def folded_set(text: str) -> frozenset[str]:
    """The words of a list like "one, two words", folded."""
    return frozenset(fold(one) for one in text.split(", "))


_MEASURED = "value, giá trị, measured, measurement, sample, đo, đo được, current, hiện tại"
_POSITION = (
    f"{_MEASURED}, gps, gnss, wgs84, wgs, 84, deg, degree, degrees, dd, decimal, độ, thập phân, phone, của máy, điểm đo, "
    "position, location, vị trí, toạ độ, tọa độ"
)
_SERVING = "serving, serving cell, pcell, phục vụ, trạm phục vụ, ô phục vụ, cell phục vụ"
_LEVEL = f"{_MEASURED}, {_SERVING}, dbm, in, mức, mức thu, cường độ, level, power, strength"
_QUALITY = f"{_MEASURED}, {_SERVING}, db, in, lte, 4g, chất lượng, tỉ số, tỷ số"
_SPEED = f"{_MEASURED}, gps, ground, vehicle, phone, xe, di chuyển"
_TIME = f"{_MEASURED}, local, device, phone, log, survey, test, máy, của máy, khảo sát, địa phương"
_NETWORK = f"{_MEASURED}, network, mobile, mạng, di động"
_SPEEDS = "speed, velocity, v, tốc độ, vận tốc"
_STATE_WORDS = "state, status, trạng thái, tình trạng"
# Words that change nothing beside a field's own spelling; words of another cell, phone, place or moment never stand here.
_AROUND = {
    "time": _TIME,
    "date": f"{_TIME}, tháng, năm",
    "clock": f"{_TIME}, phút, giây",
    "time_utc": f"{_TIME}, gps, date, time, datetime, timestamp, stamp, thời gian, giờ, ngày",
    "lat": f"{_POSITION}, latitude, n, b",
    "lon": f"{_POSITION}, longitude, e, l",
    "operator": f"{_NETWORK}, serving, name, tên, id, code, mã, viễn thông",
    "mcc": f"{_SERVING}, mã, code",
    "mnc": f"{_SERVING}, mã, code",
    "technology": f"{_NETWORK}, {_SERVING}, type, radio, access, generation, vô tuyến, loại, chuẩn, thế hệ",
    "service_state": f"{_NETWORK}, {_STATE_WORDS}, service, coverage, signal, registration, sóng, phủ sóng, phục vụ, dịch vụ, kết nối, đăng ký, "
    "tín hiệu",
    "device": f"{_MEASURED}, name, model, id, tên, mã, phone, device, máy",
    "rsrp_dbm": f"{_LEVEL}, lte, 4g",
    "ss_rsrp_dbm": f"{_LEVEL}, nr, 5g, ssb",
    "rscp_dbm": f"{_LEVEL}, umts, wcdma, 3g, cpich",
    "rxlev_dbm": f"{_LEVEL}, gsm, 2g",
    "level_dbm": f"{_LEVEL}, signal, received, rx, thu, thu được, sóng, tín hiệu",
    "level_asu": f"{_MEASURED}, {_SERVING}, lte, 4g, chỉ số, level, signal, strength, mức thu, cường độ, sóng, tín hiệu",
    "level_index": f"{_MEASURED}, {_SERVING}, 3gpp, chỉ số",
    "rsrq_db": f"{_QUALITY}, nr, 5g, ss",
    "sinr_db": f"{_QUALITY}, nr, 5g, ss, rs",
    "accuracy_m": f"{_MEASURED}, gps, gnss, location, position, horizontal, vị trí, m, meters, metres, in",
    "speed_mps": _SPEED,
    "speed_kmh": _SPEED,
    "serving_cell": f"{_SERVING}, mã, id",
}
# Spellings that make a field only beside one of these words: the state of the network, RSRP of 5G, speed in km/h.
_BESIDE = {
    "service_state": (
        _STATE_WORDS,
        "service, network, coverage, signal, registration, mạng, sóng, phủ sóng, phục vụ, dịch vụ",
    ),
    "ss_rsrp_dbm": ("rsrp", "nr, 5g, ss, ssb"),
    "speed_mps": (_SPEEDS, "m s, ms, mps"),
    "speed_kmh": (_SPEEDS, "km h, kmh, kph"),
}
BESIDE = {
    field: (folded_set(spellings), folded_set(needed)) for field, (spellings, needed) in _BESIDE.items()
}
AROUND: Mapping[str, frozenset[str]] = {field: folded_set(words) for field, words in _AROUND.items()}
# Words that name the level of a cell, or what it is measured in.
LEVEL_WORDS = folded_set(
    "rsrp, rscp, rxlev, dbm, asu, signal, sóng, mức thu, cường độ, tín hiệu, level, rx level, ssrsrp, ss rsrp"
)
# Words of another cell, network, phone, place or moment, and of what is wished or reckoned rather than measured.
_ELSEWHERE = folded_set(
    "neighbor, neighbour, neighbors, neighbours, nbr, ncell, nrx, lân cận, adjacent, monitored, detected, scell, secondary, "
    "2nd, second, best server, scanner, csi, sim2, sim 2, sim phụ, home, roaming, wifi, wi fi, wlan, bluetooth, rssi, noise, "
    "nhiễu, tx, max, min, target, threshold, ngưỡng, yêu cầu, tối thiểu, tối đa, predicted, dự báo, server, upload, uploaded, "
    "download, created, discovered, received at, export, gửi, tải, tải lên, tạo, nhập liệu, site, tower, bts, enodeb, trạm"
)
_NUMBERED = re.compile(r"^(?:n|ncell|nrx|nrxlev|cell|scell|sim)\d+$|^nrx|.*rssi$")


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words of a name, folded."""
    return tuple(fold(word) for part in _CAMEL.split(name) for word in _WORDS.findall(part))


def bare(name: str) -> str:
    """The name without a unit in brackets that changes nothing."""
    return _UNIT.sub("", name)


@lru_cache(maxsize=4096)
def _keys(name: str) -> tuple[str, str]:
    return fold(name), fold(bare(name))


@lru_cache(maxsize=8)  # every format asks for the same few headers
def _by_key(names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """The columns that each folded name, with or without its unit, stands for."""
    found: dict[str, tuple[int, ...]] = {}
    for at, name in enumerate(names):
        for key in {*_keys(name)} - {""}:
            found[key] = (*found.get(key, ()), at)
    return found


def exact(name: str, spellings: Collection[str]) -> bool:
    """Whether the name, with or without its unit, is one of the folded spellings."""
    return _key(name, spellings) is not None


@lru_cache(maxsize=4096)
def _spans(name: str) -> frozenset[str]:
    told = words(name)
    return frozenset(
        "".join(told[start : start + count]) for count in range(1, LONGEST + 1) for start in range(len(told))
    )


@lru_cache(maxsize=128)
def _vocabulary(spellings: frozenset[str], around: frozenset[str]) -> str:
    """All spellings and words around them in one text: a word that is nowhere in it is none of theirs."""
    return " ".join((*spellings, *around))


def extra_words(name: str, spellings: Collection[str], around: Collection[str]) -> int | None:
    """How many words stand around the spellings of which the name is made; None where it is made of something else."""
    told = words(name)
    known = _vocabulary(frozenset(spellings), frozenset(around))
    if not all(word in known for word in told):
        return None
    # Fewest words around, for each count of words read so far, without and with a spelling among them.
    least: list[dict[bool, int]] = [{False: 0}] + [{} for _ in told]
    for end in range(1, len(told) + 1):
        for start in range(max(0, end - LONGEST), end):
            joined = "".join(told[start:end])
            for spelt, count in least[start].items():
                if joined in spellings:
                    least[end][True] = min(least[end].get(True, count), count)
                elif joined in around:
                    more = count + end - start
                    least[end][spelt] = min(least[end].get(spelt, more), more)
    return least[-1].get(True) if told else None


def of_elsewhere(name: str) -> bool:
    """Whether a name says itself that it is of another cell, network, phone, place or moment."""
    return bool(_spans(name) & _ELSEWHERE) or any(_NUMBERED.match(word) for word in words(name))


def of_level(name: str) -> bool:
    """Whether a name has a word for the level of a cell."""
    return bool(_spans(name) & LEVEL_WORDS)


def of_lte(name: str) -> bool:
    """Whether a name says that it is LTE's."""
    return bool({"lte", "4g"} & _spans(name))


@lru_cache(maxsize=512)
def folded(spellings: tuple[str, ...]) -> tuple[str, ...]:
    """The spellings, folded, in their order."""
    return tuple(fold(one) for one in spellings)


def columns_of(field: str, spellings: tuple[str, ...], names: Sequence[str], *, loose: bool) -> list[int]:
    """The columns that may be the field's, best first: by the order of its spellings, then by the fewest words around.

    loose: whether words around a spelling are allowed; columns so named come only where none has the bare name.
    """
    keys = folded(spellings)
    by_key = _by_key(tuple(names))
    found = [at for key in keys for at in by_key.get(key, ())]
    if found or not loose:
        return list(dict.fromkeys(found))
    near = [(_around(field, name, keys), at) for at, name in enumerate(names)]
    return [at for _, at in sorted((more, at) for more, at in near if more is not None)]


def rivals(field: str, spellings: tuple[str, ...], names: Sequence[str]) -> list[int]:
    """All columns that may be the field's, under its bare name or with words around it."""
    keys = folded(spellings)
    return [
        at for at, name in enumerate(names) if exact(name, keys) or _around(field, name, keys) is not None
    ]


@lru_cache(maxsize=8192)
def _around(field: str, name: str, keys: tuple[str, ...]) -> int | None:
    """How many words stand around a spelling of the field in the name; None where it is no name of it."""
    around = AROUND.get(field, frozenset())
    more = extra_words(name, keys, around)
    spellings, needed = BESIDE.get(field, (frozenset(), frozenset()))
    if more is None and _spans(name) & needed:
        more = extra_words(name, spellings, around | needed)
    return more


def _key(name: str, keys: Collection[str]) -> str | None:
    return next((key for key in _keys(name) if key and key in keys), None)
