"""Keys of teams: shown once, known by a digest alone, and refused alike whatever is wrong with them."""

from __future__ import annotations

import re
import string
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from coverage.archive import audit, keys
from coverage.archive.keys import Key
from coverage.archive.manifest import now_utc, reading, transaction
from coverage.archive.schema import KEYS
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import ROLES, Caller, folded, plain_name
from coverage.errors import AccessRefused, InputError, NotFound, PhusongError

TEAM = Caller("Đội 1", "field_team")
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    return open_workspace(tmp_path / "w", manifest_url=manifest_url)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_workspace(tmp_path_factory.mktemp("shared") / "w")


@pytest.fixture(scope="module")
def text(shared: Workspace) -> str:
    return keys.add(shared, TEAM)[1]


def only(workspace: Workspace) -> Key:
    (key,) = keys.list_keys(workspace)
    return key


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(keys, "now_utc", lambda: moment)


@pytest.mark.parametrize("role", ROLES)
def test_a_caller_of_each_role(role: str) -> None:
    operator = "45204" if role == "operator" else None
    assert Caller("Đội 1", role, operator).operator == operator


@pytest.mark.parametrize(
    ("name", "role", "operator"),
    [
        ("", "viewer", None),
        (" Đội 1", "viewer", None),
        ("Đội  1", "viewer", None),
        ("Đo\u0323\u0302i", "viewer", None),  # letters and marks apart
        ("Đội\u20281", "viewer", None),
        ("Đội\x1b[31m", "viewer", None),
        ("Đội \ud800", "viewer", None),
        ("a" * 101, "viewer", None),
        ("Đội 1", "admin", None),
        ("Đội 1", "Viewer", None),
        ("Đội 1", "", None),
        ("Đội 1", "operator", None),
        ("Đội 1", "operator", ""),
        ("Đội 1", "operator", "Viettel"),
        ("Đội 1", "operator", "4520"),
        ("Đội 1", "operator", "4520400"),
        ("Đội 1", "operator", "45204\n"),
        ("Đội 1", "operator", "४५२०४"),
        ("Đội 1", "planner", "45204"),
        ("Đội 1", "viewer", ""),
    ],
)
def test_a_caller_that_cannot_be_is_refused_in_both_languages(
    name: str, role: str, operator: str | None
) -> None:
    with pytest.raises(InputError) as refused:
        Caller(name, role, operator)
    assert refused.value.vi
    assert refused.value.en
    refused.value.en.encode()  # it can be printed, whatever was given


def test_names_are_kept_composed_and_meet_whatever_their_case() -> None:
    apart, composed = "  đô\u0323i \t mô\u0323t ", "đội một"
    assert plain_name(apart) == composed
    assert plain_name("a" * 100) == "a" * 100
    assert folded(apart) == folded("ĐỘI MỘT") == folded(composed)
    assert folded("đội mốt") != folded(composed)  # tones count


def test_a_key_opens_for_its_team(workspace: Workspace) -> None:
    key, text = keys.add(workspace, Caller("VNPT Đà Lạt", "operator", "45202"), days=30)
    assert re.fullmatch(rf"ps_{key.key_id}_[A-Za-z0-9_-]{{43}}", text)
    assert keys.check(workspace, text) == Caller("VNPT Đà Lạt", "operator", "45202", key.key_id)
    assert key.expires_utc - key.created_utc == timedelta(days=30)
    assert (only(workspace).name, only(workspace).operator) == ("VNPT Đà Lạt", "45202")


def test_two_keys_of_one_team_are_two(workspace: Workspace) -> None:
    (one, first), (two, second) = keys.add(workspace, TEAM), keys.add(workspace, TEAM)
    assert one.key_id != two.key_id
    keys.revoke(workspace, one.key_id)
    assert keys.check(workspace, second).key_id == two.key_id
    with pytest.raises(AccessRefused):
        keys.check(workspace, first)
    assert [key.key_id for key in keys.list_keys(workspace)] == [one.key_id, two.key_id]


def test_the_secret_is_nowhere(workspace: Workspace) -> None:
    secret = keys.add(workspace, TEAM)[1][len("ps_00000000_") :]
    with reading(workspace.manifest) as connection:
        rows = [tuple(row) for row in connection.execute(select(KEYS))]
    assert secret not in f"{rows}{audit.entries(workspace)}"
    for path in workspace.root.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()
    assert "secret" not in "".join(vars(only(workspace)))


def test_a_key_lasts_a_year_unless_told_otherwise(workspace: Workspace) -> None:
    key, _ = keys.add(workspace, TEAM)
    assert key.expires_utc - key.created_utc == timedelta(days=365)


@pytest.mark.parametrize("days", [0, -1, 3651, 10**12])
def test_a_key_that_ends_today_or_in_another_age_is_refused(workspace: Workspace, days: int) -> None:
    with pytest.raises(InputError, match=str(days)):
        keys.add(workspace, TEAM, days)
    assert keys.list_keys(workspace) == []
    assert audit.entries(workspace) == []


@pytest.mark.parametrize("days", [1, 3650])
def test_a_key_may_last_a_day_or_ten_years(workspace: Workspace, days: int) -> None:
    assert keys.check(workspace, keys.add(workspace, TEAM, days)[1]).name == "Đội 1"


def test_a_key_expires_at_its_moment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    key, text = keys.add(workspace, TEAM, days=1)
    at(monkeypatch, key.expires_utc - INSTANT)
    assert keys.check(workspace, text).name == "Đội 1"
    assert only(workspace).state(key.expires_utc - INSTANT) == "active"
    at(monkeypatch, key.expires_utc)
    with pytest.raises(AccessRefused):
        keys.check(workspace, text)
    assert only(workspace).state(key.expires_utc) == "expired"


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (expired, old), (revoked, taken) = keys.add(workspace, TEAM, days=1), keys.add(workspace, TEAM, days=9)
    good = keys.add(workspace, TEAM, days=9)[1]
    keys.revoke(workspace, revoked.key_id)
    at(monkeypatch, expired.expires_utc)
    unknown = f"ps_{int(good[3:11], 16) ^ 1:08x}{good[11:]}"
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    other = good[:12] + old[12:]  # the secret of another key
    malformed = (
        "",
        "ps_",
        good[:-1],
        f"{good}A",
        f" {good}",
        f"{good}\n",
        good.upper(),
        good[3:],
        "x" * 10**6,
    )
    odd = ("\ud800", "\0", good.replace("_", "\uff3f", 1), "ps_' OR 1=1 --_" + "a" * 43)
    answers = set()
    for text in (unknown, wrong, other, old, taken, *malformed, *odd):
        with pytest.raises(AccessRefused) as refused:
            keys.check(workspace, text)
        answers.add((refused.value.code, str(refused.value)))
    assert len(answers) == 1
    assert answers.pop()[0] == "unauthenticated"
    assert keys.check(workspace, good).name == "Đội 1"


def test_a_revoked_key_keeps_when_it_was_first_revoked(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = keys.add(workspace, TEAM)
    first = keys.revoke(workspace, key.key_id)
    assert first.revoked_utc is not None
    at(monkeypatch, now_utc() + HOUR)
    assert keys.revoke(workspace, key.key_id) == first == only(workspace)
    assert first.state(now_utc()) == "revoked"
    assert [one.action for one in audit.entries(workspace)] == ["keys.add", "keys.revoke"]


def test_an_unknown_key_cannot_be_revoked(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="0badc0de"):
        keys.revoke(workspace, "0badc0de")
    assert audit.entries(workspace) == []


def test_use_is_noted_once_an_hour(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    text, start, noted = keys.add(workspace, TEAM)[1], now_utc(), []
    assert only(workspace).last_used_utc is None
    for after in (timedelta(0), HOUR - INSTANT, HOUR, HOUR + INSTANT, -HOUR, 2 * HOUR):
        at(monkeypatch, start + after)
        keys.check(workspace, text)
        last = only(workspace).last_used_utc
        assert last is not None
        noted.append(last - start)
    assert noted == [timedelta(0), timedelta(0), HOUR, HOUR, HOUR, 2 * HOUR]


def test_a_refused_key_is_not_noted_as_used(workspace: Workspace) -> None:
    key, text = keys.add(workspace, TEAM)
    keys.revoke(workspace, key.key_id)
    for refused in (text, text[:-1] + "!"):
        with pytest.raises(AccessRefused):
            keys.check(workspace, refused)
    assert only(workspace).last_used_utc is None


def test_nobody_waits_for_a_writer_to_be_let_in(workspace: Workspace) -> None:
    text, before = keys.add(workspace, TEAM)[1], now_utc()
    with transaction(workspace.manifest):
        assert keys.check(workspace, text).name == "Đội 1"
    assert now_utc() - before < timedelta(seconds=5)
    keys.check(workspace, text)
    assert only(workspace).last_used_utc is not None


def test_changes_are_recorded_with_who_made_them(workspace: Workspace) -> None:
    by = audit.By("An", "province_admin", address="192.0.2.7", request_id="r1")
    key, _ = keys.add(workspace, Caller("Viettel", "operator", "45204"), by=by)
    keys.revoke(workspace, key.key_id)
    added, revoked = audit.entries(workspace)
    assert (added.action, added.caller, added.address) == ("keys.add", "An", "192.0.2.7")
    assert (revoked.action, revoked.caller, revoked.role) == ("keys.revoke", "command line", None)
    expires = f"{key.expires_utc.isoformat(timespec='seconds')}Z"
    about = {"key_id": key.key_id, "team": "Viettel", "role": "operator", "operator": "45204"}
    assert added.about == revoked.about == about | {"expires_utc": expires}


def test_a_key_is_made_and_recorded_or_neither(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PhusongError("hỏng", "broken")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(PhusongError, match="broken"):
        keys.add(workspace, TEAM)
    assert keys.list_keys(workspace) == []


@settings(max_examples=60)
@given(st.text() | st.from_regex(r"ps_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_made_up_text_is_a_key(shared: Workspace, made_up: str) -> None:
    with pytest.raises(AccessRefused):
        keys.check(shared, made_up)


@settings(max_examples=60)
@given(data=st.data())
def test_a_key_with_one_letter_changed_is_none(shared: Workspace, text: str, data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "-_ ").filter(text[where].__ne__)
    )
    with pytest.raises(AccessRefused):
        keys.check(shared, text[:where] + letter + text[where + 1 :])
    assert keys.check(shared, text).name == "Đội 1"
