"""The command line of access: keys are printed once, passwords never, and each change is in the audit log."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from test_cli import PHUSONG, run

from coverage.archive import accounts, audit, keys, passwords
from coverage.archive.manifest import transaction
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused

RIGHT = "ruộng bậc thang"
_ANSWERS_S = 60


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    open_workspace(tmp_path / "workspace")
    return tmp_path


def opened(here: Path) -> Workspace:
    return open_workspace(here / "workspace")


def typed(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))


def shown(*arguments: object, cwd: Path) -> Any:
    done = run(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def actions(here: Path) -> list[tuple[str, str]]:
    return [(one.caller, one.action) for one in audit.entries(opened(here))]


def test_a_key_is_printed_once_and_opens(here: Path) -> None:
    done = run("keys", "add", "  Đội  1 ", "--role", "field_team", cwd=here)
    assert done.returncode == 0
    (printed,) = done.stdout.splitlines()
    caller = keys.check(opened(here), printed)
    assert (caller.name, caller.role, caller.operator) == ("Đội 1", "field_team", None)
    assert "không xem lại được" in done.stderr
    assert "cannot be shown again" in done.stderr
    assert printed not in done.stderr
    secret = printed[12:]
    for command in (
        ("keys", "list"),
        ("keys", "list", "--json"),
        ("audit", "list"),
        ("audit", "list", "--json"),
    ):
        assert secret not in run(*command, cwd=here).stdout
    assert actions(here) == [("command line", "keys.add")]


@pytest.mark.parametrize("operator", ["45204", "Viettel", "viettel", "452-04"])
def test_an_operator_is_known_by_code_or_name(here: Path, operator: str) -> None:
    made = shown("keys", "add", "VT", "--role", "operator", "--operator", operator, "--days", "30", cwd=here)
    assert keys.check(opened(here), made["key"]).operator == "45204"
    (listed,) = shown("keys", "list", cwd=here)
    assert (listed["operator"], listed["state"], listed["last_used_utc"] is None) == (
        "45204",
        "active",
        False,
    )
    assert "key" not in listed
    assert (made["expires_utc"], made["key_id"]) == (listed["expires_utc"], listed["key_id"])


def test_a_revoked_key_opens_no_more_and_is_listed_so(here: Path) -> None:
    made = shown("keys", "add", "Đội 1", "--role", "viewer", cwd=here)
    first = shown("keys", "revoke", made["key_id"], cwd=here)
    assert shown("keys", "revoke", made["key_id"], cwd=here) == first
    with pytest.raises(AccessRefused):
        keys.check(opened(here), made["key"])
    listed = run("keys", "list", cwd=here).stdout
    assert made["key_id"] in listed
    assert "revoked" in listed
    assert actions(here) == [("command line", "keys.add"), ("command line", "keys.revoke")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("keys", "add", "Đội 1", "--role", "admin"), "field_team"),
        (("keys", "add", "Đội 1", "--role", "operator"), "MCC+MNC"),
        (("keys", "add", "Đội 1", "--role", "operator", "--operator", "Vietel"), "Viettel (45204)"),
        (("keys", "add", "Đội 1", "--role", "viewer", "--operator", "Viettel"), "45204"),
        (("keys", "add", "  ", "--role", "viewer"), "1 to 100"),
        (("keys", "add", "Đội 1", "--role", "viewer", "--days", "0"), "0 days"),
        (("keys", "add", "Đội 1", "--role", "viewer", "--days", "-1"), "-1 days"),
        (("keys", "add", "Đội 1"), "--role"),
        (("keys", "revoke", "0badc0de"), "0badc0de"),
        (("accounts", "disable", "Bình"), "Bình"),
        (("accounts", "add", "Chi", "--role", "viewer", "--oidc-issuer", "https://id.vn"), "OIDC"),
        (("accounts", "add", "Chi", "--role", "viewer", "--oidc-subject", "c-1"), "OIDC"),
        (
            ("accounts", "add", "Chi", "--role", "viewer", "--oidc-issuer", "https://id.vn", "--oidc-subject", "c", "--password-stdin"),
            "not both",
        ),
        (("audit", "verify", "--head", "3"), "NUMBER:HASH"),
        (("audit", "list", "--since", "yesterday"), "yesterday"),
        (("audit", "list", "--limit", "0"), "--limit"),
        (("audit", "export"), "--output"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_ends_with_two_and_changes_nothing(
    here: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = run(*arguments, cwd=here)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert (keys.list_keys(opened(here)), accounts.list_accounts(opened(here)), actions(here)) == ([], [], [])


def test_no_key_is_made_in_a_mistyped_folder(here: Path) -> None:
    for command in (("keys", "add", "Đội 1", "--role", "viewer"), ("accounts", "list"), ("audit", "verify")):
        done = run(*command, "-w", "wokspace", cwd=here)
        assert (done.returncode, "wokspace" in done.stderr) == (2, True)
    assert not (here / "wokspace").exists()


def test_an_account_with_a_password_from_stdin(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, f"{RIGHT}\r\nwhat follows is no part of it\n")
    added = run("accounts", "add", "An Nguyễn", "--role", "planner", "--password-stdin", cwd=here)
    assert added.returncode == 0, added.stderr
    token = accounts.login(opened(here), "an nguyễn", RIGHT)
    typed(monkeypatch, "mật khẩu mới tinh")
    changed = run("accounts", "password", "AN NGUYỄN", "--password-stdin", cwd=here)
    assert changed.returncode == 0, changed.stderr
    with pytest.raises(AccessRefused):
        accounts.session(opened(here), token)
    assert accounts.login(opened(here), "An Nguyễn", "mật khẩu mới tinh")
    for done in (added, changed):
        assert RIGHT not in done.stdout + done.stderr
        assert "mới tinh" not in done.stdout + done.stderr
    assert actions(here) == [("command line", "accounts.add"), ("command line", "accounts.password")]


@pytest.mark.parametrize("password", ["", "\n", "ngắn quá\n", "An Nguyễn Văn An\n"])
def test_a_password_that_is_easily_guessed_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    typed(monkeypatch, password)
    done = run("accounts", "add", "An Nguyễn Văn An", "--role", "planner", "--password-stdin", cwd=here)
    assert (done.returncode, "Mật khẩu" in done.stderr) == (2, True)
    assert accounts.list_accounts(opened(here)) == []


PROMPT = re.compile(rb"(?:password|confirmation): ")


def at_a_terminal(here: Path, *arguments: str, types: list[str]) -> tuple[int, str]:
    """The exit code, and all that stood on the terminal, where each line was typed after the prompt for it."""
    ours, theirs = pty.openpty()
    command = [*PHUSONG, *arguments, "-w", str(here / "workspace")]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen, typed_so_far = b"", 0
    with suppress(OSError):  # the process has closed its end
        while select.select([ours], [], [], _ANSWERS_S)[0]:
            seen += os.read(ours, 4096)
            if typed_so_far < min(len(types), len(PROMPT.findall(seen))):
                os.write(ours, types[typed_so_far].encode() + b"\n")
                typed_so_far += 1
    os.close(ours)
    process.kill()
    return process.wait(), seen.decode()


def test_a_password_is_asked_for_twice_and_not_shown(here: Path) -> None:
    code, seen = at_a_terminal(here, "accounts", "add", "An", "--role", "planner", types=[RIGHT, RIGHT])
    assert code == 0, seen
    assert seen.count("password") >= 2
    assert RIGHT not in seen
    assert accounts.session(opened(here), accounts.login(opened(here), "An", RIGHT)) == Caller(
        "An", "planner"
    )


def test_two_different_passwords_are_asked_for_again(here: Path) -> None:
    types = [RIGHT, "ruộng bậc thang!", "mật khẩu mới tinh", "mật khẩu mới tinh"]
    code, seen = at_a_terminal(here, "accounts", "add", "An", "--role", "planner", types=types)
    assert code == 0, seen
    assert accounts.login(opened(here), "An", "mật khẩu mới tinh")


def test_an_account_of_a_provider_and_its_end(here: Path) -> None:
    oidc = ("--oidc-issuer", "https://id.vn", "--oidc-subject", "c-1")
    added = shown("accounts", "add", "Chi", "--role", "operator", "--operator", "VinaPhone", *oidc, cwd=here)
    assert (added["operator"], added["issuer"], added["subject"]) == ("45202", "https://id.vn", "c-1")
    assert accounts.of_subject(opened(here), "https://id.vn", "c-1")
    assert run("accounts", "add", "chi", "--role", "viewer", *oidc, cwd=here).returncode == 1
    ended = shown("accounts", "disable", "CHI", cwd=here)
    assert shown("accounts", "list", cwd=here) == [ended]
    assert ended["disabled_utc"]
    assert "disabled" in run("accounts", "list", cwd=here).stdout
    with pytest.raises(AccessRefused):
        accounts.of_subject(opened(here), "https://id.vn", "c-1")
    assert actions(here) == [("command line", "accounts.add"), ("command line", "accounts.disable")]


@pytest.fixture
def logged(here: Path) -> Path:
    for number in range(4):
        audit.record(opened(here), audit.By(f"Đội {number}"), "uploads.add", {"upload_id": f"{number:016x}"})
    return here


def test_the_log_is_listed(logged: Path) -> None:
    lines = run("audit", "list", cwd=logged).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]
    assert "Đội 3" in lines[3]
    assert '{"upload_id":"0000000000000003"}' in lines[3]
    assert [one["number"] for one in shown("audit", "list", "--limit", 2, cwd=logged)] == [3, 4]
    assert [one["number"] for one in shown("audit", "list", "--since", 2, "--limit", 2, cwd=logged)] == [2, 3]
    third = shown("audit", "list", "--since", 3, "--limit", 1, cwd=logged)[0]
    for moment in (third["at_utc"], third["at_utc"].replace("Z", "+00:00"), third["at_utc"][:-1]):
        assert shown("audit", "list", "--since", moment, cwd=logged)[0] == third
    assert shown("audit", "list", "--since", "2999-01-01", cwd=logged) == []
    assert len(shown("audit", "list", "--since", "2026-01-01", cwd=logged)) == 4
    assert shown("audit", "list", "--since", "9" * 30, cwd=logged) == []
    assert run("audit", "list", "--since", "²", cwd=logged).returncode == 2


def test_the_log_is_verified_and_its_head_can_be_noted(logged: Path) -> None:
    done = run("audit", "verify", cwd=logged)
    assert (done.returncode, done.stderr) == (0, "")
    head = done.stdout.strip()
    assert head == audit.verify(opened(logged)).head
    assert run("audit", "verify", "--head", head, cwd=logged).returncode == 0
    with transaction(opened(logged).manifest) as connection:
        connection.execute(text("DELETE FROM audit WHERE number = 4"))
    assert run("audit", "verify", cwd=logged).returncode == 0
    gone = run("audit", "verify", "--head", head, cwd=logged)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "dòng 4 không còn" in gone.stderr
    assert "row 4 is missing" in gone.stderr
    with transaction(opened(logged).manifest) as connection:
        connection.execute(text("UPDATE audit SET caller = 'x' WHERE number = 2"))
    changed = run("audit", "verify", "--json", cwd=logged)
    assert changed.returncode == 1
    assert (json.loads(changed.stdout)["broken"], json.loads(changed.stdout)["fault"]) == (2, "changed")
    assert "row 2 was changed" in changed.stderr
    damaged = run("verify", cwd=logged)
    assert damaged.returncode == 1
    assert "audit_disagrees" in damaged.stdout


def test_the_log_is_exported(logged: Path) -> None:
    assert shown("audit", "export", "-o", "audit.jsonl", cwd=logged) == {"file": "audit.jsonl", "rows": 4}
    rows = [json.loads(line) for line in (logged / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["about"]["upload_id"] for row in rows] == [f"{number:016x}" for number in range(4)]
    assert rows == shown("audit", "list", cwd=logged)


def test_the_commands_need_no_heavy_libraries(here: Path) -> None:
    code = "import sys; sys.argv = ['phusong', 'keys', 'add', 'Đội', '--role', 'viewer']\nfrom coverage.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('folium', 'fastapi', 'duckdb', 'ibis', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
