"""Prints docs/formats.md, every log format that can be read, from `coverage.logs.formats`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from coverage.logs.formats import FORMATS, Format

_HEAD = """# Log formats

*Trang này liệt kê mọi loại tệp đo mà Phủ Sóng tự nhận ra, và cột nào của tệp được đọc thành đại lượng nào.
Cột không có ở đây thì không bao giờ được đọc (số máy, số thuê bao, địa chỉ IP…).
Trang được sinh ra từ mã nguồn bằng lệnh `make docs`; xin đừng sửa bằng tay.*

Made by `make docs` from `src/coverage/logs/formats/`. A file is asked in this order; letter case, tones, spaces
and signs in a header do not count. `--format NAME` overrules. What becomes of each row: [files.md](files.md).
Of the formats marked *synthetic* no real file may be kept in this project: they are tested on samples written
from the documented headers (`tests/test_logs_apps.py`, `tests/test_logs_documents*.py`).
"""
_REAL = {"gnettrack_text", "gnettrack_csv", "cellmapper", "gmon", "canonical"}


def page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(part for fmt in FORMATS for part in _section(fmt))


def _section(fmt: Format) -> Iterable[str]:
    tested = "tested on real files" if fmt.name in _REAL else "*synthetic*"
    yield f"\n## `{fmt.name}`: {fmt.title_vi} / {fmt.title_en}\n\n"
    yield "; ".join((tested, *_notes(fmt))) + ".\n\n| field | headers, best first |\n|---|---|\n"
    for field, headers in fmt.columns.items():
        yield f"| {field} | {', '.join(f'`{header}`' for header in headers)} |\n"


def _notes(fmt: Format) -> Iterable[str]:
    if fmt.headerless is not None:
        yield "no header: known by the shape of its first line"
    if fmt.preamble is not None:
        yield "lines above the header are passed over"
    if fmt.technology is not None:
        yield f"every row is {fmt.technology}"
    if fmt.file_name is not None:
        yield "operator and date may come from the file's name"
    for other in fmt.other_rows:
        yield f"rows whose {other.field} is {' or '.join(sorted(other.words))} are rejected as `{other.code}`"


if __name__ == "__main__":
    sys.stdout.write(page())
