"""Counts of tests → verdicts: Jeffreys intervals, floors before any accusation, and sub-reasons.

The order of the verdicts matters: with many tests a fail share between a tenth and a fifth meets
both `below_standard` and `covered`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc

from coverage.criteria import THRESHOLD_NAMES, Criteria, ThresholdName
from coverage.tables import DEAD_STATUSES

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_GRADES = {1: "A", 2: "B", 3: "C", 4: "D"}


def share_above(fails: Numbers, tests: Numbers, share: float) -> Numbers:
    """P(more than `share` of tests fail) for each pair of effective counts, Jeffreys prior Beta(½, ½).

    3 of 3 above 0.5: 0.967. 0 of 9 above 0.2: 0.042. No test at all gives the prior's own 0.5.
    """
    above: Numbers = 1.0 - np.asarray(betainc(fails + 0.5, tests - fails + 0.5, share), dtype=np.float64)
    return above


def judge(evidence: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """The evidence with `verdict`, `verdict_at_105`, `verdict_at_121`, `sub_reason`, `p_dead`, `evidence_grade`.

    `evidence` is what `evidence.tests_by_place` returns; the rows keep their order.
    """
    judged = evidence.copy()
    judged["evidence_grade"] = judged.pop("best_grade").map(_GRADES)
    for name in THRESHOLD_NAMES:
        suffix = _suffix(name)
        judged[f"verdict{suffix}"] = _verdict(judged, criteria, suffix)
    n, k = _counts(judged, "")
    judged["p_dead"] = np.where(n > 0, share_above(k, n, criteria.evidence.dead_share), np.nan)
    judged["sub_reason"] = _sub_reason(judged, criteria)
    return judged


def _suffix(name: ThresholdName) -> str:
    return "" if name == "headline" else f"_{name}"


def _counts(evidence: pd.DataFrame, suffix: str) -> tuple[Numbers, Numbers]:
    n = evidence[f"effective_tests{suffix}"].to_numpy(dtype=np.float64)
    k = evidence[f"effective_fails{suffix}"].to_numpy(dtype=np.float64)
    return n, k


def _verdict(evidence: pd.DataFrame, criteria: Criteria, suffix: str) -> npt.NDArray[np.str_]:
    rules = criteria.evidence
    n, k = _counts(evidence, suffix)
    accused = _floors_met(evidence, criteria, suffix)
    looks_dead = share_above(k, n, rules.dead_share) >= rules.dead_probability
    looks_poor = share_above(k, n, rules.below_standard_share) >= rules.below_standard_probability
    looks_fine = 1 - share_above(k, n, rules.covered_share) >= rules.covered_probability
    # A place that looks dead without the floors is not enough evidence: neither accused nor cleared.
    return np.select(
        [looks_dead & accused, looks_dead, looks_poor & accused, looks_fine],
        ["dead_zone", "not_enough_evidence", "below_standard", "covered"],
        default="not_enough_evidence",
    )


def _floors_met(evidence: pd.DataFrame, criteria: Criteria, suffix: str) -> Flags:
    floors = criteria.floors
    phones = evidence[f"fail_devices{suffix}"] >= floors.devices
    scanner = evidence[f"fail_calibrated{suffix}"] >= floors.calibrated_devices
    met: Flags = (
        (evidence[f"effective_fails{suffix}"] >= floors.effective_fails)
        & (phones | scanner)
        & (evidence[f"fail_dates{suffix}"] >= floors.dates)
        & (evidence[f"fail_span_s{suffix}"] >= floors.hours_apart * 3600)
        & (evidence[f"fail_hexes{suffix}"] >= floors.hexes_res10)
    ).to_numpy()
    return met


def _sub_reason(evidence: pd.DataFrame, criteria: Criteria) -> pd.Series[str]:
    floors, rules = criteria.floors, criteria.evidence
    n, k = _counts(evidence, "")
    looks_dead = share_above(k, n, rules.dead_share) >= rules.dead_probability
    # What a known outage explains may hide a dead zone as well: only tests of another time can tell.
    mostly_outage = evidence["outage_tests"] > evidence["tests"] - evidence["fails"]
    one_phone = (evidence["fail_devices"] < floors.devices) & (
        evidence["fail_calibrated"] < floors.calibrated_devices
    )
    reasons: list[tuple[Any, str]] = [
        (evidence["verdict"] != "not_enough_evidence", ""),
        (mostly_outage, "suspected_outage"),
        (looks_dead & one_phone, "single_device"),
        (looks_dead & (evidence["dates"] < floors.dates), "single_occasion"),
        (looks_dead & (evidence["fail_dates"] < floors.dates), "suspected_outage"),
        (looks_dead & (evidence["fail_span_s"] < floors.hours_apart * 3600), "single_occasion"),
        (looks_dead & (evidence["fail_hexes"] < floors.hexes_res10), "single_spot"),
        (looks_dead | (n < floors.effective_fails), "thin"),
        (evidence["devices"] < floors.devices, "single_device"),
        (evidence["dates"] < floors.dates, "single_occasion"),
        (k < 1, "thin"),
    ]
    conditions, names = zip(*reasons, strict=True)
    found = np.select(conditions, names, default="mixed")
    named = pd.Series(found, index=evidence.index, dtype=object)
    return named.where(named != "", None)


def dead_places(village_rows: pd.DataFrame) -> pd.DataFrame:
    """The places that make a village dead for an operator: village_id, operator, place_id.

    `village_rows` has village_id, operator, status and dead_places of VILLAGE_VERDICTS.
    """
    is_dead = village_rows["status"].isin(DEAD_STATUSES)
    dead = village_rows.loc[is_dead, ["village_id", "operator", "dead_places"]]
    split = dead.assign(place_id=dead["dead_places"].str.split(";")).explode("place_id")
    return split[["village_id", "operator", "place_id"]].reset_index(drop=True)


def failing_hexes(dead: pd.DataFrame, pooled: pd.DataFrame, hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    """The hexes where dead places fail: village_id, operator, place_id, hex.

    `dead` is what `dead_places` returns, `pooled` PLACE_HEXES, `hex_verdicts` HEX_VERDICTS. Of the hexes
    pooled for a village's dead places, those where most tests fail; where none has most, those with any fail.
    """
    measured = hex_verdicts.loc[hex_verdicts["fails"] > 0, ["hex", "operator", "tests", "fails"]]
    failing = dead.merge(pooled, on="place_id").merge(measured, on=["hex", "operator"])
    most = failing["fails"] * 2 > failing["tests"]
    has_most = most.groupby([failing["village_id"], failing["operator"]]).transform("any").astype(bool)
    return failing.loc[most | ~has_most, [*dead.columns, "hex"]].reset_index(drop=True)
