"""Which document is of which kind, and its table of which format; synthetic samples throughout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_logs_apps import SYNTHETIC, codes, first, reading
from test_logs_documents import KML, NEMO, TEMS, rows_of
from test_logs_documents_json import ITEM, LTE_CELL, SUBMISSION, TOWER

from coverage.logs import Context, Reading
from coverage.logs.detect import find, positions
from coverage.logs.documents import recognise
from coverage.logs.formats import xirio
from coverage.logs.lines import lines_of
from coverage.logs.quantities import level_of_asu

SAMPLES: dict[str, Any] = {
    "geosubmit": {"items": [ITEM]},
    "fcc_speed_test": {"submissions": [SUBMISSION]},
    "gnettrack_kml": KML,
    "nemo": NEMO,
    "tems_text": TEMS,
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_synthetic_documents_are_recognised_by_their_first_bytes(kind: str) -> None:
    sample = SAMPLES[kind]
    head = sample.encode() if isinstance(sample, str) else json.dumps(sample).encode()
    assert recognise(head) == kind
    assert recognise(b"\n " + head) == kind


@pytest.mark.parametrize(
    "head",
    [b"", b"time,lat,lon,rsrp\n1,2,3,4\n", b"Time\tLatitude\tLongitude\n", b'{"type":"FeatureCollection"}', b"[1]", b"<html>",
     b"# Created by Network Survey\n"],
)  # fmt: skip
def test_other_files_are_no_documents(head: bytes) -> None:
    assert recognise(head) is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("geosubmit", "geosubmit"),
        ("fcc_speed_test", "fcc_speed_test"),
        ("gnettrack_kml", "gnettrack_text"),
        ("nemo", "nemo"),
        ("tems_text", "tems_text"),
    ],
)
def test_each_table_is_of_the_format_that_is_meant(kind: str, name: str) -> None:
    (_, names), *_ = rows_of(kind, SAMPLES[kind])
    layout, _ = find(lines_of("\t".join(names).encode() + b"\n"), "x", None)
    assert layout.format.name == name


def as_table(folder: Path, kind: str, document: Any) -> Reading:
    """The document, sent as its app wrote it."""
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "log.txt").write_text(text, encoding="utf-8")
    found = reading(folder / "log.txt", Context(operator="Viettel"))
    assert found.rows == len(list(rows_of(kind, document))) - 1
    return found


def test_synthetic_geosubmit_counts_serving_cells_that_belong_to_their_position(tmp_path: Path) -> None:
    towers = [TOWER, TOWER | {"serving": 0}, TOWER | {"age": 60_001}]
    items = [ITEM | {"cellTowers": towers}, {"position": ITEM["position"], "wifiAccessPoints": [{}]}]
    found = as_table(tmp_path, "geosubmit", items)
    assert (found.format, found.accepted) == ("geosubmit", 1)
    assert codes(found) == ["neighbour_cell", "stale_position", "not_mobile"]
    assert (first(found)["operator"], first(found)["rsrp_dbm"], first(found)["time_precision"]) == (
        "45204", -97.0, "second",
    )  # fmt: skip


def test_synthetic_fcc_speed_test_counts_serving_cells(tmp_path: Path) -> None:
    cells = [LTE_CELL, LTE_CELL | {"cell_connection": "Not Serving"}]
    test = SUBMISSION["tests"]["download"] | {"cells": cells}
    found = as_table(tmp_path, "fcc_speed_test", [SUBMISSION | {"tests": {"download": test}}])
    assert (found.format, found.accepted, codes(found)) == ("fcc_speed_test", 1, ["neighbour_cell"])
    assert (first(found)["rsrp_dbm"], first(found)["download_mbps"]) == (
        -97.0,
        pytest.approx(24.206, abs=1e-3),
    )


@pytest.mark.parametrize(
    ("kind", "accepted", "rejected", "column", "level"),
    [
        ("gnettrack_kml", 3, ["bad_coordinate", "bad_coordinate"], "rsrp_dbm", -97.0),
        ("nemo", 3, ["bad_coordinate"] * 6 + ["bad_time"], "rsrp_dbm", -69.1),
    ],
)
def test_synthetic_text_documents_are_read_like_tables(
    tmp_path: Path, kind: str, accepted: int, rejected: list[str], column: str, level: float
) -> None:
    found = as_table(tmp_path, kind, SAMPLES[kind])
    assert (found.accepted, codes(found)) == (accepted, rejected)
    assert first(found)[column] == pytest.approx(level)


def test_synthetic_tems_export_with_dates_knows_loss_of_service(tmp_path: Path) -> None:
    found = as_table(tmp_path, "tems_text", (SYNTHETIC / "tems_text/drive.txt").read_text("utf-8"))
    assert (found.format, found.accepted, found.no_service) == ("tems_text", 2, 1)
    assert first(found)["rsrp_dbm"] == -97.0


SPEEDTEST = "Date,ConnType,Lat,Lon,Download,Upload,Latency,ServerName,InternalIp,ExternalIp"
SPEEDTEST_ES = "Fecha,Tipo de conexión,Lat,Lon,Descarga,Subida,Latencia,NombreServidor,IpInterna,IpExterna"
OPENCELLID = (
    "lat,lon,mcc,mnc,sid,lac,tac,nid,cellid,bid,psc,pci,signal,ta,measured_at,rating,speed,direction,act,devn"
)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (SPEEDTEST, "speedtest"),
        (SPEEDTEST.replace("Upload", "DownloadBytes,Upload,UploadBytes"), "speedtest"),
        (SPEEDTEST_ES, "speedtest"),
        (OPENCELLID, "opencellid_upload"),
    ],
)
def test_synthetic_plain_tables_are_of_their_format(header: str, name: str) -> None:
    found, _ = find(lines_of(header.encode() + b"\n"), "x", None)
    assert found.format.name == name
    assert "Ip" not in "".join(found.names[place] for place in found.positions.values())


def test_synthetic_speedtest_leaves_wifi_out() -> None:
    found = reading(SYNTHETIC / "speedtest/speedtest.csv", Context(operator="Viettel"))
    assert (found.format, found.accepted, codes(found)) == ("speedtest", 1, ["not_mobile"])
    one = first(found)
    assert (one["technology"], one["service_state"], one["rsrp_dbm"]) == ("LTE", "in_service", None)
    assert one["download_mbps"] == pytest.approx(12.848)


def test_xirio_takes_x_for_the_longitude() -> None:
    names = ["x", "y", "system", "epsg", "coveragename", "coverage", "interference", "rssi", "rsrq"]
    assert positions(xirio.FORMAT, names) == {"lat": 1, "lon": 0, "kind": 3, "rxlev_dbm": 7, "rsrq_db": 8}


def test_synthetic_xirio_reads_wgs84_only() -> None:
    found = reading(SYNTHETIC / "xirio/x.csv", Context(operator="Viettel", technology="4G"))
    assert (found.format, found.accepted) == ("xirio", 2)
    assert codes(found) == ["wrong_coordinate_system"] * 2
    assert (first(found)["lat"], first(found)["lon"], first(found)["rsrp_dbm"]) == (11.94, 108.43, -97.0)


@pytest.mark.parametrize(
    ("technology", "asu", "dbm"),
    [
        ("GSM", [-1, 0, 31, 32, 99, 255, np.nan], [np.nan, -113, -51, np.nan, np.nan, np.nan, np.nan]),
        ("UMTS", [-1, 0, 96, 97, 99, 255, np.inf], [np.nan, -120, -24, np.nan, np.nan, np.nan, np.nan]),
        ("LTE", [-1, 0, 97, 98, 99, 255, np.nan], [np.nan, -140, -43, np.nan, np.nan, np.nan, np.nan]),
        ("NR", [-1, 0, 97, 98, 99, 255, np.nan], [np.nan, -140, -43, np.nan, np.nan, np.nan, np.nan]),
        ("CDMA", [0, 10], [np.nan, np.nan]),
    ],
)
def test_level_of_asu_at_the_bounds(technology: str, asu: list[float], dbm: list[float]) -> None:
    np.testing.assert_array_equal(level_of_asu(technology, np.array(asu, float)), dbm)
