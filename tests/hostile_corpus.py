"""The corpus: LONG has every quirk in every format, CORPUS all of them in ours and some in each other."""

from __future__ import annotations

from collections.abc import Iterator

from hostile import Case, Writer
from hostile_apps import CANONICAL, WRITERS
from hostile_packed import PACKED
from hostile_rows import LINES, QUIRKS, beside_case, line_case, row_case
from hostile_singles import SINGLES
from hostile_text import TEXTS, ends, text_case

STEP = 16  # of the other formats every sixteenth quirk, others for each


def _cases(writer: Writer) -> Iterator[Case | None]:
    yield from (row_case(writer, quirk) for quirk in QUIRKS)
    yield from (line_case(writer, quirk) for quirk in LINES)
    yield from (beside_case(writer, code) for code in writer.beside)
    yield from (text_case(writer, quirk) for quirk in TEXTS)
    yield from ends(writer)


def _of(writer: Writer) -> list[Case]:
    return [case for case in _cases(writer) if case is not None]


LONG: list[Case] = [*(case for writer in WRITERS for case in _of(writer)), *SINGLES, *PACKED]
CORPUS: list[Case] = [
    *_of(CANONICAL),
    *(case for i, writer in enumerate(WRITERS[1:]) for case in _of(writer)[i % STEP :: STEP]),
    *SINGLES,
    *PACKED,
]
