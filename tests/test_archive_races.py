"""What two do at once: a cancelled, retried or confirmed delivery is never read in by the worker that lost it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import pytest
from faults import acts

from coverage import intake, work
from coverage.archive import deciding, deliveries, jobs, receiving, uploads
from coverage.archive.deliveries import Delivery
from coverage.archive.jobs import Job, LeaseLost
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import Conflict, InputError
from coverage.logs.context import Context

TODAY = date(2026, 6, 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return open_workspace(tmp_path / "workspace", manifest_url=url)


def send(workspace: Workspace, file: str = "a.csv", **said: object) -> Delivery:
    context = said.pop("context", Context())
    begun = receiving.begin(workspace, file, context, **said)  # type: ignore[arg-type]
    log = acts.write_log(workspace.root.parent / file)
    deliveries.part(workspace, begun.delivery_id).write_bytes(log.read_bytes())
    return receiving.complete(workspace, begun.delivery_id)


def claim(workspace: Workspace, worker: str = "one") -> Job:
    job = jobs.claim(workspace, worker)
    assert job is not None
    return job


def read_in(workspace: Workspace, job: Job, delivery: Delivery) -> None:
    """What a worker does that has not noticed yet that its job is no longer its own."""
    file = acts.write_log(workspace.root.parent / delivery.file)
    list(intake.ingest(workspace, file, delivery.context, intake.Coming(delivery.delivery_id, job=job)))


def test_what_was_cancelled_while_it_was_read_does_not_count(workspace: Workspace) -> None:
    sent = send(workspace)
    job = claim(workspace)
    deciding.cancel(workspace, sent.delivery_id)
    with pytest.raises(LeaseLost):
        read_in(workspace, job, sent)
    assert uploads.list_uploads(workspace) == []


def test_a_slow_worker_does_not_undo_what_was_said_since(workspace: Workspace) -> None:
    sent = send(workspace, held=True, context=Context(team="Đội 2"))
    acts.let_time_pass(workspace)
    slow = claim(workspace, "slow")  # nobody had looked at the preview for an hour
    deciding.confirm(workspace, sent.delivery_id, Context(team="Đội 1"))
    work.run_due(workspace, lambda: TODAY)
    with pytest.raises(LeaseLost):
        read_in(workspace, slow, sent)
    (row,) = uploads.list_uploads(workspace)
    assert (row["context"]["team"], row["accepted"]) == ("Đội 1", 20)


def test_a_worker_whose_job_fails_after_it_was_cancelled_goes_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = send(workspace)
    honest = intake.ingest

    def cancelled_meanwhile(*_: object) -> None:
        deciding.cancel(workspace, sent.delivery_id)
        raise FileNotFoundError(sent.file)  # its bytes are gone

    monkeypatch.setattr(intake, "ingest", cancelled_meanwhile)
    assert work.run_one(workspace, lambda: TODAY) is not None
    monkeypatch.setattr(intake, "ingest", honest)
    send(workspace, "b.csv")
    work.run_due(workspace, lambda: TODAY)
    assert [row["file"] for row in uploads.list_uploads(workspace)] == ["b.csv"]


def test_text_that_no_database_can_hold_is_refused_and_is_no_damage(workspace: Workspace) -> None:
    upload = acts.receive(workspace, acts.write_log(workspace.root.parent / "c.csv"))
    # SQLite can hold a zero byte, PostgreSQL cannot; half a letter neither of them.
    for text in ("a\ud800b", *(() if workspace.manifest_kind == "sqlite" else ("a\0b",))):
        with pytest.raises(InputError):
            receiving.begin(workspace, f"{text}.csv", Context())
        with pytest.raises(InputError):
            uploads.withdraw(workspace, upload.upload_id, text)
    assert deliveries.list_deliveries(workspace) == []
    assert uploads.show(workspace, upload.upload_id)["state"] == "committed"


def test_what_was_said_first_may_be_said_again(workspace: Workspace) -> None:
    """Somebody corrects an entry and then takes that back: the last word counts, not the first of its kind."""
    for team in ("Đội 1", "Đội 2", "Đội 1"):
        send(workspace, context=Context(team=team))
        work.run_due(workspace, lambda: TODAY)
    (row,) = uploads.list_uploads(workspace)
    assert (row["context"]["team"], row["accepted"]) == ("Đội 1", 20)
    assert send(workspace, context=Context(team="Đội 1")).same_as is not None


def test_what_is_partly_read_is_not_cancelled(workspace: Workspace) -> None:
    sent = send(workspace)
    read_in(workspace, claim(workspace), sent)
    with pytest.raises(Conflict):
        deciding.cancel(workspace, sent.delivery_id)
    acts.let_time_pass(workspace)
    work.run_due(workspace, lambda: TODAY)
    assert deliveries.show(workspace, sent.delivery_id).state == "done"


def test_many_complete_one_delivery_at_once(workspace: Workspace) -> None:
    for turn in range(5):
        log = acts.write_log(workspace.root.parent / f"{turn}.csv")
        begun = receiving.begin(workspace, log.name, Context())
        deliveries.part(workspace, begun.delivery_id).write_bytes(log.read_bytes())
        together = Barrier(4)

        def complete(delivery_id: str = begun.delivery_id, together: Barrier = together) -> Delivery:
            together.wait()
            return receiving.complete(workspace, delivery_id)

        with ThreadPoolExecutor(4) as pool:
            done = [one.result() for one in [pool.submit(complete) for _ in range(4)]]
        assert {one.state for one in done} == {"received"}
        assert jobs.of_delivery(workspace, begun.delivery_id) is not None
    work.run_due(workspace, lambda: TODAY)
    assert len(uploads.list_uploads(workspace)) == 5


def test_a_file_whose_name_is_no_text_is_read(workspace: Workspace) -> None:
    """Disks of old cameras and phones bring names in other encodings."""
    log = acts.write_log(workspace.root.parent / "odd.csv")
    odd = log.rename(log.with_name("ma\udcffy.csv"))
    assert acts.receive(workspace, odd).accepted == 20
