"""`phusong calibrate`: the numbers change, nothing else does, and never by half."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_calibration import world
from test_cli import run
from test_flow import add_two_villages

from coverage import criteria as rules_
from coverage import hexes, intake, pipeline, recalibrate
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, open_workspace
from coverage.calibration import fit
from coverage.errors import CriteriaRefused
from coverage.logs.context import Context

AS_OF = date(2026, 11, 1)
NUMBERS = ["device_db", "occasion_db", "test_db", "hex_db", "rho"]
LOGS = Path(__file__).parents[2] / "shared" / "data" / "logs"


def small_floors() -> str:
    """The rules that ship with the package, but that 61 hexes are enough."""
    before, fitted, after = rules_.default_text().partition("[calibration]")
    text = before + fitted + re.sub(r"(?<!measured)_hexes = (50|100|200)\b", "_hexes = 20", after)
    assert text.count("_hexes = 20") == 5
    return text


def survey(folder: Path) -> Path:
    """A log of 12 phones around the near village: three of them at three spots of each of 61 hexes, on two days each."""
    tests = world(rings=4, devices=12, met=3)
    lat, lon = hexes.middles(tests["hex"].to_numpy())
    spot = tests["hex_res10"] % 7 - 1.0
    hour = pd.Timestamp("2026-09-01") + pd.to_timedelta((tests["half_hour"] - 900_000) / 2, unit="h")
    rows = pd.DataFrame(
        {
            "time": hour.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lat": lat + 0.0011 * spot,
            "lon": lon,
            "operator": "45204",
            "technology": np.where(tests["fails"], "", "LTE"),
            "service_state": np.where(tests["fails"], "no_service", "in_service"),
            "rsrp_dbm": tests["rsrp_dbm"]
            .round()
            .clip(-110, -50)
            .astype(int)
            .astype(str)
            .where(~tests["fails"], ""),
            "device": tests["device"],
            "accuracy_m": 5,
        }
    )
    rows.to_csv(folder / "survey.csv", index=False)
    return folder / "survey.csv"


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("surveyed")
    made = open_workspace(folder / "workspace", small_floors())
    (receipt,) = intake.ingest(made, survey(folder), Context())
    assert isinstance(receipt, Receipt)
    assert receipt.accepted == receipt.rows == 61 * 3 * 2 * 3
    return made.root


@pytest.fixture
def workspace(surveyed: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(surveyed, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


def values(text: str) -> dict[str, float]:
    criteria = rules_.parse(text, "t")
    return {name: getattr(criteria.levels, name, criteria.evidence.rho) for name in NUMBERS}


def test_the_fitted_numbers_are_in_force_and_the_rest_of_the_file_is_as_it_was(workspace: Workspace) -> None:
    old, label = workspace.criteria_file.read_text(encoding="utf-8"), workspace.criteria.label
    done = recalibrate.calibrate(workspace, AS_OF)
    new = workspace.criteria_file.read_text(encoding="utf-8")
    assert [one.kept_because for one in done.fits] == [None] * 5
    assert values(new) == {one.quantity.partition(".")[2]: one.after for one in done.fits}
    assert (done.before, done.after) == (label, workspace.criteria.label)
    assert done.before != done.after
    assert done.kept == workspace.root / f"criteria-{label.partition('@')[2]}.toml"
    assert done.kept.read_text(encoding="utf-8") == old
    pairs = list(zip(old.splitlines(), new.splitlines(), strict=True))
    changed = [(was, now) for was, now in pairs if was != now]
    assert [was.split()[0] for was, _ in changed] == ["rho", "device_db", "occasion_db", "test_db", "hex_db"]
    for was, now in changed:
        comment = was[was.index("#") :]
        assert f"{comment} | phusong calibrate 2026-11-01: " in now
        assert now.endswith(" hexes")


def test_again_nothing_changes_and_another_day_replaces_the_remark(workspace: Workspace) -> None:
    recalibrate.calibrate(workspace, AS_OF)
    new = workspace.criteria_file.read_bytes()
    again = recalibrate.calibrate(workspace, AS_OF)
    assert (again.before, again.kept) == (again.after, None)
    assert workspace.criteria_file.read_bytes() == new
    moved = new.decode().replace("test_db = ", "test_db = 1", 1)
    text = recalibrate.with_fits(moved, again.fits, date(2026, 12, 1))
    (line,) = [line for line in text.splitlines() if line.startswith("test_db")]
    assert line.count("phusong calibrate") == 1
    assert "calibrate 2026-12-01" in line


def test_a_dry_run_writes_nothing_and_an_assessment_stays_what_it_was(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_two_villages(workspace, tmp_path)
    before = pipeline.assess(workspace, AS_OF)
    files = {path: path.read_bytes() for path in workspace.root.glob("*.toml")}
    done = recalibrate.calibrate(workspace, AS_OF, dry_run=True)
    assert done.before != done.after
    assert done.kept is None
    assert {path: path.read_bytes() for path in workspace.root.glob("*.toml")} == files
    assert pipeline.assess(workspace, AS_OF) == before


def test_a_calibrated_archive_gives_another_snapshot_under_the_new_rules(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_two_villages(workspace, tmp_path)
    before = pipeline.assess(workspace, AS_OF)
    done = recalibrate.calibrate(workspace, AS_OF)
    after = pipeline.assess(workspace, AS_OF)
    assert (before.criteria, after.criteria) == (done.before, done.after)
    assert before.snapshot_id != after.snapshot_id


# Two files, two renames: after two none fails, and what comes after is as after two.
@pytest.mark.parametrize(
    ("call", "at"), [*(("fsync", at) for at in range(4)), *(("rename", at) for at in range(3))]
)
def test_a_crash_at_any_step_leaves_the_rules_whole(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    old, steps = workspace.criteria_file.read_bytes(), [0]

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def step(*given: object) -> object:
            steps[0] += 1
            if steps[0] > at:
                raise OSError(28, "No space left on device")
            return real(*given)

        return step

    owner = os if call == "fsync" else Path
    monkeypatch.setattr(owner, call, failing(getattr(owner, call)))
    try:
        recalibrate.calibrate(workspace, AS_OF)
    except OSError:
        replaced = workspace.criteria_file.read_bytes() != old
        # The last step is the fsync of the folder: by then the new file stands, whole.
        assert replaced == (call == "fsync" and at == 3)
    else:
        assert (call, at) == ("rename", 2)
    monkeypatch.undo()
    assert not list(workspace.root.glob(".*.part"))
    done = recalibrate.calibrate(workspace, AS_OF)
    assert workspace.criteria.label == done.after
    kept = [path.read_bytes() for path in workspace.root.glob("criteria-*.toml")]
    assert kept == [old]


def test_former_rules_that_differ_in_a_comment_only_are_both_kept(workspace: Workspace) -> None:
    old = workspace.criteria_file.read_text(encoding="utf-8")
    recalibrate.calibrate(workspace, AS_OF)
    workspace.criteria_file.write_text("# bản của tỉnh\n" + old, encoding="utf-8")
    second = recalibrate.calibrate(workspace, AS_OF)
    assert second.kept
    assert second.kept.read_text(encoding="utf-8").startswith("# bản của tỉnh\n")
    assert len(list(workspace.root.glob("criteria-*.toml"))) == 2
    assert workspace.criteria_file.read_text(encoding="utf-8").startswith("# bản của tỉnh\n")


def test_an_edit_made_while_it_fits_is_not_lost(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edited_meanwhile(*given: object) -> object:
        text = workspace.criteria_file.read_text(encoding="utf-8")
        workspace.criteria_file.write_text(text.replace("hours_apart = 12.0", "hours_apart = 8.0"))
        return fit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(recalibrate, "fit", edited_meanwhile)
    recalibrate.calibrate(workspace, AS_OF)
    assert workspace.criteria.floors.hours_apart == 8.0
    assert workspace.criteria.levels.test_db != 5.2


def test_windows_line_ends_and_inline_tables_survive(workspace: Workspace) -> None:
    text = workspace.criteria_file.read_text(encoding="utf-8")
    levels = re.search(r"\[levels\]\n(.*?)\n\n", text, re.DOTALL)
    assert levels
    inline = [line.split("#")[0].strip() for line in levels[1].splitlines() if " = " in line]
    inline = [line for line in inline if line]
    text = text.replace(levels[0], "")
    text = text.replace("[operators]", f"levels = {{ {', '.join(inline)} }}\n\n[operators]", 1)
    workspace.criteria_file.write_bytes(text.replace("\n", "\r\n").encode())
    done = recalibrate.calibrate(workspace, AS_OF)
    new = workspace.criteria_file.read_bytes()
    assert new.count(b"\r\n") == new.count(b"\n") == text.count("\n")
    assert values(new.decode()) == {one.quantity.partition(".")[2]: one.after for one in done.fits}


def test_rules_that_do_not_hold_are_refused_and_left_alone(workspace: Workspace) -> None:
    broken = workspace.criteria_file.read_text(encoding="utf-8").replace("rho = 0.3", "rho = 3")
    workspace.criteria_file.write_text(broken, encoding="utf-8")
    with pytest.raises(CriteriaRefused, match=r"evidence\.rho"):
        recalibrate.calibrate(workspace, AS_OF)
    assert workspace.criteria_file.read_text(encoding="utf-8") == broken


def test_tests_that_have_expired_or_are_to_come_do_not_count(workspace: Workspace) -> None:
    for day in (date(2028, 1, 1), date(2026, 8, 1)):
        done = recalibrate.calibrate(workspace, day)
        assert all(one.pairs == 0 for one in done.fits)


def test_the_command_tells_each_number_in_vietnamese_first(workspace: Workspace, tmp_path: Path) -> None:
    here = ("--workspace", workspace.root, "--as-of", "2026-11-01")
    dry = run("calibrate", *here, "--dry-run", cwd=tmp_path)
    assert dry.returncode == 0
    assert "chưa ghi / dry run" in dry.stdout
    assert not list(workspace.root.glob("criteria-*.toml"))
    real = json.loads(run("calibrate", *here, "--json", cwd=tmp_path).stdout)
    assert {one["quantity"].partition(".")[2] for one in real["fits"]} == set(NUMBERS)
    assert all(one["low"] <= one["estimate"] <= one["high"] and one["devices"] for one in real["fits"])
    assert Path(real["kept"]).exists()
    assert real["after"] == workspace.criteria.label
    again = run("calibrate", *here, cwd=tmp_path)
    assert again.returncode == 0
    assert f"Tiêu chí không đổi / criteria unchanged: {real['after']}" in again.stdout
    for one in real["fits"]:
        assert one["quantity"] in again.stdout


def test_the_command_says_so_where_nothing_can_be_fitted(tmp_path: Path) -> None:
    done = run("calibrate", cwd=tmp_path)
    assert done.returncode == 0
    assert "cần thêm 50 ô" in done.stdout
    assert "too few measurements to fit any number" in done.stdout
    told = json.loads(run("calibrate", "--json", cwd=tmp_path).stdout)
    assert [one["estimate"] for one in told["fits"]] == [None] * 5
    assert run("calibrate", "--as-of", "yesterday", cwd=tmp_path).returncode == 2
    assert run("calibrate", "--no-such", cwd=tmp_path).returncode == 2


@pytest.mark.realdata
@pytest.mark.usefixtures("real_data")
def test_real_drives_in_a_city(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "w")
    context = Context(timezone="Europe/Dublin", source="drive_test", device="cork")
    drives = LOGS / "gnettrack-cork" / "cork-netflix-amazon.zip"
    assert all(isinstance(one, Receipt) for one in intake.ingest(workspace, drives, context))
    done = recalibrate.calibrate(workspace, date(2020, 2, 1))
    found = {one.quantity.partition(".")[2]: one for one in done.fits}
    assert found["test_db"].after == pytest.approx(5.2, abs=0.4)
    assert found["occasion_db"].after == pytest.approx(3.0, abs=0.5)
    assert found["hex_db"].after == pytest.approx(4.8, abs=0.4)
    # One phone: nothing of how phones differ.
    assert found["device_db"].kept_because
    assert found["rho"].kept_because
    assert (workspace.criteria.levels.device_db, workspace.criteria.evidence.rho) == (4.5, 0.3)
