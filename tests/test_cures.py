"""Cures over HTTP: no sentence that a sender reads there speaks of a command line that it has not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coverage.logs.reasons import CODES, reason
from coverage.service.cures import over_http

SOURCE = Path(__file__).parents[1] / "src" / "coverage"
# Where what is read of a measurement file may be refused.
READERS = [*sorted((SOURCE / "logs").rglob("*.py")), SOURCE / "text.py", SOURCE / "workbooks.py"]
OF_THE_COMMAND_LINE = re.compile(r"--[a-z]|phusong [a-z]")


@pytest.mark.parametrize("code", CODES)
def test_a_reason_names_fields_over_http(code: str) -> None:
    for sentence in over_http(*reason(code, "Cột", "a")):
        assert not OF_THE_COMMAND_LINE.search(sentence)


def test_options_are_fields_over_http() -> None:
    assert over_http(
        "Gửi lại với --operator, ví dụ --operator Viettel.", "Say --date-order dmy or --timezone."
    ) == (
        "Gửi lại với trường operator, ví dụ operator=Viettel.",
        "Say date_order=dmy or the field timezone.",
    )


def test_what_somebody_wrote_is_left_as_it_is() -> None:
    vi, en = "Không có trường '--operator' (--crs).", "my--date.csv: no field '--operator'."
    assert over_http(vi, en) == (vi, en)


def refusals() -> Iterator[tuple[str, str, str]]:
    """The two sentences of each refusal that a reader of files may raise, with … for what is put in."""
    for path in READERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"FileRefused", "Foreign"}:
                texts = [text for one in node.args if (text := _text(one)) and " " in text]
                if len(texts) == 2:
                    yield path.name, texts[0], texts[1]


def _text(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in parts)


def test_no_refusal_of_a_file_speaks_of_the_command_line_over_http() -> None:
    found = list(refusals())
    assert sum(bool(OF_THE_COMMAND_LINE.search(vi)) for _, vi, _ in found) >= 6
    for where, vi, en in found:
        for sentence in over_http(vi, en):
            assert not OF_THE_COMMAND_LINE.search(sentence), (where, sentence)
