"""Files of one workspace copied into another: those that never change once, and only where they are what they were."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from coverage.archive.deliveries import Delivery, part, received_file
from coverage.archive.durable import (
    fsync,
    replace_durably,
    scratch_folder,
    sha256,
    write_durably,
)
from coverage.archive.folders import SUMS
from coverage.archive.workspace import Workspace


@dataclass
class Tally:
    """What was copied, what was there already, and what could not be copied: missing, or not what it was."""

    copied: int = 0
    copied_bytes: int = 0
    kept: int = 0
    missing: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)


class _Changed(Exception):
    pass


def copy_immutable(source: Path, target: Path, digest: str, tally: Tally) -> None:
    """Copy a file whose sha256 begins with `digest`; one of that name and size that is there already stays."""
    with _told(source, tally):
        if target.exists() and target.stat().st_size == source.stat().st_size:
            tally.kept += 1
            return
        replace_durably(target, lambda draft: _copy(source, draft, digest))
        tally.copied += 1
        tally.copied_bytes += target.stat().st_size


@contextmanager
def _told(source: Path, tally: Tally) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        tally.missing.append(source)
    except _Changed:
        tally.changed.append(source)


def _copy(source: Path, draft: Path, digest: str) -> None:
    shutil.copyfile(source, draft)
    # A good copy from before must not give way to what has been damaged since.
    if not sha256(draft).startswith(digest):
        raise _Changed


def copy_parts(source: Workspace, target: Workspace, names: Iterable[str], tally: Tally) -> None:
    """Copy parts; each says in its name what its bytes are."""
    for name in names:
        copy_immutable(source.parts / name, target.parts / name, _digest(name), tally)


def _digest(name: str) -> str:
    return Path(name).stem.rpartition("-")[2]


def copy_bytes(source: Workspace, target: Workspace, whole: Iterable[Delivery], tally: Tally) -> None:
    """Copy the bytes of deliveries that are all there."""
    for one in whole:
        file = received_file(target, one)
        file.parent.mkdir(parents=True, exist_ok=True)
        copy_immutable(received_file(source, one), file, one.sha256 or "", tally)


def lay_out(target: Workspace, coming: Iterable[Delivery]) -> None:
    """Let sendings that had not ended begin anew: none of their bytes are there."""
    for one in coming:
        part(target, one.delivery_id).parent.mkdir(parents=True, exist_ok=True)
        write_durably(part(target, one.delivery_id), b"")


def copy_layers(source: Workspace, target: Workspace, tally: Tally) -> None:
    """Copy the places layers, each with the state that its JSON names."""
    target.places.mkdir(exist_ok=True)
    for about in sorted(source.places.glob("*.json")):
        content = about.read_bytes()
        try:
            name = str(orjson.loads(content)["part"])
        except (ValueError, KeyError, TypeError):
            tally.changed.append(about)
            continue
        copy_immutable(source.places / name, target.places / name, _digest(name), tally)
        if (target.places / name).exists():
            _put(target.places / about.name, content)


def copy_settings(source: Workspace, target: Workspace, tally: Tally) -> None:
    """Copy the criteria, former ones included, the saved mappings, and the key of the devices."""
    for file in source.root.glob("criteria*.toml"):
        _put(target.root / file.name, file.read_bytes())
    mappings = {file.name: file.read_bytes() for file in source.mappings.glob("*.toml")}
    target.mappings.mkdir(exist_ok=True)
    for gone in {file.name for file in target.mappings.glob("*.toml")} - set(mappings):
        (target.mappings / gone).unlink()
    for name, content in mappings.items():
        _put(target.mappings / name, content)
    with _told(source.device_key_file, tally):
        key = source.device_key_file.read_bytes()
        if not target.device_key_file.exists():
            replace_durably(target.device_key_file, lambda draft: _write_secret(draft, key))


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def _put(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        write_durably(path, content)


def copy_snapshots(source: Workspace, target: Workspace, ids: Iterable[str], tally: Tally) -> None:
    """Copy whole snapshots; one that is there already is never changed."""
    target.snapshots.mkdir(exist_ok=True)
    for snapshot_id in ids:
        folder = source.snapshots / snapshot_id
        if (target.snapshots / snapshot_id).exists():
            tally.kept += 1
        elif folder.is_dir():
            _copy_snapshot(folder, target.snapshots, tally)
        else:
            tally.missing.append(folder)


def _copy_snapshot(folder: Path, snapshots: Path, tally: Tally) -> None:
    with _told(folder, tally), scratch_folder(snapshots, folder.name) as scratch:
        draft, sums = scratch / folder.name, _sums(folder)
        draft.mkdir()
        for file in sorted(folder.iterdir()):
            _copy(file, draft / file.name, sums.get(file.name, ""))
            fsync(draft / file.name)
            tally.copied_bytes += file.stat().st_size
        fsync(draft)
        draft.rename(snapshots / folder.name)
        tally.copied += 1
    fsync(snapshots)


def _sums(folder: Path) -> dict[str, str]:
    """The sha256 of each file; nothing where a version before made the snapshot."""
    if not (folder / SUMS).exists():
        return {}
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    found = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not found or not all((folder / name).is_file() for name in found):
        raise _Changed
    return found
