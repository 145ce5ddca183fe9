"""After an erasure everything is judged again, and comes out as if the rows had never been there."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from erasures import REASON, assert_gone
from keeping import AS_OF, assert_same_tables, ingest, tables_of
from measurements import LAT
from test_flow import HEADER, add_two_villages, crew_file, crew_lines
from test_renewal import assert_as_from_scratch

from coverage import inputs, pipeline, renewal, tables
from coverage.archive import compaction, erasing, snapshots, tidying
from coverage.archive.committed import changed, committed
from coverage.archive.snapshots import SnapshotInfo
from coverage.archive.workspace import Workspace, open_workspace
from coverage.logs.context import Context

PHONE = "phone-1"
AT_ONCE = timedelta(0)


def crews(folder: Path) -> list[list[str]]:
    """Three logs: three phones that hear nothing; two that hear a little elsewhere; one phone alone, far off."""
    far = [line.replace(str(LAT), "11.9") for line in crew_lines("in_service", "-118") if PHONE in line]
    other = [line.replace(",108.44,", ",108.61,") for line in crew_lines("in_service", "-90")]
    return [crew_lines(), [line for line in other if "phone-0" not in line], far]


def laid_out(root: Path, folder: Path, logs: list[list[str]]) -> Workspace:
    folder.mkdir(exist_ok=True)
    workspace = open_workspace(root)
    add_two_villages(workspace, folder)
    for at, some in enumerate(logs):
        ingest(workspace, crew_file(folder, some, f"crew-{at}.csv"))
    return workspace


def plain(info: SnapshotInfo) -> dict[str, object]:
    return {name: value for name, value in vars(info).items() if name not in {"snapshot_id", "uploads"}}


def assert_as_if_never_there(workspace: Workspace, fresh: Workspace) -> None:
    one, other = pipeline.assess(workspace, AS_OF), pipeline.assess(fresh, AS_OF)
    assert plain(one) == plain(other)
    assert_same_tables(tables_of(workspace, one.snapshot_id), tables_of(fresh, other.snapshot_id))


@pytest.mark.parametrize(("which", "compacted"), [("device", True), ("before", False)])
def test_an_assessment_is_that_of_the_same_files_without_those_rows(
    tmp_path: Path, which: str, compacted: bool
) -> None:
    workspace = laid_out(tmp_path / "w", tmp_path / "files", crews(tmp_path))
    before = pipeline.assess(workspace, AS_OF)
    if compacted:
        compaction.compact(workspace)
        tidying.tidy(workspace, AT_ONCE)
    if which == "device":
        erasing.erase_device(workspace, erasing.hash_of(workspace, PHONE), REASON)
        kept = [[line for line in log if PHONE not in line] for log in crews(tmp_path)]
    else:
        erasing.erase_before(workspace, date(2026, 10, 2), REASON)
        kept = [[line for line in log if line >= "2026-10-02"] for log in crews(tmp_path)]
    assert [len(log) for log in kept] != [len(log) for log in crews(tmp_path)]
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is None
    fresh = laid_out(tmp_path / "fresh", tmp_path / "other files", [log for log in kept if log])
    assert_as_if_never_there(workspace, fresh)
    assert pipeline.assess(workspace, AS_OF).snapshot_id != before.snapshot_id


def test_what_comes_after_an_erasure_is_judged_on_top_of_it(tmp_path: Path) -> None:
    workspace = laid_out(tmp_path / "w", tmp_path, crews(tmp_path))
    compaction.compact(workspace)
    erasing.erase_device(workspace, erasing.hash_of(workspace, PHONE), REASON)
    pipeline.assess(workspace, AS_OF)
    ingest(workspace, crew_file(tmp_path, crew_lines("in_service", "-80")[:9], "later.csv"))
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is not None
    assert_as_from_scratch(workspace, pipeline.assess(workspace, AS_OF))


def test_a_former_reading_that_was_compacted_is_not_taken_for_what_is_left_of_it(
    tmp_path: Path,
) -> None:
    workspace = laid_out(tmp_path / "w", tmp_path, crews(tmp_path)[:1])
    path = tmp_path / "own.csv"
    path.write_text("\n".join([HEADER, *(line.replace(PHONE, "") for line in crews(tmp_path)[2])]) + "\n")
    ingest(workspace, path, Context(device="phone-9"))
    before = pipeline.assess(workspace, AS_OF)
    compaction.compact(workspace)
    tidying.tidy(workspace, AT_ONCE)
    ingest(workspace, path, Context(device="phone-8"))
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is not None
    done = erasing.erase_device(workspace, erasing.hash_of(workspace, "phone-9"), REASON)
    assert (done.rows, done.parts) == (0, 1)
    readings = snapshots.made_of(workspace.snapshots, before.snapshot_id)["readings"]
    assert changed(workspace, readings, committed(workspace).readings) is None
    assert_as_from_scratch(workspace, pipeline.assess(workspace, AS_OF))
    assert_gone(workspace, "phone-9")


def test_a_reading_is_not_looked_for_where_the_next_one_lies(tmp_path: Path) -> None:
    workspace = laid_out(tmp_path / "w", tmp_path, crews(tmp_path)[:1])
    path = tmp_path / "own.csv"
    path.write_text("time,lat,lon,technology,rsrp_dbm\n2026-09-01 08:00:00,11.9,108.4,LTE,-90\n")
    ingest(workspace, path, Context(operator="45204"))
    before = committed(workspace).readings
    compaction.compact(workspace)
    ingest(workspace, path, Context(operator="45201"))
    compaction.compact(workspace)
    tidying.tidy(workspace, AT_ONCE)  # now only the second reading is anywhere
    assert changed(workspace, before, committed(workspace).readings) is None


def test_no_table_of_a_snapshot_tells_of_single_devices(tmp_path: Path) -> None:
    workspace = laid_out(tmp_path / "w", tmp_path, crews(tmp_path))
    snapshot_id = pipeline.assess(workspace, AS_OF).snapshot_id
    hashes = [erasing.hash_of(workspace, f"phone-{one}") for one in range(3)]
    files = sorted((workspace.snapshots / snapshot_id).iterdir())
    assert len([file for file in files if file.suffix == ".parquet"]) == 11
    for file in files:
        names = pq.read_schema(file).names if file.suffix == ".parquet" else []
        assert not [
            name for name in names if re.fullmatch("device|phone|line|upload_id|time_utc|lat|lon", name)
        ]
        text = pd.read_parquet(file).to_csv() if names else file.read_text(encoding="utf-8")
        assert not [one for one in hashes if one in text], file.name
    with_device = {table.name for table in tables.ALL if "device" in [one.name for one in table.columns]}
    assert with_device == {"measurements", "observations"}  # neither is a table of a snapshot
