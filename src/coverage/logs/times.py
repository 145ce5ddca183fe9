"""Times of a column → UTC, the local date, and how precise the file was."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from coverage.logs.cells import Cells

Times = npt.NDArray[np.datetime64]
Bools = npt.NDArray[np.bool_]
NOON = "12:00:00"  # where only the date is known: far from midnight in every zone's neighbourhood
# A phone whose clock was never set starts in 1970 or 1980; no log of this kind is older than 2000.
EARLIEST, LATEST = np.datetime64("2000-01-01"), np.datetime64("9000-01-01")
# Rewrites to ISO 8601, asked in order: G-NetTrack, slashes, a space for the T, a space before the zone.
_STYLES = (
    (r"^(\d{4})\.(\d\d)\.(\d\d)_(\d\d)\.(\d\d)\.(\d\d)$", r"\1-\2-\3T\4:\5:\6"),
    (r"^(\d{4})/(\d\d)/(\d\d)\b", r"\1-\2-\3"),
    (r"^(\d{4}-\d\d-\d\d) +(\d)", r"\1T\2"),
    (r" ([Zz]|[+-]\d\d)", r"\1"),
)
_DOTTED, _DASHED = "0000.00.00_00.00.00", "0000-00-00T00:00:00"
_ISO = r"^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d|[+-]\d\d)?)?$"
_ZONED = r"T.*(?:[Zz]|[+-]\d\d:?\d\d|[+-]\d\d)$"
_DATE_ONLY_LENGTH = len("2026-10-31")
_EPOCH = r"^1\d{9}(?:\d{3})?$"  # seconds or milliseconds since 1970, from 2001 to 2033
# Days since 1899-12-30, as a spreadsheet writes a date whose cell lost its format: 2000-01-01 … 2099-12-31.
_SERIAL = (
    r"^(?:3652[6-9]|365[3-9]\d|36[6-9]\d\d|3[7-9]\d{3}|[4-6]\d{4}|7[0-2]\d{3}|730[0-4]\d|73050)(?:[.,]\d+)?$"
)
# Two numbers and a year, in an order that the text does not tell: 31/10/2026, 10-31-2026, 31.10.26.
_TWO_NUMBERS_SEEN = r"^\d{1,2}[/.-]\d{1,2}[/.-]\d"
_TWO_NUMBERS = (
    r"^(?P<first>\d{1,2})[/.-](?P<second>\d{1,2})[/.-](?P<year>\d{4}|\d\d)"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<rest>\d\d(?:[.,]\d{1,9})?))?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?|SA|CH)?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?$"
)


@dataclass(frozen=True)
class Moments:
    """When each row was measured.

    utc: datetime64[us] without zone, NaT where the text is no time; local_date: datetime64[D] in the
    upload's timezone; date_only: the file knew the date and no time of day (12:00 local is assumed);
    ambiguous: day and month could be either way round, and nothing settles it (utc is then NaT); serial:
    read from a spreadsheet's count of days.
    """

    utc: Times
    local_date: Times
    date_only: Bools
    ambiguous: Bools
    serial: Bools

    @property
    def wrong(self) -> Bools:
        """Rows whose text is no time."""
        return np.isnat(self.utc) & ~self.ambiguous


def read(cells: Cells, zone: ZoneInfo, written_in: ZoneInfo, day_first: bool | None = True) -> Moments:
    """When each row was measured; texts without a zone are in `written_in`, local dates are in `zone`.

    day_first: whether 8/7/2026 is the eighth of July; None = nobody knows.
    """
    if cells.clock is not None:
        return _plain(cells.clock, zone, written_in)
    given = cells.texts
    none = np.zeros(len(given), bool)
    texts, ambiguous, serial, clock = given, none, none, _cast(given)
    zoned = none
    if clock is None:
        texts, ambiguous = _ordered(_of_epoch(given), day_first)
        serial = _mask(pc.match_substring_regex(given, _SERIAL))
        texts = _iso(_of_serial(texts) if serial.any() else texts)
        zoned = _mask(pc.match_substring_regex(texts, _ZONED))
        clock = _cast(texts)
    clock = _bounded(_parsed(texts) if clock is None else clock)
    date_only = _mask(pc.equal(pc.utf8_length(texts), _DATE_ONLY_LENGTH))
    clock = np.where(date_only, clock + np.timedelta64(12, "h"), clock)
    utc = np.where(zoned, clock, _to_utc(clock, written_in))
    dates = np.where(date_only, clock.astype("M8[D]"), _from_utc(utc, zone).astype("M8[D]"))
    rows = cells.codes
    return Moments(utc[rows], dates[rows], date_only[rows], ambiguous[rows], serial[rows])


def _plain(clock: Times, zone: ZoneInfo, written_in: ZoneInfo) -> Moments:
    """The moments of times of day without a zone, one per row."""
    utc = _to_utc(_bounded(clock), written_in)
    none = np.zeros(len(clock), bool)
    return Moments(utc, _from_utc(utc, zone).astype("M8[D]"), none, none, none)


def of_date(date: datetime.date | None, rows: int, zone: ZoneInfo) -> Moments:
    """The moments of rows without times: 12:00 local of the given date; NaT where it is not known either."""
    clock = np.array([np.datetime64("NaT") if date is None else f"{date.isoformat()}T{NOON}"], "M8[us]")
    utc = _to_utc(clock, zone)
    never = np.zeros(rows, bool)
    return Moments(
        np.repeat(utc, rows), np.repeat(clock.astype("M8[D]"), rows), np.ones(rows, bool), never, never
    )


@dataclass(frozen=True)
class Orders:
    """Dates of two numbers and a year among some texts: any; one with its day first; one with its month first."""

    either: bool
    day_first: bool
    month_first: bool


def orders_seen(texts: pa.Array) -> Orders:
    """In which order the dates among the texts can be."""
    if not pc.any(pc.match_substring_regex(texts, _TWO_NUMBERS_SEEN)).as_py():
        return Orders(False, False, False)
    found = pc.extract_regex(texts, _TWO_NUMBERS).drop_null()
    highest = [pc.max(found.field(name).cast(pa.int64())).as_py() or 0 for name in ("first", "second")]
    return Orders(True, highest[0] > 12, highest[1] > 12)


def _mask(found: pa.Array) -> Bools:
    marks: Bools = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return marks


def _of_epoch(texts: pa.Array) -> pa.Array:
    """Texts of ten or thirteen digits (seconds or milliseconds since 1970) as ISO 8601 in UTC."""
    is_epoch = pc.match_substring_regex(texts, _EPOCH)
    if not pc.any(is_epoch).as_py():
        return texts
    long = pc.utf8_rpad(pc.if_else(is_epoch, texts, pa.scalar(None, texts.type)), 13, "0")
    return pc.coalesce(_written(long.cast(pa.int64()), "ms"), texts)


def _of_serial(texts: pa.Array) -> pa.Array:
    """Counts of days since 1899-12-30 as ISO 8601 without zone; whole counts as dates."""
    is_serial = pc.match_substring_regex(texts, _SERIAL)
    days = pc.replace_substring(pc.if_else(is_serial, texts, pa.scalar(None, texts.type)), ",", ".")
    seconds = pc.round(pc.multiply(pc.subtract(days.cast(pa.float64()), 25569.0), 86400.0)).cast(pa.int64())
    moments = pc.utf8_slice_codeunits(_written(seconds, "s"), 0, 19)
    dates = pc.utf8_slice_codeunits(moments, 0, _DATE_ONLY_LENGTH)
    whole = pc.invert(pc.match_substring_regex(texts, "[.,]"))
    return pc.coalesce(pc.if_else(whole, dates, moments), texts)


def _written(count: pa.Array, unit: str) -> pa.Array:
    return pc.strftime(
        count.cast(pa.timestamp("ms" if unit == "ms" else "s", "UTC")), format="%Y-%m-%dT%H:%M:%SZ"
    )


def _ordered(texts: pa.Array, day_first: bool | None) -> tuple[pa.Array, Bools]:
    """Dates of two numbers and a year as ISO 8601, and which of them could be either way round."""
    none = np.zeros(len(texts), bool)
    if not pc.any(pc.match_substring_regex(texts, _TWO_NUMBERS_SEEN)).as_py():
        return texts, none
    # A short year is read behind slashes only: 26-10-31 may begin with its year.
    short = pc.match_substring_regex(texts, r"^\d{1,2}[.-]\d{1,2}[.-]\d\d(?:\D|$)")
    part = pc.extract_regex(pc.if_else(short, "", texts), _TWO_NUMBERS)
    first, second = (pc.utf8_lpad(pc.struct_field(part, name), 2, "0") for name in ("first", "second"))
    either = _mask(
        pc.and_(pc.and_(pc.less_equal(first, "12"), pc.less_equal(second, "12")), pc.not_equal(first, second))
    )
    ambiguous = either if day_first is None else none
    day, month = (first, second) if day_first is not False else (second, first)
    year = pc.struct_field(part, "year")
    year = pc.if_else(pc.equal(pc.utf8_length(year), 2), pc.binary_join_element_wise("20", year, ""), year)
    iso = pc.binary_join_element_wise(
        pc.binary_join_element_wise(year, month, day, "-"), _time_of_day(part), ""
    )
    return pc.if_else(pa.array(ambiguous), "", pc.coalesce(iso, texts)), ambiguous


def _time_of_day(part: pa.Array) -> pa.Array:
    """The time behind a date: `T14:05:09`, afternoon counted from noon; empty where there is none."""
    half = pc.utf8_lower(pc.struct_field(part, "half"))
    hour = pc.struct_field(part, "hour")
    hour = pc.if_else(pc.equal(hour, ""), pa.scalar(None, hour.type), hour).cast(pa.int64())
    later = pc.if_else(pc.match_substring_regex(half, "^(?:p|ch)"), 12, 0)
    twelve = pc.if_else(pc.equal(half, ""), hour, pc.add(pc.if_else(pc.equal(hour, 12), 0, hour), later))
    padded = pc.utf8_lpad(twelve.cast(pa.string()), 2, "0")
    rest = pc.struct_field(part, "rest")
    seconds = pc.if_else(pc.equal(rest, ""), "00", rest)
    clock = pc.binary_join_element_wise(padded, pc.struct_field(part, "minute"), seconds, ":")
    return pc.fill_null(pc.binary_join_element_wise("T", clock, pc.struct_field(part, "zone"), ""), "")


def _iso(texts: pa.Array) -> pa.Array:
    """The texts as ISO 8601; empty where they are no time."""
    iso = _is_iso(texts)
    for pattern, plain in _STYLES:
        if pc.all(pc.or_(iso, pc.equal(texts, ""))).as_py():
            break
        texts = pc.replace_substring_regex(texts, pattern, plain)
        iso = _is_iso(texts)
    return pc.if_else(iso, texts, "")


def _is_iso(texts: pa.Array) -> pa.Array:
    return pc.match_substring_regex(texts, _ISO)


def _parsed(texts: pa.Array) -> Times:
    """ISO texts as datetime64[us], UTC where the text has a zone: the slow way, for zones and days that no month has."""
    read_as = pd.to_datetime(
        texts.to_numpy(zero_copy_only=False), format="ISO8601", utc=True, errors="coerce"
    )
    clock: Times = read_as.as_unit("us").tz_localize(None).to_numpy().copy()
    return clock


def _bounded(clock: Times) -> Times:
    return np.where((clock >= EARLIEST) & (clock < LATEST), clock, np.datetime64("NaT"))


def _cast(texts: pa.Array) -> Times | None:
    """The texts read at once, where none of them is out of the ordinary; else None."""
    known = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), _dashed(texts))
    try:
        clock: Times = known.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False).copy()
    except pa.ArrowInvalid:
        return None
    return clock


def _dashed(texts: pa.Array) -> pa.Array:
    """G-NetTrack's times as ISO 8601 where all of the texts are such; else the texts themselves.

    All at once on their bytes: a regular expression takes longer than all else that is done to such a file.
    """
    length = len(_DOTTED)
    if not len(texts) or texts.null_count or not pc.all(pc.equal(pc.binary_length(texts), length)).as_py():
        return texts
    start = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset]
    signs = np.frombuffer(texts.buffers()[2], np.uint8)[start : start + length * len(texts)]
    signs = signs.reshape(-1, length)
    marks = [at for at, sign in enumerate(_DOTTED) if sign != "0"]
    if not (signs[:, marks] == np.frombuffer(_DOTTED.encode(), np.uint8)[marks]).all():
        return texts
    made = signs.copy()
    made[:, marks] = np.frombuffer(_DASHED.encode(), np.uint8)[marks]
    ends = np.arange(len(texts) + 1, dtype=np.int32) * length
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(made)])


def _to_utc(clock: Times, zone: ZoneInfo) -> Times:
    """Local clock → UTC. An hour that occurs twice is its first, one that never was moves forward."""
    local = pd.DatetimeIndex(clock).tz_localize(
        zone, ambiguous=np.ones(len(clock), bool), nonexistent="shift_forward"
    )
    utc: Times = local.tz_convert("UTC").tz_localize(None).to_numpy().astype("M8[us]")
    return utc


def _from_utc(utc: Times, zone: ZoneInfo) -> Times:
    local: Times = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(zone).tz_localize(None).to_numpy()
    return local
