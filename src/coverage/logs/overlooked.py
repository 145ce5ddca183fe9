"""Columns that are not read although they look like what is missing: then the file is refused, not half read.

A file whose times, or whose rows without service, stand under a name that nobody knows would be read without them,
and what is left would tell something else than the file. Only what a column's texts show is looked at, and only in
columns that are not another cell's, another phone's or personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from coverage.errors import FileRefused
from coverage.logs import detect, headings, operators, quantities, service, service_words, times, values
from coverage.logs.cells import Cells
from coverage.logs.context import Context
from coverage.logs.detect import Layout
from coverage.logs.formats.profile import DBM_LEVELS, LEVELS
from coverage.logs.lines import Lines
from coverage.logs.sheet import Sheet, sheet
from coverage.names import fold

Bools = npt.NDArray[np.bool_]
NEARLY_ALL = 0.9  # of a column's filled cells, to say what it holds
ENOUGH_LOST = 3  # rows without a level, for another column to be suspected of holding it
_LEVEL_DBM = (-150.0, -30.0)
_DAY = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
_MOMENT = re.compile(
    rf"^{_DAY}(?:\D|$)|^\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d\d[ T_]+\d{{1,2}}[:.]\d\d|^1[5-9]\d{{8}}(?:\d{{3}})?$"
)
_CLOCK = re.compile(r"^\d{1,2}[:h]\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:[ap]\.?m\.?|sa|ch))?$", re.IGNORECASE)
_NEIGHBOURS = headings.folded_set(
    "neighbor, neighbour, neighbor cell, neighbour cell, ncell, lân cận, nbr, monitored, detected"
)
_ASKING = headings.folded_set(
    "is, neighbor, neighbour, neighboring, neighbouring, serving, cell, registered, primary, pcell"
)
_YES_NO = {"0", "1", "true", "false", "yes", "no", "y", "n", "t", "f"}
# What two columns of one place or level may differ by, and still say the same.
_SAME = {"lat": 0.001, "lon": 0.001}
_SAME_DB = 1.0
_SAME_TIME = np.timedelta64(60, "s")
_UTC = ZoneInfo("UTC")


def refuse_overlooked(
    layout: Layout, sample: Lines, cells: Sheet, names: Mapping[str, str], file: str
) -> None:
    """Raise `FileRefused` where a column that is not read looks like a field that is missing."""
    everything = _unread(layout, sample, file)
    for name, column in everything.items():
        if _tells_neighbours(name, column):
            raise _of_neighbours(name, column, file)
    unread = {name: column for name, column in everything.items() if not headings.of_elsewhere(name)}
    utc = cells.get("time_utc")
    if {"date", "time_utc"} <= set(layout.positions) and _nearly_all(utc, _is_clock):
        raise _overlooked(utc.name or "", "time_utc", utc, file)
    for field, looks in _missing(layout, cells, names):
        for name, column in unread.items():
            if looks(column):
                raise _overlooked(name, field, column, file)
    _refuse_other_levels(layout, cells, unread, names, file)


def _refuse_other_levels(
    layout: Layout, cells: Sheet, unread: Mapping[str, Cells], names: Mapping[str, str], file: str
) -> None:
    lost = _without_level(layout, cells, names)
    if lost.sum() < ENOUGH_LOST:
        return
    for name, column in {**unread, **_of_lte(cells)}.items():
        if _may_be_level(name, column, lost):
            raise _overlooked(name, _kind_of_level(column), column, file)


def refuse_rivals(layout: Layout, sample: Lines, cells: Sheet, names: Mapping[str, str], file: str) -> None:
    """Raise `FileRefused` where two columns may be one time, place, level or operator by their names, and differ."""
    for field in sorted({*_SAME, *DBM_LEVELS, "time"} & set(layout.positions)):
        there = headings.rivals(field, layout.format.columns[field], layout.names)
        for other in set(there) - {layout.positions[field]}:
            pair = {"one": layout.positions[field], "other": other}
            both = sheet(sample, replace(layout, positions=pair), file)
            if _differ(both, field):
                raise detect.doubled(field, [layout.names[at] for at in pair.values()], file)
    by_code, by_name = (
        values.words(cells.get(field), lambda text: _known(text, names))
        for field in ("operator_code", "operator")
    )
    if pc.any(pc.not_equal(by_code, by_name)).as_py():
        rivals = [cells.get(field).name or "" for field in ("operator_code", "operator")]
        raise detect.doubled("operator", rivals, file)


def _known(text: str, names: Mapping[str, str]) -> str | None:
    code = operators.resolve(text, names)
    return code if code in names else None


def _differ(both: Sheet, field: str) -> bool:
    """Whether two columns say different things of one time, place or level; bars and percents are no levels."""
    if field == "time":
        first, second = (times.read(both.get(key), _UTC, _UTC).utc for key in ("one", "other"))
        return bool((np.abs(first - second) > _SAME_TIME).any())
    one, two = (values.numbers(both.get(key)).values for key in ("one", "other"))
    if field not in _SAME and not _like_levels(two):
        return False
    apart = np.abs(one - two)
    return bool((apart[~np.isnan(apart)] > _SAME.get(field, _SAME_DB)).any())


def _like_levels(numbers: npt.NDArray[np.float64]) -> bool:
    filled = numbers[~np.isnan(numbers)]
    low, high = _LEVEL_DBM
    return len(filled) > 0 and float(((filled >= low) & (filled <= high)).mean()) >= NEARLY_ALL


def _unread(layout: Layout, sample: Lines, file: str) -> dict[str, Cells]:
    """The columns that are not read, by name, but for personal ones."""
    persons = set(detect.personal(layout.names))
    shut = {*layout.positions.values()} | {at for at, name in enumerate(layout.names) if name in persons}
    places = {f"?{at}": at for at in range(len(layout.names)) if at not in shut}
    found = sheet(sample, replace(layout, positions=places), file).cells if places else {}
    return {layout.names[at]: found[key] for key, at in places.items()}


def _is_clock(text: str) -> bool:
    return _CLOCK.match(text) is not None


def _tells_neighbours(name: str, column: Cells) -> bool:
    """Whether the column tells rows of the serving cell from those of its neighbours, by words or by yes and no."""
    texts = _texts(column)
    if any(fold(text) in _NEIGHBOURS for text in texts):
        return True
    asks = headings.words(name) and set(headings.words(name)) <= _ASKING
    return bool(asks) and len(texts) > 1 and all(text.casefold() in _YES_NO for text in texts)


def _missing(
    layout: Layout, cells: Sheet, names: Mapping[str, str]
) -> Iterator[tuple[str, Callable[[Cells], bool]]]:
    """The fields that no column was found for, each with the test of a column's texts."""
    there = set(layout.positions)
    if not there & {"time", "time_utc", "date"}:
        yield "time", lambda column: _nearly_all(column, lambda text: _MOMENT.match(text) is not None)
    if "date" in there and not there & {"time", "clock"}:
        yield "clock", lambda column: _nearly_all(column, _is_clock)
    if not there & {"operator", "operator_code", "mcc"}:
        yield (
            "operator",
            lambda column: _nearly_all(column, lambda text: operators.resolve(text, names) in names),
        )
    if "technology" not in there:
        yield "technology", _tells_technology
    if "service_state" not in there:
        yield "service_state", lambda column: _tells_service(column, cells)


def _texts(cells: Cells) -> Sequence[str]:
    filled: Sequence[str] = [text for text in cells.texts.to_pylist() if values.given(text) is not None]
    return filled


def _nearly_all(cells: Cells, test: Callable[[str], bool]) -> bool:
    texts = _texts(cells)
    return bool(texts) and sum(map(test, texts)) >= NEARLY_ALL * len(texts)


def _tells_technology(cells: Cells) -> bool:
    """Whether the texts are technologies, and words for none."""
    named = any(quantities.technology(text) is not None for text in _texts(cells))
    return named and _nearly_all(cells, service_words.is_technology_word)


def _tells_service(column: Cells, cells: Sheet) -> bool:
    """Whether the texts are words of service; yes and no are such where they go with the levels that are missing."""
    if not _nearly_all(column, service_words.is_state_word):
        return False
    silent = service_words.without_service(column)
    if any(service_words.is_plain_state(text) for text in _texts(column)):
        return True
    unheard = ~np.any([~values.missing(cells.get(field)) for field in LEVELS], axis=0)
    return bool(silent.any()) and float((silent == unheard).mean()) >= NEARLY_ALL


def _without_level(layout: Layout, cells: Sheet, names: Mapping[str, str]) -> Bools:
    """Rows that may have service and of which no level is read."""
    network = service.read(cells, layout.format, Context(), names, None)
    lost: Bools = ~network.has_level & ~network.silent
    return lost


def _of_lte(cells: Sheet) -> dict[str, Cells]:
    """Columns of signal units that are read for LTE alone: filled on other rows they are something else's."""
    asu = cells.get("level_asu")
    return {asu.name: asu} if asu.name is not None and headings.of_lte(asu.name) else {}


def _may_be_level(name: str, column: Cells, lost: Bools) -> bool:
    """Whether the column holds numbers like levels, or numbers under a name of levels, where no level was read."""
    read_as = values.numbers(column)
    filled = ~np.isnan(read_as.values)
    together = int((filled & lost).sum())
    if read_as.wrong.any() or together < ENOUGH_LOST or together * 2 < min(lost.sum(), filled.sum()):
        return False
    return headings.of_level(name) or _like_levels(read_as.values)


def _of_neighbours(name: str, column: Cells, file: str) -> FileRefused:
    shown = next((text for text in _texts(column) if fold(text) in _NEIGHBOURS), "")
    return FileRefused(
        f"{file}: cột {name} (“{shown}”) cho biết có dòng của trạm lân cận, không phải serving_cell. Hãy bỏ các dòng đó rồi xoá cột, "
        "hoặc chỉ định --format canonical nếu mọi dòng đều của trạm phục vụ.",
        f"{file}: column {name} (“{shown}”) says that some rows are of neighbouring cells, not the serving_cell. Leave those rows "
        "and the column out, or say --format canonical if every row is the serving cell's.",
    )


def _kind_of_level(column: Cells) -> str:
    """What a column of levels can be called: positive numbers are no dBm."""
    negative = np.nanmedian(values.numbers(column).values) < 0
    return "level_dbm" if negative else "level_asu / level_index"


def _overlooked(name: str, field: str, column: Cells, file: str) -> FileRefused:
    shown = next(iter(_texts(column)), "")[:40]
    return FileRefused(
        f"{file}: cột {name} (ví dụ “{shown}”) giống {field}, nhưng tên cột chưa rõ. Hãy đổi tên cột thành {field}, "
        "hoặc lưu một bảng khai cột (phusong mappings add), hoặc chỉ định --format canonical để đọc mà bỏ qua cột này.",
        f"{file}: column {name} (e.g. “{shown}”) looks like {field}, but its name does not say so. Rename it to {field}, "
        "or save a mapping (phusong mappings add), or say --format canonical to read the file without it.",
    )
