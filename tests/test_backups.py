"""Backups: copied while others write, restored elsewhere, and the same to the last cell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pandas as pd
import pytest
from keeping import (
    AS_OF,
    add_logs,
    assert_same_tables,
    but_failed,
    counted,
    faults,
    in_every_state,
    judged,
    rows,
    send,
    tables_of,
)
from sqlalchemy import func, select
from test_cli import run

from coverage import pipeline, work
from coverage.archive import backups, compaction, deliveries, history, jobs, receiving, tidying, uploads
from coverage.archive.committed import committed
from coverage.archive.layers import save_layer
from coverage.archive.manifest import reading
from coverage.archive.schema import EVENTS, JOBS, METADATA
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace
from coverage.errors import ArchiveDamaged, Conflict, DiskFull, InputError, NotFound


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("whole")
    workspace, ids = judged(folder / "w", folder)
    compaction.compact(workspace)
    uploads.withdraw(workspace, ids[3], "sai máy đo", "An")
    add_logs(workspace, folder, 60, 61)
    in_every_state(workspace)
    (workspace.root / "criteria-0000.toml").write_text("# former\n")
    return workspace


@pytest.fixture
def workspace(whole: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(whole.root, tmp_path / "w"))


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    workspace = open_workspace(tmp_path / "w")
    add_logs(workspace, tmp_path, *range(3))
    return workspace


def manifest_rows(workspace: Workspace) -> dict[str, list[tuple]]:
    with reading(workspace.manifest) as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in METADATA.sorted_tables
        }


def judge_anew(workspace: Workspace, snapshot_id: str) -> dict:
    """The tables of the snapshot, computed once more from what is there."""
    shutil.rmtree(workspace.snapshots / snapshot_id, ignore_errors=True)
    assert pipeline.assess(workspace, AS_OF).snapshot_id == snapshot_id
    return tables_of(workspace, snapshot_id)


def test_a_backup_is_a_whole_workspace_and_restores_to_the_same(workspace: Workspace, tmp_path: Path) -> None:
    snapshot_id = pipeline.assess(workspace, AS_OF).snapshot_id
    tables = tables_of(workspace, snapshot_id)
    done = backups.backup(workspace, tmp_path / "kept")
    assert done.damaged == []
    assert (done.uploads, done.deliveries) == (len(uploads.list_uploads(workspace)), 4)
    kept = existing_workspace(tmp_path / "kept")
    assert faults(kept) == []
    restored = backups.restore(kept.root, tmp_path / "new")
    assert (but_failed(restored.findings), restored.copied.damaged) == ([], [])
    new = open_workspace(tmp_path / "new")
    assert any(workspace.ground.iterdir())
    for copy in (kept, new):
        assert not copy.ground.exists()  # it can be made again
        assert manifest_rows(copy) == manifest_rows(workspace)
        assert copy.device_key == workspace.device_key
        assert copy.device_key_file.stat().st_mode & 0o077 == 0
        assert (copy.root / "criteria-0000.toml").read_text() == "# former\n"
    assert_same_tables(tables_of(new, snapshot_id), tables)
    assert_same_tables(judge_anew(new, snapshot_id), tables)
    assert not (new.root / "archive" / "backup.json").exists()


def test_deliveries_that_wait_are_read_in_after_a_restore(small: Workspace, tmp_path: Path) -> None:
    waiting = send(small, rows(70).encode())
    coming = receiving.begin(small, "b.csv", waiting.context)
    deliveries.part(small, coming.delivery_id).write_bytes(b"half of it")
    backups.backup(small, tmp_path / "kept")
    backups.restore(tmp_path / "kept", tmp_path / "new")
    new = open_workspace(tmp_path / "new")
    assert work.run_due(new) > 0
    assert deliveries.show(new, waiting.delivery_id).state == "done"
    assert counted(new) == 80
    assert receiving.offset(new, coming.delivery_id) == 0  # it begins anew: its bytes were not kept


def test_the_second_backup_copies_only_what_is_new(small: Workspace, tmp_path: Path) -> None:
    first = backups.backup(small, tmp_path / "kept")
    assert (first.copied, first.kept) == (6, 0)
    again = backups.backup(small, tmp_path / "kept")
    assert (again.copied, again.copied_bytes, again.kept) == (0, 0, 6)
    add_logs(small, tmp_path, 9)
    third = backups.backup(small, tmp_path / "kept")
    assert (third.copied, third.kept) == (2, 6)
    compaction.compact(small)
    backups.backup(small, tmp_path / "kept")
    kept = existing_workspace(tmp_path / "kept")
    assert len(list(kept.parts.glob("*"))) == 5  # four outcomes, and one part in place of four
    assert faults(kept) == []
    assert (kept.parts / next(kept.parts.glob("*")).name).stat().st_nlink == 1


def test_a_file_that_was_damaged_does_not_replace_the_good_copy(small: Workspace, tmp_path: Path) -> None:
    backups.backup(small, tmp_path / "kept")
    (first, second, _) = [part.path for part in committed(small).parts]
    good = first.read_bytes()
    first.write_bytes(good[:-10])
    second.unlink()
    add_logs(small, tmp_path, 9)
    done = backups.backup(small, tmp_path / "kept")
    assert done.damaged == sorted([str(first), str(second)])
    kept = existing_workspace(tmp_path / "kept")
    assert (kept.parts / first.name).read_bytes() == good
    assert faults(kept) == []
    assert done.uploads == 4


def test_the_command_ends_with_one_where_something_was_not_copied(small: Workspace, tmp_path: Path) -> None:
    path = committed(small).parts[0].path
    path.write_bytes(path.read_bytes()[:-10])
    done = run("backup", tmp_path / "kept", "-w", small.root, "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert orjson.loads(done.stdout)["damaged"] == [str(path)]
    assert path.name in done.stderr
    restored = run("restore", tmp_path / "kept", "-w", tmp_path / "new", "--json", cwd=tmp_path)
    assert restored.returncode == 1
    assert [one["what"] for one in orjson.loads(restored.stdout)["findings"]] == ["part_missing"]


def test_the_commands_back_up_and_restore(small: Workspace, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "kept", "-w", small.root, cwd=tmp_path).returncode == 0
    restored = run("restore", tmp_path / "kept", "-w", tmp_path / "new", cwd=tmp_path)
    assert restored.returncode == 0
    assert "0 hỏng / damaged" in restored.stdout
    listed = run("uploads", "list", "-w", tmp_path / "new", "--json", cwd=tmp_path)
    assert len(orjson.loads(listed.stdout)) == 3


def test_without_snapshots_none_is_said_to_be_there(workspace: Workspace, tmp_path: Path) -> None:
    snapshot_id = pipeline.assess(workspace, AS_OF).snapshot_id
    done = backups.backup(workspace, tmp_path / "kept", with_snapshots=False)
    assert done.snapshots == 0
    assert but_failed(backups.restore(tmp_path / "kept", tmp_path / "new").findings) == []
    new = open_workspace(tmp_path / "new")
    with pytest.raises(NotFound, match="phusong assess"):
        history.latest_id(new)
    assert pipeline.assess(new, AS_OF).snapshot_id == snapshot_id


def test_jobs_that_were_running_are_queued_again(small: Workspace, tmp_path: Path) -> None:
    sent = send(small, rows(70).encode())
    while (job := jobs.claim(small, "worker")) is not None and job.kind != "ingest":
        pass
    backups.backup(small, tmp_path / "kept")
    kept = existing_workspace(tmp_path / "kept")
    queued = jobs.of_delivery(kept, sent.delivery_id)
    assert queued is not None
    assert (queued["state"], queued["attempts"], queued["worker"]) == ("queued", 0, None)
    running = jobs.of_delivery(small, sent.delivery_id)
    assert running is not None
    assert running["state"] == "running"


def foreign(folder: Path, _: Workspace) -> Path:
    (folder / "notes.txt").write_text("mine")
    return folder


def another_backup(folder: Path, _: Workspace) -> Path:
    backups.backup(open_workspace(folder.parent / "other"), folder)
    return folder


def restored_copy(folder: Path, workspace: Workspace) -> Path:
    backups.backup(workspace, folder / "kept")
    backups.restore(folder / "kept", folder / "in use")
    return folder / "in use"


@pytest.mark.parametrize(
    "lay_out",
    [
        foreign,
        another_backup,
        restored_copy,
        lambda _, workspace: workspace.root,
        lambda _, workspace: workspace.root / "kept",
        lambda folder, _: folder.parent,
    ],
)
def test_a_folder_that_is_no_backup_of_this_workspace_is_refused_and_left_as_it_is(
    small: Workspace, tmp_path: Path, lay_out: Callable[[Path, Workspace], Path]
) -> None:
    (tmp_path / "folder").mkdir()
    target = lay_out(tmp_path / "folder", small)
    before = sorted(target.rglob("*")) if target.exists() else None
    with pytest.raises(InputError):
        backups.backup(small, target)
    assert (sorted(target.rglob("*")) if target.exists() else None) == before


def test_two_backups_into_one_folder_do_not_meet(small: Workspace, tmp_path: Path) -> None:
    backups.backup(small, tmp_path / "kept")
    with backups._alone(Workspace(tmp_path / "kept")), pytest.raises(Conflict):
        backups.backup(small, tmp_path / "kept")
    assert backups.backup(small, tmp_path / "kept").copied == 0


def test_another_device_key_is_never_taken_for_the_old_one(small: Workspace, tmp_path: Path) -> None:
    backups.backup(small, tmp_path / "kept")
    key = small.device_key_file.read_bytes()
    small.device_key_file.write_bytes(b"ab" * 32)
    with pytest.raises(ArchiveDamaged, match="device"):
        backups.backup(small, tmp_path / "kept")
    small.device_key_file.unlink()
    assert backups.backup(small, tmp_path / "kept").damaged == [str(small.device_key_file)]
    assert (tmp_path / "kept" / "device.key").read_bytes() == key


@pytest.mark.parametrize("wrong", ["empty", "cut short", "in use", "inside"])
def test_a_restore_that_cannot_be_meant_is_refused(small: Workspace, tmp_path: Path, wrong: str) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    backups.backup(small, kept)
    if wrong == "empty":
        kept = tmp_path / "nothing"
    elif wrong == "cut short":
        (kept / "archive" / "manifest.sqlite").unlink()
    else:
        new = small.root if wrong == "in use" else kept / "new"
    with pytest.raises((InputError, NotFound)):
        backups.restore(kept, new)
    assert counted(small) == 60


def test_without_room_the_former_backup_stays(
    small: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.backup(small, tmp_path / "kept")
    add_logs(small, tmp_path, 9)
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "999999999")
    with pytest.raises(DiskFull):
        backups.backup(small, tmp_path / "kept")
    assert faults(existing_workspace(tmp_path / "kept")) == []
    assert counted(existing_workspace(tmp_path / "kept")) == 60


@pytest.mark.parametrize("at", range(12))
def test_a_backup_that_is_cut_short_leaves_the_former_one(
    small: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    backups.backup(small, tmp_path / "kept")
    add_logs(small, tmp_path, 9)
    compaction.compact(small)
    send(small, rows(80).encode())
    left = [at]
    rename = Path.rename

    def fail(path: Path, to: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return rename(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        try:
            backups.backup(small, tmp_path / "kept")
        except OSError:
            assert counted(existing_workspace(tmp_path / "kept")) == 60
    assert faults(existing_workspace(tmp_path / "kept")) == []
    assert backups.backup(small, tmp_path / "kept").damaged == []
    assert counted(existing_workspace(tmp_path / "kept")) == 80


def test_what_is_read_in_or_tidied_away_meanwhile_breaks_no_backup(
    small: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = send(small, rows(70).encode())
    copy_files, rounds = backups._copy_files, []

    def after_others(*arguments: object) -> object:
        rounds.append(1)
        if len(rounds) == 1:
            work.run_due(small)
            compaction.compact(small)
            tidying.tidy(small, timedelta(0))
        return copy_files(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backups, "_copy_files", after_others)
    done = backups.backup(small, tmp_path / "kept")
    assert (len(rounds), done.damaged) == (2, [])
    kept = existing_workspace(tmp_path / "kept")
    assert deliveries.show(kept, waiting.delivery_id).state == "done"
    assert (faults(kept), counted(kept)) == ([], 80)


WRITER = """
import sys
from pathlib import Path
from coverage import intake
from coverage.archive import compaction, deliveries, receiving, tidying, uploads
from coverage.archive.workspace import open_workspace
from coverage.logs.context import Context
workspace, number = open_workspace(Path(sys.argv[1])), int(sys.argv[2])
for at in range(4):
    logs = workspace.root.parent
    (receipt,) = intake.ingest(workspace, logs / f"w{number}-{at}.csv", Context())
    if at % 2:
        uploads.withdraw(workspace, receipt.upload_id, "thử")
    begun = receiving.begin(workspace, f"s{number}-{at}.csv", Context())
    deliveries.part(workspace, begun.delivery_id).write_bytes((logs / f"s{number}-{at}.csv").read_bytes())
    receiving.complete(workspace, begun.delivery_id)
    if at % 3 == number:
        compaction.compact(workspace)
        tidying.tidy(workspace)
"""


def test_backups_while_three_processes_write_are_each_of_one_moment(
    workspace: Workspace, tmp_path: Path
) -> None:
    for number in range(3):
        for at in range(4):
            (tmp_path / f"w{number}-{at}.csv").write_text(rows(100 + number * 10 + at))
            (tmp_path / f"s{number}-{at}.csv").write_text(rows(200 + number * 10 + at))
    command = [sys.executable, "-c", WRITER, str(workspace.root)]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(3)]
    taken = []
    while len(taken) < 2 or any(one.poll() is None for one in writers):
        done = backups.backup(workspace, tmp_path / "kept")
        assert done.damaged == []
        taken.append(done.revision)
        assert faults(existing_workspace(tmp_path / "kept")) == []
    assert [one.wait() for one in writers] == [0, 0, 0]
    assert taken == sorted(taken)
    assert len(set(taken)) > 1
    source = pipeline.assess(workspace, AS_OF)
    backups.backup(workspace, tmp_path / "kept")
    assert but_failed(backups.restore(tmp_path / "kept", tmp_path / "new").findings) == []
    new = open_workspace(tmp_path / "new")
    assert_same_tables(judge_anew(new, source.snapshot_id), tables_of(workspace, source.snapshot_id))


def test_from_sqlite_to_postgresql_and_back(
    workspace: Workspace,
    tmp_path: Path,
    postgres_url: str,
) -> None:
    snapshot_id = pipeline.assess(workspace, AS_OF).snapshot_id
    tables = tables_of(workspace, snapshot_id)
    backups.backup(workspace, tmp_path / "kept")
    assert but_failed(backups.restore(tmp_path / "kept", tmp_path / "pg", postgres_url).findings) == []
    there = open_workspace(tmp_path / "pg", manifest_url=postgres_url)
    assert manifest_rows(there) == manifest_rows(workspace)
    assert_same_tables(judge_anew(there, snapshot_id), tables)
    with reading(there.manifest) as connection:
        highest = connection.execute(select(func.max(EVENTS.c.event_id))).scalar_one()
        last_job = connection.execute(select(func.max(JOBS.c.job_id))).scalar_one()
    add_logs(there, tmp_path, 77)  # its event, its job and its snapshot get keys that are free
    pipeline.assess(there, AS_OF)
    with reading(there.manifest) as connection:
        assert connection.execute(select(func.max(EVENTS.c.event_id))).scalar_one() == highest + 1
        assert connection.execute(select(func.max(JOBS.c.job_id))).scalar_one() > last_job
    compaction.compact(there)
    assert faults(there) == []
    backups.backup(there, tmp_path / "back")
    assert but_failed(backups.restore(tmp_path / "back", tmp_path / "again").findings) == []
    again = open_workspace(tmp_path / "again")
    assert manifest_rows(again) == manifest_rows(there)
    with pytest.raises(InputError, match="empty"):
        backups.restore(tmp_path / "back", tmp_path / "no", postgres_url)
    assert not (tmp_path / "no").exists()


def test_a_layer_that_is_replaced_is_replaced_in_the_backup(workspace: Workspace, tmp_path: Path) -> None:
    backups.backup(workspace, tmp_path / "kept")
    before = set((tmp_path / "kept" / "places").glob("power-*"))
    origin = tmp_path / "p.csv"
    origin.write_text("x")
    save_layer(workspace, "power", pd.DataFrame({"village_id": ["x"]}), origin)
    backups.backup(workspace, tmp_path / "kept")
    after = set((tmp_path / "kept" / "places").glob("power-*"))
    assert len(before) == len(after) == 1
    assert before != after
    assert faults(existing_workspace(tmp_path / "kept")) == []
