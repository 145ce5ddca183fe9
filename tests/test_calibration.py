"""Calibration: known spreads come back, floors hold, and nothing but the numbers changes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from measurements import LAT, LON, rules

from coverage import calibration, hexes
from coverage.calibration import NEEDED, Fit
from coverage.criteria import Criteria
from coverage.tables import UNKNOWN_DEVICE

SPREADS = {"test_db": 5.0, "occasion_db": 3.0, "device_db": 4.0, "hex_db": 6.0}
RHO = 0.4
_DAY = 48  # half-hours


def world(
    seed: int = 1, *, rings: int = 8, devices: int = 40, met: int = 4, spots: int = 3, **spreads: float
) -> pd.DataFrame:
    """Tests whose spreads and rho are known: `met` phones in each hex around a point, each there on two occasions.

    An occasion of one phone shifts all its hexes alike. Fails are drawn apart from the levels.
    """
    rng, sd = np.random.default_rng(seed), SPREADS | spreads
    cells = np.array(hexes.disk(hexes.of_point(LAT, LON, 9), rings))
    phones = np.argsort(rng.random((len(cells), devices)), axis=1)[:, :met]
    grid = pd.DataFrame(
        [
            (cell, index, phone, occasion, spot)
            for index, cell in enumerate(cells)
            for phone in phones[index]
            for occasion in range(2)
            for spot in range(spots)
        ],
        columns=["hex", "index", "phone", "occasion", "spot"],
    )
    bias = rng.normal(0, 1, devices)
    bias *= sd["device_db"] / bias.std(ddof=1)  # exactly, or the luck of forty phones would be tested
    of_occasion = rng.normal(0, sd["occasion_db"], (devices, 2))
    level = -90 + rng.normal(0, sd["hex_db"], len(cells))[grid["index"]] + bias[grid["phone"]]
    level += of_occasion[grid["phone"], grid["occasion"]] + rng.normal(0, sd["test_db"], len(grid))
    # Beta-binomial: the phones of a hex differ in how often they fail, so that rho is what their tests share.
    share = rng.uniform(0.2, 0.8, len(cells))[:, None]
    own = rng.beta(share * (1 - RHO) / RHO, (1 - share) * (1 - RHO) / RHO, (len(cells), devices))
    return pd.DataFrame(
        {
            "operator": "45204",
            "device": [f"phone-{phone:03d}" for phone in grid["phone"]],
            "hex": grid["hex"],
            "hex_res10": grid["index"] * 7 + grid["spot"],
            # Every phone comes on days of its own.
            "half_hour": 900_000 + _DAY * (grid["phone"] + devices * grid["occasion"]) + grid["spot"] % 8,
            "calibrated": False,
            "positive_only": False,
            "rsrp_dbm": level,
            "fails": pd.array(rng.random(len(grid)) < own[grid["index"], grid["phone"]], "boolean"),
        }
    )


def fits(tests: pd.DataFrame, criteria: Criteria | None = None) -> dict[str, Fit]:
    found = calibration.fit(tests, criteria or rules())
    return {one.quantity.partition(".")[2]: one for one in found}


def with_floors(**floors: float) -> Criteria:
    return rules().model_copy(update={"calibration": rules().calibration.model_copy(update=floors)})


def numbers(found: dict[str, Fit]) -> dict[str, tuple[Any, ...]]:
    return {name: dataclasses.astuple(one) for name, one in found.items()}


@pytest.fixture(scope="module")
def tests() -> pd.DataFrame:
    return world()


@pytest.fixture(scope="module")
def plain(tests: pd.DataFrame) -> dict[str, Fit]:
    return fits(tests)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_spreads_and_rho_come_back(seed: int) -> None:
    found = fits(world(seed))
    for name, truth in (SPREADS | {"rho": RHO}).items():
        one = found[name]
        assert one.kept_because is None
        # 217 hexes, 40 phones, 80 occasions: these far off at most, and within what the fit itself claims.
        allowed = {"test_db": 0.15, "hex_db": 0.6, "occasion_db": 0.8, "device_db": 0.8, "rho": 0.06}[name]
        assert abs(one.estimate - truth) < allowed, name
        assert abs(one.estimate - truth) < 3 * one.standard_error, name
        assert one.low < one.estimate < one.high
        assert abs(one.after - one.estimate) <= (0.005 if name == "rho" else 0.05) + 1e-9


def test_nothing_is_found_where_nothing_is() -> None:
    found = fits(world(occasion_db=0.0, device_db=1e-9, hex_db=0.0))
    assert max(found[name].estimate for name in ("occasion_db", "device_db", "hex_db")) < 1.2
    assert found["occasion_db"].after < 1.2
    # Phones and hexes that do not differ at all are a fault of the data: the number stays.
    for name in ("device_db", "hex_db"):
        refused = found[name].estimate < 1.0
        assert (found[name].after == found[name].before) is refused
        assert bool(found[name].kept_because) is refused
    assert found["test_db"].after == pytest.approx(5.0, abs=0.2)


def test_neither_the_order_of_rows_nor_a_test_given_twice_matters(
    tests: pd.DataFrame, plain: dict[str, Fit]
) -> None:
    mixed = pd.concat([tests, tests.iloc[::3]]).sample(frac=1, random_state=3)
    assert numbers(fits(mixed)) == numbers(plain)


def test_other_operators_are_not_compared_with(tests: pd.DataFrame, plain: dict[str, Fit]) -> None:
    other = tests.assign(operator="45201", device=tests["device"] + "-b", rsrp_dbm=tests["rsrp_dbm"] - 40)
    both = fits(pd.concat([tests, other]))
    for name in SPREADS:
        assert both[name].estimate == pytest.approx(plain[name].estimate, rel=1e-6)
        assert both[name].hexes == plain[name].hexes


def test_an_unknown_phone_tells_nothing(tests: pd.DataFrame, plain: dict[str, Fit]) -> None:
    stray = tests.assign(device=UNKNOWN_DEVICE, rsrp_dbm=-60.0, fails=True)
    assert numbers(fits(pd.concat([tests, stray]))) == numbers(plain)


def test_calibrated_devices_do_not_tell_how_phones_differ(tests: pd.DataFrame, plain: dict[str, Fit]) -> None:
    half = tests["device"] < "phone-020"
    mixed = tests.assign(calibrated=half)
    found = fits(mixed)
    assert found["device_db"].devices == 20
    assert found["test_db"].estimate == plain["test_db"].estimate
    assert fits(tests.assign(calibrated=True))["device_db"].kept_because


def test_phones_on_one_occasion_tell_nothing_of_how_phones_differ(tests: pd.DataFrame) -> None:
    at_once = tests.assign(half_hour=900_000 + tests["hex_res10"] % 7)
    found = fits(at_once.drop_duplicates(["device", "hex_res10", "half_hour"]))
    assert (found["device_db"].pairs, found["occasion_db"].pairs) == (0, 0)


def test_a_phone_that_stays_at_one_spot_tells_nothing_of_the_hex(tests: pd.DataFrame) -> None:
    still = tests.assign(hex_res10=tests["hex"])
    assert fits(still)["test_db"].pairs == 0


def test_silence_and_unknown_levels_are_left_out_of_the_levels(
    tests: pd.DataFrame, plain: dict[str, Fit]
) -> None:
    silent = tests.assign(hex_res10=tests["hex_res10"] + 5_000_000, rsrp_dbm=np.nan)
    found = fits(pd.concat([tests, silent]))
    assert [found[name] for name in SPREADS] == [plain[name] for name in SPREADS]
    assert found["rho"].pairs > plain["rho"].pairs


def test_undecided_tests_and_positive_only_sources_say_nothing_of_rho(
    tests: pd.DataFrame, plain: dict[str, Fit]
) -> None:
    more = tests.assign(hex_res10=tests["hex_res10"] + 5_000_000, fails=False, rsrp_dbm=np.nan)
    undecided = more.assign(fails=pd.array([pd.NA] * len(more), "boolean"))
    for extra in (undecided, more.assign(positive_only=True)):
        assert fits(pd.concat([tests, extra]))["rho"] == plain["rho"]


def test_the_same_fails_in_one_phone_and_in_all_make_no_rho() -> None:
    tests = world()
    tests["fails"] = np.random.default_rng(5).random(len(tests)) < 0.5
    assert fits(tests)["rho"].after == pytest.approx(0.0, abs=0.03)
    alike = tests.assign(fails=tests["device"].str[-1].astype(int) % 2 == 0)
    assert fits(alike, with_floors(rho_hexes=100))["rho"].after == 0.95


FLOORS = {
    "test_db": "test_hexes",
    "occasion_db": "occasion_hexes",
    "device_db": "device_hexes",
    "hex_db": "neighbour_hexes",
    "rho": "rho_hexes",
}


@pytest.mark.parametrize("name", FLOORS)
def test_at_its_floor_a_number_is_fitted_and_under_it_kept(
    name: str, tests: pd.DataFrame, plain: dict[str, Fit]
) -> None:
    there = plain[name].hexes
    # In five hexes every test passes, or every one fails; fifteen touch none that the same phone went to.
    assert there == {"rho": 212, "hex_db": 202}.get(name, 217)
    assert fits(tests, with_floors(**{FLOORS[name]: there}))[name].kept_because is None
    under = fits(tests, with_floors(**{FLOORS[name]: there + 1}))[name]
    assert under.kept_because
    assert "cần thêm 1 ô" in under.kept_because[0]
    assert "1 more hexes" in under.kept_because[1]
    assert under.after == under.before
    assert math.isnan(under.estimate)
    assert math.isnan(under.low)


def test_the_spread_of_few_phones_is_not_believed(tests: pd.DataFrame) -> None:
    assert fits(tests, with_floors(devices=40))["device_db"].kept_because is None
    under = fits(tests, with_floors(devices=41))["device_db"]
    assert under.kept_because
    assert "cần thêm 1 thiết bị" in under.kept_because[0]


def test_only_hexes_with_enough_phones_count_for_rho(tests: pd.DataFrame) -> None:
    assert fits(tests, with_floors(rho_devices=4))["rho"].hexes == 212
    assert fits(tests, with_floors(rho_devices=5))["rho"].hexes == 0


def test_what_rests_on_a_number_that_is_not_fitted_waits_for_it(tests: pd.DataFrame) -> None:
    found = fits(tests, with_floors(test_hexes=1_000))
    for name in ("occasion_db", "device_db", "hex_db"):
        assert found[name].kept_because
        assert found[name].after == found[name].before
    assert found["rho"].kept_because is None


def test_spreads_that_no_radio_has_are_refused_with_the_reason(tests: pd.DataFrame) -> None:
    copies = fits(tests.assign(rsrp_dbm=-90.0))["test_db"]
    wild = fits(tests.assign(rsrp_dbm=tests["rsrp_dbm"] * 4))["test_db"]
    for one, result in ((copies, "0.0 dB"), (wild, "19.9 dB")):
        assert one.kept_because
        assert result in one.kept_because[0]
        assert one.after == one.before == 5.2
    apart = fits(world(device_db=20.0))["device_db"]
    assert apart.kept_because
    assert apart.after == 4.5
    assert apart.estimate > 15


@pytest.mark.parametrize("name", ["test_db", "hex_db"])
def test_the_bounds_of_belief_belong_to_it(name: str, tests: pd.DataFrame, plain: dict[str, Fit]) -> None:
    value = plain[name].after
    at, over = with_floors(most_db=value), with_floors(most_db=value - 0.1)
    assert fits(tests, at)[name].kept_because is None
    assert fits(tests, over)[name].kept_because


def test_an_empty_archive_says_what_is_missing() -> None:
    empty = world().iloc[:0]
    for one in fits(empty).values():
        assert one.kept_because
        assert (one.hexes, one.pairs, one.devices, one.after) == (0, 0, 0, one.before)


def test_what_is_needed_of_a_test_is_all_that_is_needed(tests: pd.DataFrame) -> None:
    assert numbers(fits(tests[list(NEEDED)])) == numbers(fits(tests.assign(seconds=3)))
