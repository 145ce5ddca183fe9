"""Snapshot → the figures that an operations centre shows: never a share without the share that was measured.

The members of a version of the schema never change their meaning; new ones may come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from coverage.archive.snapshots import Snapshot, SnapshotInfo
from coverage.exports.communes import commune_table
from coverage.exports.lists import stamp
from coverage.tables import DEAD_STATUSES, LISTS, STATUSES

SCHEMA_VERSION = "1.0"
POINT_COLUMNS = ["village_id", "operator", "status", "status_all_operators", "list", "not_spot"]
_DECIDED = (*DEAD_STATUSES, "phu_song")


def kpi(snapshot: Snapshot, history: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The figures, as `schema` describes them; `history`: those of earlier snapshots, as `point` gives them."""
    verdicts = snapshot.village_verdicts
    villages = int(snapshot.villages["village_id"].nunique())
    operators = snapshot.info.operators.items()
    return {
        "schema_version": SCHEMA_VERSION,
        **stamp(snapshot),
        "measurements": snapshot.info.measurements,
        "province": _province(snapshot.info, verdicts, villages),
        "operators": [
            {"operator": code, "operator_name": name, "villages": villages}
            | _of_operator(verdicts[verdicts["operator"] == code], villages)
            for code, name in operators
        ],
        "communes": _communes(snapshot),
        "history": list(history),
    }


def point(info: SnapshotInfo, verdicts: pd.DataFrame, villages: int) -> dict[str, Any]:
    """The figures of a snapshot by which a trend is drawn; `verdicts`: its village verdicts, at least `POINT_COLUMNS`."""
    province = _province(info, verdicts, villages)
    kept = ("villages", "villages_measured", "measured_share", "villages_with_gap")
    about = {"snapshot_id": info.snapshot_id, "as_of": info.as_of}
    return about | {name: province[name] for name in kept}


def _province(info: SnapshotInfo, verdicts: pd.DataFrame, villages: int) -> dict[str, Any]:
    in_scope = verdicts[verdicts["operator"].isin(info.in_scope)]
    decided = in_scope["status"].isin(_DECIDED).groupby(in_scope["village_id"]).all()
    measured = int(decided.sum())
    statuses = verdicts.drop_duplicates("village_id")["status_all_operators"].value_counts()
    gaps = verdicts[verdicts["list"] == "gaps"]
    measured_gaps = _measured_gaps(gaps, decided)
    return {
        "villages": villages,
        "villages_measured": measured,
        "measured_share": _share(measured, villages),
        "villages_with_gap": int(gaps["village_id"].nunique()),
        "villages_measured_with_gap": measured_gaps,
        "villages_with_gap_share_of_measured": _share(measured_gaps, measured),
        "villages_total_gap": int(gaps.loc[gaps["not_spot"] == "total", "village_id"].nunique()),
        "by_status_of_all_operators": {status: int(statuses.get(status, 0)) for status in STATUSES},
        "by_list": _by_list(verdicts),
    }


def _measured_gaps(gaps: pd.DataFrame, decided: pd.Series[bool]) -> int:
    # A village may be a gap of one operator while another is undecided: of the measured ones only these count.
    return int(gaps["village_id"].isin(decided.index[decided]).groupby(gaps["village_id"]).any().sum())


def _of_operator(rows: pd.DataFrame, villages: int) -> dict[str, Any]:
    counts = rows["status"].value_counts()
    measured = int(rows["status"].isin(_DECIDED).sum())
    gaps = rows[rows["list"] == "gaps"]
    return {
        "villages_measured": measured,
        "measured_share": _share(measured, villages),
        "covered_share_of_measured": _share(int(counts.get("phu_song", 0)), measured),
        "gaps": len(gaps),
        "gaps_share_of_measured": _share(len(gaps), measured),
        "population_affected": _sum(gaps["population_affected"]),
        "by_status": {status: int(counts.get(status, 0)) for status in STATUSES},
        "by_list": _by_list(rows),
        "newest_test_utc": _newest(rows["last_test_utc"]),
    }


def _by_list(rows: pd.DataFrame) -> dict[str, int]:
    counts = rows.groupby("list")["village_id"].nunique()
    return {name: int(counts.get(name, 0)) for name in LISTS}


def _communes(snapshot: Snapshot) -> list[dict[str, Any]]:
    table = commune_table(snapshot).drop(columns=list(stamp(snapshot)))
    plain = table.astype("object").where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict(orient="records")]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _sum(values: pd.Series[Any]) -> float | None:
    known = values.dropna()
    return round(float(known.sum()), 1) if len(known) else None


def _newest(times: pd.Series[Any]) -> str | None:
    newest = pd.to_datetime(times).max()
    return None if pd.isna(newest) else f"{newest:%Y-%m-%dT%H:%M:%SZ}"


def _count(meaning: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": meaning}


def _portion(meaning: str) -> dict[str, Any]:
    return {"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": meaning}


def _object(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON schema
    return {"type": "object", "required": list(members), "properties": members}


_STATUSES = _object(**{status: _count("villages") for status in STATUSES})
_LISTS = _object(**{name: _count("distinct villages") for name in LISTS})
_MEASURED = _portion("villages_measured of villages; null = no village")
_TEXT = {"type": "string"}
_POINT = _object(
    snapshot_id=_TEXT,
    as_of={"type": "string", "format": "date"},
    villages=_count("villages known"),
    villages_measured=_count("villages that are decided for every operator in scope"),
    measured_share=_MEASURED,
    villages_with_gap=_count("villages with grid power and without usable signal of at least one operator"),
)


def schema() -> dict[str, Any]:
    """The JSON schema of the figures."""
    operator = _object(
        operator=_TEXT,
        operator_name=_TEXT,
        villages=_count("villages of the province, of which the share is that was measured"),
        villages_measured=_count("villages that are decided for this operator"),
        measured_share=_MEASURED,
        covered_share_of_measured=_portion("by_status.phu_song of villages_measured; null = none measured"),
        gaps=_count("villages with grid power and without usable signal of this operator"),
        gaps_share_of_measured=_portion("gaps of villages_measured; null = none measured"),
        population_affected={
            "type": ["number", "null"],
            "minimum": 0,
            "description": "people in the gaps; null = not known",
        },
        by_status=_STATUSES,
        by_list=_LISTS,
        newest_test_utc={"type": ["string", "null"], "format": "date-time"},
    )
    province = _object(
        **{
            name: member
            for name, member in _POINT["properties"].items()
            if name not in {"snapshot_id", "as_of"}
        },
        villages_measured_with_gap=_count("villages with a gap that are decided for every operator in scope"),
        villages_with_gap_share_of_measured=_portion(
            "villages_measured_with_gap of villages_measured; null = none measured"
        ),
        villages_total_gap=_count("villages with grid power that no operator serves"),
        by_status_of_all_operators=_STATUSES,
        by_list=_LISTS,
    )
    commune = _object(
        commune_code=_TEXT,
        commune_name=_TEXT,
        villages=_count("villages"),
        villages_measured=_count("decided for every operator in scope"),
        villages_with_gap=_count("a gap of at least one operator"),
        villages_total_gap=_count("a gap of all operators"),
        villages_need_measurement=_count("undecided for at least one operator"),
        measured_share=_MEASURED,
    )
    whole = _object(
        schema_version={"const": SCHEMA_VERSION},
        criteria=_TEXT,
        snapshot_id=_TEXT,
        as_of={"type": "string", "format": "date"},
        simulated={"type": "boolean", "description": "true = made-up data among what was judged"},
        measurements=_count("measurements within their validity"),
        province=province,
        operators={"type": "array", "items": operator},
        communes={"type": "array", "items": commune},
        history={
            "type": "array",
            "items": _POINT,
            "description": "earlier snapshots only: the last one of each earlier day, oldest first",
        },
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Phủ Sóng KPI", **whole}
