"""Measurements → signals: what was read in each hex, by how many, and how strong it was.

It is what a reader of the map asks for beside a verdict, and decides nothing. Written as Ibis expressions without
user functions, so that any engine runs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table as Expression
from ibis.expr.types import Value

from coverage import tables
from coverage.criteria import Criteria
from coverage.observations import EVERYWHERE, Stretch, stretches, within_validity
from coverage.tables import LEVEL_COLUMNS, UNKNOWN_DEVICE

KEY = ["hex", "operator", "technology"]
# To count takes less than a quarter of the memory that to thin takes, and each stretch is one more look through all rows.
_LESS_MEMORY = 4
_STEPS = 100  # to a dB: of whole numbers every engine finds the same quantiles, to the last digit


def counted_at_once(counts: pd.DataFrame, thinned_rows: int | None) -> list[Stretch]:
    """Stretches of ground that can be counted at once, where `thinned_rows` can be thinned (None = any number).

    counts: columns hex_res8, rows.
    """
    return stretches(counts, None if thinned_rows is None else _LESS_MEMORY * thinned_rows)


def hex_signals(
    measurements: Expression, criteria: Criteria, as_of: date, ground: Iterable[Stretch]
) -> pd.DataFrame:
    """HEX_SIGNALS of the measurements within validity, sorted by `KEY`, readings that name no technology last.

    `measurements` is MEASUREMENTS; `ground` its stretches, which are looked at one after the other.
    """
    valid = within_validity(measurements, criteria, as_of)
    parts = [_signals(valid, stretch, criteria).to_pyarrow() for stretch in ground]
    return _checked(pa.concat_tables(parts).to_pandas())


def _signals(valid: Expression, stretch: Stretch, criteria: Criteria) -> Expression:
    here = valid if stretch == EVERYWHERE else valid.filter(_.hex_res8.between(*stretch))
    rows = here.select(
        *("operator", "technology", "device", "local_date", "time_utc"),
        hex=here[f"hex_res{criteria.hex_resolution}"],
        is_drive_test=here.source == "drive_test",
        level=_level(here),
    )
    found = rows.group_by(KEY).agg(
        measurements=_.count(),
        devices=_.device.nunique(where=_.device != UNKNOWN_DEVICE),
        dates=_.local_date.nunique(),
        drive_test_measurements=_.is_drive_test.sum(),
        levels=_.level.quantile([0.5, 0.1]),
        first_utc=_.time_utc.min(),
        last_utc=_.time_utc.max(),
    )
    return found.mutate(median_dbm=_.levels[0], p10_dbm=_.levels[1]).drop("levels")


def _level(rows: Expression) -> Value:
    own = ibis.cases(*((rows.technology == name, rows[column]) for name, column in LEVEL_COLUMNS.items()))
    return (own.cast("float64") * _STEPS).round().cast("int16")


def _checked(rows: pd.DataFrame) -> pd.DataFrame:
    levels = {name: (rows[name] / _STEPS).round(2) for name in ("median_dbm", "p10_dbm")}
    return tables.check_frame(tables.HEX_SIGNALS, rows.assign(**levels).sort_values(KEY, ignore_index=True))
