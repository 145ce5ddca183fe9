"""End to end: files in, gap list out; and the two truths that rule everything."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from measurements import LAT, LON, MORNING

from coverage import intake, intake_places, pipeline
from coverage.archive import history, uploads
from coverage.archive.snapshots import Snapshot
from coverage.archive.uploads import Receipt
from coverage.archive.workspace import Workspace, existing_workspace, open_workspace
from coverage.errors import FileRefused, NotFound, PlacesRefused
from coverage.exports import lists
from coverage.logs.context import Context
from coverage.simulate import simulate

AS_OF = date(2026, 11, 1)
HEADER = "time,lat,lon,operator,technology,service_state,rsrp_dbm,device,accuracy_m"


def read(workspace: Workspace, paths: Iterable[Path], context: Context | None = None) -> list[Receipt]:
    """Receipts of the files, each row of each accounted for."""
    found = [one for path in paths for one in intake.ingest(workspace, path, context or Context())]
    receipts = [one for one in found if isinstance(one, Receipt)]
    assert len(receipts) == len(found), [one for one in found if isinstance(one, FileRefused)]
    for one in receipts:
        assert one.rows == one.accepted + one.duplicates + one.rejected + one.quarantined
    return receipts


def assess(workspace: Workspace, as_of: date = AS_OF) -> Snapshot:
    pipeline.assess(workspace, as_of)
    return history.latest(workspace)


# --- a small hand-made area: two villages, one crew's files --------------------------------------


def add_two_villages(workspace: Workspace, folder: Path) -> None:
    near, far = (
        shapely.box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01),
        shapely.box(108.6, 11.9, 108.62, 11.92),
    )
    rows = [
        {"village_id": "near", "name": "Buôn Gần", "centre_lat": LAT, "centre_lon": LON, "households": 80},
        {"village_id": "far", "name": "Buôn Xa", "centre_lat": 11.91, "centre_lon": 108.61, "households": 60},
    ]
    gpd.GeoDataFrame(rows, geometry=[near, far], crs=4326).to_file(folder / "villages.geojson")
    (folder / "power.csv").write_text(
        "village_id,households,households_grid,source,as_of\nnear,80,80,utility,2026-01-01\nfar,60,60,utility,2026-01-01\n"
    )
    intake_places.add_places(workspace, "villages", folder / "villages.geojson")
    intake_places.add_places(workspace, "power", folder / "power.csv")


def crew_lines(state: str = "no_service", level: str = "") -> list[str]:
    """Three phones, three days, four spots around the centre of the near village."""
    technology = "" if state == "no_service" else "LTE"
    return [
        f"{(MORNING + pd.Timedelta(days=day, minutes=40 * spot, seconds=second)).isoformat()}Z,"
        f"{LAT + 0.0015 * (spot - 2)},{LON},45204,{technology},{state},{level},phone-{device},5"
        for device in range(3)
        for day in range(3)
        for spot in range(4)
        for second in range(3)
    ]


def crew_file(folder: Path, lines: list[str], name: str = "crew.csv") -> Path:
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder / name


@pytest.fixture(scope="module")
def two_villages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two villages, of which every test has a copy."""
    folder = tmp_path_factory.mktemp("two_villages")
    add_two_villages(open_workspace(folder / "workspace"), folder)
    return folder / "workspace"


@pytest.fixture
def workspace(two_villages: Path, tmp_path: Path) -> Workspace:
    return existing_workspace(shutil.copytree(two_villages, tmp_path / "workspace"))


def statuses(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    rows = snapshot.village_verdicts
    return dict(zip(zip(rows["village_id"], rows["operator"], strict=True), rows["status"], strict=True))


def test_a_silent_village_with_power_is_a_gap_and_an_unmeasured_one_is_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    read(workspace, [crew_file(tmp_path, crew_lines())], Context(source="drive_test"))
    snapshot = assess(workspace)
    found = lists.select(snapshot, "gaps")
    assert found[["village_id", "operator", "status"]].to_numpy().tolist() == [
        ["near", "45204", "trang_song"]
    ]
    assert found.iloc[0]["not_spot"] == "undetermined"  # the other operators were not tested
    assert statuses(snapshot)["far", "45204"] == "chua_co_du_lieu"
    area = found.geometry.iloc[0]
    assert not area.is_empty
    assert snapshot.villages.set_index("village_id").geometry["near"].buffer(1e-9).contains(area)


def add_outages(workspace: Workspace, folder: Path, *lines: str) -> None:
    path = folder / "outages.csv"
    path.write_text("\n".join(["Mã thôn,Nhà mạng,Từ,Đến,Nguồn", *lines]) + "\n", encoding="utf-8")
    intake_places.add_places(workspace, "outages", path)


def test_what_failed_during_known_outages_accuses_nobody(workspace: Workspace, tmp_path: Path) -> None:
    # The crew came on the mornings of 1, 2 and 3 October; on two of them the power was cut.
    read(workspace, [crew_file(tmp_path, crew_lines())], Context(source="drive_test"))
    add_outages(
        workspace,
        tmp_path,
        "near,,01/10/2026 06:00,01/10/2026 22:00,điện lực",
        "near,Viettel,2026-10-02 00:00,2026-10-03 00:00,nhà mạng",
    )
    snapshot = assess(workspace)
    assert lists.select(snapshot, "gaps").empty
    one = lists.select(snapshot, "need_measurement", operator="45204").set_index("village_id").loc["near"]
    assert (one["status"], one["sub_reason"]) == ("chua_du_bang_chung", "suspected_outage")
    assert "sự cố" in one["reason"]
    assert "outage" in one["reason_en"]


def test_outages_of_another_operator_village_or_day_change_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    read(workspace, [crew_file(tmp_path, crew_lines())], Context(source="drive_test"))
    before = assess(workspace).village_verdicts
    add_outages(
        workspace,
        tmp_path,
        "near,MobiFone,2026-10-01 00:00,2026-10-04 00:00,nhà mạng",
        "far,,2026-10-01 00:00,2026-10-04 00:00,điện lực",
        "near,,2026-09-01 00:00,2026-09-30 00:00,điện lực",
    )
    pd.testing.assert_frame_equal(assess(workspace).village_verdicts, before)


def test_a_village_measured_only_in_an_outage_is_undecided_not_unmeasured(
    workspace: Workspace, tmp_path: Path
) -> None:
    read(workspace, [crew_file(tmp_path, crew_lines())], Context(source="drive_test"))
    add_outages(workspace, tmp_path, "near,,2026-09-30 00:00,2026-10-09 00:00,điện lực")
    snapshot = assess(workspace)
    assert statuses(snapshot)["near", "45204"] == "chua_du_bang_chung"
    row = snapshot.village_verdicts.set_index(["village_id", "operator"]).loc[("near", "45204")]
    assert (row["tests"], row["sub_reason"], row["outage_tests"] > 0) == (0, "suspected_outage", True)


def test_a_dead_cluster_outside_its_village_keeps_its_dead_area(workspace: Workspace, tmp_path: Path) -> None:
    # 5.5 km north of the boundary: told, and judged all the same.
    north = LAT + 0.06
    (tmp_path / "clusters.csv").write_text(f"village_id,cluster_id,lat,lon\nnear,k1,{north},{LON}\n")
    report = intake_places.add_places(workspace, "clusters", tmp_path / "clusters.csv")
    assert [note.code for note in report.notes] == ["cluster_outside"]
    shifted = [shift_north(line, 0.06) for line in crew_lines()]
    read(workspace, [crew_file(tmp_path, shifted)], Context(source="drive_test"))
    found = lists.select(assess(workspace), "gaps").set_index("village_id")
    assert found.loc["near", "status"] == "lom_song"
    assert not found.geometry.is_empty.any()


def shift_north(line: str, degrees: float) -> str:
    time, lat, rest = line.split(",", 2)
    return f"{time},{float(lat) + degrees},{rest}"


def test_a_cluster_of_another_place_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "clusters.csv").write_text(f"village_id,cluster_id,lat,lon\nfar,k1,{LAT - 1},{LON}\n")
    with pytest.raises(PlacesRefused, match="km from village far"):
        intake_places.add_places(workspace, "clusters", tmp_path / "clusters.csv")


def test_what_was_said_of_a_file_holds_until_another_value_is_given(
    workspace: Workspace, tmp_path: Path
) -> None:
    lines = [line.replace(",45204,", ",,") for line in crew_lines()]
    file = crew_file(tmp_path, lines)
    (first,) = read(workspace, [file], Context(operator="Viettel", calibrated=True, device="scanner"))
    (again,) = read(workspace, [file])
    assert (again.effect, again.accepted) == ("already_received", first.accepted)
    (other,) = read(workspace, [file], Context(operator="MobiFone"))
    assert (other.effect, other.operator) == ("replaced", "45201")
    kept = uploads.context_of(workspace, first.upload_id)
    assert kept is not None
    assert (kept.calibrated, kept.device) == (
        True,
        uploads.show(workspace, first.upload_id)["context"]["device"],
    )
    (taken_back,) = read(workspace, [file], Context(calibrated=False))
    assert (taken_back.effect, taken_back.operator) == ("replaced", "45201")


def test_a_covered_village_is_no_gap(workspace: Workspace, tmp_path: Path) -> None:
    read(workspace, [crew_file(tmp_path, crew_lines("in_service", "-85"))])
    snapshot = assess(workspace)
    assert lists.select(snapshot, "gaps").empty
    assert statuses(snapshot)["near", "45204"] in {"phu_song", "chua_du_bang_chung"}


def test_reordering_and_splitting_a_file_changes_nothing(tmp_path: Path) -> None:
    lines = crew_lines()[:80] + crew_lines("in_service", "-118")[40:]
    shuffled = random.Random(4).sample(lines, len(lines))
    cuts = {
        "whole": [lines],
        "shuffled": [shuffled],
        "split": [shuffled[:50], shuffled[50:90], lines[:20], shuffled[90:]],
    }
    found = {}
    for name, pieces in cuts.items():
        folder = tmp_path / name
        folder.mkdir()
        workspace = open_workspace(folder / "w")
        (workspace.root / "device.key").write_text("00" * 32)
        add_two_villages(workspace, folder)
        read(workspace, [crew_file(folder, piece, f"{i}.csv") for i, piece in enumerate(pieces)])
        found[name] = assess(workspace)
    for name in ("shuffled", "split"):
        pd.testing.assert_frame_equal(found[name].village_verdicts, found["whole"].village_verdicts)
        pd.testing.assert_frame_equal(found[name].hex_verdicts, found["whole"].hex_verdicts)


def test_withdrawing_an_upload_equals_never_having_had_it(workspace: Workspace, tmp_path: Path) -> None:
    before = assess(workspace)
    (receipt,) = read(workspace, [crew_file(tmp_path, crew_lines())])
    during = assess(workspace)
    uploads.withdraw(workspace, receipt.upload_id, "thử")
    after = assess(workspace)
    uploads.restore(workspace, receipt.upload_id)
    again = assess(workspace)
    assert (before.info.snapshot_id, during.info.snapshot_id) == (
        after.info.snapshot_id,
        again.info.snapshot_id,
    )
    assert not lists.select(during, "gaps").empty
    pd.testing.assert_frame_equal(before.village_verdicts, after.village_verdicts)


def test_overlapping_uploads_count_once_and_either_may_be_withdrawn(
    workspace: Workspace, tmp_path: Path
) -> None:
    lines = crew_lines()
    first, second = read(
        workspace, [crew_file(tmp_path, lines, "1.csv"), crew_file(tmp_path, lines[1:], "2.csv")]
    )
    both = assess(workspace).village_verdicts
    uploads.withdraw(workspace, second.upload_id, "trùng")
    pd.testing.assert_frame_equal(assess(workspace).village_verdicts, both)
    uploads.restore(workspace, second.upload_id)
    uploads.withdraw(workspace, first.upload_id, "trùng")
    left = assess(workspace).village_verdicts
    pd.testing.assert_frame_equal(left.drop(columns="reason"), both.drop(columns="reason"))


def test_no_measurement_at_all_leaves_every_village_unmeasured(workspace: Workspace) -> None:
    snapshot = assess(workspace)
    assert set(statuses(snapshot).values()) == {"chua_co_du_lieu"}
    assert set(snapshot.village_verdicts["operator"]) == {"45201", "45202", "45204", "45205"}


def test_without_villages_there_is_nothing_to_judge(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="places add villages"):
        pipeline.assess(open_workspace(tmp_path / "w"), AS_OF)


# --- a simulated province ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path, Snapshot]:
    folder = tmp_path_factory.mktemp("province")
    simulate(folder / "sample", villages=24, measurements=20_000, seed=11)
    workspace = open_workspace(folder / "workspace")
    for kind, name in (
        ("communes", "communes.geojson"),
        ("villages", "villages.geojson"),
        ("clusters", "clusters.geojson"),
        ("power", "power.csv"),
    ):
        intake_places.add_places(workspace, kind, folder / "sample" / name)  # type: ignore[arg-type]
    receipts = read(workspace, sorted((folder / "sample" / "logs").iterdir()))
    assert sum(one.rows for one in receipts) == pytest.approx(20_000, rel=0.02)
    return workspace, folder / "sample", assess(workspace)


def test_no_village_is_accused_wrongly_in_the_simulated_province(province: tuple) -> None:
    _, sample, snapshot = province
    truth = pd.read_csv(sample / "truth.csv", dtype={"operator": str})
    both = snapshot.village_verdicts.merge(truth, on=["village_id", "operator"], suffixes=("", "_true"))
    assert len(both) == len(truth) == 24 * 4
    assert both.loc[both["list"] == "gaps", "gap"].all()
    served = both[both["status"] == "phu_song"]
    assert not served["status_true"].isin(["trang_song", "lom_song"]).any()
    # Covered is under a fifth of fails; of the places called so the worst may lie on that edge.
    assert (served["p_fail_worst"] < 0.25).all()
    assert (served["p_fail_worst"] < 0.2).mean() > 0.95
    assert len(served) > 20


def test_every_row_of_the_gap_list_stands_on_its_floors(province: tuple) -> None:
    _, _, snapshot = province
    places = snapshot.place_verdicts
    dead = places[places["verdict"] == "dead_zone"]
    assert (dead["fail_devices"] >= 2).all()
    assert (dead["fail_dates"] >= 2).all()
    assert (dead["fail_hexes"] >= 2).all()
    assert (dead["effective_fails"] >= 3).all()
    unmeasured = places[places["tests"] == 0]
    assert not unmeasured["verdict"].isin(["dead_zone", "below_standard", "covered"]).any()


def test_reading_the_same_files_again_adds_nothing(province: tuple) -> None:
    workspace, sample, snapshot = province
    again = read(workspace, sorted((sample / "logs").iterdir())[:20])
    assert {one.effect for one in again} == {"already_received"}
    assert assess(workspace).info.snapshot_id == snapshot.info.snapshot_id


# --- real logs -----------------------------------------------------------------------------------


def squares_over(west: float, south: float, east: float, north: float, count: int = 5) -> gpd.GeoDataFrame:
    rows, shapes = [], []
    for i in range(count):
        for j in range(count):
            width, height = (east - west) / count, (north - south) / count
            x, y = west + i * width, south + j * height
            rows.append({"village_id": f"{i}-{j}", "centre_lat": y + height / 2, "centre_lon": x + width / 2})
            shapes.append(shapely.box(x, y, x + width, y + height))
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=4326)


def assess_real(tmp_path: Path, paths: list[Path], context: Context, box: tuple, as_of: date) -> Snapshot:
    workspace = open_workspace(tmp_path / "workspace")
    squares_over(*box).to_file(tmp_path / "squares.geojson")
    intake_places.add_places(workspace, "villages", tmp_path / "squares.geojson")
    first = read(workspace, paths, context)
    second = read(workspace, paths, context)
    assert {one.effect for one in first} == {"added"}
    assert {(one.effect, one.added_rows) for one in second} == {("already_received", 0)}
    return assess(workspace, as_of)


@pytest.mark.realdata
def test_senegal_sentinels_are_no_fails_and_flapping_makes_no_dead_zone(
    real_data: Path, tmp_path: Path
) -> None:
    logs = [real_data / "logs" / "gnettrack-senegal" / f"{name}_log.txt" for name in ("Orange", "Yas")]
    context = Context(source="drive_test", timezone="Africa/Dakar")
    box = (-17.45, 14.65, -17.42, 14.68)
    snapshot = assess_real(tmp_path, logs, context, box, date(2025, 8, 1))
    for verdicts in (snapshot.hex_verdicts, snapshot.place_verdicts):
        for column in ("verdict", "verdict_at_105", "verdict_at_121"):
            assert not verdicts[column].isin(["dead_zone", "below_standard"]).any()
    orange = snapshot.hex_verdicts[snapshot.hex_verdicts["operator"] == "60801"]
    assert (orange["fails"] == 0).all()
    assert (orange["no_service_share"] == 0).all()


@pytest.mark.realdata
def test_cork_goes_in_whole_and_nothing_is_convicted_on_one_phone(real_data: Path, tmp_path: Path) -> None:
    archive = real_data / "logs" / "gnettrack-cork" / "cork-netflix-amazon.zip"
    box = (-8.6, 51.8, -8.3, 52.0)
    snapshot = assess_real(tmp_path, [archive], Context(timezone="Europe/Dublin"), box, date(2020, 2, 1))
    assert snapshot.info.measurements == 145_503
    assert not (snapshot.place_verdicts["verdict"] == "dead_zone").any()


@pytest.mark.realdata
def test_three_columns_go_in_once_somebody_says_what_they_are(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "logs" / "minimal-tehran" / "drive_test.csv"
    context = Context(operator="43211", technology="LTE", date=date(2026, 5, 1), timezone="Asia/Tehran")
    box = (51.28, 35.68, 51.44, 35.78)
    snapshot = assess_real(tmp_path, [path], context, box, date(2026, 6, 1))
    assert snapshot.info.measurements == 715
    assert not (snapshot.hex_verdicts["verdict"] == "dead_zone").any()


def test_known_radio_sites_change_no_verdict(workspace: Workspace, tmp_path: Path) -> None:
    before = assess(workspace)
    path = tmp_path / "sites.csv"
    path.write_text(f"operator,lat,lon\n45204,{LAT},{LON}\n", encoding="utf-8")
    assert intake_places.add_places(workspace, "sites", path).rows == 1
    after = assess(workspace)
    assert after.info.snapshot_id != before.info.snapshot_id
    pd.testing.assert_frame_equal(after.place_verdicts, before.place_verdicts)


def test_outages_added_again_in_another_zone_are_judged_anew(workspace: Workspace, tmp_path: Path) -> None:
    read(workspace, [crew_file(tmp_path, crew_lines())], Context(source="drive_test"))
    path = tmp_path / "outages.csv"
    rows = [f"near,,2026-10-0{day} 07:00,2026-10-0{day} 11:00,điện lực" for day in range(1, 5)]
    path.write_text("\n".join(["Mã thôn,Nhà mạng,Từ,Đến,Nguồn", *rows]) + "\n", encoding="utf-8")
    intake_places.add_places(workspace, "outages", path)
    assert len(lists.select(assess(workspace), "gaps")) == 1
    intake_places.add_places(workspace, "outages", path, intake_places.Given(timezone="UTC"))
    assert lists.select(assess(workspace), "gaps").empty


def test_dates_do_not_hang_on_the_zone_a_file_was_sent_in(tmp_path: Path) -> None:
    # One morning from 06:30 to 08:30 in Việt Nam lies on two dates of UTC.
    lines = [
        f"2026-10-01T23:3{spot}:00Z,{LAT + 0.0015 * spot},{LON},45204,,no_service,,phone-{device},5"
        for device in range(4)
        for spot in range(3)
    ]
    lines += [line.replace("01T23", "02T01") for line in lines]
    found = []
    for zone in ("Asia/Ho_Chi_Minh", "UTC"):
        workspace = open_workspace(tmp_path / zone.replace("/", "-"))
        add_two_villages(workspace, tmp_path)
        read(workspace, [crew_file(tmp_path, lines)], Context(timezone=zone))
        row = assess(workspace).village_verdicts.set_index(["village_id", "operator"]).loc[("near", "45204")]
        found.append((row["status"], row["sub_reason"], row["fails"]))
    assert found[0] == found[1] == ("chua_du_bang_chung", "single_occasion", 24)
