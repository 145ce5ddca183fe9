"""What stands on an official paper, whatever file it becomes: texts that are ready to read, and pictures.

snapshot ──► `papers.paper` ──► Paper ──► `docx.to_docx`, `pdf.to_pdf`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLANK = "……………………"  # left for the pen


@dataclass(frozen=True)
class Letterhead:
    """Who writes: the body above, the body itself, its abbreviation, the place, the signer's office. Empty = left for the pen."""

    parent: str = ""
    issuer: str = ""
    abbreviation: str = ""
    place: str = ""
    signer: str = ""


@dataclass(frozen=True)
class Table:
    """A table of texts. widths: shares of the page's width, one per column.

    groups: heads above the heads, each with how many columns it spans; none = one row of heads. texts: how many columns
    from the left hold words, set to the left; the others hold numbers, set to the right. total: the last row is the sum.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    texts: int = 1
    groups: Sequence[tuple[str, int]] = ()
    total: bool = False


@dataclass(frozen=True)
class Dossier:
    """One gap on one page. facts: label and value. picture: PNG, or a PDF of one page where the paper becomes one; None where nothing can be drawn."""

    title: str
    facts: Sequence[tuple[str, str]]
    tests: Table
    reasons: Sequence[str]
    picture: bytes | None


@dataclass(frozen=True)
class Annex:
    """A part behind the signature that has a number of its own. wide: its pages lie across."""

    name: str
    title: str
    tables: Sequence[Table] = ()
    dossiers: Sequence[Dossier] = ()
    wide: bool = False


@dataclass(frozen=True)
class Paper:
    """An official paper. kind: its name in capitals; a letter has none, but an `addressee`. basis: under which facts it was made.

    code: what follows the number, such as BC-SKHCN. body: paragraphs, a number or letter in front where they have one.
    """

    letterhead: Letterhead
    kind: str
    code: str
    subject: str
    addressee: str
    body: Sequence[str]
    table: Table
    closing: Sequence[str]
    recipients: Sequence[str]
    notice: str
    basis: str
    annexes: Sequence[Annex] = ()
