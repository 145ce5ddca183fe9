"""What became of every gap between two snapshots: each change by itself, and the true story of a workspace step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import snapshots
from conftest import examples
from hypothesis import strategies as st
from test_flow import LAT, LON, add_two_villages, crew_file, crew_lines, read

from coverage import intake_places, pipeline
from coverage.archive import history, uploads
from coverage.archive.layers import load_layer, replace_layer
from coverage.archive.snapshots import Snapshot
from coverage.archive.workspace import Workspace, open_workspace
from coverage.cli import app
from coverage.exports import diff_command
from coverage.exports.gap_diff import CHANGES, counts, gap_diff
from coverage.exports.lists import gap_ids

SHOWN = snapshots.snapshot(30)
DAY = date(2026, 11, 1)


def gap_row() -> Any:
    return SHOWN.village_verdicts[SHOWN.village_verdicts["list"] == "gaps"].iloc[0]


def turned(**values: Any) -> Snapshot:
    """The snapshot with other values for its first gap."""
    rows, row = SHOWN.village_verdicts.copy(), gap_row()
    mine = (rows["village_id"] == row["village_id"]) & (rows["operator"] == row["operator"])
    for name, value in values.items():
        rows.loc[mine, name] = value
    return replace(SHOWN, village_verdicts=rows)


def told(now: Snapshot, before: Snapshot, earlier: tuple[str, ...] = ()) -> str:
    """What became of the first gap."""
    row = gap_row()
    found = gap_diff(now, before, earlier)
    (mine,) = found[found["gap_id"] == f"{row['village_id']}-{row['operator']}"]["change"]
    return str(mine)


@pytest.mark.parametrize(
    ("was", "now", "change"),
    [
        ({"status": "lom_song"}, {"status": "trang_song"}, "worse"),
        ({"status": "trang_song"}, {"status": "lom_song"}, "better"),
        ({"not_spot": "partial"}, {"not_spot": "total"}, "worse"),
        ({"not_spot": "total"}, {"not_spot": "partial"}, "better"),
        ({"not_spot": "undetermined"}, {"not_spot": "total"}, "same"),  # it was not known to be served
        ({"dead_share": 0.5}, {"dead_share": 0.55}, "worse"),
        ({"dead_share": 0.5}, {"dead_share": 0.549}, "same"),
        ({"dead_share": 0.5}, {"dead_share": 0.45}, "better"),
        ({"dead_share": None}, {"dead_share": 0.9}, "same"),
        # The status weighs more than the share.
        ({"status": "trang_song", "dead_share": 0.1}, {"status": "lom_song", "dead_share": 0.9}, "better"),
        ({}, {"status": "phu_song", "list": None}, "closed"),
        ({}, {"status": "chua_du_bang_chung", "sub_reason": "thin", "list": "need_measurement"}, "unproven"),
        ({}, {"status": "chua_du_bang_chung", "sub_reason": "weak_service", "list": None}, "weak"),
        ({}, {"sub_reason": "weak_service", "list": "verify_power"}, "power_doubted"),
        ({}, {"status": "chua_co_du_lieu", "list": None}, "unproven"),
        ({}, {"list": "verify_power"}, "power_doubted"),
        ({}, {"list": "no_power"}, "without_power"),
        ({"status": "phu_song", "list": None}, {}, "new"),
        ({}, {}, "same"),
    ],
)
def test_each_change_has_its_name(was: dict[str, Any], now: dict[str, Any], change: str) -> None:
    assert told(turned(**now), turned(**was)) == change


def test_what_was_a_gap_before_the_earlier_one_is_reopened() -> None:
    row = gap_row()
    before = turned(status="phu_song", list=None)
    assert told(SHOWN, before, (f"{row['village_id']}-{row['operator']}",)) == "reopened"


def test_a_village_that_is_no_longer_judged_is_gone_and_keeps_its_name() -> None:
    row = gap_row()
    rows = SHOWN.village_verdicts
    found = gap_diff(
        replace(SHOWN, village_verdicts=rows[rows["village_id"] != row["village_id"]]), SHOWN
    ).set_index("gap_id")
    mine = found.loc[f"{row['village_id']}-{row['operator']}"]
    assert (mine["change"], mine["village_name"]) == ("gone", row["village_name"])
    assert pd.isna(mine["status"])


@examples(
    25, 400, st.lists(st.sampled_from(["gaps", "no_power", "verify_power", None]), min_size=4, max_size=4)
)
def test_every_gap_of_either_is_told_once(lists: list[str | None]) -> None:
    rows = SHOWN.village_verdicts.copy()
    rows["list"] = [lists[place % len(lists)] for place in range(len(rows))]
    now = replace(SHOWN, village_verdicts=rows)
    found = gap_diff(now, SHOWN)
    both = {one for each in (rows, SHOWN.village_verdicts) for one in gap_ids(each[each["list"] == "gaps"])}
    assert sorted(found["gap_id"]) == sorted(both)
    assert sum(counts(found).values()) == len(found)
    assert set(found["change"]) <= set(CHANGES)
    assert found[["came_from", "went_into"]].isna().all(axis=None)


# --- villages that changed -----------------------------------------------------------------------


def relisted(into: dict[str, str], lists: list[str | None] | None = None) -> Snapshot:
    """The snapshot after its villages went into others (ids that are not named stay): of each the first one's verdicts."""
    places, rows = SHOWN.villages, SHOWN.village_verdicts
    heirs = places["village_id"].map(lambda one: into.get(one, one))
    shapes = places.geometry.groupby(heirs).agg(lambda parts: shapely.union_all(parts.to_numpy()))
    villages = places.assign(village_id=heirs).drop_duplicates("village_id", ignore_index=True)
    villages = villages.set_geometry(gpd.GeoSeries(shapes.loc[villages["village_id"]].to_numpy(), crs=4326))
    verdicts = rows.assign(village_id=rows["village_id"].map(lambda one: into.get(one, one)))
    verdicts = verdicts.drop_duplicates(["village_id", "operator"], ignore_index=True)
    if lists is not None:
        verdicts["list"] = [lists[place % len(lists)] for place in range(len(verdicts))]
    return replace(SHOWN, villages=villages, village_verdicts=verdicts)


def with_values(snapshot: Snapshot, village: str, **values: Any) -> Snapshot:
    """The same with other values of one village for the first operator."""
    rows = snapshot.village_verdicts.copy()
    mine = (rows["village_id"] == village) & (rows["operator"] == OPERATOR)
    for name, value in values.items():
        rows.loc[mine, name] = value
    return replace(snapshot, village_verdicts=rows)


OPERATOR = "45204"
DEAD: dict[str, Any] = {"list": "gaps", "status": "trang_song", "not_spot": "total", "dead_share": 1.0}
SERVED: dict[str, Any] = {"list": None, "status": "phu_song", "not_spot": None, "dead_share": None}
PARTLY: dict[str, Any] = {"list": "gaps", "status": "lom_song", "not_spot": "total"}
ONE, OTHER, HEIR = "V0010", "V0011", "N0010"
MERGED = relisted({ONE: HEIR, OTHER: HEIR})


def became(now: Snapshot, before: Snapshot, earlier: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Of the gaps of these villages: what became of them, and from and into which ids."""
    found = gap_diff(now, before, earlier)
    mine = found[found["village_id"].isin([ONE, OTHER, HEIR]) & (found["operator"] == OPERATOR)]
    told = (
        mine[["village_id", "change", "came_from", "went_into"]]
        .fillna("")
        .replace(f"-{OPERATOR}", "", regex=True)
    )
    return {village: tuple(row) for village, *row in told.to_numpy().tolist()}


def pair(one: dict[str, Any], other: dict[str, Any], people: float = 100) -> Snapshot:
    first = with_values(SHOWN, ONE, population=100, **one)
    return with_values(first, OTHER, population=people, **other)


def heir(values: dict[str, Any]) -> Snapshot:
    return with_values(MERGED, HEIR, population=200, **values)


FROM_BOTH = f"{ONE} {OTHER}"


@pytest.mark.parametrize(
    ("one", "other", "together", "changes"),
    [
        (DEAD, DEAD, DEAD, ("merged", "merged", "same")),
        # Nobody's signal changed: half of the people were without it, and are.
        (DEAD, SERVED, PARTLY | {"dead_share": 0.5}, ("merged", "", "same")),
        (DEAD, SERVED, PARTLY | {"dead_share": 0.55}, ("merged", "", "worse")),
        (DEAD, SERVED, PARTLY | {"dead_share": 0.549}, ("merged", "", "same")),
        (DEAD, SERVED, PARTLY | {"dead_share": 0.45}, ("merged", "", "better")),
        (DEAD, DEAD, PARTLY | {"dead_share": 1.0}, ("merged", "merged", "better")),
        # What is not known of both together is not compared.
        (DEAD, {"list": "need_measurement", "status": "chua_du_bang_chung", "not_spot": None, "dead_share": None},
         PARTLY | {"dead_share": 0.1}, ("merged", "", "same")),
        (SERVED, SERVED, DEAD, ("", "", "new")),
        (DEAD, DEAD, SERVED, ("closed", "closed", "")),
        (DEAD, SERVED, DEAD | {"list": "verify_power"}, ("power_doubted", "", "")),
        (DEAD, SERVED, DEAD | {"list": "no_power"}, ("without_power", "", "")),
        (DEAD, SERVED, {"list": None, "status": "chua_co_du_lieu"}, ("unproven", "", "")),
    ],
)  # fmt: skip
def test_merged_villages_are_compared_as_one(
    one: dict[str, Any], other: dict[str, Any], together: dict[str, Any], changes: tuple[str, str, str]
) -> None:
    wanted = {
        ONE: (changes[0], "", HEIR),
        OTHER: (changes[1], "", HEIR),
        HEIR: (changes[2], FROM_BOTH, ""),
    }
    assert became(heir(together), pair(one, other)) == {k: v for k, v in wanted.items() if v[0]}


@pytest.mark.parametrize(
    ("whole", "one", "other", "changes"),
    [
        (DEAD, DEAD, DEAD, ("split", "same", "same")),
        # The share was that of all of them: the dead part did not become worse by being drawn alone.
        (PARTLY | {"dead_share": 0.5}, DEAD, SERVED, ("split", "same", "")),
        (PARTLY | {"dead_share": 0.4}, DEAD, SERVED, ("split", "worse", "")),
        (SERVED, DEAD, SERVED, ("", "new", "")),
        (DEAD, SERVED, SERVED, ("closed", "", "")),
        (DEAD, SERVED, {"list": None, "status": "chua_co_du_lieu"}, ("unproven", "", "")),
    ],
)
def test_the_parts_of_a_village_are_compared_with_it_as_one(
    whole: dict[str, Any], one: dict[str, Any], other: dict[str, Any], changes: tuple[str, str, str]
) -> None:
    wanted = {HEIR: (changes[0], "", FROM_BOTH), ONE: (changes[1], HEIR, ""), OTHER: (changes[2], HEIR, "")}
    assert became(pair(one, other), heir(whole)) == {k: v for k, v in wanted.items() if v[0]}


def test_a_village_that_took_in_another_keeps_its_gap() -> None:
    both = relisted({OTHER: ONE})
    now = with_values(both, ONE, population=200, **DEAD)
    assert became(now, pair(DEAD, DEAD)) == {ONE: ("same", OTHER, ""), OTHER: ("merged", "", ONE)}
    assert became(now, pair(SERVED, DEAD)) == {ONE: ("worse", OTHER, ""), OTHER: ("merged", "", ONE)}
    closed = with_values(both, ONE, population=200, **SERVED)
    assert became(closed, pair(DEAD, DEAD)) == {ONE: ("closed", OTHER, ""), OTHER: ("closed", "", ONE)}
    # And the other way round: the dead part was drawn alone, what stays is served.
    assert became(pair(SERVED, DEAD), now) == {ONE: ("split", "", OTHER), OTHER: ("better", ONE, "")}


def test_a_recoded_gap_is_compared_with_itself() -> None:
    now = relisted({ONE: HEIR})
    before = with_values(SHOWN, ONE, **DEAD)
    assert became(with_values(now, HEIR, **DEAD), before)[HEIR] == ("same", ONE, "")
    assert ONE not in became(with_values(now, HEIR, **DEAD), before)
    assert became(with_values(now, HEIR, **PARTLY), before)[HEIR] == ("better", ONE, "")
    assert became(with_values(now, HEIR, **SERVED), before)[ONE] == ("closed", "", HEIR)
    served = with_values(SHOWN, ONE, **SERVED)
    assert became(with_values(now, HEIR, **DEAD), served)[HEIR] == ("new", ONE, "")
    assert became(with_values(now, HEIR, **DEAD), served, (f"{ONE}-{OPERATOR}",))[HEIR] == (
        "reopened",
        ONE,
        "",
    )


def test_values_of_villages_told_together() -> None:
    told = gap_diff(heir(DEAD), pair(DEAD, SERVED, 300)).set_index("gap_id").loc[f"{HEIR}-{OPERATOR}"]
    assert (told["status_before"], told["dead_share_before"], told["list_before"]) == (
        "trang_song",
        0.25,
        "gaps",
    )
    assert told["population_affected_before"] == 100
    assert told["dead_share"] == 1.0


IDS = SHOWN.villages["village_id"].tolist()


@examples(
    15,
    300,
    st.lists(st.sampled_from([*IDS, *[f"N{place}" for place in range(12)]]), min_size=30, max_size=30),
    st.lists(st.sampled_from(["gaps", "no_power", "verify_power", None]), min_size=4, max_size=4),
    st.booleans(),
)
def test_whatever_became_of_villages_every_gap_is_told_once(
    heirs: list[str], lists: list[str | None], backwards: bool
) -> None:
    # An id that stays is that of a village that stays: nobody takes over the id of one that is elsewhere now.
    named = dict(zip(IDS, heirs, strict=True))
    into = {one: other for one, other in named.items() if other.startswith("N") or named[other] == other}
    now, before = relisted(into, lists), SHOWN
    if backwards:
        now, before = before, now
    found = gap_diff(now, before)
    assert sum(counts(found).values()) == len(found)
    assert not found["gap_id"].duplicated().any()
    gaps, gaps_before = (
        set(gap_ids(one.village_verdicts[one.village_verdicts["list"] == "gaps"])) for one in (now, before)
    )
    untold = gaps_before - set(found["gap_id"])
    assert set(found["gap_id"]) == (gaps | gaps_before) - untold
    came_from = found["came_from"].fillna("").str.split("-").map(len) - 1
    recoded = found[(came_from == 1) & found["came_from"].isin(untold)]
    assert sorted(recoded["came_from"]) == sorted(untold)
    for row in found.fillna({"came_from": "", "went_into": ""}).itertuples():
        roots = {one for one in gaps_before if one in f"{row.came_from} {row.gap_id}"}
        heirs_now = {one for one in gaps if one in f"{row.went_into} {row.gap_id}"}
        assert row.change not in {"new", "reopened"} or not roots
        assert row.change != "gone" or not heirs_now
        assert row.change not in {"merged", "split", "redrawn"} or heirs_now


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = open_workspace(tmp_path / "workspace")
    add_two_villages(opened, tmp_path)
    yield opened


def moved(workspace: Workspace, **changes: Any) -> None:
    """The layer of villages with other values for the near village."""
    villages = gpd.GeoDataFrame(load_layer(workspace, "villages"))
    for name, value in changes.items():
        villages.loc[villages["village_id"] == "near", name] = value
    replace_layer(workspace, "villages", villages)


def test_ids_last_and_each_step_is_told_truly(workspace: Workspace, tmp_path: Path) -> None:
    """Ten assessments: more evidence, a moved point, a merged commune, a withdrawal, service at last, a relapse."""

    def send(lines: list[str], name: str) -> str:
        (receipt,) = read(workspace, [crew_file(tmp_path, lines, name)])
        return receipt.upload_id

    def silent(crew: str) -> list[str]:
        return [line.replace("phone-", crew) for line in crew_lines()]

    steps: list[str] = []

    def step() -> dict[str, str]:
        steps.append(pipeline.assess(workspace, DAY).snapshot_id)
        if len(steps) == 1:
            return {}
        found = diff_command.diff_of(workspace, steps[-2], steps[-1], None)
        return {row["gap_id"]: row["change"] for row in found["gaps"]}

    thin = send([line.replace("phone-", "first-") for line in crew_lines()[:4]], "thin.csv")
    step()
    silence = send(silent("second-"), "silent.csv")
    assert step() == {"near-45204": "new"}
    send(silent("third-"), "more.csv")
    assert step() == {"near-45204": "same"}
    moved(workspace, centre_lat=LAT + 0.0003)
    assert step() == {"near-45204": "same"}
    moved(workspace, commune_code="24999", commune_name="Xã Mới")
    assert step() == {"near-45204": "same"}
    uploads.withdraw(workspace, silence, "nhầm SIM")
    assert step() == {"near-45204": "same"}  # the third crew's phones still prove it
    (third,) = [one for one in uploads.list_uploads(workspace) if one["file"] == "more.csv"]
    uploads.withdraw(workspace, third["upload_id"], "nhầm máy")
    assert step() == {"near-45204": "unproven"}
    uploads.restore(workspace, silence)
    assert step() == {"near-45204": "reopened"}
    for one in (thin, silence):
        uploads.withdraw(workspace, one, "nhầm SIM")
    heard = send([line.replace("phone-", "fourth-") for line in crew_lines("in_service", "-85")], "good.csv")
    assert step() == {"near-45204": "closed"}
    uploads.withdraw(workspace, heard, "nhầm máy")
    for one in (thin, silence):
        uploads.restore(workspace, one)
    assert step() == {"near-45204": "reopened"}
    assert len(set(steps)) == 9  # the last one is the eighth again


def relist(workspace: Workspace, folder: Path, **villages: tuple[float, float]) -> None:
    """Another list of villages, each from one longitude to another; all have power, and none says what was before."""
    rows, shapes = [], []
    for village_id, (west, east) in villages.items():
        rows.append(
            {
                "village_id": village_id,
                "name": f"Buôn {village_id}",
                "households": 100 * round((east - west) * 50),
            }
        )
        rows[-1] |= {
            "centre_lat": LAT,
            "centre_lon": LON + west + 0.01,
            "population": 4 * rows[-1]["households"],
        }
        shapes.append(shapely.box(LON + west, LAT - 0.01, LON + east, LAT + 0.01))
    gpd.GeoDataFrame(rows, geometry=shapes, crs=4326).to_file(folder / "list.geojson")
    lines = [
        f"{one['village_id']},{one['households']},{one['households']},utility,2026-01-01" for one in rows
    ]
    (folder / "list.csv").write_text(
        "\n".join(["village_id,households,households_grid,source,as_of", *lines]) + "\n"
    )
    intake_places.add_places(workspace, "villages", folder / "list.geojson")
    intake_places.add_places(workspace, "power", folder / "list.csv")


def test_the_story_of_villages_that_are_merged_recoded_and_split_again(
    workspace: Workspace, tmp_path: Path
) -> None:
    steps: list[str] = []

    def send(crew: str, east: float, state: str = "no_service", level: str = "") -> str:
        lines = [
            line.replace("phone-", crew).replace(f",{LON},", f",{LON + east},")
            for line in crew_lines(state, level)
        ]
        (receipt,) = read(workspace, [crew_file(tmp_path, lines, f"{crew}.csv")])
        return receipt.upload_id

    def step(**villages: tuple[float, float]) -> dict[str, tuple[str, str | None, str | None]]:
        if villages:
            relist(workspace, tmp_path, **villages)
        steps.append(pipeline.assess(workspace, DAY).snapshot_id)
        if len(steps) == 1:
            return {}
        found = diff_command.diff_of(workspace, steps[-2], steps[-1], None)
        sides = ("change", "came_from", "went_into")
        return {
            row["gap_id"].removesuffix("-45204"): tuple(row[side] for side in sides) for row in found["gaps"]
        }

    silence = [send("west-", 0), send("east-", 0.02)]
    west, east, whole = (-0.01, 0.01), (0.01, 0.03), (-0.01, 0.03)
    step(w=west, e=east, far=(0.2, 0.22))
    assert step(m=whole, far=(0.2, 0.22)) == {
        "w": ("merged", None, "m-45204"),
        "e": ("merged", None, "m-45204"),
        "m": ("same", "e-45204 w-45204", None),
    }
    assert step(m2=whole, far=(0.2, 0.22)) == {"m2": ("same", "m-45204", None)}
    assert step(w2=west, e2=east, far=(0.2, 0.22)) == {
        "m2": ("split", None, "e2-45204 w2-45204"),
        "w2": ("same", "m2-45204", None),
        "e2": ("same", "m2-45204", None),
    }
    assert step(w2=whole, far2=(0.2, 0.22)) == {
        "w2": ("same", "e2-45204", None),
        "e2": ("merged", None, "w2-45204"),
    }
    for one in silence:
        uploads.withdraw(workspace, one, "nhầm SIM")
    heard = [send("good-", 0, "in_service", "-85"), send("fine-", 0.02, "in_service", "-85")]
    assert step(w3=whole) == {"w2": ("closed", None, "w3-45204")}
    assert step(w4=west, e4=east) == {}
    for one in heard:
        uploads.withdraw(workspace, one, "nhầm máy")
    uploads.restore(workspace, silence[0])
    # It was a gap under three other ids.
    assert step() == {"w4": ("reopened", None, None)}
    text = diff_command.as_text(diff_command.diff_of(workspace, steps[0], steps[1], None))
    assert "nối tiếp từ mã khác" in text
    assert "(w-45204; sang / into: m-45204)" in text
    assert "     2  Thôn đã sáp nhập, vùng lõm còn ở thôn mới / Village merged: the gap goes on there" in text
    assert "sáp nhập" not in diff_command.as_text(diff_command.diff_of(workspace, steps[6], steps[7], None))
    out = tmp_path / "merged.csv"
    diff_command.diff_of(workspace, steps[0], steps[1], out)
    assert pd.read_csv(out).set_index("gap_id").loc["m-45204", "came_from"] == "e-45204 w-45204"


def test_the_command_line_tells_it_and_writes_it(workspace: Workspace, tmp_path: Path) -> None:
    from typer.testing import CliRunner  # noqa: PLC0415

    read(workspace, [crew_file(tmp_path, crew_lines("in_service", "-85"), "good.csv")])
    before = pipeline.assess(workspace, DAY).snapshot_id
    silent = [line.replace("phone-", "other-").replace("45204", "45201") for line in crew_lines()]
    read(workspace, [crew_file(tmp_path, silent, "silent.csv")])
    after = pipeline.assess(workspace, DAY).snapshot_id
    at = ["-w", str(workspace.root)]
    runner = CliRunner()
    listed = runner.invoke(app, ["snapshots", "--json", *at])
    assert [one["snapshot_id"] for one in json.loads(listed.stdout)] == [after, before]
    out = tmp_path / "diff.csv"
    found = runner.invoke(app, ["diff", before, after, "-o", str(out), "--json", *at])
    assert json.loads(found.stdout)["counts"]["new"] == 1
    table = pd.read_csv(out)
    assert table["change"].tolist() == ["new"]
    assert "Mới phát hiện" in runner.invoke(app, ["diff", before, after, *at]).stdout
    assert history.latest_id(workspace) == after
