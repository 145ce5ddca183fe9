"""A synthetic province whose truth is known: for the demo, the tests and the benchmarks.

    ground ─► villages ─► network ─► radio ─► truth
                              │        │        │
                           phones ─► crews ─► readings ─► logfiles
                                                  └─► truth.floors_met

Nothing that judges measurements imports this package or reads its truth.csv.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from coverage.errors import InputError
from coverage.simulate import campaign, placefiles, truth, world
from coverage.simulate.sample import write_sample
from coverage.simulate.world import World

__all__ = ["simulate", "write_sample"]

LEAST_PER_VILLAGE = 100  # fewer rows than this leave crews without a reading at some places
MOST_VILLAGES = 20_000
_FIRST_LINE = placefiles.README.splitlines()[0]


def simulate(
    folder: Path,
    *,
    villages: int,
    measurements: int,
    seed: int,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write a simulated province and its measuring campaign into `folder` (EPSG:4326, local times).

    The same arguments give the same bytes. Rows in logs/ are `measurements` within 2 %. About a fifth of
    the crowd's come from apps whose files (in UTC) have no way to tell of silence; the crowd counts for
    no `floors_met`. `progress` is told the stage and the share done. Raises `InputError` for numbers that
    cannot be simulated.
    """
    _check(villages, measurements, seed)
    tell = progress or _silent
    tell("world", 0.0)
    logs = _emptied(folder)
    made = world.build(seed, villages)
    _write_places(made, folder, measurements)
    done: list[pd.DataFrame] = []
    for share, tests in campaign.measure(made, measurements, logs):
        done.append(tests)
        tell("logs", share)
    _write_truth(made, pd.concat(done, ignore_index=True), folder)
    tell("done", 1.0)


def _silent(_stage: str, _share: float) -> None:
    return None


def _check(villages: int, measurements: int, seed: int) -> None:
    if not 1 <= villages <= MOST_VILLAGES:
        raise InputError(
            f"Số thôn phải từ 1 đến {MOST_VILLAGES}, không phải {villages}.",
            f"The number of villages must be 1 to {MOST_VILLAGES}, not {villages}.",
        )
    if measurements < villages * LEAST_PER_VILLAGE:
        raise InputError(
            f"Cần ít nhất {LEAST_PER_VILLAGE} phép đo mỗi thôn, không phải {measurements} cho {villages} thôn.",
            f"At least {LEAST_PER_VILLAGE} measurements per village are needed, not {measurements} for {villages}.",
        )
    if not 0 <= seed < 2**32:
        raise InputError(f"Hạt giống phải từ 0 đến 2^32: {seed}.", f"The seed must be 0 to 2^32: {seed}.")


def _emptied(folder: Path) -> Path:
    # Logs of an earlier simulation would be ingested with the new ones; anybody else's are not ours to remove.
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    readme = folder / "README.txt"
    ours = readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(_FIRST_LINE)
    if any(logs.iterdir()) and not ours:
        raise InputError(
            f"Thư mục {logs} có tệp không phải dữ liệu mô phỏng: hãy chọn thư mục khác.",
            f"{logs} holds files that were not simulated: choose another folder.",
        )
    for old in logs.iterdir():
        old.unlink()
    return logs


def _write_places(made: World, folder: Path, measurements: int) -> None:
    placefiles.write_communes(made.area, folder / "communes.geojson")
    placefiles.write_villages(made.villages, folder / "villages.geojson")
    placefiles.write_clusters(made.villages, folder / "clusters.geojson")
    placefiles.write_power(made.villages, folder / "power.csv")
    placefiles.write_population(made.villages, made.places, made.area, folder / "population.tif")
    placefiles.write_sites(made.networks, folder / "sites.csv")
    placefiles.write_dem(made.radio.terrain, folder / "dem.tif")
    placefiles.write_declared(made.networks, folder / "declared.geojson")
    arguments = {"villages": len(made.villages), "measurements": measurements, "seed": made.seed}
    (folder / "README.txt").write_text(placefiles.README.format(**arguments), encoding="utf-8")


def _write_truth(made: World, tests: pd.DataFrame, folder: Path) -> None:
    limits = truth.limits(made.criteria)
    p_fail = [
        truth.fail_shares(made.radio, sites, made.places, limits, quick=False) for sites in made.networks
    ]
    floors = truth.floors_met(tests, made.places, made.criteria)
    truth.write(truth.judge(made.villages, made.places, p_fail, floors, made.criteria), folder / "truth.csv")
