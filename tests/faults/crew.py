"""Somebody who works on a workspace at random until killed, and writes down what was acknowledged."""

from __future__ import annotations

import json
import time
import traceback
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from coverage import pipeline, work
from coverage.archive import compaction, deliveries, history, receiving, snapshots, uploads
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import ArchiveUnavailable
from coverage.logs.context import Context
from faults import acts

ROWS = 20
SHARED = [f"shared-{number}.csv" for number in range(6)]
SNAPSHOTS = 4
Tell = Callable[..., None]


def labour(root: Path, url: str | None, seed: int, told: Path) -> None:
    """Work until killed. `told` gets a line before (`try`) and after (`did`) what changes the state of a file."""
    random, mine = Random(seed), []
    workspace = open_workspace(root, manifest_url=url)
    with told.open("a", encoding="utf-8") as stream:

        def tell(**what: Any) -> None:
            stream.write(json.dumps(what) + "\n")
            stream.flush()

        while True:
            do = random.choices([one for one, _ in _WORK], [weight for _, weight in _WORK])[0]
            try:
                do(workspace, random, mine, tell)
            except ArchiveUnavailable:
                time.sleep(0.05)  # the database is away: what was under way was not acknowledged
            except Exception:
                tell(broken=traceback.format_exc())
                return


def _new_log(workspace: Workspace, random: Random) -> Path:
    if random.random() < 0.3:
        return workspace.root.parent / random.choice(SHARED)
    return acts.write_log(workspace.root.parent / f"{uuid.uuid4().hex}.csv", ROWS)


def _receive(workspace: Workspace, random: Random, mine: list[str], tell: Tell) -> None:
    path = _new_log(workspace, random)
    acts.receive(workspace, path)
    tell(did="received", file=path.name)
    if path.name not in SHARED:
        mine.append(path.name)


def _receive_again(workspace: Workspace, random: Random, mine: list[str], _: Tell) -> None:
    if mine:
        acts.receive(workspace, workspace.root.parent / random.choice(mine))


def _withdraw(workspace: Workspace, random: Random, mine: list[str], tell: Tell) -> None:
    if mine:
        file = random.choice(mine)
        tell(trying="withdrawn", file=file)
        uploads.withdraw(workspace, acts.named(workspace, file), acts.WITHDRAWN_FOR)
        tell(did="withdrawn", file=file)


def _restore(workspace: Workspace, random: Random, mine: list[str], tell: Tell) -> None:
    if mine:
        file = random.choice(mine)
        tell(trying="restored", file=file)
        uploads.restore(workspace, acts.named(workspace, file))
        tell(did="restored", file=file)


def _deliver(workspace: Workspace, random: Random, _: list[str], tell: Tell) -> None:
    path = _new_log(workspace, random)
    delivery, content = uuid.uuid4().hex, path.read_bytes()
    receiving.begin(workspace, path.name, Context(), delivery_id=delivery, length=len(content))
    tell(did="begun", delivery=delivery)
    cut = random.randrange(len(content))
    for piece in (content[:cut], content[cut:]):
        with deliveries.part(workspace, delivery).open("ab") as stream:
            stream.write(piece)
        tell(did="sent", delivery=delivery, bytes=receiving.offset(workspace, delivery))
    receiving.complete(workspace, delivery)
    tell(did="delivered", delivery=delivery, file=path.name)


def _read_one(workspace: Workspace, *_: object) -> None:
    work.run_one(workspace, lambda: acts.TODAY)


def _publish(workspace: Workspace, random: Random, _: list[str], tell: Tell) -> None:
    made = acts.small_snapshot(f"s-{random.randrange(SNAPSHOTS)}")
    snapshots.save(workspace.snapshots, made)
    history.publish(workspace, made.info, revision=0)
    tell(did="published", snapshot=made.info.snapshot_id)


def _compact(workspace: Workspace, *_: object) -> None:
    compaction.compact(workspace)


def _assess(workspace: Workspace, _: Random, __: list[str], tell: Tell) -> None:
    tell(did="published", snapshot=pipeline.assess(workspace, acts.TODAY).snapshot_id)


_WORK: tuple[tuple[Callable[..., None], int], ...] = (
    (_receive, 30),
    (_receive_again, 10),
    (_withdraw, 12),
    (_restore, 8),
    (_deliver, 20),
    (_read_one, 20),
    (_publish, 4),
    (_compact, 3),
    (_assess, 1),
)


@dataclass
class Acknowledged:
    """What the crew was told that it is safe.

    received: files that are in the archive. lasting: per file the states that it may have now. sent: bytes per
    unfinished delivery. delivered: file per whole one.
    """

    received: set[str] = field(default_factory=set)
    lasting: dict[str, set[str]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)


def acknowledged(lines: Iterable[dict[str, Any]]) -> Acknowledged:
    """What one worker's lines promise; fails where it met an error that nobody may meet."""
    safe = Acknowledged()
    for line in lines:
        assert "broken" not in line, line["broken"]
        match line:
            case {"did": "received", "file": file}:
                safe.received.add(file)
                safe.lasting.setdefault(file, {"committed"})
            case {"trying": state, "file": file}:
                safe.lasting[file] |= {_STATES[state]}
            case {"did": ("withdrawn" | "restored") as state, "file": file}:
                safe.lasting[file] = {_STATES[state]}
            case {"did": "begun", "delivery": delivery}:
                safe.sent[delivery] = 0
            case {"did": "sent", "delivery": delivery, "bytes": count}:
                safe.sent[delivery] = count
            case {"did": "delivered", "delivery": delivery, "file": file}:
                safe.delivered[delivery] = file
            case {"did": "published", "snapshot": snapshot}:
                safe.published.add(snapshot)
    return safe


_STATES = {"withdrawn": "withdrawn", "restored": "committed"}


def check(workspace: Workspace, safe: Acknowledged) -> None:
    """Nothing that was acknowledged is lost, nothing is there twice, and all that is there is whole."""
    seen = acts.look(workspace.root, workspace.manifest_url)
    for file in safe.received:
        assert seen["uploads"][file]["accepted"] == ROWS, file
    for file, states in safe.lasting.items():
        if file not in SHARED:
            assert seen["uploads"][file]["state"] in states, (file, states)
    for delivery, count in safe.sent.items():
        there = deliveries.show(workspace, delivery)
        if there.state == "receiving":
            assert delivery not in safe.delivered, delivery
            assert acts.arrived(workspace, there).stat().st_size >= count, delivery
    for snapshot in safe.published:
        snapshots.load(workspace.snapshots, snapshot)


def check_all_was_read(workspace: Workspace, safe: Acknowledged) -> None:
    """Once the work is done, every delivered file is in the archive, and every job ended well."""
    rows = [row["file"] for row in uploads.list_uploads(workspace)]
    for delivery, file in safe.delivered.items():
        there = deliveries.show(workspace, delivery)
        assert there.state == "done" or there.same_as is not None, there
        assert rows.count(file) == 1, file
