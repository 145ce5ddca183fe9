"""Every call to the file system may fail or be the last: then all of an act is there or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import bench as benches
from faults import shim
from faults.bench import ACTS, Bench, points
from faults.checks import cut_off, failed, finished_and_cut_off, stopped
from faults.power import Lost
from faults.shim import What

every_act = pytest.mark.parametrize("act", ACTS)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with benches.made(tmp_path_factory.mktemp("faults").resolve(), None) as bench:
        yield bench


def test_the_shim_sees_calls_of_python_arrow_and_sqlite(bench: Bench) -> None:
    calls = bench.calls["receive_new"]
    assert any(
        call.path.name.startswith("compacted-") or "compacted-" in call.other
        for call in bench.calls["compact"]
    )
    assert any(call.kind == "UNLINK" and call.path.suffix == ".parquet" for call in bench.calls["tidy"])
    seen = {(call.kind, call.path.suffix) for call in calls}
    assert {("WRITE", ".part"), ("RENAME", ".part")} <= seen
    assert {("WRITE", ".sqlite-wal"), ("SYNC", ".sqlite-wal")} <= seen
    turns = [call.turn for call in calls]
    assert turns == sorted(set(turns))


@every_act
def test_a_process_that_ends_at_any_call_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for n in points(bench, act, most=3):
        stopped(bench, act, n, What.TEAR)


@every_act
def test_a_call_that_fails_leaves_all_or_nothing_and_the_process_goes_on(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench, act, most=2), ACTS.index(act)):
        failed(bench, act, n, (What.IO_ERROR, What.NO_SPACE, What.STAY_FULL)[number % 3])


@pytest.mark.soak
@pytest.mark.parametrize("what", [one for one in What if one is not What.NOTHING])
@every_act
def test_every_call_breaks_in_every_way(bench: Bench, act: str, what: What) -> None:
    for call in bench.calls[act]:
        (stopped if what in shim.STOPS else failed)(bench, act, call.turn, what)


@pytest.mark.parametrize("lost", list(Lost))
@every_act
def test_what_was_acknowledged_outlives_a_power_cut(bench: Bench, act: str, lost: Lost) -> None:
    cut_off(bench, act, 0, lost)


@every_act
def test_a_power_cut_at_any_moment_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench, act, most=2), ACTS.index(act)):
        cut_off(bench, act, n, list(Lost)[number % 3])


@every_act
def test_what_a_stopped_process_left_half_done_is_safe_once_it_was_done_again(bench: Bench, act: str) -> None:
    finished_and_cut_off(bench, act)


@pytest.mark.soak
@pytest.mark.parametrize("lost", list(Lost))
@every_act
def test_a_power_cut_at_every_call_leaves_all_or_nothing(bench: Bench, act: str, lost: Lost) -> None:
    for call in bench.calls[act]:
        cut_off(bench, act, call.turn, lost)


def test_receipts_come_after_the_data_is_on_the_disk(bench: Bench) -> None:
    calls = bench.calls["receive_new"]
    renamed = [at for at, call in enumerate(calls) if call.kind == "RENAME"]
    assert len(renamed) == 2
    for at in renamed:
        (draft, part) = calls[at].path, Path(calls[at].other)
        mine = [call for call in calls[:at] if call.path == draft]
        assert mine[-1].kind == "SYNC", "the data is forced onto the disk before it has its name"
        assert int(mine[-1].other) == max(int(call.other or 0) for call in mine) > 0
        rest = [(call.kind, call.path.name) for call in calls[at:]]
        named, said = rest.index(("SYNC", part.parent.name)), rest.index(("WRITE", "manifest.sqlite-wal"))
        assert named < said < rest.index(("SYNC", "manifest.sqlite-wal")), (
            "its name is on the disk before the manifest speaks of it"
        )
