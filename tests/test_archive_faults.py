"""Every call to the file system may fail or be the last: then all of an act is there or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import acts, power, shim
from faults import bench as benches
from faults.bench import ACTS, ERRORS, Bench, check, check_again, do, drafts, fresh, look, points
from faults.power import Lost
from faults.shim import What


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with benches.made(tmp_path_factory.mktemp("faults").resolve(), server) as bench:
        yield bench


def test_the_shim_sees_calls_of_python_arrow_and_sqlite(bench: Bench) -> None:
    calls = bench.calls["receive_new"]
    seen = {(call.kind, call.path.suffix) for call in calls}
    assert {("WRITE", ".part"), ("RENAME", ".part")} <= seen
    assert bench.server or {("WRITE", ".sqlite-wal"), ("SYNC", ".sqlite-wal")} <= seen
    turns = [call.turn for call in calls]
    assert turns == sorted(set(turns))


def stopped(bench: Bench, act: str, n: int, what: What) -> None:
    fresh(bench, act)
    where = (act, n, what)
    assert do(bench, act, n, what) == {"stopped": True}, where
    if bench.before[act] is not None:
        check(bench, act, look(bench), where)
    check_again(bench, act, where)


def failed(bench: Bench, act: str, n: int, what: What) -> None:
    root = fresh(bench, act)
    answer = do(bench, act, n, what, again=True)
    where = (act, n, what, answer["outcome"])
    assert answer["outcome"] == "done" or answer["outcome"].startswith(ERRORS), where
    check(bench, act, answer["between"], where)
    if answer["outcome"] == "done":
        assert answer["between"] == bench.after[act], where
    broken = next((call.kind for call in bench.calls[act] if call.turn == n), None)
    assert broken == "UNLINK" or not drafts(root), where
    assert answer["again"] == "done", where
    assert acts.without_history(answer["after"]) == acts.without_history(bench.after[act]), where
    assert look(bench) == answer["after"], where


@pytest.mark.parametrize("act", ACTS)
def test_a_process_that_ends_at_any_call_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for n in points(bench.calls[act]):
        stopped(bench, act, n, What.TEAR)


@pytest.mark.parametrize("act", ACTS)
def test_a_call_that_fails_leaves_all_or_nothing_and_the_process_goes_on(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench.calls[act], most=12)):
        failed(bench, act, n, (What.IO_ERROR, What.NO_SPACE, What.STAY_FULL)[number % 3])


@pytest.mark.soak
@pytest.mark.parametrize("what", [one for one in What if one is not What.NOTHING])
@pytest.mark.parametrize("act", ACTS)
def test_every_call_breaks_in_every_way(bench: Bench, act: str, what: What) -> None:
    for call in bench.calls[act]:
        (stopped if what in shim.STOPS else failed)(bench, act, call.turn, what)


def cut_off(bench: Bench, act: str, n: int, lost: Lost) -> None:
    """The process ends at that call (0: after all of them), and the power goes at the same moment."""
    root, log, where = fresh(bench, act), bench.folder / "cut", (act, n, lost)
    log.unlink(missing_ok=True)
    answer = do(bench, act, n, What.STOP_BEFORE if n else What.NOTHING, log=log)
    power.cut(shim.calls(log), bench.origin(act), root, lost)
    if answer.get("outcome") == "done":
        assert look(bench) == bench.after[act], where
    elif bench.before[act] is not None:
        check(bench, act, look(bench), where)
    check_again(bench, act, where)


@pytest.mark.parametrize("lost", list(Lost))
@pytest.mark.parametrize("act", ACTS)
def test_what_was_acknowledged_outlives_a_power_cut(bench: Bench, act: str, lost: Lost) -> None:
    cut_off(bench, act, 0, lost)


@pytest.mark.parametrize("act", ACTS)
def test_a_power_cut_at_any_moment_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench.calls[act], most=12)):
        cut_off(bench, act, n, list(Lost)[number % 3])


@pytest.mark.parametrize("act", ACTS)
def test_what_a_stopped_process_left_half_done_is_safe_once_it_was_done_again(bench: Bench, act: str) -> None:
    for call in bench.calls[act]:
        if call.kind in {"RENAME", "LINK"}:
            finish_and_cut_off(bench, act, call.turn)


def finish_and_cut_off(bench: Bench, act: str, n: int) -> None:
    root, log = fresh(bench, act), bench.folder / "finished"
    log.unlink(missing_ok=True)
    do(bench, act, n, What.STOP_AFTER, log=log)
    assert do(bench, act, log=log)["outcome"] == "done"
    power.cut(shim.calls(log), bench.origin(act), root, Lost.BOTH)
    assert acts.without_history(look(bench)) == acts.without_history(bench.after[act]), (act, n)


@pytest.mark.soak
@pytest.mark.parametrize("lost", list(Lost))
@pytest.mark.parametrize("act", ACTS)
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
        if bench.server:
            continue
        rest = [(call.kind, call.path.name) for call in calls[at:]]
        named, said = rest.index(("SYNC", part.parent.name)), rest.index(("WRITE", "manifest.sqlite-wal"))
        assert named < said < rest.index(("SYNC", "manifest.sqlite-wal")), (
            "its name is on the disk before the manifest speaks of it"
        )
