"""What a watcher (Prometheus) reads of the service. No id, name, operator or place is ever a label.

Each process counts its requests for itself, in memory; processes that answer on one address count together, in files of
a folder that their service made for them. How things stand is asked of workspace and manifest at each reading.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import prometheus_client
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from coverage.archive.alive import last_sign_s
from coverage.archive.disk import MB
from coverage.archive.standing import Standing, standing
from coverage.archive.workspace import Workspace
from coverage.errors import PhusongError
from coverage.service import versions
from coverage.service.desk import AtDesk
from coverage.service.patience import within_patience
from coverage.settings import get_settings

Values = Mapping[tuple[str, ...], float]  # by the values of the labels
router = APIRouter()
UNKNOWN = "unknown"  # every path that leads nowhere
_OF_REQUEST = ("route", "method")
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_OURS = CollectorRegistry()

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
_REQUESTS = Counter(
    "phusong_http_requests",
    "Requests by route, method and class of status",
    (*_OF_REQUEST, "status"),
    registry=_OURS,
)
_DURATION = Histogram(
    "phusong_http_request_seconds", "From the first byte of the head to the last of the answer", _OF_REQUEST,
    buckets=_SECONDS, registry=_OURS,
)  # fmt: skip
_RECEIVED = Counter("phusong_http_received_bytes", "Bytes of bodies that came", registry=_OURS)
_SENT = Counter("phusong_http_sent_bytes", "Bytes of bodies that went", registry=_OURS)


def count(
    route: str | None, method: str, status: int | None, took_s: float, bytes_in: int, bytes_out: int
) -> None:
    """Count one request; without a status nobody was there any more to be answered."""
    of_request = (route or UNKNOWN, method)
    _REQUESTS.labels(*of_request, f"{status // 100}xx" if status else "none").inc()
    _DURATION.labels(*of_request).observe(took_s)
    _RECEIVED.inc(bytes_in)
    _SENT.inc(bytes_out)


@router.get("/metrics", response_class=Response)
async def metrics(desk: AtDesk, request: Request) -> Response:
    """Counts and states for Prometheus, in its text format."""
    registry = CollectorRegistry()
    registry.register(_Now(await _stands(desk.workspace), desk.workspace, desk.being_received()))
    folder = get_settings().metrics_folder
    counts: Collector = _OURS if folder is None else MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]
    registry.register(counts)
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    content = await run_in_threadpool(encode, registry)
    return Response(content, headers={"Cache-Control": "no-store"}, media_type=kind)


async def _stands(workspace: Workspace) -> Standing | None:
    """How things stand; None where the manifest does not answer."""
    try:
        return await within_patience(lambda: standing(workspace))
    except (PhusongError, OSError):
        return None


class _Now(Collector):
    """How things stand at this reading."""

    def __init__(self, stands: Standing | None, workspace: Workspace, being_received: int) -> None:
        self._stands, self._workspace, self._being_received = stands, workspace, being_received

    def collect(self) -> Iterable[Metric]:
        """The states, one family each."""
        about = {name: value or "" for name, value in versions.about().items()}
        yield _gauge("build_info", "Version and commit", {tuple(about.values()): 1}, tuple(about))
        yield _gauge("manifest_up", "Whether the manifest answers", {(): self._stands is not None})
        yield _gauge("uploads_receiving", "Files being received by all processes", {(): self._being_received})
        yield from self._of_disk()
        sign_s = last_sign_s(self._workspace)
        yield _gauge("worker_sign_age_seconds", "Since a worker's last sign of life", _known(sign_s))
        if self._stands is not None:
            yield from _of_manifest(self._stands)

    def _of_disk(self) -> Iterable[Metric]:
        floor = get_settings().free_disk_floor_mb * MB
        yield _gauge("disk_floor_bytes", "Free disk below which nothing is taken in", {(): floor})
        free = _free_bytes(self._workspace.root)
        yield _gauge("disk_free_bytes", "Free disk under the workspace", _known(free))


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _of_manifest(stands: Standing) -> Iterable[Metric]:
    deliveries: Values = {(state,): number for state, number in stands.deliveries.items()}
    yield _gauge("deliveries", "Deliveries by state", deliveries, ("state",))
    yield _gauge("jobs", "Jobs by kind and state", stands.jobs, ("kind", "state"))
    yield _gauge("job_oldest_due_seconds", "How long the oldest due job waits", {(): stands.oldest_due_s})
    yield _gauge("snapshot_age_seconds", "Since the latest snapshot", _known(stands.snapshot_age_s))


def _known(value: float | None) -> Values:
    """The value; where it is not known none at all."""
    return {} if value is None else {(): value}


def _gauge(name: str, about: str, values: Values, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"phusong_{name}", about, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family
