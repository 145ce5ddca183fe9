"""A real Spark cluster gives what DuckDB gives, row for row, and reads files as one process does."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import orjson
import pandas as pd
import pytest
import spark
from keeping import ingest, rows
from test_cli import run

from coverage import engine, inputs, pipeline
from coverage.archive import compaction, uploads
from coverage.archive.committed import committed
from coverage.archive.snapshots import Snapshot
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, identity, open_workspace
from coverage.cli.options import BAD_INPUT
from coverage.demo import add_sample
from coverage.errors import InputError
from coverage.exports import lists
from coverage.intake_places import add_places
from coverage.logs.context import Context
from coverage.settings import get_settings
from coverage.simulate import simulate

AS_OF = date(2026, 11, 1)
JUDGED = (
    *("hex_verdicts", "hex_signals", "place_verdicts", "village_verdicts", "reliability", "dead_areas"),
    "predictions",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[spark.Running]:
    """Two workers, and this process as a driver of theirs."""
    spark.require_spark()
    with spark.cluster(tmp_path_factory.mktemp("spark")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running
        engine.on_cluster("clusters").session(running.url).stop()


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A simulated province with everything that a test of the expressions may meet."""
    folder = tmp_path_factory.mktemp("province")
    simulate(folder / "sample", villages=9, measurements=6_000, seed=5)
    workspace = open_workspace(folder / "workspace")
    add_sample(workspace, folder / "sample")
    villages = inputs.fetch(workspace, AS_OF).villages
    _add_special_logs(workspace, folder, villages)
    _add_outages(workspace, folder, villages)
    compaction.compact(workspace)
    uploads.withdraw(workspace, uploads.list_uploads(workspace)[0]["upload_id"], "thử")
    return workspace


def _add_special_logs(workspace: Workspace, folder: Path, villages: pd.DataFrame) -> None:
    # Around the first villages: expired, calibrated, of an app that never writes silence.
    kinds = {
        "old": ("2025-06", Context()),
        "calibrated": ("2026-09", Context(calibrated=True, source="drive_test")),
        "positive": ("2026-08", Context(positive_only=True, device="app")),
    }
    for kind, (month, context) in kinds.items():
        lines = [
            f"{month}-{day:02}T0{at % 9}:{at:02}:00Z,{lat + at * 1e-4:.6f},{lon:.6f},45204,LTE,-{100 + at},{kind}-{day % 2},5"
            for day in range(1, 5)
            for at in range(30)
            for lat, lon in villages[["centre_lat", "centre_lon"]].head(4).to_numpy()
        ]
        path = folder / f"{kind}.csv"
        path.write_text(
            "\n".join(["time,lat,lon,operator,technology,rsrp_dbm,device,accuracy_m", *lines]) + "\n"
        )
        ingest(workspace, path, context)


def _add_outages(workspace: Workspace, folder: Path, villages: pd.DataFrame) -> None:
    cut = [
        f"{village},{operator},2026-09-0{day} 00:00,2026-09-0{day} 23:00,EVN"
        for village, operator in zip(villages["village_id"].head(3), ("", "45204", "45201"), strict=True)
        for day in range(1, 4)
    ]
    path = folder / "outages.csv"
    path.write_text("\n".join(["village_id,operator,from,until,source", *cut]) + "\n")
    add_places(workspace, "outages", path)


def _judge(given: inputs.Inputs, url: str, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    monkeypatch.setenv("PHUSONG_ENGINE", url)
    return pipeline.judge(given)


def _assert_same(one: pd.DataFrame, other: pd.DataFrame, name: str) -> None:
    known = ("hex", "place_id", "village_id", "commune_code", "operator", "technology")
    keys = [key for key in known if key in one]
    first, second = (
        pd.DataFrame(frame).drop(columns="geometry", errors="ignore").sort_values(keys, ignore_index=True)
        for frame in (one, other)
    )
    pd.testing.assert_frame_equal(first, second, rtol=0, atol=1e-9, obj=name)


@pytest.mark.cluster
def test_a_province_is_judged_alike(
    cluster: spark.Running, province: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs.fetch(province, AS_OF)
    assert any(part.without for part in given.committed.parts)
    here, there = (_judge(given, url, monkeypatch) for url in ("duckdb", cluster.url))
    for name in JUDGED:
        _assert_same(getattr(here, name), getattr(there, name), name)
    _assert_same(*(lists.select(snapshot, "gaps") for snapshot in (here, there)), "gaps")
    # The comparison is worth nothing where there was nothing to differ in.
    places = here.place_verdicts
    for column in ("expired_tests", "outage_tests", "positive_only_tests"):
        assert places[column].sum() > 0, column
    assert (places["evidence_grade"] == "A").any()
    assert len(lists.select(here, "gaps"))
    assert places["no_service_share"].between(0.001, 0.999).any()
    assert len(here.reliability)


@pytest.mark.cluster
def test_an_empty_archive_is_judged_alike(
    cluster: spark.Running, province: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs.fetch(province, AS_OF)
    nothing = replace(given, committed=replace(given.committed, parts=(), uploads=(), readings=()))
    here, there = (_judge(nothing, url, monkeypatch) for url in ("duckdb", cluster.url))
    for name in ("hex_verdicts", "hex_signals", "place_verdicts", "village_verdicts"):
        _assert_same(getattr(here, name), getattr(there, name), name)
    assert len(there.village_verdicts)
    assert there.hex_verdicts.empty


@pytest.mark.cluster
def test_rows_of_withdrawn_uploads_are_not_read(cluster: spark.Running, province: Workspace) -> None:
    parts = committed(province).parts
    (part,) = [part for part in parts if part.without]
    counts = {}
    for url in ("duckdb", cluster.url):
        read = engine.read_measurements(engine.connect(url), [part])
        assert set(part.without).isdisjoint(read.select("upload_id").distinct().execute()["upload_id"])
        counts[url] = read.count().execute()
    assert counts["duckdb"] == counts[cluster.url] > 0


def _files(folder: Path, count: int, rows_each: int) -> list[Path]:
    folder.mkdir()
    paths = []
    for which in range(count):
        path = folder / f"log-{which:02}.csv"
        path.write_text(rows(which, rows_each), encoding="utf-8")
        paths.append(path)
    return paths


def _kept(workspace: Workspace) -> list[dict[str, object]]:
    columns = (
        "upload_id",
        "file",
        "state",
        "rows",
        "accepted",
        "duplicates",
        "rejected",
        "measurements_part",
    )
    found = [{name: row[name] for name in columns if name in row} for row in uploads.list_uploads(workspace)]
    return sorted(found, key=lambda row: str(row["file"]))


def _read_here(like: Workspace, root: Path, files: list[Path]) -> tuple[Workspace, list[Receipt]]:
    # With the same key, so that phones have the same names.
    root.mkdir()
    shutil.copy(like.device_key_file, root)
    plain = open_workspace(root)
    return plain, [ingest(plain, path) for path in files]


@pytest.mark.cluster
def test_files_are_read_by_the_workers_as_by_one_process(cluster: spark.Running, tmp_path: Path) -> None:
    files = _files(tmp_path / "logs", 12, 300)
    broken = tmp_path / "logs" / "log-05b.bin"
    broken.write_bytes(bytes(range(256)) * 9)
    done = run("ingest", *files[:6], broken, *files[6:], "-w", tmp_path / "w", "--json", cwd=tmp_path)
    workspace = open_workspace(tmp_path / "w")
    plain, receipts = _read_here(workspace, tmp_path / "plain", files)
    assert json.loads(done.stdout) == [json.loads(orjson.dumps(_shown(receipt))) for receipt in receipts]
    assert done.returncode == BAD_INPUT
    assert "log-05b.bin" in done.stderr
    assert _kept(workspace) == _kept(plain)
    again = run("ingest", *files, "-w", tmp_path / "w", "--json", cwd=tmp_path)
    assert {row["effect"] for row in json.loads(again.stdout)} == {"already_received"}


def _shown(receipt: Receipt) -> dict[str, object]:
    return asdict(receipt) | {"added_rows": receipt.added_rows}


@pytest.mark.cluster
def test_another_workspace_at_the_same_path_is_refused(cluster: spark.Running, tmp_path: Path) -> None:
    scattered = engine.on_cluster("scattered")
    workspace = open_workspace(tmp_path / "w")
    about = scattered._Task(workspace.root, None, "another", socket.gethostname(), Context())
    elsewhere = replace(about, identity=identity(workspace), host="another")
    for task, said in ((about, "another workspace"), (elsewhere, "PHUSONG_MANIFEST")):
        (fault,) = scattered._answer(task, tmp_path / "a.csv")
        assert not fault.of_file
        with pytest.raises(InputError, match=said):
            raise fault.error


@pytest.mark.cluster
def test_a_worker_that_dies_loses_nothing(cluster: spark.Running, tmp_path: Path) -> None:
    files = _files(tmp_path / "logs", 12, 20_000)
    workspace = open_workspace(tmp_path / "w")
    kept_at_death: list[int] = []

    def kill_once_some_are_read() -> None:
        while len(_kept(workspace)) < 2:
            time.sleep(0.01)
        cluster.workers[0].kill()
        cluster.workers[0].wait()
        kept_at_death.append(len(_kept(workspace)))

    killing = threading.Thread(target=kill_once_some_are_read, daemon=True)
    killing.start()
    found = list(engine.on_cluster("scattered").ingest(cluster.url, workspace, files, Context()))
    killing.join(60)
    assert 2 <= kept_at_death[0] < len(files)
    assert [receipt.file for receipt in found] == [path.name for path in files]
    plain, receipts = _read_here(workspace, tmp_path / "plain", files)
    assert _kept(workspace) == _kept(plain)
    counts = [(one.rows, one.accepted, one.duplicates, one.rejected) for one in found]
    assert counts == [(one.rows, one.accepted, one.duplicates, one.rejected) for one in receipts]


def _apart(code: str, **said: str) -> str:
    # What a new process says of the engine; one with a session would not ask again.
    program = f"from coverage import engine\ntry:\n    {code}\nexcept engine.EngineUnavailable as f: print(f.vi, f.en)"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | said,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout


def test_a_cluster_without_pyspark_says_what_to_install() -> None:
    told = _apart("import sys; sys.modules['pyspark'] = None; engine.connect('spark://127.0.0.1:7077')")
    assert told.count("pip install 'phusong[spark]'") == 2


@pytest.mark.cluster
def test_a_cluster_that_is_not_there_is_told_at_once() -> None:
    spark.require_spark()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"spark://127.0.0.1:{nobody.getsockname()[1]}"
        told = _apart("engine.connect()", PHUSONG_ENGINE=url)
    assert f"Không nối được tới cụm Spark {url}" in told
    assert f"The Spark cluster {url} (PHUSONG_ENGINE) cannot be reached" in told


@pytest.mark.cluster
def test_a_machine_without_java_says_so(tmp_path: Path) -> None:
    spark.require_spark()
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        url = f"spark://127.0.0.1:{somebody.getsockname()[1]}"
        told = _apart("engine.connect()", PHUSONG_ENGINE=url, JAVA_HOME=str(tmp_path))
    assert "Không khởi động được Java" in told
    assert "Java does not start" in told


@pytest.mark.parametrize(
    "url", ["spark", "spark://", "spark://host", "spark://host:x", "local[2]", "yarn", "DuckDB"]
)
def test_an_unknown_engine_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHUSONG_ENGINE", url)
    with pytest.raises(InputError, match="spark://HOST:PORT"):
        get_settings()


@pytest.mark.parametrize(
    "url", ["duckdb", "spark://host:7077", "spark://a:7077,b:7077", "spark://10.0.0.1:7077"]
)
def test_a_known_engine_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHUSONG_ENGINE", url)
    assert get_settings().engine == url
