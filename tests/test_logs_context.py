"""What the file does not say: taken from its other rows, the option, or its name, in that order."""

from __future__ import annotations

import datetime
import unicodedata

import pytest
from test_logs_read import HEADER, ROW, columns, hashed, only, outcome, read

from coverage.logs import Context


def test_the_operator_comes_from_row_then_file_then_option_then_name(tmp_path):
    silent = ROW.replace("45204", "")
    name = "drive_test__phone__MobiFone__2026-10-01.csv"
    in_file = read(tmp_path, HEADER + ROW + "\n" + silent, name=name)
    assert in_file.measurements["operator"].to_pylist() == ["45204", "45204"]
    assert in_file.measurements["operator_inferred"].to_pylist() == [False, True]
    assert only(read(tmp_path, HEADER + silent, name=name, operator="viet tel"))["operator"] == "45204"
    assert only(read(tmp_path, HEADER + silent, name=name))["operator"] == "45201"
    told = read(tmp_path, HEADER + ROW + "\n" + silent, name=name, operator="Viettel")
    assert told.measurements["operator"].to_pylist() == ["45204", "45204"]
    # The upload and the other rows disagree: nobody knows whose silence it is.
    disputed = read(tmp_path, HEADER + ROW + "\n" + silent, name=name, operator="Vinaphone")
    assert (disputed.accepted, outcome(disputed)[1]) == (1, "operator_unknown")
    two = read(tmp_path, HEADER + "\n".join([ROW, ROW.replace("45204", "45201"), silent]))
    assert (two.accepted, outcome(two)[1]) == (2, "operator_unknown")


def test_the_option_never_overrules_a_row(tmp_path):
    row = only(read(tmp_path, HEADER + ROW, operator="45201", technology="5G", device="other"))
    assert (row["operator"], row["technology"], row["operator_inferred"]) == ("45204", "LTE", False)


def test_the_name_fills_what_nobody_says(tmp_path):
    found = read(
        tmp_path,
        "lat,lon,rsrp\n11.94,108.43,-97\n",
        "drive_test__s1__Viettel__2026-10-01.csv",
        technology="4G",
    )
    row = only(found)
    assert (row["source"], row["operator"], row["device"]) == ("drive_test", "45204", hashed("s1"))
    assert (row["time_precision"], row["local_date"]) == ("date", datetime.date(2026, 10, 1))
    assert row["time_utc"] == datetime.datetime(2026, 10, 1, 5)
    assert found.context == Context(
        source="drive_test", operator="45204", technology="LTE", device=hashed("s1"),
        date=datetime.date(2026, 10, 1), format="canonical", timezone="Asia/Ho_Chi_Minh", calibrated=False,
    )  # fmt: skip


def test_options_win_over_the_name(tmp_path):
    found = read(
        tmp_path, "lat,lon,rsrp\n11.94,108.43,-97\n", "drive_test__s1__Viettel__2026-10-01.csv",
        technology="LTE", source="crowdsourced", device="s2", operator="45201", date=datetime.date(2026, 9, 1),
        calibrated=True,
    )  # fmt: skip
    row = only(found)
    assert (row["source"], row["operator"], row["device"]) == ("crowdsourced", "45201", hashed("s2"))
    assert (row["local_date"], row["calibrated"]) == (datetime.date(2026, 9, 1), True)


def test_the_smallest_file_says_everything_it_lacks(tmp_path):
    found = read(tmp_path, "latitude,longitude,rsrp\n11.94,108.43,-97\n")
    assert found.quarantined == 1
    assert found.outcomes["code"].to_pylist() == ["date_unknown", "operator_unknown", "technology_unknown"]
    assert found.unknown_level == 0


def test_the_device_of_a_row_wins_and_is_stored_as_a_keyedhashed(tmp_path):
    found = read(tmp_path, columns(device="phone-1"), device="phone-2")
    assert only(found)["device"] == hashed("phone-1")
    assert found.context.device == hashed("phone-2")
    assert only(read(tmp_path, columns(device="")))["device"] == "unknown"


@pytest.mark.parametrize(
    ("cell", "said", "expected"),
    [
        ("yes", {}, True), ("Không", {}, False), ("có", {"in_vehicle": False}, True), ("", {}, None),
        ("", {"in_vehicle": True}, True), ("?", {"antenna": "inside"}, True), ("", {"antenna": "roof"}, False),
        ("", {"antenna": "hand"}, None), ("", {"antenna": "roof", "in_vehicle": True}, True),
    ],
)  # fmt: skip
def test_in_vehicle(tmp_path, cell, said, expected):
    assert only(read(tmp_path, columns(in_vehicle=cell), **said))["in_vehicle"] is expected


def test_one_phone_spelt_in_several_ways_is_one_phone(tmp_path):
    spellings = ["Máy 1", "máy 1", "máy_1", unicodedata.normalize("NFD", "máy 1")]
    found = {
        only(read(tmp_path, HEADER + ROW.replace("phone-1", ""), device=one))["device"] for one in spellings
    }
    assert len(found) == 1
    for nobody in ("unknown", "Unknown", "UNKNOWN", "—"):
        assert only(read(tmp_path, HEADER + ROW.replace("phone-1", ""), device=nobody))["device"] == "unknown"
