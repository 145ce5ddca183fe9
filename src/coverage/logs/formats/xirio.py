"""xirio-online's measurements: x is the longitude and y the latitude, if and only if epsg is 4326.

Rows in another system are rejected with that reason. `rssi` is a level on GSM alone: on LTE it is some 30 dB
above RSRP. No column that is read says that there is no service.
"""

from coverage.logs.formats.profile import Format, OtherRows

FORMAT = Format(
    name="xirio",
    title_vi="bảng số đo của xirio-online",
    title_en="xirio-online measurements",
    records_no_service=False,
    columns={
        "time": ("datetime", "timestamp", "time"),
        "date": ("date",),
        "lat": ("y",),
        "lon": ("x",),
        "kind": ("epsg",),
        "rsrp_dbm": ("rsrp",),
        "rscp_dbm": ("rscp",),
        "rxlev_dbm": ("rssi",),
        "rsrq_db": ("rsrq",),
    },
    needs=(("lat",), ("lon",), ("kind",), ("rsrp_dbm", "rscp_dbm", "rxlev_dbm")),
    only_rows=(OtherRows("kind", frozenset({"4326", "epsg4326"}), "wrong_coordinate_system"),),
)
