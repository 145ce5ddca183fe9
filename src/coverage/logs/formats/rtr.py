"""RTR NetTest's open data: speed tests with the level of the network they ran on, `long` for longitude.

Without a connection there is no test.
"""

from coverage.logs.formats.profile import Format, OtherRows

FORMAT = Format(
    name="rtr_nettest",
    title_vi="số liệu mở của RTR NetTest",
    title_en="RTR NetTest open data",
    records_no_service=False,
    columns={
        "time_utc": ("time_utc",),
        "lat": ("lat",),
        "lon": ("long",),
        "accuracy_m": ("loc_accuracy",),
        "technology": ("cat_technology",),
        "kind": ("network_type",),
        "operator_code": ("network_mcc_mnc",),
        "operator": ("network_name",),
        "rsrp_dbm": ("lte_rsrp",),
        "level_dbm": ("signal_strength",),
        "rsrq_db": ("lte_rsrq",),
        "download_kbps": ("download_kbit",),
        "upload_kbps": ("upload_kbit",),
    },
    needs=(("time_utc",), ("lat",), ("lon",), ("technology",), ("kind",), ("operator_code",)),
    other_rows=(OtherRows("technology", frozenset({"wlan", "lan", "ethernet", "wifi"}), "not_mobile"),),
)
