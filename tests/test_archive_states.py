"""Any sequence of acts and crashes, against a model that is a dict: the archive is what was acknowledged."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faults import acts, driver, shim
from faults.bench import ERRORS, roomy
from faults.shim import What
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from coverage.archive.verification import verify
from coverage.archive.workspace import open_workspace

ROWS = 20
PLAIN, BARE = ("one.csv", "two.csv", "three.csv"), ("bare-one.csv", "bare-other.csv")
FILES = st.sampled_from(PLAIN + BARE)
# Mostly nothing happens: else no sequence would get anywhere.
FAULTS = st.none() | st.tuples(st.integers(1, 150), st.sampled_from([one for one in What if one]))


@dataclass(frozen=True)
class Forks:
    process: subprocess.Popen[str]
    folder: Path


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    folder = tmp_path_factory.mktemp("states").resolve()
    for name in PLAIN + BARE:
        acts.write_log(folder / name, ROWS, bare=name in BARE)
    with roomy(), driver.forking(folder, shim.compile_shim(folder)) as process:
        yield Forks(process, folder)


class Archive(RuleBasedStateMachine):
    """The archive, and beside it what it must be: per file its state and accepted rows, and its sending."""

    def __init__(self, forks: Forks) -> None:
        super().__init__()
        self.forks = forks
        self.folder = Path(tempfile.mkdtemp(dir=forks.folder))
        for name in PLAIN + BARE:
            shutil.copy(forks.folder / name, self.folder)
        self.root = self.folder / "workspace"
        open_workspace(self.root)
        self.uploads: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, str] = {}

    def teardown(self) -> None:
        workspace = open_workspace(self.root)
        assert [one for one in verify(workspace) if one.severity == "damage"] == []
        shutil.rmtree(self.folder)

    def act(self, name: str, file: str, fault: tuple[int, What] | None) -> None:
        """Do it, in a process that may be broken; then the archive is what it was or what it is to be."""
        before = deepcopy((self.uploads, self.sent))
        getattr(self, f"model_{name}")(file)
        n, what = fault or (0, What.NOTHING)
        answer = driver.break_act(self.forks.process, name, self.root, n, what, file=file)
        seen = acts.look(self.root)
        uploads = {
            one: {"state": about["state"], "accepted": about["accepted"]}
            for one, about in seen["uploads"].items()
        }
        sent = {one: about["state"] for one, about in seen["deliveries"].items()}
        where = (name, file, fault, answer)
        if answer.get("outcome") == "done":
            assert (uploads, sent) == (self.uploads, self.sent), where
        else:
            assert fault, where
            assert "stopped" in answer or answer["outcome"].startswith(ERRORS), where
            for one in {*uploads, *self.uploads}:
                assert uploads.get(one) in (before[0].get(one), self.uploads.get(one)), (one, where)
            for one in {*sent, *self.sent}:
                assert sent.get(one) in self.on_the_way(before[1].get(one), self.sent.get(one)), (one, where)
            self.uploads, self.sent = uploads, sent
        counted = sum(one["accepted"] for one in self.uploads.values() if one["state"] == "committed")
        assert seen["counted"] == counted, where

    @staticmethod
    def on_the_way(before: str | None, after: str | None) -> set[str | None]:
        steps: list[str | None] = [None, "receiving", "received", "done"]
        between = set(
            steps[steps.index(before) : steps.index(after) + 1]
            if before != "failed"
            else ["received", "done"]
        )
        return between | {before, after} | ({"failed"} if after == "done" else set())

    def model_receive(self, file: str) -> None:
        rows = 0 if file in BARE else ROWS
        self.uploads.setdefault(file, {"state": "committed", "accepted": rows})

    def model_cure(self, file: str) -> None:
        self.uploads.setdefault(file, {"state": "committed"})["accepted"] = ROWS

    def model_withdraw(self, file: str) -> None:
        self.uploads[file]["state"] = "withdrawn"

    def model_restore(self, file: str) -> None:
        self.uploads[file]["state"] = "committed"

    def model_deliver(self, file: str) -> None:
        if self.sent.get(file) in {None, "receiving"}:
            self.sent[file] = "received"

    def model_work(self, _: str) -> None:
        for file, state in self.sent.items():
            if state in {"received", "failed"}:
                self.model_receive(file)
                self.sent[file] = "done"

    def model_nothing(self, _: str) -> None:
        """Other files, the same archive."""

    model_compact = model_tidy = model_reopen = model_nothing

    @rule(file=FILES, fault=FAULTS)
    def receive(self, file: str, fault: tuple[int, What] | None) -> None:
        self.act("receive", file, fault)

    @rule(file=st.sampled_from(BARE), fault=FAULTS)
    def cure(self, file: str, fault: tuple[int, What] | None) -> None:
        self.act("cure", file, fault)

    @rule(file=FILES, fault=FAULTS, name=st.sampled_from(["withdraw", "restore"]))
    def withdraw_or_restore(self, file: str, fault: tuple[int, What] | None, name: str) -> None:
        if file in self.uploads:
            self.act(name, file, fault)

    @rule(file=FILES, fault=FAULTS)
    def deliver(self, file: str, fault: tuple[int, What] | None) -> None:
        self.act("deliver", file, fault)

    @rule(fault=FAULTS, name=st.sampled_from(["work", "compact", "tidy", "reopen"]))
    def keep(self, fault: tuple[int, What] | None, name: str) -> None:
        self.act(name, "", fault)


def any_sequence(forks: Forks, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        partial(Archive, forks),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_of_acts_and_crashes_leaves_what_was_acknowledged(forks: Forks) -> None:
    any_sequence(forks, examples=4, steps=15)


@pytest.mark.soak
def test_many_sequences_of_acts_and_crashes_leave_what_was_acknowledged(forks: Forks) -> None:
    any_sequence(forks, examples=300, steps=40)
