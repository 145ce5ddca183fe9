"""G-NetTrack Pro's CSV as University College Cork publishes it: comma, and an `RSRP` that is not always one.

The RSRP column holds RSCP on UMTS and HSPA and RxLev on GPRS and EDGE. NRxRSRP is a neighbour, not NR, and
is not read. Operators may be digits, a letter that stands for an anonymised one, or 0 for nobody.
"""

from coverage.logs.filename import GNETTRACK
from coverage.logs.formats.profile import Format

FORMAT = Format(
    name="gnettrack_csv",
    title_vi="bảng CSV của G-NetTrack Pro (kiểu nghiên cứu)",
    title_en="G-NetTrack Pro CSV (research export)",
    one_phone=True,
    columns={
        "time": ("Timestamp",),
        "lat": ("Latitude",),
        "lon": ("Longitude",),
        "operator": ("Operatorname",),
        "technology": ("NetworkMode",),
        "level_dbm": ("RSRP",),
        "rsrq_db": ("RSRQ",),
        "sinr_db": ("SNR",),
        "accuracy_m": ("Accuracy",),
        "speed_kmh": ("Speed",),
        "cell_number": ("RAWCELLID", "CellID"),
        "download_kbps": ("DL_bitrate",),
        "upload_kbps": ("UL_bitrate",),
    },
    needs=(("time",), ("lat",), ("lon",), ("level_dbm",), ("technology",)),
    no_service_operators=frozenset({"no_coverage"}),
    no_service_technologies=frozenset({"--"}),
    camped_by_technology=True,
    file_name=GNETTRACK,
)
