"""Ways to write a log that nobody can read without being told: words, units and orders that the file does not explain."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Columns = dict[str, list[str]]
Names = dict[str, str]
_LEVELS = ("rsrp", "ss_rsrp", "rscp", "rxlev", "level")


def _each(columns: Columns, name: str | None, change: Callable[[str], str]) -> None:
    """Every filled cell of a column, changed."""
    if name is not None:
        columns[name] = [change(cell) if cell else cell for cell in columns[name]]


def _unknown_state_words(rng: random.Random, columns: Columns, names: Names) -> None:
    """Words for service that stand in no table; Android's numbers mean the opposite of what one expects."""
    said = {
        "in": rng.choice(("Registered", "Đã đăng ký", "0", "Online")),
        "no": rng.choice(("Searching", "Chưa đăng ký", "1", "Offline")),
    }
    _each(
        columns, names.get("service_state"), lambda cell: said["in" if cell.casefold() in _SERVED else "no"]
    )


_SERVED = {"in_service", "có sóng", "ok", "có", "yes", "state_in_service"}


def _lost_minus(rng: random.Random, columns: Columns, names: Names) -> None:
    for field in _LEVELS:
        _each(columns, names.get(field), lambda cell: cell.lstrip("-") or cell)


def _swapped_places(rng: random.Random, columns: Columns, names: Names) -> None:
    one, other = names["lat"], names["lon"]
    columns[one], columns[other] = columns[other], columns[one]


def _degrees_and_minutes(rng: random.Random, columns: Columns, names: Names) -> None:
    def written(cell: str) -> str:
        degrees, _, rest = cell.replace(",", ".").partition(".")
        return f"{degrees}°{float('0.' + rest) * 60:.4f}'"

    for field in ("lat", "lon"):
        _each(columns, names[field], written)


def _whole_degrees_e7(rng: random.Random, columns: Columns, names: Names) -> None:
    for field in ("lat", "lon"):
        _each(columns, names[field], lambda cell: cell.replace(",", "").replace(".", "") + "0")


def _month_in_words(rng: random.Random, columns: Columns, names: Names) -> None:
    for field in ("time", "time_utc", "date"):
        _each(columns, names.get(field), lambda cell: re.sub(r"^(\d{4})[-/]10[-/](\d\d)", r"\2-Oct-\1", cell))


def _level_under_another_name(rng: random.Random, columns: Columns, names: Names) -> None:
    """The level's column is called something that no rule knows."""
    for field in (*_LEVELS, "asu", "index"):
        _renamed(
            columns,
            names.get(field),
            rng.choice(("Thông số 1", "P_rx", "KPI", "RSRP chuẩn hoá", "Đo lần 2", "Mức A")),
        )


def _time_under_another_name(rng: random.Random, columns: Columns, names: Names) -> None:
    for field in ("time", "time_utc", "date", "clock"):
        _renamed(
            columns,
            names.get(field),
            rng.choice(("Khi nào", "When", "t0", "Mốc", "Event", "Lúc")) + field[:1],
        )


def _network_under_another_name(rng: random.Random, columns: Columns, names: Names) -> None:
    chosen = rng.choice(("operator", "technology", "service_state"))
    _renamed(columns, names.get(chosen), rng.choice(("Cột 3", "Info", "Sóng của ai", "Kết quả", "KQ đo")))


def _half_the_words_unknown(rng: random.Random, columns: Columns, names: Names) -> None:
    """Technologies called as no table knows them."""
    _each(
        columns,
        names["technology"],
        lambda cell: {"4G": "Thế hệ 4", "LTE": "B3", "3G": "Thế hệ 3"}.get(cell, cell),
    )


def _renamed(columns: Columns, name: str | None, new: str) -> None:
    if name is not None and new not in columns:
        columns[new] = columns.pop(name)


WAYS = (
    _unknown_state_words,
    _lost_minus,
    _swapped_places,
    _degrees_and_minutes,
    _whole_degrees_e7,
    _month_in_words,
    _level_under_another_name,
    _time_under_another_name,
    _network_under_another_name,
    _half_the_words_unknown,
)
