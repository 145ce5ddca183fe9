"""A small workspace with a past, for the tests of what keeps it: uploads, an assessment, deliveries in every state."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
from test_flow import add_two_villages, crew_file, crew_lines

from coverage import intake, pipeline, work
from coverage.archive import deliveries, receiving, snapshots, uploads
from coverage.archive.deliveries import Delivery
from coverage.archive.snapshots import Snapshot
from coverage.archive.uploads import Receipt
from coverage.archive.verification import Finding, verify
from coverage.archive.workspace import Workspace, open_workspace
from coverage.logs.context import Context

AS_OF = date(2026, 11, 1)
HEADER = "time,lat,lon,operator,technology,rsrp_dbm,device"


def rows(which: int, count: int = 20) -> str:
    """The text of a log of so many rows, none of them in a log of another number; one row more is no measurement."""
    lines = [
        f"2026-05-{which % 28 + 1:02} {which // 28:02}:{at // 60:02}:{at % 60:02},11.9{which % 10}{at % 7},108.44,45204,LTE,-9{at % 10},phone"
        for at in range(count)
    ]
    return "\n".join([HEADER, *lines, "2026-05-01 08:00:00,91,108.44,45204,LTE,-90,phone"]) + "\n"


def ingest(workspace: Workspace, path: Path, context: Context | None = None) -> Receipt:
    """The receipt of one file."""
    (receipt,) = intake.ingest(workspace, path, context or Context())
    assert isinstance(receipt, Receipt)
    return receipt


def add_logs(workspace: Workspace, folder: Path, *which: int) -> list[str]:
    """The ids of so many uploads."""
    ids = []
    for one in which:
        path = folder / f"log-{one}.csv"
        path.write_text(rows(one), encoding="utf-8")
        ids.append(ingest(workspace, path).upload_id)
    return ids


def judged(root: Path, folder: Path, manifest_url: str | None = None) -> tuple[Workspace, list[str]]:
    """A workspace of two villages and seven uploads, assessed once; the ids of the uploads."""
    workspace = open_workspace(root, manifest_url=manifest_url)
    add_two_villages(workspace, folder)
    crews = [
        crew_file(folder, [line for line in crew_lines() if f"phone-{phone}" in line], f"crew-{phone}.csv")
        for phone in range(3)
    ]
    ids = [ingest(workspace, path).upload_id for path in crews] + add_logs(workspace, folder, 1, 2, 3, 4)
    pipeline.assess(workspace, AS_OF)
    return workspace, ids


def send(workspace: Workspace, content: bytes, file: str = "a.csv", *, held: bool = False) -> Delivery:
    """A delivery whose bytes are all there."""
    begun = receiving.begin(workspace, file, Context(), held=held)
    deliveries.part(workspace, begun.delivery_id).write_bytes(content)
    return receiving.complete(workspace, begun.delivery_id)


def in_every_state(workspace: Workspace) -> dict[str, Delivery]:
    """One delivery done, refused, failed, held, received, and one whose bytes are still coming, by that name."""
    found = {"done": send(workspace, rows(50).encode()), "refused": send(workspace, bytes(range(256)) * 9)}
    work.run_due(workspace, lambda: AS_OF)
    found["failed"] = send(workspace, rows(51).encode())
    for _ in range(3):
        _end_badly(workspace)
    found["held"] = send(workspace, rows(52).encode(), held=True)
    found["received"] = send(workspace, rows(53).encode())
    coming = receiving.begin(workspace, "b.csv", Context())
    deliveries.part(workspace, coming.delivery_id).write_bytes(b"time,")
    found["receiving"] = coming
    return {state: deliveries.show(workspace, one.delivery_id) for state, one in found.items()}


def _end_badly(workspace: Workspace) -> None:
    from coverage.archive import jobs  # noqa: PLC0415
    from coverage.archive.manifest import now_utc, transaction  # noqa: PLC0415
    from coverage.archive.schema import JOBS  # noqa: PLC0415
    from coverage.errors import PhusongError  # noqa: PLC0415

    job = jobs.claim(workspace, "worker")
    assert job is not None
    assert job.kind == "ingest"
    with transaction(workspace.manifest) as connection:
        jobs.try_later(connection, job, PhusongError("hỏng", "broken"))
        connection.execute(JOBS.update().where(JOBS.c.state == "queued").values(not_before_utc=now_utc()))


def tables_of(workspace: Workspace, snapshot_id: str) -> dict[str, pd.DataFrame]:
    """Every table of a snapshot."""
    found: Snapshot = snapshots.load(workspace.snapshots, snapshot_id)
    return {name: value for name, value in vars(found).items() if isinstance(value, pd.DataFrame)}


def assert_same_tables(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    """Eleven tables, equal cell by cell."""
    assert set(one) == set(other)
    assert len(one) == 11
    for name, table in one.items():
        pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(other[name]), obj=name)


def counted(workspace: Workspace) -> int:
    """The rows of the uploads that count, as the manifest has them."""
    return sum(row["accepted"] for row in uploads.list_uploads(workspace) if row["state"] == "committed")


def faults(workspace: Workspace) -> list[Finding]:
    """What a verification finds besides the deliveries that failed on purpose."""
    return but_failed(verify(workspace))


def but_failed(findings: list[Finding]) -> list[Finding]:
    """The findings without the deliveries that failed on purpose: named, and no damage."""
    return [one for one in findings if one.what != "delivery_failed"]
