"""One hostile row among sound ones, in every format: what it changes, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hostile import START, ZONE, Case, Cells, Counts, Truth, Writer, silent

# The row that is spoilt stands between two sound ones, in time and in place.
AT = 2
SERVED = Truth(START + timedelta(seconds=15), 11.9408, "LTE", -91)
SILENT = replace(SERVED, technology=None, level=None)
SECONDS = (SERVED.at - ZONE - datetime(1970, 1, 1)) // timedelta(seconds=1)
SERIAL = (SERVED.at - datetime(1899, 12, 30)) / timedelta(days=1)


@dataclass(frozen=True)
class RowQuirk:
    """changes: role of a column → its text; outcome and code: what becomes of the row; holds: what is read otherwise."""

    name: str
    changes: Mapping[str, str]
    outcome: str = "accepted"
    code: str | None = None
    holds: Mapping[str, Any] = field(default_factory=dict)
    fix: str | None = None
    row: Truth = SERVED
    only_tables: bool = False


def _rejected(name: str, code: str, **changes: str) -> RowQuirk:
    return RowQuirk(name, changes, "rejected", code)


def _set_aside(name: str, code: str, **changes: str) -> RowQuirk:
    return RowQuirk(name, changes, "quarantined", code)


UNKNOWN = {"rsrp_dbm": None}
QUIRKS: tuple[RowQuirk, ...] = (
    _rejected("lat-91", "coordinate_out_of_range", lat="91"),
    _rejected("lon-181", "coordinate_out_of_range", lon="-181"),
    _rejected("lat-huge", "coordinate_out_of_range", lat="1e40"),
    _rejected("lat-empty", "bad_coordinate", lat=""),
    _rejected("lat-word", "bad_coordinate", lat="north"),
    _rejected("lon-nan", "bad_coordinate", lon="NaN"),
    _rejected("lat-formula", "bad_coordinate", lat="=1+1"),
    _rejected("lat-degrees", "bad_coordinate", lat="11°56'24N"),
    _rejected("lat-long-digits", "bad_coordinate", lat="1" * 400),
    _set_aside("null-island", "null_island", lat="0", lon="0.000000"),
    _set_aside("swapped", "swapped_coordinates", lat=str(SERVED.lon), lon=str(SERVED.lat)),
    _set_aside("accuracy-2000", "poor_accuracy", accuracy="2000"),
    _set_aside("accuracy-word", "poor_accuracy", accuracy="far"),
    RowQuirk("accuracy-empty", {"accuracy": ""}),
    RowQuirk("accuracy-50", {"accuracy": "50"}),
    _rejected("time-word", "bad_time", time="yesterday"),
    _rejected("time-empty", "bad_time", time=""),
    _rejected("time-1970", "bad_time", time="1970-01-01T00:00:00"),
    _rejected("time-no-such-day", "bad_time", time="2026-02-30T08:00:00"),
    _rejected("time-hour-25", "bad_time", time="2026-10-30T25:00:00"),
    _rejected("time-formula", "bad_time", time="=cmd|' /C calc'!A0"),
    _rejected("clock-25", "bad_time", clock="25:00:00"),
    _set_aside("time-2999", "time_in_future", time="2999-01-01T00:00:00"),
    RowQuirk("time-epoch-s", {"time": str(SECONDS)}),
    RowQuirk("time-epoch-ms", {"time": str(SECONDS * 1000)}),
    RowQuirk("time-zulu", {"time": f"{SERVED.at - ZONE:%Y-%m-%dT%H:%M:%S}Z"}),
    RowQuirk("time-zone", {"time": f"{SERVED.at + timedelta(hours=2):%Y-%m-%d %H:%M:%S} +09:00"}),
    RowQuirk("time-day-first", {"time": f"{SERVED.at:%d/%m/%Y %H:%M:%S}"}),
    RowQuirk("time-am", {"time": f"{SERVED.at:%d/%m/%Y %I:%M:%S} AM"}),
    RowQuirk("time-sa", {"time": f"{SERVED.at:%d-%m-%Y %I:%M:%S} SA"}),
    RowQuirk("time-short-year", {"time": f"{SERVED.at:%d/%m/%y %H:%M:%S}"}),
    RowQuirk("time-serial", {"time": f"{SERIAL:.9f}"}, fix="serial_date", only_tables=True),
    _rejected("level-word", "bad_level", level="weak"),
    RowQuirk("level-unit", {"level": "-91 dBm"}, fix="unit_in_cell", only_tables=True),
    replace(_rejected("level-other-unit", "bad_level", level="-91 mW"), only_tables=True),
    _rejected("lat-letter", "bad_coordinate", lat="11.9408N"),
    _rejected("level-formula", "bad_level", level="=-90-1"),
    _rejected("level-infinite", "bad_level", level="inf"),
    *(
        RowQuirk(f"level-{text or 'empty'}", {"level": text}, holds=UNKNOWN)
        for text in ("-200", "-999", "-140", "-44", "-24", "0", "99", "255", "2147483647", "1e9", "NaN", "--", "")
    ),
    RowQuirk("level-minus", {"level": "\u221291"}, fix="typographic_minus"),
    RowQuirk("level-apostrophe", {"level": "'-91"}, fix="apostrophe"),
    RowQuirk("level-comma", {"level": "-91,0"}, fix="decimal_comma"),
    RowQuirk("level-spaces", {"level": "  -91 ", "lat": f" {SERVED.lat}  "}),
    RowQuirk("lat-comma", {"lat": str(SERVED.lat).replace(".", ",")}, fix="decimal_comma", only_tables=True),
    RowQuirk("free-formula", {"free": "=HYPERLINK(\"http://x\",\"x\")"}),
    RowQuirk("free-quotes", {"free": 'a "b", c; d | e'}, only_tables=True),
    RowQuirk("free-emoji", {"free": "\U0001f4f6 \u202eabc"}),
    RowQuirk("silent-level-word", {"level": "không đo được"}, row=SILENT),
    RowQuirk("silent-level-real", {"level": "-91"}, row=SILENT),
    RowQuirk("silent-level-huge", {"level": "2147483647"}, row=SILENT),
    RowQuirk("silent-free-rubbish", {"free": "?!\x07"}, row=SILENT, only_tables=True),
    replace(_rejected("silent-lat-empty", "bad_coordinate", lat=""), row=SILENT),
    replace(_set_aside("silent-null-island", "null_island", lat="0", lon="0"), row=SILENT),
    replace(_rejected("silent-time-word", "bad_time", time="?"), row=SILENT),
    _rejected("technology-empty-lat", "bad_coordinate", technology="", lat="x"),
)  # fmt: skip


def row_case(writer: Writer, quirk: RowQuirk) -> Case | None:
    """The quirk in the writer's format; None where the format has no such column, or cannot tell such a row."""
    if not set(quirk.changes) <= set(writer.columns) or quirk.row.technology not in writer.technologies:
        return None
    if quirk.only_tables and not writer.table:
        return None
    cells = writer.cells(quirk.row) | {writer.columns[role]: text for role, text in quirk.changes.items()}
    expect = with_row(writer, quirk.row, quirk.outcome, quirk.code, _holds(writer, quirk))
    if quirk.fix is not None and quirk.fix not in _everywhere(writer):
        expect = replace(expect, fixes={quirk.fix: 1})
    return Case(f"{writer.name}/{quirk.name}", writer.file, _text(writer, cells).encode(), expect)


def _everywhere(writer: Writer) -> set[str]:
    # What the writer's own sound rows need, so that one row more is not told apart.
    return {"decimal_comma"} if writer.name == "canonical_vi" else set()


def _holds(writer: Writer, quirk: RowQuirk) -> dict[str, Any]:
    held = dict(quirk.holds)
    if quirk.holds == UNKNOWN:
        said = quirk.changes["level"] not in {"", "--", "NaN"}
        # Unknown is never "no service": the technology beside a filled cell tells that the phone was served.
        held["service_state"] = "in_service" if said or writer.camped or writer.states else "unknown"
    return held


def with_row(writer: Writer, row: Truth, outcome: str, code: str | None, holds: Mapping[str, Any]) -> Counts:
    """The writer's sound rows, and one more that ends so."""
    truth = list(writer.truth().values())
    more = writer.held(row) | dict(holds)
    quiet = silent({0: more}) + silent(dict(enumerate(truth)))
    lines = {writer.first_line + i + (i >= AT): held for i, held in enumerate(truth)}
    counts = Counts(len(truth) + 1, len(truth), no_service=quiet, held=lines)
    if outcome == "accepted":
        return replace(counts, accepted=counts.accepted + 1, held=lines | {writer.first_line + AT: more})
    return replace(counts, codes={code or "": 1}, **{outcome: 1})


def _text(writer: Writer, cells: Cells) -> str:
    rows = [writer.cells(row) for row in writer.rows()]
    return writer.text([*rows[:AT], cells, *rows[AT:]])


def beside_case(writer: Writer, code: str) -> Case:
    """A row that is no reading of the serving cell: whatever else it holds, it is set aside for what it is."""
    cells = writer.cells(SERVED) | dict(writer.beside[code]) | {writer.columns["lat"]: "0"}
    expect = with_row(writer, SERVED, "rejected", code, {})
    return Case(f"{writer.name}/{code}", writer.file, _text(writer, cells).encode(), expect)


@dataclass(frozen=True)
class LineQuirk:
    """A whole line that is no row: made of a sound line; what becomes of it."""

    name: str
    line: Callable[[str, Writer], str]
    code: str


def _header(_line: str, writer: Writer) -> str:
    return writer.delimiter.join(writer.cells(SERVED))


LINES: tuple[LineQuirk, ...] = (
    LineQuirk("blank-line", lambda _line, _writer: "", "wrong_field_count"),
    LineQuirk("comment-line", lambda _line, _writer: "# đổi máy", "wrong_field_count"),
    LineQuirk("header-again", _header, "header_again"),
    LineQuirk("too-few-cells", lambda line, writer: line.rsplit(writer.delimiter, 2)[0], "wrong_field_count"),
    LineQuirk("too-many-cells", lambda line, writer: line + writer.delimiter.join(["", "x", "y"]), "wrong_field_count"),
    LineQuirk("two-rows-in-one", lambda line, _writer: line + line, "wrong_field_count"),
    LineQuirk("open-quote", lambda line, writer: line.replace(writer.delimiter, writer.delimiter + '"', 1), "bad_quotes"),
    LineQuirk("stray-close", lambda line, writer: f'"{line.replace(writer.delimiter, chr(34) + "z" + writer.delimiter, 1)}', "bad_quotes"),
    LineQuirk("zero-bytes", lambda line, _writer: "\0" * len(line), "wrong_field_count"),
    LineQuirk("two-megabytes", lambda _line, _writer: "9" * 2_000_000, "line_too_long"),
    LineQuirk("two-megabytes-in-a-cell", lambda line, _writer: line + "9" * 2_000_000, "line_too_long"),
    LineQuirk("many-delimiters", lambda _line, writer: writer.delimiter * 5000, "wrong_field_count"),
    LineQuirk("escape-codes", lambda _line, _writer: "\x1b[2J\x1b[31mđỏ\x07", "wrong_field_count"),
    LineQuirk("html", lambda _line, _writer: "<html><body>502 Bad Gateway</body></html>", "wrong_field_count"),
)  # fmt: skip


def line_case(writer: Writer, quirk: LineQuirk) -> Case | None:
    """The line between two sound rows of a table."""
    if not writer.table:
        return None
    lines = writer.text([writer.cells(row) for row in writer.rows()]).split("\n")
    at = writer.first_line - 1 + AT
    bare = writer.delimiter.join(writer.cells(replace(SERVED, technology="LTE")).values())
    text = "\n".join([*lines[:at], quirk.line(bare.replace('"', ""), writer), *lines[at:]])
    # What is no row says nothing of service, whatever it was before it was spoilt.
    codes = writer.header_again if quirk.code == "header_again" else (quirk.code, 1)
    expect = replace(with_row(writer, SERVED, "rejected", None, {}), codes=dict([codes]))
    return Case(f"{writer.name}/{quirk.name}", writer.file, text.encode(), expect)
