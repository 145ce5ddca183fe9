"""Lists of radio masts and cells as apps and public databases write them: how each is known, and its columns.

They hold no measurements: `logs` refuses them by what stands here, and `places` reads them as sites.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = r"[+-]?\d*\.?\d*(?:[eE][+-]?\d+)?"
_POSITION = rf"(?:{_NUMBER}|NaN);(?:{_NUMBER}|NaN)"


@dataclass(frozen=True)
class CellList:
    """A list without a header.

    name: what people call it. first_line: the shape of its first line.
    columns: our field at each position ("" = not read). Beside those of the contract SITES: `mcc`, `mnc`,
        and `area`, `node`, `cell`, the three numbers of a cell.
    delimiters: which sign separates the fields; the first one that the first row holds.
    codes: the list's own mark → technology. unknown: texts that stand for "not known".
    zero_unknown: the fields in which zero stands for "not known" too.
    """

    name: str
    first_line: re.Pattern[str]
    columns: tuple[str, ...]
    delimiters: tuple[str, ...] = (";",)
    codes: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    zero_unknown: tuple[str, ...] = ()


OPENCELLID = CellList(
    "OpenCelliD/MLS",
    re.compile(rf"(?:GSM|UMTS|LTE|NR|CDMA),\d{{3}},\d+,\d+,\d+,-?\d*,{_NUMBER},{_NUMBER}(?:,|$)"),
    (
        *("technology", "mcc", "mnc", "area", "cell", "", "lon", "lat", "range_m"),
        *("", "", "", "", ""),
    ),
    delimiters=(",",),
    codes={name: name for name in ("GSM", "UMTS", "LTE", "NR", "CDMA")},
)
NETMONSTER = CellList(
    "NetMonster",
    re.compile(rf"(?:[2-5]G|CD2);\d{{3}};\d{{1,3}};\d*;\d*;\d*;\d*;{_POSITION}(?:;|$)"),
    ("technology", "mcc", "mnc", "cell", "area", "node", "", "lat", "lon", "name", ""),
    codes={"2G": "GSM", "3G": "UMTS", "4G": "LTE", "5G": "NR", "CD2": "CDMA"},
    unknown=frozenset({"2147483647", "9223372036854775807"}),
    zero_unknown=("node",),
)
NETMONITOR = CellList(
    "Netmonitor",
    re.compile(rf"[GWTLNC];\d{{3}};\d{{1,3}};\d*;\d*;\d*;\d*;{_POSITION}(?:;|$)"),
    # The accuracy of the position is not the range of the cell: it is not read.
    ("technology", "mcc", "mnc", "area", "cell", "", "", "lat", "lon", "", "name"),
    # T is TD-SCDMA, which 3GPP counts among UMTS.
    codes={"G": "GSM", "W": "UMTS", "T": "UMTS", "L": "LTE", "N": "NR", "C": "CDMA"},
)
CLF = CellList(
    "CLF",
    re.compile(r"//\s*cell list exchange format v\d", re.IGNORECASE),
    (
        *("operator", "cell", "area", "node", "lat", "lon", "", "name"),
        # From version 4.0 on; 3.0 writes 0 in place of the system and ends there.
        *("technology", "", "azimuth_deg", "", "", "", "", ""),
    ),
    delimiters=(";", "\t"),
    codes={"1": "GSM", "2": "CDMA", "3": "UMTS", "4": "LTE", "5": "NR"},
    unknown=frozenset({"999.99999", "NaN", "-1"}),
    zero_unknown=("node", "azimuth_deg"),
)
LISTS = (OPENCELLID, NETMONSTER, NETMONITOR, CLF)

# Lists with a header, by names that stand in it.
NSG = "Network Signal Guru"
HEADERS: Mapping[str, tuple[str, ...]] = {
    OPENCELLID.name: ("radio", "mcc", "net", "area", "cell"),
    NSG: ("Cellname", "ECellID"),
}


def list_of(line: str) -> CellList | None:
    """The list whose first line this is; None where it is none of them."""
    bare = line.lstrip("\ufeff").strip()
    return next((one for one in LISTS if one.first_line.match(bare)), None)
