"""What is done to a workspace while something breaks, and what the workspace then says."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import snapshots as made_snapshots
from sqlalchemy import update

from coverage import intake, parts, tables, work
from coverage.archive import (
    compaction,
    deciding,
    deliveries,
    history,
    jobs,
    layers,
    receiving,
    snapshots,
    tidying,
    uploads,
)
from coverage.archive.committed import committed
from coverage.archive.manifest import now_utc, transaction
from coverage.archive.schema import JOBS
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import Conflict, NotFound
from coverage.logs.context import Context

CURED = Context(operator="Viettel", technology="LTE", date=date(2026, 5, 1))
TODAY = date(2026, 6, 1)
WITHDRAWN_FOR = "sai máy đo"


def write_log(path: Path, rows: int = 20, *, bare: bool = False) -> Path:
    """A field log of that many rows and one that is rejected; `bare` without operator, time and technology."""
    header = "latitude,longitude,rsrp" if bare else "time,lat,lon,operator,technology,rsrp_dbm,device"
    lines = [_line(path.stem, row, bare=bare) for row in range(rows)]
    lines.append("91,108.44,-90" if bare else "2026-05-01 09:00:00,91,108.44,45204,LTE,-90,phone")
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def _line(device: str, row: int, *, bare: bool) -> str:
    lat, lon, level = f"11.{940 + row % 50}", "108.44", -90 - (row + len(device)) % 30
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


def prepare(root: Path, url: str | None = None) -> None:
    """A workspace with everything in it that some act changes, and beside it the logs that will come."""
    for name in ("kept", "kept-too", "taken-back", "new", "sent", "read"):
        write_log(root.parent / f"{name}.csv")
    write_log(root.parent / "bare.csv", bare=True)
    workspace = open_workspace(root, manifest_url=url)
    receive(workspace, root.parent / "kept.csv")
    receive(workspace, root.parent / "kept-too.csv")
    uploads.withdraw(workspace, receive(workspace, root.parent / "taken-back.csv").upload_id, WITHDRAWN_FOR)
    receive(workspace, root.parent / "bare.csv")
    layers.save_layer(workspace, "power", pd.DataFrame({"village_id": ["old"]}), root.parent / "new.csv")
    work.run_due(workspace, lambda: TODAY)
    _append(workspace, _begin(workspace, "sent.csv"))
    _append(workspace, _begin(workspace, "read.csv"))
    receiving.complete(workspace, "read.csv")


def _begin(workspace: Workspace, file: str) -> str:
    return receiving.begin(workspace, file, Context(), delivery_id=file).delivery_id


def _append(workspace: Workspace, file: str) -> None:
    """What a client does whose sending was cut: go on from the offset."""
    content = (workspace.root.parent / file).read_bytes()
    if arrived(workspace, deliveries.show(workspace, file)) != deliveries.part(workspace, file):
        return  # all bytes are there, and completing was cut short
    with deliveries.part(workspace, file).open("ab") as stream:
        stream.write(content[receiving.offset(workspace, file) :])
    receiving.offset(workspace, file)


def named(workspace: Workspace, file: str) -> str:
    """The id of the upload that came under that name."""
    return next(row["upload_id"] for row in uploads.list_uploads(workspace) if row["file"] == file)


def _receive_new(workspace: Workspace) -> None:
    receive(workspace, workspace.root.parent / "new.csv")


def _receive_cured(workspace: Workspace) -> None:
    receive(workspace, workspace.root.parent / "bare.csv", CURED)


def _withdraw(workspace: Workspace) -> None:
    uploads.withdraw(workspace, named(workspace, "kept.csv"), WITHDRAWN_FOR)


def _restore(workspace: Workspace) -> None:
    uploads.restore(workspace, named(workspace, "taken-back.csv"))


def _replace_layer(workspace: Workspace) -> None:
    frame = pd.DataFrame({"village_id": ["new", "newer"]})
    layers.save_layer(workspace, "power", frame, workspace.root.parent / "new.csv")


def _publish(workspace: Workspace) -> None:
    snapshot = small_snapshot()
    snapshots.save(workspace.snapshots, snapshot)
    history.publish(workspace, snapshot.info, revision=0)


def _begin_delivery(workspace: Workspace) -> None:
    try:
        _begin(workspace, "new.csv")
    except Conflict:  # it was begun already, and not acknowledged
        deliveries.show(workspace, "new.csv")


def _complete_delivery(workspace: Workspace) -> None:
    receiving.complete(workspace, "sent.csv")


def _read_delivery(workspace: Workspace) -> None:
    """What a worker does, and the next worker after the lease of one that died."""
    let_time_pass(workspace)
    job = work.run_one(workspace, lambda: TODAY)
    if job is not None and job.kind == "ingest":
        told = jobs.of_delivery(workspace, str(job.delivery_id))
        if told is not None and told["state"] != "done":
            raise OSError(told["fault"]["en"])


def _compact(workspace: Workspace) -> None:
    compaction.compact(workspace)


def _tidy(workspace: Workspace) -> None:
    """As if all that was left behind had lain there for a day."""
    compaction.compact(workspace)
    tidying.tidy(workspace, timedelta(0))


def let_time_pass(workspace: Workspace) -> None:
    """End the leases of workers that died, and the waits of jobs that were put back."""
    over = now_utc() - timedelta(seconds=1)
    with transaction(workspace.manifest) as connection:
        connection.execute(update(JOBS).where(JOBS.c.state == "running").values(lease_until_utc=over))
        connection.execute(update(JOBS).where(JOBS.c.state == "queued").values(not_before_utc=over))


@cache
def small_snapshot(snapshot_id: str = "s-0123456789ab") -> snapshots.Snapshot:
    """A snapshot to publish; made once, before children are forked."""
    made = made_snapshots.snapshot(30)
    return replace(made, info=replace(made.info, snapshot_id=snapshot_id))


def _lay_out(_: Workspace) -> None:
    """Opening it lays it out."""


@dataclass(frozen=True)
class Act:
    """Something done to a workspace; `fresh` where there is none before, `steps` where it is more than one transaction."""

    do: Callable[[Workspace], None]
    fresh: bool = False
    steps: bool = False


ACTS = {
    "receive_new": Act(_receive_new),
    "receive_cured": Act(_receive_cured),
    "withdraw": Act(_withdraw),
    "restore": Act(_restore),
    "replace_layer": Act(_replace_layer),
    "publish": Act(_publish),
    "begin_delivery": Act(_begin_delivery),
    "complete_delivery": Act(_complete_delivery),
    "read_delivery": Act(_read_delivery, steps=True),
    "compact": Act(_compact),
    "tidy": Act(_tidy),
    "lay_out": Act(_lay_out, fresh=True),
}


def _work_all(workspace: Workspace) -> None:
    for one in deliveries.list_deliveries(workspace):
        if one.state == "failed":  # three faults came over it
            deciding.retry(workspace, one.delivery_id)
    let_time_pass(workspace)
    work.run_due(workspace, lambda: TODAY)
    left = [one.file for one in deliveries.list_deliveries(workspace) if one.state == "received"]
    if left:
        raise OSError(f"put back: {left}")


# The same on any file, for sequences of acts.
MOVES: dict[str, Callable[[Workspace, str], object]] = {
    "receive": lambda workspace, file: receive(workspace, workspace.root.parent / file),
    "cure": lambda workspace, file: receive(workspace, workspace.root.parent / file, CURED),
    "withdraw": lambda workspace, file: uploads.withdraw(workspace, named(workspace, file), WITHDRAWN_FOR),
    "restore": lambda workspace, file: uploads.restore(workspace, named(workspace, file)),
    "deliver": lambda workspace, file: _deliver(workspace, file),  # noqa: PLW0108 - it is defined below
    "work": lambda workspace, _: _work_all(workspace),
    "compact": lambda workspace, _: _compact(workspace),
    "tidy": lambda workspace, _: _tidy(workspace),
    "reopen": lambda workspace, _: _lay_out(workspace),
}


def _deliver(workspace: Workspace, file: str) -> None:
    if file not in {one.delivery_id for one in deliveries.list_deliveries(workspace)}:
        _begin(workspace, file)
    if deliveries.show(workspace, file).state == "receiving":
        _append(workspace, file)
    receiving.complete(workspace, file)


def run(act: str, root: Path, url: str | None = None, file: str | None = None) -> None:
    """Open the workspace and do it."""
    workspace = open_workspace(root, manifest_url=url)
    if file is None:
        ACTS[act].do(workspace)
    else:
        MOVES[act](workspace, file)


def look(root: Path, url: str | None = None) -> dict[str, Any]:
    """What the workspace says, times left out; fails where anything that it names is not whole.

    uploads: per file its state, counts and history. counted: rows that an assessment would read. deliveries: per
    file what became of it, and whether work waits.
    """
    workspace = open_workspace(root, manifest_url=url)
    if url is None:
        _check_database(workspace)
    rows = uploads.list_uploads(workspace)
    seen = {row["file"]: _seen(workspace, row) for row in rows}
    assert len(seen) == len(rows), "an upload is listed twice"
    sent = deliveries.list_deliveries(workspace)
    return {
        "uploads": seen,
        "counted": _counted(workspace),
        "deliveries": {one.file: _sent(workspace, one) for one in sent},
        "latest": _latest(workspace),
        "layer": _layer(workspace),
        "criteria": workspace.criteria.label,
        "key": len(workspace.device_key),
    }


def _check_database(workspace: Workspace) -> None:
    with sqlite3.connect(workspace.manifest_file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _seen(workspace: Workspace, row: dict[str, Any]) -> dict[str, Any]:
    wanted = pc.field("upload_id") == row["upload_id"]
    stored = workspace.parts / (row["stored_in"] or row["measurements_part"])
    measurements = pq.read_table(stored, columns=["upload_id"], filters=wanted)
    others = set(pq.read_table(workspace.parts / row["outcomes_part"], columns=["line"])["line"].to_pylist())
    assert measurements.num_rows == row["accepted"], row
    assert measurements.num_rows + len(others) == row["rows"], row
    events = [event["action"] for event in uploads.show(workspace, row["upload_id"])["events"]]
    assert events.count("received") == 1, events
    lasting = [one for one in events if one in {"withdrawn", "restored"}]
    assert (row["state"] == "withdrawn") == (lasting[-1:] == ["withdrawn"]), (row["state"], events)
    return {"state": row["state"], "accepted": row["accepted"], "rows": row["rows"], "events": events}


def _counted(workspace: Workspace) -> int:
    counts = committed(workspace)
    assert not [part for part in counts.parts if part.path.name.startswith(".")], "a draft counts"
    rows = pa.Table.from_batches(parts.batches(counts.parts), tables.schema(tables.MEASUREMENTS))
    ours = rows.select(["upload_id", "line"])
    assert ours.group_by(["upload_id", "line"]).aggregate([]).num_rows == rows.num_rows, "a row counts twice"
    listed = uploads.list_uploads(workspace)
    assert rows.num_rows == sum(row["accepted"] for row in listed if row["state"] == "committed")
    return rows.num_rows


def arrived(workspace: Workspace, one: deliveries.Delivery) -> Path:
    """Where the bytes of an unfinished delivery are."""
    part = deliveries.part(workspace, one.delivery_id)
    # It may have its name already while the manifest does not say so yet.
    return part if part.exists() else deliveries.received_file(workspace, one)


def _sent(workspace: Workspace, one: deliveries.Delivery) -> dict[str, Any]:
    """A delivery that was received has its bytes and a job, was read, or another stands for it."""
    original = (workspace.root.parent / one.file).read_bytes()
    told: dict[str, Any] = {"state": one.state}
    if one.state == "receiving":
        bytes_here = arrived(workspace, one).read_bytes()
        assert original.startswith(bytes_here)
        return told | {"bytes": len(bytes_here)}
    assert one.sha256 == hashlib.sha256(original).hexdigest()
    if one.same_as is not None:
        assert deliveries.show(workspace, one.same_as).sha256 == one.sha256
        return told
    job = jobs.of_delivery(workspace, one.delivery_id)
    assert job is not None
    assert job["state"] in {"received": {"queued", "running"}}.get(one.state, {one.state}), (one, job)
    if one.state != "done":
        assert deliveries.received_file(workspace, one).read_bytes() == original
        return told
    assert one.result is not None
    return told | {"told": [[file["effect"], file["added_rows"]] for file in one.result["files"]]}


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
