"""The worker: takes jobs from the manifest one by one, reads deliveries in, and judges again."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from coverage import intake
from coverage.archive import deciding, deliveries, jobs, layers, tidying
from coverage.archive.alive import giving_signs
from coverage.archive.jobs import Job, LeaseLost
from coverage.archive.manifest import transaction
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveUnavailable, DiskFull, InputError, PhusongError

log = logging.getLogger(__name__)
_LOOK_S = 0.5  # how long a new job may lie before an idle worker sees it
_TELL_S = 1.0  # how often progress is written down
_RENEW_S = 15.0  # a quarter of the lease: three heartbeats may fail
_TIDY_S = 3600.0


def work(
    workspace: Workspace,
    stop: threading.Event,
    today: Callable[[], date] = date.today,
    parent: int | None = None,
) -> None:
    """Take jobs until `stop` is set or the process that started this one is gone; the job at hand is finished first.

    `parent`: the number of that process, where it may have gone before this one could ask.
    """
    parent = os.getppid() if parent is None else parent
    with giving_signs(workspace):
        _work(workspace, lambda: stop.is_set() or os.getppid() != parent, stop, today)


def _work(
    workspace: Workspace, is_over: Callable[[], bool], stop: threading.Event, today: Callable[[], date]
) -> None:
    tidied, is_away = 0.0, False
    while not is_over():
        try:
            if time.monotonic() - tidied > _TIDY_S:
                _tidy_up(workspace)
                tidied = time.monotonic()
            idle = run_one(workspace, today) is None
            is_away = False
        except ArchiveUnavailable as fault:
            # It may come back, and the lease gives the job to whoever asks next.
            if not is_away:
                log.warning("archive_away", extra={"code": fault.code})
            idle = is_away = True
        if idle:
            stop.wait(_LOOK_S)


def run_due(workspace: Workspace, today: Callable[[], date] = date.today) -> int:
    """How many jobs were done, until none was due."""
    done = 0
    while run_one(workspace, today) is not None:
        done += 1
    return done


def run_one(workspace: Workspace, today: Callable[[], date] = date.today) -> Job | None:
    """The job that was taken and ended, well or not; None where none was due. What went wrong stands in the job."""
    job = jobs.claim(workspace, f"{os.uname().nodename}:{os.getpid()}:{threading.get_ident()}")
    if job is None:
        return None
    begun = time.monotonic()
    log.info("job_taken", extra=_about(job))
    outcome = _ended(workspace, job, today)
    log.info("job_ended", extra=_about(job) | {"outcome": outcome, "duration_ms": _ms_since(begun)})
    return job


def _about(job: Job) -> dict[str, object]:
    """What the log tells of a job: numbers and its delivery's id, not what its sender calls it."""
    return {"job": job.job_id, "kind": job.kind, "attempt": job.attempts, "delivery": job.delivery_id}


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _ended(workspace: Workspace, job: Job, today: Callable[[], date]) -> str:
    """How the job ended: done, put_back, failed or lost."""
    try:
        with _heartbeat(workspace, job) as pulse:
            if job.kind == "ingest":
                _read_in(workspace, job, pulse)
            else:
                _judge(workspace, job, pulse, today())
    except LeaseLost:
        return "lost"
    except PhusongError as fault:
        return _put_back(workspace, job, fault, fault)
    except OSError as fault:
        return _put_back(workspace, job, _told(fault), fault)
    except Exception as fault:
        what = f"{type(fault).__name__}: {fault}"
        told = PhusongError(f"Lỗi của chương trình ({what}).", f"A fault of ours ({what}).")
        return _put_back(workspace, job, told, fault)
    return "done"


def _told(fault: OSError) -> PhusongError:
    what = f"{fault.strerror or fault}: {fault.filename or ''}"
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"Ổ đĩa đầy ({what}). Tệp vẫn còn.", f"The disk is full ({what}). The file is kept.")
    return PhusongError(f"Không đọc hoặc ghi được ({what}).", f"Cannot read or write ({what}).")


def _put_back(workspace: Workspace, job: Job, fault: PhusongError, raised: Exception) -> str:
    log.error("job_fault", extra=_about(job), exc_info=raised)
    try:
        with transaction(workspace.manifest) as connection:
            return "put_back" if jobs.try_later(connection, job, fault) else "failed"
    except LeaseLost:  # it was cancelled meanwhile, and that is why it failed
        return "lost"


class _Pulse:
    """How far the job is; whoever tells it learns when the job is no longer theirs."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.share = 0.0
        self.lost: LeaseLost | None = None
        self.over = threading.Event()

    def tell(self, stage: str, share: float) -> None:
        """Note the stage and the share of the job that is done. Raises `LeaseLost`."""
        if self.lost is not None:
            raise self.lost
        self.stage, self.share = stage, share


@contextmanager
def _heartbeat(workspace: Workspace, job: Job) -> Iterator[_Pulse]:
    pulse = _Pulse()
    thread = threading.Thread(target=_beat, args=(workspace, job, pulse), daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        pulse.over.set()
        thread.join()


def _beat(workspace: Workspace, job: Job, pulse: _Pulse) -> None:
    told, renewed = (pulse.stage, pulse.share), time.monotonic()
    while not pulse.over.wait(_TELL_S):
        now = (pulse.stage, pulse.share)
        if now == told and time.monotonic() - renewed < _RENEW_S:
            continue
        try:
            jobs.heartbeat(workspace, job, *now)
            told, renewed = now, time.monotonic()
        except LeaseLost as fault:
            pulse.lost = fault
            return
        except PhusongError as fault:  # the next beat may come through; if none does, the lease ends
            log.warning("heartbeat_failed", extra=_about(job) | {"code": fault.code})


def _read_in(workspace: Workspace, job: Job, pulse: _Pulse) -> None:
    """Read a delivery into the archive: what became of each file inside, and the end of the job, in one transaction."""
    delivery = deliveries.show(workspace, str(job.delivery_id))
    result: dict[str, list[Any]] = {"files": [], "refused": []}
    for found in _files_of(workspace, delivery, job, pulse):
        if isinstance(found, Receipt):
            told = _told_once(found, result["files"])
            result["files"].append(asdict(told) | {"added_rows": told.added_rows})
        else:
            result["refused"].append(jobs.as_fault(found))
    state = "done" if result["files"] else "refused"
    with transaction(workspace.manifest) as connection:
        deciding.close(workspace, connection, delivery.delivery_id, state, result)
        jobs.finish(connection, job)
    # A refused file is kept for a while, somebody may know how to read it; so is one whose sender has not agreed yet.
    if not (result["refused"] or delivery.held):
        deliveries.forget_bytes(workspace, delivery.delivery_id)


def _told_once(found: Receipt, before: list[dict[str, Any]]) -> Receipt:
    """The receipt; of the second of two equal files in a zip it says that the archive had it already."""
    twin = any(one["upload_id"] == found.upload_id for one in before)
    return replace(found, effect="already_received") if twin else found


def _files_of(
    workspace: Workspace, delivery: deliveries.Delivery, job: Job, pulse: _Pulse
) -> Iterator[Receipt | InputError]:
    file = deliveries.received_file(workspace, delivery)
    coming = intake.Coming(delivery.delivery_id, delivery.by, pulse.tell, job)
    try:
        yield from intake.ingest(workspace, file, delivery.context, coming)
    except InputError as fault:
        yield fault


def _judge(workspace: Workspace, job: Job, pulse: _Pulse, as_of: date) -> None:
    # Measurements may come before the villages: they are kept, and judged once there are villages.
    if layers.has_layer(workspace, "villages"):
        # What judging needs takes seconds to load: a worker that only reads does without.
        from coverage import pipeline  # noqa: PLC0415

        pipeline.assess(workspace, as_of, pulse.tell)
    with transaction(workspace.manifest) as connection:
        jobs.finish(connection, job)


def _tidy_up(workspace: Workspace) -> None:
    """Forget the sendings that nobody came back to, and remove the files that nothing names any more."""
    try:
        for delivery_id in tidying.forget_expired(workspace):
            log.info("delivery_forgotten", extra={"delivery": delivery_id})
        for one in tidying.tidy(workspace):
            log.info("leftover_removed", extra={"kind": one.kind, "bytes": one.size_bytes})
    except OSError:  # reading files in matters more than room; an hour later it is tried again
        log.exception("tidying")
