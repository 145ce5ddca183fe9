"""G-NetTrack Pro's text log: TAB, longitude first, one `Level` whose meaning hangs on `NetworkTech`.

The user chooses the columns, so they are matched by name. Rows end with one TAB more than the header.
The app's KML is brought into the same columns by `documents.gnettrack_kml`.
Without service the app writes NO_COVERAGE for the operator, or no operator and "--" for the technology.
"""

from coverage.logs.filename import GNETTRACK
from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="gnettrack_text",
    title_vi="nhật ký văn bản (hoặc KML) của G-NetTrack Pro",
    title_en="G-NetTrack Pro text log (or KML)",
    one_phone=True,
    columns={
        "time": ("Timestamp", "Times"),
        "lat": ("Latitude",),
        "lon": ("Longitude",),
        "operator_code": ("Operator",),
        "operator": ("Operatorname",),
        "technology": ("NetworkTech",),
        "level_dbm": ("Level", "RxLev", "Level(RxLev)"),
        "rsrq_db": ("Qual",),
        "sinr_db": ("SNR",),
        "accuracy_m": ("Accuracy",),
        "speed_kmh": ("Speed",),
        "area_number": ("LAC",),
        "node_number": ("Node",),
        "cell_number": ("CellID",),
        "download_kbps": ("DL_bitrate",),
        "upload_kbps": ("UL_bitrate",),
    },
    needs=(("time",), ("lat",), ("lon",), ("level_dbm",), ("technology",)),
    no_service_operators=frozenset({"no_coverage"}),
    no_service_technologies=frozenset({"--"}),
    camped_by_technology=True,
    file_name=GNETTRACK,
)
