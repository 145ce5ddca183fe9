"""Files beside the parts: criteria, key, mappings, layers, snapshots, and the bytes of deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from coverage.archive import deliveries as sendings
from coverage.archive import grounds, named
from coverage.archive import snapshots as saved
from coverage.archive.durable import is_sound, sha256
from coverage.archive.folders import SUMS, changed
from coverage.archive.mappings import load_mappings
from coverage.archive.verification.findings import Finding, damage, leftover
from coverage.archive.verification.rows import Row, Seen
from coverage.archive.workspace import Workspace
from coverage.errors import CriteriaRefused, MappingRefused

_KEY_BYTES = 32


def settings(workspace: Workspace) -> Iterator[Finding]:
    """What is wrong with the criteria, the key and the saved mappings."""
    try:
        _ = workspace.criteria
    except (CriteriaRefused, OSError, ValueError) as fault:
        yield damage("criteria", workspace.criteria_file, _first_line(fault))
    try:
        whole = len(workspace.device_key) == _KEY_BYTES
    except (OSError, ValueError):
        whole = False
    if not whole:
        yield damage("device_key", workspace.device_key_file)
    try:
        load_mappings(workspace)
    except (MappingRefused, OSError, ValueError) as fault:
        yield damage("mapping", workspace.mappings, _first_line(fault))


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]


def deliveries(workspace: Workspace, seen: Seen) -> Iterator[Finding]:
    """Deliveries whose bytes are not there, or are not those that came."""
    for row in seen.deliveries:
        if row["same_as"] is not None:
            continue
        if row["state"] in named.KEPT:
            yield from _bytes(workspace, row)
        elif row["state"] == "receiving" and _gone(workspace, row):
            yield damage("delivery_missing", sendings.part(workspace, row["delivery_id"]))


def _gone(workspace: Workspace, row: Row) -> bool:
    folder = workspace.incoming / row["delivery_id"]
    there = (folder / "part").exists() or (folder / sendings.safe_name(row["file"])).exists()
    return not there and sendings.show(workspace, row["delivery_id"]).state == row["state"]


def _bytes(workspace: Workspace, row: Row) -> list[Finding]:
    file = workspace.incoming / row["delivery_id"] / sendings.safe_name(row["file"])
    try:
        same = sha256(file) == row["sha256"] and file.stat().st_size == row["length"]
        return [] if same else [damage("delivery_changed", file)]
    except OSError as fault:
        # Read in while we looked, its bytes are rightly gone.
        moved_on = sendings.show(workspace, row["delivery_id"]).state != row["state"]
        return [] if moved_on else [damage("delivery_missing", file, fault.strerror or "")]


def layers(workspace: Workspace) -> Iterator[Finding]:
    """Layers whose file is missing or not what its name says."""
    for about in sorted(workspace.places.glob("*.json")):
        try:
            part = workspace.places / str(orjson.loads(about.read_bytes())["part"])
        except (ValueError, KeyError, TypeError, OSError) as fault:
            yield damage("layer_changed", about, _first_line(fault))
            continue
        if not part.is_file():
            yield damage("layer_missing", part)
        elif not is_sound(part):
            yield damage("layer_changed", part)


def snapshots(workspace: Workspace, seen: Seen) -> Iterator[Finding]:
    """Published snapshots that are missing, changed, or cannot be loaded."""
    for snapshot_id in sorted({row["snapshot_id"] for row in seen.snapshots}):
        folder = workspace.snapshots / snapshot_id
        if not folder.is_dir():
            yield damage("snapshot_missing", folder)
        elif broken := _changed(folder):
            yield damage("snapshot_changed", folder, ", ".join(broken))
        else:
            yield from _loads(workspace, snapshot_id)


def _changed(folder: Path) -> list[str]:
    """The files that are not what they were; a snapshot of an older version has no list of them."""
    return changed(folder) if (folder / SUMS).exists() else []


def ground(workspace: Workspace) -> Iterator[Finding]:
    """What is kept of the lie of the land and is not what it was: nothing is lost, for it can be made again."""
    for folder in sorted(workspace.ground.glob("[!.]*")):
        broken = grounds.changed(folder)
        # Made again or tidied away while we looked, it is none of ours.
        if broken and folder.exists() and (broken := grounds.changed(folder)):
            yield leftover("ground_changed", folder, ", ".join(broken))


def _loads(workspace: Workspace, snapshot_id: str) -> list[Finding]:
    try:
        saved.load(workspace.snapshots, snapshot_id)
    except Exception as fault:  # whatever the libraries raise, it does not load
        return [damage("snapshot_changed", workspace.snapshots / snapshot_id, _first_line(fault))]
    return []
