"""What is done to a workspace while something breaks, and what the workspace then says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import snapshots as made_snapshots

from coverage import intake
from coverage.archive import history, layers, snapshots, uploads
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import NotFound
from coverage.logs.context import Context

CURED = Context(operator="Viettel", technology="LTE", date=date(2026, 5, 1))
WITHDRAWN_FOR = "sai máy đo"


def write_log(path: Path, rows: int = 20, *, bare: bool = False) -> Path:
    """A field log of that many rows and one that is rejected; `bare` without operator, time and technology."""
    header = "latitude,longitude,rsrp" if bare else "time,lat,lon,operator,technology,rsrp_dbm,device"
    lines = [_line(path.stem, row, bare=bare) for row in range(rows)]
    lines.append("91,108.44,-90" if bare else "2026-05-01 09:00:00,91,108.44,45204,LTE,-90,phone")
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def _line(device: str, row: int, *, bare: bool) -> str:
    lat, lon, level = f"11.{940 + row % 50}", "108.44", -90 - row % 30
    if bare:
        return f"{lat},{lon},{level}"
    clock = f"{8 + row // 3600:02d}:{row // 60 % 60:02d}:{row % 60:02d}"
    return f"2026-05-01 {clock},{lat},{lon},45204,LTE,{level},{device}"


def receive(workspace: Workspace, path: Path, context: Context | None = None) -> Receipt:
    """The receipt of a file that is a log."""
    (receipt,) = intake.ingest(workspace, path, context or Context())
    if not isinstance(receipt, Receipt):
        raise receipt
    return receipt


def prepare(root: Path) -> None:
    """A workspace with everything in it that some act changes, and beside it the logs that will come."""
    for name in ("kept", "taken-back", "new"):
        write_log(root.parent / f"{name}.csv")
    write_log(root.parent / "bare.csv", bare=True)
    workspace = open_workspace(root)
    receive(workspace, root.parent / "kept.csv")
    uploads.withdraw(workspace, receive(workspace, root.parent / "taken-back.csv").upload_id, WITHDRAWN_FOR)
    receive(workspace, root.parent / "bare.csv")
    layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["old"]}), root.parent / "new.csv")


def named(workspace: Workspace, file: str) -> str:
    """The id of the upload that came under that name."""
    return next(row["upload_id"] for row in uploads.list_uploads(workspace) if row["file"] == file)


def _receive_new(root: Path) -> None:
    receive(open_workspace(root), root.parent / "new.csv")


def _receive_cured(root: Path) -> None:
    receive(open_workspace(root), root.parent / "bare.csv", CURED)


def _withdraw(root: Path) -> None:
    workspace = open_workspace(root)
    uploads.withdraw(workspace, named(workspace, "kept.csv"), WITHDRAWN_FOR)


def _restore(root: Path) -> None:
    workspace = open_workspace(root)
    uploads.restore(workspace, named(workspace, "taken-back.csv"))


def _replace_layer(root: Path) -> None:
    frame = pd.DataFrame({"village_id": ["new", "newer"]})
    layers.save_layer(open_workspace(root), "power", frame, root.parent / "new.csv")


def _publish(root: Path) -> None:
    workspace = open_workspace(root)
    snapshot = small_snapshot()
    snapshots.save(workspace.snapshots, snapshot)
    history.publish(workspace, snapshot.info)


@cache
def small_snapshot() -> snapshots.Snapshot:
    """A snapshot to publish; made once, before children are forked."""
    return made_snapshots.snapshot(30)


def _lay_out(root: Path) -> None:
    open_workspace(root)


@dataclass(frozen=True)
class Act:
    """Something done to a workspace; `fresh` where there is none before."""

    do: Callable[[Path], None]
    fresh: bool = False


ACTS = {
    "receive_new": Act(_receive_new),
    "receive_cured": Act(_receive_cured),
    "withdraw": Act(_withdraw),
    "restore": Act(_restore),
    "replace_layer": Act(_replace_layer),
    "publish": Act(_publish),
    "lay_out": Act(_lay_out, fresh=True),
}


def look(root: Path) -> dict[str, Any]:
    """What the workspace says, times left out; fails where anything that it names is not whole.

    uploads: per file its state, counts and history. counted: rows that an assessment would read.
    """
    workspace = open_workspace(root)
    _check_database(workspace)
    rows = uploads.list_uploads(workspace)
    seen = {row["file"]: _seen(workspace, row) for row in rows}
    assert len(seen) == len(rows), "an upload is listed twice"
    return {
        "uploads": seen,
        "counted": _counted(workspace),
        "latest": _latest(workspace),
        "layer": _layer(workspace),
        "criteria": workspace.criteria.label,
        "key": len(workspace.device_key),
    }


def _check_database(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.manifest) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _seen(workspace: Workspace, row: dict[str, Any]) -> dict[str, Any]:
    measurements = pq.read_table(workspace.parts / row["measurements_part"])
    others = set(pq.read_table(workspace.parts / row["outcomes_part"])["line"].to_pylist())
    assert measurements.num_rows == row["accepted"], row
    assert measurements.num_rows + len(others) == row["rows"], row
    events = [event["action"] for event in uploads.show(workspace, row["upload_id"])["events"]]
    assert events.count("received") == 1, events
    lasting = [one for one in events if one in {"withdrawn", "restored"}]
    assert (row["state"] == "withdrawn") == (lasting[-1:] == ["withdrawn"]), (row["state"], events)
    return {"state": row["state"], "accepted": row["accepted"], "rows": row["rows"], "events": events}


def _counted(workspace: Workspace) -> int:
    parts = uploads.committed_parts(workspace)
    assert not [part for part in parts if part.name.startswith(".")], "a draft counts"
    assert len(set(parts)) == len(parts), "a part counts twice"
    counted = sum(pq.read_table(part).num_rows for part in parts)
    listed = uploads.list_uploads(workspace)
    assert counted == sum(row["accepted"] for row in listed if row["state"] == "committed")
    return counted


def _latest(workspace: Workspace) -> str | None:
    try:
        return history.latest(workspace).info.snapshot_id
    except NotFound:
        return None


def _layer(workspace: Workspace) -> list[str] | None:
    if not layers.has_layer(workspace, "power"):
        return None
    found: list[str] = layers.load_table(workspace, "power")["village_id"].tolist()
    return found


def without_history(seen: dict[str, Any]) -> dict[str, Any]:
    """The same, histories left out: an act that was done and not acknowledged may be done twice."""
    plain = {file: {k: v for k, v in one.items() if k != "events"} for file, one in seen["uploads"].items()}
    return seen | {"uploads": plain}
