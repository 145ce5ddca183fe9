"""Signal quantities: which technology a word means, which levels are plausible, which marks say nothing."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from coverage.names import fold
from coverage.tables import TECHNOLOGIES

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Marks that stand for "no value" in field files, folded to lower case.
MISSING = frozenset({"", "-", "--", "---", "na", "n/a", "#n/a", "nan", "nil", "none", "null", "\\n", "?"})

# Plausible levels in dBm, both ends included; a level outside is unknown, never a missing network.
# LTE: 3GPP TS 36.133 reports -140…-44; the two ends themselves are clamps and sentinels on Android.
# NR: TS 38.133 SS-RSRP -156…-31. UMTS: TS 25.133 RSCP -120…-25; -24 is the "unknown" of G-NetTrack.
# GSM: Android accepts -113…-51 (TS 27.007 ASU 0…31).
LEVEL_RANGE_DBM = {
    "LTE": (-140.0, -44.0),
    "NR": (-156.0, -31.0),
    "UMTS": (-120.0, -25.0),
    "GSM": (-113.0, -51.0),
}
CLAMPS_DBM = {"LTE": (-140.0, -44.0)}

RSRQ_RANGE_DB = (-43.0, 20.0)  # TS 38.133 SS-RSRQ, which contains the -34…3 that Android accepts for LTE
SINR_RANGE_DB = (-23.0, 40.0)  # TS 38.133 SS-SINR, which contains the -20…30 that Android accepts for LTE
ABSURD = 1e9  # no accuracy in m, speed in m/s or throughput in kbit/s comes near it
KMH_PER_MPS = 3.6
KBPS_PER_MBPS = 1000.0

# Android's ASU: technology → (lowest, highest, dBm per ASU, dBm of ASU 0); 99 and 255 mean unknown and lie outside.
# GSM: TS 27.007 RSSI 0…31. UMTS: TS 25.133 RSCP 0…96 (before Android 9 some phones gave 2·ASU-113 of the RSSI,
# which is no RSCP: it is not guessed). LTE and NR: TS 36.133 and 38.133 RSRP as Android counts it, 0…97.
_ASU = {
    "GSM": (0.0, 31.0, 2.0, -113.0),
    "UMTS": (0.0, 96.0, 1.0, -120.0),
    "LTE": (0.0, 97.0, 1.0, -140.0),
    "NR": (0.0, 97.0, 1.0, -140.0),
}

_TECHNOLOGIES = {
    "GSM": "gsm 2g gprs edge egprs",
    "UMTS": "umts 3g wcdma hspa hspap hspaplus hsdpa hsupa dchspa utran",
    "LTE": "lte 4g lteca ltea lteadvanced eutran 4glte ltetdd ltefdd",
    "NR": "nr 5g 5gnr nrsa nrnsa 5gsa 5gnsa nr5g 5gnrsa 5gnrnsa",
}
_TECHNOLOGY_OF = {word: name for name, words in _TECHNOLOGIES.items() for word in words.split()}
# 2G/3G, 3G-4G, UMTS+LTE; the hyphen of E-UTRAN and LTE-A is part of the word.
_BETWEEN_TECHNOLOGIES = re.compile(r"[\s+/,;&|]+|-(?=\d)")


def technology(text: str) -> str | None:
    """GSM, UMTS, LTE or NR for a file's word (4G, HSPA+, 5G NSA, …); None where it is none of them."""
    return _TECHNOLOGY_OF.get(fold(text))


def technologies(text: str) -> str:
    """GSM, UMTS, LTE and NR for the words of a mast (2G/3G/4G), joined by +; the text itself where it has none."""
    whole = technology(text)
    words = (technology(word) for word in _BETWEEN_TECHNOLOGIES.split(text))
    found = {whole} if whole is not None else set(words)
    return "+".join(name for name in TECHNOLOGIES if name in found) or text


def plausible_level(technology_name: str, level: Floats) -> Bools:
    """Which levels (dBm) the technology can have; NaN, sentinels and clamps are not plausible."""
    low, high = LEVEL_RANGE_DBM[technology_name]
    inside: Bools = (level >= low) & (level <= high)
    for clamp in CLAMPS_DBM.get(technology_name, ()):
        inside &= level != clamp
    return inside


def level_of_asu(technology_name: str, asu: Floats) -> Floats:
    """The levels in dBm that Android's signal units mean for the technology; NaN where they say unknown."""
    if technology_name not in _ASU:
        return np.full(len(asu), np.nan)
    low, high, per_unit, at_zero = _ASU[technology_name]
    return within(asu, (low, high)) * per_unit + at_zero


def within(values: Floats, bounds: tuple[float, float]) -> Floats:
    """The same values, NaN where outside the bounds (both included)."""
    kept: Floats = np.where((values >= bounds[0]) & (values <= bounds[1]), values, np.nan)
    return kept


def not_negative(values: Floats) -> Floats:
    """The same values, NaN where negative, or too big to be a distance, speed or throughput."""
    return within(values, (0.0, ABSURD))


# 3GPP's reported indices: 36.133 RSRP 0…97, 38.133 SS-RSRP 0…127, 25.133 RSCP -5…91, 45.008 RXLEV 0…63. The upper
# edge of each step of 1 dB, as ASU has it.
_OF_INDEX = {"LTE": (-140.0, 0, 97), "NR": (-156.0, 0, 127), "UMTS": (-115.0, -5, 91), "GSM": (-110.0, 0, 63)}


def level_of_index(technology_name: str, index: Floats) -> Floats:
    """The level in dBm of 3GPP's reported index for the technology; NaN outside the index's range."""
    zero_dbm, low, high = _OF_INDEX[technology_name]
    return within(index, (float(low), float(high))) + zero_dbm


def level_or_asu(technology_name: str, given: Floats) -> Floats:
    """The level in dBm where some apps write dBm and others ASU: negative numbers are dBm."""
    return np.where(given < 0, given, level_of_asu(technology_name, given))
