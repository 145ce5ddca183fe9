"""The real files: counts that were taken by hand from the files themselves."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pytest
from test_logs_read import KEY, NAMES, NOW

from coverage.errors import FileRefused
from coverage.logs import Context, Reading, read_file

LOGS = Path(__file__).parents[2] / "shared" / "data" / "logs"
SENEGAL, CORK, TEHRAN = (LOGS / name for name in ("gnettrack-senegal", "gnettrack-cork", "minimal-tehran"))
pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("real_data")]


def readings(path: Path, **said) -> list[Reading]:
    found = list(read_file(path, Context(**said), device_key=KEY, operator_names=NAMES, now=NOW))
    assert all(isinstance(one, Reading) for one in found)
    return found


def counts(one: Reading) -> tuple[int, int, int, int, int]:
    return one.rows, one.accepted, one.duplicates, one.rejected, one.quarantined


def test_dakar_orange():
    (one,) = readings(SENEGAL / "Orange_log.txt", timezone="Africa/Dakar")
    assert counts(one) == (2625, 2625 - 361, 361, 0, 0)
    assert (one.no_service, one.unknown_level) == (0, 1401 + 121 + 32 + 2 + 1)
    table = one.measurements
    assert (
        table.filter(pc.equal(table["technology"], "UMTS"))["rscp_dbm"].null_count
        == table.filter(pc.equal(table["technology"], "UMTS")).num_rows
    )
    assert set(table["service_state"].to_pylist()) == {"in_service"}
    assert set(table["operator"].to_pylist()) == {"60801"}
    assert pc.min_max(table["rsrp_dbm"]).as_py() == {"min": -117, "max": -55}
    assert table["time_utc"][0].as_py() == datetime.datetime(2025, 7, 18, 22, 11, 8)
    assert pc.min_max(table["lat"]).as_py()["min"] > 14


def test_dakar_yas():
    (one,) = readings(SENEGAL / "Yas_log.txt", timezone="Africa/Dakar")
    assert counts(one) == (2719, 2719 - 270, 270, 0, 0)
    assert (one.no_service, one.unknown_level) == (0, 0)
    assert set(one.measurements["technology"].to_pylist()) == {"GSM", "UMTS", "LTE"}


@pytest.mark.parametrize("name", ["Orange_log_events.txt", "Yas_log_events.txt", "Orange_log_datatest.txt"])
def test_dakar_s_other_tables_are_refused(name):
    with pytest.raises(FileRefused, match="G-NetTrack Pro"):
        readings(SENEGAL / name)


def test_cork():
    found = readings(CORK / "cork-netflix-amazon.zip", timezone="Europe/Dublin")
    assert len(found) == 62
    assert [sum(column) for column in zip(*map(counts, found), strict=True)] == [145_503, 145_503, 0, 0, 0]
    assert (sum(one.no_service for one in found), sum(one.unknown_level for one in found)) == (0, 70)
    operators = Counter(name for one in found for name in one.measurements["operator"].to_pylist())
    assert operators == {"B": 145_479, "27203": 24}
    inferred = sum(pc.sum(one.measurements["operator_inferred"]).as_py() for one in found)
    assert inferred == 2
    technologies = Counter(name for one in found for name in one.measurements["technology"].to_pylist())
    assert technologies == {"NR": 106_827, "LTE": 26_008, "UMTS": 11_542 + 484 + 429 + 122, "GSM": 78 + 13}


def test_tehran_with_what_it_lacks():
    said = {
        "operator": "43211",
        "technology": "4G",
        "date": datetime.date(2024, 1, 1),
        "timezone": "Asia/Tehran",
    }
    (one,) = readings(TEHRAN / "drive_test.csv", **said)
    assert counts(one) == (886, 715, 171, 0, 0)
    assert one.unknown_level == 0
    assert set(one.measurements["time_precision"].to_pylist()) == {"date"}


def test_tehran_alone_is_quarantined():
    (one,) = readings(TEHRAN / "drive_test.csv")
    assert counts(one) == (886, 0, 0, 0, 886)
    assert set(one.outcomes["code"].to_pylist()) == {"date_unknown", "operator_unknown", "technology_unknown"}


def test_kassel():
    (one,) = readings(LOGS / "cellmapper-kassel" / "telekom_signal-2022-12-15.csv")
    assert (one.format, counts(one)) == ("cellmapper", (741, 577, 164, 0, 0))
    assert set(one.measurements.column("operator").to_pylist()) == {"26201"}
    assert set(one.measurements.column("technology").to_pylist()) == {"LTE"}


def test_sagunto():
    (one,) = readings(LOGS / "gmon-sagunto" / "Younes_O2_2026-05-08_5G_GMON.csv")
    assert (one.format, counts(one), one.no_service) == ("gmon", (545, 545, 0, 0, 0), 1)
    assert set(one.measurements.column("operator").to_pylist()) == {"21407"}
