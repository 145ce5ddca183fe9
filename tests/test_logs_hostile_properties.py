"""Whatever stands in a cell or a file: the parsers never fall over, and what was written in any way comes back."""

from __future__ import annotations

import datetime
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hostile import ZONE, quoted
from hostile_packed import FEW, SHEET, TEXT, workbook, zipped
from hostile_text import windows_1258
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coverage.errors import FileRefused
from coverage.logs import (
    Context,
    Reading,
    filename,
    operators,
    quantities,
    read_file,
    service_words,
    times,
    values,
)
from coverage.logs.cells import Cells

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LONG = settings(QUICK, max_examples=400)
SOAK = pytest.mark.soak

# Pieces of which cells are made that nearly mean something.
PIECES = ["2026", "-10", "-30", "/", ".", ":", "T", " ", "08", "00", "99", "60", "Z", "+07:00", "CH", "PM", "1793322055", "46325.33",
          "e9", "inf", "nan", "0x1F", "\u2212", "'", ",", "٣", "\u00a0", "\0", "\ud7ff", "\U0001f4f6", "NO_COVERAGE", "--", "4G"]  # fmt: skip
CELL = st.text(max_size=12) | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
CELLS = st.lists(CELL, min_size=1, max_size=12)


def column(texts: list[str]) -> Cells:
    # A cell is trimmed, and has no line breaks, by the time it is read.
    clean = [" ".join(text.encode("utf-8", "replace").decode().splitlines()).strip() for text in texts]
    return Cells("x", pa.array(clean, pa.string()), np.arange(len(clean), dtype=np.int32))


def parse(texts: list[str], day_first: bool | None) -> None:
    cells = column(texts)
    moments = times.read(cells, HANOI, HANOI, day_first)
    known = ~np.isnat(moments.utc)
    assert (moments.wrong | moments.ambiguous | known).all()
    assert (moments.utc[known] >= np.datetime64("1999-12-31")).all()
    assert not (known & moments.ambiguous).any()
    times.orders_seen(cells.texts)
    numbers = values.numbers(cells)
    assert np.isfinite(numbers.values[~np.isnan(numbers.values)]).all()
    assert np.isnan(numbers.values[numbers.wrong | values.missing(cells)]).all()
    assert (numbers.wrong | values.missing(cells) | ~np.isnan(numbers.values)).all()
    values.containing(cells, ",")
    values.truths(cells)
    service_words.without_service(cells)
    for text in texts:
        assert quantities.technology(text) in {None, "GSM", "UMTS", "LTE", "NR"}
        quantities.technologies(text)
        operators.resolve(text, {"45204": "Viettel"})
        filename.read(text)


@settings(QUICK, max_examples=150)
@given(texts=CELLS, day_first=st.sampled_from([True, False, None]))
def test_any_cells(texts, day_first):
    parse(texts, day_first)


@SOAK
@settings(LONG, max_examples=5000)
@given(texts=CELLS, day_first=st.sampled_from([True, False, None]))
def test_any_cells_for_long(texts, day_first):
    parse(texts, day_first)


BASES = [TEXT, gzip.compress(TEXT, mtime=0), zipped({"a.csv": TEXT, "b.csv": TEXT[:200]}), workbook({"A": SHEET, "B": FEW}),
         b"PK\x03\x04", b"\x1f\x8b\x08\0", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff", b'{"cellTowers":', b"<kml>", b"# x\n", b"sep=;\n"]  # fmt: skip
DAMAGE = st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=6)), max_size=4)


def damaged(base: bytes, damage: list[tuple[int, bytes]], tail: bytes, cut: int) -> bytes:
    data = bytearray(base)
    for place, new in damage:
        data[place : place + len(new)] = new
    return bytes(data[: len(data) - cut % (len(data) + 1)] + tail)


def account(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = list(read_file(path, Context(), device_key=b"k", operator_names={}, now=NOW))
    except FileRefused as refusal:
        assert path.name in refusal.vi
        assert path.name in refusal.en
        return
    for one in found:
        if isinstance(one, Reading):
            assert one.rows == one.accepted + one.duplicates + one.rejected + one.quarantined
            assert one.measurements.num_rows == one.accepted


files = given(
    base=st.sampled_from(BASES), damage=DAMAGE, tail=st.binary(max_size=40), cut=st.just(0) | st.integers(0, 2000)
)  # fmt: skip


@QUICK
@files
def test_any_damage(tmp_path, base, damage, tail, cut):
    account(tmp_path / "x.csv", damaged(base, damage, tail, cut))


@SOAK
@LONG
@files
def test_any_damage_for_long(tmp_path, base, damage, tail, cut):
    account(tmp_path / "x.csv", damaged(base, damage, tail, cut))


MOMENTS = st.datetimes(datetime.datetime(2002, 1, 1), datetime.datetime(2026, 10, 31)).map(
    lambda at: at.replace(microsecond=0)
)
LEVELS = {"LTE": (-139, -45), "NR": (-156, -31), "UMTS": (-120, -25), "GSM": (-113, -51)}
COLUMN = {"LTE": "rsrp_dbm", "NR": "ss_rsrp_dbm", "UMTS": "rscp_dbm", "GSM": "rxlev_dbm"}
PLACES = [
    "",
    "trạm Đạ Nhim 2",
    "nhà văn hoá thôn Đưng K'Nớ",
    "7000-21-11",
    "dốc “Bà Tám”; km 3,5 | rẽ",
    "ô \t số 5".replace("\t", " "),
]
STYLES: dict[str, Callable[[datetime.datetime], str]] = {
    "iso": lambda at: at.isoformat(),
    "space": lambda at: at.isoformat(" "),
    "zulu": lambda at: (at - ZONE).isoformat() + "Z",
    "zoned": lambda at: at.isoformat() + "+0700",
    "gnettrack": lambda at: at.strftime("%Y.%m.%d_%H.%M.%S"),
    "slashes": lambda at: at.strftime("%d/%m/%Y %H:%M:%S"),
    "dots": lambda at: f"{at.day}.{at.month}.{at.year} {at:%H:%M:%S}",
    "half-days": lambda at: at.strftime("%d-%m-%Y %I:%M:%S %p"),
    "sáng-chiều": lambda at: at.strftime("%d/%m/%Y %I:%M:%S ") + ("SA" if at.hour < 12 else "CH"),
    "seconds": lambda at: str((at - ZONE - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)),
    "serial": lambda at: f"{(at - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1):.8f}",
}  # fmt: skip
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8-sig": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "windows-1258": windows_1258,
}


@st.composite
def readings(draw) -> dict[str, Any]:
    """What a row says; technology None = no service."""
    technology = draw(st.sampled_from([*LEVELS, None]))
    return {
        "at": draw(MOMENTS),
        "lat": draw(st.integers(-9_000_000, 9_000_000)) / 100_000,
        "lon": draw(st.integers(-18_000_000, 18_000_000)) / 100_000,
        "operator": draw(st.sampled_from(["45201", "45204", "Mạng thử"])),
        "technology": technology,
        "level": None if technology is None else draw(st.integers(*(10 * end for end in LEVELS[technology]))) / 10,
        "cell": draw(st.sampled_from(PLACES)),
    }  # fmt: skip


ROWS = st.lists(
    readings().filter(lambda one: (one["lat"], one["lon"]) != (0, 0)), min_size=1, max_size=9, unique_by=lambda one: one["at"]
)  # fmt: skip
WAYS = st.fixed_dictionaries(
    {
        "sign": st.sampled_from([",", ";", "\t", "|"]),
        "comma": st.booleans(),
        "style": st.sampled_from(sorted(STYLES)),
        "encoding": st.sampled_from(sorted(ENCODINGS)),
        "end": st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]),
        "minus": st.sampled_from(["-", "\u2212"]),
        "order": st.permutations(
            ["time", "lat", "lon", "operator", "technology", "level", "service_state", "cell_id"]
        ),
    }
)


def written(rows: list[dict[str, Any]], way: dict[str, Any]) -> bytes:
    def number(value: float | None) -> str:
        text = (
            ""
            if value is None
            else str(value).replace("-", "-" if way["encoding"] == "windows-1258" else way["minus"])
        )
        return text.replace(".", ",") if way["comma"] else text

    lines = [way["sign"].join(way["order"])]
    for one in rows:
        cells = {
            "time": STYLES[way["style"]](one["at"]), "lat": number(one["lat"]), "lon": number(one["lon"]), "operator": one["operator"],
            "technology": one["technology"] or "", "level": number(one["level"]), "cell_id": one["cell"],
            "service_state": "không có sóng" if one["technology"] is None else "có sóng",
        }  # fmt: skip
        lines.append(way["sign"].join(quoted(cells[name], way["sign"]) for name in way["order"]))
    return ENCODINGS[way["encoding"]](way["end"].join([*lines, ""]))


def comes_back(path: Path, rows: list[dict[str, Any]], way: dict[str, Any]) -> None:
    path.write_bytes(written(rows, way))
    context = Context(date_order="dmy")
    (found,) = read_file(path, context, device_key=b"k", operator_names={}, now=NOW)
    assert isinstance(found, Reading)
    assert (found.rows, found.accepted) == (len(rows), len(rows))
    assert found.no_service == sum(one["technology"] is None for one in rows)
    for one, kept in zip(rows, found.measurements.to_pylist(), strict=True):
        expected = {
            "time_utc": one["at"] - ZONE, "lat": one["lat"], "lon": one["lon"], "operator": one["operator"],
            "technology": one["technology"], "serving_cell": one["cell"] or None,
            "service_state": "no_service" if one["technology"] is None else "in_service",
            **dict.fromkeys(COLUMN.values()),
        }  # fmt: skip
        if one["technology"] is not None:
            expected[COLUMN[one["technology"]]] = float(np.float32(one["level"]))  # as the table keeps it
        assert {name: kept[name] for name in expected} == expected


@QUICK
@given(rows=ROWS, way=WAYS)
def test_what_was_written_comes_back(tmp_path, rows, way):
    comes_back(tmp_path / "log.csv", rows, way)


@SOAK
@LONG
@given(rows=ROWS, way=WAYS)
def test_what_was_written_comes_back_for_long(tmp_path, rows, way):
    comes_back(tmp_path / "log.csv", rows, way)
