"""Verdicts that hold on other days: judge hexes on half of the days, and see what the other half says, in one command.

    python benchmarks/other_days.py [--logs PATH --timezone ZONE] [--only LTE NR] [--simulated] [--splits 100]
        [--least-tests 1] [--picture FILE.png]

Real drive tests are ingested as one calibrated phone, and only those that drive (median speed above 1 m/s) count. As
both halves are measured in the same car, no loss of the vehicle is allowed for. The days are split at random in two
halves many times; the product's own code judges each hex on one half, and its verdict holds where on the other half
more than half of the tests fail (dead_zone), fewer than a fifth (covered), more than a tenth (below_standard).
Only hexes with tests in both halves are scored: one test on the other days is enough, or `--least-tests`. Beside our rule: the same by
counting passes and fails alone, and what one would do first: the mean RSRP of the hex against the threshold, and any
fail makes it dead. A threshold holds for all technologies.

Printed: the share that holds, its 95 % interval over days (see held_out.py; where every verdict holds nothing spreads,
and the number of distinct hexes stands), verdicts over all splits, distinct hexes. Fewer than 100 hexes end in `*`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from held_out import (
    HOLDS,
    Counts,
    Scores,
    by_any_fail,
    by_mean_rsrp,
    fail_shares,
    halves,
    interval,
    judged,
    pooled,
    scores,
    spread,
    tests_of,
)

from coverage import engine, intake, observations
from coverage.archive.committed import committed
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import open_workspace
from coverage.criteria import Criteria, Thresholds, default_text, parse
from coverage.demo import AS_OF
from coverage.logs.context import Context
from coverage.progress import stages, track
from coverage.simulate import simulate

CORK = Path(__file__).parents[2] / "shared" / "data" / "logs" / "gnettrack-cork" / "cork-netflix-amazon.zip"
REAL_DBM, SIMULATED_DBM = (-95, -100, -105, -110), (-95, -100, -105, -110, -115)
DRIVING_MPS = 1.0
MOST_GROUPS = 25
ENOUGH_HEXES = 100
RULES = ("ours", "counting only", "mean RSRP", "any fail = dead")
NEVER = 2.0  # no probability reaches it; one just below 1 would still let strong levels clear
CLAIMS = {"p_dead": "dead_zone", "p_covered": "covered"}
EDGES = (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1)


@dataclass(frozen=True)
class Drives:
    """Measurements of the contract, the rules to judge them by, the day they are judged on, how days are split, and the least tests that score."""

    name: str
    measurements: pa.Table
    criteria: Criteria
    as_of: date
    thresholds_dbm: Sequence[int]
    splits: int
    groups: int = MOST_GROUPS
    least_tests: int = 1


def at_threshold(criteria: Criteria, limit_dbm: float, resolution: int) -> Criteria:
    """The criteria with one headline threshold for all technologies, at one resolution of hexes."""
    one = Thresholds(LTE=limit_dbm, NR=limit_dbm, UMTS=limit_dbm, GSM=limit_dbm)
    limits = criteria.thresholds_dbm.model_copy(update={"headline": one})
    return criteria.model_copy(update={"thresholds_dbm": limits, "hex_resolution": resolution})


def by_counting(criteria: Criteria) -> Criteria:
    """The criteria without clearing by level."""
    levels = criteria.levels.model_copy(update={"covered_probability": NEVER})
    return criteria.model_copy(update={"levels": levels})


@dataclass(frozen=True)
class Outcome:
    """At one threshold: the scores of each rule, and our probabilities beside what other days say, a row per hex and split."""

    by_rule: dict[str, Scores]
    stated: pd.DataFrame


def outcome(drives: Drives, limit_dbm: float, resolution: int, seed: int) -> Outcome:
    """Every rule at one threshold and resolution."""
    criteria = at_threshold(drives.criteria, limit_dbm, resolution)
    backend = engine.connect()
    loaded = engine.load(backend, "measurements", drives.measurements)
    frame = observations.observe(loaded, criteria, drives.as_of).execute()
    days = sorted(frame["local_date"].unique())
    if len(days) < 2:
        raise SystemExit(f"{drives.name}: tests on {len(days)} days; other days need at least two")
    both = halves(len(days), drives.splits, seed, drives.groups)
    tests = tests_of(frame, days)
    share = fail_shares(tests, both.scoring, drives.least_tests)
    there = tests.sums(frame["fails"].notna(), both.judging) > 0
    ours, counting = judged(tests, both.judging, [criteria, by_counting(criteria)])
    said = {
        "ours": spread(ours, share.shape),
        "counting only": spread(counting, share.shape),
        "mean RSRP": by_mean_rsrp(tests, both.judging, limit_dbm),
        "any fail = dead": by_any_fail(tests, both.judging),
    }
    return Outcome({rule: scores(said[rule], there, share) for rule in RULES}, _stated(ours, share))


def _stated(found: pd.DataFrame, share: Counts) -> pd.DataFrame:
    splits = share.shape[2]
    first = found[found["case"] < splits]
    there = share[first["unit"], 0, first["case"]]
    return first[["p_dead", "p_covered"]].assign(share=there).dropna()


def table(found: dict[str, dict[str, Scores]]) -> pd.DataFrame:
    """What is printed: a row per threshold and rule."""
    rows = [
        {"threshold": threshold, "rule": rule}
        | {kind: cell(one, kind) for kind in HOLDS}
        | {"undecided": f"{one.undecided / one.scored:.2f}" if one.scored else "-"}
        for threshold, by_rule in found.items()
        for rule, one in by_rule.items()
    ]
    return pd.DataFrame(rows)


def cell(one: Scores, kind: str) -> str:
    """Share that holds, its interval, verdicts and distinct hexes: `0.975 [0.91-0.99] 1234 of 140`."""
    said, held, hexes = one.said[kind], one.held[kind], one.hexes[kind]
    if not said[0]:
        return "-"
    low, high = interval(held, said, hexes)
    few = "*" if hexes < ENOUGH_HEXES else " "
    return f"{held[0] / said[0]:.3f} [{low:.2f}-{high:.2f}] {said[0]:.0f} of {hexes}{few}"


def reliability(stated: pd.DataFrame, probability: str) -> pd.DataFrame:
    """By class of the stated probability: its mean, the share that holds on other days, and how many."""
    low, high = HOLDS[CLAIMS[probability]]
    holds = (stated["share"] > low) & (stated["share"] < high)
    classes = pd.cut(stated[probability], EDGES, include_lowest=True)
    by_class = stated.assign(holds=holds).groupby(classes, observed=True)
    return by_class.agg(stated=(probability, "mean"), holds=("holds", "mean"), count=("holds", "size"))


def draw(stated: dict[str, pd.DataFrame], path: Path) -> None:
    """Write a picture of stated probability against what holds, a row of two diagrams per set of drives."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(stated), 2, figsize=(10, 5 * len(stated)), squeeze=False, layout="constrained"
    )
    for row, (name, frame) in zip(axes, stated.items(), strict=True):
        for axis, probability in zip(row, CLAIMS, strict=True):
            points = reliability(frame, probability)
            axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            axis.plot(points["stated"], points["holds"], "o-", color="#1f5a99")
            for one in points.itertuples():
                axis.annotate(
                    f"{one.count:,}", (one.stated, one.holds), (4, -9), textcoords="offset points", fontsize=7
                )
            axis.set(title=f"{name}: {probability}", xlabel="stated probability", xlim=(-0.03, 1.08))
            axis.set(ylabel="share that holds on other days", ylim=(-0.03, 1.05))
    figure.savefig(path, dpi=120)


def real_drives(logs: Path, timezone: str, splits: int, only: Sequence[str] | None = None) -> Drives:
    """The traces of a log or zip that drive, judged on the day after the last, by calendar days of their own zone.

    Days of another zone would cut an evening's drive in two, and one half would judge the other. `only` keeps the
    readings of those technologies, as if the phone had been locked to them.
    """
    # A name for the phone: an unknown one never meets a floor.
    said = Context(source="drive_test", timezone=timezone, calibrated=True, device="the drive-test phone")
    measurements = driving(ingested([logs], said))
    if only:
        technology = measurements["technology"]
        measurements = measurements.filter(
            pc.or_(pc.is_null(technology), pc.is_in(technology, pa.array(only)))
        )
    after = max(measurements["local_date"].to_pylist()) + timedelta(days=1)
    hours = datetime.combine(after, datetime.min.time(), ZoneInfo(timezone)).utcoffset() / timedelta(hours=1)
    rules = parse(default_text(), "vietnam.toml")
    same_car = rules.evidence.model_copy(update={"vehicle_loss_db": 0.0})
    rules = rules.model_copy(update={"utc_offset_hours": hours, "evidence": same_car})
    return Drives(logs.name, measurements, rules, after, REAL_DBM, splits)


def simulated_drives(villages: int, rows: int, seed: int) -> Drives:
    """The logs of a simulated province, walked and driven by phones of many kinds, judged by the rules as they are.

    It has so many hexes that one split of the days says it.
    """
    with tempfile.TemporaryDirectory() as folder, stages("simulating") as tell:
        simulate(Path(folder), villages=villages, measurements=rows, seed=seed, progress=tell)
        measurements = ingested(sorted((Path(folder) / "logs").iterdir()), Context())
    rules = parse(default_text(), "vietnam.toml")
    return Drives(f"simulated, seed {seed}", measurements, rules, AS_OF, SIMULATED_DBM, splits=1)


def ingested(logs: Sequence[Path], context: Context) -> pa.Table:
    """All measurements of the files, by way of an archive of their own; raises `FileRefused`."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder) / "workspace")
        for log in track(logs, "reading logs"):
            for found in intake.ingest(workspace, log, context):
                if not isinstance(found, Receipt):
                    raise found
        return pa.concat_tables(pq.read_table(part.path) for part in committed(workspace).parts)


def driving(measurements: pa.Table) -> pa.Table:
    """The rows of the uploads that drive: whose median speed is above `DRIVING_MPS`."""
    speeds = measurements.select(["upload_id", "speed_mps"]).to_pandas()
    median = speeds.groupby("upload_id")["speed_mps"].median()
    return measurements.filter(
        pc.is_in(measurements["upload_id"], pa.array(median.index[median > DRIVING_MPS]))
    )


def report(drives: Drives, seed: int) -> pd.DataFrame:
    """Print one table per resolution; what our rule states at the finer hexes, all thresholds together."""
    for resolution in (8, 9):
        found: dict[str, dict[str, Scores]] = {}
        stated = []
        for limit in track(drives.thresholds_dbm, f"hexes of resolution {resolution}"):
            one = outcome(drives, limit, resolution, seed)
            found[str(limit)] = one.by_rule
            stated.append(one.stated)
        found["all"] = {rule: pooled(one[rule] for one in found.values()) for rule in RULES}
        print(f"\n{drives.name}: hexes of resolution {resolution}, {drives.splits} splits of the days")
        print(table(found).to_string(index=False))
    return pd.concat(stated, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--logs", type=Path, default=CORK, help="a log or zip of drive tests")
    parser.add_argument("--timezone", default="Europe/Dublin")
    parser.add_argument(
        "--only", nargs="+", default=None, help="technologies whose readings count; default: all"
    )
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--least-tests", type=int, default=1, help="score only hexes with so many tests on the other days"
    )
    parser.add_argument("--simulated", action="store_true", help="a simulated province as well")
    parser.add_argument("--villages", type=int, default=300, help="of the simulated province")
    parser.add_argument("--measurements", type=int, default=2_000_000)
    parser.add_argument(
        "--picture", type=Path, default=None, help="PNG of stated probabilities against what holds"
    )
    given = parser.parse_args()
    every = [real_drives(given.logs, given.timezone, given.splits, given.only)]
    if given.simulated:
        every.append(simulated_drives(given.villages, given.measurements, given.seed))
    every = [replace(drives, least_tests=given.least_tests) for drives in every]
    stated = {drives.name: report(drives, given.seed) for drives in every}
    if given.picture:
        draw(stated, given.picture)


if __name__ == "__main__":
    main()
