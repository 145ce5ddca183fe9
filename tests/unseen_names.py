"""Names of columns as people and apps write them: written from memory, before any was held against the program.

Every third name of a list (the 3rd, 6th, …) is held out: it must never be added to the program's synonym tables,
so that the share of files read under such names stays an honest figure.

Some names mean two things, and a refusal is the right answer to them: `GPS Time` (local time or UTC), `Reported RSRP`,
`RSRP report` and `RSRP reported value` (dBm or 3GPP's index), `LTE ASU` over rows of other technologies, `RxLev Sub` and
`Cường độ trường` (of another averaging; a field strength in dBµV/m).
"""

from __future__ import annotations

INDEPENDENT: dict[str, tuple[str, ...]] = {
    "time": (
        "Thời gian đo", "Ngày giờ đo", "Sample Time", "Local Time", "DateTime", "Time Stamp", "Ngày, giờ", "Thời điểm đo",
        "Device Time", "Date/Time", "Measurement Time", "GPS Time", "Thời gian (local)", "Recorded At", "TG đo", "Log time",
    ),
    "date": (
        "Ngày", "Ngày đo", "Sample Date", "Date", "Ngày tháng", "Measurement Date", "Test Date", "Local Date", "NGÀY THÁNG NĂM",
        "Ngày khảo sát", "Survey Date", "Log Date",
    ),
    "clock": (
        "Giờ", "Giờ đo", "Hour:Minute", "Time of day", "Giờ phút", "Clock", "Time", "Giờ:Phút", "Test Time", "Local Time",
        "Giờ phút giây", "HH:MM:SS",
    ),
    "time_utc": (
        "UTC Time", "Time (UTC)", "Thời gian UTC", "timestamp UTC", "UTC", "DateTime UTC", "UTC Timestamp", "GMT Time", "Giờ UTC",
        "Time_GMT", "Date Time (UTC)", "utc_datetime",
    ),
    "lat": (
        "GPS Latitude", "Lat(WGS84)", "vi_do", "Vĩ độ (độ)", "Latitude (deg)", "Lat.", "GPS_Lat", "Vĩ độ B", "Latitude WGS84",
        "Vĩ Độ (Latitude)", "LATITUDE_DD", "Toạ độ vĩ độ", "Vĩ độ điểm đo", "gps.lat", "Latitude_decimal", "Latitude N",
    ),
    "lon": (
        "GPS Longitude", "Lon(WGS84)", "kinh_do", "KINH ĐỘ (độ)", "Longitude (deg)", "Lng.", "GPS_Long", "Kinh độ L",
        "Longitude WGS84", "Kinh Độ (Longitude)", "LONGITUDE_DD", "Toạ độ kinh độ", "Kinh độ điểm đo", "gps.lon",
        "Longitude_decimal", "Longitude E",
    ),
    "operator": (
        "Tên nhà mạng", "MNO", "Network Operator", "Operator Name", "Nhà cung cấp", "Nhà mạng di động", "Carrier Name", "PLMN ID",
        "Mạng di động", "Network Provider", "DN viễn thông", "Doanh nghiệp", "Nhà khai thác", "Serving PLMN", "Tên mạng", "Telco",
    ),
    "mcc": ("MCC", "Mobile Country Code", "mã MCC"),
    "mnc": ("MNC", "Mobile Network Code", "mã MNC"),
    "technology": (
        "Loại mạng", "Network Type", "Công nghệ mạng", "RAT", "Radio Technology", "Access Technology", "Chuẩn mạng", "Net type",
        "Radio Type", "Network Mode", "Thế hệ mạng", "2G/3G/4G/5G", "Network Generation", "Công nghệ vô tuyến", "System", "Bearer",
    ),
    "service_state": (
        "Trạng thái mạng", "Service State", "Service Status", "Tình trạng sóng", "Có sóng hay không", "Network State",
        "Trạng thái phục vụ", "Coverage Status", "Registration State", "Tình trạng mạng", "In Service", "Trạng thái kết nối mạng",
        "Coverage", "Tình trạng phủ sóng", "Signal status", "Trạng thái đăng ký",
    ),
    "device": (
        "Tên máy", "Device Name", "Model", "Máy đo", "Thiết bị đo", "Handset", "Phone Model", "Mã máy", "Device Model", "UE", "Điện thoại",
        "Device ID", "Tên thiết bị đo", "Terminal", "Phone name",
    ),
    "level": (
        "Mức thu", "Signal (dBm)", "Signal Strength (dBm)", "Cường độ sóng", "Cường độ tín hiệu (dBm)", "Signal Level", "Mức tín hiệu thu",
        "RX Level (dBm)", "Signal power", "Mức thu sóng", "Received level", "Cường độ trường", "Sóng (dBm)", "Mức sóng thu được",
        "Received Signal Strength", "Signal dBm",
    ),
    "rsrp": (
        "RSRP (dBm)", "Mức thu RSRP", "Serving RSRP", "LTE RSRP", "RSRP[dBm]", "RSRP Serving Cell", "Serving Cell RSRP (dBm)", "RSRP đo được",
        "4G RSRP", "RSRP trạm phục vụ", "PCell RSRP", "RSRP value", "Giá trị RSRP", "Cường độ RSRP", "RSRP_LTE", "RSRP 4G (dBm)",
    ),
    "ss_rsrp": (
        "SS-RSRP", "SS-RSRP (dBm)", "NR RSRP", "5G RSRP", "NR SS-RSRP", "SSB RSRP", "5G NR RSRP", "RSRP 5G", "NR_SS_RSRP[dBm]", "ssRsrp",
        "SSRSRP", "SS RSRP serving",
    ),
    "rscp": (
        "RSCP", "RSCP (dBm)", "UMTS RSCP", "3G RSCP", "WCDMA RSCP", "Mức thu RSCP", "CPICH RSCP", "RSCP 3G", "Serving RSCP", "RSCP[dBm]",
        "RSCP value", "Giá trị RSCP",
    ),
    "rxlev": (
        "RxLev", "RxLev (dBm)", "GSM RxLev", "2G RxLev", "Rx Level", "Mức thu RxLev", "RxLevel", "RxLev 2G", "Serving RxLev", "RxLev[dBm]",
        "RxLev Full", "RxLev Sub",
    ),
    "asu": (
        "ASU", "ASU level", "Signal (ASU)", "Cường độ (ASU)", "Signal Strength ASU", "Mức thu (ASU)", "ASU value", "Signal level (ASU)",
        "Sóng ASU", "LTE ASU", "asu_value", "Chỉ số ASU",
    ),
    "index": (
        "RSRP index", "Reported RSRP", "RSRP_idx", "Chỉ số RSRP", "RSRP reported value", "RSRP-Range", "RSRP (3GPP index)", "rsrpResult",
        "RSRP mapped", "RSRP index 3GPP", "RSRP report", "measResult RSRP",
    ),
    "rsrq": (
        "RSRQ (dB)", "RSRQ", "LTE RSRQ", "Serving RSRQ", "Chất lượng RSRQ", "RSRQ[dB]", "Serving Cell RSRQ (dB)", "RSRQ value", "PCell RSRQ",
        "4G RSRQ", "RSRQ đo được", "Giá trị RSRQ",
    ),
    "sinr": (
        "SINR (dB)", "SNR", "SNR (dB)", "RS-SINR", "LTE SINR", "SINR[dB]", "Serving SINR", "RS SNR", "Tỉ số SINR", "rssnr", "SNIR",
        "Signal to noise ratio", "Giá trị SINR", "LTE SNR", "PCell SINR",
    ),
    "accuracy": (
        "GPS Accuracy", "Accuracy (m)", "Độ chính xác (m)", "Sai số GPS", "Horizontal accuracy", "Sai số (m)", "Location Accuracy (m)",
        "Độ chính xác GPS", "HDOP (m)", "accuracy_meters", "Sai số vị trí", "Position accuracy [m]",
    ),
    "speed_mps": (
        "Speed (m/s)", "Tốc độ (m/s)", "GPS Speed (m/s)", "Vận tốc (m/s)", "speed_ms", "Speed [m/s]", "Velocity (m/s)", "Tốc độ xe (m/s)",
        "Ground Speed (m/s)", "speed_mps", "V (m/s)", "Tốc độ di chuyển (m/s)",
    ),
    "speed_kmh": (
        "Speed (km/h)", "Tốc độ (km/h)", "GPS Speed (km/h)", "Vận tốc (km/h)", "speed_kmh", "Speed [km/h]", "Velocity (km/h)",
        "Tốc độ xe (km/h)", "Ground Speed (km/h)", "Speed kph", "V (km/h)", "Tốc độ di chuyển (km/h)",
    ),
    "serving_cell": (
        "Cell ID", "CID", "CI", "ECI", "Mã trạm", "Mã ô", "Cell Identity", "Serving Cell ID", "CellId", "eCell ID", "Mã cell", "Cell ID phục vụ",
        "CGI", "NCI",
    ),
}  # fmt: skip

# What must never be taken for a reading: kind of values → names.
DISTRACTORS: dict[str, tuple[str, ...]] = {
    "level": (
        "NRxRSRP", "Neighbor RSRP", "Neighbour RSRP", "RSRP_N1", "RSRP N1 (dBm)", "N1 RSRP", "RSRP lân cận", "Ncell1 RSRP", "NCell RSRP",
        "Neighbor Cell RSRP (dBm): N1", "RSRP trạm lân cận", "Mức thu lân cận", "Cường độ lân cận", "Adjacent cell RSRP", "2nd best RSRP",
        "SCell RSRP", "SCell1 RSRP", "NRxLev1", "RSCP_N1", "Neighbor level", "Signal neighbour", "Max RSRP", "RSRP Max", "RSRP target",
        "RSRP ngưỡng", "SIM2 RSRP", "RSRP SIM 2", "Best server RSRP", "Scanner RSRP", "CSI-RSRP", "Ngưỡng mức thu", "Mức thu yêu cầu",
        "Predicted RSRP", "RSRP dự báo", "Mức thu dự báo", "Mức thu tối thiểu", "Detected cell RSCP", "Monitored set RSCP",
    ),
    "rssi": (
        "RSSI", "LTE RSSI", "RSSI (dBm)", "WiFi RSSI", "Wi-Fi signal", "WiFi level", "wifi_signal_dbm", "Bluetooth RSSI", "LTERSSI",
        "Tx Power (dBm)", "Noise (dBm)", "Mức nhiễu (dBm)", "UE Tx power",
    ),
    "site_lat": (
        "Cell Lat", "Site Latitude", "vĩ độ trạm", "ServingCell_Lat", "Serving Cell Latitude", "Tower lat", "BTS Latitude", "Lat trạm",
        "eNodeB Lat", "Vĩ độ BTS", "Serving Cell Lat", "Site_Lat", "Vĩ độ thôn", "Latitude of site", "Start Latitude", "Serving Latitude",
    ),
    "site_lon": (
        "Cell Lon", "Site Longitude", "kinh độ trạm", "ServingCell_Lon", "Serving Cell Longitude", "Tower lon", "BTS Longitude", "Lon trạm",
        "eNodeB Lon", "Kinh độ BTS", "Serving Cell Lon", "Site_Lon", "Kinh độ thôn", "Longitude of site", "Start Longitude",
        "Serving Longitude",
    ),
    "number": (
        "PCI", "EARFCN", "TA", "CQI", "Distance", "Khoảng cách", "Altitude", "Độ cao", "Bearing", "Hướng", "Battery", "Pin (%)", "Band", "Bandwidth",
        "TAC", "LAC", "PSC", "Heading", "Satellites", "Số vệ tinh", "Neighbor PCI", "Ping (ms)", "Độ trễ (ms)", "Session ID",
    ),
    "row": ("STT", "No.", "#", "Index", "Row", "Số TT", "id"),
    "text": ("Note", "Ghi chú", "Địa điểm", "Comment", "Thôn", "Xã", "Tuyến đo", "Road", "Tên trạm", "Site name", "App version"),
    "person": ("IMEI", "Phone number", "Số điện thoại", "IMSI", "Người đo", "Họ tên"),
    "later": (
        "server time", "discovered_at", "Upload time", "uploaded_at", "created_at", "Thời gian gửi", "Thời điểm gửi", "Ngày tạo", "Received time",
        "Server timestamp", "Thời gian nhập liệu", "Thời gian tải lên", "Export date", "Fix time", "End time",
    ),
    "throughput": ("Download (Mbps)", "Upload (Mbps)", "DL throughput", "Tải xuống (Mbps)", "Tải lên (Mbps)", "Tốc độ tải", "UL speed"),
    "other_operator": ("SIM2 operator", "Operator SIM 2", "Nhà mạng SIM 2", "Home operator", "Roaming operator", "Neighbor operator"),
    "quality_n": ("Neighbor RSRQ", "NRxRSRQ", "RSRQ lân cận", "RSRQ_N1", "Ncell1 SINR", "SCell SINR"),
}  # fmt: skip


def held_out(field: str) -> tuple[str, ...]:
    """The names of a field that the program's tables must never learn."""
    return INDEPENDENT[field][2::3]
