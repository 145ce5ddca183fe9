"""The preview of a held delivery as JSON: what was detected, the first rows, a small map."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
import shapely
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from coverage.archive import deliveries, layers
from coverage.archive.deliveries import Delivery
from coverage.archive.workspace import Workspace
from coverage.errors import Conflict
from coverage.exports.geojson import geometries
from coverage.logs.context import to_json
from coverage.previews import FilePreview, preview
from coverage.service.answers import answer, as_utc, fixes, reasons, said_again
from coverage.service.desk import AtDesk, DeliveryId
from coverage.service.own import require_own_delivery
from coverage.service.said import said, words_once

router = APIRouter(dependencies=[Depends(words_once), Depends(require_own_delivery)])
_OUTLINES_BYTES = 50_000
_AROUND = 0.02  # degrees, 2 km: a drive along a border shows the commune on its other side
_FINEST = 0.0005  # degrees, 50 m: a pixel of a small map
_COARSEST = 0.1

Box = tuple[float, float, float, float]


@router.get("/v1/deliveries/{delivery_id}/preview")
async def look(desk: AtDesk, delivery_id: DeliveryId, request: Request) -> Response:
    """How the files of a delivery would be read, with what is said of them now or, for trying, in the query."""
    tried = said(dict(request.query_params), desk.workspace) if request.query_params else None
    async with desk.looking():
        shown = await run_in_threadpool(_held, desk.workspace, delivery_id)
        context = shown.context if tried is None else tried.context
        file = deliveries.received_file(desk.workspace, shown)
        found = await run_in_threadpool(preview, desk.workspace, file, context)
        files = [_file(one) for one in found.files]
        box = _around([one["bounds"] for one in files if one["bounds"]])
        outlines = await run_in_threadpool(_outlines, desk.workspace, box)
    about = {"delivery_id": shown.delivery_id, "file": shown.file, "files": files, "more": found.more}
    refused = [said_again(fault) for fault in found.refused]
    return answer(about | {"refused": refused, "bounds": box, "outlines": outlines})


def _held(workspace: Workspace, delivery_id: str) -> Delivery:
    shown = deliveries.show(workspace, delivery_id)
    if shown.state == "receiving" or not deliveries.received_file(workspace, shown).exists():
        raise Conflict(
            f"Chưa hoặc không còn xem trước được: lần gửi đang ở trạng thái {shown.state}.",
            f"There is nothing to look at: the delivery is {shown.state}.",
        )
    return shown


def _file(one: FilePreview) -> dict[str, Any]:
    log = one.log
    box = _around([(lat, lon, lat, lon) for lat, lon, *_ in one.points])
    known = None if one.known is None else one.known | {"received_utc": as_utc(one.known["received_utc"])}
    titles = {"title_vi": one.title_vi, "title_en": one.title_en}
    return {
        "file": log.file,
        "upload_id": log.upload_id,
        "format": {"name": log.format, **titles, "confidence": log.confidence},
        "columns": [{"field": field, "theirs": theirs} for field, theirs in log.columns.items()],
        "dropped": list(log.dropped),
        "simulated": log.simulated,
        "context": to_json(log.context),
        "looked_at_rows": one.looked_at_rows,
        "whole": one.whole,
        "counts": one.counts,
        "reasons": reasons([asdict(each) for each in one.reasons]),
        "fixes": fixes([asdict(each) for each in one.fixes]),
        "rows": [_row(row) for row in one.rows],
        "points": one.points,
        "bounds": box,
        "missing": one.missing,
        "known": known,
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    told = {} if row["code"] is None else reasons([row])[0]
    return row | told | {"time_utc": as_utc(row["time_utc"])}


def _around(boxes: list[Box]) -> Box | None:
    """The box (south, west, north, east) around some boxes, None where there are none."""
    if not boxes:
        return None
    corners = np.array(boxes)
    south, west = corners[:, :2].min(axis=0)
    north, east = corners[:, 2:].max(axis=0)
    return float(south), float(west), float(north), float(east)


def _outlines(workspace: Workspace, box: Box | None) -> dict[str, Any]:
    """The communes around the points as GeoJSON, simplified until it is small enough for a bad link."""
    if box is None or not layers.has_layer(workspace, "communes"):
        return _collection([])
    south, west, north, east = box
    window = shapely.box(west - _AROUND, south - _AROUND, east + _AROUND, north + _AROUND)
    communes = layers.load_layer(workspace, "communes")
    near = communes[communes.intersects(window)]
    finest = _FINEST
    while finest < _COARSEST:
        shapes = shapely.simplify(near.geometry.to_numpy(), finest)
        rows = zip(near["commune_code"], near["commune_name"], geometries(shapes, 4), strict=True)
        found = _collection([_feature(str(code), str(name), shape) for code, name, shape in rows if shape])
        if len(orjson.dumps(found)) < _OUTLINES_BYTES:
            return found
        finest *= 2
    return _collection([])  # a whole country: outlines would help nobody


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def _feature(code: str, name: str, shape: dict[str, Any]) -> dict[str, Any]:
    properties = {"commune_code": code, "commune_name": name}
    return {"type": "Feature", "properties": properties, "geometry": shape}
