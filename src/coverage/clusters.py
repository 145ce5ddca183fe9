"""A Spark cluster as an engine: its session, what crosses between it and this process, and its faults told to people.

Spark's own files say how the cluster is used (memory, cores, ports, keys of an object store): `spark-defaults.conf`
in the folder SPARK_CONF_DIR. Here stands only what the answers depend on.
"""

from __future__ import annotations

import socket
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pandas as pd
import pyarrow as pa
from ibis import util
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.expr.schema import Schema
from ibis.expr.types import Expr
from ibis.expr.types import Table as Expression
from ibis.formats.pandas import PandasData
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from coverage.errors import EngineUnavailable

_ANSWERS_DEPEND_ON = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, not a wrong number
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",  # our times are UTC without a zone
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_REACHED_WITHIN_S = 5.0
_FIRST_WORKER_WITHIN_S = 60.0


class _Compiler(PySparkCompiler):  # type: ignore[misc]  # Ibis has no types
    """Ibis's words for Spark SQL, where two of them would not mean what they mean to DuckDB."""

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: ANN401, N802 - Ibis's own
        """A number with a point as a double: to Spark 1.0 is a decimal of one digit, and its mean one of five."""
        found = super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        return self.cast(found, dtype) if dtype.is_floating() else found

    def visit_Median(self, _op: Any, *, arg: Any, where: Any) -> Any:  # noqa: ANN401, N802 - Ibis's own
        """The median of the rows `where`: Ibis puts the condition on the 0.5 too, which Spark refuses."""
        return self.f.percentile(arg if where is None else self.if_(where, arg, NULL), 0.5)

    def visit_BitOr(self, _op: Any, *, arg: Any, where: Any) -> Any:  # noqa: ANN401, N802 - Ibis's own
        """Spark's own aggregate, which Ibis does not know of."""
        return self.f.bit_or(arg if where is None else self.if_(where, arg, NULL))


class Cluster(Backend):  # type: ignore[misc]  # Ibis has no types
    """Ibis's Spark backend whose results cross as Arrow tables, as DuckDB's do: PySpark's own way is not for pandas 3."""

    compiler = _Compiler()

    def to_pyarrow(self, expr: Expr, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401
        """The result as an Arrow table, column or scalar."""
        self._run_pre_execute_hooks(expr)
        whole = expr.as_table()
        sql = self.compile(whole, params=params, limit=limit, **kwargs)
        return expr.__pyarrow_result__(fetch(self, whole.schema(), sql))

    def execute(self, expr: Expr, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401
        """The result as a frame, series or scalar."""
        whole = expr.as_table()
        found = self.to_pyarrow(whole, params=params, limit=limit, **kwargs)
        # As Ibis does with DuckDB's tables: a missing whole number is None there, too.
        columns = {
            name: column.to_pylist() if column.null_count else column.to_pandas()
            for name, column in zip(found.column_names, found.columns, strict=True)
        }
        frame = PandasData.convert_table(pd.DataFrame(columns), whole.schema())
        return expr.__pandas_result__(frame)

    def _create_cached_table(self, name: str, expr: Expression) -> Expression:
        return keep(self, name, self.compile(expr))

    def _drop_cached_table(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        del self._cached_dataframes[name]  # Spark lets go of the rows when nothing asks for them any more


def connect(url: str) -> Cluster:
    """An engine on the cluster whose master is at `url`, with tables of its own; one application for all of a process.

    Raises `EngineUnavailable`.
    """
    Cluster.register_options()  # Ibis does it where it finds the backend by its name
    engine = Cluster()
    with faults_told():
        engine.do_connect(session(url).newSession(), **_ANSWERS_DEPEND_ON)
    return engine


def session(url: str) -> SparkSession:
    """The session of this process on that cluster, once a worker is there. Raises `EngineUnavailable`."""
    running = SparkSession.getActiveSession()
    if running is not None and running.sparkContext.master == url:
        return running
    _require_reachable(url)
    with faults_told():
        builder = SparkSession.builder.master(url).appName("phusong")
        started = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
        _await_worker(started, url)
    return started


def _require_reachable(url: str) -> None:
    # Spark itself tries for a minute and then ends with a page of Java.
    for address in url.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), _REACHED_WITHIN_S):
            return
    raise EngineUnavailable(
        f"Không nối được tới cụm Spark {url} (PHUSONG_ENGINE): máy chủ điều phối có đang chạy không?",
        f"The Spark cluster {url} (PHUSONG_ENGINE) cannot be reached: is its master running?",
    )


def _await_worker(started: SparkSession, url: str) -> None:
    until = time.monotonic() + _FIRST_WORKER_WITHIN_S
    status = started.sparkContext._jsc.sc().statusTracker()
    while len(status.getExecutorInfos()) < 2:  # the driver is one of them
        if time.monotonic() > until:
            started.stop()
            raise EngineUnavailable(
                f"Cụm Spark {url} không có máy nào rảnh: xem trang web của máy chủ điều phối.",
                f"The Spark cluster {url} has no free worker: see the web page of its master.",
            )
        time.sleep(0.1)


@contextmanager
def faults_told() -> Iterator[None]:
    """What Spark raises inside comes out as `EngineUnavailable`."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            yield
    except (PySparkException, Py4JError) as fault:
        first = str(fault).strip().partition("\n")[0]
        if "JAVA_GATEWAY_EXITED" in first:
            raise EngineUnavailable(
                "Không khởi động được Java, mà Spark cần Java 17 trở lên: apt-get install openjdk-17-jre-headless.",
                "Java does not start, and Spark needs Java 17 or newer: apt-get install openjdk-17-jre-headless.",
            ) from fault
        raise EngineUnavailable(
            f"Cụm Spark báo lỗi: {first}", f"The Spark cluster failed: {first}"
        ) from fault


def read(engine: Cluster, paths: Sequence[str], of: pa.Schema) -> Expression:
    """The rows of those Parquet files of that schema, which every worker opens by the same path."""
    columns = PySparkSchema.from_ibis(Schema.from_pyarrow(of))
    with faults_told():
        rows = engine._session.read.schema(columns).parquet(*paths)
    return _named(engine, util.gen_name("measurements"), rows)


def fetch(engine: Cluster, columns: Schema, sql: str) -> pa.Table:
    """The answer to `sql`, in those columns."""
    with faults_told():
        return engine.raw_sql(sql).toArrow().cast(columns.to_pyarrow())


def keep(engine: Cluster, name: str, sql: str) -> Expression:
    """The answer to `sql` as a table of the cluster's, for this engine only."""
    # At once, as DuckDB does, and without the long way it came by, which every later question would drag along.
    # Kept on the workers alone it is lost with one of them; in Spark's checkpoint folder it is not.
    with faults_told():
        rows = engine.raw_sql(sql)
        safe = engine._session.sparkContext.getCheckpointDir() is not None
        engine._cached_dataframes[name] = rows.checkpoint() if safe else rows.localCheckpoint()
    return _named(engine, name, engine._cached_dataframes[name])


def load(engine: Cluster, name: str, table: pa.Table) -> Expression:
    """A small table handed to the cluster under a name, for this engine only."""
    with faults_told():
        rows = engine._session.createDataFrame(table)
    return _named(engine, name, rows)


def _named(engine: Cluster, name: str, rows: Any) -> Expression:  # noqa: ANN401 - a DataFrame of either kind
    rows.createOrReplaceTempView(name)
    return engine.table(name)
