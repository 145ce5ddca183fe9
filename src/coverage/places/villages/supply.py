"""What a list of villages says of their electricity, as rows of the contract POWER."""

from __future__ import annotations

import pandas as pd

from coverage.places.notes import Doubts, Note
from coverage.places.power import OPPOSED, evidence_of, opposes
from coverage.places.vector_files import as_counts, as_numbers, flags


def shares(raw: pd.Series) -> pd.Series[float]:
    """A column of percentages as shares 0..1; NaN where there is none or it is none.

    Whether the column counts in percent or in shares is decided by the whole of it: in percent where any cell has
    the sign % or is above 1. A fraction below 1 without the sign among percents is none: 0,95 may be either.
    """
    parsed = as_numbers(raw.map(lambda text: text.replace("%", "").strip(), na_action="ignore"))
    percent = raw.str.contains("%", na=False).any() or (parsed > 1).any()
    doubtful = parsed.gt(0) & parsed.lt(1) & ~raw.str.contains("%", na=False).astype(bool)
    found = (parsed / 100).mask(doubtful) if percent else parsed
    return found.where(found.between(0, 1))


def power_rows(rows: pd.DataFrame, households: pd.Series, doubts: Doubts) -> tuple[pd.DataFrame, list[Note]]:
    """The POWER rows that a list carries, and what was not understood or contradicts itself.

    `rows` has village_id, grid, households_grid, grid_share, power_share and source as text (missing = None);
    `households` the counts. A count or a share of households on the grid is `households_grid` and decides, as in
    a table of power; yes or no to the grid is `grid_status` where there is neither, or none that can be counted. A share of households with electricity counts generators and family hydropower too:
    where a list has nothing else it is `inferred`, which proves nothing.
    """
    yes = flags(rows, "grid")
    counted, grid, any_power = (
        as_counts(rows["households_grid"]),
        shares(rows["grid_share"]),
        shares(rows["power_share"]),
    )
    notes = [
        *doubts.unread(rows["grid"], rows["grid"].notna() & yes.isna()),
        *doubts.unread(rows["households_grid"], rows["households_grid"].notna() & counted.isna()),
        *doubts.unread(rows["grid_share"], rows["grid_share"].notna() & grid.isna()),
        *doubts.unread(rows["power_share"], rows["power_share"].notna() & any_power.isna()),
    ]
    too_many = counted > households
    counted = counted.where(~too_many, float("nan"))
    proven = counted.fillna(grid * households)
    share = (proven / households).where(households > 0, grid)
    opposed = opposes(yes, share)
    status = yes.map({True: "national_grid", False: "none"}).astype(object)
    status = status.where(share.isna() | (proven.isna() & ~opposed), None)
    status = status.fillna(share.map({1.0: "national_grid", 0.0: "none"})).astype(object)
    notes += _doubtful(doubts, opposed, too_many, proven.isna() & grid.notna() & status.isna())
    official = status.notna() | proven.notna()
    hinted = ~official & (any_power * households).notna()
    power = pd.DataFrame(
        {
            "village_id": rows["village_id"],
            "households": households,
            "households_grid": proven.where(official, any_power * households),
            "grid_status": status.where(status.notna(), None),
            "source": rows["source"],
            "evidence": rows["source"].map(evidence_of).where(official, "inferred"),
            "as_of": pd.Series(None, index=rows.index, dtype=object),
        }
    )
    return power[official | hinted].sort_values("village_id", ignore_index=True), notes


def _doubtful(doubts: Doubts, opposed: pd.Series, too_many: pd.Series, shapeless: pd.Series) -> list[Note]:
    return [
        *doubts.notes("power_contradiction", opposed, *OPPOSED),
        *doubts.notes(
            "power_too_many",
            too_many,
            "số hộ có điện lưới lớn hơn số hộ, coi như không rõ",
            "more households on the grid than households; the number counts as missing",
        ),
        *doubts.notes(
            "power_without_households",
            shapeless,
            "có tỷ lệ hộ có điện lưới mà không có số hộ nên không dùng được",
            "a share of households on the grid cannot be used without the number of households",
        ),
    ]
