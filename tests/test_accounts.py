"""Accounts: passwords, logins and the brake against guessing them, sessions, and people whom others vouch for."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from coverage.archive import accounts, audit, guessing, passwords, sessions
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import ACCOUNTS, FAILED_LOGINS, SESSIONS
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import Caller
from coverage.errors import AccessRefused, Conflict, InputError, NotFound, TooMany

RIGHT, WRONG = "ruộng bậc thang", "không phải đâu nhé"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AN = Caller("An Nguyễn", "planner")
ISSUER = "https://id.lamdong.gov.vn/realms/so"
INSTANT = timedelta(microseconds=1)
QUARTER = timedelta(minutes=15)


class Counting(PasswordHasher):
    """As cheap, and it tells of each verification; `meanwhile` happens before the first is answered."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []
        self.meanwhile = meanwhile

    def verify(self, hash: str, password: str | bytes) -> bool:  # type: ignore[override] # noqa: A002
        self.verified.append(hash)
        if len(self.verified) == 1:
            self.meanwhile()
        return super().verify(hash, password)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def either(tmp_path: Path, manifest_url: str | None) -> Workspace:
    """On each kind of database in turn."""
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    accounts.add(workspace, AN, RIGHT)
    return workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = open_workspace(tmp_path / "w")
    accounts.add(workspace, AN, RIGHT)
    return workspace


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        workspace = open_workspace(tmp_path_factory.mktemp("shared") / "w")
        accounts.add(workspace, AN, RIGHT)
    return workspace


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for module in (accounts, guessing, sessions):
        monkeypatch.setattr(module, "now_utc", lambda: moment)


def stored(workspace: Workspace) -> str:
    with reading(workspace.manifest) as connection:
        return str(connection.execute(select(ACCOUNTS.c.password)).scalar_one())


def count(workspace: Workspace, table: type | object) -> int:
    with reading(workspace.manifest) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def refused(workspace: Workspace, name: str = "An Nguyễn", password: str = WRONG) -> AccessRefused:
    with pytest.raises(AccessRefused) as fault:
        accounts.login(workspace, name, password)
    return fault.value


HONEST = "from coverage.archive import passwords; print(passwords.hashed('An', 'ruong bac thang'))"


def test_the_hash_is_argon2id_with_the_parameters_of_the_rfc() -> None:
    made = subprocess.run([sys.executable, "-c", HONEST], capture_output=True, text=True, check=True).stdout
    said = extract_parameters(made.strip())
    assert (said.type, said.time_cost, said.memory_cost) == (Type.ID, 3, 64 * 1024)


def test_logging_in_gives_a_session(either: Workspace) -> None:
    token = accounts.login(either, "An Nguyễn", RIGHT)
    assert len(token) == 43
    assert accounts.session(either, token) == AN
    accounts.logout(either, token)
    with pytest.raises(AccessRefused):
        accounts.session(either, token)
    accounts.logout(either, token)  # it is no session any more, and that is well


def test_an_operator_s_session_knows_its_network(workspace: Workspace) -> None:
    viettel = Caller("Bình", "operator", "45204")
    accounts.add(workspace, viettel, RIGHT)
    assert accounts.session(workspace, accounts.login(workspace, "bình", RIGHT)) == viettel


@pytest.mark.parametrize(
    "spelt", ["an nguyễn", "AN NGUYỄN", "  An   Nguyễn ", unicodedata.normalize("NFD", "An nguyỄn")]
)
def test_a_name_may_be_spelt_in_any_case_and_form(workspace: Workspace, spelt: str) -> None:
    assert accounts.session(workspace, accounts.login(workspace, spelt, RIGHT)).name == "An Nguyễn"
    with pytest.raises(Conflict):
        accounts.add(
            workspace, Caller(" ".join(unicodedata.normalize("NFC", spelt).split()), "viewer"), RIGHT
        )
    assert [one.role for one in accounts.list_accounts(workspace)] == ["planner"]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_password_may_be_typed_on_any_keyboard(workspace: Workspace, form: str) -> None:
    accounts.login(workspace, "An Nguyễn", unicodedata.normalize(form, RIGHT))  # type: ignore[arg-type]
    refused(workspace, password=RIGHT.upper())


@pytest.mark.parametrize(
    "password",
    [
        "",
        "a2345678901",  # one too short
        "a" + "ô\u0323" * 9 + "b",  # twenty signs, and eleven letters
        "a" * 12,
        "ầ" * 20,
        "An Nguyễn Văn Bình",
        "AN  nguyễn văn bình",
        unicodedata.normalize("NFD", "An Nguyễn Văn Bình"),
        "abcdefghijk\n",
        "abcdefghijk\0",
        "abcdefghijk\ud800",
        "ab" * 501,
    ],
)
def test_a_password_that_is_easily_guessed_or_no_text_is_refused(workspace: Workspace, password: str) -> None:
    name = Caller("An Nguyễn Văn Bình", "viewer")
    with pytest.raises(InputError) as fault:
        accounts.add(workspace, name, password)
    assert not password or password not in str(fault.value)
    assert [one.name for one in accounts.list_accounts(workspace)] == ["An Nguyễn"]


@pytest.mark.parametrize(
    "password", ["a23456789012", "ô\u0323bcdefghijkl", "ab" * 500, "mười hai 12 ký tự", "a" * 11 + "b"]
)
def test_twelve_signs_are_enough_and_a_thousand_not_too_many(workspace: Workspace, password: str) -> None:
    accounts.add(workspace, Caller("Bình", "viewer"), password)
    assert accounts.login(workspace, "Bình", password)
    assert accounts.login(workspace, "Bình", unicodedata.normalize("NFD", password))


def test_nothing_secret_is_kept(either: Workspace) -> None:
    token = accounts.login(either, "An Nguyễn", RIGHT)
    refused(either, "mật khẩu gõ nhầm ô tên")
    for path in either.root.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert token.encode() not in content
        assert RIGHT.encode() not in content
        assert "gõ nhầm".encode() not in content
    with reading(either.manifest) as connection:
        rows = [
            tuple(row)
            for table in (ACCOUNTS, SESSIONS, FAILED_LOGINS)
            for row in connection.execute(select(table))
        ]
    assert not any(secret in f"{rows}" for secret in (token, RIGHT, "gõ nhầm"))
    assert "password" not in vars(accounts.list_accounts(either)[0])


def test_an_unknown_name_is_answered_like_a_wrong_password_after_the_same_work(
    either: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.add_subject(either, Caller("Chi", "viewer"), ISSUER, "c-1")
    accounts.add(either, Caller("Dũng", "viewer"), RIGHT)
    accounts.disable(either, "Dũng")
    answers, work = set(), []
    for name, password in (
        ("An Nguyễn", WRONG),
        ("An Nguyễn", ""),
        ("An Nguyễn", "x" * 10**6),
        ("nobody", RIGHT),
        ("", RIGHT),
        ("\ud800\0", "\ud800"),
        ("Chi", RIGHT),
        ("Chi", ""),
        ("Dũng", RIGHT),
        ("Dũng", WRONG),
    ):
        counting = Counting()
        monkeypatch.setattr(passwords, "HASHER", counting)
        fault = refused(either, name, password)
        answers.add((fault.code, str(fault)))
        work.append([one.split("$")[3] for one in counting.verified])
    assert len(answers) == 1
    assert work == [["m=8,t=1,p=1"]] * 10


def test_a_name_nobody_has_costs_no_more_at_the_first_time_either(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    for name in ("An Nguyễn", "nobody"):
        hasher = Counting()
        monkeypatch.setattr(
            hasher, "hash", lambda *given, hasher=hasher: hashed.append(1) or CHEAP.hash(*given)
        )
        monkeypatch.setattr(passwords, "HASHER", hasher)
        refused(workspace, name)
    assert hashed == [1, 1]


def test_a_hash_of_weaker_parameters_is_renewed_at_the_next_login(
    either: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(either)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    refused(either)
    assert stored(either) == before
    accounts.login(either, "An Nguyễn", RIGHT)
    renewed = stored(either)
    assert renewed.split("$")[3] == "m=16,t=2,p=1"
    accounts.login(either, "An Nguyễn", RIGHT)
    assert stored(either) == renewed


def test_a_damaged_hash_lets_nobody_in(workspace: Workspace) -> None:
    with transaction(workspace.manifest) as connection:
        connection.execute(update(ACCOUNTS).values({ACCOUNTS.c.password: "no hash"}))
    refused(workspace, password=RIGHT)


def test_after_five_failures_the_sixth_try_waits(either: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start = now_utc()
    for minute in range(5):
        at(monkeypatch, start + timedelta(minutes=minute))
        refused(either)
    last = start + timedelta(minutes=4)
    for after, wait_s, said in (
        (timedelta(0), 900, "15"),
        (timedelta(seconds=61), 839, "14"),
        (QUARTER - INSTANT, 1, "1"),
    ):
        at(monkeypatch, last + after)
        for password in (RIGHT, WRONG):
            with pytest.raises(TooMany, match=f"in {said} minutes") as fault:
                accounts.login(either, "an nguyỄn", password)
            assert (fault.value.code, fault.value.wait_s) == ("too_many_logins", wait_s)
            assert f"{said} phút" in fault.value.vi
    at(monkeypatch, last + QUARTER)
    assert accounts.login(either, "An Nguyễn", RIGHT)


def test_the_fifth_try_may_still_be_right(workspace: Workspace) -> None:
    for _ in range(2):
        for _ in range(4):
            refused(workspace)
        assert accounts.login(workspace, "An Nguyễn", RIGHT)  # and it clears the four
    assert count(workspace, FAILED_LOGINS) == 0


def test_after_the_wait_one_more_failure_is_no_sixth(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = now_utc()
    at(monkeypatch, start)
    for _ in range(5):
        refused(workspace)
    at(monkeypatch, start + QUARTER)
    for _ in range(5):
        refused(workspace)
    with pytest.raises(TooMany):
        accounts.login(workspace, "An Nguyễn", RIGHT)


@pytest.mark.parametrize(("minutes", "waits"), [((0, 5, 10, 14, 14.99), True), ((0, 5, 10, 14, 15), False)])
def test_five_failures_count_only_within_fifteen_minutes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, minutes: tuple[float, ...], waits: bool
) -> None:
    start = now_utc()
    for minute in minutes:
        at(monkeypatch, start + timedelta(minutes=minute))
        refused(workspace)
    if waits:
        with pytest.raises(TooMany):
            accounts.login(workspace, "An Nguyễn", RIGHT)
    else:
        assert accounts.login(workspace, "An Nguyễn", RIGHT)


def test_names_that_do_not_exist_wait_as_well_and_hold_up_nobody_else(workspace: Workspace) -> None:
    for name in ("nobody", "nobody", "NOBODY", " nobody", "nobody"):
        refused(workspace, name)
    with pytest.raises(TooMany):
        accounts.login(workspace, "nobody", RIGHT)
    assert accounts.login(workspace, "An Nguyễn", RIGHT)
    with pytest.raises(TooMany):  # a login of somebody else clears nothing
        accounts.login(workspace, "nobody", RIGHT)


def test_old_failures_are_forgotten(either: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start = now_utc()
    at(monkeypatch, start)
    for number in range(7):
        refused(either, f"nobody {number}")
    assert count(either, FAILED_LOGINS) == 7
    at(monkeypatch, start + 2 * QUARTER + INSTANT)
    refused(either)
    assert count(either, FAILED_LOGINS) == 1


GUESSER = """
import sys
from pathlib import Path
from argon2 import PasswordHasher
from coverage.archive import accounts, passwords
from coverage.archive.workspace import open_workspace
from coverage.errors import AccessRefused
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
workspace = open_workspace(Path(sys.argv[1]), manifest_url=sys.argv[2] or None)
for _ in range(5):
    try:
        accounts.login(workspace, "An Nguyễn", "không phải đâu nhé")
    except AccessRefused:
        pass
"""


def test_processes_share_the_brake(either: Workspace) -> None:
    command = [sys.executable, "-c", GUESSER, str(either.root), either.manifest_url or ""]
    subprocess.run(command, check=True)
    with pytest.raises(TooMany):
        accounts.login(either, "An Nguyễn", RIGHT)


def test_many_guesses_at_once_are_no_way_around_the_brake(either: Workspace) -> None:
    def guess(_: int) -> type[Exception]:
        with pytest.raises((AccessRefused, TooMany)) as fault:
            accounts.login(either, "An Nguyễn", WRONG)
        return fault.type

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(12)))
    assert (answers.count(AccessRefused), answers.count(TooMany)) == (5, 7)


def test_a_new_password_lifts_the_brake(workspace: Workspace) -> None:
    for _ in range(5):
        refused(workspace)
    accounts.set_password(workspace, "an nguyễn", "mật khẩu mới tinh")
    assert accounts.login(workspace, "An Nguyễn", "mật khẩu mới tinh")


def test_a_session_ends_after_twelve_idle_hours(either: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start, idle = now_utc(), timedelta(hours=12)
    at(monkeypatch, start)
    token = accounts.login(either, "An Nguyễn", RIGHT)
    at(monkeypatch, start + idle - INSTANT)
    assert accounts.session(either, token) == AN
    at(monkeypatch, start + 2 * idle - 2 * INSTANT)  # it was seen since
    assert accounts.session(either, token) == AN
    at(monkeypatch, start + 3 * idle - 2 * INSTANT)
    with pytest.raises(AccessRefused):
        accounts.session(either, token)


def test_a_session_ends_after_seven_days_however_busy(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = now_utc(), timedelta(days=7)
    at(monkeypatch, start)
    token = accounts.login(workspace, "An Nguyễn", RIGHT)
    for hours in range(6, 7 * 24, 6):
        at(monkeypatch, start + timedelta(hours=hours))
        accounts.session(workspace, token)
    at(monkeypatch, start + end - INSTANT)
    assert accounts.session(workspace, token) == AN
    at(monkeypatch, start + end)
    with pytest.raises(AccessRefused):
        accounts.session(workspace, token)
    accounts.login(workspace, "An Nguyễn", RIGHT)
    assert count(workspace, SESSIONS) == 1  # what is over is forgotten


def test_being_seen_is_written_once_a_minute(either: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    start, seen = now_utc(), []
    at(monkeypatch, start)
    token = accounts.login(either, "An Nguyễn", RIGHT)
    for seconds in (1, 59.999999, 60, 119, 120):
        at(monkeypatch, start + timedelta(seconds=seconds))
        accounts.session(either, token)
        with reading(either.manifest) as connection:
            seen.append(
                (connection.execute(select(SESSIONS.c.seen_utc)).scalar_one() - start).total_seconds()
            )
    assert seen == [0, 0, 60, 60, 120]


def test_nobody_waits_for_a_writer_to_be_let_in(either: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    token, before = accounts.login(either, "An Nguyễn", RIGHT), now_utc()
    at(monkeypatch, before + timedelta(hours=1))
    with transaction(either.manifest):
        assert accounts.session(either, token) == AN
    assert now_utc() - before < timedelta(seconds=5)


@pytest.mark.parametrize("end", [
    lambda workspace: accounts.disable(workspace, "AN NGUYỄN"),
    lambda workspace: accounts.set_password(workspace, "AN NGUYỄN", "mật khẩu mới tinh"),
], ids=["disabled", "password"])  # fmt: skip
def test_all_sessions_of_an_account_end(either: Workspace, end: Callable[[Workspace], object]) -> None:
    accounts.add(either, Caller("Bình", "viewer"), RIGHT)
    tokens = [accounts.login(either, "An Nguyễn", RIGHT) for _ in range(2)]
    other = accounts.login(either, "Bình", RIGHT)
    end(either)
    for token in tokens:
        with pytest.raises(AccessRefused):
            accounts.session(either, token)
    refused(either, password=RIGHT)
    assert accounts.session(either, other).name == "Bình"
    assert count(either, SESSIONS) == 1


def test_a_session_of_a_disabled_account_is_none_even_if_it_was_left(workspace: Workspace) -> None:
    token = accounts.login(workspace, "An Nguyễn", RIGHT)
    with transaction(workspace.manifest) as connection:
        connection.execute(update(ACCOUNTS).values(disabled_utc=now_utc()))
    with pytest.raises(AccessRefused):
        accounts.session(workspace, token)


@pytest.mark.parametrize("what", ["disabled", "password"])
def test_what_changes_while_a_password_is_looked_at_holds(
    either: Workspace, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def meanwhile() -> None:
        if what == "disabled":
            accounts.disable(either, "An Nguyễn")
        else:
            accounts.set_password(either, "An Nguyễn", "mật khẩu mới tinh")

    monkeypatch.setattr(passwords, "HASHER", Counting(meanwhile))
    refused(either, password=RIGHT)
    assert count(either, SESSIONS) == 0


def test_disabling_again_keeps_the_first_time(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first = accounts.disable(workspace, "An Nguyễn")
    assert first.disabled_utc is not None
    at(monkeypatch, now_utc() + timedelta(hours=1))
    assert accounts.disable(workspace, "An Nguyễn") == first
    assert [one.action for one in audit.entries(workspace)] == ["accounts.add", "accounts.disable"]


def test_what_is_not_there_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="Bình"):
        accounts.disable(workspace, "Bình")
    with pytest.raises(NotFound, match="Bình"):
        accounts.set_password(workspace, "Bình", RIGHT)


def test_whom_a_provider_vouches_for_gets_a_session(either: Workspace) -> None:
    chi = Caller("Chi", "viewer")
    accounts.add_subject(either, chi, ISSUER, "c-1")
    token = accounts.of_subject(either, ISSUER, "c-1")
    assert accounts.session(either, token) == chi
    for issuer, subject in (
        (ISSUER, "c-2"),
        (f"{ISSUER}/", "c-1"),
        (ISSUER, "C-1"),
        ("", ""),
        (ISSUER, "\ud800\0"),
    ):
        with pytest.raises(AccessRefused):
            accounts.of_subject(either, issuer, subject)
    accounts.disable(either, "chi")
    for call in (
        lambda: accounts.session(either, token),
        lambda: accounts.of_subject(either, ISSUER, "c-1"),
    ):
        with pytest.raises(AccessRefused):
            call()


def test_a_subject_has_one_account_and_no_password(either: Workspace) -> None:
    accounts.add_subject(either, Caller("Chi", "viewer"), ISSUER, "c-1")
    accounts.add_subject(either, Caller("Dũng", "viewer"), "https://other.vn", "c-1")
    for name, subject in (("CHI", "c-2"), ("Em", "c-1")):
        with pytest.raises(Conflict):
            accounts.add_subject(either, Caller(name, "viewer"), ISSUER, subject)
    with pytest.raises(Conflict, match="lamdong"):
        accounts.set_password(either, "Chi", RIGHT)
    refused(either, "Chi", RIGHT)
    for issuer, subject in (
        ("", "c"),
        ("id.vn", "c"),
        ("javascript:x", "c"),
        (ISSUER, ""),
        (ISSUER, "a b"),
        (ISSUER, "c" * 256),
    ):
        with pytest.raises(InputError):
            accounts.add_subject(either, Caller("Em", "viewer"), issuer, subject)
    assert [one.name for one in accounts.list_accounts(either)] == ["An Nguyễn", "Chi", "Dũng"]


def test_changes_are_recorded_without_passwords(workspace: Workspace) -> None:
    by = audit.By.caller(Caller("Quản trị", "province_admin", key_id="0a1b2c3d"), "192.0.2.7", "r1")
    accounts.set_password(workspace, "an nguyễn", "mật khẩu mới tinh", by)
    accounts.add_subject(workspace, Caller("Chi", "operator", "45204"), ISSUER, "c-1", by)
    accounts.disable(workspace, "Chi")
    added, *rest, last = audit.entries(workspace)
    assert [one.action for one in rest] == ["accounts.password", "accounts.add"]
    assert {(one.caller, one.role, one.key_id, one.address) for one in rest} == {
        ("Quản trị", "province_admin", "0a1b2c3d", "192.0.2.7")
    }
    assert added.about == {"account": "An Nguyễn", "role": "planner", "operator": None, "issuer": None}
    assert last.about == {"account": "Chi", "role": "operator", "operator": "45204", "issuer": ISSUER}
    assert "mật khẩu" not in f"{rest}"


@settings(max_examples=40)
@given(name=st.text(), password=st.text(), token=st.text())
def test_no_made_up_name_password_or_token_gets_in(
    shared: Workspace, name: str, password: str, token: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        for whose in (name, "An Nguyễn"):
            with pytest.raises((AccessRefused, TooMany)):
                accounts.login(shared, whose, password)
    with pytest.raises(AccessRefused):
        accounts.session(shared, token)
