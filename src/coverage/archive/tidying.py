"""Tidying: files that nothing names any more, and sendings that nobody came back to.

Whatever names a file does so within a transaction of the manifest and after it has seen the file there; tidying
removes within a transaction too. So nothing is removed at the moment at which it comes into use.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from sqlalchemy import Connection, delete, select, update

from coverage.archive import deliveries, jobs, named
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import COMPACTED, DELIVERIES
from coverage.archive.workspace import Workspace

# Longer than any assessment, export or backup reads, and longer than any writer takes for one file.
DAY = timedelta(days=1)
_GROUNDS_KEPT = 3  # whoever goes back to layers or criteria of before finds them; each is some MB


@dataclass(frozen=True)
class Leftover:
    """A file or folder that nothing names: kind draft, part, layer, ground or delivery."""

    kind: str
    path: Path
    size_bytes: int


def tidy(workspace: Workspace, older_than: timedelta = DAY) -> list[Leftover]:
    """What was removed: everything that nothing has named, nor written to, for so long.

    The bytes of a delivery that is being sent, received, refused or failed are never among it.
    """
    with transaction(workspace.manifest) as connection:
        found = leftovers(workspace, connection, older_than)
        for one in found:
            remove(one.path)
        forget_compacted(workspace, connection)
    return found


def leftovers(workspace: Workspace, connection: Connection, older_than: timedelta = DAY) -> list[Leftover]:
    """What `tidy` would remove within that transaction."""
    everything = (
        *(("draft", path) for path in _drafts(workspace)),
        *(("part", path) for path in _parts(workspace, connection)),
        *(("layer", path) for path in _layers(workspace, older_than)),
        *(("ground", path) for path in _grounds(workspace)),
        *(("delivery", path) for path in _sendings(workspace, connection)),
    )
    return [Leftover(kind, path, _size(path)) for kind, path in everything if _old(path, older_than)]


def _drafts(workspace: Workspace) -> Iterator[Path]:
    for folder in (
        workspace.root / "archive",
        workspace.parts,
        workspace.places,
        workspace.snapshots,
        workspace.ground,
    ):
        yield from sorted(folder.glob(".*"))
    for folder in (workspace.root, workspace.mappings):
        yield from sorted(folder.glob(".*.part"))


def _parts(workspace: Workspace, connection: Connection) -> Iterator[Path]:
    needed = named.parts(connection)
    yield from (path for path in sorted(workspace.parts.glob("[!.]*.parquet")) if path.name not in needed)


def _layers(workspace: Workspace, older_than: timedelta) -> Iterator[Path]:
    """Former states of layers. One is unneeded since its layer's JSON was written, so that must be long ago too."""
    for path in sorted([*workspace.places.glob("[!.]*-*.parquet"), *workspace.places.glob("[!.]*-*.tif")]):
        about = workspace.places / f"{path.stem.rpartition('-')[0]}.json"
        if not about.exists() or (_named_by(about) not in {None, path.name} and _old(about, older_than)):
            yield path


def _grounds(workspace: Workspace) -> Iterator[Path]:
    """All but the last used of what is kept of the lie of the land: every change of layers or criteria leaves one."""
    yield from sorted(workspace.ground.glob("[!.]*"), key=_used, reverse=True)[_GROUNDS_KEPT:]


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # somebody is at it
        return time.time()


def _named_by(about: Path) -> str | None:
    try:
        return str(orjson.loads(about.read_bytes())["part"])
    except (ValueError, KeyError, TypeError):  # damaged: what it named is not known, so all stays
        return None


def _sendings(workspace: Workspace, connection: Connection) -> Iterator[Path]:
    needed = {one.delivery_id for one in deliveries.with_own_bytes(connection, "receiving", *named.KEPT)}
    needed |= {one.delivery_id for one in deliveries.with_own_bytes(connection, "done") if _looked_at(one)}
    yield from (path for path in sorted(workspace.incoming.iterdir()) if path.name not in needed)


def _looked_at(done: deliveries.Delivery) -> bool:
    """Whether files inside were refused, or its sender has not agreed to how it was read: somebody may come back to it."""
    return (bool((done.result or {}).get("refused")) or done.held) and done.expires_utc > now_utc()


def _old(path: Path, older_than: timedelta) -> bool:
    inside = path.rglob("*") if path.is_dir() else ()
    try:
        written: float = max(one.lstat().st_mtime for one in (path, *inside))
    except FileNotFoundError:  # somebody is at it
        return False
    return time.time() - written >= older_than.total_seconds()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(one.lstat().st_size for one in files if one.is_file())


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def forget_compacted(workspace: Workspace, connection: Connection) -> None:
    """Forget which uploads a compacted part holds that is neither needed nor there."""
    needed = named.parts(connection)
    for part in connection.execute(select(COMPACTED.c.part).distinct()).scalars().all():
        if part not in needed and not (workspace.parts / part).exists():
            connection.execute(delete(COMPACTED).where(COMPACTED.c.part == part))


def forget_expired(workspace: Workspace) -> list[str]:
    """The deliveries that nobody came back to in time (unfinished, refused): cancelled, their bytes gone.

    One that another delivery counts on stays, and so does one whose bytes have come within a day.
    """
    now = now_utc()
    late = [one.delivery_id for one in deliveries.expired(workspace, now)]
    gone = [one for one in late if not _still_coming(workspace, one) and _cancel(workspace, one, now)]
    for delivery_id in gone:
        deliveries.forget_bytes(workspace, delivery_id)
    return gone


def _cancel(workspace: Workspace, delivery_id: str, now: datetime) -> bool:
    """Whether it was cancelled: somebody may have retried it since we looked."""
    counted_on = select(DELIVERIES.c.delivery_id).where(DELIVERIES.c.same_as == delivery_id)
    late = DELIVERIES.c.delivery_id == delivery_id, deliveries.is_expired(now)
    with transaction(workspace.manifest) as connection:
        if connection.execute(counted_on).first():
            return False
        done = connection.execute(
            update(DELIVERIES).where(*late).values(state="cancelled", idempotency_key=None)
        )
        if done.rowcount:
            jobs.cancel(connection, delivery_id)
    return bool(done.rowcount)


def _still_coming(workspace: Workspace, delivery_id: str) -> bool:
    part = deliveries.part(workspace, delivery_id)
    return part.exists() and part.stat().st_size > 0 and not _old(part, DAY)
