"""How well the people of a gap are counted, by the quality of what a province can give, in one command.

    python benchmarks/people.py [--villages 300] [--measurements 2000000] [--seeds 7 8]

For each seed it simulates a province, reads its logs once, and judges it with each set of places files. A gap counts
where it is one in truth as well; its `population_affected` is held against that of truth.csv.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from coverage import intake, pipeline
from coverage.archive import history
from coverage.archive.workspace import Workspace, open_workspace
from coverage.demo import AS_OF
from coverage.intake_places import add_places
from coverage.logs.context import Context
from coverage.progress import track
from coverage.simulate import simulate

WITHIN = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--villages", type=int, default=300)
    parser.add_argument("--measurements", type=int, default=2_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8])
    given = parser.parse_args()
    found = []
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            simulate(folder / "sample", villages=given.villages, measurements=given.measurements, seed=seed)
            read_logs(folder / "sample", folder / "logs_only")
            found += [judged(folder, name, add, seed) for name, add in QUALITIES.items()]
    report(pd.concat(found, ignore_index=True))


def read_logs(sample: Path, root: Path) -> None:
    """A workspace that holds the sample's logs and no place."""
    workspace = open_workspace(root)
    for log in track(sorted((sample / "logs").iterdir()), "reading logs"):
        for _ in intake.ingest(workspace, log, Context()):
            pass


def judged(folder: Path, name: str, add: Callable[[Workspace, Path], None], seed: int) -> pd.DataFrame:
    """The gaps that are gaps in truth as well, with the people said and true."""
    sample, root = folder / "sample", folder / name.replace(" ", "_")
    shutil.copytree(folder / "logs_only", root)
    workspace = open_workspace(root)
    for kind in ("communes", "power"):
        add_places(workspace, kind, next(sample.glob(f"{kind}.*")))
    add(workspace, sample)
    pipeline.assess(workspace, AS_OF)
    verdicts = history.latest(workspace).village_verdicts
    truth = pd.read_csv(sample / "truth.csv", dtype={"operator": str, "village_id": str})
    pairs = verdicts.merge(truth, on=["village_id", "operator"], suffixes=("", "_true"))
    print(f"seed {seed}, {name}: {(pairs['list'] == 'gaps').sum()} gaps", file=sys.stderr)
    gaps = pairs[pairs["list"].eq("gaps") & pairs["gap"]]
    kept = ["population_affected", "population_affected_true", "population_undecided", "floors_met"]
    return gaps[kept].assign(quality=name)


def _polygons(workspace: Workspace, sample: Path) -> None:
    add_places(workspace, "villages", sample / "villages.geojson")


def _points(workspace: Workspace, sample: Path, *, counts: bool) -> None:
    villages = gpd.read_file(sample / "villages.geojson")
    places = gpd.points_from_xy(villages["centre_lon"], villages["centre_lat"])
    kept = villages if counts else villages.drop(columns=["households", "population"])
    kept.set_geometry(places, crs=4326).to_file(sample / "points.geojson")
    add_places(workspace, "villages", sample / "points.geojson")


def _clusters(workspace: Workspace, sample: Path) -> None:
    add_places(workspace, "clusters", sample / "clusters.geojson")


def _raster(workspace: Workspace, sample: Path) -> None:
    add_places(workspace, "population", sample / "population.tif")


def _everything(workspace: Workspace, sample: Path) -> None:
    _polygons(workspace, sample)
    _clusters(workspace, sample)
    _raster(workspace, sample)


def _polygons_and_raster(workspace: Workspace, sample: Path) -> None:
    _polygons(workspace, sample)
    _raster(workspace, sample)


def _points_and_households(workspace: Workspace, sample: Path) -> None:
    _points(workspace, sample, counts=True)
    _clusters(workspace, sample)


def _points_and_raster(workspace: Workspace, sample: Path) -> None:
    _points(workspace, sample, counts=False)
    _raster(workspace, sample)


def _points_with_counts(workspace: Workspace, sample: Path) -> None:
    _points(workspace, sample, counts=True)


def _points_only(workspace: Workspace, sample: Path) -> None:
    _points(workspace, sample, counts=False)


QUALITIES: dict[str, Callable[[Workspace, Path], None]] = {
    "polygons, clusters, raster": _everything,
    "polygons, raster": _polygons_and_raster,
    "points, households of clusters": _points_and_households,
    "points, raster": _points_and_raster,
    "points, people per village": _points_with_counts,
    "points only": _points_only,
}


def report(gaps: pd.DataFrame) -> None:
    """Print per quality: true gaps found, how many have a number of people, how many within 10 % of the truth.

    `in range`: the truth lies between the people affected and those with the undecided ones added, 10 % allowed.
    """
    said, true = gaps["population_affected"], gaps["population_affected_true"]
    error = (said / true - 1).abs()
    most = said + gaps["population_undecided"]
    table = gaps.assign(
        known=said.notna(),
        near=error <= WITHIN,
        in_range=(true >= said * (1 - WITHIN)) & (true <= most * (1 + WITHIN)),
        error=error,
    )
    enough = table[table["floors_met"].astype(bool)].groupby("quality", sort=False)["near"].mean()
    by_quality = table.groupby("quality", sort=False)
    shown = pd.DataFrame(
        {
            "gaps": by_quality.size(),
            "people known": by_quality["known"].mean(),
            "within 10 %": by_quality["near"].mean(),
            "of those tested enough": enough,
            "in range": by_quality["in_range"].mean(),
            "median error": by_quality["error"].median(),
            "sum / true sum": by_quality["population_affected"].sum()
            / by_quality["population_affected_true"].sum().replace(0, np.nan),
        }
    )
    print(shown.round(3).to_string())


if __name__ == "__main__":
    main()
