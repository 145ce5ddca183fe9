"""Ten villages read from files: five judged rightly, five whose evidence was made weak on purpose. The reason names why."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from measurements import AS_OF, LAT, LON, MORNING

from coverage import intake, intake_places, pipeline
from coverage.archive import history
from coverage.archive.workspace import open_workspace
from coverage.logs.context import Context

HEADER = "time,lat,lon,operator,technology,service_state,rsrp_dbm,device,accuracy_m,in_vehicle"
STEP = 0.05  # 5.5 km between villages
# Of each village: its readings, the status, words that the Vietnamese and the English reason must hold.
EXPECTED = {
    "dead": ("trang_song", ("không có sóng dùng được", "no usable signal")),
    "weak": ("trang_song", ("RSRP trung vị -119", "median RSRP -119")),
    "served": ("phu_song", ("có sóng", "are covered")),
    "patchy": ("chua_du_bang_chung", ("có sóng nhưng yếu", "a weak one")),
    "unmeasured": ("chua_co_du_lieu", ("chưa đo (không có nghĩa là không có sóng)", "not measured")),
    "one phone": ("chua_du_bang_chung", ("chỉ có một máy đo", "only one phone")),
    "one day": ("chua_du_bang_chung", ("chỉ đo trong một dịp", "on one occasion only")),
    "outage": ("chua_du_bang_chung", ("đúng lúc đã báo", "known to be down")),
    "vehicle": ("chua_du_bang_chung", ("trong xe", "inside a vehicle")),
    "stale": ("chua_co_du_lieu", ("đã quá hạn", "have expired")),
}
NAMES = list(EXPECTED)


def readings(
    village: str,
    level: float | None,
    *,
    phones: int = 3,
    days: int = 3,
    before: int = 0,
    vehicle: str = "false",
    east: float = 0.0,
) -> list[str]:
    """Rows of several phones on several days at four spots around the village's centre; no level = no service."""
    lat = LAT + STEP * NAMES.index(village)
    network = ",no_service," if level is None else f"LTE,in_service,{level}"
    return [
        f"{(MORNING + timedelta(days=day - before, minutes=40 * spot, seconds=second)).isoformat()}Z,"
        f"{lat + 0.0015 * (spot - 2)},{LON + east},45204,{network},phone-{phone},5,{vehicle}"
        for phone in range(phones)
        for day in range(days)
        for spot in range(4)
        for second in range(2)
    ]


def rows() -> list[str]:
    patchy = readings("patchy", -100.0, phones=6) + readings("patchy", None, phones=6, east=0.002)
    return [
        *readings("dead", None),
        *readings("weak", -119.0),
        *readings("served", -92.0),
        *patchy,
        *readings("one phone", None, phones=1, days=5),
        *readings("one day", None, days=1),
        *readings("outage", None),
        *readings("vehicle", -119.0, vehicle="true"),
        *readings("stale", None, before=400),
    ]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("reasons")
    workspace = open_workspace(folder / "workspace")
    lat = [LAT + STEP * at for at in range(len(NAMES))]
    shapes = [shapely.box(LON - 0.01, y - 0.01, LON + 0.01, y + 0.01) for y in lat]
    about = {"village_id": NAMES, "name": NAMES, "centre_lat": lat, "centre_lon": LON, "households": 60}
    gpd.GeoDataFrame(about, geometry=shapes, crs=4326).to_file(folder / "villages.geojson")
    intake_places.add_places(workspace, "villages", folder / "villages.geojson")
    add_outages(workspace, folder)
    (folder / "log.csv").write_text("\n".join([HEADER, *rows()]) + "\n", encoding="utf-8")
    list(intake.ingest(workspace, folder / "log.csv", Context(source="drive_test")))
    pipeline.assess(workspace, AS_OF)
    found = history.latest(workspace).village_verdicts
    return found[found["operator"] == "45204"].set_index("village_id")


def add_outages(workspace: object, folder: Path) -> None:
    days = [MORNING.date() + timedelta(days=day) for day in range(3)]
    lines = [f"outage,,{day} 00:00,{day} 23:00,điện lực" for day in days]
    (folder / "outages.csv").write_text(
        "\n".join(["Mã thôn,Nhà mạng,Từ,Đến,Nguồn", *lines]) + "\n", encoding="utf-8"
    )
    intake_places.add_places(workspace, "outages", folder / "outages.csv")


@pytest.mark.parametrize("village", NAMES)
def test_the_reason_says_what_was_found_or_names_the_weakness(verdicts: pd.DataFrame, village: str) -> None:
    status, (vi, en) = EXPECTED[village]
    one = verdicts.loc[village]
    assert one["status"] == status
    assert vi in one["reason"]
    assert en in one["reason_en"]


@pytest.mark.parametrize("village", NAMES)
def test_no_reason_names_the_weakness_of_another_village(verdicts: pd.DataFrame, village: str) -> None:
    others = {name: words for name, (_, words) in EXPECTED.items() if name != village}
    told = [name for name, (vi, _) in others.items() if vi in verdicts.loc[village, "reason"]]
    # "Dead" and "weak" are both without a usable signal; "served" is part of what the weak one says.
    assert set(told) <= {"dead", "weak", "served"}


def test_every_village_hears_what_would_change_it(verdicts: pd.DataFrame) -> None:
    change = verdicts["what_would_change_en"]
    assert change["one phone"].startswith("At the centre: 1 more fail and it is a dead place; ")
    assert change["one phone"].endswith("(each of another phone, on another day, at another spot).")
    assert "1 more fail" in change["one day"]
    assert "clean passes" in change["dead"]
    assert "in doubt" in change["served"]
    assert change["unmeasured"] == change["stale"] == "Measure where people live in the village."
    assert (verdicts["what_would_change"].str.len() > 20).all()


def test_evidence_before_a_new_site_is_named(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    shape = shapely.box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01)
    about = {"village_id": ["dead"], "name": ["dead"], "centre_lat": [LAT], "centre_lon": [LON]}
    gpd.GeoDataFrame(about, geometry=[shape], crs=4326).to_file(tmp_path / "villages.geojson")
    intake_places.add_places(workspace, "villages", tmp_path / "villages.geojson")
    site = f"site_id,operator,lat,lon,on_air\ns1,45204,{LAT + 0.01},{LON},2026-10-20\n"
    (tmp_path / "sites.csv").write_text(site, encoding="utf-8")
    intake_places.add_places(workspace, "sites", tmp_path / "sites.csv")
    (tmp_path / "log.csv").write_text("\n".join([HEADER, *readings("dead", None)]) + "\n", encoding="utf-8")
    list(intake.ingest(workspace, tmp_path / "log.csv", Context(source="drive_test")))

    def judged(as_of: date) -> pd.Series:
        pipeline.assess(workspace, as_of)
        found = history.latest(workspace).village_verdicts
        return found[found["operator"] == "45204"].iloc[0]

    assert judged(date(2026, 10, 19))["status"] == "trang_song"
    after = judged(AS_OF)
    assert (after["status"], after["sub_reason"]) == ("chua_du_bang_chung", "pre_change")
    assert after["pre_change_tests"] == 36
    assert "before a new site nearby went on air" in after["reason_en"]
    assert "đo lại ở chỗ từng mất sóng" in after["what_would_change"]
    assert "Measure again where it failed: each pass answers" in after["what_would_change_en"]
    again = [HEADER, *readings("dead", -92.0, before=-22)]
    (tmp_path / "again.csv").write_text("\n".join(again) + "\n", encoding="utf-8")
    list(intake.ingest(workspace, tmp_path / "again.csv", Context(source="drive_test")))
    served = judged(AS_OF)  # measured again where it had failed: it need not wait until the old fails expire
    assert (served["status"], served["pre_change_tests"]) == ("phu_song", 36)


def test_passes_of_before_a_new_site_clear_nothing_over_the_fails_that_it_explains_away(
    tmp_path: Path,
) -> None:
    workspace = open_workspace(tmp_path / "workspace")
    shape = shapely.box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01)
    about = {"village_id": ["dead"], "name": ["dead"], "centre_lat": [LAT], "centre_lon": [LON]}
    gpd.GeoDataFrame(about, geometry=[shape], crs=4326).to_file(tmp_path / "villages.geojson")
    intake_places.add_places(workspace, "villages", tmp_path / "villages.geojson")
    half = readings("dead", None, phones=8) + readings("dead", -92.0, phones=8, east=0.002)
    (tmp_path / "log.csv").write_text("\n".join([HEADER, *half]) + "\n", encoding="utf-8")
    list(intake.ingest(workspace, tmp_path / "log.csv", Context(source="drive_test")))

    def judged() -> pd.Series:
        pipeline.assess(workspace, AS_OF)
        found = history.latest(workspace).village_verdicts
        return found[found["operator"] == "45204"].iloc[0]

    assert judged()["sub_reason"] == "weak_service"
    site = f"site_id,operator,lat,lon,on_air\ns1,45204,{LAT + 0.01},{LON},2026-10-20\n"
    (tmp_path / "sites.csv").write_text(site, encoding="utf-8")
    intake_places.add_places(workspace, "sites", tmp_path / "sites.csv")
    after = judged()
    assert after["pre_change_tests"] > 0
    assert after["status"] == "chua_du_bang_chung"
