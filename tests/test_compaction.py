"""Compaction: other files, the same rows, the same snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import AS_OF, add_logs, assert_same_tables, counted, ingest, judged, tables_of
from sqlalchemy import select

from coverage import pipeline
from coverage.archive import compaction, history, tidying, uploads
from coverage.archive.committed import committed
from coverage.archive.manifest import reading
from coverage.archive.schema import COMPACTED
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import ArchiveDamaged, DiskFull
from coverage.logs.context import Context
from coverage.parts import batches
from coverage.tables import MEASUREMENTS, schema

AT_ONCE = timedelta(0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


def rows_that_count(workspace: Workspace) -> list[dict]:
    table = pa.Table.from_batches(batches(committed(workspace).parts), schema(MEASUREMENTS))
    return table.sort_by([("upload_id", "ascending"), ("line", "ascending")]).to_pylist()


def test_many_parts_become_one_and_no_row_changes(workspace: Workspace, tmp_path: Path) -> None:
    add_logs(workspace, tmp_path, *range(12))
    before, parts = rows_that_count(workspace), committed(workspace)
    done = compaction.compact(workspace)
    after = committed(workspace)
    assert (done.parts_before, done.parts_after, done.uploads, done.rows) == (12, 1, 12, 240)
    assert len(after.parts) == 1
    assert rows_that_count(workspace) == before
    assert (after.readings, after.uploads, after.revision) == (parts.readings, parts.uploads, parts.revision)
    assert compaction.compact(workspace) == compaction.Compacted()


def test_a_compacted_part_is_sorted_by_hex_in_the_contracts_schema(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_logs(workspace, tmp_path, *range(5))
    contract = schema(MEASUREMENTS)
    compaction.compact(workspace)
    (part,) = committed(workspace).parts
    read = pq.read_table(part.path)
    assert read.schema.equals(contract)
    hexes = read.column("hex_res8").to_pylist()
    assert hexes == sorted(hexes)
    assert len(set(hexes)) > 1
    assert pq.read_metadata(part.path).row_group(0).column(contract.names.index("hex_res8")).is_stats_set


def test_the_snapshot_has_the_same_id_and_judged_anew_the_same_tables(tmp_path: Path) -> None:
    workspace, ids = judged(tmp_path / "w", tmp_path)
    first = history.latest_id(workspace)
    tables = tables_of(workspace, first)
    uploads.withdraw(workspace, ids[4], "thử")
    second = pipeline.assess(workspace, AS_OF).snapshot_id
    compaction.compact(workspace)
    assert len(committed(workspace).parts) == 1
    assert pipeline.assess(workspace, AS_OF).snapshot_id == second
    uploads.restore(workspace, ids[4])
    assert pipeline.assess(workspace, AS_OF).snapshot_id == first
    shutil.rmtree(workspace.snapshots / first)
    assert pipeline.assess(workspace, AS_OF).snapshot_id == first
    assert_same_tables(tables_of(workspace, first), tables)


def test_withdraw_and_restore_work_within_a_compacted_part(workspace: Workspace, tmp_path: Path) -> None:
    first, *others = add_logs(workspace, tmp_path, *range(4))
    everything = rows_that_count(workspace)
    compaction.compact(workspace)
    uploads.withdraw(workspace, first, "sai máy đo")
    assert {row["upload_id"] for row in rows_that_count(workspace)} == set(others)
    uploads.restore(workspace, first)
    assert rows_that_count(workspace) == everything


def test_a_new_reading_takes_the_place_of_compacted_rows(workspace: Workspace, tmp_path: Path) -> None:
    add_logs(workspace, tmp_path, *range(3))
    path = tmp_path / "own.csv"
    path.write_text("time,lat,lon,technology,rsrp_dbm\n2026-05-01 08:00:00,11.9,108.4,LTE,-90\n")
    said = [Context(operator=name) for name in ("45204", "45201", "45204")]
    ingest(workspace, path, said[0])
    compaction.compact(workspace)
    for context in said[1:]:
        own = ingest(workspace, path, context)
        assert own.effect == "replaced"
        (row,) = [one for one in rows_that_count(workspace) if one["upload_id"] == own.upload_id]
        assert row["operator"] == context.operator
        assert len(rows_that_count(workspace)) == counted(workspace) == 61


def test_parts_that_mostly_do_not_count_are_written_anew_and_withdrawn_rows_are_kept(
    workspace: Workspace, tmp_path: Path
) -> None:
    ids = add_logs(workspace, tmp_path, *range(6))
    everything = rows_that_count(workspace)
    compaction.compact(workspace)
    for one in ids[:4]:
        uploads.withdraw(workspace, one, "sai máy đo")
    done = compaction.compact(workspace)
    assert (done.parts_before, done.parts_after, done.rows) == (2, 2, 120)
    (part,) = committed(workspace).parts
    assert pq.read_metadata(part.path).num_rows == 40
    assert compaction.compact(workspace) == compaction.Compacted()
    tidying.tidy(workspace, AT_ONCE)
    for one in ids[:4]:
        uploads.restore(workspace, one)
    assert rows_that_count(workspace) == everything


def test_large_parts_are_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    add_logs(workspace, tmp_path, *range(4))
    parts = committed(workspace).parts
    assert compaction.compact(workspace, target_bytes=2000) == compaction.Compacted()
    assert committed(workspace).parts == parts


def test_parts_grow_to_the_target_and_a_little_that_is_new_moves_no_large_part(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_logs(workspace, tmp_path, *range(12))
    one = committed(workspace).parts[0].path.stat().st_size
    assert compaction.compact(workspace, target_bytes=4 * one).parts_after == 3
    compaction.compact(workspace, target_bytes=1000 * one)
    (large,) = committed(workspace).parts
    add_logs(workspace, tmp_path, 100)
    few = compaction.compact(workspace, target_bytes=1000 * one)
    assert large in committed(workspace).parts or few.parts_before == 2


def test_former_parts_stay_for_whoever_reads_them_and_go_when_tidied(
    workspace: Workspace, tmp_path: Path
) -> None:
    ids = add_logs(workspace, tmp_path, *range(3))
    seen, rows = committed(workspace), rows_that_count(workspace)
    compaction.compact(workspace)
    add_logs(workspace, tmp_path, *range(3, 6))
    compaction.compact(workspace)
    assert sum(batch.num_rows for batch in batches(seen.parts)) == 60
    assert tidying.tidy(workspace) == []
    gone = tidying.tidy(workspace, AT_ONCE)
    assert {part.path.name for part in seen.parts} < {one.path.name for one in gone}
    assert len(gone) == 7  # six own parts and the first compacted one
    assert [row for row in rows_that_count(workspace) if row["upload_id"] in ids] == rows
    with reading(workspace.manifest) as connection:
        named = set(connection.execute(select(COMPACTED.c.part)).scalars())
    assert named == {part.path.name for part in committed(workspace).parts}


def between(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Compact, and let somebody act after the rows were copied and before the manifest says so."""
    swap = compaction._swap

    def act_first(*arguments: object) -> int:
        patch.undo()
        act()
        return swap(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_swap", act_first)
        compaction.compact(workspace)


def test_a_withdrawal_during_compaction_holds(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = add_logs(workspace, tmp_path, *range(3))
    everything = rows_that_count(workspace)
    between(workspace, monkeypatch, lambda: uploads.withdraw(workspace, first, "sai máy đo"))
    assert first not in {row["upload_id"] for row in rows_that_count(workspace)}
    tidying.tidy(workspace, AT_ONCE)
    uploads.restore(workspace, first)
    assert rows_that_count(workspace) == everything


def test_a_new_reading_during_compaction_holds(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_logs(workspace, tmp_path, *range(3))
    path = tmp_path / "own.csv"
    path.write_text("time,lat,lon,technology,rsrp_dbm\n2026-05-01 08:00:00,11.9,108.4,LTE,-90\n")
    own = ingest(workspace, path, Context(operator="45204")).upload_id
    between(workspace, monkeypatch, lambda: ingest(workspace, path, Context(operator="45201")))
    tidying.tidy(workspace, AT_ONCE)
    (row,) = [one for one in rows_that_count(workspace) if one["upload_id"] == own]
    assert row["operator"] == "45201"
    assert len(rows_that_count(workspace)) == 61


def test_two_compactions_at_once_count_no_row_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_logs(workspace, tmp_path, *range(4))
    before = rows_that_count(workspace)
    between(workspace, monkeypatch, lambda: compaction.compact(workspace))
    assert rows_that_count(workspace) == before
    add_logs(workspace, tmp_path, 6, 7)
    between(workspace, monkeypatch, lambda: add_logs(workspace, tmp_path, 5))
    assert len(rows_that_count(workspace)) == 140


def test_a_damaged_part_is_not_given_a_new_name(workspace: Workspace, tmp_path: Path) -> None:
    add_logs(workspace, tmp_path, *range(3))
    seen = committed(workspace)
    path = seen.parts[1].path
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=path.name):
        compaction.compact(workspace)
    assert committed(workspace) == seen
    assert not list(workspace.parts.glob("compacted*"))
    assert not list(workspace.parts.glob(".*"))


def test_without_room_nothing_is_compacted(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_logs(workspace, tmp_path, *range(3))
    seen = committed(workspace)
    monkeypatch.setenv("PHUSONG_FREE_DISK_FLOOR_MB", "999999999")
    with pytest.raises(DiskFull):
        compaction.compact(workspace)
    assert committed(workspace) == seen


ACTS = st.lists(
    st.tuples(st.sampled_from(["add", "withdraw", "restore", "compact", "tidy"]), st.integers(0, 5)),
    min_size=3,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_comes_in_between_the_rows_are_those_of_the_uploads_that_count(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("acts")
    workspace = open_workspace(folder / "w")
    states: dict[str, bool] = {}
    for act, which in acts:
        known = sorted(states)
        if act == "add":
            (upload_id,) = add_logs(workspace, folder, which)
            states.setdefault(upload_id, True)
        elif act in {"withdraw", "restore"} and known:
            upload_id = known[which % len(known)]
            states[upload_id] = act == "restore"
            uploads.restore(workspace, upload_id) if act == "restore" else uploads.withdraw(
                workspace, upload_id, "thử"
            )
        elif act == "compact":
            compaction.compact(workspace)
        elif act == "tidy":
            tidying.tidy(workspace, AT_ONCE)
        found = [row["upload_id"] for row in rows_that_count(workspace)]
        assert sorted(found) == sorted(one for one, counts in states.items() if counts for _ in range(20))
