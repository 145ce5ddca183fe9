"""Erasing: the rows are gone from every file, everything else stays, and everything is judged again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from erasures import (
    DAYS,
    PHONES,
    REASON,
    add,
    assert_agrees,
    assert_gone,
    erased,
    every_row,
    lines,
    rows_that_count,
    write,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import ingest, send
from sqlalchemy import select

from coverage import work
from coverage.archive import (
    audit,
    compaction,
    deciding,
    deliveries,
    durable,
    erasing,
    receiving,
    rewriting,
    tidying,
    uploads,
)
from coverage.archive.committed import committed
from coverage.archive.manifest import reading, transaction
from coverage.archive.schema import COMPACTED, JOBS, UPLOADS
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import ArchiveDamaged, Conflict, DiskFull, InputError
from coverage.logs.context import Context
from coverage.parts import batches

PHONE = PHONES[0]
OF_PHONE, OF_DAY = len(DAYS) * 2, len(PHONES) * 2
AT_ONCE = timedelta(0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "w")


def erase(workspace: Workspace, phone: str = PHONE) -> erasing.Erased:
    digest = erasing.hash_of(workspace, phone)
    return erasing.erase_device(workspace, digest, REASON, audit.By("An"))


def but(rows: list[dict], workspace: Workspace, phone: str = PHONE) -> list[dict]:
    digest = erasing.hash_of(workspace, phone)
    return [row for row in rows if row["device"] != digest]


@pytest.mark.parametrize("compacted", [False, True])
def test_the_rows_of_a_device_are_gone_and_all_others_stay(
    tmp_path: Path, manifest_url: str | None, compacted: bool
) -> None:
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    first, second, back = add(workspace, tmp_path, 1, 2, 3)
    other = ingest(workspace, write(tmp_path, 4, lines(4, PHONES[1:]))).upload_id
    if compacted:
        compaction.compact(workspace)
    uploads.withdraw(workspace, back, "sai máy đo")
    before, seen, at = rows_that_count(workspace), committed(workspace), audit.verify(workspace).number
    assert erasing.count(workspace, erasing.of_device(erasing.hash_of(workspace, PHONE))) == (3, 3 * OF_PHONE)
    done = erase(workspace)
    assert (done.uploads, done.rows, done.unread) == (3, 3 * OF_PHONE, 0)
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)
    assert erased(workspace) == dict.fromkeys((first, second, back), OF_PHONE)
    assert rows_that_count(workspace) == but(before, workspace)
    now = committed(workspace)
    assert now.revision == seen.revision + 3
    assert (set(now.readings) & set(seen.readings)) == {
        name for name in seen.readings if name.startswith(other)
    }
    for one in (first, back):
        event = uploads.show(workspace, one)["events"][-1]
        assert (event["action"], event["by"]) == ("erased", "An")
        assert event["reason"] == f"{OF_PHONE} dòng / rows: {REASON}"
    assert not [event for event in uploads.show(workspace, other)["events"] if event["action"] == "erased"]
    (entry,) = audit.entries(workspace, at + 1)
    assert (entry.caller, entry.action) == ("An", "erase.device")
    assert entry.about == {"uploads": 3, "rows": 3 * OF_PHONE}
    with reading(workspace.manifest) as connection:
        waiting = select(JOBS).where(JOBS.c.kind == "assess", JOBS.c.state == "queued")
        assert connection.execute(waiting).all()


@pytest.mark.parametrize("compacted", [False, True])
def test_what_was_measured_before_a_day_is_gone(
    tmp_path: Path, manifest_url: str | None, compacted: bool
) -> None:
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    add(workspace, tmp_path, 1, 2)
    old = ingest(workspace, write(tmp_path, 3, lines(3, days=[1]))).upload_id
    if compacted:
        compaction.compact(workspace)
    before = rows_that_count(workspace)
    done = erasing.erase_before(workspace, date(2026, 5, 2), REASON)
    assert (done.uploads, done.rows) == (3, 3 * OF_DAY)
    assert rows_that_count(workspace) == [row for row in before if row["local_date"] >= date(2026, 5, 2)]
    assert {row["local_date"] for row in every_row(workspace) if "local_date" in row} == {
        date(2026, 5, 2),
        date(2026, 5, 3),
    }
    assert_agrees(workspace)
    assert old not in committed(workspace).uploads
    assert audit.entries(workspace)[-1].about == {"before": "2026-05-02", "uploads": 3, "rows": 3 * OF_DAY}
    again = erasing.erase_before(workspace, date(2026, 5, 2), REASON)
    assert (again.uploads, again.rows, again.parts) == (0, 0, 0)
    assert erasing.erase_before(workspace, date(2026, 5, 3), REASON).rows == 2 * OF_DAY
    assert_agrees(workspace)


def test_order_schema_and_groups_of_rows_stay(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, *range(1, 6))
    compaction.compact(workspace)
    (former,) = [pq.read_table(part.path) for part in committed(workspace).parts]
    erase(workspace)
    (part,) = committed(workspace).parts
    assert durable.is_sound(part.path)
    assert pq.read_schema(part.path).equals(former.schema)
    assert pq.read_table(part.path).to_pylist() == but(former.to_pylist(), workspace)
    at = former.schema.names.index("local_date")
    assert pq.read_metadata(part.path).row_group(0).column(at).is_stats_set


def test_former_readings_go_too(workspace: Workspace, tmp_path: Path) -> None:
    plain = ["time,lat,lon,operator,technology,rsrp_dbm", "2026-05-01 08:00:00,11.9,108.4,45204,LTE,-90"]
    path = tmp_path / "own.csv"
    path.write_text("\n".join(plain) + "\n")
    add(workspace, tmp_path, 1)
    ingest(workspace, path, Context(device=PHONE))
    compaction.compact(workspace)
    ingest(workspace, path, Context(device="another"))
    before = rows_that_count(workspace)
    done = erase(workspace)
    assert (done.uploads, done.rows, done.parts) == (1, OF_PHONE, 3)  # two own parts, and the compacted one
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)
    assert rows_that_count(workspace) == but(before, workspace)


def test_withdrawn_and_restored_afterwards_an_upload_holds_what_was_left(
    workspace: Workspace, tmp_path: Path
) -> None:
    ids = add(workspace, tmp_path, 1, 2)
    erase(workspace)
    rows = rows_that_count(workspace)
    uploads.withdraw(workspace, ids[0], "thử")
    assert {row["upload_id"] for row in rows_that_count(workspace)} == {ids[1]}
    compaction.compact(workspace)
    uploads.restore(workspace, ids[0])
    assert rows_that_count(workspace) == rows
    compaction.compact(workspace)
    assert rows_that_count(workspace) == rows
    assert_agrees(workspace)


def test_compacted_afterwards_nothing_keeps_what_was_emptied(workspace: Workspace, tmp_path: Path) -> None:
    ids = add(workspace, tmp_path, *range(1, 4))
    alone = ingest(workspace, write(tmp_path, 4, lines(4, [PHONE]))).upload_id
    compaction.compact(workspace)
    assert erase(workspace).uploads == 4
    add(workspace, tmp_path, 5)
    rows = rows_that_count(workspace)
    compaction.compact(workspace)
    tidying.tidy(workspace, AT_ONCE)
    assert rows_that_count(workspace) == rows
    assert_agrees(workspace)
    assert len(committed(workspace).parts) == 1
    kept = [path for path in workspace.parts.glob("*.parquet") if "-outcomes-" not in path.name]
    assert [pq.read_metadata(path).num_rows for path in sorted(kept)][1:] == [0]  # that of `alone`
    uploads.withdraw(workspace, alone, "thử")
    uploads.restore(workspace, alone)
    assert_agrees(workspace)
    with reading(workspace.manifest) as connection:
        assert set(connection.execute(select(COMPACTED.c.part)).scalars()) == {path.name for path in kept}
    assert set(ids) <= set(committed(workspace).uploads)


@pytest.mark.parametrize("context", [None, Context(operator="45201"), Context(device=PHONE)])
def test_the_same_file_sent_again_brings_nothing_back(
    workspace: Workspace, tmp_path: Path, context: Context | None
) -> None:
    add(workspace, tmp_path, 1)
    erase(workspace)
    rows = rows_that_count(workspace)
    again = ingest(workspace, write(tmp_path, 1), context)
    assert (again.effect, again.added_rows) == ("already_received", 0)
    assert rows_that_count(workspace) == rows
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)


def test_a_file_that_was_being_read_again_brings_nothing_back(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(workspace, tmp_path, 1)
    write_parts = uploads._write_parts

    def erased_meanwhile(*arguments: object) -> dict:
        row = write_parts(*arguments)  # type: ignore[arg-type]
        held = [workspace.parts / row[part] for part in ("measurements_part", "outcomes_part")]
        content = [path.read_bytes() for path in held]
        erase(workspace)
        for path, there in zip(held, content, strict=True):  # as if it had its name only now
            path.write_bytes(there)
        return row

    monkeypatch.setattr(uploads, "_write_parts", erased_meanwhile)
    again = ingest(workspace, write(tmp_path, 1), Context(technology="5G", campaign="mùa khô"))
    assert again.effect == "already_received"
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)


def test_what_happens_at_the_last_moment_is_seen(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(workspace, tmp_path, 1, 2)
    compaction.compact(workspace)
    ids += add(workspace, tmp_path, 3, 4)
    look_ahead = erasing._Parts.look_ahead

    def then_others_act(*arguments: object) -> None:
        look_ahead(*arguments)  # type: ignore[arg-type]
        ids.extend(add(workspace, tmp_path, 5))
        for one in ids[1:3]:
            uploads.withdraw(workspace, one, "thử")
        ingest(workspace, write(tmp_path, 1), Context(campaign="mùa khô"))
        ingest(workspace, write(tmp_path, 4), Context(campaign="mùa khô"))
        tidying.tidy(workspace, AT_ONCE)  # also what was written for the manifest to name

    monkeypatch.setattr(erasing._Parts, "look_ahead", then_others_act)
    assert erase(workspace).rows == 5 * OF_PHONE
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)
    assert erased(workspace) == dict.fromkeys(ids, OF_PHONE)
    assert len(rows_that_count(workspace)) == 3 * (len(lines(1)) - OF_PHONE)


def test_an_erased_device_may_be_measured_with_again(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    erase(workspace)
    (new,) = add(workspace, tmp_path, 2)
    mine = [row for row in rows_that_count(workspace) if row["device"] == erasing.hash_of(workspace, PHONE)]
    assert [row["upload_id"] for row in mine] == [new] * OF_PHONE


def test_the_manifest_forgets_the_device_and_what_its_rows_looked_like(
    tmp_path: Path, manifest_url: str | None
) -> None:
    workspace = open_workspace(tmp_path / "w", manifest_url=manifest_url)
    content = b"time;lat;lon;operator;technology;rsrp_dbm\n2026-05-01 08:00:00;11,9;108,4;45204;LTE;-90\n"
    begun = receiving.begin(workspace, "a.csv", Context(device=PHONE), held=True)
    deliveries.part(workspace, begun.delivery_id).write_bytes(content)
    receiving.complete(workspace, begun.delivery_id)
    given_up = receiving.begin(workspace, "b.csv", Context(device=PHONE.upper()))
    deciding.cancel(workspace, given_up.delivery_id)
    with transaction(workspace.manifest) as connection:
        connection.execute(
            JOBS.update().values(not_before_utc=deliveries.show(workspace, begun.delivery_id).created_utc)
        )
    work.run_due(workspace)
    sent = deliveries.show(workspace, begun.delivery_id)
    assert sent.state == "done"
    assert deliveries.received_file(workspace, sent).exists()  # its sender may still say what it is
    assert erase(workspace).rows == 1
    assert_gone(workspace, PHONE)
    (row,) = uploads.list_uploads(workspace)
    assert row["context"]["device"] == "unknown"
    result = deliveries.show(workspace, begun.delivery_id).result
    assert result is not None
    for fixes in (row["fixes"], result["files"][0]["fixes"]):
        assert fixes
        assert {one["value"] for one in fixes} == {None}
    assert not deliveries.received_file(workspace, sent).exists()
    assert deliveries.show(workspace, given_up.delivery_id).context.device is None
    assert verify(workspace) == []


def test_files_that_wait_are_counted_and_looked_into_later(workspace: Workspace) -> None:
    send(
        workspace,
        ("\n".join(["time,lat,lon,operator,technology,rsrp_dbm,device", *lines(1)]) + "\n").encode(),
    )
    done = erase(workspace)
    assert (done.rows, done.unread) == (0, 1)
    work.run_due(workspace)
    done = erase(workspace)
    assert (done.rows, done.unread) == (OF_PHONE, 0)


def test_nothing_to_erase_changes_nothing_and_is_noted(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    seen, files = committed(workspace), sorted(workspace.parts.iterdir())
    assert erase(workspace, "nobody's") == erasing.Erased(0, 0, 0, 0)
    assert (committed(workspace), sorted(workspace.parts.iterdir())) == (seen, files)
    assert audit.entries(workspace)[-1].about == {"uploads": 0, "rows": 0}


@pytest.mark.parametrize("name", ["", "unknown", " Unknown ", "-", "n/a", "…"])
def test_what_names_no_device_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InputError):
        erasing.hash_of(workspace, name)


@pytest.mark.parametrize("digest", ["unknown", "", "ABCDEF0123456789", "0123456789abcde"])
def test_what_is_no_hash_is_refused(workspace: Workspace, digest: str) -> None:
    with pytest.raises(InputError):
        erasing.erase_device(workspace, digest, REASON)


def test_without_a_reason_nothing_goes(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    with pytest.raises(InputError):
        erasing.erase_before(workspace, date(2027, 1, 1), " ")
    assert erased(workspace) == {}


def test_a_name_is_hashed_as_logs_are_read(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    assert {erasing.hash_of(workspace, phone) for phone in PHONES} == {
        row["device"] for row in rows_that_count(workspace)
    }
    assert erasing.hash_of(workspace, " máy  ba") == erasing.hash_of(workspace, "MAY_BA")


def test_who_has_a_part_open_reads_it_to_its_end(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    (part,) = committed(workspace).parts
    with pq.ParquetFile(part.path) as reader:
        erase(workspace)
        assert not part.path.exists()
        assert reader.read().num_rows == len(lines(1))
    with pytest.raises(FileNotFoundError):
        list(batches([part]))


def test_a_damaged_part_gets_no_new_name(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1, 2)
    seen = committed(workspace)
    path = seen.parts[1].path
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    files = sorted(workspace.parts.iterdir())
    with pytest.raises(ArchiveDamaged, match=path.name):
        erase(workspace)
    assert committed(workspace) == seen
    assert set(files) <= set(workspace.parts.iterdir())
    path.unlink()
    with pytest.raises(ArchiveDamaged, match=path.name):
        erase(workspace)
    assert erased(workspace) == {}


def test_without_room_nothing_is_erased(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(workspace, tmp_path, 1)
    seen = committed(workspace)
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "999999999")
    with pytest.raises(DiskFull):
        erase(workspace)
    assert committed(workspace) == seen


def test_nobody_compacts_while_rows_are_erased_nor_the_other_way(
    workspace: Workspace, tmp_path: Path
) -> None:
    add(workspace, tmp_path, 1, 2)
    with rewriting.writing_anew(workspace):
        assert compaction.compact(workspace).parts_before == 2
        with pytest.raises(Conflict):
            erase(workspace)
    with rewriting.writing_anew(workspace, alone=True):
        for act in (erase, compaction.compact):
            with pytest.raises(Conflict):
                act(workspace)
    assert erase(workspace).uploads == 2


def test_what_killed_compactions_left_goes_too(workspace: Workspace, tmp_path: Path) -> None:
    add(workspace, tmp_path, 1)
    (part,) = committed(workspace).parts
    copy = part.path.read_bytes()
    (workspace.parts / ".sorting.x").mkdir()
    (workspace.parts / ".sorting.x" / "0.parquet").write_bytes(copy)
    (workspace.parts / ".compacted.x.part").write_bytes(copy)
    (workspace.parts / "compacted-0123456789abcdef.parquet").write_bytes(copy)
    (workspace.parts / "compacted-fedcba9876543210.parquet").write_bytes(copy[:100])
    assert erase(workspace).parts == 3
    assert_gone(workspace, PHONE)
    assert_agrees(workspace)


@pytest.mark.parametrize("erased_rows", [0, OF_PHONE - 1, 99, -1])
def test_a_count_that_does_not_hold_is_found(workspace: Workspace, tmp_path: Path, erased_rows: int) -> None:
    add(workspace, tmp_path, 1)
    erase(workspace)
    assert verify(workspace) == []
    with transaction(workspace.manifest) as connection:
        connection.execute(UPLOADS.update().values(erased=erased_rows))
    found = {one.what for one in verify(workspace)}
    assert found & {"upload_disagrees", "part_disagrees", "events_disagree"}
    assert {one.severity for one in verify(workspace)} == {"damage"}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "withdraw", "restore", "compact", "tidy", "device", "before"]),
        st.integers(0, 4),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_comes_in_between_what_is_left_is_what_must_be(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("acts")
    workspace = open_workspace(folder / "w")
    left: dict[str, set[int]] = {}
    counts: dict[str, bool] = {}
    written = {at + 2: line for at, line in enumerate(lines(0))}
    for act, which in acts:
        known = sorted(left)
        if act == "add":
            (upload_id,) = add(workspace, folder, which)
            left.setdefault(upload_id, set(written))
            counts.setdefault(upload_id, True)
        elif act == "compact":
            compaction.compact(workspace)
        elif act == "tidy":
            tidying.tidy(workspace, AT_ONCE)
        elif act == "device":
            erase(workspace, PHONES[which % 3])
            for rows in left.values():
                rows -= {at for at, line in written.items() if line.endswith(PHONES[which % 3])}
        elif act == "before":
            erasing.erase_before(workspace, date(2026, 5, which + 1), REASON)
            for rows in left.values():
                rows -= {at for at, line in written.items() if line < f"2026-05-{which + 1:02}"}
        elif known:
            upload_id = known[which % len(known)]
            counts[upload_id] = act == "restore"
            uploads.restore(workspace, upload_id) if act == "restore" else uploads.withdraw(
                workspace, upload_id, "thử"
            )
    found = [(row["upload_id"], row["line"]) for row in rows_that_count(workspace)]
    assert found == sorted((one, line) for one, rows in left.items() if counts[one] for line in rows)
    assert [one for one in verify(workspace) if one.severity == "damage"] == []
