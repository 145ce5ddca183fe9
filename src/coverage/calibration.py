"""Tests → how far levels scatter and how much the fails of one phone hang together, and how sure that is.

Two tests of one phone on one occasion in one hex differ by the luck of a test only; on two occasions by that of
the occasions too; of two phones by all of it. So half the mean squared difference of each kind of pair, less that
of the kind before, is what the criteria hold. Pairs at one spot (res-10 hex) are left out of every kind: they agree
better than others, and two occasions share a spot more often than two tests of one occasion do. What one phone gave
at one spot on one occasion counts once, however many tests that is. Resampled are regions of about seven hexes, which share weather and terrain, and the phones or occasions that
are compared: few phones in many hexes are still few phones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from coverage import hexes
from coverage.criteria import Calibration, Criteria
from coverage.hexes import Hexes
from coverage.pairs import Floats, Pairs, half_squares, pairs_within
from coverage.tables import UNKNOWN_DEVICE

NEEDED = (
    "operator",
    "device",
    "hex",
    "hex_res10",
    "half_hour",
    "calibrated",
    "positive_only",
    "rsrp_dbm",
    "fails",
)
_TEST = ["operator", "device", "hex_res10", "half_hour"]
_UNIT = ["operator", "place"]
_CELL = [*_UNIT, "device", "block"]
# Each spread, and the one whose kind of pair differs by less.
_LESS = {"test_db": None, "occasion_db": "test_db", "device_db": "occasion_db", "hex_db": "test_db"}
_DIGITS = {"levels": 1, "evidence": 2}  # nothing finer is known
_HALF_HOURS_PER_OCCASION = 8  # four hours on the clock of UTC, as the evidence counts occasions
_MOST_RHO = 0.95
Why = tuple[str, str]


@dataclass(frozen=True)
class Fit:
    """One number of the criteria before and after, and what that rests on.

    quantity: its section and key; spreads are in dB, rho has no unit. after: what is to stand; it is `before` where
    `kept_because` (Vietnamese, English) says why. estimate, standard_error, low, high (95 % interval): NaN where the
    evidence is under a floor. hexes, pairs, devices: how many hold, are and gave the pairs that tell.
    """

    quantity: str
    before: float
    after: float
    estimate: float
    standard_error: float
    low: float
    high: float
    hexes: int
    pairs: int
    devices: int
    kept_because: Why | None


def fit(tests: pd.DataFrame, criteria: Criteria) -> tuple[Fit, ...]:
    """What the tests say of the spreads in [levels] and of evidence.rho.

    `tests` holds the columns `NEEDED` of OBSERVATIONS, in any order; a test given twice counts once. Only tests of
    known phones count: two of an unknown phone may be of two. Where the evidence is under a floor of [calibration],
    or what it says is beyond belief, the number stays and the fit says why.

    - test_db²: same hex, phone and occasion.
    - occasion_db²: same hex and phone, another occasion; less the former.
    - device_db²: same hex, another phone on another occasion, neither calibrated; less the pairs of one phone.
    - hex_db²: same phone and occasion, two hexes that touch; less the pairs in one hex.
    - rho: 1 - (fails of one phone / fails of different phones), in hexes of several phones where some tests fail
      and some pass.

    Each spread is of pairs at two spots (res-10 hexes). hex_db is of hexes that touch: people live around the middle
    of the seven hexes that speak for them, not evenly over their outer rim.

    A test without service has no level: the levels are cut off below, and where silence is frequent the spreads
    come out too small. They are not cut off above, as margins are (cap_margin_db): where service is strong they
    come out larger than those of margins, which clears less. rho counts silence as the fail that it is, and leaves
    out the sources that never write it.
    """
    known = _known(tests)
    regions = _regions(known["hex"].to_numpy(np.int64), criteria.hex_resolution)
    known["region"] = _region_of(known["hex"].to_numpy(np.int64), regions, criteria.hex_resolution)
    pairs = _level_pairs(known.dropna(subset="rsrp_dbm"), regions, criteria.hex_resolution)
    return (*_spreads(pairs, len(regions), criteria), _rho(known, len(regions), criteria))


def _known(tests: pd.DataFrame) -> pd.DataFrame:
    # In one order whatever order they came in, names as numbers from 0.
    known = tests.loc[tests["device"] != UNKNOWN_DEVICE, list(NEEDED)]
    known["block"] = known["half_hour"] // _HALF_HOURS_PER_OCCASION
    for column in ("operator", "device", "block"):
        known[column] = pd.factorize(known[column], sort=True)[0]
    known = known.sort_values(_TEST).drop_duplicates(_TEST, ignore_index=True)
    return known.assign(place=known["hex"], test=np.arange(len(known)))


def _regions(cells: Hexes, resolution: int) -> Hexes:
    # Every region that a measured hex or a neighbour of one lies in.
    found: Hexes = np.unique(hexes.parents(hexes.around(np.unique(cells), 1), resolution - 1))
    return found


def _region_of(cells: Hexes, regions: Hexes, resolution: int) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = np.searchsorted(regions, hexes.parents(cells, resolution - 1))
    return found


def _level_pairs(tests: pd.DataFrame, regions: Hexes, resolution: int) -> dict[str, Pairs]:
    level = tests["rsrp_dbm"].astype(float)
    tests = tests.assign(level=level - level.mean())
    tests["square"] = tests["level"] ** 2
    spots = _means(tests, [*_CELL, "hex_res10"])
    phones = spots[~spots["calibrated"]]
    sides = _across_borders(_means(tests, _CELL), regions, resolution)
    of_phone, spot = [*_UNIT, "device"], "hex_res10"
    return {
        "test_db": pairs_within(spots, _CELL, spot, apart=[spot]),
        "occasion_db": pairs_within(spots, of_phone, "block", apart=["block", spot], lot="block"),
        "device_db": pairs_within(phones, _UNIT, "device", apart=["device", "block", spot], lot="device"),
        "hex_db": pairs_within(sides, _CELL, "hex", apart=["hex"]),
    }


def _means(tests: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    # One row per group: its mean level and mean square, that pairs of groups may count once each.
    firsts = {column: (column, "first") for column in ("hex", "region")}
    means = {column: (column, "mean") for column in ("level", "square")}
    return tests.groupby(by, as_index=False).agg(**firsts, **means, calibrated=("calibrated", "all"))


def _across_borders(cells: pd.DataFrame, regions: Hexes, resolution: int) -> pd.DataFrame:
    # Each row once for each border of its hex: a place that holds the two hexes on its sides.
    several = cells.groupby(["operator", "device", "block"])["hex"].transform("size") > 1
    cells = cells[several]
    rows, others = hexes.disks(cells["hex"].to_numpy(np.int64), 1)
    own = cells["hex"].to_numpy(np.int64)[rows]
    rows, own, others = (part[own != others] for part in (rows, own, others))
    sides = pd.DataFrame({"first": np.minimum(own, others), "second": np.maximum(own, others)})
    border = sides.groupby(["first", "second"]).ngroup().to_numpy()
    region = _region_of(sides["first"].to_numpy(np.int64), regions, resolution)
    beside: pd.DataFrame = cells.iloc[rows].assign(place=border, region=region)
    return beside


def _spreads(pairs: dict[str, Pairs], regions: int, criteria: Criteria) -> list[Fit]:
    half = {name: half_squares(one, regions) for name, one in pairs.items()}
    fits: dict[str, Fit] = {}
    for name, base in _LESS.items():
        variance = half[name] - (half[base] if base else 0.0)
        before = float(getattr(criteria.levels, name))
        why = _missing(name, pairs[name], criteria.calibration) or _waits(base, fits)
        fits[name] = _fit(f"levels.{name}", before, np.sqrt(np.maximum(variance, 0.0)), pairs[name], why)
        if not why:
            fits[name] = _believed(fits[name], criteria.calibration)
    return list(fits.values())


def _missing(name: str, pairs: Pairs, floors: Calibration) -> Why | None:
    needed = {
        "test_db": floors.test_hexes,
        "occasion_db": floors.occasion_hexes,
        "device_db": floors.device_hexes,
        "hex_db": floors.neighbour_hexes,
        "rho": floors.rho_hexes,
    }[name]
    if pairs.hexes < needed:
        return (
            f"cần thêm {needed - pairs.hexes} ô lục giác có đủ cặp lần thử (đang có {pairs.hexes}, cần {needed})",
            f"{needed - pairs.hexes} more hexes with such pairs are needed (there are {pairs.hexes} of {needed})",
        )
    if name == "device_db" and pairs.devices < floors.devices:
        few = floors.devices - pairs.devices
        return (
            f"cần thêm {few} thiết bị (đang có {pairs.devices}, cần {floors.devices})",
            f"{few} more devices are needed (there are {pairs.devices} of {floors.devices})",
        )
    return None


def _waits(base: str | None, fits: dict[str, Fit]) -> Why | None:
    if base is None or fits[base].kept_because is None:
        return None
    return (f"tính từ {base}, mà {base} chưa tính được", f"it rests on {base}, which could not be fitted")


def _fit(quantity: str, before: float, drawn: Floats, pairs: Pairs, why: Why | None) -> Fit:
    estimate, error, low, high = np.nan, np.nan, np.nan, np.nan
    if not why:
        estimate, error = float(drawn[0]), float(drawn[1:].std(ddof=1))
        low, high = (float(bound) for bound in np.quantile(drawn[1:], [0.025, 0.975]))
    after = before if why else round(estimate, _DIGITS[quantity.partition(".")[0]])
    basis = pairs.hexes, pairs.count, pairs.devices
    return Fit(quantity, before, after, estimate, error, low, high, *basis, why)


def _believed(fit: Fit, floors: Calibration) -> Fit:
    # A spread that no radio has is a fault of the data: the same rows under two names, two units in one column.
    # Occasions may truly differ by nothing; phones and hexes never do, and a 0 would let one speak for all.
    low = 0.0 if fit.quantity.endswith("occasion_db") else floors.least_db
    if low <= fit.after <= floors.most_db:
        return fit
    why = (
        f"kết quả {fit.estimate:.1f} dB nằm ngoài khoảng tin được {low:g}–{floors.most_db:g} dB: hãy kiểm tra số đo",
        f"the result, {fit.estimate:.1f} dB, is outside what is believed, {low:g}-{floors.most_db:g} dB: check the data",
    )
    return replace(fit, after=fit.before, kept_because=why)


def _rho(tests: pd.DataFrame, regions: int, criteria: Criteria) -> Fit:
    recorded = tests[~tests["positive_only"].astype(bool)].dropna(subset="fails")
    decided = _telling_fails(recorded, criteria.calibration.rho_devices)
    of_phone = [*_UNIT, "device"]
    same = pairs_within(decided, of_phone, "test")
    other = pairs_within(_means(decided, of_phone), _UNIT, "device", lot="device")
    # Each hex weighs alike on both sides: what its own share of fails is then cancels.
    weight = np.minimum(same.weight, other.weight)
    same, other = replace(same, weight=weight), replace(other, weight=weight, count=same.count + other.count)
    drawn = np.clip(1.0 - half_squares(same, regions) / half_squares(other, regions), 0.0, _MOST_RHO)
    why = _missing("rho", other, criteria.calibration)
    return _fit("evidence.rho", criteria.evidence.rho, drawn, other, why)


def _telling_fails(tests: pd.DataFrame, least_devices: int) -> pd.DataFrame:
    # The tests at places with enough phones, one of which tested twice, where some tests fail and some pass.
    tests = tests.assign(level=tests["fails"].astype(float))
    tests["square"] = tests["level"]
    places = tests.groupby(_UNIT)
    devices, share = places["device"].transform("nunique"), places["level"].transform("mean")
    twice = places["device"].transform("size") > devices
    return tests[(devices >= least_devices) & (share > 0) & (share < 1) & twice]
