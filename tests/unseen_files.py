"""Made files: a drive written under names, in an order and in units that the program has not seen together."""

from __future__ import annotations

import csv
import datetime
import io
import random
import re
import unicodedata
from dataclasses import dataclass, field, replace

import unseen_odd
from unseen_drives import OPERATORS, Drive, Moment, drive
from unseen_names import DISTRACTORS, INDEPENDENT, held_out

from coverage.logs.formats import canonical

MODES = {
    "A": "the program's own names",
    "B": "names written from memory",
    "C": "held-out names only",
    "D": "own names, and values that nobody can read without help",
}
LEVEL_FIELDS = {"LTE": "rsrp", "NR": "ss_rsrp", "UMTS": "rscp", "GSM": "rxlev"}
_OURS = {name: f"{name}_dbm" for name in ("rsrp", "ss_rsrp", "rscp", "rxlev", "level")}
_OURS |= {"asu": "level_asu", "sinr": "sinr_db", "rsrq": "rsrq_db", "accuracy": "accuracy_m"}
_OWN_INDEX = {
    "LTE": ("rsrp_index", "rsrp_idx", "chỉ số rsrp"),
    "NR": ("ss_rsrp_index",),
    "UMTS": ("rscp_index",),
    "GSM": ("rxlev_index",),
}
_ASU = {"GSM": (2, -113), "UMTS": (1, -120), "LTE": (1, -140), "NR": (1, -140)}
_INDEX = {"LTE": -140, "NR": -156, "UMTS": -115, "GSM": -110}
_TECHNOLOGY_WORDS = {
    "GSM": ("2G", "GSM", "EDGE"), "UMTS": ("3G", "UMTS", "WCDMA", "HSPA+"), "LTE": ("4G", "LTE", "lte"), "NR": ("5G", "NR", "5G NSA"),
}  # fmt: skip
_STATE_WORDS = (
    {"in_service": "in_service", "no_service": "no_service", "emergency_only": "emergency_only"},
    {"in_service": "Có sóng", "no_service": "Không có sóng", "emergency_only": "Chỉ khẩn cấp"},
    {"in_service": "có sóng", "no_service": "mất sóng", "emergency_only": "khẩn cấp"},
    {"in_service": "IN_SERVICE", "no_service": "OUT_OF_SERVICE", "emergency_only": "EMERGENCY_ONLY"},
    {"in_service": "OK", "no_service": "No signal", "emergency_only": "Emergency"},
    {"in_service": "Có", "no_service": "Không", "emergency_only": "Khẩn cấp"},
    {"in_service": "Yes", "no_service": "No", "emergency_only": "No"},
    {
        "in_service": "STATE_IN_SERVICE",
        "no_service": "STATE_OUT_OF_SERVICE",
        "emergency_only": "STATE_EMERGENCY_ONLY",
    },
)
_VIETNAM = datetime.timedelta(hours=7)


@dataclass(frozen=True)
class Made:
    """A file and its truth: name, bytes, the drive, and which of our fields it has under which names."""

    name: str
    data: bytes
    drive: Drive
    names: dict[str, str]
    with_speed: bool


@dataclass
class _Table:
    """A table in the making: its columns, which names are taken, and how numbers and names are chosen."""

    rng: random.Random
    mode: str
    made: Drive
    comma: bool
    columns: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def put(self, what: str, cells: list[str], choice: tuple[str, ...] = ()) -> None:
        """A column of our field under one of its names."""
        free = [one for one in choice or self.known(what) if one not in self.columns]
        name = self.rng.choice(free)
        self.names[what] = name
        self.columns[name] = cells

    def known(self, what: str) -> tuple[str, ...]:
        """The names of a field that this mode writes."""
        if self.mode in "AD":
            ours = canonical.FORMAT.columns.get(_OURS.get(what, what), ())
            return (
                tuple(self.rng.choice((one, one.title(), one.upper(), one.replace(" ", "_"))) for one in ours)
                or INDEPENDENT[what][:2]
            )
        return (
            held_out(what)
            if self.mode == "C"
            else tuple(one for one in INDEPENDENT[what] if one not in held_out(what))
        )

    def number(self, value: float | None, digits: int) -> str:
        """A number as this file writes it; empty where there is none."""
        text = "" if value is None else f"{value:.{digits}f}"
        return text.replace(".", ",") if self.comma else text


def make(seed: int, mode: str) -> Made:
    """The file of this seed: always the same bytes."""
    rng = random.Random(f"{mode}{seed}")
    delimiter = rng.choice(",;\t|")
    table = _Table(rng, mode, drive(rng), comma=rng.random() < (0.1 if delimiter == "," else 0.4))
    for part in (_times, _places, _network, _levels, _states, _sides, _distractors):
        part(table)
    if mode == "D":
        spoilt = rng.choice(unseen_odd.WAYS)
        spoilt(rng, table.columns, table.names)
    data = _bytes(table, delimiter)
    with_speed = "speed" in " ".join(table.names)
    return Made(f"log_{mode}{seed}.csv", data, table.made, table.names, with_speed)


def _times(table: _Table) -> None:
    whole_minutes = all(one.time_utc.second == 0 for one in table.made.moments)
    clock = "%H:%M" if whole_minutes else "%H:%M:%S"
    day = table.rng.choice(("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d"))
    local = [one.time_utc + _VIETNAM for one in table.made.moments]
    style = table.rng.choice(("iso", "day first", "two columns", "epoch", "utc", "zoned"))
    if style == "two columns":
        table.put("date", [one.strftime(day) for one in local])
        table.put("clock", [one.strftime(clock) for one in local])
    elif style == "epoch":
        scale = table.rng.choice((1, 1000))
        table.put(
            "time",
            [
                str(int(one.time_utc.replace(tzinfo=datetime.UTC).timestamp()) * scale)
                for one in table.made.moments
            ],
        )
    elif style == "utc":
        table.put(
            "time_utc", [one.time_utc.isoformat(table.rng.choice((" ", "T"))) for one in table.made.moments]
        )
    else:
        form = {
            "iso": "%Y-%m-%d %H:%M:%S",
            "day first": f"%d/%m/%Y {clock}",
            "zoned": "%Y-%m-%dT%H:%M:%S+07:00",
        }[style]
        table.put("time", [one.strftime(form) for one in local])


def _places(table: _Table) -> None:
    digits = 6
    table.put("lat", [table.number(one.lat, digits) for one in table.made.moments])
    table.put("lon", [table.number(one.lon, digits) for one in table.made.moments])


def _network(table: _Table) -> None:
    rng, moments = table.rng, table.made.moments
    # A file of one network may leave it out where there is no service; a file of several must not.
    blank = (
        len(table.made.operators) == 1
        and rng.random() < 0.3
        and any(one.level is not None for one in moments)
    )
    known = ["" if blank and one.level is None else one.operator for one in moments]
    style = rng.choice(("name", "upper", "plmn", "dashed", "mcc+mnc"))
    write = {
        "name": OPERATORS.get, "upper": lambda code: OPERATORS[code].upper(), "plmn": str,
        "dashed": lambda code: f"{code[:3]}-{code[3:]}",
    }  # fmt: skip
    if style == "mcc+mnc":
        mnc = rng.choice((slice(3, 5), slice(4, 5)))
        table.put("mcc", [code[:3] for code in known], _codes(table, "mcc"))
        table.put("mnc", [code[mnc] for code in known], _codes(table, "mnc"))
    else:
        table.put("operator", [write[style](code) if code else "" for code in known])
    words = {name: rng.choice(choice) for name, choice in _TECHNOLOGY_WORDS.items()}
    nothing = rng.choice(("", "", "-", "N/A", "None", "Unknown", "No service"))
    table.put("technology", [words.get(one.technology or "", nothing) for one in moments])


def _codes(table: _Table, what: str) -> tuple[str, ...]:
    return (what, what.upper()) if table.mode in "AD" else ()


def _levels(table: _Table) -> None:
    technologies, own = table.made.technologies, table.mode in "AD"
    style = table.rng.choice(("own", "own", "own", "level", "level", "under rsrp", "asu", "index"))
    if style == "index" and (len(technologies) != 1 or (not own and technologies != ["LTE"])):
        style = "own"
    moments = table.made.moments
    if style == "own":
        _levels_apart(table)
    elif style == "level":
        table.put("level", [table.number(one.level, table.rng.choice((0, 1))) for one in moments])
    elif style == "under rsrp":
        names = [name for name in table.known("rsrp") if not re.search("lte|4g", name, re.IGNORECASE)]
        table.put("rsrp", [table.number(one.level, 0) for one in moments], tuple(names))
    elif style == "asu":
        table.put("asu", ["" if one.level is None else str(_asu(one)) for one in moments])
    elif technologies:
        choice = _OWN_INDEX[technologies[0]] if own else ()
        table.put("index", ["" if one.level is None else str(_index(one)) for one in moments], choice)


def _levels_apart(table: _Table) -> None:
    """A column per technology. Beside 5G, that of LTE may hold the anchor's level, even where 5G's own is missing."""
    rng, technologies = table.rng, table.made.technologies
    anchored = {"LTE", "NR"} <= set(technologies) and rng.random() < 0.5
    if anchored:
        moments = tuple(
            replace(one, level=None) if one.technology == "NR" and rng.random() < 0.2 else one
            for one in table.made.moments
        )
        table.made = Drive(moments, table.made.silent)
    nothing = rng.choice(("", "", "", "-", "N/A", "null"))
    for name in technologies:
        cells = []
        for one in table.made.moments:
            level = one.level if one.technology == name else None
            if anchored and name == "LTE" and one.technology == "NR":
                level = -71
            cells.append(nothing if level is None else table.number(level, 0))
        table.put(LEVEL_FIELDS[name], cells)


def _index(one: Moment) -> int:
    return (one.level or 0) - _INDEX[one.technology or ""]


def _asu(one: Moment) -> int:
    per_unit, at_zero = _ASU[one.technology or ""]
    return ((one.level or 0) - at_zero) // per_unit


def _states(table: _Table) -> None:
    if table.made.silent or table.rng.random() < 0.4:
        words = table.rng.choice(_STATE_WORDS)
        if words["emergency_only"] == "No":  # this file does not tell them apart
            moments = (
                replace(one, state="no_service" if one.state == "emergency_only" else one.state)
                for one in table.made.moments
            )
            table.made = Drive(tuple(moments), table.made.silent)
        table.put("service_state", [words[one.state] for one in table.made.moments])


def _sides(table: _Table) -> None:
    """What is not needed and often there: speed, device, accuracy, quality, cell."""
    moments, rng = table.made.moments, table.rng
    cells = {
        "speed_mps": [table.number(one.speed_mps, 1) for one in moments],
        "speed_kmh": [table.number(one.speed_mps * 3.6, 2) for one in moments],
        "device": [one.device for one in moments],
        "accuracy": [table.number(rng.uniform(2, 20), 1) for _ in moments],
        "rsrq": [table.number(rng.uniform(-18, -6), 1) for _ in moments],
        "sinr": [table.number(rng.uniform(-5, 25), 1) for _ in moments],
        "serving_cell": [str(one.cell) for one in moments],
    }
    chosen = [name for name in cells if rng.random() < 0.5]
    if {"speed_mps", "speed_kmh"} <= set(chosen):
        chosen.remove(rng.choice(("speed_mps", "speed_kmh")))
    for name in chosen:
        table.put(name, cells[name])


def _distractors(table: _Table) -> None:
    """Up to eight columns that stand for something else, with values that would pass for a reading."""
    kinds = sorted(DISTRACTORS)
    for _ in range(table.rng.choice((0, 0, 1, 2, 3, 5, 8))):
        kind = table.rng.choice(kinds)
        name = table.rng.choice(DISTRACTORS[kind])
        if name not in table.columns:
            table.columns[name] = [
                _distracting(table, kind, name, index) for index in range(len(table.made.moments))
            ]


def _distracting(table: _Table, kind: str, name: str, index: int) -> str:
    rng, one = table.rng, table.made.moments[index]
    later = one.time_utc + _VIETNAM + datetime.timedelta(seconds=rng.randint(20, 4000))
    made = {
        "level": lambda: table.number(min((one.level or -100) + rng.randint(3, 20), -51), 0),
        "rssi": lambda: table.number((one.level or -100) + rng.randint(15, 30), 0),
        "site_lat": lambda: table.number(one.lat + rng.uniform(-0.03, 0.03), 6),
        "site_lon": lambda: table.number(one.lon + rng.uniform(-0.03, 0.03), 6),
        "number": lambda: str(rng.randint(0, 500)),
        "row": lambda: str(index + 1),
        "text": lambda: rng.choice(("đường đất", "Thôn 2", "", "km 12", "chợ")),
        "person": lambda: f"35{rng.randint(10**12, 10**13 - 1)}",
        "later": lambda: later.strftime("%d/%m/%Y %H:%M:%S" if "ời" in name else "%Y-%m-%d %H:%M:%S"),
        "throughput": lambda: table.number(rng.uniform(0, 60), 2),
        "other_operator": lambda: rng.choice((*OPERATORS.values(), *OPERATORS)),
        "quality_n": lambda: table.number(rng.uniform(-18, -6), 1),
    }  # fmt: skip
    return made[kind]()


def _bytes(table: _Table, delimiter: str) -> bytes:
    order = list(table.columns)
    table.rng.shuffle(order)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=table.rng.choice(("\n", "\r\n")))
    writer.writerow(order)
    writer.writerows(zip(*(table.columns[name] for name in order), strict=True))
    encoding = table.rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1258"))
    text = out.getvalue()
    if encoding == "cp1258":
        text = "".join(_for_1258(letter) for letter in unicodedata.normalize("NFC", text))
    return text.encode(encoding)


def _for_1258(letter: str) -> str:
    """Windows-1258 keeps tones as marks of their own, behind a letter with its hat, breve or horn."""
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", letter)
        if len(apart) < 3:
            return apart
        marks = sorted(apart[1:], key=lambda mark: mark in "\u0300\u0301\u0303\u0309\u0323")
        return unicodedata.normalize("NFC", apart[0] + marks[0]) + marks[1]
    return letter
