"""Structured text → tables: synthetic KML, Nemo and TEMS documents, and damaged ones.

No real file of these kinds may be kept here; the shapes of the Nemo lines are those of public logs, with other
numbers. A place of Nemo or TEMS is a line of the sample, one of KML the number of its Placemark.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_logs_apps import SYNTHETIC

from coverage.errors import FileRefused
from coverage.logs.documents import TABLES, Row


def rows_of(kind: str, document: Any) -> list[Row]:
    data = (
        document if isinstance(document, bytes) else document.encode() if isinstance(document, str) else None
    )
    return list(TABLES[kind](json.dumps(document).encode() if data is None else data, "x"))


def told(kind: str, document: Any) -> list[dict[str, Any]]:
    """The rows as place and the cells that say something."""
    (place, names), *rows = rows_of(kind, document)
    assert place == 0
    return [
        {"place": place} | {name: text for name, text in zip(names, cells, strict=True) if text}
        for place, cells in rows
    ]


def refusal(kind: str, document: Any) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        rows_of(kind, document)
    assert caught.value.vi.startswith("x: ")
    assert caught.value.en.startswith("x: ")
    return caught.value


KML = (SYNTHETIC / "gnettrack_text/Viettel_log.kml").read_text("utf-8")


def test_synthetic_gnettrack_kml_speaks_the_columns_of_the_text_log() -> None:
    assert told("gnettrack_kml", KML) == [
        {
            "place": 1, "Longitude": "108.43", "Latitude": "11.94", "Timestamp": "2026.10.01_08.02.03",
            "Operatorname": "Gtel m", "Operator": "45204", "NetworkTech": "4G", "Level": "-97", "Qual": "-9", "CellID": "12:3",
        },
        {
            "place": 2, "Longitude": "108.44", "Latitude": "11.94", "Timestamp": "2026.10.01_08.02.04", "NetworkTech": "4G",
            "Level": "-98", "SNR": "5",
        },
        {
            "place": 3, "Longitude": "108.45", "Latitude": "11.94", "Timestamp": "2026.10.01_08.02.05", "NetworkTech": "4G",
            "Level": "-99", "Node": "7", "CellID": "3",
        },
        {"place": 5, "Longitude": "here", "Timestamp": "2026-10-01T01:02:06Z"},
    ]  # fmt: skip


BOMB = '<!DOCTYPE k [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "document",
    [
        KML[: len(KML) // 2],
        "<kml>",
        f"{BOMB}<kml><Placemark><description>Level: &b;</description></Placemark></kml>",
        '<!DOCTYPE k SYSTEM "file:///etc/passwd"><kml/>',
        f"<kml>{'<Folder>' * 200_000}",
        "<kml><Placemark><gx:Track/></Placemark></kml>",
        b"<kml>\xff</kml>",
        "<kml>\x00</kml>",
    ],
)
def test_damaged_kml_is_refused(document: str | bytes) -> None:
    assert "damaged" in refusal("gnettrack_kml", document).en


def test_kml_without_any_level_asks_for_the_log() -> None:
    text = "<kml><Placemark><Point><coordinates>108,11</coordinates></Point></Placemark></kml>"
    assert "*_log.txt" in refusal("gnettrack_kml", text).en


NEMO = (SYNTHETIC / "nemo/drive.nmf").read_text("utf-8")


def test_synthetic_nemo_gives_the_serving_cell_of_each_line() -> None:
    assert told("nemo", NEMO) == [
        {
            "place": 6, "nmf_time": "2018-12-31T23:59:58.565", "nmf_latitude": "11.940000", "nmf_longitude": "108.430000",
            "nmf_system": "LTE", "nmf_band": "70003", "nmf_channel": "1850", "nmf_code": "51", "nmf_rsrp": "-69.1",
            "nmf_rsrq": "-5.9",
        },
        {
            "place": 7, "nmf_time": "2019-01-01T00:00:00.253", "nmf_latitude": "11.940000", "nmf_longitude": "108.430000",
            "nmf_system": "LTE", "nmf_band": "70038", "nmf_channel": "37900", "nmf_code": "8", "nmf_rsrp": "-97.5",
            "nmf_rsrq": "-9",
        },
        {
            "place": 8, "nmf_time": "2018-12-31T23:59:59.900", "nmf_latitude": "11.940000", "nmf_longitude": "108.430000",
            "nmf_system": "GSM",
        },
        {
            "place": 10, "nmf_time": "2019-01-01T00:00:01.200", "nmf_system": "UMTS", "nmf_band": "50001",
            "nmf_channel": "10588", "nmf_code": "304", "nmf_rscp": "-73.6", "nmf_ecno": "-6.5",
        },
        {"place": 11, "nmf_time": "2019-01-01T00:00:01.300", "nmf_system": "LTE"},
        {"place": 12, "nmf_time": "broken", "nmf_system": "Nemo"},
    ]  # fmt: skip


def test_synthetic_nemo_never_lets_the_phone_or_the_sim_out() -> None:
    assert "9999999" not in str(rows_of("nemo", NEMO))


def test_synthetic_nemo_carries_a_position_two_seconds_and_no_further() -> None:
    line = "CELLMEAS,08:00:0{},,7,0,1,9,0,70003,1850,51,-42,-69,-5,,\n"
    rows = told("nemo", "GPS,08:00:00.000,,108.43,11.94,8\n" + line.format("2.000") + line.format("2.001"))
    assert [row.get("nmf_latitude") for row in rows] == ["11.94", None]
    assert [row["nmf_time"] for row in rows] == ["08:00:02.000", "08:00:02.001"]


def test_synthetic_nemo_of_an_impossible_date_keeps_the_clock() -> None:
    nights = "".join("A,23:00:00\nA,01:00:00\n" for _ in range(3))
    line = "CELLMEAS,01:00:00,,7,0,0,9\n"
    rows = told("nemo", f'#START,01:00:00,,"31.2.2019"\n{line}#START,01:00:00,,"30.12.9999"\n{nights}{line}')
    assert [row["nmf_time"] for row in rows] == ["01:00:00", "01:00:00"]


def test_nemo_without_measurements_is_refused() -> None:
    assert "CELLMEAS" in refusal("nemo", '#PRODUCT,,,"NEMO OUTDOOR","7"\nGPS,08:00:00,,108,11\n').en


TEMS_NAMES = "Time\tMS\tFrame Number\tDirection\tMessage Type\tEvent\tEventInfo\tAll-Latitude\tAll-Longitude"
TEMS = f"""

{TEMS_NAMES}\tAll-Serving Cell Identity[1]\tAll-Serving Cell RSRP (dBm)[2]\tAll-Serving Cell RSRP (dBm)[1]\tAll-Serving Cell RSRQ (dB)[1]\tAll-Scanned RxLev (dBm)[0]
23:59:59.00\tMS1\t\t\t\t\t\t11.94\t108.43
00:00:00.50\tMS1\t\t\t\t\t\t\t\t123\t-80\t-97\t-9\t-60
00:00:01.00\tMS1\t\t\t\t\t\t\t\t\t-80\t\t\t-60
00:00:01.10\tMS1\t\t\t\tNo Service Mode
00:00:01.20\tMS1\t\t\t\tHandover\tx

00:00:01.50\tMS1\t\t\t\t\t\t\t\t123\t\t-98\t
00:00:02.00\tMS1\t\t\t\tLimited Service Mode\t\t11.95\t108.44\t\t\t\t
noon\tMS1\t\t\t\t\t\t\t\t\t\t-99
"""


def test_synthetic_tems_export_fills_positions_for_two_seconds() -> None:
    level, quality = "All-Serving Cell RSRP (dBm)", "All-Serving Cell RSRQ (dB)"
    here = {"All-Latitude": "11.94", "All-Longitude": "108.43"}
    assert told("tems_text", TEMS) == [
        {"place": 5, "Time": "00:00:00.50", level: "-97", quality: "-9", "All-Serving Cell Identity": "123"} | here,
        {"place": 7, "Time": "00:00:01.10", "TEMS service": "no_service"},
        {"place": 10, "Time": "00:00:01.50", level: "-98", "All-Serving Cell Identity": "123"},
        {
            "place": 11, "Time": "00:00:02.00", "All-Latitude": "11.95", "All-Longitude": "108.44",
            "TEMS service": "emergency_only",
        },
        {"place": 12, "Time": "noon", level: "-99"},
    ]  # fmt: skip


def test_synthetic_tems_export_prefers_decimal_degrees() -> None:
    names = "Time\tAll-Latitude\tAll-Latitude Decimal Degree (Text)\tAll-Longitude Decimal Degree (Text)\tAll-Serving Cell RSRP (dBm)"
    (row,) = told("tems_text", f"{names}\n2026-10-01 08:02:03\tN 11 56\t11.94\t108.43\t-97\n")
    assert (row["All-Latitude"], row["All-Longitude"]) == ("11.94", "108.43")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (f"{TEMS_NAMES}\tAll-Scanned ARFCN[0]\tAll-Scanned RxLev (dBm)[0]\n08:00:00\n", "scanner"),
        (f"{TEMS_NAMES}\tAll-Scanned RxLev (dBm)[0]\tAll-Serving Cell RSRP (dBm)\n08:00:00\n", "scanner"),
        (f"{TEMS_NAMES}\n08:00:00\n", "no level of the serving cell"),
        ("nothing\n", "no level of the serving cell"),
    ],
)
def test_tems_export_without_the_serving_cell_is_refused(document: str, says: str) -> None:
    assert says in refusal("tems_text", document).en
