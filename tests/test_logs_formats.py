"""One sample per format, as its app writes it, and the tables of other kinds that are refused."""

from __future__ import annotations

import datetime

import pytest
from test_logs_read import only, read

from coverage.errors import FileRefused
from coverage.logs.formats import FORMATS
from coverage.logs.formats.foreign import FOREIGN
from coverage.logs.formats.profile import FIELDS

TEXT_NAMES = [
    "Timestamp",
    "Longitude",
    "Latitude",
    "Operatorname",
    "Operator",
    "Cellname",
    "Node",
    "CellID",
    "LAC",
    "NetworkTech",
    "Level",
    "Qual",
    "SNR",
    "CQI",
    "LTERSSI",
    "ARFCN",
    "PSC",
    "Altitude",
    "Distance",
    "TA",
    "BAND",
]
CSV_NAMES = [
    "Timestamp",
    "Longitude",
    "Latitude",
    "Speed",
    "Operatorname",
    "CellID",
    "NetworkMode",
    "RSRP",
    "RSRQ",
    "SNR",
    "CQI",
    "RSSI",
    "DL_bitrate",
    "UL_bitrate",
    "State",
    "NRxRSRP",
    "NRxRSRQ",
]
CAMPED = {
    "Timestamp": "2026.10.30_08.00.00", "Longitude": "108.43", "Latitude": "11.94", "Operatorname": "Viettel",
    "Operator": "45204", "Node": "21", "CellID": "11", "LAC": "7000", "NetworkTech": "4G", "NetworkMode": "LTE",
    "Level": "-97", "RSRP": "-97", "Qual": "-8", "RSRQ": "-8", "SNR": "0.0", "Speed": "36", "DL_bitrate": "2500",
    "UL_bitrate": "100", "NRxRSRP": "-60",
}  # fmt: skip
NO_SERVICE = {
    "Operatorname": "NO_COVERAGE",
    "Operator": "",
    "NetworkTech": "--",
    "Level": "-200",
    "Node": "",
    "CellID": "",
    "LAC": "",
}


def text_log(*rows: dict[str, str], names: list[str] = TEXT_NAMES) -> str:
    """G-NetTrack's own way: TAB, CRLF, and one TAB more at the end of each row than the header has."""
    lines = ["\t".join(names)]
    lines += ["\t".join((CAMPED | row).get(name, "-") for name in names) + "\t" for row in rows]
    return "\r\n".join(lines) + "\r\n"


def csv_log(*rows: dict[str, str]) -> str:
    lines = [",".join(CSV_NAMES)]
    lines += [",".join((CAMPED | row).get(name, "-") for name in CSV_NAMES) for row in rows]
    return "\n".join(lines) + "\n"


def test_gnettrack_text(tmp_path):
    found = read(tmp_path, text_log({}), "Viettel_log.txt")
    row = only(found)
    assert found.format == "gnettrack_text"
    assert (row["lat"], row["lon"], row["operator"], row["technology"]) == (11.94, 108.43, "45204", "LTE")
    assert (row["rsrp_dbm"], row["rsrq_db"], row["sinr_db"], row["serving_cell"]) == (
        -97,
        -8,
        0,
        "7000-21-11",
    )
    assert (row["line"], row["time_utc"]) == (2, datetime.datetime(2026, 10, 30, 1))


@pytest.mark.parametrize(
    ("tech", "level", "column"),
    [
        ("2G", "-91", "rxlev_dbm"),
        ("3G", "-91", "rscp_dbm"),
        ("4G", "-91", "rsrp_dbm"),
        ("5G", "-91", "ss_rsrp_dbm"),
    ],
)
def test_the_level_means_what_the_technology_says(tmp_path, tech, level, column):
    row = only(read(tmp_path, text_log({"NetworkTech": tech, "Level": level}), "log.txt"))
    assert {name for name, value in row.items() if value == -91} == {column}


def test_rows_without_service_are_evidence_and_inherit_the_operator(tmp_path):
    found = read(tmp_path, text_log({}, NO_SERVICE), "log.txt")
    _, row = found.measurements.to_pylist()
    assert (found.accepted, found.no_service, found.unknown_level) == (2, 1, 0)
    assert (row["service_state"], row["operator"], row["operator_inferred"]) == ("no_service", "45204", True)
    assert (row["technology"], row["rsrp_dbm"], row["serving_cell"]) == (None, None, None)


def test_rows_without_service_are_read_by_operator_or_by_technology(tmp_path):
    by_technology = NO_SERVICE | {"Operatorname": "-"}
    by_operator = NO_SERVICE | {"NetworkTech": "4G"}
    found = read(tmp_path, text_log({}, by_technology, by_operator), "log.txt")
    assert found.measurements["service_state"].to_pylist() == ["in_service", "no_service", "no_service"]
    named = read(tmp_path, text_log({"NetworkTech": "--", "Level": "-200"}), "log.txt")
    assert only(named)["service_state"] == "unknown"


def test_no_service_alone_takes_the_operator_of_the_app_s_file_name_or_the_option(tmp_path):
    found = read(tmp_path, text_log(NO_SERVICE), "Viettel_2026.10.30_08.00.00.txt")
    assert only(found)["operator"] == "45204"
    assert only(read(tmp_path, text_log(NO_SERVICE), "log.txt", operator="45201"))["operator"] == "45201"
    assert read(tmp_path, text_log(NO_SERVICE), "log.txt").quarantined == 1


@pytest.mark.parametrize("level", ["-24", "-164", "-200", "-340", "-", ""])
def test_unknown_levels_while_camped(tmp_path, level):
    found = read(tmp_path, text_log({"Level": level}), "log.txt")
    assert (only(found)["service_state"], only(found)["rsrp_dbm"]) == ("in_service", None)
    assert (found.no_service, found.unknown_level) == (0, 1)


def test_the_columns_are_the_user_s_choice(tmp_path):
    names = [
        "LEVEL",
        "networktech",
        "Accuracy",
        "Speed",
        "Operator",
        "latitude",
        "longitude",
        "timestamp",
        "IMEI",
    ]
    row = {"LEVEL": "-97", "networktech": "4G", "Accuracy": "12", "latitude": "11.94", "longitude": "108.43"}
    row |= {"timestamp": "2026.10.30_08.00.00", "IMEI": "356938035643809"}
    found = read(tmp_path, text_log(row, names=names), "log.txt")
    assert (only(found)["accuracy_m"], only(found)["speed_mps"]) == (12, 10)
    assert "356938035643809" not in str(found)


def test_a_torn_last_row(tmp_path):
    found = read(tmp_path, text_log({}, {})[:-60], "log.txt")
    assert (found.rows, found.accepted, found.rejected) == (2, 1, 1)


def test_gnettrack_csv(tmp_path):
    found = read(tmp_path, csv_log({}), "B_2026.10.30_08.00.00.csv")
    row = only(found)
    assert found.format == "gnettrack_csv"
    assert (row["operator"], row["rsrp_dbm"], row["speed_mps"], row["serving_cell"]) == (
        "45204",
        -97,
        10,
        "11",
    )
    assert (row["download_mbps"], row["upload_mbps"]) == (2.5, pytest.approx(0.1))
    assert row["ss_rsrp_dbm"] is None


@pytest.mark.parametrize(
    ("mode", "column"),
    [("GPRS", "rxlev_dbm"), ("EDGE", "rxlev_dbm"), ("GSM", "rxlev_dbm"), ("UMTS", "rscp_dbm"), ("HSPA", "rscp_dbm"),
     ("HSPA+", "rscp_dbm"), ("HSUPA", "rscp_dbm"), ("HSDPA", "rscp_dbm"), ("LTE", "rsrp_dbm"), ("5G", "ss_rsrp_dbm")],
)  # fmt: skip
def test_the_rsrp_column_holds_what_the_mode_says(tmp_path, mode, column):
    row = only(read(tmp_path, csv_log({"NetworkMode": mode, "RSRP": "-83"})))
    assert {name for name, value in row.items() if value == -83} == {column}
    assert (row["rsrq_db"] is None) == (mode not in ("LTE", "5G"))


def test_operators_of_the_csv(tmp_path):
    letters = read(tmp_path, csv_log({"Operatorname": "B"}, {"Operatorname": "0"}, {"Operatorname": "-"}))
    assert letters.measurements["operator"].to_pylist() == ["B", "B", "B"]
    assert letters.measurements["operator_inferred"].to_pylist() == [False, True, True]
    assert only(read(tmp_path, csv_log({"Operatorname": "27203"})))["operator"] == "27203"
    assert (
        only(read(tmp_path, csv_log({"Operatorname": "0"}), "B_2019.12.03_13.58.03.csv"))["operator"] == "B"
    )


@pytest.mark.parametrize("table", FOREIGN, ids=lambda table: table.has[0])
def test_other_tables_are_refused_by_what_they_are(tmp_path, table):
    names = [*table.has, "Longitude", "Level", "NetworkTech", "Timestamp", "rsrp"]
    names += [] if "Latitude" in table.lacks else ["Latitude"]
    for sign in "\t,;":
        with pytest.raises(FileRefused) as refusal:
            read(tmp_path, sign.join(names) + "\n" + sign.join("1" for _ in names) + "\n")
        assert table.en in refusal.value.en
        assert table.vi in refusal.value.vi


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c\n1,2,3\n",
        "time,operator,rsrp\n1,2,3\n",
        "lat,lon\n11.9,108.4\n",
        "51.31127359,9.47352325,205,262,1,3080,30926080,-88\n",
        "just a letter\n",
    ],
)
def test_unknown_formats_say_what_was_found_and_what_is_needed(tmp_path, text):
    with pytest.raises(FileRefused) as refusal:
        read(tmp_path, text)
    assert text.split(",")[0].strip() in refusal.value.en
    assert "canonical" in refusal.value.en
    # An example of a header line, in words that both files and people know.
    assert "Thời gian,Vĩ độ,Kinh độ" in refusal.value.vi
    assert "time,lat,lon" in refusal.value.en


def test_a_format_can_be_asked_for(tmp_path):
    assert read(tmp_path, text_log({}), "log.txt", format="gnettrack_text").accepted == 1
    with pytest.raises(FileRefused):
        read(tmp_path, text_log({}), "log.txt", format="gnettrack_csv")


def test_profiles_speak_of_our_fields_only():
    for fmt in FORMATS:
        assert set(fmt.columns) <= set(FIELDS)
        assert {field for group in fmt.needs for field in group} <= set(FIELDS)
    assert len({fmt.name for fmt in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("name", ["IMEI", "IMSI", "MSISDN", "IP", "Serial", "deviceSerialNumber"])
def test_no_profile_reads_what_names_a_person(name):
    assert not any(name in spellings for fmt in FORMATS for spellings in fmt.columns.values())
