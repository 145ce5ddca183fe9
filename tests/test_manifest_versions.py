"""Manifests of an earlier version are brought up, newer ones refused; who may ask and who did what go along everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from keeping import add_logs, counted
from sqlalchemy import inspect, select, text

from coverage.archive import accounts, audit, backups, keys, passwords, uploads
from coverage.archive.manifest import reading, transaction
from coverage.archive.schema import ABOUT, METADATA, SCHEMA_VERSION, SINCE_2, tables_at
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused, ArchiveUnavailable, InputError, PhusongError, TooMany

RIGHT, WRONG = "ruộng bậc thang", "không phải đâu nhé"
NEW = {one.name for one in SINCE_2}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    add_logs(workspace, tmp_path, 1, 2)
    return workspace


@pytest.fixture
def former(workspace: Workspace) -> Workspace:
    """As version 1 left it."""
    with transaction(workspace.manifest) as connection:
        METADATA.drop_all(connection, tables=list(SINCE_2))
    say_version(workspace, "1")
    return workspace


def say_version(workspace: Workspace, version: str) -> None:
    with transaction(workspace.manifest) as connection:
        connection.execute(ABOUT.update().where(ABOUT.c.key == "schema").values(value=version))


def version(workspace: Workspace) -> str:
    with reading(workspace.manifest) as connection:
        return str(connection.execute(select(ABOUT.c.value).where(ABOUT.c.key == "schema")).scalar_one())


def tables(workspace: Workspace) -> set[str]:
    with reading(workspace.manifest) as connection:
        return set(inspect(connection).get_table_names())


def rows(workspace: Workspace) -> dict[str, list[tuple]]:
    with reading(workspace.manifest) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
            if table.name in tables_at(version(workspace))
        }


def reopened(workspace: Workspace) -> Workspace:
    return open_workspace(workspace.root, manifest_url=workspace.manifest_url)


def test_a_manifest_of_version_1_gets_the_new_tables_and_keeps_its_rows(former: Workspace) -> None:
    assert tables(former) == tables_at("1") == set(METADATA.tables) - NEW
    before = rows(former)
    opened = reopened(former)
    assert version(opened) == "2" == str(SCHEMA_VERSION)
    assert tables(opened) == set(METADATA.tables)
    after = rows(opened)
    assert {name: after.pop(name) for name in NEW} == {name: [] for name in NEW}
    assert before.pop("about") == [
        row if row[0] != "schema" else ("schema", "1") for row in after.pop("about")
    ]
    assert after == before
    assert counted(opened) == 40
    assert verify(opened) == []
    text_of_key = keys.add(opened, Caller("Đội 1", "field_team"))[1]
    assert keys.check(reopened(opened), text_of_key).name == "Đội 1"


def test_it_is_brought_up_at_once_or_not_at_all(former: Workspace) -> None:
    with transaction(former.manifest) as connection:  # the last of the new names is taken
        connection.execute(text("CREATE INDEX failed_logins_by_name ON uploads (file)"))
    with pytest.raises(PhusongError):
        reopened(former)
    assert version(former) == "1"
    assert tables(former) == tables_at("1")
    with transaction(former.manifest) as connection:
        connection.execute(text("DROP INDEX failed_logins_by_name"))
    assert version(reopened(former)) == "2"


def test_what_is_laid_out_is_opened_while_somebody_writes(workspace: Workspace) -> None:
    with transaction(workspace.manifest):
        assert reopened(workspace).manifest == workspace.manifest


@pytest.mark.parametrize("found", ["3", "0", "", "22"])
def test_a_manifest_of_another_version_is_refused_and_left_as_it_is(former: Workspace, found: str) -> None:
    say_version(former, found)
    with pytest.raises(InputError, match=f"schema {found}"):
        reopened(former)
    assert version(former) == found
    assert tables(former) == tables_at("1")


def test_a_manifest_of_another_workspace_is_refused_and_left_as_it_is(former: Workspace) -> None:
    with transaction(former.manifest) as connection:
        connection.execute(ABOUT.update().where(ABOUT.c.key == "workspace").values(value="ffff"))
    with pytest.raises(InputError, match="ffff"):
        reopened(former)
    assert (version(former), tables(former)) == ("1", tables_at("1"))


def test_a_manifest_of_version_1_is_no_damage_and_stays_as_it_is(former: Workspace) -> None:
    found = existing_workspace(former.root, former.manifest_url)
    assert verify(found) == []
    assert version(found) == "1"
    say_version(found, "2")
    (finding,) = verify(found)
    assert (finding.what, "accounts" in finding.en) == ("manifest_damaged", True)


def test_a_workspace_of_version_1_can_be_backed_up(former: Workspace, tmp_path: Path) -> None:
    backups.backup(existing_workspace(former.root, former.manifest_url), tmp_path / "kept")
    assert version(former) == "1"
    kept = existing_workspace(tmp_path / "kept")
    assert (version(kept), tables(kept), counted(kept)) == ("2", set(METADATA.tables), 40)
    assert verify(kept) == []


def test_a_backup_of_version_1_can_be_restored(
    tmp_path: Path, manifest_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(tmp_path / "w")
    add_logs(workspace, tmp_path, 1)
    backups.backup(workspace, tmp_path / "kept")
    kept = existing_workspace(tmp_path / "kept")
    with transaction(kept.manifest) as connection:
        METADATA.drop_all(connection, tables=list(SINCE_2))
    say_version(kept, "1")
    assert backups.restore(kept.root, tmp_path / "new", manifest_url).findings == []
    new = open_workspace(tmp_path / "new", manifest_url=manifest_url)
    assert (version(new), tables(new), counted(new)) == ("2", set(METADATA.tables), 20)
    assert version(kept) == "1"


def with_callers(workspace: Workspace) -> dict[str, str]:
    """Something in each of the new tables; what must open or not open afterwards."""
    good = keys.add(workspace, Caller("Đội 1", "field_team"))[1]
    keys.check(workspace, good)
    revoked, bad = keys.add(workspace, Caller("Viettel", "operator", "45204"))
    keys.revoke(workspace, revoked.key_id)
    accounts.add(workspace, Caller("An Nguyễn", "planner"), RIGHT)
    accounts.add_subject(workspace, Caller("Chi", "viewer"), "https://id.vn", "c-1")
    token = accounts.login(workspace, "An Nguyễn", RIGHT)
    for _ in range(5):
        with pytest.raises(AccessRefused):
            accounts.login(workspace, "An Nguyễn", WRONG)
    return {"good": good, "bad": bad, "token": token, "head": audit.verify(workspace).head}


def assert_the_same_callers(workspace: Workspace, those: dict[str, str]) -> None:
    assert keys.check(workspace, those["good"]).name == "Đội 1"
    with pytest.raises(AccessRefused):
        keys.check(workspace, those["bad"])
    assert accounts.session(workspace, those["token"]).name == "An Nguyễn"
    with pytest.raises(TooMany):
        accounts.login(workspace, "An Nguyễn", RIGHT)
    assert accounts.session(workspace, accounts.of_subject(workspace, "https://id.vn", "c-1")).name == "Chi"
    assert audit.verify(workspace, those["head"]).broken is None
    assert verify(workspace) == []


def test_who_may_ask_and_who_did_what_go_along_with_backups(tmp_path: Path, postgres_url: str) -> None:
    workspace = open_workspace(tmp_path / "w")
    add_logs(workspace, tmp_path, 1)
    those = with_callers(workspace)
    before = rows(workspace)
    assert all(before[name] for name in NEW)
    backups.backup(workspace, tmp_path / "kept")
    kept = existing_workspace(tmp_path / "kept")
    assert rows(kept) == before
    assert backups.restore(kept.root, tmp_path / "pg", postgres_url).findings == []
    there = open_workspace(tmp_path / "pg", manifest_url=postgres_url)
    assert rows(there) == before
    assert_the_same_callers(there, those)
    with pytest.raises(AccessRefused):
        accounts.login(there, "nobody", WRONG)  # its number is one that is free
    assert audit.record(there, audit.COMMAND_LINE, "keys.add", {}) == len(before["audit"]) + 1
    backups.backup(there, tmp_path / "back")
    assert backups.restore(tmp_path / "back", tmp_path / "again").findings == []
    again = open_workspace(tmp_path / "again")
    assert rows(again) == rows(there)
    assert audit.verify(again).number == len(before["audit"]) + 1
    assert_the_same_callers(again, those)


def test_uploads_and_access_do_not_touch_each_other(workspace: Workspace) -> None:
    before = rows(workspace)
    with_callers(workspace)
    after = rows(workspace)
    assert {name: after[name] for name in tables_at("1")} == {name: before[name] for name in tables_at("1")}
    uploads.withdraw(workspace, uploads.list_uploads(workspace)[0]["upload_id"], "sai máy đo")
    assert {name: rows(workspace)[name] for name in NEW} == {name: after[name] for name in NEW}


def test_a_manifest_that_cannot_be_reached_lets_nobody_in(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    those = with_callers(workspace)
    workspace.manifest_file.rename(tmp_path / "gone")
    (workspace.root / "archive" / "manifest.sqlite").mkdir()
    for call, shown in ((keys.check, those["good"]), (accounts.session, those["token"])):
        with pytest.raises(ArchiveUnavailable):
            call(workspace, shown)
