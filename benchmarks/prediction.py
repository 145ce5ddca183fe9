"""Predictions against hexes left out, block by block, in one command.

    python benchmarks/prediction.py [--cork ZIP] [--seeds 7] [--villages 300] [--measurements 600000]
                                    [--picture FILE.png]

The data: the LTE and NR rows of the Cork drives (--cork, a real city) and simulated provinces (--seeds), read by
the same intake as everything else and thinned to tests; a hex counts with the median of its tests' margins over
the headline threshold. Whole H3 parents of resolution 7 and 6 are left out in ten folds and predicted from the rest.
Every method is asked of the same hexes, those within reach of a measured one. `ours` is `predictions.predict` as
shipped, with terrain and sites where there are any; the kriging beside it is written out here. For a province the
ranking of villages to measure is then held against its truth.csv.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ibis import _
from scipy.linalg import lstsq
from scipy.optimize import curve_fit
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist, pdist
from scipy.stats import norm
from sklearn.ensemble import RandomForestRegressor

from coverage import covariates, engine, hexes, inputs, intake, observations, pipeline, predictions, tables
from coverage.archive.committed import committed
from coverage.archive.workspace import Workspace, open_workspace
from coverage.criteria import Criteria
from coverage.demo import AS_OF, add_sample
from coverage.logs.context import Context
from coverage.projections import ecef
from coverage.simulate import simulate

FOLDS = 10
NEIGHBOURS = 24
DRAWN_FROM = 20  # hexes in a bin: a share of fewer is noise
CORK_DAY = date(2020, 2, 1)
BASELINES = ("mean", "nearest", "kriging", "forest")


@dataclass(frozen=True)
class Data:
    """Hexes with their margins (hex, operator, margin_db), and what else is known around them."""

    name: str
    levels: pd.DataFrame
    sites: pd.DataFrame
    dem: Path | None
    rules: Criteria
    as_of: date
    folder: Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cork", type=Path, default=None)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--villages", type=int, default=300)
    parser.add_argument("--measurements", type=int, default=600_000)
    parser.add_argument("--picture", type=Path, default=None, help="reliability of p_below, as a picture")
    given = parser.parse_args()
    drawn = {}
    with tempfile.TemporaryDirectory() as temporary:
        for data in every(given, Path(temporary)):
            for resolution in (7, 6):
                started = time.perf_counter()
                held = left_out(data, resolution)
                report(data, resolution, held, time.perf_counter() - started)
                if resolution == 7:
                    drawn[data.name] = held
            if (data.folder / "sample").exists():
                surveyed(data)
    if given.picture is not None:
        picture(drawn, given.picture)


def every(given: argparse.Namespace, folder: Path) -> Iterator[Data]:
    """The data sets that were asked for; Cork with margins as the rule bounds them, and unbounded above."""
    if given.cork is not None:
        yield from cork(given.cork, folder / "cork")
    for seed in given.seeds:
        yield province(folder / str(seed), given.villages, given.measurements, seed)


def cork(zipped: Path, folder: Path) -> Iterator[Data]:
    workspace = open_workspace(folder)
    for found in intake.ingest(workspace, zipped, Context(timezone="Europe/Dublin", source="drive_test")):
        if isinstance(found, Exception):
            raise found
    none: pd.DataFrame = tables.schema(tables.SITES).empty_table().to_pandas()
    rules = workspace.criteria
    whole = rules.model_copy(update={"levels": rules.levels.model_copy(update={"cap_margin_db": 100.0})})
    for name, used in (
        ("Cork, margins unbounded above", whole),
        ("Cork, margins as the rule bounds them", rules),
    ):
        yield Data(
            name, margins(workspace, used, CORK_DAY, ("LTE", "NR")), none, None, used, CORK_DAY, folder
        )


def province(folder: Path, villages: int, measurements: int, seed: int) -> Data:
    sample, workspace = folder / "sample", open_workspace(folder / "workspace")
    simulate(sample, villages=villages, measurements=measurements, seed=seed)
    add_sample(workspace, sample)
    given = inputs.fetch(workspace, AS_OF)
    levels = margins(workspace, given.criteria, AS_OF, tables.TECHNOLOGIES)
    name = f"simulated province, seed {seed}"
    return Data(name, levels, given.sites, given.dem, given.criteria, AS_OF, folder)


def margins(
    workspace: Workspace, rules: Criteria, as_of: date, technologies: tuple[str, ...]
) -> pd.DataFrame:
    rows = engine.read_measurements(engine.connect(), committed(workspace).parts)
    rows = rows.filter(_.technology.isin(technologies) | _.technology.isnull())
    tests = observations.observe(rows, rules, as_of)
    levels = tests.group_by("hex", "operator").agg(margin_db=_.margin_db.median(), tests=_.count()).execute()
    return levels.dropna(subset="margin_db").sort_values(["operator", "hex"], ignore_index=True)


def left_out(data: Data, resolution: int) -> pd.DataFrame:
    """Each hex that some method could be asked of: what was measured, what each method expected, in which fold."""
    parts = []
    for operator, own in data.levels.groupby("operator"):
        if len(own) < data.rules.prediction.least_measured_hexes * 1.5:
            continue
        names, block = np.unique(hexes.parents(own["hex"].to_numpy(), resolution), return_inverse=True)
        fold = np.random.default_rng(1).permutation(len(names))[block] % FOLDS
        for number in range(FOLDS):
            found = one_fold(data, own[fold != number], own[fold == number])
            parts.append(found.assign(operator=operator, fold=number, blocks=len(names)))
        print(f"{data.name}, {operator}, resolution {resolution}: done", file=sys.stderr)
    return pd.concat(parts, ignore_index=True)


def one_fold(data: Data, known: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    ours = predictions.predict(known, asked["hex"].to_numpy(), data.sites, data.dem, data.rules, data.as_of)
    both = ours.merge(asked[["hex", "margin_db"]], on="hex").rename(
        columns={"predicted_margin_db": "ours", "sd_db": "ours_sd"}
    )
    if both.empty:
        return both
    known_m, asked_m = (ecef(*hexes.middles(frame["hex"].to_numpy())) / 1000 for frame in (known, both))
    levels = known["margin_db"].to_numpy()
    both["mean"] = levels.mean()
    both["nearest"] = levels[cKDTree(known_m).query(asked_m)[1]]
    both["kriging"], both["kriging_sd"] = ordinary_kriging(known_m, levels, asked_m)
    both["forest"] = forest(data, known, both, known_m, asked_m)
    return both


def exponential(distance: np.ndarray, nugget: float, sill: float, reach: float) -> np.ndarray:
    return nugget + sill * (1 - np.exp(-distance / reach))


def spherical(distance: np.ndarray, nugget: float, sill: float, reach: float) -> np.ndarray:
    inside = np.minimum(distance / reach, 1.0)
    return nugget + sill * (1.5 * inside - 0.5 * inside**3)


def ordinary_kriging(
    known: np.ndarray, levels: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Textbook ordinary kriging from the nearest neighbours: expected level and standard deviation, nugget included."""
    form, fitted = fitted_variogram(known, levels)
    level, variance = np.empty(len(asked)), np.empty(len(asked))
    tree, count = cKDTree(known), min(NEIGHBOURS, len(known))
    for row, place in enumerate(asked):
        near = tree.query(place, count)[1]
        system = np.ones((count + 1, count + 1))
        between = cdist(known[near], known[near])
        system[:count, :count] = np.where(between > 0, form(between, *fitted), 0.0)
        system[count, count] = 0.0
        right = np.append(form(cdist(known[near], place[None])[:, 0], *fitted), 1.0)
        weights = lstsq(system, right)[0]
        level[row], variance[row] = weights[:count] @ levels[near], weights @ right
    return level, np.sqrt(np.maximum(variance, 1e-6))


def fitted_variogram(known: np.ndarray, levels: np.ndarray) -> tuple[Callable[..., np.ndarray], np.ndarray]:
    """The better of an exponential and a spherical form, fitted to mean squared differences by distance."""
    some = np.random.default_rng(0).permutation(len(known))[:2500]
    distance, squares = pdist(known[some]), pdist(levels[some][:, None], "sqeuclidean") / 2
    edges = np.concatenate([[0.0, 0.4, 0.8], np.arange(1.2, 10.1, 0.6)])
    bins = pd.DataFrame({"d": distance, "g": squares}).groupby(pd.cut(distance, edges), observed=True)
    means = bins.agg(d=("d", "mean"), g=("g", "mean"), n=("d", "size"))
    means = means[means["n"] >= 30]
    spread = levels.var() + 1.0
    fits = []
    for form in (exponential, spherical):
        start, top = (spread * 0.3, spread * 0.7, 1.5), (spread * 3, spread * 3, 30.0)
        fitted, _covariance = curve_fit(
            form, means["d"], means["g"], start, 1 / np.sqrt(means["n"]), bounds=((0, 0, 0.1), top)
        )
        fits.append((float(((form(means["d"], *fitted) - means["g"]) ** 2 * means["n"]).sum()), form, fitted))
    return min(fits, key=lambda fit: fit[0])[1:]


def forest(
    data: Data, known: pd.DataFrame, asked: pd.DataFrame, known_m: np.ndarray, asked_m: np.ndarray
) -> np.ndarray:
    """A random forest on coordinates and everything that our trend knows."""
    cells = np.concatenate([known["hex"].to_numpy(), asked["hex"].to_numpy()])
    operator = known["operator"].iloc[0]
    traits = covariates.way_to_site(cells, operator, data.sites, data.as_of, data.dem, data.rules.ground)
    if data.dem is not None:
        traits = pd.concat([traits, covariates.terrain(cells, data.dem)], axis="columns")
    everything = np.column_stack(
        [np.concatenate([known_m, asked_m]), traits.fillna(traits.mean()).fillna(0.0)]
    )
    trees = RandomForestRegressor(100, min_samples_leaf=5, max_features=0.5, random_state=0)
    return trees.fit(everything[: len(known)], known["margin_db"]).predict(everything[len(known) :])


def report(data: Data, resolution: int, held: pd.DataFrame, seconds: float) -> None:
    """Print one table: n, blocks, RMSE by method and operator; how often intervals hold; reliability of p_below."""
    print(f"\n{data.name}: parents of resolution {resolution} left out, {FOLDS} folds, {seconds:.0f} s")
    print(f"{'operator':12}{'hexes':>7}{'blocks':>7}{'sd dB':>7}", end="")
    print("".join(f"{name:>9}" for name in (*BASELINES, "ours")), "  RMSE in dB")
    groups = [*held.groupby("operator"), ("all", held)]
    for operator, rows in groups if len(groups) > 2 else groups[:1]:
        errors = "".join(f"{rmse(rows, name):9.2f}" for name in (*BASELINES, "ours"))
        blocks = rows.drop_duplicates("operator")["blocks"].sum()
        print(f"{operator:12}{len(rows):7}{blocks:7}{rows['margin_db'].std():7.2f}{errors}")
    for name in ("kriging", "ours"):
        z = (rows_error(held, name) / held[f"{name}_sd"]).abs()
        inside = (z <= norm.ppf(0.9)).mean()
        print(
            f"80 % intervals of {name} hold: {inside:.1%}; mean width {2 * norm.ppf(0.9) * held[f'{name}_sd'].mean():.1f} dB"
        )
    print(f"methods chosen: {held['method'].value_counts().to_dict()}")
    # Where hardly a level lies below the threshold, as in Cork, levels above it tell more.
    others = (10.0, 20.0) if held["margin_db"].lt(0).mean() < 0.02 else ()
    for limit in (0.0, *[other for other in others if other < data.rules.levels.cap_margin_db]):
        print(reliability(held, limit).to_string(float_format=lambda x: f"{x:.3f}"))


def rows_error(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows["margin_db"] - rows[name]


def rmse(rows: pd.DataFrame, name: str) -> float:
    return float(np.sqrt((rows_error(rows, name) ** 2).mean()))


def reliability(held: pd.DataFrame, limit_db: float) -> pd.DataFrame:
    """P(level below the headline threshold + limit), ten bins: how many, what was said, what was so; Brier score in the name."""
    said = pd.Series(norm.cdf((limit_db - held["ours"]) / held["ours_sd"]), index=held.index)
    so = held["margin_db"] < limit_db
    bins = pd.DataFrame({"said": said, "so": so}).groupby(pd.cut(said, np.linspace(0, 1, 11)), observed=True)
    table = bins.agg(hexes=("so", "size"), said=("said", "mean"), so=("so", "mean"))
    brier, constant = ((said - so) ** 2).mean(), so.mean() * (1 - so.mean())
    table.index.name = f"p(margin < {limit_db:.0f} dB), Brier {brier:.4f} (base rate alone {constant:.4f})"
    return table


def surveyed(data: Data) -> None:
    """Print how many of the villages to measure are truly dead, by how far up the ranking they stand and by p_below."""
    found = pipeline.judge(
        inputs.fetch(open_workspace(data.folder / "workspace"), data.as_of)
    ).village_verdicts
    truth = pd.read_csv(data.folder / "sample" / "truth.csv", dtype={"operator": str, "village_id": str})
    rows = found.dropna(subset="survey_rank").merge(
        truth, on=["village_id", "operator"], suffixes=("", "_true")
    )
    dead = rows["status_true"].isin(tables.DEAD_STATUSES)
    first = rows["survey_rank"] <= len(rows) / 4
    print(
        f"to measure: {len(rows)} village x operator, truly dead {dead.mean():.1%}; of the first quarter {dead[first].mean():.1%}"
    )
    bins = pd.cut(rows["predicted_p_below"], [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0], include_lowest=True)
    print(
        dead.groupby(bins, observed=True)
        .agg(villages="size", truly_dead="mean")
        .to_string(float_format="{:.3f}".format)
    )


def picture(drawn: dict[str, pd.DataFrame], file: Path) -> None:
    """Said against so, one line per data set, bins of at least `DRAWN_FROM` hexes: on the diagonal every probability is what it says."""
    figure, axes = plt.subplots(figsize=(6, 6))
    axes.plot([0, 1], [0, 1], color="#8d949d", linewidth=1)
    for name, held in drawn.items():
        limit = 0.0 if held["margin_db"].lt(0).mean() >= 0.02 else 10.0
        table = reliability(held, limit)
        table = table[table["hexes"] >= DRAWN_FROM]
        axes.plot(table["said"], table["so"], marker="o", label=f"{name}\nbelow threshold + {limit:.0f} dB")
    axes.set(
        xlabel="predicted probability",
        ylabel=f"share that was so, of at least {DRAWN_FROM} hexes",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=150)


if __name__ == "__main__":
    main()
