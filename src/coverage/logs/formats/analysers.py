"""Tables that drive-test analysers export: TEMS Discovery, XCAL and the E6474A kind, units in the names.

None of them names the operator: the name of the file or the upload does. Without service the level's cell is
empty, as it also is between two measurements: they cannot say that there is none.
"""

from coverage.logs.formats.profile import Format

TEMS_DISCOVERY = Format(
    name="tems_discovery",
    title_vi="bảng xuất của TEMS Discovery",
    title_en="TEMS Discovery export",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("Time",),
        "lat": ("Latitude",),
        "lon": ("Longitude",),
        "rsrp_dbm": ("Serving Cell RSRP (dBm)", "LTE Serving Cell RSRP (dBm)"),
        "rsrq_db": ("Serving Cell RSRQ (dB)", "LTE Serving Cell RSRQ (dB)"),
        "sinr_db": ("RS SINR Carrier 1 (dB)",),
    },
    needs=(("time",), ("lat",), ("lon",), ("rsrp_dbm",)),
    technology="LTE",
)
XCAL = Format(
    name="xcal",
    title_vi="bảng xuất của XCAL",
    title_en="XCAL export",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("TIME_STAMP",),
        "lat": ("Lat",),
        "lon": ("Lon",),
        "rsrp_dbm": ("LTE KPI PCell Serving RSRP[dBm]",),
        "rsrq_db": ("LTE KPI PCell Serving RSRQ[dB]",),
        "sinr_db": ("LTE KPI PCell SINR[dB]",),
        "speed_kmh": ("GPS Speed (km/h)",),
    },
    needs=(("time",), ("lat",), ("lon",), ("rsrp_dbm",)),
    technology="LTE",
)
E6474A = Format(
    name="e6474a",
    title_vi="bảng UMTS kiểu E6474A/JDSU",
    title_en="UMTS table of the E6474A/JDSU kind",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("Time",),
        "lat": ("Latitude",),
        "lon": ("Longitude",),
        "rscp_dbm": ("Active RSCP (dBm)(0)",),
        "cell_number": ("Cell ID",),
    },
    needs=(("time",), ("lat",), ("lon",), ("rscp_dbm",)),
    technology="UMTS",
)
