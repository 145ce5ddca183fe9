"""Which engine runs the table expressions: DuckDB in memory here."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table as Expression

from coverage.parts import Part
from coverage.tables import MEASUREMENTS, schema


def connect() -> Backend:
    """A fresh engine that holds nothing on disk."""
    return ibis.duckdb.connect()


def read_measurements(engine: Backend, parts: Sequence[Part]) -> Expression:
    """All rows of the parts that count, in no order; an empty table of the contract where there is no part."""
    if not parts:
        return engine.create_table("measurements", schema(MEASUREMENTS).empty_table())
    whole = [str(part.path) for part in parts if not part.without]
    some = [_rows_that_count(engine, part) for part in parts if part.without]
    together = [engine.read_parquet(whole, table_name="measurements")] if whole else []
    return ibis.union(*together, *some) if len(together) + len(some) > 1 else (together + some)[0]


def _rows_that_count(engine: Backend, part: Part) -> Expression:
    rows = engine.read_parquet(str(part.path))
    return rows.filter(rows.upload_id.notin(part.without))


def load(engine: Backend, name: str, table: pa.Table) -> Expression:
    """A small table handed to the engine under a name."""
    return engine.create_table(name, table)


def load_frame(engine: Backend, name: str, frame: pd.DataFrame) -> Expression:
    """A small frame handed to the engine under a name; texts stay texts also where all are missing."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    typed = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema
    ]
    return load(engine, name, table.cast(pa.schema(typed)))
