"""Tidying: what nothing names goes after a day, and nothing else ever."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from keeping import add_logs, counted, faults, in_every_state, ingest, rows, send
from snapshots import snapshot
from test_archive import log
from test_cli import run

from coverage import work
from coverage.archive import deciding, deliveries, disk, folders, layers, receiving, tidying, uploads
from coverage.archive import snapshots as saved
from coverage.archive.committed import committed
from coverage.archive.disk import refuse_network
from coverage.archive.manifest import reading
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import DiskFull, InputError
from coverage.logs.context import Context

AT_ONCE = timedelta(0)
OLD = time.time() - 2 * 86_400


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


def age(*paths: Path) -> None:
    for path in paths:
        for one in (*path.rglob("*"), path) if path.is_dir() else (path,):
            os.utime(one, (OLD, OLD))


def test_of_the_deliveries_only_what_has_ended_goes(workspace: Workspace) -> None:
    sent = in_every_state(workspace)
    again = send(workspace, rows(53).encode())
    assert again.same_as == sent["received"].delivery_id
    for one in (sent["done"], again):
        (
            workspace.incoming / one.delivery_id
        ).mkdir()  # as after a crash between the transaction and the forgetting
    (workspace.incoming / "unknown").mkdir()
    (workspace.incoming / "unknown" / "part").write_bytes(b"x")
    gone = {one.path.name for one in tidying.tidy(workspace, AT_ONCE)}
    assert gone == {sent["done"].delivery_id, again.delivery_id, "unknown"}
    assert faults(workspace) == []
    left = {path.name for path in workspace.incoming.iterdir()}
    assert left == {sent[one].delivery_id for one in ("refused", "failed", "held", "received", "receiving")}
    deciding.cancel(workspace, sent["held"].delivery_id)
    (workspace.incoming / sent["held"].delivery_id).mkdir()
    assert [one.path.name for one in tidying.tidy(workspace, AT_ONCE)] == [sent["held"].delivery_id]


def test_nothing_goes_before_its_day(workspace: Workspace) -> None:
    in_every_state(workspace)
    left = workspace.incoming / "unknown"
    left.mkdir()
    (left / "part").write_bytes(b"x")
    age(left)
    (left / "part").write_bytes(b"xy")  # somebody still writes
    assert tidying.tidy(workspace) == []
    age(left)
    assert [(one.kind, one.size_bytes) for one in tidying.tidy(workspace)] == [("delivery", 2)]


def test_what_a_zip_holds_besides_is_kept_until_it_expires(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "box.zip", "w") as box:
        box.writestr("a.csv", rows(1))
        box.writestr("b.csv", "x,y\n1,2\n")
    for kept, gone in ((timedelta(days=7), False), (timedelta(0), True)):
        monkeypatch.setattr(deciding, "KEPT", kept)
        sent = send(workspace, (tmp_path / "box.zip").read_bytes() + bytes(kept.days), "box.zip")
        work.run_due(workspace)
        done = deliveries.show(workspace, sent.delivery_id)
        assert (done.state, len(done.result["refused"])) == ("done", 1)
        tidying.tidy(workspace, AT_ONCE)
        assert deliveries.received_file(workspace, done).exists() != gone


def test_a_replaced_reading_stays_for_a_day_from_then(workspace: Workspace, tmp_path: Path) -> None:
    path = log(
        tmp_path, lines=["2026-05-01 08:00:00,11.9,108.4,LTE,-90"], header="time,lat,lon,technology,rsrp_dbm"
    )
    ingest(workspace, path, Context(operator="45204"))
    former = committed(workspace).parts[0].path
    age(*workspace.parts.iterdir())
    ingest(workspace, path, Context(operator="45201"))
    assert tidying.tidy(workspace) == []
    age(*workspace.parts.iterdir())
    assert [one.path for one in tidying.tidy(workspace)] == [former]
    assert faults(workspace) == []


def test_the_parts_of_withdrawn_uploads_stay(workspace: Workspace, tmp_path: Path) -> None:
    first, _ = add_logs(workspace, tmp_path, 1, 2)
    uploads.withdraw(workspace, first, "sai máy đo")
    age(*workspace.parts.iterdir())
    assert tidying.tidy(workspace, AT_ONCE) == []
    uploads.restore(workspace, first)
    assert counted(workspace) == 40


def test_a_part_that_is_tidied_while_it_comes_into_use_is_written_once_more(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parts, written = uploads._write_parts, []

    def tidied_away(*arguments: object) -> dict:
        row = write_parts(*arguments)  # type: ignore[arg-type]
        written.append(row)
        if len(written) == 1:
            age(*workspace.parts.iterdir())
            assert len(tidying.tidy(workspace)) == 2
        return row

    monkeypatch.setattr(uploads, "_write_parts", tidied_away)
    add_logs(workspace, tmp_path, 1)
    assert len(written) == 2
    assert faults(workspace) == []
    assert counted(workspace) == 20


def test_former_states_of_layers_go_a_day_after_they_were_replaced(
    workspace: Workspace, tmp_path: Path
) -> None:
    origin = log(tmp_path)
    for which in ("old", "new"):
        layers.save_layer(workspace, "power", pd.DataFrame({"village_id": [which]}), origin)
    layers.save_layer(workspace, "village_power", pd.DataFrame({"village_id": ["x"]}), origin)
    record = layers.origins(workspace)
    parts = list(workspace.places.glob("*.parquet"))
    age(*parts)
    assert tidying.tidy(workspace) == []  # replaced just now: somebody may be reading it
    age(*workspace.places.iterdir())
    (gone,) = tidying.tidy(workspace)
    assert (gone.kind, gone.path.name) not in {("layer", one["part"]) for one in record.values()}
    assert layers.load_table(workspace, "power")["village_id"].tolist() == ["new"]
    assert layers.load_table(workspace, "village_power")["village_id"].tolist() == ["x"]


def test_of_a_layer_whose_record_is_damaged_nothing_goes(workspace: Workspace, tmp_path: Path) -> None:
    layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["x"]}), log(tmp_path))
    (workspace.places / "power.json").write_text("{")
    assert tidying.tidy(workspace, AT_ONCE) == []


def test_drafts_go_wherever_they_lie_and_other_files_stay(workspace: Workspace, tmp_path: Path) -> None:
    add_logs(workspace, tmp_path, 1)
    drafts = [
        workspace.parts / ".x.part",
        workspace.places / ".dem.abcd",
        workspace.snapshots / ".0123.abcd",
        workspace.root / "archive" / ".backup.x",
        workspace.root / ".criteria.toml.x.part",
    ]
    for path in drafts:
        path.write_bytes(b"x") if path.suffix == ".part" else path.mkdir()
    strangers = [workspace.root / ".gitignore", workspace.parts / "README.txt", workspace.root / "notes"]
    for path in strangers:
        path.write_bytes(b"x")
    age(*drafts, *strangers)
    assert {one.path for one in tidying.tidy(workspace)} == set(drafts)
    assert all(path.exists() for path in strangers)
    assert faults(workspace) == []


def test_a_retried_delivery_does_not_expire(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = in_every_state(workspace)
    now = tidying.now_utc()
    monkeypatch.setattr(tidying, "now_utc", lambda: now + timedelta(days=8))
    age(workspace.incoming / sent["receiving"].delivery_id)
    expired = deliveries.expired

    def retried_meanwhile(*arguments: object) -> list:
        late = expired(*arguments)  # type: ignore[arg-type]
        deciding.retry(workspace, sent["refused"].delivery_id)
        return late

    monkeypatch.setattr(deliveries, "expired", retried_meanwhile)
    assert tidying.forget_expired(workspace) == [sent["receiving"].delivery_id]
    assert deliveries.show(workspace, sent["refused"].delivery_id).state == "received"
    assert faults(workspace) == []


def test_what_is_still_coming_does_not_expire(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "KEPT", timedelta(0))
    coming = receiving.begin(workspace, "a.csv", Context())
    deliveries.part(workspace, coming.delivery_id).write_bytes(b"time,")
    assert tidying.forget_expired(workspace) == []
    age(workspace.incoming / coming.delivery_id)
    assert tidying.forget_expired(workspace) == [coming.delivery_id]


def test_one_that_another_counts_on_does_not_expire(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send(workspace, bytes(range(256)) * 9)
    assert send(workspace, bytes(range(256)) * 9).same_as == first.delivery_id
    work.run_due(workspace)
    now = tidying.now_utc()
    monkeypatch.setattr(tidying, "now_utc", lambda: now + timedelta(days=8))
    assert deliveries.show(workspace, first.delivery_id).state == "refused"
    assert tidying.forget_expired(workspace) == []


def test_the_worker_tidies(workspace: Workspace) -> None:
    left = workspace.parts / ".x.part"
    left.write_bytes(b"x")
    age(left)
    stop = threading.Event()
    thread = threading.Thread(target=work.work, args=(workspace, stop))
    thread.start()
    for _ in range(200):
        if not left.exists():
            break
        stop.wait(0.05)
    stop.set()
    thread.join()
    assert not left.exists()


def test_leftovers_are_only_looked_at_by_whoever_asks(workspace: Workspace) -> None:
    (workspace.parts / ".x.part").write_bytes(b"x")
    with reading(workspace.manifest) as connection:
        found = tidying.leftovers(workspace, connection, AT_ONCE)
    assert [one.path.name for one in found] == [".x.part"]
    assert (workspace.parts / ".x.part").exists()


# --- the disk ------------------------------------------------------------------------------------

MOUNTS = """22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:50 / /mnt rw shared:2 - ext4 /dev/vdb rw
31 30 0:51 / {point} rw,relatime shared:3 - {kind} server:/data rw
40 22 0:52 / /mnt/nas/own rw - xfs /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("kind", "point", "folder", "refused"),
    [
        ("nfs4", "/mnt/nas", "/mnt/nas/phusong", True),
        ("cifs", "/mnt/nas", "/mnt/nas", True),
        ("9p", "/mnt/nas", "/mnt/nas/a/b", True),
        ("fuse.sshfs", "/mnt/n\\040as", "/mnt/n as/x", True),
        ("nfs", "/mnt/nas", "/mnt/nas2", False),
        ("nfs", "/mnt/nas", "/mnt/nas/own/x", False),
        ("nfs", "/", "/srv", True),  # of two mounted at one point the later one is seen
        ("btrfs", "/mnt/nas", "/mnt/nas/x", False),
    ],
)
def test_a_network_file_system_is_no_place_for_sqlite(
    tmp_path: Path, kind: str, point: str, folder: str, refused: bool
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(kind=kind, point=point))
    if not refused:
        refuse_network(Path(folder), mounts)
        return
    with pytest.raises(InputError, match="PHUSONG_MANIFEST") as fault:
        refuse_network(Path(folder), mounts)
    assert kind in fault.value.en


def test_elsewhere_than_on_linux_nobody_asks(tmp_path: Path) -> None:
    refuse_network(tmp_path, tmp_path / "absent")


def test_a_workspace_is_not_opened_on_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_file_system", lambda *_: "nfs4")
    with pytest.raises(InputError, match="nfs4"):
        open_workspace(tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_without_room_no_layer_and_no_snapshot_is_saved(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, origin = snapshot(), log(tmp_path)
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "999999999")
    with pytest.raises(DiskFull):
        layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["x"]}), origin)
    with pytest.raises(DiskFull):
        layers.save_raster(workspace, "dem", lambda _: None, origin, {})
    with pytest.raises(DiskFull):
        saved.save(workspace.snapshots, made)
    assert not list(workspace.places.iterdir()) + list(workspace.snapshots.iterdir())


# --- the commands --------------------------------------------------------------------------------


def test_who_withdraws_stands_in_the_history_and_is_told_when_maps_change(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (upload_id,) = add_logs(workspace, tmp_path, 1)
    monkeypatch.setenv("LOGNAME", "binh")
    here = ("-w", workspace.root)
    done = run(
        "uploads", "withdraw", upload_id, "--reason", "thử", "--by", "An", *here, "--json", cwd=tmp_path
    )
    assert "phusong assess" in done.stderr
    assert run("uploads", "restore", upload_id, *here, cwd=tmp_path).returncode == 0
    events = uploads.show(workspace, upload_id)["events"]
    assert [(one["action"], one["by"]) for one in events[1:]] == [("withdrawn", "An"), ("restored", "binh")]


def test_the_worker_and_compaction_as_commands(workspace: Workspace, tmp_path: Path) -> None:
    send(workspace, rows(1).encode())
    done = run("work", "--once", "-w", workspace.root, "--json", cwd=tmp_path)
    assert (done.returncode, '"jobs": 2' in done.stdout) == (0, True)
    path = log(tmp_path)
    assert run("ingest", path, "--campaign", "mùa khô", "-w", workspace.root, cwd=tmp_path).returncode == 0
    contexts = [row["context"]["campaign"] for row in uploads.list_uploads(workspace)]
    assert contexts == [None, "mùa khô"]
    done = run("compact", "-w", workspace.root, "--json", cwd=tmp_path)
    assert (done.returncode, '"parts_before": 2' in done.stdout) == (0, True)
    assert run("compact", "-w", tmp_path / "absent", cwd=tmp_path).returncode == 2


def test_of_the_lie_of_the_land_the_last_used_stay(workspace: Workspace) -> None:
    for number in range(6):
        folder = workspace.ground / f"{number}"
        folders.put(folder, lambda draft: (draft / "a").write_bytes(b"x"))
        age(folder)
        if number < 5:
            os.utime(folder, (OLD - 100 * number, OLD - 100 * number))
    (workspace.ground / ".1.half").mkdir()
    age(workspace.ground / ".1.half")
    os.utime(workspace.ground / "5", (OLD - 1000, OLD - 1000))
    os.utime(workspace.ground / "4")  # used today
    gone = [(one.kind, one.path.name) for one in tidying.tidy(workspace)]
    assert sorted(gone) == [("draft", ".1.half"), ("ground", "2"), ("ground", "3"), ("ground", "5")]
    assert sorted(path.name for path in workspace.ground.iterdir()) == ["0", "1", "4"]


def test_former_ground_of_today_stays(workspace: Workspace) -> None:
    for number in range(5):
        folders.put(workspace.ground / f"{number}", lambda draft: (draft / "a").write_bytes(b"x"))
    assert tidying.tidy(workspace) == []
    assert len(tidying.tidy(workspace, AT_ONCE)) == 2
