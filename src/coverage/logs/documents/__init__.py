"""A structured file (JSON, XML, tagged lines) → the plain table that its app would have written.

One module per kind, each with `table(data, file)`: the bytes are UTF-8 text without BOM. What the columns mean
to us stands in `formats`, as for any other table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from coverage.errors import FileRefused
from coverage.logs.documents import fcc_speed_test, geosubmit, gnettrack_kml, nemo, tems_text
from coverage.logs.documents.rows import Row

HEAD_BYTES = 64 * 1024

# Kind → the function that makes its table.
TABLES: Mapping[str, Callable[[bytes, str], Iterator[Row]]] = {
    "geosubmit": geosubmit.table,
    "fcc_speed_test": fcc_speed_test.table,
    "gnettrack_kml": gnettrack_kml.table,
    "nemo": nemo.table,
    "tems_text": tems_text.table,
}
__all__ = ["HEAD_BYTES", "MAX_BYTES", "PLACE", "TABLES", "Row", "blocks", "recognise"]
# The name of the column that says where in the document each row of its table stands.
PLACE = "place in the document"
MAX_BYTES = 256 * 1024 * 1024  # the document is held in memory whole
BLOCK_ROWS = 50_000

_FCC = re.compile(rb'"(?:submissions|submission_type|test_id)"\s*:')
_GEOSUBMIT = re.compile(rb'"(?:cellTowers|wifiAccessPoints|bluetoothBeacons)"\s*:')
_KML = re.compile(rb"<(?:\w{1,20}:)?kml[\s>]")
_NEMO = re.compile(rb"^(?:#PRODUCT|#START|CELLMEAS),", re.MULTILINE)


def recognise(head: bytes) -> str | None:
    """The kind of a document by the first `HEAD_BYTES` of its text: a key of `TABLES`, or None."""
    head = head[:HEAD_BYTES]
    first = head.lstrip()[:1]
    if first in {b"{", b"["}:
        return _json_kind(head)
    if first == b"<":
        return "gnettrack_kml" if _KML.search(head) else None
    if _NEMO.search(head):
        return "nemo"
    lines = head.split(b"\n", tems_text.MAX_LINES_ABOVE)[: tems_text.MAX_LINES_ABOVE]
    tems = any(tems_text.is_header(line.decode("utf-8", "replace")) for line in lines if b"\t" in line)
    return "tems_text" if tems else None


def _json_kind(head: bytes) -> str | None:
    if _GEOSUBMIT.search(head):
        return "geosubmit"
    return "fcc_speed_test" if _FCC.search(head) else None


def blocks(kind: str, data: bytes, file: str) -> Iterator[bytes]:
    """The table of a document as TAB text, some rows at a time, each led by its place. Raises `FileRefused`."""
    if len(data) > MAX_BYTES:
        raise FileRefused(
            f"{file}: lớn hơn {MAX_BYTES // 2**20} MB: hãy chia nhỏ rồi gửi lại.",
            f"{file}: larger than {MAX_BYTES // 2**20} MB: split it and send the parts.",
        )
    rows = TABLES[kind](data, file)
    _, names = next(rows)
    yield _text([(PLACE, *names)])
    while some := list(islice(rows, BLOCK_ROWS)):
        yield _text((str(place), *cells) for place, cells in some)


def _text(rows: Iterable[tuple[str, ...]]) -> bytes:
    # A quotation mark would have to be quoted, and says nothing in a name or a number.
    return "".join("\t".join(row) + "\n" for row in rows).replace('"', "'").encode("utf-8", "replace")
