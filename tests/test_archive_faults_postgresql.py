"""The same over PostgreSQL: files and manifest agree whatever breaks between the two.

The files are written by the same code, so the acts in which both must agree are enough.
"""

from __future__ import annotations

from collections.abc import Iterator

import postgres
import pytest
from faults import bench as benches
from faults.bench import Bench, points
from faults.checks import cut_off, failed, finished_and_cut_off, stopped
from faults.power import Lost
from faults.shim import What

ACTS = ["receive_new", "complete_delivery", "read_delivery", "compact", "publish", "lay_out"]
every_act = pytest.mark.parametrize("act", ACTS)


@pytest.fixture(scope="module")
def bench(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with benches.made(tmp_path_factory.mktemp("faults").resolve(), postgres_server, ACTS) as bench:
        yield bench


@every_act
def test_a_process_that_ends_leaves_all_or_nothing(bench: Bench, act: str) -> None:
    for n in points(bench, act, most=2):
        stopped(bench, act, n, What.TEAR)


@every_act
def test_a_call_that_fails_leaves_all_or_nothing_and_the_process_goes_on(bench: Bench, act: str) -> None:
    for number, n in enumerate(points(bench, act, most=2)):
        failed(bench, act, n, (What.IO_ERROR, What.NO_SPACE, What.STAY_FULL)[number % 3])


@every_act
def test_what_was_acknowledged_outlives_a_power_cut(bench: Bench, act: str) -> None:
    cut_off(bench, act, 0, Lost.BOTH)


@every_act
def test_what_a_stopped_process_left_half_done_is_safe_once_it_was_done_again(bench: Bench, act: str) -> None:
    finished_and_cut_off(bench, act)


@pytest.mark.soak
@every_act
def test_every_call_breaks_in_every_way(bench: Bench, act: str) -> None:
    for call in bench.calls[act]:
        stopped(bench, act, call.turn, What.STOP_BEFORE)
        failed(bench, act, call.turn, What.IO_ERROR)
        cut_off(bench, act, call.turn, Lost.BOTH)
