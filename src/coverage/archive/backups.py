"""Backups: a workspace copied into a folder that is a whole workspace itself, and copied back.

The manifest is copied first, then what it names, and the copied manifest takes its place last and in one step: a
backup that was cut short is the backup of before. Others may go on writing; what never changes is copied once.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import orjson

from coverage.archive import copies, verification
from coverage.archive.copies import Tally
from coverage.archive.disk import refuse_network, require_room
from coverage.archive.durable import fsync, scratch_folder, write_durably
from coverage.archive.manifest import transaction
from coverage.archive.manifest_copies import Named, copy_manifest, named_in, require_empty
from coverage.archive.verification import Finding
from coverage.archive.workspace import Workspace, identity
from coverage.errors import ArchiveDamaged, Conflict, InputError, NotFound
from coverage.progress import Tell, silent

# What is read in or tidied away while it is being copied: then from a new copy of the manifest; at last nobody writes.
_ROUNDS = 5


@dataclass(frozen=True)
class Copied:
    """What a backup holds now, or a restored workspace: the manifest's revision and how many uploads it names.

    deliveries: those whose bytes are kept. copied, kept: files, and snapshots as one each. damaged: what the manifest
    names and is missing or no longer what it was; a good copy of it from an earlier backup was left as it is.
    """

    folder: str
    revision: int
    uploads: int
    deliveries: int
    snapshots: int
    copied: int
    copied_bytes: int
    kept: int
    damaged: list[str]


def backup(workspace: Workspace, folder: Path, tell: Tell = silent, *, with_snapshots: bool = True) -> Copied:
    """What the folder holds, once it is a whole workspace with a manifest in SQLite: files that it has stay.

    Raises `InputError` where the folder holds anything but a backup of this workspace, `Conflict` where another
    backup into it is running, `ArchiveDamaged` where its device key is another, `DiskFull`.
    """
    target = Workspace(folder.absolute())
    _require_backup_of(workspace, target)
    _lay_out(workspace, target)
    draft = target.manifest_file.with_name(".manifest.sqlite.next")
    with _alone(target):
        for left in reversed(range(_ROUNDS)):
            # While we hold the lock nothing that the manifest names is read in or tidied away.
            with nullcontext() if left else transaction(workspace.manifest):
                named = _copy_manifest(workspace, draft, with_snapshots=with_snapshots)
                tally = _copy_files(workspace, target, named, tell)
            if not tally.missing:
                break
        _put_manifest(draft, target)
        _prune(target, named)
    return _told(target, named, tally)


def _told(target: Workspace, named: Named, tally: Tally) -> Copied:
    return Copied(
        folder=str(target.root),
        revision=named.revision,
        uploads=named.uploads,
        deliveries=len(named.whole),
        snapshots=len(named.snapshots),
        copied=tally.copied,
        copied_bytes=tally.copied_bytes,
        kept=tally.kept,
        damaged=sorted(str(path) for path in tally.missing + tally.changed),
    )


def _marker(folder: Workspace) -> Path:
    return folder.root / "archive" / "backup.json"


def _require_backup_of(workspace: Workspace, target: Workspace) -> None:
    ours, theirs = workspace.root.resolve(), target.root.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
        raise InputError(
            f"Bản sao lưu không được nằm trong hay chứa thư mục làm việc {ours}.",
            f"A backup must be neither inside the workspace {ours} nor around it.",
        )
    if not _is_empty(target.root) and _backup_of(target) != identity(workspace):
        raise InputError(
            f"{target.root} không trống và không phải bản sao lưu của {workspace.root}: hãy chọn thư mục khác.",
            f"{target.root} is not empty and no backup of {workspace.root}: choose another folder.",
        )
    keys = [one.device_key_file.read_bytes() for one in (workspace, target) if one.device_key_file.exists()]
    if len(set(keys)) > 1:
        raise ArchiveDamaged(
            f"{workspace.device_key_file} khác với khoá trong bản sao lưu: hãy chép lại khoá cũ, nếu không sẽ không nhận ra máy cũ.",
            f"{workspace.device_key_file} is not the key of the backup: put the old one back, else old phones are not known.",
        )


def _is_empty(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _backup_of(folder: Workspace) -> str | None:
    """The id of the workspace that this folder is a backup of; None where it is none."""
    try:
        return str(orjson.loads(_marker(folder).read_bytes())["backup_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lay_out(workspace: Workspace, target: Workspace) -> None:
    (target.root / "archive").mkdir(parents=True, exist_ok=True)
    own = identity(workspace)
    if not _marker(target).exists():  # first of all: from now on the folder is known as a backup
        write_durably(_marker(target), orjson.dumps({"backup_of": own}))
    write_durably(target.identity_file, orjson.dumps({"workspace": own, "manifest": "sqlite"}))
    for folder in (target.parts, target.incoming, target.places, target.snapshots):
        folder.mkdir(exist_ok=True)


@contextmanager
def _alone(target: Workspace) -> Iterator[None]:
    with _marker(target).open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise Conflict(
                f"Một lần sao lưu khác vào {target.root} đang chạy.",
                f"Another backup into {target.root} is running.",
            ) from fault
        yield


def _copy_files(source: Workspace, target: Workspace, named: Named, tell: Tell) -> Tally:
    """What was copied. What soon goes is copied first: the bytes of deliveries until they are read in."""
    tally = Tally()
    require_room(target.root, _coming_bytes(source, target, named))
    tell("tệp đang chờ / deliveries", 0.0)
    copies.copy_bytes(source, target, named.whole, tally)
    copies.lay_out(target, named.coming)
    tell("lớp, tiêu chí / layers, criteria", 0.1)
    copies.copy_settings(source, target, tally)
    copies.copy_layers(source, target, tally)
    tell("tệp dữ liệu / parts", 0.2)
    copies.copy_parts(source, target, named.parts, tally)
    tell("bản đánh giá / snapshots", 0.8)
    copies.copy_snapshots(source, target, named.snapshots, tally)
    return tally


def _coming_bytes(source: Workspace, target: Workspace, named: Named) -> int:
    new = [name for name in named.parts if not (target.parts / name).exists()]
    sizes = [(source.parts / name).stat().st_size for name in new if (source.parts / name).exists()]
    return sum(sizes) + sum(one.length or 0 for one in named.whole)


def _copy_manifest(workspace: Workspace, draft: Path, *, with_snapshots: bool) -> Named:
    """What the manifest names at this moment; made beside the workspace, for SQLite may not work where backups are kept."""
    with scratch_folder(workspace.root / "archive", "backup") as scratch:
        made = scratch / "manifest.sqlite"
        url, own = f"sqlite:///{made}", identity(workspace)
        named = copy_manifest(workspace.manifest, url, own, with_snapshots=with_snapshots)
        shutil.copyfile(made, draft)
        fsync(draft)
    return named


def _put_manifest(draft: Path, target: Workspace) -> None:
    # What SQLite kept beside the former file belongs to that one alone.
    for beside in ("-wal", "-shm"):
        Path(f"{target.manifest_file}{beside}").unlink(missing_ok=True)
    draft.rename(target.manifest_file)
    fsync(target.manifest_file.parent)


def _prune(target: Workspace, named: Named) -> None:
    """Remove what only former backups needed, and what a backup that was cut short left."""
    for path in target.parts.iterdir():
        if path.name not in named.parts:
            path.unlink()
    fsync(target.parts)  # what was erased must not come back with a power cut
    wanted = {one.delivery_id for one in (*named.whole, *named.coming)}
    for folder in target.incoming.iterdir():
        if folder.name not in wanted:
            shutil.rmtree(folder)
    layers = {str(orjson.loads(about.read_bytes())["part"]) for about in target.places.glob("*.json")}
    for path in target.places.iterdir():
        if path.suffix != ".json" and path.name not in layers:
            path.unlink()


@dataclass(frozen=True)
class Restored:
    """What was copied back, and what a verification of it finds."""

    copied: Copied
    findings: list[Finding]


def restore(folder: Path, root: Path, manifest_url: str | None = None, tell: Tell = silent) -> Restored:
    """A backup copied into a new workspace, its manifest into the database of that URL or a SQLite file; then verified.

    The workspace keeps its id, and whoever was at a job is not any more. Raises `NotFound` where the folder is no
    whole backup, `InputError` where the workspace or the database is not empty, `DiskFull`.
    """
    source, target = Workspace(folder.absolute()), Workspace(root.absolute(), manifest_url)
    own = _require_restorable(source, target)
    for path in (target.parts, target.incoming, target.places, target.snapshots):
        path.mkdir(parents=True)
    with scratch_folder(target.root / "archive", "restore") as scratch:
        # The backup may lie on a medium or a network drive on which SQLite cannot work.
        kept, new = scratch / "kept.sqlite", scratch / "manifest.sqlite"
        shutil.copyfile(source.manifest_file, kept)
        named = named_in(f"sqlite:///{kept}", own)
        tally = _copy_files(source, target, named, tell)
        copy_manifest(f"sqlite:///{kept}", manifest_url or f"sqlite:///{new}", own, with_snapshots=True)
        if manifest_url is None:
            new.rename(target.manifest_file)
            fsync(target.manifest_file.parent)
    about = {"workspace": own, "manifest": target.manifest_kind}
    write_durably(target.identity_file, orjson.dumps(about))
    return Restored(_told(target, named, tally), verification.verify(target, tell))


def _require_restorable(source: Workspace, target: Workspace) -> str:
    own = _backup_of(source)
    if own is None or not source.manifest_file.exists():
        raise NotFound(
            f"{source.root} không phải bản sao lưu trọn vẹn: phusong backup",
            f"{source.root} is no whole backup: phusong backup",
        )
    if not _is_empty(target.root) or target.root.resolve().is_relative_to(source.root.resolve()):
        raise InputError(
            f"{target.root} không trống: hãy khôi phục vào thư mục mới.",
            f"{target.root} is not empty: restore into a new folder.",
        )
    if target.manifest_kind == "sqlite":
        refuse_network(target.root)
    else:
        require_empty(target.manifest)
    return own
