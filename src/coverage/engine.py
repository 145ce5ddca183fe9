"""Which engine runs the table expressions: DuckDB in memory here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table as Expression

from coverage.parts import Part
from coverage.tables import MEASUREMENTS, schema

_BATCH_ROWS = 122_880  # DuckDB's own row group


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


def sorted_batches(
    parts: Sequence[Part], by: Sequence[str], scratch: Path, memory_mb: int
) -> Iterator[pa.RecordBatch]:
    """The rows of the parts that count, sorted, some hundred thousand at a time.

    Beyond `memory_mb` the sorting goes on in files in the folder `scratch`, which are gone at the end.
    """
    engine = connect()
    engine.raw_sql(f"SET memory_limit='{memory_mb}MB'")
    engine.raw_sql("SET enable_progress_bar=false")  # it would draw over ours
    engine.con.execute("SET temp_directory=?", [str(scratch)])
    rows = read_measurements(engine, parts).order_by(list(by))
    yield from engine.con.sql(engine.compile(rows)).to_arrow_reader(_BATCH_ROWS)


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
