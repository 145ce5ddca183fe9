"""Verdicts against the simulated truth: precision, recall and what stays undecided, in one command.

    python benchmarks/truth.py [--villages 300] [--measurements 2000000] [--seed 7] [--folder DIR]

Simulates a province, runs the whole job on its files, and compares the exported verdicts with truth.csv,
per village and operator. `floors_met` are the pairs where the simulated crews left enough evidence.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from coverage import pipeline
from coverage.archive import history
from coverage.archive.workspace import open_workspace
from coverage.demo import AS_OF, add_sample
from coverage.simulate import simulate


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--villages", type=int, default=300)
    parser.add_argument("--measurements", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--folder", type=Path, default=None, help="kept for a second run; default: a temporary one"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        verdicts = run(folder, given.villages, given.measurements, given.seed)
        truth = pd.read_csv(folder / "sample" / "truth.csv", dtype={"operator": str, "village_id": str})
        report(verdicts.merge(truth, on=["village_id", "operator"], suffixes=("", "_true"), how="right"))


def run(folder: Path, villages: int, measurements: int, seed: int) -> pd.DataFrame:
    """The village verdicts of a simulated province, by way of its files."""
    sample = folder / "sample"
    started = time.perf_counter()
    if not (sample / "truth.csv").exists():
        simulate(sample, villages=villages, measurements=measurements, seed=seed)
        started = _say("simulate", started)
    workspace = open_workspace(folder / f"workspace-{int(time.time())}")
    rows = add_sample(workspace, sample)
    started = _say(f"ingest {rows} rows", started)
    pipeline.assess(workspace, AS_OF)
    _say("assess", started)
    return history.latest(workspace).village_verdicts


def _say(what: str, started: float) -> float:
    now = time.perf_counter()
    print(f"{what}: {now - started:.1f} s", file=sys.stderr)
    return now


def report(pairs: pd.DataFrame) -> None:
    """Print the table: each verdict's precision and recall, over all pairs and where the floors were met."""
    is_gap, was_gap = pairs["list"].eq("gaps"), pairs["gap"].astype(bool)
    is_fine, was_fine = pairs["status"].eq("phu_song"), pairs["status_true"].eq("phu_song")
    floors = pairs["floors_met"].astype(bool)
    open_ = pairs["status"].isin(["chua_du_bang_chung", "chua_co_du_lieu"])
    weak = open_ & pairs["sub_reason"].eq("weak_service")
    print(f"village x operator pairs: {len(pairs)}; floors met: {floors.sum()} ({floors.mean():.1%})")
    print(f"true gaps: {was_gap.sum()}; true phu_song: {was_fine.sum()}")
    print(f"{'':10} {'said':>6} {'right':>6} {'precision':>10} {'recall':>8} {'recall where floors met':>25}")
    for name, said, true in (("gap", is_gap, was_gap), ("phu_song", is_fine, was_fine)):
        right = said & true
        print(
            f"{name:10} {said.sum():6} {right.sum():6} {_ratio(right, said):>10} {_ratio(right, true):>8}"
            f" {_ratio(right & floors, true & floors):>25}"
        )
    for name, said, true, bands in (
        ("gap", is_gap, was_gap, (0.5, 0.65, 0.8, 0.95, 1.0)),
        ("phu_song", is_fine, was_fine, (0.0, 0.02, 0.05, 0.1, 0.2)),
    ):
        worst = pairs["p_fail_worst"].clip(lower=1e-9)
        for low, high in itertools.pairwise(bands):
            band = true & floors & (worst > low) & (worst <= high)
            print(
                f"  {name}, floors met, worst place fails {low:.2f}-{high:.2f}: {(said & band).sum()} of {band.sum()} found"
            )
    print(
        f"undecided: {open_.mean():.1%} of all ({weak.mean():.1%} weak service); where floors met {open_[floors].mean():.1%}"
    )
    print(pd.crosstab(pairs["status_true"], pairs["status"]).to_string())
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _ratio(part: pd.Series, whole: pd.Series) -> str:
    return f"{part.sum() / whole.sum():.3f}" if whole.sum() else "-"


if __name__ == "__main__":
    main()
