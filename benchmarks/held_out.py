"""How verdicts fare on days held out: the days split in halves, verdicts on one, what the other says, and intervals.

The pure parts of `other_days.py`; arrays are (unit, repetition, split), a unit is one hex of one operator.

Intervals are Korn and Graubard's: Clopper and Pearson's at the number of hexes that the spread between days leaves. The
spread is found by repeating everything, judging and scoring, without each day in turn (of many days: without each group
of days): a jackknife. Drawing days with repetition instead would judge on a third fewer days than there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis.expr.types import Table as Expression
from scipy.sparse import csr_array
from scipy.stats import beta, norm, t

from coverage import engine, evidence, verdicts
from coverage.criteria import THRESHOLD_NAMES, Criteria
from coverage.moments import MARGIN
from coverage.observations import OUTCOME

# The verdict → the shares of failing tests on other days, both ends left out, where it holds.
HOLDS = {"dead_zone": (0.5, np.inf), "covered": (-np.inf, 0.2), "below_standard": (0.1, np.inf)}

Counts = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Halves:
    """Which days judge and which score, each (repetition, split, day); the first repetition leaves no day out."""

    judging: Flags
    scoring: Flags


@dataclass(frozen=True)
class Tests:
    """Observations, with the number of their unit (one hex of one operator) and of their day beside each."""

    frame: pd.DataFrame
    unit: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    units: int

    def sums(self, values: npt.ArrayLike, days: Flags) -> Counts:
        """The sums of a value per test over the chosen days: (unit, repetition, split)."""
        shape = (self.units, days.shape[-1])
        table = csr_array((np.asarray(values, dtype=np.float64), (self.unit, self.day)), shape=shape)
        found: Counts = table @ days.reshape(-1, days.shape[-1]).T.astype(np.float64)
        return found.reshape(self.units, *days.shape[:2])


@dataclass(frozen=True)
class Scores:
    """Verdicts of one rule and how many of them hold, by kind and repetition; and the hexes that ever got each kind."""

    said: dict[str, Counts]
    held: dict[str, Counts]
    hexes: dict[str, int]
    undecided: float
    scored: float


def halves(days: int, splits: int, seed: int, groups: int) -> Halves:
    """Random halves of the days, and the same without each group of days in turn.

    `groups` is the most groups, 0 = no repetition: no day is left out, and no interval can be told.
    """
    rng = np.random.default_rng(seed)
    judging = rng.permuted(np.tile(np.arange(days) < days // 2, (splits, 1)), axis=1)
    number = min(days, groups)
    group = rng.permutation(np.arange(days) % max(number, 1))
    left_out = group == np.arange(number)[:, None]
    kept = ~np.vstack([np.zeros((1, days), dtype=bool), left_out])[:, None, :]
    return Halves(judging & kept, ~judging & kept)


def tests_of(frame: pd.DataFrame, days: Sequence[date]) -> Tests:
    """The observations with their units numbered, each day by its place in `days`."""
    unit = frame.groupby(["operator", "hex"]).ngroup().to_numpy()
    day = pd.Index(days).get_indexer(frame["local_date"])
    return Tests(frame, unit, day, int(unit.max()) + 1)


def fail_shares(tests: Tests, days: Flags, least: int = 1) -> Counts:
    """The share of failing tests on the chosen days: (unit, repetition, split); missing where fewer than `least` are decided."""
    decided = tests.frame["fails"].notna()
    count = tests.sums(decided, days)
    share = _ratio(tests.sums(tests.frame["fails"].eq(True), days), count)
    return np.where(count >= least, share, np.nan)


def scores(verdict: Names, judged: Flags, share: Counts) -> Scores:
    """How the verdicts (unit, repetition, split) fare on the other days.

    `judged` says where the judging half has a test, `share` is what fails in the other half, missing without a test.
    """
    both = judged & ~np.isnan(share)
    said = {kind: both & (verdict == kind) for kind in HOLDS}
    held = {kind: said[kind] & (share > low) & (share < high) for kind, (low, high) in HOLDS.items()}
    first = both[:, 0]
    return Scores(
        said={kind: flags.sum(axis=(0, 2)).astype(float) for kind, flags in said.items()},
        held={kind: flags.sum(axis=(0, 2)).astype(float) for kind, flags in held.items()},
        hexes={kind: int(flags[:, 0].any(axis=1).sum()) for kind, flags in said.items()},
        undecided=float((first & (verdict[:, 0] == "not_enough_evidence")).sum()),
        scored=float(first.sum()),
    )


def pooled(parts: Iterable[Scores]) -> Scores:
    """The scores of several thresholds together: a hex counts once for each."""
    every = list(parts)
    return Scores(
        said={kind: np.sum([one.said[kind] for one in every], axis=0) for kind in HOLDS},
        held={kind: np.sum([one.held[kind] for one in every], axis=0) for kind in HOLDS},
        hexes={kind: sum(one.hexes[kind] for one in every) for kind in HOLDS},
        undecided=sum(one.undecided for one in every),
        scored=sum(one.scored for one in every),
    )


def interval(held: Counts, said: Counts, hexes: int) -> tuple[float, float]:
    """The 95 % interval of the share that holds, from the repetitions (the first leaves no day out)."""
    share, without = held[0] / said[0], _ratio(held[1:], said[1:])
    without = without[~np.isnan(without)]
    groups = len(without)
    if groups < 2:
        return 0.0, 1.0
    variance = (groups - 1) / groups * ((without - without.mean()) ** 2).sum()
    fewer_days = (norm.ppf(0.975) / t.ppf(0.975, groups - 1)) ** 2
    spreads = 0 < share < 1 and variance > 0
    count = min(hexes, share * (1 - share) / variance * fewer_days) if spreads else hexes
    right = share * count
    low = beta.ppf(0.025, right, count - right + 1) if share > 0 else 0.0
    high = beta.ppf(0.975, right + 1, count - right) if share < 1 else 1.0
    return float(low), float(high)


def _ratio(part: Counts, whole: Counts) -> Counts:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def by_mean_rsrp(tests: Tests, days: Flags, limit_dbm: float) -> Names:
    """Naive: dead where the mean RSRP of the hex is below the limit, else covered."""
    level = tests.frame["rsrp_dbm"].astype(float)
    mean = _ratio(tests.sums(level.fillna(0), days), tests.sums(level.notna(), days))
    named = np.where(mean < limit_dbm, "dead_zone", "covered")
    return np.where(np.isnan(mean), "not_enough_evidence", named)


def by_any_fail(tests: Tests, days: Flags) -> Names:
    """Naive: dead where any test fails, else covered."""
    return np.where(tests.sums(tests.frame["fails"].eq(True), days) > 0, "dead_zone", "covered")


def judged(tests: Tests, days: Flags, every: Sequence[Criteria]) -> list[pd.DataFrame]:
    """What the product says of each unit on the chosen days, for each criteria: one row per unit and case.

    A case is one repetition and split, numbered in their order. All cases are judged in one go, each as an operator of
    its own; days on which a unit was not tested tell no cases of it apart, and what is the same is judged once.
    """
    case_days = days.reshape(-1, days.shape[-1])
    cases = _cases(tests, case_days)
    once = cases.drop_duplicates(["unit", "tested"])
    numbered = tests.frame.assign(unit=tests.unit, day=tests.day)
    chosen = once[["unit", "case"]].merge(numbered, on="unit")
    chosen = chosen[case_days[chosen["case"], chosen["day"]]]
    chosen["operator"] = chosen["unit"].astype(str) + "/" + chosen["case"].astype(str)
    backend = engine.connect()
    loaded = _headline_only(engine.load_frame(backend, "tests", chosen.drop(columns=["unit", "case", "day"])))
    found = evidence.tests_by_place(loaded, evidence.hexes_as_places(loaded), every[0])
    said = found["operator"].str.extract(r"(?P<unit>\d+)/(?P<case>\d+)").astype(int)
    named = said.merge(once, on=["unit", "case"])[["unit", "tested"]]
    judgements = [verdicts.judge(found, criteria)[["verdict", "p_dead", "p_covered"]] for criteria in every]
    return [cases.merge(pd.concat([named, one], axis=1), on=["unit", "tested"]) for one in judgements]


def _headline_only(tests: Expression) -> Expression:
    # The other thresholds decide nothing here and would cost four times as much again.
    others = THRESHOLD_NAMES[1:]
    fails = {OUTCOME[name]: ibis.null("boolean") for name in others}
    return tests.mutate(**fails, **{MARGIN[name]: ibis.null("float64") for name in others})


def _cases(tests: Tests, case_days: Flags) -> pd.DataFrame:
    # `tested` is a fingerprint of the days that a unit was tested on, 0 = none: random numbers that add up alike by chance
    # once in 2^64.
    marks = np.random.default_rng(0).integers(1, 2**62, case_days.shape[1])
    shape = (tests.units, case_days.shape[1])
    table = csr_array((np.ones(len(tests.day), dtype=np.int64), (tests.unit, tests.day)), shape=shape)
    tested = table @ (case_days * marks).T
    unit, case = np.nonzero(tested)
    return pd.DataFrame({"unit": unit, "case": case, "tested": tested[unit, case]})


def spread(found: pd.DataFrame, shape: tuple[int, int, int]) -> Names:
    """The verdicts of `judged` as (unit, repetition, split); not_enough_evidence where there is none."""
    whole = np.full((shape[0], shape[1] * shape[2]), "not_enough_evidence")
    whole[found["unit"], found["case"]] = found["verdict"].astype(str)
    return whole.reshape(shape)
