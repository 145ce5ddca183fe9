"""The table that `documents.nemo` makes of a Nemo Outdoor log: the serving cell of each CELLMEAS line.

The operator comes from the file's name or the upload. A GSM line has no level that could be read. Only
lines with a measured cell are read: none says that there is no service.
"""

from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="nemo",
    title_vi="nhật ký .nmf của Nemo Outdoor",
    title_en="Nemo Outdoor .nmf log",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("nmf_time",),
        "lat": ("nmf_latitude",),
        "lon": ("nmf_longitude",),
        "technology": ("nmf_system",),
        "rsrp_dbm": ("nmf_rsrp",),
        "rscp_dbm": ("nmf_rscp",),
        "rsrq_db": ("nmf_rsrq",),
    },
    needs=(("time",), ("lat",), ("lon",), ("technology",), ("rsrp_dbm",), ("rscp_dbm",)),
)
