"""How each app writes the truth: its columns, its way of saying that there is no service, and its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hostile import ZONE, Cells, Truth, Writer


def dotted(at: datetime) -> str:
    """A moment as G-NetTrack writes it."""
    return at.strftime("%Y.%m.%d_%H.%M.%S")


def _level(row: Truth, nothing: str = "") -> str:
    return nothing if row.level is None else str(row.level)


def _canonical(row: Truth) -> Cells:
    state = "no_service" if row.technology is None else "in_service"
    return {
        "time": row.at.isoformat(), "lat": str(row.lat), "lon": str(row.lon), "operator": row.operator,
        "technology": row.technology or "", "level": _level(row), "service_state": "" if row.level else state,
        "accuracy": "5", "remarks": "x",
    }  # fmt: skip


def _vietnamese(row: Truth) -> Cells:
    return {
        "Thời gian": row.at.strftime("%d/%m/%Y %H:%M:%S"), "Vĩ độ": str(row.lat).replace(".", ","),
        "Kinh độ": str(row.lon).replace(".", ","), "Nhà mạng": "Viettel", "Công nghệ": row.technology or "",
        "Mức thu": _level(row), "Tình trạng sóng": "không có sóng" if row.technology is None else "có sóng",
        "Độ chính xác": "5", "Ghi chú": "đường về thôn",
    }  # fmt: skip


_GENERATION = {"LTE": "4G", "NR": "5G", "UMTS": "3G", "GSM": "2G", None: "--"}
_MODE = {"LTE": "LTE", "NR": "5G", "UMTS": "HSPA+", "GSM": "EDGE", None: "--"}


def _gnettrack(row: Truth) -> Cells:
    off = row.technology is None
    return {
        "Timestamp": dotted(row.at), "Longitude": str(row.lon), "Latitude": str(row.lat),
        "Operatorname": "NO_COVERAGE" if off else "Viettel", "Operator": "" if off else row.operator,
        "CellID": "-" if off else "11", "NetworkTech": _GENERATION[row.technology], "Level": _level(row, "-200"),
        "Accuracy": "5", "Altitude": "800",
    }  # fmt: skip


def _cork(row: Truth) -> Cells:
    off = row.technology is None
    return {
        "Timestamp": dotted(row.at), "Longitude": str(row.lon), "Latitude": str(row.lat), "Speed": "5",
        "Operatorname": "NO_COVERAGE" if off else row.operator, "CellID": "" if off else "11",
        "NetworkMode": _MODE[row.technology], "RSRP": _level(row, "-200"), "RSRQ": "-", "SNR": "-", "Accuracy": "5",
        "State": "I", "NRxRSRP": "-60",
    }  # fmt: skip


def _network_survey(row: Truth) -> Cells:
    return {
        "deviceTime": row.at.isoformat() + "+07:00", "latitude": str(row.lat), "longitude": str(row.lon), "speed": "5",
        "accuracy": "5", "mcc": "452", "mnc": "04", "tac": "7000", "eci": "11", "rsrp": _level(row), "rsrq": "-9",
        "servingCell": "true", "provider": "Viettel", "snr": "9", "deviceSerialNumber": "SERIAL-OF-A-PHONE",
    }  # fmt: skip


def _phone_state(row: Truth) -> Cells:
    kind = {"GSM": 16, "UMTS": 15, "LTE": 13, "NR": 20, None: 0}[row.technology]
    return {
        "deviceTime": row.at.isoformat() + "+07:00", "latitude": str(row.lat), "longitude": str(row.lon), "speed": "5",
        "accuracy": "5", "simState": "READY", "simOperator": row.operator,
        "networkRegistrationInfo": json.dumps([{"domain": 1, "accessNetworkTechnology": kind}]), "slot": "0",
    }  # fmt: skip


def _tower_collector(row: Truth) -> Cells:
    return {
        "mcc": "452", "mnc": "4", "lac": "7000", "cell_id": "11", "asu": "", "dbm": _level(row), "lat": str(row.lat),
        "lon": str(row.lon), "accuracy": "5", "measured_at": (row.at - ZONE).isoformat() + "Z",
        "net_type": row.technology or "", "neighboring": "false", "device": "a phone",
    }  # fmt: skip


def _gmon(row: Truth) -> Cells:
    off = row.technology is None
    system = {"GSM": "2", "UMTS": "3", "LTE": "4", None: "0"}[row.technology]
    return {
        "PLMN": "" if off else row.operator, "SYSTEM": system, "XCI": "" if off else "11", "LAC/TAC": "7000",
        "RSRP/RSCP": _level(row), "RSRQ/ECIO": "", "SNR": "", "LAT": str(row.lat), "LON": str(row.lon), "SPEED": "5",
        "GPS_ACCURACY": "5", "DATE": row.at.strftime("%Y/%m/%d"), "TIME": row.at.strftime("%H:%M:%S"), "ROAMING": "--",
    }  # fmt: skip


def _neostumbler(row: Truth) -> Cells:
    since = (row.at - ZONE - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    return {
        "timestamp": str(since), "latitude": str(row.lat), "longitude": str(row.lon), "locationAccuracy": "5",
        "speed": "1.5", "cellId": "11", "radioType": {"LTE": "lte", "UMTS": "wcdma", "GSM": "gsm", "NR": "nr"}[row.technology or ""],
        "mcc": "452", "mnc": "04", "lac": "7000", "signalStrength": _level(row), "asu": "",
    }  # fmt: skip


def _wigle(row: Truth) -> Cells:
    return {
        "MAC": "45204_7000_11", "SSID": "Viettel", "AuthMode": "LTE;vn", "FirstSeen": row.at.isoformat(" "),
        "Channel": "5", "RSSI": _level(row), "CurrentLatitude": str(row.lat), "CurrentLongitude": str(row.lon),
        "AccuracyMeters": "5", "Type": {"LTE": "LTE", "UMTS": "WCDMA", "GSM": "GSM", "NR": "NR"}[row.technology or ""],
    }  # fmt: skip


def _geosubmit(row: Truth) -> Cells:
    since = (row.at - ZONE - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    return {
        "timestamp": str(since), "latitude": str(row.lat), "longitude": str(row.lon), "accuracy": "5",
        "radioType": {"LTE": "lte", "UMTS": "wcdma", "GSM": "gsm", "NR": "nr"}[row.technology or ""], "mobileCountryCode": "452",
        "mobileNetworkCode": "4", "cellId": "11", "serving": "1", "signalStrength": _level(row),
    }  # fmt: skip


def _geosubmit_text(rows: Sequence[Cells]) -> str:
    place = ("latitude", "longitude", "accuracy")
    items = []
    for row in rows:
        tower = {name: cell for name, cell in row.items() if name not in {"timestamp", *place}}
        items.append(
            {
                "timestamp": row["timestamp"],
                "position": {name: row[name] for name in place},
                "cellTowers": [tower],
            }
        )
    return json.dumps({"items": items}, indent=1) + "\n"


def _kml_text(rows: Sequence[Cells]) -> str:
    marks = []
    for row in rows:
        data = "".join(
            f'<Data name="{name}"><value>{cell.replace("&", "&amp;").replace("<", "&lt;")}</value></Data>\n'
            for name, cell in row.items()
            if name not in {"Longitude", "Latitude"}
        )
        point = f"<Point><coordinates>{row['Longitude']},{row['Latitude']},0</coordinates></Point>"
        marks.append(f"<Placemark><ExtendedData>\n{data}</ExtendedData>{point}</Placemark>\n")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<kml><Document>\n{"".join(marks)}</Document></kml>\n'


_PLACE = {"lat": "latitude", "lon": "longitude", "accuracy": "accuracy"}
_PHONE = frozenset({"LTE", "UMTS", "GSM", "NR"})
_GNETTRACK = {"time": "Timestamp", "lat": "Latitude", "lon": "Longitude", "level": "Level", "accuracy": "Accuracy",
              "technology": "NetworkTech", "free": "Altitude"}  # fmt: skip
CANONICAL = Writer(
    "canonical", "log.csv", _canonical,
    {"time": "time", "lat": "lat", "lon": "lon", "level": "level", "accuracy": "accuracy", "technology": "technology",
     "state": "service_state", "operator": "operator", "free": "remarks"},
)  # fmt: skip
GNETTRACK = Writer("gnettrack_text", "log.txt", _gnettrack, _GNETTRACK, delimiter="\t", camped=True)
NETWORK_SURVEY = Writer(
    "networksurvey_lte", "craxiom.csv", _network_survey,
    _PLACE | {"time": "deviceTime", "level": "rsrp"}, frozenset({"LTE"}), first_line=4,
    above="# Created by Network Survey version=1.0\n# CSV Version=0.4.0\n", beside={"neighbour_cell": {"servingCell": "false"}},
)  # fmt: skip
WRITERS: tuple[Writer, ...] = (
    CANONICAL,
    GNETTRACK,
    Writer(
        "canonical_vi", "do_song.csv", _vietnamese,
        {"time": "Thời gian", "lat": "Vĩ độ", "lon": "Kinh độ", "level": "Mức thu", "accuracy": "Độ chính xác",
         "technology": "Công nghệ", "state": "Tình trạng sóng", "operator": "Nhà mạng", "free": "Ghi chú"},
        delimiter=";", states=True,
    ),
    replace(CANONICAL, name="canonical_bar", delimiter="|"),
    Writer("gnettrack_csv", "cork.csv", _cork,
           {"time": "Timestamp", "lat": "Latitude", "lon": "Longitude", "level": "RSRP", "accuracy": "Accuracy",
            "technology": "NetworkMode", "free": "State"}, camped=True),
    NETWORK_SURVEY,
    Writer("networksurvey_phonestate", "craxiom-phonestate.csv", _phone_state, _PLACE | {"time": "deviceTime", "free": "slot"},
           first_line=4, above=NETWORK_SURVEY.above, levels=False, beside={"sim_not_ready": {"simState": "ABSENT"}}, header_again=("sim_not_ready", 1)),
    Writer("towercollector", "export.csv", _tower_collector,
           {"time": "measured_at", "lat": "lat", "lon": "lon", "level": "dbm", "accuracy": "accuracy", "technology": "net_type"},
           _PHONE, beside={"neighbour_cell": {"neighboring": "true"}}),
    Writer("gmon", "gmon.csv", _gmon, {"lat": "LAT", "lon": "LON", "level": "RSRP/RSCP", "accuracy": "GPS_ACCURACY", "clock": "TIME"},
           frozenset({"LTE", "UMTS", None}), delimiter=";", camped=True),
    Writer("neostumbler", "cells.csv", _neostumbler,
           {"time": "timestamp", "lat": "latitude", "lon": "longitude", "level": "signalStrength", "accuracy": "locationAccuracy",
            "technology": "radioType"}, _PHONE),
    Writer("wigle", "wigle.csv", _wigle,
           {"time": "FirstSeen", "lat": "CurrentLatitude", "lon": "CurrentLongitude", "level": "RSSI", "accuracy": "AccuracyMeters"},
           _PHONE, first_line=3, above="WigleWifi-1.6,appRelease=2.90,model=x\n", beside={"not_mobile": {"Type": "WIFI"}}),
    Writer("geosubmit", "export.json", _geosubmit,
           _PLACE | {"time": "timestamp", "level": "signalStrength", "technology": "radioType"}, _PHONE, first_line=1,
           table=False, render=_geosubmit_text, beside={"neighbour_cell": {"serving": "0"}, "not_mobile": {"radioType": "wifi"}}),
    replace(GNETTRACK, name="gnettrack_kml", file="log.kml", first_line=1, table=False, render=_kml_text),
)  # fmt: skip
