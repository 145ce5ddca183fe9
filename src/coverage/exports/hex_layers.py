"""Snapshot → what each layer of the map's tiles shows: of every hex its class, as fine as judged.

The names: `hexes` (verdicts), `notspots`, `age`, `change` (against an earlier snapshot) of the operators in scope
together, as far as the snapshot shows them; `hexes-45204`, `predicted-45204`, `age-45204`, `change-45204`,
`signal-45204-LTE` of one operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.errors import InputError, NotFound
from coverage.exports.colours import AGE_INKS, PREDICTED_INKS, VERDICT_INKS
from coverage.exports.hex_classes import (
    AGES,
    BELOW,
    CHANGES,
    COVERED,
    DEAD,
    LEVELS_DBM,
    NEWLY_COVERED,
    NEWLY_LOST,
    NEWLY_MEASURED,
    NOT_SPOTS,
    PARTIAL,
    PREDICTED,
    SIGNALS,
    STILL_DEAD,
    TOTAL,
    UNDECIDED,
    UNMEASURED,
    VERDICTS,
    Classes,
    Counts,
    Kind,
    Layer,
    chosen,
    first,
    tally,
)
from coverage.hexes import Hexes, centred_in

__all__ = ["Layer", "compares", "ground", "layer", "names"]

Found = tuple[Hexes, Classes]
AGES_MONTHS = (6, 12, 18)
# Verdict before and after, 0 = none → what became of the hex, 0 = nothing to show.
_BECAME = np.zeros((UNDECIDED + 1, UNDECIDED + 1), dtype=np.uint8)
_BECAME[COVERED, [DEAD, BELOW]] = NEWLY_LOST
_BECAME[[DEAD, BELOW], COVERED] = NEWLY_COVERED
_BECAME[DEAD, DEAD] = STILL_DEAD
_BECAME[0, [DEAD, BELOW, COVERED]] = NEWLY_MEASURED


@dataclass(frozen=True)
class _Meant:
    family: str
    operators: Sequence[str]
    technology: str = ""


def ground(snapshot: Snapshot) -> Hexes:
    """The hexes of the province, sorted: those whose middle lies in a commune."""
    if snapshot.communes.empty:
        return np.empty(0, dtype=np.int64)
    return centred_in(snapshot.communes.geometry.to_numpy(), snapshot.info.hex_resolution)


def compares(name: str) -> bool:
    """Whether the layer of that name shows what changed since an earlier snapshot."""
    return name.partition("-")[0] == "change"


def names(info: SnapshotInfo) -> list[str]:
    """The name of every layer of that snapshot."""
    return list(_named(info))


def _named(info: SnapshotInfo) -> dict[str, _Meant]:
    together = info.in_scope or tuple(info.operators)
    found = {family: _Meant(family, together) for family in ("hexes", "notspots", "age", "change")}
    for code in info.operators:
        own = ("hexes", "predicted", "age", "change")
        found |= {f"{family}-{code}": _Meant(family, (code,)) for family in own}
        found |= {f"signal-{code}-{radio}": _Meant("signal", (code,), radio) for radio in LEVELS_DBM}
    return found


def layer(snapshot: Snapshot, name: str, province: Callable[[], Hexes], before: Snapshot | None) -> Layer:
    """The layer of that name, as fine as judged.

    province: what `ground` found, asked for where the layer needs it. before: the earlier snapshot of a layer that
    compares. Raises `NotFound` for a name that this snapshot does not have, `InputError` where two snapshots cannot be
    compared.
    """
    meant = _named(snapshot.info).get(name)
    if meant is None:
        raise NotFound(
            f"Bản đánh giá không có lớp {name!r:.80}.", f"The assessment has no layer {name!r:.80}."
        )
    kind, found = _found(snapshot, meant, province, before)
    return Layer(*found, snapshot.info.hex_resolution, kind)


def _found(
    snapshot: Snapshot, meant: _Meant, province: Callable[[], Hexes], before: Snapshot | None
) -> tuple[Kind, Found]:
    operators = meant.operators
    match meant.family:
        case "hexes":
            return VERDICTS, _with_unmeasured(_verdicts(snapshot, operators), province())
        case "notspots":
            return NOT_SPOTS, _not_spots(snapshot, operators)
        case "predicted":
            return PREDICTED, _predicted(snapshot, operators)
        case "age":
            return AGES, _ages(snapshot, operators)
        case "signal":
            return SIGNALS[meant.technology], _levels(snapshot, operators, meant.technology)
        case _:
            return CHANGES, _changes(before, snapshot, operators)


def _tested(snapshot: Snapshot, operators: Sequence[str]) -> tuple[Hexes, Counts]:
    """The hexes where one of the operators was tested, and how many of them have which verdict there."""
    rows = _of(snapshot.hex_verdicts, operators)
    classes = _numbers(rows["verdict"], list(VERDICT_INKS)[:UNDECIDED])
    return tally(_at(rows)[classes > 0], classes[classes > 0], UNDECIDED)


def _of(table: pd.DataFrame, operators: Sequence[str]) -> pd.DataFrame:
    return table[table["operator"].isin(operators)]


def _at(rows: pd.DataFrame) -> Hexes:
    found: Hexes = rows["hex"].to_numpy(np.int64)
    return found


def _numbers(words: pd.Series[Any], known: list[str]) -> npt.NDArray[np.int64]:
    """1 + place of each word among those known; 0 = missing, or none of them."""
    numbers: npt.NDArray[np.int64] = pd.Index(known).get_indexer(pd.Index(words)).astype(np.int64) + 1
    return numbers


def _verdicts(snapshot: Snapshot, operators: Sequence[str]) -> Found:
    """The best verdict of the operators. Dead is what was tested for each of them, and is dead for each."""
    distinct, counts = _tested(snapshot, operators)
    dead = counts[:, DEAD] == len(operators)
    conditions = [counts[:, COVERED] > 0, counts[:, BELOW] > 0, dead]
    return distinct, chosen(conditions, [COVERED, BELOW, DEAD], UNDECIDED)


def _with_unmeasured(measured: Found, province: Hexes) -> Found:
    bare = np.setdiff1d(province, measured[0], assume_unique=True)
    return _sorted(
        np.concatenate([measured[0], bare]),
        np.concatenate([measured[1], np.full(len(bare), UNMEASURED, dtype=np.uint8)]),
    )


def _sorted(at: Hexes, classes: npt.NDArray[Any]) -> Found:
    order = np.argsort(at)
    return at[order], classes[order].astype(np.uint8)


def _drawn(at: Hexes, classes: Classes) -> Found:
    return at[classes > 0], classes[classes > 0]


def _not_spots(snapshot: Snapshot, operators: Sequence[str]) -> Found:
    """Total: every operator in scope was tested and is dead. Partial: one is dead where another serves."""
    distinct, counts = _tested(snapshot, operators)
    dead, served = counts[:, DEAD], counts[:, BELOW] + counts[:, COVERED]
    conditions = [dead == len(operators), (dead > 0) & (served > 0)]
    return _drawn(distinct, chosen(conditions, [TOTAL, PARTIAL], 0))


def _predicted(snapshot: Snapshot, operators: Sequence[str]) -> Found:
    rows = _of(snapshot.predictions, operators)
    return _sorted(_at(rows), _numbers(rows["predicted_class"], list(PREDICTED_INKS)))


def _ages(snapshot: Snapshot, operators: Sequence[str]) -> Found:
    """How long before the snapshot's date the newest test was made."""
    rows = _of(snapshot.hex_verdicts, operators)[["hex", "last_test_utc"]].dropna()
    as_of = pd.Timestamp(snapshot.info.as_of)
    limits = [as_of - pd.DateOffset(months=months) for months in AGES_MONTHS]
    older = np.array([rows["last_test_utc"] < limit for limit in limits])
    distinct, counts = tally(_at(rows), 1 + older.sum(axis=0), len(AGE_INKS))
    return distinct, first(counts)


def _changes(before: Snapshot | None, after: Snapshot, operators: Sequence[str]) -> Found:
    """What became of each hex for the operators that the later snapshot means."""
    if before is None:
        raise InputError("Thiếu bản đánh giá trước.", "The earlier assessment is missing.")
    if before.info.hex_resolution != after.info.hex_resolution:
        raise InputError(
            "Hai bản đánh giá dùng ô có cỡ khác nhau, không so sánh được.",
            "The two assessments judge hexes of different sizes: they cannot be compared.",
        )
    now, is_now = _verdicts(after, operators)
    was = Layer(*_verdicts(before, operators), before.info.hex_resolution, VERDICTS).classes_at(now)
    return _drawn(now, _BECAME[was, is_now])


def _levels(snapshot: Snapshot, operators: Sequence[str], technology: str) -> Found:
    """The median level of the technology; no service where phones had none and it was not heard at all."""
    rows = _of(snapshot.hex_signals, operators)
    heard = rows[rows["technology"] == technology]
    known = heard[heard["median_dbm"].notna()]
    limits = np.array(LEVELS_DBM[technology])
    classes = 1 + (known["median_dbm"].to_numpy()[:, None] < limits).sum(axis=1)
    silent = np.setdiff1d(_silent(snapshot, rows, operators), _at(heard))
    no_service = np.full(len(silent), len(limits) + 2)
    return _sorted(np.concatenate([_at(known), silent]), np.concatenate([classes, no_service]))


def _silent(snapshot: Snapshot, rows: pd.DataFrame, operators: Sequence[str]) -> Hexes:
    """The hexes with readings that name no technology and with tests that were without service.

    Such a reading alone may be of an unknown state: that is not a phone without service.
    """
    tests = _of(snapshot.hex_verdicts, operators)
    return np.intersect1d(_at(rows[rows["technology"].isna()]), _at(tests[tests["no_service_share"] > 0]))
