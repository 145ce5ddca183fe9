"""Snapshot → the tables of counts: the ministry's for all operators together, and one line per operator."""

from __future__ import annotations

import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.exports.lists import DEAD_LISTS
from coverage.exports.words import WORDS
from coverage.tables import DEAD_STATUSES, STATUSES

POWER_OF_LIST = {"gaps": "electrified", "no_power": "not_electrified", "verify_power": "power_unknown"}
# A village may stand in several, by operator: what is proven goes first.
LIST_RANK = {"gaps": 0, "verify_power": 1, "no_power": 2}
_DIFFICULT = {name: f"{name}_difficult" for name in POWER_OF_LIST.values()}
_HEADS = {
    "electrified": "có điện/grid",
    "not_electrified": "chưa có/none",
    "power_unknown": "chưa rõ/unproven",
    **dict.fromkeys(_DIFFICULT.values(), "ĐBKK"),
    "villages": "cộng/all",
}


def province_table(snapshot: Snapshot) -> pd.DataFrame:
    """The ministry's table: one row per village status, distinct villages counted.

    Columns: status (in the order of `tables.STATUSES`); electrified, not_electrified and power_unknown, each
    followed by how many of them are especially difficult (`…_difficult`; not known counts as not); all of these
    Int64, missing on rows that are not dead; and villages (Int64). Dead villages are those of the
    lists gaps, no_power and verify_power whose status for all operators is dead; one that stands in
    several lists counts once, in the first of gaps, verify_power, no_power. Villages without any
    verdict count as chua_co_du_lieu.
    """
    dead = _dead_villages(snapshot.village_verdicts)
    counts = _by_power(dead)
    counts["villages"] = counts.sum(axis="columns")
    difficult = _by_power(dead[dead["especially_difficult"].eq(True)]).rename(columns=_DIFFICULT)
    columns = [name for pair in _DIFFICULT.items() for name in pair]
    table = pd.concat([counts, difficult], axis="columns")[[*columns, "villages"]]
    table = table.astype("Int64").reindex(list(STATUSES))
    for status, villages in _other_villages(snapshot).items():
        table.loc[status, "villages"] = villages
    return table.rename_axis("status").rename_axis(None, axis="columns").reset_index()


def _by_power(dead: pd.DataFrame) -> pd.DataFrame:
    counts = pd.crosstab(dead["status_all_operators"], dead["list"].map(POWER_OF_LIST))
    return counts.reindex(index=list(DEAD_STATUSES), columns=list(POWER_OF_LIST.values()), fill_value=0)


def _dead_villages(verdicts: pd.DataFrame) -> pd.DataFrame:
    listed = verdicts["list"].isin(DEAD_LISTS) & verdicts["status_all_operators"].isin(DEAD_STATUSES)
    rows = verdicts.loc[listed, ["village_id", "status_all_operators", "list", "especially_difficult"]]
    first = rows["list"].map(LIST_RANK)
    return rows.assign(first=first).sort_values("first", kind="stable").drop_duplicates("village_id")


def _other_villages(snapshot: Snapshot) -> dict[str, int]:
    judged = snapshot.village_verdicts.drop_duplicates("village_id").set_index("village_id")
    statuses = judged["status_all_operators"].reindex(snapshot.villages["village_id"].unique())
    counts = statuses.fillna("chua_co_du_lieu").value_counts()
    return {status: int(counts.get(status, 0)) for status in STATUSES if status not in DEAD_STATUSES}


def operator_table(snapshot: Snapshot) -> pd.DataFrame:
    """One row per operator, villages counted: operator_name, one column per status, gaps (all int)."""
    verdicts = snapshot.village_verdicts
    counts = pd.crosstab(verdicts["operator"], verdicts["status"])
    counts = counts.reindex(index=list(snapshot.info.operators), columns=list(STATUSES), fill_value=0)
    gaps = verdicts.loc[verdicts["list"] == "gaps", "operator"].value_counts()
    counts["gaps"] = gaps.reindex(counts.index, fill_value=0)
    counts.insert(0, "operator_name", [snapshot.info.operators[code] for code in counts.index])
    return counts.rename_axis(None, axis="columns").reset_index(drop=True)


def as_text(snapshot: Snapshot) -> str:
    """The tables for a terminal, in Vietnamese and English; claims and roads where there are any."""
    province = province_table(snapshot).set_index("status").rename(columns=_HEADS)
    province = province.astype(object).fillna("")
    province.index = pd.Index([" / ".join(WORDS[status]) for status in province.index])
    operators = operator_table(snapshot).set_index("operator_name")
    operators.columns = pd.Index([*(WORDS[status][0] for status in STATUSES), "Vùng lõm có điện"])
    operators.index.name = None
    parts = {
        "Thôn, theo mọi nhà mạng / villages, all operators together": province,
        "Thôn, theo từng nhà mạng / villages, by operator": operators,
        "Bản đồ công bố, lần thử đạt bên trong / declared coverage, tests passed inside": _claims(snapshot),
        "Tuyến đường, km / roads, km": _roads(snapshot),
    }
    return "\n\n".join(f"{head}:\n{table.to_string()}" for head, table in parts.items() if len(table))


def _claims(snapshot: Snapshot) -> pd.DataFrame:
    whole = snapshot.reliability[snapshot.reliability["commune_code"].isna()].set_index("operator_name")
    dead = snapshot.village_verdicts
    claimed = dead[dead["claimed"].eq(True)].groupby("operator_name")["village_id"].nunique()
    shares = [
        f"{row.pass_share:.1%} ({row.low_share:.1%}–{row.high_share:.1%})" for row in whole.itertuples()
    ]
    table = pd.DataFrame(
        {"đạt/passed (95 %)": shares, "lần thử/tests": whole["tests"].to_numpy()}, whole.index
    )
    table["thôn công bố mà mất sóng/claimed but dead"] = claimed.reindex(whole.index, fill_value=0)
    return table.rename_axis(None)


def _roads(snapshot: Snapshot) -> pd.DataFrame:
    heads = {"length_km": "dài/length", "dead_km": "mất sóng/dead", "covered_km": "có sóng/covered"}
    heads |= {"undecided_km": "chưa rõ/undecided", "unmeasured_km": "chưa đo/unmeasured"}
    lengths = (
        pd.DataFrame(snapshot.road_verdicts.drop(columns="geometry"))
        .groupby("operator_name")[list(heads)]
        .sum()
    )
    return lengths.rename(columns=heads).round(1).rename_axis(None)
