"""The archive: nothing counted twice, nothing lost, withdrawals as if never there."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from coverage import intake
from coverage.archive import durable, history, layers, uploads
from coverage.archive.committed import committed
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import ArchiveDamaged, CriteriaRefused, NotFound
from coverage.logs.context import Context

HEADER = "time,lat,lon,operator,technology,rsrp_dbm,device"
LINES = [
    f"2026-05-01 08:00:{second:02d},11.94,108.44,45204,LTE,-9{second % 10},phone" for second in range(20)
]


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    return open_workspace(tmp_path / "workspace", manifest_url=manifest_url)


def log(folder: Path, name: str = "a.csv", lines: list[str] = LINES, header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def receive(workspace: Workspace, path: Path, context: Context | None = None) -> Receipt:
    (receipt,) = intake.ingest(workspace, path, context or Context())
    assert isinstance(receipt, Receipt)
    return receipt


def rows_of(workspace: Workspace) -> int:
    return sum(row["accepted"] for row in uploads.list_uploads(workspace) if row["state"] == "committed")


def test_the_same_file_twice_adds_nothing(workspace: Workspace, tmp_path: Path) -> None:
    first, second = receive(workspace, log(tmp_path)), receive(workspace, log(tmp_path, "another-name.csv"))
    assert (first.effect, first.added_rows) == ("added", 20)
    assert (second.effect, second.added_rows, second.upload_id) == ("already_received", 0, first.upload_id)
    assert second.rows == second.accepted + second.duplicates + second.rejected + second.quarantined
    assert (rows_of(workspace), len(committed(workspace).parts)) == (20, 1)


def test_an_upload_has_the_same_id_in_every_workspace(tmp_path: Path) -> None:
    ids = {receive(open_workspace(tmp_path / name), log(tmp_path)).upload_id for name in ("one", "two")}
    assert len(ids) == 1


def test_another_context_replaces_the_former_reading(workspace: Workspace, tmp_path: Path) -> None:
    path = log(tmp_path, lines=["11.94,108.44,-90", "11.95,108.44,-91"], header="latitude,longitude,rsrp")
    first = receive(workspace, path)
    assert (first.accepted, first.quarantined) == (0, 2)
    cured = Context(operator="Viettel", technology="LTE", date=date(2026, 5, 1))
    second = receive(workspace, path, cured)
    assert (second.effect, second.accepted, second.upload_id) == ("replaced", 2, first.upload_id)
    assert (rows_of(workspace), len(uploads.list_uploads(workspace))) == (2, 1)
    actions = [event["action"] for event in uploads.show(workspace, first.upload_id)["events"]]
    assert actions == ["received", "replaced"]


def test_withdraw_and_restore(workspace: Workspace, tmp_path: Path) -> None:
    upload_id = receive(workspace, log(tmp_path)).upload_id
    uploads.withdraw(workspace, upload_id, "sai máy đo")
    assert committed(workspace).parts == ()
    assert receive(workspace, log(tmp_path)).state == "withdrawn"
    uploads.restore(workspace, upload_id)
    assert len(committed(workspace).parts) == 1
    reasons = [(event["action"], event["reason"]) for event in uploads.show(workspace, upload_id)["events"]]
    assert reasons == [("received", None), ("withdrawn", "sai máy đo"), ("restored", None)]


@pytest.mark.parametrize("act", [uploads.show, uploads.restore, uploads.outcomes])
def test_an_upload_that_is_not_there_is_named(workspace: Workspace, act: object) -> None:
    with pytest.raises(NotFound, match="0000"):
        act(workspace, "0000")  # type: ignore[operator]


def test_rows_that_were_not_accepted_are_kept_with_line_and_reason(
    workspace: Workspace, tmp_path: Path
) -> None:
    lines = [*LINES, LINES[0], "2026-05-01 08:01:00,91,108.44,45204,LTE,-90,phone"]
    receipt = receive(workspace, log(tmp_path, lines=lines))
    found = uploads.outcomes(workspace, receipt.upload_id).to_pylist()
    assert [(one["line"], one["outcome"], one["code"]) for one in found] == [
        (22, "duplicate", "duplicate_row"),
        (23, "rejected", "coordinate_out_of_range"),
    ]


def test_a_missing_part_is_an_error_and_not_less_data(workspace: Workspace, tmp_path: Path) -> None:
    receive(workspace, log(tmp_path))
    committed(workspace).parts[0].path.unlink()
    with pytest.raises(ArchiveDamaged):
        committed(workspace)


def test_ten_clients_sending_one_file_count_once(workspace: Workspace, tmp_path: Path) -> None:
    path = log(tmp_path)
    with ThreadPoolExecutor(10) as pool:
        receipts = list(pool.map(lambda _: receive(workspace, path), range(10)))
    assert sorted({receipt.effect for receipt in receipts}) == ["added", "already_received"]
    assert [receipt.effect for receipt in receipts].count("added") == 1
    assert rows_of(workspace) == 20


def test_writers_from_several_processes_lose_nothing(workspace: Workspace, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from coverage import intake;"
        "from coverage.archive.workspace import open_workspace; from coverage.logs.context import Context\n"
        "w = open_workspace(Path(sys.argv[1]), None, sys.argv[2] or None)\n"
        "for f in sys.argv[3:]: list(intake.ingest(w, Path(f), Context()))"
    )
    files = [
        [
            str(log(tmp_path, f"{w}-{i}.csv", [line.replace("phone", f"p{w}{i}") for line in LINES]))
            for i in range(4)
        ]
        for w in range(4)
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(workspace.root), workspace.manifest_url or "", *some]
        )
        for some in files
    ]
    assert [process.wait() for process in running] == [0, 0, 0, 0]
    assert (rows_of(workspace), len(uploads.list_uploads(workspace))) == (320, 16)


def test_the_manifest_is_durable(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    receive(workspace, log(tmp_path))
    with sqlite3.connect(workspace.manifest_file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_failed_write_leaves_no_part_and_no_upload(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="No space"):
        receive(workspace, log(tmp_path))
    monkeypatch.undo()
    assert uploads.list_uploads(workspace) == []
    assert not list(workspace.parts.glob("*"))
    assert receive(workspace, log(tmp_path)).effect == "added"


def test_durable_files_are_whole_or_absent(tmp_path: Path) -> None:
    def half(draft: Path) -> None:
        draft.write_bytes(b"half")
        raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        durable.replace_durably(tmp_path / "x", half)
    assert not list(tmp_path.iterdir())


def test_a_new_workspace_is_complete_and_secret(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    assert (workspace.root / "device.key").stat().st_mode & 0o077 == 0
    assert len(workspace.device_key) == 32
    assert open_workspace(tmp_path / "w").device_key == workspace.device_key
    assert workspace.criteria.name == "vietnam-2026"


@pytest.mark.parametrize("file", ["device.key", "criteria.toml"])
def test_what_measurements_count_on_is_never_made_anew(
    workspace: Workspace, tmp_path: Path, file: str
) -> None:
    (workspace.root / file).unlink()
    open_workspace(
        workspace.root, manifest_url=workspace.manifest_url
    )  # still empty: a laying out that was cut short
    receive(workspace, log(tmp_path))
    (workspace.root / file).rename(tmp_path / file)
    with pytest.raises(ArchiveDamaged, match=file):
        open_workspace(workspace.root, manifest_url=workspace.manifest_url)
    assert not (workspace.root / file).exists()
    (tmp_path / file).rename(workspace.root / file)
    open_workspace(workspace.root, manifest_url=workspace.manifest_url)


def test_criteria_that_do_not_hold_are_refused_and_change_nothing(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    text = workspace.criteria_file.read_text(encoding="utf-8")
    for broken, key in ((text.replace("rho = 0.3", "rho = 3"), "evidence.rho"), (text + "\nx = ", "TOML")):
        with pytest.raises(CriteriaRefused, match=key):
            open_workspace(tmp_path / "w", broken)
    assert workspace.criteria_file.read_text(encoding="utf-8") == text


def test_without_an_assessment_there_is_no_latest(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="phusong assess"):
        history.latest_id(workspace)


def test_a_layer_is_replaced_whole_or_not_at_all(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = log(tmp_path)
    layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["old"]}), origin)
    monkeypatch.setattr(layers, "write_durably", _no_space)
    with pytest.raises(OSError, match="No space left"):
        layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["new"]}), origin)
    assert layers.load_table(workspace, "power")["village_id"].tolist() == ["old"]
    monkeypatch.undo()
    layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["new"]}), origin)
    assert layers.load_table(workspace, "power")["village_id"].tolist() == ["new"]


def _no_space(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_simulated_rows_mark_their_upload(workspace: Workspace, tmp_path: Path) -> None:
    receive(workspace, log(tmp_path, "real.csv"))
    assert not committed(workspace).simulated
    marked = log(tmp_path, "b.csv", [f"{line},simulated" for line in LINES], HEADER + ",note")
    upload = receive(workspace, marked)
    assert committed(workspace).simulated
    uploads.withdraw(workspace, upload.upload_id, "thử")
    assert not committed(workspace).simulated
