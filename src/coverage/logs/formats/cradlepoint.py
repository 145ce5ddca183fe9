"""Cradlepoint's Mobile Site Survey: a router on a vehicle, one file per SIM.

What it writes without service is not documented, and is not read.
"""

from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="cradlepoint",
    title_vi="bảng Mobile Site Survey của Cradlepoint",
    title_en="Cradlepoint Mobile Site Survey",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("Time",),
        "lat": ("Latitude",),
        "lon": ("Longitude",),
        "operator": ("Carrier",),
        "technology": ("Service Display",),
        "rsrp_dbm": ("RSRP",),
        "rsrq_db": ("RSRQ",),
        "sinr_db": ("SINR",),
        "cell_number": ("Cell ID",),
    },
    needs=(("time",), ("lat",), ("lon",), ("operator",), ("technology",), ("rsrp_dbm",)),
)
