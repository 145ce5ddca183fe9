"""Columns that are not read although they look like what is missing: then the file is refused, not half read.

A file whose times, or whose rows without service, stand under a name that nobody knows would be read without them,
and what is left would tell something else than the file. Only what a column's texts show is looked at, and only in
columns that are not another cell's, another phone's or personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from coverage.errors import FileRefused
from coverage.logs import detect, headings, operators, quantities, service, values
from coverage.logs.context import Context
from coverage.logs.detect import Layout
from coverage.logs.formats.profile import DBM_LEVELS, LEVELS
from coverage.logs.lines import Lines
from coverage.logs.sheet import Cells, Sheet, sheet

Bools = npt.NDArray[np.bool_]
NEARLY_ALL = 0.9  # of a column's filled cells, to say what it holds
ENOUGH_LOST = 3  # rows without a level, for another column to be suspected of holding it
_LEVEL_DBM = (-150.0, -30.0)
_MOMENT = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T_]+\d{1,2}[:.]\d\d|^1[5-9]\d{8}(?:\d{3})?$")
_CLOCK = re.compile(r"^\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?$")
# What two columns of one place or level may differ by, and still say the same.
_SAME = {"lat": 0.001, "lon": 0.001}
_SAME_DB = 1.0


def refuse_overlooked(
    layout: Layout, sample: Lines, cells: Sheet, names: Mapping[str, str], file: str
) -> None:
    """Raise `FileRefused` where a column that is not read looks like a field that is missing."""
    unread = dict(_unread(layout, sample, file))
    for field, looks in _missing(layout, names):
        for name, column in unread.items():
            if looks(column):
                raise _overlooked(name, field, column, file)
    for name, column in unread.items():
        if "service_state" not in layout.positions and _tells_service(column, cells):
            raise _overlooked(name, "service_state", column, file)
    lost = _without_level(layout, cells, names)
    for name, column in (unread | _of_lte(cells)).items():
        if lost.sum() >= ENOUGH_LOST and _may_be_level(name, column, lost):
            raise _overlooked(name, _kind_of_level(column), column, file)


def refuse_rivals(layout: Layout, sample: Lines, file: str) -> None:
    """Raise `FileRefused` where two columns may be one place or level by their names, and differ."""
    for field in sorted({*_SAME, *DBM_LEVELS} & set(layout.positions)):
        there = headings.rivals(field, layout.format.columns[field], layout.names)
        for other in set(there) - {layout.positions[field]}:
            pair = {"one": layout.positions[field], "other": other}
            both = sheet(sample, replace(layout, positions=pair), file)
            one, two = (values.numbers(both.get(key)).values for key in pair)
            apart = np.abs(one - two)
            if (apart[~np.isnan(apart)] > _SAME.get(field, _SAME_DB)).any():
                raise detect.doubled(field, [layout.names[at] for at in pair.values()], file)


def _unread(layout: Layout, sample: Lines, file: str) -> Iterator[tuple[str, Cells]]:
    read = set(layout.positions.values())
    shut = set(detect.personal(layout.names))
    places = {
        f"?{at}": at
        for at, name in enumerate(layout.names)
        if at not in read and name not in shut and not headings.of_elsewhere(name)
    }
    found = sheet(sample, replace(layout, positions=places), file).cells if places else {}
    yield from ((layout.names[at], found[key]) for key, at in places.items())


def _missing(layout: Layout, names: Mapping[str, str]) -> Iterator[tuple[str, Callable[[Cells], bool]]]:
    """The fields that no column was found for, each with the test of a column's texts."""
    there = set(layout.positions)
    if not there & {"time", "time_utc", "date"}:
        yield "time", lambda cells: _nearly_all(cells, lambda text: _MOMENT.match(text) is not None)
    if "date" in there and not there & {"time", "clock"}:
        yield "clock", lambda cells: _nearly_all(cells, lambda text: _CLOCK.match(text) is not None)
    if not there & {"operator", "operator_code", "mcc"}:
        yield (
            "operator",
            lambda cells: _nearly_all(cells, lambda text: operators.resolve(text, names) in names),
        )
    if "technology" not in there:
        yield "technology", _tells_technology


def _texts(cells: Cells) -> Sequence[str]:
    filled: Sequence[str] = [text for text in cells.texts.to_pylist() if values.given(text) is not None]
    return filled


def _nearly_all(cells: Cells, test: Callable[[str], bool]) -> bool:
    texts = _texts(cells)
    return bool(texts) and sum(map(test, texts)) >= NEARLY_ALL * len(texts)


def _tells_technology(cells: Cells) -> bool:
    """Whether the texts are technologies, and words for none."""
    named = any(quantities.technology(text) is not None for text in _texts(cells))
    return named and _nearly_all(cells, service.is_technology_word)


def _tells_service(column: Cells, cells: Sheet) -> bool:
    """Whether the texts are words of service; yes and no are such where they go with the levels that are missing."""
    if not _nearly_all(column, service.is_state_word):
        return False
    silent = service.without_service_words(column)
    if any(service.is_plain_no_service(text) for text in _texts(column)):
        return True
    unheard = ~np.any([~values.missing(cells.get(field)) for field in LEVELS], axis=0)
    return bool(silent.any()) and float((silent == unheard).mean()) >= NEARLY_ALL


def _without_level(layout: Layout, cells: Sheet, names: Mapping[str, str]) -> Bools:
    """Rows that may have service and of which no level is read."""
    network = service.read(cells, layout.format, Context(), names, None)
    silent = pc.is_in(network.state, value_set=service.WITHOUT_SERVICE_ARRAY).to_numpy(zero_copy_only=False)
    lost: Bools = ~network.has_level & ~silent
    return lost


def _of_lte(cells: Sheet) -> dict[str, Cells]:
    """Columns of signal units that are read for LTE alone: filled on other rows they are something else's."""
    asu = cells.get("level_asu")
    return {asu.name: asu} if asu.name is not None and headings.of_lte(asu.name) else {}


def _may_be_level(name: str, column: Cells, lost: Bools) -> bool:
    """Whether the column holds numbers like levels, or numbers under a name of levels, where no level was read."""
    read_as = values.numbers(column)
    filled = ~np.isnan(read_as.values)
    if not filled.any() or read_as.wrong.any() or not (filled & lost).sum() * 2 >= lost.sum():
        return False
    low, high = _LEVEL_DBM
    like = (read_as.values[filled] >= low) & (read_as.values[filled] <= high)
    return headings.of_level(name) or float(like.mean()) >= NEARLY_ALL


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
