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
    parent, tidied = os.getppid() if parent is None else parent, 0.0
    while not stop.is_set() and os.getppid() == parent:
        try:
            if time.monotonic() - tidied > _TIDY_S:
                _tidy_up(workspace)
                tidied = time.monotonic()
            idle = run_one(workspace, today) is None
        except ArchiveUnavailable as fault:
            # It may come back, and the lease gives the job to whoever asks next.
            log.warning("%s", fault.en)
            idle = True
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
    try:
        with _heartbeat(workspace, job) as pulse:
            if job.kind == "ingest":
                _read_in(workspace, job, pulse)
            else:
                _judge(workspace, job, pulse, today())
    except LeaseLost as fault:
        log.warning("job %s: %s", job.job_id, fault.en)
    except PhusongError as fault:
        _put_back(workspace, job, fault)
    except OSError as fault:
        _put_back(workspace, job, _told(fault))
    except Exception as fault:
        log.exception("job %s", job.job_id)
        what = f"{type(fault).__name__}: {fault}"
        _put_back(
            workspace, job, PhusongError(f"Lỗi của chương trình ({what}).", f"A fault of ours ({what}).")
        )
    return job


def _told(fault: OSError) -> PhusongError:
    what = f"{fault.strerror or fault}: {fault.filename or ''}"
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"Ổ đĩa đầy ({what}). Tệp vẫn còn.", f"The disk is full ({what}). The file is kept.")
    return PhusongError(f"Không đọc hoặc ghi được ({what}).", f"Cannot read or write ({what}).")


def _put_back(workspace: Workspace, job: Job, fault: PhusongError) -> None:
    log.error("job %s, attempt %s: %s", job.job_id, job.attempts, fault.en)
    try:
        with transaction(workspace.manifest) as connection:
            jobs.try_later(connection, job, fault)
    except LeaseLost as lost:  # it was cancelled meanwhile, and that is why it failed
        log.warning("job %s: %s", job.job_id, lost.en)


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
            log.warning("heartbeat of job %s: %s", job.job_id, fault.en)


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
            log.info("delivery %s: nobody came back to it, its bytes are gone", delivery_id)
        for one in tidying.tidy(workspace):
            log.info("removed %s (%s, %s bytes): nothing names it", one.path, one.kind, one.size_bytes)
    except OSError:  # reading files in matters more than room; an hour later it is tried again
        log.exception("tidying")
