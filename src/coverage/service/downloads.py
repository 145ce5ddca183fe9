"""The lists of a snapshot as files: made once per snapshot and question, kept beside the snapshots, sent in ranges."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import geopandas as gpd
import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from coverage.archive.disk import require_room
from coverage.archive.durable import write_durably
from coverage.archive.snapshots import Snapshot
from coverage.archive.workspace import Workspace
from coverage.exports import files, lists
from coverage.exports.workbook import ALL_LISTS, workbook
from coverage.features.collections import of_frame
from coverage.features.queries import Query as Chosen
from coverage.features.queries import positions
from coverage.service.desk import AtDesk
from coverage.service.ogc_questions import words_of
from coverage.service.published import Published, Shown, View
from coverage.service.representations import headers_of, is_held
from coverage.service.views import Seen

router = APIRouter(tags=["Tệp / files"])
Format = Literal["geojson", "csv", "xlsx", "gpkg", "fgb", "parquet", "kml", "shp", "shp.zip"]
_PACKED = frozenset({"geojson", "csv", "kml"})  # the others are packed already, or are asked for by ranges
_SNAPSHOTS_KEPT = 3
ALL = "lists"


def _sent(request: Request, file: Path, view: View, name: dict[str, str], fmt: str) -> Response:
    whole = "range" not in request.headers
    if fmt in _PACKED and whole and "gzip" in request.headers.get("accept-encoding", ""):
        headers = headers_of(view, packed=True) | name | {"Content-Encoding": "gzip"}
        return FileResponse(_packed(file), 200, headers, files.MEDIA_TYPES[fmt])
    return FileResponse(file, 200, headers_of(view) | name, files.MEDIA_TYPES[fmt])


def _made(
    workspace: Workspace, published: Published, view: View, asked: tuple[str, str, Mapping[str, str]]
) -> Path:
    """The path of the file that answers the question, made where it is not there yet."""
    what, fmt, words = asked
    digest = hashlib.sha256(orjson.dumps([view.tag, what, sorted(words.items())])).hexdigest()[:16]
    file = workspace.downloads / view.snapshot_id / f"{digest}.{files.suffix(fmt)}"
    if not file.exists():
        content = _content(published.snapshot(view), what, fmt, words)
        if not file.parent.exists():
            _let_go_of_old_ones(workspace.downloads)
            file.parent.mkdir(parents=True, exist_ok=True)
        require_room(file.parent, len(content))
        write_durably(file, content)
    return file


def _content(snapshot: Snapshot, what: str, fmt: str, words: Mapping[str, str]) -> bytes:
    if what == ALL:
        return workbook([select(snapshot, one, words) for one in ALL_LISTS])
    return files.to_bytes(select(snapshot, what, words), fmt)


def select(snapshot: Snapshot, what: str, words: Mapping[str, str]) -> gpd.GeoDataFrame:
    """The rows of a list that the words ask for. Raises `InputError` and `NotFound` as `lists.select` does.

    electrified: true or false. date: a day or an interval, compared with the time of the tests as in OGC API.
    """
    said = {name: words.get(name) for name in ("operator", "commune", "status")}
    frame = lists.select(snapshot, what, **said)
    equal = {"electrified": words["electrified"]} if "electrified" in words else {}
    chosen = positions(of_frame(snapshot, what, frame), Chosen(time=words.get("date"), equal=equal))
    rows = frame.iloc[chosen].reset_index(drop=True)
    rows.attrs = frame.attrs
    return rows


def _packed(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    if not packed.exists():
        write_durably(packed, gzip.compress(file.read_bytes(), mtime=0))
    return packed


def _name(view: View, what: str, words: Mapping[str, str], fmt: str) -> str:
    """What the file is called where it is saved: letters of words that could mean something else are left out."""
    said = "".join(
        f"-{''.join(sign for sign in text if sign.isascii() and sign.isalnum())[:20]}"
        for text in words.values()
    )
    return f"phu-song-{what}{said}-{view.snapshot_id}.{files.suffix(fmt)}"


def _let_go_of_old_ones(folder: Path) -> None:
    """Files of all but the newest snapshots that anybody asked for; who is reading one reads on."""
    kept = (
        sorted(folder.glob("*"), key=lambda one: one.stat().st_mtime, reverse=True) if folder.exists() else []
    )
    for old in kept[_SNAPSHOTS_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _words(
    request: Request,
    operator: Annotated[str | None, Query(description="MCC+MNC or name")] = None,
    commune: Annotated[str | None, Query(description="code")] = None,
    status: Annotated[str | None, Query(description="of a village; of a hex its verdict")] = None,
    electrified: Annotated[str | None, Query(description="true or false")] = None,
    date: Annotated[str | None, Query(description="of the tests: 2026-10-01, 2026-10-01/..")] = None,
) -> dict[str, str]:
    """What is asked for beside the snapshot; a word that is not known is refused, never passed over."""
    said = {
        "operator": operator,
        "commune": commune,
        "status": status,
        "electrified": electrified,
        "date": date,
    }
    words_of(request, (*said, "snapshot"))
    return {name: text for name, text in said.items() if text is not None}


Words = Annotated[dict[str, str], Depends(_words)]


def _answer(
    request: Request, desk: AtDesk, view: View, published: Published, asked: tuple[str, str, dict[str, str]]
) -> Response:
    what, fmt, words = asked
    name = {"Content-Disposition": f'attachment; filename="{_name(view, what, words, fmt)}"'}
    if is_held(request, view):
        return Response(status_code=304, headers=headers_of(view) | name)
    return _sent(request, _made(desk.workspace, published, view, asked), view, name, fmt)


@router.get(f"/{ALL}.xlsx")
def download_all(words: Words, request: Request, desk: AtDesk, seen: Seen, published: Shown) -> Response:
    """One workbook of what is to be done: a sheet per list."""
    return _answer(request, desk, seen, published, (ALL, "xlsx", words))


def _add(what: str) -> None:
    @router.get(
        f"/{what}.{{fmt}}",
        name=f"download_{what}",
        summary=f"{what}: GeoJSON, CSV, XLSX, GeoPackage, FlatGeobuf, GeoParquet, KML, Shapefile",
    )
    def download(
        fmt: Format, words: Words, request: Request, desk: AtDesk, seen: Seen, published: Shown
    ) -> Response:
        return _answer(request, desk, seen, published, (what, fmt.removesuffix(".zip"), words))


for _what in lists.LISTS:
    _add(_what)
