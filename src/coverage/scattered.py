"""Field files read by the workers of a Spark cluster, each as `intake` reads it here.

Every task opens the same folder and the same manifest, and keeps what it reads before it answers: a task that dies
with its worker loses nothing, Spark gives its file to another one, and what was kept already is not kept twice.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from pyspark import RDD, SparkContext

from coverage import clusters, intake
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, existing_workspace, identity
from coverage.errors import InputError, PhusongError
from coverage.logs.context import Context
from coverage.progress import Tell, silent

_LOOKS_EVERY_S = 1.0


@dataclass(frozen=True)
class _Task:
    # What a worker is told.
    root: Path
    manifest_url: str | None
    identity: str
    host: str
    context: Context


@dataclass(frozen=True)
class _Fault:
    # An error on its way back: ours do not survive pickling. of_file: the other files are none the worse.
    kind: type[PhusongError]
    vi: str
    en: str
    code: str
    of_file: bool

    @property
    def error(self) -> PhusongError:
        return self.kind(self.vi, self.en, code=self.code)


def ingest(
    url: str, workspace: Workspace, files: Sequence[Path], context: Context, tell: Tell = silent
) -> Iterator[Receipt | PhusongError]:
    """What `intake.ingest` gives for each of the files, in their order: receipts, and what a file is refused for.

    Files and workspace are where they are for every worker, too. With a manifest in SQLite all workers run on this
    machine. A file whose reader died after keeping it says "already received". Raises `EngineUnavailable`, and what
    stops all reading (`DiskFull`, `ArchiveUnavailable`, …); what was read until then is kept.
    """
    task = _Task(workspace.root, workspace.manifest_url, identity(workspace), socket.gethostname(), context)
    with clusters.faults_told():
        context_of_all = clusters.session(url).sparkContext
        paths = context_of_all.parallelize([path.absolute() for path in files], len(files))
        answers = _collected(context_of_all, paths.map(lambda path: _answer(task, path)), len(files), tell)
    found = [one for answer in answers for one in answer]
    for one in found:
        if isinstance(one, _Fault) and not one.of_file:
            raise one.error
    yield from (one.error if isinstance(one, _Fault) else one for one in found)


def _collected(
    context: SparkContext, answers: RDD[list[Receipt | _Fault]], files: int, tell: Tell
) -> list[list[Receipt | _Fault]]:
    with ThreadPoolExecutor(1) as aside:
        coming = aside.submit(answers.collect)
        while wait([coming], _LOOKS_EVERY_S).not_done:
            stages = [
                context.statusTracker().getStageInfo(n) for n in context.statusTracker().getActiveStageIds()
            ]
            done = sum(stage.numCompletedTasks for stage in stages if stage is not None)
            tell(f"{done} / {files} tệp / files", done / files)
        found: list[list[Receipt | _Fault]] = coming.result()
        return found


def _answer(task: _Task, path: Path) -> list[Receipt | _Fault]:
    """Runs on a worker."""
    found: list[Receipt | _Fault] = []
    try:
        workspace = _same_workspace(task)
    except PhusongError as fault:
        return [_told(fault, of_file=False)]
    try:
        for one in intake.ingest(workspace, path, task.context):
            found.append(_told(one, of_file=True) if isinstance(one, PhusongError) else one)  # noqa: PERF401 - it may raise
    except PhusongError as fault:
        found.append(_told(fault, of_file=isinstance(fault, InputError)))
    return found


def _told(fault: PhusongError, *, of_file: bool) -> _Fault:
    return _Fault(type(fault), fault.vi, fault.en, fault.code, of_file)


def _same_workspace(task: _Task) -> Workspace:
    here = socket.gethostname()
    workspace = existing_workspace(task.root, task.manifest_url)
    if workspace.manifest_kind == "sqlite" and here != task.host:
        raise InputError(
            f"Sổ ghi SQLite chỉ dùng được trên một máy, mà cụm đọc tệp trên {here}: hãy đặt PHUSONG_MANIFEST (PostgreSQL).",
            f"A manifest in SQLite serves one machine, and the cluster reads files on {here}: set PHUSONG_MANIFEST (PostgreSQL).",
        )
    if identity(workspace) != task.identity:
        raise InputError(
            f"{task.root} trên máy {here} là một thư mục làm việc khác: các máy của cụm phải thấy cùng một thư mục.",
            f"{task.root} on {here} is another workspace: all machines of the cluster must see the same folder.",
        )
    return workspace
