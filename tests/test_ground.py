"""The lie of the land: what is kept is what would be found, under a name that changes with all it depends on."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from test_flow_places import add_communes, add_people

from coverage import ground, inputs
from coverage.archive import folders, grounds
from coverage.archive.grounds import Kept
from coverage.archive.verification import verify
from coverage.archive.workspace import Workspace, open_workspace
from coverage.errors import DiskFull
from coverage.ground import lie_of_the_land
from coverage.inputs import Inputs
from coverage.intake_places import add_places

AS_OF = date(2026, 11, 1)


def add_villages(workspace: Workspace, folder: Path, people: str = "90") -> None:
    """One polygon, and beside it a list of it: with and without people, with and without a centre."""
    rows = [
        {
            "village_id": "a",
            "centre_lat": 11.05,
            "centre_lon": 108.05,
            "population": int(people),
            "name": "A",
        },
        {"village_id": "b", "centre_lat": None, "centre_lon": None, "population": None, "name": "B"},
    ]
    shapes = [shapely.box(108.0, 11.0, 108.1, 11.1), shapely.box(108.1, 11.0, 108.2, 11.1)]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=4326).to_file(folder / "villages.gpkg")
    add_places(workspace, "villages", folder / "villages.gpkg")


def add_points(workspace: Workspace, folder: Path) -> None:
    """Villages whose territories are ours, one that nobody can place."""
    lines = ["A,11.05,108.05", "B,11.04,108.15", "C,,"]
    (folder / "points.csv").write_text("\n".join(["name,lat,lon", *lines, ""]), encoding="utf-8")
    add_places(workspace, "villages", folder / "points.csv")


def add_clusters(workspace: Workspace, folder: Path, households: int = 30) -> None:
    lines = [f"a,k1,11.05,108.05,{households},co", "a,k2,11.08,108.02,10,"]
    (folder / "clusters.csv").write_text(
        "\n".join(["village_id,cluster_id,lat,lon,households,grid", *lines, ""])
    )
    add_places(workspace, "clusters", folder / "clusters.csv")


def add_raster(workspace: Workspace, folder: Path, seed: int = 4) -> None:
    add_people(workspace, folder, np.random.default_rng(seed).gamma(0.4, 5.0, (50, 100)))


def set_rules(workspace: Workspace, key: str, value: str) -> None:
    lines = workspace.criteria_file.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [f"{key} = {value}\n" if line.startswith(f"{key} =") else line for line in lines]
    assert found != lines
    workspace.criteria_file.write_text("".join(found), encoding="utf-8")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = open_workspace(tmp_path / "workspace")
    add_villages(workspace, tmp_path)
    return workspace


def fetch(workspace: Workspace, day: date = AS_OF) -> Inputs:
    return inputs.fetch(workspace, day)


def same(one: Kept, other: Kept) -> None:
    for field in fields(one):
        frame = getattr(one, field.name)
        pd.testing.assert_frame_equal(
            pd.DataFrame(frame), pd.DataFrame(getattr(other, field.name)), check_exact=True
        )
    assert one.villages.crs == other.villages.crs


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [add_clusters],
        [add_raster],
        [add_communes, add_clusters, add_raster],
        [add_points],
        [add_communes, add_points, add_raster],
    ],
)
def test_what_was_kept_is_what_is_found(
    workspace: Workspace, tmp_path: Path, steps: list[Callable[[Workspace, Path], object]]
) -> None:
    for step in steps:
        step(workspace, tmp_path)
    given = fetch(workspace)
    first = lie_of_the_land(given)
    assert grounds.load(given.ground) is not None
    same(first, lie_of_the_land(given))
    shutil.rmtree(workspace.ground)
    same(first, lie_of_the_land(given))


def test_what_is_kept_is_used(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    given = fetch(workspace)
    first = lie_of_the_land(given)
    monkeypatch.setattr(ground, "_laid_out", lambda _: pytest.fail("computed again"))
    same(first, lie_of_the_land(given))
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        lie_of_the_land(replace(given, ground=given.ground.with_name("other")))


CHANGES: list[Callable[[Workspace, Path], object]] = [
    lambda w, folder: add_villages(w, folder, people="91"),
    add_points,
    add_clusters,
    add_communes,
    add_raster,
    lambda w, _: set_rules(w, "hex_resolution", "8"),
    lambda w, _: set_rules(w, "neighbour_rings", "2"),
    lambda w, _: set_rules(w, "settled_people_per_km2", "51"),
    lambda w, _: set_rules(w, "settled_part_people", "21"),
    lambda w, _: set_rules(w, "territory_radius_m", "1501"),
    lambda w, _: set_rules(w, "territory_reach_m", "9001"),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_another_layer_or_rule_is_another_ground_and_the_former_one_comes_back(
    workspace: Workspace, tmp_path: Path, change: Callable[[Workspace, Path], object]
) -> None:
    before, rules = fetch(workspace), workspace.criteria_file.read_bytes()
    records = {path: path.read_bytes() for path in workspace.places.glob("*.json")}
    change(workspace, tmp_path)
    assert fetch(workspace).ground != before.ground
    workspace.criteria_file.write_bytes(rules)
    for path in workspace.places.glob("*.json"):
        path.write_bytes(records[path]) if path in records else path.unlink()
    assert fetch(workspace).ground == before.ground


def test_two_states_of_a_layer_are_two_grounds(workspace: Workspace, tmp_path: Path) -> None:
    names = set()
    for number in (1, 2):
        add_clusters(workspace, tmp_path, 20 + number)
        add_raster(workspace, tmp_path, number)
        names.add(fetch(workspace).ground)
    assert len(names) == 2


def test_neither_the_day_nor_power_nor_rules_of_evidence_change_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    before = fetch(workspace).ground
    assert fetch(workspace, date(2027, 3, 1)).ground == before
    (tmp_path / "power.csv").write_text(
        "village_id,households,households_grid,source,as_of\na,9,9,x,2026-03-31\n"
    )
    add_places(workspace, "power", tmp_path / "power.csv")
    set_rules(workspace, "validity_months", "9")
    assert fetch(workspace).ground == before


def test_power_is_of_the_day_even_on_kept_ground(workspace: Workspace, tmp_path: Path) -> None:
    rows = ["a,10,10,official_list,2026-03-31", "a,10,0,official_list,2026-11-02"]
    (tmp_path / "power.csv").write_text(
        "\n".join(["village_id,households,households_grid,source,as_of", *rows, ""])
    )
    add_places(workspace, "power", tmp_path / "power.csv")
    assert lie_of_the_land(fetch(workspace)).power.loc["a", "electrified"] is True
    assert lie_of_the_land(fetch(workspace, date(2026, 11, 2))).power.loc["a", "electrified"] is False


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def drop(path: Path) -> None:
    path.unlink()


def forget(path: Path) -> None:
    """Its line in the list of sums, or the first one in that list itself, is not there any more."""
    sums = path.with_name(folders.SUMS)
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join([line for line in lines if path.name not in line][-len(lines) + 1 :]))


@pytest.mark.parametrize("harm", [flip, cut, drop, forget])
def test_damaged_ground_is_named_and_made_again(
    workspace: Workspace, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    given = fetch(workspace)
    first = lie_of_the_land(given)
    files = sorted(path.name for path in given.ground.iterdir())
    assert len(files) == 6
    for name in files:
        harm(given.ground / name)
        (found,) = verify(workspace)
        assert (found.severity, found.what, found.where) == ("leftover", "ground_changed", str(given.ground))
        with caplog.at_level(logging.WARNING):
            same(first, lie_of_the_land(given))
        assert "made again" in caplog.text
        caplog.clear()
        same(first, lie_of_the_land(given))
        assert (caplog.text, verify(workspace)) == ("", [])


def test_what_cannot_be_read_although_it_is_whole_is_made_again(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    given = fetch(workspace)
    first = lie_of_the_land(given)
    folders.remove(given.ground)
    folders.put(given.ground, lambda draft: [(draft / name).write_bytes(b"{}") for name in grounds._EXPECTED])
    assert grounds.load(given.ground) is None
    assert "made again" in caplog.text
    same(first, lie_of_the_land(given))


def test_what_a_damaged_layer_gave_is_not_kept_under_the_name_of_the_whole_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    given = fetch(workspace)
    part = next(part for part in given.ground_parts if part.name.startswith("villages-"))
    whole = part.read_bytes()
    gpd.read_parquet(part).iloc[:1].to_parquet(part)
    assert len(lie_of_the_land(fetch(workspace)).villages) == 1
    part.write_bytes(whole)
    assert len(lie_of_the_land(fetch(workspace)).villages) == 2


def test_of_two_at_once_both_have_the_same(workspace: Workspace) -> None:
    given, found = fetch(workspace), []
    ready = threading.Barrier(4)

    def find() -> None:
        ready.wait()
        found.append(lie_of_the_land(given))

    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for one in found:
        same(one, found[0])
    assert [path.name for path in workspace.ground.iterdir()] == [given.ground.name]
    same(lie_of_the_land(given), found[0])


def test_a_full_disk_leaves_nothing_behind(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("Ổ đĩa đầy.", "The disk is full.")

    given = fetch(workspace)
    monkeypatch.setattr(grounds, "_write", full)
    with pytest.raises(DiskFull):
        lie_of_the_land(given)
    assert list(workspace.ground.iterdir()) == []
    monkeypatch.undo()
    assert len(lie_of_the_land(given).villages) == 2


def test_use_is_marked(workspace: Workspace) -> None:
    given = fetch(workspace)
    lie_of_the_land(given)
    os.utime(given.ground, (0, 0))
    lie_of_the_land(given)
    assert given.ground.stat().st_mtime > 0
