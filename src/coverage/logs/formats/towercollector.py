"""Tower Collector's export and its OpenCelliD upload file: serving and neighbouring cells, never silence.

`dbm` is the level of the row's network type; newer versions add one column per quantity. The app writes no
row while there is no service, so its files show where service is and never where it is not.
"""

from coverage.logs.formats.profile import Format, OtherRows

_NEIGHBOURS = OtherRows("neighbour", frozenset({"true", "1"}), "neighbour_cell")

EXPORT = Format(
    name="towercollector",
    title_vi="bảng xuất của Tower Collector",
    title_en="Tower Collector export",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("measured_at",),
        "lat": ("lat",),
        "lon": ("lon",),
        "mcc": ("mcc",),
        "mnc": ("mnc",),
        "technology": ("net_type",),
        "neighbour": ("neighboring",),
        "rsrp_dbm": ("rsrp",),
        "ss_rsrp_dbm": ("ss_rsrp",),
        "rscp_dbm": ("rscp",),
        "level_dbm": ("dbm",),
        "rsrq_db": ("rsrq", "ss_rsrq"),
        "sinr_db": ("rssnr", "ss_sinr"),
        "accuracy_m": ("accuracy",),
        "speed_mps": ("speed",),
        "area_number": ("lac",),
        "cell_number": ("cell_id",),
        "device": ("device",),
    },
    needs=(("time",), ("lat",), ("lon",), ("mcc",), ("technology",), ("neighbour",), ("level_dbm",)),
    other_rows=(_NEIGHBOURS,),
)
UPLOAD = Format(
    name="opencellid_upload",
    title_vi="tệp gửi OpenCelliD của Tower Collector",
    title_en="OpenCelliD upload of Tower Collector",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("measured_at",),
        "lat": ("lat",),
        "lon": ("lon",),
        "mcc": ("mcc",),
        "mnc": ("mnc",),
        "technology": ("act",),
        "level_or_asu": ("signal",),
        "accuracy_m": ("rating",),
        "area_number": ("tac", "lac"),
        "cell_number": ("cellid",),
    },
    needs=(("time",), ("lat",), ("lon",), ("mcc",), ("technology",), ("level_or_asu",), ("cell_number",)),
)
