"""Near where traces begin and end nobody is counted: what the public sees leads to no door."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from snapshots import snapshot

from coverage import hexes, intake
from coverage.archive import snapshots
from coverage.archive.committed import committed
from coverage.archive.workspace import Workspace, open_workspace
from coverage.logs.context import Context
from coverage.traces import devices_away_from_ends

LAT, LON = 11.9, 108.4
M = 1 / 111_195.0  # a metre of latitude in degrees
AS_OF = date(2026, 11, 1)


def trip(device: str, metres: list[float], day: str = "2026-10-09", operator: str = "45204") -> list[str]:
    """A device's measurements due north of one point, a minute apart."""
    return [
        f"{day}T08:{minute:02}:00Z,{LAT + at * M:.7f},{LON},{operator},LTE,-97,{device},10"
        for minute, at in enumerate(metres)
    ]


def counted(folder: Path, rows: list[str], source: str = "crowdsourced") -> dict[tuple[int, str], int]:
    workspace = open_workspace(folder / "w")
    add(workspace, folder, rows, source)
    parts = committed(workspace).parts
    found = devices_away_from_ends(parts, 9, workspace.criteria, AS_OF)
    return {(row.hex, row.operator): row.devices for row in found.itertuples()}


def add(workspace: Workspace, folder: Path, rows: list[str], source: str) -> None:
    path = folder / f"{len(rows)}-{source}.csv"
    path.write_text("\n".join(["time,lat,lon,operator,technology,rsrp_dbm,device,accuracy_m", *rows]))
    for receipt in intake.ingest(workspace, path, Context(source=source)):
        assert receipt.accepted == len(rows)


def hex_at(metres: float) -> int:
    return hexes.of_point(LAT + metres * M, LON, 9)


@pytest.mark.parametrize(("metres", "seen"), [(199.0, False), (201.0, True)])
def test_a_phone_counts_beyond_two_hundred_metres_of_its_ends(
    tmp_path: Path, metres: float, seen: bool
) -> None:
    found = counted(tmp_path, [*trip("a", [0, metres, 5000]), *trip("b", [5000, metres, 0])])
    assert found == ({(hex_at(metres), "45204"): 2} if seen else {})


def test_ends_are_those_of_a_day_of_one_device_in_one_upload(tmp_path: Path) -> None:
    two_days = [*trip("a", [0, 1000, 3000], "2026-10-09"), *trip("a", [1000, 2000, 4000], "2026-10-10")]
    found = counted(tmp_path, two_days + trip("b", [900, 2000, 5000], "2026-10-09"))
    assert found == {(hex_at(1000), "45204"): 1, (hex_at(2000), "45204"): 2}


def test_a_trace_is_one_whatever_networks_it_measured(tmp_path: Path) -> None:
    rows = [*trip("a", [0, 1000]), *trip("a", [1000, 2000, 3000], operator="45201")]
    rows[2:] = [row.replace("T08:0", "T08:3") for row in rows[2:]]
    assert counted(tmp_path, rows) == {
        (hex_at(1000), "45204"): 1,
        (hex_at(1000), "45201"): 1,
        (hex_at(2000), "45201"): 1,
    }


def test_drive_tests_have_no_ends_and_unknown_phones_do_not_count(tmp_path: Path) -> None:
    assert counted(tmp_path, trip("a", [0, 1000, 5000]), "drive_test") == {
        (hex_at(at), "45204"): 1 for at in (0, 1000, 5000)
    }
    (tmp_path / "u").mkdir()
    assert counted(tmp_path / "u", trip("", [0, 1000, 5000])) == {}


def test_expired_rows_and_an_empty_archive_count_nobody(tmp_path: Path) -> None:
    assert counted(tmp_path, trip("a", [0, 1000, 5000], "2024-10-09")) == {}
    empty = devices_away_from_ends((), 9, open_workspace(tmp_path / "e").criteria, AS_OF)
    assert list(empty.columns) == ["hex", "operator", "devices"]
    assert len(empty) == 0


def test_the_public_sees_hexes_that_three_phones_passed_and_no_others() -> None:
    shown = snapshot(30)
    rows = shown.hex_verdicts.assign(devices=9, evidence_mix="C 9")
    away = rows[["hex", "operator"]].assign(devices=np.arange(len(rows)) % 5)
    public = snapshots.of_public(shown.__class__(**{**vars(shown), "hex_verdicts": rows}), away)
    kept = pd.MultiIndex.from_frame(public.hex_verdicts[["hex", "operator"]])
    expected = pd.MultiIndex.from_frame(away.loc[away["devices"] >= 3, ["hex", "operator"]])
    assert sorted(kept) == sorted(expected)
    assert len(public.predictions) == len(public.road_verdicts) == 0
