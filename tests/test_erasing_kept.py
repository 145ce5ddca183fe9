"""What else keeps rows: backups, and manifests of an earlier version, in which nothing could be erased."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from erasures import PHONES, REASON, add, assert_agrees, assert_gone, erased, rows_that_count
from sqlalchemy import inspect, text

from coverage.archive import backups, compaction, erasing, uploads
from coverage.archive.manifest import reading, transaction
from coverage.archive.schema import ABOUT, METADATA, SINCE_2
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace

PHONE = PHONES[0]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = open_workspace(tmp_path / "w")
    add(workspace, tmp_path, 1, 2)
    compaction.compact(workspace)
    add(workspace, tmp_path, 3)
    return workspace


def erase(workspace: Workspace) -> erasing.Erased:
    return erasing.erase_device(workspace, erasing.hash_of(workspace, PHONE), REASON)


def test_the_next_backup_lets_go_of_what_was_erased(workspace: Workspace, tmp_path: Path) -> None:
    kept = backups.backup(workspace, tmp_path / "kept").folder
    before = {path.name for path in (Path(kept) / "archive" / "parts").iterdir()}
    erase(workspace)
    rows = rows_that_count(workspace)
    done = backups.backup(workspace, Path(kept))
    assert (done.copied, done.damaged) == (2, [])
    there = existing_workspace(Path(kept))
    assert len(before - {path.name for path in there.parts.iterdir()}) == 2
    assert_gone(there, PHONE)
    assert_agrees(there)
    restored = backups.restore(Path(kept), tmp_path / "new")
    assert restored.findings == []
    new = open_workspace(tmp_path / "new")
    assert rows_that_count(new) == rows
    assert erased(new) == erased(workspace)
    assert_gone(new, PHONE)


def test_a_backup_that_is_cut_short_keeps_the_former_parts_until_the_new_manifest_is_there(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.backup(workspace, tmp_path / "kept")
    erase(workspace)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("_put_manifest", "_prune"):
        with monkeypatch.context() as patch:
            patch.setattr(backups, step, fail)
            with pytest.raises(OSError, match="No space"):
                backups.backup(workspace, tmp_path / "kept")
        kept = existing_workspace(tmp_path / "kept")
        assert [one for one in verify(kept) if one.severity == "damage"] == []
        assert bool(erased(kept)) == (step == "_prune")
    backups.backup(workspace, tmp_path / "kept")
    assert_gone(existing_workspace(tmp_path / "kept"), PHONE)


@pytest.fixture
def former(tmp_path: Path, manifest_url: str | None) -> Workspace:
    """As version 1 left it: without the column that counts what was erased."""
    workspace = open_workspace(tmp_path / "former", manifest_url=manifest_url)
    add(workspace, tmp_path, 1)
    with transaction(workspace.manifest) as connection:
        METADATA.drop_all(connection, tables=list(SINCE_2))
        connection.execute(text("ALTER TABLE uploads DROP COLUMN erased"))
        connection.execute(ABOUT.update().where(ABOUT.c.key == "schema").values(value="1"))
    return existing_workspace(workspace.root, manifest_url)


def columns(workspace: Workspace) -> set[str]:
    with reading(workspace.manifest) as connection:
        return {one["name"] for one in inspect(connection).get_columns("uploads")}


def test_a_manifest_of_version_1_can_be_verified_and_backed_up_as_it_is(
    former: Workspace, tmp_path: Path
) -> None:
    assert verify(former) == []
    backups.backup(former, tmp_path / "kept")
    assert "erased" not in columns(former)
    kept = existing_workspace(tmp_path / "kept")
    assert "erased" in columns(kept)
    assert verify(kept) == []
    assert backups.restore(kept.root, tmp_path / "new").findings == []


def test_a_backup_of_version_1_can_be_restored(workspace: Workspace, tmp_path: Path) -> None:
    backups.backup(workspace, tmp_path / "kept")
    kept = existing_workspace(tmp_path / "kept")
    with transaction(kept.manifest) as connection:
        METADATA.drop_all(connection, tables=list(SINCE_2))
        connection.execute(text("ALTER TABLE uploads DROP COLUMN erased"))
        connection.execute(ABOUT.update().where(ABOUT.c.key == "schema").values(value="1"))
    assert backups.restore(kept.root, tmp_path / "new").findings == []
    assert erase(open_workspace(tmp_path / "new")).uploads == 3


def test_opened_it_gets_the_column_and_nothing_was_erased(former: Workspace) -> None:
    opened = open_workspace(former.root, manifest_url=former.manifest_url)
    assert "erased" in columns(opened)
    assert [row["erased"] for row in uploads.list_uploads(opened)] == [0]
    assert verify(opened) == []
    assert erasing.erase_before(opened, date(2026, 5, 2), REASON).rows == 6
    assert_agrees(open_workspace(former.root, manifest_url=former.manifest_url))
