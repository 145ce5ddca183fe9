"""The table that `documents.tems_text` makes of a TEMS Investigation export: the serving LTE cell's level.

The operator comes from the file's name or the upload.
"""

from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="tems_text",
    title_vi="bảng văn bản của TEMS Investigation",
    title_en="TEMS Investigation text export",
    one_phone=True,
    columns={
        "time": ("Time",),
        "lat": ("All-Latitude",),
        "lon": ("All-Longitude",),
        "rsrp_dbm": ("All-Serving Cell RSRP (dBm)",),
        "rsrq_db": ("All-Serving Cell RSRQ (dB)",),
        "cell_number": ("All-Serving Cell Identity",),
        "service_state": ("TEMS service",),
    },
    needs=(("time",), ("lat",), ("lon",), ("rsrp_dbm",), ("service_state",)),
    technology="LTE",
)
