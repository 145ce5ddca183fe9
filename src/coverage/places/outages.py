"""Known outages: when a village or commune had no power or a network was down, and who says so."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from coverage.places.notes import Note
from coverage.places.sheets import read_table
from coverage.places.vector_files import need, refuse_rows, refuse_values, rename, texts

_SYNONYMS = {
    "village_id": ("Mã thôn", "ma_thon"),
    "commune_code": ("Mã xã", "ma_xa", "MAXA"),
    "operator": ("Nhà mạng", "plmn"),
    "from": ("Từ", "Bắt đầu", "start", "begin"),
    "until": ("Đến", "Kết thúc", "end"),
    "source": ("nguồn",),
}
LONGEST_DAYS = 31  # who is without service for longer is without service; our judgement
_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M")


def read_outages(path: Path, zone: ZoneInfo) -> tuple[pd.DataFrame, list[Note]]:
    """The known outages in a table, as the contract OUTAGES; raises `PlacesRefused`.

    Times in the file are local to `zone`. A row names a village or a commune; without an operator
    it holds for all of them, as a power cut does. Operators stay as the file writes them.
    """
    table, notes = read_table(path, _SYNONYMS)
    frame = rename(table, _SYNONYMS)
    for column in ("from", "until"):
        need(frame, column, path, _SYNONYMS[column])
    outages = pd.DataFrame(
        {
            "village_id": texts(frame, "village_id"),
            "commune_code": texts(frame, "commune_code"),
            "operator": texts(frame, "operator"),
            "from_utc": _moments(texts(frame, "from"), "from", path, zone),
            "until_utc": _moments(texts(frame, "until"), "until", path, zone),
            "source": texts(frame, "source").fillna(path.name),
        }
    )
    nowhere = outages["village_id"].isna() & outages["commune_code"].isna()
    backwards = ~(outages["from_utc"] < outages["until_utc"])
    endless = outages["until_utc"] - outages["from_utc"] > pd.Timedelta(days=LONGEST_DAYS)
    refuse_rows(
        path,
        [
            (nowhere, "thiếu mã thôn và mã xã", "neither a village id nor a commune code"),
            (backwards, "giờ kết thúc không sau giờ bắt đầu", "it does not end after it begins"),
            (
                endless,
                f"kéo dài hơn {LONGEST_DAYS} ngày: đó không còn là sự cố; hãy ghi từng sự cố một",
                f"it lasts longer than {LONGEST_DAYS} days: that is no outage any more; enter each by itself",
            ),
        ],
    )
    return outages.sort_values(["from_utc", "village_id", "commune_code"], ignore_index=True), notes


def _moments(values: pd.Series, column: str, path: Path, zone: ZoneInfo) -> pd.Series:
    parsed = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    for form in _FORMATS:
        parsed = parsed.fillna(pd.to_datetime(values, format=form, errors="coerce").astype("datetime64[us]"))
    refuse_values(
        path,
        values.rename(column),
        parsed.isna(),
        "không có dạng 2026-10-31 14:05",
        "is not like 2026-10-31 14:05",
    )
    # Of an hour that the clock shows twice, the first; an hour that it skips begins with the next one.
    first = np.ones(len(parsed), bool)
    local = parsed.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    moments: pd.Series = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return moments
