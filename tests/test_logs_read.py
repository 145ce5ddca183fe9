"""What becomes of each row: one small file per rule, read as a user would send it."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from pathlib import Path

import pytest

from coverage import hexes
from coverage.errors import FileRefused
from coverage.logs import CODES, Context, Reading, read_file, reason
from coverage.names import fold
from coverage.tables import MEASUREMENTS, OUTCOMES, schema

KEY = b"key of the workspace"
NAMES = {"45201": "MobiFone", "45204": "Viettel"}
NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
HEADER = "time,lat,lon,operator,technology,rsrp_dbm\n"
ROW = "2026-10-30T08:00:00,11.94,108.43,45204,LTE,-97"


def read(folder: Path, text: str | bytes, name: str = "log.csv", **said) -> Reading:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (found,) = read_file(path, Context(**said), device_key=KEY, operator_names=NAMES, now=NOW)
    assert isinstance(found, Reading)
    assert found.rows == found.accepted + found.duplicates + found.rejected + found.quarantined
    assert found.measurements.num_rows == found.accepted
    assert found.measurements.schema == schema(MEASUREMENTS)
    assert found.outcomes.schema == schema(OUTCOMES)
    lines = set(found.outcomes["line"].to_pylist()) | set(found.measurements["line"].to_pylist())
    assert len(lines) == found.rows
    return found


def columns(**changed: str) -> str:
    """One canonical row with some cells changed or added, under a header that fits."""
    cells = dict(zip(HEADER.strip().split(","), ROW.split(","), strict=True)) | changed
    return ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"


def only(reading: Reading) -> dict:
    (row,) = reading.measurements.to_pylist()
    return row


def outcome(reading: Reading) -> tuple[str, str, str | None, str | None]:
    (row,) = reading.outcomes.to_pylist()
    return row["outcome"], row["code"], row["column"], row["value"]


def test_a_plain_row_becomes_a_measurement(tmp_path):
    found = read(tmp_path, HEADER + ROW + "\n")
    row = only(found)
    digest = hashlib.sha256((HEADER + ROW + "\n").encode()).hexdigest()
    assert (found.sha256, found.upload_id, found.format) == (digest, digest[:16], "canonical")
    assert row["upload_id"] == digest[:16]
    assert row["line"] == 2
    assert row["time_utc"] == datetime.datetime(2026, 10, 30, 1)
    assert row["local_date"] == datetime.date(2026, 10, 30)
    assert row["time_precision"] == "second"
    assert (row["lat"], row["lon"], row["operator"], row["technology"]) == (11.94, 108.43, "45204", "LTE")
    assert (row["rsrp_dbm"], row["rscp_dbm"], row["rxlev_dbm"], row["ss_rsrp_dbm"]) == (-97, None, None, None)
    assert (row["service_state"], row["operator_inferred"], row["calibrated"]) == ("in_service", False, False)
    assert (row["device"], row["source"], row["in_vehicle"]) == ("unknown", "crowdsourced", None)
    assert row["hex_res10"] == hexes.of_point(11.94, 108.43, 10)
    assert row["hex_res9"] == hexes.of_point(11.94, 108.43, 9)
    assert row["hex_res8"] == hexes.of_point(11.94, 108.43, 8)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lat": "x"}, ("rejected", "bad_coordinate", "lat", "x")),
        ({"lat": ""}, ("rejected", "bad_coordinate", "lat", None)),
        ({"lon": "NaN"}, ("rejected", "bad_coordinate", "lon", "NaN")),
        ({"lat": "90.000001"}, ("rejected", "coordinate_out_of_range", "lat", "90.000001")),
        ({"lon": "-180.1"}, ("rejected", "coordinate_out_of_range", "lon", "-180.1")),
        ({"time": "yesterday"}, ("rejected", "bad_time", "time", "yesterday")),
        ({"time": ""}, ("rejected", "bad_time", "time", None)),
        ({"time": "2026-02-30T08:00:00"}, ("rejected", "bad_time", "time", "2026-02-30T08:00:00")),
        ({"rsrp_dbm": "weak"}, ("rejected", "bad_level", "rsrp_dbm", "weak")),
        ({"lat": "0", "lon": "0.0"}, ("quarantined", "null_island", "lat", "0")),
        ({"accuracy_m": "50.1"}, ("quarantined", "poor_accuracy", "accuracy_m", "50.1")),
        ({"time": "2026-11-02T00:00:01Z"}, ("quarantined", "time_in_future", "time", "2026-11-02T00:00:01Z")),
        ({"operator": "-"}, ("quarantined", "operator_unknown", "operator", "-")),
        ({"technology": ""}, ("quarantined", "technology_unknown", "technology", None)),
        ({"technology": "WiFi"}, ("quarantined", "technology_unknown", "technology", "WiFi")),
        ({"service_state": "perhaps"}, ("quarantined", "bad_service_state", "service_state", "perhaps")),
    ],
)
def test_what_is_wrong_is_said(tmp_path, changed, expected):
    found = read(tmp_path, columns(**changed))
    assert outcome(found) == expected
    assert found.accepted == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"lat": "90"},
        {"lat": "-90", "lon": "-180"},
        {"lon": "180"},
        {"lat": "0"},
        {"accuracy_m": "50"},
        {"accuracy_m": "-1"},
        {"accuracy_m": "n/a"},
        {"time": "2026-11-02T00:00:00Z"},
        {"operator": "Viettel"},
        {"technology": "4G"},
        {"speed_mps": "1e99"},
        {"remarks": "nothing"},
    ],
)
def test_what_is_just_right_is_accepted(tmp_path, changed):
    assert read(tmp_path, columns(**changed)).accepted == 1


LEVELS = [
    ("LTE", "rsrp_dbm", (-140, -44), (-139, -45)),
    ("NR", "ss_rsrp_dbm", (-157, -30), (-156, -31)),
    ("UMTS", "rscp_dbm", (-121, -24), (-120, -25)),
    ("GSM", "rxlev_dbm", (-114, -50), (-113, -51)),
]


@pytest.mark.parametrize(("technology", "column", "outside", "inside"), LEVELS)
@pytest.mark.parametrize("heading", ["rsrp_dbm", "level", "own"])
def test_levels_at_the_ends_of_their_range(tmp_path, technology, column, outside, inside, heading):
    heading = column if heading == "own" else heading
    for level in inside:
        row = only(read(tmp_path, _leveled(technology, heading, str(level))))
        assert row[column] == level
        assert [row[other] for _, other, _, _ in LEVELS if other != column] == [None] * 3
    for level in outside:
        found = read(tmp_path, _leveled(technology, heading, str(level)))
        assert (only(found)[column], only(found)["service_state"], found.unknown_level) == (
            None,
            "in_service",
            1,
        )


def _leveled(technology: str, heading: str, level: str) -> str:
    header = HEADER.replace("rsrp_dbm", heading)
    return header + f"2026-10-30T08:00:00,11.94,108.43,45204,{technology},{level}\n"


@pytest.mark.parametrize("level", ["2147483647", "-164", "-200", "-340", "99", "255", "0", "97", "-24"])
@pytest.mark.parametrize("technology", ["LTE", "UMTS", "GSM"])
def test_sentinels_are_unknown_levels_and_never_no_service(tmp_path, level, technology):
    found = read(tmp_path, columns(technology=technology, rsrp_dbm=level))
    assert (found.accepted, found.no_service, found.unknown_level) == (1, 0, 1)
    assert only(found)["service_state"] == "in_service"


@pytest.mark.parametrize(
    ("state", "level", "technology", "expected"),
    [
        ("", "-97", "LTE", ("in_service", -97.0)),
        ("", "", "LTE", ("unknown", None)),
        ("", "-", "", ("unknown", None)),
        ("", "-164", "", ("unknown", None)),
        ("unknown", "-97", "LTE", ("in_service", -97.0)),
        ("in_service", "", "LTE", ("in_service", None)),
        ("Có sóng", "-97", "LTE", ("in_service", -97.0)),
        ("Không có sóng", "", "", ("no_service", None)),
        ("MẤT SÓNG", "", "", ("no_service", None)),
        ("mat song", "-130", "4G", ("no_service", None)),
        ("out of service", "", "", ("no_service", None)),
        ("chỉ khẩn cấp", "", "", ("emergency_only", None)),
        ("EMERGENCY_ONLY", "-97", "LTE", ("emergency_only", None)),
    ],
)
def test_service_state_and_level_are_two_things(tmp_path, state, level, technology, expected):
    found = read(tmp_path, columns(service_state=state, rsrp_dbm=level, technology=technology))
    row = only(found)
    assert (row["service_state"], row["rsrp_dbm"]) == expected
    assert found.no_service == (expected[0] == "no_service")
    assert found.unknown_level == (
        expected[0] not in ("no_service", "emergency_only") and expected[1] is None
    )


def test_a_row_with_two_faults_counts_once_and_says_both(tmp_path):
    found = read(tmp_path, columns(lat="x", operator=""))
    assert (found.rejected, found.quarantined) == (1, 0)
    assert found.outcomes["code"].to_pylist() == ["bad_coordinate", "operator_unknown"]
    assert set(found.outcomes["outcome"].to_pylist()) == {"rejected"}


def test_duplicates_name_the_line_that_was_kept(tmp_path):
    other = ROW.replace("-97", "-98")
    found = read(tmp_path, HEADER + "\n".join([ROW, other, ROW, ROW.replace("LTE", "4G"), ROW]))
    assert (found.accepted, found.duplicates) == (3, 2)
    assert found.outcomes["line"].to_pylist() == [4, 6]
    assert found.outcomes["value"].to_pylist() == ["2", "2"]
    assert found.measurements["line"].to_pylist() == [2, 3, 5]


def test_repeated_rows_that_are_wrong_are_wrong_and_not_duplicates(tmp_path):
    bad = ROW.replace("11.94", "north")
    found = read(tmp_path, HEADER + "\n".join([bad, bad, ROW]))
    assert (found.rejected, found.duplicates, found.accepted) == (2, 0, 1)


def test_line_numbers_are_those_of_an_editor(tmp_path):
    text = HEADER + "\n".join([ROW, "", "1,2", ROW + ",extra", ROW.replace("-97", "-98")]) + "\n\n\n"
    found = read(tmp_path, text.replace("\n", "\r\n"))
    assert (found.rows, found.accepted, found.rejected) == (5, 2, 3)
    assert found.measurements["line"].to_pylist() == [2, 6]
    assert found.outcomes["line"].to_pylist() == [3, 4, 5]
    assert found.outcomes["value"].to_pylist() == ["0", "2/6", "7/6"]
    assert set(found.outcomes["code"].to_pylist()) == {"wrong_field_count"}


def test_an_open_quote_costs_its_own_line_only(tmp_path):
    lines = [ROW, '2026-10-30T08:00:00,11.94,108.43,"45204,LTE,-97', ROW.replace("-97", "-98")]
    found = read(tmp_path, HEADER + "\n".join(lines) + "\n")
    assert found.measurements["line"].to_pylist() == [2, 4]
    assert found.outcomes.to_pylist() == [
        {"line": 3, "outcome": "rejected", "code": "bad_quotes", "column": None, "value": None}
    ]


def test_quoted_fields_may_hold_the_delimiter(tmp_path):
    text = 'time,lat,lon,operator,technology,rsrp,device\n2026-10-30,"11,94","108,43",45204,"LTE",-97,"a ""b"", c"\n'
    row = only(read(tmp_path, text))
    assert (row["lat"], row["lon"], row["time_precision"]) == (11.94, 108.43, "date")
    assert row["device"] == hashed('a "b", c')


def hashed(device: str) -> str:
    return hmac.new(KEY, fold(device).encode(), hashlib.sha256).hexdigest()[:16]


def test_reading_does_not_depend_on_the_order_of_rows(tmp_path):
    rows = [
        f"2026-10-30T08:00:{i:02d},11.9{i % 7},108.43,{'' if i % 3 else '45204'},LTE,{-60 - i}"
        for i in range(40)
    ]
    rows += [rows[3], "broken", ",,,,,"]
    there, back = (read(tmp_path, HEADER + "\n".join(order)) for order in (rows, rows[::-1]))
    key = ["time_utc", "lat", "operator", "rsrp_dbm", "operator_inferred"]
    assert there.measurements.select(key).sort_by("time_utc") == back.measurements.select(key).sort_by(
        "time_utc"
    )
    assert (there.duplicates, there.rejected) == (back.duplicates, back.rejected) == (1, 2)


def test_units_and_side_values(tmp_path):
    row = only(read(tmp_path, columns(**{"Tốc độ (km/h)": "36", "rsrq": "-10,5", "sinr": "99", "cell_id": "0"}).replace('"', "")
                    .replace("-10,5", "-10.5")))  # fmt: skip
    assert (row["speed_mps"], row["rsrq_db"], row["sinr_db"], row["serving_cell"]) == (10, -10.5, None, None)
    row = only(read(tmp_path, columns(speed="3.5", download_mbps="20", upload="-1", serving_cell="eNB 12/3")))
    assert (row["speed_mps"], row["download_mbps"], row["upload_mbps"]) == (3.5, 20, None)
    assert row["serving_cell"] == "eNB 12/3"


def test_every_code_has_two_sentences_with_value_and_cure():
    for code in CODES:
        vi, en = reason(code, "cột {x}", "giá trị {y}")
        assert vi != en
        assert vi.endswith(".")
        assert "{at}" not in vi + en
    assert "--operator" in reason("operator_unknown", None, None)[1]
    assert "lat = north" in reason("bad_coordinate", "lat", "north")[1]
    assert "lat = trống" in reason("bad_coordinate", "lat", None)[0]


@pytest.mark.parametrize("said", [{"timezone": "Asia/Atlantis"}, {"technology": "6G"}, {"format": "x"}])
def test_options_that_mean_nothing_are_refused(tmp_path, said):
    with pytest.raises(FileRefused):
        read(tmp_path, HEADER + ROW, **said)


def test_a_header_without_rows_is_a_reading_of_no_rows(tmp_path):
    assert read(tmp_path, HEADER).rows == 0


@pytest.mark.parametrize("level", ["#N/A", "No signal", "-120 dBm", "inf", "∞", "2147483647", ""])
def test_a_row_without_service_is_evidence_whatever_stands_in_its_level(tmp_path, level):
    found = read(tmp_path, f"{SILENT_HEADER}2026-10-30T08:00:00,11.94,108.43,45204,,no_service,{level}\n")
    assert (found.accepted, found.no_service) == (1, 1)
    assert only(found)["service_state"] == "no_service"


SILENT_HEADER = "time,lat,lon,operator,technology,service_state,rsrp_dbm\n"


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"operator": "No service", "rsrp_dbm": ""}, "no_service"),
        ({"operator": "Emergency calls only", "rsrp_dbm": ""}, "emergency_only"),
        ({"technology": "Không có sóng", "rsrp_dbm": ""}, "no_service"),
        ({"technology": "OUT_OF_SERVICE"}, "no_service"),
        ({"rsrp_dbm": "mất sóng"}, "no_service"),
        ({"rsrp_dbm": "mất sóng", "technology": ""}, "no_service"),
        ({"rsrp_dbm": "mất sóng", "service_state": "unknown"}, "no_service"),
        ({"technology": "NONE", "rsrp_dbm": ""}, "unknown"),
    ],
)
def test_plain_words_for_no_service_are_evidence_wherever_they_stand(tmp_path, changed, state):
    found = read(tmp_path, columns(**changed), operator="45204")
    row = only(found)
    assert (row["service_state"], row["operator"]) == (state, "45204")
    assert sum(fix.rows for fix in found.fixes if fix.code == "no_service_word") == (state != "unknown")


def test_a_word_that_the_service_state_contradicts_is_no_level(tmp_path):
    found = read(tmp_path, columns(rsrp_dbm="mất sóng", service_state="có sóng"))
    assert outcome(found) == ("rejected", "bad_level", "rsrp_dbm", "mất sóng")


def test_a_unit_after_a_number_is_left_out_where_it_is_the_columns_own(tmp_path):
    found = read(tmp_path, columns(rsrp_dbm="-97 dBm", lat="11.94°", lon="108.43 độ", speed_kmh="30 km/h"))
    row = only(found)
    assert (row["rsrp_dbm"], row["lat"], row["lon"], row["speed_mps"]) == (-97.0, 11.94, 108.43, None)
    assert {fix.column for fix in found.fixes if fix.code == "unit_in_cell"} == {"rsrp_dbm", "lat", "lon"}


@pytest.mark.parametrize("titles", [1, 15])
def test_titles_above_the_header_are_passed_over_and_lines_stay_an_editors(tmp_path, titles):
    above = "BIÊN BẢN ĐO,,,,,\n" + "Xã Ví Dụ; tháng 11,,,,,\n" * (titles - 1)
    found = read(tmp_path, above + HEADER + ROW + "\n" + ROW.replace("11.94", "x") + "\n")
    assert (found.rows, only(found)["line"], found.outcomes["line"].to_pylist()) == (
        2,
        titles + 2,
        [titles + 3],
    )


def test_a_header_too_far_below_is_not_looked_for(tmp_path):
    with pytest.raises(FileRefused, match="BIÊN BẢN"):
        read(tmp_path, "BIÊN BẢN ĐO,,,,,\n" * 16 + HEADER + ROW + "\n")


def test_of_two_levels_that_lost_their_minus_the_same_is_named_each_time(tmp_path):
    rows = "".join(ROW.replace(":00,", f":{at:02},").replace("-97", "97,96,95,94") + "\n" for at in range(6))
    text = HEADER.replace("rsrp_dbm", "rxlev_dbm,ss_rsrp_dbm,rscp_dbm,rsrp_dbm") + rows
    with pytest.raises(FileRefused, match="column rsrp_dbm holds positive numbers"):
        read(tmp_path, text)


def test_degrees_and_minutes_are_refused_with_the_cure(tmp_path):
    rows = "".join(
        f"2026-10-30T08:00:{at:02},11°56'{at:02},108°26'{at:02},45204,LTE,-97\n" for at in range(9)
    )
    with pytest.raises(FileRefused, match=r"108\.44"):
        read(tmp_path, HEADER + rows)


def test_a_log_that_is_silent_almost_everywhere_is_read(tmp_path):
    silent = "".join(f"2026-10-30T08:{at:02}:00,11.94,108.43,,,mất sóng\n" for at in range(40))
    found = read(tmp_path, HEADER + silent + ROW + "\n")
    assert (found.accepted, found.no_service) == (41, 40)
    assert set(found.measurements["operator"].to_pylist()) == {"45204"}


def test_rows_without_a_fix_are_rejected_and_the_others_read(tmp_path):
    lost = "".join(f"2026-10-30T08:{at:02}:01,,,45204,LTE,-97\n" for at in range(40))
    found = read(tmp_path, HEADER + lost + ROW + "\n")
    assert (found.accepted, found.rejected, set(found.outcomes["code"].to_pylist())) == (
        1,
        40,
        {"bad_coordinate"},
    )


@pytest.mark.parametrize("commas", [1, 3])
def test_empty_columns_that_a_spreadsheet_leaves_at_the_end_harm_nobody(tmp_path, commas):
    lines = [
        SILENT_HEADER.strip(),
        "2026-10-30T08:00:00,11.94,108.43,45204,,no_service,",
        "2026-10-30T08:00:09,11.94,108.43,45204,LTE,,-97",
    ]
    found = read(tmp_path, "\n".join(line + "," * commas for line in lines) + "\n")
    assert (found.rows, found.accepted) == (2, 2)


@pytest.mark.parametrize("accuracy", ["2000 m", "120m", "2147483647", "1e10", "inf", "51"])
def test_an_accuracy_that_is_poor_or_unreadable_is_set_aside(tmp_path, accuracy):
    found = read(
        tmp_path,
        f"time,lat,lon,operator,technology,rsrp_dbm,accuracy_m\n2026-10-30T08:00:00,11.94,108.43,45204,LTE,-97,{accuracy}\n",
    )
    assert (found.quarantined, outcome(found)[1]) == (1, "poor_accuracy")


def test_a_speed_that_cannot_be_read_may_be_a_cars(tmp_path):
    header = "time,lat,lon,operator,technology,rsrp_dbm,speed\n"
    assert only(read(tmp_path, f"{header}2026-10-30T08:00:00,11.94,108.43,45204,LTE,-118,60 km/h\n"))[
        "in_vehicle"
    ]
    assert (
        only(read(tmp_path, f"{header}2026-10-30T08:00:00,11.94,108.43,45204,LTE,-118,1\n"))["in_vehicle"]
        is None
    )
