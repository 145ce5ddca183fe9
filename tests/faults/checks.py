"""What is done to an act on the bench, and what must hold after it."""

from __future__ import annotations

from faults import acts, power, shim
from faults.bench import ERRORS, Bench, check, check_again, do, drafts, fresh, look
from faults.power import Lost
from faults.shim import What


def stopped(bench: Bench, act: str, n: int, what: What) -> None:
    """A process ends at that call."""
    fresh(bench, act)
    where = (act, n, what)
    assert do(bench, act, n, what) == {"stopped": True}, where
    if bench.before[act] is not None:
        check(bench, act, look(bench), where)
    check_again(bench, act, where)


def failed(bench: Bench, act: str, n: int, what: What) -> None:
    """That call fails, and the process goes on."""
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


def finished_and_cut_off(bench: Bench, act: str) -> None:
    """A process is stopped just after a name was given, another finishes, and then the power goes."""
    for call in bench.calls[act]:
        if call.kind in {"RENAME", "LINK"}:
            _finish_and_cut_off(bench, act, call.turn)


def _finish_and_cut_off(bench: Bench, act: str, n: int) -> None:
    root, log = fresh(bench, act), bench.folder / "finished"
    log.unlink(missing_ok=True)
    do(bench, act, n, What.STOP_AFTER, log=log)
    assert do(bench, act, log=log)["outcome"] == "done"
    power.cut(shim.calls(log), bench.origin(act), root, Lost.BOTH)
    assert acts.without_history(look(bench)) == acts.without_history(bench.after[act]), (act, n)
