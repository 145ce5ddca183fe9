"""Small measurement tables for tests: say what matters, the rest is ordinary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from coverage import criteria, engine, evidence, hexes, observations, people, tables, verdicts, what_if
from coverage.crosswalk import place_hexes
from coverage.places.settlements import places_of

AS_OF = date(2026, 11, 1)
LAT, LON = 11.94, 108.44
MORNING = datetime(2026, 10, 1, 8, 0)


@cache
def rules() -> criteria.Criteria:
    return criteria.parse(criteria.default_text(), "default")


def row(**given: Any) -> dict[str, Any]:
    """One LTE measurement of Viettel at -90 dBm, changed by what is given."""
    values: dict[str, Any] = dict.fromkeys(tables.MEASUREMENTS.names)
    values |= {
        "upload_id": "u1",
        "line": 2,
        "time_utc": MORNING,
        "time_precision": "second",
        "lat": LAT,
        "lon": LON,
        "operator": "45204",
        "operator_inferred": False,
        "technology": "LTE",
        "service_state": "in_service",
        "rsrp_dbm": -90.0,
        "accuracy_m": 5.0,
        "device": "phone-a",
        "calibrated": False,
        "positive_only": False,
        "source": "drive_test",
    }
    return values | given


def silent(**given: Any) -> dict[str, Any]:
    """One reading without any service."""
    return row(**({"technology": None, "rsrp_dbm": None, "service_state": "no_service"} | given))


def campaign(
    kind: Any = row, *, devices: int = 2, days: int = 2, spots: int = 3, seconds: int = 5, **given: Any
) -> list[dict[str, Any]]:
    """Readings of several phones on several days at several res-10 hexes around (LAT, LON)."""
    return [
        kind(
            **{
                "device": f"phone-{device}",
                "time_utc": MORNING + timedelta(days=day, minutes=31 * spot, seconds=second),
                "lat": LAT + 0.0015 * spot,
            }
            | given
        )
        for device in range(devices)
        for day in range(days)
        for spot in range(spots)
        for second in range(seconds)
    ]


def table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The rows as a checked MEASUREMENTS table, hexes and local dates worked out."""
    frame = pd.DataFrame(list(rows), columns=tables.MEASUREMENTS.names).astype({"lat": float, "lon": float})
    frame["local_date"] = (pd.to_datetime(frame["time_utc"]) + pd.Timedelta(hours=7)).dt.date
    cells = hexes.of_points(frame["lat"].to_numpy(), frame["lon"].to_numpy(), 10)
    frame["hex_res10"] = cells
    frame["hex_res9"], frame["hex_res8"] = hexes.parents(cells, 9), hexes.parents(cells, 8)
    data = pa.Table.from_pandas(frame, schema=tables.schema(tables.MEASUREMENTS), preserve_index=False)
    return tables.check(tables.MEASUREMENTS, data)


def observe(rows: Iterable[Mapping[str, Any]], as_of: date = AS_OF) -> pd.DataFrame:
    """The observations of those rows."""
    loaded = engine.load(engine.connect(), "measurements", table(rows))
    found = observations.observe(loaded, rules(), as_of).to_pyarrow()
    frame: pd.DataFrame = tables.check(tables.OBSERVATIONS, found).to_pandas()
    return frame.sort_values(["operator", "device", "hex_res10", "half_hour"], ignore_index=True)


def judge_together(rows: Iterable[Mapping[str, Any]], as_of: date = AS_OF) -> pd.DataFrame:
    """The verdicts of one place that pools every hex of the rows, one row per operator."""
    backend = engine.connect()
    tests = observations.observe(engine.load(backend, "measurements", table(rows)), rules(), as_of).cache()
    cells = tests.select("hex").distinct().execute()["hex"]
    pooled = pa.table(
        {"place_id": pa.array(["here"] * len(cells), pa.string()), "hex": pa.array(cells, pa.int64())}
    )
    loaded = engine.load(backend, "place_hexes", pooled)
    judged = verdicts.judge(evidence.tests_by_place(tests, loaded, rules()), rules())
    return what_if.with_changes(judged, rules())


def judge_apart(*cases: Iterable[Mapping[str, Any]]) -> list[pd.Series]:
    """The verdict of each case, judged in one go, each as an operator of its own: operators never touch each other."""
    rows = [{**one, "operator": f"{case:05d}"} for case, rows in enumerate(cases) for one in rows]
    found = judge_together(rows).sort_values("operator")
    assert found["operator"].tolist() == [f"{case:05d}" for case in range(len(cases))]
    return [one for _, one in found.iterrows()]


NO_PARTS = pd.DataFrame({"village_id": [], "place_id": [], "hex": [], "population": []}).astype(
    {"village_id": object, "place_id": object, "hex": "int64"}
)


def places_without_raster(villages: gpd.GeoDataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """The contract PLACES of villages and their clusters, where no raster says who lives where."""
    pairs = pd.DataFrame({"village_id": [], "hex": [], "population": []}).astype(
        {"village_id": object, "hex": "int64", "population": float}
    )
    places = places_of(villages, clusters, NO_PARTS)
    return people.shared_out(places, NO_PARTS, pairs, place_hexes(places, pairs, NO_PARTS, 9, 1))
