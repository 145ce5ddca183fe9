"""Network Survey (craxiom): one CSV per technology under comment lines, serving and neighbouring cells.

Positions are 0, 0 while there is no fix. The serial number of the device is never read. What the phone says
of its registration stands in the app's phone-state file, which is another table.
"""

import re

from coverage.logs.formats.profile import Format, OtherRows

_SHARED = {
    "time": ("deviceTime",),
    "lat": ("latitude",),
    "lon": ("longitude",),
    "speed_mps": ("speed",),
    "accuracy_m": ("accuracy",),
    "mcc": ("mcc",),
    "mnc": ("mnc",),
    "operator": ("provider",),
    "serving": ("servingCell",),
}
_NEIGHBOURS = OtherRows("serving", frozenset({"false", "0"}), "neighbour_cell")
_COMMENTS = re.compile(r"^#")


def _of(name: str, technology: str, columns: dict[str, tuple[str, ...]], level: str) -> Format:
    return Format(
        name=f"networksurvey_{name}",
        title_vi=f"bảng {technology} của Network Survey",
        title_en=f"Network Survey {technology} table",
        one_phone=True,
        columns=_SHARED | columns,
        needs=(("time",), ("lat",), ("lon",), ("serving",), (level,)),
        preamble=_COMMENTS,
        technology=technology,
        other_rows=(_NEIGHBOURS,),
    )


LTE = _of(
    "lte",
    "LTE",
    {
        "rsrp_dbm": ("rsrp",),
        "rsrq_db": ("rsrq",),
        "sinr_db": ("snr",),
        "area_number": ("tac",),
        "cell_number": ("eci",),
    },
    "rsrp_dbm",
)
NR = _of(
    "nr",
    "NR",
    {
        "ss_rsrp_dbm": ("ssRsrp",),
        "rsrq_db": ("ssRsrq",),
        "sinr_db": ("ssSinr",),
        "area_number": ("tac",),
        "cell_number": ("nci",),
    },
    "ss_rsrp_dbm",
)
UMTS = _of(
    "umts", "UMTS", {"rscp_dbm": ("rscp",), "area_number": ("lac",), "cell_number": ("cid",)}, "rscp_dbm"
)
GSM = _of(
    "gsm",
    "GSM",
    {"rxlev_dbm": ("signalStrength",), "area_number": ("lac",), "cell_number": ("ci",), "kind": ("bsic",)},
    "kind",
)
