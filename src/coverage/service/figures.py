"""The figures of the province's operations centre, with the schema by which they can be relied on."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from coverage.archive import history, snapshots
from coverage.archive.workspace import Workspace
from coverage.exports.kpi import POINT_COLUMNS, kpi, point, schema
from coverage.service.addresses import base_url
from coverage.service.desk import AtDesk
from coverage.service.ogc_questions import words_of
from coverage.service.published import Shown, View
from coverage.service.representations import of_snapshot
from coverage.service.views import Seen

router = APIRouter(tags=["Số liệu / figures"])
_POINTS = 60


@router.get("/kpi.json")
def figures(request: Request, desk: AtDesk, seen: Seen, published: Shown) -> Response:
    """Villages, gaps, people and measured shares: by province, operator and commune, with their history."""
    words_of(request, ("snapshot",))
    base = base_url(request)

    def make() -> bytes:
        # How many devices an earlier day rests on is looked up nowhere: the public is told of the latest only.
        before = [] if seen.public else history.days_before(desk.workspace, seen.snapshot_id)[-_POINTS:]
        told = kpi(published.snapshot(seen), [_point(desk.workspace, one, seen) for one in before])
        return orjson.dumps({"$schema": f"{base}/kpi.schema.json", **told})

    return of_snapshot(request, published, seen, ("kpi", base), make, "application/json")


def _point(workspace: Workspace, snapshot_id: str, seen: View) -> dict[str, Any]:
    root = workspace.snapshots
    verdicts = snapshots.read_table(root, snapshot_id, "village_verdicts", POINT_COLUMNS)
    villages = snapshots.read_table(root, snapshot_id, "villages", ["village_id"])["village_id"].nunique()
    own = verdicts if seen.operator is None else verdicts[verdicts["operator"] == seen.operator]
    return point(snapshots.load_info(root, snapshot_id), own, int(villages))


@router.get("/kpi.schema.json")
def figures_schema() -> Response:
    """The JSON schema of /kpi.json."""
    return Response(orjson.dumps(schema()), media_type="application/schema+json")
