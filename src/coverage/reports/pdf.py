"""Paper → PDF, with its typeface inside."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.resources import as_file, files
from itertools import count
from pathlib import Path

import orjson
import typst

from coverage.reports.paper import Paper


def to_pdf(paper: Paper) -> bytes:
    """The paper as a tagged PDF. Texts go to the pages as data: nothing in them is taken for layout.

    The typeface is the one that the layout engine brings (Libertinus Serif, all Vietnamese letters), so that the pages
    look the same on every machine; none of the machine's own is asked.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "paper.json").write_bytes(orjson.dumps(paper, default=partial(_file, root, count())))
        with as_file(files("coverage.reports").joinpath("paper.typ")) as layout:
            shutil.copy(layout, root / "paper.typ")
        made: bytes = typst.compile(root / "paper.typ", root=root, ignore_system_fonts=True)
        return made


def _file(root: Path, numbers: Iterator[int], picture: bytes) -> str:
    """The name of a file that holds the picture, for the layout to fetch."""
    name = f"{next(numbers)}.pdf"
    (root / name).write_bytes(picture)
    return name
