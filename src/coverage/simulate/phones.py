"""The simulated phones: their bias, sensitivity and faults, and what they report of what is in the air."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from coverage.simulate.network import GSM, LTE, NR, OPERATORS, UMTS
from coverage.simulate.noise import Bools, Floats, Ints
from coverage.simulate.radio import NO_SITE, Air

TEAMS = 10
NO_TECHNOLOGY = -1
IN_SERVICE, NO_SERVICE, EMERGENCY_ONLY, UNKNOWN = range(4)
_BIAS_SD_DB = 4.8  # between phone models; 4-5 dB is expected (Ofcom 2015 found 8-10 dB between extremes)
_SENSITIVITY_DBM = -122.0
_SENSITIVITY_SD_DB = 1.5
_FADING_DB = 2.2  # hand, body and fast fading between two readings
_FADING_KEPT = 0.88  # of it from one reading to the next, about 3 s later
_GSM_OFF_HOUR = 623 * 24  # 2026-09-16 local, in hours since 2025-01-01
# A phone leaves a technology for a better-heard one at these levels in dBm (typical network settings).
_NR_FROM, _LTE_FROM, _UMTS_FROM, _GSM_FROM = -108.0, -116.0, -108.0, -106.0
_UMTS_ABOVE_SENSITIVITY_DB = 8.0
# The levels each technology can report, in dBm: 3GPP reporting ranges.
_LOWEST = {GSM: -110, UMTS: -120, LTE: -140, NR: -156}
_HIGHEST = {GSM: -48, UMTS: -25, LTE: -44, NR: -31}
MODELS = ("clean", "umts_silent", "lte_gaps", "flapping")


@dataclass(frozen=True)
class Phone:
    """One phone: who carries it, for which operator, and how it hears.

    model: `clean`; `umts_silent` never tells a 3G level; `lte_gaps` loses some 4G levels;
    `flapping` repeats seconds without service. positive_only: the app records no silence. tower_app: its files
    say so by their format (a collector of radio cells, which also misses cells that it hardly hears).
    """

    name: str
    operator: int
    bias_db: float
    sensitivity_dbm: float
    model: str
    positive_only: bool
    tower_app: bool = False


@dataclass(frozen=True)
class Heard:
    """What one phone reports at N moments: technology or −1, level in dBm (NaN = unknown), state, site."""

    technology: Ints
    level_dbm: Floats
    state: Ints
    site: Ints

    def at(self, rows: Ints | Bools) -> Heard:
        """The chosen moments."""
        return Heard(self.technology[rows], self.level_dbm[rows], self.state[rows], self.site[rows])


def of_crews(rng: np.random.Generator) -> list[list[Phone]]:
    """The phones of each team, one per operator."""
    biases = _biases(rng, TEAMS * len(OPERATORS)).reshape(TEAMS, -1)
    return [
        [
            _phone(rng, team * len(OPERATORS) + op + 1, op, float(biases[team, op]))
            for op in range(len(OPERATORS))
        ]
        for team in range(TEAMS)
    ]


def of_crowd(rng: np.random.Generator, count: int) -> list[Phone]:
    """The phones of people who share what their phone measures; two of five apps record no silence,
    and half of those are collectors of radio cells.
    """
    shares = np.array([0.4, 0.25, 0.22, 0.13])
    operators = rng.choice(len(OPERATORS), count, p=shares)
    biases = _biases(rng, count)
    return [
        Phone(
            f"crowd-{i:04d}",
            int(operators[i]),
            float(biases[i]),
            _sensitivity(rng),
            "clean",
            positive_only=bool(lucky < 0.4),
            tower_app=bool(lucky < 0.2),
        )
        for i, lucky in enumerate(rng.random(count))
    ]


def _biases(rng: np.random.Generator, count: int) -> Floats:
    # Scaled to the stated spread exactly: a lucky draw must not make the simulation kinder.
    drawn = rng.normal(0, 1, count)
    spread = drawn.std(ddof=1) if count > 1 else 1.0
    biases: Floats = (drawn - drawn.mean()) / spread * _BIAS_SD_DB
    return biases


def _sensitivity(rng: np.random.Generator) -> float:
    return float(rng.normal(_SENSITIVITY_DBM, _SENSITIVITY_SD_DB))


def _phone(rng: np.random.Generator, number: int, operator: int, bias: float) -> Phone:
    model = MODELS[number * 7 % 4 if number % 3 else 0]
    return Phone(f"simphone-{number:02d}", operator, bias, _sensitivity(rng), model, positive_only=False)


def listen(rng: np.random.Generator, phone: Phone, heard: Air, hour: Ints, loss_db: Floats) -> Heard:
    """What the phone reports of the air at local hours, behind a loss (vehicle) in dB."""
    level = heard.level_dbm + (phone.bias_db - loss_db + _fading(rng, hour.size))[:, None]
    technology = _camped(level, phone.sensitivity_dbm, hour)
    silent = technology == NO_TECHNOLOGY
    chosen = np.where(silent, 0, technology)[:, None]
    reported = np.rint(np.take_along_axis(level, chosen, 1)[:, 0])
    lowest = np.array([_LOWEST[t] for t in range(4)])[chosen[:, 0]]
    highest = np.array([_HIGHEST[t] for t in range(4)])[chosen[:, 0]]
    site = np.take_along_axis(heard.site, chosen, 1)[:, 0]
    return Heard(
        technology,
        np.where(silent, np.nan, np.clip(reported, lowest, highest)),
        np.where(silent, NO_SERVICE, IN_SERVICE),
        np.where(silent, NO_SITE, site),
    )


def _fading(rng: np.random.Generator, count: int) -> Floats:
    steps = rng.normal(0, _FADING_DB * np.sqrt(1 - _FADING_KEPT**2), count)
    fading: Floats = lfilter([1.0], [1.0, -_FADING_KEPT], steps)
    return fading


def _camped(level: Floats, sensitivity: float, hour: Ints) -> Ints:
    gsm_on = hour < _GSM_OFF_HOUR
    choices = [
        level[:, NR] >= _NR_FROM,
        level[:, LTE] >= _LTE_FROM,
        level[:, UMTS] >= _UMTS_FROM,
        level[:, LTE] >= sensitivity,
        level[:, UMTS] >= sensitivity + _UMTS_ABOVE_SENSITIVITY_DB,
        gsm_on & (level[:, GSM] >= _GSM_FROM),
    ]
    camped: Ints = np.select(choices, [NR, LTE, UMTS, LTE, UMTS, GSM], NO_TECHNOLOGY).astype(np.int64)
    return camped


def with_faults(rng: np.random.Generator, phone: Phone, heard: Heard) -> Heard:
    """The report as this model writes it: some levels unknown although the phone is in service."""
    share = {"umts_silent": (1.0, 0.0), "lte_gaps": (0.0, 0.035)}.get(phone.model, (0.0, 0.0))
    luck = rng.random(heard.level_dbm.size)
    lost = (heard.technology == UMTS) & (luck < share[0]) | (heard.technology == LTE) & (luck < share[1])
    return replace(heard, level_dbm=np.where(lost, np.nan, heard.level_dbm))
