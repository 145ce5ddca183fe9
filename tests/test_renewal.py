"""Renewal: judging only what uploads touched gives what judging everything gives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import AS_OF

from coverage import inputs, intake, pipeline, renewal
from coverage.archive import compaction, history, snapshots, tidying, uploads
from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace
from coverage.demo import SAMPLE_PLACES
from coverage.intake_places import add_places
from coverage.logs.context import Context
from coverage.simulate import simulate

# A map of declared coverage has everything judged again, and the terrain changes nothing here.
LAYERS = {kind: file for kind, file in SAMPLE_PLACES.items() if kind not in {"declared", "dem"}}
COMING, KEPT = 10, 40  # so many logs are not in the workspace at first, and so many are
ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["ingest", "read anew", "withdraw", "restore"]), st.integers(0, COMING - 1)
        ),
        st.just(("compact", 0)),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated province: its logs, and a workspace `w` with places and some logs, assessed."""
    folder = tmp_path_factory.mktemp("province")
    simulate(folder / "sim", villages=8, measurements=4000, seed=5)
    workspace = open_workspace(folder / "w")
    for kind, file in LAYERS.items():
        add_places(workspace, kind, folder / "sim" / file)
    add_places(workspace, "outages", outages(folder))
    for log in logs(folder)[COMING : COMING + KEPT]:
        ingest(workspace, log)
    pipeline.assess(workspace, AS_OF)
    return folder


def outages(folder: Path) -> Path:
    village = pd.read_csv(folder / "sim" / "power.csv")["village_id"][0]
    path = folder / "outages.csv"
    path.write_text(
        f"village_id,operator,from,until\n{village},45204,2026-07-01 00:00,2026-07-20 00:00\n",
        encoding="utf-8",
    )
    return path


def logs(folder: Path) -> list[Path]:
    """The longest first."""
    return sorted((folder / "sim" / "logs").iterdir(), key=lambda path: (-path.stat().st_size, path.name))


def ingest(workspace: Workspace, path: Path, context: Context | None = None) -> list[str]:
    found = intake.ingest(workspace, path, context or Context())
    return [one.upload_id for one in found if isinstance(one, Receipt)]


def copy_of(province: Path, folder: Path) -> Workspace:
    shutil.copytree(province / "w", folder / "w")
    return existing_workspace(folder / "w")


@pytest.fixture
def workspace(province: Path, tmp_path: Path) -> Iterator[Workspace]:
    return copy_of(province, tmp_path)


def do(workspace: Workspace, province: Path, action: str, which: int) -> None:
    ids = [row["upload_id"] for row in uploads.list_uploads(workspace)]
    if action == "ingest":
        ingest(workspace, logs(province)[which])
    elif action == "read anew":
        ingest(workspace, logs(province)[which], Context(source="drive_test", calibrated=True))
    elif action == "withdraw":
        uploads.withdraw(workspace, ids[-1 - which], "thử")
    elif action == "restore":
        uploads.restore(workspace, ids[-1 - which])
    else:
        compaction.compact(workspace)


def nothing_else(*_args: object) -> None:
    pytest.fail("everything was judged")


def assess_only_what_changed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> SnapshotInfo:
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "_judged", nothing_else)
        return pipeline.assess(workspace, AS_OF)


def assert_as_from_scratch(workspace: Workspace, info: SnapshotInfo, as_of: date = AS_OF) -> None:
    """The kept snapshot equals one judged from the measurements on, when that too has gone through files."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots.save(Path(folder), pipeline.judge(inputs.fetch(workspace, as_of)))
        scratch = snapshots.load(Path(folder), info.snapshot_id)
    assert_equal(snapshots.load(workspace.snapshots, info.snapshot_id), scratch)


def assert_equal(one: Snapshot, other: Snapshot) -> None:
    assert one.info == other.info
    assert one.made_of == other.made_of
    for name, table in vars(one).items():
        if isinstance(table, pd.DataFrame):
            expected = getattr(other, name)
            pd.testing.assert_frame_equal(
                pd.DataFrame(table), pd.DataFrame(expected), rtol=1e-9, atol=1e-9, obj=name
            )


@settings(max_examples=3)
@given(actions=ACTIONS)
def test_any_sequence_of_changes_gives_what_judging_from_scratch_gives(
    province: Path, actions: list[tuple[str, int]]
) -> None:
    follow(province, actions)


@pytest.mark.soak
@settings(max_examples=120)
@given(actions=ACTIONS)
def test_many_sequences_of_changes_give_what_judging_from_scratch_gives(
    province: Path, actions: list[tuple[str, int]]
) -> None:
    follow(province, actions)


def follow(province: Path, actions: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = copy_of(province, Path(folder))
        for action, which in actions:
            do(workspace, province, action, which)
            info = pipeline.assess(workspace, AS_OF)
        assert_as_from_scratch(workspace, info)


@pytest.mark.parametrize("action", ["ingest", "withdraw", "read anew"])
def test_after_a_change_of_one_upload_nothing_else_is_judged(
    workspace: Workspace, province: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    ingest(workspace, logs(province)[1])
    before = pipeline.assess(workspace, AS_OF)
    do(workspace, province, action, 1 if action == "read anew" else 0)
    info = assess_only_what_changed(workspace, monkeypatch)
    assert info.snapshot_id != before.snapshot_id
    assert history.latest_id(workspace) == info.snapshot_id
    assert_as_from_scratch(workspace, info)


def test_an_upload_withdrawn_after_it_was_compacted_is_found_in_the_common_part(
    workspace: Workspace, province: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (upload_id,) = ingest(workspace, logs(province)[0])[:1]
    pipeline.assess(workspace, AS_OF)
    compaction.compact(workspace)
    tidying.tidy(workspace, timedelta(0))
    uploads.withdraw(workspace, upload_id, "thử")
    assert_as_from_scratch(workspace, assess_only_what_changed(workspace, monkeypatch))


def test_where_the_rows_that_went_are_gone_everything_is_judged(workspace: Workspace, province: Path) -> None:
    ingest(workspace, logs(province)[0])
    pipeline.assess(workspace, AS_OF)
    ingest(workspace, logs(province)[0], Context(source="drive_test", calibrated=True))
    tidying.tidy(workspace, timedelta(0))
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is None
    assert_as_from_scratch(workspace, pipeline.assess(workspace, AS_OF))


def test_another_day_layer_or_rule_judges_everything(workspace: Workspace, province: Path) -> None:
    ingest(workspace, logs(province)[0])
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is not None
    assert renewal.former(workspace, inputs.fetch(workspace, date(2026, 11, 2))) is None
    text = workspace.criteria_file.read_text(encoding="utf-8")
    workspace.criteria_file.write_text(
        text.replace("validity_months = 12", "validity_months = 11"), encoding="utf-8"
    )
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is None
    workspace.criteria_file.write_text(text, encoding="utf-8")
    add_places(workspace, "sites", province / "sim" / "sites.csv")
    add_places(workspace, "declared", province / "sim" / "declared.geojson")
    assert renewal.former(workspace, inputs.fetch(workspace, AS_OF)) is None


def test_a_snapshot_of_an_older_rule_is_not_renewed(workspace: Workspace, province: Path) -> None:
    """Its id says so: what it was made of names the rule, and one of before may lack a table."""
    ingest(workspace, logs(province)[0])
    given_now = inputs.fetch(workspace, AS_OF)
    assert renewal.former(workspace, given_now) is not None
    folder = workspace.snapshots / history.latest_id(workspace)
    made_of = orjson.loads((folder / "made_of.json").read_bytes())
    (folder / "hex_signals.parquet").unlink()
    (folder / "made_of.json").write_bytes(orjson.dumps(made_of | {"rule": made_of["rule"] - 1}))
    assert renewal.former(workspace, given_now) is None
    info = pipeline.assess(workspace, AS_OF)
    assert len(snapshots.load(workspace.snapshots, info.snapshot_id).hex_signals)


def test_the_signals_that_are_compared_are_of_several_kinds(workspace: Workspace) -> None:
    heard = history.latest(workspace).hex_signals
    assert heard["technology"].nunique() > 1
    assert heard["technology"].isna().any()
    assert heard["median_dbm"].isna().any()


def test_without_a_snapshot_there_is_nothing_to_renew(workspace: Workspace) -> None:
    given_now = inputs.fetch(workspace, AS_OF)
    shutil.rmtree(workspace.snapshots / given_now.snapshot_id)
    assert renewal.former(workspace, given_now) is None


def test_another_operator_is_asked_about_everywhere(workspace: Workspace, tmp_path: Path) -> None:
    log = tmp_path / "new.csv"
    log.write_text(
        "time,lat,lon,operator,technology,rsrp_dbm,device\n2026-09-01 08:00:00,11.8,108.0,45299,LTE,-90,p\n",
        encoding="utf-8",
    )
    ingest(workspace, log)
    info = pipeline.assess(workspace, AS_OF)
    assert "45299" in info.operators
    assert_as_from_scratch(workspace, info)
