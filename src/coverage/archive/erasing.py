"""Erasing: the rows of one device, or all that was measured before a day, leave the archive for good.

Parts never change. Those that hold such rows are written anew without them; then one transaction of the manifest names
the new ones, tells of each upload how many rows went and has all judged again; and only then the former ones are
removed, at once. Cut short before that transaction nothing has changed, and after it erasing again removes the rest.
Whoever has a former part open reads it to its end, and its bytes go when it is closed; whoever knows only its name is
told that it is gone, and begins anew: nothing is published of half of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from coverage.archive import audit, erasing_manifest, named, rewriting, tidying
from coverage.archive.committed import part_path
from coverage.archive.disk import require_room
from coverage.archive.durable import fsync
from coverage.archive.manifest import reading, transaction
from coverage.archive.rewriting import Unwanted, writing_anew
from coverage.archive.schema import UPLOADS
from coverage.archive.workspace import Workspace
from coverage.errors import ArchiveDamaged, InputError
from coverage.logs import context, quantities
from coverage.names import fold
from coverage.progress import Tell, silent
from coverage.tables import UNKNOWN_DEVICE

_HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Erased:
    """What was erased: rows, and of how many uploads, withdrawn ones included.

    parts: files that held such rows and are gone, those of former readings included. unread: deliveries whose files are
    kept as they came and were not looked into, for they are still to be read or tried again.
    """

    uploads: int
    rows: int
    parts: int
    unread: int


@dataclass(frozen=True)
class Which:
    """Which rows go. action, about: what the audit log says of it; devices: their hashes, which it does not say."""

    unwanted: Unwanted
    action: str
    about: Mapping[str, audit.Said] = field(default_factory=dict)
    devices: tuple[str, ...] = ()


def of_device(*hashes: str) -> Which:
    """The rows of a phone or scanner, by its hash, or by any of several. Raises `InputError` where one is none."""
    digits = context.DEVICE_HASH_DIGITS
    for one in hashes:
        if not is_hash(one):
            raise InputError(
                f"{one!r:.60} không phải mã băm của máy: cần {digits} chữ số thập lục phân.",
                f"{one!r:.60} is no hash of a device: {digits} hexadecimal digits are needed.",
            )
    return Which(Unwanted("device", pc.is_in, pa.array(hashes, pa.string())), "erase.device", devices=hashes)


def before(day: date) -> Which:
    """The rows whose local date is before that day."""
    return Which(Unwanted("local_date", pc.less, day), "erase.before", {"before": day.isoformat()})


def is_hash(text: str) -> bool:
    """Whether a text may be a device's hash."""
    return len(text) == context.DEVICE_HASH_DIGITS and _HEXADECIMAL.issuperset(text)


def hash_of(workspace: Workspace, name: str) -> str:
    """The hash under which a device is kept that logs call so. Raises `InputError` where that names none."""
    said = name.strip()
    if said.casefold() in quantities.MISSING or fold(said) in {UNKNOWN_DEVICE, ""}:
        raise InputError(
            f"“{name}” không phải tên máy: mọi máy không rõ tên đều chung chữ ấy.",
            f"“{name}” names no device: all that have no name share it.",
        )
    return context.device_hash(workspace.device_key, said)


def erase_device(
    workspace: Workspace,
    device_hash: str,
    reason: str,
    by: audit.By = audit.COMMAND_LINE,
    tell: Tell = silent,
) -> Erased:
    """What was erased of a device. Raises as `erase`, and `InputError` where that is no hash of one."""
    return erase(workspace, of_device(device_hash), reason, by, tell)


def erase_before(
    workspace: Workspace, day: date, reason: str, by: audit.By = audit.COMMAND_LINE, tell: Tell = silent
) -> Erased:
    """What was erased of what was measured before that day, by the upload's own calendar. Raises as `erase`."""
    return erase(workspace, before(day), reason, by, tell)


def count(workspace: Workspace, which: Which) -> tuple[int, int]:
    """How many uploads such rows are of, and how many rows: what `erase` would say now."""
    with reading(workspace.manifest) as connection:
        stored = _stored(connection)
    rows: Counter[str] = Counter()
    for name in sorted(set(stored.values())):
        found = rewriting.held(part_path(workspace, name), which.unwanted)
        rows.update({upload_id: many for upload_id, many in found.items() if stored.get(upload_id) == name})
    return len(rows), rows.total()


def erase(
    workspace: Workspace, which: Which, reason: str, by: audit.By = audit.COMMAND_LINE, tell: Tell = silent
) -> Erased:
    """What was erased, once no part of the archive holds it any more.

    Others may go on sending meanwhile; what is read in before the end is looked at too. Done again it finds nothing, and
    finishes what was cut short. Raises `InputError` without a reason, `Conflict` while parts are compacted,
    `ArchiveDamaged` where a part that must be written anew is missing or damaged, `DiskFull`: then nothing was changed.
    """
    if not reason.strip():
        raise InputError("Hãy nói vì sao xoá.", "Say why it is erased.")
    told = erasing_manifest.Told(reason.strip(), by)
    with writing_anew(workspace, alone=True):
        parts = _Parts(workspace, which.unwanted)
        parts.look_ahead(tell)
        with transaction(workspace.manifest) as connection:
            parts.make(_stored(connection).values())
            uploads, rows = erasing_manifest.swap(workspace, connection, parts.anew, parts.found, told)
            erasing_manifest.forget_devices(workspace, connection, which.devices)
            audit.record(connection, by, which.action, {**which.about, "uploads": uploads, "rows": rows})
        gone = parts.remove_former()
        erasing_manifest.forget_read_files(workspace)
    return Erased(uploads, rows, gone, sum(1 for _ in workspace.incoming.iterdir()))


def _stored(connection: Connection) -> dict[str, str]:
    """Upload id → the part that holds its rows."""
    columns = UPLOADS.c.upload_id, UPLOADS.c.stored_in, UPLOADS.c.measurements_part
    rows = connection.execute(select(*columns)).all()
    return {row.upload_id: row.stored_in or row.measurements_part for row in rows}


class _Parts:
    """The parts of a workspace, each looked at once.

    found: part → upload id → how many rows must go; anew: part → the one that takes its place.
    """

    def __init__(self, workspace: Workspace, unwanted: Unwanted) -> None:
        self._workspace, self._unwanted = workspace, unwanted
        self.found: dict[str, Counter[str]] = {}
        self.anew: dict[str, str] = {}

    def look_ahead(self, tell: Tell) -> None:
        """Do all that takes long while others may write: twice, for some came while the first time lasted."""
        for path in _dead_drafts(self._workspace):
            tidying.remove(path)
        for _ in range(2):
            with reading(self._workspace.manifest) as connection:
                names = sorted(set(_stored(connection).values()))
            for at, name in enumerate(names):
                tell("tệp dữ liệu / parts", at / len(names))
                with suppress(FileNotFoundError):  # read anew meanwhile, it was tidied away
                    self._make(self._workspace.parts / name)
            for path in _measurements(self._workspace):
                self._must_go(path)

    def make(self, names: Iterable[str]) -> None:
        """Write those of these parts anew that hold such rows. Raises `ArchiveDamaged` where one is missing."""
        for name in sorted(set(names)):
            self._make(part_path(self._workspace, name))

    def _make(self, path: Path) -> None:
        if self._held(path) and not self._is_made(path.name):
            require_room(path.parent, path.stat().st_size)
            self.anew[path.name] = rewriting.without(path, self._unwanted)

    def _held(self, path: Path) -> Counter[str]:
        if path.name not in self.found:
            self.found[path.name] = rewriting.held(path, self._unwanted)
        return self.found[path.name]

    def _is_made(self, name: str) -> bool:
        return name in self.anew and (self._workspace.parts / self.anew[name]).exists()

    def _must_go(self, path: Path) -> bool:
        """Whether a part that nothing names holds such rows, or nobody can tell."""
        try:
            return bool(self._held(path))
        except FileNotFoundError:
            return False
        except ArchiveDamaged:
            return True

    def remove_former(self) -> int:
        """How many parts were removed: all with such rows that nothing names, whoever left them there.

        Within a transaction, as tidying does: who wrote one and is about to name it writes it once more.
        """
        gone = 0
        with transaction(self._workspace.manifest) as connection:
            needed = named.parts(connection)
            for path in _measurements(self._workspace):
                if path.name not in needed and self._must_go(path):
                    path.unlink(missing_ok=True)
                    gone += 1
            fsync(self._workspace.parts)
            tidying.forget_compacted(self._workspace, connection)
        return gone


def _measurements(workspace: Workspace) -> list[Path]:
    return [path for path in sorted(workspace.parts.glob("[!.]*.parquet")) if "-outcomes-" not in path.name]


def _dead_drafts(workspace: Workspace) -> list[Path]:
    """What a compaction or an erasure that was killed left behind: no other is running now."""
    stems = ("compacted", "sorting", rewriting.LESSENED)
    return [path for stem in stems for path in workspace.parts.glob(f".{stem}.*")]
