"""What the tests of a place add up to → verdicts: accused by counting, cleared by counting or by level.

A place is accused only by counting its fails: a pass can then never create a gap, and a fail never clear one.
It is cleared by counting passes, or where the level stands so far above the threshold that few tests of other
days and phones can fall below: how far a level is from the threshold says more than whether it passed.

The order of the verdicts matters: with many tests a fail share between a tenth and a fifth meets
both `below_standard` and `covered`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, ndtr, ndtri

from coverage.criteria import THRESHOLD_NAMES, Criteria, Levels
from coverage.hex_sums import suffix
from coverage.tables import GRADES

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# Where a sum of thirds should be a whole fifth.
_ROUNDING = 1e-9


def share_above(fails: Numbers, tests: Numbers, share: float) -> Numbers:
    """P(more than `share` of tests fail) for each pair of effective counts, Jeffreys prior Beta(½, ½).

    3 of 3 above 0.5: 0.967. 0 of 9 above 0.2: 0.042. No test at all gives the prior's own 0.5.
    """
    above: Numbers = 1.0 - np.asarray(betainc(fails + 0.5, tests - fails + 0.5, share), dtype=np.float64)
    return above


def clear_by_level(
    margin_db: Numbers, variance_db2: Numbers, pooled: Flags, share: float, spread: Levels
) -> Numbers:
    """P(fewer than `share` of tests fail) from the levels of a place; NaN where no level is known.

    `margin_db` is the weighted mean of the tests' margins over the threshold, `variance_db2` how far that
    may be off; `pooled` whether the place holds several hexes. Fewer than `share` of an average phone's tests
    fail where the mean stands at least z(share) spreads of a single test above the threshold.
    """
    needed_db = float(ndtri(1 - share)) * np.sqrt(one_test_db2(pooled, spread))
    clear: Numbers = np.asarray(ndtr((margin_db - needed_db) / np.sqrt(variance_db2)), dtype=np.float64)
    return clear


def one_test_db2(pooled: Flags, spread: Levels) -> Numbers:
    """How far one test of an average phone lies from the mean of its place, as a variance in dB²."""
    hexes_db2: Numbers = np.where(pooled, spread.hex_db**2, 0.0)
    return hexes_db2 + spread.occasion_db**2 + spread.test_db**2


def judge(evidence: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """The evidence with a verdict at each threshold, `sub_reason`, `p_dead`, `p_covered`, `evidence_grade` and `evidence_mix`.

    `evidence` is what `evidence.tests_by_place` returns; the rows keep their order.
    """
    judged = evidence.copy()
    judged["evidence_grade"] = judged.pop("best_grade").map(dict(enumerate(GRADES, 1)))
    judged["evidence_mix"] = _mix(judged)
    for name in THRESHOLD_NAMES:
        judged[f"verdict{suffix(name)}"] = verdict(judged, criteria, suffix(name))
    n, k = counts(judged, "")
    by_count, by_level = p_covered(judged, criteria, "")
    judged["p_dead"] = np.where(n > 0, share_above(k, n, criteria.evidence.dead_share), np.nan)
    judged["p_covered"] = np.where(n > 0, np.fmax(by_count, by_level), np.nan)
    judged["sub_reason"] = _sub_reason(judged, criteria)
    return judged


def _mix(evidence: pd.DataFrame) -> pd.Series[str]:
    held = [evidence.pop(f"grade_{grade}").astype(int) for grade in GRADES]
    rows = zip(*held, strict=True)
    said = [", ".join(f"{g} {n}" for g, n in zip(GRADES, row, strict=True) if n) or None for row in rows]
    return pd.Series(said, index=evidence.index, dtype=object)


def counts(evidence: pd.DataFrame, ending: str) -> tuple[Numbers, Numbers]:
    """The effective tests and the effective fails at the threshold whose columns end so."""
    n = evidence[f"effective_tests{ending}"].to_numpy(dtype=np.float64)
    k = evidence[f"effective_fails{ending}"].to_numpy(dtype=np.float64)
    return n, k


def p_covered(
    evidence: pd.DataFrame, criteria: Criteria, ending: str, asked: Flags | slice = slice(None)
) -> tuple[Numbers, Numbers]:
    """P(fewer than `covered_share` of tests fail), by count and by level (NaN where no level is known).

    asked: the rows it is wanted of; the answers are so many.
    """
    n, k = counts(evidence, ending)
    share = criteria.evidence.covered_share
    by_level = clear_by_level(
        evidence[f"level_margin_db{ending}"].to_numpy(dtype=np.float64)[asked],
        evidence[f"level_variance_db2{ending}"].to_numpy(dtype=np.float64)[asked],
        (evidence[f"level_hexes{ending}"] > 1).to_numpy()[asked],
        share,
        criteria.levels,
    )
    return 1 - share_above(k[asked], n[asked], share), by_level


def verdict(evidence: pd.DataFrame, criteria: Criteria, ending: str) -> npt.NDArray[np.str_]:
    """The verdict of each row at the threshold whose columns end so."""
    rules = criteria.evidence
    accused, fine = floors_met(evidence, criteria, ending), looks_fine(evidence, criteria, ending)
    n, k = counts(evidence, ending)

    def likely(share: float, probability: float, asked: Flags) -> Flags:
        found = np.zeros(len(n), bool)
        found[asked] = share_above(k[asked], n[asked], share) >= probability
        return found

    # Whatever else it looks like, what is neither accused nor fine is not enough evidence, and need not be asked.
    looks_dead = likely(rules.dead_share, rules.dead_probability, accused | fine)
    looks_poor = likely(rules.below_standard_share, rules.below_standard_probability, accused & ~looks_dead)
    # A place that looks dead without the floors is not enough evidence either: neither accused nor cleared.
    return np.select(
        [looks_dead & accused, looks_dead, looks_poor, fine],
        ["dead_zone", "not_enough_evidence", "below_standard", "covered"],
        default="not_enough_evidence",
    )


def looks_fine(evidence: pd.DataFrame, criteria: Criteria, ending: str) -> Flags:
    """Whether each row may be cleared: by count or by level, on enough evidence, and not against its fails."""
    n, k = counts(evidence, ending)
    aside = evidence[f"unanswered_tests{ending}"].to_numpy(dtype=np.float64)
    least = criteria.clearing
    heard = evidence[f"heard_devices{ending}"] >= least.devices
    heard |= evidence[f"heard_calibrated{ending}"] >= least.calibrated_devices
    # Strong levels never outweigh fails that were counted, nor those that were set aside and not answered since: what is
    # left of a place whose fails are explained away is its better half.
    few_fails = k + aside <= criteria.evidence.covered_share * (n + aside) + _ROUNDING
    fine: Flags = few_fails & heard.to_numpy() & (n >= least.effective_tests - _ROUNDING)
    by_count, by_level = p_covered(evidence, criteria, ending, fine)
    enough = by_count >= criteria.evidence.covered_probability
    enough |= by_level >= criteria.levels.covered_probability
    fine[fine] = enough
    return fine


def floors_met(evidence: pd.DataFrame, criteria: Criteria, ending: str) -> Flags:
    """Whether the fails of each row meet every floor before an accusation."""
    floors = criteria.floors
    phones = evidence[f"fail_devices{ending}"] >= floors.devices
    scanner = evidence[f"fail_calibrated{ending}"] >= floors.calibrated_devices
    met: Flags = (
        (evidence[f"effective_fails{ending}"] >= floors.effective_fails)
        & (phones | scanner)
        & (evidence[f"fail_dates{ending}"] >= floors.dates)
        & (evidence[f"fail_span_s{ending}"] >= floors.hours_apart * 3600)
        & (evidence[f"fail_hexes{ending}"] >= floors.hexes_res10)
    ).to_numpy()
    return met


def _sub_reason(evidence: pd.DataFrame, criteria: Criteria) -> pd.Series[str]:
    floors, rules = criteria.floors, criteria.evidence
    n, k = counts(evidence, "")
    looks_dead = share_above(k, n, rules.dead_share) >= rules.dead_probability
    passes = evidence["tests"] - evidence["fails"]
    unheard = evidence["recorded_tests"] < evidence["positive_only_tests"]
    few_phones = (evidence["heard_devices"] < floors.devices) & (
        evidence["heard_calibrated"] < floors.calibrated_devices
    )
    one_phone = (evidence["fail_devices"] < floors.devices) & (
        evidence["fail_calibrated"] < floors.calibrated_devices
    )
    reasons: list[tuple[Any, str]] = [
        (evidence["verdict"] != "not_enough_evidence", ""),
        # What a known outage or an old network explains may hide a dead zone as well: only other tests can tell.
        (evidence["outage_tests"] > passes, "suspected_outage"),
        (evidence["pre_change_tests"] > passes, "pre_change"),
        (looks_dead & one_phone, "single_device"),
        (looks_dead & (evidence["dates"] < floors.dates), "single_occasion"),
        (looks_dead & (evidence["fail_dates"] < floors.dates), "suspected_outage"),
        (looks_dead & (evidence["fail_span_s"] < floors.hours_apart * 3600), "single_occasion"),
        (looks_dead & (evidence["fail_hexes"] < floors.hexes_res10), "single_spot"),
        (looks_dead, "thin"),
        (evidence["vehicle_tests"] > evidence["tests"], "vehicle"),
        (unheard, "positive_only_source"),
        (evidence["tests"] < floors.effective_fails, "thin"),
        (few_phones, "single_device"),
        (evidence["dates"] < floors.dates, "single_occasion"),
        (n < floors.effective_fails, "thin"),
        (_near_threshold(evidence, criteria) & (k <= rules.covered_share * n), "near_threshold"),
        (k < 1, "thin"),
    ]
    conditions, names = zip(*reasons, strict=True)
    found = np.select(conditions, names, default="mixed")
    named = pd.Series(found, index=evidence.index, dtype=object)
    return named.where(named != "", None)


def _near_threshold(evidence: pd.DataFrame, criteria: Criteria) -> Flags:
    # The mean level stands so near that no number of tests could clear the place by it.
    pooled = (evidence["level_hexes"] > 1).to_numpy()
    sure = np.full(len(evidence), _ROUNDING)
    margin = evidence["level_margin_db"].to_numpy(dtype=np.float64)
    best = clear_by_level(margin, sure, pooled, criteria.evidence.covered_share, criteria.levels)
    near: Flags = best < 0.5
    return near
