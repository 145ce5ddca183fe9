"""The simulated logs in real formats, with the faults those formats have in the field."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coverage.simulate.network import GSM, LTE, NR, OPERATORS, UMTS
from coverage.simulate.noise import Bools, Floats, Ints, hashed_uniform
from coverage.simulate.phones import EMERGENCY_ONLY, IN_SERVICE, NO_SERVICE, NO_TECHNOLOGY
from coverage.simulate.readings import Readings

MARK = "SIMULATED"
EPOCH = np.datetime64("2025-01-01", "s")
_UTC_AHEAD_S = 7 * 3_600
TEXT_HEADER = [
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
_CSV_HEADER = (
    "Timestamp,Longitude,Latitude,Speed,Operatorname,CellID,NetworkMode,RSRP,RSRQ,SNR,CQI,RSSI,DL_bitrate,"
    "UL_bitrate,State,PINGAVG,PINGMIN,PINGMAX,PINGSTDEV,PINGLOSS,CELLHEX,NODEHEX,LACHEX,RAWCELLID,NRxRSRP,"
    "NRxRSRQ"
)
_PLAIN_HEADER = (
    "time,lat,lon,operator,technology,rsrp_dbm,rscp_dbm,rxlev_dbm,ss_rsrp_dbm,service_state,device,"
    "accuracy_m,speed_mps,in_vehicle,serving_cell,note"
)
_TOWER_HEADER = (
    "mcc,mnc,lac,cell_id,short_cell_id,rnc,psc,asu,dbm,ta,lat,lon,accuracy,speed,bearing,altitude,measured_at,"
    "net_type,neighboring,discovered_at,device,rsrp,rsrq,rssi,rssnr,cqi,rscp,csi_rsrp,csi_rsrq,csi_sinr,ss_rsrp,"
    "ss_rsrq,ss_sinr,cdma_dbm,cdma_ecio,evdo_dbm,evdo_ecio,evdo_snr,ec_no,arfcn"
)
_VIETNAMESE = {"time": "thời gian", "lat": "vĩ độ", "lon": "kinh độ", "operator": "nhà mạng"}
_VIETNAMESE |= {"technology": "công nghệ"}
_NAMES = {"45204": "Viettel", "45202": "VinaPhone", "45201": "MobiFone", "45205": "Vietnamobile"}
_GENERATION = {NO_TECHNOLOGY: "--", GSM: "2G", UMTS: "3G", LTE: "4G", NR: "5G"}
_MODE = {NO_TECHNOLOGY: "--", GSM: "EDGE", UMTS: "HSPA+", LTE: "LTE", NR: "5G"}
_TECHNOLOGY = {NO_TECHNOLOGY: "", GSM: "GSM", UMTS: "UMTS", LTE: "LTE", NR: "NR"}
_STATE = {IN_SERVICE: "in_service", NO_SERVICE: "no_service", EMERGENCY_ONLY: "emergency_only"}
_NO_COVERAGE_LEVEL = -200
_UNKNOWN_3G_LEVEL = -24
_UNKNOWN_4G_LEVELS = np.array([-164, -164, -200, -340])


def file_name(readings: Readings, ending: str, source: str = "drive_test") -> str:
    """The name that tells what the rows may not: source, device, operator, first date."""
    first = str(EPOCH + readings.second[0])[:10]
    return f"{source}__{readings.phone.name}__{OPERATORS[readings.phone.operator]}__{first}.{ending}"


def write_text_log(readings: Readings, altitude_m: Floats, path: Path) -> None:
    """Write a G-NetTrack Pro text log: TAB, CRLF, 21 names over 22 fields, local time, no accuracy."""
    path.write_bytes(_text_log(readings, altitude_m))


def _text_log(readings: Readings, altitude_m: Floats) -> bytes:
    heard = readings.heard
    silent = heard.technology == NO_TECHNOLOGY
    plmn = OPERATORS[readings.phone.operator]
    site = np.maximum(heard.site, 0)
    dash = pa.repeat("-", silent.size)
    blank = pa.repeat("", silent.size)
    columns = [
        _times(readings.second, "%Y.%m.%d_%H.%M.%S"),
        _number(readings.lon),
        _number(readings.lat),
        _where(silent, "NO_COVERAGE", _NAMES[plmn]),
        _where(silent, "", plmn),
        _where(silent, "", MARK),
        _where(silent, "", _number(site // 100)),
        _where(silent, "", _number(site % 100)),
        _where(silent, "", "7000"),
        _label(_GENERATION, heard.technology),
        _number(_app_levels(readings)),
        _where(silent, "", _number(_quality(readings))),
        _where(silent, "", dash),
        _where(silent, "", dash),
        _where(silent, "", dash),
        _where(silent, "", "1750"),
        _where(silent, "", _number(site % 504)),
        _number(np.rint(altitude_m).astype(np.int64)),
        pa.repeat("-1", silent.size),
        blank,
        _where(silent, "", _label({GSM: "G9", UMTS: "U9", LTE: "L3", NR: "N78"}, heard.technology)),
        blank,
    ]
    return _joined("\t".join(TEXT_HEADER), columns, "\t", "\r\n").encode()


def _app_levels(readings: Readings) -> Ints:
    # The app has one level column: unknown and silence are written into it as impossible levels.
    heard = readings.heard
    unknown = np.isnan(heard.level_dbm)
    luck = hashed_uniform(6, readings.second, np.full(unknown.size, readings.phone.operator))
    lost = _UNKNOWN_4G_LEVELS[(luck * _UNKNOWN_4G_LEVELS.size).astype(np.int64)]
    level = np.where(unknown, lost, np.nan_to_num(heard.level_dbm)).astype(np.int64)
    level = np.where(unknown & (heard.technology == UMTS), _UNKNOWN_3G_LEVEL, level)
    return np.where(heard.technology == NO_TECHNOLOGY, _NO_COVERAGE_LEVEL, level)


def _quality(readings: Readings) -> Ints:
    level = np.nan_to_num(readings.heard.level_dbm, nan=-110.0)
    return np.rint(np.clip(-8 + (level + 95) / 5, -19, -5)).astype(np.int64)


def write_zip(members: list[Readings], path: Path) -> None:
    """Write a zip of G-NetTrack CSV logs, one per phone, with the entries that a Mac leaves in it."""
    with zipfile.ZipFile(path, "w") as archive:
        for readings in members:
            name = file_name(readings, "csv")
            _add(archive, f"drives/{name}", _csv_log(readings).encode())
            _add(
                archive, f"__MACOSX/drives/._{name}", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(80)
            )


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed date: the same arguments must give the same bytes.
    entry = zipfile.ZipInfo(name, date_time=(2026, 11, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, compresslevel=4)


def _csv_log(readings: Readings) -> str:
    heard = readings.heard
    silent = heard.technology == NO_TECHNOLOGY
    size = silent.size
    site = np.maximum(heard.site, 0)
    dash = pa.repeat("-", size)
    columns = [
        _times(readings.second, "%Y.%m.%d_%H.%M.%S"),
        _number(readings.lon),
        _number(readings.lat),
        _number(np.rint(readings.speed_mps * 3.6).astype(np.int64)),
        # The app has no field for silence: it stands where the operator's name would.
        _where(silent, "NO_COVERAGE", OPERATORS[readings.phone.operator]),
        _where(silent, "-", _number(site)),
        _label(_MODE, heard.technology),
        _number(_app_levels(readings)),
        _where(silent, "-", _number(_quality(readings))),
        *[dash] * 3,
        pa.repeat("0", size),
        pa.repeat("0", size),
        pa.repeat("I", size),
        *[dash] * 5,
        pa.repeat(MARK, size),
        *[dash] * 5,
    ]
    return _joined(_CSV_HEADER, columns, ",", "\n")


def write_tower_export(readings: Readings, path: Path) -> None:
    """Write a Tower Collector export: comma, CRLF, UTC; rows in service only, as it cannot tell of others."""
    plmn, size = OPERATORS[readings.phone.operator], readings.second.size
    told = {
        "mcc": pa.repeat(plmn[:3], size),
        "mnc": pa.repeat(str(int(plmn[3:])), size),
        "lac": pa.repeat("7000", size),
        "cell_id": _number(readings.heard.site),
        "dbm": _number(readings.heard.level_dbm.astype(np.int64)),
        "lat": _number(readings.lat),
        "lon": _number(readings.lon),
        "accuracy": _number(readings.accuracy_m),
        "speed": _number(readings.speed_mps),
        "measured_at": _times(readings.second - _UTC_AHEAD_S, '"%Y-%m-%dT%H:%M:%SZ"'),
        "net_type": _label(_TECHNOLOGY, readings.heard.technology),
        "neighboring": pa.repeat("false", size),
        "device": pa.repeat(f"{readings.phone.name} {MARK}", size),
        "rsrp": _level(readings, LTE),
        "rscp": _level(readings, UMTS),
        "ss_rsrp": _level(readings, NR),
    }
    blank = pa.repeat("", size)
    columns = [told.get(name, blank) for name in _TOWER_HEADER.split(",")]
    path.write_bytes(_joined(_TOWER_HEADER, columns, ",", "\r\n").encode())


def write_plain(parts: list[Readings], path: Path, *, vietnamese: bool) -> None:
    """Write a canonical CSV; `vietnamese` as Excel in Viet Nam saves it (BOM, semicolon, decimal comma)."""
    header, sep, end = _PLAIN_HEADER, ",", "\n"
    if vietnamese:
        header = ";".join(_VIETNAMESE.get(name, name) for name in _PLAIN_HEADER.split(","))
        sep, end = ";", "\r\n"
    blocks = [_plain(part, vietnamese=vietnamese) for part in parts]
    columns = [pa.chunked_array(list(group)).combine_chunks() for group in zip(*blocks, strict=True)]
    text = _joined(header, columns, sep, end)
    path.write_bytes(text.encode("utf-8-sig" if vietnamese else "utf-8"))


def _plain(readings: Readings, *, vietnamese: bool) -> list[Any]:
    heard = readings.heard
    size = readings.second.size
    lost = np.isnan(heard.level_dbm) & (heard.state == IN_SERVICE)
    columns = [
        _times(readings.second, "%d/%m/%Y %H:%M:%S" if vietnamese else "%Y-%m-%dT%H:%M:%S"),
        _number(readings.lat),
        _number(readings.lon),
        pa.repeat(OPERATORS[readings.phone.operator], size),
        _label(_TECHNOLOGY, heard.technology),
        *[_level(readings, technology) for technology in (LTE, UMTS, GSM, NR)],
        _where(lost, "unknown", _label(_STATE, heard.state)),
        pa.repeat(readings.phone.name, size),
        _number(readings.accuracy_m),
        _number(readings.speed_mps),
        _where(readings.driving, "true", "false"),
        _where(heard.site < 0, "", pc.binary_join_element_wise("SIM", _number(heard.site), "-")),
        pa.repeat("simulated", size),
    ]
    decimals = {1, 2, 11, 12} if vietnamese else set()
    return [
        pc.replace_substring(column, ".", ",") if index in decimals else column
        for index, column in enumerate(columns)
    ]


def _level(readings: Readings, technology: int) -> Any:  # noqa: ANN401 - Arrow arrays carry no types
    known = (readings.heard.technology == technology) & ~np.isnan(readings.heard.level_dbm)
    return _where(~known, "", _number(np.nan_to_num(readings.heard.level_dbm).astype(np.int64)))


def _times(second: Ints, pattern: str) -> Any:  # noqa: ANN401
    return pc.strftime(pa.array(EPOCH + second.astype("timedelta64[s]")), format=pattern)


def _number(values: Floats | Ints) -> Any:  # noqa: ANN401
    return pc.cast(pa.array(values), pa.string())


def _where(condition: Bools, then: object, otherwise: object) -> Any:  # noqa: ANN401
    return pc.if_else(pa.array(condition), then, otherwise)


def _label(names: dict[int, str], codes: Ints) -> Any:  # noqa: ANN401
    table = pa.array([names.get(code, "") for code in range(-1, 4)])
    return table.take(pa.array(codes + 1))


def _joined(header: str, columns: list[Any], sep: str, end: str) -> str:
    lines = pc.binary_join_element_wise(*columns, sep)
    if isinstance(lines, pa.ChunkedArray):
        lines = lines.combine_chunks()
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return f"{header}{end}{pc.binary_join(whole, end)[0].as_py()}{end}"
