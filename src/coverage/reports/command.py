"""The official paper on the latest snapshot, written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from coverage.archive import history
from coverage.archive.durable import require_folder, write_durably
from coverage.archive.snapshots import Snapshot, of_operator
from coverage.archive.workspace import Workspace
from coverage.errors import InputError
from coverage.exports.lists import operator_code
from coverage.progress import Tell
from coverage.reports.docx import to_docx
from coverage.reports.paper import Letterhead, Paper
from coverage.reports.papers import gap_rows, paper
from coverage.reports.pdf import to_pdf
from coverage.reports.pictures import Kind, pictures

# Suffix → what writes it, and the pictures it takes: lines for print, which also need far less memory.
FORMATS: Mapping[str, tuple[Callable[[Paper], bytes], Kind]] = {
    ".docx": (to_docx, "png"),
    ".pdf": (to_pdf, "pdf"),
}


def write_report(
    workspace: Workspace, path: Path, operator: str | None, letterhead: Letterhead, tell: Tell
) -> int:
    """The number of gaps told; the file's suffix says what is written. operator: code or name, None = the province.

    Raises `InputError` for another suffix, an unknown operator or a folder that is not there.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"{path}: văn bản chỉ ghi được dạng .docx hoặc .pdf; bảng tính: phusong export all -o TEP.xlsx.",
            f"{path}: a report is written as .docx or .pdf; a workbook: phusong export all -o FILE.xlsx.",
        )
    require_folder(path)
    write, kind = found
    snapshot = history.latest(workspace)
    code = operator_code(snapshot, operator)
    told = snapshot if code is None else of_operator(snapshot, code)
    made = paper(told, letterhead, _told(told, kind, tell), letter=code is not None)
    tell("ghi tệp / writing", 0.9)
    write_durably(path, write(made))
    return len(made.annexes[-1].dossiers)


def _told(snapshot: Snapshot, kind: Kind, tell: Tell) -> Iterator[bytes | None]:
    """The pictures, telling how many are drawn."""
    gaps = gap_rows(snapshot)
    for place, picture in enumerate(pictures(snapshot, gaps, kind), start=1):
        if place % 10 == 1:
            tell("vẽ bản đồ / drawing maps", 0.9 * place / len(gaps))
        yield picture
