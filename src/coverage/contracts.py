"""What a table's contract is, and how a table is checked against it: `tables` holds the contracts themselves."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from coverage.errors import ContractBroken


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, meaning with unit, and what values it may hold."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.columns]


def schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table, in column order."""
    return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in table.columns])


def check(table: Table, data: pa.Table) -> pa.Table:
    """The same data in the contract's column order and types; raises `ContractBroken` on any breach."""
    missing = [name for name in table.names if name not in data.column_names]
    if missing:
        raise _broken(table, missing[0], "thiếu cột", "column is missing")
    ordered = data.select(table.names).cast(pa.schema([pa.field(c.name, c.type) for c in table.columns]))
    for column in table.columns:
        _check_column(table, column, ordered.column(column.name))
    return ordered.cast(schema(table))


def check_frame(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame in the contract's column order; raises `ContractBroken` on any breach."""
    missing = [name for name in table.names if name not in frame]
    if missing:
        raise _broken(table, missing[0], "thiếu cột", "column is missing")
    plain = pd.DataFrame(frame[table.names])
    check(table, pa.Table.from_pandas(plain, schema=schema(table), preserve_index=False))
    return plain


def _check_column(table: Table, column: Column, values: pa.ChunkedArray) -> None:
    if not column.nullable and values.null_count:
        raise _broken(table, column.name, f"{values.null_count} ô trống", f"{values.null_count} missing")
    known = pc.is_in(values.drop_null(), pa.array(column.values)) if column.values else None
    if known is not None and pc.all(known).as_py() is False:
        raise _broken(table, column.name, "giá trị ngoài danh mục", "a value outside its list")
    if column.low is None and column.high is None:
        return
    bounds = pc.min_max(values).as_py()
    low, high = bounds["min"], bounds["max"]
    if low is not None and column.low is not None and low < column.low:
        raise _broken(table, column.name, f"{low} < {column.low}", f"{low} < {column.low}")
    if high is not None and column.high is not None and high > column.high:
        raise _broken(table, column.name, f"{high} > {column.high}", f"{high} > {column.high}")


def _broken(table: Table, column: str, vi: str, en: str) -> ContractBroken:
    return ContractBroken(
        f"Bảng {table.name}, cột {column}: {vi}.", f"Table {table.name}, column {column}: {en}."
    )
