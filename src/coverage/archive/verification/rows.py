"""The manifest's rows: readable, and in agreement with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, inspect, select, text

from coverage.archive import audit
from coverage.archive.manifest import every_row, reading
from coverage.archive.schema import (
    ABOUT,
    AUDIT,
    COMPACTED,
    DELIVERIES,
    EVENTS,
    JOBS,
    READABLE_VERSIONS,
    SNAPSHOTS,
    UPLOADS,
    tables_at,
)
from coverage.archive.verification.findings import Finding, attention, damage
from coverage.archive.workspace import Workspace, identity
from coverage.errors import ArchiveDamaged

Row = dict[str, Any]
_ALIVE = {"queued", "running"}
_ENDS = ("duplicates", "rejected", "quarantined")


@dataclass(frozen=True)
class Seen:
    """The rows of the manifest at one moment; compacted: part → the uploads that it holds rows of."""

    about: dict[str, str]
    uploads: list[Row]
    compacted: dict[str, set[str]]
    events: list[Row]
    deliveries: list[Row]
    jobs: list[Row]
    snapshots: list[Row]


def database(workspace: Workspace) -> Iterator[Finding]:
    """What makes the manifest unreadable, and whether it is this workspace's."""
    if workspace.manifest_kind == "sqlite" and not workspace.manifest_file.exists():
        yield damage("manifest_missing", workspace.manifest_file)
        return
    try:
        yield from _database(workspace)
    except ArchiveDamaged as fault:
        yield unreadable(workspace, fault)


def unreadable(workspace: Workspace, fault: ArchiveDamaged) -> Finding:
    """The database could not read itself."""
    return damage("manifest_damaged", _where(workspace), str(fault.__cause__))


def _where(workspace: Workspace) -> str:
    # A PostgreSQL URL may hold a password.
    return str(workspace.manifest_file) if workspace.manifest_kind == "sqlite" else "PostgreSQL"


def _database(workspace: Workspace) -> Iterator[Finding]:
    where = _where(workspace)
    with reading(workspace.manifest) as connection:
        if workspace.manifest_kind == "sqlite":
            said = connection.execute(text("PRAGMA integrity_check")).scalars().all()
            if said != ["ok"]:
                yield damage("manifest_damaged", where, "; ".join(map(str, said[:3])))
                return
        there = set(inspect(connection).get_table_names())
        rows = connection.execute(select(ABOUT)).all() if ABOUT.name in there else []
        about = {row.key: row.value for row in rows}
        if missing := tables_at(about.get("schema")) - there:
            yield damage("manifest_damaged", where, f"no table {', '.join(sorted(missing))}")
            return
    if about.get("schema") not in READABLE_VERSIONS or not str(about.get("revision", "")).isdigit():
        yield damage("manifest_damaged", f"{where}, about", f"{about}")
    elif not workspace.identity_file.exists() or about.get("workspace") != identity(workspace):
        yield damage("manifest_of_another", workspace.identity_file, f"{about.get('workspace')}")


def look(workspace: Workspace) -> Seen:
    """Every row, as of one moment. Raises `ArchiveDamaged`."""
    with reading(workspace.manifest) as connection:

        def of(table: Table) -> list[Row]:
            every = every_row(connection, table).order_by(*table.primary_key.columns)
            rows = connection.execute(every).mappings()
            return [{str(name): value for name, value in row.items()} for row in rows]

        compacted: dict[str, set[str]] = defaultdict(set)
        for row in of(COMPACTED):
            compacted[row["part"]].add(row["upload_id"])
        return Seen(
            about={row["key"]: row["value"] for row in of(ABOUT)},
            uploads=of(UPLOADS),
            compacted=compacted,
            events=of(EVENTS),
            deliveries=of(DELIVERIES),
            jobs=of(JOBS),
            snapshots=of(SNAPSHOTS),
        )


def audit_log(workspace: Workspace, seen: Seen) -> Iterator[Finding]:
    """What is wrong with the audit log, where the manifest is of a version that has one."""
    if AUDIT.name not in tables_at(seen.about["schema"]):
        return
    chain = audit.verify(workspace)
    if chain.broken is not None:
        yield damage("audit_disagrees", f"audit {chain.broken}", f"{chain.fault}")


def agree(seen: Seen) -> Iterator[Finding]:
    """Rows that contradict themselves or each other."""
    for upload in seen.uploads:
        yield from _upload(upload, seen)
    yield from _events(seen)
    yield from _jobs(seen)


def _upload(row: Row, seen: Seen) -> Iterator[Finding]:
    where = f"uploads {row['upload_id']}"
    total = row["accepted"] + sum(row[name] for name in _ENDS)
    if row["rows"] != total or min(row["accepted"], *(row[name] for name in _ENDS)) < 0:
        yield damage("upload_disagrees", where, f"rows {row['rows']} ≠ {total}")
    if not 0 <= row["erased"] <= row["accepted"]:
        yield damage("upload_disagrees", where, f"erased {row['erased']}, accepted {row['accepted']}")
    if row["upload_id"] != row["sha256"][:16]:
        yield damage("upload_disagrees", where, f"sha256 {row['sha256']}")
    for kind in ("measurements", "outcomes"):
        if not row[f"{kind}_part"].startswith(f"{row['upload_id']}-{kind}-"):
            yield damage("upload_disagrees", where, f"{kind}_part {row[f'{kind}_part']}")
    if row["stored_in"] and row["upload_id"] not in seen.compacted.get(row["stored_in"], set()):
        yield damage("upload_disagrees", where, f"stored_in {row['stored_in']}")


def _events(seen: Seen) -> Iterator[Finding]:
    actions: dict[str, list[str]] = {row["upload_id"]: [] for row in seen.uploads}
    for event in seen.events:
        actions.setdefault(event["upload_id"], []).append(event["action"])
    states = {row["upload_id"]: row["state"] for row in seen.uploads}
    erased = {row["upload_id"] for row in seen.uploads if row["erased"]}
    for upload_id, done in actions.items():
        last = next((one for one in reversed(done) if one in {"withdrawn", "restored"}), "restored")
        expected = "withdrawn" if last == "withdrawn" else "committed"
        known = ("erased" in done) == (upload_id in erased)
        if done[:1] != ["received"] or states.get(upload_id) != expected or not known:
            yield damage(
                "events_disagree", f"uploads {upload_id}", f"{states.get(upload_id)}: {', '.join(done)}"
            )
    revision = int(seen.about["revision"])
    newest = max((row["revision"] for row in seen.snapshots), default=0)
    if revision != len(seen.events) or newest > revision:
        yield damage(
            "events_disagree", "about, revision", f"{revision}: {len(seen.events)} events, snapshot {newest}"
        )


def _jobs(seen: Seen) -> Iterator[Finding]:
    own: dict[str, list[Row]] = defaultdict(list)
    for job in seen.jobs:
        if job["kind"] == "ingest":
            own[job["delivery_id"]].append(job)
        if job["state"] == "running" and not (job["worker"] and job["lease_until_utc"]):
            yield damage("jobs_disagree", f"jobs {job['job_id']}", "running, no worker")
    states = {row["delivery_id"]: row for row in seen.deliveries}
    for unknown in sorted(own.keys() - states.keys(), key=str):
        yield damage("jobs_disagree", f"jobs {own[unknown][0]['job_id']}", f"delivery {unknown}")
    for delivery_id, row in states.items():
        yield from _delivery(row, [job["state"] for job in own[delivery_id]], states)


def _delivery(row: Row, jobs: list[str], states: dict[str, Row]) -> Iterator[Finding]:
    where = f"deliveries {row['delivery_id']}"
    alive = sum(state in _ALIVE for state in jobs)
    waits = row["state"] == "received" and row["same_as"] is None
    if alive != int(waits) or (row["state"] == "failed" and jobs[-1:] != ["failed"]):
        yield damage("jobs_disagree", where, f"{row['state']}; jobs: {', '.join(jobs) or '-'}")
    if row["state"] == "failed":
        yield attention("delivery_failed", where, row["file"])
    if row["same_as"] and states.get(row["same_as"], {}).get("sha256") != row["sha256"]:
        yield damage("delivery_disagrees", where, f"same_as {row['same_as']}")
    whole = row["state"] not in {"receiving", "cancelled"}
    if whole and not (row["sha256"] and row["length"] is not None and row["received_utc"]):
        yield damage(
            "delivery_disagrees", where, f"{row['state']}, sha256 {row['sha256']}, {row['length']} B"
        )
    if row["state"] in {"done", "refused"} and not row["result"]:
        yield damage("delivery_disagrees", where, f"{row['state']}, result -")
