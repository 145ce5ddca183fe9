"""NeoStumbler's cells.csv, as its zip holds it beside the Wi-Fi and Bluetooth tables: times in milliseconds.

The app writes a row only while it hears a cell.
"""

from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="neostumbler",
    title_vi="bảng cells.csv của NeoStumbler",
    title_en="NeoStumbler cells.csv",
    records_no_service=False,
    one_phone=True,
    columns={
        "time": ("timestamp",),
        "lat": ("latitude",),
        "lon": ("longitude",),
        "accuracy_m": ("locationAccuracy",),
        "speed_mps": ("speed",),
        "technology": ("radioType",),
        "mcc": ("mcc",),
        "mnc": ("mnc",),
        "level_dbm": ("signalStrength",),
        "area_number": ("lac",),
        "cell_number": ("cellId",),
    },
    needs=(("time",), ("lat",), ("lon",), ("technology",), ("mcc",), ("level_dbm",), ("cell_number",)),
)
