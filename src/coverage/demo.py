"""The whole job on a small simulated province: what a newcomer sees first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from coverage import criteria as rules
from coverage import intake, pipeline
from coverage.archive import history
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import InputError
from coverage.exports import files, lists, summary
from coverage.exports.maps import map_html
from coverage.intake_places import PlacesKind, add_places
from coverage.logs.context import Context
from coverage.progress import stages, track
from coverage.simulate import simulate

# The simulator's last measurement is of the day before; judged later, its evidence would grow old.
AS_OF = date(2026, 11, 1)
VILLAGES, MEASUREMENTS, SEED = 120, 500_000, 3
SAMPLE_PLACES: dict[PlacesKind, str] = {
    "communes": "communes.geojson",
    "villages": "villages.geojson",
    "clusters": "clusters.geojson",
    "power": "power.csv",
    "population": "population.tif",
    "sites": "sites.csv",
    "declared": "declared.geojson",
    "dem": "dem.tif",
}


@dataclass(frozen=True)
class DemoResult:
    """Where the results are, and what to print."""

    files: dict[str, str]
    text: str


def run_demo(folder: Path) -> DemoResult:
    """The files of the demo, made in `folder`: sample, workspace, gaps.geojson, villages.geojson, map.html."""
    sample = folder / "sample"
    if not (sample / "truth.csv").exists():
        with stages("Mô phỏng / simulating") as tell:
            simulate(sample, villages=VILLAGES, measurements=MEASUREMENTS, seed=SEED, progress=tell)
    workspace = _workspace(folder / "workspace")
    add_sample(workspace, sample)
    with stages("Đánh giá / assessing") as tell:
        pipeline.assess(workspace, AS_OF, tell)
    return _write_results(workspace, folder)


def _workspace(folder: Path) -> Workspace:
    """The demo's workspace; one that another version made holds simulated rows only, and is made anew."""
    try:
        workspace = open_workspace(folder)
        rules.load(workspace.criteria_file)
    except InputError:
        shutil.rmtree(folder)
        workspace = open_workspace(folder)
    return workspace


def add_sample(workspace: Workspace, sample: Path) -> int:
    """The number of rows read, after a simulated province's places and logs went into the workspace."""
    for kind, name in SAMPLE_PLACES.items():
        add_places(workspace, kind, sample / name)
    rows = 0
    logs = sorted(path for path in (sample / "logs").iterdir() if path.is_file())
    for log in track(logs, "Nạp / reading logs"):
        for found in intake.ingest(workspace, log, Context()):
            if not isinstance(found, Receipt):
                raise found
            rows += found.rows
    return rows


def _write_results(workspace: Workspace, folder: Path) -> DemoResult:
    snapshot = history.latest(workspace)
    paths = {name: folder / file for name, file in _FILES.items()}
    files.write(lists.select(snapshot, "gaps"), paths["gaps"], "geojson")
    files.write(lists.select(snapshot, "villages"), paths["villages"], "geojson")
    paths["map"].write_text(map_html(snapshot), encoding="utf-8")
    text = f"{summary.as_text(snapshot)}\n\nBản đồ / map: {paths['map']}\nDanh sách / lists: {paths['gaps']}, {paths['villages']}\n{_NEXT}"
    return DemoResult({name: str(path) for name, path in paths.items()}, text)


_FILES = {"gaps": "gaps.geojson", "villages": "villages.geojson", "map": "map.html"}
_NEXT = (
    "Số liệu mô phỏng. Với tệp của bạn: xem README.md / Simulated data. With your own files: see README.md"
)
