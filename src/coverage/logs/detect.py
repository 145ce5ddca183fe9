"""Which format a file is of, by its first lines and the names in its header; or what it is instead."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coverage.errors import FileRefused
from coverage.logs import headings
from coverage.logs.formats import FORMATS, Format
from coverage.logs.formats.foreign import FOREIGN, ForeignShape, shape_of
from coverage.logs.formats.profile import LEVELS, NEEDED_ONCE, Foreign
from coverage.logs.lines import Lines, header_index
from coverage.names import fold

DELIMITERS = ("\t", ";", ",", "|")
MAX_HEADER_CHARS = 100_000  # analysers write thousands of columns
SHOWN_NAMES = 12
TITLE_LINES = 15  # people write a title, a place and a date above their tables
# What a format must not leave unread where a column names it: fields that say the same stand together.
_TOLD_OF_NETWORK = (("operator", "operator_code", "mcc"), ("technology",), ("service_state",))
# Columns that name a person's phone, card, number or address: never read, and reported as left out.
_PERSONAL = frozenset(
    fold(name)
    for name in (
        "imei", "imei sv", "imsi", "msisdn", "iccid", "sim serial", "serial", "serial number", "device serial number",
        "phone number", "phone", "tel", "số điện thoại", "sđt", "số thuê bao", "thuê bao", "email", "họ tên", "họ và tên",
        "người đo", "cccd", "cmnd", "ip", "ip address", "ip_anonym", "internal ip", "external ip", "địa chỉ ip", "mac address",
        "android id", "advertising id", "subscriber id", "bssid",
    )
)  # fmt: skip

# Our fields in words that people know, for refusals.
_WORDS = {
    "lat": ("vĩ độ", "latitude"),
    "lon": ("kinh độ", "longitude"),
    "operator": ("nhà mạng", "operator"),
    "technology": ("công nghệ", "technology"),
    "service_state": ("trạng thái dịch vụ", "service state"),
    **dict.fromkeys(("time", "time_utc"), ("thời gian", "time")),
    **dict.fromkeys(LEVELS, ("mức thu", "signal level")),
}
_EXAMPLE_VI = "Thời gian,Vĩ độ,Kinh độ,Nhà mạng,Công nghệ,Trạng thái dịch vụ,Mức thu (dBm)"
_EXAMPLE_EN = "time,lat,lon,operator,technology,service_state,rsrp_dbm"


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: its format, delimiter, header names, and the position of each of our fields.

    fields: how many cells the header line has, empty names at its end included; width: how many its rows have
    (see `sheet.width`); confidence: see `verify`; tenths: fields given in tenths of their unit; stated: the
    format was given by the user; plain: see `cells.plain`.
    """

    format: Format
    delimiter: str
    names: tuple[str, ...]
    positions: Mapping[str, int]
    fields: int
    stated: bool = False
    width: int = 0
    confidence: float = 1.0
    tenths: frozenset[str] = frozenset()
    plain: Mapping[str, str] | None = None

    def columns(self) -> dict[str, str]:
        """Our field → the file's name of the column that it is read from."""
        return {field: self.names[at] for field, at in self.positions.items() if field != "place"}


def find(lines: Lines, file: str, wanted: str | None, own: Sequence[Format] = ()) -> tuple[Layout, int]:
    """The layout of a file, and the index of its first row.

    Lines that apps and spreadsheets write above the header are passed over; a file whose first line already
    is a row is known by that line's shape. own: formats of the workspace, asked before the built-in ones.
    Formats with names of their own come before one that takes any common name. Raises `FileRefused` for
    another table of a known app, for an unknown format (it lists what was found and what is needed), and for
    one in which two columns could be the same thing.
    """
    choices = _choices(wanted, own)
    first = header_index(lines, file)
    for fmt in choices:
        bare = fmt.headerless
        if bare is not None and bare.first_line.match(lines.line(first)):
            where = positions(fmt, bare.names)
            stated = wanted is not None
            return Layout(fmt, bare.delimiter, bare.names, where, len(bare.names), stated), first
    shape = shape_of(lines.line(first))
    if shape is not None:
        raise _no_log(shape, file)
    header, whole = _below_titles(lines, _below_preamble(lines, first), file, choices)
    layout = _best(lines.line(header), whole, file, choices)
    return replace(layout, stated=wanted is not None), header + 1


def _below_preamble(lines: Lines, first: int) -> int:
    above = [fmt.preamble for fmt in FORMATS if fmt.preamble is not None]
    last = len(lines) - 1
    index = first
    while index < last and any(pattern.match(lines.line(index)) for pattern in above):
        index += 1
    return index


def _below_titles(lines: Lines, first: int, file: str, choices: Sequence[Format]) -> tuple[int, list[Layout]]:
    """The first of some lines that is a whole header, with its layouts; the very first, with none, where none is."""
    for at in range(first, min(first + TITLE_LINES + 1, len(lines))):
        header = lines.line(at)
        whole = _whole(header, choices)
        if whole or at == first:
            _refuse_foreign(header, file)
        if whole:
            return at, whole
    return first, []


def _refuse_foreign(header: str, file: str) -> None:
    for _, names, _ in _splits(header[:MAX_HEADER_CHARS]):
        table = foreign_to(names)
        if table is not None:
            raise _no_log(table, file)


def _no_log(known: Foreign | ForeignShape, file: str) -> FileRefused:
    return FileRefused(f"{file}: đây là {known.vi}.", f"{file}: this is {known.en}.")


def _best(header: str, whole: Sequence[Layout], file: str, choices: Sequence[Format]) -> Layout:
    """Of the layouts of a header that of the format which knows most of its columns."""
    if len(header) > MAX_HEADER_CHARS:
        raise _unknown((header,), file, choices)
    if not whole:
        raise _unknown(max((names for _, names, _ in _splits(header)), key=len), file, choices)
    best = max(whole, key=lambda one: (_knows_all(one, whole), not one.format.generic, len(one.positions)))
    _refuse_doubled(best, file)
    return best


def _splits(header: str) -> list[tuple[str, tuple[str, ...], int]]:
    """The header taken apart at each delimiter that it holds: delimiter, names, and fields with empty ones."""
    there = [delimiter for delimiter in DELIMITERS if delimiter in header] or DELIMITERS[:1]
    return [(delimiter, *_names(header, delimiter)) for delimiter in there]


def _whole(header: str, choices: Sequence[Format]) -> list[Layout]:
    """The layouts of the formats of which the header has all that they need."""
    found = [
        Layout(fmt, delimiter, names, positions(fmt, names), fields)
        for fmt in choices
        for delimiter, names, fields in _splits(header[:MAX_HEADER_CHARS])
    ]
    return [one for one in found if all(any(f in one.positions for f in group) for group in one.format.needs)]


def _knows_all(one: Layout, others: Sequence[Layout]) -> bool:
    """Whether the format reads what the table says of the network, as far as common names tell.

    A table of one's own may have by chance the few names that an app's has, and a column for what that app never
    writes: its technology must then not be taken for the app's. A table with names that only the app has is the
    app's, and a saved mapping is taken at its word.
    """
    if one.format not in FORMATS:
        return True
    return not any(
        other.format.generic
        and other.delimiter == one.delimiter
        and set(one.positions.values()) <= set(other.positions.values())
        and _untold(one.positions, other.positions)
        for other in others
    )


def _untold(there: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Whether something is told of the network by the other layout only."""
    return any(not set(group) & set(there) and set(group) & set(other) for group in _TOLD_OF_NETWORK)


def positions(fmt: Format, names: Sequence[str]) -> dict[str, int]:
    """Our field → position of the best of its columns in the header; exact names come first."""
    return {field: found[0] for field in fmt.columns if (found := _candidates(fmt, field, names))}


def _candidates(fmt: Format, field: str, names: Sequence[str]) -> list[int]:
    return headings.columns_of(field, fmt.columns[field], names, loose=fmt.generic)


def _refuse_doubled(found: Layout, file: str) -> None:
    """Two columns of one name may be the serving cell and its neighbour: nobody can tell which is which."""
    if not found.format.generic:
        return
    for field in sorted(NEEDED_ONCE & set(found.positions)):
        keys = headings.folded(found.format.columns[field])
        there = _candidates(found.format, field, found.names)
        if headings.exact(found.names[there[0]], keys):
            name = fold(headings.bare(found.names[there[0]]))
            there = [at for at in there if fold(headings.bare(found.names[at])) == name]
        if len(there) > 1:
            raise doubled(field, [found.names[at] for at in there], file)


def doubled(field: str, rivals: Sequence[str], file: str) -> FileRefused:
    """The refusal of a file of which several columns could be one field."""
    shown = ", ".join(rivals)
    return FileRefused(
        f"{file}: có {len(rivals)} cột đều có thể là {field} ({shown}). Hãy đổi tên cột không phải của trạm phục vụ, "
        "hoặc lưu một bảng khai cột (phusong mappings add).",
        f"{file}: {len(rivals)} columns could be {field} ({shown}). Rename those that are not the serving cell's, "
        "or save a mapping (phusong mappings add).",
    )


def _choices(wanted: str | None, own: Sequence[Format]) -> tuple[Format, ...]:
    every = (*own, *FORMATS)
    if wanted is None:
        return every
    chosen = tuple(fmt for fmt in every if fmt.name == wanted)
    if not chosen:
        known = ", ".join(fmt.name for fmt in every)
        raise FileRefused(
            f"Không có định dạng {wanted!r}. Các định dạng: {known}.",
            f"No format is called {wanted!r}. Formats: {known}.",
        )
    return chosen


def _names(header: str, delimiter: str) -> tuple[tuple[str, ...], int]:
    """The names in the header, without empty ones at its end; and how many fields it has with them."""
    try:
        fields = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        fields = header.split(delimiter)
    names = [field.strip() for field in fields]
    while names and not names[-1]:
        names.pop()
    return tuple(names), len(fields)


def foreign_to(names: Sequence[str]) -> Foreign | None:
    """The table of a known app, no measurements, that has these columns; None where it is none."""
    there = {fold(name) for name in names}
    for table in FOREIGN:
        has = all(fold(name) in there for name in table.has)
        if has and not any(fold(name) in there for name in table.lacks):
            return table
    return None


def _unknown(names: Sequence[str], file: str, choices: Sequence[Format]) -> FileRefused:
    shown = ", ".join("".join(c for c in name if c.isprintable())[:40] for name in names[:SHOWN_NAMES])
    missing_vi, missing_en = _missing(choices[-1], names)
    formats = ", ".join(fmt.name for fmt in choices)
    # What helps most comes first: people read two sentences.
    return FileRefused(
        f"{file}: không rõ định dạng, chưa thấy {missing_vi}. Hãy đặt tên cột ở dòng đầu, ví dụ {_EXAMPLE_VI}, hoặc dùng bảng "
        f"mẫu (phusong guide -o mau-do.csv). Dòng đầu của tệp có: {shown}. Nếu là tệp của một ứng dụng đã biết, hãy chỉ định "
        f"--format TÊN ({formats}), hoặc lưu một bảng khai cột (phusong mappings add).",
        f"{file}: unknown format, there is no {missing_en}. Name the columns in the first line, as in {_EXAMPLE_EN}, or use "
        f"the template (phusong guide -o mau-do.csv). The first line has: {shown}. If it is of a known app, say "
        f"--format NAME ({formats}), or save a mapping (phusong mappings add).",
    )


def _missing(fmt: Format, names: Sequence[str]) -> tuple[str, str]:
    """What a format needs and no name stands for, in words that people know, each with a name that would do."""
    there = set(positions(fmt, names))
    lacking = [group for group in fmt.needs if not there & set(group)]
    if not lacking:
        return "dòng tiêu đề đọc được", "header line that can be read"
    vi = [" hoặc ".join(_named(fmt, group, 0)) for group in lacking]
    en = [" or ".join(_named(fmt, group, 1)) for group in lacking]
    return f"cột {', '.join(vi)}", f"column {', '.join(en)}"


def _named(fmt: Format, group: Sequence[str], language: int) -> list[str]:
    named = [field for field in group if field in fmt.columns]
    known = {_WORDS.get(field, (field, field))[language]: fmt.columns[field][0] for field in reversed(named)}
    return [f"{word} ({name})" for word, name in reversed(known.items())]


def personal(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns that hold personal data, as the file writes them."""
    return tuple(name for name in names if fold(headings.bare(name)) in _PERSONAL)
