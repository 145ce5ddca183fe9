"""Where phones were, away from where their days began and ended: near those ends is where people live and work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import BooleanValue
from ibis.expr.types import Table as Expression

from coverage.criteria import Criteria
from coverage.engine import connect, read_measurements
from coverage.observations import within_validity
from coverage.parts import Part
from coverage.settings import DUCKDB
from coverage.tables import UNKNOWN_DEVICE

END_M = 200.0  # as far as a home is told apart from its street where houses stand singly
_M_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6,371 km
_TRACE = ["upload_id", "device", "local_date"]


def devices_away_from_ends(
    parts: Sequence[Part], resolution: int, criteria: Criteria, as_of: date, end_m: float = END_M
) -> pd.DataFrame:
    """How many known devices measured in each hex for each operator elsewhere than at an end of a trace.

    Columns: hex (H3 index at that resolution), operator, devices. A trace is what one device of a crowdsourced upload
    measured on one local date, whatever the network; its ends are its first and last position and all within `end_m`
    of them. Drive tests have no ends: crews set out from an office. Hexes without any such device have no row.
    """
    rows = within_validity(read_measurements(connect(DUCKDB), parts), criteria, as_of)
    rows = rows.mutate(hex=rows[f"hex_res{resolution}"])
    ended = rows.join(_ends(rows), _TRACE, how="left")
    kept = ended.filter(_away(ended, end_m), ended.device != UNKNOWN_DEVICE)
    counted = kept.group_by(["hex", "operator"]).aggregate(devices=_.device.nunique())
    return pd.DataFrame(counted.execute())


def _ends(rows: Expression) -> Expression:
    """First and last position of every trace."""
    crowd = rows.filter(rows.source == "crowdsourced")
    return crowd.group_by(_TRACE).aggregate(
        first_lat=_.lat.argmin(_.time_utc),
        first_lon=_.lon.argmin(_.time_utc),
        last_lat=_.lat.argmax(_.time_utc),
        last_lon=_.lon.argmax(_.time_utc),
    )


def _away(rows: Expression, end_m: float) -> BooleanValue:
    return rows.first_lat.isnull() | (_far(rows, "first", end_m) & _far(rows, "last", end_m))


def _far(rows: Expression, end: str, end_m: float) -> BooleanValue:
    # Within some hundred metres the earth is flat.
    north = rows.lat - rows[f"{end}_lat"]
    east = (rows.lon - rows[f"{end}_lon"]) * (rows.lat * (np.pi / 180)).cos()
    return north * north + east * east > (end_m / _M_PER_DEGREE) ** 2
