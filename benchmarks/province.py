"""A simulated whole province as a snapshot: Lâm Đồng's 124 communes, its villages, 200,000 measured hexes, four operators.

    python benchmarks/province.py WORKSPACE [--villages 1600] [--hexes 200000] [--snapshots 1]

Publishes so many snapshots in a new workspace; each later one has had some of its verdicts changed. Everything in it is
simulated, and says so. Villages are cut from the communes that the repository brings; who is served where lies in
patches, as real networks do.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import snapshots as small
from tiles import OPERATORS, VERDICTS, nearest, patches

from coverage import hexes, tables
from coverage.archive import history, snapshots
from coverage.archive.snapshots import WGS84, Snapshot
from coverage.archive.workspace import open_workspace

COMMUNES = Path(__file__).parents[1] / "data" / "boundaries" / "lamdong_communes_derived.geojson"
# What the small snapshot of the tests calls its operators, and what they are here; the fourth is a copy of the first.
_RENAMED = dict(zip(small.OPERATORS, ("45204", "45201", "45202"), strict=True))
_KINDS = ("Thôn", "Buôn", "Bon", "Bản", "Tổ dân phố")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--villages", type=int, default=1600)
    parser.add_argument("--hexes", type=int, default=200_000)
    parser.add_argument("--snapshots", type=int, default=1)
    given = parser.parse_args()
    publish(given.workspace, given.villages, given.hexes, given.snapshots)


def publish(root: Path, villages: int, measured: int, count: int = 1) -> None:
    """A workspace in that folder with so many snapshots of the province, a month apart."""
    workspace = open_workspace(root)
    for number in range(count):
        made = province(villages, measured, number)
        snapshots.save(workspace.snapshots, made)
        history.publish(workspace, made.info, 0)
        print(made.info.snapshot_id, len(made.villages), "villages", len(made.hex_verdicts), "hex verdicts")


def province(villages: int, measured: int, number: int = 0) -> Snapshot:
    """The snapshot of that number; later ones differ in some of the verdicts."""
    communes = gpd.read_file(COMMUNES).to_crs(WGS84)[["commune_code", "commune_name", "source", "geometry"]]
    made = small.snapshot(villages, communes=communes)
    verdicts = _four(made.village_verdicts)
    verdicts["operator_name"] = verdicts["operator"].map(OPERATORS)
    as_of = date(2026, 9, 1) + timedelta(days=30 * number)
    info = replace(
        made.info,
        snapshot_id=f"s-simulated-{number}",
        as_of=as_of.isoformat(),
        operators=OPERATORS,
        in_scope=tuple(OPERATORS)[:3],
        measurements=50 * measured,
    )
    hex_verdicts = _hex_verdicts(made.hex_verdicts, measured, number)
    return replace(
        made,
        info=info,
        villages=_named(made.villages),
        village_verdicts=_changed(verdicts, number),
        hex_verdicts=hex_verdicts,
        hex_levels=hex_verdicts[["hex", "operator"]].assign(
            heard=True, margin_db=hex_verdicts["level_margin_db"]
        ),
        hex_signals=_signals(made.hex_signals, hex_verdicts),
        predictions=_predictions(made.predictions, hex_verdicts),
        dead_areas=gpd.GeoDataFrame(_four(made.dead_areas), crs=WGS84),
    )


def _four(rows: pd.DataFrame) -> pd.DataFrame:
    renamed = rows.assign(operator=rows["operator"].map(_RENAMED))
    copied = renamed[renamed["operator"] == "45204"].assign(operator="45205")
    return pd.concat([renamed, copied], ignore_index=True).sort_values(
        ["village_id", "operator"], ignore_index=True
    )


def _named(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = [f"{_KINDS[place % len(_KINDS)]} {place // len(_KINDS) + 1}" for place in range(len(villages))]
    return villages.assign(village_name=names, source="simulated")


def _changed(verdicts: pd.DataFrame, number: int) -> pd.DataFrame:
    """Of a later snapshot some villages have another's status."""
    rows = verdicts.copy()
    some = np.random.default_rng(number).random(len(rows)) < 0.03 * number
    for name in ("status", "status_all_operators"):
        rows.loc[some, name] = rows[name].shift(1).fillna("phu_song")[some]
    return rows


def _hex_verdicts(few: pd.DataFrame, measured: int, number: int) -> pd.DataFrame:
    """Each measured hex for each operator; what is said of it is what the small snapshot says of one of that verdict."""
    cells = nearest(measured)
    like = {verdict: few[few["verdict"] == verdict].iloc[0] for verdict in VERDICTS}
    parts = []
    for place, operator in enumerate(OPERATORS):
        rng = np.random.default_rng(100 * number // 4 + place)
        chosen = patches(rng, cells, VERDICTS)
        template = pd.DataFrame([like[verdict] for verdict in VERDICTS]).astype(few.dtypes)
        at = pd.Series(range(len(VERDICTS)), index=VERDICTS).loc[chosen].to_numpy()
        part = template.iloc[at].reset_index(drop=True).assign(hex=cells, operator=operator)
        days = rng.integers(0, 700, len(part))
        part["last_test_utc"] = pd.Timestamp("2026-08-30") - pd.to_timedelta(days, unit="D")
        parts.append(part)
    return pd.concat(parts, ignore_index=True).sort_values(["hex", "operator"], ignore_index=True)


def _signals(few: pd.DataFrame, hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    level = {"dead_zone": -121.0, "below_standard": -112.0, "covered": -95.0, "not_enough_evidence": -105.0}
    rows = hex_verdicts[["hex", "operator"]].reset_index(drop=True)
    row: Any = few.iloc[0]
    others = {name: row[name] for name in few.columns if name not in {"hex", "operator", "median_dbm"}}
    found = rows.assign(**others, median_dbm=hex_verdicts["verdict"].map(level).to_numpy())
    return found.assign(p10_dbm=found["median_dbm"] - 9)[few.columns]


def _predictions(few: pd.DataFrame, hex_verdicts: pd.DataFrame) -> pd.DataFrame:
    """A ring of hexes around what was measured, each predicted for each operator."""
    cells = hex_verdicts["hex"].unique()
    ring = np.setdiff1d(hexes.around(cells, 12), cells)
    row: Any = few.iloc[0]
    others = {name: row[name] for name in few.columns if name not in {"hex", "operator", "predicted_class"}}
    parts = [
        pd.DataFrame(
            {
                "hex": ring,
                "operator": operator,
                "predicted_class": patches(np.random.default_rng(7), ring, tables.PREDICTED_CLASSES),
            }
        ).assign(**others)
        for operator in OPERATORS
    ]
    return pd.concat(parts, ignore_index=True)[few.columns]


if __name__ == "__main__":
    main()
