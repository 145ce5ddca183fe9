"""What people would use instead, beside ours in one run: the same simulated drives, the same villages.

    python benchmarks/peers.py [--rows 2000000] [--folder DIR] [--runs 2]

| job | from → to |
|---|---|
| floor | file → Parquet (DuckDB's bare `read_csv`), and the res-9 cell of each point: less than this no tool can do |
| ours | file → archive → snapshot → gap list in GeoJSON, the villages added before; once with what an earlier assessment kept of them |
| ours, same answer | file → archive → tests and fails by hex and by village: of our job what the notebook and PostGIS do too |
| notebook | file → tests and fails by hex, points in villages, a folium map: pandas, h3, GeoPandas (benchmarks/peer_notebook.py) |
| notebook, careful | the same, hexes in villages instead of points |
| PostGIS | file, its cells given → tests and fails by hex and by village, dead centres (benchmarks/peer_postgis.py) |
| ours, stage | archived Parquet → all evidence of hexes and places |
| SQL by hand, stage | the same by DuckDB's SQL for these data alone (benchmarks/peer_sql.py); its answer is ours, column by column |
| SQL by hand, headline | file → tests and fails by hex at one threshold: DuckDB and h3ronpy, for honesty |

Each job runs in a process of its own, warmed by a file of ten rows, and the faster of two runs counts, by CPU seconds.
Tests and fails of every hex and operator must be the same in all. Of PostgreSQL the server's processes are counted too;
memory is the peak of what is resident. Needs PostgreSQL with PostGIS (Debian: postgresql, postgresql-15-postgis-3).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import measuring
import pandas as pd
from measuring import Cost
from peer_inputs import AS_OF, Given, laid_out

ANSWER = ["hex", "operator", "tests", "fails"]
WITHIN = 1e-8  # of two sums that are rounded to nine decimals
TIMES_NOTEBOOK, TIMES_POSTGIS, TIMES_BY_HAND = 5.0, 3.0, 1.3


def floor(given: Given) -> Callable[[], int]:
    return partial(measuring.floor, [given.file], given.scratch)


def ours(given: Given) -> Callable[[], tuple[pd.DataFrame, int, dict[str, float]]]:
    return _whole(given.kept, given)


def ours_added_now(given: Given) -> Callable[[], tuple[pd.DataFrame, int, dict[str, float]]]:
    return _whole(given.added, given)


def _whole(before: Path, given: Given) -> Callable[[], tuple[pd.DataFrame, int, dict[str, float]]]:
    from coverage import intake, pipeline
    from coverage.archive import snapshots
    from coverage.archive.workspace import open_workspace
    from coverage.exports import files, lists
    from coverage.logs import Context

    shutil.copytree(before, given.scratch / "workspace", dirs_exist_ok=True)

    def measure() -> tuple[pd.DataFrame, int, dict[str, float]]:
        workspace, stages = (
            open_workspace(given.scratch / "workspace"),
            [("file → archive", time.process_time())],
        )
        for _ in intake.ingest(workspace, given.file, Context()):
            pass
        stages.append(("inputs", time.process_time()))
        info = pipeline.assess(
            workspace,
            AS_OF,
            lambda stage, share: stages.append((stage.rpartition(" / ")[2], time.process_time())),
        )
        stages.append(("gap list", time.process_time()))
        snapshot = snapshots.load(workspace.snapshots, info.snapshot_id)
        files.write(lists.select(snapshot, "gaps"), given.scratch / "gaps.geojson", "geojson")
        stages.append(("", time.process_time()))
        dead = snapshot.village_verdicts["centre_verdict"] == "dead_zone"
        return snapshot.hex_verdicts[ANSWER], int(dead.sum()), _by_stage(stages)

    return measure


def _by_stage(begins: list[tuple[str, float]]) -> dict[str, float]:
    """CPU seconds of each stage, from the times at which one began after another."""
    found: dict[str, float] = {}
    for (stage, begin), (_, end) in pairwise(begins):
        found[stage] = found.get(stage, 0.0) + end - begin
    return found


def ours_same_answer(given: Given) -> Callable[[], tuple[pd.DataFrame, pd.DataFrame]]:
    from coverage import engine, inputs, intake, judging
    from coverage.archive.workspace import open_workspace
    from coverage.ground import lie_of_the_land
    from coverage.logs import Context

    shutil.copytree(given.kept, given.scratch / "workspace", dirs_exist_ok=True)

    def measure() -> tuple[pd.DataFrame, pd.DataFrame]:
        workspace = open_workspace(given.scratch / "workspace")
        for _ in intake.ingest(workspace, given.file, Context()):
            pass
        fetched = inputs.fetch(workspace, AS_OF)
        lie = lie_of_the_land(fetched)
        backend = engine.connect(scratch=given.scratch)
        measurements = engine.read_measurements(backend, fetched.committed.parts)
        tests = judging.tested(backend, measurements, fetched, lie, given.scratch).tests
        decided = tests.filter(tests.fails.notnull())
        by_hex = (
            decided.group_by("hex", "operator").agg(tests=decided.count(), fails=decided.fails.sum()).cache()
        )
        villages = engine.load_frame(backend, "pairs", lie.pairs[["village_id", "hex"]])
        near = by_hex.inner_join(villages, "hex")
        by_village = near.group_by("village_id", "operator").agg(
            tests=near.tests.sum(), fails=near.fails.sum()
        )
        return by_hex.execute(), by_village.execute()

    return measure


def notebook(given: Given) -> Callable[[], pd.DataFrame]:
    import peer_notebook

    return _notebook(given, peer_notebook.usual)


def careful_notebook(given: Given) -> Callable[[], pd.DataFrame]:
    import peer_notebook

    return _notebook(given, peer_notebook.careful)


def _notebook(given: Given, job: Callable[[Path, Path, Path], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
    import h3

    def measure() -> pd.DataFrame:
        found = job(given.file, given.villages, given.scratch / "map.html")
        return found.assign(hex=[h3.str_to_int(cell) for cell in found["hex"]])

    return measure


def postgis(given: Given) -> Callable[[], tuple[pd.DataFrame, int]]:
    import peer_postgis

    return lambda: peer_postgis.villages_with_dead_centre(given.socket, given.postgis)


def headline_by_hand(given: Given) -> Callable[[], pd.DataFrame]:
    import peer_sql

    criteria = _inputs(given)[0].criteria
    return lambda: peer_sql.headline(peer_sql.connect(given.scratch), given.file, criteria)


def _inputs(given: Given) -> tuple[Any, Any]:
    from coverage import inputs
    from coverage.archive.workspace import open_workspace
    from coverage.ground import lie_of_the_land

    fetched = inputs.fetch(open_workspace(given.archived), AS_OF)
    return fetched, lie_of_the_land(fetched)


def stage(given: Given) -> Callable[[], tuple[pd.DataFrame, ...]]:
    from coverage import engine, evidence, judging

    fetched, lie = _inputs(given)

    def measure() -> tuple[pd.DataFrame, ...]:
        backend = engine.connect(scratch=given.scratch)
        measurements = engine.read_measurements(backend, fetched.committed.parts)
        found = judging.tested(backend, measurements, fetched, lie, given.scratch)
        pooled = engine.load_frame(backend, "place_hexes", lie.pooled)
        places = (evidence.hexes_as_places(found.tests), pooled)
        return *(
            evidence.tests_by_place(found.tests, one, fetched.criteria) for one in places
        ), found.expired.execute()

    return measure


def stage_by_hand(given: Given) -> Callable[[], tuple[pd.DataFrame, ...]]:
    import peer_sql

    from coverage import observations

    fetched, lie = _inputs(given)
    days = (observations.oldest(fetched.criteria, AS_OF), AS_OF)
    parts = [str(part.path) for part in fetched.committed.parts]
    return lambda: peer_sql.evidence(
        peer_sql.connect(given.scratch), parts, lie.pooled, fetched.criteria, days
    )


JOBS: dict[str, Callable[[Given], Callable[[], Any]]] = {
    "floor": floor,
    "ours": ours,
    "ours, villages new": ours_added_now,
    "ours, same answer": ours_same_answer,
    "notebook": notebook,
    "notebook, careful": careful_notebook,
    "PostGIS": postgis,
    "SQL by hand, headline": headline_by_hand,
    "ours, stage": stage,
    "SQL by hand, stage": stage_by_hand,
}


def _warmed(name: str, given: Given, ten_rows: Given) -> Callable[[], Any]:
    JOBS[name](ten_rows)()
    return JOBS[name](given)


def cost(name: str, given: Given, warm: Given, runs: int) -> Cost:
    """The run that took the fewest CPU seconds; each has a folder of its own, and PostgreSQL a fresh cluster."""
    import peer_postgis

    found = []
    for _ in range(runs):
        with (
            tempfile.TemporaryDirectory() as own,
            tempfile.TemporaryDirectory() as other,
            peer_postgis.server() if name == "PostGIS" else nullcontext() as server,
        ):
            socket = server.folder if server else Path()
            full, ten = (
                replace(one, scratch=Path(at), socket=socket) for one, at in ((given, own), (warm, other))
            )
            found.append(measuring.prepared(_warmed, name, full, ten, server=server))
    return min(found, key=lambda one: one.cpu_s)


def check(costs: dict[str, Cost]) -> int:
    """How many centres are dead for an operator, once every answer was found to be the same."""
    hexes, dead, _ = costs["ours"].answer
    expected = _in_order(hexes)
    others = {name: costs[name].answer for name in ("notebook", "notebook, careful", "SQL by hand, headline")}
    others |= {name: costs[name].answer[0] for name in ("ours, villages new", "ours, same answer", "PostGIS")}
    of_stage, by_hand = costs["ours, stage"].answer, costs["SQL by hand, stage"].answer
    others |= {"ours, stage": _of_places(of_stage[0]), "SQL by hand, stage": _of_places(by_hand[0])}
    for name, answer in others.items():
        found = _in_order(answer)
        assert found.equals(expected), (
            f"{name}: other tests or fails\n{found.compare(expected) if len(found) == len(expected) else (len(found), len(expected))}"
        )
    for name in ("ours, villages new", "PostGIS"):
        assert costs[name].answer[1] == dead, f"{name}: {costs[name].answer[1]} dead centres, ours {dead}"
    for own, other in zip(of_stage, by_hand, strict=True):
        _assert_alike(own, other)
    return int(dead)


def _in_order(answer: pd.DataFrame) -> pd.DataFrame:
    # A hex whose tests are all undecided is a row of ours and of nobody else's.
    held = answer.loc[answer["tests"] > 0, ANSWER]
    typed = held.astype({"hex": "int64", "operator": object, "tests": "int64", "fails": "int64"})
    return typed.sort_values(["hex", "operator"], ignore_index=True)


def _of_places(evidence: pd.DataFrame) -> pd.DataFrame:
    return evidence.rename(columns={"place_id": "hex"})


def _assert_alike(own: pd.DataFrame, other: pd.DataFrame) -> None:
    assert set(own.columns) == set(other.columns), set(own.columns) ^ set(other.columns)
    left, right = (_as_numbers(one[own.columns]) for one in (own, other))
    pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=0, atol=WITHIN)


def _as_numbers(table: pd.DataFrame) -> pd.DataFrame:
    # Missing numbers are NaN in one and NA in the other.
    numbers = table.select_dtypes("number").columns
    return table.astype(dict.fromkeys(numbers, "float64"))


def show(costs: dict[str, Cost]) -> None:
    least, own = costs["floor"], costs["ours"]
    print(f"{'job':<24}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'CPU ÷ floor':>13}{'CPU ÷ ours':>12}")
    for name, found in costs.items():
        beside = costs["ours, stage"] if name.endswith("stage") else own
        print(
            f"{name:<24}{found.seconds:>8.2f}{found.cpu_s:>8.2f}{found.peak_mb:>9.0f}"
            f"{found.cpu_s / least.cpu_s:>13.2f}{found.cpu_s / beside.cpu_s:>12.2f}"
        )
    print("ours by stage, CPU s:", ", ".join(f"{stage} {s:.2f}" for stage, s in own.answer[2].items()))
    by_hand, of_stage, same = costs["SQL by hand, stage"], costs["ours, stage"], costs["ours, same answer"]
    for what, found, limit in (
        (
            "notebook ÷ ours with the same answer, at least",
            costs["notebook"].seconds / same.seconds,
            TIMES_NOTEBOOK,
        ),
        ("notebook ÷ ours, whole, at least", costs["notebook"].seconds / own.seconds, TIMES_NOTEBOOK),
        (
            "PostGIS ÷ ours with the same answer, at least",
            costs["PostGIS"].seconds / same.seconds,
            TIMES_POSTGIS,
        ),
        ("PostGIS ÷ ours, whole, at least", costs["PostGIS"].seconds / own.seconds, TIMES_POSTGIS),
        ("our stage ÷ SQL by hand (CPU), at most", of_stage.cpu_s / by_hand.cpu_s, TIMES_BY_HAND),
    ):
        met = found <= limit if what.endswith("most") else found >= limit
        print(f"{what} {limit}: {found:.2f}, {'met' if met else 'NOT met'}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where the files are made, and found again; none = a temporary one"
    )
    parser.add_argument("--runs", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        warm, given = laid_out(folder, 10), laid_out(folder, asked.rows)
        costs = {name: cost(name, given, warm, asked.runs) for name in JOBS}
    dead = check(costs)
    show(costs)
    print(
        f"{asked.rows:,} rows; the same tests and fails in all {len(costs['ours'].answer[0]):,} hexes × operators; "
    )
    print(f"{dead} centres dead for an operator, as in PostGIS; all evidence of hexes and places as by hand")


if __name__ == "__main__":
    sys.exit(main())
