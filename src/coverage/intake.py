"""Field logs in: read by their room and kept by the archive."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from coverage.archive import layers, uploads
from coverage.archive.mappings import load_mappings
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace
from coverage.errors import FileRefused
from coverage.logs.context import Context
from coverage.logs.read import Rules, open_logs
from coverage.logs.readings import Log, Refused

# Half a degree, some 50 km: crews drive from and to neighbouring provinces, and what they measure there is welcome.
AREA_MARGIN = 0.5


def ingest(workspace: Workspace, path: Path, context: Context) -> Iterator[Receipt | FileRefused]:
    """The receipt of each file in `path` (a zip holds several), each safe on disk before the next is read.

    A member of a zip that cannot be measurements comes as its `FileRefused`; a file on its own raises it.
    """
    for log in recognise(workspace, path, context):
        yield log if isinstance(log, FileRefused) else uploads.receive(workspace, log)


def recognise(workspace: Workspace, path: Path, context: Context) -> Iterator[Log | FileRefused]:
    """Each file in `path`, recognised, its rows not read yet; refusals as `ingest`."""
    rules = Rules(
        workspace.device_key,
        workspace.criteria.operators.names,
        earlier=partial(uploads.context_of, workspace),
        area=_area(workspace),
        mappings=load_mappings(workspace),
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
