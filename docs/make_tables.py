"""Prints docs/tables.md, the contract of each table, from `coverage.tables` and `coverage.exports.lists`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from coverage import tables
from coverage.contracts import Column, Table
from coverage.exports import lists

_HEAD = """# Tables

*Trang này ghi rõ từng bảng mà Phủ Sóng lưu hoặc xuất ra: tên cột, kiểu, giá trị cho phép và ý nghĩa.
Người viết phần mềm đọc các tệp của Phủ Sóng, hoặc người muốn kiểm tra một con số, hãy tra ở đây.
Trang được sinh ra từ mã nguồn bằng lệnh `make docs`; xin đừng sửa bằng tay.*

Made by `make docs` from `src/coverage/tables/`. The program checks measurements and outcomes against it when
a file is read, and the hex, place and village verdicts before a snapshot is kept.
A column that may be empty says so, and its meaning says what empty stands for. Units are in the names:
`_dbm`, `_db`, `_m`, `_km2`, `_mps`, `_mbps`, `_utc`; a name that ends in `_share` is a ratio from 0 to 1.
`lat`, `lon` are WGS 84 degrees. Hexes are H3 indexes: whole numbers inside, the usual text in exports.
What the words mean and how the verdicts come about: [decision-rule.md](decision-rule.md).
"""
_EXPORTS = """## What leaves the house

The properties of each file that `phusong export` writes, in this order. Coordinates are WGS 84; times are
UTC (`2026-10-31T14:05:00Z`). GeoJSON and GeoPackage write missing values as null, CSV leaves the cell empty
and adds `lat`, `lon` of the shape's middle. The top of a GeoJSON repeats `criteria`, `snapshot_id`, `as_of`.

One row of a village list is one village for one operator. From `tests` to `evidence_grade` the figures are
those of one place of the village, the one that decides: dead before undecided or unmeasured before weak
before covered; among equals the centre first, then the place with more households.
"""
_TYPES = {
    "string": "text",
    "int64": "whole number",
    "double": "number",
    "float": "number, 32 bit",
    "bool": "true or false",
    "timestamp[us]": "time",
    "date32[day]": "date",
}
# Properties that are written on export and stand in no table of the snapshot.
_STAMPS = {
    "gap_id": "village_id-operator, the same in every snapshot",
    "criteria": "name and hash of the decision rule",
    "snapshot_id": "the assessment that the row comes from",
    "as_of": "date on which the evidence was judged",
    "simulated": "true where the source of any village says that it is simulated",
}
_ROWS = {
    "gaps": "a dead village with grid power by proof; the shape is its dead area, in order of priority",
    "no_power": "a dead village that has no grid power; the shape is its dead area",
    "verify_power": "a dead village whose grid power nobody proves; the shape is its dead area",
    "need_measurement": "a village without enough evidence; the shape is the village",
    "villages": "every village for every operator; the shape is the village",
    "claimed_dead": "a dead village where its operator declares service; the shape is its dead area",
    "roads": "every road or pass for every operator; the shape is its dead stretches",
    "reliability": "every operator that declared a map, for every commune and for all together; the shape is the commune",
    "hexes": "every measured hex for every operator; the shape is its outline",
}


def page() -> str:
    """The whole page."""
    contracts = "\n".join(_contract(table) for table in tables.ALL)
    return "\n".join((_HEAD, _index(), contracts, _EXPORTS, _exports()))


def _index() -> str:
    links = [(f"[{table.name}](#{table.name})", table.row) for table in tables.ALL]
    return _grid(("table", "one row is"), links)


def _contract(table: Table) -> str:
    rows = [(f"`{column.name}`", _type(column), _allowed(column), column.meaning) for column in table.columns]
    head = f"## {table.name}\n\nOne row: {table.row}.\n\n"
    return head + _grid(("column", "type", "allowed", "meaning"), rows)


def _exports() -> str:
    kinds = _grid(("list", "one row is"), [(f"`{name}`", _ROWS[name]) for name in lists.LISTS])
    village = _properties(lists.PROPERTIES, tables.VILLAGE_VERDICTS)
    hexagon = _properties(lists.OTHER_PROPERTIES["hexes"], tables.HEX_VERDICTS)
    dead = ", ".join(f"`{name}`" for name in (*lists.DEAD_LISTS, "claimed_dead"))
    return "\n".join(
        (
            kinds,
            f"### Village lists\n\n`gap_id` stands in {dead} only.\n",
            village,
            "### Hexes\n",
            hexagon,
            "### Roads and reliability\n\nThe columns of [road_verdicts](#road_verdicts) and of "
            "[reliability](#reliability), with the stamps `criteria`, `snapshot_id`, `as_of`, `simulated`.\n",
            "### Measurements\n\nThe columns of [measurements](#measurements), as CSV or Parquet.",
            "",
        )
    )


def _properties(names: Iterable[str], table: Table) -> str:
    known = {column.name: (_allowed(column), column.meaning) for column in table.columns}
    named = {"operator_name": ("", _meaning(tables.VILLAGE_VERDICTS, "operator_name"))}
    stamped = {name: ("", meaning) for name, meaning in _STAMPS.items()}
    told = named | known | stamped
    return _grid(("property", "allowed", "meaning"), [(f"`{name}`", *told[name]) for name in names])


def _meaning(table: Table, name: str) -> str:
    return next(column.meaning for column in table.columns if column.name == name)


def _type(column: Column) -> str:
    return _TYPES[str(column.type)]


def _allowed(column: Column) -> str:
    parts = [" ".join(f"`{value}`" for value in column.values), _range(column)]
    parts.append("may be empty" if column.nullable else "")
    return "; ".join(part for part in parts if part)


def _range(column: Column) -> str:
    if column.low is not None and column.high is not None:
        return f"{column.low:g} to {column.high:g}"
    if column.low is not None:
        return f"{column.low:g} or more"
    return "" if column.high is None else f"{column.high:g} or less"


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        + "\n"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
