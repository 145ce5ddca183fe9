"""WiGLE's CSV: Wi-Fi, Bluetooth and cells in one table; the row of a cell has its numbers in the MAC column.

The app writes what it hears, never that it hears nothing.
"""

import re

from coverage.logs.formats.profile import Format, OtherRows

FORMAT = Format(
    name="wigle",
    title_vi="bảng xuất của WiGLE",
    title_en="WiGLE export",
    records_no_service=False,
    columns={
        "time": ("FirstSeen",),
        "lat": ("CurrentLatitude",),
        "lon": ("CurrentLongitude",),
        "accuracy_m": ("AccuracyMeters",),
        "operator": ("SSID",),
        "technology": ("Type",),
        "kind": ("Type",),
        "level_dbm": ("RSSI",),
        "serving_cell": ("MAC",),
    },
    needs=(("time",), ("lat",), ("lon",), ("kind",), ("level_dbm",), ("serving_cell",)),
    preamble=re.compile(r"^WigleWifi-"),
    other_rows=(OtherRows("kind", frozenset({"wifi", "bt", "ble", "nfc"}), "not_mobile"),),
)
