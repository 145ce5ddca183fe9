"""A village of a snapshot → what is said of each place where its people live, for every operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from coverage.archive.snapshots import Snapshot
from coverage.errors import NotFound
from coverage.exports.spot import day


@dataclass(frozen=True)
class AtPlace:
    """One operator at one place. verdict: no_data where nobody tested; dates are None where there is no test."""

    operator: str
    verdict: str
    tests: int
    fails: int
    devices: int
    dates: int
    last_test_utc: date | None


@dataclass(frozen=True)
class VillagePlace:
    """One place. kind: centre, cluster, settled or polygon. cluster: the id or number of a cluster or settled part, else None."""

    kind: str
    cluster: str | None
    operators: list[AtPlace]


@dataclass(frozen=True)
class VillagePlaces:
    """The places of a village, the centre first; operators: the names of those that stand at each place, in their order."""

    village_id: str
    operators: list[str]
    places: list[VillagePlace]


def village_places(snapshot: Snapshot, village_id: str) -> VillagePlaces:
    """What each operator's tests say of each place of the village. Raises `NotFound` for a village that is not there."""
    if not (snapshot.villages["village_id"] == village_id).any():
        raise NotFound(f"Không có thôn {village_id!r:.80}.", f"There is no village {village_id!r:.80}.")
    rows = snapshot.place_verdicts[snapshot.place_verdicts["village_id"] == village_id]
    operators = snapshot.info.operators
    places = [_place(str(place_id), found, operators) for place_id, found in rows.groupby("place_id")]
    places.sort(key=lambda place: place.kind != "centre")
    return VillagePlaces(village_id, list(operators.values()), places)


def _place(place_id: str, rows: pd.DataFrame, operators: Mapping[str, str]) -> VillagePlace:
    kind = str(rows["kind"].iloc[0])
    named = place_id.rsplit("/", 1)[1] if kind in {"cluster", "settled"} else None
    known = {str(row["operator"]): row for row in rows.to_dict(orient="records")}
    return VillagePlace(kind, named, [_at(code, known.get(code)) for code in operators])


def _at(operator: str, row: Mapping[Any, Any] | None) -> AtPlace:
    if row is None:
        return AtPlace(operator, "no_data", 0, 0, 0, 0, None)
    counts = {name: int(row[name]) for name in ("tests", "fails", "devices", "dates")}
    return AtPlace(operator, str(row["verdict"]), **counts, last_test_utc=day(row["last_test_utc"]))
