"""Network Survey (craxiom): one CSV per technology under comment lines, serving and neighbouring cells.

Positions are 0, 0 while there is no fix. The serial number of the device is never read. These tables have rows
only while there is a cell: what the phone says when there is none stands in the app's phone-state file, which
is read as the same crew's evidence of no service.
"""

import re
from typing import Any

import orjson

from coverage.logs import quantities
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
_COMMENTS = re.compile(r"^#(?![,;|\t])")  # a bare # is the name of a column of row numbers


def _of(name: str, technology: str, columns: dict[str, tuple[str, ...]], level: str) -> Format:
    return Format(
        name=f"networksurvey_{name}",
        title_vi=f"bảng {technology} của Network Survey",
        title_en=f"Network Survey {technology} table",
        records_no_service=False,
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

# Android's TelephonyManager network types that are mobile, as the app writes them: number, or name.
_NETWORK_TYPES = {
    1: "GSM", 2: "GSM", 16: "GSM", 3: "UMTS", 8: "UMTS", 9: "UMTS", 10: "UMTS", 15: "UMTS", 17: "UMTS",
    13: "LTE", 19: "LTE", 20: "NR",
}  # fmt: skip
_BEST_FIRST = ("NR", "LTE", "UMTS", "GSM")


def _registrations(text: str) -> list[Any]:
    """The registrations that a cell of the phone-state table lists; none where it is no list."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return found if isinstance(found, list) else []


def _technologies(text: str) -> list[str | None]:
    """The technology of each registration, None where it has none; fields end with `_` in some versions."""
    found = []
    for one in _registrations(text):
        kind = (
            one.get("accessNetworkTechnology_", one.get("accessNetworkTechnology", 0))
            if isinstance(one, dict)
            else 0
        )
        found.append(_NETWORK_TYPES.get(kind) if isinstance(kind, int) else quantities.technology(str(kind)))
    return found


def _technology_of(text: str) -> str | None:
    return next((name for name in _BEST_FIRST if name in _technologies(text)), None)


def _state_of(text: str) -> str | None:
    """No service where the phone lists registrations and none is of a mobile network; unknown where it lists none."""
    technologies = _technologies(text)
    if not technologies:
        return "unknown"
    return "in_service" if any(technologies) else "no_service"


PHONE_STATE = Format(
    name="networksurvey_phonestate",
    title_vi="bảng trạng thái máy (phone state) của Network Survey",
    title_en="Network Survey phone-state table",
    one_phone=True,
    columns={
        "time": ("deviceTime",),
        "lat": ("latitude",),
        "lon": ("longitude",),
        "speed_mps": ("speed",),
        "accuracy_m": ("accuracy",),
        "operator_code": ("simOperator",),
        "kind": ("simState",),
        "service_state": ("networkRegistrationInfo",),
        "technology": ("networkRegistrationInfo",),
    },
    needs=(("time",), ("lat",), ("lon",), ("kind",), ("service_state",)),
    preamble=_COMMENTS,
    # Without a working card a phone has no service anywhere: that says nothing of the network.
    only_rows=(OtherRows("kind", frozenset({"ready", "loaded"}), "sim_not_ready"),),
    state_of=_state_of,
    technology_of=_technology_of,
)
