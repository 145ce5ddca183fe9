"""Verdicts against the simulated truth: precision, recall and what stays undecided, in one command.

    python benchmarks/truth.py [--villages 300] [--measurements 2000000] [--seeds 7 8] [--folder DIR]

For each seed it simulates a province, runs the whole job on its files, and compares the exported verdicts
with truth.csv, per village and operator. `floors met` are the pairs where the simulated crews left enough
evidence at every place. All seeds are then pooled: the figures to quote are those of the pool.
The province holds outages, biased phones, drives inside vehicles and a feed that never tells of silence.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom, binomtest

from coverage import pipeline
from coverage.archive import history
from coverage.archive.workspace import open_workspace
from coverage.demo import AS_OF, add_sample
from coverage.simulate import simulate
from coverage.verdicts import share_above

DEAD = ("trang_song", "lom_song")
UNDECIDED = ("chua_du_bang_chung", "chua_co_du_lieu")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--villages", type=int, default=300)
    parser.add_argument("--measurements", type=int, default=2_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8])
    parser.add_argument(
        "--folder", type=Path, default=None, help="kept for a second run; default: a temporary one"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        parts = [run(folder / str(seed), given.villages, given.measurements, seed) for seed in given.seeds]
    for seed, part in zip(given.seeds, parts, strict=True):
        print(f"seed {seed}: {headline(part)}")
    report(pd.concat(parts, ignore_index=True))


def run(folder: Path, villages: int, measurements: int, seed: int) -> pd.DataFrame:
    """The village verdicts of a simulated province, by way of its files, each with its truth."""
    sample = folder / "sample"
    started = time.perf_counter()
    if not (sample / "truth.csv").exists():
        simulate(sample, villages=villages, measurements=measurements, seed=seed)
        started = _say(f"seed {seed}: simulate", started)
    workspace = open_workspace(folder / f"workspace-{int(time.time())}")
    rows = add_sample(workspace, sample)
    started = _say(f"seed {seed}: ingest {rows} rows", started)
    pipeline.assess(workspace, AS_OF)
    _say(f"seed {seed}: assess", started)
    truth = pd.read_csv(sample / "truth.csv", dtype={"operator": str, "village_id": str})
    found = history.latest(workspace).village_verdicts
    return found.merge(truth, on=["village_id", "operator"], suffixes=("", "_true"), how="right")


def _say(what: str, started: float) -> float:
    now = time.perf_counter()
    print(f"{what}: {now - started:.1f} s", file=sys.stderr)
    return now


def _claims(pairs: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    # What is claimed → (said, true). `dead` leaves power aside: a dead village whose power no file
    # proves goes to the list verify_power and not to the gaps, as it must.
    return {
        "gap": (pairs["list"].eq("gaps"), pairs["gap"].astype(bool)),
        "dead": (pairs["status"].isin(DEAD), pairs["status_true"].isin(DEAD)),
        "phu_song": (pairs["status"].eq("phu_song"), pairs["status_true"].eq("phu_song")),
    }


def headline(pairs: pd.DataFrame) -> str:
    """One line for one seed."""
    floors = pairs["floors_met"].astype(bool)
    return "; ".join(
        f"{name} precision {_ratio(said & true, said)} ({(said & true).sum()}/{said.sum()}), "
        f"recall where floors met {_ratio(said & true & floors, true & floors)}"
        for name, (said, true) in _claims(pairs).items()
    )


def report(pairs: pd.DataFrame) -> None:
    """Print the pooled tables: precision and recall, recall by how clear the truth is, what stays open."""
    floors = pairs["floors_met"].astype(bool)
    print(f"\nvillage x operator pairs: {len(pairs)}; floors met: {floors.sum()} ({floors.mean():.1%})")
    head = (
        f"{'':10} {'true':>6} {'said':>6} {'right':>6} {'precision':>10} {'95 % interval':>16} {'recall':>8}"
    )
    print(f"{head} {'recall where floors met':>25}")
    for name, (said, true) in _claims(pairs).items():
        right = said & true
        interval = binomtest(int(right.sum()), max(int(said.sum()), 1)).proportion_ci(method="wilson")
        print(
            f"{name:10} {true.sum():6} {said.sum():6} {right.sum():6} {_ratio(right, said):>10} "
            f"{interval.low:7.3f}-{interval.high:.3f}  {_ratio(right, true):>8} {_ratio(right & floors, true & floors):>24}"
        )
    _by_clearness(pairs, floors)
    _by_evidence(pairs)
    open_ = pairs["status"].isin(UNDECIDED)
    weak = open_ & pairs["sub_reason"].eq("weak_service")
    print(f"\nundecided: {open_.mean():.1%} of all ({weak.mean():.1%} enough tests, weak service)", end="; ")
    print(f"where floors met {open_[floors].mean():.1%}")
    print(pd.crosstab(pairs["status_true"], pairs["status"]).to_string())
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _by_clearness(pairs: pd.DataFrame, floors: pd.Series) -> None:
    # Why recall is what it is: a place that truly fails 60 % of tests cannot be told from 50 % with the
    # 10 to 25 effective tests that are there. `by count` is the recall of counting alone if those tests were
    # independent draws at the true share of fails, with no phone biased and no place mixed. A dead place is told
    # by counting only, so there it is what could be attained; a served one is also told by its level, and what is
    # found above it is what the levels gain.
    print(
        f"\n{'floors met, worst place truly fails':38} {'pairs':>6} {'found':>6} {'recall':>7} {'by count':>9}"
    )
    claims = _claims(pairs)
    for name, bands in (("dead", (0.5, 0.65, 0.8, 0.95, 1.0)), ("phu_song", (0.0, 0.02, 0.05, 0.1, 0.2))):
        said, true = claims[name]
        worst = pairs["p_fail_worst"].clip(lower=1e-9)
        for low, high in (*itertools.pairwise(bands), (bands[0], bands[-1])):
            band = true & floors & (worst > low) & (worst <= high)
            label = (
                f"  {name} {low:.2f}-{high:.2f}" if (low, high) != (bands[0], bands[-1]) else f"  {name} all"
            )
            print(
                f"{label:38} {band.sum():6} {(said & band).sum():6} {_ratio(said & band, band):>7} "
                f"{by_count(pairs[band], name):>9}"
            )


def by_count(pairs: pd.DataFrame, name: str) -> str:
    """The mean chance that counting settles a pair with its effective tests at the true share of fails."""
    if pairs.empty:
        return "-"
    tests = np.rint(pairs["effective_tests"].to_numpy()).astype(int)
    fails = np.arange(tests.max(initial=0) + 1)[:, None]
    if name == "dead":
        settles = share_above(fails.astype(float), np.maximum(tests, fails).astype(float), 0.5) >= 0.95
    else:
        settles = 1 - share_above(fails.astype(float), np.maximum(tests, fails).astype(float), 0.2) >= 0.95
    chance = binom.pmf(fails, tests, pairs["p_fail_worst"].to_numpy()) * settles
    return f"{chance.sum(axis=0).mean():.3f}"


def _by_evidence(pairs: pd.DataFrame) -> None:
    # Of the place whose evidence is printed for the pair: its best grade, and whether a feed without silence was heard.
    feed = pairs["positive_only_tests"].gt(0).map({True: "with such a feed", False: "without one"})
    for title, kinds in (
        ("evidence grade", pairs["evidence_grade"].fillna("none")),
        ("positive-only feed", feed),
    ):
        print(f"\n{title:20} {'pairs':>6} {'undecided':>10}", end="")
        print("".join(f" {name + ' precision':>26} {'recall':>16}" for name in ("dead", "phu_song")))
        for kind in sorted(kinds.unique()):
            group = pairs[kinds == kind]
            open_ = group["status"].isin(UNDECIDED)
            print(f"  {kind:18} {len(group):6} {open_.mean():10.1%}{_figures(group)}")


def _figures(pairs: pd.DataFrame) -> str:
    claims = _claims(pairs)
    text = ""
    for said, true in (claims["dead"], claims["phu_song"]):
        right = (said & true).sum()
        precision = f"{_ratio(said & true, said)} ({right}/{said.sum()})"
        text += f" {precision:>26} {f'{_ratio(said & true, true)} ({right}/{true.sum()})':>16}"
    return text


def _ratio(part: pd.Series, whole: pd.Series) -> str:
    return f"{part.sum() / whole.sum():.3f}" if whole.sum() else "-"


if __name__ == "__main__":
    main()
