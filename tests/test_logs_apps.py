"""Formats of apps and analysers of which no real file may be kept: the synthetic samples, and what their rows become.

The samples are written from the documented headers; each test says what the first accepted row holds.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from coverage.logs import Context, Reading, read_file

SYNTHETIC = Path(__file__).parent / "samples" / "synthetic"
DATE = datetime.date(2026, 10, 1)


def reading(path: Path, context: Context | None = None) -> Reading:
    (found,) = read_file(path, context or Context(), device_key=b"key", operator_names={"45204": "Viettel"})
    assert isinstance(found, Reading)
    assert found.rows == found.accepted + found.duplicates + found.rejected + found.quarantined
    return found


def first(found: Reading) -> dict:
    return found.measurements.slice(0, 1).to_pylist()[0]


def codes(found: Reading) -> list[str]:
    return found.outcomes.column("code").to_pylist()


def test_synthetic_tower_collector_keeps_the_serving_cell_only() -> None:
    found = reading(SYNTHETIC / "towercollector/export.csv")
    assert (found.format, found.rows, found.accepted, found.rejected) == ("towercollector", 2, 1, 1)
    one = first(found)
    assert (one["operator"], one["technology"], one["rsrp_dbm"]) == ("45204", "LTE", -97.0)
    assert one["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)
    assert codes(found) == ["neighbour_cell"]


@pytest.mark.parametrize(
    ("file", "level"),
    [
        ("networksurvey_lte/craxiom-lte.csv", "rsrp_dbm"),
        ("networksurvey_nr/craxiom-nr.csv", "ss_rsrp_dbm"),
        ("networksurvey_umts/craxiom-umts.csv", "rscp_dbm"),
        ("networksurvey_gsm/craxiom-gsm.csv", "rxlev_dbm"),
    ],
)
def test_synthetic_network_survey_below_its_comment_lines(file: str, level: str) -> None:
    found = reading(SYNTHETIC / file)
    assert (found.format, found.accepted) == (Path(file).parent.name, 1)
    assert codes(found) == ["neighbour_cell"]
    one = first(found)
    assert (one["line"], one["operator"], one[level]) == (4, "45204", -97.0)
    assert one["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)
    assert "SERIAL" not in str(found.measurements.to_pylist())


def test_synthetic_cellmapper_takes_operator_and_date_from_cells_and_name(tmp_path: Path) -> None:
    named = SYNTHETIC / "cellmapper/viettel_signal-2026-10-01.csv"
    found = reading(named)
    assert (found.format, found.rows, found.accepted) == ("cellmapper", 2, 2)
    assert (first(found)["line"], first(found)["operator"], first(found)["local_date"]) == (1, "45204", DATE)
    (tmp_path / "signal.csv").write_bytes(named.read_bytes())
    unnamed = reading(tmp_path / "signal.csv")
    assert (unnamed.quarantined, codes(unnamed)) == (2, ["date_unknown"] * 2)


def test_synthetic_gmon_has_date_and_clock_apart_and_numbers_for_technologies() -> None:
    found = reading(SYNTHETIC / "gmon/gmon.csv")
    assert (found.format, found.accepted, found.no_service) == ("gmon", 3, 1)
    lte, umts, silent = found.measurements.to_pylist()
    assert (lte["rsrp_dbm"], umts["rscp_dbm"], silent["service_state"]) == (-97.0, -92.0, "no_service")
    assert silent["operator"] == "45204"
    assert lte["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)


def test_synthetic_neostumbler_counts_time_in_milliseconds() -> None:
    found = reading(SYNTHETIC / "neostumbler/cells.csv")
    assert (found.format, found.accepted) == ("neostumbler", 1)
    assert first(found)["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)


def test_synthetic_rtr_nettest_leaves_wlan_out() -> None:
    found = reading(SYNTHETIC / "rtr_nettest/netztest.csv")
    assert (found.format, found.accepted, codes(found)) == ("rtr_nettest", 1, ["not_mobile"])
    assert (first(found)["operator"], first(found)["download_mbps"]) == ("45204", 25.0)


def test_synthetic_wigle_keeps_cells_below_its_first_line() -> None:
    found = reading(SYNTHETIC / "wigle/wigle.csv")
    assert (found.format, found.accepted, codes(found)) == ("wigle", 1, ["not_mobile"])
    assert (first(found)["operator"], first(found)["rsrp_dbm"], first(found)["line"]) == ("45204", -97.0, 3)


def test_synthetic_cradlepoint_survey() -> None:
    found = reading(SYNTHETIC / "cradlepoint/survey.csv")
    assert (found.format, found.accepted, first(found)["operator"]) == ("cradlepoint", 1, "45204")


@pytest.mark.parametrize(
    ("name", "column"), [("tems_discovery", "rsrp_dbm"), ("xcal", "rsrp_dbm"), ("e6474a", "rscp_dbm")]
)
def test_synthetic_analyser_tables_need_the_operator_from_outside(name: str, column: str) -> None:
    bare = reading(SYNTHETIC / name / "drive.txt")
    assert (bare.format, codes(bare)) == (name, ["operator_unknown"])
    told = reading(SYNTHETIC / name / "drive.txt", Context(operator="Viettel"))
    assert (told.accepted, first(told)[column]) == (1, -97.0)


def test_synthetic_network_survey_phone_state_is_evidence_of_no_service() -> None:
    found = reading(SYNTHETIC / "networksurvey_phonestate/craxiom-phonestate.csv")
    assert (found.format, found.accepted, found.no_service) == ("networksurvey_phonestate", 4, 2)
    assert codes(found) == ["sim_not_ready"]
    rows_read = found.measurements.to_pylist()
    assert [(row["service_state"], row["technology"]) for row in rows_read] == [
        ("in_service", "LTE"), ("no_service", None), ("unknown", None), ("in_service", "LTE"),
    ]  # fmt: skip
    assert {row["operator"] for row in rows_read} == {"45204"}


def test_synthetic_full_gnettrack_log_loses_its_personal_columns() -> None:
    path = SYNTHETIC / "gnettrack_text/full_log.csv"
    found = reading(path)
    assert (found.format, found.accepted) == ("gnettrack_text", 1)
    assert (first(found)["rsrp_dbm"], first(found)["operator"]) == (-97.0, "45204")
    assert found.dropped == ("IMEI", "IP", "IMSI", "MSISDN")
    kept = str(found.measurements.to_pylist()) + str(found.outcomes.to_pylist())
    for secret in ("356938035643809", "452040000000001", "84900000000", "10.1.2.3"):
        assert secret in path.read_text(encoding="utf-8")
        assert secret not in kept
