"""Questions of several steps to an engine, put into its words once in a process.

To build such a question and to put it into SQL takes half a second, however little there is to answer it from.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import ExitStack
from functools import lru_cache

import ibis
import pandas as pd
from ibis.backends.sql import SQLBackend as Backend
from ibis.expr.schema import Schema
from ibis.expr.types import Table as Expression

from coverage import engine

# Yields each expression that the engine is to work out first, and is given it back as a table; returns the answer.
Steps = Generator[Expression, Expression, Expression]
_Worded = tuple[str, Schema, str]  # the name of a step's table, its columns, and its SQL


def answer(steps: Callable[..., Steps], tables: Sequence[Expression], *settings: Hashable) -> pd.DataFrame:
    """What `steps(*tables, *settings)` returns, from the engine that holds the tables.

    The steps see tables without rows, and only once for each set of columns and settings: what they build must hang
    on nothing else.
    """
    backend = tables[0].get_backend()
    schemas = tuple(table.schema() for table in tables)
    names, worded = _words(steps, backend.__class__, schemas, settings)
    with ExitStack() as held:
        for name, table in zip(names, tables, strict=True):
            backend.create_view(name, table, overwrite=True)
            held.callback(backend.drop_view, name)
        *before, (_, schema, last) = worded
        for name, columns, sql in before:
            engine.keep(backend, name, columns, sql)
            held.callback(engine.let_go, backend, name)
        found: pd.DataFrame = engine.fetch(backend, schema, last).to_pandas()
    return found


@lru_cache(maxsize=64)
def _words(
    steps: Callable[..., Steps], kind: type[Backend], schemas: Sequence[Schema], settings: Sequence[Hashable]
) -> tuple[list[str], list[_Worded]]:
    """The names under which the steps find their tables, and the steps in the words of that kind of engine."""
    names = [f"{steps.__name__}_of_{number}" for number in range(len(schemas))]
    given = [ibis.table(schema, name=name) for name, schema in zip(names, schemas, strict=True)]
    asked, worded, kept = steps(*given, *settings), list[_Worded](), None
    to_sql = kind().compile
    while True:
        try:
            expression = next(asked) if kept is None else asked.send(kept)
        except StopIteration as end:
            return names, [*worded, ("", end.value.schema(), to_sql(end.value))]
        name, schema = f"{steps.__name__}_{len(worded)}", expression.schema()
        worded.append((name, schema, to_sql(expression)))
        kept = ibis.table(schema, name=name)
