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

from coverage.logs.sheet import Cells

Times = npt.NDArray[np.datetime64]
Bools = npt.NDArray[np.bool_]
NOON = "12:00:00"  # where only the date is known: far from midnight in every zone's neighbourhood
# A phone whose clock was never set starts in 1970 or 1980; no log of this kind is older than 2000.
EARLIEST, LATEST = np.datetime64("2000-01-01"), np.datetime64("9000-01-01")
# Rewrites, asked in order until every text is ISO 8601: G-NetTrack, a space for the T, and the day-first
# dates of Vietnamese spreadsheets, whose single digits are padded first.
_STYLES = (
    (r"^(\d{4})\.(\d\d)\.(\d\d)_(\d\d)\.(\d\d)\.(\d\d)$", r"\1-\2-\3T\4:\5:\6"),
    (r"^(\d{4})/(\d\d)/(\d\d)\b", r"\1-\2-\3"),
    (r"^(\d{4}-\d\d-\d\d) +(\d)", r"\1T\2"),
    (r"^(\d/)", r"0\1"),
    (r"^(\d\d)/(\d/)", r"\1/0\2"),
    (r"^(\d\d/\d\d/\d{4})[ T]+(\d:)", r"\1 0\2"),
    (r"^(\d\d)/(\d\d)/(\d{4})[ T]+(\d\d:\d\d(?::\d\d)?)$", r"\3-\2-\1T\4"),
    (r"^(\d\d)/(\d\d)/(\d{4})$", r"\3-\2-\1"),
)
_ISO = r"^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)? ?(?:[Zz]|[+-]\d\d:?\d\d|[+-]\d\d)?)?$"
_EPOCH_MS = r"^1\d{12}$"  # from 2001 to 2033
_ZONED = r"T.*(?:[Zz]|[+-]\d\d:?\d\d|[+-]\d\d)$"
_DATE_ONLY_LENGTH = len("2026-10-31")


@dataclass(frozen=True)
class Moments:
    """When each row was measured.

    utc: datetime64[us] without zone, NaT where the text is no time; local_date: datetime64[D] in the
    upload's timezone; date_only: the file knew the date and no time of day (12:00 local is assumed).
    """

    utc: Times
    local_date: Times
    date_only: Bools

    @property
    def wrong(self) -> Bools:
        """Rows whose text is no time."""
        return np.isnat(self.utc)


def read(cells: Cells, zone: ZoneInfo, written_in: ZoneInfo) -> Moments:
    """When each row was measured; texts without a zone are in `written_in`, local dates are in `zone`."""
    texts = _iso(_of_epoch(cells.texts))
    date_only = pc.equal(pc.utf8_length(texts), _DATE_ONLY_LENGTH).to_numpy(zero_copy_only=False)
    zoned = pc.match_substring_regex(texts, _ZONED).to_numpy(zero_copy_only=False)
    clock = _clock(texts, date_only)
    utc = np.where(zoned, clock, _to_utc(clock, written_in))
    dates = np.where(date_only, clock.astype("M8[D]"), _from_utc(utc, zone).astype("M8[D]"))
    return Moments(utc[cells.codes], dates[cells.codes], date_only[cells.codes])


def of_date(date: datetime.date | None, rows: int, zone: ZoneInfo) -> Moments:
    """The moments of rows without times: 12:00 local of the given date; NaT where it is not known either."""
    clock = np.array([np.datetime64("NaT") if date is None else f"{date.isoformat()}T{NOON}"], "M8[us]")
    utc = _to_utc(clock, zone)
    return Moments(np.repeat(utc, rows), np.repeat(clock.astype("M8[D]"), rows), np.ones(rows, bool))


def _of_epoch(texts: pa.Array) -> pa.Array:
    """Texts of thirteen digits (milliseconds since 1970) as ISO 8601 in UTC; the others as they are."""
    is_epoch = pc.match_substring_regex(texts, _EPOCH_MS)
    if not pc.any(is_epoch).as_py():
        return texts
    digits = pc.if_else(is_epoch, texts, pa.scalar(None, pa.string())).cast(pa.int64())
    written = pc.strftime(digits.cast(pa.timestamp("ms", "UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    return pc.coalesce(written, texts)


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


def _clock(texts: pa.Array, date_only: Bools) -> Times:
    """What the clock said, datetime64[us]: UTC where the text has a zone, else without zone."""
    plain = texts.to_numpy(zero_copy_only=False)
    read_as = pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce")
    clock: Times = read_as.as_unit("us").tz_localize(None).to_numpy().copy()
    clock[~((clock >= EARLIEST) & (clock < LATEST))] = np.datetime64("NaT")
    return np.where(date_only, clock + np.timedelta64(12, "h"), clock)


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
