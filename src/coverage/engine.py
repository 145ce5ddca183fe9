"""Which engine runs the table expressions: DuckDB in this process, or an existing Spark cluster."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import duckdb
import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from ibis import util
from ibis.backends.duckdb import Backend as DuckDB
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.schema import Schema
from ibis.expr.types import CachedTable
from ibis.expr.types import Table as Expression

from coverage.errors import EngineUnavailable
from coverage.parts import Part
from coverage.settings import DUCKDB, get_settings
from coverage.tables import MEASUREMENTS, schema

_BATCH_ROWS = 122_880  # DuckDB's own row group
MEMORY_MB = 1200  # of an engine with a scratch folder; an assessment, in all, is to stay below 2 GB
# So many measurements are thinned to tests at once on one machine. They take some 200 bytes each, and the engine slows
# down well before its memory is full.
_STRETCH_ROWS = 3_500_000
_STRETCH_TESTS = 600_000  # they take some 1000 bytes each, with what is asked of them


def connect(url: str | None = None, scratch: Path | None = None, memory_mb: int = MEMORY_MB) -> Backend:
    """A fresh engine that holds nothing on disk: `duckdb`, or `spark://HOST:PORT` for the cluster of that master.

    url: None = the one that the settings name. scratch: a folder for what is more than `memory_mb`, on this machine.
    Raises `EngineUnavailable` where the cluster cannot be used.
    """
    url = url or get_settings().engine
    if url != DUCKDB:
        return on_cluster("clusters").connect(url)
    engine = ibis.duckdb.connect()
    engine.raw_sql("SET preserve_insertion_order=false")  # tables have no order, and to keep one takes memory
    if scratch is not None:
        # It would draw over ours; in a notebook it has none and may not be told so.
        with suppress(duckdb.InvalidInputException):
            engine.raw_sql("SET enable_progress_bar=false")
        engine.raw_sql(f"SET memory_limit='{memory_mb}MB'")
        engine.con.execute("SET temp_directory=?", [str(scratch)])
    return engine


def on_cluster(module: str) -> ModuleType:
    """The module of this package that needs PySpark; raises `EngineUnavailable` where that is not installed."""
    # It is half a gigabyte and starts a Java machine: nobody loads it who works on one machine.
    try:
        with warnings.catch_warnings():
            # What it warns of is its own way from and to pandas, which we do not take.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            return import_module(f"coverage.{module}")
    except ImportError as fault:
        if (fault.name or "").partition(".")[0] not in {"pyspark", "py4j"}:
            raise
        raise EngineUnavailable(
            "PHUSONG_ENGINE chỉ tới một cụm Spark mà PySpark chưa được cài: pip install 'phusong[spark]'.",
            "PHUSONG_ENGINE names a Spark cluster, and PySpark is not installed: pip install 'phusong[spark]'.",
        ) from fault


def read_measurements(engine: Backend, parts: Sequence[Part]) -> Expression:
    """All rows of the parts that count, in no order; an empty table of the contract where there is no part.

    On a cluster every worker opens the parts by the same paths.
    """
    if not parts:
        return load(engine, util.gen_name("nothing"), schema(MEASUREMENTS).empty_table())
    whole = [str(part.path) for part in parts if not part.without]
    some = [_rows_that_count(engine, part) for part in parts if part.without]
    together = [_read(engine, whole)] if whole else []
    return ibis.union(*together, *some) if len(together) + len(some) > 1 else (together + some)[0]


def _rows_that_count(engine: Backend, part: Part) -> Expression:
    rows = _read(engine, [str(part.path)])
    return rows.filter(rows.upload_id.notin(part.without))


def _read(engine: Backend, paths: Sequence[str]) -> Expression:
    if isinstance(engine, DuckDB):
        return engine.read_parquet(paths)
    return on_cluster("clusters").read(engine, paths, schema(MEASUREMENTS))


def hexes_in(parts: Sequence[Part], resolution: int) -> npt.NDArray[np.int64]:
    """The hexes in which the rows of the parts that count lie, sorted, once each."""
    if not parts:
        return np.empty(0, np.int64)
    column = f"hex_res{resolution}"
    found = read_measurements(connect(DUCKDB), parts).select(column).distinct().execute()
    return np.sort(found[column].to_numpy(np.int64))


def sorted_batches(
    parts: Sequence[Part], by: Sequence[str], scratch: Path, memory_mb: int
) -> Iterator[pa.RecordBatch]:
    """The rows of the parts that count, sorted, some hundred thousand at a time.

    Beyond `memory_mb` the sorting goes on in files in the folder `scratch`, which are gone at the end.
    """
    # One part is written by one process, whichever engine judges.
    engine = connect(DUCKDB, scratch, memory_mb)
    rows = read_measurements(engine, parts).order_by(list(by))
    yield from engine.con.sql(engine.compile(rows)).to_arrow_reader(_BATCH_ROWS)


def rows_at_once(engine: Backend) -> int | None:
    """How many measurements one question to the engine may be about; None = a cluster shares them out itself."""
    return _STRETCH_ROWS if isinstance(engine, DuckDB) else None


def tests_at_once(engine: Backend) -> int | None:
    """How many tests one question to the engine may be about; None = as `rows_at_once`."""
    return _STRETCH_TESTS if isinstance(engine, DuckDB) else None


def cached(table: Expression) -> CachedTable | None:
    """The rows of the table, kept in the engine until they are released; None where they do not fit in its memory."""
    try:
        return table.cache()
    except duckdb.OutOfMemoryException:
        return None


def together(engine: Backend, tables: Iterator[CachedTable], scratch: Path) -> Expression:
    """One table of the rows of all tables, of which there is one at least; each is let go before the next is asked for.

    Where there are several, the rows are in files in the folder `scratch`.
    """
    first = next(tables)
    files: list[Path] = []
    for more in tables:
        if not files:
            files.append(_put(engine, first, scratch / "0.parquet"))
        files.append(_put(engine, more, scratch / f"{len(files)}.parquet"))
    return engine.read_parquet(files) if files else first


def put_aside(engine: Backend, rows: Expression, path: Path) -> Expression:
    """The same rows, found once: on one machine in the file at `path`, on a cluster kept by its workers."""
    if not isinstance(engine, DuckDB):
        return rows.cache()
    engine.to_parquet(rows, path, compression="lz4")
    return engine.read_parquet([path])


def _put(engine: Backend, table: CachedTable, path: Path) -> Path:
    engine.to_parquet(table, path, compression="lz4")
    table.release()
    return path


def keep(engine: Backend, name: str, columns: Schema, sql: str) -> None:
    """Let the engine work out what `sql` asks, and keep it as the table of that name and those columns."""
    if isinstance(engine, DuckDB):
        # A sum of whole numbers is wider there than the number it is to be.
        engine.raw_sql(f'CREATE TEMP TABLE "{name}" ({_typed(columns)})')
        engine.raw_sql(f'INSERT INTO "{name}" {sql}')
    else:
        on_cluster("clusters").keep(engine, name, sql)


@lru_cache(maxsize=256)
def _typed(columns: Schema) -> str:
    to_string = DuckDB.compiler.type_mapper.to_string
    return ", ".join(f'"{column}" {to_string(kind)}' for column, kind in columns.items())


def let_go(engine: Backend, name: str) -> None:
    """Forget what was kept under that name."""
    if isinstance(engine, DuckDB):
        engine.raw_sql(f'DROP TABLE "{name}"')
    else:
        engine._drop_cached_table(name)


def fetch(engine: Backend, columns: Schema, sql: str) -> pa.Table:
    """The answer to `sql`, in those columns."""
    if isinstance(engine, DuckDB):
        return engine.con.sql(sql).to_arrow_table().cast(columns.to_pyarrow())
    return on_cluster("clusters").fetch(engine, columns, sql)


def load(engine: Backend, name: str, table: pa.Table) -> Expression:
    """A small table handed to the engine under a name."""
    if isinstance(engine, DuckDB):
        return engine.create_table(name, table)
    return on_cluster("clusters").load(engine, name, table)


def load_frame(engine: Backend, name: str, frame: pd.DataFrame) -> Expression:
    """A small frame handed to the engine under a name; texts stay texts also where all are missing."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    typed = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema
    ]
    return load(engine, name, table.cast(pa.schema(typed)))
