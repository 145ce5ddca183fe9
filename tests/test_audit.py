"""The audit log: gap-free, chained, written by many at once; every row that is tampered with is named."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from coverage.archive import audit
from coverage.archive.audit import BEFORE_THE_FIRST, By, Chain
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import AUDIT
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, open_workspace
from coverage.callers import Caller
from coverage.errors import ArchiveDamaged, ContractBroken, InputError, PhusongError

AN = By("An", "planner", "0a1b2c3d", "192.0.2.7", "r1")
ROWS = 6


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    return open_workspace(tmp_path / "w", manifest_url=manifest_url)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    with transaction(workspace.manifest) as connection:
        for number in range(ROWS):
            audit.record(connection, AN, "uploads.withdraw", {"upload_id": f"{number:016x}", "status": 200})
    assert audit.verify(workspace).broken is None
    return workspace


def sql(connection: Connection, statement: str, **values: object) -> int:
    return connection.execute(text(statement), values).rowcount


def numbers(workspace: Workspace, **asked: Any) -> list[int]:
    return [one.number for one in audit.entries(workspace, **asked)]


def test_a_row_says_who_did_what_when_and_from_where(workspace: Workspace) -> None:
    before = now_utc()
    caller = Caller("Viettel", "operator", "45204", "0a1b2c3d")
    said = {"upload_id": "00ff", "status": 200, "route": "/v1/uploads/{id}", "operator": None}
    assert audit.record(workspace, By.caller(caller, "2001:db8::7", "r-1"), "uploads.show", said) == 1
    (entry,) = audit.entries(workspace)
    assert (entry.number, entry.caller, entry.role, entry.key_id) == (1, "Viettel", "operator", "0a1b2c3d")
    assert (entry.action, entry.address, entry.request_id) == ("uploads.show", "2001:db8::7", "r-1")
    assert entry.about == said
    assert entry.previous == BEFORE_THE_FIRST
    assert entry.at_utc.endswith("Z")
    at = datetime.fromisoformat(entry.at_utc[:-1])
    assert before <= at <= now_utc()


def test_rows_come_in_order_from_a_number_or_a_moment_on(filled: Workspace) -> None:
    assert numbers(filled) == [1, 2, 3, 4, 5, 6]
    assert numbers(filled, limit=2) == [5, 6]
    assert numbers(filled, since=3) == [3, 4, 5, 6]
    assert numbers(filled, since=3, limit=2) == [3, 4]
    assert numbers(filled, since=7) == []
    assert numbers(filled, limit=None) == numbers(filled, since=-5, limit=None) == [1, 2, 3, 4, 5, 6]
    third = datetime.fromisoformat(audit.entries(filled)[2].at_utc[:-1])
    assert numbers(filled, since=third) == [3, 4, 5, 6]
    assert numbers(filled, since=third + timedelta(microseconds=1))[0] == 4
    assert numbers(filled, since=third + timedelta(days=1)) == []


def test_a_row_stands_with_what_it_tells_of_or_not_at_all(filled: Workspace) -> None:
    def fail() -> None:
        with transaction(filled.manifest) as connection:
            assert audit.record(connection, AN, "keys.add", {}) == 7
            raise PhusongError("hỏng", "broken")

    with pytest.raises(PhusongError, match="broken"):
        fail()
    assert audit.record(filled, AN, "keys.add", {}) == 7  # no gap
    assert audit.verify(filled).number == 7


@pytest.mark.parametrize(
    "about",
    [
        {"lat": "11.94"},
        {"lon": 108},
        {"coordinates": None},
        {"device": "356938035643809"},
        {"file": "IMEI_356938035643809.csv"},
        {"hex": "89652636"},
        {"content": ""},
        {"status": 11.94},
        {"upload_id": b"00"},
        {"upload_id": ["00"]},
        {"upload_id": {"lat": 1}},
        {"status": 2**53},
    ],
)
def test_what_must_not_stand_in_the_log_is_refused(workspace: Workspace, about: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken, match=next(iter(about))):
        audit.record(workspace, AN, "uploads.add", {"code": "x", **about})
    assert audit.entries(workspace) == []


def test_letters_that_no_database_takes_keep_no_act_out_of_the_log(workspace: Workspace) -> None:
    odd = "a\0b\ud800c\nd\x1b" + "ế" * 300
    audit.record(workspace, By(odd, odd, odd, odd, odd), "uploads.add", {"code": odd})
    (entry,) = audit.entries(workspace)
    plain = "a?b?c?d?" + "ế" * 192
    assert {entry.caller, entry.role, entry.key_id, entry.address, entry.request_id} == {plain}
    assert entry.about == {"code": plain}
    assert audit.verify(workspace).broken is None


FLAT = st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")) | st.none() | st.integers(-(2**53), 2**53))  # fmt: skip


@given(FLAT)
def test_the_canonical_json_is_the_one_that_any_language_writes(value: dict[str, Any]) -> None:
    plain = json.dumps(
        dict(sorted(value.items(), key=lambda one: one[0].encode())),
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert audit.canonical(value).decode() == plain
    assert json.loads(plain) == value
    backwards = dict(reversed(value.items()))
    assert audit.canonical(backwards) == audit.canonical(value)


def test_the_exported_chain_can_be_checked_without_us(filled: Workspace, tmp_path: Path) -> None:
    audit.record(filled, By("Đội “1”\\"), "keys.add", {"team": 'ế"\\/\u007f😀'})
    assert audit.export(filled, tmp_path / "audit.jsonl") == 7
    previous, lines = "0" * 64, (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        row = json.loads(line)
        told, said = row.pop("sha256"), row.pop("previous")
        whole = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert told == hashlib.sha256((previous + whole).encode()).hexdigest()
        assert (row["number"], said) == (number, previous)
        previous = told
    assert audit.verify(filled).head == f"7:{previous}"


def test_an_empty_log_is_whole(workspace: Workspace, tmp_path: Path) -> None:
    assert audit.verify(workspace) == Chain(0, BEFORE_THE_FIRST)
    assert audit.verify(workspace, f"0:{BEFORE_THE_FIRST}").broken is None
    assert audit.export(workspace, tmp_path / "audit.jsonl") == 0
    assert (tmp_path / "audit.jsonl").read_bytes() == b""


COLUMNS = sorted({column.name for column in AUDIT.columns} - {"number"})


@pytest.mark.parametrize("number", [1, 3, ROWS])
def test_a_changed_value_is_found_in_whatever_column(filled: Workspace, number: int) -> None:
    for column in COLUMNS:
        with transaction(filled.manifest) as connection:
            where = {"number": number}
            before = row_of(connection, number)[column]
            assert before is not None
            put = f"UPDATE audit SET {column} = :value WHERE number = :number"  # noqa: S608
            other = ("1" if before[0] == "0" else "0") + before[1:]
            assert sql(connection, put, value=other, **where) == 1
        assert (audit.verify(filled).broken, audit.verify(filled).fault) == (number, "changed"), column
        with transaction(filled.manifest) as connection:
            sql(connection, put, value=before, **where)
        assert audit.verify(filled).broken is None


def test_a_value_that_was_taken_out_is_found(filled: Workspace) -> None:
    with transaction(filled.manifest) as connection:
        sql(connection, "UPDATE audit SET address = NULL WHERE number = 2")
    assert audit.verify(filled).broken == 2


def row_of(connection: Connection, number: int) -> dict[str, Any]:
    row = (
        connection.execute(text("SELECT * FROM audit WHERE number = :number"), {"number": number})
        .mappings()
        .one()
    )
    return {str(name): value for name, value in row.items()}


def forged(row: dict[str, Any], previous: str, **changed: Any) -> dict[str, Any]:
    """A row that is in itself as it must be, made with nothing but what docs and exports tell of the format."""
    plain = {name: value for name, value in {**row, **changed}.items() if name not in {"previous", "sha256"}}
    whole = json.dumps(
        plain | {"about": json.loads(plain["about"])},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return plain | {"previous": previous, "sha256": hashlib.sha256((previous + whole).encode()).hexdigest()}


def put(connection: Connection, row: dict[str, Any]) -> None:
    sql(connection, "DELETE FROM audit WHERE number = :number", number=row["number"])
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    sql(connection, f"INSERT INTO audit ({names}) VALUES ({values})", **row)  # noqa: S608


def make_room(connection: Connection, number: int, by: int = 1) -> None:
    for one in range(ROWS, number - 1, -1):
        sql(connection, "UPDATE audit SET number = :to WHERE number = :one", one=one, to=one + by)


def rewritten(connection: Connection) -> None:
    """A row changed, with a hash that fits it."""
    before = row_of(connection, 3)
    put(connection, forged(before, before["previous"], caller="Bình"))


def removed(connection: Connection) -> None:
    sql(connection, "DELETE FROM audit WHERE number = 3")


def removed_and_closed_up(connection: Connection) -> None:
    removed(connection)
    for one in range(4, ROWS + 1):
        sql(connection, "UPDATE audit SET number = :to WHERE number = :one", one=one, to=one - 1)


def first_removed(connection: Connection) -> None:
    sql(connection, "DELETE FROM audit WHERE number = 1")


def inserted(connection: Connection) -> None:
    make_room(connection, 4)
    put(connection, forged(row_of(connection, 3), row_of(connection, 3)["sha256"], number=4))


def two_inserted(connection: Connection) -> None:
    make_room(connection, 4, by=2)
    for number in (3, 4):
        before = row_of(connection, number)
        put(connection, forged(before, before["sha256"], number=number + 1))


def inserted_without_a_hash(connection: Connection) -> None:
    make_room(connection, 4)
    put(connection, row_of(connection, 3) | {"number": 4})


def inserted_before_the_first(connection: Connection) -> None:
    put(connection, forged(row_of(connection, 1), BEFORE_THE_FIRST, number=0))


def appended_without_a_hash(connection: Connection) -> None:
    put(connection, row_of(connection, ROWS) | {"number": ROWS + 1})


def swapped(connection: Connection) -> None:
    third, fourth = row_of(connection, 3), row_of(connection, 4)
    put(connection, third | {"number": 4})
    put(connection, fourth | {"number": 3})


def moved_away(connection: Connection) -> None:
    sql(connection, "UPDATE audit SET number = 1000 WHERE number = 3")


@pytest.mark.parametrize(
    ("tamper", "broken", "fault"),
    [
        (rewritten, 3, "changed"),
        (removed, 3, "missing"),
        (removed_and_closed_up, 3, "changed"),
        (first_removed, 1, "missing"),
        (inserted, 4, "inserted"),
        (two_inserted, 4, "inserted"),
        (inserted_without_a_hash, 4, "changed"),
        (inserted_before_the_first, 0, "inserted"),
        (appended_without_a_hash, ROWS + 1, "changed"),
        (swapped, 3, "changed"),
        (moved_away, 3, "missing"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_first_row_that_was_tampered_with_is_named(
    filled: Workspace, tamper: Callable[[Connection], None], broken: int, fault: str
) -> None:
    with transaction(filled.manifest) as connection:
        tamper(connection)
    chain = audit.verify(filled)
    assert (chain.broken, chain.fault) == (broken, fault)
    (finding,) = verify(filled)
    assert (finding.severity, finding.what, finding.where) == ("damage", "audit_disagrees", f"audit {broken}")


def test_text_that_is_no_json_any_more_is_told_in_words(filled: Workspace) -> None:
    with transaction(filled.manifest) as connection:
        sql(connection, "UPDATE audit SET about = '{' WHERE number = 2")
    assert audit.verify(filled).broken == 2
    with pytest.raises(ArchiveDamaged, match="Row 2"):
        audit.entries(filled)


def test_a_head_that_was_noted_tells_when_the_end_is_gone(filled: Workspace) -> None:
    heads = [f"{one.number}:{one.sha256}" for one in audit.entries(filled)]
    assert audit.verify(filled).head == heads[-1]
    with transaction(filled.manifest) as connection:
        sql(connection, "DELETE FROM audit WHERE number > 4")
    assert audit.verify(filled).broken is None  # a chain alone cannot tell
    for head in heads[:4]:
        assert audit.verify(filled, head).broken is None
    for head in heads[4:]:
        chain = audit.verify(filled, f" {head}\n")
        assert (chain.number, chain.broken, chain.fault) == (4, 5, "missing")
    for _ in range(2):
        audit.record(filled, AN, "keys.add", {})
    assert audit.verify(filled).number == 6
    for head, number in zip(heads[4:], (5, 6), strict=True):
        chain = audit.verify(filled, head)
        assert (chain.broken, chain.fault) == (number, "other_head")
    with transaction(filled.manifest) as connection:
        sql(connection, "DELETE FROM audit")
    assert audit.verify(filled) == Chain(0, BEFORE_THE_FIRST)
    assert (audit.verify(filled, heads[0]).broken, audit.verify(filled, heads[0]).fault) == (1, "missing")


def test_a_log_that_was_written_anew_throughout_is_not_the_one_that_was_noted(filled: Workspace) -> None:
    heads = [f"{one.number}:{one.sha256}" for one in audit.entries(filled)]
    with transaction(filled.manifest) as connection:
        previous = row_of(connection, 2)["sha256"]
        for number in range(3, ROWS + 1):
            anew = forged(row_of(connection, number), previous, caller="Bình")
            put(connection, anew)
            previous = anew["sha256"]
    assert audit.verify(filled).broken is None
    assert audit.verify(filled, heads[1]).broken is None
    for head in heads[2:]:
        chain = audit.verify(filled, head)
        assert (chain.fault, f"{chain.broken}:") == ("other_head", head[:2])


@pytest.mark.parametrize(
    "head", ["", "3", "3:", ":" + "0" * 64, "3:" + "0" * 63, "3:" + "G" * 64, "-1:" + "0" * 64]
)
def test_what_is_no_head_is_refused(workspace: Workspace, head: str) -> None:
    with pytest.raises(InputError, match="NUMBER:HASH"):
        audit.verify(workspace, head)


WRITER = """
import sys
from pathlib import Path
from coverage.archive import audit
from coverage.archive.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]), manifest_url=sys.argv[2] or None)
for start in range(0, 25, 5):
    print("ready", flush=True)
    sys.stdin.readline()
    for at in range(start, start + 5):
        audit.record(workspace, audit.By(f"writer {sys.argv[3]}"), "uploads.add", {"status": at})
"""


def test_four_processes_write_one_chain(workspace: Workspace) -> None:
    command = [sys.executable, "-c", WRITER, str(workspace.root), workspace.manifest_url or ""]
    writers = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    # Five times each waits for all others, so that none can be through before the next has begun.
    for _ in range(5):
        for one in writers:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in writers:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
    for one in writers:
        one.communicate(timeout=120)
    assert [one.returncode for one in writers] == [0] * 4
    found = audit.entries(workspace, limit=None)
    assert [one.number for one in found] == list(range(1, 101))
    chain = audit.verify(workspace)
    assert (chain.number, chain.sha256, chain.broken) == (100, found[-1].sha256, None)
    for number in range(4):
        assert [one.about["status"] for one in found if one.caller == f"writer {number}"] == list(range(25))
    turns = [one.caller for one in found]
    assert sum(one != other for one, other in pairwise(turns)) >= 15  # they did write by turns


def test_a_long_log_is_checked_to_its_end(workspace: Workspace) -> None:
    with transaction(workspace.manifest) as connection:
        for _ in range(2100):
            audit.record(connection, AN, "lists.read", {"list": "gaps", "status": 200})
        sql(connection, "UPDATE audit SET request_id = 'r2' WHERE number = 2050")
    chain = audit.verify(workspace)
    assert (chain.number, chain.broken) == (2049, 2050)
