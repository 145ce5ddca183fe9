"""The worker: every job ends, a dead worker's job is taken over, and nothing is counted by two of them."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from test_deliveries import CONTENT, LINES, send

from coverage import intake, pipeline, work
from coverage.archive import deciding, deliveries, history, jobs, receiving, tidying, uploads
from coverage.archive.jobs import Job, LeaseLost
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import JOBS
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import ArchiveUnavailable, DiskFull, PhusongError
from coverage.logs.context import Context

TODAY = date(2026, 6, 1)


@pytest.fixture
def workspace(tmp_path: Path, manifest_url: str | None) -> Workspace:
    return open_workspace(tmp_path / "workspace", manifest_url=manifest_url)


def claim(workspace: Workspace, worker: str = "one") -> Job:
    job = jobs.claim(workspace, worker)
    assert job is not None
    return job


def lease_ends(workspace: Workspace) -> None:
    with transaction(workspace.manifest) as connection:
        connection.execute(update(JOBS).values(lease_until_utc=now_utc() - timedelta(seconds=1)))


def wait_is_over(workspace: Workspace) -> None:
    with transaction(workspace.manifest) as connection:
        connection.execute(update(JOBS).values(not_before_utc=now_utc()))


def test_a_job_has_one_worker_until_its_lease_ends(workspace: Workspace) -> None:
    send(workspace)
    first = claim(workspace, "one")
    assert jobs.claim(workspace, "two") is None
    lease_ends(workspace)
    second = claim(workspace, "two")
    assert (second.job_id, second.attempts) == (first.job_id, 2)
    with pytest.raises(LeaseLost):
        jobs.heartbeat(workspace, first)
    with pytest.raises(LeaseLost), transaction(workspace.manifest) as connection:
        jobs.finish(connection, first)
    jobs.heartbeat(workspace, second, "half", 0.5)
    told = jobs.of_delivery(workspace, second.delivery_id or "")
    assert told is not None
    assert (told["state"], told["stage"], told["share"]) == ("running", "half", 0.5)


def test_what_a_dead_worker_had_read_is_told_as_added_by_the_next(workspace: Workspace) -> None:
    sent = send(workspace)
    claim(workspace)  # it reads the file in, and dies before it can say so
    coming = intake.Coming(sent.delivery_id)
    list(intake.ingest(workspace, deliveries.received_file(workspace, sent), sent.context, coming))
    lease_ends(workspace)
    work.run_due(workspace, lambda: TODAY)
    (receipt,) = deliveries.show(workspace, sent.delivery_id).result["files"]
    assert (receipt["effect"], receipt["added_rows"]) == ("added", 20)
    assert sum(row["accepted"] for row in uploads.list_uploads(workspace)) == 20


def test_a_file_that_ends_every_worker_fails_and_is_kept(workspace: Workspace) -> None:
    sent = send(workspace)
    for attempt in range(jobs.ATTEMPTS):
        assert claim(workspace).attempts == attempt + 1
        lease_ends(workspace)
    assert jobs.claim(workspace, "next") is None
    failed = deliveries.show(workspace, sent.delivery_id)
    assert failed.state == "failed"
    job = jobs.of_delivery(workspace, sent.delivery_id)
    assert job is not None
    assert job["fault"]["code"] == "worker_died"
    assert deliveries.received_file(workspace, failed).read_bytes() == CONTENT
    deciding.retry(workspace, sent.delivery_id)
    work.run_due(workspace, lambda: TODAY)
    assert deliveries.show(workspace, sent.delivery_id).state == "done"


@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left"), DiskFull("đầy", "full"), ArchiveUnavailable("vắng", "away")]
)
def test_what_is_no_fault_of_the_file_is_waited_for_however_long(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    sent = send(workspace)

    def never(*_: object) -> None:
        raise fault

    monkeypatch.setattr(intake, "ingest", never)
    for _ in range(jobs.ATTEMPTS + 2):
        assert work.run_one(workspace, lambda: TODAY) is not None
        told = jobs.of_delivery(workspace, sent.delivery_id)
        assert told is not None
        assert (told["state"], told["fault"]["code"]) == ("queued", getattr(fault, "code", "disk_full"))
        wait_is_over(workspace)
    monkeypatch.undo()
    work.run_due(workspace, lambda: TODAY)
    assert deliveries.show(workspace, sent.delivery_id).state == "done"


def test_a_passing_fault_is_tried_again_later_and_then_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = send(workspace)

    def full(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(intake, "ingest", full)
    for attempt in range(jobs.ATTEMPTS):
        job = work.run_one(workspace, lambda: TODAY)
        assert job is not None
        assert job.attempts == attempt + 1
        told = jobs.of_delivery(workspace, sent.delivery_id)
        assert told is not None
        assert "Input/output" in told["fault"]["en"]
        last = attempt == jobs.ATTEMPTS - 1
        assert told["state"] == ("failed" if last else "queued")
        assert work.run_one(workspace, lambda: TODAY) is None  # not at once
        wait_is_over(workspace)
    monkeypatch.undo()
    assert deliveries.show(workspace, sent.delivery_id).state == "failed"
    deciding.retry(workspace, sent.delivery_id)
    work.run_due(workspace, lambda: TODAY)
    assert deliveries.show(workspace, sent.delivery_id).state == "done"


def test_a_cancelled_job_stops_its_worker(workspace: Workspace) -> None:
    sent = send(workspace, held=True)
    wait_is_over(workspace)
    job = claim(workspace)
    deciding.cancel(workspace, sent.delivery_id)
    with pytest.raises(LeaseLost):
        jobs.heartbeat(workspace, job)
    with transaction(workspace.manifest) as connection, pytest.raises(LeaseLost):
        jobs.try_later(connection, job, PhusongError("vi", "en"))


def test_changes_wait_for_one_assessment(workspace: Workspace, tmp_path: Path) -> None:
    for second in range(3):
        send(workspace, CONTENT + f"{LINES[0]}{second}\n".encode())
    assert work.run_due(workspace, lambda: TODAY) == 4  # three files, and one judgement of all
    (row, *_) = uploads.list_uploads(workspace)
    uploads.withdraw(workspace, row["upload_id"], "sai máy")
    uploads.restore(workspace, row["upload_id"])
    assert work.run_due(workspace, lambda: TODAY) == 1


def test_one_worker_judges_at_a_time(workspace: Workspace) -> None:
    send(workspace)
    work.run_one(workspace, lambda: TODAY)
    judging = claim(workspace, "one")
    assert judging.kind == "assess"
    send(workspace, CONTENT + f"{LINES[0]}1\n".encode())
    with transaction(workspace.manifest) as connection:
        jobs.enqueue_assess(connection)
    assert claim(workspace, "two").kind == "ingest"
    assert jobs.claim(workspace, "three") is None
    with transaction(workspace.manifest) as connection:
        jobs.finish(connection, judging)
    assert claim(workspace, "three").kind == "assess"


def test_an_assessment_of_older_uploads_never_replaces_a_newer_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    from test_flow import add_two_villages  # noqa: PLC0415 - its fixtures are not ours

    add_two_villages(workspace, tmp_path)
    send(workspace)
    work.run_due(workspace, lambda: TODAY)
    newer = history.latest_id(workspace)
    info = pipeline.assess(workspace, date(2026, 6, 2))
    assert history.latest_id(workspace) == info.snapshot_id != newer
    slow = history.latest(workspace).info
    send(workspace, CONTENT + b"2026-05-02 09:00:00,11.94,108.44,45204,LTE,-95,phone\n")
    work.run_due(workspace, lambda: TODAY)
    newest = history.latest_id(workspace)
    history.publish(workspace, slow, revision=1)  # it began before the second file came
    assert history.latest_id(workspace) == newest


def test_a_worker_goes_on_while_the_manifest_is_away(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(workspace)
    stop, tries = threading.Event(), []
    honest = jobs.claim

    def away(*given: object) -> Job | None:
        tries.append(given)
        if len(tries) == 1:
            raise ArchiveUnavailable("vắng", "away")
        return honest(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "claim", away)
    thread = threading.Thread(target=work.work, args=(workspace, stop, lambda: TODAY))
    thread.start()
    while not uploads.list_uploads(workspace) and thread.is_alive():
        stop.wait(0.05)
    stop.set()
    thread.join()
    assert [row["accepted"] for row in uploads.list_uploads(workspace)] == [20]


def test_expired_deliveries_are_forgotten(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "KEPT", timedelta(0))
    begun = receiving.begin(workspace, "a.csv", Context())
    assert tidying.forget_expired(workspace) == [begun.delivery_id]
    assert deliveries.show(workspace, begun.delivery_id).state == "cancelled"
    assert list(workspace.incoming.iterdir()) == []
