"""G-NetTrack's KML → the columns of its text log, one row per Placemark with a point.

What a point says stands in ExtendedData (TIME, RSRP, RSRQ, SNR, eNB, CELLID…) or in the description, a line
or table row for each name and value. Names are those of the text log and what the app calls them in its KML.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError, iterparse

from coverage.errors import FileRefused
from coverage.logs.documents.rows import Row, cell
from coverage.names import fold

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MIB = 1024 * 1024
MAX_KML_BYTES = 256 * MIB
MAX_DEPTH = 100
MAX_DESCRIPTION_CHARS = 20_000
# Column of the text log → what it may be called in a KML, folded.
_NAMES = {
    "Timestamp": ("timestamp", "time", "when", "date"),
    "Operatorname": ("operatorname",),
    "Operator": ("operator", "plmn", "mccmnc"),
    "NetworkTech": ("networktech", "networktechnology", "technology", "tech"),
    "Level": ("level", "levelrxlev", "rxlev", "rsrp", "ssrsrp", "rscp"),
    "Qual": ("qual", "rsrq"),
    "SNR": ("snr", "sinr"),
    "Node": ("node", "enb", "gnb"),
    "CellID": ("cellid", "cid"),
    "LAC": ("lac", "tac"),
    "Speed": ("speed",),
    "Accuracy": ("accuracy",),
    "DL_bitrate": ("dlbitrate",),
    "UL_bitrate": ("ulbitrate",),
}
COLUMNS = ("Longitude", "Latitude", *_NAMES)
_LEVEL = COLUMNS.index("Level")
_BETWEEN_CELLS = re.compile(r"</t[dh]>\s*<t[dh]\b[^<>]*>", re.IGNORECASE)
_NEW_LINE = re.compile(r"<(?:br|/tr|/p|/div|/li)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_UNIT = re.compile(r"(?<=\d)\s*(?:dBm|dB|km/h|kbps|kbit/s|m)$", re.IGNORECASE)


@dataclass
class _Mark:
    """What one Placemark has said so far."""

    coordinates: str | None = None
    value: str = ""
    said: dict[str, str] = field(default_factory=dict)


def table(data: bytes, file: str) -> Iterator[Row]:
    """The document as a table; the place of a row is the number of its Placemark.

    Lines, areas and Placemarks without a geometry are no reading unless they say a level. Raises
    `FileRefused` for XML that is damaged or holds entities, and for a KML in which no point has a level.
    """
    rows = list(_rows(data, file))
    if not any(cells[_LEVEL] for _, cells in rows):
        raise FileRefused(
            f"{file}: tệp KML không có mức thu (Level) ở điểm nào. Hãy gửi tệp *_log.txt của cùng lần đo.",
            f"{file}: no point of the KML has a level. Send the *_log.txt of the same session.",
        )
    yield 0, COLUMNS
    yield from rows


def _rows(data: bytes, file: str) -> Iterator[Row]:
    if len(data) > MAX_KML_BYTES:
        raise FileRefused(
            f"{file}: tệp KML lớn hơn {MAX_KML_BYTES // MIB} MiB. Hãy gửi tệp *_log.txt của cùng lần đo.",
            f"{file}: the KML is larger than {MAX_KML_BYTES // MIB} MiB. Send the *_log.txt of the same session.",
        )
    try:
        for place, mark in enumerate(_marks(data), 1):
            cells = _cells(mark)
            if mark.coordinates is not None or cells[_LEVEL]:
                yield place, cells
    except (ParseError, DefusedXmlException, ValueError, LookupError) as fault:
        raise FileRefused(
            f"{file}: tệp KML hỏng hoặc bị cắt giữa chừng ({fault}). Hãy xuất lại, hoặc gửi tệp *_log.txt.",
            f"{file}: the KML is damaged or was cut off ({fault}). Export it again, or send the *_log.txt.",
        ) from fault


def _marks(data: bytes) -> Iterator[_Mark]:
    """The Placemarks one by one; what has been read is let go, so that the tree never grows."""
    # The text is UTF-8 by now, whatever its declaration says.
    parser = DefusedXMLParser(encoding="utf-8", forbid_dtd=True)
    open_: list[Element] = []
    mark = _Mark()
    for event, element in iterparse(io.BytesIO(data.lstrip()), ("start", "end"), parser):
        name = _local(element)
        if event == "start":
            mark = _Mark() if name == "Placemark" else mark
            open_.append(element)
            if len(open_) > MAX_DEPTH:
                raise ValueError(f"> {MAX_DEPTH} levels")
            continue
        open_.pop()
        if name == "Placemark":
            yield mark
        elif open_:
            _hear(mark, name, _local(open_[-1]), element)
        if open_:
            open_[-1].remove(element)


def _local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _hear(mark: _Mark, name: str, parent: str, element: Element) -> None:
    """Adds what an element inside a Placemark says; what was said first stands."""
    text = element.text or ""
    if name == "coordinates" and parent == "Point":
        mark.coordinates = text
    elif name == "value":
        mark.value = text
    elif name in {"Data", "SimpleData"}:
        mark.said.setdefault(fold(element.get("name", "")), mark.value or text)
        mark.value = ""
    elif name == "when":
        mark.said.setdefault("when", text)
    elif name == "description":
        for key, value in _described(text[:MAX_DESCRIPTION_CHARS]):
            mark.said.setdefault(key, value)


def _described(text: str) -> Iterator[tuple[str, str]]:
    """Folded name and value of each line of a description, plain or HTML."""
    plain = _TAG.sub("", _NEW_LINE.sub("\n", _BETWEEN_CELLS.sub(":", text)))
    for line in html.unescape(plain).splitlines():
        name, *value = re.split("[:=]", line, maxsplit=1)
        if value and fold(name):
            yield fold(name), value[0]


def _cells(mark: _Mark) -> tuple[str, ...]:
    lon, lat, *_ = [*(mark.coordinates or "").strip().split(","), "", ""]
    said = (next((mark.said[key] for key in keys if key in mark.said), "") for keys in _NAMES.values())
    return (cell(lon), cell(lat), *(_UNIT.sub("", cell(text)) for text in said))
