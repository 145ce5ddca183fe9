"""Two snapshots → what became of every gap between them: new, reopened, worse, better, closed, or no longer provable.

A gap is a village for one operator, so its id lasts as long as the village's: evidence, points and communes may change.
Where the list of villages changed (merged, split, under other ids), `succession` tells in which village a gap goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.lists import gap_ids
from coverage.exports.succession import succession

# What becomes of gaps only where villages themselves changed.
KINSHIP_CHANGES = ("merged", "split", "redrawn")
# In the order in which people read them. `same` is told too: what nobody acts on is news as well.
CHANGES = (
    *("new", "reopened", "worse", "same", "better", "closed", "weak"),
    *("unproven", "power_doubted", "without_power", *KINSHIP_CHANGES, "gone"),
)
# What is no gap any more, but dead all the same.
_STILL_DEAD = {"verify_power": "power_doubted", "no_power": "without_power"}
_STATUS_RANK = {"lom_song": 1, "trang_song": 2}
_NOT_SPOT_RANK = {"partial": 1, "total": 2}
# Judgement: of twenty villagers one more or fewer is within what household counts are off by.
_SHARE_STEP = 0.05
_COMPARED = ("status", "sub_reason", "not_spot", "dead_share", "population_affected", "list", "last_test_utc")
_NAMED = ("village_name", "commune_code", "commune_name", "operator_name")
_KEY = ["village_id", "operator"]
_KEY_BEFORE = ["village_id_before", "operator"]
_FAMILY = ["family", "operator"]
# The worst first: of villages told together the first one speaks.
_WORST_LISTS = ("gaps", "verify_power", "no_power", "need_measurement")
_WORST_STATUSES = ("trang_song", "lom_song", "chua_du_bang_chung", "chua_co_du_lieu", "phu_song")


def gap_diff(now: Snapshot, before: Snapshot, earlier: Collection[str] = ()) -> pd.DataFrame:
    """One row per gap of either snapshot, sorted by change and id; one that is a gap in both has one row.

    Columns: change (one of `CHANGES`), gap_id, village_id, village_name, commune_code, commune_name, operator,
    operator_name (as the later snapshot has them, else the earlier), and of status, sub_reason, not_spot, dead_share,
    population_affected, list, last_test_utc the value in each, `_before` and plain; missing = the village or operator
    was not judged there. came_from, went_into: the other ids under which the village, or part of it, was judged for
    that operator in the earlier snapshot, and is in the later one, a gap there or not, joined by spaces; missing = none
    but its own. earlier: ids of gaps of snapshots before `before`; a gap among them that is not in `before`
    is reopened.

    closed = served now; better, worse: first by the status, then by whether nobody serves it, then by the share of
    people, where that moved by at least a twentieth; weak = measured enough to say that there is a signal, and that it is
    weak; unproven = there is no longer enough evidence either way;
    power_doubted, without_power = still dead, but its power is no longer proven, or it is known to have none; gone = the
    village or the operator is no longer judged.

    Where villages changed (`succession`): a gap that goes on under another id alone is told in one row of its new id, as
    if the id had stayed. merged, split, redrawn = a gap of the earlier snapshot that goes on in at least one of those in
    went_into; where none of its successors is a gap, what became of it is told by the worst of them. A gap of the later
    snapshot is new or reopened where none of its predecessors was a gap. Else all villages that hang together are
    compared as one, before and now: by status and not-spot only where all of them have the same, by the share of all
    their people where it is known of each; what is not known of them together counts as the same. The values on the
    other side of such a row are those of the worst of the villages there; dead_share and population_affected are of all
    of them, missing where not known of each, last_test_utc is the latest.
    """
    rows, rows_before = _rows(now), _rows(before)
    kin = succession(before.villages, now.villages)
    own = rows[~rows["village_id"].isin(kin["village_id"])]
    own_before = rows_before[~rows_before["village_id"].isin(kin["village_id_before"])]
    told = _of_lasting(own, own_before, earlier)
    if len(kin):
        parts = [told, *_of_kin(kin, rows, rows_before, earlier)]
        told = pd.concat([part for part in parts if len(part)] or [told])
    order = told["change"].map({change: place for place, change in enumerate(CHANGES)})
    ordered = told.assign(order=order).sort_values(["order", "gap_id"], ignore_index=True)
    named = ["change", "gap_id", "village_id", "village_name", "commune_code", "commune_name"]
    pairs = [name for one in _COMPARED for name in (f"{one}_before", one)]
    return ordered[[*named, "operator", "operator_name", *pairs, "came_from", "went_into"]]


def counts(diff: pd.DataFrame) -> dict[str, int]:
    """How many gaps there are of each change, those with none too; merged, split and redrawn only where there are some."""
    found = diff["change"].value_counts()
    return {
        change: int(found.get(change, 0))
        for change in CHANGES
        if change in found or change not in KINSHIP_CHANGES
    }


def _rows(snapshot: Snapshot) -> pd.DataFrame:
    rows = snapshot.village_verdicts
    return rows[[*_KEY, *_NAMED, *_COMPARED, "population"]].assign(gap_id=gap_ids(rows))


def _of_lasting(rows: pd.DataFrame, rows_before: pd.DataFrame, earlier: Collection[str]) -> pd.DataFrame:
    """The gaps of villages whose ids did not change."""
    both = rows.merge(rows_before, on=_KEY, how="outer", suffixes=("", "_before"))
    told = both[both["list"].eq("gaps") | both["list_before"].eq("gaps")].copy()
    told["change"] = [_change(row, earlier) for row in told.to_dict(orient="records")]
    for name in ("gap_id", *_NAMED):
        told[name] = told[name].where(told[name].notna(), told[f"{name}_before"])
    return told.assign(came_from=None, went_into=None)


def _change(row: Mapping[Any, Any], earlier: Collection[str]) -> str:
    is_gap, was_gap = row["list"] == "gaps", row["list_before"] == "gaps"
    if is_gap and was_gap:
        return _moved(row)
    if is_gap:
        return "reopened" if row["gap_id"] in earlier else "new"
    return _left(row)


def _left(row: Mapping[Any, Any]) -> str:
    """What became of a gap that is none now."""
    if not isinstance(row["status"], str):
        return "gone"
    if row["list"] in _STILL_DEAD:
        return _STILL_DEAD[row["list"]]
    if row["status"] == "phu_song":
        return "closed"
    return "weak" if row["sub_reason"] == "weak_service" else "unproven"


def _moved(row: Mapping[Any, Any]) -> str:
    """Whether a gap of both became worse or better, or stayed the same."""
    steps = [
        _rank_step(_STATUS_RANK, row["status"], row["status_before"]),
        _rank_step(_NOT_SPOT_RANK, row["not_spot"], row["not_spot_before"]),
        _share_step(row["dead_share"], row["dead_share_before"]),
    ]
    first = next((step for step in steps if step), 0)
    return "worse" if first > 0 else "better" if first < 0 else "same"


def _rank_step(ranks: Mapping[str, int], now: str, before: str) -> float:
    return ranks[now] - ranks[before] if {now, before} <= set(ranks) else 0


def _share_step(now: float, before: float) -> float:
    if pd.isna(now) or pd.isna(before):
        return 0
    moved = round(float(now) - float(before), 9)
    return float(np.sign(moved)) if abs(moved) >= _SHARE_STEP else 0


# --- villages that changed -----------------------------------------------------------------------


def _of_kin(
    kin: pd.DataFrame, rows: pd.DataFrame, rows_before: pd.DataFrame, earlier: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The gaps of the later snapshot in villages that changed, and those of the earlier one that are not told by them."""
    former = kin.merge(
        rows_before.rename(columns={"village_id": "village_id_before"}), on="village_id_before"
    )
    present = kin.merge(rows, on="village_id")
    heirs = _heirs(rows, former, present, earlier)
    ends = _ends(rows, rows_before, present)
    came_from = _other_ids(former, _KEY)
    went_into = _other_ids(present, _KEY_BEFORE)
    heirs, ends = (
        told.merge(came_from.rename("came_from"), left_on=_KEY, right_index=True, how="left").merge(
            went_into.rename("went_into"), left_on=_KEY, right_index=True, how="left"
        )
        for told in (heirs, ends)
    )
    return heirs, ends


def _heirs(
    rows: pd.DataFrame, former: pd.DataFrame, present: pd.DataFrame, earlier: Collection[str]
) -> pd.DataFrame:
    """The gaps of the later snapshot, each with its predecessors together as what was before."""
    gaps = rows[rows["list"] == "gaps"].merge(present[[*_KEY, "family"]].drop_duplicates(), on=_KEY)
    told = gaps.merge(
        _together(former, _KEY).add_suffix("_before"), left_on=_KEY, right_index=True, how="left"
    )
    moved = _moved_families(former, present)
    open_before = set(former[former["gap_id"].isin(earlier)].set_index(_KEY).index)
    change = [
        moved[row["family"], row["operator"]]
        if row["list_before"] == "gaps"
        else "reopened"
        if row["gap_id"] in earlier or (row["village_id"], row["operator"]) in open_before
        else "new"
        for row in told.to_dict(orient="records")
    ]
    return told.assign(change=change)


def _ends(rows: pd.DataFrame, rows_before: pd.DataFrame, present: pd.DataFrame) -> pd.DataFrame:
    """The gaps of the earlier snapshot whose ids are no gaps now, each with its successors together as what is now."""
    gaps = rows_before[rows_before["list"] == "gaps"]
    family = present[["village_id_before", "family", "kind"]].drop_duplicates()
    told = gaps.merge(family, left_on="village_id", right_on="village_id_before").drop(
        columns="village_id_before"
    )
    told = told.rename(columns={name: f"{name}_before" for name in (*_COMPARED, *_NAMED)})
    told = told.merge(_together(present, _KEY_BEFORE), left_on=_KEY, right_index=True, how="left")
    told = told.merge(rows[[*_KEY, *_NAMED]], on=_KEY, how="left")
    for name in _NAMED:
        told[name] = told[name].where(told[name].notna(), told[f"{name}_before"])
    goes_on = told["list"] == "gaps"
    still = told["gap_id"].isin(rows.loc[rows["list"] == "gaps", "gap_id"])
    told = told[~still & ~(goes_on & (told["kind"] == "recoded"))]
    change = [row["kind"] if row["list"] == "gaps" else _left(row) for row in told.to_dict(orient="records")]
    return told.assign(change=change)


def _other_ids(rows: pd.DataFrame, key: list[str]) -> pd.Series:
    """By key the ids of the rows of other villages, joined by spaces."""
    others = rows[rows["village_id_before"] != rows["village_id"]]
    found = others.sort_values("gap_id").groupby(key)["gap_id"].agg(" ".join)
    return found.astype(object)


def _moved_families(former: pd.DataFrame, present: pd.DataFrame) -> dict[tuple[int, str], str]:
    """Whether all villages that hang together became worse or better for an operator, or stayed the same."""
    was = _alike(former.drop_duplicates(_KEY_BEFORE)).add_suffix("_before")
    both = _alike(present.drop_duplicates(_KEY)).join(was, how="inner")
    return {
        (family, operator): _moved(row)
        for (family, operator), row in zip(both.index, both.to_dict(orient="records"), strict=True)
    }


def _alike(rows: pd.DataFrame) -> pd.DataFrame:
    """Each family together, with the status and the not-spot only where all of its villages have the same."""
    found = _together(rows, _FAMILY)
    several = rows.groupby(_FAMILY)[["status", "not_spot"]].nunique(dropna=False) > 1
    return found.assign(**{name: found[name].mask(several[name]) for name in several.columns})


def _together(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The columns `_COMPARED` of several villages as if they were one, indexed by `by`; of a single one as they are."""
    ranked = rows.assign(
        list_rank=rows["list"].map({one: rank for rank, one in enumerate(_WORST_LISTS)}),
        status_rank=rows["status"].map({one: rank for rank, one in enumerate(_WORST_STATUSES)}),
    ).sort_values(["list_rank", "status_rank", "gap_id"])
    found = ranked.drop_duplicates(by).set_index(by)[list(_COMPARED)].sort_index()
    groups = _with_people(rows).groupby(by)
    several = groups.size() > 1
    sums = groups[["affected", "all"]].sum().mask(groups["unknown"].any())
    share = sums["affected"] / sums["all"].where(sums["all"] > 0)
    return found.assign(
        dead_share=found["dead_share"].mask(several, share),
        population_affected=found["population_affected"].mask(several, sums["affected"]),
        last_test_utc=groups["last_test_utc"].max(),
    )


def _with_people(rows: pd.DataFrame) -> pd.DataFrame:
    """With `all` people, those at dead places (`affected`; none where the village is served), and whether that is unknown."""
    people = rows["population"].astype(float)
    dead = rows["dead_share"].astype(float).where(rows["status"] != "phu_song", 0.0)
    return rows.assign(all=people, affected=people * dead, unknown=(people * dead).isna())
