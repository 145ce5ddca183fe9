"""The table that `documents.fcc_speed_test` makes: tests of the FCC's app, with the cells heard during each.

The app's flags for a network that is not available are not read: no row says that there is no service.
"""

from coverage.logs.formats.profile import Format, OtherRows

_NOT_SERVING = frozenset({"0", "none", "notserving", "2", "secondary", "secondaryserving", "false"})

FORMAT = Format(
    name="fcc_speed_test",
    title_vi="tệp JSON thử tốc độ của FCC",
    title_en="FCC mobile speed test JSON",
    records_no_service=False,
    columns={
        "time": ("test_timestamp",),
        "lat": ("latitude",),
        "lon": ("longitude",),
        "accuracy_m": ("horizontal_accuracy",),
        "operator": ("provider_name",),
        "technology": ("network_technology",),
        "kind": ("network_technology",),
        "serving": ("cell_connection",),
        "level_dbm": ("signal_dbm",),
        "rsrq_db": ("rsrq",),
        "sinr_db": ("sinr",),
        "cell_number": ("cell_id",),
        "download_kbps": ("download_kbit_s",),
        "upload_kbps": ("upload_kbit_s",),
    },
    needs=(("time",), ("lat",), ("lon",), ("operator",), ("kind",), ("serving",), ("level_dbm",)),
    other_rows=(
        OtherRows("kind", frozenset({"wifi", "wlan", "ethernet"}), "not_mobile"),
        OtherRows("serving", _NOT_SERVING, "neighbour_cell"),
    ),
)
