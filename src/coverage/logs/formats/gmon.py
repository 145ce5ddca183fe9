"""G-MoN Pro's CSV: semicolons, one column for RSRP and RSCP, the NR cell of a non-standalone link beside it.

SYSTEM is the generation, 0 while the phone is not registered. The NR_ columns describe the second cell of a
link whose anchor is the row's own: they are not read as a measurement of their own.
"""

from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="gmon",
    title_vi="bảng xuất của G-MoN Pro",
    title_en="G-MoN Pro export",
    one_phone=True,
    columns={
        "date": ("DATE",),
        "clock": ("TIME",),
        "lat": ("LAT",),
        "lon": ("LON",),
        "operator_code": ("PLMN",),
        "technology": ("SYSTEM",),
        "level_dbm": ("RSRP/RSCP",),
        "rsrq_db": ("RSRQ/ECIO",),
        "sinr_db": ("SNR",),
        "accuracy_m": ("GPS_ACCURACY",),
        "speed_kmh": ("SPEED",),
        "area_number": ("LAC/TAC",),
        "cell_number": ("XCI",),
    },
    needs=(("date",), ("clock",), ("lat",), ("lon",), ("operator_code",), ("technology",), ("level_dbm",)),
    no_service_technologies=frozenset({"0"}),
    camped_by_technology=True,
    technology_words={"2": "GSM", "3": "UMTS", "4": "LTE", "5": "NR"},
)
