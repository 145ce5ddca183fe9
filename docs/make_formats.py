"""Prints docs/formats.md: every log format that can be read, from `coverage.logs.formats`, and what became of samples."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coverage.logs.formats import FORMATS, Format

_HEAD = """# Log formats

*Trang này liệt kê mọi loại tệp đo mà Phủ Sóng tự nhận ra, và cột nào của tệp được đọc thành đại lượng nào.
Cột không có ở đây thì không bao giờ được đọc (số máy, số thuê bao, địa chỉ IP…).
Trang được sinh ra từ mã nguồn bằng lệnh `make docs`; xin đừng sửa bằng tay.*

Made by `make docs` from `src/coverage/logs/formats/`. A file is asked in this order; letter case, tones, spaces
and signs in a header do not count. `canonical` also understands names that it does not know by their words,
Vietnamese or English, and its guesses are held against the values of the first 2,000 rows. `phusong inspect FILE` shows
the guess, how sure it is and which column became what; `--format NAME` overrules. What becomes of each row:
[files.md](files.md).

A format marked **positive only** cannot say that there is no service: its app writes a row only while it hears a cell
or has a connection, or what is read of it holds no such word. Its rows get `positive_only`, and show where service is,
never where it is not. A crew that knows better says so: `--records-no-service`; `--positive-only` marks a file of any
other format.
"""
_SAMPLES = """
## Samples, and what became of them

Of formats without a real file no real file may be kept in this project, or none could be had: they are tested on
synthetic samples written from the documented headers. Real files are named by where they were measured. The tests
read all of them again: `.venv/bin/python -m pytest tests/test_logs_samples.py`. *mất sóng* = rows without service, unknown
= rows with service whose level says nothing. Options are those of `phusong ingest`.

| format | sample | options | rows | accepted | duplicates | rejected | quarantined | besides |
|---|---|---|---|---|---|---|---|---|
"""
_OUTCOMES = Path(__file__).parent.parent / "tests" / "samples" / "outcomes.toml"


def samples() -> list[dict[str, Any]]:
    """What is told of the samples: see the file."""
    return list(tomllib.loads(_OUTCOMES.read_text(encoding="utf-8"))["sample"])


def page() -> str:
    """The page as Markdown."""
    told = samples()
    real = {sample.get("format") for sample in told if "real" in sample}
    sections = (part for fmt in FORMATS for part in _section(fmt, real=fmt.name in real))
    return _HEAD + _SAMPLES + "".join(map(_sample, told)) + "".join(sections)


def _sample(sample: dict[str, Any]) -> str:
    name = f"{sample['real']} (real)" if "real" in sample else f"`{sample['file']}` (synthetic)"
    said = " ".join(f"`--{option} {value}`" for option, value in sample.get("said", {}).items())
    if "refused" in sample:
        return f"| refused | {name} | | | | | | | {sample['refused']} |\n"
    besides = [f"{rows} `{code}`" for code, rows in sample.get("reasons", {}).items()]
    besides += [f"{sample[key]} {word}" for key, word in _BESIDES.items() if key in sample]
    if "dropped" in sample:
        besides.append(f"never read: {', '.join(sample['dropped'])}")
    counts = " | ".join(f"{count:,}" for count in (sum(sample["counts"]), *sample["counts"]))
    return f"| `{sample['format']}` | {name} | {said} | {counts} | {'; '.join(besides)} |\n"


_BESIDES = {"no_service": "mất sóng", "unknown_level": "unknown"}


def _section(fmt: Format, *, real: bool) -> Iterable[str]:
    tested = "tested on real files" if real else "*synthetic*"
    yield f"\n## `{fmt.name}`: {fmt.title_vi} / {fmt.title_en}\n\n"
    yield "; ".join((tested, *_notes(fmt))) + ".\n\n| field | headers, best first |\n|---|---|\n"
    for field, headers in fmt.columns.items():
        yield f"| {field} | {', '.join(f'`{header}`' for header in headers)} |\n"


def _notes(fmt: Format) -> Iterable[str]:
    if not fmt.records_no_service:
        yield "**positive only**: it cannot say that there is no service"
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
