"""Verdicts of places + power → verdicts of villages, and the gaps: what an operator must fix.

A village is judged where its people are, at the centre and at the settled clusters, never by the
share of its polygon: most of that is forest.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from coverage import changes, reasons
from coverage.criteria import THRESHOLD_NAMES, Criteria
from coverage.hex_sums import suffix
from coverage.tables import DEAD_STATUSES, VILLAGE_VERDICTS

_KEY = ["village_id", "operator"]
_STATUS_OF = {f"verdict{suffix(name)}": f"status{suffix(name)}" for name in THRESHOLD_NAMES}
_COUNTS = (
    *("tests", "fails", "devices", "occasions", "dates", "fail_devices", "fail_dates", "fail_hexes"),
    *("outage_tests", "vehicle_tests", "pre_change_tests", "positive_only_tests"),
)
# Of a village's places, the one whose evidence is printed: dead before undecided before the rest,
# the centre before the clusters, more households before fewer.
_SEVERITY = {"dead_zone": 0, "no_data": 1, "not_enough_evidence": 1, "below_standard": 2, "covered": 3}


def complete(judged: pd.DataFrame, places: pd.DataFrame, operators: Sequence[str]) -> pd.DataFrame:
    """PLACE_VERDICTS for every place and operator: what was not tested says `no_data`.

    `judged` is what `what_if.with_changes` returns, `places` PLACES, whose households, grid, share and
    people_method come along.
    """
    every = places.merge(pd.DataFrame({"operator": list(operators)}), how="cross")
    rows = every.merge(judged, on=["place_id", "operator"], how="left")
    for column in _STATUS_OF:
        rows[column] = rows[column].astype(object).where(rows[column].notna(), "no_data")
    for column in (*_COUNTS, "effective_tests", "effective_fails"):
        rows[column] = rows[column].fillna(0)
    return rows.astype(dict.fromkeys(_COUNTS, np.int64)).copy()


def with_history(rows: pd.DataFrame, expired: pd.DataFrame, badges: pd.DataFrame) -> pd.DataFrame:
    """The rows with `expired_tests` and `fcc_grade`, and `stale` where old tests are most of what there is.

    `rows` hold verdicts by place_id and operator, `expired` and `badges` are what `evidence.expired_by_place`
    and `evidence.fcc_grades` return.
    """
    key = ["place_id", "operator"]
    told = rows.merge(expired, on=key, how="left").merge(badges, on=key, how="left")
    told["expired_tests"] = told["expired_tests"].fillna(0).astype(np.int64)
    told["fcc_grade"] = told["fcc_grade"].eq(True)
    lacking = told["sub_reason"].isin(["thin", "single_device", "single_occasion", "single_spot"])
    told["sub_reason"] = told["sub_reason"].mask(lacking & (told["expired_tests"] > told["tests"]), "stale")
    return told


def best_of_operators(rows: pd.DataFrame, in_scope: Sequence[str]) -> pd.DataFrame:
    """The places as somebody with every operator's SIM would find them: one row per place.

    `rows` is what `complete` returns. A place is covered where one operator covers it, dead only where
    every operator in scope was tested and is dead.
    """
    scoped = rows[rows["operator"].isin(in_scope)]
    what, place = scoped["verdict"], scoped["place_id"]
    dead = (what == "dead_zone").groupby(place).all()
    unmeasured = (what == "no_data").groupby(place).all()
    covered = (what == "covered").groupby(place).any()
    poor = (what == "below_standard").groupby(place).any()
    verdict = np.select(
        [covered, poor, dead, unmeasured],
        ["covered", "below_standard", "dead_zone", "no_data"],
        "not_enough_evidence",
    )
    places = rows.drop_duplicates("place_id")[["place_id", "village_id", "kind", "share"]]
    best = pd.DataFrame({"place_id": dead.index, "verdict": verdict})
    return places.merge(best, on="place_id").assign(operator="all")


def statuses(rows: pd.DataFrame, verdict: str, criteria: Criteria) -> pd.Series[str]:
    """The status of each (village_id, operator) from one verdict column of its places."""
    what = rows[verdict]
    is_centre = rows["kind"] == "centre"
    flags = pd.DataFrame(
        {
            "village_id": rows["village_id"],
            "operator": rows["operator"],
            "centre_dead": is_centre & (what == "dead_zone"),
            "centre_open": is_centre & (what != "covered"),
            "home_dead": ~is_centre & (what == "dead_zone"),
            "measured": what != "no_data",
            "served": np.where(what == "covered", rows["share"], 0.0),
        }
    )
    by_village = flags.groupby(_KEY)
    any_of = by_village[["centre_dead", "centre_open", "home_dead", "measured"]].any()
    # A tolerance for shares such as 0.95 that were added up from thirds.
    served = by_village["served"].sum() >= criteria.village.served_households_share - 1e-9
    found = np.select(
        [any_of["centre_dead"], any_of["home_dead"], served & ~any_of["centre_open"], ~any_of["measured"]],
        ["trang_song", "lom_song", "phu_song", "chua_co_du_lieu"],
        "chua_du_bang_chung",
    )
    return pd.Series(found, index=any_of.index, name="status")


def village_verdicts(
    villages: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    power: pd.DataFrame,
    criteria: Criteria,
    in_scope: Sequence[str],
) -> pd.DataFrame:
    """Every village × operator with status, power, list and reason: VILLAGE_VERDICTS without its ranks and surroundings.

    `villages` is what `people.counted` returns, `rows` what `complete`, `power` what `places.power.grid_status`.
    """
    table = pd.DataFrame({_STATUS_OF[column]: statuses(rows, column, criteria) for column in _STATUS_OF})
    table = table.reset_index().merge(_deciding_places(rows), on=_KEY)
    best = best_of_operators(rows, in_scope)
    overall = (
        statuses(best, "verdict", criteria).rename("status_all_operators").reset_index("operator", drop=True)
    )
    table = table.merge(overall.reset_index(), on="village_id")
    table = table.merge(_dead_places(rows, best), on=_KEY, how="left")
    about = villages.drop(columns="geometry")
    table = table.merge(about, on="village_id").merge(power.reset_index(), on="village_id")
    table = _with_power_where_dead(table)
    table["dead_places"] = table["dead_places"].fillna("")
    table["operator_name"] = table["operator"].map(criteria.operator_name)
    table["population_affected"] = table["population"] * table["dead_share"]
    table["population_undecided"] = table["population"] * _undecided_share(table, rows)
    table["households_affected"] = table["households"] * table["dead_share"]
    table["sub_reason"] = _sub_reason(table, rows)
    table["list"] = _list(table, in_scope)
    table["who_must_act"] = _who_must_act(table)
    table["reason"], table["reason_en"] = reasons.of_villages(table)
    table["what_would_change"], table["what_would_change_en"] = changes.of_villages(table)
    known = [name for name in VILLAGE_VERDICTS.names if name in table]
    return table[known].sort_values(_KEY, ignore_index=True)


def ranked(table: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """The rows with `priority`: `table` holds what `village_verdicts` returns for every village."""
    return table.assign(priority=_priority(table, criteria))


def _deciding_places(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.assign(
        severity=rows["verdict"].map(_SEVERITY),
        later=(rows["kind"] != "centre").astype(int),
        fewer=-rows["share"],
    ).sort_values([*_KEY, "severity", "later", "fewer", "place_id"])
    first = ordered.drop_duplicates(_KEY).drop(
        columns=[
            "households",
            "grid",
            "kind",
            "severity",
            "later",
            "fewer",
            *set(_STATUS_OF) - {"verdict"},
            "share",
        ]
    )
    centres = rows.loc[rows["kind"] == "centre", [*_KEY, "verdict"]].rename(
        columns={"verdict": "centre_verdict"}
    )
    deciding = first.merge(centres, on=_KEY, how="left").fillna({"centre_verdict": "no_data"})
    homes = rows[rows["kind"] != "centre"].drop_duplicates("village_id").set_index("village_id")["kind"]
    deciding["basis"] = deciding["village_id"].map(homes.replace("cluster", "clusters"))
    return deciding


def _dead_places(rows: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    # One row per village and operator with a dead place: which, how many people, on the grid, who else is there.
    dead = rows[rows["verdict"] == "dead_zone"].merge(
        best[["place_id", "verdict"]].rename(columns={"verdict": "best"}), on="place_id"
    )
    dead = dead.sort_values(["village_id", "operator", "kind", "place_id"])
    homes = dead[dead["kind"] != "centre"]
    grouped = dead.groupby(_KEY)
    found = pd.DataFrame({"dead_places": grouped["place_id"].agg(";".join)})
    # Where only the centre is dead, those are affected who live around it.
    at_homes = homes.groupby(_KEY)["share"].sum().clip(upper=1.0)
    around = dead[dead["kind"] == "centre"].groupby(_KEY)["share_around"].first()
    found["around_only"] = around[~around.index.isin(at_homes.index)]
    found["dead_share"] = at_homes.reindex(found.index).fillna(found["around_only"])
    found["grid_any"] = homes["grid"].eq(True).groupby([homes["village_id"], homes["operator"]]).any()
    found["grid_none"] = homes["grid"].eq(False).groupby([homes["village_id"], homes["operator"]]).all()
    total = dead["best"].eq("dead_zone").groupby([dead["village_id"], dead["operator"]]).any()
    partial = dead["best"].eq("covered").groupby([dead["village_id"], dead["operator"]]).any()
    found["not_spot"] = np.select([total, partial], ["total", "partial"], "undetermined")
    return found.reset_index()


def _undecided_share(table: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[float]:
    # Of the people who live neither at dead nor at decided places; around a dead centre they are counted already.
    undecided = rows["verdict"].isin(["not_enough_evidence", "no_data"])
    share = rows["share"].where(undecided, 0.0).groupby([rows["village_id"], rows["operator"]]).sum()
    found = table[_KEY].merge(share.rename("share").reset_index(), on=_KEY, how="left")["share"]
    return (found.set_axis(table.index) - table["around_only"].fillna(0.0)).clip(lower=0.0)


def _with_power_where_dead(table: pd.DataFrame) -> pd.DataFrame:
    # Power is judged at the dead cluster where it is known there, else for the village.
    on_grid, off_grid = table["grid_any"].eq(True), table["grid_none"].eq(True)
    # The centre of an electrified village is dead, and so are clusters without power: two sources
    # disagree on whether power reaches the dead part, and somebody must look.
    disputed = off_grid & table["status"].eq("trang_song") & table["electrified"].eq(True)
    off_grid &= ~disputed
    powered = table.copy()
    powered["grid_status"] = (
        table["grid_status"].mask(on_grid, "national_grid").mask(off_grid, "none").mask(disputed, "unknown")
    )
    powered["electrified"] = (
        table["electrified"].mask(on_grid, True).mask(off_grid, False).mask(disputed, None)
    )
    # The village's own source stays where it says the same.
    by_cluster = (on_grid & ~table["electrified"].eq(True)) | (off_grid & ~table["electrified"].eq(False))
    powered["power_source"] = table["power_source"].mask(by_cluster, "clusters")
    powered["power_as_of"] = table["power_as_of"].mask(by_cluster, None)
    return powered


def _is_dead(table: pd.DataFrame) -> pd.Series[bool]:
    return table["status"].isin(DEAD_STATUSES)


def _sub_reason(table: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[str]:
    # Weak service is an answer, not a lack of evidence: every place decided, some below the standard.
    decided = rows["verdict"].isin(["covered", "below_standard"])
    answered = decided.groupby([rows["village_id"], rows["operator"]]).all().rename("weak").reset_index()
    weak = table[_KEY].merge(answered, on=_KEY, how="left")["weak"].set_axis(table.index)
    open_status = table["status"] == "chua_du_bang_chung"
    reason = table["sub_reason"].astype(object).where(table["sub_reason"].notna(), "unmeasured_part")
    named: pd.Series[str] = reason.mask(weak & open_status, "weak_service").where(open_status, None)
    return named


def _list(table: pd.DataFrame, in_scope: Sequence[str]) -> pd.Series[str]:
    # Nobody is sent to measure a network that is not in scope, such as one heard from across the border.
    # Nor is it asked to mend anything here.
    concerned = table["operator"].isin(in_scope)
    dead, powered = _is_dead(table) & concerned, table["electrified"]
    unknown = table["status"].isin(["chua_du_bang_chung", "chua_co_du_lieu"]) & concerned
    found = np.select(
        [
            dead & powered.eq(True),
            dead & powered.eq(False),
            dead,
            unknown & table["sub_reason"].ne("weak_service"),
        ],
        ["gaps", "no_power", "verify_power", "need_measurement"],
        "",
    )
    return pd.Series(found, index=table.index, dtype=object).replace("", None)


def _who_must_act(table: pd.DataFrame) -> pd.Series[str]:
    hard = table["especially_difficult"].eq(True)
    found = np.select(
        [
            table["list"].eq("gaps") & hard,
            table["list"].eq("gaps"),
            table["list"].eq("no_power"),
            table["list"].eq("verify_power"),
            table["list"].eq("need_measurement"),
        ],
        ["operator_with_public_fund", "operator", "power_utility", "verify_power", "measure"],
        "",
    )
    return pd.Series(found, index=table.index, dtype=object).replace("", None)


def _priority(table: pd.DataFrame, criteria: Criteria) -> pd.Series[int]:
    # 1 = first: people affected × severity × not-spot weight. Where the dead share of a trắng sóng village
    # is not known (only its centre was found dead) all its people count; else unknown people count as none.
    weights = criteria.priority
    is_gap = table["list"].eq("gaps")
    everybody = table["population"].where(table["status"].eq("trang_song"))
    score = (
        table["population_affected"].fillna(everybody).fillna(0)
        * table["status"].map(weights.severity).fillna(0)
        * table["not_spot"].map(weights.not_spot).fillna(0)
    )
    order = pd.DataFrame({"score": -score, "id": table["village_id"], "operator": table["operator"]})[is_gap]
    ranked = order.sort_values(["score", "id", "operator"]).index
    return pd.Series(range(1, len(ranked) + 1), index=ranked, dtype="Int64").reindex(table.index)
