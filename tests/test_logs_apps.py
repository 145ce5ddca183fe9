"""Formats of apps and analysers of which no real file may be kept: synthetic samples from the documented headers.

Each sample says what its rows are: how many are accepted, and what the first accepted one holds.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from coverage.logs import Context, Reading, read_file

DATE = datetime.date(2026, 10, 1)


def reading(folder: Path, name: str, text: str, context: Context | None = None) -> Reading:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    (found,) = read_file(path, context or Context(), device_key=b"key", operator_names={"45204": "Viettel"})
    assert isinstance(found, Reading)
    assert found.rows == found.accepted + found.duplicates + found.rejected + found.quarantined
    return found


def first(found: Reading) -> dict:
    return found.measurements.slice(0, 1).to_pylist()[0]


def codes(found: Reading) -> list[str]:
    return found.outcomes.column("code").to_pylist()


TOWERCOLLECTOR = (
    "mcc,mnc,lac,cell_id,short_cell_id,rnc,psc,asu,dbm,ta,lat,lon,accuracy,speed,bearing,altitude,measured_at,"
    "net_type,neighboring,discovered_at,device,rsrp,rsrq,rssi,rssnr,cqi,rscp,csi_rsrp,csi_rsrq,csi_sinr,ss_rsrp,"
    "ss_rsrq,ss_sinr,cdma_dbm,cdma_ecio,evdo_dbm,evdo_ecio,evdo_snr,ec_no,arfcn\r\n"
    '452,4,7000,123,,,5,43,-97,,11.94,108.43,8,1.5,,800,"2026-10-01T01:02:03Z",LTE,false,,Phone,-97,-9,,,,,,,,,,,,,,,,,1750\r\n'
    '452,4,7000,124,,,6,33,-107,,11.94,108.43,8,1.5,,800,"2026-10-01T01:02:03Z",LTE,true,,Phone,-107,-9,,,,,,,,,,,,,,,,,1750\r\n'
)


def test_synthetic_tower_collector_keeps_the_serving_cell_only(tmp_path: Path) -> None:
    found = reading(tmp_path, "export.csv", TOWERCOLLECTOR)
    assert (found.format, found.rows, found.accepted, found.rejected) == ("towercollector", 2, 1, 1)
    one = first(found)
    assert (one["operator"], one["technology"], one["rsrp_dbm"]) == ("45204", "LTE", -97.0)
    assert one["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)
    assert codes(found) == ["neighbour_cell"]


NETWORK_SURVEY = {
    "networksurvey_lte": (
        "deviceTime,latitude,longitude,altitude,speed,accuracy,missionId,recordNumber,groupNumber,mcc,mnc,tac,eci,"
        "earfcn,pci,rsrp,rsrq,ta,servingCell,lteBandwidth,provider,signalStrength,cqi,slot,snr,deviceSerialNumber,locationAge",
        "2026-10-01T08:02:03.000+07:00,11.94,108.43,800,1.0,6,m,1,1,452,04,7000,123,1750,5,-97,-9,,true,20,Viettel,,,0,10,SERIAL,5",
        "2026-10-01T08:02:03.000+07:00,11.94,108.43,800,1.0,6,m,2,1,,,,,1750,6,-107,-9,,false,,,,,0,,SERIAL,5",
        "rsrp_dbm",
    ),
    "networksurvey_nr": (
        "deviceTime,latitude,longitude,altitude,speed,accuracy,missionId,recordNumber,groupNumber,mcc,mnc,tac,nci,narfcn,pci,"
        "ssRsrp,ssRsrq,ssSinr,csiRsrp,csiRsrq,csiSinr,ta,servingCell,provider,slot,deviceSerialNumber",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,1,1,452,04,7000,123,632,5,-97,-11,9,,,,,true,Viettel,0,SERIAL",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,2,1,,,,,632,6,-107,-11,,,,,,false,,0,SERIAL",
        "ss_rsrp_dbm",
    ),
    "networksurvey_umts": (
        "deviceTime,latitude,longitude,altitude,speed,accuracy,missionId,recordNumber,groupNumber,mcc,mnc,lac,cid,uarfcn,psc,"
        "rscp,ecno,signalStrength,servingCell,provider,slot,deviceSerialNumber",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,1,1,452,04,7000,123,10,5,-97,-8,-80,true,Viettel,0,SERIAL",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,2,1,,,,,10,6,-107,-8,,false,,0,SERIAL",
        "rscp_dbm",
    ),
    "networksurvey_gsm": (
        "deviceTime,latitude,longitude,altitude,speed,accuracy,missionId,recordNumber,groupNumber,mcc,mnc,lac,ci,arfcn,bsic,"
        "signalStrength,ta,servingCell,provider,slot,deviceSerialNumber",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,1,1,452,04,7000,123,50,5,-97,,true,Viettel,0,SERIAL",
        "2026-10-01T08:02:03+07:00,11.94,108.43,800,1.0,6,m,2,1,,,,,50,6,-107,,false,,0,SERIAL",
        "rxlev_dbm",
    ),
}


@pytest.mark.parametrize("name", NETWORK_SURVEY)
def test_synthetic_network_survey_below_its_comment_lines(tmp_path: Path, name: str) -> None:
    header, serving, neighbour, level = NETWORK_SURVEY[name]
    above = "# Created by Network Survey version=1.0\n# CSV Version=0.4.0\n"
    found = reading(tmp_path, "craxiom.csv", f"{above}{header}\n{serving}\n{neighbour}\n")
    assert (found.format, found.accepted, codes(found)) == (name, 1, ["neighbour_cell"])
    one = first(found)
    assert (one["line"], one["operator"], one[level]) == (4, "45204", -97.0)
    assert one["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)
    assert "SERIAL" not in str(found.measurements.to_pylist())


def test_synthetic_cellmapper_takes_operator_and_date_from_cells_and_name(tmp_path: Path) -> None:
    rows = "11.94000001,108.43000001,800,452,4,7000,123,-97,LTE,LTE,1750,5\n"
    rows += "11.95000001,108.43000001,800,452,4,7000,123,-98,LTE,LTE+CA,,\n"
    found = reading(tmp_path, "viettel_signal-2026-10-01.csv", rows)
    assert (found.format, found.rows, found.accepted) == ("cellmapper", 2, 2)
    assert (first(found)["line"], first(found)["operator"], first(found)["local_date"]) == (1, "45204", DATE)
    unnamed = reading(tmp_path, "signal.csv", rows)
    assert (unnamed.quarantined, codes(unnamed)) == (2, ["date_unknown"] * 2)


def test_synthetic_gmon_has_date_and_clock_apart_and_numbers_for_technologies(tmp_path: Path) -> None:
    header = (
        "PLMN;SYSTEM;XCI;xNBID;LOCAL_CID;LAC/TAC;PCI/PSC/BSIC;ARFCN;BAND;RSSI;RSRP/RSCP;RSRQ/ECIO;SNR;CQI;TA;DISTANCE;"
        "DELTA_AZI;LAT;LON;SPEED;GPS_ACCURACY;UL;DL;NR_SS_RSRP;DATE;TIME;ROAMING"
    )
    rows = [
        "45204;4;123;1;3;7000;5;1750;3;-70;-97;-9;8;;;;;11.94;108.43;36;4;1;2;-90;2026/10/01;08:02:03;--",
        "45204;3;123;1;3;7000;5;10;1;-70;-92;-9;;;;;;11.95;108.43;36;4;1;2;;2026/10/01;08:02:09;--",
        ";0;;;;;;;;;;;;;;;;11.96;108.43;36;4;1;2;;2026/10/01;08:02:15;--",
    ]
    found = reading(tmp_path, "gmon.csv", "\n".join([header, *rows]) + "\n")
    assert (found.format, found.accepted, found.no_service) == ("gmon", 3, 1)
    lte, umts, silent = found.measurements.to_pylist()
    assert (lte["rsrp_dbm"], umts["rscp_dbm"], silent["service_state"]) == (-97.0, -92.0, "no_service")
    assert silent["operator"] == "45204"
    assert lte["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)


def test_synthetic_neostumbler_counts_time_in_milliseconds(tmp_path: Path) -> None:
    text = (
        "timestamp,latitude,longitude,locationAccuracy,altitude,altitudeAccuracy,locationAge,speed,pressure,cellId,radioType,"
        "mcc,mnc,lac,psc,signalStrength,asu,arfcn,cellScanAge\n"
        "1790816523000,11.94,108.43,5,800,2,100,1.2,,123,lte,452,04,7000,5,-97,43,1750,10\n"
    )
    found = reading(tmp_path, "cells.csv", text)
    assert (found.format, found.accepted) == ("neostumbler", 1)
    assert first(found)["time_utc"] == datetime.datetime(2026, 10, 1, 1, 2, 3)


def test_synthetic_rtr_nettest_leaves_wlan_out(tmp_path: Path) -> None:
    header = (
        "open_uuid,open_test_uuid,time_utc,cat_technology,network_type,lat,long,loc_src,loc_accuracy,download_kbit,upload_kbit,"
        "ping_ms,lte_rsrp,lte_rsrq,network_mcc_mnc,network_name,sim_mcc_mnc,signal_strength"
    )
    rows = [
        "a,b,2026-10-01 01:02:03,4G,LTE,11.94,108.43,gps,9,25000,5000,30,-97,-9,452-04,Viettel,452-04,",
        "a,c,2026-10-01 01:03:03,WLAN,WLAN,11.94,108.43,gps,9,90000,50000,5,,,,,,-60",
    ]
    found = reading(tmp_path, "netztest.csv", "\r\n".join([header, *rows]) + "\r\n")
    assert (found.format, found.accepted, codes(found)) == ("rtr_nettest", 1, ["not_mobile"])
    assert (first(found)["operator"], first(found)["download_mbps"]) == ("45204", 25.0)


def test_synthetic_wigle_keeps_cells_below_its_first_line(tmp_path: Path) -> None:
    text = (
        "WigleWifi-1.6,appRelease=2.90,model=x,release=14\n"
        "MAC,SSID,AuthMode,FirstSeen,Channel,Frequency,RSSI,CurrentLatitude,CurrentLongitude,AltitudeMeters,AccuracyMeters,"
        "RCOIs,MfgrId,Type\n"
        "45204_7000_123,Viettel,LTE;vn,2026-10-01 08:02:03,5,1750,-97,11.94,108.43,800,8,,,LTE\n"
        "aa:bb:cc:dd:ee:ff,home,[WPA2],2026-10-01 08:02:03,6,2437,-60,11.94,108.43,800,8,,,WIFI\n"
    )
    found = reading(tmp_path, "wigle.csv", text)
    assert (found.format, found.accepted, codes(found)) == ("wigle", 1, ["not_mobile"])
    assert (first(found)["operator"], first(found)["rsrp_dbm"], first(found)["line"]) == ("45204", -97.0, 3)


def test_synthetic_cradlepoint_survey(tmp_path: Path) -> None:
    header = (
        "Time, Latitude, Longitude, Carrier, Cell ID, Service Display, Band, SCELL0, SCELL1, SCELL2, SCELL3, RSSI, SINR, RSRP, "
        "RSRQ, State, Download, Upload, Latency, Bytes Sent, Bytes Received, Results URL"
    )
    row = "2026-10-01 08:02:03, 11.94, 108.43, Viettel, 123, LTE, 3, , , , , -70, 8, -97, -9, connected, 20, 5, 30, 1, 2, x"
    found = reading(tmp_path, "survey.csv", f"{header}\n{row}\n")
    assert (found.format, found.accepted, first(found)["operator"]) == ("cradlepoint", 1, "45204")


@pytest.mark.parametrize(
    ("name", "header", "row", "column"),
    [
        (
            "tems_discovery",
            "Time\tLatitude\tLongitude\tServing Cell RSRP (dBm)\tServing Cell RSRQ (dB)\tNeighbor Cell RSRP (dBm): N1",
            "2026-10-01 08:02:03\t11.94\t108.43\t-97\t-9\t-90",
            "rsrp_dbm",
        ),
        (
            "xcal",
            "TIME_STAMP,Lon,Lat,LTE KPI PCell Serving RSRP[dBm],LTE KPI PCell Serving RSRQ[dB],5G KPI PCell RF Serving SS-RSRP [dBm]",
            "2026-10-01 08:02:03,108.43,11.94,-97,-9,",
            "rsrp_dbm",
        ),
        (
            "e6474a",
            "Sequence No,Time,Latitude,Longitude,Cell ID,Active PSC(0),Active RSCP (dBm)(0)",
            "1,2026-10-01 08:02:03,11.94,108.43,123,5,-97",
            "rscp_dbm",
        ),
    ],
)
def test_synthetic_analyser_tables_need_the_operator_from_outside(
    tmp_path: Path, name: str, header: str, row: str, column: str
) -> None:
    bare = reading(tmp_path, "drive.txt", f"{header}\n{row}\n")
    assert (bare.format, codes(bare)) == (name, ["operator_unknown"])
    told = reading(tmp_path, "drive.txt", f"{header}\n{row}\n", Context(operator="Viettel"))
    assert (told.accepted, first(told)[column]) == (1, -97.0)


def test_synthetic_network_survey_phone_state_is_evidence_of_no_service(tmp_path: Path) -> None:
    header = (
        "deviceTime,latitude,longitude,altitude,speed,accuracy,missionId,recordNumber,simState,simOperator,"
        "networkRegistrationInfo,slot,nonTerrestrialNetwork"
    )
    lte = '"[{""accessNetworkTechnology_"":18},{""accessNetworkTechnology_"":13,""cellIdentity_"":{}}]"'
    none = '"[{""domain_"":1,""accessNetworkTechnology_"":0},{""domain_"":2}]"'
    rows = [
        f"2026-10-01T08:02:0{at}+07:00,11.94,108.43,800,1.0,6,m,{at},{sim},45204,{info},0,"
        for at, (sim, info) in enumerate(
            [
                ("READY", lte),
                ("READY", none),
                ("ABSENT", none),
                ("LOADED", "[]"),
                ("READY", '"[{""accessNetworkTechnology"":""LTE_CA""}]"'),
            ]
        )
    ]
    above = "# Created by Network Survey version=1.0\n# CSV Version=0.4.0\n"
    found = reading(tmp_path, "craxiom-phonestate.csv", above + "\n".join([header, *rows]) + "\n")
    assert (found.format, found.accepted, found.no_service) == ("networksurvey_phonestate", 4, 2)
    assert codes(found) == ["sim_not_ready"]
    rows_read = found.measurements.to_pylist()
    assert [(row["service_state"], row["technology"]) for row in rows_read] == [
        ("in_service", "LTE"), ("no_service", None), ("unknown", None), ("in_service", "LTE"),
    ]  # fmt: skip
    assert {row["operator"] for row in rows_read} == {"45204"}


FULL_LOG = (
    "Timestamp,Longitude,Latitude,Speed,Operatorname,Operator,CGI,Cellname,Node,CellID,LAC,NetworkTech,NetworkMode,Level(RxLev),Qual,"
    "SNR,CQI,LTERSSI,ARFCN,DL_bitrate,UL_bitrate,PSC,Altitude,Height,Accuracy,Location,State,PINGAVG,PINGMIN,PINGMAX,PINGSTDEV,"
    "PINGLOSS,TESTDOWNLINK,TESTUPLINK,TESTDOWNLINKMAX,TESTUPLINKMAX,Test_Status,DataConnection_Type,DataConnection_Info,Layer,"
    "Filemark,IMEI,Distance,Bearing,IP,TA,EVENT,EVENTDETAILS,IMSI,MSISDN,SERVINGTIME,CELLHEX,NTech1,NCellName1,NCellid1,NLAC1,"
    "NCell1,NARFCN1,NRxLev1,NQual1,NDistance1,NBearing1"
)


def test_synthetic_full_gnettrack_log_loses_its_personal_columns(tmp_path: Path) -> None:
    names = FULL_LOG.split(",")
    cells = {
        "Timestamp": "2026.10.01_08.02.03", "Longitude": "108.43", "Latitude": "11.94", "Operatorname": "Viettel", "Operator": "45204",
        "NetworkTech": "4G", "NetworkMode": "LTE", "Level(RxLev)": "-97", "Accuracy": "5", "IMEI": "356938035643809",
        "IMSI": "452040000000001", "MSISDN": "84900000000", "IP": "10.1.2.3", "NRxLev1": "-60", "NTech1": "4G",
    }  # fmt: skip
    found = reading(
        tmp_path, "log.csv", f"{FULL_LOG}\n" + ",".join(cells.get(name, "-") for name in names) + "\n"
    )
    assert (found.format, found.accepted) == ("gnettrack_text", 1)
    assert (first(found)["rsrp_dbm"], first(found)["operator"]) == (-97.0, "45204")
    assert found.dropped == ("IMEI", "IP", "IMSI", "MSISDN")
    kept = str(found.measurements.to_pylist()) + str(found.outcomes.to_pylist())
    assert not any(
        secret in kept for secret in ("356938035643809", "452040000000001", "84900000000", "10.1.2.3")
    )
