"""Our own CSV, and any table that names its columns in common English or Vietnamese words.

The smallest form is latitude, longitude and a level; operator, technology and date then come from the
file's name or the upload. A level column that names no quantity, and an `rsrp` on a row of another
technology, hold the level of the row's technology.
"""

from coverage.logs.formats.profile import LEVELS, Format

FORMAT = Format(
    name="canonical",
    title_vi="bảng CSV chuẩn của Phủ Sóng",
    title_en="Phủ Sóng's canonical CSV",
    columns={
        "time": ("time", "timestamp", "datetime", "date time", "measured_at", "local_time", "thời gian", "thời điểm", "ngày giờ", "thời gian đo", "recorded_at"),
        "date": ("date", "ngày", "ngày đo", "ngày tháng"),
        "clock": ("clock", "time of day", "giờ", "giờ đo", "giờ phút"),
        "time_utc": ("time_utc", "utc_time", "timestamp_utc", "utc", "gmt"),
        "lat": ("lat", "latitude", "vĩ độ", "vĩ tuyến"),
        "lon": ("lon", "lng", "long", "longitude", "kinh độ", "kinh tuyến"),
        "operator": ("operator", "nhà mạng", "operator_name", "network_operator", "plmn", "mccmnc", "carrier", "provider", "mạng", "network provider", "mno", "telco", "nhà cung cấp", "nhà khai thác", "dn viễn thông"),
        "mcc": ("mcc", "mobile_country_code"),
        "mnc": ("mnc", "mobile_network_code"),
        "technology": ("technology", "công nghệ", "tech", "network_type", "network_tech", "rat", "radio", "loại mạng", "network_mode", "network_generation", "net_type", "bearer", "thế hệ mạng", "chuẩn mạng"),
        "service_state": ("service_state", "trạng thái dịch vụ", "trạng thái sóng", "tình trạng dịch vụ", "tình trạng sóng", "trạng thái", "service", "coverage", "in_service", "tình trạng mạng", "có sóng", "có sóng hay không"),
        "device": ("device", "thiết bị", "device_id", "mã thiết bị", "tên thiết bị", "phone model", "terminal", "ue", "điện thoại", "máy đo", "tên máy", "mã máy"),
        "rsrp_dbm": ("rsrp_dbm", "rsrp", "lte_rsrp", "lte_rsrp_dbm"),
        "ss_rsrp_dbm": ("ss_rsrp_dbm", "ss_rsrp"),
        "rscp_dbm": ("rscp_dbm", "rscp"),
        "rxlev_dbm": ("rxlev_dbm", "rxlev", "rxlev_full"),
        "level_dbm": ("level_dbm", "level", "dbm", "signal_dbm", "signal_strength", "signal", "cường độ", "mức thu", "cường độ tín hiệu", "cường độ sóng", "cường độ thu", "mức tín hiệu", "mức sóng", "cường độ dbm", "mức thu dbm", "rx_level", "mức thu sóng"),
        "level_asu": ("level_asu", "asu", "signal_asu", "asu_level", "cường độ asu", "mức thu asu"),
        "level_index": ("level_index", "rsrp_index", "rsrp_idx", "ss_rsrp_index", "rscp_index", "rxlev_index", "chỉ số rsrp", "rsrp 3gpp index", "rsrp_result"),
        "rsrq_db": ("rsrq_db", "rsrq", "ss_rsrq", "ss_rsrq_db"),
        "sinr_db": ("sinr_db", "sinr", "snr", "snr_db", "ss_sinr", "rssnr", "snir"),
        "accuracy_m": ("accuracy_m", "accuracy", "gps_accuracy", "location_accuracy", "độ chính xác", "độ chính xác m", "sai số"),
        "speed_mps": ("speed_mps", "speed", "tốc độ", "vận tốc", "tốc độ m/s", "vận tốc m/s", "velocity"),
        "speed_kmh": ("speed_kmh", "speed_kph", "tốc độ km/h", "vận tốc km/h", "speed km/h"),
        "in_vehicle": ("in_vehicle", "trên xe", "trong xe", "đo trên xe"),
        "serving_cell": ("serving_cell", "cell_id", "cell", "mã cell", "ô phục vụ", "trạm phục vụ", "cid", "eci", "nci", "cgi", "cell_identity", "ecell_id", "mã trạm"),
        "download_mbps": ("download_mbps", "download", "dl_mbps", "tải xuống", "tốc độ tải xuống"),
        "upload_mbps": ("upload_mbps", "upload", "ul_mbps", "tải lên", "tốc độ tải lên"),
    },
    needs=(("lat",), ("lon",), (*LEVELS, "service_state")),
    generic=True,
)  # fmt: skip
