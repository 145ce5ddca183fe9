"""Verification: what was damaged on purpose is found, that and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from keeping import add_logs, faults, in_every_state, judged
from test_cli import run

from coverage import work
from coverage.archive import compaction, deliveries, history, uploads
from coverage.archive.committed import committed
from coverage.archive.durable import sha256
from coverage.archive.verification import parts, verify
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace
from coverage.errors import NotFound


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Uploads in compacted parts and in their own, one withdrawn, one assessment, deliveries in every state."""
    folder = tmp_path_factory.mktemp("whole")
    workspace, ids = judged(folder / "w", folder)
    compaction.compact(workspace)
    uploads.withdraw(workspace, ids[3], "sai máy đo")
    add_logs(workspace, folder, 60, 61)
    in_every_state(workspace)
    assert faults(workspace) == []
    return workspace


@pytest.fixture
def workspace(whole: Workspace, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(whole.root, tmp_path / "w"))


def flip(path: Path, at: int = 40) -> Path:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    return path


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-10])
    return path


def drop(path: Path) -> Path:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return path


def own_part(workspace: Workspace) -> Path:
    return next(part.path for part in committed(workspace).parts if "compacted" not in part.path.name)


def compacted(workspace: Workspace) -> Path:
    return next(part.path for part in committed(workspace).parts if "compacted" in part.path.name)


def outcomes_of(workspace: Workspace) -> Path:
    return workspace.parts / uploads.list_uploads(workspace)[0]["outcomes_part"]


def layer(workspace: Workspace, name: str = "villages") -> Path:
    return workspace.places / str(json.loads((workspace.places / f"{name}.json").read_text())["part"])


def snapshot(workspace: Workspace) -> Path:
    return workspace.snapshots / history.latest_id(workspace)


def bytes_of(workspace: Workspace, state: str, *, held: bool = False) -> Path:
    found = [one for one in deliveries.list_deliveries(workspace) if (one.state, one.held) == (state, held)]
    return deliveries.received_file(workspace, found[0])


def coming(workspace: Workspace) -> Path:
    (one,) = [one for one in deliveries.list_deliveries(workspace) if one.state == "receiving"]
    return deliveries.part(workspace, one.delivery_id)


FILES: list[tuple[str, Callable[[Workspace], Path]]] = [
    ("part_missing", lambda w: drop(own_part(w))),
    ("part_missing", lambda w: drop(compacted(w))),
    ("part_missing", lambda w: drop(outcomes_of(w))),
    ("part_changed", lambda w: flip(own_part(w))),
    ("part_changed", lambda w: flip(compacted(w), -300)),
    ("part_changed", lambda w: flip(outcomes_of(w))),
    ("part_changed", lambda w: cut(own_part(w))),
    ("delivery_missing", lambda w: drop(bytes_of(w, "received"))),
    ("delivery_missing", lambda w: drop(bytes_of(w, "received", held=True))),
    ("delivery_missing", lambda w: drop(bytes_of(w, "refused"))),
    ("delivery_missing", lambda w: drop(bytes_of(w, "failed"))),
    ("delivery_missing", lambda w: drop(coming(w))),
    ("delivery_changed", lambda w: flip(bytes_of(w, "received"))),
    ("delivery_changed", lambda w: cut(bytes_of(w, "received", held=True))),
    ("layer_missing", lambda w: drop(layer(w))),
    ("layer_changed", lambda w: flip(layer(w))),
    ("layer_changed", lambda w: cut(layer(w, "power"))),
    ("layer_changed", lambda w: cut(w.places / "villages.json")),
    ("criteria", lambda w: drop(w.criteria_file)),
    ("criteria", lambda w: cut(w.criteria_file)),
    ("device_key", lambda w: drop(w.device_key_file)),
    ("device_key", lambda w: cut(w.device_key_file)),
    ("manifest_missing", lambda w: drop(w.manifest_file)),
    ("manifest_of_another", lambda w: drop(w.identity_file)),
    ("snapshot_missing", lambda w: drop(snapshot(w))),
]


@pytest.mark.parametrize(("what", "damage"), FILES, ids=range(len(FILES)))
def test_a_damaged_file_is_found_and_nothing_else(
    workspace: Workspace, what: str, damage: Callable[[Workspace], Path]
) -> None:
    path = damage(workspace)
    (found,) = faults(workspace)
    assert (found.severity, found.what) == ("damage", what)
    assert found.where == str(path)


@pytest.mark.parametrize("harm", [flip, cut, drop])
def test_every_file_of_a_snapshot_is_looked_at(workspace: Workspace, harm: Callable[[Path], Path]) -> None:
    folder = snapshot(workspace)
    files = sorted(folder.iterdir())
    assert len(files) == 14
    for file in files:
        if file.name == "SHA256SUMS" and harm is drop:
            continue  # as in a snapshot of a version before
        before = file.read_bytes()
        harm(file)
        (found,) = faults(workspace)
        assert (found.what, found.where) == ("snapshot_changed", str(folder)), file
        file.write_bytes(before)
    assert faults(workspace) == []


# A statement that changes one row, what it is found as, and how often.
ROWS = [
    (
        "UPDATE uploads SET accepted = accepted + 1 WHERE upload_id = :own",
        {"upload_disagrees", "part_disagrees"},
    ),
    (
        "UPDATE uploads SET accepted = accepted + 1, rows = rows + 1 WHERE upload_id = :own",
        {"part_disagrees"},
    ),
    (
        "UPDATE uploads SET accepted = accepted + 1, rows = rows + 1 WHERE upload_id = :moved",
        {"part_disagrees"},
    ),
    ("UPDATE uploads SET rows = rows + 1 WHERE upload_id = :own", {"upload_disagrees"}),
    ("UPDATE uploads SET rejected = 0, quarantined = 1 WHERE upload_id = :own", {"part_disagrees"}),
    ("UPDATE uploads SET sha256 = 'f' || substr(sha256, 2) WHERE upload_id = :own", {"upload_disagrees"}),
    ("UPDATE uploads SET state = 'withdrawn' WHERE upload_id = :own", {"events_disagree"}),
    ("UPDATE uploads SET state = 'committed' WHERE state = 'withdrawn'", {"events_disagree"}),
    ("UPDATE uploads SET state = 'gone' WHERE upload_id = :own", {"events_disagree"}),
    (
        "UPDATE uploads SET outcomes_part = (SELECT outcomes_part FROM uploads WHERE upload_id = :moved) WHERE upload_id = :own",
        {"upload_disagrees", "part_disagrees"},
    ),
    ("UPDATE uploads SET stored_in = NULL WHERE upload_id = :moved", set()),  # its own part is still there
    ("DELETE FROM uploads WHERE upload_id = :own", {"events_disagree"}),
    ("DELETE FROM compacted WHERE upload_id = :moved", {"upload_disagrees", "part_disagrees"}),
    ("DELETE FROM events WHERE action = 'withdrawn'", {"events_disagree"}),
    ("DELETE FROM events WHERE upload_id = :own", {"events_disagree"}),
    ("UPDATE about SET value = '0' WHERE key = 'revision'", {"events_disagree"}),
    ("UPDATE about SET value = 'x' WHERE key = 'revision'", {"manifest_damaged"}),
    ("UPDATE about SET value = '99' WHERE key = 'schema'", {"manifest_damaged"}),
    ("UPDATE about SET value = 'x' WHERE key = 'workspace'", {"manifest_of_another"}),
    ("DELETE FROM jobs WHERE state = 'queued' AND kind = 'ingest'", {"jobs_disagree"}),
    ("UPDATE jobs SET state = 'running' WHERE state = 'queued' AND kind = 'ingest'", {"jobs_disagree"}),
    ("UPDATE jobs SET state = 'done' WHERE state = 'failed'", {"jobs_disagree"}),
    ("UPDATE jobs SET delivery_id = 'x' WHERE state = 'failed'", {"jobs_disagree"}),
    ("UPDATE jobs SET state = 'queued' WHERE kind = 'ingest' AND state = 'done'", {"jobs_disagree"}),
    ("UPDATE deliveries SET state = 'received' WHERE state = 'refused'", {"jobs_disagree"}),
    ("UPDATE deliveries SET sha256 = NULL WHERE state = 'done'", {"delivery_disagrees"}),
    ("UPDATE deliveries SET result = NULL WHERE state = 'done'", {"delivery_disagrees"}),
    ("UPDATE deliveries SET same_as = 'x' WHERE state = 'failed'", {"delivery_disagrees"}),
    ("UPDATE deliveries SET sha256 = 'x' WHERE state = 'failed'", {"delivery_changed"}),
    ("UPDATE snapshots SET snapshot_id = 'x'", {"snapshot_missing"}),
    ("UPDATE snapshots SET revision = 99", {"events_disagree"}),
    ("DROP TABLE jobs", {"manifest_damaged"}),
]


@pytest.mark.parametrize(("statement", "expected"), ROWS, ids=range(len(ROWS)))
def test_an_edited_row_is_found(workspace: Workspace, statement: str, expected: set[str]) -> None:
    rows = [row for row in uploads.list_uploads(workspace) if row["state"] == "committed"]
    own = next(row["upload_id"] for row in rows if row["stored_in"] is None)
    moved = next(row["upload_id"] for row in rows if row["stored_in"])
    with sqlite3.connect(workspace.manifest_file) as connection:
        changed = connection.execute(statement, {"own": own, "moved": moved}).rowcount
        assert changed != 0
    connection.close()
    found = faults(workspace)
    assert {one.what for one in found} == expected
    assert all(one.severity == "damage" for one in found)


def test_a_manifest_with_broken_pages_is_damaged(workspace: Workspace) -> None:
    content = bytearray(workspace.manifest_file.read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    workspace.manifest_file.write_bytes(content)
    (found,) = faults(workspace)
    assert found.what == "manifest_damaged"
    workspace.manifest_file.write_bytes(b"no database at all" * 500)
    (found,) = faults(workspace)
    assert found.what == "manifest_damaged"


def rename_to_its_content(workspace: Workspace, path: Path) -> Path:
    named = path.with_name(f"{path.stem.rpartition('-')[0]}-{sha256(path)[:16]}.parquet")
    path.rename(named)
    with sqlite3.connect(workspace.manifest_file) as connection:
        for column in ("measurements_part", "stored_in"):
            renamed = f"UPDATE uploads SET {column} = ? WHERE {column} = ?"  # noqa: S608
            connection.execute(renamed, (named.name, path.name))
        connection.execute("UPDATE compacted SET part = ? WHERE part = ?", (named.name, path.name))
    connection.close()
    return named


def test_a_part_whose_name_is_right_must_still_keep_the_contract(workspace: Workspace) -> None:
    path = own_part(workspace)
    pq.write_table(pq.read_table(path).drop_columns(["lat"]), path)
    named = rename_to_its_content(workspace, path)
    (found,) = faults(workspace)
    assert (found.what, found.where) == ("part_unreadable", str(named))


def test_rows_that_nobody_knows_of_must_not_lie_in_a_part(workspace: Workspace) -> None:
    path = compacted(workspace)
    table = pq.read_table(path)
    strange = table.slice(0, 1).set_column(0, table.schema.field(0), pa.array(["ffffffffffffffff"]))
    pq.write_table(pa.concat_tables([table, strange]), path)
    named = rename_to_its_content(workspace, path)
    (found,) = faults(workspace)
    assert (found.what, found.where) == ("part_disagrees", str(named))
    assert "ffffffffffffffff: 1 ≠ 0" in found.en


def test_a_mapping_that_cannot_be_read_is_found(workspace: Workspace) -> None:
    workspace.mappings.mkdir()
    (workspace.mappings / "doi_1.toml").write_text("x = ", encoding="utf-8")
    (found,) = faults(workspace)
    assert (found.what, found.where) == ("mapping", str(workspace.mappings))


def test_leftovers_are_named_and_are_no_damage(workspace: Workspace) -> None:
    old = time.time() - 2 * 86_400
    left = {
        "part": workspace.parts / "0000000000000000-measurements-0000000000000000.parquet",
        "draft": workspace.parts / ".0000.part",
        "layer": workspace.places / "villages-0000000000000000.parquet",
        "delivery": workspace.incoming / "unknown",
    }
    for kind, path in left.items():
        path.mkdir() if kind == "delivery" else path.write_bytes(b"x")
    assert faults(workspace) == []  # somebody may just be at it
    for path in [*left.values(), *workspace.places.glob("*.json")]:
        os.utime(path, (old, old))
    found = faults(workspace)
    assert {(one.severity, one.what, one.where) for one in found} == {
        ("leftover", kind, str(path)) for kind, path in left.items()
    }


def test_a_delivery_that_is_read_in_meanwhile_is_no_damage(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = parts.check

    def read_in_first(*arguments: Any) -> Any:
        work.run_one(workspace)
        work.run_one(workspace)
        return check(*arguments)

    monkeypatch.setattr(parts, "check", read_in_first)
    assert faults(workspace) == []


def test_the_command_ends_with_one_on_damage_and_with_nought_on_leftovers(
    workspace: Workspace, tmp_path: Path
) -> None:
    clean = run("verify", "-w", workspace.root, "--json", cwd=tmp_path)
    assert clean.returncode == 0
    assert [one["severity"] for one in orjson.loads(clean.stdout)] == ["attention"]
    (workspace.parts / ".old.part").write_bytes(b"x")
    os.utime(workspace.parts / ".old.part", (0, 0))
    assert run("verify", "-w", workspace.root, cwd=tmp_path).returncode == 0
    path = drop(own_part(workspace))
    damaged = run("verify", "-w", workspace.root, "--json", cwd=tmp_path)
    assert damaged.returncode == 1
    assert [(one["severity"], one["what"]) for one in orjson.loads(damaged.stdout)] == [
        ("damage", "part_missing"),
        ("attention", "delivery_failed"),
        ("leftover", "draft"),
    ]
    told = run("verify", "-w", workspace.root, cwd=tmp_path).stdout
    assert path.name in told
    assert "1 hỏng / damaged, 1 cần xử lý / to be seen to, 1 thừa / left over" in told


def test_a_file_that_could_not_be_read_in_is_named(workspace: Workspace) -> None:
    (found,) = (one for one in verify(workspace) if one.severity == "attention")
    failed = next(one for one in deliveries.list_deliveries(workspace) if one.state == "failed")
    assert (found.what, found.where) == ("delivery_failed", f"deliveries {failed.delivery_id}")
    assert "phusong deliveries retry" in found.vi


def test_looking_mends_nothing_and_makes_no_workspace(workspace: Workspace, tmp_path: Path) -> None:
    drop(workspace.device_key_file)
    assert run("verify", "-w", workspace.root, cwd=tmp_path).returncode == 1
    assert not workspace.device_key_file.exists()
    assert run("verify", "-w", tmp_path / "absent", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "absent").exists()
    with pytest.raises(NotFound, match="absent"):
        existing_workspace(tmp_path / "absent")


def test_a_new_workspace_is_clean(tmp_path: Path) -> None:
    assert faults(open_workspace(tmp_path / "w")) == []
