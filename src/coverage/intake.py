"""Field logs in: read by their room and kept by the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coverage.archive import layers, uploads
from coverage.archive.jobs import Job
from coverage.archive.mappings import load_mappings
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace
from coverage.errors import FileRefused
from coverage.logs.context import Context
from coverage.logs.read import Rules, open_logs
from coverage.logs.readings import Log, Refused
from coverage.progress import Tell, silent

# Half a degree, some 50 km: crews drive from and to neighbouring provinces, and what they measure there is welcome.
AREA_MARGIN = 0.5
_BYTES_A_ROW = 100  # of the logs that we have seen; a third to three times as much


@dataclass(frozen=True)
class Coming:
    """How a file comes: the delivery that brings it, who sends it (None = the command line), whom to tell how far it is.

    job: the job of the worker that reads it; once that is lost nothing of the reading counts.
    """

    delivery_id: str | None = None
    by: str | None = None
    tell: Tell = silent
    job: Job | None = None


def ingest(
    workspace: Workspace, path: Path, context: Context, coming: Coming = Coming()
) -> Iterator[Receipt | FileRefused]:
    """The receipt of each file in `path` (a zip holds several), each safe on disk before the next is read.

    A member of a zip that cannot be measurements comes as its `FileRefused`; a file on its own raises it.
    """
    for log in recognise(workspace, path, context):
        if isinstance(log, FileRefused):
            yield log
        else:
            told_rows = partial(_tell_rows, coming.tell, log.file, path.stat().st_size)
            yield uploads.receive(workspace, log, coming.delivery_id, coming.by, told_rows, coming.job)


def _tell_rows(tell: Tell, file: str, size_bytes: int, rows: int) -> None:
    # How many rows are to come nobody knows before the end; a guess by their usual length, never "all done".
    tell(f"{file}: {rows} dòng / rows", min(0.95, rows * _BYTES_A_ROW / max(size_bytes, 1)))


def recognise(workspace: Workspace, path: Path, context: Context) -> Iterator[Log | FileRefused]:
    """Each file in `path`, recognised, its rows not read yet; refusals as `ingest`."""
    rules = Rules(
        workspace.device_key,
        workspace.criteria.operators.names,
        earlier=partial(uploads.context_of, workspace),
        area=_area(workspace),
        mappings=load_mappings(workspace),
        scratch=workspace.parts,
    )
    for log in open_logs(path, context, rules):
        yield log.error if isinstance(log, Refused) else log


def _area(workspace: Workspace) -> tuple[float, float, float, float] | None:
    """The box around the communes, else around the villages, and some way beyond; None where there are neither."""
    for kind in ("communes", "villages"):
        if layers.has_layer(workspace, kind):
            west, south, east, north = layers.bounds(workspace, kind)
            return west - AREA_MARGIN, south - AREA_MARGIN, east + AREA_MARGIN, north + AREA_MARGIN
    return None
